#!/usr/bin/env python3
"""The token that signed a record is gone: nobody can close that record, and the next ceremony leaves it behind."""
import json
import pathlib
import shutil
import unittest

from archive import Archive, run, scratch, steps_of, verified, without
from retold import Retold
import verify_archive

FIRST = "0001-smki-root-oca"
SECOND = "0002-second-try"
REASON = "a rehearsal of a record token that died"


def stop_where_the_key_is_made(archive):
    """The first ceremony: root-hsm is in service, and then refuses to make the key."""
    broken = {"what": "refuses", "step": "generate-root", "token": "root-hsm", "function": "C_GenerateKeyPair",
              "answer": "CKR_TEMPLATE_INCONSISTENT"}
    return archive.rehearse("smki-root-oca", "--faults", archive.faults(broken))


def write_second_try(archive, name="second-try"):
    plan = without(archive.plan("smki-root-oca"), "token.commission")
    plan["id"] = name
    archive.write(name, plan)


def token_folder(archive, name):
    """The folder in which SoftHSM keeps the token that is bound under this name."""
    binding = json.loads(archive.binding.read_text())
    serial = binding["tokens"][name]["serial"]
    found = [each for each in (archive.path / "rehearsal" / "tokens").iterdir() if each.name.replace("-", "").endswith(serial)]
    assert len(found) == 1, (serial, found)
    return found[0]


