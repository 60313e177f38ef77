#include "ceremony/estate/roster_after.h"

namespace ceremony::estate {
namespace {

script::PersonState StateOf(const Person& person) {
  if (person.state == "left") return script::PersonState::kLeft;
  return person.state == "leaving" ? script::PersonState::kLeaving : script::PersonState::kActive;
}

}  // namespace

script::Roster RosterAfter(const script::Roster& roster, const Estate& estate) {
  script::Roster after = roster;
  after.file = {};
  for (script::Person& person : after.people) {
    const Person* known = estate.FindPerson(person.id);
    if (known == nullptr) continue;
    if (!known->sign_key.empty()) person.sign_key = known->sign_key;
    if (!known->open_key.empty()) person.open_key = known->open_key;
    const script::PersonState state = StateOf(*known);
    if (person.state == state) continue;
    // A state that was passed through within one ceremony has its day, too.
    if (state == script::PersonState::kLeft && person.state == script::PersonState::kActive && !known->on.empty())
      person.history.push_back({script::PersonState::kLeaving, known->on});
    person.state = state;
    if (!known->on.empty()) person.history.push_back({state, known->on});
  }
  return after;
}

}  // namespace ceremony::estate
