#include "hsm/base/result.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace base {

const char* ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidInput:
      return "invalid-input";
    case ErrorCode::kNotFound:
      return "not-found";
    case ErrorCode::kAmbiguous:
      return "ambiguous";
    case ErrorCode::kRefused:
      return "refused";
    case ErrorCode::kToken:
      return "token";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kAborted:
      return "aborted";
    case ErrorCode::kNoQuorum:
      return "no-quorum";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "unknown";
}

namespace internal {

void DieOnMissingValue(const Error& error) {
  std::fprintf(stderr, "keyceremony: bug: value taken from a failed result: %s\n", error.message.c_str());
  std::abort();
}

void DieOnMissingError() {
  std::fputs("keyceremony: bug: error taken from a result that holds none\n", stderr);
  std::abort();
}

}  // namespace internal

Error SystemError(const char* call, const std::string& object, int error_number) {
  char text[128] = {};
  const char* words = strerror_r(error_number, text, sizeof text);
  Error error;
  error.code = error_number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
  error.message = object + ": " + words;
  error.call = call;
  if (error_number == ENOSPC) error.hint = "free space on that file system";
  if (error_number == EFBIG) error.hint = "raise the limit on the size of files (ulimit -f)";
  if (error_number == EROFS || error_number == EACCES)
    error.hint = "make the folder writable for this user, or choose another one";
  return error;
}

}  // namespace base
