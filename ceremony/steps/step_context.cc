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

bool Progress::HasBegun(std::string_view function, std::string_view token) const {
  const auto is_it = [&](const Call& call) { return call.function == function && call.token == token; };
  return std::any_of(calls.begin(), calls.end(), is_it) || std::any_of(unsure.begin(), unsure.end(), is_it);
}

bool Progress::HasObserved(std::string_view what, std::string_view token, std::string_view key) const {
  return std::any_of(observations.begin(), observations.end(),
                     [&](const Observation& o) { return o.what == what && o.token == token && o.key == key; });
}

}  // namespace ceremony::steps
