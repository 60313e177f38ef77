// Keys and signatures are made by OpenSSL 3.0 (openssl genpkey, dgst -sign,
// pkeyutl -rawin), key ids by Python's hashlib from the C2SP text.
#include "ceremony/record/note.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ceremony/record/checkpoint.h"
#include "ceremony/record/software_signer.h"
#include "hsm/base/encoding.h"
#include "tests/unit/record/test_keys.h"

namespace ceremony::record {
namespace {

constexpr std::string_view kText =
    "test.example/alpha/00112233445566778899aabbccddeeff\n7\nyva8iH+P2HBQVjEaiS61jReL7g6xR5D4caKoD1syPKE=\n";
constexpr std::string_view kOrigin = "test.example/alpha/00112233445566778899aabbccddeeff";
constexpr std::string_view kLogVkey =
    "test.example/alpha/"
    "00112233445566778899aabbccddeeff+bb1f02ca+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABM48nTCbktJy0ZISTLtBm6BSI2VNCput9+"
    "Gw/"
    "+JucXR8YPZmxfB9TwquguQD/9EID7642z6m+RGsy7inC8508ro=";
constexpr std::string_view kBobVkey = "test.example/bob+c61043ea+AZZi1TBB6FrpQE0VLVXrFB/V/Z5ihvtyf9jhIn3Hve+g";
constexpr std::string_view kLowS =
    "ux8CyjBEAiBOgfRK/M86g1DXVkDs1lRg5/cvpdw8jNvfydCN9vu3nQIgOf4uiNSbp3RPRtgp+OHgCHkvosMqp1x6vG86CGS/4hw=";
constexpr std::string_view kHighS =
    "ux8CyjBFAiBZFdNWKkbdBQeHjYncYHAVmJGk9daXZ5a6C6gtn6IsRQIhAKBDC6wd80/j8aJpk9tmH5zzZS7qAHTdLDL5PaCq6rBf";
constexpr std::string_view kBobSignature =
    "xhBD6msVJxNbwsHzCuEb92/fQmTFrxh0eWlT7P4l4ywmwCLCDWHGeDz6r74RmBq1u0+PllzuhSkX4f4lLvKnsq1uAg8=";

std::string Line(std::string_view name, std::string_view blob) {
  return "\u2014 " + std::string(name) + " " + std::string(blob) + "\n";
}
std::string TwoSigned() {
  return std::string(kText) + "\n" + Line(kOrigin, kLowS) + Line("test.example/bob", kBobSignature);
}

TEST_CASE("verifier keys are read and spelled as C2SP says, for ECDSA and Ed25519") {
  for (const std::string_view vkey : {kLogVkey, kBobVkey}) {
    const auto key = VerifierKey::Parse(vkey);
    REQUIRE(key.ok());
    CHECK(key->Text() == vkey);
    CHECK(VerifierKey::Make(key->name(), key->public_key())->Text() == vkey);
  }
  CHECK(VerifierKey::Parse(kBobVkey)->person() == "bob");
  CHECK(VerifierKey::Parse(kBobVkey)->type() == SignatureType::kEd25519);
}

TEST_CASE("a verifier key with anything changed is refused") {
  for (std::string bad : {"", "test.example/bob", "test.example/bob+c61043ea",
                          "test.example/bob+c61043eb+AZZi1TBB6FrpQE0VLVXrFB/V/Z5ihvtyf9jhIn3Hve+g",
                          "test.example/bob+C61043EA+AZZi1TBB6FrpQE0VLVXrFB/V/Z5ihvtyf9jhIn3Hve+g",
                          "+c61043ea+AZZi1TBB6FrpQE0VLVXrFB/V/Z5ihvtyf9jhIn3Hve+g",
                          "test.example/bo b+c61043ea+AZZi1TBB6FrpQE0VLVXrFB/V/Z5ihvtyf9jhIn3Hve+g",
                          "test.example/eve+c61043ea+AZZi1TBB6FrpQE0VLVXrFB/V/Z5ihvtyf9jhIn3Hve+g"}) {
    CAPTURE(bad);
    CHECK_FALSE(VerifierKey::Parse(bad).ok());
  }
  // The Ed25519 key declared a timestamped cosignature key (0x04) or ML-DSA-44 (0x06).
  CHECK(VerifierKey::Parse("test.example/bob+c61043ea+BJZi1TBB6FrpQE0VLVXrFB/V/Z5ihvtyf9jhIn3Hve+g").error().code ==
        base::ErrorCode::kUnsupported);
  CHECK(VerifierKey::Parse("test.example/bob+c61043ea+BpZi1TBB6FrpQE0VLVXrFB/V/Z5ihvtyf9jhIn3Hve+g").error().code ==
        base::ErrorCode::kUnsupported);
}

TEST_CASE("a note signed by openssl with ECDSA and Ed25519 verifies, and reads back byte for byte") {
  const auto note = Note::Parse(TwoSigned());
  REQUIRE(note.ok());
  CHECK(note->text == kText);
  CHECK(note->Serialise() == TwoSigned());
  const std::vector<VerifierKey> keys = {*VerifierKey::Parse(kBobVkey), *VerifierKey::Parse(kLogVkey)};
  const auto verdict = VerifyNote(*note, keys);
  REQUIRE(verdict.ok());
  CHECK(verdict->signers == std::vector<std::size_t>{0, 1});
  CHECK(verdict->unknown == 0);
  const auto log_only = VerifyNote(*note, std::span(keys).subspan(1));
  CHECK(log_only->signers == std::vector<std::size_t>{0});
  CHECK(log_only->unknown == 1);
}

TEST_CASE("a high-S signature is the same to openssl, but not to us") {
  const auto note = Note::Parse(std::string(kText) + "\n" + Line(kOrigin, kHighS));
  REQUIRE(note.ok());
  const VerifierKey key = *VerifierKey::Parse(kLogVkey);
  CHECK(
      key.public_key().Verify(base::SignatureScheme::kEcdsa, base::AsBytes(kText), note->signatures[0].signature).ok());
  CHECK(VerifyNote(*note, {&key, 1}).error().code == base::ErrorCode::kCorrupt);
}

TEST_CASE("one changed bit anywhere in text or signatures fails the note") {
  const std::string good = TwoSigned();
  const std::vector<VerifierKey> keys = {*VerifierKey::Parse(kBobVkey), *VerifierKey::Parse(kLogVkey)};
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    const auto note = Note::Parse(bad);
    if (!note.ok()) continue;
    const auto verdict = VerifyNote(*note, keys);
    // A changed key name or key id makes the line one of an unknown key.
    CHECK((!verdict.ok() || verdict->signers.size() < 2));
  }
}

TEST_CASE("what is no signed note is refused") {
  const std::string text(kText);
  const std::string line = Line(kOrigin, kLowS);
  for (const std::string& bad : std::vector<std::string>{
           "", text, text + "\n", text + line, text + "\n" + line + line, text + "\n" + line + "\n",
           text + "\n" + line.substr(0, line.size() - 1), text + "\n" + line + "x\n", text + "\r\n" + line,
           "\n" + line.substr(0, 0) + "\n", text + "\n- " + line.substr(4), text + "\n\u2014  " + line.substr(4),
           text + "\n" + Line(kOrigin, "ux8Cyg=="), text + "\n" + Line("a+b", kLowS),
           text + "\n" + Line("a\u00a0b", kLowS), text + "\n" + Line(kOrigin, "ux8Cyj*="), "\xff\n\n" + line,
           std::string("a\0b\n\n", 5) + line}) {
    CAPTURE(bad);
    CHECK(Note::Parse(bad).error().code == base::ErrorCode::kCorrupt);
  }
  std::string many = text + "\n";
  for (int i = 0; i < 101; ++i) many += Line("k" + std::to_string(i), kLowS);
  CHECK_FALSE(Note::Parse(many).ok());
}

TEST_CASE("the text of a note may hold empty lines: the last one parts it from the signatures") {
  const auto note = Note::Parse("a\n\nb\n\n" + Line("k", kLowS));
  REQUIRE(note.ok());
  CHECK(note->text == "a\n\nb\n");
}

TEST_CASE("a software signer made from openssl's PKCS#8 signs what its verifier key accepts, in low-S") {
  for (const auto& [pkcs8, vkey] : {std::pair{kTestKeys[0], kLogVkey}, std::pair{kTestEd25519Key, kBobVkey}}) {
    const VerifierKey key = *VerifierKey::Parse(vkey);
    const auto signer = SoftwareSigner::FromPkcs8(key.name(), base::SecretBytes::CopyOf(*base::Base64Decode(pkcs8)));
    REQUIRE(signer.ok());
    CHECK((*signer)->key().Text() == vkey);
    for (int i = 0; i < 20; ++i) {
      const auto line = SignText(kText, **signer);
      REQUIRE(line.ok());
      CHECK(key.Verify(kText, line->signature).ok());
    }
    CHECK(base::Base64Encode((*signer)->Pkcs8()->view()).size() > 40);
  }
}

TEST_CASE("a generated key survives being written and read as PKCS#8") {
  for (const SignatureType type : {SignatureType::kEcdsa, SignatureType::kEd25519}) {
    const auto made = SoftwareSigner::Generate("test.example/carol", type);
    REQUIRE(made.ok());
    const auto again = SoftwareSigner::FromPkcs8("test.example/carol", *(*made)->Pkcs8());
    REQUIRE(again.ok());
    CHECK((*made)->key() == (*again)->key());
  }
  CHECK(SoftwareSigner::Generate("x", SignatureType::kMlDsa44).error().code == base::ErrorCode::kUnsupported);
}

TEST_CASE("private keys that are no PKCS#8 of a P-256 or Ed25519 key are refused") {
  CHECK_FALSE(SoftwareSigner::FromPkcs8("x", base::SecretBytes::CopyOf(base::AsBytes("no key"))).ok());
  base::Bytes trailing = *base::Base64Decode(kTestKeys[0]);
  trailing.push_back(0);
  CHECK_FALSE(SoftwareSigner::FromPkcs8("x", base::SecretBytes::CopyOf(trailing)).ok());
  CHECK_FALSE(SoftwareSigner::FromPkcs8("a name", base::SecretBytes::CopyOf(*base::Base64Decode(kTestKeys[0]))).ok());
}

// A signer whose token answers with somebody else's signature.
class LyingSigner final : public NoteSigner {
 public:
  explicit LyingSigner(VerifierKey key) : key_(std::move(key)) {}
  const VerifierKey& key() const override { return key_; }
  base::Result<base::Bytes> Sign(std::string_view) override {
    const base::Bytes blob = *base::Base64Decode(kHighS);
    return base::Bytes(blob.begin() + 4, blob.end());
  }

