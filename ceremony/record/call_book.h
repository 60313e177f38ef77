// CallBook pairs the `intent` and `done` entries of a log: which calls are open, and which a recovery has settled.
#ifndef CEREMONY_RECORD_CALL_BOOK_H_
#define CEREMONY_RECORD_CALL_BOOK_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace ceremony::record {

class CallBook final {
 public:
  struct Call {
    std::string function;  // raw values of the intent, quotes and all
    std::string token;
    std::uint64_t entry = 0;  // of the intent
    bool settled = false;     // the program went on after a crash, and looked at the tokens
  };

  // Begin opens a call. One of the same number that is open is forgotten.
  void Begin(std::uint64_t number, Call call);
  // End closes a call and gives it; nothing when none of that number is open.
  std::optional<Call> End(std::uint64_t number);
  // SettleOpen marks every open call.
  void SettleOpen();

  // Open lists the open calls by number.
  const std::map<std::uint64_t, Call>& Open();
  // last is the number of the newest call; nothing when there was none.
  const std::optional<std::uint64_t>& last() const { return last_; }

 private:
  void PutNewestBy();

  // The call under way is kept apart: nearly every done follows its intent at once,
  // so a million calls need no map with a million allocations.
  std::optional<std::pair<std::uint64_t, Call>> newest_;
  std::map<std::uint64_t, Call> others_;
  std::optional<std::uint64_t> last_;
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_CALL_BOOK_H_
