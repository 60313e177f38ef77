#include "ceremony/record/writer.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "ceremony/record/disclosure.h"
#include "ceremony/record/faulty_storage.h"
#include "ceremony/record/posix_storage.h"
#include "ceremony/record/recovery.h"
#include "tests/support/crash_model_storage.h"
#include "tests/unit/record/ceremony_fixture.h"
#include "tests/unit/record/temporary_folder.h"

namespace ceremony::record {
namespace {

using nlohmann::json;
using test_support::CrashModelStorage;

std::string Slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string LogText(CrashModelStorage& storage) {
  const base::Bytes bytes = ReadWholeFile(storage, "r/log.jsonl", 1 << 20).value();
  return std::string(base::AsText(bytes));
}

// A record that is open, in memory.
struct OpenRecord {
  CrashModelStorage storage;
  TestClock clock;
  std::unique_ptr<Writer> writer = Writer::Create({storage, clock, "r", Mode::kRehearsal}).value();
  std::unique_ptr<SoftwareSigner> log_key = TestLogKey();
  OpenRecord() { REQUIRE(writer->Append(EntryType::kOpen, OpenFields()).ok()); }
};

TEST_CASE(
    "a whole ceremony on a real file system has the files of the format, and its addendum is checked by sed and "
    "sha256sum") {
  const TemporaryFolder folder;
  const auto storage = PosixStorage::Open(folder.path()).value();
  TestClock clock;
  Promises promises;
  const auto run = RunCeremony(*storage, clock, promises);
  REQUIRE_MESSAGE(run.ok(), run.error().message);
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "0001-alpha")) {
    if (entry.is_regular_file())
      files.push_back(std::filesystem::relative(entry.path(), folder / "0001-alpha").string());
  }
  std::ranges::sort(files);
  CHECK(files == std::vector<std::string>{"addendum.note", "artefacts/root.crt", "artefacts/shares/alice.json",
                                          "checkpoint", "disclosures.jsonl", "inputs/script.json", "log.jsonl",
                                          "policy.txt"});
  const std::string command =
      "cd '" + (folder / "0001-alpha") + "' && sed '1,2d;/^$/,$d' addendum.note | sha256sum -c --status --strict";
  CHECK(std::system(command.c_str()) == 0);
  const std::string sums =
      "cd '" + (folder / "0001-alpha") +
      "' && test $(sed '1,2d;/^$/,$d' addendum.note | wc -l) = 6 && head -1 addendum.note | grep -qx '" +
      std::string(kTestOrigin) + "/addendum'";
  CHECK(std::system(sums.c_str()) == 0);
  // Files are for their owner alone.
  CHECK((std::filesystem::status(folder / "0001-alpha/log.jsonl").permissions() & std::filesystem::perms(077)) ==
        std::filesystem::perms::none);

  const Note final_note = *Note::Parse(Slurp(folder / "0001-alpha/checkpoint"));
  const Policy policy = *Policy::Parse(Slurp(folder / "0001-alpha/policy.txt"));
  CHECK(policy.Evaluate(VerifyNote(final_note, policy.Keys())->signers).met);
  const Checkpoint checkpoint = *Checkpoint::Parse(final_note.text);
  CompactRange tree;
  std::istringstream log(Slurp(folder / "0001-alpha/log.jsonl"));
  for (std::string line; std::getline(log, line);) tree.Append(Leaf(line));
  CHECK(checkpoint.size == tree.size());
  CHECK(checkpoint.root == tree.Root());
  CHECK(json::parse(Slurp(folder / "0001-alpha/log.jsonl")
                        .substr(0, Slurp(folder / "0001-alpha/log.jsonl").find('\n')))["mode"] == "rehearsal");
}

