// What one step asks of one token, as its kind declares it.
#ifndef CEREMONY_STEPS_MECHANISM_NEED_H_
#define CEREMONY_STEPS_MECHANISM_NEED_H_

#include <string>
#include <vector>

namespace ceremony::steps {

// MechanismNeed is what a step asks of a token: one of these mechanisms.
struct MechanismNeed {
  std::string token;                  // logical name
  std::vector<unsigned long> any_of;  // CK_MECHANISM_TYPE, the most wanted first
  std::string why;                    // "to make key root-oca (EC P-256)"
};

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_MECHANISM_NEED_H_
