#include "ceremony/run/rehearsal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "ceremony/record/bounded_parse.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/trust.h"
#include "ceremony/run/kept_tokens.h"
#include "ceremony/run/pins.h"
#include "ceremony/run/private_file.h"
#include "ceremony/run/rehearsal_people.h"
#include "ceremony/script/fields.h"
#include "ceremony/script/visible_text.h"
#include "ceremony/steps/commissioning.h"
#include "hsm/base/aside.h"
#include "hsm/login.h"
#include "hsm/pin.h"
#include "hsm/token.h"

namespace ceremony::run {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRecordToken = "record";
constexpr int kQuorumM = 3;

struct Simulated {
  const char* id;
  const char* name;
  const char* employer;
  script::Role role;
};
// Five custodians of three employers, and who else a ceremony needs.
constexpr std::array<Simulated, 9> kPeople = {{
    {"ada", "Ada Lindqvist", "Northgate Trust", script::Role::kAdministrator},
    {"oscar", "Oscar Mbeki", "Northgate Trust", script::Role::kSecurityOfficer},
    {"alice", "Alice Archer", "Northgate Trust", script::Role::kCustodian},
    {"bob", "Bob Okafor", "Severn Metering", script::Role::kCustodian},
    {"carol", "Carol Nguyen", "Severn Metering", script::Role::kCustodian},
    {"dave", "Dave Kowalski", "Pennine Energy", script::Role::kCustodian},
    {"erin", "Erin Rossi", "Pennine Energy", script::Role::kCustodian},
    {"wendy", "Wendy Hughes", "Harrow Assurance", script::Role::kWitness},
    {"ivan", "Ivan Petrov", "Harrow Assurance", script::Role::kAuditor},
}};

base::Result<script::Roster> MakePeople(const RehearsalPaths& paths, const std::string& estate) {
  script::Roster roster;
  roster.estate = estate;
  script::Quorum quorum;
  quorum.name = record::kWitnessQuorum;
  quorum.m = kQuorumM;
  quorum.role = script::Role::kCustodian;
  roster.quorums.push_back(quorum);
  for (const Simulated& simulated : kPeople) {
    script::Person person;
    person.id = simulated.id;
    person.name = simulated.name;
    person.employer = simulated.employer;
    person.roles = {simulated.role};
    person.state = script::PersonState::kActive;
    if (simulated.role == script::Role::kCustodian) KC_RETURN_IF_ERROR(MakeCredential(paths, estate, person));
    roster.people.push_back(std::move(person));
  }
  return roster;
}

base::Result<script::Binding> FirstBinding(const RehearsalPaths& paths, const script::Script& script,
                                           const script::Policy& policy, const std::string& module,
                                           const LoadModule& load) {
  script::Binding binding;
  binding.estate = script.estate;
  binding.environment = script::Environment::kRehearsal;
  binding.record_token = kRecordToken;
  script::TokenBinding record_token = StandInToken(paths, module, kRecordToken);
  KC_ASSIGN_OR_RETURN(record_token.serial, MakeStandInToken(paths, record_token, policy, load));
  binding.tokens.push_back(std::move(record_token));
  for (const Simulated& simulated : kPeople) {
    if (simulated.role == script::Role::kCustodian)
      binding.credentials[simulated.id] = CredentialOf(paths, simulated.id);
  }
  return binding;
}

}  // namespace

RehearsalPaths::RehearsalPaths(const std::string& archive)
    : folder((fs::absolute(archive) / "rehearsal").lexically_normal().string()),
      roster(fmt::format("{}/{}", folder, record::kRosterFile)),
      binding(folder + "/binding.json"),
      people(folder + "/people"),
      envelopes(people + "/oscar/envelopes"),
      tokens(folder + "/tokens"),
      softhsm_conf(folder + "/softhsm2.conf"),
      clock(folder + "/clock") {}

bool HasStandIns(const std::string& archive) { return access(RehearsalPaths(archive).binding.c_str(), F_OK) == 0; }

base::Result<bool> WasSimulated(const std::string& archive, const std::string& folder) {
  const std::string path = fmt::format("{}/{}/{}", archive, folder, record::kLogFile);
  std::ifstream log(path, std::ios::binary);
  if (!log) return base::SystemError("open", path, errno);
  for (std::string line; std::getline(log, line);) {
    if (line.find("\"simulated\"") == std::string::npos) continue;
    const nlohmann::json entry = record::ParseBounded(line);
    if (entry.is_object() && entry.value("type", nlohmann::json()) == "attend" &&
        entry.value("simulated", nlohmann::json()) == true)
      return true;
  }
  return false;
}

