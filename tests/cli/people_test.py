#!/usr/bin/env python3
"""People as their operator sees them: who must attend, appointing and retiring a custodian, and what it changes."""
import base64
import datetime
import json
import shutil
import subprocess
import unittest

from archive import Rehearsed, rewrite, run

ROOT, APPOINT, RETIRE = "smki-root-oca", "smki-custodian-appoint", "smki-custodian-retire"
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
DAYS = {str(TODAY), str(TODAY + datetime.timedelta(days=1))}  # a test may run over midnight


class People(Rehearsed):
    def setUp(self):
        super().setUp()
        self.rehearsal = self.archive / "rehearsal"

    def check(self, *arguments, expect=0):
        """`check` of the root ceremony."""
        code, out, err = run("check", self.home.script(ROOT), *arguments, "--json")
        self.assertEqual(code, expect, err)
        return json.loads(out)

    def assert_complete_as_of_its_day(self, record):
        self.assert_complete(record, roster=self.archive / record / "inputs" / "roster.json")


class LifeCycle(People):
    def assert_the_archive_hands_trust_on(self):
        """Who trusts the first custodians trusts those whom they appointed; nobody vouches for what was before them."""
        def verdicts(roster):
            code, out, _ = run("verify", self.archive, "--roster", roster, "--json")
            answer = json.loads(out)
            return code, [record["verdict"] for record in answer["records"]], {each["rule"] for each in answer["findings"]}

        rosters = [self.archive / path for path in ("0001-smki-root-oca/inputs/roster.json", "0003-smki-custodian-retire/inputs/roster.json")]
        self.assertEqual(verdicts(rosters[0]), (0, ["COMPLETE"] * 3, set()))
        self.assertEqual(verdicts(rosters[1]), (7, ["UNPINNED"] * 2 + ["COMPLETE"], {"ARC-ROSTER"}))
        strangers = json.loads(rosters[0].read_text())
        for person in strangers["people"][2:4]:
            person["state"] = "left"
        path = self.folder / "strangers.json"
        path.write_text(json.dumps(strangers))
        code, each, found = verdicts(path)
        self.assertEqual((code, set(each), found), (1, {"INVALID"}, set()))
        # A roster that no quorum has written is nobody's successor.
        forged = self.folder / "forged"
        shutil.copytree(self.archive, forged)
        written = forged / "0002-smki-custodian-appoint" / "artefacts" / "roster.json"
        written.write_text(written.read_text().replace("Frank Foster", "Frank Forger"))
        code, out, _ = run("verify", forged, "--roster", rosters[0], "--json")
        self.assertEqual((code, [record["verdict"] for record in json.loads(out)["records"]]), (1, ["COMPLETE", "INVALID", "INVALID"]))

    def test_a_custodian_is_appointed_and_another_retired_on_one_archive(self):
        self.rehearse(ROOT)
        self.rehearse(APPOINT)
        record = "0002-smki-custodian-appoint"
        self.assert_complete_as_of_its_day(record)
        written = json.loads((self.archive / record / "artefacts" / "roster.json").read_text())
        frank = next(person for person in written["people"] if person["id"] == "frank")
        self.assertEqual((frank["name"], frank["state"]), ("Frank Foster", "active"))
        self.assertEqual([change["state"] for change in frank["history"]], ["nominated", "screened", "approved", "trained", "active"])
        # The keys are those that the person handed over, and the record has that file among its inputs.
        handed = json.loads((self.archive / record / "inputs" / "frank.person.json").read_text())
        self.assertEqual((frank["sign_key"], frank["open_key"]), (handed["sign_key"], handed["open_key"]))
        request = next(entry for entry in self.entries(record, type="request") if entry["step"] == "appoint-frank")
        der = subprocess.run(["openssl", "base64", "-d", "-A"], input=handed["sign_key"].encode(), capture_output=True, check=True).stdout
        digest = subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=der, capture_output=True, check=True).stdout.split()[0].decode()
        self.assertEqual(request["subject"]["sign_key_sha256"], digest)
        roster = (self.archive / record / "artefacts" / "roster.json").read_bytes()
        digest = subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=roster, capture_output=True, check=True).stdout.split()[0].decode()
        self.assertEqual(request["subject"]["roster_sha256"], digest)

        self.rehearse(RETIRE)
        self.assert_complete_as_of_its_day("0003-smki-custodian-retire")
        self.assert_the_archive_hands_trust_on()
        used = json.loads((self.archive / "0003-smki-custodian-retire" / "inputs" / "roster.json").read_text())
        self.assertEqual(used, written)
        estate = self.status()
        states = {person["id"]: person["state"] for person in estate["custodians"]}
        self.assertEqual(states, {"alice": "active", "bob": "active", "carol": "active", "dave": "active", "erin": "leaving", "frank": "active"})
        person = {person["id"]: person for person in estate["custodians"]}
        self.assertEqual(person["frank"]["ceremony"], record)
        self.assertIn(person["frank"]["since"], DAYS)
        self.assertEqual(len(person["frank"]["sign_key"]["words"].split()), 32)
        self.assertIn({"what": "reshare, then retire as left,", "subject": "erin", "by": "", "overdue": False}, estate["due"])
        self.assertEqual([token["name"] for token in estate["tokens"]], ["root-hsm"])

        report = self.status("--joiners-leavers", f"{TODAY}..{TODAY + datetime.timedelta(days=1)}")
        changes = [(change["id"], change["state"], change["ceremony"]) for change in report["changes"]]
        self.assertIn(("frank", "active", record), changes)
        self.assertIn(("erin", "leaving", "0003-smki-custodian-retire"), changes)
        self.assertIn("frank", report["active_after"])
        self.assertNotIn("erin", report["active_after"])
        code, out, _ = run("status", self.archive, "--joiners-leavers", f"{TODAY}..{TODAY + datetime.timedelta(days=1)}")
        self.assertEqual(code, 0)
        for line in ("Joined", "Leaving", "Left\n  nobody"):
            self.assertIn(line, out)

    def test_the_new_custodian_is_in_the_room_and_counts_for_nothing_before(self):
        self.rehearse(APPOINT)
        entry = next(entry for entry in self.entries("0001-smki-custodian-appoint", type="attend") if entry["person"] == "frank")
        self.assertEqual(entry["roles"], [])
        self.assertEqual(entry["step"], "appoint-frank")
        self.assertNotIn("frank", [cosign["person"] for cosign in self.entries("0001-smki-custodian-appoint", type="cosign")])

    def credential(self, person):
        """Two keys in files, as simulated people have them; returns paths and public keys."""
        folder = self.folder / "keys" / person
        folder.mkdir(parents=True)
        public = {}
        for use in ("sign", "open"):
            key = folder / f"{use}.pem"
            subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key], check=True)
            der = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], capture_output=True, check=True).stdout
            public[use] = base64.b64encode(der).decode()
        return {use: str(folder / f"{use}.pem") for use in public}, public

    def bind(self, person, credential):
        rewrite(self.binding, lambda binding: binding["credentials"].update({person: credential}))

    def test_an_appointee_signs_and_opens_with_the_keys_that_they_brought(self):
        self.rehearse(ROOT)
        record = "0002-smki-custodian-appoint"
        strangers, _ = self.credential("mallory")
        own = {use: str(self.rehearsal / "people" / "frank" / f"{use}.pem") for use in ("sign", "open")}
        for use, rule in (("sign", "CRED-01"), ("open", "CRED-02")):
            self.bind("frank", {**own, use: strangers[use]})
            self.rehearse(APPOINT, expect=1)
            self.assertEqual([(entry["rule"], entry["person"]) for entry in self.entries(record, type="refusal")], [(rule, "frank")])
            self.assertEqual(self.seen(record, "key-possession"), [])
            shutil.rmtree(self.archive / record)
        self.bind("frank", own)
        self.rehearse(APPOINT)
        self.assert_complete_as_of_its_day(record)
        effects = [effect for entry in self.entries(record, type="step") for effect in entry.get("effects", [])]
        public = {"sign": next(effect["sign_key"] for effect in effects if effect["effect"] == "person-appointed")}
        proof, = self.seen(record, "key-possession")
        self.assertEqual((proof["person"], proof["shown"], proof["sign_key"]), ("frank", True, public["sign"]))
        origin = self.entries(record, type="open")[0]["origin"]
        self.assertEqual(proof["text"].splitlines()[:2], [f"{origin}/possession", "frank"])
        # openssl finds the signature good.
        for name, content in (("text", proof["text"].encode()), ("signature", base64.b64decode(proof["signature"].split()[-1])[4:]),
                              ("key.der", base64.b64decode(public["sign"]))):
            (self.folder / name).write_bytes(content)
        done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", "key.der", "-keyform", "DER", "-signature", "signature", "text"],
                              cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout, "Verified OK\n", done.stderr)

    def test_nobody_approves_their_own_retirement(self):
        self.rehearse(ROOT)
        self.rehearse(self.changed(RETIRE, lambda plan: self.step_of(plan, "custodian.retire").update(person="alice")))
        record = "0002-smki-custodian-retire"
        request = next(entry for entry in self.entries(record, type="request") if entry.get("without"))
        self.assertEqual((request["without"], request["subject"]["person"], request["quorum"]["n"]), ("alice", "alice", 4))
        signed = [entry["person"] for entry in self.entries(record, type="cosign") if entry["request"] == request["seq"]]
        self.assertEqual(signed, ["bob", "carol", "dave"])
        self.assert_complete_as_of_its_day(record)

    def step_of(self, plan, kind):
        return next(step for section in plan["sections"] for step in section["steps"] if step["do"] == kind)

    def test_nobody_is_appointed_or_retired_twice(self):
        self.rehearse(APPOINT)
        _, err = self.rehearse(APPOINT, expect=1)
        self.assertIn("PERSON-STATE-02", err)
        self.rehearse(RETIRE)
        _, err = self.rehearse(RETIRE, expect=1)
        self.assertIn("PERSON-STATE-03", err)

    def test_who_is_leaving_is_brought_to_left_by_a_second_ceremony(self):
        self.rehearse(RETIRE)

        def change(plan):
            step = plan["sections"][1]["steps"][0]
            step["state"] = "left"
        self.rehearse(self.changed(RETIRE, change))
        estate = self.status()
        self.assertEqual({person["id"]: person["state"] for person in estate["custodians"]}["erin"], "left")
        self.assertNotIn("erin", [item["subject"] for item in estate["due"]])

    def test_a_roster_that_forgets_a_ceremony_is_refused(self):
        self.rehearse(RETIRE)
        old = self.archive / "0001-smki-custodian-retire" / "inputs" / "roster.json"
        found = self.check("--roster", old, "--archive", self.archive, expect=1)["findings"]
        self.assertEqual([finding["rule"] for finding in found if finding["severity"] == "breach"], ["PERSON-ESTATE-01"])
        self.assertIn("erin stands as active, and is leaving since ceremony 0001-smki-custodian-retire", found[0]["message"] + found[-1]["message"])
        # The archive's own roster is the one that the ceremony has written.
        self.assertEqual([finding["rule"] for finding in self.check("--archive", self.archive)["findings"] if finding["severity"] == "breach"], [])

    def test_other_keys_than_those_of_the_appointment_are_refused(self):
        self.rehearse(APPOINT)
        roster = json.loads((self.archive / "0001-smki-custodian-appoint" / "artefacts" / "roster.json").read_text())
        frank = next(person for person in roster["people"] if person["id"] == "frank")
        frank["sign_key"], frank["open_key"] = frank["open_key"], frank["sign_key"]
        forged = self.folder / "roster.json"
        forged.write_text(json.dumps(roster))
        found = self.check("--roster", forged, "--archive", self.archive, expect=1)["findings"]
        self.assertEqual([finding["rule"] for finding in found if finding["severity"] == "breach"], ["PERSON-ESTATE-02"] * 2)

    def test_the_pool_alarm_is_due_while_too_few_are_active(self):
        self.rehearse(RETIRE)
        self.assertEqual([item["subject"] for item in self.status()["due"]], ["erin"])

        def change(plan):
            step = plan["sections"][1]["steps"][0]
            step["person"] = "dave"
        self.rehearse(self.changed(RETIRE, change))
        due = self.status()["due"]
        self.assertIn({"what": "appoint people (3 active, 4 wanted) for the quorum", "subject": "custodians", "by": "", "overdue": False}, due)

        def last(plan):
            plan["sections"][1]["steps"][0]["person"] = "carol"
        _, err = self.rehearse(self.changed(RETIRE, last), expect=1)
        self.assertIn("QUORUM-LOST-01", err)


