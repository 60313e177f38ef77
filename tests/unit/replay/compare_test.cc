#include "ceremony/replay/compare.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ceremony/replay/answers.h"
#include "ceremony/replay/artefact.h"
#include "ceremony/replay/stage.h"

namespace {

using ceremony::replay::CompareReplay;
using ceremony::replay::Comparison;
using ceremony::replay::NamePairs;
using ceremony::replay::Sameness;
using ceremony::replay::Side;
using nlohmann::json;
using Found = std::vector<std::string>;

constexpr const char* kFirstKey = "6b4afe81f89af92aa0e93715c29047af";
constexpr const char* kSecondKey = "0123456789abcdef0123456789abcdef";
const std::set<std::string> kSoftHsm = {"CKM_EC_KEY_PAIR_GEN", "CKM_ECDSA"};

// Log makes entries of a record of two keys and a signature; `key` is the id of the first.
struct Log {
  std::vector<json> entries{};
  int calls = 0;
  std::string manufacturer = "SoftHSM project";

  void Add(json entry) {
    entry["seq"] = entries.size();
    entries.push_back(std::move(entry));
  }
  void Begin(const std::string& step, const std::string& kind) {
    Add({{"type", "step"}, {"phase", "begin"}, {"id", step}, {"do", kind}, {"parameters", {{"key", "root"}}}});
  }
  void End(const std::string& step) {
    Add({{"type", "step"}, {"phase", "end"}, {"id", step}, {"calls", {{"count", 7}, {"microseconds", 512 + calls}}}});
  }
  void Call(const std::string& fn, const std::string& mechanism, const std::string& id, const json& attributes = {}) {
    const json shape = {{"private.CKA_EXTRACTABLE", "false"}, {"private.CKA_ID", id}};
    ++calls;
    Add({{"type", "intent"},
         {"call", calls},
         {"fn", fn},
         {"token", "root-hsm"},
         {"mechanism", mechanism},
         {"object", fmt::format("private key \"root\" (id {})", id)},
         {"template", shape},
         {"objects", json::array()}});
    json read = shape;
    if (attributes.is_object()) read.update(attributes);
    Add({{"type", "done"},
         {"call", calls},
         {"fn", fn},
         {"token", "root-hsm"},
         {"mechanism", mechanism},
         {"template", shape},
         {"rv", "CKR_OK"},
         {"attributes", read},
         {"microseconds", 100 + calls}});
  }
  void Open() {
    Add({{"type", "open"},
         {"ceremony", "root"},
         {"inputs", {{"roster.json", std::string(64, 'a')}}},
         {"tokens",
          {{{"name", "root-hsm"},
            {"manufacturer", manufacturer},
            {"model", "SoftHSM v2"},
            {"serial", "fdc9e454516f1491"}}}}});
  }

  // A whole record, of which `change` makes another one at the end.
  static Side Of(const std::string& key, const std::function<void(Log&)>& change = {},
                 const std::string& manufacturer = "SoftHSM project") {
    Log log;
    log.manufacturer = manufacturer;
    log.Open();
    log.Begin("generate", "key.generate");
    log.Call("C_GenerateKeyPair", "CKM_EC_KEY_PAIR_GEN", key, {{"private.CKA_LOCAL", "true"}});
    log.End("generate");
    log.Begin("certify", "cert.self-sign");
    log.Call("C_Sign", "CKM_ECDSA", key);
    log.End("certify");
    if (change) change(log);
    return {"/nowhere", std::move(log.entries)};
  }

