#!/usr/bin/env python3
"""Shared PINs as people meet them: what a commissioning leaves, what opens a token and what does not, resharing, and
share files that do not belong. Shares are opened here by tests/support/shares.py, which shares no code with the program."""
import json
import os
import re
import shutil
import subprocess
import unittest

from archive import SCRIPTS, SOFTHSM, Rehearsed, need, rewrite, run, verified
import shares

EVERYBODY = ["alice", "bob", "carol", "dave", "erin"]


class Shares(Rehearsed):
    def setUp(self):
        super().setUp()
        self.said = []

    def rehearse(self, *script, expect=0):
        said = super().rehearse(*script, expect=expect)
        self.said.extend(said)
        return said

    def script(self, name, steps):
        """A script of its own with these steps after attendance, on the token of the first ceremony."""
        plan = self.home.plan("smki-root-oca")
        plan["id"] = name
        del plan["profiles"]
        attend = {"id": "attend", "do": "room.attend",
                  "people": {"administrator": 1, "security-officer": 1, "custodian": 3, "witness": 1}}
        plan["sections"] = [{"id": "only", "title": "Only", "steps": [attend, *steps]}]
        return self.home.write(name, plan)

    def prepare(self):
        """Prepares a rehearsal without holding it."""
        self.home.rehearse(self.script("none", [{"id": "x", "do": "token.verify", "token": "root-hsm"}]))

    def verify_step(self, name="look"):
        return self.script(name, [{"id": "look", "do": "token.verify", "token": "root-hsm"}])

    def reshare_step(self, name="reshare"):
        return self.script(name, [{"id": "reshare", "do": "quorum.reshare", "token": "root-hsm", "quorum": "custodians"}])

    def pin(self, record, which="user", people=("bob", "dave", "erin"), share_set=None):
        return shares.pin_of(record, "root-hsm", which, people, self.folder, share_set)

    def opens(self, pin, officer=False):
        """Whether the token takes this PIN, as another program finds."""
        login = ["--login", "--login-type", "so", "--so-pin", pin, "--session-rw"] if officer else ["--login", "--pin", pin]
        done = subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "root-hsm", *login, "--list-objects"],
                              capture_output=True, text=True, check=False,
                              env=dict(os.environ, SOFTHSM2_CONF=str(self.archive / "rehearsal" / "softhsm2.conf")))
        return done.returncode == 0

    def share_files(self, record=None):
        return sorted(((record or self.first) / "artefacts" / "shares" / "root-hsm").glob("*/*.share.json"))

    def assert_whole(self):
        self.assertEqual(verified(self.archive, self.roster)[0], 0)

    def assert_no_secret(self, *secrets):
        """No PIN stands in any file of the archive or in what was said."""
        for path in self.archive.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                for secret in secrets:
                    self.assertNotIn(secret.encode(), content, path)
        for said in self.said:
            for secret in secrets:
                self.assertNotIn(secret, said)


