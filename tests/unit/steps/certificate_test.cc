// What `check` holds certificates to: R1, RFC 5280 section 4.2.1 and 6.1.
#include <doctest/doctest.h>

#include "tests/unit/steps/plan_fixture.h"

namespace {

using namespace plan_fixture;
using nlohmann::json;

json Profile(const std::string& id, bool self_signed, json validity, json subject, json basic) {
  json extensions = json::array({{{"type", "keyUsage"}, {"critical", true}, {"usage", {"keyCertSign", "cRLSign"}}},
                                 std::move(basic),
                                 {{"type", "subjectKeyIdentifier"}, {"critical", false}, {"method", 2}}});
  if (!self_signed)
    extensions.push_back({{"type", "authorityKeyIdentifier"}, {"critical", false}, {"form", "keyIdentifier"}});
  return {{"format", "keyceremony-profile/1"},
          {"id", id},
          {"version", "1.0"},
          {"title", id},
          {"clause", "none"},
          {"certificate", self_signed ? "root" : "issuing"},
          {"self_signed", self_signed},
          {"subject", std::move(subject)},
          {"validity", std::move(validity)},
          {"serial_octets", 16},
          {"keys", {"ec-p256"}},
          {"signature", "ecdsa-with-SHA256"},
          {"extensions", std::move(extensions)}};
}

json Basic(int path_length) {
  json rule = {{"type", "basicConstraints"}, {"critical", true}, {"ca", true}};
  if (path_length >= 0) rule["path_length"] = path_length;
  return rule;
}

json Years(int years) { return {{"lasts", "relative"}, {"years", years}}; }
json OpenName() { return json::array({{{"type", "CN"}, {"encoding", "PrintableString"}, {"max_length", 16}}}); }

json Generate(const std::string& key) {
  return {{"id", "generate-" + key}, {"do", "key.generate"}, {"quorum", "custodians"},
          {"token", "hsm"},          {"key", key},           {"algorithm", "ec-p256"}};
}
json SelfSign(const std::string& key) {
  return {{"id", "root-" + key}, {"do", "cert.self-sign"}, {"quorum", "custodians"}, {"token", "hsm"},
          {"key", key},          {"profile", "root"},      {"certificate", key},     {"subject", {{"CN", "Root"}}}};
}
json Issue(const std::string& name, const std::string& issuer, const std::string& key, const std::string& subject,
           const std::string& profile = "issuing") {
  return {{"id", "issue-" + name}, {"do", "cert.issue"},  {"quorum", "custodians"},
          {"token", "hsm"},        {"issuer", issuer},    {"key", key},
          {"profile", profile},    {"certificate", name}, {"subject", {{"CN", subject}}}};
}

// A script that makes root and Z1; each test adds or changes one thing.
struct Hierarchy : Files {
  Hierarchy() {
    script["profiles"] = {{"root", "root.json"}, {"issuing", "issuing.json"}};
    profiles["root"] = Profile("root", true, Years(50), OpenName(), Basic(-1));
    profiles["issuing"] = Profile("issuing", false, Years(25), OpenName(), Basic(0));
    for (json step : {Generate("root"), SelfSign("root"), Generate("z1"), Issue("z1", "root", "z1", "Z1")})
      steps().push_back(std::move(step));
  }
};

std::vector<std::string> With(Hierarchy files, std::initializer_list<json> more) {
  for (const json& step : more) files.steps().push_back(step);
  return FindingsOf(files);
}

}  // namespace

TEST_CASE("a root and an issuing CA with a key of its own have no findings") {
  CHECK(FindingsOf(Hierarchy()) == std::vector<std::string>{});
}

TEST_CASE("one key under two CA names is refused at the desk, whoever issues") {
  CHECK(With(Hierarchy(), {Issue("z2", "root", "z1", "Z2")}) ==
        std::vector<std::string>{"EST-NAME-01 breach issue-z2: certificate z2 names CN=Z2 (PrintableString) as the "
                                 "owner of key z1, which belongs to CN=Z1 (PrintableString)"});
  CHECK(With(Hierarchy(), {Issue("z1-again", "root", "z1", "Z1")}) == std::vector<std::string>{});
}

TEST_CASE("a root does not issue for its own key") {
  CHECK(With(Hierarchy(), {Issue("self", "root", "root", "Root")}) ==
        std::vector<std::string>{"PLAN-CERT-06 breach issue-self: key root would certify itself under its own name "
                                 "CN=Root (PrintableString)"});
}

TEST_CASE("keys and issuers must be there before they are used") {
  CHECK(With(Hierarchy(), {Issue("z2", "nobody", "z1", "Z2"), Issue("z3", "root", "none", "Z3")}) ==
        std::vector<std::string>{"PLAN-CERT-01 breach issue-z2: by this step there is no certificate nobody",
                                 "PLAN-KEY-02 breach issue-z3: by this step nobody has made a key none"});
}

