#include "ceremony/run/approval.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "ceremony/quorum/subject_facts.h"
#include "ceremony/record/checkpoint.h"
#include "ceremony/record/script_plan.h"
#include "ceremony/record/trust.h"
#include "ceremony/room/reasoned_choice.h"
#include "ceremony/steps/catalogue.h"
#include "hsm/base/counted.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

using approval_answer::kApprove, approval_answer::kDecline, approval_answer::kWait;
constexpr const char* kClosingStep = "closing";  // the `step` of a no to it

base::Error NoQuorum(const char* rule, std::string message, std::string hint) {
  return base::MakeError(base::ErrorCode::kNoQuorum, std::move(message)).WithRule(rule).WithHint(std::move(hint));
}

std::vector<const script::Person*> MembersWithout(Ceremony& ceremony, const script::Quorum& quorum,
                                                  const std::string& without) {
  std::vector<const script::Person*> members = ceremony.roster().MembersOf(quorum);
  std::erase_if(members, [&](const script::Person* person) { return person->id == without; });
  return members;
}

base::Error TooFew(Ceremony& ceremony, const script::Quorum& quorum, const std::string& without,
                   const std::string& what, std::size_t have) {
  std::string missing;
  for (const script::Person* person : MembersWithout(ceremony, quorum, without)) {
    if (ceremony.history().attendance().Find(person->id) == nullptr)
      missing += (missing.empty() ? "" : ", ") + person->name;
  }
  return NoQuorum(
      "QUORUM-SHORT-01",
      fmt::format("{} needs {} of the quorum {}{}, and {} {} here{}", what, base::Counted(quorum.m, "person", "people"),
                  quorum.name, without.empty() ? "" : " without " + without, have, have == 1 ? "is" : "are",
                  missing.empty() ? "" : "; not in the room: " + missing),
      "bring the missing people, take down that they have come, and go on with `keyceremony resume RECORD`");
}

base::Result<void> CheckPresent(Ceremony& ceremony, const script::Quorum& quorum, const std::string& without,
                                const std::string& statement) {
  const auto members = MembersWithout(ceremony, quorum, without);
  const auto present =
      static_cast<std::size_t>(std::count_if(members.begin(), members.end(), [&](const script::Person* p) {
        return ceremony.history().attendance().Find(p->id) != nullptr;
      }));
  if (present < static_cast<std::size_t>(quorum.m))
    return TooFew(ceremony, quorum, without, "\"" + statement + "\"", present);
  return {};
}

base::Result<base::Sha256Digest> DigestOfSubject(const json& subject) {
  KC_ASSIGN_OR_RETURN(const std::string canonical, record::CanonicaliseValue(subject));
  return base::Sha256Of(canonical);
}

base::Result<std::uint64_t> AppendRequest(Ceremony& ceremony, const script::Quorum& quorum, const Request& request,
                                          const base::Sha256Digest& digest) {
  json fields = {
      {"step", request.step},
      {"quorum",
       {{"name", quorum.name}, {"m", quorum.m}, {"n", MembersWithout(ceremony, quorum, request.without).size()}}},
      {"statement", request.statement},
      {"subject", request.subject},
      {"subject_sha256", base::HexEncode(digest)}};
  if (!request.steps.empty()) fields["steps"] = request.steps;
  if (!request.without.empty()) fields["without"] = request.without;
  return ceremony.Append(record::EntryType::kRequest, std::move(fields));
}

json EndingFields(const Ending& ending) {
  json fields = ErrorFields(ending.why);
  if (ending.person != nullptr) fields["person"] = ending.person->id;
  if (!ending.reason.empty()) fields["reason"] = ending.reason;
  return fields;
}

// Who asks to wait refuses nothing: that is a note.
base::Result<void> AppendEnding(Ceremony& ceremony, const Ending& ending, json fields) {
  const bool waits = ending.why.rule == "QUORUM-POSTPONED-01";
  if (waits) fields["what"] = "approval-postponed";
  KC_RETURN_IF_ERROR(
      ceremony.Append(waits ? record::EntryType::kNote : record::EntryType::kRefusal, std::move(fields)));
  return {};
}

