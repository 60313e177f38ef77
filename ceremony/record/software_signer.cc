#include "ceremony/record/software_signer.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <utility>

#include "hsm/base/ecdsa_signature.h"
#include "hsm/base/owned.h"
#include "hsm/base/p256_key.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;

constexpr int kHalf = 32;  // octets of r and s on P-256

using KeyPtr = base::Owned<EVP_PKEY, EVP_PKEY_free>;
using ContextPtr = base::Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using Pkcs8Ptr = base::Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

Result<base::PublicKey> PublicKeyOf(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_bits(key) == 256) {
    if (auto p256 = base::PublicHalfOf(key); p256.ok()) return p256;
  }
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return MakeError(ErrorCode::kInternal, "libcrypto could not encode a public key");
  auto parsed = base::PublicKey::FromSpki({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return parsed;
}

}  // namespace

Result<base::Bytes> LowS(base::ByteView der) {
  KC_RETURN_IF_ERROR(base::CheckStrictDer(base::Curve::kP256, der));
  const unsigned char* at = der.data();
  const base::Owned<ECDSA_SIG, ECDSA_SIG_free> parts(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  base::Bytes raw(2 * kHalf);
  if (!parts || BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), raw.data(), kHalf) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), raw.data() + kHalf, kHalf) < 0) {
    return MakeError(ErrorCode::kCorrupt, "libcrypto reads no ECDSA signature");
  }
  return base::RawToLowSDer(base::Curve::kP256, raw);
}

struct SoftwareSigner::State {
  KeyPtr private_key;
  VerifierKey key;
};

SoftwareSigner::SoftwareSigner(std::unique_ptr<State> state) : state_(std::move(state)) {}
SoftwareSigner::~SoftwareSigner() = default;

namespace {

Result<VerifierKey> NamedKey(std::string name, EVP_PKEY* key) {
  KC_ASSIGN_OR_RETURN(base::PublicKey public_key, PublicKeyOf(key));
  return VerifierKey::Make(std::move(name), std::move(public_key));
}

}  // namespace

Result<std::unique_ptr<SoftwareSigner>> SoftwareSigner::FromPkcs8(std::string name, const base::SecretBytes& pkcs8) {
  const base::ByteView der = pkcs8.view();
  KeyPtr key(base::P256FromPkcs8(der).release());
  if (key == nullptr) {
    // Ed25519, or P-256 in another spelling.
    const unsigned char* at = der.data();
    const Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
    if (info == nullptr || at != der.data() + der.size()) {
      return MakeError(ErrorCode::kInvalidInput, fmt::format("the private key of {} is not a DER PKCS#8 file", name));
    }
    key.reset(EVP_PKCS82PKEY(info.get()));
  }
  if (key == nullptr)
    return MakeError(ErrorCode::kInvalidInput, fmt::format("the private key of {} cannot be read", name));
  KC_ASSIGN_OR_RETURN(VerifierKey named, NamedKey(std::move(name), key.get()));
  return std::unique_ptr<SoftwareSigner>(
      new SoftwareSigner(std::make_unique<State>(State{std::move(key), std::move(named)})));
}

Result<std::unique_ptr<SoftwareSigner>> SoftwareSigner::Generate(std::string name, SignatureType type) {
  if (type != SignatureType::kEcdsa && type != SignatureType::kEd25519) {
    return MakeError(ErrorCode::kUnsupported, fmt::format("signature type 0x{:02x} for {}; 0x01 and 0x02 are known",
                                                          static_cast<unsigned>(type), name));
  }
  KeyPtr key(type == SignatureType::kEcdsa ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                                           : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (key == nullptr) return MakeError(ErrorCode::kInternal, "libcrypto could not make a key");
  KC_ASSIGN_OR_RETURN(VerifierKey named, NamedKey(std::move(name), key.get()));
  return std::unique_ptr<SoftwareSigner>(
      new SoftwareSigner(std::make_unique<State>(State{std::move(key), std::move(named)})));
}

const VerifierKey& SoftwareSigner::key() const { return state_->key; }

Result<base::Bytes> SoftwareSigner::Sign(std::string_view text) {
  const bool ecdsa = state_->key.type() == SignatureType::kEcdsa;
  const ContextPtr context(EVP_MD_CTX_new());
  const base::ByteView bytes = base::AsBytes(text);
  std::size_t size = 0;
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), nullptr, ecdsa ? EVP_sha256() : nullptr, nullptr, state_->private_key.get()) !=
          1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes.data(), bytes.size()) != 1) {
    return MakeError(ErrorCode::kInternal,
                     fmt::format("libcrypto could not sign with the key of {}", state_->key.name()));
  }
  base::Bytes signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, bytes.data(), bytes.size()) != 1) {
    return MakeError(ErrorCode::kInternal,
                     fmt::format("libcrypto could not sign with the key of {}", state_->key.name()));
  }
  signature.resize(size);
  if (!ecdsa) return signature;
  return LowS(signature);
}

Result<base::SecretBytes> SoftwareSigner::Pkcs8() const {
  if (state_->key.type() == SignatureType::kEcdsa) return base::P256ToPkcs8(state_->private_key.get());
  const Pkcs8Ptr info(EVP_PKEY2PKCS8(state_->private_key.get()));
  const int size = info == nullptr ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
  if (size <= 0) return MakeError(ErrorCode::kInternal, "libcrypto could not encode a private key");
  base::SecretBytes der(static_cast<std::size_t>(size));
  unsigned char* at = der.writable().data();
  i2d_PKCS8_PRIV_KEY_INFO(info.get(), &at);
  return der;
}

}  // namespace ceremony::record
