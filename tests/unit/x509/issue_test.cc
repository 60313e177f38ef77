#include "ceremony/x509/issue.h"

#include <doctest/doctest.h>

#include <functional>
#include <type_traits>
#include <utility>

#include "ceremony/x509/lint.h"
#include "ceremony/x509/openssl_check.h"
#include "tests/unit/x509/der_tree.h"
#include "tests/unit/x509/support.h"
#include "tests/unit/x509/test_keys.h"

using namespace ceremony::x509;
using namespace test;

// What was not linted, compared and approved cannot be made into something to sign.
static_assert(!std::is_default_constructible_v<LintedTbs> && !std::is_constructible_v<LintedTbs, Tbs>);
static_assert(!std::is_constructible_v<ComparedTbs, LintedTbs> && !std::is_constructible_v<ComparedTbs, Tbs>);
static_assert(!std::is_constructible_v<ApprovedTbs, ComparedTbs> && !std::is_constructible_v<ApprovedTbs, LintedTbs>);
static_assert(!std::is_constructible_v<ApprovedTbs, Tbs> && !std::is_convertible_v<Tbs, ApprovedTbs>);
static_assert(
    !std::is_invocable_v<decltype(FinishCertificate), const ComparedTbs&, const base::PublicKey&, base::ByteView>);
static_assert(!std::is_invocable_v<decltype(FinishCertificate), const Tbs&, const base::PublicKey&, base::ByteView>);

namespace {

bool Contains(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE("not found: " << part);
  return found;
}

std::string OnOneLine(std::string text) {
  std::string joined;
  for (const char c : text) {
    if (c == '\n' || c == '\t' || c == ' ') {
      if (!joined.empty() && joined.back() != ' ') joined += ' ';
    } else {
      joined += c;
    }
  }
  return joined;
}

ComparedTbs Compared(const Profile& profile, const TbsInput& input) {
  auto tbs = BuildTbs(profile, input);
  REQUIRE(tbs.ok());
  auto linted = LintTbs(*tbs);
  REQUIRE(linted.ok());
  auto compared = CompareTbs(*linted, profile, input);
  REQUIRE(compared.ok());
  return *compared;
}

std::string RuleOf(const Profile& profile, const TbsInput& input) {
  const auto tbs = BuildTbs(profile, input);
  return tbs.ok() ? "built" : tbs.error().rule;
}

}  // namespace

TEST_CASE("the Root OCA certificate is accepted by us, by OpenSSL's library, by openssl verify and by certtool") {
  const Certificate root = RootOca();
  CHECK(Ids(LintCertificate(root.der())) == "");
  CHECK(OpensslVerify(root.der(), {}, {base::ToBytes(root.der())}, kNow + 1).empty());
  const Folder folder;
  const std::string path = folder.Write("root.pem", root.Pem());
  const Output openssl = Run("openssl verify -x509_strict -check_ss_sig -policy_check -attime " +
                             std::to_string(kNow + 1) + " -CAfile " + path + " " + path);
  CHECK(openssl.text == path + ": OK\n");
  CHECK(openssl.status == 0);
  const Output certtool =
      Run("certtool --verify --verify-profile medium --load-ca-certificate " + path + " --infile " + path);
  CHECK(certtool.status == 0);
  CHECK(Contains(certtool.text, "Verified. The certificate is trusted."));
}

