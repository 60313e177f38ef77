// Names of PKCS#11 numbers, and errors that carry them.
//
// One table a kind. A number that is in no table is spelled in lowercase hexadecimal ("0x80000001").
#ifndef HSM_DESCRIBE_H_
#define HSM_DESCRIBE_H_

#include <string>

#include "hsm/cryptoki.h"

namespace hsm {

std::string RvName(CK_RV rv);                            // "CKR_PIN_INCORRECT"
std::string MechanismName(CK_MECHANISM_TYPE mechanism);  // "CKM_ECDSA"
std::string AttributeName(CK_ATTRIBUTE_TYPE type);       // "CKA_LABEL"
std::string ClassName(CK_OBJECT_CLASS object_class);     // "CKO_PRIVATE_KEY"
std::string KeyTypeName(CK_KEY_TYPE key_type);           // "CKK_EC"
std::string HexNumber(CK_ULONG number);                  // "0x1f"

// How the value of an attribute is to be read.
enum class AttributeKind : std::uint8_t { kBool, kNumber, kClass, kKeyType, kMechanism, kText, kBytes };

// AttributeFacts is one row of the table of attributes.
struct AttributeFacts {
  CK_ATTRIBUTE_TYPE type;
  std::string_view name;
  AttributeKind kind;
  bool secret;  // the value may be key material: it is never described
};
// FindAttribute returns nullptr for a type that is not in the table.
const AttributeFacts* FindAttribute(CK_ATTRIBUTE_TYPE type);

// DescribeValue spells an attribute's value for people and records: "true",
// "CKK_EC", "256", text as it is (bytes that are not UTF-8 text as hex), other
// bytes as lowercase hex. A value that may be secret becomes "(32 bytes withheld)", and so does the value of an
// attribute that is in no table.
std::string DescribeValue(CK_ATTRIBUTE_TYPE type, ByteView value);

// CallError is the error for a call that returned `rv`. `doing` says what was being done, and to which object: "opening
// a session on token \"root\" (serial 12ab)". The message is "doing: C_OpenSession returned CKR_DEVICE_REMOVED"; known
// return values bring a hint. Code kUnsupported for mechanisms and functions
// that the module lacks, kToken otherwise.
Error CallError(Function function, CK_RV rv, const std::string& doing);

// IsGone tells whether modules return `rv` for a token that has left its slot. Every session on it is dead then.
bool IsGone(CK_RV rv);

// NonsenseError is the error for a module that breaks the standard: a length or
// a count that cannot be.
Error NonsenseError(Function function, const std::string& what);

}  // namespace hsm

#endif  // HSM_DESCRIBE_H_
