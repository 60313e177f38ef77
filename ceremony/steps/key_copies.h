// What the steps about keys and their copies share: finding a copy for what it
// is, and finding what nobody knows of.
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

// TextsOf is a field that is a list of texts; empty when it is absent.
std::vector<std::string> TextsOf(const script::Step& step, std::string_view field);

// ToObject spells a description as members of an object.
nlohmann::json ToObject(const hsm::Description& description);

// FindCopy finds the copy of a key on a token: by the id that the record knows, and
// then it is that key only because its public key is (KEY-SELECT-01). kNotFound
// when the estate knows no such copy in place.
base::Result<hsm::KeyPair> FindCopy(hsm::Session& session, const estate::Key& key, const std::string& token);

// ObjectsOf lists the objects of a key in an inventory, private ones first: by the
// public key, or by the CKA_ID where an object shows none.
std::vector<const hsm::InventoryItem*> ObjectsOf(const hsm::Inventory& inventory, const std::string& spki_sha256,
                                                 const std::string& object_id);

// CheckForStrangers refuses a token that holds what may be a copy that nobody knows of:
//   KEY-STRANGER-01  a known key of which the archive knows no copy there, or more objects of it than a copy has
//   KEY-STRANGER-02  a private key that no copy accounts for, and that does not show which key it is
base::Result<void> CheckForStrangers(StepContext& context, const std::string& token, const hsm::Inventory& inventory);

// KeyMadeBefore finds the pair that an earlier attempt of this step made on a token: its
// attributes were read back then, and it is found by its public key. Nothing when none was, or
// one that may be nobody's key: that is destroyed first (DestroyUnfitPair), and another one is made.
base::Result<std::optional<hsm::KeyPair>> KeyMadeBefore(StepContext& context, const std::string& key,
                                                        const std::string& token);

// CheckKey reports PLAN-KEY-02 for a key that nobody has made by this step, and
// returns it otherwise.
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
