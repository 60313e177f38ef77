#include "ceremony/replay/peculiar.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

#include "ceremony/record/json_member.h"
#include "ceremony/record/reader.h"
#include "ceremony/replay/groups.h"
#include "ceremony/script/inputs.h"
#include "hsm/describe.h"

namespace ceremony::replay {
namespace {

using hsm::Quirks;
using nlohmann::json;
using record::MemberOf;
using record::TextOf;

constexpr std::size_t kMaxBinding = 1u << 20;
constexpr std::string_view kLeftOut = "REPLAY-QUIRK-01";
constexpr std::string_view kUnreliable = "REPLAY-QUIRK-02";
constexpr std::string_view kIgnored = "REPLAY-QUIRK-03";
constexpr std::string_view kPoint = "REPLAY-QUIRK-04";
constexpr std::string_view kNumber = "REPLAY-QUIRK-05";

bool Has(std::span<const CK_ATTRIBUTE_TYPE> list, std::string_view attribute) {
  return std::ranges::any_of(list, [&](CK_ATTRIBUTE_TYPE type) { return hsm::AttributeName(type) == attribute; });
}

// The modules of the tokens, by name: what the record's binding says, which may have been withheld.
std::map<std::string, std::string> ModulesIn(const std::string& folder) {
  std::map<std::string, std::string> modules;
  const auto opened = record::RecordFolder::Open(folder);
  if (!opened.ok()) return modules;
  const auto bytes = opened->ReadSmall(fmt::format("inputs/{}", script::kBindingInput), kMaxBinding);
  if (!bytes.ok()) return modules;
  const json binding = json::parse(*bytes, nullptr, false);
  for (const auto& [name, token] : MemberOf(binding, "tokens").items()) modules[name] = TextOf(token, "module");
  return modules;
}

std::map<std::string, Product> ProductsOf(const Side& side) {
  std::map<std::string, Product> products;
  if (side.entries.empty()) return products;
  const std::map<std::string, std::string> bound = ModulesIn(side.folder);
  const json& loaded = MemberOf(side.entries.front(), "modules");
  for (const json& token : MemberOf(side.entries.front(), "tokens")) {
    const std::string name = TextOf(token, "name");
    std::string text = fmt::format("{}, {}", TextOf(token, "manufacturer"), TextOf(token, "model"));
    std::vector<const json*> modules;
    for (const json& module : loaded) {
      if (const auto path = bound.find(name); path == bound.end() || path->second == TextOf(module, "path"))
        modules.push_back(&module);
    }
    for (const json* module : modules)
      text += fmt::format(", {} {}", TextOf(*module, "manufacturer"), TextOf(*module, "version"));
    const json& only = modules.size() == 1 ? *modules.front() : json();
    const Quirks quirks =
        hsm::QuirksOf(TextOf(only, "manufacturer"), TextOf(only, "description"), TextOf(only, "path"));
    products[name] = {std::move(text), quirks};
  }
  return products;
}

// Whether a side that does not have an attribute cannot have it: its module takes none in a template, or has none.
bool IsLeftOut(const Product& without, std::string_view attribute, bool in_template) {
  return Has(without.quirks.unwanted_attributes, attribute) ||
         (!in_template && Has(without.quirks.keys.missing_attributes, attribute));
}

// What a module repaired after a key had come in: the names of the attributes.
bool AllIgnored(const json& names, const hsm::KeyQuirks& quirks) {
  return names.is_array() && std::ranges::all_of(names, [&](const json& name) {
           return name.is_string() && Has(quirks.ignored_on_unwrap, name.get_ref<const std::string&>());
         });
}

// Whether a module with that digest was loaded in the ceremony.
bool HasLoaded(const Side& side, const std::string& sha256) {
  const json& loaded = side.entries.empty() ? MemberOf(json(), "") : MemberOf(side.entries.front(), "modules");
  return std::ranges::any_of(loaded, [&](const json& module) { return TextOf(module, "sha256") == sha256; });
}

// What a side says of an attribute: in a call's template or read back, and where people approved the template.
struct Place {
  bool is_template = false;
  const json& then;
  const json& now;
  std::string name;  // "private.CKA_COPYABLE"; of a template that was approved without its first part
};

std::optional<Place> PlaceOf(const json& then, const json& now, const std::string& where) {
  const auto after = [&](std::string_view prefix) { return where.substr(prefix.size()); };
  for (const char* part : {"template", "attributes"}) {
    if (const std::string prefix = std::string(part) + "."; where.starts_with(prefix))
      return Place{part == std::string_view("template"), MemberOf(then, part), MemberOf(now, part), after(prefix)};
  }
  for (const char* part : {"private", "public"}) {
    if (const std::string prefix = std::string("subject.") + part + "."; where.starts_with(prefix))
      return Place{true, MemberOf(MemberOf(then, "subject"), part), MemberOf(MemberOf(now, "subject"), part),
                   after(prefix)};
  }
  return std::nullopt;
}

}  // namespace

Peculiar::Peculiar(const Side& recorded, const Side& replayed)
    : recorded_(recorded), replayed_(replayed), then_(ProductsOf(recorded)), now_(ProductsOf(replayed)) {}

Peculiar::Two Peculiar::Of(const std::string& token) const {
  static const Product none{"", hsm::QuirksOf("", "", "")};
  const auto then = then_.find(token);
  const auto now = now_.find(token);
  return {then == then_.end() ? none : then->second, now == now_.end() ? none : now->second};
}

bool Peculiar::IsOther(const std::string& token) const {
  const auto other = [&](const std::string& name) {
    const auto [then, now] = Of(name);
    return then.text != now.text;
  };
  if (!token.empty()) return other(token);
  return std::ranges::any_of(then_, [&](const auto& product) { return other(product.first); });
}

// A point belongs to an object when the record has it as the point of a public key with that id.
bool Peculiar::IsPointOf(const std::string& point, const std::string& id) const {
  if (point.empty() || id.empty()) return false;
  return std::ranges::any_of(recorded_.entries, [&](const json& entry) {
    for (const std::string prefix : {"", "public."}) {
      const json& read = MemberOf(entry, "attributes");
      if (TextOf(read, prefix + "CKA_ID") == id && TextOf(read, prefix + "CKA_EC_POINT").ends_with(point)) return true;
    }
    return false;
  });
}

// "rsa-oaep-sha1, CKM_AES_KEY_WRAP_PAD to CKM_AES_KEY_WRAP_KWP": RFC 5649 has a number of its own with each module.
// The entry that plans a copy names both tokens; where the way is said again, it has to be said alike.
bool Peculiar::IsSameWay(const json& then, const json& now, const Unlike& difference) {
  std::pair<std::string, std::string> said{difference.recorded, difference.replayed};
  if (ways_.contains(said)) return true;
  if (TextOf(then, "what") != "copy-way" || TextOf(now, "what") != "copy-way") return false;
  const auto numbers = [&](const Product& source, const Product& target) {
    return fmt::format(", {} to {}", hsm::MechanismName(source.quirks.kwp_mechanism),
                       hsm::MechanismName(target.quirks.kwp_mechanism));
  };
  const auto [source_then, source_now] = Of(TextOf(then, "source"));
  const auto [target_then, target_now] = Of(TextOf(then, "token"));
  const std::string end_then = numbers(source_then, target_then), end_now = numbers(source_now, target_now);
  const std::string transport = said.first.substr(0, said.first.find(','));
  if (said.first != transport + end_then || said.second != transport + end_now) return false;
  ways_.insert(std::move(said));
  return true;
}

std::string_view Peculiar::ExplainAttribute(const json& then, const json& now, const Unlike& difference,
                                            const Product& a, const Product& b) const {
  const std::optional<Place> place = PlaceOf(then, now, difference.where);
  if (!place) return {};
  const std::string last = place->name.substr(place->name.find_last_of('.') + 1);
  const bool had = place->then.contains(place->name), has = place->now.contains(place->name);
  if (!had && IsLeftOut(a, last, place->is_template)) return kLeftOut;
  if (!has && IsLeftOut(b, last, place->is_template)) return kLeftOut;
  const bool came_in = TextOf(then, "fn") == "C_UnwrapKey";
  if (place->is_template) {
    const bool needed = had && came_in && a.quirks.unwrap_needs_nss_db && last == hsm::AttributeName(CKA_NSS_DB);
    return needed && IsPointOf(TextOf(place->then, place->name), TextOf(place->then, "CKA_ID")) ? kPoint
                                                                                                : std::string_view();
  }
  if (Has(a.quirks.unreliable_attributes, last) || Has(b.quirks.unreliable_attributes, last)) return kUnreliable;
  return came_in && (Has(a.quirks.keys.ignored_on_unwrap, last) || Has(b.quirks.keys.ignored_on_unwrap, last))
             ? kIgnored
             : std::string_view();
}

std::string_view Peculiar::Explain(const json& then, const json& now, const Unlike& difference) {
  const std::string last = difference.where.substr(difference.where.find_last_of('.') + 1);
  if (last == "module_sha256")
    return HasLoaded(recorded_, difference.recorded) && HasLoaded(replayed_, difference.replayed) ? "REPLAY-TOKEN-01"
                                                                                                  : "REPLAY-ENTRY-03";
  if (last == "way") return IsOther("") && IsSameWay(then, now, difference) ? kNumber : std::string_view();
  std::string token = TextOf(then, "token");
  if (token.empty()) token = TextOf(MemberOf(then, "subject"), "token");
  if (token.empty() || !IsOther(token)) return {};
  const auto [a, b] = Of(token);
  if (difference.where.starts_with("repaired") && AllIgnored(MemberOf(then, "repaired"), a.quirks.keys) &&
      AllIgnored(MemberOf(now, "repaired"), b.quirks.keys))
    return kIgnored;
  const auto is_kwp = [](const std::string& mechanism, const Product& product) {
    return mechanism == hsm::MechanismName(product.quirks.kwp_mechanism);
  };
  if (difference.where == "mechanism" && is_kwp(difference.recorded, a) && is_kwp(difference.replayed, b))
    return kNumber;
  return ExplainAttribute(then, now, difference, a, b);
}

std::string_view Peculiar::ExplainCall(const json& intent) const {
  const std::string token = TextOf(intent, "token");
  if (TextOf(intent, "fn") != "C_SetAttributeValue" || !IsOther(token)) return {};
  // The key that came in last on this token, before this call.
  const json* came_in = nullptr;
  for (const json& entry : recorded_.entries) {
    if (entry.value("seq", json()) == intent.value("seq", json())) break;
    if (TextOf(entry, "type") == "intent" && TextOf(entry, "token") == token && TextOf(entry, "fn") == "C_UnwrapKey")
      came_in = &entry;
  }
  if (came_in == nullptr) return {};
  const std::string id = TextOf(MemberOf(*came_in, "template"), "CKA_ID");
  if (id.empty() || TextOf(intent, "object").find("id " + id) == std::string::npos) return {};
  const json& set = MemberOf(intent, "template");
  const hsm::KeyQuirks& quirks = Of(token).then.quirks.keys;
  for (const auto& [name, value] : set.items()) {
    if (!Has(quirks.ignored_on_unwrap, name) || MemberOf(MemberOf(*came_in, "template"), name) != value) return {};
  }
  return set.empty() ? std::string_view() : kIgnored;
}

}  // namespace ceremony::replay
