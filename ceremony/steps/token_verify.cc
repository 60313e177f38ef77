#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "ceremony/steps/kinds.h"
#include "ceremony/steps/mechanism_needs.h"
#include "ceremony/steps/token_findings.h"
#include "hsm/describe.h"
#include "hsm/inventory.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

class TokenVerifyKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "token.verify",
        "Compares a whole token with the estate: its identity, firmware and module, what the rest of the script asks "
        "of it, every object on it.",
        "an `observe` entry with identity, module, mechanisms and inventory; where something differs, another with "
        "every finding",
        "EN 319 411-1 6.5.2; BR 5.4.1 (device life cycle)"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "token.verify",
        "Compares a whole token with the estate.",
        {Field::Id("token", "the token").Refers(script::Reference::kToken),
         Field::List("mechanisms", Field::Text("", "a mechanism").Example("\"CKM_ECDSA\""), 1, 40,
                     "mechanisms that it must have beyond those that the rest of the script asks for")
             .Unique()
             .Optional()},
        {}};
    return table;
  }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Verify token {} and everything on it", step.fields.Text("token"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.NeedsCommissionedToken(step.fields.Text("token"));
    plan.Takes(30);
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const std::string& name = step.fields.Text("token");
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(name));
    KC_ASSIGN_OR_RETURN(const TokenFacts facts, ReadTokenFacts(session->token()));
    KC_ASSIGN_OR_RETURN(const std::vector<CK_MECHANISM_TYPE> mechanisms, session->token().Mechanisms());
    KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(*session));
    std::vector<std::string> mechanism_names;
    mechanism_names.reserve(mechanisms.size());
    for (const CK_MECHANISM_TYPE mechanism : mechanisms) mechanism_names.push_back(hsm::MechanismName(mechanism));
    KC_RETURN_IF_ERROR(RecordToken(context, name, facts, mechanism_names, inventory));

    std::vector<TokenFinding> findings = CompareIdentity(*context.estate().FindToken(name), facts);
    CompareMechanisms(step, context, {mechanism_names.begin(), mechanism_names.end()}, facts.info, findings);
    for (TokenFinding& finding : CompareObjects(context.estate(), name, inventory, [&](const hsm::InventoryItem& item) {
           return context.IsLogKey(name, item);
         }))
      findings.push_back(std::move(finding));
    KC_RETURN_IF_ERROR(RefuseFindings(context, name, findings));
    KC_RETURN_IF_ERROR(context.Achieve(VerifiedAs(name, facts, inventory)));
    context.terminal().ShowFacts({{"token", name},
                                  {"serial", facts.info.serial},
                                  {"firmware", facts.info.firmware_version},
                                  {"objects", fmt::format("{}, all known", inventory.items.size())}});
    context.terminal().Say(room::Tone::kGood, fmt::format("Token {} is what the estate says it is.", name));
    return {};
  }

 private:
  static void CompareMechanisms(const script::Step& step, StepContext& context, const std::set<std::string>& has,
                                const hsm::TokenInfo& info, std::vector<TokenFinding>& findings) {
    constexpr const char* kHint = "the script cannot run on this token";
    if (step.fields.Has("mechanisms")) {
      for (const json& wanted : step.fields.List("mechanisms")) {
        const auto& mechanism = wanted.get_ref<const std::string&>();
        if (has.contains(mechanism)) continue;
        findings.push_back(
            {"TOKEN-MECH-01", fmt::format("{} does not have the mechanism {}", info.Name(), mechanism), kHint});
      }
    }
    for (const MechanismNeed& need :
         MechanismsNeeded(context.inputs(), context.estate(), step.fields.Text("token"), step.id)) {
      if (IsMet(need, has)) continue;
      findings.push_back(
          {"TOKEN-MECH-02",
           fmt::format("{} does not have the mechanism {}, which is needed {}", info.Name(), NamesOf(need), need.why),
           kHint});
    }
  }
};

}  // namespace

const StepKind& TokenVerify() {
  static const TokenVerifyKind kind;
  return kind;
}

}  // namespace ceremony::steps
