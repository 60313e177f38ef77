// Credentials are the keys with which custodians approve and open their shares.
// Whoever holds one gives it to the ceremony for the length of one use: from a
// file, on a card, or by signing somewhere else and handing over the signature.
#ifndef CEREMONY_QUORUM_CREDENTIAL_H_
#define CEREMONY_QUORUM_CREDENTIAL_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/quorum/share_request.h"
#include "ceremony/record/note.h"
#include "ceremony/script/roster.h"
#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::quorum {

// ApprovalRequest is a text that somebody is asked to sign.
struct ApprovalRequest {
  std::string text;  // of the note: a checkpoint, or the addendum
  std::string what;  // for people: "the final checkpoint of this record"
  // Reads the whole log of the record, for a request that leaves the room with
  // proof of what it asks for. Empty: the text goes alone.
  std::function<base::Result<base::Bytes>()> read_log{};
  // Told of every attempt that came to nothing, the last one included, before
  // anybody is asked again; what it returns ends the attempts. May be empty.
  std::function<base::Result<void>(const base::Error&)> refused{};
};

// Approval is a signature that was verified with the roster's key of the person.
struct Approval {
  record::SignatureLine line;
  record::VerifierKey key;
};

// ShareUse is one use of one share file.
struct ShareUse {
  // What is asked for, its `key` left empty: it travels only where a request must.
  ShareRequest request;
  // As ApprovalRequest's. May be empty.
  std::function<base::Result<void>(const base::Error&)> refused{};
  // Where a share is opened elsewhere: puts the request, by its SHA-256 in hex, into the record before it leaves the
  // room, and returns the proof that it is there; and says that its answer was taken. Without both no share is opened
  // elsewhere (kInternal).
  std::function<base::Result<RecordProof>(const std::string& request)> asked_elsewhere{};
  std::function<base::Result<void>(const std::string& request)> handed_over{};
};

class Credentials {
 public:
  virtual ~Credentials() = default;

  // Approve has a person sign, and goes on asking as long as the person wants to
  // try again. The key is the roster's `sign_key`, the key name
  // `<estate>/<person id>`. Refusals:
  //   CRED-01  the file holds another key than the roster
  //   CRED-03  three wrong passphrases
  //   CRED-04  the file is not encrypted, outside a rehearsal
  //   CRED-05  the signature is by another person, or by another key of theirs
  //   CRED-06  it is of another checkpoint     CRED-07  of another origin
  //   CRED-08  of an older size of this record
  //   CRED-09  a wrong card PIN (kToken)       CRED-10  the card was taken out (kToken)
  //   CRED-11  the card does not hold the roster's key
  // kNotFound when the person brought none; kAborted when they must be asked and
  // nobody is at the terminal.
  virtual base::Result<Approval> Approve(const script::Person& person, const ApprovalRequest& request) = 0;

  // OpenShares has a person open their share of a token's PINs, and goes on asking
  // as long as the person wants to try again: with the roster's `open_key` from a
  // file or a card, or on a machine of their own. Shares in the order of use.pins.
  // Refusals: CRED-02 the file holds another key than the roster; CRED-03, -04, -09 to
  // -11 as above; those of OpenShare (share.h) and, for what a holder hands over, of
  // ShareHandOver (share_request.h). kNotFound when the person brought no key;
  // kAborted when they must be asked and nobody is at the terminal.
  virtual base::Result<std::vector<ShamirShare>> OpenShares(const script::Person& person, const ShareUse& use) = 0;

  // IsSimulated tells whether nobody stands behind this person: only in a
  // rehearsal, for those who have no credential of their own or an unencrypted one.
  virtual bool IsSimulated(const script::Person& person) const = 0;
};

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_CREDENTIAL_H_
