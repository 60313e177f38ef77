// Reading attributes from modules that may say anything.
#include <fmt/format.h>

#include <algorithm>

#include "hsm/describe.h"
#include "hsm/session.h"

namespace hsm {
namespace {

// What a buffer holds before the call: a value that comes back like this was
// not written, whatever the length says.
constexpr std::uint8_t kUntouched = 0xa5;

// First guesses that nearly always fit, so that one call reads an object.
std::size_t GuessedSize(const AttributeFacts& facts) {
  switch (facts.kind) {
    case AttributeKind::kBool:  // room for one that is too long, so that it is not taken for absent
    case AttributeKind::kNumber:
    case AttributeKind::kClass:
    case AttributeKind::kKeyType:
    case AttributeKind::kMechanism:
      return sizeof(CK_ULONG);
    case AttributeKind::kText:
      return 256;
    case AttributeKind::kBytes:
      break;
  }
  switch (facts.type) {
    case CKA_ID:
      return 64;
    case CKA_EC_PARAMS:
      return 32;
    case CKA_EC_POINT:
      return 160;
    case CKA_PUBLIC_EXPONENT:
      return 16;
    case CKA_MODULUS:
      return 512;
    case CKA_PUBLIC_KEY_INFO:
      return 600;
    default:
      return 256;
  }
}

bool HasFixedSize(const AttributeFacts& facts) {
  return facts.kind != AttributeKind::kText && facts.kind != AttributeKind::kBytes;
}

bool SpeaksOfSingleAttributes(CK_RV rv) {
  return rv == CKR_OK || rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
         rv == CKR_BUFFER_TOO_SMALL;
}

bool IsUntouched(ByteView bytes) {
  return !bytes.empty() && std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == kUntouched; });
}

// Reads one attribute by asking for its size first. An rv that is not about
// this attribute is the result.
CK_RV ReadOne(Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, AttributeSet& set) {
  set.SetState(type, AttributeState::kUnreadable);
  // Twice, since the value may change between the size and the contents.
  for (int attempt = 0; attempt < 2; ++attempt) {
    CK_ATTRIBUTE attribute{type, nullptr, 0};
    CK_RV rv = session.api().GetAttributeValue(session.handle(), object, &attribute, 1);
    if (rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID) {
      set.SetState(type, rv == CKR_ATTRIBUTE_SENSITIVE ? AttributeState::kSensitive : AttributeState::kAbsent);
      return CKR_OK;
    }
    if (rv != CKR_OK) return SpeaksOfSingleAttributes(rv) ? CKR_OK : rv;
    if (attribute.ulValueLen > Session::kMaxAttributeBytes) return CKR_OK;  // nonsense, (CK_ULONG)-1 included
    const std::size_t capacity = attribute.ulValueLen;
    if (capacity == 0) {
      set.Set(type, {});
      return CKR_OK;
    }
    Bytes value(capacity, kUntouched);
    attribute.pValue = value.data();
    rv = session.api().GetAttributeValue(session.handle(), object, &attribute, 1);
    if (rv == CKR_OK && attribute.ulValueLen <= capacity) {
      value.resize(attribute.ulValueLen);
      set.Set(type, std::move(value));
      return CKR_OK;
    }
    if (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL) return SpeaksOfSingleAttributes(rv) ? CKR_OK : rv;
  }
  return CKR_OK;
}

// Reads attribute by attribute. An rv that is not about one of them is the result.
CK_RV ReadEach(Session& session, CK_OBJECT_HANDLE object, std::span<const CK_ATTRIBUTE_TYPE> types, AttributeSet& set) {
  for (const CK_ATTRIBUTE_TYPE type : types) {
    if (const CK_RV rv = ReadOne(session, object, type, set); rv != CKR_OK) return rv;
  }
  return CKR_OK;
}

