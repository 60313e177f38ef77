// Orchestration: what a ceremony costs beyond the token and the disk.
//
//   ceremony_bench [RUNS] [FOLDER] [SCRIPT]
//
// SCRIPT is "root" (the shipped one; the default) or "hierarchy" (root and one issuing CA).
//
// Each run is the program itself, a ceremony on fresh SoftHSM tokens. Its wall time is taken from outside, and the time
// that it is inside PKCS#11 and waits for the disk by a stopwatch that is loaded before it. FOLDER says on which file
// system (default: the temporary folder). Medians of all runs, and the least of each figure, which says more on a
// machine that is busy with other work; of the ratio of each run, too.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/bench/stopwatch.h"

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

std::string script_path = std::string(SCRIPTS_FOLDER) + "/smki-root-oca.ceremony.json";

// The small hierarchy of the tests, with what it names beside it.
std::string StageHierarchy(const std::string& folder) {
  const std::string name = "small_hierarchy.ceremony.json";
  fs::copy(std::string(SUPPORT_FOLDER) + "/" + name, folder + "/" + name);
  fs::copy(std::string(SCRIPTS_FOLDER) + "/smki.policy.json", folder);
  fs::copy(std::string(SCRIPTS_FOLDER) + "/profiles", folder + "/profiles");
  return folder + "/" + name;
}

[[noreturn]] void Stop(const std::string& why) {
  fmt::print(stderr, "ceremony_bench: {}\n", why);
  std::exit(1);
}

struct Run {
  double wall_ms = 0;
  double cpu_ms = 0;  // of all its threads
  Inside inside;
  double Ratio() const { return wall_ms / (inside.pkcs11_ms + inside.sync_ms); }
};

double Milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1000 + static_cast<double>(time.tv_usec) / 1000;
}

Run TimeProgram(const std::string& archive) {
  int ends[2];
  if (pipe(ends) != 0) Stop("no pipe");
  setenv("LD_PRELOAD", STOPWATCH, 1);
  setenv(kStopwatchDescriptor, std::to_string(ends[1]).c_str(), 1);
  std::array<std::string, 6> words = {"keyceremony", "rehearse", script_path, "--unattended", "--quiet", "--archive"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  std::string folder = archive;
  arguments.push_back(folder.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);

  const auto start = Clock::now();
  pid_t child = 0;
  if (posix_spawn(&child, PROGRAM, &actions, nullptr, arguments.data(), environ) != 0) Stop("cannot start " PROGRAM);
  int status = 0;
  rusage used = {};
  wait4(child, &status, 0, &used);
  Run run;
  run.wall_ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();

  posix_spawn_file_actions_destroy(&actions);
  unsetenv("LD_PRELOAD");
  close(ends[1]);
  if (status != 0) Stop("the ceremony failed");
  if (read(ends[0], &run.inside, sizeof run.inside) != static_cast<ssize_t>(sizeof run.inside))
    Stop("the stopwatch says nothing");
  close(ends[0]);
  run.cpu_ms = Milliseconds(used.ru_utime) + Milliseconds(used.ru_stime);
  return run;
}

template <typename FigureOf>
void Print(const std::vector<Run>& runs, const char* what, const std::string& unit, FigureOf figure_of) {
  std::vector<double> values;
  for (const Run& run : runs) values.push_back(figure_of(run));
  std::sort(values.begin(), values.end());
  fmt::print("{:<23}{:8.2f} {:8.2f} {}\n", what, values[values.size() / 2], values.front(), unit);
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::max(std::atoi(argv[1]), 1) : 21;
  std::string pattern = std::string(argc > 2 ? argv[2] : fs::temp_directory_path().c_str()) + "/ceremony-bench-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) Stop("cannot make " + pattern);
  const std::string& folder = pattern;
  if (argc > 3 && std::string(argv[3]) == "hierarchy") script_path = StageHierarchy(folder);
  std::vector<Run> runs;
  for (int i = 0; i <= count; ++i) {
    const Run run = TimeProgram(folder + "/archive");
    fs::remove_all(folder + "/archive");
    if (i > 0) runs.push_back(run);  // the first warms up
  }
  fs::remove_all(folder);
  const Inside& counted = runs.back().inside;
  fmt::print("{} runs                   median    least\n", count);
  Print(runs, "whole process", "ms", [](const Run& run) { return run.wall_ms; });
  Print(runs, "its CPU time", "ms", [](const Run& run) { return run.cpu_ms; });
  Print(runs, "inside PKCS#11", fmt::format("ms in {} calls", counted.calls),
        [](const Run& run) { return run.inside.pkcs11_ms; });
  Print(runs, "inside fsync/fdatasync", fmt::format("ms in {} calls", counted.syncs),
        [](const Run& run) { return run.inside.sync_ms; });
  Print(runs, "of these, aside", "ms on threads beside the ceremony",
        [](const Run& run) { return run.inside.aside_ms; });
  Print(runs, "ratio", "of each run", [](const Run& run) { return run.Ratio(); });
  return 0;
}
