#!/usr/bin/env python3
"""Hierarchies as their user makes them: shipped scripts, what openssl says of the outcome, one key for one name."""
import json
import shutil
import subprocess
import unittest

from archive import SCRIPTS, Archive, need, only, openssl, run, steps_of


class Organisation(unittest.TestCase):
    """Root, two issuing CAs; rehearsed once for all cases that only look."""

    @classmethod
    def setUpClass(cls):
        cls.archive = Archive(cls)
        status, _, err = cls.archive.rehearse("smki-organisation")
        assert status == 0, err

    def test_lint_holds_a_certificate_against_its_profile(self):
        profile = SCRIPTS / "profiles" / "smki-root-oca.profile.json"
        status, out, err = run("lint", "--profile", profile, self.archive.artefact("certificates/root-oca.der"))
        self.assertEqual(status, 0, out + err)
        status, out, _ = run("lint", "--profile", profile, "--json", self.archive.artefact("certificates/issuing-oca-z1.der"))
        self.assertEqual(status, 1)
        sentences = [finding["sentence"] for finding in json.loads(out)["findings"]]
        self.assertEqual([sentence.split(":")[0] for sentence in sentences],
                         ["issuer", "not after", "subject OU", "subject CN", "extension basicConstraints", "extension authorityKeyIdentifier"])

    def test_the_report_has_the_comparison_of_each_certificate_and_of_the_list(self):
        page = self.archive.folder / "report.html"
        status, _, err = run("report", self.archive.path / "0001-smki-organisation", "--out", page)
        self.assertEqual(status, 0, err)
        text = page.read_text()
        self.assertEqual([text.count(f">{what} has<") for what in ("certificate", "CRL")], [3, 1])
        self.assertEqual(text.count("before it was signed: all equal</caption>"), 4)
        self.assertNotIn("The record has no comparison", text)

    def test_the_record_is_complete(self):
        self.assertEqual(self.archive.verdicts(), (0, ["COMPLETE"]))

    def test_openssl_accepts_the_whole_chain(self):
        root = self.archive.artefact("certificates/root-oca.pem")
        for name in ("issuing-oca-z1", "issuing-oca-z2"):
            certificate = self.archive.artefact(f"certificates/{name}.pem")
            status, said = openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", root, certificate)
            self.assertEqual(status, 0, said)
        text = openssl("x509", "-in", self.archive.artefact("certificates/issuing-oca-z2.pem"), "-noout", "-text")[1]
        for words in ("Issuer: OU = 00, CN = ZA", "Subject: OU = 07, CN = Z2", "CA:TRUE, pathlen:0"):
            self.assertIn(words, text)

    def test_openssl_accepts_the_chain_with_the_arl(self):
        root, arl = self.archive.artefact("certificates/root-oca.pem"), self.archive.artefact("crls/oca-arl-1.pem")
        text = openssl("crl", "-in", arl, "-noout", "-text")[1]
        for words in ("Issuer: OU = 00, CN = ZA", "X509v3 CRL Number: \n                1", "Only CA Certificates", "No Revoked Certificates."):
            self.assertIn(words, text)
        self.assertEqual(openssl("crl", "-in", arl, "-noout", "-CAfile", root), (0, "verify OK\n"))
        for name in ("issuing-oca-z1", "issuing-oca-z2"):
            status, said = openssl("verify", "-x509_strict", "-crl_check", "-extended_crl", "-CAfile", root, "-CRLfile", arl,
                                   self.archive.artefact(f"certificates/{name}.pem"))
            self.assertEqual(status, 0, said)
        crl = self.archive.status()["crls"][0]
        self.assertEqual((crl["name"], crl["number"], crl["revoked"], crl["issuer_certificate"]), ("oca-arl-1", 1, 0, "root-oca"))

    def test_each_ca_has_a_key_of_its_own_on_its_token(self):
        estate = self.archive.status()
        keys = {key["name"]: key for key in estate["keys"]}
        self.assertEqual(len({key["spki_sha256"] for key in keys.values()}), 3)
        self.assertEqual([(name, [copy["token"] for copy in key["copies"]]) for name, key in keys.items()],
                         [("root-oca", ["root-hsm"]), ("issuing-oca-z1", ["issuing-hsm"]), ("issuing-oca-z2", ["issuing-hsm"])])
        self.assertEqual([(c["name"], c["issuer_certificate"], c["ca"], c["revoked"]) for c in estate["certificates"]],
                         [("root-oca", "root-oca", True, None), ("issuing-oca-z1", "root-oca", True, None),
                          ("issuing-oca-z2", "root-oca", True, None)])
        for certificate in estate["certificates"]:
            spki = openssl("x509", "-in", self.archive.path / certificate["artefact"], "-inform", "DER", "-noout", "-pubkey")[1]
            der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=spki.encode(), capture_output=True, check=True).stdout
            digest = subprocess.run(["sha256sum"], input=der, capture_output=True, check=True).stdout.split()[0].decode()
            self.assertEqual(keys[certificate["key"]]["spki_sha256"], digest)

    def test_the_token_is_opened_only_after_the_bytes_are_approved(self):
        record = self.archive.entries("0001-smki-organisation")
        for step in ("certify-root-oca", "certify-issuing-oca-z1"):
            begins, ends = (next(index for index, entry in enumerate(record) if entry["type"] == "step" and entry["id"] == step and entry["phase"] == phase)
                            for phase in ("begin", "end"))
            own = record[begins:ends]
            request = next(index for index, entry in enumerate(own) if entry["type"] == "request")
            self.assertIn("profile-comparison", [entry.get("what") for entry in own[:request]])
            self.assertNotIn("shares-contributed", [entry.get("what") for entry in own[:request]])
            intents = [(index, entry) for index, entry in enumerate(own) if entry["type"] == "intent"]
            self.assertEqual([entry["fn"] for _, entry in intents], ["C_Sign"])
            self.assertGreater(intents[0][0], request)
            self.assertEqual(intents[0][1]["input_sha256"], own[request]["subject"]["tbs_sha256"])


