#include "ceremony/report/ceremony_report.h"

#include <doctest/doctest.h>

#include "ceremony/report/walk.h"
#include "tests/unit/report/scratch_record.h"

using ceremony::report::CeremonyReport;
using ceremony::report::ReportData;
using nlohmann::json;

namespace {

// What a hostile record would like to bring into the page.
constexpr const char* kHostile =
    "</title></style></script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u202E\x01";

// Every text of the record is hostile: a value for every name that a report reads.
json HostileFields() {
  json fields;
  for (const char* name : {"ceremony", "title",   "origin",   "environment", "classification", "script",
                           "person",   "name",    "employer", "presence",    "reason",         "id",
                           "do",       "section", "step",     "statement",   "subject_sha256", "line",
                           "what",     "sha256",  "kind",     "rule",        "message",        "text",
                           "source",   "reading", "typed",    "certificate", "profile",        "clause",
                           "token",    "pin",     "set",      "deputy_for"}) {
    fields[name] = kHostile;
  }
  fields["roles"] = {kHostile};
  fields["people"] = {kHostile};
  fields["open_items"] = {kHostile};
  fields["program"] = {{"name", kHostile}, {"version", kHostile}, {"sha256", kHostile}};
  fields["modules"] = json::array({{{"path", kHostile}, {"sha256", kHostile}, {"version", kHostile}}});
  fields["tokens"] = json::array({{{"name", kHostile}, {"serial", kHostile}}});
  fields["findings"] = json::array({{{"rule", kHostile}, {"message", kHostile}}});
  fields["facts"] = {{"fact", kHostile}};
  fields["quorum"] = {{"name", kHostile}, {"m", 2}, {"n", 3}};
  fields["error"] = {{"message", kHostile}, {"rule", kHostile}};
  fields["effects"] = json::array();
  for (const char* effect :
       {"key-created", "key-cloned", "copy-destroyed", "certificate-issued", "token-commissioned", "crl-issued"}) {
    json each = {{"effect", effect}};
    for (const char* name : {"key", "token", "source", "algorithm", "usage", "spki_sha256", "certificate", "crl",
                             "subject", "issuer", "serial", "way"})
      each[name] = kHostile;
    fields["effects"].push_back(std::move(each));
  }
  return fields;
}

std::size_t CountOf(const std::string& page, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = page.find(part); at != std::string::npos; at = page.find(part, at + 1)) ++count;
  return count;
}

ReportData HostileData(ScratchRecord& record) {
  const json fields = HostileFields();
  record.Add("open", fields);
  record.Add("attend", fields);
  json begin = fields, end = fields, failed = fields;
  begin["phase"] = "begin";
  end["phase"] = "end";
  failed["phase"] = "failed";
  record.Add("step", begin).Add("step", failed).Add("step", begin);
  record.Add("request", fields);
  json cosign = fields;
  cosign["request"] = 5;
  record.Add("cosign", cosign)
      .Add("observe", fields)
      .Add("artefact", fields)
      .Add("note", fields)
      .Add("deviation", fields)
      .Add("refusal", fields);
  record.Add("step", end).Add("depart", fields).Add("close", fields);
  return record.Read(json{
      {"format", "keyceremony-script/1"},
      {"title", kHostile},
      {"purpose", kHostile},
      {"sections", json::array({{{"id", kHostile},
                                 {"title", kHostile},
                                 {"say", kHostile},
                                 {"steps", json::array({{{"id", kHostile}, {"do", kHostile}, {"say", kHostile}}})}}})}}
                         .dump(-1, ' ', false));
}

}  // namespace

TEST_CASE("no string of a record becomes markup") {
  ScratchRecord record;
  const ReportData data = HostileData(record);
  const std::string page = CeremonyReport(data, {});
  // The tags of the page are those of a report without a hostile word, and no others.
  CHECK(CountOf(page, "<script") == 2);  // the words of fingerprints, and our program
  CHECK(CountOf(page, "</script>") == 2);
  CHECK(CountOf(page, "<style>") == 1);
  CHECK(CountOf(page, "</style>") == 1);
  CHECK(CountOf(page, "</title>") == 1);
  CHECK(CountOf(page, "<img") == 0);
  CHECK(CountOf(page, "\u202E") == 0);
  CHECK(CountOf(page, "\x01") == 0);
  CHECK(CountOf(page, "&lt;img src=x onerror=alert(2)&gt;") > 40);
}

TEST_CASE("a page asks nobody for anything, and lets no script in but its own") {
  ScratchRecord record;
  const std::string page = CeremonyReport(HostileData(record), {});
  CHECK(CountOf(page, "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-") == 1);
  CHECK(CountOf(page, "script-src 'sha256-") == 1);
  CHECK(CountOf(page, "unsafe-inline") == 0);
  for (const char* reference : {"http://", "https://", "src=", "@import", "url(", " style=\""}) {
    CHECK_MESSAGE(CountOf(page, reference) == (std::string(reference) == "src=" ? CountOf(page, "&lt;img src=") : 0),
                  reference);
  }
}

TEST_CASE("an incomplete record says so in the margin of every page, and so does a rehearsal") {
  ScratchRecord record;
  record.Add("open", {{"ceremony", "c"}});
  ReportData data = record.Read();
  data.verdict.verdict = ceremony::record::Verdict::kIncomplete;
  data.mode = "rehearsal";
  const std::string page = CeremonyReport(data, {});
  CHECK(CountOf(page, "@top-center { content: \"INCOMPLETE    REHEARSAL: these keys are worth nothing\"; }") == 1);
  CHECK(CountOf(page, "<div class=\"watermark\" aria-hidden=\"true\">INCOMPLETE</div>") == 1);
  data.verdict.verdict = ceremony::record::Verdict::kComplete;
  data.mode = "production";
  CHECK(CountOf(CeremonyReport(data, {}), "@top-center { content") == 0);
}

