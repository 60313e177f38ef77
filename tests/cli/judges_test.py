#!/usr/bin/env python3
"""Every shipped profile is issued once on SoftHSM, and every certificate and CRL is judged by three other programs:
openssl, GnuTLS (certtool) and NSS (vfychain)."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from archive import SCRIPTS, Archive, openssl, run, steps_of

PROFILES = sorted(path.name.removesuffix(".profile.json") for path in (SCRIPTS / "profiles").glob("*.profile.json"))
CRL_PROFILES = sorted(path.name.removesuffix(".crl-profile.json") for path in (SCRIPTS / "profiles").glob("*.crl-profile.json"))
ROLES = {"recovery": "01", "supplier": "02", "network": "03", "access-control-broker": "04", "transitional-cos": "05", "wan": "06",
         "load-controller": "08", "other": "7F"}


def profile(name):
    return json.loads((SCRIPTS / "profiles" / f"{name}.profile.json").read_text())


def said(*command, data=None):
    done = subprocess.run([str(word) for word in command], input=data, capture_output=True, check=False)
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


class Hierarchy:
    """A shipped script, and below it one certificate for each profile that `leaves` names."""

    def __init__(self, script, root, issuing, leaves, change=None):
        self.archive = Archive()
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
        if steps:
            plan["sections"].insert(-1, {"id": "leaves", "title": "One certificate of each profile", "steps": steps})
        self.archive.write("judged", plan)
        status, _, err = self.archive.rehearse("judged")
        assert status == 0, err
        self.root, self.issuing, self.leaves = root, issuing, list(leaves)
        self.profiles = {step["certificate"]: plan["profiles"][step["profile"]] for step in steps_of(plan) if step["do"].startswith("cert.")}

    def path(self, name, ending="pem"):
        return self.archive.artefact(f"certificates/{name}.{ending}")


class Judges(unittest.TestCase):
    issued = set()

    def judge(self, hierarchy, *lint):
        self.addCleanup(hierarchy.archive.remove)
        names = {name.rsplit("/", 1)[1].removesuffix(".profile.json") for name in hierarchy.profiles.values()}
        Judges.issued |= names
        for certificate, name in hierarchy.profiles.items():
            status, out, err = run("lint", *lint, "--profile", hierarchy.archive.scripts / name, hierarchy.path(certificate))
            self.assertEqual(status, 0, out + err)
        root, issuing = hierarchy.path(hierarchy.root), hierarchy.path(hierarchy.issuing)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="keyceremony-judges-"))
        self.addCleanup(shutil.rmtree, folder)
        self.assertEqual(said("certutil", "-N", "-d", f"sql:{folder}", "--empty-password")[0], 0)
        self.assertEqual(said("certutil", "-A", "-d", f"sql:{folder}", "-n", "root", "-t", "C,C,C", "-a", "-i", root)[0], 0)
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
                status, text = said("vfychain", "-d", f"sql:{folder}", "-pp", "-u", usage, *[word for path in chain for word in ("-a", path)])
                self.assertEqual((status, text.strip()), (0, "Chain is good!"))
        # The judges are awake: another root's name on the same chain is refused by each.
        other = folder / "other.pem"
        key = folder / "key.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-subj", "/CN=Other", "-days", "2", "-out", other)
        self.assertNotEqual(openssl("verify", "-CAfile", other, issuing)[0], 0)
        self.assertNotEqual(said("certtool", "--verify", "--load-ca-certificate", other, "--infile", issuing)[0], 0)
        empty = folder / "empty"
        empty.mkdir()
        said("certutil", "-N", "-d", f"sql:{empty}", "--empty-password")
        self.assertNotEqual(said("vfychain", "-d", f"sql:{empty}", "-pp", "-u", 11, "-a", issuing)[0], 0)
        return root

    def test_the_organisation_hierarchy_and_each_role_below_it(self):
        leaves = [name for name in PROFILES if name.startswith("smki-organisation-")]
        self.assertEqual(len(leaves), 2 * len(ROLES))
        hierarchy = Hierarchy("smki-organisation", "root-oca", "issuing-oca-z1", leaves)
        root = self.judge(hierarchy)
        for name in leaves:
            role = name.removeprefix("smki-organisation-").rsplit("-", 1)[0]
            self.assertIn(f"OU = {ROLES[role]}", openssl("x509", "-in", hierarchy.path(name), "-noout", "-subject")[1])
        self.assertEqual(CRL_PROFILES, ["smki-oca-arl"])
        arl = hierarchy.archive.artefact("crls/oca-arl-1.pem")
        self.assertEqual(openssl("crl", "-in", arl, "-noout", "-CAfile", root), (0, "verify OK\n"))
        status, text = said("certtool", "--verify-crl", "--load-ca-certificate", root, "--infile", arl)
        self.assertEqual(status, 0, text)
        self.assertIn("Verified", text)
        # NSS takes no CRL with a critical extension that it does not know, and it does not know issuingDistributionPoint.

    def test_the_device_hierarchy_and_both_kinds_of_device(self):
        self.judge(Hierarchy("smki-device", "root-dca", "issuing-dca-d1", ["smki-device-signing", "smki-device-agreement"]))

    def test_the_infrastructure_hierarchy_on_p384(self):
        self.judge(Hierarchy("smki-iki", "iki-root", "iki-issuing-1", []), "--domain", "none")

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

        self.judge(Hierarchy("smki-iki", "iki-root", "iki-issuing-1", [], to_rsa), "--domain", "none")

    def test_the_hierarchy_of_the_public_web(self):
        self.judge(Hierarchy("webpki-root", "web-root", "web-issuing-e1", []))

    def test_zz_no_profile_is_left_out(self):
        """Runs last: what the others have issued is everything that is shipped."""
        self.assertEqual(sorted(Judges.issued), PROFILES)


if __name__ == "__main__":
    if not pathlib.Path("/usr/lib/softhsm/libsofthsm2.so").exists() or not all(shutil.which(tool) for tool in ("certtool", "vfychain", "certutil")):
        print("no SoftHSM, or no certtool, vfychain and certutil")
        sys.exit(77)
    unittest.main()
