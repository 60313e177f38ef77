#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "ceremony/steps/kinds.h"
#include "hsm/base/counted.h"

namespace ceremony::steps {
namespace {

using script::Field;

constexpr std::int64_t kMicros = 1'000'000;
constexpr std::int64_t kDay = 86'400;

// Seconds of the day of "HH:MM:SS"; the pattern has been checked.
std::int64_t SecondsOf(const std::string& clock) {
  const auto two = [&](std::size_t at) { return (clock[at] - '0') * 10 + (clock[at + 1] - '0'); };
  return two(0) * 3600 + two(3) * 60 + two(6);
}

constexpr std::int64_t kMistyped =
    900;  // seconds: no clock drifts so far, and time zones differ by a quarter of an hour

// "9 s", or what people see as an hour when it is one.
std::string OffsetText(std::int64_t offset) {
  const std::int64_t seconds = std::llabs(offset);
  if (seconds < 60) return fmt::format("{} s", offset);
  std::string text = seconds < 3600 ? std::string() : fmt::format("{} h ", seconds / 3600);
  text +=
      fmt::format("{} min {} s, the machine is {}", seconds / 60 % 60, seconds % 60, offset > 0 ? "ahead" : "behind");
  return seconds < kMistyped ? text : text + ": was local time typed, and not UTC?";
}

class RoomClockKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{"room.clock", "Compares the machine's clock with one that is read aloud.",
                                             "an `observe` entry with both readings and the offset",
                                             "EN 319 411-1 6.4.5 (time of events)"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "room.clock",
        "Compares the machine's clock with one that is read aloud: a time is typed before it comes, and Enter is "
        "pressed when the clock shows it.",
        {Field::Text("source", "the clock that is read aloud").Example(R"("radio-controlled clock on the wall")"),
         Field::Integer("tolerance_seconds", 0, 3600,
                        "the most that the two may differ; the policy's own value when left out")
             .Optional()},
        {}};
    return table;
  }

  std::string Title(const script::Step& step) const override {
    return "Compare the machine's clock with " + step.fields.Text("source");
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.Takes(60);
    plan.NeedsPeople("witness", 1);
    const int allowed = plan.inputs().policy.clock.tolerance_seconds;
    if (step.fields.Has("tolerance_seconds") && step.fields.Integer("tolerance_seconds") > allowed) {
      plan.Breach("PLAN-CLOCK-01", "tolerance_seconds",
                  fmt::format("the script allows {}, the policy {}",
                              base::Counted(step.fields.Integer("tolerance_seconds"), "second", "seconds"), allowed),
                  "ask for no more than the policy allows");
    }
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const std::int64_t tolerance = step.fields.Has("tolerance_seconds")
                                       ? step.fields.Integer("tolerance_seconds")
                                       : context.inputs().policy.clock.tolerance_seconds;
    room::Question question;
    question.kind = room::Question::Kind::kText;
    question.id = "room.clock/reading";
    question.text = fmt::format(
        "Read {} aloud, in UTC. Type a time that it is about to show, and press Enter at the moment when it shows it.",
        step.fields.Text("source"));
    question.at_enter = true;  // else the minutes of typing and reading back would count as the clock's error
    question.pattern = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]";
    question.example = "14:05:30";
    question.simulated = base::FormatTime(context.clock().UtcMicros()).substr(11, 8);
    KC_ASSIGN_OR_RETURN(const std::string reading, context.Ask("witness", question));
    const std::int64_t machine = context.clock().UtcMicros();
    const std::int64_t of_day = machine / kMicros % kDay;
    std::int64_t offset = of_day - SecondsOf(reading);
    // The nearer way round midnight.
    if (offset > kDay / 2) offset -= kDay;
    if (offset < -kDay / 2) offset += kDay;
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "clock"},
                                                  {"source", step.fields.Text("source")},
                                                  {"reading", reading},
                                                  {"machine", base::FormatTime(machine)},
                                                  {"offset_seconds", offset},
                                                  {"tolerance_seconds", tolerance}}));
    context.terminal().ShowFacts({{step.fields.Text("source"), reading},
                                  {"machine", base::FormatTime(machine).substr(11, 8)},
                                  {"difference", OffsetText(offset)}});
    if (std::llabs(offset) > tolerance) {
      return base::Refusal(
          "CLOCK-01",
          fmt::format("the machine's clock differs by {} s from {}, {} s are allowed", offset,
                      step.fields.Text("source"), tolerance),
          "set the machine's clock, or repeat the reading: type the time first, and press Enter when it is shown");
    }
    return {};
  }
};

}  // namespace

const StepKind& RoomClock() {
  static const RoomClockKind kind;
  return kind;
}

}  // namespace ceremony::steps
