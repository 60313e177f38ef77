// Attendance is the ledger of who is in the room now (R69). A quorum counts
// people who are present; somebody who left does not count until back.
#ifndef CEREMONY_QUORUM_ATTENDANCE_H_
#define CEREMONY_QUORUM_ATTENDANCE_H_

#include <cstdint>
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
  std::vector<std::string> roles;
  Presence presence = Presence::kInPerson;
};

class Attendance final {
 public:
  // Arrive puts a person into the room; arriving twice only changes how.
  void Arrive(Attendee attendee);
  // Depart takes a person out; kNotFound when the person was not in the room.
  base::Result<void> Depart(std::string_view person);

  const Attendee* Find(std::string_view person) const;
  // WithRole lists who of the present holds the role, in order of arrival.
  std::vector<const Attendee*> WithRole(std::string_view role) const;
  const std::vector<Attendee>& present() const { return present_; }

 private:
  std::vector<Attendee> present_;
};

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_ATTENDANCE_H_
