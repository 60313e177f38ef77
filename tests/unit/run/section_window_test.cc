#include "ceremony/run/section_window.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/support/scripted_terminal.h"

namespace {

using ceremony::run::SectionWindow;
using nlohmann::json;
using Answers = std::vector<support::ScriptedTerminal::Answer>;

class HandClock final : public base::Clock {
 public:
  std::int64_t UtcMicros() override { return 0; }
  std::int64_t BootMicros() override { return micros; }
  std::int64_t micros = 5'000'000;
  void Pass(std::int64_t minutes) { micros += minutes * 60'000'000; }
};

struct Watched {
  explicit Watched(Answers answers) : terminal(std::move(answers)) {}
  HandClock clock;
  support::ScriptedTerminal terminal;
  std::vector<json> entries;
  SectionWindow window{{60, 90}, "root", clock, terminal, [this](std::string_view type, json fields) {
                         fields["type"] = type;
                         entries.push_back(std::move(fields));
                         return base::Result<void>();
                       }};
};

}  // namespace

TEST_CASE("a section within its window is left alone, one that is late is warned of once") {
  Watched watched(Answers{});
  watched.clock.Pass(59);
  REQUIRE(watched.window.Look().ok());
  CHECK(watched.terminal.transcript().empty());
  watched.clock.Pass(1);
  REQUIRE(watched.window.Look().ok());
  const std::string warned = watched.terminal.transcript();
  CHECK(warned.find("section root has taken 60 minutes, the policy's window is 90") != std::string::npos);
  watched.clock.Pass(29);
  REQUIRE(watched.window.Look().ok());
  CHECK(watched.terminal.transcript() == warned);
  CHECK(watched.entries.empty());
}

TEST_CASE("past the window the deviation is in the record before anybody decides, and they decide once") {
  Watched watched(Answers{{"window/root", "go on"}});
  watched.clock.Pass(95);
  REQUIRE(watched.window.Look().ok());
  REQUIRE(watched.entries.size() == 2);
  CHECK(watched.entries[0] == json{{"type", "deviation"},
                                   {"rule", "WINDOW-STOP-01"},
                                   {"section", "root"},
                                   {"minutes", 95},
                                   {"stop_minutes", 90},
                                   {"what", "section root has taken 95 minutes, the policy's window is 90"}});
  CHECK(watched.entries[1] ==
        json{{"type", "observe"}, {"what", "window-decision"}, {"section", "root"}, {"decision", "go on"}});
  watched.clock.Pass(10);
  REQUIRE(watched.window.Look().ok());
  CHECK(watched.entries.size() == 2);
}

TEST_CASE("people may pause a section that has taken too long") {
  Watched watched(Answers{{"window/root", "pause here, and go on later"}});
  watched.clock.Pass(90);
  const auto looked = watched.window.Look();
  REQUIRE_FALSE(looked.ok());
  CHECK(looked.error().code == base::ErrorCode::kAborted);
  CHECK(watched.entries.back().at("decision") == "pause here, and go on later");
}

TEST_CASE("when nobody answers any more the deviation is in the record all the same") {
  Watched watched(Answers{});
  watched.clock.Pass(90);
  CHECK_FALSE(watched.window.Look().ok());
  REQUIRE(watched.entries.size() == 1);
  CHECK(watched.entries[0].at("rule") == "WINDOW-STOP-01");
}
