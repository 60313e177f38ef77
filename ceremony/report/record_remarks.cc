// Deviations, refusals, notes and recoveries, in words.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "ceremony/report/json_text.h"
#include "ceremony/report/record_story.h"
#include "hsm/base/counted.h"

namespace ceremony::report {

using nlohmann::json;

namespace {

std::string RecoveryText(const json& entry) {
  std::string text = "gone on with after " + base::Counted(IntegerOf(entry, "entries"), "entry", "entries");
  if (const json& torn = MemberOf(entry, "torn"); torn.is_object())
    text += fmt::format("; {} of a torn line set aside", base::Counted(IntegerOf(torn, "size"), "byte", "bytes"));
  const auto list = [&](const char* field, std::int64_t count, const char* what) {
    if (count > 0) text += fmt::format("; {} {}", base::Counted(count, "file", "files"), what);
    if (const std::string names = InWords(MemberOf(entry, field)); count > 0 && !names.empty()) text += ": " + names;
  };
  const auto size = [&](const char* field) { return static_cast<std::int64_t>(MemberOf(entry, field).size()); };
  list("missing", IntegerOf(entry, "missing_count"), "missing");
  list("set_aside", size("set_aside"), "set aside");
  list("finished", size("finished"), "given the name that the log has");
  return text;
}

// IsLabel: "apology" and "share-declined" are for programs, "told before the close" for people.
bool IsLabel(const std::string& what) { return what.find(' ') == std::string::npos; }

}  // namespace

std::string RecordStory::RemarkText(const json& entry, const std::string& type) const {
  if (type == "recover") return RecoveryText(entry);
  std::string text;
  const auto add = [&](const std::string& said) {
    // A message may end with the reason.
    if (!said.empty() && !text.ends_with(said)) text += (text.empty() ? "" : "; ") + said;
  };
  for (const char* field : {"message", "text", "reason"}) add(TextOf(entry, field));
  const std::string what = TextOf(entry, "what");
  if (text.empty() || !IsLabel(what)) add(IsLabel(what) ? Spoken(what, '-') : what);
  for (const auto& [name, value] : FactsOf(entry)) {
    // Other columns and sections have these, or they are for programs.
    static const std::set<std::string> told{"message", "text", "reason", "rule",    "person",         "name",
                                            "code",    "hint", "set",    "request", "opening_request"};
    if (!told.contains(name)) add(Spoken(name, '_') + " " + (name == "deputy" ? data_.NameOf(value) : value));
  }
  return text;
}

void RecordStory::OnRemark(const json& entry, const Moment& at, const std::string& type) {
  Remark remark;
  remark.type = type;
  remark.rule = TextOf(entry, "rule");
  remark.step = TextOf(entry, "step");
  if (remark.step.empty()) remark.step = step_;
  remark.person = TextOf(entry, "person");
  remark.at = at;
  remark.text = RemarkText(entry, type);
  if (type == "recover") ++data_.recoveries;
  if (type == "note" && TextOf(entry, "what") == "apology") {
    PersonSeen& person = PersonOf(remark.person);
    if (const std::string name = TextOf(entry, "name"); !name.empty()) person.name = name;
    person.apology = TextOf(entry, "reason");
  }
  // A refusal, or a wish to wait, that names its request has ended it.
  const json& ended = MemberOf(entry, "request");
  const bool ends = type == "refusal" || TextOf(entry, "what") == "approval-postponed";
  if (ends && ended.is_number_unsigned()) {
    if (const auto asked = requests_.find(ended.get<std::uint64_t>()); asked != requests_.end()) {
      data_.approvals[asked->second].ended_by = remark.rule;
      data_.approvals[asked->second].ended_person = remark.person;
    }
  }
  data_.remarks.push_back(std::move(remark));
}

}  // namespace ceremony::report
