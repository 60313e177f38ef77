// CallAudit compares the claims of a step with its PKCS#11 calls: the `intent` and
// `done` entries of all its attempts. A call must have made the key that the step
// claims. A call must have signed exactly the bytes of a certificate, and the request of
// that attempt must name them; what is made after an approval is a proof that says what it is. Steps of a kind without
// token make no call. Its rules are CALL-* of record/rules.h.
//
// It knows the kinds of steps of this release, and ignores others.
#ifndef CEREMONY_VERIFY_CALL_AUDIT_H_
#define CEREMONY_VERIFY_CALL_AUDIT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ceremony/record/content_audit.h"
#include "ceremony/record/findings.h"
#include "ceremony/record/scanner.h"

namespace ceremony::verify {

// Signs says what a step signs, where it signs.
enum class Signs : std::uint8_t {
  kApproved,  // bytes with the digest `tbs_sha256` of its request
  kFile,      // a file with the digest `sha256` of its request
  kProof,     // a proof of copy (x509/copy_proof.h), made after the approval, which the call has as `input`
  kSurvival,  // the same with a text that calls itself the survival of a key
};

// KindRow says what steps of a kind may do.
struct KindRow {
  std::string_view kind;                      // "key.generate"
  std::span<const std::string_view> calls;    // consequential calls of PKCS#11 that are made
  std::span<const std::string_view> effects;  // that their ends can have
  Signs signs = Signs::kApproved;
};
// FindKind returns the row; nullptr for a kind of another release.
const KindRow* FindKind(std::string_view kind);

class CallAudit final {
 public:
  // Forget clears everything, for the next record.
  void Forget() { steps_.clear(); }

  // `call` is an intent or a done of a step, `entry` its number. Reports CALL-KIND of a call that no step of this
  // kind makes, CALL-SIGN of one that signs other bytes than the request of its attempt names, or no proof as it may,
  // or nobody knows which, and REC-CALL of an intent and a done that are not of the same mechanism and template.
  void OnCall(const record::CallingStep& step, const record::Scanner& call, std::uint64_t entry,
              record::Findings& findings);

  // CheckKey reports CALL-KEY, CALL-READ and CALL-LOCAL for a key that `step` claims to have made; `what` names it.
  void CheckKey(const record::EndedStep& step, const std::string& what, const std::string& spki_sha256,
                const std::string& token, std::string_view extractable, record::Findings& findings);
  // WhetherMade tells whether such a call of the step succeeded on that token. kMay: it was cut off, or an earlier
  // attempt made it, and a later one found out what it did. `object_id` is a CKA_ID in hex; empty: any.
  enum class Made { kNot, kFailed, kMay };
  Made WhetherMade(const record::EndedStep& step, std::string_view function, const std::string& token,
                   const std::string& object_id = {}) const;
  // CheckCommissioned reports CALL-COPY of a token that C_InitToken did not initialise. Its maker's own tool may have.
  void CheckCommissioned(const record::EndedStep& step, const std::string& what, const std::string& token,
                         record::Findings& findings) const;
  // CheckCloned reports CALL-COPY of a copy that the end of `step` says came to `token`, wrapped.
  void CheckCloned(const record::EndedStep& step, const std::string& what, const std::string& token,
                   record::Findings& findings);
  // CheckSigned reports CALL-SIGN of what the end of `step` says that it signed, whose bytes to be signed have the
  // digest `tbs_sha256`.
  void CheckSigned(const record::EndedStep& step, const std::string& what, const std::string& tbs_sha256,
                   record::Findings& findings) const;
  // IsSigned returns whether a call of one of these attempts signed the bytes that were approved for them. Also true
  // when it cannot be determined.
  bool IsSigned(const record::EndedStep& step, const std::string& tbs_sha256,
                const std::set<std::uint64_t>& attempts) const;
  // PrivateObjectOf returns token and CKA_ID of the private object that a C_DestroyObject is to destroy.
  static std::optional<std::pair<std::string, std::string>> PrivateObjectOf(const record::Scanner& intent);
  // OnEffect reports CALL-KIND of an effect that no step of this kind has. `token` is the effect's, or empty.
  void OnEffect(const record::EndedStep& step, const std::string& effect, const std::string& token,
                record::Findings& findings);
  // OnEnd reports, after the effects, CALL-KEY of key pairs of which none tells, CALL-COPY of copies of which none
  // tells, CALL-SIGN of signatures over bytes that were not approved, and CALL-EFFECT when something was approved for
  // signing, and there is no effect.
  void OnEnd(const record::EndedStep& step, record::Findings& findings);

 private:
  struct Call {
    std::int64_t number = 0;
    std::string function, token;  // "C_Sign"
    std::string input_sha256;     // hex; empty where the record does not say
    std::string object_id;        // CKA_ID in hex, of what is made or destroyed; the same
    std::string spki_sha256;      // of the pair that was made; the same
    bool is_of_public_key = false;
    bool is_done = false;
    bool succeeded = false;
    bool explained = false;           // a key pair that an effect tells of
    std::uint64_t attempt = 1;        // at the step
    std::string unapproved;           // what was asked for otherwise than approved; empty: nothing
    std::string misread;              // what was read back otherwise than asked for; empty: nothing
    std::optional<bool> extractable;  // as read back of a pair's private key
    bool is_from_elsewhere = false;   // its token says that it did not make it
    // Mechanism and template of the intent in JSON, until its done; nullptr where it has neither.
    std::unique_ptr<std::pair<std::string, std::string>> asked;
  };
  struct Step {
    std::vector<Call> calls;  // their numbers ascend
    std::size_t effects = 0;
    std::set<std::string> cloned;  // tokens to which a copy came, as effects say
  };

  // BytesOf is what a call signs, for a message.
  static std::string BytesOf(const Call& call) {
    return call.input_sha256.empty() ? "bytes that nobody names" : "the bytes " + call.input_sha256;
  }
  static void CheckSame(std::int64_t number, std::string_view field, const std::string& asked,
                        const record::Scanner& done, std::uint64_t entry, record::Findings& findings);
  static void CheckInput(const record::CallingStep& step, const Call& call, const record::Scanner& intent,
                         std::uint64_t entry, record::Findings& findings);

  std::map<std::string, Step, std::less<>> steps_;  // by id
};

}  // namespace ceremony::verify

#endif  // CEREMONY_VERIFY_CALL_AUDIT_H_