class OneKeyOneName(unittest.TestCase):
    """R1: every way to get one key under two names is refused."""

    def setUp(self):
        self.archive = Archive(self)

    def refused(self, plan, *parts):
        self.archive.write("changed", plan)
        status, out, err = run("check", self.archive.script("changed"), "--archive", self.archive.path)
        self.assertEqual(status, 1, out + err)
        for part in parts:
            self.assertIn(part, " ".join(out.split()))

    def test_two_names_over_one_key_name(self):
        plan = self.archive.plan("smki-organisation")
        step = next(step for step in steps_of(plan) if step["id"] == "certify-issuing-oca-z2")
        step["key"] = "issuing-oca-z1"
        self.refused(plan, "EST-NAME-01", "certificate issuing-oca-z2 names OU=07 (PrintableString), CN=Z2 (PrintableString)",
                     "key issuing-oca-z1, which belongs to OU=07 (PrintableString), CN=Z1 (PrintableString)")

    def test_a_second_name_in_a_later_ceremony_and_the_same_name_renewed(self):
        self.assertEqual(self.archive.rehearse("smki-organisation")[0], 0)
        wanted = lambda step: step["id"] == "certify-issuing-oca-z1"  # noqa: E731
        plan = only(self.archive.plan("smki-organisation"), "again", wanted)
        step = next(step for step in steps_of(plan) if wanted(step))
        step["certificate"] = "issuing-oca-z3"
        step["subject"] = {"CN": "Z3"}
        self.refused(plan, "EST-NAME-01", "CN=Z3", "CN=Z1")
        step["certificate"] = "issuing-oca-z1-renewed"
        step["subject"] = {"CN": "Z1"}
        self.archive.write("again", plan)
        status, _, err = self.archive.rehearse("again")
        self.assertEqual(status, 0, err)
        self.assertEqual(self.archive.verdicts(), (0, ["COMPLETE", "COMPLETE"]))
        root, renewed = (self.archive.artefact(f"certificates/{name}.pem") for name in ("root-oca", "issuing-oca-z1-renewed"))
        self.assertEqual(openssl("verify", "-x509_strict", "-CAfile", root, renewed)[0], 0)

    def test_an_issuer_that_was_changed_in_the_archive(self):
        self.assertEqual(self.archive.rehearse("smki-organisation")[0], 0)
        wanted = lambda step: step["id"] == "certify-issuing-oca-z1"  # noqa: E731
        plan = only(self.archive.plan("smki-organisation"), "again", wanted)
        next(step for step in steps_of(plan) if wanted(step))["certificate"] = "renewed"
        self.archive.write("again", plan)
        root = self.archive.artefact("certificates/root-oca.der")
        shutil.copyfile(self.archive.artefact("certificates/issuing-oca-z2.der"), root)
        status, _, err = self.archive.rehearse("again")
        self.assertNotEqual(status, 0)
        self.assertIn("[RUN-ARTEFACT-01]", err)
        self.assertFalse(list(self.archive.path.glob("0002-*/artefacts/certificates/renewed.der")))