TEST_CASE("an issuing certificate under the root is accepted by the same") {
  const Certificate root = RootOca();
  const Certificate issuing = IssuingOca(root);
  CHECK(Ids(LintCertificate(issuing.der())) == "");
  CHECK(OpensslVerify(issuing.der(), {}, {base::ToBytes(root.der())}, kNow + 1).empty());
  const Folder folder;
  const std::string root_path = folder.Write("root.pem", root.Pem());
  const std::string path = folder.Write("issuing.pem", issuing.Pem());
  const Output openssl =
      Run("openssl verify -x509_strict -attime " + std::to_string(kNow + 1) + " -CAfile " + root_path + " " + path);
  CHECK(openssl.text == path + ": OK\n");
  const Output certtool = Run("certtool --verify --load-ca-certificate " + root_path + " --infile " + path);
  CHECK(Contains(certtool.text, "Verified. The certificate is trusted."));
  // Not under a root with another key.
  TbsInput other = RootInput(kP256Other);
  const Certificate stranger = Issue(RootOcaProfile(), other, kP256Other);
  const auto findings = OpensslVerify(issuing.der(), {}, {base::ToBytes(stranger.der())}, kNow + 1);
  CHECK(Has(findings, "OPENSSL-01"));
  CHECK(issuing.VerifiedBy(PublicKeyOf(kP256)).ok());
  CHECK_FALSE(issuing.VerifiedBy(PublicKeyOf(kP256Other)).ok());
}

TEST_CASE("openssl, asn1parse and certtool read the Root OCA certificate as the profile says") {
  const Certificate root = RootOca();
  const Folder folder;
  const std::string path = folder.Write("root.pem", root.Pem());
  const std::string text = OnOneLine(Run("openssl x509 -noout -text -in " + path).text);
  CHECK(Contains(
      text,
      "Version: 3 (0x2) Serial Number: 7f:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f "
      "Signature Algorithm: ecdsa-with-SHA256 Issuer: OU = 00, CN = ZA "
      "Validity Not Before: Feb 3 04:05:06 2020 GMT Not After : Feb 3 04:05:05 2070 GMT Subject: OU = 00, CN = ZA"));
  CHECK(Contains(text,
                 "X509v3 extensions: X509v3 Key Usage: critical Certificate Sign, CRL Sign "
                 "X509v3 Basic Constraints: critical CA:TRUE "
                 "X509v3 Certificate Policies: critical Policy: 1.2.826.0.1.8641679.1.2.1.4 "
                 "X509v3 Subject Key Identifier: 44:0A:0B:C5:C8:A8:60:B1 Signature Algorithm: ecdsa-with-SHA256"));
  const std::string parsed = OnOneLine(Run("openssl asn1parse -in " + path).text);
  CHECK(Contains(parsed, "prim: OBJECT :organizationalUnitName"));
  CHECK(Contains(parsed, "prim: PRINTABLESTRING :00"));
  CHECK(Contains(parsed, "prim: PRINTABLESTRING :ZA"));
  CHECK(Contains(parsed, "prim: UTCTIME :200203040506Z"));
  CHECK(Contains(parsed, "prim: GENERALIZEDTIME :20700203040505Z"));
  CHECK(parsed.find("NULL") == std::string::npos);
  const std::string certtool = OnOneLine(Run("certtool --certificate-info --infile " + path).text);
  CHECK(Contains(certtool, "Version: 3 Serial Number (hex): 7f0102030405060708090a0b0c0d0e0f"));
  CHECK(Contains(certtool, "Key Usage (critical):"));
  CHECK(Contains(certtool, "Basic Constraints (critical):"));
  CHECK(Contains(certtool, "Certificate Policies (critical):"));
  CHECK(Contains(certtool, "Subject Key Identifier (not critical): 440a0bc5c8a860b1"));
}

TEST_CASE("key identifiers are those that openssl computes, method 2 the last 60 bits behind 0100") {
  const base::PublicKey key = PublicKeyOf(kP256);
  const base::ByteView bits = key.spki().subspan(key.spki().size() - 65);
  const Folder folder;
  const std::string path = folder.Write("bits", std::string(base::AsText(bits)));
  const std::string sha1 = Run("openssl dgst -sha1 -r " + path).text.substr(0, 40);
  CHECK(base::HexEncode(KeyIdentifier(bits, 1)) == sha1);
  CHECK(base::HexEncode(KeyIdentifier(bits, 2)) == "4" + sha1.substr(25));
}

