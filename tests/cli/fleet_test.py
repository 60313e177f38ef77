#!/usr/bin/env python3
"""Tokens of a fleet: carried with their seals, upgraded, retired, looked at whole; and what a planner gets of it."""
import csv
import io
import json
import os
import subprocess
import unittest

from archive import SCRIPTS, SOFTHSM, SOURCE, Archive, Rehearsed, entries, rewrite, run
import room
import shares

SCRIPT = SCRIPTS / "smki-root-oca.ceremony.json"
TRANSPORT = SCRIPTS / "smki-transport.ceremony.json"
PEOPLE = {"administrator": 1, "security-officer": 1, "custodian": 3, "witness": 1}


class Fleet(Rehearsed):
    def script_with(self, name, steps, tokens=("root-hsm",), **section):
        """A small script of the smki estate, beside the shipped ones."""
        plan = {"format": "keyceremony-script/1", "id": name, "title": name, "estate": "smki.example", "purpose": "To try.",
                "policy": "smki.policy.json",
                "tokens": {token: {"role": "live", "domain": "organisation"} for token in tokens},
                "sections": [{"id": "all", "title": "All", **section,
                              "steps": [{"id": "attend", "do": "room.attend", "people": PEOPLE}, *steps]}]}
        return self.home.write(name, plan)


class ByVendor(Fleet):
    def test_a_token_that_its_makers_tool_initialises_is_rehearsed_with_one_that_is_initialised(self):
        script = self.script_with("vendor", [
            {"id": "commission", "do": "token.commission", "token": "root-hsm", "quorum": "custodians",
             "method": "vendor", "procedure": "partition set-up 4.2"},
            {"id": "verify", "do": "token.verify", "token": "root-hsm"}])
        self.rehearse(script)
        self.assert_complete("0001-vendor")
        self.assertEqual(self.token()["state"], "commissioned")
        observed, = self.seen("0001-vendor", "token-commissioned")
        self.assertEqual((observed["method"], observed["procedure"]), ("vendor", "partition set-up 4.2"))
        log = (self.archive / "0001-vendor" / "log.jsonl").read_text()
        self.assertNotIn("C_InitToken", log)
        self.assertNotIn("C_InitPIN", log)


class Custody(Fleet):
    def test_a_token_is_carried_over_two_legs_and_comes_as_it_went(self):
        self.rehearse()
        self.rehearse(TRANSPORT)
        self.assert_complete("0002-smki-transport")
        token = self.token()
        self.assertEqual((token["state"], token["site"], token["seals"]), ("in service", "Bristol", []))
        self.assertEqual([(leg["from"], leg["to"], leg["carrier"], leg["seals"]) for leg in token["legs"]],
                         [("Leeds", "Birmingham depot", "Northern Secure Carriers", ["SB100001", "SB100002"]),
                          ("Birmingham depot", "Bristol", "Severn Secure Carriers", ["SB100001", "SB100002"])])
        self.assertTrue(all(leg["arrived"] for leg in token["legs"]))
        self.assertEqual([entry["leg"] for entry in self.seen("0002-smki-transport", "custody")],
                         ["depart", "hand-over", "arrive"])

    def test_a_script_that_uses_a_token_on_its_way_or_sends_it_from_elsewhere_is_refused_at_the_desk(self):
        self.rehearse()
        depart = {"id": "depart", "do": "token.custody", "token": "root-hsm", "leg": "depart", "place": "Leeds", "to": "York",
                  "carrier": "Carriers"}
        arrive = {"id": "arrive", "do": "token.custody", "token": "root-hsm", "leg": "arrive", "place": "Hull"}
        script = self.script_with("wrong", [depart, {"id": "look", "do": "token.verify", "token": "root-hsm"}, arrive])
        status, out, _ = run("check", script, "--archive", self.archive, "--json")
        self.assertEqual(status, 1)
        self.assertEqual([(finding["rule"], finding["step"]) for finding in json.loads(out)["findings"]
                          if finding["severity"] == "breach"],
                         [("PLAN-TOKEN-05", "look"), ("EST-CUSTODY-03", "arrive")])


