#include "ceremony/quorum/key_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "hsm/base/file.h"
#include "hsm/base/owned.h"

namespace ceremony::quorum {
namespace {

using base::ErrorCode;
using base::MakeError;

constexpr std::size_t kMaxKeyFile = 16384;
constexpr int kSaltBytes = 16;

using Bio = base::Owned<BIO, BIO_free>;
using PlainKey = base::Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using EncryptedKey = base::Owned<X509_SIG, X509_SIG_free>;

// OpenSSL asks here for a passphrase; none given means the file is not encrypted.
int GivePassphrase(char* buffer, int size, int, void* user) {
  const auto* passphrase = static_cast<const base::SecretBytes*>(user);
  if (passphrase == nullptr || passphrase->size() > static_cast<std::size_t>(size)) return -1;
  if (!passphrase->empty()) std::memcpy(buffer, passphrase->view().data(), passphrase->size());
  return static_cast<int>(passphrase->size());
}

base::SecretBytes Encoded(const PKCS8_PRIV_KEY_INFO* info) {
  const int size = info != nullptr ? i2d_PKCS8_PRIV_KEY_INFO(info, nullptr) : -1;
  if (size <= 0) return {};
  base::SecretBytes der(static_cast<std::size_t>(size));
  unsigned char* out = der.writable().data();
  i2d_PKCS8_PRIV_KEY_INFO(info, &out);
  return der;
}

base::Result<base::SecretBytes> ToPkcs8(EVP_PKEY* key) {
  const PlainKey info(EVP_PKEY2PKCS8(key));
  base::SecretBytes der = Encoded(info.get());
  if (der.empty()) return MakeError(ErrorCode::kInternal, "a private key could not be encoded as PKCS#8");
  return der;
}

// The PrivateKeyInfo in a PKCS#8 PEM file, encrypted or not, without making a key of it; empty when it is none.
base::SecretBytes OpenPkcs8(const base::SecretBytes& pem, const base::SecretBytes& passphrase) {
  const Bio bio(BIO_new_mem_buf(pem.view().data(), static_cast<int>(pem.size())));
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  base::SecretBytes opened;
  if (bio && PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1) {
    const unsigned char* at = data;
    if (std::string_view(name) == PEM_STRING_PKCS8INF) {
      const PlainKey info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, size));
      opened = Encoded(info.get());
    } else if (std::string_view(name) == PEM_STRING_PKCS8 && !passphrase.empty()) {
      const EncryptedKey sealed(d2i_X509_SIG(nullptr, &at, size));
      const auto* text = reinterpret_cast<const char*>(passphrase.view().data());
      const PlainKey info(sealed ? PKCS8_decrypt(sealed.get(), text, static_cast<int>(passphrase.size())) : nullptr);
      opened = Encoded(info.get());
    }
  }
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  ERR_clear_error();
  return opened;
}

}  // namespace

base::Result<base::SecretBytes> ReadKeyFile(const std::string& path) {
  const base::FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid()) return base::SystemError("open", "credential " + path, errno);
  base::SecretBytes buffer(kMaxKeyFile + 1);
  std::size_t size = 0;
  for (ssize_t got = 1; got > 0 && size < buffer.size();) {
    got = file.ReadSome(buffer.writable().subspan(size));
    if (got < 0) return base::SystemError("read", "credential " + path, errno);
    size += static_cast<std::size_t>(got);
  }
  if (size == 0 || size > kMaxKeyFile) {
    return MakeError(ErrorCode::kInvalidInput, fmt::format("credential {} has {}, expected 1 to {} bytes", path,
                                                           size == 0 ? "no bytes" : "more", kMaxKeyFile));
  }
  return base::SecretBytes::CopyOf(buffer.view().first(size));
}

