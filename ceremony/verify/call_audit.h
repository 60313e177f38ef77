// CallAudit compares the claims of a step with its PKCS#11 calls: the `intent` and
// `done` entries of all its attempts. A call must have made the key that the step
// claims. A call must have signed exactly the bytes of a certificate, and the request of
// that attempt must name them. Steps of a kind without token make no call. Its rules
// are CALL-* of record/rules.h.
//
// It knows the kinds of steps of this release, and ignores others.
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

// KindRow says what steps of a kind may do.
struct KindRow {
  std::string_view kind;                      // "key.generate"
  bool calls;                                 // they make consequential calls of PKCS#11
  std::span<const std::string_view> effects;  // allowed in their ends
};
// FindKind returns the row; nullptr for a kind of another release.
const KindRow* FindKind(std::string_view kind);

class CallAudit final {
 public:
  // Forget clears everything, for the next record.
  void Forget() { steps_.clear(); }

  // OnCall takes an intent or a done of a step; `entry` is its number. Reports CALL-KIND for a call that no step of
  // this kind makes, and CALL-SIGN for one that signs other bytes than the request of its attempt names.
  void OnCall(const record::CallingStep& step, const record::Scanner& call, std::uint64_t entry,
              record::Findings& findings);

  // CheckKey reports CALL-KEY and CALL-READ for a key that `step` claims to have made; `what` names it.
  void CheckKey(const record::EndedStep& step, const std::string& what, const std::string& spki_sha256,
                const std::string& token, record::Findings& findings);
  // CheckSigned reports CALL-SIGN for something that `step` claims to have signed; `tbs_sha256` is the digest of the
  // signed bytes.
  void CheckSigned(const record::EndedStep& step, const std::string& what, const std::string& tbs_sha256,
                   record::Findings& findings) const;
  // IsSigned returns whether a call of one of these attempts signed the bytes that were approved for them. Also true
  // when it cannot be determined.
  bool IsSigned(const record::EndedStep& step, const std::string& tbs_sha256,
                const std::set<std::uint64_t>& attempts) const;
  // OnEffect reports CALL-KIND for an effect that no step of this kind has.
  void OnEffect(const record::EndedStep& step, const std::string& effect, record::Findings& findings);
  // OnEnd is called after the effects. It reports CALL-KEY for key pairs that no effect mentions, CALL-SIGN for
  // signatures over bytes that were not approved, and CALL-EFFECT when bytes to be signed were approved and there is
  // no effect.
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
    bool explained = false;     // a key pair that an effect mentions
    std::uint64_t attempt = 1;  // at the step
    std::string unapproved;     // where the call differs from the approval; empty: nowhere
    std::string misread;        // where the key read back differs from the call; empty: nowhere
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
