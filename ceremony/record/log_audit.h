// LogAudit checks the entries of a log against each other and against the script,
// in order: numbers, steps, calls, requests, approvals, and checkpoints against the
// tree. It sees every block once. It keeps only what it compares with later entries
// or the folder: open calls, requests, a hash per checkpoint, a digest per artefact.
#ifndef CEREMONY_RECORD_LOG_AUDIT_H_
#define CEREMONY_RECORD_LOG_AUDIT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ceremony/record/call_book.h"
#include "ceremony/record/checkpoint.h"
#include "ceremony/record/content_audit.h"
#include "ceremony/record/electorate.h"
#include "ceremony/record/findings.h"
#include "ceremony/record/key_book.h"
#include "ceremony/record/log_scan.h"
#include "ceremony/record/script_plan.h"
#include "ceremony/record/withheld.h"

namespace ceremony::record {

// Voters: the people who may approve, as far as known before the log is read.
struct Voters {
  const Trust* trust = nullptr;  // pinned; not owned
  std::optional<Policy> policy;  // policy.txt, when it could be read
  // Of returns the electorate of a quorum; nothing when the roster has no such quorum.
  // Without a roster, the people of the policy form every quorum but that of the witnesses.
  // Then m() is 1: only a request says how many of them are needed.
  std::optional<Electorate> Of(std::string_view quorum) const;
  // Witnesses is the quorum that signs the first and the last checkpoint and the
  // addendum; nothing without roster and policy.
  std::optional<Electorate> Witnesses() const;
};

// Mismatch is a checkpoint that the log key signed, but whose root the tree does not have.
struct Mismatch {
  Checkpoint checkpoint;
  std::optional<std::uint64_t> entry;  // none for a file
};

class DisclosureAudit;

class LogAudit final : public BlockSink {
 public:
  struct Options {
    Voters voters;
    ScriptFiles scripts;                              // all of the folder; `open` says which one is the record's
    std::set<std::uint64_t> wanted_sizes;             // sizes whose roots are wanted
    WithheldAudit* withheld = nullptr;                // not owned
    DisclosureAudit* disclosures = nullptr;           // not owned; nullptr: salted digests are ignored
    KeyBook* keys = nullptr;                          // of the archive so far; not owned; nullptr: this record alone
    ContentAudit* contents = nullptr;                 // not owned; nullptr: the contents of files are not read
    const RecordFolder* folder = nullptr;             // not owned; for `contents`
    std::map<std::string, std::string> environments;  // of the inputs that are a binding, by name
    bool digest_file = false;                         // the SHA-256 of the whole file is wanted
    bool second_thread = false;                       // a second thread may verify signatures ahead
  };
  LogAudit(Options options, Findings& findings);

  void Take(const ScannedBlock& block) override;

  // Finish is called once after the last block.
  void Finish();

  // What the log said, after Finish. Without a good `open` entry, origin and log
  // key are empty, and no signature can be checked.
  std::uint64_t entries() const { return entries_; }
  const std::string& origin() const { return origin_; }
  const std::string& estate() const { return estate_; }
  const std::string& ceremony() const { return ceremony_; }
  const std::string& environment() const { return environment_; }  // as `open` says it; may be empty
  const std::optional<Mode>& mode() const { return mode_; }
  const std::optional<VerifierKey>& log_key() const { return log_key_; }
  const std::optional<Checkpoint>& previous() const { return previous_; }
  const std::optional<Checkpoint>& left_behind() const { return left_behind_; }
  const std::map<std::string, NamedFile>& inputs() const { return inputs_; }
  const std::map<std::string, NamedFile>& artefacts() const { return artefacts_; }
  const std::optional<std::uint64_t>& close_entry() const { return close_entry_; }
  // The first entry after `close` that is not the checkpoint right behind it.
  const std::optional<std::uint64_t>& after_close() const { return after_close_; }
  // Whether a good checkpoint entry stands right behind `close`, at the end.
  bool ends_with_checkpoint() const { return close_entry_ && last_good_ && *last_good_ == *close_entry_ + 1; }
  // The largest size for which a checkpoint entry verifies.
  const std::optional<Checkpoint>& last_checkpoint() const { return last_checkpoint_; }
  const std::vector<Mismatch>& mismatches() const { return mismatches_; }
  // SHA-256 (64 hex digits) of the roster that the last finished appointment or retirement made, as the quorum
  // approved it. Empty if there was none.
  const std::string& next_roster() const { return next_roster_; }
  std::optional<Hash> RootAt(std::uint64_t size) const;
  Hash Root() const { return tree_.Root(); }
  const base::Sha256Digest& file_digest() const { return file_digest_; }