TEST_CASE("a log that would make the page too large stays outside it") {
  ScratchRecord record;
  record.Add("open", {{"ceremony", "c"}});
  const ReportData data = record.Read();
  const std::string small = CeremonyReport(data, {{"log.jsonl", "x"}});
  CHECK(CountOf(small, "data-path=\"log.jsonl\">eA==</script>") == 1);
  CHECK(CountOf(small, "too large for this page") == 0);
  const std::string large = CeremonyReport(data, {{"log.jsonl", std::string(6'000'000, 'x')}});
  CHECK(CountOf(large, "data-path=") == 0);
  CHECK(CountOf(large, "too large for this page") == 1);
  CHECK(large.size() < 200'000);
}

TEST_CASE("the lane of a key begins where the key was made or taken in") {
  ScratchRecord record;
  record.Add("open", json::object())
      .Add("step", {{"id", "a"},
                    {"phase", "end"},
                    {"effects", json::array({{{"effect", "transport-key-created"}, {"key", "t"}, {"token", "one"}},
                                             {{"effect", "key-imported"}, {"key", "i"}},
                                             {{"effect", "key-created"}, {"key", "k"}, {"token", "one"}}})}});
  const std::string made = CeremonyReport(record.Read(), {});
  CHECK(CountOf(made, ">from before<") == 0);
  CHECK(CountOf(made, "<dt>may leave its token</dt>") == 2);  // the imported key has none
  record.Add("step", {{"id", "b"},
                      {"phase", "end"},
                      {"effects", json::array({{{"effect", "key-sealed"}, {"key", "old"}, {"token", "one"}}})}});
  CHECK(CountOf(CeremonyReport(record.Read(), {}), ">from before<") == 1);
}

TEST_CASE("what was signed is compared with its profile under its own name") {
  ScratchRecord record;
  record.Add("open", json::object());
  json effects = json::array();
  const std::pair<const char*, const char*> things[] = {
      {"certificate", "certificate-issued"}, {"crl", "crl-issued"}, {"request", "request-created"}};
  for (const auto& [member, effect] : things) {
    record.Add("observe", {{"what", "profile-comparison"},
                           {member, "root"},
                           {"rows", json::array({{{"field", "version"}, {"equal", true}}})}});
    effects.push_back({{"effect", effect}, {member, "root"}});
  }
  record.Add("step", {{"id", "a"}, {"phase", "end"}, {"effects", effects}});
  const std::string page = CeremonyReport(record.Read(), {});
  CHECK(CountOf(page, "The record has no comparison with a profile.") == 0);
  for (const char* has : {">certificate has<", ">CRL has<", ">certificate request has<"})
    CHECK(CountOf(page, has) == 1);
}

TEST_CASE("one of a thing is told as one") {
  ScratchRecord record;
  record.Add("open", {{"previous", {{"origin", "before"}, {"size", 1}}}})
      .Add("request", {{"step", "s"}, {"quorum", {{"m", 1}, {"n", 1}}}})
      .Add("deviation", {{"what", "late"}})
      .Add("refusal", {{"rule", "R-1"}})
      .Line("{")
      .Line(std::string(64, 'a'))
      .Add("step", {{"id", "s"},
                    {"phase", "end"},
                    {"calls", {{"count", 1}}},
                    {"effects", json::array({{{"effect", "key-usage-stated"}, {"key", "k"}, {"count", 1}},
                                             {{"effect", "crl-issued"}, {"crl", "c"}}})}});
  const ReportData data = record.Read();
  const std::string page = CeremonyReport(data, {});
  for (const char* words : {"<b>1</b><span>approval asked for<", "<b>1</b><span>key<",
                            "<b>1</b><span>certificate or CRL<", "of 1 step done", "<b>1</b><span>deviation<",
                            "<b>1</b><span>refusal<", "before (1 entry)", "1 line of the log could not be read",
                            "1 entry is withheld, and stands in the log as the hash of its leaf", ": 1 use,"})
    CHECK_MESSAGE(CountOf(page, words) == 1, words);
  const std::string told = ceremony::report::Walk(data, {}, 200);
  CHECK(CountOf(told, ", 1 PKCS#11 call\n") == 1);
  CHECK(CountOf(told, "1 line of the log could not be read\n") == 1);
}

TEST_CASE("a clause that applies and is not answered is a gap") {
  ScratchRecord record;
  record.Add("open", json::object())
      .Add("step", {{"id", "g"},
                    {"do", "key.generate"},
                    {"phase", "end"},
                    {"effects", json::array({{{"effect", "key-created"}, {"key", "k"}, {"token", "t"}}})}});
  const std::string without = CeremonyReport(record.Read(), {});
  CHECK(without.find("its generation is witnessed by a qualified auditor, or filmed</td><td class=\"gap\">") !=
        std::string::npos);
  record.Add("attend", {{"person", "i"}, {"roles", {"auditor"}}});
  const std::string with = CeremonyReport(record.Read(), {});
  CHECK(with.find("its generation is witnessed by a qualified auditor, or filmed</td><td>auditor</td>") !=
        std::string::npos);
}
