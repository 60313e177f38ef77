// CallJournal turns what happens on tokens into entries: an `intent` that is
// durable before each consequential call, a `done` after it, with the digest of
// the token's whole inventory on both sides; all other calls are counted.
#ifndef CEREMONY_RUN_CALL_JOURNAL_H_
#define CEREMONY_RUN_CALL_JOURNAL_H_

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ceremony/record/entry.h"
#include "hsm/base/result.h"
#include "hsm/inventory.h"
#include "hsm/observer.h"

namespace ceremony::run {

class CallJournal final : public hsm::CallObserver {
 public:
  // Writes one entry durably; what it returns as an error vetoes the call.
  using Append = std::function<base::Result<void>(record::EntryType, nlohmann::json)>;
  // Names the logical token behind a label and serial.
  using NameToken = std::function<std::string(const std::string& label, const std::string& serial)>;

  // Attach makes the journal write from now on. Calls before it (there is no log
  // yet) and after Detach (the log is closed) are not written.
  void Attach(Append append, NameToken name_token, std::uint64_t last_call);
  void Detach();

  void Called(hsm::Function function, CK_RV rv, std::chrono::nanoseconds duration) override;
  base::Result<void> Before(const hsm::ConsequentialCall& call) override;
  base::Result<void> After(const hsm::ConsequentialCall& call, const hsm::CallOutcome& outcome) override;
  void Trouble(const base::Error& error) override;
  std::uint64_t NextCallNumber() override { return ++last_call_; }

  // TakeCounts returns the calls since the last time, as a step's end entry
  // has them: {"count", "microseconds", "failed": {"CKR_...": n}}.
  nlohmann::json TakeCounts();
  // TakeTroubles returns what destructors reported since the last time.
  std::vector<base::Error> TakeTroubles();

 private:
  Append append_;
  NameToken name_token_;
  std::uint64_t last_call_ = 0;
  std::uint64_t count_ = 0;
  std::chrono::nanoseconds time_{};
  std::map<std::string, std::uint64_t> failed_;
  std::vector<base::Error> troubles_;
};

// ObjectDigests are the SHA-256 digests of an inventory's lines, 64 hex digits
// each, sorted: enough to name later what has appeared since.
std::vector<std::string> ObjectDigests(const hsm::Inventory& inventory);

// An entry names single objects up to this many; beyond it, only their digest.
inline constexpr std::size_t kMaxObjectsNamed = 500;

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_CALL_JOURNAL_H_
