// A record that nobody can close any more: the token with its log key died, or was lost. It stays INCOMPLETE. The next
// ceremony leaves it behind: its `open` entry says what that record was, entry by entry, and its quorum approves it.
#ifndef CEREMONY_RUN_LEAVE_BEHIND_H_
#define CEREMONY_RUN_LEAVE_BEHIND_H_

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "ceremony/estate/fold.h"
#include "ceremony/record/storage.h"
#include "ceremony/room/terminal.h"
#include "ceremony/run/log_key.h"
#include "ceremony/run/token_room.h"
#include "ceremony/run/world.h"
#include "hsm/base/result.h"

namespace ceremony::run {

struct LeftBehind {
  nlohmann::json account;   // for `open`: folder, origin, size and root of all its entries, log_key; then the reason
  nlohmann::json previous;  // what the next record follows: the last checkpoint that was signed, or null
  LogKeyPlan log_key;       // where its log key was
  // Its log, locked as long as this lives, so that nobody resumes the record meanwhile.
  std::unique_ptr<record::AppendFile> log;
};

// LeaveBehind looks at the newest record of the archive, which is to be the one named, and marks it in `folded`, so
// that others may follow it. Nothing is written.
//   LEAVE-BEHIND-01  it is not the newest record, was never opened, or is complete
//   EST-FOLD-03      it is not only unfinished, but not what was signed
// RECORD-LOCK-01 when another process goes on with it.
base::Result<LeftBehind> LeaveBehind(World& world, const std::string& archive, const std::string& folder,
                                     estate::Folded& folded);

// CheckOutOfReach refuses to leave a record behind whose log key is on the record token of the next one: it can be
// resumed, or called off (LEAVE-BEHIND-02). About any other token only people can tell.
base::Result<void> CheckOutOfReach(TokenRoom& tokens, const LeftBehind& left);

// AskWhyLeftBehind tells people what it means, and adds the `reason` that they give to the account.
base::Result<void> AskWhyLeftBehind(room::Terminal& terminal, LeftBehind& left);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_LEAVE_BEHIND_H_
