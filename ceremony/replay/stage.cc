#include "ceremony/replay/stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "ceremony/estate/fold.h"
#include "ceremony/quorum/bound_credentials.h"
#include "ceremony/quorum/key_file.h"
#include "ceremony/quorum/shared_modules.h"
#include "ceremony/record/bounded_parse.h"
#include "ceremony/record/checkpoint.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/json_member.h"
#include "ceremony/record/line_walk.h"
#include "ceremony/record/posix_storage.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/software_signer.h"
#include "ceremony/replay/answers.h"
#include "ceremony/replay/groups.h"
#include "ceremony/room/signals.h"
#include "ceremony/run/pins.h"
#include "ceremony/run/private_file.h"
#include "ceremony/run/record_inputs.h"
#include "ceremony/run/rehearsal_people.h"
#include "ceremony/run/start.h"
#include "ceremony/script/person_file.h"
#include "hsm/base/clock_text.h"
#include "hsm/base/digest.h"
#include "hsm/describe.h"
#include "hsm/token.h"

namespace ceremony::replay {
namespace {

using nlohmann::json;
using record::TextOf;

base::Error NoEntry(const std::string& record, std::size_t line, const char* what) {
  return base::MakeError(base::ErrorCode::kCorrupt, fmt::format("{}: line {} of its log {}", record, line, what))
      .WithRule("REPLAY-RECORD-02")
      .WithHint("a replay needs every entry: take the record itself, not a redacted bundle of it");
}

script::LoadedFile FileOf(std::string name, std::string bytes) {
  script::LoadedFile file;
  file.path = name;
  file.name = std::move(name);
  file.sha256 = base::Sha256Hex(bytes);
  file.bytes = std::move(bytes);
  return file;
}

// nullptr for what a script does not name as it should: whoever checks the script says so.
script::LoadedFile* FindDocument(script::Inputs& inputs, const std::string& path) {
  const auto found = inputs.documents.find(path);
  return found == inputs.documents.end() ? nullptr : &found->second;
}

// A document in place of a recorded one, under the recorded one's name.
void Replace(script::LoadedFile& document, std::string bytes) {
  document.sha256 = base::Sha256Hex(bytes);
  document.bytes = std::move(bytes);
}

base::Result<std::unique_ptr<record::SoftwareSigner>> SignerOf(const run::RehearsalPaths& paths,
                                                               const std::string& person) {
  KC_ASSIGN_OR_RETURN(const base::SecretBytes pem, quorum::ReadKeyFile(run::CredentialOf(paths, person).sign));
  KC_ASSIGN_OR_RETURN(const base::SecretBytes der, quorum::DecryptKey(pem, base::SecretBytes()));
  return record::SoftwareSigner::FromPkcs8(person, der);
}

std::int64_t OpenedAt(const std::vector<json>& entries) {
  const auto time = base::ParseTime(TextOf(entries.front(), "time"));
  base::SystemClock clock;
  return time.ok() ? *time : clock.UtcMicros();
}

// StopsIn counts what may have ended the program, or a try.
std::size_t StopsIn(const std::vector<json>& entries) {
  return static_cast<std::size_t>(std::ranges::count_if(entries, [](const json& entry) {
    const std::string type = TextOf(entry, "type");
    return type == "recover" || type == "refusal" || (type == "step" && TextOf(entry, "phase") == "failed") ||
           (type == "note" && TextOf(entry, "what") == "approval-postponed");
  }));
}

}  // namespace

base::Result<std::vector<json>> ReadEntries(const std::string& path) {
  KC_ASSIGN_OR_RETURN(const record::RecordFolder folder, record::RecordFolder::Open(path));
  std::vector<json> entries;
  KC_RETURN_IF_ERROR(record::ForEachLine(folder, record::kLogFile, [&](std::string_view line) -> base::Result<bool> {
    base::Result<json> entry = record::ParseEntry(line);
    if (!entry.ok()) return NoEntry(path, entries.size() + 1, "is no entry");
    entries.push_back(std::move(entry).value());
    return true;
  }));
  if (entries.empty() || TextOf(entries.front(), "type") != "open") return NoEntry(path, 1, "does not open a record");
  return entries;
}

Stage::Stage(std::string source, std::string archive, run::LoadModule load)
    : source_(std::move(source)), archive_(std::move(archive)), load_(std::move(load)), paths_(archive_) {}

base::Result<void> Stage::Prepare() {
  KC_ASSIGN_OR_RETURN(module_, run::FindSoftHsm());
  return run::MakeRehearsalFolders(paths_);
}

// Everybody is who they were, with keys of their own only where they had some.
base::Result<script::Roster> Stage::StandInRoster(const script::Inputs& recorded) {
  script::Roster roster = *recorded.roster;
  for (script::Person& person : roster.people) {
    auto known = people_.find(person.id);
    if (known == people_.end()) {
      script::Person made = person;
      KC_RETURN_IF_ERROR(run::MakeCredential(paths_, roster.estate, made));
      known = people_.emplace(person.id, std::move(made)).first;
    }
    if (!person.sign_key.empty()) person.sign_key = known->second.sign_key;
    if (!person.open_key.empty()) person.open_key = known->second.open_key;
  }
  KC_ASSIGN_OR_RETURN(std::string text, script::WriteRoster(roster));
  return script::ParseRoster(FileOf(std::string(record::kRosterFile), std::move(text)));
}

base::Result<script::Binding> Stage::StandInBinding(const script::Inputs& recorded, const estate::Estate& now) {
  const script::Binding& old = *recorded.binding;
  script::Binding binding;
  binding.estate = old.estate;
  binding.environment = script::Environment::kRehearsal;
  binding.record_token = old.record_token;
  binding.waivers = old.waivers;
  for (const script::TokenBinding& was : old.tokens) {
    if (recorded.script.FindToken(was.name) == nullptr && was.name != old.record_token) continue;
    script::TokenBinding bound = run::StandInToken(paths_, module_, was.name);
    bound.label = was.label;
    bound.site = was.site;
    bound.login = was.login == script::Login::kShares ? script::Login::kShares : script::Login::kPinPrompt;
    if (was.uninitialised) {
      bound.uninitialised = script::Uninitialised{};
    } else if (const estate::Token* token = now.FindToken(was.name); token != nullptr && !token->serial.empty()) {
      bound.serial = token->serial;
    } else {
      // In use before any record of this archive: set up as it was, by hand.
      std::string& serial = serials_[was.name];
      if (serial.empty()) {
        KC_ASSIGN_OR_RETURN(serial, run::MakeStandInToken(paths_, bound, recorded.policy, load_));
      }
      bound.serial = serial;
    }
    binding.tokens.push_back(std::move(bound));
  }
  for (const auto& [id, person] : people_) binding.credentials[id] = run::CredentialOf(paths_, id);
  if (const script::TokenBinding* token = binding.Find(binding.record_token))
    KC_RETURN_IF_ERROR(LearnMechanisms(*token));
  KC_ASSIGN_OR_RETURN(std::string text, script::WriteBinding(binding));
  return script::ParseBinding(FileOf(std::string(script::kBindingInput), std::move(text)));
}

base::Result<void> Stage::LearnMechanisms(const script::TokenBinding& token) {
  if (!mechanisms_.empty()) return {};
  KC_ASSIGN_OR_RETURN(const auto module, load_({token.module, token.environment, token.init_args}, nullptr));
  KC_ASSIGN_OR_RETURN(const auto located, hsm::Token::Locate(module, token.label, token.serial));
  KC_ASSIGN_OR_RETURN(const std::vector<CK_MECHANISM_TYPE> offered, located->Mechanisms());
  for (const CK_MECHANISM_TYPE mechanism : offered) mechanisms_.insert(hsm::MechanismName(mechanism));
  return {};
}

// Documents that hold somebody's public key or signature, or the digest of a key that is another one now.
base::Result<void> Stage::StandInDocuments(const std::string& folder, const estate::Estate& now,
                                           script::Inputs& inputs) {
  std::optional<estate::Folded> then;
  for (const script::Section& section : inputs.script.sections) {
    for (const script::Step& step : section.steps) {
      if (step.kind == "custodian.appoint") {
        script::LoadedFile* const document = FindDocument(inputs, step.fields.Text("file"));
        const auto made = people_.find(step.fields.Text("person"));
        if (document == nullptr || made == people_.end()) continue;
        KC_ASSIGN_OR_RETURN(script::PersonFile file, script::ParsePersonFile(*document));
        file.sign_key = made->second.sign_key;
        file.open_key = made->second.open_key;
        KC_ASSIGN_OR_RETURN(std::string text, script::WritePersonFile(file));
        Replace(*document, std::move(text));
      }
      if (step.kind == "key.deactivate" && step.fields.Has("statement")) {
        if (!then) {
          KC_ASSIGN_OR_RETURN(then, estate::FoldArchive(source_, folder));
        }
        script::LoadedFile* const statement = FindDocument(inputs, step.fields.Text("statement"));
        script::LoadedFile* const signature = FindDocument(inputs, step.fields.Text("signature"));
        if (statement == nullptr || signature == nullptr) continue;
        std::string text = statement->bytes;
        for (const estate::Key& key : then->estate.keys()) {
          const estate::Key* replayed = now.FindKey(key.name);
          const std::size_t at = key.spki_sha256.empty() ? std::string::npos : text.find(key.spki_sha256);
          if (at != std::string::npos && replayed != nullptr)
            text.replace(at, key.spki_sha256.size(), replayed->spki_sha256);
        }
        KC_ASSIGN_OR_RETURN(const auto signer, SignerOf(paths_, step.fields.Text("stated_by")));
        KC_ASSIGN_OR_RETURN(const base::Bytes signed_anew, signer->Sign(text));
        Replace(*statement, std::move(text));
        Replace(*signature, std::string(base::AsText(signed_anew)));
      }
    }
  }
  return {};
}

base::Result<script::Inputs> Stage::InputsFor(const std::string& folder) {
  KC_ASSIGN_OR_RETURN(script::Inputs inputs, run::ReadRecordInputs(source_, folder));
  KC_ASSIGN_OR_RETURN(const estate::Folded now, estate::FoldArchive(archive_));
  KC_ASSIGN_OR_RETURN(script::Roster roster, StandInRoster(inputs));
  KC_ASSIGN_OR_RETURN(script::Binding binding, StandInBinding(inputs, now.estate));
  inputs.roster = std::move(roster);
  inputs.binding = std::move(binding);
  KC_RETURN_IF_ERROR(StandInDocuments(folder, now.estate, inputs));
  return inputs;
}

base::Result<Reenacted> Stage::Reenact(const std::string& folder) {
  const std::string record = source_ + "/" + folder;
  KC_ASSIGN_OR_RETURN(const std::vector<json> entries, ReadEntries(record));
  KC_ASSIGN_OR_RETURN(const script::Inputs inputs, InputsFor(folder));
  RecordedAnswers answers(entries, *inputs.roster);
  ReplayClock clock(OpenedAt(entries));
  ReplayTerminal terminal(answers, clock);
  KC_ASSIGN_OR_RETURN(const std::unique_ptr<record::PosixStorage> storage, record::PosixStorage::Open(archive_));
  run::EnvelopePins pins(paths_.envelopes, inputs.policy.pin);
  quorum::SharedModules modules(load_);
  quorum::BoundCredentials credentials(
      *inputs.binding, terminal, [&modules](const hsm::ModuleOptions& module) { return modules.ForCard(module); });
  const run::LoadModule load = [&modules](const hsm::ModuleOptions& module,
                                          std::shared_ptr<hsm::CallObserver> observer) {
    return modules.ForCeremony(module, std::move(observer));
  };
  run::World world{terminal, clock, *storage, pins, credentials, load, [&terminal] {
                     return room::StopRequested() || terminal.IsAtRecordsEnd() || terminal.IsToStop();
                   }};
  Reenacted result;
  base::Result<run::Ended> played = run::Begin(world, archive_, inputs, result.folder);
  // A try that failed was made again in the room or by `resume`: as often as the record says, and no more.
  for (std::size_t left = StopsIn(entries); left > 0 && !played.ok() && !result.folder.empty(); --left) {
    const bool again = terminal.IsToStop() || terminal.now().second < answers.TriesOf(terminal.now().first);
    if (terminal.IsAtRecordsEnd() || (!again && played.error().code != base::ErrorCode::kNoQuorum)) break;
    KC_ASSIGN_OR_RETURN(script::Inputs same, run::ReadRecordInputs(archive_, result.folder));
    terminal.GoOn();
    played = run::Resume(world, archive_, std::move(same), result.folder);
  }
  if (!played.ok() && answers.called_off() && !result.folder.empty()) {
    KC_ASSIGN_OR_RETURN(script::Inputs same, run::ReadRecordInputs(archive_, result.folder));
    played = run::Resume(world, archive_, std::move(same), result.folder, run::Onward::kCallOff);
  }
  // A disk that is full here says nothing about the record.
  if (!played.ok() && played.error().code == base::ErrorCode::kIo) return std::move(played).error();
  result.step = terminal.now().first;
  if (!played.ok() && !terminal.IsAtRecordsEnd()) result.stopped = played.error();
  if (room::StopRequested()) return room::StopError("in the replay");
  return result;
}

}  // namespace ceremony::replay
