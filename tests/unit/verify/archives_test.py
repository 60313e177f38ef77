"""Holds keyceremony-verify and docs/verify_archive.py against archives: records dropped, swapped, replayed and misnamed, keys and
their copies followed from one record to the next, custodians who come and go. The verdict that the format wants, from both."""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ.get("KEYCEREMONY_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
sys.path[:0] = [os.path.join(SOURCE, "tests/support"), os.path.join(SOURCE, "docs")]

import record_builder as builder  # noqa: E402
import verify_archive  # noqa: E402

COMPLETE, UNPINNED, INCOMPLETE, INVALID = "COMPLETE", "UNPINNED", "INCOMPLETE", "INVALID"
PEOPLE = ("alice", "bob", "carol", "dave", "erin")
OTHERS = ("frank", "grace", "heidi", "ivan", "judy")


class Archive:
    """An archive in the making; each record goes on from the one before."""

    def __init__(self, folder):
        self.folder, self.count, self.previous = folder, 0, None

    def add(self, effects=(), people=PEOPLE, roster=None, approved=..., do="custodian.appoint", named=True, withheld=(), **more):
        """A record with a step that has these effects; `roster` is one that it writes for the next.

        `approved` is what its quorum approves as that, `do` the step that writes it, `named` whether an entry names it,
        `withheld` are paths and types of entries that are not shown."""
        self.count += 1
        do = "a" if roster is None else do
        planned = {"id": "x", "do": do, **({} if roster is None else {"quorum": "custodians"})}
        def step(record):
            record.step("x", do, "begin")
            if roster is not None:
                digest = builder.sha(roster if approved is ... else approved).hex() if approved is not None else None
                subject = {"person": "frank", **({"roster_sha256": digest} if digest else {})}
                record.approve("x", people[1:4], subject=subject, subject_sha256=builder.sha(builder.canonical(subject)).hex(),
                               **({"without": "frank"} if do == "custodian.retire" else {}))
                if named:
                    record.artefact("roster.json", roster, kind="roster")
                else:
                    record.files["artefacts/roster.json"] = roster
            record.step("x", do, "end", effects=list(effects))
        record = builder.Record(ceremony=f"c{self.count}", people=people, previous=self.previous, number=self.count, log=f"log {self.count}", more=[planned])
        opening, approving, closing, addendum = people[:3], people[1:4], people[2:5], people[:3]
        record.ceremony_entries(opening, approving, {"closing": step})
        _, files = builder.complete(self.path(self.count), record, closing, addendum)
        if withheld:
            entries = {i for i, line in enumerate(record.lines) if json.loads(line)["type"] in withheld}
            shutil.rmtree(self.path(self.count))
            for path, content in builder.bundle(record, files, entries, [path for path in withheld if "/" in path]).items():
                os.makedirs(os.path.dirname(os.path.join(self.path(self.count), path)), exist_ok=True)
                with open(os.path.join(self.path(self.count), path), "wb") as file:
                    file.write(content)
        origin, size, root, _ = record.checkpoint_text().split("\n")
        self.previous = {"origin": origin, "size": int(size), "root": base64.b64decode(root).hex(), **more}
        return record

    def path(self, number, name=None):
        return os.path.join(self.folder, name or f"{number:04}-c{number}")

    def rename(self, number, name):
        os.rename(self.path(number), self.path(number, name))

    def remove(self, number, *names):
        if not names:
            shutil.rmtree(self.path(number))
        for name in names:
            os.unlink(os.path.join(self.path(number), name))


def roster_of(people):
    return builder.Record(people=people).roster()


MADE = {"effect": "key-created", "key": "root", "token": "one", "spki_sha256": "aa" * 32}
CLONED = {"effect": "key-cloned", "key": "root", "source": "one", "token": "two"}
ENDED = {"effect": "key-destroyed", "key": "root"}
GONE = {"effect": "copy-destroyed", "key": "root", "token": "one"}
GONE_TOO = {"effect": "copy-destroyed", "key": "root", "token": "two"}
SEALED = {"effect": "key-sealed", "key": "root"}


class ArchivesTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = scratch.name

    def hold(self, archive, verdict, roster=PEOPLE):
        command = ["keyceremony-verify", archive.folder, "--json", "--threads", "1"]
        path = None
        if roster:
            path = os.path.join(self.scratch, "roster.json")
            with open(path, "wb") as file:
                file.write(roster_of(roster))
            command += ["--roster", path]
        answer = json.loads(subprocess.run(command, capture_output=True, timeout=60, check=False).stdout)
        told = verify_archive.verdict(archive.folder, path)
        findings = answer["findings"] + [record["findings"] for record in answer["records"]]
        self.assertEqual((answer["verdict"], told[0]), (verdict, verdict), f"program: {findings}; script: {told[1]}")

    def archive(self, name, *records):
        archive = Archive(os.path.join(self.scratch, name))
        for record in records or ((), ()):
            archive.add(record)
        return archive

    def test_a_chain_of_complete_records_is_complete_and_what_else_lies_there_is_no_record(self):
        archive = self.archive("whole", (), (), ())
        self.hold(archive, COMPLETE)
        self.hold(archive, UNPINNED, roster=None)
        os.makedirs(archive.path(0, "rehearsal/tokens"))
        os.makedirs(archive.path(0, "01-x"))
        os.makedirs(archive.path(0, "00004-x"))
        self.hold(archive, COMPLETE)

    def test_a_record_that_is_missing_or_stands_elsewhere_is_seen(self):
        for name, change in (
                ("the first is dropped", lambda archive: archive.remove(1)),
                ("one in the middle is dropped", lambda archive: archive.remove(2)),
                ("the first is dropped, and the second renumbered", lambda archive: (archive.remove(1), archive.rename(2, "0001-c2"), archive.remove(3))),
                ("the first is now the last", lambda archive: archive.rename(1, "0004-c1")),
                ("the first is played again", lambda archive: shutil.copytree(archive.path(1), archive.path(0, "0004-c1"))),
                ("two have one number", lambda archive: archive.rename(3, "0002-c3")),
                ("one has another name", lambda archive: archive.rename(2, "0002-other")),
                ("one has lost its final checkpoint", lambda archive: archive.remove(2, "addendum.note", "checkpoint"))):
            with self.subTest(name):
                archive = self.archive(name, (), (), ())
                change(archive)
                self.hold(archive, INVALID)

    def test_the_last_record_may_be_missing_unseen_and_the_worst_record_decides(self):
        archive = self.archive("short", (), (), ())
        archive.remove(3)
        self.hold(archive, COMPLETE)
        archive.remove(2, "addendum.note")
        self.hold(archive, INCOMPLETE)

    def test_keys_and_copies_are_followed_from_one_record_to_the_next(self):
        for name, verdict, records in (
                ("a key lives and ends", COMPLETE, ([MADE], [CLONED, SEALED], [GONE, GONE_TOO, ENDED])),
                ("a copy in a later record is left", INVALID, ([MADE], [CLONED], [GONE, ENDED])),
                ("a key is used after its end", INVALID, ([MADE], [GONE, ENDED], [SEALED])),
                ("a key is made again", INVALID, ([MADE], [], [MADE])),
                ("the same key has another name", INVALID, ([MADE], [{**MADE, "key": "other"}])),
                ("a copy is destroyed twice", INVALID, ([MADE, CLONED], [GONE], [GONE])),
                ("a copy of what is not there", INVALID, ([MADE], [GONE], [CLONED])),
                ("a key from before the archive", COMPLETE, ([CLONED], [GONE, ENDED], [SEALED]))):
            with self.subTest(name):
                self.hold(self.archive(name, *records), verdict)

    def test_who_is_trusted_hands_on_to_the_roster_that_they_wrote(self):
        archive = Archive(os.path.join(self.scratch, "succession"))
        archive.add(roster=roster_of(OTHERS))
        archive.add(people=OTHERS)
        self.hold(archive, COMPLETE)
        self.hold(archive, UNPINNED, roster=OTHERS)  # nobody whom the reader trusts vouches for the first record's people
        self.hold(archive, INVALID, roster=("mallory", "niaj", "olivia", "peggy", "rupert"))

    def test_a_roster_that_nobody_approved_hands_nothing_on(self):
        theirs = roster_of(OTHERS)
        for name, verdict, how in (
                ("approved", COMPLETE, {}), ("approved at a retirement", COMPLETE, {"do": "custodian.retire"}),
                ("approved, its entry withheld", COMPLETE, {"withheld": ["artefact"]}),
                ("that only lies there", INVALID, {"approved": None, "named": False}),
                ("that an entry names", INVALID, {"approved": None}),
                ("where another was approved", INVALID, {"approved": roster_of(PEOPLE)}),
                ("of a step that does something else", INVALID, {"do": "a"})):
            with self.subTest(name):
                archive = Archive(os.path.join(self.scratch, name))
                archive.add(roster=theirs, **how)
                archive.add(people=OTHERS)
                self.hold(archive, verdict)

    def test_a_roster_that_the_machine_cannot_read_is_no_fault_of_the_archive(self):
        with self.assertRaises(OSError):
            verify_archive.handed_on(roster_of(OTHERS), "/proc/self/mem")

    def test_a_roster_that_is_withheld_hands_nothing_on_and_those_who_vouched_go_on(self):
        for name, people, verdict in (("the same people", PEOPLE, COMPLETE), ("others", OTHERS, INVALID)):
            archive = Archive(os.path.join(self.scratch, "withheld, then " + name))
            archive.add(roster=roster_of(OTHERS), withheld=["artefacts/roster.json"])
            archive.add(people=people)
            self.hold(archive, verdict)

    def test_people_whom_nobody_appointed_are_seen(self):
        archive = Archive(os.path.join(self.scratch, "takeover"))
        archive.add()
        archive.add(people=OTHERS)
        self.hold(archive, INVALID)


if __name__ == "__main__":
    unittest.main()
