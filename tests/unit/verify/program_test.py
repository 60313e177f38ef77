"""Holds keyceremony-verify to what its man page promises: arguments, exit status, output, and how little it is made of."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ["KEYCEREMONY_SOURCE_DIR"]
sys.path.insert(0, os.path.join(SOURCE, "tests/support"))
import record_builder  # noqa: E402

PROGRAM = "keyceremony-verify"
VECTORS = os.path.join(SOURCE, "docs/vectors")
RECORD = os.path.join(VECTORS, "archive/0001-root-2026")
ROSTER = os.path.join(VECTORS, "roster.json")


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60)


class ProgramTest(unittest.TestCase):
    def test_it_links_no_token_interface_and_loads_no_code(self):
        program = shutil.which(PROGRAM)
        libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        names = sorted(re.match(r"\s*([^\s/]+?)\.so", line).group(1) for line in libraries.splitlines() if re.match(r"\s*[^\s/]+\.so", line))
        allowed = {"linux-vdso", "libcrypto", "libfmt", "libstdc++", "libm", "libgcc_s", "libc", "libasan", "libubsan", "libtsan", "libgcov"}
        self.assertLessEqual(set(names), allowed, libraries)
        symbols = subprocess.run(["nm", "-D", program], capture_output=True, text=True, check=True).stdout
        wanted = {line.split()[-1].split("@")[0] for line in symbols.splitlines()}
        if not wanted & {"__asan_init", "__tsan_init"}:  # sanitizers bring their own
            for name in ("dlopen", "dlsym", "dlmopen", "system", "popen", "execve", "fork", "socket", "connect"):
                self.assertNotIn(name, wanted)
        self.assertFalse([name for name in wanted if name.startswith(("C_", "p11_"))])

    def test_json_of_a_record_is_one_object_of_six_members(self):
        ran = run(RECORD, "--json")
        self.assertEqual((ran.returncode, ran.stderr), (7, ""))
        self.assertEqual(json.loads(ran.stdout), {
            "verdict": "UNPINNED", "origin": "smki.example/root-2026/c43abed9983d1c48d24aa532268fc7d5", "entries": 22,
            "ceremony": "root-2026", "mode": "rehearsal",
            "findings": [{"rule": "QUO-UNPINNED", "entry": None,
                          "message": "no roster was given, so the custodians' keys are only what the record itself says"}]})
        self.assertEqual(list(json.loads(ran.stdout)), ["verdict", "origin", "entries", "ceremony", "mode", "findings"])

    def test_json_of_an_archive_has_its_records(self):
        ran = run(os.path.join(VECTORS, "archive"), "--json", "--roster", ROSTER)
        answer = json.loads(ran.stdout)
        self.assertEqual((ran.returncode, answer["verdict"], answer["findings"]), (0, "COMPLETE", []))
        self.assertEqual([(each["verdict"], each["ceremony"]) for each in answer["records"]],
                         [("COMPLETE", "root-2026"), ("COMPLETE", "issuing-2026")])

    def test_a_bundle_lists_what_is_withheld_by_type_reason_and_count(self):
        bundle = os.path.join(VECTORS, "bundle")
        answer = json.loads(run(bundle, "--json", "--roster", ROSTER).stdout)
        self.assertEqual((answer["verdict"], answer["label"]), ("COMPLETE", "green"))
        self.assertEqual(answer["withheld"], [{"what": "attend", "reason": "PD", "count": 1}, {"what": "note", "reason": "PD", "count": 1},
                                              {"what": "file", "reason": "SEC", "count": 1}])
        self.assertEqual({each["rule"] for each in answer["findings"]}, {"RED-WITHHELD"})
        shown = run(bundle, "--roster", ROSTER)
        self.assertEqual(shown.returncode, 0)
        self.assertIn("  a bundle for green readers; withheld are\n    1 x attend (PD)\n    1 x note (PD)\n    1 x file (SEC)\n", shown.stdout)

    def test_an_archive_follows_a_key_from_one_record_into_the_next(self):
        made = {"effect": "key-created", "key": "k", "token": "a", "spki_sha256": "00"}
        gone, over = {"effect": "copy-destroyed", "key": "k", "token": "a"}, {"effect": "key-destroyed", "key": "k"}
        for first, second, rules in (([made], [gone, over], set()), ([made], [over], {"CPY-LOST"}), ([made], [made], {"CPY-TWICE"}),
                                     ([made, gone, over], [{"effect": "key-sealed", "key": "k", "token": "a"}], {"CPY-GONE"})):
            with tempfile.TemporaryDirectory() as archive:
                previous = None
                for number, effects in enumerate((first, second), 1):
                    record = record_builder.Record(ceremony=f"c{number}", number=number, previous=previous, more=[{"id": "x", "do": "a"}])
                    act = lambda r, effects=effects: [r.step("x", "a", "begin"), r.step("x", "a", "end", effects=effects)]
                    record_builder.complete(os.path.join(archive, f"000{number}-c{number}"), record.ceremony_entries(extra={"closing": act}))
                    origin, size, root, _ = record.checkpoint_text().split("\n")
                    previous = {"origin": origin, "size": int(size), "root": root}
                    kept = os.path.join(archive, "kept")
                    with open(kept, "w", encoding="utf-8") as file:
                        file.write(record.note(record.checkpoint_text()))
                for options in ((), ("--checkpoint", kept)):
                    answer = json.loads(run(archive, "--json", *options).stdout)
                    found = {finding["rule"] for each in answer["records"] for finding in each["findings"]} - {"QUO-UNPINNED"}
                    self.assertEqual((found, answer["findings"]), (rules, []))

    def test_words_for_people_say_verdict_root_and_cosigners(self):
        ran = run(RECORD, "--roster", ROSTER)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertTrue(ran.stdout.startswith("COMPLETE: the record is closed"), ran.stdout)
        self.assertIn("  cosigned by alice carol erin\n", ran.stdout)
        self.assertIn("from byte  0  eyetooth    narrative   cowbell     glossary", ran.stdout)

    def test_help_and_version_are_no_errors(self):
        self.assertEqual(run("--help").returncode, 0)
        self.assertIn("RECORD|ARCHIVE", run("--help").stdout)
        ran = run("--version")
        self.assertEqual((ran.returncode, ran.stdout), (0, f"keyceremony-verify {os.environ['KEYCEREMONY_VERSION']}\n"))

    def test_usage_errors_say_what_and_how(self):
        for arguments in ([], [RECORD, "--threads", "0"], [RECORD, "--what"], [RECORD, RECORD]):
            ran = run(*arguments)
            self.assertEqual((ran.returncode, ran.stdout), (2, ""), arguments)
            self.assertRegex(ran.stderr, r"\Akeyceremony-verify: error: .+\nkeyceremony-verify: hint: .+\n\Z")

    def test_an_option_that_the_path_cannot_honour_is_a_usage_error(self):
        with tempfile.TemporaryDirectory() as folder:
            junk = os.path.join(folder, "junk")
            with open(junk, "w", encoding="utf-8") as file:
                file.write("no proof")
            archive = os.path.join(VECTORS, "archive")
            stamp = ("--timestamp", junk, "--tsa", junk)
            for path, options in ((archive, stamp), (archive, ("--entry", junk)), (archive, ("--explain",)), (RECORD, ("--entry", junk)),
                                  (RECORD, ("--tsa", junk)), (junk, ("--checkpoint", junk)), (junk, ("--checkpoint", junk, "--witness", junk)),
                                  (junk, stamp), (junk, ("--explain",))):
                ran = run(path, *options)
                self.assertEqual((ran.returncode, ran.stdout), (2, ""), (path, options))
                self.assertIn(options[0], ran.stderr)
            # With the checkpoint that it is of, it is looked at.
            ran = run(archive, "--checkpoint", os.path.join(RECORD, "checkpoint"), *stamp)
            self.assertNotEqual(ran.returncode, 0)
            self.assertNotIn("is not looked at", ran.stderr)

    def test_what_cannot_be_read_is_4_and_what_cannot_be_understood_2(self):
        with tempfile.TemporaryDirectory() as folder:
            junk = os.path.join(folder, "junk")
            with open(junk, "w", encoding="utf-8") as file:
                file.write("{}")
            for arguments, status in (([os.path.join(folder, "none")], 4), ([junk], 2), ([RECORD, "--roster", os.path.join(folder, "none")], 4),
                                      ([RECORD, "--roster", junk], 2), ([RECORD, "--checkpoint", junk], 2),
                                      ([RECORD, "--checkpoint", os.path.join(folder, "none")], 4)):
                ran = run(*arguments)
                self.assertEqual((ran.returncode, ran.stdout), (status, ""), arguments)
                self.assertTrue(ran.stderr.startswith("keyceremony-verify: error: "), ran.stderr)
            none = run(folder)  # a folder without any file of a record gets no verdict
            self.assertEqual((none.returncode, none.stdout), (4, ""))
            self.assertIn("holds no record", none.stderr)
            with open(os.path.join(folder, "checkpoint"), "wb"):
                pass
            self.assertEqual(run(folder).returncode, 1)  # one that has lost its log does

    def test_threads_change_nothing_but_the_time(self):
        self.assertEqual(run(RECORD, "--json", "--threads", "1").stdout, run(RECORD, "--json", "--threads", "8").stdout)

    def test_a_hostile_record_cannot_move_the_cursor(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "log.jsonl"), "wb") as file:
                file.write(b'{"mode":"rehearsal","mono":1,"origin":"\x1b[2J","salt":"' + b"0" * 32 +
                           b'","seq":0,"time":"2026-11-21T09:00:00.000000Z","type":"open","v":1}\n')
            with open(os.path.join(folder, "\x1b[2Jx"), "wb"):
                pass
            ran = run(folder)
            self.assertEqual(ran.returncode, 1)
            self.assertNotIn("\x1b", ran.stdout)


    def test_the_lesson_of_a_hostile_record_is_shown_without_what_a_terminal_obeys(self):
        with tempfile.TemporaryDirectory() as folder:
            name = "bob\u202e\u009b"
            record = record_builder.Record()
            record.people = tuple(name if person == "bob" else person for person in record.people)
            record.ceremony_entries(opening=("alice", name, "carol"), approving=("alice", name, "carol"))
            record.close()
            record.write(folder, record.note(record.checkpoint_text(), ("alice", name, "carol")), ("alice", name, "carol"))
            ran = run(folder, "--explain")
            self.assertIn("What was checked", ran.stdout)
            self.assertIn(r"$'\x62\x6f\x62\xe2\x80\xae\xc2\x9b'", ran.stdout)
            for obeyed in "\u202e\u009b":
                self.assertNotIn(obeyed, ran.stdout)


if __name__ == "__main__":
    unittest.main()
