#include "ceremony/run/unopened.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "ceremony/run/call_journal.h"
#include "ceremony/run/ceremony.h"
#include "ceremony/run/first_login.h"
#include "ceremony/run/log_key.h"
#include "ceremony/run/token_room.h"
#include "hsm/base/digest.h"
#include "hsm/base/random.h"
#include "hsm/inventory.h"

namespace ceremony::run {

using nlohmann::json;

base::Result<bool> HasEntries(World& world, const std::string& folder) {
  KC_ASSIGN_OR_RETURN(const auto log, world.storage.Find(record::JoinPath(folder, record::kLogFile)));
  if (!log || log->size == 0) return false;
  KC_ASSIGN_OR_RETURN(const auto file, world.storage.OpenRead(record::JoinPath(folder, record::kLogFile)));
  base::Bytes head(std::min<std::uint64_t>(log->size, record::kMaxLineBytes + 1));
  KC_ASSIGN_OR_RETURN(const std::size_t got, file->ReadAt(0, head));
  return std::find(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(got), std::uint8_t{'\n'}) !=
         head.begin() + static_cast<std::ptrdiff_t>(got);
}

base::Result<std::string> PutAside(World& world, const std::string& folder) {
  const std::string aside = fmt::format("unopened-{}-{}", folder, base::RandomHex(4));
  KC_RETURN_IF_ERROR(world.storage.Rename(folder, aside));
  KC_RETURN_IF_ERROR(world.storage.SyncFolder(""));
  return aside;
}

namespace {

base::Result<std::string> AskWhatBecomesOf(World& world, const std::string& folder, const hsm::InventoryItem& item) {
  return world.terminal.Ask(
      {.kind = room::Question::Kind::kDecision,
       .id = "settle/unopened",
       .person = "the administrator",
       .text = fmt::format(
           "{} was cut off before it was opened. On the record token it has left {}. What shall become of it?", folder,
           hsm::ItemName(item)),
       .choices = {"remove", "keep"},
       .simulated = "remove"});
}

// Returns what was found, decided and done, for the account.
base::Result<json> SettleObject(World& world, const std::string& folder, hsm::Session& session,
                                const hsm::InventoryItem& item) {
  KC_ASSIGN_OR_RETURN(const std::string decision, AskWhatBecomesOf(world, folder, item));
  json object = {{"object", hsm::ItemName(item)}, {"digest", base::Sha256Hex(item.line)}, {"decision", decision}};
  if (decision != "remove") return object;
  const auto destroyed = session.Destroy(item.object);
  object["removed"] = destroyed.ok();
  if (!destroyed.ok()) {
    object["error"] = ErrorFields(destroyed.error());
    world.terminal.Say(room::Tone::kBad, fmt::format("It could not be removed: {}. It stays there, and the "
                                                     "record that is opened now will say so.",
                                                     destroyed.error().message));
  }
  return object;
}

// Settles each object that has appeared on the record token since the plan was made.
base::Result<json> SettleObjects(World& world, const std::string& folder, TokenRoom& tokens, const LogKeyPlan& plan) {
  KC_ASSIGN_OR_RETURN(hsm::Session * session, FirstLogin(tokens, world.terminal, plan.token));
  if (session->token().info().serial != plan.serial) {
    return base::Refusal("TOKEN-SERIAL-02",
                         fmt::format("{} was being opened on the record token with serial {}, the binding now gives {}",
                                     folder, plan.serial, session->token().info().serial),
                         "bind the token on which the ceremony was begun");
  }
  KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(*session));
  std::multiset<std::string> known(plan.objects.begin(), plan.objects.end());
  json settled = json::array();
  for (const hsm::InventoryItem& item : inventory.items) {
    if (const auto before = known.find(base::Sha256Hex(item.line)); before != known.end()) {
      known.erase(before);
      continue;
    }
    KC_ASSIGN_OR_RETURN(json object, SettleObject(world, folder, *session, item));
    settled.push_back(std::move(object));
  }
  return settled;
}

}  // namespace

base::Result<json> SetAsideUnopened(World& world, const estate::Estate& estate, const script::Binding& binding,
                                    const std::string& folder) {
  json account = {{"folder", folder}, {"removed", json::array()}};
  // Another process may be opening it this very moment.
  const std::string log_path = record::JoinPath(folder, record::kLogFile);
  KC_ASSIGN_OR_RETURN(const auto log, world.storage.Find(log_path));
  std::unique_ptr<record::AppendFile> held;
  if (log) {
    KC_ASSIGN_OR_RETURN(held, world.storage.OpenAppend(log_path, record::Storage::Lock::kExclusive));
  }
  KC_ASSIGN_OR_RETURN(const std::optional<LogKeyPlan> plan, ReadLogKeyPlan(world.storage, folder));
  if (plan) {
    TokenRoom tokens(binding, estate, world.pins, world.terminal, std::make_shared<CallJournal>(), world.load_module);
    KC_ASSIGN_OR_RETURN(account["removed"], SettleObjects(world, folder, tokens, *plan));
  }
  KC_ASSIGN_OR_RETURN(const std::string aside, PutAside(world, folder));
  account["kept_as"] = aside;
  world.terminal.Say(room::Tone::kWarning,
                     fmt::format("{} was cut off before it was opened; it is kept as {}.", folder, aside));
  return account;
}

}  // namespace ceremony::run
