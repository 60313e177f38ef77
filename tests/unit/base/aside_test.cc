#include "hsm/base/aside.h"

#include <doctest/doctest.h>
#include <pthread.h>

#include <atomic>
#include <string>
#include <thread>

#include "hsm/base/result.h"

namespace {

bool IsHeld(int signal) {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return sigismember(&mask, signal) == 1;
}

}  // namespace

TEST_CASE("what is begun aside runs on another thread, and gives its result or its error where it is asked for") {
  auto where = base::Aside([] { return std::this_thread::get_id(); });
  auto fails = base::Aside(
      []() -> base::Result<std::string> { return base::MakeError(base::ErrorCode::kIo, "the disk is full"); });
  CHECK(where.get() != std::this_thread::get_id());
  const base::Result<std::string> failed = fails.get();
  REQUIRE(!failed.ok());
  CHECK(failed.error().message == "the disk is full");
}

TEST_CASE("a thread that works aside takes no signal, and the one that began it takes them as before") {
  auto held = base::Aside([] { return IsHeld(SIGINT) && IsHeld(SIGTERM) && IsHeld(SIGHUP); });
  CHECK(!IsHeld(SIGINT));
  CHECK(held.get());
  CHECK(!IsHeld(SIGTERM));
}

TEST_CASE("whoever drops a result waits for the work that makes it") {
  std::atomic<bool> done = false;
  {
    const auto dropped = base::Aside([&done] { done = true; });
  }
  CHECK(done);
}
