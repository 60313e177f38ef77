#include <array>

#include "ceremony/x509/finding.h"

namespace ceremony::x509 {
namespace {

constexpr Severity kMust = Severity::kBreach;
constexpr Severity kShould = Severity::kGoodPractice;

constexpr std::array<Rule, static_cast<std::size_t>(RuleId::kCount)> kRules = {{
    {RuleId::kDerLength01, "DER-LENGTH-01", kMust, "X.690 8.1.3", "an element lies within what contains it"},
    {RuleId::kDerLength02, "DER-LENGTH-02", kMust, "X.690 10.1", "lengths are definite"},
    {RuleId::kDerLength03, "DER-LENGTH-03", kMust, "X.690 10.1", "lengths are encoded in the fewest octets"},
    {RuleId::kDerLength04, "DER-LENGTH-04", kMust, "X.690 8.1.3.5", "lengths fit 64 bits"},
    {RuleId::kDerTag01, "DER-TAG-01", kMust, "X.690 8.1.2", "tag numbers are minimal and below 2^31"},
    {RuleId::kDerTag02, "DER-TAG-02", kMust, "X.690 10.2", "universal types have their primitive or constructed form"},
    {RuleId::kDerTag03, "DER-TAG-03", kMust, "X.690 8.1.5", "no end-of-contents or reserved tags"},
    {RuleId::kDerDepth01, "DER-DEPTH-01", kMust, "X.690 8.1", "nesting stays below 32 levels"},
    {RuleId::kDerTrailing01, "DER-TRAILING-01", kMust, "X.690 8.1", "nothing follows the encoding"},
    {RuleId::kDerInteger01, "DER-INTEGER-01", kMust, "X.690 8.3.1", "an INTEGER has at least one octet"},
    {RuleId::kDerInteger02, "DER-INTEGER-02", kMust, "X.690 8.3.2", "an INTEGER has no redundant leading octet"},
    {RuleId::kDerBoolean01, "DER-BOOLEAN-01", kMust, "X.690 8.2.1", "a BOOLEAN has one octet"},
    {RuleId::kDerBoolean02, "DER-BOOLEAN-02", kMust, "X.690 11.1", "TRUE is FF"},
    {RuleId::kDerBitString01, "DER-BITSTRING-01", kMust, "X.690 8.6.2", "a BIT STRING states 0 to 7 unused bits that it has"},
    {RuleId::kDerBitString02, "DER-BITSTRING-02", kMust, "X.690 11.2.1", "unused bits are zero"},
    {RuleId::kDerNull01, "DER-NULL-01", kMust, "X.690 8.8.2", "NULL has no contents"},
    {RuleId::kDerOid01, "DER-OID-01", kMust, "X.690 8.19.2", "an OBJECT IDENTIFIER has whole, minimal arcs"},
    {RuleId::kDerString01, "DER-STRING-01", kMust, "X.680 41.4", "a string has only characters of its type"},
    {RuleId::kDerString02, "DER-STRING-02", kMust, "RFC 3629 3", "a UTF8String is valid UTF-8"},
    {RuleId::kDerString03, "DER-STRING-03", kMust, "X.690 8.23", "a BMPString has 2, a UniversalString 4 octets a character"},
    {RuleId::kDerTime01, "DER-TIME-01", kMust, "RFC 5280 4.1.2.5.1", "UTCTime is YYMMDDHHMMSSZ"},
    {RuleId::kDerTime02, "DER-TIME-02", kMust, "RFC 5280 4.1.2.5.2", "GeneralizedTime is YYYYMMDDHHMMSSZ"},
    {RuleId::kDerSet01, "DER-SET-01", kMust, "X.690 11.6", "the elements of a SET OF ascend"},
    {RuleId::kDerDefault01, "DER-DEFAULT-01", kMust, "X.690 11.5", "default values are not encoded"},
    {RuleId::kDerBitList01, "DER-BITLIST-01", kMust, "X.690 11.2.2", "named bit lists have no trailing zero bits"},
    {RuleId::kForm01, "X509-FORM-01", kMust, "RFC 5280 4.1", "every element that must be there is there, with its type"},
    {RuleId::kForm02, "X509-FORM-02", kMust, "RFC 5280 4.1", "no elements that the structure does not have"},
    {RuleId::kVersion01, "X509-VERSION-01", kMust, "RFC 5280 4.1.2.1", "a certificate with extensions is version 3"},
    {RuleId::kSerial01, "X509-SERIAL-01", kMust, "RFC 5280 4.1.2.2", "the serial number is positive"},
    {RuleId::kSerial02, "X509-SERIAL-02", kMust, "RFC 5280 4.1.2.2", "the serial number has at most 20 octets"},
    {RuleId::kAlgorithm01, "X509-ALGORITHM-01", kMust, "RFC 5280 4.1.1.2", "inner and outer signature algorithm are the same bytes"},
    {RuleId::kAlgorithm02, "X509-ALGORITHM-02", kMust, "RFC 5758 3.2, RFC 4055 5, RFC 8410 3", "the AlgorithmIdentifier has the parameters its algorithm asks for"},
    {RuleId::kAlgorithm03, "X509-ALGORITHM-03", kMust, "RFC 8813, CA/B BR 7.1.3.2", "the signature algorithm is known and strong"},
    {RuleId::kName01, "X509-NAME-01", kMust, "RFC 5280 4.1.2.4", "the issuer is not empty"},
    {RuleId::kName02, "X509-NAME-02", kMust, "RFC 5280 4.1.2.6", "the subject of a CA is not empty"},
    {RuleId::kName03, "X509-NAME-03", kMust, "RFC 5280 4.2.1.6", "an empty subject has a critical subjectAltName"},
    {RuleId::kName04, "X509-NAME-04", kMust, "RFC 5280 4.1.2.6", "names that are equal are equal byte by byte"},
    {RuleId::kName05, "X509-NAME-05", kMust, "RFC 5280 4.1.2.4, A.1", "an attribute has a string type it allows"},
    {RuleId::kName06, "X509-NAME-06", kMust, "RFC 5280 A.1", "attribute values keep their upper bounds"},
    {RuleId::kName07, "X509-NAME-07", kMust, "RFC 5280 A.1", "attribute values are not empty"},
    {RuleId::kName08, "X509-NAME-08", kShould, "RFC 5280 4.1.2.4", "DirectoryString is PrintableString or UTF8String"},
    {RuleId::kTime01, "X509-TIME-01", kMust, "RFC 5280 4.1.2.5", "UTCTime through 2049, GeneralizedTime from 2050"},
    {RuleId::kTime02, "X509-TIME-02", kMust, "RFC 5280 4.1.2.5", "notAfter is not before notBefore"},
    {RuleId::kTime03, "X509-TIME-03", kMust, "RFC 5280 4.1.2.5", "times are UTCTime or GeneralizedTime"},
    {RuleId::kUniqueId01, "X509-UNIQUEID-01", kMust, "RFC 5280 4.1.2.8", "no unique identifiers"},
    {RuleId::kKey01, "X509-KEY-01", kMust, "RFC 5280 4.1.2.7", "the key algorithm is known"},
    {RuleId::kKey02, "X509-KEY-02", kMust, "RFC 5480 2.1.1, RFC 3279 2.3.1", "the key's AlgorithmIdentifier has the parameters it must have"},
    {RuleId::kKey03, "X509-KEY-03", kMust, "RFC 5480 2.2", "an EC point is uncompressed and of its curve's size"},
    {RuleId::kKey04, "X509-KEY-04", kMust, "SP 800-56A 5.6.2.3", "an EC point lies on its curve"},
    {RuleId::kKey05, "X509-KEY-05", kMust, "CA/B BR 6.1.5", "an RSA modulus is odd, positive and has at least 2048 bits"},
    {RuleId::kKey06, "X509-KEY-06", kMust, "CA/B BR 6.1.6", "an RSA exponent is odd and at least 65537"},
    {RuleId::kExtension01, "X509-EXT-01", kMust, "RFC 5280 4.2", "no extension stands twice"},
    {RuleId::kExtension02, "X509-EXT-02", kMust, "RFC 5280 4.1", "extensions, if present, are at least one"},
    {RuleId::kExtension03, "X509-EXT-03", kShould, "RFC 5280 4.2", "critical extensions are ones that verifiers know"},
    {RuleId::kExtension04, "X509-EXT-04", kMust, "RFC 5280 4.2", "at most 32 extensions are read"},
    {RuleId::kExtension05, "X509-EXT-05", kMust, "RFC 5280 5.2", "extensions of CRLs do not stand in certificates"},
    {RuleId::kBasic01, "X509-BASIC-01", kMust, "RFC 5280 4.2.1.9", "a CA certificate has basicConstraints with cA"},
    {RuleId::kBasic02, "X509-BASIC-02", kMust, "RFC 5280 4.2.1.9", "basicConstraints of a CA is critical"},
    {RuleId::kBasic03, "X509-BASIC-03", kMust, "RFC 5280 4.2.1.9", "pathLenConstraint stands only with cA and keyCertSign"},
    {RuleId::kBasic04, "X509-BASIC-04", kMust, "RFC 5280 4.2.1.9", "pathLenConstraint is not negative"},
    {RuleId::kKeyUsage01, "X509-KEYUSAGE-01", kMust, "RFC 5280 4.2.1.3", "keyUsage has at least one bit"},
    {RuleId::kKeyUsage02, "X509-KEYUSAGE-02", kMust, "RFC 5280 4.2.1.3", "a CA certificate has keyUsage with keyCertSign or cRLSign"},
    {RuleId::kKeyUsage03, "X509-KEYUSAGE-03", kShould, "RFC 5280 4.2.1.3", "keyUsage is critical"},
    {RuleId::kKeyUsage04, "X509-KEYUSAGE-04", kMust, "RFC 5280 4.2.1.3, RFC 8813 3, RFC 8410 5", "keyUsage fits the key"},
    {RuleId::kKeyUsage05, "X509-KEYUSAGE-05", kMust, "RFC 5280 4.2.1.3", "encipherOnly and decipherOnly stand only with keyAgreement"},
    {RuleId::kSubjectKeyId01, "X509-SKI-01", kMust, "RFC 5280 4.2.1.2", "a CA certificate has subjectKeyIdentifier"},
    {RuleId::kSubjectKeyId02, "X509-SKI-02", kMust, "RFC 5280 4.2.1.2", "subjectKeyIdentifier is not critical and not empty"},
    {RuleId::kSubjectKeyId03, "X509-SKI-03", kShould, "RFC 5280 4.2.1.2, RFC 7093 2", "subjectKeyIdentifier is derived from the key"},
    {RuleId::kAuthorityKeyId01, "X509-AKI-01", kMust, "RFC 5280 4.2.1.1", "a certificate that is not self-signed has authorityKeyIdentifier with keyIdentifier"},
    {RuleId::kAuthorityKeyId02, "X509-AKI-02", kMust, "RFC 5280 4.2.1.1", "authorityKeyIdentifier is not critical"},
    {RuleId::kAuthorityKeyId03, "X509-AKI-03", kMust, "RFC 5280 A.2", "authorityCertIssuer and authorityCertSerialNumber stand together"},
    {RuleId::kAuthorityKeyId04, "X509-AKI-04", kMust, "RFC 5280 4.2.1.1", "authorityKeyIdentifier is not empty"},
    {RuleId::kPolicy01, "X509-POLICY-01", kMust, "RFC 5280 4.2.1.4", "a certificate policy stands once"},
    {RuleId::kPolicy02, "X509-POLICY-02", kMust, "RFC 5280 4.2.1.4", "certificatePolicies has at least one policy"},
    {RuleId::kExtendedUsage01, "X509-EKU-01", kMust, "RFC 5280 4.2.1.12", "extKeyUsage has at least one purpose, each once"},
    {RuleId::kExtendedUsage02, "X509-EKU-02", kShould, "RFC 5280 4.2.1.12", "extKeyUsage with anyExtendedKeyUsage is not critical"},
    {RuleId::kAltName01, "X509-SAN-01", kMust, "RFC 5280 4.2.1.6", "subjectAltName and issuerAltName have at least one name, none empty"},
    {RuleId::kNameConstraints01, "X509-NC-01", kMust, "RFC 5280 4.2.1.10", "nameConstraints stands only in CA certificates and is critical"},
    {RuleId::kNameConstraints02, "X509-NC-02", kMust, "RFC 5280 4.2.1.10", "nameConstraints is not empty"},
    {RuleId::kPolicyConstraints01, "X509-PC-01", kMust, "RFC 5280 4.2.1.11, 4.2.1.14", "policyConstraints and inhibitAnyPolicy are critical and of CAs"},
    {RuleId::kPolicyConstraints02, "X509-PC-02", kMust, "RFC 5280 4.2.1.11", "policyConstraints is not empty"},
    {RuleId::kSignature01, "X509-SIG-01", kMust, "RFC 5280 4.1.1.3", "the signature is whole octets"},
    {RuleId::kSignature02, "X509-SIG-02", kMust, "RFC 3279 2.2.3", "an ECDSA signature is a SEQUENCE of two INTEGERs"},
    {RuleId::kSignature03, "X509-SIG-03", kMust, "X.690 8.3.2", "r and s have no redundant leading octets"},
    {RuleId::kSignature04, "X509-SIG-04", kMust, "FIPS 186-5 6.4.2", "r and s are between 1 and n-1"},
    {RuleId::kSignature05, "X509-SIG-05", kMust, "X.690 8.1", "nothing follows r and s"},
    {RuleId::kSignature06, "X509-SIG-06", kMust, "RFC 8032 5.1.6, RFC 8017 8", "the signature has the size of its algorithm"},
    {RuleId::kSignature07, "X509-SIG-07", kMust, "RFC 5758 3.2", "a self-signed certificate is signed with an algorithm of its own key"},
    {RuleId::kProfile01, "PROFILE-01", kMust, "RFC 5280 4.1.2.6", "a profile of a CA has a subject"},
    {RuleId::kProfile02, "PROFILE-02", kMust, "RFC 5280 4.2", "a profile names an extension once"},
    {RuleId::kProfile03, "PROFILE-03", kMust, "RFC 5280 4.2.1.3, 4.2.1.9", "basicConstraints and keyUsage agree"},
    {RuleId::kProfile04, "PROFILE-04", kMust, "RFC 5758 3.2", "a self-signed profile's keys can make its signature"},
    {RuleId::kProfile05, "PROFILE-05", kMust, "RFC 5280 4.1.2.2", "serial numbers have 8 to 20 octets"},
    {RuleId::kProfile06, "PROFILE-06", kMust, "RFC 5280 4.1.2.5", "a validity is longer than nothing"},
    {RuleId::kProfile07, "PROFILE-07", kMust, "RFC 5280 4.2", "an extension's type is known, fits its value and its criticality"},
    {RuleId::kProfile08, "PROFILE-08", kMust, "RFC 5280 A.1", "an attribute's type is known and allows its encoding, value and length"},
    {RuleId::kProfile09, "PROFILE-09", kMust, "RFC 5280 4.1.2.7", "a profile allows at least one key algorithm"},
    {RuleId::kCompare01, "COMPARE-01", kMust, "certificate profile", "the certificate is what its profile says"},
    {RuleId::kCompare02, "COMPARE-02", kMust, "certificate profile", "two independent decoders read the same"},
    {RuleId::kOpenssl01, "OPENSSL-01", kMust, "RFC 5280 6", "OpenSSL verifies the certificate"},
    {RuleId::kOpenssl02, "OPENSSL-02", kMust, "RFC 5280 4.1", "OpenSSL decodes the certificate"},
    {RuleId::kOpenssl03, "OPENSSL-03", kMust, "RFC 5280 4.2.1.9", "OpenSSL takes a CA certificate for a CA"},
    {RuleId::kLint01, "LINT-01", kMust, "lint", "a file has fewer than 64 findings"},
}};

constexpr bool TableIsInOrder() {
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    if (static_cast<std::size_t>(kRules[i].rule) != i || kRules[i].id.empty()) return false;
  }
  return true;
}
static_assert(TableIsInOrder(), "every RuleId has its row, in the order of the enumeration");

}  // namespace

const Rule& RuleOf(RuleId rule) { return kRules.at(static_cast<std::size_t>(rule)); }

std::span<const Rule> Rules() { return kRules; }

}  // namespace ceremony::x509
