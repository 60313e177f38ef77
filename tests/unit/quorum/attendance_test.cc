#include "ceremony/quorum/attendance.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace {

using ceremony::quorum::Apology;
using ceremony::quorum::Attendance;
using ceremony::quorum::Attendee;
using ceremony::quorum::Presence;
using nlohmann::json;

const Attendee kAlice{"alice", "Alice Archer", {"custodian"}};
const Attendee kBob{"bob", "Bob Okafor", {"custodian", "witness"}, Presence::kRemote};

// Enter spells a change, and has the ledger see the entry, as a record does.
json Enter(Attendance& attendance, const char* type, json fields) {
  fields["type"] = type;
  const auto seen = attendance.See(fields);
  REQUIRE_MESSAGE(seen.ok(), (seen.ok() ? "" : seen.error().message));
  return fields;
}

}  // namespace

TEST_CASE("who arrives counts, who leaves does not, who returns counts again") {
  Attendance attendance;
  CHECK(Enter(attendance, "attend", attendance.SpellArrival(kAlice, "Northgate")) == json{{"type", "attend"},
                                                                                          {"person", "alice"},
                                                                                          {"name", "Alice Archer"},
                                                                                          {"employer", "Northgate"},
                                                                                          {"roles", {"custodian"}},
                                                                                          {"presence", "in-person"},
                                                                                          {"change", "arrives"}});
  Enter(attendance, "attend", attendance.SpellArrival(kBob, "Severn"));
  CHECK(attendance.WithRole("custodian").size() == 2);
  CHECK(Enter(attendance, "depart", Attendance::SpellDeparture(kAlice, "", true)) ==
        json{{"type", "depart"}, {"person", "alice"}, {"name", "Alice Archer"}, {"change", "leaves for a while"}});
  CHECK(attendance.WithRole("custodian").size() == 1);
  CHECK(attendance.HasLeft("alice"));
  CHECK_FALSE(attendance.HasLeft("bob"));
  CHECK(Enter(attendance, "attend", attendance.SpellArrival(kAlice, "Northgate")).at("change") == "returns");
  CHECK(attendance.WithRole("custodian").size() == 2);
  CHECK_FALSE(attendance.HasLeft("alice"));
}

TEST_CASE("hours, remote presence and deputies are in the entry and come back from it") {
  Attendance attendance;
  Attendee part = kBob;
  part.from = "09:00";
  part.until = "12:30";
  part.deputy_for = "carol";
  const json entry = Enter(attendance, "attend", attendance.SpellArrival(part, "Severn"));
  CHECK(entry.at("presence") == "remote");
  CHECK(entry.at("from") == "09:00");
  CHECK(entry.at("until") == "12:30");
  CHECK(entry.at("deputy_for") == "carol");
  const Attendee& known = *attendance.Find("bob");
  CHECK(known.presence == Presence::kRemote);
  CHECK(known.until == "12:30");
  CHECK(known.deputy_for == "carol");
  // Arriving twice only changes how.
  CHECK(Enter(attendance, "attend", attendance.SpellArrival(kBob, "Severn")).at("change") == "stays");
  CHECK(attendance.present().size() == 1);
  CHECK(attendance.Find("bob")->until.empty());
}

TEST_CASE("an apology names why and who stands in, and is taken back by coming") {
  Attendance attendance;
  CHECK(Enter(attendance, "note", Attendance::SpellApology({"carol", "Carol Nguyen", "ill", "bob"})) ==
        json{{"type", "note"},
             {"what", "apology"},
             {"person", "carol"},
             {"name", "Carol Nguyen"},
             {"reason", "ill"},
             {"deputy", "bob"},
             {"text", "Carol Nguyen will not come: ill"}});
  CHECK(attendance.FindApology("carol")->reason == "ill");
  CHECK(attendance.StandsInFor("bob") == "carol");
  CHECK(attendance.StandsInFor("alice").empty());
  CHECK(attendance.WithRole("custodian").empty());
  CHECK_FALSE(attendance.HasLeft("carol"));
  Enter(attendance, "attend", attendance.SpellArrival({"carol", "Carol Nguyen", {"custodian"}}, "Severn"));
  CHECK(attendance.FindApology("carol") == nullptr);
  CHECK(attendance.StandsInFor("bob").empty());
}

TEST_CASE("entries that are not about the room pass, corrupt ones do not") {
  Attendance attendance;
  CHECK(attendance.See({{"type", "note"}, {"text", "somebody sneezed"}}).ok());
  CHECK(attendance.See({{"type", "close"}}).ok());
  CHECK(attendance.present().empty());
  CHECK(attendance.See({{"type", "attend"}, {"person", "alice"}, {"presence", "in spirit"}}).error().message ==
        "presence is in spirit, expected in-person or remote");
  CHECK(attendance.See({{"type", "depart"}, {"person", "alice"}}).error().message == "alice is not in the room");
}
