// FirstLogin logs in to the record token while there is no record: nothing of what people decide after a failure can be
// written down yet, and a mistyped PIN need not send everybody back to the beginning.
#ifndef CEREMONY_RUN_FIRST_LOGIN_H_
#define CEREMONY_RUN_FIRST_LOGIN_H_

#include <string>

#include "ceremony/room/terminal.h"
#include "ceremony/run/token_room.h"
#include "hsm/base/result.h"
#include "hsm/session.h"

namespace ceremony::run {

// FirstLogin returns what TokenRoom::Session does. A PIN that the token does not take is asked for again when people
// decide so, once for each decision; a last try is never made (TOKEN-LOGIN-02).
base::Result<hsm::Session*> FirstLogin(TokenRoom& tokens, room::Terminal& terminal, const std::string& token);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_FIRST_LOGIN_H_
