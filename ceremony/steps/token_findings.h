// Compares a token with the estate. token.verify, firmware.record and token.retire
// share it.
#ifndef CEREMONY_STEPS_TOKEN_FINDINGS_H_
#define CEREMONY_STEPS_TOKEN_FINDINGS_H_

#include <functional>
#include <string>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/steps/step_context.h"
#include "hsm/inventory.h"
#include "hsm/token.h"

namespace ceremony::steps {

struct TokenFinding {
  std::string rule;
  std::string message;
  std::string hint;
};

// TokenFacts is what a token and its module say about themselves.
struct TokenFacts {
  hsm::TokenInfo info;
  std::string module;          // manufacturer and description
  std::string module_version;  // "2.6"
  std::string module_sha256;   // of the shared object; empty when it cannot be read
};
base::Result<TokenFacts> ReadTokenFacts(hsm::Token& token);

// CompareIdentity compares a token with the facts in the estate, and skips facts
// that the estate does not have yet:
//   TOKEN-SERIAL-01    another device             TOKEN-LABEL-01     another label
//   TOKEN-FIRMWARE-01  another firmware           TOKEN-MODULE-02    another module, by version or digest
std::vector<TokenFinding> CompareIdentity(const estate::Token& known, const TokenFacts& facts);

// CompareObjects compares every object with the copies and certificates that the
// estate has on the token, in one pass and in the order of the inventory:
//   TOKEN-OBJECT-01  no record accounts for the object, or it cannot be read
//   TOKEN-OBJECT-02  a copy's private key is not there
//   TOKEN-COPY-01    it is an unrecorded copy of a key of the estate
//   TOKEN-COPY-02    a copy is there twice
//   TOKEN-DOMAIN-02  it is a key of another PKI domain
//   TOKEN-ATTR-01    the private key can be read or wrapped, and the estate says otherwise
// `is_log_key` tells objects of the key that signs this record.
std::vector<TokenFinding> CompareObjects(const estate::Estate& estate, const std::string& token,
                                         const hsm::Inventory& inventory,
                                         const std::function<bool(const hsm::InventoryItem&)>& is_log_key);

// RefuseFindings records all findings in one `observe` entry and refuses with the
// first one; without findings it does nothing.
base::Result<void> RefuseFindings(StepContext& context, const std::string& token,
                                  const std::vector<TokenFinding>& findings);

// RecordToken leaves the `observe` entry "token": identity, module, mechanisms, inventory.
base::Result<void> RecordToken(StepContext& context, const std::string& name, const TokenFacts& facts,
                               const std::vector<std::string>& mechanisms, const hsm::Inventory& inventory);

// VerifiedAs is the effect for a token that passed.
estate::TokenVerified VerifiedAs(const std::string& name, const TokenFacts& facts, const hsm::Inventory& inventory);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_TOKEN_FINDINGS_H_
