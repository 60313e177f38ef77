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
  Profile profile = WithoutDomain(RootOcaProfile());
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

TEST_CASE("X509-SIG-04, -06 and -07 do not take the key that a CA goes over to for the one that it goes over from") {
  // A CA that certifies its new P-256 key, under its own name, with its P-384 and its RSA key.
  const auto rollover = [](const char* old_key, base::KeyAlgorithm algorithm, SignatureAlgorithm signature) {
    const Certificate old_root = Root(old_key, algorithm, signature);
    Profile profile = WithoutDomain(RootOcaProfile());
    profile.self_signed = false;
    profile.signature_algorithm = signature;
    profile.extensions[4] = {"authorityKeyIdentifier", false, false, AuthorityKeyIdentifierRule{}};
    TbsInput input = RootInput(kP256);
    const TbsView& tbs = old_root.tbs();
    input.authority = Authority{base::ToBytes(tbs.subject), KeyIdentifier(tbs.spki.bits, 2), {}, {}};
    return Issue(profile, input, old_key);
  };
  const Certificate p384 = rollover(kP384, base::KeyAlgorithm::kEcP384, SignatureAlgorithm::kEcdsaSha384);
  CHECK(IsSelfIssued(p384.tbs()));
  CHECK(Linted(p384, [](DerTree&) {}) == "");
  CHECK(Linted(rollover(kRsa2048, base::KeyAlgorithm::kRsa2048, SignatureAlgorithm::kRsaPkcs1Sha256),
               [](DerTree&) {}) == "");
  // With its own key identifier as the authority's it is self-signed.
  const auto own_authority = [](DerTree& c) {
    const base::Bytes own = c.At({0, 7, 0, 3, 1}).content;
    const base::ByteView key_id = base::ByteView(own).subspan(2);
    c.At({0, 7, 0, 4, 1}).content = Joined({{0x30, 0x0a, 0x80, 0x08}, base::ToBytes(key_id)});
  };
  CHECK(Linted(p384, own_authority) == "X509-SIG-04, X509-SIG-04");
}

TEST_CASE("an AccessDescription has one name where access is to be had") {
  const auto access = [](const char* value) {
    return Linted(RootOca(), [&](DerTree& c) { AddExtension(c, "2b06010505070101", false, value); });
  };
  CHECK(access("3012301006082b060105050730028604613a6262") == "");
  CHECK(access("3018301606082b060105050730028604613a62628604613a6263") == "X509-FORM-02");
  CHECK(access("300c300a06082b06010505073002") == "X509-FORM-01");
  CHECK(access("300e300c06082b060105050730028600") == "X509-SAN-01");
}

TEST_CASE("X509-NC-02 and X509-PC-01: constraints that constrain nothing, or that may be ignored, are found") {
  CHECK(Linted(RootOca(), [](DerTree& c) { AddExtension(c, "551d1e", true, "3000"); }) == "X509-NC-02");
  CHECK(Linted(RootOca(), [](DerTree& c) { AddExtension(c, "551d1e", true, "3002a000"); }) == "X509-NC-02");
  CHECK(Linted(RootOca(), [](DerTree& c) { AddExtension(c, "551d24", false, "3003800100"); }) == "X509-PC-01");
  CHECK(Linted(RootOca(), [](DerTree& c) { AddExtension(c, "551d24", true, "3003800100"); }) == "");
  CHECK(Linted(RootOca(), [](DerTree& c) { AddExtension(c, "551d36", false, "020100"); }) == "X509-PC-01");
  CHECK(Linted(Device(), [](DerTree& c) { AddExtension(c, "551d36", true, "020100"); }) == "X509-PC-01");
}

TEST_CASE("X509-NC-03 to -06: a subtree has no distances, and is of a form that verifiers can hold names to") {
  const auto constraints = [](const char* value) {
    return Linted(RootOca(), [value](DerTree& c) { AddExtension(c, "551d1e", true, value); });
  };
  CHECK(constraints("3009a00730058203616263") == "");
  CHECK(constraints("300ca00a30088203616263800101") == "X509-NC-03");  // minimum 1
  CHECK(constraints("300ca00a30088203616263810101") == "X509-NC-03");  // maximum 1
  CHECK(constraints("300fa00d300b8203616263800102810103") == "X509-NC-03, X509-NC-03");
  CHECK(constraints("300ca00a30088203616263800100") == "DER-DEFAULT-01");  // minimum 0
  CHECK(constraints("3009a10730058803"
                    "2a0304") == "X509-NC-04");                        // registeredID
  CHECK(constraints("300ca00a3008a506a1040c026162") == "X509-NC-04");  // ediPartyName
  CHECK(constraints("300ea00c300a8708"
                    "c0000200ffffff00") == "");  // an address and its mask
  CHECK(constraints("3008a006300487020000") == "X509-SAN-02");
  CHECK(constraints("300aa008300687"
                    "04c0000200") == "X509-SAN-02, X509-NC-05");  // no mask
  CHECK(constraints("300ea00c300a8708"
                    "c0000200ffff00ff") == "X509-NC-05");
  CHECK(constraints("300ea00c300a8708"
                    "c0000200ffffff05") == "X509-NC-05");
  CHECK(constraints("300ea00c300a8708"
                    "c0000200fffffff0") == "");
  CHECK(constraints("300ea00c300a8708"
                    "0000000000000000") == "");
  CHECK(constraints("300aa008300682042e616263") == "X509-NC-06");  // .abc
  CHECK(constraints("300aa008300686042e616263") == "");            // of a URI a period says: hosts below
}

