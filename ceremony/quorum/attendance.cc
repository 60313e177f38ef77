#include "ceremony/quorum/attendance.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/record/json_member.h"

namespace ceremony::quorum {
namespace {

using nlohmann::json;
using record::TextOf;
using record::TextsOf;

constexpr std::string_view kApology = "apology";

}  // namespace

std::string_view PresenceName(Presence presence) { return presence == Presence::kRemote ? "remote" : "in-person"; }

base::Result<Presence> FindPresence(std::string_view name) {
  for (const Presence presence : {Presence::kInPerson, Presence::kRemote}) {
    if (name == PresenceName(presence)) return presence;
  }
  return base::MakeError(base::ErrorCode::kCorrupt,
                         "presence is " + std::string(name) + ", expected in-person or remote");
}

void Attendance::Arrive(Attendee attendee) {
  has_been_.insert(attendee.person);
  std::erase_if(apologies_, [&](const Apology& a) { return a.person == attendee.person; });
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

void Attendance::Apologise(Apology apology) {
  std::erase_if(apologies_, [&](const Apology& a) { return a.person == apology.person; });
  apologies_.push_back(std::move(apology));
}

const Attendee* Attendance::Find(std::string_view person) const {
  const auto found =
      std::find_if(present_.begin(), present_.end(), [&](const Attendee& a) { return a.person == person; });
  return found == present_.end() ? nullptr : &*found;
}

const Apology* Attendance::FindApology(std::string_view person) const {
  const auto found =
      std::find_if(apologies_.begin(), apologies_.end(), [&](const Apology& a) { return a.person == person; });
  return found == apologies_.end() ? nullptr : &*found;
}

std::string Attendance::StandsInFor(std::string_view deputy) const {
  const auto found =
      std::find_if(apologies_.begin(), apologies_.end(), [&](const Apology& a) { return a.deputy == deputy; });
  return found == apologies_.end() ? std::string() : found->person;
}

std::vector<const Attendee*> Attendance::WithRole(std::string_view role) const {
  std::vector<const Attendee*> found;
  for (const Attendee& attendee : present_) {
    if (std::find(attendee.roles.begin(), attendee.roles.end(), role) != attendee.roles.end())
      found.push_back(&attendee);
  }
  return found;
}

json Attendance::SpellArrival(const Attendee& attendee, std::string_view employer) const {
  const bool is_here = Find(attendee.person) != nullptr;
  json fields = {{"person", attendee.person},
                 {"name", attendee.name},
                 {"employer", employer},
                 {"roles", attendee.roles},
                 {"presence", PresenceName(attendee.presence)},
                 {"change", is_here                    ? "stays"
                            : HasLeft(attendee.person) ? "returns"
                                                       : "arrives"}};
  if (!attendee.from.empty()) fields["from"] = attendee.from;
  if (!attendee.until.empty()) fields["until"] = attendee.until;
  if (!attendee.deputy_for.empty()) fields["deputy_for"] = attendee.deputy_for;
  return fields;
}

json Attendance::SpellDeparture(const Attendee& attendee, std::string_view reason, bool comes_back) {
  json fields = {
      {"person", attendee.person}, {"name", attendee.name}, {"change", comes_back ? "leaves for a while" : "leaves"}};
  if (!reason.empty()) fields["reason"] = reason;
  return fields;
}

json Attendance::SpellApology(const Apology& apology) {
  json fields = {{"what", kApology},
                 {"person", apology.person},
                 {"name", apology.name},
                 {"reason", apology.reason},
                 {"text", fmt::format("{} will not come: {}", apology.name, apology.reason)}};
  if (!apology.deputy.empty()) fields["deputy"] = apology.deputy;
  return fields;
}

base::Result<void> Attendance::See(const json& entry) {
  const std::string type = TextOf(entry, "type");
  if (type == "attend") {
    KC_ASSIGN_OR_RETURN(const Presence presence, FindPresence(TextOf(entry, "presence")));
    Arrive({TextOf(entry, "person"), TextOf(entry, "name"), TextsOf(entry, "roles"), presence, TextOf(entry, "from"),
            TextOf(entry, "until"), TextOf(entry, "deputy_for")});
  } else if (type == "depart") {
    return Depart(TextOf(entry, "person"));
  } else if (type == "note" && TextOf(entry, "what") == kApology) {
    Apologise({TextOf(entry, "person"), TextOf(entry, "name"), TextOf(entry, "reason"), TextOf(entry, "deputy")});
  }
  return {};
}

}  // namespace ceremony::quorum
