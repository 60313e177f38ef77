#include "tests/fault/trial.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ceremony/estate/fold.h"
#include "ceremony/quorum/bound_credentials.h"
#include "ceremony/quorum/share_set.h"
#include "ceremony/record/faulty_storage.h"
#include "ceremony/record/posix_storage.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/trust.h"
#include "ceremony/room/unattended_terminal.h"
#include "ceremony/run/kept_tokens.h"
#include "ceremony/run/pins.h"
#include "ceremony/run/record_inputs.h"
#include "ceremony/run/rehearsal.h"
#include "ceremony/run/start.h"
#include "ceremony/steps/catalogue.h"
#include "ceremony/verify/verify.h"
#include "hsm/faulty_cryptoki.h"
#include "hsm/inventory.h"
#include "hsm/login.h"
#include "hsm/real_cryptoki.h"
#include "tests/fault/strange_cryptoki.h"

namespace fault {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using namespace ceremony;

void BindLogin(const std::string& path, const std::string& login) {
  std::ifstream file(path);
  json binding = json::parse(file);
  binding["tokens"]["root-hsm"]["login"] = login;
  std::ofstream(path) << binding;
}

// What of a script a trial has to know.
struct Played {
  std::string script;
  std::vector<std::string> tokens;
  std::size_t objects;  // on each of them, in the end
};

Played PlayedOf(Script script) {
  switch (script) {
    case Script::kRoot:
      return {"smki-root-oca", {"root-hsm"}, 2};
    case Script::kReshare:
      return {"reshare", {"root-hsm"}, 0};
    case Script::kConvert:
      return {"convert", {"root-hsm"}, 0};
    case Script::kHierarchy:
      return {"small_hierarchy", {"root-hsm"}, 4};
    case Script::kLife:
      return {"life", {"root-hsm", "backup-hsm"}, 0};
    case Script::kTransfer:
      return {"transfer", {"root-hsm", "backup-hsm"}, 0};
  }
  std::abort();
}

std::string NewestIn(const std::string& archive) {
  std::string newest;
  for (const auto& entry : fs::directory_iterator(archive)) {
    const std::string name = entry.path().filename().string();
    if (record::RecordNumber(name) && name > newest) newest = name;
  }
  return newest;
}

// What must work before a trial can begin.
void Must(const Outcome& outcome, const char* what) {
  if (outcome.done) return;
  std::fprintf(stderr, "%s: %s\n", what, outcome.message.c_str());
  std::abort();
}

json Told(const base::Result<void>& result) {
  return {{"done", result.ok()}, {"message", result.ok() ? std::string() : result.error().message}};
}

[[noreturn]] void Die() {
  kill(getpid(), SIGKILL);
  _exit(137);
}

// Answers as simulated people do, and may be cut off at one question.
class SweptTerminal final : public room::Terminal {
 public:
  explicit SweptTerminal(const Fault& fault) : quiet_(nullptr, room::Look{}), fault_(fault) {}
  void ShowBanner(const room::Banner&) override {}
  bool HasPeople() const override { return false; }
  void ShowStep(const room::StepHeading&) override {}
  void Say(room::Tone, const std::string&) override {}
  void ShowFacts(const std::vector<room::Fact>&) override {}
  void ShowComparison(const room::Comparison&) override {}
  void ShowDigest(const std::string&, base::ByteView) override {}
  std::unique_ptr<room::Busy> ShowBusy(const std::string& what) override { return quiet_.ShowBusy(what); }
  base::Result<std::string> Ask(const room::Question& question) override {
    const std::uint64_t number = asked_++;
    const bool here = fault_.where == Where::kPrompt && fault_.index == number;
    if (here && fault_.how == How::kKillBefore) Die();
    if (here && fault_.how == How::kFailInstead)
      return base::MakeError(base::ErrorCode::kAborted, "stopped at a question");
    return quiet_.Ask(question);
  }
  base::Result<base::SecretBytes> AskSecret(const room::SecretQuestion& question) override {
    return quiet_.AskSecret(question);
  }
  std::uint64_t asked() const { return asked_; }

