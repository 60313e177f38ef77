// An entry in a few words, for the two columns of a comparison.
#ifndef CEREMONY_REPLAY_WORDS_H_
#define CEREMONY_REPLAY_WORDS_H_

#include <nlohmann/json.hpp>
#include <string>

namespace ceremony::replay {

// IsCall tells whether an entry is one of the two of a call.
bool IsCall(const nlohmann::json& entry);
// CallText is a call: "C_Sign CKM_ECDSA on root-hsm".
std::string CallText(const nlohmann::json& entry);
// WhatOf is what an entry is about: "C_Sign on root-hsm", "observe clock".
std::string WhatOf(const nlohmann::json& entry);
// LineOf is the one line that stands for a whole entry.
std::string LineOf(const nlohmann::json& entry);

}  // namespace ceremony::replay

#endif  // CEREMONY_REPLAY_WORDS_H_
