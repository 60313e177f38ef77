// An action that people did with a maker's own tool, outside the program.
#ifndef CEREMONY_ESTATE_BY_VENDOR_H_
#define CEREMONY_ESTATE_BY_VENDOR_H_

namespace ceremony::estate {

// The "method" of such a token.commission or key.clone. A copy's `way` (key_effects.h) begins with it.
inline constexpr const char* kByVendor = "vendor";

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_BY_VENDOR_H_
