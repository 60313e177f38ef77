#!/usr/bin/env python3
"""The attendance ledger as people in a room keep it: late, part-time, remote, apologies, deputies, leaving and coming back."""
import json
import unittest

from archive import entries, run
from room import Room


class Attendance(Room):
    def assert_complete(self):
        """And whoever acts it again, with the answers of the record, comes to the same."""
        super().assert_complete()
        status, out, err = run("replay", self.record, "--json")
        self.assertEqual(status, 0, out[-2000:] + err)
        self.assertEqual([d for d in json.loads(out)["differences"] if not d["expected"]], [])

    def run_for(self, custodians, first):
        """Runs the root ceremony for so many custodians in the room."""
        script = self.changed(lambda plan: plan["sections"][0]["steps"][0]["people"].update(custodian=custodians))
        return self.run_script(first, script)

    def changes(self, kind, person):
        return [entry.get("change") for entry in self.entries(kind) if entry["person"] == person]

    def test_the_roll_call_waits_for_who_is_late(self):
        status, shown = self.run_for(3, [
            (r"Carol Nguyen \(custodian, Pennine Energy\): where are they", ["not here yet", "in the room"]),
            (r"Not everybody who is needed is here", "somebody has come: take it down"),
            (r"Who comes or goes", ["Carol Nguyen (carol) arrives", "nobody else"]),
        ])
        self.assertEqual(status, 0, shown[-2000:])
        self.assertIn("the script asks for 3 custodians, and 2 are here", shown)
        self.assert_complete()
        self.assertEqual(self.changes("attend", "carol"), ["arrives"])

    def test_who_stops_waiting_is_asked_only_for_the_missing_when_it_goes_on(self):
        status, shown = self.run_for(3, [
            (r"Carol Nguyen \(custodian, Pennine Energy\): where are they", "not here yet"),
            (r"Not everybody who is needed is here", "stop here, and go on later"),
            (r"Mend the cause, then decide", "pause the ceremony"),
        ])
        self.assertEqual(status, 5, shown[-2000:])
        self.assertIn("ROOM-SHORT-01", shown)
        status, shown = self.resume(first=[(r"Who comes or goes", "nobody")])
        self.assertEqual(status, 0, shown[-2000:])
        self.assertEqual(shown.count("where are they?"), 1)
        self.assert_complete()

    def test_part_time_remote_apology_and_deputy_are_in_the_record_and_a_deputy_counts_once(self):
        status, shown = self.run_for(2, [
            (r"Bob Okafor \(custodian, Severn Metering\): where are they", "in the room for a part of the time"),
            (r"From when until when is Bob Okafor here", ["17:00-09:00", "09:00-17:00"]),
            (r"Wendy Hughes \(witness, Harrow Assurance\): where are they", "taking part remotely"),
            (r"Carol Nguyen \(custodian, Pennine Energy\): where are they", "will not come"),
            (r"Why will Carol Nguyen not come", "ill"),
            (r"Who stands in for Carol Nguyen", "Bob Okafor (bob)"),
        ])
        self.assertEqual(status, 0, shown[-2000:])
        self.assert_complete()
        bob = [entry for entry in self.entries("attend") if entry["person"] == "bob"]
        self.assertEqual([(entry["change"], entry.get("from"), entry.get("until"), entry.get("deputy_for")) for entry in bob],
                         [("arrives", "09:00", "17:00", None), ("stays", "09:00", "17:00", "carol")])
        self.assertEqual([entry["presence"] for entry in self.entries("attend") if entry["person"] == "wendy"], ["remote"])
        apologies = [(entry["person"], entry["reason"], entry["deputy"]) for entry in self.entries("note") if entry.get("what") == "apology"]
        self.assertEqual(apologies, [("carol", "ill", "bob")])
        told = " ".join(run("show", self.record)[1].split())
        self.assertIn("Carol Nguyen (custodian, Pennine Energy) sent an apology: ill", told)
        self.assertIn("Bob Okafor (custodian, Severn Metering) in person (09:00-17:00) from ", told)
        self.assertIn("Carol Nguyen will not come: ill; deputy Bob Okafor", told)
        for request in {entry["request"] for entry in self.entries("cosign")}:
            signed = [entry["person"] for entry in self.entries("cosign") if entry["request"] == request]
            self.assertEqual(sorted(signed), ["alice", "bob"])

    def test_a_step_that_lost_its_quorum_waits_until_it_is_back(self):
        status, shown = self.run_for(2, [
            (r"Carol Nguyen \(custodian, Pennine Energy\): where are they", "not here yet"),
            (r"Alice Archer[^┌]*Do you approve \"Generate key", ["not now", "approve"]),
            (r"Mend the cause, then decide", "somebody comes or goes, then try again"),
            (r"Who comes or goes", ["Alice Archer (alice) leaves", "nobody else", "Alice Archer (alice) comes back", "nobody else"]),
            (r"Is Alice Archer coming back", "yes, later"),
        ])
        self.assertEqual(status, 0, shown[-2000:])
        self.assertIn("Quorum custodians: 1 of its members is here, 2 must approve", shown)
        self.assertIn("QUORUM-SHORT-01", shown)
        self.assertIn("Quorum custodians: 2 of its members are here, 2 must approve", shown)
        self.assert_complete()
        self.assertEqual(self.changes("attend", "alice"), ["arrives", "returns"])
        self.assertEqual(self.changes("depart", "alice"), ["leaves for a while"])
        # Nobody signed while away.
        log = entries(self.record)
        left = next(entry["seq"] for entry in log if entry["type"] == "depart" and entry["person"] == "alice")
        back = next(entry["seq"] for entry in log if entry["type"] == "attend" and entry.get("change") == "returns")
        self.assertEqual([entry["person"] for entry in log if entry["type"] == "cosign" and left < entry["seq"] < back], [])

    def test_a_question_to_a_role_that_nobody_here_holds_waits(self):
        status, shown = self.run_for(2, [
            (r"Alice Archer[^┌]*Do you approve \"Sign the certificate", ["not now", "approve"]),
            (r"Mend the cause, then decide", "somebody comes or goes, then try again"),
            (r"Who comes or goes", ["Wendy Hughes (wendy) leaves", "nobody else", "Wendy Hughes (wendy) comes back", "nobody else"]),
            (r"Is Wendy Hughes coming back", "yes, later"),
        ])
        self.assertEqual(status, 0, shown[-2000:])
        self.assertIn("ROOM-ABSENT-01", shown)
        self.assertIn("nobody here is witness", shown)
        self.assert_complete()


if __name__ == "__main__":
    unittest.main()
