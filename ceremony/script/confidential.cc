#include "ceremony/script/confidential.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ceremony::script {

bool KeepsConfidential(const Policy& policy, std::string_view field) {
  using nlohmann::json;
  const json values = json::parse(policy.file.bytes, nullptr, false);
  if (!values.is_object()) return false;
  const auto found = values.find("confidential");
  return found != values.end() && std::ranges::any_of(*found, [&](const json& name) { return name == field; });
}

}  // namespace ceremony::script
