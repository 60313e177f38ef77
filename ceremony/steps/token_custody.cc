#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ceremony/steps/token_kinds.h"
#include "hsm/base/counted.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

constexpr int kMostSeals = 10;

// Words are parted by commas or blanks, names by commas alone.
std::vector<std::string> SplitAt(std::string text, const char* marks) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(marks);
    std::string part = text.substr(0, end);
    while (!part.empty() && part.front() == ' ') part.erase(part.begin());
    while (!part.empty() && part.back() == ' ') part.pop_back();
    if (!part.empty()) parts.push_back(std::move(part));
    text = end == std::string::npos ? std::string() : text.substr(end + 1);
  }
  return parts;
}

std::string Join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : " ") + part;
  return text;
}

std::string ListOf(const std::vector<std::string>& parts) { return parts.empty() ? "none" : Join(parts); }

std::string Folded(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      folded += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return folded;
}

// The next number of a seal: digits at the end, counted up.
std::string After(std::string number) {
  for (std::size_t i = number.size(); i-- > 0 && std::isdigit(static_cast<unsigned char>(number[i])) != 0;) {
    if (number[i] != '9') {
      ++number[i];
      return number;
    }
    number[i] = '0';
  }
  return number;
}

// A number that is on a token, or was on one that travelled.
bool KnowsSeal(const estate::Estate& estate, const std::string& number) {
  return std::ranges::any_of(estate.tokens(), [&](const estate::Token& token) {
    const auto has = [&](const std::vector<std::string>& seals) {
      return std::ranges::find(seals, number) != seals.end();
    };
    return has(token.SealNumbers()) ||
           std::ranges::any_of(token.legs, [&](const estate::Leg& leg) { return has(leg.seals); });
  });
}

struct Phase {
  std::string_view leg;     // as scripts write it
  std::string_view effect;  // as the estate has it; empty: the token stays where it is
  std::string_view title;
  bool begins_a_leg;
};
constexpr Phase kPhases[] = {
    {"depart", "departed", "Send token {} on its way", true},
    {"hand-over", "handed-over", "Hand token {} on", true},
    {"arrive", "arrived", "Take token {} in", false},
    {"inspect", "", "Look at the seals of token {}", false},
};
const Phase& PhaseOf(const script::Step& step) {
  return *std::ranges::find(kPhases, step.fields.Text("leg"), &Phase::leg);
}

class TokenCustodyKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "token.custody",
        "Records one end of a leg that a token travels, or an inspection: place, carrier, who goes with it, every "
        "seal.",
        "an `observe` entry with what was read and typed; a `refusal` where a seal is not the one that it left with",
        "EN 319 411-1 6.5.2 (shipment); WebTrust 4.10; BR 5.4.1 (device life cycle); ISO/IEC 27002 7.14"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "token.custody",
        "Records one end of a leg that a token travels, or an inspection of its seals.",
        {Field::Id("token", "the token").Refers(script::Reference::kToken),
         Field::Choice("leg",
                       {{"depart", "it leaves a site: seals are read, new ones put on, the carrier takes it"},
                        {"hand-over", "one carrier hands it to another"},
                        {"arrive", "it comes to a site: seals are compared with those that it left with"},
                        {"inspect", "it stays where it is, and its seals are looked at"}},
                       "what happens"),
         Field::Text("place", "where this is: a site, or a carrier's depot").Example("\"Leeds\""),
         Field::Text("to", "where the leg ends; of a leg that begins").Example("\"Bristol\"").Optional(),
         Field::Text("carrier", "who carries it; of a leg that begins").Example("\"Securi-Trans\"").Optional(),
         Field::Choice("by", script::RoleChoices(), "the role that reads the seals").Default("witness"),
         Field::Integer("new_seals", 0, kMostSeals, "how many new seals are put on").Default(0),
         Field::Boolean("open", "whether the seals that are there are taken off").Default(false),
         Field::Regex("seal_pattern", "what the number of a seal looks like").Default("[A-Z]{2}\\d{6}"),
         Field::Text("seal_example", "a number of that sort; simulated people count up from it").Default("SB100001")},
        {}};
    return table;
  }

  std::string Title(const script::Step& step) const override {
    return fmt::format(fmt::runtime(PhaseOf(step).title), step.fields.Text("token"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    const Phase& phase = PhaseOf(step);
    const std::string& name = step.fields.Text("token");
    plan.NeedsToken(name);
    plan.NeedsPeople(step.fields.Text("by"), 1);
    plan.Takes(180);
    for (const char* field : {"to", "carrier"}) {
      if (step.fields.Has(field) == phase.begins_a_leg) continue;
      plan.Breach("PLAN-CUSTODY-01", field,
                  phase.begins_a_leg ? fmt::format("a leg begins, and \"{}\" is not said", field)
                                     : fmt::format("no leg begins here, and \"{}\" is said", field),
                  "depart and hand-over say \"to\" and \"carrier\", arrive and inspect do not");
    }
    const auto pattern = script::Pattern::Parse(step.fields.Text("seal_pattern"));
    if (pattern.ok() && !pattern->Matches(step.fields.Text("seal_example"))) {
      plan.Breach("PLAN-FACT-01", "seal_example", "the example of a seal does not match the pattern",
                  "mend one of the two");
    }
    if (plan.inputs().binding && plan.inputs().binding->record_token == name && !phase.effect.empty()) {
      plan.Breach("PLAN-CUSTODY-02", "token",
                  fmt::format("token {} holds the log key of this very ceremony and cannot travel in it", name),
                  "let another token be the record_token of the binding");
    }
    if (phase.effect.empty()) return;
    plan.Plans(estate::TokenMoved{name,
                                  "",
                                  std::string(phase.effect),
                                  step.fields.Text("place"),
                                  step.fields.TextOr("to", ""),
                                  step.fields.TextOr("carrier", ""),
                                  {},
                                  "",
                                  {},
                                  ""});
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const Phase& phase = PhaseOf(step);
    const std::string& name = step.fields.Text("token");
    const estate::Token* token = context.estate().FindToken(name);
    if (token == nullptr) {
      return base::Refusal("EST-TOKEN-03", fmt::format("token {} is in no register", name),
                           "enter it with token.register, or take it into service, first");
    }
    // Nobody carries a token that is logged in; one that stays where it is may go on with what it does.
    if (!phase.effect.empty()) KC_RETURN_IF_ERROR(context.EndSession(name));
    KC_RETURN_IF_ERROR(CompareSeals(step, context, *token));
    KC_RETURN_IF_ERROR(ChangeSeals(step, context, *token));
    if (phase.effect.empty()) return {};
    estate::TokenMoved move;
    move.token = name;
    move.serial = token->serial;
    move.phase = phase.effect;
    move.place = step.fields.Text("place");
    move.to = step.fields.TextOr("to", "");
    move.carrier = step.fields.TextOr("carrier", "");
    move.seals = phase.effect == "arrived" ? token->legs.back().seals : context.estate().FindToken(name)->SealNumbers();
    if (phase.begins_a_leg) {
      KC_ASSIGN_OR_RETURN(move.escort, AskEscort(step, context));
      KC_ASSIGN_OR_RETURN(move.reference, AskReference(step, context));
    }
    move.at = base::FormatTime(context.clock().UtcMicros());
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "custody"},
                                                  {"token", name},
                                                  {"leg", phase.leg},
                                                  {"place", move.place},
                                                  {"to", move.to},
                                                  {"carrier", move.carrier},
                                                  {"escort", move.escort},
                                                  {"reference", move.reference},
                                                  {"seals", move.seals}}));
    KC_RETURN_IF_ERROR(context.Achieve(move));
    if (phase.effect == "arrived" && step.fields.Flag("open")) KC_RETURN_IF_ERROR(TakeOff(context, name));
    context.terminal().ShowFacts({{"token", name},
                                  {"state", context.estate().FindToken(name)->state},
                                  {"seals", ListOf(context.estate().FindToken(name)->SealNumbers())}});
    return {};
  }

 private:
  static base::Result<std::vector<std::string>> AskSeals(const script::Step& step, StepContext& context,
                                                         const char* which, const std::string& text,
                                                         const std::vector<std::string>& simulated) {
    const std::string& one = step.fields.Text("seal_pattern");
    room::Question question;
    question.kind = room::Question::Kind::kText;
    question.id = fmt::format("token.custody/{}/{}", step.id, which);
    question.text = text;
    question.pattern = fmt::format("none|({})( ({})){{0,{}}}", one, one, kMostSeals - 1);
    question.example = step.fields.Text("seal_example");
    question.simulated = ListOf(simulated);
    KC_ASSIGN_OR_RETURN(const std::string answer, context.Ask(step.fields.Text("by"), question));
    std::vector<std::string> numbers = SplitAt(answer == "none" ? "" : answer, " ");
    std::ranges::sort(numbers);
    return numbers;
  }

  // What is on the token is read before anybody sees what should be.
  static base::Result<void> CompareSeals(const script::Step& step, StepContext& context, const estate::Token& token) {
    const std::vector<std::string> expected = token.SealNumbers();
    KC_ASSIGN_OR_RETURN(
        const std::vector<std::string> found,
        AskSeals(step, context, "seals",
                 fmt::format("Read every seal on token {} and what it is packed in. Type their numbers, with a blank "
                             "between, or none. The example only shows the form.",
                             token.name),
                 expected));
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "seals"},
                                                  {"token", token.name},
                                                  {"place", step.fields.Text("place")},
                                                  {"found", found},
                                                  {"expected", expected},
                                                  {"role", step.fields.Text("by")}}));
    if (found == expected) return {};
    return base::Refusal("TOKEN-SEAL-01",
                         fmt::format("token {} has the seals {}, the estate knows it with {}", token.name,
                                     ListOf(found), ListOf(expected)),
                         "do not open it: keep it apart, tell the security officer, and find out what happened");
  }

  // Seals that stay on until the token has arrived are taken off after that.
  static base::Result<void> ChangeSeals(const script::Step& step, StepContext& context, const estate::Token& token) {
    const std::int64_t count = step.fields.Integer("new_seals");
    estate::SealsChanged change;
    change.token = token.name;
    change.reason = step.fields.Text("leg");
    const bool arrives = PhaseOf(step).effect == "arrived";
    if (step.fields.Flag("open") && !arrives) change.removed = token.SealNumbers();
    if (count > 0 && !arrives) {
      std::vector<std::string> simulated;
      std::string next = step.fields.Text("seal_example");
      while (simulated.size() < static_cast<std::size_t>(count)) {
        if (!KnowsSeal(context.estate(), next)) simulated.push_back(next);
        next = After(next);
      }
      KC_ASSIGN_OR_RETURN(change.applied, AskSeals(step, context, "new-seals",
                                                   fmt::format("Put {} on. Type their numbers, with a blank between. "
                                                               "The example only shows the form.",
                                                               base::Counted(count, "new seal", "new seals")),
                                                   simulated));
      if (change.applied.size() != static_cast<std::size_t>(count)) {
        return base::Refusal(
            "TOKEN-SEAL-02",
            fmt::format("{} numbers of new seals were read, the script asks for {}", change.applied.size(), count),
            "put on as many as the script says, and read each of them");
      }
    }
    return context.Achieve(change);
  }

  static base::Result<void> TakeOff(StepContext& context, const std::string& name) {
    estate::SealsChanged change;
    change.token = name;
    change.removed = context.estate().FindToken(name)->SealNumbers();
    change.reason = "opened on arrival";
    return context.Achieve(change);
  }

  // A custodian who travels with the HSM could be made to open it (R18).
  static base::Result<std::vector<std::string>> AskEscort(const script::Step& step, StepContext& context) {
    room::Question question;
    question.kind = room::Question::Kind::kText;
    question.id = fmt::format("token.custody/{}/escort", step.id);
    question.text = "Who travels with it? Type the names, with a comma between, the driver too.";
    question.example = "Sam Driver, Kim Guard";
    question.simulated = "Sam Driver, Kim Guard";
    KC_ASSIGN_OR_RETURN(const std::string answer, context.Ask(step.fields.Text("by"), question));
    std::vector<std::string> escort = SplitAt(answer, ",");
    if (!context.inputs().roster) return escort;
    for (const script::Person& person : context.inputs().roster->people) {
      const bool holds = !context.estate().TokensOpenedBy(person.id).empty();
      if (!person.HasRole(script::Role::kCustodian) && !holds) continue;
      for (const std::string& traveller : escort) {
        if (Folded(traveller) != Folded(person.name) && Folded(traveller) != Folded(person.id)) continue;
        return base::Refusal(
            "CUSTODY-PERSON-01",
            fmt::format("{} is a custodian, and is to travel with token {}", person.name, step.fields.Text("token")),
            "custodians and HSMs are never on one leg: send somebody else");
      }
    }
    return escort;
  }

  static base::Result<std::string> AskReference(const script::Step& step, StepContext& context) {
    room::Question question;
    question.kind = room::Question::Kind::kText;
    question.id = fmt::format("token.custody/{}/reference", step.id);
    question.text = fmt::format("What is the number of the consignment note of {}?", step.fields.TextOr("carrier", ""));
    question.pattern = "[0-9A-Za-z./-]{1,40}";
    question.example = "CN-1001";
    question.simulated = "CN-1001";
    return context.Ask(step.fields.Text("by"), question);
  }
};

}  // namespace

const StepKind& TokenCustody() {
  static const TokenCustodyKind kind;
  return kind;
}

}  // namespace ceremony::steps
