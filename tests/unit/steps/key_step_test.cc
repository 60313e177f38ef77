// key.generate on a token in memory.
#include "tests/unit/steps/step_bench.h"

namespace {

using step_bench::Bad;
using step_bench::Good;
using step_bench::json;
using step_bench::StepBench;
using Names = std::vector<std::string>;

constexpr const char* kSpkiFile = "keys/root-oca.spki.der";

// What the record says of a call that was finished before an interruption.
ceremony::steps::Progress::Call Made(const hsm::KeyPair& pair) {
  return {"C_GenerateKeyPair", StepBench::kToken, base::Base64Encode(pair.public_key.spki())};
}

}  // namespace

TEST_CASE("a key is made once every attribute of it is approved, and its public half is an artefact") {
  StepBench bench(true);
  bench.Change("key.generate", "extractable", false);
  Good(bench.Run("key.generate"));
  REQUIRE(bench.approvals.size() == 1);
  const step_bench::Approval& approval = bench.approvals[0];
  CHECK(approval.statement == "Generate key root-oca (EC P-256) on token \"root-hsm\" (serial serial-1)");
  CHECK(approval.calls_before == 0);
  CHECK(approval.subject["private"]["CKA_EXTRACTABLE"] == "false");
  CHECK(approval.subject["private"]["CKA_SENSITIVE"] == "true");
  CHECK(approval.subject["serial"] == "serial-1");
  CHECK(bench.Functions() == Names{"C_GenerateKeyPair"});
  REQUIRE(bench.achieved.size() == 1);
  CHECK(bench.achieved[0]["effect"] == "key-created");
  CHECK(bench.achieved[0]["object_id"] == approval.subject["object_id"]);
  CHECK(bench.achieved[0]["extractable"] == false);
  REQUIRE(bench.artefacts.contains(kSpkiFile));
  CHECK(base::Sha256Hex(bench.artefacts.at(kSpkiFile)) == bench.achieved[0]["spki_sha256"]);
}

TEST_CASE("a declined key is not made, and the token is not even opened") {
  StepBench bench(true);
  bench.declines = true;
  bench.observer->calls.clear();
  CHECK(Bad(bench.Run("key.generate")).code == base::ErrorCode::kNoQuorum);
  for (const std::string& call : bench.observer->calls) CHECK_FALSE(call.starts_with("C_Login"));
  CHECK(bench.slot().objects.empty());
  CHECK(bench.achieved.empty());
}

TEST_CASE("a key that an earlier attempt has made is taken over without asking and without a second one") {
  StepBench bench(true);
  const hsm::KeyPair pair = bench.MakeKey("root-oca", {1, 2}, false);
  bench.observer->calls.clear();
  bench.done_before.resumed = true;
  bench.done_before.calls = {Made(pair)};
  Good(bench.Run("key.generate"));
  CHECK(bench.approvals.empty());
  CHECK(bench.Functions().empty());
  CHECK(bench.achieved.at(0)["spki_sha256"] == pair.public_key.SpkiSha256Hex());
  CHECK(bench.achieved.at(0)["object_id"] == "0102");
  CHECK(bench.people.transcript().find("made before the interruption") != std::string::npos);
}

TEST_CASE("a key that was made before an interruption and is gone is missed, and no other is made for it") {
  StepBench bench(true);
  const hsm::KeyPair pair = bench.MakeKey("root-oca", {1, 2}, false);
  Good(hsm::DestroyKeyPair(*Good(bench.Session("")), pair));
  bench.observer->calls.clear();
  bench.done_before.resumed = true;
  bench.done_before.calls = {Made(pair)};
  CHECK(Bad(bench.Run("key.generate")).rule == "KEY-FIND-01");
  CHECK(bench.Functions().empty());
  CHECK(bench.achieved.empty());
}

TEST_CASE("a token that makes the same key for the second time is refused by the estate") {
  StepBench bench(true);
  bench.slot().habits.repeats_key = true;
  bench.MakeKey("other", {1}, true);
  const auto error = Bad(bench.Run("key.generate"));
  CHECK(error.rule == "EST-KEY-02");
  CHECK_FALSE(bench.artefacts.contains(kSpkiFile));
}

TEST_CASE("a token that does not keep to the template is refused, and what it left is named") {
  StepBench bench(true);
  bench.slot().habits.generate_ignores_protection = true;
  const auto error = Bad(bench.Run("key.generate"));
  CHECK(error.rule == "KEY-ATTR-01");
  CHECK(error.message.find("left on token \"root-hsm\" (serial serial-1): private key \"root-oca\"") !=
        std::string::npos);
  CHECK(bench.achieved.empty());
  CHECK(bench.artefacts.empty());
}
