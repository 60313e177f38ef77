#include "ceremony/x509/request.h"

#include <doctest/doctest.h>

#include <functional>
#include <type_traits>

#include "tests/unit/x509/der_tree.h"
#include "tests/unit/x509/support.h"
#include "tests/unit/x509/test_keys.h"

using namespace ceremony::x509;
using namespace test;

static_assert(!std::is_default_constructible_v<LintedRequestInfo>);
static_assert(!std::is_constructible_v<LintedRequestInfo, RequestInfo>);
static_assert(!std::is_constructible_v<ApprovedRequestInfo, ComparedRequestInfo>);
static_assert(!std::is_invocable_v<decltype(FinishRequest), const RequestInfo&, base::ByteView>);
static_assert(!std::is_constructible_v<ImportedRequest, Request>);

namespace {

RequestInput Input(const char* key) { return {PublicKeyOf(key), {{"CN", "Z1"}}}; }

ComparedRequestInfo Compared(const Profile& profile, const RequestInput& input) {
  const auto info = BuildRequestInfo(profile, input);
  REQUIRE_MESSAGE(info.ok(), (info.ok() ? "" : info.error().message));
  const auto linted = LintRequestInfo(*info);
  REQUIRE_MESSAGE(linted.ok(), (linted.ok() ? "" : linted.error().message));
  const auto compared = CompareRequestInfo(*linted, profile, input);
  REQUIRE_MESSAGE(compared.ok(), (compared.ok() ? "" : compared.error().message));
  return *compared;
}

Request Made(const Profile& profile, const char* key) {
  const ComparedRequestInfo compared = Compared(profile, Input(key));
  const auto approved = ApproveRequestInfo(compared, compared.Digest());
  REQUIRE(approved.ok());
  const auto request = FinishRequest(
      *approved, SignWith(key, FactsOf(approved->signature_algorithm()).scheme, approved->to_be_signed()));
  REQUIRE_MESSAGE(request.ok(), (request.ok() ? "" : request.error().message));
  return *request;
}

// A request that openssl makes, for the Issuing OCA profile unless `options` say otherwise.
std::string ByOpenssl(const std::string& config, const std::string& options = "", const char* key = kP256Other) {
  const Folder folder;
  folder.Write("key.pem", key);
  folder.Write("req.cnf", "[req]\ndistinguished_name=dn\nprompt=no\nstring_mask=default\n" + config);
  const Output made =
      Run("cd " + folder.path() + " && openssl req -new -config req.cnf -key key.pem " + options + " 2>/dev/null");
  REQUIRE(made.status == 0);
  return made.text;
}
const std::string kName = "[dn]\nOU=07\nCN=Z1\n";
const std::string kExtensions =
    "[x]\nkeyUsage=critical,keyCertSign,cRLSign\nbasicConstraints=critical,CA:TRUE,pathlen:0\n";

std::string Imported(std::string_view file, const Profile& profile = IssuingOcaProfile()) {
  const auto imported = ImportRequest(base::AsBytes(file), profile);
  return imported.ok() ? "imported" : imported.error().rule;
}

}  // namespace

TEST_CASE("a request is made, read by openssl and certtool, and holds what the profile knows before the issuer") {
  const Request request = Made(IssuingOcaProfile(), kP256Other);
  CHECK(Ids(LintRequest(request.der())) == "");
  const Folder folder;
  const std::string path = folder.Write("ca.csr", request.Pem());
  const Output verified = Run("openssl req -noout -verify -text -in " + path);
  CHECK(verified.status == 0);
  for (const char* part : {"verify OK", "Version: 1 (0x0)", "Subject: OU = 07, CN = Z1", "X509v3 Key Usage: critical",
                           "Certificate Sign, CRL Sign", "CA:TRUE, pathlen:0", "Policy: 1.2.826.0.1.8641679.1.2.1.4",
                           "X509v3 Subject Key Identifier", "Signature Algorithm: ecdsa-with-SHA256"}) {
    INFO(part);
    CHECK(verified.text.find(part) != std::string::npos);
  }
  CHECK(verified.text.find("Authority Key") == std::string::npos);
  CHECK(Run("certtool --crq-info --infile " + path).text.find("Self signature: verified") != std::string::npos);
  CHECK(Imported(request.Pem()) == "imported");
  CHECK(Imported(base::AsText(request.der())) == "imported");
}

