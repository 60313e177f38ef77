// The inputs of a record that is gone on with: those that it was opened with, byte by byte.
#ifndef CEREMONY_RUN_RECORD_INPUTS_H_
#define CEREMONY_RUN_RECORD_INPUTS_H_

#include <string>

#include "ceremony/script/inputs.h"
#include "hsm/base/result.h"

namespace ceremony::run {

// ReadRecordInputs reads a record's inputs and compares their digests with its
// `open` entry, when it has one (RUN-INPUT-01: one was changed).
base::Result<script::Inputs> ReadRecordInputs(const std::string& archive, const std::string& folder);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_RECORD_INPUTS_H_
