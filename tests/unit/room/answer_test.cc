#include "ceremony/room/answer.h"

#include <doctest/doctest.h>

using base::ErrorCode;
using ceremony::room::JudgeAnswer;
using ceremony::room::Question;

namespace {

Question Consent(std::string expected) {
  return {.kind = Question::Kind::kConsent, .id = "q", .expected = std::move(expected)};
}

Question Text(std::string pattern, std::string example = {}) {
  return {.kind = Question::Kind::kText, .id = "q", .pattern = std::move(pattern), .example = std::move(example)};
}

Question Choice() { return {.kind = Question::Kind::kChoice, .id = "q", .choices = {"keep it", "remove it", "1"}}; }

std::string Refused(const Question& question, std::string_view typed) {
  const auto answer = JudgeAnswer(question, typed);
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == ErrorCode::kInvalidInput);
  return answer.error().message;
}

}  // namespace

TEST_CASE("consent is the exact word") {
  CHECK(JudgeAnswer(Consent("MAKE THE KEY"), "MAKE THE KEY").value() == "MAKE THE KEY");
  CHECK(Refused(Consent("YES"), "yes") ==
        "you typed \"yes\", expected exactly \"YES\", capital and small letters as shown");
  CHECK(Refused(Consent("YES"), "YES ") == "you typed \"YES \", expected exactly \"YES\" without spaces around it");
  CHECK(Refused(Consent("YES"), "") == "you typed \"\", expected exactly \"YES\"");
  CHECK(Refused(Consent("YES"), "y") == "you typed \"y\", expected exactly \"YES\"");
}

TEST_CASE("a text matches its pattern as a whole, without the spaces around it") {
  CHECK(JudgeAnswer(Text("SEAL-[0-9]{6}"), " SEAL-004711 ").value() == "SEAL-004711");
  CHECK(Refused(Text("SEAL-[0-9]{6}", "SEAL-004711"), "SEAL-0047111") ==
        "you typed \"SEAL-0047111\", expected something like \"SEAL-004711\"");
  CHECK(Refused(Text("[a-z]+"), "a1") == "you typed \"a1\", expected text that matches \"[a-z]+\"");
  CHECK(Refused(Text(""), "   ") == "nothing was typed, expected an answer");
  CHECK(JudgeAnswer(Text(""), "anything").value() == "anything");
}

TEST_CASE("a choice is given by its number or its words, and its words go first") {
  CHECK(JudgeAnswer(Choice(), "2").value() == "remove it");
  CHECK(JudgeAnswer(Choice(), "keep it").value() == "keep it");
  CHECK(JudgeAnswer(Choice(), " 1 ").value() == "1");
  for (const char* wrong : {"0", "4", "-1", "2x", "", "Keep it", "18446744073709551618"}) {
    CHECK(Refused(Choice(), wrong) == "that is none of the choices, expected a number from 1 to 3");
  }
}

TEST_CASE("what is typed at a choice is never repeated: it may be somebody's passphrase") {
  Question decision = Choice();
  decision.kind = Question::Kind::kDecision;
  for (const char* secret : {"four words for alice", "sch\xc3\xb6n\x1b[D"}) {
    CHECK(Refused(Choice(), secret) == "that is none of the choices, expected a number from 1 to 3");
    CHECK(Refused(decision, secret) == "that is none of the choices, expected a number from 1 to 3");
  }
}

TEST_CASE("an answer with a special key in it is no answer") {
  CHECK(Refused(Text(""), "ab\x1b[D") ==
        "you typed \"ab\\x1b[D\", which holds a special key; expected letters and digits");
  CHECK(Refused(Text(""), std::string(1001, 'a')) == "you typed 1001 characters, expected at most 1000");
}

TEST_CASE("a question that nobody can answer is a bug of its step") {
  CHECK(JudgeAnswer(Consent(""), "").error().code == ErrorCode::kInternal);
  CHECK(JudgeAnswer(Consent("a\nb"), "a").error().code == ErrorCode::kInternal);
  CHECK(JudgeAnswer(Text("("), "a").error().code == ErrorCode::kInternal);
  CHECK(JudgeAnswer({.kind = Question::Kind::kChoice, .id = "q"}, "1").error().code == ErrorCode::kInternal);
}

TEST_CASE("a pattern that would explode takes no time") {
  CHECK(Refused(Text("(a*)*b", "aab"), std::string(200, 'a')).ends_with("expected something like \"aab\""));
  CHECK(JudgeAnswer(Text("(a*)*b"), std::string(200, 'a') + "b").ok());
}
