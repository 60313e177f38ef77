// The entries of a record by the tries that they belong to, and two such lists
// brought side by side.
#ifndef CEREMONY_REPLAY_GROUPS_H_
#define CEREMONY_REPLAY_GROUPS_H_

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace ceremony::replay {

// EntryText is a member that is a string, or nothing.
std::string EntryText(const nlohmann::json& entry, const char* field);

// TryGroup is one try of a step, and what follows it before the next begins. The first group has no step. Checkpoints
// are left out: they are signatures over what is compared.
struct TryGroup {
  std::string step, kind;
  unsigned attempt = 0;
  std::string phase = "begin";  // "end", "failed"; "begin": cut off
  std::vector<const nlohmann::json*> entries{};

  const nlohmann::json* first() const { return entries.empty() ? nullptr : entries.front(); }
  const nlohmann::json* last() const { return entries.empty() ? nullptr : entries.back(); }
  // What it came to, in words: the error of a failed try.
  std::string outcome() const;
};

// GroupsOf points into `entries`.
std::vector<TryGroup> GroupsOf(const std::vector<nlohmann::json>& entries);

// Align brings entries of one kind about one thing together, with as few left over as can be; a nullptr stands for
// what the other side does not have.
using EntryPair = std::pair<const nlohmann::json*, const nlohmann::json*>;
std::vector<EntryPair> Align(const std::vector<const nlohmann::json*>& then,
                             const std::vector<const nlohmann::json*>& now);

}  // namespace ceremony::replay

#endif  // CEREMONY_REPLAY_GROUPS_H_
