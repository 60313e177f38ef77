#include "ceremony/steps/certificate_order.h"

#include <nlohmann/json.hpp>

#include "ceremony/steps/certificate_facts.h"
#include "hsm/base/encoding.h"

namespace ceremony::steps {
namespace {

using script::Field;

const script::Shape& TypeShape() {
  static const script::Shape shape{"attribute", script::Pattern::Parse("[A-Za-z0-9.]{1,64}").value(),
                                   "a subject attribute: CN, OU or a dotted OID"};
  return shape;
}

const script::Shape& ExtensionShape() {
  static const script::Shape shape{"extension", script::Pattern::Parse("[A-Za-z0-9.]{1,64}").value(),
                                   "an extension, as the profile spells it: a name or a dotted OID"};
  return shape;
}

const script::Shape& NameKindShape() {
  static const script::Shape shape{
      "name-kind",
      script::Pattern::Parse("dNSName|rfc822Name|uniformResourceIdentifier|iPAddress|hardwareModuleName").value(),
      "a kind of name: dNSName, rfc822Name, uniformResourceIdentifier, iPAddress or hardwareModuleName"};
  return shape;
}

}  // namespace

Field ProfileField() {
  return Field::Id("profile", "the profile, as the script names it").Refers(script::Reference::kProfile);
}

Field CertificateField() {
  return Field::Id("certificate", "the certificate's name, once in the whole archive")
      .Refers(script::Reference::kArtefact);
}

Field SubjectField() {
  return Field::Map("subject", TypeShape(), Field::Text("", "its value"), 1, 10,
                    "values for the subject's attributes that the profile leaves open")
      .Optional();
}

Field ExtensionsField() {
  return Field::Map("extensions", ExtensionShape(),
                    Field::Shaped("", script::HexShape(), "its value").Length(2, 16'384), 1, 10,
                    "values, as DER in hexadecimal, for extensions that the profile leaves open")
      .Optional();
}

Field AlternativeNamesField() {
  return Field::Map("alternative_names", NameKindShape(), Field::Text("", "its value").Length(1, 1'000), 1, 10,
                    "values for the alternative names that the profile leaves open; an EUI-64 is 16 lowercase "
                    "hexadecimal digits; left out for an imported key: those that its request asks for")
      .Optional();
}

x509::SubjectValues SubjectIn(const script::Step& step) {
  x509::SubjectValues values;
  if (!step.fields.Has("subject")) return values;
  for (const auto& [type, value] : step.fields.Object("subject").items()) values[type] = value.get<std::string>();
  return values;
}

x509::OpenExtensions ExtensionsIn(const script::Step& step) {
  x509::OpenExtensions values;
  if (!step.fields.Has("extensions")) return values;
  for (const auto& [type, value] : step.fields.Object("extensions").items()) {
    // The field's shape lets nothing but pairs of digits through.
    values[type] = base::HexDecode(value.get<std::string>()).value();
  }
  return values;
}

x509::AlternativeNames AlternativeNamesIn(const script::Step& step) {
  x509::AlternativeNames names;
  if (!step.fields.Has("alternative_names")) return names;
  for (const auto& [kind, value] : step.fields.Object("alternative_names").items())
    names[kind] = value.get<std::string>();
  return names;
}

x509::AlternativeNames RequestedNames(const estate::Key& key, const x509::Profile& profile) {
  const auto value = base::Base64Decode(key.owner.alternative_name_der);
  if (!value.ok() || value->empty()) return {};
  auto names = x509::AlternativeNamesOf(profile, *value);
  return names.ok() ? *std::move(names) : x509::AlternativeNames();
}

std::string CertificateDer(const std::string& certificate) { return "certificates/" + certificate + ".der"; }
std::string CertificatePem(const std::string& certificate) { return "certificates/" + certificate + ".pem"; }
std::string CertificateTbs(const std::string& certificate, int edition) {
  return "certificates/" + certificate + TbsSuffix(edition);
}

}  // namespace ceremony::steps