 private:
  struct Request {
    std::string step;
    std::vector<std::string> steps;  // of a section's request: the steps it is for
    std::string quorum;
    std::shared_ptr<const Electorate> electorate;
    std::set<std::size_t> approvals;
    std::uint64_t needed = 0;
    std::string without;                         // person id: the request is about them, so they do not count
    std::map<std::string, std::string> subject;  // texts of the subject by name
    std::string to_be_signed;                    // SHA-256 of the bytes to be signed; empty: none
    bool ended = false;                          // somebody declined, or it came too late
    bool IsMet() const;
  };
  struct StepUnderWay {
    std::string id;
    std::string kind;
    bool is_followed = false;               // options_.contents wants to see its calls
    const PlannedStep* planned = nullptr;   // none when the script does not have it
    std::string quorum;                     // must approve it, says the script, or else the step itself
    std::optional<std::uint64_t> approval;  // request of its section, if that approves it
    bool has_unknown_calls = false;         // CALL-UNKNOWN was said
  };
  // StepPast sums up all attempts at a step.
  struct StepPast {
    std::uint64_t attempts = 0;
    std::string earliest, latest;  // times of its step entries
    bool over = false;             // ended or skipped
    bool failed = false;
    bool approved = false;                                // the quorum approved some attempt
    EndedStep::Approved approved_bytes;                   // to_be_signed of the approved requests
    std::map<std::string, std::string> approved_subject;  // of the last approved request of its own
    std::vector<std::uint64_t> asked;                     // its own requests
    std::uint64_t withheld_before = 0;                    // entries withheld before its first attempt
  };

  void Handle(const LineEvent& event, std::uint64_t entry);
  void CompareWithBefore(const ScannedBlock& block, std::uint64_t first_entry);
  void OnFault(const LineEvent& event, std::uint64_t entry);
  // Both return true for a well-formed intent, and for a done that belongs to one.
  bool OnIntent(const LineEvent& event, std::uint64_t entry);
  bool OnDone(const LineEvent& event, std::uint64_t entry);
  void OnEntry(const LineEvent& event, std::uint64_t entry);
  void OnOpen(std::uint64_t entry);
  void OnPrevious(std::string_view value, std::uint64_t entry);
  void OnStep(std::uint64_t entry);
  void OnStepBegin(const std::string& id, const PlannedStep* planned, std::uint64_t entry);
  std::optional<std::uint64_t> SectionApproval(const std::string& id, const PlannedStep* planned, std::uint64_t entry);
  void CheckOrder(const std::string& id, std::uint64_t entry);
  void CheckSigned(const std::string& next, std::uint64_t entry);
  void CheckApproved(std::uint64_t entry);
  bool IsRemoval(const LineEvent& event);
  void CheckApprovedAtEnd(std::uint64_t entry);
  void FollowCall(const LineEvent& event, std::uint64_t entry);
  RecordFiles Files() const;
  void CheckAppointed(const StepPast& past, const Scanner& effect, std::uint64_t entry);
  void TakeEffects(const StepUnderWay& step, std::uint64_t entry);
  void CheckSubject(const std::string& step, const Scanner& subject, std::uint64_t entry);
  void CheckRetired(Request& request, const Scanner& subject, std::uint64_t entry);
  bool TakeQuorum(Request& request, std::uint64_t entry);
  void CheckRehearsed(std::uint64_t entry);
  void NoteApproval(const Request& request);
  const Request* GoverningRequest() const;
  std::optional<std::set<std::string>> StepsCalledOff(std::uint64_t entry);
  void CheckAllDone(std::uint64_t entry);
  void ChooseScript(std::uint64_t entry);
  std::shared_ptr<const Electorate> ElectorateOf(const std::string& quorum);
  void OnAttend(std::uint64_t entry);
  void OnDepart(std::uint64_t entry);
  // IsAbsent: the person has departed, and no entry withheld since then can tell of a return.
  bool IsAbsent(const std::string& person) const;
  std::uint64_t WithheldEntries() const { return options_.withheld == nullptr ? 0 : options_.withheld->entries(); }
  void OnObserve(std::uint64_t entry);
  void CheckPossession(std::uint64_t entry);
  void OnRefusal(std::uint64_t entry);
  void OnRequest(std::uint64_t entry);
  void OnCosign(std::uint64_t entry);
  void OnArtefact(std::uint64_t entry);
  void OnCheckpoint(std::uint64_t entry);
  void OnClose(std::uint64_t entry);