  json& Entry(const std::string& type, const std::string& fn) {
    for (json& entry : entries) {
      if (entry.value("type", "") == type && entry.value("fn", "") == fn) return entry;
    }
    FAIL("no such entry");
    return entries.front();
  }
};

// "REPLAY-RV-01 certify C_Sign on root-hsm: rv CKR_OK|CKR_DEVICE_ERROR"
Found ReasonsOf(const Comparison& comparison) {
  Found found;
  for (const auto& difference : comparison.differences)
    found.push_back(fmt::format("{} {} {} {}|{}", difference.reason->id, difference.step, difference.what,
                                difference.recorded, difference.replayed));
  return found;
}

Found Differences(const Side& recorded) {
  return ReasonsOf(CompareReplay(recorded, Log::Of(kSecondKey), kSoftHsm, {}));
}

}  // namespace

TEST_CASE("a replay with other keys is the same") {
  const Comparison comparison = CompareReplay(Log::Of(kFirstKey), Log::Of(kSecondKey), kSoftHsm, {});
  CHECK(ReasonsOf(comparison) == Found{});
  CHECK(comparison.calls == 2);
  CHECK(comparison.names > 0);
}

TEST_CASE("REPLAY-TEMPLATE-01 and REPLAY-ATTR-01: a call with another template, and what came of it") {
  const Side planted = Log::Of(kFirstKey, [](Log& log) {
    for (const char* type : {"intent", "done"})
      log.Entry(type, "C_GenerateKeyPair")["template"]["private.CKA_EXTRACTABLE"] = "true";
    log.Entry("done", "C_GenerateKeyPair")["attributes"]["private.CKA_EXTRACTABLE"] = "true";
  });
  CHECK(
      Differences(planted) ==
      Found{"REPLAY-TEMPLATE-01 generate C_GenerateKeyPair on root-hsm: template.private.CKA_EXTRACTABLE true|false",
            "REPLAY-ATTR-01 generate C_GenerateKeyPair on root-hsm: attributes.private.CKA_EXTRACTABLE true|false",
            "REPLAY-TEMPLATE-01 generate C_GenerateKeyPair on root-hsm: template.private.CKA_EXTRACTABLE true|false"});
}

TEST_CASE("REPLAY-RV-01: a call that returned something else") {
  const Side planted = Log::Of(kFirstKey, [](Log& log) { log.Entry("done", "C_Sign")["rv"] = "CKR_DEVICE_ERROR"; });
  CHECK(Differences(planted) == Found{"REPLAY-RV-01 certify C_Sign on root-hsm: rv CKR_DEVICE_ERROR|CKR_OK"});
}

TEST_CASE("REPLAY-CALL-01: a call that the script does not make") {
  Side planted = Log::Of(kFirstKey);
  Log extra;
  extra.Call("C_Sign", "CKM_ECDSA", kFirstKey);
  planted.entries.insert(planted.entries.end() - 1, extra.entries.begin(), extra.entries.end());
  CHECK(Differences(planted) == Found{"REPLAY-CALL-01 certify C_Sign on root-hsm C_Sign CKM_ECDSA on root-hsm|"});
}

TEST_CASE("REPLAY-CALL-02 and REPLAY-CALL-03: a call that is missing, and another one in its place") {
  const auto at = [](Side& side, const char* fn) {
    return std::find_if(side.entries.begin(), side.entries.end(),
                        [&](const json& e) { return e.value("fn", "") == fn; });
  };
  Side missing = Log::Of(kFirstKey);
  const auto from = at(missing, "C_Sign");
  missing.entries.erase(from, from + 2);
  CHECK(Differences(missing) == Found{"REPLAY-CALL-02 certify C_Sign on root-hsm |C_Sign CKM_ECDSA on root-hsm"});

  Side other = Log::Of(kFirstKey);
  for (auto entry = at(other, "C_Sign"); entry != other.entries.end() && entry->contains("fn"); ++entry) {
    (*entry)["fn"] = "C_WrapKey";
    (*entry)["mechanism"] = "CKM_EC_KEY_PAIR_GEN";
  }
  CHECK(Differences(other) == Found{"REPLAY-CALL-03 certify C_WrapKey on root-hsm C_WrapKey CKM_EC_KEY_PAIR_GEN on "
                                    "root-hsm|C_Sign CKM_ECDSA on root-hsm"});
}

