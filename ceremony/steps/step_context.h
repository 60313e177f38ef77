// StepContext is everything that a running step may use: people, tokens, record
// and estate. The runner implements it; a step has no file, module or clock of
// its own.
#ifndef CEREMONY_STEPS_STEP_CONTEXT_H_
#define CEREMONY_STEPS_STEP_CONTEXT_H_

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/estate/estate.h"
#include "ceremony/quorum/attendance.h"
#include "ceremony/quorum/share.h"
#include "ceremony/room/terminal.h"
#include "ceremony/script/inputs.h"
#include "hsm/base/clock.h"
#include "hsm/base/result.h"
#include "hsm/inventory.h"
#include "hsm/module.h"
#include "hsm/session.h"
#include "hsm/token.h"

namespace ceremony::steps {

// Progress is what an interrupted run has already done in this step, by the
// record; empty on a first run.
struct Progress {
  // Call is a consequential call that returned CKR_OK and was read back.
  struct Call {
    std::string function;  // "C_GenerateKeyPair"
    std::string token;     // logical name
    std::string spki;      // base64 DER, where a public key came out
  };
  // Observation is an `observe` entry of the step.
  struct Observation {
    std::string what, token, key;
  };
  struct Artefact {
    std::string name, sha256, kind;
  };
  // PinChange is one PIN that is being set to what a new share set gives.
  struct PinChange {
    std::string set;       // the new set
    std::string pin;       // "user" or "security-officer"
    bool changed = false;  // false: it was begun, and nobody knows which PIN the token has
  };
  bool resumed = false;      // the step was begun before
  std::vector<Call> calls;   // in order
  std::vector<Call> unsure;  // begun, and failed or cut off: settled, but not known to have worked
  std::vector<Observation> observations;
  std::vector<Artefact> artefacts;  // durable and in place
  std::vector<PinChange> pin_changes;

  // Find returns the newest that fits, nullptr if none does.
  const PinChange* FindPinChange(std::string_view set, std::string_view pin) const;
  const Call* FindCall(std::string_view function, std::string_view token) const;
  const Artefact* FindArtefact(std::string_view name) const;
  // HasBegun tells whether such a call was begun on a token, whatever became of it.
  bool HasBegun(std::string_view function, std::string_view token) const;
  bool HasObserved(std::string_view what, std::string_view token, std::string_view key) const;
};

// BlankToken is an uninitialised token in its slot, and the label it will get.
struct BlankToken {
  std::shared_ptr<hsm::Module> module;
  hsm::TokenInfo info;
  std::string label;
};

// PINs that a token will have. They are chosen before the call that sets them. By
// then people have memorised them, or have their shares.
struct NewPins {
  base::SecretBytes security_officer;
  base::SecretBytes user;
  bool protected_path = false;                 // typed on the token's own pad; both empty
  std::optional<estate::SharesIssued> shares;  // for the estate, once the token has them
};

class StepContext {
 public:
  virtual ~StepContext() = default;

  virtual const script::Inputs& inputs() const = 0;
  virtual const estate::Estate& estate() const = 0;
  virtual const Progress& progress() const = 0;
  virtual quorum::Attendance& attendance() = 0;
  virtual room::Terminal& terminal() = 0;
  virtual base::Clock& clock() = 0;

  // Ask puts a question to the first person present who holds the role (or to
  // everybody when the role is empty) and returns the answer.
  virtual base::Result<std::string> Ask(const std::string& role, room::Question question) = 0;

  // Approve asks the step's quorum, if the script names one, for exactly this:
  // the words people see and the resolved parameters. Nothing consequential may
  // be done before it. kNoQuorum when it is denied or cannot be reached.
  virtual base::Result<void> Approve(const std::string& statement, const nlohmann::json& subject) = 0;

  // ApproveWithout asks as Approve does, without the person whom the request is about:
  // they do not count, and the request says so.
  virtual base::Result<void> ApproveWithout(const std::string& person, const std::string& statement,
                                            const nlohmann::json& subject) = 0;

