// What `check` says of steps that clone, seal, end and destroy keys.
#include "ceremony/steps/copy_arrival.h"
#include "ceremony/steps/key_use.h"
#include "tests/unit/steps/plan_fixture.h"
#include "tests/unit/steps/step_bench.h"

namespace {

using namespace ceremony;  // NOLINT(google-build-using-namespace)
using plan_fixture::Files;
using plan_fixture::FindingsOf;
using Lines = std::vector<std::string>;

const estate::Provenance kMade{"0001-root", 12, "2026-01-01T00:00:00.000000Z"};

// Tokens a and b of one domain, c of another, all in service; key "root" on a.
estate::Estate WithKey(bool extractable = true) {
  estate::Estate estate;
  for (const auto& [name, domain] :
       {std::pair("a", "organisation"), std::pair("b", "organisation"), std::pair("c", "device")}) {
    REQUIRE(
        estate
            .Apply(estate::TokenCommissioned{name, name, std::string("S") + name, "M", "M", "1", "live", domain}, kMade)
            .ok());
  }
  REQUIRE(estate.Apply(estate::KeyCreated{"root", "ec-p256", "sign", "aa", "a", "Sa", "0a", extractable}, kMade).ok());
  return estate;
}

// Desk is what a step looks at before the record is opened, on a day; its tokens are far away.
class Desk final : public steps::PreflightContext {
 public:
  Desk(const Files& files, estate::Estate estate, std::int64_t utc_micros)
      : inputs_(plan_fixture::InputsOf(files)), estate_(std::move(estate)) {
    clock_.utc_micros = utc_micros;
  }
  const script::Inputs& inputs() const override { return inputs_; }
  const estate::Estate& estate() const override { return estate_; }
  room::Terminal& terminal() override { return terminal_; }
  base::Clock& clock() override { return clock_; }
  base::Result<std::shared_ptr<hsm::Token>> FindToken(const std::string&) override {
    return std::shared_ptr<hsm::Token>();
  }
  base::Result<steps::BlankToken> FindBlankToken(const std::string&) override {
    return base::MakeError(base::ErrorCode::kNotFound, "no token is here");
  }

  // The rule by which the script's second step is refused; empty when it is not.
  std::string Refused() {
    const script::Step& step = inputs_.script.sections.at(0).steps.at(1);
    const auto looked = steps::Catalogue().Find(step.kind)->Preflight(step, *this);
    return looked.ok() ? std::string() : looked.error().rule + ": " + looked.error().message;
  }

 private:
  script::Inputs inputs_;
  estate::Estate estate_;
  support::ScriptedTerminal terminal_;
  step_bench::FixedClock clock_;
};

// A script of one step after the roll call.
Files With(nlohmann::json step) {
  Files files;
  files.with_binding = false;
  files.script["tokens"] = {{"a", {{"role", "live"}, {"domain", "organisation"}}},
                            {"b", {{"role", "backup"}, {"domain", "organisation"}}},
                            {"c", {{"role", "live"}, {"domain", "device"}}}};
  step["id"] = "it";
  files.steps()[1] = std::move(step);
  nlohmann::json used = nlohmann::json::object();
  const std::string text = files.steps()[1].dump();
  for (const auto& [name, token] : files.script["tokens"].items()) {
    if (text.find('"' + name + '"') != std::string::npos) used[name] = token;
  }
  files.script["tokens"] = used;
  return files;
}

nlohmann::json Clone(const char* source, const char* target) {
  return {{"do", "key.clone"}, {"key", "root"}, {"source", source}, {"targets", {target}}, {"quorum", "custodians"}};
}
nlohmann::json Destroy(std::vector<std::string> tokens) {
  return {{"do", "key.destroy"}, {"keys", {"root"}}, {"tokens", tokens}, {"quorum", "custodians"}};
}

estate::Estate Ended(estate::Estate estate, const std::string& hold_until) {
  REQUIRE(
      estate.Apply(estate::KeyDeactivated{"root", "ceased", "2026-06-01T00:00:00Z", "", 0, hold_until}, kMade).ok());
  return estate;
}

}  // namespace

