#include "ceremony/steps/vendor_copy.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/steps/key_copies.h"
#include "ceremony/steps/key_proof.h"
#include "hsm/lookup.h"
#include "hsm/wrap.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;

// AskPeople has them make the copy and returns what the vendor's tool said.
base::Result<std::string> AskPeople(StepContext& context, const VendorCopy& copy) {
  context.terminal().Say(room::Tone::kPlain,
                         fmt::format("Now copy key {} from {} to {} by the vendor's own procedure: {}.",
                                     copy.arrival.key.name, copy.from, copy.to, copy.procedure));
  room::Question done;
  done.kind = room::Question::Kind::kConsent;
  done.id = "key.clone/vendor/" + copy.arrival.token;
  done.text = "The vendor's tool says that it is done.";
  done.expected = "copied";
  done.simulated = done.expected;
  KC_RETURN_IF_ERROR(context.Ask("", done));
  room::Question evidence;
  evidence.kind = room::Question::Kind::kText;
  evidence.id = "key.clone/evidence/" + copy.arrival.token;
  evidence.text = "What did the vendor's tool print as its result (reference, transaction or audit log number)?";
  evidence.example = "audit log 00417, result OK";
  evidence.simulated = "simulated: nothing was copied by a vendor's tool";
  KC_ASSIGN_OR_RETURN(const std::string result, context.Ask("", evidence));
  KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "vendor-copy"},
                                                {"key", copy.arrival.key.name},
                                                {"token", copy.arrival.token},
                                                {"procedure", copy.procedure},
                                                {"evidence", result}}));
  return result;
}

}  // namespace

base::Result<void> TakeInVendorCopy(StepContext& context, const VendorCopy& copy, hsm::Session& session,
                                    const base::PublicKey& public_key) {
  const Arrival& arrival = copy.arrival;
  KC_ASSIGN_OR_RETURN(const std::string result, AskPeople(context, copy));
  auto found = hsm::FindKeyBySpki(session, public_key);
  if (!found.ok()) {
    return base::Refusal("KEY-VENDOR-01",
                         fmt::format("after the vendor's procedure {} does not have key {}: {}", session.token().Name(),
                                     arrival.key.name, found.error().message),
                         "repeat the procedure, then go on with: keyceremony resume RECORD");
  }
  const CK_ATTRIBUTE_TYPE types[] = {CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_LOCAL, CKA_ALWAYS_SENSITIVE};
  KC_ASSIGN_OR_RETURN(const hsm::AttributeSet attributes,
                      session.ReadAttributes(found->private_object.handle(), types));
  if (attributes.Bool(CKA_SENSITIVE) != true || attributes.Bool(CKA_EXTRACTABLE) != arrival.extractable) {
    return base::Refusal("KEY-VENDOR-02",
                         fmt::format("the copy on {} has CKA_SENSITIVE {} and CKA_EXTRACTABLE {}, the script wants "
                                     "true and {}",
                                     session.token().Name(), FlagWords(attributes.Bool(CKA_SENSITIVE)),
                                     FlagWords(attributes.Bool(CKA_EXTRACTABLE)), FlagWords(arrival.extractable)),
                         "destroy this copy with the vendor's tool, and repeat the procedure with the right "
                         "attributes");
  }
  if (!arrival.extractable) KC_RETURN_IF_ERROR(hsm::ProveSealed(session, *found));
  KC_ASSIGN_OR_RETURN(const std::string proof, SignProof(context, session, *found, arrival.key.name, arrival.token));
  json trials = {"it signs as the key"};
  if (!arrival.extractable) trials.push_back("wrapping it is refused");
  return RecordCopy(context, arrival, session, public_key, proof,
                    {{"attributes", ToObject(attributes.Describe("private."))},
                     {"trials", std::move(trials)},
                     {"procedure", copy.procedure},
                     {"evidence", result}});
}

}  // namespace ceremony::steps
