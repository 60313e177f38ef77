#include "ceremony/verify/given_values.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace ceremony::verify {

base::Result<void> CheckGivenValues(const CLI::App& app) {
  for (const CLI::Option* const option : app.get_options()) {
    if (std::ranges::find(option->results(), "") == option->results().end()) continue;
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("{} was given an empty value", option->get_name()))
        .WithHint(option->get_required() ? "is a variable of the shell not set?"
                                         : "is a variable of the shell not set? Give a value, or leave it out");
  }
  for (const CLI::App* const command : app.get_subcommands()) KC_RETURN_IF_ERROR(CheckGivenValues(*command));
  return {};
}

}  // namespace ceremony::verify
