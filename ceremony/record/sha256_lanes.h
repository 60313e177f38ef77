// Two SHA-256 digests at once, on processors with SHA instructions: a round of
// one waits four cycles for the round before it, and the other's fits in
// between. A log is a million short digests that do not depend on each other.
#ifndef CEREMONY_RECORD_SHA256_LANES_H_
#define CEREMONY_RECORD_SHA256_LANES_H_

#include <cstdint>

#include "hsm/base/digest.h"

namespace ceremony::record {

// HasSha256Lanes returns whether this processor has the instructions. Without them
// the function below must not be called; use OpenSSL's digests.
bool HasSha256Lanes();

// Sha256Lanes gives SHA256(prefix || first) and SHA256(prefix || second).
// Lengths may differ; equal ones gain most.
void Sha256Lanes(std::uint8_t prefix, base::ByteView first, base::ByteView second, base::Sha256Digest& first_digest,
                 base::Sha256Digest& second_digest);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_SHA256_LANES_H_
