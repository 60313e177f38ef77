#include <doctest/doctest.h>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/request.h"
#include "tests/unit/x509/support.h"

using namespace ceremony::x509;
using namespace test;

TEST_CASE("UTCTime and GeneralizedTime mean what `date -u` says") {
  // date -u -d '...' +%s
  CHECK(ParseUtcTime("500101000000Z") == -631152000);
  CHECK(ParseUtcTime("491231235959Z") == 2524607999);
  CHECK(ParseUtcTime("700101000000Z") == 0);
  CHECK(ParseUtcTime("000229120000Z") == 951825600);
  CHECK(ParseUtcTime("000230120000Z") == std::nullopt);
  CHECK(ParseUtcTime("010229120000Z") == std::nullopt);
  CHECK(ParseUtcTime("991231235960Z") == std::nullopt);
  CHECK(ParseUtcTime("99123123595Z") == std::nullopt);
  CHECK(ParseUtcTime("+91231235959Z") == std::nullopt);
  CHECK(ParseGeneralizedTime("99991231235959Z") == kIndefiniteEnd);
  CHECK(ParseGeneralizedTime("20500101000000Z") == kFirstGeneralizedTime);
  CHECK(ParseGeneralizedTime("21000229000000Z") == std::nullopt);
  CHECK(ParseGeneralizedTime("20001301000000Z") == std::nullopt);
  CHECK(FormatGeneralizedTime(kIndefiniteEnd) == "99991231235959Z");
  CHECK(FormatUtcTime(-631152000) == "500101000000Z");
  CHECK(ReadableTime(951825600) == "2000-02-29 12:00:00 UTC");
}

TEST_CASE("a validity lasts exactly so long, both ends included") {
  const auto end = [](const char* begin, RelativeValidity validity) {
    const auto period = PeriodOf(validity, *ParseGeneralizedTime(begin));
    return period ? FormatGeneralizedTime(period->not_after) : period.error().message;
  };
  CHECK(end("20200203040506Z", {50, 0, 0}) == "20700203040505Z");
  CHECK(end("20200229000000Z", {50, 0, 0}) == "20700228235959Z");
  CHECK(end("20200131120000Z", {0, 1, 0}) == "20200301115959Z");
  CHECK(end("20200101000000Z", {0, 0, 1}) == "20200101235959Z");
  CHECK(end("20201231000000Z", {1, 2, 3}) == "20220303235959Z");
  CHECK(end("20200101000000Z", {0, 0, 0}) == "a validity of nothing ends when it begins");
  CHECK(end("20200101000000Z", {7980, 0, 0}) == "99991231235959Z");
  CHECK(end("20200102000000Z", {7980, 0, 0}) == "a validity of 7980 years is not within the years 1950 to 9999");
  CHECK(end("20200101000000Z", {4000000000U, 0, 0}) == "a validity of 4000000000 years ends after the year 9999");
  CHECK(FormatGeneralizedTime(PeriodOf(IndefiniteValidity{}, kNow)->not_after) == "99991231235959Z");
  CHECK(PeriodOf(FixedValidity{5, 9}, kNow)->not_before == 5);
  CHECK_FALSE(PeriodOf(FixedValidity{9, 9}, kNow).ok());
}

TEST_CASE("a name is encoded as the profile says and spelled with its encodings") {
  Profile profile = IssuingOcaProfile();
  const auto name = BuildName(profile, {{"CN", "Z1"}});
  REQUIRE(name.ok());
  // As `openssl req -subj /OU=07/CN=Z1` with string_mask=pkix encodes it.
  CHECK(base::HexEncode(*name) == "301a310b3009060355040b13023037310b3009060355040313025a31");
  CHECK(NameText(*name) == "OU=07 (PrintableString), CN=Z1 (PrintableString)");
  CHECK(NameText(Hex("3000")) == "(empty)");

  const auto rule_of = [&](const SubjectValues& values) { return BuildName(profile, values).error().rule; };
  CHECK(rule_of({}) == "NAME-VALUE-01");
  CHECK(rule_of({{"CN", "Z1"}, {"OU", "08"}}) == "NAME-VALUE-02");
  CHECK(rule_of({{"CN", "Z1"}, {"O", "x"}}) == "NAME-VALUE-02");
  CHECK(rule_of({{"CN", ""}}) == "NAME-VALUE-03");
  CHECK(rule_of({{"CN", "Z1234"}}) == "NAME-VALUE-03");
  CHECK(rule_of({{"CN", "Z_1"}}) == "NAME-VALUE-03");
  CHECK(BuildName(profile, {{"CN", "Z1234"}}).error().message == "the subject's CN \"Z1234\" has 5 characters");

  // A fixed attribute before an open one of the same type.
  profile.subject = {{"OU", StringEncoding::kUtf8String, "00"}, {"OU", StringEncoding::kUtf8String, std::nullopt}};
  const auto both = BuildName(profile, {{"OU", "07"}});
  REQUIRE(both.ok());
  CHECK(NameText(*both) == "OU=00 (UTF8String), OU=07 (UTF8String)");
  CHECK(*SubjectValuesOf(profile, *both) == SubjectValues{{"OU", "07"}});
  CHECK(rule_of({}) == "NAME-VALUE-01");

  profile.subject = {{"2.5.4.45", StringEncoding::kBitString, std::nullopt, 64},
                     {"OU", StringEncoding::kUtf8String, "02"}};
  const auto eui = BuildName(profile, {{"2.5.4.45", "00db1234567890a1"}});
  REQUIRE(eui.ok());
  CHECK(base::HexEncode(*eui) ==
        "30213112301006035504"
        "2d03090000db1234567890a1310b3009060355040b0c023032");
  CHECK(NameText(*eui) == "x500UniqueIdentifier=#0000db1234567890a1 (BIT STRING), OU=02 (UTF8String)");
  CHECK(rule_of({{"2.5.4.45", "00DB1234567890A1"}}) == "NAME-VALUE-03");
  CHECK(rule_of({{"2.5.4.45", "00db1234567890a100"}}) == "NAME-VALUE-03");
}

