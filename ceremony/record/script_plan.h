// ScriptPlan is what a verifier reads from the script of a record: its steps in
// order, what each does, and the quorum that must approve it. So a program cannot
// leave out a step or its quorum.
#ifndef CEREMONY_RECORD_SCRIPT_PLAN_H_
#define CEREMONY_RECORD_SCRIPT_PLAN_H_

#include <cstddef>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hsm/base/result.h"

namespace ceremony::record {

// The `format` of a script.
inline constexpr std::string_view kScriptFormat = "keyceremony-script/1";

// IsScript is true for a file of inputs/ that is strict JSON with kScriptFormat as its `format`.
bool IsScript(std::string_view bytes);

// SectionRequestName is the field `step` of a request that a section makes for
// several of its steps at once.
std::string SectionRequestName(std::string_view section);
inline constexpr std::string_view kOpeningRequest = "opening";

// ChangesRoster tells the kinds of steps whose quorum approves the roster of the next record.
bool ChangesRoster(std::string_view kind);

struct PlannedStep {
  std::string id;
  std::string kind;    // its `do`
  std::string quorum;  // empty: it needs no approval
  bool skippable = false;
  std::string section;         // id of the section it is in
  std::string section_quorum;  // the section's own quorum, which may approve it; empty: the step asks for itself
  // All other members of the step in the script, as an object, but for the words for people.
  std::shared_ptr<const nlohmann::json> given;

  // FindOther returns the first member of `given` that is missing from `parameters` (the JSON text of an object) or
  // differs there; nothing when there is none. Extra members are allowed at every depth: defaults of the script.
  std::optional<std::string> FindOther(std::string_view parameters) const;
};

class ScriptPlan final {
 public:
  // Parse returns nothing for bytes that are not a script (IsScript). kInvalidInput
  // with the JSON pointer for a script that cannot be followed: a member of a wrong
  // type, no step, or the same id twice.
  static base::Result<std::optional<ScriptPlan>> Parse(std::string_view bytes);

  const std::string& id() const { return id_; }  // the ceremony's
  const std::string& estate() const { return estate_; }
  const std::string& sha256() const { return sha256_; }             // of the bytes, 64 hex digits
  const std::vector<PlannedStep>& steps() const { return steps_; }  // of all sections, in order

  // IndexOf returns the place of a step; nothing when the script has no such step.
  std::optional<std::size_t> IndexOf(std::string_view step) const;

 private:
  ScriptPlan() = default;
  std::string id_, estate_, sha256_;
  std::vector<PlannedStep> steps_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

// The scripts of a record by their file name in inputs/: the plan, or why it
// cannot be followed.
using ScriptFiles = std::map<std::string, base::Result<ScriptPlan>>;

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_SCRIPT_PLAN_H_
