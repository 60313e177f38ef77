#!/usr/bin/env python3
"""`lint` and `normalise` on certificates that openssl made and Python changed octet by octet."""
import csv
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

from archive import SOURCE, scratch

CONFIG = """
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[issuing]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[leaf]
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[device]
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
certificatePolicies = critical,1.2.826.0.1.1800000.1.2.1.4
subjectAltName = critical,otherName:1.3.6.1.5.5.7.8.4;SEQUENCE:hardware
[hardware]
type = OID:1.2.826.0.1.1800000.1
serial = FORMAT:HEX,OCT:{eui}
"""


def openssl(*arguments, given=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True, check=True).stdout


def lint(*arguments, given=None):
    return subprocess.run(["keyceremony", "lint", *map(str, arguments)], input=given, capture_output=True, check=False)


def octets_of(length):
    if length < 0x80:
        return bytes([length])
    body = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(body)]) + body


def tlv(tag, *contents):
    content = b"".join(contents)
    return bytes([tag]) + octets_of(len(content)) + content


def split(der):
    """The elements of one after another: (tag, content, whole)."""
    elements, at = [], 0
    while at < len(der):
        length, header = der[at + 1], 2
        if length & 0x80:
            count = length & 0x7F
            length, header = int.from_bytes(der[at + 2:at + 2 + count], "big"), 2 + count
        elements.append((der[at], der[at + header:at + header + length], der[at:at + header + length]))
        at += header + length
    return elements


def parts_of(certificate):
    """TBS, algorithm, signature (r and s as the contents of their INTEGERs)."""
    (_, content, _), = split(certificate)
    tbs, algorithm, signature = split(content)
    (_, pair, _), = split(signature[1][1:])
    r, s = split(pair)
    return tbs[2], algorithm[2], r[1], s[1]


def with_signature(certificate, signature):
    tbs, algorithm, _, _ = parts_of(certificate)
    return tlv(0x30, tbs, algorithm, tlv(0x03, b"\0", signature))


def pair(r, s):
    return tlv(0x30, tlv(0x02, r), tlv(0x02, s))


def pem(der, label="CERTIFICATE"):
    import base64
    body = base64.encodebytes(der).replace(b"\n", b"")
    lines = [body[i:i + 64] for i in range(0, len(body), 64)]
    return b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label.encode(), b"\n".join(lines), label.encode())


