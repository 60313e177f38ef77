// A PKCS#11 module that is SoftHSM but for what the environment says:
//   ODD_REAL          SoftHSM's path
//   ODD_EXIT_AT       while the file ODD_EXIT_AT/NAME is there, the call of that name removes it and calls exit(0)
//   ODD_MANUFACTURER  what C_GetInfo says, with ODD_DESCRIPTION
//   ODD_LONGEST       the longest PIN that C_GetTokenInfo allows
//   ODD_WITHOUT       a mechanism, as a decimal number, that C_GetMechanismList leaves out
// It prints on standard output at every turn, by stdio, by a stream and by the descriptor.
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

#include "hsm/cryptoki.h"

namespace {

CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST list{};

void Say(const char* name) {
  std::printf("noise of stdio in %s\n", name);
  std::cout << "noise of a stream in " << name << std::endl;
  static_cast<void>(!write(STDOUT_FILENO, "noise of a descriptor\n", 22));
  const char* const folder = std::getenv("ODD_EXIT_AT");
  if (folder != nullptr && std::remove((std::string(folder) + "/" + name).c_str()) == 0) std::exit(0);
}

template <std::size_t N>
void Pad(unsigned char (&field)[N], const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return;
  std::memset(field, ' ', N);
  std::memcpy(field, text, std::min(N, std::strlen(text)));
}

CK_RV Initialize(void* arguments) {
  Say("C_Initialize");
  return real->C_Initialize(arguments);
}

CK_RV GetInfo(CK_INFO* info) {
  const CK_RV rv = real->C_GetInfo(info);
  Pad(info->manufacturerID, "ODD_MANUFACTURER");
  Pad(info->libraryDescription, "ODD_DESCRIPTION");
  return rv;
}

CK_RV GetSlotList(CK_BBOOL token_present, CK_SLOT_ID* slots, CK_ULONG* count) {
  Say("C_GetSlotList");
  return real->C_GetSlotList(token_present, slots, count);
}

CK_RV GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  const CK_RV rv = real->C_GetTokenInfo(slot, info);
  if (const char* const most = std::getenv("ODD_LONGEST")) info->ulMaxPinLen = std::strtoul(most, nullptr, 10);
  return rv;
}

CK_RV GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE* mechanisms, CK_ULONG* count) {
  const CK_RV rv = real->C_GetMechanismList(slot, mechanisms, count);
  const char* const without = std::getenv("ODD_WITHOUT");
  if (rv != CKR_OK || mechanisms == nullptr || without == nullptr) return rv;
  CK_MECHANISM_TYPE* const end = std::remove(mechanisms, mechanisms + *count, std::strtoul(without, nullptr, 10));
  *count = static_cast<CK_ULONG>(end - mechanisms);
  return rv;
}

CK_RV GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* public_attributes,
                      CK_ULONG public_count, CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                      CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) {
  const CK_RV rv = real->C_GenerateKeyPair(session, mechanism, public_attributes, public_count, private_attributes,
                                           private_count, public_key, private_key);
  Say("C_GenerateKeyPair");
  return rv;
}

}  // namespace

extern "C" CK_RV C_GetFunctionList(CK_FUNCTION_LIST** out) {
  Say("C_GetFunctionList");
  const char* const path = std::getenv("ODD_REAL");
  void* const library = path == nullptr ? nullptr : dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return CKR_GENERAL_ERROR;
  const auto get = reinterpret_cast<CK_RV (*)(CK_FUNCTION_LIST**)>(dlsym(library, "C_GetFunctionList"));
  if (get == nullptr || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
  list = *real;
  list.C_Initialize = Initialize;
  list.C_GetInfo = GetInfo;
  list.C_GetSlotList = GetSlotList;
  list.C_GetTokenInfo = GetTokenInfo;
  list.C_GetMechanismList = GetMechanismList;
  list.C_GenerateKeyPair = GenerateKeyPair;
  *out = &list;
  return CKR_OK;
}
