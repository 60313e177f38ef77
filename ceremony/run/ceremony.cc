#include "ceremony/run/ceremony.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hsm/base/clock_text.h"
#include "hsm/base/digest.h"
#include "hsm/describe.h"

namespace ceremony::run {

using nlohmann::json;

Ceremony::Ceremony(World& world, script::Inputs inputs, estate::Estate estate, std::string folder)
    : world_(world),
      inputs_(std::move(inputs)),
      estate_(std::move(estate)),
      folder_(std::move(folder)),
      begun_micros_(world.clock.BootMicros()),
      journal_(std::make_shared<CallJournal>()),
      tokens_(*inputs_.binding, estate_, world.pins, world.terminal, journal_, world.load_module),
      shares_(*this) {
  tokens_.UseShares([this](const std::string& token) { return shares_.Combine(token, quorum::Pin::kUser); });
}

Ceremony::~Ceremony() {
  // Sessions that close now have no log to speak to.
  journal_->Detach();
}

record::Mode Ceremony::mode() const {
  return inputs_.binding->environment == script::Environment::kRehearsal ? record::Mode::kRehearsal
                                                                         : record::Mode::kProduction;
}

void Ceremony::TakeWriter(std::unique_ptr<record::Writer> writer) {
  writer_ = std::move(writer);
  journal_->Attach(
      [this](record::EntryType type, json fields) -> base::Result<void> {
        KC_RETURN_IF_ERROR(Append(type, std::move(fields)));
        return {};
      },
      [this](const std::string& label, const std::string& serial) { return tokens_.NameOf(label, serial); },
      history_.last_call());
}

base::Result<std::uint64_t> Ceremony::Append(record::EntryType type, json fields) {
  if (type == record::EntryType::kAttend) {
    const script::Person* person = roster().FindPerson(fields.value("person", ""));
    if (person != nullptr && world_.credentials.IsSimulated(*person)) fields["simulated"] = true;
  }
  KC_ASSIGN_OR_RETURN(const std::uint64_t seq, writer_->Append(type, fields));
  fields["type"] = record::FactsOf(type).name;
  KC_RETURN_IF_ERROR(history_.See(fields));
  if (const auto jump = writer_->TakeClockStep()) {
    const std::int64_t micros = jump->utc_micros - jump->expected_micros;
    terminal().Say(room::Tone::kWarning,
                   fmt::format("The machine's clock jumped by {:.3f} s.", static_cast<double>(micros) / 1e6));
    // Nothing may follow `close`; the jump is then between its time and the final note's.
    if (history_.closed()) return seq;
    json deviation = {{"what", "the machine's clock jumped against its own uptime"},
                      {"rule", "CLOCK-STEP-01"},
                      {"at", jump->seq},
                      {"microseconds", micros}};
    KC_RETURN_IF_ERROR(Append(record::EntryType::kDeviation, std::move(deviation)));
  }
  return seq;
}

base::Result<void> Ceremony::WriteArtefact(const std::string& name, const std::string& kind, base::ByteView bytes,
                                           const std::string& step) {
  json extra = {{"step", step}};
  KC_RETURN_IF_ERROR(writer_->WriteArtefact(name, bytes, kind, extra));
  json entry = {
      {"type", "artefact"}, {"step", step}, {"name", name}, {"kind", kind}, {"sha256", base::Sha256Hex(bytes)}};
  return history_.See(entry);
}

base::Result<TokenSigner*> Ceremony::LogKey() {
  if (log_key_ == nullptr) {
    KC_ASSIGN_OR_RETURN(hsm::Session * session, tokens_.Session(RecordToken()));
    const json& open = history_.open();
    auto found =
        TokenSigner::Find(*session, open.at("origin").get<std::string>(), open.at("log_key").get<std::string>());
    if (!found.ok()) {
      base::Error error = std::move(found).error().Prefixed("the key that signs this record");
      if (error.code != base::ErrorCode::kNotFound) return error;
      error.code = base::ErrorCode::kToken;
      return std::move(error).WithHint(
          "nobody can close this record without it: look for the token; when it is gone for good, begin the next "
          "ceremony with --leave-behind " +
          folder_);
    }
    log_key_ = std::move(found).value();
  }
  return log_key_.get();
}

base::Result<void> Ceremony::LogOutOf(const std::string& token) {
  if (token == RecordToken()) log_key_.reset();
  return tokens_.Forget(token);
}

base::Result<void> Ceremony::LogOutOfAll() {
  log_key_.reset();
  return tokens_.LogOut({});
}

base::Result<void> Ceremony::Restart(const std::string& token) {
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Module> module, tokens_.ModuleOf(token));
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Module> of_record, tokens_.ModuleOf(RecordToken()));
  if (module != of_record) return tokens_.Restart(token);
  log_key_.reset();
  KC_RETURN_IF_ERROR(tokens_.Restart(token));
  KC_RETURN_IF_ERROR(LogKey());
  return {};
}

