#include <doctest/doctest.h>

#include "ceremony/report/destruction_page.h"
#include "hsm/base/digest.h"
#include "tests/unit/report/scratch_record.h"

using ceremony::report::DestructionFile;
using ceremony::report::DestructionPage;
using ceremony::report::ReadDestructions;
using ceremony::report::ReportData;
using nlohmann::json;

namespace {

constexpr const char* kName = "destruction/root.destruction.json";

json Copy(const char* token) { return {{"token", token}, {"kind", "original"}, {"method", "C_DestroyObject"}}; }

// The certificate of key root, which step `end` wrote.
void Certify(ScratchRecord& record, const json& copies, const json& key = {{"name", "root"}}) {
  const std::string bytes = json{{"key", key}, {"copies", copies}}.dump();
  record.Write(std::string("artefacts/") + kName, bytes);
  record.Add("artefact", {{"name", kName},
                          {"kind", "certificate-of-destruction"},
                          {"step", "end"},
                          {"size", bytes.size()},
                          {"sha256", base::Sha256Hex(bytes)}});
}

void Ask(ScratchRecord& record, const char* step, const char* token, int m = 2) {
  record.Add("request", {{"step", step},
                         {"quorum", {{"name", "custodians"}, {"m", m}, {"n", 4}}},
                         {"statement", std::string("Destroy root on ") + token + ", for good"},
                         {"subject", {{"token", token}}}});
}

// Who approved each copy, as the page says it: the name of its token, then the people.
std::vector<std::string> ApproversOn(ScratchRecord& record) {
  const ReportData data = record.Read();
  const auto files = ReadDestructions(record.path(), data, "");
  REQUIRE(files.ok());
  const std::string page = DestructionPage(data, *files);
  std::vector<std::string> told;
  constexpr std::string_view kCopy = "<h4>original: ", kPeople = "<dt>approved by</dt><dd>";
  for (std::size_t at = page.find(kCopy); at != std::string::npos;) {
    const std::size_t next = page.find(kCopy, at + 1);
    std::string words = page.substr(at + kCopy.size(), page.find('<', at + 1) - at - kCopy.size());
    const std::size_t people = page.find(kPeople, at);
    if (people < next)
      words += ": " +
               page.substr(people + kPeople.size(), page.find('<', people + kPeople.size()) - people - kPeople.size());
    told.push_back(std::move(words));
    at = next;
  }
  return told;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("who signed a request that somebody declined has approved nothing") {
  ScratchRecord record;
  record.Add("open", json::object());  // 0
  Ask(record, "end", "one");           // 1
  record.Add("cosign", {{"person", "alice"}, {"request", 1}})
      .Add("refusal", {{"rule", "QUORUM-DENIED-01"}, {"person", "bob"}, {"request", 1}, {"step", "end"}});
  Ask(record, "end", "one");  // 4
  record.Add("cosign", {{"person", "carol"}, {"request", 4}}).Add("cosign", {{"person", "dave"}, {"request", 4}});
  Certify(record, json::array({Copy("one")}));
  CHECK(ApproversOn(record) == Words{"one: carol, dave"});
}

TEST_CASE("a request that too few had signed when the program was cut off has approved nothing") {
  ScratchRecord record;
  record.Add("open", json::object());
  Ask(record, "end", "one");  // 1
  record.Add("cosign", {{"person", "alice"}, {"request", 1}});
  Ask(record, "end", "one");  // 3
  record.Add("cosign", {{"person", "carol"}, {"request", 3}}).Add("cosign", {{"person", "dave"}, {"request", 3}});
  Certify(record, json::array({Copy("one")}));
  CHECK(ApproversOn(record) == Words{"one: carol, dave"});
}

TEST_CASE("each copy has the approvers of its own step and token") {
  ScratchRecord record;
  record.Add("open", json::object());
  Ask(record, "of-another-key", "one");  // 1
  record.Add("cosign", {{"person", "alice"}, {"request", 1}}).Add("cosign", {{"person", "bob"}, {"request", 1}});
  Ask(record, "end", "one", 1);  // 4
  record.Add("cosign", {{"person", "carol"}, {"request", 4}});
  Ask(record, "end", "two", 1);  // 6
  record.Add("cosign", {{"person", "dave"}, {"request", 6}});
  Certify(record, json::array({Copy("one"), Copy("two")}));
  CHECK(ApproversOn(record) == Words{"one: carol", "two: dave"});
}

TEST_CASE("a copy that an earlier record destroyed has no approvers in this one") {
  ScratchRecord record;
  record.Add("open", json::object());
  Ask(record, "end", "one", 1);  // 1
  record.Add("cosign", {{"person", "carol"}, {"request", 1}});
  json earlier = Copy("one");
  earlier["record"] = "0003-clone";
  Certify(record, json::array({Copy("one"), earlier}));
  CHECK(ApproversOn(record) == Words{"one: carol", "one"});
}

TEST_CASE("a root that signed for nobody else is not told as never used") {
  ScratchRecord record;
  record.Add("open", json::object());
  const json use = {{"count", 0}, {"first_use", ""}, {"last_use", ""}, {"stated_by", ""}};
  const json own = {{"name", "root"}, {"subject", "CN=Root"}, {"serial", "01"}, {"not_after", "2076-11-29T00:00:00Z"}};
  Certify(
      record, json::array({Copy("one")}),
      {{"name", "root"}, {"use", use}, {"certificates", json::array({own})}, {"deactivated_because", "cap-reached"}});
  const ReportData data = record.Read();
  const auto files = ReadDestructions(record.path(), data, "");
  REQUIRE(files.ok());
  const std::string page = DestructionPage(data, *files);
  const auto has = [&](const char* text) { return page.find(text) != std::string::npos; };
  CHECK(has("<dt>signatures for others, as stated</dt><dd>0</dd>"));
  CHECK_FALSE(has("never"));
  CHECK_FALSE(has("<dt>first use</dt>"));
  CHECK(has("<dd>cap reached</dd>"));
  CHECK(has("<td class=\"t\">2076-11-29</td>"));
}
