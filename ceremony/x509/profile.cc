#include "ceremony/x509/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/attribute_types.h"
#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/general_name.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/oid.h"
#include "ceremony/x509/rule_id.h"

namespace ceremony::x509 {
namespace {

constexpr std::array<std::string_view, 9> kKeyUsageNames = {"digitalSignature", "nonRepudiation", "keyEncipherment",
                                                            "dataEncipherment", "keyAgreement",   "keyCertSign",
                                                            "cRLSign",          "encipherOnly",   "decipherOnly"};

constexpr std::array<std::pair<StringEncoding, std::string_view>, 4> kEncodings = {{
    {StringEncoding::kPrintableString, "PrintableString"},
    {StringEncoding::kUtf8String, "UTF8String"},
    {StringEncoding::kIa5String, "IA5String"},
    {StringEncoding::kBitString, "BIT STRING"},
}};

template <typename T>
const T* FindRule(const Profile& profile) {
  for (const ExtensionRule& rule : profile.extensions) {
    if (const T* value = std::get_if<T>(&rule.value)) return value;
  }
  return nullptr;
}

class ProfileChecker final {
 public:
  explicit ProfileChecker(const Profile& profile) : profile_(profile), findings_({}) {}

  std::vector<Finding> Run() && {
    Subject();
    Keys();
    Period();
    Extensions();
    return std::move(findings_).Take();
  }

 private:
  void Add(RuleId rule, std::string message) {
    findings_.Add(rule, nullptr, fmt::format("profile {}: {}", profile_.name, std::move(message)));
  }

  template <typename T>
  const T* Extension() const {
    return FindRule<T>(profile_);
  }

  void Subject() {
    const auto* basic = Extension<BasicConstraintsRule>();
    const bool ca = basic != nullptr && basic->ca;
    if (ca && std::all_of(profile_.subject.begin(), profile_.subject.end(),
                          [](const AttributeRule& rule) { return rule.optional; })) {
      Add(RuleId::kProfile01, "the subject of a CA may not be empty");
    }
    for (const AttributeRule& rule : profile_.subject) {
      const auto known = FindOidByName(rule.type);
      const AttributeFacts* facts = FindAttribute(known);
      if (!known && !EncodeOid(rule.type)) {
        Add(RuleId::kProfile08,
            fmt::format("\"{}\" is no attribute type that is known, nor an object identifier", rule.type));
        continue;
      }
      if (known && facts == nullptr) Add(RuleId::kProfile08, fmt::format("\"{}\" is no attribute type", rule.type));
      if (facts != nullptr && !Allows(facts->syntax, IdentifierOf(rule.encoding))) {
        Add(RuleId::kProfile08, fmt::format("{} is a {}, the profile says {}", rule.type, SyntaxName(facts->syntax),
                                            StringEncodingName(rule.encoding)));
      }
      if (facts != nullptr && facts->most != 0 && !rule.value && rule.max_length > facts->most) {
        Add(RuleId::kProfile08, fmt::format("{} has at most {} characters, the profile allows {}", rule.type,
                                            facts->most, rule.max_length));
      }
      if (rule.value) FixedValue(rule, facts);
      const auto open = [&](const AttributeRule& other) { return other.type == rule.type && !other.value; };
      if (std::count_if(profile_.subject.begin(), profile_.subject.end(), open) > 1) {
        Add(RuleId::kProfile08,
            fmt::format("{} stands more than once without a fixed value, so that a script cannot name them apart",
                        rule.type));
      }
    }
  }

  void FixedValue(const AttributeRule& rule, const AttributeFacts* facts) {
    Profile alone;
    alone.name = profile_.name;
    alone.subject = {rule};
    alone.subject[0].max_length = facts != nullptr && facts->most != 0 ? facts->most : 32768;
    if (const auto name = BuildName(alone, {}); !name) Add(RuleId::kProfile08, name.error().message);
    if (rule.optional) Add(RuleId::kProfile08, fmt::format("{} has a fixed value and is optional", rule.type));
  }