class Rollover(unittest.TestCase):
    """A new issuing CA in a second ceremony on the same archive."""

    def test_old_and_new_overlap_under_one_root(self):
        archive = Archive(self)
        for name in ("smki-organisation", "smki-issuing-rollover"):
            status, said, err = archive.rehearse(name)
            self.assertEqual(status, 0, err)
        self.assertEqual(archive.verdicts(), (0, ["COMPLETE", "COMPLETE"]))
        # In the room the issuer of the first ceremony is known; to somebody who has the second record alone it is not.
        self.assertNotIn("CRT-ELSEWHERE", said)
        alone = run("verify", archive.path / "0002-smki-issuing-rollover", "--roster", archive.path / "rehearsal" / "roster.json")[1]
        self.assertIn('CRT-ELSEWHERE (notice): a key or an issuer of certificate "issuing-oca-z3"', alone)
        root = archive.artefact("certificates/root-oca.pem")
        certificates = {certificate["name"]: certificate for certificate in archive.status()["certificates"]}
        old, new = certificates["issuing-oca-z1"], certificates["issuing-oca-z3"]
        self.assertLessEqual(new["not_before"], old["not_after"])
        self.assertLessEqual(new["not_after"], certificates["root-oca"]["not_after"])
        self.assertEqual(old["issuer_certificate"], new["issuer_certificate"])
        for name in ("issuing-oca-z1", "issuing-oca-z3"):
            status, said = openssl("verify", "-x509_strict", "-CAfile", root, archive.artefact(f"certificates/{name}.pem"))
            self.assertEqual(status, 0, said)
        entries = archive.entries("0002-smki-issuing-rollover")
        # Without a gap: the new one can issue and everybody is told before the old one's key goes out of use.
        done = [entry["id"] for entry in entries if entry["type"] == "step" and entry["phase"] == "end"]
        order = [done.index(step) for step in ("certify-issuing-oca-z3", "tell-subscribers", "deactivate-issuing-oca-z1")]
        self.assertEqual(order, sorted(order))
        keys = {key["name"]: key["state"] for key in archive.status()["keys"]}
        self.assertEqual((keys["issuing-oca-z1"], keys["issuing-oca-z2"], keys["issuing-oca-z3"]), ("held", "active", "active"))
        fresh = next(entry for entry in entries if entry.get("what") == "key-fresh")
        self.assertEqual((fresh["key"], [other["key"] for other in fresh["differs_from"]], fresh["known_keys"]),
                         ("issuing-oca-z3", ["issuing-oca-z1"], 3))
        plan = only(archive.plan("smki-issuing-rollover"), "more", lambda step: step["do"] == "cert.issue")
        plan["tokens"] = {"issuing-hsm": archive.plan("smki-issuing-rollover")["tokens"]["issuing-hsm"]}
        next(step for step in steps_of(plan) if step["do"] == "cert.issue").update(
            token="issuing-hsm", issuer="issuing-oca-z1", key="issuing-oca-z2", certificate="z9", subject={"CN": "Z2"})
        archive.write("more", plan)
        status, out, _ = run("check", archive.script("more"), "--archive", archive.path)
        self.assertEqual(status, 1)
        self.assertIn("PLAN-KEY-04", out)

    def test_without_the_archive_there_is_no_root_to_issue_from(self):
        status, out, _ = run("check", SCRIPTS / "smki-issuing-rollover.ceremony.json")
        self.assertEqual(status, 1)
        for rule in ("PLAN-TOKEN-02", "PLAN-CERT-01"):
            self.assertIn(rule, out)


