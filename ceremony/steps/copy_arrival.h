// A copy of a key that comes to a token: what it is to be, how it is recorded once it
// has proven itself, and what an interruption leaves of it. key.clone and key.import share it.
#ifndef CEREMONY_STEPS_COPY_ARRIVAL_H_
#define CEREMONY_STEPS_COPY_ARRIVAL_H_

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "ceremony/steps/step_context.h"
#include "hsm/base/public_key.h"
#include "hsm/keygen.h"

namespace ceremony::steps {

// What `observe` entries call a copy that has proven itself; such a one is taken over after
// an interruption.
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

// SpecOf is what the copy is to be. One CKA_ID on every token: it is how an application finds
// the key, and how a half-made copy is found after an interruption. Errors as AlgorithmOf.
base::Result<hsm::KeyPairSpec> SpecOf(const Arrival& arrival);

// AlgorithmOf is the algorithm of a key by the name that the archive has. kUnsupported KEY-ALGORITHM-01: a newer
// program wrote a name that this one does not know.
base::Result<base::KeyAlgorithm> AlgorithmOf(const estate::Key& key);

// RemoveRemnants destroys what an earlier attempt of this step brought in and never proved:
// that is no copy, and the copy is made anew.
base::Result<void> RemoveRemnants(StepContext& context, const Arrival& arrival, hsm::Session& session);

// RecordCopy leaves the entry of a copy that has proven itself by the artefact `proof`, with
// `fields` of its way, and shows it to people as what it is: a clone.
base::Result<void> RecordCopy(StepContext& context, const Arrival& arrival, hsm::Session& session,
                              const base::PublicKey& public_key, const std::string& proof, nlohmann::json fields);

// TakeOver finds the copy that was proven before an interruption; it is still there, and is the key.
base::Result<void> TakeOver(StepContext& context, hsm::Session& session, const base::PublicKey& public_key);

// AchieveCopy takes the copy into the estate.
base::Result<void> AchieveCopy(StepContext& context, const Arrival& arrival, hsm::Session& session,
                               const base::PublicKey& public_key);

// FlagWords spells an attribute that is true, false or absent.
std::string FlagWords(const std::optional<bool>& flag);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_COPY_ARRIVAL_H_
