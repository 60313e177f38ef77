// Any bytes as a disclosure and as the head of a ledger, and as canonical text
// with salted digests in it: what is accepted is spelled the same way again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "ceremony/record/disclosure.h"
#include "ceremony/record/disclosure_audit.h"
#include "ceremony/record/withheld.h"
#include "hsm/base/encoding.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ceremony::record;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // The bytes as `d`, and what they say in base64url.
  for (const std::string& d : {std::string(text), base::Base64UrlEncode({data, size})}) {
    const base::Result<OpenedDisclosure> opened = OpenDisclosure(d);
    if (!opened.ok()) continue;
    if (nlohmann::json::parse(opened->value, nullptr, false).is_discarded()) std::abort();
    if (DigestOfDisclosure(d).size() != 43) std::abort();
  }
  if (const auto head = WithheldHead::Parse(text); head && head->Line() != text) std::abort();
  if (const auto leaf = WithheldLeaf(text); leaf && WithheldLine(*leaf) != text) std::abort();
  std::string_view rest = text;
  for (SaltedDigest found; FindSalted(rest, found);) {
    if (found.digest.size() != 43 || rest.size() >= size) std::abort();
  }
  return 0;
}
