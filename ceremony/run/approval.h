// Approvals: a quorum cosigns the checkpoint that covers what it is asked for
// (docs/record-format.md, section 4), so an approval binds the whole history and
// serves once.
#ifndef CEREMONY_RUN_APPROVAL_H_
#define CEREMONY_RUN_APPROVAL_H_

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ceremony/record/writer.h"
#include "ceremony/run/ceremony.h"
#include "ceremony/script/roster.h"
#include "hsm/base/result.h"

namespace ceremony::run {

// What somebody may answer to `approve/<person>`.
namespace approval_answer {
inline constexpr const char* kApprove = "approve";
inline constexpr const char* kDecline = "decline";
inline constexpr const char* kWait = "not now";
}  // namespace approval_answer

// Request is what a quorum is asked to approve.
struct Request {
  std::string step;                  // a step's id, or a name of record/script_plan.h
  std::vector<std::string> steps{};  // of a section: those that it covers
  std::string statement{};
  nlohmann::json subject{};
  std::string without{};  // person id of who is not asked and does not count: what is approved is about them
};

// Approve asks for an approval: `request`, checkpoint, cosignatures
// of `quorum.m` distinct people who are present. Errors are kNoQuorum, and the
// record already tells of them:
//   QUORUM-SHORT-01      too few members are in the room
//   QUORUM-DENIED-01     somebody declined: a `refusal` with the request and the person
//   QUORUM-POSTPONED-01  somebody asked to wait: a `note` with both
//   QUORUM-LATE-01       not met within the policy's approval_minutes: a `refusal`
base::Result<void> Approve(Ceremony& ceremony, const script::Quorum& quorum, const Request& request);

// ApproveSection asks once for every step of the section that it covers and that
// was not begun yet, unless that was done before. Nothing when it covers none.
base::Result<void> ApproveSection(Ceremony& ceremony, const script::Section& section);

// ApproveOpening has the people who have come in cosign the first checkpoint of
// the log: from then on the log key is trusted because they say so. The request
// stays open until it is met, whoever declines at first.
base::Result<void> ApproveOpening(Ceremony& ceremony);

// ConsentToClose asks m members whether they approve `what` ("closing the record now"), without a signature. Asked
// before `close`, while a refusal can still be recorded. QUORUM-DENIED-01, -POSTPONED-01 and -SHORT-01 as above.
base::Result<void> ConsentToClose(Ceremony& ceremony, const script::Quorum& quorum, const std::string& what);

// Ending says why a gathering ended before its quorum was met.
struct Ending {
  base::Error why;
  const script::Person* person = nullptr;  // nullptr: time
  std::string reason{};                    // in the person's words; also in the message of `why`
};

// Gathering is a text that members of a quorum sign, and what becomes of their answers.
struct Gathering {
  const script::Quorum& quorum;
  std::string what;                            // the text, for people: "the final checkpoint of this record"
  std::string text{};                          // of the note
  std::string without{};                       // person id of who may not sign it
  std::set<std::string> signed_by{};           // who has signed it already
  std::optional<std::int64_t> until_micros{};  // BootMicros after which no signature is taken
  // Keeps a signature, before the next person is asked.
  std::function<base::Result<void>(const record::Writer::Cosignature&)> take{};
  // Records that a credential was refused (a wrong PIN, another checkpoint); may be empty.
  std::function<base::Result<void>(const base::Error& why, const script::Person& person)> refused{};
  // Records that it was ended; may be empty.
  std::function<base::Result<void>(const Ending& ending)> ended{};
};

// GatherSignatures asks the members who are present, in roster order, until m have signed.
// If somebody's credential does not work, the next one is asked.
base::Result<void> GatherSignatures(Ceremony& ceremony, const Gathering& gathering);

}  // namespace ceremony::run

#endif  // CEREMONY_RUN_APPROVAL_H_