class LeftBehind(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.archive = Archive(cls)
        cls.stopped = stop_where_the_key_is_made(cls.archive)
        write_second_try(cls.archive)
        cls.script = cls.archive.scripts / "second-try.ceremony.json"
        cls.roster = cls.archive.roster
        cls.still_there = cls.leave_behind(cls.archive, FIRST)
        cls.token = token_folder(cls.archive, "record")
        cls.kept = cls.archive.folder / "kept-token"
        shutil.copytree(cls.token, cls.kept)
        shutil.rmtree(cls.token)
        cls.resumed = run("resume", cls.archive.path / FIRST, "--unattended", "--quiet")
        cls.called_off = run("resume", cls.archive.path / FIRST, "--unattended", "--quiet", "--call-off")
        cls.refused = cls.archive.rehearse("second-try")
        cls.not_the_newest = cls.leave_behind(cls.archive, "0007-no-such-record")
        cls.ended = cls.leave_behind(cls.archive, FIRST)

    @classmethod
    def leave_behind(cls, archive, record, script="second-try"):
        return archive.rehearse(script, "--leave-behind", record)

    def setUp(self):
        self.folder = scratch(self)

    def verdict(self, archive):
        """The verdict on an archive, by both verifiers, and the findings about the archive by rule."""
        status, report = verified(archive, self.roster)
        self.assertEqual(verify_archive.verdict(str(archive), str(self.roster))[0], report["verdict"])
        return status, report["verdict"], {finding["rule"]: finding["message"] for finding in report["findings"]}

    def copy(self):
        return pathlib.Path(shutil.copytree(self.archive.path, self.folder / "archive"))

    def test_nobody_can_close_the_record_and_the_archive_says_the_way_out(self):
        self.assertEqual(self.stopped[0], 3, self.stopped[2])
        for status, _, err in (self.resumed, self.called_off):
            self.assertEqual(status, 3, err)
        status, _, err = self.refused
        self.assertEqual(status, 1)
        self.assertIn("ARCHIVE-OPEN-01", err)
        self.assertIn(f"--leave-behind {FIRST}", err)

    def test_what_can_still_be_closed_is_not_left_behind(self):
        status, _, err = self.still_there
        self.assertEqual(status, 1, err)
        self.assertIn("LEAVE-BEHIND-02", err)
        self.assertIn(f"resume ARCHIVE/{FIRST}", err)

    def test_only_the_newest_record_is_left_behind_and_none_that_is_complete(self):
        status, _, err = self.not_the_newest
        self.assertEqual(status, 1, err)
        self.assertIn("LEAVE-BEHIND-01", err)
        self.assertIn(FIRST, err)
        for record in (FIRST, SECOND):
            status, _, err = self.leave_behind(self.archive, self.archive.path / record)
            self.assertEqual((status, "LEAVE-BEHIND-01" in err), (1, True), err)

    def test_the_next_ceremony_says_what_it_was_and_its_quorum_signs_that(self):
        status, out, err = self.ended
        self.assertEqual(status, 0, out + err)
        entries = self.archive.entries(SECOND)
        left = entries[0]["left_behind"]
        first = self.archive.entries(FIRST)
        self.assertEqual((left["folder"], left["origin"], left["size"]), (FIRST, first[0]["origin"], len(first)))
        self.assertEqual(left["reason"], REASON)
        signed = [entry for entry in first if entry["type"] == "checkpoint"][-1]["note"].split("\n")
        self.assertEqual(entries[0]["previous"]["size"], int(signed[1]))
        opening = next(entry for entry in entries if entry["type"] == "request" and entry["step"] == "opening")
        self.assertEqual(opening["subject"]["left_behind"], left)
        self.assertIn(f"leave {FIRST} behind", opening["statement"])

    def test_the_archive_is_incomplete_for_ever_and_says_which_record_it_is(self):
        status, verdict, found = self.verdict(self.archive.path)
        self.assertEqual((status, verdict), (6, "INCOMPLETE"))
        self.assertIn(FIRST, found["ARC-LEFT-BEHIND"])
        self.assertEqual(self.archive.verdicts()[1], ["INCOMPLETE", "COMPLETE"])

    def test_status_and_report_tell_people(self):
        status, out, err = run("status", self.archive.path)
        self.assertEqual(status, 0, err)
        self.assertRegex(out, FIRST + r" +rehearsal +\S+ LEFT BEHIND")
        self.assertNotIn("resume the ceremony", out)
        self.assertEqual([record["left_behind"] for record in self.archive.status()["ceremonies"]], [True, False])
        page = self.folder / "report.html"
        self.assertEqual(run("report", self.archive.path / SECOND, "--roster", self.roster, "--out", page)[0], 0)
        self.assertIn(REASON, page.read_text())

    def test_nobody_goes_on_with_it_even_when_its_token_comes_back(self):
        shutil.copytree(self.kept, self.token)
        self.addCleanup(shutil.rmtree, self.token)
        before = (self.archive.path / FIRST / "log.jsonl").read_bytes()
        for way in ([], ["--call-off"]):
            status, _, err = run("resume", self.archive.path / FIRST, "--unattended", "--quiet", *way)
            self.assertEqual((status, "ARCHIVE-LEFT-01" in err), (1, True), err)
        self.assertEqual((self.archive.path / FIRST / "log.jsonl").read_bytes(), before)

    def test_what_no_checkpoint_covered_is_held_to_what_the_quorum_signed(self):
        archive = self.copy()
        log = archive / FIRST / "log.jsonl"
        lines = log.read_bytes().splitlines(keepends=True)
        signed = max(place for place, line in enumerate(lines) if b'"type":"checkpoint"' in line)
        self.assertLess(signed, len(lines) - 1, "an unsigned tail")
        log.write_bytes(b"".join(lines[:-1]))
        status, verdict, found = self.verdict(archive)
        self.assertEqual((status, verdict), (1, "INVALID"))
        self.assertIn("ARC-LEFT", found)
        status, _, err = run("check", self.script, "--archive", archive)
        self.assertEqual((status, "EST-FOLD-03" in err), (1, True), err)

    def test_a_record_that_says_it_left_another_one_behind_is_found_out(self):
        told = Retold(self.archive.path / SECOND, self.roster)
        told.entries[0]["left_behind"]["size"] += 1
        archive = self.copy()
        shutil.rmtree(archive / SECOND)
        roster = told.write(archive / SECOND)
        shutil.copy(roster, self.folder / "roster.json")
        status, out, err = run("verify", archive, "--json")
        self.assertTrue(out, err)
        self.assertEqual((status, json.loads(out)["verdict"]), (1, "INVALID"))
        self.assertIn("ARC-LEFT", [finding["rule"] for finding in json.loads(out)["findings"]])
        self.assertEqual(verify_archive.verdict(str(archive))[0], "INVALID")


class TheArchiveGoesOn(unittest.TestCase):
    def test_a_third_ceremony_follows_with_the_estate_of_both(self):
        archive = Archive(self)
        self.assertEqual(stop_where_the_key_is_made(archive)[0], 3)
        shutil.rmtree(token_folder(archive, "record"))
        write_second_try(archive)
        status, out, err = LeftBehind.leave_behind(archive, archive.path / FIRST / "")
        self.assertEqual(status, 0, out + err)
        plan = archive.plan("smki-root-oca")
        plan["id"] = "third"
        for section in plan["sections"]:
            section["steps"] = [step for step in section["steps"] if step["do"].startswith(("room.", "token.verify"))]
        plan["sections"] = [section for section in plan["sections"] if section["steps"]]
        plan["profiles"] = {}
        self.assertTrue(any(step["do"] == "token.verify" for step in steps_of(plan)))
        archive.write("third", plan)
        status, out, err = archive.rehearse("third")
        self.assertEqual(status, 0, out + err)
        self.assertEqual(archive.verdicts(), (6, ["INCOMPLETE", "COMPLETE", "COMPLETE"]))


if __name__ == "__main__":
    unittest.main()
