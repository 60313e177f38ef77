// Ceremony is one ceremony under way: its inputs, its record, its tokens, and
// what has happened so far. Opening, running, settling and closing are the
// functions below. Each can be interrupted anywhere and resumed, because all its
// state is in the History, which is read from the record.
#ifndef CEREMONY_RUN_CEREMONY_H_
#define CEREMONY_RUN_CEREMONY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/record/writer.h"
#include "ceremony/run/call_journal.h"
#include "ceremony/run/history.h"
#include "ceremony/run/log_key.h"
#include "ceremony/run/share_room.h"
#include "ceremony/run/token_room.h"
#include "ceremony/run/world.h"
#include "ceremony/script/inputs.h"
#include "ceremony/steps/plan.h"
#include "hsm/base/result.h"

namespace ceremony::run {

class Ceremony final {
 public:
  // `folder` is the record's name in the archive. inputs.roster and
  // inputs.binding must be there. The world must outlive the ceremony.
  Ceremony(World& world, script::Inputs inputs, estate::Estate estate, std::string folder);
  ~Ceremony();
  Ceremony(const Ceremony&) = delete;  // tokens, observers and lambdas point into it
  Ceremony& operator=(const Ceremony&) = delete;

  // TakeWriter makes the record written by `writer`, and lets the journal write.
  void TakeWriter(std::unique_ptr<record::Writer> writer);

  // Append writes one entry and shows it to the history. A jump of the clock is
  // recorded as a deviation at once.
  base::Result<std::uint64_t> Append(record::EntryType type, nlohmann::json fields);
  // WriteArtefact as record::Writer does, with the step in the entry.
  base::Result<void> WriteArtefact(const std::string& name, const std::string& kind, base::ByteView bytes,
                                   const std::string& step);
  // Checkpoint signs all entries so far with the log key.
  base::Result<record::Checkpoint> Checkpoint();
  // ReadLog reads the log as it is on the disk, for proofs.
  base::Result<base::Bytes> ReadLog() const;

  // AppendRefusal records what the program, a token or a person's credential refused. `person` is whose; empty:
  // nobody's.
  base::Result<void> AppendRefusal(const base::Error& error, const std::string& step, const std::string& person = {});
  // SetRecorded notes that an entry already describes this error, so that the
  // step's failure does not record it twice. AppendRefusal does it, too.
  void SetRecorded(const base::Error& error) { recorded_ = error.rule + error.message; }
  bool HasRecorded(const base::Error& error) const { return recorded_ == error.rule + error.message; }

  // FindQuorum returns a quorum of the roster. kInvalidInput: it defines none of that name.
  base::Result<const script::Quorum*> FindQuorum(const std::string& name) const;

  // Ask puts a question to somebody present with the role, or to the room.
  base::Result<std::string> Ask(const std::string& role, room::Question question);

  // RecordToken is the logical name of the token with the log key.
  const std::string& RecordToken() const { return inputs_.binding->record_token; }
  record::Mode mode() const;

  World& world() { return world_; }
  room::Terminal& terminal() { return world_.terminal; }
  const script::Inputs& inputs() const { return inputs_; }
  const script::Roster& roster() const { return *inputs_.roster; }
  const std::string& folder() const { return folder_; }
  estate::Estate& estate() { return estate_; }
  History& history() { return history_; }
  TokenRoom& tokens() { return tokens_; }
  ShareRoom& shares() { return shares_; }
  CallJournal& journal() { return *journal_; }
  record::Writer& writer() { return *writer_; }
  bool has_writer() const { return writer_ != nullptr; }
  // LogKey returns the key that signs this record. It finds it on the record token again after a crash, and after a
  // function below has ended its session. Valid until one of these. kToken: it is out of reach.
  base::Result<TokenSigner*> LogKey();
  // HasLogKey tells whether it is at hand, so that signing asks nobody for a PIN or a share.
  bool HasLogKey() const { return log_key_ != nullptr; }
  void SetLogKey(std::unique_ptr<TokenSigner> log_key) { log_key_ = std::move(log_key); }
  // LogOutOf ends what is open of a token; Restart has its module finalised and initialised again. The log key lives
  // in a session of the record token, and goes with it; Restart finds it again.
  base::Result<void> LogOutOf(const std::string& token);
  base::Result<void> Restart(const std::string& token);
  // LogOutOfOthers ends every login but that of the record token; LogOutOfAll ends that one, too.
  base::Result<void> LogOutOfOthers() { return tokens_.LogOut(RecordToken()); }
  base::Result<void> LogOutOfAll();
  // ElapsedMicros is the time since the record was opened, also where it is gone on with.
  std::int64_t ElapsedMicros() const;

