// StepKind is one kind of step (`do` in a script), described in one place:
// `check`, the JSON Schema, the documentation, the runner and the booklet read
// this description. A new kind is a .cc file, a declaration in kinds.h, a line in
// catalogue.cc, and a row in verify/call_audit.cc.
#ifndef CEREMONY_STEPS_STEP_KIND_H_
#define CEREMONY_STEPS_STEP_KIND_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/fields.h"
#include "ceremony/script/script.h"
#include "ceremony/steps/mechanism_need.h"
#include "ceremony/steps/plan.h"
#include "ceremony/steps/step_context.h"
#include "hsm/base/result.h"

namespace ceremony::steps {

struct StepDescription {
  std::string_view kind;     // "key.generate"
  std::string_view summary;  // one sentence, present tense: what it does
  std::string_view leaves;   // which entries and files it leaves, in words
  std::string_view clauses;  // what it is evidence for: "BR 6.1.1.1; EN 319 411-1 6.5.1"
};

// Approved says what a quorum approves when it approves a step of a kind.
enum class Approved : std::uint8_t {
  kNothing,     // nothing consequential: a script that names a quorum for it is refused
  kParameters,  // what stands in the script; a section may ask once for several such steps
  kResult,      // bytes that are only known when it runs, such as a certificate's TBS
};

// PreflightContext is what can be read before the record is opened. There is no login,
// no question and no entry.
class PreflightContext {
 public:
  virtual ~PreflightContext() = default;
  virtual const script::Inputs& inputs() const = 0;
  virtual const estate::Estate& estate() const = 0;
  virtual room::Terminal& terminal() = 0;
  virtual base::Clock& clock() = 0;
  // FindToken finds a bound token; nullptr for one that this very script takes into service.
  virtual base::Result<std::shared_ptr<hsm::Token>> FindToken(const std::string& token) = 0;
  // FindBlankToken finds the uninitialised token that the binding describes.
  virtual base::Result<BlankToken> FindBlankToken(const std::string& token) = 0;
};

class StepKind {
 public:
  virtual ~StepKind() = default;

  virtual const StepDescription& description() const = 0;

  // fields is the table that parses, checks and documents the step's own
  // fields; the common ones (id, do, title, say, quorum, note) are the script's.
  virtual const script::FieldTable& fields() const = 0;

  // Title says in words what this step does with these parameters, for
  // people: "Generate key root-oca (EC P-256) on token root-hsm".
  virtual std::string Title(const script::Step& step) const = 0;

  // Check runs the step against the model: it reports every problem to the
  // plan, says what the step needs and writes, and applies the effects that it
  // plans to the plan's estate. It has no other effect and never asks anyone.
  virtual void Check(const script::Step& step, PlanContext& plan) const = 0;

  // Preflight asks the tokens what would stop the step, and shows what it chose. An
  // error ends the ceremony before it is opened.
  virtual base::Result<void> Preflight(const script::Step& step, PreflightContext& context) const {
    static_cast<void>(step), static_cast<void>(context);
    return {};
  }

  // Mechanisms lists what the step needs of its tokens; token.verify, `token probe` and
  // `check --capabilities` compare tokens with it.
  virtual std::vector<MechanismNeed> Mechanisms(const script::Step& step, const script::Inputs& inputs,
                                                const estate::Estate& estate) const {
    static_cast<void>(step), static_cast<void>(inputs), static_cast<void>(estate);
    return {};
  }

  virtual Approved approved() const { return Approved::kNothing; }

  // Run executes the step. If an earlier run was cut off within this step, the
  // context knows what that run did (StepContext::progress): a key that was made is
  // taken over and never made twice. The runner records an error as the step's
  // failure.
  virtual base::Result<void> Run(const script::Step& step, StepContext& context) const = 0;
};

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_STEP_KIND_H_
