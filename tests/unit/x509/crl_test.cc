#include "ceremony/x509/crl.h"

#include <doctest/doctest.h>

#include <functional>
#include <type_traits>

#include "ceremony/x509/crl_issue.h"
#include "tests/unit/x509/der_tree.h"
#include "tests/unit/x509/support.h"
#include "tests/unit/x509/test_keys.h"

using namespace ceremony::x509;
using namespace test;

// What was not linted, compared and approved cannot be made into something to sign.
static_assert(!std::is_default_constructible_v<LintedCertList> &&
              !std::is_constructible_v<LintedCertList, TbsCertList>);
static_assert(!std::is_constructible_v<ComparedCertList, LintedCertList>);
static_assert(!std::is_constructible_v<ApprovedCertList, ComparedCertList>);
static_assert(!std::is_constructible_v<ApprovedCertList, TbsCertList>);
static_assert(!std::is_invocable_v<decltype(FinishCrl), const TbsCertList&, const base::PublicKey&, base::ByteView>);
static_assert(
    !std::is_invocable_v<decltype(FinishCrl), const ComparedCertList&, const base::PublicKey&, base::ByteView>);

namespace {

CrlProfile ArlProfile() {
  CrlProfile profile;
  profile.name = "smki-arl";
  profile.next_update = {1, 0, 0, 0};
  profile.key_algorithms = {base::KeyAlgorithm::kEcP256};
  profile.issuing_distribution_point = IssuingDistributionPointRule{CrlScope::kCaCertificates, ""};
  profile.reasons = {RevocationReason::kCaCompromise, RevocationReason::kSuperseded};
  return profile;
}

Authority AuthorityOf(const Certificate& root) {
  return {base::ToBytes(root.tbs().subject), KeyIdentifier(root.tbs().spki.bits, 2), base::ToBytes(root.tbs().serial),
          base::ToBytes(root.tbs().issuer)};
}

CrlInput ArlInput() {
  CrlInput input;
  input.authority = AuthorityOf(RootOca());
  input.this_update = kNow;
  input.number = 7;
  input.revocations = {
      {Hex("7f0102030405060708090a0b0c0d0e0f"), kNow - 60, RevocationReason::kCaCompromise, kNow - 3600},
      {Hex("40"), kNow, RevocationReason::kSuperseded, std::nullopt}};
  return input;
}

Crl IssueCrl(const CrlProfile& profile, const CrlInput& input, const char* key) {
  const auto tbs = BuildTbsCertList(profile, input);
  REQUIRE_MESSAGE(tbs.ok(), (tbs.ok() ? "" : tbs.error().message));
  const auto linted = LintTbsCertList(*tbs);
  REQUIRE_MESSAGE(linted.ok(), (linted.ok() ? "" : linted.error().message));
  const auto compared = CompareTbsCertList(*linted, profile, input);
  REQUIRE_MESSAGE(compared.ok(), (compared.ok() ? "" : compared.error().message));
  const auto approved = ApproveTbsCertList(*compared, compared->Digest());
  REQUIRE(approved.ok());
  const base::Bytes signature =
      SignWith(key, FactsOf(approved->signature_algorithm()).scheme, approved->to_be_signed());
  const auto crl = FinishCrl(*approved, PublicKeyOf(key), signature);
  REQUIRE_MESSAGE(crl.ok(), (crl.ok() ? "" : crl.error().message));
  return *crl;
}

std::string RefusalOf(const CrlProfile& profile, const CrlInput& input) {
  const auto tbs = BuildTbsCertList(profile, input);
  return tbs.ok() ? "built" : tbs.error().rule;
}

}  // namespace

