#include "ceremony/record/disclosure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "ceremony/record/characters.h"
#include "ceremony/record/disclosure_audit.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/scanner.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/random.h"

namespace ceremony::record {

namespace {

using nlohmann::json;

constexpr std::size_t kSaltCharacters = 22;
constexpr std::size_t kMaxDisclosure = kMaxLineBytes - std::string_view("{\"d\":\"\"}").size();

bool HoldsMark(const json& value) {
  if (!value.is_structured()) return false;
  return (value.is_object() && value.contains(kConfidentialMark)) || std::any_of(value.begin(), value.end(), HoldsMark);
}

bool IsMarked(const json& value) { return value.is_object() && value.size() == 1 && value.contains(kConfidentialMark); }

base::Result<void> WithholdMembers(json& value, std::vector<Disclosure>& made) {
  if (!value.is_structured()) return {};
  for (auto& [name, member] : value.items()) {
    if (value.is_object() && IsMarked(member)) {
      const json hidden = member[kConfidentialMark];
      if (HoldsMark(hidden)) return {};  // refused by what is left
      KC_ASSIGN_OR_RETURN(Disclosure disclosure, Withhold(name, hidden));
      member = {{kSaltedDigestKey, disclosure.digest}};
      made.push_back(std::move(disclosure));
    } else {
      KC_RETURN_IF_ERROR(WithholdMembers(member, made));
    }
  }
  return {};
}

std::optional<base::Bytes> DecodeBase64Url(std::string_view text) {
  std::string padded(text);
  if (padded.find_first_of("+/=") != std::string::npos) return std::nullopt;
  std::replace(padded.begin(), padded.end(), '-', '+');
  std::replace(padded.begin(), padded.end(), '_', '/');
  padded.append((4 - padded.size() % 4) % 4, '=');
  base::Result<base::Bytes> bytes = base::Base64Decode(padded);
  if (!bytes.ok()) return std::nullopt;
  return std::move(bytes).value();
}

bool IsSaltText(std::string_view text) {
  const std::optional<base::Bytes> salt = DecodeBase64Url(text);
  return text.size() == kSaltCharacters && salt && salt->size() == kSaltBytes;
}

}  // namespace

json MarkConfidential(json value) { return {{kConfidentialMark, std::move(value)}}; }

base::Result<void> WithholdMarked(json& fields, std::vector<Disclosure>& made) {
  KC_RETURN_IF_ERROR(WithholdMembers(fields, made));
  if (!HoldsMark(fields)) return {};
  return base::MakeError(
      base::ErrorCode::kInvalidInput,
      "a value that is to be confidential is not the value of a member: it would be entered in clear");
}

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
  if (disclosure.d.size() > kMaxDisclosure) {
    return base::MakeError(
               base::ErrorCode::kInvalidInput,
               fmt::format("the opening of the confidential field {} has {} bytes, at most {} fit in a line", name,
                           disclosure.d.size(), kMaxDisclosure))
        .WithHint("write the large value as an artefact and name its digest");
  }
  // What no verifier would open is not withheld.
  if (const auto opened = OpenDisclosure(disclosure.d); !opened.ok()) {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("the field {} cannot be confidential: {}", name, opened.error().message));
  }
  return disclosure;
}

base::Result<OpenedDisclosure> OpenDisclosure(std::string_view d) {
  const auto corrupt = [](const char* why) { return base::MakeError(base::ErrorCode::kCorrupt, why); };
  const std::optional<base::Bytes> bytes = DecodeBase64Url(d);
  if (!bytes) return corrupt("it is not unpadded base64url");
  const std::string_view text = base::AsText(*bytes);
  const std::optional<std::vector<std::string_view>> parts = DecodeArray(text);
  if (!parts || parts->size() != 3) return corrupt("it is not the canonical JSON of salt, name and value");
  const std::optional<std::string> salt = DecodeString(parts->front());
  const std::optional<std::string> name = DecodeString((*parts)[1]);
  if (!salt || !IsSaltText(*salt) || !name || !IsKey(*name)) {
    return corrupt("it has no salt of 16 bytes, or no name that can be a key");
  }
  std::string_view value = (*parts)[2];
  OpenedDisclosure opened{*name, std::string(value)};
  SaltedDigest inner;
  if (FindSalted(value, inner)) return corrupt("there is a salted digest within its value");
  return opened;
}

std::string DigestOfDisclosure(std::string_view d) { return base::Base64UrlEncode(base::Sha256Of(d)); }

}  // namespace ceremony::record
