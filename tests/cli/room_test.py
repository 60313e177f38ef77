#!/usr/bin/env python3
"""Production as it is held: `keyceremony run` at a terminal, typed by people, and what they may do wrong."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import unittest

from archive import SOURCE, copy_scripts, entries, rewrite, run
import room
from room import SCRIPT, Room, serve


COMMISSION = SOURCE / "tests/support/commission.ceremony.json"


class Slips(Room):
    def test_a_mistyped_pin_of_the_record_token_sends_nobody_back_to_the_beginning(self):
        status, shown = self.run_script(first=[
            (r"user PIN of token \"record", ["not the PIN", "x", room.PIN + "record"]),
            (r"The record is not begun yet", "try again")])
        self.assertEqual(status, 0, shown[-2000:])
        self.assertEqual(shown.count("The record is not begun yet"), 2)
        self.assertEqual(shown.count("Read the words aloud. Are they"), 1)
        self.assert_complete()

    def test_a_wrong_pin_is_tried_once_also_where_the_failure_would_be_signed(self):
        script = copy_scripts(self.folder) / "short.ceremony.json"
        shutil.copy(COMMISSION, script)

        def upgraded(plan):
            steps = plan["sections"][0]["steps"]
            steps[1]["quorum"] = "custodians"
            # It restarts the module, so that the token of the record is logged out of.
            steps.append({"id": "upgrade", "do": "firmware.record", "token": "root-hsm", "by": "administrator",
                          "proof": "public-key", "quorum": "custodians"})

        rewrite(script, upgraded)
        status, shown = self.run_script(script=script, first=[
            (r"user PIN of token \"?record", [room.PIN + "record", "not the PIN", "nobody is asked for a third"]),
            (r"Mend the cause, then decide", "pause the ceremony")])
        self.assertEqual(status, 3, shown[-2000:])
        self.assertIn("CKR_PIN_INCORRECT", shown)
        self.assertEqual(len(re.findall(r"user PIN of token \"?record", shown.split("UPGRADED")[-1])), 1, shown[-3000:])

    def test_a_number_that_was_mistyped_and_confirmed_is_typed_again_from_the_next_question(self):
        status, shown = self.run_script(first=[
            (r"umber of the bag that the HSM came in", ["SB004299", "SB004201"]),
            (r"umber of the seal on the HSM", ["back", "HS000018", "HS000018"])])
        self.assertEqual(status, 0, shown[-2000:])
        self.assertEqual(self.entries("observe", step="seals-before")[0]["facts"], {"bag": "SB004201", "seal": "HS000018"})
        self.assert_complete()

    def test_whoever_stops_before_the_record_leaves_nothing_behind(self):
        status, shown = self.run_script(first=[(r"user PIN of token \"record", "not the PIN"),
                                               (r"The record is not begun yet", "stop here")])
        self.assertEqual(status, 3, shown[-2000:])
        self.assertFalse(self.record.exists())

    def test_every_screen_names_the_environment(self):
        status, shown = self.run_script(first=[(r"where are they", None)])
        self.assertIsNone(status)
        self.assertIn("UIT - user integration test", shown)
        self.assertIn("── UIT ─ Step 1 of ", shown)
        self.assertNotIn("the real thing:", shown)


class Paused(Room):
    """While a ceremony is paused its file lies there for anybody who can write it."""

    def pause(self):
        wrong = iter(["wrong"])
        status, shown = self.run_script(first=[
            (r"user PIN of token \"?root-hsm", lambda _: next(wrong, room.PIN + "root-hsm")),
            (r"Mend the cause, then decide", "pause the ceremony"),
        ])
        self.assertEqual(status, 3, shown[-2000:])
        self.assertIn("paused after a failure", shown)

    def append(self, **fields):
        log = self.record / "log.jsonl"
        last = json.loads(log.read_bytes().splitlines()[-1])
        entry = {**{name: last[name] for name in ("v", "mode", "time", "mono", "salt")}, "seq": last["seq"] + 1, **fields}
        log.write_bytes(log.read_bytes() + json.dumps(entry, sort_keys=True, separators=(",", ":")).encode() + b"\n")

    def test_a_record_that_was_only_paused_asks_nothing(self):
        self.pause()
        status, shown = self.resume()
        self.assertEqual(status, 0, shown[-2000:])
        self.assertNotIn("Is this what happened?", shown)
        self.assertIn("root of what is signed: the first", shown)
        self.assert_complete()

    def test_a_pause_at_a_question_is_signed_too(self):
        player = room.Player([(r"Read a radio clock", None)] + self.answers)
        self.addCleanup(player.stop)
        player.start("keyceremony", "run", SCRIPT, "--binding", self.place.binding, "--archive", self.place.archive)
        self.assertIsNone(player.play())
        os.write(player.fd, b"\x03")
        player.pump_until_over()
        self.assertEqual(player.reap(), 5, player.shown[-2000:])
        status, shown = self.resume()
        self.assertEqual(status, 0, shown[-2000:])
        self.assertNotIn("Is this what happened?", shown)
        self.assertIn("Compare these words with those that were kept at the pause.", shown)
        self.assert_complete()

    def test_what_nothing_has_signed_is_shown_and_not_taken_over_when_it_did_not_happen(self):
        self.pause()
        self.append(type="step", id="seals-before", do="room.record", phase="begin", parameters={})
        self.append(type="observe", step="seals-before", what="facts", facts={}, seal="EVIL0001")
        before = (self.record / "log.jsonl").read_bytes()
        status, shown = self.resume(first=[(r"Is this what happened\?", "something of it did not happen"),
                                           (r"Mend the cause, then decide", "pause the ceremony")])
        self.assertEqual(status, 1, shown[-2000:])
        self.assertIn("EVIL0001", shown)
        self.assertIn("RUN-TAIL-01", shown)
        after = (self.record / "log.jsonl").read_bytes()
        self.assertTrue(after.startswith(before))
        self.assertEqual({json.loads(line)["type"] for line in after[len(before):].splitlines()}, {"recover"})

    def test_what_people_take_over_is_in_the_record_and_signed_at_once(self):
        self.pause()
        self.append(type="note", what="a crash", text="has left this")
        size = len((self.record / "log.jsonl").read_bytes().splitlines())
        status, shown = self.resume()
        self.assertEqual(status, 0, shown[-2000:])
        self.assert_complete()
        entries = [json.loads(line) for line in (self.record / "log.jsonl").read_bytes().splitlines()]
        self.assertEqual([entry["type"] for entry in entries[size:size + 3]], ["recover", "note", "checkpoint"])
        self.assertEqual((entries[size + 1]["first"], entries[size + 1]["count"]), (size - 1, 1))


class Desk(Room):
    """What `check` says before anybody travels, and `run` refuses before a record is open."""

    def check(self, *arguments):
        done = subprocess.run(["keyceremony", "check", str(SCRIPT), "--binding", str(self.place.binding), *map(str, arguments)],
                              capture_output=True, text=True, check=False)
        return done.returncode, " ".join(done.stdout.split()), done.stderr

    def test_who_is_to_be_asked_has_a_credential_in_the_binding(self):
        self.assertEqual(self.check()[0], 0)
        del self.place.bound["credentials"]["bob"]
        self.place.write_binding()
        status, out, _ = self.check()
        self.assertEqual(status, 1)
        self.assertIn("[PLAN-CRED-01] bob is an active member of quorum custodians, and has no credential in the binding (breach)", out)
        status, shown = self.run_script()
        self.assertEqual(status, 1, shown[-2000:])
        self.assertIn("PLAN-CRED-01", shown)
        self.assertFalse(self.record.exists())

    def test_what_is_not_on_this_machine_and_whom_nobody_knows_is_warned_of(self):
        self.place.bound["credentials"]["zoe"] = {"offline": True}
        self.place.bound["credentials"]["bob"]["sign"] = "/nonexistent/sign.pem"
        self.place.bound["tokens"]["root-hsm"].update({"module": "/nonexistent/module.so", "environment": {}})
        self.place.write_binding()
        status, out, _ = self.check()
        self.assertEqual(status, 0)
        for words in ("there is no file /nonexistent/module.so on this machine, which the binding names for token root-hsm",
                      "there is no file /nonexistent/sign.pem on this machine, which the binding names for bob",
                      "the binding has a credential of zoe, who is not in the roster"):
            self.assertIn("[WARNING] " + words, out)
        self.place.roster.unlink()
        self.assertIn("[WARNING] no roster was given, and no roster.json stands beside binding.json", self.check()[1])

    def test_an_archive_that_cannot_be_gone_on_with_is_refused_at_the_desk(self):
        status, _, err = self.check("--archive", self.folder / "nowhere")
        self.assertEqual(status, 0)
        self.assertIn(f'there is no folder "{self.folder}/nowhere" yet', err)
        status, _ = self.run_script(first=[(r"Bob Okafor[^┌]*Do you approve \"Open", "not now"),
                                           (r"Mend the cause, then decide", "pause the ceremony")])
        self.assertEqual(status, 5)
        status, _, err = self.check("--archive", self.place.archive)
        self.assertEqual(status, 1)
        self.assertIn("ARCHIVE-OPEN-01", err)


class Production(Room):
    def test_a_ceremony_is_typed_from_its_first_question_to_its_addendum(self):
        status, shown = self.run_script()
        self.assertEqual(status, 0, shown[-2000:])
        self.assert_complete()
        self.assertIn("UIT", shown)
        self.assertNotIn("REHEARSAL", shown)
        self.assertEqual({entry["mode"] for entry in self.entries("open")}, {"production"})
        cosigners = {entry["person"] for entry in self.entries("cosign")}
        self.assertEqual(cosigners, {"alice", "bob"})
        secrets = list(self.place.secrets.values()) + [prefix + token for prefix in (room.PIN, room.SO_PIN)
                                                       for token in ("record", "root-hsm")]
        for secret in secrets:
            self.assertNotIn(secret, shown)
            for path in self.place.archive.rglob("*"):
                if path.is_file():
                    self.assertNotIn(secret.encode(), path.read_bytes(), path)

    def test_shares_open_the_token_and_nobody_types_its_pin(self):
        self.open_with_shares()
        asked = []
        status, shown = self.run_script(first=[
            (r"(Alice|Bob|Carol) [^┌]*Do you give your share of the user PIN[^┌]*\((\d) more",
             lambda match: asked.append(match.groups()) or "give"),
            (r"Alice Archer[^┌]*Do you approve \"Generate key", lambda _: asked.append("approval") or "approve"),
        ])
        self.assertEqual(status, 0, shown[-2000:])
        self.assert_complete()
        self.assertNotIn("user PIN of token \"root-hsm\"", shown)
        confirmed = [entry["person"] for entry in self.entries("observe") if entry["what"] == "share-confirmed"]
        self.assertEqual(confirmed, ["alice", "bob", "carol"])
        # The token is opened for the inventory, and for the key only once that is approved.
        self.assertEqual(asked, [("Alice", "2"), ("Bob", "1"), "approval", ("Alice", "2"), ("Bob", "1")])

    def test_nobody_approves_a_step_before_all_who_get_a_share_are_here(self):
        self.place.bound["tokens"]["root-hsm"]["login"] = "shares"
        self.place.write_binding()
        scripts = self.folder / "scripts"
        shutil.copytree(SCRIPT.parent, scripts, ignore=shutil.ignore_patterns("dev"))
        script = json.loads(SCRIPT.read_text())
        script["sections"][0]["steps"][0]["people"]["custodian"] = 2
        (scripts / SCRIPT.name).write_text(json.dumps(script))
        status, shown = self.play("run", scripts / SCRIPT.name, "--binding", self.place.binding, "--archive", self.place.archive, first=[
            (r"Carol Nguyen \(custodian, Pennine Energy\): where are they", ["not here yet", "in the room"]),
            (r"Mend the cause, then decide", "somebody comes or goes, then try again"),
            (r"Who comes or goes", ["Carol Nguyen (carol) arrives", "nobody else"]),
        ])
        self.assertEqual(status, 0, shown[-2000:])
        self.assert_complete()
        told = "every holder confirms a new share of token root-hsm at once; Carol Nguyen is not here"
        shown = " ".join(shown.split())
        self.assertRegex(shown, rf"WARNING Step \d+: {told}\.")
        self.assertEqual([entry["message"] for entry in self.entries("refusal")], [told])
        self.assertEqual(len([entry for entry in self.entries("request") if entry["step"] == "commission"]), 1)

    def test_a_holder_who_gives_no_share_says_why_and_another_one_gives(self):
        self.open_with_shares()
        status, shown = self.run_script(first=[
            (r"Alice [^┌]*Do you give your share of the user PIN", ["decline", "decline", "give"]),
            (r"You chose \"decline\"\. Why\?", ["back", "my card is at home"]),
        ])
        self.assertEqual(status, 0, shown[-2000:])
        self.assert_complete()
        self.assertIn("gives no share of token root-hsm: my card is at home.", shown)
        declined = [entry for entry in self.entries("note") if entry.get("what") == "share-declined"]
        self.assertEqual([(entry["person"], entry["reason"], entry["token"]) for entry in declined],
                         [("alice", "my card is at home", "root-hsm")])
        gave = [entry["people"] for entry in self.entries("observe") if entry["what"] == "shares-contributed"]
        self.assertEqual((gave[0], gave[-1]), (["bob", "carol"], ["alice", "bob"]))
        status, out, err = run("replay", self.record)
        self.assertEqual(status, 0, out + err)

    def test_an_hsm_behind_remoting_and_a_record_token_of_another_module_serve_one_ceremony(self):
        self.place.bound["tokens"]["root-hsm"].update(serve(self))
        self.open_with_shares()
        status, shown = self.run_script()
        self.assertEqual(status, 0, shown[-3000:])
        self.assert_complete()
        modules = {pathlib.Path(module["path"]).name for module in self.entries("open")[0]["modules"]}
        self.assertEqual(modules, {"libsofthsm2.so", "p11-kit-client.so"})
        self.assertEqual(len(list((self.folder / "remote").glob("*/*.object"))), 3)  # the token and one key pair

    def test_a_token_that_its_makers_tool_has_initialised_is_taken_into_service_and_gets_its_root_key(self):
        """NSS softoken: no serial number of its own, attributes that it does not keep, a PIN that people know."""
        store, pin = self.folder / "nss", self.folder / "nss.pin"
        store.mkdir()
        pin.write_text(room.PIN + "root-hsm\n")
        room.tool("certutil", "-N", "-d", f"sql:{store}", "-f", pin)
        pin.unlink()
        softoken, = pathlib.Path("/usr/lib").glob("*/libsoftokn3.so")
        token = self.place.bound["tokens"]["root-hsm"]
        token.update({"module": str(softoken), "label": "root-hsm", "serial": "0" * 16, "init_args": f"configdir='sql:{store}' certPrefix='' "
                      "keyPrefix='' secmod='secmod.db' dbTokenDescription='root-hsm' flags="})
        del token["uninitialised"], token["environment"]
        self.place.write_binding()
        status, shown = self.run_script(script=self.changed(lambda script: script["sections"][1]["steps"][1].update(
            method="vendor", procedure="certutil -N")))
        self.assertEqual(status, 0, shown[-3000:])
        self.assert_complete()
        certificate, = (self.record / "artefacts").rglob("*.pem")
        room.tool("openssl", "verify", "-x509_strict", "-check_ss_sig", "-CAfile", certificate, certificate)
        self.assertIn(b"root-oca", room.tool("certutil", "-K", "-d", f"sql:{store}", "-f", self.pin_file()))

    def pin_file(self):
        path = self.folder / "again.pin"
        path.write_text(room.PIN + "root-hsm\n")
        return path

    def test_a_holder_who_does_not_confirm_the_new_share_leaves_the_token_as_it_was(self):
        self.open_with_shares()
        status, shown = self.run_script(first=[
            (r"Bob Okafor[^┌]*Do you open your new share", ["decline", "open"]),
            (r"Mend the cause, then decide", "try again"),
        ])
        self.assertEqual(status, 0, shown[-2000:])
        self.assert_complete()
        refused = [(entry["rule"], entry["message"]) for entry in self.entries("refusal")]
        self.assertEqual(refused, [("SHARE-CONFIRM-01", "Bob Okafor did not confirm the share of token root-hsm (it is not as I was told); no PIN was set")])
        log = entries(self.record)
        sealed = [entry["shares"]["set"] for entry in log if entry.get("what") == "share-set-sealed"]
        abandoned = [entry["set"] for entry in log if entry.get("what") == "share-set-abandoned"]
        self.assertEqual((len(sealed), abandoned), (2, sealed[:1]))
        # Nothing was done to the token before everybody had confirmed the second set.
        first_call = next(entry["seq"] for entry in log if entry["type"] == "intent")
        self.assertGreater(first_call, max(entry["seq"] for entry in log if entry.get("what") == "share-confirmed"))

    def test_a_step_is_shown_before_people_decide_to_leave_it_out(self):
        def look(script):
            section = script["sections"][1]
            section.update(say="Now comes the HSM.", quorum="custodians")
            section["steps"].insert(0, {"id": "look", "do": "room.confirm", "by": "witness", "quorum": "custodians", "skippable": True,
                                        "title": "Look at the bag", "say": "The bag goes round.", "statement": "I saw the bag.", "word": "seen"})
            section["steps"][-1]["skippable"] = True

        status, shown = self.run_script(script=self.changed(look), first=[
            (r"Now comes the HSM\..*Look at the bag.*The bag goes round\..*This step may be left out", "leave it out"),
            (r"Verify token root-hsm.*This step may be left out", "do it")])
        self.assertEqual(status, 0, shown[-2000:])
        self.assert_complete()
        self.assertEqual([(step["id"], step["phase"]) for step in self.entries("step") if step["id"] in ("look", "verify-new")],
                         [("look", "skipped"), ("verify-new", "begin"), ("verify-new", "end")])
        (asked,) = [entry for entry in self.entries("request") if entry["step"] == "section:token"]
        self.assertEqual(asked["steps"], ["look", "commission"])
        status, out, err = run("replay", self.record)
        self.assertEqual(status, 0, out + err)

    def test_who_does_not_want_the_record_closed_is_in_the_record(self):
        status, shown = self.run_script(first=[(r"Bob Okafor[^┌]*Do you approve closing the record", "decline"),
                                                (r"Mend the cause, then decide", "pause the ceremony")])
        self.assertEqual(status, 5, shown[-2000:])
        self.assertIn("Bob Okafor declined closing the record now: it is not as I was told", shown)
        self.assertEqual(self.entries("close"), [])
        status, shown = self.resume()
        self.assertEqual(status, 0, shown[-2000:])
        self.assert_complete()
        refused = [(entry["rule"], entry["person"], entry["step"]) for entry in self.entries("refusal")]
        self.assertEqual(refused, [("QUORUM-DENIED-01", "bob", "closing")])

    def test_what_is_refused_after_the_record_is_closed_stands_in_the_addendum(self):
        closing, wrong = [], iter(["wrong"] * 3)
        status, shown = self.run_script(first=[
            (r"Alice Archer[^┌]*Do you approve the final checkpoint", lambda _: closing.append(1) or "approve"),
            (r"Bob Okafor[^┌]*Do you approve the final checkpoint", ["decline", "approve"]),
            (r"Mend the cause, then decide", "try again"),
            (r"passphrase of your credential \S*people/alice/",
             lambda _: next(wrong, self.place.secrets["alice"]) if closing else self.place.secrets["alice"]),
        ])
        self.assertEqual(status, 0, shown[-2000:])
        self.assert_complete()
        self.assertEqual(self.entries("refusal"), [])
        evidence = json.loads((self.record / "addendum.note").read_text().splitlines()[1])
        self.assertEqual([(refusal["rule"], refusal["person"]) for refusal in evidence["refusals"]], [("CRED-03", "alice"), ("QUORUM-DENIED-01", "bob")])
        page = self.folder / "report.html"
        self.assertEqual(run("report", self.record, "--roster", self.place.roster, "--out", page)[0], 0)
        self.assertRegex(page.read_text(), r"QUORUM-DENIED-01</td><td>addendum</td><td>Bob Okafor declined ")

    def test_what_is_refused_after_the_record_is_closed_outlives_the_program(self):
        status, shown = self.run_script(first=[(r"Bob Okafor[^┌]*Do you approve the final checkpoint", "decline"),
                                               (r"Mend the cause, then decide", "pause the ceremony")])
        self.assertEqual(status, 5, shown[-2000:])
        kept = self.place.archive / "0001-smki-root-oca.refusals.json"
        self.assertEqual([(each["rule"], each["person"]) for each in json.loads(kept.read_text())], [("QUORUM-DENIED-01", "bob")])
        status, shown = self.resume()
        self.assertEqual(status, 0, shown[-2000:])
        self.assert_complete()
        evidence = json.loads((self.record / "addendum.note").read_text().splitlines()[1])
        self.assertEqual([(each["rule"], each["person"]) for each in evidence["refusals"]], [("QUORUM-DENIED-01", "bob")])
        self.assertFalse(kept.exists())
        page = self.folder / "report.html"
        self.assertEqual(run("report", self.record, "--roster", self.place.roster, "--out", page)[0], 0)
        self.assertRegex(page.read_text(), r"QUORUM-DENIED-01</td><td>addendum</td><td>Bob Okafor declined ")

    def test_who_declines_stops_the_step_and_the_record_names_them(self):
        status, shown = self.run_script(first=[
            (r"Bob Okafor[^┌]*Do you approve \"Generate key", ["not now", "decline", "approve"]),
            (r"You chose \"not now\"\. Why\?", "back"),
            (r"Mend the cause, then decide", "try again"),
        ])
        self.assertEqual(status, 0, shown[-2000:])
        self.assertIn("Bob Okafor declined \"Generate key root-oca", shown)
        self.assert_complete()
        self.assertEqual([entry for entry in self.entries("note") if entry.get("what") == "approval-postponed"], [])
        refusals = [entry for entry in self.entries("refusal") if entry["rule"] == "QUORUM-DENIED-01"]
        self.assertEqual([(entry["person"], entry["step"], entry["reason"]) for entry in refusals],
                         [("bob", "generate-root", "it is not as I was told")])
        requests = [entry["seq"] for entry in self.entries("request") if entry["step"] == "generate-root"]
        self.assertEqual(len(requests), 2)
        self.assertEqual(refusals[0]["request"], requests[0])
        decisions = [entry for entry in self.entries("note") if "decided_by" in entry]
        self.assertEqual(len(decisions), 1)
        told = " ".join(run("show", self.record)[1].split())
        self.assertRegex(told, r"failed \S+ \[\d+\] to [^,]*, \d+ PKCS#11 calls? QUORUM-DENIED-01: .*? asked 2 of 3 custodians .*? "
                               r"ended by QUORUM-DENIED-01, Bob Okafor ended .*? asked 2 of 3 custodians")
        self.assertRegex(told, r"the people present decided to go on; after step generate-root: .*; decided by the administrator")
        page = self.folder / "report.html"
        self.assertEqual(run("report", self.record, "--out", page)[0], 0)
        self.assertNotIn("<b>Bob Okafor</b> Bob Okafor", page.read_text())

    def test_who_asks_to_wait_pauses_the_ceremony_and_it_is_resumed_another_day(self):
        status, shown = self.run_script(first=[
            (r"Alice Archer[^┌]*Do you approve \"Sign the certificate", "not now"),
            (r"Mend the cause, then decide", "pause the ceremony"),
        ])
        self.assertEqual(status, 5, shown[-2000:])
        self.assertIn("resume", shown)
        notes = [entry for entry in self.entries("note") if entry.get("what") == "approval-postponed"]
        self.assertEqual([entry["person"] for entry in notes], ["alice"])
        self.assertEqual([entry for entry in self.entries("refusal") if entry["rule"].startswith("QUORUM")], [])
        status, shown = self.resume()
        self.assertEqual(status, 0, shown[-2000:])
        self.assert_complete()

    def test_a_wrong_user_pin_is_tried_once_and_may_be_typed_again(self):
        status, shown = self.run_script(first=[
            (r"user PIN of token \"root-hsm\"", ["not the PIN", room.PIN + "root-hsm"]),
            (r"Mend the cause, then decide", "try again"),
        ])
        self.assertEqual(status, 0, shown[-2000:])
        self.assertIn("CKR_PIN_INCORRECT", shown)
        self.assert_complete()
        failed = [entry for entry in self.entries("step") if entry["phase"] == "failed"]
        self.assertEqual([entry["error"]["rv"] for entry in failed], ["CKR_PIN_INCORRECT"])

    def test_a_token_that_is_pulled_is_put_back_and_the_step_tried_again(self):
        tokens = self.folder / "tokens"
        away = self.folder / "pulled"

        def pull(_):
            token = next(path for path in tokens.iterdir() if b"root-hsm" in (path / "token.object").read_bytes())
            self.pulled = token
            token.rename(away)
            return "approve"

        def put_back(_):
            away.rename(self.pulled)
            return "try again"

        pulled = []
        status, shown = self.run_script(first=[
            (r"Bob Okafor[^┌]*Do you approve \"Generate key",
             lambda match: "approve" if pulled else (pulled.append(1), pull(match))[1]),
            (r"Mend the cause, then decide", put_back),
        ])
        self.assertEqual(status, 0, shown[-2000:])
        self.assertIn("Nothing is lost", shown)
        self.assert_complete()
        keys = list((self.record / "artefacts" / "keys").iterdir())
        self.assertEqual([path.name for path in keys], ["root-oca.spki.der"])

    def test_a_terminal_that_is_closed_loses_nothing(self):
        player = room.Player([(r"Do you approve \"Generate key", None)] + self.answers)
        self.addCleanup(player.stop)
        player.start("keyceremony", "run", SCRIPT, "--binding", self.place.binding, "--archive", self.place.archive)
        self.assertIsNone(player.play())
        player.send_signal(signal.SIGHUP)
        status = player.play()
        self.assertEqual(status, 5)
        status, shown = self.resume()
        self.assertEqual(status, 0, shown[-2000:])
        self.assert_complete()

    def test_a_clock_is_compared_by_people_who_take_their_time(self):
        """They type a time that is to come, and press Enter when the clock shows it; then they would read it back, too."""
        pace = 7  # seconds; 5 are allowed

        def typed_ahead(_):
            moment = time.time() + pace
            os.write(player.fd, time.strftime("%H:%M:%S", time.gmtime(moment)).encode())
            time.sleep(moment - time.time())
            return ""  # Enter

        player = room.Player([(r"Read a radio clock", typed_ahead), (r"Is that right", lambda _: time.sleep(pace) or "yes"),
                              (r"Type exactly:\s+same", None), (r"Mend the cause", None)] + self.answers)
        self.addCleanup(player.stop)
        player.start("keyceremony", "run", SCRIPT, "--binding", self.place.binding, "--archive", self.place.archive)
        self.assertIsNone(player.play())
        clock, = [entry for entry in self.entries("observe") if entry["what"] == "clock"]
        self.assertLessEqual(abs(clock["offset_seconds"]), 2, player.shown[-1000:])

    def test_ctrl_c_names_the_record_to_go_on_with_once_there_is_one(self):
        for stopped_at, named in ((r"Type exactly:\s+CONFIRM", False), (r"Read a radio clock", True)):
            player = room.Player([(stopped_at, None)] + self.answers)
            self.addCleanup(player.stop)
            player.start("keyceremony", "run", SCRIPT, "--binding", self.place.binding, "--archive", self.place.archive)
            self.assertIsNone(player.play())
            os.write(player.fd, b"\x03")
            self.assertEqual(player.play(), 5)
            said = player.shown[player.shown.index("keyceremony: error: "):]
            self.assertIn("stopped by Ctrl-C (SIGINT) at a question", said)
            self.assertEqual(f"keyceremony resume {self.record}" in said, named, said)
            self.assertEqual("resume" in said, named, said)

    def test_the_terminate_signal_at_a_secret_prompt_loses_nothing_and_gives_the_echo_back(self):
        player = room.Player([(r"user PIN of token \"root-hsm\"", None)] + self.answers)
        self.addCleanup(player.stop)
        player.start("keyceremony", "run", SCRIPT, "--binding", self.place.binding, "--archive", self.place.archive)
        self.assertIsNone(player.play())
        self.assertFalse(player.echoes())
        player.send_signal(signal.SIGTERM)
        player.pump_until_over()
        self.assertTrue(player.echoes())
        self.assertEqual(player.reap(), 5)
        status, shown = self.resume()
        self.assertEqual(status, 0, shown[-2000:])
        self.assert_complete()


if __name__ == "__main__":
    unittest.main()
