#include "hsm/base/p256_key.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "hsm/base/encoding.h"

namespace {

using base::Bytes;

// openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER, and `openssl pkey -pubout` of it.
constexpr const char* kPkcs8 =
    "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420075b817144ce448b3b6982636ace74d2cb4b2bfdbe"
    "bb9ca77cafcd6ee2652c93a14403420004458bb3fa234041331717c920b3ef14fe585ef1dacc3850199698379d81a322dfe0851cc0f956f6c1"
    "e367ab7bad7f4252bf0bf903d9efcee8c98b0b360c7be4bd";
constexpr const char* kSpki =
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004458bb3fa234041331717c920b3ef14fe585ef1dacc3850199698379d81a3"
    "22dfe0851cc0f956f6c1e367ab7bad7f4252bf0bf903d9efcee8c98b0b360c7be4bd";

Bytes Hex(const char* text) {
  auto bytes = base::HexDecode(text);
  REQUIRE(bytes.ok());
  return *bytes;
}

}  // namespace

TEST_CASE("a PKCS#8 file of openssl is read, its public half is openssl's, and it is written as it was") {
  const Bytes pkcs8 = Hex(kPkcs8);
  const base::EvpKey key = base::P256FromPkcs8(pkcs8);
  REQUIRE(key);
  const auto half = base::PublicHalfOf(key.get());
  REQUIRE(half.ok());
  CHECK(base::HexEncode(half->spki()) == kSpki);
  const auto written = base::P256ToPkcs8(key.get());
  REQUIRE(written.ok());
  CHECK(base::ToBytes(written->view()) == pkcs8);
}

TEST_CASE("a key that is made is read back from what it is written as") {
  const base::EvpKey made = base::GenerateP256();
  REQUIRE(made);
  const auto der = base::P256ToPkcs8(made.get());
  REQUIRE(der.ok());
  const base::EvpKey read = base::P256FromPkcs8(der->view());
  REQUIRE(read);
  CHECK(*base::PublicHalfOf(read.get()) == *base::PublicHalfOf(made.get()));
  CHECK(base::P256ToPkcs8(read.get())->Equals(*der));
}

TEST_CASE("what is not exactly such a file is left to others: cut, longer, another curve, a point off the curve") {
  const Bytes pkcs8 = Hex(kPkcs8);
  for (std::size_t size = 0; size < pkcs8.size(); ++size)
    CHECK_FALSE(base::P256FromPkcs8(base::ByteView(pkcs8).first(size)));
  Bytes longer = pkcs8;
  longer.push_back(0);
  CHECK_FALSE(base::P256FromPkcs8(longer));
  for (std::size_t i = 0; i < pkcs8.size(); ++i) {
    if (i >= 36 && i < 68) continue;  // the scalar: any is one, as far as the form goes
    Bytes changed = pkcs8;
    changed[i] ^= 1;
    CAPTURE(i);
    CHECK_FALSE(base::P256FromPkcs8(changed));
  }
}

TEST_CASE("the public half alone is given for P-256 only") {
  const auto p256 = base::PublicKey::FromSpki(Hex(kSpki));
  REQUIRE(p256.ok());
  const base::EvpKey key = base::P256FromPublicKey(*p256);
  REQUIRE(key);
  CHECK(*base::PublicHalfOf(key.get()) == *p256);
  CHECK_FALSE(base::P256ToPkcs8(key.get()).ok());
  const auto edwards =
      base::PublicKey::FromEd25519(Hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
  REQUIRE(edwards.ok());
  CHECK_FALSE(base::P256FromPublicKey(*edwards));
}
