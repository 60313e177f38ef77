#include "ceremony/estate/joiners.h"

#include <algorithm>
#include <optional>

#include "ceremony/script/fields.h"

namespace ceremony::estate {
namespace {

// The ceremony by which a person came to a state on a day.
std::string CeremonyOf(const Estate& estate, const script::Person& person, const script::StateChange& change) {
  const Person* known = estate.FindPerson(person.id);
  if (known == nullptr) return {};
  if (change.state == script::PersonState::kActive && known->appointed_on == change.on)
    return known->appointed.ceremony;
  const bool is_last = NameOf(change.state) == known->state && known->on == change.on;
  return is_last ? known->since.ceremony : std::string();
}

// The state at the end of a day; none when the history begins later.
std::optional<script::PersonState> StateAt(const script::Person& person, std::string_view day) {
  std::optional<script::PersonState> state;
  for (const script::StateChange& change : person.history) {
    if (change.on <= day) state = change.state;
  }
  return state;
}

// The state before a day began.
std::optional<script::PersonState> StateBefore(const script::Person& person, std::string_view day) {
  std::optional<script::PersonState> state;
  for (const script::StateChange& change : person.history) {
    if (change.on < day) state = change.state;
  }
  return state;
}

}  // namespace

base::Result<Period> ParsePeriod(std::string_view text) {
  const std::size_t dots = text.find("..");
  const auto refuse = [&](const char* why) {
    return base::MakeError(base::ErrorCode::kInvalidInput, "the period \"" + std::string(text) + "\" " + why)
        .WithHint("write it as two days: 2026-01-01..2026-12-31");
  };
  if (dots == std::string_view::npos) return refuse("has no \"..\" between two days");
  Period period{std::string(text.substr(0, dots)), std::string(text.substr(dots + 2))};
  for (const std::string* day : {&period.from, &period.to}) {
    if (!script::DateShape().Matches(*day)) return refuse("does not consist of two days of the calendar");
  }
  if (period.to < period.from) return refuse("ends before it begins");
  return period;
}

std::vector<const PersonChange*> JoinerLeaverReport::Of(script::PersonState state) const {
  std::vector<const PersonChange*> found;
  for (const PersonChange& change : changes) {
    if (change.state == state) found.push_back(&change);
  }
  return found;
}

JoinerLeaverReport ReportJoiners(const script::Roster& roster, const Estate& estate, const Period& period) {
  constexpr auto kActive = script::PersonState::kActive;
  JoinerLeaverReport report;
  report.period = period;
  for (const script::Person& person : roster.people) {
    const bool undated = person.history.empty() && person.state == kActive;
    if (undated) report.undated.push_back(person.id);
    if (undated || StateBefore(person, period.from) == kActive) report.before.push_back(person.id);
    if (undated || StateAt(person, period.to) == kActive) report.after.push_back(person.id);
    std::vector<std::string> roles;
    for (const script::Role role : person.roles) roles.emplace_back(script::NameOf(role));
    for (const script::StateChange& change : person.history) {
      if (change.on < period.from || change.on > period.to) continue;
      report.changes.push_back({change.on, person.id, person.name, person.employer, roles, change.state,
                                CeremonyOf(estate, person, change)});
    }
  }
  std::stable_sort(report.changes.begin(), report.changes.end(),
                   [](const PersonChange& a, const PersonChange& b) { return a.on < b.on; });
  return report;
}

}  // namespace ceremony::estate
