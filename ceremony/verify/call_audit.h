// CallAudit holds what a step says that it did against its PKCS#11 calls: the `intent`
// and `done` entries of all its attempts. A key is the one that a call of it has made,
// a certificate was signed by a call over just those bytes, which the request of that
// attempt names, and a step of a kind that uses no token makes no call. Its rules are
// CALL-* of record/rules.h.
//
// It knows the kinds of steps of this release; of others it asks nothing.
#ifndef CEREMONY_VERIFY_CALL_AUDIT_H_
#define CEREMONY_VERIFY_CALL_AUDIT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/content_audit.h"
#include "ceremony/record/findings.h"
#include "ceremony/record/scanner.h"

namespace ceremony::verify {

// KindRow says what steps of a kind can do.
struct KindRow {
  std::string_view kind;                      // "key.generate"
  bool calls;                                 // consequential calls of PKCS#11 are made
  std::span<const std::string_view> effects;  // that their ends can have
};
// FindKind returns the row; nullptr for a kind of another release.
const KindRow* FindKind(std::string_view kind);

class CallAudit final {
 public:
  // Forget is for the next record.
  void Forget() { steps_.clear(); }

  // `call` is an intent or a done of a step, `entry` its number. Reports CALL-KIND of a call that no step of this
  // kind makes, and CALL-SIGN of one that signs other bytes than the request of its attempt names.
  void OnCall(const record::CallingStep& step, const record::Scanner& call, std::uint64_t entry,
              record::Findings& findings);

  // CheckKey reports CALL-KEY and CALL-READ of a key that the end of `step` says that it made; `what` names it.
  void CheckKey(const record::EndedStep& step, const std::string& what, const std::string& spki_sha256,
                const std::string& token, record::Findings& findings);
  // CheckSigned reports CALL-SIGN of what the end of `step` says that it signed, whose bytes to be signed have the
  // digest `tbs_sha256`.
  void CheckSigned(const record::EndedStep& step, const std::string& what, const std::string& tbs_sha256,
                   record::Findings& findings) const;
  // IsSigned tells whether bytes that were approved for some attempts at `step` were signed by a call of one of
  // those; so it is, too, when nobody can say.
  bool IsSigned(const record::EndedStep& step, const std::string& tbs_sha256,
                const std::set<std::uint64_t>& attempts) const;
  // OnEffect reports CALL-KIND of an effect that no step of this kind has.
  void OnEffect(const record::EndedStep& step, const std::string& effect, record::Findings& findings);
  // OnEnd reports, after the effects, CALL-KEY of key pairs of which none tells, CALL-SIGN of signatures over bytes
  // that were not approved, and CALL-EFFECT when something was approved for signing, and there is no effect.
  void OnEnd(const record::EndedStep& step, record::Findings& findings);

 private:
  struct Call {
    std::int64_t number = 0;
    std::string function, token;  // "C_Sign"
    std::string input_sha256;     // hex; empty where the record does not say
    std::string object_id;        // CKA_ID in hex, of what is made or destroyed; the same
    std::string spki_sha256;      // of the pair that was made; the same
    bool is_of_public_key = false;
    bool succeeded = false;
    bool explained = false;     // a key pair that an effect tells of
    std::uint64_t attempt = 1;  // at the step
    std::string unapproved;     // what was asked for otherwise than approved; empty: nothing
    std::string misread;        // what was read back otherwise than asked for; empty: nothing
  };
  struct Step {
    std::vector<Call> calls;  // their numbers ascend
    std::size_t effects = 0;
  };

  static void CheckInput(const record::CallingStep& step, const Call& call, std::uint64_t entry,
                         record::Findings& findings);

  std::map<std::string, Step, std::less<>> steps_;  // by id
};

}  // namespace ceremony::verify

#endif  // CEREMONY_VERIFY_CALL_AUDIT_H_
