// What `keyceremony status` costs over a long archive: 1,000 records, 10,000 keys of which each has a certificate, two
// copies and a statement of use. A record has 6 entries that say nothing of the estate for each that does. Status is
// the fold and what is due, in this process; StatusProgram is the program itself, with all that it prints. It reads the
// roster and the policy of the newest record, which has those of a rehearsal.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "ceremony/estate/due.h"
#include "ceremony/estate/fleet_due.h"
#include "ceremony/estate/fold.h"
#include "ceremony/estate/planner.h"
#include "hsm/base/clock_text.h"

namespace {

using namespace ceremony;  // NOLINT(google-build-using-namespace)
using nlohmann::json;

constexpr int kRecords = 1000;
constexpr int kKeysARecord = 10;
constexpr int kOtherEntries = 60;

std::string Line(int seq, const char* type, json fields) {
  fields.update({{"v", 1},
                 {"seq", seq},
                 {"type", type},
                 {"time", "2026-06-01T00:00:00.000000Z"},
                 {"mono", seq},
                 {"salt", std::string(32, '0')},
                 {"mode", "production"}});
  return fields.dump() + "\n";
}

std::vector<estate::Effect> EffectsOf(int key) {
  const std::string name = fmt::format("issuing-{:05}", key);
  const std::string spki = fmt::format("{:064x}", key + 1);
  return {estate::KeyCreated{name, "ec-p256", "sign", spki, "live", "S1", fmt::format("{:032x}", key), true},
          estate::KeyCloned{name, spki, "live", "backup", "S2", fmt::format("{:032x}", key), "ecdh-p256", "statement",
                            false},
          estate::CertificateIssued{name, "issuing-oca", name, "root", "CN=" + name, fmt::format("{:x}", key + 1),
                                    "2026-06-01T00:00:00Z", "2051-06-01T00:00:00Z", spki, "certificates/" + name},
          estate::KeyUsageStated{name, 99'713, "2026-06-01T00:00:00Z", "2026-08-01T00:00:00Z", "oscar", spki}};
}

std::string MakeFolder() {
  std::string folder = std::filesystem::temp_directory_path() / "keyceremony-estate-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) std::abort();
  return folder;
}

// RunProgram returns the exit code; what the program prints goes nowhere.
int RunProgram(std::vector<std::string> words) {
  const pid_t child = fork();
  if (child == 0) {
    const int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0) _exit(126);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execv(PROGRAM, arguments.data());
    _exit(127);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Stores the inputs of a rehearsed root ceremony in `record`, and returns what its opening entry says of them.
json StoreInputs(const std::string& record) {
  const std::string rehearsed = MakeFolder();
  const std::string script = std::string(SCRIPTS_FOLDER) + "/smki-root-oca.ceremony.json";
  if (RunProgram({"keyceremony", "rehearse", script, "--unattended", "--quiet", "--archive", rehearsed}) != 0)
    std::abort();
  const std::string made = rehearsed + "/0001-smki-root-oca";
  std::filesystem::copy(made + "/inputs", record + "/inputs", std::filesystem::copy_options::recursive);
  std::string opening;
  std::getline(std::ifstream(made + "/log.jsonl"), opening);
  std::filesystem::remove_all(rehearsed);
  return json::parse(opening).at("inputs");
}

std::string MakeArchive() {
  const std::string folder = MakeFolder();
  int key = 0;
  for (int record = 0; record < kRecords; ++record) {
    const std::string path = fmt::format("{}/{:04}-issuing", folder, record + 1);
    std::filesystem::create_directories(path);
    std::ofstream log(path + "/log.jsonl", std::ios::binary);
    int seq = 0;
    json opening = {{"ceremony", "issuing"}, {"origin", fmt::format("bench/issuing/{:032x}", record)}};
    if (record == kRecords - 1) opening["inputs"] = StoreInputs(path);
    log << Line(seq++, "open", std::move(opening));
    const auto end = [&](const std::vector<estate::Effect>& effects) {
      json list = json::array();
      for (const estate::Effect& effect : effects) list.push_back(estate::ToJson(effect));
      log << Line(seq++, "step", {{"id", "it"}, {"do", "it"}, {"phase", "end"}, {"effects", std::move(list)}});
    };
    if (record == 0) {
      end({estate::TokenCommissioned{"live", "live", "S1", "M", "M", "1", "live", "organisation"},
           estate::TokenCommissioned{"backup", "backup", "S2", "M", "M", "1", "backup", "organisation"},
           estate::KeyCreated{"root", "ec-p256", "sign", std::string(64, 'f'), "live", "S1", "ff", false}});
    }
    for (int i = 0; i < kKeysARecord; ++i) end(EffectsOf(key++));
    for (int i = 0; i < kOtherEntries; ++i)
      log << Line(seq++, "observe", {{"what", "confirmation"}, {"step", "it"}, {"words", std::string(300, 'x')}});
    log << Line(seq, "close", {{"entries", seq}});
    std::ofstream(path + "/addendum.note") << "-\n";
  }
  return folder;
}

void Status(benchmark::State& state) {
  const std::string archive = MakeArchive();
  script::Policy policy;
  policy.caps.push_back({"issuing", 100'000, 92, 60, 24});
  const std::int64_t now = *base::ParseDayOrTime("2026-09-01");
  for (auto _ : state) {
    const auto folded = estate::FoldArchive(archive);
    if (!folded.ok() || folded->estate.keys().size() != kRecords * kKeysARecord + 1) {
      state.SkipWithError("the archive was not folded");
      break;
    }
    std::vector<estate::DueItem> due = estate::DueOf(*folded, now, 365);
    estate::AddFleetDue(*folded, &policy, now, 365, due);
    benchmark::DoNotOptimize(due);
  }
  std::filesystem::remove_all(archive);
}
BENCHMARK(Status)->Unit(benchmark::kMillisecond);

void StatusProgram(benchmark::State& state) {
  const std::string archive = MakeArchive();
  for (auto _ : state) {
    if (RunProgram({"keyceremony", "status", archive, "--json", "--at", "2026-09-01"}) == 0) continue;
    state.SkipWithError("keyceremony status failed");
    break;
  }
  std::filesystem::remove_all(archive);
}
BENCHMARK(StatusProgram)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
