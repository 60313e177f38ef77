#include "ceremony/run/history.h"

#include <algorithm>

#include "ceremony/record/json_member.h"
#include "hsm/base/encoding.h"

namespace ceremony::run {
namespace {

using nlohmann::json;
using record::TextOf;
using record::TextsOf;

std::uint64_t Number(const json& entry, const char* field) {
  return static_cast<std::uint64_t>(record::IntegerOf(entry, field));
}

}  // namespace

bool CallRecord::IsOfWholeToken() const {
  return function == "C_InitToken" || function == "C_InitPIN" || function == "C_SetPIN";
}

bool CallRecord::MayHaveWorked() const {
  return !rv.starts_with("CKR_PIN_") && rv != "CKR_FUNCTION_NOT_SUPPORTED" && rv != "CKR_TOKEN_WRITE_PROTECTED";
}

bool CallRecord::NeedsSettling() const {
  if (settled) return false;
  if (rv.empty()) return true;
  // A call that failed, or whose result was not what was asked, may still have
  // left something; one that made no difference to the token has not.
  if (!worked() || !problem.empty()) return ChangedToken();
  return function == "C_GenerateKeyPair" && spki.empty();
}

bool CallRecord::ChangedToken() const {
  if (IsOfWholeToken()) return MayHaveWorked();
  return inventory_before != inventory_after || objects_before != objects_after;
}

const StepHistory& History::StepOf(const std::string& id) const {
  static const StepHistory none;
  const auto found = steps_.find(id);
  return found == steps_.end() ? none : found->second;
}

std::size_t History::StepsOver() const {
  return static_cast<std::size_t>(
      std::count_if(steps_.begin(), steps_.end(), [](const auto& s) { return s.second.over(); }));
}

std::size_t History::StepsEnded() const {
  return static_cast<std::size_t>(
      std::count_if(steps_.begin(), steps_.end(), [](const auto& s) { return s.second.ended; }));
}

steps::Progress History::ProgressOf(const std::string& id) const {
  steps::Progress progress;
  const StepHistory& step = StepOf(id);
  progress.resumed = step.attempts > 0;
  progress.artefacts = step.artefacts;
  progress.observations = step.observations;
  for (const auto& [key, change] : pin_changes_) progress.pin_changes.push_back(change);
  for (const CallRecord& call : calls_) {
    if (call.step != id) continue;
    const bool worked = call.worked() && call.problem.empty();
    (worked ? progress.calls : progress.unsure).push_back({call.function, call.token, call.spki});
  }
  return progress;
}

base::Result<void> History::See(const json& entry) {
  const std::string type = TextOf(entry, "type");
  const std::uint64_t seq = entries_++;
  if (type == "attend" || type == "depart" || type == "note") return attendance_.See(entry);
  if (type == "step") return SeeStep(entry);
  if (type == "done") return SeeDone(entry, seq);
  if (type == "observe") return SeeObserve(entry);
  if (type == "open") {
    open_ = entry;
  } else if (type == "close") {
    closed_ = true;
    called_off_ = entry.contains("called_off");
  } else if (type == "request") {
    SeeRequest(entry, seq);
  } else if (type == "cosign") {
    if (RequestHistory* request = RequestAt(Number(entry, "request")))
      request->approved_by.insert(TextOf(entry, "person"));
  } else if (type == "refusal") {
    // A refusal that names a request is its end; cosignatures that come later count for nothing.
    RequestHistory* request = entry.contains("request") ? RequestAt(Number(entry, "request")) : nullptr;
    if (request != nullptr) request->ended = true;
  } else if (type == "intent") {
    SeeIntent(entry, seq);
  } else if (type == "deviation") {
    SeeDeviation(entry);
  } else if (type == "artefact") {
    SeeArtefact(entry);
  }
  return {};
}

void History::SeeRequest(const json& entry, std::uint64_t seq) {
  RequestHistory request;
  request.seq = seq;
  request.step = TextOf(entry, "step");
  for (const std::string& step : TextsOf(entry, "steps")) request.steps.insert(step);
  request.m = Number(entry.value("quorum", json::object()), "m");
  requests_[request.step] = std::move(request);
}

void History::SeeIntent(const json& entry, std::uint64_t seq) {
  CallRecord call;
  call.number = Number(entry, "call");
  call.intent_seq = seq;
  call.step = current_step_;
  call.function = TextOf(entry, "fn");
  call.token = TextOf(entry, "token");
  call.planned_id = TextOf(entry, "object_id");
  call.object = TextOf(entry, "object");
  call.objects_named = entry.contains("objects");
  call.objects_before = TextsOf(entry, "objects");
  call.inventory_before = TextOf(entry, "inventory");
  calls_.push_back(std::move(call));
}

base::Result<void> History::SeeDone(const json& entry, std::uint64_t seq) {
  const std::uint64_t number = Number(entry, "call");
  const auto call = std::ranges::find(calls_, number, &CallRecord::number);
  if (call == calls_.end()) {
    return base::MakeError(base::ErrorCode::kCorrupt, "entry " + std::to_string(seq) + " ends call " +
                                                          std::to_string(number) + ", which nobody began");
  }
  call->rv = TextOf(entry, "rv");
  call->spki = TextOf(entry, "spki");
  call->problem = TextOf(entry, "problem");
  call->objects_after = TextsOf(entry, "objects");
  call->inventory_after = TextOf(entry, "inventory");
  return {};
}

void History::SeeDeviation(const json& entry) {
  if (const std::string rule = TextOf(entry, "waived"); !rule.empty())
    waived_.emplace(rule, TextOf(entry, "waived_step"));
  if (const std::string rule = TextOf(entry, "rule"); rule.starts_with("SETTLE-KEEP-")) {
    const auto kept = FindLeftover(TextOf(entry, "token"), TextOf(entry, "digest"));
    if (kept != leftovers_.end()) kept->kept_by = rule;
  }
}

void History::SeeArtefact(const json& entry) {
  const std::string step = TextOf(entry, "step");
  if (!step.empty())
    steps_[step].artefacts.push_back({TextOf(entry, "name"), TextOf(entry, "sha256"), TextOf(entry, "kind")});
}

const RequestHistory* History::FindRequest(const std::string& step) const {
  const auto found = requests_.find(step);
  return found == requests_.end() ? nullptr : &found->second;
}

RequestHistory* History::RequestAt(std::uint64_t seq) {
  const auto found =
      std::find_if(requests_.begin(), requests_.end(), [&](const auto& named) { return named.second.seq == seq; });
  return found == requests_.end() ? nullptr : &found->second;
}

base::Result<void> History::SeeStep(const json& entry) {
  const std::string id = TextOf(entry, "id");
  const std::string phase = TextOf(entry, "phase");
  StepHistory& step = steps_[id];
  if (phase == "begin") {
    ++step.attempts;
    step.open = true;
    current_step_ = id;
    return {};
  }
  step.open = false;
  current_step_.clear();
  if (phase == "skipped") step.skipped = true;
  if (phase != "end") return {};
  step.ended = true;
  const auto effects = entry.find("effects");
  if (effects == entry.end()) return {};
  for (const json& effect : *effects) {
    KC_ASSIGN_OR_RETURN(estate::Effect read, estate::EffectFromJson(effect));
    // From here on the set is the estate's.
    if (const auto* issued = std::get_if<estate::SharesIssued>(&read)) new_sets_.erase(issued->token);
    effects_.push_back(std::move(read));
  }
  return {};
}

const NewSetHistory* History::FindNewSet(const std::string& token) const {
  const auto found = new_sets_.find(token);
  return found == new_sets_.end() ? nullptr : &found->second;
}

base::Result<void> History::SeeShares(const std::string& what, const json& entry) {
  const std::string token = TextOf(entry, "token");
  if (what == "share-set-sealed") {
    KC_ASSIGN_OR_RETURN(const estate::Effect read, estate::EffectFromJson(entry.value("shares", json())));
    const auto* issued = std::get_if<estate::SharesIssued>(&read);
    if (issued == nullptr) return base::MakeError(base::ErrorCode::kCorrupt, "a sealed share set is not one");
    new_sets_[issued->token] = {
        {issued->token, issued->set, issued->generation, issued->quorum, issued->m, issued->holders, {}}, {}};
  } else if (what == "share-confirmed") {
    const auto found = new_sets_.find(token);
    if (found != new_sets_.end() && found->second.set.set == TextOf(entry, "set"))
      found->second.confirmed.insert(TextOf(entry, "person"));
  } else if (what == "share-set-abandoned") {
    new_sets_.erase(token);
  } else if (what == "pin-changing" || what == "pin-changed") {
    pin_changes_[TextOf(entry, "set") + "/" + TextOf(entry, "pin")] = {TextOf(entry, "set"), TextOf(entry, "pin"),
                                                                       what == "pin-changed"};
  }
  return {};
}

std::vector<Leftover>::iterator History::FindLeftover(const std::string& token, const std::string& digest) {
  return std::ranges::find_if(leftovers_, [&](const Leftover& l) { return l.token == token && l.digest == digest; });
}

base::Result<void> History::SeeObserve(const json& entry) {
  const std::string what = TextOf(entry, "what");
  if (const std::string step = TextOf(entry, "step"); !step.empty())
    steps_[step].observations.push_back({what, TextOf(entry, "token"), TextOf(entry, "key")});
  if (what == "call-settled") SeeSettled(entry);
  if (what == "leftover-gone") SeeLeftoverGone(entry);
  return SeeShares(what, entry);
}

void History::SeeSettled(const json& entry) {
  const std::uint64_t number = Number(entry, "call");
  for (CallRecord& call : calls_) {
    if (call.number == number) call.settled = true;
  }
  // Objects of which nothing can be read look alike: each is one leftover, and is one still when another
  // call's settling finds it again.
  const auto alike = [](const Leftover& one) {
    return [&one](const Leftover& other) { return other.token == one.token && other.digest == one.digest; };
  };
  std::vector<Leftover> here;
  for (const json& object : entry.value("leftovers", json::array())) {
    const Leftover leftover{
        TextOf(entry, "token"), TextOf(object, "digest"), TextOf(object, "name"), Number(entry, "vanished"), {}};
    here.push_back(leftover);
    if (std::ranges::count_if(here, alike(leftover)) > std::ranges::count_if(leftovers_, alike(leftover)))
      leftovers_.push_back(leftover);
  }
}

void History::SeeLeftoverGone(const json& entry) {
  // Of two that look alike it is the one that nobody has said to stay.
  const std::string token = TextOf(entry, "token");
  const std::string digest = TextOf(entry, "digest");
  auto gone = std::ranges::find_if(
      leftovers_, [&](const Leftover& l) { return l.token == token && l.digest == digest && l.kept_by.empty(); });
  if (gone == leftovers_.end()) gone = FindLeftover(token, digest);
  if (gone != leftovers_.end()) leftovers_.erase(gone);
}

}  // namespace ceremony::run
