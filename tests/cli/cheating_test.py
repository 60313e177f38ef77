#!/usr/bin/env python3
"""The whole room cheats: a real record is changed and signed anew by everybody. Only what certificates say betrays it."""
import hashlib
import json
import unittest

from archive import SOURCE, run
from cheating_room import Room, verify_rules
from record_builder import ledger

ROOT, ISSUING, ARL = "certificates/root.der", "certificates/issuing.der", "crls/arl-1.der"


class Certificates(Room):
    """A root, an issuing CA and an ARL."""

    @classmethod
    def setUpClass(cls):
        cls.hold(lambda text: text)

    def test_told_anew_without_a_lie_it_is_complete(self):
        verdict, found = self.verdict()
        self.assertEqual((verdict, [rule for rule in found if rule.startswith("CRT")]), ("COMPLETE", []), found)
        self.assertEqual((self.second, self.why), ("COMPLETE", ""))

    def test_a_step_names_another_file(self):
        self.told.effect("certificate-issued", certificate="root")["sha256"] = "ab" * 32
        self.assert_found("CRT-FILE", "root")

    def test_a_step_names_a_file_that_was_never_entered(self):
        self.told.effect("certificate-issued", certificate="root")["artefact"] = "certificates/other.der"
        self.assert_found("CRT-FILE", "other.der")

    def test_pem_and_der_are_two_certificates(self):
        self.told.artefact("certificates/root.pem", self.told.files["artefacts/certificates/issuing.pem"])
        self.assert_found("CRT-FILE", "PEM")

    def test_a_certificate_that_is_cut_short(self):
        self.replace(ROOT, bytes(self.der(ROOT)[:-1]), "certificate-issued", certificate="root")
        self.assert_found("CRT-FORM", "root")

    def test_a_certificate_with_another_signature(self):
        der = self.der(ISSUING)
        der[-1] ^= 1
        self.replace(ISSUING, bytes(der), "certificate-issued", certificate="issuing")
        found = self.assert_found("CRT-SIGNATURE", "issuing")
        self.assertNotIn("CRT-APPROVED", found)  # those bytes are untouched

    def test_a_certificate_that_nobody_approved(self):
        der = self.der(ISSUING)
        der[der.index(b"Z1") + 1] ^= 3  # its common name becomes Z2
        self.replace(ISSUING, bytes(der), "certificate-issued", certificate="issuing")
        found = self.assert_found("CRT-APPROVED", "issuing")
        self.assertIn("CRT-SIGNATURE", found)
        self.assertIn("CRT-FACTS", found)

    def test_a_certificate_that_is_too_large_to_be_read(self):
        self.replace(ROOT, bytes(self.der(ROOT)) + bytes(65536), "certificate-issued", certificate="root")
        self.assert_found("CRT-FILE", "at most 65536 are read")

    def test_a_profile_that_is_too_large_to_be_read(self):
        path = next(path for path in self.told.files if path.endswith("smki-root-oca.profile.json"))
        self.told.files[path] += b" " * (20 << 20)
        self.assert_found("CRT-PROFILE", "root", "no input")

    def test_an_approval_of_other_bytes(self):
        self.told.request("certify-root")["subject"]["tbs_sha256"] = "cd" * 32
        self.assert_found("CRT-APPROVED", "cd" * 32)

    def test_a_crl_that_nobody_approved(self):
        self.told.request("issue-arl")["subject"]["tbs_sha256"] = "cd" * 32
        self.assert_found("CRT-APPROVED", "arl-1")

    def test_a_profile_that_says_something_else(self):
        path = next(path for path in self.told.files if path.endswith("smki-root-oca.profile.json"))
        profile = self.told.files[path].decode()
        self.assertIn('"years": 50', profile)
        self.told.files[path] = profile.replace('"years": 50', '"years": 49').encode()
        self.assert_found("CRT-PROFILE", "root", "not after")

    def test_a_profile_that_is_no_input(self):
        self.told.effect("certificate-issued", certificate="root")["profile"] = "another"
        self.assert_found("CRT-PROFILE", "another")

    def test_a_crl_profile_that_says_something_else(self):
        path = next(path for path in self.told.files if path.endswith("smki-oca-arl.crl-profile.json"))
        self.told.files[path] = self.told.files[path].replace(b'"ca-certificates"', b'"user-certificates"')
        self.assert_found("CRT-PROFILE", "arl-1")

    def test_every_word_of_a_step_is_held_against_its_certificate(self):
        lies = {"subject": "CN=Mallory", "subject_der": "MAA=", "alternative_name": "mallory.example", "serial": "01", "not_before": "2020-01-01T00:00:00Z",
                "not_after": "2099-01-01T00:00:00Z", "subject_key_id": "00", "key_usage": "digitalSignature", "ca": False,
                "path_length": 7}
        effect = self.told.effect("certificate-issued", certificate="issuing")
        for field, lie in lies.items():
            with self.subTest(field):
                truth, effect[field] = effect[field], lie
                self.assert_found("CRT-FACTS", field)
                effect[field] = truth

    def test_every_word_of_a_step_is_held_against_its_crl(self):
        effect = self.told.effect("crl-issued", crl="arl-1")
        for field, lie in {"number": 9, "this_update": "2020-01-01T00:00:00Z", "next_update": "2099-01-01T00:00:00Z", "revoked": 3,
                           "issuer_der": "MAA="}.items():
            with self.subTest(field):
                truth, effect[field] = effect[field], lie
                self.assert_found("CRT-FACTS", field)
                effect[field] = truth

    def test_a_script_that_orders_something_else(self):
        path = "inputs/small-hierarchy.ceremony.json"
        script = self.told.files[path].decode()
        for told, other in (('"subject": { "CN": "Z1" }', '"subject": { "CN": "Z2" }'), ('"issuer": "root",\n          "key"', '"issuer": "roof",\n          "key"'),
                            ('"crl": "arl-1"', '"crl": "arl-7"')):
            with self.subTest(told):
                self.assertIn(told, script)
                self.told.files[path] = script.replace(told, other).encode()
                self.told.request("opening")["subject"]["script_sha256"] = hashlib.sha256(self.told.files[path]).hexdigest()
                self.assert_found("CRT-ORDER", "the script says")

    def test_a_key_that_is_not_the_one_of_its_file(self):
        self.told.effect("key-created", key="root")["spki_sha256"] = "ef" * 32
        found = self.assert_found("CRT-KEY", "ef" * 32)
        self.assertNotIn("CRT-SIGNATURE", found)

    def test_a_certificate_of_another_key(self):
        self.told.effect("certificate-issued", certificate="issuing")["key"] = "root"
        self.assert_found("CRT-KEY", "issuing", "root")

    def test_a_certificate_said_to_be_signed_by_another_key(self):
        self.told.effect("certificate-issued", certificate="issuing")["issuer_key"] = "issuing"
        self.assert_found("CRT-KEY", "issuing")

    def test_a_crl_said_to_be_signed_by_another_key(self):
        self.told.effect("crl-issued", crl="arl-1")["issuer_key"] = "issuing"
        self.assert_found("CRT-KEY", "arl-1")

    def test_a_certificate_with_another_issuer(self):
        effect = self.told.effect("certificate-issued", certificate="issuing")
        effect["issuer_certificate"] = "issuing"
        self.assert_found("CRT-SIGNATURE", "issuing")

    def test_an_issuer_that_was_revoked_before(self):
        end = self.told.end_with(self.told.effect("certificate-issued", certificate="root"))
        end["effects"].append({"effect": "certificate-revoked", "certificate": "root", "reason": "keyCompromise",
                               "on": "2026-01-01T00:00:00Z", "crl": "arl-1"})
        self.assert_found("CRT-CHAIN", "revoked")

    def test_a_crl_of_another_ca(self):
        self.told.effect("crl-issued", crl="arl-1")["issuer_certificate"] = "issuing"
        found = self.assert_found("CRT-CHAIN", "issuing")
        self.assertIn("CRT-SIGNATURE", found)

    def test_a_serial_number_used_again(self):
        effect = self.told.effect("certificate-issued", certificate="issuing")
        end = self.told.end_with(effect)
        end["effects"].append(dict(effect, certificate="issuing-again"))
        self.assert_found("CRT-SERIAL", "issuing-again")

    def test_a_crl_whose_number_stands_still(self):
        effect = self.told.effect("crl-issued", crl="arl-1")
        self.told.end_with(effect)["effects"].append(dict(effect, crl="arl-2"))
        self.assert_found("CRT-NUMBER", "arl-2")

    def test_a_revocation_that_is_on_no_list(self):
        end = self.told.end_with(self.told.effect("crl-issued", crl="arl-1"))
        revoked = {"effect": "certificate-revoked", "certificate": "issuing", "reason": "superseded", "on": "2026-01-01T00:00:00Z"}
        end["effects"].insert(0, dict(revoked, crl="arl-1"))
        self.assert_found("CRT-REVOKED", "issuing", "arl-1")
        end["effects"][0]["crl"] = "arl-9"
        self.assert_found("CRT-REVOKED", "arl-9")

    def test_one_key_for_two_names(self):
        effect = self.told.effect("certificate-issued", certificate="root")
        issuing = self.told.effect("key-created", key="issuing")
        issuing["spki_sha256"] = effect["spki_sha256"]
        self.assert_found("CRT-KEY", "issuing")

    def test_what_cannot_be_known_is_said(self):
        self.told.end_with(self.told.effect("certificate-issued", certificate="root"))["effects"] = []
        found = self.assert_found("CRT-UNKNOWN", "issuing", "arl-1")
        self.assertNotIn("CRT-ELSEWHERE", found)
        self.told.entries[0]["previous"] = {"origin": f"{self.told.estate}/before/{'0' * 32}", "size": 9, "root": "ab" * 32}
        _, found = self.verdict()
        self.assertNotIn("CRT-UNKNOWN", found)
        self.assertIn("issuing", found["CRT-ELSEWHERE"])
        self.assertIn("arl-1", found["CRT-ELSEWHERE"])

    def test_certificates_and_lists_may_be_withheld_and_what_they_signed_is_not_unknown_then(self):
        roster = self.told.write(self.folder / "record")
        plain = json.loads((SOURCE / "scripts" / "smki.redaction.json").read_text())
        for paths in (["certificates"], [ROOT], [ISSUING], ["crls"], ["certificates", "crls"]):
            with self.subTest(paths):
                files = [{"path": "artefacts/" + path, "label": "red", "reason": "security"} for path in paths]
                (self.folder / "rules.json").write_text(json.dumps({**plain, "files": plain["files"] + files}))
                bundle = self.folder / f"bundle {len(list(self.folder.iterdir()))}"
                status, _, err = run("redact", self.folder / "record", "--rules", self.folder / "rules.json", "--roster", roster, "--out", bundle)
                self.assertEqual(status, 0, err)
                _, out, _ = run("verify", bundle, "--roster", roster, "--json")
                found = {finding["rule"]: finding["message"] for finding in json.loads(out)["findings"]}
                self.assertEqual((json.loads(out)["verdict"], verify_rules.verdict(str(bundle), str(roster))), ("COMPLETE", ("COMPLETE", "")))
                told = [word for word in ("root", "issuing", "arl-1") if word in found.get("CRT-ELSEWHERE", "")]
                self.assertEqual(told, {"certificates": ["arl-1"] if "crls" not in paths else [], ROOT: ["issuing", "arl-1"]}.get(paths[0], []))

    def test_a_revocation_on_a_list_that_is_withheld_is_not_missed_there(self):
        end = self.told.end_with(self.told.effect("crl-issued", crl="arl-1"))
        end["effects"].insert(0, {"effect": "certificate-revoked", "certificate": "issuing", "reason": "superseded", "on": "2026-01-01T00:00:00Z", "crl": "arl-1"})
        self.assert_found("CRT-REVOKED", "issuing")
        roster = self.told.write(self.folder / "record")
        hidden = sorted(path for path in self.told.files if path.startswith("artefacts/crls/"))
        for path in hidden:
            (self.folder / "record" / path).unlink()
        (self.folder / "record" / "withheld.jsonl").write_bytes(ledger(self.told.origin, files=[(path, "red", "SEC") for path in hidden]))
        self.assertEqual((self.judged(roster)[0], self.second, self.why), ("COMPLETE", "COMPLETE", ""))

    def test_an_issuer_that_nobody_made_is_unknown_beside_one_that_is_withheld(self):
        self.told.effect("crl-issued", crl="arl-1")["issuer_certificate"] = "roof"
        self.told.request("issue-arl")["subject"].pop("issuer", None)
        roster = self.told.write(self.folder / "record")
        (self.folder / "record" / "artefacts" / ROOT).unlink()
        (self.folder / "record" / "withheld.jsonl").write_bytes(ledger(self.told.origin, files=[("artefacts/" + ROOT, "red", "SEC")]))
        verdict, found = self.judged(roster)
        self.assertEqual(verdict, "INVALID")
        self.assertIn("arl-1", found["CRT-UNKNOWN"])
        self.assertIn("issuing", found["CRT-ELSEWHERE"])

    def test_a_certificate_that_breaks_a_rule_of_the_lint_is_told_of(self):
        der = self.der(ISSUING)
        der[der.index(b"Z1") + 1] = 0x0A  # a line feed in a name
        self.replace(ISSUING, bytes(der), "certificate-issued", certificate="issuing")
        _, found = self.verdict()
        self.assertTrue({"CRT-LINT", "CRT-FORM"} & set(found), found)


