#include "ceremony/x509/profile.h"

#include <doctest/doctest.h>

#include <functional>

#include "ceremony/x509/compare.h"
#include "ceremony/x509/openssl_check.h"
#include "tests/unit/x509/support.h"
#include "tests/unit/x509/test_keys.h"

using namespace ceremony::x509;
using namespace test;

TEST_CASE("the shipped shapes contradict nothing") {
  CHECK(Ids(CheckProfile(RootOcaProfile())) == "");
  CHECK(Ids(CheckProfile(IssuingOcaProfile())) == "");
}

TEST_CASE("a profile that contradicts itself is refused with the rule it breaks") {
  const auto rules = [](const std::function<void(Profile&)>& change) {
    Profile profile = RootOcaProfile();
    change(profile);
    return Ids(CheckProfile(profile));
  };
  CHECK(rules([](Profile& p) { p.subject.clear(); }) == "PROFILE-01");
  CHECK(rules([](Profile& p) { p.extensions.push_back(p.extensions[0]); }) == "PROFILE-02");
  CHECK(rules([](Profile& p) { p.extensions[0].value = KeyUsageRule{kCrlSign}; }) == "PROFILE-03");
  CHECK(rules([](Profile& p) { p.extensions[1].value = BasicConstraintsRule{false, std::nullopt}; }) == "PROFILE-03");
  CHECK(rules([](Profile& p) { p.extensions[1].value = BasicConstraintsRule{false, 0}; }) == "PROFILE-03, PROFILE-03");
  CHECK(rules([](Profile& p) { p.extensions[0].value = KeyUsageRule{0}; }) == "PROFILE-03, PROFILE-03");
  CHECK(rules([](Profile& p) { p.extensions.erase(p.extensions.begin() + 3); }) == "PROFILE-03");
  CHECK(rules([](Profile& p) { p.self_signed = false; }) == "PROFILE-03");
  CHECK(rules([](Profile& p) { p.signature_algorithm = SignatureAlgorithm::kEcdsaSha384; }) == "PROFILE-04");
  CHECK(rules([](Profile& p) { p.serial_octets = 7; }) == "PROFILE-05");
  CHECK(rules([](Profile& p) { p.serial_octets = 21; }) == "PROFILE-05");
  CHECK(rules([](Profile& p) { p.validity = RelativeValidity{}; }) == "PROFILE-06");
  CHECK(rules([](Profile& p) { p.validity = FixedValidity{9, 5}; }) == "PROFILE-06");
  CHECK(rules([](Profile& p) { p.extensions[1].critical = false; }) == "PROFILE-07");
  CHECK(rules([](Profile& p) { p.extensions[3].critical = true; }) == "PROFILE-07");
  CHECK(rules([](Profile& p) { p.extensions[3].value = SubjectKeyIdentifierRule{3}; }) == "PROFILE-07");
  CHECK(rules([](Profile& p) { p.extensions[3].type = "keyUsage"; }) == "PROFILE-02, PROFILE-07");
  CHECK(rules([](Profile& p) { p.extensions[4].type = "noSuchThing"; }) == "PROFILE-07");
  CHECK(rules([](Profile& p) { p.extensions[4].value = RawExtensionRule{Hex("0500")}; }) == "PROFILE-07");
  CHECK(rules([](Profile& p) {
          p.extensions[4].optional = false;
          p.extensions[4].value = RawExtensionRule{Hex("0501")};
        }) == "PROFILE-07");
  CHECK(rules([](Profile& p) {
          p.extensions[2].value = CertificatePoliciesRule{{{"1.2.3", ""}, {"1.2.3", ""}}};
        }) == "PROFILE-07");
  CHECK(rules([](Profile& p) { p.extensions[2].value = CertificatePoliciesRule{{{"1.2.", ""}}}; }) == "PROFILE-07");
  CHECK(rules([](Profile& p) { p.extensions[2].value = CertificatePoliciesRule{}; }) == "PROFILE-07");
  CHECK(rules([](Profile& p) { p.subject[1].value = "Z@"; }) == "PROFILE-08");
  CHECK(rules([](Profile& p) { p.subject[1].value = std::string(65, 'a'); }) == "PROFILE-08");
  CHECK(rules([](Profile& p) { p.subject[1].encoding = StringEncoding::kIa5String; }) == "PROFILE-08");
  CHECK(rules([](Profile& p) { p.subject[1].type = "keyUsage"; }) == "PROFILE-08");
  CHECK(rules([](Profile& p) {
          p.subject[1].type = "1.2.x";
          p.subject[1].value.reset();
        }) == "PROFILE-08");
  CHECK(rules([](Profile& p) {
          p.subject[1].value.reset();
          p.subject[1].max_length = 65;
        }) == "PROFILE-08");
  CHECK(rules([](Profile& p) {
          p.subject[1].value.reset();
          p.subject.push_back(p.subject[1]);
        }) == "PROFILE-08, PROFILE-08");
  CHECK(rules([](Profile& p) { p.key_algorithms.clear(); }) == "PROFILE-09");
}

