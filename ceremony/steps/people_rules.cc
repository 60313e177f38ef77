#include "ceremony/steps/people_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "hsm/base/counted.h"

namespace ceremony::steps {
namespace {

constexpr std::array<PeopleRule, 17> kRules = {{
    {"PLAN-QUORUM-02", Severity::kBreach},
    {"QUORUM-MAJORITY-01", Severity::kGoodPractice},
    {"QUORUM-SPARE-01", Severity::kGoodPractice},
    {"QUORUM-EMPLOYER-01", Severity::kBreach},
    {"ROLE-APART-01", Severity::kBreach},
    {"ATTEND-LEAST-01", Severity::kBreach},
    {"ATTEND-LEAST-02", Severity::kBreach},
    {"PERSON-ESTATE-01", Severity::kBreach},
    {"PERSON-ESTATE-02", Severity::kBreach},
    {"PERSON-ESTATE-03", Severity::kBreach},
    {"PERSON-DOMAIN-01", Severity::kBreach},
    {"QUORUM-DOMAIN-01", Severity::kBreach},
    {"QUORUM-JURISDICTION-01", Severity::kBreach},
    {"QUORUM-JURISDICTION-02", Severity::kBreach},
    {"TOKEN-DOMAIN-01", Severity::kBreach},
    {"PERSON-SITE-01", Severity::kBreach},
    {"TOKEN-SITE-01", Severity::kBreach},
}};

Severity OwnSeverity(std::string_view rule) {
  const auto found = std::find_if(kRules.begin(), kRules.end(), [&](const PeopleRule& r) { return r.id == rule; });
  return found == kRules.end() ? Severity::kBreach : found->severity;
}

std::string_view Are(std::size_t count) { return count == 1 ? "is" : "are"; }

bool IsActive(const script::Person& person) { return person.state == script::PersonState::kActive; }

// Reporter writes findings about the roster's file, or about a step.
class Reporter final {
 public:
  Reporter(const script::Inputs& inputs, Plan& plan) : inputs_(inputs), plan_(plan) {}

  void OfRoster(std::string_view rule, std::string message, std::string hint) {
    Add(rule, "", inputs_.roster->file.name, std::move(message), std::move(hint));
  }
  void OfStep(std::string_view rule, const script::Step& step, std::string_view field, std::string message,
              std::string hint) {
    Add(rule, step.id, inputs_.script.Where(step, field), std::move(message), std::move(hint));
  }

 private:
  void Add(std::string_view rule, std::string step, std::string where, std::string message, std::string hint) {
    plan_.findings.push_back({GradeOf(inputs_.policy, rule, OwnSeverity(rule)), std::string(rule), std::move(step),
                              std::move(where), std::move(message), std::move(hint)});
  }

  const script::Inputs& inputs_;
  Plan& plan_;
};

class Judge final {
 public:
  Judge(const script::Policy& policy, const script::Roster& roster) : policy_(policy), roster_(roster) {}

  std::vector<RosterFinding> All() {
    for (const script::Quorum& quorum : roster_.quorums) CheckQuorum(quorum);
    CheckPools();
    CheckRoles();
    CheckAttendance();
    return std::move(findings_);
  }

 private:
  void Add(std::string_view rule, std::string message, std::string hint) {
    findings_.push_back(
        {GradeOf(policy_, rule, OwnSeverity(rule)), std::string(rule), std::move(message), std::move(hint)});
  }

