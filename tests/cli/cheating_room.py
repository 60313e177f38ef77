"""A room that cheats together: a real record, held once, is changed and signed anew by everybody for each case."""
import json
import unittest

from archive import SOURCE, Archive, scratch, verified
from record_builder import ledger
from retold import Retold
import verify_rules

# What docs/verify_certificates.py finds, too; it knows nothing of profiles, scripts and lint, nor every field of a step.
BOTH = {"CRT-FILE", "CRT-FORM", "CRT-SIGNATURE", "CRT-APPROVED", "CRT-KEY", "CRT-CHAIN", "CRT-SERIAL", "CRT-NUMBER", "CRT-REVOKED",
        "CRT-DESTROYED"}
BOTH_FIELDS = {"subject_der", "serial", "not_before", "not_after", "ca", "number", "this_update", "next_update", "revoked", "issuer_der"}


class Room(unittest.TestCase):
    """A ceremony that was held once, and is told anew for each case."""

    @classmethod
    def hold(cls, change):
        """Rehearses the small hierarchy, with a change to its script."""
        cls.archive = Archive(cls)
        text = (SOURCE / "tests" / "support" / "small_hierarchy.ceremony.json").read_text()
        cls.archive.script("small-hierarchy").write_text(change(text))
        status, _, err = cls.archive.rehearse("small-hierarchy")
        assert status == 0, err
        cls.record = cls.archive.path / "0001-small-hierarchy"

    @classmethod
    def hold_life(cls, tokens, middle):
        """Rehearses the life of the key root: it is made on the first of the tokens, then comes what is in the middle,
        and at last it is destroyed on all of them."""
        def change(text):
            script = json.loads(text)
            attend, commission, generate = script["sections"][0]["steps"][:3]
            commissions = [commission]
            for token in tokens[1:]:
                script["tokens"][token] = {"role": "backup", "domain": "organisation"}
                commissions.append(dict(commission, id=f"commission-{token}", token=token))
                generate["extractable"] = True
            script["sections"][0]["steps"] = [
                attend, *commissions, generate, *middle,
                {"id": "deactivate", "do": "key.deactivate", "quorum": "custodians", "key": "root", "reason": "ceased"},
                {"id": "destroy", "do": "key.destroy", "quorum": "custodians", "keys": ["root"], "tokens": tokens}]
            del script["profiles"]
            return json.dumps(script)
        cls.hold(change)

    def setUp(self):
        self.folder = scratch(self)
        self.told = Retold(self.record, self.archive.roster)

    def verdict(self):
        """The verdict, and the rules with what was said. A ledger that withholds nothing changes neither."""
        roster = self.told.write(self.folder / "record")
        answer = self.judged(roster)
        second = self.second, self.why
        (self.folder / "record" / "withheld.jsonl").write_bytes(ledger(self.told.origin))
        self.assertEqual((self.judged(roster), (self.second, self.why)), (answer, second))
        (self.folder / "record" / "withheld.jsonl").unlink()
        return answer

    def judged(self, roster):
        self.second, self.why = verify_rules.verdict(str(self.folder / "record"), str(roster))
        status, report = verified(self.folder / "record", roster)
        self.assertEqual(status, {"COMPLETE": 0, "INVALID": 1}[report["verdict"]])
        return report["verdict"], {finding["rule"]: finding["message"] for finding in report["findings"]}

    def assert_found(self, rule, *words):
        verdict, found = self.verdict()
        self.assertIn(rule, found, found)
        for word in words:
            self.assertIn(word, found[rule])
        self.assertEqual(verdict, "INVALID")
        if rule in BOTH or rule == "CRT-FACTS" and BOTH_FIELDS & set(words):
            self.assertEqual(self.second, "INVALID")
        return found

    def entries(self, **fields):
        return [entry for entry in self.told.entries if all(entry.get(name) == value for name, value in fields.items())]

    def replace(self, path, content, kind, **fields):
        """Another file in the place of one, and the step says so, too."""
        self.told.effect(kind, **fields)["sha256"] = self.told.artefact(path, content)

    def der(self, path):
        return bytearray(self.told.files["artefacts/" + path])
