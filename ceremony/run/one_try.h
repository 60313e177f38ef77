// One try to hold a ceremony, up to its end or its first failure. What people decide after that is start.cc's.
#ifndef CEREMONY_RUN_ONE_TRY_H_
#define CEREMONY_RUN_ONE_TRY_H_

#include <optional>
#include <string>

#include "ceremony/estate/fold.h"
#include "ceremony/run/ceremony.h"
#include "ceremony/run/leave_behind.h"
#include "ceremony/run/start.h"
#include "ceremony/run/world.h"
#include "ceremony/script/inputs.h"
#include "hsm/base/result.h"

namespace ceremony::run {

// BeginOnce as Begin.
base::Result<Ended> BeginOnce(World& world, const std::string& archive, script::Inputs inputs, std::string& folder,
                              const std::string& leave_behind);

// Again is a decision of the people present to go on after a failure.
struct Again {
  std::string after;  // what had failed; empty: a ceremony that is resumed by its command
  std::string decided_by;
  bool room_changes = false;  // people come or go before it goes on
  Onward onward = Onward::kToTheEnd;
};

// ResumeOnce as Resume.
base::Result<Ended> ResumeOnce(World& world, const std::string& archive, script::Inputs inputs,
                               const std::string& folder, const Again& again);

// RunFresh opens a record in a folder that is free, and runs its script.
base::Result<Ended> RunFresh(World& world, script::Inputs inputs, estate::Folded folded, const std::string& folder,
                             OpeningFacts facts, std::optional<LeftBehind> left = std::nullopt);

// Close closes the record, and says how it ended.
base::Result<Ended> Close(Ceremony& ceremony, const std::optional<CalledOff>& called_off = std::nullopt);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_ONE_TRY_H_
