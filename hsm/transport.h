// TransportKey is a one-time AES-256 key that two tokens share. Under it a private key goes from one to the other and
// never leaves hardware in clear.
//
// It is made, used and destroyed within one copy. All its objects are session
// objects: a token forgets them with its session, also when the power goes.
#ifndef HSM_TRANSPORT_H_
#define HSM_TRANSPORT_H_

#include <functional>
#include <string_view>
#include <vector>

#include "hsm/base/public_key.h"
#include "hsm/session.h"

namespace hsm {

// Transport is how both tokens get the AES key.
enum class Transport : std::uint8_t {
  kOaepSha256,  // made on the source, wrapped under an RSA key of the target
  kOaepSha1,    // likewise; OAEP's security does not rest on SHA-1's collisions
  kEcdh,        // derived on both: ECDH on P-256, CKD_NULL, the x coordinate is the key
};
// TransportName is how scripts and records spell it: "rsa-oaep-sha256", "rsa-oaep-sha1", "ecdh-p256".
std::string_view TransportName(Transport transport);

// CopyWay is one way in which a key can go between a pair of tokens.
struct CopyWay {
  Transport transport;
  // The numbers that are AES key wrap with padding (RFC 5649) on each.
  CK_MECHANISM_TYPE source_wrap;
  CK_MECHANISM_TYPE target_wrap;

  // Name: "rsa-oaep-sha1, CKM_AES_KEY_WRAP_PAD to CKM_AES_KEY_WRAP_KWP".
  std::string Name() const;
  bool operator==(const CopyWay&) const = default;
};

// CopyWays lists the ways of a pair of tokens, best first, by mechanism lists, flags and quirks. Empty: no key can go
// from source to target by PKCS#11.
Result<std::vector<CopyWay>> CopyWays(Token& source, Token& target);

struct TransportSpec {
  // The target's RSA key for the OAEP ways: 3072 bits are as strong as P-256.
  base::KeyAlgorithm rsa = base::KeyAlgorithm::kRsa3072;
  // Called, if set, when the target has made its transport key and before the source uses it, with the public key as
  // each of them shows it. The two are equal: that was checked (kCorrupt KEY-TRANSPORT-01). An error ends the copy.
  std::function<Result<void>(const base::PublicKey& on_target, const base::PublicKey& on_source)> compare{};
};

struct TransportKey {
  CopyWay way;
  Object source_key;  // AES-256 on the source: wraps
  Object target_key;  // the same key on the target: unwraps
  // Keys that served to make it, to be destroyed with it.
  std::vector<Object> source_helpers;
  std::vector<Object> target_helpers;
};

// MakeTransportKey makes the AES key on both tokens. Both sessions must be
// read-write and logged in as user; they may be on one token. After a failure the new objects are destroyed again;
// those that cannot be are reported to the observer. kUnsupported: a token does not do its part of `way` after all.
Result<TransportKey> MakeTransportKey(Session& source, Session& target, const CopyWay& way,
                                      const TransportSpec& spec = {});

// DestroyTransportKey destroys the key and its helpers on both tokens. It goes on
// after a failure and returns the first.
Result<void> DestroyTransportKey(Session& source, Session& target, const TransportKey& key);

// KwpMechanism is the number of RFC 5649 on this token if it is listed with the flags `needed`; otherwise 0.
Result<CK_MECHANISM_TYPE> KwpMechanism(Token& token, CK_FLAGS needed);

}  // namespace hsm

#endif  // HSM_TRANSPORT_H_
