#include "ceremony/x509/pem.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/name.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

constexpr std::size_t kLine = 64;

std::string_view TrimSpace(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

std::string PemEncode(std::string_view label, base::ByteView der) {
  const std::string base64 = base::Base64Encode(der);
  std::string pem = fmt::format("-----BEGIN {}-----\n", label);
  for (std::size_t at = 0; at < base64.size(); at += kLine) {
    pem += base64.substr(at, kLine);
    pem += '\n';
  }
  return pem + fmt::format("-----END {}-----\n", label);
}

base::Result<base::Bytes> PemDecode(std::string_view label, std::string_view text) {
  const auto bad = [&](const std::string& why) {
    return base::MakeError(base::ErrorCode::kInvalidInput, fmt::format("PEM block {}: {}", label, why));
  };
  const std::string begin = fmt::format("-----BEGIN {}-----", label);
  const std::string end = fmt::format("-----END {}-----", label);
  std::string_view rest = TrimSpace(text);
  if (!rest.starts_with(begin)) return bad("does not begin with " + begin);
  if (!rest.ends_with(end) || rest.size() < begin.size() + end.size()) return bad("does not end with " + end);
  rest = rest.substr(begin.size(), rest.size() - begin.size() - end.size());

  std::string base64;
  bool last_line = false;
  std::size_t number = 0;
  while (!rest.empty()) {
    const std::size_t feed = rest.find('\n');
    if (feed == std::string_view::npos) return bad(fmt::format("line {} does not end", number + 1));
    std::string_view line = rest.substr(0, feed);
    rest.remove_prefix(feed + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (number++ == 0) {
      if (!line.empty()) return bad("characters follow the first line");
      continue;
    }
    if (last_line || line.empty() || line.size() > kLine)
      return bad(fmt::format("line {} has {} characters where only the last has fewer or more than {}", number,
                             line.size(), kLine));
    last_line = line.size() < kLine;
    base64 += line;
  }
  if (base64.empty()) return bad("is empty");
  auto der = base::Base64Decode(base64);
  if (!der) return std::move(der).error().Prefixed(fmt::format("PEM block {}", label));
  return der;
}

base::Result<PemBlock> OnlyPemBlock(std::string_view text, std::span<const std::string_view> labels) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kDashes = "-----";
  const auto bad = [](const std::string& why) { return base::MakeError(base::ErrorCode::kInvalidInput, why); };
  const std::size_t begin = text.find(kBegin);
  if (begin == std::string_view::npos) return bad("there is neither DER nor a PEM block");
  if (begin != 0 && text[begin - 1] != '\n') return bad("the PEM block does not begin with a line");
  const std::size_t name = begin + kBegin.size();
  const std::size_t dashes = text.find(kDashes, name);
  if (dashes == std::string_view::npos) return bad("the first line of the PEM block does not end");
  const std::string_view label = text.substr(name, dashes - name);
  if (std::ranges::find(labels, label) == labels.end())
    return bad(fmt::format("there is a PEM block {} where {} is asked for",
                           SafeText(base::AsBytes(label.substr(0, 64))), labels.front()));
  const std::string end = fmt::format("-----END {}-----", label);
  const std::size_t last = text.find(end, dashes);
  if (last == std::string_view::npos) return bad("the PEM block does not end with " + end);
  const std::size_t after = last + end.size();
  if (text.find(kBegin, after) != std::string_view::npos) return bad("there is more than one PEM block");
  return PemBlock{label, text.substr(begin, after - begin)};
}

}  // namespace ceremony::x509
