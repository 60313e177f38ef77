#include "ceremony/x509/oid.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <vector>

#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

constexpr std::array<OidFacts, static_cast<std::size_t>(Oid::kCount)> kOids = {{
    {Oid::kCommonName, "2.5.4.3", "commonName", "CN"},
    {Oid::kSurname, "2.5.4.4", "surname", "SN"},
    {Oid::kSerialNumber, "2.5.4.5", "serialNumber", ""},
    {Oid::kCountry, "2.5.4.6", "countryName", "C"},
    {Oid::kLocality, "2.5.4.7", "localityName", "L"},
    {Oid::kState, "2.5.4.8", "stateOrProvinceName", "ST"},
    {Oid::kStreet, "2.5.4.9", "streetAddress", "STREET"},
    {Oid::kOrganization, "2.5.4.10", "organizationName", "O"},
    {Oid::kOrganizationalUnit, "2.5.4.11", "organizationalUnitName", "OU"},
    {Oid::kTitle, "2.5.4.12", "title", ""},
    {Oid::kGivenName, "2.5.4.42", "givenName", "GN"},
    {Oid::kInitials, "2.5.4.43", "initials", ""},
    {Oid::kGenerationQualifier, "2.5.4.44", "generationQualifier", ""},
    {Oid::kUniqueIdentifier, "2.5.4.45", "x500UniqueIdentifier", ""},
    {Oid::kDnQualifier, "2.5.4.46", "dnQualifier", ""},
    {Oid::kPseudonym, "2.5.4.65", "pseudonym", ""},
    {Oid::kOrganizationIdentifier, "2.5.4.97", "organizationIdentifier", ""},
    {Oid::kUserId, "0.9.2342.19200300.100.1.1", "userId", "UID"},
    {Oid::kDomainComponent, "0.9.2342.19200300.100.1.25", "domainComponent", "DC"},
    {Oid::kEmailAddress, "1.2.840.113549.1.9.1", "emailAddress", ""},
    {Oid::kSubjectKeyIdentifier, "2.5.29.14", "subjectKeyIdentifier", ""},
    {Oid::kKeyUsage, "2.5.29.15", "keyUsage", ""},
    {Oid::kPrivateKeyUsagePeriod, "2.5.29.16", "privateKeyUsagePeriod", ""},
    {Oid::kSubjectAltName, "2.5.29.17", "subjectAltName", ""},
    {Oid::kIssuerAltName, "2.5.29.18", "issuerAltName", ""},
    {Oid::kBasicConstraints, "2.5.29.19", "basicConstraints", ""},
    {Oid::kCrlNumber, "2.5.29.20", "cRLNumber", ""},
    {Oid::kReasonCode, "2.5.29.21", "reasonCode", ""},
    {Oid::kInvalidityDate, "2.5.29.24", "invalidityDate", ""},
    {Oid::kDeltaCrlIndicator, "2.5.29.27", "deltaCRLIndicator", ""},
    {Oid::kIssuingDistributionPoint, "2.5.29.28", "issuingDistributionPoint", ""},
    {Oid::kCertificateIssuer, "2.5.29.29", "certificateIssuer", ""},
    {Oid::kNameConstraints, "2.5.29.30", "nameConstraints", ""},
    {Oid::kCrlDistributionPoints, "2.5.29.31", "cRLDistributionPoints", ""},
    {Oid::kCertificatePolicies, "2.5.29.32", "certificatePolicies", ""},
    {Oid::kPolicyMappings, "2.5.29.33", "policyMappings", ""},
    {Oid::kAuthorityKeyIdentifier, "2.5.29.35", "authorityKeyIdentifier", ""},
    {Oid::kPolicyConstraints, "2.5.29.36", "policyConstraints", ""},
    {Oid::kExtendedKeyUsage, "2.5.29.37", "extKeyUsage", ""},
    {Oid::kFreshestCrl, "2.5.29.46", "freshestCRL", ""},
    {Oid::kInhibitAnyPolicy, "2.5.29.54", "inhibitAnyPolicy", ""},
    {Oid::kAuthorityInfoAccess, "1.3.6.1.5.5.7.1.1", "authorityInfoAccess", ""},
    {Oid::kQcStatements, "1.3.6.1.5.5.7.1.3", "qcStatements", ""},
    {Oid::kSubjectInfoAccess, "1.3.6.1.5.5.7.1.11", "subjectInfoAccess", ""},
    {Oid::kWrappedApexContinKey, "1.3.6.1.5.5.7.1.20", "wrappedApexContinKey", ""},
    {Oid::kPrecertificatePoison, "1.3.6.1.4.1.11129.2.4.3", "precertificatePoison", ""},
    {Oid::kSignedCertificateTimestamps, "1.3.6.1.4.1.11129.2.4.2", "signedCertificateTimestamps", ""},
    {Oid::kExtensionRequest, "1.2.840.113549.1.9.14", "extensionRequest", ""},
    {Oid::kChallengePassword, "1.2.840.113549.1.9.7", "challengePassword", ""},
    {Oid::kAnyPolicy, "2.5.29.32.0", "anyPolicy", ""},
    {Oid::kCpsQualifier, "1.3.6.1.5.5.7.2.1", "cps", ""},
    {Oid::kUserNoticeQualifier, "1.3.6.1.5.5.7.2.2", "unotice", ""},
    {Oid::kOcsp, "1.3.6.1.5.5.7.48.1", "ocsp", ""},
    {Oid::kCaIssuers, "1.3.6.1.5.5.7.48.2", "caIssuers", ""},
    {Oid::kHardwareModuleName, "1.3.6.1.5.5.7.8.4", "hardwareModuleName", ""},
    {Oid::kAnyExtendedKeyUsage, "2.5.29.37.0", "anyExtendedKeyUsage", ""},
    {Oid::kServerAuth, "1.3.6.1.5.5.7.3.1", "serverAuth", ""},
    {Oid::kClientAuth, "1.3.6.1.5.5.7.3.2", "clientAuth", ""},
    {Oid::kCodeSigning, "1.3.6.1.5.5.7.3.3", "codeSigning", ""},
    {Oid::kEmailProtection, "1.3.6.1.5.5.7.3.4", "emailProtection", ""},
    {Oid::kTimeStamping, "1.3.6.1.5.5.7.3.8", "timeStamping", ""},
    {Oid::kOcspSigning, "1.3.6.1.5.5.7.3.9", "OCSPSigning", ""},
    {Oid::kEcPublicKey, "1.2.840.10045.2.1", "ecPublicKey", ""},
    {Oid::kP256, "1.2.840.10045.3.1.7", "secp256r1", "P-256"},
    {Oid::kP384, "1.3.132.0.34", "secp384r1", "P-384"},
    {Oid::kP521, "1.3.132.0.35", "secp521r1", "P-521"},
    {Oid::kRsaEncryption, "1.2.840.113549.1.1.1", "rsaEncryption", ""},
    {Oid::kRsaPss, "1.2.840.113549.1.1.10", "rsassaPss", ""},
    {Oid::kEd25519, "1.3.101.112", "Ed25519", ""},
    {Oid::kEd448, "1.3.101.113", "Ed448", ""},
    {Oid::kEcdsaSha1, "1.2.840.10045.4.1", "ecdsa-with-SHA1", ""},
    {Oid::kEcdsaSha256, "1.2.840.10045.4.3.2", "ecdsa-with-SHA256", ""},
    {Oid::kEcdsaSha384, "1.2.840.10045.4.3.3", "ecdsa-with-SHA384", ""},
    {Oid::kEcdsaSha512, "1.2.840.10045.4.3.4", "ecdsa-with-SHA512", ""},
    {Oid::kMd5Rsa, "1.2.840.113549.1.1.4", "md5WithRSAEncryption", ""},
    {Oid::kSha1Rsa, "1.2.840.113549.1.1.5", "sha1WithRSAEncryption", ""},
    {Oid::kSha256Rsa, "1.2.840.113549.1.1.11", "sha256WithRSAEncryption", ""},
    {Oid::kSha384Rsa, "1.2.840.113549.1.1.12", "sha384WithRSAEncryption", ""},
    {Oid::kSha512Rsa, "1.2.840.113549.1.1.13", "sha512WithRSAEncryption", ""},
    {Oid::kMgf1, "1.2.840.113549.1.1.8", "mgf1", ""},
    {Oid::kSha1, "1.3.14.3.2.26", "sha1", ""},
    {Oid::kSha256, "2.16.840.1.101.3.4.2.1", "sha256", ""},
    {Oid::kSha384, "2.16.840.1.101.3.4.2.2", "sha384", ""},
    {Oid::kSha512, "2.16.840.1.101.3.4.2.3", "sha512", ""},
}};

