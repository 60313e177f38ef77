#include <fmt/format.h>

#include <algorithm>

#include "ceremony/estate/estate.h"
#include "ceremony/estate/lookup.h"

namespace ceremony::estate {

const Person* Estate::FindPerson(std::string_view id) const {
  return FindIf(people_, [&](const Person& p) { return p.id == id; });
}

base::Result<void> Estate::Take(const PersonAppointed& e, const Provenance& provenance) {
  if (const Person* known = FindPerson(e.person)) {
    return base::Refusal(
        "EST-PERSON-01",
        fmt::format("{} is the id of {}, who is {} since {}", e.person, known->name, known->state, Where(known->since)),
        "an id is one person for ever: give a new person an id of their own");
  }
  for (const std::string* key : {&e.sign_key, &e.open_key}) {
    const auto owner = std::find_if(people_.begin(), people_.end(), [&](const Person& p) {
      return !key->empty() && (p.sign_key == *key || p.open_key == *key);
    });
    if (owner == people_.end()) continue;
    return base::Refusal(
        "EST-PERSON-02",
        fmt::format("the {} key of {} is a key of {} since {}", key == &e.sign_key ? "signing" : "opening", e.person,
                    owner->id, Where(owner->appointed)),
        "each person makes keys of their own: keyceremony custodian new");
  }
  people_.push_back({e.person, e.name, e.employer, e.domain, e.site, e.role, e.sign_key, e.open_key, "active", e.on, "",
                     e.on, provenance, provenance});
  return {};
}

base::Result<void> Estate::Take(const PersonRetired& e, const Provenance& provenance) {
  const auto known = std::find_if(people_.begin(), people_.end(), [&](const Person& p) { return p.id == e.person; });
  if (known == people_.end()) {
    Person person;
    person.id = e.person;
    person.name = e.name;
    person.state = e.state;
    person.on = e.on;
    person.reason = e.reason;
    person.since = provenance;
    people_.push_back(std::move(person));
    return {};
  }
  if (known->state == "left" || known->state == e.state) {
    return base::Refusal(
        "EST-PERSON-03",
        fmt::format("{} is {} since {}, and cannot become {}", e.person, known->state, Where(known->since), e.state),
        "take the step out of the script, or correct the person's id");
  }
  known->state = e.state;
  known->on = e.on;
  known->reason = e.reason;
  known->since = provenance;
  return {};
}

}  // namespace ceremony::estate
