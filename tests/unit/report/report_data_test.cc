#include "ceremony/report/report_data.h"

#include <doctest/doctest.h>

#include "ceremony/report/ceremony_report.h"
#include "ceremony/report/json_text.h"
#include "tests/unit/report/scratch_record.h"

using ceremony::report::MicrosOf;
using ceremony::report::ReadReportData;
using ceremony::report::ReportData;
using nlohmann::json;

TEST_CASE("a time of an entry is microseconds since 1970") {
  CHECK(MicrosOf("1970-01-01T00:00:00.000001Z") == 1);
  CHECK(MicrosOf("2026-11-21T05:17:45.000000Z") == 1795238265000000);  // date -ud 2026-11-21T05:17:45Z +%s
  CHECK(MicrosOf("2024-02-29T23:59:59.500000Z") == 1709251199500000);  // date -ud 2024-02-29T23:59:59Z +%s
  CHECK(MicrosOf("tomorrow") == 0);
}

TEST_CASE("the record of the documents is told as it is") {
  Scratch scratch;
  scratch.CopyVectors(kRootRecord, "record");
  const auto trust = ceremony::record::Trust::ReadRoster(kRosterFile);
  REQUIRE(trust.ok());
  const auto data = ReadReportData(scratch.path("record"), {&*trust, "2026-11-28T00:00:00.000000Z"});
  REQUIRE(data.ok());
  CHECK(data->verdict.verdict == ceremony::record::Verdict::kComplete);
  CHECK(data->entries == 22);
  CHECK(data->closed);
  CHECK(data->estate == "smki.example");
  REQUIRE(data->approvals.size() == 2);
  CHECK(data->approvals[1].step == "root-key");
  CHECK(data->approvals[1].m == 3);
  REQUIRE(data->approvals[1].Met());
  CHECK(data->approvals[1].Met()->entry == 14);
  REQUIRE(data->steps.size() == 2);
  CHECK(data->steps[1].Outcome() == "ended");
  CHECK(data->ended.micros - data->began.micros == 21'000'000);
}

TEST_CASE("an approval is met by people, not by signatures") {
  ScratchRecord record;
  record.Add("open", {{"ceremony", "c"}})
      .Add("request", {{"step", "s"}, {"quorum", {{"name", "q"}, {"m", 2}, {"n", 3}}}, {"statement", "do it"}})
      .Add("cosign", {{"person", "alice"}, {"request", 1}})
      .Add("cosign", {{"person", "alice"}, {"request", 1}});
  CHECK_FALSE(record.Read().approvals[0].Met());
  record.Add("cosign", {{"person", "bob"}, {"request", 1}});
  const ReportData data = record.Read();
  REQUIRE(data.approvals[0].Met());
  CHECK(data.approvals[0].Met()->entry == 4);
  CHECK(data.approvals[0].People() == 2);
}

TEST_CASE("a person who comes and goes has a stay for each") {
  ScratchRecord record;
  record.Add("open", json::object())
      .Add("attend", {{"person", "bob"}, {"name", "Bob"}, {"roles", {"custodian"}}, {"presence", "in-person"}})
      .Add("depart", {{"person", "bob"}, {"reason", "train"}})
      .Add("attend", {{"person", "bob"}, {"presence", "remote"}});
  const ReportData data = record.Read();
  REQUIRE(data.people.size() == 1);
  REQUIRE(data.people[0].stays.size() == 2);
  CHECK(data.people[0].stays[0].until.entry == 2);
  CHECK(data.people[0].stays[0].reason == "train");
  CHECK(data.people[0].stays[1].presence == "remote");
  CHECK_FALSE(data.people[0].stays[1].until.known());
}

TEST_CASE("a step has its attempts, and what was planned and never begun is there") {
  ScratchRecord record;
  record.Add("open", json::object())
      .Add("step", {{"id", "a"}, {"do", "x.y"}, {"phase", "begin"}})
      .Add("step", {{"id", "a"}, {"do", "x.y"}, {"phase", "failed"}, {"error", {{"message", "no"}, {"rule", "R-1"}}}})
      .Add("step", {{"id", "a"}, {"do", "x.y"}, {"phase", "begin"}});
  const ReportData data = record.Read(
      R"({"format":"keyceremony-script/1","sections":[{"id":"s","title":"S","steps":[{"id":"a","do":"x.y"},{"id":"b","do":"x.z"}]}]})");
  REQUIRE(data.steps.size() == 2);
  REQUIRE(data.steps[0].attempts.size() == 2);
  CHECK(data.steps[0].attempts[0].rule == "R-1");
  CHECK(data.steps[0].Outcome() == "open");
  CHECK(data.steps[1].Outcome() == "not reached");
  CHECK(data.verdict.verdict != ceremony::record::Verdict::kComplete);
}

