// A CRL as a step orders it, and how it is made.
#ifndef CEREMONY_STEPS_CRL_ORDER_H_
#define CEREMONY_STEPS_CRL_ORDER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/script/inputs.h"
#include "ceremony/steps/plan.h"
#include "ceremony/steps/step_context.h"
#include "ceremony/x509/crl_profile.h"

namespace ceremony::steps {

struct CrlOrder {
  struct Revoke {
    std::string certificate;    // name in the estate
    std::string reason;         // as RFC 5280 spells it
    std::string on;             // RFC 3339; empty: thisUpdate
    std::string invalid_since;  // RFC 3339; empty: not said
  };
  std::string crl;      // its name
  std::string profile;  // path of the CRL profile, as the script writes it
  std::string token;    // that signs
  std::string issuer;   // the CA's certificate
  std::string issuer_key;
  std::int64_t number = 0;  // 0: the one after the issuer's last
  std::vector<Revoke> revoke;
};

// CrlProfileOf reads the order's profile, which was loaded with the script.
base::Result<x509::CrlProfile> CrlProfileOf(const CrlOrder& order, const script::Inputs& inputs);

// NumberOf is the order's number, or the one after the issuer's last CRL.
std::int64_t NumberOf(const CrlOrder& order, const estate::Estate& estate);

// IsOnCrl tells whether the CA that issues the CRL issued this certificate. A CA is
// identified by its key and name, since it may have several certificates.
bool IsOnCrl(const estate::Certificate& certificate, const estate::Certificate& issuer, const estate::Estate& estate);

// CheckCrl holds an order to the model and plans the CRL. Reports, beyond the
// rules of CheckSigningKey and the estate:
//   the rules of the profile's file
//   PROFILE-12, -13, -15  the profile contradicts that of its issuer, which this script makes
//   the rules of the lint, COMPARE-01 and -02, for which the room would refuse the list
//   PLAN-CRL-01  the issuer's certificate is unknown, or not of a CA that signs CRLs
//   PLAN-CRL-02  the profile does not go with the issuer's key
//   PLAN-CRL-03  a certificate that is revoked was issued by another CA
//   PLAN-CRL-04  the certificate is outside the scope of the list
//   PLAN-CRL-05  the profile does not allow the reason
//   PLAN-CRL-06  the next list comes later than the policy allows
//   PROFILE-SIGNATURE-01  the policy does not name its signature
void CheckCrl(const CrlOrder& order, PlanContext& plan);

// SignCrl builds the list with every certificate that is or becomes revoked, lints,
// compares and shows it, gets the approval, opens the token, signs, checks with both
// decoders, and releases the list. It takes over what an interrupted attempt left,
// unless that has waited too long: then the list is made anew, as of now.
base::Result<void> SignCrl(const CrlOrder& order, StepContext& context);

std::string CrlDer(const std::string& crl);
std::string CrlPem(const std::string& crl);
std::string CrlTbs(const std::string& crl, int edition = 1);  // TbsSuffix

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_CRL_ORDER_H_
