#include "hsm/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "hsm/base/encoding.h"
#include "hsm/names.h"

namespace hsm {
namespace {

// Ascending order of type; what is not here is not described.
constexpr AttributeFacts kAttributes[] = {
    {CKA_CLASS, "CKA_CLASS", AttributeKind::kClass, false},
    {CKA_TOKEN, "CKA_TOKEN", AttributeKind::kBool, false},
    {CKA_PRIVATE, "CKA_PRIVATE", AttributeKind::kBool, false},
    {CKA_LABEL, "CKA_LABEL", AttributeKind::kText, false},
    {CKA_UNIQUE_ID, "CKA_UNIQUE_ID", AttributeKind::kText, false},
    {CKA_APPLICATION, "CKA_APPLICATION", AttributeKind::kText, false},
    {CKA_VALUE, "CKA_VALUE", AttributeKind::kBytes, true},
    {CKA_OBJECT_ID, "CKA_OBJECT_ID", AttributeKind::kBytes, false},
    {CKA_CERTIFICATE_TYPE, "CKA_CERTIFICATE_TYPE", AttributeKind::kNumber, false},
    {CKA_ISSUER, "CKA_ISSUER", AttributeKind::kBytes, false},
    {CKA_SERIAL_NUMBER, "CKA_SERIAL_NUMBER", AttributeKind::kBytes, false},
    {CKA_AC_ISSUER, "CKA_AC_ISSUER", AttributeKind::kBytes, false},
    {CKA_OWNER, "CKA_OWNER", AttributeKind::kBytes, false},
    {CKA_ATTR_TYPES, "CKA_ATTR_TYPES", AttributeKind::kBytes, false},
    {CKA_TRUSTED, "CKA_TRUSTED", AttributeKind::kBool, false},
    {CKA_CERTIFICATE_CATEGORY, "CKA_CERTIFICATE_CATEGORY", AttributeKind::kNumber, false},
    {CKA_JAVA_MIDP_SECURITY_DOMAIN, "CKA_JAVA_MIDP_SECURITY_DOMAIN", AttributeKind::kNumber, false},
    {CKA_URL, "CKA_URL", AttributeKind::kText, false},
    {CKA_HASH_OF_SUBJECT_PUBLIC_KEY, "CKA_HASH_OF_SUBJECT_PUBLIC_KEY", AttributeKind::kBytes, false},
    {CKA_HASH_OF_ISSUER_PUBLIC_KEY, "CKA_HASH_OF_ISSUER_PUBLIC_KEY", AttributeKind::kBytes, false},
    {CKA_NAME_HASH_ALGORITHM, "CKA_NAME_HASH_ALGORITHM", AttributeKind::kMechanism, false},
    {CKA_CHECK_VALUE, "CKA_CHECK_VALUE", AttributeKind::kBytes, false},
    {CKA_KEY_TYPE, "CKA_KEY_TYPE", AttributeKind::kKeyType, false},
    {CKA_SUBJECT, "CKA_SUBJECT", AttributeKind::kBytes, false},
    {CKA_ID, "CKA_ID", AttributeKind::kBytes, false},
    {CKA_SENSITIVE, "CKA_SENSITIVE", AttributeKind::kBool, false},
    {CKA_ENCRYPT, "CKA_ENCRYPT", AttributeKind::kBool, false},
    {CKA_DECRYPT, "CKA_DECRYPT", AttributeKind::kBool, false},
    {CKA_WRAP, "CKA_WRAP", AttributeKind::kBool, false},
    {CKA_UNWRAP, "CKA_UNWRAP", AttributeKind::kBool, false},
    {CKA_SIGN, "CKA_SIGN", AttributeKind::kBool, false},
    {CKA_SIGN_RECOVER, "CKA_SIGN_RECOVER", AttributeKind::kBool, false},
    {CKA_VERIFY, "CKA_VERIFY", AttributeKind::kBool, false},
    {CKA_VERIFY_RECOVER, "CKA_VERIFY_RECOVER", AttributeKind::kBool, false},
    {CKA_DERIVE, "CKA_DERIVE", AttributeKind::kBool, false},
    {CKA_START_DATE, "CKA_START_DATE", AttributeKind::kBytes, false},
    {CKA_END_DATE, "CKA_END_DATE", AttributeKind::kBytes, false},
    {CKA_MODULUS, "CKA_MODULUS", AttributeKind::kBytes, false},
    {CKA_MODULUS_BITS, "CKA_MODULUS_BITS", AttributeKind::kNumber, false},
    {CKA_PUBLIC_EXPONENT, "CKA_PUBLIC_EXPONENT", AttributeKind::kBytes, false},
    {CKA_PRIVATE_EXPONENT, "CKA_PRIVATE_EXPONENT", AttributeKind::kBytes, true},
    {CKA_PRIME_1, "CKA_PRIME_1", AttributeKind::kBytes, true},
    {CKA_PRIME_2, "CKA_PRIME_2", AttributeKind::kBytes, true},
    {CKA_EXPONENT_1, "CKA_EXPONENT_1", AttributeKind::kBytes, true},
    {CKA_EXPONENT_2, "CKA_EXPONENT_2", AttributeKind::kBytes, true},
    {CKA_COEFFICIENT, "CKA_COEFFICIENT", AttributeKind::kBytes, true},
    {CKA_PUBLIC_KEY_INFO, "CKA_PUBLIC_KEY_INFO", AttributeKind::kBytes, false},
    {CKA_PRIME, "CKA_PRIME", AttributeKind::kBytes, false},
    {CKA_SUBPRIME, "CKA_SUBPRIME", AttributeKind::kBytes, false},
    {CKA_BASE, "CKA_BASE", AttributeKind::kBytes, false},
    {CKA_PRIME_BITS, "CKA_PRIME_BITS", AttributeKind::kNumber, false},
    {CKA_SUB_PRIME_BITS, "CKA_SUB_PRIME_BITS", AttributeKind::kNumber, false},
    {CKA_VALUE_BITS, "CKA_VALUE_BITS", AttributeKind::kNumber, false},
    {CKA_VALUE_LEN, "CKA_VALUE_LEN", AttributeKind::kNumber, false},
    {CKA_EXTRACTABLE, "CKA_EXTRACTABLE", AttributeKind::kBool, false},
    {CKA_LOCAL, "CKA_LOCAL", AttributeKind::kBool, false},
    {CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE", AttributeKind::kBool, false},
    {CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE", AttributeKind::kBool, false},
    {CKA_KEY_GEN_MECHANISM, "CKA_KEY_GEN_MECHANISM", AttributeKind::kMechanism, false},
    {CKA_MODIFIABLE, "CKA_MODIFIABLE", AttributeKind::kBool, false},
    {CKA_COPYABLE, "CKA_COPYABLE", AttributeKind::kBool, false},
    {CKA_DESTROYABLE, "CKA_DESTROYABLE", AttributeKind::kBool, false},
    {CKA_EC_PARAMS, "CKA_EC_PARAMS", AttributeKind::kBytes, false},
    {CKA_EC_POINT, "CKA_EC_POINT", AttributeKind::kBytes, false},
    {CKA_SECONDARY_AUTH, "CKA_SECONDARY_AUTH", AttributeKind::kBytes, false},
    {CKA_AUTH_PIN_FLAGS, "CKA_AUTH_PIN_FLAGS", AttributeKind::kBytes, false},
    {CKA_ALWAYS_AUTHENTICATE, "CKA_ALWAYS_AUTHENTICATE", AttributeKind::kBool, false},
    {CKA_WRAP_WITH_TRUSTED, "CKA_WRAP_WITH_TRUSTED", AttributeKind::kBool, false},
    {CKA_HW_FEATURE_TYPE, "CKA_HW_FEATURE_TYPE", AttributeKind::kNumber, false},
    {CKA_RESET_ON_INIT, "CKA_RESET_ON_INIT", AttributeKind::kBytes, false},
    {CKA_HAS_RESET, "CKA_HAS_RESET", AttributeKind::kBytes, false},
    {CKA_PIXEL_X, "CKA_PIXEL_X", AttributeKind::kBytes, false},
    {CKA_PIXEL_Y, "CKA_PIXEL_Y", AttributeKind::kBytes, false},
    {CKA_RESOLUTION, "CKA_RESOLUTION", AttributeKind::kBytes, false},
    {CKA_CHAR_ROWS, "CKA_CHAR_ROWS", AttributeKind::kBytes, false},
    {CKA_CHAR_COLUMNS, "CKA_CHAR_COLUMNS", AttributeKind::kBytes, false},
    {CKA_COLOR, "CKA_COLOR", AttributeKind::kBytes, false},
    {CKA_BITS_PER_PIXEL, "CKA_BITS_PER_PIXEL", AttributeKind::kBytes, false},
    {CKA_CHAR_SETS, "CKA_CHAR_SETS", AttributeKind::kBytes, false},
    {CKA_ENCODING_METHODS, "CKA_ENCODING_METHODS", AttributeKind::kBytes, false},
    {CKA_MIME_TYPES, "CKA_MIME_TYPES", AttributeKind::kBytes, false},
    {CKA_MECHANISM_TYPE, "CKA_MECHANISM_TYPE", AttributeKind::kMechanism, false},
    {CKA_REQUIRED_CMS_ATTRIBUTES, "CKA_REQUIRED_CMS_ATTRIBUTES", AttributeKind::kBytes, false},
    {CKA_DEFAULT_CMS_ATTRIBUTES, "CKA_DEFAULT_CMS_ATTRIBUTES", AttributeKind::kBytes, false},
    {CKA_SUPPORTED_CMS_ATTRIBUTES, "CKA_SUPPORTED_CMS_ATTRIBUTES", AttributeKind::kBytes, false},
    {CKA_WRAP_TEMPLATE, "CKA_WRAP_TEMPLATE", AttributeKind::kBytes, false},
    {CKA_UNWRAP_TEMPLATE, "CKA_UNWRAP_TEMPLATE", AttributeKind::kBytes, false},
    {CKA_DERIVE_TEMPLATE, "CKA_DERIVE_TEMPLATE", AttributeKind::kBytes, false},
    {CKA_ALLOWED_MECHANISMS, "CKA_ALLOWED_MECHANISMS", AttributeKind::kBytes, false},
    {CKA_NSS_DB, "CKA_NSS_DB", AttributeKind::kBytes, false},
};

struct Hint {
  CK_RV rv;
  std::string_view text;
};
constexpr Hint kHints[] = {
    {CKR_DEVICE_ERROR, "the token or the connection to it failed: look at the device, then resume"},
    {CKR_DEVICE_MEMORY, "the token is full: remove objects that are no longer needed, in a ceremony of their own"},
    {CKR_DEVICE_REMOVED, "put the token back into its slot"},
    {CKR_TOKEN_NOT_PRESENT, "put the token back into its slot"},
    {CKR_TOKEN_WRITE_PROTECTED, "take the write protection off the token"},
    {CKR_PIN_LOCKED,
     "a locked user PIN is set anew by the security officer; a token whose security officer PIN is locked must be "
     "initialised again, which wipes it"},
    {CKR_PIN_EXPIRED, "the PIN must be changed before the token can be used"},
    {CKR_USER_NOT_LOGGED_IN, "log in to the token first"},
    {CKR_USER_PIN_NOT_INITIALIZED, "the token has no user PIN yet: commission it first"},
    {CKR_SESSION_CLOSED, "the token has ended the session: try the step again, or resume, which opens a new one"},
    {CKR_SESSION_HANDLE_INVALID,
     "the token has ended the session: try the step again, or resume, which opens a new one"},
    {CKR_OPERATION_ACTIVE,
     "an earlier call has left something unfinished: try the step again, or resume, in a new session"},
    {CKR_SESSION_COUNT, "close other programs that use the token"},
    {CKR_SESSION_READ_WRITE_SO_EXISTS, "the security officer is logged in: log out first"},
    {CKR_MECHANISM_INVALID, "`keyceremony token probe` lists what this token can do"},
    {CKR_FUNCTION_NOT_SUPPORTED, "`keyceremony token probe` lists what this token can do"},
    {CKR_TEMPLATE_INCONSISTENT, "this module may want another template: see docs on tokens"},
    {CKR_CRYPTOKI_NOT_INITIALIZED, "the module was finalised behind our back: start again with resume"},
};

std::string NameIn(std::span<const Name> table, unsigned long number) {
  const auto found = std::ranges::lower_bound(table, number, {}, &Name::number);
  return found != table.end() && found->number == number ? std::string(found->name) : HexNumber(number);
}

CK_ULONG NumberOf(ByteView value) {
  CK_ULONG number = 0;
  std::memcpy(&number, value.data(), sizeof number);
  return number;
}

// Is this UTF-8 without control characters, fit to be shown as it is?
bool IsPlainText(ByteView value) {
  for (std::size_t i = 0; i < value.size();) {
    const std::uint8_t first = value[i];
    if (first < 0x20 || first == 0x7f) return false;
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xc2 ? 0
                               : first < 0xe0 ? 2
                               : first < 0xf0 ? 3
                               : first < 0xf5 ? 4
                                              : 0;
    if (length == 0 || length > value.size() - i) return false;
    std::uint32_t point = length == 1 ? first : first & (0xffU >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
      if ((value[i + k] & 0xc0) != 0x80) return false;
      point = point << 6 | (value[i + k] & 0x3fU);
    }
    constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kSmallest[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
    if (point >= 0x80 && point < 0xa0) return false;
    i += length;
  }
  return true;
}

}  // namespace

std::string HexNumber(CK_ULONG number) { return fmt::format("{:#x}", number); }
std::string RvName(CK_RV rv) { return NameIn(ReturnValueNames(), rv); }
std::string MechanismName(CK_MECHANISM_TYPE mechanism) { return NameIn(MechanismNames(), mechanism); }
std::string ClassName(CK_OBJECT_CLASS object_class) { return NameIn(ClassNames(), object_class); }
std::string KeyTypeName(CK_KEY_TYPE key_type) { return NameIn(KeyTypeNames(), key_type); }

const AttributeFacts* FindAttribute(CK_ATTRIBUTE_TYPE type) {
  const auto found = std::ranges::lower_bound(kAttributes, type, {}, &AttributeFacts::type);
  return found != std::end(kAttributes) && found->type == type ? &*found : nullptr;
}

std::string AttributeName(CK_ATTRIBUTE_TYPE type) {
  const AttributeFacts* const facts = FindAttribute(type);
  return facts == nullptr ? HexNumber(type) : std::string(facts->name);
}

std::string DescribeValue(CK_ATTRIBUTE_TYPE type, ByteView value) {
  const AttributeFacts* const facts = FindAttribute(type);
  if (facts == nullptr || facts->secret) return fmt::format("({} bytes withheld)", value.size());
  const bool is_number = value.size() == sizeof(CK_ULONG);
  switch (facts->kind) {
    case AttributeKind::kBool:
      if (value.size() == 1 && value[0] <= 1) return value[0] == 1 ? "true" : "false";
      break;
    case AttributeKind::kNumber:
      if (is_number)
        return NumberOf(value) == CK_UNAVAILABLE_INFORMATION ? "unavailable" : fmt::format("{}", NumberOf(value));
      break;
    case AttributeKind::kClass:
      if (is_number) return ClassName(NumberOf(value));
      break;
    case AttributeKind::kKeyType:
      if (is_number) return KeyTypeName(NumberOf(value));
      break;
    case AttributeKind::kMechanism:
      // Keys that a token did not generate itself have no mechanism (2.40 section 4.7).
      if (is_number)
        return NumberOf(value) == CK_UNAVAILABLE_INFORMATION ? "unavailable" : MechanismName(NumberOf(value));
      break;
    case AttributeKind::kText:
      if (IsPlainText(value)) return std::string(base::AsText(value));
      break;
    case AttributeKind::kBytes:
      break;
  }
  return base::HexEncode(value);
}

Error CallError(Function function, CK_RV rv, const std::string& doing) {
  const bool lacking = rv == CKR_MECHANISM_INVALID || rv == CKR_FUNCTION_NOT_SUPPORTED || rv == CKR_CURVE_NOT_SUPPORTED;
  Error error = base::MakeError(lacking ? ErrorCode::kUnsupported : ErrorCode::kToken,
                                fmt::format("{}: {} returned {}", doing, FunctionName(function), RvName(rv)));
  error.call = FunctionName(function);
  error.rv = rv;
  const auto hint = std::ranges::find(kHints, rv, &Hint::rv);
  if (hint != std::end(kHints)) error.hint = hint->text;
  return error;
}

bool IsGone(CK_RV rv) {
  static constexpr CK_RV kGone[] = {CKR_DEVICE_REMOVED,         CKR_TOKEN_NOT_PRESENT, CKR_TOKEN_NOT_RECOGNIZED,
                                    CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED,    CKR_SLOT_ID_INVALID};
  return std::ranges::find(kGone, rv) != std::end(kGone);
}

Error NonsenseError(Function function, const std::string& what) {
  Error error = base::MakeError(ErrorCode::kToken, fmt::format("{} gave nonsense: {}", FunctionName(function), what))
                    .WithHint("the module breaks PKCS#11: do not use this token until its maker explained it");
  error.call = FunctionName(function);
  return error;
}

}  // namespace hsm
