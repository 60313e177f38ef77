#include "ceremony/quorum/attendance.h"

#include <algorithm>
#include <utility>

namespace ceremony::quorum {

std::string_view PresenceName(Presence presence) { return presence == Presence::kRemote ? "remote" : "in-person"; }

base::Result<Presence> FindPresence(std::string_view name) {
  for (const Presence presence : {Presence::kInPerson, Presence::kRemote}) {
    if (name == PresenceName(presence)) return presence;
  }
  return base::MakeError(base::ErrorCode::kCorrupt,
                         "presence is " + std::string(name) + ", expected in-person or remote");
}

void Attendance::Arrive(Attendee attendee) {
  for (Attendee& known : present_) {
    if (known.person == attendee.person) {
      known = std::move(attendee);
      return;
    }
  }
  present_.push_back(std::move(attendee));
}

base::Result<void> Attendance::Depart(std::string_view person) {
  const auto erased = std::erase_if(present_, [&](const Attendee& a) { return a.person == person; });
  if (erased == 0) return base::MakeError(base::ErrorCode::kNotFound, std::string(person) + " is not in the room");
  return {};
}

const Attendee* Attendance::Find(std::string_view person) const {
  const auto found =
      std::find_if(present_.begin(), present_.end(), [&](const Attendee& a) { return a.person == person; });
  return found == present_.end() ? nullptr : &*found;
}

std::vector<const Attendee*> Attendance::WithRole(std::string_view role) const {
  std::vector<const Attendee*> found;
  for (const Attendee& attendee : present_) {
    if (std::find(attendee.roles.begin(), attendee.roles.end(), role) != attendee.roles.end())
      found.push_back(&attendee);
  }
  return found;
}

}  // namespace ceremony::quorum
