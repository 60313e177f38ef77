#include "ceremony/steps/section_keys.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/steps/key_copies.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;

base::Error NotOnToken(const script::Section& section, const std::string& key, const std::string& token,
                       const std::string& why) {
  return base::Refusal(
      "SECTION-KEY-01",
      fmt::format("section {} does not close: key {} is not on token {}{}", section.id, key, token, why),
      "make the missing copy before people leave this section");
}

}  // namespace

void CheckSectionKeys(const script::Inputs& inputs, const script::Section& section, Plan& plan) {
  if (section.steps.empty()) return;
  const script::Step& last = section.steps.back();
  for (const std::string& name : section.keys_on_all) {
    const estate::Key* key = plan.estate.FindKey(name);
    for (const std::string& token : section.tokens) {
      if (key != nullptr && key->FindCopy(token) != nullptr) continue;
      plan.findings.push_back(
          {Severity::kBreach, "PLAN-PRESENCE-01", last.id, inputs.script.Where(last),
           fmt::format("by the end of section {} key {} is not on token {}", section.id, name, token),
           "copy the key in this section, or take key or token out of \"keys_on_all\""});
    }
  }
}

base::Result<void> HaveSectionTokens(const script::Section& section, StepContext& context) {
  json there = json::array();
  for (const std::string& name : section.tokens) {
    const estate::Token* known = context.estate().FindToken(name);
    if (known == nullptr || !known->usable()) continue;  // taken into service by a step, which looks for it
    auto token = context.LocateToken(name);
    // One that was found earlier may be gone by now.
    auto answers = token.ok() ? (*token)->Refresh() : base::Result<void>(token.error());
    if (!answers.ok()) {
      base::Error error = std::move(answers).error().Prefixed(
          fmt::format("section {} does not begin: token {} is not there", section.id, name));
      if (error.rule.empty()) error.rule = "SECTION-TOKEN-01";
      if (error.hint.empty()) error.hint = "bring the token; `keyceremony check` shows which section needs which";
      return error;
    }
    there.push_back({{"token", name}, {"serial", (*token)->info().serial}});
  }
  if (there.empty()) return {};
  KC_RETURN_IF_ERROR(
      context.Record("observe", {{"what", "section-tokens"}, {"section", section.id}, {"tokens", std::move(there)}}));
  return {};
}

base::Result<void> ProveSectionKeys(const script::Section& section, StepContext& context) {
  json proven = json::array();
  for (const std::string& name : section.keys_on_all) {
    for (const std::string& token : section.tokens) {
      const estate::Key* known = context.estate().FindKey(name);
      if (known == nullptr || known->FindCopy(token) == nullptr)
        return NotOnToken(section, name, token, "; no step of it left a copy there");
      const estate::Key key = *known;
      KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
      const auto pair = FindCopy(*session, key, token);
      if (!pair.ok()) {
        // A key that nobody finds is missing; two that answer, or another in its place, are worse.
        if (!pair.error().rule.empty() && pair.error().rule != "KEY-FIND-01") return pair.error();
        return NotOnToken(section, name, token, ": " + pair.error().message);
      }
      proven.push_back({{"key", name},
                        {"token", token},
                        {"serial", session->token().info().serial},
                        {"spki_sha256", key.spki_sha256}});
    }
  }
  if (proven.empty()) return {};
  KC_RETURN_IF_ERROR(
      context.Record("observe", {{"what", "section-keys"}, {"section", section.id}, {"keys", std::move(proven)}}));
  context.terminal().Say(room::Tone::kGood,
                         fmt::format("Every key that section {} asks for is on each of its tokens.", section.title));
  return {};
}

}  // namespace ceremony::steps