 private:
  VerifierKey key_;
};

TEST_CASE("a signature that does not verify is never passed on") {
  LyingSigner signer(*VerifierKey::Parse(kLogVkey));
  CHECK(SignText(kText, signer).error().code == base::ErrorCode::kCorrupt);
  CHECK(SignText("another text\n", signer).error().code == base::ErrorCode::kCorrupt);
}

TEST_CASE("checkpoints have exactly three lines in one spelling") {
  const auto checkpoint = Checkpoint::Parse(kText);
  REQUIRE(checkpoint.ok());
  CHECK(checkpoint->origin == kOrigin);
  CHECK(checkpoint->size == 7);
  CHECK(checkpoint->Text() == kText);
  const std::string root = "yva8iH+P2HBQVjEaiS61jReL7g6xR5D4caKoD1syPKE=";
  for (const std::string& bad : std::vector<std::string>{
           "", "o\n7\n", "o\n7\n" + root, "o\n07\n" + root + "\n", "o\n-7\n" + root + "\n", "o\n7 \n" + root + "\n",
           "o\n+7\n" + root + "\n", "o\n\n" + root + "\n", "o\n9007199254740992\n" + root + "\n",
           "o\n7\n" + root + "\nextension\n", "o\n7\n" + root + "\n\n", "\n7\n" + root + "\n", "o o\n7\n" + root + "\n",
           "o\n7\n" + root.substr(4) + "\n", "o\n7\nyva8iH+P2HBQVjEaiS61jReL7g6xR5D4caKoD1syPKF=\n"}) {
    CAPTURE(bad);
    CHECK(Checkpoint::Parse(bad).error().code == base::ErrorCode::kCorrupt);
  }
  CHECK(Checkpoint::Parse("o\n0\n" + root + "\n").ok());
}

TEST_CASE("an entry names a checkpoint by origin, size and root, the root in hex or in base64") {
  const std::string base64 = "yva8iH+P2HBQVjEaiS61jReL7g6xR5D4caKoD1syPKE=";
  const std::string hex = "caf6bc887f8fd8705056311a892eb58d178bee0eb14790f871a2a80f5b323ca1";
  for (const std::string& root : {base64, hex}) {
    const auto named = CheckpointIn(R"({"origin":"o","root":")" + root + R"(","size":7})");
    REQUIRE(named.has_value());
    CHECK(named->Text() == "o\n7\n" + base64 + "\n");
  }
  for (const std::string& bad : std::vector<std::string>{
           "null", "{}", R"({"origin":"o","root":")" + hex.substr(2) + R"(","size":7})",
           R"({"origin":"o","root":")" + hex + R"(","size":-7})",
           R"({"origin":"o","root":")" + hex + R"(","size":"7"})", R"({"root":")" + hex + R"(","size":7})",
           R"({"size":7,"root":")" + hex + R"(","origin":"o"})"}) {
    CAPTURE(bad);
    CHECK_FALSE(CheckpointIn(bad).has_value());
  }
}

TEST_CASE("an origin is estate, ceremony and 32 random digits, and never the same twice") {
  const std::string origin = *NewOrigin("smki.example/gb", "2026-root");
  const auto parts = SplitOrigin(origin);
  REQUIRE(parts.ok());
  CHECK(parts->estate == "smki.example/gb");
  CHECK(parts->ceremony == "2026-root");
  CHECK(parts->random.size() == 32);
  CHECK(*NewOrigin("smki.example/gb", "2026-root") != origin);
  CHECK(PersonKeyName("smki.example", "alice") == "smki.example/alice");
  for (const char* bad : {"", "a b", "a+b", "\n"}) CHECK_FALSE(NewOrigin(bad, "c").ok());
  for (const char* bad : {"", "a/b", "a b"}) CHECK_FALSE(NewOrigin("estate", bad).ok());
  for (const char* bad : {"", "a", "a/b", "a/b/c", "a/b/00112233445566778899aabbccddeef",
                          "/b/00112233445566778899aabbccddeeff", "a//00112233445566778899aabbccddeeff",
                          "a/b/00112233445566778899AABBCCDDEEFF", "b/00112233445566778899aabbccddeeff"}) {
    CAPTURE(bad);
    CHECK_FALSE(SplitOrigin(bad).ok());
  }
}

TEST_CASE("a key that has verified more than it remembers still says yes and no as before") {
  const auto signer = TestSigner("test.example/alice", kTestKeys[0]);
  std::vector<SignatureLine> lines;
  const auto text = [](std::size_t number) { return std::string(kText) + std::to_string(number) + "\n"; };
  for (std::size_t i = 0; i < 70; ++i) lines.push_back(SignText(text(i), *signer).value());
  const VerifierKey key = VerifierKey::Parse(signer->key().Text()).value();
  for (int again = 0; again < 2; ++again) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
      CHECK(key.Verify(text(i), lines[i].signature).ok());
      CHECK_FALSE(key.Verify(text(i + 1), lines[i].signature).ok());
    }
  }
}

}  // namespace
}  // namespace ceremony::record
