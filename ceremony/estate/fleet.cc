// What becomes of tokens: ordered, commissioned, in service, in transit, retired.
#include <fmt/format.h>

#include <algorithm>

#include "ceremony/estate/estate.h"
#include "ceremony/estate/lookup.h"

namespace ceremony::estate {
namespace {

std::string ListOf(const std::vector<std::string>& names) {
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

std::vector<std::string> Sorted(std::vector<std::string> names) {
  std::ranges::sort(names);
  return names;
}

base::Error NotRegistered(const std::string& token, const char* what, const std::string& known,
                          const std::string& found) {
  return base::Refusal(
      "EST-TOKEN-05", fmt::format("token {} is registered with {} {}, and has {}", token, what, known, found),
      "if this is another device, stop, and find out where the right one is; if not, correct the script");
}

void Fill(std::string& field, const std::string& value) {
  if (!value.empty()) field = value;
}

base::Error NobodyCommissioned(const std::string& token) {
  return base::Refusal("EST-TOKEN-03", fmt::format("token {} is one that nobody commissioned", token),
                       "put a token.commission step before it, or correct the token's name");
}

base::Error WrongState(const Token& token, const std::string& why) {
  return base::Refusal("EST-TOKEN-04",
                       fmt::format("token {} is {} since {}, and {}", token.name, token.state, Where(token.since), why),
                       "`keyceremony status` shows where each token is");
}

// The facts of an order may be corrected until the device is there; then it is what it showed itself to be, and goes
// from place to place with token.custody.
base::Result<void> MayCorrect(const Token& token, const TokenRegistered& e) {
  if (Differ(token.serial, e.serial)) return NotRegistered(token.name, "serial", token.serial, e.serial);
  if (token.state == kOrdered) return {};
  for (const auto& [what, was, is] :
       {std::tuple("maker", &token.manufacturer, &e.manufacturer), std::tuple("model", &token.model, &e.model),
        std::tuple("domain", &token.domain, &e.domain)}) {
    if (Differ(*was, *is)) return NotRegistered(token.name, what, *was, *is);
  }
  if (!Differ(token.site, e.site)) return {};
  return base::Refusal(
      "EST-CUSTODY-03",
      fmt::format("token {} is to be registered at {}, and the estate has it at {}", token.name, e.site, token.site),
      "a token that is in service changes its place with token.custody");
}

void EnterState(Token& token, std::string_view state, const Provenance& provenance) {
  token.state = state;
  token.since = provenance;
}

}  // namespace

std::vector<std::string> Token::SealNumbers() const {
  std::vector<std::string> numbers;
  for (const Seal& seal : seals) numbers.push_back(seal.number);
  return Sorted(std::move(numbers));
}

base::Result<Token*> Estate::UsableToken(const std::string& name, const std::string& what) {
  Token* token = FindNamed(tokens_, name);
  if (token == nullptr || token->state == kOrdered) {
    return base::Refusal("EST-TOKEN-03", fmt::format("{} token {}, which nobody commissioned", what, name),
                         "put a token.commission step before it, or correct the token's name");
  }
  if (!token->usable()) {
    return base::Refusal(
        "EST-TOKEN-04", fmt::format("{} token {}, which is {} since {}", what, name, token->state, Where(token->since)),
        "`keyceremony status` shows where each token is");
  }
  return token;
}

void Estate::PutInService(Token& token, const Provenance& provenance) {
  if (token.state == kCommissioned) EnterState(token, kInService, provenance);
}

base::Result<void> Estate::Take(const TokenRegistered& e, const Provenance& provenance) {
  Token* token = FindNamed(tokens_, e.token);
  if (token == nullptr) {
    Token fresh;
    fresh.name = e.token;
    EnterState(fresh, kOrdered, provenance);
    tokens_.push_back(std::move(fresh));
    token = &tokens_.back();
  } else if (token->retired()) {
    return WrongState(*token, "nothing about it changes any more");
  } else {
    KC_RETURN_IF_ERROR(MayCorrect(*token, e));
  }
  Fill(token->serial, e.serial);
  Fill(token->manufacturer, e.manufacturer);
  Fill(token->model, e.model);
  Fill(token->fips, e.fips);
  Fill(token->role, e.role);
  Fill(token->domain, e.domain);
  Fill(token->site, e.site);
  Fill(token->order, e.order);
  return {};
}

base::Result<void> Estate::Take(const TokenCommissioned& e, const Provenance& provenance) {
  Token* known = FindNamed(tokens_, e.token);
  if (known != nullptr && known->state != kOrdered) {
    if (known->settled == kOrdered && known->state == kInTransit)
      return WrongState(*known, "is not commissioned before it has arrived");
    return base::Refusal("EST-TOKEN-01",
                         fmt::format("token {} is {} since {}", e.token, known->state, Where(known->since)),
                         "one name is one token for ever: commission a new token under a name of its own");
  }
  const Token* twin = FindTokenBySerial(e.serial);
  if (twin != nullptr && twin != known) {
    return base::Refusal(
        "EST-TOKEN-02",
        fmt::format("the token with serial {} is token {}, which is {}", e.serial, twin->name, twin->state),
        "check which device is plugged in and what the binding says");
  }
  if (known == nullptr) {
    tokens_.emplace_back();
    known = &tokens_.back();
    known->name = e.token;
  } else {
    for (const auto& [what, was, is] :
         {std::tuple("serial", &known->serial, &e.serial), std::tuple("maker", &known->manufacturer, &e.manufacturer),
          std::tuple("model", &known->model, &e.model), std::tuple("domain", &known->domain, &e.domain)}) {
      if (Differ(*was, *is)) return NotRegistered(e.token, what, *was, *is);
    }
  }
  known->label = e.label;
  known->firmware = e.firmware;
  known->role = e.role;
  Fill(known->domain, e.domain);
  Fill(known->serial, e.serial);
  Fill(known->manufacturer, e.manufacturer);
  Fill(known->model, e.model);
  EnterState(*known, kCommissioned, provenance);
  return {};
}

base::Result<void> Estate::Take(const TokenVerified& e, const Provenance& provenance) {
  Token* token = FindNamed(tokens_, e.token);
  if (token == nullptr || token->state == kOrdered) return NobodyCommissioned(e.token);
  if (!token->usable()) return WrongState(*token, "cannot be verified");
  if (Differ(token->serial, e.serial)) return NotRegistered(e.token, "serial", token->serial, e.serial);
  for (const auto& [what, was, is] : {std::tuple("firmware", &token->firmware, &e.firmware),
                                      std::tuple("module version", &token->module_version, &e.module_version),
                                      std::tuple("module digest", &token->module_sha256, &e.module_sha256)}) {
    if (!Differ(*was, *is)) continue;
    return base::Refusal("EST-TOKEN-06",
                         fmt::format("token {} is known with {} {}, and has {}", e.token, what, *was, *is),
                         "a change of firmware or module is a ceremony: firmware.record");
  }
  Fill(token->firmware, e.firmware);
  Fill(token->module, e.module);
  Fill(token->module_version, e.module_version);
  Fill(token->module_sha256, e.module_sha256);
  token->inventory = e.inventory;
  token->verified = provenance;
  return {};
}

base::Result<void> Estate::Take(const SealsChanged& e, const Provenance& provenance) {
  Token* token = FindNamed(tokens_, e.token);
  if (token == nullptr) return NobodyCommissioned(e.token);
  if (token->retired()) return WrongState(*token, "its seals do not change any more");
  for (const std::string& number : e.removed) {
    if (std::ranges::any_of(token->seals, [&](const Seal& s) { return s.number == number; })) continue;
    return base::Refusal(
        "EST-SEAL-02",
        fmt::format("seal {} is not on token {}, which has {}", number, e.token, ListOf(token->SealNumbers())),
        "read the number again; if it is right, somebody has changed the seal: stop");
  }
  std::vector<std::string> fresh;
  for (const std::string& number : e.applied) {
    const auto used = seals_.find(number);
    const bool twice = std::ranges::find(fresh, number) != fresh.end();
    fresh.push_back(number);
    if (used == seals_.end() && !twice) continue;
    return base::Refusal(
        "EST-SEAL-01",
        fmt::format("seal {} was used before, on token {}", number, twice ? e.token : tokens_[used->second].name),
        "a seal is used once: read the number again, or take another seal");
  }
  std::erase_if(token->seals, [&](const Seal& s) { return std::ranges::find(e.removed, s.number) != e.removed.end(); });
  const auto place = static_cast<std::size_t>(token - tokens_.data());
  for (const std::string& number : e.applied) {
    token->seals.push_back({number, provenance});
    seals_.emplace(number, place);
  }
  return {};
}

base::Result<void> Estate::Take(const TokenMoved& e, const Provenance& provenance) {
  Token* token = FindNamed(tokens_, e.token);
  if (token == nullptr) return NobodyCommissioned(e.token);
  if (token->retired()) return WrongState(*token, "is not sent anywhere");
  const bool departs = e.phase == "departed";
  const bool under_way = token->state == kInTransit;
  if (departs == under_way) {
    return base::Refusal("EST-CUSTODY-01",
                         fmt::format("token {} is to {}, and is {} since {}", e.token, departs ? "depart" : "come",
                                     token->state, Where(token->since)),
                         "a leg begins with its departure and ends with its arrival: find the one that is missing");
  }
  const std::string& expected_place = departs ? token->site : token->legs.back().to;
  if (Differ(expected_place, e.place)) {
    return base::Refusal(
        "EST-CUSTODY-03",
        fmt::format("token {} is to {} {}, and the estate has it {} {}", e.token, departs ? "leave from" : "arrive at",
                    e.place, departs ? "at" : "on its way to", expected_place),
        "find out where it has been since");
  }
  const std::vector<std::string> known = departs ? token->SealNumbers() : Sorted(token->legs.back().seals);
  // What a planned step will read is not known: an empty time tells.
  if (!e.at.empty() && known != Sorted(e.seals)) {
    return base::Refusal(
        "EST-CUSTODY-02",
        fmt::format("token {} has the seals {}, expected {}", e.token, ListOf(Sorted(e.seals)), ListOf(known)),
        "do not open it: keep it apart, tell the security officer, and find out what happened");
  }
  if (!departs && !e.at.empty() && e.at < token->legs.back().departed) {
    return base::Refusal(
        "EST-CUSTODY-04",
        fmt::format("token {} arrives at {}, before it left at {}", e.token, e.at, token->legs.back().departed),
        "one of the two clocks is wrong: compare it with a time source");
  }
  if (departs) {
    token->settled = token->state;
    EnterState(*token, kInTransit, provenance);
  } else {
    token->legs.back().arrived = e.at.empty() ? "planned" : e.at;
  }
  if (e.phase == "arrived") {
    EnterState(*token, token->settled, provenance);
    token->site = e.place;
    return {};
  }
  token->legs.push_back({e.place, e.to, e.carrier, e.reference, e.escort, e.seals, e.at, "", provenance});
  return {};
}

base::Result<void> Estate::MayRetire(const Token& token) const {
  for (const Key& key : keys_) {
    if (key.state == "destroyed") continue;
    // A file is no copy to rely on: it is lost with its transport key.
    if (key.FindCopy(token.name) == nullptr || key.CopiesOnTokens().size() > 1) continue;
    if (key.state == "active") {
      return base::Refusal("EST-RETIRE-01",
                           fmt::format("token {} holds the last copy of key {}, which is active", token.name, key.name),
                           "clone the key to another token first, or end its use and destroy it");
    }
    return base::Refusal(
        "EST-RETIRE-02",
        fmt::format("token {} holds the last copy of key {}, which is {}", token.name, key.name, key.state),
        "destroy the key with key.destroy first, which accounts for every copy of it");
  }
  return {};
}

base::Result<void> Estate::Take(const TokenRetired& e, const Provenance& provenance) {
  Token* token = FindNamed(tokens_, e.token);
  if (token == nullptr) return NobodyCommissioned(e.token);
  if (token->retired()) return WrongState(*token, "cannot be retired again");
  if (Differ(token->serial, e.serial)) return NotRegistered(e.token, "serial", token->serial, e.serial);
  KC_RETURN_IF_ERROR(MayRetire(*token));
  for (Key& key : keys_) {
    for (Copy& copy : key.copies) {
      if (!copy.in_place() || copy.token != e.token) continue;
      copy.state = "retired";
      copy.ended = provenance;
    }
  }
  for (ShareSet& set : share_sets_) {
    if (set.token == e.token) set.retired = true;
  }
  EnterState(*token, kRetired, provenance);
  return {};
}

base::Result<void> Estate::Take(const FirmwareChanged& e, const Provenance& provenance) {
  Token* token = FindNamed(tokens_, e.token);
  if (token == nullptr || token->state == kOrdered) return NobodyCommissioned(e.token);
  if (!token->usable()) return WrongState(*token, "its firmware is not changed");
  if (Differ(token->serial, e.serial)) return NotRegistered(e.token, "serial", token->serial, e.serial);
  if (Differ(token->firmware, e.before)) {
    return base::Refusal("EST-TOKEN-06",
                         fmt::format("token {} is known with firmware {}, and is said to have had {}", e.token,
                                     token->firmware, e.before),
                         "an upgrade between two ceremonies has no record: find out who did it");
  }
  // A planned change has shown nothing yet.
  if (!e.inventory_after.empty()) {
    for (const Key* key : KeysOn(e.token)) {
      if (key->state == "destroyed" || std::ranges::find(e.survived, key->name) != e.survived.end()) continue;
      return base::Refusal("EST-FIRMWARE-01",
                           fmt::format("key {} is on token {}, and was not shown to have survived", key->name, e.token),
                           "stop, and find out what happened to the key; its other copies are in `keyceremony status`");
    }
  }
  Fill(token->firmware, e.after);
  Fill(token->fips, e.fips);
  Fill(token->module, e.module);
  Fill(token->module_version, e.module_version);
  Fill(token->module_sha256, e.module_sha256);
  Fill(token->inventory, e.inventory_after);
  if (!e.inventory_after.empty()) token->verified = provenance;
  return {};
}

}  // namespace ceremony::estate
