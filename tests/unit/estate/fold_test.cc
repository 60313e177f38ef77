#include "ceremony/estate/fold.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "ceremony/estate/comparison.h"
#include "tests/unit/record/temporary_folder.h"

TEST_CASE("REC-SIZE: a log with a line that is too long is refused, and its beginning is not taken for the whole") {
  const ceremony::record::TemporaryFolder archive;
  std::filesystem::create_directory(archive / "0001-root");
  const std::string open = R"({"type":"open","mode":"production"})";
  for (const std::size_t size : {70'000u, 700'000u}) {
    std::ofstream(archive / "0001-root/log.jsonl") << open << "\n" << std::string(size, 'x') << "\n" << open << "\n";
    const auto folded = ceremony::estate::FoldArchive(archive.path());
    REQUIRE_FALSE(folded.ok());
    CHECK(folded.error().rule == "REC-SIZE");
    CHECK(folded.error().message == archive / "0001-root/log.jsonl: line 2 has more than 65535 bytes");
    const auto outcome = ceremony::estate::ReadOutcome(archive / "0001-root");
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.error().rule == "REC-SIZE");
  }
}
