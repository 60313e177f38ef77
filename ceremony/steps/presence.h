// Presence answers, at the desk, who must attend and for which steps, and
// whether the people named can meet every quorum, with and without each of them
// (R20, R31, R40).
#ifndef CEREMONY_STEPS_PRESENCE_H_
#define CEREMONY_STEPS_PRESENCE_H_

#include <string>
#include <vector>

#include "ceremony/script/inputs.h"
#include "ceremony/steps/plan.h"

namespace ceremony::steps {

// QuorumPresence is one quorum that the ceremony asks for.
struct QuorumPresence {
  std::string name;
  std::string role;
  std::size_t m = 0;
  std::vector<std::string> members;  // ids, in roster order: active, with a key, and able to attend where its steps are
  std::vector<std::size_t> steps;    // numbers of the steps that it approves
  bool witnesses = false;            // it opens and closes the record, too

  bool possible() const { return members.size() >= m; }
  // How many members are one too many to miss; 0 when it is not possible at all.
  std::size_t lost_if_missing() const { return possible() ? members.size() - m + 1 : 0; }
};

struct PersonPresence {
  std::string id;
  std::string name;
  std::vector<std::string> roles;
  std::string site;
  std::vector<std::size_t> steps;  // that need somebody of a role of theirs, or are approved by a quorum of theirs
  std::vector<std::size_t> lost_without;  // of those, the ones that cannot be done when this one person is missing
};

// PresencePlan lists active people only, and of the quorums those that a step
// names, and the one that witnesses the record. Empty without a roster.
struct PresencePlan {
  std::vector<QuorumPresence> quorums;
  std::vector<PersonPresence> people;

  bool AllPossible() const;
  const QuorumPresence* Find(std::string_view quorum) const;
};

PresencePlan PlanPresence(const script::Inputs& inputs, const Plan& plan);

// NumbersText spells step numbers: "1, 3-5, 9"; "none".
std::string NumbersText(const std::vector<std::size_t>& numbers);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_PRESENCE_H_
