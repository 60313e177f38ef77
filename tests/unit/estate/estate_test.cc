#include "ceremony/estate/estate.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "ceremony/estate/due.h"

namespace {

using ceremony::estate::CertificateIssued;
using ceremony::estate::DocumentLodged;
using ceremony::estate::DueOf;
using ceremony::estate::Effect;
using ceremony::estate::EffectFromJson;
using ceremony::estate::Estate;
using ceremony::estate::Folded;
using ceremony::estate::KeyCreated;
using ceremony::estate::PersonAppointed;
using ceremony::estate::PersonRetired;
using ceremony::estate::Provenance;
using ceremony::estate::SharesIssued;
using ceremony::estate::TokenCommissioned;

const Provenance kFirst{"0001-root", 12, "2026-01-01T00:00:00.000000Z"};

TokenCommissioned Token(const std::string& name, const std::string& serial) {
  return {name, name, serial, "Maker", "Model", "1.0", "live", "organisation"};
}
KeyCreated Key(const std::string& name, const std::string& spki) {
  return {name, "ec-p256", "sign", spki, "hsm-a", "S1", "0a", false};
}
CertificateIssued Certificate(const std::string& name, const std::string& serial) {
  return {name,
          "root",
          "root",
          "root",
          "CN=R",
          serial,
          "2026-01-01T00:00:00Z",
          "2027-01-01T00:00:00Z",
          "ab",
          "certificates/r.der"};
}

PersonAppointed Frank() {
  return {"frank", "Frank", "North", "organisation", "Leeds", "custodian", "AAAA", "BBBB", "2026-01-01"};
}

std::string RuleOf(const base::Result<void>& result) { return result.ok() ? "" : result.error().rule; }

Estate WithKey() {
  Estate estate;
  REQUIRE(estate.Apply(Token("hsm-a", "S1"), kFirst).ok());
  REQUIRE(estate.Apply(Key("root", "aa"), kFirst).ok());
  return estate;
}

}  // namespace

TEST_CASE("one public key belongs to one name, whatever it is called the second time") {
  Estate estate = WithKey();
  const auto second = estate.Apply(Key("issuing", "aa"), kFirst);
  CHECK(RuleOf(second) == "EST-KEY-02");
  CHECK(second.error().message ==
        "the public key aa of key issuing already belongs to key root since ceremony 0001-root (entry 12)");
  CHECK(estate.keys().size() == 1);
}

TEST_CASE("keys whose public key is only planned do not collide with each other") {
  Estate estate = WithKey();
  CHECK(estate.Apply(Key("issuing-1", ""), kFirst).ok());
  CHECK(estate.Apply(Key("issuing-2", ""), kFirst).ok());
}

TEST_CASE("names, tokens and serial numbers are used once and never before they exist") {
  Estate estate = WithKey();
  CHECK(RuleOf(estate.Apply(Token("hsm-a", "S2"), kFirst)) == "EST-TOKEN-01");
  CHECK(RuleOf(estate.Apply(Token("hsm-b", "S1"), kFirst)) == "EST-TOKEN-02");
  CHECK(RuleOf(estate.Apply(Key("root", "bb"), kFirst)) == "EST-KEY-01");
  KeyCreated elsewhere = Key("other", "bb");
  elsewhere.token = "hsm-z";
  CHECK(RuleOf(estate.Apply(elsewhere, kFirst)) == "EST-TOKEN-03");
  CHECK(estate.Apply(Certificate("root", "01"), kFirst).ok());
  CHECK(RuleOf(estate.Apply(Certificate("root", "02"), kFirst)) == "EST-CERT-01");
  CHECK(RuleOf(estate.Apply(Certificate("again", "01"), kFirst)) == "EST-CERT-02");
  CertificateIssued orphan = Certificate("orphan", "03");
  orphan.issuer_key = "nobody";
  CHECK(RuleOf(estate.Apply(orphan, kFirst)) == "EST-KEY-03");
}

