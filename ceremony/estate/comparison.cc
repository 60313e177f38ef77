#include "ceremony/estate/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "ceremony/record/bounded_parse.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/json_member.h"
#include "ceremony/record/line_walk.h"
#include "ceremony/record/reader.h"

namespace ceremony::estate {
namespace {

using nlohmann::json;
using record::IntegerOf;
using record::TextOf;

bool IsOfInterest(std::string_view line) {
  for (const char* type : {"\"type\":\"open\"", "\"type\":\"step\"", "\"type\":\"done\"", "\"type\":\"refusal\""}) {
    if (line.find(type) != std::string_view::npos) return true;
  }
  return false;
}

class OutcomeReader final {
 public:
  explicit OutcomeReader(RecordOutcome& outcome) : outcome_(outcome) {}

  base::Result<void> Line(std::string_view line, const std::string& record) {
    if (!IsOfInterest(line)) return {};
    const json entry = record::ParseBounded(line);
    if (!entry.is_object()) {
      return base::MakeError(base::ErrorCode::kCorrupt, fmt::format("{}: a line is no entry", record))
          .WithRule("EST-FOLD-01");
    }
    const std::string type = TextOf(entry, "type");
    if (type == "open") {
      Open(entry);
    } else if (type == "step") {
      Step(entry);
    } else if (StepOutcome* step = Current()) {
      step->results.push_back(type == "refusal" ? "refused " + TextOf(entry, "rule") : Call(entry));
    }
    return {};
  }

 private:
  void Open(const json& entry) {
    outcome_.ceremony = TextOf(entry, "ceremony");
    if (const auto tokens = entry.find("tokens"); tokens != entry.end() && tokens->is_array()) {
      for (const json& token : *tokens) outcome_.tokens.emplace_back(TextOf(token, "name"), TextOf(token, "serial"));
    }
    const auto inputs = entry.find("inputs");
    if (inputs == entry.end() || !inputs->is_object()) return;
    for (const auto& [name, digest] : inputs->items()) {
      if (name.ends_with(".ceremony.json") && digest.is_string()) outcome_.script_sha256 = digest;
    }
  }

  // A token that is taken into service gets its serial number by that.
  void TakeSerials(const json& effects) {
    if (!effects.is_array()) return;
    for (const json& effect : effects) {
      if (TextOf(effect, "effect") != "token-commissioned") continue;
      for (auto& [name, serial] : outcome_.tokens) {
        if (name == TextOf(effect, "token")) serial = TextOf(effect, "serial");
      }
    }
  }

  void Step(const json& entry) {
    const std::string id = TextOf(entry, "id");
    auto step = std::ranges::find(outcome_.steps, id, &StepOutcome::id);
    if (step == outcome_.steps.end()) {
      outcome_.steps.push_back({id, TextOf(entry, "do"), "", 0, 0, 0, 0, {}});
      step = outcome_.steps.end() - 1;
    }
    step->phase = TextOf(entry, "phase");
    if (step->phase == "begin") {
      ++step->attempts;
      begun_ = IntegerOf(entry, "mono");
      step->microseconds = 0;
      current_ = id;
      return;
    }
    current_.clear();
    if (step->phase == "skipped") return;
    TakeSerials(record::MemberOf(entry, "effects"));
    step->microseconds = IntegerOf(entry, "mono") - begun_;
    if (const auto calls = entry.find("calls"); calls != entry.end() && calls->is_object()) {
      step->call_count = IntegerOf(*calls, "count");
      step->call_microseconds = IntegerOf(*calls, "microseconds");
    }
  }

  // The attributes of a key are a result, too; its names are not.
  static std::string Call(const json& entry) {
    std::string call = TextOf(entry, "fn");
    for (const char* field : {"mechanism", "rv"}) {
      if (const std::string value = TextOf(entry, field); !value.empty()) call += " " + value;
    }
    const auto attributes = entry.find("attributes");
    if (attributes == entry.end() || !attributes->is_object()) return call;
    for (const auto& [name, value] : attributes->items()) {
      const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
      if (text == "true" || text == "false") call += fmt::format(" {}={}", name, text);
    }
    return call;
  }

  StepOutcome* Current() {
    const auto step = std::ranges::find(outcome_.steps, current_, &StepOutcome::id);
    return current_.empty() || step == outcome_.steps.end() ? nullptr : &*step;
  }

  RecordOutcome& outcome_;
  std::string current_;
  std::int64_t begun_ = 0;
};

void AddDifferences(StepComparison& row) {
  const auto say = [&](std::string text) { row.differences.push_back(std::move(text)); };
  if (row.first == nullptr || row.second == nullptr) {
    say(fmt::format("only the {} record has it", row.first != nullptr ? "first" : "second"));
    return;
  }
  const StepOutcome& a = *row.first;
  const StepOutcome& b = *row.second;
  if (a.kind != b.kind) say(fmt::format("{} against {}", a.kind, b.kind));
  if (a.phase != b.phase) say(fmt::format("came to \"{}\" against \"{}\"", a.phase, b.phase));
  if (a.attempts != b.attempts) say(fmt::format("{} against {} attempts", a.attempts, b.attempts));
  for (std::size_t i = 0; i < std::max(a.results.size(), b.results.size()); ++i) {
    const std::string first = i < a.results.size() ? a.results[i] : "nothing";
    const std::string second = i < b.results.size() ? b.results[i] : "nothing";
    if (first != second) say(fmt::format("result {}: {} against {}", i + 1, first, second));
  }
}

}  // namespace

base::Result<RecordOutcome> ReadOutcome(const std::string& record) {
  KC_ASSIGN_OR_RETURN(const record::RecordFolder folder, record::RecordFolder::Open(record));
  RecordOutcome outcome;
  OutcomeReader reader(outcome);
  const auto take = [&](std::string_view line) -> base::Result<bool> {
    KC_RETURN_IF_ERROR(reader.Line(line, record));
    return true;
  };
  KC_RETURN_IF_ERROR(record::ForEachLine(folder, record::kLogFile, take));
  return outcome;
}

std::vector<StepComparison> Compare(const RecordOutcome& first, const RecordOutcome& second) {
  std::vector<StepComparison> rows;
  for (const StepOutcome& step : first.steps) {
    StepComparison row;
    row.id = step.id;
    row.first = &step;
    const auto found = std::ranges::find(second.steps, step.id, &StepOutcome::id);
    if (found != second.steps.end()) row.second = &*found;
    rows.push_back(std::move(row));
  }
  for (const StepOutcome& step : second.steps) {
    if (std::ranges::find(first.steps, step.id, &StepOutcome::id) != first.steps.end()) continue;
    StepComparison row;
    row.id = step.id;
    row.second = &step;
    rows.push_back(std::move(row));
  }
  for (StepComparison& row : rows) AddDifferences(row);
  return rows;
}

}  // namespace ceremony::estate
