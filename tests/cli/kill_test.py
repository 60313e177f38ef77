#!/usr/bin/env python3
"""Kills the real program at random moments of a ceremony, and its resumes too, until one comes through.

The moments are drawn from a seed that a failure names: KEYCEREMONY_SEED=N plays the same ones again, and
KEYCEREMONY_KILLS=N plays more of them.
"""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ["KEYCEREMONY_SOURCE_DIR"])
SCRIPT = SOURCE / "scripts" / "smki-root-oca.ceremony.json"
SEED = int(os.environ.get("KEYCEREMONY_SEED", "20261121"))
KILLS = int(os.environ.get("KEYCEREMONY_KILLS", "12"))
MOST_RESUMES = 8


def play(*command, kill_after=None):
    """Runs `keyceremony`; kills it after that many seconds, unless it is over. Returns its status and stderr."""
    with subprocess.Popen(["keyceremony", *map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as program:
        try:
            _, err = program.communicate(timeout=kill_after)
        except subprocess.TimeoutExpired:
            program.send_signal(signal.SIGKILL)
            _, err = program.communicate()
        return program.returncode, err


class Kill(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="keyceremony-kill-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def begin(self, archive):
        return ("rehearse", SCRIPT, "--unattended", "--archive", archive)

    def go_on(self, archive):
        """The command with which a person goes on, whatever the kill has left."""
        records = sorted(archive.glob("[0-9]*-*"))
        if records and (records[-1] / "inputs" / "log-key.json").exists():
            return ("resume", records[-1], "--unattended")
        return self.begin(archive)

    def test_every_kill_ends_in_a_complete_record_with_one_key(self):
        clean = self.folder / "clean"
        started = time.monotonic()
        status, err = play(*self.begin(clean))
        whole = time.monotonic() - started
        self.assertEqual(status, 0, err)
        chance = random.Random(SEED)
        moments = [(chance.uniform(0.02, 1.0) * whole, chance.uniform(0.02, 0.6) * whole) for _ in range(KILLS)]
        for number, (first, second) in enumerate(moments):
            with self.subTest(seed=SEED, number=number):
                self.kill_and_go_on(self.folder / f"archive-{number}", first, second)

    def kill_and_go_on(self, archive, first, second):
        status, _ = play(*self.begin(archive), kill_after=first)
        if status != 0:
            status, _ = play(*self.go_on(archive), kill_after=second)
        for _ in range(MOST_RESUMES):
            if status == 0:
                break
            status, err = play(*self.go_on(archive))
        self.assertEqual(status, 0, err if status else "")
        record = sorted(archive.glob("[0-9]*-*"))[-1]
        status, out, err = self.verify(record, archive / "rehearsal" / "roster.json")
        self.assertEqual((status, json.loads(out)["verdict"]), (0, "COMPLETE"), out + err)
        self.assert_came_through(record)

    def assert_came_through(self, record):
        keys = [json.loads(line) for line in (record / "log.jsonl").read_text().splitlines()
                if '"effect":"key-created"' in line]
        self.assertEqual(len(keys), 1)

    def verify(self, record, roster):
        done = subprocess.run(["keyceremony-verify", record, "--roster", roster, "--json"], capture_output=True,
                              text=True, check=False)
        return done.returncode, done.stdout, done.stderr


if __name__ == "__main__":
    unittest.main()