TEST_CASE("a key whose algorithm a newer program wrote is not copied") {
  steps::Arrival arrival;
  arrival.key.name = "root";
  arrival.key.algorithm = "ml-dsa-87";
  const auto refused = steps::SpecOf(arrival);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().rule == "KEY-ALGORITHM-01");
  CHECK(refused.error().message ==
        "key root is \"ml-dsa-87\" in the archive, an algorithm that this program does not know");
  arrival.key.algorithm = "ec-p384";
  CHECK(steps::SpecOf(arrival).ok());
}

TEST_CASE("a clone is planned where it is possible, and refused at the desk where it is not") {
  CHECK(FindingsOf(With(Clone("a", "b")), WithKey()) == Lines{});
  CHECK(FindingsOf(With(Clone("a", "b")), WithKey(false)) ==
        Lines{"EST-COPY-02 breach it: the copy of key root on token a is sealed: nothing leaves it"});
  const Lines other = FindingsOf(With(Clone("a", "c")), WithKey());
  REQUIRE_FALSE(other.empty());
  CHECK(other.back() == "EST-COPY-05 breach it: key root belongs to the domain organisation, token c to device");
  CHECK(FindingsOf(With(Clone("b", "a")), WithKey()) ==
        Lines{"EST-COPY-01 breach it: key root has a copy on token a since ceremony 0001-root (entry 12)"});
  nlohmann::json vendor = Clone("a", "b");
  vendor["method"] = "vendor";
  CHECK(FindingsOf(With(vendor), WithKey(false)) ==
        Lines{"PLAN-CLONE-01 breach it: a copy by the vendor's own way names no procedure"});
  CHECK(FindingsOf(With(Clone("a", "b")), {}).size() == 3);  // both tokens and the key are unknown
}

TEST_CASE("a seal that leaves a copy open is refused") {
  estate::Estate estate = WithKey();
  REQUIRE(
      estate.Apply(estate::KeyCloned{"root", "aa", "a", "b", "Sb", "0a", "ecdh-p256", "statement", true}, kMade).ok());
  const nlohmann::json one = {{"do", "key.seal"}, {"key", "root"}, {"tokens", {"a"}}, {"quorum", "custodians"}};
  CHECK(FindingsOf(With(one), estate) ==
        Lines{"PLAN-SEAL-01 breach it: the copy of key root on token b may be cloned, and stays so"});
  nlohmann::json both = one;
  both["tokens"] = {"a", "b"};
  CHECK(FindingsOf(With(both), estate) == Lines{});
}

TEST_CASE("a key is destroyed whole, out of use, and with a quorum") {
  estate::Estate estate = WithKey();
  REQUIRE(
      estate.Apply(estate::KeyCloned{"root", "aa", "a", "b", "Sb", "0a", "ecdh-p256", "statement", false}, kMade).ok());
  CHECK(FindingsOf(With(Destroy({"a", "b"})), estate) ==
        Lines{"KEY-DESTROY-01 breach it: key root is active, and is to be destroyed"});
  const estate::Estate ended = Ended(estate, "2028-06-01");
  CHECK(FindingsOf(With(Destroy({"a", "b"})), ended) == Lines{});
  CHECK(FindingsOf(With(Destroy({"a"})), ended) ==
        Lines{"KEY-DESTROY-02 breach it: key root has a copy on token b (serial Sb), which the step neither brings nor "
              "accounts for"});
  nlohmann::json accounted = Destroy({"a"});
  accounted["elsewhere"] = {
      {{"token", "b"}, {"document", std::string(64, 'a')}, {"reason", "burned with the building"}}};
  Files elsewhere = With(accounted);
  elsewhere.script["tokens"].erase("b");  // it is gone: the script brings it not
  CHECK(FindingsOf(elsewhere, ended) == Lines{});
  nlohmann::json alone = Destroy({"a", "b"});
  alone.erase("quorum");
  CHECK(FindingsOf(With(alone), ended) ==
        Lines{"PLAN-QUORUM-04 breach it: a step key.destroy is to be done, and no quorum approves it"});
}