TEST_CASE("X509-PC-03: a constraint does not skip a negative number of certificates") {
  const auto with = [](const char* oid, const char* value) {
    return Linted(RootOca(), [&](DerTree& c) { AddExtension(c, oid, true, value); });
  };
  CHECK(with("551d24", "30038001ff") == "X509-PC-03");
  CHECK(with("551d24", "30038101ff") == "X509-PC-03");
  CHECK(with("551d36", "0201ff") == "X509-PC-03");
}

TEST_CASE("X509-NAME-09 and X509-NAME-10: what counts for nothing where names are compared does not stand in one") {
  const auto named = [](const char* text) {
    return Linted(IssuingOca(RootOca()), [text](DerTree& c) {
      c.At({0, 5, 1, 0, 1}) = {0x0c, base::ToBytes(base::AsBytes(text)), {}, {}};
    });
  };
  CHECK(named("Z1") == "");
  CHECK(named("Z 1") == "");
  CHECK(named("Z1 ") == "X509-NAME-09");
  CHECK(named(" Z1") == "X509-NAME-09");
  CHECK(named("Z\t1") == "X509-NAME-10");
  CHECK(named("Z1\x7f") == "X509-NAME-10");
}

TEST_CASE("X509-NAME-11 and X509-NAME-12: a relative name is one attribute, a country two capital letters") {
  const auto country = [](const char* text) {
    return Linted(RootOca(), [text](DerTree& c) {
      for (const std::size_t name : {3U, 5U}) {
        c.At({0, name, 1, 0, 0}).content = Hex("550406");
        c.At({0, name, 1, 0, 1}).content = base::ToBytes(base::AsBytes(text));
      }
    });
  };
  CHECK(country("GB") == "");
  CHECK(country("gb") == "X509-NAME-12, X509-NAME-12");
  CHECK(country("G1") == "X509-NAME-12, X509-NAME-12");
  CHECK(country("GBR") == "X509-NAME-06, X509-NAME-06");
  CHECK(Linted(IssuingOca(RootOca()), [](DerTree& c) {
          DerTree& subject = c.At({0, 5});
          const DerTree second = subject.children[1].children[0];
          subject.children.pop_back();
          subject.children[0].children.insert(subject.children[0].children.begin(),
                                              second);  // CN before OU, as SET OF wants
        }) == "X509-NAME-11");
}

TEST_CASE("X509-EXT-06 and X509-EXT-07: extensions are not critical where their clause says so") {
  const auto with = [](const char* oid, bool critical, const char* value) {
    return Linted(RootOca(), [&](DerTree& c) { AddExtension(c, oid, critical, value); });
  };
  const char* points = "300c300aa008a0068604613a6262";
  CHECK(with("551d2e", false, points) == "");
  CHECK(with("551d2e", true, points) == "X509-EXT-06");  // freshestCRL
  CHECK(with("551d1f", true, points) == "X509-EXT-07");  // cRLDistributionPoints
  const char* access = "3012301006082b060105050730028604613a6262";
  CHECK(with("2b06010505070101", false, access) == "");
  CHECK(with("2b06010505070101", true, access) == "X509-EXT-06");
  CHECK(with("2b0601050507010b", true, access) == "X509-EXT-06");  // subjectInfoAccess
  CHECK(with("551d09", false, "3000") == "");
  CHECK(with("551d09", true, "3000") == "X509-EXT-06");          // subjectDirectoryAttributes
  CHECK(with("551d12", true, "300482026161") == "X509-EXT-07");  // issuerAltName
  CHECK(with("551d11", true, "300482026161") == "X509-EXT-07");  // subjectAltName beside a subject
  CHECK(Linted(Device(), [](DerTree&) {}) == "");                // critical, and no subject
}