TEST_CASE("the script is what `open` names, else the input that is a script, and not a text that quotes its format") {
  const auto script = [](const char* title) {
    return json({{"format", "keyceremony-script/1"}, {"title", title}}).dump();
  };
  ScratchRecord unnamed;
  unnamed.Add("open", json::object());
  unnamed.Write("inputs/a.json", R"({"title":"a letter","about":"keyceremony-script/1"})");
  const ReportData found = unnamed.Read(script("the script"));
  CHECK(found.title == "the script");
  CHECK(found.script_name == "script.json");

  ScratchRecord named;
  named.Add("open", {{"script", "script.json"}});
  named.Write("inputs/a.json", script("another script"));
  CHECK(named.Read(script("the script")).title == "the script");

  ScratchRecord withheld;
  withheld.Add("open", {{"script", "b.json"}});
  CHECK(withheld.Read(script("another script")).title == "");
}

TEST_CASE("what is seen and typed stays with its attempt, and a consent with who gave it") {
  ScratchRecord record;
  const json begin = {{"id", "a"}, {"do", "x.y"}, {"phase", "begin"}};
  const auto consent = [](const char* word) {
    return json{{"what", "confirmation"}, {"step", "a"}, {"person", "wendy"}, {"typed", word}, {"statement", "S."}};
  };
  record.Add("open", json::object())
      .Add("step", begin)
      .Add("observe", {{"what", "copy-seen"}, {"step", "a"}, {"token", "one"}})
      .Add("observe", consent("destroy on two"))
      .Add("step", {{"id", "a"}, {"phase", "failed"}})
      .Add("step", begin)
      .Add("observe", consent("again"))
      .Add("artefact", {{"name", "f"}, {"step", "a"}});
  const ReportData data = record.Read();
  const ceremony::report::StepStory& step = data.steps.at(0);
  REQUIRE(step.observed.size() == 3);
  CHECK(step.observed[0].what == "copy seen");
  CHECK(step.observed[0].facts == std::vector<ceremony::report::NameValue>{{"token", "one"}});
  CHECK(step.observed[1].person == "wendy");
  CHECK(step.observed[1].facts == std::vector<ceremony::report::NameValue>{{"typed", "destroy on two"}, {"to", "S."}});
  CHECK(step.Belongs(step.observed[1].entry, 0));
  CHECK_FALSE(step.Belongs(step.observed[1].entry, 1));
  CHECK(step.Belongs(step.observed[2].entry, 1));
  CHECK_FALSE(step.Belongs(step.observed[2].entry, 0));
  CHECK(step.Belongs(step.artefacts.at(0).second, 1));
}

TEST_CASE("a remark says once what it says, in words") {
  ScratchRecord record;
  record.Add("open", json::object())
      .Add("note", {{"what", "apology"},
                    {"person", "carol"},
                    {"name", "Carol"},
                    {"reason", "ill"},
                    {"text", "Carol will not come: ill"},
                    {"deputy", "bob"}})
      .Add("note",
           {{"what", "the people present decided to go on"}, {"decided_by", "the administrator"}, {"after", "s"}})
      .Add("recover", {{"entries", 15}, {"missing_count", 0}, {"torn", nullptr}})
      .Add("recover",
           {{"entries", 1}, {"missing_count", 2}, {"missing", {"a", "b"}}, {"torn", {{"size", 7}, {"sha256", "x"}}}})
      .Add("deviation", {{"what", "told before the close"}, {"text", "a guard came in"}})
      .Add("request", {{"step", "s"}, {"quorum", {{"name", "q"}, {"m", 2}, {"n", 3}}}})
      .Add("note", {{"what", "approval-postponed"},
                    {"message", "Bob asked to wait: tired"},
                    {"reason", "tired"},
                    {"rule", "QUORUM-POSTPONED-01"},
                    {"person", "bob"},
                    {"request", 6}});
  const ReportData data = record.Read();
  std::vector<std::string> said;
  for (const ceremony::report::Remark& remark : data.remarks) said.push_back(remark.text);
  CHECK(said ==
        std::vector<std::string>{"Carol will not come: ill; deputy bob",
                                 "the people present decided to go on; after s; decided by the administrator",
                                 "gone on with after 15 entries",
                                 "gone on with after 1 entry; 7 bytes of a torn line set aside; 2 files missing: a, b",
                                 "a guard came in; told before the close", "Bob asked to wait: tired"});
  CHECK(data.remarks[2].Name() == "resumed");
  CHECK(data.approvals.at(0).ended_person == "bob");
}

