// Modules that give their functions by C_GetInterface alone.
#include <doctest/doctest.h>

#include "hsm/real_cryptoki.h"
#include "tests/support/results.h"

TEST_CASE("a module is asked for the standard's interface by its name, whatever its default is") {
  const auto api = support::Good(hsm::RealCryptoki::Load(INTERFACE_MODULE_standard));
  CK_INFO info{};
  CHECK(api->GetInfo(&info) == CKR_FUNCTION_NOT_SUPPORTED);  // the list has no functions; it is the right one
}

TEST_CASE("a maker's own interface is not taken for the standard's") {
  const base::Error error = support::Bad(hsm::RealCryptoki::Load(INTERFACE_MODULE_vendor));
  CHECK(error.call == "C_GetInterface");
  CHECK(error.message.ends_with("gives no function list: C_GetInterface returned CKR_OK and no list of PKCS#11"));
}
