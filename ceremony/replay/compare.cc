#include "ceremony/replay/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <utility>

#include "ceremony/record/json_member.h"
#include "ceremony/record/reader.h"
#include "ceremony/replay/artefact.h"
#include "ceremony/replay/groups.h"
#include "ceremony/replay/peculiar.h"
#include "ceremony/replay/words.h"

namespace ceremony::replay {
namespace {

using nlohmann::json;
using record::TextOf;

constexpr std::size_t kMaxArtefact = 64u << 20;

// Members that say where and when something stands in its log, or are compared elsewhere.
constexpr const char* kPassedOver[] = {"v",       "seq",  "type",      "time",    "mono",     "salt",
                                       "mode",    "call", "simulated", "request", "approval", "opening_request",
                                       "attempt", "line", "objects",   "input"};

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> list) {
  return std::ranges::find(list, name) != list.end();
}

std::string LastOf(const std::string& path) { return path.substr(path.find_last_of('.') + 1); }

class Comparer final {
 public:
  Comparer(const Side& recorded, const Side& replayed, const std::set<std::string>& mechanisms,
           const std::optional<Stop>& stop)
      : recorded_(recorded),
        replayed_(replayed),
        mechanisms_(mechanisms),
        stop_(stop),
        peculiar_(recorded, replayed),
        other_product_(peculiar_.IsOther("")) {
    started_anew_ = std::ranges::any_of(recorded.entries, [](const json& entry) {
      return TextOf(entry, "type") == "recover" || TextOf(entry, "phase") == "failed";
    });
  }

  Comparison Run() {
    const std::vector<TryGroup> then = GroupsOf(recorded_.entries);
    const std::vector<TryGroup> now = GroupsOf(replayed_.entries);
    std::map<std::string, std::vector<const TryGroup*>> by_step;
    for (const TryGroup& group : now) by_step[group.step].push_back(&group);
    std::set<std::string> seen;
    for (const TryGroup& group : then) {
      if (!seen.insert(group.step).second) continue;
      std::vector<const TryGroup*> tries;
      for (const TryGroup& other : then) {
        if (other.step == group.step) tries.push_back(&other);
      }
      Step(tries, by_step[group.step]);
    }
    for (const TryGroup& group : now) {
      if (seen.insert(group.step).second) Step({}, by_step[group.step]);
    }
    result_.names = names_.names();
    result_.times = names_.times();
    return std::move(result_);
  }

 private:
  void Say(std::string_view reason, std::string what, std::string then, std::string now, const json* recorded,
           const json* replayed) {
    const Reason& found = FindReason(reason);
    ++(found.expected ? step_.expected : step_.unexpected);
    const auto seq = [](const json* entry) -> std::optional<std::uint64_t> {
      if (entry == nullptr || !entry->contains("seq") || !entry->at("seq").is_number_unsigned()) return std::nullopt;
      return entry->at("seq").get<std::uint64_t>();
    };
    result_.differences.push_back(
        {&found, step_.id, attempt_, std::move(what), std::move(then), std::move(now), seq(recorded), seq(replayed)});
  }

  void Step(const std::vector<const TryGroup*>& then, const std::vector<const TryGroup*>& now) {
    const TryGroup& any = then.empty() ? *now.front() : *then.front();
    step_ = {any.step, any.kind, static_cast<unsigned>(then.size()), static_cast<unsigned>(now.size()), 0, 0, 0, 0};
    Tries(then, now);
    if (!step_.id.empty() || step_.expected + step_.unexpected > 0) result_.steps.push_back(step_);
  }

  void Tries(const std::vector<const TryGroup*>& then, const std::vector<const TryGroup*>& now) {
    attempt_ = then.empty() ? now.front()->attempt : then.front()->attempt;
    if (now.empty()) {
      const bool passed = stop_ && stop_->for_softhsm;
      return Say(passed ? "REPLAY-SOFTHSM-01" : "REPLAY-STEP-02", "the step was not reached", then.back()->phase,
                 stop_ ? "stopped at " + stop_->step : "", then.back()->first(), nullptr);
    }
    // A fault of then need not come again: the last tries are the same thing.
    const std::size_t both = std::min(then.size(), now.size());
    earlier_.clear();
    for (std::size_t i = 0; i + both < then.size(); ++i) Failed(*then[i]);
    for (std::size_t i = 0; i + both < now.size(); ++i) {
      Say("REPLAY-STEP-01", then.empty() ? "the step is not in the record" : "a try that the record does not have", "",
          now[i]->outcome(), nullptr, now[i]->first());
    }
    for (std::size_t i = 0; i < both; ++i) Pair(*then[then.size() - both + i], *now[now.size() - both + i]);
  }