TEST_CASE("the roster says who somebody is that never came, and who else is missing") {
  ScratchRecord record;
  record.Add("open", json::object())
      .Add("attend", {{"person", "alice"}, {"name", "Alice"}, {"presence", "in-person"}})
      .Add("attend", {{"person", "alice"}, {"presence", "in-person"}, {"from", "09:00"}, {"until", "12:00"}})
      .Add("note", {{"what", "apology"}, {"person", "carol"}, {"name", "Carol"}, {"reason", "ill"}});
  const auto person = [](const char* id, const char* name, const char* state) {
    return json{{"id", id}, {"name", name}, {"employer", "E"}, {"roles", {"custodian"}}, {"state", state}};
  };
  record.Write("inputs/roster.json",
               json{{"people", json::array({person("carol", "Carol", "active"), person("alice", "Alice", "active"),
                                            person("dave", "Dave", "active"), person("old", "Old", "retired")})}}
                   .dump());
  const ReportData data = record.Read();
  CHECK(data.absent == std::vector<std::string>{"Dave"});
  REQUIRE(data.people.size() == 2);
  REQUIRE(data.people[0].stays.size() == 1);  // who stays comes once
  CHECK(data.people[0].stays[0].hours == "09:00-12:00");
  CHECK(data.people[1].apology == "ill");
  CHECK(data.people[1].employer == "E");
  CHECK(data.people[1].roles == std::vector<std::string>{"custodian"});

  ScratchRecord begun;
  begun.Add("open", json::object());
  begun.Write("inputs/roster.json", json{{"people", json::array({person("dave", "Dave", "active")})}}.dump());
  CHECK(begun.Read().absent.empty());  // nobody was taken down yet
}

TEST_CASE("a step that is not reached has the title of its kind") {
  ScratchRecord record;
  record.Add("open", json::object());
  const ReportData data = record.Read(
      R"({"format":"keyceremony-script/1","id":"c-1","title":"T","estate":"e.example","classification":"green",)"
      R"("purpose":"To see.","policy":"p.policy.json","tokens":{},"profiles":{},"sections":[{"id":"s-1","title":"S",)"
      R"("steps":[{"id":"a-1","do":"room.attend","people":{"witness":1}}]}]})");
  REQUIRE(data.steps.size() == 1);
  CHECK(data.steps[0].title == "Take down who is in the room");
}

TEST_CASE("times are told without microseconds") {
  using ceremony::report::TimeInWords;
  CHECK(TimeInWords("2026-11-29T22:52:55.807557Z") == "2026-11-29 22:52:55 UTC");
  CHECK(TimeInWords("2076-11-29T22:52:55Z") == "2076-11-29 22:52:55 UTC");
  CHECK(TimeInWords("2026-11-29") == "2026-11-29");
  CHECK(TimeInWords("2026-11-29T22:52:xx.807557Z") == "2026-11-29T22:52:xx.807557Z");
  CHECK(TimeInWords("") == "");
}

TEST_CASE("a key is followed from its making over its clone to the end of a copy") {
  ScratchRecord record;
  record.Add("open", json::object())
      .Add("step", {{"id", "a"},
                    {"do", "key.generate"},
                    {"phase", "end"},
                    {"effects",
                     json::array({{{"effect", "key-created"}, {"key", "k"}, {"token", "one"}, {"algorithm", "ec-p256"}},
                                  {{"effect", "key-cloned"}, {"key", "k"}, {"source", "one"}, {"token", "two"}},
                                  {{"effect", "copy-destroyed"}, {"key", "k"}, {"token", "one"}},
                                  {{"effect", "of-a-later-version"}, {"key", "old"}, {"reason", "r"}}})}});
  const ReportData data = record.Read();
  REQUIRE(data.keys.size() == 2);
  CHECK(data.keys[0].Tokens() == std::vector<std::string>{"one", "two"});
  CHECK(data.keys[0].events.size() == 3);
  CHECK_FALSE(data.keys[0].here_before);
  CHECK(data.keys[1].here_before);
}

