#include "ceremony/script/roster.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ceremony/script/fingerprint.h"
#include "ceremony/script/person_file.h"
#include "tests/unit/script/sample_files.h"
#include "tests/unit/script/step_kinds.h"
#include "tests/unit/script/support.h"

using namespace ceremony::script;

namespace {

std::string ProblemsOf(const std::string& text) {
  Problems problems;
  const auto roster = ParseRoster(FileOf("r.json", text), &problems);
  CHECK(roster.ok() == problems.empty());
  return LinesOf(problems);
}

}  // namespace

TEST_CASE("a roster is read with its quorums and people in the order of the file") {
  const auto roster = ParseRoster(FileOf("r.json", kGoodRoster));
  REQUIRE_MESSAGE(roster.ok(), (roster.ok() ? "" : roster.error().message));
  CHECK(roster->estate == "smki.example");
  REQUIRE(roster->quorums.size() == 2);
  CHECK(roster->quorums[0].name == "custodians");
  CHECK(roster->FindQuorum("officers")->m == 1);
  CHECK(NameOf(roster->FindQuorum("officers")->role) == "security-officer");
  CHECK(roster->FindQuorum("other") == nullptr);
  REQUIRE(roster->people.size() == 4);
  const Person& alice = *roster->FindPerson("alice");
  CHECK(alice.name == "Alice Archer");
  CHECK(alice.employer == "Acme");
  CHECK(alice.domain == "organisation");
  CHECK(alice.site == "North");
  CHECK(NameOf(alice.state) == "active");
  REQUIRE(alice.history.size() == 2);
  CHECK(alice.history[1].on == "2026-03-04");
  CHECK(alice.sign_key == kP256KeyA);
  CHECK(alice.open_key == kP256KeyB);
  CHECK(alice.HasRole(Role::kCustodian));
  CHECK_FALSE(alice.HasRole(Role::kWitness));
  CHECK(roster->FindPerson("eve") == nullptr);
}

TEST_CASE("only active people of the role with a key count for a quorum") {
  const auto roster = ParseRoster(FileOf("r.json", kGoodRoster));
  REQUIRE(roster.ok());
  std::string ids;
  for (const Person* person : roster->MembersOf(*roster->FindQuorum("custodians"))) ids += person->id + " ";
  CHECK(ids == "alice bob ");
}

TEST_CASE("a quorum that cannot be met is refused, and so is a roster without the record's quorum") {
  CHECK(ProblemsOf(Replaced(kGoodRoster, "\"m\": 2", "\"m\": 3")) ==
        "INPUT-14 r.json:5:25: /quorums/custodians/m: expected at most 2, found 3: so many people are active with the "
        "role custodian and a sign_key\n");
  CHECK(ProblemsOf(Replaced(kGoodRoster, "\"custodians\": {", "\"keyholders\": {")) ==
        "INPUT-09 r.json:4:14: /quorums: expected the quorum \"custodians\", which witnesses every record\n");
  CHECK(ProblemsOf(Replaced(kGoodRoster, "\"m\": 2", "\"m\": 0")) ==
        "INPUT-05 r.json:5:25: /quorums/custodians/m: expected an integer from 1 to 255, found the integer 0\n");
}

TEST_CASE("two people never share an id, and no key stands twice") {
  CHECK(ProblemsOf(Replaced(kGoodRoster, "\"id\": \"bob\"", "\"id\": \"alice\"")) ==
        "INPUT-12 r.json:13:12: /people/1/id: expected an id of its own, found that of the person in line 9\n");
  CHECK(ProblemsOf(Replaced(kGoodRoster, kEd25519Key, kP256KeyA)) ==
        "INPUT-12 r.json:14:18: /people/1/sign_key: expected a key of its own, found that of /people/0/sign_key\n");
  CHECK(ProblemsOf(Replaced(kGoodRoster, kP256KeyB, kP256KeyA)) ==
        "INPUT-12 r.json:12:18: /people/0/open_key: expected a key of its own, found that of /people/0/sign_key\n");
}

