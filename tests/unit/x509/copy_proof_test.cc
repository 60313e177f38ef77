#include "ceremony/x509/copy_proof.h"

#include <doctest/doctest.h>

#include <vector>

#include "ceremony/x509/der_reader.h"
#include "tests/unit/x509/support.h"
#include "tests/unit/x509/test_keys.h"

using namespace ceremony::x509;

namespace {

constexpr const char* kSerial = "3e410e548d709f37";

CopyProof ProofOf(const base::PublicKey& key) { return {key.SpkiSha256Hex(), kSerial, std::string(32, 'a'), false}; }

std::optional<CopyProof> ReadText(const std::string& text) { return ReadCopyProof(base::AsBytes(text)); }

}  // namespace

TEST_CASE("a proof of copy is read back as what it says, as a text and as a request") {
  for (const char* pem : {test::kP256, test::kP384, test::kP521}) {
    const base::PublicKey key = test::PublicKeyOf(pem);
    const CopyProof proof = ProofOf(key);
    const auto text = ReadText(CopyProofText(proof));
    REQUIRE(text);
    CHECK_FALSE(text->is_request);
    const auto request = ReadCopyProof(CopyProofRequest(proof, key.spki()));
    REQUIRE(request);
    CHECK(request->is_request);
    for (const auto& read : {*text, *request}) {
      CHECK(read.spki_sha256 == key.SpkiSha256Hex());
      CHECK(read.serial == kSerial);
      CHECK(read.nonce == proof.nonce);
    }
  }
}

TEST_CASE("what differs from a proof of copy by one byte is none") {
  const base::PublicKey key = test::PublicKeyOf(test::kP256);
  const CopyProof proof = ProofOf(key);
  const std::string text = CopyProofText(proof);
  for (const std::string& other : {std::string(), text + "\n", text + "nonce 1\n", text.substr(1), "\n" + text,
                                   text.substr(0, text.size() - 1), "key" + text, text.substr(0, 26)})
    CHECK_MESSAGE(!ReadText(other), other);
  const base::Bytes request = CopyProofRequest(proof, key.spki());
  CHECK_FALSE(ReadCopyProof(base::ByteView(request).first(request.size() - 1)));
  for (std::size_t i = 0; i < request.size(); ++i) {
    base::Bytes changed = request;
    changed[i] ^= 0x01;
    CHECK_MESSAGE(!ReadCopyProof(changed), i);
  }
}

TEST_CASE("a request of another key than its text names is no proof of copy") {
  const CopyProof proof = ProofOf(test::PublicKeyOf(test::kP256));
  CHECK_FALSE(ReadCopyProof(CopyProofRequest(proof, test::PublicKeyOf(test::kP256Other).spki())));
}
