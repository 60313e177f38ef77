// Rules that the mutations of lint_test.cc, lint_smki_test.cc and crl_test.cc do not reach: each breaks one rule.
#include <doctest/doctest.h>

#include <functional>

#include "ceremony/x509/lint.h"
#include "ceremony/x509/lint_set.h"
#include "ceremony/x509/openssl_check.h"
#include "ceremony/x509/signature_algorithm.h"
#include "tests/unit/x509/der_tree.h"
#include "tests/unit/x509/support.h"
#include "tests/unit/x509/test_keys.h"

using namespace ceremony::x509;
using namespace test;

namespace {

std::string Linted(const Certificate& certificate, const std::function<void(DerTree&)>& change,
                   Domain domain = Domain::kNone) {
  DerTree tree = DerTree::Parse(certificate.der());
  change(tree);
  const base::Bytes der = tree.Encode();
  Findings findings(der);
  CertificateView view;
  Linter(domain).CheckCertificate(der, view, findings);
  return Ids(findings.list());
}

void AddExtension(DerTree& c, const char* oid, bool critical, const char* value) {
  DerTree extension{0x30, {}, {{0x06, Hex(oid), {}, {}}}, {}};
  if (critical) extension.children.push_back({0x01, {0xff}, {}, {}});
  extension.children.push_back({0x04, Hex(value), {}, {}});
  c.At({0, 7, 0}).children.push_back(extension);
}

void SignAs(DerTree& c, SignatureAlgorithm algorithm) {
  const DerTree identifier = DerTree::Parse(IdentifierOf(algorithm));
  c.At({0, 2}) = identifier;
  c.At({1}) = identifier;
}

Certificate Root(const char* key, base::KeyAlgorithm algorithm, SignatureAlgorithm signature) {
  Profile profile = RootOcaProfile();
  profile.key_algorithms = {algorithm};
  profile.signature_algorithm = signature;
  return Issue(profile, RootInput(key), key);
}

// The rules between these certificates, each of them judged in turn.
std::string Together(const std::vector<Certificate>& certificates) {
  CertificateSet set;
  for (std::uint32_t i = 0; i < certificates.size(); ++i) set.Add(certificates[i].view(), i);
  set.Seal();
  std::string all;
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    Findings findings(certificates[i].der());
    set.Check(
        certificates[i].view(), [](std::uint32_t number) { return std::to_string(number); }, findings);
    all += (i == 0 ? "" : " | ") + Ids(findings.list());
  }
  return all;
}

Certificate Device() {
  const Certificate root = RootOca();
  Profile profile = IssuingOcaProfile();
  profile.subject.clear();
  profile.validity = IndefiniteValidity{};
  profile.extensions = {
      {"keyUsage", true, false, KeyUsageRule{kDigitalSignature}},
      {"certificatePolicies", true, false, CertificatePoliciesRule{{{"1.2.826.0.1.1800000.1.2.1.4", ""}}}},
      {"subjectAltName", true, false,
       SubjectAltNameRule{{{GeneralNameKind::kHardwareModule, "00db1234567890a1", "1.2.826.0.1.1800000.1.1"}}}},
      {"subjectKeyIdentifier", false, false, SubjectKeyIdentifierRule{2}},
      {"authorityKeyIdentifier", false, false, AuthorityKeyIdentifierRule{}}};
  TbsInput input = RootInput(kP256Other);
  input.authority = Authority{base::ToBytes(root.tbs().subject), KeyIdentifier(root.tbs().spki.bits, 2), {}, {}};
  return Issue(profile, input, kP256);
}

}  // namespace

TEST_CASE("X509-SIG-06: a signature of another size than its key's is found") {
  const Certificate ed = Root(kEd25519, base::KeyAlgorithm::kEd25519, SignatureAlgorithm::kEd25519);
  CHECK(Linted(ed, [](DerTree&) {}) == "");
  CHECK(Linted(ed, [](DerTree& c) { c.At({2}).content.pop_back(); }) == "X509-SIG-06");
  const Certificate rsa = Root(kRsa2048, base::KeyAlgorithm::kRsa2048, SignatureAlgorithm::kRsaPkcs1Sha256);
  CHECK(Linted(rsa, [](DerTree&) {}) == "");
  CHECK(Linted(rsa, [](DerTree& c) { c.At({2}).content.pop_back(); }) == "X509-SIG-06");
  // Of another issuer the key is not known: below 2048 bits is found.
  const auto below = [](DerTree& c) {
    SignAs(c, SignatureAlgorithm::kRsaPkcs1Sha256);
    c.At({2}).content = base::Bytes(1 + 255, 0x01);
    c.At({2}).content[0] = 0;
  };
  CHECK(Linted(IssuingOca(RootOca()), below) == "X509-SIG-06");
}