TEST_CASE("keys are of the types that approvals and shares can use") {
  CHECK(ProblemsOf(Replaced(kGoodRoster, kEd25519Key, kP384Key)) ==
        "INPUT-05 r.json:14:18: /people/1/sign_key: expected a key of type EC P-256 or Ed25519, found EC P-384\n");
  CHECK(
      ProblemsOf(Replaced(kGoodRoster, kP256KeyB, kEd25519Key))
          .starts_with("INPUT-05 r.json:12:18: /people/0/open_key: expected a key of type EC P-256, found Ed25519\n"));
  CHECK(ProblemsOf(Replaced(kGoodRoster, kEd25519Key, "AAAA"))
            .starts_with("INPUT-14 r.json:5:25: /quorums/custodians/m: expected at most") == false);
  CHECK(ProblemsOf(Replaced(kGoodRoster, kEd25519Key, "AAAA"))
            .starts_with("INPUT-05 r.json:14:18: /people/1/sign_key: expected base64 of a DER SubjectPublicKeyInfo: "));
  CHECK(ProblemsOf(Replaced(kGoodRoster, kEd25519Key, "AAA")) ==
        "INPUT-05 r.json:14:18: /people/1/sign_key: expected base64 (RFC 4648 section 4, padded), found the text "
        "\"AAA\"\n");
}

TEST_CASE("a history runs forward and ends in the present state") {
  CHECK(ProblemsOf(Replaced(kGoodRoster, "2026-03-04", "2025-01-01")) ==
        "INPUT-14 r.json:10:60: /people/0/history/1: expected a date on or after 2025-01-02, found 2025-01-01\n");
  CHECK(ProblemsOf(Replaced(kGoodRoster, "{\"state\": \"active\", \"on\": \"2026-03-04\"}",
                            "{\"state\": \"left\", \"on\": \"2026-03-04\"}")) ==
        "INPUT-14 r.json:9:141: /people/0/state: expected the last state of the history, \"left\", found \"active\"\n");
  CHECK(ProblemsOf(Replaced(kGoodRoster, "2026-03-04", "2026-02-30")) ==
        "INPUT-05 r.json:10:86: /people/0/history/1/on: expected a date, such as 2026-11-21, found the text "
        "\"2026-02-30\"\n");
}

TEST_CASE("a person goes from state to state one step at a time, and out at the end") {
  using enum PersonState;
  const std::vector<PersonState> way = {kNominated, kScreened, kApproved, kTrained, kActive, kLeaving, kLeft};
  for (std::size_t from = 0; from < way.size(); ++from) {
    for (std::size_t to = 0; to < way.size(); ++to) {
      const bool forward = to == from + 1;
      const bool withdrawn = way[to] == kLeft && from < 4;
      CHECK_MESSAGE(MayBecome(way[from], way[to]) == (forward || withdrawn), NameOf(way[from]), " to ",
                    NameOf(way[to]));
    }
  }
  CHECK(ProblemsOf(Replaced(kGoodRoster, "\"state\": \"trained\"", "\"state\": \"screened\"")) ==
        "PERSON-STATE-01 r.json:10:71: /people/0/history/1/state: expected a state that may follow \"screened\" "
        "(\"approved\" or \"left\"), found \"active\" [state every step of the way, with its date]\n");
  CHECK(ProblemsOf(Replaced(kGoodRoster, "\"state\": \"trained\"", "\"state\": \"left\"")) ==
        "PERSON-STATE-01 r.json:10:67: /people/0/history/1/state: expected a state that may follow \"left\" (none), "
        "found \"active\" [give somebody who comes back an id of their own]\n");
}

