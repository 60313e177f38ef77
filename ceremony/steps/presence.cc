#include "ceremony/steps/presence.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace ceremony::steps {
namespace {

// SitesOf lists where the tokens of a step stand.
std::set<std::string> SitesOf(const script::Inputs& inputs, const StepPlan& step) {
  std::set<std::string> sites;
  if (!inputs.binding) return sites;
  for (const std::string& name : step.tokens) {
    const script::TokenBinding* bound = inputs.binding->Find(name);
    if (bound != nullptr) sites.insert(bound->site);
  }
  return sites;
}

bool MayAttend(const script::Person& person, const std::set<std::string>& sites) {
  return std::all_of(sites.begin(), sites.end(), [&](const std::string& site) { return person.MayAttendAt(site); });
}

std::vector<std::size_t> Numbers(const std::set<std::size_t>& numbers) { return {numbers.begin(), numbers.end()}; }

class Planner final {
 public:
  Planner(const script::Inputs& inputs, const Plan& plan) : roster_(*inputs.roster), inputs_(inputs), plan_(plan) {}

  PresencePlan Make() {
    for (const script::Quorum& quorum : roster_.quorums) AddQuorum(quorum);
    for (const script::Person& person : roster_.people) {
      if (person.state == script::PersonState::kActive) AddPerson(person);
    }
    return std::move(presence_);
  }

 private:
  void AddQuorum(const script::Quorum& quorum) {
    QuorumPresence entry{quorum.name, std::string(script::NameOf(quorum.role)), static_cast<std::size_t>(quorum.m), {},
                         {},          quorum.name == script::kRecordQuorum};
    std::set<std::string> sites;
    for (const StepPlan& step : plan_.steps) {
      if (step.quorum != quorum.name) continue;
      entry.steps.push_back(step.number);
      sites.merge(SitesOf(inputs_, step));
    }
    if (entry.steps.empty() && !entry.witnesses) return;
    for (const script::Person* member : roster_.MembersOf(quorum)) {
      if (MayAttend(*member, sites)) entry.members.push_back(member->id);
    }
    presence_.quorums.push_back(std::move(entry));
  }

  // How many active people a step can count on for a role.
  std::size_t CountOf(std::string_view role) const {
    const auto found = script::FindRole(role);
    if (!found) return 0;
    return static_cast<std::size_t>(std::count_if(
        roster_.people.begin(), roster_.people.end(),
        [&](const script::Person& p) { return p.state == script::PersonState::kActive && p.HasRole(*found); }));
  }

  void AddPerson(const script::Person& person) {
    PersonPresence entry{person.id, person.name, {}, person.site, {}, {}};
    for (const script::Role role : person.roles) entry.roles.emplace_back(script::NameOf(role));
    std::set<std::size_t> steps;
    std::set<std::size_t> lost;
    for (const StepPlan& step : plan_.steps) {
      for (const auto& [role, count] : step.people) {
        if (std::find(entry.roles.begin(), entry.roles.end(), role) == entry.roles.end()) continue;
        steps.insert(step.number);
        if (CountOf(role) <= count) lost.insert(step.number);
      }
    }
    for (const QuorumPresence& quorum : presence_.quorums) {
      if (std::find(quorum.members.begin(), quorum.members.end(), person.id) == quorum.members.end()) continue;
      steps.insert(quorum.steps.begin(), quorum.steps.end());
      const bool cannot_miss = quorum.members.size() <= quorum.m;
      if (cannot_miss) lost.insert(quorum.steps.begin(), quorum.steps.end());
      if (!quorum.witnesses || plan_.steps.empty()) continue;
      // It opens the record after the first step, and signs the closed one after the last.
      steps.insert({plan_.steps.front().number, plan_.steps.back().number});
      if (cannot_miss) lost.insert({plan_.steps.front().number, plan_.steps.back().number});
    }
    entry.steps = Numbers(steps);
    entry.lost_without = Numbers(lost);
    presence_.people.push_back(std::move(entry));
  }

  const script::Roster& roster_;
  const script::Inputs& inputs_;
  const Plan& plan_;
  PresencePlan presence_;
};

}  // namespace

bool PresencePlan::AllPossible() const {
  return std::all_of(quorums.begin(), quorums.end(), [](const QuorumPresence& q) { return q.possible(); });
}

const QuorumPresence* PresencePlan::Find(std::string_view quorum) const {
  const auto found =
      std::find_if(quorums.begin(), quorums.end(), [&](const QuorumPresence& q) { return q.name == quorum; });
  return found == quorums.end() ? nullptr : &*found;
}

PresencePlan PlanPresence(const script::Inputs& inputs, const Plan& plan) {
  if (!inputs.roster) return {};
  return Planner(inputs, plan).Make();
}

std::string NumbersText(const std::vector<std::size_t>& numbers) {
  if (numbers.empty()) return "none";
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    const std::string part = last == i       ? std::to_string(numbers[i])
                             : last == i + 1 ? fmt::format("{}, {}", numbers[i], numbers[last])
                                             : fmt::format("{}-{}", numbers[i], numbers[last]);
    text += (text.empty() ? "" : ", ") + part;
    i = last + 1;
  }
  return text;
}

std::string StepsText(const std::vector<std::size_t>& numbers) {
  if (numbers.empty()) return "no step";
  return (numbers.size() == 1 ? "step " : "steps ") + NumbersText(numbers);
}

}  // namespace ceremony::steps
