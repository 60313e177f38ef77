// Slots, sessions and logins: what every make must do, the fake too.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/contract/raw_token.h"
#include "tests/contract/world_under_test.h"

namespace contract {

TEST_CASE("nothing works before C_Initialize, and C_Initialize works once") {
  const auto world = NewWorld();
  if (!world->ways().minds_order) return;
  const auto api = world->LoadApi();
  CK_ULONG count = 0;
  CK_INFO info;
  CHECK(api->GetInfo(&info) == CKR_CRYPTOKI_NOT_INITIALIZED);
  CHECK(api->GetSlotList(1, nullptr, &count) == CKR_CRYPTOKI_NOT_INITIALIZED);
  CHECK(api->Finalize() == CKR_CRYPTOKI_NOT_INITIALIZED);
  support::InitArguments arguments(world->options());
  REQUIRE(api->Initialize(arguments.get()) == CKR_OK);
  CHECK(api->Initialize(arguments.get()) == CKR_CRYPTOKI_ALREADY_INITIALIZED);
  CHECK(api->GetInfo(&info) == CKR_OK);
  CHECK(api->Finalize() == CKR_OK);
  CHECK(api->Finalize() == CKR_CRYPTOKI_NOT_INITIALIZED);
}

TEST_CASE("slots are counted, then listed, and a short array is refused") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kNo);
  CK_ULONG count = 0;
  REQUIRE(token.api().GetSlotList(1, nullptr, &count) == CKR_OK);
  REQUIRE(count >= 1);
  std::vector<CK_SLOT_ID> slots(count);
  if (world->ways().minds_order) {
    CK_ULONG too_few = 0;
    CHECK(token.api().GetSlotList(1, slots.data(), &too_few) == CKR_BUFFER_TOO_SMALL);
    CHECK(too_few == count);
  }
  CHECK(token.api().GetSlotList(1, slots.data(), &count) == CKR_OK);
  CK_TOKEN_INFO info;
  CHECK(token.api().GetTokenInfo(987654321, &info) == CKR_SLOT_ID_INVALID);
  CK_SESSION_HANDLE session = 0;
  CHECK(token.api().OpenSession(987654321, CKF_SERIAL_SESSION, &session) == CKR_SLOT_ID_INVALID);
}

TEST_CASE("an initialised token says so, and that it wants a login") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kNo);
  const CK_FLAGS wanted = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED | CKF_LOGIN_REQUIRED;
  CHECK((token.TokenFlags() & wanted) == wanted);
  CHECK((token.TokenFlags() & CKF_USER_PIN_LOCKED) == 0);
}

TEST_CASE("mechanisms are listed, and those that are not are unknown") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kNo);
  CK_ULONG count = 0;
  REQUIRE(token.api().GetMechanismList(token.slot(), nullptr, &count) == CKR_OK);
  std::vector<CK_MECHANISM_TYPE> mechanisms(count);
  REQUIRE(token.api().GetMechanismList(token.slot(), mechanisms.data(), &count) == CKR_OK);
  CHECK(std::ranges::find(mechanisms, CKM_EC_KEY_PAIR_GEN) != mechanisms.end());
  CHECK(std::ranges::find(mechanisms, CKM_ECDSA) != mechanisms.end());
  CK_MECHANISM_INFO info;
  CHECK(token.api().GetMechanismInfo(token.slot(), CKM_EC_KEY_PAIR_GEN, &info) == CKR_OK);
  CHECK((info.flags & CKF_GENERATE_KEY_PAIR) != 0);
  CHECK(token.api().GetMechanismInfo(token.slot(), 0x7ffffff1, &info) == CKR_MECHANISM_INVALID);
}

TEST_CASE("a session must be serial, and a closed one is gone") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kNo);
  CK_SESSION_HANDLE session = 0;
  if (world->ways().minds_order) {
    CHECK(token.api().OpenSession(token.slot(), CKF_RW_SESSION, &session) == CKR_SESSION_PARALLEL_NOT_SUPPORTED);
  }
  session = token.Open(CKF_SERIAL_SESSION);
  CHECK(token.State(session) == CKS_RO_PUBLIC_SESSION);
  CHECK(token.State(token.session()) == CKS_RW_PUBLIC_SESSION);
  CHECK(token.api().CloseSession(session) == CKR_OK);
  CHECK(token.api().CloseSession(session) == CKR_SESSION_HANDLE_INVALID);
  CK_SESSION_INFO info;
  CHECK(token.api().GetSessionInfo(session, &info) == CKR_SESSION_HANDLE_INVALID);
}

