// What a request's `subject` says, for the people who are to approve it: in the
// room, and on a custodian's own machine, in the same words.
#ifndef CEREMONY_QUORUM_SUBJECT_FACTS_H_
#define CEREMONY_QUORUM_SUBJECT_FACTS_H_

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "ceremony/room/terminal.h"

namespace ceremony::quorum {

// ShortFacts lists what a person can read aloud: plain values of at most 80 bytes, lists, one line for each object of a
// list, and whether the private key that a template describes may leave its token. The last fact names the members
// that are too long for that: digests, bytes, other attributes. Empty values are left out.
std::vector<room::Fact> ShortFacts(const nlohmann::json& subject);

// AllFacts lists every value; one that is nested is named by its path, "steps.1.token", counted from 1.
std::vector<room::Fact> AllFacts(const nlohmann::json& subject);

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_SUBJECT_FACTS_H_
