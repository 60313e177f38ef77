// Big-endian numbers, as tokens and DER have them.
#ifndef HSM_BASE_BIG_ENDIAN_H_
#define HSM_BASE_BIG_ENDIAN_H_

#include "hsm/base/bytes.h"

namespace base {

// StripZeros views a number without its leading zeros; it does not copy.
inline ByteView StripZeros(ByteView number) {
  while (!number.empty() && number.front() == 0) number = number.subspan(1);
  return number;
}

}  // namespace base

#endif  // HSM_BASE_BIG_ENDIAN_H_
