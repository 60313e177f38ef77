#!/usr/bin/env python3
"""The tour, as scripts/dev/rehearse holds it: it must come to its end, and leave what it says that it leaves."""
import json
import os
import pathlib
import subprocess
import unittest

from archive import SOURCE, entries, scratch

BIN = pathlib.Path(os.environ["KEYCEREMONY_BINARY_DIR"]) / "bin"


class Tour(unittest.TestCase):
    def test_the_tour_from_the_first_key_to_the_destruction_of_one(self):
        folder = scratch(self)
        archive = folder / "archive"
        environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
        environment["PATH"] = f"{BIN}:/usr/bin:/bin"
        held = subprocess.run([SOURCE / "scripts/dev/tour", archive], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, env=environment)
        self.assertEqual(held.returncode, 0, held.stdout[-3000:] + held.stderr)
        self.assertEqual(sorted(p.name for p in archive.glob("0*")),
                         ["0001-tour-1-hierarchy", "0002-tour-2-leaver", "0003-tour-3-rollover",
                          "0004-tour-4-destruction"])
        # Both traps: one left no record, the other stands in it, and the step was tried again.
        self.assertIn("[EST-NAME-01]", held.stdout)
        rollover = entries(archive / "0003-tour-3-rollover")
        self.assertEqual([e["rule"] for e in rollover if e["type"] == "refusal"], ["TOKEN-COPY-02"])
        tries = [e["phase"] for e in rollover if e["type"] == "step" and e["id"] == "verify-live-hsm"]
        self.assertEqual(tries, ["begin", "failed", "begin", "end"])
        status = subprocess.run([BIN / "keyceremony", "status", archive, "--json"], capture_output=True, check=True)
        estate = json.loads(status.stdout)
        self.assertEqual({k["name"]: k["state"] for k in estate["keys"]},
                         {"root-oca": "active", "issuing-oca-z1": "destroyed", "issuing-oca-z2": "active",
                          "issuing-oca-z3": "active"})
        self.assertEqual({len(k["copies"]) for k in estate["keys"]}, {3})
        self.assertEqual(sorted(p.name for p in (archive / "reports").iterdir()),
                         [*(f"{p.name}.html" for p in sorted(archive.glob("0*"))), "booklet.html",
                          "destruction-of-z1.html", "inventory.html", "published.html"])
        certificate = (archive / "reports/destruction-of-z1.html").read_text()
        self.assertEqual(certificate.count('<section class="certificate">'), 1)
        for words in ("Key issuing-oca-z1", "COMPLETE", *(f"{kind}: " for kind in ("original", "clone"))):
            self.assertIn(words, certificate)
        report = held.stdout.splitlines()[-1]
        self.assertEqual(report, str((archive / "reports/0003-tour-3-rollover.html").resolve()))
        self.assertTrue(pathlib.Path(report).read_text().startswith("<!DOCTYPE html>"))
        # A second tour does not write into the first.
        again = subprocess.run([SOURCE / "scripts/dev/tour", archive], capture_output=True, text=True, check=False,
                               env=environment)
        self.assertEqual(again.returncode, 1)
        self.assertIn("a tour begins with a fresh archive", again.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
