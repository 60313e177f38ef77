#include "ceremony/quorum/share.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ceremony/quorum/share_set.h"
#include "ceremony/quorum/software_agreement_key.h"
#include "ceremony/script/roster.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "tests/support/results.h"
#include "tests/unit/quorum/company.h"

namespace {

using base::SecretBytes;
using namespace ceremony;
using namespace ceremony::quorum;
using support::Bad;
using support::Good;

std::string RuleOf(const base::Result<void>& result) { return result.ok() ? "" : result.error().rule; }

script::ShareFile Again(const script::ShareFile& file) {
  script::LoadedFile loaded;
  loaded.name = "share";
  loaded.bytes = Good(script::WriteShare(file));
  return Good(script::ParseShare(std::move(loaded)));
}

}  // namespace

TEST_CASE("a set is sealed, written, read and opened, and any m of it give both PINs") {
  Company company(5);
  const NewShareSet made = company.Make(3);
  CHECK(made.proof.subsets == 10);
  REQUIRE(made.files.size() == 5);
  for (const Pin pin : {Pin::kUser, Pin::kSecurityOfficer}) {
    const SecretBytes& expected = pin == Pin::kUser ? company.user : company.officer;
    for (const auto& who : std::vector<std::vector<std::size_t>>{{0, 1, 2}, {4, 2, 0}, {1, 3, 4}}) {
      PinAssembly assembly(made.set, pin);
      for (const std::size_t i : who) {
        CHECK_FALSE(assembly.complete());
        const script::ShareFile file = Again(made.files[i]);
        Good(CheckShare(file, "smki.example", made.set, file.holder));
        Good(assembly.Add(file.holder, Good(OpenShare(file, pin, *company.keys[i]))));
      }
      CHECK(Good(assembly.Combine()).Equals(expected));
    }
  }
}

TEST_CASE("one share too few opens nothing, and the error names who is missing") {
  Company company(5);
  const NewShareSet made = company.Make(3);
  PinAssembly assembly(made.set, Pin::kUser);
  for (const std::size_t i : {0U, 3U})
    Good(assembly.Add(made.files[i].holder, Good(OpenShare(made.files[i], Pin::kUser, *company.keys[i]))));
  const base::Error error = Bad(assembly.Combine());
  CHECK(error.code == base::ErrorCode::kNoQuorum);
  CHECK(error.rule == "QUORUM-SHARE-SHORT");
  CHECK(error.message == "token root-hsm opens with 3 of 5 shares, 2 were given; not from p2, p3, p5");
  CHECK(assembly.missing() == 1);
}

TEST_CASE("a share that does not belong is named by its rule") {
  Company company(5);
  const NewShareSet old = company.Make(3, 1);
  const NewShareSet now = company.Make(3, 2);
  const NewShareSet other = company.Make(3, 2, "backup-hsm");
  const auto judge = [&](const script::ShareFile& file, const char* person) {
    return CheckShare(file, "smki.example", now.set, person);
  };
  Good(judge(now.files[1], "p2"));
  CHECK(RuleOf(judge(other.files[1], "p2")) == "SHARE-TOKEN-01");
  CHECK(judge(other.files[1], "p2").error().message ==
        "p2 gave a share of token backup-hsm, expected one of token root-hsm");
  CHECK(RuleOf(judge(old.files[1], "p2")) == "SHARE-SET-01");
  CHECK(judge(old.files[1], "p2").error().message ==
        fmt::format("p2 gave a share of set {} (generation 1), token root-hsm opens with set {} (generation 2)",
                    old.set.set, now.set.set));
  CHECK(RuleOf(judge(company.Make(3, 2).files[1], "p2")) == "SHARE-SET-02");
  CHECK(RuleOf(judge(now.files[0], "p2")) == "SHARE-HOLDER-01");
  CHECK(judge(now.files[0], "p2").error().message == "p2 gave the share of p1, expected p2's own");
  CHECK(RuleOf(judge(now.files[0], "mallory")) == "SHARE-HOLDER-02");
  CHECK(RuleOf(CheckShare(now.files[1], "other.example", now.set, "p2")) == "SHARE-ESTATE-01");
  // An archive that was patched to want fewer shares never gets to try what they give.
  estate::ShareSet patched = now.set;
  patched.m = 2;
  CHECK(
      CheckShare(now.files[1], "smki.example", patched, "p2").error().message ==
      fmt::format("p2's share of token root-hsm, set {} is 3 of 5 (custodians), generation 2; the archive says 2 of 5 "
                  "(custodians), generation 2",
                  now.set.set));
  patched = now.set;
  patched.holders.pop_back();
  CHECK(RuleOf(CheckShare(now.files[1], "smki.example", patched, "p2")) == "SHARE-SET-03");
  script::ShareFile changed = now.files[1];
  changed.security_officer.commitment[5] ^= 1;
  CHECK(RuleOf(judge(changed, "p2")) == "SHARE-COMMIT-01");

  PinAssembly assembly(now.set, Pin::kUser);
  Good(assembly.Add("p2", Good(OpenShare(now.files[1], Pin::kUser, *company.keys[1]))));
  const base::Error twice = Bad(assembly.Add("p2", Good(OpenShare(now.files[1], Pin::kUser, *company.keys[1]))));
  CHECK(twice.rule == "SHARE-TWICE-01");
  CHECK(twice.message ==
        "p2 gave the share with coordinate 2 of the user PIN of token root-hsm, which p2 has given already");
}

