#!/usr/bin/env python3
"""Certificates of every shape on SoftHSM: devices with their names, cross-certificates, RSA with every digest, and
profiles that contradict each other; openssl judges what comes out."""
import json
import subprocess
import unittest

from archive import SCRIPTS, Archive, need, only, openssl, profile, run, steps_of
from certifying import Case, Second

EUI = "00db1234567890a1"


def extension(plan, kind):
    return next(each for each in plan["extensions"] if each["type"] == kind)


class Device(unittest.TestCase):
    """The shipped script certifies a first device over the requests that openssl made."""

    @classmethod
    def setUpClass(cls):
        cls.archive = Archive(cls)
        status, _, err = cls.archive.rehearse("smki-device")
        assert status == 0, err

    verify = Case.verify

    def test_openssl_accepts_both_certificates_of_the_device(self):
        for name, usage in (("device-1-signing", "Digital Signature"), ("device-1-agreement", "Key Agreement")):
            self.assertEqual(self.verify("root-dca", name, "issuing-dca-d1"), (0, f"{self.archive.artefact(f'certificates/{name}.pem')}: OK\n"))
            text = openssl("x509", "-in", self.archive.artefact(f"certificates/{name}.pem"), "-noout", "-text")[1]
            for words in ("Subject: \n", "Dec 31 23:59:59 9999", f"X509v3 Key Usage: critical\n                {usage}\n",
                          "X509v3 Subject Alternative Name: critical", "X509v3 Certificate Policies: critical"):
                self.assertIn(words, text)
            self.assertNotIn("Basic Constraints", text)

    def test_its_name_is_its_eui_64_and_its_key_that_of_the_request(self):
        for name in ("signing", "agreement"):
            certificate = self.archive.artefact(f"certificates/device-1-{name}.der")
            names = subprocess.run(["openssl", "asn1parse", "-inform", "DER", "-in", certificate], capture_output=True, check=True, text=True).stdout
            at = names.splitlines()
            value = next(line for line, before in zip(at[2:], at) if "Subject Alternative Name" in before).strip().split("[HEX DUMP]:")[1]
            # GeneralNames { otherName { hardwareModuleName, [0] { hwType 1.2.826.0.1.1800000.1.1, hwSerialNum } } }
            self.assertTrue(value.lower().endswith("0408" + EUI), value)
            self.assertIn("06082b06010505070804", value.lower())
            request = self.archive.scripts / "documents" / f"smki-device-{name}.csr.pem"
            self.assertEqual(openssl("x509", "-in", certificate, "-inform", "DER", "-noout", "-pubkey")[1],
                             openssl("req", "-in", request, "-noout", "-pubkey")[1])

    def test_lint_finds_nothing_in_the_four_and_each_is_what_its_profile_says(self):
        paths = [self.archive.artefact(f"certificates/{name}.pem") for name in ("root-dca", "issuing-dca-d1", "device-1-signing", "device-1-agreement")]
        status, out, err = run("lint", "--set", *paths)
        self.assertEqual(status, 0, out + err)
        for path, name in zip(paths, ("smki-root-dca", "smki-issuing-dca", "smki-device-signing", "smki-device-agreement")):
            status, out, err = run("lint", "--profile", SCRIPTS / "profiles" / f"{name}.profile.json", path)
            self.assertEqual(status, 0, out + err)

    def test_the_archive_knows_whose_key_it_is(self):
        status, out, _ = run("verify", self.archive.path, "--roster", self.archive.path / "rehearsal" / "roster.json", "--json")
        self.assertEqual((status, [record["verdict"] for record in json.loads(out)["records"]]), (0, ["COMPLETE"]))
        ends = [effect for entry in self.archive.entries("0001-smki-device") for effect in entry.get("effects", [])]
        for kind in ("key-imported", "certificate-issued"):
            names = {effect["alternative_name"] for effect in ends if effect["effect"] == kind and effect["key"].startswith("device")}
            self.assertEqual(names, {f"hardware module 1.2.826.0.1.1800000.1.1 serial {EUI}"})

    def test_a_second_device_may_not_have_the_first_ones_key(self):
        plan = only(self.archive.plan("smki-device"), "more", lambda step: step["id"] == "certify-device-signing")
        step = next(step for step in steps_of(plan) if step["do"] == "cert.issue")
        step.update(certificate="device-2", alternative_names={"hardwareModuleName": "00db1234567890a2"})
        self.archive.write("more", plan)
        status, out, _ = run("check", self.archive.script("more"), "--archive", self.archive.path)
        self.assertEqual(status, 1)
        for part in ("EST-NAME-01", "PLAN-CERT-08", "00db1234567890a2"):
            self.assertIn(part, " ".join(out.split()))


