// The request that leaves the room, and what a custodian's own machine makes of it.
#include "ceremony/quorum/approval_file.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "ceremony/record/entry.h"
#include "hsm/base/digest.h"
#include "tests/unit/quorum/people.h"

using namespace credential;
using ceremony::quorum::CheckApprovalFile;
using ceremony::quorum::ParseApprovalFile;
using ceremony::quorum::RecordProof;
using ceremony::quorum::WriteApprovalFile;
using ceremony::record::Note;
using ceremony::record::SignText;
using nlohmann::json;

namespace {

// A log of entries, and the checkpoints over its beginnings.
class Log final {
 public:
  void Append(const char* type, json fields) {
    fields["type"] = type;
    fields["v"] = 1;
    fields["seq"] = size_;
    fields["time"] = "2026-11-21T10:00:00.000000Z";
    fields["mono"] = size_;
    fields["salt"] = "00112233445566778899aabbccddeeff";
    fields["mode"] = "production";
    const std::string line = Good(ceremony::record::Canonicalise(fields));
    tree_.Append(ceremony::record::Leaf(line));
    text_ += line + "\n";
    ++size_;
  }
  void Request(const std::string& statement, const json& subject) {
    Append("request", {{"step", "make-root"},
                       {"quorum", {{"name", "custodians"}, {"m", 3}, {"n", 5}}},
                       {"statement", statement},
                       {"subject", subject},
                       {"subject_sha256", base::Sha256Hex(Good(ceremony::record::CanonicaliseValue(subject)))}});
  }
  std::string Checkpoint() {
    ceremony::record::Checkpoint checkpoint;
    checkpoint.origin = kOrigin;
    checkpoint.size = size_;
    checkpoint.root = tree_.Root();
    Note note{checkpoint.Text(), {Good(SignText(checkpoint.Text(), *SignerOf("alice", 0)))}};
    Append("checkpoint", {{"note", note.Serialise()}});
    return checkpoint.Text();
  }
  void Cosign(std::uint64_t size) {
    Append("cosign", {{"person", "alice"}, {"request", 0}, {"size", size}, {"line", "— a b"}});
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::uint64_t size_ = 0;
  ceremony::record::CompactRange tree_;
};

ceremony::script::LoadedFile FileOf(std::string bytes) {
  ceremony::script::LoadedFile file;
  file.name = "request.json";
  file.sha256 = base::Sha256Hex(bytes);
  file.bytes = std::move(bytes);
  return file;
}

const json kSubject = {{"token", "root-hsm"}, {"serial", "4f2a"}, {"algorithm", "ec-p256"}};

// Two requests; the first was cosigned.
struct Ceremony {
  Log log;
  std::string first;
  std::string second;
  Ceremony() {
    log.Append("note", {{"text", "the beginning"}});
    log.Request("Open the ceremony", {{"a", 1}});
    first = log.Checkpoint();
    log.Cosign(2);
    log.Request("Make the root key", kSubject);
    second = log.Checkpoint();
    log.Cosign(5);
  }
};

}  // namespace

TEST_CASE("a request proves what it asks for and that it extends what was signed before") {
  const Ceremony ceremony;
  const RecordProof file =
      Good(ParseApprovalFile(FileOf(Good(WriteApprovalFile(ceremony.second, ceremony.log.text())))));
  CHECK(file.text == ceremony.second);
  CHECK(file.index == 4);
  const auto words = Good(CheckApprovalFile(file));
  CHECK(words.origin == kOrigin);
  CHECK(words.mode == "production");
  CHECK(words.checkpoint->size == 5);
  CHECK(words.step == "make-root");
  CHECK(words.statement == "Make the root key");
  CHECK(words.quorum == "3 of 5 (custodians)");
  CHECK(words.subject == kSubject);
  REQUIRE(file.extensions.size() == 1);
  CHECK(file.extensions[0].size == 2);
  const auto first = Good(ceremony::record::Checkpoint::Parse(ceremony.first));
  CHECK(ceremony::record::VerifyConsistency(2, first.root, 5, words.checkpoint->root, file.extensions[0].proof).ok());
}

TEST_CASE("a request that shows other words than the record has is refused") {
  const Ceremony ceremony;
  const std::string whole = Good(WriteApprovalFile(ceremony.second, ceremony.log.text()));
  const auto verdict = [](const std::string& text) { return CheckApprovalFile(Good(ParseApprovalFile(FileOf(text)))); };
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = whole;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  CHECK(Bad(verdict(replaced("Make the root key", "Make the toor key"))).rule == "CRED-14");
  CHECK(Bad(verdict(replaced("\"index\": 4", "\"index\": 3"))).rule == "CRED-14");
  json without = json::parse(whole);
  without.erase("entry");
  CHECK(Bad(verdict(without.dump())).message == "the request does not hold the entry that says what is asked for");
  // An entry that is in the record but asks for nothing.
  json other = json::parse(whole);
  other["text"] = ceremony.first.substr(0, ceremony.first.size() - 1);
  CHECK(Bad(verdict(other.dump())).rule == "CRED-14");
  other["text"] = "hello";
  CHECK(Bad(verdict(other.dump())).message ==
        "the text to be signed is neither a checkpoint nor the addendum of a record");
  other["format"] = "keyceremony-approval/2";
  CHECK(Bad(ParseApprovalFile(FileOf(other.dump()))).rule == "INPUT-13");
  other = json::parse(whole);
  other["entry"]["inclusion"][0] = "AAAA";
  CHECK(Bad(ParseApprovalFile(FileOf(other.dump()))).message ==
        "a hash of the proof of the entry has 3 bytes, expected 32");
}

TEST_CASE("a log that is not the one that was signed is not sent out") {
  const Ceremony ceremony;
  std::string log = ceremony.log.text();
  log[log.find("root-hsm")] = 'R';
  CHECK(Bad(WriteApprovalFile(ceremony.second, log)).code == base::ErrorCode::kCorrupt);
  CHECK(Bad(WriteApprovalFile(ceremony.second, "")).message ==
        "the log of 0 entries has not the root of its checkpoint over 5");
}

TEST_CASE("an addendum goes out alone, and says of what it is one") {
  const std::string text =
      std::string(kOrigin) + "/addendum\n{\"absent\":true}\n" + std::string(64, 'a') + "  log.jsonl\n";
  const auto words = Good(CheckApprovalFile(Good(ParseApprovalFile(FileOf(Good(WriteApprovalFile(text, "")))))));
  CHECK(words.origin == kOrigin);
  CHECK_FALSE(words.checkpoint.has_value());
}

TEST_CASE("offline, an older signature is refused by its size and the next one is taken") {
  const TemporaryFolder stick;
  const Ceremony ceremony;
  const auto line_over = [](const std::string& text) { return Good(SignText(text, *SignerOf("alice", 0))); };
  Good(base::WriteFile(stick / "old", line_over(ceremony.first).Text()));
  Good(base::WriteFile(stick / "good", Note{ceremony.second, {line_over(ceremony.second)}}.Serialise()));
  ScriptedTerminal terminal({{"approve.offline/folder/alice", stick.path()},
                             {"approve.offline/signature/alice", stick / "old"},
                             {"credential.retry/alice", "try again"},
                             {"approve.offline/signature/alice", "back"},
                             {"approve.offline/folder/alice", stick / "no such folder"},
                             {"approve.offline/folder/alice", "-"},
                             {"approve.offline/signature/alice", stick / "good"}});
  terminal.SetHasPeople(true);
  BoundCredentials credentials(BindingOf(CredentialBinding()), terminal);
  Refusals refusals;
  ApprovalRequest request = refusals.Request(ceremony.second);
  request.read_log = [&] {
    const base::ByteView bytes = base::AsBytes(ceremony.log.text());
    return base::Result<base::Bytes>(base::Bytes(bytes.begin(), bytes.end()));
  };
  const auto approval = Good(credentials.Approve(Alice(), request));
  CHECK(approval.key.Verify(ceremony.second, approval.line.signature).ok());
  CHECK(refusals.rules == std::vector<std::string>{"CRED-08"});
  CHECK(terminal.AllAsked());
  CHECK(Good(base::ReadFile(stick / "root-2026-5.approval.txt", 4096)) == ceremony.second);
  const std::string file = Good(base::ReadFile(stick / "root-2026-5.approval.json", 100000));
  CHECK(Good(CheckApprovalFile(Good(ParseApprovalFile(FileOf(file))))).statement == "Make the root key");
  CHECK(terminal.transcript().find("[QR code: the same, to be scanned]\n" + ceremony.second) != std::string::npos);
}
