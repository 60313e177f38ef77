#include "ceremony/x509/extension_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/der_writer.h"
#include "ceremony/x509/general_name.h"
#include "ceremony/x509/oid.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

using Encoded = base::Result<std::optional<base::Bytes>>;

void WriteOid(DerWriter& writer, const std::string& type) {
  // CheckProfile has refused what is no OID.
  if (const auto content = OidContent(type)) writer.Value(tag::kOid, *content);
}

// The key identifier of the issuer; for a self-signed certificate its own.
base::Bytes IssuerKeyIdentifier(const Profile& profile, const ExtensionSources& sources) {
  if (sources.authority != nullptr) return sources.authority->key_identifier;
  if (!profile.self_signed) return {};
  for (const ExtensionRule& rule : profile.extensions) {
    if (const auto* own = std::get_if<SubjectKeyIdentifierRule>(&rule.value))
      return KeyIdentifier(sources.key_bits, own->method);
  }
  return {};
}

void WriteQualifiers(DerWriter& writer, const PolicyRule& policy) {
  if (!policy.cps_uri.empty()) {
    writer.Nested(tag::kSequence, [&] {
      writer.ObjectIdentifier(Oid::kCpsQualifier);
      writer.Text(tag::kIa5String, policy.cps_uri);
    });
  }
  if (!policy.user_notice.empty()) {
    writer.Nested(tag::kSequence, [&] {
      writer.ObjectIdentifier(Oid::kUserNoticeQualifier);
      writer.Nested(tag::kSequence, [&] { writer.Text(tag::kUtf8String, policy.user_notice); });
    });
  }
}

void WriteSubtrees(DerWriter& writer, unsigned number, const std::vector<SubtreeRule>& subtrees) {
  if (subtrees.empty()) return;
  writer.Nested(tag::ContextConstructed(number), [&] {
    for (const SubtreeRule& subtree : subtrees) {
      // CheckProfile has refused what is no name.
      const auto name = EncodeGeneralName(subtree.kind, subtree.value, "", NamePlace::kSubtree);
      if (name) writer.Value(tag::kSequence, *name);
    }
  });
}

// The value of an alternative name, of the profile or the script; nullptr when neither has one.
const std::string* NameValue(const AlternativeNameRule& name, const ExtensionSources& sources) {
  if (name.value) return &*name.value;
  if (sources.names == nullptr) return nullptr;
  const auto given = sources.names->find(std::string(GeneralNameKindName(name.kind)));
  return given == sources.names->end() ? nullptr : &given->second;
}

class Encoder final {
 public:
  Encoder(const Profile& profile, const ExtensionRule& rule, const ExtensionSources& sources)
      : profile_(profile), rule_(rule), sources_(sources) {}

  Encoded operator()(const BasicConstraintsRule& basic) const {
    DerWriter writer;
    writer.Nested(tag::kSequence, [&] {
      if (basic.ca) writer.Boolean(true);  // FALSE is the default (X.690 11.5)
      if (basic.path_length) writer.Integer(*basic.path_length);
    });
    return Done(writer);
  }

  Encoded operator()(const KeyUsageRule& usage) const {
    DerWriter writer;
    writer.NamedBits(usage.bits);
    return Done(writer);
  }

  Encoded operator()(const CertificatePoliciesRule& policies) const {
    DerWriter writer;
    writer.Nested(tag::kSequence, [&] {
      for (const PolicyRule& policy : policies.policies) {
        writer.Nested(tag::kSequence, [&] {
          WriteOid(writer, policy.oid);
          if (!policy.cps_uri.empty() || !policy.user_notice.empty())
            writer.Nested(tag::kSequence, [&] { WriteQualifiers(writer, policy); });
        });
      }
    });
    return Done(writer);
  }

  Encoded operator()(const SubjectKeyIdentifierRule& key_id) const {
    DerWriter writer;
    writer.Value(tag::kOctetString, KeyIdentifier(sources_.key_bits, key_id.method));
    return Done(writer);
  }

  Encoded operator()(const AuthorityKeyIdentifierRule& key_id) const {
    const base::Bytes identifier = IssuerKeyIdentifier(profile_, sources_);
    if (identifier.empty() && sources_.extensions == nullptr) return std::optional<base::Bytes>();
    if (identifier.empty())
      return base::Refusal("TBS-AUTHORITY-01",
                           fmt::format("profile {} needs the issuer's key identifier, which has none", profile_.name));
    const bool both = key_id.form == AuthorityKeyForm::kKeyIdentifierIssuerAndSerial;
    if (both && sources_.extensions == nullptr) return std::optional<base::Bytes>();
    if (both && (sources_.authority == nullptr || sources_.authority->serial.empty())) {
      return base::Refusal(
          "TBS-AUTHORITY-01",
          fmt::format("profile {} needs the issuer's own issuer and serial number, which were not given",
                      profile_.name));
    }
    DerWriter writer;
    writer.Nested(tag::kSequence, [&] {
      writer.Value(tag::Context(0), identifier);
      if (!both) return;
      writer.Nested(tag::ContextConstructed(1), [&] {
        writer.Nested(tag::ContextConstructed(4), [&] { writer.Raw(sources_.authority->issuer_name); });
      });
      writer.Value(tag::Context(2), sources_.authority->serial);
    });
    return Done(writer);
  }