class RevokeAndReplace(unittest.TestCase):
    """The shared-key incident: both issuing CAs revoked, two fresh ones made."""

    @classmethod
    def setUpClass(cls):
        cls.archive = Archive(cls)
        for name in ("smki-organisation", "smki-revoke-and-replace"):
            status, _, err = cls.archive.rehearse(name)
            assert status == 0, err

    def test_openssl_refuses_the_old_ones_and_accepts_the_new_ones(self):
        self.assertEqual(self.archive.verdicts(), (0, ["COMPLETE", "COMPLETE"]))
        root, arl = self.archive.artefact("certificates/root-oca.pem"), self.archive.artefact("crls/oca-arl-2.pem")
        for name, good in (("z1", False), ("z2", False), ("z3", True), ("z4", True)):
            status, said = openssl("verify", "-x509_strict", "-crl_check", "-extended_crl", "-CAfile", root, "-CRLfile", arl,
                                   self.archive.artefact(f"certificates/issuing-oca-{name}.pem"))
            self.assertEqual(status == 0, good, said)
            if not good:
                self.assertIn("certificate revoked", said)
        text = openssl("crl", "-in", arl, "-noout", "-text")[1]
        self.assertEqual(text.count("CA Compromise"), 2)
        for name in ("z1", "z2"):
            serial = next(c["serial"] for c in self.archive.status()["certificates"] if c["name"] == f"issuing-oca-{name}")
            self.assertIn(f"Serial Number: {serial.upper()}", text)

    def test_the_estate_has_four_different_keys_and_says_what_is_revoked(self):
        estate = self.archive.status()
        keys = [key["spki_sha256"] for key in estate["keys"] if key["name"].startswith("issuing")]
        self.assertEqual((len(keys), len(set(keys))), (4, 4))
        revoked = {c["name"]: c["revoked"] and (c["revoked"]["reason"], c["revoked"]["crl"]) for c in estate["certificates"]}
        self.assertEqual(revoked, {"root-oca": None, "issuing-oca-z1": ("cACompromise", "oca-arl-2"), "issuing-oca-z2": ("cACompromise", "oca-arl-2"),
                                   "issuing-oca-z3": None, "issuing-oca-z4": None})
        self.assertEqual([(crl["name"], crl["number"], crl["revoked"]) for crl in estate["crls"]], [("oca-arl-1", 1, 0), ("oca-arl-2", 2, 2)])
        told = [entry for entry in self.archive.entries("0002-smki-revoke-and-replace") if entry.get("what") == "notification"]
        self.assertEqual([entry["to"] for entry in told], ["the policy management authority", "the registration authorities"])

    def test_both_keys_are_compromised_and_the_new_ones_are_shown_to_be_fresh(self):
        keys = {key["name"]: key for key in self.archive.status()["keys"]}
        self.assertEqual([keys[f"issuing-oca-z{n}"]["state"] for n in (1, 2, 3, 4)], ["compromised", "compromised", "active", "active"])
        entries = self.archive.entries("0002-smki-revoke-and-replace")
        self.assertEqual([entry["reason"] for entry in entries if entry.get("what") == "key-deactivated"], ["compromised", "compromised"])
        fresh = [entry for entry in entries if entry.get("what") == "key-fresh"]
        self.assertEqual([(entry["key"], [other["key"] for other in entry["differs_from"]], entry["known_keys"]) for entry in fresh],
                         [("issuing-oca-z3", ["issuing-oca-z1", "issuing-oca-z2", "issuing-oca-z4", "root-oca"], 4),
                          ("issuing-oca-z4", ["issuing-oca-z1", "issuing-oca-z2", "issuing-oca-z3", "root-oca"], 4)])
        for entry in fresh:
            self.assertEqual(entry["spki_sha256"], keys[entry["key"]]["spki_sha256"])
            self.assertNotIn(entry["spki_sha256"], [other["spki_sha256"] for other in entry["differs_from"]])
            begun = next(e for e in entries if e["type"] == "step" and e["id"] == entry["made_by"])
            self.assertGreaterEqual(entry["made"], begun["time"])

    def test_an_emergency_tells_somebody_and_says_that_it_is_one(self):
        """PLAN-EMERGENCY-01 and -02."""
        _, out, _ = run("check", SCRIPTS / "smki-revoke-and-replace.ceremony.json", "--archive", self.archive.path)
        self.assertIn("emergency        yes: held because of an incident", out)
        plan = self.archive.plan("smki-revoke-and-replace")
        for section in plan["sections"]:
            section["steps"] = [step for step in section["steps"] if step["do"] != "comms.notify"]
        fresh = Archive(self)
        self.assertEqual(fresh.rehearse("smki-organisation")[0], 0)
        fresh.write("silent", plan)
        status, out, _ = run("check", fresh.script("silent"), "--archive", fresh.path)
        self.assertEqual(status, 1)
        self.assertIn("PLAN-EMERGENCY-01", out)
        self.assertNotIn("PLAN-EMERGENCY-02", out)
        del plan["emergency"]
        fresh.write("silent", plan)
        status, out, _ = run("check", fresh.script("silent"), "--archive", fresh.path)
        self.assertIn("PLAN-EMERGENCY-02", out)
        self.assertIn("issue-oca-arl-2 deals with a compromise", " ".join(out.split()))

    def test_only_a_key_that_this_script_makes_is_fresh(self):
        plan = only(self.archive.plan("smki-revoke-and-replace"), "more", lambda step: step["id"] == "prove-issuing-oca-z3")
        step = next(step for step in steps_of(plan) if step["do"] == "key.prove")
        step["fresh_against"] = ["issuing-oca-z3", "nobody"]
        plan["tokens"] = {"issuing-hsm": self.archive.plan("smki-revoke-and-replace")["tokens"]["issuing-hsm"]}
        self.archive.write("more", plan)
        status, out, _ = run("check", self.archive.script("more"), "--archive", self.archive.path)
        self.assertEqual(status, 1)
        for part in ("PLAN-FRESH-01", "PLAN-FRESH-02", "fresh against itself", "nobody has made a key nobody"):
            self.assertIn(part, " ".join(out.split()))

    def refused(self, change, *parts):
        plan = only(self.archive.plan("smki-revoke-and-replace"), "more", lambda step: step["do"] == "crl.issue")
        step = next(step for step in steps_of(plan) if step["do"] == "crl.issue")
        step["crl"] = "oca-arl-3"
        del step["revoke"]
        change(step)
        self.archive.write("more", plan)
        status, out, err = run("check", self.archive.script("more"), "--archive", self.archive.path)
        self.assertEqual(status, 1 if parts else 0, out + err)
        for part in parts:
            self.assertIn(part, " ".join(out.split()))

    def test_numbers_grow_and_only_certificates_of_the_estate_are_revoked_once(self):
        self.refused(lambda step: step.update(number=2), "EST-CRL-02", "CRL oca-arl-3 has the number 2, oca-arl-2 of the same issuer has 2")
        self.refused(lambda step: step.update(revoke=[{"certificate": "nobody", "reason": "superseded"}]), "EST-CERT-03", "certificate nobody")
        self.refused(lambda step: step.update(revoke=[{"certificate": "issuing-oca-z1", "reason": "superseded"}]), "EST-CERT-04", "is revoked already, by CRL oca-arl-2")
        self.refused(lambda step: step.update(revoke=[{"certificate": "issuing-oca-z3", "reason": "privilegeWithdrawn"}]), "PLAN-CRL-05")
        self.refused(lambda step: step.update(issuer="issuing-oca-z3"), "PLAN-KEY-03")
        self.refused(lambda step: step.update(crl="oca-arl-1"), "EST-CRL-01")