  void CheckQuorum(const script::Quorum& quorum) {
    const auto members = roster_.MembersOf(quorum);
    const auto m = static_cast<std::size_t>(quorum.m);
    if (quorum.m < policy_.quorum.minimum_m) {
      Add("PLAN-QUORUM-02",
          fmt::format("quorum {} asks for {}, the policy for at least {}", quorum.name,
                      base::Counted(m, "person", "people"), policy_.quorum.minimum_m),
          "raise m in the roster");
    }
    // Two quorums of one estate meet in at least one person only when m > n/2.
    if (2 * m <= members.size()) {
      Add("QUORUM-MAJORITY-01",
          fmt::format("quorum {} is {} of {}: two quorums need not have a person in common", quorum.name, m,
                      members.size()),
          "choose m above half of n");
    }
    CheckJurisdictions(quorum, members);
    if (!policy_.quorum.one_employer_below_m) return;
    std::map<std::string, std::size_t> employers;
    for (const script::Person* member : members) ++employers[member->employer];
    for (const auto& [employer, count] : employers) {
      if (count < m) continue;
      Add("QUORUM-EMPLOYER-01",
          fmt::format("{} of the members of quorum {} {} for {}, and {} {} a quorum", count, quorum.name,
                      count == 1 ? "works" : "work", employer, m, Are(m)),
          "appoint people of other employers, or raise m");
    }
  }

  // A court, a border or a strike must not stop, or make, a quorum alone: where
  // somebody's site is in no jurisdiction of the policy, they may be in any.
  void CheckJurisdictions(const script::Quorum& quorum, const std::vector<const script::Person*>& members) {
    using script::QuorumSpread;
    if (policy_.quorum.spread == QuorumSpread::kAny) return;
    std::map<std::string, std::size_t> jurisdictions;
    std::string nowhere;
    std::size_t unknown = 0;
    for (const script::Person* member : members) {
      if (const std::string jurisdiction = policy_.JurisdictionOf(member->site); !jurisdiction.empty()) {
        ++jurisdictions[jurisdiction];
      } else {
        ++unknown;
        nowhere += (nowhere.empty() ? "" : ", ") + member->id;
      }
    }
    if (policy_.quorum.spread == QuorumSpread::kOne) {
      if (jurisdictions.size() <= 1 && unknown == 0) return;
      std::string found;
      for (const auto& [name, count] : jurisdictions)
        found += fmt::format("{}{} of {}", found.empty() ? "" : ", ", count, name);
      if (unknown > 0) found += fmt::format("{}{} of none ({})", found.empty() ? "" : ", ", unknown, nowhere);
      Add("QUORUM-JURISDICTION-02",
          fmt::format("the members of quorum {} are {}, the policy wants all in one jurisdiction", quorum.name, found),
          "appoint people of that jurisdiction, or give their sites one under \"jurisdictions\" of the policy");
      return;
    }
    if (jurisdictions.empty()) {
      Add("QUORUM-JURISDICTION-01",
          fmt::format("no member of quorum {} is of a jurisdiction that the policy knows, and may be of any",
                      quorum.name),
          "give their sites one under \"jurisdictions\" of the policy");
    }
    for (const auto& [name, count] : jurisdictions) {
      if (count + unknown < static_cast<std::size_t>(quorum.m)) continue;
      Add("QUORUM-JURISDICTION-01",
          fmt::format("{} of the members of quorum {} {} of {}{}, and {} {} a quorum", count, quorum.name, Are(count),
                      name, unknown == 0 ? "" : fmt::format(" and {} of none ({})", unknown, nowhere), quorum.m,
                      Are(static_cast<std::size_t>(quorum.m))),
          "appoint people of other jurisdictions, or raise m");
    }
  }

  void CheckPools() {
    for (const Pool& pool : PoolsOf(roster_, policy_)) {
      if (!pool.alarm()) continue;
      Add("QUORUM-SPARE-01",
          fmt::format("quorum {} has {}, {} with {} spare are wanted", pool.quorum,
                      base::Counted(pool.active, "active member", "active members"), pool.m, policy_.quorum.spare),
          "appoint more people: custodian.appoint");
    }
  }

  void CheckRoles() {
    for (const script::Person& person : roster_.people) {
      if (!IsActive(person)) continue;
      for (const script::RolePair& pair : policy_.roles_apart) {
        if (!person.HasRole(pair.first) || !person.HasRole(pair.second)) continue;
        Add("ROLE-APART-01",
            fmt::format("{} is {} and {}, which the policy keeps apart", person.id, script::TitleOf(pair.first),
                        script::TitleOf(pair.second)),
            "take one of the two roles from this person");
      }
    }
  }