TEST_CASE("REPLAY-KEY-01: a signature by another key than the one that was made") {
  const Side planted = Log::Of(kFirstKey, [](Log& log) {
    log.Entry("intent", "C_Sign")["object"] = "private key \"root\" (id ffffffffffffffffffffffffffffffff)";
  });
  CHECK(Differences(planted) ==
        Found{"REPLAY-KEY-01 certify C_Sign on root-hsm: object private key \"root\" (id "
              "ffffffffffffffffffffffffffffffff)|private key \"root\" (id 0123456789abcdef0123456789abcdef)"});
}

TEST_CASE("REPLAY-ENTRY-01 and REPLAY-ENTRY-03: an entry more, and one that says something else") {
  const Side planted = Log::Of(kFirstKey, [](Log& log) {
    log.entries[1]["parameters"]["key"] = "other";
    log.Add({{"type", "deviation"}, {"what", "the door was open"}});
  });
  CHECK(Differences(planted) ==
        Found{"REPLAY-ENTRY-03 generate step begin: parameters.key other|root",
              "REPLAY-ENTRY-01 certify deviation the door was open {\"what\":\"the door was open\"}|"});
}

TEST_CASE("REPLAY-FAULT-01: a try that failed by the record's own word is expected, and its repetition compared") {
  Side planted = Log::Of(kFirstKey);
  std::vector<json> failed = {planted.entries[5],
                              {{"type", "step"},
                               {"phase", "failed"},
                               {"id", "certify"},
                               {"error", {{"message", "the token is gone"}, {"rv", "CKR_DEVICE_REMOVED"}}}},
                              {{"type", "recover"}}};
  planted.entries.insert(planted.entries.begin() + 5, failed.begin(), failed.end());
  const Comparison comparison = CompareReplay(planted, Log::Of(kSecondKey), kSoftHsm, {});
  CHECK(ReasonsOf(comparison) ==
        Found{"REPLAY-FAULT-01 certify try 1 failed the token is gone (CKR_DEVICE_REMOVED)|did not fail"});
  CHECK(comparison.CountUnexpected() == 0);
}

TEST_CASE("what a try that was cut off had made is held against what the replay makes in one go") {
  Side planted = Log::Of(kFirstKey, [](Log& log) {
    const json sealed{{"type", "observe"}, {"what", "share-set-sealed"}, {"token", "root-hsm"}};
    log.entries.insert(log.entries.begin() + 6, sealed);
  });
  const Side whole = Log::Of(kSecondKey, [](Log& log) {
    const json sealed{{"type", "observe"}, {"what", "share-set-sealed"}, {"token", "root-hsm"}};
    log.entries.insert(log.entries.begin() + 6, sealed);
  });
  // Cut off behind it, and begun again without making it anew.
  const json recover{{"type", "recover"}};
  const json shares{{"type", "observe"}, {"what", "shares-contributed"}, {"token", "root-hsm"}};
  const std::vector<json> anew = {recover, planted.entries[5], shares};
  planted.entries.insert(planted.entries.begin() + 7, anew.begin(), anew.end());
  CHECK(CompareReplay(planted, whole, kSoftHsm, {}).CountUnexpected() == 0);
  // Without it in any try, it is missing.
  planted.entries.erase(planted.entries.begin() + 6);
  CHECK(CompareReplay(planted, whole, kSoftHsm, {}).CountUnexpected() == 1);
}