TEST_CASE("a person may attend at home and where they travel to, and anywhere when nobody says where") {
  Person person;
  CHECK(person.MayAttendAt("North"));
  person.site = "North";
  person.travels = {"South"};
  CHECK(person.MayAttendAt("North"));
  CHECK(person.MayAttendAt("South"));
  CHECK(person.MayAttendAt(""));
  CHECK_FALSE(person.MayAttendAt("West"));
  auto roster = ParseRoster(FileOf("r.json", kGoodRoster)).value();
  roster.people[0].travels = {"South", "West"};
  CHECK(ParseRoster(FileOf("w.json", *WriteRoster(roster)))->people[0].travels ==
        std::vector<std::string>{"South", "West"});
}

TEST_CASE("a fingerprint is the SHA-256 of the DER key, in hexadecimal and in PGP words") {
  // base64 -d | openssl dgst -sha256; the words are those of the list by Juola and Zimmermann.
  const auto fingerprint = FingerprintOf(kEd25519Key);
  REQUIRE(fingerprint.ok());
  CHECK(fingerprint->Hex() == "6ef61d6f580411949fdb8c8e0d05aa59715b84e36c1d15049623599683b62fcf");
  CHECK(fingerprint->ShortWords() == "goldfish vocalist Belfast hemisphere endorse alkali Athens molecule ...");
  CHECK(fingerprint->Words().starts_with("goldfish vocalist Belfast hemisphere endorse alkali Athens molecule "));
  CHECK(std::ranges::count(fingerprint->Words(), ' ') == 31);
  CHECK(ShortWordsOf("") == "none");
  CHECK(ShortWordsOf("AAAA") == "unreadable");
}

TEST_CASE("a person file is read strictly, with two keys of the right types") {
  const std::string good =
      std::string(R"({"format": "keyceremony-person/1", "estate": "smki.example", "id": "frank", "name": "Frank Foster",
"sign_key": ")") +
      kP256KeyA + R"(",
"open_key": ")" +
      kP256KeyB + "\"}";
  const auto problems = [](const std::string& text) {
    Problems list;
    const bool read = ParsePersonFile(FileOf("f.json", text), &list).ok();
    CHECK(read == list.empty());
    return LinesOf(list);
  };
  const auto person = ParsePersonFile(FileOf("f.json", good));
  REQUIRE(person.ok());
  CHECK(person->name == "Frank Foster");
  CHECK(ParsePersonFile(FileOf("w.json", *WritePersonFile(*person)))->open_key == kP256KeyB);
  CHECK(problems(Replaced(good, kP256KeyB, kP256KeyA)) ==
        "INPUT-12 f.json:3:13: /open_key: expected a key of its own, found that of /sign_key\n");
  CHECK(problems(Replaced(good, kP256KeyB, kEd25519Key)) ==
        "INPUT-05 f.json:3:13: /open_key: expected a key of type EC P-256, found Ed25519\n");
  CHECK(problems(Replaced(good, "\"id\": \"frank\", ", "")).starts_with("INPUT-03 f.json:1:1"));
  CHECK(problems(Replaced(good, "\"id\": \"frank\"", "\"id\": \"frank\", \"private_key\": \"x\""))
            .starts_with("INPUT-11 "));
}

TEST_CASE("roles are known and held once") {
  CHECK(ProblemsOf(Replaced(kGoodRoster, "[\"custodian\", \"witness\"]", "[\"custodian\", \"wittness\"]")) ==
        "INPUT-05 r.json:17:84: /people/3/roles/1: expected \"administrator\", \"security-officer\", \"custodian\", "
        "\"witness\" or \"auditor\", found the text "
        "\"wittness\" [did you mean `witness`?]\n");
  CHECK(ProblemsOf(Replaced(kGoodRoster, "[\"custodian\", \"witness\"]", "[\"custodian\", \"custodian\"]")) ==
        "INPUT-12 r.json:17:84: /people/3/roles/1: expected items that differ, found the text \"custodian\" twice\n");
}

