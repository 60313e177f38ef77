// What the estate knows of tokens, and what it refuses to believe of them.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "ceremony/estate/estate.h"

namespace {

using ceremony::estate::Effect;
using ceremony::estate::EffectFromJson;
using ceremony::estate::Estate;
using ceremony::estate::FirmwareChanged;
using ceremony::estate::KeyCreated;
using ceremony::estate::Provenance;
using ceremony::estate::SealsChanged;
using ceremony::estate::TokenCommissioned;
using ceremony::estate::TokenMoved;
using ceremony::estate::TokenRegistered;
using ceremony::estate::TokenRetired;
using ceremony::estate::TokenVerified;

const Provenance kFirst{"0001-root", 12, "2026-01-01T00:00:00.000000Z"};
const Provenance kSecond{"0002-move", 30, "2026-02-01T00:00:00.000000Z"};

TokenCommissioned Token(const std::string& name, const std::string& serial) {
  return {name, name, serial, "Maker", "Model", "1.0", "live", "organisation"};
}
KeyCreated Key(const std::string& name, const std::string& token) {
  return {name, "ec-p256", "sign", "spki-" + name, token, "S1", "0a", false};
}
TokenRegistered Order(const std::string& name, const std::string& serial) {
  return {name, "Maker", "Model", serial, "4703", "backup", "organisation", "", "PO-7"};
}
TokenVerified Verified(const std::string& firmware, const std::string& module_sha256) {
  return {"hsm-a", "S1", firmware, "Maker PKCS#11", "2.6", module_sha256, "ff", 2};
}
TokenMoved Departs(std::vector<std::string> seals) {
  return {"hsm-a",        "S1",           "departed", "Leeds",          "Bristol",
          "Securi-Trans", {"Sam Driver"}, "CN-1",     std::move(seals), "2026-02-01T09:00:00Z"};
}
TokenMoved Arrives(std::vector<std::string> seals) {
  return {"hsm-a", "S1", "arrived", "Bristol", "", "", {}, "CN-1", std::move(seals), "2026-02-01T15:00:00Z"};
}

std::string Said(const base::Result<void>& result) {
  return result.ok() ? "" : result.error().rule + ": " + result.error().message;
}
std::string RuleOf(const base::Result<void>& result) { return result.ok() ? "" : result.error().rule; }

Estate WithToken() {
  Estate estate;
  REQUIRE(estate.Apply(Token("hsm-a", "S1"), kFirst).ok());
  return estate;
}
Estate WithKey() {
  Estate estate = WithToken();
  REQUIRE(estate.Apply(Key("root", "hsm-a"), kFirst).ok());
  return estate;
}

}  // namespace

TEST_CASE("a token is ordered, commissioned, and in service once it holds a key") {
  Estate estate;
  REQUIRE(estate.Apply(Order("hsm-a", "S1"), kFirst).ok());
  CHECK(estate.FindToken("hsm-a")->state == "ordered");
  CHECK(Said(estate.Apply(Key("root", "hsm-a"), kFirst)) ==
        "EST-TOKEN-03: key root is to be made on token hsm-a, which nobody commissioned");
  REQUIRE(estate.Apply(Token("hsm-a", "S1"), kSecond).ok());
  CHECK(estate.FindToken("hsm-a")->state == "commissioned");
  CHECK(estate.FindToken("hsm-a")->fips == "4703");
  CHECK(estate.FindToken("hsm-a")->role == "live");
  REQUIRE(estate.Apply(Key("root", "hsm-a"), kSecond).ok());
  CHECK(estate.FindToken("hsm-a")->state == "in service");
  CHECK(estate.FindToken("hsm-a")->since.ceremony == "0002-move");
}

