#include "ceremony/quorum/aes_gcm.h"

#include <openssl/evp.h>

#include "hsm/base/owned.h"

namespace ceremony::quorum {
namespace {

using base::ByteView;
using Context = base::Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

const EVP_CIPHER* CipherOf(const GcmKey& with) { return with.key.size() == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm(); }

base::Error Failed() { return base::MakeError(base::ErrorCode::kInternal, "libcrypto could not run AES-GCM"); }

}  // namespace

base::Result<void> SealGcm(const GcmKey& with, ByteView aad, ByteView plain, std::span<std::uint8_t> out) {
  const Context context(EVP_CIPHER_CTX_new());
  int size = 0;
  if (!context || EVP_EncryptInit_ex(context.get(), CipherOf(with), nullptr, with.key.data(), with.nonce.data()) != 1 ||
      EVP_EncryptUpdate(context.get(), nullptr, &size, aad.data(), static_cast<int>(aad.size())) != 1 ||
      EVP_EncryptUpdate(context.get(), out.data(), &size, plain.data(), static_cast<int>(plain.size())) != 1 ||
      EVP_EncryptFinal_ex(context.get(), out.data() + size, &size) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kGcmTagBytes, out.data() + plain.size()) != 1) {
    return Failed();
  }
  return {};
}

base::Result<void> OpenGcm(const GcmKey& with, ByteView aad, ByteView sealed, std::span<std::uint8_t> out) {
  const Context context(EVP_CIPHER_CTX_new());
  const ByteView text = sealed.first(sealed.size() - kGcmTagBytes);
  base::Bytes tag = base::ToBytes(sealed.last(kGcmTagBytes));
  std::uint8_t nothing = 0;  // libcrypto would take a null pointer for additional data
  std::uint8_t* const to = out.empty() ? &nothing : out.data();
  int size = 0;
  if (!context || EVP_DecryptInit_ex(context.get(), CipherOf(with), nullptr, with.key.data(), with.nonce.data()) != 1 ||
      EVP_DecryptUpdate(context.get(), nullptr, &size, aad.data(), static_cast<int>(aad.size())) != 1 ||
      EVP_DecryptUpdate(context.get(), to, &size, text.data(), static_cast<int>(text.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kGcmTagBytes, tag.data()) != 1) {
    return Failed();
  }
  if (EVP_DecryptFinal_ex(context.get(), to + size, &size) != 1) {
    return base::MakeError(
        base::ErrorCode::kCorrupt,
        "what was sealed does not open: it was sealed to another key or for another purpose, or was changed");
  }
  return {};
}

}  // namespace ceremony::quorum
