// SecretBytes holds a PIN, a share or a private key while it is needed.
//
// The bytes live in pages for secrets alone that are locked (mlock), left out of
// core dumps (MADV_DONTDUMP) and kept for the next secret; each secret is wiped
// over its whole capacity when the object goes. There is no operator<<, no conversion to std::string and no
// copy: a secret that must be twice in memory is copied by name (Clone).
#ifndef HSM_BASE_SECRET_BYTES_H_
#define HSM_BASE_SECRET_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace base {

class SecretBytes final {
 public:
  SecretBytes() = default;
  // Allocates `size` zero bytes. Aborts when the kernel gives no memory; a
  // refused mlock (RLIMIT_MEMLOCK) is reported by `locked`, not hidden.
  explicit SecretBytes(std::size_t size);
  ~SecretBytes();
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;  // a second copy is a second thing to wipe
  SecretBytes& operator=(const SecretBytes&) = delete;

  // CopyOf copies bytes that somebody else will wipe.
  static SecretBytes CopyOf(ByteView bytes);
  SecretBytes Clone() const { return CopyOf(view()); }

  ByteView view() const { return {data_, size_}; }
  std::span<std::uint8_t> writable() { return {data_, size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool locked() const { return locked_; }

  // PushBack appends one byte as a person types; kInvalidInput beyond the
  // capacity, which is one page (4096 bytes) when it began empty.
  Result<void> PushBack(std::uint8_t byte);
  // PopBack removes and wipes the last byte; nothing when empty.
  void PopBack();
  // Wipe overwrites the whole capacity and leaves an empty object.
  void Wipe();

  // Equals compares in constant time for equal sizes.
  bool Equals(const SecretBytes& other) const;

 private:
  void Allocate(std::size_t capacity);

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  bool locked_ = false;
};

// HardenProcess makes this process undumpable (PR_SET_DUMPABLE 0, no core file), and gives libcrypto locked memory for
// private keys. Every program of ours that handles secrets calls it first. CheckSecretMemory (secret_memory.h) looks.
void HardenProcess();

}  // namespace base

#endif  // HSM_BASE_SECRET_BYTES_H_
