// The lint of CRLs: RFC 5280 section 5.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/crl.h"
#include "ceremony/x509/curves.h"
#include "ceremony/x509/lint_parts.h"

namespace ceremony::x509 {
namespace {

bool IsSerial(base::ByteView serial) {
  return serial.size() <= 20 && (serial.empty() || (serial[0] & 0x80U) == 0) &&
         std::any_of(serial.begin(), serial.end(), [](std::uint8_t octet) { return octet != 0; });
}

class CrlLinter final {
 public:
  CrlLinter(const TbsCertListView& tbs, Findings& findings) : tbs_(tbs), findings_(findings) {}

  void Run() && {
    if (tbs_.version != 2) findings_.Add(RuleId::kCrlVersion01, tbs_.whole, "the CRL is version 1");
    lint::LintAlgorithm(tbs_.signature, findings_);
    if (lint::LintName(tbs_.issuer, "issuer", findings_))
      findings_.Add(RuleId::kName01, tbs_.issuer, "the issuer is empty");
    Times();
    for (const ExtensionView& extension : tbs_.extensions()) Extension(extension);
    if (tbs_.Find(Oid::kCrlNumber) == nullptr)
      findings_.Add(RuleId::kCrlNumber01, tbs_.extensions_whole, "there is no cRLNumber");
    if (tbs_.Find(Oid::kAuthorityKeyIdentifier) == nullptr)
      findings_.Add(RuleId::kCrlAuthority01, tbs_.extensions_whole, "there is no authorityKeyIdentifier");
    Entries();
  }

 private:
  void Time(const TimeView& time, const char* field) {
    if (!time.seconds || time.identifier == tag::kUtcTime || *time.seconds >= kFirstGeneralizedTime) return;
    findings_.Add(RuleId::kTime01, time.whole,
                  fmt::format("{} is GeneralizedTime {} where UTCTime is used before 2050", field,
                              FormatGeneralizedTime(*time.seconds)));
  }

  void Times() {
    Time(tbs_.this_update, "thisUpdate");
    if (!tbs_.next_update) {
      findings_.Add(RuleId::kCrlUpdate01, tbs_.this_update.whole, "there is no nextUpdate");
      return;
    }
    Time(*tbs_.next_update, "nextUpdate");
    if (tbs_.this_update.seconds && tbs_.next_update->seconds &&
        *tbs_.next_update->seconds <= *tbs_.this_update.seconds) {
      findings_.Add(RuleId::kCrlUpdate02, tbs_.next_update->whole,
                    fmt::format("nextUpdate {} is not after thisUpdate {}", ReadableTime(*tbs_.next_update->seconds),
                                ReadableTime(*tbs_.this_update.seconds)));
    }
  }

  void Extension(const ExtensionView& extension) {
    if (!extension.known) {
      if (extension.critical)
        findings_.Add(RuleId::kCrlExtension02, extension.whole,
                      fmt::format("extension {} is critical, and verifiers that do not know it refuse the CRL",
                                  DottedOid(extension.oid)));
      return;
    }
    switch (*extension.known) {
      case Oid::kAuthorityKeyIdentifier:
        return AuthorityKeyIdentifier(extension);
      case Oid::kCrlNumber:
        return Number(extension);
      case Oid::kIssuingDistributionPoint:
        return Point(extension);
      case Oid::kDeltaCrlIndicator:
        return Delta(extension);
      case Oid::kFreshestCrl:
      case Oid::kAuthorityInfoAccess:
        if (extension.critical)
          findings_.Add(RuleId::kCrlExtension03, extension.whole,
                        fmt::format("{} is critical, which its clause forbids", FactsOf(*extension.known).name));
        return;
      case Oid::kIssuerAltName:
        return;
      default:
        findings_.Add(RuleId::kCrlExtension01, extension.whole,
                      fmt::format("{} does not belong in a CRL", FactsOf(*extension.known).name));
    }
  }

  void AuthorityKeyIdentifier(const ExtensionView& extension) {
    if (!extension.sound) return;
    DerReader reader(extension.value, "extension authorityKeyIdentifier", findings_);
    const auto sequence = reader.Take(tag::kSequence, "value");
    if (!sequence) return;
    DerReader fields(sequence->content, "extension authorityKeyIdentifier", findings_);
    const auto key = fields.TakeIf(tag::Context(0));
    const auto issuer = fields.TakeIf(tag::ContextConstructed(1));
    const auto serial = fields.TakeIf(tag::Context(2));
    fields.Finish();
    if (issuer) lint::LintGeneralNames(issuer->content, "authorityCertIssuer", findings_);
    if (serial) lint::LintImplicitInteger(*serial, "authorityCertSerialNumber", findings_);
    if (issuer.has_value() != serial.has_value())
      findings_.Add(RuleId::kAuthorityKeyId03, extension.whole,
                    "authorityKeyIdentifier has one of authorityCertIssuer and authorityCertSerialNumber without the "
                    "other");
    if (!key || key->content.empty() || extension.critical)
      findings_.Add(
          RuleId::kCrlAuthority01, extension.whole,
          extension.critical ? "authorityKeyIdentifier is critical" : "authorityKeyIdentifier has no keyIdentifier");
  }

