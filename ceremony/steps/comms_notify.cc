#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/steps/kinds.h"
#include "hsm/base/clock.h"
#include "hsm/base/digest.h"

namespace ceremony::steps {
namespace {

using script::Field;

constexpr const char* kNotNeeded = "not-needed";
constexpr const char* kTold = "notification";
constexpr const char* kAcknowledged = "notification-acknowledged";

std::string ChannelTitle(const script::Step& step, const script::FieldTable& table) {
  for (const script::ChoiceName& choice : table.Find("channel")->choices) {
    if (choice.name == step.fields.Text("channel")) return choice.help;
  }
  return step.fields.Text("channel");
}

// The bytes that were told: a file beside the script, or words that stand in it.
std::string ContentSha256(const script::Step& step, const script::Inputs& inputs) {
  return step.fields.Has("file") ? inputs.documents.at(step.fields.Text("file")).sha256
                                 : base::Sha256Hex(step.fields.Text("message"));
}

class CommsNotifyKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "comms.notify", "Tells somebody outside of the room something, and takes down who acknowledged it.",
        "an `observe` entry: who, whom, by which channel, when, the content's SHA-256; another: who acknowledged it, "
        "and when",
        "EN 319 401 7.9 (notification); BR 5.7.1 (incident handling)"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "comms.notify",
        "Tells somebody outside of the room something.",
        {Field::Choice("by", script::RoleChoices(), "the role that tells"),
         Field::Text("to", "who is told: an organisation or a person"),
         Field::Choice("channel",
                       {{"in-person", "in person"},
                        {"telephone", "by telephone"},
                        {"email", "by e-mail"},
                        {"letter", "by letter"},
                        {"portal", "on the service portal"}},
                       "how"),
         Field::Text("about", "what it is about"),
         Field::Path("file", "what is told, as a file beside the script").Refers(script::Reference::kFile).Optional(),
         Field::Prose("message", "what is told, word by word").Optional(),
         Field::Choice(
             "acknowledgement",
             {{"required", "the step ends when somebody has acknowledged it"}, {kNotNeeded, "nobody needs to"}},
             "whether somebody must acknowledge it")
             .Default("required")},
        {{"file", "message"}}};
    return table;
  }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Tell {} {}: {}", step.fields.Text("to"), ChannelTitle(step, fields()),
                       step.fields.Text("about"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.NeedsPeople(step.fields.Text("by"), 1);
    plan.Takes(300);
  }

  // Each answer is in the record before the next is waited for: who was told stays told, whenever they acknowledge it.
  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const std::string digest = ContentSha256(step, context.inputs());
    context.terminal().ShowFacts({{"to", step.fields.Text("to")},
                                  {"how", ChannelTitle(step, fields())},
                                  {"about", step.fields.Text("about")},
                                  {"what", step.fields.TextOr("file", step.fields.TextOr("message", ""))},
                                  {"SHA-256", digest}});
    if (context.progress().HasObserved(kTold, "", "")) {
      context.terminal().Say(room::Tone::kPlain,
                             fmt::format("{} was told before the interruption.", step.fields.Text("to")));
    } else {
      KC_RETURN_IF_ERROR(Tell(step, context, digest));
    }
    if (step.fields.Text("acknowledgement") == kNotNeeded || context.progress().HasObserved(kAcknowledged, "", ""))
      return {};
    return AskWhoAcknowledged(step, context);
  }

 private:
  base::Result<void> Tell(const script::Step& step, StepContext& context, const std::string& digest) const {
    const std::string& by = step.fields.Text("by");
    room::Question told;
    told.id = "comms.notify/" + step.id + "/told";
    told.text = fmt::format("You have told {}, {}.", step.fields.Text("to"), ChannelTitle(step, fields()));
    told.expected = "told";
    told.simulated = told.expected;
    KC_RETURN_IF_ERROR(context.Ask(by, told));
    nlohmann::json entry = {{"what", kTold},
                            {"to", step.fields.Text("to")},
                            {"channel", step.fields.Text("channel")},
                            {"about", step.fields.Text("about")},
                            {"role", by},
                            {"told", base::FormatTime(context.clock().UtcMicros())},
                            {"content_sha256", digest}};
    if (step.fields.Has("file")) entry["file"] = step.fields.Text("file");
    const auto tellers = context.attendance().WithRole(by);
    if (!tellers.empty()) entry["person"] = tellers.front()->person;
    KC_RETURN_IF_ERROR(context.Record("observe", std::move(entry)));
    return {};
  }

  static base::Result<void> AskWhoAcknowledged(const script::Step& step, StepContext& context) {
    room::Question who;
    who.kind = room::Question::Kind::kText;
    who.id = "comms.notify/" + step.id + "/acknowledged";
    who.text = fmt::format("Who at {} has acknowledged it?", step.fields.Text("to"));
    who.example = "Olive Officer, duty manager";
    who.simulated = who.example;
    KC_ASSIGN_OR_RETURN(const std::string answer, context.Ask(step.fields.Text("by"), who));
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", kAcknowledged},
                                                  {"to", step.fields.Text("to")},
                                                  {"acknowledged_by", answer},
                                                  {"acknowledged", base::FormatTime(context.clock().UtcMicros())}}));
    return {};
  }
};

}  // namespace

const StepKind& CommsNotify() {
  static const CommsNotifyKind kind;
  return kind;
}

}  // namespace ceremony::steps
