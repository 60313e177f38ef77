#include "ceremony/cli/exit_code.h"

namespace ceremony::cli {

int ExitStatusOf(base::ErrorCode code) {
  switch (code) {
    case base::ErrorCode::kInvalidInput:
      return kExitUsage;
    case base::ErrorCode::kNotFound:
      return kExitUsage;
    case base::ErrorCode::kAmbiguous:
      return kExitToken;
    case base::ErrorCode::kRefused:
      return kExitFinding;
    case base::ErrorCode::kToken:
      return kExitToken;
    case base::ErrorCode::kIo:
      return kExitOutput;
    case base::ErrorCode::kAborted:
      return kExitAborted;
    case base::ErrorCode::kNoQuorum:
      return kExitAborted;
    case base::ErrorCode::kCorrupt:
      return kExitFinding;
    case base::ErrorCode::kUnsupported:
      return kExitToken;
    case base::ErrorCode::kInternal:
      return kExitBug;
  }
  return kExitBug;
}

}  // namespace ceremony::cli
