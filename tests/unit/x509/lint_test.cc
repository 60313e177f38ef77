#include "ceremony/x509/lint.h"

#include <doctest/doctest.h>

#include <functional>

#include "ceremony/x509/certificate.h"
#include "tests/unit/x509/der_tree.h"
#include "tests/unit/x509/support.h"
#include "tests/unit/x509/test_keys.h"

using namespace ceremony::x509;
using namespace test;

namespace {

struct Change {
  const char* name;
  std::function<void(DerTree&)> make;
  const char* rules;  // exactly these, in order
};

// Where things stand in a certificate of ours.
const std::initializer_list<std::size_t> kTbs = {0};
constexpr std::size_t kSerialAt = 1;
constexpr std::size_t kKeyUsageAt = 0;
constexpr std::size_t kBasicAt = 1;
constexpr std::size_t kPoliciesAt = 2;
constexpr std::size_t kSkiAt = 3;
constexpr std::size_t kAkiAt = 4;

DerTree& Serial(DerTree& c) { return c.At({0, kSerialAt}); }
DerTree& Extensions(DerTree& c) { return c.At({0, 7, 0}); }
DerTree& Extension(DerTree& c, std::size_t i) { return Extensions(c).children.at(i); }
// The OCTET STRING of an extension.
DerTree& ValueOf(DerTree& c, std::size_t i) { return Extension(c, i).children.back(); }
// The bits of a public key or a signature, after the octet that counts unused bits.
DerTree& KeyBits(DerTree& c) { return c.At({0, 6, 1}); }
DerTree& SignatureBits(DerTree& c) { return c.At({2}); }

base::Bytes SignatureOf(const base::Bytes& r, const base::Bytes& s, const base::Bytes& after = {}) {
  const base::Bytes integers = Joined({{0x02}, LengthOctets(r.size()), r, {0x02}, LengthOctets(s.size()), s});
  return Joined({{0x00, 0x30}, LengthOctets(integers.size()), integers, after});
}

base::Bytes Repeated(std::uint8_t octet, std::size_t count) { return base::Bytes(count, octet); }

// The order of P-256 (SEC 2, 2.4.2).
const char* const kOrder = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

// By X.690 and RFC 5280 alone.
std::vector<Finding> Lint(base::ByteView der) {
  Findings findings(der);
  CertificateView view;
  Linter(Domain::kNone).CheckCertificate(der, view, findings);
  return std::move(findings).Take();
}

void CheckChanges(const Certificate& certificate, const std::vector<Change>& changes) {
  REQUIRE(Ids(Lint(certificate.der())) == "");
  REQUIRE(DerTree::Parse(certificate.der()).Encode() == base::ToBytes(certificate.der()));
  for (const Change& change : changes) {
    INFO(std::string(change.name));
    DerTree tree = DerTree::Parse(certificate.der());
    change.make(tree);
    const base::Bytes changed = tree.Encode();
    const std::vector<Finding> findings = Lint(changed);
    CHECK(Ids(findings) == std::string(change.rules));
    for (const Finding& finding : findings) {
      CHECK(finding.offset <= changed.size());
      CHECK(!finding.message.empty());
    }
  }
}

}  // namespace

