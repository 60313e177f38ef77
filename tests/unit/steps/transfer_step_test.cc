// Steps of a transfer between machines that never meet, and what a section asks of its keys, on a token in memory.
#include <algorithm>

#include "ceremony/record/record_name.h"
#include "ceremony/steps/section_keys.h"
#include "ceremony/steps/wrapped_key_file.h"
#include "tests/unit/steps/step_bench.h"

namespace {

using namespace ceremony;  // NOLINT(google-build-using-namespace)
using nlohmann::json;
using step_bench::StepBench;
using support::Bad;
using support::Good;

constexpr const char* kTransport = "transport-third";

script::Step StepOf(const std::string& kind, json fields) {
  script::Step step;
  step.id = "it";
  step.kind = kind;
  step.quorum = "custodians";
  step.fields = script::StepValues(std::move(fields));
  return step;
}

base::Result<void> Run(StepBench& bench, const script::Step& step) {
  return steps::Catalogue().Find(step.kind)->Run(step, bench);
}

script::Step Export() {
  return StepOf(
      "key.export",
      {{"key", "root-oca"}, {"source", StepBench::kToken}, {"transport_key", kTransport}, {"transport", "best"}});
}

// Key root-oca on the bench's token, which may leave it, and the transport key of a token elsewhere.
void Prepare(StepBench& bench) {
  hsm::Session* const session = Good(bench.Session(StepBench::kToken));
  const hsm::KeyPair pair = Good(hsm::GenerateKeyPair(*session, {.label = "root-oca",
                                                                 .id = {1, 2, 3},
                                                                 .extractable = hsm::Extractable::kYes,
                                                                 .modifiable = hsm::Modifiable::kYes})
                                     .key)
                                .pair;
  Good(bench.known().Apply(estate::KeyCreated{"root-oca", "ec-p256", "sign", pair.public_key.SpkiSha256Hex(),
                                              StepBench::kToken, StepBench::kSerial, "010203", true},
                           {"0001-a", 2, ""}));
  const hsm::KeyPair elsewhere = Good(hsm::GenerateKeyPair(*session, {.algorithm = base::KeyAlgorithm::kRsa3072,
                                                                      .label = "elsewhere",
                                                                      .id = {9},
                                                                      .usage = hsm::kUnwrappingUsage,
                                                                      .lifetime = hsm::Lifetime::kSession})
                                          .key)
                                     .pair;
  Good(bench.known().Apply(
      estate::TokenCommissioned{"third-hsm", "third-hsm", "serial-3", "Fake", "Fake", "1", "backup", "organisation"},
      {"0001-a", 3, ""}));
  Good(bench.known().Apply(estate::TransportKeyCreated{kTransport,
                                                       "rsa-3072",
                                                       elsewhere.public_key.SpkiSha256Hex(),
                                                       "third-hsm",
                                                       "serial-3",
                                                       "09",
                                                       "root-oca",
                                                       {"rsa-oaep-sha256", "rsa-oaep-sha1"}},
                           {"0001-a", 4, ""}));
  bench.artefacts[record::PublicKeyFile(kTransport)] = base::ToBytes(elsewhere.public_key.spki());
  bench.observer->after.clear();
  bench.observer->calls.clear();
}

script::Section SectionWith(std::vector<std::string> keys) {
  script::Section section;
  section.id = "copy";
  section.title = "The copy";
  section.tokens = {StepBench::kToken};
  section.keys_on_all = std::move(keys);
  return section;
}

}  // namespace

TEST_CASE("KEY-TRANSPORT-02: people who say that the words differ stop an export before any key leaves its token") {
  StepBench bench(true);
  Prepare(bench);
  bench.people = support::ScriptedTerminal(
      std::vector<support::ScriptedTerminal::Answer>{{"key.export/transport/transport-third", "they differ"}});
  const base::Error error = Bad(Run(bench, Export()));
  CHECK(error.rule == "KEY-TRANSPORT-02");
  CHECK(bench.approvals.empty());
  CHECK(bench.Functions().empty());
  REQUIRE(bench.entries.size() == 1);
  CHECK(bench.entries[0].at("answer") == "they differ");
}