TEST_CASE("the comparison shows every field in one view") {
  const ComparedTbs compared = Compared(RootOcaProfile(), RootInput(kP256));
  CHECK(compared.comparison().AllEqual());
  std::string fields;
  for (const ComparisonRow& row : compared.comparison().rows())
    fields += row.field + "|" + row.profile_says + "|" + row.certificate_has + "\n";
  CHECK(fields ==
        "version|3|3\n"
        "serial number|7f0102030405060708090a0b0c0d0e0f|7f0102030405060708090a0b0c0d0e0f\n"
        "signature algorithm|ecdsa-with-SHA256|ecdsa-with-SHA256\n"
        "issuer|the subject, byte by byte|OU=00 (PrintableString), CN=ZA (PrintableString)\n"
        "not before|2020-02-03 04:05:06 UTC|2020-02-03 04:05:06 UTC\n"
        "not after|2070-02-03 04:05:05 UTC (50 years)|2070-02-03 04:05:05 UTC\n"
        "subject|OU=00 (PrintableString), CN=ZA (PrintableString)|OU=00 (PrintableString), CN=ZA (PrintableString)\n"
        "public key|EC P-256, SPKI SHA-256 9899bcfa46edf3e094c0f72be4bda68a2f3eb856c4766cca1cf449266890b36d|"
        "EC P-256, SPKI SHA-256 9899bcfa46edf3e094c0f72be4bda68a2f3eb856c4766cca1cf449266890b36d\n"
        "key algorithm|EC P-256|EC P-256\n"
        "extension keyUsage|critical, keyCertSign, cRLSign|critical, keyCertSign, cRLSign\n"
        "extension basicConstraints|critical, CA, no path length|critical, CA, no path length\n"
        "extension certificatePolicies|critical, 1.2.826.0.1.8641679.1.2.1.4|critical, 1.2.826.0.1.8641679.1.2.1.4\n"
        "extension subjectKeyIdentifier|440a0bc5c8a860b1|440a0bc5c8a860b1\n");
  CHECK(Contains(compared.comparison().Text(), "\n= version "));
}

