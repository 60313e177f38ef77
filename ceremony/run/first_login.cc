#include "ceremony/run/first_login.h"

#include "hsm/cryptoki.h"

namespace ceremony::run {
namespace {

bool IsMistyped(const base::Error& error) {
  return error.rv == CKR_PIN_INCORRECT || error.rv == CKR_PIN_INVALID || error.rv == CKR_PIN_LEN_RANGE ||
         error.rule == "TOKEN-LOGIN-03";
}

base::Result<bool> AskToTryAgain(room::Terminal& terminal, const base::Error& why) {
  constexpr const char* kAgain = "try again";
  terminal.Say(room::Tone::kBad, why.rule.empty() ? why.message : why.message + " [" + why.rule + "]");
  if (!why.hint.empty()) terminal.Say(room::Tone::kPlain, "What to do: " + why.hint + ".");
  room::Question question;
  question.kind = room::Question::Kind::kChoice;
  question.id = "first-login";
  question.person = "holder of the user PIN";
  question.text = "The record is not begun yet, so nothing is lost. What now?";
  question.choices = {kAgain, "stop here"};
  KC_ASSIGN_OR_RETURN(const std::string answer, terminal.Ask(question));
  return answer == kAgain;
}

}  // namespace

base::Result<hsm::Session*> FirstLogin(TokenRoom& tokens, room::Terminal& terminal, const std::string& token) {
  while (true) {
    base::Result<hsm::Session*> session = tokens.Session(token);
    if (session.ok() || !terminal.HasPeople() || !IsMistyped(session.error())) return session;
    KC_ASSIGN_OR_RETURN(const bool again, AskToTryAgain(terminal, session.error()));
    if (!again) return session;
  }
}

}  // namespace ceremony::run
