#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/steps/consent.h"
#include "ceremony/steps/token_findings.h"
#include "ceremony/steps/token_kinds.h"
#include "ceremony/steps/token_limits.h"
#include "hsm/base/clock_text.h"
#include "hsm/base/counted.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/random.h"
#include "hsm/inventory.h"
#include "hsm/login.h"
#include "hsm/pin.h"

namespace ceremony::steps {
namespace {

using script::Field;

// Nothing is wiped that the estate would then refuse to have retired (EST-RETIRE-01, -02).
base::Result<void> WouldRetire(estate::Estate estate, const std::string& token) {
  return estate.Apply(estate::TokenRetired{token, "", "zeroised", "", "", ""}, {"planned", 0, ""});
}

class TokenRetireKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "token.retire", "Takes a token out of use for good: zeroised and shown empty, or by a document that proves it.",
        "`intent` and `done` around C_InitToken and C_InitPIN, an `observe` entry with the empty inventory; or the "
        "document as an artefact",
        "BR 5.4.1 (device life cycle); EN 319 411-1 6.5.2; NIST SP 800-88"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "token.retire",
        "Takes a token out of use for good. Refused while a key would be lost with it.",
        {Field::Id("token", "the token").Refers(script::Reference::kToken),
         Field::Choice("method",
                       {{"zeroise", "C_InitToken wipes it; then it is logged in to once more, and shown empty"},
                        {"evidence", "it cannot be reached any more: a document says how it ended"}},
                       "how"),
         Field::Path("evidence", "that document, beside the script").Refers(script::Reference::kFile).Optional(),
         Field::Text("reason", "why it is retired")},
        {}};
    return table;
  }

  Approved approved() const override { return Approved::kParameters; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Retire token {} ({})", step.fields.Text("token"), step.fields.Text("method"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    const std::string& name = step.fields.Text("token");
    const bool zeroise = step.fields.Text("method") == "zeroise";
    if (zeroise) {
      plan.NeedsCommissionedToken(name);
    } else {
      plan.NeedsToken(name);
    }
    plan.Takes(zeroise ? 300 : 120);
    if (zeroise == step.fields.Has("evidence")) {
      plan.Breach("PLAN-RETIRE-01", "evidence",
                  zeroise ? "a token that is zeroised needs no document" : "no document is said to prove it",
                  "\"evidence\" goes with the method evidence, and with no other");
    }
    if (step.quorum.empty()) {
      plan.Breach("PLAN-RETIRE-02", "quorum", fmt::format("nobody approves that token {} is retired", name),
                  "name a quorum");
    }
    if (zeroise && plan.inputs().binding && plan.inputs().binding->record_token == name) {
      plan.Breach("PLAN-TOKEN-04", "token",
                  fmt::format("token {} holds the log key of this very ceremony and cannot be initialised in it", name),
                  "let another token be the record_token of the binding");
    }
    if (!zeroise && step.fields.Has("evidence")) plan.Writes("artefacts/" + ArtefactName(step));
    plan.Plans(estate::TokenRetired{name, "", MethodOf(step), "", step.fields.Text("reason"), ""});
  }

  base::Result<void> Preflight(const script::Step& step, PreflightContext& context) const override {
    if (step.fields.Has("evidence")) return {};
    KC_ASSIGN_OR_RETURN(const auto token, context.FindToken(step.fields.Text("token")));
    return token == nullptr ? base::Result<void>() : CheckZeroises(*token);
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const std::string& name = step.fields.Text("token");
    const estate::Token* token = context.estate().FindToken(name);
    if (token == nullptr) return base::Refusal("EST-TOKEN-03", fmt::format("token {} is in no register", name));
    KC_RETURN_IF_ERROR(WouldRetire(context.estate(), name));
    estate::TokenRetired effect{name, token->serial, MethodOf(step), "", step.fields.Text("reason"), ""};
    if (step.fields.Has("evidence")) {
      effect.evidence = context.inputs().documents.at(step.fields.Text("evidence")).sha256;
    }
    KC_RETURN_IF_ERROR(context.Approve(
        fmt::format("Retire token {} (serial {}) for good: {}", name, token->serial, step.fields.Text("reason")),
        {{"token", name}, {"serial", token->serial}, {"method", effect.method}, {"evidence", effect.evidence}}));
    if (effect.evidence.empty()) {
      KC_RETURN_IF_ERROR(Zeroise(step, context));
    } else {
      const script::LoadedFile& file = context.inputs().documents.at(step.fields.Text("evidence"));
      KC_RETURN_IF_ERROR(context.WriteArtefact(ArtefactName(step), "retirement", base::AsBytes(file.bytes)));
    }
    effect.on = base::DayOf(base::FormatTime(context.clock().UtcMicros()));
    KC_RETURN_IF_ERROR(context.Achieve(effect));
    context.terminal().ShowFacts({{"token", name},
                                  {"serial", effect.serial},
                                  {"state", "retired"},
                                  {"proven by", effect.evidence.empty() ? "C_InitToken, and an empty inventory after it"
                                                                        : "document " + effect.evidence}});
    return {};
  }

 private:
  static std::string MethodOf(const script::Step& step) {
    return step.fields.Text("method") == "zeroise" ? "zeroised" : "evidence";
  }
  static std::string ArtefactName(const script::Step& step) {
    const std::string& path = step.fields.Text("evidence");
    return fmt::format("documents/{}-{}", step.id, path.substr(path.rfind('/') + 1));
  }

  // The label stays as it was, so that an attempt that was cut off finds the token again.
  static base::Result<void> Zeroise(const script::Step& step, StepContext& context) {
    const std::string& name = step.fields.Text("token");
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> located, context.LocateToken(name));
    KC_RETURN_IF_ERROR(AskConsent(
        context, "security-officer",
        {.id = "token.retire/" + step.id,
         .text = fmt::format("Everything on {} is about to be wiped, and nothing brings it back.", located->Name()),
         .expected = "ZEROISE"}));
    KC_ASSIGN_OR_RETURN(const base::SecretBytes officer_pin, context.CurrentPin(name, quorum::Pin::kSecurityOfficer));
    KC_RETURN_IF_ERROR(context.EndSession(name));
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> wiped,
                        hsm::Token::Initialise(located->shared_module(), located->slot(), located->info().label,
                                               officer_pin, hsm::Retire::kYes));
    context.AdoptToken(name, wiped);
    return ShowEmpty(name, wiped, officer_pin, context);
  }

  // Only a user sees private objects: the token gets a user PIN that nobody keeps.
  static base::Result<void> ShowEmpty(const std::string& name, const std::shared_ptr<hsm::Token>& token,
                                      const base::SecretBytes& officer_pin, StepContext& context) {
    base::SecretBytes last_pin;
    if (!officer_pin.empty()) last_pin = ThrownAwayPin(*token);
    {
      KC_ASSIGN_OR_RETURN(hsm::LoginScope officer,
                          hsm::LoginScope::Open(token, hsm::User::kSecurityOfficer, officer_pin));
      KC_RETURN_IF_ERROR(hsm::InitPin(officer.session(), last_pin));
      KC_RETURN_IF_ERROR(officer.Close());
    }
    KC_RETURN_IF_ERROR(token->Refresh());
    KC_ASSIGN_OR_RETURN(hsm::LoginScope user, hsm::LoginScope::Open(token, hsm::User::kUser, last_pin));
    KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(user.session()));
    KC_RETURN_IF_ERROR(user.Close());
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "token-zeroised"},
                                                  {"token", name},
                                                  {"label", token->info().label},
                                                  {"serial", token->info().serial},
                                                  {"inventory", inventory.sha256},
                                                  {"object_count", inventory.items.size()}}));
    if (inventory.items.empty()) return {};
    return base::Refusal(
        "TOKEN-RETIRE-01",
        fmt::format("{} still holds {} after C_InitToken, the first is {}", token->Name(),
                    base::Counted(inventory.items.size(), "object", "objects"), inventory.items.front().object.Name()),
        "this token does not wipe itself: have it destroyed, and give the evidence");
  }

  static base::SecretBytes ThrownAwayPin(const hsm::Token& token) {
    constexpr std::size_t kWanted = 16;
    const hsm::PinSizes sizes = hsm::PinSizesOf(token.info(), token.quirks());
    base::SecretBytes pin(std::min<std::size_t>(std::max<std::size_t>(kWanted, sizes.least), sizes.most));
    base::FillRandom(pin.writable());
    for (std::uint8_t& byte : pin.writable()) byte = static_cast<std::uint8_t>('A' + byte % 16);
    return pin;
  }
};

}  // namespace

const StepKind& TokenRetire() {
  static const TokenRetireKind kind;
  return kind;
}

}  // namespace ceremony::steps