 private:
  room::UnattendedTerminal quiet_;
  Fault fault_;
  std::uint64_t asked_ = 0;
};

// From one reading on, the machine's clock is an hour slow; its uptime goes on.
class SteppingClock final : public base::Clock {
 public:
  explicit SteppingClock(const Fault& fault) : fault_(fault) {}
  std::int64_t UtcMicros() override {
    constexpr std::int64_t kHour = 3'600'000'000;
    const bool back = fault_.where == Where::kClock && readings_ >= fault_.index;
    ++readings_;
    return system_.UtcMicros() - (back ? kHour : 0);
  }
  std::int64_t BootMicros() override { return system_.BootMicros(); }
  std::uint64_t readings() const { return readings_; }

 private:
  base::SystemClock system_;
  Fault fault_;
  std::uint64_t readings_ = 0;
};

hsm::Fault CallFault(const Fault& fault) {
  hsm::Fault call;
  call.call = fault.index + 1;
  call.rv = fault.rv;
  switch (fault.how) {
    case How::kKillBefore:
      call.kind = hsm::Fault::Kind::kKillBefore;
      break;
    case How::kKillAfter:
      call.kind = hsm::Fault::Kind::kKillAfter;
      break;
    case How::kFailAfter:
      call.kind = hsm::Fault::Kind::kFailAfter;
      break;
    case How::kGone:
      call.kind = hsm::Fault::Kind::kGoneFromHere;
      break;
    default:
      call.kind = hsm::Fault::Kind::kFailInstead;
      break;
  }
  return call;
}

enum class Way : std::uint8_t { kBegin, kResume, kCallOff, kLeaveBehind };

// Everything of a child: returns what it tells the parent. `left` is the record that kLeaveBehind leaves behind.
json Play(const std::string& archive, const std::string& script, const Fault& fault, Way way,
          const std::string& left = {}) {
  json told = json::object();
  const bool strange = fault.how == How::kGarbage || fault.how == How::kFinalTry;
  auto plan = fault.where == Where::kCall && !strange ? std::make_shared<hsm::FaultPlan>(CallFault(fault))
                                                      : std::make_shared<hsm::FaultPlan>();
  const run::KeptTokens kept{run::RehearsalPaths(archive)};
  const auto load = [&plan, &kept, &fault](
                        const hsm::ModuleOptions& options,
                        std::shared_ptr<hsm::CallObserver> observer) -> base::Result<std::shared_ptr<hsm::Module>> {
    KC_ASSIGN_OR_RETURN(auto real, hsm::RealCryptoki::Load(options.path));
    auto faulty = std::make_unique<hsm::FaultyCryptoki>(std::move(real), plan);
    return hsm::Module::Wrap(std::make_unique<StrangeCryptoki>(std::move(faulty), fault), options,
                             run::KeepTokens(kept, std::move(observer)));
  };
  json storage_names = json::array();
  const auto hook = [&](const record::StorageCall& call) -> record::StorageFault {
    storage_names.push_back(std::string(call.name));
    if (fault.where != Where::kStorage || call.index != fault.index) return {};
    if (fault.how == How::kKillBefore) Die();
    if (fault.how == How::kTornWrite) return {fault.error_number, 7};
    return {fault.error_number};
  };
  SweptTerminal terminal(fault);
  SteppingClock clock(fault);
  const run::RehearsalPaths paths(archive);
  const bool begins = way == Way::kBegin || way == Way::kLeaveBehind;
  const auto play = [&]() -> base::Result<run::Ended> {
    KC_ASSIGN_OR_RETURN(const auto disk, record::PosixStorage::Open(archive));
    record::FaultyStorage storage(*disk, hook);
    const auto begin_inputs = [&] {
      return script::ReadInputs(script, paths.roster, paths.binding, steps::Catalogue());
    };
    std::string folder = NewestIn(archive);
    KC_ASSIGN_OR_RETURN(script::Inputs inputs, begins ? begin_inputs() : run::ReadRecordInputs(archive, folder));
    run::EnvelopePins pins(paths.envelopes, inputs.policy.pin);
    quorum::BoundCredentials credentials(*inputs.binding, terminal);
    run::World world{
        terminal, clock, storage, pins, credentials, load, [] { return false; }, [&kept] { return kept.PutBack(); }};
    if (begins) return run::Begin(world, archive, inputs, folder, left);
    return run::Resume(world, archive, inputs, folder,
                       way == Way::kCallOff ? run::Onward::kCallOff : run::Onward::kToTheEnd);
  };
  const auto played = play();
  told["done"] = played.ok();
  if (!played.ok()) {
    told["code"] = base::ErrorCodeName(played.error().code);
    told["rule"] = played.error().rule;
    told["message"] = played.error().message;
  }
  json calls = json::array();
  for (const hsm::Function function : plan->calls()) calls.push_back(static_cast<int>(function));
  told["calls"] = std::move(calls);
  told["storage"] = std::move(storage_names);
  told["prompts"] = terminal.asked();
  told["clock"] = clock.readings();
  return told;
}

Outcome InChild(const std::function<json()>& body) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    const std::string text = body().dump(-1, ' ', false, json::error_handler_t::replace);
    std::size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t wrote = write(ends[1], text.data() + sent, text.size() - sent);
      if (wrote <= 0) _exit(99);
      sent += static_cast<std::size_t>(wrote);
    }
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char block[65536];
  ssize_t got = 0;
  while ((got = read(ends[0], block, sizeof block)) > 0) text.append(block, static_cast<std::size_t>(got));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  Outcome outcome;
  const json told = json::parse(text, nullptr, false);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !told.is_object()) {
    outcome.died = true;
    return outcome;
  }
  outcome.done = told.value("done", false);
  outcome.code = told.value("code", "");
  outcome.rule = told.value("rule", "");
  outcome.message = told.value("message", "");
  for (const int call : told.value("calls", std::vector<int>{}))
    outcome.calls.push_back(static_cast<hsm::Function>(call));
  outcome.storage_names = told.value("storage", std::vector<std::string>{});
  outcome.clock_readings = told.value("clock", std::uint64_t{0});
  outcome.prompts = told.value("prompts", std::uint64_t{0});
  return outcome;
}