class CustodyInTheRoom(room.Room):
    """The seals as people read them."""

    def transport(self, *answers):
        status, shown = self.run_script()
        self.assertEqual(status, 0, shown[-2000:])
        usual = [(r"every printed script", "CONFIRM"),
                 (r"Put 2 new seals on[^└]*", "SB000001 SB000002"),
                 (r"Who travels with it", "Sam Driver"),
                 (r"number of the consignment note", "CN-1"),
                 (r"Read every seal on token root-hsm", ["none", "SB000001 SB000002", "SB000001 SB000002"])]
        return self.play("run", TRANSPORT, "--binding", self.place.binding, "--archive", self.place.archive,
                         first=[*answers, *usual])

    def findings(self):
        return [entry["rule"] for entry in entries(self.place.archive / "0002-smki-transport", type="refusal")]

    def test_a_seal_that_is_another_one_blocks_the_token(self):
        status, shown = self.transport(
            (r"Read every seal on token root-hsm", ["none", "SB000001 SB000002", "SB000001 SB000009"]),
            (r"Mend the cause, then decide", "pause the ceremony"))
        self.assertEqual(status, 1, shown[-2000:])
        self.assertIn("token root-hsm has the seals SB000001 SB000009, the estate knows it with SB000001 SB000002", shown)
        self.assertEqual(self.findings(), ["TOKEN-SEAL-01"])
        status, out, _ = run("status", self.place.archive, "--json")
        token = json.loads(out)["tokens"][0]
        self.assertEqual((token["state"], token["site"]), ("in transit", ""))

    def test_a_custodian_does_not_travel_with_the_hsm(self):
        # The refused attempt has read the seals of the departure once, and the next one reads them again.
        status, shown = self.transport((r"Read every seal on token root-hsm", ["none", "none", "SB000001 SB000002"]),
                                       (r"Who travels with it", ["Sam Driver, alice archer", "Sam Driver"]),
                                       (r"Mend the cause, then decide", "try again"))
        self.assertIn("Alice Archer is a custodian, and is to travel with token root-hsm", shown)
        self.assertEqual(self.findings()[0], "CUSTODY-PERSON-01")


class Upgrade(Fleet):
    def test_an_upgrade_shows_that_every_key_has_survived(self):
        self.rehearse()
        self.rehearse("smki-firmware-upgrade")
        record = "0002-smki-firmware-upgrade"
        self.assert_complete(record)
        self.assertEqual([entry["key"] for entry in self.seen(record, "key-survived")], ["root-oca"])
        before, after = self.seen(record, "firmware")
        self.assertEqual((before["when"], after["when"]), ("before", "after"))
        self.assertEqual(before["inventory"], after["inventory"])

    def test_keys_sign_where_the_policy_lets_them(self):
        script = self.home.script("smki-firmware-upgrade")
        script.write_text(script.read_text().replace('"public-key"', '"sign"'))
        self.rehearse()
        _, err = self.rehearse(script, expect=1)
        self.assert_says(err, "PLAN-PROOF-01")
        rewrite(self.scripts / "smki.policy.json", lambda policy: policy.update(statement_signing=True))
        self.rehearse(script)
        record = "0002-smki-firmware-upgrade"
        self.assertEqual([entry["proof"] for entry in self.seen(record, "key-survived")], ["sign"])
        signed = self.entries(record, type="done", fn="C_Sign")
        self.assertEqual([(entry["token"], entry["rv"]) for entry in signed], [("root-hsm", "CKR_OK")])