TEST_CASE("requests of every kind of key are made and verified by openssl") {
  Profile profile = IssuingOcaProfile();
  for (const base::KeyAlgorithmFacts& facts : base::KeyAlgorithms()) {
    if (facts.algorithm != base::KeyAlgorithm::kEcP256) profile.key_algorithms.push_back(facts.algorithm);
  }
  for (const char* key : {kP256, kP384, kP521, kEd25519, kRsa2048}) {
    const Folder folder;
    const std::string path = folder.Write("ca.csr", Made(profile, key).Pem());
    CHECK(Run("openssl req -noout -verify -in " + path).text.find("verify OK") != std::string::npos);
  }
}

TEST_CASE("the comparison of a request shows every field in one view") {
  const ComparedRequestInfo compared = Compared(IssuingOcaProfile(), Input(kP256Other));
  std::string fields;
  for (const ComparisonRow& row : compared.comparison().rows()) {
    CHECK(row.equal);
    fields += row.field + "|" + row.profile_says.substr(0, 60) + "\n";
  }
  CHECK(fields ==
        "subject|OU=07 (PrintableString), CN=Z1 (PrintableString)\n"
        "public key|EC P-256, SPKI SHA-256 " +
            PublicKeyOf(kP256Other).SpkiSha256Hex().substr(0, 37) +
            "\n"
            "extension keyUsage|critical, keyCertSign, cRLSign\n"
            "extension basicConstraints|critical, CA, path length 0\n"
            "extension certificatePolicies|critical, 1.2.826.0.1.8641679.1.2.1.4\n"
            "extension subjectKeyIdentifier|" +
            compared.comparison().rows().back().certificate_has + "\n");
}

TEST_CASE("requests of other programs are imported with the subject that they name") {
  const std::string csr = ByOpenssl(kName + kExtensions, "-reqexts x");
  const auto imported = ImportRequest(base::AsBytes(csr), IssuingOcaProfile());
  REQUIRE_MESSAGE(imported.ok(), (imported.ok() ? "" : imported.error().message));
  CHECK(imported->subject() == SubjectValues{{"CN", "Z1"}});
  CHECK(imported->subject_key() == PublicKeyOf(kP256Other));
  CHECK(imported->extensions().empty());
  CHECK(Imported(ByOpenssl(kName)) == "imported");
}

TEST_CASE("a request that asks for more than the profile has is refused") {
  CHECK(Imported(ByOpenssl(kName + "[x]\nextendedKeyUsage=serverAuth\n", "-reqexts x")) == "CSR-EXT-01");
  CHECK(Imported(ByOpenssl(kName + "[x]\n1.2.3.4=ASN1:NULL\n", "-reqexts x")) == "CSR-EXT-01");
  CHECK(Imported(ByOpenssl(kName + "[x]\nbasicConstraints=critical,CA:TRUE,pathlen:1\n", "-reqexts x")) ==
        "CSR-EXT-02");
  CHECK(Imported(ByOpenssl(kName + "[x]\ncertificatePolicies=1.2.826.0.1.8641679.1.2.1.4\n", "-reqexts x")) ==
        "CSR-EXT-02");
  CHECK(Imported(ByOpenssl(kName + "[x]\nsubjectKeyIdentifier=hash\n", "-reqexts x")) == "CSR-EXT-02");
  CHECK(Imported(ByOpenssl("attributes=a\n" + kName + "[a]\nchallengePassword=secret-word\n")) == "CSR-ATTR-01");
  CHECK(Imported(ByOpenssl("[dn]\nOU=08\nCN=Z1\n")) == "CSR-SUBJECT-01");
  CHECK(Imported(ByOpenssl("[dn]\nOU=07\nCN=Z1234\n")) == "CSR-SUBJECT-01");
  CHECK(Imported(ByOpenssl("[dn]\nOU=07\n")) == "CSR-SUBJECT-01");
  CHECK(Imported(ByOpenssl("[dn]\nOU=07\nCN=Z1\nO=More\n")) == "CSR-SUBJECT-01");
  CHECK(Imported(ByOpenssl(kName, "", kP384)) == "TBS-KEY-01");
  CHECK(Imported(ByOpenssl(kName, "-sha1")) == "X509-ALGORITHM-03");
}