class Names(Case):
    """What a script gives for names that a profile leaves open is held to the profile at the desk."""

    def device(self, change):
        plan = self.archive.plan("smki-device")
        steps = {step["id"]: step for step in steps_of(plan)}
        change(steps)
        self.archive.write("changed", plan)

    def test_names_that_the_profile_does_not_take(self):
        for names in ({"dNSName": "meter.example.org"}, {"hardwareModuleName": "00DB1234567890A1"}, {"hardwareModuleName": "00db"}):
            self.device(lambda steps, names=names: steps["certify-device-signing"].update(alternative_names=names))
            self.check("changed", "TBS-EXT-01")

    def test_a_key_that_is_made_here_needs_the_names_in_the_step(self):
        def made_here(steps, names=None):
            step = steps["certify-device-signing"]
            step.update(key="root-dca-2", certificate="device-2")
            step.pop("alternative_names")
            if names:
                step["alternative_names"] = names
            steps["take-in-device-signing"].clear()
            steps["take-in-device-signing"].update(id="make", do="key.generate", quorum="custodians", token="issuing-hsm",
                                                   key="root-dca-2", algorithm="ec-p256")
        self.device(made_here)
        self.check("changed", "TBS-EXT-01", "needs a hardwareModuleName")
        self.device(lambda steps: made_here(steps, {"hardwareModuleName": EUI}))
        plan = json.loads(self.archive.script("changed").read_text())
        self.assertEqual(self.archive.rehearse("changed")[0], 0, plan)
        self.assertEqual(self.verify("root-dca", "device-2", "issuing-dca-d1")[0], 0)

    def test_a_request_of_ours_asks_for_them(self):
        def ask(steps):
            step = steps["certify-device-signing"]
            step.clear()
            step.update(id="ask", do="csr.create", quorum="custodians", token="issuing-hsm", key="root-dca-2", profile="device-signing",
                        request="device-2", alternative_names={"hardwareModuleName": EUI})
            steps["take-in-device-signing"].clear()
            steps["take-in-device-signing"].update(id="make", do="key.generate", quorum="custodians", token="issuing-hsm",
                                                   key="root-dca-2", algorithm="ec-p256")
        self.device(ask)
        status, _, err = self.archive.rehearse("changed")
        self.assertEqual(status, 0, err)
        request = self.archive.artefact("requests/device-2.pem")
        text = openssl("req", "-in", request, "-noout", "-text", "-verify")[1]
        self.assertIn("verify OK", text)
        self.assertIn("X509v3 Subject Alternative Name: critical", text)
        der = subprocess.run(["openssl", "req", "-in", request, "-outform", "DER"], capture_output=True, check=True).stdout
        self.assertIn("0408" + EUI, der.hex())


