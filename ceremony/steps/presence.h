// Presence says at the desk who must attend and for which steps, and whether
// these people can meet every quorum, with and without each of them
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
  // The smallest number of absences that loses the quorum; 0 if there is no quorum anyway.
  std::size_t lost_if_missing() const { return possible() ? members.size() - m + 1 : 0; }
};

struct PersonPresence {
  std::string id;
  std::string name;
  std::vector<std::string> roles;
  std::string site;
  std::vector<std::size_t> steps;         // steps that need one of their roles, or that one of their quorums approves
  std::vector<std::size_t> lost_without;  // those of `steps` that cannot be done without this person
};

// PresencePlan lists active people, the quorums that steps name, and the quorum
// that witnesses the record. Empty without a roster.
struct PresencePlan {
  std::vector<QuorumPresence> quorums;
  std::vector<PersonPresence> people;

  bool AllPossible() const;
  const QuorumPresence* Find(std::string_view quorum) const;
};

PresencePlan PlanPresence(const script::Inputs& inputs, const Plan& plan);

// NumbersText spells step numbers: "1, 3-5, 9"; "none". StepsText adds the word: "step 4", "steps 1, 3-5", "no step".
std::string NumbersText(const std::vector<std::size_t>& numbers);
std::string StepsText(const std::vector<std::size_t>& numbers);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_PRESENCE_H_
