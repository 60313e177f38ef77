#!/usr/bin/env python3
"""The program as its user runs it: a rehearsal, what it leaves, and bad days.

Every case states the exit status, the words that must be said and what is left behind.
"""
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import unittest

from archive import SCRIPTS, SOFTHSM, Rehearsed, need, rewrite, run, steps_of, verified, without
import shares

SCRIPT = SCRIPTS / "smki-root-oca.ceremony.json"


class Rehearsal(Rehearsed):
    def test_the_record_verifies_and_openssl_accepts_the_certificate(self):
        self.rehearse()
        status, answer = verified(self.first, self.roster)
        self.assertEqual(status, 0)
        self.assertEqual(answer["verdict"], "COMPLETE")
        self.assertEqual(answer["ceremony"], "smki-root-oca")
        self.assertEqual(answer["mode"], "rehearsal")
        self.assertEqual(answer["findings"], [])
        self.assertEqual(answer["entries"], len((self.first / "log.jsonl").read_bytes().splitlines()))
        certificate = self.first / "artefacts" / "certificates" / "root-oca.pem"
        judged = subprocess.run(["openssl", "verify", "-x509_strict", "-check_ss_sig", "-CAfile", certificate, certificate],
                                capture_output=True, text=True, check=False)
        self.assertEqual(judged.returncode, 0, judged.stderr)
        text = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-text"], capture_output=True, text=True, check=True).stdout
        self.assert_says(text, "OU = 00, CN = ZA", "CA:TRUE", "Certificate Sign, CRL Sign", "ecdsa-with-SHA256")

    def test_the_record_names_the_program_and_each_module_by_their_digests(self):
        self.rehearse()
        opened = self.entries(1)[0]
        digest = hashlib.sha256(pathlib.Path(shutil.which("keyceremony")).read_bytes()).hexdigest()
        self.assertEqual((opened["program"]["name"], opened["program"]["sha256"]), ("keyceremony", digest))
        module, = opened["modules"]
        self.assertEqual(module["path"], SOFTHSM)
        self.assertEqual(module["sha256"], hashlib.sha256(pathlib.Path(SOFTHSM).read_bytes()).hexdigest())

    def test_the_estate_names_the_key_with_its_copy(self):
        self.rehearse()
        estate = self.status()
        self.assertEqual([token["name"] for token in estate["tokens"]], ["root-hsm"])
        self.assertEqual([(key["name"], key["algorithm"], key["state"]) for key in estate["keys"]], [("root-oca", "ec-p256", "active")])
        self.assertEqual([copy["serial"] for copy in estate["keys"][0]["copies"]], [estate["tokens"][0]["serial"]])
        self.assertEqual([certificate["name"] for certificate in estate["certificates"]], ["root-oca"])
        self.assertEqual([person["id"] for person in estate["custodians"]], ["alice", "bob", "carol", "dave", "erin"])
        self.assertEqual(estate["due"], [])
        spki = (self.first / "artefacts" / "keys" / "root-oca.spki.der").read_bytes()
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
        _, err = self.rehearse(expect=1)
        self.assert_says(err, "EST-TOKEN-01", "EST-KEY-01", "EST-CERT-01", "keyceremony: hint: ")
        self.assertEqual(sorted(str(path) for path in self.archive.rglob("*")), before)

    def test_a_complete_record_has_nothing_to_resume(self):
        self.rehearse()
        status, out, _ = run("resume", self.first, "--unattended")
        self.assertEqual(status, 0)
        self.assert_says(out, "nothing to go on with", "COMPLETE")

    def test_a_second_ceremony_goes_on_with_the_same_estate(self):
        self.rehearse()

        def second(plan):
            plan["id"] = "second-key"
            for step in steps_of(without(plan, "token.commission", "cert.self-sign")):
                if step["do"] == "key.generate":
                    step["key"] = "second"
            del plan["profiles"]

        self.rehearse(self.changed("smki-root-oca", second))
        self.assertEqual(self.home.verdicts(), (0, ["COMPLETE", "COMPLETE"]))
        opened = self.entries(2)[0]
        first = (self.first / "checkpoint").read_text().splitlines()
        self.assertEqual(opened["previous"]["origin"], first[0])
        self.assertEqual(str(opened["previous"]["size"]), first[1])
        estate = self.status()
        self.assertEqual([key["name"] for key in estate["keys"]], ["root-oca", "second"])