  void Number(const ExtensionView& extension) {
    if (!extension.sound) return;
    DerReader reader(extension.value, "extension cRLNumber", findings_);
    const auto number = reader.Take(tag::kInteger, "value");
    reader.Finish();
    if (!number || number->content.empty()) return;
    const bool negative = (number->content[0] & 0x80U) != 0;
    if (extension.critical || negative || number->content.size() > 20)
      findings_.Add(RuleId::kCrlNumber01, extension.whole,
                    extension.critical ? std::string("cRLNumber is critical")
                    : negative         ? std::string("cRLNumber is negative")
                                       : fmt::format("cRLNumber has {} octets", number->content.size()));
  }

  // The content of the INTEGER that an extension is; empty when it is none.
  base::ByteView IntegerIn(const ExtensionView& extension) {
    if (!extension.sound) return {};
    DerReader reader(extension.value, "extension of a number", findings_);
    const auto number = reader.Take(tag::kInteger, "value");
    return number ? number->content : base::ByteView();
  }

  void Delta(const ExtensionView& extension) {
    if (!extension.critical) findings_.Add(RuleId::kCrlDelta01, extension.whole, "deltaCRLIndicator is not critical");
    if (tbs_.Find(Oid::kFreshestCrl) != nullptr)
      findings_.Add(RuleId::kCrlDelta01, extension.whole, "freshestCRL stands in a delta CRL");
    const base::ByteView base = IntegerIn(extension);
    const ExtensionView* own = tbs_.Find(Oid::kCrlNumber);
    const base::ByteView number = own == nullptr ? base::ByteView() : IntegerIn(*own);
    const auto above = [](base::ByteView a, base::ByteView b) {
      return a.size() != b.size() ? a.size() > b.size()
                                  : std::lexicographical_compare(b.begin(), b.end(), a.begin(), a.end());
    };
    if (!base.empty() && !number.empty() && above(base, number))
      findings_.Add(RuleId::kCrlDelta01, extension.whole,
                    fmt::format("the base of the delta CRL has the number {}, it has {} itself", HexExcerpt(base),
                                HexExcerpt(number)));
  }

  void Point(const ExtensionView& extension) {
    if (!extension.critical)
      findings_.Add(RuleId::kCrlPoint01, extension.whole, "issuingDistributionPoint is not critical");
    if (!extension.sound) return;
    DerReader reader(extension.value, "extension issuingDistributionPoint", findings_);
    const auto sequence = reader.Take(tag::kSequence, "value");
    reader.Finish();
    if (!sequence) return;
    if (sequence->content.empty())
      findings_.Add(RuleId::kCrlPoint01, extension.whole, "issuingDistributionPoint is empty");
    DerReader fields(sequence->content, "extension issuingDistributionPoint", findings_);
    if (const auto name = fields.TakeIf(tag::ContextConstructed(0)))
      lint::LintDistributionPointName(name->content, findings_);
    unsigned scopes = 0;
    bool attributes = false;
    // onlyContainsUserCerts, onlyContainsCACerts, onlySomeReasons, indirectCRL, onlyContainsAttributeCerts
    for (const unsigned number : {1U, 2U, 3U, 4U, 5U}) {
      const auto field = fields.TakeIf(tag::Context(number));
      if (!field) continue;
      if (number == 3) {
        lint::LintImplicitBitList(*field, "onlySomeReasons", findings_);
        continue;
      }
      lint::LintImplicitFlag(*field, findings_);
      if (number == 2) authorities_ = BooleanOf(field->content);
      if (number == 4) indirect_ = BooleanOf(field->content);
      if (number == 5) attributes = BooleanOf(field->content);
      if (number != 4 && BooleanOf(field->content)) ++scopes;
    }
    fields.Finish();
    if (scopes > 1)
      findings_.Add(RuleId::kCrlPoint02, extension.whole,
                    "issuingDistributionPoint says that the CRL is only of two kinds of certificates at once");
    if (attributes)
      findings_.Add(RuleId::kCrlPoint03, extension.whole,
                    "issuingDistributionPoint says that the CRL is only of attribute certificates");
  }

  void Entries() {
    Findings quiet(tbs_.whole);  // ParseCrl has reported what they say
    RevokedReader reader(tbs_.revoked, quiet);
    // What names a certificate: an indirect CRL may have one serial number of two CAs.
    struct Named {
      base::ByteView serial;
      base::ByteView issuer;
    };
    std::vector<Named> all;
    all.reserve(tbs_.revoked_count);
    while (const auto entry = reader.Next()) {
      Entry(*entry);
      all.push_back({entry->serial, entry->issuer.empty() ? tbs_.issuer : entry->issuer});
    }
    const auto less = [](base::ByteView a, base::ByteView b) {
      return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
    };
    std::stable_sort(all.begin(), all.end(), [&](const Named& a, const Named& b) {
      return std::ranges::equal(a.serial, b.serial) ? less(a.issuer, b.issuer) : less(a.serial, b.serial);
    });
    for (std::size_t i = 1; i < all.size(); ++i) {
      if (std::ranges::equal(all[i].serial, all[i - 1].serial) && std::ranges::equal(all[i].issuer, all[i - 1].issuer))
        findings_.Add(RuleId::kCrlEntry02, all[i].serial,
                      fmt::format("the certificate {} is revoked twice", HexExcerpt(all[i].serial)));
    }
  }