TEST_CASE("names that could deceive a reader are spelled so that they cannot") {
  CHECK(SafeText(base::AsBytes("Z1\x1b[2J")) == "Z1\\1b[2J");
  CHECK(SafeText(base::AsBytes("a\\b\x7f\n")) == "a\\5cb\\7f\\0a");
  CHECK(SafeText(base::AsBytes("K\xc3\xb6ln")) == "K\xc3\xb6ln");
  CHECK(SafeText(base::AsBytes("\xe2\x80\xae"
                               "evil")) == "\\e2\\80\\aeevil");
  CHECK(SafeText(base::AsBytes("\xc2\x9b")) == "\\c2\\9b");
  CHECK(SafeText(base::AsBytes("\xff\xc3")) == "\\ff\\c3");
  CHECK(SafeText(base::AsBytes("\xed\xa0\x80")) == "\\ed\\a0\\80");
}

TEST_CASE("two different names are never spelled alike, and plain ones need no quotes") {
  Profile profile;
  profile.subject = {{"CN", StringEncoding::kUtf8String, std::nullopt}};
  const auto one = [&](const char* value) { return NameText(*BuildName(profile, {{"CN", value}})); };
  CHECK(one("A (UTF8String), OU=07") == "CN=\"A (UTF8String), OU=07\" (UTF8String)");
  CHECK(one("A, OU=07") == "CN=\"A, OU=07\" (UTF8String)");
  CHECK(one("A+OU=07") == "CN=\"A+OU=07\" (UTF8String)");
  CHECK(one("\"A, OU=07\"") == "CN=\"\\22A, OU=07\\22\" (UTF8String)");
  CHECK(one("\"A\"") == "CN=\"\\22A\\22\" (UTF8String)");
  CHECK(one("A\\22") == "CN=A\\5c22 (UTF8String)");
  CHECK(one("Acme (UK), Inc. + Sons") == "CN=Acme (UK), Inc. + Sons (UTF8String)");
  CHECK(one("a=b \"c\"") == "CN=a=b \"c\" (UTF8String)");

  profile.subject.push_back({"OU", StringEncoding::kUtf8String, std::nullopt});
  const auto two = BuildName(profile, {{"CN", "A"}, {"OU", "07"}});
  CHECK(NameText(*two) == "CN=A (UTF8String), OU=07 (UTF8String)");
  CHECK(SpellsName("CN=A (UTF8String), OU=07 (UTF8String)", *two));
  const auto odd = BuildName(profile, {{"CN", "A, B=C"}, {"OU", "07"}});
  CHECK(SpellsName("CN=\"A, B=C\" (UTF8String), OU=07 (UTF8String)", *odd));
  CHECK(SpellsName("CN=A, B=C (UTF8String), OU=07 (UTF8String)", *odd));  // as records had it before
  CHECK_FALSE(SpellsName("CN=A, B=C (UTF8String)", *odd));
}

TEST_CASE("names are the same without regard to string type, case and runs of spaces") {
  const auto name = [](const char* tag, const char* text) {
    const std::string value = base::HexEncode(base::AsBytes(text));
    const auto length = [](std::size_t size) { return base::HexEncode(base::Bytes{static_cast<std::uint8_t>(size)}); };
    const std::size_t n = value.size() / 2;
    return Hex("30" + length(n + 11) + "31" + length(n + 9) + "30" + length(n + 7) + "0603550403" + tag + length(n) +
               value);
  };
  const char* const printable = "13";
  const char* const utf8 = "0c";
  const char* const bmp = "1e";
  CHECK(SameName(name(printable, "Root CA"), name(utf8, "root  ca ")));
  CHECK_FALSE(SameName(name(printable, "Root CA"), name(printable, "RootCA")));
  CHECK_FALSE(SameName(name(printable, "Root"), name(printable, "Root CA")));
  CHECK(SameName(name(printable, ""), name(utf8, "  ")));
  CHECK_FALSE(SameName(name(bmp, "aa"), name(utf8, "aa")));
  // In bits 41 and 61 are no letter in two cases.
  const char* const bits = "03";
  CHECK_FALSE(SameName(name(bits, "A"), name(bits, "a")));
  CHECK(FoldedName(name(bits, "A")) != FoldedName(name(bits, "a")));
  CHECK(FoldedName(name(printable, " Root  CA")) == FoldedName(name(utf8, "root ca")));
  CHECK(SameName(Hex("3000"), Hex("3000")));
  CHECK_FALSE(SameName(Hex("3000"), name(utf8, "a")));
}
