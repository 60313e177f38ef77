#!/usr/bin/env python3
"""A key goes to a token on a machine that never meets the one that has it; a drill at the backup site; a signed file.

What the program says is checked by openssl and by looking at the tokens.
"""
import base64
import json
import subprocess
import unittest

from archive import SOURCE, Rehearsed, run


class Transfer(Rehearsed):
    def begin(self):
        self.rehearse("smki-root-oca")
        self.rehearse("smki-transfer-prepare")

    def file(self):
        (path,) = self.archive.glob("*/artefacts/transfers/root-oca.transport-third.wrapped-key.json")
        return path

    def test_a_key_goes_by_file_and_the_file_is_a_copy_until_nobody_can_open_it(self):
        self.begin()
        spki = (self.record(1) / "artefacts/keys/root-oca.spki.der").read_bytes()
        (noted,) = self.seen(2, "transport-key-noted")
        self.assertEqual(self.key("transport-third")["usage"], "unwrap")

        self.rehearse("smki-transfer-export")
        (compared,) = self.seen(3, "transport-key-compared")
        self.assertEqual(compared["spki_sha256"], noted["spki_sha256"])
        self.assertEqual([(copy["token"], copy["kind"], copy["state"]) for copy in self.key()["copies"]],
                         [("root-hsm", "original", "in place"), ("file for transport-third", "wrapped", "in place")])
        wrapped = json.loads(self.file().read_text())
        self.assertEqual(wrapped["transport_spki_sha256"], noted["spki_sha256"])
        # The key itself stands in no entry, wrapped or not.
        for part in ("aes_key", "private_key"):
            raw = base64.b64decode(wrapped[part])
            for log in self.archive.glob("*/log.jsonl"):
                text = log.read_text()
                self.assertNotIn(wrapped[part], text)
                self.assertNotIn(raw.hex(), text)

        self.rehearse("smki-transfer-import")
        (copied,) = self.seen(4, "copy-proven")
        self.assertEqual(copied["trials"], ["its value cannot be read", "wrapping it is refused", "it signs as the key"])
        self.assertEqual(copied["attributes"]["private.CKA_LOCAL"], "false")
        self.assert_signed_by(spki, self.record(4) / "artefacts" / copied["proof"])
        (proven,) = self.seen(4, "section-keys")
        self.assertEqual([(each["key"], each["token"]) for each in proven["keys"]], [("root-oca", "third-hsm")])
        self.assertEqual([(copy["token"], copy["kind"], copy["state"]) for copy in self.key()["copies"]],
                         [("root-hsm", "original", "in place"), ("file for transport-third", "wrapped", "void"),
                          ("third-hsm", "clone", "in place")])
        self.assertEqual(self.key("transport-third")["state"], "destroyed")
        status, _, err = run("verify", self.archive, "--roster", self.archive / "rehearsal" / "roster.json")
        self.assertEqual(status, 0, err)

    def test_a_substituted_transport_key_is_refused_by_its_digest(self):
        self.begin()
        path = self.record(2) / "artefacts/keys/transport-third.spki.der"
        right = path.read_bytes()
        other = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
                               capture_output=True, check=True).stdout
        path.write_bytes(subprocess.run(["openssl", "pkey", "-pubout", "-outform", "DER"], input=other,
                                        capture_output=True, check=True).stdout)
        _, err = self.rehearse("smki-transfer-export", expect=1)
        self.assertIn("RUN-ARTEFACT-01", err)
        self.assertFalse(list(self.archive.glob("*/artefacts/transfers/*")))
        # Nothing left a token: no call wrapped anything.
        self.assertEqual([entry for entry in self.entries(3)
                          if entry["type"] == "intent" and entry["fn"] == "C_WrapKey"], [])
        path.write_bytes(right)

    def test_a_file_that_was_changed_on_its_way_is_refused_before_the_token_sees_it(self):
        self.begin()
        self.rehearse("smki-transfer-export")
        path = self.file()
        path.write_text(path.read_text().replace("transport-third", "transport-other"))
        _, err = self.rehearse("smki-transfer-import", expect=1)
        self.assertIn("RUN-ARTEFACT-01", err)
        self.assertEqual([entry for entry in self.entries(4)
                          if entry["type"] == "intent" and entry["fn"] == "C_UnwrapKey"], [])

    def test_a_transport_key_carries_one_key_once_and_signs_nothing(self):
        self.begin()

        def other_key(script):
            script["sections"][1]["steps"][1]["key"] = "transport-third"
        _, err = self.rehearse(self.changed("smki-transfer-export", other_key), expect=1)
        self.assertIn("EST-TRANSPORT-02", err)

        def sha256(script):
            script["sections"][1]["steps"][1]["transport"] = "rsa-oaep-sha256"
        _, err = self.rehearse(self.changed("smki-transfer-export", sha256), expect=1)
        self.assertIn("EST-TRANSPORT-03", err)
        self.rehearse("smki-transfer-export")
        _, err = self.rehearse("smki-transfer-export", expect=1)
        self.assertIn("EST-TRANSPORT-04", err)

        def prove_it(script):
            script["sections"][1]["steps"][2]["key"] = "transport-third"
        _, err = self.rehearse(self.changed("smki-transfer-import", prove_it), expect=1)
        self.assertIn("EST-KEY-07", err)

    def test_no_key_is_destroyed_or_sealed_while_a_file_of_it_can_be_opened(self):
        self.begin()
        self.rehearse("smki-transfer-export")
        self.rehearse("smki-deactivate-and-hold")

        def now(script):
            script["tokens"] = {"root-hsm": script["tokens"]["root-hsm"]}
            steps = script["sections"][1]["steps"]
            steps[0] = {"id": "destroy", "do": "key.destroy", "quorum": "custodians", "keys": ["root-oca"],
                        "tokens": ["root-hsm"], "reason": "to try"}
            del steps[2:]
        _, err = self.rehearse(self.changed("smki-destroy-held-keys", now), expect=1)
        self.assertIn("KEY-DESTROY-02", err)
        self.assertIn("transport key transport-third opens", err)


