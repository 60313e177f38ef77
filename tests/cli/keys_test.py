#!/usr/bin/env python3
"""The life of a key as its user runs it, in one archive: made, cloned, sealed, out of use, held, destroyed.

What the program says of a clone is checked by openssl; what it says of a destroyed key by looking at the tokens.
"""
import json
import re
import subprocess
import unittest

from archive import Rehearsed, run

TOKENS = ["root-hsm", "backup-hsm", "third-hsm"]


class Life(Rehearsed):
    def approvers(self, number, step):
        """The names of who cosigned each request of a step."""
        entries = self.entries(number)
        names = {entry["person"]: entry["name"] for entry in entries if entry["type"] == "attend"}
        return [", ".join(names[entry["person"]] for entry in entries if entry["type"] == "cosign" and entry["request"] == asked["seq"])
                for asked in entries if asked["type"] == "request" and asked["step"] == step]

    def test_a_root_key_from_its_making_to_its_end(self):
        self.rehearse("smki-root-oca")
        spki = (self.record(1) / "artefacts/keys/root-oca.spki.der").read_bytes()

        out, _ = self.rehearse("smki-clone-root")
        self.assertIn("KEY-WAY-02", out)
        self.assertEqual([(copy["token"], copy["kind"]) for copy in self.key()["copies"]],
                         [("root-hsm", "original"), ("backup-hsm", "clone")])
        (copied,) = self.seen(2, "copy-proven")
        self.assertEqual(copied["attributes"]["private.CKA_LOCAL"], "false")
        self.assertEqual(copied["attributes"]["private.CKA_ALWAYS_SENSITIVE"], "false")
        self.assertEqual(copied["attributes"]["private.CKA_EXTRACTABLE"], "false")
        self.assertEqual(copied["trials"], ["its value cannot be read", "wrapping it is refused", "it signs as the key"])
        self.assertEqual(copied["transport"]["left"], "nothing")
        (compared,) = self.seen(2, "transport-key-compared")
        self.assertEqual(compared["on_target_sha256"], compared["on_source_sha256"])
        self.assert_signed_by(spki, self.record(2) / "artefacts" / copied["proof"])
        for proven in self.seen(2, "key-proven"):
            self.assert_signed_by(spki, self.record(2) / "artefacts" / proven["proof"])

        self.rehearse("smki-commission-third-hsm")
        self.assertEqual([entry["token"] for entry in self.seen(3, "copy-sealed")], TOKENS)
        self.assertEqual([entry["extractable_before"] for entry in self.seen(3, "copy-sealed")], ["true", "false", "false"])
        for proven in self.seen(3, "key-proven"):
            self.assert_signed_by(spki, self.record(3) / "artefacts" / proven["proof"])

        self.rehearse("smki-deactivate-and-hold")
        self.assertEqual(self.key()["state"], "held")
        (ended,) = self.seen(4, "key-deactivated")
        self.assertEqual(ended["reason"], "superseded")
        self.assertGreater(ended["hold_until"], "2026")

        _, err = self.rehearse("smki-destroy-held-keys", expect=1)
        self.assertIn("KEY-DESTROY-03", err)
        self.assertEqual(list(self.archive.glob("0005-*")), [])
        out, _ = self.rehearse("smki-destroy-held-keys", "--at", f"{ended['hold_until']}T09:00:00Z")
        self.assertEqual(self.key()["state"], "destroyed")
        gone = self.seen(5, "copy-destroyed")
        self.assertEqual([entry["token"] for entry in gone], TOKENS)
        for entry in gone:
            self.assertEqual(entry["object_count"], 0)
            self.assertIn("C_SignInit with its handle: CKR_OBJECT_HANDLE_INVALID", entry["tests"])
        certificate = json.loads((self.record(5) / "artefacts/destruction/root-oca.destruction.json").read_text())
        self.assertEqual([copy["token"] for copy in certificate["copies"]], TOKENS)
        self.assertEqual(certificate["key"]["spki_sha256"], gone[0]["spki_sha256"])
        self.assertEqual(certificate["key"]["hold_until"], ended["hold_until"])
        self.assertEqual([person["id"] for person in certificate["people"]["witnesses"]], ["wendy"])
        self.assertIn("cannot show that the token has overwritten", certificate["limits"])
        requests = [entry["statement"] for entry in self.entries(5) if entry["type"] == "request" and entry["step"] == "destroy-due"]
        self.assertEqual(len(requests), 3)
        out = self.folder / "certificate.html"
        status, said, err = run("destruction", self.record(5), "--out", out, "--roster",
                                self.archive / "rehearsal" / "roster.json")
        self.assertEqual(status, 0, err)
        self.assertTrue(said.startswith("COMPLETE: the certificate of destruction of 1 key is in "), said)
        page = out.read_text()
        for words in ("Key root-oca", "Shown afterwards", "Wendy Hughes", "What this cannot say", "hold ended on",
                      "root of the log", "REHEARSAL"):
            self.assertIn(words, page)
        self.assertEqual(re.findall("<h4>(?:original|clone): ([^<]*)</h4>", page), TOKENS)
        self.assertEqual(re.findall("<dt>approved by</dt><dd>([^<]*)</dd>", page), self.approvers(5, "destroy-due"))
        changed = self.record(5) / "artefacts/destruction/root-oca.destruction.json"
        right = changed.read_bytes()
        changed.write_bytes(right.replace(b"root-hsm", b"toor-hsm"))
        status, _, err = run("destruction", self.record(5), "--out", self.folder / "another.html")
        self.assertEqual((status, "ART-DIGEST" in err), (1, True), err)
        changed.write_bytes(right)
        status, _, err = run("destruction", self.record(1), "--out", self.folder / "none.html")
        self.assertEqual(status, 2, err)
        # The tokens agree: no object file is left but SoftHSM's own.
        objects = list((self.archive / "rehearsal" / "tokens").rglob("*.object"))
        self.assertEqual([path.name for path in objects if path.name != "token.object"], [])
        status, _, err = run("verify", self.archive, "--roster", self.archive / "rehearsal" / "roster.json")
        self.assertEqual(status, 0, err)


