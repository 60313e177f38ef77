"""Tests of the tester: a document that lies is caught."""
import unittest

import documents
import normalise

FENCE = "```"


def document(tag, body, above=""):
    return f"# Title\n\n{above}\n{FENCE}{tag}\n{body}\n{FENCE}\n"


class Documents(unittest.TestCase):
    def check(self, text):
        return documents.check_document("made-up.md", text)

    def test_a_document_that_tells_the_truth_passes(self):
        self.assertEqual(self.check(document("sh", "test -f README.md\ntouch made")), (2, 0))
        self.assertEqual(self.check(document("console", "$ echo a; echo b\na\nb\n$ exit 3  # exit 3")), (2, 0))
        self.assertEqual(self.check(document("console", "$ seq 5\n1\n...\n5")), (1, 0))
        self.assertEqual(self.check(document("console", "$ echo one \\\n    two\none two")), (1, 0))
        self.assertEqual(self.check(document("console", "$ date -u +%Y-%m-%dT%H:%M:%SZ\n2026-01-01T00:00:00Z")), (1, 0))
        self.assertEqual(self.check(document("json", '{"not": "run"}')), (0, 0))

    def test_blocks_of_one_document_share_their_folder(self):
        self.assertEqual(self.check(document("sh", "echo x > kept") + document("console", "$ cat kept\nx")), (2, 0))

    def test_nobody_sits_at_the_keyboard(self):
        self.assertEqual(self.check(document("console", "$ cat\n$ tty  # exit 1\nnot a tty")), (2, 0))

    def test_a_document_that_lies_is_caught(self):
        for body in ("$ echo a\nb", "$ echo a", "$ echo a\na\nb", "$ false", "$ true  # exit 1", "text\n$ true"):
            with self.subTest(body=body), self.assertRaises(documents.Fault):
                self.check(document("console", body))
        for body in ("false", "echo $unset_name", "false | true"):
            with self.subTest(body=body), self.assertRaises(documents.Fault):
                self.check(document("sh", body))

    def test_commands_cannot_hide_from_the_test(self):
        for tag in ("", "text", "bash", "shell"):
            with self.subTest(tag=tag), self.assertRaises(documents.Fault):
                self.check(document(tag, "$ true"))
        with self.assertRaises(documents.Fault):
            self.check(f"{FENCE}sh\ntrue\n")

    def test_a_block_that_another_script_runs_is_looked_up_there(self):
        self.assertEqual(self.check(document("sh", "scripts/dev/test", "<!-- run by .ci/run -->")), (0, 1))
        for script in (".ci/run", "no/such/file"):
            with self.subTest(script=script), self.assertRaises(documents.Fault):
                self.check(document("sh", "scripts/dev/nothing", f"<!-- run by {script} -->"))


class Normalise(unittest.TestCase):
    def test_what_differs_from_run_to_run_is_marked(self):
        for value, mark in [
            ("2026-11-21T05:17:45.000000Z", "[TIME]"), ("2026-11-21 05:17:45 UTC", "[TIME]"),
            ("Nov  1 05:17:45 2026 GMT", "[TIME]"), ("2026-11-21", "[DATE]"), ("1.5 ms", "[DURATION]"),
            ("0:12", "[DURATION]"), ("a" * 63 + "1", "[SHA256]"),
            (" ".join(["0123abcd"] * 8), "[SHA256]"), ("0123456789abcdef", "[HEX]"),
            ("AB:CD:EF:01:23:45:67:89", "[HEX]"), ("A" * 43 + "=", "[BASE64]"), ("\x1b[1mx\x1b[0m", "x"),
        ]:
            with self.subTest(value=value):
                self.assertEqual(normalise.text(value), mark)

    def test_what_does_not_differ_stays(self):
        for value in ("step 3 of 14", "ec-p256", "exit 3", "0001-smki-root-oca", "1.2.826.0.1.8641679", "facade",
                      "a.json:12:34: unknown field", "a.json:1:23", "60 min",
                      "scripts/smki-root-oca.ceremony.json", "sha256", "KEY-ATTR-02"):
            with self.subTest(value=value):
                self.assertEqual(normalise.text(value), value)

    def test_dots_stand_for_lines_and_for_parts_of_a_line(self):
        self.assertTrue(normalise.fits(["a", "...", "z"], ["a", "z"]))
        self.assertTrue(normalise.fits(["a", "...", "z"], ["a", "b", "z", "c", "z"]))
        self.assertTrue(normalise.fits(["..."], []))
        self.assertTrue(normalise.fits(["a[..]c"], ["abc"]))
        self.assertFalse(normalise.fits(["a", "...", "z"], ["a", "z", "b"]))
        self.assertFalse(normalise.fits(["a[..]c"], ["abcd"]))
        self.assertFalse(normalise.fits([], ["a"]))
        self.assertFalse(normalise.fits(["a"], []))


if __name__ == "__main__":
    unittest.main()
