#!/usr/bin/env python3
"""The report in a real browser: it verifies its own log from fingerprints that are typed, as fast as it promises; it
runs no script of a record; and it prints what it must on every page. Registered where Chromium and pdftotext are."""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ["KEYCEREMONY_SOURCE_DIR"])
sys.path[:0] = [str(SOURCE / "tests/cli"), str(SOURCE / "tests/support")]
import chromium  # noqa: E402
import record_builder  # noqa: E402
from ceremony_test import run  # noqa: E402

WORDS = "globalThis.hacked = (globalThis.hacked ?? 0) + 1"
HOSTILE = [f"<script>{WORDS}</script>", f"<img src=x onerror='{WORDS}'>", f"\"><svg onload='{WORDS}'>",
           f"</script><script>{WORDS}</script>", "</textarea></style></title><h1>FORGED: COMPLETE</h1>",
           f"javascript:{WORDS}", "{{7*7}}${7*7}", "\u202egnitirw desrever", "&lt;b&gt;&#x3c;"]


def fingerprints(roster):
    """Of the custodians' signing keys, in the roster's order, as hexadecimal digits."""
    people = json.loads(pathlib.Path(roster).read_text())["people"]
    return {person["id"]: hashlib.sha256(base64.b64decode(person["sign_key"])).hexdigest()
            for person in people if person.get("sign_key")}


class LongRecord(record_builder.Record):
    """One that goes on for longer than an hour."""

    def add(self, entry_type, **fields):
        seq = len(self.lines)
        time_of = f"2026-11-21T{9 + seq // 3600:02}:{seq // 60 % 60:02}:{seq % 60:02}.000000Z"
        return super().add(entry_type, **{"time": time_of, **fields})


class Browser(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="keyceremony-browser-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def report(self, record, roster=None, name="report.html"):
        path = self.folder / name
        began = time.monotonic()
        status, out, err = run("report", record, *(["--roster", roster] if roster else []), "--out", path)
        self.assertEqual(status, 0, out + err)
        self.seconds = time.monotonic() - began
        return path

    def pins(self, page, roster):
        """Fingerprints in the order in which the page asks for them."""
        known = fingerprints(roster)
        asked = page.run("[...document.querySelectorAll('#pins label')].map((label) => label.textContent.trim())")
        self.assertTrue(asked, page.run("document.getElementById('verify')?.innerText"))
        return [known[name.rsplit("/", 1)[1]] for name in asked]

    def rehearsed(self):
        archive = self.folder / "archive"
        status, out, err = run("rehearse", SOURCE / "scripts/smki-root-oca.ceremony.json", "--unattended", "--quiet",
                               "--archive", archive)
        self.assertEqual(status, 0, out + err)
        return archive / "0001-smki-root-oca", archive / "rehearsal/roster.json"

    def test_fingerprints_that_are_typed_give_the_verdict_and_a_wrong_one_does_not(self):
        record, roster = self.rehearsed()
        with chromium.Page(self.report(record, roster)) as page:
            pins = self.pins(page, roster)
            self.assertTrue(page.verify(pins, 3)[0].startswith("COMPLETE as far as the log goes"))
            self.assertTrue(page.verify([], 3)[0].startswith("UNPINNED"))
            wrong = [pin[:-1] + ("0" if pin[-1] != "0" else "1") for pin in pins]
            self.assertFalse(page.verify(wrong, 3)[0].startswith("COMPLETE"))
            self.assertIn("64 hexadecimal digits", page.verify(["beef"], 3)[0])
            # One byte of the log that the page carries.
            page.run("""(() => { const block = document.querySelector('script[data-path="log.jsonl"]');
              const text = atob(block.textContent.trim()); const at = text.indexOf('"mode"');
              globalThis.changed = btoa(text.slice(0, at + 1) + 'n' + text.slice(at + 2)); })()""")
            html = (self.folder / "report.html").read_text()
            start = html.index('data-path="log.jsonl"')
            start = html.index(">", start) + 1
            end = html.index("</script>", start)
            (self.folder / "changed.html").write_text(html[:start] + page.run("globalThis.changed") + html[end:])
        with chromium.Page(self.folder / "changed.html") as page:
            self.assertTrue(page.verify(pins, 3)[0].startswith("INVALID"))

    def test_a_record_of_10000_entries_is_told_and_verified_in_time(self):
        record = LongRecord()
        notes = lambda made: [made.add("note", text=f"note {i} of what was said in the room") for i in range(9980)]
        record.ceremony_entries(extra={"approved": notes})
        folder = self.folder / "large"
        record_builder.complete(folder, record)
        roster = self.folder / "roster.json"
        roster.write_bytes(record.roster())
        lines = (folder / "log.jsonl").read_bytes().count(b"\n")
        self.assertGreaterEqual(lines, 10000)
        path = self.report(folder, roster)
        size = path.stat().st_size
        with chromium.Page(path) as page:
            # The page stays below its 5 MB and carries no log of that size: the folder is chosen, as it says.
            self.assertIn("The log is too large for this page", page.run("document.getElementById('verify').innerText"))
            page.choose("folder", folder)
            page.until("document.querySelectorAll('#pins input').length === 5")
            text, took = page.verify(self.pins(page, roster), 3)
        print(f"{lines} entries: report in {self.seconds:.3f} s, {size} bytes; verified in the browser in {took} ms",
              file=sys.stderr)
        self.assertTrue(text.startswith("COMPLETE"), text)
        self.assertLessEqual(size, 5_000_000)

    def test_nothing_of_a_record_becomes_markup_or_runs(self):
        record, _ = self.rehearsed()
        log = record / "log.jsonl"
        entries = [json.loads(line) for line in log.read_bytes().splitlines()]
        kept = {"type", "time", "mode", "v", "seq", "phase", "salt", "id", "step", "person", "do"}
        count = 0
        for entry in entries:
            for field, value in entry.items():
                if isinstance(value, str) and field not in kept:
                    entry[field] = HOSTILE[count % len(HOSTILE)]
                    count += 1
        self.assertGreater(count, 250)
        log.write_text("".join(json.dumps(e, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
                               for e in entries))
        with chromium.Page(self.report(record)) as page:
            self.assertIsNone(page.run("globalThis.hacked"))
            self.assertEqual(page.run("[...document.querySelectorAll('h1')].length"), 1)
            self.assertEqual(page.run("document.querySelectorAll('img, iframe, object, embed, link, base').length"), 0)
            self.assertEqual(page.run("document.querySelectorAll('[onerror], [onload], [onclick]').length"), 0)
            self.assertEqual(page.run("[...document.querySelectorAll('a')].filter((a) => a.protocol === 'javascript:').length"), 0)
            self.assertIn("<script>", page.run("document.body.innerText"))

    def test_an_incomplete_record_says_so_on_every_printed_page(self):
        record, roster = self.rehearsed()
        (record / "addendum.note").unlink()
        with chromium.Page(self.report(record, roster)) as page:
            printed = base64.b64decode(page.ask("Page.printToPDF", preferCSSPageSize=True)["data"])
        text = subprocess.run(["pdftotext", "-layout", "-", "-"], input=printed, capture_output=True, check=True).stdout
        pages = text.decode().split("\f")[:-1]
        self.assertGreater(len(pages), 4)
        for number, words in enumerate(pages, 1):
            self.assertIn("INCOMPLETE", words, f"page {number}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