TEST_CASE("a root certificate is refused for each encoding that OpenSSL or Java let pass") {
  CheckChanges(
      RootOca(),
      {
          {"negative serial number", [](DerTree& c) { Serial(c).content[0] = 0x80; }, "X509-SERIAL-01"},
          {"serial number zero", [](DerTree& c) { Serial(c).content = {0}; }, "X509-SERIAL-01"},
          {"serial number of 21 octets", [](DerTree& c) { Serial(c).content = Repeated(0x11, 21); }, "X509-SERIAL-02"},
          {"redundant zero in the serial number",
           [](DerTree& c) { Serial(c).content.insert(Serial(c).content.begin(), 0); }, "DER-INTEGER-02"},
          {"serial number without octets", [](DerTree& c) { Serial(c).content.clear(); }, "DER-INTEGER-01"},
          {"critical FALSE is encoded",
           [](DerTree& c) {
             Extension(c, kSkiAt).children.insert(Extension(c, kSkiAt).children.begin() + 1,
                                                  DerTree{0x01, {0x00}, {}, {}});
           },
           "DER-DEFAULT-01"},
          {"BOOLEAN TRUE is 01", [](DerTree& c) { Extension(c, kKeyUsageAt).children[1].content = {0x01}; },
           "DER-BOOLEAN-02"},
          {"BOOLEAN of two octets",
           [](DerTree& c) {
             Extension(c, kKeyUsageAt).children[1].content = {0xff, 0xff};
           },
           "DER-BOOLEAN-01"},
          {"cA is 01", [](DerTree& c) { ValueOf(c, kBasicAt).content = Hex("3003010101"); }, "DER-BOOLEAN-02"},
          {"keyUsage with trailing zero bits", [](DerTree& c) { ValueOf(c, kKeyUsageAt).content = Hex("03020006"); },
           "DER-BITLIST-01"},
          {"keyUsage with a trailing zero octet",
           [](DerTree& c) { ValueOf(c, kKeyUsageAt).content = Hex("0303000600"); }, "DER-BITLIST-01"},
          {"keyUsage with unused bits that are one",
           [](DerTree& c) { ValueOf(c, kKeyUsageAt).content = Hex("03020107"); }, "DER-BITSTRING-02"},
          {"keyUsage that states 8 unused bits", [](DerTree& c) { ValueOf(c, kKeyUsageAt).content = Hex("03020806"); },
           "DER-BITSTRING-01, X509-KEYUSAGE-02"},
          {"cA FALSE is encoded", [](DerTree& c) { ValueOf(c, kBasicAt).content = Hex("3003010100"); },
           "DER-DEFAULT-01, X509-BASIC-01"},
          {"NULL parameters inside and outside",
           [](DerTree& c) {
             c.At({0, 2}).children.push_back({0x05, {}, {}, {}});
             c.At({1}).children.push_back({0x05, {}, {}, {}});
           },
           "X509-ALGORITHM-02"},
          {"inner and outer algorithm differ",
           [](DerTree& c) {
             c.At({1, 0}).content = Hex("2a8648ce3d040303");
           },
           "X509-ALGORITHM-01"},
          {"NULL parameters outside only",
           [](DerTree& c) {
             c.At({1}).children.push_back({0x05, {}, {}, {}});
           },
           "X509-ALGORITHM-01"},
          {"ecdsa-with-SHA1",
           [](DerTree& c) {
             c.At({0, 2, 0}).content = Hex("2a8648ce3d0401");
             c.At({1, 0}).content = Hex("2a8648ce3d0401");
           },
           "X509-ALGORITHM-03"},
          {"GeneralizedTime before 2050",
           [](DerTree& c) {
             c.At({0, 4, 0}) = {0x18, base::ToBytes(base::AsBytes("20200203040506Z")), {}, {}};
           },
           "X509-TIME-01"},
          {"UTCTime without seconds",
           [](DerTree& c) {
             c.At({0, 4, 0}).content = base::ToBytes(base::AsBytes("2002030405Z"));
           },
           "DER-TIME-01"},
          {"UTCTime with an offset",
           [](DerTree& c) {
             c.At({0, 4, 0}).content = base::ToBytes(base::AsBytes("200203040506+0000"));
           },
           "DER-TIME-01"},
          {"UTCTime of 30 February",
           [](DerTree& c) {
             c.At({0, 4, 0}).content = base::ToBytes(base::AsBytes("200230040506Z"));
           },
           "DER-TIME-01"},
          {"GeneralizedTime with a fraction",
           [](DerTree& c) {
             c.At({0, 4, 1}).content = base::ToBytes(base::AsBytes("20700203040505.5Z"));
           },
           "DER-TIME-02"},
          {"notAfter before notBefore",
           [](DerTree& c) {
             c.At({0, 4, 1}) = {0x17, base::ToBytes(base::AsBytes("190203040506Z")), {}, {}};
           },
           "X509-TIME-02"},
          {"time as a number",
           [](DerTree& c) {
             c.At({0, 4, 0}) = {0x02, {0x01}, {}, {}};
           },
           "X509-TIME-03"},
          {"version 1 with extensions", [](DerTree& c) { c.At(kTbs).children.erase(c.At(kTbs).children.begin()); },
           "X509-VERSION-01"},
          {"version 1 is encoded",
           [](DerTree& c) {
             c.At({0, 0, 0}).content = {0};
           },
           "DER-DEFAULT-01, X509-VERSION-01"},
          {"version 4",
           [](DerTree& c) {
             c.At({0, 0, 0}).content = {3};
           },
           "X509-VERSION-01, X509-VERSION-01"},
          {"unique identifier",
           [](DerTree& c) {
             c.At(kTbs).children.insert(c.At(kTbs).children.begin() + 7, DerTree{0x81, {0x00, 0x01}, {}, {}});
           },
           "X509-UNIQUEID-01"},
          {"compressed point",
           [](DerTree& c) {
             KeyBits(c).content.resize(34);
             KeyBits(c).content[1] = 0x02;
           },
           "X509-KEY-03, X509-SKI-03"},
          {"point not on the curve", [](DerTree& c) { KeyBits(c).content.back() ^= 1U; }, "X509-KEY-04, X509-SKI-03"},
          {"key without parameters",
           [](DerTree& c) {
             c.At({0, 6, 0}).children.pop_back();
           },
           "X509-KEY-02"},
          {"key with a curve that is not known",
           [](DerTree& c) {
             c.At({0, 6, 0, 1}).content = Hex("2b8104000a");
           },
           "X509-KEY-01"},
          {"key bits that are not whole octets", [](DerTree& c) { KeyBits(c).content[0] = 2; }, "X509-KEY-02"},
          {"extension twice", [](DerTree& c) { Extensions(c).children.push_back(Extension(c, kSkiAt)); },
           "X509-EXT-01"},
          {"no extensions in the list", [](DerTree& c) { Extensions(c).children.clear(); }, "X509-EXT-02"},
          {"33 extensions",
           [](DerTree& c) {
             for (std::uint8_t i = 0; i < 29; ++i)
               Extensions(c).children.push_back(
                   {0x30, {}, {{0x06, {0x2a, i}, {}, {}}, {0x04, {0x05, 0x00}, {}, {}}}, {}});
           },
           "X509-EXT-04"},
          {"unknown critical extension",
           [](DerTree& c) {
             Extensions(c).children.push_back(
                 {0x30, {}, {{0x06, {0x2a, 0x03}, {}, {}}, {0x01, {0xff}, {}, {}}, {0x04, {0x05, 0x00}, {}, {}}}, {}});
           },
           "X509-EXT-03"},
          {"CRL extension",
           [](DerTree& c) {
             Extensions(c).children.push_back(
                 {0x30, {}, {{0x06, Hex("551d14"), {}, {}}, {0x04, {0x02, 0x01, 0x01}, {}, {}}}, {}});
           },
           "X509-EXT-05"},
          {"extension value that is no DER", [](DerTree& c) { ValueOf(c, kSkiAt).content = Hex("0409440a"); },
           "DER-LENGTH-01"},
          {"extension value with trailing octets",
           [](DerTree& c) { ValueOf(c, kKeyUsageAt).content = Hex("030201060500"); }, "DER-TRAILING-01"},
          {"basicConstraints not critical",
           [](DerTree& c) { Extension(c, kBasicAt).children.erase(Extension(c, kBasicAt).children.begin() + 1); },
           "X509-BASIC-02"},
          {"no basicConstraints",
           [](DerTree& c) { Extensions(c).children.erase(Extensions(c).children.begin() + kBasicAt); },
           "X509-BASIC-01"},
          {"negative path length", [](DerTree& c) { ValueOf(c, kBasicAt).content = Hex("30060101ff0201ff"); },
           "X509-BASIC-04"},
          {"path length of who is no CA", [](DerTree& c) { ValueOf(c, kBasicAt).content = Hex("3003020100"); },
           "X509-BASIC-01, X509-BASIC-03"},
          {"no keyUsage", [](DerTree& c) { Extensions(c).children.erase(Extensions(c).children.begin()); },
           "X509-KEYUSAGE-02"},
          {"keyUsage without bits", [](DerTree& c) { ValueOf(c, kKeyUsageAt).content = Hex("030100"); },
           "X509-KEYUSAGE-01, X509-KEYUSAGE-02"},
          {"keyUsage with a tenth bit", [](DerTree& c) { ValueOf(c, kKeyUsageAt).content = Hex("0303060640"); },
           "X509-KEYUSAGE-01"},
          {"keyUsage not critical",
           [](DerTree& c) { Extension(c, kKeyUsageAt).children.erase(Extension(c, kKeyUsageAt).children.begin() + 1); },
           "X509-KEYUSAGE-03"},
          {"keyEncipherment of an EC key", [](DerTree& c) { ValueOf(c, kKeyUsageAt).content = Hex("03020126"); },
           "X509-KEYUSAGE-04"},
          {"encipherOnly without keyAgreement", [](DerTree& c) { ValueOf(c, kKeyUsageAt).content = Hex("03020007"); },
           "X509-KEYUSAGE-05"},
          {"no subjectKeyIdentifier", [](DerTree& c) { Extensions(c).children.pop_back(); }, "X509-SKI-01"},
          {"subjectKeyIdentifier critical",
           [](DerTree& c) {
             Extension(c, kSkiAt).children.insert(Extension(c, kSkiAt).children.begin() + 1,
                                                  DerTree{0x01, {0xff}, {}, {}});
           },
           "X509-SKI-02"},
          {"subjectKeyIdentifier of another key", [](DerTree& c) { ValueOf(c, kSkiAt).content.back() ^= 1U; },
           "X509-SKI-03"},
          {"policies without a policy", [](DerTree& c) { ValueOf(c, kPoliciesAt).content = Hex("3000"); },
           "X509-POLICY-02"},
          {"policy twice", [](DerTree& c) { ValueOf(c, kPoliciesAt).content = Hex("300a300306012a300306012a"); },
           "X509-POLICY-01"},
          {"policies as a SET", [](DerTree& c) { ValueOf(c, kPoliciesAt).content[0] = 0x31; }, "X509-FORM-01"},
          {"issuer and subject empty",
           [](DerTree& c) {
             c.At({0, 3}).children.clear();
             c.At({0, 5}).children.clear();
           },
           "X509-NAME-01, X509-NAME-02"},
          {"a signature with unused bits",
           [](DerTree& c) {
             SignatureBits(c).content = Joined({{0x01}, Hex("3006020101020102")});
           },
           "X509-SIG-01"},
          {"r with a redundant zero",
           [](DerTree& c) { SignatureBits(c).content = SignatureOf(Hex("0011"), Hex("11")); }, "X509-SIG-03"},
          {"s with a redundant zero",
           [](DerTree& c) { SignatureBits(c).content = SignatureOf(Hex("11"), Hex("0011")); }, "X509-SIG-03"},
          {"s with two redundant zeros",
           [](DerTree& c) { SignatureBits(c).content = SignatureOf(Hex("11"), Hex("000011")); }, "X509-SIG-03"},
          {"r negative", [](DerTree& c) { SignatureBits(c).content = SignatureOf(Hex("91"), Hex("11")); },
           "X509-SIG-04"},
          {"s zero", [](DerTree& c) { SignatureBits(c).content = SignatureOf(Hex("11"), Hex("00")); }, "X509-SIG-04"},
          {"r is the order of the curve",
           [](DerTree& c) {
             SignatureBits(c).content = SignatureOf(Joined({{0}, Hex(kOrder)}), Hex("11"));
           },
           "X509-SIG-04"},
          {"r is one below the order",
           [](DerTree& c) {
             base::Bytes r = Hex(kOrder);
             r.back() = 0x50;
             SignatureBits(c).content = SignatureOf(Joined({{0}, r}), Hex("11"));
           },
           ""},
          {"octets after r and s",
           [](DerTree& c) { SignatureBits(c).content = SignatureOf(Hex("11"), Hex("11"), {0x00}); }, "X509-SIG-05"},
          {"octets after s inside",
           [](DerTree& c) {
             SignatureBits(c).content = Hex("0030090201110201110201");
             SignatureBits(c).content.push_back(0x11);
           },
           "X509-SIG-05"},
          {"long-form length in the signature",
           [](DerTree& c) { SignatureBits(c).content = Hex("00308106020111020111"); }, "DER-LENGTH-03"},
          {"raw r and s",
           [](DerTree& c) {
             SignatureBits(c).content = Joined({{0x00}, Repeated(0x22, 64)});
           },
           "X509-SIG-02"},
          {"no signature", [](DerTree& c) { SignatureBits(c).content = {0x00}; }, "X509-SIG-02"},
          {"r without octets", [](DerTree& c) { SignatureBits(c).content = SignatureOf({}, Hex("11")); },
           "X509-SIG-03"},
          {"long-form outer length",
           [](DerTree& c) {
             base::Bytes der = c.Encode();
             der[1] = 0x83;
             der.insert(der.begin() + 2, 0x00);
             c.raw = der;
           },
           "DER-LENGTH-03"},
          {"indefinite outer length",
           [](DerTree& c) {
             base::Bytes der = c.Encode();
             der.erase(der.begin() + 2, der.begin() + 4);
             der[1] = 0x80;
             der.push_back(0);
             der.push_back(0);
             c.raw = der;
           },
           "DER-LENGTH-02"},
          {"trailing octet",
           [](DerTree& c) {
             base::Bytes der = c.Encode();
             der.push_back(0);
             c.raw = der;
           },
           "DER-TRAILING-01"},
          {"an element too many in the certificate",
           [](DerTree& c) {
             c.children.push_back({0x05, {}, {}, {}});
           },
           "X509-FORM-02"},
          {"no signature value", [](DerTree& c) { c.children.pop_back(); }, "X509-FORM-01"},
          {"subject and issuer exchanged for a number",
           [](DerTree& c) {
             c.At({0, 5}) = {0x02, {0x01}, {}, {}};
           },
           "X509-FORM-01"},
      });
}

