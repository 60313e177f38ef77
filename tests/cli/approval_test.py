#!/usr/bin/env python3
"""Who approves what: a section that asks once, and rules that people waive."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["KEYCEREMONY_SOURCE_DIR"])


def run(*arguments):
    done = subprocess.run(["keyceremony", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    return done.returncode, done.stdout, done.stderr


class Approval(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="keyceremony-approval-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.archive = self.folder / "archive"
        self.record = self.archive / "0001-smki-root-oca"
        self.binding = self.archive / "rehearsal" / "binding.json"
        shutil.copytree(SOURCE / "scripts", self.folder / "scripts", ignore=shutil.ignore_patterns("dev"))
        self.script = self.folder / "scripts" / "smki-root-oca.ceremony.json"
        self.policy = self.folder / "scripts" / "smki.policy.json"

    def change(self, path, change):
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    def rehearse(self):
        return run("rehearse", self.script, "--unattended", "--archive", self.archive)

    def entries(self, kind):
        entries = map(json.loads, (self.record / "log.jsonl").read_text().splitlines())
        return [entry for entry in entries if entry["type"] == kind]

    def assert_complete(self):
        roster = self.archive / "rehearsal" / "roster.json"
        for verifier in (["keyceremony-verify", self.record, "--roster", roster],
                         [sys.executable, SOURCE / "docs" / "verify_rules.py", self.record, "--roster", roster]):
            done = subprocess.run(list(map(str, verifier)), capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("COMPLETE", done.stdout)


class Section(Approval):
    def test_one_approval_serves_every_step_whose_parameters_stand_in_the_script(self):
        def once(script):
            token, root = script["sections"][1], script["sections"][2]
            token["steps"] += root["steps"]
            token["quorum"] = "custodians"
            script["sections"].remove(root)

        self.change(self.script, once)
        status, out, err = self.rehearse()
        self.assertEqual(status, 0, err)
        self.assert_complete()
        requests = {entry["step"]: entry for entry in self.entries("request")}
        self.assertEqual(list(requests), ["opening", "section:token", "certify-root"])
        section = requests["section:token"]
        self.assertEqual(section["steps"], ["commission", "generate-root"])
        self.assertEqual([step["parameters"]["token"] for step in section["subject"]["steps"]], ["root-hsm", "root-hsm"])
        begins = {entry["id"]: entry for entry in self.entries("step") if entry["phase"] == "begin"}
        self.assertEqual(begins["commission"]["approval"], section["seq"])
        self.assertEqual(begins["generate-root"]["approval"], section["seq"])
        self.assertNotIn("approval", begins["certify-root"])
        self.assertIn("Approved with its section: Generate key root-oca", out)

    def test_a_quorum_for_a_step_that_does_nothing_to_approve_is_refused(self):
        self.change(self.script, lambda script: script["sections"][0]["steps"][1].update(quorum="custodians"))
        status, _, err = run("check", self.script)
        self.assertEqual(status, 1)
        status, _, err = self.rehearse()
        self.assertEqual(status, 1)
        self.assertIn("PLAN-QUORUM-03", err)


class Waiver(Approval):
    WAIVED = {"rule": "PLAN-QUORUM-02", "reason": "Two custodians are on parental leave until spring.",
              "people": ["oscar", "ivan"]}

    def setUp(self):
        super().setUp()
        self.change(self.policy, lambda policy: policy["quorum"].update(minimum_m=4))
        status, _, err = self.rehearse()
        self.assertEqual(status, 1)
        self.assertIn("PLAN-QUORUM-02", err)
        self.assertFalse(self.record.exists())

    def waive(self, **changes):
        self.change(self.binding, lambda binding: binding.update(waivers=[dict(self.WAIVED, **changes)]))

    def test_two_named_people_waive_a_rule_and_the_record_has_it(self):
        self.waive()
        status, out, err = self.rehearse()
        self.assertEqual(status, 0, err)
        self.assert_complete()
        waived = [entry for entry in self.entries("deviation") if "waived" in entry]
        self.assertEqual([(entry["waived"], entry["decided_by"], entry["reason"]) for entry in waived],
                         [("PLAN-QUORUM-02", ["oscar", "ivan"], self.WAIVED["reason"])])
        findings = {finding["rule"]: finding for finding in self.entries("open")[0]["findings"]}
        self.assertEqual(findings["PLAN-QUORUM-02"]["waived_by"], ["oscar", "ivan"])
        self.assertIn("is to be waived in this ceremony: Two custodians", out)

    def assert_refused(self, rule):
        status, _, err = self.rehearse()
        self.assertEqual(status, 1)
        self.assertIn(f"[{rule}]", err)
        self.assertIn("keyceremony: hint: ", err)
        self.assertFalse(self.record.exists())

    def test_one_person_is_not_enough(self):
        self.waive(people=["oscar"])
        self.assert_refused("WAIVER-02")

    def test_nobody_from_outside_the_roster_waives(self):
        self.waive(people=["oscar", "mallory"])
        self.assert_refused("WAIVER-02")

    def test_what_is_impossible_cannot_be_waived(self):
        self.waive(rule="EST-KEY-02")
        self.assert_refused("WAIVER-01")

    def test_a_waiver_that_waives_nothing_is_refused(self):
        self.waive(rule="QUORUM-EMPLOYER-01")
        self.assert_refused("WAIVER-03")


if __name__ == "__main__":
    unittest.main()