TEST_CASE("a to-be-signed certificate that is not what the profile says is refused field by field") {
  const Profile profile = WithoutDomain(RootOcaProfile());
  const TbsInput input = RootInput(kP256);
  const Tbs tbs = *BuildTbs(profile, input);
  const auto refusal = [&](const std::function<void(DerTree&)>& change) -> std::string {
    DerTree tree = DerTree::Parse(tbs.der());
    change(tree);
    const auto parsed = Tbs::Parse(tree.Encode());
    REQUIRE(parsed.ok());
    const auto linted = LintTbs(*parsed);
    if (!linted.ok()) return "lint: " + linted.error().rule;
    const auto compared = CompareTbs(*linted, profile, input);
    return compared.ok() ? "accepted"
                         : compared.error().rule + " " +
                               compared.error().message.substr(compared.error().message.find("octet"), 60);
  };
  CHECK(refusal([](DerTree&) {}) == "accepted");
  CHECK(refusal([](DerTree& t) { t.At({1}).content[15] ^= 1U; }).starts_with("COMPARE-01"));
  CHECK(refusal([](DerTree& t) { t.At({1}).content.pop_back(); }).starts_with("COMPARE-01"));
  CHECK(refusal([](DerTree& t) { t.At({2, 0}).content.back() = 3; }).starts_with("COMPARE-01"));
  CHECK(refusal([](DerTree& t) { t.At({4, 0}).content[11] ^= 1U; }).starts_with("COMPARE-01"));
  CHECK(refusal([](DerTree& t) { t.At({4, 1}).content[3] ^= 1U; }).starts_with("COMPARE-01"));
  CHECK(refusal([](DerTree& t) {
          t.At({3, 1, 0, 1}).tag = 0x0c;
          t.At({5, 1, 0, 1}).tag = 0x0c;
        }).starts_with("COMPARE-01"));
  CHECK(refusal([](DerTree& t) { t.At({5, 1, 0, 1}).tag = 0x0c; }).starts_with("lint: X509-"));
  CHECK(refusal([](DerTree& t) { std::swap(t.At({7, 0, 0}), t.At({7, 0, 1})); }).starts_with("COMPARE-01"));
  // A path length that the profile does not have; policies that are not critical; another policy.
  CHECK(refusal([](DerTree& t) { t.At({7, 0, 1, 2}).content = Hex("30060101ff020100"); }).starts_with("COMPARE-01"));
  CHECK(refusal([](DerTree& t) {
          t.At({7, 0, 2}).children.erase(t.At({7, 0, 2}).children.begin() + 1);
        }).starts_with("COMPARE-01"));
  CHECK(refusal([](DerTree& t) { t.At({7, 0, 2, 2}).content.back() = 5; }).starts_with("COMPARE-01"));
  CHECK(refusal([](DerTree& t) {
          t.At({7, 0}).children.erase(t.At({7, 0}).children.begin() + 2);
        }).starts_with("COMPARE-01"));
  // 20 octets of subjectKeyIdentifier are good for RFC 5280, not for this profile.
  const base::PublicKey key = PublicKeyOf(kP256);
  const base::Bytes sha1 = KeyIdentifier(key.spki().subspan(key.spki().size() - 65), 1);
  CHECK(refusal([&](DerTree& t) {
          t.At({7, 0, 3, 1}).content = Joined({{0x04, 0x14}, sha1});
        }).starts_with("COMPARE-01"));
  // An extension too many.
  CHECK(refusal([](DerTree& t) {
          t.At({7, 0}).children.push_back({0x30, {}, {{0x06, {0x2a, 0x03}, {}, {}}, {0x04, {0x05, 0x00}, {}, {}}}, {}});
        }).starts_with("COMPARE-01"));
  // Another key, with its own key identifier.
  CHECK(refusal([](DerTree& t) {
          const base::PublicKey other = PublicKeyOf(kP256Other);
          const base::ByteView bits = other.spki().subspan(other.spki().size() - 65);
          t.At({6, 1}).content = Joined({{0x00}, base::ToBytes(bits)});
          t.At({7, 0, 3, 1}).content = Joined({{0x04, 0x08}, KeyIdentifier(bits, 2)});
        }).starts_with("COMPARE-01"));
}

TEST_CASE("a good-practice finding blocks as a breach does") {
  Profile profile = RootOcaProfile();
  profile.extensions[0].critical = false;
  CHECK(LintTbs(*BuildTbs(profile, RootInput(kP256))).error().rule == "X509-KEYUSAGE-03");
  DerTree tree = DerTree::Parse(BuildTbs(RootOcaProfile(), RootInput(kP256))->der());
  tree.At({1}).content = base::Bytes(21, 0x11);
  CHECK(LintTbs(*Tbs::Parse(tree.Encode())).error().rule == "X509-SERIAL-02");
}

TEST_CASE("a certificate is held to the rules of its domain before anybody is asked to approve it") {
  Profile profile = RootOcaProfile();
  profile.extensions[3].value = SubjectKeyIdentifierRule{1};
  CHECK(LintTbs(*BuildTbs(profile, RootInput(kP256))).error().rule == "SMKI-SKI-01");
  CHECK(LintTbs(*BuildTbs(WithoutDomain(profile), RootInput(kP256))).ok());
}

TEST_CASE("a subject that looks like two attributes is spelled by both decoders so that it does not") {
  Profile profile = RootOcaProfile();
  profile.subject = {{"CN", StringEncoding::kUtf8String, "A (UTF8String), OU=07"}};
  const Certificate root = Issue(WithoutDomain(profile), RootInput(kP256), kP256);
  CHECK(root.fields().subject == "CN=\"A (UTF8String), OU=07\" (UTF8String)");
}

