#include "ceremony/script/roster.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "ceremony/script/names.h"
#include "ceremony/script/parsed.h"
#include "ceremony/script/roster_keys.h"
#include "ceremony/script/written.h"

namespace ceremony::script {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array kRoles{
    Named<Role>{Role::kAdministrator, "administrator", "operates the machine"},
    Named<Role>{Role::kSecurityOfficer, "security-officer", "leads the ceremony and answers for it"},
    Named<Role>{Role::kCustodian, "custodian", "holds a share and approves"},
    Named<Role>{Role::kWitness, "witness", "sees what happens and signs for it"},
    Named<Role>{Role::kAuditor, "auditor", "judges the ceremony from outside"},
};

constexpr std::string_view kRulePersonState = "PERSON-STATE-01";

constexpr std::array kStates{
    Named<PersonState>{PersonState::kNominated, "nominated", "proposed"},
    Named<PersonState>{PersonState::kScreened, "screened", "background checked"},
    Named<PersonState>{PersonState::kApproved, "approved", "appointed, not yet trained"},
    Named<PersonState>{PersonState::kTrained, "trained", "ready to take up the role"},
    Named<PersonState>{PersonState::kActive, "active", "counts for quorums"},
    Named<PersonState>{PersonState::kLeaving, "leaving", "no longer counts, still holds shares"},
    Named<PersonState>{PersonState::kLeft, "left", "holds nothing"},
};

std::string RolePattern() {
  std::string pattern;
  for (const auto& role : kRoles) pattern += (pattern.empty() ? "" : "|") + std::string(role.word);
  return pattern;
}

Person BuildPerson(const json& value) {
  Person person;
  person.id = value.at("id");
  person.name = value.at("name");
  person.employer = value.at("employer");
  for (const json& role : value.at("roles"))
    person.roles.push_back(ValueOf(kRoles, role.get_ref<const std::string&>()));
  person.domain = value.value("domain", "");
  person.site = value.value("site", "");
  person.travels = value.at("travels").get<std::vector<std::string>>();
  person.state = ValueOf(kStates, value.at("state").get_ref<const std::string&>());
  for (const json& change : value.at("history")) {
    person.history.push_back({ValueOf(kStates, change.at("state").get_ref<const std::string&>()), change.at("on")});
  }
  person.sign_key = value.value("sign_key", "");
  person.open_key = value.value("open_key", "");
  return person;
}

std::string SuccessorsOf(PersonState state) {
  std::string words;
  for (const auto& named : kStates) {
    if (MayBecome(state, named.value)) words += fmt::format("{}\"{}\"", words.empty() ? "" : " or ", named.word);
  }
  return words.empty() ? "none" : words;
}

void CheckHistory(const Document& document, const Person& person, const Node& node, Problems& problems) {
  const Node* history = node.Find("history");
  if (history == nullptr || person.history.empty()) return;
  for (std::size_t i = 1; i < person.history.size(); ++i) {
    const StateChange& before = person.history[i - 1];
    const StateChange& change = person.history[i];
    if (change.on < before.on) {
      AddProblem(document, *history->children()[i], PlaceOf::kValue, kRuleContradiction,
                 fmt::format("expected a date on or after {}, found {}", before.on, change.on), "", problems);
    }
    if (!MayBecome(before.state, change.state)) {
      AddProblem(document, *history->children()[i]->Find("state"), PlaceOf::kValue, kRulePersonState,
                 fmt::format("expected a state that may follow \"{}\" ({}), found \"{}\"", NameOf(before.state),
                             SuccessorsOf(before.state), NameOf(change.state)),
                 before.state == PersonState::kLeft ? "give somebody who comes back an id of their own"
                                                    : "state every step of the way, with its date",
                 problems);
    }
  }
  if (person.history.back().state != person.state) {
    AddProblem(document, *node.Find("state"), PlaceOf::kValue, kRuleContradiction,
               fmt::format("expected the last state of the history, \"{}\", found \"{}\"",
                           NameOf(person.history.back().state), NameOf(person.state)),
               "", problems);
  }
}

void CheckQuorums(const Document& document, const Roster& roster, Problems& problems) {
  const Node& node = *document.root().Find("quorums");
  for (const Quorum& quorum : roster.quorums) {
    if (quorum.name == kRecordQuorum && !quorum.domain.empty()) {
      AddProblem(document, *node.Find(quorum.name)->Find("domain"), PlaceOf::kValue, kRuleContradiction,
                 fmt::format("expected no domain, found \"{}\": the quorum {} witnesses records of every domain",
                             quorum.domain, kRecordQuorum),
                 "define a quorum of its own for the steps of this domain", problems);
    }
    const auto members = static_cast<int>(roster.MembersOf(quorum).size());
    if (quorum.m <= members) continue;
    AddProblem(document, *node.Find(quorum.name)->Find("m"), PlaceOf::kValue, kRuleContradiction,
               fmt::format("expected at most {}, found {}: so many people are active with the role {}{} and a sign_key",
                           members, quorum.m, NameOf(quorum.role),
                           quorum.domain.empty() ? "" : ", the domain " + quorum.domain),
               "", problems);
  }
  if (roster.FindQuorum(kRecordQuorum) == nullptr) {
    AddProblem(document, node, PlaceOf::kValue, kRuleReference,
               fmt::format("expected the quorum \"{}\", which witnesses every record", kRecordQuorum), "", problems);
  }
}

void BuildRoster(const Document& document, const json& values, Roster& roster, Problems& problems) {
  roster.estate = values.at("estate");
  for (const Node* node : document.root().Find("quorums")->children()) {
    const json& value = values.at("quorums").at(node->key());
    roster.quorums.push_back({node->key(), value.at("m"),
                              ValueOf(kRoles, value.at("role").get_ref<const std::string&>()),
                              value.value("domain", "")});
  }
  RosterKeys keys(document, problems);
  std::map<std::string, Position> ids;
  const Node& people = *document.root().Find("people");
  for (std::size_t i = 0; i < people.children().size(); ++i) {
    const Node& node = *people.children()[i];
    Person person = BuildPerson(values.at("people")[i]);
    const auto [first, is_new] = ids.emplace(person.id, node.Find("id")->position());
    if (!is_new) {
      AddProblem(document, *node.Find("id"), PlaceOf::kValue, kRuleSameName,
                 fmt::format("expected an id of its own, found that of the person in line {}", first->second.line), "",
                 problems);
    }
    keys.Check(node, "sign_key", SignKeyAlgorithms());
    keys.Check(node, "open_key", OpenKeyAlgorithms());
    CheckHistory(document, person, node, problems);
    roster.people.push_back(std::move(person));
  }
  CheckQuorums(document, roster, problems);
}

FieldTable PersonTable() {
  FieldTable change{"history entry",
                    "When a person came to a state.",
                    {Field::Choice("state", ChoicesOf(kStates), "the new state"), Field::Date("on", "the day")},
                    {}};
  return {
      "person",
      "Somebody who takes part in ceremonies.",
      {Field::Id("id", "names the person in records; never used again for somebody else").Example("\"alice\""),
       Field::Text("name", "as identity papers spell it"), Field::Text("employer", "the company that pays this person"),
       Field::List("roles", Field::Choice("role", RoleChoices(), "a role"), 1, 5, "what the person may do").Unique(),
       Field::Id("domain", "PKI domain; left out: any").Optional(),
       Field::Text("site", "where the person works; left out: anywhere").Optional(),
       Field::List("travels", Field::Text("site", "a site"), 0, 50, "other sites where the person may attend")
           .Unique()
           .DefaultJson("[]"),
       Field::Choice("state", ChoicesOf(kStates), "only who is active counts for a quorum"),
       Field::List("history", Field::Table("change", std::move(change), "a change"), 0, 50,
                   "states and their dates, oldest first")
           .DefaultJson("[]"),
       Field::Shaped("sign_key", Base64Shape(), "public key for approvals: DER SubjectPublicKeyInfo, P-256 or Ed25519")
           .Length(4, 400)
           .Optional(),
       Field::Shaped("open_key", Base64Shape(), "public key that shares are sealed to: DER SubjectPublicKeyInfo, P-256")
           .Length(4, 400)
           .Optional()},
      {}};
}

}  // namespace

