// A CRL as a step orders it, and the one way from there to the CRL.
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

// IsOnCrl tells whether a certificate is of the CA that issues the CRL. The CA is
// its key and its name, whichever of its certificates is meant.
bool IsOnCrl(const estate::Certificate& certificate, const estate::Certificate& issuer, const estate::Estate& estate);

// CheckCrl holds an order to the model and plans the CRL. Reports, beyond the
// rules of CheckSigningKey and the estate:
//   the rules of the profile's file
//   PROFILE-12, -13, -15  the profile contradicts that of its issuer, which this script makes
//   the rules of the lint, COMPARE-01 and -02, for which the room would refuse the list
//   PLAN-CRL-01  the issuer's certificate is unknown, or not of a CA that signs CRLs
//   PLAN-CRL-02  the profile does not go with the issuer's key
//   PLAN-CRL-03  a certificate that is revoked was issued by another CA
//   PLAN-CRL-04  it is not of those that such a list is about
//   PLAN-CRL-05  its reason is none that the profile allows
//   PLAN-CRL-06  the policy wants the next list earlier than the profile promises it
void CheckCrl(const CrlOrder& order, PlanContext& plan);

// SignCrl builds the list with every certificate that is or becomes revoked,
// lints, compares, shows, has it approved, opens the token, signs, checks with
// both decoders and releases it. What an attempt that was cut off has left is taken
// over, unless it has waited too long: then the list is made anew, as of now.
base::Result<void> SignCrl(const CrlOrder& order, StepContext& context);

std::string CrlDer(const std::string& crl);
std::string CrlPem(const std::string& crl);
std::string CrlTbs(const std::string& crl, int edition = 1);  // TbsSuffix

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_CRL_ORDER_H_
