// Extensions from a profile, each built, read by two decoders of ours and
// OpenSSL's, and judged by the program openssl.
#include <doctest/doctest.h>

#include "ceremony/x509/certificate.h"
#include "ceremony/x509/lint.h"
#include "tests/unit/x509/support.h"
#include "tests/unit/x509/test_keys.h"

using namespace ceremony::x509;
using namespace test;

namespace {

Profile With(ExtensionRule rule) {
  Profile profile = WithoutDomain(IssuingOcaProfile());
  profile.extensions.push_back(std::move(rule));
  return profile;
}

TbsInput Input() {
  const Certificate root = RootOca();
  TbsInput input = RootInput(kP256Other);
  input.subject = {{"CN", "Z1"}};
  input.authority = Authority{base::ToBytes(root.tbs().subject), KeyIdentifier(root.tbs().spki.bits, 2), {}, {}};
  return input;
}

std::string OpensslText(const Certificate& certificate) {
  const Folder folder;
  return Run("openssl x509 -noout -text -in " + folder.Write("c.pem", certificate.Pem())).text;
}

std::string LastText(const Certificate& certificate) { return certificate.fields().extensions.back().text; }

bool Contains(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE("not found: " << part << "\n" << text);
  return found;
}

std::string ProfileRule(const Profile& profile) {
  const auto findings = CheckProfile(profile);
  return findings.empty() ? "good" : std::string(findings.front().facts().id);
}

}  // namespace

TEST_CASE("alternative names, an EUI-64 in a hardware module's among them, are what the profile and the script say") {
  Profile profile = With({"subjectAltName", false, false,
                          SubjectAltNameRule{{{GeneralNameKind::kHardwareModule, std::nullopt, "1.2.826.0.1.1"},
                                              {GeneralNameKind::kDns, "ca.example.org"},
                                              {GeneralNameKind::kEmail, "ca@example.org"},
                                              {GeneralNameKind::kUri, "https://example.org/ca"},
                                              {GeneralNameKind::kIp, "192.0.2.1"},
                                              {GeneralNameKind::kIp, "2001:db8::1"}}}});
  TbsInput input = Input();
  CHECK(BuildTbs(profile, input).error().rule == "TBS-EXT-01");
  input.alternative_names = {{"hardwareModuleName", "00112233445566"}};
  CHECK(BuildTbs(profile, input).error().rule == "TBS-EXT-01");
  input.alternative_names = {{"hardwareModuleName", "0011223344556677"}, {"dNSName", "other.example.org"}};
  CHECK(BuildTbs(profile, input).error().rule == "TBS-EXT-01");
  input.alternative_names = {{"hardwareModuleName", "0011223344556677"}};
  const Certificate certificate = Issue(profile, input, kP256);
  CHECK(LastText(certificate) ==
        "hardware module 1.2.826.0.1.1 serial 0011223344556677, DNS ca.example.org, email ca@example.org, URI "
        "https://example.org/ca, IP 192.0.2.1, IP 2001:db8::1");
  CHECK(Contains(OpensslText(certificate),
                 "DNS:ca.example.org, email:ca@example.org, URI:https://example.org/ca, IP Address:192.0.2.1, IP "
                 "Address:2001:DB8:0:0:0:0:0:1"));
  const Folder folder;
  const std::string parsed =
      Run("openssl asn1parse -strparse $(openssl asn1parse -in " + folder.path() + "/c.pem" +
          " | grep -A1 'Subject Alternative' | tail -1 | cut -d: -f1) -in " + folder.Write("c.pem", certificate.Pem()))
          .text;
  CHECK(Contains(parsed, ":1.3.6.1.5.5.7.8.4"));
  CHECK(Contains(parsed, "OCTET STRING      [HEX DUMP]:0011223344556677"));
}

TEST_CASE(
    "distribution points, access descriptions, name constraints and notices are read by openssl as the profile says") {
  const Certificate points =
      Issue(With({"cRLDistributionPoints", false, false,
                  CrlDistributionPointsRule{{"http://example.org/a.crl", "http://example.org/b.crl"}}}),
            Input(), kP256);
  CHECK(LastText(points) == "URI http://example.org/a.crl, URI http://example.org/b.crl");
  CHECK(Contains(OpensslText(points), "URI:http://example.org/b.crl"));

  const Certificate access = Issue(With({"authorityInfoAccess", false, false,
                                         AuthorityInfoAccessRule{{{"ocsp", "http://ocsp.example.org"},
                                                                  {"caIssuers", "http://example.org/ca.cer"}}}}),
                                   Input(), kP256);
  CHECK(LastText(access) == "ocsp URI http://ocsp.example.org, caIssuers URI http://example.org/ca.cer");
  CHECK(Contains(OpensslText(access), "OCSP - URI:http://ocsp.example.org"));
  CHECK(Contains(OpensslText(access), "CA Issuers - URI:http://example.org/ca.cer"));

  const Certificate constraints =
      Issue(With({"nameConstraints", true, false,
                  NameConstraintsRule{{{GeneralNameKind::kDns, "example.org"}, {GeneralNameKind::kIp, "192.0.2.0/24"}},
                                      {{GeneralNameKind::kEmail, ".example.net"}}}}),
            Input(), kP256);
  CHECK(LastText(constraints) == "permitted DNS example.org, permitted IP 192.0.2.0/24, excluded email .example.net");
  CHECK(Contains(OpensslText(constraints), "IP:192.0.2.0/255.255.255.0"));
  CHECK(Contains(OpensslText(constraints), "Excluded:\n                  email:.example.net"));

  Profile noticed = IssuingOcaProfile();
  noticed.extensions[2].value =
      CertificatePoliciesRule{{{"1.2.3.4", "https://example.org/cps", "for devices of one operator"}}};
  const Certificate notice = Issue(noticed, Input(), kP256);
  CHECK(Contains(OpensslText(notice),
                 "CPS: https://example.org/cps\n                  User Notice:\n"
                 "                    Explicit Text: for devices of one operator"));
  for (const Certificate* each : {&points, &access, &constraints, &notice})
    CHECK(Ids(LintCertificate(each->der())) == "");
}

