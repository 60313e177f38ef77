// The commands of `keyceremony custodian`, and what they share: the credential
// that a custodian holds in a folder or on a card.
#ifndef CEREMONY_CLI_CUSTODIAN_H_
#define CEREMONY_CLI_CUSTODIAN_H_

#include <memory>
#include <string>

#include "ceremony/cli/command.h"
#include "ceremony/script/binding.h"
#include "ceremony/script/roster.h"
#include "hsm/base/result.h"

namespace ceremony::cli {

// The names of the files in a credential's folder.
inline constexpr const char* kSignFile = "sign.pem";
inline constexpr const char* kOpenFile = "open.pem";
inline constexpr const char* kPersonFile = "person.json";
inline constexpr const char* kSeenFile = "seen.json";

// CardArguments name a card on the command line.
struct CardArguments {
  std::string module;
  std::string label;
  std::string serial;
  std::string init_args;

  script::CredentialBinding ToBinding() const;
};
void DescribeCard(CLI::App& command, CardArguments& card);

// CredentialArguments name whose credential is used: a folder that `custodian new`
// made, or a card with its person file.
struct CredentialArguments {
  std::string folder;
  CardArguments card;
  std::string person;
  std::string seen;
};
void DescribeCredential(CLI::App& command, CredentialArguments& credential);
// DescribeSeen adds --seen: the file that keeps what the owner has seen of records.
void DescribeSeen(CLI::App& command, CredentialArguments& credential);

// HeldCredential is that credential, as a binding of its own would name it.
struct HeldCredential {
  script::Person owner;     // id, name and keys
  script::Binding binding;  // of the estate, with that one credential
  std::string seen;         // path of the file that lists what the owner signed before
};
// ReadCredential fails with kInvalidInput if neither or both are named, or if the
// card has no person file.
base::Result<HeldCredential> ReadCredential(const CredentialArguments& arguments);

void AddCustodianNew(CLI::App& custodian, Action& chosen);
void AddCustodianShow(CLI::App& custodian, Action& chosen);
void AddCustodianApprove(CLI::App& custodian, Action& chosen);
void AddCustodianOpenShare(CLI::App& custodian, Action& chosen);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_CUSTODIAN_H_
