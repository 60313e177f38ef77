// PinKeeper knows where the PIN of a token comes from: people who type it, or
// the envelopes that simulated people keep in a rehearsal. A PIN lives in
// SecretBytes for as long as the call that takes it.
#ifndef CEREMONY_RUN_PINS_H_
#define CEREMONY_RUN_PINS_H_

#include <memory>
#include <string>

#include "ceremony/room/terminal.h"
#include "ceremony/script/policy.h"
#include "ceremony/steps/step_context.h"
#include "hsm/base/result.h"
#include "hsm/base/secret_bytes.h"

namespace ceremony::run {

class PinKeeper {
 public:
  virtual ~PinKeeper() = default;
  // UserPin returns the user PIN of a token; `display` names it for people.
  virtual base::Result<base::SecretBytes> UserPin(const std::string& token, const std::string& display) = 0;
  // SecurityOfficerPin returns the SO PIN.
  virtual base::Result<base::SecretBytes> SecurityOfficerPin(const std::string& token, const std::string& display) = 0;
  // NewPins makes PINs for a token that is being commissioned, and keeps them
  // where they must be. After a crash it may return the same PINs again for the
  // same token.
  virtual base::Result<steps::NewPins> NewPins(const std::string& token, const std::string& display) = 0;
};

// TypedPins asks people at the terminal, one attempt at a time.
class TypedPins final : public PinKeeper {
 public:
  TypedPins(room::Terminal& terminal, const script::PinPolicy& policy) : terminal_(terminal), policy_(policy) {}
  base::Result<base::SecretBytes> UserPin(const std::string& token, const std::string& display) override;
  base::Result<base::SecretBytes> SecurityOfficerPin(const std::string& token, const std::string& display) override;
  base::Result<steps::NewPins> NewPins(const std::string& token, const std::string& display) override;

 private:
  room::Terminal& terminal_;
  script::PinPolicy policy_;
};

// EnvelopePins keeps the PINs of rehearsal tokens in a folder of the simulated
// security officer, one file a PIN (mode 0600), made at random by the policy.
// They are worth nothing outside the rehearsal; still no PIN is ever in the
// record, on the terminal or in an argument.
class EnvelopePins final : public PinKeeper {
 public:
  EnvelopePins(std::string folder, const script::PinPolicy& policy) : folder_(std::move(folder)), policy_(policy) {}
  base::Result<base::SecretBytes> UserPin(const std::string& token, const std::string& display) override;
  base::Result<base::SecretBytes> SecurityOfficerPin(const std::string& token, const std::string& display) override;
  base::Result<steps::NewPins> NewPins(const std::string& token, const std::string& display) override;

 private:
  base::Result<base::SecretBytes> Open(const std::string& token, const char* which) const;
  base::Result<base::SecretBytes> Seal(const std::string& token, const char* which, int length) const;

  std::string folder_;
  script::PinPolicy policy_;
};

// RandomPin draws `length` characters evenly from the alphabet (no modulo bias).
base::SecretBytes RandomPin(const std::string& alphabet, int length);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_PINS_H_
