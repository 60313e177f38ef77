#include "ceremony/run/call_journal.h"

#include <algorithm>
#include <utility>

#include "ceremony/steps/key_copies.h"
#include "hsm/base/digest.h"
#include "hsm/cryptoki.h"
#include "hsm/describe.h"
#include "hsm/session.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

// An initialised token may hold anything until C_InitToken has worked, and without a session nobody can look.
enum class Holds : std::uint8_t { kNothing, kUnknown };

// Adds the digest of everything on the token, and the digest of each object while there are few enough to name. Where
// the call has no session, `without_session` is what is known.
base::Result<void> AddInventory(const hsm::ConsequentialCall& call, Holds without_session, json& fields) {
  if (call.session == nullptr) {
    fields["inventory"] = without_session == Holds::kNothing ? base::Sha256Hex("") : std::string();
    if (without_session == Holds::kNothing) fields["objects"] = json::array();
    return {};
  }
  KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(*call.session));
  fields["inventory"] = inventory.sha256;
  fields["object_count"] = inventory.items.size();
  if (inventory.items.size() <= kMaxObjectsNamed) fields["objects"] = ObjectDigests(inventory);
  return {};
}

}  // namespace

std::vector<std::string> ObjectDigests(const hsm::Inventory& inventory) {
  std::vector<std::string> digests;
  digests.reserve(inventory.items.size());
  for (const hsm::InventoryItem& item : inventory.items) digests.push_back(base::Sha256Hex(item.line));
  std::sort(digests.begin(), digests.end());
  return digests;
}

void CallJournal::Attach(Append append, NameToken name_token, std::uint64_t last_call) {
  append_ = std::move(append);
  name_token_ = std::move(name_token);
  last_call_ = last_call;
}

void CallJournal::Detach() { append_ = nullptr; }

void CallJournal::Called(hsm::Function, CK_RV rv, std::chrono::nanoseconds duration) {
  ++count_;
  time_ += duration;
  if (rv != CKR_OK) ++failed_[hsm::RvName(rv)];
}

base::Result<void> CallJournal::Before(const hsm::ConsequentialCall& call) {
  if (!append_) return {};
  json fields = {{"call", call.number},
                 {"fn", hsm::FunctionName(call.function)},
                 {"token", name_token_(call.token_label, call.token_serial)},
                 {"serial", call.token_serial},
                 {"mechanism", call.mechanism},
                 {"template", steps::ToObject(call.attributes)}};
  if (!call.object.empty()) fields["object"] = call.object;
  if (!call.planned_id.empty()) fields["object_id"] = call.planned_id;
  if (!call.planned_label.empty()) fields["object_label"] = call.planned_label;
  if (!call.input_sha256.empty()) fields["input_sha256"] = call.input_sha256;
  if (!call.input.empty()) fields["input"] = call.input;
  KC_RETURN_IF_ERROR(AddInventory(call, call.wipes ? Holds::kUnknown : Holds::kNothing, fields));
  return append_(record::EntryType::kIntent, std::move(fields));
}

base::Result<void> CallJournal::After(const hsm::ConsequentialCall& call, const hsm::CallOutcome& outcome) {
  if (!append_) return {};
  json fields = {{"call", call.number},
                 {"fn", hsm::FunctionName(call.function)},
                 {"token", name_token_(call.token_label, call.token_serial)},
                 {"mechanism", call.mechanism},
                 {"template", steps::ToObject(call.attributes)},
                 {"rv", hsm::RvName(outcome.rv)},
                 {"attributes", steps::ToObject(outcome.attributes)},
                 {"microseconds", std::chrono::duration_cast<std::chrono::microseconds>(outcome.duration).count()}};
  if (!outcome.spki.empty()) fields["spki"] = outcome.spki;
  if (!outcome.problem.empty()) fields["problem"] = outcome.problem;
  // A token that fails the inventory too leaves the call unsettled: no `done`
  // may claim to know what is on it.
  KC_RETURN_IF_ERROR(
      AddInventory(call, call.wipes && outcome.rv != CKR_OK ? Holds::kUnknown : Holds::kNothing, fields));
  return append_(record::EntryType::kDone, std::move(fields));
}

void CallJournal::Trouble(const base::Error& error) { troubles_.push_back(error); }

json CallJournal::TakeCounts() {
  json counts = {
      {"count", std::exchange(count_, 0)},
      {"microseconds", std::chrono::duration_cast<std::chrono::microseconds>(std::exchange(time_, {})).count()}};
  if (!failed_.empty()) counts["failed"] = std::exchange(failed_, {});
  return counts;
}

std::vector<base::Error> CallJournal::TakeTroubles() { return std::exchange(troubles_, {}); }

}  // namespace ceremony::run