  // Decoded fields of the entry in scanner_. One that is missing or of another
  // kind is a finding REC-ENTRY, and nothing is returned.
  std::optional<std::string> TextOf(std::string_view key, std::uint64_t entry);
  std::optional<std::uint64_t> NumberOf(std::string_view key, std::uint64_t entry);
  std::optional<std::string> HexDigestOf(std::string_view key, std::uint64_t entry);

  Options options_;
  Findings& findings_;
  std::optional<Electorate> witnesses_;
  // Shared by all requests of a quorum: a log may have a million requests.
  std::map<std::string, std::shared_ptr<const Electorate>> electorates_;
  Scanner scanner_;
  CompactRange tree_;
  base::Sha256Stream stream_;
  base::Sha256Digest file_digest_{};
  std::map<std::uint64_t, Hash> roots_;

  std::uint64_t entries_ = 0;
  std::string last_time_;
  std::uint64_t last_mono_ = 0;
  std::uint64_t base_ = 0;
  std::optional<Mode> mode_;

  std::string origin_, estate_, ceremony_, environment_;
  std::optional<VerifierKey> log_key_;
  std::optional<Checkpoint> previous_;
  std::optional<Checkpoint> left_behind_;
  std::map<std::string, NamedFile> inputs_;
  std::map<std::string, NamedFile> artefacts_;

  const ScriptPlan* plan_ = nullptr;  // in options_
  std::optional<StepUnderWay> step_;
  bool step_interrupted_ = false;
  bool recovered_ = false;
  std::uint64_t steps_ended_ = 0;
  std::map<std::string, StepPast> past_;
  std::optional<std::size_t> furthest_;  // place in the script of the last step that began or was skipped
  // People who departed and did not come back, with the number of entries withheld before they left.
  std::map<std::string, std::uint64_t> absent_;
  std::set<std::string> asked_elsewhere_;          // shares that were asked for on their holders' machines
  std::map<std::string, std::string> shown_keys_;  // base64 SPKI by person id, of who proved that it is theirs
  std::string next_roster_;
  KeyBook own_keys_;
  CallBook calls_;

  std::map<std::uint64_t, Request> requests_;
  std::map<std::string, std::uint64_t> newest_request_;  // by its `step`; those of a step go when it begins anew
  struct Signed {
    Hash root;
    std::optional<std::uint64_t> request;  // the last one before it, and after the checkpoint before it
  };
  std::map<std::uint64_t, Signed> signed_;      // by size: each checkpoint entry
  std::optional<std::uint64_t> asked_request_;  // that no checkpoint covers yet
  std::optional<std::uint64_t> first_signed_;
  std::set<std::size_t> opening_approvals_;
  std::optional<Checkpoint> last_checkpoint_;
  std::optional<std::uint64_t> last_good_;
  std::string unsigned_step_;  // ended or was skipped, and no checkpoint covers that yet; empty: none
  std::vector<Mismatch> mismatches_;

  std::optional<std::uint64_t> close_entry_;
  std::optional<std::uint64_t> closed_entries_;
  std::optional<std::uint64_t> after_close_;
};

// Quoted puts a text of the record into quotes for a message, cut at 80 bytes.
std::string Quoted(std::string_view text);
// CheckLogSignature looks for the log key's one line in a checkpoint note and
// verifies it; false after a finding SIG-LOG.
bool CheckLogSignature(const Note& note, const VerifierKey& log_key, std::string_view what,
                       std::optional<std::uint64_t> entry, Findings& findings);
// CollectSigners verifies every other line against the electorate. SIG-SIGNER: the
// signer is not in the electorate. SIG-COSIGN: the signature does not verify.
// Without an electorate it reports nothing.
std::set<std::size_t> CollectSigners(const Note& note, const VerifierKey* log_key,
                                     const std::optional<Electorate>& electorate, std::string_view what,
                                     std::optional<std::uint64_t> entry, Findings& findings);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_LOG_AUDIT_H_