class Retire(Fleet):
    def test_a_token_with_the_last_copy_of_a_key_is_not_retired(self):
        self.rehearse()
        script = self.script_with("retire", [{"id": "retire", "do": "token.retire", "token": "root-hsm", "quorum": "custodians",
                                              "method": "zeroise", "reason": "old"}])
        _, err = self.rehearse(script, expect=1)
        self.assert_says(err, "EST-RETIRE-01", "token root-hsm holds the last copy of key root-oca, which is active")

    def test_a_token_is_zeroised_shown_empty_and_never_comes_back(self):
        commission = {"id": "commission", "do": "token.commission", "token": "spare", "quorum": "custodians", "shares": "custodians"}
        retire = {"id": "retire", "do": "token.retire", "token": "spare", "quorum": "custodians", "method": "zeroise", "reason": "old"}
        self.rehearse(self.script_with("spare", [commission, retire], tokens=["spare"]))
        self.assert_complete("0001-spare")
        self.assertEqual(self.token("spare")["state"], "retired")
        self.assertIsNone(self.token("spare")["shares"])
        zeroised, = self.seen("0001-spare", "token-zeroised")
        self.assertEqual(zeroised["object_count"], 0)
        log = map(json.loads, (self.archive / "0001-spare" / "log.jsonl").read_text().splitlines())
        made, wiped = (entry for entry in log if entry["type"] == "intent" and entry["fn"] == "C_InitToken")
        self.assertEqual(made["objects"], [])
        self.assertEqual(wiped["inventory"], "", "nobody has looked at what is wiped")
        self.assertNotIn("objects", wiped)
        status, out, err = run("replay", self.archive / "0001-spare")
        self.assertEqual(status, 0, out + err)
        again = self.script_with("again", [{"id": "look", "do": "token.verify", "token": "spare"}], tokens=["spare"])
        _, err = self.rehearse(again, expect=1)
        self.assert_says(err, "PLAN-TOKEN-05", "token spare is retired")

    def test_a_token_that_was_lost_is_retired_by_a_document(self):
        commission = {"id": "commission", "do": "token.commission", "token": "spare", "quorum": "custodians", "shares": "custodians"}
        retire = {"id": "retire", "do": "token.retire", "token": "spare", "quorum": "custodians", "method": "evidence",
                  "evidence": "documents/smki-root-oca-approval.txt", "reason": "shredded"}
        self.rehearse(self.script_with("lost", [commission, retire], tokens=["spare"]))
        self.assert_complete("0001-lost")
        self.assertEqual(self.token("spare")["state"], "retired")
        self.assertEqual((self.archive / "0001-lost" / "artefacts/documents/retire-smki-root-oca-approval.txt").read_bytes(),
                         (SOURCE / "scripts/documents/smki-root-oca-approval.txt").read_bytes())


class Look(Fleet):
    """token.verify looks at everything."""

    def look(self, pkcs11_tool):
        self.rehearse()
        pin = shares.pin_of(self.first, "root-hsm", "user", ["alice", "bob", "carol"], self.folder)
        environment = {"SOFTHSM2_CONF": str(self.archive / "rehearsal" / "softhsm2.conf"), "PATH": "/usr/bin:/bin"}
        for arguments in pkcs11_tool:
            subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "root-hsm", "--login", "--pin", pin, *arguments],
                           check=True, capture_output=True, env=environment)
        script = self.script_with("look", [{"id": "look", "do": "token.verify", "token": "root-hsm"}])
        _, err = self.rehearse(script, expect=1)
        found, = self.seen("0002-look", "token-findings")
        return err, [finding["rule"] for finding in found["findings"]]

    def test_every_stranger_is_a_finding_and_a_known_key_is_named(self):
        public = str(self.folder / "public.der")
        err, rules = self.look([
            ["--keypairgen", "--key-type", "EC:prime256v1", "--label", "stranger", "--id", "99"],
            ["--read-object", "--type", "pubkey", "--label", "root-oca", "--output-file", public],
            ["--write-object", public, "--type", "pubkey", "--label", "innocent", "--id", "77"]])
        self.assertEqual(sorted(rules), ["TOKEN-COPY-02", "TOKEN-OBJECT-01", "TOKEN-OBJECT-01"])
        self.assert_says(err, "more findings")

    def test_a_key_that_is_gone_is_a_finding(self):
        err, rules = self.look([["--delete-object", "--type", "privkey", "--label", "root-oca"]])
        self.assertEqual(rules, ["TOKEN-OBJECT-02"])
        self.assert_says(err, "lacks the private key of root-oca")


