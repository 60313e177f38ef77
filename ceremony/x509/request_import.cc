// ImportRequest: a request of somebody else, held to the profile that is to answer it.
#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/attribute_types.h"
#include "ceremony/x509/certificate.h"
#include "ceremony/x509/extension_value.h"
#include "ceremony/x509/issue_parts.h"
#include "ceremony/x509/pem.h"
#include "ceremony/x509/request.h"
#include "ceremony/x509/weak_key.h"
#include "hsm/base/encoding.h"
#include "hsm/base/rsa_numbers.h"

namespace ceremony::x509 {
namespace {

// Under either label (RFC 7468 7), and with the explanations that certtool and certutil write before it.
base::Result<Request> FromPem(std::string_view text) {
  constexpr std::string_view kLabels[] = {"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"};
  KC_ASSIGN_OR_RETURN(const PemBlock block, OnlyPemBlock(text, kLabels));
  KC_ASSIGN_OR_RETURN(const base::Bytes der, PemDecode(block.label, block.text));
  return Request::Parse(der);
}

base::Result<Request> Read(base::ByteView file) {
  if (file.size() > kMostRequestOctets)
    return base::Refusal("CSR-SIZE-01", fmt::format("the certification request has {} octets, {} are the most",
                                                    file.size(), kMostRequestOctets));
  // Findings carry their own rule; only what is no request at all needs one.
  auto request = !file.empty() && file[0] == tag::kSequence ? Request::Parse(file) : FromPem(base::AsText(file));
  if (request.ok()) return request;
  base::Error error = std::move(request).error();
  const std::string rule = error.rule.empty() ? "CSR-FORM-01" : error.rule;
  return base::Refusal(rule, error.message, "ask for a PKCS#10 request in DER or PEM");
}

// With another exponent the same modulus would be another SubjectPublicKeyInfo, and so look like another key.
base::Result<void> HasTheOneExponent(const base::PublicKey& key) {
  const base::Bytes exponent = base::RsaNumbersOf(key).exponent;
  if (exponent.empty() || exponent == base::Bytes{0x01, 0x00, 0x01}) return {};
  return base::Refusal(
      "CSR-KEY-02",
      fmt::format("the RSA key has the exponent {} where 65537 is taken, so that one modulus is one key",
                  HexExcerpt(exponent)),
      "have a key made with the exponent 65537");
}

const ExtensionRule* FindRule(const Profile& profile, const ExtensionView& extension) {
  for (const ExtensionRule& rule : profile.extensions) {
    const auto type = OidContent(rule.type);
    if (type.ok() && std::ranges::equal(*type, extension.oid)) return &rule;
  }
  return nullptr;
}

// What a request says where its profile says nothing.
struct Open {
  OpenExtensions extensions;
  AlternativeNames names;
};

base::Result<Open> CheckExtensions(const Profile& profile, const Request& request) {
  Open open;
  const ExtensionSources sources{KeyBitsOf(request.info().spki.whole)};
  for (const ExtensionView& extension : request.info().extensions()) {
    const std::string name = OidText(extension.oid);
    const ExtensionRule* rule = FindRule(profile, extension);
    if (rule == nullptr)
      return base::Refusal("CSR-EXT-01", fmt::format("the request asks for extension {} ({}), which profile {} does "
                                                     "not have",
                                                     name, ExtensionText(extension), profile.name));
    const auto differs = [&](const std::string& says) {
      return base::Refusal(
          "CSR-EXT-02", fmt::format("the request asks for extension {} \"{}{}\" where profile {} says \"{}{}\"", name,
                                    extension.critical ? "critical, " : "", ExtensionText(extension), profile.name,
                                    rule->critical ? "critical, " : "", says));
    };
    KC_ASSIGN_OR_RETURN(const std::optional<base::Bytes> value, EncodeExtensionValue(profile, *rule, sources));
    const std::string says = RuleText(profile, *rule, sources).value_or("a value of the script");
    if (rule->critical != extension.critical) return differs(says);
    if (value && !std::ranges::equal(*value, extension.value)) return differs(says);
    if (std::holds_alternative<AuthorityKeyIdentifierRule>(rule->value)) return differs("the issuer's to say");
    if (value) continue;
    if (std::holds_alternative<RawExtensionRule>(rule->value)) {
      open.extensions.emplace(rule->type, base::ToBytes(extension.value));
      continue;
    }
    auto names = AlternativeNamesOf(profile, extension.value);
    if (!names.ok()) {
      return base::Refusal("CSR-EXT-02", fmt::format("the request asks for the alternative names \"{}\": {}",
                                                     ExtensionText(extension), names.error().message));
    }
    open.names = *std::move(names);
  }
  return open;
}

}  // namespace

base::Result<SubjectValues> SubjectValuesOf(const Profile& profile, base::ByteView name) {
  SubjectValues values;
  NameReader reader(name);
  auto attribute = reader.Next();
  for (const AttributeRule& rule : profile.subject) {
    const auto type = OidContent(rule.type);
    const bool here = attribute && type.ok() && attribute->first_of_rdn && std::ranges::equal(attribute->type, *type);
    if (!here) continue;  // BuildName says what is missing
    if (!rule.value) {
      const bool bits = rule.encoding == StringEncoding::kBitString && !attribute->value.empty();
      values.emplace(rule.type,
                     bits ? base::HexEncode(attribute->value.subspan(1)) : std::string(base::AsText(attribute->value)));
    }
    attribute = reader.Next();
  }
  const auto refuse = [&](const std::string& why) {
    return base::Refusal("CSR-SUBJECT-01",
                         fmt::format("the subject {} is not one of profile {}: {}", NameText(name), profile.name, why));
  };
  const auto built = BuildName(profile, values);
  if (!built) return refuse(built.error().message);
  if (!std::ranges::equal(*built, name)) return refuse("the profile would make it " + NameText(*built));
  return values;
}

base::Result<ImportedRequest> ImportRequest(base::ByteView file, const Profile& profile) {
  KC_ASSIGN_OR_RETURN(Request request, Read(file));
  if (const auto findings = LintRequestProof(request.der()); !findings.empty())
    return parts::RefusedBy("certification request", findings);
  auto key = request.SubjectKey();
  if (!key) return base::Refusal("CSR-KEY-01", "certification request: " + key.error().message);
  KC_RETURN_IF_ERROR(CheckKeyAllowed(profile, key->algorithm()));
  KC_RETURN_IF_ERROR(HasTheOneExponent(*key));
  KC_RETURN_IF_ERROR(RefuseWeakKey(*key));
  if (const auto possession = request.VerifyPossession(); !possession)
    return base::Refusal("CSR-POSSESSION-01",
                         "the request does not prove that its sender has the key: " + possession.error().message);
  if (const auto read = OpensslReadsRequest(request.der(), RequestCheck::kDecodeAndVerify); !read)
    return base::Refusal("OPENSSL-02", "certification request: " + read.error().message);
  KC_ASSIGN_OR_RETURN(SubjectValues subject, SubjectValuesOf(profile, request.info().subject));
  KC_ASSIGN_OR_RETURN(Open open, CheckExtensions(profile, request));
  return ImportedRequest(std::move(request), *std::move(key), std::move(subject), std::move(open.extensions),
                         std::move(open.names));
}

}  // namespace ceremony::x509
