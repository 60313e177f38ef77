#include "ceremony/record/key_book.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "ceremony/record/log_audit.h"

namespace ceremony::record {
namespace {

// The effects that need a key, with the field that names it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kUses = {{
    {"key-cloned", "key"},
    {"key-exported", "key"},
    {"key-sealed", "key"},
    {"key-deactivated", "key"},
    {"request-created", "key"},
    {"certificate-issued", "issuer_key"},
    {"crl-issued", "issuer_key"},
}};

std::string Text(const Scanner& effect, std::string_view field) {
  return DecodeString(effect.Find(field)).value_or("");
}

// FileFor is where a copy is that left its token as a file, as effects spell it.
std::string FileFor(const std::string& transport_key) { return "file for " + transport_key; }

}  // namespace

void KeyBook::Take(const Scanner& effect, std::uint64_t entry, Findings& findings) {
  const std::string what = Text(effect, "effect"), token = Text(effect, "token"), name = Text(effect, "key");
  for (const auto& [use, field] : kUses) {
    const std::string used = Text(effect, field);
    const auto key = use == what ? keys_.find(used) : keys_.end();
    if (key != keys_.end() && key->second.is_destroyed) {
      findings.Add("CPY-GONE", entry, fmt::format("{} of the key {}, which was destroyed before", what, Quoted(used)));
    }
  }
  if (what == "key-created" || what == "transport-key-created") {
    Make(name, token, Text(effect, "spki_sha256"), entry, findings);
    keys_[name].object_ids[token] = Text(effect, "object_id");
    return;
  }
  if (what == "key-destroyed") return End(name, entry, findings);
  if (what == "token-retired") return Clear(token);
  const auto key = keys_.find(name);
  if (key == keys_.end()) return;
  if (what == "key-cloned" || what == "key-exported") {
    if (const std::string source = Text(effect, "source"); !key->second.copies.contains(source)) {
      findings.Add("CPY-LOST", entry,
                   fmt::format("{} is copied from {}, which has no copy of it", Quoted(name), Quoted(source)));
    }
    AddCopy(name, what == "key-cloned" ? token : FileFor(Text(effect, "transport_key")));
    if (what == "key-cloned") key->second.object_ids[token] = Text(effect, "object_id");
  } else if (what == "copy-destroyed" && !RemoveCopy(name, token)) {
    findings.Add("CPY-LOST", entry,
                 fmt::format("{} has no copy on {} that could be destroyed", Quoted(name), Quoted(token)));
  }
}

bool KeyBook::HoldsObject(const std::string& token, const std::string& object) const {
  const auto held = held_.find(token);
  if (held == held_.end()) return false;
  for (const std::string& name : held->second) {
    const auto& object_ids = keys_.at(name).object_ids;
    const auto id = object_ids.find(token);
    if (id != object_ids.end() && !id->second.empty() && object.ends_with("(id " + id->second + ")")) return true;
  }
  return false;
}

void KeyBook::Make(const std::string& name, const std::string& token, const std::string& spki, std::uint64_t entry,
                   Findings& findings) {
  const auto [known, fresh] = names_.emplace(spki, name);
  if (keys_.contains(name) || !fresh) {
    findings.Add("CPY-TWICE", entry,
                 fmt::format("{} is made, and {} was made before", Quoted(name),
                             keys_.contains(name) ? "a key of that name" : "the same key as " + Quoted(known->second)));
  }
  for (const std::string& place : std::exchange(keys_[name], {}).copies) held_[place].erase(name);
  AddCopy(name, token);
}

void KeyBook::AddCopy(const std::string& name, const std::string& place) {
  keys_[name].copies.insert(place);
  held_[place].insert(name);
}

bool KeyBook::RemoveCopy(const std::string& name, const std::string& place) {
  if (keys_[name].copies.erase(place) == 0) return false;
  held_[place].erase(name);
  return true;
}

void KeyBook::Clear(const std::string& place) {
  const auto held = held_.extract(place);
  if (held.empty()) return;
  for (const std::string& name : held.mapped()) keys_[name].copies.erase(place);
}

void KeyBook::End(const std::string& name, std::uint64_t entry, Findings& findings) {
  // What was wrapped for a transport key opens for nobody any more.
  Clear(FileFor(name));
  const auto key = keys_.find(name);
  if (key == keys_.end()) return;
  if (!key->second.copies.empty()) {
    findings.Add("CPY-LOST", entry,
                 fmt::format("{} is called destroyed, and its copies on {} are not accounted for", Quoted(name),
                             fmt::join(key->second.copies, ", ")));
  }
  key->second.is_destroyed = true;
}

}  // namespace ceremony::record
