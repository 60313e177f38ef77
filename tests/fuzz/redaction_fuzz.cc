// Any bytes as redaction rules: read or refused, never a rule for what is never
// withheld or without a reason.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "ceremony/script/redaction.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ceremony;
  script::LoadedFile file;
  file.name = "rules.json";
  file.bytes.assign(reinterpret_cast<const char*>(data), size);
  const base::Result<script::RedactionFile> rules = script::ParseRedaction(std::move(file));
  if (!rules.ok()) return 0;
  const auto words = record::WithholdableWords();
  for (const auto& rule : rules->rules.entries) {
    if (std::find(words.begin(), words.end(), rule.type) == words.end()) std::abort();
    if (!rules->rules.reasons.contains(rule.reason) || !record::LabelRank(rule.label)) std::abort();
  }
  for (const auto& rule : rules->rules.files) {
    if (!rules->rules.reasons.contains(rule.reason)) std::abort();
    if (rule.path.starts_with("policy") || rule.path.starts_with("log")) std::abort();
  }
  return 0;
}
