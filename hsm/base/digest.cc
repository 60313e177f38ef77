// The low-level SHA256_* calls are deprecated in OpenSSL 3 in favour of EVP,
// whose fetch and context cost more than hashing a 600-byte entry: a record of
// a million entries would pay them a million times. A fetch can fail, too: SHA1()
// and its like return null then, and leave zeroes. These calls cannot.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "hsm/base/digest.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "hsm/base/encoding.h"

namespace base {

Sha256Digest Sha256Of(ByteView bytes) {
  Sha256Digest digest;
  // Not SHA256(): in OpenSSL 3 that is EVP_Q_digest, with a fetch of its own.
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  SHA256_Final(digest.data(), &context);
  return digest;
}

std::string Sha256Hex(ByteView bytes) { return HexEncode(Sha256Of(bytes)); }

Bytes DigestOf(DigestAlgorithm algorithm, ByteView bytes) {
  switch (algorithm) {
    case DigestAlgorithm::kSha1: {
      Bytes out(SHA_DIGEST_LENGTH);
      SHA_CTX context;
      SHA1_Init(&context);
      SHA1_Update(&context, bytes.data(), bytes.size());
      SHA1_Final(out.data(), &context);
      return out;
    }
    case DigestAlgorithm::kSha384: {
      Bytes out(SHA384_DIGEST_LENGTH);
      SHA512_CTX context;
      SHA384_Init(&context);
      SHA384_Update(&context, bytes.data(), bytes.size());
      SHA384_Final(out.data(), &context);
      return out;
    }
    case DigestAlgorithm::kSha512: {
      Bytes out(SHA512_DIGEST_LENGTH);
      SHA512_CTX context;
      SHA512_Init(&context);
      SHA512_Update(&context, bytes.data(), bytes.size());
      SHA512_Final(out.data(), &context);
      return out;
    }
    case DigestAlgorithm::kSha256:
      break;
  }
  const Sha256Digest digest = Sha256Of(bytes);
  return {digest.begin(), digest.end()};
}

struct Sha256Stream::State {
  SHA256_CTX context;
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) { SHA256_Init(&state_->context); }
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;

void Sha256Stream::Update(ByteView bytes) { SHA256_Update(&state_->context, bytes.data(), bytes.size()); }

Sha256Digest Sha256Stream::Finish() {
  Sha256Digest digest;
  SHA256_Final(digest.data(), &state_->context);
  return digest;
}

}  // namespace base