 private:
  World& world_;
  script::Inputs inputs_;
  estate::Estate estate_;
  std::string folder_;
  std::int64_t begun_micros_;
  History history_;
  std::shared_ptr<CallJournal> journal_;
  TokenRoom tokens_;
  ShareRoom shares_;
  std::unique_ptr<record::Writer> writer_;
  std::unique_ptr<TokenSigner> log_key_;
  std::string recorded_;
};

// Preflight looks at what the tokens say before the first entry: modules load,
// tokens answer or are blank and have the mechanisms that the script needs, each
// step finds what it asks for beforehand, and the record token can be logged in
// to. It changes nothing. QUORUM-RECORD-01: the roster has no quorum for records.
base::Result<void> Preflight(Ceremony& ceremony);

// OpeningFacts are what the `open` entry says beyond inputs and tokens.
struct OpeningFacts {
  nlohmann::json previous;                            // final checkpoint of the record before, or null
  nlohmann::json mended;                              // tokens of a rehearsal whose torn files were put back
  nlohmann::json left_behind;                         // the record before, when nobody can close it any more, or null
  nlohmann::json set_aside;                           // what was found of a run that never came to its `open`, or null
  nlohmann::json findings = nlohmann::json::array();  // good practice that the plan departs from
};

// OpenRecord makes the record: inputs, log key, policy, the `open` entry.
base::Result<void> OpenRecord(Ceremony& ceremony, const OpeningFacts& facts);

// RunSteps runs every step that is not over yet, in script order. The first
// one is room.attend; after it the quorum opens the record (request, first
// checkpoint, cosignatures).
base::Result<void> RunSteps(Ceremony& ceremony);

// ConsentToWaivers has the people of each waiver of the binding say that they
// stand by it, unless they have; each becomes a `deviation` (R2). WAIVER-04:
// somebody of them is not in the room.
base::Result<void> ConsentToWaivers(Ceremony& ceremony);

// SettleCalls looks at what calls without a known outcome have left on tokens,
// names it, and removes it with consent.
base::Result<void> SettleCalls(Ceremony& ceremony);
// SettleWhatAnswers does the same, but skips a token that does not answer. What
// is left unsettled becomes an open item of a ceremony that is called off.
base::Result<void> SettleWhatAnswers(Ceremony& ceremony);

// CalledOff is why a ceremony ends before its script does.
struct CalledOff {
  std::string reason;  // in the words of who decided
};

// AskToCallOff shows which steps are not done and asks why. CALL-OFF-01: nobody is
// in the room. CALL-OFF-03: a token may have PINs already that only the end of
// their step makes known to later ceremonies.
base::Result<CalledOff> AskToCallOff(Ceremony& ceremony);

// StepsLeft are the steps of the script that are neither ended nor skipped, in order.
struct StepLeft {
  std::string id;
  std::string title;
};
std::vector<StepLeft> StepsLeft(Ceremony& ceremony);
// ItemsLeft lists what a ceremony that is called off leaves, as open items of `close`:
// its steps, what they have done on tokens so far, and calls that are not settled.
nlohmann::json ItemsLeft(Ceremony& ceremony);

// CloseRecord closes the log, has the final checkpoint cosigned, destroys the
// log key and publishes the addendum. It goes on wherever an earlier run of it
// was cut off. With `called_off` the script need not have been done.
base::Result<void> CloseRecord(Ceremony& ceremony, const std::optional<CalledOff>& called_off = std::nullopt);

// ErrorFields is an error as entries carry it: code, message, call, rv, rule.
nlohmann::json ErrorFields(const base::Error& error);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_CEREMONY_H_
