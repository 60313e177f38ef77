// Time-stamps from outside (RFC 3161): proof by somebody else's clock that the final
// checkpoint, the file with all its signatures, existed at that time.
//
// What is stamped is the SHA-256 of the file `checkpoint`, so that openssl makes
// and checks the same: `openssl ts -query -data checkpoint -sha256 -cert`.
#ifndef CEREMONY_RECORD_TIMESTAMP_H_
#define CEREMONY_RECORD_TIMESTAMP_H_

#include <string>
#include <string_view>

#include "hsm/base/bytes.h"
#include "hsm/base/digest.h"
#include "hsm/base/result.h"

namespace ceremony::record {

inline constexpr std::size_t kMaxTimestampBytes = 1u << 20;

// MakeTimestampRequest returns a TimeStampReq (DER) with a random nonce that asks
// for the TSA's certificate.
base::Result<base::Bytes> MakeTimestampRequest(const base::Sha256Digest& digest);

struct Timestamp {
  std::string time;       // genTime, "2026-11-21T09:00:00Z"
  std::string authority;  // subject of the TSA's certificate
};

// VerifyTimestamp checks a TimeStampResp (DER): granted, over this digest, signed
// by a certificate for time-stamping that chains to `roots` (PEM). The chain is
// judged at genTime, so that a stamp outlives the certificates behind it. `request`
// (DER, empty: none): the nonce must be its own. kCorrupt with openssl's words
// otherwise, kInvalidInput when `roots` holds no certificate.
base::Result<Timestamp> VerifyTimestamp(base::ByteView response, const base::Sha256Digest& digest,
                                        base::ByteView request, std::string_view roots);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_TIMESTAMP_H_