TEST_CASE("an issuing certificate is refused for each mistake in names and key identifiers") {
  const auto common_name = [](DerTree& c) -> DerTree& { return c.At({0, 5, 1, 0, 1}); };
  const auto subject_value = [&](std::uint8_t tag, base::Bytes content) {
    return [=](DerTree& c) { common_name(c) = {tag, content, {}, {}}; };
  };
  const auto text = [](const char* t) { return base::ToBytes(base::AsBytes(t)); };
  CheckChanges(
      IssuingOca(RootOca()),
      {
          {"subject that equals the issuer but for its string type",
           [&](DerTree& c) {
             c.At({0, 5}) = c.At({0, 3});
             common_name(c).tag = 0x0c;
           },
           "X509-NAME-04"},
          {"subject that equals the issuer but for case and spaces",
           [&](DerTree& c) {
             c.At({0, 5}) = c.At({0, 3});
             common_name(c).content = base::ToBytes(base::AsBytes("  za "));
           },
           "X509-NAME-09, X509-NAME-04"},
          {"at sign in a PrintableString", subject_value(0x13, text("a@b")), "DER-STRING-01"},
          {"UTF-8 that is overlong", subject_value(0x0c, Hex("c080")), "DER-STRING-02"},
          {"UTF-8 of a surrogate", subject_value(0x0c, Hex("eda080")), "DER-STRING-02"},
          {"UTF-8 that is cut off", subject_value(0x0c, Hex("61e282")), "DER-STRING-02"},
          {"UTF-8 of three octets", subject_value(0x0c, Hex("e282ac")), ""},
          {"BMPString of three octets", subject_value(0x1e, Hex("004100")), "DER-STRING-03, X509-NAME-08"},
          {"TeletexString", subject_value(0x14, text("Z1")), "X509-NAME-08"},
          {"IA5String where DirectoryString must be", subject_value(0x16, text("Z1")), "X509-NAME-05"},
          {"empty value", subject_value(0x13, {}), "X509-NAME-07"},
          {"65 characters", subject_value(0x13, Repeated('a', 65)), "X509-NAME-06"},
          {"64 characters", subject_value(0x13, Repeated('a', 64)), ""},
          {"country of three letters",
           [&](DerTree& c) {
             c.At({0, 5, 1, 0, 0}).content = Hex("550406");
             common_name(c).content = base::ToBytes(base::AsBytes("GBR"));
           },
           "X509-NAME-06"},
          {"SET OF attributes that does not ascend",
           [&](DerTree& c) {
             c.At({0, 5, 0}).children.insert(c.At({0, 5, 0}).children.begin(), DerTree(c.At({0, 5, 1, 0})));
             c.At({0, 5, 0, 0, 0}).content = Hex("55042e");
           },
           "DER-SET-01, X509-NAME-11"},
          {"empty SET",
           [&](DerTree& c) {
             c.At({0, 5, 0}).children.clear();
           },
           "X509-FORM-01"},
          {"no authorityKeyIdentifier", [](DerTree& c) { Extensions(c).children.pop_back(); }, "X509-AKI-01"},
          {"authorityKeyIdentifier critical",
           [](DerTree& c) {
             Extension(c, kAkiAt).children.insert(Extension(c, kAkiAt).children.begin() + 1,
                                                  DerTree{0x01, {0xff}, {}, {}});
           },
           "X509-AKI-02"},
          {"authorityKeyIdentifier with a serial number alone",
           [](DerTree& c) { ValueOf(c, kAkiAt).content = Hex("3003820101"); }, "X509-AKI-03, X509-AKI-01"},
          {"authorityKeyIdentifier empty", [](DerTree& c) { ValueOf(c, kAkiAt).content = Hex("3000"); },
           "X509-AKI-04, X509-AKI-01"},
          {"nameConstraints of a CA, not critical, with minimum 0",
           [](DerTree& c) {
             Extensions(c).children.push_back(
                 {0x30, {}, {{0x06, Hex("551d1e"), {}, {}}, {0x04, Hex("300aa0083006820161800100"), {}, {}}}, {}});
           },
           "DER-DEFAULT-01, X509-NC-01"},
          {"policyConstraints empty",
           [](DerTree& c) {
             Extensions(c).children.push_back(
                 {0x30, {}, {{0x06, Hex("551d24"), {}, {}}, {0x01, {0xff}, {}, {}}, {0x04, Hex("3000"), {}, {}}}, {}});
           },
           "X509-PC-02"},
          {"extKeyUsage with a purpose twice",
           [](DerTree& c) {
             Extensions(c).children.push_back(
                 {0x30, {}, {{0x06, Hex("551d25"), {}, {}}, {0x04, Hex("300606012a06012a"), {}, {}}}, {}});
           },
           "X509-EKU-01"},
          {"extKeyUsage critical with any purpose",
           [](DerTree& c) {
             Extensions(c).children.push_back(
                 {0x30,
                  {},
                  {{0x06, Hex("551d25"), {}, {}}, {0x01, {0xff}, {}, {}}, {0x04, Hex("30060604551d2500"), {}, {}}},
                  {}});
           },
           "X509-EKU-02"},
          {"subjectAltName without a name",
           [](DerTree& c) {
             Extensions(c).children.push_back(
                 {0x30, {}, {{0x06, Hex("551d11"), {}, {}}, {0x04, Hex("3000"), {}, {}}}, {}});
           },
           "X509-SAN-01"},
          {"dNSName with a line feed",
           [](DerTree& c) {
             Extensions(c).children.push_back(
                 {0x30, {}, {{0x06, Hex("551d11"), {}, {}}, {0x04, Hex("30048202610a"), {}, {}}}, {}});
           },
           "DER-STRING-01"},
          {"certificate of nobody: empty subject, no alternative name",
           [](DerTree& c) {
             c.At({0, 5}).children.clear();
             Extensions(c).children = {Extension(c, kAkiAt)};
           },
           "X509-NAME-03"},
      });
}

