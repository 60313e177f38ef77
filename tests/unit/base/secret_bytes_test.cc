#include "hsm/base/secret_bytes.h"

#include <doctest/doctest.h>
#include <openssl/crypto.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "hsm/base/p256_key.h"
#include "hsm/base/secret_memory.h"

namespace {

using base::SecretBytes;

bool AllAre(base::ByteView bytes, std::uint8_t value) {
  return std::ranges::all_of(bytes, [value](std::uint8_t byte) { return byte == value; });
}

template <typename F>
bool InAChild(F&& holds) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(holds() ? 0 : 1);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return status == 0;
}

}  // namespace

TEST_CASE("a new secret is zero, whatever was in its memory before") {
  for (const std::size_t size : {1U, 64U, 65U, 4096U, 32768U, 32769U, 100000U}) {
    CAPTURE(size);
    for (int round = 0; round < 3; ++round) {
      SecretBytes secret(size);
      CHECK(secret.size() == size);
      CHECK(AllAre(secret.view(), 0));
      std::ranges::fill(secret.writable(), std::uint8_t{0xaa});
    }
  }
}

TEST_CASE("secrets that live at one time never share a byte") {
  std::mt19937 chance(7);
  std::vector<SecretBytes> secrets;
  for (std::size_t round = 0; round < 3000; ++round) {
    if (secrets.size() > 200) {
      const std::size_t gone = chance() % secrets.size();
      secrets.erase(secrets.begin() + static_cast<std::ptrdiff_t>(gone));
    }
    SecretBytes fresh(1 + chance() % (round % 50 == 0 ? 5000 : 200));
    CHECK(AllAre(fresh.view(), 0));
    std::ranges::fill(fresh.writable(), static_cast<std::uint8_t>(1 + round % 255));
    secrets.push_back(std::move(fresh));
    for (const SecretBytes& secret : secrets) REQUIRE(AllAre(secret.view(), secret.view()[0]));
  }
}

TEST_CASE("a secret that is typed on is as long as its memory, and says how long that is") {
  SecretBytes secret(10);
  while (secret.size() < 10) REQUIRE(secret.PushBack(1).ok());
  for (int i = 10; i < 64; ++i) REQUIRE(secret.PushBack(1).ok());
  CHECK(secret.PushBack(1).error().message == "a secret is longer than 64 bytes");
}

// The state of a process is asked for in one of its own.
TEST_CASE("SECRET-MEMORY-01: what the kernel does not give to secrets is said") {
  for (const bool hardened : {false, true}) {
    for (const bool lockable : {false, true}) {
      CAPTURE(hardened);
      CAPTURE(lockable);
      CHECK(InAChild([&] {
        const rlimit open{rlim_t{1} << 20, rlim_t{1} << 20};
        setrlimit(RLIMIT_CORE, &open);
        prctl(PR_SET_DUMPABLE, 1);
        if (hardened) base::HardenProcess();
        const rlimit none{0, 0};
        if (!lockable) setrlimit(RLIMIT_MEMLOCK, &none);
        // Root is above that limit; a change of user makes the process undumpable or dumpable as the system says.
        if (!lockable && geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) return false;
        prctl(PR_SET_DUMPABLE, hardened ? 0 : 1);
        if (!lockable) SecretBytes(100000);  // has pages of its own, which cannot be locked any more
        const auto kept = base::CheckSecretMemory();
        const std::string message = kept.ok() ? "" : kept.error().message;
        const bool dumpable = message.find("the process can be dumped") != std::string::npos;
        const bool unlocked = message.find("the kernel does not lock the memory") != std::string::npos;
        return dumpable == !hardened && unlocked == !lockable && kept.ok() == (hardened && lockable);
      }));
    }
  }
}

TEST_CASE("private keys of libcrypto are in locked memory once a process is hardened") {
  CHECK(InAChild([] {
    base::HardenProcess();
    const base::EvpKey key = base::GenerateP256();
    return key != nullptr && CRYPTO_secure_used() > 0 && base::CheckSecretMemory().ok();
  }));
}

TEST_CASE("SECRET-MEMORY-01: memory that is locked for short secrets and not for private keys is not enough") {
  CHECK(InAChild([] {
    // Enough for the first pages of a secret, too little for what libcrypto is given.
    const rlimit little{128 * 1024, 128 * 1024};
    setrlimit(RLIMIT_MEMLOCK, &little);
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) return false;
    base::HardenProcess();
    const auto kept = base::CheckSecretMemory();
    return SecretBytes(1).locked() && !kept.ok() &&
           kept.error().message.find("the kernel does not lock the memory") != std::string::npos;
  }));
}

TEST_CASE("a secret is typed byte by byte up to one page, and taken back") {
  SecretBytes typed;
  for (int i = 0; i < 4096; ++i) REQUIRE(typed.PushBack(static_cast<std::uint8_t>(i)).ok());
  const auto full = typed.PushBack(1);
  REQUIRE_FALSE(full.ok());
  CHECK(full.error().message == "a secret is longer than 4096 bytes");
  for (int i = 0; i < 4090; ++i) typed.PopBack();
  CHECK(base::ToBytes(typed.view()) == base::Bytes{0, 1, 2, 3, 4, 5});
  typed.Wipe();
  CHECK(typed.empty());
  typed.PopBack();
  CHECK(typed.PushBack(9).ok());
}

TEST_CASE("a moved secret leaves an empty one, and is equal to its clone alone") {
  SecretBytes first = SecretBytes::CopyOf(base::AsBytes("1234"));
  SecretBytes second = std::move(first);
  CHECK(first.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  CHECK(second.Equals(second.Clone()));
  CHECK_FALSE(second.Equals(SecretBytes::CopyOf(base::AsBytes("1235"))));
  CHECK_FALSE(second.Equals(SecretBytes::CopyOf(base::AsBytes("123"))));
  second = SecretBytes();
  CHECK(second.empty());
}
