#include "ceremony/x509/lint_smki.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/profile.h"
#include "ceremony/x509/rule_id.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509::lint {
namespace {

// Arcs of the organisation and the device policies, as they begin a policy's OID.
constexpr std::array<std::uint8_t, 9> kOrganisationArc = {0x2a, 0x86, 0x3a, 0x00, 0x01, 0x84, 0x8f, 0xb9, 0x0f};
constexpr std::array<std::uint8_t, 8> kDeviceArc = {0x2a, 0x86, 0x3a, 0x00, 0x01, 0xed, 0xee, 0x40};
// The policy of the infrastructure hierarchy, 1.2.826.0.1.8641679.1.2.1.5, whose profiles are others and not public.
constexpr std::array<std::uint8_t, 13> kInfrastructurePolicy = {0x2a, 0x86, 0x3a, 0x00, 0x01, 0x84, 0x8f,
                                                                0xb9, 0x0f, 0x01, 0x02, 0x01, 0x05};

struct Role {
  std::string_view code;
  std::string_view title;
};
constexpr std::string_view kRootRole = "00";
constexpr std::string_view kIssuerRole = "07";
constexpr std::array<Role, 10> kRoles = {{
    {kRootRole, "root"},
    {"01", "recovery"},
    {"02", "supplier"},
    {"03", "network operator"},
    {"04", "access control broker"},
    {"05", "transitional change of supplier"},
    {"06", "wide area network provider"},
    {kIssuerRole, "issuer"},
    {"08", "load controller"},
    {"7F", "other"},
}};
const Role* FindRole(std::string_view code) {
  const auto role = std::find_if(kRoles.begin(), kRoles.end(), [&](const Role& each) { return each.code == code; });
  return role == kRoles.end() ? nullptr : &*role;
}

constexpr std::size_t kEuiOctets = 8;
constexpr std::size_t kSerialOctets = 16;
constexpr std::size_t kMostCaName = 4;

class SmkiLinter final {
 public:
  SmkiLinter(const TbsView& tbs, const ExtensionSummary& summary, Findings& findings)
      : tbs_(tbs), summary_(summary), findings_(findings), root_(summary.ca && IsSelfIssued(tbs)) {}

  void Run() && {
    Common();
    Subject();
    if (summary_.ca) {
      if (!root_ && summary_.path_length != 0U)
        findings_.Add(RuleId::kSmkiBasic01, tbs_.Find(Oid::kBasicConstraints)->whole,
                      fmt::format("an issuing CA has {} where path length 0 must be",
                                  summary_.path_length ? fmt::format("path length {}", *summary_.path_length)
                                                       : "no path length"));
      return;
    }
    EndEntity();
  }

 private:
  void Common() {
    const ExtensionView* policies = tbs_.Find(Oid::kCertificatePolicies);
    if (policies == nullptr || !policies->critical)
      findings_.Add(RuleId::kSmkiPolicy01, policies == nullptr ? tbs_.extensions_whole : policies->whole,
                    policies == nullptr ? "there is no certificatePolicies" : "certificatePolicies is not critical");
    KeyIdentifiers();
    const Header curve = ReadElement(tbs_.spki.algorithm.parameters);
    if (FindOid(tbs_.spki.algorithm.oid) != Oid::kEcPublicKey || FindOid(curve.element.content) != Oid::kP256)
      findings_.Add(RuleId::kSmkiKey01, tbs_.spki.algorithm.whole,
                    fmt::format("the key is {} where EC P-256 must be", OidText(tbs_.spki.algorithm.oid)));
    if (FindOid(tbs_.signature.oid) != Oid::kEcdsaSha256)
      findings_.Add(
          RuleId::kSmkiAlgorithm01, tbs_.signature.whole,
          fmt::format("the signature algorithm is {} where ecdsa-with-SHA256 must be", OidText(tbs_.signature.oid)));
    const std::size_t padded = tbs_.serial.size() == kSerialOctets + 1 && tbs_.serial[0] == 0 ? 1 : 0;
    if (tbs_.serial.size() - padded != kSerialOctets)
      findings_.Add(RuleId::kSmkiSerial01, tbs_.serial,
                    fmt::format("the serial number has {} octets where {} must be", tbs_.serial.size(), kSerialOctets));
    for (const Oid oid : {Oid::kCrlDistributionPoints, Oid::kAuthorityInfoAccess, Oid::kExtendedKeyUsage}) {
      if (const ExtensionView* extension = tbs_.Find(oid))
        findings_.Add(RuleId::kSmkiExtension01, extension->whole,
                      fmt::format("there is {}, which no smart metering certificate has", FactsOf(oid).name));
    }
  }

