#include "hsm/base/secret_bytes.h"

#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <bitset>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hsm/base/secret_memory.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace base {
namespace {

constexpr std::size_t kPage = 4096;
// For the private keys of libcrypto, and those that a token module in this process makes with it. One that runs out of
// it could not make a key: an EC key takes some 40 bytes, an RSA 4096 key 2,300, and while it is made 10,000.
constexpr std::size_t kKeyMemory = std::size_t{256} * 1024;
constexpr std::size_t kSmallestInKeyMemory = 32;

// AddressSanitizer is told which parts of the slabs are nobody's.
void Close(std::uint8_t* memory, std::size_t size) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(memory, size);
#else
  static_cast<void>(memory), static_cast<void>(size);
#endif
}
void Open(std::uint8_t* memory, std::size_t size) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(memory, size);
#else
  static_cast<void>(memory), static_cast<void>(size);
#endif
}

// Promised gives a mapping what is said of secrets; false when the kernel refuses one of the two. Pages are locked as
// they are touched, and accounted for at once.
bool Promised(void* pages, std::size_t size) {
  const bool locked = mlock2(pages, size, MLOCK_ONFAULT) == 0;
  return madvise(pages, size, MADV_DONTDUMP) == 0 && locked;
}

struct Pages {
  std::uint8_t* memory;
  bool locked;
};

Pages MapPages(std::size_t size) {
  void* pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) {
    std::fputs("keyceremony: error: no memory for a secret\n", stderr);
    std::abort();
  }
  return {static_cast<std::uint8_t*>(pages), Promised(pages, size)};
}

// Vault gives out parts of a few locked slabs: a ceremony makes some two hundred short secrets, and a mapping with its
// lock for each of them costs more than what is done with them. Whoever gives memory back has wiped it.
class Vault final {
 public:
  static constexpr std::size_t kLargest = 32768;  // beyond it a secret has pages of its own

  static std::size_t CapacityFor(std::size_t size) { return (size + kUnit - 1) / kUnit * kUnit; }

  Pages Take(std::size_t capacity) {
    const std::lock_guard lock(mutex_);
    const std::size_t units = capacity / kUnit;
    for (Slab& slab : slabs_) {
      if (const auto place = slab.Find(units)) return slab.Take(*place, units);
    }
    const Pages pages = MapPages(kSlab);
    refused_ = refused_ || !pages.locked;
    slabs_.push_back({pages, {}});
    Close(pages.memory, kSlab);
    return slabs_.back().Take(0, units);
  }

  // SetRefused remembers that the kernel has not locked pages that were for secrets.
  void SetRefused() {
    const std::lock_guard lock(mutex_);
    refused_ = true;
  }
  bool refused() {
    const std::lock_guard lock(mutex_);
    return refused_;
  }

  void GiveBack(std::uint8_t* memory, std::size_t capacity) {
    const std::lock_guard lock(mutex_);
    for (Slab& slab : slabs_) {
      if (memory < slab.pages.memory || memory >= slab.pages.memory + kSlab) continue;
      const auto place = static_cast<std::size_t>(memory - slab.pages.memory) / kUnit;
      for (std::size_t i = 0; i < capacity / kUnit; ++i) slab.used.reset(place + i);
      Close(memory, capacity);
      return;
    }
  }

 private:
  static constexpr std::size_t kUnit = 64;
  static constexpr std::size_t kSlab = 65536;
  static constexpr std::size_t kUnits = kSlab / kUnit;

  struct Slab {
    Pages pages;
    std::bitset<kUnits> used;

    std::optional<std::size_t> Find(std::size_t units) const {
      std::size_t free = 0;
      for (std::size_t i = 0; i < kUnits; ++i) {
        free = used[i] ? 0 : free + 1;
        if (free == units) return i + 1 - units;
      }
      return std::nullopt;
    }
    Pages Take(std::size_t place, std::size_t units) {
      for (std::size_t i = 0; i < units; ++i) used.set(place + i);
      std::uint8_t* const memory = pages.memory + place * kUnit;
      Open(memory, units * kUnit);
      return {memory, pages.locked};
    }
  };

