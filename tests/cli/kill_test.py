#!/usr/bin/env python3
"""Kills the real program at random moments of a ceremony, and its resumes too, until one comes through.

The moments are drawn from a seed that a failure names: KEYCEREMONY_SEED=N plays the same ones again, and
KEYCEREMONY_KILLS=N plays more of them.
"""
import json
import os
import random
import signal
import subprocess
import time
import unittest

from archive import SCRIPTS, entries, scratch, verified

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
    SCRIPT = SCRIPTS / "smki-root-oca.ceremony.json"

    def setUp(self):
        self.folder = scratch(self)

    def begin(self, archive):
        return ("rehearse", self.SCRIPT, "--unattended", "--archive", archive)

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
        status, answer = verified(record, archive / "rehearsal" / "roster.json")
        self.assertEqual((status, answer["verdict"]), (0, "COMPLETE"), answer["findings"])
        self.assert_came_through(record)

    def effects(self, record, effect):
        return [each for entry in entries(record) for each in entry.get("effects", []) if each["effect"] == effect]

    def assert_came_through(self, record):
        self.assertEqual(len(self.effects(record, "key-created")), 1)


class KilledAppointment(Kill):
    """The same random kills as for the root ceremony."""

    SCRIPT = SCRIPTS / "smki-custodian-appoint.ceremony.json"

    def assert_came_through(self, record):
        effects = self.effects(record, "person-appointed")
        self.assertEqual([effect["person"] for effect in effects], ["frank"])
        written = json.loads((record / "artefacts" / "roster.json").read_text())
        frank = next(person for person in written["people"] if person["id"] == "frank")
        self.assertEqual((frank["state"], frank["sign_key"], frank["history"][-1]["on"]), ("active", effects[0]["sign_key"], effects[0]["on"]))


if __name__ == "__main__":
    unittest.main()
