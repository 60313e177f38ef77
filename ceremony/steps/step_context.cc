#include "ceremony/steps/step_context.h"

#include <algorithm>

namespace ceremony::steps {

const Progress::Call* Progress::FindCall(std::string_view function, std::string_view token) const {
  const auto found = std::find_if(calls.rbegin(), calls.rend(),
                                  [&](const Call& call) { return call.function == function && call.token == token; });
  return found == calls.rend() ? nullptr : &*found;
}

const Progress::PinChange* Progress::FindPinChange(std::string_view set, std::string_view pin) const {
  const auto found = std::find_if(pin_changes.begin(), pin_changes.end(),
                                  [&](const PinChange& change) { return change.set == set && change.pin == pin; });
  return found == pin_changes.end() ? nullptr : &*found;
}

const Progress::Artefact* Progress::FindArtefact(std::string_view name) const {
  const auto found = std::find_if(artefacts.rbegin(), artefacts.rend(),
                                  [&](const Artefact& artefact) { return artefact.name == name; });
  return found == artefacts.rend() ? nullptr : &*found;
}

}  // namespace ceremony::steps
