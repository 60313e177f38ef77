// Lists that a module hands out in two calls: one for the size, one for the contents.
#ifndef HSM_GROWING_LIST_H_
#define HSM_GROWING_LIST_H_

#include <fmt/format.h>

#include <string>
#include <vector>

#include "hsm/describe.h"

namespace hsm {

// ReadGrowingList reads such a list. `read` makes the call: it is given nullptr for the size, and the size of the array
// otherwise. A list that has grown between the two calls is read again, a few times. `what` names the items: "slots".
template <typename T, typename Read>
Result<std::vector<T>> ReadGrowingList(Function function, const std::string& doing, const char* what, Read&& read) {
  constexpr int kGrowths = 3;
  constexpr CK_ULONG kMaxItems = 65536;  // more is a module gone wrong
  std::vector<T> list;
  for (int attempt = 0;; ++attempt) {
    CK_ULONG count = 0;
    CK_RV rv = read(static_cast<T*>(nullptr), &count);
    if (rv != CKR_OK) return CallError(function, rv, doing);
    if (count > kMaxItems) return NonsenseError(function, fmt::format("{} {}", count, what));
    list.resize(count);
    if (count == 0) return list;
    rv = read(list.data(), &count);
    if (rv == CKR_BUFFER_TOO_SMALL && attempt < kGrowths) continue;
    if (rv != CKR_OK) return CallError(function, rv, doing);
    if (count > list.size()) {
      return NonsenseError(function, fmt::format("{} {} in a list for {}", count, what, list.size()));
    }
    list.resize(count);
    return list;
  }
}

}  // namespace hsm

#endif  // HSM_GROWING_LIST_H_