TEST_CASE("a key that was made or taken in here is not from before") {
  ScratchRecord record;
  record.Add("open", json::object())
      .Add("done", {{"attributes", {{"private.CKA_ID", "0a"}, {"private.CKA_UNWRAP", "true"}}}})
      .Add("step",
           {{"id", "a"},
            {"phase", "end"},
            {"effects",
             json::array({{{"effect", "transport-key-created"}, {"key", "t"}, {"token", "one"}, {"object_id", "0a"}},
                          {{"effect", "key-imported"}, {"key", "i"}, {"algorithm", "ec-p256"}, {"subject", "CN=Meter"}},
                          {{"effect", "key-sealed"}, {"key", "old"}, {"token", "one"}}})}});
  const ReportData data = record.Read();
  REQUIRE(data.keys.size() == 3);
  CHECK_FALSE(data.keys[0].here_before);
  CHECK(data.keys[0].attributes.size() == 2);
  CHECK_FALSE(data.keys[1].here_before);
  CHECK(data.keys[1].events[0].detail == "ec-p256, of CN=Meter");
  CHECK(data.keys[2].here_before);
}

TEST_CASE("a certificate, a CRL and a request of one name have each their own comparison") {
  ScratchRecord record;
  record.Add("open", json::object());
  for (const char* kind : {"certificate", "crl", "request"}) {
    record.Add("observe", {{"what", "profile-comparison"},
                           {kind, "root"},
                           {"clause", std::string("of a ") + kind},
                           {"rows", json::array({{{"field", "version"}, {"profile", "1"}, {"certificate", "2"}}})}});
  }
  record.Add("step", {{"id", "a"},
                      {"phase", "end"},
                      {"effects", json::array({{{"effect", "request-created"}, {"request", "root"}},
                                               {{"effect", "certificate-issued"}, {"certificate", "root"}},
                                               {{"effect", "crl-issued"}, {"crl", "root"}, {"number", 7}},
                                               {{"effect", "crl-issued"}, {"crl", "other"}}})}});
  const ReportData data = record.Read();
  REQUIRE(data.issued.size() == 4);
  CHECK(data.issued[0].clause == "of a request");
  CHECK(data.issued[1].clause == "of a certificate");
  CHECK(data.issued[2].clause == "of a crl");
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(data.issued[i].rows.size() == 1);
    CHECK(data.issued[i].rows[0].found == "2");
  }
  CHECK(data.issued[3].rows.empty());
}

TEST_CASE("lines that are no entries are counted, withheld ones apart") {
  ScratchRecord record;
  record.Add("open", json::object()).Line("{\"a\":").Line(std::string(64, 'a')).Line("[1]");
  const ReportData data = record.Read();
  CHECK(data.entries == 4);
  CHECK(data.unreadable == 2);
  CHECK(data.withheld == 1);
}

