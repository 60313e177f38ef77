// Key generation: every attribute is stated, the false ones too, and read back. A new key is trusted only after it was
// compared with the plan.
#ifndef HSM_KEYGEN_H_
#define HSM_KEYGEN_H_

#include <string>
#include <vector>

#include "hsm/base/public_key.h"
#include "hsm/key_pair_mechanism.h"
#include "hsm/session.h"

namespace hsm {

enum class Lifetime : std::uint8_t { kToken, kSession };
enum class Extractable : std::uint8_t { kNo, kYes };
// A key that is sealed later (CKA_EXTRACTABLE to false) must be modifiable.
enum class Modifiable : std::uint8_t { kNo, kYes };

struct KeyPairSpec {
  base::KeyAlgorithm algorithm = base::KeyAlgorithm::kEcP256;
  std::string label;  // 1..255 bytes
  Bytes id;           // 1..64 bytes
  KeyUsage usage = kSigningUsage;
  Extractable extractable = Extractable::kNo;
  Modifiable modifiable = Modifiable::kNo;
  Lifetime lifetime = Lifetime::kToken;
};

// GeneratedKey is a pair that was read back and is as asked.
struct GeneratedKey {
  KeyPair pair;
  Description attributes;  // as read back, "public." and "private."
};

// KeyGeneration is the outcome. When the call or the read-back failed, the error names the objects that are on the
// token now. `left_behind` lists them. The caller destroys them after asking people; nothing is removed silently.
struct [[nodiscard]] KeyGeneration {
  Result<GeneratedKey> key;
  std::vector<Object> left_behind;
};

// GenerateKeyPair makes a key pair. Refused before the call: KEY-GEN-01 label or
// id out of size; KEY-GEN-02 the usage does not fit the algorithm; KEY-GEN-03
// an object with this id is on the token already; kUnsupported: the token does
// not have the mechanism. After it, kCorrupt with the rule of the first difference, and
// a message that lists all of them, each with both values:
//   KEY-ATTR-01 CKA_SENSITIVE        KEY-ATTR-02 CKA_EXTRACTABLE
//   KEY-ATTR-03 CKA_LOCAL            KEY-ATTR-04 CKA_ALWAYS_SENSITIVE
//   KEY-ATTR-05 CKA_NEVER_EXTRACTABLE  KEY-ATTR-06 CKA_MODIFIABLE
//   KEY-ATTR-07 a usage flag         KEY-ATTR-08 CKA_KEY_GEN_MECHANISM
//   KEY-ATTR-09 CKA_CLASS, CKA_KEY_TYPE, CKA_TOKEN or CKA_PRIVATE
//   KEY-ATTR-10 CKA_LABEL or CKA_ID  KEY-ATTR-11 the public key is not what was asked
//   KEY-ATTR-12 the two objects do not have the same public key
//   KEY-ATTR-13 another attribute that was stated
KeyGeneration GenerateKeyPair(Session& session, const KeyPairSpec& spec);

// PublicTemplate and PrivateTemplate are what GenerateKeyPair states, for the
// module's quirks; a plan shows them to people before the key is made.
Template PublicTemplate(const KeyPairSpec& spec, const Quirks& quirks);
Template PrivateTemplate(const KeyPairSpec& spec, const Quirks& quirks);

// WrapKeySpec is for an AES-256 key that wraps and unwraps other keys.
struct WrapKeySpec {
  std::string label;
  Bytes id;
  Extractable extractable = Extractable::kNo;
  Modifiable modifiable = Modifiable::kNo;
  Lifetime lifetime = Lifetime::kSession;
};
struct GeneratedSecretKey {
  Object object;
  Description attributes;
};
struct [[nodiscard]] SecretKeyGeneration {
  Result<GeneratedSecretKey> key;
  std::vector<Object> left_behind;
};

// GenerateWrapKey makes an AES-256 key (C_GenerateKey); refusals and rules as above.
SecretKeyGeneration GenerateWrapKey(Session& session, const WrapKeySpec& spec);

// AttributeDifference is one attribute that is not as stated.
struct AttributeDifference {
  std::string rule;
  std::string message;  // `private CKA_SENSITIVE is false, true was asked`
};
// InWords joins the messages.
std::string InWords(const std::vector<AttributeDifference>& differences);

// CompareAttributes checks an object against a template and the values that a token adds by itself (`expected`, such as
// CKA_LOCAL). An object may lack CKA_COPYABLE and CKA_DESTROYABLE, whatever was stated (they came with 2.40: objects of
// an older module can be copied and destroyed). It may lack a permission that was stated false (a usage flag,
// CKA_WRAP_WITH_TRUSTED, CKA_ALWAYS_AUTHENTICATE). Two things are not compared: what the module is known to report
// wrongly (quirks), and the attributes of a public key, which the caller compares as a key.
std::vector<AttributeDifference> CompareAttributes(std::string_view which, const AttributeSet& actual,
                                                   const Template& stated, const Template& expected,
                                                   const Quirks& quirks);

}  // namespace hsm

#endif  // HSM_KEYGEN_H_
