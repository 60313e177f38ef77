#include "hsm/absence.h"

#include <fmt/format.h>

#include "hsm/base/encoding.h"
#include "hsm/describe.h"

namespace hsm {
namespace {

CK_MECHANISM_TYPE SigningMechanism(base::KeyAlgorithm algorithm) {
  if (algorithm == base::KeyAlgorithm::kEd25519) return CKM_EDDSA;
  return base::FactsOf(algorithm).field_bytes == 0 ? CKM_RSA_PKCS : CKM_ECDSA;
}

Error StillThere(const Session& session, const std::string& how, const std::string& what) {
  return base::MakeError(ErrorCode::kCorrupt, fmt::format("{} was destroyed, and {} still has it, found by {}", what,
                                                          session.token().Name(), how))
      .WithRule("KEY-ABSENT-01")
      .WithHint("the token does not destroy what it says it has: take it out of use, and destroy the device");
}

Result<void> SearchFor(Session& session, const std::string& how, const Template& match, Absence& absence) {
  KC_ASSIGN_OR_RETURN(const std::vector<Object> found, session.FindAll(match));
  if (!found.empty()) return StillThere(session, how, found.front().Name());
  absence.searches.push_back(how + ": no object");
  return {};
}

}  // namespace

Result<Absence> ProveAbsent(Session& session, const std::vector<AbsentKey>& keys) {
  Absence absence;
  for (const AbsentKey& key : keys) {
    if (!key.id.empty()) {
      Template by_id;
      by_id.Raw(CKA_ID, key.id);
      KC_RETURN_IF_ERROR(SearchFor(session, "CKA_ID " + base::HexEncode(key.id), by_id, absence));
    }
    for (const CK_OBJECT_CLASS half : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
      Template by_label;
      by_label.Number(CKA_CLASS, half).Text(CKA_LABEL, key.label);
      KC_RETURN_IF_ERROR(SearchFor(
          session,
          fmt::format("CKA_LABEL \"{}\" of a {} key", key.label, half == CKO_PRIVATE_KEY ? "private" : "public"),
          by_label, absence));
    }
  }
  KC_ASSIGN_OR_RETURN(absence.inventory, TakeInventory(session));
  for (const AbsentKey& key : keys) {
    if (key.spki_sha256.empty()) continue;
    const std::string how = "the public key " + key.spki_sha256;
    for (const InventoryItem& item : absence.inventory.items) {
      if (item.spki_sha256 == key.spki_sha256) return StillThere(session, how, item.object.Name());
    }
    absence.searches.push_back(fmt::format("{} among all {} objects: none", how, absence.inventory.items.size()));
  }
  return absence;
}

Result<std::string> TryToSignWith(Session& session, const Object& destroyed, base::KeyAlgorithm algorithm) {
  CK_MECHANISM mechanism{SigningMechanism(algorithm), nullptr, 0};
  const CK_RV rv = session.api().SignInit(session.handle(), &mechanism, destroyed.handle());
  if (rv != CKR_OK) return RvName(rv);
  return base::MakeError(ErrorCode::kCorrupt, fmt::format("{} was destroyed, and {} begins to sign with it",
                                                          destroyed.Name(), session.token().Name()))
      .WithRule("KEY-ABSENT-02")
      .WithHint("the token does not destroy what it says it has: take it out of use, and destroy the device");
}

}  // namespace hsm
