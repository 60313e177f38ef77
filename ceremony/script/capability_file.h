// A token's capability sheet: the output of `keyceremony token probe --json`, kept as a file.
// `check --capabilities` compares a script with it before anybody travels to the token.
#ifndef CEREMONY_SCRIPT_CAPABILITY_FILE_H_
#define CEREMONY_SCRIPT_CAPABILITY_FILE_H_

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/fields.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/result.h"

namespace ceremony::script {

inline constexpr std::string_view kCapabilitiesFormat = "keyceremony-capabilities/1";

struct CapabilityFile {
  std::string label;
  std::string serial;
  bool tried = false;                 // false: only what the token claims
  std::set<std::string> mechanisms;   // by name; of a sheet that was tried, those that work
  std::vector<std::string> findings;  // where the token differs from what it claims
  LoadedFile file;
};

FieldTable CapabilityTable();

// ReadCapabilities reads one sheet strictly; the error lists every problem in words.
base::Result<CapabilityFile> ReadCapabilities(const std::string& path);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_CAPABILITY_FILE_H_
