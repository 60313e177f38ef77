// The reader of bundles over any bytes: what comes out does not depend on how
// the bytes come in, every octet is accounted for, and it comes to an end.
#include <algorithm>
#include <string>

#include "ceremony/x509/bundle.h"
#include "ceremony/x509/lint.h"
#include "tests/fuzz/demand.h"

namespace {

using namespace ceremony::x509;
using fuzz::Demand;

// Everything that is read, in one text, and no more items than there are octets.
std::string Read(base::ByteView file, std::size_t chunk) {
  BundleReader reader([&](std::span<std::uint8_t> out) -> base::Result<std::size_t> {
    const std::size_t count = std::min({out.size(), file.size(), chunk});
    std::copy_n(file.begin(), count, out.begin());
    file = file.subspan(count);
    return count;
  });
  const std::size_t size = file.size();
  std::string all;
  std::uint64_t end = 0;
  for (std::uint32_t index = 1;; ++index) {
    const auto next = reader.Next();
    Demand(next.ok());
    if (!*next) return all;
    const BundleItem& item = **next;
    Demand(index <= size + 1);
    Demand(item.offset <= size);
    Demand(item.offset >= end || item.form == BundleItem::Form::kProblem);
    Demand((item.form == BundleItem::Form::kProblem) == item.problem.has_value());
    base::Bytes storage;
    std::vector<Finding> findings;
    const auto der = DerOf(item, storage, findings);
    Demand(der || item.problem || !findings.empty());
    if (der) {
      end = item.offset + item.raw.size();
      Demand(end <= size);
      LooksLikeCrl(*der);
    }
    all += std::to_string(item.offset) + " " + item.label + " " + std::string(base::AsText(item.raw)) + "\n";
    for (const Finding& finding : findings) all += finding.Text() + "\n";
    if (item.problem) all += item.problem->Text() + "\n";
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::ByteView bytes{data, size};
  const std::string whole = Read(bytes, size + 1);
  Demand(Read(bytes, 1) == whole);
  Demand(Read(bytes, 61) == whole);
  return 0;
}
