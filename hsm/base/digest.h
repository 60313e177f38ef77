// SHA-256 (FIPS 180-4), the one digest of the record, and SHA-1/384/512 where
// a standard asks for them (RFC 5280 key identifiers, P-384/P-521 signatures).
#ifndef HSM_BASE_DIGEST_H_
#define HSM_BASE_DIGEST_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "hsm/base/bytes.h"

namespace base {

using Sha256Digest = std::array<std::uint8_t, 32>;

// Sha256Of digests bytes that are all in memory.
Sha256Digest Sha256Of(ByteView bytes);
inline Sha256Digest Sha256Of(std::string_view text) { return Sha256Of(AsBytes(text)); }

// Sha256Hex is the lowercase hexadecimal spelling that entries use.
std::string Sha256Hex(ByteView bytes);
inline std::string Sha256Hex(std::string_view text) { return Sha256Hex(AsBytes(text)); }

enum class DigestAlgorithm : std::uint8_t { kSha1, kSha256, kSha384, kSha512 };

// DigestOf digests with the named algorithm: 20, 32, 48 or 64 bytes.
Bytes DigestOf(DigestAlgorithm algorithm, ByteView bytes);

// Sha256Stream digests bytes that come in pieces. One use: Update*, Finish.
class Sha256Stream final {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  void Update(ByteView bytes);
  Sha256Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace base

#endif  // HSM_BASE_DIGEST_H_
