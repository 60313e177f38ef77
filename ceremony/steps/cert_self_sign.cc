#include <fmt/format.h>

#include "ceremony/steps/certificate_order.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/mechanism_needs.h"

namespace ceremony::steps {
namespace {

using script::Field;

CertificateOrder OrderOf(const script::Step& step) {
  CertificateOrder order;
  order.certificate = step.fields.Text("certificate");
  order.profile = step.fields.Text("profile");
  order.token = step.fields.Text("token");
  order.issuer_key = step.fields.Text("key");
  order.subject_key = order.issuer_key;
  order.subject = SubjectIn(step);
  order.extensions = ExtensionsIn(step);
  order.alternative_names = AlternativeNamesIn(step);
  return order;
}

class CertSelfSignKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{"cert.self-sign",
                                             "Makes the self-signed certificate of a root key: built from a profile, "
                                             "linted, compared, approved, signed, checked again.",
                                             "the TBS and the certificate as artefacts, an `observe` entry with the "
                                             "comparison, `intent` and `done` around C_Sign",
                                             "RFC 5280; BR 7.1; EN 319 411-1 6.5.3, 6.6.1"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "cert.self-sign",
        "Makes the self-signed certificate of a root key.",
        {Field::Id("token", "the token that signs").Refers(script::Reference::kToken),
         Field::Id("key", "the key that signs itself").Refers(script::Reference::kKey), ProfileField(),
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
    return fmt::format("Make the self-signed certificate {} of key {}", step.fields.Text("certificate"),
                       step.fields.Text("key"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override { CheckOrder(OrderOf(step), plan); }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    return Certify(OrderOf(step), context);
  }
};

}  // namespace

const StepKind& CertSelfSign() {
  static const CertSelfSignKind kind;
  return kind;
}

}  // namespace ceremony::steps