  void Keys() {
    if (profile_.key_algorithms.empty()) Add(RuleId::kProfile09, "no key algorithm is allowed");
    for (const base::KeyAlgorithm key : profile_.key_algorithms) {
      if (profile_.self_signed && !Fits(profile_.signature_algorithm, key)) {
        Add(RuleId::kProfile04, fmt::format("an {} key cannot sign with {}", base::FactsOf(key).title,
                                            FactsOf(profile_.signature_algorithm).name));
      }
    }
  }

  void Period() {
    if (profile_.serial_octets < 8 || profile_.serial_octets > 20) {
      Add(RuleId::kProfile05,
          fmt::format("serial numbers have {} octets, 8 to 20 are allowed", profile_.serial_octets));
    }
    if (const auto period = PeriodOf(profile_.validity, 0); !period) Add(RuleId::kProfile06, period.error().message);
  }

  void Extensions() {
    std::vector<base::Bytes> seen;
    for (const ExtensionRule& rule : profile_.extensions) {
      const auto known = FindOidByName(rule.type);
      const auto content = OidContent(rule.type);
      if (!content) {
        Add(RuleId::kProfile07,
            fmt::format("\"{}\" is no extension that is known, nor an object identifier", rule.type));
        continue;
      }
      if (std::find(seen.begin(), seen.end(), *content) != seen.end())
        Add(RuleId::kProfile02, fmt::format("extension {} stands twice", rule.type));
      seen.push_back(*content);
      ExtensionValue(rule, known);
    }
    Usage();
  }

  void ExtensionValue(const ExtensionRule& rule, std::optional<Oid> known) {
    struct Visitor {
      Oid operator()(const BasicConstraintsRule&) const { return Oid::kBasicConstraints; }
      Oid operator()(const KeyUsageRule&) const { return Oid::kKeyUsage; }
      Oid operator()(const CertificatePoliciesRule&) const { return Oid::kCertificatePolicies; }
      Oid operator()(const SubjectKeyIdentifierRule&) const { return Oid::kSubjectKeyIdentifier; }
      Oid operator()(const AuthorityKeyIdentifierRule&) const { return Oid::kAuthorityKeyIdentifier; }
      Oid operator()(const ExtendedKeyUsageRule&) const { return Oid::kExtendedKeyUsage; }
      Oid operator()(const SubjectAltNameRule&) const { return Oid::kSubjectAltName; }
      Oid operator()(const CrlDistributionPointsRule&) const { return Oid::kCrlDistributionPoints; }
      Oid operator()(const AuthorityInfoAccessRule&) const { return Oid::kAuthorityInfoAccess; }
      Oid operator()(const NameConstraintsRule&) const { return Oid::kNameConstraints; }
      Oid operator()(const RawExtensionRule&) const { return Oid::kCount; }
    };
    const Oid typed = std::visit(Visitor{}, rule.value);
    const bool raw = typed == Oid::kCount;
    if (!raw && known != typed) {
      Add(RuleId::kProfile07, fmt::format("extension {} has the value of {}", rule.type, FactsOf(typed).name));
    }
    if (!raw && rule.optional)
      Add(RuleId::kProfile07,
          fmt::format("extension {} is optional, which only an extension given as DER can be", rule.type));
    if (rule.critical && (typed == Oid::kSubjectKeyIdentifier || typed == Oid::kAuthorityKeyIdentifier)) {
      Add(RuleId::kProfile07, fmt::format("extension {} must not be critical", rule.type));
    }
    if (const auto* basic = std::get_if<BasicConstraintsRule>(&rule.value);
        basic != nullptr && basic->ca && !rule.critical) {
      Add(RuleId::kProfile07, "basicConstraints of a CA must be critical");
    }
    if (const auto* key_id = std::get_if<SubjectKeyIdentifierRule>(&rule.value);
        key_id != nullptr && key_id->method != 1 && key_id->method != 2) {
      Add(RuleId::kProfile07, fmt::format("subjectKeyIdentifier has the methods 1 and 2, not {}", key_id->method));
    }
    if (const auto* raw_rule = std::get_if<RawExtensionRule>(&rule.value)) RawValue(rule, *raw_rule);
    if (const auto* policies = std::get_if<CertificatePoliciesRule>(&rule.value)) Policies(*policies);
    if (const auto* usage = std::get_if<ExtendedKeyUsageRule>(&rule.value)) Purposes(*usage);
    if (const auto* names = std::get_if<SubjectAltNameRule>(&rule.value)) AlternativeNames(*names);
    if (const auto* points = std::get_if<CrlDistributionPointsRule>(&rule.value)) {
      if (points->uris.empty()) Add(RuleId::kProfile07, "cRLDistributionPoints has no URI");
      for (const std::string& uri : points->uris) Name(GeneralNameKind::kUri, uri, "", NamePlace::kName);
    }
    if (const auto* access = std::get_if<AuthorityInfoAccessRule>(&rule.value)) Access(rule, *access);
    if (const auto* constraints = std::get_if<NameConstraintsRule>(&rule.value)) Constraints(rule, *constraints);
  }

