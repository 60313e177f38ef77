#include <doctest/doctest.h>
#include <openssl/objects.h>

#include <string>

#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/der_writer.h"
#include "ceremony/x509/oid.h"
#include "tests/unit/x509/support.h"

using namespace ceremony::x509;
using namespace test;

namespace {

std::string RulesOf(base::ByteView der) {
  Findings findings(der);
  const bool sound = CheckDer(der, findings);
  return Ids(findings.list()) + (sound ? "" : " (broken)");
}
std::string RulesOf(const char* hex) { return RulesOf(Hex(hex)); }

}  // namespace

TEST_CASE("lengths up to 2^64 and beyond are judged without overflow") {
  CHECK(RulesOf("0400") == "");
  CHECK(RulesOf("048000") == "DER-LENGTH-02 (broken)");
  CHECK(RulesOf("048100") == "DER-LENGTH-03");
  CHECK(RulesOf("04817f") == "DER-LENGTH-01 (broken)");
  CHECK(RulesOf("0482000100") == "DER-LENGTH-03");
  CHECK(RulesOf("04847fffffff") == "DER-LENGTH-01 (broken)");
  CHECK(RulesOf("0484ffffffff") == "DER-LENGTH-01 (broken)");
  CHECK(RulesOf("0488ffffffffffffffff") == "DER-LENGTH-01 (broken)");
  CHECK(RulesOf("048900ffffffffffffffff") == "DER-LENGTH-01 (broken)");
  CHECK(RulesOf("0489010000000000000000") == "DER-LENGTH-04 (broken)");
  CHECK(RulesOf("04ff") == "DER-LENGTH-04 (broken)");
  CHECK(RulesOf("04fe") == "DER-LENGTH-01 (broken)");
  for (const std::size_t octets : {1U, 8U, 9U, 100U, 126U}) {
    base::Bytes der{0x04, static_cast<std::uint8_t>(0x80U | octets)};
    der.insert(der.end(), octets - 1, 0x00);
    der.insert(der.end(), {0x01, 0xaa});
    CHECK(RulesOf(der) == "DER-LENGTH-03");
  }
  // A length inside that reaches beyond the value around it.
  CHECK(RulesOf("3003040200") == "DER-LENGTH-01 (broken)");
  CHECK(RulesOf("3003048801") == "DER-LENGTH-01 (broken)");
}

