#include "ceremony/quorum/software_agreement_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <utility>

#include "hsm/base/owned.h"
#include "hsm/base/p256_key.h"

namespace ceremony::quorum {
namespace {

using base::ErrorCode;
using base::MakeError;

// A key in another spelling: libcrypto reads it, and it must be P-256 all the same.
base::Result<base::EvpKey> DecodeP256(base::ByteView der) {
  const unsigned char* at = der.data();
  const base::Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  const bool whole = info != nullptr && at == der.data() + der.size();
  base::EvpKey key(whole ? EVP_PKCS82PKEY(info.get()) : nullptr);
  ERR_clear_error();
  if (!key) return MakeError(ErrorCode::kInvalidInput, "the private key for shares is not a DER PKCS#8 key");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC)
    return MakeError(ErrorCode::kInvalidInput, "the private key for shares is not an EC key");
  unsigned char* spki = nullptr;
  const int size = i2d_PUBKEY(key.get(), &spki);
  if (size <= 0) return MakeError(ErrorCode::kInternal, "libcrypto could not encode a public key");
  const auto half = base::PublicKey::FromSpki({spki, static_cast<std::size_t>(size)});
  OPENSSL_free(spki);
  if (!half.ok()) return half.error();
  if (half->algorithm() != base::KeyAlgorithm::kEcP256) {
    return MakeError(
        ErrorCode::kInvalidInput,
        "the private key for shares is " + std::string(base::FactsOf(half->algorithm()).title) + ", expected EC P-256");
  }
  return key;
}

}  // namespace

struct SoftwareAgreementKey::State {
  base::EvpKey key;
  base::PublicKey public_key;
};

SoftwareAgreementKey::SoftwareAgreementKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
SoftwareAgreementKey::~SoftwareAgreementKey() = default;

base::Result<std::unique_ptr<SoftwareAgreementKey>> SoftwareAgreementKey::Generate() {
  base::EvpKey key = base::GenerateP256();
  if (!key) return MakeError(ErrorCode::kInternal, "libcrypto could not make a P-256 key");
  KC_ASSIGN_OR_RETURN(base::PublicKey half, base::PublicHalfOf(key.get()));
  return std::unique_ptr<SoftwareAgreementKey>(
      new SoftwareAgreementKey(std::make_unique<State>(State{std::move(key), std::move(half)})));
}

base::Result<std::unique_ptr<SoftwareAgreementKey>> SoftwareAgreementKey::FromPkcs8(const base::SecretBytes& pkcs8) {
  const base::ByteView der = pkcs8.view();
  base::EvpKey key = base::P256FromPkcs8(der);
  if (!key) {
    KC_ASSIGN_OR_RETURN(key, DecodeP256(der));
  }
  KC_ASSIGN_OR_RETURN(base::PublicKey half, base::PublicHalfOf(key.get()));
  return std::unique_ptr<SoftwareAgreementKey>(
      new SoftwareAgreementKey(std::make_unique<State>(State{std::move(key), std::move(half)})));
}

const base::PublicKey& SoftwareAgreementKey::public_key() const { return state_->public_key; }

base::Result<base::SecretBytes> SoftwareAgreementKey::Agree(const base::PublicKey& peer) {
  if (peer.algorithm() != base::KeyAlgorithm::kEcP256)
    return MakeError(ErrorCode::kInvalidInput, "the other key of an agreement is not EC P-256");
  const base::EvpKey other = base::P256FromPublicKey(peer);
  const base::Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new(state_->key.get(), nullptr));
  base::SecretBytes x(32);
  std::size_t size = x.size();
  // A PublicKey is on its curve (SP 800-56A 5.6.2.3.4), and P-256 has no points of another order: to multiply by the
  // order, as a full validation does, would take longer than the agreement.
  if (!other || !context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer_ex(context.get(), other.get(), 0) != 1 ||
      EVP_PKEY_derive(context.get(), x.writable().data(), &size) != 1 || size != x.size()) {
    ERR_clear_error();
    return MakeError(ErrorCode::kInvalidInput, "libcrypto could not agree with the key " + peer.SpkiSha256Hex());
  }
  return x;
}

base::Result<base::SecretBytes> SoftwareAgreementKey::ToPkcs8() const { return base::P256ToPkcs8(state_->key.get()); }

}  // namespace ceremony::quorum
