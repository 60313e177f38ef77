#include "ceremony/x509/open_values.h"

#include <doctest/doctest.h>

#include "ceremony/x509/request.h"
#include "tests/unit/x509/support.h"
#include "tests/unit/x509/test_keys.h"

namespace {

using namespace ceremony::x509;
using namespace test;

const SubjectAltNameRule kNames{{{GeneralNameKind::kDns, "ca.example.org"},
                                 {GeneralNameKind::kHardwareModule, std::nullopt, "1.2.826.0.1.1800000.1.1"},
                                 {GeneralNameKind::kDns, std::nullopt},
                                 {GeneralNameKind::kIp, std::nullopt}}};

// A device with a host name: its request asks for these names.
Profile DeviceProfile() {
  Profile profile = IssuingOcaProfile();
  profile.extensions.clear();
  profile.extensions.push_back({"keyUsage", true, false, KeyUsageRule{kDigitalSignature}});
  profile.extensions.push_back({"subjectAltName", true, false, kNames});
  profile.extensions.push_back({"authorityKeyIdentifier", false, false, AuthorityKeyIdentifierRule{}});
  return profile;
}

const std::string kModule = "otherName.1=1.3.6.1.5.5.7.8.4;SEQUENCE:module\n";
const std::string kModuleValue =
    "[module]\ntype=OID:1.2.826.0.1.1800000.1.1\nserial=FORMAT:HEX,OCTETSTRING:00DB1234567890A1\n";

// ImportRequest of a request that openssl makes with these alternative names.
base::Result<ImportedRequest> Imported(const std::string& names, const std::string& critical = "critical,") {
  const Folder folder;
  const std::string key = folder.Write("k.pem", kP256Other);
  const std::string config = folder.Write(
      "c.cnf",
      "[req]\nprompt=no\nstring_mask=nombstr\ndistinguished_name=dn\n[dn]\nOU=07\nCN=Z1\n[x]\nsubjectAltName=" +
          critical + "@names\n[names]\n" + names + kModuleValue);
  const Output made = Run("openssl req -new -config " + config + " -key " + key + " -reqexts x");
  REQUIRE_MESSAGE(made.status == 0, made.text);
  return ImportRequest(base::AsBytes(made.text), DeviceProfile());
}

std::string RuleOfImport(const std::string& names, const std::string& critical = "critical,") {
  const auto imported = Imported(names, critical);
  return imported.ok() ? "imported" : imported.error().rule;
}

std::string Checked(const AlternativeNames& names) {
  const auto checked = CheckOpenValues(DeviceProfile(), {}, names);
  return checked.ok() ? "good" : checked.error().rule;
}

}  // namespace

TEST_CASE("alternative names that a request asks for are those of the certificate") {
  const auto imported = Imported("DNS.1=ca.example.org\n" + kModule + "DNS.2=meter-1.example.org\nIP=2001:db8::1\n");
  REQUIRE_MESSAGE(imported.ok(), imported.error().message);
  CHECK(imported->extensions().empty());
  CHECK(imported->alternative_names() == AlternativeNames{{"dNSName", "meter-1.example.org"},
                                                          {"hardwareModuleName", "00db1234567890a1"},
                                                          {"iPAddress", "2001:db8::1"}});
  TbsInput input{imported->subject_key()};
  input.subject = imported->subject();
  input.alternative_names = imported->alternative_names();
  const Certificate root = RootOca();
  input.authority = Authority{base::ToBytes(root.tbs().subject), KeyIdentifier(root.tbs().spki.bits, 2), {}, {}};
  input.serial = Hex("41020304050607080910111213141516");
  input.not_before = kNow;
  const auto tbs = BuildTbs(DeviceProfile(), input);
  REQUIRE_MESSAGE(tbs.ok(), tbs.error().message);
  const ExtensionView* asked = imported->request().info().Find(Oid::kSubjectAltName);
  const ExtensionView* got = tbs->view().Find(Oid::kSubjectAltName);
  REQUIRE(asked != nullptr);
  REQUIRE(got != nullptr);
  CHECK(base::HexEncode(got->value) == base::HexEncode(asked->value));
}

