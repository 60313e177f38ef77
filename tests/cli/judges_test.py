#!/usr/bin/env python3
"""Every shipped profile is issued once on SoftHSM, and every certificate and CRL is judged by four other programs:
openssl, GnuTLS (certtool), NSS (vfychain, certutil, crlutil) and Java."""
import json
import pathlib
import subprocess
import unittest

from archive import SCRIPTS, SOURCE, Archive, need, openssl, profile, run, scratch, steps_of
from mutations import mutations

TOOLS = ("certtool", "vfychain", "certutil", "crlutil", "java")
PROFILES = sorted(path.name.removesuffix(".profile.json") for path in (SCRIPTS / "profiles").glob("*.profile.json"))
CRL_PROFILES = sorted(path.name.removesuffix(".crl-profile.json") for path in (SCRIPTS / "profiles").glob("*.crl-profile.json"))
ROLES = {"recovery": "01", "supplier": "02", "network": "03", "access-control-broker": "04", "transitional-cos": "05", "wan": "06",
         "load-controller": "08", "other": "7F"}
OIDS = {"subjectKeyIdentifier": "2.5.29.14", "keyUsage": "2.5.29.15", "subjectAltName": "2.5.29.17", "basicConstraints": "2.5.29.19",
        "cRLDistributionPoints": "2.5.29.31", "certificatePolicies": "2.5.29.32", "authorityKeyIdentifier": "2.5.29.35",
        "extKeyUsage": "2.5.29.37", "authorityInfoAccess": "1.3.6.1.5.5.7.1.1"}
USAGES = ("digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign")
NO_LIMIT, NO_CA = 2**31 - 1, -1  # how Java says that a CA has no path length, and that it is no CA


def said(*command, data=None):
    done = subprocess.run([str(word) for word in command], input=data, capture_output=True, check=False)
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def java(*questions):
    """The answers of tests/support/Judge.java, which says how to ask."""
    asked = "".join("\t".join(str(word) for word in question) + "\n" for question in questions)
    done = subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", SOURCE / "tests" / "support" / "Judge.java"], input=asked,
                          capture_output=True, text=True, check=True)
    answers = done.stdout.splitlines()
    assert len(answers) == len(questions), done.stderr
    return answers


class Nss:
    """A data base of NSS's own, with certificates in it."""

    def __init__(self, folder):
        self.base = f"sql:{folder}"
        folder.mkdir()
        assert said("certutil", "-N", "-d", self.base, "--empty-password")[0] == 0

    def add(self, path, trust=",,"):
        status, text = said("certutil", "-A", "-d", self.base, "-n", path.stem, "-t", trust, "-a", "-i", path)
        assert status == 0, text

    def takes_list(self, path):
        return said("crlutil", "-I", "-d", self.base, "-i", path)

    def judges(self, leaf, issuing):
        """What NSS says of who signs mail, with the lists that it has taken."""
        return said("vfychain", "-d", self.base, "-pp", "-g", "leaf", "-m", "crl", "-u", 4, "-a", leaf, "-a", issuing)


class Hierarchy:
    """A shipped script, below it one certificate for each profile that `leaves` names, and `lists` of what is revoked: for each
    profile of CRLs the certificate of its issuer and what it revokes."""

    def __init__(self, case, script, root, issuing, leaves, change=None, lists=()):
        self.archive = Archive(case)
        plan = self.archive.plan(script)
        plan["id"] = "judged"
        if change:
            change(plan, self.archive.scripts)
        plan["sections"] = [section for section in plan["sections"] if section["id"] != "device"]
        issue = next(step for step in steps_of(plan) if step["do"] == "cert.issue")
        steps = []
        used = {step["profile"] for step in steps_of(plan) if step["do"].startswith("cert.")}
        plan["profiles"] = {name: path for name, path in plan["profiles"].items() if name in used}
        issuing_token = next(step for step in steps_of(plan) if step["do"] == "key.generate" and step["key"] == issue["key"])["token"]
        for name in leaves:
            content = profile(name)
            plan["profiles"][name] = f"profiles/{name}.profile.json"
            steps.append({"id": f"make-{name}", "do": "key.generate", "quorum": "custodians", "token": issuing_token, "key": name,
                          "algorithm": content["keys"][0]})
            step = {"id": f"issue-{name}", "do": "cert.issue", "quorum": "custodians", "token": issuing_token, "issuer": issue["certificate"],
                    "key": name, "profile": name, "certificate": name}
            subject = {attribute["type"]: "00db1234567890a1" if attribute["encoding"] == "BIT STRING" else "Example"
                       for attribute in content["subject"] if "value" not in attribute}
            if subject:
                step["subject"] = subject
            if any(extension["type"] == "subjectAltName" for extension in content["extensions"]):
                step["alternative_names"] = {"hardwareModuleName": "00db1234567890a1"}
            steps.append(step)
        for name, (issuer, revoked) in dict(lists).items():
            token = next(step["token"] for step in steps_of(plan) if step["do"] == "key.generate" and step["key"] == issuer)
            steps.append({"id": f"list-{name}", "do": "crl.issue", "quorum": "custodians", "token": token, "issuer": issuer,
                          "profile": f"profiles/{name}.crl-profile.json", "crl": name,
                          "revoke": [{"certificate": certificate, "reason": "superseded"} for certificate in revoked]})
        if steps:
            plan["sections"].insert(-1, {"id": "leaves", "title": "One certificate of each profile", "steps": steps})
        self.archive.write("judged", plan)
        status, _, err = self.archive.rehearse("judged")
        assert status == 0, err
        self.root, self.issuing, self.leaves = root, issuing, list(leaves)
        self.profiles = {step["certificate"]: plan["profiles"][step["profile"]] for step in steps_of(plan) if step["do"].startswith("cert.")}
        Judges.listed |= {step["profile"].rsplit("/", 1)[1].removesuffix(".crl-profile.json") for step in steps_of(plan) if step["do"] == "crl.issue"}

    def path(self, name, ending="pem"):
        return self.archive.artefact(f"certificates/{name}.{ending}")

    def crl(self, name, ending="pem"):
        return self.archive.artefact(f"crls/{name}.{ending}")


