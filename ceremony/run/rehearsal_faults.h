// Bad days of a rehearsal: a terminal that tells which step is running, and modules
// whose tokens then fail as the fault file says. The ceremony itself is the real one.
#ifndef CEREMONY_RUN_REHEARSAL_FAULTS_H_
#define CEREMONY_RUN_REHEARSAL_FAULTS_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ceremony/room/terminal.h"
#include "ceremony/run/token_room.h"
#include "ceremony/script/binding.h"
#include "ceremony/script/fault_file.h"
#include "hsm/cryptoki.h"

namespace ceremony::run {

// FaultDirector says what a call to a token meets now.
class FaultDirector final {
 public:
  // Labels of tokens are those of the binding.
  FaultDirector(script::FaultFile faults, const script::Binding& binding);

  // BeginStep counts the tries of a step.
  void BeginStep(const std::string& step);

  // Meets returns the answer that a call gets in place of the token's, after
  // having waited where the token is slow. `label` is the token's own.
  std::optional<CK_RV> Meets(hsm::Function function, const std::string& label);
  // IsPinLocked tells whether the token says that its user PIN is locked.
  bool IsPinLocked(const std::string& label) const;

 private:
  bool IsOn(const script::RehearsedFault& fault, const std::string& label) const;

  script::FaultFile faults_;
  std::map<std::string, std::string> labels_;  // logical token -> label
  std::string step_;
  std::map<std::string, std::int64_t> tries_;
  std::map<std::string, std::int64_t> calls_;  // to each label, in this try
};

// FaultingTerminal passes everything on, and tells the director of each step.
class FaultingTerminal final : public room::Terminal {
 public:
  FaultingTerminal(room::Terminal& inner, FaultDirector& director) : inner_(inner), director_(director) {}
  bool HasPeople() const override { return inner_.HasPeople(); }
  void ShowBanner(const room::Banner& banner) override { inner_.ShowBanner(banner); }
  void ShowStep(const room::StepHeading& heading) override {
    director_.BeginStep(heading.id);
    inner_.ShowStep(heading);
  }
  void Say(room::Tone tone, const std::string& text) override { inner_.Say(tone, text); }
  void ShowFacts(const std::vector<room::Fact>& facts) override { inner_.ShowFacts(facts); }
  void ShowComparison(const room::Comparison& comparison) override { inner_.ShowComparison(comparison); }
  void ShowDigest(const std::string& label, base::ByteView digest) override { inner_.ShowDigest(label, digest); }
  void ShowQr(const std::string& label, const std::string& text) override { inner_.ShowQr(label, text); }
  std::unique_ptr<room::Busy> ShowBusy(const std::string& what) override { return inner_.ShowBusy(what); }
  base::Result<std::string> Ask(const room::Question& question) override { return inner_.Ask(question); }
  base::Result<base::SecretBytes> AskSecret(const room::SecretQuestion& question) override {
    return inner_.AskSecret(question);
  }

 private:
  room::Terminal& inner_;
  FaultDirector& director_;
};

// LoadFaulty loads a module whose tokens ask the director before each call; it must outlive them.
base::Result<std::shared_ptr<hsm::Module>> LoadFaulty(FaultDirector& director, const hsm::ModuleOptions& options,
                                                      std::shared_ptr<hsm::CallObserver> observer);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_REHEARSAL_FAULTS_H_