TEST_CASE("a batch destroys the held keys whose copies are all at hand, and a later use of one is refused") {
  nlohmann::json batch = Destroy({"a"});
  batch.erase("keys");
  batch["batch"] = "due";
  Files files = With(batch);
  files.steps().push_back(
      {{"id", "prove"}, {"do", "key.prove"}, {"key", "root"}, {"tokens", {"a"}}, {"quorum", "custodians"}});
  const Lines found = FindingsOf(files, Ended(WithKey(), "2028-06-01"));
  REQUIRE_FALSE(found.empty());
  CHECK(found.front().starts_with(
      "EST-KEY-04 breach prove: a proof needs key root, which is destroyed since an earlier"));
}

TEST_CASE("a batch that would not reach a copy of a due key is refused before the room [KEY-DESTROY-02] [-03]") {
  constexpr std::int64_t kNow = 1'790'000'000'000'000;  // 2026-09-21
  estate::Estate estate = WithKey();
  REQUIRE(
      estate.Apply(estate::KeyCloned{"root", "aa", "a", "b", "Sb", "0a", "ecdh-p256", "statement", false}, kMade).ok());
  nlohmann::json batch = Destroy({"a"});
  batch.erase("keys");
  batch["batch"] = "due";
  CHECK(Desk(With(batch), Ended(estate, "2026-09-21"), kNow).Refused() ==
        "KEY-DESTROY-02: key root has a copy on token b (serial Sb), which the step neither brings nor accounts for");
  CHECK(Desk(With(batch), Ended(estate, "2026-09-22"), kNow).Refused() ==
        "KEY-DESTROY-03: no held key is due on 2026-09-21");
  batch["tokens"] = {"a", "b"};
  CHECK(Desk(With(batch), Ended(estate, "2026-09-21"), kNow).Refused() == "");
  batch["tokens"] = {"a"};
  batch["elsewhere"] = {{{"token", "b"}, {"document", std::string(64, 'a')}, {"reason", "burned with the building"}}};
  Files elsewhere = With(batch);
  elsewhere.script["tokens"].erase("b");
  CHECK(Desk(elsewhere, Ended(estate, "2026-09-21"), kNow).Refused() == "");
}

TEST_CASE("a key is taken out of use by a cap that the policy has, and held no longer than it allows") {
  nlohmann::json step = {
      {"do", "key.deactivate"}, {"key", "root"}, {"reason", "ceased"}, {"use", "issuing"}, {"quorum", "custodians"}};
  CHECK(FindingsOf(With(step), WithKey()) == Lines{"PLAN-CAP-01 breach it: the policy p has no cap for issuing"});
  Files files = With(step);
  files.policy["caps"] = {
      {"issuing", {{"certificates", 5}, {"days", 92}, {"deactivate_minutes", 60}, {"hold_months", 24}}}};
  CHECK(FindingsOf(files, WithKey()) == Lines{});
  files.steps()[1]["hold_months"] = 25;
  CHECK(FindingsOf(files, WithKey()) ==
        Lines{"PLAN-HOLD-01 breach it: the key is to be held 25 months, the policy allows 24"});
}

TEST_CASE("statements of use are five lines and nothing else") {
  const std::string good =
      "keyceremony key usage\nkey aa\ncount 7\nfirst 2026-01-02T00:00:00Z\nlast 2026-03-01T12:00:00Z\n";
  const auto parsed = steps::ParseUseStatement(good);
  REQUIRE(parsed.ok());
  CHECK(parsed->spki_sha256 == "aa");
  CHECK(parsed->count == 7);
  CHECK(parsed->first == "2026-01-02T00:00:00Z");
  CHECK(parsed->last == "2026-03-01T12:00:00Z");
  CHECK(steps::ParseUseStatement("keyceremony key usage\nkey aa\ncount 0\nfirst never\nlast never\n").ok());
  for (const std::string& bad :
       {std::string(), good + "\n", good.substr(0, good.size() - 1), "x" + good, good.substr(22),
        std::string("keyceremony key usage\nkey aa\ncount -1\nfirst never\nlast never\n"),
        std::string("keyceremony key usage\nkey aa\ncount 7\nfirst never\nlast never\n"),
        std::string("keyceremony key usage\nkey aa\ncount 0\nfirst never\nlast 2026-03-01T12:00:00Z\n"),
        std::string("keyceremony key usage\nkey aa\ncount 7\nfirst 2026-02-30T00:00:00Z\nlast 2026-03-01T12:00:00Z\n"),
        std::string(
            "keyceremony key usage\nkey aa\ncount 7x\nfirst 2026-01-02T00:00:00Z\nlast 2026-03-01T12:00:00Z\n")}) {
    CAPTURE(bad);
    const auto refused = steps::ParseUseStatement(bad);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().rule == "KEY-USE-02");
  }
}

