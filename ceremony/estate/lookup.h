// What the files of this folder share to look things up in the lists of an estate.
#ifndef CEREMONY_ESTATE_LOOKUP_H_
#define CEREMONY_ESTATE_LOOKUP_H_

#include <algorithm>
#include <string_view>

namespace ceremony::estate {

// FindIf returns the first item that matches, nullptr if there is none.
template <typename List, typename Predicate>
auto FindIf(List& list, Predicate matches) -> decltype(&*list.begin()) {
  const auto found = std::find_if(list.begin(), list.end(), matches);
  return found == list.end() ? nullptr : &*found;
}

// FindNamed returns the item with this `name`, nullptr if there is none.
template <typename List>
auto FindNamed(List& list, std::string_view name) {
  return FindIf(list, [&](const auto& item) { return item.name == name; });
}

// Differ: an empty value is not known (yet), and contradicts nothing.
inline bool Differ(std::string_view a, std::string_view b) { return !a.empty() && !b.empty() && a != b; }

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_LOOKUP_H_
