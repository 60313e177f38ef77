// What `status` shows of tokens: where they are, in which state, and who holds the shares of their PINs.
#ifndef CEREMONY_CLI_TOKENS_H_
#define CEREMONY_CLI_TOKENS_H_

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>

#include "ceremony/estate/estate.h"

namespace ceremony::cli {

nlohmann::ordered_json TokensJson(const estate::Estate& estate);
void PrintTokens(const estate::Estate& estate, std::ostream& out);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_TOKENS_H_
