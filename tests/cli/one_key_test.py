#!/usr/bin/env python3
"""R1, by whoever wants to break it: every way that we can think of to have one key under two CAs, tried on the program.

What is tried elsewhere: two names in one script (hierarchy_test.py), other forms of one public key (requests_test.py), an
HSM that makes a known key, a weak one or the wrong signature (tests/softhsm/hierarchy/bad_hsm_test.cc), strange objects
with a known key (copies_test.py), names of the archive used again (keys_test.py), every cut (tests/fault/sweep_test.cc),
waivers (approval_test.py), a transport key that is to sign (transfer_test.py)."""
import json
import shutil
import subprocess
import unittest

from archive import Archive, need, openssl, profile, run
from certifying import Second


class OneKeyTwoCas(Second):
    """R1: ways to have one key under two CAs that go round the names of keys."""

    def request(self, name, subject):
        key, path = self.archive.folder / "key.pem", self.archive.scripts / "documents" / name
        if not key.exists():
            openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        config = self.archive.folder / "openssl.cnf"
        config.write_text("[req]\nstring_mask = nombstr\ndistinguished_name = dn\n[dn]\n")
        status, text = openssl("req", "-new", "-config", config, "-key", key, "-subj", subject, "-out", path)
        self.assertEqual(status, 0, text)
        return f"documents/{name}"

    def test_a_root_certificate_over_an_issuing_key(self):
        self.issue.clear()
        self.issue.update(id="root", do="cert.self-sign", quorum="custodians", token="issuing-hsm", key="issuing-oca-z1", profile="root-oca",
                          certificate="root-2")
        self.refused("EST-NAME-01", "key issuing-oca-z1, which belongs to OU=07 (PrintableString), CN=Z1")

    def test_one_public_key_taken_in_twice(self):
        self.section["steps"] = [self.imported("z8", self.request("z8.csr", "/OU=07/CN=Z8")),
                                 self.imported("z9", self.request("z9.csr", "/OU=07/CN=Z9")), self.issue]
        self.issue.update(key="z9", certificate="z9", subject={"CN": "Z9"})
        self.refused("EST-KEY-02", "z8")

    def test_a_request_of_our_own_key_taken_in_as_somebody_elses(self):
        ask = {"id": "ask", "do": "csr.create", "quorum": "custodians", "token": "issuing-hsm", "key": "issuing-oca-z1", "profile": "issuing-oca",
               "request": "z1-elsewhere", "subject": {"CN": "Z1"}}
        first = json.loads(json.dumps(self.plan))
        section = next(section for section in first["sections"] if any(step["do"] == "cert.issue" for step in section["steps"]))
        section["steps"] = [ask]
        first["id"] = "ask"
        first["tokens"] = {"issuing-hsm": first["tokens"]["issuing-hsm"]}
        self.archive.write("ask", first)
        status, _, err = self.archive.rehearse("ask")
        self.assertEqual(status, 0, err)
        shutil.copyfile(self.archive.artefact("requests/z1-elsewhere.pem"), self.archive.scripts / "documents" / "z1.csr")
        self.section["steps"] = [self.imported("z1-again", "documents/z1.csr"), self.issue]
        self.issue.update(key="z1-again", certificate="z1-again", subject={"CN": "Z1"})
        self.refused("EST-KEY-02", "issuing-oca-z1")

    def test_another_spelling_is_not_another_name(self):
        """Z1 and z1 are one name for RFC 5280 section 7.1: no second CA, and nothing that the estate would not see."""
        content = profile("smki-issuing-oca")
        next(attribute for attribute in content["subject"] if attribute["type"] == "CN")["encoding"] = "UTF8String"
        self.write_profile("smki-issuing-oca", content)
        self.issue.update(certificate="z2-under-z1", key="issuing-oca-z1", subject={"CN": "Z2"})
        self.refused("EST-NAME-01", "CN=Z2 (UTF8String)", "CN=Z1 (PrintableString)")

    def spelled(self, encoding, name):
        content = profile("smki-issuing-oca")
        next(attribute for attribute in content["subject"] if attribute["type"] == "CN")["encoding"] = encoding
        self.write_profile("smki-issuing-oca", content)
        self.issue.update(certificate="z1-again", key="issuing-oca-z1", subject={"CN": name})

    def test_the_same_name_in_another_spelling(self):
        """One name for RFC 5280 section 7.1, two for whoever compares bytes: a CA has one spelling."""
        for encoding, name in (("UTF8String", "Z1"), ("PrintableString", "z1"), ("UTF8String", "z1")):
            self.spelled(encoding, name)
            self.refused("EST-NAME-02", f"certificate z1-again spells the CA of key issuing-oca-z1 as OU=07 (PrintableString), CN={name} ({encoding})")

    def test_the_same_name_with_blanks_around_it(self):
        for name in ("Z1 ", " Z1"):
            self.spelled("PrintableString", name)
            self.archive.write("again", self.plan)
            status, _, err = run("check", self.archive.script("again"), "--archive", self.archive.path)
            self.assertEqual(status, 2)
            self.assertIn(f'found the text "{name}" [INPUT-05]', err)

    def test_the_names_parts_in_another_order(self):
        content = profile("smki-issuing-oca")
        content["subject"].reverse()
        self.write_profile("smki-issuing-oca", content)
        self.issue.update(certificate="z1-again", key="issuing-oca-z1", subject={"CN": "Z1"})
        self.refused("EST-NAME-01", "names CN=Z1 (PrintableString), OU=07 (PrintableString) as the owner of key issuing-oca-z1")

    def test_a_root_signed_by_itself_under_a_second_name(self):
        content = profile("smki-root-oca")
        next(attribute for attribute in content["subject"] if attribute["type"] == "CN")["value"] = "ZX"
        self.write_profile("smki-root-oca", content)
        self.issue.clear()
        self.issue.update(id="root", do="cert.self-sign", quorum="custodians", token="root-hsm", key="root-oca", profile="root-oca", certificate="root-2")
        self.refused("EST-NAME-01", "CN=ZX", "key root-oca, which belongs to OU=00 (PrintableString), CN=ZA")

    def test_the_name_of_a_key_for_a_second_key(self):
        self.section["steps"].insert(0, {"id": "make", "do": "key.generate", "quorum": "custodians", "token": "issuing-hsm",
                                         "key": "issuing-oca-z1", "algorithm": "ec-p256"})
        self.refused("EST-KEY-01", "a key named issuing-oca-z1 exists")

    def test_one_request_in_pem_and_in_der(self):
        first = self.request("z8.csr", "/OU=07/CN=Z8")
        der = subprocess.run(["openssl", "req", "-outform", "DER"], input=(self.archive.scripts / first).read_bytes(), capture_output=True, check=True)
        (self.archive.scripts / "documents" / "z9.csr").write_bytes(der.stdout)
        self.section["steps"] = [self.imported("z8", first), self.imported("z9", "documents/z9.csr"), self.issue]
        self.issue.update(key="z9", certificate="z9", subject={"CN": "Z8"})
        self.refused("EST-KEY-02", "already belongs to key z8")

    def test_a_request_with_the_negative_of_a_key(self):
        """Whoever has d has n - d, too: two public keys, one secret."""
        order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
        first = self.request("z8.csr", "/OU=07/CN=Z8")
        key = self.archive.folder / "key.pem"
        der = subprocess.run(["openssl", "ec", "-in", key, "-outform", "DER"], capture_output=True, check=True).stdout
        self.assertEqual(der[:7].hex(), "30770201010420")
        negative = (order - int.from_bytes(der[7:39], "big")).to_bytes(32, "big")
        # ECPrivateKey (RFC 5915) with the name of the curve, and without the public key.
        body = bytes.fromhex("0201010420") + negative + bytes.fromhex("a00a06082a8648ce3d030107")
        mirror = subprocess.run(["openssl", "ec", "-inform", "DER"], input=bytes([0x30, len(body)]) + body, capture_output=True, check=True).stdout
        key.write_bytes(mirror)
        self.section["steps"] = [self.imported("z8", first), self.imported("z9", self.request("z9.csr", "/OU=07/CN=Z9")), self.issue]
        self.issue.update(key="z9", certificate="z9", subject={"CN": "Z9"})
        self.refused("EST-KEY-02", "of key z9 is the negative of that of key z8")
        # Over years, and as the program runs it.
        self.section["steps"] = [self.issue]
        self.assertEqual(self.takes_in_and_issues("z9")[0], 0)
        key.write_bytes(subprocess.run(["openssl", "ec", "-inform", "DER"], input=der, capture_output=True, check=True).stdout)
        status, _, err = self.takes_in_and_issues("z7")
        self.assertEqual(status, 1)
        self.assertIn("is the negative of that of key z9", err)

    def test_a_request_for_a_ca_elsewhere_under_another_name(self):
        """Our own request must not say that a key is another CA's: elsewhere somebody would certify it."""
        self.section["steps"] = [{"id": "ask", "do": "csr.create", "quorum": "custodians", "token": "issuing-hsm", "key": "issuing-oca-z1",
                                  "profile": "issuing-oca", "request": "z9", "subject": {"CN": "Z9"}}]
        self.refused("EST-NAME-01", "CN=Z9", "key issuing-oca-z1, which belongs to OU=07 (PrintableString), CN=Z1")

    def test_the_key_of_a_ca_that_is_out_of_use(self):
        """A key stays its CA's when it is taken out of use as compromised, and somebody sends a request for it."""
        request = {"id": "ask", "do": "csr.create", "quorum": "custodians", "token": "issuing-hsm", "key": "issuing-oca-z1", "profile": "issuing-oca",
                   "request": "z1-elsewhere", "subject": {"CN": "Z1"}}
        first = json.loads(json.dumps(self.plan))
        section = next(section for section in first["sections"] if any(step["do"] == "cert.issue" for step in section["steps"]))
        section["steps"] = [request]
        first["id"] = "ask"
        first["tokens"] = {"issuing-hsm": first["tokens"]["issuing-hsm"]}
        self.archive.write("ask", first)
        for name in ("ask", "smki-revoke-and-replace"):
            status, _, err = self.archive.rehearse(name)
            self.assertEqual(status, 0, err)
        shutil.copyfile(self.archive.artefact("requests/z1-elsewhere.pem"), self.archive.scripts / "documents" / "z1.csr")
        self.section["steps"] = [self.imported("z1-again", "documents/z1.csr"), self.issue]
        self.issue.update(key="z1-again", certificate="z1-again", subject={"CN": "Z1"})
        self.refused("EST-KEY-02", "already belongs to key issuing-oca-z1")
        self.section["steps"] = [self.issue]
        self.issue.update(key="issuing-oca-z1", certificate="z5", subject={"CN": "Z5"})
        self.refused("EST-KEY-08", "certificate z5 is to be of key issuing-oca-z1, which is compromised")
        self.issue.update(certificate="z1-again", subject={"CN": "Z1"})
        self.refused("EST-KEY-08", "certificate z1-again is to be of key issuing-oca-z1, which is compromised")

    def test_records_that_are_gone_or_out_of_their_place(self):
        """The newest is missed by whoever has kept its checkpoint; any other by the one that follows it."""
        kept = self.archive.folder / "kept"
        for name in ("z8", "z6"):
            (self.archive.folder / "key.pem").unlink(missing_ok=True)
            self.assertEqual(self.takes_in_and_issues(name)[0], 0)
        shutil.copyfile(self.archive.path / "0003-take-z6" / "checkpoint", kept)
        self.write_taking("z9")
        script = self.archive.script("take-z9")
        with_kept = ("--archive", self.archive.path, "--checkpoint", kept)
        self.assertIn("[EST-KEY-02]", run("check", script, *with_kept)[1])
        last, aside = self.archive.path / "0003-take-z6", self.archive.folder / "aside"
        last.rename(aside)
        for command in (("check", script), ("rehearse", script, "--unattended", "--quiet")):
            status, _, err = run(*command, *with_kept)
            self.assertEqual(status, 1)
            self.assertIn("the checkpoint that was kept is of smki.example/take-z6/", err)
            self.assertIn("[ARCHIVE-HEAD-01]", err)
        # Renamed, so that it is the first, or beside its own place.
        for wrong in ("0001-take-z6", "0002-a"):
            aside.rename(self.archive.path / wrong)
            self.assertIn("[EST-FOLD-02]", run("check", script, "--archive", self.archive.path)[2])
            (self.archive.path / wrong).rename(aside)
        # In place of the one that it follows.
        (self.archive.path / "0002-take-z8").rename(self.archive.folder / "other")
        aside.rename(self.archive.path / "0002-take-z6")
        self.assertIn("[EST-FOLD-02]", run("check", script, "--archive", self.archive.path)[2])
        kept.write_text("not a checkpoint\n")
        (self.archive.path / "0002-take-z6").rename(last)
        (self.archive.folder / "other").rename(self.archive.path / "0002-take-z8")
        self.assertNotEqual(run("check", script, *with_kept)[0], 0)
        self.assertIn("[EST-KEY-02]", run("check", script, "--archive", self.archive.path)[1])

    def write_taking(self, name):
        """A script that takes in the one outside key as this name, and certifies it."""
        plan = json.loads(json.dumps(self.plan))
        section = next(section for section in plan["sections"] if any(step["do"] == "cert.issue" for step in section["steps"]))
        issue = section["steps"][0]
        issue.update(key=name, certificate=name, subject={"CN": name.upper()})
        section["steps"] = [self.imported(name, self.request(f"{name}.csr", f"/OU=07/CN={name.upper()}")), issue]
        plan["id"] = f"take-{name}"
        plan["tokens"] = {"root-hsm": plan["tokens"]["root-hsm"]}
        plan["profiles"] = {"issuing-oca": "profiles/smki-issuing-oca.profile.json"}
        self.archive.write(plan["id"], plan)

    def takes_in_and_issues(self, name):
        self.write_taking(name)
        return self.archive.rehearse(f"take-{name}")

    def test_a_key_whose_record_was_taken_out_of_the_archive(self):
        self.assertEqual(self.takes_in_and_issues("z8")[0], 0)
        self.assertEqual(self.archive.rehearse("smki-issuing-rollover")[0], 0)
        status, _, err = self.takes_in_and_issues("z9")
        self.assertEqual(status, 1)
        self.assertIn("[EST-KEY-02]", err)
        shutil.rmtree(self.archive.path / "0002-take-z8")
        status, _, err = self.takes_in_and_issues("z9")
        self.assertEqual(status, 1)
        self.assertIn("record 0003-smki-issuing-rollover follows", err)
        self.assertIn("[EST-FOLD-02]", err)
        status, _, err = run("check", self.archive.script("take-z9"), "--archive", self.archive.path)
        self.assertIn("[EST-FOLD-02]", err)
        # Under the number of the one that is missing it still follows a record that is not there.
        (self.archive.path / "0003-smki-issuing-rollover").rename(self.archive.path / "0002-smki-issuing-rollover")
        self.assertIn("[EST-FOLD-02]", self.takes_in_and_issues("z9")[2])

    def test_a_record_that_was_changed_after_it_was_signed(self):
        self.assertEqual(self.takes_in_and_issues("z8")[0], 0)
        self.write_taking("z9")
        script = self.archive.script("take-z9")
        log = self.archive.path / "0002-take-z8" / "log.jsonl"
        whole = log.read_text()
        spki = next(entry["spki_sha256"] for line in whole.splitlines() for entry in json.loads(line).get("effects", []) if "spki_sha256" in entry)
        log.write_text(whole.replace(spki, "ab" * 32))
        for command in (("check", script), ("rehearse", script, "--unattended", "--quiet")):
            status, _, err = run(*command, "--archive", self.archive.path)
            self.assertEqual(status, 1)
            self.assertIn("record 0002-take-z8 is not what was signed", err)
            self.assertIn("[EST-FOLD-03]", err)
        log.write_text(whole)
        self.assertIn("[EST-KEY-02]", run("check", script, "--archive", self.archive.path)[1])

    def test_a_roster_that_was_changed_after_its_record_was_closed(self):
        """A roster says whom the next ceremony trusts; another file is held to its digest by whoever reads it."""
        self.assertEqual(self.takes_in_and_issues("z8")[0], 0)
        self.write_taking("z9")
        script = self.archive.script("take-z9")
        record = self.archive.path / "0002-take-z8"
        for path, fold in (("inputs/roster.json", True), ("artefacts/certificates/z8.der", False)):
            whole = (record / path).read_bytes()
            (record / path).write_bytes(whole + b" ")
            status, out, err = run("check", script, "--archive", self.archive.path)
            self.assertEqual(status, 1)
            self.assertEqual("[EST-FOLD-03]" in err and f"[ART-DIGEST] {path} has SHA-256" in err, fold, err)
            self.assertEqual("[EST-KEY-02]" in out, not fold)
            (record / path).write_bytes(whole)

    def test_a_changed_record_is_not_passed_over_as_one_that_is_still_open(self):
        """Only the newest record may be open: of an earlier one somebody has taken the addendum away."""
        for name in ("z8", "z6"):
            (self.archive.folder / "key.pem").unlink(missing_ok=True)
            self.assertEqual(self.takes_in_and_issues(name)[0], 0)
        self.write_taking("z9")
        script = self.archive.script("take-z9")
        record = self.archive.path / "0002-take-z8"
        log = record / "log.jsonl"
        whole, addendum = log.read_text(), (record / "addendum.note").read_bytes()
        spki = next(entry["spki_sha256"] for line in whole.splitlines() for entry in json.loads(line).get("effects", []) if "spki_sha256" in entry)
        log.write_text(whole.replace(spki, "ab" * 32))
        (record / "addendum.note").unlink()
        for command in (("check", script), ("rehearse", script, "--unattended", "--quiet")):
            status, _, err = run(*command, "--archive", self.archive.path)
            self.assertEqual(status, 1)
            self.assertIn("record 0002-take-z8 is not what was signed: it is not complete, and others follow it", err)
            self.assertIn("[EST-FOLD-03]", err)
        log.write_text(whole)
        (record / "addendum.note").write_bytes(addendum)
        self.assertIn("[EST-KEY-02]", run("check", script, "--archive", self.archive.path)[1])

    def test_a_ceremony_is_gone_on_with_while_a_record_is_missing(self):
        self.assertEqual(self.takes_in_and_issues("z8")[0], 0)
        faults = self.archive.folder / "faults.json"
        faults.write_text(json.dumps({"format": "keyceremony-faults/1", "title": "t", "faults": [
            {"what": "pulled", "step": self.issue["id"], "token": "root-hsm", "after": 1}]}))
        (self.archive.folder / "key.pem").unlink()
        self.write_taking("z6")
        status, _, err = run("rehearse", self.archive.script("take-z6"), "--unattended", "--quiet", "--archive", self.archive.path,
                             "--faults", faults)
        self.assertEqual(status, 3, err)
        record = self.archive.path / "0002-take-z8"
        record.rename(self.archive.folder / "aside")
        resume = ("resume", self.archive.path / "0003-take-z6", "--unattended", "--quiet")
        status, _, err = run(*resume)
        self.assertEqual(status, 1)
        self.assertIn("record 0003-take-z6 follows smki.example/take-z8/", err)
        self.assertIn("[EST-FOLD-02]", err)
        (self.archive.folder / "aside").rename(record)
        status, _, err = run(*resume)
        self.assertEqual(status, 0, err)
        self.assertEqual(self.archive.verdicts(), (0, ["COMPLETE"] * 3))

    def test_one_key_in_two_archives_is_found_by_the_lint_of_both(self):
        """No archive can know of another one's keys: what they publish, held against each other, shows it."""
        other = Archive(self)
        self.assertEqual(self.takes_in_and_issues("z8")[0], 0)
        plan = json.loads(self.archive.script("take-z8").read_text().replace("z8", "z9").replace("Z8", "Z9"))
        (other.scripts / "documents" / "z9.csr").write_bytes((self.archive.scripts / self.request("z9.csr", "/OU=07/CN=Z9")).read_bytes())
        self.assertEqual(other.rehearse("smki-organisation")[0], 0)
        other.write("take-z9", plan)
        status, _, err = other.rehearse("take-z9")
        self.assertEqual(status, 0, err)
        status, out, _ = run("lint", "--set", self.archive.artefact("certificates/z8.der"), other.artefact("certificates/z9.der"))
        self.assertEqual(status, 1)
        self.assertEqual(out.count("SET-KEY-01 breach"), 2, out)


if __name__ == "__main__":
    need()
    unittest.main()
