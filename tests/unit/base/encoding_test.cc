#include "hsm/base/encoding.h"

#include <doctest/doctest.h>

#include "hsm/base/clock.h"
#include "hsm/base/digest.h"

TEST_CASE("hex is lowercase pairs and nothing else") {
  CHECK(base::HexEncode(base::Bytes{0x00, 0x0f, 0xa5, 0xff}) == "000fa5ff");
  CHECK(*base::HexDecode("000fa5ff") == base::Bytes{0x00, 0x0f, 0xa5, 0xff});
  CHECK_FALSE(base::HexDecode("0").ok());
  CHECK_FALSE(base::HexDecode("0F").ok());
  CHECK_FALSE(base::HexDecode("0g").ok());
}

TEST_CASE("base64 keeps the vectors of RFC 4648 section 10 and refuses second spellings") {
  const char* vectors[][2] = {{"", ""},
                              {"f", "Zg=="},
                              {"fo", "Zm8="},
                              {"foo", "Zm9v"},
                              {"foob", "Zm9vYg=="},
                              {"fooba", "Zm9vYmE="},
                              {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    CHECK(base::Base64Encode(base::AsBytes(plain)) == encoded);
    REQUIRE(base::Base64Decode(encoded).ok());
    CHECK(base::AsText(*base::Base64Decode(encoded)) == plain);
  }
  for (const char* bad : {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm9v\n", "Zm-v", "Zg==Zg=="}) {
    CHECK_FALSE(base::Base64Decode(bad).ok());
  }
  CHECK(base::Base64UrlEncode(base::Bytes{0xfb, 0xff}) == "-_8");
}

TEST_CASE("SHA-256 keeps the vectors of FIPS 180-4, whole and in pieces") {
  CHECK(base::Sha256Hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  base::Sha256Stream stream;
  stream.Update(base::AsBytes("a"));
  stream.Update(base::AsBytes("bc"));
  CHECK(base::HexEncode(stream.Finish()) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("times are spelled with six digits and Z") {
  CHECK(base::FormatTime(0) == "1970-01-01T00:00:00.000000Z");
  CHECK(base::FormatTime(1'795'238'265'000'042) == "2026-11-21T05:17:45.000042Z");
}
