// Objects that SoftHSM left half-written: the files of the last key are cut as a kill within its own writes cuts them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "hsm/cryptoki.h"
#include "tests/fault/trial.h"

namespace {

using fault::Outcome;
using fault::Stage;

// Indices of the calls that make a key pair: the log key first, the root key after it.
std::vector<std::uint64_t> Generations(const Outcome& clean) {
  std::vector<std::uint64_t> indices;
  for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
    if (clean.calls[i] == hsm::Function::kGenerateKeyPair) indices.push_back(i);
  }
  return indices;
}

// Plays up to the end of a key generation, where the process is killed, and returns the files of that key.
std::set<std::string> KillAfter(const Stage& stage, std::uint64_t call) {
  stage.Reset();
  REQUIRE(stage.Begin(fault::KillBefore(call)).died);
  const std::set<std::string> before = stage.SoftHsmFiles(Stage::Files::kObjects);
  stage.Reset();
  REQUIRE(stage.Begin(fault::KillAfter(call)).died);
  std::set<std::string> files = stage.SoftHsmFiles(Stage::Files::kObjects);
  // Names are random in each run: what is older is told by its number alone.
  REQUIRE(files.size() == before.size() + 2);
  if (!before.empty()) {
    std::string newest_folder;
    auto newest = std::filesystem::file_time_type::min();
    for (const std::string& file : files) {
      if (const auto time = std::filesystem::last_write_time(file); time >= newest) {
        newest = time;
        newest_folder = std::filesystem::path(file).parent_path().string();
      }
    }
    std::erase_if(files, [&](const std::string& file) { return !file.starts_with(newest_folder); });
  }
  REQUIRE(files.size() == 2);
  return files;
}

void Cut(const std::string& file, std::uintmax_t size) {
  if (size < std::filesystem::file_size(file)) std::filesystem::resize_file(file, size);
}

// Before there was a record, the one that is opened then tells of it; later it is a deviation and an open item.
void CheckToldOfRefusal(const std::string& log, bool log_key, bool still_listed) {
  const std::string object = "\"object\":\"object that cannot be read (CKR_ATTRIBUTE_VALUE_INVALID)\"";
  std::vector<std::string> told = {"CKR_FUNCTION_FAILED"};
  if (log_key) {
    told.insert(told.end(), {object + ",\"removed\":false", object + ",\"removed\":true"});
  } else {
    told.insert(told.end(), {"\"rule\":\"SETTLE-KEEP-02\"", "\"how\":\"it was removed with consent\"",
                             std::string("\"still_listed\":") + (still_listed ? "true" : "false")});
    // One that is still seen keeps the ceremony from its end; one that is not closes as an open item.
    if (!still_listed)
      told.emplace_back("an object that a call left behind was not removed by the token when it was asked to");
  }
  for (const std::string& words : told) CHECK_MESSAGE(log.find(words) != std::string::npos, words);
}

}  // namespace

