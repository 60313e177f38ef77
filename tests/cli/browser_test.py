#!/usr/bin/env python3
"""The report in a real browser: it verifies its own log from fingerprints that are typed, as fast as it promises; it
runs no script of a record; and it prints what it must on every page."""
import base64
import hashlib
import itertools
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from archive import SOURCE, Archive, run, scratch, verified
import chromium
from hostile import HOSTILE, HOSTILE_NAME, WORDS, Tame, everywhere
import record_builder


def json_line(entry):
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


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


class Browser(Tame):
    def setUp(self):
        self.folder = scratch(self)

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

    @classmethod
    def setUpClass(cls):
        cls.held, cls.ended = Archive(cls), Archive(cls)
        status, out, err = cls.held.rehearse("smki-root-oca")
        assert status == 0, out + err

    def rehearsed(self):
        archive = self.folder / "archive"
        shutil.copytree(self.held.path, archive)
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
        frame = ("type", "time", "mode", "phase", "effect", "what")  # by which an entry is told
        names = (*frame, "id", "step", "person", "do", "key", "token", "certificate", "set")  # by which entries belong together
        script = record / "inputs/smki-root-oca.ceremony.json"
        for kept in (names, frame, ()):
            count = itertools.count()
            hostile = (HOSTILE[i % len(HOSTILE)] for i in count)
            log.write_text("".join(json_line(everywhere(entry, hostile, kept)) for entry in entries))
            plan = everywhere(json.loads(script.read_text()), hostile, ("format", *kept))
            script.write_text(json.dumps(plan))
            for name in ("checkpoint", "addendum.note", "policy.txt"):
                note = (record / name).read_text()
                (record / name).write_text(note.replace("smki.example/", f"{HOSTILE_NAME}/").replace("alice", HOSTILE_NAME))
            self.assertGreater(next(count), 500)
            with self.subTest(kept=kept), chromium.Page(self.report(record, name=f"{len(kept)}.html")) as page:
                self.assert_tame(page)
                page.verify([], 3)
                self.assert_tame(page)
                self.assertIn("<script>", page.run("document.body.innerText"))

    def test_a_hostile_record_that_is_signed_is_as_tame(self):
        hostile = itertools.cycle(HOSTILE)
        record = record_builder.Record()
        record.script = {"title": next(hostile), "purpose": next(hostile)}
        for step in (step for section in record.sections for step in section["steps"]):
            step.update(title=next(hostile), say=next(hostile))
        for section in record.sections:
            section["title"] = next(hostile)
        opened = record.open
        record.open = lambda: opened(title=next(hostile), environment=next(hostile), classification=next(hostile),
                                     modules=[{name: next(hostile) for name in ("path", "sha256", "version", "description")}],
                                     findings=[{"rule": next(hostile), "message": next(hostile)}])
        def words(made):
            for text in HOSTILE:
                made.add("note", text=text, person=text, rule=text)
                made.add("deviation", message=text, person="alice", rule=text)
                made.add("observe", what=text, facts={"seal": text}, step="root-key")
                made.add("attend", person=f"p{len(made.lines)}", name=text, roles=[text], employer=text, presence=text)
        record.ceremony_entries(extra={"approved": words})
        folder = self.folder / "signed"
        record_builder.complete(folder, record)
        roster = self.folder / "roster.json"
        roster.write_bytes(record.roster())
        path = self.report(folder, roster)
        self.assertIn("<strong>COMPLETE</strong>", path.read_text())
        with chromium.Page(path) as page:
            self.assert_tame(page)
            self.assertTrue(page.verify(self.pins(page, roster), 3)[0].startswith("COMPLETE"))
            self.assert_tame(page)

    def test_markup_that_got_in_all_the_same_would_not_run(self):
        record, roster = self.rehearsed()
        path = self.report(record, roster)
        broken = self.folder / "broken.html"
        broken.write_text(path.read_text().replace("</main>", "".join(HOSTILE[:4]) + "<a id=go href=\"javascript:"
                                                   + WORDS + "\">go</a></main>"))
        with chromium.Page(broken) as page:
            self.assertGreater(page.run("document.querySelectorAll('main img, main svg[onload]').length"), 1)
            page.run("document.getElementById('go').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))")
            self.assertIsNone(page.run("globalThis.hacked"))

    def test_page_and_program_agree_on_a_bundle_wherever_a_bit_is_turned(self):
        record, roster = self.rehearsed()
        bundle = self.folder / "bundle"
        status, out, err = run("redact", record, "--rules", SOURCE / "scripts/smki.redaction.json", "--roster", roster,
                               "--out", bundle)
        self.assertEqual(status, 0, out + err)
        path = self.report(bundle, roster)
        with chromium.Page(path) as page:
            spelled = lambda file: base64.b64encode(file.read_bytes()).decode()
            files = {str(file.relative_to(bundle)): spelled(file) for file in sorted(bundle.rglob("*")) if file.is_file()}
            page.run(f"""globalThis.files = new Map(Object.entries({json.dumps(files)}).map(([path, text]) => [path, KC.fromBase64(text)]))""")
            page.run(f"globalThis.roster = KC.fromBase64({json.dumps(spelled(roster))})")
            carried = page.run("[...document.querySelectorAll('script[data-path]')].map((block) => block.dataset.path)")
            names = ["log.jsonl", "checkpoint", "addendum.note", "policy.txt", "withheld.jsonl"]
            self.assertLessEqual(set(names), set(carried))
            names.append("artefacts/certificates/root-oca.der")

            def judged(name, at, bit):
                return page.run(f"""(() => {{ const turned = new Map(files), bytes = files.get({json.dumps(name)}).slice();
                  bytes[{at}] ^= {bit}; turned.set({json.dumps(name)}, bytes);
                  return KC.verifyRecord(turned, {{roster, pins: null, partial: false, subtle: crypto.subtle}}); }})()""")

            self.assertEqual(judged("log.jsonl", 0, 0)["verdict"], "COMPLETE")
            rejected = 0
            for name in names:
                content = (bundle / name).read_bytes()
                for turn in range(8):
                    at, bit = (turn * 7919 + 31) % len(content), 1 << turn % 7
                    (bundle / name).write_bytes(content[:at] + bytes([content[at] ^ bit]) + content[at + 1:])
                    program, answer = verified(bundle, roster)[1]["verdict"], judged(name, at, bit)
                    self.assertEqual(answer["verdict"], program, f"{name}, byte {at}, bit {bit}: {answer}")
                    rejected += program != "COMPLETE"
                (bundle / name).write_bytes(content)
            self.assertGreater(rejected, 6 * len(names))

    def test_a_ledger_that_names_a_wrong_file_shows_without_the_folder_or_the_page_says_that_it_did_not_look(self):
        vectors, bundle = SOURCE / "docs/vectors", self.folder / "bundle"
        roster = vectors / "roster.json"
        shutil.copytree(vectors / "bundle", bundle)
        ledger = bundle / "withheld.jsonl"
        good = ledger.read_text()
        row = '{"file":"inputs/roster.json","label":"red","reason":"SEC"}\n'
        self.assertIn(row, good)
        unchecked = "That the files which it names are missing, and no others, was not checked"
        for name, rows, wanted in (("as it was", row, "COMPLETE"), ("one more", row + row.replace("roster", "zebra"), "INVALID"),
                                    ("another", row.replace("roster", "rooster"), "INVALID"),
                                    ("one that is on the page", row.replace("roster", "script"), "INVALID"),
                                    ("one that is there", row.replace("inputs/roster.json", "artefacts/root.pem"), "COMPLETE")):
            ledger.write_text(good.replace(row, rows))
            path = self.report(bundle, roster, name=f"{name}.html")
            program = verified(bundle, roster)[1]["verdict"]
            twin = subprocess.run([sys.executable, "-B", SOURCE / "docs/verify_bundle.py", bundle, roster], capture_output=True,
                                  text=True, check=False).stdout.split()[0]
            with self.subTest(name), chromium.Page(path) as page:
                text, _ = page.verify(self.pins(page, roster), 3)
                self.assertTrue(text.startswith(wanted), text)
                self.assertEqual((program == "COMPLETE", twin), (name == "as it was", program))
                if wanted == "COMPLETE":
                    self.assertIn(unchecked, text)
                # With the folder all three agree, and nothing is left open.
                page.choose("folder", bundle)
                page.until("document.querySelectorAll('#pins input').length === 5")
                text, _ = page.verify(self.pins(page, roster), 3)
                self.assertTrue(text.startswith(program), text)
                self.assertNotIn(unchecked, text)

    def test_no_page_is_wider_than_a_telephone(self):
        record, roster = self.destroyed()
        made = self.documents(record, roster)
        booklet = self.folder / "booklet.html"
        status, out, err = run("booklet", SOURCE / "scripts/smki-root-oca.ceremony.json", "--out", booklet)
        self.assertEqual(status, 0, out + err)
        for path in (*made.values(), booklet):
            with self.subTest(path.name), chromium.Page(path) as page:
                page.ask("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True)
                self.assertEqual(page.run("[innerWidth, document.documentElement.scrollWidth]"), [390, 390])

    def test_a_telephone_shows_steps_and_comparisons_without_cutting_them(self):
        record, roster = self.rehearsed()
        with chromium.Page(self.report(record, roster)) as page:
            page.ask("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True)
            for table in (".compare", ".beside"):
                wide, room = page.run(f"(({{scrollWidth, clientWidth}}) => [scrollWidth, clientWidth])(document.querySelector('{table}'))")
                self.assertLessEqual(wide, room, table)
            # What the script says is no narrow column, and the words of the timeline are no dust.
            self.assertGreater(page.run("document.querySelector('.beside td.n + td').clientWidth"), 250)
            self.assertGreater(page.run("document.querySelector('.timeline svg text').getBoundingClientRect().height"), 8)
            # Nor does one scroll sideways for it.
            self.assertEqual(page.run("(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)(document.querySelector('.timeline'))"), 0)

    def printed(self, path):
        """The words of each page, as paper has them."""
        with chromium.Page(path) as page:
            document = base64.b64decode(page.ask("Page.printToPDF", preferCSSPageSize=True)["data"])
        text = subprocess.run(["pdftotext", "-layout", "-", "-"], input=document, capture_output=True, check=True).stdout
        return text.decode().split("\f")[:-1]

    def test_an_unfinished_record_says_so_on_every_printed_page_of_every_document(self):
        record, roster = self.destroyed()
        whole = self.documents(record, roster)
        self.assertNotIn("INCOMPLETE", "".join(self.printed(whole["destruction"])))
        (record / "addendum.note").unlink()
        least = {"report": 5, "inventory": 1, "destruction": 2, "bundle": 5}
        made = self.documents(record, roster)
        self.assertEqual(set(made), set(least))
        for name, path in made.items():
            pages = self.printed(path)
            self.assertGreaterEqual(len(pages), least[name], name)
            for number, words in enumerate(pages, 1):
                self.assertIn("INCOMPLETE", words, f"{name}, page {number} of {len(pages)}")

    def destroyed(self):
        """A record in which a key ends, in a copy of its archive, and its roster; held once for all cases that ask."""
        if not self.ended.path.exists():
            later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 800 * 86400))
            for name in ("smki-root-oca", "smki-custodian-appoint", "smki-clone-root", "smki-commission-third-hsm",
                         "smki-deactivate-and-hold", "smki-destroy-held-keys"):
                status, out, err = self.ended.rehearse(name, *(["--at", later] if name == "smki-destroy-held-keys" else []))
                self.assertEqual(status, 0, out + err)
        copy = self.folder / "ended"
        shutil.copytree(self.ended.path, copy)
        return copy / "0006-smki-destroy-held-keys", copy / "rehearsal/roster.json"

    def documents(self, record, roster):
        """Everything that can be made of a record, by name."""
        out = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        bundle = out / "bundle"
        commands = {"report": ("report", record, "--roster", roster), "inventory": ("inventory", record.parent),
                    "bundle": ("redact", record, "--rules", SOURCE / "scripts/smki.redaction.json", "--roster", roster)}
        if list(record.glob("artefacts/destruction/*")):
            commands["destruction"] = ("destruction", record, "--roster", roster)
        for name, command in commands.items():
            status, said, err = run(*command, "--out", bundle if name == "bundle" else out / f"{name}.html")
            self.assertIn(status, (0, 6), f"{name}: {said}{err}")
        status, said, err = run("report", bundle, "--roster", roster, "--out", out / "bundle.html")
        self.assertEqual(status, 0, said + err)
        return {name: out / f"{name}.html" for name in commands}


if __name__ == "__main__":
    for needed in (chromium.find(), shutil.which("pdftotext")):
        if needed is None:
            print("chromium or pdftotext is missing: scripts/dev/install-packages test", file=sys.stderr)
            sys.exit(77)
    unittest.main(verbosity=2)
