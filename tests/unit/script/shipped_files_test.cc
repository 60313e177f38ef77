#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <string>

#include "ceremony/script/policy.h"
#include "ceremony/script/script.h"
#include "tests/unit/script/step_kinds.h"
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

TEST_CASE("the Root OCA script names files that are there and facts that fit their patterns") {
  const auto script = ReadScript(kScripts + "smki-root-oca.ceremony.json", StepKinds());
  REQUIRE_MESSAGE(script.ok(), (script.ok() ? "" : script.error().message));
  CHECK(LoadReferenced(script->file, script->policy_path).ok());
  for (const Section& section : script->sections) {
    for (const Step& step : section.steps) {
      for (const std::string& file : step.NamesOf(Reference::kFile)) CHECK(ResolveReferenced(script->file, file).ok());
      if (step.kind != "room.record") continue;
      for (const auto& fact : step.fields.List("facts")) {
        CHECK(Pattern::Parse(fact.at("pattern").get<std::string>())
                  .value()
                  .Matches(fact.at("example").get<std::string>()));
      }
    }
  }
  CHECK(script->StepCount() == 14);
  CHECK(script->QuorumsUsed() == std::vector<std::string>{"custodians"});
}
