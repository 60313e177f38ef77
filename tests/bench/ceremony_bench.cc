// Orchestration: what a ceremony costs beyond the token and the disk.
//
//   ceremony_bench [RUNS] [FOLDER] [SCRIPT]
//
// SCRIPT is "root" (the shipped one; the default) or "hierarchy" (root and one issuing CA).
//
// Each run is two ceremonies on fresh SoftHSM tokens: the program itself as a
// process, whose wall time is taken from outside, and the same code in a child
// of this program in which every PKCS#11 call and every fsync is timed. FOLDER
// says on which file system (default: the temporary folder). Medians of all runs, and
// the least of each figure, which says more on a machine that is busy with other work.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ceremony/quorum/bound_credentials.h"
#include "ceremony/record/posix_storage.h"
#include "ceremony/room/unattended_terminal.h"
#include "ceremony/run/rehearsal.h"
#include "ceremony/run/start.h"
#include "ceremony/steps/catalogue.h"
#include "hsm/intercepting_cryptoki.h"
#include "hsm/real_cryptoki.h"

namespace {

namespace fs = std::filesystem;
using namespace ceremony;
using Clock = std::chrono::steady_clock;

struct Inside {
  double pkcs11_ms = 0;
  double sync_ms = 0;
  double calls = 0;
  double syncs = 0;
};
Inside inside;

double Since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

class TimingCryptoki final : public hsm::InterceptingCryptoki {
 public:
  using InterceptingCryptoki::InterceptingCryptoki;

 protected:
  CK_RV Around(hsm::Function, const hsm::InnerCall& call) override {
    const auto start = Clock::now();
    const CK_RV rv = call();
    inside.pkcs11_ms += Since(start);
    inside.calls += 1;
    return rv;
  }
};

int TimedSync(long number, int fd) {
  const auto start = Clock::now();
  const long result = syscall(number, fd);
  // What another thread waits for, the ceremony does not wait for.
  if (gettid() != getpid()) return static_cast<int>(result);
  inside.sync_ms += Since(start);
  inside.syncs += 1;
  return static_cast<int>(result);
}

std::string script_path = std::string(SCRIPTS_FOLDER) + "/smki-root-oca.ceremony.json";

// The small hierarchy of the tests, with what it names beside it.
std::string StageHierarchy(const std::string& folder) {
  const std::string name = "small_hierarchy.ceremony.json";
  fs::copy(std::string(SUPPORT_FOLDER) + "/" + name, folder + "/" + name);
  fs::copy(std::string(SCRIPTS_FOLDER) + "/smki.policy.json", folder);
  fs::copy(std::string(SCRIPTS_FOLDER) + "/profiles", folder + "/profiles");
  return folder + "/" + name;
}

base::Result<run::Ended> Rehearse(const std::string& archive) {
  const auto load = [](const hsm::ModuleOptions& options,
                       std::shared_ptr<hsm::CallObserver> observer) -> base::Result<std::shared_ptr<hsm::Module>> {
    KC_ASSIGN_OR_RETURN(auto real, hsm::RealCryptoki::Load(options.path));
    return hsm::Module::Wrap(std::make_unique<TimingCryptoki>(std::move(real)), options, std::move(observer));
  };
  KC_ASSIGN_OR_RETURN(script::Inputs inputs, script::ReadInputs(script_path, "", "", steps::Catalogue()));
  KC_RETURN_IF_ERROR(run::PrepareRehearsal(archive, inputs.script, inputs.policy, load));
  const run::RehearsalPaths paths(archive);
  KC_ASSIGN_OR_RETURN(inputs.roster, script::ReadRoster(paths.roster));
  KC_RETURN_IF_ERROR(script::CheckRoster(inputs.script, *inputs.roster));
  KC_ASSIGN_OR_RETURN(inputs.binding, script::ReadBinding(paths.binding));
  KC_RETURN_IF_ERROR(script::CheckBinding(inputs.script, *inputs.binding));
  room::UnattendedTerminal terminal(nullptr, room::Look{});
  KC_ASSIGN_OR_RETURN(const auto storage, record::PosixStorage::Open(archive));
  base::SystemClock clock;
  run::EnvelopePins pins(paths.envelopes, inputs.policy.pin);
  quorum::BoundCredentials credentials(*inputs.binding, terminal);
  run::World world{terminal, clock, *storage, pins, credentials, load, [] { return false; }};
  std::string folder;
  return run::Begin(world, archive, std::move(inputs), folder);
}

Inside TimeInside(const std::string& archive) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  if (fork() == 0) {
    const auto done = Rehearse(archive);
    if (!done.ok()) fmt::print(stderr, "{}\n", done.error().message);
    _exit(done.ok() && write(ends[1], &inside, sizeof inside) == static_cast<ssize_t>(sizeof inside) ? 0 : 1);
  }
  close(ends[1]);
  Inside told;
  if (read(ends[0], &told, sizeof told) != static_cast<ssize_t>(sizeof told)) std::abort();
  close(ends[0]);
  wait(nullptr);
  return told;
}

