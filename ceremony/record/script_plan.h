// ScriptPlan is what a verifier reads from the script among the inputs of a
// record: which steps there are, in which order, what each does and whose
// approval it needs. So a program cannot leave a step or its quorum out.
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

// SectionRequestName is the `step` of a request that a section makes once for
// several of its steps.
std::string SectionRequestName(std::string_view section);
inline constexpr std::string_view kOpeningRequest = "opening";

struct PlannedStep {
  std::string id;
  std::string kind;    // its `do`
  std::string quorum;  // empty: it needs no approval
  bool skippable = false;
  std::string section;         // id of the section it is in
  std::string section_quorum;  // of the section that may ask for it; empty: it asks for itself
  // What the script gives it besides: an object of all its members but the above and the words for people.
  std::shared_ptr<const nlohmann::json> given;

  // FindOther returns the name of a member of `given` that `parameters`, the JSON text of an object, has otherwise
  // or not at all; nothing when it has them all. It may have more, also inside: defaults that the script leaves out.
  std::optional<std::string> FindOther(std::string_view parameters) const;
};

class ScriptPlan final {
 public:
  // Parse returns nothing for bytes that are no script (another file of the
  // inputs), kInvalidInput with the JSON pointer for a script that cannot be
  // followed: a member of another kind, no step, or an id twice.
  static base::Result<std::optional<ScriptPlan>> Parse(std::string_view bytes);

  const std::string& id() const { return id_; }  // the ceremony's
  const std::string& estate() const { return estate_; }
  const std::string& sha256() const { return sha256_; }             // of the bytes, 64 hex digits
  const std::vector<PlannedStep>& steps() const { return steps_; }  // of all sections, in order

  // IndexOf returns the place of a step, nothing for one that the script does not have.
  std::optional<std::size_t> IndexOf(std::string_view step) const;

 private:
  ScriptPlan() = default;
  std::string id_, estate_, sha256_;
  std::vector<PlannedStep> steps_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

// The scripts of a record: by the name of the file of inputs/, what it says or
// why it cannot be followed.
using ScriptFiles = std::map<std::string, base::Result<ScriptPlan>>;

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_SCRIPT_PLAN_H_
