"""Holds keyceremony-verify and docs/verify_rules.py against the whole corpus of attacks: the verdict that the format wants,
from both, and never COMPLETE for a record that somebody touched. docs/verify_bundle.py, which knows nothing of what entries
say, must accept whatever they accept, and see through every attack on bytes and signatures; docs/verify.py must say the same
of every record from which nothing is withheld."""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = os.environ.get("KEYCEREMONY_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
sys.path[:0] = [os.path.join(SOURCE, "tests/support"), os.path.join(SOURCE, "docs")]

import corpus  # noqa: E402
import vectors  # noqa: E402
import verify  # noqa: E402
import verify_bundle  # noqa: E402
import verify_bytes  # noqa: E402
import verify_machine  # noqa: E402
import verify_rules  # noqa: E402

# The unit test of the library flips every byte; here a sample is compared with the other verifier.
FLIP_STRIDE = int(os.environ.get("KEYCEREMONY_FLIP_STRIDE", "41"))


def is_key(name, spki):
    try:
        return bool(verify_bytes.key(name, spki))
    except ValueError:
        return False


class KeyTest(unittest.TestCase):
    def test_a_point_of_ed25519_that_anybody_could_sign_for_is_no_key(self):
        good = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")  # RFC 8032, 7.1, test 2
        field = 2 ** 255 - 19
        bad = [n.to_bytes(32, "little") for n in (0, 1, field - 1, field, field + 1, 2 ** 255 + 1)]
        bad += [bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
                bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")]
        self.assertEqual([is_key("a/b", verify_machine.ED + point) for point in [good, *bad]], [True] + [False] * len(bad))


class Bench:
    """A folder that is changed from one case to the next by as few files as that takes."""

    def __init__(self, scratch):
        self.folder = os.path.join(scratch, "record")
        self.roster, self.kept = os.path.join(scratch, "roster.json"), os.path.join(scratch, "kept")
        self.files, self.links = {}, []

    def lay(self, case):
        for link in self.links:
            os.unlink(link)
        self.links = []
        for path in [path for path in self.files if path not in case.files]:
            os.unlink(os.path.join(self.folder, path))
        for path, content in case.files.items():
            if self.files.get(path) != content:
                whole = os.path.join(self.folder, path)
                os.makedirs(os.path.dirname(whole), exist_ok=True)
                with open(whole, "wb") as file:
                    file.write(content)
        self.files = dict(case.files)
        if case.link:
            link = os.path.join(self.folder, case.link[0])
            os.symlink(case.link[1], link)
            self.links.append(link)
        for path, content in ((self.roster, case.roster), (self.kept, case.kept)):
            if content is not None:
                with open(path, "wb") as file:
                    file.write(content)

    def program(self, case):
        options = (["--roster", self.roster] if case.roster else []) + (["--checkpoint", self.kept] if case.kept else [])
        ran = subprocess.run(["keyceremony-verify", self.folder, "--json", "--threads", "1", *options], capture_output=True, timeout=60)
        answer = json.loads(ran.stdout) if ran.stdout else {"verdict": f"exit {ran.returncode}: {ran.stderr.decode()}", "findings": []}
        statuses = {"COMPLETE": 0, "INVALID": 1, "INCOMPLETE": 6, "UNPINNED": 7, "FORK": 8}
        if statuses.get(answer["verdict"]) != ran.returncode:
            return f"{answer['verdict']} with exit {ran.returncode}", answer["findings"]
        return answer["verdict"], [(each["rule"], each["entry"], each["message"]) for each in answer["findings"]]

    def script(self, case):
        return verify_rules.verdict(self.folder, self.roster if case.roster else None, self.kept if case.kept else None)

    def bytes_alone(self, case, verifier):
        return verifier.verdict(self.folder, self.roster if case.roster else None)


class CorpusTest(unittest.TestCase):
    def hold(self, cases, bytes_tell=True):
        accepted = ("COMPLETE", "UNPINNED")
        with tempfile.TemporaryDirectory() as scratch:
            bench, count, started = Bench(scratch), 0, time.monotonic()
            for case in cases(os.path.join(scratch, "making")):
                bench.lay(case)
                program, findings = bench.program(case)
                script, why = bench.script(case)
                count += 1
                with self.subTest(case.name):
                    self.assertEqual(program, script, f"program: {findings}; script: {why}")
                    if case.verdict == corpus.ALIKE: continue
                    if not case.kept:
                        short, why_short = bench.bytes_alone(case, verify_bundle)
                        if not {"withheld.jsonl", "disclosures.jsonl"} & set(case.files):
                            self.assertEqual(bench.bytes_alone(case, verify)[0], short, why_short)
                        tells = bytes_tell or case.name.startswith("policy")
                        self.assertTrue(short == program if program in accepted else short not in accepted or not tells,
                                        f"program: {program} {findings}; verify_bundle.py: {short} {why_short}")
                    if case.verdict:
                        self.assertEqual(program, case.verdict, f"{findings}; script: {why}")
                    else:
                        self.assertNotIn(program, accepted, case.name)
            print(f"{self.id()}: {count} cases, {time.monotonic() - started:.1f} s", file=sys.stderr)
            self.assertGreater(count, 0)

    def test_tampered_records_are_seen_through_at_every_index(self):
        self.hold(lambda making: corpus.tampered(corpus.Base(making)))

    def test_a_flipped_bit_is_seen_wherever_it_is(self):
        self.hold(lambda making: corpus.flips(corpus.Base(making), FLIP_STRIDE))

    def test_records_that_were_signed_but_say_something_wrong_get_their_verdict(self):
        self.hold(corpus.made, bytes_tell=False)

    def test_lines_outside_the_profile_are_refused_and_those_inside_are_not(self):
        self.hold(corpus.profile)

    def test_bundles_are_read_alike_and_what_is_withheld_is_accounted_for(self):
        self.hold(corpus.bundles, bytes_tell=False)

    def test_the_vectors_in_the_documents_are_what_the_builder_writes_and_are_complete(self):
        def tree_of(top):
            found = {}
            for folder, _, names in os.walk(top):
                for name in names:
                    path = os.path.join(folder, name)
                    with open(path, "rb") as file:
                        found[os.path.relpath(path, top)] = file.read()
            return found

        kept = os.path.join(SOURCE, "docs/vectors")
        with tempfile.TemporaryDirectory() as fresh:
            vectors.write(fresh)
            self.assertEqual(tree_of(fresh), {path: content for path, content in tree_of(kept).items() if path != "README.md"})
        for record in ("archive/0001-root-2026", "archive/0002-issuing-2026", "bundle"):
            folder = os.path.join(kept, record)
            for verifier in (verify_bundle, verify_rules) + ((verify,) if record != "bundle" else ()):
                self.assertEqual(verifier.verdict(folder, os.path.join(kept, "roster.json")), ("COMPLETE", ""))
                self.assertEqual(verifier.verdict(folder)[0], "UNPINNED")


if __name__ == "__main__":
    unittest.main()
