#include "ceremony/x509/trial.h"

#include <doctest/doctest.h>

#include "tests/unit/x509/support.h"

using namespace ceremony::x509;
using namespace test;

namespace {

std::string RefusalOf(const base::Result<void>& tried) { return tried.ok() ? "good" : tried.error().rule; }

std::string Tried(const Profile& profile, const SubjectValues& subject = {{"CN", "Z1"}},
                  const AlternativeNames& names = {}) {
  return RefusalOf(TryCertificate(profile, {base::KeyAlgorithm::kEcP256, {}, subject, {}, names}));
}

std::string With(ExtensionRule rule, const AlternativeNames& names = {}) {
  Profile profile = WithoutDomain(IssuingOcaProfile());
  profile.extensions.push_back(std::move(rule));
  return Tried(profile, {{"CN", "Z1"}}, names);
}

std::string Named(GeneralNameKind kind, const std::string& value) {
  // Whether the profile fixes a name or the script gives it.
  const std::string fixed = With({"subjectAltName", false, false, SubjectAltNameRule{{{kind, value}}}});
  const std::string given = With({"subjectAltName", false, false, SubjectAltNameRule{{{kind, std::nullopt}}}},
                                 {{std::string(GeneralNameKindName(kind)), value}});
  CHECK(fixed == given);
  return fixed;
}

}  // namespace

TEST_CASE("there is a key for each algorithm to try a profile with, and it is always the same") {
  for (const base::KeyAlgorithmFacts& facts : base::KeyAlgorithms()) {
    CHECK(TrialKey(facts.algorithm).algorithm() == facts.algorithm);
    CHECK(TrialKey(facts.algorithm) == TrialKey(facts.algorithm));
    Profile profile = WithoutDomain(IssuingOcaProfile());
    profile.key_algorithms = {facts.algorithm};
    CHECK(RefusalOf(TryCertificate(profile, {facts.algorithm, {}, {{"CN", "Z1"}}, {}, {}})) == "good");
  }
}

TEST_CASE("what the room would refuse of a certificate is refused by a trial") {
  CHECK(Tried(RootOcaProfile(), {}) == "good");
  CHECK(Tried(IssuingOcaProfile()) == "good");
  Profile method_1 = IssuingOcaProfile();
  method_1.extensions[3].value = SubjectKeyIdentifierRule{1};
  CHECK(Tried(method_1) == "SMKI-SKI-01");
  CHECK(Tried(IssuingOcaProfile(), {}) == "NAME-VALUE-01");

  CHECK(Named(GeneralNameKind::kDns, "meter-1.example.org") == "good");
  CHECK(Named(GeneralNameKind::kDns, "meter_1.example.org") == "X509-SAN-03");
  CHECK(Named(GeneralNameKind::kEmail, "a@b.c") == "good");
  CHECK(Named(GeneralNameKind::kEmail, "a@b_c") == "X509-SAN-03");
  CHECK(Named(GeneralNameKind::kIp, "2001:db8::1") == "good");
  CHECK(Named(GeneralNameKind::kIp, "2001:DB8::1") == "COMPARE-01");
  CHECK(Named(GeneralNameKind::kUri, "https://example.org/a") == "good");
  CHECK(Named(GeneralNameKind::kUri, "https://example.org\\a") == "COMPARE-01");
  CHECK(With({"extKeyUsage", false, false, ExtendedKeyUsageRule{{"serverAuth"}}}) == "good");
  CHECK(With({"extKeyUsage", false, false, ExtendedKeyUsageRule{{"serverAuth", "1.3.6.1.5.5.7.3.1"}}}) ==
        "X509-EKU-01");
  Profile noticed = IssuingOcaProfile();
  noticed.extensions[2].value = CertificatePoliciesRule{{{"1.2.3.4", "", "Read this"}}};
  CHECK(Tried(noticed) == "good");
  noticed.extensions[2].value = CertificatePoliciesRule{{{"1.2.3.4", "", "Read\nthis"}}};
  CHECK(Tried(noticed) == "X509-POLICY-08");
}

TEST_CASE("what the room would refuse of a request or a CRL is refused by a trial") {
  const TrialOrder order{base::KeyAlgorithm::kEcP256, {}, {{"CN", "Z1"}}, {}, {}};
  CHECK(RefusalOf(TryRequest(IssuingOcaProfile(), order)) == "good");
  Profile hosts = IssuingOcaProfile();
  hosts.extensions.push_back(
      {"subjectAltName", false, false, SubjectAltNameRule{{{GeneralNameKind::kDns, "meter_1.example.org"}}}});
  CHECK(RefusalOf(TryRequest(hosts, order)) == "X509-SAN-03");

  CrlProfile list;
  list.name = "arl";
  list.next_update = {1, 0, 0, 0};
  list.key_algorithms = {base::KeyAlgorithm::kEcP256};
  list.issuing_distribution_point = IssuingDistributionPointRule{CrlScope::kCaCertificates, "http://example.org/a.crl"};
  list.reasons = {RevocationReason::kCaCompromise, RevocationReason::kCertificateHold};
  CHECK(RefusalOf(TryCrl(list, {}, {})) == "good");
  CHECK(RefusalOf(TryCrl(list, base::ToBytes(RootOca().tbs().subject), {RevocationReason::kCaCompromise})) == "good");
  CHECK(RefusalOf(TryCrl(list, {}, {RevocationReason::kCertificateHold})) == "CRL-REASON-03");
  list.invalidity_date = Use::kRequired;
  CHECK(RefusalOf(TryCrl(
            list, {}, std::vector<std::optional<RevocationReason>>(300, RevocationReason::kCaCompromise))) == "good");
  list.issuing_distribution_point->uri = "example";
  CHECK(RefusalOf(TryCrl(list, {}, {})) == "X509-SAN-03");
}