TEST_CASE("10,000 levels of nesting are refused at the 33rd") {
  base::Bytes der;
  for (int level = 0; level < 10'000; ++level) {
    der.insert(der.begin(), {0x30});
    base::Bytes length;
    const std::size_t size = der.size() - 1;
    if (size < 0x80) {
      length = {static_cast<std::uint8_t>(size)};
    } else if (size < 0x100) {
      length = {0x81, static_cast<std::uint8_t>(size)};
    } else {
      length = {0x82, static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
    }
    der.insert(der.begin() + 1, length.begin(), length.end());
  }
  Findings findings(der);
  CHECK_FALSE(CheckDer(der, findings));
  REQUIRE(findings.size() == 1);
  CHECK(findings.list()[0].facts().id == "DER-DEPTH-01");
  CHECK(findings.list()[0].offset == 32 * 4);

  const base::Bytes open(20'000, 0x30);
  CHECK(RulesOf(open) == "DER-TRAILING-01, DER-LENGTH-01 (broken)");
  base::Bytes indefinite;
  for (int level = 0; level < 10'000; ++level) indefinite.insert(indefinite.end(), {0x30, 0x80});
  CHECK(RulesOf(indefinite) == "DER-LENGTH-02 (broken)");
}

TEST_CASE("each type is held to its encoding") {
  const char* cases[][2] = {
      {"", "DER-LENGTH-01 (broken)"},
      {"30", "DER-LENGTH-01 (broken)"},
      {"0000", "DER-TAG-03"},
      {"0f00", "DER-TAG-03"},
      {"1000", "DER-TAG-02"},
      {"2403040100", "DER-TAG-02"},
      {"3f00", "DER-TAG-01 (broken)"},
      {"1f1f00", ""},
      {"1f1e00", "DER-TAG-01 (broken)"},
      {"1f801f00", "DER-TAG-01 (broken)"},
      {"1f87ffffff7f00", ""},
      {"1f8fffffffff7f00", "DER-TAG-01 (broken)"},
      {"1f81", "DER-LENGTH-01 (broken)"},
      {"0200", "DER-INTEGER-01"},
      {"020100", ""},
      {"02020080", ""},
      {"0202007f", "DER-INTEGER-02"},
      {"0202ff7f", ""},
      {"0202ff80", "DER-INTEGER-02"},
      {"0a020001", "DER-INTEGER-02"},
      {"010100", ""},
      {"0101ff", ""},
      {"0101fe", "DER-BOOLEAN-02"},
      {"0100", "DER-BOOLEAN-01"},
      {"0300", "DER-BITSTRING-01"},
      {"030100", ""},
      {"030101", "DER-BITSTRING-01"},
      {"03020880", "DER-BITSTRING-01"},
      {"03020780", ""},
      {"030207c0", "DER-BITSTRING-02"},
      {"0500", ""},
      {"050100", "DER-NULL-01"},
      {"0600", "DER-OID-01"},
      {"060180", "DER-OID-01"},
      {"06022a80", "DER-OID-01"},
      {"06032a8001", "DER-OID-01"},
      {"06022a03", ""},
      {"0c02c3a9", ""},
      {"0c02c0af", "DER-STRING-02"},
      {"0c03eda080", "DER-STRING-02"},
      {"0c04f4908080", "DER-STRING-02"},
      {"0c04f48fbfbf", ""},
      {"0c0180", "DER-STRING-02"},
      {"130141", ""},
      {"13012a", "DER-STRING-01"},
      {"130100", "DER-STRING-01"},
      {"160180", "DER-STRING-01"},
      {"12013a", "DER-STRING-01"},
      {"1a010a", "DER-STRING-01"},
      {"1e0141", "DER-STRING-03"},
      {"1c020041", "DER-STRING-03"},
      {"170d3139303230333034303530365a", ""},
      {"170b313930323033303430355a", "DER-TIME-01"},
      {"170d3139303233303034303530365a", "DER-TIME-01"},
      {"170d3139303230333234303530365a", "DER-TIME-01"},
      {"170d31393032303330343035365a5a", "DER-TIME-01"},
      {"180f32303730303230333034303530355a", ""},
      {"181132303730303230333034303530352e355a", "DER-TIME-02"},
      {"3106020101020102", ""},
      {"3106020102020101", "DER-SET-01"},
      {"3106020101020101", ""},
      {"31070201010202ff01", ""},
      {"0500ff", "DER-TRAILING-01"},
  };
  for (const auto& [hex, rules] : cases) {
    INFO(std::string(hex));
    CHECK(RulesOf(hex) == std::string(rules));
  }
}

TEST_CASE("the writer's encodings are those of X.690 and of OpenSSL") {
  const auto hex = [](const DerWriter& writer) { return base::HexEncode(writer.view()); };
  DerWriter numbers;
  for (const std::uint64_t number : {0ULL, 127ULL, 128ULL, 255ULL, 256ULL, 18446744073709551615ULL})
    numbers.Integer(number);
  CHECK(hex(numbers) ==
        "02010002017f02020080020200ff020201000209"
        "00ffffffffffffffff");
  DerWriter bits;
  bits.NamedBits(0x60);
  bits.NamedBits(0x100);
  bits.NamedBits(0);
  bits.NamedBits(1);
  CHECK(hex(bits) ==
        "030201060303070080030100"
        "03020780");
  DerWriter lengths;
  lengths.Nested(tag::kSequence, [&] { lengths.Value(tag::kOctetString, base::Bytes(125, 0xaa)); });
  CHECK(hex(lengths).substr(0, 8) == "307f047d");
  DerWriter longer;
  longer.Nested(tag::kSequence, [&] { longer.Value(tag::kOctetString, base::Bytes(300, 0xaa)); });
  CHECK(hex(longer).substr(0, 16) == "308201300482012c");
  DerWriter set;
  set.SetOf({Hex("0202ff01"), Hex("020102"), Hex("020101")});
  CHECK(hex(set) == "310a0201010201020202ff01");
  DerWriter times;
  times.Time(2524607999);
  times.Time(2524608000);
  CHECK(base::AsText(times.view()) ==
        "\x17\x0d"
        "491231235959Z"
        "\x18\x0f"
        "20500101000000Z");
  for (const auto& der : {hex(numbers), hex(bits), hex(lengths), hex(longer), hex(set), hex(times)}) {
    DerWriter around;
    around.Nested(tag::kSequence, [&] { around.Raw(Hex(der)); });
    CHECK(RulesOf(around.view()) == "");
  }
}

TEST_CASE("every object identifier of the table is encoded and named as OpenSSL does") {
  for (const OidFacts& facts : Oids()) {
    INFO(std::string(facts.dotted));
    ASN1_OBJECT* object = OBJ_txt2obj(std::string(facts.dotted).c_str(), 1);
    REQUIRE(object != nullptr);
    const base::ByteView content{OBJ_get0_data(object), OBJ_length(object)};
    CHECK(base::HexEncode(ContentOf(facts.oid)) == base::HexEncode(content));
    CHECK(*EncodeOid(facts.dotted) == base::ToBytes(content));
    CHECK(DottedOid(content) == facts.dotted);
    CHECK(FindOid(content) == facts.oid);
    CHECK(FindOidByName(facts.name) == facts.oid);
    CHECK(FindOidByName(facts.dotted) == facts.oid);
    ASN1_OBJECT_free(object);
  }
}

TEST_CASE("object identifiers of every size are spelled, and what is none is refused") {
  CHECK(DottedOid(Hex("883703")) == "2.999.3");
  CHECK(DottedOid(Hex("2a")) == "1.2");
  CHECK(DottedOid(Hex("27")) == "0.39");
  CHECK(DottedOid(Hex("4f")) == "1.39");
  CHECK(DottedOid(Hex("50")) == "2.0");
  CHECK(DottedOid({}) == "invalid:");
  CHECK(DottedOid(Hex("2a80")) == "invalid:2a80");
  CHECK(DottedOid(Hex("2a8001")) == "invalid:2a8001");
  CHECK(DottedOid(base::Bytes(70, 0x81)) == "invalid:81818181818181818181818181818181... (70 octets)");
  for (const char* bad : {"", "1", "3.1", "1.40", "1..2", "1.2.", "1.02", "1.2.18446744073709551616", "a.b", "1.-2",
                          " 1.2", "2.18446744073709551615"}) {
    INFO(std::string(bad));
    CHECK_FALSE(EncodeOid(bad).ok());
  }
  CHECK(*EncodeOid("2.999.3") == Hex("883703"));
  CHECK(*EncodeOid("2.5.18446744073709551615") == Hex("5581ffffffffffffffff7f"));
  CHECK(DottedOid(Hex("5581ffffffffffffffff7f")) == "2.5.18446744073709551615");
  // Beyond 64 bits, encoded by `openssl asn1parse -genstr OID:...`.
  CHECK(DottedOid(Hex("82808080808080808050")) == "2.18446744073709551616");
  CHECK(DottedOid(Hex("6983f09da7ebcfdee0c7a1a7b2c0948cc8f9d776")) == "2.25.329800735698586629295641978511506172918");
}
