#include "ceremony/replay/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>

#include "ceremony/record/json_member.h"

namespace ceremony::replay {
namespace {

using nlohmann::json;
using record::TextOf;

// Beyond this many cells two lists are taken as they stand, entry by entry.
constexpr std::size_t kMaxCells = 16'000'000;

// A name without what is made anew in it: digits of eight or more hexadecimal ones.
std::string WithoutHex(const std::string& text) {
  constexpr std::size_t kLeast = 8;
  std::string without, run;
  const auto flush = [&] {
    without += run.size() >= kLeast ? "#" : run;
    run.clear();
  };
  for (const char c : text) {
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) {
      run += c;
    } else {
      flush();
      without += c;
    }
  }
  flush();
  return without;
}

// What an entry is about: two with the same are compared, whatever they say.
std::string AboutOf(const json& entry) {
  const std::string type = TextOf(entry, "type");
  const auto text = [&](const char* field) { return TextOf(entry, field); };
  if (type == "intent" || type == "done") return fmt::format("{} {} {}", type, text("fn"), text("token"));
  if (type == "artefact") return fmt::format("{} {}", type, WithoutHex(text("name")));
  if (type == "step") return fmt::format("{} {} {}", type, text("id"), text("phase"));
  if (type == "observe" || type == "note" || type == "deviation")
    return fmt::format("{} {} {} {}", type, text("what").substr(0, 24), text("token"), text("person"));
  return fmt::format("{} {} {}", type, text("person"), text("rule"));
}

}  // namespace

std::string TryGroup::outcome() const {
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    const auto error = (*entry)->find("error");
    if (error == (*entry)->end() || !error->is_object()) continue;
    const std::string rule = TextOf(*error, "rule");
    const std::string rv = TextOf(*error, "rv");
    return fmt::format("{}{}{}", TextOf(*error, "message"), rule.empty() ? "" : " [" + rule + "]",
                       rv.empty() ? "" : " (" + rv + ")");
  }
  return phase == "begin" ? "was cut off" : phase == "end" ? "came to its end" : phase;
}

bool TryGroup::WasStopped() const {
  return phase == "failed" && std::ranges::any_of(entries, [](const json* entry) {
           const auto error = entry->find("error");
           return error != entry->end() && error->is_object() && TextOf(*error, "code") == "aborted";
         });
}

std::vector<TryGroup> GroupsOf(const std::vector<json>& entries) {
  std::vector<TryGroup> groups(1);
  groups.front().phase = "end";
  std::map<std::string, unsigned> tries;
  for (const json& entry : entries) {
    const std::string type = TextOf(entry, "type");
    if (type == "checkpoint") continue;
    const std::string phase = type == "step" ? TextOf(entry, "phase") : std::string();
    if (phase == "begin") {
      const std::string id = TextOf(entry, "id");
      groups.push_back({id, TextOf(entry, "do"), ++tries[id]});
    }
    if (phase == "end" || phase == "failed") groups.back().phase = phase;
    groups.back().entries.push_back(&entry);
  }
  return groups;
}

std::vector<EntryPair> Align(const std::vector<const json*>& then, const std::vector<const json*>& now) {
  std::vector<EntryPair> pairs;
  std::vector<std::string> about_then, about_now;
  for (const json* entry : then) about_then.push_back(AboutOf(*entry));
  for (const json* entry : now) about_now.push_back(AboutOf(*entry));
  const std::size_t rows = then.size(), columns = now.size();
  if (rows * columns > kMaxCells) {
    for (std::size_t i = 0; i < std::max(rows, columns); ++i)
      pairs.emplace_back(i < rows ? then[i] : nullptr, i < columns ? now[i] : nullptr);
    return pairs;
  }
  // Longest common subsequence, from the end.
  std::vector<std::uint32_t> longest((rows + 1) * (columns + 1), 0);
  const auto at = [&](std::size_t i, std::size_t j) -> std::uint32_t& { return longest[i * (columns + 1) + j]; };
  for (std::size_t i = rows; i-- > 0;) {
    for (std::size_t j = columns; j-- > 0;)
      at(i, j) = about_then[i] == about_now[j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
  }
  std::size_t i = 0, j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && about_then[i] == about_now[j]) {
      pairs.emplace_back(then[i++], now[j++]);
    } else if (j == columns || (i < rows && at(i + 1, j) >= at(i, j + 1))) {
      pairs.emplace_back(then[i++], nullptr);
    } else {
      pairs.emplace_back(nullptr, now[j++]);
    }
  }
  return pairs;
}

}  // namespace ceremony::replay
