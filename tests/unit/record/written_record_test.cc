#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "ceremony/record/posix_storage.h"
#include "ceremony/record/recovery.h"
#include "ceremony/record/software_signer.h"
#include "ceremony/record/verify.h"
#include "ceremony/record/writer.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "tests/unit/record/scratch.h"

// What the writer writes, seen by the verifier after every single step: valid
// up to there at any time, and complete only with the last signature.

namespace {

using namespace ceremony::record;
using nlohmann::json;

class StepClock final : public base::Clock {
 public:
  std::int64_t UtcMicros() override { return 1'795'238'265'000'000 + 1000 * ++ticks_; }
  std::int64_t BootMicros() override { return 1'000'000 + 1000 * ticks_; }

 private:
  std::int64_t ticks_ = 0;
};

struct Ceremony {
  Ceremony() {
    for (const char* id : {"alice", "bob", "carol"}) {
      people.push_back(SoftwareSigner::Generate(PersonKeyName("smki.example", id),
                                                id[0] == 'b' ? SignatureType::kEd25519 : SignatureType::kEcdsa)
                           .value());
    }
    json roster = {{"format", "keyceremony-roster/1"},
                   {"estate", "smki.example"},
                   {"quorums", {{"custodians", {{"m", 2}, {"role", "custodian"}}}}},
                   {"people", json::array()}};
    std::vector<Policy::Person> persons;
    for (const auto& person : people) {
      const std::string id(person->key().person());
      persons.push_back({id, {person->key()}});
      roster["people"].push_back(
          {{"id", id}, {"roles", {"custodian"}}, {"sign_key", base::Base64Encode(person->key().public_key().spki())}});
    }
    trust = Trust::ParseRoster(roster.dump()).value();
    policy = Policy::OfPeople("custodians", 2, persons).value();
  }

  void Expect(Verdict verdict) const {
    const RecordReport report = VerifyRecord(scratch.path("record"), {&*trust, 1, std::nullopt}).value();
    CHECK(report.verdict == verdict);
    for (const Finding& finding : report.findings) {
      CHECK_MESSAGE(!finding.rule.starts_with("SIG-"), finding.message);
      if (report.verdict == Verdict::kInvalid) MESSAGE(finding.rule << ": " << finding.message);
    }
  }

  void Append(EntryType type, json fields) {
    REQUIRE(writer->Append(type, std::move(fields)).ok());
    Expect(Verdict::kIncomplete);
  }

  Writer::Cosignature Sign(SoftwareSigner& signer, const std::string& text) {
    return {SignText(text, signer).value(), signer.key()};
  }

  void Approve(const std::string& step) {
    const json subject = {{"step", step}};
    const std::uint64_t request = writer->size();
    Append(EntryType::kRequest, {{"step", step},
                                 {"quorum", {{"name", "custodians"}, {"m", 2}, {"n", 3}}},
                                 {"statement", "Go on?"},
                                 {"subject", subject},
                                 {"subject_sha256", base::Sha256Hex(subject.dump())}});
    const Checkpoint checkpoint = writer->Checkpoint(*log_key).value();
    Expect(Verdict::kIncomplete);
    for (const std::size_t person : {0u, 1u}) {
      REQUIRE(
          writer->AppendCosign(people[person]->key().person(), request, Sign(*people[person], checkpoint.Text())).ok());
      Expect(Verdict::kIncomplete);
    }
  }

  void Open() {
    writer = Writer::Create({*storage, clock, "record", Mode::kRehearsal}).value();
    const json script = {
        {"format", "keyceremony-script/1"},
        {"id", "root"},
        {"estate", "smki.example"},
        {"sections",
         {{{"id", "all"}, {"steps", {{{"id", "key"}, {"do", "key.generate"}, {"quorum", "custodians"}}}}}}}};
    const std::string digest = writer->StoreInput("script.json", base::AsBytes(script.dump())).value();
    REQUIRE(writer->StorePolicy(*policy).ok());
    Expect(Verdict::kIncomplete);
    Append(EntryType::kOpen, {{"origin", origin},
                              {"ceremony", "root"},
                              {"log_key", base::Base64Encode(log_key->key().public_key().spki())},
                              {"inputs", {{"script.json", digest}}},
                              {"previous", nullptr},
                              {"program", json::object()},
                              {"tokens", json::array()},
                              {"modules", json::array()}});
    Approve("opening");
    Append(EntryType::kStep, {{"id", "key"},
                              {"do", "key.generate"},
                              {"phase", "begin"},
                              {"parameters", json::object()},
                              {"quorum", "custodians"}});
    Approve("key");
  }

