#!/usr/bin/env python3
"""What an auditor takes from a record or brings to it: proofs, tiles, witnesses, time-stamps, and the verdict explained.

Witnesses and the time-stamping authority are openssl's; proofs and tiles are read by code of this file alone.
"""
import base64
import hashlib
import json
import re
import shutil
import struct
import subprocess
import time
import unittest

from archive import SOURCE, run, scratch

VECTORS = SOURCE / "docs" / "vectors"
RECORD, BUNDLE, ROSTER = VECTORS / "archive" / "0001-root-2026", VECTORS / "bundle", VECTORS / "roster.json"
LINES = (RECORD / "log.jsonl").read_bytes().split(b"\n")[:-1]


def sha(data):
    return hashlib.sha256(data).digest()


def tree(leaves):
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\x01" + tree(leaves[:half]) + tree(leaves[half:]))


class Auditor(unittest.TestCase):
    def setUp(self):
        self.folder = scratch(self)

    def good(self, *arguments):
        status, out, err = run(*arguments)
        self.assertEqual((status, err), (0, ""))
        return out

    def verdict(self, *arguments):
        _, out, err = run(*arguments, "--json", program="keyceremony-verify")
        self.assertEqual(err, "")
        answer = json.loads(out)
        return answer["verdict"], [finding["rule"] for finding in answer["findings"]], answer

    def openssl(self, *arguments, data=None):
        return subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=True, cwd=self.folder).stdout


class Proofs(Auditor):
    def proof(self, entry, record=RECORD):
        out = self.folder / f"{entry}.tlog-proof"
        self.good("proof", record, "--entry", entry, "--out", out)
        return out

    def test_a_proof_of_each_entry_leads_to_the_cosigned_root(self):
        for entry, line in enumerate(LINES):
            text = self.proof(entry).read_bytes().decode()
            head, note = text.split("\n\n", 1)
            first, extra, index, *hashes = head.split("\n")
            self.assertEqual((first, extra, index), ("c2sp.org/tlog-proof@v1", "extra " + base64.b64encode(line).decode(), f"index {entry}"))
            self.assertEqual(note.encode(), (RECORD / "checkpoint").read_bytes())
            # RFC 9162, 2.1.3.2, written anew.
            node, last, root = entry, len(LINES) - 1, sha(b"\0" + line)
            for sibling in map(base64.b64decode, hashes):
                if node & 1 or node == last:
                    root = sha(b"\x01" + sibling + root)
                    while not node & 1 and node:
                        node, last = node >> 1, last >> 1
                else:
                    root = sha(b"\x01" + root + sibling)
                node, last = node >> 1, last >> 1
            self.assertEqual((last, base64.b64encode(root).decode()), (0, note.split("\n")[2]))
            verdict, rules, answer = self.verdict(self.folder / f"{entry}.tlog-proof", "--roster", ROSTER)
            self.assertEqual((verdict, rules, answer["cosigners"], answer["line"]), ("COMPLETE", [], ["alice", "carol", "erin"], line.decode()))

    def test_a_proof_that_was_changed_proves_nothing(self):
        good = self.proof(5).read_text()
        changed = self.folder / "changed"

        def judge(text, *options):
            changed.write_bytes(text.encode())
            status, out, _ = run(changed, "--roster", ROSTER, "--json", *options, program="keyceremony-verify")
            return status, [finding["rule"] for finding in json.loads(out)["findings"]] if out else None

        lines = good.split("\n")
        other = "extra " + base64.b64encode(LINES[6]).decode()
        self.assertEqual(judge(good.replace("index 5", "index 6")), (1, ["PRF-INCLUSION", "REC-SEQ"]))
        self.assertEqual(judge(good.replace(lines[1], other)), (1, ["PRF-INCLUSION", "REC-SEQ"]))
        self.assertEqual(judge(good.replace(lines[3] + "\n", "")), (1, ["PRF-INCLUSION"]))
        self.assertEqual(judge(good.replace(lines[3], lines[3] + "\n" + lines[3])), (1, ["PRF-INCLUSION"]))
        self.assertEqual(judge(good.replace(lines[1] + "\n", "")), (6, ["PRF-LINE"]))
        signatures = [line for line in lines if line.startswith("\u2014")]
        self.assertEqual(judge(good.replace(signatures[-1] + "\n", "")), (6, ["QUO-FINAL"]))
        self.assertEqual(judge(good.replace("\n22\n", "\n23\n"))[0], 1)
        for broken in ("", good[:40], good.replace("index 5", "index 05"), good.replace("@v1", "@v2"), good.replace("\n\n", "\n", 1), good.replace("extra ", "extra  "),
                       good.replace(lines[3], lines[3][:-1]), "c2sp.org/tlog-proof@v1\nindex 0\n" + (lines[3] + "\n") * 65 + good[good.index("\n\n"):]):
            self.assertEqual(judge(broken), (2, None))

    def test_a_proof_nobody_vouches_for_is_unpinned(self):
        self.assertEqual(self.verdict(self.proof(3))[:2], ("UNPINNED", ["QUO-UNPINNED"]))

    def test_a_withheld_entry_is_proven_by_the_line_that_the_reader_was_shown(self):
        proof = self.proof(2, BUNDLE)
        self.assertNotIn("extra", proof.read_text())
        self.assertEqual(self.verdict(proof, "--roster", ROSTER)[:2], ("INCOMPLETE", ["PRF-LINE"]))
        shown = self.folder / "line"
        shown.write_bytes(LINES[2] + b"\n")
        self.assertEqual(self.verdict(proof, "--roster", ROSTER, "--entry", shown)[:2], ("COMPLETE", []))
        shown.write_bytes(LINES[3])
        self.assertEqual(self.verdict(proof, "--roster", ROSTER, "--entry", shown)[:2], ("INVALID", ["PRF-INCLUSION", "REC-SEQ"]))

    def test_there_is_no_proof_of_what_is_not_there(self):
        for entry in (len(LINES), 10 ** 9):
            status, _, err = run("proof", RECORD, "--entry", entry, "--out", self.folder / "none")
            self.assertEqual(status, 2)
            self.assertIn("its checkpoint covers 22", err)
        self.assertFalse((self.folder / "none").exists())