  void KeyIdentifiers() {
    const ExtensionView* subject = tbs_.Find(Oid::kSubjectKeyIdentifier);
    const std::size_t size = subject == nullptr ? 0 : ReadElement(subject->value).element.content.size();
    if (size != kEuiOctets)
      findings_.Add(RuleId::kSmkiKeyId01, subject == nullptr ? tbs_.extensions_whole : subject->whole,
                    subject == nullptr
                        ? std::string("there is no subjectKeyIdentifier")
                        : fmt::format("subjectKeyIdentifier has {} octets where {} must be", size, kEuiOctets));
    const ExtensionView* authority = tbs_.Find(Oid::kAuthorityKeyIdentifier);
    if (authority == nullptr) return;  // X509-AKI-01 speaks where it must be there
    const base::ByteView content = ReadElement(authority->value).element.content;
    const Header first = ReadElement(content);
    const bool alone = first.element.identifier == tag::Context(0) && first.element.whole.size() == content.size();
    if (root_ || !alone)
      findings_.Add(RuleId::kSmkiKeyId02, authority->whole,
                    root_ ? "a root has authorityKeyIdentifier" : "authorityKeyIdentifier is not keyIdentifier alone");
  }

  void Subject() {
    NameReader reader(tbs_.subject);
    std::array<base::ByteView, 8> seen;
    std::size_t count = 0;
    bool identified = false;
    while (const auto attribute = reader.Next()) {
      const auto type = FindOid(attribute->type);
      if (std::any_of(seen.begin(), seen.begin() + static_cast<std::ptrdiff_t>(count), [&](base::ByteView before) {
            return std::equal(before.begin(), before.end(), attribute->type.begin(), attribute->type.end());
          })) {
        findings_.Add(RuleId::kSmkiName03, attribute->whole,
                      fmt::format("the subject has {} twice", OidText(attribute->type)));
      } else if (count < seen.size()) {
        seen[count++] = attribute->type;
      }
      if (type == Oid::kOrganizationalUnit) LintRole(*attribute);
      if (type == Oid::kCommonName && summary_.ca && attribute->value.size() > kMostCaName)
        findings_.Add(RuleId::kSmkiName03, attribute->whole,
                      fmt::format("the common name {} of a CA has {} characters, {} are the most",
                                  AttributeValueText(*attribute), attribute->value.size(), kMostCaName));
      if (type == Oid::kUniqueIdentifier) {
        identified = true;
        LintIdentifier(*attribute);
      }
    }
    const bool empty = count == 0;
    if (!summary_.ca && !empty && !identified)
      findings_.Add(RuleId::kSmkiEui01, tbs_.subject,
                    "the subject of an organisation has no unique identifier with its EUI-64");
  }

  void LintRole(const AttributeView& attribute) {
    const std::string_view code = base::AsText(attribute.value);
    const Role* role = FindRole(code);
    if (role == nullptr) {
      findings_.Add(RuleId::kSmkiName01, attribute.whole,
                    fmt::format("the organisational unit {} is no role", AttributeValueText(attribute)));
      return;
    }
    const bool of_root = code == kRootRole;
    const bool of_issuer = code == kIssuerRole;
    const bool fits = !summary_.ca ? !of_root && !of_issuer : root_ ? of_root : of_issuer;
    if (!fits)
      findings_.Add(RuleId::kSmkiName02, attribute.whole,
                    fmt::format("{} has the role {} ({})",
                                !summary_.ca ? "an end entity"
                                : root_      ? "a root"
                                             : "an issuing CA",
                                code, role->title));
  }

  void LintIdentifier(const AttributeView& attribute) {
    const auto bits = attribute.encoding == tag::kBitString ? BitStringOf(attribute.value) : std::nullopt;
    if (!bits || bits->unused != 0 || bits->bits.size() != kEuiOctets) {
      findings_.Add(RuleId::kSmkiEui01, attribute.whole,
                    fmt::format("the unique identifier {} is no BIT STRING of 64 bits", HexExcerpt(attribute.value)));
      return;
    }
    LintEui(bits->bits);
  }

