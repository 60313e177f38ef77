#include "tests/support/fake_mechanisms.h"

#include <algorithm>
#include <array>

namespace support {
namespace {

using base::DigestAlgorithm;
using std::string_view_literals::operator""sv;

constexpr CK_FLAGS kEcFlags = CKF_HW | CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS;
constexpr std::array<MechanismRow, 22> kMechanisms = {{
    {CKM_EC_KEY_PAIR_GEN, kEcFlags | CKF_GENERATE_KEY_PAIR, 256, 521, CKK_EC, Scheme::kNone, {}},
    {CKM_EC_EDWARDS_KEY_PAIR_GEN, kEcFlags | CKF_GENERATE_KEY_PAIR, 255, 255, CKK_EC_EDWARDS, Scheme::kNone, {}},
    {CKM_RSA_PKCS_KEY_PAIR_GEN, CKF_HW | CKF_GENERATE_KEY_PAIR, 2048, 4096, CKK_RSA, Scheme::kNone, {}},
    {CKM_AES_KEY_GEN, CKF_HW | CKF_GENERATE, 16, 32, CKK_AES, Scheme::kNone, {}},
    {CKM_ECDSA, kEcFlags | CKF_SIGN, 256, 521, CKK_EC, Scheme::kEcdsa, {}},
    {CKM_ECDSA_SHA256, kEcFlags | CKF_SIGN, 256, 521, CKK_EC, Scheme::kEcdsa, DigestAlgorithm::kSha256},
    {CKM_ECDSA_SHA384, kEcFlags | CKF_SIGN, 256, 521, CKK_EC, Scheme::kEcdsa, DigestAlgorithm::kSha384},
    {CKM_ECDSA_SHA512, kEcFlags | CKF_SIGN, 256, 521, CKK_EC, Scheme::kEcdsa, DigestAlgorithm::kSha512},
    {CKM_EDDSA, kEcFlags | CKF_SIGN, 255, 255, CKK_EC_EDWARDS, Scheme::kEdwards, {}},
    {CKM_RSA_PKCS, CKF_HW | CKF_SIGN, 2048, 4096, CKK_RSA, Scheme::kPkcs1, {}},
    {CKM_SHA256_RSA_PKCS, CKF_HW | CKF_SIGN, 2048, 4096, CKK_RSA, Scheme::kPkcs1, DigestAlgorithm::kSha256},
    {CKM_SHA384_RSA_PKCS, CKF_HW | CKF_SIGN, 2048, 4096, CKK_RSA, Scheme::kPkcs1, DigestAlgorithm::kSha384},
    {CKM_RSA_PKCS_PSS, CKF_HW | CKF_SIGN, 2048, 4096, CKK_RSA, Scheme::kPss, {}},
    {CKM_SHA256_RSA_PKCS_PSS, CKF_HW | CKF_SIGN, 2048, 4096, CKK_RSA, Scheme::kPss, DigestAlgorithm::kSha256},
    {CKM_SHA384_RSA_PKCS_PSS, CKF_HW | CKF_SIGN, 2048, 4096, CKK_RSA, Scheme::kPss, DigestAlgorithm::kSha384},
    {CKM_RSA_PKCS_OAEP,
     CKF_HW | CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP,
     2048,
     4096,
     CKK_RSA,
     Scheme::kOaep,
     {}},
    {CKM_AES_KEY_WRAP, CKF_HW | CKF_WRAP | CKF_UNWRAP, 16, 32, CKK_AES, Scheme::kWrap, {}},
    {CKM_AES_KEY_WRAP_PAD, CKF_HW | CKF_WRAP | CKF_UNWRAP, 16, 32, CKK_AES, Scheme::kWrap, {}},
    {CKM_AES_KEY_WRAP_KWP, CKF_HW | CKF_WRAP | CKF_UNWRAP, 16, 32, CKK_AES, Scheme::kWrap, {}},
    {CKM_ECDH1_DERIVE, kEcFlags | CKF_DERIVE, 256, 521, CKK_EC, Scheme::kEcdh, {}},
    {CKM_SHA512_RSA_PKCS, CKF_HW | CKF_SIGN, 2048, 4096, CKK_RSA, Scheme::kPkcs1, DigestAlgorithm::kSha512},
    {CKM_SHA512_RSA_PKCS_PSS, CKF_HW | CKF_SIGN, 2048, 4096, CKK_RSA, Scheme::kPss, DigestAlgorithm::kSha512},
}};

struct CurveRow {
  std::string_view params;
  std::string_view group;
};
constexpr std::array<CurveRow, 3> kCurves = {{
    {"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"sv, "P-256"},
    {"\x06\x05\x2b\x81\x04\x00\x22"sv, "P-384"},
    {"\x06\x05\x2b\x81\x04\x00\x23"sv, "P-521"},
}};

}  // namespace

const MechanismRow* FindMechanism(CK_MECHANISM_TYPE type) {
  const auto row = std::ranges::find(kMechanisms, type, &MechanismRow::type);
  return row == kMechanisms.end() ? nullptr : &*row;
}

CK_FLAGS FlagsOf(const FakeSlot& slot, const MechanismRow& row) {
  const auto fewer = slot.fewer_flags.find(row.type);
  return fewer == slot.fewer_flags.end() ? row.flags : fewer->second;
}

std::vector<CK_MECHANISM_TYPE> FakeMechanisms() {
  std::vector<CK_MECHANISM_TYPE> all;
  for (const MechanismRow& row : kMechanisms) all.push_back(row.type);
  return all;
}

const char* GroupOfParams(std::string_view params) {
  const auto row = std::ranges::find(kCurves, params, &CurveRow::params);
  return row == kCurves.end() ? nullptr : row->group.data();
}

std::string_view ParamsOfGroup(std::string_view group) {
  const auto row = std::ranges::find(kCurves, group, &CurveRow::group);
  return row == kCurves.end() ? std::string_view() : row->params;
}

std::optional<DigestAlgorithm> DigestOfMechanism(CK_MECHANISM_TYPE hash) {
  switch (hash) {
    case CKM_SHA_1:
      return DigestAlgorithm::kSha1;
    case CKM_SHA256:
      return DigestAlgorithm::kSha256;
    case CKM_SHA384:
      return DigestAlgorithm::kSha384;
    case CKM_SHA512:
      return DigestAlgorithm::kSha512;
    default:
      return std::nullopt;
  }
}
bool MgfMatches(CK_RSA_PKCS_MGF_TYPE mgf, DigestAlgorithm digest) {
  switch (digest) {
    case DigestAlgorithm::kSha1:
      return mgf == CKG_MGF1_SHA1;
    case DigestAlgorithm::kSha256:
      return mgf == CKG_MGF1_SHA256;
    case DigestAlgorithm::kSha384:
      return mgf == CKG_MGF1_SHA384;
    case DigestAlgorithm::kSha512:
      break;
  }
  return mgf == CKG_MGF1_SHA512;
}

std::optional<DigestAlgorithm> OaepDigest(const void* bytes, CK_ULONG size) {
  const auto oaep = ReadParameters<CK_RSA_PKCS_OAEP_PARAMS>(bytes, size);
  if (!oaep || oaep->source != CKZ_DATA_SPECIFIED || oaep->ulSourceDataLen != 0) return std::nullopt;
  const auto digest = DigestOfMechanism(oaep->hashAlg);
  return digest && MgfMatches(oaep->mgf, *digest) ? digest : std::nullopt;
}

Handed HandOut(const Bytes& bytes, CK_BYTE* out, CK_ULONG* size) {
  const CK_ULONG capacity = *size;
  *size = bytes.size();
  if (out == nullptr) return Handed::kSize;
  if (capacity < bytes.size()) return Handed::kTooSmall;
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return Handed::kCopied;
}

CK_ULONG NumberOf(const Attributes& attributes, CK_ATTRIBUTE_TYPE type) {
  CK_ULONG number = CK_UNAVAILABLE_INFORMATION;
  const auto found = attributes.find(type);
  if (found != attributes.end() && found->second.size() == sizeof number) {
    std::memcpy(&number, found->second.data(), sizeof number);
  }
  return number;
}
Bytes Number(CK_ULONG number) {
  Bytes out(sizeof number);
  std::memcpy(out.data(), &number, sizeof number);
  return out;
}
bool IsTrue(const Attributes& attributes, CK_ATTRIBUTE_TYPE type) {
  const auto found = attributes.find(type);
  return found != attributes.end() && found->second == Bytes{1};
}

void SetPublicValues(const crypto::Key& key, Attributes* attributes) {
  if (NumberOf(*attributes, CKA_KEY_TYPE) == CKK_RSA) {
    (*attributes)[CKA_MODULUS] = crypto::RsaModulus(key);
    (*attributes)[CKA_PUBLIC_EXPONENT] = crypto::RsaExponent(key);
  } else if (NumberOf(*attributes, CKA_CLASS) == CKO_PUBLIC_KEY) {
    (*attributes)[CKA_EC_POINT] = crypto::EcPoint(key);
  }
}

}  // namespace support
