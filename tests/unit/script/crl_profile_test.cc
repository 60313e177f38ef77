#include "ceremony/script/crl_profile.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/script/support.h"

using namespace ceremony::script;

namespace {

const char* const kGood = R"({
  "format": "keyceremony-crl-profile/1",
  "id": "arl",
  "version": "1.0",
  "title": "ARL",
  "clause": "CP 7.2",
  "next_update": {"days": 366},
  "keys": ["ec-p256"],
  "signature": "ecdsa-with-SHA256",
  "reasons": ["keyCompromise", "superseded"]
}
)";
const char* const kReasons = "\"reasons\": [\"keyCompromise\", \"superseded\"]";

std::string ProblemsOf(const std::string& text) {
  Problems problems;
  const auto profile = ParseCrlProfile(FileOf("p.json", text), &problems);
  CHECK(profile.ok() == problems.empty());
  return LinesOf(problems);
}

}  // namespace

TEST_CASE("a list whose entries give no reason allows none, and can be written so") {
  CHECK(ProblemsOf(kGood) == "");
  for (const char* none : {"\"reason\": \"forbidden\"", "\"reasons\": [], \"reason\": \"forbidden\""})
    CHECK(ProblemsOf(Replaced(kGood, kReasons, none)) == "");
  CHECK(ProblemsOf(Replaced(kGood, kReasons, std::string(kReasons) + ", \"reason\": \"forbidden\""))
            .find("an entry gives no reason, and some are allowed") != std::string::npos);
  CHECK(ProblemsOf(Replaced(kGood, kReasons, "\"reasons\": []"))
            .find("an entry must give a reason, and none is allowed") != std::string::npos);
}
