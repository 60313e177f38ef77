// The schema and the parser come from one table; here a program that is not
// ours judges by the schema, and the two verdicts are compared over every
// sample and shipped file and over every way of breaking one value of it.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "ceremony/script/schema.h"
#include "ceremony/steps/catalogue.h"
#include "tests/unit/script/sample_files.h"
#include "tests/unit/script/support.h"

using namespace ceremony::script;
using nlohmann::json;

namespace {

const std::string kSource = KEYCEREMONY_SOURCE_DIR;

void Mutate(const json& document, const json::json_pointer& at, std::vector<json>& out) {
  const json& value = document.at(at);
  const auto with = [&](const json& other) {
    json changed = document;
    changed.at(at) = other;
    if (changed != document) out.push_back(std::move(changed));
  };
  for (const char* other : {"null", "true", "0", "-1", "3", "4503599627370497", "\"\"", "\"x\"", "\"A b\"", "\"ä\"",
                            "[]", "{}", "[\"x\"]", "{\"x\":1}"})
    with(json::parse(other));
  if (value.is_string()) {
    const std::string text = value;
    for (const std::string& other :
         {text + " ", " " + text, text + "\u00e4", text + "/", "/" + text, std::string(5000, 'a'), text + "\n" + text})
      with(other);
  }
  if (value.is_object()) {
    json more = value;
    more["nobody_knows_me"] = 1;
    with(more);
    for (const auto& [name, member] : value.items()) {
      json fewer = value;
      fewer.erase(name);
      with(fewer);
      fewer[name + "_"] = member;
      with(fewer);
      Mutate(document, at / name, out);
    }
  }
  if (value.is_array()) {
    json twice = value;
    if (!value.empty()) twice.push_back(value.back());
    with(twice);
    for (std::size_t i = 0; i < value.size(); ++i) Mutate(document, at / i, out);
  }
}

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// What the table says, and the rules by which it refused.
bool Accepts(const FieldTable& table, const std::string& text, std::set<std::string>& rules) {
  Problems problems;
  Document document;
  json values;
  const bool accepted = ParseFile(table, FileOf("f", text), document, values, problems);
  for (const Problem& problem : problems.list()) rules.insert(problem.rule);
  return accepted;
}

// `broken` are taken as they are and in every broken form, `whole` only as they are.
void CheckAgreement(const std::string& kind, const std::string& broken, const std::vector<std::string>& whole = {}) {
  const StepFieldSource& kinds = ceremony::steps::Catalogue();
  const Folder folder;
  const std::string schema = folder.Write("schema.json", GenerateSchema(kind, kinds).value());
  std::vector<json> documents;
  for (const std::string& text : whole) documents.push_back(json::parse(text));
  documents.push_back(json::parse(broken));
  Mutate(json(documents.back()), json::json_pointer(), documents);
  std::string lines;
  for (const json& document : documents) lines += document.dump() + "\n";
  const std::string file = folder.Write("documents", lines);
  const int status = std::system(("python3 '" + kSource + "/tests/unit/script/schema/judge.py' '" + schema + "' '" +
                                  file + "' > '" + (folder / "verdicts") + "'")
                                     .c_str());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) std::exit(77);
  REQUIRE(status == 0);

  std::ifstream verdicts(folder / "verdicts");
  const FieldTable table = TableOf(kind, kinds).value();
  std::string verdict;
  std::size_t refused = 0;
  for (const json& document : documents) {
    REQUIRE(std::getline(verdicts, verdict));
    std::set<std::string> rules;
    const bool accepted = Accepts(table, document.dump(), rules);
    if (!accepted) ++refused;
    CHECK_MESSAGE(accepted == (verdict == "a"), kind << ": parser " << (accepted ? "accepts" : "refuses") << ", schema "
                                                     << verdict << ": " << document.dump());
  }
  MESSAGE(kind << ": " << documents.size() << " documents, " << refused << " refused by both");
  CHECK(refused > documents.size() / 2);
}

}  // namespace

TEST_CASE("schema and parser give one verdict on every binding") {
  CheckAgreement("binding", kGoodBinding);
  CheckAgreement("binding", kCredentialsBinding);
}

TEST_CASE("schema and parser give one verdict on every policy") {
  CheckAgreement("policy", kGoodPolicy, {ReadText(kSource + "/scripts/smki.policy.json")});
}

TEST_CASE("schema and parser give one verdict on every profile") {
  CheckAgreement("profile", ReadText(kSource + "/scripts/profiles/smki-root-oca.profile.json"),
                 {ReadText(kSource + "/scripts/profiles/smki-issuing-oca.profile.json")});
}

TEST_CASE("schema and parser give one verdict on every roster") { CheckAgreement("roster", kGoodRoster); }

TEST_CASE("schema and parser give one verdict on every share") { CheckAgreement("share", kGoodShare); }

TEST_CASE("schema and parser give one verdict on every file of faults") {
  std::ifstream file(kSource + "/scripts/faults/smki-root-oca.faults.json");
  CheckAgreement("faults", std::string(std::istreambuf_iterator<char>(file), {}));
}

TEST_CASE("schema and parser give one verdict on every script") {
  CheckAgreement(
      "script",
      R"({"format":"keyceremony-script/1","id":"d","title":"t","estate":"e","purpose":"p\nq","policy":"p","tokens":{"t":{"role":"live"}},
"sections":[{"id":"s","title":"t","steps":[
{"id":"a","do":"room.attend","people":{"custodian":3}},
{"id":"r","do":"room.record","by":"witness","facts":[{"name":"bag","label":"bag","pattern":"[A-Z]{2}","example":"AB"}]},
{"id":"d","do":"document.lodge","file":"a/b.txt","name":"b.txt","kind":"x","quorum":"q","skippable":true}]}]})",
      {ReadText(kSource + "/scripts/smki-root-oca.ceremony.json")});
}
