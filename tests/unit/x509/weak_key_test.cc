#include "ceremony/x509/weak_key.h"

#include <doctest/doctest.h>

#include <string>

#include "ceremony/x509/lint.h"
#include "ceremony/x509/mirror_key.h"
#include "hsm/base/encoding.h"
#include "tests/unit/x509/der_tree.h"
#include "tests/unit/x509/support.h"
#include "tests/unit/x509/test_keys.h"
#include "tests/unit/x509/weak_key_vectors.h"

namespace {

using namespace ceremony::x509;
using namespace test;

// The rule that refuses the key, whether as base::PublicKey or as a weak one; "sound" if none does.
std::string Judged(std::string_view spki) {
  const auto key = base::PublicKey::FromSpki(base::HexDecode(spki).value());
  if (!key.ok()) return key.error().message;
  const auto weak = RefuseWeakKey(*key);
  return weak.ok() ? "sound" : weak.error().rule;
}

// What the lint says of a certificate that has this key and is otherwise sound, without what it says of the
// signature, which another key has made.
std::string Linted(std::string_view spki) {
  DerTree tree = DerTree::Parse(RootOca().der());
  tree.At({0, 6}) = DerTree::Parse(base::HexDecode(spki).value());
  std::string rules;
  for (const Finding& finding : LintCertificate(tree.Encode())) {
    const std::string id(finding.facts().id);
    if (id.starts_with("X509-KEY-") || id.starts_with("KEY-WEAK-")) rules += (rules.empty() ? "" : ", ") + id;
  }
  return rules.empty() ? "sound" : rules;
}

}  // namespace

TEST_CASE("KEY-WEAK-01: a modulus with the fingerprint of ROCA is refused") {
  CHECK(Judged(weak_keys::kRocaRsa) == "KEY-WEAK-01");
  CHECK(Linted(weak_keys::kRocaRsa) == "KEY-WEAK-01");
  CHECK(Judged(weak_keys::kSoundRsa) == "sound");
  CHECK(Linted(weak_keys::kSoundRsa) == "sound");
}

TEST_CASE("KEY-WEAK-02: a modulus with a prime factor below 752 is refused, and one above it is not looked for") {
  CHECK(Judged(weak_keys::kSmallFactorRsa) == "KEY-WEAK-02");
  CHECK(Linted(weak_keys::kSmallFactorRsa) == "KEY-WEAK-02");
  CHECK(Judged(weak_keys::kUnseenFactorRsa) == "sound");
}

TEST_CASE("KEY-WEAK-03: primes that Fermat's method finds within 100 rounds are refused, a square above all") {
  CHECK(Judged(weak_keys::kClosePrimesRsa) == "KEY-WEAK-03");
  CHECK(Linted(weak_keys::kClosePrimesRsa) == "KEY-WEAK-03");
  CHECK(Judged(weak_keys::kSquareRsa) == "KEY-WEAK-03");
  CHECK(Judged(weak_keys::kFarPrimesRsa) == "sound");
}

TEST_CASE("KEY-WEAK-04: points whose private key is 1, 2, 3 or a negative of these are refused") {
  for (const std::string_view spki :
       {weak_keys::kP256Of1, weak_keys::kP256Of2, weak_keys::kP256Of3, weak_keys::kP256OfMinus1, weak_keys::kP384Of1,
        weak_keys::kP384Of2, weak_keys::kP384Of3, weak_keys::kP384OfMinus1}) {
    CAPTURE(spki);
    CHECK(Judged(spki) == "KEY-WEAK-04");
    CHECK(Linted(spki) == "KEY-WEAK-04");
  }
  CHECK(Judged(weak_keys::kP256Of4) == "sound");
  CHECK(Judged(weak_keys::kP384Of4) == "sound");
}

TEST_CASE("the mirror of a key has the same x, is another key, and mirrors back") {
  const auto of = [](std::string_view spki) {
    return base::PublicKey::FromSpki(base::HexDecode(spki).value()).value();
  };
  CHECK(MirrorOf(of(weak_keys::kP256Of1))->spki().size() == of(weak_keys::kP256Of1).spki().size());
  CHECK(*MirrorOf(of(weak_keys::kP256Of1)) == of(weak_keys::kP256OfMinus1));
  CHECK(*MirrorOf(of(weak_keys::kP384OfMinus1)) == of(weak_keys::kP384Of1));
  const base::PublicKey ed = PublicKeyOf(kEd25519);
  const auto mirror = MirrorOf(ed);
  REQUIRE(mirror.has_value());
  CHECK(!(*mirror == ed));
  CHECK(*MirrorOf(*mirror) == ed);
  CHECK(!MirrorOf(of(weak_keys::kSoundRsa)).has_value());
}

TEST_CASE("exponents 1 and 3, even numbers and points off their curve are no keys at all") {
  CHECK(Judged(weak_keys::kExponent1Rsa) == "public key: RSA public exponent is below 65537");
  CHECK(Judged(weak_keys::kExponent3Rsa) == "public key: RSA public exponent is below 65537");
  CHECK(Judged(weak_keys::kEvenExponentRsa) == "public key: RSA public exponent is even");
  CHECK(Judged(weak_keys::kEvenRsa) == "public key: RSA modulus is even");
  CHECK(Judged(weak_keys::kP256OffCurve) == "public key: the point is not on EC P-256");
  CHECK(Judged(weak_keys::kP384OffCurve) == "public key: the point is not on EC P-384");
  CHECK(Linted(weak_keys::kExponent1Rsa) == "X509-KEY-06");
  CHECK(Linted(weak_keys::kExponent3Rsa) == "X509-KEY-06");
  CHECK(Linted(weak_keys::kEvenExponentRsa) == "X509-KEY-06");
  CHECK(Linted(weak_keys::kEvenRsa) == "X509-KEY-05");
  CHECK(Linted(weak_keys::kP256OffCurve) == "X509-KEY-04");
  CHECK(Linted(weak_keys::kP384OffCurve) == "X509-KEY-04");
}
