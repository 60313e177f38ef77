// ContentAudit is told what the steps of a log did, and checks the contents of the
// files that they left. record/ knows bytes and signatures, but no certificates. The
// implementation that does (verify/certificate_audit.h) comes in through VerifyOptions.
#ifndef CEREMONY_RECORD_CONTENT_AUDIT_H_
#define CEREMONY_RECORD_CONTENT_AUDIT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/findings.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/scanner.h"

namespace ceremony::record {

struct NamedFile {
  std::string sha256;                 // 64 hex digits
  std::optional<std::uint64_t> size;  // bytes, where the entry says
  std::uint64_t entry = 0;            // the entry that names it
};

// WithheldFiles are the paths of the files that a bundle leaves out.
using WithheldFiles = std::set<std::string, std::less<>>;

// RecordFiles are the files that the entries so far name and whose digests match.
class RecordFiles final {
 public:
  using Named = std::map<std::string, NamedFile>;
  // `withheld`: paths in the record, spelled as in the ledger.
  RecordFiles(const RecordFolder& folder, const Named& inputs, const Named& artefacts, const WithheldFiles& withheld)
      : folder_(folder), inputs_(inputs), artefacts_(artefacts), withheld_(withheld) {}

  const RecordFolder& folder() const { return folder_; }
  const Named& inputs() const { return inputs_; }
  const Named& artefacts() const { return artefacts_; }
  bool IsArtefactWithheld(const std::string& path) const;

  // Input and Artefact return the bytes. They return nothing when the file is larger
  // than `limit` bytes, when no entry names it, or when it is missing, withheld or
  // different from its entry. FolderAudit reports those.
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
  std::uint64_t attempt = 1;  // counts from 1
  // Text fields of the subject that this attempt has to be approved by, its own or its section's, as in EndedStep;
  // nullptr if there is none, or if nobody can be counted.
  const std::map<std::string, std::string>* subject = nullptr;
  bool lacks_approval = false;  // nobody was asked, in a ceremony that is no rehearsal
};

// EndedStep is a step that came to its end.
struct EndedStep {
  // Digests of bytes to be signed (64 hex digits), each with the attempts, counted from 1, that it was approved for.
  using Approved = std::map<std::string, std::set<std::uint64_t>>;

  std::string_view id;
  std::string_view kind;    // "key.generate"
  std::uint64_t entry = 0;  // that ends it
  // What its quorum approved; nullptr if it needs no quorum, or if no approval can be counted.
  const Approved* approved = nullptr;
  // The texts of the subject that the step's quorum approved last, by name, those of an object in it as
  // "private.CKA_SENSITIVE", of objects in a list "copies.0.token"; nullptr or empty where the approval was its
  // section's.
  const std::map<std::string, std::string>* subject = nullptr;
  // The same of each of its own requests that was approved, at whatever attempt: a step may ask for each token.
  std::vector<const std::map<std::string, std::string>*> subjects = {};
  // The earliest and the latest time at which an attempt at it began or ended, as the entries say:
  // "2026-11-21T09:00:08.000000Z". A clock may have gone back in between.
  std::string_view earliest = {}, latest = {};
  std::uint64_t attempt = 1;  // the one that ended
  // Entries were withheld since its first attempt began. Its calls and artefacts may be among them.
  bool is_partly_shown = false;
};

class ContentAudit {
 public:
  virtual ~ContentAudit() = default;

  // Begin is called before the first step of each pass over a record. It forgets all
  // results of earlier passes over the same folder.
  virtual void Begin(const std::string& folder) = 0;
  // OnFirstRecord is called when the log begins, if it says that no record comes before this one.
  virtual void OnFirstRecord() = 0;
  // Follows returns whether OnCall wants the calls of steps of this kind. Called once for each attempt at a step.
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