TEST_CASE("a certificate cut off after any octet, or with any octet changed, is judged without harm") {
  const Certificate root = RootOca();
  const base::Bytes der = base::ToBytes(root.der());
  const Linter linter;
  CertificateView view;
  for (std::size_t size = 0; size < der.size(); ++size) {
    const base::Bytes cut(der.begin(), der.begin() + static_cast<std::ptrdiff_t>(size));
    Findings findings(cut);
    CHECK_FALSE(linter.CheckCertificate(cut, view, findings));
    CHECK(findings.size() >= 1);
    CHECK_FALSE(Certificate::Parse(cut).ok());
  }
  for (std::size_t at = 0; at < der.size(); ++at) {
    for (const unsigned mask : {0x01U, 0x02U, 0x04U, 0x08U, 0x10U, 0x20U, 0x40U, 0x80U, 0xffU}) {
      base::Bytes changed = der;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ mask);
      Findings findings(changed);
      linter.CheckCertificate(changed, view, findings);
      const auto certificate = Certificate::Parse(changed);
      // What the decoder takes can be spelled, and is never the original.
      if (certificate.ok()) {
        CHECK(!certificate->fields().subject.empty());
        const auto key = PublicKeyOf(kP256);
        CHECK_FALSE(certificate->VerifiedBy(key).ok());
      }
    }
  }
}

