// The steps of a log against the script: which, in which order, what each does,
// and whose approval came before it did anything.
#include <algorithm>
#include <utility>

#include "ceremony/record/log_audit.h"
#include "hsm/base/counted.h"

namespace ceremony::record {

bool LogAudit::Request::IsMet() const {
  return !ended && electorate->CountPeople(approvals) >= needed && electorate->IsEnough(approvals);
}

void LogAudit::ChooseScript(std::uint64_t entry) {
  for (const auto& [binding, environment] : options_.environments) {
    if (!inputs_.contains(binding)) continue;
    if (mode_ == Mode::kProduction && environment == "rehearsal")
      findings_.Add("REC-MODE", entry, "inputs/" + binding + " is the binding of a rehearsal");
    else if (!environment_.empty() && environment != environment_)
      findings_.Add("REC-MODE", entry,
                    "inputs/" + binding + " is of the environment " + Quoted(environment) + ", the record says " +
                        Quoted(environment_));
  }
  const ScriptFiles::value_type* chosen = nullptr;
  std::size_t found = 0;
  for (const ScriptFiles::value_type& script : options_.scripts) {
    if (!inputs_.contains(script.first)) continue;
    chosen = &script;
    ++found;
  }
  if (found != 1) {
    findings_.Add("REC-NO-SCRIPT", entry, std::to_string(found) + " of the inputs are a script, one is expected");
    return;
  }
  const std::string path = "inputs/" + chosen->first;
  if (!chosen->second.ok()) {
    findings_.Add("SCR-FORM", entry, path + ": " + chosen->second.error().message);
    return;
  }
  plan_ = &*chosen->second;
  if (plan_->id() != ceremony_ || plan_->estate() != estate_) {
    findings_.Add("SCR-OPEN", entry,
                  path + " is for " + Quoted(plan_->id()) + " of " + Quoted(plan_->estate()) + ", the record is " +
                      Quoted(ceremony_) + " of " + Quoted(estate_));
  }
}

void LogAudit::OnStep(std::uint64_t entry) {
  const std::optional<std::string> id = TextOf("id", entry);
  const std::optional<std::string> phase = TextOf("phase", entry);
  if (!id || !phase) return;
  const auto wrong = [&](const std::string& what) {
    findings_.Add("REC-STEP", entry, "step " + Quoted(*id) + " " + what);
  };
  const PlannedStep* planned = nullptr;
  if (plan_ != nullptr) {
    if (const std::optional<std::size_t> index = plan_->IndexOf(*id)) planned = &plan_->steps()[*index];
    const std::optional<std::string> kind = DecodeString(scanner_.Find("do"));
    if (planned == nullptr) {
      findings_.Add("SCR-STEP", entry, "the script has no step " + Quoted(*id));
    } else if (kind != planned->kind) {
      findings_.Add("SCR-STEP", entry,
                    "step " + Quoted(*id) + " does " + Quoted(kind.value_or("nothing")) + " where the script says " +
                        Quoted(planned->kind));
    }
  }
  StepPast& past = past_[*id];
  const std::string_view time = scanner_.fields().time;
  if (past.earliest.empty() || time < past.earliest) past.earliest = time;
  if (time > past.latest) past.latest = time;
  const bool under_way = step_ && !step_interrupted_;
  if (*phase == "begin" || *phase == "skipped") CheckSigned("step " + Quoted(*id), entry);
  if (*phase == "begin") {
    if (under_way) wrong("has phase begin while " + Quoted(step_->id) + " has not ended");
    OnStepBegin(*id, planned, entry);
  } else if (*phase == "skipped") {
    if (under_way) wrong("has phase skipped while " + Quoted(step_->id) + " has not ended");
    if (planned != nullptr) CheckOrder(*id, entry);
    if (planned != nullptr && !planned->skippable) {
      findings_.Add("SCR-SKIP", entry, "step " + Quoted(*id) + " was skipped, and the script does not allow it");
    }
    past.over = true;
    step_.reset();
  } else if (*phase == "end" || *phase == "failed") {
    if (!step_ || step_->id != *id) {
      wrong("has phase " + *phase + " but " + (step_ ? Quoted(step_->id) + " is under way" : "no step is under way"));
    } else if (*phase == "end") {
      CheckApprovedAtEnd(entry);
    }
    (*phase == "end" ? past.over : past.failed) = true;
    const StepUnderWay ended = step_ ? *std::move(step_) : StepUnderWay{*id, {}, {}, {}, {}, {}, {}};
    step_.reset();
    if (*phase == "end") {
      ++steps_ended_;
      TakeEffects(ended, entry);
    }
  } else {
    wrong("has the unknown phase " + Quoted(*phase));
  }
  if ((*phase == "end" || *phase == "skipped") && log_key_) unsigned_step_ = *id;
  step_interrupted_ = false;
}

// CheckSigned: a log key that signs late signs what nobody can tell from a story made up afterwards. Also a program
// that was cut off has its tail signed before it goes on. Told once.
void LogAudit::CheckSigned(const std::string& next, std::uint64_t entry) {
  if (unsigned_step_.empty()) return;
  if (findings_.Has("SIG-STEP")) return unsigned_step_.clear();
  findings_.Add("SIG-STEP", entry,
                "no checkpoint stands between the end of step " + Quoted(unsigned_step_) + " and " + next);
  unsigned_step_.clear();
}

// TakeEffects reads what the step whose end is in scanner_ says that it did.
void LogAudit::TakeEffects(const StepUnderWay& step, std::uint64_t entry) {
  const std::vector<std::string_view> list =
      DecodeArray(scanner_.Find("effects")).value_or(std::vector<std::string_view>());
  KeyBook& keys = options_.keys != nullptr ? *options_.keys : own_keys_;
  const StepPast& past = past_[step.id];
  const bool is_partly_shown = WithheldEntries() > past.withheld_before;
  EndedStep ended{.id = step.id,
                  .kind = step.kind,
                  .entry = entry,
                  .subject = &past.approved_subject,
                  .earliest = past.earliest,
                  .latest = past.latest,
                  .attempt = past.attempts,
                  .is_partly_shown = is_partly_shown};
  if (!step.quorum.empty() && witnesses_) ended.approved = &past.approved_bytes;
  for (const std::uint64_t asked : past.asked) {
    if (const Request& request = requests_.at(asked); request.IsMet()) ended.subjects.push_back(&request.subject);
  }
  const auto roster = past.approved_subject.find("roster_sha256");
  if (ChangesRoster(step.kind) && roster != past.approved_subject.end()) next_roster_ = roster->second;
  Scanner effect;
  for (const std::string_view element : list) {
    if (effect.ScanObject(element) != LineFault::kNone) continue;
    keys.Take(effect, entry, findings_);
    CheckAppointed(past, effect, entry);
    if (options_.contents != nullptr) options_.contents->OnEffect(ended, effect, Files(), findings_);
  }
  if (options_.contents != nullptr) options_.contents->OnEnd(ended, findings_);
}

RecordFiles LogAudit::Files() const {
  static const WithheldFiles none;
  return {*options_.folder, inputs_, artefacts_, options_.withheld == nullptr ? none : options_.withheld->files()};
}

void LogAudit::FollowCall(const LineEvent& event, std::uint64_t entry) {
  if (!step_ || options_.contents == nullptr) return;
  if (!step_->is_followed && !std::exchange(step_->has_unknown_calls, true)) {
    findings_.Add("CALL-UNKNOWN", entry,
                  "step " + Quoted(step_->id) + " does " + Quoted(step_->kind) +
                      ", which this program does not know: nobody has looked at its calls");
  }
  if (!step_->is_followed || scanner_.ScanEntry(event.line) != LineFault::kNone) return;
  const Request* const request = GoverningRequest();
  const CallingStep step{step_->id, step_->kind, past_[step_->id].attempts,
                         request == nullptr ? nullptr : &request->subject,
                         request == nullptr && witnesses_ && mode_ == Mode::kProduction};
  options_.contents->OnCall(step, scanner_, entry, findings_);
}

void LogAudit::OnStepBegin(const std::string& id, const PlannedStep* planned, std::uint64_t entry) {
  const std::string kind = planned != nullptr ? planned->kind : DecodeString(scanner_.Find("do")).value_or("");
  StepUnderWay step{id, kind, options_.contents != nullptr && options_.contents->Follows(kind), planned, {}, {}, {}};
  step.quorum = DecodeString(scanner_.Find("quorum")).value_or("");
  if (planned != nullptr) {
    CheckOrder(id, entry);
    if (step.quorum != planned->quorum) {
      findings_.Add("SCR-QUORUM", entry,
                    "step " + Quoted(id) + " names the quorum " + Quoted(step.quorum) + ", the script " +
                        Quoted(planned->quorum));
    }
    step.quorum = planned->quorum;
    if (const auto other = planned->FindOther(scanner_.Find("parameters"))) {
      findings_.Add("SCR-PARAMETERS", entry,
                    "step " + Quoted(id) + " begins with another " + Quoted(*other) + " than the script gives it");
    }
  }
  newest_request_.erase(id);  // an approval serves one attempt
  step.approval = SectionApproval(id, planned, entry);
  if (past_[id].attempts++ == 0) past_[id].withheld_before = WithheldEntries();
  past_[id].failed = false;
  step_ = std::move(step);
  recovered_ = false;
}

// CheckOrder lets a step begin or be skipped that comes next, or again the one
// that did not come to its end.
void LogAudit::CheckOrder(const std::string& id, std::uint64_t entry) {
  const std::size_t place = *plan_->IndexOf(id);
  const auto step_at = [&](std::size_t index) -> const std::string& { return plan_->steps()[index].id; };
  if (past_[id].over) {
    findings_.Add("SCR-ORDER", entry, "step " + Quoted(id) + " is done once more");
  } else if (furthest_ && place < *furthest_) {
    findings_.Add("SCR-ORDER", entry, "step " + Quoted(id) + " comes after " + Quoted(step_at(*furthest_)));
  } else if (place > (furthest_ ? *furthest_ + 1 : 0)) {
    findings_.Add("SCR-ORDER", entry, "step " + Quoted(id) + " comes before " + Quoted(step_at(place - 1)));
  } else if (furthest_ && place > *furthest_) {
    const StepPast& before = past_[step_at(*furthest_)];
    if (!before.over && !before.failed) {
      findings_.Add("SCR-ORDER", entry,
                    "step " + Quoted(id) + " comes while " + Quoted(step_at(*furthest_)) + " has no end");
    }
  }
  furthest_ = std::max(place, furthest_.value_or(0));
}

// SectionApproval returns the request that the `begin` in scanner_ rests on.
std::optional<std::uint64_t> LogAudit::SectionApproval(const std::string& id, const PlannedStep* planned,
                                                       std::uint64_t entry) {
  if (scanner_.Find("approval").empty()) return std::nullopt;
  const auto wrong = [&](const std::string& why) {
    findings_.Add("QUO-SECTION", entry, "step " + Quoted(id) + " names an approval " + why);
    return std::nullopt;
  };
  const std::optional<std::uint64_t> seq = NumberOf("approval", entry);
  const auto request = seq ? requests_.find(*seq) : requests_.end();
  if (!witnesses_) return std::nullopt;  // nobody can be counted
  if (request == requests_.end()) return wrong("that is no request");
  const std::vector<std::string>& covered = request->second.steps;
  if (std::find(covered.begin(), covered.end(), id) == covered.end()) return wrong("that was not asked for it");
  if (past_[id].attempts > 0) return wrong("that served its first attempt");
  const auto newest = newest_request_.find(request->second.step);
  if (newest == newest_request_.end() || newest->second != *seq) return wrong("that is not the newest of its name");
  if (planned != nullptr && (planned->section_quorum.empty() || planned->section_quorum != planned->quorum ||
                             request->second.step != SectionRequestName(planned->section))) {
    return wrong("of " + Quoted(request->second.step) + ", which is not how the script has it approved");
  }
  return seq;
}

// GoverningRequest returns what the step under way has to be approved by: the
// newest request of this attempt, else its section's; nullptr without either.
const LogAudit::Request* LogAudit::GoverningRequest() const {
  const auto own = newest_request_.find(step_->id);
  if (own != newest_request_.end()) return &requests_.at(own->second);
  return step_->approval ? &requests_.at(*step_->approval) : nullptr;
}

void LogAudit::CheckApproved(std::uint64_t entry) {
  const Request* const request = GoverningRequest();
  const std::string step = "step " + Quoted(step_->id);
  if (request == nullptr) {
    if (!step_->quorum.empty() && witnesses_) {
      findings_.Add("QUO-INTENT", entry, step + " goes ahead, and its quorum was never asked");
    }
  } else if (!step_->quorum.empty() && request->quorum != step_->quorum) {
    findings_.Add("QUO-INTENT", entry,
                  step + " goes ahead with an approval of the quorum " + Quoted(request->quorum) + " where " +
                      Quoted(step_->quorum) + " is needed");
  } else if (request->ended) {
    findings_.Add("QUO-INTENT", entry, step + " goes ahead, and its approval was refused");
  } else if (!request->IsMet()) {
    findings_.Add("QUO-INTENT", entry,
                  step + " goes ahead with " + std::to_string(request->electorate->CountPeople(request->approvals)) +
                      " approvals where " + std::to_string(request->needed) + " are needed");
  } else {
    NoteApproval(*request);
  }
}

void LogAudit::NoteApproval(const Request& request) {
  StepPast& past = past_[step_->id];
  past.approved = true;
  if (!request.to_be_signed.empty()) past.approved_bytes[request.to_be_signed].insert(past.attempts);
  if (request.step == step_->id) past.approved_subject = request.subject;
}

void LogAudit::CheckApprovedAtEnd(std::uint64_t entry) {
  if (step_->quorum.empty() || !witnesses_) return;
  const Request* const request = GoverningRequest();
  // An attempt that only takes over what an approved one had done asks nobody; one that asks needs the answer.
  const bool asked = newest_request_.contains(step_->id);
  if (request != nullptr && request->quorum == step_->quorum && request->IsMet()) {
    NoteApproval(*request);
  } else if (asked || !past_[step_->id].approved) {
    findings_.Add("QUO-STEP", entry,
                  "step " + Quoted(step_->id) + " ends without the approval of the quorum " + Quoted(step_->quorum));
  }
}

// StepsCalledOff returns the steps that the `close` in scanner_ names as not done; nothing unless it calls the ceremony
// off.
std::optional<std::set<std::string>> LogAudit::StepsCalledOff(std::uint64_t entry) {
  std::set<std::string> named;
  Scanner reader;
  if (reader.ScanObject(scanner_.Find("called_off")) != LineFault::kNone) return std::nullopt;
  const std::string reason = DecodeString(reader.Find("reason")).value_or("");
  for (const std::string_view item :
       DecodeArray(scanner_.Find("open_items")).value_or(std::vector<std::string_view>())) {
    if (reader.ScanObject(item) != LineFault::kNone) continue;
    if (auto step = DecodeString(reader.Find("step"))) named.insert(*std::move(step));
  }
  findings_.Add(
      "SCR-CALLED-OFF", entry,
      base::Counted(named.size(), "step was", "steps were") + " not done; the reason given: " + Quoted(reason));
  return named;
}

void LogAudit::CheckAllDone(std::uint64_t entry) {
  if (plan_ == nullptr) return;
  const std::optional<std::set<std::string>> called_off = StepsCalledOff(entry);
  for (const PlannedStep& step : plan_->steps()) {
    const StepPast& past = past_[step.id];
    if (past.over || (called_off && called_off->contains(step.id))) continue;
    if (past.failed && !called_off) {
      findings_.Add("SCR-FAILED", entry, "step " + Quoted(step.id) + " has failed, and was not done again");
    } else {
      findings_.Add("SCR-MISSING", entry, "the record is closed without the step " + Quoted(step.id));
    }
  }
}

// CheckRehearsed: nobody who was simulated and no rehearsal's binding is in a record of production.
void LogAudit::CheckRehearsed(std::uint64_t entry) {
  if (const std::string_view simulated = scanner_.Find("simulated");
      !simulated.empty() && simulated != "true" && simulated != "false") {
    findings_.Add("REC-ENTRY", entry, "the field \"simulated\" is neither true nor false");
  }
  if (mode_ != Mode::kProduction) return;
  if (scanner_.Find("simulated") == "true" || scanner_.Find("environment") == "\"rehearsal\"")
    findings_.Add("REC-MODE", entry, "the entry is of a rehearsal, and the record says that it is of production");
}

void LogAudit::OnAttend(std::uint64_t entry) {
  if (const std::optional<std::string> person = TextOf("person", entry)) absent_.erase(*person);
}

void LogAudit::OnDepart(std::uint64_t entry) {
  if (const std::optional<std::string> person = TextOf("person", entry))
    absent_.insert_or_assign(*person, WithheldEntries());
}

bool LogAudit::IsAbsent(const std::string& person) const {
  const auto departed = absent_.find(person);
  return departed != absent_.end() && departed->second == WithheldEntries();
}

void LogAudit::OnRefusal(std::uint64_t entry) {
  if (scanner_.Find("request").empty()) return;  // it ends none
  const std::optional<std::uint64_t> number = NumberOf("request", entry);
  if (!number) return;
  const auto request = requests_.find(*number);
  if (request != requests_.end()) request->second.ended = true;
}

}  // namespace ceremony::record
