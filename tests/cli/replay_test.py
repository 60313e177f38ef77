#!/usr/bin/env python3
"""keyceremony replay, as an auditor runs it: records acted again on fresh tokens, and differences planted in them."""
import base64
import json
import pathlib
import shutil
import tempfile
import time
import unittest

from archive import SOURCE, Archive, Rehearsed, run
from retold import Retold


def days_from_now(days):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))


class Replaying(Rehearsed):
    def replay(self, record, expect):
        status, out, err = run("replay", record, "--json")
        self.assertEqual(status, expect, out[-3000:] + err)
        return json.loads(out)

    @staticmethod
    def unexpected(report):
        return sorted({(d["reason"], d["step"]) for d in report["differences"] if not d["expected"]})

    def assert_same(self, report):
        self.assertEqual((report["verdict"], self.unexpected(report)), ("SAME", []))


class Same(Replaying):
    def test_a_root_is_the_same_and_nothing_of_the_replay_is_left(self):
        self.rehearse("smki-root-oca")
        before = sorted(pathlib.Path(tempfile.gettempdir()).glob("keyceremony-replay-*"))
        report = self.replay(self.record(1), 0)
        self.assert_same(report)
        self.assertEqual(report["calls"], 4)
        self.assertEqual(report["acted_first"], [])
        self.assertEqual([s["id"] for s in report["steps"]][:3], ["attend", "clock", "same-script"])
        self.assertEqual(sorted(pathlib.Path(tempfile.gettempdir()).glob("keyceremony-replay-*")), before)
        kept = self.folder / "kept"
        status, out, err = run("replay", self.record(1), "--keep", kept)
        self.assertEqual(status, 0, out + err)
        self.assertTrue(out.startswith("SAME: "), out)
        self.assertTrue((kept / "0001-smki-root-oca/addendum.note").exists())

    def test_a_record_that_stands_on_others_is_acted_after_them(self):
        self.rehearse("smki-root-oca")
        self.rehearse("smki-custodian-appoint")
        self.rehearse("smki-clone-root")
        self.rehearse("smki-commission-third-hsm")
        self.rehearse("smki-deactivate-and-hold")
        self.rehearse("smki-destroy-held-keys", "--at", days_from_now(800))
        self.assert_same(self.replay(self.record(2), 0))
        report = self.replay(self.record(6), 0)
        self.assert_same(report)
        self.assertEqual(len(report["acted_first"]), 5)
        self.assertIn("C_DestroyObject", {e.get("fn") for e in self.entries(6)})

        alone = self.folder / "alone"
        alone.mkdir()
        shutil.copytree(self.record(3), alone / self.record(3).name)
        status, out, err = run("replay", alone / self.record(3).name)
        self.assertEqual((status, out), (1, ""), err)
        self.assertIn("[REPLAY-ARCHIVE-01]", err)
        self.assertIn("give the record inside its whole archive", err)

    def test_a_hierarchy_is_the_same(self):
        self.rehearse("smki-organisation")
        self.assert_same(self.replay(self.record(1), 0))

    def test_a_bad_day_that_was_gone_on_with_is_explained(self):
        self.rehearse("smki-root-oca", "--faults", SOURCE / "scripts/faults/smki-root-oca.faults.json", expect=1)
        # Not gone on with: as far as it goes.
        self.assert_same(self.replay(self.record(1), 0))
        status, out, err = run("resume", self.record(1), "--unattended")
        self.assertEqual(status, 0, out[-1000:] + err)
        report = self.replay(self.record(1), 0)
        self.assert_same(report)
        faults = [d for d in report["differences"] if d["reason"] == "REPLAY-FAULT-01"]
        self.assertEqual([(d["step"], d["attempt"]) for d in faults], [("verify-new", 1)])
        self.assertIn("is locked", faults[0]["recorded"])


class Held(Replaying):
    """A root ceremony that was held once; each case changes a copy of its record."""

    @classmethod
    def setUpClass(cls):
        cls.held = Archive(cls)
        status, out, err = cls.held.rehearse("smki-root-oca")
        assert status == 0, out + err

    @staticmethod
    def calls(entries, fn, *types):
        return [e for e in entries if e.get("fn") == fn and e["type"] in (types or ("intent", "done"))]


