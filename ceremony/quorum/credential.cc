#include "ceremony/quorum/credential.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "ceremony/quorum/software_agreement_key.h"
#include "ceremony/record/checkpoint.h"
#include "ceremony/record/software_signer.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/secret_bytes.h"

namespace ceremony::quorum {
namespace {

constexpr std::size_t kMaxKeyFile = 16384;

struct Deleter {
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(PKCS8_PRIV_KEY_INFO* p) const { PKCS8_PRIV_KEY_INFO_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Deleter>;

base::Result<base::SecretBytes> ReadKeyFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return base::SystemError("open", "credential " + path, errno);
  base::SecretBytes buffer(kMaxKeyFile);
  const ssize_t got = read(fd, buffer.writable().data(), buffer.size());
  const int read_error = errno;
  close(fd);
  if (got < 0) return base::SystemError("read", "credential " + path, read_error);
  return base::SecretBytes::CopyOf(buffer.view().first(static_cast<std::size_t>(got)));
}

// OpenSSL asks here for a passphrase; none given means the file is not encrypted.
int GivePassphrase(char* buffer, int size, int, void* user) {
  const auto* passphrase = static_cast<const base::SecretBytes*>(user);
  if (passphrase == nullptr || passphrase->size() > static_cast<std::size_t>(size)) return -1;
  if (!passphrase->empty()) std::memcpy(buffer, passphrase->view().data(), passphrase->size());
  return static_cast<int>(passphrase->size());
}

base::Result<base::SecretBytes> ToPkcs8(EVP_PKEY* key) {
  const Owned<PKCS8_PRIV_KEY_INFO> info(EVP_PKEY2PKCS8(key));
  const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr) : -1;
  if (size <= 0) return base::MakeError(base::ErrorCode::kInternal, "a private key could not be encoded as PKCS#8");
  base::SecretBytes der(static_cast<std::size_t>(size));
  unsigned char* out = der.writable().data();
  i2d_PKCS8_PRIV_KEY_INFO(info.get(), &out);
  return der;
}

}  // namespace

base::Result<std::shared_ptr<record::NoteSigner>> FileCredentials::SignerOf(const script::Person& person) {
  if (const auto known = simulated_.find(person.id); known != simulated_.end()) return known->second;
  const auto file = bound_.find(person.id);
  if (file == bound_.end() || file->second.kind != script::CredentialKind::kFiles) {
    base::Error error =
        base::MakeError(base::ErrorCode::kNotFound, fmt::format("{} has no credential in the binding", person.name));
    error.hint = fmt::format("add \"{}\" to \"credentials\" of the binding", person.id);
    return error;
  }
  bool encrypted = false;
  KC_ASSIGN_OR_RETURN(std::shared_ptr<record::NoteSigner> signer, Load(person, file->second.sign, encrypted));
  if (!encrypted) simulated_[person.id] = signer;
  return signer;
}

base::Result<std::shared_ptr<AgreementKey>> FileCredentials::OpenerOf(const script::Person& person) {
  const auto file = bound_.find(person.id);
  if (file == bound_.end() || file->second.open.empty()) {
    return base::MakeError(base::ErrorCode::kNotFound,
                           fmt::format("{} has no key for shares in the binding", person.name))
        .WithHint(fmt::format("add \"open\" to the credential \"{}\" of the binding", person.id));
  }
  const std::string& path = file->second.open;
  bool encrypted = false;
  KC_ASSIGN_OR_RETURN(const base::SecretBytes der, Unlock(person, path, encrypted));
  KC_ASSIGN_OR_RETURN(std::unique_ptr<SoftwareAgreementKey> opener, SoftwareAgreementKey::FromPkcs8(der));
  KC_ASSIGN_OR_RETURN(const base::Bytes expected, base::Base64Decode(person.open_key));
  if (!std::ranges::equal(expected, opener->public_key().spki())) {
    return base::Refusal(
        "CRED-02",
        fmt::format("the credential in {} has the public key {}, the roster gives {} the key {}", path,
                    opener->public_key().SpkiSha256Hex(), person.name, base::Sha256Hex(expected)),
        "somebody else's file, or a credential that was renewed: take the one that belongs to the roster");
  }
  return std::shared_ptr<AgreementKey>(std::move(opener));
}

base::Result<base::SecretBytes> FileCredentials::Unlock(const script::Person& person, const std::string& path,
                                                        bool& encrypted) {
  KC_ASSIGN_OR_RETURN(const base::SecretBytes pem, ReadKeyFile(path));
  const std::string_view text = base::AsText(pem.view());
  base::SecretBytes passphrase;
  encrypted = text.find("ENCRYPTED") != std::string_view::npos;
  if (encrypted) {
    room::SecretQuestion question;
    question.id = "credential.passphrase/" + person.id;
    question.person = person.name;
    question.text = "passphrase of your credential " + path;
    KC_ASSIGN_OR_RETURN(passphrase, terminal_.AskSecret(question));
  }
  const Owned<BIO> bio(BIO_new_mem_buf(pem.view().data(), static_cast<int>(pem.size())));
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, GivePassphrase, &passphrase));
  ERR_clear_error();
  if (!key) {
    base::Error error =
        base::MakeError(base::ErrorCode::kInvalidInput,
                        fmt::format("the credential of {} in {} could not be opened{}", person.name, path,
                                    passphrase.empty() ? "" : ": wrong passphrase, or the file is damaged"));
    error.hint = "check the file and try again";
    return error;
  }
  return ToPkcs8(key.get());
}

base::Result<std::shared_ptr<record::NoteSigner>> FileCredentials::Load(const script::Person& person,
                                                                        const std::string& path, bool& encrypted) {
  KC_ASSIGN_OR_RETURN(const base::SecretBytes der, Unlock(person, path, encrypted));
  KC_ASSIGN_OR_RETURN(auto signer, record::SoftwareSigner::FromPkcs8(record::PersonKeyName(estate_, person.id), der));
  KC_ASSIGN_OR_RETURN(const base::Bytes expected, base::Base64Decode(person.sign_key));
  const base::PublicKey& found = signer->key().public_key();
  if (!std::ranges::equal(expected, found.spki())) {
    return base::Refusal(
        "CRED-01",
        fmt::format("the credential in {} has the public key {}, the roster gives {} the key {}", path,
                    found.SpkiSha256Hex(), person.name, base::Sha256Hex(expected)),
        "somebody else's file, or a credential that was renewed: take the one that belongs to the roster");
  }
  return std::shared_ptr<record::NoteSigner>(std::move(signer));
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