// RecordEnd says in the record who or what ended a request.
base::Result<void> RecordEnd(Ceremony& ceremony, std::uint64_t request, const std::string& step, const Ending& ending) {
  json fields = EndingFields(ending);
  fields["step"] = step;
  // A step's request is over; that of the opening stays, because it is the first checkpoint that must be cosigned.
  const bool opening = step == record::kOpeningRequest;
  fields[opening ? "opening_request" : "request"] = request;
  KC_RETURN_IF_ERROR(AppendEnding(ceremony, ending, std::move(fields)));
  ceremony.SetRecorded(ending.why);
  return {};
}

// OpenRequest is a request that stands in the record, with a checkpoint over it.
struct OpenRequest {
  const script::Quorum& quorum;
  const Request& request;
  base::Sha256Digest digest;  // of the subject
  std::uint64_t seq;          // of its entry
  record::Checkpoint checkpoint;
  std::set<std::string> signed_by{};
};

// Collect shows what is approved and the checkpoint over it, and records each
// cosignature as it comes.
base::Result<void> Collect(Ceremony& ceremony, const OpenRequest& open) {
  const Request& request = open.request;
  ceremony.terminal().Say(room::Tone::kPlain, "Approval is asked for: " + request.statement);
  std::vector<room::Fact> facts = quorum::ShortFacts(request.subject);
  facts.push_back({"SHA-256 of all of it", base::HexEncode(open.digest)});
  ceremony.terminal().ShowFacts(facts);
  // The checkpoint covers the request, and so all of the above: one digest to compare.
  ceremony.terminal().ShowDigest("what is signed: the record up to this request", open.checkpoint.root);
  Gathering gathering{.quorum = open.quorum,
                      .what = "\"" + request.statement + "\"",
                      .text = open.checkpoint.Text(),
                      .without = request.without,
                      .signed_by = open.signed_by};
  if (const int minutes = ceremony.inputs().policy.quorum.approval_minutes;
      minutes > 0 && request.step != record::kOpeningRequest)
    gathering.until_micros = ceremony.world().clock.BootMicros() + std::int64_t{minutes} * 60'000'000;
  gathering.take = [&](const record::Writer::Cosignature& signature) -> base::Result<void> {
    const std::string person(signature.key.person());
    const script::Person* known = ceremony.roster().FindPerson(person);
    const bool simulated = known != nullptr && ceremony.world().credentials.IsSimulated(*known);
    KC_RETURN_IF_ERROR(
        ceremony.writer().AppendCosign(person, open.seq, signature, simulated ? json{{"simulated", true}} : json()));
    return ceremony.history().See(json{{"type", "cosign"}, {"person", person}, {"request", open.seq}});
  };
  gathering.refused = [&](const base::Error& why, const script::Person& person) {
    return ceremony.AppendRefusal(why, request.step, person.id);
  };
  gathering.ended = [&](const Ending& ending) { return RecordEnd(ceremony, open.seq, request.step, ending); };
  return GatherSignatures(ceremony, gathering);
}

// TimeOfDay is when the boot clock will stand at `boot_micros`, by the clock in the room.
std::string TimeOfDay(Ceremony& ceremony, std::int64_t boot_micros) {
  base::Clock& clock = ceremony.world().clock;
  return base::FormatTime(clock.UtcMicros() + boot_micros - clock.BootMicros()).substr(11, 8);
}

base::Result<room::ReasonedChoice> AskOne(Ceremony& ceremony, const Gathering& gathering,
                                          const script::Person& person) {
  std::string text = fmt::format("Do you approve {}?", gathering.what);
  // Most approvals end with a passphrase: who types one here types it for everybody to see.
  if (gathering.text.empty()) text += " No passphrase is needed for this.";
  if (gathering.until_micros) text += fmt::format(" Until {} UTC.", TimeOfDay(ceremony, *gathering.until_micros));
  const room::Question question{.kind = room::Question::Kind::kChoice,
                                .id = "approve/" + person.id,
                                .person = fmt::format("{} ({})", person.name, script::TitleOf(gathering.quorum.role)),
                                .text = std::move(text),
                                .choices = {kApprove, kDecline, kWait},
                                .simulated = kApprove};
  return room::AskReasonedChoice(ceremony.terminal(), question);
}

quorum::ApprovalRequest RequestTo(const script::Person& person, Ceremony& ceremony, const Gathering& gathering) {
  quorum::ApprovalRequest request{gathering.text, gathering.what, {}, {}};
  request.read_log = [&ceremony] { return ceremony.ReadLog(); };
  if (gathering.refused)
    request.refused = [&gathering, &person](const base::Error& why) { return gathering.refused(why, person); };
  return request;
}