class Sections(Rehearsed):
    def test_a_section_that_leaves_a_key_out_is_refused_at_the_desk(self):
        self.rehearse("smki-root-oca")

        def only_one(script):
            script["sections"][2].update({"tokens": ["root-hsm", "backup-hsm"], "keys_on_all": ["root-oca"]})
            script["sections"][2]["steps"] = [script["sections"][2]["steps"][0]]
        _, err = self.rehearse(self.changed("smki-clone-root", only_one), expect=1)
        self.assertIn("PLAN-PRESENCE-01", err)
        self.assertIn("key root-oca is not on token backup-hsm", err)

    def test_a_section_closes_when_the_key_is_on_all_of_its_tokens(self):
        self.rehearse("smki-root-oca")

        def both(script):
            script["sections"][2].update({"tokens": ["root-hsm", "backup-hsm"], "keys_on_all": ["root-oca"]})
        self.rehearse(self.changed("smki-clone-root", both))
        (proven,) = self.seen(2, "section-keys")
        self.assertEqual([each["token"] for each in proven["keys"]], ["root-hsm", "backup-hsm"])
        status, out, err = run("check", SOURCE / "scripts/smki-failover-drill.ceremony.json", "--archive", self.archive,
                               "--json")
        self.assertEqual(status, 0, out + err)
        rows = {row["section"]: row["tokens"] for row in json.loads(out)["presence"]}
        self.assertEqual(rows["Back to the live site"], ["backup-hsm", "root-hsm"])
        self.assertEqual(rows["The backup site takes over"], ["backup-hsm"])


