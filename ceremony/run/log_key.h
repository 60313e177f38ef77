// The log key signs a record's checkpoints: ECDSA P-256 on the record token, one
// for each ceremony, not extractable, destroyed when the record is closed.
//
// It is made before there is a log that could announce it. So its plan (label, id,
// what was on the token before) is stored first, as the input `log-key.json`, to
// which the `open` entry commits. A run that was cut off in between is settled from
// that plan.
#ifndef CEREMONY_RUN_LOG_KEY_H_
#define CEREMONY_RUN_LOG_KEY_H_

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ceremony/record/note.h"
#include "ceremony/record/storage.h"
#include "hsm/base/public_key.h"
#include "hsm/base/result.h"
#include "hsm/inventory.h"
#include "hsm/object.h"
#include "hsm/session.h"

namespace ceremony::run {

inline constexpr std::string_view kLogKeyInput = "log-key.json";
inline constexpr base::KeyAlgorithm kLogKeyAlgorithm = base::KeyAlgorithm::kEcP256;

struct LogKeyPlan {
  std::string origin;
  std::string script;  // name of the script among the inputs
  std::string token;   // logical name of the record token
  std::string serial;
  std::string label;                 // CKA_LABEL
  std::string id;                    // CKA_ID, hex
  std::string inventory;             // digest before
  std::vector<std::string> objects;  // digests of the objects before

  nlohmann::json ToJson() const;
  static base::Result<LogKeyPlan> FromJson(const nlohmann::json& object);
};

// ReadLogKeyPlan reads the plan among the inputs of a record; nothing when it has none. kCorrupt when it is no plan.
base::Result<std::optional<LogKeyPlan>> ReadLogKeyPlan(record::Storage& storage, const std::string& folder);

// PlanLogKey chooses a label and a random id, and looks at the token.
base::Result<LogKeyPlan> PlanLogKey(hsm::Session& session, const std::string& token, const std::string& origin,
                                    const std::string& script);

// TokenSigner signs checkpoints with the log key in a session that its owner
// keeps logged in.
class TokenSigner final : public record::NoteSigner {
 public:
  // Generate makes the key as planned. On failure the error names what is left
  // on the token.
  static base::Result<std::unique_ptr<TokenSigner>> Generate(hsm::Session& session, const LogKeyPlan& plan);
  // Find finds the key of a record that is gone on with, by its public key
  // (base64 SPKI, as `open.log_key` has it).
  static base::Result<std::unique_ptr<TokenSigner>> Find(hsm::Session& session, const std::string& origin,
                                                         const std::string& log_key);

  const record::VerifierKey& key() const override { return key_; }
  base::Result<base::Bytes> Sign(std::string_view text) override;
  const hsm::KeyPair& pair() const { return pair_; }

 private:
  TokenSigner(hsm::Session& session, hsm::KeyPair pair, record::VerifierKey key)
      : session_(session), pair_(std::move(pair)), key_(std::move(key)) {}
  hsm::Session& session_;
  hsm::KeyPair pair_;
  record::VerifierKey key_;
};

// IsOfLogKey tells whether an object on the record token is one of the log key: by its public key, or, for a private
// key that shows no public half, by its CKA_ID (hex; empty: by none). Whoever can write to a token can give any object
// the CKA_ID that stands in the record, so it says nothing of a key that shows another public half.
bool IsOfLogKey(const hsm::InventoryItem& item, const std::string& spki_sha256, const std::string& id);

// DestroyLogKey destroys every object of the key on the token; the same session then
// lists none. The module is not restarted for that, because people would have to give
// the PIN once more. The result is the addendum's evidence. Repeating it is harmless.
base::Result<nlohmann::json> DestroyLogKey(hsm::Session& session, const base::PublicKey& log_key,
                                           const std::string& label, const std::string& id, const std::string& time);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_LOG_KEY_H_
