// The people of a replay. They give the answers that the record contains.
//
// A record has facts, not questions; the kind of an entry tells which question it
// answered. Questions without an answer in the record (a PIN, a share that nobody gave)
// are answered as by a simulated person of a rehearsal.
#ifndef CEREMONY_REPLAY_ANSWERS_H_
#define CEREMONY_REPLAY_ANSWERS_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ceremony/room/terminal.h"
#include "ceremony/room/unattended_terminal.h"
#include "ceremony/script/roster.h"
#include "hsm/base/clock.h"

namespace ceremony::replay {

// Try is one attempt at a step, counted from 1. Entries between two steps belong to the try before them.
using Try = std::pair<std::string, unsigned>;

class RecordedAnswers final {
 public:
  // `entries` are those of one record, in order; `roster` is the one it was run with.
  RecordedAnswers(const std::vector<nlohmann::json>& entries, const script::Roster& roster);

  // Take returns the next recorded answer to a question in a try, else one of a later try of the same step: a recorded
  // fault may not recur, so answers of later tries are used. Arrivals, departures and refusals are not.
  // `utc_micros` is the time now: a clock that is read aloud differs from the machine's as it did in the record.
  std::optional<std::string> Take(const std::string& question, const Try& now, std::int64_t utc_micros);

  // TriesOf is the number of times that a step was begun in the record.
  unsigned TriesOf(const std::string& step) const;
  // EndOf is the end of a try, in microseconds; nullopt: the record does not say.
  std::optional<std::int64_t> EndOf(const Try& at) const;
  // HasChanges returns whether people came or went between this try and the next.
  bool HasChanges(const Try& after) const { return changes_.contains(after); }
  // StopsAfter tells whether they did when `resume` went on: the program had stopped in this try, or after it.
  bool StopsAfter(const Try& at) const { return stops_.contains(at); }
  bool CameToEnd(const Try& at) const { return whole_.contains(at); }
  // Begun are the steps that were begun or left out.
  const std::set<std::string>& begun() const { return begun_; }
  bool closed() const { return closed_; }
  bool called_off() const { return called_off_; }  // it was closed before its script was done

 private:
  struct Builder;
  using Queues = std::map<std::string, std::deque<std::string>>;

  std::map<Try, Queues> answers_;
  std::map<std::string, unsigned> tries_;
  std::map<Try, std::int64_t> ends_;
  std::set<Try> changes_, stops_, whole_;
  std::set<std::string> begun_, skipped_;
  bool closed_ = false, called_off_ = false;
};

// ReplayClock starts at a time of the record, and jumps ahead with the record, never back.
class ReplayClock final : public base::Clock {
 public:
  explicit ReplayClock(std::int64_t utc_micros);
  std::int64_t UtcMicros() override { return system_.UtcMicros() + utc_shift_; }
  std::int64_t BootMicros() override { return system_.BootMicros() + boot_shift_; }
  void AdvanceTo(std::int64_t utc_micros);

 private:
  base::SystemClock system_;
  std::int64_t utc_shift_;
  std::int64_t boot_shift_ = 0;
};

// ReplayTerminal is the room of a replay: it shows nothing, and RecordedAnswers answer. Both references must outlive
// it.
class ReplayTerminal final : public room::Terminal {
 public:
  ReplayTerminal(RecordedAnswers& answers, ReplayClock& clock);

  // People come and go only where they did in the record.
  bool HasPeople() const override { return answers_.HasChanges(now_); }
  void ShowBanner(const room::Banner&) override {}
  void ShowStep(const room::StepHeading& heading) override;
  void Say(room::Tone, const std::string&) override {}
  void ShowFacts(const std::vector<room::Fact>&) override {}
  void ShowComparison(const room::Comparison&) override {}
  void ShowDigest(const std::string&, base::ByteView) override {}
  std::unique_ptr<room::Busy> ShowBusy(const std::string& what) override { return quiet_.ShowBusy(what); }
  base::Result<std::string> Ask(const room::Question& question) override;
  base::Result<base::SecretBytes> AskSecret(const room::SecretQuestion& question) override {
    return quiet_.AskSecret(question);
  }

  const Try& now() const { return now_; }
  // IsToStop tells whether the program is to stop here as it did then, because people came or went before it went on.
  bool IsToStop() const { return answers_.StopsAfter(now_) && !went_on_.contains(now_); }
  void GoOn() { went_on_.insert(now_); }
  // IsAtRecordsEnd tells whether everything that an unfinished record tells of has been done again.
  bool IsAtRecordsEnd() const;

 private:
  RecordedAnswers& answers_;
  ReplayClock& clock_;
  room::UnattendedTerminal quiet_;
  std::map<std::string, unsigned> tries_;
  std::set<Try> went_on_;
  Try now_;
};

}  // namespace ceremony::replay

#endif  // CEREMONY_REPLAY_ANSWERS_H_