class Drill(Rehearsed):
    def roles(self):
        return {token["name"]: token["role"] for token in self.status()["tokens"]}

    def test_the_backup_site_signs_and_hands_back(self):
        self.rehearse("smki-root-oca")
        self.rehearse("smki-clone-root")
        self.rehearse("smki-failover-drill")
        self.assertEqual([(entry["token"], entry["before"], entry["role"]) for entry in self.seen(3, "token-role")],
                         [("backup-hsm", "backup", "live"), ("backup-hsm", "live", "backup")])
        self.assertEqual(self.roles(), {"root-hsm": "live", "backup-hsm": "backup"})
        lists = {crl["name"]: crl for crl in self.status()["crls"]}
        first, second = lists["oca-arl-drill-1"]["number"], lists["oca-arl-drill-2"]["number"]
        self.assertEqual(second, first + 1)
        # openssl takes both lists for the root's, whichever HSM signed them.
        (root,) = self.record(1).glob("artefacts/**/root-oca*.pem")
        for crl in sorted(self.record(3).glob("artefacts/**/oca-arl-drill-*.crl.der")):
            judged = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", crl, "-CAfile", root, "-noout"],
                                    capture_output=True, text=True, check=False)
            self.assertIn("verify OK", judged.stdout + judged.stderr)
        self.assertEqual({entry["token"] for entry in self.seen(3, "key-proven")}, {"root-hsm", "backup-hsm"})

    def test_a_role_that_a_token_has_already_is_a_slip_in_the_script(self):
        self.rehearse("smki-root-oca")
        self.rehearse("smki-clone-root")

        def twice(script):
            script["sections"][1]["steps"][3]["role"] = "backup"
        _, err = self.rehearse(self.changed("smki-failover-drill", twice), expect=1)
        self.assertIn("PLAN-ROLE-01", err)


class Payload(Rehearsed):
    def script(self, change=None, payload=b"recover meter 1\n", dummy=b"this is a test, do nothing\n"):
        path = self.changed("smki-clone-root", lambda script: self.sign(script, change))
        (path.parent / "command.bin").write_bytes(payload)
        (path.parent / "dummy.bin").write_bytes(dummy)
        return path

    @staticmethod
    def sign(script, change):
        script["tokens"] = {"backup-hsm": script["tokens"]["backup-hsm"]}
        step = {"id": "sign", "do": "payload.sign", "quorum": "custodians", "token": "backup-hsm",
                "key": "recovery", "file": "command.bin", "name": "command.bin", "dummy": "dummy.bin",
                "recipient": "the test desk of the data company"}
        script["sections"][2]["steps"] = [
            {"id": "generate", "do": "key.generate", "quorum": "custodians", "token": "backup-hsm", "key": "recovery",
             "algorithm": "ec-p256", "extractable": True}, step]
        if change:
            change(script, step)

    def test_a_file_is_signed_after_its_dummy_was_accepted_and_openssl_takes_both(self):
        self.rehearse(self.script())
        artefacts = self.record(1) / "artefacts"
        key = artefacts / "keys/recovery.spki.der"
        for name in ("dummy-command.bin", "command.bin"):
            judged = subprocess.run(["openssl", "dgst", "-sha256", "-keyform", "DER", "-verify", key, "-signature",
                                     artefacts / "payloads" / f"{name}.sig", artefacts / "payloads" / name],
                                    capture_output=True, text=True, check=False)
            self.assertEqual(judged.returncode, 0, judged.stdout + judged.stderr)
        statements = [entry["statement"] for entry in self.entries(1)
                      if entry["type"] == "request" and entry["step"] == "sign"]
        self.assertEqual(statements, ["Sign the dummy payload of command.bin with key recovery",
                                      "Sign payload command.bin with key recovery"])
        order = [entry["what"] for entry in self.entries(1)
                 if entry["type"] == "observe" and entry["what"] in ("payload-signed", "dry-submission")]
        self.assertEqual(order, ["payload-signed", "dry-submission", "payload-signed"])

    def test_what_reads_as_a_certificate_to_be_signed_is_no_payload(self):
        self.rehearse("smki-root-oca")
        (tbs,) = self.record(1).glob("artefacts/**/*.tbs.der")
        _, err = self.rehearse(self.script(payload=tbs.read_bytes()), expect=1)
        self.assertIn("PAYLOAD-TBS-01", err)

    def test_a_dummy_that_is_the_payload_is_none(self):
        _, err = self.rehearse(self.script(dummy=b"recover meter 1\n"), expect=1)
        self.assertIn("PAYLOAD-DUMMY-01", err)

    def test_the_key_of_a_ca_signs_no_files(self):
        self.rehearse("smki-root-oca")

        def by_root(script, step):
            script["tokens"] = {"root-hsm": {"role": "live", "domain": "organisation"}}
            step.update({"token": "root-hsm", "key": "root-oca"})
            del script["sections"][1]
            script["sections"][1]["steps"] = [step]
        _, err = self.rehearse(self.script(by_root), expect=1)
        self.assertIn("PAYLOAD-CA-01", err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