  void Failed(const TryGroup& group) {
    attempt_ = group.attempt;
    earlier_.insert(earlier_.end(), group.entries.begin(), group.entries.end());
    Say("REPLAY-FAULT-01", fmt::format("try {} failed", group.attempt), group.outcome(), "did not fail", group.last(),
        nullptr);
  }

  void Pair(const TryGroup& then, const TryGroup& now) {
    attempt_ = then.attempt;
    if (then.phase != "end" && now.phase == "end" && !then.step.empty()) return Failed(then);
    if (then.phase != "end" && now.WasStopped()) return Failed(then);
    if (then.phase == "end" && now.phase != "end") {
      const bool passed = stop_ && stop_->for_softhsm && stop_->step == then.step;
      return Say(passed ? "REPLAY-SOFTHSM-01" : "REPLAY-STEP-02", "the step",
                 passed ? CannotDo(recorded_.entries, then.step, mechanisms_) : "came to its end", now.outcome(),
                 then.last(), now.last());
    }
    step_.entries += then.entries.size();
    result_.entries += then.entries.size();
    credential_trouble_ = std::ranges::any_of(then.entries, [](const json* entry) {
      return TextOf(*entry, "type") == "refusal" && entry->contains("person");
    });
    std::vector<const json*> only_then, only_now;
    for (const auto& [a, b] : Align(then.entries, now.entries)) {
      if (a != nullptr && b != nullptr) {
        Lonely(only_then, only_now);
        Entry(*a, *b);
      } else {
        (a != nullptr ? only_then : only_now).push_back(a != nullptr ? a : b);
      }
    }
    Lonely(only_then, only_now);
  }

  // Entries between two pairs that only one side has: a call in the place of another is one difference.
  void Lonely(std::vector<const json*>& then, std::vector<const json*>& now) {
    const auto take_dones = [](std::vector<const json*>& list) {
      std::erase_if(list, [&](const json* entry) {
        return TextOf(*entry, "type") == "done" && std::ranges::any_of(list, [&](const json* other) {
                 return TextOf(*other, "type") == "intent" && other->value("call", -1) == entry->value("call", -2);
               });
      });
    };
    TakeFromEarlier(now);
    take_dones(then);
    take_dones(now);
    std::size_t paired = 0;
    for (const json* entry : then) {
      if (!IsCall(*entry)) {
        Say(IsOfACut(*entry)     ? "REPLAY-FAULT-01"
            : IsOfPeople(*entry) ? "REPLAY-PEOPLE-01"
            : IsArtefact(*entry) ? "REPLAY-ARTEFACT-01"
                                 : LonelyReason(*entry, true),
            WhatOf(*entry), LineOf(*entry), "", entry, nullptr);
        continue;
      }
      while (paired < now.size() && !IsCall(*now[paired])) ++paired;
      const json* instead = paired < now.size() ? now[paired] : nullptr;
      const bool passed = SoftHsmLacks(*entry);
      if (const std::string_view quirk = peculiar_.ExplainCall(*entry); !quirk.empty()) {
        Say(quirk, WhatOf(*entry), CallText(*entry), "", entry, nullptr);
        SettleInventory(*entry);
        continue;
      }
      Say(passed               ? "REPLAY-SOFTHSM-01"
          : instead != nullptr ? "REPLAY-CALL-03"
                               : "REPLAY-CALL-01",
          WhatOf(*entry), CallText(*entry), instead == nullptr ? "" : CallText(*instead), entry, instead);
      if (instead != nullptr) now.erase(now.begin() + static_cast<std::ptrdiff_t>(paired));
    }
    for (const json* entry : now) {
      Say(IsCall(*entry)       ? "REPLAY-CALL-02"
          : IsArtefact(*entry) ? "REPLAY-ARTEFACT-01"
                               : LonelyReason(*entry, false),
          WhatOf(*entry), "", LineOf(*entry), nullptr, entry);
    }
    then.clear();
    now.clear();
  }

