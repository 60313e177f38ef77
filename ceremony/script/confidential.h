// What a policy keeps out of every record: entries hold its salted digest alone.
#ifndef CEREMONY_SCRIPT_CONFIDENTIAL_H_
#define CEREMONY_SCRIPT_CONFIDENTIAL_H_

#include <string_view>

#include "ceremony/script/policy.h"

namespace ceremony::script {

// KeepsConfidential is true of `employer`, or of a fact's name, that stands in the
// policy's `confidential`. It reads the policy's own bytes, which were checked when
// it was loaded; a policy that was made without any keeps nothing.
bool KeepsConfidential(const Policy& policy, std::string_view field);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_CONFIDENTIAL_H_
