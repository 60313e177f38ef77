// The tables of numbers and names behind describe.h.
#ifndef HSM_NAMES_H_
#define HSM_NAMES_H_

#include <span>
#include <string_view>

namespace hsm {

struct Name {
  unsigned long number;
  std::string_view name;
};

std::span<const Name> ReturnValueNames();
std::span<const Name> ClassNames();
std::span<const Name> KeyTypeNames();
std::span<const Name> MechanismNames();

}  // namespace hsm

#endif  // HSM_NAMES_H_
