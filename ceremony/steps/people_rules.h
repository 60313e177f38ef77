// The rules about people in `check`: they compare a roster with the policy's
// numbers, with what the archive knows about each person, and, step by step, with
// domain and site of the tokens.
//
// The policy may grade any of them by its id; the severity below is for rules
// that it does not name.
#ifndef CEREMONY_STEPS_PEOPLE_RULES_H_
#define CEREMONY_STEPS_PEOPLE_RULES_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/script/inputs.h"
#include "ceremony/steps/plan.h"

namespace ceremony::steps {

//   PLAN-QUORUM-02      breach         m is below the policy's minimum_m
//   QUORUM-MAJORITY-01  good practice  m is not more than half of n: two quorums need not meet
//   QUORUM-SPARE-01     good practice  fewer active members than m + spare: the pool alarm
//   QUORUM-EMPLOYER-01  breach         the people of one employer reach m alone (policy one_employer_below_m)
//   ROLE-APART-01       breach         one person holds two roles that the policy keeps apart
//   ATTEND-LEAST-01     breach         the roster has fewer of a role than the policy wants at every ceremony
//   ATTEND-LEAST-02     breach         the script's room.attend asks for fewer of a role than the policy
//   PERSON-ESTATE-01    breach         the roster has somebody as active whom a ceremony retired
//   PERSON-ESTATE-02    breach         the roster has another key than the person was appointed with
//   PERSON-ESTATE-03    breach         the roster does not have an appointed person as active
//   PERSON-DOMAIN-01    breach         a member of the quorum is of another PKI domain than the step's token
//   QUORUM-DOMAIN-01    breach         the step's quorum serves another PKI domain than the step's token
//   QUORUM-JURISDICTION-01 breach      the people of one jurisdiction reach m alone (policy: "several")
//   QUORUM-JURISDICTION-02 breach      the members are not all of one jurisdiction (policy: "one")
//   TOKEN-DOMAIN-01     breach         the script and the archive say different domains of one token
//   PERSON-SITE-01      breach         fewer than m members may attend where the step's token stands
//   TOKEN-SITE-01       breach         the tokens of one step stand at different sites
struct PeopleRule {
  std::string_view id;
  Severity severity;
};
std::span<const PeopleRule> PeopleRules();

// GradeOf is the policy's grade of a rule; `own` if the policy does not name it.
Severity GradeOf(const script::Policy& policy, std::string_view rule, Severity own);

// Pool compares the size of a quorum with the spare members that the policy wants.
struct Pool {
  std::string quorum;
  std::size_t m = 0;
  std::size_t active = 0;
  std::size_t wanted = 0;  // m and the policy's spare
  bool alarm() const { return active < wanted; }
};
std::vector<Pool> PoolsOf(const script::Roster& roster, const script::Policy& policy);

// RosterFinding is a fault in a roster alone.
struct RosterFinding {
  Severity severity = Severity::kBreach;
  std::string rule;
  std::string message;
  std::string hint;
};
// JudgeRoster checks the rules above that need neither script nor archive:
// quorums, spare members, employers, roles, attendance.
std::vector<RosterFinding> JudgeRoster(const script::Policy& policy, const script::Roster& roster);

// CheckPeople adds findings about the roster as a whole, CheckStepPeople findings
// for one step whose tokens are known. Without a roster they check only the
// script.
void CheckPeople(const script::Inputs& inputs, const estate::Estate& estate, Plan& plan);
void CheckStepPeople(const script::Inputs& inputs, const script::Step& step, const StepPlan& current, Plan& plan);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_PEOPLE_RULES_H_
