// World is everything outside a ceremony, behind interfaces: people, time, disk,
// tokens, PINs and credentials. Rehearsal, production and tests differ in what
// stands here, and in nothing else.
#ifndef CEREMONY_RUN_WORLD_H_
#define CEREMONY_RUN_WORLD_H_

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ceremony/quorum/credential.h"
#include "ceremony/record/storage.h"
#include "ceremony/room/terminal.h"
#include "ceremony/run/pins.h"
#include "ceremony/run/program.h"
#include "ceremony/run/token_room.h"
#include "hsm/base/clock.h"
#include "hsm/base/secret_memory.h"

namespace ceremony::run {

struct MendedToken;  // kept_tokens.h

struct World {
  room::Terminal& terminal;
  base::Clock& clock;
  record::Storage& storage;  // its root is the archive
  PinKeeper& pins;
  quorum::Credentials& credentials;
  LoadModule load_module;
  // Asked between steps: true once SIGINT, SIGTERM or SIGHUP has come.
  std::function<bool()> stop_requested;
  // Asked before a ceremony begins or goes on. Only a rehearsal has it (kept_tokens.h): in production nobody repairs a
  // token.
  std::function<base::Result<std::vector<MendedToken>>()> mend_tokens = {};
  // Asked before a ceremony begins or goes on: whether this process keeps secrets as promised.
  std::function<base::Result<void>()> check_secret_memory = base::CheckSecretMemory;
  // Whether a rehearsal's people and tokens were made for it, so that their secrets are worth nothing.
  bool has_stand_ins = true;
  // What program this is (program.h).
  std::function<base::Result<nlohmann::json>()> describe_program = DescribeProgram;
};

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_WORLD_H_
