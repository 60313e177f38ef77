// The life of the estate's keys after they were made: copies, use, end.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "ceremony/estate/by_vendor.h"
#include "ceremony/estate/estate.h"
#include "ceremony/estate/lookup.h"
#include "hsm/base/clock_text.h"

namespace ceremony::estate {
namespace {

Copy* CopyInPlace(Key& key, std::string_view token) {
  return FindIf(key.copies, [&](const Copy& c) { return c.in_place() && c.token == token; });
}

}  // namespace

const Copy* Key::FindCopy(std::string_view token) const {
  return FindIf(copies, [&](const Copy& c) { return c.in_place() && c.token == token; });
}

base::Error Key::NoCopyOn(std::string_view token) const {
  for (const Copy& copy : copies) {
    if (copy.token != token) continue;
    return base::Refusal(
        "EST-COPY-04",
        fmt::format("the copy of key {} on token {} is {} since {}", name, token,
                    copy.state == "elsewhere" ? "accounted for elsewhere" : copy.state, Where(copy.ended)),
        "take the token out of the step");
  }
  return base::Refusal("EST-COPY-03", fmt::format("key {} has no copy on token {}", name, token),
                       "correct the token's name: keyceremony status ARCHIVE lists the copies");
}

std::vector<const Copy*> Key::CopiesInPlace() const {
  std::vector<const Copy*> found;
  for (const Copy& copy : copies) {
    if (copy.in_place()) found.push_back(&copy);
  }
  return found;
}

std::vector<const Copy*> Key::CopiesOnTokens() const {
  std::vector<const Copy*> found = CopiesInPlace();
  std::erase_if(found, [](const Copy* copy) { return !copy->transport_key.empty(); });
  return found;
}

void Estate::BeginDestruction(std::string_view key, std::string_view token, const Provenance& where) {
  const auto known = key_names_.find(key);
  if (known == key_names_.end()) return;
  if (Copy* copy = CopyInPlace(keys_[known->second], token)) copy->destroying = where;
}

base::Result<void> Estate::MayUse(const std::string& key, const std::string& what) const {
  const Key* known = FindKey(key);
  if (known == nullptr) {
    return base::Refusal("EST-KEY-03", fmt::format("{} needs key {}, which does not exist", what, key),
                         "put a key.generate step before it, or correct the key's name");
  }
  if (known->state == "destroyed") {
    return base::Refusal("EST-KEY-04",
                         fmt::format("{} needs key {}, which is destroyed since {}", what, key, Where(known->changed)),
                         "a destroyed key does not come back: name another key");
  }
  return {};
}

base::Result<void> Estate::MaySign(const std::string& key, const std::string& what) const {
  KC_RETURN_IF_ERROR(MayUse(key, what));
  const Key* known = FindKey(key);
  if (known->is_transport_key()) {
    return base::Refusal("EST-KEY-07", fmt::format("{} is to be signed by key {}, which is a transport key", what, key),
                         "a transport key signs nothing: name another key");
  }
  if (!known->is_out_of_use()) return {};
  return base::Refusal(
      "EST-KEY-05",
      fmt::format("{} is to be signed by key {}, which is {} since {}", what, key, known->state, Where(known->changed)),
      "a key that is out of use signs no certificate: name its successor");
}

base::Result<void> Estate::MayBeCertified(const std::string& key, const std::string& what) const {
  KC_RETURN_IF_ERROR(MayUse(key, what));
  const Key* known = FindKey(key);
  if (known->is_transport_key()) {
    return base::Refusal("EST-KEY-08", fmt::format("{} is to be of key {}, which is a transport key", what, key),
                         "a transport key belongs to no CA: name another key");
  }
  if (!known->is_out_of_use()) return {};
  return base::Refusal(
      "EST-KEY-08",
      fmt::format("{} is to be of key {}, which is {} since {}", what, key, known->state, Where(known->changed)),
      "nobody is to trust a key that is out of use: name its successor");
}

base::Result<Key*> Estate::KeyNamed(const std::string& key, const std::string& what) {
  KC_RETURN_IF_ERROR(MayUse(key, what));
  return &keys_[key_names_.find(key)->second];
}

base::Result<void> Estate::Take(const KeyCloned& e, const Provenance& provenance) {
  KC_ASSIGN_OR_RETURN(Key * key, KeyNamed(e.key, "a clone"));
  KC_ASSIGN_OR_RETURN(Token * token, UsableToken(e.token, fmt::format("key {} is to be cloned to", e.key)));
  if (Differ(key->domain, token->domain)) {
    return base::Refusal(
        "EST-COPY-05",
        fmt::format("key {} belongs to the domain {}, token {} to {}", e.key, key->domain, e.token, token->domain),
        "each PKI has tokens of its own: clone to a token of the key's domain");
  }
  if (const Copy* there = key->FindCopy(e.token)) {
    return base::Refusal("EST-COPY-01",
                         fmt::format("key {} has a copy on token {} since {}", e.key, e.token, Where(there->since)),
                         "take the token out of the step");
  }
  const Copy* source = key->FindCopy(e.source);
  if (source == nullptr) return key->NoCopyOn(e.source);
  // What a vendor's own cloning moves is not wrapped by CKA_EXTRACTABLE's leave.
  if (!source->extractable && !e.way.starts_with(kByVendor)) {
    return base::Refusal("EST-COPY-02",
                         fmt::format("the copy of key {} on token {} is sealed: nothing leaves it", e.key, e.source),
                         "clone from a copy that may be cloned on, or use the vendor's own way");
  }
  if (Differ(key->spki_sha256, e.spki_sha256)) {
    return base::Refusal("EST-COPY-06",
                         fmt::format("the copy of key {} on token {} shows the public key {}, the key is {}", e.key,
                                     e.token, e.spki_sha256, key->spki_sha256),
                         "this is another key: stop, and find out whose");
  }
  Copy copy{e.token, e.serial, e.object_id, "clone", provenance};
  copy.extractable = e.extractable;
  copy.way = e.way;
  key->copies.push_back(std::move(copy));
  PutInService(*token, provenance);
  return {};
}

base::Result<void> Estate::Take(const KeySealed& e, const Provenance&) {
  KC_ASSIGN_OR_RETURN(Key * key, KeyNamed(e.key, "a seal"));
  Copy* copy = CopyInPlace(*key, e.token);
  if (copy == nullptr) return key->NoCopyOn(e.token);
  copy->extractable = false;
  return {};
}

base::Result<void> Estate::Take(const KeyUsageStated& e, const Provenance& provenance) {
  KC_ASSIGN_OR_RETURN(Key * key, KeyNamed(e.key, "a statement of use"));
  const auto refuse = [&](const std::string& why) {
    return base::Refusal("EST-USE-01", fmt::format("the statement of the use of key {} {}", e.key, why),
                         "use only grows: find out which statement is wrong");
  };
  if (e.count < 0) return refuse(fmt::format("counts {}", e.count));
  if (e.count > 0 && e.last_use < e.first_use)
    return refuse(fmt::format("has the last use on {}, before the first on {}", e.last_use, e.first_use));
  if (key->use && e.count < key->use->count) {
    return refuse(fmt::format("counts {}, the one of {} counts {}", e.count, Where(key->use->since), key->use->count));
  }
  if (key->use && key->use->count > 0 && e.last_use < key->use->last_use) {
    return refuse(fmt::format("has the last use on {}, the one of {} on {}", e.last_use, Where(key->use->since),
                              key->use->last_use));
  }
  key->use = KeyUse{e.count, e.first_use, e.last_use, e.stated_by, e.statement, provenance};
  return {};
}

base::Result<void> Estate::Take(const KeyDeactivated& e, const Provenance& provenance) {
  KC_ASSIGN_OR_RETURN(Key * key, KeyNamed(e.key, "a deactivation"));
  // A compromised key is still taken out of use, once, and may be held as evidence.
  if (!key->deactivated_because.empty()) {
    return base::Refusal(
        "EST-KEY-06",
        fmt::format("key {} was taken out of use already, and is {} since {}", e.key, key->state, Where(key->changed)),
        "take the step out of the script");
  }
  if (!e.hold_until.empty() && !e.on.empty() && e.hold_until < base::DayOf(e.on)) {
    return base::Refusal(
        "EST-HOLD-01",
        fmt::format("key {} is to be held until {}, and is deactivated on {}", e.key, e.hold_until, base::DayOf(e.on)),
        "give a day that is not over");
  }
  if (key->state != "compromised") key->state = e.hold_until.empty() ? "deactivated" : "held";
  key->deactivated_on = e.on;
  key->deactivated_because = e.reason;
  key->cap_reached_on = e.cap_reached_on;
  key->minutes_since_cap = e.minutes_since_cap;
  key->hold_until = e.hold_until;
  key->changed = provenance;
  return {};
}

base::Result<void> Estate::Take(const KeyCompromised& e, const Provenance& provenance) {
  KC_ASSIGN_OR_RETURN(Key * key, KeyNamed(e.key, "a report of compromise"));
  if (key->state == "compromised") {
    return base::Refusal("EST-KEY-06", fmt::format("key {} is compromised since {}", e.key, Where(key->changed)));
  }
  key->state = "compromised";
  key->changed = provenance;
  return {};
}

base::Result<void> Estate::Take(const CopyDestroyed& e, const Provenance& provenance) {
  KC_ASSIGN_OR_RETURN(Key * key, KeyNamed(e.key, "the destruction of a copy"));
  Copy* copy = CopyInPlace(*key, e.token);
  if (copy == nullptr) return key->NoCopyOn(e.token);
  copy->state = e.method == "elsewhere" ? "elsewhere" : "destroyed";
  copy->ended = provenance;
  return {};
}

base::Result<void> Estate::Take(const KeyDestroyed& e, const Provenance& provenance) {
  KC_ASSIGN_OR_RETURN(Key * key, KeyNamed(e.key, "a certificate of destruction"));
  if (const std::vector<const Copy*> left = key->CopiesInPlace(); !left.empty()) {
    std::vector<std::string> places;
    places.reserve(left.size());
    for (const Copy* copy : left)
      places.push_back(
          fmt::format("{} (serial {})", copy->token, copy->serial.empty() ? "not known yet" : copy->serial));
    return base::Refusal("EST-DESTROY-01",
                         fmt::format("key {} still has {} on {}", e.key,
                                     left.size() == 1 ? std::string("a copy") : fmt::format("{} copies", left.size()),
                                     fmt::join(places, ", ")),
                         "destroy every copy, or name those that a document accounts for");
  }
  if (!key->hold_until.empty() && !e.on.empty() && base::DayOf(e.on) < key->hold_until && e.reason.empty()) {
    return base::Refusal(
        "EST-HOLD-02",
        fmt::format("key {} is held until {}, and is to be destroyed on {}", e.key, key->hold_until, base::DayOf(e.on)),
        "wait, or give the reason for destroying it earlier");
  }
  if (key->is_transport_key()) KC_RETURN_IF_ERROR(MayVoidFiles(*key));
  key->state = "destroyed";
  key->changed = provenance;
  if (!key->is_transport_key()) return {};
  // What was wrapped for it opens for nobody any more.
  for (Key& carried : keys_) {
    for (Copy& copy : carried.copies) {
      if (!copy.in_place() || copy.transport_key != e.key) continue;
      copy.state = "void";
      copy.ended = provenance;
    }
  }
  return {};
}

std::vector<const Key*> Estate::KeysToDestroy(std::string_view day) const {
  std::vector<const Key*> due;
  for (const Key& key : keys_) {
    if (key.is_held() && key.hold_until <= day) due.push_back(&key);
  }
  std::stable_sort(due.begin(), due.end(), [](const Key* a, const Key* b) {
    return std::tie(a->hold_until, a->name) < std::tie(b->hold_until, b->name);
  });
  return due;
}

}  // namespace ceremony::estate
