// A trial is a ceremony played once in a process of its own, with at most
// one fault; what it came to is told through a pipe. The parent process never
// loads a module, so each child starts from a clean one and may die anywhere.
#ifndef TESTS_FAULT_TRIAL_H_
#define TESTS_FAULT_TRIAL_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "hsm/cryptoki.h"

namespace fault {

enum class Where : std::uint8_t { kNowhere, kCall, kStorage, kPrompt, kClock };
enum class How : std::uint8_t {
  kKillBefore,
  kKillAfter,
  kFailInstead,
  kFailAfter,
  kGone,
  kTornWrite,
  kGarbage,   // a call gives lengths or counts that cannot be
  kFinalTry,  // every token says that one more wrong PIN locks it
};

struct Fault {
  Where where = Where::kNowhere;
  How how = How::kFailInstead;
  std::uint64_t index = 0;  // from 0
  unsigned long rv = 0;     // kCall
  int error_number = 0;     // kStorage

  std::string Name() const;
};

inline Fault KillBefore(Where where, std::uint64_t index) {
  return {.where = where, .how = How::kKillBefore, .index = index};
}
inline Fault KillBefore(std::uint64_t call) { return KillBefore(Where::kCall, call); }
inline Fault KillAfter(std::uint64_t call) { return {.where = Where::kCall, .how = How::kKillAfter, .index = call}; }
inline Fault Fail(std::uint64_t call, unsigned long rv = CKR_DEVICE_ERROR) {
  return {.where = Where::kCall, .how = How::kFailInstead, .index = call, .rv = rv};
}
// FailAfter: the call is made, and said to have failed.
inline Fault FailAfter(std::uint64_t call) {
  return {.where = Where::kCall, .how = How::kFailAfter, .index = call, .rv = CKR_DEVICE_ERROR};
}
inline Fault FailStorage(std::uint64_t index, int error_number) {
  return {.where = Where::kStorage, .how = How::kFailInstead, .index = index, .error_number = error_number};
}
// StopAt: people end the program at a question.
inline Fault StopAt(std::uint64_t prompt) {
  return {.where = Where::kPrompt, .how = How::kFailInstead, .index = prompt};
}

// Outcome of one child. `died` when it was killed, or ended without a word.
struct Outcome {
  bool died = false;
  bool done = false;  // the ceremony is complete, or called off
  std::string code, rule, message;
  std::vector<hsm::Function> calls;  // in order
  std::vector<std::string> storage_names;
  std::uint64_t prompts = 0;
  std::uint64_t clock_readings = 0;

  // Reached tells whether the ceremony came to where the fault waited. A child that died told nothing.
  bool Reached(const Fault& fault) const;
};

// What is played (tests/support/*.ceremony.json): the shipped root ceremony; one that takes a token into service and
// shares its PINs anew; one that shares typed PINs of a token in service; a hierarchy;
// a key that is made, cloned, taken out of use and destroyed on both tokens; one that goes
// as a file, signs where it has come to, and is destroyed with its transport key.
enum class Script : std::uint8_t { kRoot, kReshare, kConvert, kHierarchy, kLife, kTransfer };

// Stage is one archive at one path that is put back to its prepared state for
// every trial (SoftHSM's paths are absolute).
class Stage final {
 public:
  explicit Stage(const std::string& name, Script script = Script::kRoot);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // Reset puts back the archive as the rehearsal was prepared.
  void Reset() const;
  // Begin, Resume and CallOff play in a child; the latter two take the newest record.
  Outcome Begin(const Fault& fault) const;
  Outcome Resume(const Fault& fault) const;
  Outcome CallOff(const Fault& fault) const;
  // LoseRecordToken takes away the token that holds the newest record's log key, and gives the archive another one.
  // LeaveBehind then begins the ceremony anew, and leaves that record behind.
  void LoseRecordToken() const;
  Outcome LeaveBehind(const Fault& fault) const;
  // GoOn resumes, or begins again where nothing was opened, until the ceremony
  // is complete; at most `most` times. The last outcome.
  Outcome GoOn(int most) const;
  // Judge checks all that must hold in the end and returns what does not:
  // verdict, objects on both tokens, secrets in no file of the records.
  std::vector<std::string> Judge() const { return Judge(objects_); }
  // The same where other than all `objects` of the script must be on each of its tokens.
  std::vector<std::string> Judge(std::size_t objects) const;

  bool has_softhsm() const { return has_softhsm_; }
  std::string NewestRecord() const;
  // Log is the text of the newest record's log.
  std::string Log() const;
  std::string Log(const std::string& record) const;
  // SoftHsmFiles are SoftHSM's files of the objects on all tokens, or of the tokens themselves.
  enum class Files : std::uint8_t { kObjects, kTokens };
  std::set<std::string> SoftHsmFiles(Files what) const;

 private:
  void Commission(const std::string& script);
  void JudgeRecord(std::vector<std::string>& wrong) const;
  void JudgeTokens(std::size_t objects, std::vector<std::string>& wrong) const;
  void JudgeSecrets(std::vector<std::string>& wrong) const;

  std::string root_;
  std::string archive_;
  std::string prepared_;
  std::string script_;
  std::vector<std::string> tokens_;  // of the script
  std::size_t objects_ = 0;          // on each of them, in the end
  mutable std::string left_;         // the record whose token was lost; empty: none was
  std::string before_;               // the newest record of the prepared archive; empty if there is none
  bool has_softhsm_ = false;
};

}  // namespace fault

#endif  // TESTS_FAULT_TRIAL_H_
