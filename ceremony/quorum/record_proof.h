// What a machine outside the room needs to believe what the room tells it: an entry
// of the record, with proof (RFC 6962) that it is in the tree that a checkpoint
// names, and that this tree extends those that custodians saw before (C2SP witness
// rules). Approval requests and share requests carry one.
#ifndef CEREMONY_QUORUM_RECORD_PROOF_H_
#define CEREMONY_QUORUM_RECORD_PROOF_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/checkpoint.h"
#include "ceremony/record/tree.h"
#include "ceremony/script/fields.h"
#include "hsm/base/result.h"

namespace ceremony::quorum {

// What an `observe` entry says when a share request leaves the room. The checkpoint that follows is remembered by
// the holder's machine.
inline constexpr const char* kAskedElsewhere = "share-asked-elsewhere";

// Extension shows that a tree of `size` leaves is the beginning of this one.
struct Extension {
  std::uint64_t size = 0;
  record::Proof proof;
};

struct RecordProof {
  std::string text;  // of a checkpoint, or what else is to be signed
  // The entry, its exact bytes without the line feed; empty where the text is no checkpoint.
  std::string entry;
  std::uint64_t index = 0;
  record::Proof inclusion;
  std::vector<Extension> extensions;  // ascending sizes
};

// EntryLines returns the whole lines of a log, oldest first; a torn tail is left out.
std::vector<std::string_view> EntryLines(std::string_view log);

// MakeRecordProof proves that entry `index` (if given) is in the tree of a checkpoint's text, and
// that this tree extends every tree which a custodian's machine may remember. The log is the one on
// the disk, and may have grown since. kCorrupt when the log does not have the root that the text
// names.
base::Result<RecordProof> MakeRecordProof(std::string_view text, std::string_view log,
                                          std::optional<std::uint64_t> index);

// The fields in which a file carries a proof: text, entry, extends.
std::vector<script::Field> RecordProofFields();
nlohmann::ordered_json Spelled(const RecordProof& proof);
// ReadRecordProof takes what the strict reader has checked.
base::Result<RecordProof> ReadRecordProof(const nlohmann::json& values);

struct ProvenEntry {
  record::Checkpoint checkpoint;
  nlohmann::json entry;
};
// CheckEntry refuses (CRED-14) a text that is not a checkpoint, and an entry that is
// missing, malformed, or not in the tree of the checkpoint.
base::Result<ProvenEntry> CheckEntry(const RecordProof& proof);

// NotProven is the same refusal (CRED-14), for callers that check more of a proof.
base::Error NotProven(std::string message);

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_RECORD_PROOF_H_
