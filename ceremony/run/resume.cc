#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "ceremony/estate/intact.h"
#include "ceremony/record/recovery.h"
#include "ceremony/run/approval.h"
#include "ceremony/run/archive_rules.h"
#include "ceremony/run/one_try.h"
#include "ceremony/run/readiness.h"
#include "ceremony/run/unopened.h"
#include "ceremony/run/unsigned_tail.h"
#include "ceremony/steps/room_book.h"
#include "hsm/base/encoding.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

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

std::string StepsOver(Ceremony& ceremony) {
  return fmt::format("{} of {}", ceremony.history().StepsOver(), ceremony.inputs().script.StepCount());
}

// Who has only tried again has the banner in mind.
base::Result<void> ShowResumed(Ceremony& ceremony, const record::Recovered& recovered, const Again& again) {
  if (!again.after.empty() && !recovered.torn && recovered.set_aside.empty()) {
    ceremony.terminal().Say(
        room::Tone::kPlain,
        fmt::format("\nSteps that are over: {}. The tokens are looked for anew.", StepsOver(ceremony)));
    return {};
  }
  room::Banner banner;
  banner.title = ceremony.inputs().script.title + " (resumed)";
  banner.ceremony = ceremony.folder();
  banner.environment = std::string(script::NameOf(ceremony.inputs().binding->environment));
  banner.facts = {{"entries found", std::to_string(recovered.entries)},
                  {"steps over", StepsOver(ceremony)},
                  {"torn bytes", recovered.torn ? fmt::format("{} bytes kept as torn-{}", recovered.torn->size,
                                                              recovered.torn->sha256)
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

}  // namespace

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
  KC_RETURN_IF_ERROR(ShowResumed(ceremony, recovered, again));
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

}  // namespace ceremony::run
