// What is in the record at the moment when a step is cut off, and what is left to be done when it goes on.
#include "ceremony/steps/certificate_order.h"
#include "ceremony/steps/crl_order.h"
#include "ceremony/x509/crl.h"
#include "tests/unit/steps/step_bench.h"

namespace {

using namespace ceremony;  // NOLINT(google-build-using-namespace)
using step_bench::Bad;
using step_bench::Good;
using step_bench::json;
using step_bench::StepBench;
using Answers = std::vector<support::ScriptedTerminal::Answer>;
using Names = std::vector<std::string>;

constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1'000'000;

Names WhatsOf(const StepBench& bench) {
  Names whats;
  for (const json& entry : bench.entries) whats.push_back(entry.value("what", ""));
  return whats;
}

support::ScriptedTerminal Scripted(Answers answers) { return support::ScriptedTerminal(std::move(answers)); }

void Attend(StepBench& bench, const std::string& person, std::vector<std::string> roles) {
  quorum::Attendee attendee;
  attendee.person = person;
  attendee.name = person;
  attendee.roles = std::move(roles);
  bench.attendance().Arrive(attendee);
}

json Notify(const char* acknowledgement) {
  return {{"by", "security-officer"},    {"to", "the authority"},
          {"channel", "telephone"},      {"about", "an issuing CA is revoked"},
          {"message", "It is revoked."}, {"acknowledgement", acknowledgement}};
}

json Firmware() { return {{"token", StepBench::kToken}, {"by", "administrator"}, {"proof", "public-key"}}; }

// A bench whose root has a key and a certificate.
StepBench& WithRoot(StepBench& bench) {
  Good(bench.Run("key.generate"));
  Good(bench.Run("cert.self-sign"));
  bench.entries.clear();
  bench.approvals.clear();
  return bench;
}

}  // namespace

TEST_CASE("who consented to a grave act, and to which words, is in the record before it is done") {
  StepBench bench(true);
  Attend(bench, "oscar", {"administrator"});
  bench.MakeKey("root-oca", {1}, true);
  Good(bench.known().Apply(estate::KeyDeactivated{"root-oca", "ceased", "2026-06-01T00:00:00Z", "", 0, ""},
                           {"0001-a", 3, ""}));
  Good(bench.RunWith("key.destroy", {{"keys", {"root-oca"}}, {"tokens", {StepBench::kToken}}}));
  REQUIRE(WhatsOf(bench) == Names{"confirmation", "copy-destroying", "copy-destroyed"});
  bench.entries[0].erase("type");
  CHECK(bench.entries[0] == json{{"what", "confirmation"},
                                 {"statement",
                                  "If you type this, 2 objects of the key root-oca on token \"root-hsm\" (serial "
                                  "serial-1) will be destroyed. It cannot be undone."},
                                 {"typed", "destroy on root-hsm"},
                                 {"role", "administrator"},
                                 {"person", "oscar"}});
}

TEST_CASE("somebody who was told stays told when the answer comes another day") {
  StepBench bench(true);
  bench.people = Scripted({{"comms.notify/it/told", "told"}});
  CHECK_FALSE(bench.RunWith("comms.notify", Notify("required")).ok());
  REQUIRE(WhatsOf(bench) == Names{"notification"});
  CHECK(bench.entries[0]["told"] == base::FormatTime(bench.time.utc_micros));
  bench.Cut();
  bench.time.utc_micros += kDay;
  bench.people = Scripted({{"comms.notify/it/acknowledged", "Olive Officer"}});
  Good(bench.RunWith("comms.notify", Notify("required")));
  REQUIRE(WhatsOf(bench) == Names{"notification-acknowledged"});
  CHECK(bench.entries[0]["acknowledged_by"] == "Olive Officer");
  CHECK(bench.entries[0]["acknowledged"] == base::FormatTime(bench.time.utc_micros));
  bench.Cut();
  bench.people = Scripted({});
  Good(bench.RunWith("comms.notify", Notify("required")));
  CHECK(bench.entries.empty());

  StepBench letter(true);
  Good(letter.RunWith("comms.notify", Notify("not-needed")));
  CHECK(WhatsOf(letter) == Names{"notification"});
}

