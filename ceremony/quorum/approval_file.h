// The approval request that leaves the room: a file, format
// keyceremony-approval/1, with which a custodian sees on a machine of their own
// what they are to sign, without trusting the machine that wrote it.
//
// The words come from the `request` entry of the record, which the file proves
// (record_proof.h).
#ifndef CEREMONY_QUORUM_APPROVAL_FILE_H_
#define CEREMONY_QUORUM_APPROVAL_FILE_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/quorum/record_proof.h"
#include "ceremony/record/checkpoint.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/result.h"

namespace ceremony::quorum {

// WriteApprovalFile makes the file for a text and the log as it is on the disk
// (which may have grown since). A text that is no checkpoint goes alone. Errors as
// MakeRecordProof.
base::Result<std::string> WriteApprovalFile(std::string_view text, std::string_view log);

// ParseApprovalFile is strict, as every input file is.
base::Result<RecordProof> ParseApprovalFile(script::LoadedFile file);

// ApprovalWords are what a person is told, taken from what the proofs cover.
struct ApprovalWords {
  std::string origin;
  std::string mode;                              // "rehearsal", "production"; empty for an addendum
  std::optional<record::Checkpoint> checkpoint;  // none: the text is an addendum
  std::string step;                              // id; empty at the end of a ceremony
  std::string statement;                         // the words that people in the room are shown
  std::string quorum;                            // "3 of 5 (custodians)"; may be empty
  nlohmann::json subject;                        // resolved parameters; null when there are none
  std::string subject_sha256;                    // 64 hex digits; empty when there are none
};

// CheckApprovalFile refuses (CRED-14) a file whose entry is not in the tree of its
// checkpoint, whose entry does not ask for anything, or whose subject has another digest.
base::Result<ApprovalWords> CheckApprovalFile(const RecordProof& file);

// CheckpointsIn lists the texts of all checkpoints that a log holds, oldest first.
std::vector<std::string> CheckpointsIn(std::string_view log);

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_APPROVAL_FILE_H_