TEST_CASE("people approve bytes: another to-be-signed certificate is not what they approved") {
  const ComparedTbs compared = Compared(RootOcaProfile(), RootInput(kP256));
  TbsInput later = RootInput(kP256);
  later.not_before += 1;
  const ComparedTbs other = Compared(RootOcaProfile(), later);
  CHECK(ApproveTbs(compared, other.Digest()).error().rule == "TBS-APPROVAL-01");
  CHECK(ApproveTbs(compared, compared.Digest()).ok());
}

TEST_CASE("a signature that is wrong, high-S, padded, of another key or constant makes no certificate") {
  const Profile profile = RootOcaProfile();
  const ComparedTbs compared = Compared(profile, RootInput(kP256));
  const ApprovedTbs approved = *ApproveTbs(compared, compared.Digest());
  const base::PublicKey key = PublicKeyOf(kP256);
  const base::Bytes good = SignWith(kP256, base::SignatureScheme::kEcdsa, approved.to_be_signed());
  CHECK(FinishCertificate(approved, key, good).ok());
  const auto code = [&](const base::PublicKey& issuer, const base::Bytes& signature) {
    const auto certificate = FinishCertificate(approved, issuer, signature);
    return certificate.ok() ? std::string("accepted")
                            : certificate.error().rule + base::ErrorCodeName(certificate.error().code);
  };
  base::Bytes wrong = good;
  wrong.back() ^= 1U;
  CHECK(code(key, wrong) == "corrupt");
  CHECK(code(key, SignWith(kP256, base::SignatureScheme::kEcdsa, base::AsBytes("another text"))) == "corrupt");
  CHECK(code(key, SignWith(kP256Other, base::SignatureScheme::kEcdsa, approved.to_be_signed())) == "corrupt");
  CHECK(code(PublicKeyOf(kP256Other), SignWith(kP256Other, base::SignatureScheme::kEcdsa, approved.to_be_signed())) ==
        "TBS-KEY-02refused");
  CHECK(code(key, Hex("3006020101020101")) == "corrupt");
  CHECK(code(key, {}) == "corrupt");
  CHECK(code(key, base::Bytes(64, 0x11)) == "corrupt");
  // Redundant zero before r.
  DerTree padded = DerTree::Parse(good);
  padded.children[0].content.insert(padded.children[0].content.begin(), 0);
  CHECK(code(key, padded.Encode()) == "corrupt");
}

TEST_CASE("profiles with every key and signature algorithm go the whole way and are accepted by openssl verify") {
  struct Case {
    const char* key;
    base::KeyAlgorithm algorithm;
    SignatureAlgorithm signature;
  };
  const Case cases[] = {
      {kP384, base::KeyAlgorithm::kEcP384, SignatureAlgorithm::kEcdsaSha384},
      {kP521, base::KeyAlgorithm::kEcP521, SignatureAlgorithm::kEcdsaSha512},
      {kEd25519, base::KeyAlgorithm::kEd25519, SignatureAlgorithm::kEd25519},
      {kRsa2048, base::KeyAlgorithm::kRsa2048, SignatureAlgorithm::kRsaPkcs1Sha256},
      {kRsa2048, base::KeyAlgorithm::kRsa2048, SignatureAlgorithm::kRsaPkcs1Sha384},
      {kRsa2048, base::KeyAlgorithm::kRsa2048, SignatureAlgorithm::kRsaPkcs1Sha512},
      {kRsa2048, base::KeyAlgorithm::kRsa2048, SignatureAlgorithm::kRsaPssSha256},
      {kRsa2048, base::KeyAlgorithm::kRsa2048, SignatureAlgorithm::kRsaPssSha384},
      {kRsa2048, base::KeyAlgorithm::kRsa2048, SignatureAlgorithm::kRsaPssSha512},
  };
  for (const Case& each : cases) {
    INFO(std::string(FactsOf(each.signature).name));
    Profile profile = WithoutDomain(RootOcaProfile());
    profile.key_algorithms = {each.algorithm};
    profile.signature_algorithm = each.signature;
    profile.extensions[3].value = SubjectKeyIdentifierRule{1};
    const Certificate root = Issue(profile, RootInput(each.key), each.key);
    CHECK(LintCertificate(root.der()).empty());
    const Folder folder;
    const std::string path = folder.Write("root.pem", root.Pem());
    CHECK(Run("openssl verify -x509_strict -check_ss_sig -attime " + std::to_string(kNow + 1) + " -CAfile " + path +
              " " + path)
              .text == path + ": OK\n");
    CHECK(OpensslVerify(root.der(), {}, {base::ToBytes(root.der())}, kNow + 1).empty());
  }
}