  // What a try that failed has left, such as a file or a sealed share, the next one does not make again; the replay
  // makes it in one go.
  void TakeFromEarlier(std::vector<const json*>& now) {
    if (earlier_.empty() || now.empty()) return;
    const std::vector<const json*> all = std::exchange(now, {});
    std::vector<const json*> still_there;
    for (const auto& [then, replayed] : Align(earlier_, all)) {
      if (then == nullptr) {
        now.push_back(replayed);
      } else if (replayed == nullptr) {
        still_there.push_back(then);
      } else {
        Entry(*then, *replayed);
      }
    }
    earlier_ = std::move(still_there);
  }

  // SoftHSM has no such mechanism, and another product made the call: no SoftHSM can have made it.
  bool SoftHsmLacks(const json& call) const {
    const std::string mechanism = TextOf(call, "mechanism");
    return peculiar_.IsOther(TextOf(call, "token")) && !mechanism.empty() && !mechanisms_.contains(mechanism);
  }

  // A call that only the record has left another inventory, which stands for what the one before it stood for.
  void SettleInventory(const json& intent) {
    for (const json& entry : recorded_.entries) {
      if (TextOf(entry, "type") == "done" && entry.value("call", json()) == intent.value("call", json()))
        names_.Rename(TextOf(intent, "inventory"), TextOf(entry, "inventory"));
    }
  }

  static bool IsArtefact(const json& entry) { return TextOf(entry, "type") == "artefact"; }

  // What a program that was cut off, or people who went on after a failure, leave in a record.
  bool IsOfACut(const json& entry) const {
    const std::string what = TextOf(entry, "what");
    // A program that is started anew logs in anew.
    if (what == "shares-contributed") return started_anew_;
    return TextOf(entry, "type") == "recover" || TextOf(entry, "rule").starts_with("SETTLE-") ||
           IsOneOf(what,
                   {"call-settled", "leftover-gone", "the people present decided to go on", "share-set-abandoned"});
  }

  // A custodian whose keys never touch the machine in the room; a simulated one has them there. A share
  // that failed then is not given now.
  static bool IsOfPeople(const json& entry) {
    return IsOneOf(TextOf(entry, "what"), {"share-asked-elsewhere", "share-handed-over", "share-declined"});
  }

  std::string_view LonelyReason(const json& entry, bool in_record) const {
    if (credential_trouble_ && (TextOf(entry, "type") == "cosign" || entry.contains("person")))
      return "REPLAY-PEOPLE-01";
    return in_record ? "REPLAY-ENTRY-01" : "REPLAY-ENTRY-02";
  }

  void Entry(const json& then, const json& now) {
    const std::string type = TextOf(then, "type");
    if (type == "done") ++step_.calls, ++result_.calls;
    json a = then, b = now;
    for (const char* field : kPassedOver) a.erase(field), b.erase(field);
    if (type == "open") return Open(a, b, then, now);
    if (type == "artefact") return Artefact(a, b, then, now);
    if (other_product_ && type == "step") a.erase("calls"), b.erase("calls");
    if (type == "request") AsRehearsal(a, then);
    std::vector<Unlike> unlike;
    CompareValues(a, b, "", names_, unlike);
    if (type == "intent" || type == "done") CompareObjects(then, now, unlike);
    for (const Unlike& difference : unlike)
      Say(ReasonOf(type, difference, then, now), WhatOf(then) + ": " + difference.where, difference.recorded,
          difference.replayed, &then, &now);
  }