class World:
    """Root, two issuing CAs, leaves; made once by openssl."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "openssl.cnf").write_text(CONFIG.format(eui="00db1234567890a1"))
        for key in ("root", "one", "two", "leaf", "other"):
            openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder / f"{key}.key")
        self.serial = 0x2000
        self.root = self.issue("root", "/OU=00/CN=ZA", "root", None, "root", days=9000)
        self.one = self.issue("one", "/OU=07/CN=Z1", "one", "root", "issuing", days=8000)
        self.two = self.issue("two", "/OU=07/CN=Z2", "two", "root", "issuing", days=8000)
        self.leaf = self.issue("leaf", "/CN=leaf", "leaf", "one", "leaf", days=900)

    def issue(self, name, subject, key, issuer, section, days=900, serial=None, start=None, issuer_key=None):
        """The DER of a new certificate; PEM files beside it let it issue."""
        self.serial += 1
        config, folder = self.folder / "openssl.cnf", self.folder
        request = folder / f"{name}.csr"
        openssl("req", "-new", "-config", config, "-key", folder / f"{key}.key", "-subj", subject, "-utf8",
                "-out", request)
        out = folder / f"{name}.pem"
        signer = ["-signkey", folder / f"{key}.key"] if issuer is None else \
            ["-CA", folder / f"{issuer}.pem", "-CAkey", folder / f"{issuer_key or issuer}.key"]
        openssl("x509", "-req", "-in", request, *signer, "-days", days, "-set_serial", hex(serial or self.serial),
                "-extfile", config, "-extensions", section, "-out", out)
        der = openssl("x509", "-in", out, "-outform", "DER")
        (folder / f"{name}.crt").write_bytes(der)
        return der


class Lint(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = scratch(cls)
        cls.world = World(cls.made)

    def setUp(self):
        self.folder = scratch(self)

    def write(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def findings(self, *arguments, given=None, status=None):
        done = lint("--json", *arguments, given=given)
        report = json.loads(done.stdout)
        expected = status if status is not None else 1 if report["findings"] else 0
        self.assertEqual(done.returncode, expected, done.stderr.decode())
        return report

    def rules(self, *arguments, **more):
        return [(each["index"], each["id"]) for each in self.findings(*arguments, **more)["findings"]]

    def test_a_clean_chain_has_no_finding_in_any_container(self):
        w = self.world
        chain = [w.root, w.one, w.two, w.leaf]
        for name, data in (("one-after-another.der", b"".join(chain)), ("blocks.pem", b"".join(map(pem, chain))),
                           ("mixed", chain[0] + b"".join(map(pem, chain[1:3])) + chain[3]),
                           ("with-text.pem", b"subject=ZA\n".join(map(pem, chain))),
                           ("crlf.pem", b"".join(map(pem, chain)).replace(b"\n", b"\r\n"))):
            with self.subTest(name):
                report = self.findings(self.write(name, data))
                self.assertEqual(report["findings"], [])
                self.assertEqual((report["summary"]["certificates"], report["summary"]["set_rules"]), (4, True))
        self.assertEqual(self.rules("-", given=b"".join(chain)), [])

    def test_crls_are_judged_where_they_stand(self):
        w = self.world
        (self.folder / "index.txt").write_text("")
        (self.folder / "number").write_text("01\n")
        config = self.write("ca.cnf", (
            "[ca]\ndefault_ca = c\n[c]\ndatabase = %s/index.txt\ncrlnumber = %s/number\ndefault_md = sha256\n"
            "default_crl_days = 30\ncrl_extensions = x\n[x]\nauthorityKeyIdentifier = keyid\n"
            % (self.folder, self.folder)).encode())
        block = openssl("ca", "-gencrl", "-config", config, "-cert", self.made / "one.pem", "-keyfile",
                        self.made / "one.key")
        der = openssl("crl", "-outform", "DER", given=block)
        report = self.findings(self.write("mixed", w.one + der + block[block.index(b"-----"):] + pem(w.root)))
        self.assertEqual((report["findings"], report["summary"]["certificates"], report["summary"]["crls"]), ([], 2, 2))
        report = self.findings(self.write("mixed", w.one + der + b"\0"))
        self.assertEqual([(each["kind"], each["index"], each["id"]) for each in report["findings"]],
                         [("crl", 2, "DER-TRAILING-01")])

    def test_each_damage_of_a_file_gives_its_rule(self):
        leaf, root = self.world.leaf, self.world.root
        block = pem(leaf)
        cases = {
            "octets after": (leaf + b"\0", [(1, "DER-TRAILING-01")]),
            "octets between": (leaf + b"\0\1\2" + root, [(1, "DER-TRAILING-01")]),
            "octets before": (b"\0\1\2" + leaf, [(1, "BUNDLE-01")]),
            "cut off": (leaf[:-1], [(1, "DER-LENGTH-01")]),
            "cut off, another follows": (leaf[:-9] + root, [(1, "DER-LENGTH-01")]),
            "another tag": (b"\x31" + leaf[1:], [(1, "DER-SET-01"), (1, "DER-SET-01"), (1, "X509-FORM-01")]),
            "indefinite length": (b"\x30\x80" + leaf[4:] + b"\0\0", [(1, "DER-LENGTH-02")]),
            "length in three octets": (b"\x30\x83\0" + leaf[2:], [(1, "DER-LENGTH-03")]),
            "length of 2^63": (b"\x30\x88\x80" + b"\0" * 7 + leaf, [(1, "DER-LENGTH-01")]),
            "empty": (b"", [(1, "BUNDLE-01")]),
            "text": (b"no certificate here\n", [(1, "BUNDLE-01")]),
            "block without end": (block[:-28], [(1, "BUNDLE-02")]),
            "block without end, another follows": (block[:-28] + pem(root), [(1, "BUNDLE-02")]),
            "line of 65": (block.replace(b"\n", b"", 2).replace(b"-----M", b"-----\nM"), [(1, "BUNDLE-03")]),
            "block of a key": (block + pem(b"\x30\0", "PRIVATE KEY"), [(2, "BUNDLE-04")]),
            "NULs between blocks": (block + b"\0\0" + pem(root), [(2, "BUNDLE-01")]),
        }
        for name, (data, expected) in cases.items():
            with self.subTest(name):
                self.assertEqual(self.rules("--alone", self.write("damaged", data)), expected)

    def test_what_openssl_refuses_of_an_encoding_is_refused(self):
        leaf = self.world.leaf
        refused = 0
        for at in range(0, len(leaf), 3):
            for mask in (0x01, 0x80, 0xFF):
                changed = leaf[:at] + bytes([leaf[at] ^ mask]) + leaf[at + 1:]
                self.write(f"{at:04}-{mask:02x}.der", changed)
        report = self.findings("--set", self.folder, self.made / "one.crt")
        found = {pathlib.Path(each["file"]).name for each in report["findings"]}
        for path in sorted(self.folder.glob("*.der"))[::3]:
            if subprocess.run(["openssl", "x509", "-inform", "DER", "-in", path, "-noout"], capture_output=True,
                              check=False).returncode != 0:
                refused += 1
                self.assertIn(path.name, found)
        self.assertGreater(refused, 20)
        # One changed octet is never overlooked when the issuer is there: its signature does not verify.
        self.assertEqual(sorted({path.name for path in self.folder.glob("*.der")} - found), [])

    def test_certificates_are_held_against_each_other(self):
        w = self.world
        again = {
            "SET-KEY-01": [w.one, w.issue("shared", "/OU=07/CN=Z3", "one", "root", "issuing", days=8000)],
            "SET-KEY-02": [w.leaf, w.issue("twin", "/CN=twin", "leaf", "one", "leaf")],
            "SET-SERIAL-01": [w.leaf, w.issue("serial", "/CN=serial", "other", "one", "leaf", serial=0x2004)],
            "SET-TIME-01": [w.issue("long", "/CN=long", "other", "one", "leaf", days=8500)],
            "SET-SIG-01": [w.issue("forged", "/CN=forged", "other", "one", "leaf", issuer_key="one")[:-1] + b"\x55"],
            "SET-PATH-01": [w.issue("below", "/OU=07/CN=Z9", "other", "one", "issuing")],
        }
        for rule, certificates in again.items():
            with self.subTest(rule):
                report = self.findings(self.write("set.der", b"".join([w.root, w.one, *certificates])))
                found = {each["id"] for each in report["findings"]} - {"X509-SIG-04"}
                self.assertEqual(found, {rule})
                self.assertEqual(self.findings("--alone", self.write("set.der", b"".join(
                    [w.root, w.one, *certificates])))["summary"]["set_rules"], False)

    def test_a_name_in_other_bytes_and_a_foreign_key_identifier_are_told(self):
        w = self.world
        printable = w.issue("utf8", "/CN=below", "other", "one", "leaf")
        tbs, algorithm, r, s = parts_of(printable)
        elements = [each[2] for each in split(split(tbs)[0][1])]
        issuer = elements[3]
        elements[3] = issuer.replace(b"\x0c\x02Z1", b"\x13\x02Z1")
        self.assertNotEqual(elements[3], issuer)
        renamed = tlv(0x30, tlv(0x30, *elements), algorithm, tlv(0x03, b"\0", pair(r, s)))
        self.assertEqual(self.rules(self.write("a.der", w.one + w.root + renamed)), [(3, "SET-NAME-01")])
        key_id = re.search(rb"\x30\x16\x80\x14(.{20})", printable, re.S).group(1)
        foreign = printable.replace(b"\x80\x14" + key_id, b"\x80\x14" + bytes(20))
        self.assertEqual(self.rules(self.write("b.der", w.one + w.root + foreign)), [(3, "SET-AKI-01")])

    def test_smart_metering_rules_apply_to_who_names_its_policies(self):
        w = self.world
        (self.made / "openssl.cnf").write_text(CONFIG.format(eui="00db1234567890"))
        self.addCleanup((self.made / "openssl.cnf").write_text, CONFIG.format(eui="00db1234567890a1"))
        short = w.issue("short", "/", "other", "one", "device")
        (self.made / "openssl.cnf").write_text(CONFIG.format(eui="01db1234567890a1"))
        group = w.issue("group", "/", "other", "one", "device")
        common = ["SMKI-SERIAL-01", "SMKI-SKI-01", "SMKI-TIME-01"]
        for der, expected in ((short, "SMKI-EUI-01"), (group, "SMKI-EUI-02")):
            path = self.write("device.der", der)
            self.assertEqual(sorted(rule for _, rule in self.rules("--alone", path)), sorted([*common, expected]))
            self.assertEqual(self.rules("--alone", "--domain", "none", path), [])

    def test_output_is_the_same_for_any_number_of_jobs(self):
        w = self.world
        bundle = b"".join(der + (b"\0" if number % 3 == 0 else b"")
                          for number, der in enumerate([w.root, w.one, w.two, w.leaf] * 400))
        path = self.write("bundle", bundle)
        one, four = (lint("--csv", "--alone", "--jobs", jobs, path).stdout for jobs in (1, 4))
        self.assertEqual(one, four)
        rows = list(csv.DictReader(io.StringIO(one.decode())))
        self.assertEqual([row["id"] for row in rows], ["DER-TRAILING-01"] * 534)
        self.assertEqual([int(row["index"]) for row in rows], list(range(1, 1601, 3)))
        self.assertEqual([int(row["begins"]) for row in rows[:2]], [0, len(w.root + w.one + w.two) + 1])

    def test_folders_are_read_in_order_and_links_do_not_loop(self):
        w = self.world
        for name in ("b/2.der", "a/9.der", "b/1.der"):
            self.write(name, w.leaf + b"\0")
        os.symlink("..", self.folder / "b" / "up")
        report = self.findings("--alone", self.folder)
        self.assertEqual([os.path.relpath(each["file"], self.folder) for each in report["findings"]],
                         ["a/9.der", "b/1.der", "b/2.der"])

    def test_what_cannot_be_read_is_named_and_the_rest_is_read(self):
        good = self.write("good.der", self.world.leaf)
        os.mkfifo(self.folder / "pipe")
        os.symlink("nowhere", self.folder / "dangling")
        report = self.findings("--alone", self.folder, self.folder / "missing", good, status=2)
        self.assertEqual(sorted(os.path.basename(each["file"]) for each in report["unreadable"]),
                         ["dangling", "missing", "pipe"])
        self.assertEqual(report["summary"]["certificates"], 2)
        self.assertEqual(lint(self.folder / "missing").stderr.decode().count("keyceremony: error: "), 1)

    def test_nothing_to_judge_is_no_verdict(self):
        empty = self.folder / "empty"
        empty.mkdir()
        ran = lint(empty)
        self.assertEqual((ran.returncode, ran.stdout), (2, b""))
        self.assertIn(b"nothing was judged", ran.stderr)

    def test_hostile_files_cost_neither_memory_nor_time_beyond_their_size(self):
        block = self.write("endless.pem", b"-----BEGIN CERTIFICATE-----\n" + b"A" * 64 + b"\n")
        with open(block, "ab") as out:
            for _ in range(50):
                out.write((b"A" * 64 + b"\n") * 10000)
        sparse = self.write("sparse.der", b"\x30\x84\x7f\xff\xff\xff")
        os.truncate(sparse, 300_000_000)
        program = ("import resource, subprocess, sys;"
                   "status = subprocess.run(sys.argv[1:], stdout=sys.stdout).returncode;"
                   "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)")
        done = subprocess.run([sys.executable, "-c", program, "keyceremony", "lint", "--alone", "--csv", block, sparse],
                              capture_output=True, check=True, timeout=300)
        ids = [row["id"] for row in csv.DictReader(io.StringIO(done.stdout.decode()))]
        self.assertEqual(ids, ["BUNDLE-02", "BUNDLE-05"])
        self.assertLess(int(done.stderr.split()[-1]), 200_000)

    def test_the_guide_has_every_rule_as_the_program_has_it(self):
        rules = json.loads(lint("--rules", "--json").stdout)["rules"]
        guide = (SOURCE / "docs" / "lint.md").read_text()
        rows = [tuple(cell.strip() for cell in line.strip("|").split("|"))
                for line in guide.splitlines() if re.match(r"\| `[A-Z0-9]+-", line)]
        self.assertEqual(rows, [(f"`{rule['id']}`", rule["severity"], rule["clause"], rule["rule"]) for rule in rules])

    # normalise

    def normalise(self, *arguments, reason="Java refuses it", approvers=("Alice", "Bob"), issuer="one.crt"):
        command = ["keyceremony", "normalise", "--json", *map(str, arguments), "--issuer", self.made / issuer,
                   "--out", self.folder / "out", "--reason", reason]
        for approver in approvers:
            command += ["--approved-by", approver]
        return subprocess.run(command, capture_output=True, check=False, text=True)

    def test_each_loose_encoding_of_a_right_signature_is_mended_and_the_tbs_kept(self):
        leaf = self.world.leaf
        tbs, algorithm, r, s = parts_of(leaf)
        plain_r, plain_s = r.lstrip(b"\0"), s.lstrip(b"\0")
        loose = {
            "zero-r.der": pair(b"\0" * (34 - len(r)) + r, s),
            "zero-s.der": pair(r, b"\0\0" + s),
            "length.der": b"\x30\x81" + bytes([len(pair(r, s)) - 2]) + pair(r, s)[2:],
            "raw.der": plain_r.rjust(32, b"\0") + plain_s.rjust(32, b"\0"),
        }
        if r[0] == 0 or s[0] == 0:
            loose["negative.der"] = pair(plain_r, plain_s)
        for name, signature in loose.items():
            with self.subTest(name):
                path = self.write(name, with_signature(leaf, signature))
                self.assertNotEqual(lint("--alone", path).returncode, 0)
                done = self.normalise(path)
                self.assertEqual(done.returncode, 0, done.stderr)
                written = (self.folder / "out" / name).read_bytes()
                self.assertEqual(written, leaf)
                record = json.loads((self.folder / "out" / (name + ".change.json")).read_text())
                self.assertEqual(record["old_sha256"], hashlib.sha256(path.read_bytes()).hexdigest())
                self.assertEqual(record["new_sha256"], hashlib.sha256(leaf).hexdigest())
                self.assertEqual(record["tbs_sha256"], hashlib.sha256(tbs).hexdigest())
                self.assertEqual(record["approved_by"], ["Alice", "Bob"])
                mended = self.write("mended.pem", pem(written))
                openssl("verify", "-x509_strict", "-partial_chain", "-trusted", self.made / "one.pem", mended)

    def test_normalise_refuses_what_it_must(self):
        leaf = self.world.leaf
        _, _, r, s = parts_of(leaf)
        path = self.write("loose.der", with_signature(leaf, pair(b"\0\0" + r, s)))
        wrong = self.write("wrong.der", with_signature(leaf, pair(b"\0\0" + s, r)))
        for rule, done in (("NORMALISE-04", self.normalise(path, approvers=("Alice",))),
                           ("NORMALISE-04", self.normalise(path, approvers=("Alice", " ALICE"))),
                           ("NORMALISE-04", self.normalise(path, reason=" ")),
                           ("NORMALISE-03", self.normalise(path, issuer="two.crt")),
                           ("NORMALISE-03", self.normalise(wrong)),
                           ("NORMALISE-05", self.normalise(self.write("two.der", leaf + leaf)))):
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(f"[{rule}]", done.stderr)
        self.assertEqual(list((self.folder / "out").glob("*")), [])
        self.assertEqual(self.normalise(path).returncode, 0)
        before = (self.folder / "out" / "loose.der").read_bytes()
        again = self.normalise(path)
        self.assertIn("[OUT-FILE-01]", again.stderr)
        self.assertEqual((self.folder / "out" / "loose.der").read_bytes(), before)
        counted = json.loads(self.normalise(self.write("in/good.der", leaf), wrong).stdout)
        self.assertEqual([counted[key] for key in ("normalised", "already_strict", "refused")], [0, 1, 1])


if __name__ == "__main__":
    unittest.main()
