// Due lists what somebody has to do, and until when, as the estate stands.
#ifndef CEREMONY_ESTATE_DUE_H_
#define CEREMONY_ESTATE_DUE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "ceremony/estate/fold.h"

namespace ceremony::estate {

struct DueItem {
  std::string what;     // "resume the ceremony", "renew the certificate"
  std::string subject;  // "0001-smki-root-oca", "root-oca"
  std::string by;       // RFC 3339; empty: now
  bool overdue = false;
};

// DueOf lists ceremonies that are not complete; certificates that end, CRLs that
// must be followed by another and holds of keys that end within `horizon_days` of
// `now_micros` (UTC); and keys that are out of use and not held; what is overdue
// comes first, then by date. A held key is due on the day of its hold and overdue after it.
// A certificate is not due whose key is out of use, or of whose name and profile there is one
// that ends later; a CRL is followed by one of its issuer and profile.
std::vector<DueItem> DueOf(const Folded& folded, std::int64_t now_micros, int horizon_days);

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_DUE_H_
