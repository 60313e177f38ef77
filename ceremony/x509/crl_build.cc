// BuildTbsCertList: the bytes of a CRL from its profile and input.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/crl.h"
#include "ceremony/x509/crl_value.h"
#include "ceremony/x509/der_writer.h"
#include "ceremony/x509/name.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

bool IsSerial(base::ByteView serial) {
  if (serial.empty() || serial.size() > 20 || (serial[0] & 0x80U) != 0) return false;
  if (serial.size() > 1 && serial[0] == 0 && (serial[1] & 0x80U) == 0) return false;
  return std::any_of(serial.begin(), serial.end(), [](std::uint8_t octet) { return octet != 0; });
}

base::Result<void> CheckUse(const CrlProfile& profile, const std::string& serial, const char* what, Use use,
                            bool given) {
  if (use == Use::kForbidden && given)
    return base::Refusal("CRL-BUILD-02", fmt::format("certificate {} is revoked with {}, which profile {} forbids",
                                                     serial, what, profile.name));
  if (use == Use::kRequired && !given)
    return base::Refusal(
        "CRL-BUILD-02",
        fmt::format("certificate {} is revoked without {}, which profile {} asks for", serial, what, profile.name),
        "give it in the script");
  return {};
}

base::Result<void> CheckRevocation(const CrlProfile& profile, const CrlInput& input, const Revocation& revocation) {
  const std::string serial = base::HexEncode(revocation.serial);
  if (!IsSerial(revocation.serial))
    return base::Refusal("CRL-BUILD-01",
                         fmt::format("\"{}\" is no serial number of a certificate: a positive INTEGER of at most 20 "
                                     "octets",
                                     serial));
  KC_RETURN_IF_ERROR(CheckUse(profile, serial, "a reason", profile.reason, revocation.reason.has_value()));
  KC_RETURN_IF_ERROR(
      CheckUse(profile, serial, "an invalidity date", profile.invalidity_date, revocation.invalid_since.has_value()));
  if (revocation.reason &&
      std::find(profile.reasons.begin(), profile.reasons.end(), *revocation.reason) == profile.reasons.end()) {
    return base::Refusal(
        "CRL-BUILD-02",
        fmt::format("certificate {} is revoked for {}, which profile {} does not allow", serial,
                    RevocationReasonName(static_cast<std::uint32_t>(*revocation.reason)), profile.name));
  }
  if (revocation.revoked_at > input.this_update) {
    return base::Refusal("CRL-BUILD-03",
                         fmt::format("certificate {} is revoked at {}, after thisUpdate {}", serial,
                                     ReadableTime(revocation.revoked_at), ReadableTime(input.this_update)));
  }
  constexpr std::int64_t kEarliest = -631152000;  // 1950
  if (revocation.revoked_at < kEarliest ||
      (revocation.invalid_since &&
       (*revocation.invalid_since < kEarliest || *revocation.invalid_since > revocation.revoked_at))) {
    return base::Refusal(
        "CRL-BUILD-03",
        fmt::format("certificate {} has a date before 1950, or was invalid only after it was revoked", serial));
  }
  return {};
}

base::Result<void> CheckInput(const CrlProfile& profile, const CrlInput& input) {
  if (const auto findings = CheckCrlProfile(profile); !findings.empty())
    return base::Refusal(std::string(findings.front().facts().id), findings.front().message);
  const bool both = profile.authority_key == AuthorityKeyForm::kKeyIdentifierIssuerAndSerial;
  const Authority& authority = input.authority;
  if (authority.name.empty() || authority.key_identifier.empty() ||
      (both && (authority.issuer_name.empty() || authority.serial.empty()))) {
    return base::Refusal("TBS-AUTHORITY-01",
                         fmt::format("profile {} needs the issuer's name and key identifier{}, which were not given",
                                     profile.name, both ? ", and its own issuer and serial number" : ""));
  }
  if (input.previous_number && input.number <= *input.previous_number) {
    return base::Refusal(
        "CRL-ORDER-01",
        fmt::format("the CRL has the number {} where {} was issued before", input.number, *input.previous_number),
        fmt::format("give it a number above {}", *input.previous_number));
  }
  std::set<base::Bytes> serials;
  for (const Revocation& revocation : input.revocations) {
    KC_RETURN_IF_ERROR(CheckRevocation(profile, input, revocation));
    if (!serials.insert(revocation.serial).second)
      return base::Refusal("CRL-BUILD-01",
                           fmt::format("certificate {} is revoked twice", base::HexEncode(revocation.serial)));
  }
  return {};
}

void WriteExtensions(DerWriter& writer, const std::vector<CrlExtensionValue>& extensions) {
  writer.Nested(tag::kSequence, [&] {
    for (const CrlExtensionValue& extension : extensions) {
      writer.Nested(tag::kSequence, [&] {
        writer.ObjectIdentifier(extension.type);
        if (extension.critical) writer.Boolean(true);
        writer.Value(tag::kOctetString, extension.der);
      });
    }
  });
}

std::string AuthorityText(const CrlProfile& profile, const Authority& authority) {
  std::string text = "key identifier " + base::HexEncode(authority.key_identifier);
  if (profile.authority_key == AuthorityKeyForm::kKeyIdentifierIssuerAndSerial)
    text += fmt::format(", issuer {}, serial {}", NameText(authority.issuer_name), base::HexEncode(authority.serial));
  return text;
}

}  // namespace

