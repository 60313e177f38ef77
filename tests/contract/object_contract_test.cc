// Objects and their attributes: what every make must do, the fake too.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/contract/raw_token.h"
#include "tests/contract/world_under_test.h"

namespace contract {
namespace {

Template ById(std::uint8_t id) {
  Template match;
  match.Raw(CKA_ID, Bytes{id});
  return match;
}

}  // namespace

TEST_CASE("a key pair has the attributes that were asked, and those that the token adds") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  const RawToken::Pair pair = token.GenerateP256(true, 1);
  for (const CK_ATTRIBUTE_TYPE type :
       {CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_SIGN, CKA_LOCAL}) {
    if (type == CKA_LOCAL && !world->ways().shows_local) continue;
    CAPTURE(type);
    CHECK(token.Get(pair.private_key, type) == Bytes{1});
  }
  for (const CK_ATTRIBUTE_TYPE type : {CKA_EXTRACTABLE, CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE}) {
    CAPTURE(type);
    CHECK(token.Get(pair.private_key, type) == Bytes{0});
  }
  CHECK(token.Get(pair.private_key, CKA_ID) == Bytes{1});
  CHECK(token.Get(pair.public_key, CKA_ID) == Bytes{1});
  CHECK(token.Get(pair.public_key, CKA_EC_PARAMS) == P256Params());
  CHECK(RawPoint(token.Get(pair.public_key, CKA_EC_POINT)).size() == 65);
  CHECK(base::PublicKey::FromEcPoint(base::Curve::kP256, RawPoint(token.Get(pair.public_key, CKA_EC_POINT))).ok());
}

TEST_CASE("key material of a sensitive key stays in the token") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  const RawToken::Pair pair = token.GenerateP256(false, 1);
  CK_RV rv = CKR_OK;
  CHECK(token.Get(pair.private_key, CKA_VALUE, &rv).empty());
  CHECK(rv == CKR_ATTRIBUTE_SENSITIVE);
}

TEST_CASE("attributes are sized, then read; what is missing or short spoils only itself") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  const RawToken::Pair pair = token.GenerateP256(false, 7);
  CK_RV rv = CKR_OK;
  token.Get(pair.public_key, CKA_MODULUS, &rv);
  CHECK(rv == CKR_ATTRIBUTE_TYPE_INVALID);
  if (!world->ways().respects_buffer_sizes) return;  // what follows would destroy this test's stack
  std::uint8_t id[8], label[2];
  CK_ATTRIBUTE several[] = {{CKA_LABEL, label, sizeof label}, {CKA_ID, id, sizeof id}, {CKA_EC_PARAMS, nullptr, 0}};
  CHECK(token.api().GetAttributeValue(token.session(), pair.public_key, several, 3) == CKR_BUFFER_TOO_SMALL);
  CHECK(several[0].ulValueLen == CK_UNAVAILABLE_INFORMATION);
  CHECK(several[1].ulValueLen == 1);
  CHECK(id[0] == 7);
  CHECK(several[2].ulValueLen == P256Params().size());
  CK_ATTRIBUTE one{CKA_ID, nullptr, 0};
  CHECK(token.api().GetAttributeValue(token.session(), 0x7fffff, &one, 1) == CKR_OBJECT_HANDLE_INVALID);
}

TEST_CASE("objects are found by what they are, each once") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  const RawToken::Pair one = token.GenerateP256(true, 1);
  const RawToken::Pair two = token.GenerateP256(true, 2);
  std::vector<CK_OBJECT_HANDLE> found = token.Find(token.session(), ById(1));
  std::ranges::sort(found);
  std::vector<CK_OBJECT_HANDLE> expected = {one.public_key, one.private_key};
  std::ranges::sort(expected);
  CHECK(found == expected);
  Template private_two = ById(2);
  private_two.Number(CKA_CLASS, CKO_PRIVATE_KEY);
  CHECK(token.Find(token.session(), private_two) == std::vector<CK_OBJECT_HANDLE>{two.private_key});
  CHECK(token.Find(token.session(), ById(3)).empty());
}

TEST_CASE("one search at a time in a session") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  CK_OBJECT_HANDLE object = 0;
  CK_ULONG count = 0;
  if (world->ways().minds_order) {
    CHECK(token.api().FindObjects(token.session(), &object, 1, &count) == CKR_OPERATION_NOT_INITIALIZED);
  }
  REQUIRE(token.api().FindObjectsInit(token.session(), nullptr, 0) == CKR_OK);
  if (world->ways().minds_order) {
    CHECK(token.api().FindObjectsInit(token.session(), nullptr, 0) == CKR_OPERATION_ACTIVE);
  }
  CHECK(token.api().FindObjectsFinal(token.session()) == CKR_OK);
  CHECK(token.api().FindObjectsInit(token.session(), nullptr, 0) == CKR_OK);
  CHECK(token.api().FindObjectsFinal(token.session()) == CKR_OK);
}

TEST_CASE("private objects are seen only while the user is logged in") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  token.GenerateP256(true, 1);
  CHECK(token.Find(token.session(), ById(1)).size() == 2);
  REQUIRE(token.api().Logout(token.session()) == CKR_OK);
  const std::vector<CK_OBJECT_HANDLE> left = token.Find(token.session(), ById(1));
  REQUIRE(left.size() == 1);
  Template public_only = ById(1);
  public_only.Number(CKA_CLASS, CKO_PUBLIC_KEY);
  CHECK(token.Find(token.session(), public_only) == left);
}

