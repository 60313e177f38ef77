#include <fmt/format.h>

#include <algorithm>

#include "ceremony/run/ceremony.h"
#include "hsm/base/digest.h"
#include "hsm/session.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

struct Outcome {
  std::string words;
  json leftovers = json::array();
  std::string inventory;
};

// C_InitToken and C_InitPIN leave no objects; the token's own flags say whether
// they happened, and token.commission goes on from there.
base::Result<Outcome> ReadFlags(Ceremony& ceremony, const CallRecord& call) {
  Outcome outcome;
  KC_RETURN_IF_ERROR(ceremony.tokens().Forget(call.token));
  auto token = ceremony.tokens().Locate(call.token);
  if (!token.ok()) {
    outcome.words = "no initialised token carries the label: " + token.error().message;
    return outcome;
  }
  const hsm::TokenInfo& info = token.value()->info();
  const bool user_pin = (info.flags & CKF_USER_PIN_INITIALIZED) != 0;
  outcome.words = fmt::format("{} is initialised; its user PIN is {}", info.Name(), user_pin ? "set" : "not set");
  KC_RETURN_IF_ERROR(ceremony.tokens().Forget(call.token));
  return outcome;
}

base::Result<Outcome> CompareInventory(Ceremony& ceremony, const CallRecord& call) {
  Outcome outcome;
  KC_ASSIGN_OR_RETURN(hsm::Session * session, ceremony.tokens().Session(call.token));
  KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(*session));
  outcome.inventory = inventory.sha256;
  std::size_t same = 0;
  for (const hsm::InventoryItem& item : inventory.items) {
    const std::string digest = base::Sha256Hex(item.line);
    if (std::binary_search(call.objects_before.begin(), call.objects_before.end(), digest)) {
      ++same;
      continue;
    }
    outcome.leftovers.push_back(
        {{"digest", digest}, {"name", item.object.Name()}, {"line", item.line.substr(0, 1000)}});
  }
  const std::size_t vanished = call.objects_before.size() - std::min(same, call.objects_before.size());
  outcome.words =
      fmt::format("{} objects appeared and {} vanished since before the call", outcome.leftovers.size(), vanished);
  return outcome;
}

base::Result<void> SettleCall(Ceremony& ceremony, const CallRecord& call) {
  const bool by_flags = call.function == "C_InitToken" || call.function == "C_InitPIN" || call.function == "C_SetPIN";
  KC_ASSIGN_OR_RETURN(const Outcome outcome, by_flags ? ReadFlags(ceremony, call) : CompareInventory(ceremony, call));
  ceremony.terminal().Say(room::Tone::kWarning, fmt::format("Call {} ({} on token {}) was cut off: {}.", call.number,
                                                            call.function, call.token, outcome.words));
  json fields = {{"what", "call-settled"}, {"call", call.number},    {"fn", call.function},
                 {"token", call.token},    {"found", outcome.words}, {"leftovers", outcome.leftovers}};
  if (!outcome.inventory.empty()) fields["inventory"] = outcome.inventory;
  KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kObserve, std::move(fields)));
  return {};
}

const hsm::InventoryItem* FindItem(const hsm::Inventory& inventory, const std::string& digest) {
  const auto found = std::find_if(inventory.items.begin(), inventory.items.end(),
                                  [&](const hsm::InventoryItem& item) { return base::Sha256Hex(item.line) == digest; });
  return found == inventory.items.end() ? nullptr : &*found;
}

base::Result<void> RemoveLeftover(Ceremony& ceremony, const Leftover& leftover) {
  KC_ASSIGN_OR_RETURN(hsm::Session * session, ceremony.tokens().Session(leftover.token));
  KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(*session));
  std::string how = "it was no longer there";
  if (const hsm::InventoryItem* item = FindItem(inventory, leftover.digest)) {
    room::Question question;
    question.kind = room::Question::Kind::kDecision;
    question.id = "settle/leftover";
    question.text = fmt::format("On token {} there is {}, which no finished call has made. What shall become of it?",
                                leftover.token, leftover.name);
    question.choices = {"remove", "keep"};
    question.simulated = "remove";
    KC_ASSIGN_OR_RETURN(const std::string decision, ceremony.Ask("administrator", question));
    if (decision != "remove") {
      KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kDeviation,
                                         {{"what", "a leftover object stays on the token"},
                                          {"rule", "SETTLE-KEEP-01"},
                                          {"token", leftover.token},
                                          {"object", leftover.name},
                                          {"digest", leftover.digest},
                                          {"decided_by", question.person.empty() ? "the room" : question.person}}));
      return {};
    }
    const auto destroyed = session->Destroy(item->object);
    if (ceremony.writer().failure()) return *ceremony.writer().failure();
    KC_ASSIGN_OR_RETURN(const hsm::Inventory after, hsm::TakeInventory(*session));
    if (FindItem(after, leftover.digest) != nullptr) {
      // It stays an open item: the record says what is there and that it could not be removed.
      ceremony.terminal().Say(room::Tone::kBad,
                              fmt::format("{} could not be removed from token {}.", leftover.name, leftover.token));
      json fields = {{"what", "a leftover object could not be removed"},
                     {"rule", "SETTLE-KEEP-02"},
                     {"token", leftover.token},
                     {"object", leftover.name},
                     {"digest", leftover.digest}};
      if (!destroyed.ok()) fields["error"] = ErrorFields(destroyed.error());
      KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kDeviation, std::move(fields)));
      return {};
    }
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

}  // namespace

base::Result<void> SettleCalls(Ceremony& ceremony) {
  // Copies: settling appends entries, and so changes the history.
  const std::vector<CallRecord> calls = ceremony.history().calls();
  for (const CallRecord& call : calls) {
    if (call.NeedsSettling()) KC_RETURN_IF_ERROR(SettleCall(ceremony, call));
  }
  const std::vector<Leftover> leftovers = ceremony.history().leftovers();
  for (const Leftover& leftover : leftovers) KC_RETURN_IF_ERROR(RemoveLeftover(ceremony, leftover));
  return {};
}

}  // namespace ceremony::run
