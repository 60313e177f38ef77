// Inputs for tests of the plan: a small script with its policy, roster and
// binding, of which each test changes one thing.
#ifndef TESTS_UNIT_STEPS_PLAN_FIXTURE_H_
#define TESTS_UNIT_STEPS_PLAN_FIXTURE_H_

#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ceremony/script/inputs.h"
#include "ceremony/steps/catalogue.h"
#include "ceremony/steps/plan.h"
#include "hsm/base/digest.h"

namespace doctest {
// Lists of lines are shown when they differ.
template <>
struct StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += "\n    " + line;
    return text.c_str();
  }
};
}  // namespace doctest

namespace plan_fixture {

// Public keys of people, made by `openssl genpkey`; nobody holds the private ones.
inline constexpr const char* kKeys[] = {
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf5d3hZkcOia4Fl/hg/DeWYAiERqgzB0dJnf3u4wQWKwOb9ge/"
    "RhnwtJtxL8n2ANu41lmhWzixDL7Ki06VBgcVQ==",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEIJRsjpmbqrUDbutMYrHG86KiZXh+ohtOxWf5u5Io+cX4GfYHODa97iQ+0DVgFi2lmd9HJyA0/"
    "1gQp1WyFnw38Q==",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/1HYG/mSXDHq1zxdNVgaSnlDIwSVyln3zR9G5yWFjkqYlAX6u+J7geC4wW/"
    "oO+rNg9Iw2a5CskFRsHJHjdThYA==",
    "MCowBQYDK2VwAyEARIqUa3cLqN3CxUDaUNu2dtGGP/yncDQYAkaqNxYgwEg=",
};

struct Files {
  nlohmann::json script = nlohmann::json::parse(R"({
    "format": "keyceremony-script/1", "id": "small", "title": "Small", "purpose": "To try.", "estate": "smki.example",
    "policy": "p.json",
    "tokens": {"hsm": {"role": "live", "domain": "organisation", "description": "the HSM"}},
    "sections": [{"id": "all", "title": "All", "steps": [
      {"id": "attend", "do": "room.attend", "people": {"custodian": 2, "witness": 1}},
      {"id": "commission", "do": "token.commission", "token": "hsm", "quorum": "custodians"}]}]})");
  nlohmann::json policy = nlohmann::json::parse(R"({
    "format": "keyceremony-policy/1", "id": "p", "version": "1.0", "title": "P",
    "clock": {"tolerance_seconds": 5}, "window": {"warn_minutes": 60, "stop_minutes": 90},
    "quorum": {"minimum_m": 2, "spare": 1, "one_employer_below_m": true},
    "pin": {"alphabet": "ABCDEFGHJKLMNPQRSTUVWXYZ23456789", "user_length": 16, "so_length": 16},
    "algorithms": {"ca_keys": ["ec-p256"], "signatures": ["ecdsa-with-SHA256"]}, "waiver": {"people": 2}})");
  nlohmann::json roster = nlohmann::json::parse(R"({
    "format": "keyceremony-roster/1", "estate": "smki.example",
    "quorums": {"custodians": {"m": 2, "role": "custodian"}},
    "people": [
      {"id": "alice", "name": "Alice", "employer": "North Ltd", "roles": ["custodian"], "state": "active"},
      {"id": "bob", "name": "Bob", "employer": "South Ltd", "roles": ["custodian"], "state": "active"},
      {"id": "carol", "name": "Carol", "employer": "West Ltd", "roles": ["custodian"], "state": "active"},
      {"id": "wendy", "name": "Wendy", "employer": "East Ltd", "roles": ["witness", "security-officer"], "state": "active"}]})");
  nlohmann::json binding = nlohmann::json::parse(R"({
    "format": "keyceremony-binding/1", "estate": "smki.example", "environment": "rehearsal", "record_token": "log",
    "tokens": {"hsm": {"module": "/usr/lib/m.so", "label": "HSM", "uninitialised": {}, "site": "Leeds"},
               "log": {"module": "/usr/lib/m.so", "label": "LOG", "serial": "1"}},
    "credentials": {"alice": {"sign": "/m/alice/sign.pem", "open": "/m/alice/open.pem"},
                    "bob": {"sign": "/m/bob/sign.pem", "open": "/m/bob/open.pem"},
                    "carol": {"sign": "/m/carol/sign.pem", "open": "/m/carol/open.pem"}}})");
  bool with_roster = true;
  bool with_binding = true;
  std::map<std::string, std::string> documents;    // path -> bytes
  std::map<std::string, nlohmann::json> profiles;  // by the name that steps use

  Files() {
    for (std::size_t i = 0; i < 3; ++i) roster["people"][i]["sign_key"] = kKeys[i];
  }
  nlohmann::json& person(std::size_t index) { return roster["people"][index]; }
  nlohmann::json& step(std::size_t index) { return script["sections"][0]["steps"][index]; }
  nlohmann::json& steps() { return script["sections"][0]["steps"]; }
};

inline ceremony::script::LoadedFile FileOf(const std::string& name, std::string bytes) {
  std::string digest = base::Sha256Hex(bytes);
  return {name, name, std::move(bytes), std::move(digest)};
}

template <typename T>
T Taken(base::Result<T> result) {
  REQUIRE_MESSAGE(result.ok(), (result.ok() ? "" : result.error().message));
  return std::move(result).value();
}

inline ceremony::script::Inputs InputsOf(const Files& files) {
  namespace script = ceremony::script;
  script::Inputs inputs;
  inputs.script = Taken(script::ParseScript(FileOf("s.json", files.script.dump()), ceremony::steps::Catalogue()));
  inputs.policy = Taken(script::ParsePolicy(FileOf("p.json", files.policy.dump())));
  if (files.with_roster) inputs.roster = Taken(script::ParseRoster(FileOf("r.json", files.roster.dump())));
  if (files.with_binding) inputs.binding = Taken(script::ParseBinding(FileOf("b.json", files.binding.dump())));
  for (const auto& [name, profile] : files.profiles)
    inputs.profiles.emplace(name, Taken(script::ParseProfile(FileOf(name + ".profile.json", profile.dump()))));
  for (const auto& [path, bytes] : files.documents) inputs.documents.emplace(path, FileOf(path, bytes));
  return inputs;
}

// Says is "<rule> <severity> <step>: <message>" of each finding, in order.
inline std::vector<std::string> Says(const ceremony::steps::Plan& plan) {
  std::vector<std::string> lines;
  for (const ceremony::steps::Finding& finding : plan.findings) {
    CHECK_FALSE(finding.hint.empty());
    CHECK_FALSE(finding.where.empty());
    lines.push_back(finding.rule + " " + std::string(ceremony::x509::SeverityName(finding.severity)) +
                    (finding.step.empty() ? "" : " " + finding.step) + ": " + finding.message);
  }
  return lines;
}

inline std::vector<std::string> FindingsOf(const Files& files, const ceremony::estate::Estate& estate = {}) {
  return Says(ceremony::steps::MakePlan(InputsOf(files), estate));
}

}  // namespace plan_fixture

#endif  // TESTS_UNIT_STEPS_PLAN_FIXTURE_H_
