#include "ceremony/script/crl_profile.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/script/algorithm_choices.h"
#include "ceremony/script/names.h"
#include "ceremony/script/parsed.h"
#include "hsm/base/public_key.h"

namespace ceremony::script {
namespace {

using nlohmann::json;

constexpr std::array kScopes{
    Named<x509::CrlScope>{x509::CrlScope::kAll, "all", "every certificate"},
    Named<x509::CrlScope>{x509::CrlScope::kUserCertificates, "user-certificates", "those that are not of CAs"},
    Named<x509::CrlScope>{x509::CrlScope::kCaCertificates, "ca-certificates", "those of CAs: the list is an ARL"},
};

constexpr std::array kUses{
    Named<x509::Use>{x509::Use::kForbidden, "forbidden", "no entry has it"},
    Named<x509::Use>{x509::Use::kOptional, "optional", "an entry may have it"},
    Named<x509::Use>{x509::Use::kRequired, "required", "every entry has it"},
};

std::vector<ChoiceName> ReasonChoices() {
  std::vector<ChoiceName> choices;
  for (const x509::RevocationReasonFacts& facts : x509::RevocationReasons())
    choices.push_back({std::string(facts.name), ""});
  return choices;
}

x509::CrlProfile BuildProfile(const json& values) {
  x509::CrlProfile profile;
  profile.name = values.at("id");
  profile.title = values.at("title");
  profile.clause = values.at("clause");
  const json& interval = values.at("next_update");
  profile.next_update = {interval.at("years"), interval.at("months"), interval.at("days"), interval.at("hours")};
  for (const json& key : values.at("keys"))
    profile.key_algorithms.push_back(base::FindKeyAlgorithm(key.get_ref<const std::string&>())->algorithm);
  profile.signature_algorithm =
      x509::FindSignatureAlgorithm(values.at("signature").get_ref<const std::string&>())->algorithm;
  profile.authority_key = values.at("authority_key") == "keyIdentifier"
                              ? x509::AuthorityKeyForm::kKeyIdentifier
                              : x509::AuthorityKeyForm::kKeyIdentifierIssuerAndSerial;
  if (values.contains("distribution_point")) {
    const json& point = values.at("distribution_point");
    profile.issuing_distribution_point = x509::IssuingDistributionPointRule{
        ValueOf(kScopes, point.at("scope").get_ref<const std::string&>()), point.value("uri", std::string())};
  }
  for (const json& reason : values.at("reasons"))
    profile.reasons.push_back(*x509::FindRevocationReason(reason.get_ref<const std::string&>()));
  profile.reason = ValueOf(kUses, values.at("reason").get_ref<const std::string&>());
  profile.invalidity_date = ValueOf(kUses, values.at("invalidity_date").get_ref<const std::string&>());
  return profile;
}

}  // namespace

const FieldTable& CrlProfileTable() {
  static const FieldTable table{
      "crl-profile",
      "The shape of a list of revoked certificates. What it does not name, the list does not have.",
      {FormatField("keyceremony-crl-profile/1"), Field::Id("id", "the profile's id").Example("\"smki-oca-arl\""),
       Field::Shaped("version", VersionShape(), "its version").Example("\"1.0\""),
       Field::Text("title", "what it is, for people"),
       Field::Text("clause", "the clause of the certificate policy that it implements"),
       Field::Table(
           "next_update",
           {"interval",
            "How long after a list the next one comes at the latest.",
            {Field::Integer("years", 0, 100, "years").Default(0),
             Field::Integer("months", 0, 1200, "months").Default(0),
             Field::Integer("days", 0, 36600, "days").Default(0), Field::Integer("hours", 0, 8784, "hours").Default(0)},
            {}},
           "when the next list comes"),
       Field::List("keys", Field::Choice("key", KeyChoices(), "an algorithm"), 1, 20, "algorithms of the CA's key")
           .Unique(),
       Field::Choice("signature", SignatureChoices(), "how the list is signed"),
       Field::Choice("authority_key",
                     {{"keyIdentifier", "the key identifier of the CA"},
                      {"keyIdentifierIssuerAndSerial", "also the issuer and serial number of its certificate"}},
                     "what authorityKeyIdentifier holds")
           .Default("keyIdentifier"),
       Field::Table("distribution_point",
                    {"distribution point",
                     "issuingDistributionPoint, critical (RFC 5280 5.2.5).",
                     {Field::Choice("scope", ChoicesOf(kScopes), "which certificates the list is about"),
                      Field::Text("uri", "where it is published").Optional()},
                     {}},
                    "which part of the CA's certificates it is about; left out: all")
           .Optional(),
       Field::List("reasons", Field::Choice("reason", ReasonChoices(), "a reason"), 0, 10,
                   "reasons that an entry may give (RFC 5280 5.3.1)")
           .Unique()
           .DefaultJson("[]"),
       Field::Choice("reason", ChoicesOf(kUses), "whether entries have a reasonCode").Default("required"),
       Field::Choice("invalidity_date", ChoicesOf(kUses), "whether entries have an invalidityDate")
           .Default("optional")},
      {}};
  return table;
}

base::Result<CrlProfileFile> ParseCrlProfile(LoadedFile file, Problems* problems) {
  const auto build = [](const Document& document, const json& values, CrlProfileFile& profile, Problems& all) {
    profile.profile = BuildProfile(values);
    profile.version = values.at("version");
    for (const x509::Finding& finding : x509::CheckCrlProfile(profile.profile)) {
      AddProblem(document, document.root(), PlaceOf::kValue, finding.facts().id, finding.message,
                 fmt::format("{}: {}", finding.facts().clause, finding.facts().title), all);
    }
  };
  return Parsed<CrlProfileFile>(CrlProfileTable(), std::move(file), problems, build);
}

}  // namespace ceremony::script