// The DER of every OID, computed from its dotted form when this is compiled:
// one fact, written once.
struct Encoded {
  std::array<std::uint8_t, 12> octets{};
  std::uint8_t size = 0;
};

// Hands the octets of an arc to `append`, in order.
template <typename Append>
constexpr void ForEachOctet(std::uint64_t arc, Append append) {
  int groups = 1;
  for (std::uint64_t rest = arc >> 7; rest != 0; rest >>= 7) ++groups;
  for (int group = groups - 1; group >= 0; --group) {
    const auto seven = static_cast<std::uint8_t>((arc >> (7 * group)) & 0x7fU);
    append(static_cast<std::uint8_t>(group > 0 ? seven | 0x80U : seven));
  }
}

constexpr Encoded EncodeKnown(std::string_view dotted) {
  Encoded out;
  std::uint64_t first = 0;
  std::size_t index = 0;
  std::uint64_t arc = 0;
  for (std::size_t i = 0; i <= dotted.size(); ++i) {
    if (i < dotted.size() && dotted[i] != '.') {
      arc = arc * 10 + static_cast<std::uint64_t>(dotted[i] - '0');
      continue;
    }
    if (index == 0) {
      first = arc;
    } else {
      ForEachOctet(index == 1 ? first * 40 + arc : arc, [&](std::uint8_t octet) { out.octets.at(out.size++) = octet; });
    }
    arc = 0;
    ++index;
  }
  return out;
}

