// What both programs ask of every option, whichever command it is of.
#ifndef CEREMONY_VERIFY_GIVEN_VALUES_H_
#define CEREMONY_VERIFY_GIVEN_VALUES_H_

#include "hsm/base/result.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
}

namespace ceremony::verify {

// CheckGivenValues refuses (kInvalidInput) an option or argument with an empty value in a command line that was parsed.
// A variable of the shell that is not set must not switch off what the option asks for.
base::Result<void> CheckGivenValues(const CLI::App& app);

}  // namespace ceremony::verify

#endif  // CEREMONY_VERIFY_GIVEN_VALUES_H_