std::string_view NameOf(Role role) { return WordOf(kRoles, role); }

std::string_view TitleOf(Role role) { return role == Role::kSecurityOfficer ? "security officer" : NameOf(role); }

std::string TitlesOf(const std::vector<Role>& roles) {
  std::string titles;
  for (const Role role : roles) titles += (titles.empty() ? "" : ", ") + std::string(TitleOf(role));
  return titles;
}

std::vector<ChoiceName> RoleChoices() { return ChoicesOf(kRoles); }

std::optional<Role> FindRole(std::string_view name) { return FindValue(kRoles, name); }

const Shape& RoleShape() {
  static const Shape shape{"role", Pattern::Parse(RolePattern()).value(),
                           "a role (administrator, security-officer, custodian, witness or auditor)"};
  return shape;
}

std::string_view NameOf(PersonState state) { return WordOf(kStates, state); }

bool MayBecome(PersonState from, PersonState to) {
  if (from == PersonState::kLeft) return false;
  if (to == PersonState::kLeft) return from != PersonState::kActive;
  return static_cast<int>(to) == static_cast<int>(from) + 1;
}

bool Person::MayAttendAt(std::string_view place) const {
  return place.empty() || site.empty() || site == place ||
         std::find(travels.begin(), travels.end(), place) != travels.end();
}

std::string Person::Since() const { return history.empty() ? std::string() : history.back().on; }

bool Person::HasRole(Role role) const { return std::find(roles.begin(), roles.end(), role) != roles.end(); }

