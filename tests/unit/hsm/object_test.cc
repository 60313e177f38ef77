#include "hsm/object.h"

#include <doctest/doctest.h>

#include <cstring>

#include "hsm/base/encoding.h"
#include "tests/support/results.h"

namespace {

using base::Bytes;
using base::ErrorCode;
using hsm::AttributeSet;
using support::Bad;
using support::Good;

// openssl ecparam -name prime256v1 -genkey | openssl ec -pubout -outform DER
constexpr const char* kEcSpki =
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004f7d1493ae02b24f8d3904a8446d332965f8c0e366ce90aadc91b3491223a"
    "be"
    "c781b17785dc3fddb6e8096fef2411eb8ce28dbce500ef1ca1828c995f948fcd7d";
// openssl genpkey -algorithm ed25519 | openssl pkey -pubout -outform DER
constexpr const char* kEdSpki =
    "302a300506032b6570032100f7fe719447cb13a7a7f3ebb5f63de04fb8316402005857301efd3293f4fa7b37";

Bytes Hex(const char* text) { return Good(base::HexDecode(text)); }
Bytes Tail(const Bytes& bytes, std::size_t size) {
  return {bytes.end() - static_cast<std::ptrdiff_t>(size), bytes.end()};
}
Bytes Wrapped(const Bytes& point) {
  Bytes wrapped = {0x04, static_cast<std::uint8_t>(point.size())};
  wrapped.insert(wrapped.end(), point.begin(), point.end());
  return wrapped;
}
Bytes Number(CK_ULONG number) {
  Bytes bytes(sizeof number);
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

TEST_CASE("an EC point is read raw and wrapped, and nothing else is a point") {
  const Bytes point = Tail(Hex(kEcSpki), 65);
  CHECK(Good(hsm::DecodeEcPoint(point, 65)) == point);
  CHECK(Good(hsm::DecodeEcPoint(Wrapped(point), 65)) == point);
  Bytes long_form = {0x04, 0x81, 0x85};
  long_form.resize(3 + 133, 0x04);
  CHECK(Good(hsm::DecodeEcPoint(long_form, 133)) == Bytes(133, 0x04));

  Bytes trailing = Wrapped(point);
  trailing.push_back(0);
  CHECK(Bad(hsm::DecodeEcPoint(trailing, 65)).code == ErrorCode::kCorrupt);
  CHECK(Bad(hsm::DecodeEcPoint(Tail(point, 64), 65)).code == ErrorCode::kCorrupt);
  CHECK(Bad(hsm::DecodeEcPoint({}, 65)).code == ErrorCode::kCorrupt);
  CHECK(Bad(hsm::DecodeEcPoint(Bytes{0x04}, 65)).code == ErrorCode::kCorrupt);
  Bytes padded_length = {0x04, 0x81, 0x41};  // not DER: a short length in the long form
  padded_length.insert(padded_length.end(), point.begin(), point.end());
  CHECK(Bad(hsm::DecodeEcPoint(padded_length, 65)).code == ErrorCode::kCorrupt);
}

TEST_CASE("a public key is the same in every spelling that modules have for it") {
  const Bytes spki = Hex(kEcSpki);
  const Bytes point = Tail(spki, 65);
  for (const Bytes& form : {point, Wrapped(point)}) {
    AttributeSet attributes;
    attributes.Set(CKA_EC_PARAMS, Hex("06082a8648ce3d030107"));
    attributes.Set(CKA_EC_POINT, form);
    attributes.Set(CKA_PUBLIC_KEY_INFO, {});  // as SoftHSM has it
    CHECK(base::HexEncode(Good(hsm::ReadPublicKey(attributes)).spki()) == kEcSpki);
    attributes.Set(CKA_PUBLIC_KEY_INFO, spki);
    CHECK(base::HexEncode(Good(hsm::ReadPublicKey(attributes)).spki()) == kEcSpki);
  }
  const Bytes ed = Tail(Hex(kEdSpki), 32);
  for (const char* parameters : {"06032b6570", "130c656477617264733235353139", "06092b06010401da470f01"}) {
    for (const Bytes& form : {ed, Wrapped(ed)}) {
      AttributeSet attributes;
      attributes.Set(CKA_EC_PARAMS, Hex(parameters));
      attributes.Set(CKA_EC_POINT, form);
      CHECK(base::HexEncode(Good(hsm::ReadPublicKey(attributes)).spki()) == kEdSpki);
    }
  }
}

TEST_CASE("an object that shows two keys, none, or a broken one is told apart") {
  AttributeSet attributes;
  CHECK(Bad(hsm::ReadPublicKey(attributes)).code == ErrorCode::kNotFound);
  attributes.Set(CKA_EC_PARAMS, Hex("06082a8648ce3d030107"));
  attributes.Set(CKA_EC_POINT, {});
  CHECK(Bad(hsm::ReadPublicKey(attributes)).code == ErrorCode::kNotFound);
  attributes.Set(CKA_EC_POINT, Bytes(65, 0x04));
  CHECK(Bad(hsm::ReadPublicKey(attributes)).code == ErrorCode::kCorrupt);
  attributes.Set(CKA_EC_POINT, Tail(Hex(kEcSpki), 65));
  attributes.Set(CKA_PUBLIC_KEY_INFO, Hex(kEdSpki));
  CHECK(Bad(hsm::ReadPublicKey(attributes)).code == ErrorCode::kCorrupt);
  attributes.Set(CKA_PUBLIC_KEY_INFO, {});
  attributes.Set(CKA_EC_PARAMS, Hex("06052b8104000a"));  // secp256k1
  CHECK(Bad(hsm::ReadPublicKey(attributes)).message == "unknown curve: CKA_EC_PARAMS is 06052b8104000a");
}

TEST_CASE("attributes of the wrong size are neither booleans nor numbers") {
  AttributeSet attributes;
  attributes.Set(CKA_SIGN, {1});
  attributes.Set(CKA_VERIFY, {1, 0});
  attributes.Set(CKA_WRAP, {0x42});
  attributes.Set(CKA_CLASS, Number(CKO_PRIVATE_KEY));
  attributes.Set(CKA_KEY_TYPE, {3, 0, 0, 0});
  attributes.SetState(CKA_VALUE, hsm::AttributeState::kSensitive);
  attributes.SetState(CKA_SUBJECT, hsm::AttributeState::kUnreadable);
  attributes.SetState(CKA_URL, hsm::AttributeState::kAbsent);
  CHECK(attributes.Bool(CKA_SIGN) == true);
  CHECK_FALSE(attributes.Bool(CKA_VERIFY).has_value());
  CHECK_FALSE(attributes.Bool(CKA_WRAP).has_value());
  CHECK(attributes.Number(CKA_CLASS) == CKO_PRIVATE_KEY);
  CHECK_FALSE(attributes.Number(CKA_KEY_TYPE).has_value());
  CHECK_FALSE(attributes.Bool(CKA_UNWRAP).has_value());
  const hsm::Description expected = {{"CKA_CLASS", "CKO_PRIVATE_KEY"},
                                     {"CKA_VALUE", "(sensitive)"},
                                     {"CKA_KEY_TYPE", "03000000"},
                                     {"CKA_SUBJECT", "(unreadable)"},
                                     {"CKA_WRAP", "42"},
                                     {"CKA_SIGN", "true"},
                                     {"CKA_VERIFY", "0100"}};
  CHECK(attributes.Describe() == expected);
  CHECK(attributes.DescribeOne(CKA_UNWRAP) == "(absent)");
}

TEST_CASE("objects are named by what they show, torn ones too") {
  AttributeSet attributes;
  CHECK(hsm::Object(7, attributes).Name() == "object without class without label (no id)");
  attributes.Set(CKA_CLASS, Number(CKO_PRIVATE_KEY));
  attributes.Set(CKA_LABEL, base::ToBytes(base::AsBytes("root")));
  attributes.Set(CKA_ID, {0x01, 0xab});
  CHECK(hsm::Object(7, attributes).Name() == "private key \"root\" (id 01ab)");
  attributes.Set(CKA_CLASS, Number(0x80000005));
  attributes.Set(CKA_LABEL, {0x1b});
  CHECK(hsm::Object(7, attributes).Name() == "object of class 0x80000005 \"1b\" (id 01ab)");
}

}  // namespace
