// The verifier's figures: a record of 1,000,000 entries (600 MB, a checkpoint
// every 1,000 entries), strictly verified, against hashing the same entries
// alone in the same run.
//
//   HashingAlone       reads the log and computes the tree: what no verifier can do without
//   VerifyLog/threads  the whole verdict on the record without its addendum; hold <= 1.2 s on one thread, 0.7 s on two
//   VerifyWhole        the same with the addendum, whose digest of log.jsonl is SHA-256 of every byte once more
//
// `ratio` is the time against the fastest HashingAlone so far, `peak_MiB` the
// most memory that the process has ever had.
// KEYCEREMONY_BENCH_ENTRIES makes the record smaller, KEYCEREMONY_BENCH_DIR puts it elsewhere.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ceremony/record/checkpoint.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/log_reader.h"
#include "ceremony/record/policy.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/software_signer.h"
#include "ceremony/record/tree.h"
#include "ceremony/record/verify.h"
#include "hsm/base/clock.h"
#include "hsm/base/encoding.h"

namespace {

using namespace ceremony::record;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr std::string_view kOrigin = "bench.example/bulk/00112233445566778899aabbccddeeff";
constexpr std::uint64_t kEntriesACheckpoint = 1000;
constexpr std::string_view kStep = "issue-device-certificates";

std::uint64_t EntriesWanted() {
  const char* chosen = std::getenv("KEYCEREMONY_BENCH_ENTRIES");
  return chosen != nullptr ? std::max(std::strtoull(chosen, nullptr, 10), 3000ull) : 1'000'000;
}

// BulkRecord writes the record and takes it away again.
class BulkRecord final {
 public:
  BulkRecord() {
    const char* chosen = std::getenv("KEYCEREMONY_BENCH_DIR");
    folder_ = (chosen != nullptr ? fs::path(chosen) : fs::temp_directory_path()) / "keyceremony-bench-XXXXXX";
    if (mkdtemp(folder_.data()) == nullptr) std::abort();
    for (const std::string& folder : {whole(), log_only()}) fs::create_directories(folder + "/inputs");
    for (const char* person : {"alice", "bob", "carol"}) {
      people_.push_back(
          SoftwareSigner::Generate(PersonKeyName("bench.example", person), SignatureType::kEcdsa).value());
    }
    WriteLog();
    WriteFiles();
  }
  ~BulkRecord() { fs::remove_all(folder_); }
  BulkRecord(const BulkRecord&) = delete;  // one owner of the folder
  BulkRecord& operator=(const BulkRecord&) = delete;