class OtherHierarchies(unittest.TestCase):
    """A root and an issuing CA of other kinds: certificates without an end, P-384, RSA 4096 over P-384."""

    def hold(self, script, root, issuing, root_key, issuing_key):
        archive = Archive(self)
        status, _, err = archive.rehearse(script)
        self.assertEqual(status, 0, err)
        self.assertEqual(archive.verdicts(), (0, ["COMPLETE"]))
        root, issuing = (archive.artefact(f"certificates/{name}.pem") for name in (root, issuing))
        status, said = openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", root, issuing)
        self.assertEqual(status, 0, said)
        for certificate, key in ((root, root_key), (issuing, issuing_key)):
            self.assertIn(key, openssl("x509", "-in", certificate, "-noout", "-text")[1])
        status, out, err = run("lint", "--set", root, issuing)
        self.assertEqual(status, 0, out + err)
        return openssl("x509", "-in", issuing, "-noout", "-enddate")[1]

    def test_certificates_of_the_device_hierarchy_do_not_end(self):
        self.assertIn("Dec 31 23:59:59 9999", self.hold("smki-device", "root-dca", "issuing-dca-d1", "ASN1 OID: prime256v1", "ASN1 OID: prime256v1"))

    def test_the_infrastructure_hierarchy_is_on_p384(self):
        # Its profiles are not public: the rules of the other smart metering hierarchies do not bind it.
        self.hold("smki-iki", "iki-root", "iki-issuing-1", "ASN1 OID: secp384r1", "ecdsa-with-SHA384")

    def test_a_root_of_the_public_web_is_rsa_and_its_issuing_ca_is_not(self):
        self.hold("webpki-root", "web-root", "web-issuing-e1", "Public-Key: (4096 bit)", "ASN1 OID: secp384r1")