// The PIN of a token that is shared is what the last three holders' shares give.
base::Result<base::SecretBytes> PinOf(const std::string& archive, const run::RehearsalPaths& paths,
                                      const script::Inputs& inputs, const std::string& token) {
  KC_ASSIGN_OR_RETURN(const estate::Folded folded, estate::FoldArchive(archive));
  const estate::ShareSet* set = folded.estate.FindShares(token);
  run::EnvelopePins pins(paths.envelopes, inputs.policy.pin);
  if (set == nullptr) return pins.UserPin(token, token);
  SweptTerminal terminal({});
  quorum::BoundCredentials credentials(*inputs.binding, terminal);
  quorum::PinAssembly assembly(*set, quorum::Pin::kUser);
  for (auto holder = set->holders.rbegin(); holder != set->holders.rend() && !assembly.complete(); ++holder) {
    const std::string path =
        archive + "/" + set->since.ceremony + "/artefacts/" + quorum::ShareArtefact(token, set->set, holder->person);
    KC_ASSIGN_OR_RETURN(script::LoadedFile loaded, script::LoadFile(path));
    KC_ASSIGN_OR_RETURN(const script::ShareFile file, script::ParseShare(std::move(loaded)));
    KC_RETURN_IF_ERROR(quorum::CheckShare(file, inputs.script.estate, *set, holder->person));
    const auto open = [&](quorum::AgreementKey& opener) -> base::Result<void> {
      KC_ASSIGN_OR_RETURN(quorum::ShamirShare share, quorum::OpenShare(file, quorum::Pin::kUser, opener));
      return assembly.Add(holder->person, std::move(share));
    };
    KC_RETURN_IF_ERROR(credentials.UseOpener(*inputs.roster->FindPerson(holder->person), open, {}));
  }
  return assembly.Combine();
}

base::Result<std::size_t> CountObjects(const std::string& archive, const run::RehearsalPaths& paths,
                                       const script::Inputs& inputs, const std::string& token) {
  const script::TokenBinding* bound = inputs.binding->Find(token);
  KC_ASSIGN_OR_RETURN(const auto module,
                      hsm::Module::Load({bound->module, bound->environment, bound->init_args}, nullptr));
  KC_ASSIGN_OR_RETURN(const auto located, hsm::Token::Locate(module, bound->label, ""));
  KC_ASSIGN_OR_RETURN(const base::SecretBytes pin, PinOf(archive, paths, inputs, token));
  KC_ASSIGN_OR_RETURN(hsm::LoginScope login, hsm::LoginScope::Open(located, hsm::User::kUser, pin));
  KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(login.session()));
  return inventory.items.size();
}

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

std::string Fault::Name() const {
  const char* places[] = {"nowhere", "call", "storage", "prompt", "clock reading"};
  const char* ways[] = {"kill before",    "kill after", "fail instead", "fail after",
                        "gone from here", "torn write", "garbage",      "final try"};
  std::ostringstream name;
  name << ways[static_cast<int>(how)] << " at " << places[static_cast<int>(where)] << " " << index;
  if (rv != 0) name << " rv 0x" << std::hex << rv;
  if (error_number != 0) name << " errno " << error_number;
  return name.str();
}