TEST_CASE("a read-only session makes no token object, and without a login there is no private one") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  const CK_SESSION_HANDLE read_only = token.Open(CKF_SERIAL_SESSION);
  CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  Template public_part = PublicPart(true, 1, CKA_VERIFY);
  public_part.Raw(CKA_EC_PARAMS, P256Params());
  const Template private_part = PrivatePart(true, 1, CKA_SIGN, false);
  const auto generate = [&](CK_SESSION_HANDLE session) {
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    const auto public_native = public_part.Native();
    const auto private_native = private_part.Native();
    return token.api().GenerateKeyPair(session, &mechanism, public_native.data(), public_native.size(),
                                       private_native.data(), private_native.size(), &public_key, &private_key);
  };
  CHECK(generate(read_only) == CKR_SESSION_READ_ONLY);
  REQUIRE(token.api().Logout(token.session()) == CKR_OK);
  CHECK(generate(token.session()) == CKR_USER_NOT_LOGGED_IN);
  REQUIRE(token.Login(token.session(), CKU_USER, world->user_pin()) == CKR_OK);
  CHECK(token.Find(token.session(), ById(1)).empty());
}

TEST_CASE("a key is made safer, never less safe") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  Template public_part = PublicPart(true, 1, CKA_VERIFY);
  public_part.Raw(CKA_EC_PARAMS, P256Params());
  const RawToken::Pair pair = token.Generate(CKM_EC_KEY_PAIR_GEN, public_part, PrivatePart(true, 1, CKA_SIGN, true));
  REQUIRE(pair.rv == CKR_OK);
  CHECK(token.Set(pair.private_key, std::move(Template().Bool(CKA_SENSITIVE, false))) != CKR_OK);
  CHECK(token.GetBool(pair.private_key, CKA_SENSITIVE));
  CHECK(token.Set(pair.private_key, std::move(Template().Bool(CKA_EXTRACTABLE, false))) == CKR_OK);
  CHECK_FALSE(token.GetBool(pair.private_key, CKA_EXTRACTABLE));
  CHECK(token.Set(pair.private_key, std::move(Template().Bool(CKA_EXTRACTABLE, true))) != CKR_OK);
  CHECK_FALSE(token.GetBool(pair.private_key, CKA_EXTRACTABLE));
  CHECK(token.Set(pair.private_key, std::move(Template().Text(CKA_LABEL, "renamed"))) == CKR_OK);
  CHECK(base::AsText(token.Get(pair.private_key, CKA_LABEL)) == "renamed");
  if (!world->ways().shows_local) return;
  CHECK(token.Set(pair.private_key, std::move(Template().Bool(CKA_LOCAL, false))) != CKR_OK);
  CHECK(token.GetBool(pair.private_key, CKA_LOCAL));
}

TEST_CASE("a destroyed object is gone for every session") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  const RawToken::Pair pair = token.GenerateP256(true, 1);
  const CK_SESSION_HANDLE other = token.Open(CKF_SERIAL_SESSION);
  CHECK(token.Find(other, ById(1)).size() == 2);
  CHECK(token.api().DestroyObject(token.session(), pair.private_key) == CKR_OK);
  CHECK(token.api().DestroyObject(token.session(), pair.private_key) == CKR_OBJECT_HANDLE_INVALID);
  CHECK(token.Find(other, ById(1)).size() == 1);
  CK_RV rv = CKR_OK;
  token.Get(pair.private_key, CKA_LABEL, &rv);
  CHECK(rv == CKR_OBJECT_HANDLE_INVALID);
}

TEST_CASE("session objects go with their session, token objects stay through C_Finalize") {
  const auto world = NewWorld();
  {
    RawToken token(*world, LogIn::kYes);
    token.GenerateP256(true, 1);
    token.GenerateP256(false, 2);
    CHECK(token.Find(token.session(), ById(2)).size() == 2);
  }
  RawToken token(*world, LogIn::kYes);
  CHECK(token.Find(token.session(), ById(1)).size() == 2);
  CHECK(token.Find(token.session(), ById(2)).empty());
}

TEST_CASE("data objects keep what they are given") {
  const auto world = NewWorld();
  if (!world->ways().has_data_objects) return;
  RawToken token(*world, LogIn::kYes);
  Template data;
  data.Number(CKA_CLASS, CKO_DATA).Bool(CKA_TOKEN, true).Bool(CKA_PRIVATE, false).Text(CKA_LABEL, "note");
  data.Raw(CKA_VALUE, Bytes{1, 2, 3});
  CK_OBJECT_HANDLE object = 0;
  const auto native = data.Native();
  REQUIRE(token.api().CreateObject(token.session(), native.data(), native.size(), &object) == CKR_OK);
  CHECK(token.Get(object, CKA_VALUE) == Bytes{1, 2, 3});
  CHECK(token.api().CreateObject(token.session(), nullptr, 0, &object) != CKR_OK);
}

}  // namespace contract
