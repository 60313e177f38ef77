#include "ceremony/quorum/hpke.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "ceremony/quorum/software_agreement_key.h"
#include "hsm/base/encoding.h"
#include "tests/support/results.h"

namespace {

using base::Bytes;
using base::SecretBytes;
using namespace ceremony::quorum;
using support::Bad;
using support::Good;

Bytes Hex(std::string_view text) { return Good(base::HexDecode(text)); }

// RFC 9180's test-vectors.json: mode 0, KEM 0x0010, KDF 0x0001; encryption 0. The first is appendix A.3.1.
struct Vector {
  internal::Aead aead;
  std::string_view sender, recipient, recipient_point, enc, ciphertext;
};
constexpr Vector kVectors[] = {
    {internal::Aead::kAes128Gcm, "4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb",
     "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2",
     "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6"
     "aa8f80e30f1d128aafd68a2ce72ea0",
     "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be86"
     "3c403ce65c9bfcb9382657222d18c4",
     "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434"},
    {internal::Aead::kAes256Gcm, "90345e3a1d116c1dd39ae76d95ab858c142223a63e44f8f85318cfa91a84858e",
     "317f915db7bc629c48fe765587897e01e282d3e8445f79f27f65d031a88082b2",
     "04abc7e49a4c6b3566d77d0304addc6ed0e98512ffccf505e6a8e3eb25c685136f853148544876de76c0f2ef99cdc3a05ccf"
     "5ded7860c7c021238f9e2073d2356c",
     "04c06b4f6bebc7bb495cb797ab753f911aff80aefb86fd8b6fcc35525f3ab5f03e0b21bd31a86c6048af3cb2d98e0d3bf01d"
     "a5cc4c39ff5370d331a4f1f7d5a4e0",
     "58c61a45059d0c5704560e9d88b564a8b63f1364b8d1fcb3c4c6ddc1d291742465e902cd216f8908da49f8f96f"},
};
constexpr std::string_view kInfo = "Ode on a Grecian Urn";
constexpr std::string_view kAad = "Count-0";
constexpr std::string_view kPlaintext = "Beauty is truth, truth beauty";

// A private key as PKCS#8 without its public half, which libcrypto then computes.
std::unique_ptr<SoftwareAgreementKey> Key(std::string_view scalar) {
  Bytes der =
      Hex("304102010030130"
          "6072a8648ce3d020106082a8648ce3d030107042730250201010420");
  for (const std::uint8_t byte : Hex(scalar)) der.push_back(byte);
  return Good(SoftwareAgreementKey::FromPkcs8(SecretBytes::CopyOf(der)));
}

SecretBytes Secret(std::string_view text) { return SecretBytes::CopyOf(base::AsBytes(text)); }
base::ByteView View(std::string_view text) { return base::AsBytes(text); }

}  // namespace

TEST_CASE("sealing gives the bytes of the vectors of RFC 9180") {
  for (const Vector& vector : kVectors) {
    const auto sender = Key(vector.sender);
    const auto recipient = Key(vector.recipient);
    CHECK(base::HexEncode(recipient->public_key().EcPoint()) == vector.recipient_point);
    const Sealed sealed = Good(
        internal::SealFrom(*sender, recipient->public_key(), View(kInfo), View(kAad), Secret(kPlaintext), vector.aead));
    CHECK(base::HexEncode(sealed.enc) == vector.enc);
    CHECK(base::HexEncode(sealed.ciphertext) == vector.ciphertext);
    const SecretBytes opened = Good(internal::Open(*recipient, sealed, View(kInfo), View(kAad), vector.aead));
    CHECK(base::AsText(opened.view()) == kPlaintext);
  }
}