TEST_SUITE("torn") {
  TEST_CASE("objects cut to any length are settled, and the ceremony is gone on with to the end") {
    const Stage stage("torn");
    if (!stage.has_softhsm()) std::exit(77);
    stage.Reset();
    const Outcome clean = stage.Begin({});
    REQUIRE_MESSAGE(clean.done, clean.message);
    const std::vector<std::uint64_t> generations = Generations(clean);
    REQUIRE(generations.size() == 2);
    for (const std::uint64_t generation : generations) {
      for (const std::uintmax_t size : {0U, 1U, 5U, 15U, 16U, 32U, 66U, 181U, 322U, 500U}) {
        for (const bool both : {false, true}) {
          CAPTURE(generation);
          CAPTURE(size);
          CAPTURE(both);
          const std::set<std::string> files = KillAfter(stage, generation);
          Cut(*files.begin(), size);
          if (both) Cut(*files.rbegin(), size);
          const Outcome after = stage.GoOn(1);
          CHECK_MESSAGE(after.done, after.code, " ", after.rule, " ", after.message);
          for (const std::string& wrong : stage.Judge()) FAIL_CHECK(wrong);
          const bool unreadable = size >= 1 && size <= 15;
          CHECK((stage.Log().find("object that cannot be read (CKR_ATTRIBUTE_VALUE_INVALID)") != std::string::npos) ==
                unreadable);
        }
      }
    }
  }

  TEST_CASE("an unreadable object that the token will not remove is said to stay, in the record too") {
    const Stage stage("refused");
    if (!stage.has_softhsm()) std::exit(77);
    stage.Reset();
    const Outcome clean = stage.Begin({});
    const std::vector<std::uint64_t> generations = Generations(clean);
    REQUIRE(generations.size() == 2);
    for (const std::uint64_t generation : generations) {
      CAPTURE(generation);
      const bool log_key = generation == generations.front();
      // One that is only said to have failed: without its lock file SoftHSM removes an object and returns an error.
      // Then one that stays. The calls of both runs are the same up to there.
      std::set<std::string> files = KillAfter(stage, generation);
      Cut(*files.begin(), 5);
      Cut(*files.rbegin(), 5);
      std::filesystem::remove(std::filesystem::path(*files.begin()).replace_extension(".lock"));
      const Outcome hidden = stage.GoOn(1);
      CHECK_MESSAGE(hidden.done, hidden.rule, " ", hidden.message);
      CheckToldOfRefusal(stage.Log(), log_key, false);
      for (const std::string& wrong : stage.Judge()) FAIL_CHECK(wrong);

      const auto destroy = std::ranges::find(hidden.calls, hsm::Function::kDestroyObject) - hidden.calls.begin();
      files = KillAfter(stage, generation);
      Cut(*files.begin(), 5);
      Cut(*files.rbegin(), 5);
      const Outcome refused = stage.Resume(fault::Fail(static_cast<std::uint64_t>(destroy), CKR_FUNCTION_FAILED));
      CheckToldOfRefusal(stage.Log(), log_key, true);
      if (log_key) {
        CHECK_MESSAGE(refused.done, refused.rule, " ", refused.message);
        CHECK(stage.Judge() == std::vector<std::string>{"token record: expected 0 objects, found 1"});
        continue;
      }
      CHECK_FALSE(refused.done);
      CHECK(refused.rule == "TOKEN-OBJECT-01");
      const Outcome mended = stage.GoOn(1);
      CHECK_MESSAGE(mended.done, mended.rule, " ", mended.message);
      for (const std::string& wrong : stage.Judge()) FAIL_CHECK(wrong);
    }
  }

  TEST_CASE("a token file that was cut at a login is put back, and the record says so") {
    const Stage stage("token-file");
    if (!stage.has_softhsm()) std::exit(77);
    stage.Reset();
    const Outcome clean = stage.Begin({});
    std::size_t logins = 0;
    for (std::uint64_t i = 0; i < clean.calls.size(); ++i) {
      if (clean.calls[i] != hsm::Function::kLogin) continue;
      ++logins;
      for (const std::uintmax_t size : {0U, 8U, 200U, 319U}) {
        CAPTURE(i);
        CAPTURE(size);
        stage.Reset();
        REQUIRE(stage.Begin(fault::KillBefore(i)).died);
        const std::set<std::string> files = stage.SoftHsmFiles(Stage::Files::kTokens);
        REQUIRE(!files.empty());
        for (const std::string& file : files) Cut(file, size);
        const Outcome after = stage.GoOn(1);
        CHECK_MESSAGE(after.done, after.code, " ", after.rule, " ", after.message);
        for (const std::string& wrong : stage.Judge()) FAIL_CHECK(wrong);
        CHECK(stage.Log().find("token-file-put-back") != std::string::npos);
      }
    }
    CHECK(logins >= 3);
  }
}
