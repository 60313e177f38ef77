// A choice in which people may say no. They give a reason for a no, which goes
// into the record, and may take the no back before it counts.
#ifndef CEREMONY_ROOM_REASONED_CHOICE_H_
#define CEREMONY_ROOM_REASONED_CHOICE_H_

#include <string>

#include "ceremony/room/terminal.h"
#include "hsm/base/result.h"

namespace ceremony::room {

struct ReasonedChoice {
  std::string choice{};  // one of the question's
  std::string reason{};  // in the person's words, read back to them; empty for a yes

  bool IsYes() const { return reason.empty(); }
};

// AskReasonedChoice asks `question`, a kChoice whose first choice is the yes. Whoever chooses another is
// asked why (`<id>/reason`), and may go back to the choices instead. Errors as Terminal::Ask.
base::Result<ReasonedChoice> AskReasonedChoice(Terminal& terminal, const Question& question);

}  // namespace ceremony::room

#endif  // CEREMONY_ROOM_REASONED_CHOICE_H_
