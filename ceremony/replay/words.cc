#include "ceremony/replay/words.h"

#include <fmt/format.h>

#include "ceremony/replay/artefact.h"
#include "ceremony/replay/groups.h"

namespace ceremony::replay {

using nlohmann::json;

bool IsCall(const json& entry) { return EntryText(entry, "type") == "intent" || EntryText(entry, "type") == "done"; }

std::string CallText(const json& entry) {
  const std::string mechanism = EntryText(entry, "mechanism");
  return fmt::format("{}{}{} on {}", EntryText(entry, "fn"), mechanism.empty() ? "" : " ", mechanism,
                     EntryText(entry, "token"));
}

std::string WhatOf(const json& entry) {
  std::string type = EntryText(entry, "type");
  if (IsCall(entry)) return fmt::format("{} on {}", EntryText(entry, "fn"), EntryText(entry, "token"));
  for (const char* field : {"what", "name", "rule", "person", "phase", "statement"}) {
    if (std::string text = EntryText(entry, field); !text.empty()) return type + " " + text;
  }
  return type;
}

std::string LineOf(const json& entry) {
  if (IsCall(entry)) return CallText(entry);
  for (const char* field : {"message", "text", "statement", "name", "person"}) {
    if (std::string text = EntryText(entry, field); !text.empty()) return text;
  }
  json shown = entry;
  for (const char* field : {"v", "seq", "type", "time", "mono", "salt", "mode"}) shown.erase(field);
  return TextOf(shown);
}

}  // namespace ceremony::replay
