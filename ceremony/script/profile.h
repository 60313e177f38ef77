// The profile: the shape of a certificate, as x509::Profile, from a file.
//
// Format keyceremony-profile/1.
#ifndef CEREMONY_SCRIPT_PROFILE_H_
#define CEREMONY_SCRIPT_PROFILE_H_

#include <string>

#include "ceremony/script/fields.h"
#include "ceremony/script/strict_json.h"
#include "ceremony/x509/profile.h"
#include "hsm/base/result.h"

namespace ceremony::script {

struct ProfileFile {
  x509::Profile profile;  // `name` is the file's id
  std::string version;
  LoadedFile file;
};

const FieldTable& ProfileTable();

// ParseProfile reads what LoadFile gave, and refuses a profile that contradicts
// itself (x509::CheckProfile, rules PROFILE-*). Problems go to `problems` when it
// is not null, and in any case into the error.
base::Result<ProfileFile> ParseProfile(LoadedFile file, Problems* problems = nullptr);
base::Result<ProfileFile> ReadProfile(const std::string& path, Problems* problems = nullptr);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_PROFILE_H_