// Somebody else can sign in place of a person whose credential fails; nobody can
// write to a disk that fails, or go on when people want to stop.
bool EndsEverything(const base::Error& error) {
  return error.code == base::ErrorCode::kAborted || error.code == base::ErrorCode::kInternal;
}

Ending No(const room::ReasonedChoice& answer, const script::Person& person, const std::string& what) {
  const bool waits = answer.choice == kWait;
  return {waits ? NoQuorum("QUORUM-POSTPONED-01",
                           fmt::format("{} asked to wait with {}: {}", person.name, what, answer.reason),
                           "`keyceremony resume RECORD` asks again when everybody is ready")
                : NoQuorum("QUORUM-DENIED-01", fmt::format("{} declined {}: {}", person.name, what, answer.reason),
                           "settle the matter in the room; `keyceremony resume RECORD` asks again"),
          &person, answer.reason};
}

base::Result<void> End(const Gathering& gathering, Ending ending) {
  if (gathering.ended) KC_RETURN_IF_ERROR(gathering.ended(ending));
  return std::move(ending.why);
}

}  // namespace

base::Result<void> GatherSignatures(Ceremony& ceremony, const Gathering& gathering) {
  const auto wanted = static_cast<std::size_t>(gathering.quorum.m);
  std::size_t have = gathering.signed_by.size();
  for (const script::Person* person : MembersWithout(ceremony, gathering.quorum, gathering.without)) {
    if (have >= wanted) break;
    if (gathering.signed_by.contains(person->id) || ceremony.history().attendance().Find(person->id) == nullptr)
      continue;
    KC_ASSIGN_OR_RETURN(const room::ReasonedChoice answer, AskOne(ceremony, gathering, *person));
    if (!answer.IsYes()) return End(gathering, No(answer, *person, gathering.what));
    auto approval = ceremony.world().credentials.Approve(*person, RequestTo(*person, ceremony, gathering));
    if (!approval.ok()) {
      if (EndsEverything(approval.error()) || ceremony.writer().failure()) return std::move(approval).error();
      ceremony.terminal().Say(room::Tone::kBad,
                              fmt::format("{} has not signed: {}", person->name, approval.error().message));
      continue;
    }
    if (gathering.until_micros && ceremony.world().clock.BootMicros() > *gathering.until_micros) {
      return End(
          gathering,
          {NoQuorum(
              "QUORUM-LATE-01",
              fmt::format("{} was approved by {} of {} within the {} that the policy gives", gathering.what, have,
                          wanted, base::Counted(ceremony.inputs().policy.quorum.approval_minutes, "minute", "minutes")),
              "`keyceremony resume RECORD` asks again")});
    }
    KC_RETURN_IF_ERROR(gathering.take(record::Writer::Cosignature{approval->line, approval->key}));
    ++have;
    ceremony.terminal().Say(room::Tone::kGood, fmt::format("{} has signed ({} of {}).", person->name, have, wanted));
  }
  if (have < wanted) return TooFew(ceremony, gathering.quorum, gathering.without, gathering.what, have);
  return {};
}

base::Result<void> ConsentToClose(Ceremony& ceremony, const script::Quorum& quorum, const std::string& what) {
  const Gathering asked{.quorum = quorum, .what = what};
  std::size_t have = 0;
  for (const script::Person* person : ceremony.roster().MembersOf(quorum)) {
    if (have >= static_cast<std::size_t>(quorum.m)) break;
    if (ceremony.history().attendance().Find(person->id) == nullptr) continue;
    KC_ASSIGN_OR_RETURN(const room::ReasonedChoice answer, AskOne(ceremony, asked, *person));
    if (!answer.IsYes()) {
      Ending ending = No(answer, *person, what);
      json fields = EndingFields(ending);
      fields["step"] = kClosingStep;
      KC_RETURN_IF_ERROR(AppendEnding(ceremony, ending, std::move(fields)));
      // Signed at once: nothing else will come for a while.
      KC_RETURN_IF_ERROR(ceremony.Checkpoint());
      return std::move(ending.why);
    }
    ++have;
  }
  if (have < static_cast<std::size_t>(quorum.m)) return TooFew(ceremony, quorum, {}, what, have);
  return {};
}

