// Owned<T, kFree> holds an object of a C library and gives it back with that library's
// function when it goes out of scope: Owned<BIGNUM, BN_free>.
#ifndef HSM_BASE_OWNED_H_
#define HSM_BASE_OWNED_H_

#include <memory>

namespace base {

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

template <typename T, auto kFree>
using Owned = std::unique_ptr<T, Freer<kFree>>;

}  // namespace base

#endif  // HSM_BASE_OWNED_H_
