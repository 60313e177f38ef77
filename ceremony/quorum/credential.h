// Credentials are the keys with which custodians approve and open their shares.
// Whoever holds one gives it to the ceremony for the length of one use.
#ifndef CEREMONY_QUORUM_CREDENTIAL_H_
#define CEREMONY_QUORUM_CREDENTIAL_H_

#include <map>
#include <memory>
#include <string>

#include "ceremony/quorum/agreement_key.h"
#include "ceremony/record/note.h"
#include "ceremony/room/terminal.h"
#include "ceremony/script/binding.h"
#include "ceremony/script/roster.h"
#include "hsm/base/result.h"

namespace ceremony::quorum {

class Credentials {
 public:
  virtual ~Credentials() = default;
  // SignerOf returns the signer of a person, whose key is the roster's
  // `sign_key` (CRED-01 when it is another), under the key name
  // `<estate>/<person id>`. kNotFound when the person brought none.
  virtual base::Result<std::shared_ptr<record::NoteSigner>> SignerOf(const script::Person& person) = 0;
  // OpenerOf returns the key that opens the person's shares, which is the
  // roster's `open_key` (CRED-02 when it is another). kNotFound when the person
  // brought none.
  virtual base::Result<std::shared_ptr<AgreementKey>> OpenerOf(const script::Person& person) = 0;
};

// FileCredentials reads PKCS#8 files (PEM): encrypted ones ask their owner for
// the passphrase at the terminal, without echo, each time that they sign.
// Unencrypted ones belong to simulated people and are read once.
class FileCredentials final : public Credentials {
 public:
  // `bound` is the binding's `credentials`, by person id.
  FileCredentials(std::string estate, std::map<std::string, script::CredentialBinding> bound, room::Terminal& terminal)
      : estate_(std::move(estate)), bound_(std::move(bound)), terminal_(terminal) {}

  base::Result<std::shared_ptr<record::NoteSigner>> SignerOf(const script::Person& person) override;
  base::Result<std::shared_ptr<AgreementKey>> OpenerOf(const script::Person& person) override;

 private:
  // Unlock reads a key file as PKCS#8, asking for the passphrase if it has one.
  base::Result<base::SecretBytes> Unlock(const script::Person& person, const std::string& path, bool& encrypted);
  base::Result<std::shared_ptr<record::NoteSigner>> Load(const script::Person& person, const std::string& path,
                                                         bool& encrypted);

  std::string estate_;
  std::map<std::string, script::CredentialBinding> bound_;
  room::Terminal& terminal_;
  std::map<std::string, std::shared_ptr<record::NoteSigner>> simulated_;
};

// Pkcs8Pem spells an unencrypted PKCS#8 as PEM; only for simulated people.
base::SecretBytes Pkcs8Pem(const base::SecretBytes& der);

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_CREDENTIAL_H_
