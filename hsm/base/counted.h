// Numbers of things, as people read them.
#ifndef HSM_BASE_COUNTED_H_
#define HSM_BASE_COUNTED_H_

#include <concepts>
#include <string>
#include <string_view>

namespace base {

// Counted returns a number with the words for one or for many: "1 step", "0 steps", "2 steps".
template <std::integral Number>
std::string Counted(Number count, std::string_view one, std::string_view many) {
  std::string words = std::to_string(count);
  words += ' ';
  return words.append(count == 1 ? one : many);
}

}  // namespace base

#endif  // HSM_BASE_COUNTED_H_