TEST_CASE(
    "a certificate for ever, with issuer and serial number, policies with a practice statement and purposes, is read "
    "alike by both decoders") {
  const Certificate root = RootOca();
  Profile profile = IssuingOcaProfile();
  profile.validity = IndefiniteValidity{};
  profile.extensions[2].value = CertificatePoliciesRule{{{"2.5.29.32.0", "https://example.org/cps"}, {"1.2.3.4", ""}}};
  profile.extensions[4].value = AuthorityKeyIdentifierRule{AuthorityKeyForm::kKeyIdentifierIssuerAndSerial};
  profile.extensions.push_back({"extKeyUsage", false, false, ExtendedKeyUsageRule{{"serverAuth", "1.2.3.4.5"}}});
  profile.extensions.push_back({"1.3.6.1.5.5.7.1.20", false, false, RawExtensionRule{}});
  TbsInput input = RootInput(kP256Other);
  input.subject = {{"CN", "Z1"}};
  input.authority = Authority{base::ToBytes(root.tbs().subject), KeyIdentifier(root.tbs().spki.bits, 2),
                              base::ToBytes(root.tbs().serial), base::ToBytes(root.tbs().issuer)};
  input.extensions = {{"1.3.6.1.5.5.7.1.20", Hex("04020102")}};
  const Certificate issuing = Issue(profile, input, kP256);
  const Fields fields = issuing.fields();
  CHECK(fields.not_after == "9999-12-31 23:59:59 UTC");
  CHECK(fields.extensions[2].text == "anyPolicy (CPS https://example.org/cps), 1.2.3.4");
  CHECK(fields.extensions[4].text ==
        "key identifier 440a0bc5c8a860b1, issuer OU=00 (PrintableString), CN=ZA (PrintableString), serial "
        "7f0102030405060708090a0b0c0d0e0f");
  CHECK(fields.extensions[5].text == "serverAuth, 1.2.3.4.5");
  CHECK(fields.extensions[6].text == "DER 04020102");
  CHECK(fields.extensions[6].name == "wrappedApexContinKey");
  const Folder folder;
  const std::string root_path = folder.Write("root.pem", root.Pem());
  const std::string path = folder.Write("issuing.pem", issuing.Pem());
  CHECK(Run("openssl verify -x509_strict -attime " + std::to_string(kNow + 1) + " -CAfile " + root_path + " " + path)
            .text == path + ": OK\n");
  const std::string text = OnOneLine(Run("openssl x509 -noout -text -in " + path).text);
  CHECK(Contains(text, "Not After : Dec 31 23:59:59 9999 GMT"));
  CHECK(Contains(
      text,
      "X509v3 Certificate Policies: critical Policy: X509v3 Any Policy CPS: https://example.org/cps Policy: 1.2.3.4"));
  CHECK(Contains(
      text,
      "keyid:44:0A:0B:C5:C8:A8:60:B1 DirName:/OU=00/CN=ZA serial:7F:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F"));
  CHECK(Contains(text, "X509v3 Extended Key Usage: TLS Web Server Authentication, 1.2.3.4.5"));
}

