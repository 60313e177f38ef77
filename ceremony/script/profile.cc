#include "ceremony/script/profile.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/script/algorithm_choices.h"
#include "ceremony/script/names.h"
#include "ceremony/script/parsed.h"
#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/rule_id.h"
#include "ceremony/x509/signature_algorithm.h"
#include "hsm/base/encoding.h"
#include "hsm/base/public_key.h"

namespace ceremony::script {
namespace {

using nlohmann::json;
using x509::RuleId;

constexpr std::array kEncodings{
    Named<x509::StringEncoding>{x509::StringEncoding::kPrintableString, "PrintableString",
                                "letters, digits, space and '()+,-./:=?"},
    Named<x509::StringEncoding>{x509::StringEncoding::kUtf8String, "UTF8String", "any characters"},
    Named<x509::StringEncoding>{x509::StringEncoding::kIa5String, "IA5String", "ASCII"},
    Named<x509::StringEncoding>{x509::StringEncoding::kBitString, "BIT STRING",
                                "the value is pairs of hexadecimal digits"},
};

std::vector<ChoiceName> UsageChoices() {
  std::vector<ChoiceName> choices;
  for (const std::string_view name : x509::KeyUsageNames()) choices.push_back({std::string(name), ""});
  return choices;
}

FieldTable AttributeTable() {
  return {
      "attribute",
      "One attribute of the subject, in an RDN of its own.",
      {Field::Text("type", "its type: CN, OU, O, C, ..., a name of X.520, or an object identifier")
           .Length(1, 120)
           .Example("\"CN\""),
       Field::Choice("encoding", ChoicesOf(kEncodings), "how the value is encoded"),
       Field::Text("value", "the value, fixed; without it the script of the ceremony gives one")
           .Length(1, 1000)
           .Optional(),
       Field::Integer("max_length", 1, 32768, "most characters (bits of a BIT STRING) of a value that the script gives")
           .Default(64),
       Field::Boolean("optional", "whether the script may leave it out").Default(false)},
      {}};
}

Field ValidityField() {
  return Field::Variant(
      "validity", Field::Text("lasts", "how long"),
      {{"relative",
        "From the moment of the ceremony on, exactly so long, both ends included (RFC 5280 4.1.2.5).",
        {Field::Integer("years", 0, 1000, "years").Default(0), Field::Integer("months", 0, 1200, "months").Default(0),
         Field::Integer("days", 0, 36600, "days").Default(0)},
        {}},
       {"fixed",
        "Between two moments.",
        {Field::Time("not_before", "its first second"), Field::Time("not_after", "its last second")},
        {}},
       {"indefinite", "From the moment of the ceremony on, without a known end: to 99991231235959Z.", {}, {}}},
      "how long the certificate is valid");
}

// One extension type: its value's fields, and whether it is critical.
FieldTable ExtensionTable(std::string name, std::string help, std::vector<Field> value) {
  value.insert(value.begin(),
               Field::Boolean("critical", "whether a verifier that does not know it must refuse the certificate"));
  return {std::move(name), std::move(help), std::move(value), {}};
}

constexpr std::array kNameKinds{
    Named<x509::GeneralNameKind>{x509::GeneralNameKind::kDns, "dNSName", "a host or domain"},
    Named<x509::GeneralNameKind>{x509::GeneralNameKind::kEmail, "rfc822Name", "an address of electronic mail"},
    Named<x509::GeneralNameKind>{x509::GeneralNameKind::kUri, "uniformResourceIdentifier", "a URI"},
    Named<x509::GeneralNameKind>{x509::GeneralNameKind::kIp, "iPAddress", "an address, IPv4 or IPv6"},
    Named<x509::GeneralNameKind>{x509::GeneralNameKind::kHardwareModule, "hardwareModuleName",
                                 "otherName of RFC 4108, its serial number an EUI-64"},
};

FieldTable AlternativeNameTable() {
  return {"name",
          "One alternative name.",
          {Field::Choice("kind", ChoicesOf(kNameKinds), "what kind of name"),
           Field::Text("value", "the name, fixed; without it the script of the ceremony gives one").Optional(),
           Field::Shaped("hardware_type", OidShape(), "the type of a hardwareModuleName").Optional()},
          {}};
}

FieldTable SubtreeTable() {
  return {"subtree",
          "Names that have this one at their end, or addresses of this network.",
          {Field::Choice("kind", ChoicesOf(kNameKinds), "what kind of name"),
           Field::Text("value", "the name, or the network with its prefix length").Example("\"192.0.2.0/24\"")},
          {}};
}

FieldTable AccessTable() {
  return {"access",
          "One place where something of the issuer is found.",
          {Field::Choice("method", {{"ocsp", "the OCSP responder"}, {"caIssuers", "the issuer's certificate"}}, "what"),
           Field::Text("uri", "where")},
          {}};
}

Field ExtensionField() {
  const auto policy = [] {
    return Field::Table(
        "policy",
        {"policy",
         "One certificate policy.",
         {Field::Shaped("oid", OidShape(), "the policy"),
          Field::Text("cps", "URI of the practice statement").Optional(),
          Field::Text("notice", "a notice to whoever relies on the certificate, as explicitText").Optional()},
         {}},
        "a policy");
  };
  return Field::Variant(
      "extension", Field::Text("type", "the extension"),
      {ExtensionTable("basicConstraints", "RFC 5280 4.2.1.9.",
                      {Field::Boolean("ca", "whether the subject is a CA"),
                       Field::Integer("path_length", 0, 255, "most CA certificates that may follow").Optional()}),
       ExtensionTable(
           "keyUsage", "RFC 5280 4.2.1.3.",
           {Field::List("usage", Field::Choice("usage", UsageChoices(), "a usage"), 1, 9, "what the key is for")
                .Unique()}),
       ExtensionTable("certificatePolicies", "RFC 5280 4.2.1.4.",
                      {Field::List("policies", policy(), 1, 50, "the policies, in this order")}),
       ExtensionTable("subjectKeyIdentifier",
                      "RFC 5280 4.2.1.2: method 1 is SHA-1 of the key, method 2 is 0100 and its last 60 bits.",
                      {Field::Integer("method", 1, 2, "which method")}),
       ExtensionTable(
           "authorityKeyIdentifier", "RFC 5280 4.2.1.1.",
           {Field::Choice("form",
                          {{"keyIdentifier", "the key identifier of the issuer"},
                           {"keyIdentifierIssuerAndSerial", "also the issuer and serial number of its certificate"}},
                          "what it holds")
                .Default("keyIdentifier")}),
       ExtensionTable(
           "extKeyUsage", "RFC 5280 4.2.1.12.",
           {Field::List("purposes", Field::Text("purpose", "a name such as serverAuth, or an object identifier"), 1, 50,
                        "the purposes, in this order")
                .Unique()}),
       ExtensionTable("subjectAltName", "RFC 5280 4.2.1.6.",
                      {Field::List("names", Field::Table("name", AlternativeNameTable(), "a name"), 1, 100,
                                   "the names, in this order")}),
       ExtensionTable(
           "cRLDistributionPoints", "RFC 5280 4.2.1.13: a distribution point for each URI.",
           {Field::List("uris", Field::Text("uri", "where a CRL is found"), 1, 20, "URIs, in this order").Unique()}),
       ExtensionTable("authorityInfoAccess", "RFC 5280 4.2.2.1.",
                      {Field::List("access", Field::Table("access", AccessTable(), "a description"), 1, 20,
                                   "the descriptions, in this order")}),
       ExtensionTable("nameConstraints", "RFC 5280 4.2.1.10.",
                      {Field::List("permitted", Field::Table("subtree", SubtreeTable(), "a name"), 0, 100,
                                   "names that certificates below may have")
                           .DefaultJson("[]"),
                       Field::List("excluded", Field::Table("subtree", SubtreeTable(), "a name"), 0, 100,
                                   "names that they may not have")
                           .DefaultJson("[]")}),
       ExtensionTable(
           "other", "Any extension, its value as DER.",
           {Field::Text("extension", "its name or object identifier").Length(1, 120),
            Field::Shaped("der", HexShape(), "what extnValue holds; without it the script gives it").Optional(),
            Field::Boolean("optional", "whether it is left out when the script gives no value").Default(false)})},
      "an extension");
}

x509::Validity BuildValidity(const json& value) {
  const std::string lasts = value.at("lasts");
  if (lasts == "indefinite") return x509::IndefiniteValidity{};
  if (lasts == "relative") return x509::RelativeValidity{value.at("years"), value.at("months"), value.at("days")};
  // The shape of a time is checked: 2026-11-21T05:17:45Z has its digits where GeneralizedTime has them, too.
  const auto seconds = [](std::string text) {
    std::erase_if(text, [](char c) { return c == '-' || c == ':' || c == 'T'; });
    return x509::ParseGeneralizedTime(text).value_or(0);
  };
  return x509::FixedValidity{seconds(value.at("not_before")), seconds(value.at("not_after"))};
}

x509::KeyUsageRule BuildUsage(const json& value) {
  x509::KeyUsageRule rule;
  const auto names = x509::KeyUsageNames();
  for (const json& usage : value.at("usage")) {
    for (std::size_t bit = 0; bit < names.size(); ++bit) {
      if (names[bit] == usage.get_ref<const std::string&>())
        rule.bits = static_cast<std::uint16_t>(rule.bits | 1U << bit);
    }
  }
  return rule;
}

x509::ExtensionRule BuildExtension(const json& value) {
  x509::ExtensionRule rule;
  rule.type = value.at("type");
  rule.critical = value.at("critical");
  if (rule.type == "basicConstraints") {
    x509::BasicConstraintsRule basic{value.at("ca"), std::nullopt};
    if (value.contains("path_length")) basic.path_length = value.at("path_length").get<unsigned>();
    rule.value = basic;
  } else if (rule.type == "keyUsage") {
    rule.value = BuildUsage(value);
  } else if (rule.type == "certificatePolicies") {
    x509::CertificatePoliciesRule policies;
    for (const json& policy : value.at("policies"))
      policies.policies.push_back({policy.at("oid"), policy.value("cps", ""), policy.value("notice", "")});
    rule.value = std::move(policies);
  } else if (rule.type == "subjectKeyIdentifier") {
    rule.value = x509::SubjectKeyIdentifierRule{value.at("method")};
  } else if (rule.type == "authorityKeyIdentifier") {
    const bool alone = value.at("form") == "keyIdentifier";
    rule.value = x509::AuthorityKeyIdentifierRule{alone ? x509::AuthorityKeyForm::kKeyIdentifier
                                                        : x509::AuthorityKeyForm::kKeyIdentifierIssuerAndSerial};
  } else if (rule.type == "extKeyUsage") {
    rule.value = x509::ExtendedKeyUsageRule{value.at("purposes").get<std::vector<std::string>>()};
  } else if (rule.type == "subjectAltName") {
    x509::SubjectAltNameRule names;
    for (const json& name : value.at("names")) {
      x509::AlternativeNameRule each{ValueOf(kNameKinds, name.at("kind").get_ref<const std::string&>()), std::nullopt,
                                     name.value("hardware_type", "")};
      if (name.contains("value")) each.value = name.at("value").get<std::string>();
      names.names.push_back(std::move(each));
    }
    rule.value = std::move(names);
  } else if (rule.type == "cRLDistributionPoints") {
    rule.value = x509::CrlDistributionPointsRule{value.at("uris").get<std::vector<std::string>>()};
  } else if (rule.type == "authorityInfoAccess") {
    x509::AuthorityInfoAccessRule access;
    for (const json& each : value.at("access")) access.descriptions.push_back({each.at("method"), each.at("uri")});
    rule.value = std::move(access);
  } else if (rule.type == "nameConstraints") {
    const auto subtrees = [&](const char* member) {
      std::vector<x509::SubtreeRule> list;
      for (const json& each : value.at(member))
        list.push_back({ValueOf(kNameKinds, each.at("kind").get_ref<const std::string&>()), each.at("value")});
      return list;
    };
    rule.value = x509::NameConstraintsRule{subtrees("permitted"), subtrees("excluded")};
  } else {
    rule.type = value.at("extension");
    rule.optional = value.at("optional");
    x509::RawExtensionRule raw;
    if (value.contains("der")) raw.der = base::HexDecode(value.at("der").get_ref<const std::string&>()).value();
    rule.value = std::move(raw);
  }
  return rule;
}

x509::Profile BuildProfile(const json& values) {
  x509::Profile profile;
  profile.name = values.at("id");
  profile.title = values.at("title");
  profile.clause = values.at("clause");
  profile.kind = values.at("certificate");
  profile.self_signed = values.at("self_signed");
  for (const json& value : values.at("subject")) {
    x509::AttributeRule rule{value.at("type"), ValueOf(kEncodings, value.at("encoding").get_ref<const std::string&>()),
                             std::nullopt, value.at("max_length"), value.at("optional")};
    if (value.contains("value")) rule.value = value.at("value").get<std::string>();
    profile.subject.push_back(std::move(rule));
  }
  profile.validity = BuildValidity(values.at("validity"));
  profile.serial_octets = values.at("serial_octets");
  for (const json& key : values.at("keys"))
    profile.key_algorithms.push_back(base::FindKeyAlgorithm(key.get_ref<const std::string&>())->algorithm);
  profile.signature_algorithm =
      x509::FindSignatureAlgorithm(values.at("signature").get_ref<const std::string&>())->algorithm;
  for (const json& value : values.at("extensions")) profile.extensions.push_back(BuildExtension(value));
  return profile;
}

// The member of the file that a rule of x509::CheckProfile is about.
std::string_view MemberOf(RuleId rule) {
  switch (rule) {
    case RuleId::kProfile01:
    case RuleId::kProfile08:
      return "subject";
    case RuleId::kProfile04:
      return "signature";
    case RuleId::kProfile05:
      return "serial_octets";
    case RuleId::kProfile06:
      return "validity";
    case RuleId::kProfile09:
      return "keys";
    default:
      return "extensions";
  }
}

void AddContradictions(const Document& document, const x509::Profile& profile, Problems& problems) {
  for (const x509::Finding& finding : x509::CheckProfile(profile)) {
    const Node* node = document.root().Find(MemberOf(finding.rule));
    AddProblem(document, node == nullptr ? document.root() : *node, PlaceOf::kValue, finding.facts().id,
               finding.message, fmt::format("{}: {}", finding.facts().clause, finding.facts().title), problems);
  }
}

}  // namespace

const FieldTable& ProfileTable() {
  static const FieldTable table{
      "profile",
      "The shape of a certificate. What it does not name, the certificate does not have.",
      {FormatField("keyceremony-profile/1"), Field::Id("id", "the profile's id").Example("\"smki-root-oca\""),
       Field::Shaped("version", VersionShape(), "its version").Example("\"1.0\""),
       Field::Text("title", "what it is, for people"),
       Field::Text("clause", "the clause of the certificate policy that it implements"),
       Field::Id("certificate", "the kind of certificate, by which the policy limits validity").Example("\"root\""),
       Field::Boolean("self_signed", "whether the key certifies itself"),
       Field::List("subject", Field::Table("attribute", AttributeTable(), "an attribute"), 0, 20,
                   "the subject, in this order"),
       ValidityField(),
       Field::Integer("serial_octets", 8, 20, "octets of the serial number, from the token's random number generator")
           .Default(16),
       Field::List("keys", Field::Choice("key", KeyChoices(), "an algorithm"), 1, 20, "algorithms of the subject's key")
           .Unique(),
       Field::Choice("signature", SignatureChoices(), "how the certificate is signed"),
       Field::List("extensions", ExtensionField(), 0, 30, "the extensions, in this order")},
      {}};
  return table;
}

base::Result<ProfileFile> ParseProfile(LoadedFile file, Problems* problems) {
  const auto build = [](const Document& document, const json& values, ProfileFile& profile, Problems& all) {
    profile.profile = BuildProfile(values);
    profile.version = values.at("version");
    AddContradictions(document, profile.profile, all);
  };
  return Parsed<ProfileFile>(ProfileTable(), std::move(file), problems, build);
}

base::Result<ProfileFile> ReadProfile(const std::string& path, Problems* problems) {
  KC_ASSIGN_OR_RETURN(LoadedFile file, LoadFile(path));
  return ParseProfile(std::move(file), problems);
}

}  // namespace ceremony::script