TEST_CASE("the writer fills in the common fields, and nobody else may") {
  OpenRecord record;
  CHECK(*record.writer->Append(EntryType::kNote, {{"text", "hello"}}) == 1);
  const std::string log = LogText(record.storage);
  const json entry = json::parse(log.substr(log.find('\n') + 1));
  CHECK(entry["v"] == 1);
  CHECK(entry["seq"] == 1);
  CHECK(entry["type"] == "note");
  CHECK(entry["time"] == "2026-11-21T05:17:45.002000Z");
  CHECK(entry["mono"] == 1'000'002'000);
  CHECK(entry["mode"] == "rehearsal");
  CHECK(entry["salt"].get<std::string>().size() == 32);
  CHECK(entry.size() == 8);
  for (const char* field : {"v", "seq", "type", "time", "mono", "salt", "mode"}) {
    const auto refused = record.writer->Append(EntryType::kNote, {{field, 1}});
    CHECK(refused.error().code == base::ErrorCode::kInvalidInput);
  }
  CHECK(record.writer->size() == 2);
}

TEST_CASE("what is refused leaves no byte and poisons nothing") {
  OpenRecord record;
  const std::string before = LogText(record.storage);
  CHECK(record.writer->Append(EntryType::kNote, {{"x", 1.5}}).error().message ==
        "entry field /x: a number is not an integer");
  CHECK(record.writer->Append(EntryType::kArtefact, json::object()).error().code == base::ErrorCode::kInternal);
  CHECK(record.writer->Append(EntryType::kCheckpoint, {{"note", ""}}).error().code == base::ErrorCode::kInternal);
  CHECK(record.writer->Append(EntryType::kOpen, OpenFields()).error().code == base::ErrorCode::kInternal);
  CHECK(record.writer->Append(EntryType::kStep, {{"id", "a"}}).error().message ==
        "entry field /do: missing in an entry of type step, or not a string");
  CHECK(record.writer->WriteArtefact("a", base::AsBytes("x"), "k", {{"bad", 0.5}}).error().code ==
        base::ErrorCode::kInvalidInput);
  CHECK(record.writer->WriteArtefact("../a", base::AsBytes("x"), "k").error().code == base::ErrorCode::kInvalidInput);
  CHECK(record.writer->WriteArtefact("a.partial", base::AsBytes("x"), "k").error().code ==
        base::ErrorCode::kInvalidInput);
  CHECK(record.writer->Append(EntryType::kNote, {{"a", MarkConfidential(1.5)}}).error().code ==
        base::ErrorCode::kInvalidInput);
  CHECK(record.writer->WriteArtefact("a", base::AsBytes("x"), "k", {{"big", std::string(65400, 'x')}}).error().code ==
        base::ErrorCode::kInvalidInput);
  CHECK(LogText(record.storage) == before);
  CHECK(record.storage.List("r/artefacts")->empty());
  CHECK_FALSE(record.writer->failure().has_value());
  CHECK(record.writer->Append(EntryType::kNote, json::object()).ok());
}

TEST_CASE("the first entry is open, with an origin that can be one") {
  CrashModelStorage storage;
  TestClock clock;
  const auto writer = Writer::Create({storage, clock, "r", Mode::kProduction}).value();
  CHECK(writer->Append(EntryType::kNote, json::object()).error().code == base::ErrorCode::kInternal);
  json fields = OpenFields();
  fields["origin"] = "nonsense";
  CHECK(writer->Append(EntryType::kOpen, fields).error().code == base::ErrorCode::kInvalidInput);
  CHECK(writer->Append(EntryType::kOpen, OpenFields()).ok());
  CHECK(writer->origin() == kTestOrigin);
  CHECK(writer->StoreInput("late.json", base::AsBytes("")).error().code == base::ErrorCode::kInternal);
}

TEST_CASE("an existing output is refused before anything is written") {
  OpenRecord record;
  REQUIRE(record.writer->CheckOutputFree("root.crt").ok());
  REQUIRE(record.writer->WriteArtefact("root.crt", base::AsBytes("one"), "certificate").ok());
  const std::uint64_t size = record.writer->size();
  CHECK(record.writer->CheckOutputFree("root.crt").error().rule == "RECORD-OUT-01");
  CHECK(record.writer->WriteArtefact("root.crt", base::AsBytes("two"), "certificate").error().rule == "RECORD-OUT-01");
  CHECK(record.writer->size() == size);
  CHECK(base::AsText(*ReadWholeFile(record.storage, "r/artefacts/root.crt", 100)) == "one");
  // A file in the way of a folder.
  CHECK(record.writer->WriteArtefact("root.crt/a", base::AsBytes("x"), "k").error().code ==
        base::ErrorCode::kInvalidInput);
  CHECK_FALSE(record.writer->failure().has_value());
}

TEST_CASE("inputs and policy are stored once") {
  CrashModelStorage storage;
  TestClock clock;
  const auto writer = Writer::Create({storage, clock, "", Mode::kRehearsal}).value();
  CHECK(*writer->StoreInput("script.json", base::AsBytes("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(writer->StoreInput("script.json", base::AsBytes("abd")).error().rule == "RECORD-OUT-01");
  CHECK(writer->StoreInput("a/b", base::AsBytes("abd")).error().code == base::ErrorCode::kInvalidInput);
  REQUIRE(writer->StorePolicy(*Policy::Parse("quorum none\n")).ok());
  CHECK(writer->StorePolicy(*Policy::Parse("quorum none\n")).error().rule == "RECORD-OUT-01");
  CHECK(base::AsText(*ReadWholeFile(storage, "policy.txt", 100)) == "quorum none\n");
}

TEST_CASE("a jump of the clock is reported once and written as it was; the boot clock never goes back") {
  OpenRecord record;
  REQUIRE(record.writer->Append(EntryType::kNote, json::object()).ok());
  CHECK_FALSE(record.writer->TakeClockStep().has_value());
  record.clock.utc -= 3'600'000'000;
  record.clock.boot -= 5'000'000;
  REQUIRE(record.writer->Append(EntryType::kNote, json::object()).ok());
  const auto step = record.writer->TakeClockStep();
  REQUIRE(step.has_value());
  CHECK(step->seq == 2);
  CHECK(step->utc_micros == step->expected_micros - 3'600'000'000 + 1000);
  CHECK_FALSE(record.writer->TakeClockStep().has_value());
  const std::string log = LogText(record.storage);
  const json last = json::parse(log.substr(log.rfind('\n', log.size() - 2) + 1));
  CHECK(last["time"] == "2026-11-21T04:17:45.003000Z");
  CHECK(last["mono"] == 1'000'002'000);
}

TEST_CASE("a checkpoint entry covers exactly the entries before it and carries the log key's signature") {
  OpenRecord record;
  for (int i = 0; i < 5; ++i)
    REQUIRE(record.writer->Append(EntryType::kNote, {{"text", std::string(static_cast<std::size_t>(i) * 13000, 'x')}})
                .ok());
  const auto checkpoint = record.writer->Checkpoint(*record.log_key);
  REQUIRE(checkpoint.ok());
  CHECK(checkpoint->size == 6);
  CompactRange tree;
  std::istringstream log(LogText(record.storage));
  std::string line;
  for (int i = 0; i < 6; ++i) {
    std::getline(log, line);
    tree.Append(Leaf(line));
  }
  CHECK(checkpoint->root == tree.Root());
  std::getline(log, line);
  const json entry = json::parse(line);
  CHECK(entry["seq"] == 6);
  const Note note = *Note::Parse(entry["note"].get<std::string>());
  CHECK(VerifyNote(note, {&record.log_key->key(), 1})->signers.size() == 1);
  CHECK(note.text == checkpoint->Text());
}

TEST_CASE("only the log key that the open entry names signs checkpoints") {
  OpenRecord record;
  CHECK(record.writer->Checkpoint(*TestSigner(std::string(kTestOrigin), kTestKeys[1])).error().code ==
        base::ErrorCode::kInvalidInput);
  CHECK(record.writer->Checkpoint(*TestSigner("test.example/alice", kTestKeys[0])).error().code ==
        base::ErrorCode::kInvalidInput);
  CHECK(record.writer->size() == 1);
}

TEST_CASE("a log that changed on disk is not signed, and ends the ceremony") {
  const TemporaryFolder folder;
  const auto storage = PosixStorage::Open(folder.path()).value();
  for (const char* change : {"flip", "append", "cut", "same-size-two-lines"}) {
    CAPTURE(change);
    const std::string name = std::string("r-") + change;
    TestClock clock;
    const auto writer = Writer::Create({*storage, clock, name, Mode::kRehearsal}).value();
    REQUIRE(writer->Append(EntryType::kOpen, OpenFields()).ok());
    const std::string path = folder / (name + "/log.jsonl");
    std::string log = Slurp(path);
    if (std::string_view(change) == "flip") log[log.size() / 2] ^= 1;
    if (std::string_view(change) == "append") log += "{}\n";
    if (std::string_view(change) == "cut") log.resize(log.size() - 1);
    if (std::string_view(change) == "same-size-two-lines") log[10] = '\n';
    std::ofstream(path, std::ios::binary | std::ios::trunc) << log;
    const auto checkpoint = writer->Checkpoint(*TestLogKey());
    REQUIRE_FALSE(checkpoint.ok());
    CHECK(checkpoint.error().code == base::ErrorCode::kIo);
    CHECK(checkpoint.error().message.find("is not what was written") != std::string::npos);
    CHECK(writer->Append(EntryType::kNote, json::object()).error().message == checkpoint.error().message);
  }
}

TEST_CASE("a change of an entry that is already under a checkpoint is seen at the final one") {
  const TemporaryFolder folder;
  const auto storage = PosixStorage::Open(folder.path()).value();
  TestClock clock;
  const auto writer = Writer::Create({*storage, clock, "r", Mode::kRehearsal}).value();
  REQUIRE(writer->Append(EntryType::kOpen, OpenFields()).ok());
  REQUIRE(writer->Checkpoint(*TestLogKey()).ok());
  std::fstream(folder / "r/log.jsonl", std::ios::in | std::ios::out | std::ios::binary).seekp(40).put('#');
  REQUIRE(writer->Checkpoint(*TestLogKey()).ok());
  REQUIRE(writer->Append(EntryType::kClose, {{"steps", 0}, {"open_items", json::array()}}).ok());
  CHECK(writer->FinalCheckpoint(*TestLogKey()).error().code == base::ErrorCode::kIo);
  CHECK_FALSE(std::filesystem::exists(folder / "r/checkpoint"));
}

TEST_CASE("a cosignature is taken only when it fits the request, the person and the text") {
  OpenRecord record;
  REQUIRE(record.writer
              ->Append(EntryType::kRequest, {{"step", "s"},
                                             {"quorum", json::object()},
                                             {"statement", "x"},
                                             {"subject", json::object()},
                                             {"subject_sha256", base::Sha256Hex("{}")}})
              .ok());
  const auto alice = TestSigner("test.example/alice", kTestKeys[1]);
  const auto sign = [&](const std::string& text) { return Writer::Cosignature{*SignText(text, *alice), alice->key()}; };
  CHECK(record.writer->AppendCosign("alice", 1, sign("x\n")).error().message ==
        "no checkpoint covers the request in entry 1");
  const Checkpoint checkpoint = *record.writer->Checkpoint(*record.log_key);
  CHECK(record.writer->AppendCosign("alice", 0, sign(checkpoint.Text())).error().message == "entry 0 is no request");
  CHECK(record.writer->AppendCosign("bob", 1, sign(checkpoint.Text())).error().code == base::ErrorCode::kInvalidInput);
  CHECK(record.writer->AppendCosign("alice", 1, sign("another\n")).error().code == base::ErrorCode::kCorrupt);
  CHECK(record.writer->size() == 3);
  REQUIRE(record.writer->AppendCosign("alice", 1, sign(checkpoint.Text())).ok());
  const std::string log = LogText(record.storage);
  const json entry = json::parse(log.substr(log.rfind('\n', log.size() - 2) + 1));
  CHECK(entry["person"] == "alice");
  CHECK(entry["request"] == 1);
  CHECK(entry["size"] == 2);
  CHECK(SignatureLine::Parse(entry["line"].get<std::string>())->IsBy(alice->key()));
}

TEST_CASE("the end of a record goes in order and each key signs once") {
  OpenRecord record;
  const auto alice = TestSigner("test.example/alice", kTestKeys[1]);
  CHECK(record.writer->FinalCheckpoint(*record.log_key).error().code == base::ErrorCode::kInternal);
  REQUIRE(record.writer->Append(EntryType::kClose, {{"steps", 0}, {"open_items", json::array()}}).ok());
  const std::string log = LogText(record.storage);
  CHECK(json::parse(log.substr(log.find('\n') + 1))["entries"] == 2);
  CHECK(record.writer->Append(EntryType::kNote, json::object()).error().code == base::ErrorCode::kInternal);
  CHECK(record.writer->Checkpoint(*record.log_key).error().code == base::ErrorCode::kInternal);
  CHECK(record.writer->AddendumText(json::object()).error().code == base::ErrorCode::kInternal);
  const Checkpoint last = *record.writer->FinalCheckpoint(*record.log_key);
  CHECK(last.size == 2);
  CHECK(record.writer->FinalCheckpoint(*record.log_key).error().code == base::ErrorCode::kInternal);
  const Writer::Cosignature cosignature{*SignText(last.Text(), *alice), alice->key()};
  REQUIRE(record.writer->AddCosignature(cosignature).ok());
  CHECK(record.writer->AddCosignature(cosignature).error().rule == "RECORD-COSIGN-01");
  CHECK(record.writer->AddCosignature({*SignText("x\n", *alice), alice->key()}).error().code ==
        base::ErrorCode::kCorrupt);

  const std::string text = *record.writer->AddendumText({{"b", 1}, {"a", 2}});
  CHECK(text.starts_with(std::string(kTestOrigin) + "/addendum\n{\"a\":2,\"b\":1}\n"));
  CHECK(record.writer->PublishAddendum(text, {}).error().code == base::ErrorCode::kInvalidInput);
  const std::vector<Writer::Cosignature> twice(2, {*SignText(text, *alice), alice->key()});
  CHECK(record.writer->PublishAddendum(text, twice).error().code == base::ErrorCode::kInvalidInput);
  const std::string other = text + std::string(64, '0') + "  zzz\n";
  CHECK(
      record.writer->PublishAddendum(other, std::vector<Writer::Cosignature>{{*SignText(other, *alice), alice->key()}})
          .error()
          .code == base::ErrorCode::kInvalidInput);
  REQUIRE(record.writer->PublishAddendum(text, std::span(twice).first(1)).ok());
  CHECK(record.writer->has_addendum());
  CHECK(record.writer->PublishAddendum(text, std::span(twice).first(1)).error().code == base::ErrorCode::kInternal);
}

TEST_CASE("a strange file in the record's folder stops the addendum") {
  const TemporaryFolder folder;
  const auto storage = PosixStorage::Open(folder.path()).value();
  TestClock clock;
  const auto writer = Writer::Create({*storage, clock, "r", Mode::kRehearsal}).value();
  REQUIRE(writer->Append(EntryType::kOpen, OpenFields()).ok());
  REQUIRE(writer->Append(EntryType::kClose, {{"steps", 0}, {"open_items", json::array()}}).ok());
  REQUIRE(writer->FinalCheckpoint(*TestLogKey()).ok());
  for (const std::string name : {"a b", "new\nline", ".hidden"}) {
    std::ofstream(folder / ("r/" + name)) << "x";
    CHECK(writer->AddendumText(json::object()).error().rule == "RECORD-ADDENDUM-01");
    std::filesystem::remove(folder / ("r/" + name));
  }
  std::filesystem::create_symlink("log.jsonl", folder / "r/link");
  CHECK(writer->AddendumText(json::object()).error().rule == "RECORD-ADDENDUM-01");
  std::filesystem::remove(folder / "r/link");
  CHECK(writer->AddendumText(json::object()).ok());
}

TEST_CASE("confidential values are in the disclosures and their digest in the entry") {
  OpenRecord record;
  const auto hidden = [](const char* seal) { return json{{"seal", MarkConfidential(seal)}}; };
  REQUIRE(
      record.writer->Append(EntryType::kObserve, {{"deep", hidden("A-4711")}, {"list", {1, hidden("B-4711")}}}).ok());
  const std::string log = LogText(record.storage);
  CHECK(log.find("4711") == std::string::npos);
  CHECK(log.find(kConfidentialMark) == std::string::npos);
  const json entry = json::parse(log.substr(log.find('\n') + 1));
  std::istringstream openings(std::string(base::AsText(*ReadWholeFile(record.storage, "r/disclosures.jsonl", 1000))));
  for (const json& held : {entry["deep"], entry["list"][1]}) {
    std::string line;
    REQUIRE(std::getline(openings, line));
    const auto d = json::parse(line)["d"].get<std::string>();
    CHECK(held == json{{"seal", {{"_sd", DigestOfDisclosure(d)}}}});
    CHECK(OpenDisclosure(d)->name == "seal");
  }
}

TEST_CASE("an entry that is refused leaves no opening behind, and no confidential value is entered in clear") {
  OpenRecord record;
  const std::string before = LogText(record.storage);
  const auto refused = [&](EntryType type, json fields) {
    fields["seal"] = MarkConfidential("A-4711");
    CHECK(record.writer->Append(type, std::move(fields)).error().code == base::ErrorCode::kInvalidInput);
    CHECK_FALSE(record.storage.Find("r/disclosures.jsonl")->has_value());
    CHECK(LogText(record.storage) == before);
  };
  const json mark = MarkConfidential("B");
  refused(EntryType::kStep, {{"id", "a"}});                        // a required field is missing
  refused(EntryType::kNote, {{"text", std::string(65400, 'x')}});  // no line holds it with the common fields
  refused(EntryType::kNote, {{"seal2", MarkConfidential(std::string(49200, 'x'))}});  // nor the opening
  refused(EntryType::kNote, {{"list", json::array({mark})}});
  refused(EntryType::kNote, {{"two", {{kConfidentialMark, 1}, {"more", 2}}}});
  refused(EntryType::kNote, {{"deep", MarkConfidential({{"in", mark}})}});
  refused(EntryType::kNote, {{kConfidentialMark, "C"}});
  refused(EntryType::kNote, {{"sd", MarkConfidential({{"_sd", DigestOfDisclosure("x")}})}});
  CHECK_FALSE(record.writer->failure().has_value());
  CHECK(record.writer->Append(EntryType::kNote, {{"most", MarkConfidential(std::string(49000, 'x'))}}).ok());
}

TEST_CASE("no more is kept confidential than a verifier reads") {
  OpenRecord record;
  {
    const auto file = record.storage.CreateNew("r/disclosures.jsonl", Storage::Lock::kNone).value();
    REQUIRE(file->Append(base::Bytes((32u << 20) - 500, 'x')).ok());
  }
  const std::string before = LogText(record.storage);
  const auto large = record.writer->Append(EntryType::kNote, {{"a", MarkConfidential(std::string(500, 'x'))}});
  CHECK(large.error().code == base::ErrorCode::kInvalidInput);
  CHECK(LogText(record.storage) == before);
  CHECK(record.writer->Append(EntryType::kNote, {{"a", MarkConfidential("x")}}).ok());
}

TEST_CASE("a second writer is told who holds the record") {
  const TemporaryFolder folder;
  const auto storage = PosixStorage::Open(folder.path()).value();
  TestClock clock;
  const auto writer = Writer::Create({*storage, clock, "r", Mode::kRehearsal}).value();
  REQUIRE(writer->Append(EntryType::kOpen, OpenFields()).ok());
  const std::string holder = "r/log.jsonl is being written by process " + std::to_string(getpid());
  const auto other = PosixStorage::Open(folder.path()).value();
  for (const base::Error& error : {Writer::Create({*other, clock, "r", Mode::kRehearsal}).error(),
                                   Recover({*other, clock, "r", Mode::kRehearsal}).error()}) {
    CHECK(error.rule == "RECORD-LOCK-01");
    CHECK(error.code == base::ErrorCode::kRefused);
    CHECK((error.message.ends_with(holder) || error.message.ends_with("another process")));
  }
}

TEST_CASE("a folder that is not empty is no place for a new record") {
  CrashModelStorage storage(CrashModelStorage::Image{{"r", std::nullopt}, {"r/x", base::Bytes{}}, {"e", std::nullopt}});
  TestClock clock;
  CHECK(Writer::Create({storage, clock, "r", Mode::kRehearsal}).error().rule == "RECORD-CREATE-01");
  CHECK(Writer::Create({storage, clock, "e", Mode::kRehearsal}).ok());
  CHECK(Writer::Create({storage, clock, "e", Mode::kRehearsal}).error().rule == "RECORD-CREATE-01");
  CHECK(Writer::Create({storage, clock, "no/such", Mode::kRehearsal}).error().code == base::ErrorCode::kNotFound);
}

TEST_CASE("any failed storage call ends the ceremony with that error, and recovery completes or explains") {
  std::uint64_t calls = 0;
  {
    CrashModelStorage model;
    FaultyStorage storage(model, [](const StorageCall&) { return StorageFault{}; });
    TestClock clock;
    Promises promises;
    REQUIRE(RunCeremony(storage, clock, promises).ok());
    calls = storage.calls();
  }
  CHECK(calls > 100);
  for (const int error_number : {EIO, ENOSPC, EROFS}) {
    for (std::uint64_t i = 0; i < calls; ++i) {
      CAPTURE(i);
      CrashModelStorage model;
      TestClock clock;
      Promises promises;
      {
        FaultyStorage storage(model, FaultyStorage::FailAt(i, error_number));
        const auto run = RunCeremony(storage, clock, promises);
        REQUIRE_FALSE(run.ok());
        CHECK(run.error().code == base::ErrorCode::kIo);
      }
      const auto recovered = Recover({model, clock, "0001-alpha", Mode::kRehearsal});
      if (!recovered.ok()) {
        CAPTURE(recovered.error().message);
        const bool complete = recovered.error().rule == "RECORD-RECOVER-04";
        const bool nothing = promises.entries == 0 && (recovered.error().rule == "RECORD-RECOVER-02" ||
                                                       recovered.error().code == base::ErrorCode::kNotFound);
        CHECK((complete || nothing));
        continue;
      }
      CHECK(recovered->entries >= promises.entries);
      CHECK(recovered->missing.empty());
    }
  }
}

TEST_CASE("after a failed write or sync every later call returns that same error") {
  for (const char* name : {"append", "sync"}) {
    CrashModelStorage model;
    bool armed = false;
    FaultyStorage storage(model, [&](const StorageCall& call) {
      return StorageFault{armed && call.name == name ? ENOSPC : 0,
                          call.name == "append" ? std::optional<std::size_t>(7) : std::nullopt};
    });
    TestClock clock;
    const auto writer = Writer::Create({storage, clock, "r", Mode::kRehearsal}).value();
    REQUIRE(writer->Append(EntryType::kOpen, OpenFields()).ok());
    armed = true;
    const auto failed = writer->Append(EntryType::kNote, json::object());
    CHECK(failed.error().code == base::ErrorCode::kIo);
    CHECK(failed.error().call == name);
    CHECK_FALSE(failed.error().hint.empty());
    armed = false;
    const std::string message = failed.error().message;
    CHECK(writer->Append(EntryType::kNote, json::object()).error().message == message);
    CHECK(writer->Checkpoint(*TestLogKey()).error().message == message);
    CHECK(writer->WriteArtefact("a", base::AsBytes("x"), "k").error().message == message);
    CHECK(writer->Append(EntryType::kNote, {{"a", MarkConfidential(1)}}).error().message == message);
    CHECK(writer->failure()->message == message);
  }
}

TEST_CASE("a process killed in the middle leaves a record that recovers") {
  // fork, and die by SIGKILL before every 7th changing call.
  for (std::uint64_t at = 5; at < 120; at += 7) {
    CAPTURE(at);
    const TemporaryFolder folder;
    const pid_t child = fork();
    if (child == 0) {
      const auto real = PosixStorage::Open(folder.path()).value();
      FaultyStorage storage(*real, [&](const StorageCall& call) {
        if (call.index == at) kill(getpid(), SIGKILL);
        return StorageFault{};
      });
      TestClock clock;
      Promises promises;
      const bool ok = RunCeremony(storage, clock, promises).ok();
      _exit(ok ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE((WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0)));
    const auto storage = PosixStorage::Open(folder.path()).value();
    TestClock clock;
    const auto recovered = Recover({*storage, clock, "0001-alpha", Mode::kRehearsal});
    if (recovered.ok()) {
      CHECK(recovered->missing.empty());
      CHECK(recovered->writer->size() >= 1);
    } else {
      CAPTURE(recovered.error().message);
      CHECK((recovered.error().rule == "RECORD-RECOVER-02" || recovered.error().rule == "RECORD-RECOVER-04" ||
             recovered.error().code == base::ErrorCode::kNotFound));
    }
  }
}

}  // namespace
}  // namespace ceremony::record