TEST_CASE("an ARL is accepted by openssl, and read by openssl and certtool as its profile says") {
  const Crl crl = IssueCrl(ArlProfile(), ArlInput(), kP256);
  CHECK(Ids(LintCrl(crl.der())) == "");
  CHECK(crl.Number() == 7U);
  CHECK(crl.Revokes(Hex("40")));
  CHECK_FALSE(crl.Revokes(Hex("41")));
  const Folder folder;
  const std::string root = folder.Write("root.pem", RootOca().Pem());
  const std::string path = folder.Write("arl.pem", crl.Pem());
  const Output verified = Run("openssl crl -noout -verify -CAfile " + root + " -in " + path);
  CHECK(verified.text == "verify OK\n");
  const std::string text = Run("openssl crl -noout -text -in " + path).text;
  for (const char* part :
       {"Version 2 (0x1)", "Issuer: OU = 00, CN = ZA", "Last Update: Feb  3 04:05:06 2020 GMT",
        "Next Update: Feb  3 04:05:06 2021 GMT", "X509v3 CRL Number: \n                7\n",
        "X509v3 Issuing Distribution Point: critical\n                Only CA Certificates",
        "Serial Number: 7F0102030405060708090A0B0C0D0E0F\n        Revocation Date: Feb  3 04:04:06 2020 GMT",
        "X509v3 CRL Reason Code: \n                CA Compromise",
        "Invalidity Date: \n                Feb  3 03:05:06 2020 GMT",
        "Serial Number: 40\n        Revocation Date: Feb  3 04:05:06 2020 GMT", "Superseded",
        "44:0A:0B:C5:C8:A8:60:B1"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
  const std::string gnutls = Run("certtool --crl-info --infile " + path).text;
  CHECK(gnutls.find("Revoked certificates (2)") != std::string::npos);
  CHECK(gnutls.find("CRL Number (not critical): 07") != std::string::npos);
  const std::string der = folder.Write("arl.der", std::string(base::AsText(crl.der())));
  CHECK(Run("openssl crl -inform DER -outform PEM -in " + der).text == crl.Pem());
}

TEST_CASE("a CRL without revoked certificates leaves the list out") {
  CrlInput input = ArlInput();
  input.revocations = {};
  const Crl crl = IssueCrl(ArlProfile(), input, kP256);
  CHECK(crl.tbs().revoked_whole.empty());
  const Folder folder;
  CHECK(
      Run("openssl crl -noout -text -in " + folder.Write("arl.pem", crl.Pem())).text.find("No Revoked Certificates.") !=
      std::string::npos);
}

TEST_CASE("a certificate that the CRL revokes is refused by openssl, another is not") {
  const Certificate root = RootOca();
  const Certificate issuing = IssuingOca(root);
  CrlInput input = ArlInput();
  input.revocations = {{base::ToBytes(issuing.tbs().serial), kNow, RevocationReason::kCaCompromise}};
  const Folder folder;
  const std::string root_path = folder.Write("root.pem", root.Pem());
  const std::string path = folder.Write("issuing.pem", issuing.Pem());
  const auto verify = [&](const Crl& crl) {
    return Run("openssl verify -crl_check -attime " + std::to_string(kNow + 1) + " -CAfile " + root_path +
               " -CRLfile " + folder.Write("arl.pem", crl.Pem()) + " " + path)
        .text;
  };
  CHECK(verify(IssueCrl(ArlProfile(), input, kP256)).find("error 23 at 0 depth lookup: certificate revoked") !=
        std::string::npos);
  input.revocations[0].serial.back() ^= 1U;
  CHECK(verify(IssueCrl(ArlProfile(), input, kP256)) == path + ": OK\n");
}

TEST_CASE("the comparison of a CRL shows every field and every revoked certificate in one view") {
  const CrlInput input = ArlInput();
  const TbsCertList tbs = *BuildTbsCertList(ArlProfile(), input);
  const Comparison comparison = CompareCertListWithProfile(tbs.view(), ArlProfile(), &input, tbs.der().data());
  std::string fields;
  for (const ComparisonRow& row : comparison.rows()) {
    CHECK(row.equal);
    CHECK(row.profile_says.substr(0, 8) == row.certificate_has.substr(0, 8));
    fields += row.field + "|" + row.certificate_has + "\n";
  }
  CHECK(fields ==
        "version|2\n"
        "signature algorithm|ecdsa-with-SHA256\n"
        "issuer|OU=00 (PrintableString), CN=ZA (PrintableString)\n"
        "this update|2020-02-03 04:05:06 UTC\n"
        "next update|2021-02-03 04:05:06 UTC\n"
        "revoked certificates|2\n"
        "revoked 7f0102030405060708090a0b0c0d0e0f|revoked 2020-02-03 04:04:06 UTC, reasonCode cACompromise, "
        "invalidityDate 2020-02-03 03:05:06 UTC\n"
        "revoked 40|revoked 2020-02-03 04:05:06 UTC, reasonCode superseded\n"
        "extension authorityKeyIdentifier|key identifier 440a0bc5c8a860b1\n"
        "extension cRLNumber|7\n"
        "extension issuingDistributionPoint|critical, only CA certificates\n");
  CHECK(comparison.Text().find("CRL has") != std::string::npos);
  CHECK(CompareCertListWithProfile(tbs.view(), ArlProfile(), nullptr, tbs.der().data()).AllEqual());
}

TEST_CASE("a to-be-signed CRL that is not what was asked for is refused field by field") {
  const CrlInput input = ArlInput();
  const TbsCertList tbs = *BuildTbsCertList(ArlProfile(), input);
  const auto refusal = [&](const std::function<void(DerTree&)>& change) -> std::string {
    DerTree tree = DerTree::Parse(tbs.der());
    change(tree);
    const auto parsed = TbsCertList::Parse(tree.Encode());
    if (!parsed.ok()) return "parse: " + parsed.error().rule;
    const auto linted = LintTbsCertList(*parsed);
    if (!linted.ok()) return "lint: " + linted.error().rule;
    const auto compared = CompareTbsCertList(*linted, ArlProfile(), input);
    return compared.ok() ? "accepted" : compared.error().rule;
  };
  CHECK(refusal([](DerTree&) {}) == "accepted");
  CHECK(refusal([](DerTree& t) { t.At({0}).content[0] = 0; }) == "parse: CRL-VERSION-01");
  CHECK(refusal([](DerTree& t) { t.At({1, 0}).content.back() = 3; }) == "COMPARE-01");
  CHECK(refusal([](DerTree& t) { t.At({2, 1, 0, 1}).content[0] = 'Y'; }) == "COMPARE-01");
  CHECK(refusal([](DerTree& t) { t.At({3}).content[11] = '5'; }) == "lint: CRL-ENTRY-03");
  CHECK(refusal([](DerTree& t) { t.At({4}).content[11] ^= 1U; }) == "COMPARE-01");
  CHECK(refusal([](DerTree& t) { t.children.erase(t.children.begin() + 4); }) == "lint: CRL-UPDATE-01");
  CHECK(refusal([](DerTree& t) { t.At({4}).content[1] = '0'; }) == "lint: CRL-UPDATE-02");
  CHECK(refusal([](DerTree& t) { t.At({5, 1, 0}).content[0] = 0x41; }) == "COMPARE-01");
  CHECK(refusal([](DerTree& t) { t.At({5, 1, 0}).content[0] = 0x80; }) == "lint: CRL-ENTRY-01");
  CHECK(refusal([](DerTree& t) { t.At({5, 1}) = t.At({5, 0}); }) == "lint: CRL-ENTRY-02");
  CHECK(refusal([](DerTree& t) { t.At({5}).children.pop_back(); }) == "COMPARE-01");
  CHECK(refusal([](DerTree& t) { t.At({5}).children.clear(); }) == "parse: CRL-LIST-01");
  CHECK(refusal([](DerTree& t) { t.children.erase(t.children.begin() + 5); }) == "COMPARE-01");
  CHECK(refusal([](DerTree& t) { t.At({5, 1, 2, 0, 1}).content = Hex("0a0107"); }) == "lint: CRL-REASON-01");
  CHECK(refusal([](DerTree& t) { t.At({5, 1, 2, 0, 1}).content = Hex("0a0108"); }) == "lint: CRL-REASON-01");
  CHECK(refusal([](DerTree& t) { t.At({5, 1, 2, 0, 1}).content = Hex("0a0100"); }) == "lint: CRL-REASON-02");
  CHECK(refusal([](DerTree& t) { t.At({5, 1, 2, 0, 1}).content = Hex("0a0106"); }) == "lint: CRL-REASON-03");
  CHECK(refusal([](DerTree& t) { t.At({5, 1, 2, 0, 1}).content = Hex("0a0101"); }) == "COMPARE-01");
  CHECK(refusal([](DerTree& t) {
          t.At({5, 0, 2, 1, 1}).content = Hex("170d3230303230333033303530365a");
        }) == "lint: CRL-ENTRY-04");
  CHECK(refusal([](DerTree& t) { t.At({5, 1, 2, 0, 0}).content = Hex("551d14"); }) == "lint: CRL-EXT-01");
  CHECK(refusal([](DerTree& t) { t.At({6, 0, 1, 1}).content = Hex("020108"); }) == "COMPARE-01");
  CHECK(refusal([](DerTree& t) { t.At({6, 0, 1, 1}).content = Hex("0201ff"); }) == "lint: CRL-NUMBER-01");
  CHECK(refusal([](DerTree& t) {
          t.At({6, 0}).children.erase(t.At({6, 0}).children.begin() + 1);
        }) == "lint: CRL-NUMBER-01");
  CHECK(refusal([](DerTree& t) { t.At({6, 0}).children.erase(t.At({6, 0}).children.begin()); }) == "lint: CRL-AKI-01");
  CHECK(refusal([](DerTree& t) { t.At({6, 0, 0, 1}).content.back() ^= 1U; }) == "COMPARE-01");
  CHECK(refusal([](DerTree& t) {
          t.At({6, 0, 2}).children.erase(t.At({6, 0, 2}).children.begin() + 1);
        }) == "lint: CRL-IDP-01");
  CHECK(refusal([](DerTree& t) { t.At({6, 0, 2, 2}).content = Hex("30068101ff8201ff"); }) == "lint: CRL-IDP-02");
  CHECK(refusal([](DerTree& t) { t.At({6, 0, 2, 2}).content = Hex("30038101ff"); }) == "COMPARE-01");
  CHECK(refusal([](DerTree& t) { t.At({6, 0, 2, 2}).content = Hex("3003820100"); }) == "lint: DER-DEFAULT-01");
  CHECK(refusal([](DerTree& t) { t.At({6, 0, 2, 2}).content = Hex("3000"); }) == "lint: CRL-IDP-01");
  CHECK(refusal([](DerTree& t) { t.At({6, 0, 2, 0}).content = Hex("551d0f"); }) == "lint: CRL-EXT-01");
}

TEST_CASE("CRL-EXT-03, CRL-DELTA-01 and CRL-ENTRY-05: extensions of delta and indirect CRLs are as their clauses say") {
  const TbsCertList tbs = *BuildTbsCertList(ArlProfile(), ArlInput());
  const auto changed = [&](const std::function<void(DerTree&)>& change) {
    DerTree tree = DerTree::Parse(tbs.der());
    change(tree);
    return Ids(LintCertListBytes(tree.Encode()));
  };
  const auto with = [](DerTree& extensions, const char* oid, bool critical, const char* value) {
    DerTree extension{0x30, {}, {{0x06, Hex(oid), {}, {}}}, {}};
    if (critical) extension.children.push_back({0x01, {0xff}, {}, {}});
    extension.children.push_back({0x04, Hex(value), {}, {}});
    extensions.children.push_back(extension);
  };
  const char* points = "300c300aa008a0068604613a6262";
  const char* access = "3012301006082b060105050730028604613a6262";
  const auto own = [&](const char* oid, bool critical, const char* value) {
    return changed([&](DerTree& t) { with(t.At({6, 0}), oid, critical, value); });
  };
  CHECK(own("551d2e", false, points) == "");
  CHECK(own("551d2e", true, points) == "CRL-EXT-03");
  CHECK(own("2b06010505070101", false, access) == "");
  CHECK(own("2b06010505070101", true, access) == "CRL-EXT-03");
  CHECK(own("551d1b", true, "020106") == "");  // the list has the number 7
  CHECK(own("551d1b", true, "020107") == "");
  CHECK(own("551d1b", false, "020106") == "CRL-DELTA-01");
  CHECK(own("551d1b", true, "020108") == "CRL-DELTA-01");
  CHECK(own("551d1b", true, "02020100") == "CRL-DELTA-01");
  CHECK(changed([&](DerTree& t) {
          with(t.At({6, 0}), "551d1b", true, "020106");
          with(t.At({6, 0}), "551d2e", false, points);
        }) == "CRL-DELTA-01");
  const char* issuer = "3011a40f300d310b3009060355040613024742";
  CHECK(changed([&](DerTree& t) { with(t.At({5, 1, 2}), "551d1d", true, issuer); }) == "CRL-ENTRY-05");
  const auto indirect = [&](bool critical) {
    return changed([&](DerTree& t) {
      t.At({6, 0, 2, 2}).content = Hex("30068201ff8401ff");
      with(t.At({5, 1, 2}), "551d1d", critical, issuer);
    });
  };
  CHECK(indirect(true) == "");
  CHECK(indirect(false) == "CRL-ENTRY-05");
}

TEST_CASE("CRL-ENTRY-02: in an indirect CRL two CAs may have revoked one serial number") {
  const auto with = [](const std::vector<const char*>& issuers) {
    DerTree tree = DerTree::Parse(BuildTbsCertList(ArlProfile(), ArlInput())->der());
    tree.At({6, 0, 2, 2}).content = Hex("30068201ff8401ff");
    const DerTree entry = tree.At({5, 0});
    tree.At({5}).children.clear();
    for (const char* issuer : issuers) {
      DerTree next = entry;
      if (*issuer != '\0') {
        if (next.children.size() < 3) next.children.push_back({0x30, {}, {}, {}});
        next.At({2}).children.push_back(
            {0x30, {}, {{0x06, Hex("551d1d"), {}, {}}, {0x01, {0xff}, {}, {}}, {0x04, Hex(issuer), {}, {}}}, {}});
      }
      tree.At({5}).children.push_back(next);
    }
    return tree.Encode();
  };
  const char* gb = "3011a40f300d310b3009060355040613024742";
  const char* fr = "3011a40f300d310b3009060355040613024652";
  CHECK(Ids(LintCertListBytes(with({""}))) == "");
  CHECK(Ids(LintCertListBytes(with({"", ""}))) == "CRL-ENTRY-02");
  CHECK(Ids(LintCertListBytes(with({"", gb}))) == "");
  CHECK(Ids(LintCertListBytes(with({"", gb, fr}))) == "");
  CHECK(Ids(LintCertListBytes(with({gb, ""}))) == "CRL-ENTRY-02");  // an issuer stays in force
  CHECK(Ids(LintCertListBytes(with({gb, fr, gb}))) == "CRL-ENTRY-02");

  const auto revokes = [&](const std::vector<const char*>& issuers) {
    const base::Bytes tbs = with(issuers);
    const Crl crl = *Crl::Parse(
        Joined({{0x30}, LengthOctets(tbs.size() + 15), tbs, Hex("300a06082a8648ce3d040302"), Hex("030100")}));
    return crl.Revokes(ArlInput().revocations.front().serial);
  };
  CHECK(revokes({""}));
  CHECK_FALSE(revokes({gb}));
  CHECK(revokes({"", gb}));
}

TEST_CASE("CRL-IDP-03 and names: a CRL is not only of attribute certificates, and its issuer is a name") {
  const auto changed = [](const std::function<void(DerTree&)>& change) {
    DerTree tree = DerTree::Parse(BuildTbsCertList(ArlProfile(), ArlInput())->der());
    change(tree);
    return Ids(LintCertListBytes(tree.Encode()));
  };
  CHECK(changed([](DerTree& t) { t.At({6, 0, 2, 2}).content = Hex("30038501ff"); }) == "CRL-IDP-03");
  CHECK(changed([](DerTree& t) { t.At({6, 0, 2, 2}).content = Hex("30068201ff8501ff"); }) == "CRL-IDP-02, CRL-IDP-03");
  CHECK(changed([](DerTree& t) { t.At({2}).children.clear(); }) == "X509-NAME-01");
  CHECK(changed([](DerTree& t) { t.At({2, 0, 0, 1}).content.clear(); }) == "X509-NAME-07");
}

TEST_CASE("a CRL whose number goes back, or whose entries are not as the profile says, is not built") {
  CrlInput input = ArlInput();
  input.previous_number = 6;
  CHECK(RefusalOf(ArlProfile(), input) == "built");
  input.previous_number = 7;
  CHECK(RefusalOf(ArlProfile(), input) == "CRL-ORDER-01");
  input = ArlInput();
  input.revocations[1].serial = input.revocations[0].serial;
  CHECK(RefusalOf(ArlProfile(), input) == "CRL-BUILD-01");
  for (const char* serial : {"", "00", "80", "0001", "010203040506070809101112131415161718192021"}) {
    input = ArlInput();
    input.revocations[0].serial = Hex(serial);
    INFO(serial);
    CHECK(RefusalOf(ArlProfile(), input) == "CRL-BUILD-01");
  }
  input = ArlInput();
  input.revocations[0].reason = RevocationReason::kKeyCompromise;
  CHECK(RefusalOf(ArlProfile(), input) == "CRL-BUILD-02");
  input.revocations[0].reason = std::nullopt;
  CHECK(RefusalOf(ArlProfile(), input) == "CRL-BUILD-02");
  input = ArlInput();
  input.revocations[0].revoked_at = kNow + 1;
  CHECK(RefusalOf(ArlProfile(), input) == "CRL-BUILD-03");
  input = ArlInput();
  input.revocations[0].invalid_since = kNow;
  CHECK(RefusalOf(ArlProfile(), input) == "CRL-BUILD-03");
  input = ArlInput();
  input.this_update = 253402300799;
  CHECK(RefusalOf(ArlProfile(), input) == "CRL-BUILD-03");
  input = ArlInput();
  input.authority.key_identifier = {};
  CHECK(RefusalOf(ArlProfile(), input) == "TBS-AUTHORITY-01");
  CrlProfile profile = ArlProfile();
  profile.reasons = {};
  CHECK(RefusalOf(profile, ArlInput()) == "PROFILE-14");
  profile = ArlProfile();
  profile.invalidity_date = Use::kForbidden;
  CHECK(RefusalOf(profile, ArlInput()) == "CRL-BUILD-02");
  profile.next_update = {};
  CHECK(RefusalOf(profile, ArlInput()) == "PROFILE-14");
}

TEST_CASE("the next update of a CRL comes exactly its interval later") {
  CHECK(*NextUpdateOf({0, 0, 0, 12}, kNow) == kNow + 43200);
  CHECK(*NextUpdateOf({0, 0, 7, 1}, kNow) == kNow + 7 * 86400 + 3600);
  CHECK(*NextUpdateOf({0, 1, 0, 0}, 1706659200) == 1709251200);  // 31 January 2024 to 1 March
  CHECK_FALSE(NextUpdateOf({8000, 0, 0, 0}, kNow).ok());
  CHECK_FALSE(NextUpdateOf({0, 0, 0, 0}, kNow).ok());
}

TEST_CASE("a CRL with a distribution point, issuer and serial number of its issuer, and another algorithm") {
  CrlProfile profile = ArlProfile();
  profile.key_algorithms = {base::KeyAlgorithm::kEcP384};
  profile.signature_algorithm = SignatureAlgorithm::kEcdsaSha384;
  profile.authority_key = AuthorityKeyForm::kKeyIdentifierIssuerAndSerial;
  profile.issuing_distribution_point =
      IssuingDistributionPointRule{CrlScope::kUserCertificates, "http://example.org/ca.crl"};
  const Crl crl = IssueCrl(profile, ArlInput(), kP384);
  const Folder folder;
  const std::string text = Run("openssl crl -noout -text -in " + folder.Write("ca.pem", crl.Pem())).text;
  for (const char* part : {"ecdsa-with-SHA384", "URI:http://example.org/ca.crl", "Only User Certificates",
                           "DirName:/OU=00/CN=ZA", "7F:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("a CRL is finished only with a signature of the right key over the approved bytes") {
  const CrlInput input = ArlInput();
  const ComparedCertList compared =
      *CompareTbsCertList(*LintTbsCertList(*BuildTbsCertList(ArlProfile(), input)), ArlProfile(), input);
  base::Sha256Digest other = compared.Digest();
  other[0] ^= 1U;
  CHECK(ApproveTbsCertList(compared, other).error().rule == "TBS-APPROVAL-01");
  const ApprovedCertList approved = *ApproveTbsCertList(compared, compared.Digest());
  const auto scheme = base::SignatureScheme::kEcdsa;
  CHECK(FinishCrl(approved, PublicKeyOf(kP256), SignWith(kP256, scheme, approved.to_be_signed())).ok());
  CHECK(FinishCrl(approved, PublicKeyOf(kP256), SignWith(kP256Other, scheme, approved.to_be_signed())).error().code ==
        base::ErrorCode::kCorrupt);
  CHECK(FinishCrl(approved, PublicKeyOf(kP256), SignWith(kP256, scheme, base::AsBytes("other"))).error().code ==
        base::ErrorCode::kCorrupt);
  base::Bytes longer = SignWith(kP256, scheme, approved.to_be_signed());
  longer.push_back(0);
  CHECK_FALSE(FinishCrl(approved, PublicKeyOf(kP256), longer).ok());
}

TEST_CASE("a CRL that openssl makes is read by our decoder as openssl reads it") {
  const Folder folder;
  folder.Write("key.pem", kP256);
  folder.Write("root.pem", RootOca().Pem());
  folder.Write("index.txt",
               "R\t300101000000Z\t200101000000Z,keyCompromise\t0A\tunknown\t/CN=a\n"
               "R\t300101000000Z\t200102000000Z\t0B\tunknown\t/CN=b\n");
  folder.Write("number", "1F\n");
  folder.Write("ca.cnf", "[ca]\ndefault_ca=d\n[d]\ndatabase=" + folder.path() +
                             "/index.txt\ncrlnumber=" + folder.path() +
                             "/number\ndefault_md=sha256\ncrl_extensions=x\n[x]\n"
                             "authorityKeyIdentifier=keyid\n");
  const Output made =
      Run("cd " + folder.path() +
          " && openssl ca -config ca.cnf -gencrl -keyfile key.pem -cert root.pem "
          "-crldays 30 -out o.pem && openssl crl -in o.pem -outform DER -out o.der && base64 -w0 o.der");
  const auto der = base::Base64Decode(made.text.substr(made.text.rfind('\n') + 1));
  REQUIRE_MESSAGE(der.ok(), made.text);
  const auto crl = Crl::Parse(*der);
  REQUIRE_MESSAGE(crl.ok(), (crl.ok() ? "" : crl.error().message));
  CHECK(Ids(LintCrl(*der)) == "");
  CHECK(crl->Number() == 31U);
  CHECK(crl->Revokes(Hex("0b")));
  CHECK(crl->VerifiedBy(PublicKeyOf(kP256)).ok());
  const auto fields = OpensslCrlFields(*der);
  REQUIRE(fields.ok());
  const Comparison comparison = CompareCrlDecoders(*fields, crl->fields());
  for (const Finding& finding : comparison.ToFindings()) MESSAGE(finding.message);
  CHECK(comparison.AllEqual());
}