class Judges(unittest.TestCase):
    issued, listed = set(), set()

    def java_reads_what_the_profile_says(self, hierarchy):
        names = list(hierarchy.profiles)
        for name, text in zip(names, java(*[("facts", hierarchy.path(name)) for name in names])):
            content, facts = profile(hierarchy.profiles[name].rsplit("/", 1)[1].removesuffix(".profile.json")), json.loads(text)
            extensions = {each["type"]: each for each in content["extensions"] if not each.get("optional")}
            basic = extensions.get("basicConstraints", {})
            with self.subTest(name):
                self.assertEqual(facts["version"], 3)
                self.assertTrue(64 <= facts["serial_bits"] < 8 * content["serial_octets"], facts)
                self.assertEqual(facts["path_length"], basic.get("path_length", NO_LIMIT) if basic.get("ca") else NO_CA)
                self.assertEqual([USAGES[int(bit)] for bit in facts["usage"]], sorted(extensions["keyUsage"]["usage"], key=USAGES.index))
                for critical, field in ((True, "critical"), (False, "other")):
                    self.assertEqual(facts[field], sorted(OIDS[kind] for kind, each in extensions.items() if each["critical"] == critical))
                self.assertFalse(facts["unsupported"])
                self.assertEqual(facts["names"], len(extensions.get("subjectAltName", {"names": []})["names"]))

    def java_accepts(self, chains, root, other):
        answers = java(*[("chain", root, "-", *chain) for chain in chains], ("chain", other, "-", *chains[0]))
        self.assertEqual(answers[:-1], ["good"] * len(chains))
        self.assertIn("bad: ", answers[-1])

    def lists_are_accepted(self, hierarchy, *, issuer, names):
        """openssl, certtool and Java; NSS as far as it can."""
        path = hierarchy.path(issuer)
        for name in names:
            crl = hierarchy.crl(name)
            self.assertEqual(run("lint", crl)[0], 0)
            self.assertEqual(openssl("crl", "-in", crl, "-noout", "-CAfile", path), (0, "verify OK\n"))
            status, text = said("certtool", "--verify-crl", "--load-ca-certificate", path, "--infile", crl)
            self.assertEqual(status, 0, text)
            self.assertIn("Verified", text)
            other = hierarchy.issuing if issuer == hierarchy.root else hierarchy.root
            good, bad = java(("crl", crl, path), ("crl", crl, hierarchy.path(other)))
            self.assertTrue(good.startswith("good "), good)
            self.assertTrue(bad.startswith("bad: "), bad)

    def judge(self, hierarchy):
        names = {name.rsplit("/", 1)[1].removesuffix(".profile.json") for name in hierarchy.profiles.values()}
        Judges.issued |= names
        for certificate, name in hierarchy.profiles.items():
            status, out, err = run("lint", "--profile", hierarchy.archive.scripts / name, hierarchy.path(certificate))
            self.assertEqual(status, 0, out + err)
        root, issuing = hierarchy.path(hierarchy.root), hierarchy.path(hierarchy.issuing)
        folder = scratch(self)
        nss = Nss(folder / "nss")
        nss.add(root, "C,C,C")
        # What NSS calls the usages: any CA, one who signs mail, one who is sent encrypted mail.
        chains = [([issuing], 11)] + [([hierarchy.path(name), issuing], 5 if name.endswith("-agreement") else 4) for name in hierarchy.leaves]
        for chain, usage in chains:
            with self.subTest(chain[0].name):
                status, text = openssl("verify", "-x509_strict", "-check_ss_sig", "-policy_check", "-CAfile", root, "-untrusted", issuing, chain[0])
                self.assertEqual((status, text), (0, f"{chain[0]}: OK\n"))
                whole = folder / "chain.pem"
                whole.write_bytes(b"".join(path.read_bytes() for path in chain))
                status, text = said("certtool", "--verify", "--load-ca-certificate", root, "--infile", whole)
                self.assertEqual(status, 0, text)
                self.assertIn("Chain verification output: Verified. The certificate is trusted.", text)
                status, text = said("vfychain", "-d", nss.base, "-pp", "-u", usage, *[word for path in chain for word in ("-a", path)])
                self.assertEqual((status, text.strip()), (0, "Chain is good!"))
        # The judges are awake: another root's name on the same chain is refused by each.
        other = folder / "other.pem"
        key = folder / "key.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-subj", "/CN=Other", "-days", "2", "-out", other)
        self.assertNotEqual(openssl("verify", "-CAfile", other, issuing)[0], 0)
        self.assertNotEqual(said("certtool", "--verify", "--load-ca-certificate", other, "--infile", issuing)[0], 0)
        self.assertNotEqual(said("vfychain", "-d", Nss(folder / "empty").base, "-pp", "-u", 11, "-a", issuing)[0], 0)
        self.java_accepts([chain for chain, _ in chains], root, other)
        self.java_reads_what_the_profile_says(hierarchy)
        self.every_change_is_found(hierarchy, folder)
        return nss

    def every_change_is_found(self, hierarchy, folder):
        """Of each certificate, everything that mutations.py changes is a finding of the lint or of the comparison with the
        profile; what a certificate says of its issuer, when it stands beside the issuer's."""
        for certificate, path in hierarchy.profiles.items():
            alone = folder / f"changed-{certificate}"
            alone.mkdir()
            root = hierarchy.path(hierarchy.root, "der")
            changed = list(mutations(hierarchy.path(certificate, "der").read_bytes()))
            self.assertGreater(len(changed), 80)
            subject = json.loads((hierarchy.archive.scripts / path).read_text())["subject"]
            free = {f"subject {place} left out" for place, part in enumerate(subject) if part.get("optional")}
            missed = []
            for number, (name, der) in enumerate(changed):
                (alone / f"{number:03}.der").write_bytes(der)
            _, out, err = run("lint", "--alone", "--json", "--profile", hierarchy.archive.scripts / path, alone)
            found = {int(pathlib.Path(finding["file"]).stem) for finding in json.loads(out)["findings"]}
            for number, (name, _) in enumerate(changed):
                if number in found or name in free:
                    continue
                of_issuer = name.startswith(("issuer ", "authorityKeyIdentifier: ")) or name.endswith(" the issuer")
                if not of_issuer or certificate != hierarchy.issuing:
                    missed += [] if of_issuer else [name]
                    continue
                _, out, err = run("lint", "--json", root, alone / f"{number:03}.der")
                rules = {finding["id"] for finding in json.loads(out)["findings"]} - {"SET-SIG-01"}
                missed += [] if rules else [f"{name}, beside the issuer's: {err}"]
            with self.subTest(certificate):
                self.assertEqual(missed, [])

    def test_the_organisation_hierarchy_and_each_role_below_it(self):
        leaves = [name for name in PROFILES if name.startswith("smki-organisation-")]
        self.assertEqual(len(leaves), 2 * len(ROLES))
        hierarchy = Hierarchy(self, "smki-organisation", "root-oca", "issuing-oca-z1", leaves,
                              lists={"smki-oca-crl": ("issuing-oca-z1", ["smki-organisation-other-signing"])})
        nss = self.judge(hierarchy)
        for name in leaves:
            role = name.removeprefix("smki-organisation-").rsplit("-", 1)[0]
            self.assertIn(f"OU = {ROLES[role]}", openssl("x509", "-in", hierarchy.path(name), "-noout", "-subject")[1])
        self.lists_are_accepted(hierarchy, issuer="root-oca", names=["oca-arl-1"])
        self.lists_are_accepted(hierarchy, issuer="issuing-oca-z1", names=["smki-oca-crl"])
        self.one_is_revoked(hierarchy, nss)

    def one_is_revoked(self, hierarchy, nss):
        """Of two certificates below one CA, the list has one: every judge refuses this one alone."""
        root, issuing = hierarchy.path("root-oca"), hierarchy.path("issuing-oca-z1")
        arl, crl = hierarchy.crl("oca-arl-1"), hierarchy.crl("smki-oca-crl")
        revoked, good = (hierarchy.path(f"smki-organisation-{role}-signing") for role in ("other", "supplier"))
        answers = java(*[("chain", root, f"{arl},{crl}", leaf, issuing) for leaf in (good, revoked)],
                       ("chain", root, crl, good, issuing))
        self.assertEqual(answers[0], "good")
        self.assertIn("Certificate has been revoked, reason: SUPERSEDED", answers[1])
        self.assertIn("Could not determine revocation status", answers[2])  # without the ARL
        lists = ["-crl_check_all", "-extended_crl", "-CRLfile", arl, "-CRLfile", crl]
        self.assertEqual(openssl("verify", "-x509_strict", *lists, "-CAfile", root, "-untrusted", issuing, good), (0, f"{good}: OK\n"))
        self.assertIn("certificate revoked", openssl("verify", "-x509_strict", *lists, "-CAfile", root, "-untrusted", issuing, revoked)[1])
        nss.add(issuing)
        for path in (revoked, good):
            self.assertEqual(nss.judges(path, issuing), (0, "Chain is good!\n"))
        self.assertEqual(nss.takes_list(hierarchy.crl("smki-oca-crl", "der"))[0], 0)
        self.assertEqual(nss.judges(good, issuing), (0, "Chain is good!\n"))
        status, text = nss.judges(revoked, issuing)
        self.assertEqual(status, 1)
        self.assertIn("Peer's Certificate has been revoked", text)
        # NSS takes no list with issuingDistributionPoint, which must be critical: docs/hierarchy.md says so.
        status, text = nss.takes_list(hierarchy.crl("oca-arl-1", "der"))
        self.assertEqual(status, 1)
        self.assertIn("SEC_ERROR_CRL_UNKNOWN_CRITICAL_EXTENSION", text)

    def test_java_refuses_what_the_emergency_has_revoked(self):
        archive = Archive(self)
        for name in ("smki-organisation", "smki-revoke-and-replace"):
            self.assertEqual(archive.rehearse(name)[0], 0)
        root, arl = archive.artefact("certificates/root-oca.pem"), archive.artefact("crls/oca-arl-2.pem")
        answers = java(*[("chain", root, arl, archive.artefact(f"certificates/issuing-oca-z{number}.pem")) for number in (1, 2, 3, 4)])
        for answer in answers[:2]:
            self.assertIn("Certificate has been revoked, reason: CA_COMPROMISE", answer)
        self.assertEqual(answers[2:], ["good", "good"])

    def test_the_device_hierarchy_and_both_kinds_of_device(self):
        self.judge(Hierarchy(self, "smki-device", "root-dca", "issuing-dca-d1", ["smki-device-signing", "smki-device-agreement"]))

    def test_the_infrastructure_hierarchy_on_p384(self):
        hierarchy = Hierarchy(self, "smki-iki", "iki-root", "iki-issuing-1", [], lists={"iki-arl-ec": ("iki-root", ["iki-issuing-1"])})
        self.judge(hierarchy)
        self.lists_are_accepted(hierarchy, issuer="iki-root", names=["iki-arl-ec"])

    def test_the_infrastructure_hierarchy_with_rsa(self):
        def to_rsa(plan, scripts):
            plan["profiles"] = {name: path.replace("-ec.", "-rsa.") for name, path in plan["profiles"].items()}
            used = [profile(path.rsplit("/", 1)[1].removesuffix(".profile.json")) for path in plan["profiles"].values()]
            for step in steps_of(plan):
                if step["do"] == "key.generate":
                    step["algorithm"] = used[0]["keys"][0]
            policy = json.loads((SCRIPTS / "smki-iki.policy.json").read_text())
            policy["algorithms"] = {"ca_keys": used[0]["keys"], "signatures": [used[0]["signature"]]}
            (scripts / "smki-iki.policy.json").write_text(json.dumps(policy))

        hierarchy = Hierarchy(self, "smki-iki", "iki-root", "iki-issuing-1", [], to_rsa, lists={"iki-arl-rsa": ("iki-root", ["iki-issuing-1"])})
        self.judge(hierarchy)
        self.lists_are_accepted(hierarchy, issuer="iki-root", names=["iki-arl-rsa"])

    def test_the_hierarchy_of_the_public_web(self):
        hierarchy = Hierarchy(self, "webpki-root", "web-root", "web-issuing-e1", [], lists={"webpki-arl-rsa": ("web-root", ["web-issuing-e1"])})
        self.judge(hierarchy)
        self.lists_are_accepted(hierarchy, issuer="web-root", names=["webpki-arl-rsa"])

    def test_zz_no_profile_is_left_out(self):
        """Runs last: what the others have issued is everything that is shipped."""
        self.assertEqual(sorted(Judges.issued), PROFILES)
        self.assertEqual(sorted(Judges.listed), CRL_PROFILES)


if __name__ == "__main__":
    need(*TOOLS)
    unittest.main()
