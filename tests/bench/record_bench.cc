// The record's figures: a durable append against the bare system calls, in one
// run, and what the tree costs.
//
// RatioOfDurableAppend interleaves both loops entry by entry, so that what
// else the disk does hits both, and reports `ratio` = time in Writer::Append /
// time in write(2) + fdatasync(2) of the same line. Hold: <= 1.15.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ceremony/record/disclosure.h"
#include "ceremony/record/posix_storage.h"
#include "ceremony/record/software_signer.h"
#include "ceremony/record/writer.h"
#include "hsm/base/encoding.h"

namespace {

using namespace ceremony::record;
using Clock = std::chrono::steady_clock;

// Where the benchmark writes: KEYCEREMONY_BENCH_DIR, or the folder for temporary files.
std::string MakeFolder() {
  const char* chosen = std::getenv("KEYCEREMONY_BENCH_DIR");
  std::string folder = (chosen != nullptr ? std::filesystem::path(chosen) : std::filesystem::temp_directory_path()) /
                       "keyceremony-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) std::abort();
  return folder;
}

constexpr std::string_view kOrigin = "bench.example/bench/00112233445566778899aabbccddeeff";

struct OpenRecord {
  std::string folder = MakeFolder();
  base::SystemClock clock;
  std::unique_ptr<PosixStorage> storage = PosixStorage::Open(folder).value();
  std::unique_ptr<Writer> writer = Writer::Create({*storage, clock, "record", Mode::kRehearsal}).value();
  std::unique_ptr<SoftwareSigner> log_key =
      SoftwareSigner::Generate(std::string(kOrigin), SignatureType::kEcdsa).value();

  OpenRecord() {
    const auto opened =
        writer->Append(EntryType::kOpen, {{"origin", kOrigin},
                                          {"ceremony", "bench"},
                                          {"log_key", base::Base64Encode(log_key->key().public_key().spki())},
                                          {"inputs", nlohmann::json::object()},
                                          {"previous", nullptr},
                                          {"program", nlohmann::json::object()},
                                          {"tokens", nlohmann::json::array()},
                                          {"modules", nlohmann::json::array()}});
    if (!opened.ok()) std::abort();
  }
  ~OpenRecord() { std::filesystem::remove_all(folder); }
};

// An entry as the runner writes it before a PKCS#11 call: about 600 bytes.
nlohmann::json Intent(int call) {
  return {{"call", call},
          {"fn", "C_GenerateKeyPair"},
          {"token", "hsm-1"},
          {"mechanism", "CKM_EC_KEY_PAIR_GEN"},
          {"inventory", std::string(64, 'a')},
          {"template",
           {{"CKA_TOKEN", true},
            {"CKA_PRIVATE", true},
            {"CKA_SENSITIVE", true},
            {"CKA_EXTRACTABLE", false},
            {"CKA_MODIFIABLE", false},
            {"CKA_SIGN", true},
            {"CKA_DECRYPT", false},
            {"CKA_UNWRAP", false},
            {"CKA_LABEL", "smki root oca 2026"},
            {"CKA_ID", "00112233445566778899aabbccddeeff"}}}};
}

double Microseconds(Clock::duration duration) { return std::chrono::duration<double, std::micro>(duration).count(); }

void RatioOfDurableAppend(benchmark::State& state) {
  OpenRecord record;
  const int bare = open((record.folder + "/bare").c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  // A line of the size that the writer makes of the same fields.
  const std::string line(Canonicalise(Intent(1))->size() + 158, 'x');
  std::vector<double> ours, theirs;
  int call = 0;
  for (auto _ : state) {
    nlohmann::json fields = Intent(++call);
    const bool writer_first = call % 2 == 0;
    for (const bool writer : {writer_first, !writer_first}) {
      const auto begin = Clock::now();
      if (writer) {
        if (!record.writer->Append(EntryType::kIntent, std::move(fields)).ok()) std::abort();
        ours.push_back(Microseconds(Clock::now() - begin));
      } else {
        if (write(bare, line.data(), line.size()) != static_cast<ssize_t>(line.size()) || fdatasync(bare) != 0)
          std::abort();
        theirs.push_back(Microseconds(Clock::now() - begin));
      }
    }
  }
  close(bare);
  const auto median = [](std::vector<double>& values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
  };
  state.counters["append_us"] = median(ours);
  state.counters["bare_us"] = median(theirs);
  state.counters["ratio"] = median(ours) / median(theirs);
}
BENCHMARK(RatioOfDurableAppend)->Iterations(3000)->Unit(benchmark::kMicrosecond);

// What the writer adds to the system calls: spelling, checking and hashing an entry.
void CanonicaliseEntry(benchmark::State& state) {
  const nlohmann::json entry = Intent(1);
  std::string line;
  for (auto _ : state) {
    if (!CanonicaliseInto(entry, line).ok()) std::abort();
    benchmark::DoNotOptimize(line.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(line.size()) * state.iterations());
}
BENCHMARK(CanonicaliseEntry);

void LeafAndTreeOf600Bytes(benchmark::State& state) {
  const std::string line(600, 'x');
  CompactRange tree;
  for (auto _ : state) tree.Append(Leaf(line));
  benchmark::DoNotOptimize(tree.Root());
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(600 * state.iterations());
}
BENCHMARK(LeafAndTreeOf600Bytes);

void CheckpointAfterOneEntry(benchmark::State& state) {
  OpenRecord record;
  for (auto _ : state) {
    if (!record.writer->Checkpoint(*record.log_key).ok()) std::abort();
  }
}
BENCHMARK(CheckpointAfterOneEntry)->Iterations(500)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