TEST_CASE("what is sealed opens with its key, for its purpose, and not otherwise") {
  const auto key = Good(SoftwareAgreementKey::Generate());
  const auto other = Good(SoftwareAgreementKey::Generate());
  const Sealed sealed = Good(HpkeSeal(key->public_key(), View("info"), View("aad"), Secret("a share")));
  CHECK(sealed.enc.size() == 65);
  CHECK(sealed.ciphertext.size() == 7 + 16);
  CHECK(base::AsText(Good(HpkeOpen(*key, sealed, View("info"), View("aad"))).view()) == "a share");

  CHECK(Bad(HpkeOpen(*other, sealed, View("info"), View("aad"))).code == base::ErrorCode::kCorrupt);
  CHECK(Bad(HpkeOpen(*key, sealed, View("Info"), View("aad"))).code == base::ErrorCode::kCorrupt);
  CHECK(Bad(HpkeOpen(*key, sealed, View("info"), View("aae"))).code == base::ErrorCode::kCorrupt);
  CHECK(Bad(HpkeOpen(*key, sealed, View(""), View("aad"))).code == base::ErrorCode::kCorrupt);
  for (std::size_t i = 0; i < sealed.ciphertext.size(); ++i) {
    Sealed changed = sealed;
    changed.ciphertext[i] ^= 1;
    CHECK(Bad(HpkeOpen(*key, changed, View("info"), View("aad"))).code == base::ErrorCode::kCorrupt);
  }
  for (std::size_t size = 0; size < sealed.ciphertext.size(); ++size) {
    Sealed cut = sealed;
    cut.ciphertext.resize(size);
    CHECK(Bad(HpkeOpen(*key, cut, View("info"), View("aad"))).code == base::ErrorCode::kCorrupt);
  }
}

TEST_CASE("two seals of one share have nothing in common") {
  const auto key = Good(SoftwareAgreementKey::Generate());
  const Sealed first = Good(HpkeSeal(key->public_key(), {}, {}, Secret("a share")));
  const Sealed second = Good(HpkeSeal(key->public_key(), {}, {}, Secret("a share")));
  CHECK(first.enc != second.enc);
  CHECK(first.ciphertext != second.ciphertext);
}

TEST_CASE("a sender's key that is no point of P-256 is refused") {
  const auto key = Good(SoftwareAgreementKey::Generate());
  const Sealed sealed = Good(HpkeSeal(key->public_key(), {}, {}, Secret("a share")));
  const auto refused = [&](Bytes enc) {
    return Bad(HpkeOpen(*key, {std::move(enc), sealed.ciphertext}, {}, {})).code == base::ErrorCode::kInvalidInput;
  };
  Bytes off_curve = sealed.enc;
  off_curve[64] ^= 1;
  CHECK(refused(off_curve));
  Bytes zero(65);
  zero[0] = 4;
  CHECK(refused(zero));      // (0, 0) is not on the curve
  CHECK(refused(Bytes{0}));  // the point at infinity
  CHECK(refused({}));
  CHECK(refused(Bytes(65)));
  Bytes compressed(sealed.enc.begin(), sealed.enc.begin() + 33);
  compressed[0] = static_cast<std::uint8_t>(2 + (sealed.enc[64] & 1));
  CHECK(refused(compressed));
  Bytes longer = sealed.enc;
  longer.push_back(0);
  CHECK(refused(longer));
}

TEST_CASE("the key that opens is P-256 from a PKCS#8 file, whole and alone") {
  const auto key = Good(SoftwareAgreementKey::Generate());
  const SecretBytes der = Good(key->ToPkcs8());
  const auto again = Good(SoftwareAgreementKey::FromPkcs8(der));
  CHECK(again->public_key() == key->public_key());
  Bytes longer = base::ToBytes(der.view());
  longer.push_back(0);
  CHECK(Bad(SoftwareAgreementKey::FromPkcs8(SecretBytes::CopyOf(longer))).code == base::ErrorCode::kInvalidInput);
  CHECK(Bad(SoftwareAgreementKey::FromPkcs8(SecretBytes())).code == base::ErrorCode::kInvalidInput);
  // openssl genpkey -algorithm ED25519 -outform DER
  const Bytes ed25519 =
      Hex("302e020100300506032b6570042204204ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  CHECK(Bad(SoftwareAgreementKey::FromPkcs8(SecretBytes::CopyOf(ed25519))).message ==
        "the private key for shares is not an EC key");
}

TEST_CASE("both sides of an agreement come to the same x") {
  const auto one = Good(SoftwareAgreementKey::Generate());
  const auto other = Good(SoftwareAgreementKey::Generate());
  const SecretBytes x = Good(one->Agree(other->public_key()));
  CHECK(x.size() == 32);
  CHECK(x.Equals(Good(other->Agree(one->public_key()))));
  CHECK_FALSE(x.Equals(Good(one->Agree(one->public_key()))));
}
