#include "ceremony/quorum/subject_facts.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace {

using ceremony::quorum::AllFacts;
using ceremony::quorum::ShortFacts;
using nlohmann::json;

std::string Lines(const std::vector<ceremony::room::Fact>& facts) {
  std::string lines;
  for (const auto& fact : facts) lines += fact.label + "=" + fact.value + "\n";
  return lines;
}

}  // namespace

TEST_CASE("who approves a key is told whether it may leave its token") {
  const auto shown = [](const char* extractable, const char* sensitive) {
    return Lines(
        ShortFacts({{"key", "root"}, {"private", {{"CKA_EXTRACTABLE", extractable}, {"CKA_SENSITIVE", sensitive}}}}));
  };
  CHECK(shown("false", "true") ==
        "key=root\nmay leave the token=no (CKA_EXTRACTABLE is false, CKA_SENSITIVE is true)\nnot written out=other "
        "attributes\n");
  CHECK(shown("true", "true") ==
        "key=root\nmay leave the token=yes, encrypted (CKA_EXTRACTABLE is true, CKA_SENSITIVE is true)\nnot written "
        "out=other attributes\n");
  CHECK(
      shown("true", "false") ==
      "key=root\nmay leave the token=YES, IN THE CLEAR (CKA_EXTRACTABLE is true, CKA_SENSITIVE is false)\nnot written "
      "out=other attributes\n");
  // What is not plainly said is the worst.
  CHECK(
      Lines(ShortFacts({{"private", {{"CKA_EXTRACTABLE", "other"}}}})) ==
      "may leave the token=YES, IN THE CLEAR (CKA_EXTRACTABLE is other, CKA_SENSITIVE is null)\nnot written out=other "
      "attributes\n");
}

TEST_CASE("what nobody reads aloud is named and not written out, and the numbers say whose they are") {
  const json subject = {{"certificate", "root-ca"},
                        {"issuer", "old-root"},
                        {"serial", "4f2a"},
                        {"subject_key", "root"},
                        {"tbs", std::string(81, 'A')},
                        {"tbs_sha256", "00"},
                        {"tokens", {"hsm-a", "hsm-b"}},
                        {"revoked", json::array({{{"certificate", "x"}, {"reason", "superseded"}}})},
                        {"reason", ""},
                        {"cap_reached_on", ""},
                        {"first_use", "2026-01-01T00:00:00Z"},
                        {"uses", 3}};
  CHECK(Lines(ShortFacts(subject)) ==
        "certificate=root-ca\nfirst use=2026-01-01T00:00:00Z\ncertificate of the issuer=old-root\nrevoked "
        "1=certificate x, reason superseded\nserial of "
        "the token=4f2a\nkey that is certified=root\ntokens=hsm-a, hsm-b\nuses=3\nnot written out=tbs, tbs_sha256\n");
}

TEST_CASE("a list is never cut, however long it is") {
  json revoked = json::array();
  json tokens = json::array();
  for (int i = 0; i < 30; ++i) {
    revoked.push_back({{"certificate", "c" + std::to_string(i)}, {"spki_sha256", "00"}});
    tokens.push_back("a-token-with-a-long-name-" + std::to_string(i));
  }
  const std::string lines = Lines(ShortFacts({{"revoked", revoked}, {"tokens", tokens}}));
  for (int i = 0; i < 30; ++i) {
    CHECK(lines.find("revoked " + std::to_string(i + 1) + "=certificate c" + std::to_string(i) + "\n") !=
          std::string::npos);
    CHECK(lines.find("a-token-with-a-long-name-" + std::to_string(i)) != std::string::npos);
  }
}

TEST_CASE("on a machine of one's own every value is shown, by its path") {
  const json subject = {{"serial", "4f2a"},
                        {"steps", json::array({{{"token", "a"}}, {{"token", "b"}, {"m", 2}}})},
                        {"tbs", std::string(81, 'A')}};
  CHECK(Lines(AllFacts(subject)) ==
        "serial of the token=4f2a\nsteps.1.token=a\nsteps.2.m=2\nsteps.2.token=b\ntbs=" + std::string(81, 'A') + "\n");
  CHECK(AllFacts(json()).empty());
}

TEST_CASE("what is so or not is said with yes and no, and nothing has passed since a cap that was not reached") {
  CHECK(Lines(ShortFacts({{"extractable", false}, {"hold_until", "2028-11-29"}, {"minutes_since_cap", 0}})) ==
        "may be cloned on=no\nheld until=2028-11-29\n");
  CHECK(Lines(ShortFacts({{"cap_reached_on", "2026-11-29"}, {"minutes_since_cap", 7}})) ==
        "cap reached on=2026-11-29\nminutes since the cap=7\n");
}