TEST_CASE("X509-POLICY-03 to -09: mappings and notices are ones that verifiers can use") {
  const auto mapping = [](bool critical, const char* value) {
    return Linted(RootOca(), [&](DerTree& c) {
      c.At({0, 7, 0, 2, 2}).content = Hex("3016300506032a0304300506032a030530060604551d2000");
      AddExtension(c, "551d21", critical, value);
    });
  };
  CHECK(mapping(true, "300c300a06032a030406032a0305") == "");
  CHECK(mapping(false, "300c300a06032a030406032a0305") == "X509-POLICY-04");
  CHECK(mapping(true, "300d300b0604551d200006032a0305") == "X509-POLICY-03");
  CHECK(mapping(true, "300d300b06032a03050604551d2000") == "X509-POLICY-03");
  CHECK(Linted(Device(), [](DerTree& c) { AddExtension(c, "551d21", true, "300c300a06032a030406032a0305"); }) ==
        "X509-POLICY-09, X509-POLICY-04");
  CHECK(mapping(true, "300c300a06032a030906032a0305") == "X509-POLICY-09");
  const auto qualified = [](const char* qualifier_type, const base::Bytes& text, const char* oid) {
    return Linted(RootOca(), [&](DerTree& c) {
      const auto wrapped = [](std::uint8_t tag, const base::Bytes& content) {
        return Joined({{tag}, LengthOctets(content.size()), content});
      };
      const base::Bytes qualifier = wrapped(0x30, Joined({wrapped(0x06, Hex(qualifier_type)), wrapped(0x30, text)}));
      const base::Bytes policy = wrapped(0x30, Joined({wrapped(0x06, Hex(oid)), wrapped(0x30, qualifier)}));
      c.At({0, 7, 0, 2, 2}).content = wrapped(0x30, policy);
    });
  };
  const auto notice = [&](const base::Bytes& text) { return qualified("2b06010505070202", text, "2a0304"); };
  CHECK(notice(Hex("0c0161")) == "");
  CHECK(notice(Hex("1a0161")) == "X509-POLICY-08");           // VisibleString
  CHECK(notice(Hex("1e020061")) == "X509-POLICY-08");         // BMPString
  CHECK(notice(Hex("0c03610a61")) == "X509-POLICY-08");       // a line feed
  CHECK(qualified("2a0309", Hex("0c0161"), "2a0304") == "");  // a qualifier that nobody knows
  CHECK(qualified("2a0309", Hex("0c0161"), "551d2000") == "X509-POLICY-07");
  CHECK(qualified("2b06010505070202", Hex("0c0161"), "551d2000") == "");
  CHECK(notice(Hex("160161")) == "X509-POLICY-05");
  CHECK(notice(Joined({Hex("0c81c8"), base::Bytes(200, 'a')})) == "");
  CHECK(notice(Joined({Hex("0c81c9"), base::Bytes(201, 'a')})) == "X509-POLICY-05");
  CHECK(notice(Hex("30080c01613003020101")) == "X509-POLICY-06");
}

TEST_CASE("X509-SAN-02 and X509-SAN-03: alternative names have the form of their kind") {
  const auto names = [](std::uint8_t tag, const base::Bytes& value) {
    return Linted(RootOca(), [&](DerTree& c) {
      const base::Bytes name = Joined({{tag}, LengthOctets(value.size()), value});
      const base::Bytes all = Joined({{0x30}, LengthOctets(name.size()), name});
      c.At({0, 7, 0}).children.push_back({0x30, {}, {{0x06, Hex("551d11"), {}, {}}, {0x04, all, {}, {}}}, {}});
    });
  };
  const auto text = [&](std::uint8_t tag, const std::string& value) {
    return names(tag, base::ToBytes(base::AsBytes(value)));
  };
  for (const std::size_t size : {4U, 16U}) CHECK(names(0x87, base::Bytes(size, 1)) == "");
  for (const std::size_t size : {1U, 5U, 8U, 15U, 32U}) CHECK(names(0x87, base::Bytes(size, 1)) == "X509-SAN-02");
  for (const char* host : {"a", "example.org", "*.example.org", "xn--bcher-kva.example", "1.2.3.4"})
    CHECK_MESSAGE(text(0x82, host) == "", host);
  for (const char* host : {" ", "a..b", ".example.org", "example.org.", "-a.org", "a-.org", "a_b.org", "a.*.org"})
    CHECK_MESSAGE(text(0x82, host) == "X509-SAN-03", host);
  CHECK(text(0x82, std::string(63, 'a')) == "");
  CHECK(text(0x82, std::string(64, 'a')) == "X509-SAN-03");
  CHECK(text(0x81, "ca@example.org") == "");
  for (const char* mail : {"example.org", "@example.org", "ca@", "A Person <ca@example.org>"})
    CHECK_MESSAGE(text(0x81, mail) == "X509-SAN-03", mail);
  for (const char* uri : {"http://example.org/", "urn:x:y", "ldap://h/cn=a"}) CHECK_MESSAGE(text(0x86, uri) == "", uri);
  for (const char* uri : {"/ca.crl", "http:", "1http://a", "example.org"})
    CHECK_MESSAGE(text(0x86, uri) == "X509-SAN-03", uri);
  CHECK(names(0x88, Hex("2a0304")) == "");
  CHECK(names(0x88, Hex("2a0384")) == "DER-OID-01");
}