class Planner(Fleet):
    def test_what_is_due_goes_into_a_calendar_and_a_table(self):
        self.rehearse()
        self.rehearse(TRANSPORT)
        calendar, table = self.folder / "due.ics", self.folder / "due.csv"
        due = self.status("--at", "2099-01-01", "--ics", calendar, "--csv", table)["due"]
        self.assertEqual([(item["what"], item["subject"], item["overdue"]) for item in due],
                         [("renew the certificate", "root-oca", True)])
        rows = list(csv.DictReader(io.StringIO(table.read_bytes().decode(), newline="")))
        self.assertEqual([(row["what"], row["subject"], row["by"]) for row in rows],
                         [(item["what"], item["subject"], item["by"]) for item in due])
        text = calendar.read_bytes().decode()
        self.assertEqual(text.count("BEGIN:VEVENT\r\n"), len(due))
        self.assertIn("SUMMARY:OVERDUE: renew the certificate root-oca\r\n", text)
        self.assertTrue(all(len(line.encode()) <= 75 for line in text.split("\r\n")))

    def test_a_planners_file_that_cannot_be_written_is_left_as_it_was(self):
        self.rehearse()
        taken = self.folder / "due.ics"
        taken.write_text("of last month")
        full = ["bash", "-c", 'ulimit -f 0; trap "" XFSZ; exec keyceremony status "$0" --ics "$1"', self.archive, taken]
        done = subprocess.run(full, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, taken.read_text()), (4, "of last month"), done.stderr)
        missing = self.folder / "no" / "due.csv"
        status, _, err = run("status", self.archive, "--csv", missing)
        self.assertEqual(status, 4, err)
        self.assert_says(err, "due.csv", "No such file or directory")
        status, _, err = run("status", self.archive, "--csv", "/dev/null")
        self.assertEqual(status, 1, err)
        self.assert_says(err, "/dev/null is no regular file", "OUT-FILE-01")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["archive", "due.ics", "scripts"])
        self.status("--ics", taken)
        self.assert_says(taken.read_text(), "BEGIN:VCALENDAR")

    def test_a_rate_gives_a_forecast_and_a_wrong_day_is_refused(self):
        self.rehearse()
        forecast, = self.status("--forecast", "242000")["forecast"]
        self.assertEqual((forecast["use"], forecast["minutes"], forecast["held"]), ("issuing", 17851, 58))
        status, _, err = run("status", self.archive, "--at", "2026-02-30")
        self.assertEqual(status, 2)
        self.assert_says(err, "2026-02-30")

    def test_a_record_is_no_archive(self):
        self.rehearse()
        record = next(self.archive.glob("0001-*"))
        status, out, err = run("status", record)
        self.assertEqual((status, out), (2, ""))
        self.assert_says(err, "is one record")


class Presence(Fleet):
    def test_check_shows_which_section_needs_which_token(self):
        self.rehearse()
        status, out, err = run("check", TRANSPORT, "--archive", self.archive)
        self.assertEqual(status, 0, err)
        self.assert_says(out, "Tokens, section by section", "  Departure from Leeds  needed\n", "  Closing               -\n")


