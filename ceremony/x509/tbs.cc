#include "ceremony/x509/tbs.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/der_writer.h"
#include "ceremony/x509/extension_value.h"
#include "ceremony/x509/issue_parts.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

base::Result<void> CheckSerial(const Profile& profile, base::ByteView serial) {
  const bool positive = !serial.empty() && (serial[0] & 0x80U) == 0 &&
                        std::any_of(serial.begin(), serial.end(), [](std::uint8_t octet) { return octet != 0; });
  const bool minimal = serial.size() < 2 || serial[0] != 0 || (serial[1] & 0x80U) != 0;
  if (positive && minimal && serial.size() == profile.serial_octets) return {};
  return base::Refusal(
      "TBS-SERIAL-01",
      fmt::format("serial number {} where profile {} asks for a positive one of exactly {} octets",
                  serial.empty() ? "(empty)" : base::HexEncode(serial), profile.name, profile.serial_octets));
}

base::Result<void> CheckInput(const Profile& profile, const TbsInput& input) {
  if (const auto findings = CheckProfile(profile); !findings.empty()) {
    return base::Refusal(std::string(findings.front().facts().id), findings.front().message);
  }
  KC_RETURN_IF_ERROR(CheckKeyAllowed(profile, input.subject_key.algorithm()));
  if (profile.self_signed == input.authority.has_value()) {
    return base::Refusal("TBS-AUTHORITY-01",
                         fmt::format("profile {} is {}self-signed, and an issuer was {}given", profile.name,
                                     profile.self_signed ? "" : "not ", input.authority ? "" : "not "));
  }
  KC_RETURN_IF_ERROR(CheckOpenValues(profile, input.extensions, input.alternative_names));
  return CheckSerial(profile, input.serial);
}

}  // namespace

struct Tbs::State {
  base::Bytes der;
  TbsView view;
};

base::Bytes SerialFromRandom(base::ByteView random) {
  base::Bytes serial = base::ToBytes(random);
  if (!serial.empty()) serial[0] = static_cast<std::uint8_t>((serial[0] & 0x3fU) | 0x40U);
  return serial;
}

base::Bytes KeyIdentifier(base::ByteView public_key_bits, unsigned method) {
  base::Bytes digest = base::DigestOf(base::DigestAlgorithm::kSha1, public_key_bits);
  if (method == 1) return digest;
  base::Bytes last(digest.end() - 8, digest.end());
  last[0] = static_cast<std::uint8_t>((last[0] & 0x0fU) | 0x40U);
  return last;
}

base::Result<Tbs> Tbs::Parse(base::ByteView bytes) {
  KC_ASSIGN_OR_RETURN(auto state, parts::Parsed<State>("to-be-signed certificate", bytes, ParseTbs));
  return Tbs(std::move(state));
}

base::ByteView Tbs::der() const { return state_->der; }
const TbsView& Tbs::view() const { return state_->view; }
base::Sha256Digest Tbs::Digest() const { return base::Sha256Of(base::ByteView(state_->der)); }

base::Result<void> CheckKeyAllowed(const Profile& profile, base::KeyAlgorithm algorithm) {
  if (std::find(profile.key_algorithms.begin(), profile.key_algorithms.end(), algorithm) ==
      profile.key_algorithms.end()) {
    std::string allowed;
    for (const base::KeyAlgorithm key : profile.key_algorithms)
      allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", base::FactsOf(key).title);
    return base::Refusal("TBS-KEY-01", fmt::format("the key is {} where profile {} allows {}",
                                                   base::FactsOf(algorithm).title, profile.name, allowed));
  }
  return {};
}

base::Result<Tbs> BuildTbs(const Profile& profile, const TbsInput& input) {
  KC_RETURN_IF_ERROR(CheckInput(profile, input));
  KC_ASSIGN_OR_RETURN(const base::Bytes subject, BuildName(profile, input.subject));
  auto period = PeriodOf(profile.validity, input.not_before);
  if (!period) return base::Refusal("TBS-TIME-01", period.error().message);

  // Extensions first: they are what can still be refused.
  const ExtensionSources sources = SourcesOf(KeyBitsOf(input.subject_key.spki()), &input);
  DerWriter extensions;
  for (const ExtensionRule& rule : profile.extensions) {
    KC_ASSIGN_OR_RETURN(const std::optional<base::Bytes> value, EncodeExtensionValue(profile, rule, sources));
    if (!value) continue;
    KC_ASSIGN_OR_RETURN(const base::Bytes type, OidContent(rule.type));
    extensions.Nested(tag::kSequence, [&] {
      extensions.Value(tag::kOid, type);
      if (rule.critical) extensions.Boolean(true);
      extensions.Value(tag::kOctetString, *value);
    });
  }

  const bool has_extensions = !extensions.view().empty();
  DerWriter writer;
  writer.Nested(tag::kSequence, [&] {
    if (has_extensions) writer.Nested(tag::ContextConstructed(0), [&] { writer.Integer(2); });
    writer.Value(tag::kInteger, input.serial);
    writer.Raw(IdentifierOf(profile.signature_algorithm));
    writer.Raw(input.authority ? base::ByteView(input.authority->name) : base::ByteView(subject));
    writer.Nested(tag::kSequence, [&] {
      writer.Time(period->not_before);
      writer.Time(period->not_after);
    });
    writer.Raw(subject);
    writer.Raw(input.subject_key.spki());
    if (!has_extensions) return;
    writer.Nested(tag::ContextConstructed(3),
                  [&] { writer.Nested(tag::kSequence, [&] { writer.Raw(extensions.view()); }); });
  });
  return Tbs::Parse(writer.view());
}

}  // namespace ceremony::x509