TEST_CASE("extensions that contradict themselves are refused with the profile") {
  const auto names = [](AlternativeNameRule name) {
    return ProfileRule(With({"subjectAltName", false, false, SubjectAltNameRule{{std::move(name)}}}));
  };
  CHECK(names({GeneralNameKind::kDns, "example.org"}) == "good");
  CHECK(names({GeneralNameKind::kDns, "ex ample"}) == "PROFILE-07");
  CHECK(names({GeneralNameKind::kEmail, "example.org"}) == "PROFILE-07");
  CHECK(names({GeneralNameKind::kUri, "example"}) == "PROFILE-07");
  CHECK(names({GeneralNameKind::kIp, "192.0.2.0/24"}) == "PROFILE-07");
  CHECK(names({GeneralNameKind::kIp, "192.0.2"}) == "PROFILE-07");
  CHECK(names({GeneralNameKind::kHardwareModule, std::nullopt, "x"}) == "PROFILE-07");
  CHECK(ProfileRule(With({"subjectAltName", false, false, SubjectAltNameRule{}})) == "PROFILE-07");
  CHECK(ProfileRule(With({"authorityInfoAccess", true, false, AuthorityInfoAccessRule{{{"ocsp", "http://a"}}}})) ==
        "PROFILE-07");
  CHECK(ProfileRule(With({"authorityInfoAccess", false, false,
                          AuthorityInfoAccessRule{{{"serverAuth", "http://a"}}}})) == "PROFILE-07");
  const auto constraints = [](const std::string& network) {
    return ProfileRule(
        With({"nameConstraints", true, false, NameConstraintsRule{{{GeneralNameKind::kIp, network}}, {}}}));
  };
  CHECK(constraints("192.0.2.0/24") == "good");
  CHECK(constraints("192.0.2.1/24") == "PROFILE-07");
  CHECK(constraints("192.0.2.0/33") == "PROFILE-07");
  CHECK(constraints("192.0.2.0") == "PROFILE-07");
}

TEST_CASE("a profile that its issuer's does not allow is found") {
  const auto rules = [](const Profile& profile, const Profile& issuer) {
    return Ids(CheckProfileAgainst(profile, issuer));
  };
  CHECK(rules(IssuingOcaProfile(), RootOcaProfile()) == "");
  CHECK(rules(IssuingOcaProfile(), IssuingOcaProfile()) == "PROFILE-10");
  Profile longer = IssuingOcaProfile();
  longer.validity = IndefiniteValidity{};
  CHECK(rules(longer, RootOcaProfile()) == "PROFILE-11");
  // Which of a date and a span ends first depends on when it begins.
  const std::int64_t year = std::int64_t{365} * 86400;
  Profile dated_root = RootOcaProfile();
  dated_root.validity = FixedValidity{kNow, kNow + 30 * year};
  Profile dated = IssuingOcaProfile();
  dated.validity = FixedValidity{kNow, kNow + 20 * year};
  CHECK(rules(dated, RootOcaProfile()) == "");
  CHECK(rules(dated, dated_root) == "");
  CHECK(rules(IssuingOcaProfile(), dated_root) == "");
  CHECK(rules(longer, dated_root) == "PROFILE-11");
  dated.validity = FixedValidity{kNow, kNow + 31 * year};
  CHECK(rules(dated, dated_root) == "PROFILE-11");
  Profile root = RootOcaProfile();
  root.extensions[1].value = BasicConstraintsRule{true, 1};
  CHECK(rules(IssuingOcaProfile(), root) == "");
  Profile deep = IssuingOcaProfile();
  deep.extensions[1].value = BasicConstraintsRule{true, 1};
  CHECK(rules(deep, root) == "PROFILE-10");
  root = RootOcaProfile();
  root.extensions[0].value = KeyUsageRule{kCrlSign};
  CHECK(rules(IssuingOcaProfile(), root) == "PROFILE-12");
  root = RootOcaProfile();
  root.key_algorithms = {base::KeyAlgorithm::kEcP384};
  CHECK(rules(IssuingOcaProfile(), root) == "PROFILE-13");
  root = RootOcaProfile();
  root.extensions.erase(root.extensions.begin() + 3);
  CHECK(rules(IssuingOcaProfile(), root) == "PROFILE-15");
}
