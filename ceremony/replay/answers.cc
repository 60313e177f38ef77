#include "ceremony/replay/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "ceremony/record/json_member.h"
#include "ceremony/room/answer.h"
#include "ceremony/room/look.h"
#include "ceremony/run/approval.h"
#include "ceremony/steps/room_book.h"
#include "hsm/base/clock_text.h"

namespace ceremony::replay {
namespace {

using nlohmann::json;
using record::IntegerOf;
using record::TextOf;
using record::TextsOf;
namespace said = steps::room_answer;

constexpr std::int64_t kMicros = 1'000'000;
constexpr const char* kClockQuestion = "room.clock/reading";

std::string Joined(const json& entry, const char* field, const char* between) {
  return fmt::format("{}", fmt::join(TextsOf(entry, field), between));
}

std::string SealsOf(const json& entry, const char* field) {
  const std::string seals = Joined(entry, field, " ");
  return seals.empty() ? "none" : seals;
}

}  // namespace

// Builder goes through the entries once.
struct RecordedAnswers::Builder {
  RecordedAnswers& to;
  const script::Roster& roster;
  Try now{};
  std::string kind{};                             // of the step of `now`, empty between steps
  bool anew = false;                              // the program has gone on, and no step was begun since
  std::set<std::string> called{};                 // in this roll call
  std::map<std::string, std::string> declined{};  // by person: why they gave no share

  void Say(const std::string& question, std::string answer) { to.answers_[now][question].push_back(std::move(answer)); }

  void See(const json& entry) {
    const std::string type = TextOf(entry, "type");
    if (type == "recover") anew = true;
    if (type == "step") Step(entry);
    if (type == "attend") Attend(entry);
    if (type == "depart") Depart(entry);
    if (type == "note") Note(entry);
    if (type == "observe") Observe(entry);
    if (type == "cosign") Say("approve/" + TextOf(entry, "person"), run::approval_answer::kApprove);
    if (type == "refusal" && TextOf(entry, "rule") == "QUORUM-DENIED-01") SayNo(entry, run::approval_answer::kDecline);
    if (type == "refusal" && TextOf(entry, "rule") == "PAYLOAD-DRY-01")
      Say("payload.sign/dummy/" + now.first, "refused");
    if (type == "deviation" && TextOf(entry, "what") == "told before the close") {
      Say("close/differed", "add a sentence");
      Say("close/differed/words", TextOf(entry, "text"));
    }
    if (type == "close") Close(entry);
  }

  void Close(const json& entry) {
    to.closed_ = true;
    const auto called_off = entry.find("called_off");
    if (called_off == entry.end() || !called_off->is_object()) return;
    to.called_off_ = true;
    Say("call-off/reason", TextOf(*called_off, "reason"));
  }

  void SayNo(const json& entry, const char* answer) {
    const std::string question = "approve/" + TextOf(entry, "person");
    Say(question, answer);
    Say(question + "/reason", TextOf(entry, "reason"));
  }

  void Step(const json& entry) {
    const std::string phase = TextOf(entry, "phase");
    const std::string id = TextOf(entry, "id");
    to.begun_.insert(id);
    if (phase == "skipped") {
      to.skipped_.insert(id);
      return;
    }
    if (phase == "begin") {
      now = {id, ++to.tries_[id]};
      anew = false;
      kind = TextOf(entry, "do");
      called.clear();
      return;
    }
    if (const auto time = base::ParseTime(TextOf(entry, "time")); time.ok()) to.ends_[now] = *time;
    if (phase == "end") to.whole_.insert(now);
    kind.clear();
    const auto effects = entry.find("effects");
    if (effects == entry.end() || !effects->is_array()) return;
    for (const json& effect : *effects) {
      if (TextOf(effect, "effect") == "seals-changed" && !Joined(effect, "applied", " ").empty())
        Say(fmt::format("token.custody/{}/new-seals", id), SealsOf(effect, "applied"));
    }
  }

  const script::Person* Find(const std::string& id) const { return roster.FindPerson(id); }

  // Change is somebody who came or went outside a roll call.
  std::string Change(const std::string& id, std::string_view what) {
    if (kind == "room.attend") {
      if (to.answers_[now]["room.attend/short"].empty()) Say("room.attend/short", said::kComing);
    } else if (kind.empty()) {
      to.changes_.insert(now);
      if (anew) to.stops_.insert(now);
    }
    if (const script::Person* person = Find(id)) Say("room.change", said::ChangeOf(*person, what));
    return "room.change/" + id;
  }