  // The opening names the environment in words (older records: the mode); Open has told that it is another one.
  static void AsRehearsal(json& request, const json& then) {
    const auto subject = request.find("subject");
    if (TextOf(then, "step") != "opening" || subject == request.end() || !subject->is_object()) return;
    const std::string mode = TextOf(then, "mode");
    const std::string environment = subject->contains("environment") ? TextOf(*subject, "environment") : mode;
    std::string statement = TextOf(request, "statement");
    const std::string said = "(" + environment + ")";
    if (const std::size_t at = statement.find(said); at != std::string::npos)
      request["statement"] = statement.replace(at, said.size(), "(rehearsal)");
    for (const char* member : {"mode", "environment"}) {
      if (subject->contains(member)) (*subject)[member] = "rehearsal";
    }
  }

  // The digests of the objects on a token stand in their own order, which says nothing.
  static void CompareObjects(const json& then, const json& now, std::vector<Unlike>& unlike) {
    const auto count = [](const json& entry) { return entry.value("objects", json::array()).size(); };
    if (count(then) != count(now))
      unlike.push_back({"objects", std::to_string(count(then)), std::to_string(count(now)), false});
  }

  static bool IsOfASlot(const Unlike& difference) {
    constexpr std::string_view kSlot = "uninitialised token in slot ";
    return difference.recorded.starts_with(kSlot) && difference.replayed.starts_with(kSlot);
  }

  std::string_view ReasonOf(const std::string& type, const Unlike& difference, const json& then, const json& now) {
    const std::string last = LastOf(difference.where);
    const bool other_product = peculiar_.IsOther(TextOf(then, "token"));
    if (const std::string_view quirk = peculiar_.Explain(then, now, difference); !quirk.empty()) return quirk;
    if (difference.other_name) return "REPLAY-KEY-01";
    if (IsOneOf(last, {"mode", "environment"}) && difference.replayed == "rehearsal") return "REPLAY-PEOPLE-01";
    if (other_product && IsOneOf(last, {"manufacturer", "model", "firmware", "hardware", "mechanisms", "module",
                                        "module_version", "problem", "sessions"}))
      return "REPLAY-TOKEN-01";
    // Slots are numbered by how many tokens a module has, which are others where any is another product.
    if (other_product_ && (last == "slot" || IsOfASlot(difference))) return "REPLAY-TOKEN-01";
    if (difference.where.starts_with("mechanisms")) return other_product ? "REPLAY-TOKEN-01" : "REPLAY-ENTRY-03";
    // A program that is started anew logs in anew.
    if (type == "step" && difference.where.starts_with("calls.") && started_anew_) return "REPLAY-COUNT-01";
    if (type != "intent" && type != "done") return "REPLAY-ENTRY-03";
    if (IsOneOf(difference.where, {"fn", "mechanism", "token"}))
      return difference.where == "mechanism" && SoftHsmLacks(then) ? "REPLAY-SOFTHSM-01" : "REPLAY-CALL-03";
    if (difference.where.starts_with("template.")) return "REPLAY-TEMPLATE-01";
    if (difference.where == "rv") {
      // Each product refuses in its own words; whether it refuses is the result.
      const bool both_refuse = difference.recorded != "CKR_OK" && difference.replayed != "CKR_OK";
      return other_product && both_refuse ? "REPLAY-COUNT-01" : "REPLAY-RV-01";
    }
    if (difference.where.starts_with("attributes.")) {
      const std::string name = difference.where.substr(std::string("attributes.").size());
      const auto states = [&](const json& entry) { return entry.value("template", json::object()).contains(name); };
      return other_product && !states(then) && !states(now) ? "REPLAY-DEFAULT-01" : "REPLAY-ATTR-01";
    }
    return "REPLAY-ENTRY-03";
  }