class CrossSign(Case):
    """Two roots; the first certifies the second, so that chains of both end at the first."""

    def test_a_cross_certificate_is_accepted_by_whoever_trusts_the_other_root(self):
        cross = profile("smki-root-dca")
        cross.update(id="cross-dca", self_signed=False, certificate="issuing")
        cross["extensions"].append({"type": "authorityKeyIdentifier", "critical": False, "form": "keyIdentifier"})
        # A root under another root is neither a root nor an issuing CA of smart metering: under its policies it is refused.
        self.write_profile("cross-dca", cross)
        extension(cross, "certificatePolicies")["policies"] = [{"oid": "2.5.29.32.0"}]
        plan = self.archive.plan("smki-device")
        plan["profiles"]["cross-dca"] = "profiles/cross-dca.profile.json"
        steps = {step["id"]: step for step in steps_of(plan)}
        section = next(section for section in plan["sections"] if section["id"] == "device")
        section["say"] = "A second root takes over."
        second = dict(steps["generate-root-dca"], id="generate-root-2", key="root-2")
        own = dict(steps["certify-root-dca"], id="certify-root-2", key="root-2", certificate="root-2", subject={"CN": "ZC"})
        below = dict(steps["generate-issuing-dca-d1"], id="generate-d2", key="d2")
        issue = dict(steps["certify-issuing-dca-d1"], id="certify-d2", key="d2", issuer="root-2", certificate="d2", subject={"CN": "D2"})
        sign = {"id": "cross", "do": "cert.cross-sign", "quorum": "custodians", "token": "root-hsm", "issuer": "root-dca", "of": "root-2",
                "profile": "cross-dca", "certificate": "root-2-by-root"}
        section["steps"] = [second, own, below, issue, sign]
        for name in ("device-signing", "device-agreement"):
            del plan["profiles"][name]
        self.archive.write("cross", plan)
        self.check("cross", "SMKI-BASIC-01", "the room would refuse it")
        self.write_profile("cross-dca", cross)
        status, _, err = self.archive.rehearse("cross")
        self.assertEqual(status, 0, err)
        self.assertEqual(self.archive.verdicts(), (0, ["COMPLETE"]))
        # The same key, name and identifier, under two roots.
        fields = [[openssl("x509", "-in", self.archive.artefact(f"certificates/{name}.pem"), "-noout", *what)[1] for what in
                   (("-subject",), ("-pubkey",), ("-ext", "subjectKeyIdentifier"))] for name in ("root-2", "root-2-by-root")]
        self.assertEqual(fields[0], fields[1])
        self.assertIn("CN = ZB", openssl("x509", "-in", self.archive.artefact("certificates/root-2-by-root.pem"), "-noout", "-issuer")[1])
        self.assertEqual(self.verify("root-2", "d2")[0], 0)
        self.assertEqual(self.verify("root-dca", "d2", "root-2-by-root")[0], 0)
        self.assertNotEqual(self.verify("root-dca", "d2")[0], 0)
        paths = [self.archive.artefact(f"certificates/{name}.pem") for name in ("root-dca", "root-2", "root-2-by-root", "d2")]
        status, out, err = run("lint", "--set", *paths)
        self.assertEqual(status, 0, out + err)
        # A cross-certificate repeats the name byte by byte.
        cross["subject"][0]["encoding"] = "PrintableString"
        self.write_profile("cross-dca", cross)
        self.check("cross", "PLAN-CERT-07")