class Algorithms(Rehearsed):
    """Keys that are not P-256: an RSA key is cloned, sealed, proven to openssl and destroyed on both HSMs."""

    def script(self, algorithm):
        def change(script):
            key = f"key-{algorithm}"
            step = {"key": key, "quorum": "custodians"}
            both = {"tokens": ["root-hsm", "backup-hsm"]}
            script["sections"][1]["steps"] += [
                {"id": "commission-live", "do": "token.commission", "token": "root-hsm", "quorum": "custodians"}]
            script["sections"][2].update({"tokens": both["tokens"], "keys_on_all": [key]})
            script["sections"][2]["steps"] = [
                {"id": "generate", "do": "key.generate", "token": "root-hsm", "algorithm": algorithm, "extractable": True, **step},
                {"id": "clone", "do": "key.clone", "source": "root-hsm", "targets": ["backup-hsm"], **step},
                {"id": "seal", "do": "key.seal", **both, **step},
                {"id": "prove", "do": "key.prove", **both, **step}]
            script["sections"].insert(3, {"id": "end", "title": "The end of the key", "steps": [
                {"id": "look-at-live", "do": "token.verify", "token": "root-hsm"},
                {"id": "look-at-backup", "do": "token.verify", "token": "backup-hsm"},
                {"id": "deactivate", "do": "key.deactivate", "reason": "ceased", **step},
                {"id": "destroy", "do": "key.destroy", "keys": [key], "quorum": "custodians", **both}]})
        path = self.changed("smki-clone-root", change)
        policy = path.parent / "smki.policy.json"
        rules = json.loads(policy.read_text())
        rules["algorithms"]["ca_keys"] = [algorithm]
        rules["statement_signing"] = True
        policy.write_text(json.dumps(rules))
        return path

    def check(self, algorithm, *verify):
        self.rehearse(self.script(algorithm))
        artefacts = self.record(1) / "artefacts"
        spki = artefacts / f"keys/key-{algorithm}.spki.der"
        (copied,) = self.seen(1, "copy-proven")
        self.assertEqual(copied["token"], "backup-hsm")
        proofs = {entry["token"]: artefacts / entry["proof"] for entry in self.seen(1, "key-proven")}
        self.assertEqual(set(proofs), {"root-hsm", "backup-hsm"})
        for text in proofs.values():
            judged = subprocess.run(["openssl", *verify, spki, "-signature", text.with_suffix(".sig"), text],
                                    capture_output=True, text=True, check=False)
            self.assertEqual(judged.returncode, 0, judged.stdout + judged.stderr)
        self.assertEqual([entry["token"] for entry in self.seen(1, "copy-destroyed")], ["root-hsm", "backup-hsm"])

    def test_an_rsa_key_is_cloned_and_destroyed(self):
        self.check("rsa-3072", "dgst", "-sha256", "-keyform", "DER", "-verify")

    def test_an_ed25519_key_that_softhsm_does_not_wrap_stays_where_it_is(self):
        # SoftHSM 2.6.1 wraps RSA, DSA, DH and EC keys, and no Edwards ones: known before anybody approves anything.
        _, err = self.rehearse(self.script("ed25519"), expect=1)
        self.assertIn("KEY-WAY-04", err)
        (key,) = self.status()["keys"]
        self.assertEqual([(copy["token"], copy["state"]) for copy in key["copies"]], [("root-hsm", "in place")])
        self.assertEqual([entry for entry in self.entries(1) if entry["type"] == "request" and entry["step"] == "clone"], [])
        self.assertEqual([entry["fn"] for entry in self.entries(1) if entry.get("fn") in ("C_WrapKey", "C_UnwrapKey")], [])

    def test_an_ed25519_key_in_service_is_not_cloned_and_no_record_is_opened_for_it(self):
        def keep_until(script, last):
            script["sections"][2]["steps"] = script["sections"][2]["steps"][:last]
            script["sections"][2].pop("keys_on_all")
            del script["sections"][3]

        path = self.script("ed25519")
        whole = json.loads(path.read_text())
        keep_until(made := json.loads(json.dumps(whole)), 1)
        path.write_text(json.dumps(made))
        self.rehearse(path)
        keep_until(whole, 2)
        del whole["sections"][2]["steps"][0], whole["sections"][1]
        path.write_text(json.dumps(whole))
        _, err = self.rehearse(path, expect=1)
        self.assertIn("KEY-WAY-04", err)
        self.assertIn("does not wrap Ed25519 keys: none can leave it", err)
        self.assertEqual(list(self.archive.glob("0002-*")), [])


