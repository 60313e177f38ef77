// The words of an enumeration, in one table that its field, its reader and its
// writer use.
#ifndef CEREMONY_SCRIPT_NAMES_H_
#define CEREMONY_SCRIPT_NAMES_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/fields.h"

namespace ceremony::script {

template <typename Enum>
struct Named {
  Enum value;
  std::string_view word;  // as files spell it
  std::string_view help;
};

// FindValue returns nullopt for a word that is not in the table.
template <typename Enum, std::size_t kCount>
std::optional<Enum> FindValue(const std::array<Named<Enum>, kCount>& names, std::string_view word) {
  for (const Named<Enum>& named : names) {
    if (named.word == word) return named.value;
  }
  return std::nullopt;
}

// ValueOf takes a word that a field with these choices has accepted.
template <typename Enum, std::size_t kCount>
Enum ValueOf(const std::array<Named<Enum>, kCount>& names, std::string_view word) {
  return FindValue(names, word).value_or(names.front().value);
}

template <typename Enum, std::size_t kCount>
constexpr std::string_view WordOf(const std::array<Named<Enum>, kCount>& names, Enum value) {
  for (const Named<Enum>& named : names) {
    if (named.value == value) return named.word;
  }
  return "unknown";
}

template <typename Enum, std::size_t kCount>
std::vector<ChoiceName> ChoicesOf(const std::array<Named<Enum>, kCount>& names) {
  std::vector<ChoiceName> choices;
  choices.reserve(kCount);
  for (const Named<Enum>& named : names) choices.push_back({std::string(named.word), std::string(named.help)});
  return choices;
}

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_NAMES_H_
