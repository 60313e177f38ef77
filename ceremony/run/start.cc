#include "ceremony/run/start.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/estate/fold.h"
#include "ceremony/estate/intact.h"
#include "ceremony/record/checkpoint.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/recovery.h"
#include "ceremony/run/approval.h"
#include "ceremony/run/ceremony.h"
#include "ceremony/run/kept_tokens.h"
#include "ceremony/run/leave_behind.h"
#include "ceremony/run/unopened.h"
#include "ceremony/run/unsigned_tail.h"
#include "ceremony/steps/catalogue.h"
#include "ceremony/steps/room_book.h"
#include "hsm/base/counted.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

base::Result<bool> HasEntries(World& world, const std::string& folder) {
  KC_ASSIGN_OR_RETURN(const auto log, world.storage.Find(record::JoinPath(folder, record::kLogFile)));
  if (!log || log->size == 0) return false;
  KC_ASSIGN_OR_RETURN(const auto file, world.storage.OpenRead(record::JoinPath(folder, record::kLogFile)));
  // Only a whole first line is an entry.
  base::Bytes head(std::min<std::uint64_t>(log->size, record::kMaxLineBytes + 1));
  KC_ASSIGN_OR_RETURN(const std::size_t got, file->ReadAt(0, head));
  return std::find(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(got), std::uint8_t{'\n'}) !=
         head.begin() + static_cast<std::ptrdiff_t>(got);
}

base::Result<json> FinalCheckpointOf(World& world, const std::string& folder) {
  const std::string path = record::JoinPath(folder, record::kCheckpointFile);
  KC_ASSIGN_OR_RETURN(const base::Bytes bytes, record::ReadWholeFile(world.storage, path, record::kMaxNoteBytes));
  KC_ASSIGN_OR_RETURN(const record::Note note, record::Note::Parse(base::AsText(bytes)));
  KC_ASSIGN_OR_RETURN(const record::Checkpoint checkpoint, record::Checkpoint::Parse(note.text));
  return json{{"origin", checkpoint.origin}, {"size", checkpoint.size}, {"root", base::HexEncode(checkpoint.root)}};
}

std::string NextFolder(const std::vector<estate::RecordSummary>& records, const std::string& ceremony) {
  const auto last = records.empty() ? std::nullopt : record::RecordNumber(records.back().folder);
  return record::RecordName(last.value_or(0) + 1, ceremony);
}

base::Error ListBlocking(const steps::Plan& plan) {
  base::Error error;
  error.code = base::ErrorCode::kRefused;
  for (const steps::Finding& finding : plan.findings) {
    if (!finding.Blocks()) continue;
    if (error.rule.empty()) {
      error.rule = finding.rule;
      error.hint = finding.hint;
    }
    if (!error.message.empty()) error.message += '\n';
    error.message += fmt::format("{}: [{}] {}", finding.where, finding.rule, finding.message);
  }
  return error;
}

// Everybody looks at the digests of what is about to run; the administrator
// types that they are the ones on the printed script.
base::Result<void> ConfirmScript(Ceremony& ceremony) {
  const script::Inputs& inputs = ceremony.inputs();
  room::Banner banner;
  banner.title = inputs.script.title;
  banner.ceremony = ceremony.folder();
  banner.mode = std::string(script::NameOf(inputs.binding->environment));
  banner.facts = {{"estate", inputs.script.estate},
                  {"environment", std::string(script::NameOf(inputs.binding->environment))},
                  {"script", inputs.script.file.name},
                  {"policy", fmt::format("{} {}", inputs.policy.id, inputs.policy.version)},
                  {"steps", fmt::format("{} in {}", inputs.script.StepCount(),
                                        base::Counted(inputs.script.sections.size(), "section", "sections"))}};
  ceremony.terminal().ShowBanner(banner);
  KC_ASSIGN_OR_RETURN(const base::Bytes digest, base::HexDecode(inputs.script.file.sha256));
  ceremony.terminal().ShowDigest("script", digest);
  const room::Question question{.kind = room::Question::Kind::kConsent,
                                .id = "opening/script",
                                .person = "the administrator",
                                .text = "Read the words aloud. Are they the ones on every printed script?",
                                .expected = "CONFIRM",
                                .simulated = "CONFIRM"};
  KC_RETURN_IF_ERROR(ceremony.terminal().Ask(question));
  return {};
}