TEST_CASE("a certificate with 5 MB of extensions is judged in time that grows with its size alone") {
  DerTree tree = DerTree::Parse(RootOca().der());
  ValueOf(tree, kPoliciesAt).content = Repeated(0x00, 5'000'000);
  const std::vector<Finding> zeros = Lint(tree.Encode());
  CHECK(Ids(zeros) == "DER-TRAILING-01, DER-TAG-03, X509-FORM-01");
  base::Bytes policies;
  for (int i = 0; i < 700'000; ++i)
    policies.insert(policies.end(), {0x30, 0x05, 0x06, 0x03, 0x2a, static_cast<std::uint8_t>(i % 100),
                                     static_cast<std::uint8_t>(i % 128)});
  ValueOf(tree, kPoliciesAt).content = Joined({{0x30}, LengthOctets(policies.size()), policies});
  const std::vector<Finding> many = Lint(tree.Encode());
  CHECK(many.size() == Findings::kMost + 1);
  CHECK(many.back().facts().id == "LINT-01");
}

TEST_CASE("findings say rule, severity, octet, both values and clause in one line") {
  DerTree tree = DerTree::Parse(RootOca().der());
  Serial(tree).content.insert(Serial(tree).content.begin(), 0);
  const std::vector<Finding> findings = Lint(tree.Encode());
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].Text() ==
        "DER-INTEGER-02 breach at octet 15: INTEGER begins with a redundant 00 before 7f (X.690 8.3.2)");
  CHECK(findings[0].offset == 15);
}

TEST_CASE("rules have ids of their own, a clause and a sentence") {
  std::vector<std::string_view> ids;
  for (const Rule& rule : Rules()) {
    CHECK(std::find(ids.begin(), ids.end(), rule.id) == ids.end());
    ids.push_back(rule.id);
    CHECK(!rule.clause.empty());
    CHECK(!rule.title.empty());
  }
}
