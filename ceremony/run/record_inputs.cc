#include "ceremony/run/record_inputs.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/estate/fold.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/record_name.h"
#include "ceremony/run/log_key.h"
#include "ceremony/steps/catalogue.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

// What the entry `open` says of an input; empty when it says nothing. The record may be anybody's.
std::string DigestOf(const json& open, const std::string& input) {
  const json inputs = open.value("inputs", json());
  const auto found = inputs.find(input);
  return found != inputs.end() && found->is_string() ? found->get<std::string>() : std::string();
}

base::Result<void> CompareWithOpen(const script::Inputs& inputs, const json& open) {
  KC_ASSIGN_OR_RETURN(const auto files, inputs.Files());
  for (const auto& [name, file] : files) {
    const std::string expected = DigestOf(open, name);
    if (expected == file->sha256) continue;
    return base::MakeError(base::ErrorCode::kCorrupt,
                           fmt::format("inputs/{} has the SHA-256 {}, the record was opened with {}", name,
                                       file->sha256, expected.empty() ? "no such file" : expected))
        .WithRule("RUN-INPUT-01")
        .WithHint("a ceremony goes on only with the bytes it was opened with: put them back");
  }
  return {};
}

}  // namespace

base::Result<script::Inputs> ReadRecordInputs(const std::string& archive, const std::string& folder) {
  const std::string inputs_folder = fmt::format("{}/{}/{}/", archive, folder, record::kInputsFolder);
  auto plan_file = script::LoadFile(inputs_folder + std::string(kLogKeyInput));
  if (!plan_file.ok()) {
    return base::MakeError(
               base::ErrorCode::kAborted,
               fmt::format("{} was cut off before all its inputs were stored; no token was touched", folder))
        .WithHint("start the ceremony again with the command that began it; the folder will be set aside");
  }
  const json plan_json = json::parse(plan_file.value().bytes, nullptr, false);
  KC_ASSIGN_OR_RETURN(const LogKeyPlan plan, LogKeyPlan::FromJson(plan_json));
  KC_ASSIGN_OR_RETURN(script::Inputs inputs,
                      script::ReadInputs(inputs_folder + plan.script, inputs_folder + std::string(record::kRosterFile),
                                         inputs_folder + std::string(script::kBindingInput), steps::Catalogue(),
                                         script::Layout::kFlat));
  KC_ASSIGN_OR_RETURN(const json open, estate::OpenEntry(archive, folder));
  if (open.is_object()) KC_RETURN_IF_ERROR(CompareWithOpen(inputs, open));
  return inputs;
}

}  // namespace ceremony::run