TEST_CASE("SMKI-KEY-01 and SMKI-ALGORITHM-01: smart metering has P-256 with SHA-256 and nothing else") {
  const Certificate issuing = IssuingOca(RootOca());
  CHECK(Linted(
            issuing, [](DerTree&) {}, Domain::kByPolicy) == "");
  CHECK(Linted(
            issuing, [](DerTree& c) { SignAs(c, SignatureAlgorithm::kEcdsaSha384); }, Domain::kByPolicy) ==
        "SMKI-ALGORITHM-01");
  const Certificate p384 = Root(kP384, base::KeyAlgorithm::kEcP384, SignatureAlgorithm::kEcdsaSha384);
  CHECK(Linted(
            p384, [](DerTree&) {}, Domain::kSmki) == "SMKI-KEY-01, SMKI-ALGORITHM-01");
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

TEST_CASE("SET-SKI-02: one key identifier is of one key, and one key has one") {
  const auto with_serial = [](const char* key, std::uint8_t last) {
    TbsInput input = RootInput(key);
    input.serial.back() = last;
    return input;
  };
  const Certificate root = Issue(RootOcaProfile(), with_serial(kP256, 1), kP256);
  CHECK(Together({root, IssuingOca(root)}) == " | ");
  // A CA that has gone over to another key, and so to another identifier.
  const Certificate other = Issue(RootOcaProfile(), with_serial(kP256Other, 2), kP256Other);
  CHECK(Together({root, other}) == " | ");
  // The same key and name with an identifier of the other method.
  Profile method_1 = WithoutDomain(RootOcaProfile());
  for (ExtensionRule& rule : method_1.extensions) {
    if (std::holds_alternative<SubjectKeyIdentifierRule>(rule.value)) rule.value = SubjectKeyIdentifierRule{1};
  }
  const Certificate renamed = Issue(method_1, with_serial(kP256, 3), kP256);
  CHECK(Together({root, renamed}) == "SET-SKI-02 | SET-SKI-02");
}

TEST_CASE("SET-PATH-01: a chain is broken only where no certificate of an issuer keeps it") {
  const auto root = [](std::optional<unsigned> path_length, std::uint8_t serial) {
    Profile profile = RootOcaProfile();
    profile.extensions[1].value = BasicConstraintsRule{true, path_length};
    TbsInput input = RootInput(kP256);
    input.serial.back() = serial;
    return Issue(profile, input, kP256);
  };
  const Certificate open = root(std::nullopt, 1);
  const Certificate issuing = IssuingOca(open);
  CHECK(Together({root(0, 2), issuing}) == " | SET-PATH-01");
  CHECK(Together({root(0, 2), open, issuing}) == " |  | ");
  // One step further up: a CA below another one.
  Profile wide = WithoutDomain(IssuingOcaProfile());
  wide.key_algorithms = {base::KeyAlgorithm::kEcP256, base::KeyAlgorithm::kEd25519};
  wide.extensions[1].value = BasicConstraintsRule{true, std::nullopt};
  const auto below = [&](const Certificate& issuer, const char* name, const char* key, const char* issuer_key) {
    TbsInput input = RootInput(key);
    input.subject = {{"CN", name}};
    input.authority = Authority{base::ToBytes(issuer.tbs().subject), KeyIdentifier(issuer.tbs().spki.bits, 2), {}, {}};
    return Issue(wide, input, issuer_key);
  };
  const Certificate middle = below(open, "Z1", kP256Other, kP256);
  const Certificate last = below(middle, "Z2", kEd25519, kP256Other);
  CHECK(Together({root(1, 2), middle, last}) == " |  | SET-PATH-01");
  CHECK(Together({root(1, 2), open, middle, last}) == " |  |  | ");
  CHECK(Together({open, root(1, 2), middle, last}) == " |  |  | ");
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
  CHECK(with("551d1e", true, "300da00b3009820361626380020001") == "DER-INTEGER-02, X509-NC-03");  // nameConstraints
}

TEST_CASE("what stands deep in an extension is held to its structure, as other decoders hold it") {
  const auto with = [](const char* oid, bool critical, const std::string& value) {
    return Linted(RootOca(), [&](DerTree& c) { AddExtension(c, oid, critical, value.c_str()); });
  };
  // policyMappings
  CHECK(with("551d21", true, "300c300a06032a030406032a0305") == "X509-POLICY-09");
  CHECK(with("551d21", true, "3007300506032a0304") == "X509-FORM-01, X509-POLICY-09");
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
  CHECK(policies("023003020161") == "X509-FORM-02, X509-POLICY-08");
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
