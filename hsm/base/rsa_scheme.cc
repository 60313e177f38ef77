#include "hsm/base/rsa_scheme.h"

#include <algorithm>
#include <array>

namespace base {
namespace {

constexpr std::array<RsaSchemeFacts, 6> kSchemes = {{
    {SignatureScheme::kRsaPkcs1Sha256, RsaPadding::kPkcs1, DigestAlgorithm::kSha256},
    {SignatureScheme::kRsaPkcs1Sha384, RsaPadding::kPkcs1, DigestAlgorithm::kSha384},
    {SignatureScheme::kRsaPkcs1Sha512, RsaPadding::kPkcs1, DigestAlgorithm::kSha512},
    {SignatureScheme::kRsaPssSha256, RsaPadding::kPss, DigestAlgorithm::kSha256},
    {SignatureScheme::kRsaPssSha384, RsaPadding::kPss, DigestAlgorithm::kSha384},
    {SignatureScheme::kRsaPssSha512, RsaPadding::kPss, DigestAlgorithm::kSha512},
}};

}  // namespace

const RsaSchemeFacts* FindRsaScheme(SignatureScheme scheme) {
  const auto row = std::ranges::find(kSchemes, scheme, &RsaSchemeFacts::scheme);
  return row == kSchemes.end() ? nullptr : &*row;
}

}  // namespace base