TEST_CASE("nothing in a share file can be changed without the share refusing to open") {
  Company company(3);
  const NewShareSet made = company.Make(2);
  const script::ShareFile& good = made.files[0];
  const auto rule = [&](const auto& change) {
    script::ShareFile file = good;
    change(file);
    const auto opened = OpenShare(file, Pin::kUser, *company.keys[0]);
    return opened.ok() ? std::string() : opened.error().rule;
  };
  CHECK(rule([](script::ShareFile&) {}).empty());
  CHECK(rule([](auto& f) { f.estate = "other.example"; }) == "SHARE-SEAL-01");
  CHECK(rule([](auto& f) { f.token = "other"; }) == "SHARE-SEAL-01");
  CHECK(rule([](auto& f) { f.set = std::string(32, '0'); }) == "SHARE-SEAL-01");
  CHECK(rule([](auto& f) { f.generation = 2; }) == "SHARE-SEAL-01");
  CHECK(rule([](auto& f) { f.quorum = "others"; }) == "SHARE-SEAL-01");
  CHECK(rule([](auto& f) { f.m = 1; }) == "SHARE-SEAL-01");
  CHECK(rule([](auto& f) { f.n = 4; }) == "SHARE-SEAL-01");
  CHECK(rule([](auto& f) { f.holder = "p2"; }) == "SHARE-SEAL-01");
  CHECK(rule([](auto& f) { f.x = 2; }) == "SHARE-SEAL-01");
  CHECK(rule([](auto& f) { f.user.commitment = std::string(64, '0'); }) == "SHARE-SEAL-01");
  CHECK(rule([](auto& f) { f.user = f.security_officer; }) == "SHARE-SEAL-01");
  CHECK(rule([](auto& f) { f.holder_key = std::string(64, '0'); }) == "SHARE-KEY-01");
  for (std::size_t i = 0; i < good.user.ciphertext.size(); ++i)
    CHECK(rule([i](auto& f) { f.user.ciphertext[i] ^= 0x40; }) == "SHARE-SEAL-01");
  for (std::size_t i = 0; i < good.user.enc.size(); ++i)
    CHECK(rule([i](auto& f) { f.user.enc[i] ^= 0x40; }) == "SHARE-SEAL-01");
}

TEST_CASE("a share does not open with somebody else's key, whoever the file names") {
  Company company(3);
  const NewShareSet made = company.Make(2);
  CHECK(Bad(OpenShare(made.files[0], Pin::kUser, *company.keys[1])).rule == "SHARE-KEY-01");
  script::ShareFile renamed = made.files[0];
  renamed.holder_key = company.keys[1]->public_key().SpkiSha256Hex();
  CHECK(Bad(OpenShare(renamed, Pin::kUser, *company.keys[1])).rule == "SHARE-SEAL-01");
}

TEST_CASE("commitments are salted: two sets of the same PINs have none in common") {
  Company company(3);
  const NewShareSet first = company.Make(1);
  const NewShareSet second = company.Make(1);
  std::map<std::string, int> seen;
  // With m = 1 every share is the PIN itself.
  for (const NewShareSet* set : {&first, &second}) {
    for (const estate::ShareHolder& holder : set->set.holders) {
      ++seen[holder.user_commitment];
      ++seen[holder.officer_commitment];
    }
  }
  CHECK(seen.size() == 12);
}

TEST_CASE("quorums of all, of 255, and of 256") {
  Company all(4);
  const NewShareSet of_all = all.Make(4);
  CHECK(of_all.proof.subsets == 1);
  Company many(255);
  const NewShareSet made = many.Make(128);
  CHECK(made.files.size() == 255);
  CHECK(made.files.back().x == 255);
  CHECK(made.proof.how == HowProven::kOnePolynomial);
  Good(script::WriteShare(made.files.back()));
  Company too_many(256);
  too_many.roster.quorums[0].m = 128;
  CHECK(Bad(MakeShareSet(too_many.roster, too_many.roster.quorums[0], "root-hsm", 1, {many.user, many.officer})).rule ==
        "SHARE-SPLIT-01");
}

TEST_CASE("a member without a key to seal to is refused before anything is split") {
  Company company(3);
  company.roster.people[1].open_key.clear();
  company.roster.quorums[0].m = 2;
  const base::Error error =
      Bad(MakeShareSet(company.roster, company.roster.quorums[0], "root-hsm", 1, {company.user, company.officer}));
  CHECK(error.rule == "SHARE-ROSTER-01");
  CHECK(error.message == "Person 2 is a member of the quorum custodians and has no open_key to seal a share to");
}
