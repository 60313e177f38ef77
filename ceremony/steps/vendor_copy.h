// A copy that people make with the vendor's own tool. The program guides them, and then
// checks everything: it finds the copy by its public key, reads it, and has it sign.
#ifndef CEREMONY_STEPS_VENDOR_COPY_H_
#define CEREMONY_STEPS_VENDOR_COPY_H_

#include <string>

#include "ceremony/steps/copy_arrival.h"
#include "hsm/session.h"

namespace ceremony::steps {

struct VendorCopy {
  Arrival arrival;
  std::string procedure;  // by its name and version
  std::string from;       // for people: the source as hsm::Token::Name gives it
  std::string to;
};

// TakeInVendorCopy has people make the copy, proves it, and records it:
//   KEY-VENDOR-01  after the procedure the token does not have the key
//   KEY-VENDOR-02  its attributes are not those that the script wants
base::Result<void> TakeInVendorCopy(StepContext& context, const VendorCopy& copy, hsm::Session& session,
                                    const base::PublicKey& public_key);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_VENDOR_COPY_H_