TEST_CASE("what a token was before its upgrade is looked at once, and held against the estate") {
  StepBench bench(true);
  bench.people = Scripted({});
  CHECK_FALSE(bench.RunWith("firmware.record", Firmware()).ok());
  REQUIRE(WhatsOf(bench) == Names{"firmware"});
  CHECK(bench.entries[0]["when"] == "before");
  bench.Cut();
  bench.people = support::ScriptedTerminal();
  bench.slot().firmware = {2, 0};
  Good(bench.RunWith("firmware.record", Firmware()));
  CHECK(WhatsOf(bench) == Names{"confirmation", "firmware", "firmware-decision"});
  CHECK(bench.entries[1]["when"] == "after");
  CHECK(bench.achieved.back()["before"] == "1.7");
  CHECK(bench.achieved.back()["after"] == "2.0");

  // Another token, or one that somebody has upgraded before, is no "before", however often it is tried.
  StepBench other(true);
  other.slot().firmware = {2, 0};
  for (int attempt = 0; attempt < 2; ++attempt) {
    CHECK(Bad(other.RunWith("firmware.record", Firmware())).rule == "TOKEN-FIRMWARE-01");
    CHECK(WhatsOf(other) == Names{"token-findings"});
    other.Cut();
  }
}

TEST_CASE("a token that the security officer does not take back stops the ceremony, and nothing more is promised") {
  StepBench bench(true);
  bench.people = Scripted({{"firmware.record/it", "UPGRADED"},
                           {"firmware.record/it/version", "1.7"},
                           {"firmware.record/it/decision", "the ceremony stops here until this is understood"}});
  const base::Error error = Bad(bench.RunWith("firmware.record", Firmware()));
  CHECK(error.rule == "TOKEN-FIRMWARE-03");
  CHECK(error.hint ==
        "try the step again when it is understood; until it has ended, or the ceremony is called off, no other one "
        "begins in this archive");
  CHECK(bench.entries.back()["what"] == "firmware-decision");
  CHECK(bench.achieved.empty());
}

TEST_CASE("a list that has waited too long for its approval is made anew, one that has not is taken over") {
  StepBench bench(true, "smki-organisation");
  WithRoot(bench);
  bench.declines = true;
  CHECK(Bad(bench.Run("crl.issue")).code == base::ErrorCode::kNoQuorum);
  const base::Bytes first = bench.artefacts.at("crls/oca-arl-1.tbs.der");
  bench.Cut();
  bench.time.utc_micros += 30 * kDay;  // of a year
  CHECK(Bad(bench.Run("crl.issue")).code == base::ErrorCode::kNoQuorum);
  CHECK(bench.approvals.back().subject["tbs_sha256"] == base::Sha256Hex(first));
  CHECK_FALSE(bench.artefacts.contains("crls/oca-arl-1.tbs-2.der"));
  bench.Cut();
  bench.time.utc_micros += 400 * kDay;
  bench.declines = false;
  Good(bench.Run("crl.issue"));
  const base::Bytes second = bench.artefacts.at("crls/oca-arl-1.tbs-2.der");
  CHECK(bench.artefacts.at("crls/oca-arl-1.tbs.der") == first);
  CHECK(bench.approvals.back().subject["tbs_sha256"] == base::Sha256Hex(second));
  const json& issued = bench.achieved.back();
  CHECK(issued["this_update"] == base::FormatTime(bench.time.utc_micros).substr(0, 19) + "Z");
  CHECK(issued["next_update"] > issued["this_update"]);
  CHECK(bench.people.transcript().find("waited") != std::string::npos);
}

TEST_CASE("a certificate that has waited too long for its approval is made anew, under another serial number") {
  StepBench bench(true);
  Good(bench.Run("key.generate"));
  bench.declines = true;
  CHECK(Bad(bench.Run("cert.self-sign")).code == base::ErrorCode::kNoQuorum);
  const base::Bytes first = bench.artefacts.at("certificates/root-oca.tbs.der");
  bench.Cut();
  bench.declines = false;
  bench.time.utc_micros += 20 * 366 * kDay;  // of fifty years
  Good(bench.Run("cert.self-sign"));
  const base::Bytes second = bench.artefacts.at("certificates/root-oca.tbs-2.der");
  CHECK(second != first);
  CHECK(bench.approvals.back().subject["tbs_sha256"] == base::Sha256Hex(second));
  CHECK(bench.achieved.back()["not_before"] == base::FormatTime(bench.time.utc_micros).substr(0, 19) + "Z");
}