base::Result<void> SetRehearsalClock(const std::string& archive, std::int64_t shift_micros) {
  const std::string path = RehearsalPaths(archive).clock;
  if (shift_micros == 0) {  // today: no file says so best
    if (unlink(path.c_str()) == 0 || errno == ENOENT) return {};
    return base::SystemError("remove", path, errno);
  }
  return WritePrivateFile(path, base::AsBytes(std::to_string(shift_micros)));
}

base::Result<std::int64_t> ReadRehearsalClock(const std::string& archive) {
  const std::string path = RehearsalPaths(archive).clock;
  if (access(path.c_str(), F_OK) != 0) return std::int64_t{0};
  KC_ASSIGN_OR_RETURN(const script::LoadedFile file, script::LoadFile(path));
  std::int64_t shift = 0;
  const char* end = file.bytes.data() + file.bytes.size();
  const auto read = std::from_chars(file.bytes.data(), end, shift);
  if (read.ec != std::errc() || read.ptr != end)
    return base::MakeError(base::ErrorCode::kCorrupt, fmt::format("{} holds no number of microseconds", path));
  return shift;
}

base::Result<std::string> FindSoftHsm() {
  constexpr std::array<const char*, 3> kPlaces = {"/usr/lib/softhsm/libsofthsm2.so",
                                                  "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                                                  "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"};
  for (const char* place : kPlaces) {
    if (access(place, R_OK) == 0) return std::string(place);
  }
  return base::MakeError(base::ErrorCode::kToken, fmt::format("SoftHSM is not installed: no {}", kPlaces.front()))
      .WithHint("apt-get install softhsm2");
}

script::TokenBinding StandInToken(const RehearsalPaths& paths, const std::string& module, const std::string& name) {
  script::TokenBinding bound;
  bound.name = name;
  bound.module = module;
  bound.label = name.substr(0, 32);
  bound.login = script::Login::kPinPrompt;
  bound.environment = {{"SOFTHSM2_CONF", paths.softhsm_conf}};
  bound.site = "rehearsal";
  return bound;
}

base::Result<std::string> MakeStandInToken(const RehearsalPaths& paths, const script::TokenBinding& bound,
                                           const script::Policy& policy, const LoadModule& load) {
  EnvelopePins pins(paths.envelopes, policy.pin);
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Module> module,
                      load({bound.module, bound.environment, bound.init_args}, nullptr));
  KC_ASSIGN_OR_RETURN(const std::vector<hsm::TokenInfo> free, module->ListFreeSlots());
  if (free.empty())
    return base::MakeError(base::ErrorCode::kToken, "SoftHSM offers no free slot for token " + bound.name);
  KC_ASSIGN_OR_RETURN(const steps::NewPins fresh, pins.NewPins(bound.name, bound.name));
  KC_ASSIGN_OR_RETURN(const auto token, hsm::Token::Initialise(module, free.front().slot, bound.label,
                                                               fresh.security_officer, hsm::Retire::kNo));
  KC_ASSIGN_OR_RETURN(hsm::LoginScope officer,
                      hsm::LoginScope::Open(token, hsm::User::kSecurityOfficer, fresh.security_officer));
  KC_RETURN_IF_ERROR(hsm::InitPin(officer.session(), fresh.user));
  KC_RETURN_IF_ERROR(officer.Close());
  return token->info().serial;
}

base::Result<void> MakeRehearsalFolders(const RehearsalPaths& paths) {
  std::error_code error;
  fs::remove_all(paths.folder, error);
  for (const std::string& folder : {paths.folder, paths.people, paths.tokens, paths.people + "/oscar", paths.envelopes})
    KC_RETURN_IF_ERROR(MakePrivateFolder(folder));
  const std::string conf =
      fmt::format("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
                  paths.tokens);
  return WritePrivateFile(paths.softhsm_conf, base::AsBytes(conf));
}

base::Result<void> CheckOwnTokens(const std::string& archive) {
  const RehearsalPaths paths(archive);
  if (!script::AbsolutePathShape().pattern.Matches(paths.folder) || paths.folder.find('=') != std::string::npos) {
    return base::Refusal("REHEARSAL-PATH-01",
                         fmt::format("the archive's path {} has characters that a binding or the configuration of "
                                     "SoftHSM cannot hold",
                                     script::Quoted(paths.folder)),
                         "rehearse in a folder whose path has letters, digits, blanks and . _ - + @ , ~ only");
  }
  if (access(paths.binding.c_str(), F_OK) != 0) return {};
  KC_ASSIGN_OR_RETURN(const script::Binding binding, script::ReadBinding(paths.binding));
  for (const script::TokenBinding& token : binding.tokens) {
    const auto conf = token.environment.find("SOFTHSM2_CONF");
    // Whoever binds tokens of their own to a rehearsal knows where they are.
    if (conf == token.environment.end() || !conf->second.ends_with("/rehearsal/softhsm2.conf")) continue;
    if (conf->second == paths.softhsm_conf) continue;
    std::error_code ignored;
    if (fs::equivalent(conf->second, paths.softhsm_conf, ignored)) continue;  // by another name of the same folder
    return base::Refusal(
        "REHEARSAL-COPY-01",
        fmt::format("token {} of {} is that of {}, and would be {} if it were this archive's own", token.name,
                    paths.binding, conf->second, paths.softhsm_conf),
        "an archive that was copied or moved is there to be read: rehearse where it was made, or in a new archive");
  }
  return {};
}

