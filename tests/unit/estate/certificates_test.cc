// Whose a key is, and what becomes of certificates: R1, R6 and RFC 5280.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "ceremony/estate/due.h"
#include "ceremony/estate/estate.h"
#include "hsm/base/clock_text.h"

namespace {

using namespace ceremony::estate;

const Provenance kFirst{"0001-root", 12, "2026-01-01T00:00:00.000000Z"};

std::string RuleOf(const base::Result<void>& result) { return result.ok() ? "" : result.error().rule; }

CertificateIssued Issued(const std::string& name, const std::string& key, const std::string& subject) {
  CertificateIssued effect;
  effect.certificate = name;
  effect.key = key;
  effect.issuer_key = "root";
  effect.subject = subject;
  effect.ca = true;
  return effect;
}

KeyImported Imported(const std::string& key, const std::string& spki, const std::string& subject) {
  return {key, "ec-p256", spki, subject, "", "", "00", "requests/" + key + ".der"};
}

CrlIssued Arl(const std::string& name, std::int64_t number) {
  CrlIssued effect;
  effect.crl = name;
  effect.issuer_key = "root";
  effect.issuer_der = "MAA=";
  effect.number = number;
  return effect;
}

Estate WithKeys() {
  Estate estate;
  REQUIRE(estate.Apply(TokenCommissioned{"hsm", "hsm", "S1", "M", "M", "1", "live", "d"}, kFirst).ok());
  REQUIRE(estate.Apply(KeyCreated{"root", "ec-p256", "sign", "aa", "hsm", "S1", "0a", false}, kFirst).ok());
  REQUIRE(estate.Apply(KeyCreated{"z1", "ec-p256", "sign", "bb", "hsm", "S1", "0b", false}, kFirst).ok());
  REQUIRE(estate.Apply(Issued("root", "root", "CN=Root"), kFirst).ok());
  return estate;
}

}  // namespace

TEST_CASE("a key is certified under one name for ever, however often") {
  Estate estate = WithKeys();
  REQUIRE(estate.Apply(Issued("z1", "z1", "CN=Z1"), kFirst).ok());
  CHECK(estate.FindKey("z1")->owner.Text() == "CN=Z1");
  CHECK(estate.Apply(Issued("z1-renewed", "z1", "CN=Z1"), kFirst).ok());
  const auto second = estate.Apply(Issued("z2", "z1", "CN=Z2"), kFirst);
  CHECK(RuleOf(second) == "EST-NAME-01");
  CHECK(second.error().message == "certificate z2 names CN=Z2 as the owner of key z1, which belongs to CN=Z1");
  CHECK(estate.FindCertificate("z2") == nullptr);
  CHECK(RuleOf(estate.Apply(Issued("z3", "root", "CN=Z3"), kFirst)) == "EST-NAME-01");
  CHECK(RuleOf(estate.Apply(RequestCreated{"r", "p", "z1", "CN=Z4", "", "", "", ""}, kFirst)) == "EST-NAME-01");
}

