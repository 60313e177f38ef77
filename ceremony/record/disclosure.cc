#include "ceremony/record/disclosure.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "ceremony/record/entry.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/random.h"

namespace ceremony::record {

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

std::string DigestOfDisclosure(std::string_view d) { return base::Base64UrlEncode(base::Sha256Of(d)); }

}  // namespace ceremony::record
