// docs/script-format.md holds what the tables generate, between markers. To
// renew it: KEYCEREMONY_RENEW_DOCS=1 unit_script_documents
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "ceremony/script/schema.h"
#include "ceremony/steps/catalogue.h"
#include "tests/unit/script/support.h"

using namespace ceremony::script;

namespace {

const std::string kPath = std::string(KEYCEREMONY_SOURCE_DIR) + "/docs/script-format.md";

std::string WithBlock(const std::string& text, const std::string& name, const std::string& block) {
  const std::string begin = "<!-- begin " + name + " -->\n";
  const auto start = text.find(begin);
  const auto end = text.find("<!-- end " + name + " -->", start);
  REQUIRE_MESSAGE((start != std::string::npos && end != std::string::npos), "no markers for " << name);
  return text.substr(0, start + begin.size()) + block + text.substr(end);
}

// One row for each kind of step.
std::string KindsTable() {
  std::string table = "| kind | does | leaves | is evidence for |\n| --- | --- | --- | --- |\n";
  for (const ceremony::steps::StepKind* kind : ceremony::steps::Catalogue().All()) {
    const ceremony::steps::StepDescription& described = kind->description();
    table += fmt::format("| `{}` | {} | {} | {} |\n", described.kind, described.summary, described.leaves,
                         described.clauses);
  }
  return table;
}

}  // namespace

TEST_CASE("docs/script-format.md says what the tables say") {
  const std::string written = LoadFile(kPath).value().bytes;
  std::string rules = "| rule | says |\n| --- | --- |\n";
  for (const InputRule& rule : InputRules())
    rules += "| " + std::string(rule.id) + " | " + std::string(rule.title) + " |\n";
  std::string text = WithBlock(written, "rules", rules);
  text = WithBlock(text, "shapes", GenerateShapes());
  text = WithBlock(text, "kinds", KindsTable());
  for (const std::string& kind : FileKinds())
    text = WithBlock(text, kind, GenerateReference(TableOf(kind, ceremony::steps::Catalogue()).value()));
  if (std::getenv("KEYCEREMONY_RENEW_DOCS") != nullptr) std::ofstream(kPath, std::ios::binary) << text;
  CHECK_MESSAGE(text == written, "renew it: KEYCEREMONY_RENEW_DOCS=1 unit_script_documents");
}
