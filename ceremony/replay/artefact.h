// CompareArtefacts compares a recorded file with the replayed one. Only keys, serial
// numbers, times and signatures may differ.
//
// DER (also in PEM) is walked element by element, JSON member by member, other
// text word by word; anything else must have the same bytes.
#ifndef CEREMONY_REPLAY_ARTEFACT_H_
#define CEREMONY_REPLAY_ARTEFACT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ceremony/replay/names.h"

namespace ceremony::replay {

// Unlike is one place where two files or values say different things.
struct Unlike {
  std::string where;  // "/extensions/0", "element 1.5.2"
  std::string recorded, replayed;
  bool other_name = false;  // only a name differs, and it is paired with another name elsewhere
};

std::vector<Unlike> CompareArtefacts(const std::string& recorded, const std::string& replayed, NamePairs& names);

// CompareValues is the same for JSON values; `where` begins the places. Numbers of members in `measured` (durations,
// sizes, places in the log) may differ. The order of an array counts.
void CompareValues(const nlohmann::json& recorded, const nlohmann::json& replayed, const std::string& where,
                   NamePairs& names, std::vector<Unlike>& unlike);

// ValueText is a value for people: a string without quotes.
std::string ValueText(const nlohmann::json& value);

}  // namespace ceremony::replay

#endif  // CEREMONY_REPLAY_ARTEFACT_H_