class BadInput(Rehearsed):
    def changed_script(self, old, new):
        script = self.home.script("smki-root-oca")
        text = script.read_text()
        self.assertIn(old, text)
        script.write_text(text.replace(old, new, 1))
        return script

    def refused(self, script, *parts, status=2):
        got, _, err = run("check", script)
        self.assertEqual(got, status, err)
        self.assert_says(err, *parts)
        got, _, again = run("rehearse", script, "--unattended", "--archive", self.archive)
        self.assertEqual(got, status, again)
        self.assertFalse(self.first.exists())
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
        script = self.home.script("smki-root-oca")
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
        self.assertFalse(self.first.exists())

    def test_a_binding_that_freezes_another_script(self):
        self.rehearse()
        rewrite(self.binding, lambda binding: binding.update(script_sha256="0" * 64))
        status, _, err = run("check", SCRIPT, "--binding", self.binding)
        self.assertEqual(status, 2)
        self.assert_says(err, "BIND-02", "0" * 64)

    def test_a_secret_in_a_binding_is_refused_and_not_repeated(self):
        self.rehearse()
        rewrite(self.binding, lambda binding: binding["tokens"]["root-hsm"].update(pin="87654321"))
        status, out, err = run("check", SCRIPT, "--binding", self.binding)
        self.assertEqual(status, 2)
        self.assert_says(err, "INPUT-11")
        self.assertNotIn("87654321", out + err)