class Destruction(Room):
    """A key that is made, not used, and destroyed."""

    @classmethod
    def setUpClass(cls):
        cls.hold_life(["root-hsm"], [{"id": "look", "do": "token.verify", "token": "root-hsm"}])

    def test_told_anew_without_a_lie_it_is_complete(self):
        verdict, found = self.verdict()
        self.assertEqual((verdict, [rule for rule in found if rule.startswith("CRT")]), ("COMPLETE", []), found)
        self.assertEqual((self.second, self.why), ("COMPLETE", ""))

    def test_a_certificate_of_destruction_that_says_something_else(self):
        path = "destruction/root.destruction.json"
        right = self.told.files["artefacts/" + path]
        effect = self.told.effect("key-destroyed", key="root")

        def tell(change, rule, *words):
            certificate = json.loads(right)
            change(certificate)
            with self.subTest(words):
                effect["sha256"] = self.told.artefact(path, json.dumps(certificate).encode())
                self.assert_found(rule, *words)

        tell(lambda told: told["key"].update(name="roof"), "CRT-DESTROYED", "roof")
        tell(lambda told: told["key"].update(spki_sha256="ab" * 32), "CRT-DESTROYED", "ab" * 32)
        tell(lambda told: told["copies"][0].update(token="other-hsm"), "CRT-DESTROYED", "without the copy", "root-hsm")
        tell(lambda told: told["copies"][0].update(serial="0"), "CRT-DESTROYED", "root-hsm")
        tell(lambda told: told["copies"].clear(), "CRT-DESTROYED", "without the copy")
        tell(lambda told: told["copies"].append(dict(told["copies"][0], token="third-hsm")), "CRT-DESTROYED", "third-hsm", "no step destroyed")
        tell(lambda told: told.pop("copies"), "CRT-FORM", "root")

    def test_a_key_destroyed_that_is_not_the_one_made(self):
        effect = self.told.effect("key-destroyed", key="root")
        certificate = json.loads(self.told.files["artefacts/destruction/root.destruction.json"])
        certificate["key"]["spki_sha256"] = effect["spki_sha256"] = "ab" * 32
        effect["sha256"] = self.told.artefact("destruction/root.destruction.json", json.dumps(certificate).encode())
        self.assert_found("CRT-KEY", "ab" * 32)


if __name__ == "__main__":
    unittest.main()