base::Result<void> PrepareRehearsal(const std::string& archive, const script::Script& script,
                                    const script::Policy& policy, const LoadModule& load) {
  const RehearsalPaths paths(archive);
  std::error_code error;
  // Private as its records are: their names say which ceremonies were held.
  const fs::path folder = fs::path(paths.folder).parent_path();
  fs::create_directories(folder.parent_path(), error);
  if (error) return base::SystemError("mkdir", archive, error.value());
  KC_RETURN_IF_ERROR(MakePrivateFolder(folder.string()));
  const bool prepared = access(paths.binding.c_str(), F_OK) == 0;
  KC_ASSIGN_OR_RETURN(const std::string module, FindSoftHsm());
  script::Binding binding;
  if (prepared) {
    KC_ASSIGN_OR_RETURN(binding, script::ReadBinding(paths.binding));
  } else {
    // The binding is written last: without it, nothing here was ever used.
    KC_RETURN_IF_ERROR(MakeRehearsalFolders(paths));
    auto people = base::Aside([&] { return MakePeople(paths, script.estate); });
    base::Result<script::Binding> first = FirstBinding(paths, script, policy, module, load);
    KC_ASSIGN_OR_RETURN(const script::Roster roster, people.get());
    KC_ASSIGN_OR_RETURN(const std::string roster_text, script::WriteRoster(roster));
    KC_RETURN_IF_ERROR(WritePrivateFile(paths.roster, base::AsBytes(roster_text)));
    KC_ASSIGN_OR_RETURN(binding, std::move(first));
  }
  bool changed = !prepared;
  const std::set<std::string> of_vendors = steps::TokensOfVendors(script);
  for (const script::ScriptToken& token : script.tokens) {
    if (binding.Find(token.name) != nullptr) continue;
    script::TokenBinding bound = StandInToken(paths, module, token.name);
    if (of_vendors.contains(token.name)) {
      KC_ASSIGN_OR_RETURN(bound.serial, MakeStandInToken(paths, bound, policy, load));
    } else {
      bound.uninitialised = script::Uninitialised{};
      bound.login = script::Login::kShares;
    }
    binding.tokens.push_back(std::move(bound));
    changed = true;
  }
  KC_RETURN_IF_ERROR(KeptTokens(paths).Keep());
  if (!changed) return {};
  KC_ASSIGN_OR_RETURN(const std::string text, script::WriteBinding(binding));
  return WritePrivateFile(paths.binding, base::AsBytes(text));
}

namespace {

base::Result<bool> IsThere(const script::TokenBinding& bound, const LoadModule& load) {
  KC_ASSIGN_OR_RETURN(const auto module, load({bound.module, bound.environment, bound.init_args}, nullptr));
  KC_ASSIGN_OR_RETURN(const std::vector<hsm::TokenInfo> tokens, module->ListTokens());
  return std::any_of(tokens.begin(), tokens.end(),
                     [&](const hsm::TokenInfo& token) { return token.serial == bound.serial; });
}

}  // namespace

base::Result<void> ReplaceRecordToken(const std::string& archive, const script::Policy& policy,
                                      const LoadModule& load) {
  const RehearsalPaths paths(archive);
  KC_ASSIGN_OR_RETURN(script::Binding binding, script::ReadBinding(paths.binding));
  const script::TokenBinding* const bound = binding.Find(binding.record_token);
  KC_ASSIGN_OR_RETURN(const bool there, IsThere(*bound, load));
  if (there) return {};
  int number = 2;
  while (binding.Find(fmt::format("{}-{}", kRecordToken, number)) != nullptr) ++number;
  script::TokenBinding fresh = StandInToken(paths, bound->module, fmt::format("{}-{}", kRecordToken, number));
  KC_ASSIGN_OR_RETURN(fresh.serial, MakeStandInToken(paths, fresh, policy, load));
  binding.record_token = fresh.name;
  binding.tokens.push_back(std::move(fresh));
  KC_RETURN_IF_ERROR(KeptTokens(paths).Keep());
  KC_ASSIGN_OR_RETURN(const std::string text, script::WriteBinding(binding));
  return WritePrivateFile(paths.binding, base::AsBytes(text));
}

}  // namespace ceremony::run