// Before any module reads them: a rehearsal's tokens as SoftHSM has left them.
base::Result<json> MendTokens(World& world) {
  json mended = json::array();
  if (!world.mend_tokens) return mended;
  KC_ASSIGN_OR_RETURN(const std::vector<MendedToken> tokens, world.mend_tokens());
  for (const MendedToken& token : tokens) {
    if (token.sha256.empty()) {
      world.terminal.Say(room::Tone::kWarning,
                         fmt::format("SoftHSM was cut off while it made token {}. The rehearsal has removed what there "
                                     "was of it; a real token would need its maker's tool.",
                                     token.label));
      mended.push_back({{"what", "token-file-removed"},
                        {"label", token.label},
                        {"serial", token.serial},
                        {"torn_bytes", token.torn_bytes},
                        {"torn_sha256", token.torn_sha256}});
      continue;
    }
    world.terminal.Say(room::Tone::kWarning,
                       fmt::format("SoftHSM was cut off while it wrote the file of token {} and left {} bytes of it. "
                                   "The rehearsal has put its own copy back; for a real token nobody could.",
                                   token.label, token.torn_bytes));
    mended.push_back({{"what", "token-file-put-back"},
                      {"label", token.label},
                      {"serial", token.serial},
                      {"torn_bytes", token.torn_bytes},
                      {"torn_sha256", token.torn_sha256},
                      {"sha256", token.sha256}});
  }
  return mended;
}

base::Result<Ended> Close(Ceremony& ceremony, const std::optional<CalledOff>& called_off = std::nullopt) {
  KC_RETURN_IF_ERROR(CloseRecord(ceremony, called_off));
  return ceremony.history().called_off() ? Ended::kCalledOff : Ended::kDone;
}

// Opens and runs in a folder that is free.
base::Result<Ended> RunFresh(World& world, script::Inputs inputs, estate::Folded folded, const std::string& folder,
                             OpeningFacts facts, std::optional<LeftBehind> left = std::nullopt) {
  if (left) {
    facts.previous = left->previous;
  } else if (!folded.records.empty()) {
    KC_ASSIGN_OR_RETURN(facts.previous, FinalCheckpointOf(world, folded.records.back().folder));
  }
  Ceremony ceremony(world, std::move(inputs), std::move(folded.estate), folder);
  KC_RETURN_IF_ERROR(ConfirmScript(ceremony));
  KC_RETURN_IF_ERROR(Preflight(ceremony));
  if (left) {
    KC_RETURN_IF_ERROR(CheckOutOfReach(ceremony.tokens(), *left));
    KC_RETURN_IF_ERROR(AskWhyLeftBehind(ceremony.terminal(), *left));
    facts.left_behind = left->account;
  }
  KC_RETURN_IF_ERROR(OpenRecord(ceremony, facts));
  KC_RETURN_IF_ERROR(RunSteps(ceremony));
  return Close(ceremony);
}

// A plan that is blocked is refused; what was waived, and what a rehearsal departs from, goes into the record.
base::Result<json> CheckPlan(const script::Inputs& inputs, const estate::Estate& estate) {
  const steps::Plan plan = steps::MakePlan(inputs, estate);
  if (plan.IsBlocked()) return ListBlocking(plan);
  json findings = json::array();
  for (const steps::Finding& finding : plan.findings) {
    json entry = {
        {"rule", finding.rule}, {"severity", x509::SeverityName(finding.severity)}, {"message", finding.message}};
    if (!finding.waived_by.empty()) entry["waived_by"] = finding.waived_by;
    findings.push_back(std::move(entry));
  }
  return findings;
}

// A ceremony whose secrets would not be kept as promised does not begin, and does not go on. A rehearsal, whose secrets
// are worth nothing, says so and does: `findings` is what its opening says of it.
base::Result<void> CheckMemory(World& world, const script::Inputs& inputs, json& findings) {
  base::Result<void> kept = world.check_secret_memory();
  if (kept.ok()) return {};
  if (inputs.binding->environment != script::Environment::kRehearsal) return kept;
  const base::Error& error = kept.error();
  world.terminal.Say(room::Tone::kWarning,
                     fmt::format("[{}] {}. A rehearsal goes on; a ceremony would not. Way out: {}.", error.rule,
                                 error.message, error.hint));
  findings.push_back({{"rule", error.rule},
                      {"severity", x509::SeverityName(x509::Severity::kGoodPractice)},
                      {"message", error.message}});
  return {};
}