TEST_CASE("another device than the one that was ordered is not commissioned under its name") {
  Estate estate;
  REQUIRE(estate.Apply(Order("hsm-a", "S1"), kFirst).ok());
  CHECK(Said(estate.Apply(Token("hsm-a", "S2"), kSecond)) ==
        "EST-TOKEN-05: token hsm-a is registered with serial S1, and has S2");
  TokenCommissioned foreign = Token("hsm-a", "S1");
  foreign.domain = "device";
  CHECK(Said(estate.Apply(foreign, kSecond)) ==
        "EST-TOKEN-05: token hsm-a is registered with domain organisation, and has device");
  CHECK(RuleOf(estate.Apply(Order("hsm-a", "S9"), kSecond)) == "EST-TOKEN-05");
  CHECK(estate.FindToken("hsm-a")->state == "ordered");
}

TEST_CASE("what an order says may be corrected, and a token that is there is not made another one by the register") {
  Estate estate;
  TokenRegistered order{"hsm-a", "Maker", "Model", "", "", "backup", "organisation", "Leeds", ""};
  REQUIRE(estate.Apply(order, kFirst).ok());
  order.model = "Model 2";
  order.site = "York";
  REQUIRE(estate.Apply(order, kFirst).ok());
  TokenCommissioned token = Token("hsm-a", "S1");
  token.model = "Model 2";
  REQUIRE(estate.Apply(token, kFirst).ok());
  const auto with = [](auto member, const char* value) {
    TokenRegistered change;
    change.token = "hsm-a";
    change.*member = value;
    return change;
  };
  CHECK(Said(estate.Apply(with(&TokenRegistered::domain, "device"), kSecond)) ==
        "EST-TOKEN-05: token hsm-a is registered with domain organisation, and has device");
  CHECK(RuleOf(estate.Apply(with(&TokenRegistered::manufacturer, "Other"), kSecond)) == "EST-TOKEN-05");
  CHECK(RuleOf(estate.Apply(with(&TokenRegistered::model, "Other"), kSecond)) == "EST-TOKEN-05");
  CHECK(Said(estate.Apply(with(&TokenRegistered::site, "Leeds"), kSecond)) ==
        "EST-CUSTODY-03: token hsm-a is to be registered at Leeds, and the estate has it at York");
  CHECK(estate.FindToken("hsm-a")->domain == "organisation");
  CHECK(estate.FindToken("hsm-a")->model == "Model 2");
  CHECK(estate.FindToken("hsm-a")->site == "York");
  REQUIRE(estate.Apply(with(&TokenRegistered::role, "audit"), kSecond).ok());
  CHECK(estate.FindToken("hsm-a")->role == "audit");
  CHECK(estate.Apply(with(&TokenRegistered::order, "PO-8"), kSecond).ok());
}

TEST_CASE("a token that is there, or still on its way, is not commissioned") {
  Estate estate = WithToken();
  CHECK(Said(estate.Apply(Token("hsm-a", "S2"), kSecond)) ==
        "EST-TOKEN-01: token hsm-a is commissioned since ceremony 0001-root (entry 12)");
  CHECK(Said(estate.Apply(Token("hsm-b", "S1"), kSecond)) ==
        "EST-TOKEN-02: the token with serial S1 is token hsm-a, which is commissioned");
  Estate ordered;
  REQUIRE(ordered.Apply(Order("hsm-a", "S1"), kFirst).ok());
  REQUIRE(ordered.Apply(Departs({}), kSecond).ok());
  CHECK(Said(ordered.Apply(Token("hsm-a", "S1"), kSecond)) ==
        "EST-TOKEN-04: token hsm-a is in transit since ceremony 0002-move (entry 30), and is not commissioned before "
        "it has arrived");
}