  void RawValue(const ExtensionRule& rule, const RawExtensionRule& raw) {
    if (!raw.der) return;
    if (rule.optional)
      Add(RuleId::kProfile07, fmt::format("extension {} has a fixed value and is optional", rule.type));
    Findings findings(*raw.der);
    CheckDer(*raw.der, findings);
    if (!findings.empty())
      Add(RuleId::kProfile07, fmt::format("extension {}: {}", rule.type, findings.list().front().message));
  }

  void Policies(const CertificatePoliciesRule& rule) {
    if (rule.policies.empty()) Add(RuleId::kProfile07, "certificatePolicies has no policy");
    for (std::size_t i = 0; i < rule.policies.size(); ++i) {
      const PolicyRule& policy = rule.policies[i];
      if (!OidContent(policy.oid))
        Add(RuleId::kProfile07, fmt::format("policy \"{}\" is no object identifier", policy.oid));
      for (std::size_t j = 0; j < i; ++j) {
        if (rule.policies[j].oid == policy.oid)
          Add(RuleId::kProfile07, fmt::format("policy {} stands twice", policy.oid));
      }
      if (!policy.cps_uri.empty()) Name(GeneralNameKind::kUri, policy.cps_uri, "", NamePlace::kName);
      if (CharacterCount(tag::kUtf8String, base::AsBytes(policy.user_notice)) > 200)
        Add(RuleId::kProfile07, fmt::format("the notice of policy {} has more than 200 characters", policy.oid));
    }
  }

  void Name(GeneralNameKind kind, const std::string& value, const std::string& hardware_type, NamePlace place) {
    const auto name = EncodeGeneralName(kind, value, hardware_type, place);
    if (!name) Add(RuleId::kProfile07, name.error().message);
  }

  void AlternativeNames(const SubjectAltNameRule& rule) {
    if (rule.names.empty()) Add(RuleId::kProfile07, "subjectAltName has no name");
    std::vector<GeneralNameKind> open;
    for (const AlternativeNameRule& name : rule.names) {
      if (name.kind == GeneralNameKind::kHardwareModule && !EncodeOid(name.hardware_type))
        Add(RuleId::kProfile07, fmt::format("the hardware type \"{}\" is no object identifier", name.hardware_type));
      if (name.value) {
        Name(name.kind, *name.value, name.hardware_type, NamePlace::kName);
      } else if (std::find(open.begin(), open.end(), name.kind) != open.end()) {
        Add(RuleId::kProfile07, fmt::format("{} stands more than once without a fixed value, so that a script cannot "
                                            "name them apart",
                                            GeneralNameKindName(name.kind)));
      } else {
        open.push_back(name.kind);
      }
    }
  }

