// A session is with the token that was located, or there is none.
#include <doctest/doctest.h>

#include <utility>

#include "hsm/session.h"
#include "tests/support/results.h"
#include "tests/unit/hsm/fake_world.h"

namespace {

using support::Bad;
using support::Good;

hsm::Result<hsm::Session> Open(const FakeWorld& world) {
  return hsm::Session::Open(world.token, hsm::Session::Access::kReadOnly);
}

}  // namespace

TEST_CASE("no session opens on a token that was put into the slot of the one that was located") {
  FakeWorld world;
  world.Load();
  Good(Open(world));
  world.slot().serial = "0002";
  const base::Error other = Bad(Open(world));
  CHECK(other.code == base::ErrorCode::kToken);
  CHECK(other.message.find("holds token \"root\" (serial 0002) now, token \"root\" (serial 0001) was there") !=
        std::string::npos);
  world.slot().serial = "0001";
  Good(Open(world));
}

TEST_CASE("where slots have new numbers after a module was initialised again, none opens on another token") {
  FakeWorld world;
  world.device->AddToken("0002", "root", "12345678", "1234567");
  world.Load();
  Good(world.module->Reinitialise());
  std::swap(world.device->slots[0].id, world.device->slots[1].id);
  CHECK(Bad(Open(world)).message.find("(serial 0002) now") != std::string::npos);
  world.token = Good(hsm::Token::Locate(world.module, "root", "0001"));
  Good(Open(world));
}