struct Whole {
  double wall_ms = 0;
  double cpu_ms = 0;  // of all its threads
};

double Milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1000 + static_cast<double>(time.tv_usec) / 1000;
}

Whole TimeProgram(const std::string& archive) {
  const auto start = Clock::now();
  const pid_t child = fork();
  if (child == 0) {
    if (freopen("/dev/null", "w", stdout) == nullptr) _exit(1);
    execl(PROGRAM, "keyceremony", "rehearse", script_path.c_str(), "--unattended", "--quiet", "--archive",
          archive.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  rusage used = {};
  wait4(child, &status, 0, &used);
  if (status != 0) std::abort();
  return {Since(start), Milliseconds(used.ru_utime) + Milliseconds(used.ru_stime)};
}

struct Figure {
  double median = 0;
  double least = 0;
};

Figure FigureOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values[values.size() / 2], values.front()};
}

void Print(const char* what, const Figure& figure, const std::string& unit) {
  fmt::print("{:<23}{:8.2f} {:8.2f} {}\n", what, figure.median, figure.least, unit);
}

}  // namespace

// These stand before the C library's own for the whole program.
extern "C" int fdatasync(int fd) { return TimedSync(SYS_fdatasync, fd); }
extern "C" int fsync(int fd) { return TimedSync(SYS_fsync, fd); }

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::atoi(argv[1]) : 21;
  std::string pattern = std::string(argc > 2 ? argv[2] : fs::temp_directory_path().c_str()) + "/ceremony-bench-XXXXXX";
  const std::string folder = mkdtemp(pattern.data());
  if (argc > 3 && std::string(argv[3]) == "hierarchy") script_path = StageHierarchy(folder);
  std::vector<double> whole, cpu, pkcs11, sync;
  Inside counts;
  for (int i = -1; i < runs; ++i) {  // the first run warms up
    const Whole program = TimeProgram(folder + "/program");
    const Inside told = TimeInside(folder + "/inside");
    fs::remove_all(folder + "/program");
    fs::remove_all(folder + "/inside");
    if (i < 0) continue;
    whole.push_back(program.wall_ms);
    cpu.push_back(program.cpu_ms);
    pkcs11.push_back(told.pkcs11_ms);
    sync.push_back(told.sync_ms);
    counts = told;
  }
  fs::remove_all(folder);
  const Figure all = FigureOf(whole);
  const Figure token = FigureOf(pkcs11);
  const Figure disk = FigureOf(sync);
  fmt::print("{} runs                   median    least\n", runs);
  Print("whole process", all, "ms");
  Print("its CPU time", FigureOf(cpu), "ms");
  Print("inside PKCS#11", token, fmt::format("ms in {:.0f} calls", counts.calls));
  Print("inside fsync/fdatasync", disk, fmt::format("ms in {:.0f} calls", counts.syncs));
  Print("ratio", {all.median / (token.median + disk.median), all.least / (token.least + disk.least)}, "");
  return 0;
}
