// Faults that a rehearsal plays: which token fails at which step, and how.
//
// Format keyceremony-faults/1.
#ifndef CEREMONY_SCRIPT_FAULT_FILE_H_
#define CEREMONY_SCRIPT_FAULT_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/fields.h"
#include "ceremony/script/script.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/result.h"

namespace ceremony::script {

enum class FaultKind : std::uint8_t {
  kPulled,     // "pulled": the token is gone while the step is tried
  kSlow,       // "slow": each call to it takes longer
  kRefuses,    // "refuses": it answers one function with an error
  kPinLocked,  // "pin-locked": its user PIN is locked
};
std::string_view NameOf(FaultKind kind);

struct RehearsedFault {
  FaultKind kind = FaultKind::kPulled;
  std::string step;
  std::string token;
  std::int64_t attempts = 1;      // the number of tries of the step that it lasts
  std::int64_t after = 0;         // kPulled: the number of calls of the step before it
  std::int64_t milliseconds = 0;  // kSlow
  std::string function;           // kRefuses: "C_GenerateKeyPair"
  std::string answer;             // kRefuses: "CKR_TEMPLATE_INCONSISTENT"
};

struct FaultFile {
  std::string title;
  std::vector<RehearsedFault> faults;
  LoadedFile file;
};

const FieldTable& FaultTable();

// ParseFaults reads what is in memory, ReadFaults a file. The problems of a file are given to `problems`, or are the
// error.
base::Result<FaultFile> ParseFaults(LoadedFile file, Problems* problems = nullptr);
base::Result<FaultFile> ReadFaults(const std::string& path, Problems* problems = nullptr);

// CheckFaults refuses a fault at a step or of a token that the script does not have (FAULT-01).
base::Result<void> CheckFaults(const FaultFile& faults, const Script& script);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_FAULT_FILE_H_
