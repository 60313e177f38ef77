#include "ceremony/steps/room_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "ceremony/record/disclosure.h"
#include "ceremony/script/fingerprint.h"
#include "ceremony/steps/step_context.h"
#include "hsm/base/counted.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using room::Question;

using namespace room_answer;

constexpr const char* kHoursPattern = R"(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)";
constexpr std::size_t kHour = 5;  // characters of "09:00"

Question Choice(std::string id, std::string text, std::vector<std::string> choices, std::string simulated) {
  Question question;
  question.kind = Question::Kind::kChoice;
  question.id = std::move(id);
  question.person = "the room";
  question.text = std::move(text);
  question.choices = std::move(choices);
  question.simulated = std::move(simulated);
  return question;
}

}  // namespace

std::string room_answer::ChangeOf(const script::Person& person, std::string_view what) {
  return fmt::format("{} ({}) {}", person.name, person.id, what);
}

std::string room_answer::DeputyOf(const script::Person& person) {
  return fmt::format("{} ({})", person.name, person.id);
}

std::size_t PresentOf(const script::Roster& roster, const script::Quorum& quorum,
                      const quorum::Attendance& attendance) {
  const auto members = roster.MembersOf(quorum);
  return static_cast<std::size_t>(std::count_if(
      members.begin(), members.end(), [&](const script::Person* p) { return attendance.Find(p->id) != nullptr; }));
}

RoomBook RoomBook::Of(StepContext& context) {
  return {*context.inputs().roster, context.attendance(), context.terminal(),
          [&context](std::string_view type, json fields) -> base::Result<void> {
            KC_RETURN_IF_ERROR(context.Record(type, std::move(fields)));
            return {};
          }};
}

std::string RoomBook::IntroductionOf(const script::Person& person) const {
  std::string text = fmt::format("{}, {}", script::TitlesOf(person.roles), person.employer);
  if (!person.sign_key.empty()) text += fmt::format("; signs with {}", script::ShortWordsOf(person.sign_key));
  return text;
}

base::Result<void> RoomBook::CallRoll() {
  std::vector<const script::Person*> called;
  std::vector<room::Fact> list;
  for (const script::Person& person : roster_.people) {
    if (person.state != script::PersonState::kActive || attendance_.Find(person.id) != nullptr ||
        attendance_.FindApology(person.id) != nullptr)
      continue;
    called.push_back(&person);
    list.push_back({person.name, IntroductionOf(person)});
  }
  if (called.empty()) return {};
  terminal_.Say(room::Tone::kPlain, "The names are called one by one. Whoever is called answers aloud.");
  terminal_.ShowFacts(list);
  for (const script::Person* person : called)
    KC_RETURN_IF_ERROR(AskWhere(*person, "room.attend/" + person->id, Asks::kWhere));
  return {};
}

base::Result<void> RoomBook::AskWhere(const script::Person& person, const std::string& id, Asks asks) {
  std::vector<std::string> choices = {kHere, kPart, kRemote};
  if (asks == Asks::kWhere) {
    choices.insert(choices.end(), {kNotYet, kNever});
  } else {
    choices.emplace_back(kAbsent);
  }
  const Question question = Choice(
      id, fmt::format("{} ({}, {}): where are they?", person.name, script::TitlesOf(person.roles), person.employer),
      std::move(choices), kHere);
  while (true) {
    KC_ASSIGN_OR_RETURN(const std::string answer, terminal_.Ask(question));
    if (answer == kAbsent) return {};
    if (answer == kNotYet)
      return record_("note", {{"text", fmt::format("{} is not here yet", person.name)}, {"person", person.id}});
    if (answer == kNever) {
      KC_ASSIGN_OR_RETURN(const std::string reason, AskApology(person, id));
      if (reason == room::kBack) continue;
      return TakeApology(person, id, reason);
    }
    std::string hours;
    if (answer == kPart) {
      KC_ASSIGN_OR_RETURN(hours, AskHours(person, id));
      if (hours == room::kBack) continue;
    }
    return Enter(person, answer == kRemote ? quorum::Presence::kRemote : quorum::Presence::kInPerson, std::move(hours));
  }
}

base::Result<std::string> RoomBook::AskHours(const script::Person& person, const std::string& id) {
  Question question;
  question.kind = Question::Kind::kText;
  question.id = id + "/hours";
  question.person = "the room";
  question.text = fmt::format("From when until when is {} here, by the clock in the room?", person.name);
  question.pattern = kHoursPattern;
  question.example = "09:00-12:30";
  question.may_go_back = true;
  while (true) {
    base::Result<std::string> hours = terminal_.Ask(question);
    if (!hours.ok() || *hours == room::kBack || hours->substr(0, kHour) < hours->substr(kHour + 1)) return hours;
    terminal_.Say(room::Tone::kWarning, fmt::format("{} ends before it begins.", *hours));
  }
}

