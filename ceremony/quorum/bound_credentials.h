// BoundCredentials are the credentials that a binding names: each custodian's in
// files, on a card, or offline.
#ifndef CEREMONY_QUORUM_BOUND_CREDENTIALS_H_
#define CEREMONY_QUORUM_BOUND_CREDENTIALS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "ceremony/quorum/card.h"
#include "ceremony/quorum/credential.h"
#include "ceremony/record/software_signer.h"
#include "ceremony/room/terminal.h"
#include "ceremony/script/binding.h"

namespace ceremony::quorum {

class BoundCredentials final : public Credentials {
 public:
  // `load` loads the modules of cards. The terminal must outlive this.
  BoundCredentials(const script::Binding& binding, room::Terminal& terminal, LoadCardModule load = LoadCardAlone);

  // AssumeNobodyIsSimulated says that everybody is there, also who has no credential.
  void AssumeNobodyIsSimulated() { nobody_is_simulated_ = true; }

  base::Result<Approval> Approve(const script::Person& person, const ApprovalRequest& request) override;
  base::Result<std::vector<ShamirShare>> OpenShares(const script::Person& person, const ShareUse& use) override;
  bool IsSimulated(const script::Person& person) const override;

  // UseOpener calls `use` with the key that opens the person's shares, and again as
  // long as it fails and the person wants to try again. One passphrase or card PIN
  // serves all that `use` does; the key ends with it. `refused` as in ShareUse. Errors
  // as OpenShares; kNotFound for a person whose keys are offline.
  base::Result<void> UseOpener(const script::Person& person,
                               const std::function<base::Result<void>(AgreementKey&)>& use,
                               const std::function<base::Result<void>(const base::Error&)>& refused);

 private:
  base::Result<const script::CredentialBinding*> BindingOf(const script::Person& person) const;
  base::Result<Approval> ApproveOnce(const script::Person& person, const script::CredentialBinding& bound,
                                     const ApprovalRequest& request, bool& handed_out);
  base::Result<std::shared_ptr<AgreementKey>> OpenerInFile(const script::Person& person,
                                                           const script::CredentialBinding& bound,
                                                           const base::PublicKey& expected);
  base::Result<std::shared_ptr<record::NoteSigner>> SignerInFile(const script::Person& person, const std::string& path);
  // The DER PKCS#8 in a file, with the passphrase typed where it needs one; `purpose`
  // says to the person what for: "to sign".
  base::Result<base::SecretBytes> OpenFile(const script::Person& person, const std::string& path, const char* purpose,
                                           bool& encrypted);
  // Attempt calls `once` until it succeeds, fails for good, or the person gives up.
  base::Result<void> Attempt(const script::Person& person, const std::function<base::Result<void>()>& once,
                             const std::function<base::Result<void>(const base::Error&)>& refused);
  base::Result<bool> AskToTryAgain(const script::Person& person, const base::Error& why);

  std::string estate_;
  script::Environment environment_;
  std::map<std::string, script::CredentialBinding> bound_;
  room::Terminal& terminal_;
  LoadCardModule load_;
  // Simulated people's keys, read once.
  std::map<std::string, std::shared_ptr<record::NoteSigner>> signers_;
  std::map<std::string, std::shared_ptr<AgreementKey>> openers_;
  bool nobody_is_simulated_ = false;
  mutable std::map<std::string, bool> simulated_;
};

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_BOUND_CREDENTIALS_H_
