#include <fmt/format.h>

#include <functional>
#include <set>

#include "ceremony/run/ceremony.h"
#include "hsm/base/counted.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/describe.h"
#include "hsm/inventory.h"
#include "hsm/session.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

struct Outcome {
  std::string words;
  json leftovers = json::array();
  std::size_t vanished = 0;
  std::string inventory;
};

// A call of the whole token leaves no objects. The token's own flags say as much of it as can be seen without a PIN,
// and the step goes on from there.
base::Result<Outcome> ReadFlags(Ceremony& ceremony, const CallRecord& call) {
  Outcome outcome;
  KC_RETURN_IF_ERROR(ceremony.LogOutOf(call.token));
  auto token = ceremony.tokens().Locate(call.token);
  if (!token.ok()) {
    outcome.words = "no initialised token carries the label: " + token.error().message;
    return outcome;
  }
  const hsm::TokenInfo& info = token.value()->info();
  const bool user_pin = (info.flags & CKF_USER_PIN_INITIALIZED) != 0;
  outcome.words = fmt::format("{} is initialised; its user PIN is {}", info.Name(), user_pin ? "set" : "not set");
  KC_RETURN_IF_ERROR(ceremony.LogOutOf(call.token));
  return outcome;
}

// Appeared returns what was not there before the call. Equal lines are matched one to one, since objects of
// which nothing can be read all look alike.
std::vector<const hsm::InventoryItem*> Appeared(const hsm::Inventory& inventory, const CallRecord& call) {
  std::vector<const hsm::InventoryItem*> appeared;
  std::multiset<std::string> before(call.objects_before.begin(), call.objects_before.end());
  for (const hsm::InventoryItem& item : inventory.items) {
    if (const auto known = before.find(base::Sha256Hex(item.line)); known != before.end()) {
      before.erase(known);
    } else if (call.objects_named ||
               (!call.planned_id.empty() && base::HexEncode(item.object.id()) == call.planned_id)) {
      appeared.push_back(&item);
    }
  }
  return appeared;
}

base::Result<Outcome> CompareInventory(Ceremony& ceremony, const CallRecord& call) {
  Outcome outcome;
  KC_ASSIGN_OR_RETURN(hsm::Session * session, ceremony.tokens().Session(call.token));
  KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(*session));
  outcome.inventory = inventory.sha256;
  const std::vector<const hsm::InventoryItem*> appeared = Appeared(inventory, call);
  if (call.function == "C_SetAttributeValue") {
    // It makes no object. What looks new is the one that it was made on, and nobody is to be asked to remove that.
    outcome.words = fmt::format("{}; it makes none, and the step looks at the object again",
                                base::Counted(appeared.size(), "object has other attributes than before the call",
                                              "objects have other attributes than before the call"));
    return outcome;
  }
  for (const hsm::InventoryItem* item : appeared) {
    outcome.leftovers.push_back({{"digest", base::Sha256Hex(item->line)},
                                 {"name", hsm::ItemName(*item)},
                                 {"line", item->line.substr(0, 1000)}});
  }
  if (!call.objects_named) {
    outcome.words = fmt::format(
        "there were too many objects before the call to name each; of the {} there now, {} the id that was planned",
        base::Counted(inventory.items.size(), "object", "objects"), base::Counted(appeared.size(), "has", "have"));
    return outcome;
  }
  const std::size_t same = inventory.items.size() - appeared.size();
  outcome.vanished = call.objects_before.size() - same;
  outcome.words = fmt::format("{} appeared and {} vanished since before the call",
                              base::Counted(appeared.size(), "object", "objects"), outcome.vanished);
  return outcome;
}

base::Result<void> SettleCall(Ceremony& ceremony, const CallRecord& call) {
  KC_ASSIGN_OR_RETURN(const Outcome outcome,
                      call.IsOfWholeToken() ? ReadFlags(ceremony, call) : CompareInventory(ceremony, call));
  ceremony.terminal().Say(
      room::Tone::kWarning,
      fmt::format("Call {} ({} on token {}) {}: {}.", call.number, call.function, call.token,
                  call.rv.empty() ? "was cut off" : "did not end as it should have", outcome.words));
  json fields = {{"what", "call-settled"}, {"call", call.number},    {"fn", call.function},
                 {"token", call.token},    {"found", outcome.words}, {"leftovers", outcome.leftovers}};
  if (!outcome.inventory.empty()) fields["inventory"] = outcome.inventory;
  if (outcome.vanished != 0) fields["vanished"] = outcome.vanished;
  KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kObserve, std::move(fields)));
  return {};
}

std::vector<const hsm::InventoryItem*> ItemsLike(const hsm::Inventory& inventory, const std::string& digest) {
  std::vector<const hsm::InventoryItem*> items;
  for (const hsm::InventoryItem& item : inventory.items) {
    if (base::Sha256Hex(item.line) == digest) items.push_back(&item);
  }
  return items;
}

