// The entries of a record after its last signed checkpoint. A crash leaves some; so may anybody who can write the file
// while the ceremony is paused. Nothing tells one from the other but the people who were in the room.
#ifndef CEREMONY_RUN_UNSIGNED_TAIL_H_
#define CEREMONY_RUN_UNSIGNED_TAIL_H_

#include <nlohmann/json.hpp>
#include <vector>

#include "ceremony/run/ceremony.h"
#include "hsm/base/result.h"

namespace ceremony::run {

class UnsignedTail final {
 public:
  // See takes every entry of the log in order, each of which Recover has checked: checkpoints verify.
  void See(const nlohmann::json& entry);

  // AskAbout shows the entries, if there are any, and asks whether this is what happened. Then the record says who
  // decided, and the log key signs it. RUN-TAIL-01: it is not, and nothing was signed.
  base::Result<void> AskAbout(Ceremony& ceremony) const;

 private:
  std::vector<nlohmann::json> entries_;
};

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_UNSIGNED_TAIL_H_
