#!/usr/bin/env python3
"""What a custodian does alone, and credentials of every kind in a production ceremony, typed at a terminal."""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import unittest

from archive import run
import room
from room import SCRIPT
import shares

PASSPHRASE = "four words nobody guesses"


class Custodian(room.Room):
    def setUp(self):
        super().setUp()
        self.stick = self.folder / "stick"
        self.stick.mkdir()
        self.answers.append((r"Is\s+(?:│\s+)?that\s+(?:│\s+)?right\?", "yes"))

    def refused(self):
        return [(entry["rule"], entry.get("person")) for entry in self.entries("refusal")]

    def make(self, person, *more, answers=None, **environment):
        """`custodian new`; its keys go into the roster. Returns the folder."""
        out = self.folder / "new" / person
        out.parent.mkdir(exist_ok=True)
        status, shown = self.play("custodian", "new", "--estate", "smki.example", "--id", person, "--name",
                                  person.title(), "--out", out, *more,
                                  first=answers or [(r"passphrase for your credential|same once more", PASSPHRASE)],
                                  **environment)
        self.assertEqual(status, 0, shown[-2000:])
        made = json.loads((out / "person.json").read_text())
        roster = json.loads(self.place.roster.read_text())
        for entry in roster["people"]:
            if entry["id"] == person:
                entry.update(sign_key=made["sign_key"], open_key=made["open_key"])
        self.place.roster.write_text(json.dumps(roster))
        return out, shown

    def bind(self, person, credential):
        self.place.bound["credentials"][person] = credential
        self.place.write_binding()

    def sign_request(self, request, credential, *more, status=0, first=()):
        """`custodian approve` on the custodian's own machine."""
        done, shown = self.play("custodian", "approve", request, "--credential", credential, *more,
                                first=list(first) + [(r"passphrase of your credential", PASSPHRASE)])
        self.assertEqual(done, status, shown[-3000:])
        return shown


