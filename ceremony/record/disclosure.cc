#include "ceremony/record/disclosure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "ceremony/record/disclosure_audit.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/scanner.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/random.h"

namespace ceremony::record {

nlohmann::json MarkConfidential(nlohmann::json value) { return {{kConfidentialMark, std::move(value)}}; }

base::Result<Disclosure> Withhold(std::string_view name, const nlohmann::json& value) {
  std::array<std::uint8_t, kSaltBytes> salt;
  base::FillRandom(salt);
  return WithholdWith(salt, name, value);
}

base::Result<Disclosure> WithholdWith(base::ByteView salt, std::string_view name, const nlohmann::json& value) {
  if (salt.size() != kSaltBytes) {
    return base::MakeError(base::ErrorCode::kInternal,
                           fmt::format("a salt of {} bytes, expected {}", salt.size(), kSaltBytes));
  }
  const nlohmann::json triple = nlohmann::json::array({base::Base64UrlEncode(salt), name, value});
  KC_ASSIGN_OR_RETURN(const std::string text, CanonicaliseValue(triple));
  Disclosure disclosure;
  disclosure.d = base::Base64UrlEncode(base::AsBytes(text));
  disclosure.digest = DigestOfDisclosure(disclosure.d);
  return disclosure;
}

base::Result<OpenedDisclosure> OpenDisclosure(std::string_view d) {
  const auto corrupt = [](const char* why) { return base::MakeError(base::ErrorCode::kCorrupt, why); };
  std::string padded(d);
  if (padded.find_first_of("+/=") != std::string::npos) return corrupt("it is not unpadded base64url");
  std::replace(padded.begin(), padded.end(), '-', '+');
  std::replace(padded.begin(), padded.end(), '_', '/');
  padded.append((4 - padded.size() % 4) % 4, '=');
  const base::Result<base::Bytes> bytes = base::Base64Decode(padded);
  if (!bytes.ok()) return corrupt("it is not unpadded base64url");
  const std::string_view text = base::AsText(*bytes);
  const std::optional<std::vector<std::string_view>> parts = DecodeArray(text);
  if (!parts || parts->size() != 3) return corrupt("it is not the canonical JSON of salt, name and value");
  const std::optional<std::string> salt = DecodeString(parts->front());
  const std::optional<std::string> name = DecodeString((*parts)[1]);
  constexpr std::size_t kSaltCharacters = 22;
  if (!salt || salt->size() != kSaltCharacters || !name || name->empty()) {
    return corrupt("it has no salt of 16 bytes, or no name");
  }
  std::string_view value = (*parts)[2];
  OpenedDisclosure opened{*name, std::string(value)};
  SaltedDigest inner;
  if (FindSalted(value, inner)) return corrupt("there is a salted digest within its value");
  return opened;
}

std::string DigestOfDisclosure(std::string_view d) { return base::Base64UrlEncode(base::Sha256Of(d)); }

}  // namespace ceremony::record
