#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/estate/by_vendor.h"
#include "ceremony/steps/commissioning.h"
#include "ceremony/steps/consent.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/share_plan.h"
#include "ceremony/steps/token_limits.h"
#include "hsm/base/counted.h"
#include "hsm/inventory.h"
#include "hsm/login.h"
#include "hsm/pin.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

class TokenCommissionKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "token.commission",
        "Initialises a blank token, sets its PINs and shows that nothing is on it; or takes one that its maker's tool "
        "has initialised.",
        "`intent` and `done` around C_InitToken and C_InitPIN, an `observe` entry with the empty inventory; where the "
        "PINs are shared, the share files, an `observe` entry with their commitments and one for each holder's "
        "confirmation",
        "BR 5.4.1 (device life cycle); EN 319 411-1 6.5.2"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "token.commission",
        "Takes a blank token into service.",
        {Field::Id("token", "the token").Refers(script::Reference::kToken), SharesField(),
         Field::Choice(
             "method",
             {{"pkcs11", "initialised here, by PKCS#11, with PINs that are made here"},
              {estate::kByVendor, "initialised before, with its maker's own tool; it is read, and must be empty"}},
             "how the token is initialised")
             .Default("pkcs11"),
         Field::Text("procedure", "the maker's procedure, by its name and version").Optional()},
        {}};
    return table;
  }

  Approved approved() const override { return Approved::kParameters; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Take token {} into service", step.fields.Text("token"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    const std::string& name = step.fields.Text("token");
    plan.NeedsToken(name);
    plan.Takes(300);
    const script::ScriptToken* token = plan.inputs().script.FindToken(name);
    if (token == nullptr) return;
    estate::TokenCommissioned effect;
    effect.token = name;
    effect.role = script::NameOf(token->role);
    effect.domain = token->domain;
    plan.Plans(effect);
    if (!IsByVendor(step)) PlanShares(name, step.fields.Text("shares"), plan);
    if (IsByVendor(step) && !step.fields.Has("procedure")) {
      plan.Breach("PLAN-COMMISSION-01", "procedure", "a token that its maker's tool has initialised names no procedure",
                  "say which procedure people followed, by its name and version");
    }
    if (!plan.inputs().binding) return;
    if (const script::TokenBinding* bound = plan.inputs().binding->Find(name)) CheckBinding(step, *bound, plan);
    if (name == plan.inputs().binding->record_token) {
      plan.Breach("PLAN-TOKEN-04", "token",
                  fmt::format("token {} holds the log key of this very ceremony and cannot be initialised in it", name),
                  "let another token be the record_token of the binding");
    }
  }

  base::Result<void> Preflight(const script::Step& step, PreflightContext& context) const override {
    if (IsByVendor(step)) return {};
    const std::string& name = step.fields.Text("token");
    KC_ASSIGN_OR_RETURN(const BlankToken blank, context.FindBlankToken(name));
    return CheckInitialises(blank, name, context.inputs());
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const std::string& name = step.fields.Text("token");
    if (IsByVendor(step)) return TakeOver(step, context);
    KC_RETURN_IF_ERROR(CheckPossible(name, context));
    KC_RETURN_IF_ERROR(context.Approve(Title(step), {{"token", name}}));
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> token, Initialise(step, context));
    context.AdoptToken(name, token);
    return Finish(step, context, *token, token);
  }

 private:
  static bool IsByVendor(const script::Step& step) { return step.fields.Text("method") == estate::kByVendor; }

  static void CheckBinding(const script::Step& step, const script::TokenBinding& bound, PlanContext& plan) {
    if (!IsByVendor(step)) {
      if (bound.serial.empty()) return;
      plan.Breach("PLAN-TOKEN-03", "token",
                  fmt::format("token {} is to be commissioned, but the binding gives it a serial as one in service",
                              bound.name),
                  "use \"uninitialised\" in the binding, or leave the step out");
      return;
    }
    if (bound.serial.empty()) {
      plan.Breach(
          "PLAN-COMMISSION-02", "token",
          fmt::format("token {} is initialised before the ceremony, but the binding gives it no serial", bound.name),
          "give its serial number in the binding instead of \"uninitialised\"");
    }
    if (bound.login == script::Login::kShares) {
      plan.Breach(
          "PLAN-COMMISSION-03", "token",
          fmt::format("token {} has PINs of its maker's tool, and the binding says shares, which nobody has",
                      bound.name),
          "bind it with \"pin-prompt\" or \"protected-path\"; quorum.reshare gives it shares in a later ceremony");
    }
  }

  // The token is as people made it: what it is, and that it is empty, is read from it.
  static base::Result<void> TakeOver(const script::Step& step, StepContext& context) {
    const std::string& name = step.fields.Text("token");
    const std::string& procedure = step.fields.Text("procedure");
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> token, context.LocateToken(name));
    KC_RETURN_IF_ERROR(context.Approve(fmt::format("Take token {} into service", name),
                                       {{"token", name}, {"method", estate::kByVendor}, {"procedure", procedure}}));
    KC_RETURN_IF_ERROR(AskConsent(
        context, "security-officer",
        {.id = "token.commission/vendor/" + name,
         .text =
             fmt::format("Token {} (serial {}) was initialised by \"{}\", and only who may know its PINs knows them.",
                         name, token->info().serial, procedure),
         .expected = "initialised"}));
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(name));
    KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(*session));
    return Enter(context, *token, name, inventory, {{"method", estate::kByVendor}, {"procedure", procedure}});
  }

  // A token that an earlier attempt at this very step has initialised is gone
  // on with; any other token of that label is a stranger. None: it is to be initialised.
  static base::Result<std::shared_ptr<hsm::Token>> Begun(const std::string& name, StepContext& context) {
    auto found = context.LocateToken(name);
    if (!found.ok()) return std::shared_ptr<hsm::Token>();
    if (context.progress().resumed) return found;
    return base::Refusal("TOKEN-COMMISSION-01",
                         fmt::format("{} is initialised already and would be wiped", found.value()->Name()),
                         "bind a blank token, or retire this one first");
  }

  // Nobody approves, and nobody chooses a PIN for, what the token would then refuse.
  static base::Result<void> CheckPossible(const std::string& name, StepContext& context) {
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> begun, Begun(name, context));
    if (begun != nullptr) return {};
    KC_ASSIGN_OR_RETURN(const BlankToken blank, context.LocateBlankToken(name));
    return CheckInitialises(blank, name, context.inputs());
  }

  static base::Result<std::shared_ptr<hsm::Token>> Initialise(const script::Step& step, StepContext& context) {
    const std::string& name = step.fields.Text("token");
    KC_ASSIGN_OR_RETURN(std::shared_ptr<hsm::Token> begun, Begun(name, context));
    if (begun != nullptr) return begun;
    KC_ASSIGN_OR_RETURN(const BlankToken blank, context.LocateBlankToken(name));
    KC_ASSIGN_OR_RETURN(const NewPins pins, context.ChooseNewPins(name, step.fields.Text("shares")));
    const auto busy = context.terminal().ShowBusy("Initialising token " + name);
    return hsm::Token::Initialise(blank.module, blank.info.slot, blank.label, pins.security_officer, hsm::Retire::kNo);
  }

  // What the binding knows of a token that it cannot say of itself.
  static base::Result<void> Register(StepContext& context, const script::ScriptToken& planned) {
    if (!context.inputs().binding) return {};
    const script::TokenBinding* bound = context.inputs().binding->Find(planned.name);
    if (bound == nullptr) return {};
    // The tokens of a rehearsal stand nowhere: scripts say where the real ones do.
    const bool rehearsal = context.inputs().binding->environment == script::Environment::kRehearsal;
    const std::string site = rehearsal ? std::string() : bound->site;
    if (site.empty()) return {};
    return context.Achieve(estate::TokenRegistered{
        planned.name, "", "", "", "", std::string(script::NameOf(planned.role)), planned.domain, site, ""});
  }

  static base::Result<void> SetUserPin(const std::shared_ptr<hsm::Token>& token, const NewPins& pins) {
    KC_ASSIGN_OR_RETURN(hsm::LoginScope officer,
                        hsm::LoginScope::Open(token, hsm::User::kSecurityOfficer, pins.security_officer));
    KC_RETURN_IF_ERROR(hsm::InitPin(officer.session(), pins.user));
    KC_RETURN_IF_ERROR(officer.Close());
    return token->Refresh();
  }

  static base::Result<void> Finish(const script::Step& step, StepContext& context, hsm::Token& token,
                                   const std::shared_ptr<hsm::Token>& shared) {
    const std::string& name = step.fields.Text("token");
    KC_ASSIGN_OR_RETURN(const NewPins pins, context.ChooseNewPins(name, step.fields.Text("shares")));
    KC_RETURN_IF_ERROR(token.Refresh());
    if ((token.info().flags & CKF_USER_PIN_INITIALIZED) == 0) KC_RETURN_IF_ERROR(SetUserPin(shared, pins));
    base::Result<hsm::LoginScope> opened = hsm::LoginScope::Open(shared, hsm::User::kUser, pins.user);
    if (!opened.ok() && opened.error().rv == CKR_USER_PIN_NOT_INITIALIZED) {
      // The flag is not to be relied on: tpm2-pkcs11 sets it with C_InitToken. No PIN was tried.
      KC_RETURN_IF_ERROR(SetUserPin(shared, pins));
      opened = hsm::LoginScope::Open(shared, hsm::User::kUser, pins.user);
    }
    KC_ASSIGN_OR_RETURN(hsm::LoginScope user, std::move(opened));
    KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(user.session()));
    KC_RETURN_IF_ERROR(user.Close());
    KC_RETURN_IF_ERROR(Enter(context, token, name, inventory, json::object()));
    if (pins.shares) return context.Achieve(*pins.shares);
    return {};
  }

  // Enters a token into the estate that was read, and is empty.
  static base::Result<void> Enter(StepContext& context, const hsm::Token& token, const std::string& name,
                                  const hsm::Inventory& inventory, const json& how) {
    const hsm::TokenInfo& info = token.info();
    json observed = {{"what", "token-commissioned"},
                     {"token", name},
                     {"label", info.label},
                     {"serial", info.serial},
                     {"manufacturer", info.manufacturer},
                     {"model", info.model},
                     {"firmware", info.firmware_version},
                     {"inventory", inventory.sha256},
                     {"object_count", inventory.items.size()}};
    observed.update(how);
    KC_RETURN_IF_ERROR(context.Record("observe", std::move(observed)));
    if (!inventory.items.empty()) {
      return base::Refusal("TOKEN-COMMISSION-02",
                           fmt::format("{} holds {} right after it was initialised, the first is {}", token.Name(),
                                       base::Counted(inventory.items.size(), "object", "objects"),
                                       hsm::ItemName(inventory.items.front())),
                           "a new token must be empty; do not use it");
    }
    context.terminal().ShowFacts({{"token", name},
                                  {"label", info.label},
                                  {"serial", info.serial},
                                  {"maker", info.manufacturer},
                                  {"model", info.model},
                                  {"objects", "none"}});
    const script::ScriptToken& planned = *context.inputs().script.FindToken(name);
    KC_RETURN_IF_ERROR(Register(context, planned));
    return context.Achieve(estate::TokenCommissioned{name, info.label, info.serial, info.manufacturer, info.model,
                                                     info.firmware_version, std::string(script::NameOf(planned.role)),
                                                     planned.domain});
  }
};

}  // namespace

const StepKind& TokenCommission() {
  static const TokenCommissionKind kind;
  return kind;
}

}  // namespace ceremony::steps