  void Entry(const RevokedView& entry) {
    if (!IsSerial(entry.serial))
      findings_.Add(
          RuleId::kCrlEntry01, entry.serial,
          fmt::format("the serial number {} is zero, negative or longer than 20 octets", HexExcerpt(entry.serial)));
    Time(entry.revoked_at, "revocationDate");
    if (entry.revoked_at.seconds && tbs_.this_update.seconds && *entry.revoked_at.seconds > *tbs_.this_update.seconds) {
      findings_.Add(RuleId::kCrlEntry03, entry.revoked_at.whole,
                    fmt::format("the certificate {} is revoked at {}, after thisUpdate {}", HexExcerpt(entry.serial),
                                ReadableTime(*entry.revoked_at.seconds), ReadableTime(*tbs_.this_update.seconds)));
    }
    for (const ExtensionView& extension : entry.extensions()) EntryExtension(extension);
  }

  void EntryExtension(const ExtensionView& extension) {
    const auto type = extension.known;
    const bool ours = type == Oid::kReasonCode || type == Oid::kInvalidityDate || type == Oid::kCertificateIssuer;
    if (type && !ours)
      findings_.Add(RuleId::kCrlExtension01, extension.whole,
                    fmt::format("{} does not belong in an entry of a CRL", FactsOf(*type).name));
    if (!type && extension.critical)
      findings_.Add(RuleId::kCrlExtension02, extension.whole,
                    fmt::format("extension {} of an entry is critical", DottedOid(extension.oid)));
    if ((type == Oid::kReasonCode || type == Oid::kInvalidityDate) && extension.critical)
      findings_.Add(RuleId::kCrlEntry04, extension.whole, fmt::format("{} is critical", FactsOf(*type).name));
    if (!extension.sound) return;
    if (type == Oid::kInvalidityDate) {
      DerReader reader(extension.value, "extension invalidityDate", findings_);
      const auto time = reader.TakeAny("value");
      reader.Finish();
      if (time && time->identifier != tag::kGeneralizedTime)
        findings_.Add(RuleId::kCrlEntry04, time->whole,
                      fmt::format("invalidityDate has the tag {:02x} and is no GeneralizedTime", time->identifier));
    }
    if (type == Oid::kReasonCode) Reason(extension);
    if (type == Oid::kCertificateIssuer && (!indirect_ || !extension.critical))
      findings_.Add(
          RuleId::kCrlEntry05, extension.whole,
          indirect_ ? "certificateIssuer is not critical" : "certificateIssuer stands in a CRL that is not indirect");
  }

  void Reason(const ExtensionView& extension) {
    DerReader reader(extension.value, "extension reasonCode", findings_);
    const auto value = reader.Take(tag::kEnumerated, "value");
    reader.Finish();
    if (!value) return;
    const auto number = SmallIntegerOf(value->content);
    const bool known = number && std::any_of(RevocationReasons().begin(), RevocationReasons().end(),
                                             [&](const RevocationReasonFacts& facts) {
                                               return static_cast<std::uint32_t>(facts.reason) == *number;
                                             });
    if (!known) {
      findings_.Add(RuleId::kCrlReason01, value->whole,
                    fmt::format("reasonCode {} is no reason", HexExcerpt(value->content)));
      return;
    }
    const auto reason = static_cast<RevocationReason>(*number);
    if (reason == RevocationReason::kRemoveFromCrl && tbs_.Find(Oid::kDeltaCrlIndicator) == nullptr)
      findings_.Add(RuleId::kCrlReason01, value->whole, "removeFromCRL stands in a CRL that is no delta CRL");
    if (reason == RevocationReason::kUnspecified)
      findings_.Add(RuleId::kCrlReason02, value->whole, "the reason unspecified is encoded");
    if (reason == RevocationReason::kCertificateHold && authorities_)
      findings_.Add(RuleId::kCrlReason03, value->whole, "a CA is on hold, not revoked for good");
  }

  const TbsCertListView& tbs_;
  Findings& findings_;
  bool indirect_ = false;
  bool authorities_ = false;  // it lists certificates of CAs alone
};

}  // namespace

std::vector<Finding> LintCertListBytes(base::ByteView tbs) {
  Findings findings(tbs);
  TbsCertListView view;
  if (ParseTbsCertList(tbs, view, findings)) CrlLinter(view, findings).Run();
  return std::move(findings).Take();
}

std::vector<Finding> LintCrl(base::ByteView der) {
  Findings findings(der);
  CrlView view;
  if (ParseCrl(der, view, findings)) {
    CrlLinter(view.tbs, findings).Run();
    const Curves curves;
    lint::LintSignatureParts(
        {&view.tbs.signature, &view.algorithm, view.signature, view.signature_unused_bits, nullptr}, curves, findings);
  }
  return std::move(findings).Take();
}

}  // namespace ceremony::x509
