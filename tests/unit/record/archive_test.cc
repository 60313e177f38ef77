#include <doctest/doctest.h>

#include "ceremony/record/verify.h"
#include "tests/unit/record/scratch.h"

namespace {

using namespace ceremony::record;
namespace fs = std::filesystem;

struct Bench {
  Bench() {
    scratch.CopyVectors(kRootRecord, std::string("archive/") + kRootRecord);
    scratch.CopyVectors(kIssuingRecord, std::string("archive/") + kIssuingRecord);
  }
  ArchiveReport Verify(std::optional<std::string> checkpoint = std::nullopt) const {
    base::Result<ArchiveReport> report = VerifyArchive(scratch.path("archive"), {&trust, 1, std::move(checkpoint)});
    REQUIRE(report.ok());
    return std::move(report).value();
  }
  std::string path(const std::string& name) const { return scratch.path("archive/" + name); }
  std::vector<std::string> Rules() const {
    std::vector<std::string> rules;
    for (const Finding& finding : Verify().findings) rules.push_back(finding.rule);
    return rules;
  }

  Scratch scratch;
  Trust trust = Trust::ReadRoster(kRosterFile).value();
};

}  // namespace

TEST_CASE("an archive of complete records that name each other is complete") {
  const Bench bench;
  const ArchiveReport report = bench.Verify();
  CHECK(report.verdict == Verdict::kComplete);
  CHECK(report.findings.empty());
  REQUIRE(report.records.size() == 2);
  CHECK(report.records[0].folder == kRootRecord);
  CHECK(report.records[1].previous == report.records[0].last);
  CHECK(IsArchive(bench.scratch.path("archive")).value());
  CHECK_FALSE(IsArchive(bench.path(kRootRecord)).value());
  CHECK(IsArchive(bench.scratch.path("none")).error().code == base::ErrorCode::kNotFound);
  CHECK(VerifyArchive(bench.path(kRootRecord), {&bench.trust, 1, std::nullopt}).error().code ==
        base::ErrorCode::kNotFound);
}

TEST_CASE("a folder of another name in an archive is nobody's record") {
  const Bench bench;
  fs::create_directories(bench.path("rehearsal/tokens"));
  fs::create_directories(bench.path("01-x"));
  CHECK(bench.Verify().verdict == Verdict::kComplete);
}

TEST_CASE("a record dropped from the beginning is missed") {
  const Bench bench;
  fs::remove_all(bench.path(kRootRecord));
  CHECK(bench.Verify().verdict == Verdict::kInvalid);
  CHECK(bench.Rules() == std::vector<std::string>{"ARC-ORDER", "ARC-CHAIN"});
}

TEST_CASE("a record dropped and the next one renumbered is missed") {
  const Bench bench;
  fs::remove_all(bench.path(kRootRecord));
  fs::rename(bench.path(kIssuingRecord), bench.path("0001-issuing-2026"));
  CHECK(bench.Rules() == std::vector<std::string>{"ARC-CHAIN"});
}

TEST_CASE("records in another order are seen") {
  const Bench bench;
  fs::rename(bench.path(kRootRecord), bench.path("0003-root-2026"));
  fs::rename(bench.path(kIssuingRecord), bench.path("0001-issuing-2026"));
  CHECK(bench.Rules() == std::vector<std::string>{"ARC-CHAIN", "ARC-ORDER", "ARC-CHAIN"});
}

TEST_CASE("an old record replayed as a new one is seen") {
  const Bench bench;
  fs::copy(bench.path(kRootRecord), bench.path("0003-root-2026"), fs::copy_options::recursive);
  CHECK(bench.Verify().verdict == Verdict::kInvalid);
  CHECK(bench.Rules() == std::vector<std::string>{"ARC-ORIGIN", "ARC-CHAIN"});
}

TEST_CASE("two records of one number, or under another ceremony's name, are seen") {
  const Bench bench;
  fs::rename(bench.path(kIssuingRecord), bench.path("0001-issuing-2026"));
  CHECK(bench.Verify().verdict == Verdict::kInvalid);
  fs::rename(bench.path("0001-issuing-2026"), bench.path("0002-other"));
  CHECK(bench.Rules() == std::vector<std::string>{"ARC-ORDER"});
}

TEST_CASE("the worst record decides, and a record cut short breaks the chain") {
  const Bench bench;
  fs::remove(bench.path(std::string(kIssuingRecord) + "/addendum.note"));
  CHECK(bench.Verify().verdict == Verdict::kIncomplete);
  fs::remove(bench.path(std::string(kRootRecord) + "/addendum.note"));
  fs::remove(bench.path(std::string(kRootRecord) + "/checkpoint"));
  const ArchiveReport report = bench.Verify();
  CHECK(report.records[0].verdict == Verdict::kIncomplete);
  CHECK(report.verdict == Verdict::kInvalid);
  CHECK(bench.Rules() == std::vector<std::string>{"ARC-CHAIN"});
}

TEST_CASE("a checkpoint that the reader kept is held against the record of its origin") {
  const Bench bench;
  CHECK(bench.Verify(bench.scratch.Read(std::string("archive/") + kRootRecord + "/checkpoint")).verdict ==
        Verdict::kComplete);
  const std::string kept = bench.scratch.Read(std::string("archive/") + kIssuingRecord + "/checkpoint");
  fs::remove_all(bench.path(kIssuingRecord));
  CHECK(bench.Verify().verdict == Verdict::kComplete);
  const ArchiveReport report = bench.Verify(kept);
  CHECK(report.verdict == Verdict::kInvalid);
  CHECK(report.findings[0].rule == "ARC-ORIGIN");
  CHECK(VerifyArchive(bench.scratch.path("archive"), {&bench.trust, 1, "junk"}).error().code ==
        base::ErrorCode::kInvalidInput);
}
