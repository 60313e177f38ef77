// FolderAudit checks the other files of a record against its log: policy, final
// checkpoint, addendum, inputs and artefacts.
#ifndef CEREMONY_RECORD_FOLDER_AUDIT_H_
#define CEREMONY_RECORD_FOLDER_AUDIT_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/findings.h"
#include "ceremony/record/log_audit.h"
#include "ceremony/record/reader.h"

namespace ceremony::record {

// SignedCheckpoint is a checkpoint that came as a file.
struct SignedCheckpoint {
  Note note;
  Checkpoint checkpoint;
  std::string what;  // "the file checkpoint", for messages
};

class FolderAudit final {
 public:
  FolderAudit(const RecordFolder& folder, const Trust* trust, const WithheldAudit& withheld, Findings& findings)
      : folder_(folder), trust_(trust), withheld_(withheld), findings_(findings) {}

  // ReadBeforeLog reads policy, final checkpoint, addendum, scripts and bindings: whose
  // keys count, of which sizes the log must give the root, and what was planned.
  base::Result<void> ReadBeforeLog();
  const std::optional<Policy>& policy() const { return policy_; }
  const std::optional<SignedCheckpoint>& final_checkpoint() const { return final_; }
  const ScriptFiles& scripts() const { return scripts_; }
  // environments are those of the inputs that are a binding, by the name of the input.
  const std::map<std::string, std::string>& environments() const { return environments_; }
  bool has_addendum() const { return addendum_.has_value(); }
  const std::optional<Note>& addendum() const { return addendum_; }

  // CheckCosigners counts the people on the final checkpoint; returns their ids.
  std::vector<std::string> CheckCosigners(const LogAudit& log, const std::optional<Electorate>& witnesses);

  // CheckFiles compares every file with its entry and the addendum. `log_is_whole`:
  // the log ends where the final checkpoint does, so its digest can be compared.
  base::Result<void> CheckFiles(const LogAudit& log, const std::optional<Electorate>& witnesses, bool log_is_whole);

 private:
  struct Line {
    std::string sha256;
    std::string path;
  };

  // ReadIfThere returns nothing for a file that is missing or, after a finding,
  // not a regular one or too large.
  base::Result<std::optional<std::string>> ReadIfThere(std::string_view name, std::size_t limit);
  // List is RecordFolder::List, with a finding for a folder with too many names.
  base::Result<RecordFolder::Listing> List();
  base::Result<void> CheckNamed(const std::string& path, const NamedFile& named, bool closed);
  base::Result<const FileDigest*> DigestOf(const std::string& path);
  void CheckPolicy();
  // CheckLogOfPolicy: where policy.txt names logs, this one is among them.
  void CheckLogOfPolicy(const LogAudit& log);
  base::Result<void> ReadInputs();
  std::optional<std::vector<Line>> ParseAddendum(const LogAudit& log);
  base::Result<void> CheckAddendum(const LogAudit& log, const std::optional<Electorate>& witnesses, bool log_is_whole);

  const RecordFolder& folder_;
  const Trust* trust_;
  const WithheldAudit& withheld_;
  Findings& findings_;
  std::optional<Policy> policy_;
  std::optional<SignedCheckpoint> final_;
  std::optional<Note> addendum_;
  ScriptFiles scripts_;
  std::map<std::string, std::string> environments_;
  RecordFolder::Listing listing_;
  bool is_too_full_ = false;
  std::map<std::string, std::optional<FileDigest>> digests_;
};

// ParseSignedCheckpoint reads a checkpoint note; kCorrupt when it is none.
base::Result<SignedCheckpoint> ParseSignedCheckpoint(std::string_view text, std::string what);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_FOLDER_AUDIT_H_
