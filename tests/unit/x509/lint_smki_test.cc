#include "ceremony/x509/lint_smki.h"

#include <doctest/doctest.h>

#include <functional>

#include "ceremony/x509/bundle.h"
#include "ceremony/x509/lint.h"
#include "ceremony/x509/normalise.h"
#include "tests/unit/x509/der_tree.h"
#include "tests/unit/x509/support.h"
#include "tests/unit/x509/test_keys.h"

using namespace ceremony::x509;
using namespace test;

namespace {

struct Change {
  const char* name;
  std::function<void(DerTree&)> make;
  const char* rules;  // exactly these, in order
};

std::string Judge(base::ByteView der, Domain domain = Domain::kByPolicy) {
  Findings findings(der);
  CertificateView view;
  Linter(domain).CheckCertificate(der, view, findings);
  return Ids(findings.list());
}

void CheckChanges(const Certificate& certificate, const std::vector<Change>& changes) {
  REQUIRE(Judge(certificate.der()) == "");
  for (const Change& change : changes) {
    INFO(std::string(change.name));
    DerTree tree = DerTree::Parse(certificate.der());
    change.make(tree);
    CHECK(Judge(tree.Encode()) == std::string(change.rules));
  }
}

DerTree& Extension(DerTree& c, std::size_t i) { return c.At({0, 7, 0}).children.at(i); }
DerTree& ValueOf(DerTree& c, std::size_t i) { return Extension(c, i).children.back(); }
DerTree& SubjectValue(DerTree& c, std::size_t i) { return c.At({0, 5, i, 0, 1}); }
base::Bytes Text(const char* text) { return base::ToBytes(base::AsBytes(text)); }

}  // namespace

TEST_CASE("an issuing certificate of smart metering is held to its roles, sizes and criticality") {
  CheckChanges(
      IssuingOca(RootOca()),
      {
          {"policies not critical",
           [](DerTree& c) { Extension(c, 2).children.erase(Extension(c, 2).children.begin() + 1); }, "SMKI-POLICY-01"},
          {"no path length", [](DerTree& c) { ValueOf(c, 1).content = Hex("30030101ff"); }, "SMKI-BASIC-01"},
          {"path length 1", [](DerTree& c) { ValueOf(c, 1).content = Hex("30060101ff020101"); }, "SMKI-BASIC-01"},
          {"role of a root", [](DerTree& c) { SubjectValue(c, 0).content = Text("00"); }, "SMKI-NAME-02"},
          {"role of a supplier", [](DerTree& c) { SubjectValue(c, 0).content = Text("02"); }, "SMKI-NAME-02"},
          {"role in small letters", [](DerTree& c) { SubjectValue(c, 0).content = Text("7f"); }, "SMKI-NAME-01"},
          {"role that is none", [](DerTree& c) { SubjectValue(c, 0).content = Text("09"); }, "SMKI-NAME-01"},
          {"common name of five characters", [](DerTree& c) { SubjectValue(c, 1).content = Text("Z1234"); },
           "SMKI-NAME-03"},
          {"common name twice",
           [](DerTree& c) {
             c.At({0, 5}).children.push_back(DerTree(c.At({0, 5, 1})));
           },
           "SMKI-NAME-03"},
          {"serial number of eight octets",
           [](DerTree& c) {
             c.At({0, 1}).content = Hex("0102030405060708");
           },
           "SMKI-SERIAL-01"},
          {"authority's name and serial number as well",
           [](DerTree& c) {
             base::Bytes& value = ValueOf(c, 4).content;
             const base::Bytes more = Hex("a106820461626364820101");
             value.insert(value.end(), more.begin(), more.end());
             value[1] = static_cast<std::uint8_t>(value.size() - 2);
           },
           "SMKI-AKI-01"},
          {"extended key usage",
           [](DerTree& c) {
             c.At({0, 7, 0}).children.push_back(
                 {0x30, {}, {{0x06, Hex("551d25"), {}, {}}, {0x04, Hex("300406022a03"), {}, {}}}, {}});
           },
           "SMKI-EXT-01"},
          {"the whole of another PKI", [](DerTree& c) { ValueOf(c, 2).content = Hex("3006300406022a03"); }, ""},
      });
}

TEST_CASE("the rules of smart metering are for who names its policies, for all, or for none") {
  DerTree tree = DerTree::Parse(IssuingOca(RootOca()).der());
  SubjectValue(tree, 0).content = Text("02");
  const base::Bytes named = tree.Encode();
  CHECK(Judge(named, Domain::kByPolicy) == "SMKI-NAME-02");
  CHECK(Judge(named, Domain::kNone) == "");
  ValueOf(tree, 2).content = Hex("3006300406022a03");
  const base::Bytes foreign = tree.Encode();
  CHECK(Judge(foreign, Domain::kByPolicy) == "");
  CHECK(Judge(foreign, Domain::kSmki) == "SMKI-NAME-02");
  ValueOf(tree, 2).content = Hex("3011300f060d2a863a0001848fb90f01020105");  // of the infrastructure hierarchy
  CHECK(Judge(tree.Encode(), Domain::kByPolicy) == "");
}

