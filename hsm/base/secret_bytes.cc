#include "hsm/base/secret_bytes.h"

#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace base {
namespace {
constexpr std::size_t kPage = 4096;
}

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
  if (size_ == capacity_) return MakeError(ErrorCode::kInvalidInput, "a secret is longer than 4096 bytes");
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
  munmap(data_, capacity_);
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
  capacity_ = (capacity + kPage - 1) / kPage * kPage;
  if (capacity_ == 0) return;
  void* pages = mmap(nullptr, capacity_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) {
    std::fputs("keyceremony: error: no memory for a secret\n", stderr);
    std::abort();
  }
  locked_ = mlock(pages, capacity_) == 0;
  madvise(pages, capacity_, MADV_DONTDUMP);
  data_ = static_cast<std::uint8_t*>(pages);
}

void HardenProcess() {
  prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

}  // namespace base