base::Result<record::Checkpoint> Ceremony::Checkpoint() {
  KC_ASSIGN_OR_RETURN(TokenSigner * log_key, LogKey());
  KC_ASSIGN_OR_RETURN(record::Checkpoint checkpoint, writer_->Checkpoint(*log_key));
  KC_RETURN_IF_ERROR(history_.See(json{{"type", "checkpoint"}}));
  return checkpoint;
}

base::Result<base::Bytes> Ceremony::ReadLog() const {
  constexpr std::uint64_t kMaxLogBytes = std::uint64_t{1} << 30;
  return record::ReadWholeFile(world_.storage, record::JoinPath(folder_, record::kLogFile), kMaxLogBytes);
}

std::int64_t Ceremony::ElapsedMicros() const {
  // Only an entry that was read back has its time; until then uptime, which nobody can set, is the better clock.
  const json& open = history_.open();
  const auto opened = base::ParseTime(open.is_object() ? open.value("time", "") : "");
  if (opened.ok()) return std::max<std::int64_t>(0, world_.clock.UtcMicros() - *opened);
  return world_.clock.BootMicros() - begun_micros_;
}

json ErrorFields(const base::Error& error) {
  json fields = {{"code", base::ErrorCodeName(error.code)}, {"message", error.message}};
  if (!error.rule.empty()) fields["rule"] = error.rule;
  if (!error.call.empty()) fields["call"] = error.call;
  if (error.rv) fields["rv"] = hsm::RvName(*error.rv);
  return fields;
}

base::Result<void> Ceremony::AppendRefusal(const base::Error& error, const std::string& step,
                                           const std::string& person) {
  json fields = ErrorFields(error);
  fields["step"] = step;
  if (!person.empty()) fields["person"] = person;
  fields["rule"] = error.rule;  // required, also where there is none
  KC_RETURN_IF_ERROR(Append(record::EntryType::kRefusal, std::move(fields)));
  SetRecorded(error);
  return {};
}

base::Result<const script::Quorum*> Ceremony::FindQuorum(const std::string& name) const {
  const script::Quorum* quorum = roster().FindQuorum(name);
  if (quorum != nullptr) return quorum;
  return base::MakeError(base::ErrorCode::kInvalidInput, fmt::format("the roster defines no quorum {}", name));
}

namespace {
std::string TitleOf(const std::string& role) {
  const auto found = script::FindRole(role);
  return found ? std::string(script::TitleOf(*found)) : role;
}
}  // namespace

base::Result<std::string> Ceremony::Ask(const std::string& role, room::Question question) {
  if (question.person.empty()) {
    const auto present = history_.attendance().WithRole(role);
    question.person = present.empty() ? (role.empty() ? std::string("the room") : "the " + TitleOf(role))
                                      : fmt::format("{} ({})", present.front()->name, TitleOf(role));
  }
  return terminal().Ask(question);
}

}  // namespace ceremony::run
