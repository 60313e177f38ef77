#include "ceremony/record/trust.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "ceremony/record/checkpoint.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/strict_parse.h"
#include "hsm/base/encoding.h"
#include "hsm/base/public_key.h"

namespace ceremony::record {
namespace {

using base::Error;
using base::ErrorCode;
using base::MakeError;
using base::Result;
using nlohmann::json;

constexpr std::size_t kMaxRosterBytes = 16u << 20;

// The rules are those of the inputs of a ceremony (docs/script-format.md), of which a roster is one.
Error Invalid(const std::string& message, const char* rule = "INPUT-05") {
  return MakeError(ErrorCode::kInvalidInput, "roster: " + message).WithRule(rule);
}

// Member returns a member of the wanted kind, or says where it is missing.
Result<const json*> Member(const json& object, const std::string& at, const char* key, json::value_t kind) {
  const auto found = object.find(key);
  if (found == object.end()) return Invalid(at + "/" + key + " is missing", "INPUT-03");
  if (found->type() != kind) {
    return Invalid(at + "/" + key + " is " + found->type_name() + " where " + json(kind).type_name() + " is expected",
                   "INPUT-04");
  }
  return &*found;
}

Result<std::string> Text(const json& object, const std::string& at, const char* key) {
  KC_ASSIGN_OR_RETURN(const json* const value, Member(object, at, key, json::value_t::string));
  return value->get<std::string>();
}

struct Person {
  std::string id;
  std::set<std::string> roles;
  std::string domain;  // empty: any
  VerifierKey key;
};

// ReadPerson returns nothing for a person who signs nothing any more.
Result<std::optional<Person>> ReadPerson(const json& person, const std::string& at, const std::string& estate) {
  if (!person.is_object()) return Invalid(at + " is not an object", "INPUT-04");
  KC_ASSIGN_OR_RETURN(std::string id, Text(person, at, "id"));
  if (!IsSafeName(id)) return Invalid(at + "/id \"" + id + "\" is not a name of letters, digits, _, - and .");
  KC_ASSIGN_OR_RETURN(const json* const roles, Member(person, at, "roles", json::value_t::array));
  std::set<std::string> role_names;
  for (const json& role : *roles) {
    if (!role.is_string()) return Invalid(at + "/roles holds something that is not a string", "INPUT-04");
    role_names.insert(role.get<std::string>());
  }
  if (const auto state = person.find("state"); state != person.end()) {
    if (!state->is_string()) return Invalid(at + "/state is not a string", "INPUT-04");
    if (state->get<std::string>() != "active") return std::optional<Person>();
  }
  std::string domain;
  if (person.contains("domain")) {
    KC_ASSIGN_OR_RETURN(domain, Text(person, at, "domain"));
  }
  if (!person.contains("sign_key")) return std::optional<Person>();
  KC_ASSIGN_OR_RETURN(const std::string encoded, Text(person, at, "sign_key"));
  Result<base::Bytes> der = base::Base64Decode(encoded);
  if (!der.ok()) return std::move(der).error().Prefixed("roster: " + at + "/sign_key");
  Result<base::PublicKey> key = base::PublicKey::FromSpki(*der);
  if (!key.ok()) return std::move(key).error().Prefixed("roster: " + at + "/sign_key");
  Result<VerifierKey> named = VerifierKey::Make(PersonKeyName(estate, id), *key);
  if (!named.ok()) return std::move(named).error().Prefixed("roster: " + at + "/sign_key");
  return std::optional<Person>(
      Person{std::move(id), std::move(role_names), std::move(domain), std::move(named).value()});
}

}  // namespace

Result<Trust> Trust::ParseRoster(std::string_view text) {
  Result<json> parsed = ParseStrict(text);
  if (!parsed.ok()) return std::move(parsed).error().Prefixed("roster");
  const json roster = std::move(parsed).value();
  if (!roster.is_object()) return Invalid("not an object", "INPUT-04");
  KC_ASSIGN_OR_RETURN(const std::string format, Text(roster, "", "format"));
  if (format != "keyceremony-roster/1") {
    return Invalid("/format is \"" + format + "\" where \"keyceremony-roster/1\" is expected");
  }
  Trust trust;
  KC_ASSIGN_OR_RETURN(trust.estate_, Text(roster, "", "estate"));
  KC_ASSIGN_OR_RETURN(const json* const people, Member(roster, "", "people", json::value_t::array));
  std::vector<Person> active;
  std::set<std::string> ids;
  std::set<std::string> spkis;
  for (std::size_t i = 0; i < people->size(); ++i) {
    const std::string at = "/people/" + std::to_string(i);
    const json& person = (*people)[i];
    KC_ASSIGN_OR_RETURN(std::optional<Person> read, ReadPerson(person, at, trust.estate_));
    // Also those who sign nothing any more: an id must never mean two people.
    if (!ids.insert(person["id"].get<std::string>()).second) {
      return Invalid(at + "/id \"" + person["id"].get<std::string>() + "\" is the id of two people");
    }
    if (!read) continue;
    if (!spkis.insert(read->key.public_key().SpkiSha256Hex()).second) {
      return Invalid(at + "/sign_key is the key of two people");
    }
    active.push_back(std::move(*read));
  }
  KC_ASSIGN_OR_RETURN(const json* const quorums, Member(roster, "", "quorums", json::value_t::object));
  for (const auto& [name, quorum] : quorums->items()) {
    const std::string at = "/quorums/" + name;
    if (!quorum.is_object()) return Invalid(at + " is not an object", "INPUT-04");
    KC_ASSIGN_OR_RETURN(const std::string role, Text(quorum, at, "role"));
    KC_ASSIGN_OR_RETURN(const json* const m, Member(quorum, at, "m", json::value_t::number_unsigned));
    std::string domain;
    if (quorum.contains("domain")) {
      KC_ASSIGN_OR_RETURN(domain, Text(quorum, at, "domain"));
      if (name == kWitnessQuorum) return Invalid(at + "/domain is there, and this quorum witnesses every domain");
    }
    Quorum entry;
    for (const Person& person : active) {
      const bool fits = domain.empty() || person.domain.empty() || person.domain == domain;
      if (person.roles.contains(role) && fits) entry.keys.push_back(person.key);
    }
    const auto wanted = m->get<std::uint64_t>();
    if (wanted < 1 || wanted > entry.keys.size()) {
      return Invalid(at + "/m is " + std::to_string(wanted) + ", but " + std::to_string(entry.keys.size()) +
                     " active people with a key have the role \"" + role + "\"" +
                     (domain.empty() ? "" : " and not another domain than \"" + domain + "\""));
    }
    entry.m = static_cast<std::size_t>(wanted);
    trust.quorums_.emplace(name, std::move(entry));
  }
  if (trust.Find(kWitnessQuorum) == nullptr) return Invalid("/quorums/custodians is missing", "INPUT-03");
  return trust;
}

Result<Trust> Trust::ReadRoster(const std::string& path) {
  Result<std::string> text = base::ReadFile(path, kMaxRosterBytes);
  if (!text.ok()) return std::move(text).error().Prefixed("roster");
  Result<Trust> trust = ParseRoster(*text);
  if (!trust.ok()) return std::move(trust).error().Prefixed(path);
  return trust;
}

const Trust::Quorum* Trust::Find(std::string_view quorum) const {
  const auto found = quorums_.find(quorum);
  return found == quorums_.end() ? nullptr : &found->second;
}

}  // namespace ceremony::record
