// What a run has left that was cut off before its record was opened: inputs, and
// perhaps the objects of a log key.
#ifndef CEREMONY_RUN_UNOPENED_H_
#define CEREMONY_RUN_UNOPENED_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "ceremony/estate/estate.h"
#include "ceremony/run/world.h"
#include "ceremony/script/binding.h"
#include "hsm/base/result.h"

namespace ceremony::run {

// HasEntries tells whether a record was opened: its log has a first line that is whole.
base::Result<bool> HasEntries(World& world, const std::string& folder);

// SetAsideUnopened removes the log key's objects from the record token, with
// consent, and keeps the folder under another name (`unopened-...`). It returns
// what it found and did, for the next `open` entry. TOKEN-SERIAL-02: the binding
// now gives another record token.
base::Result<nlohmann::json> SetAsideUnopened(World& world, const estate::Estate& estate,
                                              const script::Binding& binding, const std::string& folder);

// PutAside gives the folder of a record that was not opened a name that is no record's, and returns it.
base::Result<std::string> PutAside(World& world, const std::string& folder);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_UNOPENED_H_
