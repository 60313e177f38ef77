#!/usr/bin/env python3
"""Copies of which no record knows, and keys where they should not be: made behind the program's back by other tools.

Whoever looks (token.verify) and whoever destroys (key.destroy) must find them, say so by rule, and leave every copy in place.
"""
import hashlib
import shutil
import subprocess
import unittest
import uuid

from archive import SOFTHSM, Rehearsed
import shares

TOKENS = ["root-hsm", "backup-hsm", "third-hsm"]
CUSTODIANS = ["alice", "bob", "carol"]


class Fleet(Rehearsed):
    """The root key on the live HSM and the backup."""

    def setUp(self):
        super().setUp()
        self.rehearse("smki-root-oca")
        self.rehearse("smki-clone-root")

    def records(self):
        return sorted(self.archive.glob("0*"))

    def refused(self, script, rule, *words):
        """The script is refused, and the key is afterwards what it was before. Returns the rules of a token's findings."""
        before = self.key()
        complete = len(self.records())
        _, err = self.rehearse(script, expect=1)
        for said in (rule, *words):
            self.assertIn(said, err)
        self.assertEqual(self.key(), before)
        if len(self.records()) == complete:
            return []
        findings = [finding["rule"] for found in self.seen(complete + 1, "token-findings") for finding in found["findings"]]
        # It stays open until somebody has found out; here it is put aside, so that the next script can begin.
        shutil.rmtree(self.record(complete + 1))
        return sorted(findings)

    def look_at(self, token):
        def only_look(script):
            script["id"] = f"look-at-{token}"
            script["tokens"] = {token: script["tokens"][token]}
            section = script["sections"][1]
            section["steps"] = [step for step in section["steps"] if step.get("token") == token]
        return self.changed("smki-destroy-held-keys", only_look)

    def destruction(self, *tokens):
        def bring(script):
            script["tokens"] = {token: script["tokens"][token] for token in tokens}
            section = script["sections"][1]
            section["steps"][0].update({"tokens": list(tokens), "reason": "the hold is cut short to try"})
            section["steps"][0]["keys"] = ["root-oca"]
            del section["steps"][0]["batch"]
            del section["steps"][1:]
        return self.changed("smki-destroy-held-keys", bring)

    def storage(self, token):
        """SoftHSM's folder of a token."""
        (found,) = [path.parent for path in (self.archive / "rehearsal" / "tokens").glob("*/token.object")
                    if token.encode() in path.read_bytes()]
        return found

    def objects(self, token):
        return [path for path in self.storage(token).glob("*.object") if path.name != "token.object"]

    def pkcs11_tool(self, token, number, *arguments):
        """OpenSC's tool on a token, with the PIN that the shares of record `number` give."""
        pin = shares.pin_of(self.record(number), token, "user", CUSTODIANS, self.folder)
        subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", token, "--login", "--pin", pin,
                        *map(str, arguments)], check=True, capture_output=True,
                       env={"SOFTHSM2_CONF": str(self.archive / "rehearsal" / "softhsm2.conf"), "PATH": "/usr/bin:/bin"})