TEST_CASE("a certificate is compared with a profile alone, without what it was made from") {
  const Certificate root = RootOca();
  const Certificate issuing = IssuingOca(root);
  CHECK(CompareWithProfile(root.tbs(), RootOcaProfile(), nullptr, root.der().data()).AllEqual());
  CHECK(CompareWithProfile(issuing.tbs(), IssuingOcaProfile(), nullptr, issuing.der().data()).AllEqual());
  const Comparison crossed = CompareWithProfile(issuing.tbs(), RootOcaProfile(), nullptr, issuing.der().data());
  std::string fields;
  for (const ComparisonRow& row : crossed.rows()) {
    if (!row.equal) fields += row.field + "\n";
  }
  CHECK(fields ==
        "issuer\nnot after\nsubject OU\nsubject CN\nextension basicConstraints\nextension authorityKeyIdentifier\n");
  for (const Finding& finding : crossed.ToFindings()) CHECK(finding.offset > 0);
  CHECK(crossed.ToFindings()[2].Text().find("subject OU: the profile says 00 (PrintableString), the certificate has 07 "
                                            "(PrintableString) (certificate profile)") != std::string::npos);
}

TEST_CASE("a certificate that openssl made from a configuration of its own is what the profile says") {
  const Folder folder;
  const std::string key = folder.Write("key.pem", kP256);
  const std::string config =
      folder.Write("config",
                   "[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\nstring_mask=pkix\n"
                   "[dn]\nOU=00\nCN=ZA\n"
                   "[ext]\nkeyUsage=critical,keyCertSign,cRLSign\nbasicConstraints=critical,CA:TRUE\n"
                   "certificatePolicies=critical,1.2.826.0.1.8641679.1.2.1.4\n"
                   "2.5.29.14=DER:0408440a0bc5c8a860b1\n");
  const std::string out = folder.path() + "/root.pem";
  REQUIRE(Run("openssl req -x509 -new -sha256 -days 1 -set_serial 0x7f0102030405060708090a0b0c0d0e0f -key " + key +
              " -config " + config + " -out " + out)
              .status == 0);
  const auto root = Certificate::FromPem(Run("cat " + out).text);
  REQUIRE(root.ok());
  const Comparison comparison = CompareWithProfile(root->tbs(), RootOcaProfile(), nullptr, root->der().data());
  std::string fields;
  for (const ComparisonRow& row : comparison.rows()) {
    if (!row.equal) fields += row.field + "\n";
  }
  CHECK(fields == "not after\n");  // openssl counts in days
  CHECK(root->VerifiedBy(PublicKeyOf(kP256)).ok());
}

TEST_CASE("both decoders agree on certificates that certtool made") {
  const Folder folder;
  const std::string key = folder.Write("key.pem", kRsa2048);
  const std::string ca_template =
      folder.Write("ca.cfg",
                   "cn = \"K\xc3\xb6ln\"\nserial = 7\nca\ncert_signing_key\ncrl_signing_key\nexpiration_days = "
                   "-1\npolicy1 = 1.2.3\npolicy1_url = \"https://example.org\"\n");
  const Output made = Run("certtool --generate-self-signed --load-privkey " + key + " --template " + ca_template +
                          " --outfile " + folder.path() + "/ca.pem");
  REQUIRE(made.status == 0);
  const auto certificate = Certificate::FromPem(Run("sed -n '/BEGIN/,/END/p' " + folder.path() + "/ca.pem").text);
  REQUIRE(certificate.ok());
  const auto openssl = OpensslFields(certificate->der());
  REQUIRE(openssl.ok());
  const Comparison comparison = CompareDecoders(*openssl, certificate->fields());
  CHECK(comparison.AllEqual());
  for (const ComparisonRow& row : comparison.rows()) {
    if (!row.equal) MESSAGE(row.field << ": " << row.profile_says << " / " << row.certificate_has);
  }
  CHECK(certificate->fields().not_after == "9999-12-31 23:59:59 UTC");
  CHECK(certificate->fields().subject == "CN=K\xc3\xb6ln (UTF8String)");
  CHECK(certificate->fields().key_algorithm == "RSA 2048");
  CHECK(certificate->VerifiedBy(PublicKeyOf(kRsa2048)).ok());
}

TEST_CASE("OpenSSL's complaints become findings with its own words") {
  const Certificate root = RootOca();
  const std::vector<base::Bytes> roots{base::ToBytes(root.der())};
  const auto early = OpensslVerify(root.der(), {}, roots, kNow - 1);
  REQUIRE(early.size() == 1);
  CHECK(early[0].message == "OpenSSL: certificate is not yet valid (error 9, certificate 0 of the chain)");
  const auto late = OpensslVerify(root.der(), {}, roots, kNow + 60LL * 366 * 86400);
  REQUIRE(late.size() == 1);
  CHECK(late[0].message == "OpenSSL: certificate has expired (error 10, certificate 0 of the chain)");
  CHECK(Has(OpensslVerify(root.der(), {}, {}, kNow + 1), "OPENSSL-01"));
  CHECK(Has(OpensslVerify(Hex("3000"), {}, roots, kNow + 1), "OPENSSL-02"));
  base::Bytes forged = roots[0];
  forged.back() ^= 1U;
  CHECK(Has(OpensslVerify(forged, {}, {forged}, kNow + 1), "OPENSSL-01"));
  base::Bytes trailing = roots[0];
  trailing.push_back(0);
  CHECK(Has(OpensslVerify(trailing, {}, {trailing}, kNow + 1), "OPENSSL-02"));
}