class Requests(unittest.TestCase):
    """Keys from outside come with a request that openssl made."""

    def setUp(self):
        self.archive = Archive(self)
        self.assertEqual(self.archive.rehearse("smki-organisation")[0], 0)

    def request(self, subject, *more):
        key, path = self.archive.folder / "key.pem", self.archive.scripts / "documents" / "z9.csr"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        config = self.archive.folder / "openssl.cnf"  # names as PrintableString, which the profile wants
        config.write_text("[req]\nstring_mask = nombstr\ndistinguished_name = dn\n[dn]\n")
        status, said = openssl("req", "-new", "-config", config, "-key", key, "-subj", subject, "-out", path, *more)
        self.assertEqual(status, 0, said)
        return path

    def plan(self, **changes):
        plan = only(self.archive.plan("smki-organisation"), "outside", lambda step: step["id"] == "certify-issuing-oca-z1")
        section = next(section for section in plan["sections"] if any(step["do"] == "cert.issue" for step in section["steps"]))
        issue = section["steps"][0]
        issue.update(key="z9", certificate="z9", subject={"CN": "Z9"})
        section["steps"].insert(0, {"id": "take-in", "do": "csr.import", "quorum": "custodians", "file": "documents/z9.csr", "key": "z9", "profile": "issuing-oca"})
        issue.update(changes)
        self.archive.write("outside", plan)

    def check(self, *parts):
        status, out, err = run("check", self.archive.script("outside"), "--archive", self.archive.path)
        self.assertEqual(status, 1 if parts else 0, out + err)
        for part in parts:
            self.assertIn(part, " ".join(out.split()))

    def test_a_request_of_openssl_becomes_a_certificate_over_its_key(self):
        path = self.request("/OU=07/CN=Z9")
        self.plan()
        self.check()
        status, _, err = self.archive.rehearse("outside")
        self.assertEqual(status, 0, err)
        certificate = self.archive.artefact("certificates/z9.pem")
        self.assertEqual(openssl("verify", "-x509_strict", "-CAfile", self.archive.artefact("certificates/root-oca.pem"), certificate)[0], 0)
        self.assertEqual(openssl("x509", "-in", certificate, "-noout", "-pubkey")[1], openssl("req", "-in", path, "-noout", "-pubkey")[1])
        self.assertEqual(next(key["state"] for key in self.archive.status()["keys"] if key["name"] == "z9"), "outside")

    def test_another_name_than_the_one_it_asked_for(self):
        self.request("/OU=07/CN=Z9")
        self.plan(subject={"CN": "Z8"})
        self.check("EST-NAME-01", "CN=Z8", "CN=Z9")

    def test_a_request_whose_signature_is_wrong(self):
        path = self.request("/OU=07/CN=Z9", "-outform", "DER")
        path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1]))
        self.plan()
        self.check("CSR-POSSESSION-01", "documents/z9.csr")

    def test_a_name_that_the_profile_does_not_allow(self):
        self.request("/O=Somebody/CN=Z9")
        self.plan()
        self.check("CSR-SUBJECT-01")

    def test_a_request_of_ours_is_one_that_openssl_accepts(self):
        plan = only(self.archive.plan("smki-organisation"), "ask", lambda step: False)
        plan["tokens"] = {"issuing-hsm": self.archive.plan("smki-organisation")["tokens"]["issuing-hsm"]}
        plan["profiles"] = {"issuing-oca": "profiles/smki-issuing-oca.profile.json"}
        step = {"id": "ask", "do": "csr.create", "quorum": "custodians", "token": "issuing-hsm", "key": "issuing-oca-z1",
                "profile": "issuing-oca", "request": "z1-elsewhere", "subject": {"CN": "Z1"}}
        plan["sections"][1]["steps"].append(step)
        self.archive.write("ask", plan)
        status, _, err = self.archive.rehearse("ask")
        self.assertEqual(status, 0, err)
        request = self.archive.artefact("requests/z1-elsewhere.pem")
        self.assertIn("verify OK", openssl("req", "-in", request, "-noout", "-verify")[1])
        self.assertEqual(openssl("req", "-in", request, "-noout", "-subject")[1], "subject=OU = 07, CN = Z1\n")
        self.assertEqual(openssl("req", "-in", request, "-noout", "-pubkey")[1],
                         openssl("x509", "-in", self.archive.artefact("certificates/issuing-oca-z1.pem"), "-noout", "-pubkey")[1])
        step.update(request="z1-otherwise", subject={"CN": "Z7"})
        self.archive.write("outside", plan)
        self.check("EST-NAME-01", "CN=Z7", "CN=Z1")


