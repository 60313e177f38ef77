#include "ceremony/replay/words.h"

#include <fmt/format.h>

#include "ceremony/record/json_member.h"
#include "ceremony/replay/artefact.h"
#include "ceremony/replay/groups.h"

namespace ceremony::replay {

using nlohmann::json;
using record::TextOf;

bool IsCall(const json& entry) { return TextOf(entry, "type") == "intent" || TextOf(entry, "type") == "done"; }

std::string CallText(const json& entry) {
  const std::string mechanism = TextOf(entry, "mechanism");
  return fmt::format("{}{}{} on {}", TextOf(entry, "fn"), mechanism.empty() ? "" : " ", mechanism,
                     TextOf(entry, "token"));
}

std::string WhatOf(const json& entry) {
  std::string type = TextOf(entry, "type");
  if (IsCall(entry)) return fmt::format("{} on {}", TextOf(entry, "fn"), TextOf(entry, "token"));
  for (const char* field : {"what", "name", "rule", "person", "phase", "statement"}) {
    if (std::string text = TextOf(entry, field); !text.empty()) return type + " " + text;
  }
  return type;
}

std::string LineOf(const json& entry) {
  if (IsCall(entry)) return CallText(entry);
  for (const char* field : {"message", "text", "statement", "name", "person"}) {
    if (std::string text = TextOf(entry, field); !text.empty()) return text;
  }
  json shown = entry;
  for (const char* field : {"v", "seq", "type", "time", "mono", "salt", "mode"}) shown.erase(field);
  return ValueText(shown);
}

}  // namespace ceremony::replay
