// key.generate on a token in memory.
#include "tests/support/fake_crypto.h"
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

namespace {

// The token makes the key whose private value is 1, until it is told not to.
void MakeWeak(StepBench& bench) {
  const base::ByteView curve = base::AsBytes(base::FactsOf(base::KeyAlgorithm::kEcP256).curve_oid_der);
  bench.slot().first_keys[std::string(base::AsText(curve))] = support::crypto::EcFromScalar("P-256", base::Bytes{0x01});
  bench.slot().habits.repeats_key = true;
}

}  // namespace

TEST_CASE("a weak key that a token has made is refused at once, and never becomes a key of the estate") {
  StepBench bench(true);
  MakeWeak(bench);
  const auto error = Bad(bench.Run("key.generate"));
  CHECK(error.rule == "KEY-WEAK-04");
  CHECK(error.message.starts_with("token root-hsm has made a weak key root-oca: "));
  CHECK(error.hint.starts_with("try the step again: the key is destroyed then"));
  CHECK(bench.achieved.empty());
  CHECK(bench.artefacts.empty());
  CHECK(bench.Functions() == Names{"C_GenerateKeyPair"});
}

TEST_CASE("another attempt names the weak key, destroys it with consent and makes one that is sound") {
  StepBench bench(true);
  MakeWeak(bench);
  const hsm::KeyPair weak = bench.MakeKey("root-oca", {1, 2}, false);
  bench.slot().habits.repeats_key = false;
  bench.observer->calls.clear();
  bench.done_before.resumed = true;
  bench.done_before.calls = {Made(weak)};
  Good(bench.Run("key.generate"));
  CHECK(bench.people.asked() == Names{"key.generate/destroy-weak"});
  CHECK(bench.Functions() == Names{"C_DestroyObject", "C_DestroyObject", "C_GenerateKeyPair"});
  REQUIRE(bench.entries.size() == 3);
  CHECK(bench.entries[0]["what"] == "confirmation");
  CHECK(bench.entries[0]["typed"] == "destroy");
  CHECK(bench.entries[1]["type"] == "deviation");
  CHECK(bench.entries[1]["rule"] == "KEY-WEAK-04");
  CHECK(bench.entries[1]["spki_sha256"] == weak.public_key.SpkiSha256Hex());
  CHECK(bench.entries[2]["what"] == "weak-key-destroyed");
  CHECK(bench.entries[2]["key"] == weak.public_key.SpkiSha256Hex());
  CHECK(bench.entries[2]["objects"] == json{"private key \"root-oca\" (id 0102)", "public key \"root-oca\" (id 0102)"});
  REQUIRE(bench.achieved.size() == 1);
  CHECK(bench.achieved[0]["spki_sha256"] != weak.public_key.SpkiSha256Hex());
  CHECK(bench.slot().objects.size() == 2);
  REQUIRE(bench.approvals.size() == 2);  // an approval serves one attempt, and one object
  CHECK(bench.approvals[0].statement == "Destroy the weak key root-oca on token root-hsm");
  CHECK(bench.approvals[0].subject["spki_sha256"] == weak.public_key.SpkiSha256Hex());
  CHECK(bench.approvals[0].calls_before == 0);
  CHECK(bench.approvals[1].calls_before == 2);
}

TEST_CASE(
    "a weak key of which a cut left the public half is destroyed to the end, and one that is gone is not missed") {
  for (const bool public_half : {true, false}) {
    StepBench bench(true);
    MakeWeak(bench);
    const hsm::KeyPair weak = bench.MakeKey("root-oca", {1, 2}, false);
    Good(Good(bench.Session(""))->Destroy(weak.private_object));
    if (!public_half) Good(Good(bench.Session(""))->Destroy(*weak.public_object));
    bench.slot().habits.repeats_key = false;
    bench.observer->calls.clear();
    bench.done_before.calls = {Made(weak)};
    Good(bench.Run("key.generate"));
    CHECK(bench.entries.at(2)["objects"].size() == (public_half ? 1 : 0));
    CHECK(bench.slot().objects.size() == 2);
  }
}

