#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/steps/consent.h"
#include "ceremony/steps/token_findings.h"
#include "ceremony/steps/token_kinds.h"
#include "hsm/describe.h"
#include "hsm/inventory.h"
#include "hsm/lookup.h"
#include "hsm/sign.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

constexpr const char* kFirmware = "firmware";  // the `observe` entries of both ends
constexpr const char* kBack = "the token goes back into use";
constexpr const char* kOut = "the ceremony stops here until this is understood";

class FirmwareRecordKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "firmware.record",
        "Accompanies an upgrade of a token's firmware or module: everything on it before and after, and a proof that "
        "every key has survived.",
        "`observe` entries with token and inventory before and after, one for each key's proof, and the decision; "
        "`intent` and `done` around each C_Sign",
        "BR 5.4.1 (device life cycle, software changes); EN 319 411-1 6.5.2; FIPS 140-3 IG"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "firmware.record",
        "Accompanies an upgrade of a token's firmware or module.",
        {Field::Id("token", "the token").Refers(script::Reference::kToken),
         Field::Choice("by", script::RoleChoices(), "the role that does the upgrade").Default("administrator"),
         Field::Text("fips", "number of the FIPS 140 certificate of the new firmware").Optional(),
         Field::Choice("proof",
                       {{"sign", "each key signs a statement, which is verified with its public key"},
                        {"public-key", "each key's public half and its private object are there, unchanged"}},
                       "how each key's survival is shown; \"sign\" needs a policy that allows statements to be signed")
             .Default("sign")},
        {}};
    return table;
  }

  Approved approved() const override { return Approved::kParameters; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Upgrade the firmware of token {}, and show that every key survives", step.fields.Text("token"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    const std::string& name = step.fields.Text("token");
    plan.NeedsCommissionedToken(name);
    plan.NeedsPeople(step.fields.Text("by"), 1);
    constexpr unsigned kUpgradeSeconds = 1800;
    plan.Takes(kUpgradeSeconds);
    if (step.fields.Text("proof") == "sign" && !plan.inputs().policy.statement_signing) {
      plan.Breach("PLAN-PROOF-01", "proof",
                  fmt::format("the policy {} lets no CA key sign a statement", plan.inputs().policy.id),
                  "use the proof \"public-key\", or have the policy changed (statement_signing)");
    }
    if (plan.inputs().binding && plan.inputs().binding->record_token == name) {
      plan.Breach("PLAN-FIRMWARE-01", "token",
                  fmt::format("token {} holds the log key of this very ceremony and cannot be upgraded in it", name),
                  "let another token be the record_token of the binding");
    }
    plan.Plans(estate::FirmwareChanged{name, "", "", "", "", "", "", "", "", "", {}});
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const std::string& name = step.fields.Text("token");
    const estate::Token known = *context.estate().FindToken(name);
    KC_RETURN_IF_ERROR(context.Approve(Title(step), {{"token", name}, {"serial", known.serial}}));
    KC_ASSIGN_OR_RETURN(const std::string inventory_before, LookBefore(step, context, known));
    KC_RETURN_IF_ERROR(AskUpgrade(step, context));
    KC_RETURN_IF_ERROR(context.RestartModule(name));

    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(name));
    KC_ASSIGN_OR_RETURN(const TokenFacts after, ReadTokenFacts(session->token()));
    KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(*session));
    KC_RETURN_IF_ERROR(Observe(step, context, "after", after, inventory));
    KC_RETURN_IF_ERROR(AskVersion(step, context, after));

    std::vector<TokenFinding> findings;
    if (!known.serial.empty() && known.serial != after.info.serial) {
      findings.push_back({"TOKEN-SERIAL-01",
                          fmt::format("token {} has the serial {}, the estate knows it with serial {}", name,
                                      after.info.serial, known.serial),
                          "this is another device: stop, and find out where the right one is"});
    }
    for (TokenFinding& finding : CompareObjects(context.estate(), name, inventory, [&](const hsm::InventoryItem& item) {
           return context.IsLogKey(name, item);
         }))
      findings.push_back(std::move(finding));
    KC_RETURN_IF_ERROR(RefuseFindings(context, name, findings));

    estate::FirmwareChanged effect{name,
                                   after.info.serial,
                                   known.firmware,
                                   after.info.firmware_version,
                                   step.fields.TextOr("fips", ""),
                                   after.module,
                                   after.module_version,
                                   after.module_sha256,
                                   inventory_before,
                                   inventory.sha256,
                                   {}};
    for (const estate::Key* key : context.estate().KeysOn(name)) {
      KC_RETURN_IF_ERROR(ProveSurvival(step, context, *session, inventory, *key));
      effect.survived.push_back(key->name);
    }
    KC_RETURN_IF_ERROR(Decide(step, context));
    context.terminal().ShowFacts({{"token", name},
                                  {"firmware", fmt::format("{} -> {}", effect.before, effect.after)},
                                  {"keys that survived", std::to_string(effect.survived.size())}});
    return context.Achieve(effect);
  }

 private:
  // LookBefore returns the digest of the inventory before the upgrade. The token is what the estate says before
  // anybody touches it. An attempt that has looked may have had it upgraded: what is on it now is not what was before.
  static base::Result<std::string> LookBefore(const script::Step& step, StepContext& context,
                                              const estate::Token& known) {
    if (context.progress().HasObserved(kFirmware, known.name, "")) return known.inventory;
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(known.name));
    KC_ASSIGN_OR_RETURN(const TokenFacts facts, ReadTokenFacts(session->token()));
    KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(*session));
    KC_RETURN_IF_ERROR(RefuseFindings(context, known.name, CompareIdentity(known, facts)));
    KC_RETURN_IF_ERROR(Observe(step, context, "before", facts, inventory));
    return inventory.sha256;
  }

  static base::Result<void> Observe(const script::Step& step, StepContext& context, const char* when,
                                    const TokenFacts& facts, const hsm::Inventory& inventory) {
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", kFirmware},
                                                  {"when", when},
                                                  {"token", step.fields.Text("token")},
                                                  {"serial", facts.info.serial},
                                                  {"firmware", facts.info.firmware_version},
                                                  {"hardware", facts.info.hardware_version},
                                                  {"module", facts.module},
                                                  {"module_version", facts.module_version},
                                                  {"module_sha256", facts.module_sha256},
                                                  {"inventory", inventory.sha256},
                                                  {"object_count", inventory.items.size()}}));
    return {};
  }

  static base::Result<void> AskUpgrade(const script::Step& step, StepContext& context) {
    const std::string& token = step.fields.Text("token");
    context.terminal().Say(room::Tone::kPlain,
                           fmt::format("Upgrade token {} now, by the maker's instructions.", token));
    return AskConsent(context, step.fields.Text("by"),
                      {.id = "firmware.record/" + step.id,
                       .text = fmt::format("Token {} was upgraded by the maker's instructions; it is back.", token),
                       .expected = "UPGRADED"});
  }

  static base::Result<void> AskVersion(const script::Step& step, StepContext& context, const TokenFacts& after) {
    room::Question question;
    question.kind = room::Question::Kind::kText;
    question.id = fmt::format("firmware.record/{}/version", step.id);
    question.text = "Which firmware should the token have now, by the maker's release note?";
    question.pattern = "[0-9A-Za-z.-]{1,20}";
    question.example = "2.1";
    question.simulated = after.info.firmware_version;
    KC_ASSIGN_OR_RETURN(const std::string expected, context.Ask(step.fields.Text("by"), question));
    if (expected == after.info.firmware_version) return {};
    return base::Refusal("TOKEN-FIRMWARE-02",
                         fmt::format("token {} has the firmware {}, the release note says {}",
                                     step.fields.Text("token"), after.info.firmware_version, expected),
                         "the upgrade did not take, or another one did: ask the maker");
  }

  static base::Result<void> ProveSurvival(const script::Step& step, StepContext& context, hsm::Session& session,
                                          const hsm::Inventory& inventory, const estate::Key& key) {
    const auto failed = [&](const std::string& why) {
      return base::Refusal("TOKEN-SURVIVE-01",
                           fmt::format("key {} on token {} was not shown to have survived: {}", key.name,
                                       step.fields.Text("token"), why),
                           "stop, and find out what happened to the key; its other copies are in `keyceremony status`");
    };
    const auto item = std::ranges::find_if(inventory.items, [&](const hsm::InventoryItem& i) {
      return i.object.object_class() == CK_OBJECT_CLASS{CKO_PUBLIC_KEY} && i.spki_sha256 == key.spki_sha256;
    });
    if (item == inventory.items.end()) return failed("its public key is not there");
    const auto public_key = hsm::ReadPublicKey(item->attributes);
    if (!public_key.ok()) return failed(public_key.error().message);
    auto pair = hsm::FindKeyBySpki(session, *public_key);
    if (!pair.ok()) return failed(pair.error().message);
    // Who only derives or decrypts signs nothing; its objects are there, unchanged.
    const bool signs = step.fields.Text("proof") == "sign" && key.usage == "sign" && key.state == "active";
    if (signs) {
      const std::string statement =
          fmt::format("keyceremony survival of a key\n{}\n{}\n{}\n{}\n", context.inputs().script.estate,
                      context.inputs().script.id, key.name, base::FormatTime(context.clock().UtcMicros()));
      auto signature = hsm::Sign(session, *pair, hsm::DefaultScheme(public_key->algorithm()), base::AsBytes(statement),
                                 hsm::Consequence::kProof);
      if (!signature.ok()) return failed(signature.error().message);
    }
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "key-survived"},
                                                  {"token", step.fields.Text("token")},
                                                  {"key", key.name},
                                                  {"spki_sha256", key.spki_sha256},
                                                  {"proof", signs ? "sign" : "public-key"}}));
    return {};
  }

  static base::Result<void> Decide(const script::Step& step, StepContext& context) {
    room::Question question;
    question.kind = room::Question::Kind::kDecision;
    question.id = fmt::format("firmware.record/{}/decision", step.id);
    question.text = "Every key has survived. What do you decide?";
    question.choices = {kBack, kOut};
    question.simulated = kBack;
    KC_ASSIGN_OR_RETURN(const std::string decision, context.Ask("security-officer", question));
    KC_RETURN_IF_ERROR(context.Record(
        "observe", {{"what", "firmware-decision"}, {"token", step.fields.Text("token")}, {"decision", decision}}));
    if (decision == kBack) return {};
    return base::Refusal(
        "TOKEN-FIRMWARE-03",
        fmt::format("token {} does not go back into use: the security officer decided so", step.fields.Text("token")),
        "try the step again when it is understood; "
        "until it has ended, or the ceremony is called off, no other one begins in this archive");
  }
};

}  // namespace

const StepKind& FirmwareRecord() {
  static const FirmwareRecordKind kind;
  return kind;
}

}  // namespace ceremony::steps
