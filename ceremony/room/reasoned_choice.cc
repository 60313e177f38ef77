#include "ceremony/room/reasoned_choice.h"

#include <fmt/format.h>

namespace ceremony::room {

base::Result<ReasonedChoice> AskReasonedChoice(Terminal& terminal, const Question& question) {
  ReasonedChoice answer;
  while (true) {
    KC_ASSIGN_OR_RETURN(answer.choice, terminal.Ask(question));
    if (answer.choice == question.choices.front()) return answer;
    Question why;
    why.kind = Question::Kind::kText;
    why.id = question.id + "/reason";
    why.person = question.person;
    why.text = fmt::format("You chose \"{}\". Why? Everybody who reads the record reads this.", answer.choice);
    why.example = answer.choice == "decline" ? "it is not what I was told" : "I need my glasses";
    why.may_go_back = true;
    KC_ASSIGN_OR_RETURN(answer.reason, terminal.Ask(why));
    if (answer.reason != kBack) return answer;
    answer.reason.clear();
  }
}

}  // namespace ceremony::room