TEST_CASE("an effect survives being written and read, and nothing else is read as one") {
  for (const Effect& effect : {Effect(Token("hsm-a", "S1")), Effect(Key("root", "aa")), Effect(Certificate("c", "1")),
                               Effect(DocumentLodged{"d", "k", "s"}), Effect(Frank()),
                               Effect(PersonRetired{"frank", "Frank", "leaving", "r", "2026-02-01"})}) {
    const auto json = ToJson(effect);
    const auto read = EffectFromJson(json);
    REQUIRE(read.ok());
    CHECK(ToJson(*read) == json);
    auto missing = json;
    missing.erase("effect");
    CHECK_FALSE(EffectFromJson(missing).ok());
    auto extra = json;
    extra["more"] = "x";
    CHECK_FALSE(EffectFromJson(extra).ok());
    auto mistyped = json;
    mistyped.back() = 7;
    CHECK_FALSE(EffectFromJson(mistyped).ok());
  }
  CHECK_FALSE(EffectFromJson({{"effect", "key-conjured"}}).ok());
  CHECK_FALSE(EffectFromJson(nlohmann::json::array()).ok());
}

TEST_CASE("what is due: ceremonies that are not complete first, then certificates by date, the far ones not at all") {
  Folded folded;
  folded.records.push_back({"0001-root", "root", "o", "rehearsal", "2026-05-01T00:00:00Z", "", 3, true, false});
  folded.estate = WithKey();
  REQUIRE(folded.estate.Apply(Certificate("soon", "1"), kFirst).ok());
  CertificateIssued far = Certificate("far", "2");
  far.profile = "far";  // else it would renew the first
  far.not_after = "9999-12-31T23:59:59Z";
  REQUIRE(folded.estate.Apply(far, kFirst).ok());
  const std::int64_t june_2026 = 1'780'272'000'000'000;
  const auto due = DueOf(folded, june_2026, 365);
  REQUIRE(due.size() == 2);
  CHECK(due[0].subject == "0001-root");
  CHECK(due[0].overdue);
  CHECK(due[1].subject == "soon");
  CHECK_FALSE(due[1].overdue);
  CHECK(DueOf(folded, june_2026, 30).size() == 1);
}

TEST_CASE("a new share set takes the place of the one before, and both are remembered") {
  Estate estate = WithKey();
  CHECK(estate.FindShares("hsm-a") == nullptr);
  const auto issued = [](const std::string& set, std::int64_t generation) {
    return SharesIssued{"hsm-a", set, generation, "custodians", 2, {{"alice", "a1", "a2"}, {"bob", "b1", "b2"}}};
  };
  CHECK(estate.Apply(issued("s1", 1), kFirst).ok());
  CHECK(RuleOf(estate.Apply(issued("s1", 2), kFirst)) == "EST-SHARES-01");
  CHECK(RuleOf(estate.Apply(issued("s2", 3), kFirst)) == "EST-SHARES-02");
  CHECK(estate.Apply(issued("s2", 2), kFirst).ok());
  REQUIRE(estate.FindShares("hsm-a") != nullptr);
  CHECK(estate.FindShares("hsm-a")->set == "s2");
  CHECK(estate.FindShareSet("s1")->retired);
  CHECK(estate.FindShares("hsm-a")->FindHolder("bob")->officer_commitment == "b2");
  CHECK(estate.FindShares("hsm-a")->FindHolder("carol") == nullptr);
  CHECK(RuleOf(estate.Apply(SharesIssued{"nobody", "s3", 1, "custodians", 2, {}}, kFirst)) == "EST-TOKEN-03");
}

TEST_CASE("an effect with shares is read back as it was written, and strictly") {
  const SharesIssued effect{"hsm-a", "s1", 7, "custodians", 2, {{"alice", "a1", "a2"}}};
  const nlohmann::json object = ceremony::estate::ToJson(effect);
  CHECK(object.dump() == R"({"effect":"shares-issued","generation":7,"holders":[{"officer":"a2","person":"alice",)"
                         R"("user":"a1"}],"m":2,"quorum":"custodians","set":"s1","token":"hsm-a"})");
  CHECK(ceremony::estate::ToJson(EffectFromJson(object).value()) == object);
  for (const char* change : {R"({"m":"2"})", R"({"holders":{}})", R"({"holders":[{"person":"alice","user":"a1"}]})",
                             R"({"holders":[{"person":"alice","user":"a1","officer":"a2","x":1}]})", R"({"more":1})"}) {
    nlohmann::json changed = object;
    changed.update(nlohmann::json::parse(change));
    CHECK_MESSAGE(!EffectFromJson(changed).ok(), change);
  }
}