// Again is a decision of the people present to go on after a failure.
struct Again {
  std::string after;  // what had failed; empty: a ceremony that is resumed by its command
  std::string decided_by;
  bool room_changes = false;  // people come or go before it goes on
  Onward onward = Onward::kToTheEnd;
};

base::Result<void> CompareMode(const std::string& archive, const std::string& held, record::Mode mode) {
  if (held == record::ModeName(mode)) return {};
  return base::Refusal(
      "ARCHIVE-MODE-01",
      fmt::format("the archive {} holds {} records, this is a {} ceremony", archive, held, record::ModeName(mode)),
      "give an archive of its own with --archive");
}

base::Result<Ended> BeginOnce(World& world, const std::string& archive, script::Inputs inputs, std::string& folder,
                              const std::string& leave_behind) {
  json memory = json::array();
  KC_RETURN_IF_ERROR(CheckMemory(world, inputs, memory));
  KC_ASSIGN_OR_RETURN(estate::Folded folded, estate::FoldArchive(archive));
  OpeningFacts facts;
  KC_ASSIGN_OR_RETURN(facts.mended, MendTokens(world));
  if (!folded.records.empty() && !folded.records.back().opened) {
    const std::string unopened = folded.records.back().folder;
    KC_ASSIGN_OR_RETURN(facts.set_aside, SetAsideUnopened(world, folded.estate, *inputs.binding, unopened));
    folded.records.pop_back();
  }
  KC_RETURN_IF_ERROR(estate::CheckIntact(archive, folded));
  std::optional<LeftBehind> left;
  if (!leave_behind.empty()) {
    KC_ASSIGN_OR_RETURN(left, LeaveBehind(world, archive, leave_behind, folded));
  }
  KC_RETURN_IF_ERROR(CheckNothingOpen(archive, folded.records));
  if (!folded.records.empty()) {
    KC_RETURN_IF_ERROR(CompareMode(archive, folded.records.back().mode,
                                   inputs.binding->environment == script::Environment::kRehearsal
                                       ? record::Mode::kRehearsal
                                       : record::Mode::kProduction));
  }
  KC_ASSIGN_OR_RETURN(facts.findings, CheckPlan(inputs, folded.estate));
  facts.findings.insert(facts.findings.end(), memory.begin(), memory.end());
  folder = NextFolder(folded.records, inputs.script.id);
  return RunFresh(world, std::move(inputs), std::move(folded), folder, std::move(facts), std::move(left));
}

steps::RoomBook RoomBookOf(Ceremony& ceremony) {
  steps::RoomBook book{ceremony.roster(), ceremony.history().attendance(), ceremony.terminal(),
                       [&ceremony](std::string_view type, json fields) -> base::Result<void> {
                         KC_RETURN_IF_ERROR(ceremony.Append(record::FindEntryType(type)->type, std::move(fields)));
                         return {};
                       }};
  // Who comes later is as confidential as who was there at the roll call.
  if (ceremony.inputs().policy.KeepsConfidential("employer")) book.KeepEmployersConfidential();
  for (const script::Section& section : ceremony.inputs().script.sections) {
    for (const script::Step& step : section.steps) {
      if (step.fields.Has("confidential_employers") && step.fields.Flag("confidential_employers")) {
        book.KeepEmployersConfidential();
      }
    }
  }
  return book;
}

// The record that is gone on with follows the last of those before it.
base::Result<void> CheckFollows(Ceremony& ceremony, std::vector<estate::RecordSummary> records) {
  const json& open = ceremony.history().open();
  estate::RecordSummary own;
  own.folder = ceremony.folder();
  own.opened = true;
  own.previous = open.at("previous").is_object() ? open.at("previous").at("origin").get<std::string>() : "";
  records.push_back(std::move(own));
  return estate::CheckChain(records);
}

