// What happened to a token between two inventories.
#include <algorithm>
#include <map>
#include <set>

#include "hsm/base/encoding.h"
#include "hsm/describe.h"
#include "hsm/inventory.h"

namespace hsm {
namespace {

// Removes what is the same in both: the lines are sorted, and equal lines are
// matched one to one.
void RemoveUnchanged(std::vector<const InventoryItem*>& before, std::vector<const InventoryItem*>& after) {
  std::vector<const InventoryItem*> only_before;
  std::vector<const InventoryItem*> only_after;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() || j < after.size()) {
    if (j == after.size() || (i < before.size() && before[i]->line < after[j]->line)) {
      only_before.push_back(before[i++]);
    } else if (i == before.size() || after[j]->line < before[i]->line) {
      only_after.push_back(after[j++]);
    } else {
      ++i;
      ++j;
    }
  }
  before = std::move(only_before);
  after = std::move(only_after);
}

bool CouldBeTheSame(const InventoryItem& a, const InventoryItem& b) {
  if (a.object.object_class() != b.object.object_class() && a.object.object_class() && b.object.object_class())
    return false;
  const bool keys_known = !a.spki_sha256.empty() && !b.spki_sha256.empty();
  if (keys_known) return a.spki_sha256 == b.spki_sha256;
  return !a.object.id().empty() && a.object.id() == b.object.id();
}

Description Differences(const InventoryItem& before, const InventoryItem& after) {
  Description differences;
  const auto values = [](const InventoryItem& item) {
    std::map<std::string, std::string> map;
    for (const NamedValue& field : item.attributes.Describe()) map[field.name] = field.value;
    if (!item.value_sha256.empty()) map["value"] = item.value_sha256;
    if (!item.spki_sha256.empty()) map["spki"] = item.spki_sha256;
    if (!item.problem.empty()) map["problem"] = item.problem;
    return map;
  };
  const auto old_values = values(before);
  const auto new_values = values(after);
  std::set<std::string> names;
  for (const auto& [name, value] : old_values) names.insert(name);
  for (const auto& [name, value] : new_values) names.insert(name);
  for (const std::string& name : names) {
    const auto old_value = old_values.find(name);
    const auto new_value = new_values.find(name);
    const std::string was = old_value == old_values.end() ? "(absent)" : old_value->second;
    const std::string is = new_value == new_values.end() ? "(absent)" : new_value->second;
    if (was != is) differences.push_back({name, was + " -> " + is});
  }
  return differences;
}

struct Pairing {
  std::size_t before;
  std::size_t after;
  Description differences;
};

// Every pair that could be one object; found through id and key, since a token
// may hold thousands of objects and all of them may have changed.
std::vector<Pairing> Pairings(const std::vector<const InventoryItem*>& before,
                              const std::vector<const InventoryItem*>& after) {
  std::map<std::string, std::vector<std::size_t>> known;
  const auto keys = [](const InventoryItem& item) {
    std::vector<std::string> found;
    if (!item.object.id().empty()) found.push_back("id " + base::HexEncode(item.object.id()));
    if (!item.spki_sha256.empty()) found.push_back("spki " + item.spki_sha256);
    return found;
  };
  for (std::size_t i = 0; i < before.size(); ++i) {
    for (const std::string& key : keys(*before[i])) known[key].push_back(i);
  }
  std::vector<Pairing> pairings;
  for (std::size_t j = 0; j < after.size(); ++j) {
    std::set<std::size_t> candidates;
    for (const std::string& key : keys(*after[j])) {
      if (const auto found = known.find(key); found != known.end())
        candidates.insert(found->second.begin(), found->second.end());
    }
    for (const std::size_t i : candidates) {
      if (CouldBeTheSame(*before[i], *after[j])) pairings.push_back({i, j, Differences(*before[i], *after[j])});
    }
  }
  std::ranges::stable_sort(pairings, {}, [](const Pairing& pairing) { return pairing.differences.size(); });
  return pairings;
}

std::vector<const InventoryItem*> PointersTo(const Inventory& inventory) {
  std::vector<const InventoryItem*> pointers;
  for (const InventoryItem& item : inventory.items) pointers.push_back(&item);
  return pointers;
}

}  // namespace

InventoryDifference Diff(const Inventory& before, const Inventory& after) {
  std::vector<const InventoryItem*> old_items = PointersTo(before);
  std::vector<const InventoryItem*> new_items = PointersTo(after);
  RemoveUnchanged(old_items, new_items);

  InventoryDifference difference;
  std::vector<bool> old_done(old_items.size());
  std::vector<bool> new_done(new_items.size());
  for (Pairing& pairing : Pairings(old_items, new_items)) {
    if (old_done[pairing.before] || new_done[pairing.after]) continue;
    old_done[pairing.before] = new_done[pairing.after] = true;
    difference.changed.push_back(
        {*old_items[pairing.before], *new_items[pairing.after], std::move(pairing.differences)});
  }
  for (std::size_t i = 0; i < old_items.size(); ++i) {
    if (!old_done[i]) difference.vanished.push_back(*old_items[i]);
  }
  for (std::size_t j = 0; j < new_items.size(); ++j) {
    if (!new_done[j]) difference.appeared.push_back(*new_items[j]);
  }
  return difference;
}

}  // namespace hsm