constexpr auto kEncoded = [] {
  std::array<Encoded, kOids.size()> all{};
  for (std::size_t i = 0; i < kOids.size(); ++i) all[i] = EncodeKnown(kOids[i].dotted);
  return all;
}();

constexpr bool TableIsInOrder() {
  for (std::size_t i = 0; i < kOids.size(); ++i) {
    if (static_cast<std::size_t>(kOids[i].oid) != i || kOids[i].dotted.empty()) return false;
  }
  return true;
}
static_assert(TableIsInOrder(), "every Oid has its row, in the order of the enumeration");

// A short multiplication and addition on decimal digits, least first.
void MultiplyAdd(std::vector<std::uint8_t>& digits, unsigned factor, unsigned addend) {
  unsigned carry = addend;
  for (std::uint8_t& digit : digits) {
    carry += digit * factor;
    digit = static_cast<std::uint8_t>(carry % 10);
    carry /= 10;
  }
  for (; carry != 0; carry /= 10) digits.push_back(static_cast<std::uint8_t>(carry % 10));
}

std::string DecimalText(const std::vector<std::uint8_t>& digits) {
  std::string text;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) text.push_back(static_cast<char>('0' + *digit));
  return text.empty() ? "0" : text;
}

// Arcs beyond 64 bits exist (2.25 holds UUIDs).
std::string BigArcText(base::ByteView octets) {
  std::vector<std::uint8_t> digits;
  for (const std::uint8_t octet : octets) MultiplyAdd(digits, 128, octet & 0x7fU);
  return DecimalText(digits);
}

}  // namespace

const OidFacts& FactsOf(Oid oid) { return kOids.at(static_cast<std::size_t>(oid)); }

std::span<const OidFacts> Oids() { return kOids; }

base::ByteView ContentOf(Oid oid) {
  const Encoded& encoded = kEncoded.at(static_cast<std::size_t>(oid));
  return {encoded.octets.data(), encoded.size};
}

std::optional<Oid> FindOid(base::ByteView content) {
  if (content.empty()) return std::nullopt;
  for (std::size_t i = 0; i < kEncoded.size(); ++i) {
    const Encoded& known = kEncoded[i];
    // The last octet differs most: it decides nearly every comparison.
    if (known.size == content.size() && known.octets[known.size - 1U] == content.back() &&
        std::equal(content.begin(), content.end(), known.octets.begin())) {
      return kOids[i].oid;
    }
  }
  return std::nullopt;
}

