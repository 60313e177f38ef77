#include "hsm/base/public_key.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "hsm/base/encoding.h"
#include "hsm/base/rsa_numbers.h"
#include "tests/unit/base/key_vectors.h"

namespace {

using base::KeyAlgorithm;
using base::PublicKey;
using base::SignatureScheme;

base::Bytes Hex(std::string_view text) { return base::HexDecode(text).value(); }
PublicKey Key(std::string_view spki) { return PublicKey::FromSpki(Hex(spki)).value(); }

struct Vector {
  KeyAlgorithm algorithm;
  SignatureScheme scheme;
  std::string_view spki;
  std::string_view signature;
};
const Vector kVectors[] = {
    {KeyAlgorithm::kEcP256, SignatureScheme::kEcdsa, key_vectors::kP256Spki, key_vectors::kP256Signature},
    {KeyAlgorithm::kEcP384, SignatureScheme::kEcdsa, key_vectors::kP384Spki, key_vectors::kP384Signature},
    {KeyAlgorithm::kEcP521, SignatureScheme::kEcdsa, key_vectors::kP521Spki, key_vectors::kP521Signature},
    {KeyAlgorithm::kEd25519, SignatureScheme::kEd25519, key_vectors::kEd25519Spki, key_vectors::kEd25519Signature},
    {KeyAlgorithm::kRsa2048, SignatureScheme::kRsaPkcs1Sha256, key_vectors::kRsa2048Spki,
     key_vectors::kRsa2048Pkcs1Signature},
    {KeyAlgorithm::kRsa3072, SignatureScheme::kRsaPssSha256, key_vectors::kRsa3072Spki,
     key_vectors::kRsa3072PssSignature},
    {KeyAlgorithm::kRsa4096, SignatureScheme::kRsaPssSha384, key_vectors::kRsa4096Spki,
     key_vectors::kRsa4096PssSha384Signature},
    {KeyAlgorithm::kRsa2048, SignatureScheme::kRsaPkcs1Sha384, key_vectors::kRsa2048DigestsSpki,
     key_vectors::kRsa2048Pkcs1Sha384Signature},
    {KeyAlgorithm::kRsa2048, SignatureScheme::kRsaPkcs1Sha512, key_vectors::kRsa2048DigestsSpki,
     key_vectors::kRsa2048Pkcs1Sha512Signature},
    {KeyAlgorithm::kRsa2048, SignatureScheme::kRsaPssSha512, key_vectors::kRsa2048DigestsSpki,
     key_vectors::kRsa2048PssSha512Signature},
};

}  // namespace

TEST_CASE("the algorithm table is in the order of its enumeration and its names are found") {
  REQUIRE(base::KeyAlgorithms().size() == 7);
  for (const auto& facts : base::KeyAlgorithms()) {
    CHECK(&base::FactsOf(facts.algorithm) == &facts);
    CHECK(base::FindKeyAlgorithm(facts.name) == &facts);
  }
  CHECK(base::FindKeyAlgorithm("ec-p224") == nullptr);
  CHECK(base::FindKeyAlgorithm("") == nullptr);
  CHECK(base::FactsOf(KeyAlgorithm::kRsa3072).bits == 3072);
  CHECK(base::FactsOf(KeyAlgorithm::kEcP384).curve_oid_der.size() == 7);
}

TEST_CASE("keys of the openssl command are read and spelled back to the same bytes") {
  for (const Vector& vector : kVectors) {
    CAPTURE(vector.spki);
    const auto key = PublicKey::FromSpki(Hex(vector.spki));
    REQUIRE(key.ok());
    CHECK(key->algorithm() == vector.algorithm);
    CHECK(base::HexEncode(key->spki()) == vector.spki);
  }
}