TEST_CASE("a log that goes on with a line that is too long is told up to there, and says so") {
  ScratchRecord record;
  record.Add("open", json::object());
  CHECK_FALSE(record.Read().cut_short);
  record.Line(std::string(70'000, 'x')).Add("note", json::object());
  const ReportData data = record.Read();
  CHECK(data.entries == 1);
  CHECK(data.cut_short);
  CHECK(ceremony::report::CeremonyReport(data, {}).find(
            "The log goes on with a line that is longer than an entry may be.") != std::string::npos);
}

TEST_CASE("a line that nests deeper than an entry may is counted and not read") {
  const auto nested = [](int levels, const std::string& core) {
    std::string line = "{\"type\":\"observe\",\"what\":\"facts\",\"step\":\"s\",\"facts\":{\"bag\":";
    for (int i = 2; i < levels; ++i) line += '[';
    line += core;
    for (int i = 2; i < levels; ++i) line += ']';
    return line + "}}";
  };
  ScratchRecord record;
  record.Add("open", json::object())
      .Line(nested(16, "\"[[[[[[[[[[[[[[[[[\""))  // in a text they are none
      .Line(nested(17, "\"deep\""))
      .Line(nested(32'000, "1"))
      .Line(nested(32'000, "{\"_sd\":\"" + std::string(43, 'Q') + "\"}"));
  const ReportData data = record.Read();
  CHECK(data.entries == 5);
  CHECK(data.unreadable == 3);
  REQUIRE(data.steps.size() == 1);
  CHECK(data.steps[0].observed.at(0).facts == std::vector<ceremony::report::NameValue>{{"bag", "[[[[[[[[[[[[[[[[["}});
}

TEST_CASE("members of other types than they should be do no harm") {
  ScratchRecord record;
  for (const char* type : {"open", "attend", "depart", "step", "request", "cosign", "intent", "done", "observe",
                           "artefact", "note", "deviation", "refusal", "checkpoint", "recover", "close"}) {
    record.Add(type, {{"person", 1},
                      {"roles", "x"},
                      {"inputs", json::array()},
                      {"effects", json::object()},
                      {"error", 7},
                      {"what", json::array()},
                      {"quorum", "q"},
                      {"request", "x"},
                      {"attributes", 1},
                      {"tokens", 5},
                      {"modules", json::object()},
                      {"open_items", 1},
                      {"shares", 1},
                      {"rows", 1},
                      {"phase", json::object()},
                      {"calls", json::array()},
                      {"id", json::object()}});
    record.Add(type,
               {{"effects", json::array({1, "x", json::array(), json::object()})}, {"phase", "end"}, {"request", -1}});
  }
  CHECK(record.Read().entries == 32);
}

TEST_CASE("a salted field stands as such in its place, and with its digest in the table") {
  const std::string digest(43, 'Q');
  ScratchRecord record;
  record.Add("open", json::object())
      .Add("attend", {{"person", "bob"}, {"name", "Bob"}, {"employer", {{"_sd", digest}}}})
      .Add("observe", {{"what", "facts"}, {"step", "s"}, {"facts", {{"bag", {{"_sd", digest}}}, {"tray", "7"}}}});
  const ReportData data = record.Read();
  CHECK(data.people[0].employer == "withheld (salted QQQQQQQQ\u2026)");
  REQUIRE(data.salted.size() == 2);
  CHECK(data.salted[0].entry == 1);
  CHECK(data.salted[0].name == "employer");
  CHECK(data.salted[1].name == "bag");
  CHECK(data.salted[1].digest == digest);
  CHECK_FALSE(data.salted[1].opened);
  CHECK(data.steps[0].observed.at(0).facts ==
        std::vector<ceremony::report::NameValue>{{"bag", "withheld (salted QQQQQQQQ\u2026)"}, {"tray", "7"}});
}

TEST_CASE("a bundle's report has every row of its ledger") {
  Scratch scratch;
  scratch.CopyVectors("../bundle", "bundle");
  const auto data = ReadReportData(scratch.path("bundle"), {nullptr, ""});
  REQUIRE(data.ok());
  CHECK(data->verdict.label == "green");
  CHECK(data->ledger.entries == 2);
  CHECK(data->ledger.files == 1);
  CHECK(data->ledger.annex.empty());
  CHECK(data->ledger.reasons.at("PD") == "personal data");
  REQUIRE(data->ledger.rows.size() == 3);
  CHECK(data->ledger.rows[0].file == "inputs/roster.json");
  CHECK(data->ledger.rows[0].reason == "SEC");
  CHECK(data->ledger.rows[1].type == "attend");
  CHECK(data->ledger.rows[1].first == 2);
  CHECK(data->ledger.rows[2].label == "amber");
  CHECK_FALSE(data->ledger.cut_short);
}

TEST_CASE("rows of a ledger that follow each other and are alike are one, and a broken row ends it") {
  ScratchRecord record;
  record.Add("open", json::object());
  for (int i = 0; i < 5; ++i) record.Line(std::string(64, 'a'));
  const std::string head =
      R"({"annex":null,"format":"keyceremony-withheld/1","label":"green","origin":"o","reasons":{"PD":"personal data"}})";
  const auto row = [](int entry, const char* type) {
    return fmt::format(R"({{"entry":{},"label":"amber","reason":"PD","type":"{}"}})", entry, type) + "\n";
  };
  record.Write("withheld.jsonl", head + "\n" + row(1, "note") + row(2, "note") + row(3, "attend") + row(5, "attend") +
                                     "{\n" + row(6, "note"));
  const ReportData data = record.Read();
  CHECK(data.withheld == 5);
  CHECK(data.ledger.entries == 4);
  REQUIRE(data.ledger.rows.size() == 3);
  CHECK(data.ledger.rows[0].first == 1);
  CHECK(data.ledger.rows[0].last == 2);
  CHECK(data.ledger.rows[2].first == 5);
  CHECK(data.ledger.cut_short);
}