class Planted(Held):
    """What a record says is changed after the fact; besides the verifier, the replay names the very place."""

    def planted(self, change):
        """The differences of a record whose entries `change` has changed."""
        shutil.copytree(self.held.path / "0001-smki-root-oca", self.archive / "0001-smki-root-oca")
        log = self.record(1) / "log.jsonl"
        entries = [json.loads(line) for line in log.read_bytes().splitlines()]
        entries = change(entries) or entries
        log.write_text("".join(json.dumps(e, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
                               for e in entries))
        report = self.replay(self.record(1), 1)
        found = self.unexpected(report)
        self.assertIn(("REPLAY-RECORD-01", ""), found)
        return report, [f for f in found if f[0] != "REPLAY-RECORD-01"]

    def test_another_template(self):
        def change(entries):
            for entry in self.calls(entries, "C_GenerateKeyPair"):
                entry["template"]["private.CKA_SENSITIVE"] = "false"
        report, found = self.planted(change)
        self.assertEqual(found, [("REPLAY-TEMPLATE-01", "generate-root")])
        (first, *_) = [d for d in report["differences"] if d["reason"] == "REPLAY-TEMPLATE-01"]
        self.assertEqual((first["what"], first["recorded"], first["replayed"]),
                         ("C_GenerateKeyPair on root-hsm: template.private.CKA_SENSITIVE", "false", "true"))

    def test_another_return_value(self):
        def change(entries):
            for entry in self.calls(entries, "C_Sign", "done"):
                entry["rv"] = "CKR_FUNCTION_FAILED"
        _, found = self.planted(change)
        self.assertEqual(found, [("REPLAY-RV-01", "certify-root")])

    def test_another_attribute(self):
        def change(entries):
            for entry in self.calls(entries, "C_GenerateKeyPair", "done"):
                entry["attributes"]["private.CKA_NEVER_EXTRACTABLE"] = "true"
        _, found = self.planted(change)
        self.assertEqual(found, [("REPLAY-ATTR-01", "generate-root")])

    def test_an_extra_call(self):
        def change(entries):
            at = max(i for i, e in enumerate(entries) if e.get("fn") == "C_Sign") + 1
            pair = [dict(e, call=99) for e in self.calls(entries, "C_Sign")]
            return entries[:at] + pair + entries[at:]
        _, found = self.planted(change)
        self.assertEqual(found, [("REPLAY-CALL-01", "certify-root")])

    def test_a_call_that_was_left_out(self):
        def change(entries):
            return [e for e in entries if e.get("fn") != "C_InitPIN"]
        _, found = self.planted(change)
        self.assertEqual(found, [("REPLAY-CALL-02", "commission")])

    def test_another_key(self):
        def change(entries):
            for entry in self.calls(entries, "C_Sign", "intent"):
                entry["object"] = 'private key "root-oca" (id 00112233445566778899aabbccddeeff)'
        _, found = self.planted(change)
        self.assertEqual(found, [("REPLAY-KEY-01", "certify-root")])

    def test_a_certificate_with_another_extension(self):
        def change(entries):
            path = self.record(1) / "artefacts/certificates/root-oca.der"
            der = path.read_bytes()
            usage = bytes.fromhex("0603551d0f0101ff040403020106")  # keyCertSign and cRLSign
            self.assertEqual(der.count(usage), 1)
            path.write_bytes(der.replace(usage, usage[:-1] + b"\x86"))  # digitalSignature, too
            pem = self.record(1) / "artefacts/certificates/root-oca.pem"
            body = base64.encodebytes(path.read_bytes()).decode().replace("\n", "")
            lines = [body[i:i + 64] for i in range(0, len(body), 64)]
            pem.write_text("\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]))
        report, found = self.planted(change)
        self.assertEqual(found, [("REPLAY-ARTEFACT-02", "certify-root")])
        files = [d["what"] for d in report["differences"] if d["reason"] == "REPLAY-ARTEFACT-02"]
        self.assertEqual([f.split(":")[0] for f in files], ["artefact certificates/root-oca.der",
                                                            "artefact certificates/root-oca.pem"])

    def test_each_exit_status_says_how_the_replay_ended(self):
        """0, 1 and 6 for the three verdicts (6: clone_room_test.py, on other tokens); the others as everywhere."""
        record = self.held.path / "0001-smki-root-oca"
        self.assertEqual(run("replay", record)[0], 0)
        for arguments, status in (((), 2), ((self.folder / "nowhere",), 2), ((record, "--keep", self.folder), 2)):
            ended, out, err = run("replay", *arguments)
            self.assertEqual((ended, out), (status, ""), err)
        shutil.copytree(record, self.archive / record.name)
        log = self.record(1) / "log.jsonl"
        log.write_text(log.read_text().replace('"rv":"CKR_OK"', '"rv":"CKR_DEVICE_ERROR"', 1))
        self.assertEqual(run("replay", self.record(1))[0], 1)
        log.write_text("not an entry\n")
        status, out, err = run("replay", self.record(1))
        self.assertEqual((status, out), (1, ""), err)
        self.assertIn("[REPLAY-RECORD-02]", err)
        log.unlink()
        log.mkdir()
        self.assertIn(run("replay", self.record(1))[0], (1, 4))

    def test_an_input_that_is_not_the_records(self):
        shutil.copytree(self.held.path / "0001-smki-root-oca", self.archive / "0001-smki-root-oca")
        script = self.record(1) / "inputs/smki-root-oca.ceremony.json"
        script.write_text(script.read_text().replace("radio clock", "wrist watch"))
        status, out, err = run("replay", self.record(1))
        self.assertEqual((status, out), (1, ""), err)
        self.assertIn("[RUN-INPUT-01]", err)


class Resigned(Held):
    """What everybody in the room lied about together, and signed: every signature is good, and only the script acted
    again tells. Each lie has its own line in the comparison."""

    def retold(self, change, status=1):
        """What differs in a record in which `change` has changed a Retold: [reason, step, place]."""
        record = self.held.path / "0001-smki-root-oca"
        told = Retold(record, self.held.path / "rehearsal" / "roster.json")
        change(told)
        told.write(self.archive / record.name).rename(self.folder / "roster.json")
        report = self.replay(self.record(1), status)
        return sorted((d["reason"], d["step"], d["what"]) for d in report["differences"]
                      if not d["expected"] and d["reason"] != "REPLAY-RECORD-01")

    @staticmethod
    def of(told, kind, **fields):
        (entry,) = [e for e in told.entries if e["type"] == kind and all(e.get(k) == v for k, v in fields.items())]
        return entry

    def test_signed_anew_without_a_lie_it_is_the_same(self):
        self.assertEqual(self.retold(lambda told: None, 0), [])

    def test_every_lie_about_a_call_has_a_line_of_its_own(self):
        def change(told):
            for entry in self.calls(told.entries, "C_GenerateKeyPair"):
                entry["template"]["private.CKA_DECRYPT"] = "true"
                del entry["template"]["public.CKA_VERIFY"]
            done = self.of(told, "done", fn="C_GenerateKeyPair")
            done["attributes"]["private.CKA_LOCAL"] = "false"
            del done["attributes"]["private.CKA_SENSITIVE"]
            for entry in self.calls(told.entries, "C_Sign"):
                entry["mechanism"] = "CKM_ECDSA_SHA256"  # SoftHSM has none: no SoftHSM made this call
            self.of(told, "done", fn="C_Sign")["rv"] = "CKR_DEVICE_ERROR"
            self.of(told, "intent", fn="C_InitPIN")["object"] = "security officer PIN"
            self.of(told, "done", fn="C_InitPIN")["token"] = "record"
        made, signed, pin = ("C_GenerateKeyPair on root-hsm", "C_Sign on root-hsm", "C_InitPIN on root-hsm")
        self.assertEqual(self.retold(change), sorted([
            ("REPLAY-TEMPLATE-01", "generate-root", f"{made}: template.private.CKA_DECRYPT"),
            ("REPLAY-TEMPLATE-01", "generate-root", f"{made}: template.public.CKA_VERIFY"),
            ("REPLAY-TEMPLATE-01", "generate-root", f"{made}: template.private.CKA_DECRYPT"),
            ("REPLAY-TEMPLATE-01", "generate-root", f"{made}: template.public.CKA_VERIFY"),
            ("REPLAY-ATTR-01", "generate-root", f"{made}: attributes.private.CKA_LOCAL"),
            ("REPLAY-ATTR-01", "generate-root", f"{made}: attributes.private.CKA_SENSITIVE"),
            ("REPLAY-CALL-03", "certify-root", f"{signed}: mechanism"),
            ("REPLAY-CALL-03", "certify-root", f"{signed}: mechanism"),
            ("REPLAY-RV-01", "certify-root", f"{signed}: rv"),
            ("REPLAY-ENTRY-03", "commission", f"{pin}: object"),
            ("REPLAY-CALL-03", "commission", "C_InitPIN on record")]))

    def test_every_lie_about_what_was_seen_and_approved_has_a_line_of_its_own(self):
        def change(told):
            told.request("generate-root")["subject"]["algorithm"] = "ec-p384"
            told.request("certify-root")["statement"] = "Sign the certificate root-oca"
            told.request("commission")["quorum"]["m"] = 2
            told.effect("token-verified", objects=2)["objects"] = 3
            told.effect("key-created", key="root-oca")["extractable"] = False
            self.of(told, "observe", what="token", step="verify-new")["label"] = "other-hsm"
            self.of(told, "observe", what="token", step="verify-after")["inventory"] = "ab" * 32
            self.of(told, "step", id="seals-before", phase="begin")["parameters"]["by"] = "auditor"
        self.assertEqual(self.retold(change), sorted([
            ("REPLAY-ENTRY-03", "generate-root", told) for told in (
                'request Generate key root-oca (EC P-256) on token "root-hsm" (serial ' + self.serial() + "): subject.algorithm",
                "step end: effects.1.extractable")] + [
            ("REPLAY-ENTRY-03", "certify-root", "request Sign the certificate root-oca: statement"),
            ("REPLAY-ENTRY-03", "commission", "request Take token root-hsm into service: quorum.m"),
            ("REPLAY-ENTRY-03", "verify-after", "step end: effects.1.objects"),
            ("REPLAY-ENTRY-03", "verify-new", "observe token: label"),
            ("REPLAY-KEY-01", "verify-after", "observe token: inventory"),
            ("REPLAY-ENTRY-03", "seals-before", "step begin: parameters.by")]))

    def serial(self):
        return self.held.entries(1, what="token-commissioned")[0]["serial"]

    def test_every_byte_of_a_file_that_says_something_is_held(self):
        def change(told):
            der = bytearray(told.files["artefacts/certificates/root-oca.der"])
            name = der.index(b"\x55\x04\x03\x13\x02ZA")  # the issuer's common name
            der[name + 6] = ord("B")
            told.artefact("certificates/root-oca.der", bytes(der))
            lodged = told.files["artefacts/documents/approval-to-conduct.txt"]
            told.artefact("documents/approval-to-conduct.txt", lodged.replace(b"a", b"e", 1))
            key = bytearray(told.files["artefacts/keys/root-oca.spki.der"])
            key[11] ^= 1  # the curve
            told.artefact("keys/root-oca.spki.der", bytes(key))
        found = self.retold(change)
        self.assertEqual({(reason, step, what.split(":")[0]) for reason, step, what in found}, {
            ("REPLAY-ARTEFACT-02", "certify-root", "artefact certificates/root-oca.der"),
            ("REPLAY-ARTEFACT-02", "approval", "artefact documents/approval-to-conduct.txt"),
            ("REPLAY-ARTEFACT-02", "generate-root", "artefact keys/root-oca.spki.der")})


if __name__ == "__main__":
    unittest.main(verbosity=2)