class BadDays(Fleet):
    """`rehearse --faults`: the ceremony stops as it would, and is gone on with."""

    def play(self, faults, expect):
        return self.rehearse("smki-root-oca", "--faults", faults, expect=expect)[1]

    def resume(self):
        status, _, err = run("resume", self.first, "--unattended")
        self.assertEqual(status, 0, err)
        self.assert_complete()

    def failed(self):
        return [(entry["id"], entry["error"].get("rv")) for entry in self.entries(1, type="step", phase="failed")]

    def test_the_shipped_bad_day_stops_where_its_first_fault_is(self):
        err = self.play(SOURCE / "scripts/faults/smki-root-oca.faults.json", 1)
        self.assert_says(err, "TOKEN-LOGIN-01", "resume")
        self.assertEqual([step for step, _ in self.failed()], ["verify-new"])
        self.resume()

    def test_a_token_that_refuses_a_template_stops_the_step_and_the_next_try_is_a_new_one(self):
        err = self.play(self.home.faults({"what": "refuses", "step": "generate-root", "token": "root-hsm", "function": "C_GenerateKeyPair",
                                     "answer": "CKR_TEMPLATE_INCONSISTENT"}), 3)
        self.assert_says(err, "CKR_TEMPLATE_INCONSISTENT", "resume")
        self.assertEqual(self.failed(), [("generate-root", "CKR_TEMPLATE_INCONSISTENT")])
        self.resume()

    def test_a_token_that_is_pulled_costs_nothing_but_time(self):
        err = self.play(self.home.faults({"what": "pulled", "step": "certify-root", "token": "root-hsm", "after": 4}), 3)
        self.assert_says(err, "CKR_DEVICE_REMOVED", "resume")
        self.assertEqual([step for step, _ in self.failed()], ["certify-root"])
        self.resume()

    def test_a_slow_token_is_only_slow(self):
        self.play(self.home.faults({"what": "slow", "step": "verify-new", "token": "root-hsm", "milliseconds": 3}), 0)
        self.assert_complete()

    def test_a_file_is_read_strictly_and_held_against_the_script(self):
        slow = {"what": "slow", "step": "verify-new", "token": "root-hsm", "milliseconds": 3}
        for wrong, says in (({**slow, "step": "verify-nwe"}, "has no step verify-nwe"), ({**slow, "token": "hsm"}, "has no token hsm"),
                            ({**slow, "answer": "CKR_OK"}, "answer"), ({**slow, "milliseconds": 0}, "milliseconds")):
            self.assert_says(self.play(self.home.faults(wrong), 2), says)
        self.assertFalse(self.archive.exists())