TEST_CASE("a weak key whose destruction the record has is not looked for again") {
  StepBench bench(true);
  MakeWeak(bench);
  const hsm::KeyPair weak = bench.MakeKey("root-oca", {1, 2}, false);
  Good(hsm::DestroyKeyPair(*Good(bench.Session("")), weak));
  bench.slot().habits.repeats_key = false;
  bench.done_before.calls = {Made(weak)};
  bench.done_before.observations = {{"weak-key-destroyed", StepBench::kToken, weak.public_key.SpkiSha256Hex()}};
  Good(bench.Run("key.generate"));
  CHECK(bench.people.asked().empty());
  CHECK(bench.achieved.size() == 1);
}

TEST_CASE("a key of the archive that a token makes again goes with consent, and the archive's own copy stays") {
  StepBench bench(true);
  bench.slot().habits.repeats_key = true;
  const hsm::KeyPair known = bench.MakeKey("other", {1}, true);
  CHECK(Bad(bench.Run("key.generate")).rule == "EST-KEY-02");
  bench.slot().habits.repeats_key = false;
  bench.done_before.calls = {Made(known)};  // what came out is the same public key
  bench.entries.clear();
  bench.approvals.clear();
  const std::size_t before = bench.slot().objects.size();
  Good(bench.Run("key.generate"));
  CHECK(bench.people.asked() == Names{"key.generate/destroy-double"});
  CHECK(bench.approvals.at(0).statement == "Destroy the double key root-oca on token root-hsm");
  CHECK(bench.entries.at(1)["type"] == "deviation");
  CHECK(bench.entries.at(1)["rule"] == "EST-KEY-02");
  CHECK(bench.entries.at(2)["what"] == "double-key-destroyed");
  CHECK(bench.entries.at(2)["objects"].size() == 2);
  CHECK(bench.slot().objects.size() == before);  // two went, two came
  CHECK(Good(hsm::FindPrivateKey(*Good(bench.Session("")), "", base::Bytes{1})).public_key == known.public_key);
  CHECK(bench.achieved.back()["spki_sha256"] != known.public_key.SpkiSha256Hex());
}

TEST_CASE("a token that makes the same weak key twice has both destroyed") {
  StepBench bench(true);
  MakeWeak(bench);
  const hsm::KeyPair first = bench.MakeKey("root-oca", {1, 2}, false);
  Good(hsm::DestroyKeyPair(*Good(bench.Session("")), first));
  const hsm::KeyPair second = bench.MakeKey("root-oca", {3, 4}, false);
  bench.slot().habits.repeats_key = false;
  bench.done_before.calls = {Made(first), Made(second)};
  bench.done_before.observations = {{"weak-key-destroyed", StepBench::kToken, first.public_key.SpkiSha256Hex()}};
  Good(bench.Run("key.generate"));
  CHECK(bench.people.asked() == Names{"key.generate/destroy-weak"});
  CHECK(bench.entries.at(2)["objects"].size() == 2);
  CHECK(bench.slot().objects.size() == 2);
}

TEST_CASE("without consent the weak key stays, and no other is made beside it") {
  StepBench bench(true);
  MakeWeak(bench);
  const hsm::KeyPair weak = bench.MakeKey("root-oca", {1, 2}, false);
  bench.people.FailAt(0, base::MakeError(base::ErrorCode::kAborted, "nobody consents"));
  bench.observer->calls.clear();
  bench.done_before.calls = {Made(weak)};
  CHECK(Bad(bench.Run("key.generate")).code == base::ErrorCode::kAborted);
  bench.declines = true;
  CHECK(Bad(bench.Run("key.generate")).code == base::ErrorCode::kNoQuorum);
  CHECK(bench.Functions().empty());
  CHECK(bench.slot().objects.size() == 2);
  CHECK(bench.achieved.empty());
}