// Reads all in one call into buffers of guessed sizes, then again alone what did not fit.
CK_RV ReadAtOnce(Session& session, CK_OBJECT_HANDLE object, std::span<const CK_ATTRIBUTE_TYPE> types,
                 AttributeSet& set) {
  std::vector<CK_ATTRIBUTE> attributes;
  attributes.reserve(types.size());
  std::size_t total = 0;
  for (const CK_ATTRIBUTE_TYPE type : types) {
    attributes.push_back({type, nullptr, GuessedSize(*FindAttribute(type))});
    total += attributes.back().ulValueLen;
  }
  Bytes buffer(total, kUntouched);
  std::size_t offset = 0;
  for (CK_ATTRIBUTE& attribute : attributes) {
    attribute.pValue = buffer.data() + offset;
    offset += attribute.ulValueLen;
  }
  const CK_RV rv = session.api().GetAttributeValue(session.handle(), object, attributes.data(), attributes.size());
  if (!SpeaksOfSingleAttributes(rv)) return rv;

  offset = 0;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const AttributeFacts& facts = *FindAttribute(types[i]);
    const std::size_t capacity = GuessedSize(facts);
    const ByteView room = ByteView(buffer).subspan(offset, capacity);
    offset += capacity;
    const CK_ULONG size = attributes[i].ulValueLen;
    if (size == CK_UNAVAILABLE_INFORMATION && HasFixedSize(facts) && rv != CKR_BUFFER_TOO_SMALL) {
      // Booleans and numbers are never secret, and nothing was too long: it is not there.
      set.SetState(types[i], AttributeState::kAbsent);
    } else if (size <= capacity && !IsUntouched(room.first(size))) {
      set.Set(types[i], base::ToBytes(room.first(size)));
    } else if (const CK_RV alone = ReadOne(session, object, types[i], set); alone != CKR_OK) {
      // Too small, sensitive, absent, or nonsense: one return value speaks for
      // all attributes, so that this one was asked again alone.
      return alone;
    }
  }
  return CKR_OK;
}

}  // namespace

Result<AttributeSet> Session::ReadAttributes(CK_OBJECT_HANDLE object, std::span<const CK_ATTRIBUTE_TYPE> types) {
  AttributeSet set;
  if (types.empty()) return set;
  for (const CK_ATTRIBUTE_TYPE type : types) {
    const AttributeFacts* const facts = FindAttribute(type);
    if (facts == nullptr || facts->secret || (type & CKF_ARRAY_ATTRIBUTE) != 0) {
      return base::MakeError(ErrorCode::kInternal, AttributeName(type) + " is not to be read as a plain attribute");
    }
  }
  const CK_RV rv =
      quirks().overruns_short_buffers ? ReadEach(*this, object, types, set) : ReadAtOnce(*this, object, types, set);
  if (rv == CKR_OK) return set;
  return CallError(Function::kGetAttributeValue, rv, fmt::format("reading object {} of {}", object, token_->Name()));
}

Result<base::SecretBytes> Session::ReadSecret(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  const std::string doing = fmt::format("reading {} of object {} of {}", AttributeName(type), object, token_->Name());
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  CK_RV rv = api().GetAttributeValue(handle(), object, &attribute, 1);
  if (rv != CKR_OK) return CallError(Function::kGetAttributeValue, rv, doing);
  if (attribute.ulValueLen == 0 || attribute.ulValueLen > kMaxAttributeBytes) {
    return NonsenseError(Function::kGetAttributeValue,
                         fmt::format("{} bytes for {}", attribute.ulValueLen, AttributeName(type)));
  }
  const std::size_t capacity = attribute.ulValueLen;
  base::SecretBytes value(capacity);
  attribute.pValue = value.writable().data();
  rv = api().GetAttributeValue(handle(), object, &attribute, 1);
  if (rv != CKR_OK) return CallError(Function::kGetAttributeValue, rv, doing);
  if (attribute.ulValueLen != capacity) {
    return NonsenseError(Function::kGetAttributeValue,
                         fmt::format("{} bytes for {} after {}", attribute.ulValueLen, AttributeName(type), capacity));
  }
  return value;
}

}  // namespace hsm
