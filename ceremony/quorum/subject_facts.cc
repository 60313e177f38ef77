#include "ceremony/quorum/subject_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace ceremony::quorum {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestFact = 80;  // bytes

struct Label {
  std::string_view member;
  std::string_view words;
};

// A certificate has a serial number, too, and an issuer's key is not the one that is certified.
constexpr std::array<Label, 12> kLabels = {{{"serial", "serial of the token"},
                                            {"object_id", "CKA_ID of the key"},
                                            {"subject_key", "key that is certified"},
                                            {"issuer", "certificate of the issuer"},
                                            {"extractable", "may be cloned on"},
                                            {"proof", "proves itself by a"},
                                            {"first_use", "first use"},
                                            {"last_use", "last use"},
                                            {"stated_by", "stated by"},
                                            {"hold_until", "held until"},
                                            {"cap_reached_on", "cap reached on"},
                                            {"minutes_since_cap", "minutes since the cap"}}};

std::string LabelOf(const std::string& member) {
  const auto* const label = std::ranges::find(kLabels, member, &Label::member);
  return label == kLabels.end() ? member : std::string(label->words);
}

std::string TextOf(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::string WordsOf(const json& value) {
  return value.is_boolean() ? (value.get<bool>() ? "yes" : "no") : TextOf(value);
}

// An empty value tells nobody anything.
bool IsShort(const json& value) {
  if (value.is_string())
    return !value.get_ref<const std::string&>().empty() && value.get_ref<const std::string&>().size() <= kLongestFact;
  return value.is_number_integer() || value.is_boolean();
}

// What the bytes and their digests are was shown before, and the digest of the subject stands for all of them.
bool IsDigest(std::string_view member) { return member.ends_with("sha256"); }

bool IsNothing(const json& value) { return value.is_null() || value == "" || (value.is_array() && value.empty()); }

// Nothing has passed since a cap that was not reached.
bool IsBeside(std::string_view member, const json& subject) {
  return member == "minutes_since_cap" && IsNothing(subject.value("cap_reached_on", json()));
}

bool IsListOf(const json& value, bool (*matches)(const json&)) {
  return value.is_array() && std::ranges::all_of(value, matches);
}

std::string Joined(const json& list) {
  std::vector<std::string> texts;
  for (const json& item : list) texts.push_back(TextOf(item));
  return fmt::format("{}", fmt::join(texts, ", "));
}

// An object of a list in one line: "key root, token backup-hsm".
std::string LineOf(const json& object) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : object.items()) {
    if (!IsDigest(name) && IsShort(value)) parts.push_back(name + " " + TextOf(value));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// PKCS#11 v2.40 section 4.9: what is extractable leaves wrapped, and in the clear where it is not sensitive either.
std::string WaysOut(const json& private_key) {
  const std::string extractable = TextOf(private_key.at("CKA_EXTRACTABLE"));
  const json sensitive = private_key.value("CKA_SENSITIVE", json());
  return fmt::format("{} (CKA_EXTRACTABLE is {}, CKA_SENSITIVE is {})",
                     extractable == "false"        ? "no"
                     : TextOf(sensitive) == "true" ? "yes, encrypted"
                                                   : "YES, IN THE CLEAR",
                     extractable, TextOf(sensitive));
}

void AddAll(const std::string& path, const json& value, std::vector<room::Fact>& facts) {
  if (value.is_object() && !value.empty()) {
    for (const auto& [name, member] : value.items())
      AddAll(path.empty() ? LabelOf(name) : path + "." + name, member, facts);
  } else if (value.is_array() && !value.empty()) {
    for (std::size_t i = 0; i < value.size(); ++i) AddAll(path + "." + std::to_string(i + 1), value[i], facts);
  } else {
    facts.push_back({path, TextOf(value)});
  }
}

}  // namespace

std::vector<room::Fact> ShortFacts(const json& subject) {
  std::vector<room::Fact> facts;
  std::vector<std::string> left_out;
  for (const auto& [name, value] : subject.items()) {
    if (IsNothing(value) || IsBeside(name, subject)) continue;
    const bool is_list_of_objects = IsListOf(value, [](const json& item) { return item.is_object(); });
    if (name == "private" && value.is_object() && value.contains("CKA_EXTRACTABLE")) {
      facts.push_back({"may leave the token", WaysOut(value)});
      left_out.emplace_back("other attributes");
    } else if (!IsDigest(name) && IsShort(value)) {
      facts.push_back({LabelOf(name), WordsOf(value)});
    } else if (!IsDigest(name) && IsListOf(value, IsShort)) {
      facts.push_back({LabelOf(name), Joined(value)});
    } else if (!IsDigest(name) && is_list_of_objects) {
      for (std::size_t i = 0; i < value.size(); ++i)
        facts.push_back({fmt::format("{} {}", LabelOf(name), i + 1), LineOf(value[i])});
    } else {
      left_out.push_back(name);
    }
  }
  if (!left_out.empty()) facts.push_back({"not written out", fmt::format("{}", fmt::join(left_out, ", "))});
  return facts;
}

std::vector<room::Fact> AllFacts(const json& subject) {
  std::vector<room::Fact> facts;
  if (!subject.is_null()) AddAll("", subject, facts);
  return facts;
}

}  // namespace ceremony::quorum
