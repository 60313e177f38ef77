// The algorithms of keys and signatures as choices of a field, from the tables
// that generation, signing and verification read.
#ifndef CEREMONY_SCRIPT_ALGORITHM_CHOICES_H_
#define CEREMONY_SCRIPT_ALGORITHM_CHOICES_H_

#include <vector>

#include "ceremony/script/fields.h"

namespace ceremony::script {

std::vector<ChoiceName> KeyChoices();
std::vector<ChoiceName> SignatureChoices();

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_ALGORITHM_CHOICES_H_
