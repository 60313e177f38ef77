// The steps that bring an AES key from one token to another by RSA-OAEP, and what both ends must be able to do.
// transport.cc uses them with both tokens at hand, sealed_transport.cc with one at a time.
#ifndef HSM_TRANSPORT_PARTS_H_
#define HSM_TRANSPORT_PARTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "hsm/imported_key.h"
#include "hsm/keygen.h"
#include "hsm/public_object.h"
#include "hsm/transport.h"

namespace hsm {

struct TransportRow {
  Transport transport;
  std::string_view name;
  CK_MECHANISM_TYPE hash;  // of OAEP; 0 for ECDH
  CK_RSA_PKCS_MGF_TYPE mask;
};
// TransportRows are all of them, best first.
std::span<const TransportRow> TransportRows();
const TransportRow& RowOf(Transport transport);

// The two ends may be sessions of one token, so that each has ids of its own.
inline constexpr std::string_view kSourceKeyLabel = "transport key, source";
inline constexpr std::string_view kTargetKeyLabel = "transport key, target";
inline constexpr std::string_view kSourceHelperLabel = "transport helper, source";
inline constexpr std::string_view kTargetHelperLabel = "transport helper, target";
Bytes TransportId(std::string_view label);

// CanSend and CanReceive tell whether a token does its part of an OAEP way.
Result<bool> CanSend(Token& source, const TransportRow& row);
Result<bool> CanReceive(Token& target, const TransportRow& row);

// TransportKeySpec is what the AES key is to be on one end. Modifiable, so that a module that
// ignores the template can be repaired.
WrapKeySpec TransportKeySpec(std::string_view label, Extractable extractable);

// CheckImported returns the key that came in if it is as stated. Otherwise `objects` gets what is left of it.
Result<Object> CheckImported(Result<ImportedKey> imported, const Session& session, std::vector<Object>& objects,
                             std::vector<Object>&& left_behind);

// MakeEnvelopeKey makes a session object of the target's RSA key on the source: it wraps and nothing else. kCorrupt
// KEY-TRANSPORT-01: the source has taken in another key. Once there is an object it is in `objects`, whatever follows.
Result<PublicObject> MakeEnvelopeKey(Session& source, const base::PublicKey& transport_key,
                                     std::vector<Object>& objects);

// SendAesKey wraps an AES key of the source under the envelope key.
Result<Bytes> SendAesKey(Session& source, const TransportRow& row, const Object& envelope_key, const Object& aes_key);

// ReceiveAesKey unwraps it on the target, as a session object that cannot leave. After a failure `objects` gets what is
// left.
Result<Object> ReceiveAesKey(Session& target, const TransportRow& row, const Object& private_key, Bytes wrapped,
                             std::vector<Object>& objects);

}  // namespace hsm

#endif  // HSM_TRANSPORT_PARTS_H_