class WhoMustAttend(People):
    def setUp(self):
        super().setUp()
        self.rehearse(ROOT)

    def with_roster(self, change):
        roster = json.loads(self.roster.read_text())
        change({person["id"]: person for person in roster["people"]}, roster)
        path = self.folder / "roster.json"
        path.write_text(json.dumps(roster))
        return path

    def test_check_says_who_for_which_steps_and_without_whom_it_cannot_be_done(self):
        plan = self.check("--roster", self.roster)
        self.assertEqual(plan["quorums"], [{"name": "custodians", "role": "custodian", "m": 3,
                                            "members": ["alice", "bob", "carol", "dave", "erin"], "possible": True, "lost_if_missing": 3,
                                            "steps": [7, 9, 10], "witnesses": True}])
        person = {person["id"]: person for person in plan["attendance"]}
        self.assertEqual(person["alice"]["steps"], [1, 7, 9, 10, 14])
        self.assertEqual(person["alice"]["lost_without"], [])
        self.assertEqual(person["wendy"]["lost_without"], person["wendy"]["steps"])
        code, out, _ = run("check", self.home.script(ROOT), "--roster", self.roster)
        self.assertEqual(code, 0)
        for line in ("custodians: 3 of 5 (alice, bob, carol, dave, erin)", "approves steps 7, 9, 10; opens and closes the record",
                     "lost if 3 of them are missing", "Step by step", "3 of 5 custodians"):
            self.assertIn(line, out)

    def refused(self, change, rule):
        found = self.check("--roster", self.with_roster(change), expect=1)["findings"]
        self.assertIn(rule, [finding["rule"] for finding in found if finding["severity"] == "breach"])
        self.assertTrue(all(finding["hint"] for finding in found))

    def test_a_custodian_of_another_domain(self):
        self.refused(lambda people, _: people["alice"].update(domain="device"), "PERSON-DOMAIN-01")

    def test_one_employer_that_reaches_m(self):
        self.refused(lambda people, _: [people[i].update(employer="Severn Metering") for i in ("bob", "carol", "dave")], "QUORUM-EMPLOYER-01")

    def test_roles_that_are_kept_apart(self):
        self.refused(lambda people, _: people["ada"].update(roles=["administrator", "custodian"]), "ROLE-APART-01")

    def test_fewer_people_of_a_role_than_the_policy_wants(self):
        self.refused(lambda people, _: people["wendy"].update(state="leaving"), "ATTEND-LEAST-01")

    def test_m_below_the_policy(self):
        self.refused(lambda _, roster: roster["quorums"]["custodians"].update(m=1), "PLAN-QUORUM-02")

    def test_m_that_is_not_more_than_half_is_in_every_record(self):
        def change(people, roster):
            roster["quorums"]["custodians"]["m"] = 2
            for person in people.values():
                person["employer"] = person["id"]
        path = self.with_roster(change)
        found = self.check("--roster", path)["findings"]
        self.assertEqual([(finding["rule"], finding["severity"]) for finding in found], [("QUORUM-MAJORITY-01", "good-practice")])

    def test_a_quorum_that_cannot_be_met_where_the_token_stands(self):
        # All tokens of a rehearsal stand at the site "rehearsal".
        path = self.with_roster(lambda people, _: [people[i].update(site="Leeds") for i in ("alice", "bob", "carol")])
        found = self.check("--roster", path, "--binding", self.binding, expect=1)["findings"]
        self.assertIn("PERSON-SITE-01", [finding["rule"] for finding in found])

    def test_a_history_that_skips_a_state(self):
        path = self.with_roster(lambda people, _: people["alice"].update(
            history=[{"state": "screened", "on": "2026-01-01"}, {"state": "active", "on": "2026-01-02"}]))
        code, _, err = run("check", self.home.script(ROOT), "--roster", path)
        self.assertEqual(code, 2)
        self.assertIn("PERSON-STATE-01", err)

    def test_a_quorum_that_the_roster_does_not_have(self):
        def change(plan):
            plan["sections"][1]["steps"][1]["quorum"] = "custodian"
        code, _, err = run("check", self.changed(ROOT, change), "--roster", self.roster)
        self.assertEqual(code, 2)
        self.assertIn("INPUT-09", err)
        self.assertIn("did you mean `custodians`?", err)


class Periods(People):
    def test_a_period_is_two_days_in_order(self):
        (self.archive / "0001-a-ceremony").mkdir(parents=True)
        for period, part in (("2026-01-01", "has no \"..\""), ("2026-02-30..2026-03-01", "two days of the calendar"),
                             ("2026-03-01..2026-01-01", "ends before it begins")):
            code, _, err = run("status", self.archive, "--joiners-leavers", period)
            self.assertEqual(code, 2, err)
            self.assertIn(part, err)
            self.assertIn("2026-01-01..2026-12-31", err)


if __name__ == "__main__":
    unittest.main()
