// A copy of a key that arrives on a token: its attributes, its entry after the proof, and
// its remnants after an interruption. key.clone and key.import share it.
#ifndef CEREMONY_STEPS_COPY_ARRIVAL_H_
#define CEREMONY_STEPS_COPY_ARRIVAL_H_

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "ceremony/steps/step_context.h"
#include "hsm/base/public_key.h"
#include "hsm/keygen.h"

namespace ceremony::steps {

// The `what` of the `observe` entry for a proven copy; such a copy is taken over after an
// interruption.
inline constexpr std::string_view kCopyProven = "copy-proven";

struct Arrival {
  estate::Key key;        // as the estate knows it before
  std::string object_id;  // CKA_ID, hex: one on every token
  std::string source;     // the token that it comes from, or estate::WrappedFor
  std::string token;      // logical name
  std::string serial;
  std::string way;  // as in estate::KeyCloned
  bool extractable = false;
};

// SpecOf is the template of the copy. It has the same CKA_ID on every token, by which an
// application finds the key, and we a half-made copy. Errors as AlgorithmOf.
base::Result<hsm::KeyPairSpec> SpecOf(const Arrival& arrival);

// AlgorithmOf is the algorithm of a key by the name that the archive has. kUnsupported KEY-ALGORITHM-01: a newer
// program wrote a name that this one does not know.
base::Result<base::KeyAlgorithm> AlgorithmOf(const estate::Key& key);

// RemoveRemnants destroys objects that an earlier attempt of this step brought in and never
// proved; the copy is then made anew.
base::Result<void> RemoveRemnants(StepContext& context, const Arrival& arrival, hsm::Session& session);

// RecordCopy records a copy that the artefact `proof` proves, with `fields` about its way,
// and shows people that it is a clone.
base::Result<void> RecordCopy(StepContext& context, const Arrival& arrival, hsm::Session& session,
                              const base::PublicKey& public_key, const std::string& proof, nlohmann::json fields);

// TakeOver finds the copy that was proven before an interruption, and checks that it is still the key.
base::Result<void> TakeOver(StepContext& context, hsm::Session& session, const base::PublicKey& public_key);

// AchieveCopy takes the copy into the estate.
base::Result<void> AchieveCopy(StepContext& context, const Arrival& arrival, hsm::Session& session,
                               const base::PublicKey& public_key);

// FlagWords spells an attribute that is true, false or absent.
std::string FlagWords(const std::optional<bool>& flag);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_COPY_ARRIVAL_H_