std::optional<Oid> FindOidByName(std::string_view name) {
  if (name.empty()) return std::nullopt;
  for (const OidFacts& facts : kOids) {
    if (facts.name == name || facts.short_name == name || facts.dotted == name) return facts.oid;
  }
  return std::nullopt;
}

base::Result<base::Bytes> EncodeOid(std::string_view dotted) {
  const auto bad = [&](const char* why) {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("\"{}\" is no object identifier: {}", dotted, why));
  };
  base::Bytes content;
  const auto append = [&](std::uint64_t arc) {
    ForEachOctet(arc, [&](std::uint8_t octet) { content.push_back(octet); });
  };
  std::uint64_t first = 0;
  std::size_t index = 0;
  std::string_view rest = dotted;
  while (true) {
    const std::size_t dot = rest.find('.');
    const std::string_view text = rest.substr(0, dot);
    std::uint64_t arc = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), arc);
    if (error != std::errc() || end != text.data() + text.size())
      return bad("an arc is not a decimal number below 2^64");
    if (text.size() > 1 && text.front() == '0') return bad("an arc has a leading zero");
    if (index == 0) {
      if (arc > 2) return bad("the first arc is above 2");
      first = arc;
    } else if (index == 1) {
      if (first < 2 && arc > 39) return bad("the second arc is above 39");
      if (arc > std::numeric_limits<std::uint64_t>::max() - 80) return bad("the second arc is too large");
      append(first * 40 + arc);
    } else {
      append(arc);
    }
    ++index;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (index < 2) return bad("it has one arc");
  return content;
}

base::Result<base::Bytes> OidContent(std::string_view name) {
  if (const auto known = FindOidByName(name)) return base::ToBytes(ContentOf(*known));
  return EncodeOid(name);
}

std::string DottedOid(base::ByteView content) {
  // Nothing real is longer, and decimal arcs cost the square of their length.
  constexpr std::size_t kLongest = 64;
  if (content.size() > kLongest)
    return fmt::format("invalid:{}... ({} octets)", base::HexEncode(content.first(16)), content.size());
  if (content.empty() || (content.back() & 0x80U) != 0) return "invalid:" + base::HexEncode(content);
  std::string text;
  for (std::size_t start = 0; start < content.size();) {
    std::size_t end = start;
    while ((content[end] & 0x80U) != 0) ++end;
    if (content[start] == 0x80) return "invalid:" + base::HexEncode(content);
    const base::ByteView octets = content.subspan(start, end - start + 1);
    const bool leading = start == 0;
    start = end + 1;
    if (octets.size() > 9) {
      if (leading) {
        // The first two arcs share one number: 2.x with x = number - 80.
        std::vector<std::uint8_t> digits;
        for (const std::uint8_t octet : octets) MultiplyAdd(digits, 128, octet & 0x7fU);
        unsigned borrow = 80;
        for (std::uint8_t& digit : digits) {
          const unsigned take = borrow % 10;
          borrow /= 10;
          if (digit < take) ++borrow;
          digit = static_cast<std::uint8_t>((digit + 10U - take) % 10U);
        }
        while (digits.size() > 1 && digits.back() == 0) digits.pop_back();
        text = "2." + DecimalText(digits);
      } else {
        text += "." + BigArcText(octets);
      }
      continue;
    }
    std::uint64_t arc = 0;
    for (const std::uint8_t octet : octets) arc = arc << 7 | (octet & 0x7fU);
    if (leading) {
      const std::uint64_t first = arc < 40 ? 0 : arc < 80 ? 1 : 2;
      text = fmt::format("{}.{}", first, arc - first * 40);
    } else {
      text += fmt::format(".{}", arc);
    }
  }
  return text;
}

std::string OidText(base::ByteView content) {
  const std::optional<Oid> known = FindOid(content);
  return known ? std::string(FactsOf(*known).name) : DottedOid(content);
}

}  // namespace ceremony::x509
