#include <nlohmann/json.hpp>

#include "ceremony/record/disclosure.h"
#include "ceremony/script/pattern.h"
#include "ceremony/steps/kinds.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

// A label is a part of a sentence. An example looks like a number that could be there, and is easily copied.
std::string AsQuestion(std::string label) {
  if (!label.empty() && label[0] >= 'a' && label[0] <= 'z') label[0] = static_cast<char>(label[0] - 'a' + 'A');
  const bool is_sentence = label.ends_with('?') || label.ends_with('.');
  return label + (is_sentence ? "" : ".") + " The example only shows the form.";
}

class RoomRecordKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "room.record", "Takes down facts that people read and type: seal numbers, readings.",
        "one `observe` entry with all facts", "EN 319 411-1 6.5.2 (seals); BR 5.4.1"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "room.record",
        "Takes down facts that people read and type.",
        {Field::Choice("by", script::RoleChoices(), "the role that reads and types"),
         Field::List(
             "facts",
             Field::Table("",
                          {"fact",
                           "One fact.",
                           {Field::Id("name", "the fact's name in the record"),
                            Field::Text("label", "what is asked for, as people say it"),
                            Field::Regex("pattern", "what the answer must look like"),
                            Field::Text("example", "an answer that matches; simulated people give it"),
                            Field::Boolean("confidential",
                                           "whether the record holds its salted digest, and the answer goes to "
                                           "disclosures.jsonl, which is not published; the policy may ask for it")
                                .Default(false)},
                           {}},
                          "one fact"),
             1, 20, "what is taken down, in order")},
        {}};
    return table;
  }

  std::string Title(const script::Step& step) const override {
    std::string title = "Take down";
    for (const json& fact : step.fields.List("facts"))
      title += (title == "Take down" ? " " : ", ") + fact.at("label").get<std::string>();
    return title;
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.NeedsPeople(step.fields.Text("by"), 1);
    for (const json& fact : step.fields.List("facts")) {
      const auto pattern = script::Pattern::Parse(fact.at("pattern").get<std::string>());
      if (pattern.ok() && !pattern->Matches(fact.at("example").get<std::string>())) {
        plan.Breach("PLAN-FACT-01", "facts",
                    "the example of " + fact.at("name").get<std::string>() + " does not match its own pattern",
                    "mend one of the two");
      }
      plan.Takes(30);
    }
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const json& asked = step.fields.List("facts");
    json facts = json::object();
    for (std::size_t number = 0; number < asked.size();) {
      const json& fact = asked[number];
      KC_ASSIGN_OR_RETURN(json answer, Ask(step, context, fact, number > 0));
      if (number > 0 && answer == room::kBack) {
        --number;
        continue;
      }
      const std::string name = fact.at("name");
      const bool hidden = fact.at("confidential").get<bool>() || context.inputs().policy.KeepsConfidential(name);
      facts[name] = hidden ? record::MarkConfidential(std::move(answer)) : std::move(answer);
      ++number;
    }
    KC_RETURN_IF_ERROR(
        context.Record("observe", {{"what", "facts"}, {"facts", std::move(facts)}, {"role", step.fields.Text("by")}}));
    return {};
  }

 private:
  static base::Result<std::string> Ask(const script::Step& step, StepContext& context, const json& fact,
                                       bool may_go_back) {
    room::Question question;
    question.kind = room::Question::Kind::kText;
    question.id = "room.record/" + step.id + "/" + fact.at("name").get<std::string>();
    question.text = AsQuestion(fact.at("label").get<std::string>());
    question.pattern = fact.at("pattern").get<std::string>();
    question.example = fact.at("example").get<std::string>();
    question.may_go_back = may_go_back;
    question.simulated = question.example;
    return context.Ask(step.fields.Text("by"), question);
  }
};

}  // namespace

const StepKind& RoomRecord() {
  static const RoomRecordKind kind;
  return kind;
}

}  // namespace ceremony::steps
