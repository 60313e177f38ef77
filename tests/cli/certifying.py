"""Cases that certify: an archive of their own, with profiles that they change, and a second ceremony in it."""
import json
import unittest

from archive import Archive, only, openssl, run, steps_of


class Case(unittest.TestCase):
    def setUp(self):
        self.archive = Archive(self)

    def write_profile(self, name, content):
        (self.archive.scripts / "profiles" / f"{name}.profile.json").write_text(json.dumps(content))

    def check(self, name, *parts, without=()):
        status, out, err = run("check", self.archive.script(name), "--archive", self.archive.path)
        self.assertEqual(status, 1 if parts else 0, out + err)
        for part in parts:
            self.assertIn(part, " ".join(out.split()))
        for part in without:
            self.assertNotIn(part, out)

    def verify(self, root, certificate, *between):
        chain = [argument for path in between for argument in ("-untrusted", self.archive.artefact(f"certificates/{path}.pem"))]
        return openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", self.archive.artefact(f"certificates/{root}.pem"), *chain,
                       self.archive.artefact(f"certificates/{certificate}.pem"))


class Second(Case):
    """A second ceremony on the archive of the organisation hierarchy, which issues from its root."""

    def setUp(self):
        super().setUp()
        self.assertEqual(self.archive.rehearse("smki-organisation")[0], 0)
        self.plan = only(self.archive.plan("smki-organisation"), "again", lambda step: step["id"] == "certify-issuing-oca-z1")
        self.plan["tokens"] = self.archive.plan("smki-organisation")["tokens"]
        self.section = next(section for section in self.plan["sections"] if any(step["do"] == "cert.issue" for step in section["steps"]))
        self.issue = self.section["steps"][0]

    def refused(self, *parts):
        used = {step.get("token") for step in steps_of(self.plan)}
        self.plan["tokens"] = {name: token for name, token in self.plan["tokens"].items() if name in used}
        names = {step.get("profile") for step in steps_of(self.plan)}
        profiles = self.archive.plan("smki-organisation")["profiles"]
        self.plan["profiles"] = {name: path for name, path in profiles.items() if name in names}
        self.archive.write("again", self.plan)
        self.check("again", *parts)

    def imported(self, key, file):
        return {"id": f"take-in-{key}", "do": "csr.import", "quorum": "custodians", "file": file, "key": key, "profile": "issuing-oca"}
