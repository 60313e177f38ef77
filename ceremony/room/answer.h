// What counts as an answer to a Question: one judgement for people at the
// keyboard, for simulated people and for the answers of a test.
#ifndef CEREMONY_ROOM_ANSWER_H_
#define CEREMONY_ROOM_ANSWER_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "ceremony/room/terminal.h"

namespace ceremony::room {

// Longer answers are refused; a seal number is short.
inline constexpr std::size_t kLongestAnswer = 1000;

// JudgeAnswer returns the answer that `typed` gives: for kConsent and kText the
// text itself, for kChoice and kDecision the text of the choice (given by its
// number or its text). Spaces around a kText or a choice do not count; around a
// consent they do. kInvalidInput says in words for the person who typed it what
// was typed and what was expected; kInternal when the question itself cannot be
// answered (no choices, an invalid pattern).
base::Result<std::string> JudgeAnswer(const Question& question, std::string_view typed);

}  // namespace ceremony::room

#endif  // CEREMONY_ROOM_ANSWER_H_
