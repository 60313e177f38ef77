#include "ceremony/x509/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/attribute_types.h"
#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/oid.h"

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
    for (const ExtensionRule& rule : profile_.extensions) {
      if (const T* value = std::get_if<T>(&rule.value)) return value;
    }
    return nullptr;
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

std::vector<Finding> CheckProfile(const Profile& profile) { return ProfileChecker(profile).Run(); }

}  // namespace ceremony::x509
