// Plan is what `check` finds out about a script before anybody travels: the
// people and things that each step needs, what it writes, how long it takes, and
// every problem with its rule id.
#ifndef CEREMONY_STEPS_PLAN_H_
#define CEREMONY_STEPS_PLAN_H_

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/script/inputs.h"
#include "ceremony/script/script.h"
#include "ceremony/x509/severity.h"

namespace ceremony::steps {

using x509::Severity;

// Finding is a problem that stops a ceremony at the desk until its cause is mended or its rule is waived; a waived one
// is part of the record. A departure from good practice is only shown before a rehearsal, and without a binding.
struct Finding {
  Severity severity = Severity::kBreach;
  std::string rule;   // "PLAN-TOKEN-01"
  std::string step;   // step id; empty when it is about the whole script
  std::string where;  // "file:line:column" of the field at fault
  std::string message;
  std::string hint;
  std::vector<std::string> waived_by{};  // people of a waiver; empty: it stands
  std::string waived_because{};
  bool wants_waiver = false;  // good practice, with a binding by which it counts

  // Blocks: the ceremony does not begin with it.
  bool Blocks() const { return waived_by.empty() && (severity == Severity::kBreach || wants_waiver); }
};

// StepPlan is what one step needs and leaves.
struct StepPlan {
  std::size_t number = 0;  // from 1, over the whole script
  std::string id;
  std::string kind;
  std::string title;
  std::string section;
  std::string quorum;                  // name of the quorum that approves it; empty if none
  bool approved_with_section = false;  // one approval for several steps of the section
  std::set<std::string> tokens;
  std::map<std::string, std::size_t> people;  // role -> least number
  std::vector<std::string> writes;            // paths below the record folder
  unsigned seconds = 0;                       // estimate, people's time included
};

struct Plan {
  std::vector<StepPlan> steps;
  std::vector<Finding> findings;
  estate::Estate estate;  // as it will be when the ceremony is over

  bool IsBlocked() const;  // by any finding
  unsigned TotalSeconds() const;
  std::set<std::string> Tokens() const;
  // People gives for each role the largest number that any step needs.
  std::map<std::string, std::size_t> People() const;
};

// InWords spells the numbers for people: "1 administrator, 3 custodians".
std::string InWords(const std::map<std::string, std::size_t>& people);

// PlanContext is what a StepKind::Check may look at and report to.
class PlanContext final {
 public:
  PlanContext(const script::Inputs& inputs, const script::Step& step, Plan& plan, StepPlan& current)
      : inputs_(inputs), step_(step), plan_(plan), current_(current) {}

  const script::Inputs& inputs() const { return inputs_; }
  const estate::Estate& estate() const { return plan_.estate; }

  // Breach and GoodPractice report a finding about the named field of the step
  // (empty: the step itself).
  void Breach(std::string rule, std::string_view field, std::string message, std::string hint);
  void GoodPractice(std::string rule, std::string_view field, std::string message, std::string hint);

  // NeedsToken reports PLAN-TOKEN-01 when the script declares no such token.
  void NeedsToken(const std::string& token);
  // NeedsCommissionedToken also reports PLAN-TOKEN-02 if no earlier step or
  // ceremony took the token into service, and PLAN-TOKEN-05 if it is in transit
  // or retired.
  void NeedsCommissionedToken(const std::string& token);
  // NeedsPeople reports PLAN-PEOPLE-01 if the roster has fewer active people of the role.
  void NeedsPeople(const std::string& role, std::size_t count);
  // Writes reports PLAN-OUT-01 when two steps write the same path.
  void Writes(const std::string& path);
  void Takes(unsigned seconds) { current_.seconds += seconds; }

  // Plans applies an effect to the model; a contradiction is a breach.
  void Plans(const estate::Effect& effect);

 private:
  void Report(Severity severity, std::string rule, std::string_view field, std::string message, std::string hint);

  const script::Inputs& inputs_;
  const script::Step& step_;
  Plan& plan_;
  StepPlan& current_;
};

class StepKind;

// IsCoveredBySection tells whether the section's one approval covers the step.
bool IsCoveredBySection(const script::Section& section, const script::Step& step, const StepKind& kind);

// MakePlan checks the whole script, in order, against the estate as it is now.
// It always returns a plan; problems are findings in it.
Plan MakePlan(const script::Inputs& inputs, const estate::Estate& estate);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_PLAN_H_