bool Outcome::Reached(const Fault& fault) const {
  switch (fault.where) {
    case Where::kNowhere:
      return true;
    case Where::kCall:
      return fault.index < calls.size();
    case Where::kStorage:
      return fault.index < storage_names.size();
    case Where::kPrompt:
      return fault.index < prompts;
    case Where::kClock:
      return fault.index < clock_readings;
  }
  return false;
}

Stage::Stage(const std::string& name, Script script) {
  const Played played = PlayedOf(script);
  tokens_ = played.tokens;
  objects_ = played.objects;
  // Memory is a disk as good as any for this, and a fast one.
  const std::string base_folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : fs::temp_directory_path().string();
  std::string pattern = base_folder + "/keyceremony-" + name + "-XXXXXX";
  root_ = mkdtemp(pattern.data());
  archive_ = root_ + "/archive";
  prepared_ = root_ + "/prepared";
  fs::copy(SCRIPTS_FOLDER, root_, fs::copy_options::recursive);
  for (const auto& entry : fs::directory_iterator(SUPPORT_FOLDER)) {
    if (entry.path().filename().string().ends_with(".ceremony.json")) fs::copy(entry.path(), root_);
  }
  std::ofstream(root_ + "/command.bin") << "open the gates\n";  // what payload.sign signs
  script_ = root_ + "/" + played.script + ".ceremony.json";
  has_softhsm_ = run::FindSoftHsm().ok();
  if (!has_softhsm_) return;
  const std::string first = script == Script::kConvert ? root_ + "/commission.ceremony.json" : script_;
  const auto prepare = [&]() -> base::Result<void> {
    KC_ASSIGN_OR_RETURN(const script::Inputs inputs, script::ReadInputs(first, "", "", steps::Catalogue()));
    return run::PrepareRehearsal(archive_, inputs.script, inputs.policy, hsm::Module::Load);
  };
  Must(InChild([&] { return Told(prepare()); }), "the rehearsal could not be prepared");
  if (script == Script::kConvert) Commission(first);
  fs::copy(archive_, prepared_, fs::copy_options::recursive);
}

// The token is in service with typed PINs before the first trial.
void Stage::Commission(const std::string& script) {
  const std::string binding = run::RehearsalPaths(archive_).binding;
  BindLogin(binding, "pin-prompt");
  Must(InChild([&] { return Play(archive_, script, {}, Way::kBegin); }), "the token could not be commissioned");
  BindLogin(binding, "shares");
  before_ = NewestRecord();
}

Stage::~Stage() {
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

void Stage::Reset() const {
  fs::remove_all(archive_);
  fs::copy(prepared_, archive_, fs::copy_options::recursive);
  left_.clear();
}

void Stage::LoseRecordToken() const {
  left_ = NewestRecord();
  const run::RehearsalPaths paths(archive_);
  const auto lose = [&]() -> base::Result<void> {
    KC_ASSIGN_OR_RETURN(const script::Inputs inputs, script::ReadInputs(script_, "", "", steps::Catalogue()));
    KC_ASSIGN_OR_RETURN(const script::Binding binding, script::ReadBinding(paths.binding));
    const std::string& serial = binding.Find(binding.record_token)->serial;
    for (const auto& entry : fs::directory_iterator(paths.tokens)) {
      std::string name = entry.path().filename().string();
      std::erase(name, '-');
      if (name.ends_with(serial)) fs::remove_all(entry.path());
    }
    return run::ReplaceRecordToken(archive_, inputs.policy, hsm::Module::Load);
  };
  Must(InChild([&] { return Told(lose()); }), "the record token could not be replaced");
}

Outcome Stage::LeaveBehind(const Fault& fault) const {
  return InChild([&] { return Play(archive_, script_, fault, Way::kLeaveBehind, left_); });
}

Outcome Stage::Begin(const Fault& fault) const {
  return InChild([&] { return Play(archive_, script_, fault, Way::kBegin); });
}

Outcome Stage::Resume(const Fault& fault) const {
  return InChild([&] { return Play(archive_, script_, fault, Way::kResume); });
}

Outcome Stage::CallOff(const Fault& fault) const {
  return InChild([&] { return Play(archive_, script_, fault, Way::kCallOff); });
}

std::string Stage::NewestRecord() const { return NewestIn(archive_); }

Outcome Stage::GoOn(int most) const {
  Outcome outcome;
  for (int i = 0; i < most; ++i) {
    const std::string record = NewestRecord();
    if (!left_.empty()) {
      // Until it is opened, the record says nothing of what it leaves behind.
      outcome = record != left_ && Log().find('\n') != std::string::npos ? Resume({}) : LeaveBehind({});
    } else {
      // Without all of its inputs a record was never opened: the first command again.
      const bool begun = record != before_ && fs::exists(archive_ + "/" + record + "/inputs/log-key.json");
      outcome = begun ? Resume({}) : Begin({});
    }
    if (outcome.done) break;
  }
  return outcome;
}

std::string Stage::Log() const { return Log(NewestRecord()); }

std::string Stage::Log(const std::string& record) const { return ReadAll(archive_ + "/" + record + "/log.jsonl"); }

std::set<std::string> Stage::SoftHsmFiles(Files what) const {
  std::set<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(run::RehearsalPaths(archive_).tokens)) {
    const fs::path& path = entry.path();
    if (path.extension() == ".object" && (path.filename() == "token.object") == (what == Files::kTokens))
      files.insert(path.string());
  }
  return files;
}