  void Access(const ExtensionRule& rule, const AuthorityInfoAccessRule& access) {
    if (rule.critical) Add(RuleId::kProfile07, "authorityInfoAccess must not be critical");
    if (access.descriptions.empty()) Add(RuleId::kProfile07, "authorityInfoAccess has no description");
    for (const AccessRule& each : access.descriptions) {
      const auto method = FindOidByName(each.method);
      if (method != Oid::kOcsp && method != Oid::kCaIssuers)
        Add(RuleId::kProfile07, fmt::format("the access method \"{}\" is neither ocsp nor caIssuers", each.method));
      Name(GeneralNameKind::kUri, each.uri, "", NamePlace::kName);
    }
  }

  void Constraints(const ExtensionRule& rule, const NameConstraintsRule& constraints) {
    const auto* basic = Extension<BasicConstraintsRule>();
    if (!rule.critical) Add(RuleId::kProfile07, "nameConstraints must be critical");
    if (basic == nullptr || !basic->ca) Add(RuleId::kProfile03, "nameConstraints stands where the subject is no CA");
    if (constraints.permitted.empty() && constraints.excluded.empty())
      Add(RuleId::kProfile07, "nameConstraints has neither permitted nor excluded names");
    for (const auto* list : {&constraints.permitted, &constraints.excluded}) {
      for (const SubtreeRule& each : *list) {
        if (each.kind == GeneralNameKind::kHardwareModule)
          Add(RuleId::kProfile07, "nameConstraints cannot hold a hardware module");
        else
          Name(each.kind, each.value, "", NamePlace::kSubtree);
      }
    }
  }

  void Purposes(const ExtendedKeyUsageRule& rule) {
    if (rule.purposes.empty()) Add(RuleId::kProfile07, "extKeyUsage has no purpose");
    for (const std::string& purpose : rule.purposes) {
      if (!OidContent(purpose))
        Add(RuleId::kProfile07, fmt::format("purpose \"{}\" is not known, nor an object identifier", purpose));
      if (std::count(rule.purposes.begin(), rule.purposes.end(), purpose) > 1)
        Add(RuleId::kProfile07, fmt::format("purpose {} stands twice", purpose));
    }
  }

  void Usage() {
    const auto* basic = Extension<BasicConstraintsRule>();
    const auto* usage = Extension<KeyUsageRule>();
    const bool ca = basic != nullptr && basic->ca;
    if (usage != nullptr && (usage->bits == 0 || usage->bits > 0x1ff))
      Add(RuleId::kProfile03, "keyUsage names no usage");
    const bool signs = usage != nullptr && (usage->bits & kKeyCertSign) != 0;
    if (signs && !ca) Add(RuleId::kProfile03, "keyUsage has keyCertSign where basicConstraints is not CA");
    if (ca && !signs) Add(RuleId::kProfile03, "basicConstraints is CA where keyUsage has no keyCertSign");
    if (basic != nullptr && basic->path_length && !(ca && signs))
      Add(RuleId::kProfile03, "a path length stands where the subject is no CA");
    if (ca && Extension<SubjectKeyIdentifierRule>() == nullptr)
      Add(RuleId::kProfile03, "a CA needs subjectKeyIdentifier");
    if (!profile_.self_signed && Extension<AuthorityKeyIdentifierRule>() == nullptr) {
      Add(RuleId::kProfile03, "a certificate that is not self-signed needs authorityKeyIdentifier");
    }
  }