// What the next ceremony was built on does not change any more.
base::Result<void> CheckIsLast(const std::string& archive, const std::string& folder) {
  KC_ASSIGN_OR_RETURN(const std::string later, estate::OpenedAfter(archive, folder));
  if (later.empty()) return {};
  return base::Refusal("ARCHIVE-LEFT-01", fmt::format("{} was opened after {}, and has left it behind", later, folder),
                       "it stays as it is; `keyceremony verify` says what it is worth");
}

// Who witnesses the record has to have said that it is theirs, also one that comes to nothing.
base::Result<Ended> CallOff(Ceremony& ceremony) {
  KC_RETURN_IF_ERROR(SettleWhatAnswers(ceremony));
  KC_ASSIGN_OR_RETURN(const CalledOff called_off, AskToCallOff(ceremony));
  KC_RETURN_IF_ERROR(ApproveOpening(ceremony));
  return Close(ceremony, called_off);
}

// Begins anew what was cut off before its first entry. `facts` says what has been found so far.
base::Result<Ended> RunUnopened(World& world, script::Inputs inputs, estate::Folded folded, const std::string& folder,
                                OpeningFacts facts) {
  const json memory = std::exchange(facts.findings, json::array());
  KC_ASSIGN_OR_RETURN(facts.set_aside, SetAsideUnopened(world, folded.estate, *inputs.binding, folder));
  KC_ASSIGN_OR_RETURN(facts.findings, CheckPlan(inputs, folded.estate));
  facts.findings.insert(facts.findings.end(), memory.begin(), memory.end());
  return RunFresh(world, std::move(inputs), std::move(folded), folder, std::move(facts));
}

struct ReadRecord {
  record::Recovered recovered;
  UnsignedTail tail;
};

// Reads the record back: history and estate are then as they were when it was left.
base::Result<ReadRecord> ReadBack(Ceremony& ceremony, std::vector<estate::RecordSummary> records) {
  World& world = ceremony.world();
  base::Result<void> seen;
  UnsignedTail tail;
  KC_ASSIGN_OR_RETURN(
      record::Recovered recovered,
      record::Recover({world.storage, world.clock, ceremony.folder(), ceremony.mode()}, [&](const json& entry) {
        tail.See(entry);
        if (seen.ok()) seen = ceremony.history().See(entry);
      }));
  KC_RETURN_IF_ERROR(std::move(seen));
  KC_RETURN_IF_ERROR(CheckFollows(ceremony, std::move(records)));
  if (recovered.recover_seq) KC_RETURN_IF_ERROR(ceremony.history().See(json{{"type", "recover"}}));
  for (const estate::Effect& effect : ceremony.history().effects())
    KC_RETURN_IF_ERROR(ceremony.estate().Apply(effect, {ceremony.folder(), 0, ""}));
  return ReadRecord{std::move(recovered), std::move(tail)};
}

base::Result<void> ShowResumed(Ceremony& ceremony, const record::Recovered& recovered) {
  room::Banner banner;
  banner.title = ceremony.inputs().script.title + " (resumed)";
  banner.ceremony = ceremony.folder();
  banner.mode = std::string(script::NameOf(ceremony.inputs().binding->environment));
  banner.facts = {
      {"entries found", std::to_string(recovered.entries)},
      {"steps over", fmt::format("{} of {}", ceremony.history().StepsOver(), ceremony.inputs().script.StepCount())},
      {"torn bytes", recovered.torn
                         ? fmt::format("{} bytes kept as torn-{}", recovered.torn->size, recovered.torn->sha256)
                         : "none"}};
  for (const record::SetAside& file : recovered.set_aside)
    banner.facts.push_back({"set aside", fmt::format("{} kept as torn-{}", file.name, file.sha256)});
  ceremony.terminal().ShowBanner(banner);
  KC_ASSIGN_OR_RETURN(const base::Bytes digest, base::HexDecode(ceremony.inputs().script.file.sha256));
  ceremony.terminal().ShowDigest("script, as it was confirmed at the opening", digest);
  return {};
}

base::Result<void> CheckArtefacts(const std::string& folder, const record::Recovered& recovered) {
  if (recovered.missing.empty()) return {};
  const std::string& missing = recovered.missing.front();
  std::string hint = "put the original file back, then resume";
  for (const record::SetAside& file : recovered.set_aside) {
    if (file.name != fmt::format("{}/{}{}", record::kArtefactsFolder, missing, record::kPartialSuffix)) continue;
    hint = fmt::format("what was being written of it is torn-{}: put the original file back, then resume", file.sha256);
  }
  return base::MakeError(base::ErrorCode::kCorrupt,
                         fmt::format("{}: the artefact {} is missing or has been changed", folder, missing))
      .WithRule("RUN-ARTEFACT-01")
      .WithHint(std::move(hint));
}

