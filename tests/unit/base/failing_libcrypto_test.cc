// What is made of calls that fail although nothing is wrong with their input: libcrypto without memory or without a
// provider, the kernel when a signal comes. The calls are replaced for this program, and fail when a test says so.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>

#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/public_key.h"
#include "hsm/base/random.h"
#include "tests/unit/base/key_vectors.h"

namespace {

bool verify_fails = false;
int interruptions = 0;

template <typename F>
F* Real(F*, const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

base::Bytes Hex(std::string_view text) { return base::HexDecode(text).value(); }

}  // namespace

extern "C" int EVP_PKEY_verify(EVP_PKEY_CTX* context, const unsigned char* signature, size_t signature_size,
                               const unsigned char* digest, size_t digest_size) {
  if (verify_fails) return -1;
  return Real(EVP_PKEY_verify, "EVP_PKEY_verify")(context, signature, signature_size, digest, digest_size);
}

extern "C" ssize_t getrandom(void* out, size_t size, unsigned flags) noexcept(noexcept(getrandom(out, size, flags))) {
  if (interruptions > 0) {
    --interruptions;
    errno = EINTR;
    return -1;
  }
  return Real(getrandom, "getrandom")(out, size, flags);
}

TEST_CASE("a verification that libcrypto cannot do is its failure, and not a signature that does not verify") {
  const auto key = base::PublicKey::FromSpki(Hex(key_vectors::kP256Spki)).value();
  const auto verify = [&] {
    return key.Verify(base::SignatureScheme::kEcdsa, base::AsBytes("no such message"),
                      Hex(key_vectors::kP256Signature));
  };
  CHECK(verify().error().code == base::ErrorCode::kCorrupt);
  verify_fails = true;
  const auto failed = verify();
  verify_fails = false;
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == base::ErrorCode::kInternal);
  CHECK(failed.error().call == "EVP_PKEY_verify");
}

TEST_CASE("digests are right where libcrypto has no provider that could be fetched") {
  OSSL_LIB_CTX* const bare = OSSL_LIB_CTX_new();
  REQUIRE(bare != nullptr);
  OSSL_PROVIDER* const null = OSSL_PROVIDER_load(bare, "null");
  OSSL_LIB_CTX* const before = OSSL_LIB_CTX_set0_default(bare);
  const auto digest = [](base::DigestAlgorithm algorithm) {
    return base::HexEncode(base::DigestOf(algorithm, base::AsBytes("abc")));
  };
  const std::string sha1 = digest(base::DigestAlgorithm::kSha1);
  const std::string sha384 = digest(base::DigestAlgorithm::kSha384);
  const std::string sha512 = digest(base::DigestAlgorithm::kSha512);
  OSSL_LIB_CTX_set0_default(before);
  OSSL_PROVIDER_unload(null);
  OSSL_LIB_CTX_free(bare);
  // FIPS 180-4's own examples.
  CHECK(sha1 == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(sha384 == "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  CHECK(sha512 ==
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
        "454d4423643ce80e2a9ac94fa54ca49f");
}

TEST_CASE("random bytes are asked for again when a signal has cut the call off") {
  interruptions = 3;
  base::Bytes random(32);
  base::FillRandom(random);
  CHECK(interruptions == 0);
  CHECK(std::ranges::any_of(random, [](std::uint8_t byte) { return byte != 0; }));
}
