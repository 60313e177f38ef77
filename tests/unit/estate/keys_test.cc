// The life of a key in the estate: copies, seal, use, end.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "ceremony/estate/due.h"
#include "ceremony/estate/estate.h"

namespace {

using namespace ceremony::estate;  // NOLINT(google-build-using-namespace): every effect is used here

const Provenance kMade{"0001-root", 12, "2026-01-01T00:00:00.000000Z"};
const Provenance kLater{"0002-later", 40, "2026-06-01T00:00:00.000000Z"};

std::string RuleOf(const base::Result<void>& result) { return result.ok() ? "" : result.error().rule; }
std::string MessageOf(const base::Result<void>& result) { return result.ok() ? "" : result.error().message; }

TokenCommissioned Token(const std::string& name, const std::string& domain = "organisation") {
  return {name, name, "serial of " + name, "Maker", "Model", "1.0", "live", domain};
}
KeyCloned Clone(const std::string& source, const std::string& token, bool extractable = false) {
  return {"root", "aa", source, token, "serial of " + token, "0a", "ecdh-p256", "certification-request", extractable};
}
KeyDeactivated Deactivated(const std::string& hold_until) {
  return {"root", "superseded", "2026-06-01T10:00:00Z", "", 0, hold_until};
}
CopyDestroyed Gone(const std::string& token, const std::string& method = "C_DestroyObject") {
  return {"root", token, "serial of " + token, "0a", method, "", "2028-06-02T10:00:00Z"};
}
KeyDestroyed Certified(const std::string& on, const std::string& reason = "") {
  return {"root", "aa", on, reason, "destruction/root.destruction.json", "cc"};
}

// Tokens a, b and c of one domain, d of another; key root on a, which may be cloned.
Estate WithKey(bool extractable = true) {
  Estate estate;
  for (const char* token : {"a", "b", "c"}) REQUIRE(estate.Apply(Token(token), kMade).ok());
  REQUIRE(estate.Apply(Token("d", "device"), kMade).ok());
  REQUIRE(estate.Apply(KeyCreated{"root", "ec-p256", "sign", "aa", "a", "serial of a", "0a", extractable}, kMade).ok());
  return estate;
}

}  // namespace

TEST_CASE("a clone is a copy with its own token, and may be cloned on only when it says so") {
  Estate estate = WithKey();
  REQUIRE(estate.Apply(Clone("a", "b"), kLater).ok());
  const Key& key = *estate.FindKey("root");
  REQUIRE(key.copies.size() == 2);
  CHECK(key.copies[0].kind == "original");
  CHECK(key.copies[1].kind == "clone");
  CHECK(key.copies[1].serial == "serial of b");
  CHECK(key.copies[1].way == "ecdh-p256");
  CHECK_FALSE(key.copies[1].extractable);
  CHECK(estate.KeysOn("b").size() == 1);
  const auto on = estate.Apply(Clone("b", "c"), kLater);
  CHECK(RuleOf(on) == "EST-COPY-02");
  CHECK(MessageOf(on) == "the copy of key root on token b is sealed: nothing leaves it");
  CHECK(estate.Apply(Clone("a", "c", true), kLater).ok());
}

TEST_CASE("a clone is refused where it contradicts what is known") {
  Estate estate = WithKey();
  CHECK(RuleOf(estate.Apply(Clone("a", "a"), kLater)) == "EST-COPY-01");
  CHECK(RuleOf(estate.Apply(Clone("b", "c"), kLater)) == "EST-COPY-03");
  CHECK(RuleOf(estate.Apply(Clone("a", "z"), kLater)) == "EST-TOKEN-03");
  const auto domain = estate.Apply(Clone("a", "d"), kLater);
  CHECK(RuleOf(domain) == "EST-COPY-05");
  CHECK(MessageOf(domain) == "key root belongs to the domain organisation, token d to device");
  KeyCloned other = Clone("a", "b");
  other.spki_sha256 = "bb";
  CHECK(RuleOf(estate.Apply(other, kLater)) == "EST-COPY-06");
  KeyCloned unknown = Clone("a", "b");
  unknown.key = "nobody";
  CHECK(RuleOf(estate.Apply(unknown, kLater)) == "EST-KEY-03");
  CHECK(estate.FindKey("root")->copies.size() == 1);
}

TEST_CASE("a sealed key gives no clone, but the vendor's own way does not ask for leave") {
  Estate estate = WithKey();
  REQUIRE(estate.Apply(KeySealed{"root", "a", "serial of a"}, kLater).ok());
  CHECK(RuleOf(estate.Apply(Clone("a", "b"), kLater)) == "EST-COPY-02");
  KeyCloned vendor = Clone("a", "b");
  vendor.way = "vendor: security world";
  CHECK(estate.Apply(vendor, kLater).ok());
  CHECK(RuleOf(estate.Apply(KeySealed{"root", "c", "serial of c"}, kLater)) == "EST-COPY-03");
}

