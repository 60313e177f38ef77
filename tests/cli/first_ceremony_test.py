#!/usr/bin/env python3
"""The chapter "The first ceremony with your own people" of docs/operator-guide.md, as somebody at a desk types it."""
import os
import pathlib
import re
import sys
import time
import unittest

from archive import SOURCE, copy_scripts, entries, run, scratch, verified
import room

sys.path.insert(1, str(SOURCE / "tests" / "project"))
import documents  # noqa: E402

GUIDE = "docs/operator-guide.md"
SECRETS = {person: f"four words for {person}" for person in ("alice", "bob", "carol")}
NAMES = {"Alice Archer": "alice", "Bob Okafor": "bob", "Carol Nguyen": "carol"}


def passphrase(match):
    return SECRETS[NAMES[match.group(1)]]


ANSWERS = [
    (r"Asked: ([A-Z]\w+ [A-Z]\w+)\n[^┌]*new passphrase for your credential", passphrase),
    (r"Asked: ([A-Z]\w+ [A-Z]\w+)\n[^┌]*passphrase of your credential", passphrase),
    (r"user PIN of token \"record\"", room.PIN + "record"),
    (r"where are they\?", "in the room"),
    (r"Read a radio clock", lambda _: time.strftime("%H:%M:%S", time.gmtime())),
    (r"Do you open your new share", "open"),
    (r"Do you give your share", "give"),
    (r"Do you approve", "approve"),
    (r"stay or leave", "stays"),
    (r"that the script does not say", "nothing to add"),
    (r"Is that right\?", "yes"),
    (r"Type exactly:\s+(\S+)", r"\1"),
    (r"For example:  ([A-Z]{2}\d{6})", r"\1"),
]


class FirstCeremony(unittest.TestCase):
    def setUp(self):
        self.folder = scratch(self)
        copy_scripts(self.folder)
        self.answers = list(ANSWERS)

    def play(self, command):
        """Types a command that asks people, and answers; returns what was shown."""
        again = (r"the same once more", lambda _: SECRETS[re.search(r"--id (\w+)", command).group(1)])
        player = room.Player([again] + self.answers)
        self.addCleanup(player.stop)
        player.start("bash", "-c", f"cd {self.folder} && {command}")
        if "softhsm2-util" in command:
            for pin in (room.SO_PIN, room.SO_PIN, room.PIN, room.PIN):
                self.wait_for_a_pin(player)
                os.write(player.fd, (pin + "record\r").encode())
        self.assertEqual(player.play(), 0, player.shown[-3000:])
        return player.shown

    def wait_for_a_pin(self, player):
        asked = player.shown.count("enter ")
        deadline = time.monotonic() + room.PATIENCE
        while player.shown.count("enter ") == asked or not player.shown.endswith(": "):
            self.assertTrue(player.pump(0.05), player.shown)
            self.assertLess(time.monotonic(), deadline, player.shown)

    def run_quietly(self, block):
        documents.run_block(block, str(self.folder), str(self.folder))

    def run_block(self, block):
        if block.tag == "sh":
            self.run_quietly(block)
            return
        for command, status, expected in documents.exchanges_of(block):
            if any(line.strip() for line in expected):
                text = "\n".join([f"$ {command}"] + expected)
                self.run_quietly(documents.Block("console", block.line, text, None))
            else:
                self.assertEqual(status, 0)
                self.play(command)

    def test_the_chapter_is_a_whole_ceremony(self):
        guide = (SOURCE / GUIDE).read_text()
        here = "tests/cli/" + pathlib.Path(__file__).name
        blocks = [block for block in documents.blocks_of(guide) if block.run_by == here]
        self.assertGreater(len(blocks), 9)
        for block in blocks:
            self.run_block(block)
        rehearsed, held = (self.folder / "first" / place / "archive" / "0001-smki-root-oca" for place in ("rehearsal", "uit"))
        self.assertEqual({entry["mode"] for entry in entries(rehearsed)}, {"rehearsal"})
        self.assertEqual({entry["mode"] for entry in entries(held)}, {"production"})
        self.assertEqual(entries(held, type="open")[0]["environment"], "uit")
        for record in (rehearsed, held):
            self.assertFalse([entry for entry in entries(record) if "simulated" in entry])
        for program in ("keyceremony-verify", "keyceremony"):
            said = [run(*([] if program.endswith("verify") else ["verify"]), record, program=program)[1]
                    for record in (rehearsed, held)]
            self.assertNotIn("environment", said[0])
            self.assertIn("  environment uit\n", said[1])
        self.assertEqual([verified(record, self.folder / "first/roster.json")[1].get("environment") for record in (rehearsed, held)], [None, "uit"])
        self.no_stand_ins_beside(rehearsed.parent)

    def no_stand_ins_beside(self, archive):
        """An archive has stand-ins or people of its own."""
        script, binding = self.folder / "scripts/smki-root-oca.ceremony.json", self.folder / "first/rehearsal/binding.json"
        before = sorted(archive.rglob("*"))
        status, _, err = run("rehearse", script, "--archive", archive, "--unattended")
        self.assertEqual((status, "REHEARSAL-OWN-02" in err), (1, True), err)
        status, _, err = run("rehearse", script, "--archive", archive, "--binding", binding, "--unattended")
        self.assertEqual(status, 2, err)
        status, _, err = run("resume", archive / "0001-smki-root-oca", "--unattended")
        self.assertEqual((status, "RUN-ENV-03" in err), (1, True), err)
        self.assertEqual(sorted(archive.rglob("*")), before)
        desk = self.folder / "desk"
        self.assertEqual(run("rehearse", script, "--archive", desk, "--unattended", "--quiet")[0], 0)
        for place, rule in ((binding, "REHEARSAL-OWN-01"), (self.folder / "first/uit/binding.json", "RUN-ENV-02")):
            player = room.Player([])
            self.addCleanup(player.stop)
            player.start("keyceremony", "rehearse", script, "--archive", desk, "--binding", place, "--roster", self.folder / "first/roster.json")
            self.assertEqual(player.play(), 1, player.shown)
            self.assertIn(rule, player.shown)


if __name__ == "__main__":
    unittest.main()