TEST_CASE(
    "another product: its own defaults, its own name and what SoftHSM cannot do are expected, what was stated is not") {
  const Side planted = Log::Of(
      kFirstKey,
      [](Log& log) {
        log.Entry("done", "C_GenerateKeyPair")["attributes"]["private.CKA_LOCAL"] = "false";
        log.Entry("done", "C_GenerateKeyPair")["attributes"]["private.CKA_EXTRACTABLE"] = "true";
        for (const char* type : {"intent", "done"}) log.Entry(type, "C_Sign")["mechanism"] = "CKM_ECDSA_SHA256";
      },
      "Acme");
  CHECK(Differences(planted) ==
        Found{"REPLAY-TOKEN-01  open: tokens.1.manufacturer Acme|SoftHSM project",
              "REPLAY-ATTR-01 generate C_GenerateKeyPair on root-hsm: attributes.private.CKA_EXTRACTABLE true|false",
              "REPLAY-DEFAULT-01 generate C_GenerateKeyPair on root-hsm: attributes.private.CKA_LOCAL false|true",
              "REPLAY-SOFTHSM-01 certify C_Sign on root-hsm: mechanism CKM_ECDSA_SHA256|CKM_ECDSA",
              "REPLAY-SOFTHSM-01 certify C_Sign on root-hsm: mechanism CKM_ECDSA_SHA256|CKM_ECDSA"});
  CHECK(ceremony::replay::CannotDo(planted.entries, "certify", kSoftHsm) == "CKM_ECDSA_SHA256");
  CHECK(ceremony::replay::CannotDo(planted.entries, "generate", kSoftHsm).empty());
}

TEST_CASE("what a module of the table of quirks leaves out, gets wrong or does not keep has a reason, and no more") {
  const auto told = [](const std::function<void(Log&)>& change) {
    return Log::Of(
        kFirstKey,
        [&](Log& log) {
          log.entries.front()["modules"] = {{{"manufacturer", "Mozilla Foundation"}, {"description", "NSS Internal"}}};
          log.Call("C_UnwrapKey", "CKM_AES_KEY_WRAP_KWP", kFirstKey);
          change(log);
        },
        "Mozilla Foundation");
  };
  const Side replayed = Log::Of(kSecondKey, [](Log& log) {
    log.entries.front()["modules"] = {{{"manufacturer", "SoftHSM"}, {"description", "Implementation of PKCS11"}}};
    log.Call("C_UnwrapKey", "CKM_AES_KEY_WRAP_PAD", kSecondKey);
    for (const char* type : {"intent", "done"}) {
      log.Entry(type, "C_GenerateKeyPair")["template"]["private.CKA_COPYABLE"] = "false";
      log.Entry(type, "C_GenerateKeyPair")["template"]["private.CKA_SIGN"] = "true";
    }
  });
  const auto unexpected = [&](const std::function<void(Log&)>& change) {
    Found found;
    for (const auto& difference : CompareReplay(told(change), replayed, kSoftHsm, {}).differences) {
      if (!difference.reason->expected) found.push_back(fmt::format("{} {}", difference.reason->id, difference.what));
    }
    return found;
  };
  const auto sign = [](Log& log) {
    for (const char* type : {"intent", "done"})
      log.Entry(type, "C_GenerateKeyPair")["template"]["private.CKA_SIGN"] = "true";
  };
  CHECK(unexpected([&](Log& log) {
          sign(log);
          log.Entry("done", "C_GenerateKeyPair")["attributes"]["private.CKA_LOCAL"] = "false";
          log.Entry("done", "C_UnwrapKey")["attributes"]["CKA_DERIVE"] = "true";
        }) == Found{});
  // NSS takes CKA_SIGN in a template, and keeps CKA_DECRYPT of a key that comes in.
  CHECK(unexpected([](Log& log) {
          for (const char* type : {"intent", "done"})
            log.Entry(type, "C_UnwrapKey")["template"]["CKA_DECRYPT"] = "false";
          log.Entry("done", "C_UnwrapKey")["attributes"]["CKA_DECRYPT"] = "true";
        }) == Found{"REPLAY-TEMPLATE-01 C_GenerateKeyPair on root-hsm: template.private.CKA_SIGN",
                    "REPLAY-TEMPLATE-01 C_GenerateKeyPair on root-hsm: template.private.CKA_SIGN",
                    "REPLAY-TEMPLATE-01 C_UnwrapKey on root-hsm: template.CKA_DECRYPT",
                    "REPLAY-ATTR-01 C_UnwrapKey on root-hsm: attributes.CKA_DECRYPT",
                    "REPLAY-TEMPLATE-01 C_UnwrapKey on root-hsm: template.CKA_DECRYPT"});
  // A point that is not the key's explains nothing.
  CHECK(unexpected([&](Log& log) {
          sign(log);
          log.Entry("intent", "C_UnwrapKey")["template"]["CKA_NSS_DB"] = "0400";
        }) == Found{"REPLAY-TEMPLATE-01 C_UnwrapKey on root-hsm: template.CKA_NSS_DB"});
}

