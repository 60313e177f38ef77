// The catalogue lists every kind of step; it is the one place that knows them all.
#ifndef CEREMONY_STEPS_CATALOGUE_H_
#define CEREMONY_STEPS_CATALOGUE_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/script.h"
#include "ceremony/steps/step_kind.h"

namespace ceremony::steps {

class StepCatalogue final : public script::StepFieldSource {
 public:
  // Find returns nullptr for an unknown kind.
  const StepKind* Find(std::string_view kind) const;
  std::span<const StepKind* const> All() const;

  const script::FieldTable* FieldsOf(std::string_view kind) const override;
  std::vector<std::string> Kinds() const override;
};

const StepCatalogue& Catalogue();

// TitleOf returns the title that the script gives a step, else that of its kind;
// its id where nothing knows its kind.
std::string TitleOf(const script::Step& step);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_CATALOGUE_H_
