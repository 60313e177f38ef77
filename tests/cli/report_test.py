#!/usr/bin/env python3
"""The documents as their user gets them: report, booklet, inventory."""
import html
import json
import re
import shutil
import subprocess
import unittest

from archive import SCRIPTS, Archive, run, steps_of

SCRIPT = SCRIPTS / "smki-root-oca.ceremony.json"


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.held = Archive(cls)
        status, _, err = cls.held.rehearse("smki-root-oca")
        assert status == 0, err
        cls.folder, cls.archive, cls.roster = cls.held.folder, cls.held.path, cls.held.roster
        cls.record = cls.held.record(1)

    def page(self, *arguments, name="page.html", expect=0):
        out = self.folder / (self.id().rsplit(".", 1)[-1] + name)
        status, said, err = run(*arguments, "--out", out)
        self.assertEqual(status, expect, err)
        # Where a line may break is no matter of what is said.
        return re.sub(r'<span class="whole">([^<]*)</span>', r"\1", out.read_text(encoding="utf-8")).replace("<wbr>", ""), said

    def test_the_report_tells_the_rehearsal(self):
        page, said = self.page("report", self.record, "--roster", self.roster)
        self.assertRegex(said, r"^COMPLETE: the report of ")
        self.assertIn("<strong>COMPLETE</strong>", page)
        log = self.held.entries(1)
        self.assert_approvals(page, log)
        self.assert_key_and_certificate(page, log)
        read = re.search(r"<h3>Read and typed</h3>(.*?)</table>", page, re.DOTALL).group(1)
        typed = [value for entry in log if entry.get("what") == "facts" for value in entry["facts"].values()]
        self.assertEqual(sorted(re.findall(r"(?:bag|seal): <b>([^<]*)</b>", read)), sorted(typed))
        self.assertIn("SB004211", typed)
        # SoftHSM is validated by nobody, and the record says of no token that it is.
        gaps = re.findall(r'<th scope="row">([^<]*)</th><td>[^<]*</td><td class="gap">', page)
        self.assertEqual((gaps, page.count('class="gap"')), (["ETSI EN 319 411-1 6.5.2", "CA/B Forum BR 6.2.7"], 2))

    def test_the_contents_name_each_section_as_its_heading_does(self):
        page, _ = self.page("report", self.record, "--roster", self.roster)
        contents = re.findall(r'<li[^>]*><a href="#(\w+)">([^<]*)</a></li>', page)
        self.assertEqual(contents, re.findall(r'<section id="(\w+)"[^>]*><h2>([^<]*)</h2>', page))
        self.assertEqual(len(contents), 18)

    def assert_approvals(self, page, log):
        """Each request with who signed it, in the order of the log, and every one of them met."""
        names = {entry["person"]: entry["name"] for entry in log if entry["type"] == "attend"}
        wanted = [(str(asked["seq"]), [names[entry["person"]] for entry in log if entry["type"] == "cosign" and entry["request"] == asked["seq"]])
                  for asked in log if asked["type"] == "request"]
        sheets = page.split('<div class="approval">')[1:]
        entry = re.compile(r'asked of .*?<span class="entry"[^>]*>(\d+)<', re.DOTALL)
        self.assertEqual([(entry.search(sheet).group(1), re.findall(r'<li class="slot signed"><b>([^<]*)</b>', sheet)) for sheet in sheets], wanted)
        self.assertEqual({len(people) for _, people in wanted}, {3})
        self.assertEqual(page.count('<span class="chip good">3 of 5, met after '), len(wanted))

    def assert_key_and_certificate(self, page, log):
        """The attributes of the key as the token gave them, and the comparison of its certificate, row by row."""
        shown = re.search(r"<summary>Attributes of the private key.*?</table>", page, re.DOTALL).group(0)
        (made,) = [entry for entry in log if entry["type"] == "done" and entry["fn"] == "C_GenerateKeyPair" and entry["token"] == "root-hsm"]
        read = {name.removeprefix("private."): value for name, value in made["attributes"].items() if name.startswith("private.")}
        self.assertEqual(dict(re.findall(r"<code>(CKA_\w+)</code></th><td>([^<]*)</td>", shown)), read)
        self.assertEqual((read["CKA_SENSITIVE"], read["CKA_EXTRACTABLE"]), ("true", "true"))
        (compared,) = [entry for entry in log if entry.get("what") == "profile-comparison"]
        table = re.search(r'<table class="compare">(.*?)</table>', page, re.DOTALL).group(1)
        self.assertIn("all equal</caption>", table)
        self.assertIn(">certificate has<", table)
        self.assertEqual([html.unescape(field) for field in re.findall(r'<th scope="row">([^<]*)</th>', table)], [row["field"] for row in compared["rows"]])

    def test_a_folder_that_holds_no_record_gives_no_page(self):
        empty, page = self.folder / "empty", self.folder / "none.html"
        empty.mkdir()
        for command in (["report", empty, "--out", page], ["show", empty]):
            status, _, err = run(*command)
            self.assertEqual(status, 2, err)
            self.assertIn(f"{empty} is not a record: there is no log.jsonl in it", err)
        self.assertFalse(page.exists())

    def test_without_a_roster_nobody_vouches(self):
        page, said = self.page("report", self.record)
        self.assertTrue(said.startswith("UNPINNED: "))
        self.assertIn("<strong>UNPINNED</strong>", page)

    def test_the_digests_of_the_policy_are_those_of_what_the_page_holds(self):
        page, _ = self.page("report", self.record)
        for directive, element in (("style-src", "style"), ("script-src", "script")):
            wanted = re.search(directive + r" 'sha256-([^']+)'", page).group(1)
            block = re.search(f"<{element}>(.*?)</{element}>", page, re.DOTALL).group(1)
            digest = subprocess.run("openssl dgst -sha256 -binary | openssl base64", shell=True, input=block.encode(), capture_output=True, check=True)
            self.assertEqual(wanted, digest.stdout.decode().strip())

    def test_a_record_that_is_cut_off_is_reported_as_such(self):
        cut = self.folder / "cut"
        shutil.copytree(self.record, cut)
        lines = (cut / "log.jsonl").read_bytes().split(b"\n")
        (cut / "log.jsonl").write_bytes(b"\n".join(lines[:70]) + b"\n")
        page, said = self.page("report", cut, "--roster", self.roster)
        self.assertTrue(said.startswith("INCOMPLETE: "), said)
        self.assertIn('@top-center { content: "INCOMPLETE', page)
        self.assertIn("not reached", page)
        signed = int(re.search(r"signed</dt><dd>the first (\d+) entries", page).group(1))
        self.assertLess(signed, 70)
        self.assertIn(f"<h3>The digest of the first {signed} of 70 entries</h3>", page)
        # What was never begun has a title all the same.
        self.assertIn("<b>Take down who leaves</b>", page)

    def test_a_document_that_is_there_is_left_alone(self):
        there = self.folder / "there.html"
        there.write_text("mine")
        status, out, err = run("report", self.record, "--out", there)
        self.assertEqual((status, out), (1, ""))
        self.assertIn("exists already [OUT-FILE-01]", err)
        self.assertEqual(there.read_text(), "mine")

    def test_an_archive_is_not_a_record(self):
        status, _, err = run("report", self.archive, "--out", self.folder / "x.html")
        self.assertEqual(status, 2)
        self.assertIn("keyceremony inventory", err)

    def show(self, *options, expect=0):
        status, out, err = run("show", self.record, "--roster", self.roster, *options)
        self.assertEqual(status, expect, err)
        return " ".join(out.split()) if expect == 0 else err

    def test_a_walk_tells_steps_approvals_and_results_with_their_entries(self):
        told = self.show()
        self.assertTrue(told.startswith("COMPLETE: Root Organisation Certification Authority (rehearsal)"))
        log = [json.loads(line) for line in (self.record / "log.jsonl").read_text().splitlines()]
        begin = next(entry["seq"] for entry in log if entry.get("id") == "generate-root" and entry.get("phase") == "begin")
        self.assertRegex(told, rf"9 Generate key root-oca \(EC P-256\) on token root-hsm generate-root \(key.generate\) ended \S+ \[{begin}\]")
        asked = next(entry for entry in log if entry["type"] == "request" and entry["step"] == "generate-root")
        self.assertRegex(told, rf"asked 3 of 5 custodians \S+ \[{asked['seq']}\]: Generate key root-oca")
        self.assertIn("wrote certificates/root-oca.der", told)
        self.assertIn("bag: SB004211", told)
        self.assertEqual(told.count("approved by Alice Archer"), sum(entry["type"] == "cosign" and entry["person"] == "alice" for entry in log))

    def test_a_walk_may_be_of_one_step_one_person_or_of_what_went_otherwise(self):
        one = self.show("--step", "certify-root")
        self.assertIn("certify-root (cert.self-sign)", one)
        self.assertNotIn("generate-root (key.generate)", one)
        person = self.show("--person", "wendy")
        self.assertIn("Wendy Hughes (witness, Harrow Assurance), simulated", person)
        self.assertNotIn("Alice Archer", person)
        holder = self.show("--person", "erin")
        self.assertRegex(holder, r"opened and confirmed a new share of token root-hsm \S+ \[\d+\]")
        self.assertNotIn("gave a share", holder)  # three others did
        self.assertRegex(self.show("--person", "bob"), r"gave a share of the user PIN of token root-hsm \S+ \[\d+\]")
        self.assertRegex(self.show("--exceptions"), r"Refusals, deviations and notes none$")
        wrong = self.show("--step", "certify-rot", expect=2)
        self.assertIn("the record has no step certify-rot", wrong)
        self.assertIn("did you mean `certify-root`?", wrong)

    def test_a_walk_through_a_hostile_record_cannot_move_the_cursor(self):
        hostile = self.folder / "hostile"
        shutil.copytree(self.record, hostile)
        log = hostile / "log.jsonl"
        log.write_text(log.read_text().replace("Alice Archer", "Alice\\u001b[2J\u202eArcher"))
        status, out, _ = run("show", hostile)
        self.assertEqual(status, 0)
        self.assertTrue(out.startswith("INVALID: "))
        self.assertNotIn("\x1b", out)
        self.assertNotIn("\u202e", out)
        self.assertIn("\\x1b[2J", out)

    def test_the_booklet_has_every_step_its_words_and_the_digest(self):
        page, _ = self.page("booklet", SCRIPT, "--roster", self.roster)
        script = json.loads(SCRIPT.read_text())
        steps = steps_of(script)
        cards = page.split('<article class="step">')[1:]
        self.assertEqual([re.search(r'<p class="id">(\S+) · ', card).group(1) for card in cards], [step["id"] for step in steps])
        for card, step in zip(cards, steps):
            self.assertIn(step.get("say", ""), html.unescape(card))
        for section in script["sections"]:
            self.assertIn(section["title"], page)
        self.assertIn("The bag is shown to everybody before it is opened.", page)
        self.assertIn("number of the bag that the HSM came in", page)
        checked = run("check", SCRIPT, "--json")[1]
        digest = json.loads(checked)["sha256"]
        self.assertIn(" ".join(digest[i:i + 8] for i in range(0, 64, 8)), page)
        words = re.findall(r"<li>([A-Za-z]+)</li>", page.split('<ol class="digest-words">')[1].split("</ol>")[0])
        self.assertEqual(len(words), 32)
        self.assertIn('@bottom-left { content: "' + " ".join(words) + '"; }', page)

    def test_the_booklet_has_a_card_and_blanks_for_what_the_program_asks_besides_the_script(self):
        page, _ = self.page("booklet", SCRIPT, "--roster", self.roster, "--binding", self.archive / "rehearsal/binding.json")
        cards = dict(re.findall(r'<article class="step[^"]*">.*?<h3>(?:<span class="no">\d+</span> )?(.*?)</h3>(.*?)</article>', page, re.DOTALL))
        titles = list(cards)
        asked = ["Compare the words of this script", "Open the record", "Say what differed", "Close the record",
                 "Sign the final checkpoint", "Sign the addendum"]
        self.assertEqual([titles[0], titles[2], *titles[-4:]], asked)  # the opening is approved after the first step
        needed = {title: re.search(r"Approved by <b>custodians</b>, 3 of 5</span>((?:<i></i>)*)<", card) for title, card in cards.items()}
        self.assertEqual({len(found.group(1)) for found in needed.values() if found}, {3 * len("<i></i>")})
        self.assertEqual({title for title in asked if needed[title]}, {"Open the record", *asked[3:]})
        # Digests that are read aloud later, under the labels of the screen.
        labels = re.findall(r'<p class="words-label">(.*?), as its words are read aloud</p>\n<ol class="digest-words blank">((?:<li></li>)*)</ol>', page)
        self.assertEqual([label for label, _ in labels],
                         ["public key of root-oca", "to be signed", "root of the record", "the text of the addendum (SHA-256)"])
        self.assertEqual({blanks.count("<li>") for _, blanks in labels}, {32})
        new, given = "new shares opened and confirmed by", "<b>root-hsm</b> opened with shares of"
        self.assertEqual([title for title, card in cards.items() if new in card], ["Take token root-hsm into service"])
        self.assertIn("Verify token root-hsm and everything on it", [title for title, card in cards.items() if given in card])
        # No title is cut, here and at a glance.
        whole = "Confirm: Everybody who must be here is here, nobody else is, and the room is closed."
        self.assertIn(whole, titles)
        self.assertIn(f"<td>{whole}</td>", page)

    def test_a_booklet_of_a_script_that_cannot_be_run_says_so(self):
        page, _ = self.page("booklet", SCRIPT, "--archive", self.archive, expect=1)
        self.assertIn('@top-center { content: "CANNOT BE RUN"; }', page)

    def test_the_inventory_has_each_copy_with_its_place(self):
        page, _ = self.page("inventory", self.archive)
        status = self.held.status()
        key = status["keys"][0]
        copies = [[copy[field] for field in ("kind", "token", "serial", "object_id")] for copy in key["copies"]]
        rows = re.findall(r'<tr><th scope="row">(\w+)</th><td>([^<]*)</td><td><code>([^<]*)</code></td><td><code>([^<]*)</code></td>', page)
        self.assertEqual([list(row) for row in rows], copies)
        self.assertIn(" ".join(key["spki_sha256"][i:i + 8] for i in range(0, 64, 8)), page)


if __name__ == "__main__":
    unittest.main()
