// ContentAudit is told what the steps of a log did, and reads what is in the files
// that they left. record/ knows bytes and signatures but no certificate: who does
// stands above it (verify/certificate_audit.h) and comes in through VerifyOptions.
#ifndef CEREMONY_RECORD_CONTENT_AUDIT_H_
#define CEREMONY_RECORD_CONTENT_AUDIT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "ceremony/record/findings.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/scanner.h"

namespace ceremony::record {

struct NamedFile {
  std::string sha256;                 // 64 hex digits
  std::optional<std::uint64_t> size;  // bytes, where the entry says
  std::uint64_t entry = 0;            // that names it
};

// WithheldFiles are the paths of the files that a bundle does not show.
using WithheldFiles = std::set<std::string, std::less<>>;

// RecordFiles are the files of a record so far: those that its entries name, and
// that are what the entries say of them.
class RecordFiles final {
 public:
  using Named = std::map<std::string, NamedFile>;
  // `withheld`: paths in the record, as the ledger has them.
  RecordFiles(const RecordFolder& folder, const Named& inputs, const Named& artefacts, const WithheldFiles& withheld)
      : folder_(folder), inputs_(inputs), artefacts_(artefacts), withheld_(withheld) {}

  const RecordFolder& folder() const { return folder_; }
  const Named& inputs() const { return inputs_; }
  const Named& artefacts() const { return artefacts_; }
  bool IsArtefactWithheld(const std::string& path) const;

  // Input and Artefact return the bytes. Nothing for a file of more than `limit`
  // bytes, one that no entry names, and one that is missing, withheld or another
  // than its entry says: those are findings of FolderAudit.
  std::optional<std::string> Input(const std::string& name, std::size_t limit) const;
  std::optional<std::string> Artefact(const std::string& path, std::size_t limit) const;

 private:
  std::optional<std::string> Read(const std::string& path, const Named& named, const std::string& name,
                                  std::size_t limit) const;
  const RecordFolder& folder_;
  const Named& inputs_;
  const Named& artefacts_;
  const WithheldFiles& withheld_;
};

// CallingStep is the step under way when a call is made.
struct CallingStep {
  std::string_view id;
  std::string_view kind;      // "key.generate"
  std::uint64_t attempt = 1;  // at it, from 1 on
  // The texts of the subject that is to be approved for this attempt, as in EndedStep; nullptr without its own.
  const std::map<std::string, std::string>* subject = nullptr;
};

// EndedStep is a step that came to its end.
struct EndedStep {
  // Digests of bytes to be signed (64 hex digits), each with the attempts, from 1 on, of which it was approved.
  using Approved = std::map<std::string, std::set<std::uint64_t>>;

  std::string_view id;
  std::string_view kind;    // "key.generate"
  std::uint64_t entry = 0;  // of its end
  // What its quorum has approved; nullptr where it needs no quorum, or where nobody can be counted.
  const Approved* approved = nullptr;
  // The texts of the subject that the step's quorum approved last, by name, those of an object in it as
  // "private.CKA_SENSITIVE"; nullptr or empty where the approval was its section's.
  const std::map<std::string, std::string>* subject = nullptr;
  // The earliest and the latest time at which an attempt at it began or ended, as the entries say:
  // "2026-11-21T09:00:08.000000Z". A clock may have gone back in between.
  std::string_view earliest = {}, latest = {};
  std::uint64_t attempt = 1;  // that ended
  // Entries were withheld since it began for the first time: its calls and artefacts may be among them.
  bool is_partly_shown = false;
};

class ContentAudit {
 public:
  virtual ~ContentAudit() = default;

  // Begin is called once for each look at a record, before its first step. What an
  // earlier look at the same folder said counts no more.
  virtual void Begin(const std::string& folder) = 0;
  // OnOpen is called once for each look, when the log begins: `is_first` says that no record comes before this one.
  virtual void OnOpen(bool is_first) = 0;
  // Follows tells whether OnCall is to be called for the steps of a kind. Called once for each attempt at a step.
  virtual bool Follows(std::string_view kind) = 0;
  // OnCall is called for each `intent` and `done` of an attempt at a step, in order.
  virtual void OnCall(const CallingStep& step, const Scanner& call, std::uint64_t entry, Findings& findings) = 0;
  // OnEffect is called for each object of the `effects` of a step's end, in order.
  virtual void OnEffect(const EndedStep& step, const Scanner& effect, const RecordFiles& files, Findings& findings) = 0;
  // OnEnd is called for each end of a step, after its effects.
  virtual void OnEnd(const EndedStep& step, Findings& findings) = 0;
  // Finish is called once, after the last entry.
  virtual void Finish(Findings& findings) = 0;
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_CONTENT_AUDIT_H_
