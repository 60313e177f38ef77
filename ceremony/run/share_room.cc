#include "ceremony/run/share_room.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/record/storage.h"
#include "ceremony/room/reasoned_choice.h"
#include "ceremony/run/ceremony.h"
#include "hsm/base/digest.h"
#include "hsm/base/file.h"

namespace ceremony::run {
namespace {

using nlohmann::json;
using quorum::Pin;

constexpr std::uint64_t kMaxShareFile = 65536;

std::string Who(const script::Person& person) { return fmt::format("{} (share holder)", person.name); }

// Whatever is wrong with one person's share, the others may still do.
bool IsOfOneShare(const base::Error& error) {
  return error.code != base::ErrorCode::kAborted && error.code != base::ErrorCode::kIo &&
         error.code != base::ErrorCode::kInternal;
}

// What another copy of the file may mend.
bool IsOfFile(const base::Error& error) {
  constexpr std::string_view kRules[] = {"SHARE-FILE-",     "SHARE-ESTATE-", "SHARE-TOKEN-", "SHARE-SET-",
                                         "SHARE-HOLDER-01", "SHARE-COMMIT-", "SHARE-SEAL-"};
  return std::ranges::any_of(kRules, [&](std::string_view rule) { return error.rule.starts_with(rule); });
}

estate::SharesIssued EffectOf(const estate::ShareSet& set) {
  return {set.token, set.set, set.generation, set.quorum, set.m, set.holders};
}

json ProofFields(const quorum::SplitProof& proof) {
  if (proof.how == quorum::HowProven::kOnePolynomial) return {{"how", "one-polynomial"}};
  return {{"how", "every-subset"}, {"subsets", proof.subsets}};
}

}  // namespace

const estate::ShareSet* ShareRoom::FindSet(const std::string& token) {
  if (const estate::ShareSet* known = ceremony_.estate().FindShares(token)) return known;
  // The token may have its PINs, and the step that gave them not have ended.
  const NewSetHistory* begun = ceremony_.history().FindNewSet(token);
  return begun != nullptr && begun->confirmed_by_all() ? &begun->set : nullptr;
}

base::Result<base::SecretBytes> ShareRoom::Combine(const std::string& token, Pin pin) {
  const estate::ShareSet* found = FindSet(token);
  if (found == nullptr) {
    return base::Refusal(
        "SHARE-NONE-01",
        fmt::format("token {} is bound with login \"shares\", and this archive knows of no shares of it", token),
        "share its PINs with quorum.reshare before it is used, bind it with \"pin-prompt\" or \"protected-path\", or "
        "bring the archive of its commissioning");
  }
  estate::ShareSet set = *found;  // entries that are appended may move it
  if (set.since.ceremony.empty()) set.since.ceremony = ceremony_.folder();
  return CombineSet(set, pin);
}

base::Result<base::SecretBytes> ShareRoom::CombineSet(const estate::ShareSet& set, Pin pin) {
  quorum::PinAssembly assembly(set, pin);
  for (const estate::ShareHolder& holder : set.holders) {
    if (assembly.complete()) break;
    const script::Person* person = ceremony_.roster().FindPerson(holder.person);
    if (person == nullptr || ceremony_.history().attendance().Find(holder.person) == nullptr) continue;
    const room::Question question{.kind = room::Question::Kind::kChoice,
                                  .id = "share.contribute/" + person->id,
                                  .person = Who(*person),
                                  .text = fmt::format("Do you give your share of the {} of token {}? ({} more needed)",
                                                      quorum::PinTitle(pin), set.token, assembly.missing()),
                                  .choices = {"give", "decline"},
                                  .simulated = "give"};
    KC_ASSIGN_OR_RETURN(const room::ReasonedChoice answer, room::AskReasonedChoice(ceremony_.terminal(), question));
    if (!answer.IsYes()) {
      KC_RETURN_IF_ERROR(RecordDeclined(set, *person, answer.reason));
      continue;
    }
    if (auto given = Contribute(set, *person, pin, assembly); !given.ok()) {
      if (!IsOfOneShare(given.error())) return std::move(given).error();
      ceremony_.terminal().Say(room::Tone::kBad, given.error().message);
      if (!given.error().rule.empty() && !ceremony_.HasRecorded(given.error()))
        KC_RETURN_IF_ERROR(RecordRefusal(given.error(), *person));
      continue;
    }
    ceremony_.terminal().Say(room::Tone::kGood, fmt::format("{} has given a share ({} of {}).", person->name,
                                                            assembly.people().size(), set.m));
  }
  KC_ASSIGN_OR_RETURN(base::SecretBytes secret, assembly.Combine());
  if (ceremony_.has_writer()) {
    KC_RETURN_IF_ERROR(ceremony_.Append(record::EntryType::kObserve, {{"what", "shares-contributed"},
                                                                      {"token", set.token},
                                                                      {"set", set.set},
                                                                      {"generation", set.generation},
                                                                      {"pin", quorum::PinName(pin)},
                                                                      {"people", assembly.people()}}));
  }
  return secret;
}

base::Result<void> ShareRoom::RecordDeclined(const estate::ShareSet& set, const script::Person& person,
                                             const std::string& reason) {
  const std::string text = fmt::format("{} gives no share of token {}: {}", person.name, set.token, reason);
  ceremony_.terminal().Say(room::Tone::kPlain, text + ".");
  if (!ceremony_.has_writer()) return {};
  KC_RETURN_IF_ERROR(ceremony_.Append(record::EntryType::kNote, {{"what", "share-declined"},
                                                                 {"text", text},
                                                                 {"step", ceremony_.history().current_step()},
                                                                 {"token", set.token},
                                                                 {"set", set.set},
                                                                 {"person", person.id},
                                                                 {"reason", reason}}));
  return {};
}

base::Result<void> ShareRoom::RecordRefusal(const base::Error& why, const script::Person& person) {
  if (!ceremony_.has_writer()) return {};
  return ceremony_.AppendRefusal(why, ceremony_.history().current_step(), person.id);
}

// An empty answer: the holder gives up.
base::Result<std::string> ShareRoom::AskForCopy(const script::Person& person, const base::Error& why) {
  room::Terminal& terminal = ceremony_.terminal();
  terminal.Say(room::Tone::kBad, why.message + (why.rule.empty() ? "" : " [" + why.rule + "]"));
  const char* const use_copy = "use my copy";
  KC_ASSIGN_OR_RETURN(const std::string answer, terminal.Ask({.kind = room::Question::Kind::kChoice,
                                                              .id = "share.copy/" + person.id,
                                                              .person = Who(person),
                                                              .text = "Have you a copy of your share file with you?",
                                                              .choices = {use_copy, "no"},
                                                              .simulated = "no"}));
  if (answer != use_copy) return std::string();
  return terminal.Ask({.kind = room::Question::Kind::kText,
                       .id = "share.copy/path/" + person.id,
                       .person = Who(person),
                       .text = "Where is it? Type the path of the file.",
                       .pattern = "/[^ ].*",
                       .example = fmt::format("/media/stick/{}.share.json", person.id)});
}

base::Result<std::vector<quorum::ShamirShare>> ShareRoom::Open(const estate::ShareSet& set,
                                                               const script::Person& person,
                                                               quorum::SharePurpose purpose, std::vector<Pin> pins) {
  std::string path = record::JoinPath(record::JoinPath(set.since.ceremony, record::kArtefactsFolder),
                                      quorum::ShareArtefact(set.token, set.set, person.id));
  for (;;) {
    auto opened = OpenFrom(path, set, person, purpose, pins);
    if (opened.ok() || !IsOfFile(opened.error()) || !ceremony_.terminal().HasPeople()) return opened;
    if (!ceremony_.HasRecorded(opened.error())) KC_RETURN_IF_ERROR(RecordRefusal(opened.error(), person));
    KC_ASSIGN_OR_RETURN(path, AskForCopy(person, opened.error()));
    if (path.empty()) return opened;
  }
}

base::Result<std::vector<quorum::ShamirShare>> ShareRoom::OpenFrom(const std::string& path, const estate::ShareSet& set,
                                                                   const script::Person& person,
                                                                   quorum::SharePurpose purpose,
                                                                   const std::vector<Pin>& pins) {
  KC_ASSIGN_OR_RETURN(script::LoadedFile file, LoadShare(path, person));
  quorum::ShareRequest request;
  request.step = ceremony_.history().current_step();
  request.purpose = purpose;
  request.pins = pins;
  request.share_bytes = file.bytes;
  auto share = script::ParseShare(std::move(file));
  if (!share.ok()) return std::move(share).error().WithRule("SHARE-FILE-02");
  request.share = std::move(share).value();
  KC_RETURN_IF_ERROR(quorum::CheckShare(request.share, ceremony_.roster().estate, set, person.id));
  return ceremony_.world().credentials.OpenShares(person, ShareUseOf(ceremony_, person, std::move(request)));
}

base::Result<script::LoadedFile> ShareRoom::LoadShare(const std::string& path, const script::Person& person) {
  script::LoadedFile file;
  file.name = path;
  if (path.starts_with('/')) {
    auto bytes = base::ReadFile(path, kMaxShareFile);
    if (!bytes.ok()) {
      // A stick that fails is no disk of the record's.
      base::Error error = std::move(bytes).error();
      error.code = base::ErrorCode::kNotFound;
      return std::move(error).WithRule("SHARE-FILE-01");
    }
    file.bytes = std::move(bytes).value();
  } else {
    KC_ASSIGN_OR_RETURN(const auto there, ceremony_.world().storage.Find(path));
    if (!there) {
      return base::MakeError(base::ErrorCode::kNotFound, fmt::format("{}'s share file {} is missing", person.id, path))
          .WithRule("SHARE-FILE-01")
          .WithHint("put the copy back that the custodian or the off-site archive has");
    }
    KC_ASSIGN_OR_RETURN(const base::Bytes bytes, record::ReadWholeFile(ceremony_.world().storage, path, kMaxShareFile));
    file.bytes = std::string(base::AsText(bytes));
  }
  file.sha256 = base::Sha256Hex(file.bytes);
  return file;
}

base::Result<void> ShareRoom::Contribute(const estate::ShareSet& set, const script::Person& person, Pin pin,
                                         quorum::PinAssembly& assembly) {
  KC_ASSIGN_OR_RETURN(std::vector<quorum::ShamirShare> shares,
                      Open(set, person, quorum::SharePurpose::kOpenToken, {pin}));
  return assembly.Add(person.id, std::move(shares.front()));
}

base::Result<void> ShareRoom::Confirm(const estate::ShareSet& set, const script::Person& person) {
  const room::Question question{.kind = room::Question::Kind::kChoice,
                                .id = "share.confirm/" + person.id,
                                .person = Who(person),
                                .text = fmt::format("Do you open your new share of token {}, to show that you can? It "
                                                    "stays sealed, and no PIN is set before everybody has.",
                                                    set.token),
                                .choices = {"open", "decline"},
                                .simulated = "open"};
  KC_ASSIGN_OR_RETURN(const room::ReasonedChoice answer, room::AskReasonedChoice(ceremony_.terminal(), question));
  if (!answer.IsYes()) {
    return base::MakeError(base::ErrorCode::kNoQuorum,
                           fmt::format("{} did not confirm the share of token {} ({}); no PIN was set", person.name,
                                       set.token, answer.reason))
        .WithRule("SHARE-CONFIRM-01")
        .WithHint(
            "`keyceremony resume RECORD` makes new shares; change the roster first if somebody else is to hold them");
  }
  KC_RETURN_IF_ERROR(Open(set, person, quorum::SharePurpose::kConfirm, {Pin::kUser, Pin::kSecurityOfficer}));
  const estate::ShareHolder& holder = *set.FindHolder(person.id);
  KC_RETURN_IF_ERROR(ceremony_.Append(record::EntryType::kObserve, {{"what", "share-confirmed"},
                                                                    {"token", set.token},
                                                                    {"set", set.set},
                                                                    {"person", person.id},
                                                                    {"user", holder.user_commitment},
                                                                    {"officer", holder.officer_commitment}}));
  return {};
}

// The commitments are in the record before there is a file.
base::Result<void> ShareRoom::Publish(const quorum::NewShareSet& made, const std::string& step) {
  const estate::ShareSet& set = made.set;
  KC_RETURN_IF_ERROR(ceremony_.Append(record::EntryType::kObserve, {{"what", "share-set-sealed"},
                                                                    {"step", step},
                                                                    {"n", set.holders.size()},
                                                                    {"proof", ProofFields(made.proof)},
                                                                    {"shares", estate::ToJson(EffectOf(set))}}));
  for (const script::ShareFile& file : made.files) {
    KC_ASSIGN_OR_RETURN(const std::string text, script::WriteShare(file));
    KC_RETURN_IF_ERROR(ceremony_.WriteArtefact(quorum::ShareArtefact(set.token, set.set, file.holder), "sealed-share",
                                               base::AsBytes(text), step));
  }
  return {};
}

// A set of this step that was confirmed by all before the program ended: a token may have its PINs already.
base::Result<steps::NewPins> ShareRoom::CombineConfirmed(const estate::ShareSet& set) {
  ceremony_.terminal().Say(
      room::Tone::kPlain,
      fmt::format("The shares of token {} were confirmed by all before; they are used.", set.token));
  steps::NewPins pins;
  KC_ASSIGN_OR_RETURN(pins.user, CombineSet(set, Pin::kUser));
  KC_ASSIGN_OR_RETURN(pins.security_officer, CombineSet(set, Pin::kSecurityOfficer));
  pins.shares = EffectOf(set);
  return pins;
}

base::Result<std::vector<const script::Person*>> ShareRoom::HoldersHere(const script::Quorum& quorum,
                                                                        const std::string& token) {
  KC_ASSIGN_OR_RETURN(auto holders, quorum::SharesHeldBy(ceremony_.roster(), quorum));
  std::vector<std::string> missing;
  for (const script::Person* person : holders) {
    if (ceremony_.history().attendance().Find(person->id) == nullptr) missing.push_back(person->name);
  }
  if (missing.empty()) return holders;
  return base::MakeError(base::ErrorCode::kNoQuorum,
                         fmt::format("every holder confirms a new share of token {} at once; {} {} not here", token,
                                     fmt::join(missing, ", "), missing.size() == 1 ? "is" : "are"))
      .WithRule("SHARE-ABSENT-01")
      .WithHint("wait for everybody who is to hold a share, then use `keyceremony resume RECORD`");
}

base::Result<void> ShareRoom::CheckHolders(const script::Step& step) {
  if (!step.fields.Has("shares")) return {};
  const std::string& token = step.fields.Text("token");
  const script::TokenBinding* bound = ceremony_.inputs().binding->Find(token);
  if (bound == nullptr || bound->login != script::Login::kShares) return {};
  const NewSetHistory* begun = ceremony_.history().FindNewSet(token);
  if (begun != nullptr && begun->confirmed_by_all()) return {};
  const script::Quorum* quorum = ceremony_.roster().FindQuorum(step.fields.Text("shares"));
  if (quorum == nullptr) return {};  // NewPins says so
  KC_RETURN_IF_ERROR(HoldersHere(*quorum, token));
  return {};
}

base::Result<steps::NewPins> ShareRoom::NewPins(const std::string& token, const std::string& quorum_name,
                                                const std::string& step) {
  if (const NewSetHistory* begun = ceremony_.history().FindNewSet(token)) {
    estate::ShareSet set = begun->set;
    set.since.ceremony = ceremony_.folder();
    if (begun->confirmed_by_all()) return CombineConfirmed(set);
    KC_RETURN_IF_ERROR(ceremony_.Append(record::EntryType::kObserve, {{"what", "share-set-abandoned"},
                                                                      {"token", token},
                                                                      {"set", set.set},
                                                                      {"why", "not confirmed by every holder"}}));
  }
  KC_ASSIGN_OR_RETURN(const script::Quorum* quorum, ceremony_.FindQuorum(quorum_name));
  KC_ASSIGN_OR_RETURN(const auto holders, HoldersHere(*quorum, token));
  const script::PinPolicy& policy = ceremony_.inputs().policy.pin;
  steps::NewPins pins;
  pins.user = RandomPin(policy.alphabet, policy.user_length);
  pins.security_officer = RandomPin(policy.alphabet, policy.so_length);
  const estate::ShareSet* current = ceremony_.estate().FindShares(token);
  KC_ASSIGN_OR_RETURN(quorum::NewShareSet made, quorum::MakeShareSet(ceremony_.roster(), *quorum, token,
                                                                     current == nullptr ? 1 : current->generation + 1,
                                                                     {pins.user, pins.security_officer}));
  made.set.since.ceremony = ceremony_.folder();
  KC_RETURN_IF_ERROR(Publish(made, step));
  KC_RETURN_IF_ERROR(ConfirmAll(made.set, holders));
  pins.shares = EffectOf(made.set);
  return pins;
}

base::Result<void> ShareRoom::ConfirmAll(const estate::ShareSet& set,
                                         const std::vector<const script::Person*>& holders) {
  for (std::size_t i = 0; i < holders.size(); ++i) {
    KC_RETURN_IF_ERROR(Confirm(set, *holders[i]));
    ceremony_.terminal().Say(room::Tone::kGood, fmt::format("{} can open the new share ({} of {}).", holders[i]->name,
                                                            i + 1, holders.size()));
  }
  ceremony_.terminal().Say(room::Tone::kGood, fmt::format("{} of {} shares of token {} open it; everybody has theirs.",
                                                          set.m, set.holders.size(), set.token));
  return {};
}

quorum::ShareUse ShareUseOf(Ceremony& ceremony, const script::Person& person, quorum::ShareRequest request) {
  request.origin = ceremony.writer().origin();
  request.mode = record::ModeName(ceremony.mode());
  const json about = {{"token", request.share.token}, {"set", request.share.set}, {"person", person.id}};
  const auto observe = [&ceremony, about](const char* what, const std::string& digest) {
    json fields = about;
    fields["what"] = what;
    fields["request"] = digest;
    return ceremony.Append(record::EntryType::kObserve, std::move(fields));
  };
  quorum::ShareUse use;
  use.refused = [&ceremony, step = request.step, id = person.id](const base::Error& why) {
    return ceremony.AppendRefusal(why, step, id);
  };
  use.asked_elsewhere = [&ceremony, observe](const std::string& digest) -> base::Result<quorum::RecordProof> {
    KC_ASSIGN_OR_RETURN(const std::uint64_t index, observe(quorum::kAskedElsewhere, digest));
    KC_ASSIGN_OR_RETURN(const record::Checkpoint checkpoint, ceremony.Checkpoint());
    KC_ASSIGN_OR_RETURN(const base::Bytes log, ceremony.ReadLog());
    return quorum::MakeRecordProof(checkpoint.Text(), base::AsText(log), index);
  };
  use.handed_over = [observe](const std::string& digest) -> base::Result<void> {
    KC_RETURN_IF_ERROR(observe(quorum::kHandedOver, digest));
    return {};
  };
  use.request = std::move(request);
  return use;
}

}  // namespace ceremony::run
