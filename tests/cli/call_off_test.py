#!/usr/bin/env python3
"""A ceremony that cannot come to its end: people call it off, its record is whole, and the archive goes on."""
import json
import unittest

from archive import Archive, run, scratch, verified, without
from retold import Retold
import room
from room import Room
import verify_rules

FIRST = "0001-smki-root-oca"


class CalledOff(unittest.TestCase):
    """The key is made, and the token is pulled before its certificate can be signed."""

    @classmethod
    def setUpClass(cls):
        cls.archive = Archive(cls)
        faults = cls.archive.faults({"what": "pulled", "step": "certify-root", "token": "root-hsm", "after": 4})
        cls.stopped = cls.archive.rehearse("smki-root-oca", "--faults", faults)
        cls.refused = cls.archive.rehearse("smki-root-oca")
        cls.record = cls.archive.path / FIRST
        cls.roster = cls.archive.roster
        cls.ended = run("resume", cls.record, "--unattended", "--call-off")

    def setUp(self):
        self.folder = scratch(self)

    def verdict(self, record, roster):
        status, report = verified(record, roster)
        second, why = verify_rules.verdict(str(record), str(roster))
        self.assertEqual(second, report["verdict"], why)
        return status, report["verdict"], {finding["rule"]: finding["message"] for finding in report["findings"]}

    def test_until_then_the_archive_is_closed_to_other_ceremonies(self):
        self.assertEqual(self.stopped[0], 3, self.stopped[2])
        self.assertEqual(self.refused[0], 1)
        self.assertIn("ARCHIVE-OPEN-01", self.refused[2])
        self.assertIn("resume --call-off", self.refused[2])

    def test_its_record_is_whole_and_says_so_and_the_program_does_not_call_that_a_success(self):
        status, out, _ = self.ended
        self.assertEqual(status, 1)
        self.assertIn("COMPLETE", out)
        self.assertIn("CALLED OFF: people ended the ceremony before its script was done", out)
        status, verdict, found = self.verdict(self.record, self.roster)
        self.assertEqual((status, verdict), (0, "COMPLETE"))
        self.assertIn("a rehearsal of calling off", found["SCR-CALLED-OFF"])
        self.assertNotIn("SCR-MISSING", found)

    def test_every_step_that_was_not_done_and_what_a_step_has_left_are_open_items(self):
        close = self.archive.entries(FIRST)[-1]
        self.assertEqual(close["type"], "close")
        left = [item["step"] for item in close["open_items"] if item["what"] == "the step was not done"]
        script = json.loads(self.archive.script("smki-root-oca").read_text())
        steps = [step["id"] for section in script["sections"] for step in section["steps"]]
        self.assertEqual(left, steps[steps.index("certify-root"):])
        self.assertTrue(all(item.get("title") for item in close["open_items"] if "step" in item))

    def test_status_and_report_tell_people(self):
        status, out, err = run("status", self.archive.path)
        self.assertEqual(status, 0, err)
        self.assertRegex(out, FIRST + r" +rehearsal +\S+ CALLED OFF")
        page = self.folder / "report.html"
        self.assertEqual(run("report", self.record, "--roster", self.roster, "--out", page)[0], 0)
        text = page.read_text()
        self.assertIn("<strong>CALLED OFF</strong>", text)
        self.assertIn('@top-center { content: "CALLED OFF', text)  # on each printed page
        self.assertIn("a rehearsal of calling off", text)

    def test_a_close_that_passes_over_a_step_is_found_out(self):
        told = Retold(self.record, self.roster)
        close = told.entries[-1]
        whole = [item for item in close["open_items"]]
        self.assertEqual(self.verdict(self.folder / "honest", told.write(self.folder / "honest"))[1], "COMPLETE")
        steps = [item["step"] for item in whole if item["what"] == "the step was not done"]
        for step in steps:  # the first has failed, the others were never begun
            close["open_items"] = [item for item in whole if item.get("step") != step]
            _, verdict, found = self.verdict(self.folder / step, told.write(self.folder / step))
            self.assertEqual((verdict, step in found["SCR-MISSING"]), ("INVALID", True), found)

    def test_steps_are_left_out_by_calling_off_and_not_by_naming_them(self):
        told = Retold(self.record, self.roster)
        told.entries[-1].pop("called_off")
        _, verdict, found = self.verdict(self.folder / "told", told.write(self.folder / "told"))
        self.assertEqual(verdict, "INVALID", found)
        self.assertIn("SCR-MISSING", found)

    def test_replayed_it_ends_the_same_way(self):
        status, out, err = run("replay", self.record)
        self.assertEqual(status, 0, out + err)

    def test_there_is_nothing_left_to_call_off(self):
        status, _, err = run("resume", self.record, "--unattended", "--call-off")
        self.assertEqual(status, 0, err)


