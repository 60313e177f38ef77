#include "ceremony/x509/lint_webpki.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "ceremony/x509/lint.h"
#include "tests/unit/x509/der_tree.h"
#include "tests/unit/x509/support.h"
#include "tests/unit/x509/test_keys.h"

using namespace ceremony::x509;
using namespace test;

namespace {

using Change = std::function<void(Profile&)>;

std::string Judge(base::ByteView der, Domain domain) {
  Findings findings(der);
  CertificateView view;
  Linter(domain).CheckCertificate(der, view, findings);
  return Ids(findings.list());
}

Profile WebRoot() {
  Profile profile = RootOcaProfile();
  profile.name = "web-root";
  profile.subject = {{"C", StringEncoding::kPrintableString, "GB"},
                     {"O", StringEncoding::kUtf8String, "Example"},
                     {"CN", StringEncoding::kUtf8String, "Example Root"}};
  profile.validity = RelativeValidity{20, 0, 0};
  profile.extensions = {{"basicConstraints", true, false, BasicConstraintsRule{true, std::nullopt}},
                        {"keyUsage", true, false, KeyUsageRule{kKeyCertSign | kCrlSign}},
                        {"subjectKeyIdentifier", false, false, SubjectKeyIdentifierRule{1}}};
  return profile;
}

Profile WebIssuing() {
  Profile profile = WebRoot();
  profile.name = "web-issuing";
  profile.self_signed = false;
  profile.subject[2].value = "Example E1";
  profile.validity = RelativeValidity{10, 0, 0};
  profile.extensions = {
      {"basicConstraints", true, false, BasicConstraintsRule{true, 0}},
      {"keyUsage", true, false, KeyUsageRule{kDigitalSignature | kKeyCertSign | kCrlSign}},
      {"extKeyUsage", false, false, ExtendedKeyUsageRule{{"serverAuth", "clientAuth"}}},
      {"certificatePolicies", false, false, CertificatePoliciesRule{{{"2.23.140.1.2.1", "http://a.example/cps"}}}},
      {"cRLDistributionPoints", false, false, CrlDistributionPointsRule{{"http://a.example/r.crl"}}},
      {"authorityInfoAccess", false, false, AuthorityInfoAccessRule{{{"caIssuers", "http://a.example/r.cer"}}}},
      {"subjectKeyIdentifier", false, false, SubjectKeyIdentifierRule{1}},
      {"authorityKeyIdentifier", false, false, AuthorityKeyIdentifierRule{}}};
  return profile;
}

std::string Root(const Change& change, Domain domain = Domain::kWebPki) {
  Profile profile = WebRoot();
  change(profile);
  return Judge(Issue(profile, RootInput(kP256), kP256).der(), domain);
}

TbsInput IssuingInput() {
  const Certificate root = Issue(WebRoot(), RootInput(kP256), kP256);
  TbsInput input = RootInput(kP256Other);
  input.authority = Authority{base::ToBytes(root.tbs().subject), KeyIdentifier(root.tbs().spki.bits, 1),
                              base::ToBytes(root.tbs().serial), base::ToBytes(root.tbs().issuer)};
  return input;
}

// Nobody signs what breaks these rules: it is judged before.
std::string Issuing(const Change& change, Domain domain = Domain::kByPolicy) {
  Profile profile = WebIssuing();
  change(profile);
  const Tbs tbs = *BuildTbs(profile, IssuingInput());
  Findings findings(tbs.der());
  TbsView view;
  Linter(domain).CheckTbs(tbs.der(), view, findings);
  return Ids(findings.list());
}

void Drop(Profile& profile, std::string_view type) {
  std::erase_if(profile.extensions, [&](const ExtensionRule& rule) { return rule.type == type; });
}

ExtensionRule& At(Profile& profile, std::string_view type) {
  for (ExtensionRule& rule : profile.extensions) {
    if (rule.type == type) return rule;
  }
  FAIL("no such extension");
  return profile.extensions.front();
}

}  // namespace

TEST_CASE("WEB-SERIAL-01: a serial number is long enough that nobody foresees it") {
  DerTree tree = DerTree::Parse(Issue(WebRoot(), RootInput(kP256), kP256).der());
  const auto serial = [&](const char* octets, Domain domain) {
    tree.At({0, 1}).content = Hex(octets);
    return Judge(tree.Encode(), domain);
  };
  CHECK(serial("0102030405060708", Domain::kWebPki) == "");
  CHECK(serial("01020304050607", Domain::kWebPki) == "WEB-SERIAL-01");
  CHECK(serial("01", Domain::kNone) == "");
}

