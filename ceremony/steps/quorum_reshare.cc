#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/steps/kinds.h"
#include "ceremony/steps/share_plan.h"
#include "ceremony/steps/token_limits.h"
#include "hsm/cryptoki.h"
#include "hsm/login.h"
#include "hsm/pin.h"

namespace ceremony::steps {
namespace {

using quorum::Pin;
using script::Field;

hsm::User UserOf(Pin pin) { return pin == Pin::kUser ? hsm::User::kUser : hsm::User::kSecurityOfficer; }

class QuorumReshareKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "quorum.reshare",
        "Gives a token new PINs and the quorum new shares of them; the shares that there were open nothing any more. "
        "The PINs of a token that has no shares yet are typed for the last time.",
        "`observe` entries with the commitment of each new share, each holder's confirmation, who gave an old share, "
        "and each PIN before and after it changes; `intent` and `done` around C_SetPIN; the share files",
        "BR 5.2.2 (multi-person control); EN 319 411-1 6.5.2, 6.5.4"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "quorum.reshare",
        "Shares the PINs of a token anew, among the members that the quorum has now.",
        {Field::Id("token", "the token").Refers(script::Reference::kToken), SharesField()},
        {}};
    return table;
  }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Give token {} new PINs, shared among the quorum {}", step.fields.Text("token"),
                       step.fields.Text("shares"));
  }

  Approved approved() const override { return Approved::kParameters; }

  void Check(const script::Step& step, PlanContext& plan) const override {
    const std::string& name = step.fields.Text("token");
    plan.NeedsCommissionedToken(name);
    plan.Takes(300);
    if (!plan.inputs().binding) return;
    const script::TokenBinding* bound = plan.inputs().binding->Find(name);
    if (bound != nullptr && bound->login != script::Login::kShares) {
      plan.Breach("PLAN-SHARES-04", "token",
                  fmt::format("the binding logs in to token {} with {}, and shares are for a token of login shares",
                              name, script::NameOf(bound->login)),
                  "bind it with \"shares\", if its PINs are shared");
      return;
    }
    PlanShares(name, step.fields.Text("shares"), plan);
  }

  base::Result<void> Preflight(const script::Step& step, PreflightContext& context) const override {
    KC_ASSIGN_OR_RETURN(const auto token, context.FindToken(step.fields.Text("token")));
    if (token == nullptr) return {};  // token.commission holds it to the same policy
    return CheckTakesPins(token->info(), token->quirks(), context.inputs().policy.pin);
  }

  // The new set is confirmed by everybody before a PIN changes, and each PIN is
  // entered before and after it changes. So whenever this is cut off, either the
  // old shares or the new ones open the token, and trying the new PIN once says which.
  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const std::string& name = step.fields.Text("token");
    const std::string& quorum = step.fields.Text("shares");
    KC_RETURN_IF_ERROR(context.Approve(Title(step), {{"token", name}, {"shares", quorum}}));
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> token, context.LocateToken(name));
    KC_ASSIGN_OR_RETURN(const NewPins pins, context.ChooseNewPins(name, quorum));
    if (!pins.shares) return base::MakeError(base::ErrorCode::kInternal, "new PINs of a shared token have no shares");
    KC_RETURN_IF_ERROR(context.EndSession(name));
    KC_RETURN_IF_ERROR(Change(context, name, token, Pin::kUser, pins.user, pins.shares->set));
    KC_RETURN_IF_ERROR(Change(context, name, token, Pin::kSecurityOfficer, pins.security_officer, pins.shares->set));
    context.terminal().ShowFacts(
        {{"token", name},
         {"opens with", fmt::format("{} of {} shares", pins.shares->m, pins.shares->holders.size())},
         {"set", pins.shares->set},
         {"generation", std::to_string(pins.shares->generation)}});
    return context.Achieve(*pins.shares);
  }

 private:
  static base::Result<void> LogInOnce(const std::shared_ptr<hsm::Token>& token, Pin pin,
                                      const base::SecretBytes& with) {
    KC_RETURN_IF_ERROR(token->Refresh());
    KC_ASSIGN_OR_RETURN(hsm::LoginScope scope, hsm::LoginScope::Open(token, UserOf(pin), with));
    return scope.Close();
  }

  // IsSet tells whether an attempt that was cut off has set the new PIN; one try says it.
  static base::Result<bool> IsSet(const StepContext& context, const std::shared_ptr<hsm::Token>& token, Pin pin,
                                  const base::SecretBytes& fresh, const std::string& set) {
    const Progress::PinChange* change = context.progress().FindPinChange(set, quorum::PinName(pin));
    if (change == nullptr) return false;
    if (change->changed) return true;
    const auto tried = LogInOnce(token, pin, fresh);
    if (tried.ok()) return true;
    if (tried.error().rv == CKR_PIN_INCORRECT) return false;
    return tried.error();
  }

  static base::Result<void> Change(StepContext& context, const std::string& name,
                                   const std::shared_ptr<hsm::Token>& token, Pin pin, const base::SecretBytes& fresh,
                                   const std::string& set) {
    const nlohmann::json about = {{"token", name}, {"set", set}, {"pin", quorum::PinName(pin)}};
    const auto record = [&](const char* what) -> base::Result<void> {
      nlohmann::json fields = about;
      fields["what"] = what;
      KC_RETURN_IF_ERROR(context.Record("observe", std::move(fields)));
      return {};
    };
    KC_ASSIGN_OR_RETURN(const bool is_set, IsSet(context, token, pin, fresh, set));
    if (!is_set) {
      // Nobody gives a share or types a PIN for a try that may not be made.
      KC_RETURN_IF_ERROR(token->Refresh());
      KC_RETURN_IF_ERROR(hsm::CheckPinTries(token->info(), UserOf(pin)));
      KC_ASSIGN_OR_RETURN(const base::SecretBytes old, context.CurrentPin(name, pin));
      // A PIN that was typed wrong ends here, before anything says that it changes.
      KC_ASSIGN_OR_RETURN(hsm::LoginScope scope, hsm::LoginScope::Open(token, UserOf(pin), old));
      KC_RETURN_IF_ERROR(record("pin-changing"));
      KC_RETURN_IF_ERROR(hsm::SetPin(scope.session(), old, fresh));
      KC_RETURN_IF_ERROR(scope.Close());
    }
    // That it opens is the proof that it was set.
    KC_RETURN_IF_ERROR(LogInOnce(token, pin, fresh));
    return record("pin-changed");
  }
};

}  // namespace

const StepKind& QuorumReshare() {
  static const QuorumReshareKind kind;
  return kind;
}

}  // namespace ceremony::steps