TEST_CASE("firmware and module of a token are those of its first verification until a ceremony changes them") {
  Estate estate = WithKey();
  REQUIRE(estate.Apply(Verified("1.0", "aa"), kFirst).ok());
  CHECK(RuleOf(estate.Apply(Verified("1.1", "aa"), kSecond)) == "EST-TOKEN-06");
  CHECK(Said(estate.Apply(Verified("1.0", "bb"), kSecond)) ==
        "EST-TOKEN-06: token hsm-a is known with module digest aa, and has bb");
  FirmwareChanged change{"hsm-a", "S1", "0.9", "1.1", "4800", "Maker PKCS#11", "2.7", "bb", "i1", "i2", {"root"}};
  CHECK(RuleOf(estate.Apply(change, kSecond)) == "EST-TOKEN-06");
  change.before = "1.0";
  change.survived = {};
  CHECK(Said(estate.Apply(change, kSecond)) ==
        "EST-FIRMWARE-01: key root is on token hsm-a, and was not shown to have survived");
  change.survived = {"root"};
  REQUIRE(estate.Apply(change, kSecond).ok());
  CHECK(estate.FindToken("hsm-a")->fips == "4800");
  TokenVerified after = Verified("1.1", "bb");
  after.module_version = "2.7";
  CHECK(estate.Apply(after, kSecond).ok());
}

TEST_CASE("a seal is used once, and taken off where it is") {
  Estate estate = WithToken();
  REQUIRE(estate.Apply(Token("hsm-b", "S2"), kFirst).ok());
  REQUIRE(estate.Apply(SealsChanged{"hsm-a", {"A2", "A1"}, {}, "new"}, kFirst).ok());
  CHECK(estate.FindToken("hsm-a")->SealNumbers() == std::vector<std::string>{"A1", "A2"});
  CHECK(Said(estate.Apply(SealsChanged{"hsm-b", {"A1"}, {}, "r"}, kFirst)) ==
        "EST-SEAL-01: seal A1 was used before, on token hsm-a");
  CHECK(RuleOf(estate.Apply(SealsChanged{"hsm-b", {"B1", "B1"}, {}, "r"}, kFirst)) == "EST-SEAL-01");
  CHECK(Said(estate.Apply(SealsChanged{"hsm-a", {}, {"A3"}, "r"}, kFirst)) ==
        "EST-SEAL-02: seal A3 is not on token hsm-a, which has A1, A2");
  REQUIRE(estate.Apply(SealsChanged{"hsm-a", {"A3"}, {"A1"}, "inspection"}, kSecond).ok());
  CHECK(estate.FindToken("hsm-a")->SealNumbers() == std::vector<std::string>{"A2", "A3"});
  CHECK(RuleOf(estate.Apply(SealsChanged{"hsm-b", {"A1"}, {}, "r"}, kSecond)) == "EST-SEAL-01");
}

TEST_CASE("a token under way is not used, and arrives with the seals that it left with, where it was sent") {
  Estate estate = WithKey();
  REQUIRE(estate.Apply(TokenRegistered{"hsm-a", "", "", "", "", "", "", "Leeds", ""}, kFirst).ok());
  REQUIRE(estate.Apply(SealsChanged{"hsm-a", {"A1", "A2"}, {}, "packed"}, kFirst).ok());
  CHECK(RuleOf(estate.Apply(Arrives({"A1", "A2"}), kSecond)) == "EST-CUSTODY-01");
  CHECK(Said(estate.Apply(Departs({"A1"}), kSecond)) ==
        "EST-CUSTODY-02: token hsm-a has the seals A1, expected A1, A2");
  TokenMoved elsewhere = Departs({"A1", "A2"});
  elsewhere.place = "York";
  CHECK(Said(estate.Apply(elsewhere, kSecond)) ==
        "EST-CUSTODY-03: token hsm-a is to leave from York, and the estate has it at Leeds");
  REQUIRE(estate.Apply(Departs({"A2", "A1"}), kSecond).ok());
  CHECK(estate.FindToken("hsm-a")->state == "in transit");
  CHECK(RuleOf(estate.Apply(Departs({"A1", "A2"}), kSecond)) == "EST-CUSTODY-01");
  CHECK(Said(estate.Apply(Key("new", "hsm-a"), kSecond)) ==
        "EST-TOKEN-04: key new is to be made on token hsm-a, which is in transit since ceremony 0002-move (entry 30)");
  CHECK(RuleOf(estate.Apply(Verified("1.0", "aa"), kSecond)) == "EST-TOKEN-04");

  TokenMoved handed_over = Arrives({"A1", "A2"});
  handed_over.phase = "handed-over";
  handed_over.to = "Exeter";
  handed_over.carrier = "Other Ltd";
  REQUIRE(estate.Apply(handed_over, kSecond).ok());
  TokenMoved arrival = Arrives({"A1", "A9"});
  CHECK(RuleOf(estate.Apply(arrival, kSecond)) == "EST-CUSTODY-03");
  arrival.place = "Exeter";
  CHECK(Said(estate.Apply(arrival, kSecond)) == "EST-CUSTODY-02: token hsm-a has the seals A1, A9, expected A1, A2");
  arrival.seals = {"A1", "A2"};
  arrival.at = "2026-02-01T14:59:59Z";
  CHECK(RuleOf(estate.Apply(arrival, kSecond)) == "EST-CUSTODY-04");
  arrival.at = "2026-02-01T18:00:00Z";
  REQUIRE(estate.Apply(arrival, kSecond).ok());
  const auto* token = estate.FindToken("hsm-a");
  CHECK(token->state == "in service");
  CHECK(token->site == "Exeter");
  REQUIRE(token->legs.size() == 2);
  CHECK(token->legs[0].arrived == "2026-02-01T15:00:00Z");
  CHECK(token->legs[1].carrier == "Other Ltd");
}

