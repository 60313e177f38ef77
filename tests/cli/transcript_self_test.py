"""Tests of the transcript runner, on programs whose behaviour is plain: a transcript that lies is caught."""
import os
import tempfile
import unittest

os.environ["KEYCEREMONY_PATIENCE"] = "0.1"  # what is waited for in vain here is waited for 3 s

import transcript  # noqa: E402

ASK = """$ bash -c 'exec 3<>/dev/tty; printf "Type yes: " >&3; read -r a <&3; echo "got $a"; echo "warned" >&2; [ "$a" = yes ]'
@ terminal
"""


class Transcripts(unittest.TestCase):
    maxDiff = None

    def run_text(self, text, update=False):
        with tempfile.TemporaryDirectory(prefix="keyceremony-transcripts-") as folder:
            path = os.path.join(folder, "made.transcript")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            faults = transcript.run_transcript(path, update)
            with open(path, encoding="utf-8") as file:
                self.rewritten = file.read()
        for fault in faults:  # leave nothing behind
            if fault.startswith("the scratch folder is left at "):
                transcript.make_removable(fault.split(" at ")[1])
                transcript.shutil.rmtree(fault.split(" at ")[1])
        return faults

    def passes(self, text):
        self.assertEqual(self.run_text(text), [])

    def fails(self, text, *words):
        faults = "\n".join(self.run_text(text))
        self.assertNotEqual(faults, "")
        for word in words:
            self.assertIn(word, faults)

    def test_streams_and_status_are_told_apart(self):
        self.passes("$ echo out; echo err >&2; exit 3\n1 out\n2 err\n= 3\n")
        self.passes("$ true\n")
        self.fails("$ echo out\n", "stdout differs", "+out")
        self.fails("$ echo out >&2\n1 out\n", "stderr differs", "stdout differs")
        self.fails("$ false\n", "exit status 1, expected 0")
        self.fails("$ true\n= 1\n", "exit status 0, expected 1")
        self.fails("$ printf 'a\\nb\\n'\n1 b\n1 a\n", "stdout differs")

    def test_a_person_answers_at_the_terminal(self):
        self.passes(ASK + "? Type yes: \n< yes\n1 got yes\n2 warned\n")
        self.passes(ASK + "? Type yes: \n< no\n1 got no\n2 warned\n= 1\n")
        self.passes(ASK + "? Type yes: \n< yes\n1 got yes\n2 warned\nt Type yes: yes\n")
        self.fails(ASK + "? Type no: \n< yes\n", "waited in vain for 'Type no: '", "Type yes: ")
        self.fails(ASK + "? Type yes: \n< yes\n? Again\n", "ended and never showed 'Again'")

    def test_what_was_waited_for_is_not_found_twice(self):
        twice = "$ bash -c 'printf \"word? \" >/dev/tty; read -r a; printf \"word? \" >/dev/tty; read -r b; echo $a$b'\n@ terminal\n"
        self.passes(twice + "? word?\n< a\n? word?\n< b\n1 ab\n")

    def test_a_secret_that_is_not_echoed_is_not_shown(self):
        self.passes("$ bash -c 'read -rs -p PIN: a; echo; echo ${#a}'\n@ screen\n? PIN:\n< 1234\nt PIN:\nt 4\n")

    def test_control_characters_signals_and_hanging_up(self):
        wait = "$ python3 -c 'import sys,time; open(\"/dev/tty\",\"w\").write(\"ready\\n\"); time.sleep(60)' 2>/dev/null\n@ terminal\n? ready\n"
        self.passes(wait + "<^ C\n= INT\n")
        self.passes(wait + "<! TERM\n= TERM\n")
        self.passes(wait + "<! KILL\n= KILL\n")
        self.passes(wait + "<x\n= HUP\n")
        self.passes("$ cat\n@ terminal\n< a\n<^ D\n1 a\n")

    def test_without_a_terminal_there_is_none(self):
        self.passes("$ bash -c 'exec 3<>/dev/tty' 2>/dev/null\n= 1\n")
        self.passes("$ cat\n")
        self.passes("$ stty size\n@ screen 77x21\nt 21 77\n")

    def test_files_are_compared(self):
        self.passes("$ mkdir -p a/b; touch a/c; chmod 500 a/b\n+ a/c\n- a/d\n/ a\n. b/\n. c\n")
        self.fails("$ true\n+ a\n", "'a' matches 0 files")
        self.fails("$ touch a b\n+ ?\n", "matches 2 files")
        self.fails("$ touch a\n- a\n", "'a' must not be there")
        self.fails("$ mkdir a; touch a/b a/c\n/ a\n. b\n", "holds other names")

    def test_files_of_the_tree_are_copied_and_commands_share_the_folder(self):
        self.passes("copy CMakeLists.txt\n$ touch made\n+ CMakeLists.txt\n$ test -f made; pwd; echo $HOME\n1 [DIR]\n1 [DIR]\n")

    def test_what_changes_from_run_to_run_does_not_matter(self):
        self.passes("$ date -u +%Y-%m-%dT%H:%M:%S.%6NZ; head -c9 /dev/urandom | sha256sum | cut -c-64\n"
                    "1 2026-01-01T00:00:00.000000Z\n1 [SHA256]\n")
        self.passes("$ seq 100; echo a $RANDOM b\n1 1\n1 ...\n1 100\n1 a [..] b\n")

    def test_a_transcript_that_cannot_be_read_names_its_line(self):
        for text, words in [("1 a\n", "line 1"), ("$ true\nx y\n", "line 2"), ("$ true\n? a\n", "no terminal"),
                            ("$ true\n@ telegraph\n", "line 2"), ("# nothing\n", "no command"), (". a\n", "line 1")]:
            with self.subTest(text=text), self.assertRaisesRegex(transcript.Fault, words):
                self.run_text(text)

    def test_a_transcript_can_be_rewritten(self):
        self.run_text("# keeps\n$ echo a; date +%F; echo b >&2; exit 4\n@ pipes\n1 old\n= 1\n\n$ seq 9\n1 1\n1 ...\n1 9\n", update=True)
        self.assertEqual(self.rewritten, "# keeps\n$ echo a; date +%F; echo b >&2; exit 4\n@ pipes\n1 a\n1 [DATE]\n2 b\n= 4\n\n"
                                         "$ seq 9\n1 1\n1 ...\n1 9\n")

    def test_a_command_that_never_ends_is_stopped(self):
        self.fails("$ sleep 3600\n", "still runs after")


if __name__ == "__main__":
    transcript.COMMAND_SECONDS = 3
    unittest.main()