class Refused(Rehearsed):
    def test_two_of_three_copies_are_not_a_destruction(self):
        self.rehearse("smki-root-oca")
        self.rehearse("smki-clone-root")
        self.rehearse("smki-deactivate-and-hold")

        def one_token(script):
            script["tokens"] = {"root-hsm": script["tokens"]["root-hsm"]}
            steps = script["sections"][1]["steps"]
            steps[0] = {"id": "destroy", "do": "key.destroy", "quorum": "custodians", "keys": ["root-oca"],
                        "tokens": ["root-hsm"], "reason": "to try"}
            del steps[2:]
        _, err = self.rehearse(self.changed("smki-destroy-held-keys", one_token), expect=1)
        self.assertIn("KEY-DESTROY-02", err)
        self.assertIn("copy on token backup-hsm", err)

    def test_a_clone_is_refused_at_the_desk_when_the_copy_is_sealed(self):
        self.rehearse("smki-root-oca")
        self.rehearse("smki-clone-root")

        def from_backup(script):
            script["sections"][2]["steps"][0]["source"] = "backup-hsm"
        _, err = self.rehearse(self.changed("smki-commission-third-hsm", from_backup), expect=1)
        self.assertIn("EST-COPY-02", err)
        self.assertFalse(list(self.archive.glob("0003-*")))

    def test_a_transport_that_a_token_does_not_have_is_refused_before_the_record_is_opened(self):
        self.rehearse("smki-root-oca")

        def only_commission(script):
            script["tokens"] = {"backup-hsm": script["tokens"]["backup-hsm"]}
            del script["sections"][2]
        self.rehearse(self.changed("smki-clone-root", only_commission))

        def only_clone(script):
            script["sections"][2]["steps"][1]["transport"] = "rsa-oaep-sha256"
            del script["sections"][1]
        _, err = self.rehearse(self.changed("smki-clone-root", only_clone), expect=1)
        self.assertIn("KEY-WAY-01", err)
        self.assertIn("they have rsa-oaep-sha1, ecdh-p256", err)
        self.assertEqual(list(self.archive.glob("0003-*")), [])

    def test_the_vendors_own_way_is_believed_only_when_the_copy_is_there(self):
        self.rehearse("smki-root-oca")

        def vendor(script):
            script["sections"][2]["steps"][1].update({"method": "vendor", "procedure": "cluster sync 4.2"})
        _, err = self.rehearse(self.changed("smki-clone-root", vendor), expect=1)
        self.assertIn("KEY-VENDOR-01", err)
        (said,) = self.seen(2, "vendor-copy")
        self.assertEqual(said["procedure"], "cluster sync 4.2")


if __name__ == "__main__":
    unittest.main(verbosity=2)
