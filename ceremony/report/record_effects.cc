// What the steps of a record did to the estate, told as the lives of keys, tokens and certificates. Effects are read by
// their names and fields, not by estate::Effect: a record of a newer program is still told, as far as its words go.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "ceremony/record/characters.h"
#include "ceremony/report/json_text.h"
#include "ceremony/report/record_story.h"
#include "hsm/base/counted.h"

namespace ceremony::report {
namespace {

using nlohmann::json;

// Digests and ids stand elsewhere in the report, in groups that people can read.
bool IsLongHex(const std::string& text) { return text.size() >= 32 && record::IsLowerHex(text, text.size()); }

// What its own section or the list of files tells.
const std::set<std::string, std::less<>> kElsewhere{"effect",      "artefact",       "subject_der",
                                                    "path_length", "subject_key_id", "issuer_certificate",
                                                    "module",      "module_version", "ca"};

// Words spells an effect: its name, then what is short of it. A table of tokens has their names and serial numbers
// already.
enum class Place : std::uint8_t { kStep, kTokenTable };
std::string Words(const json& effect, const std::string& name, Place place) {
  constexpr std::size_t kLongest = 70;
  std::vector<std::string> details;
  for (const auto& [field, value] : effect.items()) {
    if (kElsewhere.contains(field)) continue;
    if (place == Place::kTokenTable && (field == "token" || field == "serial")) continue;
    const std::string said = InWords(value);
    if (said.empty() || said.size() > kLongest || IsLongHex(said)) continue;
    details.push_back(Spoken(field, '_') + " " + said);
  }
  return fmt::format("{}{}{}", Spoken(name, '-'), details.empty() ? "" : ": ", fmt::join(details, ", "));
}

std::string DetailOf(const json& effect, const std::string& what) {
  if (what == "key-created" || what == "transport-key-created") return TextOf(effect, "algorithm");
  if (what == "key-imported") return fmt::format("{}, of {}", TextOf(effect, "algorithm"), TextOf(effect, "subject"));
  if (what == "key-cloned") return fmt::format("{}, proven by {}", TextOf(effect, "way"), TextOf(effect, "proof"));
  if (what == "key-usage-stated") return base::Counted(IntegerOf(effect, "count"), "use", "uses");
  if (what == "copy-destroyed") return TextOf(effect, "method");
  return TextOf(effect, "reason");
}

}  // namespace

HandOver* RecordStory::HandOverOf(const std::string& set) {
  const auto found = std::find_if(data_.hand_overs.begin(), data_.hand_overs.end(),
                                  [&](const HandOver& each) { return each.set == set; });
  return found == data_.hand_overs.end() ? nullptr : &*found;
}

void RecordStory::OnEffect(const json& effect, const Moment& at, StepStory& step) {
  const std::string what = TextOf(effect, "effect");
  step.effects.push_back(Words(effect, what, Place::kStep));
  AddEvidence("effect:" + what, at, step.id);
  if (what == "key-deactivated" && TextOf(effect, "reason") == "compromised")
    AddEvidence("effect:key-compromised", at, step.id);
  if (!TextOf(effect, "fips").empty()) AddEvidence("validation:fips-140", at, step.id);
  if (what == "shares-issued") {
    if (HandOver* set = HandOverOf(TextOf(effect, "set")); set != nullptr) set->in_force = true;
  } else if (what == "certificate-issued" || what == "request-created" || what == "crl-issued") {
    OnIssued(effect, at, what);
  } else if (!TextOf(effect, "key").empty()) {
    OnKeyEffect(effect, at, what);
  } else if (!TextOf(effect, "token").empty()) {
    OnTokenEffect(effect, at, what);
  }
}

void RecordStory::OnKeyEffect(const json& effect, const Moment& at, const std::string& what) {
  KeyStory& key = KeyOf(TextOf(effect, "key"));
  for (auto [field, to] : {std::pair{"algorithm", &key.algorithm}, std::pair{"usage", &key.usage},
                           std::pair{"spki_sha256", &key.spki_sha256}}) {
    if (const std::string value = TextOf(effect, field); !value.empty()) *to = value;
  }
  if (what == "key-created") key.extractable = FlagOf(effect, "extractable");
  if (what == "key-created" || what == "transport-key-created") {
    if (const auto read = attributes_.find(TextOf(effect, "object_id")); read != attributes_.end())
      key.attributes = read->second;
  }
  key.events.push_back({what, TextOf(effect, "token"), TextOf(effect, "source"), DetailOf(effect, what), at});
}

void RecordStory::OnIssued(const json& effect, const Moment& at, const std::string& what) {
  IssuedThing thing;
  const char* const member = what == "certificate-issued" ? "certificate" : what == "crl-issued" ? "crl" : "request";
  thing.what = what == "certificate-issued" ? "certificate" : what == "crl-issued" ? "CRL" : "certificate request";
  thing.name = TextOf(effect, member);
  if (const auto compared = compared_.find({member, thing.name}); compared != compared_.end()) {
    thing.clause = compared->second.clause;
    thing.rows = compared->second.rows;
  }
  thing.profile = TextOf(effect, "profile");
  thing.subject = TextOf(effect, what == "crl-issued" ? "issuer" : "subject");
  thing.serial = what == "crl-issued" ? std::to_string(IntegerOf(effect, "number")) : TextOf(effect, "serial");
  thing.not_before = TimeInWords(TextOf(effect, what == "crl-issued" ? "this_update" : "not_before"));
  thing.not_after = TimeInWords(TextOf(effect, what == "crl-issued" ? "next_update" : "not_after"));
  thing.sha256 = TextOf(effect, "sha256");
  thing.artefact = TextOf(effect, "artefact");
  thing.key = TextOf(effect, "key");
  thing.issuer_key = TextOf(effect, "issuer_key");
  thing.at = at;
  data_.issued.push_back(std::move(thing));
}

void RecordStory::OnTokenEffect(const json& effect, const Moment& at, const std::string& what) {
  TokenSeen& token = TokenOf(TextOf(effect, "token"));
  for (auto [field, to] : {std::pair{"label", &token.label}, std::pair{"serial", &token.serial},
                           std::pair{"firmware", &token.firmware}, std::pair{"manufacturer", &token.manufacturer},
                           std::pair{"model", &token.model}, std::pair{"role", &token.role}}) {
    if (const std::string value = TextOf(effect, field); !value.empty()) *to = value;
  }
  token.facts.emplace_back(at.time, Words(effect, what, Place::kTokenTable));
}

void RecordStory::OnShares(const json& entry, const Moment& at, const std::string& what) {
  if (what == "share-set-sealed") {
    const json& shares = MemberOf(entry, "shares");
    HandOver set;
    set.token = TextOf(shares, "token");
    set.set = TextOf(shares, "set");
    set.quorum = TextOf(shares, "quorum");
    set.generation = IntegerOf(shares, "generation");
    set.m = IntegerOf(shares, "m");
    set.at = at;
    const json& holders = MemberOf(shares, "holders");
    if (holders.is_array()) {
      for (const json& holder : holders)
        set.holders.push_back({TextOf(holder, "person"), TextOf(holder, "user"), TextOf(holder, "officer"), {}});
    }
    data_.hand_overs.push_back(std::move(set));
  } else if (what == "share-confirmed") {
    HandOver* set = HandOverOf(TextOf(entry, "set"));
    if (set == nullptr) return;
    for (ShareHolder& holder : set->holders) {
      if (holder.person == TextOf(entry, "person")) holder.confirmed = at;
    }
  } else if (what == "shares-contributed") {
    data_.logins.push_back({TextOf(entry, "token"), TextOf(entry, "pin"), TextsOf(entry, "people"), at});
  }
}

}  // namespace ceremony::report
