// What an audit does on a second thread: it verifies signatures before the audit
// comes to them. Nothing is decided here. The audit asks for every signature
// itself; its key remembers what has verified (base::PublicKey), and what has not
// is found, and said, by the audit.
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

// CheckpointsAhead takes the checkpoints of a block from the last one back, until
// the audit, which goes forward, meets it. The block must outlive it.
class CheckpointsAhead final {
 public:
  CheckpointsAhead() = default;
  ~CheckpointsAhead() { Reached(UINT32_MAX); }
  CheckpointsAhead(const CheckpointsAhead&) = delete;  // the thread has its address
  CheckpointsAhead& operator=(const CheckpointsAhead&) = delete;

  // Begin does nothing for a block of few checkpoints.
  void Begin(const ScannedBlock& block, const VerifierKey& log_key);
  // Reached is how far the audit has come, as an index into the block's lines.
  void Reached(std::uint32_t index) { front_.store(index, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint32_t> front_ = 0;
  std::future<void> done_;  // waits when destroyed, before what it looks at is gone
};

// CosignaturesAhead begins with those of a note by the people of an electorate.
// The note must outlive what it returns.
std::future<void> CosignaturesAhead(const Note& note, const Electorate& electorate);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_SIGNATURES_AHEAD_H_
