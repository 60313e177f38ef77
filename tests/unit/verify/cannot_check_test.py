"""Holds the verifiers in Python to saying nothing of a record when it is the machine that fails: exit 4 and no verdict."""
import os
import resource
import signal
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ.get("KEYCEREMONY_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
VECTORS = os.path.join(SOURCE, "docs/vectors")
ARCHIVE, ROSTER = os.path.join(VECTORS, "archive"), os.path.join(VECTORS, "roster.json")
RECORD = os.path.join(ARCHIVE, "0001-root-2026")
VERIFIERS = [("verify.py", RECORD), ("verify_bundle.py", RECORD), ("verify_rules.py", RECORD), ("verify_archive.py", ARCHIVE)]


def no_room():  # every write to a file fails, as on a full disk
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


class CannotCheckTest(unittest.TestCase):
    def hold(self, status, *brought, path=None, verifiers=VERIFIERS, **how):
        for script, folder in verifiers:
            with self.subTest(script):
                environment = {**os.environ, **({} if path is None else {"PATH": path})}
                ran = subprocess.run([sys.executable, "-B", os.path.join(SOURCE, "docs", script), *(brought or (folder, ROSTER))],
                                     capture_output=True, text=True, env=environment, timeout=60, **how)
                self.assertEqual(ran.returncode, status, ran.stdout + ran.stderr)
                if status == 4:
                    self.assertEqual(ran.stdout, "")
                    self.assertRegex(ran.stderr, r"\Acannot check: .+\n\Z")

    def test_a_machine_that_can_check_does(self):
        self.hold(0)

    def test_a_machine_without_openssl(self):
        self.hold(4, path="/nonexistent")

    def test_an_openssl_that_does_not_tell_good_from_bad(self):
        for answer in ("exit 1", "exit 0", "case $* in *-rawin*) exit 1;; esac"):
            with tempfile.TemporaryDirectory() as folder, self.subTest(answer):
                with open(os.path.join(folder, "openssl"), "w", encoding="utf-8") as file:
                    file.write("#!/bin/sh\n" + answer + "\n")
                os.chmod(file.name, 0o755)
                self.hold(4, path=folder)

    def test_a_full_disk(self):
        self.hold(4, preexec_fn=no_room)

    def test_what_the_reader_names_and_is_not_there_or_cannot_be_read(self):
        for brought in (("/nonexistent",), (RECORD, "/nonexistent"), (RECORD, "/proc/self/mem")):
            with self.subTest(brought):
                self.hold(4, *brought, verifiers=VERIFIERS[:3])
        self.hold(4, "/nonexistent", verifiers=VERIFIERS[3:])
        self.hold(4, RECORD, "--roster", ROSTER, "--checkpoint", "/nonexistent", verifiers=VERIFIERS[2:3])

    def test_a_file_that_is_missing_from_a_record_is_the_records_fault(self):
        with tempfile.TemporaryDirectory() as folder:
            self.hold(1, folder, ROSTER, verifiers=VERIFIERS[:3])


if __name__ == "__main__":
    unittest.main()
