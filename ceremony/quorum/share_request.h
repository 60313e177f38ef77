// A share that is opened on a machine of its holder's own, and handed over to the
// ceremony. Two files cross the room, and neither holds a secret that a third
// party can read:
//
//   keyceremony-share-request/1  the ceremony asks: which share, for which step of
//                                which record, and a public key made for this one use
//   keyceremony-share-answer/1   the holder's machine answers: the share, sealed to
//                                that key
//
// The SHA-256 of the request binds its parts together. It stands in the record, both
// machines show it as words, and the answer is sealed under it: somebody who puts in a
// request with a key of their own changes the words. The file also proves that the record
// contains the request (record_proof.h). So nobody can ask for a share outside the record,
// and a machine that remembers the record notices another history.
// docs/quorum.md has the construction.
#ifndef CEREMONY_QUORUM_SHARE_REQUEST_H_
#define CEREMONY_QUORUM_SHARE_REQUEST_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ceremony/quorum/agreement_key.h"
#include "ceremony/quorum/hpke.h"
#include "ceremony/quorum/record_proof.h"
#include "ceremony/quorum/share.h"
#include "ceremony/script/share_file.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/digest.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"
#include "hsm/base/secret_bytes.h"

namespace ceremony::quorum {

// What a share is wanted for: to open the token, or to show that its holder can
// open it before any PIN is set.
enum class SharePurpose : std::uint8_t { kOpenToken, kConfirm };
std::string_view NameOf(SharePurpose purpose);   // "open-token", "confirm"
std::string_view TitleOf(SharePurpose purpose);  // for people

// What an `observe` entry says when the answer to a request was taken. kAskedElsewhere (record_proof.h) says that
// the request left the room.
inline constexpr const char* kHandedOver = "share-handed-over";

struct ShareRequest {
  std::string origin;  // of the record
  std::string mode;    // "rehearsal" or "production"
  std::string step;    // id of the step that asks
  SharePurpose purpose = SharePurpose::kOpenToken;
  std::vector<Pin> pins;    // which halves of the share; each once
  std::string share_bytes;  // the share file as it is
  script::ShareFile share;  // the same, read
  base::Bytes key;          // DER SubjectPublicKeyInfo (P-256), for this one use
  // Proof that the record contains this request. Not part of the request's digest.
  std::optional<RecordProof> proof{};
};

// WriteShareRequest spells a request that ParseShareRequest reads back to the same.
base::Result<std::string> WriteShareRequest(const ShareRequest& request);
// ParseShareRequest is strict, in the share file inside, too.
base::Result<ShareRequest> ParseShareRequest(script::LoadedFile file);
// DigestOf is the digest that people compare as words, and that the record contains.
base::Result<base::Sha256Digest> DigestOf(const ShareRequest& request);

// CheckShareRequest is what the holder's machine does before it asks its holder. It
// returns the checkpoint whose tree holds the request.
//   CRED-14        the proof is missing, or does not hold (CheckEntry)
//   SHARE-HAND-06  the entry or its checkpoint is of another request, holder, share or record
base::Result<record::Checkpoint> CheckShareRequest(const ShareRequest& request);

struct ShareAnswer {
  std::string request;  // DigestOf the request, hex
  std::string holder;   // person id
  std::map<Pin, Sealed> sealed;
};

// WriteShareAnswer spells an answer on one line, so that it can be scanned.
base::Result<std::string> WriteShareAnswer(const ShareAnswer& answer);
base::Result<ShareAnswer> ParseShareAnswer(script::LoadedFile file);

// AnswerShareRequest opens the halves that are asked for with the holder's key,
// checks each against its commitment, and seals it again to the request's key.
// Errors as OpenShare.
base::Result<ShareAnswer> AnswerShareRequest(const ShareRequest& request, AgreementKey& holder);

// ShareHandOver is the ceremony's side of one request. Its private key stays in
// locked memory until an answer is taken. If the answer is lost or the program
// ends, the holder is asked again with another key.
class ShareHandOver final {
 public:
  // Begin makes the key and puts it into the request.
  static base::Result<ShareHandOver> Begin(ShareRequest request);

  const ShareRequest& request() const { return request_; }
  const base::Sha256Digest& digest() const { return digest_; }
  // SetProof adds the proof that the record contains the request.
  void SetProof(RecordProof proof) { request_.proof = std::move(proof); }

  // Take opens an answer, checks each half against its commitment, and forgets the
  // key. A refused answer keeps the key. Shares in the order of request().pins.
  //   SHARE-HAND-01  the answer is to another request
  //   SHARE-HAND-02  it is somebody else's, or lacks a half that was asked for
  //   SHARE-HAND-03  it does not open: it was changed on the way
  //   SHARE-HAND-04  the request was served before
  //   SHARE-SEAL-02  it opens to what the commitment does not fit
  base::Result<std::vector<ShamirShare>> Take(const ShareAnswer& answer);

 private:
  ShareHandOver(ShareRequest request, base::Sha256Digest digest, base::SecretBytes key);

  ShareRequest request_;
  base::Sha256Digest digest_{};
  base::SecretBytes key_;  // DER PKCS#8; empty once it has served
};

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_SHARE_REQUEST_H_
