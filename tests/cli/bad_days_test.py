#!/usr/bin/env python3
"""What a user's bad day brings: variables that are not set, pipes nobody writes to, limits, full disks, half files of a
run that was killed, and names that a terminal would obey."""
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(os.environ["KEYCEREMONY_SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "tests/cli"))
from archive import SCRIPTS, Archive, run  # noqa: E402

SCRIPT = SCRIPTS / "smki-root-oca.ceremony.json"
OBEYED = "\x1b[31m\u202e"


def call(program, *arguments, **options):
    """Runs a program for at most a minute; returns exit status, stdout, stderr."""
    done = subprocess.run([program, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False, **options)
    return done.returncode, done.stdout, done.stderr


def limited(octets, *arguments):
    """Runs `keyceremony` where no file may grow beyond so many octets."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it, and a shell does not
        resource.setrlimit(resource.RLIMIT_FSIZE, (octets, octets))
    return call("keyceremony", *arguments, preexec_fn=limit)


class BadDays(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.archive = Archive(cls)
        status, out, err = cls.archive.rehearse("smki-root-oca")
        assert status == 0, out + err
        cls.record = cls.archive.path / "0001-smki-root-oca"
        cls.roster = cls.archive.path / "rehearsal" / "roster.json"

    def setUp(self):
        self.folder = self.archive.folder / self._testMethodName
        self.folder.mkdir()

    def test_an_empty_value_never_switches_off_what_an_option_asks_for(self):
        for command in ([self.record, "--roster", self.roster, "--checkpoint", ""], [self.record, "--roster", ""], [""],
                        [self.record, "--tsa", "", "--timestamp", ""]):
            status, out, err = call("keyceremony-verify", *command)
            self.assertEqual((status, out), (2, ""), command)
            self.assertIn("was given an empty value", err)
        for command in (["check", SCRIPT, "--archive", ""], ["check", SCRIPT, "--archive", self.archive.path, "--checkpoint", ""],
                        ["check", SCRIPT, "--capabilities", ""], ["rehearse", SCRIPT, "--faults", ""],
                        ["rehearse", SCRIPT, "--at", ""], ["show", self.record, "--step", ""], ["replay", ""],
                        ["replay", self.record, "--keep", ""], ["report", self.record, "--out", ""],
                        ["verify", self.record, "--roster", ""]):
            status, out, err = run(*command)
            self.assertEqual((status, out), (2, ""), command)
            self.assertIn("was given an empty value", err)

    def test_a_kept_checkpoint_is_looked_at_or_refused(self):
        status, out, err = run("check", SCRIPT, "--checkpoint", "/dev/zero")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("--checkpoint requires --archive", err)

    def test_a_file_that_may_not_grow_is_an_error_and_leaves_nothing(self):
        commands = {"report": [self.record], "inventory": [self.archive.path], "booklet": [SCRIPT],
                    "destruction": [self.record], "proof": [self.record, "--entry", "5"], "stamp": [self.record],
                    "tiles": [self.record]}
        for command, arguments in commands.items():
            for octets in (0, 50):
                status, out, err = limited(octets, command, *arguments, "--out", self.folder / "out")
                if command == "destruction" and status == 2:
                    continue  # this record destroys nothing
                if status == 0:
                    self.assertEqual((command, octets), ("tiles", 50))
                    continue
                self.assertEqual(status, 4, f"{command} {octets}: {out}{err}")
                self.assertIn("File too large", err)
                self.assertIn("ulimit -f", err)
                self.assertEqual(list(self.folder.iterdir()), [], command)
        status, _, err = limited(3000, "rehearse", SCRIPT, "--unattended", "--quiet", "--archive", self.folder / "archive")
        self.assertEqual(status, 4, err)
        self.assertIn("File too large", err)

    def test_a_pipe_that_nobody_writes_to_is_not_waited_for(self):
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        for options in (["--checkpoint", pipe], ["--checkpoint", self.record / "checkpoint", "--witness", pipe],
                        ["--tsa", pipe, "--timestamp", pipe], ["--roster", pipe]):
            status, out, _ = call("keyceremony-verify", self.record, *options)
            self.assertIn(status, (1, 2), options)
            self.assertNotIn("COMPLETE: ", out)

    def test_what_is_no_folder_is_bad_input_and_no_bug(self):
        loop = self.folder / "loop"
        loop.symlink_to(loop)
        for command in (["status"], ["resume"], ["inventory", "--out", self.folder / "out"]):
            status, _, err = run(command[0], loop, *command[1:])
            self.assertEqual(status, 2, err)
            self.assertNotIn("this is a bug", err)

    def test_a_ceremony_is_held_before_the_last_year_that_a_record_can_tell(self):
        status, _, err = run("rehearse", SCRIPT, "--unattended", "--quiet", "--archive", self.folder / "archive", "--at",
                             "9999-12-31T23:59:59Z")
        self.assertEqual(status, 2)
        self.assertIn("before the year 9999", err)
        self.assertFalse((self.folder / "archive").exists())

    def test_a_path_that_a_terminal_would_obey_is_spelled_out(self):
        archive = self.folder / "archive"
        shutil.copytree(self.archive.path, archive)
        (archive / f"0002-{OBEYED}x").mkdir()
        roster = self.folder / f"roster{OBEYED}.json"
        roster.write_text('{"format": x\x1b}')
        for command in (["keyceremony", "status", archive], ["keyceremony-verify", self.folder / OBEYED],
                        ["keyceremony", "verify", self.folder / OBEYED], ["keyceremony-verify", self.record, OBEYED],
                        ["keyceremony-verify", self.record, "--roster", roster]):
            _, out, err = call(*command)
            self.assertFalse(set(out + err) & set(OBEYED[0] + OBEYED[-1]), (command, out + err))
            self.assertTrue(out + err)

    def test_a_roster_that_is_no_good_is_told_in_our_words_with_its_rule(self):
        roster = self.folder / "roster.json"
        for text, words in (('{"format": x}', "[INPUT-07]"), ('{"a": 1, "a": 2}', '"a" occurs twice in one object [INPUT-02]'),
                            ("{}", "/format is missing [INPUT-03]"), ("[]", "not an object [INPUT-04]")):
            roster.write_text(text)
            status, _, err = call("keyceremony-verify", self.record, "--roster", roster)
            self.assertEqual(status, 2)
            self.assertIn(words, err)
            for theirs in ("json.exception", "last read"):
                self.assertNotIn(theirs, err)

    def test_what_a_killed_run_left_is_in_nobodys_way(self):
        for command, arguments in (("tiles", [self.record]),
                                   ("redact", [self.record, "--rules", SCRIPTS / "smki.redaction.json"])):
            left = self.folder / f"{command}.partial"
            left.mkdir()
            (left / "half").write_text("of a killed run")
            status, out, err = run(command, *arguments, "--out", self.folder / command)
            self.assertEqual(status, 0, out + err)
            self.assertEqual([path.name for path in left.iterdir()], ["half"])
            self.assertEqual(sorted(path.name for path in self.folder.glob(f"{command}*")), [command, f"{command}.partial"])
            status, _, err = run(command, *arguments, "--out", self.folder / command)
            self.assertEqual(status, 1)
            self.assertIn("[RECORD-OUT-01]", err)

    def test_a_place_where_nothing_can_be_written_is_named_as_it_was_given(self):
        for command, arguments in {"report": [self.record], "tiles": [self.record], "stamp": [self.record]}.items():
            status, _, err = run(command, *arguments, "--out", "/nonexistent/x")
            self.assertEqual(status, 4, err)
            self.assertIn("/nonexistent", err)
            self.assertNotIn("keyceremony-new", err)

    def test_an_error_of_lint_is_told_once(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(["keyceremony", "lint", *self.record.glob("artefacts/**/*.pem")], stdout=full,
                                  stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr.count("error:")), (4, 1), done.stderr)

    def test_a_broken_file_of_a_custodian_is_told_with_its_line(self):
        broken = self.folder / "request.json"
        broken.write_text('{\n  "format": "keyceremony-person/1",\n  oops\n}\n')
        status, _, err = run("custodian", "show", broken)
        self.assertEqual(status, 2)
        self.assertIn("request.json:3:3", err)
        self.assertIn("[INPUT-07]", err)
        broken.write_text("{}")
        status, _, err = run("custodian", "show", broken)
        self.assertEqual(status, 2)
        self.assertIn("is none of a custodian's files [INPUT-13]", err)

    def test_each_problem_of_a_file_has_its_rule(self):
        plan = json.loads(SCRIPT.read_text())
        plan["titel"] = "x"
        plan["id"] = 7
        broken = self.folder / "broken.ceremony.json"
        broken.write_text(json.dumps(plan))
        status, _, err = run("check", broken)
        self.assertEqual(status, 2)
        lines = [line for line in err.splitlines() if ": error: " in line]
        self.assertGreater(len(lines), 1)
        for line in lines:
            self.assertRegex(line, r"\[INPUT-\d\d\]$")

    def test_a_crl_profile_that_is_no_good_is_bad_input(self):
        scripts = self.folder / "scripts"
        shutil.copytree(SCRIPTS, scripts)
        (scripts / "profiles/smki-oca-arl.crl-profile.json").write_text("{")
        script, = [path for path in sorted(scripts.glob("*.ceremony.json"))
                   if "smki-oca-arl.crl-profile" in path.read_text()][:1]
        status, out, err = run("check", script)
        self.assertEqual((status, out), (2, ""), err)
        self.assertIn("smki-oca-arl.crl-profile.json:1:2", err)

    def test_a_full_disk_of_a_replay_says_nothing_about_the_record(self):
        status, _, err = limited(2000, "replay", self.record)
        self.assertEqual(status, 4, err)
        self.assertNotIn("REPLAY-RECORD", err)
        self.assertNotIn("resume", err)
        self.assertIn("TMPDIR", err)

    def test_who_could_store_no_inputs_is_not_sent_to_resume(self):
        archive = self.folder / "archive"
        too_small = SCRIPT.stat().st_size - 1  # for the script, and not for what is stored before it
        status, _, err = limited(too_small, "rehearse", SCRIPT, "--unattended", "--quiet", "--archive", archive)
        self.assertEqual(status, 4, err)
        self.assertEqual([log.read_bytes() for log in archive.glob("0001-*/log.jsonl")], [b""])
        self.assertNotIn("keyceremony resume", err)

    def test_a_capability_sheet_says_mechanisms_and_digests(self):
        sheet = {"format": "keyceremony-capabilities/1",
                 "token": dict.fromkeys(("label", "serial", "manufacturer", "model", "hardware", "firmware"), "x"),
                 "module": dict.fromkeys(("path", "sha256", "manufacturer", "description", "version", "behaves_as"), ""),
                 "tried": False, "mechanisms": ["CKM_ECDSA", "0x80000001"], "trials": [], "findings": [], "scripts": []}
        path = self.folder / "sheet.json"
        path.write_text(json.dumps(sheet))
        self.assertIn(run("check", SCRIPT, "--capabilities", f"root-hsm={path}")[0], (0, 1))
        for part, value in (("module", {**sheet["module"], "sha256": "/etc/passwd"}), ("mechanisms", ["/etc/passwd"])):
            path.write_text(json.dumps({**sheet, part: value}))
            status, _, err = run("check", SCRIPT, "--capabilities", f"root-hsm={path}")
            self.assertEqual(status, 2, err)
            self.assertIn("[INPUT-05]", err)

    def test_a_ceremony_that_was_killed_and_resumed_is_the_same_in_a_replay(self):
        for number, step in enumerate(("certify-root", "commission", "generate-root")):
            archive = self.folder / str(number)
            with subprocess.Popen(["keyceremony", "rehearse", SCRIPT, "--unattended", "--quiet", "--archive", archive],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as program:
                begun = f'"id":"{step}","phase":"begin"'
                while program.poll() is None and not any(begun in log.read_text() for log in archive.glob("0001-*/log.jsonl")):
                    pass
                program.send_signal(signal.SIGKILL)
            record, = archive.glob("0001-*")
            self.assertEqual(run("resume", record, "--unattended", "--quiet")[0], 0)
            status, out, err = run("replay", record)
            self.assertEqual(status, 0, out + err)

    def test_the_names_of_ceremonies_are_private(self):
        archive = self.folder / "deep" / "archive"
        status, out, err = run("rehearse", SCRIPT, "--unattended", "--quiet", "--archive", archive)
        self.assertEqual(status, 0, out + err)
        self.assertEqual(oct(archive.stat().st_mode & 0o777), "0o700")


if __name__ == "__main__":
    unittest.main()