TEST_CASE("CSR-EXT-02: alternative names that the profile does not make are refused") {
  const std::string good = "DNS.1=ca.example.org\n" + kModule;
  CHECK(RuleOfImport(good + "DNS.2=m.example.org\nIP=192.0.2.1\n") == "imported");
  CHECK(RuleOfImport(good + "DNS.2=m.example.org\nIP=192.0.2.1\n", "") == "CSR-EXT-02");  // not critical
  CHECK(RuleOfImport(good + "DNS.2=m.example.org\n") == "CSR-EXT-02");                    // one is missing
  CHECK(RuleOfImport(good + "DNS.2=m.example.org\nIP=192.0.2.1\nDNS.3=b.example.org\n") == "CSR-EXT-02");  // one more
  CHECK(RuleOfImport(kModule + "DNS.1=ca.example.org\nDNS.2=m.example.org\nIP=192.0.2.1\n") == "CSR-EXT-02");  // order
  CHECK(RuleOfImport("DNS.1=cb.example.org\n" + kModule + "DNS.2=m.example.org\nIP=192.0.2.1\n") ==
        "CSR-EXT-02");                                                                // another fixed name
  CHECK(RuleOfImport(good + "email=m@example.org\nIP=192.0.2.1\n") == "CSR-EXT-02");  // another kind
  std::string other = kModuleValue;
  const Folder folder;
  // Another hardware type, and a serial number that is no EUI-64.
  for (const std::string& module :
       {std::string("[module]\ntype=OID:1.2.3\nserial=FORMAT:HEX,OCTETSTRING:00DB1234567890A1\n"),
        std::string("[module]\ntype=OID:1.2.826.0.1.1800000.1.1\nserial=FORMAT:HEX,OCTETSTRING:00DB12\n")}) {
    const std::string config = folder.Write("c.cnf",
                                            "[req]\nprompt=no\nstring_mask=nombstr\ndistinguished_name=dn\n[dn]\nOU="
                                            "07\nCN=Z1\n[x]\nsubjectAltName=critical,@names\n"
                                            "[names]\n" +
                                                good + "DNS.2=m.example.org\nIP=192.0.2.1\n" + module);
    const Output made =
        Run("openssl req -new -config " + config + " -key " + folder.Write("k.pem", kP256Other) + " -reqexts x");
    REQUIRE(made.status == 0);
    const auto imported = ImportRequest(base::AsBytes(made.text), DeviceProfile());
    REQUIRE_FALSE(imported.ok());
    CHECK(imported.error().rule == "CSR-EXT-02");
  }
}

TEST_CASE("TBS-EXT-01: names that a profile leaves open are all given, well formed, and no others") {
  const AlternativeNames good{
      {"dNSName", "m.example.org"}, {"hardwareModuleName", "00db1234567890a1"}, {"iPAddress", "192.0.2.1"}};
  CHECK(Checked(good) == "good");
  const auto with = [&](const std::string& kind, const std::string& value) {
    AlternativeNames names = good;
    names[kind] = value;
    return Checked(names);
  };
  CHECK(Checked({}) == "TBS-EXT-01");
  CHECK(with("rfc822Name", "m@example.org") == "TBS-EXT-01");
  CHECK(with("dNSName", "m example.org") == "TBS-EXT-01");
  CHECK(with("dNSName", "") == "TBS-EXT-01");
  CHECK(with("hardwareModuleName", "00DB1234567890A1") == "TBS-EXT-01");
  CHECK(with("hardwareModuleName", "00-db-12-34-56-78-90-a1") == "TBS-EXT-01");
  CHECK(with("hardwareModuleName", "00db12345678") == "TBS-EXT-01");
  CHECK(with("iPAddress", "192.0.2.0/24") == "TBS-EXT-01");
  CHECK(with("iPAddress", "192.0.2.256") == "TBS-EXT-01");
  CHECK(CheckAlternativeNames(DeviceProfile(), {}).ok());  // a request leaves them to the CA
  CHECK_FALSE(CheckAlternativeNames(DeviceProfile(), {{"dNSName", "m.example.org"}}).ok());
  CHECK(CheckOpenValues(IssuingOcaProfile(), {}, {{"dNSName", "m.example.org"}}).error().rule == "TBS-EXT-01");
  CHECK(CheckOpenValues(IssuingOcaProfile(), {{"1.2.3", Hex("0500")}}, {}).error().rule == "TBS-EXT-01");
}

TEST_CASE("a request of ours asks for the alternative names that are known, and openssl reads them") {
  RequestInput input{PublicKeyOf(kP256Other), {{"CN", "Z1"}}, {}};
  const auto without = BuildRequestInfo(DeviceProfile(), input);
  REQUIRE(without.ok());
  CHECK(without->view().Find(Oid::kSubjectAltName) == nullptr);
  input.alternative_names = {{"dNSName", "m.example.org"}};
  CHECK(BuildRequestInfo(DeviceProfile(), input).error().rule == "TBS-EXT-01");
  input.alternative_names = {
      {"dNSName", "m.example.org"}, {"hardwareModuleName", "00db1234567890a1"}, {"iPAddress", "192.0.2.1"}};
  const auto info = BuildRequestInfo(DeviceProfile(), input);
  REQUIRE_MESSAGE(info.ok(), info.error().message);
  const ExtensionView* names = info->view().Find(Oid::kSubjectAltName);
  REQUIRE(names != nullptr);
  CHECK(names->critical);
  CHECK(ExtensionText(*names) ==
        "DNS ca.example.org, hardware module 1.2.826.0.1.1800000.1.1 serial 00db1234567890a1, DNS m.example.org, IP "
        "192.0.2.1");
  CHECK(CompareRequestWithProfile(info->view(), DeviceProfile(), input, info->der().data()).AllEqual());
}
