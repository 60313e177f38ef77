#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/steps/kinds.h"

namespace ceremony::steps {
namespace {

using script::Field;

constexpr const char* kStays = "stays";
constexpr const char* kLeaves = "leaves now";

class RoomDepartKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "room.depart", "Takes down who leaves before the ceremony is over; they no longer count for any quorum.",
        "a `depart` entry for each who leaves", "BR 5.4.1 (entries and exits)"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{"room.depart",
                                          "Takes down who leaves before the ceremony is over.",
                                          {Field::List("roles", Field::Choice("", script::RoleChoices(), "a role"), 1,
                                                       5, "the roles whose holders may leave at this point")
                                               .Unique()
                                               .Example(R"(["witness"])")},
                                          {}};
    return table;
  }

  std::string Title(const script::Step&) const override { return "Take down who leaves"; }

  void Check(const script::Step&, PlanContext& plan) const override { plan.Takes(60); }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    std::vector<quorum::Attendee> asked;
    for (const auto& role : step.fields.List("roles")) {
      for (const quorum::Attendee* attendee : context.attendance().WithRole(role.get<std::string>())) {
        // Who holds two of the roles is asked once.
        if (!std::ranges::count(asked, attendee->person, &quorum::Attendee::person)) asked.push_back(*attendee);
      }
    }
    if (asked.empty()) context.terminal().Say(room::Tone::kPlain, "Nobody is here whom the script lets leave now.");
    for (const quorum::Attendee& attendee : asked) {
      if (context.attendance().Find(attendee.person) == nullptr) continue;
      room::Question question;
      question.kind = room::Question::Kind::kChoice;
      question.id = "room.depart/" + attendee.person;
      question.person = attendee.name;
      question.text = fmt::format("Does {} stay or leave?", attendee.name);
      question.choices = {kStays, kLeaves};
      question.simulated = kLeaves;
      KC_ASSIGN_OR_RETURN(const std::string answer, context.Ask("", question));
      if (answer == kLeaves)
        KC_RETURN_IF_ERROR(context.Record("depart", quorum::Attendance::SpellDeparture(attendee, "", false)));
    }
    return {};
  }
};

}  // namespace

const StepKind& RoomDepart() {
  static const RoomDepartKind kind;
  return kind;
}

}  // namespace ceremony::steps