TEST_CASE("input that the profile does not take is refused with its rule") {
  const Profile profile = RootOcaProfile();
  TbsInput input = RootInput(kP256);
  input.serial = Hex("ff0102030405060708090a0b0c0d0e0f");
  CHECK(RuleOf(profile, input) == "TBS-SERIAL-01");
  input.serial = base::Bytes(16, 0);
  CHECK(RuleOf(profile, input) == "TBS-SERIAL-01");
  input.serial = base::Bytes(15, 0x11);
  CHECK(RuleOf(profile, input) == "TBS-SERIAL-01");
  input.serial = Joined({{0x00, 0x01}, base::Bytes(14, 0x11)});
  CHECK(RuleOf(profile, input) == "TBS-SERIAL-01");
  input.serial = {};
  CHECK(RuleOf(profile, input) == "TBS-SERIAL-01");
  CHECK(RuleOf(profile, RootInput(kP384)) == "TBS-KEY-01");
  input = RootInput(kP256);
  input.authority = Authority{};
  CHECK(RuleOf(profile, input) == "TBS-AUTHORITY-01");
  CHECK(RuleOf(IssuingOcaProfile(), RootInput(kP256)) == "TBS-AUTHORITY-01");
  input = RootInput(kP256);
  input.extensions = {{"keyUsage", Hex("0500")}};
  CHECK(RuleOf(profile, input) == "TBS-EXT-01");
  input.extensions = {{"wrappedApexContinKey", Hex("0501")}};
  CHECK(RuleOf(profile, input) == "TBS-EXT-01");
  input.extensions = {{"wrappedApexContinKey", Hex("0500")}};
  CHECK(RuleOf(profile, input) == "built");
  input = RootInput(kP256);
  input.subject = {{"CN", "ZB"}};
  CHECK(RuleOf(profile, input) == "NAME-VALUE-02");
  input = RootInput(kP256);
  input.not_before = 253402300799;
  CHECK(RuleOf(profile, input) == "TBS-TIME-01");
}

TEST_CASE("serial numbers made from random octets are positive and never shorter") {
  CHECK(SerialFromRandom(Hex("00000000000000000000000000000000")) == Hex("40000000000000000000000000000000"));
  CHECK(SerialFromRandom(Hex("ffffffffffffffffffffffffffffffff")) == Hex("7fffffffffffffffffffffffffffffff"));
  CHECK(SerialFromRandom(Hex("80")) == Hex("40"));
}

TEST_CASE("PEM is RFC 7468, and nothing else is taken for it") {
  const Certificate root = RootOca();
  const std::string pem = root.Pem();
  CHECK(base::ToBytes(Certificate::FromPem(pem)->der()) == base::ToBytes(root.der()));
  CHECK(Certificate::FromPem("\n" + pem + " \r\n").ok());
  const Folder folder;
  const std::string der = folder.Write("root.der", std::string(base::AsText(root.der())));
  CHECK(Run("openssl x509 -inform DER -in " + der).text == pem);
  CHECK_FALSE(Certificate::FromPem(pem + pem).ok());
  CHECK_FALSE(Certificate::FromPem("subject=\n" + pem).ok());
  CHECK_FALSE(Certificate::FromPem("").ok());
  CHECK_FALSE(Certificate::FromPem("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n").ok());
  CHECK_FALSE(Certificate::FromPem("-----BEGIN CERTIFICATE----------END CERTIFICATE-----\n").ok());
  std::string broken = pem;
  broken.insert(100, " ");
  CHECK_FALSE(Certificate::FromPem(broken).ok());
  std::string joined = pem;
  joined.erase(joined.find('\n', 40), 1);
  CHECK_FALSE(Certificate::FromPem(joined).ok());
}
