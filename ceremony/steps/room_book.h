// RoomBook keeps the attendance ledger with the people in the room: the roll
// call at the beginning, and arrivals and departures between two steps. Every
// change is recorded before it counts.
#ifndef CEREMONY_STEPS_ROOM_BOOK_H_
#define CEREMONY_STEPS_ROOM_BOOK_H_

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "ceremony/quorum/attendance.h"
#include "ceremony/room/terminal.h"
#include "ceremony/script/roster.h"
#include "hsm/base/result.h"

namespace ceremony::steps {

class StepContext;

// Answers to the book's questions. A replay answers as the record says.
namespace room_answer {
inline constexpr const char* kHere = "in the room";
inline constexpr const char* kPart = "in the room for a part of the time";
inline constexpr const char* kRemote = "taking part remotely";
inline constexpr const char* kNotYet = "not here yet";
inline constexpr const char* kNever = "will not come";
inline constexpr const char* kNobody = "nobody";
inline constexpr const char* kNobodyElse = "nobody else";
inline constexpr const char* kForGood = "no";
inline constexpr const char* kForAWhile = "yes, later";
inline constexpr const char* kStays = "go back: they are not leaving";
inline constexpr const char* kAbsent = "go back: they are not here";
inline constexpr const char* kComing = "somebody has come: take it down";  // to `room.attend/short`
// ChangeOf is the choice "Bob Okafor (bob) arrives" of `room.change`; `what` is "leaves", "comes back" or "arrives".
std::string ChangeOf(const script::Person& person, std::string_view what);
// DeputyOf is the choice of a person who stands in for another.
std::string DeputyOf(const script::Person& person);
}  // namespace room_answer

class RoomBook final {
 public:
  // Record writes an entry of a type, and has the attendance see it.
  using Record = std::function<base::Result<void>(std::string_view type, nlohmann::json fields)>;

  // All must outlive the book.
  RoomBook(const script::Roster& roster, const quorum::Attendance& attendance, room::Terminal& terminal, Record record)
      : roster_(roster), attendance_(attendance), terminal_(terminal), record_(std::move(record)) {}
  // Of is the book of a running step.
  static RoomBook Of(StepContext& context);

  // KeepEmployersConfidential: from now on entries hold salted digests of employers.
  void KeepEmployersConfidential() { confidential_employers_ = true; }

  // CallRoll asks where each active person is who is not here and has sent no
  // apology: in the room, here for a part of the time, remote, not here yet, or not
  // coming (why, and who stands in). Question ids are `room.attend/<person>`, and
  // below it `/hours`, `/reason`, `/deputy`.
  base::Result<void> CallRoll();

  // RecordChange asks who comes or goes until nobody does, and then shows every
  // quorum. It is for a pause between two steps, or for a lost quorum. Simulated
  // people answer that nobody does. Question ids are `room.change`,
  // `room.change/<person>`, and below it as above.
  base::Result<void> RecordChange();

  // ShowQuorums shows for each quorum of the roster how many members are here.
  void ShowQuorums() const;

 private:
  enum class Asks : std::uint8_t { kWhere, kHow };  // whether somebody may also not be here

  base::Result<void> AskWhere(const script::Person& person, const std::string& id, Asks asks);
  // Each of the two may be room::kBack.
  base::Result<std::string> AskHours(const script::Person& person, const std::string& id);
  base::Result<std::string> AskApology(const script::Person& person, const std::string& id);
  base::Result<void> TakeApology(const script::Person& person, const std::string& id, const std::string& reason);
  base::Result<void> TakeDeparture(const script::Person& person, const std::string& id);
  base::Result<void> Enter(const script::Person& person, quorum::Presence presence, std::string hours);
  std::string IntroductionOf(const script::Person& person) const;

  const script::Roster& roster_;
  const quorum::Attendance& attendance_;
  room::Terminal& terminal_;
  Record record_;
  bool confidential_employers_ = false;
};

// PresentOf counts the members of a quorum who are here.
std::size_t PresentOf(const script::Roster& roster, const script::Quorum& quorum, const quorum::Attendance& attendance);

}  // namespace ceremony::steps

#endif  // CEREMONY_STEPS_ROOM_BOOK_H_