TEST_CASE("a certificate is due until there is a later one of its name and profile, or its key is out of use") {
  const std::int64_t now = *base::ParseDayOrTime("2027-01-01");
  Folded folded;
  folded.estate = WithKeys();
  const auto due = [&] {
    std::vector<std::string> names;
    for (const DueItem& item : DueOf(folded, now, 30)) {
      if (item.what == "renew the certificate") names.push_back(item.subject);
    }
    return names;
  };
  const auto issue = [&](const char* name, const char* key, const char* profile, const char* not_after) {
    CertificateIssued issued = Issued(name, key, "CN=Z1");
    issued.profile = profile;
    issued.not_after = not_after;
    REQUIRE(folded.estate.Apply(issued, kFirst).ok());
  };
  issue("old", "z1", "issuing", "2026-12-01T00:00:00Z");
  issue("cross", "z1", "cross", "2026-12-02T00:00:00Z");
  CHECK(due() == std::vector<std::string>{"old", "cross"});
  // The next key of the same CA.
  REQUIRE(folded.estate.Apply(KeyCreated{"z1b", "ec-p256", "sign", "dd", "hsm", "S1", "0d", false}, kFirst).ok());
  issue("next", "z1b", "issuing", "2030-12-01T00:00:00Z");
  CHECK(due() == std::vector<std::string>{"cross"});
  REQUIRE(folded.estate.Apply(KeyDeactivated{"z1", "superseded", "", "", 0, "2028-01-01"}, kFirst).ok());
  CHECK(due().empty());
  // A later one that is revoked renews nothing.
  Folded revoked;
  revoked.estate = WithKeys();
  std::swap(folded, revoked);
  issue("old", "z1", "issuing", "2026-12-01T00:00:00Z");
  issue("next", "z1", "issuing", "2030-12-01T00:00:00Z");
  REQUIRE(folded.estate.Apply(CertificateRevoked{"next", "superseded", "2026-12-15T00:00:00Z", "arl"}, kFirst).ok());
  CHECK(due() == std::vector<std::string>{"old"});
}

TEST_CASE("an overdue list of authorities is not hidden by a later list of the same CA's users") {
  Folded folded;
  folded.estate = WithKeys();
  const auto issue = [&](const char* name, std::int64_t number, const char* profile, const char* next_update) {
    CrlIssued crl = Arl(name, number);
    crl.profile = profile;
    crl.next_update = next_update;
    REQUIRE(folded.estate.Apply(crl, kFirst).ok());
  };
  issue("arl-1", 1, "arl", "2025-06-01T00:00:00Z");
  issue("arl-2", 2, "arl", "2026-06-01T00:00:00Z");
  issue("crl-3", 3, "crl", "2026-12-31T00:00:00Z");
  issue("crl-4", 4, "crl", "2027-01-02T00:00:00Z");
  std::vector<std::string> due;
  for (const DueItem& item : DueOf(folded, *base::ParseDayOrTime("2027-01-01"), 30))
    due.push_back((item.overdue ? "OVERDUE " : "") + item.subject);
  CHECK(due == std::vector<std::string>{"OVERDUE arl-2", "crl-4"});
}

TEST_CASE("a name is the same however it is encoded, and for its bytes, not for what it looks like") {
  // CN=ZA and CN=za as PrintableString and UTF8String, and CN=ZB, by `openssl asn1parse -genstr`.
  const char* printable = "MA0xCzAJBgNVBAMTAlpB";
  const char* utf8 = "MA0xCzAJBgNVBAMMAnph";
  const char* another = "MA0xCzAJBgNVBAMTAlpC";
  Estate estate = WithKeys();
  CertificateIssued z1 = Issued("z1", "z1", "CN=ZA (PrintableString)");
  z1.subject_der = printable;
  REQUIRE(estate.Apply(z1, kFirst).ok());
  z1.certificate = "z1-utf8";
  z1.subject = "CN=za (UTF8String)";
  z1.subject_der = utf8;
  z1.ca = false;
  CHECK(estate.Apply(z1, kFirst).ok());
  z1.certificate = "z1-ca";
  z1.ca = true;
  const auto spelled = estate.Apply(z1, kFirst);
  CHECK(RuleOf(spelled) == "EST-NAME-02");
  CHECK(spelled.error().message ==
        "certificate z1-ca spells the CA of key z1 as CN=za (UTF8String), and it is CN=ZA (PrintableString) until now");
  z1.certificate = "z1-other";
  z1.subject_der = another;
  CHECK(RuleOf(estate.Apply(z1, kFirst)) == "EST-NAME-01");
}

