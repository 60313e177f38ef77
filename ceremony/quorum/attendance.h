// Attendance is the ledger of who is in the room now (R69). A quorum counts
// people who are present. Somebody who left does not count until they are back; a
// deputy counts with their own roles and key only.
//
// It is the fold of a record's `attend`, `depart` and apology entries, which
// this file spells and reads, so that a resumed ceremony knows the same room.
#ifndef CEREMONY_QUORUM_ATTENDANCE_H_
#define CEREMONY_QUORUM_ATTENDANCE_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hsm/base/result.h"

namespace ceremony::quorum {

enum class Presence : std::uint8_t { kInPerson, kRemote };

// PresenceName returns "in-person" or "remote", as `attend` entries spell it.
std::string_view PresenceName(Presence presence);
// FindPresence is its inverse; kCorrupt for another word.
base::Result<Presence> FindPresence(std::string_view name);

struct Attendee {
  std::string person;  // roster id
  std::string name;
  std::vector<std::string> roles{};
  Presence presence = Presence::kInPerson;
  // Part-time: the hours said on arrival, "09:00" and "12:30" by the room's
  // clock; empty for the whole ceremony. Announced only: a person is present until
  // a depart entry.
  std::string from{};
  std::string until{};
  std::string deputy_for{};  // person id
};

// Apology says that somebody will not come.
struct Apology {
  std::string person;
  std::string name;
  std::string reason;
  std::string deputy;  // person id of who stands in; empty: nobody
};

class Attendance final {
 public:
  // Arrive puts a person into the room; arriving twice only changes how. An
  // apology of theirs is taken back.
  void Arrive(Attendee attendee);
  // Depart takes a person out; kNotFound when the person was not in the room.
  base::Result<void> Depart(std::string_view person);
  // Apologise says that a person will not come, or, said again, why.
  void Apologise(Apology apology);

  const Attendee* Find(std::string_view person) const;
  // HasLeft: was here, and is not now.
  bool HasLeft(std::string_view person) const { return Find(person) == nullptr && has_been_.contains(person); }
  const Apology* FindApology(std::string_view person) const;
  // StandsInFor is the id of the person whose deputy this one is; empty if there is none.
  std::string StandsInFor(std::string_view deputy) const;
  // WithRole lists the people present who hold the role, in order of arrival.
  std::vector<const Attendee*> WithRole(std::string_view role) const;
  const std::vector<Attendee>& present() const { return present_; }
  const std::vector<Apology>& apologies() const { return apologies_; }

  // Spell gives the fields of the entry for a change; their types are `attend`,
  // `depart` and `note`.
  nlohmann::json SpellArrival(const Attendee& attendee, std::string_view employer) const;
  static nlohmann::json SpellDeparture(const Attendee& attendee, std::string_view reason, bool comes_back);
  static nlohmann::json SpellApology(const Apology& apology);

  // See takes in an entry of any type, and ignores what is not about the room.
  // kCorrupt and kNotFound as above.
  base::Result<void> See(const nlohmann::json& entry);

 private:
  std::vector<Attendee> present_;
  std::vector<Apology> apologies_;
  std::set<std::string, std::less<>> has_been_;
};

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_ATTENDANCE_H_
