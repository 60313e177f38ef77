#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/steps/kinds.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

constexpr const char* kHere = "in the room";
constexpr const char* kRemote = "taking part remotely";
constexpr const char* kAbsent = "not here";

std::string RolesText(const script::Person& person) {
  std::string text;
  for (const script::Role role : person.roles) text += (text.empty() ? "" : ", ") + std::string(script::TitleOf(role));
  return text;
}

class RoomAttendKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "room.attend", "Takes down who is in the room, in which role, in person or remotely.",
        "an `attend` entry for each person", "EN 319 411-1 6.5.1 (persons present); BR 5.4.1 (entries and exits)"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "room.attend",
        "Takes down who is in the room.",
        {Field::Map(
             "people", script::RoleShape(), Field::Integer("", 1, 99, "at least so many"), 1, 5,
             "the least number of people for each role (administrator, security-officer, custodian, witness, auditor)")
             .Example(R"({"custodian": 3, "witness": 1})")},
        {}};
    return table;
  }

  std::string Title(const script::Step&) const override { return "Take down who is in the room"; }

  void Check(const script::Step& step, PlanContext& plan) const override {
    for (const auto& [role, count] : step.fields.Object("people").items()) {
      if (!script::FindRole(role)) {
        plan.Breach("PLAN-ROLE-01", "people", fmt::format("there is no role {}", role),
                    "roles are administrator, security-officer, custodian, witness, auditor");
        continue;
      }
      plan.NeedsPeople(role, count.get<std::size_t>());
    }
    plan.Takes(120);
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    for (const script::Person& person : context.inputs().roster->people) {
      if (person.state != script::PersonState::kActive || context.attendance().Find(person.id) != nullptr) continue;
      room::Question question;
      question.kind = room::Question::Kind::kChoice;
      question.id = "room.attend/" + person.id;
      question.text = fmt::format("{} ({}, {}): where are they?", person.name, RolesText(person), person.employer);
      question.choices = {kHere, kRemote, kAbsent};
      question.simulated = kHere;
      KC_ASSIGN_OR_RETURN(const std::string answer, context.Ask("", question));
      if (answer == kAbsent) {
        KC_RETURN_IF_ERROR(
            context.Record("note", {{"text", fmt::format("{} is not here", person.name)}, {"person", person.id}}));
        continue;
      }
      json roles = json::array();
      for (const script::Role role : person.roles) roles.push_back(script::NameOf(role));
      const auto presence = answer == kRemote ? quorum::Presence::kRemote : quorum::Presence::kInPerson;
      KC_RETURN_IF_ERROR(context.Record("attend", {{"person", person.id},
                                                   {"name", person.name},
                                                   {"employer", person.employer},
                                                   {"roles", std::move(roles)},
                                                   {"presence", quorum::PresenceName(presence)}}));
    }
    for (const auto& [role, count] : step.fields.Object("people").items()) {
      const auto least = count.get<std::size_t>();
      const std::size_t present = context.attendance().WithRole(role).size();
      if (present >= least) continue;
      base::Error error =
          base::MakeError(base::ErrorCode::kNoQuorum,
                          fmt::format("{} of role {} are here, the script asks for {}", present, role, least));
      error.rule = "ROOM-SHORT-01";
      error.hint = "wait for those who are missing, then `keyceremony resume`: it asks only for them";
      return error;
    }
    context.terminal().Say(room::Tone::kGood,
                           fmt::format("{} people are here.", context.attendance().present().size()));
    return {};
  }
};

}  // namespace

const StepKind& RoomAttend() {
  static const RoomAttendKind kind;
  return kind;
}

}  // namespace ceremony::steps
