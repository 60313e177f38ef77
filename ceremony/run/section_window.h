// SectionWindow watches how long a section keeps its tokens open. The policy's
// window says when people are warned, and when they must decide (R14).
#ifndef CEREMONY_RUN_SECTION_WINDOW_H_
#define CEREMONY_RUN_SECTION_WINDOW_H_

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "ceremony/room/terminal.h"
#include "ceremony/script/policy.h"
#include "hsm/base/clock.h"
#include "hsm/base/result.h"

namespace ceremony::run {

class SectionWindow final {
 public:
  // Record writes an entry of a type.
  using Record = std::function<base::Result<void>(std::string_view type, nlohmann::json fields)>;

  // The window begins now, by the machine's uptime. A ceremony that is resumed
  // begins it anew: its tokens were closed in between. All must outlive this.
  SectionWindow(script::WindowPolicy policy, std::string section, base::Clock& clock, room::Terminal& terminal,
                Record record);

  // Look is called after each step. Past warn_minutes it says so, once. Past
  // stop_minutes it records the deviation WINDOW-STOP-01 and has the security
  // officer decide, once; kAborted when they decide to pause.
  base::Result<void> Look();

 private:
  script::WindowPolicy policy_;
  std::string section_;
  base::Clock& clock_;
  room::Terminal& terminal_;
  Record record_;
  std::int64_t begun_micros_;
  bool warned_ = false;
  bool decided_ = false;
};

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_SECTION_WINDOW_H_