TEST_CASE("a mechanism that SoftHSM does not have is no excuse for a record that says it was made on SoftHSM") {
  const Side planted = Log::Of(kFirstKey, [](Log& log) {
    for (const char* type : {"intent", "done"}) log.Entry(type, "C_Sign")["mechanism"] = "CKM_ECDSA_SHA256";
  });
  CHECK(Differences(planted) ==
        Found{"REPLAY-CALL-03 certify C_Sign on root-hsm: mechanism CKM_ECDSA_SHA256|CKM_ECDSA",
              "REPLAY-CALL-03 certify C_Sign on root-hsm: mechanism CKM_ECDSA_SHA256|CKM_ECDSA"});
}

TEST_CASE("a production record is acted again as a rehearsal, and that is all that its opening says otherwise") {
  const auto opening = [](const char* mode, const char* environment) {
    return json{{"type", "request"},
                {"mode", mode},
                {"step", "opening"},
                {"statement", fmt::format("Open the ceremony root ({}), run by the script", environment)},
                {"subject", {{"mode", mode}, {"environment", environment}, {"ceremony", "root"}}}};
  };
  const auto with = [&](const char* key, const char* mode, const char* environment) {
    return Log::Of(key, [&](Log& log) {
      log.entries.front()["mode"] = mode;
      log.Add(opening(mode, environment));
      if (std::string(mode) == "production")
        log.Add({{"type", "observe"}, {"what", "share-asked-elsewhere"}, {"person", "bob"}});
    });
  };
  for (const char* environment : {"production", "uit"}) {
    CHECK(ReasonsOf(CompareReplay(with(kFirstKey, "production", environment),
                                  with(kSecondKey, "rehearsal", "rehearsal"), kSoftHsm, {})) ==
          Found{"REPLAY-PEOPLE-01  open: mode production|rehearsal",
                "REPLAY-PEOPLE-01 certify observe share-asked-elsewhere bob|"});
  }
}

TEST_CASE("REPLAY-STEP-02: steps that the replay did not reach, and REPLAY-SOFTHSM-01 where SoftHSM is why") {
  Side stopped = Log::Of(kSecondKey);
  stopped.entries.resize(5);
  const auto reasons = [&](bool for_softhsm) {
    return ReasonsOf(CompareReplay(Log::Of(kFirstKey), stopped, kSoftHsm,
                                   ceremony::replay::Stop{"certify", "no such mechanism", for_softhsm}));
  };
  CHECK(reasons(false) == Found{"REPLAY-STEP-02 certify the step was not reached end|stopped at certify"});
  CHECK(reasons(true) == Found{"REPLAY-SOFTHSM-01 certify the step was not reached end|stopped at certify"});
}