room::Question WhatBecomesOf(const Leftover& leftover, std::size_t alike) {
  std::string text =
      fmt::format("On token {} there is {}, which no finished call has made.", leftover.token, leftover.name);
  if (alike > 1) text += fmt::format(" It is one of {} that look alike.", alike);
  if (leftover.vanished > 0) {
    text += fmt::format(" {} there before the call and not now: it may be what is left of that.",
                        base::Counted(leftover.vanished, "object was", "objects were"));
  }
  return {.kind = room::Question::Kind::kDecision,
          .id = "settle/leftover",
          .text = text + " What shall become of it?",
          .choices = {"remove", "keep"},
          .simulated = "remove"};
}

base::Result<void> RecordDeviation(Ceremony& ceremony, const Leftover& leftover, json fields) {
  fields["token"] = leftover.token;
  fields["object"] = leftover.name;
  fields["digest"] = leftover.digest;
  KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kDeviation, std::move(fields)));
  return {};
}

// It stays an open item: the record says what was there and that its removal was not shown.
base::Result<void> RecordRefusedRemoval(Ceremony& ceremony, const Leftover& leftover,
                                        const base::Result<void>& destroyed, bool listed) {
  std::string words = fmt::format("{} could not be removed from token {}", leftover.name, leftover.token);
  if (!destroyed.ok() && destroyed.error().rv)
    words += fmt::format(": {} returned {}", destroyed.error().call, hsm::RvName(*destroyed.error().rv));
  words += listed ? ". It stays there." : ". The token lists it no more, which proves nothing.";
  ceremony.terminal().Say(room::Tone::kBad, words + " The record will close with it as an open item.");
  json fields = {
      {"what", "a leftover object could not be removed"}, {"rule", "SETTLE-KEEP-02"}, {"still_listed", listed}};
  if (!destroyed.ok()) fields["error"] = ErrorFields(destroyed.error());
  return RecordDeviation(ceremony, leftover, std::move(fields));
}

base::Result<void> RemoveLeftover(Ceremony& ceremony, const Leftover& leftover) {
  KC_ASSIGN_OR_RETURN(hsm::Session * session, ceremony.tokens().Session(leftover.token));
  KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(*session));
  std::string how = "it was no longer there";
  if (const auto alike = ItemsLike(inventory, leftover.digest); !alike.empty()) {
    const room::Question question = WhatBecomesOf(leftover, alike.size());
    KC_ASSIGN_OR_RETURN(const std::string decision, ceremony.Ask("administrator", question));
    if (decision != "remove") {
      return RecordDeviation(ceremony, leftover,
                             {{"what", "a leftover object stays on the token"},
                              {"rule", "SETTLE-KEEP-01"},
                              {"decided_by", question.person.empty() ? "the room" : question.person}});
    }
    const auto destroyed = session->Destroy(alike.front()->object);
    if (ceremony.writer().failure()) return *ceremony.writer().failure();
    KC_ASSIGN_OR_RETURN(const hsm::Inventory after, hsm::TakeInventory(*session));
    // A module may hide for a while what it could not remove, so a list without it is no proof against its own word.
    const bool listed = ItemsLike(after, leftover.digest).size() >= alike.size();
    if (listed || !destroyed.ok()) return RecordRefusedRemoval(ceremony, leftover, destroyed, listed);
    how = "it was removed with consent";
    ceremony.terminal().Say(room::Tone::kGood, fmt::format("Removed {} from token {}.", leftover.name, leftover.token));
  }
  KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kObserve, {{"what", "leftover-gone"},
                                                                   {"token", leftover.token},
                                                                   {"object", leftover.name},
                                                                   {"digest", leftover.digest},
                                                                   {"how", how}}));
  return {};
}

// Judge says what it means for the whole that a token's part could be settled, or could not.
using Judge = std::function<base::Result<void>(const std::string& token, base::Result<void> settled)>;

base::Result<void> SettleEach(Ceremony& ceremony, const Judge& judge) {
  // Copies: settling appends entries, and so changes the history.
  const std::vector<CallRecord> calls = ceremony.history().calls();
  for (const CallRecord& call : calls) {
    if (call.NeedsSettling()) KC_RETURN_IF_ERROR(judge(call.token, SettleCall(ceremony, call)));
  }
  const std::vector<Leftover> leftovers = ceremony.history().leftovers();
  for (const Leftover& leftover : leftovers)
    KC_RETURN_IF_ERROR(judge(leftover.token, RemoveLeftover(ceremony, leftover)));
  return {};
}

}  // namespace

base::Result<void> SettleCalls(Ceremony& ceremony) {
  return SettleEach(ceremony, [](const std::string&, base::Result<void> settled) { return settled; });
}

base::Result<void> SettleWhatAnswers(Ceremony& ceremony) {
  return SettleEach(ceremony, [&](const std::string& token, base::Result<void> settled) -> base::Result<void> {
    if (settled.ok() || settled.error().code != base::ErrorCode::kToken) return settled;
    ceremony.terminal().Say(
        room::Tone::kBad,
        fmt::format("Token {} does not answer, and what is on it stays unknown: {}", token, settled.error().message));
    return {};
  });
}

}  // namespace ceremony::run