TEST_CASE("an export writes a file that is the key for the transport key, and leaves nothing on the token") {
  StepBench bench(true);
  Prepare(bench);
  const std::size_t objects = bench.slot().objects.size();
  Good(Run(bench, Export()));
  CHECK(bench.slot().objects.size() == objects);
  const base::Bytes& bytes = bench.artefacts.at(steps::WrappedKeyArtefact("root-oca", kTransport));
  const std::string text(bytes.begin(), bytes.end());
  const steps::WrappedKeyFile file = Good(steps::ParseWrappedKey(text));
  CHECK(file.key == "root-oca");
  CHECK(file.spki_sha256 == bench.known().FindKey("root-oca")->spki_sha256);
  CHECK(file.transport_spki_sha256 == bench.known().FindKey(kTransport)->spki_sha256);
  const estate::Copy* copy = bench.known().FindKey("root-oca")->FindCopy(estate::WrappedFor(kTransport));
  REQUIRE(copy != nullptr);
  CHECK(copy->kind == "wrapped");
  // Any other spelling is another file.
  for (const std::string& other : {text + " ", text.substr(1), std::string("{}"), std::string(), text + text}) {
    CAPTURE(other.size());
    CHECK(Bad(steps::ParseWrappedKey(other)).rule == "KEY-FILE-01");
  }
}

TEST_CASE("an export that was cut off between its file and its entry gets the entry, and no second file") {
  StepBench bench(true);
  Prepare(bench);
  Good(Run(bench, Export()));
  const auto exported = std::ranges::find_if(bench.entries, [](const json& e) { return e["what"] == "key-exported"; });
  REQUIRE(exported != bench.entries.end());
  const json entry = *exported;
  bench.entries.erase(exported);
  const std::size_t calls = bench.observer->after.size();
  for (const bool recorded : {false, true}) {
    StepBench again(true);
    Prepare(again);
    again.artefacts[steps::WrappedKeyArtefact("root-oca", kTransport)] =
        bench.artefacts.at(steps::WrappedKeyArtefact("root-oca", kTransport));
    if (recorded) again.entries.push_back(entry);
    again.Cut();
    again.observer->after.clear();
    Good(Run(again, Export()));
    CHECK(calls > 0);
    CHECK(again.observer->after.empty());
    CHECK(again.entries.size() == (recorded ? 0 : 1));
    if (!recorded) CHECK(again.entries.at(0)["sha256"] == entry["sha256"]);
  }
}

TEST_CASE("KEY-FILE-02: the file of another transfer is refused before the token is opened") {
  StepBench bench(true);
  Prepare(bench);
  Good(Run(bench, Export()));
  const std::string name = steps::WrappedKeyArtefact("root-oca", kTransport);
  const base::Bytes& bytes = bench.artefacts.at(name);
  steps::WrappedKeyFile file = Good(steps::ParseWrappedKey(std::string(bytes.begin(), bytes.end())));
  file.transport_spki_sha256 = std::string(64, '0');
  const std::string other = steps::WriteWrappedKey(file);
  bench.artefacts[name] = base::ToBytes(base::AsBytes(other));
  bench.approvals.clear();
  const base::Error error = Bad(Run(bench, StepOf("key.import", {{"key", "root-oca"},
                                                                 {"token", StepBench::kToken},
                                                                 {"transport_key", kTransport},
                                                                 {"extractable", false}})));
  CHECK(error.rule == "KEY-FILE-02");
  CHECK(bench.approvals.empty());
}

TEST_CASE("a section closes when its keys are on its tokens, and the record says on which") {
  StepBench bench(true);
  bench.MakeKey("root-oca", {1}, true);
  Good(steps::HaveSectionTokens(SectionWith({"root-oca"}), bench));
  Good(steps::ProveSectionKeys(SectionWith({"root-oca"}), bench));
  REQUIRE(bench.entries.size() == 2);
  CHECK(bench.entries[0].at("what") == "section-tokens");
  CHECK(bench.entries[1].at("keys").at(0).at("key") == "root-oca");
  CHECK(bench.entries[1].at("keys").at(0).at("serial") == StepBench::kSerial);
}

TEST_CASE("SECTION-KEY-01: a section does not close while a key is not where the books or the script have it") {
  StepBench bench(true);
  const hsm::KeyPair pair = bench.MakeKey("root-oca", {1}, true);
  CHECK(Bad(steps::ProveSectionKeys(SectionWith({"another"}), bench)).rule == "SECTION-KEY-01");
  Good(Good(bench.Session(StepBench::kToken))->Destroy(pair.private_object));
  const base::Error error = Bad(steps::ProveSectionKeys(SectionWith({"root-oca"}), bench));
  CHECK(error.rule == "SECTION-KEY-01");
  CHECK(error.message.find("root-oca is not on token root-hsm") != std::string::npos);
}

TEST_CASE("SECTION-TOKEN-01: a section does not begin while a token that it names is gone") {
  StepBench bench(true);
  bench.slot().pulled = true;
  CHECK(Bad(steps::HaveSectionTokens(SectionWith({}), bench)).message.find("section copy does not begin") == 0);
}
