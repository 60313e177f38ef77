// What a custodian who signed elsewhere brings back, with openssl as the signer.
#include "ceremony/quorum/handed_over.h"

#include <doctest/doctest.h>

#include "tests/unit/quorum/people.h"

using namespace credential;
using ceremony::quorum::TakeHandedOver;
using ceremony::record::Note;
using ceremony::record::SignatureLine;
using ceremony::record::SignText;

namespace {

const std::string kText = CheckpointText(7, 1);

base::Result<SignatureLine> Take(const std::string& given, const std::string& text = kText) {
  return TakeHandedOver(given, SignerOf("alice", 0)->key(), text, {CheckpointText(3, 9), CheckpointText(5, 8)});
}

SignatureLine LineOver(const std::string& text, const std::string& person = "alice", std::size_t key = 0) {
  return Good(SignText(text, *SignerOf(person, key)));
}

std::string NoteOver(const std::string& text, const std::string& person = "alice", std::size_t key = 0) {
  return Note{text, {LineOver(text, person, key)}}.Serialise();
}

}  // namespace

TEST_CASE("a signature of openssl is taken in every form it can be brought, and is low-S after") {
  const TemporaryFolder folder;
  const base::SecretBytes pem = ceremony::quorum::Pkcs8Pem(TestPkcs8(0));
  Good(base::WriteFile(folder / "sign.pem", base::AsText(pem.view())));
  Good(base::WriteFile(folder / "text", kText));
  // About every second signature has a high s.
  for (int i = 0; i < 8; ++i) {
    REQUIRE(Shell("cd '" + folder.path() +
                  "' && openssl dgst -sha256 -sign sign.pem -out sig text && base64 sig > sig.b64 && "
                  "base64 -w0 sig > sig.line") == 0);
    for (const char* form : {"sig", "sig.b64", "sig.line"}) {
      const SignatureLine line = Good(Take(Good(base::ReadFile(folder / form, 4096))));
      CHECK(line.name == "smki.example/alice");
      CHECK(SignerOf("alice", 0)->key().Verify(kText, line.signature).ok());
    }
  }
}

TEST_CASE("a line is taken with and without its dash, and a note with its text") {
  const std::string line = LineOver(kText).Text();
  const std::string bare = line.substr(std::string("— ").size());
  for (const std::string& given : {line, line + "\n", "  " + line + " \r\n", "-- " + bare, "- " + bare, bare})
    CHECK(Good(Take(given)).Text().substr(0, 24) == line.substr(0, 24));
  CHECK(Good(Take(NoteOver(kText))).name == "smki.example/alice");
}

TEST_CASE("what was signed by somebody else, or with another key, is named") {
  CHECK(Bad(Take(LineOver(kText, "bob", 2).Text())).message ==
        "the signature is by smki.example/bob, expected smki.example/alice");
  const base::Error other = Bad(Take(LineOver(kText, "alice", 2).Text()));
  CHECK(other.rule == "CRED-05");
  CHECK(other.message.find("another key of smki.example/alice") != std::string::npos);
  CHECK(Bad(Take(NoteOver(kText, "bob", 2))).rule == "CRED-05");
}

TEST_CASE("a signature over another text is named by what is different") {
  const base::Error origin =
      Bad(Take(NoteOver(CheckpointText(7, 1, "smki.example/other/00112233445566778899aabbccddeeff"))));
  CHECK(origin.rule == "CRED-07");
  CHECK(origin.message ==
        "the signature is for another record, smki.example/other/00112233445566778899aabbccddeeff, "
        "expected " +
            std::string(kOrigin));
  const base::Error older = Bad(Take(NoteOver(CheckpointText(5, 8))));
  CHECK(older.rule == "CRED-08");
  CHECK(older.message == "the signature is for this record at size 5, expected size 7");
  CHECK(Bad(Take(NoteOver(CheckpointText(7, 2)))).rule == "CRED-06");
  CHECK(Bad(Take(NoteOver(CheckpointText(9, 2)))).rule == "CRED-06");
  // A line says nothing of its text: older checkpoints of this record are tried.
  CHECK(Bad(Take(LineOver(CheckpointText(5, 8)).Text())).rule == "CRED-08");
  const base::Error unknown = Bad(Take(LineOver(CheckpointText(6, 6)).Text()));
  CHECK(unknown.rule == "CRED-06");
  CHECK(unknown.message == "this is not a signature of smki.example/alice over " + std::string(kOrigin) +
                               " at size 7: it is of another text, by another key, or damaged on the way");
}

TEST_CASE("what is no signature is said to be none") {
  for (const char* given : {"", "yes", "MEUCIQ", "— smki.example/alice", "AAAA", "— a b c"})
    CHECK_MESSAGE(Bad(Take(given)).code == base::ErrorCode::kInvalidInput, given);
  std::string damaged = LineOver(kText).Text();
  damaged[damaged.size() - 9] = damaged[damaged.size() - 9] == 'A' ? 'B' : 'A';
  CHECK_FALSE(Take(damaged).ok());
}
