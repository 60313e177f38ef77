"""Holds the verifier of the report's page (ceremony/report/verify*.js, run in node) against the corpus of attacks of
tests/unit/verify: the verdict of keyceremony-verify, on accept and on reject, for every case."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("KEYCEREMONY_SOURCE_DIR", os.path.join(HERE, "../../.."))
sys.path[:0] = [os.path.join(SOURCE, path) for path in ("tests/unit/verify", "tests/support", "docs")]

import corpus  # noqa: E402
import corpus_test  # noqa: E402

# In the order in which ceremony/report/CMakeLists.txt puts them on the page.
with open(os.path.join(SOURCE, "ceremony/report/CMakeLists.txt"), encoding="utf-8") as recipe:
    PARTS = [os.path.join(SOURCE, "ceremony/report", name) for name in re.search(r"set\(verifier ([^)]*)\)", recipe.read()).group(1).split()]
VECTORS = os.path.join(SOURCE, "docs/vectors")
RECORD = os.path.join(VECTORS, "archive/0001-root-2026")


class Page:
    """node, asked for one verdict after the other."""

    def __init__(self):
        self.node = subprocess.Popen(["node", os.path.join(HERE, "verdicts.js"), *PARTS],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, folder, **more):
        self.node.stdin.write(json.dumps({"folder": folder, **more}) + "\n")
        self.node.stdin.flush()
        return json.loads(self.node.stdout.readline())

    def close(self):
        self.node.stdin.close()
        self.node.wait(timeout=60)
        self.node.stdout.close()


class PageCorpus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = Page()
        cls.addClassCleanup(cls.page.close)

    def hold(self, cases):
        with tempfile.TemporaryDirectory() as scratch:
            bench, count = corpus_test.Bench(scratch), 0
            for case in cases(os.path.join(scratch, "making")):
                bench.lay(case)
                program, findings = bench.program(case)
                page = self.page.ask(bench.folder, roster=bench.roster if case.roster else None, kept=bench.kept if case.kept else None)
                count += 1
                with self.subTest(case.name):
                    self.assertEqual(page["verdict"], program, f"page: {page}; program: {findings}")
            self.assertGreater(count, 50)

    def test_tampered_records_are_seen_through_at_every_index(self):
        self.hold(lambda making: corpus.tampered(corpus.Base(making)))

    def test_a_flipped_bit_is_seen_wherever_it_is(self):
        self.hold(lambda making: corpus.flips(corpus.Base(making), 61))

    def test_records_that_were_signed_but_say_something_wrong_get_their_verdict(self):
        self.hold(corpus.made)

    def test_lines_outside_the_profile_are_refused_and_those_inside_are_not(self):
        self.hold(corpus.profile)

    def test_bundles_are_read_alike_and_what_is_withheld_is_accounted_for(self):
        self.hold(corpus.bundles)


class Pins(unittest.TestCase):
    """What an auditor types in the place of a roster."""

    @classmethod
    def setUpClass(cls):
        cls.page = Page()
        cls.addClassCleanup(cls.page.close)
        with open(os.path.join(VECTORS, "roster.json"), encoding="utf-8") as file:
            people = json.load(file)["people"]
        keys = [person["sign_key"] for person in people if "custodian" in person["roles"]]
        # The digests are openssl's.
        cls.digests = [subprocess.run("openssl base64 -d -A | openssl dgst -sha256 -r", shell=True, input=key.encode(), capture_output=True,
                                      check=True).stdout.split()[0].decode() for key in keys]

    def verdict(self, digests, m=3, **more):
        return self.page.ask(RECORD, pins={"m": m, "fingerprints": digests}, **more)["verdict"]

    def test_every_key_and_the_number_that_must_sign_make_a_record_complete(self):
        self.assertEqual(self.verdict(self.digests), "COMPLETE")

    def test_a_key_that_was_not_typed_leaves_it_unpinned(self):
        self.assertEqual(self.verdict(self.digests[1:]), "UNPINNED")

    def test_the_number_is_pinned_as_well(self):
        self.assertEqual(self.verdict(self.digests, m=None), "UNPINNED")
        self.assertEqual(self.verdict(self.digests, m=2), "INVALID")

    def test_a_fingerprint_of_nobody_s_key_is_not_passed_over(self):
        self.assertEqual(self.verdict(self.digests[1:] + ["00" * 32]), "INVALID")

    def test_files_that_are_not_at_hand_are_counted(self):
        whole = self.page.ask(RECORD, partial=True)
        self.assertEqual((whole["verdict"], whole["uncompared"]), ("UNPINNED", 0))
        without = self.page.ask(RECORD, partial=True, without=["artefacts/root.pem", "inputs/roster.json"])
        self.assertEqual((without["verdict"], without["uncompared"]), ("UNPINNED", 2))
        self.assertEqual(self.page.ask(RECORD, without=["artefacts/root.pem"])["verdict"], "INVALID")


if __name__ == "__main__":
    if shutil.which("node") is None:
        print("node is missing", file=sys.stderr)
        sys.exit(77)
    unittest.main()
