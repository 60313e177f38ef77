#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/steps/token_kinds.h"

namespace ceremony::steps {
namespace {

using script::Field;

class TokenRoleKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "token.role", "Says what a token is for from now on: the live one, a backup, or for audit.",
        "an `observe` entry with the role before and after, and why", "EN 319 411-1 6.4.8"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{"token.role",
                                          "Says what a token is for from now on.",
                                          {Field::Id("token", "the token").Refers(script::Reference::kToken),
                                           Field::Choice("role",
                                                         {{"live", "keys are used on it"},
                                                          {"backup", "it waits for the loss of the live one"},
                                                          {"audit", "it signs what is audited"}},
                                                         "what it is for"),
                                           Field::Text("reason", "why").Example("\"the live site is out of reach\"")},
                                          {}};
    return table;
  }

  Approved approved() const override { return Approved::kParameters; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Make token {} the {} one", step.fields.Text("token"), step.fields.Text("role"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    const std::string& token = step.fields.Text("token");
    plan.NeedsCommissionedToken(token);
    plan.Takes(30);
    const estate::Token* known = plan.estate().FindToken(token);
    if (known == nullptr || !known->usable()) return;
    if (known->role == step.fields.Text("role")) {
      plan.Breach("PLAN-ROLE-01", "role",
                  fmt::format("by this step token {} is the {} one already", token, known->role),
                  "take the step out of the script");
      return;
    }
    plan.Plans(EffectOf(step));
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const std::string& name = step.fields.Text("token");
    const estate::Token* known = context.estate().FindToken(name);
    if (known == nullptr) return base::MakeError(base::ErrorCode::kNotFound, "the estate has no token " + name);
    const std::string before = known->role;
    // Who is given a role is in the room, and is the one that the estate knows.
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> located, context.LocateToken(name));
    const nlohmann::json facts = {{"token", name},
                                  {"serial", located->info().serial},
                                  {"before", before},
                                  {"role", step.fields.Text("role")},
                                  {"reason", step.fields.Text("reason")}};
    KC_RETURN_IF_ERROR(context.Approve(Title(step), facts));
    nlohmann::json fields = facts;
    fields["what"] = "token-role";
    KC_RETURN_IF_ERROR(context.Record("observe", std::move(fields)));
    context.terminal().ShowFacts({{"of", located->Name()},
                                  {"was", before},
                                  {"is now", step.fields.Text("role")},
                                  {"because", step.fields.Text("reason")}});
    return context.Achieve(EffectOf(step));
  }

 private:
  // The register has it: what it does not name stays as it is.
  static estate::TokenRegistered EffectOf(const script::Step& step) {
    estate::TokenRegistered effect;
    effect.token = step.fields.Text("token");
    effect.role = step.fields.Text("role");
    return effect;
  }
};

}  // namespace

const StepKind& TokenRole() {
  static const TokenRoleKind kind;
  return kind;
}

}  // namespace ceremony::steps
