// Files that are made to break a reader: cut anywhere, with lengths up to 2^64, and nested 10,000 deep. Certificates,
// CRLs and certification requests are read by the same rules.
#include <doctest/doctest.h>

#include <functional>

#include "ceremony/x509/bundle.h"
#include "ceremony/x509/crl.h"
#include "ceremony/x509/issue_parts.h"
#include "ceremony/x509/lint.h"
#include "ceremony/x509/lint_set_tables.h"
#include "ceremony/x509/request.h"
#include "tests/unit/x509/der_tree.h"
#include "tests/unit/x509/support.h"
#include "tests/unit/x509/test_keys.h"

using namespace ceremony::x509;
using namespace test;

namespace {

struct Kind {
  const char* name;
  base::Bytes good;
  std::function<bool(base::ByteView, Findings&)> parse;
  std::function<std::vector<Finding>(base::ByteView)> lint;
};

base::Bytes GoodCrl() {
  CrlProfile profile;
  profile.name = "arl";
  profile.next_update = {1, 0, 0, 0};
  profile.key_algorithms = {base::KeyAlgorithm::kEcP256};
  profile.issuing_distribution_point = IssuingDistributionPointRule{CrlScope::kCaCertificates, ""};
  profile.reasons = {RevocationReason::kCaCompromise};
  const Certificate root = RootOca();
  CrlInput input;
  input.authority = {base::ToBytes(root.tbs().subject), KeyIdentifier(root.tbs().spki.bits, 2), {}, {}};
  input.this_update = kNow;
  input.number = 1;
  input.revocations = {{Hex("7f01"), kNow - 60, RevocationReason::kCaCompromise, kNow - 3600}};
  const auto tbs = BuildTbsCertList(profile, input);
  REQUIRE(tbs.ok());
  return parts::Assemble(tbs->der(), profile.signature_algorithm,
                         SignWith(kP256, base::SignatureScheme::kEcdsa, tbs->der()));
}

base::Bytes GoodRequest() {
  const auto info = BuildRequestInfo(IssuingOcaProfile(), {PublicKeyOf(kP256Other), {{"CN", "Z1"}}, {}});
  REQUIRE(info.ok());
  return parts::Assemble(info->der(), SignatureAlgorithm::kEcdsaSha256,
                         SignWith(kP256Other, base::SignatureScheme::kEcdsa, info->der()));
}

std::vector<Kind> Kinds() {
  return {{"certificate", base::ToBytes(RootOca().der()),
           [](base::ByteView bytes, Findings& findings) {
             CertificateView view;
             return ParseCertificate(bytes, view, findings);
           },
           LintCertificate},
          {"CRL", GoodCrl(),
           [](base::ByteView bytes, Findings& findings) {
             CrlView view;
             return ParseCrl(bytes, view, findings);
           },
           LintCrl},
          {"certification request", GoodRequest(),
           [](base::ByteView bytes, Findings& findings) {
             RequestView view;
             return ParseRequest(bytes, view, findings);
           },
           LintRequest}};
}

// Refused by parser and lint alike, at places within the file.
void CheckRefused(const Kind& kind, base::ByteView bytes) {
  // A copy of the exact size, so that a sanitizer sees a read behind it.
  const base::Bytes exact = base::ToBytes(bytes);
  Findings findings(exact);
  kind.parse(exact, findings);
  if (findings.empty()) FAIL("the parser found nothing");
  const std::vector<Finding> linted = kind.lint(exact);
  if (linted.empty()) FAIL("the lint found nothing");
  for (const std::vector<Finding>& list : {findings.list(), linted}) {
    for (const Finding& finding : list) {
      if (finding.offset > exact.size()) FAIL("offset " << finding.offset << " of " << exact.size());
    }
  }
}

// Where each element begins, and how many octets its length takes: those of constructed ones, and those inside.
struct Place {
  std::size_t length_at;
  std::size_t length_octets;
};
void CollectPlaces(base::ByteView bytes, std::size_t begin, std::size_t end, std::vector<Place>& places) {
  while (begin < end) {
    std::size_t octets = 1;
    std::size_t length = bytes[begin + 1];
    if (length >= 0x80) {
      octets += length - 0x80;
      length = 0;
      for (std::size_t i = 2; i <= octets; ++i) length = length << 8 | bytes[begin + i];
    }
    places.push_back({begin + 1, octets});
    const std::size_t content = begin + 1 + octets;
    if ((bytes[begin] & 0x20U) != 0) CollectPlaces(bytes, content, content + length, places);
    begin = content + length;
  }
}

base::Bytes Deep(int levels) {
  base::Bytes reversed;  // built from the inside, last octet first
  for (int level = 0; level < levels; ++level) {
    const base::Bytes length = LengthOctets(reversed.size());
    reversed.insert(reversed.end(), length.rbegin(), length.rend());
    reversed.push_back(0x30);
  }
  return {reversed.rbegin(), reversed.rend()};
}

// Appends `raw` as the last child of each constructed element in turn.
void ForEachConstructed(DerTree& root, DerTree& node, const base::Bytes& raw,
                        const std::function<void(const base::Bytes&)>& judge) {
  if ((node.tag & 0x20U) == 0) return;
  DerTree child;
  child.raw = raw;
  node.children.push_back(child);
  judge(root.Encode());
  node.children.pop_back();
  for (DerTree& each : node.children) ForEachConstructed(root, each, raw, judge);
}

}  // namespace