class Tiles(Auditor):
    def read_tiles(self, top):
        """Leaves and lines from the tiles of a log, as a client of the standard reads them."""
        size = int((top / "checkpoint").read_text().split("\n")[1])
        leaves, lines = [], []
        for index in range((size + 255) // 256):
            width = min(256, size - 256 * index)
            name = f"{index:03}"  # these logs have fewer than 256,000 entries
            path = name if width == 256 else f"{name}.p/{width}"
            hashes = (top / "tile" / "0" / path).read_bytes()
            self.assertEqual(len(hashes), 32 * width)
            leaves += [hashes[at:at + 32] for at in range(0, len(hashes), 32)]
            bundle = top / "tile" / "entries" / path
            if not bundle.exists():
                lines += [None] * width
                continue
            data = bundle.read_bytes()
            while data:
                length = struct.unpack(">H", data[:2])[0]
                lines.append(data[2:2 + length])
                data = data[2 + length:]
        return leaves, lines

    def test_an_archive_becomes_a_log_for_each_record(self):
        out = self.folder / "logs"
        self.good("tiles", VECTORS / "archive", "--out", out)
        self.assertEqual(sorted(path.name for path in out.iterdir()), ["0001-root-2026", "0002-issuing-2026"])
        leaves, lines = self.read_tiles(out / "0001-root-2026")
        self.assertEqual(lines, LINES)
        self.assertEqual(leaves, [sha(b"\0" + line) for line in LINES])
        self.assertEqual((out / "0001-root-2026" / "checkpoint").read_bytes(), (RECORD / "checkpoint").read_bytes())

    def test_full_tiles_pass_their_root_to_the_level_above(self):
        # 600 entries: two full tiles and one of 88, level 1 of width 2.
        record = self.folder / "long"
        record.mkdir()
        lines = [b'{"n":%d}' % n for n in range(600)]
        (record / "log.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
        root = base64.b64encode(tree([sha(b"\0" + line) for line in lines])).decode()
        (record / "checkpoint").write_text(f"a/b/{'0' * 32}\n600\n{root}\n\n\u2014 a/b AAAAAAA=\n")
        out = self.folder / "logs"
        self.good("tiles", record, "--out", out)
        files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
        self.assertEqual(files, ["checkpoint", "tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2",
                                 "tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"])
        leaves, read = self.read_tiles(out)
        self.assertEqual(read, lines)
        above = (out / "tile/1/000.p/2").read_bytes()
        self.assertEqual(above, tree(leaves[:256]) + tree(leaves[256:512]))

    def test_of_a_bundle_the_hashes_are_served_and_the_lines_are_not(self):
        out = self.folder / "log"
        self.assertIn("1 left out because an entry in them is withheld", self.good("tiles", BUNDLE, "--out", out))
        leaves, lines = self.read_tiles(out)
        self.assertEqual(leaves, [sha(b"\0" + line) for line in LINES])
        self.assertEqual(set(lines), {None})

    def test_a_log_of_another_root_is_not_served_and_nothing_is_left(self):
        broken = self.folder / "broken"
        shutil.copytree(RECORD, broken)
        (broken / "log.jsonl").write_bytes(b"\n".join(LINES[:-1] + [b"{}"]) + b"\n")
        status, _, err = run("tiles", broken, "--out", self.folder / "out")
        self.assertEqual(status, 1)
        self.assertIn("not the one of the final checkpoint", err)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["broken"])


class Witnesses(Auditor):
    """Keys and signatures are openssl's; the form is that of c2sp.org/tlog-cosignature."""

    def setUp(self):
        super().setUp()
        self.keys = {}

    def vkey(self, name):
        key = self.folder / (name.replace("/", "_") + ".pem")
        self.openssl("genpkey", "-algorithm", "ed25519", "-out", key)
        raw = self.openssl("pkey", "-in", key, "-pubout", "-outform", "DER")[-32:]
        keyid = sha(name.encode() + b"\n\x04" + raw)[:4]
        self.keys[name] = key, keyid
        return f"{name}+{keyid.hex()}+{base64.b64encode(bytes([4]) + raw).decode()}"

    def line(self, name, text, time=1764400000, said=None):
        key, keyid = self.keys[name]
        (self.folder / "message").write_text(f"cosignature/v1\ntime {time}\n{text}")
        signature = self.openssl("pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", self.folder / "message")
        blob = keyid + struct.pack(">Q", time if said is None else said) + signature
        return f"\u2014 {name} {base64.b64encode(blob).decode()}\n"

    def judge(self, note, *vkeys):
        (self.folder / "note").write_text(note)
        (self.folder / "keys").write_text("# witnesses\n" + "".join(vkey + "\n" for vkey in vkeys))
        return self.verdict(RECORD, "--roster", ROSTER, "--checkpoint", self.folder / "note", "--witness", self.folder / "keys")

    def test_a_witness_says_when_it_saw_the_checkpoint(self):
        note = (RECORD / "checkpoint").read_text()
        text = note[:note.index("\n\n") + 1]
        vkey, second = self.vkey("witness.example/w1"), self.vkey("witness.example/w2")
        verdict, rules, answer = self.judge(note + self.line("witness.example/w1", text), vkey)
        self.assertEqual((verdict, rules), ("COMPLETE", []))
        self.assertEqual(answer["witnessings"], [{"witness": "witness.example/w1", "size": 22, "seconds": 1764400000}])
        shown = run(RECORD, "--checkpoint", self.folder / "note", "--witness", self.folder / "keys", program="keyceremony-verify")[1]
        self.assertIn("witnessed   the first 22 entries, by witness.example/w1 at 2025-11-29T07:06:40.000000Z", shown)
        # Not there, forged, of another time, of another text, too short.
        self.assertEqual(self.judge(note + self.line("witness.example/w1", text), vkey, second)[:2], ("INCOMPLETE", ["QUO-WITNESS"]))
        for bad in (self.line("witness.example/w1", text.replace("22", "21")), self.line("witness.example/w1", text, said=1764400001),
                    f"\u2014 witness.example/w1 {base64.b64encode(self.keys['witness.example/w1'][1] + bytes(71)).decode()}\n"):
            self.assertEqual(self.judge(note + bad, vkey)[:2], ("INVALID", ["SIG-WITNESS"]))

    def test_a_key_of_another_kind_is_no_witness(self):
        vkey = self.vkey("w")
        name, keyid, blob = vkey.split("+", 2)
        raw = base64.b64decode(blob)
        for bad in (f"{name}+{keyid}+{base64.b64encode(bytes([1]) + raw[1:]).decode()}", f"{name}+00000000+{blob}", f"{name}+{keyid}", "x", f"{vkey}\n{vkey}"):
            (self.folder / "keys").write_text(bad + "\n")
            status, _, err = run(RECORD, "--checkpoint", RECORD / "checkpoint", "--witness", self.folder / "keys", program="keyceremony-verify")
            self.assertEqual(status, 2, bad)
            self.assertIn("error:", err)


class Stamps(Auditor):
    """`openssl ts` is the authority."""

    def authority(self, name="tsa", days=30, start=None):
        """A root and a certificate for time-stamping below it; returns the root's path."""
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}-root.key", "-out", f"{name}-root.pem",
                     "-subj", f"/CN={name} root", "-days", "3650")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (self.folder / "ext").write_text("extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{name}-root.pem", "-CAkey", f"{name}-root.key", "-CAcreateserial", "-out", f"{name}.pem",
                     "-days", days, "-extfile", "ext")
        (self.folder / "serial").write_text("01\n")
        (self.folder / "tsa.cnf").write_text("[tsa]\ndefault_tsa=t\n[t]\nserial=serial\ncrypto_device=builtin\nsigner_digest=sha256\ndefault_policy=1.2.3.4\n"
                                             "digests=sha256,sha512\naccuracy=secs:1\nordering=no\ntsa_name=no\ness_cert_id_chain=no\ness_cert_id_alg=sha256\n")
        return self.folder / f"{name}-root.pem"

    def reply(self, query, name="tsa", out="reply.tsr"):
        self.openssl("ts", "-reply", "-config", "tsa.cnf", "-section", "t", "-queryfile", query, "-inkey", f"{name}.key", "-signer", f"{name}.pem", "-out", out)
        return self.folder / out

    def ask(self, record=RECORD, name="query.tsq"):
        self.good("stamp", record, "--out", self.folder / name)
        return self.folder / name

    def judge(self, reply, root, *more):
        return self.verdict(RECORD, "--roster", ROSTER, "--timestamp", reply, "--tsa", root, *more)

    def test_the_request_is_one_that_openssl_reads(self):
        text = self.openssl("ts", "-query", "-in", self.ask(), "-text").decode()
        self.assertIn("Hash Algorithm: sha256", text)
        self.assertIn("Certificate required: yes", text)
        digits = re.sub(r"[^0-9a-f]", "", re.sub(r"(?m)^    \d{4} - |   .{1,16}$", "", text.split("Message data:\n")[1].split("Policy")[0]))
        self.assertEqual(digits, hashlib.sha256((RECORD / "checkpoint").read_bytes()).hexdigest())
        self.assertNotEqual(self.ask(name="again.tsq").read_bytes(), self.ask(name="more.tsq").read_bytes())

    def test_a_time_stamp_says_when_the_record_was_there(self):
        root, query = self.authority(), self.ask()
        reply = self.reply(query)
        for more in ((), ("--request", query)):
            verdict, rules, answer = self.judge(reply, root, *more)
            self.assertEqual((verdict, rules), ("COMPLETE", []))
            self.assertEqual(answer["timestamp"]["authority"], "CN=tsa")
            self.assertRegex(answer["timestamp"]["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        shown = run(RECORD, "--timestamp", reply, "--tsa", root, program="keyceremony-verify")[1]
        self.assertIn(f"time-stamp  {answer['timestamp']['time']} by CN=tsa", shown)
        # openssl comes to the same.
        self.openssl("ts", "-verify", "-in", reply, "-data", RECORD / "checkpoint", "-CAfile", root)

    def test_a_time_stamp_that_does_not_fit_is_found_out(self):
        root, query = self.authority(), self.ask()
        stranger = self.authority("stranger")
        reply = self.reply(query)
        self.assertEqual(self.judge(reply, stranger)[:2], ("INVALID", ["TIM-STAMP"]))
        other = self.reply(self.ask(VECTORS / "archive" / "0002-issuing-2026", "other.tsq"), out="other.tsr")
        self.assertEqual(self.judge(other, root)[:2], ("INVALID", ["TIM-STAMP"]))
        self.assertEqual(self.judge(reply, root, "--request", self.ask(name="later.tsq"))[:2], ("INVALID", ["TIM-STAMP"]))
        good, honest, passed = reply.read_bytes(), self.judge(reply, root)[2]["timestamp"], 0
        for at in range(0, len(good), 37):
            forged = bytearray(good)
            forged[at] ^= 1
            reply.write_bytes(forged)
            verdict, rules, answer = self.judge(reply, root)
            # What no signature covers (such as the words of the status) may differ, but never the time or who says it.
            if verdict == "COMPLETE":
                self.assertEqual(answer["timestamp"], honest)
                passed += 1
            else:
                self.assertEqual((verdict, rules), ("INVALID", ["TIM-STAMP"]))
        self.assertLess(passed, 5)
        for bad in (b"", b"junk", good + b"\0", good[:-1]):
            reply.write_bytes(bad)
            self.assertEqual(self.judge(reply, root)[:2], ("INVALID", ["TIM-STAMP"]))
        reply.write_bytes(good)
        (self.folder / "empty").write_text("no certificate")
        self.assertEqual(run(RECORD, "--timestamp", reply, "--tsa", self.folder / "empty", program="keyceremony-verify")[0], 2)

    def test_a_time_stamp_outlives_the_certificate_of_its_authority(self):
        root = self.authority()
        ends = time.time() + 5
        (self.folder / "ca.cnf").write_text("[ca]\ndefault_ca=c\n[c]\ndatabase=index\nserial=ca-serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nunique_subject=no\n"
                                            "[p]\ncommonName=supplied\n")
        (self.folder / "index").write_text("")
        (self.folder / "ca-serial").write_text("02\n")
        hour = lambda seconds: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(seconds))
        self.openssl("ca", "-config", "ca.cnf", "-batch", "-notext", "-in", "tsa.csr", "-cert", "tsa-root.pem", "-keyfile", "tsa-root.key", "-out", "tsa.pem",
                     "-startdate", hour(ends - 3600), "-enddate", hour(ends), "-extfile", "ext")
        reply = self.reply(self.ask())
        time.sleep(max(0, ends + 2 - time.time()))
        expired = subprocess.run(["openssl", "ts", "-verify", "-in", reply, "-data", RECORD / "checkpoint", "-CAfile", root], capture_output=True, text=True, check=False)
        self.assertIn("certificate has expired", expired.stderr)
        self.assertEqual(self.judge(reply, root)[:2], ("COMPLETE", []))
        # One that had ended before it was made is none.
        late = self.reply(self.ask(name="late.tsq"), out="late.tsr")
        self.assertEqual(self.judge(late, root)[:2], ("INVALID", ["TIM-STAMP"]))


class Explained(Auditor):
    def lesson(self, record, *options):
        status, out, err = run(record, "--explain", *options, program="keyceremony-verify")
        self.assertEqual(err, "")
        return status, out, [line[4:] for line in out.split("\n") if line.startswith("  $ ")]

    def follow(self, commands):
        return subprocess.run(["bash", "-e", "-o", "pipefail", "-c", "\n".join(commands)], capture_output=True, text=True, cwd=self.folder, check=False)

    def test_every_command_of_the_lesson_runs_and_comes_to_the_verdict(self):
        shutil.copytree(RECORD, self.folder / "it's a record")
        for record, options in ((RECORD, ("--roster", ROSTER)), (RECORD, ()), (BUNDLE, ("--roster", ROSTER)), (self.folder / "it's a record", ("--roster", ROSTER))):
            with self.subTest(record=record, options=options):
                status, out, commands = self.lesson(record, *options)
                self.assertIn(status, (0, 7))
                self.assertGreater(len(commands), 15)
                done = self.follow(commands)
                self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
                self.assertEqual(done.stdout.count("Signature Verified Successfully"), 4)
                self.assertIn("QUO-INTENT  nothing consequential happens in a step before its quorum has approved", out)

    def test_the_lesson_finds_what_was_forged(self):
        for name, forge in (("the log", lambda top: (top / "log.jsonl").write_bytes(b"\n".join([*LINES[:4], LINES[4].replace(b"3", b"2", 1), *LINES[5:]]) + b"\n")),
                            ("a file", lambda top: (top / "artefacts/root.pem").write_bytes(b"other")),
                            ("a root", lambda top: (top / "checkpoint").write_text((top / "checkpoint").read_text().replace("\n22\n", "\n21\n")))):
            with self.subTest(name):
                top = self.folder / name.replace(" ", "-")
                shutil.copytree(RECORD, top)
                honest = self.lesson(top, "--roster", ROSTER)[2]
                self.assertEqual(self.follow(honest).returncode, 0)
                forge(top)
                self.assertNotEqual(self.follow(honest).returncode, 0)


if __name__ == "__main__":
    unittest.main()
