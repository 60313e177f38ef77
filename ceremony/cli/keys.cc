#include "ceremony/cli/keys.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <utility>

#include "ceremony/estate/fleet_due.h"
#include "hsm/base/clock_text.h"
#include "hsm/base/counted.h"

namespace ceremony::cli {
namespace {

using nlohmann::ordered_json;

std::optional<estate::KeyCaps> CapsOf(const estate::Estate& estate, const std::optional<script::Policy>& policy) {
  if (!policy) return std::nullopt;
  return estate::KeyCaps(estate, *policy);
}

// Null for a key of whose use nobody has said anything, and which has no cap.
ordered_json UseOf(const estate::Key& key, const script::KeyCap* cap) {
  if (!key.use && cap == nullptr) return nullptr;
  ordered_json use = {{"count", nullptr}, {"first_use", ""}, {"last_use", ""}, {"stated_by", ""}};
  if (key.use) {
    use = {{"count", key.use->count},
           {"first_use", key.use->first_use},
           {"last_use", key.use->last_use},
           {"stated_by", key.use->stated_by}};
  }
  use["cap"] = cap == nullptr ? ordered_json() : ordered_json{{"certificates", cap->certificates}, {"days", cap->days}};
  return use;
}

ordered_json CopiesOf(const estate::Key& key) {
  ordered_json copies = ordered_json::array();
  for (const estate::Copy& copy : key.copies) {
    copies.push_back({{"token", copy.token},
                      {"serial", copy.serial},
                      {"object_id", copy.object_id},
                      {"kind", copy.kind},
                      {"state", copy.state},
                      {"destroying", copy.destroying.time},
                      {"since", copy.since.time},
                      {"ended", copy.ended.time}});
  }
  return copies;
}

// One copy: where it is, and if it is no more, since when.
void PrintCopy(const estate::Copy& copy, std::ostream& out) {
  if (!copy.transport_key.empty()) {
    out << fmt::format("    in a {}, written by {}: {}\n", copy.token, copy.since.ceremony,
                       copy.in_place() ? "it can be opened, and counts as a copy"
                                       : fmt::format("opens for nobody since {}", base::DayOf(copy.ended.time)));
    return;
  }
  std::string state;
  if (!copy.in_place()) {
    state = fmt::format("; {} since {}", copy.state, base::DayOf(copy.ended.time));
  } else if (!copy.destroying.ceremony.empty()) {
    state = fmt::format("; its destruction was begun in {} and not ended: it may be gone", copy.destroying.ceremony);
  }
  out << fmt::format("    {} on {} (serial {}), id {}{}\n", copy.kind, copy.token, copy.serial, copy.object_id, state);
}

// What is known of the key's use, against its cap, and until when it is held.
void PrintUse(const estate::Key& key, const script::KeyCap* cap, std::int64_t now, std::ostream& out) {
  if (key.use) {
    const bool capped = cap != nullptr && cap->certificates > 0;
    out << fmt::format("    used {}, {}, stated by {}\n",
                       capped ? fmt::format("{} of {} times", key.use->count, cap->certificates)
                              : base::Counted(key.use->count, "time", "times"),
                       key.use->count == 0 ? "never" : "last on " + base::DayOf(key.use->last_use),
                       key.use->stated_by.empty() ? "people in the room" : key.use->stated_by);
  } else if (cap != nullptr) {
    out << fmt::format("    nobody has stated its use; its cap is {} certificates or {} days\n", cap->certificates,
                       cap->days);
  }
  if (key.is_held()) {
    const auto until = base::ParseDayOrTime(key.hold_until);
    out << fmt::format("    held until {}{}\n", key.hold_until,
                       until.ok() && *until <= now ? ", which is over: its destruction is due" : "");
  }
}

}  // namespace

ordered_json KeysJson(const estate::Estate& estate, const std::optional<script::Policy>& policy) {
  ordered_json keys = ordered_json::array();
  const std::optional<estate::KeyCaps> caps = CapsOf(estate, policy);
  for (const estate::Key& key : estate.keys()) {
    keys.push_back({{"name", key.name},
                    {"algorithm", key.algorithm},
                    {"spki_sha256", key.spki_sha256},
                    {"state", key.state},
                    {"usage", key.usage},
                    {"hold_until", key.hold_until},
                    {"use", UseOf(key, caps ? caps->Of(key) : nullptr)},
                    {"extractable", key.extractable},
                    {"ceremony", key.since.ceremony},
                    {"since", key.since.time},
                    {"copies", CopiesOf(key)}});
  }
  return keys;
}

void PrintKeys(const estate::Estate& estate, const std::optional<script::Policy>& policy, std::int64_t now,
               std::ostream& out) {
  const std::optional<estate::KeyCaps> caps = CapsOf(estate, policy);
  out << "\nKeys\n" << (estate.keys().empty() ? "  none\n" : "");
  for (const estate::Key& key : estate.keys()) {
    out << fmt::format("  {:<20} {:<12} {}, since {}\n", key.name, key.algorithm, key.state,
                       base::DayOf(key.since.time));
    out << fmt::format("    public key {}\n", key.spki_sha256);
    PrintUse(key, caps ? caps->Of(key) : nullptr, now, out);
    for (const estate::Copy& copy : key.copies) PrintCopy(copy, out);
  }
}

}  // namespace ceremony::cli