TEST_CASE("X509-SIG-07: a self-signed certificate with a signature that its key cannot make is found") {
  CHECK(Linted(RootOca(), [](DerTree& c) { SignAs(c, SignatureAlgorithm::kEd25519); }) == "X509-SIG-07");
  CHECK(Linted(RootOca(), [](DerTree& c) { SignAs(c, SignatureAlgorithm::kRsaPssSha512); }) == "X509-SIG-07");
}

TEST_CASE("X509-NC-02 and X509-PC-01: constraints that constrain nothing, or that may be ignored, are found") {
  CHECK(Linted(RootOca(), [](DerTree& c) { AddExtension(c, "551d1e", true, "3000"); }) == "X509-NC-02");
  CHECK(Linted(RootOca(), [](DerTree& c) { AddExtension(c, "551d1e", true, "3002a000"); }) == "X509-NC-02");
  // A subtree with minimum 1, with maximum 1, with both, and with the minimum that is the default.
  const auto subtree = [](const char* value) {
    return Linted(RootOca(), [value](DerTree& c) { AddExtension(c, "551d1e", true, value); });
  };
  CHECK(subtree("3009a00730058203616263") == "");
  CHECK(subtree("300ca00a30088203616263800101") == "X509-NC-02");
  CHECK(subtree("300ca00a30088203616263810101") == "X509-NC-02");
  CHECK(subtree("300fa00d300b8203616263800102810103") == "X509-NC-02, X509-NC-02");
  CHECK(subtree("300ca00a30088203616263800100") == "DER-DEFAULT-01");
  CHECK(Linted(RootOca(), [](DerTree& c) { AddExtension(c, "551d24", false, "3003800100"); }) == "X509-PC-01");
  CHECK(Linted(RootOca(), [](DerTree& c) { AddExtension(c, "551d24", true, "3003800100"); }) == "");
  CHECK(Linted(RootOca(), [](DerTree& c) { AddExtension(c, "551d36", false, "020100"); }) == "X509-PC-01");
  CHECK(Linted(Device(), [](DerTree& c) { AddExtension(c, "551d36", true, "020100"); }) == "X509-PC-01");
}

TEST_CASE("SMKI-KEY-01 and SMKI-ALGORITHM-01: smart metering has P-256 with SHA-256 and nothing else") {
  const Certificate issuing = IssuingOca(RootOca());
  CHECK(Linted(
            issuing, [](DerTree&) {}, Domain::kByPolicy) == "");
  CHECK(Linted(
            issuing, [](DerTree& c) { SignAs(c, SignatureAlgorithm::kEcdsaSha384); }, Domain::kByPolicy) ==
        "SMKI-ALGORITHM-01");
  Profile profile = RootOcaProfile();
  profile.key_algorithms = {base::KeyAlgorithm::kEcP384};
  profile.signature_algorithm = SignatureAlgorithm::kEcdsaSha384;
  const Certificate p384 = Issue(profile, RootInput(kP384), kP384);
  CHECK(Linted(
            p384, [](DerTree&) {}, Domain::kByPolicy) == "SMKI-KEY-01, SMKI-ALGORITHM-01");
}

TEST_CASE("SMKI-USAGE-01 and SMKI-DEVICE-01: a device signs or agrees, and is named by its hardware module alone") {
  const Certificate device = Device();
  CHECK(Linted(
            device, [](DerTree&) {}, Domain::kByPolicy) == "");
  const auto usage = [](const char* value) {
    return [value](DerTree& c) { c.At({0, 7, 0, 0, 2}).content = Hex(value); };
  };
  CHECK(Linted(device, usage("03020308"), Domain::kByPolicy) == "");
  CHECK(Linted(device, usage("03020388"), Domain::kByPolicy) == "SMKI-USAGE-01");
  CHECK(Linted(device, usage("03020640"), Domain::kByPolicy) == "SMKI-USAGE-01");
  const auto names = [](const char* value) {
    return [value](DerTree& c) { c.At({0, 7, 0, 2, 2}).content = Hex(value); };
  };
  CHECK(Linted(device, names("300482026161"), Domain::kByPolicy) == "SMKI-DEVICE-01");
  CHECK(Linted(
            device,
            [&](DerTree& c) {
              base::Bytes& value = c.At({0, 7, 0, 2, 2}).content;
              const base::Bytes more = Hex("82026161");
              value.insert(value.end(), more.begin(), more.end());
              value[1] = static_cast<std::uint8_t>(value[1] + more.size());
            },
            Domain::kByPolicy) == "SMKI-DEVICE-01");
}

