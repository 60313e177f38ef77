// Every state that a power cut can leave of a small record, by the model of
// tests/support/crash_model_storage.h, and every state that it can leave of
// the recovery of such a state.
#include <doctest/doctest.h>

#include <set>

#include "ceremony/record/disclosure.h"
#include "ceremony/record/faulty_storage.h"
#include "ceremony/record/recovery.h"
#include "tests/support/crash_model_storage.h"
#include "tests/unit/record/ceremony_fixture.h"

namespace ceremony::record {
namespace {

using nlohmann::json;
using test_support::CrashModelStorage;
using Image = CrashModelStorage::Image;

const std::string kFolder = "0001-alpha";

std::string TextOf(const Image& image, const std::string& name) {
  const auto found = image.find(kFolder + "/" + name);
  return found == image.end() || !found->second.has_value() ? std::string() : std::string(base::AsText(*found->second));
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) return {"not whole"};
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Collects crash states before each changing call.
FaultyStorage::Hook Watch(const CrashModelStorage& model, const std::function<void(const Image&)>& take) {
  return [&model, take](const StorageCall& call) {
    if (call.changes) {
      for (const Image& image : model.CrashStates()) take(image);
      take(model.Now());
    }
    return StorageFault{};
  };
}

struct Moment {
  Image image;
  Promises promises;
};

std::vector<Moment> AllMoments() {
  CrashModelStorage model;
  Promises promises;
  std::vector<Moment> moments;
  std::set<Image> seen;  // the first promises that go with an image are the weakest; later ones need it again
  std::uint64_t seen_for = 0;
  const auto take = [&](const Image& image) {
    const std::uint64_t stamp = promises.entries + promises.artefacts.size() + promises.disclosures + promises.closed +
                                promises.final_checkpoint + promises.cosignatures + promises.addendum;
    if (stamp != seen_for) {
      seen.clear();
      seen_for = stamp;
    }
    if (seen.insert(image).second) moments.push_back({image, promises});
  };
  FaultyStorage storage(model, Watch(model, take));
  TestClock clock;
  REQUIRE(RunCeremony(storage, clock, promises).ok());
  for (const Image& image : model.CrashStates()) take(image);
  return moments;
}

void CheckKept(const Image& after, const Promises& promises) {
  for (const auto& [name, content] : promises.artefacts) CHECK(TextOf(after, "artefacts/" + name) == content);
  for (const auto& [path, content] : after) CHECK_FALSE(path.ends_with(kPartialSuffix));
}

void CheckTornAreNamed(const Image& after, const std::vector<std::string>& lines) {
  std::set<std::string> named;
  for (const std::string& line : lines) {
    const json entry = json::parse(line);
    if (entry["type"] != "recover") continue;
    if (entry["torn"].is_object()) named.insert(entry["torn"]["sha256"].get<std::string>());
    for (const json& file : entry["set_aside"]) named.insert(file["sha256"].get<std::string>());
  }
  std::set<std::string> there;
  for (const auto& [path, content] : after) {
    const std::string prefix = kFolder + "/" + std::string(kTornPrefix);
    if (!path.starts_with(prefix)) continue;
    there.insert(path.substr(prefix.size()));
    CHECK(base::Sha256Hex(base::ByteView(*content)) == path.substr(prefix.size()));
  }
  CHECK(there == named);
}

void CheckDisclosures(const Image& after, const std::vector<std::string>& lines, const Promises& promises) {
  const std::vector<std::string> openings = LinesOf(TextOf(after, "disclosures.jsonl"));
  CHECK(openings.size() >= promises.disclosures);
  for (const std::string& opening : openings) {
    const std::string digest = DigestOfDisclosure(json::parse(opening)["d"].get<std::string>());
    bool held = false;
    for (const std::string& line : lines) held = held || line.find(digest) != std::string::npos;
    CHECK(held);
  }
}

// Recovers an image; `original` are the lines of the undisturbed record.
void CheckRecovery(const Image& image, const Promises& promises, const std::vector<std::string>& original,
                   const std::function<void(const Image&)>& on_crash = {}) {
  CrashModelStorage model(image);
  FaultyStorage storage(
      model, on_crash ? Watch(model, on_crash) : [](const StorageCall&) { return StorageFault{}; });
  TestClock clock;
  clock.utc += 60'000'000;
  std::uint64_t visited = 0;
  auto recovered = Recover({storage, clock, kFolder, Mode::kRehearsal},
                           [&](const json& entry) { CHECK(entry["seq"] == visited++); });
  if (promises.addendum) {
    REQUIRE_FALSE(recovered.ok());
    CHECK(recovered.error().rule == "RECORD-RECOVER-04");
    return;
  }
  if (!recovered.ok()) {
    // Nothing to go on with, or the addendum got there just before.
    const std::string& rule = recovered.error().rule;
    CAPTURE(recovered.error().message);
    if (rule == "RECORD-RECOVER-04") {
      CHECK(promises.cosignatures == 2);
      return;
    }
    CHECK(promises.entries == 0);
    CHECK((rule == "RECORD-RECOVER-02" || recovered.error().code == base::ErrorCode::kNotFound));
    return;
  }
  const Image after = model.Now();
  const std::vector<std::string> lines = LinesOf(TextOf(after, "log.jsonl"));
  CHECK(recovered->entries >= promises.entries);
  CHECK(visited == recovered->entries);
  CHECK(lines.size() == recovered->writer->size());
  for (const std::string& line : lines) REQUIRE(ParseEntry(line).ok());
  std::size_t kept = 0;
  while (kept < std::min(lines.size(), original.size()) && lines[kept] == original[kept]) ++kept;
  CHECK(kept >= promises.entries);
  CHECK(recovered->missing == std::vector<std::string>{});
  CheckKept(after, promises);
  CheckTornAreNamed(after, lines);
  CheckDisclosures(after, lines, promises);
  if (promises.closed) CHECK(recovered->writer->closed());
  if (promises.final_checkpoint) CHECK(recovered->writer->has_final_checkpoint());
  if (recovered->writer->has_final_checkpoint()) {
    CHECK(Note::Parse(TextOf(after, "checkpoint"))->signatures.size() >= 1 + promises.cosignatures);
  }
  // And it goes on from there.
  const auto log_key = TestLogKey();
  if (recovered->writer->closed()) {
    CHECK_FALSE(recovered->recover_seq.has_value());
    if (!recovered->writer->has_final_checkpoint()) CHECK(recovered->writer->FinalCheckpoint(*log_key).ok());
    CHECK(recovered->writer->AddendumText(json::object()).ok());
  } else {
    CHECK(*recovered->recover_seq == recovered->entries);
    CHECK(recovered->writer->Append(EntryType::kNote, {{"text", "goes on"}}).ok());
    CHECK(recovered->writer->Checkpoint(*log_key).ok());
    CHECK(recovered->writer->last_checkpoint()->size == recovered->entries + 2);
  }
}

std::vector<std::string> OriginalLines(const std::vector<Moment>& moments) {
  return LinesOf(TextOf(moments.back().image, "log.jsonl"));
}

TEST_CASE("after a power cut at any moment recovery keeps every entry, artefact and opening that was promised") {
  const std::vector<Moment> moments = AllMoments();
  const std::vector<std::string> original = OriginalLines(moments);
  REQUIRE(original.size() == 14);
  CHECK(moments.size() > 150);
  for (const Moment& moment : moments) CheckRecovery(moment.image, moment.promises, original);
}

TEST_CASE("recovery may itself be cut short at any moment and run again") {
  const std::vector<Moment> moments = AllMoments();
  const std::vector<std::string> original = OriginalLines(moments);
  std::set<Image> again;
  std::vector<Moment> second;
  std::set<Image> first;
  for (const Moment& moment : moments) {
    if (!first.insert(moment.image).second) continue;
    CheckRecovery(moment.image, moment.promises, original, [&](const Image& image) {
      if (again.insert(image).second) second.push_back({image, moment.promises});
    });
  }
  CHECK(second.size() > 500);
  for (const Moment& moment : second) CheckRecovery(moment.image, moment.promises, original);
}

}  // namespace
}  // namespace ceremony::record