  const Profile& profile_;
  Findings findings_;
};

}  // namespace

std::span<const std::string_view> KeyUsageNames() { return kKeyUsageNames; }

std::string KeyUsageText(std::uint16_t bits) {
  std::string text;
  for (std::size_t bit = 0; bit < kKeyUsageNames.size(); ++bit) {
    if ((static_cast<unsigned>(bits) >> bit & 1U) == 0) continue;
    if (!text.empty()) text += ", ";
    text += kKeyUsageNames[bit];
  }
  return text.empty() ? "(none)" : text;
}

std::string_view StringEncodingName(StringEncoding encoding) {
  for (const auto& [known, name] : kEncodings) {
    if (known == encoding) return name;
  }
  return "";
}

std::optional<StringEncoding> FindStringEncoding(std::string_view name) {
  for (const auto& [encoding, known] : kEncodings) {
    if (known == name) return encoding;
  }
  return std::nullopt;
}

std::string_view GeneralNameKindName(GeneralNameKind kind) {
  switch (kind) {
    case GeneralNameKind::kDns:
      return "dNSName";
    case GeneralNameKind::kEmail:
      return "rfc822Name";
    case GeneralNameKind::kUri:
      return "uniformResourceIdentifier";
    case GeneralNameKind::kIp:
      return "iPAddress";
    case GeneralNameKind::kHardwareModule:
      return "hardwareModuleName";
  }
  return "";
}

std::vector<Finding> CheckProfileAgainst(const Profile& profile, const Profile& issuer) {
  Findings findings({});
  const auto add = [&](RuleId rule, const std::string& message) {
    findings.Add(rule, nullptr, fmt::format("profile {} under {}: {}", profile.name, issuer.name, message));
  };
  const auto* above = FindRule<BasicConstraintsRule>(issuer);
  const auto* below = FindRule<BasicConstraintsRule>(profile);
  if (below != nullptr && below->ca && above != nullptr && above->path_length) {
    if (*above->path_length == 0) {
      add(RuleId::kProfile10, "the issuer has the path length 0, below which no CA stands");
    } else if (!below->path_length || *below->path_length >= *above->path_length) {
      add(RuleId::kProfile10,
          fmt::format("the path length is {} where the issuer has {}",
                      below->path_length ? std::to_string(*below->path_length) : "not limited", *above->path_length));
    }
  }
  // From one moment on, so that only what is longer by itself is found. Which of a date and a span ends first
  // depends on when it begins, and so is for who knows that.
  const bool is_dated = std::holds_alternative<FixedValidity>(profile.validity);
  const bool alike = is_dated == std::holds_alternative<FixedValidity>(issuer.validity) ||
                     std::holds_alternative<IndefiniteValidity>(profile.validity);
  const auto ours = PeriodOf(profile.validity, 0);
  const auto theirs = PeriodOf(issuer.validity, 0);
  if (alike && ours && theirs && ours->not_after > theirs->not_after)
    add(RuleId::kProfile11, fmt::format("valid for {} where the issuer is for {}", ValidityText(profile.validity),
                                        ValidityText(issuer.validity)));
  const auto* usage = FindRule<KeyUsageRule>(issuer);
  if (above == nullptr || !above->ca || usage == nullptr || (usage->bits & kKeyCertSign) == 0)
    add(RuleId::kProfile12, "the issuer is no CA with keyCertSign");
  if (std::none_of(issuer.key_algorithms.begin(), issuer.key_algorithms.end(),
                   [&](base::KeyAlgorithm key) { return Fits(profile.signature_algorithm, key); })) {
    add(RuleId::kProfile13,
        fmt::format("no key that the issuer may have makes {}", FactsOf(profile.signature_algorithm).name));
  }
  if (FindRule<AuthorityKeyIdentifierRule>(profile) != nullptr && FindRule<SubjectKeyIdentifierRule>(issuer) == nullptr)
    add(RuleId::kProfile15, "authorityKeyIdentifier stands where the issuer has no subjectKeyIdentifier");
  return std::move(findings).Take();
}

std::vector<Finding> CheckProfile(const Profile& profile) { return ProfileChecker(profile).Run(); }

}  // namespace ceremony::x509