class Alone(Custodian):
    def test_new_makes_two_keys_that_openssl_opens_and_a_person_file_without_a_secret(self):
        out, shown = self.make("alice")
        self.assertEqual(sorted(path.name for path in out.iterdir()), ["open.pem", "person.json", "sign.pem"])
        person = json.loads((out / "person.json").read_text())
        self.assertEqual(sorted(person), ["estate", "format", "id", "name", "open_key", "sign_key"])
        for use in ("sign", "open"):
            self.assertEqual((out / f"{use}.pem").stat().st_mode & 0o777, 0o600)
            public = room.tool("openssl", "pkey", "-in", out / f"{use}.pem", "-passin", "pass:" + PASSPHRASE, "-pubout",
                               "-outform", "DER")
            self.assertEqual(base64.b64encode(public).decode(), person[f"{use}_key"])
            digest = hashlib.sha256(public).hexdigest()
            for start in range(0, 64, 8):
                self.assertIn(digest[start:start + 8], shown)
        self.assertNotIn(PASSPHRASE, shown)
        again = run("custodian", "show", out / "person.json")[1]
        self.assertIn("smki.example", again)
        self.assertIn(digest[:8], again)

    def test_new_overwrites_nothing_and_takes_no_short_passphrase(self):
        out, _ = self.make("alice")
        before = {path.name: path.read_bytes() for path in out.iterdir()}
        status, shown = self.play("custodian", "new", "--estate", "smki.example", "--id", "alice", "--name", "Alice",
                                  "--out", out)
        self.assertEqual(status, 1)
        self.assertIn("OUT-FILE-01", shown)
        self.assertEqual({path.name: path.read_bytes() for path in out.iterdir()}, before)
        player = room.Player([(r"Type the new passphrase for your credential: at least 12 characters", ["", None]),
                              (r"Nothing was typed\.", "short"), (r"shorter than 12", None)])
        self.addCleanup(player.stop)
        player.start("keyceremony", "custodian", "new", "--estate", "e", "--id", "a", "--name", "A", "--out",
                     self.folder / "b")
        player.play()
        self.assertIn("shorter than 12", player.shown)

    def new_on_a_card(self, out, answers):
        self.place.make_token("alice-card")
        return self.play("custodian", "new", "--estate", "smki.example", "--id", "alice", "--name", "Alice", "--out", out,
                         "--card", room.SOFTHSM, "--label", "alice-card", first=answers,
                         SOFTHSM2_CONF=str(self.place.conf))

    def test_a_folder_that_cannot_be_written_is_found_out_before_a_card_makes_keys(self):
        status, shown = self.new_on_a_card("/proc/self/task", [(r"PIN of your card", None)])
        self.assertEqual(status, 4, shown)
        self.assertIn("/proc/self/task/person.json", shown)

    def test_keys_that_stay_on_a_card_without_a_person_file_are_named(self):
        out = self.folder / "new"

        def taken(_):
            (out / "person.json").write_text("made by somebody else meanwhile")
            return room.PIN + "alice-card"

        status, shown = self.new_on_a_card(out, [(r"PIN of your card", taken)])
        self.assertEqual(status, 1, shown)
        for key in ("sign", "open"):
            for half in ("public", "private"):
                self.assertIn(f"the card now has {half} key \"keyceremony {key} alice\" (id ", " ".join(shown.split()))
        self.assertIn("remove what is left on the card", shown)
        self.assertEqual([path.name for path in out.iterdir()], ["person.json"])

    def test_ctrl_c_speaks_of_no_record(self):
        player = room.Player([(r"passphrase for your credential", None)])
        self.addCleanup(player.stop)
        player.start("keyceremony", "custodian", "new", "--estate", "e", "--id", "a", "--name", "A", "--out",
                     self.folder / "new")
        self.assertIsNone(player.play())
        os.write(player.fd, b"\x03")
        self.assertEqual(player.play(), 5)
        self.assertIn("stopped by Ctrl-C (SIGINT) at a question", player.shown)
        self.assertNotIn("resume", player.shown)
        self.assertEqual(list((self.folder / "new").iterdir()), [])

    def test_usage_is_told_plainly(self):
        for arguments, message in (
                (["approve", "x.json"], "no credential was named"),
                (["approve", "x.json", "--card", "/m.so", "--label", "L"], "--card needs --person"),
                (["show", str(self.place.binding)], "is none of a custodian's files")):
            status, _, err = run("custodian", *arguments)
            self.assertEqual(status, 2, err)
            self.assertIn(message, err)