  void Open(json a, json b, const json& then, const json& now) {
    // The bytes of the inputs are the record's own (RUN-INPUT-01), or stand in for them.
    for (const char* field : {"inputs", "log_key", "put_back", "set_aside"}) a.erase(field), b.erase(field);
    const std::pair<const char*, const char*> by_reason[] = {
        {"program", "REPLAY-PROGRAM-01"}, {"modules", "REPLAY-TOKEN-01"}, {"environment", "REPLAY-PEOPLE-01"}};
    for (const auto& [field, reason] : by_reason) {
      json was = a.value(field, json()), is = b.value(field, json());
      a.erase(field), b.erase(field);
      if (was == is) continue;
      for (json* side : {&was, &is}) *side = side->is_array() && side->size() == 1 ? side->front() : *side;
      const json whole = was;
      for (const auto& [name, value] : whole.items()) {
        if (!whole.is_object() || !is.is_object() || !is.contains(name) || is[name] != value) continue;
        was.erase(name), is.erase(name);  // only what differs is shown
      }
      Say(reason, std::string("open: ") + field, ValueText(was), ValueText(is), &then, &now);
    }
    if (TextOf(then, "mode") != TextOf(now, "mode"))
      Say("REPLAY-PEOPLE-01", "open: mode", TextOf(then, "mode"), TextOf(now, "mode"), &then, &now);
    std::vector<Unlike> unlike;
    CompareValues(a, b, "", names_, unlike);
    for (const Unlike& difference : unlike)
      Say(ReasonOf("open", difference, then, now), "open: " + difference.where, difference.recorded,
          difference.replayed, &then, &now);
  }

  void Artefact(json a, json b, const json& then, const json& now) {
    ++result_.artefacts;
    // The digest is compared by what the file says.
    a.erase("sha256"), b.erase("sha256");
    std::vector<Unlike> unlike;
    CompareValues(a, b, "", names_, unlike);
    for (const Unlike& difference : unlike)
      Say(ReasonOf("artefact", difference, then, now), WhatOf(then) + ": " + difference.where, difference.recorded,
          difference.replayed, &then, &now);
    const auto recorded = ReadArtefact(recorded_, TextOf(then, "name"));
    const auto replayed = ReadArtefact(replayed_, TextOf(now, "name"));
    if (!recorded.ok() || !replayed.ok()) {
      return Say("REPLAY-ARTEFACT-01", WhatOf(then), recorded.ok() ? "there" : recorded.error().message,
                 replayed.ok() ? "there" : replayed.error().message, &then, &now);
    }
    for (const Unlike& difference : CompareArtefacts(*recorded, *replayed, names_))
      Say(difference.other_name                                                      ? "REPLAY-KEY-01"
          : LastOf(difference.where) == "mode" && difference.replayed == "rehearsal" ? "REPLAY-PEOPLE-01"
                                                                                     : "REPLAY-ARTEFACT-02",
          WhatOf(then) + ": " + difference.where, difference.recorded, difference.replayed, &then, &now);
  }

  static base::Result<std::string> ReadArtefact(const Side& side, const std::string& name) {
    KC_ASSIGN_OR_RETURN(const record::RecordFolder folder, record::RecordFolder::Open(side.folder));
    return folder.ReadSmall("artefacts/" + name, kMaxArtefact);
  }

  const Side& recorded_;
  const Side& replayed_;
  const std::set<std::string>& mechanisms_;
  const std::optional<Stop>& stop_;
  Peculiar peculiar_;
  const bool other_product_;   // of any token
  bool started_anew_ = false;  // the record's program was, or its tokens were found anew
  bool credential_trouble_ = false;
  std::vector<const json*> earlier_{};  // what failed tries of this step have, and the last one was not compared with
  NamePairs names_;
  ComparedStep step_;
  unsigned attempt_ = 0;
  Comparison result_;
};

}  // namespace

Comparison CompareReplay(const Side& recorded, const Side& replayed, const std::set<std::string>& mechanisms,
                         const std::optional<Stop>& stop) {
  return Comparer(recorded, replayed, mechanisms, stop).Run();
}

std::string CannotDo(const std::vector<json>& entries, const std::string& step,
                     const std::set<std::string>& mechanisms) {
  std::set<std::string> missing;
  for (const TryGroup& group : GroupsOf(entries)) {
    if (!step.empty() && group.step != step) continue;
    for (const json* entry : group.entries) {
      const std::string mechanism = TextOf(*entry, "mechanism");
      if (IsCall(*entry) && !mechanism.empty() && !mechanisms.contains(mechanism)) missing.insert(mechanism);
      if (TextOf(*entry, "what") == "vendor-copy") missing.insert("a copy by the vendor's own procedure");
    }
  }
  return fmt::format("{}", fmt::join(missing, ", "));
}

}  // namespace ceremony::replay