  void LintEui(base::ByteView eui) {
    const bool zeros = std::all_of(eui.begin(), eui.end(), [](std::uint8_t octet) { return octet == 0x00; });
    const bool ones = std::all_of(eui.begin(), eui.end(), [](std::uint8_t octet) { return octet == 0xff; });
    if (zeros || ones || (eui[0] & 0x01U) != 0)
      findings_.Add(RuleId::kSmkiEui02, eui,
                    fmt::format("the EUI-64 {} is {}", base::HexEncode(eui),
                                zeros  ? "all zeros"
                                : ones ? "all ones"
                                       : "a group's, not one entity's"));
  }

  void EndEntity() {
    if (const ExtensionView* basic = tbs_.Find(Oid::kBasicConstraints))
      findings_.Add(RuleId::kSmkiBasic01, basic->whole, "an end entity has basicConstraints");
    const ExtensionView* usage = tbs_.Find(Oid::kKeyUsage);
    const std::uint16_t bits = summary_.key_usage.value_or(0);
    if (bits != kDigitalSignature && bits != kKeyAgreement)
      findings_.Add(RuleId::kSmkiUsage01, usage == nullptr ? tbs_.extensions_whole : usage->whole,
                    fmt::format("keyUsage of an end entity is {} where digitalSignature or keyAgreement must be",
                                bits == 0 ? "nothing" : KeyUsageText(bits)));
    const bool device = ReadElement(tbs_.subject).element.content.empty();
    if (!device) return;
    if (tbs_.not_after.seconds && *tbs_.not_after.seconds != kIndefiniteEnd)
      findings_.Add(RuleId::kSmkiTime01, tbs_.not_after.whole,
                    fmt::format("the certificate of a device ends at {} where 99991231235959Z must be",
                                FormatGeneralizedTime(*tbs_.not_after.seconds)));
    Device();
  }

  void Device() {
    const ExtensionView* names = tbs_.Find(Oid::kSubjectAltName);
    if (names == nullptr || !names->critical) return;  // X509-NAME-03 has said so
    // SubjectAltName, one otherName, hardwareModuleName, hwSerialNum.
    base::ByteView rest = ReadElement(names->value).element.content;
    const Header other = ReadElement(rest);
    const base::ByteView parts = other.element.content;
    const Header type = ReadElement(parts);
    const bool named = other.element.identifier == tag::ContextConstructed(0) &&
                       FindOid(type.element.content) == Oid::kHardwareModuleName;
    if (!named || other.element.whole.size() != rest.size()) {
      findings_.Add(RuleId::kSmkiDevice01, names->whole,
                    named ? "subjectAltName of a device has more than its hardwareModuleName"
                          : "subjectAltName of a device does not begin with hardwareModuleName");
      return;
    }
    const Header value = ReadElement(parts.subspan(type.element.whole.size()));
    const Header module = ReadElement(value.element.content);
    const base::ByteView fields = module.element.content;
    const Header hardware = ReadElement(fields);
    const Header serial = ReadElement(fields.subspan(hardware.element.whole.size()));
    if (hardware.element.identifier != tag::kOid || serial.element.identifier != tag::kOctetString ||
        serial.element.content.size() != kEuiOctets) {
      findings_.Add(RuleId::kSmkiEui01, names->whole,
                    fmt::format("hwSerialNum of hardwareModuleName is {} where an OCTET STRING of 8 octets must be",
                                serial.element.whole.empty() ? "missing" : HexExcerpt(serial.element.whole)));
      return;
    }
    LintEui(serial.element.content);
  }

  const TbsView& tbs_;
  const ExtensionSummary& summary_;
  Findings& findings_;
  bool root_;
};

}  // namespace

bool IsSmki(const TbsView& tbs) {
  if (NamesPolicyBelow(tbs, kInfrastructurePolicy)) return false;
  return NamesPolicyBelow(tbs, kOrganisationArc) || NamesPolicyBelow(tbs, kDeviceArc);
}

void LintSmki(const TbsView& tbs, const ExtensionSummary& summary, Findings& findings) {
  SmkiLinter(tbs, summary, findings).Run();
}

}  // namespace ceremony::x509::lint
