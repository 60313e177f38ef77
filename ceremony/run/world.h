// World is everything outside a ceremony, behind interfaces: people, time, disk,
// tokens, PINs and credentials. Rehearsal, production and tests differ in what
// stands here, and in nothing else.
#ifndef CEREMONY_RUN_WORLD_H_
#define CEREMONY_RUN_WORLD_H_

#include <functional>

#include "ceremony/quorum/credential.h"
#include "ceremony/record/storage.h"
#include "ceremony/room/terminal.h"
#include "ceremony/run/pins.h"
#include "ceremony/run/token_room.h"
#include "hsm/base/clock.h"

namespace ceremony::run {

struct World {
  room::Terminal& terminal;
  base::Clock& clock;
  record::Storage& storage;  // its root is the archive
  PinKeeper& pins;
  quorum::Credentials& credentials;
  LoadModule load_module;
  // Asked between steps: true once SIGINT, SIGTERM or SIGHUP has come.
  std::function<bool()> stop_requested;
};

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_WORLD_H_