class BehindOurBack(Fleet):
    def test_a_second_private_key_on_a_token_is_found_by_looking_and_by_destroying(self):
        self.rehearse("smki-deactivate-and-hold")
        # Whoever has the token's storage copies a key without a PIN: one file more.
        for path in self.objects("backup-hsm"):
            shutil.copy(path, path.with_name(f"{uuid.uuid4()}.object"))
        self.refused(self.destruction("root-hsm", "backup-hsm"), "KEY-STRANGER-01",
                     "token backup-hsm holds", "more than once", "somebody made a copy behind our back")
        self.assertEqual(len(self.objects("root-hsm")), 2)
        self.assertEqual(len(self.objects("backup-hsm")), 4)
        found = self.refused(self.look_at("backup-hsm"), "TOKEN-COPY-02", "which is key root-oca a second time")
        self.assertEqual(found, ["TOKEN-COPY-02", "TOKEN-COPY-02"])

    def test_a_copy_on_a_token_where_the_archive_knows_none_is_found_by_looking_and_by_destroying(self):
        def commission(script):
            script["tokens"] = {"third-hsm": script["tokens"]["third-hsm"]}
            del script["sections"][2:4]

        def clone(script):
            script["id"] = "smki-clone-in-secret"
            del script["tokens"]["backup-hsm"]
            del script["sections"][3], script["sections"][1]
        self.rehearse(self.changed("smki-commission-third-hsm", commission))
        self.rehearse(self.changed("smki-commission-third-hsm", clone))
        self.assertEqual([copy["token"] for copy in self.key()["copies"]], TOKENS)
        # A real copy, whose record somebody has taken away.
        shutil.rmtree(self.record(4))
        self.assertEqual([copy["token"] for copy in self.key()["copies"]], TOKENS[:2])
        self.rehearse("smki-deactivate-and-hold")
        self.refused(self.destruction(*TOKENS), "KEY-STRANGER-01",
                     "token third-hsm holds", "which is key root-oca; the archive knows no copy there")
        for token in TOKENS:
            self.assertEqual(len(self.objects(token)), 2, token)
        found = self.refused(self.look_at("third-hsm"), "TOKEN-COPY-01", "which is key root-oca: a copy that no record accounts for")
        self.assertEqual(found, ["TOKEN-COPY-01", "TOKEN-COPY-01"])

    def test_a_public_key_under_another_name_and_id_is_a_sign_that_a_destruction_does_not_overlook(self):
        self.rehearse("smki-deactivate-and-hold")
        public = self.folder / "public.der"
        public.write_bytes((self.record(1) / "artefacts/keys/root-oca.spki.der").read_bytes())
        self.pkcs11_tool("root-hsm", 1, "--write-object", public, "--type", "pubkey", "--label", "innocent", "--id", "77")
        self.refused(self.destruction("root-hsm", "backup-hsm"), "KEY-STRANGER-01", "token root-hsm holds", "which is key root-oca")
        self.assertEqual(len(self.objects("root-hsm")), 3)

    def test_a_private_key_that_shows_nothing_of_its_public_half_may_be_any_key(self):
        self.rehearse("smki-deactivate-and-hold")
        self.pkcs11_tool("backup-hsm", 2, "--keypairgen", "--key-type", "EC:prime256v1", "--label", "x", "--id", "42")
        self.pkcs11_tool("backup-hsm", 2, "--delete-object", "--type", "pubkey", "--id", "42")
        self.refused(self.destruction("root-hsm", "backup-hsm"), "KEY-STRANGER-02",
                     "which no record accounts for and which may be any key")
        self.refused(self.look_at("backup-hsm"), "TOKEN-OBJECT-01", "which no record accounts for")


class Domains(Fleet):
    def test_a_clone_to_a_token_of_another_pki_is_refused_at_the_desk(self):
        def other(script):
            script["tokens"]["third-hsm"]["domain"] = "device"
        _, err = self.rehearse(self.changed("smki-commission-third-hsm", other), expect=1)
        self.assertIn("EST-COPY-05", err)
        self.assertIn("key root-oca belongs to the domain organisation, token third-hsm to device", err)
        self.assertEqual(len(self.records()), 2)

    def test_a_key_on_a_token_of_another_pki_is_found_by_looking(self):
        def commission(script):
            script["tokens"] = {"third-hsm": dict(script["tokens"]["third-hsm"], domain="device")}
            del script["sections"][2:4]

        def domain(script):
            script["tokens"]["third-hsm"]["domain"] = "device"
        self.rehearse(self.changed("smki-commission-third-hsm", commission))
        public = self.record(1) / "artefacts/keys/root-oca.spki.der"
        self.pkcs11_tool("third-hsm", 3, "--write-object", public, "--type", "pubkey", "--label", "root-oca", "--id", "77")

        def look(script):
            script["id"] = "look-at-third"
            script["tokens"] = {"third-hsm": dict(script["tokens"]["third-hsm"], domain="device")}
            script["sections"][1]["steps"] = script["sections"][1]["steps"][3:]
        self.refused(self.changed("smki-destroy-held-keys", look), "TOKEN-DOMAIN-02",
                     "of the domain device holds", "which is key root-oca of the domain organisation")