class Contradictions(Case):
    """A profile that contradicts itself or its issuer's is refused before anybody travels."""

    def changed(self, name, change):
        content = profile(name)
        change(content)
        self.write_profile(name, content)

    def test_a_profile_that_contradicts_itself(self):
        self.changed("smki-issuing-oca", lambda p: extension(p, "keyUsage").update(usage=["cRLSign"]))
        status, _, err = run("check", self.archive.script("smki-organisation"))
        self.assertEqual(status, 2)
        for part in ("PROFILE-03", "smki-issuing-oca.profile.json", "basicConstraints is CA where keyUsage has no keyCertSign"):
            self.assertIn(part, err)

    def test_a_profile_that_contradicts_its_issuers(self):
        for rule, name, change, instead in (
                ("PROFILE-10", "smki-root-oca", lambda p: extension(p, "basicConstraints").update(path_length=0), "PLAN-CERT-04"),
                ("PROFILE-11", "smki-issuing-oca", lambda p: p.update(validity={"lasts": "indefinite"}), "PLAN-CERT-05"),
                ("PROFILE-13", "smki-issuing-oca", lambda p: p.update(signature="ecdsa-with-SHA384"), "PLAN-PROFILE-03")):
            with self.subTest(rule):
                self.setUp()
                self.changed(name, change)
                self.check("smki-organisation", rule, "profile smki-issuing-oca under smki-root-oca", without=[instead])

    def test_a_profile_whose_issuer_is_no_ca(self):
        """PROFILE-12: the issuing CA is ordered from a device."""
        plan = self.archive.plan("smki-device")
        steps = {step["id"]: step for step in steps_of(plan)}
        steps["certify-device-agreement"].update(issuer="device-1-signing")
        self.archive.write("changed", plan)
        self.check("changed", "PROFILE-12", without=["PLAN-CERT-02"])

    def test_a_crl_profile_that_contradicts_its_issuers(self):
        crl = json.loads((SCRIPTS / "profiles" / "smki-oca-arl.crl-profile.json").read_text())
        crl["signature"], crl["keys"] = "ecdsa-with-SHA384", ["ec-p384"]
        (self.archive.scripts / "profiles" / "smki-oca-arl.crl-profile.json").write_text(json.dumps(crl))
        self.check("smki-organisation", "PROFILE-13")
        self.setUp()
        self.changed("smki-root-oca", lambda p: extension(p, "keyUsage").update(usage=["keyCertSign"]))
        self.check("smki-organisation", "PROFILE-12")

    def test_a_profile_that_signs_by_an_algorithm_that_the_policy_does_not_name(self):
        """PROFILE-SIGNATURE-01: every profile of the script, of certificates and of lists."""
        policy = json.loads((SCRIPTS / "smki.policy.json").read_text())
        policy["algorithms"]["signatures"] = ["ecdsa-with-SHA384"]
        (self.archive.scripts / "smki.policy.json").write_text(json.dumps(policy))
        for name in ("root-oca", "issuing-oca", "smki-oca-arl"):
            self.check("smki-organisation", "PROFILE-SIGNATURE-01", f"profile {name} signs by ecdsa-with-SHA256, the policy smki names ecdsa-with-SHA384")


class RsaSchemes(Case):
    """One RSA 2048 root for each way an RSA key signs; the token makes the signature, openssl verifies it."""

    def test_pkcs1_and_pss_with_every_digest(self):
        policy = json.loads((SCRIPTS / "webpki.policy.json").read_text())
        names = ["sha256WithRSAEncryption", "sha384WithRSAEncryption", "sha512WithRSAEncryption", "rsassaPss-SHA256", "rsassaPss-SHA384", "rsassaPss-SHA512"]
        policy["algorithms"] = {"ca_keys": ["rsa-2048"], "signatures": names}
        (self.archive.scripts / "webpki.policy.json").write_text(json.dumps(policy))
        plan = only(self.archive.plan("webpki-root"), "rsa", lambda step: step["do"] in ("token.commission",) and step["token"] == "root-hsm")
        original = steps_of(self.archive.plan("webpki-root"))
        generate = next(step for step in original if step["do"] == "key.generate" and step["algorithm"].startswith("rsa"))
        sign = next(step for step in original if step["do"] == "cert.self-sign")
        steps = [dict(generate, id="generate", key="root", algorithm="rsa-2048")]
        plan["profiles"] = {}
        for index, name in enumerate(names):
            content = profile("webpki-root-rsa")
            content.update(id=f"rsa-{index}", keys=["rsa-2048"], signature=name)
            self.write_profile(f"rsa-{index}", content)
            plan["profiles"][f"rsa-{index}"] = f"profiles/rsa-{index}.profile.json"
            steps.append(dict(sign, id=f"sign-{index}", key="root", profile=f"rsa-{index}", certificate=f"root-{index}"))
        plan["sections"][1]["steps"] += steps
        plan["tokens"] = {"root-hsm": self.archive.plan("webpki-root")["tokens"]["root-hsm"]}
        self.archive.write("rsa", plan)
        status, _, err = self.archive.rehearse("rsa")
        self.assertEqual(status, 0, err)
        for index, (algorithm, digest) in enumerate((("sha256WithRSAEncryption", ""), ("sha384WithRSAEncryption", ""), ("sha512WithRSAEncryption", ""),
                                                     ("rsassaPss", "sha256"), ("rsassaPss", "sha384"), ("rsassaPss", "sha512"))):
            path = self.archive.artefact(f"certificates/root-{index}.pem")
            self.assertEqual(self.verify(f"root-{index}", f"root-{index}"), (0, f"{path}: OK\n"))
            text = openssl("x509", "-in", path, "-noout", "-text")[1]
            self.assertIn(f"Signature Algorithm: {algorithm}", text)
            if digest:
                self.assertIn(f"Hash Algorithm: {digest}", text)
                self.assertIn(f"mgf1 with {digest}", text)
            status, out, err = run("lint", path)
            self.assertEqual(status, 0, out + err)


