// CompareReplay compares a record with its replay, try by try and entry by entry: each
// call with its function, mechanism, template, return value and the attributes read
// back; observations, approvals and refusals; each file that was written.
//
// Every difference has a reason from one table. The reason says whether the difference
// is expected, and why. Unexpected ones are findings.
#ifndef CEREMONY_REPLAY_COMPARE_H_
#define CEREMONY_REPLAY_COMPARE_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ceremony::replay {

struct Reason {
  std::string_view id;
  bool expected;
  std::string_view why;
};

// Reasons is the table, unexpected ones first. FindReason ends the program for an id that is not in it.
std::span<const Reason> Reasons();
const Reason& FindReason(std::string_view id);

struct Difference {
  const Reason* reason = nullptr;
  std::string step;                // empty: before the first step
  unsigned attempt = 0;            // as the record counts it
  std::string what;                // "C_GenerateKeyPair on root-hsm: template private.CKA_EXTRACTABLE"
  std::string recorded, replayed;  // empty: not there
  std::optional<std::uint64_t> recorded_entry, replayed_entry;  // their `seq`
};

struct ComparedStep {
  std::string id, kind;
  unsigned recorded_tries = 0, replayed_tries = 0;
  std::size_t entries = 0, calls = 0;  // of the record that were compared
  std::size_t expected = 0, unexpected = 0;
};

struct Comparison {
  std::vector<ComparedStep> steps;                    // in the order of the record
  std::vector<Difference> differences;                // in the order of the record
  std::size_t entries = 0, calls = 0, artefacts = 0;  // compared
  std::size_t names = 0, times = 0;                   // differ, but mean the same: REPLAY-NAME-01, REPLAY-TIME-01

  std::size_t CountExpected() const;
  std::size_t CountUnexpected() const;
};

struct Side {
  std::string folder;  // of the record
  std::vector<nlohmann::json> entries{};
};

// Stop says where a replay stopped, and why.
struct Stop {
  std::string step;
  std::string message;
  bool for_softhsm = false;  // because SoftHSM cannot do what the record's tokens did
};

// `mechanisms` are those that SoftHSM offers.
Comparison CompareReplay(const Side& recorded, const Side& replayed, const std::set<std::string>& mechanisms,
                         const std::optional<Stop>& stop);

// CannotDo names a mechanism that the record's step (empty: any step) used and SoftHSM lacks; empty: there is none.
std::string CannotDo(const std::vector<nlohmann::json>& entries, const std::string& step,
                     const std::set<std::string>& mechanisms);

}  // namespace ceremony::replay

#endif  // CEREMONY_REPLAY_COMPARE_H_