  Encoded operator()(const ExtendedKeyUsageRule& usage) const {
    DerWriter writer;
    writer.Nested(tag::kSequence, [&] {
      for (const std::string& purpose : usage.purposes) WriteOid(writer, purpose);
    });
    return Done(writer);
  }

  Encoded operator()(const SubjectAltNameRule& names) const {
    DerWriter content;
    for (const AlternativeNameRule& name : names.names) {
      const std::string* value = NameValue(name, sources_);
      if (value == nullptr && sources_.names == nullptr) return std::optional<base::Bytes>();
      if (value == nullptr)
        return base::Refusal(
            "TBS-EXT-01",
            fmt::format("profile {} needs a {} for subjectAltName", profile_.name, GeneralNameKindName(name.kind)),
            "give it in the script");
      auto der = EncodeGeneralName(name.kind, *value, name.hardware_type, NamePlace::kName);
      if (!der) return base::Refusal("TBS-EXT-01", "subjectAltName: " + der.error().message);
      content.Raw(*der);
    }
    DerWriter writer;
    writer.Value(tag::kSequence, content.view());
    return Done(writer);
  }

  Encoded operator()(const CrlDistributionPointsRule& points) const {
    DerWriter writer;
    writer.Nested(tag::kSequence, [&] {
      for (const std::string& uri : points.uris) {
        writer.Nested(tag::kSequence, [&] {
          writer.Nested(tag::ContextConstructed(0),
                        [&] { writer.Nested(tag::ContextConstructed(0), [&] { writer.Text(tag::Context(6), uri); }); });
        });
      }
    });
    return Done(writer);
  }

  Encoded operator()(const AuthorityInfoAccessRule& access) const {
    DerWriter writer;
    writer.Nested(tag::kSequence, [&] {
      for (const AccessRule& each : access.descriptions) {
        writer.Nested(tag::kSequence, [&] {
          WriteOid(writer, each.method);
          writer.Text(tag::Context(6), each.uri);
        });
      }
    });
    return Done(writer);
  }

  Encoded operator()(const NameConstraintsRule& constraints) const {
    DerWriter writer;
    writer.Nested(tag::kSequence, [&] {
      WriteSubtrees(writer, 0, constraints.permitted);
      WriteSubtrees(writer, 1, constraints.excluded);
    });
    return Done(writer);
  }

  Encoded operator()(const RawExtensionRule& raw) const {
    if (raw.der) return std::optional(*raw.der);
    if (sources_.extensions == nullptr) return std::optional<base::Bytes>();
    const auto given = sources_.extensions->find(rule_.type);
    if (given == sources_.extensions->end()) {
      if (rule_.optional) return std::optional<base::Bytes>();
      return base::Refusal("TBS-EXT-01",
                           fmt::format("profile {} needs a value for extension {}", profile_.name, rule_.type),
                           "give it in the script as DER");
    }
    Findings findings(given->second);
    CheckDer(given->second, findings);
    if (!findings.empty()) {
      return base::Refusal("TBS-EXT-01", fmt::format("the value given for extension {} is not DER: {}", rule_.type,
                                                     findings.list().front().message));
    }
    return std::optional(given->second);
  }

 private:
  static Encoded Done(DerWriter& writer) { return std::optional(std::move(writer).Take()); }

  const Profile& profile_;
  const ExtensionRule& rule_;
  const ExtensionSources& sources_;
};

class Speller final {
 public:
  Speller(const Profile& profile, const ExtensionRule& rule, const ExtensionSources& sources)
      : profile_(profile), rule_(rule), sources_(sources) {}