  // The record, and the same log without an addendum beside it.
  std::string whole() const { return folder_ + "/whole"; }
  std::string log_only() const { return folder_ + "/log-only"; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t entries() const { return tree_.size(); }
  const Trust& trust() const { return *trust_; }

 private:
  void Add(std::string_view type, nlohmann::json fields) {
    const std::uint64_t seq = tree_.size();
    fields["v"] = kFormatVersion;
    fields["seq"] = seq;
    fields["type"] = type;
    fields["time"] = base::FormatTime(1'795'238'265'000'000 + static_cast<std::int64_t>(seq) * 700);
    fields["mono"] = seq * 700;
    fields["salt"] = fmt::format("{:016x}{:016x}", seq * 0x9e3779b97f4a7c15, ~seq * 0xbf58476d1ce4e5b9);
    fields["mode"] = ModeName(Mode::kRehearsal);
    if (!CanonicaliseInto(fields, line_).ok()) std::abort();
    tree_.Append(Leaf(line_));
    line_ += '\n';
    stream_.Update(base::AsBytes(line_));
    log_.write(line_.data(), static_cast<std::streamsize>(line_.size()));
    bytes_ += line_.size();
  }

  std::string SignedNote(const std::string& text, bool by_log, bool by_people) {
    Note note{text, {}};
    if (by_log) note.signatures.push_back(SignText(text, *log_key_).value());
    for (const auto& person : people_) {
      if (by_people) note.signatures.push_back(SignText(text, *person).value());
    }
    return note.Serialise();
  }

  std::string Text() const { return Checkpoint{std::string(kOrigin), tree_.size(), tree_.Root()}.Text(); }

  void AddCheckpoint() { Add("checkpoint", {{"note", SignedNote(Text(), true, false)}}); }

  // Half the entries say what is about to be done and half what was done, as in bulk signing.
  void AddCall(std::uint64_t call) {
    nlohmann::json fields = {
        {"call", call / 2},
        {"fn", "C_Sign"},
        {"token", "root-oca-live"},
        {"mechanism", "CKM_ECDSA"},
        {"inventory", base::Sha256Hex("inventory")},
        {"step", kStep},
        {"template",
         {{"CKA_CLASS", "CKO_PRIVATE_KEY"}, {"CKA_ID", base::Sha256Hex("id")}, {"CKA_LABEL", "issuing oca 7"}}}};
    if (call % 2 == 1) {
      fields["rv"] = "CKR_OK";
      fields["attributes"] = {{"digest", base::Sha256Hex(std::to_string(call))}};
    } else {
      fields["subject"] = "device " + base::Sha256Hex(std::to_string(call));
    }
    Add(call % 2 == 0 ? "intent" : "done", std::move(fields));
  }

  void WriteLog() {
    log_.open(whole() + "/log.jsonl", std::ios::binary);
    const nlohmann::json none = nlohmann::json::object();
    Add("open", {{"origin", kOrigin},
                 {"ceremony", "bulk"},
                 {"log_key", base::Base64Encode(log_key_->key().public_key().spki())},
                 {"inputs", {{"script.json", base::Sha256Hex(script_)}}},
                 {"previous", nullptr},
                 {"program", none},
                 {"tokens", nlohmann::json::array()},
                 {"modules", nlohmann::json::array()}});
    Add("request", {{"step", "opening"},
                    {"quorum", {{"name", "custodians"}, {"m", 2}, {"n", 3}}},
                    {"statement", "Begin"},
                    {"subject", none},
                    {"subject_sha256", base::Sha256Hex("{}")}});
    const std::string opening = Text();
    AddCheckpoint();
    for (const auto& person : people_) {
      Add("cosign", {{"person", person->key().person()},
                     {"request", 1},
                     {"size", 2},
                     {"line", SignText(opening, *person)->Text()}});
    }
    Add("step", {{"id", kStep}, {"do", "bulk"}, {"phase", "begin"}, {"parameters", none}});
    const std::uint64_t calls_end = EntriesWanted() - 3;
    for (std::uint64_t call = 0; tree_.size() < calls_end;) {
      if (tree_.size() % kEntriesACheckpoint == 0) {
        AddCheckpoint();
      } else if (call % 2 == 0 && tree_.size() + 1 == calls_end) {
        Add("note", {{"text", "the last call has been made"}});
      } else {
        AddCall(call++);
      }
    }
    Add("step", {{"id", kStep}, {"do", "bulk"}, {"phase", "end"}, {"calls", none}});
    AddCheckpoint();
    Add("close", {{"entries", tree_.size() + 1}, {"steps", 1}, {"open_items", nlohmann::json::array()}});
    log_.close();
    if (!log_) std::abort();
  }

  void WriteFiles() {
    std::vector<Policy::Person> persons;
    nlohmann::json roster = {{"format", "keyceremony-roster/1"},
                             {"estate", "bench.example"},
                             {"people", nlohmann::json::array()},
                             {"quorums", {{"custodians", {{"m", 2}, {"role", "custodian"}}}}}};
    for (const auto& person : people_) {
      const std::string id(person->key().person());
      persons.push_back({id, {person->key()}});
      roster["people"].push_back(
          {{"id", id}, {"roles", {"custodian"}}, {"sign_key", base::Base64Encode(person->key().public_key().spki())}});
    }
    trust_ = Trust::ParseRoster(roster.dump()).value();
    const std::string policy = Policy::OfPeople("custodians", 2, persons)->Text();
    const std::string checkpoint = SignedNote(Text(), true, true);
    const std::string text =
        fmt::format("{}/addendum\n{{}}\n{}  checkpoint\n{}  inputs/script.json\n{}  log.jsonl\n{}  policy.txt\n",
                    kOrigin, base::Sha256Hex(checkpoint), base::Sha256Hex(script_), base::HexEncode(stream_.Finish()),
                    base::Sha256Hex(policy));
    for (const std::string& folder : {whole(), log_only()}) {
      std::ofstream(folder + "/policy.txt") << policy;
      std::ofstream(folder + "/checkpoint") << checkpoint;
      std::ofstream(folder + "/inputs/script.json") << script_;
    }
    std::ofstream(whole() + "/addendum.note") << SignedNote(text, false, true);
    fs::create_hard_link(whole() + "/log.jsonl", log_only() + "/log.jsonl");
  }

  std::string folder_;
  const std::string script_ =
      nlohmann::json({{"format", "keyceremony-script/1"},
                      {"id", "bulk"},
                      {"estate", "bench.example"},
                      {"sections", {{{"id", "all"}, {"steps", {{{"id", kStep}, {"do", "bulk"}}}}}}}})
          .dump();
  std::unique_ptr<SoftwareSigner> log_key_ =
      SoftwareSigner::Generate(std::string(kOrigin), SignatureType::kEcdsa).value();
  std::vector<std::unique_ptr<SoftwareSigner>> people_;
  std::optional<Trust> trust_;
  CompactRange tree_;
  base::Sha256Stream stream_;
  std::ofstream log_;
  std::string line_;
  std::uint64_t bytes_ = 0;
};

// Made at the first use and taken away when the program ends.
const BulkRecord& Bulk() {
  static const BulkRecord record;
  return record;
}

double fastest_hashing = 0;

double PeakMebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void HashingAlone(benchmark::State& state) {
  const BulkRecord& record = Bulk();
  for (auto _ : state) {
    const auto start = Clock::now();
    LogReader reader(RecordFolder::Open(record.log_only())->OpenFile("log.jsonl").value());
    CompactRange tree;
    LogReader::Block block;
    while (reader.Next(block).value()) {
      std::string_view rest(block.buffer.data(), block.size);
      while (!rest.empty()) {
        const std::size_t end = static_cast<std::size_t>(
            static_cast<const char*>(std::memchr(rest.data(), '\n', rest.size())) - rest.data());
        tree.Append(Leaf(rest.substr(0, end)));
        rest.remove_prefix(end + 1);
      }
    }
    benchmark::DoNotOptimize(tree.Root());
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    state.SetIterationTime(seconds);
    if (fastest_hashing == 0 || seconds < fastest_hashing) fastest_hashing = seconds;
  }
  state.counters["MB"] = static_cast<double>(record.bytes()) / 1e6;
}

void Verify(benchmark::State& state, const std::string& folder, Verdict expected) {
  const BulkRecord& record = Bulk();
  double fastest = 0;
  for (auto _ : state) {
    const auto start = Clock::now();
    const base::Result<RecordReport> report =
        VerifyRecord(folder, {&record.trust(), static_cast<unsigned>(state.range(0)), std::nullopt});
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    state.SetIterationTime(seconds);
    if (fastest == 0 || seconds < fastest) fastest = seconds;
    if (!report.ok() || report->verdict != expected || report->entries != record.entries()) {
      state.SkipWithError(report.ok() && !report->findings.empty() ? report->findings[0].message.c_str()
                                                                   : "another verdict");
      return;
    }
  }
  state.counters["best_s"] = fastest;
  state.counters["peak_MiB"] = PeakMebibytes();
  if (fastest_hashing > 0) state.counters["ratio"] = fastest / fastest_hashing;
}

void VerifyLog(benchmark::State& state) { Verify(state, Bulk().log_only(), Verdict::kIncomplete); }
void VerifyWhole(benchmark::State& state) { Verify(state, Bulk().whole(), Verdict::kComplete); }

BENCHMARK(HashingAlone)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(5);
BENCHMARK(VerifyLog)->Arg(1)->Arg(2)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(5);
BENCHMARK(VerifyWhole)->Arg(1)->Arg(2)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(5);

}  // namespace

BENCHMARK_MAIN();
