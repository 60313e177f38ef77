#include "ceremony/cli/custodians.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "ceremony/script/fingerprint.h"
#include "ceremony/steps/people_rules.h"

namespace ceremony::cli {
namespace {

using nlohmann::ordered_json;

std::string Join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "nobody" : text;
}

// SinceOf is the day of the present state, by the roster or else by the archive.
std::string SinceOf(const script::Person& person, const estate::Estate& estate) {
  if (!person.Since().empty()) return person.Since();
  const estate::Person* known = estate.FindPerson(person.id);
  return known == nullptr ? std::string() : known->on;
}

ordered_json KeyJson(const std::string& key) {
  if (key.empty()) return nullptr;
  const auto fingerprint = script::FingerprintOf(key);
  if (!fingerprint.ok()) return nullptr;
  return {{"sha256", fingerprint->Hex()}, {"words", fingerprint->Words()}};
}

}  // namespace

ordered_json CustodiansJson(const script::Roster& roster, const estate::Estate& estate) {
  ordered_json list = ordered_json::array();
  for (const script::Person& person : roster.people) {
    if (!person.HasRole(script::Role::kCustodian)) continue;
    const estate::Person* known = estate.FindPerson(person.id);
    list.push_back({{"id", person.id},
                    {"name", person.name},
                    {"employer", person.employer},
                    {"domain", person.domain},
                    {"site", person.site},
                    {"travels", person.travels},
                    {"state", script::NameOf(person.state)},
                    {"since", SinceOf(person, estate)},
                    {"ceremony", known == nullptr ? std::string() : known->since.ceremony},
                    {"sign_key", KeyJson(person.sign_key)},
                    {"open_key", KeyJson(person.open_key)}});
  }
  return list;
}

void PrintCustodians(const script::Roster& roster, const estate::Estate& estate, std::ostream& out) {
  out << "\nCustodians\n";
  bool any = false;
  for (const script::Person& person : roster.people) {
    if (!person.HasRole(script::Role::kCustodian)) continue;
    any = true;
    const std::string since = SinceOf(person, estate);
    std::string line = fmt::format("  {:<12} {:<20} {:<20} {}{}", person.id, person.name, person.employer,
                                   script::NameOf(person.state), since.empty() ? "" : ", since " + since);
    if (!person.site.empty()) line += ", at " + person.site;
    if (!person.domain.empty()) line += ", domain " + person.domain;
    out << line << "\n";
    if (!person.sign_key.empty()) out << "    signs with " << script::ShortWordsOf(person.sign_key) << "\n";
    if (!person.open_key.empty()) out << "    opens with " << script::ShortWordsOf(person.open_key) << "\n";
  }
  if (!any) out << "  none\n";
}

void AddPoolAlarms(const script::Policy& policy, const script::Roster& roster, const estate::Estate& estate,
                   std::vector<estate::DueItem>& due) {
  for (const steps::Pool& pool : steps::PoolsOf(roster, policy)) {
    if (!pool.alarm()) continue;
    due.push_back({fmt::format("appoint people ({} active, {} wanted) for the quorum", pool.active, pool.wanted),
                   pool.quorum, "", false});
  }
  for (const script::Person& person : roster.people) {
    if (person.state != script::PersonState::kLeaving) continue;
    const bool opens_some = !estate.TokensOpenedBy(person.id).empty();
    due.push_back({opens_some ? "reshare, then retire as left," : "retire as left,", person.id, "", false});
  }
}

ordered_json JoinersJson(const estate::JoinerLeaverReport& report) {
  ordered_json object{{"from", report.period.from}, {"to", report.period.to}};
  object["changes"] = ordered_json::array();
  for (const estate::PersonChange& change : report.changes) {
    object["changes"].push_back({{"on", change.on},
                                 {"id", change.person},
                                 {"name", change.name},
                                 {"employer", change.employer},
                                 {"roles", change.roles},
                                 {"state", script::NameOf(change.state)},
                                 {"ceremony", change.ceremony}});
  }
  object["active_before"] = report.before;
  object["active_after"] = report.after;
  object["undated"] = report.undated;
  return object;
}

void PrintJoiners(const estate::JoinerLeaverReport& report, std::ostream& out) {
  out << fmt::format("Joiners and leavers from {} to {}\n", report.period.from, report.period.to);
  const std::pair<const char*, script::PersonState> parts[] = {{"Joined", script::PersonState::kActive},
                                                               {"Leaving", script::PersonState::kLeaving},
                                                               {"Left", script::PersonState::kLeft}};
  for (const auto& [title, state] : parts) {
    const auto changes = report.Of(state);
    out << "\n" << title << "\n" << (changes.empty() ? "  nobody\n" : "");
    for (const estate::PersonChange* change : changes) {
      out << fmt::format("  {}  {:<12} {:<20} {:<20} {}\n", change->on, change->person, change->name, change->employer,
                         change->ceremony.empty() ? "by the roster" : change->ceremony);
    }
  }
  out << fmt::format("\nActive before: {} ({})\nActive after:  {} ({})\n", report.before.size(), Join(report.before),
                     report.after.size(), Join(report.after));
  if (!report.undated.empty())
    out << fmt::format("Without a date in the roster, counted in both: {}\n", Join(report.undated));
}

}  // namespace ceremony::cli
