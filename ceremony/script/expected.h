// Spells what a field expects, for messages and documents.
#ifndef CEREMONY_SCRIPT_EXPECTED_H_
#define CEREMONY_SCRIPT_EXPECTED_H_

#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/fields.h"

namespace ceremony::script {

// Expected says what a value of the field is: "an integer from 1 to 9".
std::string Expected(const Field& field);

// QuotedList is `"a", "b" or "c"`.
std::string QuotedList(const std::vector<std::string>& words);

// LooksSecret says whether a field of that name would hold a PIN, a password, a
// share or a private key.
bool LooksSecret(std::string_view name);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_EXPECTED_H_