TEST_CASE("figures that cannot be are asked again before anybody approves them [KEY-USE-01] [EST-USE-01]") {
  const json fields = {{"key", "root-oca"}, {"reason", "ceased"}};
  StepBench bench(true);
  bench.MakeKey("root-oca", {1}, true);
  const auto figures = [](const char* first, const char* last) {
    return Answers{{"key.deactivate/count", "7"}, {"key.deactivate/first", first}, {"key.deactivate/last", last}};
  };
  Answers answers = figures("2026-99-99T99:99:99Z", "2026-03-01T00:00:00Z");
  for (const Answers& more : {figures("2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z"),
                              figures("2026-03-01T00:00:00Z", "2099-03-01T00:00:00Z"),
                              figures("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")})
    answers.insert(answers.end(), more.begin(), more.end());
  bench.people = Scripted(answers);
  bench.people.SetHasPeople(true);
  Good(bench.RunWith("key.deactivate", fields));
  CHECK(bench.people.AllAsked());
  CHECK(bench.people.transcript().find("Please say the figures again.") != std::string::npos);
  REQUIRE(bench.approvals.size() == 1);
  CHECK(bench.approvals[0].subject["last_use"] == "2026-03-02T00:00:00Z");
  CHECK(WhatsOf(bench) == Names{"key-deactivated"});

  // What the estate does not take in is neither approved nor entered.
  StepBench fewer(true);
  fewer.MakeKey("root-oca", {1}, true);
  Good(
      fewer.known().Apply(estate::KeyUsageStated{"root-oca", 9, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "", ""},
                          {"0001-a", 3, ""}));
  fewer.people = Scripted(figures("2026-01-01T00:00:00Z", "2026-03-02T00:00:00Z"));
  CHECK(Bad(fewer.RunWith("key.deactivate", fields)).rule == "EST-USE-01");
  CHECK(fewer.approvals.empty());
  CHECK(fewer.entries.empty());
}

TEST_CASE("a signature and its entry come in that order, and neither is left out by a cut between them") {
  StepBench bench(true);
  bench.MakeKey("recovery", {1}, true);
  const auto file = [](const std::string& name, const std::string& text) {
    script::LoadedFile loaded;
    loaded.name = name;
    loaded.bytes = text;
    loaded.sha256 = base::Sha256Hex(text);
    return loaded;
  };
  bench.wanted().documents["command.bin"] = file("command.bin", "recover meter 1\n");
  bench.wanted().documents["dummy.bin"] = file("dummy.bin", "recover nothing\n");
  const json fields = {{"token", StepBench::kToken}, {"key", "recovery"},    {"file", "command.bin"},
                       {"name", "command.bin"},      {"dummy", "dummy.bin"}, {"recipient", "the test desk"}};
  Good(bench.RunWith("payload.sign", fields));
  const Names all = {"payload-signed", "dry-submission", "payload-signed"};
  REQUIRE(WhatsOf(bench) == all);
  const std::vector<json> entries = bench.entries;
  // Cut off before each of the entries, with every file there that is written before it.
  for (std::size_t done = 0; done <= all.size(); ++done) {
    CAPTURE(done);
    bench.entries.assign(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(done));
    bench.done_before = {};
    bench.Cut();
    if (done < 2)
      std::erase_if(bench.done_before.artefacts, [](const auto& a) { return a.name == "payloads/command.bin.sig"; });
    Good(bench.RunWith("payload.sign", fields));
    CHECK(WhatsOf(bench) == Names(all.begin() + static_cast<std::ptrdiff_t>(done), all.end()));
    CHECK(bench.entries.size() + done == all.size());
    for (const json& entry : bench.entries) {
      if (entry["what"] != "payload-signed") continue;
      const std::string signature = entry["payload"].get<std::string>() + ".sig";
      CHECK(entry["signature_sha256"] == base::Sha256Hex(bench.artefacts.at(signature)));
    }
  }
}

TEST_CASE("who holds two of the roles that may leave is asked once") {
  StepBench bench(true);
  Attend(bench, "wendy", {"witness", "auditor"});
  bench.people = Scripted({{"room.depart/wendy", "stays"}});
  Good(bench.RunWith("room.depart", {{"roles", {"witness", "auditor"}}}));
  CHECK(bench.entries.empty());
}
