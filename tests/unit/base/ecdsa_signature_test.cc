#include "hsm/base/ecdsa_signature.h"

#include <doctest/doctest.h>

#include <string>

#include "hsm/base/encoding.h"
#include "tests/unit/base/key_vectors.h"

namespace {

using base::Curve;

base::Bytes Hex(std::string_view text) { return base::HexDecode(text).value(); }
std::string Zeros(std::size_t bytes) { return std::string(2 * bytes, '0'); }

// openssl ecparam -name C -param_enc explicit -text -noout (Order), and half of it rounded down by bc.
const std::string kN256 = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const std::string kHalf256 = "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8";
const std::string kAboveHalf256 = "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a9";
const std::string kN384 =
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";
const std::string kN521 =
    "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c"
    "47aebb6fb71e91386409";
const std::string kBelowN521 =
    "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c"
    "47aebb6fb71e91386408";
const std::string kHalf521 =
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd28c343c1df97cb35bfe600a47b84d2e81ddae4dc44ce23"
    "d75db7db8f489c3204";

std::string Der(Curve curve, const std::string& raw_hex) {
  const auto der = base::RawToLowSDer(curve, Hex(raw_hex));
  return der.ok() ? base::HexEncode(*der) : der.error().message;
}

bool Strict(Curve curve, std::string_view hex) { return base::CheckStrictDer(curve, Hex(hex)).ok(); }
bool StrictLow(Curve curve, std::string_view hex) { return base::CheckStrictLowSDer(curve, Hex(hex)).ok(); }

}  // namespace

TEST_CASE("raw signatures become the shortest DER, however a module padded them") {
  CHECK(Der(Curve::kP256, Zeros(31) + "01" + Zeros(31) + "02") == "3006020101020102");
  CHECK(Der(Curve::kP256, "0102") == "3006020101020102");
  CHECK(Der(Curve::kP256, Zeros(65) + "80" + Zeros(65) + "7f") ==
        "300702020080"
        "02017f");
}

TEST_CASE("s above half the order is replaced by n - s, and half the order itself is kept") {
  const std::string one = Zeros(31) + "01";
  CHECK(Der(Curve::kP256, one + kHalf256) == "30250201010220" + kHalf256);
  CHECK(Der(Curve::kP256, one + kAboveHalf256) == "30250201010220" + kHalf256);
  CHECK(Der(Curve::kP256, one + "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550") ==
        "3006020101020101");
  CHECK(Der(Curve::kP521, kBelowN521 + "00" + kHalf521) ==
        "308188"
        "0242" +
            kBelowN521 + "024200" + kHalf521);
  CHECK(StrictLow(Curve::kP521,
                  "308188"
                  "0242" +
                      kBelowN521 + "024200" + kHalf521));
}

TEST_CASE("raw signatures with an odd length, or r or s outside [1, n-1], are corrupt") {
  const std::string one = Zeros(31) + "01";
  for (const std::string& raw : {std::string(), std::string("010203"), Zeros(32) + one, one + Zeros(32), kN256 + one,
                                 one + kN256, "01" + Zeros(32) + "00" + one}) {
    const auto der = base::RawToLowSDer(Curve::kP256, Hex(raw));
    REQUIRE_FALSE(der.ok());
    CHECK(der.error().code == base::ErrorCode::kCorrupt);
  }
  CHECK_FALSE(base::RawToLowSDer(Curve::kP384, Hex(kN384 + Zeros(47) + "01")).ok());
  CHECK_FALSE(base::RawToLowSDer(Curve::kP521, Hex(kN521 + Zeros(65) + "01")).ok());
  CHECK(base::RawToLowSDer(Curve::kP256, Hex(Zeros(32) + one)).error().message ==
        "ECDSA signature on P-256: r is zero");
}

TEST_CASE("signatures of the openssl command are strict DER on every curve") {
  CHECK(Strict(Curve::kP256, key_vectors::kP256Signature));
  CHECK(Strict(Curve::kP384, key_vectors::kP384Signature));
  CHECK(Strict(Curve::kP521, key_vectors::kP521Signature));
}

TEST_CASE("each second spelling of a signature is refused") {
  CHECK(StrictLow(Curve::kP256, "3006020101020101"));
  const char* const bad[] = {
      "",
      "30",
      "3000",
      "3106020101020101",      // not a SEQUENCE
      "308106020101020101",    // long form below 128
      "30820006020101020101",  // longer still
      "3080020101020101"
      "0000",                // indefinite
      "3007020101020101",    // one byte missing
      "300602010102010100",  // trailing byte outside
      "300702010102010100",  // trailing byte inside
      "30070202000102010"
      "1",  // redundant zero in r
      "30070201010202000"
      "1",                 // redundant zero in s
      "3006020181020101",  // r negative
      "3006020101020181",  // s negative
      "3006020100020101",  // r zero
      "3006020101020100",  // s zero
      "30050200020101",    // r empty
      "3003020101",        // s missing
      "3007020101028101"
      "01",                // long form in s
      "3006030101020101",  // r is a BIT STRING
  };
  for (const char* hex : bad) {
    CAPTURE(hex);
    const auto checked = base::CheckStrictDer(Curve::kP256, Hex(hex));
    REQUIRE_FALSE(checked.ok());
    CHECK(checked.error().code == base::ErrorCode::kCorrupt);
  }
  CHECK_FALSE(Strict(Curve::kP256,
                     "3026"
                     "020101"
                     "022100" +
                         kN256));
}

TEST_CASE("only the low half of s passes where we write") {
  const std::string low =
      "3025"
      "020101"
      "0220" +
      kHalf256;
  const std::string high =
      "3025"
      "020101"
      "0220" +
      kAboveHalf256;
  CHECK(StrictLow(Curve::kP256, low));
  CHECK_FALSE(StrictLow(Curve::kP256, high));
  CHECK(Strict(Curve::kP256, high));
}