class Commissioning(Shares):
    def test_any_three_open_the_token_and_two_do_not(self):
        self.rehearse()
        user = self.pin(self.first)
        self.assertEqual(user, self.pin(self.first, people=("alice", "bob", "carol")))
        officer = self.pin(self.first, "security-officer")
        self.assertTrue(self.opens(user))
        self.assertTrue(self.opens(officer, officer=True))
        two = shares.raw_pin_of(self.first, "root-hsm", "user", ["bob", "dave"], self.folder)
        self.assertNotEqual(two, user.encode())
        policy = json.loads((SCRIPTS / "smki.policy.json").read_text())["pin"]
        self.assertEqual((len(user), len(officer)), (policy["user_length"], policy["so_length"]))
        self.assertEqual(set(user + officer) - set(policy["alphabet"]), set())
        self.assert_no_secret(user, officer)

    def test_the_record_has_a_commitment_for_each_share_and_everybody_confirmed_before_the_token_was_touched(self):
        self.rehearse()
        sealed, = self.seen(1, "share-set-sealed")
        self.assertEqual(sealed["proof"], {"how": "every-subset", "subsets": 10})
        self.assertEqual((sealed["shares"]["m"], sealed["n"], sealed["shares"]["generation"]), (3, 5, 1))
        confirmed = self.seen(1, "share-confirmed")
        self.assertEqual([entry["person"] for entry in confirmed], EVERYBODY)
        for holder, entry in zip(sealed["shares"]["holders"], confirmed):
            self.assertEqual((holder["person"], holder["user"], holder["officer"]),
                             (entry["person"], entry["user"], entry["officer"]))
        intent = self.entries(1, type="intent", fn="C_InitToken")[0]
        self.assertGreater(intent["seq"], max(entry["seq"] for entry in confirmed))
        files = self.share_files()
        self.assertEqual([path.name for path in files], [f"{person}.share.json" for person in EVERYBODY])
        for path, holder in zip(files, sealed["shares"]["holders"]):
            share = json.loads(path.read_text())
            self.assertEqual((share["user"]["commitment"], share["security_officer"]["commitment"]),
                             (holder["user"], holder["officer"]))
        self.assertTrue(all(len(entry["people"]) == 3 for entry in self.seen(1, "shares-contributed")))

    def test_the_estate_says_who_holds_the_shares(self):
        self.rehearse()
        held = self.status()["tokens"][0]["shares"]
        self.assertEqual((held["m"], held["n"], held["generation"], held["holders"]), (3, 5, 1, EVERYBODY))
        shown = run("status", self.archive)[1]
        self.assertIn(f"PINs shared 3 of 5 with alice, bob, carol, dave, erin; set {held['set']} (generation 1)", shown)


class Resharing(Shares):
    def test_old_shares_open_nothing_and_the_record_says_why(self):
        self.rehearse()
        old_user, old_officer = self.pin(self.first), self.pin(self.first, "security-officer")
        self.rehearse(self.reshare_step())
        second = self.archive / "0002-reshare"
        user, officer = self.pin(second), self.pin(second, "security-officer")
        self.assertEqual([self.opens(user), self.opens(officer, officer=True)], [True, True])
        self.assertEqual([self.opens(old_user), self.opens(old_officer, officer=True)], [False, False])
        log = self.entries(2)
        confirmed = [entry["seq"] for entry in log if entry.get("what") == "share-confirmed"]
        changes = [entry["seq"] for entry in log if entry["type"] == "intent" and entry["fn"] == "C_SetPIN"]
        self.assertEqual((len(confirmed), len(changes)), (5, 2))
        self.assertLess(max(confirmed), min(changes))
        self.assertEqual([entry["pin"] for entry in log if entry.get("what") == "pin-changed"], ["user", "security-officer"])
        self.assertEqual([entry["pin"] for entry in log if entry.get("what") == "shares-contributed"],
                         ["user", "security-officer"])
        held = self.status()["tokens"][0]["shares"]
        self.assertEqual((held["generation"], held["ceremony"]), (2, "0002-reshare"))
        self.assert_whole()
        self.assert_no_secret(old_user, old_officer, user, officer)
        self.rehearse(self.verify_step())
        self.assertEqual([entry["generation"] for entry in self.seen("0003-look", "shares-contributed")], [2])

    def test_a_quorum_may_have_another_m_and_other_people(self):
        self.rehearse()
        def change(people):
            people["quorums"]["custodians"]["m"] = 4
            next(person for person in people["people"] if person["id"] == "carol")["state"] = "leaving"
        rewrite(self.roster, change)
        self.rehearse(self.reshare_step())
        held = self.status()["tokens"][0]["shares"]
        self.assertEqual((held["m"], held["holders"]), (4, ["alice", "bob", "dave", "erin"]))
        second = self.archive / "0002-reshare"
        self.assertFalse(self.opens(self.pin(self.first, people=EVERYBODY[:3])))
        self.assertTrue(self.opens(self.pin(second, people=["alice", "bob", "dave", "erin"])))

    def test_a_token_of_another_login_has_no_shares(self):
        self.rehearse()
        rewrite(self.binding, lambda binding: binding["tokens"]["root-hsm"].update(login="pin-prompt"))
        _, err = self.rehearse(self.reshare_step(), expect=1)
        self.assertIn("PLAN-SHARES-04", err)
        self.assertFalse((self.archive / "0002-reshare").exists())


