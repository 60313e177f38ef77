// Checkpoints (c2sp.org/tlog-checkpoint): what a log key and custodians sign.
// Exactly three lines, no extension: origin, size, base64(root).
#ifndef CEREMONY_RECORD_CHECKPOINT_H_
#define CEREMONY_RECORD_CHECKPOINT_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "ceremony/record/note.h"
#include "ceremony/record/tree.h"

namespace ceremony::record {

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash root{};

  // Parse accepts exactly what Text makes: the origin a key name, the size
  // decimal without leading zeros and at most 2^53-1, the root 44 characters
  // of strict base64; kCorrupt otherwise, saying which line.
  static base::Result<Checkpoint> Parse(std::string_view text);
  std::string Text() const;
  bool operator==(const Checkpoint& other) const = default;
};

// CheckpointIn is the checkpoint that a member of an entry (`previous`, `left_behind`) names by origin, size and root;
// nothing when it names none. `object` is canonical JSON.
std::optional<Checkpoint> CheckpointIn(std::string_view object);

// CheckpointFields is such a member, as it is written: the root in hex.
nlohmann::json CheckpointFields(const Checkpoint& checkpoint);

// NewOrigin returns `<estate>/<ceremony>/<32 random hex digits>`, never used
// twice. kInvalidInput when estate or ceremony cannot be part of a key name or
// the ceremony holds a `/`.
base::Result<std::string> NewOrigin(std::string_view estate, std::string_view ceremony);

// OriginParts is an origin taken apart.
struct OriginParts {
  std::string estate;  // may hold `/`
  std::string ceremony;
  std::string random;  // 32 hex digits
};
// SplitOrigin fails with kInvalidInput for what NewOrigin cannot have made.
base::Result<OriginParts> SplitOrigin(std::string_view origin);

// PersonKeyName is the key name of a custodian or witness: `<estate>/<person id>`.
std::string PersonKeyName(std::string_view estate, std::string_view person);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_CHECKPOINT_H_
