// What a custodian's machine remembers of what was signed before.
#include "ceremony/quorum/seen_checkpoints.h"

#include <doctest/doctest.h>

#include "hsm/base/digest.h"
#include "tests/unit/quorum/people.h"

using namespace credential;
using ceremony::quorum::Extension;
using ceremony::quorum::SeenCheckpoints;
using ceremony::record::Checkpoint;

namespace {

ceremony::script::LoadedFile FileOf(std::string bytes) {
  ceremony::script::LoadedFile file;
  file.name = "file.json";
  file.bytes = std::move(bytes);
  return file;
}

// A record of n entries, and its proofs.
struct Tree {
  explicit Tree(std::uint64_t size, const std::string& salt = "") {
    for (std::uint64_t i = 0; i < size; ++i) {
      leaves.push_back(ceremony::record::Leaf(salt + std::to_string(i)));
      range.Append(leaves.back());
    }
  }
  Checkpoint At() const { return {kOrigin, range.size(), range.Root()}; }
  std::vector<Extension> From(std::uint64_t size) const {
    return {{size, Good(ceremony::record::ConsistencyProof(size, range.size(), ceremony::record::LeavesOf(leaves)))}};
  }
  std::vector<ceremony::record::Hash> leaves;
  ceremony::record::CompactRange range;
};

}  // namespace

TEST_CASE("a witness follows a record forward, never back and never onto another branch") {
  SeenCheckpoints seen;
  const Tree five(5);
  const Tree nine(9);
  const Tree other(9, "other ");
  CHECK(seen.Check(five.At(), {}).ok());
  seen.Remember(five.At());
  CHECK(seen.Check(five.At(), {}).ok());
  CHECK(seen.Check(nine.At(), nine.From(5)).ok());
  CHECK(Bad(seen.Check(Tree(4).At(), {})).rule == "CRED-15");
  CHECK(Bad(seen.Check(Tree(5, "other ").At(), {})).rule == "CRED-16");
  CHECK(Bad(seen.Check(nine.At(), {})).rule == "CRED-17");
  CHECK(Bad(seen.Check(nine.At(), nine.From(4))).rule == "CRED-17");
  CHECK(Bad(seen.Check(other.At(), other.From(5))).rule == "CRED-17");
  // Another record is another matter.
  Checkpoint elsewhere = Tree(2).At();
  elsewhere.origin = "smki.example/other/00112233445566778899aabbccddeeff";
  CHECK(seen.Check(elsewhere, {}).ok());

  const SeenCheckpoints again = Good(SeenCheckpoints::Parse(FileOf(seen.Text())));
  REQUIRE(again.Find(kOrigin) != nullptr);
  CHECK(*again.Find(kOrigin) == five.At());
  CHECK_FALSE(SeenCheckpoints::Parse(FileOf("{}")).ok());
  std::string damaged = seen.Text();
  damaged.replace(damaged.find("\"size\": 5"), 9, "\"size\": 0");
  CHECK_FALSE(SeenCheckpoints::Parse(FileOf(damaged)).ok());
}
