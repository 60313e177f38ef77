#include "ceremony/x509/signature_algorithm.h"

#include <algorithm>
#include <array>

#include "hsm/base/rsa_scheme.h"

namespace ceremony::x509 {
namespace {

using base::KeyAlgorithm;
using base::SignatureScheme;

constexpr std::array<SignatureAlgorithmFacts, 10> kAlgorithms = {{
    {SignatureAlgorithm::kEcdsaSha256, "ecdsa-with-SHA256", "300a06082a8648ce3d040302", SignatureScheme::kEcdsa,
     "RFC 5758 3.2"},
    {SignatureAlgorithm::kEcdsaSha384, "ecdsa-with-SHA384", "300a06082a8648ce3d040303", SignatureScheme::kEcdsa,
     "RFC 5758 3.2"},
    {SignatureAlgorithm::kEcdsaSha512, "ecdsa-with-SHA512", "300a06082a8648ce3d040304", SignatureScheme::kEcdsa,
     "RFC 5758 3.2"},
    {SignatureAlgorithm::kEd25519, "Ed25519", "300506032b6570", SignatureScheme::kEd25519, "RFC 8410 3"},
    {SignatureAlgorithm::kRsaPkcs1Sha256, "sha256WithRSAEncryption", "300d06092a864886f70d01010b0500",
     SignatureScheme::kRsaPkcs1Sha256, "RFC 4055 5"},
    {SignatureAlgorithm::kRsaPkcs1Sha384, "sha384WithRSAEncryption", "300d06092a864886f70d01010c0500",
     SignatureScheme::kRsaPkcs1Sha384, "RFC 4055 5"},
    {SignatureAlgorithm::kRsaPkcs1Sha512, "sha512WithRSAEncryption", "300d06092a864886f70d01010d0500",
     SignatureScheme::kRsaPkcs1Sha512, "RFC 4055 5"},
    {SignatureAlgorithm::kRsaPssSha256, "rsassaPss-SHA256",
     "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d060960864801650"
     "30402010500a203020120",
     SignatureScheme::kRsaPssSha256, "RFC 4055 3.1, CA/B BR 7.1.3.2"},
    {SignatureAlgorithm::kRsaPssSha384, "rsassaPss-SHA384",
     "304106092a864886f70d01010a3034a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d060960864801650"
     "30402020500a203020130",
     SignatureScheme::kRsaPssSha384, "RFC 4055 3.1, CA/B BR 7.1.3.2"},
    {SignatureAlgorithm::kRsaPssSha512, "rsassaPss-SHA512",
     "304106092a864886f70d01010a3034a00f300d06096086480165030402030500a11c301a06092a864886f70d010108300d060960864801650"
     "30402030500a203020140",
     SignatureScheme::kRsaPssSha512, "RFC 4055 3.1, CA/B BR 7.1.3.2"},
}};

struct Identifier {
  std::array<std::uint8_t, 80> octets{};
  std::size_t size = 0;
};

constexpr std::uint8_t Nibble(char digit) {
  return static_cast<std::uint8_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

constexpr auto kIdentifiers = [] {
  std::array<Identifier, kAlgorithms.size()> all{};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string_view hex = kAlgorithms[i].identifier_hex;
    for (std::size_t j = 0; j < hex.size(); j += 2) {
      all[i].octets[all[i].size++] = static_cast<std::uint8_t>(Nibble(hex[j]) << 4 | Nibble(hex[j + 1]));
    }
  }
  return all;
}();

constexpr bool TableIsInOrder() {
  for (std::size_t i = 0; i < kAlgorithms.size(); ++i) {
    if (static_cast<std::size_t>(kAlgorithms[i].algorithm) != i) return false;
  }
  return true;
}
static_assert(TableIsInOrder(), "every SignatureAlgorithm has its row, in the order of the enumeration");

}  // namespace

std::span<const SignatureAlgorithmFacts> SignatureAlgorithms() { return kAlgorithms; }

const SignatureAlgorithmFacts& FactsOf(SignatureAlgorithm algorithm) {
  return kAlgorithms.at(static_cast<std::size_t>(algorithm));
}

const SignatureAlgorithmFacts* FindSignatureAlgorithm(std::string_view name) {
  const auto found =
      std::find_if(kAlgorithms.begin(), kAlgorithms.end(), [&](const auto& facts) { return facts.name == name; });
  return found == kAlgorithms.end() ? nullptr : &*found;
}

base::ByteView IdentifierOf(SignatureAlgorithm algorithm) {
  const Identifier& identifier = kIdentifiers.at(static_cast<std::size_t>(algorithm));
  return {identifier.octets.data(), identifier.size};
}

const SignatureAlgorithmFacts* FindByIdentifier(base::ByteView identifier) {
  for (const SignatureAlgorithmFacts& facts : kAlgorithms) {
    const base::ByteView known = IdentifierOf(facts.algorithm);
    if (known.size() == identifier.size() && std::equal(known.begin(), known.end(), identifier.begin())) return &facts;
  }
  return nullptr;
}

bool Fits(SignatureAlgorithm algorithm, KeyAlgorithm key) {
  switch (key) {
    case KeyAlgorithm::kEcP256:
      return algorithm == SignatureAlgorithm::kEcdsaSha256;
    case KeyAlgorithm::kEcP384:
      return algorithm == SignatureAlgorithm::kEcdsaSha384;
    case KeyAlgorithm::kEcP521:
      return algorithm == SignatureAlgorithm::kEcdsaSha512;
    case KeyAlgorithm::kEd25519:
      return algorithm == SignatureAlgorithm::kEd25519;
    case KeyAlgorithm::kRsa2048:
    case KeyAlgorithm::kRsa3072:
    case KeyAlgorithm::kRsa4096:
      return base::FindRsaScheme(FactsOf(algorithm).scheme) != nullptr;
  }
  return false;
}

}  // namespace ceremony::x509
