// Verifies signatures on a second thread, before the audit reaches them. Nothing is
// decided here. The audit verifies every signature itself; its key remembers what has
// verified already (base::PublicKey). The audit alone reports what does not verify.
#ifndef CEREMONY_RECORD_SIGNATURES_AHEAD_H_
#define CEREMONY_RECORD_SIGNATURES_AHEAD_H_

#include <atomic>
#include <cstdint>
#include <future>
#include <optional>

#include "ceremony/record/electorate.h"
#include "ceremony/record/log_scan.h"
#include "ceremony/record/note.h"

namespace ceremony::record {

// CheckpointsAhead verifies the checkpoints of a block in reverse order, while the
// audit works forward. It stops where they meet. The block must outlive it.
class CheckpointsAhead final {
 public:
  CheckpointsAhead() = default;
  ~CheckpointsAhead() { Reached(UINT32_MAX); }
  CheckpointsAhead(const CheckpointsAhead&) = delete;  // the thread has its address
  CheckpointsAhead& operator=(const CheckpointsAhead&) = delete;

  // Begin does nothing for a block with few checkpoints.
  void Begin(const ScannedBlock& block, const VerifierKey& log_key);
  // Reached tells how far the audit has come, as an index into the block's lines.
  void Reached(std::uint32_t index) { front_.store(index, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint32_t> front_ = 0;
  std::future<void> done_;  // its destructor waits for the thread
};

// CosignaturesAhead starts to verify the signatures of a note by an electorate. The
// note must outlive the returned future.
std::future<void> CosignaturesAhead(const Note& note, const Electorate& electorate);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_SIGNATURES_AHEAD_H_