class InTheRoom(Custodian):
    def test_a_custodian_approves_offline_and_her_machine_follows_the_record(self):
        credential, _ = self.make("alice")
        self.bind("alice", {"offline": True})
        requests = []

        def sign(match):
            request = pathlib.Path(match.group(1) + ".json")
            shown = self.sign_request(request, credential)
            requests.append(shown)
            kept = self.folder / f"request-{len(requests)}.json"
            shutil.copy(request, kept)
            return match.group(1) + ".signed"

        status, shown = self.run_script(first=[
            (r"In which folder", str(self.stick)),
            (r"Written:\s+(\S+)\.json.*Your signature", sign),
        ])
        self.assertEqual(status, 0, shown[-3000:])
        self.assert_complete()
        self.assertEqual({entry["person"] for entry in self.entries("cosign")}, {"alice", "bob"})
        self.assertGreaterEqual(len(requests), 4)
        self.assertIn("This machine has seen nothing of this record before", requests[0])
        self.assertIn("It extends the", requests[1])
        self.assertIn("Open the ceremony smki-root-oca", requests[0])
        # Her machine does not go back, and shows no words that the record does not hold.
        self.assertIn("CRED-15", self.sign_request(self.folder / "request-1.json", credential, status=1))
        forged = (self.folder / "request-1.json").read_text().replace("Open the ceremony", "Opem the ceremony")
        (self.folder / "forged.json").write_text(forged)
        self.assertIn("CRED-14", self.sign_request(self.folder / "forged.json", credential, status=1))
        seen = json.loads((credential / "seen.json").read_text())
        self.assertEqual(len(seen["seen"]), 1)
        shown = run("custodian", "show", self.folder / "request-1.json")[1]
        self.assertIn("Open the ceremony smki-root-oca", shown)
        text = sorted(self.stick.glob("*.approval.txt"))[0]
        for arguments, hint in ((["approve", text, "--credential", credential], f"give {text.stem}.json"),
                                (["show", credential], f"did you mean {credential}/person.json?")):
            done = subprocess.run(["keyceremony", "custodian", *map(str, arguments)], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(hint, done.stderr)

    def test_openssl_alone_is_enough_to_approve(self):
        self.bind("alice", {"offline": True})
        pem = self.folder / "people" / "alice" / "sign.pem"

        def sign(match):
            text = match.group(1) + ".txt"
            signature = room.tool("openssl", "dgst", "-sha256", "-sign", pem, "-passin",
                                  "pass:" + self.place.secrets["alice"], text)
            return base64.b64encode(signature).decode()

        status, shown = self.run_script(first=[
            (r"In which folder", str(self.stick)),
            (r"Written:\s+(\S+)\.json.*Your signature", sign),
        ])
        self.assertEqual(status, 0, shown[-3000:])
        self.assert_complete()

    def test_what_is_brought_back_wrong_is_named_recorded_and_may_be_brought_again(self):
        self.bind("alice", {"offline": True})
        pem = self.folder / "people" / "alice" / "sign.pem"
        texts = []

        def signature(person, text):
            return base64.b64encode(room.tool("openssl", "dgst", "-sha256", "-sign",
                                              self.folder / "people" / person / "sign.pem", "-passin",
                                              "pass:" + self.place.secrets[person], text)).decode()

        def sign(match):
            text = pathlib.Path(match.group(1) + ".txt") if match.group(1) else texts[-1]  # the request is not written anew
            texts.append(text)
            if len(texts) == 2:  # the one of before
                return signature("alice", texts[0])
            if len(texts) == 3:  # somebody else's key
                return signature("bob", text)
            if len(texts) == 4:
                return "I approve"
            return signature("alice", text)

        status, shown = self.run_script(first=[
            (r"In which folder", ["/nonexistent", str(self.stick)]),
            (r"(?:Written:\s+(\S+)\.json.*)?Your signature", sign),
            (r"What now\?", "try again"),
        ])
        self.assertEqual(status, 0, shown[-3000:])
        self.assert_complete()
        self.assertEqual(self.refused(), [("CRED-08", "alice"), ("CRED-06", "alice"), ("", "alice")])
        self.assertIn("There is no folder /nonexistent.", shown)
        self.assertEqual(shown.count("In which folder"), len(set(texts)) + 1)
        self.assertTrue(pem.exists())

    def test_a_card_approves_on_the_module_of_the_tokens_and_its_calls_are_not_the_ceremonys(self):
        serial = self.place.make_token("alice-card")
        card = ("--card", room.SOFTHSM, "--label", "alice-card")
        _, shown = self.make("alice", *card, answers=[(r"PIN of your card", room.PIN + "alice-card")],
                             SOFTHSM2_CONF=str(self.place.conf))
        self.assertIn("stay on your card", shown)
        self.bind("alice", {"module": room.SOFTHSM, "label": "alice-card", "serial": serial,
                            "environment": {"SOFTHSM2_CONF": str(self.place.conf)}})
        status, shown = self.run_script(first=[
            (r"PIN of your card", ["wrong", room.PIN + "alice-card"]),
            (r"What now\?", "try again"),
        ])
        self.assertEqual(status, 0, shown[-3000:])
        self.assert_complete()
        self.assertEqual(self.refused(), [("CRED-09", "alice")])
        self.assertIn("wrong PIN for the card of Alice Archer", shown)
        log = (self.record / "log.jsonl").read_text()
        self.assertNotIn(room.PIN + "alice-card", log + shown)
        self.assertNotIn("alice-card", "".join(json.dumps(entry) for entry in self.entries("intent")))
        self.assertEqual({entry["person"] for entry in self.entries("cosign")}, {"alice", "bob"})

    def test_a_card_that_is_pulled_while_its_pin_is_typed_signs_nothing_and_somebody_else_approves(self):
        serial = self.place.make_token("alice-card")
        self.make("alice", "--card", room.SOFTHSM, "--label", "alice-card",
                  answers=[(r"PIN of your card", room.PIN + "alice-card")], SOFTHSM2_CONF=str(self.place.conf))
        self.bind("alice", {"module": room.SOFTHSM, "label": "alice-card", "serial": serial,
                            "environment": {"SOFTHSM2_CONF": str(self.place.conf)}})
        card = next(path for path in (self.folder / "tokens").iterdir() if b"alice-card" in (path / "token.object").read_bytes())
        away = self.folder / "pulled"
        pulled = []

        def pull(_):
            if not pulled:
                pulled.append(card.rename(away))
            return room.PIN + "alice-card"

        def put_back(_):
            if not away.exists():
                return "give up"  # SoftHSM forgets a token that it has missed until it is loaded again
            away.rename(card)
            return "try again"

        status, shown = self.run_script(first=[(r"PIN of your card", pull), (r"What now\?", put_back)])
        self.assertEqual(status, 0, shown[-3000:])
        self.assert_complete()
        refused = self.entries("refusal")
        self.assertEqual({entry["person"] for entry in refused}, {"alice"})
        self.assertIn("CRED-10", [entry.get("rule") for entry in refused])
        cosigned = [entry["person"] for entry in self.entries("cosign")]
        self.assertEqual(cosigned[:2], ["bob", "carol"])

    def test_three_wrong_passphrases_are_recorded_and_somebody_else_approves(self):
        wrong = iter(["wrong"] * 3)
        status, shown = self.run_script(first=[
            (r"passphrase of your credential \S*people/alice/",
             lambda match: next(wrong, self.place.secrets["alice"])),
        ])
        self.assertEqual(status, 0, shown[-3000:])
        self.assert_complete()
        self.assertEqual(self.refused(), [("CRED-03", "alice")])
        self.assertIn("Alice Archer has not signed: 3 wrong passphrases", shown)
        first = [entry["person"] for entry in self.entries("cosign")][:2]
        self.assertEqual(first, ["bob", "carol"])


class SharesElsewhere(Custodian):
    """Alice's keys never touch the machine in the room: she approves and opens her share on another."""

    def setUp(self):
        super().setUp()
        self.credential, _ = self.make("alice")
        self.bind("alice", {"offline": True})
        self.open_with_shares()
        self.requests = []

    def open_share(self, request, *more, status=0, credential=None):
        """`custodian open-share` on the holder's own machine."""
        done, shown = self.play("custodian", "open-share", request, "--credential", credential or self.credential, *more,
                                first=[(r"passphrase of your credential", PASSPHRASE)])
        self.assertEqual(done, status, shown[-3000:])
        return shown

    def keep(self, request):
        kept = self.folder / f"kept-{len(self.requests)}.share-request.json"
        shutil.copy(request, kept)
        self.requests.append(kept)
        return kept

    def hand_over(self, match):
        request = pathlib.Path(match.group(1))
        self.keep(request)
        self.shown_in_the_room = match.group(0)
        self.shown_at_home = self.open_share(request)
        return str(request).replace(".share-request.json", ".share-answer.json")

    def sign(self, match):
        self.sign_request(pathlib.Path(match.group(1) + ".json"), self.credential)
        return match.group(1) + ".signed"

    def in_the_room(self, answer=None, first=()):
        return self.run_script(first=list(first) + [
            (r"In which folder", str(self.stick)),
            (r"Written:\s+(\S+\.share-request\.json).*Your answer", answer or self.hand_over),
            (r"Written:\s+(\S+)\.json.*Your signature", self.sign),
        ])

    def observed(self, what):
        return [entry for entry in self.entries("observe") if entry["what"] == what]

    def pem(self):
        """Her opening key without its passphrase, as only she has it."""
        out = self.folder / "plain.pem"
        room.tool("openssl", "pkey", "-in", self.credential / "open.pem", "-passin", "pass:" + PASSPHRASE, "-out", out)
        return out

    def test_a_share_is_opened_on_another_machine_and_both_show_the_same_words(self):
        status, shown = self.in_the_room()
        self.assertEqual(status, 0, shown[-3000:])
        self.assert_complete()
        asked, handed = self.observed("share-asked-elsewhere"), self.observed("share-handed-over")
        self.assertEqual([entry["request"] for entry in asked], [entry["request"] for entry in handed])
        self.assertGreaterEqual(len(asked), 3)  # confirmed, and given for two logins
        self.assertEqual({entry["person"] for entry in asked}, {"alice"})
        for entry, request in zip(asked, self.requests):
            self.assertEqual(entry["request"], shares.digest_of_request(json.loads(request.read_text())))
        for start in range(0, 64, 8):
            self.assertIn(asked[-1]["request"][start:start + 8], self.shown_in_the_room)
            self.assertIn(asked[-1]["request"][start:start + 8], self.shown_at_home)
        self.assertIn("alice", self.observed("shares-contributed")[0]["people"])
        # Her share is in no file and on no screen.
        share = json.loads(self.requests[0].read_text())
        secret = shares.open_salted(json.loads(base64.b64decode(share["share"])), "user", self.pem(), self.folder)[16:]
        for said in (shown, self.shown_at_home):
            self.assertNotIn(secret.hex(), said)
            self.assertNotIn(base64.b64encode(secret).decode(), said)
        for path in [*self.place.archive.rglob("*"), *self.stick.rglob("*")]:
            if path.is_file():
                self.assertNotIn(secret, path.read_bytes(), path)
        self.look_at_the_files()

    def look_at_the_files(self):
        """`custodian show` on what lies about now."""
        def show(*arguments):
            return run("custodian", "show", *arguments)[1]
        file, = (self.record / "artefacts" / "shares" / "root-hsm").glob("*/alice.share.json")
        self.assertIn("a sealed share of a token's PINs", show(file))
        self.assertIn("good: it opens token root-hsm now", show(file, "--archive", self.place.archive))
        other = json.loads(file.read_text())
        other["set"] = "0" * 32
        (self.folder / "other.json").write_text(json.dumps(other))
        self.assertIn("none of this archive's", show(self.folder / "other.json", "--archive", self.place.archive))
        self.assertIn("a request to open your share", show(self.requests[-1]))
        answer, = self.stick.glob("*.share-answer.json")
        self.assertIn("a share on its way", show(answer))
        # Her machine refuses what does not fit.
        self.assertIn("SHARE-HAND-05", self.open_share(self.requests[-1], "--share", self.folder / "other.json", status=1))
        self.assertIn("CRED-15", self.open_share(self.requests[-1], status=1))  # the record has grown since
        fresh = ["--seen", self.folder / "fresh.json"]
        behind_its_back = json.loads(self.requests[-1].read_text())
        behind_its_back["step"] = "another-step"
        swapped = self.folder / "swapped.share-request.json"
        swapped.write_text(json.dumps(behind_its_back))
        self.assertIn("SHARE-HAND-06", self.open_share(swapped, *fresh, status=1))
        self.assertIn("SHARE-HAND-06", run("custodian", "show", swapped)[2])
        del behind_its_back["record"]
        swapped.write_text(json.dumps(behind_its_back))
        self.assertIn("CRED-14", self.open_share(swapped, *fresh, status=1))
        bobs, _ = self.make("bob")
        self.assertIn("SHARE-HOLDER-01", self.open_share(self.requests[-1], status=1, credential=bobs))

    def test_another_program_may_answer_and_what_is_brought_back_wrong_is_named_and_asked_for_anew(self):
        answers = []

        def answer(match):
            request = self.keep(pathlib.Path(match.group(1)))
            answers.append(shares.answer_request(request, self.pem(), self.folder))
            if len(answers) == 2:  # that of the first request once more
                return answers[0]
            if len(answers) == 3:
                changed = json.loads(answers[2])
                half = changed["user"]
                half["ciphertext"] = ("B" if half["ciphertext"][0] == "A" else "A") + half["ciphertext"][1:]
                path = self.stick / "changed.share-answer.json"
                path.write_text(json.dumps(changed))
                return str(path)
            return answers[-1]

        status, shown = self.in_the_room(answer, first=[(r"What now\?", "try again")])
        self.assertEqual(status, 0, shown[-3000:])
        self.assert_complete()
        self.assertEqual(self.refused(), [("SHARE-HAND-01", "alice"), ("SHARE-HAND-03", "alice")])
        requests = [entry["request"] for entry in self.observed("share-asked-elsewhere")]
        self.assertEqual(len(set(requests)), len(requests))


class OwnCopies(Custodian):
    def test_a_share_file_that_is_gone_from_the_archive_is_read_from_the_holders_stick(self):
        self.open_with_shares()
        copy = self.stick / "mine.json"

        def lose(_):
            if not copy.exists():
                file, = (self.record / "artefacts" / "shares" / "root-hsm").glob("*/alice.share.json")
                bobs = file.with_name("bob.share.json")
                shutil.copy(file, copy)
                shutil.copy(bobs, self.stick / "bobs.json")
                file.unlink()
            return "give"

        copies = iter([str(self.stick / "bobs.json"), str(copy)])
        status, shown = self.run_script(first=[
            (r"Alice Archer[^┌]*Do you give your share", lose),
            (r"Have you a copy of your share file", "use my copy"),
            (r"Where is it\?", lambda _: next(copies, str(copy))),
        ])
        self.assertEqual(status, 1, shown[-3000:])  # at the end a file of the record is missing
        self.assertEqual(self.refused()[:2], [("SHARE-FILE-01", "alice"), ("SHARE-HOLDER-01", "alice")])
        given = [entry["people"] for entry in self.entries("observe") if entry["what"] == "shares-contributed"]
        self.assertEqual(given[0], ["alice", "bob"])


class MixedRehearsal(Custodian):
    def test_who_is_real_and_who_is_played_stands_in_the_record(self):
        archive = self.folder / "rehearsed"
        player = room.Player([(r".", None)])
        self.addCleanup(player.stop)
        self.assertIsNone(player.start("keyceremony", "rehearse", SCRIPT, "--archive", archive).play())
        player.stop()
        for begun in archive.glob("0*"):
            shutil.rmtree(begun)
        # From now on Alice is real: her key is under a passphrase.
        alice = archive / "rehearsal" / "people" / "alice"
        room.tool("openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", alice / "sign.pem", "-out",
                  alice / "real.pem", "-passout", "pass:" + PASSPHRASE)
        os.replace(alice / "real.pem", alice / "sign.pem")
        status, shown = self.play("rehearse", SCRIPT, "--archive", archive, first=[
            (r"passphrase of your credential", PASSPHRASE)])
        self.assertEqual(status, 0, shown[-3000:])
        self.record = archive / "0001-smki-root-oca"
        marks = {(kind, entry["person"]): entry.get("simulated") for kind in ("attend", "cosign")
                 for entry in self.entries(kind)}
        self.assertEqual(marks["attend", "alice"], None)
        self.assertEqual(marks["cosign", "alice"], None)
        self.assertEqual(marks["attend", "bob"], True)
        self.assertEqual(marks["cosign", "bob"], True)
        self.assertEqual(marks["attend", "wendy"], True)


if __name__ == "__main__":
    unittest.main()