class BadDays(Rehearsed):
    def prepared(self):
        """A rehearsal that is prepared, and stopped before its first entry by a PIN that is missing."""
        self.rehearse()
        shutil.rmtree(self.first)

    def test_a_rehearsal_binding_cannot_pass_for_production(self):
        self.rehearse()
        status, _, err = run("run", SCRIPT, "--binding", self.binding, "--archive", self.folder / "production")
        self.assertEqual(status, 1)
        self.assert_says(err, "RUN-ENV-01", "keyceremony: hint: ")
        self.assertFalse((self.folder / "production").exists())

    def test_a_production_binding_cannot_be_rehearsed(self):
        self.prepared()
        rewrite(self.binding, lambda binding: binding.update(environment="production"))
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
        self.prepared()
        binding = shutil.copy(self.binding, self.folder)
        rewrite(binding, lambda binding: binding.update(environment="production"))
        for command in (["check", SCRIPT], ["run", SCRIPT, "--archive", self.folder / "production"]):
            status, _, err = run(*command, "--binding", binding, "--roster", self.roster)
            self.assertNotEqual(status, 0)
            self.assert_says(err, "BINDING-REHEARSAL-01", "a rehearsal made")
        self.assertFalse((self.folder / "production").exists())

    def test_people_need_a_terminal(self):
        status, _, err = run("rehearse", SCRIPT, "--archive", self.archive)
        self.assertEqual(status, 2)
        self.assert_says(err, "terminal", "--unattended")
        self.assertFalse(self.first.exists())

    def test_a_module_that_is_not_there(self):
        self.prepared()
        self.binding.write_text(self.binding.read_text().replace(SOFTHSM, "/usr/lib/none.so"))
        self.assert_says(self.rehearse(expect=3)[1], "/usr/lib/none.so")
        self.assertFalse(self.first.exists())

    def test_a_token_with_another_serial(self):
        self.prepared()
        real = json.loads(self.binding.read_text())["tokens"]["record"]["serial"]
        rewrite(self.binding, lambda binding: binding["tokens"]["record"].update(serial="0000000000000000"))
        self.assert_says(self.rehearse(expect=3)[1], "0000000000000000", real)
        self.assertFalse(self.first.exists())

    def test_a_wrong_pin_is_tried_once(self):
        self.prepared()
        envelope = next(self.archive.rglob("record.user.pin"))
        envelope.write_text("WRONGWRONGWRONG1")
        _, err = self.rehearse(expect=3)
        self.assert_says(err, "PIN", "CKR_PIN_INCORRECT")
        self.assertNotIn("WRONGWRONG", err)
        self.assertFalse(self.first.exists())

    def test_an_archive_whose_newest_record_is_not_complete(self):
        self.rehearse()
        (self.first / "addendum.note").unlink()
        _, err = self.rehearse(expect=1)
        self.assert_says(err, "ARCHIVE-OPEN-01", f"keyceremony resume {self.archive}/0001-smki-root-oca")
        status, out, err = run("resume", self.first, "--unattended")
        self.assertEqual(status, 0, err)
        self.assert_says(out, "COMPLETE")

    def test_an_archive_that_another_process_works_in(self):
        self.rehearse()
        (self.first / "addendum.note").unlink()
        before = sorted((path, path.stat().st_mtime_ns) for path in self.archive.rglob("*"))
        folder = os.open(self.archive, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        fcntl.flock(folder, fcntl.LOCK_EX)
        for command in (["rehearse", SCRIPT, "--archive", self.archive], ["resume", self.first]):
            status, _, err = run(*command, "--unattended")
            self.assertEqual(status, 1)
            self.assert_says(err, "ARCHIVE-BUSY-01", f"process {os.getpid()}")
        self.assertEqual(sorted((path, path.stat().st_mtime_ns) for path in self.archive.rglob("*")), before)

    def test_a_copied_archive_does_not_act_on_the_tokens_of_the_original(self):
        self.rehearse()
        (self.first / "addendum.note").unlink()
        copy = self.folder / "copy"
        shutil.copytree(self.archive, copy)
        for command in (["rehearse", SCRIPT, "--archive", copy], ["resume", copy / self.first.name]):
            status, _, err = run(*command, "--unattended")
            self.assertEqual(status, 1)
            self.assert_says(err, "REHEARSAL-COPY-01", str(self.archive))

    def test_a_record_that_was_copied_without_its_people_is_not_gone_on_with(self):
        self.rehearse()
        (self.first / "addendum.note").unlink()
        copy = self.folder / "bare" / self.first.name
        shutil.copytree(self.first, copy)
        before = sorted((path, path.read_bytes()) for path in copy.rglob("*") if path.is_file())
        status, _, err = run("resume", copy)
        self.assertEqual(status, 1)
        self.assert_says(err, "REHEARSAL-COPY-01", str(copy.parent))
        self.assertEqual(sorted((path, path.read_bytes()) for path in copy.rglob("*") if path.is_file()), before)

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
        (self.first / "addendum.note").unlink()
        with open(self.first / "log.jsonl", "rb") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            status, _, err = run("resume", self.first, "--unattended")
        self.assertEqual(status, 1)
        self.assert_says(err, "RECORD-LOCK-01")

    def test_the_good_copy_of_an_artefact_is_kept_whatever_stands_under_its_name(self):
        self.rehearse()
        (self.first / "addendum.note").unlink()
        artefact = sorted((self.first / "artefacts").rglob("*.pem"))[0]
        name, good = artefact.relative_to(self.first), artefact.read_bytes()
        partial = artefact.with_name(artefact.name + ".partial")
        artefact.rename(partial)
        artefact.mkdir()
        status, _, err = run("resume", self.first, "--unattended")
        self.assertEqual(status, 1)
        kept = f"torn-{hashlib.sha256(good).hexdigest()}"
        self.assert_says(err, "RUN-ARTEFACT-01", f"what was being written of it is {kept}")
        self.assertEqual((self.first / kept).read_bytes(), good)
        artefact.rmdir()
        (self.first / kept).rename(partial)
        artefact.write_text("another file")
        status, out, err = run("resume", self.first, "--unattended")
        self.assertEqual(status, 0, err)
        other = f"torn-{hashlib.sha256(b'another file').hexdigest()}"
        self.assert_says(out, "COMPLETE")
        self.assertIn(f"{name}keptas{other}", "".join(out.split()))
        self.assertEqual((artefact.read_bytes(), (self.first / other).read_text()), (good, "another file"))

    def test_one_changed_byte_of_the_script_ends_it(self):
        self.rehearse()
        (self.first / "addendum.note").unlink()
        script = self.first / "inputs" / SCRIPT.name
        script.write_text(script.read_text().replace("a radio clock", "a radio_clock"))
        status, _, err = run("resume", self.first, "--unattended")
        self.assertNotEqual(status, 0)
        self.assert_says(err, "RUN-INPUT-01")
        self.assertFalse((self.first / "addendum.note").exists())

    def test_one_changed_byte_is_found_out_also_beside_a_log_that_is_larger_than_an_input_may_be(self):
        self.rehearse()
        (self.first / "addendum.note").unlink()
        with (self.first / "log.jsonl").open("a") as log:
            log.write(" " * (5 << 20))
        policy = self.first / "inputs" / "smki.policy.json"
        policy.write_text(policy.read_text() + "\n")
        status, _, err = run("resume", self.first, "--unattended")
        self.assertNotEqual(status, 0)
        self.assert_says(err, "RUN-INPUT-01")

    def test_a_folder_that_is_no_record(self):
        status, _, err = run("resume", self.folder)
        self.assertEqual(status, 2)
        self.assert_says(err, "not a record")

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

        def look(plan):
            plan["id"] = "look"
            plan["sections"] = [{"id": "only", "title": "Only", "steps": [
                {"id": "attend", "do": "room.attend", "people": {"administrator": 1, "security-officer": 1, "custodian": 3, "witness": 1}},
                {"id": "look", "do": "token.verify", "token": "root-hsm"}]}]
            del plan["profiles"]

        pin = shares.pin_of(self.first, "root-hsm", "user", ["alice", "bob", "carol"], self.folder)
        made = subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "root-hsm", "--login", "--pin", pin, "--keypairgen", "--key-type",
                               "EC:prime256v1", "--label", "stranger", "--id", "99"], capture_output=True, text=True, check=False,
                              env=dict(os.environ, SOFTHSM2_CONF=str(self.archive / "rehearsal" / "softhsm2.conf")))
        self.assertEqual(made.returncode, 0, made.stderr)
        _, err = self.rehearse(self.changed("smki-root-oca", look), expect=1)
        self.assert_says(err, "TOKEN-OBJECT-01", "stranger")
        self.assertTrue(self.entries("0002-look", type="refusal", rule="TOKEN-OBJECT-01"))


if __name__ == "__main__":
    need()
    unittest.main()
