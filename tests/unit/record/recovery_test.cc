#include "ceremony/record/recovery.h"

#include <doctest/doctest.h>

#include "ceremony/record/disclosure.h"
#include "tests/support/crash_model_storage.h"
#include "tests/unit/record/ceremony_fixture.h"

namespace ceremony::record {
namespace {

using nlohmann::json;
using test_support::CrashModelStorage;
using Image = CrashModelStorage::Image;

// The image of a record that is open and stopped between two entries.
Image OpenImage(const std::function<void(Writer&)>& more = {}) {
  CrashModelStorage storage;
  TestClock clock;
  const auto writer = Writer::Create({storage, clock, "r", Mode::kRehearsal}).value();
  REQUIRE(writer->Append(EntryType::kOpen, OpenFields()).ok());
  if (more) more(*writer);
  return storage.Now();
}

base::Bytes& LogOf(Image& image) { return *image["r/log.jsonl"]; }
void AddToLog(Image& image, std::string_view text) {
  LogOf(image).insert(LogOf(image).end(), text.begin(), text.end());
}

std::string RuleOfRefusal(Image image, Mode mode = Mode::kRehearsal) {
  CrashModelStorage storage(image);
  TestClock clock;
  const auto recovered = Recover({storage, clock, "r", mode});
  REQUIRE_FALSE(recovered.ok());
  CHECK(storage.Now() == image);  // a refusal changes nothing
  return recovered.error().rule;
}

TEST_CASE("torn bytes are kept under their digest, named by the recover entry, and cut off") {
  Image image = OpenImage();
  const std::string torn = R"({"mode":"rehearsal","mono":1,)";
  AddToLog(image, torn);
  CrashModelStorage storage(image);
  TestClock clock;
  const auto recovered = Recover({storage, clock, "r", Mode::kRehearsal});
  REQUIRE(recovered.ok());
  const std::string digest = base::Sha256Hex(torn);
  CHECK(recovered->torn->sha256 == digest);
  CHECK(recovered->torn->size == torn.size());
  CHECK(recovered->entries == 1);
  CHECK(*recovered->recover_seq == 1);
  CHECK(base::AsText(*ReadWholeFile(storage, "r/torn-" + digest, 1000)) == torn);
  const std::string log(base::AsText(*ReadWholeFile(storage, "r/log.jsonl", 10000)));
  const json entry = json::parse(log.substr(log.find('\n') + 1));
  CHECK(entry["type"] == "recover");
  CHECK(entry["torn"] == json({{"sha256", digest}, {"size", torn.size()}}));
  CHECK(entry["entries"] == 1);
}

TEST_CASE("a record that was merely paused recovers with nothing torn") {
  CrashModelStorage storage(OpenImage());
  TestClock clock;
  const auto recovered = Recover({storage, clock, "r", Mode::kRehearsal});
  REQUIRE(recovered.ok());
  CHECK_FALSE(recovered->torn.has_value());
  CHECK(recovered->set_aside.empty());
  CHECK(recovered->writer->origin() == kTestOrigin);
}

TEST_CASE("intents without done and steps without end come back, and what is settled does not") {
  const std::string inventory(64, '0');
  const auto intent = [&](int call) {
    return json{{"call", call}, {"fn", "C_InitToken"}, {"token", "t"}, {"inventory", inventory}};
  };
  const auto step = [](const char* id, const char* phase) {
    return json{{"id", id}, {"do", "x"}, {"phase", phase}, {"parameters", json::object()}, {"calls", json::object()}};
  };
  CrashModelStorage storage(OpenImage([&](Writer& writer) {
    REQUIRE(writer.Append(EntryType::kStep, step("a", "begin")).ok());
    REQUIRE(writer.Append(EntryType::kIntent, intent(1)).ok());
    json done = intent(1);
    done["rv"] = "CKR_OK";
    REQUIRE(writer.Append(EntryType::kDone, done).ok());
    REQUIRE(writer.Append(EntryType::kStep, step("a", "end")).ok());
    REQUIRE(writer.Append(EntryType::kStep, step("b", "begin")).ok());
    REQUIRE(writer.Append(EntryType::kIntent, intent(2)).ok());
  }));
  TestClock clock;
  const auto recovered = Recover({storage, clock, "r", Mode::kRehearsal});
  REQUIRE(recovered.ok());
  REQUIRE(recovered->dangling.size() == 1);
  CHECK(recovered->dangling[0]["call"] == 2);
  CHECK(recovered->dangling[0]["seq"] == 6);
  REQUIRE(recovered->open_steps.size() == 1);
  CHECK(recovered->open_steps[0]["id"] == "b");
}

TEST_CASE("more than one torn line is no crash, and nothing is touched") {
  Image two = OpenImage();
  AddToLog(two, "{}\n{}\n");
  CHECK(RuleOfRefusal(two) == "RECORD-RECOVER-01");
  Image long_tail = OpenImage();
  AddToLog(long_tail, std::string(65537, 'x'));
  CHECK(RuleOfRefusal(long_tail) == "RECORD-RECOVER-01");
  // The invalid line ends exactly where a read block of recovery ends.
  Image block = OpenImage();
  const std::size_t room = 4 * 65536 - LogOf(block).size();
  AddToLog(block, std::string(room - 1, 'x') + "\n" + std::string(100, 'y'));
  CHECK(RuleOfRefusal(block) == "RECORD-RECOVER-01");
  Image changed = OpenImage([](Writer& writer) {
    for (int i = 0; i < 3; ++i) REQUIRE(writer.Append(EntryType::kNote, json::object()).ok());
  });
  LogOf(changed)[LogOf(changed).size() / 2] ^= 1;
  CHECK(RuleOfRefusal(changed) == "RECORD-RECOVER-01");
}

TEST_CASE("the longest torn line that a crash can leave is recovered") {
  Image image = OpenImage();
  AddToLog(image, std::string(65535, '\0') + "\n");
  CrashModelStorage storage(image);
  TestClock clock;
  CHECK(Recover({storage, clock, "r", Mode::kRehearsal})->torn->size == 65536);
}

TEST_CASE("a log without an open entry is refused: nothing had begun") {
  CrashModelStorage storage;
  TestClock clock;
  REQUIRE(Writer::Create({storage, clock, "r", Mode::kRehearsal}).ok());
  CHECK(RuleOfRefusal(storage.Now()) == "RECORD-RECOVER-02");
  Image torn = storage.Now();
  AddToLog(torn, "{\"ceremony\"");
  CHECK(RuleOfRefusal(torn) == "RECORD-RECOVER-02");
  CrashModelStorage none(Image{{"r", std::nullopt}});
  CHECK(Recover({none, clock, "r", Mode::kRehearsal}).error().code == base::ErrorCode::kNotFound);
}

TEST_CASE("recovery takes for an entry what a verifier takes for one, as long as it need not know what is missing") {
  const auto with = [](const json& fields) {
    Image image = OpenImage();
    json entry = {{"v", 1},
                  {"seq", 1},
                  {"time", "2026-11-21T05:17:46.000000Z"},
                  {"mono", 2'000'000'000},
                  {"mode", "rehearsal"},
                  {"salt", std::string(32, '0')}};
    entry.update(fields);
    AddToLog(image, *Canonicalise(entry) + "\n");
    return image;
  };
  for (const json& fields : {json{{"type", "refusal"}}, json{{"type", "request"}}, json{{"type", "recover"}},
                             json{{"type", "cosign"}}, json{{"type", "close"}}}) {
    CAPTURE(fields.dump());
    CrashModelStorage storage(with(fields));
    TestClock clock;
    const auto recovered = Recover({storage, clock, "r", Mode::kRehearsal});
    REQUIRE(recovered.ok());
    CHECK(recovered->entries == 2);
    CHECK_FALSE(recovered->torn.has_value());
  }
  for (const char* type : {"step", "intent", "done", "artefact", "checkpoint"}) {
    CAPTURE(type);
    CrashModelStorage storage(with({{"type", type}}));
    TestClock clock;
    const auto recovered = Recover({storage, clock, "r", Mode::kRehearsal});
    REQUIRE(recovered.ok());
    CHECK(recovered->entries == 1);
    CHECK(recovered->torn.has_value());
  }
}

TEST_CASE("a rehearsal record is not resumed as production") {
  CHECK(RuleOfRefusal(OpenImage(), Mode::kProduction) == "RECORD-RECOVER-03");
}

TEST_CASE("an entry that was changed under a checkpoint is found before anything is signed again") {
  const Image good = OpenImage([](Writer& writer) {
    REQUIRE(writer.Append(EntryType::kNote, {{"text", "seal 4711"}}).ok());
    REQUIRE(writer.Checkpoint(*TestLogKey()).ok());
  });
  Image edited = good;
  std::string log(base::AsText(LogOf(edited)));
  log.replace(log.find("4711"), 4, "4712");
  LogOf(edited).assign(log.begin(), log.end());
  CHECK(RuleOfRefusal(edited) == "RECORD-RECOVER-05");
  // The same with everything signed again by another key of the same name.
  Image resigned = good;
  log = base::AsText(LogOf(resigned));
  const std::size_t note_line = log.rfind('\n', log.size() - 2) + 1;
  json entry = json::parse(log.substr(note_line));
  Note note = *Note::Parse(entry["note"].get<std::string>());
  note.signatures = {*SignText(note.text, *TestSigner(std::string(kTestOrigin), kTestKeys[1]))};
  entry["note"] = note.Serialise();
  log = log.substr(0, note_line) + *Canonicalise(entry) + "\n";
  LogOf(resigned).assign(log.begin(), log.end());
  CHECK(RuleOfRefusal(resigned) == "RECORD-RECOVER-05");
}

TEST_CASE("bytes after close, and a final checkpoint without close, are refused") {
  const Image closed = OpenImage([](Writer& writer) {
    REQUIRE(writer.Append(EntryType::kClose, {{"steps", 0}, {"open_items", json::array()}}).ok());
    REQUIRE(writer.FinalCheckpoint(*TestLogKey()).ok());
  });
  Image tail = closed;
  AddToLog(tail, "{");
  CHECK(RuleOfRefusal(tail) == "RECORD-RECOVER-01");
  Image unclosed = OpenImage();
  unclosed["r/checkpoint"] = closed.at("r/checkpoint");
  CHECK(RuleOfRefusal(unclosed) == "RECORD-RECOVER-01");
  Image other = closed;
  LogOf(other) = LogOf(unclosed);
  AddToLog(other, "");
  CHECK(RuleOfRefusal(other) == "RECORD-RECOVER-01");
  CrashModelStorage storage(closed);
  TestClock clock;
  const auto recovered = Recover({storage, clock, "r", Mode::kRehearsal});
  REQUIRE(recovered.ok());
  CHECK(recovered->writer->closed());
  CHECK(recovered->writer->has_final_checkpoint());
  CHECK_FALSE(recovered->recover_seq.has_value());
  CHECK(storage.Now() == closed);
}

TEST_CASE("an artefact whose entry is durable gets its name; one that no entry names is kept aside") {
  Image image = OpenImage([](Writer& writer) {
    REQUIRE(writer.WriteArtefact("done.crt", base::AsBytes("done"), "k").ok());
    REQUIRE(writer.WriteArtefact("gone.crt", base::AsBytes("gone"), "k").ok());
    REQUIRE(writer.WriteArtefact("other.crt", base::AsBytes("other"), "k").ok());
  });
  image["r/artefacts/done.crt.partial"] = image["r/artefacts/done.crt"];
  image.erase("r/artefacts/done.crt");
  image.erase("r/artefacts/gone.crt");
  *image["r/artefacts/other.crt"] = base::ToBytes(base::AsBytes("changed"));
  image["r/artefacts/new.crt.partial"] = base::ToBytes(base::AsBytes("new"));
  image["r/artefacts/empty.crt.partial"] = base::Bytes{};
  image["r/inputs/x.partial"] = base::ToBytes(base::AsBytes("x"));
  CrashModelStorage storage(image);
  TestClock clock;
  const auto recovered = Recover({storage, clock, "r", Mode::kRehearsal});
  REQUIRE(recovered.ok());
  CHECK(recovered->finished == std::vector<std::string>{"done.crt"});
  CHECK(recovered->missing == std::vector<std::string>{"gone.crt", "other.crt"});
  REQUIRE(recovered->set_aside.size() == 1);
  CHECK(recovered->set_aside[0].name == "artefacts/new.crt.partial");
  CHECK(recovered->set_aside[0].sha256 == base::Sha256Hex("new"));
  const Image after = storage.Now();
  CHECK(base::AsText(*after.at("r/artefacts/done.crt")) == "done");
  CHECK(base::AsText(*after.at("r/torn-" + base::Sha256Hex("new"))) == "new");
  for (const auto& [path, content] : after) CHECK_FALSE(path.ends_with(kPartialSuffix));
}

TEST_CASE("the good copy of an artefact is kept, whatever stands under its name") {
  const std::string digest = base::Sha256Hex("good");
  const Image good =
      OpenImage([](Writer& writer) { REQUIRE(writer.WriteArtefact("root.crt", base::AsBytes("good"), "k").ok()); });
  const auto recover = [](const Image& image, Recovered& found) {
    CrashModelStorage storage(image);
    TestClock clock;
    found = Recover({storage, clock, "r", Mode::kRehearsal}).value();
    return storage.Now();
  };
  Recovered found;

  Image twice = good;
  twice["r/artefacts/root.crt.partial"] = base::ToBytes(base::AsBytes("good"));
  CHECK(recover(twice, found).at("r/artefacts/root.crt") == good.at("r/artefacts/root.crt"));
  CHECK(found.set_aside.empty());
  CHECK(found.missing.empty());

  for (const std::string stranger : {"something else", ""}) {
    CAPTURE(stranger);
    Image other = twice;
    other["r/artefacts/root.crt"] = base::ToBytes(base::AsBytes(stranger));
    const Image after = recover(other, found);
    CHECK(base::AsText(*after.at("r/artefacts/root.crt")) == "good");
    CHECK(base::AsText(*after.at("r/torn-" + base::Sha256Hex(stranger))) == stranger);
    CHECK(found.finished == std::vector<std::string>{"root.crt"});
    REQUIRE(found.set_aside.size() == 1);
    CHECK(found.set_aside[0].name == "artefacts/root.crt");
    CHECK(found.missing.empty());
  }

  Image folder = twice;
  folder["r/artefacts/root.crt"] = std::nullopt;
  CHECK(base::AsText(*recover(folder, found).at("r/torn-" + digest)) == "good");
  CHECK(found.missing == std::vector<std::string>{"root.crt"});
  REQUIRE(found.set_aside.size() == 1);
  CHECK(found.set_aside[0].name == "artefacts/root.crt.partial");
}

TEST_CASE("an opening that no entry holds is dropped, others stay") {
  Image image = OpenImage([](Writer& writer) {
    const auto nested = [](const char* seal) {
      return json{{"nested", json::array({{{"seal", MarkConfidential(seal)}}})}};
    };
    REQUIRE(writer.Append(EntryType::kObserve, nested("A")).ok());
    REQUIRE(writer.Append(EntryType::kObserve, nested("B")).ok());
  });
  base::Bytes& log = LogOf(image);  // the power goes before the second entry
  log.erase(std::find(log.rbegin() + 1, log.rend(), '\n').base(), log.end());
  const base::Bytes before = *image["r/disclosures.jsonl"];
  image["r/disclosures.jsonl"]->push_back('{');
  CrashModelStorage storage(image);
  TestClock clock;
  REQUIRE(Recover({storage, clock, "r", Mode::kRehearsal}).ok());
  const auto first_line = std::find(before.begin(), before.end(), '\n') + 1;
  CHECK(*storage.Now().at("r/disclosures.jsonl") == base::Bytes(before.begin(), first_line));
}

TEST_CASE("a clock that went back while the program was away is reported") {
  CrashModelStorage storage(OpenImage());
  TestClock clock;
  clock.utc -= 86'400'000'000;
  clock.boot = 5;
  const auto recovered = Recover({storage, clock, "r", Mode::kRehearsal});
  REQUIRE(recovered.ok());
  const auto step = recovered->writer->TakeClockStep();
  REQUIRE(step.has_value());
  CHECK(step->seq == 1);
  CHECK(step->utc_micros - step->expected_micros == -86'400'000'000);
  // Being away for long is no jump.
  CrashModelStorage later(OpenImage());
  TestClock next_day;
  next_day.utc += 86'400'000'000;
  next_day.boot = 5;
  CHECK_FALSE(Recover({later, next_day, "r", Mode::kRehearsal})->writer->TakeClockStep().has_value());
}

}  // namespace
}  // namespace ceremony::record