base::Result<std::int64_t> NextUpdateOf(const CrlInterval& interval, std::int64_t this_update) {
  constexpr std::int64_t kSecondsAnHour = 3600;
  if (interval.hours > 24U * 366 * 100)
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("the next update after {} hours is not within a century", interval.hours));
  // A validity ends one second before what is meant here, and lasts at least a moment.
  const std::int64_t hours = static_cast<std::int64_t>(interval.hours) * kSecondsAnHour;
  std::int64_t next = this_update;
  if (interval.years != 0 || interval.months != 0 || interval.days != 0) {
    KC_ASSIGN_OR_RETURN(const ValidityPeriod period,
                        PeriodOf(RelativeValidity{interval.years, interval.months, interval.days}, this_update));
    next = period.not_after + 1;
  }
  next += hours;
  if (next > kIndefiniteEnd || next <= this_update)
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("the next update {} after {} is not within the years 1950 to 9999",
                                       CrlIntervalText(interval), this_update));
  return next;
}

CrlExtensionValue PointValueOf(const IssuingDistributionPointRule& rule) {
  CrlExtensionValue point{Oid::kIssuingDistributionPoint, true, {}, ""};
  DerWriter writer;
  constexpr std::uint8_t kTrue = 0xff;
  writer.Nested(tag::kSequence, [&] {
    if (!rule.uri.empty()) {
      writer.Nested(tag::ContextConstructed(0), [&] {
        writer.Nested(tag::ContextConstructed(0), [&] { writer.Text(tag::Context(6), rule.uri); });
      });
    }
    if (rule.scope == CrlScope::kUserCertificates) writer.Value(tag::Context(1), {&kTrue, 1});
    if (rule.scope == CrlScope::kCaCertificates) writer.Value(tag::Context(2), {&kTrue, 1});
  });
  point.der = std::move(writer).Take();
  if (!rule.uri.empty()) point.text = "URI " + rule.uri;
  if (rule.scope != CrlScope::kAll) {
    if (!point.text.empty()) point.text += ", ";
    point.text += rule.scope == CrlScope::kCaCertificates ? "only CA certificates" : "only user certificates";
  }
  return point;
}

std::vector<CrlExtensionValue> CrlExtensionsOf(const CrlProfile& profile, const CrlInput& input) {
  std::vector<CrlExtensionValue> extensions;
  DerWriter authority;
  authority.Nested(tag::kSequence, [&] {
    authority.Value(tag::Context(0), input.authority.key_identifier);
    if (profile.authority_key == AuthorityKeyForm::kKeyIdentifier) return;
    authority.Nested(tag::ContextConstructed(1), [&] {
      authority.Nested(tag::ContextConstructed(4), [&] { authority.Raw(input.authority.issuer_name); });
    });
    authority.Value(tag::Context(2), input.authority.serial);
  });
  extensions.push_back(
      {Oid::kAuthorityKeyIdentifier, false, std::move(authority).Take(), AuthorityText(profile, input.authority)});
  DerWriter number;
  number.Integer(input.number);
  extensions.push_back({Oid::kCrlNumber, false, std::move(number).Take(), std::to_string(input.number)});
  if (profile.issuing_distribution_point) extensions.push_back(PointValueOf(*profile.issuing_distribution_point));
  return extensions;
}

std::vector<CrlExtensionValue> EntryExtensionsOf(const Revocation& revocation) {
  std::vector<CrlExtensionValue> extensions;
  if (revocation.reason) {
    const auto octet = static_cast<std::uint8_t>(*revocation.reason);
    DerWriter writer;
    writer.Value(tag::kEnumerated, {&octet, 1});
    extensions.push_back({Oid::kReasonCode, false, std::move(writer).Take(), RevocationReasonName(octet)});
  }
  if (revocation.invalid_since) {
    DerWriter writer;  // GeneralizedTime always (RFC 5280 section 5.3.2)
    writer.Text(tag::kGeneralizedTime, FormatGeneralizedTime(*revocation.invalid_since));
    extensions.push_back(
        {Oid::kInvalidityDate, false, std::move(writer).Take(), ReadableTime(*revocation.invalid_since)});
  }
  return extensions;
}

base::Result<TbsCertList> BuildTbsCertList(const CrlProfile& profile, const CrlInput& input) {
  KC_RETURN_IF_ERROR(CheckInput(profile, input));
  const auto next_update = NextUpdateOf(profile.next_update, input.this_update);
  if (!next_update) return base::Refusal("CRL-BUILD-03", next_update.error().message);
  DerWriter writer;
  writer.Nested(tag::kSequence, [&] {
    writer.Integer(1);
    writer.Raw(IdentifierOf(profile.signature_algorithm));
    writer.Raw(input.authority.name);
    writer.Time(input.this_update);
    writer.Time(*next_update);
    if (!input.revocations.empty()) {
      // Entries are gathered apart: a Nested inside a long writer moves what stands behind it.
      DerWriter entries;
      for (const Revocation& revocation : input.revocations) {
        DerWriter entry;
        entry.Value(tag::kInteger, revocation.serial);
        entry.Time(revocation.revoked_at);
        if (const auto extensions = EntryExtensionsOf(revocation); !extensions.empty())
          WriteExtensions(entry, extensions);
        entries.Value(tag::kSequence, entry.view());
      }
      writer.Value(tag::kSequence, entries.view());
    }
    writer.Nested(tag::ContextConstructed(0), [&] { WriteExtensions(writer, CrlExtensionsOf(profile, input)); });
  });
  return TbsCertList::Parse(writer.view());
}

}  // namespace ceremony::x509