  void Attend(const json& entry) {
    const std::string id = TextOf(entry, "person");
    const std::string change = TextOf(entry, "change");
    // A deputy is entered again without a question, and who is appointed is in the room.
    if (change == "stays" || kind == "custodian.appoint") return;
    const bool roll = kind == "room.attend" && called.insert(id).second;
    const std::string question =
        roll ? "room.attend/" + id : Change(id, change == "returns" ? "comes back" : "arrives");
    const std::string from = TextOf(entry, "from");
    Say(question, TextOf(entry, "presence") == "remote" ? said::kRemote : from.empty() ? said::kHere : said::kPart);
    if (!from.empty()) Say(question + "/hours", from + "-" + TextOf(entry, "until"));
  }

  void Depart(const json& entry) {
    const std::string id = TextOf(entry, "person");
    if (kind == "room.depart") return Say("room.depart/" + id, "leaves now");
    const std::string question = Change(id, "leaves");
    Say(question, TextOf(entry, "change") == "leaves for a while" ? said::kForAWhile : said::kForGood);
  }

  void Note(const json& entry) {
    const std::string id = TextOf(entry, "person");
    const std::string what = TextOf(entry, "what");
    if (what == "approval-postponed") return SayNo(entry, run::approval_answer::kWait);
    if (what == "share-declined") {
      declined[id] = TextOf(entry, "reason");
      return;
    }
    if (kind != "room.attend" || id.empty()) return;
    called.insert(id);
    if (what != "apology") return Say("room.attend/" + id, said::kNotYet);
    Say("room.attend/" + id, said::kNever);
    Say("room.attend/" + id + "/reason", TextOf(entry, "reason"));
    const script::Person* deputy = Find(TextOf(entry, "deputy"));
    Say("room.attend/" + id + "/deputy", deputy == nullptr ? said::kNobody : said::DeputyOf(*deputy));
  }

  void Observe(const json& entry) {
    using Sort = std::function<void(Builder&, const json&)>;
    static const std::map<std::string, Sort> sorts = {
        {"facts", &Builder::Facts},
        {"shares-contributed", &Builder::Contributed},
        {"clock",
         [](Builder& b, const json& e) { b.Say(kClockQuestion, std::to_string(IntegerOf(e, "offset_seconds"))); }},
        {"notification", &Builder::Acknowledged},  // of one entry, as older records have it
        {"notification-acknowledged", &Builder::Acknowledged},
        {"seals",
         [](Builder& b, const json& e) {
           b.Say(fmt::format("token.custody/{}/seals", b.now.first), SealsOf(e, "found"));
         }},
        {"custody",
         [](Builder& b, const json& e) {
           b.Say(fmt::format("token.custody/{}/escort", b.now.first), Joined(e, "escort", ", "));
           b.Say(fmt::format("token.custody/{}/reference", b.now.first), TextOf(e, "reference"));
         }},
        {"identity",
         [](Builder& b, const json& e) { b.Say("custodian.appoint/identity/" + b.now.first, TextOf(e, "evidence")); }},
        {"transport-key-compared",
         [](Builder& b, const json& e) {
           const std::string carried = TextOf(e, "transport_key");  // to a machine that never meets this one
           b.Say(carried.empty() ? "key.clone/transport/" + TextOf(e, "token") : "key.export/transport/" + carried,
                 TextOf(e, "answer"));
         }},
        {"vendor-copy",
         [](Builder& b, const json& e) { b.Say("key.clone/evidence/" + TextOf(e, "token"), TextOf(e, "evidence")); }},
        {"firmware-decision",
         [](Builder& b, const json& e) {
           b.Say(fmt::format("firmware.record/{}/decision", b.now.first), TextOf(e, "decision"));
         }},
        {"window-decision",
         [](Builder& b, const json& e) { b.Say("window/" + TextOf(e, "section"), TextOf(e, "decision")); }},
        {"key-deactivated",
         [](Builder& b, const json& e) {
           b.Say("key.deactivate/count", std::to_string(IntegerOf(e, "count")));
           b.Say("key.deactivate/first", TextOf(e, "first_use"));
           b.Say("key.deactivate/last", TextOf(e, "last_use"));
         }},
    };
    if (const auto sort = sorts.find(TextOf(entry, "what")); sort != sorts.end()) sort->second(*this, entry);
  }

  void Acknowledged(const json& entry) {
    const std::string by = TextOf(entry, "acknowledged_by");
    if (!by.empty()) Say(fmt::format("comms.notify/{}/acknowledged", now.first), by);
  }

  void Facts(const json& entry) {
    const auto facts = entry.find("facts");
    if (facts == entry.end() || !facts->is_object()) return;
    for (const auto& [name, value] : facts->items()) {
      if (value.is_string()) Say(fmt::format("room.record/{}/{}", now.first, name), value.get<std::string>());
    }
  }

