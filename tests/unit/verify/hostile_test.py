"""Records that want to hurt their verifier: each gets its verdict in bounded memory and time, and nothing is written anywhere."""
import base64
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("KEYCEREMONY_SOURCE_DIR", os.path.join(HERE, "../../.."))
sys.path.insert(0, os.path.join(SOURCE, "tests/support"))

import record_builder as builder  # noqa: E402

MEBIBYTE = 1 << 20
MOST_MEMORY = 160 * MEBIBYTE  # of address space, libraries included
ROSTER = os.path.join(SOURCE, "docs/vectors/roster.json")


def is_sanitized():
    """A sanitizer maps terabytes for itself."""
    symbols = subprocess.run(["nm", "-D", shutil.which("keyceremony-verify")], capture_output=True, text=True, check=True).stdout
    return "__asan_init" in symbols or "__tsan_init" in symbols


def nobody():
    """Runs the child as somebody who owns nothing, where this process may."""
    bounded()
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


SANITIZED = is_sanitized()


def bounded():
    """A child that asks for more memory gets none, and ends."""
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


class Hostile(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="keyceremony-hostile-")
        self.addCleanup(shutil.rmtree, self.top, True)
        os.chmod(self.top, 0o755)
        self.record = os.path.join(self.top, "record")

    def lay(self, **files):
        """The record of the vectors, with files in place of its own; None leaves one out."""
        shutil.rmtree(self.record, True)
        shutil.copytree(os.path.join(SOURCE, "docs/vectors/archive/0001-root-2026"), self.record)
        for name, content in files.items():
            path = os.path.join(self.record, name.replace("__", "/").replace("_dot_", "."))
            if os.path.exists(path):
                os.unlink(path)
            if content is not None:
                with open(path, "wb") as file:
                    file.write(content)

    def hole(self, name, size):
        path = os.path.join(self.record, name)
        if os.path.exists(path):
            os.unlink(path)
        with open(path, "wb") as file:
            file.truncate(size)

    def judge(self, *options, preexec=bounded, program="keyceremony-verify"):
        ran = subprocess.run([program, self.record, "--json", "--threads", "1", *options], capture_output=True, check=False, timeout=120,
                             preexec_fn=preexec)
        self.assertEqual(ran.stderr, b"")
        self.assertLess(len(ran.stdout), 4 * MEBIBYTE)
        answer = json.loads(ran.stdout)
        return answer["verdict"], {finding["rule"] for finding in answer["findings"]}

    def test_two_gigabytes_without_a_line_feed(self):
        self.lay()
        for name, rule in (("log.jsonl", "REC-SIZE"), ("policy.txt", "ART-PATH"), ("checkpoint", "ART-PATH"), ("addendum.note", "ART-PATH"), ("withheld.jsonl", "RED-LEDGER"),
                           ("disclosures.jsonl", "RED-DISCLOSURE")):
            with self.subTest(name):
                self.lay()
                self.hole(name, 2 << 30 if name == "log.jsonl" else 100 * MEBIBYTE)
                verdict, rules = self.judge("--roster", ROSTER)
                self.assertEqual(verdict, "INVALID")
                self.assertIn(rule, rules)

    def test_a_script_that_is_a_hole_is_not_read(self):
        self.lay()
        self.hole("inputs/script.json", 64 * MEBIBYTE)
        verdict, rules = self.judge("--roster", ROSTER)
        self.assertEqual(verdict, "INVALID")
        self.assertLessEqual({"REC-NO-SCRIPT", "ART-DIGEST"}, rules)

    def test_a_million_lines_of_nothing(self):
        for line in (b"{}\n", b"\n", b'{"a":1}\n', b"0" * 64 + b"\n", b"\x00\n", b"\xff\n"):
            with self.subTest(line[:8]):
                self.lay(**{"log_dot_jsonl": line * (1_000_000 if len(line) < 20 else 300_000)})
                self.assertEqual(self.judge("--roster", ROSTER)[0], "INVALID")

    def test_a_ledger_longer_than_its_log(self):
        rows = builder.ledger(builder.Record().origin)
        self.lay(**{"withheld_dot_jsonl": rows + b"".join(b'{"entry":%d,"label":"red","reason":"PD","type":"note"}\n' % n for n in range(1_000_000))})
        self.assertEqual(self.judge("--roster", ROSTER), ("INVALID", {"RED-LEDGER"}))
        self.lay(**{"withheld_dot_jsonl": rows + b"".join(b'{"file":"artefacts/%07d","label":"red","reason":"PD"}\n' % n for n in range(300_000))})
        verdict, rules = self.judge("--roster", ROSTER)
        self.assertEqual((verdict, rules - {"RED-WITHHELD"}), ("INVALID", {"RED-LEDGER"}))

    def test_depth_is_refused_before_it_is_followed(self):
        for text in (b"[" * 60_000, b'{"a":' * 12_000, b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}"):
            self.lay(**{"log_dot_jsonl": text + b"\n"})
            self.assertEqual(self.judge()[0], "INVALID")
            opening = base64.urlsafe_b64encode(text[:40_000]).rstrip(b"=")
            self.lay(**{"disclosures_dot_jsonl": b'{"d":"' + opening + b'"}\n'})
            verdict, rules = self.judge("--roster", ROSTER)
            self.assertEqual((verdict, rules), ("INVALID", {"RED-DISCLOSURE"}))

    def test_openings_that_open_openings_are_not_followed(self):
        inner = b",".join(b'{"_sd":"' + b"A" * 43 + b'"}' for _ in range(800))
        opening = base64.urlsafe_b64encode(b'["' + b"A" * 22 + b'","x",[' + inner + b"]]").rstrip(b"=")
        self.lay(**{"disclosures_dot_jsonl": b'{"d":"' + opening + b'"}\n'})
        self.assertEqual(self.judge("--roster", ROSTER), ("INVALID", {"RED-DISCLOSURE"}))
        self.lay(**{"disclosures_dot_jsonl": (b'{"d":"' + b"A" * 60_000 + b'"}\n') * 700})
        self.assertEqual(self.judge("--roster", ROSTER), ("INVALID", {"RED-DISCLOSURE"}))

    def test_names_that_lead_elsewhere_are_not_followed(self):
        for name in ("../../../etc/passwd", "/etc/passwd", "a/../../b", "..", "a//b", "a\x00b", "-rf", ".hidden", "x" * 129, "/".join("abcdefghi")):
            record = builder.Record()
            shutil.rmtree(self.record, True)
            builder.complete(self.record, record.ceremony_entries(extra={"approved": lambda r: r.add("artefact", name=name, sha256="00" * 32, size=1, kind="x")}))
            verdict, rules = self.judge()
            self.assertEqual(verdict, "INVALID")
            self.assertIn("ART-PATH", rules)

    def test_links_pipes_and_sockets_are_not_opened(self):
        for name in ("log.jsonl", "policy.txt", "checkpoint", "addendum.note", "withheld.jsonl", "disclosures.jsonl", "inputs/script.json", "artefacts/root.pem"):
            for make in (lambda path: os.symlink("/etc/passwd", path), os.mkfifo):
                with self.subTest(name):
                    self.lay()
                    path = os.path.join(self.record, name)
                    if os.path.exists(path):
                        os.unlink(path)
                    make(path)
                    self.assertEqual(self.judge("--roster", ROSTER)[0], "INVALID")

    def test_folders_that_are_links_are_not_entered(self):
        for name, target in (("inputs", "/etc"), ("artefacts", "/"), ("artefacts", "."), ("inputs", "..")):
            with self.subTest(name, target=target):
                self.lay()
                shutil.rmtree(os.path.join(self.record, name))
                os.symlink(target, os.path.join(self.record, name))
                self.assertEqual(self.judge("--roster", ROSTER)[0], "INVALID")
        self.lay()
        os.symlink("..", os.path.join(self.record, "artefacts", "up"))
        verdict, rules = self.judge("--roster", ROSTER)
        self.assertEqual((verdict, rules), ("INVALID", {"ART-PATH"}))

    def test_a_folder_without_a_floor_is_not_walked_to_the_end(self):
        self.lay()
        path = os.path.join(self.record, "artefacts")
        for _ in range(200):
            path = os.path.join(path, "d")
        os.makedirs(path)
        ran = subprocess.run(["keyceremony-verify", self.record, "--roster", ROSTER], capture_output=True, check=False, timeout=120, preexec_fn=bounded)
        self.assertNotEqual(ran.returncode, 0)
        self.assertNotIn(b"COMPLETE:", ran.stdout)

    def test_huge_base64_where_a_key_or_a_signature_should_be(self):
        blob = base64.b64encode(bytes(45_000)).decode()
        for extra in ({"opened": lambda r: r.add("cosign", person="erin", request=4, size=5, line="\u2014 smki.example/erin " + blob)},
                      {"closing": lambda r: r.add("checkpoint", note=r.checkpoint_text() + "\n\u2014 " + r.origin + " " + blob + "\n")}):
            shutil.rmtree(self.record, True)
            builder.complete(self.record, builder.Record().ceremony_entries(extra=extra))
            self.assertEqual(self.judge("--roster", ROSTER)[0], "INVALID")
        record = builder.Record()
        opening = record.open
        record.open = lambda: opening(log_key=blob)
        shutil.rmtree(self.record, True)
        builder.complete(self.record, record.ceremony_entries())
        self.assertEqual(self.judge()[0], "INVALID")
        self.lay(checkpoint=b"a\n1\n" + blob.encode() + b"\n\n" + b"".join(b"\xe2\x80\x94 a%d AAAAAAA=\n" % n for n in range(50_000)))
        self.assertEqual(self.judge("--roster", ROSTER)[0], "INVALID")

    def cheap(self, record, verdict, *options):
        """The log of a record gets its verdict in seconds of a processor that anybody has, and in the memory of every other."""
        self.lay(**{"log_dot_jsonl": b"".join(line + b"\n" for line in record.lines)})
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        self.assertEqual(self.judge(*options)[0], verdict)
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, 60 if SANITIZED else 6)

    def calls(self, intents, dones):
        """A log with a step of the calls of these numbers, and of the ends of those."""
        record = builder.Record()
        record.open()
        record.step("root-key", "key.generate", "begin")
        for kind, numbers in (("intent", intents), ("done", dones)):
            record.add(kind, call=-1, fn="C_Sign", token="root", inventory="11" * 32, time="2026-11-21T23:00:00.000000Z", **({"rv": "CKR_OK"} if kind == "done" else {}))
            line = record.lines.pop()
            seq = b'"seq":%d' % len(record.lines)
            self.assertIn(seq, line)
            record.lines += [line.replace(seq, b'"seq":%d' % n).replace(b'"call":-1', b'"call":%d' % call) for n, call in enumerate(numbers, len(record.lines))]
        return record

    def test_a_step_of_many_calls_is_read_once(self):
        count = 200_000
        self.cheap(self.calls(range(count), range(count)), "INVALID")  # nobody approved them
        self.cheap(self.calls([0] * count, [1] * count), "INVALID")

    def test_many_requests_share_their_people(self):
        people = [f"p{number}" for number in range(200)]
        record = builder.Record(people=people)
        record.open()
        for number in range(5_000):
            record.request(f"s{number}", m=1 + number, quorum="custodians" if number % 2 else f"q{number}", time="2026-11-21T23:00:00.000000Z")
        self.lay(**{"log_dot_jsonl": b"".join(line + b"\n" for line in record.lines), "policy_dot_txt": record.policy()})
        self.assertNotIn("REC-ENTRY", self.judge()[1])

    def test_many_keys_on_many_tokens_are_followed_once(self):
        record = builder.Record()
        record.open()
        keys = iter(range(1 << 30))
        made = lambda n: {"effect": "key-created", "key": f"k{n}", "token": "one", "spki_sha256": f"{n:064x}"}
        for effects in [[made(next(keys)) for _ in range(400)] for _ in range(100)] + [[{"effect": "token-retired", "token": "two"}] * 800] * 50 + [
                [{"effect": "key-destroyed", "key": "nobody"}] * 800] * 50:
            record.step("root-key", "key.generate", "begin")
            record.step("root-key", "key.generate", "end", effects=effects)
        self.cheap(record, "INVALID")

    def test_a_reader_who_may_write_nothing_gets_the_verdict_and_nothing_changes(self):
        self.lay()
        # A checkout may lie where nobody else may look.
        program = shutil.copy(shutil.which("keyceremony-verify"), self.top)
        roster = shutil.copy(ROSTER, self.top)
        for folder, _, names in os.walk(self.record):
            for name in names:
                os.chmod(os.path.join(folder, name), 0o444)
            os.chmod(folder, 0o555)
        before = {path: os.stat(os.path.join(self.record, path)).st_mtime_ns for path in os.listdir(self.record)}
        self.assertEqual(self.judge("--roster", roster, preexec=nobody, program=program), ("COMPLETE", set()))
        self.assertEqual({path: os.stat(os.path.join(self.record, path)).st_mtime_ns for path in os.listdir(self.record)}, before)
        os.chmod(self.record, 0o755)
        if os.geteuid() == 0:
            os.chmod(os.path.join(self.record, "policy.txt"), 0)
            ran = subprocess.run([program, self.record], preexec_fn=nobody, capture_output=True, check=False)
            self.assertEqual((ran.returncode, ran.stdout), (4, b""))
        for folder, _, _ in os.walk(self.record):
            os.chmod(folder, 0o755)


if __name__ == "__main__":
    unittest.main()
