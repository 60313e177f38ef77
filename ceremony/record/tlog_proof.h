// The proof that one entry is in a record, for somebody who does not have the record
// (c2sp.org/tlog-proof): index, inclusion proof, checkpoint with its cosignatures.
// The optional extra data is the entry's line.
#ifndef CEREMONY_RECORD_TLOG_PROOF_H_
#define CEREMONY_RECORD_TLOG_PROOF_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/checkpoint.h"
#include "ceremony/record/trust.h"
#include "ceremony/record/verify.h"
#include "hsm/base/result.h"

namespace ceremony::record {

inline constexpr std::string_view kTlogProofHead = "c2sp.org/tlog-proof@v1";
inline constexpr std::size_t kMaxProofBytes = 1u << 20;

struct TlogProof {
  std::optional<std::string> line;  // the extra data; none for an entry that is withheld
  std::uint64_t index = 0;
  Proof hashes;
  std::string note;  // the checkpoint with its signatures, as it was

  std::string Text() const;
  // Parse accepts exactly what Text makes: kCorrupt otherwise. At most 64 hashes.
  static base::Result<TlogProof> Parse(std::string_view text);
};

// ProveEntry makes the proof from a record or a bundle that has its final
// checkpoint. kInvalidInput: the checkpoint does not cover the entry. kNotFound:
// there is no final checkpoint. kCorrupt: its root is not that of the log.
base::Result<TlogProof> ProveEntry(const std::string& folder, std::uint64_t entry);

struct ProofReport {
  Verdict verdict = Verdict::kInvalid;
  Checkpoint checkpoint;
  std::uint64_t entry = 0;
  std::string line;                    // the line that is proven
  std::vector<std::string> cosigners;  // people of the pinned quorum
  std::vector<Finding> findings;
};

// VerifyProof judges a proof. COMPLETE: the line is in the tree, and a quorum of
// the pinned custodians cosigned its root; they vouch for the log key, too, which
// a proof does not carry. UNPINNED: nobody was pinned. INCOMPLETE: fewer signed
// than are needed, or there is no line to look for.
// `line` is what the reader was shown, when the proof does not carry it.
base::Result<ProofReport> VerifyProof(std::string_view text, const std::optional<std::string>& line,
                                      const Trust* trust);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_TLOG_PROOF_H_
