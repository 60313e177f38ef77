#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/steps/certificate_facts.h"
#include "ceremony/steps/crl_order.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/mechanism_needs.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

constexpr std::int64_t kMostNumber = 9'007'199'254'740'991;  // of JSON integers that every reader takes

// A ceremony takes nothing off a list, and holds nothing: those two reasons are of online CAs.
std::vector<script::ChoiceName> ReasonChoices() {
  std::vector<script::ChoiceName> choices;
  for (const x509::RevocationReasonFacts& facts : x509::RevocationReasons()) {
    if (facts.reason == x509::RevocationReason::kRemoveFromCrl ||
        facts.reason == x509::RevocationReason::kCertificateHold)
      continue;
    choices.push_back({std::string(facts.name), ""});
  }
  return choices;
}

CrlOrder OrderOf(const script::Step& step, const estate::Estate& estate) {
  CrlOrder order;
  order.crl = step.fields.Text("crl");
  order.profile = step.fields.Text("profile");
  order.token = step.fields.Text("token");
  order.issuer = step.fields.Text("issuer");
  if (const estate::Certificate* issuer = estate.FindCertificate(order.issuer)) order.issuer_key = issuer->key;
  if (step.fields.Has("number")) order.number = step.fields.Integer("number");
  if (!step.fields.Has("revoke")) return order;
  for (const json& item : step.fields.List("revoke")) {
    order.revoke.push_back({item.at("certificate").get<std::string>(), item.at("reason").get<std::string>(),
                            item.value("on", std::string()), item.value("invalid_since", std::string())});
  }
  return order;
}

class CrlIssueKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "crl.issue",
        "Revokes certificates and signs the list of all that its CA has revoked: built from a profile, linted, "
        "compared, approved, signed, checked again.",
        "the TBS and the CRL as artefacts, an `observe` entry with the comparison, `intent` and `done` around C_Sign",
        "RFC 5280 5; BR 7.2; EN 319 411-1 6.3.9, 6.6.2"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "crl.issue",
        "Signs a list of revoked certificates.",
        {Field::Id("token", "the token that signs").Refers(script::Reference::kToken),
         Field::Id("issuer", "the certificate of the CA whose list it is"),
         Field::Path("profile", "the CRL profile, beside the script"),
         Field::Id("crl", "the list's name, once in the whole archive").Refers(script::Reference::kArtefact),
         Field::Integer("number", 1, kMostNumber, "its number; left out: the one after its CA's last").Optional(),
         Field::List("revoke",
                     Field::Table("",
                                  {"revocation",
                                   "One certificate that is revoked.",
                                   {Field::Id("certificate", "its name in the estate"),
                                    Field::Choice("reason", ReasonChoices(), "why (RFC 5280 section 5.3.1)"),
                                    Field::Time("on", "since when; left out: from this list on").Optional(),
                                    Field::Time("invalid_since", "since when its key is not to be trusted").Optional()},
                                   {}},
                                  "one certificate"),
                     1, 1'000, "what is revoked now; what was revoked before stays on the list by itself")
             .Optional()},
        {}};
    return table;
  }

  std::vector<MechanismNeed> Mechanisms(const script::Step& step, const script::Inputs& inputs,
                                        const estate::Estate& estate) const override {
    return NeedsToSign(step.fields.Text("token"), KeyOfCertificate(inputs, estate, step.fields.Text("issuer")), inputs,
                       estate);
  }

  Approved approved() const override { return Approved::kResult; }

  std::string Title(const script::Step& step) const override {
    std::string names;
    if (step.fields.Has("revoke")) {
      for (const json& item : step.fields.List("revoke"))
        names += (names.empty() ? ", and revoke " : ", ") + item.at("certificate").get<std::string>();
    }
    return fmt::format("Issue the CRL {} of {}{}", step.fields.Text("crl"), step.fields.Text("issuer"), names);
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    CheckCrl(OrderOf(step, plan.estate()), plan);
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    return SignCrl(OrderOf(step, context.estate()), context);
  }
};

}  // namespace

std::string CrlDer(const std::string& crl) { return "crls/" + crl + ".der"; }
std::string CrlPem(const std::string& crl) { return "crls/" + crl + ".pem"; }
std::string CrlTbs(const std::string& crl, int edition) { return "crls/" + crl + TbsSuffix(edition); }

const StepKind& CrlIssue() {
  static const CrlIssueKind kind;
  return kind;
}

}  // namespace ceremony::steps
