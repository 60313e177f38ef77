#include "ceremony/script/inputs.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "ceremony/record/record_name.h"
#include "ceremony/script/crl_profile.h"

namespace ceremony::script {
namespace {

std::string FileName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// A rehearsal's tokens are worth nothing, and say so themselves: the binding that was made with them stands beside
// what their module is configured by.
base::Result<void> RefuseRehearsalTokens(const Binding& binding) {
  if (binding.environment == Environment::kRehearsal) return {};
  for (const TokenBinding& token : binding.tokens) {
    for (const auto& [variable, value] : token.environment) {
      const std::filesystem::path beside = std::filesystem::path(value).parent_path() / kBindingInput;
      std::error_code error;
      if (!std::filesystem::is_regular_file(beside, error)) continue;
      const auto made_with = ReadBinding(beside.string());
      if (!made_with.ok() || made_with->environment != Environment::kRehearsal) continue;
      return base::Refusal("BINDING-REHEARSAL-01",
                           fmt::format("{}: token {} of the environment {} is one that a rehearsal made: {}={}",
                                       binding.file.name, token.name, NameOf(binding.environment), variable, value),
                           "bind the real token; a rehearsal's is opened by anybody who has its folder");
    }
  }
  return {};
}

}  // namespace

base::Result<std::map<std::string, const LoadedFile*>> Inputs::Files() const {
  std::map<std::string, const LoadedFile*> files;
  std::string taken;
  const auto add = [&](const std::string& name, const LoadedFile& file) {
    const auto [place, fresh] = files.emplace(name, &file);
    // Two names of one profile file are one input, not two.
    if (!fresh && place->second->sha256 != file.sha256) taken = name;
  };
  add(script.file.name, script.file);
  add(FileName(script.policy_path), policy.file);
  for (const auto& [name, path] : script.profile_paths) add(FileName(path), profiles.at(name).file);
  for (const auto& [path, file] : documents) add(FileName(path), file);
  if (roster) add(std::string(record::kRosterFile), roster->file);
  if (binding) add(std::string(kBindingInput), binding->file);
  if (!taken.empty()) {
    base::Error error = base::MakeError(base::ErrorCode::kInvalidInput,
                                        fmt::format("two input files would both be {} in the record", taken));
    error.rule = kRuleSameName;
    error.hint = "rename one of them";
    return error;
  }
  return files;
}

const ProfileFile* Inputs::FindProfile(std::string_view name) const {
  const auto found = profiles.find(std::string(name));
  return found == profiles.end() ? nullptr : &found->second;
}

base::Result<Inputs> ReadInputs(const std::string& script_path, const std::string& roster_path,
                                const std::string& binding_path, const StepFieldSource& kinds, Layout layout) {
  const auto place = [layout](const std::string& reference) {
    return layout == Layout::kFlat ? FileName(reference) : reference;
  };
  Inputs inputs;
  KC_ASSIGN_OR_RETURN(inputs.script, ReadScript(script_path, kinds));
  KC_ASSIGN_OR_RETURN(LoadedFile policy, LoadReferenced(inputs.script.file, place(inputs.script.policy_path)));
  KC_ASSIGN_OR_RETURN(inputs.policy, ParsePolicy(std::move(policy)));
  for (const auto& [name, path] : inputs.script.profile_paths) {
    KC_ASSIGN_OR_RETURN(LoadedFile file, LoadReferenced(inputs.script.file, place(path)));
    KC_ASSIGN_OR_RETURN(ProfileFile profile, ParseProfile(std::move(file)));
    inputs.profiles.emplace(name, std::move(profile));
  }
  for (const Section& section : inputs.script.sections) {
    for (const Step& step : section.steps) {
      for (const std::string& path : step.NamesOf(Reference::kFile)) {
        KC_ASSIGN_OR_RETURN(LoadedFile file, LoadReferenced(inputs.script.file, place(path)));
        if (step.kind == "crl.issue" && path == step.fields.Text("profile")) KC_RETURN_IF_ERROR(ParseCrlProfile(file));
        inputs.documents.emplace(path, std::move(file));
      }
    }
  }
  if (!roster_path.empty()) {
    KC_ASSIGN_OR_RETURN(inputs.roster, ReadRoster(roster_path));
    KC_RETURN_IF_ERROR(CheckRoster(inputs.script, *inputs.roster));
  }
  if (!binding_path.empty()) {
    KC_ASSIGN_OR_RETURN(inputs.binding, ReadBinding(binding_path));
    KC_RETURN_IF_ERROR(CheckBinding(inputs.script, *inputs.binding));
    KC_RETURN_IF_ERROR(RefuseRehearsalTokens(*inputs.binding));
  }
  return inputs;
}

}  // namespace ceremony::script
