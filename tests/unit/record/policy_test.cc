#include "ceremony/record/policy.h"

#include <doctest/doctest.h>

#include "ceremony/record/software_signer.h"
#include "tests/unit/record/test_keys.h"

namespace ceremony::record {
namespace {

std::string Vkey(std::size_t key, const std::string& person) {
  return TestSigner("test.example/" + person, kTestKeys[key])->key().Text();
}

std::string Problem(const std::string& text) {
  const auto policy = Policy::Parse(text);
  REQUIRE_FALSE(policy.ok());
  CHECK(policy.error().code == base::ErrorCode::kInvalidInput);
  return policy.error().message;
}

// alice: a, bob: b, carol: c, and a second key of alice: d.
std::string Witnesses() {
  return "witness a " + Vkey(0, "alice") + "\nwitness b " + Vkey(1, "bob") + "\nwitness c " + Vkey(2, "carol") +
         "\nwitness d " + Vkey(3, "alice") + "\n";
}

TEST_CASE("a policy is read with comments, tabs and URLs, and spelled in one way") {
  const auto policy =
      Policy::Parse("# who must sign\n\n \t witness\ta  " + Vkey(0, "alice") + " https://a.example \n" + "witness b " +
                    Vkey(1, "bob") + "\n\t# more\ngroup g any a b\nlog " + Vkey(2, "log") + "\nquorum g \n");
  REQUIRE(policy.ok());
  CHECK(policy->Text() == "log " + Vkey(2, "log") + "\nwitness a " + Vkey(0, "alice") +
                              " https://a.example\nwitness b " + Vkey(1, "bob") + "\ngroup g 1 a b\nquorum g\n");
  CHECK(Policy::Parse(policy->Text())->Text() == policy->Text());
}

TEST_CASE("what the standard forbids in a policy is refused with its line") {
  const std::string a = "witness a " + Vkey(0, "alice") + "\n";
  const std::string b = "witness b " + Vkey(1, "bob") + "\n";
  CHECK(Problem("") == "a policy has no quorum line");
  CHECK(Problem(a) == "a policy has no quorum line");
  CHECK(Problem("quorum none\nquorum none\n") == "policy line 2: a second quorum line");
  CHECK(Problem("quorum none") == "policy line 1: no newline at its end");
  CHECK(Problem("quorum a\n" + a) == "policy line 1: the quorum a is not defined above");
  CHECK(Problem(a + "group g 1 a b\n" + b + "quorum g\n") ==
        "policy line 2: group g names b, which is not defined above");
  CHECK(Problem(a + "group g 1 g\nquorum g\n") == "policy line 2: group g names g, which is not defined above");
  CHECK(Problem(a + "group g 1 none\nquorum g\n") == "policy line 2: group g names none, which is not defined above");
  CHECK(Problem(a + "group none 1 a\nquorum none\n") == "policy line 2: the name none is taken");
  CHECK(Problem(a + a + "quorum a\n") == "policy line 2: the name a is defined twice");
  CHECK(Problem(a + "witness b " + Vkey(0, "bob") + "\nquorum a\n") == "policy line 2: witnesses a and b have one key");
  CHECK(Problem(a + b + "group g 1 a a\nquorum g\n") == "policy line 3: a is a member twice");
  CHECK(Problem(a + b + "group g 1 a\ngroup h 1 a b\nquorum h\n") == "policy line 4: a is a member twice");
  CHECK(Problem(a + b + "group g 3 a b\nquorum g\n") == "policy line 3: the threshold 3 is more than the 2 members");
  for (const char* k : {"0", "-1", "01", "two", "1x"}) {
    CHECK(Problem(a + "group g " + k + " a\nquorum g\n") ==
          "policy line 2: the threshold \"" + std::string(k) + "\" is not all, any or a decimal number from 1");
  }
  CHECK(Problem(a + "group g any\nquorum g\n") == "policy line 2: expected: group NAME all|any|K MEMBER...");
  CHECK(Problem("log " + Vkey(0, "x") + "\nlog " + Vkey(0, "y") + "\nquorum none\n") ==
        "policy line 2: the log key test.example/y stands here twice");
  CHECK(Problem("quorums none\n") == "policy line 1: \"quorums\" is not log, witness, group or quorum");
  CHECK(Problem("quorum none\r\n") == "policy line 1: a control character");
  CHECK(Problem("quorum none\n\x7f\n") == "policy line 2: a control character");
  CHECK(Problem("witness a nonsense\nquorum a\n") == "policy line 1: not a verifier key: no +");
}

TEST_CASE("a quorum is met by enough people, and not one fewer") {
  const Policy policy = *Policy::Parse(Witnesses() + "group g 2 a b c\nquorum g\n");
  using Signers = std::vector<std::size_t>;
  CHECK_FALSE(policy.Evaluate(Signers{}).met);
  CHECK_FALSE(policy.Evaluate(Signers{0}).met);
  CHECK_FALSE(policy.Evaluate(Signers{0, 0, 0}).met);
  CHECK_FALSE(policy.Evaluate(Signers{0, 3}).met);
  const auto verdict = policy.Evaluate(Signers{2, 1});
  CHECK(verdict.met);
  CHECK(verdict.needed == 2);
  CHECK(verdict.counted == 2);
  CHECK(verdict.people == std::vector<std::string>{"test.example/bob", "test.example/carol"});
}

TEST_CASE("two keys of one person count once") {
  using Signers = std::vector<std::size_t>;
  const Policy flat = *Policy::Parse(Witnesses() + "group g 2 a b c d\nquorum g\n");
  CHECK(flat.Evaluate(Signers{0, 3}).counted == 1);
  CHECK_FALSE(flat.Evaluate(Signers{0, 3}).met);
  CHECK(flat.Evaluate(Signers{3, 1}).met);
  const Policy grouped = *Policy::Parse(Witnesses() + "group alice any a d\ngroup g 2 alice b c\nquorum g\n");
  CHECK_FALSE(grouped.Evaluate(Signers{0, 3}).met);
  CHECK(grouped.Evaluate(Signers{3, 2}).met);
}

TEST_CASE("a policy in which one person could count twice is refused") {
  CHECK(Problem(Witnesses() + "group x any a b\ngroup y any d c\ngroup g 2 x y\nquorum g\n") ==
        "in group g the person test.example/alice could count twice");
  CHECK(Problem(Witnesses() + "group x any a b\ngroup g 2 x d\nquorum g\n") ==
        "in group g the person test.example/alice could count twice");
  CHECK(Problem(Witnesses() + "group x any a b\ngroup g 2 d x\nquorum g\n") ==
        "in group g the person test.example/alice could count twice");
}

TEST_CASE("nested groups, a single witness and none are evaluated") {
  using Signers = std::vector<std::size_t>;
  const Policy nested = *Policy::Parse(Witnesses() + "group ab 2 a b\ngroup c1 all c\ngroup g all ab c1\nquorum g\n");
  CHECK_FALSE(nested.Evaluate(Signers{0, 1}).met);
  CHECK(nested.Evaluate(Signers{0, 1, 2}).met);
  const Policy one = *Policy::Parse(Witnesses() + "quorum b\n");
  CHECK(one.Evaluate(Signers{1}).met);
  CHECK_FALSE(one.Evaluate(Signers{0, 2, 3}).met);
  CHECK(Policy::Parse("quorum none\n")->Evaluate(Signers{}).met);
}

TEST_CASE("the policy of a list of people is the one that its text says") {
  const auto key = [](std::size_t i, const std::string& person) {
    return TestSigner("test.example/" + person, kTestKeys[i])->key();
  };
  const std::vector<Policy::Person> people = {
      {"alice", {key(0, "alice"), key(3, "alice")}}, {"bob", {key(1, "bob")}}, {"carol", {key(2, "carol")}}};
  const auto policy = Policy::OfPeople("custodians", 2, people);
  REQUIRE(policy.ok());
  CHECK(policy->Text() ==
        "witness alice.1 " + Vkey(0, "alice") + "\nwitness alice.2 " + Vkey(3, "alice") + "\nwitness bob " +
            Vkey(1, "bob") + "\nwitness carol " + Vkey(2, "carol") +
            "\ngroup alice 1 alice.1 alice.2\ngroup custodians 2 alice bob carol\nquorum custodians\n");
  CHECK_FALSE(Policy::OfPeople("custodians", 4, people).ok());
  CHECK_FALSE(Policy::OfPeople("custodians", 0, people).ok());
  CHECK_FALSE(Policy::OfPeople("alice", 2, people).ok());
  CHECK_FALSE(Policy::OfPeople("q", 1, std::vector<Policy::Person>{{"alice", {key(0, "alice"), key(1, "bob")}}}).ok());
  CHECK_FALSE(Policy::OfPeople("q", 1, std::vector<Policy::Person>{{"alice", {}}}).ok());
}

TEST_CASE("those who signed a note are counted, and one bad signature spoils it") {
  const auto alice = TestSigner("test.example/alice", kTestKeys[0]);
  const auto bob = TestSigner("test.example/bob", kTestKeys[1]);
  const Policy policy = *Policy::Parse(Witnesses() + "group g 2 a b c\nquorum g\n");
  Note note{"text\n", {*SignText("text\n", *alice), *SignText("text\n", *bob)}};
  CHECK(policy.Evaluate(VerifyNote(note, policy.Keys())->signers).met);
  note.signatures[1].signature.back() ^= 1;
  CHECK(VerifyNote(note, policy.Keys()).error().code == base::ErrorCode::kCorrupt);
  note.signatures.pop_back();
  CHECK_FALSE(policy.Evaluate(VerifyNote(note, policy.Keys())->signers).met);
}

}  // namespace
}  // namespace ceremony::record
