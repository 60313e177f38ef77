#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/steps/kinds.h"
#include "ceremony/steps/room_book.h"
#include "hsm/base/counted.h"

namespace ceremony::steps {
namespace {

using script::Field;

using room_answer::kComing;
constexpr const char* kStop = "stop here, and go on later";

// WhoIsMissing says for each role of which too few are here how many are; empty when all are.
std::string WhoIsMissing(const script::Step& step, const quorum::Attendance& attendance) {
  std::string missing;
  for (const auto& [role, count] : step.fields.Object("people").items()) {
    const auto least = count.get<std::size_t>();
    const std::size_t present = attendance.WithRole(role).size();
    if (present >= least) continue;
    missing += fmt::format("{}the script asks for {}, and {} {} here", missing.empty() ? "" : "; ",
                           InWords({{role, least}}), present, present == 1 ? "is" : "are");
  }
  return missing;
}

class RoomAttendKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "room.attend", "Takes down who is in the room, in which role, in person or remotely, and who will not come.",
        "an `attend` entry for each person who is here, a `note` for each apology",
        "EN 319 411-1 6.5.1 (persons present); BR 5.4.1 (entries and exits)"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "room.attend",
        "Takes down who is in the room.",
        {Field::Map(
             "people", script::RoleShape(), Field::Integer("", 1, 99, "at least so many"), 1, 5,
             "the least number of people for each role (administrator, security-officer, custodian, witness, auditor)")
             .Example(R"({"custodian": 3, "witness": 1})"),
         Field::Boolean("confidential_employers",
                        "whether the record holds the salted digest of each employer, and the name goes to "
                        "disclosures.jsonl, which is not published; the policy may ask for it")
             .Default(false)},
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
    RoomBook book = RoomBook::Of(context);
    if (step.fields.Flag("confidential_employers") || context.inputs().policy.KeepsConfidential("employer"))
      book.KeepEmployersConfidential();
    KC_RETURN_IF_ERROR(book.CallRoll());
    while (true) {
      const std::string missing = WhoIsMissing(step, context.attendance());
      if (missing.empty()) break;
      context.terminal().Say(room::Tone::kWarning, missing + ".");
      room::Question question;
      question.kind = room::Question::Kind::kChoice;
      question.id = "room.attend/short";
      question.person = "the room";
      question.text = "Not everybody who is needed is here. What do you do?";
      question.choices = {kComing, kStop};
      question.simulated = kStop;
      KC_ASSIGN_OR_RETURN(const std::string answer, context.Ask("", question));
      if (answer == kComing) {
        KC_RETURN_IF_ERROR(book.RecordChange());
        continue;
      }
      base::Error error = base::MakeError(base::ErrorCode::kNoQuorum, missing);
      error.rule = "ROOM-SHORT-01";
      error.hint = "wait for those who are missing, then `keyceremony resume`: it asks only for them";
      return error;
    }
    context.terminal().Say(room::Tone::kGood,
                           base::Counted(context.attendance().present().size(), "person is here.", "people are here."));
    book.ShowQuorums();
    return {};
  }
};

}  // namespace

const StepKind& RoomAttend() {
  static const RoomAttendKind kind;
  return kind;
}

}  // namespace ceremony::steps