base::Result<void> RoomBook::Enter(const script::Person& person, quorum::Presence presence, std::string hours) {
  quorum::Attendee attendee;
  attendee.person = person.id;
  attendee.name = person.name;
  for (const script::Role role : person.roles) attendee.roles.emplace_back(script::NameOf(role));
  attendee.presence = presence;
  if (!hours.empty()) {
    attendee.from = hours.substr(0, kHour);
    attendee.until = hours.substr(kHour + 1);
  }
  attendee.deputy_for = attendance_.StandsInFor(person.id);
  json fields = attendance_.SpellArrival(attendee, person.employer);
  if (confidential_employers_) fields["employer"] = record::MarkConfidential(std::move(fields["employer"]));
  return record_("attend", std::move(fields));
}

base::Result<std::string> RoomBook::AskApology(const script::Person& person, const std::string& id) {
  Question why;
  why.kind = Question::Kind::kText;
  why.id = id + "/reason";
  why.person = "the room";
  why.text = fmt::format("Why will {} not come?", person.name);
  why.example = "ill";
  why.may_go_back = true;
  return terminal_.Ask(why);
}

base::Result<void> RoomBook::TakeApology(const script::Person& person, const std::string& id,
                                         const std::string& reason) {
  std::vector<const script::Person*> others;
  std::vector<std::string> choices = {kNobody};
  for (const script::Person& other : roster_.people) {
    if (other.id == person.id || other.state != script::PersonState::kActive ||
        attendance_.FindApology(other.id) != nullptr || !attendance_.StandsInFor(other.id).empty())
      continue;
    others.push_back(&other);
    choices.push_back(DeputyOf(other));
  }
  KC_ASSIGN_OR_RETURN(
      const std::string answer,
      terminal_.Ask(Choice(
          id + "/deputy",
          fmt::format("Who stands in for {}? A deputy acts with their own roles and their own key.", person.name),
          choices, kNobody)));
  const auto chosen = static_cast<std::size_t>(std::find(choices.begin(), choices.end(), answer) - choices.begin());
  const script::Person* deputy = chosen == 0 ? nullptr : others.at(chosen - 1);
  KC_RETURN_IF_ERROR(record_(
      "note", quorum::Attendance::SpellApology({person.id, person.name, reason, deputy == nullptr ? "" : deputy->id})));
  if (deputy == nullptr) return {};
  // Who came before this was known is entered again, as what they are now.
  const quorum::Attendee* here = attendance_.Find(deputy->id);
  if (here == nullptr) return {};
  const std::string hours = here->from.empty() ? std::string() : here->from + "-" + here->until;
  return Enter(*deputy, here->presence, hours);
}

base::Result<void> RoomBook::TakeDeparture(const script::Person& person, const std::string& id) {
  KC_ASSIGN_OR_RETURN(const std::string answer, terminal_.Ask(Choice(id, fmt::format("Is {} coming back?", person.name),
                                                                     {kForAWhile, kForGood, kStays}, kForGood)));
  if (answer == kStays) return {};
  const quorum::Attendee attendee = *attendance_.Find(person.id);
  return record_("depart", quorum::Attendance::SpellDeparture(attendee, "", answer == kForAWhile));
}

base::Result<void> RoomBook::RecordChange() {
  const char* nobody = kNobody;
  while (true) {
    std::vector<const script::Person*> people = {nullptr};
    std::vector<std::string> choices = {nobody};
    for (const script::Person& person : roster_.people) {
      const bool here = attendance_.Find(person.id) != nullptr;
      // Somebody who is being appointed is here without being active.
      if (person.state != script::PersonState::kActive && !here) continue;
      people.push_back(&person);
      choices.push_back(ChangeOf(person, here ? "leaves" : attendance_.HasLeft(person.id) ? "comes back" : "arrives"));
    }
    KC_ASSIGN_OR_RETURN(const std::string answer,
                        terminal_.Ask(Choice("room.change", "Who comes or goes?", choices, nobody)));
    const auto chosen = static_cast<std::size_t>(std::find(choices.begin(), choices.end(), answer) - choices.begin());
    if (chosen == 0) break;
    nobody = kNobodyElse;
    const script::Person& person = *people.at(chosen);
    const std::string id = "room.change/" + person.id;
    if (attendance_.Find(person.id) != nullptr) {
      KC_RETURN_IF_ERROR(TakeDeparture(person, id));
    } else {
      KC_RETURN_IF_ERROR(AskWhere(person, id, Asks::kHow));
    }
  }
  ShowQuorums();
  return {};
}

void RoomBook::ShowQuorums() const {
  for (const script::Quorum& quorum : roster_.quorums) {
    const std::size_t present = PresentOf(roster_, quorum, attendance_);
    const bool enough = present >= static_cast<std::size_t>(quorum.m);
    terminal_.Say(enough ? room::Tone::kGood : room::Tone::kWarning,
                  fmt::format("Quorum {}: {} here, {} must approve.", quorum.name,
                              base::Counted(present, "of its members is", "of its members are"), quorum.m));
  }
}

}  // namespace ceremony::steps
