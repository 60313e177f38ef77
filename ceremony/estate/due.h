// Due lists what has to be done in an estate, and until when.
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

// DueOf lists
//   ceremonies that are not complete;
//   certificates, CRLs and holds of keys that end within `horizon_days` of `now_micros` (UTC);
//   keys that are out of use and not held.
// Overdue items come first, then by date. A held key is due on the last day of its hold, and overdue after it. A
// certificate is not due if its key is out of use or a later one with the same name and profile exists. A CRL is not
// due if its issuer has made a later one with the same profile.
std::vector<DueItem> DueOf(const Folded& folded, std::int64_t now_micros, int horizon_days);

// SortDue puts overdue items first, then items without a date, then by date.
void SortDue(std::vector<DueItem>& due);

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_DUE_H_