TEST_CASE("an ECDSA signature is read leniently and written strictly, or not at all") {
  struct Case {
    const char* given;
    const char* strict;  // empty: refused
    std::size_t repairs;
  };
  const std::string zeros(60, '0');
  const std::string raw_text = zeros + "0011" + zeros + "0091";
  const std::vector<Case> cases = {
      {"3006020111020122", "3006020111020122", 0},
      {"300702020011020122", "3006020111020122", 1},
      {"30080203000011020122", "3006020111020122", 1},
      {"3006020191020122", "300702020091020122", 1},
      {"308106020111020122", "3006020111020122", 1},
      {"30070281011102"
       "0122",
       "3006020111020122", 1},
      {raw_text.c_str(), "300702011102020091", 1},
      {"300602011102012200", "", 0},
      {"3007020111020122ff", "", 0},
      {"3006020100020122", "", 0},
      {"3003020111", "", 0},
      {"", "", 0},
  };
  for (const Case& each : cases) {
    INFO(std::string(each.given));
    const auto normalised = NormaliseSignature(base::Curve::kP256, Hex(each.given));
    CHECK(normalised.ok() == (*each.strict != '\0'));
    if (!normalised.ok()) continue;
    CHECK(base::HexEncode(normalised->der) == std::string(each.strict));
    CHECK(normalised->repairs.size() == each.repairs);
  }
}

TEST_CASE("what normalising drops behind a certificate is said") {
  const base::Bytes good = base::ToBytes(RootOca().der());
  const auto repairs = [&](const base::Bytes& der) {
    const auto normalised = NormaliseCertificate(der, PublicKeyOf(kP256));
    REQUIRE_MESSAGE(normalised.ok(), (normalised.ok() ? "" : normalised.error().message));
    CHECK(normalised->der == good);
    std::string all;
    for (const std::string& repair : normalised->repairs) all += repair + "\n";
    return all;
  };
  const std::string lengths = "the certificate around its parts: lengths are encoded in the fewest octets\n";
  CHECK(repairs(good) == "");
  CHECK(repairs(Joined({good, base::Bytes(100, 0xee)})) == "100 octets behind it dropped\n");
  CHECK(repairs(Joined({good, {0x00}})) == "1 octet behind it dropped\n");
  base::Bytes longer = good;  // 30 82 hh ll as 30 83 00 hh ll
  longer[1] = 0x83;
  longer.insert(longer.begin() + 2, 0x00);
  CHECK(repairs(longer) == lengths);
  CHECK(repairs(Joined({longer, {0x00, 0x00}})) == lengths + "2 octets behind it dropped\n");
}

TEST_CASE("a bundle is cut the same however few octets a read gives") {
  const base::Bytes root = base::ToBytes(RootOca().der());
  const std::string pem = RootOca().Pem();
  base::Bytes bundle = root;
  bundle.insert(bundle.end(), pem.begin(), pem.end());
  bundle.insert(bundle.end(), {'t', 'e', 'x', 't', '\n', 0x00});
  bundle.insert(bundle.end(), root.begin(), root.end());
  for (const std::size_t most : {std::size_t{1}, std::size_t{7}, std::size_t{100'000}}) {
    std::size_t at = 0;
    BundleReader reader([&](std::span<std::uint8_t> buffer) -> base::Result<std::size_t> {
      const std::size_t count = std::min({buffer.size(), most, bundle.size() - at});
      std::copy_n(bundle.data() + at, count, buffer.data());
      at += count;
      return count;
    });
    std::string forms;
    std::vector<std::uint64_t> offsets;
    while (true) {
      const auto item = reader.Next();
      REQUIRE(item.ok());
      if (!item->has_value()) break;
      const BundleItem& found = **item;
      forms += found.form == BundleItem::Form::kDer ? 'd' : found.form == BundleItem::Form::kPem ? 'p' : '!';
      offsets.push_back(found.offset);
      if (found.form == BundleItem::Form::kDer) CHECK(found.raw == root);
      if (found.problem) CHECK(found.problem->facts().id == "BUNDLE-01");
    }
    CHECK(forms == "dp!d");
    REQUIRE(offsets.size() == 4);
    CHECK(offsets[1] == root.size());
    CHECK(offsets[3] == bundle.size() - root.size());
  }
}