class Hold(Fleet):
    def test_a_key_is_destroyed_before_the_end_of_its_hold_only_for_a_reason_that_stands_in_the_certificate(self):
        self.rehearse("smki-deactivate-and-hold")
        hold_until = self.key()["hold_until"]
        path = self.destruction("root-hsm", "backup-hsm")
        path.write_text(path.read_text().replace('"reason"', '"note"'))
        self.refused(path, "EST-HOLD-02", f"key root-oca is held until {hold_until}")
        self.assertEqual(self.key()["state"], "held")
        self.rehearse(self.destruction("root-hsm", "backup-hsm"))
        self.assertEqual(self.key()["state"], "destroyed")
        certificate = (self.records()[-1] / "artefacts/destruction/root-oca.destruction.json").read_text()
        self.assertIn("the hold is cut short to try", certificate)


class Use(Fleet):
    """Figures that somebody of the roster has signed with openssl."""

    def statement(self, **changes):
        lines = {"key": self.key()["spki_sha256"], "count": "3", "first": "2026-01-02T09:14:00Z", "last": "2026-06-01T16:40:12Z"}
        lines.update(changes)
        return "keyceremony key usage\n" + "".join(f"{name} {value}\n" for name, value in lines.items())

    def script(self, text, signer="alice", said="alice", after=None):
        """The shipped script with a statement that `signer` has signed; `after` is what is written in its place."""
        def state(script):
            step = script["sections"][1]["steps"][1]
            step.update({"statement": "use.txt", "signature": "use.txt.sig", "stated_by": said})
        path = self.changed("smki-deactivate-and-hold", state)
        use = path.parent / "use.txt"
        use.write_text(text)
        key = self.archive / "rehearsal" / "people" / signer / "sign.pem"
        subprocess.run(["openssl", "dgst", "-sha256", "-sign", key, "-out", use.with_suffix(".txt.sig"), use], check=True)
        use.write_text(after or text)
        return path

    def test_a_signed_statement_of_use_is_taken_in_with_who_signed_it(self):
        self.rehearse(self.script(self.statement()))
        (ended,) = self.seen(3, "key-deactivated")
        self.assertEqual(self.key()["state"], "held")
        kept = self.record(3) / "artefacts/use/root-oca.txt"
        self.assertEqual(kept.read_text(), self.statement())
        self.assertEqual((ended["count"], ended["first_use"], ended["stated_by"]), (3, "2026-01-02T09:14:00Z", "alice"))
        self.assertEqual(ended["statement_sha256"], hashlib.sha256(kept.read_bytes()).hexdigest())

    def test_a_statement_that_was_changed_or_that_another_has_signed_is_refused(self):
        self.refused(self.script(self.statement(), after=self.statement(count="2")), "KEY-USE-03")
        self.refused(self.script(self.statement(), signer="bob"), "KEY-USE-03")
        self.refused(self.script(self.statement(), said="oscar"), "KEY-USE-03")
        self.assertEqual(self.key()["state"], "active")

    def test_a_statement_of_another_key_or_of_tomorrow_or_in_another_form_is_refused(self):
        self.refused(self.script(self.statement(key="0" * 64)), "KEY-USE-01")
        self.refused(self.script(self.statement(last="2099-06-01T16:40:12Z")), "KEY-USE-01")
        self.refused(self.script(self.statement(count="three")), "KEY-USE-02")
        self.refused(self.script(self.statement() + "\n"), "KEY-USE-02")


if __name__ == "__main__":
    unittest.main(verbosity=2)