  std::mutex mutex_;
  std::vector<Slab> slabs_;
  bool refused_ = false;
};

// Never destroyed: a secret may outlive everything else.
Vault& TheVault() {
  static Vault* const vault = new Vault;
  return *vault;
}

}  // namespace

SecretBytes::SecretBytes(std::size_t size) {
  Allocate(size);
  size_ = size;
}

SecretBytes::~SecretBytes() { Wipe(); }

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)),
      locked_(std::exchange(other.locked_, false)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    Wipe();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    locked_ = std::exchange(other.locked_, false);
  }
  return *this;
}

SecretBytes SecretBytes::CopyOf(ByteView bytes) {
  SecretBytes secret(bytes.size());
  std::ranges::copy(bytes, secret.writable().begin());
  return secret;
}

Result<void> SecretBytes::PushBack(std::uint8_t byte) {
  if (data_ == nullptr) Allocate(kPage);
  if (size_ == capacity_)
    return MakeError(ErrorCode::kInvalidInput, "a secret is longer than " + std::to_string(capacity_) + " bytes");
  data_[size_++] = byte;
  return {};
}

void SecretBytes::PopBack() {
  if (size_ == 0) return;
  data_[--size_] = 0;
}

void SecretBytes::Wipe() {
  if (data_ == nullptr) return;
  OPENSSL_cleanse(data_, capacity_);
  if (capacity_ > Vault::kLargest) {
    munmap(data_, capacity_);
  } else {
    TheVault().GiveBack(data_, capacity_);
  }
  data_ = nullptr;
  size_ = 0;
  capacity_ = 0;
  locked_ = false;
}

bool SecretBytes::Equals(const SecretBytes& other) const {
  if (size_ != other.size_) return false;
  return size_ == 0 || CRYPTO_memcmp(data_, other.data_, size_) == 0;
}

void SecretBytes::Allocate(std::size_t capacity) {
  if (capacity == 0) return;
  const bool own_pages = capacity > Vault::kLargest;
  capacity_ = own_pages ? (capacity + kPage - 1) / kPage * kPage : Vault::CapacityFor(capacity);
  const Pages pages = own_pages ? MapPages(capacity_) : TheVault().Take(capacity_);
  if (own_pages && !pages.locked) TheVault().SetRefused();
  data_ = pages.memory;
  locked_ = pages.locked;
}

void HardenProcess() {
  // Neither can fail on Linux; where a sandbox refuses, CheckSecretMemory finds it.
  static_cast<void>(prctl(PR_SET_DUMPABLE, 0));
  const rlimit none{0, 0};
  static_cast<void>(setrlimit(RLIMIT_CORE, &none));
  // 1: all of it is locked and left out of dumps; 2: the kernel refused a part of that.
  if (CRYPTO_secure_malloc_initialized() == 0 && CRYPTO_secure_malloc_init(kKeyMemory, kSmallestInKeyMemory) != 1) {
    TheVault().SetRefused();
  }
}

Result<void> CheckSecretMemory() {
  std::string missing;
  const auto misses = [&missing](const char* what) { missing += (missing.empty() ? "" : ", ") + std::string(what); };
  rlimit core{};
  if (prctl(PR_GET_DUMPABLE) != 0 || getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0)
    misses("the process can be dumped");
  const SecretBytes one(1);  // the first of all, maybe, which takes the memory that most ceremonies need
  if (!one.locked() || TheVault().refused()) misses("the kernel does not lock the memory that they are in");
  if (missing.empty()) return {};
  return Refusal("SECRET-MEMORY-01", "PINs, shares and keys would not be kept as promised: " + missing,
                 "raise the limit of locked memory (`ulimit -l`; LimitMEMLOCK= of a service; --ulimit memlock of a "
                 "container) to 8192 KiB");
}

}  // namespace base