  void Intent() {
    Append(EntryType::kIntent,
           {{"call", 1}, {"fn", "C_GenerateKeyPair"}, {"token", "root"}, {"inventory", std::string(64, '0')}});
  }

  void Close() {
    REQUIRE(writer->WriteArtefact("ca/root.pem", base::AsBytes("pem"), "certificate").ok());
    Expect(Verdict::kIncomplete);
    Append(EntryType::kStep, {{"id", "key"}, {"do", "key.generate"}, {"phase", "end"}, {"calls", json::object()}});
    REQUIRE(writer->Checkpoint(*log_key).ok());
    Expect(Verdict::kIncomplete);
    Append(EntryType::kClose, {{"steps", 1}, {"open_items", json::array()}});
    const Checkpoint final_checkpoint = writer->FinalCheckpoint(*log_key).value();
    Expect(Verdict::kIncomplete);
    for (const std::size_t person : {1u, 2u}) {
      REQUIRE(writer->AddCosignature(Sign(*people[person], final_checkpoint.Text())).ok());
      Expect(Verdict::kIncomplete);
    }
    const std::string text = writer->AddendumText({{"object", "log key"}, {"rv", "CKR_OK"}}).value();
    REQUIRE(writer->PublishAddendum(text, std::vector{Sign(*people[0], text), Sign(*people[2], text)}).ok());
  }

  Scratch scratch;
  StepClock clock;
  std::unique_ptr<PosixStorage> storage = PosixStorage::Open(scratch.path()).value();
  std::string origin = NewOrigin("smki.example", "root").value();
  std::unique_ptr<SoftwareSigner> log_key = SoftwareSigner::Generate(origin, SignatureType::kEcdsa).value();
  std::vector<std::unique_ptr<SoftwareSigner>> people;
  std::optional<Trust> trust;
  std::optional<Policy> policy;
  std::unique_ptr<Writer> writer;
};

}  // namespace

TEST_CASE("what the writer writes is incomplete at every step and complete at the last") {
  Ceremony ceremony;
  ceremony.Open();
  ceremony.Intent();
  ceremony.Append(EntryType::kDone, {{"call", 1},
                                     {"fn", "C_GenerateKeyPair"},
                                     {"token", "root"},
                                     {"rv", "CKR_OK"},
                                     {"inventory", std::string(64, '1')}});
  ceremony.Close();
  ceremony.Expect(Verdict::kComplete);
}

TEST_CASE("a record that was recovered in the middle of a call is complete in the end") {
  Ceremony ceremony;
  ceremony.Open();
  ceremony.Intent();
  ceremony.writer.reset();
  std::ofstream(ceremony.scratch.path("record/log.jsonl"), std::ios::app) << R"({"attributes":{"CKA_)";
  ceremony.Expect(Verdict::kIncomplete);
  base::Result<Recovered> recovered = Recover({*ceremony.storage, ceremony.clock, "record", Mode::kRehearsal});
  REQUIRE(recovered.ok());
  REQUIRE(recovered->torn.has_value());
  ceremony.writer = std::move(recovered->writer);
  ceremony.Expect(Verdict::kIncomplete);
  ceremony.Close();
  ceremony.Expect(Verdict::kComplete);
  const RecordReport report =
      VerifyRecord(ceremony.scratch.path("record"), {&*ceremony.trust, 1, std::nullopt}).value();
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].rule == "REC-SETTLED");
}
