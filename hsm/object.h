// Object names one object on a token; AttributeSet holds the attributes that were read.
#ifndef HSM_OBJECT_H_
#define HSM_OBJECT_H_

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hsm/base/public_key.h"
#include "hsm/cryptoki.h"
#include "hsm/observer.h"

namespace hsm {

// AttributeState is the result of reading one attribute.
enum class AttributeState : std::uint8_t {
  kPresent,     // value() has it
  kSensitive,   // the token keeps it to itself
  kAbsent,      // the object has no such attribute, or the module does not know it
  kUnreadable,  // the module gave an error or a length that cannot be
};

// AttributeSet holds attributes as they were read, in ascending order of type.
class AttributeSet final {
 public:
  void Set(CK_ATTRIBUTE_TYPE type, Bytes value);
  void SetState(CK_ATTRIBUTE_TYPE type, AttributeState state);

  // Merge takes over what the other set has.
  void Merge(const AttributeSet& other);

  // state is kAbsent for an attribute that was not asked for.
  AttributeState state(CK_ATTRIBUTE_TYPE type) const;
  bool Has(CK_ATTRIBUTE_TYPE type) const { return state(type) == AttributeState::kPresent; }
  // Value is empty unless the attribute is present.
  ByteView Value(CK_ATTRIBUTE_TYPE type) const;
  // Bool, Number and Text are nothing unless the attribute is present and has
  // the size of its kind (one byte of 0 or 1; sizeof(CK_ULONG)).
  std::optional<bool> Bool(CK_ATTRIBUTE_TYPE type) const;
  std::optional<CK_ULONG> Number(CK_ATTRIBUTE_TYPE type) const;
  std::optional<std::string> Text(CK_ATTRIBUTE_TYPE type) const;

  // Describe spells what is present, and "(sensitive)" or "(unreadable)" for
  // what is there but cannot be read; absent attributes are left out.
  Description Describe(std::string_view prefix = {}) const;
  // DescribeOne spells one: as above, or "(absent)".
  std::string DescribeOne(CK_ATTRIBUTE_TYPE type) const;

 private:
  struct Item {
    AttributeState state;
    Bytes value;
  };
  std::map<CK_ATTRIBUTE_TYPE, Item> items_;
};

// Object is a handle and the name of its object. It is valid in every session of this process on that token until the
// object is destroyed or the module reinitialised. The handle of a private object dies with the login (C_Logout), and a
// later login does not revive it. That of a session object dies with the session that made it.
class Object final {
 public:
  Object() = default;
  Object(CK_OBJECT_HANDLE handle, const AttributeSet& attributes);

  CK_OBJECT_HANDLE handle() const { return handle_; }
  // Nothing when the object has no CKA_CLASS (a torn one).
  std::optional<CK_OBJECT_CLASS> object_class() const { return object_class_; }
  std::optional<CK_KEY_TYPE> key_type() const { return key_type_; }
  const std::string& label() const { return label_; }
  const Bytes& id() const { return id_; }

  // Name is how messages and records speak of it: `private key "root" (id 01ab)`.
  std::string Name() const;

 private:
  CK_OBJECT_HANDLE handle_ = CK_INVALID_HANDLE;
  std::optional<CK_OBJECT_CLASS> object_class_;
  std::optional<CK_KEY_TYPE> key_type_;
  std::string label_;
  Bytes id_;
};

// KeyPair is a private key on a token and its public half.
struct KeyPair {
  Object private_object;
  std::optional<Object> public_object;  // some tokens keep none
  base::PublicKey public_key;
};

// ReadPublicKey makes the public key of the attributes of a public or private
// key object: CKA_EC_POINT raw or wrapped in an OCTET STRING with CKA_EC_PARAMS
// (a named curve; for Ed25519 an OID or a PrintableString), CKA_MODULUS with
// CKA_PUBLIC_EXPONENT, or else CKA_PUBLIC_KEY_INFO. kNotFound when it has none of
// these; kCorrupt when they are not a key that we know, or when two of them contradict each other.
Result<base::PublicKey> ReadPublicKey(const AttributeSet& attributes);

// kPublicKeyAttributes is what ReadPublicKey looks at, to be read in one call.
inline constexpr std::array<CK_ATTRIBUTE_TYPE, 6> kPublicKeyAttributes = {
    CKA_KEY_TYPE, CKA_EC_PARAMS, CKA_EC_POINT, CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_PUBLIC_KEY_INFO};

// DecodeEcPoint returns the point of a CKA_EC_POINT, whether it came raw or as
// the contents of a DER OCTET STRING; kCorrupt if it is neither. `raw_size` is
// the size of a raw point on that curve (65 for P-256, 32 for Ed25519).
Result<Bytes> DecodeEcPoint(ByteView attribute, std::size_t raw_size);
// EncodeEcPoint is the OCTET STRING around a point of at most 255 bytes, as PKCS#11 2.40 wants CKA_EC_POINT.
Bytes EncodeEcPoint(ByteView point);

}  // namespace hsm

#endif  // HSM_OBJECT_H_
