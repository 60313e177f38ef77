// StepRun is the StepContext of one attempt at one step.
#ifndef CEREMONY_RUN_STEP_RUN_H_
#define CEREMONY_RUN_STEP_RUN_H_

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ceremony/run/ceremony.h"
#include "ceremony/steps/step_context.h"

namespace ceremony::run {

class StepRun final : public steps::StepContext {
 public:
  // Whether Approve asks the step's quorum, or the section has been approved with this step in it.
  enum class Asks : std::uint8_t { kItsQuorum, kNot };
  StepRun(Ceremony& ceremony, const script::Step& step, Asks asks)
      : ceremony_(ceremony), step_(step), asks_(asks), progress_(ceremony.history().ProgressOf(step.id)) {}

  const script::Inputs& inputs() const override { return ceremony_.inputs(); }
  const estate::Estate& estate() const override { return ceremony_.estate(); }
  const steps::Progress& progress() const override { return progress_; }
  quorum::Attendance& attendance() override { return ceremony_.history().attendance(); }
  room::Terminal& terminal() override { return ceremony_.terminal(); }
  base::Clock& clock() override { return ceremony_.world().clock; }
  base::Result<std::string> Ask(const std::string& role, room::Question question) override;
  base::Result<void> Approve(const std::string& statement, const nlohmann::json& subject) override;
  base::Result<void> ApproveWithout(const std::string& person, const std::string& statement,
                                    const nlohmann::json& subject) override;
  base::Result<void> ProveKeys(const script::Person& person) override;
  base::Result<std::uint64_t> Record(std::string_view type, nlohmann::json fields) override;
  base::Result<void> WriteArtefact(const std::string& name, const std::string& kind, base::ByteView bytes) override;
  base::Result<base::Bytes> ReadArtefact(const std::string& name) override;
  base::Result<base::Bytes> ReadArchived(const estate::Provenance& record, const std::string& artefact,
                                         const std::string& sha256) override;
  base::Result<void> Achieve(const estate::Effect& effect) override;
  base::Result<hsm::Session*> Session(const std::string& token) override;
  base::Result<base::Bytes> TokenRandom(const std::string& token, std::size_t octets) override;
  base::Result<std::shared_ptr<hsm::Token>> LocateToken(const std::string& token) override;
  base::Result<steps::BlankToken> LocateBlankToken(const std::string& token) override;
  void AdoptToken(const std::string& name, std::shared_ptr<hsm::Token> token) override;
  bool IsLogKey(const std::string& token, const hsm::InventoryItem& item) const override;
  base::Result<steps::NewPins> ChooseNewPins(const std::string& token, const std::string& quorum) override;
  base::Result<base::SecretBytes> CurrentPin(const std::string& token, quorum::Pin pin) override;
  base::Result<void> EndSession(const std::string& token) override;
  base::Result<void> RestartModule(const std::string& token) override;

  // What was achieved, for the `end` entry; and into the estate, once that is durable.
  const std::vector<estate::Effect>& effects() const { return effects_; }

 private:
  // Reads artefacts/<name> of a record of the archive; an empty digest is not compared.
  base::Result<base::Bytes> ReadWithDigest(const std::string& folder, const std::string& name,
                                           const std::string& sha256);

  Ceremony& ceremony_;
  const script::Step& step_;
  Asks asks_;
  steps::Progress progress_;
  std::vector<estate::Effect> effects_;
  std::map<std::string, steps::NewPins> new_pins_;  // wiped with the step
};

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_STEP_RUN_H_
