#include "hsm/absence.h"

#include <fmt/format.h>

#include "hsm/base/encoding.h"
#include "hsm/describe.h"
#include "hsm/key_pair_mechanism.h"

namespace hsm {
namespace {

Error StillThere(const Session& session, const std::string& how, const std::string& what) {
  return base::MakeError(ErrorCode::kCorrupt, fmt::format("{} was destroyed, and {} still has it, found by {}", what,
                                                          session.token().Name(), how))
      .WithRule("KEY-ABSENT-01")
      .WithHint("the token does not destroy what it says it has: take it out of use, and destroy the device");
}

Result<void> SearchFor(Session& session, const std::string& how, const Template& match,
                       std::vector<std::string>& searches) {
  KC_ASSIGN_OR_RETURN(const std::vector<Object> found, session.FindAll(match));
  if (!found.empty()) return StillThere(session, how, found.front().Name());
  searches.push_back(how + ": no object");
  return {};
}

// Of what can be read, only a public or a private key object could show the key.
bool ShowsNoKey(const InventoryItem& item) {
  if (!item.problem.empty() || !item.object.object_class()) return true;
  const bool half = item.object.object_class() == CKO_PRIVATE_KEY || item.object.object_class() == CKO_PUBLIC_KEY;
  return half && item.spki_sha256.empty();
}

std::string InWords(const std::vector<std::string>& unidentified) {
  if (unidentified.empty()) return {};
  std::string words = fmt::format("; {} of them show{} no public key, and may be any: ", unidentified.size(),
                                  unidentified.size() == 1 ? "s" : "");
  for (std::size_t i = 0; i < unidentified.size(); ++i) words += (i == 0 ? "" : ", ") + unidentified[i];
  return words;
}

}  // namespace

Result<Absence> ProveAbsent(Session& session, const std::vector<AbsentKey>& keys) {
  Absence absence;
  for (const AbsentKey& key : keys) {
    std::vector<std::string>& searches = absence.searches.emplace_back();
    if (!key.id.empty()) {
      Template by_id;
      by_id.Raw(CKA_ID, key.id);
      KC_RETURN_IF_ERROR(SearchFor(session, "CKA_ID " + base::HexEncode(key.id), by_id, searches));
    }
    for (const CK_OBJECT_CLASS half : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
      Template by_label;
      by_label.Number(CKA_CLASS, half).Text(CKA_LABEL, key.label);
      KC_RETURN_IF_ERROR(SearchFor(
          session,
          fmt::format("CKA_LABEL \"{}\" of a {} key", key.label, half == CKO_PRIVATE_KEY ? "private" : "public"),
          by_label, searches));
    }
  }
  KC_ASSIGN_OR_RETURN(absence.inventory, TakeInventory(session));
  for (const InventoryItem& item : absence.inventory.items) {
    if (ShowsNoKey(item)) absence.unidentified.push_back(ItemName(item));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].spki_sha256.empty()) continue;
    const std::string how = "the public key " + keys[i].spki_sha256;
    for (const InventoryItem& item : absence.inventory.items) {
      if (item.spki_sha256 == keys[i].spki_sha256) return StillThere(session, how, item.object.Name());
    }
    absence.searches[i].push_back(fmt::format("{} among all {} objects: none{}", how, absence.inventory.items.size(),
                                              InWords(absence.unidentified)));
  }
  return absence;
}

Result<std::string> TryToSignWith(Session& session, const Object& destroyed, base::KeyAlgorithm algorithm) {
  CK_MECHANISM mechanism{KeyPairMechanismOf(algorithm).signs, nullptr, 0};
  const CK_RV rv = session.api().SignInit(session.handle(), &mechanism, destroyed.handle());
  // SoftHSM says of keys, too, that the object's handle is invalid.
  if (rv == CKR_KEY_HANDLE_INVALID || rv == CKR_OBJECT_HANDLE_INVALID) return RvName(rv);
  if (rv != CKR_OK) {
    return CallError(
        Function::kSignInit, rv,
        fmt::format("trying to sign with {} on {}, which was destroyed", destroyed.Name(), session.token().Name()));
  }
  return base::MakeError(ErrorCode::kCorrupt, fmt::format("{} was destroyed, and {} begins to sign with it",
                                                          destroyed.Name(), session.token().Name()))
      .WithRule("KEY-ABSENT-02")
      .WithHint("the token does not destroy what it says it has: take it out of use, and destroy the device");
}

}  // namespace hsm
