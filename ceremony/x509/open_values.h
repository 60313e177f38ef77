// Values that a profile leaves open in its extensions. The ceremony's script or
// the request for the key gives them.
#ifndef CEREMONY_X509_OPEN_VALUES_H_
#define CEREMONY_X509_OPEN_VALUES_H_

#include <map>
#include <string>

#include "ceremony/x509/profile.h"
#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

// Values of raw extensions as DER, by the type as the profile spells it.
using OpenExtensions = std::map<std::string, base::Bytes>;
// Values of alternative names, by GeneralNameKindName.
using AlternativeNames = std::map<std::string, std::string>;

// CheckOpenValues refuses with TBS-EXT-01 a value that the profile does not
// leave open, a missing value that it asks for, and a malformed value.
base::Result<void> CheckOpenValues(const Profile& profile, const OpenExtensions& extensions,
                                   const AlternativeNames& names);

// CheckAlternativeNames checks only the names. No names at all are allowed, as in
// a request that leaves them to the CA.
base::Result<void> CheckAlternativeNames(const Profile& profile, const AlternativeNames& names);

// AlternativeNamesOf takes apart the value of a subjectAltName, so that the
// profile makes the same bytes of what is returned. TBS-EXT-01 when the profile
// makes no such value: another kind or number of names, another order, another
// fixed name or hardware type.
base::Result<AlternativeNames> AlternativeNamesOf(const Profile& profile, base::ByteView value);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_OPEN_VALUES_H_