  void CheckAttendance() {
    for (const script::AttendancePolicy& least : policy_.attendance) {
      const auto active = std::count_if(roster_.people.begin(), roster_.people.end(),
                                        [&](const script::Person& p) { return IsActive(p) && p.HasRole(least.role); });
      if (active >= least.minimum) continue;
      Add("ATTEND-LEAST-01",
          fmt::format("the roster has {} active of role {}, the policy wants {} at every ceremony", active,
                      script::NameOf(least.role), least.minimum),
          "appoint more people of this role");
    }
  }

  const script::Policy& policy_;
  const script::Roster& roster_;
  std::vector<RosterFinding> findings_;
};

void CheckAttendSteps(const script::Inputs& inputs, Reporter& report) {
  if (inputs.script.sections.empty() || inputs.script.sections.front().steps.empty()) return;
  const script::Step& first = inputs.script.sections.front().steps.front();
  if (first.kind != "room.attend") return;
  const auto& people = first.fields.Object("people");
  for (const script::AttendancePolicy& least : inputs.policy.attendance) {
    const int asked = people.value(std::string(script::NameOf(least.role)), 0);
    if (asked >= least.minimum) continue;
    report.OfStep("ATTEND-LEAST-02", first, "people",
                  fmt::format("the step asks for {} of role {}, the policy wants {} at every ceremony", asked,
                              script::NameOf(least.role), least.minimum),
                  fmt::format("write \"{}\": {}", script::NameOf(least.role), least.minimum));
  }
}

void CheckEstate(const script::Inputs& inputs, const estate::Estate& estate, Reporter& report) {
  for (const estate::Person& known : estate.people()) {
    const script::Person* person = inputs.roster->FindPerson(known.id);
    const std::string where = estate::Where(known.since);
    constexpr const char* kHint = "give the roster that this ceremony has written: roster.json among its artefacts";
    if (known.state != "active") {
      if (person != nullptr && IsActive(*person)) {
        report.OfRoster("PERSON-ESTATE-01",
                        fmt::format("{} stands as active, and is {} since {}", known.id, known.state, where), kHint);
      }
      continue;
    }
    if (person == nullptr || !IsActive(*person)) {
      report.OfRoster("PERSON-ESTATE-03",
                      fmt::format("{} was appointed in {}, and {}", known.id, where,
                                  person == nullptr ? std::string("is not there")
                                                    : fmt::format("stands as {}", script::NameOf(person->state))),
                      kHint);
      continue;
    }
    const auto compare = [&](const char* name, const std::string& has, const std::string& wants) {
      if (has == wants) return;
      report.OfRoster("PERSON-ESTATE-02",
                      fmt::format("{} has the {} {}, and was appointed with {} in {}", known.id, name,
                                  has.empty() ? "none" : has, wants, where),
                      kHint);
    };
    compare("sign_key", person->sign_key, known.sign_key);
    compare("open_key", person->open_key, known.open_key);
  }
}

void CheckDomains(const script::Inputs& inputs, const script::Step& step, const StepPlan& current,
                  const script::Quorum* quorum, const estate::Estate& estate, Reporter& report) {
  for (const std::string& name : current.tokens) {
    const script::ScriptToken* token = inputs.script.FindToken(name);
    if (token == nullptr || token->domain.empty()) continue;
    const estate::Token* known = estate.FindToken(name);
    if (known != nullptr && !known->domain.empty() && known->domain != token->domain) {
      report.OfStep("TOKEN-DOMAIN-01", step, "token",
                    fmt::format("the script says that token {} is of the domain {}, it was commissioned for {} in {}",
                                name, token->domain, known->domain, estate::Where(known->since)),
                    "a token serves one PKI domain: name the token of this domain");
    }
    if (quorum == nullptr) continue;
    if (!quorum->domain.empty() && quorum->domain != token->domain) {
      report.OfStep("QUORUM-DOMAIN-01", step, "quorum",
                    fmt::format("quorum {} serves the domain {}, token {} is of {}", quorum->name, quorum->domain, name,
                                token->domain),
                    "name the quorum of this domain");
      continue;
    }
    for (const script::Person* member : inputs.roster->MembersOf(*quorum)) {
      if (member->domain.empty() || member->domain == token->domain) continue;
      report.OfStep("PERSON-DOMAIN-01", step, "quorum",
                    fmt::format("{} of quorum {} is {} of the domain {}, token {} is of {}", member->id, quorum->name,
                                script::TitleOf(quorum->role), member->domain, name, token->domain),
                    "give a roster in which only people of this domain are active");
    }
  }
}

void CheckSites(const script::Inputs& inputs, const script::Step& step, const StepPlan& current,
                const script::Quorum* quorum, Reporter& report) {
  if (!inputs.binding) return;
  std::map<std::string, std::string> token_at;  // site -> a token there
  for (const std::string& name : current.tokens) {
    const script::TokenBinding* bound = inputs.binding->Find(name);
    if (bound != nullptr && !bound->site.empty()) token_at.emplace(bound->site, name);
  }
  if (token_at.size() > 1) {
    const auto& [first_site, first] = *token_at.begin();
    const auto& [last_site, last] = *token_at.rbegin();
    report.OfStep("TOKEN-SITE-01", step, "",
                  fmt::format("the step needs token {} of the site {} and token {} of {} in one room", first,
                              first_site, last, last_site),
                  "bring them together first, and write the new site into the binding");
  }
  if (quorum == nullptr) return;
  for (const auto& [site, name] : token_at) {
    const auto members = inputs.roster->MembersOf(*quorum);
    const auto able = static_cast<std::size_t>(
        std::count_if(members.begin(), members.end(),
                      [&, &at = site](const script::Person* member) { return member->MayAttendAt(at); }));
    if (able >= static_cast<std::size_t>(quorum->m)) continue;
    report.OfStep(
        "PERSON-SITE-01", step, "quorum",
        fmt::format("quorum {} needs {} at the site {} of token {}, {} of its {} members may attend there",
                    quorum->name, base::Counted(quorum->m, "person", "people"), site, name, able, members.size()),
        "add the site to \"travels\" of those who can come, or hold the ceremony where they are");
  }
}

}  // namespace

std::span<const PeopleRule> PeopleRules() { return kRules; }

Severity GradeOf(const script::Policy& policy, std::string_view rule, Severity own) {
  const script::PolicyRule* graded = policy.FindRule(rule);
  return graded == nullptr ? own : graded->severity;
}

std::vector<Pool> PoolsOf(const script::Roster& roster, const script::Policy& policy) {
  std::vector<Pool> pools;
  for (const script::Quorum& quorum : roster.quorums) {
    const auto m = static_cast<std::size_t>(quorum.m);
    pools.push_back(
        {quorum.name, m, roster.MembersOf(quorum).size(), m + static_cast<std::size_t>(policy.quorum.spare)});
  }
  return pools;
}

std::vector<RosterFinding> JudgeRoster(const script::Policy& policy, const script::Roster& roster) {
  return Judge(policy, roster).All();
}

void CheckPeople(const script::Inputs& inputs, const estate::Estate& estate, Plan& plan) {
  Reporter report(inputs, plan);
  CheckAttendSteps(inputs, report);
  if (!inputs.roster) return;
  for (const RosterFinding& finding : JudgeRoster(inputs.policy, *inputs.roster)) {
    plan.findings.push_back(
        {finding.severity, finding.rule, "", inputs.roster->file.name, finding.message, finding.hint});
  }
  CheckEstate(inputs, estate, report);
}

void CheckStepPeople(const script::Inputs& inputs, const script::Step& step, const StepPlan& current, Plan& plan) {
  Reporter report(inputs, plan);
  const bool asks = inputs.roster && !step.quorum.empty();
  const script::Quorum* quorum = asks ? inputs.roster->FindQuorum(step.quorum) : nullptr;
  CheckDomains(inputs, step, current, quorum, plan.estate, report);
  CheckSites(inputs, step, current, quorum, report);
}

}  // namespace ceremony::steps