TEST_CASE("below a CA with path length 0 there is no CA") {
  Hierarchy files;
  files.script["profiles"]["below"] = "below.json";
  files.profiles["below"] = Profile("below", false, Years(5), OpenName(), Basic(0));
  CHECK(With(files, {Generate("z2"), Issue("z2", "z1", "z2", "Z2", "below")}) ==
        std::vector<std::string>{"PROFILE-10 breach issue-z2: profile below under issuing: the issuer has the path "
                                 "length 0, below which no CA stands"});
  CHECK(With(Hierarchy(), {Issue("root-2", "root", "z1", "Z1", "issuing")}) == std::vector<std::string>{});
}

TEST_CASE("a certificate does not outlive its issuer") {
  Hierarchy files;
  files.profiles["issuing"] = Profile("issuing", false, {{"lasts", "indefinite"}}, OpenName(), Basic(0));
  CHECK(FindingsOf(files) ==
        std::vector<std::string>{"PROFILE-11 breach issue-z1: profile issuing under root: valid for until "
                                 "99991231235959Z where the issuer is for 50 years"});
  files.profiles["issuing"] = Profile("issuing", false, Years(50), OpenName(), Basic(0));
  CHECK(FindingsOf(files) ==
        std::vector<std::string>{"PLAN-CERT-05 breach issue-z1: certificates of profile issuing are valid until "
                                 "2020-01-01 00:00:00 UTC, their issuer root only until 2019-12-31 23:59:59 UTC"});
  files.profiles["root"] = Profile("root", true, {{"lasts", "indefinite"}}, OpenName(), Basic(-1));
  CHECK(FindingsOf(files) == std::vector<std::string>{});
}

TEST_CASE("PLAN-CERT-05: a date is held against a span from the day when the span begins") {
  const auto until = [](const char* end) {
    return json{{"lasts", "fixed"}, {"not_before", "2027-01-01T00:00:00Z"}, {"not_after", end}};
  };
  Hierarchy files;
  files.profiles["issuing"] = Profile("issuing", false, until("2050-01-01T00:00:00Z"), OpenName(), Basic(0));
  CHECK(FindingsOf(files) == std::vector<std::string>{});
  files.profiles["issuing"] = Profile("issuing", false, Years(25), OpenName(), Basic(0));
  files.profiles["root"] = Profile("root", true, until("2060-01-01T00:00:00Z"), OpenName(), Basic(-1));
  CHECK(FindingsOf(files) == std::vector<std::string>{});
  files.profiles["root"] = Profile("root", true, until("2050-12-31T23:59:59Z"), OpenName(), Basic(-1));
  CHECK(FindingsOf(files) ==
        std::vector<std::string>{"PLAN-CERT-05 breach issue-z1: certificates of profile issuing are valid until "
                                 "2051-12-31 23:59:59 UTC, their issuer root only until 2050-12-31 23:59:59 UTC"});
}

TEST_CASE("what the lint and the comparison of the room would refuse is found at the desk") {
  const auto found = [](json extension) {
    Hierarchy files;
    files.profiles["issuing"]["extensions"].push_back(std::move(extension));
    const auto says = FindingsOf(files);
    return says.size() == 1 ? says.front().substr(0, says.front().find(" certificate: ")) : std::to_string(says.size());
  };
  const auto named = [](const char* kind, const char* value) {
    return json{{"type", "subjectAltName"}, {"critical", false}, {"names", {{{"kind", kind}, {"value", value}}}}};
  };
  CHECK(found(named("dNSName", "meter-1.example.org")) == "0");
  CHECK(found(named("dNSName", "meter_1.example.org")) ==
        "X509-SAN-03 breach issue-z1: the room would refuse it: to-be-signed");
  CHECK(found(named("iPAddress", "2001:DB8::1")).starts_with("COMPARE-01 breach issue-z1: the room would refuse it"));
}

TEST_CASE("PLAN-CERT-04: a path length counts over every CA above, which no pair of profiles says") {
  Hierarchy files;
  files.profiles["root"] = Profile("root", true, Years(50), OpenName(), Basic(1));
  files.profiles["issuing"] = Profile("issuing", false, Years(25), OpenName(), Basic(0));
  CHECK(FindingsOf(files) == std::vector<std::string>{});
  namespace estate = ceremony::estate;
  estate::Estate archive;
  const estate::Provenance then{"0001-first", 3, "2026-01-01T00:00:00.000000Z"};
  REQUIRE(
      archive.Apply(estate::TokenCommissioned{"old", "old", "S1", "M", "M", "1", "live", "organisation"}, then).ok());
  REQUIRE(archive.Apply(estate::KeyCreated{"old-ca", "ec-p256", "sign", "aa", "old", "S1", "0a", false}, then).ok());
  estate::CertificateIssued above;
  above.certificate = above.key = above.issuer_key = above.issuer_certificate = "old-ca";
  above.subject = "CN=Old";
  above.serial = "41";
  above.key_usage = "keyCertSign";
  above.ca = true;
  above.path_length = 0;
  above.not_before = "2026-01-01T00:00:00Z";
  above.not_after = "2099-01-01T00:00:00Z";
  REQUIRE(archive.Apply(above, then).ok());
  files.script["tokens"]["old"] = {{"role", "live"}, {"domain", "organisation"}, {"description", "the old HSM"}};
  files.binding["tokens"]["old"] = {{"module", "/usr/lib/m.so"}, {"label", "OLD"}, {"serial", "S1"}, {"site", "Leeds"}};
  json step = Issue("z9", "old-ca", "z1", "Z1");
  step["token"] = "old";
  files.steps().push_back(step);
  CHECK(FindingsOf(files, archive) ==
        std::vector<std::string>{
            "PLAN-CERT-04 breach issue-z9: certificate z9 is of a CA, and below old-ca there may be none"});
}