// Without the log key a record is gone on with only to gather what signs its final checkpoint.
base::Result<void> FindLogKey(Ceremony& ceremony, const record::Writer& writer) {
  KC_RETURN_IF_ERROR(ceremony.tokens().Session(ceremony.RecordToken()));
  auto log_key = ceremony.LogKey();
  if (log_key.ok() || writer.has_final_checkpoint()) return {};
  return std::move(log_key).error();
}

// Says in the record how it came to be gone on with: what was mended, what was cut off, who decided.
base::Result<void> TellOfResuming(Ceremony& ceremony, const json& mended, const std::vector<json>& open_steps,
                                  const Again& again) {
  for (const json& token : mended) KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kNote, token));
  for (const json& step : open_steps) {
    KC_RETURN_IF_ERROR(
        ceremony.Append(record::EntryType::kStep,
                        {{"id", step.at("id")},
                         {"do", step.at("do")},
                         {"phase", "failed"},
                         {"error", {{"code", "interrupted"}, {"message", "the program ended within this step"}}}}));
  }
  if (!again.after.empty()) {
    const bool ends = again.onward == Onward::kCallOff;
    KC_RETURN_IF_ERROR(ceremony.Append(
        record::EntryType::kNote,
        {{"what", ends ? "the people present decided to call the ceremony off" : "the people present decided to go on"},
         {"decided_by", again.decided_by},
         {"after", again.after}}));
  }
  // Before the roll was called there is nobody who could have gone.
  if (!again.room_changes || ceremony.history().attendance().present().empty()) return {};
  return RoomBookOf(ceremony).RecordChange();
}

// Who wrote down what was signed last finds out here whether the record was cut back since.
void ShowSigned(Ceremony& ceremony) {
  const auto& last = ceremony.writer().last_checkpoint();
  if (!last) return;
  ceremony.terminal().Say(room::Tone::kPlain,
                          "Compare these words with those that were kept at the pause. If they are others, stop here: "
                          "the record was cut back meanwhile.");
  ceremony.terminal().ShowDigest(SignedSoFar(*last), last->root);
}

base::Result<Ended> ResumeOnce(World& world, const std::string& archive, script::Inputs inputs,
                               const std::string& folder, const Again& again) {
  KC_ASSIGN_OR_RETURN(const auto addendum, world.storage.Find(record::JoinPath(folder, record::kAddendumFile)));
  if (addendum) {
    world.terminal.Say(room::Tone::kGood, fmt::format("{} is complete; there is nothing to go on with.", folder));
    return Ended::kDone;
  }
  OpeningFacts facts;
  KC_RETURN_IF_ERROR(CheckMemory(world, inputs, facts.findings));
  KC_RETURN_IF_ERROR(CheckIsLast(archive, folder));
  KC_ASSIGN_OR_RETURN(estate::Folded folded, estate::FoldArchive(archive, folder));
  KC_RETURN_IF_ERROR(estate::CheckIntact(archive, folded));
  KC_RETURN_IF_ERROR(CheckNothingOpen(archive, folded.records));
  KC_ASSIGN_OR_RETURN(const bool opened, HasEntries(world, folder));
  KC_ASSIGN_OR_RETURN(facts.mended, MendTokens(world));
  if (!opened && again.onward == Onward::kCallOff) {
    return base::Refusal("CALL-OFF-02", fmt::format("{} was never opened: there is nothing to call off", folder),
                         "start the next ceremony; what is there of this one will be set aside");
  }
  if (!opened) return RunUnopened(world, std::move(inputs), std::move(folded), folder, std::move(facts));

  Ceremony ceremony(world, std::move(inputs), std::move(folded.estate), folder);
  KC_ASSIGN_OR_RETURN(ReadRecord read, ReadBack(ceremony, std::move(folded.records)));
  record::Recovered& recovered = read.recovered;
  KC_RETURN_IF_ERROR(ShowResumed(ceremony, recovered));
  KC_RETURN_IF_ERROR(CheckArtefacts(folder, recovered));
  KC_RETURN_IF_ERROR(FindLogKey(ceremony, *recovered.writer));
  const bool closed = ceremony.history().closed();
  ceremony.TakeWriter(std::move(recovered.writer));
  if (again.after.empty()) ShowSigned(ceremony);
  if (!ceremony.writer().has_final_checkpoint()) KC_RETURN_IF_ERROR(read.tail.AskAbout(ceremony));
  if (closed) {
    ceremony.journal().Detach();
    return Close(ceremony);
  }
  KC_RETURN_IF_ERROR(TellOfResuming(ceremony, facts.mended, recovered.open_steps, again));
  if (again.onward == Onward::kCallOff) return CallOff(ceremony);
  KC_RETURN_IF_ERROR(SettleCalls(ceremony));
  KC_RETURN_IF_ERROR(RunSteps(ceremony));
  return Close(ceremony);
}