  // ProveKeys has a person who is not yet appointed show that they hold the private
  // halves of the keys in `person`: they sign a challenge that names this record, and
  // open a text that is sealed to them. The proof is recorded. PERSON-PROOF-01
  // (kRefused): they opened something else; also the refusals of quorum::Credentials.
  virtual base::Result<void> ProveKeys(const script::Person& person) = 0;

  // Record appends an entry (`observe`, `attend`, ...); `step` is filled in.
  virtual base::Result<std::uint64_t> Record(std::string_view type, nlohmann::json fields) = 0;

  // WriteArtefact writes artefacts/<name> once and records its digest; kIo when
  // it exists or cannot be written.
  virtual base::Result<void> WriteArtefact(const std::string& name, const std::string& kind, base::ByteView bytes) = 0;
  // ReadArtefact returns an artefact of this record, its digest checked.
  virtual base::Result<base::Bytes> ReadArtefact(const std::string& name) = 0;

  // ReadArchived returns an artefact of any record of the archive, or of this one.
  // RUN-ARTEFACT-01: its digest is not the one in its record.
  virtual base::Result<base::Bytes> ReadArchived(const estate::Provenance& record, const std::string& artefact,
                                                 const std::string& sha256) = 0;

  // Achieve takes what happened into the estate; the runner writes it into the
  // step's `end` entry. A contradiction is refused with its EST- rule.
  virtual base::Result<void> Achieve(const estate::Effect& effect) = 0;

  // Session returns the section's session with a commissioned token, logged in
  // as user; people are asked for the PIN when it is the first in the section.
  // Owned by the context, valid until the section ends, or EndSession or RestartModule before that.
  virtual base::Result<hsm::Session*> Session(const std::string& token) = 0;

  // TokenRandom returns octets of a token's own generator. That needs no login, so it
  // can be used before an approval.
  virtual base::Result<base::Bytes> TokenRandom(const std::string& token, std::size_t octets) = 0;

  // LocateToken finds the bound token by label and serial, without a login.
  virtual base::Result<std::shared_ptr<hsm::Token>> LocateToken(const std::string& token) = 0;
  // LocateBlankToken finds the uninitialised token that the binding describes.
  virtual base::Result<BlankToken> LocateBlankToken(const std::string& token) = 0;
  // AdoptToken tells the context which token now is behind a logical name.
  virtual void AdoptToken(const std::string& name, std::shared_ptr<hsm::Token> token) = 0;

  // IsLogKey tells whether an object on a token belongs to the key that signs this record, by its public key. A private
  // key without one is recognised by its CKA_ID, on the record token only, and only one such object.
  virtual bool IsLogKey(const std::string& token, const hsm::InventoryItem& item) const = 0;

  // ChooseNewPins makes or asks for PINs that a token is to have, as its binding
  // says; asked again within the step, it returns the same ones. Where they are
  // shared, the members of `quorum` get the shares and have confirmed them.
  virtual base::Result<NewPins> ChooseNewPins(const std::string& token, const std::string& quorum) = 0;
  // CurrentPin returns a PIN that the token has now: the holders give their shares. If
  // the archive has no shares of it, somebody types it.
  virtual base::Result<base::SecretBytes> CurrentPin(const std::string& token, quorum::Pin pin) = 0;
  // EndSession logs out of a token, before a step logs in to it in its own way or it is carried away.
  virtual base::Result<void> EndSession(const std::string& token) = 0;
  // RestartModule ends all sessions with tokens of this token's module and restarts the
  // module (C_Finalize, C_Initialize), so that the next reads come from the token. All
  // sessions, handles and tokens of that module are then dead; the context finds the
  // key that signs the record again.
  virtual base::Result<void> RestartModule(const std::string& token) = 0;
};

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_STEP_CONTEXT_H_
