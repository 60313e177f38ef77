#include "hsm/describe.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "hsm/names.h"
#include "hsm/quirks.h"
#include "hsm/template.h"

namespace {

using base::Bytes;
using hsm::DescribeValue;

TEST_CASE("numbers of the standard have their names, others their digits") {
  CHECK(hsm::RvName(CKR_OK) == "CKR_OK");
  CHECK(hsm::RvName(0xa0) == "CKR_PIN_INCORRECT");
  CHECK(hsm::RvName(0x1d0) == "0x1d0");
  CHECK(hsm::RvName(0x80000001) == "0x80000001");
  CHECK(hsm::MechanismName(0x1040) == "CKM_EC_KEY_PAIR_GEN");
  CHECK(hsm::MechanismName(0x1041) == "CKM_ECDSA");
  CHECK(hsm::MechanismName(0x210a) == "CKM_AES_KEY_WRAP_PAD");
  CHECK(hsm::MechanismName(0x210b) == "CKM_AES_KEY_WRAP_KWP");
  CHECK(hsm::MechanismName(0x1057) == "CKM_EDDSA");
  CHECK(hsm::AttributeName(0x129) == "CKA_PUBLIC_KEY_INFO");
  CHECK(hsm::AttributeName(0xd5a0db00) == "CKA_NSS_DB");
  CHECK(hsm::AttributeName(0x80000000) == "0x80000000");
  CHECK(hsm::ClassName(3) == "CKO_PRIVATE_KEY");
  CHECK(hsm::KeyTypeName(3) == "CKK_EC");
  CHECK(hsm::KeyTypeName(0x40) == "CKK_EC_EDWARDS");
}

TEST_CASE("the tables are in ascending order and without repetitions") {
  for (const auto table : {hsm::ReturnValueNames(), hsm::ClassNames(), hsm::KeyTypeNames(), hsm::MechanismNames()}) {
    CHECK(std::ranges::adjacent_find(table, std::ranges::greater_equal(), &hsm::Name::number) == table.end());
  }
  for (CK_ATTRIBUTE_TYPE type = 0; type < 0x700; ++type) {
    const hsm::AttributeFacts* const facts = hsm::FindAttribute(type);
    if (facts != nullptr) CHECK(facts->type == type);
  }
  CHECK(hsm::FindAttribute(CKA_CLASS) != nullptr);
  CHECK(hsm::FindAttribute(CKA_UNWRAP_TEMPLATE) != nullptr);
}

TEST_CASE("every function has the name of the standard") {
  CHECK(hsm::FunctionName(hsm::Function::kInitialize) == "C_Initialize");
  CHECK(hsm::FunctionName(hsm::Function::kInitPin) == "C_InitPIN");
  CHECK(hsm::FunctionName(hsm::Function::kSetPin) == "C_SetPIN");
  CHECK(hsm::FunctionName(hsm::Function::kGenerateKeyPair) == "C_GenerateKeyPair");
  CHECK(hsm::FunctionName(hsm::Function::kGenerateRandom) == "C_GenerateRandom");
}

TEST_CASE("values are spelled by their kind, and key material never") {
  const CK_ULONG ec = CKK_EC;
  const auto* const ec_bytes = reinterpret_cast<const std::uint8_t*>(&ec);
  CHECK(DescribeValue(CKA_SIGN, Bytes{1}) == "true");
  CHECK(DescribeValue(CKA_SIGN, Bytes{0}) == "false");
  CHECK(DescribeValue(CKA_SIGN, Bytes{2}) == "02");
  CHECK(DescribeValue(CKA_SIGN, Bytes{}) == "");
  CHECK(DescribeValue(CKA_KEY_TYPE, {ec_bytes, sizeof ec}) == "CKK_EC");
  CHECK(DescribeValue(CKA_MODULUS_BITS, {ec_bytes, sizeof ec}) == "3");
  CHECK(DescribeValue(CKA_KEY_TYPE, Bytes{3}) == "03");
  CHECK(DescribeValue(CKA_KEY_GEN_MECHANISM, Bytes(8, 0xff)) == "unavailable");
  CHECK(DescribeValue(CKA_ID, Bytes{0x01, 0xab}) == "01ab");
  CHECK(DescribeValue(CKA_LABEL, base::AsBytes("Root OCA")) == "Root OCA");
  CHECK(DescribeValue(CKA_LABEL, base::AsBytes("Z\xc3\xbcrich")) == "Z\xc3\xbcrich");
  CHECK(DescribeValue(CKA_LABEL, base::AsBytes("a\x1b[2J")) == "611b5b324a");
  CHECK(DescribeValue(CKA_LABEL, base::AsBytes("\xed\xa0\x80")) == "eda080");
  CHECK(DescribeValue(CKA_LABEL, base::AsBytes("\xc0\xaf")) == "c0af");
  CHECK(DescribeValue(CKA_VALUE, Bytes{1, 2, 3}) == "(3 bytes withheld)");
  CHECK(DescribeValue(CKA_PRIVATE_EXPONENT, Bytes(256)) == "(256 bytes withheld)");
  CHECK(DescribeValue(0x80000001, Bytes{1}) == "(1 bytes withheld)");
}

TEST_CASE("an error of a call says what for, which call, and what came back") {
  const base::Error error = hsm::CallError(hsm::Function::kLogin, CKR_PIN_LOCKED, "logging in to token \"root\"");
  CHECK(error.message == "logging in to token \"root\": C_Login returned CKR_PIN_LOCKED");
  CHECK(error.call == "C_Login");
  CHECK(error.rv == CKR_PIN_LOCKED);
  CHECK(error.code == base::ErrorCode::kToken);
  CHECK_FALSE(error.hint.empty());
  CHECK(hsm::CallError(hsm::Function::kSignInit, CKR_MECHANISM_INVALID, "x").code == base::ErrorCode::kUnsupported);
}

TEST_CASE("a template owns its values, replaces them, and describes itself without secrets") {
  hsm::Template attributes;
  {
    const std::string label = "a label that is long enough to live on the heap";
    attributes.Text(CKA_LABEL, label);
  }
  attributes.Bool(CKA_SENSITIVE, true).Number(CKA_CLASS, CKO_SECRET_KEY).Bool(CKA_SENSITIVE, false);
  attributes.Secret(CKA_VALUE, base::SecretBytes::CopyOf(base::AsBytes("0123456789abcdef")));
  CHECK(attributes.Types() == std::vector<CK_ATTRIBUTE_TYPE>{CKA_LABEL, CKA_SENSITIVE, CKA_CLASS, CKA_VALUE});
  const hsm::Description expected = {{"x.CKA_LABEL", "a label that is long enough to live on the heap"},
                                     {"x.CKA_SENSITIVE", "false"},
                                     {"x.CKA_CLASS", "CKO_SECRET_KEY"},
                                     {"x.CKA_VALUE", "(16 bytes withheld)"}};
  CHECK(attributes.Describe("x.") == expected);

  hsm::Template moved = std::move(attributes);
  const auto native = moved.Native();
  REQUIRE(native.size() == 4);
  CHECK(native[0].type == CKA_LABEL);
  CHECK(native[0].ulValueLen == 47);
  CHECK(native[1].ulValueLen == 1);
  CHECK(*static_cast<const std::uint8_t*>(native[1].pValue) == 0);
  CHECK(native[3].ulValueLen == 16);
  moved.Remove(CKA_VALUE).Remove(CKA_VALUE);
  CHECK(moved.size() == 3);
  CHECK_FALSE(moved.Has(CKA_VALUE));
}

TEST_CASE("a module gets its row of the table of quirks, and its path tells the way to it") {
  CHECK(hsm::QuirksOf("SoftHSM", "Implementation of PKCS11", "/usr/lib/softhsm/libsofthsm2.so").name == "softhsm-2");
  CHECK(hsm::QuirksOf("Mozilla Foundation", "NSS Internal Crypto Services", "/x/libsoftokn3.so").name ==
        "nss-softoken");
  CHECK(hsm::QuirksOf("Kryoptic", "Kryoptic PKCS11 Module", "/x/libkryoptic.so").name == "kryoptic");
  CHECK(hsm::QuirksOf("IBM", "openCryptoki", "/x/libopencryptoki.so").name == "opencryptoki");
  CHECK(hsm::QuirksOf("Acme", "HSM", "/x/acme.so").name == "standard");
  CHECK(hsm::QuirksOf("", "", "").name == "standard");
  CHECK(hsm::QuirksOf("SoftHSM", "Implementation of PKCS11", "/x/p11-kit-client.so").name == "softhsm-2");
  CHECK(hsm::QuirksOf("OpenSC Project", "", "/x/pkcs11-spy.so").spies);
  CHECK_FALSE(hsm::QuirksOf("OpenSC Project", "", "/spy/opensc-pkcs11.so").spies);
  CHECK(hsm::AllQuirks().back().name == "standard");
}

}  // namespace
