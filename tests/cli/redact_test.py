#!/usr/bin/env python3
"""What is published of a record, and what is sealed for one recipient: `redact` and `restore`."""
import base64
import collections
import hashlib
import json
import shutil
import unittest

from archive import SCRIPTS, Archive, rewrite, run, scratch, steps_of, verified
import room
import verify_bundle
import verify_rules

RULES = SCRIPTS / "smki.redaction.json"
PASSPHRASE = "correct horse battery staple"


def tree(top):
    return {str(path.relative_to(top)): path.read_bytes() for path in sorted(top.rglob("*")) if path.is_file()}


class Redaction(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.held = Archive(cls)
        status, _, err = cls.held.rehearse("smki-root-oca")
        assert status == 0, err
        cls.record, cls.roster = cls.held.record(1), cls.held.roster
        cls.log = cls.held.entries(1)

    def setUp(self):
        self.folder = scratch(self)
        self.bundle = self.folder / "bundle"

    def rules(self, change=lambda rules: None):
        rules = json.loads(RULES.read_text())
        change(rules)
        path = self.folder / "rules.json"
        path.write_text(json.dumps(rules))
        return path

    def redact(self, rules=RULES, *more, record=None, expect=0):
        status, out, err = run("redact", record or self.record, "--rules", rules, "--roster", self.roster, "--out", self.bundle, *more)
        self.assertEqual(status, expect, out + err)
        return out if expect == 0 else err

    def refused(self, rule, *arguments, left=(), **more):
        """The refusal, and that nothing was left behind."""
        error = self.redact(*arguments, expect=1, **more)
        self.assertIn(f"[{rule}]", error)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir() if path.name != "rules.json"), sorted(left))
        return error

    def verdict(self, folder):
        return verified(folder, self.roster)[1]

    def test_a_green_bundle_is_complete_to_every_verifier_and_says_what_it_withholds(self):
        self.redact()
        answer = self.verdict(self.bundle)
        self.assertEqual((answer["verdict"], answer["label"], answer["entries"]), ("COMPLETE", "green", len(self.log)))
        for twin in (verify_bundle, verify_rules):
            self.assertEqual(twin.verdict(str(self.bundle), str(self.roster)), ("COMPLETE", ""))
        hidden = [entry for entry in self.log if entry["type"] in ("attend", "depart", "note")
                  or entry["type"] == "observe" and entry["what"] in ("facts", "seals", "token")]
        counted = {row["what"]: row["count"] for row in answer["withheld"] if row["what"] != "file"}
        self.assertEqual(counted, dict(collections.Counter(entry["type"] for entry in hidden)))
        ledger = [json.loads(line) for line in (self.bundle / "withheld.jsonl").read_text().splitlines()]
        self.assertEqual([row["entry"] for row in ledger if "entry" in row], [entry["seq"] for entry in hidden])
        everything = b"".join(tree(self.bundle).values())
        for word in (b"Harrow Assurance", b'"bag":"SB004211"', b"keyceremony-share/1"):
            self.assertTrue(any(word in content for content in tree(self.record).values()), word)
            self.assertFalse(word in everything, word)
        # Every other line and file is that of the record.
        lines = (self.bundle / "log.jsonl").read_bytes().split(b"\n")
        for entry, line in zip((self.record / "log.jsonl").read_bytes().split(b"\n"), lines):
            if len(line) == 64:
                self.assertEqual(line.decode(), hashlib.sha256(b"\0" + entry).hexdigest())
            else:
                self.assertEqual(line, entry)
        whole, shown = tree(self.record), tree(self.bundle)
        gone = {row["file"] for row in ledger if "file" in row}
        self.assertEqual({path for path in whole if path not in shown}, gone)
        self.assertEqual(set(shown) - set(whole), {"withheld.jsonl"})
        self.assertTrue(all(content == whole[path] for path, content in shown.items() if path not in ("withheld.jsonl", "log.jsonl")))

    def test_a_wider_label_withholds_less(self):
        self.redact(self.rules(lambda rules: rules.update(publish="red")))
        self.assertEqual(self.verdict(self.bundle)["withheld"], [])
        self.assertEqual((self.bundle / "log.jsonl").read_bytes(), (self.record / "log.jsonl").read_bytes())

    def test_a_bundle_that_hides_what_may_be_hidden_is_complete(self):
        words = ("presence", "call", "observe", "artefact", "note")
        everything = [{"type": word, "label": "red", "reason": "security"} for word in words]
        self.redact(self.rules(lambda rules: rules.update(entries=everything, fields=[])))
        self.assertEqual(self.verdict(self.bundle)["verdict"], "COMPLETE")

    def test_who_came_and_who_went_is_withheld_together(self):
        for word in ("attend", "depart"):
            error = self.redact(self.rules(lambda rules: rules["entries"][0].update(type=word)), expect=2)
            self.assertIn("[INPUT-05]", error)
            self.assertIn("presence", error)

    def test_a_red_field_in_the_clear_refuses_a_green_bundle(self):
        error = self.refused("RED-FIELD-01", self.rules(lambda rules: rules["entries"].pop(0)))
        self.assertIn("employer in entry", error)
        self.assertIn("(attend)", error)

    def test_the_script_is_never_withheld(self):
        hide = lambda rules: rules["files"].append({"path": "inputs/smki-root-oca.ceremony.json", "label": "red", "reason": "security"})
        self.refused("RED-FILE-01", self.rules(hide))

    def test_what_proves_a_record_is_never_withheld(self):
        for kind, rule in (("files", {"path": "policy.txt", "label": "red", "reason": "security"}),
                           ("entries", {"type": "refusal", "label": "red", "reason": "security"}),
                           ("entries", {"type": "step", "label": "red", "reason": "security"})):
            error = self.redact(self.rules(lambda rules: rules[kind].append(rule)), expect=2)
            self.assertIn("[INPUT-05]", error)
        error = self.redact(self.rules(lambda rules: rules["entries"][0].update(reason="personnel-data")), expect=2)
        self.assertIn("[INPUT-09]", error)
        self.assertIn("did you mean `personal-data`?", error)
        self.assertIn("[INPUT-12]", self.redact(self.rules(lambda rules: rules["entries"].append(rules["entries"][0])), expect=2))

    def test_nothing_is_overwritten_and_no_bundle_is_made_of_a_bundle_or_of_what_does_not_verify(self):
        self.redact()
        before = tree(self.bundle)
        self.refused("RECORD-OUT-01", left=["bundle"])
        self.assertEqual(tree(self.bundle), before)
        moved = self.folder / "moved"
        self.bundle.rename(moved)
        self.refused("RED-RECORD-01", record=moved, left=["moved"])
        torn = self.folder / "torn"
        shutil.copytree(self.record, torn)
        (torn / "artefacts/certificates/root-oca.der").write_bytes(b"other")
        self.refused("RED-RECORD-01", record=torn, left=["moved", "torn"])

    def test_what_the_script_keeps_confidential_is_salted_when_it_is_written(self):
        archive = Archive(self)
        plan = archive.plan("smki-root-oca")
        for step in steps_of(plan):
            if step["do"] == "room.attend":
                step["confidential_employers"] = True
            if step["do"] == "room.record":
                step["facts"][0]["confidential"] = True
        status, _, err = archive.rehearse(archive.write("smki-root-oca", plan))
        self.assertEqual(status, 0, err)
        record, self.roster, log = archive.record(1), archive.roster, archive.entries(1)
        attended = [entry for entry in log if entry["type"] == "attend"]
        self.assertTrue(attended and all(list(entry["employer"]) == ["_sd"] for entry in attended))
        facts = [entry["facts"] for entry in log if entry.get("what") == "facts"]
        self.assertTrue(all(list(fact["bag"]) == ["_sd"] and isinstance(fact["seal"], str) for fact in facts))
        for name, twin in (("keyceremony-verify", None), ("verify_bundle.py", verify_bundle), ("verify_rules.py", verify_rules)):
            verdict = twin.verdict(str(record), str(self.roster))[0] if twin else self.verdict(record)["verdict"]
            self.assertEqual(verdict, "COMPLETE", name)
        self.assertEqual(len((record / "disclosures.jsonl").read_text().splitlines()), len(attended) + len(facts))

        # The people may be shown now, their employers not; the bags are for everybody.
        def rules(rules):
            rules["entries"] = []
            rules["fields"] += [{"name": "bag", "label": "green"}]
        self.redact(self.rules(rules), record=record)
        answer = self.verdict(self.bundle)
        self.assertEqual(answer["verdict"], "COMPLETE")
        self.assertIn({"what": "field employer", "reason": "", "count": len(attended)}, answer["withheld"])
        self.assertNotIn("field bag", {row["what"] for row in answer["withheld"]})
        opened = [json.loads(base64.urlsafe_b64decode(json.loads(line)["d"] + "==")) for line in (self.bundle / "disclosures.jsonl").read_text().splitlines()]
        self.assertEqual([(name, value) for _, name, value in opened], [("bag", "SB004211"), ("bag", "SB004212")])
        self.assertFalse(any(b"Harrow Assurance" in content for content in tree(self.bundle).values()))
        # An opening that opens nothing shown, or was changed, is found out.
        (self.bundle / "disclosures.jsonl").write_bytes((record / "disclosures.jsonl").read_bytes().replace(b'"d":"W', b'"d":"X', 1))
        self.assertEqual(self.verdict(self.bundle)["verdict"], "INVALID")

    def test_what_the_policy_keeps_confidential_is_salted_whatever_a_script_says(self):
        archive = Archive(self)
        rewrite(archive.scripts / "smki.policy.json", lambda policy: policy.update(confidential=["employer", "bag"]))
        names = ("smki-root-oca", "smki-custodian-appoint")
        for name in names:
            self.assertNotIn('"confidential', archive.script(name).read_text())
            status, _, err = archive.rehearse(name)
            self.assertEqual(status, 0, err)
        employers = {person["employer"] for person in json.loads(archive.roster.read_text())["people"]}
        for number, name in enumerate(names, 1):
            record = archive.record(number)
            log = (record / "log.jsonl").read_text()
            attended = archive.entries(number, type="attend")
            self.assertTrue(attended and all(list(entry["employer"]) == ["_sd"] for entry in attended))
            facts = [entry["facts"] for entry in archive.entries(number, what="facts") if "bag" in entry["facts"]]
            self.assertTrue(all(list(fact["bag"]) == ["_sd"] and isinstance(fact["seal"], str) for fact in facts))
            self.assertEqual(len((record / "disclosures.jsonl").read_text().splitlines()), len(attended) + len(facts))
            self.assertEqual([each for each in sorted(employers) if each in log], [])
        self.assertEqual(archive.verdicts(), (0, ["COMPLETE"] * 2))
        self.assertIn("frank", {entry["person"] for entry in attended})  # who is appointed comes in by another way
        status, out, err = run("replay", archive.record(1))
        self.assertEqual(status, 0, out[-3000:] + err)

    # The annex.

    def make(self, person):
        """A credential of a recipient's own."""
        out = self.folder / person
        player = room.Player([(r"passphrase for your credential|same once more", PASSPHRASE)])
        self.addCleanup(player.stop)
        status = player.start("keyceremony", "custodian", "new", "--estate", "smki.example", "--id", person, "--name", person.title(), "--out", out).play()
        self.assertEqual(status, 0, player.shown[-2000:])
        return out

    def restore(self, annex, credential, expect=0):
        player = room.Player([(r"passphrase of your credential", PASSPHRASE), (r"try again", "2")])
        self.addCleanup(player.stop)
        status = player.start("keyceremony", "restore", self.bundle, "--annex", annex, "--credential", credential, "--roster", self.roster,
                              "--out", self.folder / "whole").play()
        self.assertEqual(status, expect, player.shown[-3000:])
        return player.shown

    def test_bundle_and_annex_are_the_record_again_for_its_recipient_alone(self):
        regulator, stranger = self.make("regulator"), self.make("stranger")
        annex = self.folder / "annex"
        self.redact(RULES, "--annex", annex, "--recipient", regulator / "person.json")
        head = json.loads((self.bundle / "withheld.jsonl").read_text().split("\n")[0])
        self.assertEqual(head["annex"], {"sha256": hashlib.sha256(annex.read_bytes()).hexdigest(), "size": annex.stat().st_size})
        for word in (b"Harrow Assurance", b"SB004211"):
            self.assertNotIn(word, annex.read_bytes())
        self.restore(annex, regulator)
        self.assertEqual(tree(self.folder / "whole"), tree(self.record))
        shutil.rmtree(self.folder / "whole")
        self.assertIn("RED-ANNEX-02", self.restore(annex, stranger, expect=1))
        sealed = bytearray(annex.read_bytes())
        sealed[-20] ^= 1
        annex.write_bytes(sealed)
        self.assertIn("RED-ANNEX-01", self.restore(annex, regulator, expect=1))
        # The same with a ledger that has the digest of what was changed.
        ledger = self.bundle / "withheld.jsonl"
        ledger.write_text(ledger.read_text().replace(head["annex"]["sha256"], hashlib.sha256(sealed).hexdigest()))
        self.assertIn("RED-ANNEX-02", self.restore(annex, regulator, expect=1))
        self.assertFalse((self.folder / "whole").exists() or (self.folder / "whole.partial").exists())

    def test_an_annex_that_is_there_is_left_alone_and_one_of_no_bundle_goes(self):
        regulator = self.make("regulator")
        annex = self.folder / "annex"
        annex.write_text("mine")
        error = self.redact(RULES, "--annex", annex, "--recipient", regulator / "person.json", expect=1)
        self.assertIn("exists already [OUT-FILE-01]", error)
        self.assertEqual((annex.read_text(), self.bundle.exists()), ("mine", False))
        status, _, err = run("redact", self.record, "--rules", RULES, "--out", self.bundle, "--annex", self.folder / "other")
        self.assertEqual(status, 2)
        self.assertIn("--recipient", err)


if __name__ == "__main__":
    unittest.main()
