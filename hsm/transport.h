// TransportKey is a one-time AES-256 key that two tokens share, so that a
// private key can go from one to the other without leaving hardware in clear.
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

// Transport is how the AES key comes to be on both tokens.
enum class Transport : std::uint8_t {
  kOaepSha256,  // made on the source, wrapped under an RSA key of the target
  kOaepSha1,    // likewise; OAEP's security does not rest on SHA-1's collisions
  kEcdh,        // derived on both: ECDH on P-256, CKD_NULL, the x coordinate is the key
};
// TransportName is how scripts and records spell it: "rsa-oaep-sha256", "rsa-oaep-sha1", "ecdh-p256".
std::string_view TransportName(Transport transport);

// CopyWay is one way that a pair of tokens can take.
struct CopyWay {
  Transport transport;
  // The numbers that are AES key wrap with padding (RFC 5649) on each.
  CK_MECHANISM_TYPE source_wrap;
  CK_MECHANISM_TYPE target_wrap;

  // Name: "rsa-oaep-sha1, CKM_AES_KEY_WRAP_PAD to CKM_AES_KEY_WRAP_KWP".
  std::string Name() const;
  bool operator==(const CopyWay&) const = default;
};

// CopyWays lists what this pair can do, by mechanism lists, flags and quirks, best
// first. Empty: no key can go from source to target by PKCS#11.
Result<std::vector<CopyWay>> CopyWays(Token& source, Token& target);

struct TransportSpec {
  // The target's RSA key for the OAEP ways: 3072 bits are as strong as P-256.
  base::KeyAlgorithm rsa = base::KeyAlgorithm::kRsa3072;
  // Asked, if there, after the target has made its transport key and before the source uses it: the
  // public key as the target shows it and as the source has it. An error ends the copy. That the two
  // are equal is checked before (kCorrupt KEY-TRANSPORT-01).
  std::function<Result<void>(const base::PublicKey& on_target, const base::PublicKey& on_source)> compare{};
};

struct TransportKey {
  CopyWay way;
  Object source_key;  // AES-256 on the source: wraps
  Object target_key;  // the same key on the target: unwraps
  // What it took to get there, to be destroyed with it.
  std::vector<Object> source_helpers;
  std::vector<Object> target_helpers;
};

// MakeTransportKey makes the AES key on both tokens. Both sessions must be
// read-write and logged in as user; they may be on one token. When it fails, what was
// made is destroyed again; what could not be is reported to the observer.
// kUnsupported: a token does not do its part of `way` after all.
Result<TransportKey> MakeTransportKey(Session& source, Session& target, const CopyWay& way,
                                      const TransportSpec& spec = {});

// DestroyTransportKey destroys the key and its helpers on both tokens. It goes on
// after a failure and returns the first.
Result<void> DestroyTransportKey(Session& source, Session& target, const TransportKey& key);

// KwpMechanism is the number that is RFC 5649 on this token; 0 when it has none.
Result<CK_MECHANISM_TYPE> KwpMechanism(Token& token, CK_FLAGS needed);

}  // namespace hsm

#endif  // HSM_TRANSPORT_H_