base::Result<void> Approve(Ceremony& ceremony, const script::Quorum& quorum, const Request& request) {
  KC_RETURN_IF_ERROR(CheckPresent(ceremony, quorum, request.without, request.statement));
  KC_ASSIGN_OR_RETURN(const base::Sha256Digest digest, DigestOfSubject(request.subject));
  KC_ASSIGN_OR_RETURN(const std::uint64_t seq, AppendRequest(ceremony, quorum, request, digest));
  KC_ASSIGN_OR_RETURN(record::Checkpoint checkpoint, ceremony.Checkpoint());
  return Collect(ceremony, {quorum, request, digest, seq, std::move(checkpoint)});
}

base::Result<void> ApproveSection(Ceremony& ceremony, const script::Section& section) {
  const std::string name = record::SectionRequestName(section.id);
  if (const RequestHistory* known = ceremony.history().FindRequest(name); known != nullptr && known->met()) return {};
  Request request{.step = name, .statement = fmt::format("All of the following in section \"{}\":", section.title)};
  json covered = json::array();
  for (const script::Step& step : section.steps) {
    const steps::StepKind* kind = steps::Catalogue().Find(step.kind);
    if (kind == nullptr || !steps::IsCoveredBySection(section, step, *kind)) continue;
    if (ceremony.history().StepOf(step.id).attempts > 0 || ceremony.history().StepOf(step.id).over()) continue;
    KC_RETURN_IF_ERROR(ceremony.shares().CheckHolders(step));
    const std::string title = steps::TitleOf(step);
    request.steps.push_back(step.id);
    request.statement += fmt::format("{} ({}) {}", request.steps.size() == 1 ? "" : ";", request.steps.size(), title);
    covered.push_back({{"step", step.id}, {"do", step.kind}, {"title", title}, {"parameters", step.fields.values()}});
  }
  if (request.steps.empty()) return {};
  KC_ASSIGN_OR_RETURN(const script::Quorum* quorum, ceremony.FindQuorum(section.quorum));
  request.subject = {{"section", section.id}, {"steps", std::move(covered)}};
  return Approve(ceremony, *quorum, request);
}

base::Result<void> ApproveOpening(Ceremony& ceremony) {
  const script::Quorum& quorum = *ceremony.roster().FindQuorum(record::kWitnessQuorum);
  const std::string mode(record::ModeName(ceremony.mode()));
  const std::string environment(script::NameOf(ceremony.inputs().binding->environment));
  const script::LoadedFile& script = ceremony.inputs().script.file;
  const json& open = ceremony.history().open();
  Request request{.step = std::string(record::kOpeningRequest),
                  .statement = fmt::format("Open the ceremony {} ({}), run by the script whose words were read aloud",
                                           ceremony.inputs().script.id, environment),
                  .subject = {{"ceremony", open.at("ceremony")},
                              {"origin", open.at("origin")},
                              {"log_key", open.at("log_key")},
                              {"script_sha256", script.sha256},
                              {"mode", mode},
                              {"environment", environment}}};
  if (const auto left = open.find("left_behind"); left != open.end()) {
    request.statement +=
        fmt::format(", and leave {} behind, which nobody can close any more", left->at("folder").get<std::string>());
    request.subject["left_behind"] = *left;
  }
  const RequestHistory* opening = ceremony.history().FindRequest(request.step);
  if (opening != nullptr && opening->met()) return {};
  KC_RETURN_IF_ERROR(CheckPresent(ceremony, quorum, {}, request.statement));
  KC_ASSIGN_OR_RETURN(const base::Sha256Digest digest, DigestOfSubject(request.subject));
  if (opening == nullptr) KC_RETURN_IF_ERROR(AppendRequest(ceremony, quorum, request, digest));
  // The first checkpoint of the log is the one that must be cosigned: after an
  // interruption people go on signing that one, never a later one.
  if (!ceremony.writer().last_checkpoint()) KC_RETURN_IF_ERROR(ceremony.Checkpoint());
  opening = ceremony.history().FindRequest(request.step);
  return Collect(ceremony,
                 {quorum, request, digest, opening->seq, *ceremony.writer().last_checkpoint(), opening->approved_by});
}

}  // namespace ceremony::run
