#include "ceremony/steps/signing_key.h"

#include <fmt/format.h>

#include "ceremony/record/record_name.h"
#include "ceremony/steps/key_copies.h"

namespace ceremony::steps {

const estate::Key* CheckSigningKey(const std::string& key, const std::string& token, std::string_view field,
                                   PlanContext& plan) {
  const estate::Key* known = plan.estate().FindKey(key);
  if (known == nullptr) {
    plan.Breach("PLAN-KEY-02", field, fmt::format("by this step nobody has made a key {}", key),
                "put a key.generate step before it, or correct the name");
    return nullptr;
  }
  if (known->state == "active" && known->FindCopy(token) == nullptr) {
    plan.Breach("PLAN-KEY-03", "token", fmt::format("key {} is not on token {}", key, token),
                "name a token that holds the key");
  }
  if (known->state != "active" || known->is_transport_key()) {
    plan.Breach(
        "PLAN-KEY-04", field,
        fmt::format("key {} is to sign, and is {}", key, known->is_transport_key() ? "a transport key" : known->state),
        "sign with a key that is in use");
    return nullptr;
  }
  return known;
}

base::Result<base::PublicKey> KnownPublicKey(const std::string& key, StepContext& context) {
  const estate::Key* known = context.estate().FindKey(key);
  if (known == nullptr) return base::MakeError(base::ErrorCode::kNotFound, "the estate has no key " + key);
  KC_ASSIGN_OR_RETURN(const base::Bytes spki,
                      context.ReadArchived(known->since, record::PublicKeyFile(key), known->spki_sha256));
  auto read = base::PublicKey::FromSpki(spki);
  if (!read.ok()) return std::move(read).error().Prefixed("key " + key);
  return read;
}

base::Result<SigningKey> OpenSigningKey(const std::string& key, const std::string& token, StepContext& context) {
  const estate::Key* known = context.estate().FindKey(key);
  if (known == nullptr) return base::MakeError(base::ErrorCode::kNotFound, "the estate has no key " + key);
  if (known->state != "active") {
    return base::Refusal("KEY-USE-01", fmt::format("key {} is to sign, and is {}", key, known->state),
                         "sign with a key that is in use");
  }
  const estate::Key signer = *known;
  if (signer.FindCopy(token) == nullptr)
    return base::MakeError(base::ErrorCode::kNotFound, fmt::format("key {} has no copy on token {}", key, token));
  KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
  KC_ASSIGN_OR_RETURN(hsm::KeyPair pair, FindCopy(*session, signer, token));
  return SigningKey{session, std::move(pair)};
}

}  // namespace ceremony::steps