TEST_CASE("a key that is out of use signs no certificate, and a destroyed one does nothing") {
  Estate estate = WithKey();
  CHECK(estate.MaySign("root", "certificate x").ok());
  REQUIRE(estate.Apply(Deactivated("2028-06-01"), kLater).ok());
  CHECK(estate.FindKey("root")->state == "held");
  const auto held = estate.MaySign("root", "certificate x");
  CHECK(RuleOf(held) == "EST-KEY-05");
  CHECK(MessageOf(held) ==
        "certificate x is to be signed by key root, which is held since ceremony 0002-later (entry 40)");
  CHECK(estate.MayUse("root", "CRL x").ok());
  REQUIRE(estate.Apply(Gone("a"), kLater).ok());
  REQUIRE(estate.Apply(Certified("2028-06-02T10:00:00Z"), kLater).ok());
  for (const Effect& effect :
       {Effect(Clone("a", "b")), Effect(KeySealed{"root", "a", ""}), Effect(KeyUsageStated{"root", 1, "", "", "", ""}),
        Effect(Deactivated("")), Effect(KeyCompromised{"root", "", ""}), Effect(Gone("a")), Effect(Certified(""))}) {
    CAPTURE(ToJson(effect).dump());
    CHECK(RuleOf(estate.Apply(effect, kLater)) == "EST-KEY-04");
  }
  CHECK(RuleOf(estate.MayUse("root", "CRL x")) == "EST-KEY-04");
  CHECK(estate.KeysOn("a").empty());
}

TEST_CASE("a certificate is not signed by a key that is out of use") {
  Estate estate = WithKey();
  CertificateIssued issued;
  issued.certificate = "root";
  issued.key = "root";
  issued.issuer_key = "root";
  issued.serial = "01";
  REQUIRE(estate.Apply(Deactivated(""), kLater).ok());
  CHECK(RuleOf(estate.Apply(issued, kLater)) == "EST-KEY-05");
  CHECK(estate.certificates().empty());
}

TEST_CASE("a key is taken out of use once, and the hold ends on a day that is not over") {
  Estate estate = WithKey();
  const auto past = estate.Apply(Deactivated("2026-05-31"), kLater);
  CHECK(RuleOf(past) == "EST-HOLD-01");
  CHECK(MessageOf(past) == "key root is to be held until 2026-05-31, and is deactivated on 2026-06-01");
  CHECK(estate.FindKey("root")->state == "active");
  REQUIRE(estate.Apply(Deactivated("2026-06-01"), kLater).ok());
  CHECK(RuleOf(estate.Apply(Deactivated("2026-06-02"), kLater)) == "EST-KEY-06");
}

TEST_CASE("a compromised key stays so when it is taken out of use") {
  Estate estate = WithKey();
  REQUIRE(estate.Apply(KeyCompromised{"root", "2026-05-01T00:00:00Z", "a laptop was stolen"}, kLater).ok());
  CHECK(RuleOf(estate.Apply(KeyCompromised{"root", "", ""}, kLater)) == "EST-KEY-06");
  CHECK(RuleOf(estate.MaySign("root", "certificate x")) == "EST-KEY-05");
  REQUIRE(estate.Apply(Deactivated(""), kLater).ok());
  CHECK(estate.FindKey("root")->state == "compromised");
  CHECK(estate.FindKey("root")->deactivated_because == "superseded");
}

TEST_CASE("a compromised key is taken out of use once, and its hold stays as long as it was") {
  Estate estate = WithKey();
  REQUIRE(estate.Apply(KeyCompromised{"root", "2026-05-01T00:00:00Z", "a laptop was stolen"}, kLater).ok());
  REQUIRE(estate.Apply(Deactivated("2028-06-01"), kLater).ok());
  const auto again = estate.Apply(Deactivated("2026-06-02"), kLater);
  CHECK(RuleOf(again) == "EST-KEY-06");
  CHECK(MessageOf(again) ==
        "key root was taken out of use already, and is compromised since ceremony 0002-later (entry 40)");
  CHECK(estate.FindKey("root")->hold_until == "2028-06-01");
}

