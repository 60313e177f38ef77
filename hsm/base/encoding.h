// Hexadecimal and base64 as the record uses them: one spelling for one value.
#ifndef HSM_BASE_ENCODING_H_
#define HSM_BASE_ENCODING_H_

#include <string>
#include <string_view>

#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace base {

// HexEncode returns two lowercase digits for each byte.
std::string HexEncode(ByteView bytes);

// HexDecode accepts lowercase digits only, in pairs; kInvalidInput otherwise.
Result<Bytes> HexDecode(std::string_view text);

// Base64Encode is RFC 4648 section 4, padded, without line breaks.
std::string Base64Encode(ByteView bytes);

// Base64Decode is its strict inverse: padding required, no other characters,
// unused bits zero (RFC 4648 section 3.5); kInvalidInput otherwise.
Result<Bytes> Base64Decode(std::string_view text);

// Base64UrlEncode is RFC 4648 section 5 without padding (as RFC 9901 wants).
std::string Base64UrlEncode(ByteView bytes);

}  // namespace base

#endif  // HSM_BASE_ENCODING_H_
