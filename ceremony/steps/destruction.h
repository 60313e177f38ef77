// Carries out a destruction that key.destroy has decided. It looks at every token before it
// destroys anything, and afterwards shows that no token has an object of the keys.
#ifndef CEREMONY_STEPS_DESTRUCTION_H_
#define CEREMONY_STEPS_DESTRUCTION_H_

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ceremony/script/script.h"
#include "ceremony/steps/step_context.h"

namespace ceremony::steps {

// Elsewhere is an absent token; a document accounts for its copies.
struct Elsewhere {
  std::string token, document, reason;
};

// Destruction is one run of the step.
struct Destruction {
  const script::Step& step;
  StepContext& context;
  std::vector<estate::Key> keys;  // as the estate knows them before
  std::vector<std::string> tokens;
  std::vector<Elsewhere> elsewhere;
  using CopyName = std::pair<std::string, std::string>;  // token, key
  std::map<CopyName, std::string> sign_tries;            // what the token answered
  std::map<CopyName, std::vector<std::string>> tests;    // searches after it that found nothing

  std::string early() const { return step.fields.TextOr("reason", ""); }
  bool Brings(const std::string& token) const { return std::find(tokens.begin(), tokens.end(), token) != tokens.end(); }
  const Elsewhere* FindElsewhere(const std::string& token) const {
    const auto found =
        std::find_if(elsewhere.begin(), elsewhere.end(), [&](const Elsewhere& e) { return e.token == token; });
    return found == elsewhere.end() ? nullptr : &*found;
  }
  std::vector<const estate::Key*> KeysOn(const std::string& token) const {
    std::vector<const estate::Key*> on;
    for (const estate::Key& key : keys) {
      if (key.FindCopy(token) != nullptr) on.push_back(&key);
    }
    return on;
  }
};

// DestructionArtefact is where a key's certificate of destruction is among the artefacts.
std::string DestructionArtefact(const std::string& key);

// CarryOut destroys every copy on the destruction's tokens after the quorum approved it, proves
// that they are gone, and writes the certificates. It does not repeat what an earlier attempt did.
//   KEY-STRANGER-01, -02  a token has an object that may be an unrecorded copy
//   KEY-DESTROY-05        a copy is missing, and no entry says who destroyed it
//   KEY-ABSENT-01         an object has come back after the module was initialised anew
base::Result<void> CarryOut(Destruction& destruction);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_DESTRUCTION_H_