TEST_CASE("names stand for one another, both ways, in texts, base64 and words") {
  NamePairs names;
  CHECK(names.Compare("key 00112233aabb on 2026-11-29", "key ffeeddccbbaa on 2027-01-01") == Sameness::kSame);
  CHECK(names.Compare("key 00112233aabb", "key ffeeddccbbaa") == Sameness::kSame);
  CHECK(names.Compare("key 00112233aabb", "key 000000000000") == Sameness::kOtherName);
  CHECK(names.Compare("key 999999999999", "key ffeeddccbbaa") == Sameness::kOtherName);
  CHECK(names.Compare("the words are unwind stupendous", "the words are Geiger almighty") == Sameness::kSame);
  CHECK(names.Compare("the words are unwind", "the words are hidden") == Sameness::kDifferent);
  CHECK(names.Compare("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAF") ==
        Sameness::kSame);
  CHECK(names.Compare("true", "false") == Sameness::kDifferent);
  // A DER SEQUENCE, alone and behind a key id: signatures differ in size. What is none does not.
  const std::string short_one = "MBwA012301230123012301230123012301230123",
                    long_one = "MB8A0123012301230123012301230123012301230123";
  CHECK(names.Compare(short_one, long_one) == Sameness::kSame);
  CHECK(names.Compare("MTIzNDAb012301230123012301230123012301230123",
                      "MTIzNDAe0123012301230123012301230123012301230123") == Sameness::kSame);
  CHECK(names.Compare(short_one, "MR8A0123012301230123012301230123012301230123") == Sameness::kDifferent);
}

TEST_CASE("an identifier is no name that is made anew, however long it is") {
  NamePairs names;
  for (const auto& [then, now] : std::vector<std::pair<std::string, std::string>>{
           {"smki-root-oca-signing-2026", "smki-root-ica-signing-2026"},
           {"smki_root_oca_signing_2026", "smki_root_oca_signing_20261"},
           {"smki-root-2026-key-one-for-signing-the-2-crls", "smki-root-2026-key-two-for-signing-the-2-crls"},
           {"the key smki-root-oca-signing-2026", "the key smki-root-ica-signing-2026"},
           {"CertificateOfDestruction26", "CertificateOfDestruction27"}}) {
    CAPTURE(then);
    CHECK(names.Compare(then, now) == Sameness::kDifferent);
    CHECK(names.Compare(then, then) == Sameness::kSame);
  }
  CHECK(names.names() == 0);
  // A salt, and a digest in the place of a confidential value.
  CHECK(names.Compare("_26bc4LT-ac6q2KI6cBW5A", "6Ij7tM-a5iVPGboS5tmvVA") == Sameness::kSame);
  CHECK(names.Compare("X6ZAYOII2vPN40V7xExZwVwz7yRmLNcVwt5DL8RLv4g", "uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY") ==
        Sameness::kSame);
  CHECK(names.Compare("12 objects", "13 objects") == Sameness::kDifferent);
}

TEST_CASE("a certificate is the same but for key, serial number, times and signature, and nothing else") {
  // SEQUENCE { tbs { INTEGER 8 octets, UTCTime, UTCTime, BOOLEAN, OCTET STRING 8 }, algorithm {}, BIT STRING }
  const auto certificate = [](char serial, char day_from, char day_until, char ca, char key, char signature) {
    std::string tbs = std::string("\x02\x08") + std::string(8, serial);
    for (const char day : {day_from, day_until})
      tbs += std::string(
                 "\x17\x0d"
                 "2611") +
             "2" + day + "000000Z";
    tbs += std::string("\x01\x01") + ca + "\x04\x08" + std::string(8, key);
    std::string whole = std::string("\x30") + static_cast<char>(tbs.size()) + tbs;
    whole += std::string("\x30\x00\x03\x03\x00", 5) + std::string(2, signature);
    return std::string("\x30") + static_cast<char>(whole.size()) + whole;
  };
  const std::string recorded = certificate('a', '1', '3', '\xff', 'k', 's');
  const auto differences = [&](const std::string& replayed) {
    NamePairs names;
    Found found;
    for (const auto& unlike : ceremony::replay::CompareArtefacts(recorded, replayed, names))
      found.push_back(unlike.where);
    return found;
  };
  CHECK(differences(certificate('b', '2', '4', '\xff', 'l', 't')) == Found{});
  CHECK(differences(certificate('b', '2', '4', '\x01', 'l', 't')) == Found{"element 1.4"});
  CHECK(differences(certificate('b', '2', '5', '\xff', 'l', 't')) == Found{"element 1.3"});
  CHECK(differences(certificate('b', '2', '4', '\xff', 'l', 't') + "x") == Found{"its bytes"});
}

