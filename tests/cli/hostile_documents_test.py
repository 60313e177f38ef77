#!/usr/bin/env python3
"""A record in which every string is hostile, and which everybody signed: each document that is made of it, and what is
said of it on the terminal, stays text. Nothing runs, nothing is hidden, and nothing is written where it should not be."""
import itertools
import json
import pathlib
import re
import shutil
import sys
import unittest

from archive import SOURCE, Archive, run, scratch
import chromium
from hostile import HOSTILE, Tame, everywhere
from retold import Retold

LONG = "<b>" + "W" * 3000
TRAVERSAL = ["../../../../tmp/keyceremony-hostile", "/etc/passwd", "..\\..\\x", "a/../../b", ".", "~root/.ssh/authorized_keys"]
EVERY = [*HOSTILE, *TRAVERSAL, LONG, "\u0000", "a\u0000b", "\u001b[2J\u001b]0;title\u0007", "\u202edetrevni\u202c", "\r\n\r\nCOMPLETE", "%s%n%x", "", " "]
# What a terminal obeys, and what turns or hides the words beside it.
OBEYED = re.compile("[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
# What the signatures stand on, and by what an entry is told at all.
SIGNED = ("type", "time", "mode", "phase", "note", "line", "log_key", "origin", "inputs", "sha256", "name", "salt", "subject_sha256")
FRAME = (*SIGNED, "effect", "what", "do", "id", "step", "person", "key", "token", "certificate", "set")


class Hostile(Tame):
    @classmethod
    def setUpClass(cls):
        cls.held = Archive(cls)
        shutil.copy(SOURCE / "tests/support/small_hierarchy.ceremony.json", cls.held.script("small-hierarchy"))
        status, out, err = cls.held.rehearse("small-hierarchy")
        assert status == 0, out + err

    def setUp(self):
        self.folder = scratch(self)

    def hostile_record(self, kept):
        """An archive of one record in which every string is another one, but for those members; and the roster that signed."""
        record = self.held.record(1)
        told = Retold(record, self.held.roster)
        count = itertools.count()
        hostile = (EVERY[i % len(EVERY)] for i in count)
        for entry in told.entries:
            changed = everywhere({name: value for name, value in entry.items() if name not in kept}, hostile, kept)
            entry.update(changed)
        (script,) = [path for path in told.files if path.endswith(".ceremony.json")]
        plan = everywhere(json.loads(told.files[script]), hostile, ("format", *kept))
        told.files[script] = json.dumps(plan, ensure_ascii=False).encode()
        self.assertGreater(next(count), 300)
        archive = self.folder / "archive"
        archive.mkdir()
        roster = told.write(archive / record.name)
        return archive / record.name, shutil.move(roster, self.folder / "roster.json")

    def test_every_document_and_every_line_of_a_hostile_record_stays_text(self):
        for kept in (FRAME, SIGNED):
            with self.subTest(kept=len(kept)):
                record, roster = self.hostile_record(kept)
                out = self.folder / "out"
                out.mkdir()
                (script,) = record.glob("inputs/*.ceremony.json")
                pages = []
                for name, command in {"report": ("report", record, "--roster", roster), "inventory": ("inventory", record.parent),
                                      "destruction": ("destruction", record), "booklet": ("booklet", script)}.items():
                    path = out / f"{name}.html"
                    self.tame_words(name, *run(*command, "--out", path))
                    if path.exists():
                        pages.append(path)
                self.assertIn(out / "report.html", pages)
                for command in (("show", record, "--roster", roster), ("show", record, "--exceptions"), ("verify", record, "--roster", roster),
                                ("verify", record, "--explain"), ("status", record.parent), ("replay", record), ("check", script),
                                ("compare", record, record)):
                    self.tame_words(" ".join(map(str, command)), *run(*command))
                self.assertEqual({path.name for path in out.iterdir()}, {path.name for path in pages})
                self.assertEqual({path.name for path in self.folder.iterdir()}, {"archive", "roster.json", "out"})
                for path in pages:
                    with self.subTest(page=path.name), chromium.Page(path) as page:
                        self.assert_tame(page)
                        if path.name == "report.html":
                            page.verify([], 3)
                            self.assert_tame(page)
                            self.assertIn("<script>", page.run("document.body.innerText"))
                shutil.rmtree(out)
                shutil.rmtree(record.parent)
                pathlib.Path(roster).unlink()
        self.assertFalse(pathlib.Path("/tmp/keyceremony-hostile").exists())

    def test_a_line_that_nests_without_end_ends_no_program(self):
        record = self.folder / "archive" / "0001-small-hierarchy"
        shutil.copytree(self.held.path / record.name, record)
        untouched = self.held.path / record.name
        log = record / "log.jsonl"
        lines = log.read_bytes().splitlines(keepends=True)
        # Those that readers look for: the entry of a step with its effects, one with a salted digest, and the first.
        ends = next(n for n, line in enumerate(lines) if b'"effects":' in line)
        for opened, closed, levels in ((b"[", b"]", 30_000), (b'{"a":', b"}", 10_000)):
            deep = b'{"a":' + opened * levels + b'{"_sd":"' + b"Q" * 43 + b'"}' + closed * levels + b","
            for place in (0, ends):
                changed = list(lines)
                changed[place] = deep + lines[place][1:]
                self.assertLess(len(changed[place]), 65_535)
                log.write_bytes(b"".join(changed))
                with self.subTest(place=place, opened=opened):
                    for name, *command in (("report", record), ("destruction", record), ("inventory", record.parent)):
                        page = self.folder / f"{name}.html"
                        self.tame_words(name, *run(name, *command, "--out", page))
                        page.unlink(missing_ok=True)
                    for command in (("show", record), ("verify", record), ("verify", record, "--explain"), ("status", record.parent),
                                    ("replay", record), ("compare", record, untouched), ("check", *record.glob("inputs/*.ceremony.json"), "--archive", record.parent)):
                        self.tame_words(" ".join(map(str, command)), *run(*command))
                    out = run("show", record)[1]
                    self.assertIn("1 line of the log could not be read", " ".join(out.split()))

    def tame_words(self, name, status, out, err):
        self.assertIn(status, (0, 1, 2, 6, 7, 8), f"{name}: {err}")
        for words in (out, err):
            found = OBEYED.search(words)
            self.assertIsNone(found, f"{name}: {found and words[max(0, found.start() - 60):found.end() + 20]!r}")


if __name__ == "__main__":
    if chromium.find() is None:
        print("chromium is missing: scripts/dev/install-packages test", file=sys.stderr)
        sys.exit(77)
    unittest.main(verbosity=2)