TEST_CASE("a root of the public web is held to its names, its time and what it does not have") {
  CHECK(Root([](Profile&) {}) == "");
  CHECK(Root([](Profile& p) { p.subject.erase(p.subject.begin()); }) == "WEB-NAME-01");
  CHECK(Root([](Profile& p) { p.subject.resize(1); }) == "WEB-NAME-01, WEB-NAME-01");
  CHECK(Root([](Profile& p) { p.validity = RelativeValidity{0, 0, 2921}; }) == "WEB-TIME-01");
  CHECK(Root([](Profile& p) { p.validity = RelativeValidity{0, 0, 2922}; }) == "");
  CHECK(Root([](Profile& p) { p.validity = RelativeValidity{0, 0, 9132}; }) == "");
  CHECK(Root([](Profile& p) { p.validity = RelativeValidity{0, 0, 9133}; }) == "WEB-TIME-01");
  CHECK(Root([](Profile& p) { At(p, "keyUsage").value = KeyUsageRule{kKeyCertSign}; }) == "WEB-USAGE-01");
  CHECK(Root([](Profile& p) {
          p.extensions.push_back({"extKeyUsage", false, false, ExtendedKeyUsageRule{{"serverAuth"}}});
        }) == "WEB-ROOT-01");
  CHECK(Root([](Profile& p) {
          p.extensions.push_back({"certificatePolicies", false, false, CertificatePoliciesRule{{{"2.5.29.32.0", ""}}}});
        }) == "WEB-ROOT-02");
  CHECK(Root([](Profile& p) { At(p, "basicConstraints").value = BasicConstraintsRule{true, 1}; }) == "WEB-ROOT-02");
  // Without a policy for servers it is judged only when that is asked for.
  CHECK(Root([](Profile& p) { p.subject.resize(1); }, Domain::kByPolicy) == "");
}

TEST_CASE("an issuing CA of the public web is held to its policies, purposes and places") {
  CHECK(Issuing([](Profile&) {}) == "");
  CHECK(Issuing([](Profile&) {}, Domain::kWebPki) == "");
  for (const char* type : {"extKeyUsage", "cRLDistributionPoints"})
    CHECK(Issuing([&](Profile& p) { Drop(p, type); }) == "WEB-ISSUER-01");
  CHECK(Issuing([](Profile& p) { Drop(p, "certificatePolicies"); }, Domain::kWebPki) == "WEB-ISSUER-01");
  CHECK(Issuing([](Profile& p) { At(p, "certificatePolicies").critical = true; }) == "WEB-ISSUER-01");
  CHECK(Issuing([](Profile& p) { At(p, "extKeyUsage").critical = true; }) == "WEB-ISSUER-01");
  const auto purposes = [](std::vector<std::string> names) {
    return Issuing([&](Profile& p) { At(p, "extKeyUsage").value = ExtendedKeyUsageRule{names}; });
  };
  CHECK(purposes({"serverAuth"}) == "");
  CHECK(purposes({"clientAuth"}) == "WEB-EKU-01");
  CHECK(purposes({"serverAuth", "codeSigning"}) == "WEB-EKU-01");
  const auto policies = [](std::vector<PolicyRule> list, Domain domain = Domain::kWebPki) {
    return Issuing([&](Profile& p) { At(p, "certificatePolicies").value = CertificatePoliciesRule{list}; }, domain);
  };
  CHECK(policies({{"2.23.140.1.1", ""}}, Domain::kByPolicy) == "");
  CHECK(policies({{"2.5.29.32.0", ""}}) == "");
  CHECK(policies({{"1.2.3.4", ""}}) == "WEB-POLICY-01");
  CHECK(policies({{"1.2.3.4", ""}, {"2.23.140.1.2.2", ""}}) == "");
  CHECK(policies({{"2.23.140.1.2.2", "", "Read this"}}) == "WEB-POLICY-01");
  CHECK(policies({{"1.2.3.4", ""}}, Domain::kByPolicy) == "");
  CHECK(Issuing([](Profile& p) {
          At(p, "cRLDistributionPoints").value = CrlDistributionPointsRule{{"https://a.example/r.crl"}};
        }) == "WEB-URI-01");
  CHECK(Issuing([](Profile& p) {
          At(p, "authorityInfoAccess").value = AuthorityInfoAccessRule{{{"ocsp", "ldap://a.example/r"}}};
        }) == "WEB-URI-01");
  // A list of another issuer, and one of some reasons alone.
  for (const char* point : {"302a3028a014a0128610687474703a2f2f612e622f722e63726ca210a40e300c310a30080603550403130141",
                            "301c301aa014a0128610687474703a2f2f612e622f722e63726c81020640"}) {
    DerTree tree = DerTree::Parse(Issue(WebIssuing(), IssuingInput(), kP256).der());
    tree.At({0, 7, 0, 4, 1}).content = Hex(point);
    CHECK(Judge(tree.Encode(), Domain::kByPolicy) == "WEB-URI-01");
  }
  CHECK(Issuing([](Profile& p) {
          At(p, "authorityKeyIdentifier").value =
              AuthorityKeyIdentifierRule{AuthorityKeyForm::kKeyIdentifierIssuerAndSerial};
        }) == "WEB-AKI-01");
}

TEST_CASE("a certificate that is no CA's is not judged by the rules of the public web") {
  CHECK(Issuing([](Profile& p) {
          Drop(p, "basicConstraints");
          At(p, "keyUsage").value = KeyUsageRule{kDigitalSignature};
          p.subject.resize(1);
        }) == "");
}
