#include "ceremony/room/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "ceremony/room/text.h"
#include "ceremony/script/pattern.h"

namespace ceremony::room {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;

std::string_view Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool IsEqualWithoutCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

Result<std::string> JudgeConsent(const Question& question, std::string_view typed) {
  if (question.expected.empty() || !IsPlainLine(question.expected)) {
    return MakeError(ErrorCode::kInternal, fmt::format("question {} asks for consent with {}, which nobody can type",
                                                       question.id, Quoted(question.expected)));
  }
  if (typed == question.expected) return std::string(typed);
  std::string_view why;
  if (Trimmed(typed) == question.expected) {
    why = " without spaces around it";
  } else if (IsEqualWithoutCase(typed, question.expected)) {
    why = ", capital and small letters as shown";
  }
  return MakeError(ErrorCode::kInvalidInput,
                   fmt::format("you typed {}, expected exactly {}{}", Quoted(typed), Quoted(question.expected), why));
}

Result<std::string> JudgeText(const Question& question, std::string_view typed) {
  const std::string answer(Trimmed(typed));
  if (answer.empty()) return MakeError(ErrorCode::kInvalidInput, "nothing was typed, expected an answer");
  if (question.pattern.empty() || (question.may_go_back && answer == kBack)) return answer;
  const Result<script::Pattern> pattern = script::Pattern::Parse(question.pattern);
  if (!pattern.ok()) {
    return MakeError(ErrorCode::kInternal, fmt::format("question {}: {}", question.id, pattern.error().message));
  }
  if (pattern->Matches(answer)) return answer;
  const std::string expected = question.example.empty() ? "text that matches " + Quoted(question.pattern)
                                                        : "something like " + Quoted(question.example);
  return MakeError(ErrorCode::kInvalidInput, fmt::format("you typed {}, expected {}", Quoted(answer), expected));
}

Result<std::string> JudgeChoice(const Question& question, std::string_view typed) {
  if (question.choices.empty()) {
    return MakeError(ErrorCode::kInternal, fmt::format("question {} has no choices", question.id));
  }
  const std::string_view answer = Trimmed(typed);
  // The text goes first: a choice may itself be a number.
  for (const std::string& choice : question.choices) {
    if (answer == choice) return choice;
  }
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(answer.data(), answer.data() + answer.size(), number);
  if (error == std::errc{} && end == answer.data() + answer.size() && number >= 1 &&
      number <= question.choices.size()) {
    return question.choices[number - 1];
  }
  // Not quoted: who is used to typing a passphrase after this question types it here, before everybody.
  return MakeError(ErrorCode::kInvalidInput,
                   fmt::format("that is none of the choices, expected a number from 1 to {}", question.choices.size()));
}

}  // namespace

Result<std::string> JudgeAnswer(const Question& question, std::string_view typed) {
  const bool chooses = question.kind == Question::Kind::kChoice || question.kind == Question::Kind::kDecision;
  if (!chooses && !IsPlainLine(typed)) {
    return MakeError(
        ErrorCode::kInvalidInput,
        fmt::format("you typed {}, which holds a special key; expected letters and digits", Quoted(typed)));
  }
  if (typed.size() > kLongestAnswer) {
    return MakeError(ErrorCode::kInvalidInput,
                     fmt::format("you typed {} characters, expected at most {}", typed.size(), kLongestAnswer));
  }
  switch (question.kind) {
    case Question::Kind::kConsent:
      return JudgeConsent(question, typed);
    case Question::Kind::kText:
      return JudgeText(question, typed);
    case Question::Kind::kChoice:
    case Question::Kind::kDecision:
      return JudgeChoice(question, typed);
  }
  return MakeError(ErrorCode::kInternal, fmt::format("question {} is of no known kind", question.id));
}

}  // namespace ceremony::room
