#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/steps/token_kinds.h"

namespace ceremony::steps {
namespace {

using script::Field;

class TokenRegisterKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "token.register", "Enters a token into the register: ordered, or what it cannot say of itself.",
        "an `observe` entry with the facts", "BR 5.4.1 (device life cycle); EN 319 411-1 6.5.2"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "token.register",
        "Enters a token into the register of the fleet. Role and PKI domain are those of the script's token; what is "
        "left out stays as it is.",
        {Field::Id("token", "the token").Refers(script::Reference::kToken),
         Field::Text("manufacturer", "who makes it, as the token will say").Optional(),
         Field::Text("model", "its model, as the token will say").Optional(),
         Field::Text("serial", "its serial number, as the token will say").Optional(),
         Field::Text("fips", "number of its FIPS 140 certificate").Example("\"4703\"").Optional(),
         Field::Text("site", "where it stands; left out while it is only ordered").Optional(),
         Field::Text("order", "the order, or its number as an asset").Example("\"PO-2026-117\"").Optional()},
        {}};
    return table;
  }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Enter token {} into the register", step.fields.Text("token"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.NeedsToken(step.fields.Text("token"));
    plan.Takes(30);
    if (plan.inputs().script.FindToken(step.fields.Text("token")) != nullptr)
      plan.Plans(EffectOf(step, plan.inputs().script));
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const estate::TokenRegistered effect = EffectOf(step, context.inputs().script);
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "token-registered"},
                                                  {"token", effect.token},
                                                  {"manufacturer", effect.manufacturer},
                                                  {"model", effect.model},
                                                  {"serial", effect.serial},
                                                  {"fips", effect.fips},
                                                  {"site", effect.site},
                                                  {"order", effect.order}}));
    KC_RETURN_IF_ERROR(context.Achieve(effect));
    const estate::Token& token = *context.estate().FindToken(effect.token);
    context.terminal().ShowFacts({{"token", token.name},
                                  {"state", token.state},
                                  {"maker, model", token.manufacturer + ", " + token.model},
                                  {"FIPS 140 certificate", token.fips},
                                  {"site", token.site},
                                  {"order", token.order}});
    return {};
  }

 private:
  static estate::TokenRegistered EffectOf(const script::Step& step, const script::Script& script) {
    const script::ScriptToken& token = *script.FindToken(step.fields.Text("token"));
    return {token.name,
            step.fields.TextOr("manufacturer", ""),
            step.fields.TextOr("model", ""),
            step.fields.TextOr("serial", ""),
            step.fields.TextOr("fips", ""),
            std::string(script::NameOf(token.role)),
            token.domain,
            step.fields.TextOr("site", ""),
            step.fields.TextOr("order", "")};
  }
};

}  // namespace

const StepKind& TokenRegister() {
  static const TokenRegisterKind kind;
  return kind;
}

}  // namespace ceremony::steps
