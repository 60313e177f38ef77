// Values of the extensions of a CRL and its entries: made from a profile and its
// input, and spelled for people. As in extension_value.h, other code than
// ExtensionText makes these words, so that a comparison of the two means something.
#ifndef CEREMONY_X509_CRL_VALUE_H_
#define CEREMONY_X509_CRL_VALUE_H_

#include <string>
#include <vector>

#include "ceremony/x509/crl.h"
#include "ceremony/x509/crl_profile.h"
#include "ceremony/x509/oid.h"
#include "hsm/base/bytes.h"

namespace ceremony::x509 {

struct CrlExtensionValue {
  Oid type;
  bool critical = false;
  base::Bytes der;   // what extnValue holds
  std::string text;  // in the words of ExtensionText
};

// CrlExtensionsOf makes authorityKeyIdentifier, cRLNumber and issuingDistributionPoint, in this order.
std::vector<CrlExtensionValue> CrlExtensionsOf(const CrlProfile& profile, const CrlInput& input);
// PointValueOf makes issuingDistributionPoint alone.
CrlExtensionValue PointValueOf(const IssuingDistributionPointRule& rule);
// EntryExtensionsOf makes reasonCode and invalidityDate, as far as they are given.
std::vector<CrlExtensionValue> EntryExtensionsOf(const Revocation& revocation);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_CRL_VALUE_H_