class Converting(Shares):
    """A token that was commissioned with typed PINs (in a rehearsal, in envelopes)."""

    def bind(self, login):
        rewrite(self.binding, lambda binding: binding["tokens"]["root-hsm"].update(login=login))

    def commission(self):
        """The first ceremony with typed PINs; returns both."""
        self.prepare()
        self.bind("pin-prompt")
        self.rehearse()
        self.assertEqual(self.share_files(), [])
        self.bind("shares")
        return [next((self.archive / "rehearsal").rglob(f"root-hsm.{which}.pin")).read_text()
                for which in ("user", "security-officer")]

    def test_a_token_gets_shares_in_place_and_its_typed_pins_open_nothing_any_more(self):
        typed, typed_officer = self.commission()
        self.rehearse(self.reshare_step())
        second = self.archive / "0002-reshare"
        user, officer = self.pin(second), self.pin(second, "security-officer")
        self.assertEqual([self.opens(user), self.opens(officer, officer=True)], [True, True])
        self.assertEqual([self.opens(typed), self.opens(typed_officer, officer=True)], [False, False])
        log = self.entries(2)
        self.assertEqual([entry["pin"] for entry in log if entry.get("what") == "pin-typed"], ["user", "security-officer"])
        self.assertEqual([entry for entry in log if entry.get("what") == "shares-contributed"], [])
        self.assertEqual([entry["pin"] for entry in log if entry.get("what") == "pin-changed"], ["user", "security-officer"])
        held = self.status()["tokens"][0]["shares"]
        self.assertEqual((held["generation"], held["ceremony"], held["holders"]), (1, "0002-reshare", EVERYBODY))
        self.assert_whole()
        self.rehearse(self.verify_step())
        self.assertEqual([entry["generation"] for entry in self.seen("0003-look", "shares-contributed")], [1])

    def test_before_that_nobody_has_a_share_to_give(self):
        self.commission()
        _, err = self.rehearse(self.verify_step(), expect=1)
        self.assertIn("SHARE-NONE-01", err)
        self.assertIn("quorum.reshare", err)

    def test_a_wrong_old_pin_costs_one_try_and_changes_nothing(self):
        typed, _ = self.commission()
        envelope = next((self.archive / "rehearsal").rglob("root-hsm.user.pin"))
        envelope.write_text("not the PIN, at all")
        self.rehearse(self.reshare_step(), expect=3)
        second = self.archive / "0002-reshare"
        self.assertEqual(self.seen(2, "pin-changing"), [])
        self.assertEqual(self.entries(2, type="intent"), [])
        self.assertTrue(self.opens(typed))
        envelope.write_text(typed)
        status, _, err = run("resume", second, "--unattended")
        self.assertEqual(status, 0, err)
        self.assertTrue(self.opens(self.pin(second)))
        self.assert_whole()


