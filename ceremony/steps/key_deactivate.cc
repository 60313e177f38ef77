#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/steps/key_copies.h"
#include "ceremony/steps/key_use.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/people_rules.h"
#include "hsm/base/counted.h"
#include "hsm/base/digest.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

constexpr const char* kLateRule = "KEY-CAP-01";

struct Use {
  UseStatement statement;
  std::string stated_by;  // roster id; empty: said in the room
  std::string sha256;     // of the statement's file
};

struct Ending {
  std::string on;
  CapState cap;
  std::int64_t minutes_since_cap = 0;
  std::string hold_until;
};

class KeyDeactivateKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "key.deactivate",
        "Takes a key out of use: why, how often it was used, how long after its cap, and until when it is held.",
        "an `observe` entry with the figures; a `deviation` where it comes later than the policy allows; the statement "
        "of use as an artefact where there is one",
        "EN 319 411-1 6.5.3; NIST SP 800-57 Part 1 7.4"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "key.deactivate",
        "Takes a key out of use.",
        {Field::Id("key", "the key").Refers(script::Reference::kKey),
         Field::Choice("reason",
                       {{"cap-reached", "it has signed as often as the policy allows"},
                        {"age-reached", "it is as old as the policy allows"},
                        {"superseded", "another key took its place"},
                        {"ceased", "what it was for has ended"},
                        {"compromised", "somebody else may have it, or may have had the use of it"}},
                       "why"),
         Field::Id("use", "what it was used for, as the policy's \"caps\" name it").Optional().Example("\"issuing\""),
         Field::Integer("hold_months", 0, 600, "for so many months the key is kept; left out: as the policy says")
             .Optional(),
         Field::Path("statement", "a statement of its use, beside the script")
             .Refers(script::Reference::kFile)
             .Optional(),
         Field::Path("signature", "the statement's signature").Refers(script::Reference::kFile).Optional(),
         Field::Id("stated_by", "who signed the statement, by the roster's id").Optional()},
        {}};
    return table;
  }

  Approved approved() const override { return Approved::kResult; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Take key {} out of use ({})", step.fields.Text("key"), step.fields.Text("reason"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.Takes(180);
    const script::Policy& policy = plan.inputs().policy;
    const script::KeyCap* cap = FindCap(policy, step.fields.TextOr("use", ""));
    if (step.fields.Has("use") && cap == nullptr) {
      plan.Breach("PLAN-CAP-01", "use",
                  fmt::format("the policy {} has no cap for {}", policy.id, step.fields.Text("use")),
                  "name one of its \"caps\", or leave it out");
    }
    if (cap != nullptr && cap->hold_months > 0 && step.fields.Has("hold_months") &&
        step.fields.Integer("hold_months") > cap->hold_months) {
      plan.Breach("PLAN-HOLD-01", "hold_months",
                  fmt::format("the key is to be held {}, the policy allows {}",
                              base::Counted(step.fields.Integer("hold_months"), "month", "months"), cap->hold_months),
                  "hold it shorter, or have the policy changed");
    }
    const bool stated = step.fields.Has("statement");
    if (stated != step.fields.Has("signature") || stated != step.fields.Has("stated_by")) {
      plan.Breach("PLAN-USE-01", "statement", "a statement of use needs its signature and who signed it",
                  "give \"statement\", \"signature\" and \"stated_by\", or none of them");
    } else if (stated) {
      if (const auto use = ReadStatement(step, plan.inputs()); !use.ok())
        plan.Breach(use.error().rule, "statement", use.error().message, use.error().hint);
    }
    const estate::Key* key = CheckKey(step.fields.Text("key"), plan);
    if (key == nullptr) return;
    const std::string name = key->name;
    if (stated) plan.Writes("artefacts/" + ArtefactName(step));
    estate::KeyDeactivated effect;
    effect.key = name;
    effect.reason = step.fields.Text("reason");
    // Only whether it is held is known yet; no day is before this one.
    if (HoldMonths(step, cap) > 0) effect.hold_until = "9999-12-31";
    if (effect.reason == "compromised" && key->state != "compromised")
      plan.Plans(estate::KeyCompromised{name, "", effect.reason});
    plan.Plans(effect);
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const std::string& name = step.fields.Text("key");
    const estate::Key* known = context.estate().FindKey(name);
    if (known == nullptr) return base::MakeError(base::ErrorCode::kNotFound, "the estate has no key " + name);
    const estate::Key key = *known;
    const std::string& reason = step.fields.Text("reason");
    KC_ASSIGN_OR_RETURN(const Use use, TakeUse(step, context, key));
    KC_RETURN_IF_ERROR(CheckUse(use.statement, key, context.estate(), Now(context)));
    KC_ASSIGN_OR_RETURN(const Ending ending, EndingOf(step, context, key, use));
    Show(context, key, use, ending);
    json fields = FieldsOf(key, reason, use, ending);
    KC_RETURN_IF_ERROR(context.Approve(Title(step), fields));
    KC_RETURN_IF_ERROR(context.Achieve(estate::KeyUsageStated{name, use.statement.count, use.statement.first,
                                                              use.statement.last, use.stated_by, use.sha256}));
    if (reason == "compromised" && key.state != "compromised")
      KC_RETURN_IF_ERROR(context.Achieve(estate::KeyCompromised{name, ending.on, reason}));
    KC_RETURN_IF_ERROR(context.Achieve(estate::KeyDeactivated{name, reason, ending.on, ending.cap.reached,
                                                              ending.minutes_since_cap, ending.hold_until}));
    // An entry says only what the estate has taken in.
    fields["what"] = "key-deactivated";
    KC_RETURN_IF_ERROR(context.Record("observe", std::move(fields)));
    return RecordLateness(step, context, key, ending);
  }

 private:
  static std::string ArtefactName(const script::Step& step) {
    return fmt::format("use/{}.txt", step.fields.Text("key"));
  }

  static std::int64_t HoldMonths(const script::Step& step, const script::KeyCap* cap) {
    if (step.fields.Has("hold_months")) return step.fields.Integer("hold_months");
    return cap == nullptr ? 0 : cap->hold_months;
  }

  static base::Result<Use> ReadStatement(const script::Step& step, const script::Inputs& inputs) {
    const script::LoadedFile& file = inputs.documents.at(step.fields.Text("statement"));
    const script::LoadedFile& signature = inputs.documents.at(step.fields.Text("signature"));
    const std::string& person = step.fields.Text("stated_by");
    KC_ASSIGN_OR_RETURN(UseStatement statement, ParseUseStatement(file.bytes));
    if (inputs.roster) {
      const script::Person* known = inputs.roster->FindPerson(person);
      if (known == nullptr) {
        return base::Refusal("KEY-USE-03",
                             fmt::format("the roster has no {}, who is to have signed the statement", person),
                             "correct the person's id");
      }
      KC_RETURN_IF_ERROR(CheckUseSignature(*known, file.bytes, base::AsBytes(signature.bytes)));
    }
    return Use{std::move(statement), person, file.sha256};
  }

  static base::Result<Use> TakeUse(const script::Step& step, StepContext& context, const estate::Key& key) {
    if (step.fields.Has("statement")) {
      KC_ASSIGN_OR_RETURN(Use use, ReadStatement(step, context.inputs()));
      const script::LoadedFile& file = context.inputs().documents.at(step.fields.Text("statement"));
      KC_RETURN_IF_ERROR(context.WriteArtefact(ArtefactName(step), "statement-of-use", base::AsBytes(file.bytes)));
      return use;
    }
    // Nobody has signed figures: they are said in the room, and the quorum's approval covers them. What cannot be
    // is said to be so, and asked again, before anybody approves it.
    for (;;) {
      KC_ASSIGN_OR_RETURN(Use use, AskUse(context, key));
      const auto fits = CheckUse(use.statement, key, context.estate(), Now(context));
      if (fits.ok()) return use;
      if (!context.terminal().HasPeople()) return fits.error();
      context.terminal().Say(room::Tone::kBad, fmt::format("{}. Please say the figures again.", fits.error().message));
    }
  }

  static base::Result<Use> AskUse(StepContext& context, const estate::Key& key) {
    const std::int64_t known = CertificatesBy(context.estate(), key.name);
    const auto ask = [&](const char* id, const std::string& text, const char* pattern, const std::string& simulated) {
      room::Question question;
      question.kind = room::Question::Kind::kText;
      question.id = fmt::format("key.deactivate/{}", id);
      question.text = text;
      question.pattern = pattern;
      question.example = simulated;
      question.simulated = simulated;
      return context.Ask("", question);
    };
    Use use;
    use.statement.spki_sha256 = key.spki_sha256;
    KC_ASSIGN_OR_RETURN(const std::string count,
                        ask("count",
                            fmt::format("How many certificates did key {} sign in its whole life, by the CA's "
                                        "own log? The archive knows {}.",
                                        key.name, known),
                            "[0-9]{1,9}", std::to_string(known)));
    use.statement.count = std::stoll(count);
    if (use.statement.count == 0) return use;
    constexpr const char* kTime = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z";
    const std::string simulated = Now(context).substr(0, 19) + "Z";
    KC_ASSIGN_OR_RETURN(use.statement.first,
                        ask("first", "When did it sign first, by that log, in UTC? The example only shows the form.",
                            kTime, simulated));
    KC_ASSIGN_OR_RETURN(
        use.statement.last,
        ask("last", "When did it sign last, by that log, in UTC? The example only shows the form.", kTime, simulated));
    return use;
  }

  static base::Result<Ending> EndingOf(const script::Step& step, StepContext& context, const estate::Key& key,
                                       const Use& use) {
    const script::KeyCap* cap = FindCap(context.inputs().policy, step.fields.TextOr("use", ""));
    Ending ending;
    ending.on = Now(context);
    ending.cap = CapOf(cap, key, use.statement, ending.on);
    if (!ending.cap.reached.empty()) {
      KC_ASSIGN_OR_RETURN(ending.minutes_since_cap, MinutesBetween(ending.cap.reached, ending.on));
    }
    if (const std::int64_t months = HoldMonths(step, cap); months > 0) {
      KC_ASSIGN_OR_RETURN(ending.hold_until, AddMonths(ending.on, static_cast<int>(months)));
    }
    return ending;
  }

  static json FieldsOf(const estate::Key& key, const std::string& reason, const Use& use, const Ending& ending) {
    return {{"key", key.name},
            {"spki_sha256", key.spki_sha256},
            {"reason", reason},
            {"count", use.statement.count},
            {"first_use", use.statement.first},
            {"last_use", use.statement.last},
            {"stated_by", use.stated_by},
            {"statement_sha256", use.sha256},
            {"cap_reached_on", ending.cap.reached},
            {"minutes_since_cap", ending.minutes_since_cap},
            {"hold_until", ending.hold_until}};
  }

  static std::string Minutes(std::int64_t count) { return base::Counted(count, "minute", "minutes"); }

  static void Show(StepContext& context, const estate::Key& key, const Use& use, const Ending& ending) {
    const auto or_never = [](const std::string& time) { return time.empty() ? std::string("never") : time; };
    context.terminal().ShowFacts(
        {{"key", key.name},
         {"made on", key.since.time},
         {"signatures", std::to_string(use.statement.count)},
         {"first use", or_never(use.statement.first)},
         {"last use", or_never(use.statement.last)},
         {"cap", ending.cap.reached.empty() ? std::string("not reached")
                                            : fmt::format("of {} reached on {}, {} ago", ending.cap.which,
                                                          ending.cap.reached, Minutes(ending.minutes_since_cap))},
         {"held until", ending.hold_until.empty() ? std::string("not held") : ending.hold_until}});
  }

  static base::Result<void> RecordLateness(const script::Step& step, StepContext& context, const estate::Key& key,
                                           const Ending& ending) {
    const script::KeyCap* cap = FindCap(context.inputs().policy, step.fields.TextOr("use", ""));
    if (cap == nullptr || cap->deactivate_minutes == 0 || ending.minutes_since_cap <= cap->deactivate_minutes)
      return {};
    // Late or not, a key that is over its cap must go out of use.
    const std::string what = fmt::format("key {} is taken out of use {} after its cap, the policy allows {}", key.name,
                                         Minutes(ending.minutes_since_cap), cap->deactivate_minutes);
    context.terminal().Say(room::Tone::kWarning, fmt::format("[{}] {}", kLateRule, what));
    KC_RETURN_IF_ERROR(context.Record(
        "deviation", {{"what", what},
                      {"rule", kLateRule},
                      {"severity", SeverityName(GradeOf(context.inputs().policy, kLateRule, Severity::kGoodPractice))},
                      {"key", key.name},
                      {"minutes", ending.minutes_since_cap},
                      {"allowed_minutes", cap->deactivate_minutes}}));
    return {};
  }
};

}  // namespace

const StepKind& KeyDeactivate() {
  static const KeyDeactivateKind kind;
  return kind;
}

}  // namespace ceremony::steps