TEST_CASE("a revoked CA issues nothing, and neither does one that is none") {
  namespace estate = ceremony::estate;
  estate::Estate archive;
  const estate::Provenance then{"0001-first", 3, "2026-01-01T00:00:00.000000Z"};
  REQUIRE(
      archive.Apply(estate::TokenCommissioned{"old", "old", "S1", "M", "M", "1", "live", "organisation"}, then).ok());
  REQUIRE(archive.Apply(estate::KeyCreated{"old-ca", "ec-p256", "sign", "aa", "old", "S1", "0a", false}, then).ok());
  estate::CertificateIssued certificate;
  certificate.certificate = "old-ca";
  certificate.key = "old-ca";
  certificate.issuer_key = "old-ca";
  certificate.issuer_certificate = "old-ca";
  certificate.subject = "CN=Old";
  certificate.key_usage = "digitalSignature";
  certificate.not_before = "2026-01-01T00:00:00Z";
  certificate.not_after = "2099-01-01T00:00:00Z";
  REQUIRE(archive.Apply(certificate, then).ok());
  REQUIRE(
      archive.Apply(estate::CertificateRevoked{"old-ca", "cACompromise", "2026-02-01T00:00:00Z", "arl-1"}, then).ok());
  Hierarchy files;
  files.script["tokens"]["old"] = {{"role", "live"}, {"domain", "organisation"}, {"description", "the old HSM"}};
  files.binding["tokens"]["old"] = {{"module", "/usr/lib/m.so"}, {"label", "OLD"}, {"serial", "S1"}, {"site", "Leeds"}};
  json step = Issue("z9", "old-ca", "z1", "Z1");
  step["token"] = "old";
  files.steps().push_back(step);
  const std::vector<std::string> says = FindingsOf(files, archive);
  CHECK(says == std::vector<std::string>{
                    "PLAN-CERT-02 breach issue-z9: certificate old-ca is not of a CA that signs certificates (not a "
                    "CA, key usage digitalSignature)",
                    "PLAN-CERT-03 breach issue-z9: certificate old-ca is revoked by CRL arl-1 (cACompromise)"});
}

TEST_CASE("profile and step agree on who signs") {
  Hierarchy files;
  files.step(3)["profile"] = "issuing";
  files.step(5)["profile"] = "root";
  const auto says = FindingsOf(files);
  CHECK(says.at(0) == "PLAN-PROFILE-01 breach root-root: profile issuing is not of a self-signed certificate");
}

TEST_CASE("a cross-certificate repeats the name of the other, byte by byte") {
  Hierarchy files;
  files.script["profiles"]["cross"] = "cross.json";
  files.profiles["cross"] =
      Profile("cross", false, Years(10),
              json::array({{{"type", "CN"}, {"encoding", "UTF8String"}, {"max_length", 16}}}), Basic(-1));
  json other = SelfSign("root-2");
  other["subject"] = {{"CN", "Root 2"}};
  const json cross = {
      {"id", "cross"},    {"do", "cert.cross-sign"}, {"quorum", "custodians"}, {"token", "hsm"},
      {"issuer", "root"}, {"of", "root-2"},          {"profile", "cross"},     {"certificate", "root-2-by-root"}};
  CHECK(With(files, {Generate("root-2"), other, cross}) ==
        std::vector<std::string>{"PLAN-CERT-07 breach cross: the profile makes the subject CN=Root 2 (UTF8String), "
                                 "certificate root-2 has CN=Root 2 (PrintableString)",
                                 "EST-NAME-02 breach cross: certificate root-2-by-root spells the CA of key root-2 as "
                                 "CN=Root 2 (UTF8String), and it is CN=Root 2 (PrintableString) until now"});
  files.profiles["cross"] = Profile("cross", false, Years(10), OpenName(), Basic(-1));
  CHECK(With(files, {Generate("root-2"), other, cross}) == std::vector<std::string>{});
}