// MayTryAgain tells whether the same people at the same machine can mend it: a
// token that was pulled, a wrong PIN, a quorum that was short.
bool MayTryAgain(World& world, const base::Error& error, const std::string& folder) {
  switch (error.code) {
    case base::ErrorCode::kAborted:
    case base::ErrorCode::kIo:
    case base::ErrorCode::kCorrupt:
    case base::ErrorCode::kInternal:
      return false;
    default:
      break;
  }
  if (!world.terminal.HasPeople() || world.stop_requested() || folder.empty()) return false;
  const auto opened = HasEntries(world, folder);
  return opened.ok() && *opened;
}

constexpr const char* kAgain = "try again";
constexpr const char* kPause = "pause the ceremony";
constexpr const char* kRoom = "somebody comes or goes, then try again";
constexpr const char* kCallOff = "call the ceremony off";
constexpr const char* kCallOffAgain = "try again to call it off";
constexpr const char* kAfterAll = "go on with the ceremony after all";

// What people may decide after a failure: a ceremony is only called off before its record is closed.
base::Result<std::vector<std::string>> Decisions(World& world, const std::string& folder, Onward onward) {
  KC_ASSIGN_OR_RETURN(const auto closed, world.storage.Find(record::JoinPath(folder, record::kCheckpointFile)));
  if (closed) return std::vector<std::string>{kAgain, kPause, kRoom};
  if (onward == Onward::kCallOff) return std::vector<std::string>{kCallOffAgain, kPause, kRoom, kAfterAll};
  return std::vector<std::string>{kAgain, kPause, kRoom, kCallOff};
}

// GoOn asks after each failure what to do. Trying again is a resume without
// leaving the program: tokens are found anew, and the record says what happened.
base::Result<Ended> GoOn(World& world, const std::string& archive, const std::string& folder, Onward onward,
                         base::Result<Ended> played) {
  while (!played.ok() && MayTryAgain(world, played.error(), folder)) {
    const base::Error error = played.error();
    const room::Tone tone = error.rule == "QUORUM-POSTPONED-01" ? room::Tone::kWarning : room::Tone::kBad;
    world.terminal.Say(tone, error.rule.empty() ? error.message : error.message + " [" + error.rule + "]");
    // A way out by another command is for those who leave this one.
    if (!error.hint.empty() && error.hint.find("`keyceremony") == std::string::npos)
      world.terminal.Say(room::Tone::kPlain, "What to do: " + error.hint + ".");
    KC_ASSIGN_OR_RETURN(std::vector<std::string> decisions, Decisions(world, folder, onward));
    const room::Question question{
        .kind = room::Question::Kind::kDecision,
        .id = "again",
        .person = "the administrator",
        .text = "Nothing is lost: the record says what happened. Mend the cause, then decide.",
        .choices = std::move(decisions)};
    const auto decision = world.terminal.Ask(question);
    if (!decision.ok()) return played;
    if (*decision == kPause) return base::Error(error).Prefixed("paused after a failure");
    if (*decision == kCallOff) onward = Onward::kCallOff;
    if (*decision == kAfterAll) onward = Onward::kToTheEnd;
    const Again again{error.message, question.person, *decision == kRoom, onward};
    auto inputs = ReadRecordInputs(archive, folder);
    if (!inputs.ok()) return std::move(inputs).error();
    played = ResumeOnce(world, archive, std::move(inputs).value(), folder, again);
  }
  return played;
}

}  // namespace

