#include "ceremony/run/unsigned_tail.h"

#include <fmt/format.h>

#include <string>

#include "ceremony/quorum/subject_facts.h"
#include "ceremony/record/script_plan.h"
#include "hsm/base/counted.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

// What an entry says beside what every entry has; its message first, which says it best.
std::string Words(json entry) {
  for (const char* field : {"v", "seq", "type", "time", "mono", "salt", "mode"}) entry.erase(field);
  std::string words;
  if (const auto message = entry.find("message"); message != entry.end() && message->is_string()) {
    words = message->get<std::string>();
    entry.erase(message);
  }
  for (const room::Fact& fact : quorum::ShortFacts(entry))
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", fact.label, fact.value);
  return words;
}

}  // namespace

void UnsignedTail::See(const json& entry) {
  if (entry.at("type") == "checkpoint") {
    entries_.clear();
  } else {
    entries_.push_back(entry);
  }
}

base::Result<void> UnsignedTail::AskAbout(Ceremony& ceremony) const {
  if (entries_.empty()) return {};
  constexpr const char* kYes = "this is what happened";
  constexpr const char* kNo = "something of it did not happen";
  std::vector<room::Fact> facts;
  for (const json& entry : entries_) {
    facts.push_back({fmt::format("{} {}", entry.at("seq").get<std::uint64_t>(), entry.at("type").get<std::string>()),
                     Words(entry)});
  }
  ceremony.terminal().Say(room::Tone::kWarning,
                          fmt::format("Nothing has signed the last {} of this record. The program wrote them before it "
                                      "ended, or somebody else did since.",
                                      base::Counted(entries_.size(), "entry", "entries")));
  ceremony.terminal().ShowFacts(facts);
  room::Question question;
  question.kind = room::Question::Kind::kDecision;
  question.id = "resume/unsigned";
  question.person = "the administrator";
  question.text = "Compare them with what people remember and with their printed scripts. Is this what happened?";
  question.choices = {kYes, kNo};
  question.simulated = kYes;
  KC_ASSIGN_OR_RETURN(const std::string decision, ceremony.terminal().Ask(question));
  if (decision == kNo) {
    return base::Refusal("RUN-TAIL-01",
                         fmt::format("people say that entries from {} on of {} are not what happened",
                                     entries_.front().at("seq").get<std::uint64_t>(), ceremony.folder()),
                         "nothing of them was signed: keep this archive as evidence, put the copy back that was taken "
                         "at the pause, and resume that one");
  }
  if (ceremony.history().closed()) return {};
  KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kNote,
                                     {{"what", "entries that nothing had signed were shown, and are what happened"},
                                      {"first", entries_.front().at("seq")},
                                      {"count", entries_.size()},
                                      {"decided_by", question.person}}));
  // Until the opening has its quorum, people go on signing the first checkpoint, and there is no later one.
  const RequestHistory* opening = ceremony.history().FindRequest(std::string(record::kOpeningRequest));
  if (opening != nullptr && opening->met()) KC_RETURN_IF_ERROR(ceremony.Checkpoint());
  return {};
}

}  // namespace ceremony::run
