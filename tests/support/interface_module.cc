// A module that has C_GetInterface and no C_GetFunctionList, as PKCS#11 3.0 allows. Its default interface is its
// maker's own. INTERFACE_MODULE_STANDARD: it has the standard's, too, for whoever asks for that by name.
#include <cstring>

#include "hsm/cryptoki.h"

namespace {

struct Interface {
  char* name;
  void* function_list;
  CK_FLAGS flags;
};

char vendor_name[] = "Vendor Works";
CK_FUNCTION_LIST vendor_list{};
#ifdef INTERFACE_MODULE_STANDARD
char standard_name[] = "PKCS 11";
CK_FUNCTION_LIST standard_list{};
#endif

}  // namespace

extern "C" __attribute__((visibility("default"))) CK_RV C_GetInterface(CK_UTF8CHAR* name, CK_VERSION*,
                                                                       Interface** found, CK_FLAGS) {
  static Interface vendor{vendor_name, &vendor_list, 0};
  vendor_list.version = {9, 9};
  const bool by_default = name == nullptr;
#ifdef INTERFACE_MODULE_STANDARD
  static Interface standard{standard_name, &standard_list, 0};
  standard_list.version = {3, 0};
  if (!by_default && std::strcmp(reinterpret_cast<const char*>(name), standard_name) == 0) {
    *found = &standard;
    return CKR_OK;
  }
#endif
  *found = by_default ? &vendor : nullptr;
  return by_default ? CKR_OK : CKR_FUNCTION_FAILED;
}