TEST_CASE("a private key in a roster is refused and not repeated") {
  CHECK(ProblemsOf(Replaced(kGoodRoster, "\"id\": \"dave\"", "\"private_key\": \"hunter2\", \"id\": \"dave\"")) ==
        "INPUT-11 r.json:17:6: /people/3/private_key: a secret must never stand in a file [take it out, and change "
        "that secret: it has been written down]\n");
}

TEST_CASE("what is written is read back to the same") {
  const auto roster = ParseRoster(FileOf("r.json", kGoodRoster));
  REQUIRE(roster.ok());
  const auto written = WriteRoster(*roster);
  REQUIRE(written.ok());
  const auto again = ParseRoster(FileOf("w.json", *written));
  REQUIRE(again.ok());
  CHECK(*WriteRoster(*again) == *written);
  CHECK(again->people[0].history.size() == 2);
  CHECK(again->people[0].open_key == kP256KeyB);
  CHECK(again->people[2].name == "Carol Çelik");
  CHECK(again->quorums[1].name == "officers");
}

TEST_CASE("a writer makes no file that its reader refuses") {
  auto roster = ParseRoster(FileOf("r.json", kGoodRoster)).value();
  roster.people[1].id = "alice";
  CHECK(WriteRoster(roster).error().message ==
        "what is to be written:39:13: /people/1/id: expected an id of its own, found that of the person in line 16");
  roster.people[1].id = "\xFF";
  CHECK(WriteRoster(roster).error().message == "expected UTF-8 text in what is to be written, found other bytes");
}

TEST_CASE("roster and script are of one estate and know the same quorums") {
  const auto roster = ParseRoster(FileOf("r.json", kGoodRoster)).value();
  const auto script_of = [](const std::string& estate, const std::string& quorum) {
    return ParseScript(
               FileOf(
                   "s.json",
                   R"({"format":"keyceremony-script/1","id":"a","title":"t","purpose":"p","policy":"p","sections":[{"id":"s","title":"t",
"steps":[{"id":"d","do":"room.depart","quorum":")" +
                       quorum + R"("}]}],"estate":")" + estate + "\"}"),
               StepKinds())
        .value();
  };
  CHECK(CheckRoster(script_of("smki.example", "officers"), roster).ok());
  CHECK(CheckRoster(script_of("other", "custodian"), roster).error().message ==
        "s.json:2:48: /sections/0/steps/0/quorum: expected a quorum of the roster r.json, found \"custodian\" (did you "
        "mean `custodians`?)\n"
        "s.json:2:73: /estate: expected the estate of the roster r.json, \"smki.example\", found \"other\" [INPUT-14]");
}

TEST_CASE("who is of another domain than a quorum does not count for it, and the record's own quorum has none") {
  nlohmann::json file = nlohmann::json::parse(kGoodRoster);
  file["quorums"]["devices"] = {{"m", 1}, {"role", "custodian"}, {"domain", "device"}};
  const auto roster = ParseRoster(FileOf("r.json", file.dump()));
  REQUIRE(roster.ok());
  const auto members = roster->MembersOf(*roster->FindQuorum("devices"));
  REQUIRE(members.size() == 1);  // alice is of the domain organisation, bob of any
  CHECK(members[0]->id == "bob");
  const auto written = WriteRoster(*roster);
  REQUIRE(written.ok());
  CHECK(ParseRoster(FileOf("r.json", *written))->FindQuorum("devices")->domain == "device");
  file["quorums"]["devices"]["m"] = 2;
  CHECK(ProblemsOf(file.dump())
            .find("expected at most 1, found 2: so many people are active with the role custodian, "
                  "the domain device and a sign_key") != std::string::npos);
  file["quorums"].erase("devices");
  file["quorums"]["custodians"]["domain"] = "organisation";
  CHECK(ProblemsOf(file.dump()).find("the quorum custodians witnesses records of every domain") != std::string::npos);
}
