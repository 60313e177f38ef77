// A small ceremony on any storage, step by step, so that tests can stop it anywhere.
#ifndef TESTS_UNIT_RECORD_CEREMONY_FIXTURE_H_
#define TESTS_UNIT_RECORD_CEREMONY_FIXTURE_H_

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "ceremony/record/disclosure.h"
#include "ceremony/record/writer.h"
#include "hsm/base/clock.h"
#include "tests/unit/record/test_keys.h"

namespace ceremony::record {

// TestClock moves a millisecond at each look, and where a test puts it.
class TestClock final : public base::Clock {
 public:
  std::int64_t UtcMicros() override { return utc += 1000; }
  std::int64_t BootMicros() override { return boot += 1000; }
  std::int64_t utc = 1'795'238'265'000'000;  // 2026-11-21T05:17:45Z
  std::int64_t boot = 1'000'000'000;
};

inline constexpr std::string_view kTestOrigin = "test.example/alpha/00112233445566778899aabbccddeeff";

inline std::unique_ptr<SoftwareSigner> TestLogKey() { return TestSigner(std::string(kTestOrigin), kTestKeys[0]); }

inline nlohmann::json OpenFields() {
  return {{"origin", kTestOrigin},
          {"ceremony", "alpha"},
          {"log_key", base::Base64Encode(TestLogKey()->key().public_key().spki())},
          {"inputs", nlohmann::json::object()},
          {"previous", nullptr},
          {"program", {{"name", "keyceremony"}}},
          {"tokens", nlohmann::json::array()},
          {"modules", nlohmann::json::array()}};
}

// What has been promised: calls that returned success.
struct Promises {
  std::uint64_t entries = 0;
  std::map<std::string, std::string> artefacts;  // name -> content
  std::size_t disclosures = 0;                   // that an entry holds
  bool closed = false;
  bool final_checkpoint = false;
  std::size_t cosignatures = 0;
  bool addendum = false;
};

// RunCeremony writes a whole record; after each call that returned, `promises`
// is brought up to date. It stops at the first error and returns it.
inline base::Result<void> RunCeremony(Storage& storage, base::Clock& clock, Promises& promises,
                                      const std::string& folder = "0001-alpha") {
  KC_ASSIGN_OR_RETURN(const std::unique_ptr<Writer> writer, Writer::Create({storage, clock, folder, Mode::kRehearsal}));
  const auto log_key = TestLogKey();
  const auto alice = TestSigner("test.example/alice", kTestKeys[1]);
  const auto bob = TestSigner("test.example/bob", kTestKeys[2]);
  const auto append = [&](EntryType type, nlohmann::json fields) -> base::Result<void> {
    KC_RETURN_IF_ERROR(writer->Append(type, std::move(fields)));
    promises.entries = writer->size();
    return {};
  };
  const auto checkpoint = [&]() -> base::Result<void> {
    KC_RETURN_IF_ERROR(writer->Checkpoint(*log_key));
    promises.entries = writer->size();
    return {};
  };
  const auto artefact = [&](const std::string& name, const std::string& content) -> base::Result<void> {
    KC_RETURN_IF_ERROR(writer->WriteArtefact(name, base::AsBytes(content), "test"));
    promises.artefacts[name] = content;
    promises.entries = writer->size();
    return {};
  };
  KC_RETURN_IF_ERROR(writer->StoreInput("script.json", base::AsBytes("{}\n")));
  const std::vector<Policy::Person> people = {{"alice", {alice->key()}}, {"bob", {bob->key()}}};
  KC_RETURN_IF_ERROR(writer->StorePolicy(*Policy::OfPeople("custodians", 2, people)));
  KC_RETURN_IF_ERROR(append(EntryType::kOpen, OpenFields()));
  const nlohmann::json subject = nlohmann::json::object();
  KC_RETURN_IF_ERROR(append(EntryType::kRequest, {{"step", "open"},
                                                  {"quorum", {{"name", "custodians"}, {"m", 2}, {"n", 2}}},
                                                  {"statement", "begin"},
                                                  {"subject", subject},
                                                  {"subject_sha256", base::Sha256Hex("{}")}}));
  KC_RETURN_IF_ERROR(checkpoint());
  for (const auto* signer : {&alice, &bob}) {
    KC_ASSIGN_OR_RETURN(SignatureLine line, SignText(writer->last_checkpoint()->Text(), **signer));
    KC_RETURN_IF_ERROR(writer->AppendCosign((*signer)->key().person(), 1, {std::move(line), (*signer)->key()}));
    promises.entries = writer->size();
  }
  KC_RETURN_IF_ERROR(append(
      EntryType::kStep, {{"id", "s1"}, {"do", "key.generate"}, {"phase", "begin"}, {"parameters", {{"key", "root"}}}}));
  const std::string inventory(64, '0');
  KC_RETURN_IF_ERROR(append(EntryType::kIntent,
                            {{"call", 1}, {"fn", "C_GenerateKeyPair"}, {"token", "hsm-1"}, {"inventory", inventory}}));
  KC_RETURN_IF_ERROR(append(
      EntryType::kDone,
      {{"call", 1}, {"fn", "C_GenerateKeyPair"}, {"token", "hsm-1"}, {"rv", "CKR_OK"}, {"inventory", inventory}}));
  KC_RETURN_IF_ERROR(append(EntryType::kObserve, {{"seal", MarkConfidential("A-4711")}}));
  promises.disclosures = 1;
  KC_RETURN_IF_ERROR(artefact("root.crt", "certificate bytes"));
  KC_RETURN_IF_ERROR(artefact("shares/alice.json", std::string(3000, 's')));
  KC_RETURN_IF_ERROR(
      append(EntryType::kStep,
             {{"id", "s1"}, {"do", "key.generate"}, {"phase", "end"}, {"calls", {{"count", 1}, {"microseconds", 5}}}}));
  KC_RETURN_IF_ERROR(checkpoint());
  KC_RETURN_IF_ERROR(append(EntryType::kClose, {{"steps", 1}, {"open_items", nlohmann::json::array()}}));
  promises.closed = true;
  KC_RETURN_IF_ERROR(writer->FinalCheckpoint(*log_key));
  promises.final_checkpoint = true;
  for (const auto* signer : {&alice, &bob}) {
    KC_ASSIGN_OR_RETURN(SignatureLine line, SignText(writer->last_checkpoint()->Text(), **signer));
    KC_RETURN_IF_ERROR(writer->AddCosignature({std::move(line), (*signer)->key()}));
    ++promises.cosignatures;
  }
  KC_ASSIGN_OR_RETURN(const std::string text, writer->AddendumText({{"object", "log key"}, {"rv", "CKR_OK"}}));
  std::vector<Writer::Cosignature> lines;
  for (const auto* signer : {&alice, &bob}) {
    KC_ASSIGN_OR_RETURN(SignatureLine line, SignText(text, **signer));
    lines.push_back({std::move(line), (*signer)->key()});
  }
  KC_RETURN_IF_ERROR(writer->PublishAddendum(text, lines));
  promises.addendum = true;
  return {};
}

}  // namespace ceremony::record

#endif  // TESTS_UNIT_RECORD_CEREMONY_FIXTURE_H_