TEST_CASE("a token that holds the last copy of a key is not retired") {
  Estate estate = WithKey();
  CHECK(Said(estate.Apply(TokenRetired{"hsm-a", "S1", "zeroised", "", "old", "2026-03-01"}, kSecond)) ==
        "EST-RETIRE-01: token hsm-a holds the last copy of key root, which is active");
}

TEST_CASE("the name of a retired token is never used again, its device may be") {
  Estate estate = WithToken();
  CHECK(RuleOf(estate.Apply(TokenRetired{"hsm-a", "S7", "zeroised", "", "old", "2026-03-01"}, kSecond)) ==
        "EST-TOKEN-05");
  REQUIRE(estate.Apply(TokenRetired{"hsm-a", "S1", "zeroised", "", "old", "2026-03-01"}, kSecond).ok());
  CHECK(estate.FindToken("hsm-a")->state == "retired");
  CHECK(Said(estate.Apply(Token("hsm-a", "S1"), kSecond)) ==
        "EST-TOKEN-01: token hsm-a is retired since ceremony 0002-move (entry 30)");
  CHECK(RuleOf(estate.Apply(TokenRetired{"hsm-a", "S1", "zeroised", "", "old", "2026-03-02"}, kSecond)) ==
        "EST-TOKEN-04");
  CHECK(estate.Apply(Token("hsm-b", "S1"), kSecond).ok());
}

TEST_CASE("what happens to tokens is read back as it was written, and strictly") {
  for (const Effect& effect :
       {Effect(Order("a", "S1")), Effect(Verified("1", "aa")), Effect(SealsChanged{"a", {"1"}, {"2"}, "r"}),
        Effect(Departs({"A1"})), Effect(TokenRetired{"a", "S", "evidence", "ab", "r", "2026-01-01"}),
        Effect(FirmwareChanged{"a", "S", "1", "2", "", "m", "v", "d", "i", "j", {"k"}})}) {
    const auto json = ToJson(effect);
    const auto read = EffectFromJson(json);
    REQUIRE(read.ok());
    CHECK(ToJson(*read) == json);
    for (const auto& [name, value] : json.items()) {
      auto missing = json;
      missing.erase(name);
      CHECK_FALSE(EffectFromJson(missing).ok());
      auto mistyped = json;
      mistyped[name] = value.is_array() ? nlohmann::json("A1") : nlohmann::json::array({7});
      CHECK_FALSE(EffectFromJson(mistyped).ok());
    }
    auto extra = json;
    extra["more"] = "x";
    CHECK_FALSE(EffectFromJson(extra).ok());
  }
}