  std::optional<std::string> operator()(const BasicConstraintsRule& basic) const {
    return fmt::format("{}, {}", basic.ca ? "CA" : "not a CA",
                       basic.path_length ? fmt::format("path length {}", *basic.path_length) : "no path length");
  }
  std::optional<std::string> operator()(const KeyUsageRule& usage) const { return KeyUsageText(usage.bits); }
  std::optional<std::string> operator()(const CertificatePoliciesRule& policies) const {
    std::string text;
    for (const PolicyRule& policy : policies.policies) {
      const auto known = FindOidByName(policy.oid);
      text += fmt::format("{}{}", text.empty() ? "" : ", ", known ? FactsOf(*known).name : policy.oid);
      if (!policy.cps_uri.empty()) text += fmt::format(" (CPS {})", policy.cps_uri);
      if (!policy.user_notice.empty()) text += fmt::format(" (notice \"{}\")", policy.user_notice);
    }
    return text;
  }
  std::optional<std::string> operator()(const SubjectKeyIdentifierRule& key_id) const {
    return base::HexEncode(KeyIdentifier(sources_.key_bits, key_id.method));
  }
  std::optional<std::string> operator()(const AuthorityKeyIdentifierRule& key_id) const {
    const base::Bytes identifier = IssuerKeyIdentifier(profile_, sources_);
    const bool both = key_id.form == AuthorityKeyForm::kKeyIdentifierIssuerAndSerial;
    if (identifier.empty() || (both && sources_.authority == nullptr)) return std::nullopt;
    std::string text = "key identifier " + base::HexEncode(identifier);
    if (both) {
      text += fmt::format(", issuer {}, serial {}", NameText(sources_.authority->issuer_name),
                          base::HexEncode(sources_.authority->serial));
    }
    return text;
  }
  std::optional<std::string> operator()(const ExtendedKeyUsageRule& usage) const {
    std::string text;
    for (const std::string& purpose : usage.purposes) {
      const auto known = FindOidByName(purpose);
      text += fmt::format("{}{}", text.empty() ? "" : ", ", known ? FactsOf(*known).name : purpose);
    }
    return text;
  }
  std::optional<std::string> operator()(const SubjectAltNameRule& names) const {
    std::string text;
    for (const AlternativeNameRule& name : names.names) {
      const std::string* value = NameValue(name, sources_);
      if (value == nullptr) return std::nullopt;
      text += (text.empty() ? "" : ", ") + GeneralNameRuleText(name.kind, *value, name.hardware_type);
    }
    return text;
  }
  std::optional<std::string> operator()(const CrlDistributionPointsRule& points) const {
    std::string text;
    for (const std::string& uri : points.uris) text += fmt::format("{}URI {}", text.empty() ? "" : ", ", uri);
    return text;
  }
  std::optional<std::string> operator()(const AuthorityInfoAccessRule& access) const {
    std::string text;
    for (const AccessRule& each : access.descriptions)
      text += fmt::format("{}{} URI {}", text.empty() ? "" : ", ", each.method, each.uri);
    return text;
  }
  std::optional<std::string> operator()(const NameConstraintsRule& constraints) const {
    std::string text;
    for (const auto& [word, list] :
         {std::pair("permitted", &constraints.permitted), std::pair("excluded", &constraints.excluded)}) {
      for (const SubtreeRule& each : *list)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", word, GeneralNameRuleText(each.kind, each.value, ""));
    }
    return text;
  }
  std::optional<std::string> operator()(const RawExtensionRule& raw) const {
    if (raw.der) return "DER " + base::HexEncode(*raw.der);
    if (sources_.extensions == nullptr) return std::nullopt;
    const auto given = sources_.extensions->find(rule_.type);
    return given == sources_.extensions->end() ? std::nullopt : std::optional("DER " + base::HexEncode(given->second));
  }

 private:
  const Profile& profile_;
  const ExtensionRule& rule_;
  const ExtensionSources& sources_;
};

}  // namespace

ExtensionSources SourcesOf(base::ByteView key_bits, const TbsInput* input) {
  if (input == nullptr) return {key_bits};
  return {key_bits, input->authority ? &*input->authority : nullptr, &input->extensions, &input->alternative_names};
}

Encoded EncodeExtensionValue(const Profile& profile, const ExtensionRule& rule, const ExtensionSources& sources) {
  return std::visit(Encoder(profile, rule, sources), rule.value);
}

std::optional<std::string> RuleText(const Profile& profile, const ExtensionRule& rule,
                                    const ExtensionSources& sources) {
  return std::visit(Speller(profile, rule, sources), rule.value);
}

base::ByteView KeyBitsOf(base::ByteView spki) {
  Findings findings(spki);
  DerReader outer(spki, "subjectPublicKeyInfo", findings);
  const auto sequence = outer.Take(tag::kSequence, "SubjectPublicKeyInfo");
  if (!sequence) return {};
  DerReader parts(sequence->content, "subjectPublicKeyInfo", findings);
  parts.Take(tag::kSequence, "algorithm");
  const auto bits = parts.Take(tag::kBitString, "subjectPublicKey");
  if (!bits) return {};
  const auto split = BitStringOf(bits->content);
  return split ? split->bits : base::ByteView();
}

}  // namespace ceremony::x509
