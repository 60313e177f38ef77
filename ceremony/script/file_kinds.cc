#include <array>
#include <utility>

#include "ceremony/script/binding.h"
#include "ceremony/script/capability_file.h"
#include "ceremony/script/crl_profile.h"
#include "ceremony/script/expected.h"
#include "ceremony/script/fault_file.h"
#include "ceremony/script/person_file.h"
#include "ceremony/script/policy.h"
#include "ceremony/script/profile.h"
#include "ceremony/script/redaction.h"
#include "ceremony/script/roster.h"
#include "ceremony/script/schema.h"
#include "ceremony/script/share_file.h"

namespace ceremony::script {
namespace {

struct FileKind {
  std::string_view name;
  FieldTable (*table)(const StepFieldSource& kinds);
};

constexpr std::array kFileKinds{
    FileKind{"script", ScriptTable},
    FileKind{"binding", [](const StepFieldSource&) { return BindingTable(); }},
    FileKind{"policy", [](const StepFieldSource&) { return PolicyTable(); }},
    FileKind{"profile", [](const StepFieldSource&) { return ProfileTable(); }},
    FileKind{"crl-profile", [](const StepFieldSource&) { return CrlProfileTable(); }},
    FileKind{"roster", [](const StepFieldSource&) { return RosterTable(); }},
    FileKind{"person", [](const StepFieldSource&) { return PersonFileTable(); }},
    FileKind{"share", [](const StepFieldSource&) { return ShareTable(); }},
    FileKind{"redaction", [](const StepFieldSource&) { return RedactionTable(); }},
    FileKind{"faults", [](const StepFieldSource&) { return FaultTable(); }},
    FileKind{"capabilities", [](const StepFieldSource&) { return CapabilityTable(); }},
};

}  // namespace

std::vector<std::string> FileKinds() {
  std::vector<std::string> names;
  names.reserve(kFileKinds.size());
  for (const FileKind& kind : kFileKinds) names.emplace_back(kind.name);
  return names;
}

base::Result<FieldTable> TableOf(std::string_view kind, const StepFieldSource& kinds) {
  for (const FileKind& each : kFileKinds) {
    if (each.name == kind) return each.table(kinds);
  }
  const std::string nearest = NearestName(kind, FileKinds());
  return base::MakeError(base::ErrorCode::kInvalidInput, "expected a kind of file, " + QuotedList(FileKinds()) +
                                                             ", found \"" + std::string(kind) + "\"")
      .WithHint(nearest.empty() ? "" : "did you mean `" + nearest + "`?");
}

}  // namespace ceremony::script