class Probe(room.Room):
    def test_a_token_is_tried_with_a_pin_that_is_typed_and_nothing_stays_on_it(self):
        def objects():
            return sorted(path.name for path in (self.folder / "tokens").rglob("*.object"))
        before = objects()
        status, shown = self.play("token", "probe", "--binding", self.place.binding, "--token", "record", "--script", SCRIPT)
        self.assertEqual(status, 0, shown)
        for line in ("works    make EC P-256 keys and sign with them", "works    make RSA 4096 keys and sign with them",
                     "works    keep a key that may not leave", "runs"):
            self.assertIn(line, shown)
        self.assertNotIn(room.PIN + "record", shown)
        self.assertEqual(objects(), before)

    def test_ctrl_c_at_the_pin_ends_it_and_gives_the_echo_back(self):
        player = room.Player([(r"user PIN of", None)])
        self.addCleanup(player.stop)
        player.start("keyceremony", "token", "probe", "--binding", self.place.binding, "--token", "record")
        self.assertIsNone(player.play())
        self.assertFalse(player.echoes())
        os.write(player.fd, b"\x03")
        player.pump_until_over()
        self.assertTrue(player.echoes())
        self.assertEqual(player.reap(), 5)
        self.assertIn("stopped by Ctrl-C (SIGINT) at a question", player.shown)
        self.assertNotIn("resume", player.shown)

    def test_ctrl_c_while_it_tries_waits_for_the_call_and_leaves_nothing_on_the_token(self):
        # The trials take as long as it takes to find primes: on some days they are over before the key is pressed.
        for _ in range(20):
            status, shown = self.probe_and_stop()
            if status != 0:
                break
        self.assertEqual(status, 5, shown)
        self.assertIn("stopped between two trials", shown)

    def probe_and_stop(self):
        """Types the PIN, and Ctrl-C as soon as the trials begin; returns exit status and what was shown."""
        player = room.Player([(r"user PIN of", room.PIN + "record")])
        self.addCleanup(player.stop)
        player.start("keyceremony", "token", "probe", "--binding", self.place.binding, "--token", "record")
        while "(typed)" not in player.shown:
            if player.shown.endswith(room.PROMPT) and "(typed)" not in player.shown:
                os.write(player.fd, (room.PIN + "record\r").encode())
            player.pump(0.05)
        os.write(player.fd, b"\x03")
        return player.play(), player.shown

    def test_without_a_terminal_only_the_claims_are_told(self):
        status, out, err = run("token", "probe", "--binding", self.place.binding, "--token", "record", "--claims", "--json")
        self.assertEqual(status, 0, err)
        sheet = json.loads(out)
        self.assertEqual((sheet["format"], sheet["tried"]), ("keyceremony-capabilities/1", False))
        self.assertIn("CKM_EC_KEY_PAIR_GEN", sheet["mechanisms"])
        self.assertEqual(run("token", "probe", "--binding", self.place.binding, "--token", "record")[0], 2)


    def test_a_script_is_held_to_the_sheet_of_a_token_that_is_not_here(self):
        _, out, _ = run("token", "probe", "--binding", self.place.binding, "--token", "record", "--claims", "--json")
        sheet = self.folder / "sheet.json"
        sheet.write_text(out)
        def found(expect):
            status, out, err = run("check", SCRIPT, "--capabilities", f"root-hsm={sheet}", "--json")
            self.assertEqual(status, expect, out + err)
            return [(each["rule"], each["message"]) for each in json.loads(out)["findings"] if each["rule"].startswith("PLAN-MECH")]
        self.assertEqual(found(0), [("PLAN-MECH-02", "the sheet of token root-hsm has only what it claims")])
        poorer = json.loads(sheet.read_text())
        poorer["mechanisms"].remove("CKM_ECDSA")
        sheet.write_text(json.dumps(poorer))
        rule, message = found(1)[0]
        self.assertEqual(rule, "PLAN-MECH-01")
        self.assertTrue(message.startswith("token root-hsm does not have CKM_ECDSA, which is needed to sign"), message)
        # Whose sheet it is must be said, or known by the serial.
        status, _, err = run("check", SCRIPT, "--capabilities", sheet)
        self.assertEqual((status, "TOKEN=FILE" in err), (2, True), err)
        status, _, err = run("check", SCRIPT, "--capabilities", f"another={sheet}")
        self.assertEqual((status, "the script has no token another" in err), (2, True), err)
        poorer["tried"] = "no"
        sheet.write_text(json.dumps(poorer))
        self.assertEqual(run("check", SCRIPT, "--capabilities", f"root-hsm={sheet}")[0], 2)


class Comparison(Fleet):
    def test_two_runs_of_one_script_have_the_same_results_and_a_bad_day_shows(self):
        archives = [Archive(self) for _ in range(3)]
        first, second, third = (archive.path / "0001-smki-root-oca" for archive in archives)
        for archive, *faults in ((archives[0],), (archives[1],), (archives[2], "--faults", SCRIPTS / "faults/smki-root-oca.faults.json")):
            self.assertEqual(archive.rehearse("smki-root-oca", *faults)[0], 1 if faults else 0)
        status, out, err = run("compare", first, second, "--json")
        self.assertEqual(status, 0, out + err)
        compared = json.loads(out)
        self.assertTrue(compared["same_script"] and compared["same_results"])
        step = next(step for step in compared["steps"] if step["id"] == "generate-root")
        self.assertIn("C_GenerateKeyPair CKM_EC_KEY_PAIR_GEN CKR_OK", step["first"]["results"][0])
        self.assertGreater(step["first"]["calls"]["count"], 0)
        status, out, _ = run("compare", first, third)
        self.assertEqual(status, 1)
        self.assert_says(out, "verify-new", "DIFFERS", 'came to "end" against "failed"', "only the first record has it")
        # A token that the ceremony took into service had no serial number when it began.
        self.assertIn(f"root-hsm (serial {archives[0].status()['tokens'][0]['serial']})", out.splitlines()[0])


if __name__ == "__main__":
    unittest.main()
