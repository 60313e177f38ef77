#include "ceremony/record/verify.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "ceremony/record/log_reader.h"
#include "ceremony/record/reader.h"
#include "tests/unit/record/scratch.h"

namespace {

using namespace ceremony::record;

// Bench verifies a copy of a record of the vectors again and again.
struct Bench {
  explicit Bench(const std::string& record = kRootRecord) { scratch.CopyVectors(record, "record"); }

  RecordReport Verify(unsigned threads = 1) const {
    base::Result<RecordReport> report = VerifyRecord(scratch.path("record"), {&trust, threads, std::nullopt});
    REQUIRE(report.ok());
    return std::move(report).value();
  }
  Verdict VerdictNow() const { return Verify().verdict; }

  Scratch scratch;
  Trust trust = Trust::ReadRoster(kRosterFile).value();
};

bool IsGood(Verdict verdict) { return verdict == Verdict::kComplete || verdict == Verdict::kUnpinned; }

std::vector<std::string> RulesOf(const RecordReport& report) {
  std::vector<std::string> rules;
  for (const Finding& finding : report.findings) rules.push_back(finding.rule);
  return rules;
}

// FlipEveryByte flips one bit of every byte of a file, one after the other.
void FlipEveryByte(const std::string& name) {
  const Bench bench;
  const std::string content = bench.scratch.Read("record/" + name);
  const int fd = open(bench.scratch.path("record/" + name).c_str(), O_WRONLY);
  REQUIRE(fd >= 0);
  for (std::size_t at = 0; at < content.size(); ++at) {
    const char flipped = static_cast<char>(content[at] ^ (1 << (at % 8)));
    REQUIRE(pwrite(fd, &flipped, 1, static_cast<off_t>(at)) == 1);
    CHECK_MESSAGE(!IsGood(bench.VerdictNow()), name << " byte " << at);
    REQUIRE(pwrite(fd, &content[at], 1, static_cast<off_t>(at)) == 1);
  }
  close(fd);
  CHECK(bench.VerdictNow() == Verdict::kComplete);
}

}  // namespace

TEST_CASE("the record of the vectors is complete, and says what it is") {
  const Bench bench;
  const RecordReport report = bench.Verify();
  CHECK(report.verdict == Verdict::kComplete);
  CHECK(report.findings.empty());
  CHECK(report.origin == "smki.example/root-2026/c43abed9983d1c48d24aa532268fc7d5");
  CHECK(report.ceremony == "root-2026");
  CHECK(report.mode == "rehearsal");
  CHECK(report.entries == 22);
  CHECK(report.closed);
  CHECK(report.last->size == 22);
  CHECK(report.cosigners == std::vector<std::string>{"alice", "carol", "erin"});
  CHECK_FALSE(report.previous.has_value());
}

TEST_CASE("a flipped bit anywhere in the log is seen") { FlipEveryByte("log.jsonl"); }
TEST_CASE("a flipped bit anywhere in the final checkpoint is seen") { FlipEveryByte("checkpoint"); }
TEST_CASE("a flipped bit anywhere in the addendum is seen") { FlipEveryByte("addendum.note"); }
TEST_CASE("a flipped bit anywhere in the policy is seen") { FlipEveryByte("policy.txt"); }

TEST_CASE("a log cut anywhere is incomplete and never more") {
  const Bench bench;
  std::string log = bench.scratch.Read("record/log.jsonl");
  const std::size_t open_end = log.find('\n') + 1;
  for (std::size_t size = log.size() - 1; size >= open_end; --size) {
    const bool near_end_of_line = log[size] == '\n' || log[size - 1] == '\n' || log[size - 2] == '\n';
    if (!near_end_of_line && size % 7 != 0) continue;
    std::filesystem::resize_file(bench.scratch.path("record/log.jsonl"), size);
    const RecordReport report = bench.Verify();
    CHECK_MESSAGE(report.verdict == Verdict::kIncomplete, size);
    CHECK(std::ranges::count(RulesOf(report), "REC-TORN") == (log[size - 1] == '\n' ? 0 : 1));
  }
}

TEST_CASE("a log cut while only it was written is incomplete, down to nothing") {
  const Bench bench;
  for (const char* name : {"checkpoint", "addendum.note"})
    std::filesystem::remove(bench.scratch.path(std::string("record/") + name));
  const std::size_t size = bench.scratch.Read("record/log.jsonl").size();
  for (std::size_t kept = 0; kept < size; kept += 13) {
    std::filesystem::resize_file(bench.scratch.path("record/log.jsonl"), kept);
    CHECK(bench.VerdictNow() == Verdict::kIncomplete);
    std::filesystem::resize_file(bench.scratch.path("record/log.jsonl"), 0);
    bench.scratch.Write("record/log.jsonl",
                        Scratch::ReadFile(KEYCEREMONY_VECTORS + std::string("/archive/") + kRootRecord + "/log.jsonl"));
  }
  bench.scratch.Write("record/log.jsonl", "");
  CHECK(RulesOf(bench.Verify()) ==
        std::vector<std::string>{"REC-EMPTY", "REC-NOT-CLOSED", "ART-STRAY", "ART-STRAY", "ART-STRAY"});
}

