#include "ceremony/x509/bulk_lint.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/unit/x509/support.h"

namespace {

using namespace ceremony::x509;

// Told writes down what a sink is told.
class Told final : public BulkSink {
 public:
  void Item(const BulkItem& item) override {
    lines.push_back(fmt::format("{}[{}] at {}: {}", item.file, item.index, item.offset, test::Ids(item.findings)));
    if (lines.size() == stop_after) stop_ = true;
  }
  void Unreadable(std::uint32_t file, const base::Error&) override { lines.push_back(fmt::format("{}: gone", file)); }
  void Progress(std::uint64_t items, std::uint64_t) override { progress = items; }
  bool Stop() override { return stop_; }

  std::vector<std::string> lines;
  std::uint64_t progress = 0;
  std::size_t stop_after = 0;

 private:
  bool stop_ = false;
};

// Files of more items than a thread takes at once, a fault among them.
std::vector<std::string> Files(const test::Folder& folder) {
  const std::string root = test::RootOca().Pem();
  const std::string issuing = test::IssuingOca(test::RootOca()).Pem();
  std::string many;
  for (int i = 0; i < 300; ++i) many += i % 3 == 0 ? issuing : root;
  std::string broken = root;
  broken[broken.size() / 2] = '!';
  return {folder.Write("many.pem", many), folder.Write("broken.pem", broken + issuing),
          folder.Write("none.pem", "") + "x", folder.Write("more.pem", many)};
}

}  // namespace

TEST_CASE("the number of jobs changes nothing in what a bulk lint finds, nor its order") {
  const test::Folder folder;
  const std::vector<std::string> paths = Files(folder);
  Told alone;
  BulkOptions options;
  options.set_rules = SetRules::kAlways;
  REQUIRE(BulkLint(paths, options, alone).ok());
  CHECK(alone.lines.size() == 603);
  CHECK(alone.progress == 602);
  for (const unsigned jobs : {2u, 3u, 8u}) {
    Told together;
    options.jobs = jobs;
    REQUIRE(BulkLint(paths, options, together).ok());
    CHECK(together.lines == alone.lines);
    CHECK(together.progress == alone.progress);
  }
}

TEST_CASE("a bulk lint on several threads ends when nobody wants its results any more") {
  const test::Folder folder;
  Told told;
  told.stop_after = 10;
  BulkOptions options;
  options.jobs = 4;
  const std::vector<std::string> paths(20, Files(folder).front());
  REQUIRE(BulkLint(paths, options, told).ok());
  CHECK(told.lines.size() >= 10);
  CHECK(told.lines.size() < 6000);
}