class Notification(unittest.TestCase):
    def test_who_was_told_what_and_who_acknowledged_it_is_in_the_record(self):
        archive = Archive(self)
        plan = only(archive.plan("smki-organisation"), "told", lambda step: False)
        plan["tokens"] = {"root-hsm": archive.plan("smki-organisation")["tokens"]["root-hsm"]}
        plan["sections"][1]["steps"] += [
            {"id": "tell", "do": "comms.notify", "by": "security-officer", "to": "the policy authority", "channel": "telephone",
             "about": "an issuing CA is revoked", "message": "The Issuing OCA Z1 is revoked from now on."},
            {"id": "verify", "do": "token.commission", "token": "root-hsm", "quorum": "custodians"}]
        archive.write("told", plan)
        status, _, err = archive.rehearse("told")
        self.assertEqual(status, 0, err)
        entry, answer = (next(entry for entry in archive.entries("0001-told") if entry.get("what") == what)
                         for what in ("notification", "notification-acknowledged"))
        self.assertEqual({name: entry[name] for name in ("to", "channel", "about", "role", "person")},
                         {"to": "the policy authority", "channel": "telephone", "about": "an issuing CA is revoked",
                          "role": "security-officer", "person": entry["person"]})
        self.assertEqual((answer["to"], answer["acknowledged_by"]), ("the policy authority", "Olive Officer, duty manager"))
        digest = subprocess.run(["sha256sum"], input=b"The Issuing OCA Z1 is revoked from now on.", capture_output=True, check=True)
        self.assertEqual(entry["content_sha256"], digest.stdout.split()[0].decode())
        self.assertLessEqual(entry["told"], answer["acknowledged"])


if __name__ == "__main__":
    need()
    unittest.main()