TEST_CASE("a name that records from before NameText had quotes spell without them is still the same") {
  // CN=A, B=C as UTF8String.
  const char* der = "MBExDzANBgNVBAMMBkEsIEI9Qw==";
  Estate estate = WithKeys();
  REQUIRE(estate.Apply(Issued("z1", "z1", "CN=A, B=C (UTF8String)"), kFirst).ok());
  CertificateIssued again = Issued("z1-again", "z1", "CN=\"A, B=C\" (UTF8String)");
  again.subject_der = der;
  CHECK(estate.Apply(again, kFirst).ok());
  again.certificate = "z1-other";
  again.subject = "CN=A (UTF8String)";
  again.subject_der = "MAwxCjAIBgNVBAMMAUE=";
  CHECK(RuleOf(estate.Apply(again, kFirst)) == "EST-NAME-01");
}

TEST_CASE("a device without a subject is known by its alternative name") {
  Estate estate = WithKeys();
  CertificateIssued device = Issued("d1", "z1", "(empty)");
  device.subject_der = "MAA=";  // the empty Name
  device.alternative_name = "hardwareModuleName 01";
  REQUIRE(estate.Apply(device, kFirst).ok());
  CHECK(estate.FindKey("z1")->owner.Text() == "hardwareModuleName 01");
  device.certificate = "d2";
  device.alternative_name = "hardwareModuleName 02";
  CHECK(RuleOf(estate.Apply(device, kFirst)) == "EST-NAME-01");
}

TEST_CASE("no key that is out of use is certified, and no transport key") {
  const auto certify = [](const Estate& estate, const std::string& key) {
    Estate copy = estate;
    const auto request = copy.Apply(RequestCreated{"r", "p", key, "CN=Z1", "", "", "", ""}, kFirst);
    const auto certificate = copy.Apply(Issued("new", key, "CN=Z1"), kFirst);
    CHECK(RuleOf(request) == RuleOf(certificate));
    CHECK(copy.certificates().size() == estate.certificates().size());
    return RuleOf(certificate) + ": " + certificate.error().message;
  };
  Estate compromised = WithKeys();
  REQUIRE(compromised.Apply(KeyCompromised{"z1", "", "stolen"}, kFirst).ok());
  CHECK(certify(compromised, "z1") ==
        "EST-KEY-08: certificate new is to be of key z1, which is compromised since ceremony 0001-root (entry 12)");
  Estate held = WithKeys();
  REQUIRE(held.Apply(KeyDeactivated{"z1", "superseded", "", "", 0, "2028-01-01"}, kFirst).ok());
  CHECK(certify(held, "z1").starts_with("EST-KEY-08"));
  Estate destroyed = held;
  REQUIRE(destroyed.Apply(CopyDestroyed{"z1", "hsm", "S1", "0b", "C_DestroyObject", "", ""}, kFirst).ok());
  REQUIRE(destroyed.Apply(KeyDestroyed{"z1", "bb", "2028-01-02T00:00:00Z", "", "d", ""}, kFirst).ok());
  CHECK(certify(destroyed, "z1").starts_with("EST-KEY-04"));
  Estate transport = WithKeys();
  REQUIRE(transport.Apply(TransportKeyCreated{"carry", "ec-p256", "cc", "hsm", "S1", "0c", "z1", {"ecdh-p256"}}, kFirst)
              .ok());
  CHECK(certify(transport, "carry") == "EST-KEY-08: certificate new is to be of key carry, which is a transport key");
}

TEST_CASE("a key from outside has its name from its request, and is nobody else's") {
  Estate estate = WithKeys();
  REQUIRE(estate.Apply(Imported("x1", "cc", "CN=X1"), kFirst).ok());
  CHECK(estate.FindKey("x1")->state == "outside");
  CHECK(estate.FindKey("x1")->copies.empty());
  CHECK(RuleOf(estate.Apply(Imported("x1", "dd", "CN=X1"), kFirst)) == "EST-KEY-01");
  CHECK(RuleOf(estate.Apply(Imported("x2", "cc", "CN=X2"), kFirst)) == "EST-KEY-02");
  CHECK(RuleOf(estate.Apply(Imported("x3", "aa", "CN=X3"), kFirst)) == "EST-KEY-02");
  CHECK(RuleOf(estate.Apply(KeyCreated{"y", "ec-p256", "sign", "cc", "hsm", "S1", "0c", false}, kFirst)) ==
        "EST-KEY-02");
  CHECK(RuleOf(estate.Apply(Issued("x2", "x1", "CN=X2"), kFirst)) == "EST-NAME-01");
  CertificateIssued other = Issued("x1", "x1", "CN=X1");
  other.spki_sha256 = "dd";
  CHECK(RuleOf(estate.Apply(other, kFirst)) == "EST-CERT-05");
}