TEST_CASE("the name of a key is the SHA-256 of its SubjectPublicKeyInfo") {
  // RFC 8032 section 7.1 test 1, and `openssl dgst -sha256` over its SPKI.
  const auto key =
      PublicKey::FromEd25519(Hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")).value();
  CHECK(base::HexEncode(key.spki()) ==
        "302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  CHECK(key.SpkiSha256Hex() == "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9");
  CHECK(key.EcPoint().empty());
}

TEST_CASE("a key is the same key however it came") {
  const PublicKey p384 = Key(key_vectors::kP384Spki);
  CHECK(p384.EcPoint().size() == 97);
  CHECK(PublicKey::FromEcPoint(base::Curve::kP384, p384.EcPoint()).value() == p384);
  CHECK_FALSE(p384 == Key(key_vectors::kP256Spki));
  CHECK(Key(key_vectors::kP256Spki) == Key(key_vectors::kP256Spki));

  // Where the modulus and exponent stand in the 294 bytes of an RSA-2048 SPKI.
  const base::Bytes rsa = Hex(key_vectors::kRsa2048Spki);
  const base::ByteView modulus = base::ByteView(rsa).subspan(32, 257);
  const base::ByteView exponent = base::ByteView(rsa).last(3);
  CHECK(PublicKey::FromRsa(modulus, exponent).value() == Key(key_vectors::kRsa2048Spki));
  CHECK(PublicKey::FromRsa(modulus.subspan(1), exponent).value() == Key(key_vectors::kRsa2048Spki));
  CHECK(base::RsaNumbersOf(Key(key_vectors::kRsa2048Spki)).modulus == base::ToBytes(modulus.subspan(1)));
  CHECK(base::RsaNumbersOf(Key(key_vectors::kRsa2048Spki)).exponent == base::Bytes{1, 0, 1});
  CHECK(base::RsaNumbersOf(p384).modulus.empty());
}

TEST_CASE("signatures of the openssl command verify, and not over another message") {
  for (const Vector& vector : kVectors) {
    CAPTURE(vector.spki);
    const PublicKey key = Key(vector.spki);
    const base::Bytes signature = Hex(vector.signature);
    CHECK(key.Verify(vector.scheme, base::AsBytes(key_vectors::kMessage), signature).ok());
    CHECK(key.Verify(vector.scheme, base::AsBytes(key_vectors::kMessage), signature).ok());
    const auto other = key.Verify(vector.scheme, base::AsBytes("root ceremonY"), signature);
    REQUIRE_FALSE(other.ok());
    CHECK(other.error().code == base::ErrorCode::kCorrupt);
    CHECK(other.error().message.find(key.SpkiSha256Hex()) != std::string::npos);
  }
}

TEST_CASE("a signature with any byte changed, cut or added does not verify") {
  for (const Vector& vector : kVectors) {
    const PublicKey key = Key(vector.spki);
    const base::Bytes good = Hex(vector.signature);
    for (std::size_t i = 0; i < good.size(); ++i) {
      base::Bytes bad = good;
      bad[i] ^= 0x01;
      CAPTURE(i);
      const auto verified = key.Verify(vector.scheme, base::AsBytes(key_vectors::kMessage), bad);
      REQUIRE_FALSE(verified.ok());
      REQUIRE(verified.error().code == base::ErrorCode::kCorrupt);
    }
    base::Bytes cut(good.begin(), good.end() - 1);
    CHECK_FALSE(key.Verify(vector.scheme, base::AsBytes(key_vectors::kMessage), cut).ok());
    base::Bytes added = good;
    added.push_back(0);
    CHECK_FALSE(key.Verify(vector.scheme, base::AsBytes(key_vectors::kMessage), added).ok());
    CHECK_FALSE(key.Verify(vector.scheme, base::AsBytes(key_vectors::kMessage), {}).ok());
  }
}

TEST_CASE("a high-S signature verifies: what others sign is not ours to refuse here") {
  const PublicKey key = Key(key_vectors::kP256Spki);
  const auto verify = [&](std::string_view hex) {
    return key.Verify(SignatureScheme::kEcdsa, base::AsBytes(key_vectors::kMessage), Hex(hex)).ok();
  };
  // The signature of the vector and its other half (n - s), by Python's integers.
  CHECK(
      verify("30440220679b67347a376761582fc605aac29f4d32f91453e400460a4aea791dab13d6e7022045737cdd6c392073033bfb9ad9e01"
             "ef343c0aec26e184ea540b629ae1e33ce09"));
  CHECK(
      verify("30450220679b67347a376761582fc605aac29f4d32f91453e400460a4aea791dab13d6e7022100ba8c832193c6df8dfcc40465261"
             "fe10c79264beb38ff4fdfb303a114de2f5748"));
  CHECK(base::CheckStrictLowSDer(base::Curve::kP256,
                                 Hex("30440220679b67347a376761582fc605aac29f4d32f91453e400460a4aea791dab13d6e7022045737"
                                     "cdd6c392073033bfb9ad9e01ef343c0aec26e184ea540b629ae1e33ce09"))
            .ok());
  CHECK_FALSE(base::CheckStrictLowSDer(base::Curve::kP256,
                                       Hex("30450220679b67347a376761582fc605aac29f4d32f91453e400460a4aea791dab13d6e7022"
                                           "100ba8c832193c6df8dfcc40465261fe10c79264beb38ff4fdfb303a114de2f5748"))
                  .ok());
  CHECK(base::HexEncode(base::RawToLowSDer(base::Curve::kP256,
                                           Hex("679b67347a376761582fc605aac29f4d32f91453e400460a4aea791dab13d6e7ba8c832"
                                               "193c6df8dfcc40465261fe10c79264beb38ff4fdfb303a114de2f5748"))
                            .value()) ==
        "30440220679b67347a376761582fc605aac29f4d32f91453e400460a4aea791dab13d6e7022045737cdd6c392073033bfb9ad9e01ef343"
        "c0aec26e184ea540b629ae1e33ce09");
}

TEST_CASE("a PSS salt of another length than the digest does not verify") {
  const PublicKey key = Key(key_vectors::kRsa3072Spki);
  CHECK_FALSE(key.Verify(SignatureScheme::kRsaPssSha256, base::AsBytes(key_vectors::kMessage),
                         Hex(key_vectors::kRsa3072ShortSaltSignature))
                  .ok());
}

TEST_CASE("a scheme that does not go with the key is invalid input") {
  const auto code = [](std::string_view spki, SignatureScheme scheme, std::string_view signature) {
    return Key(spki).Verify(scheme, base::AsBytes(key_vectors::kMessage), Hex(signature)).error().code;
  };
  CHECK(code(key_vectors::kP256Spki, SignatureScheme::kEd25519, key_vectors::kP256Signature) ==
        base::ErrorCode::kInvalidInput);
  CHECK(code(key_vectors::kEd25519Spki, SignatureScheme::kEcdsa, key_vectors::kEd25519Signature) ==
        base::ErrorCode::kInvalidInput);
  CHECK(code(key_vectors::kRsa2048Spki, SignatureScheme::kEcdsa, key_vectors::kRsa2048Pkcs1Signature) ==
        base::ErrorCode::kInvalidInput);
  CHECK(code(key_vectors::kP256Spki, SignatureScheme::kRsaPssSha256, key_vectors::kP256Signature) ==
        base::ErrorCode::kInvalidInput);
  CHECK(code(key_vectors::kRsa2048Spki, SignatureScheme::kRsaPssSha256, key_vectors::kRsa2048Pkcs1Signature) ==
        base::ErrorCode::kCorrupt);
}

TEST_CASE("keys that openssl makes and we do not use are refused by what is wrong with them") {
  const auto message = [](std::string_view spki) {
    const auto key = PublicKey::FromSpki(Hex(spki));
    return key.ok() ? std::string("accepted") : key.error().message;
  };
  CHECK(message(key_vectors::kRsa1024Spki) == "public key: RSA modulus has 1024 bits, expected 2048, 3072 or 4096");
  CHECK(message(key_vectors::kRsaExponent3Spki) == "public key: RSA public exponent is below 65537");
  const std::string unknown =
      "public key: unknown algorithm, expected EC P-256/P-384/P-521, Ed25519 or RSA with its NULL parameters";
  CHECK(message(key_vectors::kRsaPssOnlySpki) == unknown);
  CHECK(message(key_vectors::kSecp256k1Spki) == unknown);
  CHECK(message(key_vectors::kExplicitParametersSpki) == unknown);
  CHECK(message(key_vectors::kX25519Spki) == unknown);
  CHECK(message(key_vectors::kP256CompressedSpki) == unknown);
  CHECK(message("") == "public key: not a DER SubjectPublicKeyInfo of an EC P-256/P-384/P-521, Ed25519 or RSA key");
}

TEST_CASE("every key with a byte cut or added, or a header byte changed, is refused") {
  for (const Vector& vector : kVectors) {
    const base::Bytes good = Hex(vector.spki);
    for (std::size_t size = 0; size < good.size(); ++size) {
      CAPTURE(size);
      REQUIRE_FALSE(PublicKey::FromSpki(base::ByteView(good).first(size)).ok());
    }
    base::Bytes added = good;
    added.push_back(0);
    CHECK_FALSE(PublicKey::FromSpki(added).ok());
    const std::size_t header = vector.algorithm == KeyAlgorithm::kEd25519 ? 12 : 24;
    for (std::size_t i = 0; i < header; ++i) {
      for (const std::uint8_t flip : base::Bytes{0x01, 0x02, 0x04, 0x80}) {
        base::Bytes bad = good;
        bad[i] ^= flip;
        CAPTURE(i);
        REQUIRE_FALSE(PublicKey::FromSpki(bad).ok());
      }
    }
  }
}

TEST_CASE("a point that is off its curve, at infinity or compressed is refused") {
  base::Bytes point = Key(key_vectors::kP256Spki).EcPoint();
  point.back() ^= 1;
  CHECK(PublicKey::FromEcPoint(base::Curve::kP256, point).error().message ==
        "public key: the point is not on EC P-256");
  point.back() ^= 1;
  point[0] = 0x06;  // the hybrid form of X9.62
  CHECK_FALSE(PublicKey::FromEcPoint(base::Curve::kP256, point).ok());
  CHECK_FALSE(PublicKey::FromEcPoint(base::Curve::kP256, Hex("00")).ok());
  CHECK_FALSE(PublicKey::FromEcPoint(base::Curve::kP256, {}).ok());
  CHECK_FALSE(PublicKey::FromEcPoint(base::Curve::kP384, Key(key_vectors::kP256Spki).EcPoint()).ok());
  CHECK_FALSE(PublicKey::FromEcPoint(base::Curve::kP256, Hex("04" + std::string(128, 'f'))).ok());
  CHECK_FALSE(PublicKey::FromEcPoint(base::Curve::kP256, Hex("04" + std::string(128, '0'))).ok());
}

TEST_CASE("an Ed25519 key that does not decode or has small order is refused") {
  const auto message = [](std::string_view hex) {
    const auto key = PublicKey::FromEd25519(Hex(hex));
    return key.ok() ? std::string("accepted") : key.error().message;
  };
  const std::string small = "public key: Ed25519 point of small order";
  CHECK(message("0100000000000000000000000000000000000000000000000000000000000000") == small);
  CHECK(message("0100000000000000000000000000000000000000000000000000000000000080") == small);
  CHECK(message("0000000000000000000000000000000000000000000000000000000000000000") == small);
  CHECK(message("0000000000000000000000000000000000000000000000000000000000000080") == small);
  CHECK(message("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f") == small);
  CHECK(message("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05") == small);
  CHECK(message("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85") == small);
  CHECK(message("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a") == small);
  CHECK(message("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa") == small);
  CHECK(message("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f") ==
        "public key: Ed25519 y coordinate is not below 2^255-19");
  CHECK(message("0200000000000000000000000000000000000000000000000000000000000000") ==
        "public key: the point is not on Ed25519");
  CHECK(message("") == "public key: Ed25519 key has 0 bytes, expected 32");
  // RFC 8032 section 7.1: the public keys of tests 1, 2, 3, 1024 and SHA(abc).
  for (const char* hex : {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                          "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                          "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
                          "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
                          "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf"}) {
    CHECK(message(hex) == "accepted");
  }
}

TEST_CASE("RSA numbers outside what we use are refused") {
  base::Bytes modulus(256, 0xc3);
  CHECK(PublicKey::FromRsa(modulus, Hex("010001")).ok());
  CHECK(PublicKey::FromRsa(modulus, Hex("010003")).ok());
  const auto message = [&](std::string_view exponent) {
    const auto key = PublicKey::FromRsa(modulus, Hex(exponent));
    return key.ok() ? std::string("accepted") : key.error().message;
  };
  CHECK(message("") == "public key: RSA modulus or exponent is zero");
  CHECK(message("0000") == "public key: RSA modulus or exponent is zero");
  CHECK(message("03") == "public key: RSA public exponent is below 65537");
  CHECK(message("00ffff") == "public key: RSA public exponent is below 65537");
  CHECK(message("010002") == "public key: RSA public exponent is even");
  CHECK(message("01" + std::string(62, '0') + "01") == "public key: RSA public exponent is above 2^256");
  modulus.back() = 0xc2;
  CHECK(message("010001") == "public key: RSA modulus is even");
  modulus.front() = 0x7f;
  CHECK(message("010001") == "public key: RSA modulus has 2047 bits, expected 2048, 3072 or 4096");
}

TEST_CASE("one key can be used by several threads at once") {
  const PublicKey key = Key(key_vectors::kP256Spki);
  const base::Bytes signature = Hex(key_vectors::kP256Signature);
  std::vector<int> verified(4, 0);
  std::vector<std::thread> threads;
  for (int& count : verified) {
    threads.emplace_back([&key, &signature, &count] {
      for (int i = 0; i < 50; ++i) {
        if (key.Verify(SignatureScheme::kEcdsa, base::AsBytes(key_vectors::kMessage), signature).ok()) ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(verified == std::vector<int>{50, 50, 50, 50});
}

TEST_CASE("what a key remembers of a good signature vouches for no other signature, message or scheme") {
  for (const Vector& vector : kVectors) {
    const PublicKey key = Key(vector.spki);
    const PublicKey copy = key;
    const base::Bytes good = Hex(vector.signature);
    base::Bytes other = good;
    other.back() ^= 1;
    for (int again = 0; again < 2; ++again) {
      CHECK(key.Verify(vector.scheme, base::AsBytes(key_vectors::kMessage), good).ok());
      CHECK(copy.Verify(vector.scheme, base::AsBytes(key_vectors::kMessage), good).ok());
      CHECK(!copy.Verify(vector.scheme, base::AsBytes("another ceremony"), good).ok());
      CHECK(!copy.Verify(vector.scheme, base::AsBytes(key_vectors::kMessage), other).ok());
      CHECK(!copy.Verify(vector.scheme, base::AsBytes(key_vectors::kMessage), {}).ok());
    }
  }
  const PublicKey rsa = Key(key_vectors::kRsa2048Spki);
  const base::Bytes signature = Hex(key_vectors::kRsa2048Pkcs1Signature);
  CHECK(rsa.Verify(SignatureScheme::kRsaPkcs1Sha256, base::AsBytes(key_vectors::kMessage), signature).ok());
  CHECK(!rsa.Verify(SignatureScheme::kRsaPssSha256, base::AsBytes(key_vectors::kMessage), signature).ok());
  CHECK(!rsa.Verify(SignatureScheme::kRsaPkcs1Sha512, base::AsBytes(key_vectors::kMessage), signature).ok());
  CHECK(!Key(key_vectors::kP256Spki)
             .Verify(SignatureScheme::kRsaPkcs1Sha256, base::AsBytes(key_vectors::kMessage), signature)
             .ok());
}