class OtherTools(Second):
    """Requests as openssl and certtool make them, with more in them than was asked for."""

    def take_in(self, request, *parts):
        (self.archive.scripts / "documents" / "z9.csr").write_bytes(request)
        self.section["steps"] = [self.imported("z9", "documents/z9.csr"), self.issue]
        self.issue.update(key="z9", certificate="z9", subject={"CN": "Z9"})
        self.refused(*parts)

    def by_openssl(self, config, *more):
        folder = self.archive.folder
        (folder / "c.cnf").write_text("[req]\nprompt=no\nstring_mask=nombstr\ndistinguished_name=dn\n" + config)
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder / "k.pem")
        status, text = openssl("req", "-new", "-config", folder / "c.cnf", "-key", folder / "k.pem", "-out", folder / "r.pem", *more)
        self.assertEqual(status, 0, text)
        return (folder / "r.pem").read_bytes()

    def test_attributes_that_nobody_asked_for(self):
        name = "[dn]\nOU=07\nCN=Z9\n"
        self.take_in(self.by_openssl("attributes=a\n" + name + "[a]\nchallengePassword=secret-word\n"), "CSR-ATTR-01")
        self.take_in(self.by_openssl("attributes=a\n" + name + "[a]\nunstructuredName=a name\n"), "CSR-ATTR-01")
        self.take_in(self.by_openssl(name + "[x]\nnsComment=hello\n", "-reqexts", "x"), "CSR-EXT-01")

    def test_extensions_of_sixty_thousand_octets_and_of_five_megabytes(self):
        name = "[dn]\nOU=07\nCN=Z9\n"
        big = self.by_openssl(name + "[x]\n1.2.3.4=ASN1:FORMAT:UTF8,UTF8:" + "a" * 40_000 + "\n", "-reqexts", "x")
        self.take_in(big, "CSR-EXT-01")
        # The form is openssl's, with a value that makes the request larger than any that is read.
        small = subprocess.run(["openssl", "req", "-outform", "DER"], input=self.by_openssl(name), capture_output=True, check=True).stdout
        self.take_in(b"\x30\x83\x3d\x09\x00" + small + bytes(4_000_000), "CSR-SIZE-01")
        (self.archive.scripts / "documents" / "z9.csr").write_bytes(small + bytes(5_000_000))
        status, _, err = run("check", self.archive.script("again"), "--archive", self.archive.path)
        self.assertEqual(status, 2)
        self.assertIn("z9.csr: expected at most 4194304 bytes, found more [INPUT-06]", err)

    def test_a_request_of_certtool_asks_for_what_certtool_likes(self):
        folder = self.archive.folder
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder / "k.pem")
        template = "dn = \"cn=Z9,ou=07\"\n"
        done = subprocess.run(["certtool", "--generate-request", "--load-privkey", folder / "k.pem", "--template", "/dev/stdin", "--outder"],
                              input=template.encode(), capture_output=True, check=True)
        # It adds basicConstraints with cA FALSE, where an issuing CA's profile says another value.
        self.take_in(done.stdout, "CSR-")


if __name__ == "__main__":
    need()
    unittest.main()