std::vector<std::string> Stage::Judge(std::size_t objects) const {
  std::vector<std::string> wrong;
  JudgeRecord(wrong);
  JudgeTokens(objects, wrong);
  JudgeSecrets(wrong);
  return wrong;
}

void Stage::JudgeRecord(std::vector<std::string>& wrong) const {
  const auto trust = record::Trust::ReadRoster(run::RehearsalPaths(archive_).roster);
  record::VerifyOptions options;
  options.trust = trust.ok() ? &*trust : nullptr;
  const auto report = verify::VerifyRecord(archive_ + "/" + NewestRecord(), options);
  if (!report.ok()) {
    wrong.push_back("not readable: " + report.error().message);
  } else if (report->verdict != record::Verdict::kComplete) {
    wrong.push_back("verdict " + std::string(record::VerdictName(report->verdict)));
    for (const record::Finding& finding : report->findings) wrong.push_back(finding.rule + ": " + finding.message);
  }
}

void Stage::JudgeTokens(std::size_t objects, std::vector<std::string>& wrong) const {
  const run::RehearsalPaths paths(archive_);
  const auto binding = script::ReadBinding(paths.binding);
  if (!binding.ok()) wrong.push_back("no binding: " + binding.error().message);
  std::vector<std::pair<std::string, std::size_t>> in_the_end;
  if (binding.ok()) in_the_end.emplace_back(binding->record_token, 0);
  for (const std::string& token : tokens_) in_the_end.emplace_back(token, objects);
  for (const auto& [token, expected] : in_the_end) {
    const Outcome counted = InChild([&, token = token] {
      const auto inputs = script::ReadInputs(script_, paths.roster, paths.binding, steps::Catalogue());
      const auto count =
          inputs.ok() ? CountObjects(archive_, paths, *inputs, token) : base::Result<std::size_t>(inputs.error());
      return json{{"done", count.ok()}, {"message", count.ok() ? std::to_string(*count) : count.error().message}};
    });
    if (!counted.done || counted.message != std::to_string(expected)) {
      wrong.push_back("token " + token + ": expected " + std::to_string(expected) + " objects, found " +
                      counted.message);
    }
  }
}

void Stage::JudgeSecrets(std::vector<std::string>& wrong) const {
  const run::RehearsalPaths paths(archive_);
  std::vector<std::string> secrets;
  for (const auto& envelope : fs::directory_iterator(paths.envelopes)) {
    if (std::string secret = ReadAll(envelope.path()); !secret.empty()) secrets.push_back(std::move(secret));
  }
  // The record token has one always.
  if (secrets.empty()) wrong.emplace_back("there is no PIN to look for");
  for (const auto& entry : fs::recursive_directory_iterator(archive_)) {
    const std::string path = entry.path().string();
    if (!entry.is_regular_file() || path.starts_with(paths.people)) continue;
    const std::string content = ReadAll(entry.path());
    for (const std::string& secret : secrets) {
      if (content.find(secret) != std::string::npos) wrong.push_back("a PIN stands in " + path);
    }
  }
}

}  // namespace fault
