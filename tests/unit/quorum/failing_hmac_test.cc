// HPKE where libcrypto cannot compute HMAC: the call is replaced for this program, and fails when a test says so.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <openssl/hmac.h>

#include "ceremony/quorum/hpke.h"
#include "ceremony/quorum/software_agreement_key.h"
#include "tests/support/results.h"

namespace {

// How many calls are still right; negative: all.
int good_calls = -1;

}  // namespace

extern "C" unsigned char* HMAC(const EVP_MD* digest, const void* key, int key_size, const unsigned char* data,
                               size_t size, unsigned char* out, unsigned* out_size) {
  if (good_calls == 0) return nullptr;
  if (good_calls > 0) --good_calls;
  return reinterpret_cast<decltype(&HMAC)>(dlsym(RTLD_NEXT, "HMAC"))(digest, key, key_size, data, size, out, out_size);
}

TEST_CASE("nothing is sealed or opened under a key whose derivation failed, at whichever of its steps") {
  const auto holder = support::Good(ceremony::quorum::SoftwareAgreementKey::Generate());
  const base::SecretBytes share = base::SecretBytes::CopyOf(base::AsBytes("a share"));
  const auto seal = [&] {
    return ceremony::quorum::HpkeSeal(holder->public_key(), base::AsBytes("info"), base::AsBytes("aad"), share);
  };
  const auto sealed = support::Good(seal());
  // Of RFC 9180 section 4.1 and 5.1: two for the shared secret, five for key and nonce.
  for (int right = 0; right < 7; ++right) {
    CAPTURE(right);
    good_calls = right;
    const auto failed = seal();
    good_calls = right;
    const auto opened = ceremony::quorum::HpkeOpen(*holder, sealed, base::AsBytes("info"), base::AsBytes("aad"));
    good_calls = -1;
    REQUIRE_FALSE(failed.ok());
    REQUIRE_FALSE(opened.ok());
    CHECK(failed.error().message == "libcrypto could not compute HMAC-SHA-256");
    CHECK(opened.error().message == "libcrypto could not compute HMAC-SHA-256");
  }
  CHECK(support::Good(ceremony::quorum::HpkeOpen(*holder, sealed, base::AsBytes("info"), base::AsBytes("aad")))
            .Equals(share));
}
