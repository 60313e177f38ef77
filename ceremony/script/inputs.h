// Inputs is everything a ceremony is made of, read and checked together: the
// script, the policy, profiles and documents that it names, and, where they are given, the
// roster and the binding. A ceremony runs on these bytes and no others; they go
// into its record, and resume reads them back from there.
#ifndef CEREMONY_SCRIPT_INPUTS_H_
#define CEREMONY_SCRIPT_INPUTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/binding.h"
#include "ceremony/script/policy.h"
#include "ceremony/script/profile.h"
#include "ceremony/script/roster.h"
#include "ceremony/script/script.h"
#include "hsm/base/result.h"

namespace ceremony::script {

// The name in a record of an input that the script does not name, like the roster (record::kRosterFile).
inline constexpr std::string_view kBindingInput = "binding.json";

struct Inputs {
  Script script;
  Policy policy;
  std::map<std::string, ProfileFile> profiles;  // by the name that steps use
  std::map<std::string, LoadedFile> documents;  // that steps take in, by the path the script writes
  std::optional<Roster> roster;
  std::optional<Binding> binding;

  // Files lists every input file under the name it has in a record's `inputs/`:
  // the last part of its path, since names of entries hold no `/`.
  // kInvalidInput (INPUT-12) when two different files would have one name.
  base::Result<std::map<std::string, const LoadedFile*>> Files() const;

  // FindProfile returns nullptr for a name that the script does not define.
  const ProfileFile* FindProfile(std::string_view name) const;
};

// Layout says where the files of a script are: at the paths that it names, or in
// the script's own folder, as in a record.
enum class Layout : std::uint8_t { kAsWritten, kFlat };

// ReadInputs reads the script and what it names. An empty roster or binding
// path leaves that part out. Refuses a roster or a binding of another estate
// (INPUT-14), a roster without a quorum that the script asks for (INPUT-09) and
// a binding that does not fit the script (BIND-01..03).
base::Result<Inputs> ReadInputs(const std::string& script_path, const std::string& roster_path,
                                const std::string& binding_path, const StepFieldSource& kinds,
                                Layout layout = Layout::kAsWritten);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_INPUTS_H_
