#include "ceremony/steps/copy_arrival.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/estate/by_vendor.h"
#include "ceremony/steps/key_copies.h"
#include "ceremony/steps/key_proof.h"
#include "hsm/base/encoding.h"
#include "hsm/lookup.h"

namespace ceremony::steps {

using nlohmann::json;

std::string FlagWords(const std::optional<bool>& flag) { return !flag ? "(absent)" : *flag ? "true" : "false"; }

base::Result<base::KeyAlgorithm> AlgorithmOf(const estate::Key& key) {
  const base::KeyAlgorithmFacts* known = base::FindKeyAlgorithm(key.algorithm);
  if (known != nullptr) return known->algorithm;
  return base::MakeError(base::ErrorCode::kUnsupported,
                         fmt::format("key {} is \"{}\" in the archive, an algorithm that this program does not know",
                                     key.name, key.algorithm))
      .WithRule("KEY-ALGORITHM-01")
      .WithHint("go on with a program that is as new as the records");
}

base::Result<hsm::KeyPairSpec> SpecOf(const Arrival& arrival) {
  hsm::KeyPairSpec spec;
  KC_ASSIGN_OR_RETURN(spec.algorithm, AlgorithmOf(arrival.key));
  spec.label = arrival.key.name;
  const auto id = base::HexDecode(arrival.object_id);
  if (id.ok()) spec.id = *id;
  if (arrival.extractable) spec.extractable = hsm::Extractable::kYes;
  // What a module ignored in the template can be repaired, and key.seal can close a copy, only while it may be
  // changed; and SoftHSM unwraps no key that may not be.
  spec.modifiable = hsm::Modifiable::kYes;
  return spec;
}

base::Result<void> RemoveRemnants(StepContext& context, const Arrival& arrival, hsm::Session& session) {
  const Progress& progress = context.progress();
  const auto began = [&](const Progress::Call& call) {
    return call.token == arrival.token && (call.function == "C_UnwrapKey" || call.function == "C_CreateObject");
  };
  if (std::ranges::none_of(progress.calls, began) && std::ranges::none_of(progress.unsure, began)) return {};
  KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(session));
  for (const hsm::InventoryItem* item : ObjectsOf(inventory, arrival.key.spki_sha256, arrival.object_id)) {
    context.terminal().Say(room::Tone::kWarning,
                           fmt::format("{} was brought in before the interruption and never proven; it is destroyed.",
                                       item->object.Name()));
    KC_RETURN_IF_ERROR(session.Destroy(item->object));
  }
  return {};
}

base::Result<void> RecordCopy(StepContext& context, const Arrival& arrival, hsm::Session& session,
                              const base::PublicKey& public_key, const std::string& proof, json fields) {
  KC_ASSIGN_OR_RETURN(const hsm::KeyPair pair, hsm::FindKeyBySpki(session, public_key));
  const CK_ATTRIBUTE_TYPE types[] = {CKA_LOCAL, CKA_ALWAYS_SENSITIVE};
  KC_ASSIGN_OR_RETURN(const hsm::AttributeSet origin, session.ReadAttributes(pair.private_object.handle(), types));
  fields.update({{"what", kCopyProven},
                 {"key", arrival.key.name},
                 {"token", arrival.token},
                 {"serial", arrival.serial},
                 {"source", arrival.source},
                 {"object_id", base::HexEncode(pair.private_object.id())},
                 {"spki_sha256", pair.public_key.SpkiSha256Hex()},
                 {"way", arrival.way.starts_with(estate::kByVendor) ? std::string(estate::kByVendor) : arrival.way},
                 {"proof", proof}});
  KC_RETURN_IF_ERROR(context.Record("observe", std::move(fields)));
  context.terminal().ShowFacts({{"clone of", arrival.key.name},
                                {"on", session.token().Name()},
                                {"made there", fmt::format("no (CKA_LOCAL {})", FlagWords(origin.Bool(CKA_LOCAL)))},
                                {"always in hardware", fmt::format("no: it came in wrapped (CKA_ALWAYS_SENSITIVE {})",
                                                                   FlagWords(origin.Bool(CKA_ALWAYS_SENSITIVE)))},
                                {"may be cloned on", arrival.extractable ? "yes" : "no"},
                                {"proof", proof}});
  context.terminal().Say(room::Tone::kGood,
                         fmt::format("The copy on token {} is key {}.", arrival.token, arrival.key.name));
  return {};
}

base::Result<void> TakeOver(StepContext& context, hsm::Session& session, const base::PublicKey& public_key) {
  KC_RETURN_IF_ERROR(hsm::FindKeyBySpki(session, public_key));
  context.terminal().Say(
      room::Tone::kPlain,
      fmt::format("The copy on {} was proven before the interruption; it is taken over.", session.token().Name()));
  return {};
}

base::Result<void> AchieveCopy(StepContext& context, const Arrival& arrival, hsm::Session& session,
                               const base::PublicKey& public_key) {
  KC_ASSIGN_OR_RETURN(const hsm::KeyPair copy, hsm::FindKeyBySpki(session, public_key));
  return context.Achieve(estate::KeyCloned{arrival.key.name, copy.public_key.SpkiSha256Hex(), arrival.source,
                                           arrival.token, arrival.serial, base::HexEncode(copy.private_object.id()),
                                           arrival.way, std::string(ProofName(KindOfProof(context.inputs().policy))),
                                           arrival.extractable});
}

}  // namespace ceremony::steps