TEST_CASE("any line may come at any place and the record is never good again") {
  const Bench bench;
  std::vector<std::string> lines;
  std::string rest = bench.scratch.Read("record/log.jsonl");
  while (!rest.empty()) {
    lines.push_back(rest.substr(0, rest.find('\n') + 1));
    rest.erase(0, lines.back().size());
  }
  const auto verdict_of = [&](const std::vector<std::string>& changed) {
    std::string log;
    for (const std::string& line : changed) log += line;
    bench.scratch.Write("record/log.jsonl", log);
    return bench.VerdictNow();
  };
  for (std::size_t from = 0; from < lines.size(); ++from) {
    for (std::size_t to = 0; to < lines.size(); ++to) {
      std::vector<std::string> copied = lines;
      copied.insert(copied.begin() + static_cast<std::ptrdiff_t>(to), lines[from]);
      CHECK(verdict_of(copied) == Verdict::kInvalid);
      if (from == to) continue;
      std::vector<std::string> replaced = lines;
      replaced[to] = lines[from];
      CHECK(verdict_of(replaced) == Verdict::kInvalid);
      std::vector<std::string> swapped = lines;
      std::swap(swapped[from], swapped[to]);
      CHECK(verdict_of(swapped) == Verdict::kInvalid);
    }
  }
}

TEST_CASE("a file of one record does not pass in another") {
  const Bench bench;
  for (const char* name : {"log.jsonl", "checkpoint", "addendum.note"}) {
    const std::string path = std::string("record/") + name;
    const std::string own = bench.scratch.Read(path);
    bench.scratch.Write(
        path, Scratch::ReadFile(KEYCEREMONY_VECTORS + std::string("/archive/") + kIssuingRecord + "/" + name));
    CHECK_MESSAGE(bench.VerdictNow() == Verdict::kInvalid, name);
    bench.scratch.Write(path, own);
  }
  CHECK(bench.VerdictNow() == Verdict::kComplete);
}

TEST_CASE("a report keeps a bounded number of findings and counts the others") {
  const Bench bench;
  std::string log;
  for (int i = 0; i < 300; ++i) log += "{}\n" + std::string(LogReader::kBlockBytes / 100, ' ') + "\n";
  bench.scratch.Write("record/log.jsonl", log);
  const RecordReport report = bench.Verify();
  CHECK(report.verdict == Verdict::kInvalid);
  CHECK(report.findings.size() == kMaxFindings);
  CHECK(report.more > 0);
}

void CheckSame(const RecordReport& many, const RecordReport& one) {
  CHECK(many.verdict == one.verdict);
  CHECK(many.entries == one.entries);
  CHECK(many.log_root == one.log_root);
  REQUIRE(many.findings.size() == one.findings.size());
  for (std::size_t i = 0; i < one.findings.size(); ++i) {
    CHECK(many.findings[i].message == one.findings[i].message);
    CHECK(many.findings[i].entry == one.findings[i].entry);
  }
}

TEST_CASE("a signature that a second thread looks at first is judged as it is on one") {
  const Bench bench;
  CheckSame(bench.Verify(2), bench.Verify(1));
  // The last characters before a line's end are in the signature, in a file as in the note of an entry.
  for (const std::string file : {"record/log.jsonl", "record/checkpoint", "record/addendum.note"}) {
    const std::string content = bench.scratch.Read(file);
    const std::string_view begin = "\xe2\x80\x94 ";
    int signatures = 0;
    for (std::size_t at = content.find(begin); at != std::string::npos; at = content.find(begin, at + 1)) {
      const std::size_t end = content.find_first_of("\n\\\"", at);
      REQUIRE(end != std::string::npos);
      std::string changed = content;
      char& of_signature = changed[end - 12];
      of_signature = of_signature == 'A' ? 'B' : 'A';
      bench.scratch.Write(file, changed);
      const RecordReport one = bench.Verify(1);
      CHECK_FALSE(IsGood(one.verdict));
      CheckSame(bench.Verify(2), one);
      ++signatures;
    }
    CHECK(signatures >= 3);
    bench.scratch.Write(file, content);
  }
  CHECK(bench.Verify(2).verdict == Verdict::kComplete);
}

TEST_CASE("the number of threads changes nothing in a report") {
  const Bench bench;
  // Many blocks, with something to say about most of them.
  std::string log = bench.scratch.Read("record/log.jsonl");
  const std::string note =
      "{\"mode\":\"rehearsal\",\"mono\":99999999,\"salt\":\"00112233445566778899aabbccddeeff\",\"seq\":";
  for (int seq = 22; seq < 12000; ++seq) {
    log += note + std::to_string(seq % 4000 == 0 ? seq + 1 : seq) + ",\"text\":\"" +
           std::string(static_cast<std::size_t>(seq % 300), 'x') + "\",\"time\":\"2026-11-21T09:10:00.00" +
           std::to_string(1000 + seq % 9000) + "Z\",\"type\":\"note\",\"v\":1}\n";
  }
  bench.scratch.Write("record/log.jsonl", log);
  const RecordReport one = bench.Verify(1);
  CHECK(one.entries == 12000);
  CHECK(one.verdict == Verdict::kInvalid);
  for (const unsigned threads : {2u, 3u, 8u}) {
    CheckSame(bench.Verify(threads), one);
  }
}
