#include "hsm/base/result.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

namespace {

// What a program says on standard error that ends by SIGABRT in `action`; empty when it does not end so.
template <typename F>
std::string LastWords(F action) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // the test program's own handler would speak, too
    dup2(ends[1], STDERR_FILENO);
    action();
    _exit(0);
  }
  close(ends[1]);
  std::string words;
  std::array<char, 256> block;
  for (ssize_t got = 1; got > 0;) {
    got = read(ends[0], block.data(), block.size());
    if (got > 0) words.append(block.data(), static_cast<std::size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? words : "";
}

}  // namespace

TEST_CASE("to take from a result what it does not hold is a bug that ends the program with its words") {
  const base::Result<int> good = 1;
  const base::Result<int> failed = base::MakeError(base::ErrorCode::kIo, "the disk is full");
  const base::Result<void> done;
  CHECK(LastWords([&] { static_cast<void>(failed.value()); }) ==
        "keyceremony: bug: value taken from a failed result: the disk is full\n");
  const std::string none = "keyceremony: bug: error taken from a result that holds none\n";
  CHECK(LastWords([&] { static_cast<void>(good.error()); }) == none);
  CHECK(LastWords([&] { static_cast<void>(done.error()); }) == none);
  CHECK(LastWords([&] { static_cast<void>(failed.error()); }).empty());
}