TEST_CASE("a request with a signature that its key did not make is refused") {
  const base::Bytes good = base::ToBytes(Made(IssuingOcaProfile(), kP256Other).der());
  DerTree tree = DerTree::Parse(good);
  tree.At({0, 1, 1, 0, 1}).content[0] = 'Y';  // another subject under the same signature
  CHECK(Imported(base::AsText(tree.Encode())) == "CSR-POSSESSION-01");
  tree = DerTree::Parse(good);
  const base::PublicKey other = PublicKeyOf(kP256);
  tree.At({0, 2, 1}).content = Joined({{0x00}, base::ToBytes(other.spki().last(65))});
  CHECK_FALSE(Imported(base::AsText(tree.Encode())) == "imported");
  // The key's point moved off its curve.
  tree = DerTree::Parse(good);
  tree.At({0, 2, 1}).content.back() ^= 1U;
  CHECK(Imported(base::AsText(tree.Encode())) == "X509-KEY-04");
}

TEST_CASE("a request that is too large, or not one at all, is refused at once") {
  CHECK(Imported(std::string(5'000'000, '0')) == "CSR-SIZE-01");
  CHECK(Imported("") == "CSR-FORM-01");
  CHECK(Imported("hello") == "CSR-FORM-01");
  CHECK(Imported(RootOca().Pem()) == "CSR-FORM-01");
  CHECK(Imported(base::AsText(RootOca().der())) == "X509-FORM-01");
  const base::Bytes good = base::ToBytes(Made(IssuingOcaProfile(), kP256Other).der());
  for (std::size_t size = 0; size < good.size(); ++size) {
    if (Imported(base::AsText(base::ByteView(good).first(size))) == "imported") FAIL("imported " << size);
  }
  base::Bytes longer = good;
  longer.push_back(0);
  CHECK(Imported(base::AsText(longer)) == "DER-TRAILING-01");
}

TEST_CASE("the form of a request is held to RFC 2986") {
  const RequestInfo info = *BuildRequestInfo(IssuingOcaProfile(), Input(kP256Other));
  const auto rule = [&](const std::function<void(DerTree&)>& change) -> std::string {
    DerTree tree = DerTree::Parse(info.der());
    change(tree);
    const auto parsed = RequestInfo::Parse(tree.Encode());
    return parsed.ok() ? "parsed" : parsed.error().rule;
  };
  CHECK(rule([](DerTree&) {}) == "parsed");
  CHECK(rule([](DerTree& t) { t.At({0}).content[0] = 1; }) == "CSR-VERSION-01");
  CHECK(rule([](DerTree& t) { t.children.pop_back(); }) == "CSR-ATTR-03");
  CHECK(rule([](DerTree& t) { t.At({3}).children.clear(); }) == "parsed");
  CHECK(rule([](DerTree& t) { t.At({3}).children.push_back(t.At({3, 0})); }) == "CSR-ATTR-02");
  CHECK(rule([](DerTree& t) { t.At({3, 0, 1}).children.push_back(t.At({3, 0, 1, 0})); }) == "CSR-ATTR-02");
  CHECK(rule([](DerTree& t) { t.At({3, 0, 0}).content.back() = 7; }) == "CSR-ATTR-01");
  CHECK(rule([](DerTree& t) { t.At({3, 0, 1}).children.clear(); }) == "X509-FORM-01");
  CHECK(rule([](DerTree& t) { t.At({3, 0, 1, 0}).children.push_back(t.At({3, 0, 1, 0, 0})); }) == "X509-EXT-01");
}
