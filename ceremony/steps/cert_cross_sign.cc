#include <fmt/format.h>

#include "ceremony/steps/certificate_facts.h"
#include "ceremony/steps/certificate_order.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/mechanism_needs.h"
#include "hsm/base/encoding.h"

namespace ceremony::steps {
namespace {

using script::Field;

// Key and subject are those of the other certificate.
CertificateOrder OrderOf(const script::Step& step, const estate::Estate& estate, const script::Inputs& inputs) {
  CertificateOrder order;
  order.certificate = step.fields.Text("certificate");
  order.profile = step.fields.Text("profile");
  order.token = step.fields.Text("token");
  order.issuer = step.fields.Text("issuer");
  order.like = step.fields.Text("of");
  order.extensions = ExtensionsIn(step);
  order.alternative_names = AlternativeNamesIn(step);
  if (const estate::Certificate* issuer = estate.FindCertificate(order.issuer)) order.issuer_key = issuer->key;
  const estate::Certificate* other = estate.FindCertificate(order.like);
  const script::ProfileFile* profile = inputs.FindProfile(order.profile);
  if (other == nullptr || profile == nullptr) return order;
  order.subject_key = other->key;
  if (const auto name = base::Base64Decode(other->subject_der); name.ok() && !name->empty())
    order.subject = SubjectValuesOf(*name, profile->profile);
  return order;
}

class CertCrossSignKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "cert.cross-sign",
        "Certifies a CA that has a certificate already under another CA of the estate: the same key, the same subject "
        "byte by byte, the same key identifier.",
        "the TBS and the certificate as artefacts, an `observe` entry with the comparison, `intent` and `done` around "
        "C_Sign",
        "RFC 5280 3.2, 6.1; EN 319 411-1 6.3.3, 6.6.1"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "cert.cross-sign",
        "Certifies a CA of the estate under another one.",
        {Field::Id("token", "the token that signs").Refers(script::Reference::kToken),
         Field::Id("issuer", "the certificate of the CA that signs"),
         Field::Id("of", "a certificate of the CA that is certified: its key, subject and key identifier are repeated"),
         ProfileField(), CertificateField(), ExtensionsField(), AlternativeNamesField()},
        {}};
    return table;
  }

  std::vector<MechanismNeed> Mechanisms(const script::Step& step, const script::Inputs& inputs,
                                        const estate::Estate&) const override {
    return NeedsToCertify(step, inputs);
  }

  Approved approved() const override { return Approved::kResult; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Cross-sign {} from {} as {}", step.fields.Text("of"), step.fields.Text("issuer"),
                       step.fields.Text("certificate"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    const estate::Certificate* other = plan.estate().FindCertificate(step.fields.Text("of"));
    if (other == nullptr) {
      plan.Breach("PLAN-CERT-01", "of", fmt::format("by this step there is no certificate {}", step.fields.Text("of")),
                  "put the step that makes it before, correct the name, or give the archive with --archive");
      return;
    }
    if (other->revoked()) {
      plan.Breach("PLAN-CERT-03", "of",
                  fmt::format("certificate {} is revoked by CRL {} ({})", other->name, other->revoked_by,
                              other->revocation_reason),
                  "what is revoked under one CA is not certified under another");
    }
    CheckOrder(OrderOf(step, plan.estate(), plan.inputs()), plan);
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    CertificateOrder order = OrderOf(step, context.estate(), context.inputs());
    KC_ASSIGN_OR_RETURN(const x509::Certificate other, ReadCertificate(order.like, context));
    order.subject = SubjectValuesOf(other.tbs().subject, context.inputs().FindProfile(order.profile)->profile);
    return Certify(order, context);
  }
};

}  // namespace

const StepKind& CertCrossSign() {
  static const CertCrossSignKind kind;
  return kind;
}

}  // namespace ceremony::steps
