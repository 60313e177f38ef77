#include "ceremony/run/leave_behind.h"

#include <fmt/format.h>

#include <utility>

#include "ceremony/estate/intact.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/verify.h"
#include "hsm/base/counted.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

base::Error NotToBeLeft(const std::string& why, const std::string& way_out) {
  return base::Refusal("LEAVE-BEHIND-01", why, way_out);
}

base::Result<void> CheckMayBeLeft(const std::string& folder, const std::vector<estate::RecordSummary>& records) {
  if (records.empty() || records.back().folder != folder) {
    return NotToBeLeft(
        fmt::format("{} is not the newest record of this archive, which is {}", folder,
                    records.empty() ? "empty" : records.back().folder),
        "only the newest record can be left behind: name it, or leave --leave-behind out when it is complete");
  }
  if (records.back().complete)
    return NotToBeLeft(fmt::format("{} is complete: there is nothing to leave behind", folder),
                       "leave --leave-behind out");
  return {};
}

}  // namespace

base::Result<LeftBehind> LeaveBehind(World& world, const std::string& archive, const std::string& folder,
                                     estate::Folded& folded) {
  KC_RETURN_IF_ERROR(CheckMayBeLeft(folder, folded.records));
  estate::RecordSummary& record = folded.records.back();
  LeftBehind left;
  KC_ASSIGN_OR_RETURN(left.log, world.storage.OpenAppend(record::JoinPath(folder, record::kLogFile),
                                                         record::Storage::Lock::kExclusive));
  KC_ASSIGN_OR_RETURN(const record::RecordReport report, record::VerifyRecord(archive + "/" + folder, {}));
  record.left_behind = record::Checkpoint{report.origin, report.entries, report.log_root.value_or(record::Hash{})};
  KC_RETURN_IF_ERROR(estate::CheckIntact(archive, folded));
  KC_ASSIGN_OR_RETURN(const std::optional<LogKeyPlan> plan, ReadLogKeyPlan(world.storage, folder));
  KC_ASSIGN_OR_RETURN(const json open, estate::OpenEntry(archive, folder));
  if (!plan || !open.is_object() || !open.contains("log_key"))
    return NotToBeLeft(fmt::format("{} was never opened", folder),
                       "leave --leave-behind out: what there is of it will be set aside");
  left.log_key = *plan;
  left.account = record::CheckpointFields(*record.left_behind);
  left.account["folder"] = folder;
  left.account["log_key"] = open.at("log_key");
  if (const auto& follows = report.last ? report.last : report.previous)
    left.previous = record::CheckpointFields(*follows);
  return left;
}

base::Result<void> CheckOutOfReach(TokenRoom& tokens, const LeftBehind& left) {
  KC_ASSIGN_OR_RETURN(hsm::Session * session, tokens.Session(tokens.binding().record_token));
  if (session->token().info().serial != left.log_key.serial) return {};
  const auto found = TokenSigner::Find(*session, left.account.at("origin").get<std::string>(),
                                       left.account.at("log_key").get<std::string>());
  if (!found.ok()) return found.error().code == base::ErrorCode::kNotFound ? base::Result<void>() : found.error();
  const std::string folder = left.account.at("folder").get<std::string>();
  return base::Refusal("LEAVE-BEHIND-02",
                       fmt::format("the log key of {} is on the token with serial {}, which is the record token here",
                                   folder, left.log_key.serial),
                       fmt::format("go on with it: keyceremony resume ARCHIVE/{0}; or call it off: keyceremony resume "
                                   "--call-off ARCHIVE/{0}",
                                   folder));
}

base::Result<void> AskWhyLeftBehind(room::Terminal& terminal, LeftBehind& left) {
  terminal.Say(room::Tone::kWarning,
               fmt::format("{}, which has {} and was never closed, is to be left behind. It stays INCOMPLETE for ever, "
                           "and nobody can go on with it. What its last calls have done on tokens stays there: "
                           "token.verify finds it.",
                           left.account.at("folder").get<std::string>(),
                           base::Counted(left.account.at("size").get<std::uint64_t>(), "entry", "entries")));
  room::Question question;
  question.kind = room::Question::Kind::kText;
  question.id = "leave-behind/reason";
  question.person = "the administrator";
  question.text = "Why can nobody close that record any more? Everybody who reads the new one reads this.";
  question.example = "the record token no longer answers in any reader";
  question.simulated = "a rehearsal of a record token that died";
  KC_ASSIGN_OR_RETURN(left.account["reason"], terminal.Ask(question));
  return {};
}

}  // namespace ceremony::run
