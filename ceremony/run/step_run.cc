#include "ceremony/run/step_run.h"

#include <fmt/format.h>

#include <utility>

#include "ceremony/run/approval.h"
#include "ceremony/run/key_proof.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::run {

using nlohmann::json;

namespace {
constexpr std::uint64_t kMaxArtefact = 64u << 20;
}

base::Result<std::string> StepRun::Ask(const std::string& role, room::Question question) {
  // Only who is present answers: a question to a role that nobody here holds waits for somebody who does.
  if (!role.empty() && question.person.empty() && attendance().WithRole(role).empty()) {
    return base::MakeError(base::ErrorCode::kNoQuorum, fmt::format("nobody here is {}, who is asked now", role))
        .WithRule("ROOM-ABSENT-01")
        .WithHint("wait for them, then go on: `keyceremony resume RECORD`");
  }
  return ceremony_.Ask(role, std::move(question));
}

base::Result<void> StepRun::Approve(const std::string& statement, const json& subject) {
  return ApproveWithout({}, statement, subject);
}

base::Result<void> StepRun::ProveKeys(const script::Person& person) {
  return run::ProveKeys(ceremony_, person, step_.id);
}

base::Result<void> StepRun::ApproveWithout(const std::string& person, const std::string& statement,
                                           const json& subject) {
  if (step_.quorum.empty()) return {};
  if (asks_ == Asks::kNot) {
    ceremony_.terminal().Say(room::Tone::kGood, "Approved with its section: " + statement);
    return {};
  }
  KC_ASSIGN_OR_RETURN(const script::Quorum* quorum, ceremony_.FindQuorum(step_.quorum));
  KC_RETURN_IF_ERROR(ceremony_.shares().CheckHolders(step_));
  return run::Approve(ceremony_, *quorum,
                      {.step = step_.id, .statement = statement, .subject = subject, .without = person});
}

base::Result<std::uint64_t> StepRun::Record(std::string_view type, json fields) {
  const record::EntryTypeFacts* facts = record::FindEntryType(type);
  if (facts == nullptr)
    return base::MakeError(base::ErrorCode::kInternal, fmt::format("there is no entry type {}", type));
  fields["step"] = step_.id;
  return ceremony_.Append(facts->type, std::move(fields));
}

base::Result<void> StepRun::WriteArtefact(const std::string& name, const std::string& kind, base::ByteView bytes) {
  if (const steps::Progress::Artefact* known = progress_.FindArtefact(name);
      known != nullptr && known->sha256 == base::Sha256Hex(bytes))
    return {};
  return ceremony_.WriteArtefact(name, kind, bytes, step_.id);
}

base::Result<base::Bytes> StepRun::ReadArtefact(const std::string& name) {
  const steps::Progress::Artefact* known = progress_.FindArtefact(name);
  return ReadWithDigest(ceremony_.folder(), name, known == nullptr ? std::string() : known->sha256);
}

base::Result<base::Bytes> StepRun::ReadArchived(const estate::Provenance& record, const std::string& artefact,
                                                const std::string& sha256) {
  return ReadWithDigest(record.ceremony, artefact, sha256);
}

base::Result<base::Bytes> StepRun::ReadWithDigest(const std::string& folder, const std::string& name,
                                                  const std::string& sha256) {
  const std::string path = record::JoinPath(record::JoinPath(folder, record::kArtefactsFolder), name);
  KC_ASSIGN_OR_RETURN(base::Bytes bytes, record::ReadWholeFile(ceremony_.world().storage, path, kMaxArtefact));
  if (!sha256.empty() && sha256 != base::Sha256Hex(bytes)) {
    return base::MakeError(base::ErrorCode::kCorrupt, fmt::format("{} has the SHA-256 {}, the record says {}", path,
                                                                  base::Sha256Hex(bytes), sha256))
        .WithRule("RUN-ARTEFACT-01")
        .WithHint("somebody changed the file; stop, and find out who");
  }
  return bytes;
}

base::Result<void> StepRun::Achieve(const estate::Effect& effect) {
  const std::uint64_t entry = ceremony_.history().entries();
  KC_RETURN_IF_ERROR(
      ceremony_.estate().Apply(effect, {ceremony_.folder(), entry, base::FormatTime(clock().UtcMicros())}));
  effects_.push_back(effect);
  return {};
}

base::Result<hsm::Session*> StepRun::Session(const std::string& token) { return ceremony_.tokens().Session(token); }

base::Result<base::Bytes> StepRun::TokenRandom(const std::string& token, std::size_t octets) {
  return ceremony_.tokens().Random(token, octets);
}

base::Result<std::shared_ptr<hsm::Token>> StepRun::LocateToken(const std::string& token) {
  return ceremony_.tokens().Locate(token);
}

base::Result<steps::BlankToken> StepRun::LocateBlankToken(const std::string& token) {
  return ceremony_.tokens().LocateBlank(token);
}

void StepRun::AdoptToken(const std::string& name, std::shared_ptr<hsm::Token> token) {
  ceremony_.tokens().Adopt(name, std::move(token));
}

// On any other token the CKA_ID says nothing: the log key never was there.
bool StepRun::IsLogKey(const std::string& token, const hsm::InventoryItem& item) const {
  const nlohmann::json& open = ceremony_.history().open();
  const auto spki = base::Base64Decode(open.at("log_key").get<std::string>());
  const nlohmann::json& made = open.at("log_key_attributes");
  const bool is_there = token == made.at("token").get<std::string>();
  return IsOfLogKey(item, spki.ok() ? base::Sha256Hex(*spki) : std::string(),
                    is_there ? made.at("object_id").get<std::string>() : std::string());
}

base::Result<base::SecretBytes> StepRun::CurrentPin(const std::string& token, quorum::Pin pin) {
  if (ceremony_.estate().FindShares(token) != nullptr) return ceremony_.shares().Combine(token, pin);
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> located, LocateToken(token));
  terminal().Say(room::Tone::kPlain, fmt::format("Token {} has no shares yet: its {} is typed for the last time.",
                                                 token, quorum::PinTitle(pin)));
  KC_RETURN_IF_ERROR(Record("observe", {{"what", "pin-typed"}, {"token", token}, {"pin", quorum::PinName(pin)}}));
  PinKeeper& pins = ceremony_.world().pins;
  return pin == quorum::Pin::kUser ? pins.UserPin(token, located->Name())
                                   : pins.SecurityOfficerPin(token, located->Name());
}

base::Result<void> StepRun::EndSession(const std::string& token) { return ceremony_.LogOutOf(token); }

base::Result<void> StepRun::RestartModule(const std::string& token) { return ceremony_.Restart(token); }

base::Result<steps::NewPins> StepRun::ChooseNewPins(const std::string& token, const std::string& quorum) {
  const script::TokenBinding* bound = ceremony_.inputs().binding->Find(token);
  if (bound != nullptr && bound->login == script::Login::kProtectedPath) {
    steps::NewPins pins;
    pins.protected_path = true;
    return pins;
  }
  auto known = new_pins_.find(token);
  if (known == new_pins_.end()) {
    const bool shared = bound != nullptr && bound->login == script::Login::kShares;
    KC_ASSIGN_OR_RETURN(steps::NewPins made, shared ? ceremony_.shares().NewPins(token, quorum, step_.id)
                                                    : ceremony_.world().pins.NewPins(token, "token " + token));
    known = new_pins_.emplace(token, std::move(made)).first;
  }
  const steps::NewPins& pins = known->second;
  return steps::NewPins{pins.security_officer.Clone(), pins.user.Clone(), false, pins.shares};
}

}  // namespace ceremony::run