TEST_CASE("what is good of each kind is found good") {
  for (const Kind& kind : Kinds()) {
    CAPTURE(kind.name);
    Findings findings(kind.good);
    CHECK(kind.parse(kind.good, findings));
    CHECK(findings.empty());
    CHECK(Ids(kind.lint(kind.good)) == "");
  }
}

TEST_CASE("a certificate, CRL or request that is cut at any octet is refused") {
  for (const Kind& kind : Kinds()) {
    CAPTURE(kind.name);
    for (std::size_t size = 0; size < kind.good.size(); ++size) {
      CAPTURE(size);
      CheckRefused(kind, base::ByteView(kind.good).first(size));
      Findings findings(kind.good);
      if (kind.parse(base::ByteView(kind.good).first(size), findings)) FAIL("complete with " << size << " octets");
    }
  }
}

TEST_CASE("a length of up to 2^64 octets, or of none, in any place is refused without reading behind the end") {
  for (const Kind& kind : Kinds()) {
    CAPTURE(kind.name);
    std::vector<Place> places;
    CollectPlaces(kind.good, 0, kind.good.size(), places);
    REQUIRE(places.size() > 30);
    for (const Place& place : places) {
      CAPTURE(place.length_at);
      for (const char* length : {"88ffffffffffffffff", "887fffffffffffffff", "880000000100000000",
                                 "89010000000000000000", "84ffffffff", "847fffffff", "80", "ff", "fe00"}) {
        CAPTURE(length);
        base::Bytes bytes = kind.good;
        const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(place.length_at);
        const base::Bytes octets = Hex(length);
        bytes.erase(at, at + static_cast<std::ptrdiff_t>(place.length_octets));
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(place.length_at), octets.begin(), octets.end());
        CheckRefused(kind, bytes);
      }
    }
  }
}