const Person* Roster::FindPerson(std::string_view id) const {
  const auto found = std::find_if(people.begin(), people.end(), [&](const Person& person) { return person.id == id; });
  return found == people.end() ? nullptr : &*found;
}

const Quorum* Roster::FindQuorum(std::string_view name) const {
  const auto found =
      std::find_if(quorums.begin(), quorums.end(), [&](const Quorum& quorum) { return quorum.name == name; });
  return found == quorums.end() ? nullptr : &*found;
}

std::vector<const Person*> Roster::MembersOf(const Quorum& quorum) const {
  std::vector<const Person*> members;
  for (const Person& person : people) {
    const bool fits = quorum.domain.empty() || person.domain.empty() || person.domain == quorum.domain;
    if (person.state == PersonState::kActive && person.HasRole(quorum.role) && !person.sign_key.empty() && fits)
      members.push_back(&person);
  }
  return members;
}

const FieldTable& RosterTable() {
  static const FieldTable table{
      "roster",
      "The people of an estate, their keys, and the quorums they form.",
      {FormatField("keyceremony-roster/1"),
       Field::Id("estate", "the estate; key names are `<estate>/<person id>`").Example("\"smki.example\""),
       Field::Map(
           "quorums", IdShape(),
           Field::Table(
               "quorum",
               {"quorum",
                "So many people of a role must approve.",
                {Field::Integer("m", 1, 255, "how many"), Field::Choice("role", RoleChoices(), "of which role"),
                 Field::Id("domain", "PKI domain that it serves: who is of another one does not count; left out: any")
                     .Optional()},
                {}},
               "a quorum"),
           1, 100, "quorums by the name that steps use; `custodians` witnesses every record"),
       Field::List("people", Field::Table("person", PersonTable(), "a person"), 1, 1000,
                   "everybody who is or was there")},
      {}};
  return table;
}

base::Result<Roster> ParseRoster(LoadedFile file, Problems* problems) {
  const auto build = [](const Document& document, const json& values, Roster& roster, Problems& all) {
    BuildRoster(document, values, roster, all);
  };
  return Parsed<Roster>(RosterTable(), std::move(file), problems, build);
}

base::Result<Roster> ReadRoster(const std::string& path, Problems* problems) {
  KC_ASSIGN_OR_RETURN(LoadedFile file, LoadFile(path));
  return ParseRoster(std::move(file), problems);
}

base::Result<std::string> WriteRoster(const Roster& roster) {
  ordered_json file{{"format", "keyceremony-roster/1"}, {"estate", roster.estate}};
  file["quorums"] = ordered_json::object();
  for (const Quorum& quorum : roster.quorums) {
    file["quorums"][quorum.name] = {{"m", quorum.m}, {"role", NameOf(quorum.role)}};
    if (!quorum.domain.empty()) file["quorums"][quorum.name]["domain"] = quorum.domain;
  }
  file["people"] = ordered_json::array();
  for (const Person& person : roster.people) {
    ordered_json entry{{"id", person.id}, {"name", person.name}, {"employer", person.employer}};
    entry["roles"] = ordered_json::array();
    for (const Role role : person.roles) entry["roles"].push_back(NameOf(role));
    if (!person.domain.empty()) entry["domain"] = person.domain;
    if (!person.site.empty()) entry["site"] = person.site;
    if (!person.travels.empty()) entry["travels"] = person.travels;
    entry["state"] = NameOf(person.state);
    for (const StateChange& change : person.history)
      entry["history"].push_back({{"state", NameOf(change.state)}, {"on", change.on}});
    if (!person.sign_key.empty()) entry["sign_key"] = person.sign_key;
    if (!person.open_key.empty()) entry["open_key"] = person.open_key;
    file["people"].push_back(std::move(entry));
  }
  return Written(file, [](LoadedFile written) { return ParseRoster(std::move(written)); });
}

base::Result<void> CheckRoster(const Script& script, const Roster& roster) {
  Problems problems;
  if (roster.estate != script.estate) {
    AddProblem(script.document, *script.document.root().Find("estate"), PlaceOf::kValue, kRuleContradiction,
               fmt::format("expected the estate of the roster {}, \"{}\", found \"{}\"", roster.file.name,
                           roster.estate, script.estate),
               "", problems);
  }
  std::vector<std::string> names;
  for (const Quorum& quorum : roster.quorums) names.push_back(quorum.name);
  for (const Section& section : script.sections) {
    for (const Step& step : section.steps) {
      if (step.quorum.empty() || roster.FindQuorum(step.quorum) != nullptr) continue;
      const std::string nearest = NearestName(step.quorum, names);
      problems.Add(script.ProblemAt(
          step, "quorum", std::string(kRuleReference),
          fmt::format("expected a quorum of the roster {}, found \"{}\"", roster.file.name, step.quorum),
          nearest.empty() ? "" : "did you mean `" + nearest + "`?"));
    }
  }
  if (!problems.empty()) return problems.ToError();
  return {};
}

}  // namespace ceremony::script
