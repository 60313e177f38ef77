#include "hsm/cryptoki.h"

namespace hsm {
namespace {

constexpr std::array<std::string_view, kFunctionCount> kNames = {
    "C_Initialize",      "C_Finalize",         "C_GetInfo",          "C_GetSlotList",       "C_GetSlotInfo",
    "C_GetTokenInfo",    "C_GetMechanismList", "C_GetMechanismInfo", "C_InitToken",         "C_InitPIN",
    "C_SetPIN",          "C_OpenSession",      "C_CloseSession",     "C_GetSessionInfo",    "C_Login",
    "C_Logout",          "C_CreateObject",     "C_DestroyObject",    "C_GetAttributeValue", "C_SetAttributeValue",
    "C_FindObjectsInit", "C_FindObjects",      "C_FindObjectsFinal", "C_SignInit",          "C_Sign",
    "C_GenerateKey",     "C_GenerateKeyPair",  "C_WrapKey",          "C_UnwrapKey",         "C_DeriveKey",
    "C_GenerateRandom",
};

}  // namespace

std::string_view FunctionName(Function function) { return kNames.at(static_cast<std::size_t>(function)); }

}  // namespace hsm