class BadDays(Shares):
    def look(self, change, expect=0):
        """A ceremony that must open the token, after something was done to the share files of the first one."""
        self.rehearse()
        change({path.name.split(".")[0]: path for path in self.share_files()})
        _, err = self.rehearse(self.verify_step(), expect=expect)
        return err, self.entries("0002-look", type="refusal")

    def flip(self, path):
        share = json.loads(path.read_text())
        at = share["user"]["ciphertext"]
        share["user"]["ciphertext"] = ("B" if at[0] == "A" else "A") + at[1:]
        path.write_text(json.dumps(share))

    def test_a_changed_byte_is_named_and_the_others_open_the_token(self):
        _, refusals = self.look(lambda files: self.flip(files["bob"]))
        self.assertEqual([entry["rule"] for entry in refusals], ["SHARE-SEAL-01"])
        self.assertIn("bob's share of token root-hsm", refusals[0]["message"])
        given, = self.seen("0002-look", "shares-contributed")
        self.assertEqual(given["people"], ["alice", "carol", "dave"])

    def test_with_too_few_good_ones_it_ends_and_names_who_is_missing(self):
        def break_three(files):
            for person in ("alice", "carol", "erin"):
                self.flip(files[person])
        err, refusals = self.look(break_three, expect=5)
        self.assertEqual([entry["rule"] for entry in refusals], ["SHARE-SEAL-01"] * 3 + ["QUORUM-SHARE-SHORT"])
        self.assertIn("token root-hsm opens with 3 of 5 shares, 2 were given; not from alice, carol, erin", err)

    def test_the_share_of_somebody_else(self):
        _, refusals = self.look(lambda files: shutil.copy(files["bob"], files["alice"]))
        self.assertEqual([entry["rule"] for entry in refusals], ["SHARE-HOLDER-01"])
        self.assertIn("alice gave the share of bob, expected alice's own", refusals[0]["message"])

    def test_a_share_that_was_made_by_somebody_else(self):
        def forge(files):
            share = json.loads(files["alice"].read_text())
            share["user"]["commitment"] = "0" * 64
            files["alice"].write_text(json.dumps(share))
        self.assertEqual([entry["rule"] for entry in self.look(forge)[1]], ["SHARE-COMMIT-01"])

    def test_an_archive_that_was_patched_to_want_fewer_shares_begins_no_ceremony(self):
        def patch(_):
            log = self.first / "log.jsonl"
            lines = log.read_text().splitlines(keepends=True)
            patched = [line.replace('"m":3', '"m":2') if '"effect":"shares-issued"' in line else line for line in lines]
            self.assertNotEqual(lines, patched)
            log.write_text("".join(patched))
        self.rehearse()
        patch(None)
        _, err = self.rehearse(self.verify_step(), expect=1)
        self.assertIn("EST-FOLD-03", err)
        self.assertFalse((self.archive / "0002-look").exists())

    def test_a_share_file_that_is_gone(self):
        self.assertEqual([entry["rule"] for entry in self.look(lambda files: files["alice"].unlink())[1]], ["SHARE-FILE-01"])

    def test_a_share_of_the_set_before(self):
        self.rehearse()
        self.rehearse(self.reshare_step())
        second = self.archive / "0002-reshare"
        shutil.copy(self.share_files()[0], self.share_files(second)[0])
        self.rehearse(self.verify_step())
        refusals = self.entries("0003-look", type="refusal")
        self.assertEqual([entry["rule"] for entry in refusals], ["SHARE-SET-01"])
        self.assertTrue(re.search(r"alice gave a share of set \w+ \(generation 1\), token root-hsm opens with set \w+ \(generation 2\)",
                                  refusals[0]["message"]))

    def test_a_quorum_of_everybody(self):
        self.changed_roster(lambda people: people["quorums"]["custodians"].update(m=5))
        self.rehearse()
        self.assertTrue(self.opens(self.pin(self.first, people=EVERYBODY)))
        self.assertEqual(self.seen(1, "share-set-sealed")[0]["proof"], {"how": "every-subset", "subsets": 1})

    def test_a_quorum_of_one_is_refused_by_the_policy(self):
        self.changed_roster(lambda people: people["quorums"]["custodians"].update(m=1))
        self.assertIn("PLAN-QUORUM-02", self.rehearse(expect=1)[1])

    def test_a_member_without_a_key_to_seal_to(self):
        def take_key(people):
            del next(person for person in people["people"] if person["id"] == "carol")["open_key"]
        self.changed_roster(take_key)
        self.assertIn("PLAN-SHARES-02", self.rehearse(expect=1)[1])

    def test_more_people_than_coordinates(self):
        def add_people(people):
            custodian = next(person for person in people["people"] if person["id"] == "carol")
            for number in range(251):
                keys = [subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True, check=True)]
                public = subprocess.run(["openssl", "pkey", "-pubout", "-outform", "DER"], input=keys[0].stdout,
                                        capture_output=True, check=True).stdout
                spelled = subprocess.run(["openssl", "base64", "-A"], input=public, capture_output=True, check=True).stdout
                people["people"].append({**custodian, "id": f"p{number}", "sign_key": spelled.decode()})
                del people["people"][-1]["open_key"]
        self.changed_roster(add_people)
        err = self.rehearse(expect=1)[1]
        self.assertIn("PLAN-SHARES-03", err)
        self.assertIn("the quorum custodians has 256 members, shares can be made for 255", err)

    def changed_roster(self, change):
        """Prepares a rehearsal without holding it, and changes who is in it."""
        self.prepare()
        rewrite(self.roster, change)


if __name__ == "__main__":
    need("pkcs11-tool")
    unittest.main()
