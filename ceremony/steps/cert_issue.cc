#include <fmt/format.h>

#include "ceremony/steps/certificate_order.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/mechanism_needs.h"

namespace ceremony::steps {
namespace {

using script::Field;

// The key that signs is the one of the issuer's certificate.
CertificateOrder OrderOf(const script::Step& step, const estate::Estate& estate, const script::Inputs& inputs) {
  CertificateOrder order;
  order.certificate = step.fields.Text("certificate");
  order.profile = step.fields.Text("profile");
  order.token = step.fields.Text("token");
  order.issuer = step.fields.Text("issuer");
  if (const estate::Certificate* issuer = estate.FindCertificate(order.issuer)) order.issuer_key = issuer->key;
  order.subject_key = step.fields.Text("key");
  order.subject = SubjectIn(step);
  order.extensions = ExtensionsIn(step);
  order.alternative_names = AlternativeNamesIn(step);
  const estate::Key* key = estate.FindKey(order.subject_key);
  const script::ProfileFile* profile = inputs.FindProfile(order.profile);
  if (order.alternative_names.empty() && key != nullptr && profile != nullptr)
    order.alternative_names = RequestedNames(*key, profile->profile);
  return order;
}

class CertIssueKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "cert.issue",
        "Certifies a key, made here or imported with csr.import, under a CA of the estate: built from a profile, "
        "linted, compared, approved, signed, checked again over the whole chain.",
        "the TBS and the certificate as artefacts, an `observe` entry with the comparison, `intent` and `done` around "
        "C_Sign",
        "RFC 5280; BR 7.1; EN 319 411-1 6.3.3, 6.6.1"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "cert.issue",
        "Certifies a key under a CA of the estate.",
        {Field::Id("token", "the token that signs").Refers(script::Reference::kToken),
         Field::Id("issuer", "the issuing CA's certificate: its key signs"),
         Field::Id("key", "the key that is certified").Refers(script::Reference::kKey), ProfileField(),
         CertificateField(), SubjectField(), ExtensionsField(), AlternativeNamesField()},
        {}};
    return table;
  }

  std::vector<MechanismNeed> Mechanisms(const script::Step& step, const script::Inputs& inputs,
                                        const estate::Estate&) const override {
    return NeedsToCertify(step, inputs);
  }

  Approved approved() const override { return Approved::kResult; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Issue the certificate {} for key {} from {}", step.fields.Text("certificate"),
                       step.fields.Text("key"), step.fields.Text("issuer"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    CheckOrder(OrderOf(step, plan.estate(), plan.inputs()), plan);
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    return Certify(OrderOf(step, context.estate(), context.inputs()), context);
  }
};

}  // namespace

const StepKind& CertIssue() {
  static const CertIssueKind kind;
  return kind;
}

}  // namespace ceremony::steps