TEST_CASE("a certificate is revoked once, and only one that exists") {
  Estate estate = WithKeys();
  REQUIRE(estate.Apply(Issued("z1", "z1", "CN=Z1"), kFirst).ok());
  CHECK(RuleOf(estate.Apply(CertificateRevoked{"z9", "keyCompromise", "", "arl-1"}, kFirst)) == "EST-CERT-03");
  REQUIRE(estate.Apply(CertificateRevoked{"z1", "keyCompromise", "2026-02-01T00:00:00Z", "arl-1"}, kFirst).ok());
  CHECK(estate.FindCertificate("z1")->revoked());
  const auto again = estate.Apply(CertificateRevoked{"z1", "superseded", "", "arl-2"}, kFirst);
  CHECK(RuleOf(again) == "EST-CERT-04");
  CHECK(again.error().message == "certificate z1 is revoked already, by CRL arl-1 on 2026-02-01T00:00:00Z");
}

TEST_CASE("numbers of one issuer's CRLs only grow") {
  Estate estate = WithKeys();
  REQUIRE(estate.Apply(Arl("arl-1", 1), kFirst).ok());
  CHECK(RuleOf(estate.Apply(Arl("arl-1", 2), kFirst)) == "EST-CRL-01");
  CHECK(RuleOf(estate.Apply(Arl("arl-2", 1), kFirst)) == "EST-CRL-02");
  REQUIRE(estate.Apply(Arl("arl-2", 5), kFirst).ok());
  CHECK(RuleOf(estate.Apply(Arl("arl-3", 4), kFirst)) == "EST-CRL-02");
  CHECK(estate.FindLastCrl("MAA=")->name == "arl-2");
  CHECK(estate.FindLastCrl("other") == nullptr);
}

TEST_CASE("a record of the first release, whose certificates said less, is still read") {
  const nlohmann::json old = {{"effect", "certificate-issued"},
                              {"certificate", "root"},
                              {"profile", "p"},
                              {"key", "root"},
                              {"issuer_key", "root"},
                              {"subject", "CN=R"},
                              {"serial", "01"},
                              {"not_before", "n"},
                              {"not_after", "a"},
                              {"sha256", "s"},
                              {"artefact", "f"}};
  const auto effect = EffectFromJson(old);
  REQUIRE(effect.ok());
  CHECK(std::get<CertificateIssued>(*effect).path_length == -1);
  auto missing = old;
  missing.erase("serial");
  CHECK_FALSE(EffectFromJson(missing).ok());
}

TEST_CASE("effects of certificates, requests and CRLs survive being written and read") {
  CrlIssued arl = Arl("arl-1", 7);
  arl.revoked = 2;
  for (const Effect& effect : {Effect(Issued("z1", "z1", "CN=Z1")), Effect(Imported("x1", "cc", "CN=X1")), Effect(arl),
                               Effect(RequestCreated{"r", "p", "z1", "CN=Z1", "", "", "ab", "requests/r.der"}),
                               Effect(CertificateRevoked{"z1", "keyCompromise", "2026-02-01T00:00:00Z", "arl-1"})}) {
    const auto json = ToJson(effect);
    const auto read = EffectFromJson(json);
    REQUIRE(read.ok());
    CHECK(ToJson(*read) == json);
  }
}
