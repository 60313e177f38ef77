// Probing: what a token really does, tried on session objects, compared with what it claims. Nothing is left on the
// token.
#ifndef HSM_PROBE_H_
#define HSM_PROBE_H_

#include <functional>
#include <string>
#include <vector>

#include "hsm/session.h"

namespace hsm {

// Trial is one thing that was tried.
struct Trial {
  // kUntried: the module makes no session key, and a probe leaves nothing behind.
  enum class Outcome : std::uint8_t { kWorks, kRefused, kUntried };
  std::string what;             // "make and use EC P-256 keys"
  CK_MECHANISM_TYPE mechanism;  // the one that decides whether it works
  bool claimed = false;         // the token lists it
  Outcome outcome = Outcome::kRefused;
  std::string said;  // why it was refused; or empty
};

struct Probe {
  std::vector<Trial> trials;
  std::vector<std::string> findings;  // where the token is not what its list and its attributes claim, in words
};

// ProbeToken tries every key algorithm (make, sign, verify), every way of moving a
// key that the token claims, and whether a key that may not leave does not. The
// session must be logged in as user, read-write. Between two trials it calls `stop`: true ends the probe with kAborted.
// Any other error means that the token went away.
Result<Probe> ProbeToken(Session& session, const std::function<bool()>& stop);

}  // namespace hsm

#endif  // HSM_PROBE_H_
