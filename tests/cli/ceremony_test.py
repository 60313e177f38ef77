#!/usr/bin/env python3
"""The program as its user runs it: a rehearsal, what it leaves, and bad days.

Every case states the exit status, the words that must be said and what is left behind.
"""
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["KEYCEREMONY_SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "tests" / "support"))
import shares  # noqa: E402

SCRIPT = SOURCE / "scripts" / "smki-root-oca.ceremony.json"
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"


def run(*arguments, **options):
    """Runs `keyceremony` without a terminal; returns exit status, stdout, stderr."""
    environment = dict(os.environ, LC_ALL="C.UTF-8", **options.pop("environment", {}))
    done = subprocess.run(["keyceremony", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, env=environment, check=False, **options)
    return done.returncode, done.stdout, done.stderr


class Ceremony(unittest.TestCase):
    """Each case works in a folder of its own."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="keyceremony-cli-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.archive = self.folder / "archive"
        self.record = self.archive / "0001-smki-root-oca"
        self.roster = self.archive / "rehearsal" / "roster.json"

    def rehearse(self, script=SCRIPT, expect=0):
        status, out, err = run("rehearse", script, "--unattended", "--archive", self.archive)
        self.assertEqual(status, expect, err)
        return out, err

    def own_scripts(self):
        """A copy of the shipped scripts that a case may change."""
        copy = self.folder / "scripts"
        shutil.copytree(SOURCE / "scripts", copy, ignore=shutil.ignore_patterns("dev"))
        return copy / SCRIPT.name

    def changed_script(self, old, new):
        script = self.own_scripts()
        text = script.read_text()
        self.assertIn(old, text)
        script.write_text(text.replace(old, new, 1))
        return script

    def assert_says(self, text, *parts):
        for part in parts:
            self.assertIn(part, text)


class Rehearsal(Ceremony):
    def test_the_record_verifies_and_openssl_accepts_the_certificate(self):
        self.rehearse()
        status, out, err = run("verify", self.record, "--roster", self.roster, "--json")
        self.assertEqual(status, 0, err)
        verdict = json.loads(out)
        self.assertEqual(verdict["verdict"], "COMPLETE")
        self.assertEqual(verdict["ceremony"], "smki-root-oca")
        self.assertEqual(verdict["mode"], "rehearsal")
        self.assertEqual(verdict["findings"], [])
        self.assertEqual(verdict["entries"], len((self.record / "log.jsonl").read_bytes().splitlines()))
        certificate = self.record / "artefacts" / "certificates" / "root-oca.pem"
        judged = subprocess.run(["openssl", "verify", "-x509_strict", "-check_ss_sig", "-CAfile", certificate, certificate],
                                capture_output=True, text=True, check=False)
        self.assertEqual(judged.returncode, 0, judged.stderr)
        text = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-text"], capture_output=True, text=True, check=True).stdout
        self.assert_says(text, "OU = 00, CN = ZA", "CA:TRUE", "Certificate Sign, CRL Sign", "ecdsa-with-SHA256")

    def test_the_record_names_the_program_and_each_module_by_their_digests(self):
        self.rehearse()
        opened = json.loads((self.record / "log.jsonl").open().readline())
        digest = hashlib.sha256(pathlib.Path(shutil.which("keyceremony")).read_bytes()).hexdigest()
        self.assertEqual((opened["program"]["name"], opened["program"]["sha256"]), ("keyceremony", digest))
        module, = opened["modules"]
        self.assertEqual(module["path"], SOFTHSM)
        self.assertEqual(module["sha256"], hashlib.sha256(pathlib.Path(SOFTHSM).read_bytes()).hexdigest())

    def test_the_estate_names_the_key_with_its_copy(self):
        self.rehearse()
        status, out, _ = run("status", self.archive, "--json")
        self.assertEqual(status, 0)
        estate = json.loads(out)
        self.assertEqual([token["name"] for token in estate["tokens"]], ["root-hsm"])
        self.assertEqual([(key["name"], key["algorithm"], key["state"]) for key in estate["keys"]], [("root-oca", "ec-p256", "active")])
        self.assertEqual([copy["serial"] for copy in estate["keys"][0]["copies"]], [estate["tokens"][0]["serial"]])
        self.assertEqual([certificate["name"] for certificate in estate["certificates"]], ["root-oca"])
        self.assertEqual([person["id"] for person in estate["custodians"]], ["alice", "bob", "carol", "dave", "erin"])
        self.assertEqual(estate["due"], [])
        spki = (self.record / "artefacts" / "keys" / "root-oca.spki.der").read_bytes()
        digest = subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=spki, capture_output=True, check=True).stdout.split()[0].decode()
        self.assertEqual(estate["keys"][0]["spki_sha256"], digest)

    def test_no_secret_stands_anywhere_but_with_its_simulated_owner(self):
        out, err = self.rehearse()
        people = self.archive / "rehearsal" / "people"
        secrets = [path.read_bytes() for path in people.rglob("*.pin")]
        self.assertEqual(len(secrets), 2)
        for path in people.rglob("*.pem"):
            secrets.append(b"".join(path.read_bytes().split(b"-----")[2].split())[:40])
        self.assertEqual(len(secrets), 12)
        everything = {"stdout": out.encode(), "stderr": err.encode()}
        for path in self.archive.rglob("*"):
            if path.is_file() and people not in path.parents:
                everything[str(path)] = path.read_bytes()
        for name, content in everything.items():
            for secret in secrets:
                self.assertNotIn(secret, content, name)
        for path in people.rglob("*"):
            if path.is_file():
                self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_the_same_script_again_is_refused_before_anything_is_touched(self):
        self.rehearse()
        before = sorted(str(path) for path in self.archive.rglob("*"))
        status, _, err = run("rehearse", SCRIPT, "--unattended", "--archive", self.archive)
        self.assertEqual(status, 1)
        self.assert_says(err, "EST-TOKEN-01", "EST-KEY-01", "EST-CERT-01", "keyceremony: hint: ")
        self.assertEqual(sorted(str(path) for path in self.archive.rglob("*")), before)

    def test_a_complete_record_has_nothing_to_resume(self):
        self.rehearse()
        status, out, _ = run("resume", self.record, "--unattended")
        self.assertEqual(status, 0)
        self.assert_says(out, "nothing to go on with", "COMPLETE")

    def test_a_second_ceremony_goes_on_with_the_same_estate(self):
        self.rehearse()
        script = self.own_scripts()
        plan = json.loads(script.read_text())
        plan["id"] = "second-key"
        for section in plan["sections"]:
            section["steps"] = [step for step in section["steps"] if step["do"] not in ("token.commission", "cert.self-sign")]
            for step in section["steps"]:
                if step["do"] == "key.generate":
                    step["key"] = "second"
        del plan["profiles"]
        script.write_text(json.dumps(plan))
        self.rehearse(script)
        status, out, _ = run("verify", self.archive, "--roster", self.roster, "--json")
        self.assertEqual(status, 0)
        self.assertEqual([record["verdict"] for record in json.loads(out)["records"]], ["COMPLETE", "COMPLETE"])
        opened = json.loads((self.archive / "0002-second-key" / "log.jsonl").read_text().splitlines()[0])
        first = (self.record / "checkpoint").read_text().splitlines()
        self.assertEqual(opened["previous"]["origin"], first[0])
        self.assertEqual(str(opened["previous"]["size"]), first[1])
        estate = json.loads(run("status", self.archive, "--json")[1])
        self.assertEqual([key["name"] for key in estate["keys"]], ["root-oca", "second"])


class BadInput(Ceremony):
    def refused(self, script, *parts, status=2):
        got, _, err = run("check", script)
        self.assertEqual(got, status, err)
        self.assert_says(err, *parts)
        got, _, again = run("rehearse", script, "--unattended", "--archive", self.archive)
        self.assertEqual(got, status, again)
        self.assertFalse(self.record.exists())
        self.assertFalse((self.archive / "rehearsal").exists())

    def test_an_unknown_field_is_named_with_its_nearest(self):
        self.refused(self.changed_script('"extractable": true', '"extractabel": true'), "INPUT-01", "/sections/2/steps/0/extractabel",
                     "did you mean `extractable`?")

    def test_a_field_that_is_given_twice(self):
        self.refused(self.changed_script('"id": "attend",', '"id": "attend", "id": "attend",'), "INPUT-02", SCRIPT.name + ":")

    def test_a_missing_field(self):
        self.refused(self.changed_script('"key": "root-oca",', ""), "INPUT-03", "key")

    def test_a_field_of_another_type(self):
        self.refused(self.changed_script('"extractable": true', '"extractable": "yes"'), "INPUT-04", "/extractable")

    def test_bytes_after_the_end(self):
        script = self.own_scripts()
        script.write_text(script.read_text() + "{}")
        self.refused(script, "INPUT-07")

    def test_a_script_that_is_not_there(self):
        status, _, err = run("check", self.folder / "none.json")
        self.assertEqual(status, 2)
        self.assert_says(err, "none.json")

    def test_a_plan_that_cannot_work_is_refused_at_the_desk(self):
        script = self.changed_script('"key": "root-oca",\n          "profile"', '"key": "nobody",\n          "profile"')
        status, out, _ = run("check", script)
        self.assertEqual(status, 1)
        self.assert_says(out, "PLAN-KEY-02", "nobody has made a key nobody", "This script cannot be run.")
        status, _, err = run("rehearse", script, "--unattended", "--archive", self.archive)
        self.assertEqual(status, 1)
        self.assert_says(err, "PLAN-KEY-02")
        self.assertFalse(self.record.exists())

    def test_a_binding_that_freezes_another_script(self):
        self.rehearse()
        binding = self.archive / "rehearsal" / "binding.json"
        frozen = json.loads(binding.read_text())
        frozen["script_sha256"] = "0" * 64
        binding.write_text(json.dumps(frozen))
        status, _, err = run("check", SCRIPT, "--binding", binding)
        self.assertEqual(status, 2)
        self.assert_says(err, "BIND-02", "0" * 64)

    def test_a_secret_in_a_binding_is_refused_and_not_repeated(self):
        self.rehearse()
        binding = self.archive / "rehearsal" / "binding.json"
        told = json.loads(binding.read_text())
        told["tokens"]["root-hsm"]["pin"] = "87654321"
        binding.write_text(json.dumps(told))
        status, out, err = run("check", SCRIPT, "--binding", binding)
        self.assertEqual(status, 2)
        self.assert_says(err, "INPUT-11")
        self.assertNotIn("87654321", out + err)


class BadDays(Ceremony):
    def prepared(self):
        """A rehearsal that is prepared, and stopped before its first entry by a PIN that is missing."""
        self.rehearse()
        shutil.rmtree(self.record)
        return self.archive / "rehearsal"

    def test_a_rehearsal_binding_cannot_pass_for_production(self):
        self.rehearse()
        status, _, err = run("run", SCRIPT, "--binding", self.archive / "rehearsal" / "binding.json", "--archive", self.folder / "production")
        self.assertEqual(status, 1)
        self.assert_says(err, "RUN-ENV-01", "keyceremony: hint: ")
        self.assertFalse((self.folder / "production").exists())

    def test_a_production_binding_cannot_be_rehearsed(self):
        rehearsal = self.prepared()
        binding = json.loads((rehearsal / "binding.json").read_text())
        binding["environment"] = "production"
        (rehearsal / "binding.json").write_text(json.dumps(binding))
        self.assert_says(self.rehearse(expect=1)[1], "RUN-ENV-02")

    def test_a_production_archive_is_left_as_it_is(self):
        record = self.archive / "0001-root"
        record.mkdir(parents=True)
        (record / "log.jsonl").write_text('{"ceremony":"root","mode":"production","seq":0,"type":"open"}\n')
        kept = self.archive / "rehearsal" / "notes"  # somebody's own
        kept.parent.mkdir()
        kept.write_text("of the desk")
        before = sorted(self.folder.rglob("*"))
        self.assert_says(self.rehearse(expect=1)[1], "ARCHIVE-MODE-01", "production")
        self.assertEqual(sorted(self.folder.rglob("*")), before)

    def test_a_production_binding_on_tokens_of_a_rehearsal_is_refused(self):
        binding = json.loads((self.prepared() / "binding.json").read_text())
        binding["environment"] = "production"
        (self.folder / "binding.json").write_text(json.dumps(binding))
        for command in (["check", SCRIPT], ["run", SCRIPT, "--archive", self.folder / "production"]):
            status, _, err = run(*command, "--binding", self.folder / "binding.json", "--roster",
                                 self.archive / "rehearsal" / "roster.json")
            self.assertNotEqual(status, 0)
            self.assert_says(err, "BINDING-REHEARSAL-01", "a rehearsal made")
        self.assertFalse((self.folder / "production").exists())

    def test_people_need_a_terminal(self):
        status, _, err = run("rehearse", SCRIPT, "--archive", self.archive)
        self.assertEqual(status, 2)
        self.assert_says(err, "terminal", "--unattended")
        self.assertFalse(self.record.exists())

    def test_a_module_that_is_not_there(self):
        rehearsal = self.prepared()
        text = (rehearsal / "binding.json").read_text()
        (rehearsal / "binding.json").write_text(text.replace(json.loads(text)["tokens"]["record"]["module"], "/usr/lib/none.so"))
        self.assert_says(self.rehearse(expect=3)[1], "/usr/lib/none.so")
        self.assertFalse(self.record.exists())

    def test_a_token_with_another_serial(self):
        rehearsal = self.prepared()
        binding = json.loads((rehearsal / "binding.json").read_text())
        real = binding["tokens"]["record"]["serial"]
        binding["tokens"]["record"]["serial"] = "0000000000000000"
        (rehearsal / "binding.json").write_text(json.dumps(binding))
        self.assert_says(self.rehearse(expect=3)[1], "0000000000000000", real)
        self.assertFalse(self.record.exists())

    def test_a_wrong_pin_is_tried_once(self):
        rehearsal = self.prepared()
        envelope = next(rehearsal.rglob("record.user.pin"))
        envelope.write_text("WRONGWRONGWRONG1")
        _, err = self.rehearse(expect=3)
        self.assert_says(err, "PIN", "CKR_PIN_INCORRECT")
        self.assertNotIn("WRONGWRONG", err)
        self.assertFalse(self.record.exists())

    def test_an_archive_whose_newest_record_is_not_complete(self):
        self.rehearse()
        (self.record / "addendum.note").unlink()
        status, _, err = run("rehearse", SCRIPT, "--unattended", "--archive", self.archive)
        self.assertEqual(status, 1)
        self.assert_says(err, "ARCHIVE-OPEN-01", f"keyceremony resume {self.archive}/0001-smki-root-oca")
        status, out, err = run("resume", self.record, "--unattended")
        self.assertEqual(status, 0, err)
        self.assert_says(out, "COMPLETE")

    def test_an_archive_that_another_process_works_in(self):
        self.rehearse()
        (self.record / "addendum.note").unlink()
        before = sorted((path, path.stat().st_mtime_ns) for path in self.archive.rglob("*"))
        folder = os.open(self.archive, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        fcntl.flock(folder, fcntl.LOCK_EX)
        for command in (["rehearse", SCRIPT, "--archive", self.archive], ["resume", self.record]):
            status, _, err = run(*command, "--unattended")
            self.assertEqual(status, 1)
            self.assert_says(err, "ARCHIVE-BUSY-01", f"process {os.getpid()}")
        self.assertEqual(sorted((path, path.stat().st_mtime_ns) for path in self.archive.rglob("*")), before)

    def test_a_copied_archive_does_not_act_on_the_tokens_of_the_original(self):
        self.rehearse()
        (self.record / "addendum.note").unlink()
        copy = self.folder / "copy"
        shutil.copytree(self.archive, copy)
        for command in (["rehearse", SCRIPT, "--archive", copy], ["resume", copy / self.record.name]):
            status, _, err = run(*command, "--unattended")
            self.assertEqual(status, 1)
            self.assert_says(err, "REHEARSAL-COPY-01", str(self.archive))

    def test_the_path_of_a_rehearsal(self):
        status, _, err = run("rehearse", SCRIPT, "--unattended", "--quiet", "--archive", f"{self.folder}/with a slash/")
        self.assertEqual(status, 0, err)
        for name in ("café", "a#b", "a=b", "a:b", "a\tb"):
            status, _, err = run("rehearse", SCRIPT, "--unattended", "--archive", self.folder / name)
            self.assertEqual(status, 1)
            self.assert_says(err, "REHEARSAL-PATH-01")
            self.assertNotIn("\t", err)
            self.assertFalse((self.folder / name / "rehearsal").exists())

    def test_a_record_that_another_process_holds(self):
        self.rehearse()
        (self.record / "addendum.note").unlink()
        with open(self.record / "log.jsonl", "rb") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            status, _, err = run("resume", self.record, "--unattended")
        self.assertEqual(status, 1)
        self.assert_says(err, "RECORD-LOCK-01")

    def test_the_good_copy_of_an_artefact_is_kept_whatever_stands_under_its_name(self):
        self.rehearse()
        (self.record / "addendum.note").unlink()
        artefact = sorted((self.record / "artefacts").rglob("*.pem"))[0]
        name, good = artefact.relative_to(self.record), artefact.read_bytes()
        partial = artefact.with_name(artefact.name + ".partial")
        artefact.rename(partial)
        artefact.mkdir()
        status, _, err = run("resume", self.record, "--unattended")
        self.assertEqual(status, 1)
        kept = f"torn-{hashlib.sha256(good).hexdigest()}"
        self.assert_says(err, "RUN-ARTEFACT-01", f"what was being written of it is {kept}")
        self.assertEqual((self.record / kept).read_bytes(), good)
        artefact.rmdir()
        (self.record / kept).rename(partial)
        artefact.write_text("another file")
        status, out, err = run("resume", self.record, "--unattended")
        self.assertEqual(status, 0, err)
        other = f"torn-{hashlib.sha256(b'another file').hexdigest()}"
        self.assert_says(out, "COMPLETE")
        self.assertIn(f"{name}keptas{other}", "".join(out.split()))
        self.assertEqual((artefact.read_bytes(), (self.record / other).read_text()), (good, "another file"))

    def test_one_changed_byte_of_the_script_ends_it(self):
        self.rehearse()
        (self.record / "addendum.note").unlink()
        script = self.record / "inputs" / SCRIPT.name
        script.write_text(script.read_text().replace("a radio clock", "a radio_clock"))
        status, _, err = run("resume", self.record, "--unattended")
        self.assertNotEqual(status, 0)
        self.assert_says(err, "RUN-INPUT-01")
        self.assertFalse((self.record / "addendum.note").exists())

    def test_a_folder_that_is_no_record(self):
        status, _, err = run("resume", self.folder)
        self.assertEqual(status, 2)
        self.assert_says(err, "no record")

    def test_an_archive_that_is_a_file(self):
        (self.folder / "archive").write_text("")
        status, _, err = run("rehearse", SCRIPT, "--unattended", "--archive", self.archive)
        self.assertEqual(status, 4, err)

    def test_a_result_that_cannot_be_written(self):
        self.rehearse()
        with open("/dev/full", "w") as full:
            done = subprocess.run(["keyceremony", "status", str(self.archive)], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 4)

    def test_a_stranger_on_the_token_stops_the_ceremony(self):
        self.rehearse()
        script = self.own_scripts()
        plan = json.loads(script.read_text())
        plan["id"] = "look"
        plan["sections"] = [{"id": "only", "title": "Only", "steps": [
            {"id": "attend", "do": "room.attend",
             "people": {"administrator": 1, "security-officer": 1, "custodian": 3, "witness": 1}}, {"id": "look", "do": "token.verify", "token": "root-hsm"}]}]
        del plan["profiles"]
        script.write_text(json.dumps(plan))
        pin = shares.pin_of(self.record, "root-hsm", "user", ["alice", "bob", "carol"], self.folder)
        made = subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "root-hsm", "--login", "--pin", pin, "--keypairgen", "--key-type",
                               "EC:prime256v1", "--label", "stranger", "--id", "99"], capture_output=True, text=True, check=False,
                              env=dict(os.environ, SOFTHSM2_CONF=str(self.archive / "rehearsal" / "softhsm2.conf")))
        self.assertEqual(made.returncode, 0, made.stderr)
        status, _, err = run("rehearse", script, "--unattended", "--archive", self.archive)
        self.assertEqual(status, 1)
        self.assert_says(err, "TOKEN-OBJECT-01", "stranger")
        log = (self.archive / "0002-look" / "log.jsonl").read_text()
        self.assertTrue(re.search(r'"rule":"TOKEN-OBJECT-01".*"type":"refusal"', log))


if __name__ == "__main__":
    if not os.path.exists(SOFTHSM):
        print("SoftHSM is not installed", file=sys.stderr)
        sys.exit(77)
    unittest.main()
