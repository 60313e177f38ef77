// The simulated people of a rehearsal: their credentials in
// `<archive>/rehearsal/people/<id>/` (sign.pem, open.pem), and what changes about
// them from one rehearsal on the same archive to the next.
#ifndef CEREMONY_RUN_REHEARSAL_PEOPLE_H_
#define CEREMONY_RUN_REHEARSAL_PEOPLE_H_

#include <string>

#include "ceremony/run/rehearsal.h"
#include "ceremony/script/binding.h"
#include "ceremony/script/inputs.h"
#include "ceremony/script/roster.h"
#include "hsm/base/result.h"

namespace ceremony::run {

// MakeCredential makes both keys of a simulated person, writes them where
// CredentialOf says, and sets the person's public keys.
base::Result<void> MakeCredential(const RehearsalPaths& paths, const std::string& estate, script::Person& person);
script::CredentialBinding CredentialOf(const RehearsalPaths& paths, const std::string& person);

// PreparePeople takes over the roster that the archive's newest ceremony has
// written, if there is one. It makes the people whom this script appoints
// (trained, with a person file of their own) or retires (active). Call it after
// PrepareRehearsal. If it was cut off, call it again.
base::Result<void> PreparePeople(const std::string& archive, const script::Inputs& inputs);

// TakeSimulatedPersonFiles puts the person files of simulated people in the place
// of those that the script names, as the roster stands in for the real one.
base::Result<void> TakeSimulatedPersonFiles(const std::string& archive, script::Inputs& inputs);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_REHEARSAL_PEOPLE_H_
