#!/usr/bin/env python3
"""Who approves what: a section that asks once, and rules that people waive."""
import subprocess
import sys
import unittest

from archive import SOURCE, Rehearsed, rewrite, run


class Approval(Rehearsed):
    def setUp(self):
        super().setUp()
        self.script, self.policy = self.home.script("smki-root-oca"), self.scripts / "smki.policy.json"

    def rehearse(self, expect=0):
        return super().rehearse(self.script, expect=expect)

    def of_kind(self, kind):
        return self.entries(1, type=kind)

    def assert_complete_twice(self):
        """For the program and for its twin in Python."""
        self.assert_complete()
        done = subprocess.run([sys.executable, SOURCE / "docs" / "verify_rules.py", self.first, "--roster", self.roster],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Section(Approval):
    def test_one_approval_serves_every_step_whose_parameters_stand_in_the_script(self):
        def once(script):
            token, root = script["sections"][1], script["sections"][2]
            token["steps"] += root["steps"]
            token["quorum"] = "custodians"
            script["sections"].remove(root)

        rewrite(self.script, once)
        out, _ = self.rehearse()
        self.assert_complete_twice()
        requests = {entry["step"]: entry for entry in self.of_kind("request")}
        self.assertEqual(list(requests), ["opening", "section:token", "certify-root"])
        section = requests["section:token"]
        self.assertEqual(section["steps"], ["commission", "generate-root"])
        self.assertEqual([step["parameters"]["token"] for step in section["subject"]["steps"]], ["root-hsm", "root-hsm"])
        begins = {entry["id"]: entry for entry in self.of_kind("step") if entry["phase"] == "begin"}
        self.assertEqual(begins["commission"]["approval"], section["seq"])
        self.assertEqual(begins["generate-root"]["approval"], section["seq"])
        self.assertNotIn("approval", begins["certify-root"])
        self.assertIn("Approved with its section: Generate key root-oca", out)

    def test_a_quorum_for_a_step_that_does_nothing_to_approve_is_refused(self):
        rewrite(self.script, lambda script: script["sections"][0]["steps"][1].update(quorum="custodians"))
        self.assertEqual(run("check", self.script)[0], 1)
        _, err = self.rehearse(expect=1)
        self.assertIn("PLAN-QUORUM-03", err)


class Waiver(Approval):
    WAIVED = {"rule": "PLAN-QUORUM-02", "reason": "Two custodians are on parental leave until spring.",
              "people": ["oscar", "ivan"]}

    def setUp(self):
        super().setUp()
        rewrite(self.policy, lambda policy: policy["quorum"].update(minimum_m=4))
        _, err = self.rehearse(expect=1)
        self.assertIn("PLAN-QUORUM-02", err)
        self.assertFalse(self.first.exists())

    def waive(self, **changes):
        rewrite(self.binding, lambda binding: binding.update(waivers=[dict(self.WAIVED, **changes)]))

    def test_two_named_people_waive_a_rule_and_the_record_has_it(self):
        self.waive()
        out, _ = self.rehearse()
        self.assert_complete_twice()
        waived = [entry for entry in self.of_kind("deviation") if "waived" in entry]
        self.assertEqual([(entry["waived"], entry["decided_by"], entry["reason"]) for entry in waived],
                         [("PLAN-QUORUM-02", ["oscar", "ivan"], self.WAIVED["reason"])])
        findings = {finding["rule"]: finding for finding in self.of_kind("open")[0]["findings"]}
        self.assertEqual(findings["PLAN-QUORUM-02"]["waived_by"], ["oscar", "ivan"])
        self.assertIn("is to be waived in this ceremony: Two custodians", out)

    def assert_refused(self, rule):
        _, err = self.rehearse(expect=1)
        self.assertIn(f"[{rule}]", err)
        self.assertIn("keyceremony: hint: ", err)
        self.assertFalse(self.first.exists())

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