TEST_CASE("SET-SKI-01 and SET-SKI-02: one CA has one key identifier, and one key identifier is of one key") {
  const auto with_serial = [](const char* key, std::uint8_t last) {
    TbsInput input = RootInput(key);
    input.serial.back() = last;
    return input;
  };
  const Certificate root = Issue(RootOcaProfile(), with_serial(kP256, 1), kP256);
  CHECK(Together({root, IssuingOca(root)}) == " | ");
  // The same name with another key, and so another identifier.
  const Certificate other = Issue(RootOcaProfile(), with_serial(kP256Other, 2), kP256Other);
  CHECK(Together({root, other}) == "SET-SKI-01 | SET-SKI-01");
  // The same key and name with an identifier of the other method.
  Profile method_1 = RootOcaProfile();
  for (ExtensionRule& rule : method_1.extensions) {
    if (std::holds_alternative<SubjectKeyIdentifierRule>(rule.value)) rule.value = SubjectKeyIdentifierRule{1};
  }
  const Certificate renamed = Issue(method_1, with_serial(kP256, 3), kP256);
  CHECK(Together({root, renamed}) == "SET-SKI-02, SET-SKI-01 | SET-SKI-02, SET-SKI-01");
}

TEST_CASE("OPENSSL-03: what OpenSSL would not use as a CA is said to be so") {
  DerTree tree = DerTree::Parse(RootOca().der());
  tree.At({0, 7, 0, 0, 2}).content = Hex("03020102");  // cRLSign alone
  const base::Bytes der = tree.Encode();
  CHECK(Has(OpensslVerify(der, {}, {der}, kNow + 1), "OPENSSL-03"));
  const base::Bytes good = base::ToBytes(RootOca().der());
  CHECK(OpensslVerify(good, {}, {good}, kNow + 1).empty());
}

TEST_CASE("values under IMPLICIT tags are held to DER where only the field's name says what they are") {
  const auto with = [](const char* oid, bool critical, const std::string& value) {
    return Linted(RootOca(), [&](DerTree& c) { AddExtension(c, oid, critical, value.c_str()); });
  };
  const auto reasons = [&](const std::string& bits) {
    return with("551d1f", false, "300f300da007a0058603613a62" + bits);  // cRLDistributionPoints
  };
  CHECK(reasons("81020780") == "");
  CHECK(reasons("810207ff") == "DER-BITSTRING-02");
  CHECK(reasons("8102ff80") == "DER-BITSTRING-01");
  CHECK(reasons("81020080") == "DER-BITLIST-01");
  CHECK(with("551d24", true, "30048002007f") == "DER-INTEGER-02");  // policyConstraints
  CHECK(with("551d24", true, "30028000") == "DER-INTEGER-01");
  CHECK(with("551d24", true, "30048102007f") == "DER-INTEGER-02");
  CHECK(with("551d1e", true, "300da00b3009820361626380020001") == "DER-INTEGER-02, X509-NC-02");  // nameConstraints
}

TEST_CASE("what stands deep in an extension is held to its structure, as other decoders hold it") {
  const auto with = [](const char* oid, bool critical, const std::string& value) {
    return Linted(RootOca(), [&](DerTree& c) { AddExtension(c, oid, critical, value.c_str()); });
  };
  // policyMappings
  CHECK(with("551d21", true, "300c300a06032a030406032a0305") == "");
  CHECK(with("551d21", true, "3007300506032a0304") == "X509-FORM-01");
  // Policy qualifiers: the URI of a practice statement, a notice.
  const auto policies = [](const std::string& qualifier) {
    return Linted(RootOca(), [&](DerTree& c) {
      c.At({0, 7, 0, 2, 2}).content = Hex("301a301806032a03043011300f06082b060105050702" + qualifier);
    });
  };
  CHECK(policies("011603613a62") == "");
  CHECK(policies("010c03613a62") == "X509-FORM-01");
  CHECK(policies("011603610062") == "DER-STRING-01");
  CHECK(policies("0230030c0161") == "");
  CHECK(policies("023003020161") == "X509-FORM-02");
  // subjectAltName: a directory name, an otherName.
  CHECK(with("551d11", false, "3011a40f300d310b3009060355040613024742") == "");
  CHECK(with("551d11", false, "3011a40f300d300b3009060355040613024742") == "X509-FORM-01");
  CHECK(with("551d11", false, "300ba00906032a0304a0020500") == "");
  CHECK(with("551d11", false, "300da00b06032a0304a00405000500") == "X509-FORM-02");
  // cRLDistributionPoints: a name relative to the issuer's.
  CHECK(with("551d1f", false, "3010300ea00ca10a300806035504030c0161") == "");
  CHECK(with("551d1f", false, "30093007a005a1030c0161") == "X509-FORM-01");
  // nameConstraints: what is no name at all.
  CHECK(with("551d1e", true, "3009a00730058203616263") == "");
  CHECK(with("551d1e", true, "3009a00730050203616263") == "X509-FORM-02");
}