TEST_CASE("a compromised key that is held is due at the end of its hold, and one that is not at once") {
  Folded folded;
  folded.estate = WithKey();
  REQUIRE(folded.estate.Apply(KeyCompromised{"root", "2026-05-01T00:00:00Z", "stolen"}, kLater).ok());
  constexpr std::int64_t kNoon = 1'843'473'600LL * 1'000'000;  // date -u -d 2028-06-01T12:00:00Z +%s
  const auto at_once = DueOf(folded, kNoon, 30);
  REQUIRE(at_once.size() == 1);
  CHECK(at_once[0].what == "destroy the compromised key");
  CHECK(at_once[0].by == "");
  CHECK(at_once[0].overdue);
  REQUIRE(folded.estate.Apply(Deactivated("2028-06-01"), kLater).ok());
  const auto held = DueOf(folded, kNoon, 30);
  REQUIRE(held.size() == 1);
  CHECK(held[0].what == "destroy the compromised key");
  CHECK(held[0].by == "2028-06-01");
  CHECK_FALSE(held[0].overdue);
  CHECK(folded.estate.KeysToDestroy("2028-05-31").empty());
  CHECK(folded.estate.KeysToDestroy("2028-06-01").size() == 1);
  REQUIRE(folded.estate.Apply(Gone("a"), kLater).ok());
  REQUIRE(folded.estate.Apply(Certified("2028-06-02T10:00:00Z"), kLater).ok());
  CHECK(folded.estate.KeysToDestroy("2028-06-03").empty());
  CHECK(DueOf(folded, kNoon, 30).empty());
}

TEST_CASE("statements of use only grow") {
  Estate estate = WithKey();
  const auto stated = [&](std::int64_t count, const std::string& first, const std::string& last) {
    return RuleOf(estate.Apply(KeyUsageStated{"root", count, first, last, "ada", "ff"}, kLater));
  };
  CHECK(stated(-1, "", "") == "EST-USE-01");
  CHECK(stated(5, "2026-02-02", "2026-02-01") == "EST-USE-01");
  CHECK(stated(5, "2026-02-02", "2026-03-01") == "");
  CHECK(stated(4, "2026-02-02", "2026-03-02") == "EST-USE-01");
  CHECK(stated(6, "2026-02-02", "2026-02-28") == "EST-USE-01");
  CHECK(stated(6, "2026-02-02", "2026-03-03") == "");
  REQUIRE(estate.FindKey("root")->use.has_value());
  CHECK(estate.FindKey("root")->use->count == 6);
  CHECK(estate.FindKey("root")->use->since.ceremony == "0002-later");
}

TEST_CASE("no certificate of destruction while one copy is not accounted for") {
  Estate estate = WithKey();
  REQUIRE(estate.Apply(Clone("a", "b"), kLater).ok());
  REQUIRE(estate.Apply(Clone("a", "c"), kLater).ok());
  REQUIRE(estate.Apply(Gone("a"), kLater).ok());
  CHECK(RuleOf(estate.Apply(Gone("a"), kLater)) == "EST-COPY-04");
  const auto early = estate.Apply(Certified("2028-06-02T10:00:00Z"), kLater);
  CHECK(RuleOf(early) == "EST-DESTROY-01");
  CHECK(MessageOf(early) == "key root still has 2 copies on b (serial serial of b), c (serial serial of c)");
  REQUIRE(estate.Apply(Gone("b", "elsewhere"), kLater).ok());
  CHECK(RuleOf(estate.Apply(Certified("2028-06-02T10:00:00Z"), kLater)) == "EST-DESTROY-01");
  REQUIRE(estate.Apply(Gone("c"), kLater).ok());
  CHECK(estate.Apply(Certified("2028-06-02T10:00:00Z"), kLater).ok());
  const Key& key = *estate.FindKey("root");
  CHECK(key.state == "destroyed");
  CHECK(key.copies[1].state == "elsewhere");
  CHECK(key.copies[2].state == "destroyed");
  CHECK(key.CopiesInPlace().empty());
}

TEST_CASE("a held key is destroyed before the end of its hold only with a reason") {
  Estate estate = WithKey();
  REQUIRE(estate.Apply(Deactivated("2028-06-01"), kLater).ok());
  REQUIRE(estate.Apply(Gone("a"), kLater).ok());
  CHECK(RuleOf(estate.Apply(Certified("2028-05-31T10:00:00Z"), kLater)) == "EST-HOLD-02");
  CHECK(estate.Apply(Certified("2028-05-31T10:00:00Z", "compromised"), kLater).ok());
}

