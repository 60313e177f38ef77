#include "ceremony/steps/commissioning.h"

#include "ceremony/estate/by_vendor.h"

namespace ceremony::steps {
namespace {

std::set<std::string> Commissioned(const script::Script& script, bool by_vendor) {
  std::set<std::string> names;
  for (const script::Section& section : script.sections) {
    for (const script::Step& step : section.steps) {
      if (step.kind != "token.commission") continue;
      if ((step.fields.Text("method") == estate::kByVendor) == by_vendor) names.insert(step.fields.Text("token"));
    }
  }
  return names;
}

}  // namespace

std::set<std::string> TokensToInitialise(const script::Script& script) { return Commissioned(script, false); }
std::set<std::string> TokensOfVendors(const script::Script& script) { return Commissioned(script, true); }

}  // namespace ceremony::steps
