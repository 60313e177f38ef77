#include "ceremony/verify/recorded_profiles.h"

#include <utility>

#include "ceremony/script/crl_profile.h"
#include "ceremony/script/profile.h"
#include "ceremony/script/strict_json.h"

namespace ceremony::verify {
namespace {

// What begins like this is no other format; the strict reader has the last word.
bool Says(const std::string& bytes, std::string_view format) { return bytes.find(format) != std::string::npos; }

template <typename T>
const T* FindIn(const std::map<std::string, T>& profiles, const std::string& id) {
  const auto found = profiles.find(id);
  return found == profiles.end() ? nullptr : &found->second;
}

}  // namespace

void RecordedProfiles::Forget() { *this = RecordedProfiles(); }

const x509::Profile* RecordedProfiles::Find(const std::string& id, const record::RecordFiles& files) {
  Read(files);
  return FindIn(profiles_, id);
}

const x509::CrlProfile* RecordedProfiles::FindCrl(const std::string& id, const record::RecordFiles& files) {
  Read(files);
  return FindIn(crl_profiles_, id);
}

void RecordedProfiles::Read(const record::RecordFiles& files) {
  if (std::exchange(is_read_, true)) return;
  for (const auto& [name, named] : files.inputs()) {
    std::optional<std::string> bytes = files.Input(name, script::kMaxFileBytes);
    if (!bytes) {
      // One that is there and cannot be read is no profile.
      if (!files.folder().OpenFile("inputs/" + name).ok()) is_partial_ = true;
      continue;
    }
    script::LoadedFile file{"inputs/" + name, name, std::move(*bytes), named.sha256};
    if (Says(file.bytes, "\"keyceremony-profile/1\"")) {
      if (auto profile = script::ParseProfile(std::move(file)); profile.ok())
        profiles_.emplace(profile->profile.name, std::move(profile->profile));
    } else if (Says(file.bytes, "\"keyceremony-crl-profile/1\"")) {
      if (auto profile = script::ParseCrlProfile(std::move(file)); profile.ok())
        crl_profiles_.emplace(profile->profile.name, std::move(profile->profile));
    }
  }
}

}  // namespace ceremony::verify
