#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <utility>

#include "ceremony/script/crl_profile.h"
#include "ceremony/script/inputs.h"
#include "ceremony/steps/catalogue.h"
#include "tests/unit/script/support.h"

using namespace ceremony::script;

namespace {

const std::string kScripts = std::string(KEYCEREMONY_SOURCE_DIR) + "/scripts/";

}  // namespace

TEST_CASE("every shipped policy is good") {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kScripts)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".policy.json")) continue;
    ++count;
    const auto policy = ReadPolicy(entry.path().string());
    CHECK_MESSAGE(policy.ok(), (policy.ok() ? "" : policy.error().message));
  }
  CHECK(count >= 1);
}

TEST_CASE("every shipped profile is good") {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kScripts + "profiles")) {
    ++count;
    if (entry.path().filename().string().ends_with(".crl-profile.json")) {
      auto file = LoadFile(entry.path().string());
      REQUIRE_MESSAGE(file.ok(), (file.ok() ? "" : file.error().message));
      const auto profile = ParseCrlProfile(std::move(file).value());
      CHECK_MESSAGE(profile.ok(), (profile.ok() ? "" : profile.error().message));
      continue;
    }
    const auto profile = ReadProfile(entry.path().string());
    CHECK_MESSAGE(profile.ok(), (profile.ok() ? "" : profile.error().message));
  }
  CHECK(count >= 1);
}

TEST_CASE("every shipped script is good, names files that are there and facts that fit their patterns") {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kScripts)) {
    if (!entry.path().filename().string().ends_with(".ceremony.json")) continue;
    ++count;
    const auto script = ReadScript(entry.path().string(), ceremony::steps::Catalogue());
    REQUIRE_MESSAGE(script.ok(), (script.ok() ? "" : script.error().message));
    const auto inputs = ReadInputs(entry.path().string(), "", "", ceremony::steps::Catalogue());
    CHECK_MESSAGE(inputs.ok(), (inputs.ok() ? "" : inputs.error().message));
    for (const Section& section : script->sections) {
      for (const Step& step : section.steps) {
        if (step.kind != "room.record") continue;
        for (const auto& fact : step.fields.List("facts")) {
          CHECK(Pattern::Parse(fact.at("pattern").get<std::string>())
                    .value()
                    .Matches(fact.at("example").get<std::string>()));
        }
      }
    }
  }
  CHECK(count >= 1);
}
