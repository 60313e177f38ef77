// History is what has happened so far according to a record, as a fold over its
// entries. The runner passes it every entry that it writes; resume passes it every
// entry that it finds. Both continue from the same state, so a resumed ceremony
// runs through the same code.
#ifndef CEREMONY_RUN_HISTORY_H_
#define CEREMONY_RUN_HISTORY_H_

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ceremony/estate/effect.h"
#include "ceremony/estate/estate.h"
#include "ceremony/quorum/attendance.h"
#include "ceremony/steps/step_context.h"
#include "hsm/base/result.h"

namespace ceremony::run {

// Leftover is an object that a failed or interrupted call left on a token, and
// that no step has asked for.
struct Leftover {
  std::string token;   // logical name
  std::string digest;  // of its canonical inventory line, 64 hex digits
  std::string name;    // for people: `private key "root" (id 01ab)`
  // How many objects that were there before are gone: what is left may be what became of one of them.
  std::uint64_t vanished = 0;
  std::string kept_by;  // the rule of the deviation that says why it stays; empty while nobody has decided
};

// CallRecord is one consequential call: its `intent`, and its `done` if there is one.
struct CallRecord {
  std::uint64_t number = 0;
  std::uint64_t intent_seq = 0;
  std::string step;
  std::string function;
  std::string token;
  std::string planned_id;
  std::string object;                       // that it is made on, by its name; empty if it is on none
  bool objects_named = false;               // there were few enough objects before the call to name each
  std::vector<std::string> objects_before;  // digests of the inventory's lines, sorted; equal ones repeat
  std::vector<std::string> objects_after;
  std::string inventory_before;  // digests of the whole inventory
  std::string inventory_after;
  std::string rv;    // its name: "CKR_OK"; empty while no `done` was written
  std::string spki;  // base64 DER; empty if none came out
  std::string problem;
  bool settled = false;  // an `observe` entry says what became of it

  bool worked() const { return rv == "CKR_OK"; }
  // IsOfWholeToken tells whether it initialises the token or sets a PIN, which no inventory shows.
  bool IsOfWholeToken() const;
  // MayHaveWorked is false when the token refused the call, rather than failed in it.
  bool MayHaveWorked() const;
  // NeedsSettling: nobody knows yet what it left on the token.
  bool NeedsSettling() const;
  // ChangedToken tells whether the token is another than before, or may be.
  bool ChangedToken() const;
};

struct StepHistory {
  unsigned attempts = 0;
  bool open = false;  // begun, and neither ended, failed nor skipped since
  bool ended = false;
  bool skipped = false;
  std::vector<steps::Progress::Artefact> artefacts;
  std::vector<steps::Progress::Observation> observations;
  bool over() const { return ended || skipped; }
};

// RequestHistory is the newest request for an approval under one name.
struct RequestHistory {
  std::uint64_t seq = 0;
  std::string step;             // a step's id, or a name of record/script_plan.h
  std::set<std::string> steps;  // of a section: the steps that it is for
  std::size_t m = 0;
  std::set<std::string> approved_by;
  bool ended = false;  // somebody declined, or it was not met in time
  bool met() const { return !ended && m > 0 && approved_by.size() >= m; }
};

// NewSetHistory is a share set that was sealed in this record and is not in the
// estate yet.
struct NewSetHistory {
  estate::ShareSet set;
  std::set<std::string> confirmed;  // people
  bool confirmed_by_all() const { return !set.holders.empty() && confirmed.size() == set.holders.size(); }
};

class History final {
 public:
  // See takes in one entry, which the writer or the recovery has checked. kCorrupt
  // when it lacks what this fold needs.
  base::Result<void> See(const nlohmann::json& entry);

  bool opened() const { return !open_.is_null(); }
  const nlohmann::json& open() const { return open_; }
  bool closed() const { return closed_; }
  bool called_off() const { return called_off_; }  // it was closed before its script was done

  const StepHistory& StepOf(const std::string& id) const;
  std::size_t StepsOver() const;   // ended, or left out
  std::size_t StepsEnded() const;  // what `close` counts
  // ProgressOf is what earlier attempts at a step have done.
  steps::Progress ProgressOf(const std::string& id) const;

  const std::vector<CallRecord>& calls() const { return calls_; }
  std::uint64_t last_call() const { return calls_.empty() ? 0 : calls_.back().number; }
  // FindRequest returns the newest request under a name, nullptr if there was none.
  const RequestHistory* FindRequest(const std::string& step) const;
  // FindNewSet returns the set that is being put in place for a token; nullptr
  // when there is none, it was abandoned, or the step that made it has ended.
  const NewSetHistory* FindNewSet(const std::string& token) const;
  const std::string& current_step() const { return current_step_; }
  quorum::Attendance& attendance() { return attendance_; }
  const quorum::Attendance& attendance() const { return attendance_; }
  const std::vector<Leftover>& leftovers() const { return leftovers_; }
  const std::vector<estate::Effect>& effects() const { return effects_; }
  // IsWaived tells whether the people of a waiver have said in the room that they stand by it.
  bool IsWaived(const std::string& rule, const std::string& step) const { return waived_.contains({rule, step}); }
  std::uint64_t entries() const { return entries_; }

 private:
  RequestHistory* RequestAt(std::uint64_t seq);
  std::vector<Leftover>::iterator FindLeftover(const std::string& token, const std::string& digest);
  base::Result<void> SeeStep(const nlohmann::json& entry);
  void SeeRequest(const nlohmann::json& entry, std::uint64_t seq);
  void SeeIntent(const nlohmann::json& entry, std::uint64_t seq);
  base::Result<void> SeeDone(const nlohmann::json& entry, std::uint64_t seq);
  void SeeDeviation(const nlohmann::json& entry);
  void SeeArtefact(const nlohmann::json& entry);
  base::Result<void> SeeObserve(const nlohmann::json& entry);
  void SeeSettled(const nlohmann::json& entry);
  void SeeLeftoverGone(const nlohmann::json& entry);
  base::Result<void> SeeShares(const std::string& what, const nlohmann::json& entry);

  std::uint64_t entries_ = 0;
  nlohmann::json open_;
  bool closed_ = false;
  bool called_off_ = false;
  std::map<std::string, StepHistory> steps_;
  std::string current_step_;
  std::vector<CallRecord> calls_;
  std::map<std::string, RequestHistory> requests_;
  std::map<std::string, NewSetHistory> new_sets_;                  // by token
  std::map<std::string, steps::Progress::PinChange> pin_changes_;  // by set and PIN
  quorum::Attendance attendance_;
  std::vector<Leftover> leftovers_;
  std::vector<estate::Effect> effects_;
  std::set<std::pair<std::string, std::string>> waived_;  // rule and step
};

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_HISTORY_H_
