#include "ceremony/run/section_window.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "hsm/base/counted.h"

namespace ceremony::run {
namespace {

constexpr std::int64_t kMicrosPerMinute = 60'000'000;
constexpr const char* kGoOn = "go on";
constexpr const char* kPause = "pause here, and go on later";

}  // namespace

SectionWindow::SectionWindow(script::WindowPolicy policy, std::string section, base::Clock& clock,
                             room::Terminal& terminal, Record record)
    : policy_(policy),
      section_(std::move(section)),
      clock_(clock),
      terminal_(terminal),
      record_(std::move(record)),
      begun_micros_(clock.BootMicros()) {}

base::Result<void> SectionWindow::Look() {
  const std::int64_t minutes = (clock_.BootMicros() - begun_micros_) / kMicrosPerMinute;
  const std::string taken = fmt::format("section {} has taken {}, the policy's window is {}", section_,
                                        base::Counted(minutes, "minute", "minutes"), policy_.stop_minutes);
  if (minutes < policy_.warn_minutes) return {};
  if (minutes < policy_.stop_minutes) {
    if (!warned_) terminal_.Say(room::Tone::kWarning, fmt::format("Time: {}.", taken));
    warned_ = true;
    return {};
  }
  if (decided_) return {};
  KC_RETURN_IF_ERROR(record_("deviation", {{"what", taken},
                                           {"rule", "WINDOW-STOP-01"},
                                           {"section", section_},
                                           {"minutes", minutes},
                                           {"stop_minutes", policy_.stop_minutes}}));
  terminal_.Say(room::Tone::kBad, fmt::format("Time is over: {}.", taken));
  const room::Question question{
      .kind = room::Question::Kind::kDecision,
      .id = "window/" + section_,
      .person = "the security officer",
      .text = "The section has taken longer than the policy allows. The record says so. What do you decide?",
      .choices = {kGoOn, kPause},
      .simulated = kGoOn};
  KC_ASSIGN_OR_RETURN(const std::string decision, terminal_.Ask(question));
  KC_RETURN_IF_ERROR(record_("observe", {{"what", "window-decision"}, {"section", section_}, {"decision", decision}}));
  decided_ = true;
  if (decision == kGoOn) return {};
  base::Error error = base::MakeError(base::ErrorCode::kAborted, fmt::format("paused: {}", taken));
  error.hint = "`keyceremony resume RECORD` goes on, with a new window";
  return error;
}

}  // namespace ceremony::run
