// A rehearsal is the same ceremony on tokens made for it, with simulated people.
//
// Everything it needs lives in `<archive>/rehearsal/`: SoftHSM tokens
// (`tokens/`), the people with their credentials and PIN envelopes (`people/`),
// `roster.json` and `binding.json`. A second rehearsal on the same archive goes
// on with the same people and the same tokens; `kept/` has a copy of what each
// token is (kept_tokens.h). Its binding says `rehearsal`,
// so that nothing of it can pass for production.
#ifndef CEREMONY_RUN_REHEARSAL_H_
#define CEREMONY_RUN_REHEARSAL_H_

#include <cstdint>
#include <string>

#include "ceremony/run/world.h"
#include "ceremony/script/inputs.h"
#include "hsm/base/result.h"

namespace ceremony::run {

struct RehearsalPaths {
  explicit RehearsalPaths(const std::string& archive);
  std::string folder;     // <archive>/rehearsal, absolute
  std::string roster;     // roster.json
  std::string binding;    // binding.json
  std::string people;     // people/
  std::string envelopes;  // people/oscar/envelopes/: PINs of the tokens
  std::string tokens;     // tokens/
  std::string softhsm_conf;
  std::string clock;  // file `clock`: offset of the rehearsal's clock in microseconds; no file: 0
};

// HasStandIns tells whether the rehearsals of this archive have people and tokens that PrepareRehearsal made. Those of
// other archives are held with a binding of the operator's own, and with people who type what they know.
bool HasStandIns(const std::string& archive);

// WasSimulated tells whether simulated people take part in a record.
base::Result<bool> WasSimulated(const std::string& archive, const std::string& folder);

// SetRehearsalClock sets the offset of the rehearsal's clock, from now on;
// ReadRehearsalClock returns it.
base::Result<void> SetRehearsalClock(const std::string& archive, std::int64_t shift_micros);
base::Result<std::int64_t> ReadRehearsalClock(const std::string& archive);

// FindSoftHsm returns the path of the SoftHSMv2 module; kNotFound names the
// places that were looked at, with the package to install.
base::Result<std::string> FindSoftHsm();

// StandInToken is the binding of a SoftHSM token of this rehearsal: `pin-prompt`, with PINs in envelopes, no serial
// yet.
script::TokenBinding StandInToken(const RehearsalPaths& paths, const std::string& module, const std::string& name);

// MakeStandInToken sets the token up before any ceremony, as an operator would a record token, and returns its serial.
base::Result<std::string> MakeStandInToken(const RehearsalPaths& paths, const script::TokenBinding& bound,
                                           const script::Policy& policy, const LoadModule& load);

// MakeRehearsalFolders makes what every rehearsal has before it has people and tokens: private folders and the
// configuration of SoftHSM. What an earlier try left is removed.
base::Result<void> MakeRehearsalFolders(const RehearsalPaths& paths);

// CheckOwnTokens refuses an archive whose binding names the tokens of another one (REHEARSAL-COPY-01): a copy, or one
// that was moved, would act on the tokens of the archive that it was copied from.
base::Result<void> CheckOwnTokens(const std::string& archive);

// PrepareRehearsal makes what is missing of `<archive>/rehearsal/` for this
// script: people with keys, a record token, and a binding for every token of
// the script. What is there stays as it is. An archive in which it was cut off
// is prepared again from the beginning.
base::Result<void> PrepareRehearsal(const std::string& archive, const script::Script& script,
                                    const script::Policy& policy, const LoadModule& load);

// ReplaceRecordToken makes another record token when the one that the binding names is gone, as an operator would buy
// one. One that is there stays.
base::Result<void> ReplaceRecordToken(const std::string& archive, const script::Policy& policy, const LoadModule& load);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_REHEARSAL_H_
