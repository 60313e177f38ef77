// The fake token's table of mechanisms, and small readers that its files share.
#ifndef TESTS_SUPPORT_FAKE_MECHANISMS_H_
#define TESTS_SUPPORT_FAKE_MECHANISMS_H_

#include <cstring>
#include <optional>
#include <string_view>

#include "tests/support/fake_token.h"

namespace support {

enum class Scheme : std::uint8_t { kNone, kEcdsa, kEdwards, kPkcs1, kPss, kOaep, kWrap, kEcdh };

struct MechanismRow {
  CK_MECHANISM_TYPE type;
  CK_FLAGS flags;
  CK_ULONG min, max;
  CK_KEY_TYPE key_type;
  Scheme scheme;
  std::optional<base::DigestAlgorithm> digest;  // that the token makes itself
};
// FindMechanism returns nullptr for what the fake cannot do.
const MechanismRow* FindMechanism(CK_MECHANISM_TYPE type);

// FlagsOf is what a token does with a mechanism.
CK_FLAGS FlagsOf(const FakeSlot& slot, const MechanismRow& row);

// GroupOfParams maps CKA_EC_PARAMS to a libcrypto group; nullptr if unknown.
const char* GroupOfParams(std::string_view params);
std::string_view ParamsOfGroup(std::string_view group);

std::optional<base::DigestAlgorithm> DigestOfMechanism(CK_MECHANISM_TYPE hash);
bool MgfMatches(CK_RSA_PKCS_MGF_TYPE mgf, base::DigestAlgorithm digest);

// ReadParameters copies a parameter structure; nothing unless the size is exact.
template <typename T>
std::optional<T> ReadParameters(const void* bytes, CK_ULONG size) {
  if (bytes == nullptr || size != sizeof(T)) return std::nullopt;
  T parameters;
  std::memcpy(&parameters, bytes, sizeof parameters);
  return parameters;
}
// OaepDigest is the hash of OAEP parameters; nothing if they are not ours.
std::optional<base::DigestAlgorithm> OaepDigest(const void* bytes, CK_ULONG size);

// The way of PKCS#11 to hand out bytes: say the size, refuse a small buffer, or copy.
enum class Handed { kSize, kTooSmall, kCopied };
Handed HandOut(const Bytes& bytes, CK_BYTE* out, CK_ULONG* size);

Bytes Number(CK_ULONG number);
// NumberOf is CK_UNAVAILABLE_INFORMATION where there is none.
CK_ULONG NumberOf(const Attributes& attributes, CK_ATTRIBUTE_TYPE type);
bool IsTrue(const Attributes& attributes, CK_ATTRIBUTE_TYPE type);

// SetPublicValues writes the public numbers of a key into its attributes.
void SetPublicValues(const crypto::Key& key, Attributes* attributes);

}  // namespace support

#endif  // TESTS_SUPPORT_FAKE_MECHANISMS_H_