std::string SignedSoFar(const record::Checkpoint& checkpoint) {
  return fmt::format("root of what is signed: the first {}", base::Counted(checkpoint.size, "entry", "entries"));
}

base::Result<void> CheckNothingOpen(const std::string& archive, const std::vector<estate::RecordSummary>& records) {
  if (records.empty() || records.back().complete || records.back().left_behind) return {};
  const std::string& open = records.back().folder;
  return base::Refusal("ARCHIVE-OPEN-01", fmt::format("the ceremony {} of this archive is not complete", open),
                       fmt::format("go on with it first: keyceremony resume {0}/{1}; or, when it cannot come to its "
                                   "end: keyceremony resume --call-off {0}/{1}; or, when nobody can close it any more, "
                                   "since its record token is gone: begin this ceremony with --leave-behind {1}",
                                   archive, open));
}

base::Result<void> CheckMode(const std::string& archive, record::Mode mode) {
  KC_ASSIGN_OR_RETURN(const std::string held, estate::NewestMode(archive));
  return held.empty() ? base::Result<void>() : CompareMode(archive, held, mode);
}

base::Result<Ended> Begin(World& world, const std::string& archive, script::Inputs inputs, std::string& folder,
                          const std::string& leave_behind) {
  auto played = BeginOnce(world, archive, std::move(inputs), folder, leave_behind);
  return GoOn(world, archive, folder, Onward::kToTheEnd, std::move(played));
}

base::Result<Ended> Resume(World& world, const std::string& archive, script::Inputs inputs, const std::string& folder,
                           Onward onward) {
  // After a pause the room is rarely the same.
  const Again resumed{"", "", world.terminal.HasPeople(), onward};
  return GoOn(world, archive, folder, onward, ResumeOnce(world, archive, std::move(inputs), folder, resumed));
}

namespace {

// What the entry `open` says of an input; empty when it says nothing. The record may be anybody's.
std::string DigestOf(const json& open, const std::string& input) {
  const json inputs = open.value("inputs", json());
  const auto found = inputs.find(input);
  return found != inputs.end() && found->is_string() ? found->get<std::string>() : std::string();
}

base::Result<void> CompareWithOpen(const script::Inputs& inputs, const json& open) {
  KC_ASSIGN_OR_RETURN(const auto files, inputs.Files());
  for (const auto& [name, file] : files) {
    const std::string expected = DigestOf(open, name);
    if (expected == file->sha256) continue;
    return base::MakeError(base::ErrorCode::kCorrupt,
                           fmt::format("inputs/{} has the SHA-256 {}, the record was opened with {}", name,
                                       file->sha256, expected.empty() ? "no such file" : expected))
        .WithRule("RUN-INPUT-01")
        .WithHint("a ceremony goes on only with the bytes it was opened with: put them back");
  }
  return {};
}

}  // namespace

base::Result<script::Inputs> ReadRecordInputs(const std::string& archive, const std::string& folder) {
  const std::string inputs_folder = fmt::format("{}/{}/{}/", archive, folder, record::kInputsFolder);
  auto plan_file = script::LoadFile(inputs_folder + std::string(kLogKeyInput));
  if (!plan_file.ok()) {
    return base::MakeError(
               base::ErrorCode::kAborted,
               fmt::format("{} was cut off before all its inputs were stored; no token was touched", folder))
        .WithHint("start the ceremony again with the command that began it; the folder will be set aside");
  }
  const json plan_json = json::parse(plan_file.value().bytes, nullptr, false);
  KC_ASSIGN_OR_RETURN(const LogKeyPlan plan, LogKeyPlan::FromJson(plan_json));
  KC_ASSIGN_OR_RETURN(script::Inputs inputs,
                      script::ReadInputs(inputs_folder + plan.script, inputs_folder + std::string(record::kRosterFile),
                                         inputs_folder + std::string(script::kBindingInput), steps::Catalogue(),
                                         script::Layout::kFlat));
  KC_ASSIGN_OR_RETURN(const json open, estate::OpenEntry(archive, folder));
  if (open.is_object()) KC_RETURN_IF_ERROR(CompareWithOpen(inputs, open));
  return inputs;
}

}  // namespace ceremony::run