class TheArchiveGoesOn(unittest.TestCase):
    def test_the_next_ceremony_follows_and_the_archive_is_complete(self):
        archive = Archive(self)
        faults = archive.faults({"what": "refuses", "step": "generate-root", "token": "root-hsm", "function": "C_GenerateKeyPair",
                                 "answer": "CKR_TEMPLATE_INCONSISTENT"})
        status, _, err = archive.rehearse("smki-root-oca", "--faults", faults)
        self.assertEqual(status, 3, err)
        self.assertEqual(run("resume", archive.path / FIRST, "--unattended", "--quiet", "--call-off")[0], 1)
        # The token is in service since the first try.
        plan = without(archive.plan("smki-root-oca"), "token.commission")
        plan["id"] = "second-try"
        archive.write("second-try", plan)
        status, out, err = archive.rehearse("second-try")
        self.assertEqual(status, 0, out + err)
        self.assertEqual(archive.verdicts(), (0, ["COMPLETE", "COMPLETE"]))


class DuringADestruction(unittest.TestCase):
    """One copy is destroyed, the other token refuses, and the ceremony is called off before anything was shown to be gone."""

    def test_the_next_destruction_takes_over_what_was_destroyed(self):
        archive = Archive(self)
        for name in ("smki-root-oca", "smki-clone-root", "smki-deactivate-and-hold"):
            status, out, err = archive.rehearse(name)
            self.assertEqual(status, 0, out + err)
        plan = archive.plan("smki-destroy-held-keys")
        tokens = ["root-hsm", "backup-hsm"]
        plan["tokens"] = {name: plan["tokens"][name] for name in tokens}
        steps = plan["sections"][1]["steps"]
        steps[:] = [{"id": f"look-at-{name}", "do": "token.verify", "token": name} for name in tokens] + [
            {"id": "destroy", "do": "key.destroy", "quorum": "custodians", "keys": ["root-oca"], "tokens": tokens, "reason": "to try"}]
        archive.write("destroy", plan)
        faults = archive.folder / "faults.json"
        refuses = {"what": "refuses", "step": "destroy", "token": "backup-hsm", "function": "C_DestroyObject",
                   "answer": "CKR_DEVICE_ERROR"}
        faults.write_text(json.dumps({"format": "keyceremony-faults/1", "title": "t", "faults": [refuses]}))
        script = archive.scripts / "destroy.ceremony.json"
        status, _, err = run("rehearse", script, "--unattended", "--quiet", "--archive", archive.path, "--faults", faults)
        self.assertEqual(status, 3, err)
        record = next(archive.path.glob("0004-*"))
        self.assertEqual(run("resume", record, "--unattended", "--quiet", "--call-off")[0], 1)

        (key,) = archive.status()["keys"]
        self.assertEqual([(copy["token"], copy["state"], bool(copy["destroying"])) for copy in key["copies"]],
                         [("root-hsm", "in place", True), ("backup-hsm", "in place", True)])
        self.assertIn(f"its destruction was begun in {record.name} and not ended", run("status", archive.path)[1])

        del steps[:2]  # token.verify would miss what is gone
        archive.write("destroy", plan)
        status, out, err = archive.rehearse("destroy")
        self.assertEqual(status, 0, out + err)
        (key,) = archive.status()["keys"]
        self.assertEqual(key["state"], "destroyed")
        self.assertEqual(archive.verdicts(), (0, ["COMPLETE"] * 5))


class InTheRoom(Room):
    def test_after_a_failure_people_may_call_it_off_with_their_reason(self):
        wrong = iter(["wrong"])
        status, shown = self.run_script(first=[
            (r"Mend the cause, then decide", "call the ceremony off"),
            (r"Why is the ceremony called off\?", "nobody knows the PIN of root-hsm"),
            (r"user PIN of token \"?root-hsm", lambda _: next(wrong, room.PIN + "root-hsm")),
            (r"that the script does not say", ["add a sentence", "nothing to add"]),
            (r"What was it, when, and who was there\?", "at 10:40 a guard came in and saw no token"),
        ])
        self.assertEqual(status, 1, shown[-3000:])
        self.assertIn("Do you approve calling the ceremony off", " ".join(shown.split()))
        self.assertIn("What to do: ", shown)
        close = self.entries("close")[0]
        self.assertEqual(close["called_off"], {"reason": "nobody knows the PIN of root-hsm"})
        self.assertIn("at 10:40 a guard came in and saw no token", [entry.get("text") for entry in self.entries("deviation")])
        status, out, _ = run(self.record, "--roster", self.place.roster, program="keyceremony-verify")
        self.assertEqual(status, 0, out)
        self.assertIn("CALLED OFF", out)

    def test_a_custodian_may_refuse_to_have_it_called_off(self):
        wrong = iter(["wrong"])
        decisions = iter(["call the ceremony off", "go on with the ceremony after all"])
        status, shown = self.run_script(first=[
            (r"Mend the cause, then decide", lambda _: next(decisions)),
            (r"Why is the ceremony called off\?", "lunch"),
            (r"Alice [^┌]*Do you approve calling the ceremony off", "decline"),
            (r"user PIN of token \"?root-hsm", lambda _: next(wrong, room.PIN + "root-hsm")),
        ])
        self.assertEqual(status, 0, shown[-3000:])
        self.assert_complete()
        self.assertNotIn("called_off", self.entries("close")[0])


if __name__ == "__main__":
    unittest.main()