  // Holders are asked in the order of the roster until enough have given.
  void Contributed(const json& entry) {
    std::set<std::string> gave;
    const auto people = entry.find("people");
    if (people == entry.end() || !people->is_array()) return;
    for (const json& person : *people) {
      if (person.is_string()) gave.insert(person.get<std::string>());
    }
    std::size_t left = gave.size();
    for (const script::Person& person : roster.people) {
      if (left == 0) break;
      if (!person.HasRole(script::Role::kCustodian)) continue;
      const bool given = gave.contains(person.id);
      const std::string question = "share.contribute/" + person.id;
      Say(question, given ? "give" : "decline");
      if (given) {
        --left;
        continue;
      }
      const auto why = declined.find(person.id);
      Say(question + "/reason", why == declined.end() ? "the share did not open then" : why->second);
    }
    declined.clear();
  }
};

RecordedAnswers::RecordedAnswers(const std::vector<json>& entries, const script::Roster& roster) {
  Builder builder{*this, roster};
  for (const json& entry : entries) builder.See(entry);
}

std::optional<std::string> RecordedAnswers::Take(const std::string& question, const Try& now, std::int64_t utc_micros) {
  if (question.starts_with("step.skip/")) {
    return skipped_.contains(question.substr(std::string("step.skip/").size())) ? "leave it out" : "do it";
  }
  // Who comes, goes or says no does so once, at its time.
  const bool only_now = question.starts_with("room.change") || question.starts_with("approve/");
  for (Try at = now; at.second <= (only_now ? now.second : TriesOf(now.first)); ++at.second) {
    const auto queues = answers_.find(at);
    if (queues == answers_.end()) continue;
    const auto queue = queues->second.find(question);
    if (queue == queues->second.end() || queue->second.empty()) continue;
    std::string answer = std::move(queue->second.front());
    queue->second.pop_front();
    if (question != kClockQuestion) return answer;
    std::int64_t offset = 0;
    std::from_chars(answer.data(), answer.data() + answer.size(), offset);
    return base::FormatTime(utc_micros - offset * kMicros).substr(11, 8);
  }
  if (question.starts_with("room.depart/")) return "stays";
  return std::nullopt;
}

unsigned RecordedAnswers::TriesOf(const std::string& step) const {
  const auto found = tries_.find(step);
  return found == tries_.end() ? 0 : found->second;
}

std::optional<std::int64_t> RecordedAnswers::EndOf(const Try& at) const {
  const auto found = ends_.find(at);
  return found == ends_.end() ? std::nullopt : std::optional(found->second);
}

ReplayClock::ReplayClock(std::int64_t utc_micros) : utc_shift_(utc_micros - system_.UtcMicros()) {}

void ReplayClock::AdvanceTo(std::int64_t utc_micros) {
  const std::int64_t ahead = utc_micros - UtcMicros();
  if (ahead <= 0) return;
  // Both clocks, or the record would say that somebody has set one of them.
  utc_shift_ += ahead;
  boot_shift_ += ahead;
}

ReplayTerminal::ReplayTerminal(RecordedAnswers& answers, ReplayClock& clock)
    : answers_(answers), clock_(clock), quiet_(nullptr, room::Look{}) {}

void ReplayTerminal::ShowStep(const room::StepHeading& heading) {
  now_ = {heading.id, ++tries_[heading.id]};
  // A try takes as long as it took then, so that a window of time that ran out runs out again.
  if (const auto end = answers_.EndOf(now_)) clock_.AdvanceTo(*end);
}

base::Result<std::string> ReplayTerminal::Ask(const room::Question& question) {
  if (IsToStop() && !answers_.CameToEnd(now_))
    return base::MakeError(base::ErrorCode::kAborted, "stopped as it was stopped then");
  room::Question asked = question;
  const auto recorded = answers_.Take(question.id, now_, clock_.UtcMicros());
  // An answer that this question does not take would be the program's fault, not the record's.
  if (recorded && room::JudgeAnswer(question, *recorded).ok()) asked.simulated = *recorded;
  return quiet_.Ask(asked);
}

bool ReplayTerminal::IsAtRecordsEnd() const {
  if (answers_.closed() && !answers_.called_off()) return false;
  return std::ranges::all_of(answers_.begun(), [&](const std::string& step) {
    const auto tries = tries_.find(step);
    return answers_.TriesOf(step) == 0 || (tries != tries_.end() && tries->second > 0);
  });
}

}  // namespace ceremony::replay
