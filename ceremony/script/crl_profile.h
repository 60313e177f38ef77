// The CRL profile: the shape of a list of revoked certificates, as
// x509::CrlProfile, from a file.
//
// Format keyceremony-crl-profile/1.
#ifndef CEREMONY_SCRIPT_CRL_PROFILE_H_
#define CEREMONY_SCRIPT_CRL_PROFILE_H_

#include <string>

#include "ceremony/script/fields.h"
#include "ceremony/script/strict_json.h"
#include "ceremony/x509/crl_profile.h"
#include "hsm/base/result.h"

namespace ceremony::script {

struct CrlProfileFile {
  x509::CrlProfile profile;  // `name` is the file's id
  std::string version;
  LoadedFile file;
};

const FieldTable& CrlProfileTable();

// ParseCrlProfile reads what LoadFile gave, and refuses a profile that
// contradicts itself (x509::CheckCrlProfile). Problems go to `problems` when it
// is not null, and in any case into the error.
base::Result<CrlProfileFile> ParseCrlProfile(LoadedFile file, Problems* problems = nullptr);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_CRL_PROFILE_H_
