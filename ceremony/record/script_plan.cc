#include "ceremony/record/script_plan.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "ceremony/record/strict_parse.h"
#include "hsm/base/digest.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;
using nlohmann::json;

// Text returns a string member, or says where it is missing.
Result<std::string> Text(const json& object, const std::string& at, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found != object.end() && found->is_string()) return found->get<std::string>();
  return MakeError(ErrorCode::kInvalidInput, at + "/" + key + " is not a string");
}

Result<std::string> OptionalText(const json& object, const std::string& at, const char* key) {
  if (object.is_object() && !object.contains(key)) return std::string();
  return Text(object, at, key);
}

Result<const json*> List(const json& object, const std::string& at, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found != object.end() && found->is_array() && !found->empty()) return &*found;
  return MakeError(ErrorCode::kInvalidInput, at + "/" + key + " is not a list of one or more");
}

// What is no parameter of a step: who it is, whose approval it needs, and words for people.
constexpr std::array<std::string_view, 7> kOfEveryStep = {"id", "do", "title", "say", "note", "quorum", "skippable"};

std::shared_ptr<const json> GivenTo(const json& step) {
  json given = json::object();
  for (const auto& [name, value] : step.items()) {
    if (std::ranges::find(kOfEveryStep, name) == kOfEveryStep.end()) given[name] = value;
  }
  return std::make_shared<const json>(std::move(given));
}

// Holds compares what was given with what it became, in which members may have been added. It ends with the first
// difference, so that a long script costs a short entry nothing.
bool Holds(const json& given, const json& resolved) {
  if (given.is_object() && resolved.is_object()) {
    for (const auto& [name, value] : given.items()) {
      const auto found = resolved.find(name);
      if (found == resolved.end() || !Holds(value, *found)) return false;
    }
    return true;
  }
  if (given.is_array() && resolved.is_array()) return std::ranges::equal(given, resolved, Holds);
  return given.type() == resolved.type() && given == resolved;
}

// FindScript returns nothing for bytes that are no script.
std::optional<json> FindScript(std::string_view bytes) {
  if (bytes.find(kScriptFormat) == std::string_view::npos) return std::nullopt;
  Result<json> parsed = ParseStrict(bytes);
  if (!parsed.ok() || !parsed->is_object() || parsed->value("format", json()) != kScriptFormat) return std::nullopt;
  return std::move(parsed).value();
}

}  // namespace

bool IsScript(std::string_view bytes) { return FindScript(bytes).has_value(); }

std::optional<std::string> PlannedStep::FindOther(std::string_view parameters) const {
  const Result<json> parsed = ParseStrict(parameters);
  const json resolved = parsed.ok() && parsed->is_object() ? *parsed : json::object();
  for (const auto& [name, value] : given->items()) {
    const auto found = resolved.find(name);
    if (found == resolved.end() || !Holds(value, *found)) return name;
  }
  return std::nullopt;
}

bool ChangesRoster(std::string_view kind) { return kind == "custodian.appoint" || kind == "custodian.retire"; }

std::string SectionRequestName(std::string_view section) { return "section:" + std::string(section); }

Result<std::optional<ScriptPlan>> ScriptPlan::Parse(std::string_view bytes) {
  const std::optional<json> script = FindScript(bytes);
  if (!script) return std::optional<ScriptPlan>();
  ScriptPlan plan;
  plan.sha256_ = base::Sha256Hex(bytes);
  KC_ASSIGN_OR_RETURN(plan.id_, Text(*script, "", "id"));
  KC_ASSIGN_OR_RETURN(plan.estate_, Text(*script, "", "estate"));
  KC_ASSIGN_OR_RETURN(const json* const sections, List(*script, "", "sections"));
  std::set<std::string> section_ids;
  for (std::size_t i = 0; i < sections->size(); ++i) {
    const json& section = (*sections)[i];
    const std::string at = "/sections/" + std::to_string(i);
    KC_ASSIGN_OR_RETURN(const std::string section_id, Text(section, at, "id"));
    if (!section_ids.insert(section_id).second) {
      return MakeError(ErrorCode::kInvalidInput, at + "/id \"" + section_id + "\" is there twice");
    }
    KC_ASSIGN_OR_RETURN(const std::string section_quorum, OptionalText(section, at, "quorum"));
    KC_ASSIGN_OR_RETURN(const json* const steps, List(section, at, "steps"));
    for (std::size_t k = 0; k < steps->size(); ++k) {
      const json& step = (*steps)[k];
      const std::string there = at + "/steps/" + std::to_string(k);
      PlannedStep planned;
      KC_ASSIGN_OR_RETURN(planned.id, Text(step, there, "id"));
      KC_ASSIGN_OR_RETURN(planned.kind, Text(step, there, "do"));
      KC_ASSIGN_OR_RETURN(planned.quorum, OptionalText(step, there, "quorum"));
      if (const auto skippable = step.find("skippable"); skippable != step.end()) {
        if (!skippable->is_boolean()) {
          return MakeError(ErrorCode::kInvalidInput, there + "/skippable is not true or false");
        }
        planned.skippable = skippable->get<bool>();
      }
      planned.given = GivenTo(step);
      planned.section = section_id;
      planned.section_quorum = section_quorum;
      if (!plan.index_.emplace(planned.id, plan.steps_.size()).second) {
        return MakeError(ErrorCode::kInvalidInput, there + "/id \"" + planned.id + "\" is there twice");
      }
      plan.steps_.push_back(std::move(planned));
    }
  }
  return std::optional<ScriptPlan>(std::move(plan));
}

std::optional<std::size_t> ScriptPlan::IndexOf(std::string_view step) const {
  const auto found = index_.find(step);
  if (found == index_.end()) return std::nullopt;
  return found->second;
}

}  // namespace ceremony::record
