#include "ceremony/cli/exit_code.h"

namespace ceremony::cli {

int ExitStatusOf(base::ErrorCode code) {
  switch (code) {
    case base::ErrorCode::kRefused:
    case base::ErrorCode::kCorrupt:
      return kExitFinding;
    case base::ErrorCode::kInvalidInput:
    case base::ErrorCode::kNotFound:
      return kExitUsage;
    case base::ErrorCode::kToken:
    case base::ErrorCode::kAmbiguous:
    case base::ErrorCode::kUnsupported:
      return kExitToken;
    case base::ErrorCode::kIo:
      return kExitOutput;
    case base::ErrorCode::kAborted:
    case base::ErrorCode::kNoQuorum:
      return kExitAborted;
    case base::ErrorCode::kInternal:
      break;
  }
  return kExitBug;
}

}  // namespace ceremony::cli