TEST_CASE("a statement of use is held to the archive") {
  const estate::Estate estate = WithKey();
  const estate::Key& key = *estate.FindKey("root");
  const auto rule = [&](const steps::UseStatement& statement) {
    const auto checked = steps::CheckUse(statement, key, estate, "2026-06-01T00:00:00Z");
    return checked.ok() ? std::string() : checked.error().rule;
  };
  CHECK(rule({"aa", 3, "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"}) == "");
  CHECK(rule({"bb", 3, "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"}) == "KEY-USE-01");
  CHECK(rule({"aa", 3, "2026-02-01T00:00:00Z", "2026-06-01T00:00:01Z"}) == "KEY-USE-01");
  CHECK(rule({"aa", 3, "2026-02-01T00:00:00Z", "2026-01-31T23:59:59Z"}) == "KEY-USE-01");
  CHECK(rule({"aa", 3, "2026-99-99T99:99:99Z", "2026-03-01T00:00:00Z"}) == "KEY-USE-01");
  CHECK(rule({"aa", 3, "2026-02-01T00:00:00Z", "2026-03-01"}) == "KEY-USE-01");
}

TEST_CASE("a cap is reached by the count or by the age, whichever came first") {
  const estate::Estate estate = WithKey();
  const estate::Key& key = *estate.FindKey("root");  // made on 2026-01-01
  script::KeyCap cap;
  cap.certificates = 5;
  cap.days = 92;
  const auto reached = [&](std::int64_t count, const std::string& last, const std::string& now) {
    const steps::CapState state = steps::CapOf(&cap, key, {"aa", count, "2026-01-02T00:00:00Z", last}, now);
    return state.which + " " + state.reached;
  };
  CHECK(reached(4, "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z") == " ");
  CHECK(reached(5, "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z") == "certificates 2026-02-01T00:00:00Z");
  CHECK(reached(4, "2026-02-01T00:00:00Z", "2026-04-04T00:00:00Z") == "days 2026-04-03T00:00:00.000000Z");
  CHECK(reached(5, "2026-02-01T00:00:00Z", "2026-04-04T00:00:00Z") == "certificates 2026-02-01T00:00:00Z");
  CHECK(reached(5, "2026-04-03T12:00:00Z", "2026-04-04T00:00:00Z") == "days 2026-04-03T00:00:00.000000Z");
  CHECK(steps::CapOf(nullptr, key, {"aa", 9, "", ""}, "2030-01-01T00:00:00Z").reached.empty());
}

TEST_CASE("days and months are counted by the calendar") {
  // date -ud '2026-01-31 + 92 days' +%F; date -ud '2028-02-01 + 28 days' +%F
  CHECK(steps::AddDays("2026-01-31", 92).value() == "2026-05-03");
  CHECK(steps::AddDays("2028-02-01T10:00:00Z", 28).value() == "2028-02-29");
  CHECK(steps::AddMonths("2026-11-28T10:00:00.000000Z", 24).value() == "2028-11-28");
  CHECK(steps::AddMonths("2026-12-31", 2).value() == "2027-02-28");
  CHECK(steps::MinutesBetween("2026-01-01T00:00:00Z", "2026-01-02T01:00:59.999999Z").value() == 1500);
  CHECK_FALSE(steps::AddDays("2026-02-30", 1).ok());
  CHECK_FALSE(steps::MinutesBetween("yesterday", "2026-01-02T01:00:00Z").ok());
}