TEST_CASE("10,000 levels of nesting in any place are refused for their depth") {
  const base::Bytes deep = Deep(10'000);
  for (const Kind& kind : Kinds()) {
    CAPTURE(kind.name);
    DerTree tree = DerTree::Parse(kind.good);
    std::size_t places = 0;
    ForEachConstructed(tree, tree, deep, [&](const base::Bytes& bytes) {
      ++places;
      Findings findings(bytes);
      kind.parse(bytes, findings);
      if (!Has(findings.list(), "DER-DEPTH-01")) FAIL("place " << places << ": " << Ids(findings.list()));
      if (!Has(kind.lint(bytes), "DER-DEPTH-01")) FAIL("lint, place " << places);
    });
    CHECK(places > 15);
  }
}

TEST_CASE("10,000 levels of nesting in the value of an extension are refused for their depth") {
  const base::Bytes deep = Deep(10'000);
  const auto judge = [&](const Kind& kind, std::initializer_list<std::size_t> value) {
    CAPTURE(kind.name);
    DerTree tree = DerTree::Parse(kind.good);
    REQUIRE(tree.At(value).tag == tag::kOctetString);
    tree.At(value).content = deep;
    const base::Bytes bytes = tree.Encode();
    CHECK(Has(kind.lint(bytes), "DER-DEPTH-01"));
    CheckRefused(kind, bytes);
  };
  const std::vector<Kind> kinds = Kinds();
  judge(kinds[0], {0, 7, 0, 3, 1});        // subjectKeyIdentifier
  judge(kinds[1], {0, 6, 0, 0, 1});        // authorityKeyIdentifier
  judge(kinds[1], {0, 5, 0, 2, 0, 1});     // reasonCode of the entry
  judge(kinds[2], {0, 3, 0, 1, 0, 3, 1});  // subjectKeyIdentifier, in extensionRequest
}

TEST_CASE("a CRL with more extensions and a request with more attributes than there is room for are refused") {
  const std::vector<Kind> kinds = Kinds();
  DerTree crl = DerTree::Parse(kinds[1].good);
  DerTree extra = crl.At({0, 6, 0, 1});
  for (int i = 0; i < 500; ++i) crl.At({0, 6, 0}).children.push_back(extra);
  CheckRefused(kinds[1], crl.Encode());
  DerTree entry = DerTree::Parse(kinds[1].good);
  extra = entry.At({0, 5, 0, 2, 0});
  for (int i = 0; i < 500; ++i) entry.At({0, 5, 0, 2}).children.push_back(extra);
  CheckRefused(kinds[1], entry.Encode());
  DerTree request = DerTree::Parse(kinds[2].good);
  extra = request.At({0, 3, 0});
  for (int i = 0; i < 500; ++i) request.At({0, 3}).children.push_back(extra);
  CheckRefused(kinds[2], request.Encode());
}

TEST_CASE("CRL-EXT-02: an extension that verifiers do not know may not be critical, in a CRL or an entry") {
  const Kind crl = Kinds()[1];
  DerTree tree = DerTree::Parse(crl.good);
  DerTree unknown{0x30, {}, {{0x06, Hex("2a0304"), {}, {}}, {0x04, Hex("0500"), {}, {}}}, {}};
  tree.At({0, 6, 0}).children.push_back(unknown);
  tree.At({0, 5, 0, 2}).children.push_back(unknown);
  CHECK(Ids(crl.lint(tree.Encode())) == "");
  unknown.children.insert(unknown.children.begin() + 1, DerTree{0x01, {0xff}, {}, {}});
  tree.At({0, 6, 0}).children.back() = unknown;
  CHECK(Ids(crl.lint(tree.Encode())) == "CRL-EXT-02");
  tree.At({0, 6, 0}).children.pop_back();
  tree.At({0, 5, 0, 2}).children.back() = unknown;
  CHECK(Ids(crl.lint(tree.Encode())) == "CRL-EXT-02");
}

TEST_CASE("the flags and reasons of an issuingDistributionPoint are held to DER") {
  const Kind crl = Kinds()[1];
  const auto with = [&](const char* value) {
    DerTree tree = DerTree::Parse(crl.good);
    tree.At({0, 6, 0, 2, 2}).content = Hex(value);
    return Ids(crl.lint(tree.Encode()));
  };
  CHECK(with("30038201ff") == "");
  CHECK(with("3003820101") == "DER-BOOLEAN-02");
  CHECK(with("3003820100") == "DER-DEFAULT-01");
  CHECK(with("300483020780") == "");
  CHECK(with("30038301ff") == "DER-BITSTRING-01");  // OpenSSL cannot decode it
  CHECK(with("3004830207ff") == "DER-BITSTRING-02");
  CHECK(with("300483020080") == "DER-BITLIST-01");
}

// Each of these would take minutes if the time grew with the square of the size.
TEST_CASE("16 MiB of damaged encodings are cut in time that grows with their size alone") {
  const auto count = [](const base::Bytes& damaged) {
    base::Bytes file;
    while (file.size() < (std::size_t{16} << 20)) file.insert(file.end(), damaged.begin(), damaged.end());
    std::size_t at = 0;
    BundleReader reader([&](std::span<std::uint8_t> buffer) -> base::Result<std::size_t> {
      const std::size_t got = std::min(buffer.size(), file.size() - at);
      std::copy_n(file.data() + at, got, buffer.data());
      at += got;
      return got;
    });
    std::size_t items = 0;
    while (true) {
      const auto item = reader.Next();
      REQUIRE(item.ok());
      if (!item->has_value()) return std::pair(items, file.size() / damaged.size());
      ++items;
    }
  };
  // It states 2^24 octets, and the next one begins behind its first 64.
  base::Bytes endless = Hex("3083ffffff30820100a003");
  endless.resize(64, 0xee);
  const auto [cut, there] = count(endless);
  CHECK(cut == there);
  // As many with a PEM block behind each, and no other encoding in sight.
  const std::string block = "-----BEGIN X-----\n-----END X-----\n";
  const auto [both, pairs] = count(Joined({Hex("30ff0000"), base::ToBytes(base::AsBytes(block))}));
  CHECK(both >= 2 * pairs);
}

TEST_CASE("200,000 policies and as many mappings are judged in time that grows with their number alone") {
  base::Bytes policies;
  base::Bytes mappings;
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    const auto arc = [&](unsigned shift, unsigned more) {
      return static_cast<std::uint8_t>((i >> shift & 0x7f) | more);
    };
    const base::Bytes oid{0x06, 0x04, 0x2a, static_cast<std::uint8_t>(arc(14, 0) + 0x81), arc(7, 0x80), arc(0, 0)};
    policies.insert(policies.end(), {0x30, 0x06});
    policies.insert(policies.end(), oid.begin(), oid.end());
    mappings.insert(mappings.end(), {0x30, 0x0b});
    mappings.insert(mappings.end(), oid.begin(), oid.end());
    mappings.insert(mappings.end(), {0x06, 0x03, 0x2a, 0x03, 0x05});
  }
  DerTree tree = DerTree::Parse(RootOca().der());
  tree.At({0, 7, 0, 2, 2}).content = Joined({{0x30}, LengthOctets(policies.size()), policies});
  const base::Bytes value = Joined({{0x30}, LengthOctets(mappings.size()), mappings});
  tree.At({0, 7, 0}).children.push_back(
      {0x30, {}, {{0x06, Hex("551d21"), {}, {}}, {0x01, {0xff}, {}, {}}, {0x04, value, {}, {}}}, {}});
  CHECK(Ids(LintCertificate(tree.Encode())) == "");
}

TEST_CASE("the issuer among 200,000 CAs of one name is found without looking at all of them") {
  set::Tables tables;
  const base::Bytes name = base::ToBytes(RootOca().tbs().subject);
  const auto key_id = [](std::uint32_t i) {
    return base::Bytes{static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8),
                       static_cast<std::uint8_t>(i)};
  };
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    set::Ca ca;
    ca.subject = name;
    ca.key_id = key_id(i);
    ca.number = i;
    tables.cas.push_back(std::move(ca));
    tables.Enter(i);
  }
  std::uint32_t found = 0;
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    const auto issuers = tables.IssuersOf(name, key_id(i));
    if (issuers.size() == 1 && issuers.front()->number == i) ++found;
  }
  CHECK(found == 200'000);
  CHECK(tables.IssuersOf(name, {}).size() == set::kMostRows);
  CHECK(tables.IssuersOf(name, Hex("ffffffff")).empty());
}
