// Groups the entries of a record by try, and aligns two lists of entries.
#ifndef CEREMONY_REPLAY_GROUPS_H_
#define CEREMONY_REPLAY_GROUPS_H_

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace ceremony::replay {

// TryGroup is one try of a step, with the entries up to the next one. The first group has no step. Checkpoints are
// left out: they sign entries that are compared anyway.
struct TryGroup {
  std::string step, kind;
  unsigned attempt = 0;
  std::string phase = "begin";  // "end", "failed"; "begin": cut off
  std::vector<const nlohmann::json*> entries{};

  const nlohmann::json* first() const { return entries.empty() ? nullptr : entries.front(); }
  const nlohmann::json* last() const { return entries.empty() ? nullptr : entries.back(); }
  // The outcome in words: the error of a failed try.
  std::string outcome() const;
  // Whether people, or a signal, stopped the program in it.
  bool WasStopped() const;
};

// GroupsOf points into `entries`.
std::vector<TryGroup> GroupsOf(const std::vector<nlohmann::json>& entries);

// Align pairs entries of the same kind about the same thing, and leaves as few over as possible. nullptr: the entry
// has no partner.
using EntryPair = std::pair<const nlohmann::json*, const nlohmann::json*>;
std::vector<EntryPair> Align(const std::vector<const nlohmann::json*>& then,
                             const std::vector<const nlohmann::json*>& now);

}  // namespace ceremony::replay

#endif  // CEREMONY_REPLAY_GROUPS_H_
