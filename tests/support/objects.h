// Objects that are on a token without a plan: what a test finds there.
#ifndef TESTS_SUPPORT_OBJECTS_H_
#define TESTS_SUPPORT_OBJECTS_H_

#include <doctest/doctest.h>

#include "hsm/session.h"
#include "tests/support/results.h"

namespace support {

// MakeObject makes an object, which no observer hears of.
inline hsm::Object MakeObject(hsm::Session& session, const hsm::Template& attributes) {
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  const auto native = attributes.Native();
  REQUIRE(session.api().CreateObject(session.handle(), native.data(), native.size(), &handle) == CKR_OK);
  return Good(session.ReadObject(handle));
}

}  // namespace support

#endif  // TESTS_SUPPORT_OBJECTS_H_
