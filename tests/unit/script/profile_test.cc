#include "ceremony/script/profile.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/script/support.h"

using namespace ceremony::script;
namespace x509 = ceremony::x509;

namespace {

const std::string kGood = R"({
  "format": "keyceremony-profile/1",
  "id": "device", "version": "1.0", "title": "Device", "clause": "7.1",
  "certificate": "device", "self_signed": false,
  "subject": [
    { "type": "O", "encoding": "UTF8String", "optional": true },
    { "type": "2.5.4.45", "encoding": "BIT STRING", "max_length": 64 }
  ],
  "validity": { "lasts": "fixed", "not_before": "2026-11-21T05:17:45Z", "not_after": "2049-12-31T23:59:59Z" },
  "serial_octets": 12,
  "keys": ["ec-p256", "rsa-2048"],
  "signature": "ecdsa-with-SHA384",
  "extensions": [
    { "type": "basicConstraints", "critical": false, "ca": false },
    { "type": "keyUsage", "critical": true, "usage": ["keyAgreement", "digitalSignature"] },
    { "type": "certificatePolicies", "critical": true, "policies": [{ "oid": "1.2.3", "cps": "https://example.org" }] },
    { "type": "subjectKeyIdentifier", "critical": false, "method": 1 },
    { "type": "authorityKeyIdentifier", "critical": false, "form": "keyIdentifierIssuerAndSerial" },
    { "type": "extKeyUsage", "critical": false, "purposes": ["clientAuth", "1.2.3.4"] },
    { "type": "other", "extension": "1.2.3.5", "critical": true, "der": "0500" }
  ]
}
)";

std::string ProblemsOf(const std::string& text) {
  Problems problems;
  const auto profile = ParseProfile(FileOf("p.json", text), &problems);
  return profile.ok() ? "" : LinesOf(problems);
}

}  // namespace

TEST_CASE("a profile file becomes the profile it says") {
  const auto read = ParseProfile(FileOf("p.json", kGood));
  REQUIRE_MESSAGE(read.ok(), read.error().message);
  const x509::Profile& profile = read->profile;
  CHECK(profile.name == "device");
  CHECK(profile.kind == "device");
  CHECK(profile.clause == "7.1");
  CHECK(read->version == "1.0");
  CHECK_FALSE(profile.self_signed);
  REQUIRE(profile.subject.size() == 2);
  CHECK(profile.subject[0].optional);
  CHECK(profile.subject[0].max_length == 64);
  CHECK_FALSE(profile.subject[1].value.has_value());
  CHECK(profile.subject[1].encoding == x509::StringEncoding::kBitString);
  const auto& validity = std::get<x509::FixedValidity>(profile.validity);
  CHECK(validity.not_before == 1795238265);
  CHECK(validity.not_after == 2524607999);
  CHECK(profile.serial_octets == 12);
  CHECK(profile.key_algorithms == std::vector{base::KeyAlgorithm::kEcP256, base::KeyAlgorithm::kRsa2048});
  CHECK(profile.signature_algorithm == x509::SignatureAlgorithm::kEcdsaSha384);
  REQUIRE(profile.extensions.size() == 7);
  CHECK_FALSE(std::get<x509::BasicConstraintsRule>(profile.extensions[0].value).ca);
  CHECK(std::get<x509::KeyUsageRule>(profile.extensions[1].value).bits ==
        (x509::kKeyAgreement | x509::kDigitalSignature));
  CHECK(profile.extensions[1].critical);
  CHECK(std::get<x509::CertificatePoliciesRule>(profile.extensions[2].value).policies[0].cps_uri ==
        "https://example.org");
  CHECK(std::get<x509::SubjectKeyIdentifierRule>(profile.extensions[3].value).method == 1);
  CHECK(std::get<x509::AuthorityKeyIdentifierRule>(profile.extensions[4].value).form ==
        x509::AuthorityKeyForm::kKeyIdentifierIssuerAndSerial);
  CHECK(std::get<x509::ExtendedKeyUsageRule>(profile.extensions[5].value).purposes ==
        std::vector<std::string>{"clientAuth", "1.2.3.4"});
  CHECK(profile.extensions[6].type == "1.2.3.5");
  CHECK(std::get<x509::RawExtensionRule>(profile.extensions[6].value).der == base::Bytes{0x05, 0x00});
}

TEST_CASE("a mistake in a profile file is named with its place") {
  CHECK(ProblemsOf(kGood) == "");
  CHECK(ProblemsOf(Replaced(kGood, "\"usage\"", "\"usages\""))
            .find("p.json:15:45: /extensions/1/usages: unknown field") != std::string::npos);
  CHECK(ProblemsOf(Replaced(kGood, "\"ecdsa-with-SHA384\"", "\"ecdsa-with-SHA1\"")).find("/signature: expected") !=
        std::string::npos);
  CHECK(
      ProblemsOf(Replaced(kGood, "\"keyAgreement\"", "\"keyCertSign\"")) ==
      "PROFILE-03 p.json:13:17: /extensions: profile device: keyUsage has keyCertSign where basicConstraints is not CA "
      "[RFC 5280 4.2.1.3, 4.2.1.9: basicConstraints and keyUsage agree]\n");
  CHECK(ProblemsOf(Replaced(kGood, "\"self_signed\": false", "\"self_signed\": true"))
            .find("PROFILE-04 p.json:12:16: /signature") != std::string::npos);
  CHECK(ProblemsOf(Replaced(kGood, "\"2.5.4.45\"", "\"CN\"")).find("PROFILE-08 p.json:5:14: /subject") !=
        std::string::npos);
  CHECK(ProblemsOf(Replaced(kGood, "2049-12-31T23:59:59Z", "2026-11-21T05:17:45Z"))
            .find("PROFILE-06 p.json:9:15: /validity") != std::string::npos);
  CHECK(ProblemsOf(Replaced(kGood, "\"der\": \"0500\"", "\"der\": \"0501\"")).find("PROFILE-07") != std::string::npos);
  CHECK(ProblemsOf(Replaced(kGood, "keyceremony-profile/1", "keyceremony-policy/1")).find("INPUT-13") !=
        std::string::npos);
}

TEST_CASE("the shipped profiles are read, and are the shapes of the organisation hierarchy") {
  const auto root = ReadProfile(std::string(SHIPPED_SCRIPTS) + "/profiles/smki-root-oca.profile.json");
  REQUIRE_MESSAGE(root.ok(), root.error().message);
  CHECK(root->profile.self_signed);
  CHECK(root->profile.kind == "root");
  CHECK(*root->profile.subject[0].value == "00");
  CHECK(*root->profile.subject[1].value == "ZA");
  CHECK(std::get<x509::RelativeValidity>(root->profile.validity).years == 50);
  const auto issuing = ReadProfile(std::string(SHIPPED_SCRIPTS) + "/profiles/smki-issuing-oca.profile.json");
  REQUIRE_MESSAGE(issuing.ok(), issuing.error().message);
  CHECK(std::get<x509::BasicConstraintsRule>(issuing->profile.extensions[1].value).path_length == 0U);
}
