// Shared by the steps about keys and their copies: how to find a copy by its
// public key, and how to find objects that no record accounts for.
#ifndef CEREMONY_STEPS_KEY_COPIES_H_
#define CEREMONY_STEPS_KEY_COPIES_H_

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/steps/plan.h"
#include "ceremony/steps/step_context.h"
#include "hsm/describe.h"
#include "hsm/inventory.h"
#include "hsm/object.h"

namespace ceremony::steps {

// TextsOf returns a field that is a list of texts; empty when it is absent.
std::vector<std::string> TextsOf(const script::Step& step, std::string_view field);

// ToObject spells a description as members of an object.
nlohmann::json ToObject(const hsm::Description& description);

// FindCopy finds the copy of a key on a token by the id in the record, and then checks
// that its public key is the key's (KEY-SELECT-01). kNotFound if the estate has no such
// copy in place.
base::Result<hsm::KeyPair> FindCopy(hsm::Session& session, const estate::Key& key, const std::string& token);

// ObjectsOf lists the objects of a key in an inventory, private ones first: by the
// public key, or by the CKA_ID where an object shows none.
std::vector<const hsm::InventoryItem*> ObjectsOf(const hsm::Inventory& inventory, const std::string& spki_sha256,
                                                 const std::string& object_id);

// CheckForStrangers refuses a token with an object that may be an unrecorded copy:
//   KEY-STRANGER-01  a known key with no recorded copy there, or with more objects than one copy has
//   KEY-STRANGER-02  a private key that no copy accounts for, and that does not show which key it is
base::Result<void> CheckForStrangers(StepContext& context, const std::string& token, const hsm::Inventory& inventory);

// KeyMadeBefore finds the pair that an earlier attempt of this step made on a token, by its public
// key; its attributes were read back then. Nothing if no pair was made. An unfit pair is destroyed
// first (DestroyUnfitPair), and nothing is returned.
base::Result<std::optional<hsm::KeyPair>> KeyMadeBefore(StepContext& context, const std::string& key,
                                                        const std::string& token);

// CheckKey returns a key; it reports PLAN-KEY-02 if no step before this one and no
// earlier ceremony made it.
const estate::Key* CheckKey(const std::string& key, PlanContext& plan);

// AskWhetherTheSame has people compare two sets of words; kTheSame when they agree.
inline constexpr const char* kTheSame = "the same";
base::Result<std::string> AskWhetherTheSame(StepContext& context, const std::string& question_id,
                                            const std::string& text);

// Today is the day by the context's clock, "2026-11-28"; Now the time, RFC 3339.
std::string Today(StepContext& context);
std::string Now(StepContext& context);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_KEY_COPIES_H_
