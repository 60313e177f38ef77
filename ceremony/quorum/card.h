// A custodian's card: a PKCS#11 token of their own, used for one signature or
// one agreement at a time. Its PIN is typed for each use, one attempt a question;
// a card that would lock with the next wrong PIN is not tried at all.
#ifndef CEREMONY_QUORUM_CARD_H_
#define CEREMONY_QUORUM_CARD_H_

#include <functional>
#include <memory>
#include <string>

#include "ceremony/quorum/agreement_key.h"
#include "ceremony/record/note.h"
#include "ceremony/room/terminal.h"
#include "ceremony/script/binding.h"
#include "ceremony/script/roster.h"
#include "hsm/module.h"
#include "hsm/session.h"

namespace ceremony::quorum {

// LoadCardModule gives the module of a card for one use, which ends with the
// pointer. A program that also runs a ceremony gives that of SharedModules,
// because a module can be initialised only once in a process.
using LoadCardModule = std::function<base::Result<std::shared_ptr<hsm::Module>>(const hsm::ModuleOptions&)>;
// LoadCardAlone loads it for the length of the use, observed by nobody.
base::Result<std::shared_ptr<hsm::Module>> LoadCardAlone(const hsm::ModuleOptions& options);

// CardUse is what one use of a card needs to know.
struct CardUse {
  std::string owner;                // "Alice Archer": whose card, for people
  std::string purpose;              // "to sign", "to open a share"
  std::string id;                   // of the question for the PIN: "card.pin/alice"
  script::CredentialBinding bound;  // kCard
};

// UseOfCard is what is done while somebody is logged in to the card. It is given
// the PIN, too, for keys that want it before each signature; empty: the PIN pad.
using UseOfCard = std::function<base::Result<void>(hsm::Session&, const base::SecretBytes& pin)>;

// WithCard finds the card, asks for its PIN, logs in, calls `use` with a session,
// and logs out. Errors: kToken CRED-10 when there is no such card or it was taken out
// meanwhile; kToken CRED-09 for a wrong PIN; kRefused TOKEN-LOGIN-01 and -02 before
// a PIN is asked for that the card would not take; else what `use` returned.
base::Result<void> WithCard(const CardUse& card, const LoadCardModule& load, room::Terminal& terminal,
                            const UseOfCard& use);

// SignOnCard signs a note text with the key on the card; CRED-11 when the card
// does not hold it. A key that asks for the PIN before each signature (PIV) gets
// the one that was typed.
base::Result<record::SignatureLine> SignOnCard(const CardUse& card, const LoadCardModule& load,
                                               room::Terminal& terminal, const record::VerifierKey& key,
                                               const std::string& text);

// WithCardKey is WithCard for the key that opens shares: one PIN for all that `use`
// agrees with it. The key ends with `use`. CRED-11 when the card does not hold it.
base::Result<void> WithCardKey(const CardUse& card, const LoadCardModule& load, room::Terminal& terminal,
                               const base::PublicKey& open_key,
                               const std::function<base::Result<void>(AgreementKey&)>& use);

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_CARD_H_