// The PEM blocks of private keys decide, not the words around them: each of them is encrypted, by its label (RFC 7468
// section 11) or, in an older form, by its Proc-Type (RFC 1421 section 4.6.1.1).
bool IsEncrypted(const base::SecretBytes& pem) {
  const Bio bio(BIO_new_mem_buf(pem.view().data(), static_cast<int>(pem.size())));
  bool sealed = false;
  bool plain = false;
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  while (bio && PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1) {
    if (std::string_view(name).ends_with("PRIVATE KEY")) {
      const bool encrypted = std::string_view(name) == PEM_STRING_PKCS8 ||
                             std::string_view(header).find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos;
      (encrypted ? sealed : plain) = true;
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  }
  ERR_clear_error();
  if (!sealed && !plain) {
    // Of a file that was cut off no block can be read, and nothing opens it; its one label still says what it was.
    const std::string_view text = base::AsText(pem.view());
    const std::size_t first = text.find("-----BEGIN ");
    return first != std::string_view::npos && text.substr(first).starts_with("-----BEGIN " PEM_STRING_PKCS8 "-----") &&
           text.find("-----BEGIN ", first + 1) == std::string_view::npos;
  }
  return sealed && !plain;
}

base::Result<base::SecretBytes> DecryptKey(const base::SecretBytes& pem, const base::SecretBytes& passphrase) {
  base::SecretBytes pkcs8 = OpenPkcs8(pem, passphrase);
  if (pkcs8.empty()) {
    // Older forms ("EC PRIVATE KEY"), and whatever else the library knows to be a key.
    const Bio bio(BIO_new_mem_buf(pem.view().data(), static_cast<int>(pem.size())));
    auto* const given = const_cast<base::SecretBytes*>(&passphrase);
    const base::Owned<EVP_PKEY, EVP_PKEY_free> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, GivePassphrase, given));
    ERR_clear_error();
    if (!key) {
      return MakeError(ErrorCode::kInvalidInput, IsEncrypted(pem) ? "wrong passphrase, or the file is damaged"
                                                                  : "the file holds no private key in PEM");
    }
    return ToPkcs8(key.get());
  }
  return pkcs8;
}

base::Result<std::string> EncryptKey(const base::SecretBytes& pkcs8, const base::SecretBytes& passphrase) {
  const unsigned char* at = pkcs8.view().data();
  const PlainKey info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(pkcs8.size())));
  unsigned char salt[kSaltBytes];
  if (!info || RAND_bytes(salt, kSaltBytes) != 1)
    return MakeError(ErrorCode::kInternal, "a private key could not be read back as PKCS#8");
  base::Owned<X509_ALGOR, X509_ALGOR_free> scheme(
      PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), kPassphraseIterations, salt, kSaltBytes, nullptr, NID_hmacWithSHA256));
  const auto* text = reinterpret_cast<const char*>(passphrase.view().data());
  const EncryptedKey sealed(scheme ? PKCS8_set0_pbe(text, static_cast<int>(passphrase.size()), info.get(), scheme.get())
                                   : nullptr);
  if (sealed) static_cast<void>(scheme.release());  // it is the sealed file's now
  const Bio out(BIO_new(BIO_s_mem()));
  if (!sealed || PEM_write_bio_PKCS8(out.get(), sealed.get()) != 1) {
    ERR_clear_error();
    return MakeError(ErrorCode::kInternal, "libcrypto could not encrypt a private key");
  }
  char* pem = nullptr;
  const long size = BIO_get_mem_data(out.get(), &pem);
  return std::string(pem, static_cast<std::size_t>(size));
}

base::SecretBytes Pkcs8Pem(const base::SecretBytes& der) {
  constexpr std::string_view kBegin = "-----BEGIN PRIVATE KEY-----\n";
  constexpr std::string_view kEnd = "-----END PRIVATE KEY-----\n";
  // EVP_EncodeBlock writes into memory that is wiped; std::string would not be.
  base::SecretBytes base64((der.size() + 2) / 3 * 4 + 1);
  const auto length = static_cast<std::size_t>(
      EVP_EncodeBlock(base64.writable().data(), der.view().data(), static_cast<int>(der.size())));
  base::SecretBytes pem(kBegin.size() + kEnd.size() + length + (length + 63) / 64);
  auto out = pem.writable().begin();
  const auto put = [&out](base::ByteView bytes) { out = std::copy(bytes.begin(), bytes.end(), out); };
  put(base::AsBytes(kBegin));
  for (std::size_t i = 0; i < length; i += 64) {
    put(base64.view().subspan(i, std::min<std::size_t>(64, length - i)));
    put(base::AsBytes("\n"));
  }
  put(base::AsBytes(kEnd));
  return pem;
}

}  // namespace ceremony::quorum
