#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/estate/intact.h"
#include "ceremony/record/checkpoint.h"
#include "ceremony/record/record_name.h"
#include "ceremony/run/archive_rules.h"
#include "ceremony/run/one_try.h"
#include "ceremony/run/readiness.h"
#include "ceremony/run/unopened.h"
#include "hsm/base/counted.h"
#include "hsm/base/encoding.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

base::Result<json> FinalCheckpointOf(World& world, const std::string& folder) {
  const std::string path = record::JoinPath(folder, record::kCheckpointFile);
  KC_ASSIGN_OR_RETURN(const base::Bytes bytes, record::ReadWholeFile(world.storage, path, record::kMaxNoteBytes));
  KC_ASSIGN_OR_RETURN(const record::Note note, record::Note::Parse(base::AsText(bytes)));
  KC_ASSIGN_OR_RETURN(const record::Checkpoint checkpoint, record::Checkpoint::Parse(note.text));
  return record::CheckpointFields(checkpoint);
}

std::string NextFolder(const std::vector<estate::RecordSummary>& records, const std::string& ceremony) {
  const auto last = records.empty() ? std::nullopt : record::RecordNumber(records.back().folder);
  return record::RecordName(last.value_or(0) + 1, ceremony);
}

// Everybody looks at the digests of what is about to run; the administrator
// types that they are the ones on the printed script.
base::Result<void> ConfirmScript(Ceremony& ceremony) {
  const script::Inputs& inputs = ceremony.inputs();
  room::Banner banner;
  banner.title = inputs.script.title;
  banner.ceremony = ceremony.folder();
  banner.environment = std::string(script::NameOf(inputs.binding->environment));
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

}  // namespace

base::Result<Ended> Close(Ceremony& ceremony, const std::optional<CalledOff>& called_off) {
  KC_RETURN_IF_ERROR(CloseRecord(ceremony, called_off));
  return ceremony.history().called_off() ? Ended::kCalledOff : Ended::kDone;
}

base::Result<Ended> RunFresh(World& world, script::Inputs inputs, estate::Folded folded, const std::string& folder,
                             OpeningFacts facts, std::optional<LeftBehind> left) {
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

}  // namespace ceremony::run