TEST_CASE("a login belongs to the token: all its sessions have it, and lose it together") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kNo);
  const CK_SESSION_HANDLE other = token.Open(CKF_SERIAL_SESSION);
  REQUIRE(token.Login(token.session(), CKU_USER, world->user_pin()) == CKR_OK);
  CHECK(token.State(token.session()) == CKS_RW_USER_FUNCTIONS);
  CHECK(token.State(other) == CKS_RO_USER_FUNCTIONS);
  CHECK(token.Login(other, CKU_USER, world->user_pin()) == CKR_USER_ALREADY_LOGGED_IN);
  CHECK(token.api().Logout(other) == CKR_OK);
  CHECK(token.State(token.session()) == CKS_RW_PUBLIC_SESSION);
  if (world->ways().refuses_second_logout) {
    CHECK(token.api().Logout(token.session()) == CKR_USER_NOT_LOGGED_IN);
  }
}

TEST_CASE("the login goes with the last session") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  REQUIRE(token.api().CloseSession(token.session()) == CKR_OK);
  const CK_SESSION_HANDLE session = token.Open(CKF_SERIAL_SESSION);
  CHECK(token.State(session) == CKS_RO_PUBLIC_SESSION);
}

TEST_CASE("a wrong PIN does not log in, and the right one after it does") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kNo);
  CHECK(token.Login(token.session(), CKU_USER, "7654321") == CKR_PIN_INCORRECT);
  CHECK(token.State(token.session()) == CKS_RW_PUBLIC_SESSION);
  CHECK(token.Login(token.session(), CKU_USER, world->user_pin()) == CKR_OK);
  CHECK((token.TokenFlags() & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED)) == 0);
}

TEST_CASE("the security officer waits until the read-only sessions are closed") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kNo);
  if (!world->ways().has_security_officer) return;
  const CK_SESSION_HANDLE other = token.Open(CKF_SERIAL_SESSION);
  CHECK(token.Login(token.session(), CKU_SO, world->so_pin()) == CKR_SESSION_READ_ONLY_EXISTS);
  CHECK(token.api().CloseSession(other) == CKR_OK);
  REQUIRE(token.Login(token.session(), CKU_SO, world->so_pin()) == CKR_OK);
  CHECK(token.State(token.session()) == CKS_RW_SO_FUNCTIONS);
  CK_SESSION_HANDLE session = 0;
  CHECK(token.api().OpenSession(token.slot(), CKF_SERIAL_SESSION, &session) == CKR_SESSION_READ_WRITE_SO_EXISTS);
  const CK_RV user_rv = token.Login(token.session(), CKU_USER, world->user_pin());
  CHECK(user_rv == CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
}

TEST_CASE("the user's PIN is changed with the old one only") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  std::string wrong = "0000000", old_pin = world->user_pin(), new_pin = "new-pin-1";
  const auto set = [&](std::string& from, std::string& to) {
    return token.api().SetPin(token.session(), reinterpret_cast<CK_UTF8CHAR*>(from.data()), from.size(),
                              reinterpret_cast<CK_UTF8CHAR*>(to.data()), to.size());
  };
  CHECK(set(wrong, new_pin) == CKR_PIN_INCORRECT);
  CHECK(set(old_pin, new_pin) == CKR_OK);
  CHECK(token.api().Logout(token.session()) == CKR_OK);
  CHECK(token.Login(token.session(), CKU_USER, old_pin) == CKR_PIN_INCORRECT);
  CHECK(token.Login(token.session(), CKU_USER, new_pin) == CKR_OK);
}

TEST_CASE("random bytes are not the same twice") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kNo);
  Bytes one(32), two(32);
  REQUIRE(token.api().GenerateRandom(token.session(), one.data(), one.size()) == CKR_OK);
  REQUIRE(token.api().GenerateRandom(token.session(), two.data(), two.size()) == CKR_OK);
  CHECK(one != two);
}

}  // namespace contract