TEST_CASE("files that hold neither DER nor JSON are compared word by word, JSON member by member") {
  NamePairs names;
  CHECK(ceremony::replay::CompareArtefacts("Approved on 2026-01-01", "Approved on 2026-02-02", names).empty());
  CHECK(ceremony::replay::CompareArtefacts("Approved", "Declined", names).size() == 1);
  // JSON that nests without end is compared as text.
  const auto deep = [](const char* core) { return std::string(100'000, '[') + core + std::string(100'000, ']'); };
  CHECK(ceremony::replay::CompareArtefacts(deep("\"yes\""), deep("\"no\""), names).size() == 1);
  const auto unlike = ceremony::replay::CompareArtefacts(R"({"m": 3, "set": "0011223344556677"})",
                                                         R"({"m": 2, "set": "8899aabbccddeeff"})", names);
  REQUIRE(unlike.size() == 1);
  CHECK(unlike.front().where == "m");
}

TEST_CASE("people of a replay answer what the record says, in the try in which they did") {
  ceremony::script::Roster roster;
  ceremony::script::Person bob;
  bob.id = "bob";
  bob.name = "Bob Okafor";
  roster.people.push_back(bob);
  const auto step = [](const char* phase, const char* id, const char* kind) {
    return json{{"type", "step"}, {"phase", phase}, {"id", id}, {"do", kind}, {"time", "2026-11-29T10:00:00.000000Z"}};
  };
  const std::vector<json> entries = {
      step("begin", "attend", "room.attend"),
      {{"type", "attend"},
       {"person", "bob"},
       {"change", "arrives"},
       {"presence", "remote"},
       {"from", "09:00"},
       {"until", "12:30"}},
      step("end", "attend", "room.attend"),
      step("begin", "clock", "room.clock"),
      {{"type", "observe"}, {"what", "clock"}, {"offset_seconds", 2}},
      step("end", "clock", "room.clock"),
      step("begin", "seals", "room.record"),
      {{"type", "observe"}, {"what", "facts"}, {"facts", {{"bag", "SB1"}}}},
      step("failed", "seals", "room.record"),
      {{"type", "depart"}, {"person", "bob"}, {"change", "leaves for a while"}},
      step("begin", "seals", "room.record"),
      {{"type", "observe"}, {"what", "facts"}, {"facts", {{"bag", "SB2"}}}},
      {{"type", "refusal"}, {"rule", "QUORUM-DENIED-01"}, {"person", "bob"}, {"reason", "the wrong bag"}},
      step("end", "seals", "room.record"),
      step("skipped", "extra", "room.confirm"),
  };
  ceremony::replay::RecordedAnswers answers(entries, roster);
  CHECK(answers.Take("room.attend/bob", {"attend", 1}, 0) == "taking part remotely");
  CHECK(answers.Take("room.attend/bob/hours", {"attend", 1}, 0) == "09:00-12:30");
  constexpr std::int64_t kTenSeconds = 10'000'000;
  CHECK(answers.Take("room.clock/reading", {"clock", 1}, kTenSeconds) == "00:00:08");
  CHECK(answers.HasChanges({"seals", 1}));
  CHECK_FALSE(answers.HasChanges({"seals", 2}));
  CHECK(answers.Take("room.change", {"seals", 1}, 0) == "Bob Okafor (bob) leaves");
  CHECK(answers.Take("room.change/bob", {"seals", 1}, 0) == "yes, later");
  CHECK_FALSE(answers.Take("approve/bob", {"seals", 1}, 0).has_value());  // he declines in the next try
  CHECK(answers.Take("room.record/seals/bag", {"seals", 1}, 0) == "SB1");
  CHECK(answers.Take("room.record/seals/bag", {"seals", 1}, 0) == "SB2");  // a later try's, once its own is used
  CHECK_FALSE(answers.Take("room.record/seals/bag", {"seals", 2}, 0).has_value());
  CHECK(answers.Take("approve/bob", {"seals", 2}, 0) == "decline");
  CHECK(answers.Take("approve/bob/reason", {"seals", 2}, 0) == "the wrong bag");
  CHECK(answers.Take("step.skip/extra", {"seals", 2}, 0) == "leave it out");
  CHECK(answers.Take("step.skip/seals", {"seals", 2}, 0) == "do it");
  CHECK(answers.TriesOf("seals") == 2);
  CHECK_FALSE(answers.StopsAfter({"seals", 1}));  // who left then had not to be waited for
}

TEST_CASE("a replay stops where the program stopped, when somebody came before it went on") {
  ceremony::script::Roster roster;
  const auto step = [](const char* phase, const char* id) {
    return json{{"type", "step"}, {"phase", phase}, {"id", id}, {"do", "room.record"}};
  };
  const json arrives{{"type", "attend"}, {"person", "bob"}, {"change", "arrives"}};
  const std::vector<json> entries = {step("begin", "a"), step("end", "a"),    {{"type", "recover"}}, arrives,
                                     step("begin", "b"), step("failed", "b"), {{"type", "recover"}}, arrives,
                                     step("begin", "b"), step("end", "b"),    {{"type", "recover"}}};
  const ceremony::replay::RecordedAnswers answers(entries, roster);
  CHECK(answers.StopsAfter({"a", 1}));
  CHECK(answers.CameToEnd({"a", 1}));
  CHECK(answers.StopsAfter({"b", 1}));
  CHECK_FALSE(answers.CameToEnd({"b", 1}));
  CHECK_FALSE(answers.StopsAfter({"b", 2}));  // nobody came
}

TEST_CASE("whatever kind a hostile record's fields are of, they are passed over") {
  const json anything = json::array({1, true, nullptr, "x", json::array({1}), {{"a", 1}}});
  std::vector<json> entries;
  for (const json& value : anything) {
    for (const char* type : {"step", "attend", "depart", "note", "observe", "cosign", "refusal", "close"}) {
      for (const char* what : {"facts", "shares-contributed", "clock", "notification", "seals", "custody", "identity",
                               "transport-key-compared", "vendor-copy", "firmware-decision", "window-decision",
                               "key-deactivated", "apology", "approval-postponed", "share-declined"}) {
        json entry = {{"type", type}, {"what", what}};
        for (const char* field : {"id", "phase", "do", "time", "person", "rule", "reason", "effects", "facts", "people",
                                  "count", "offset_seconds", "escort", "found", "token", "change", "from"})
          entry[field] = value;
        entries.push_back(std::move(entry));
      }
    }
  }
  const ceremony::replay::RecordedAnswers answers(entries, ceremony::script::Roster());
  CHECK(answers.closed());
}

TEST_CASE("REPLAY-RECORD-02: a log whose lines are no entries") {
  char path[] = "/tmp/keyceremony-replay-XXXXXX";
  REQUIRE(mkdtemp(path) != nullptr);
  const std::string folder = path;
  for (const char* line : {R"({"type":1})", R"({"type":"open"})", "[]", "1",
                           "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}) {
    std::ofstream(folder + "/log.jsonl") << line << "\n";
    const auto entries = ceremony::replay::ReadEntries(folder);
    REQUIRE_FALSE(entries.ok());
    CHECK(entries.error().rule == "REPLAY-RECORD-02");
  }
  std::filesystem::remove_all(folder);
}