TEST_CASE("a copy that is gone gives no export, and the refusal says what became of it") {
  Estate estate = WithKey();
  REQUIRE(
      estate
          .Apply(TransportKeyCreated{"carry", "ec-p256", "bb", "b", "serial of b", "0b", "root", {"ecdh-p256"}}, kLater)
          .ok());
  REQUIRE(estate.Apply(Gone("a"), kLater).ok());
  const auto exported = estate.Apply(
      KeyExported{"root", "aa", "a", "serial of a", "carry", "ecdh-p256", "transfer/root.json", "ff"}, kLater);
  CHECK(RuleOf(exported) == "EST-COPY-04");
  CHECK(MessageOf(exported) == "the copy of key root on token a is destroyed since ceremony 0002-later (entry 40)");
}

TEST_CASE("held keys come due on the day of their hold, and are overdue after it") {
  Folded folded;
  folded.estate = WithKey();
  REQUIRE(folded.estate.Apply(Deactivated("2028-06-01"), kLater).ok());
  CHECK(folded.estate.KeysToDestroy("2028-05-31").empty());
  REQUIRE(folded.estate.KeysToDestroy("2028-06-01").size() == 1);
  constexpr std::int64_t kNoon = 1'843'473'600LL * 1'000'000;  // date -u -d 2028-06-01T12:00:00Z +%s
  constexpr std::int64_t kDay = 86'400LL * 1'000'000;
  const auto on_the_day = DueOf(folded, kNoon, 30);
  REQUIRE(on_the_day.size() == 1);
  CHECK(on_the_day[0].what == "destroy the key");
  CHECK(on_the_day[0].by == "2028-06-01");
  CHECK_FALSE(on_the_day[0].overdue);
  REQUIRE(DueOf(folded, kNoon + kDay, 30).size() == 1);
  CHECK(DueOf(folded, kNoon + kDay, 30)[0].overdue);
  CHECK(DueOf(folded, kNoon - 40 * kDay, 30).empty());
}

TEST_CASE("a file is no copy to rely on: neither its source nor its transport key goes while it is the last") {
  Estate estate = WithKey();
  REQUIRE(
      estate
          .Apply(TransportKeyCreated{"carry", "ec-p256", "bb", "b", "serial of b", "0b", "root", {"ecdh-p256"}}, kLater)
          .ok());
  REQUIRE(estate
              .Apply(KeyExported{"root", "aa", "a", "serial of a", "carry", "ecdh-p256", "transfer/root.json", "ff"},
                     kLater)
              .ok());
  const TokenRetired retired{"a", "serial of a", "zeroised", "", "old", "2026-07-01"};
  const auto source = estate.Apply(retired, kLater);
  CHECK(RuleOf(source) == "EST-RETIRE-01");
  CHECK(MessageOf(source) == "token a holds the last copy of key root, which is active");
  // As an archive of an earlier program may have it.
  REQUIRE(estate.Apply(Gone("a"), kLater).ok());
  const CopyDestroyed opened{"carry", "b", "serial of b", "0b", "C_DestroyObject", "", "2026-07-01T10:00:00Z"};
  const KeyDestroyed ended{"carry", "bb", "2026-07-01T10:00:00Z", "", "destruction/carry.json", "cc"};
  REQUIRE(estate.Apply(opened, kLater).ok());
  const auto lost = estate.Apply(ended, kLater);
  CHECK(RuleOf(lost) == "EST-TRANSPORT-06");
  CHECK(MessageOf(lost) == "transport key carry opens the last copy of key root, which is active");
  CHECK(estate.FindKey("carry")->state == "active");
  REQUIRE(estate.Apply(Clone(WrappedFor("carry"), "c"), kLater).ok());
  REQUIRE(estate.Apply(ended, kLater).ok());
  CHECK(estate.FindKey("root")->FindCopy(WrappedFor("carry")) == nullptr);
}

TEST_CASE("effects of a key's life survive being written and read, and nothing else is read as one") {
  for (const Effect& effect :
       {Effect(Clone("a", "b", true)), Effect(KeySealed{"root", "a", "s"}),
        Effect(KeyUsageStated{"root", 7, "f", "l", "ada", "s"}), Effect(Deactivated("2028-06-01")),
        Effect(KeyCompromised{"root", "on", "why"}), Effect(Gone("a")), Effect(Certified("on", "why"))}) {
    const auto json = ToJson(effect);
    CAPTURE(json.dump());
    const auto read = EffectFromJson(json);
    REQUIRE(read.ok());
    CHECK(ToJson(*read) == json);
    for (const auto& member : json.items()) {
      auto missing = json;
      missing.erase(member.key());
      CHECK_FALSE(EffectFromJson(missing).ok());
      auto mistyped = json;
      mistyped[member.key()] = nullptr;
      CHECK_FALSE(EffectFromJson(mistyped).ok());
    }
    auto extra = json;
    extra["more"] = "x";
    CHECK_FALSE(EffectFromJson(extra).ok());
  }
}
