#!/usr/bin/env python3
"""A key cloned in production, between modules and by a vendor's own means; openssl judges what the copy signs."""
import json
import pathlib
import shutil
import subprocess
import unittest
import uuid

from archive import SCRIPTS, entries, run
import room
from room import Room, serve

TOKENS = ("root-hsm", "backup-hsm")
POLICY = SCRIPTS / "smki.policy.json"
PEOPLE = {"administrator": 1, "security-officer": 1, "custodian": 3, "witness": 1}


class Clone(Room):
    """One ceremony: two tokens taken into service, a key made on the first, cloned to the second, proven on both."""

    def setUp(self):
        super().setUp()
        live = self.place.bound["tokens"]["root-hsm"]
        self.place.bound["tokens"]["backup-hsm"] = dict(live, label="backup-hsm", environment=dict(live["environment"]))
        self.record = self.place.archive / "0001-clone"

    def script(self, commission=None, generate=None, clone=None):
        """`commission` are fields of a token's commissioning, by token; the others are fields of their steps."""
        quorum = {"quorum": "custodians"}
        key = {"key": "root-oca", **quorum}
        steps = [{"id": "attend", "do": "room.attend", "people": PEOPLE}]
        for token in TOKENS:
            steps.append({"id": f"commission-{token}", "do": "token.commission", "token": token, **quorum,
                          **(commission or {}).get(token, {})})
        steps += [{"id": "generate", "do": "key.generate", "token": "root-hsm", "algorithm": "ec-p256", "extractable": True,
                   **key, **(generate or {})},
                  {"id": "clone", "do": "key.clone", "source": "root-hsm", "targets": ["backup-hsm"], **key, **(clone or {})},
                  {"id": "prove", "do": "key.prove", "tokens": list(TOKENS), **key},
                  {"id": "look-at-live", "do": "token.verify", "token": "root-hsm"},
                  {"id": "look-at-backup", "do": "token.verify", "token": "backup-hsm"}]
        plan = {"format": "keyceremony-script/1", "id": "clone", "title": "A clone", "estate": "smki.example",
                "purpose": "To have the key twice.", "policy": "smki.policy.json",
                "tokens": {token: {"role": role, "domain": "organisation"} for token, role in zip(TOKENS, ("live", "backup"))},
                "sections": [{"id": "all", "title": "All", "steps": steps}]}
        folder = self.folder / "scripts"
        folder.mkdir()
        shutil.copy(POLICY, folder)
        path = folder / "clone.ceremony.json"
        path.write_text(json.dumps(plan))
        return path

    def hold(self, script, first=()):
        def choose(match):
            self.pin = (room.SO_PIN if match.group(1) == "security officer" else room.PIN) + match.group(2)
            return self.pin
        self.place.write_binding()
        return self.run_script(script=script, first=[
            *first,
            (r"Are they the same\?", "the same"),
            (r"new (security officer|user) PIN for (?:token )?([a-z-]+)\.", choose),
            (r"the same once more", lambda _: self.pin)])

    def seen(self, what):
        return self.entries("observe", what=what)

    def assert_cloned(self, shown, status):
        self.assertEqual(status, 0, shown[-3000:])
        self.assert_complete()
        spki = (self.record / "artefacts/keys/root-oca.spki.der").read_bytes()
        (copied,) = self.seen("copy-proven")
        proofs = [copied, *self.seen("key-proven")]
        self.assertEqual([entry["token"] for entry in proofs], ["backup-hsm", *TOKENS])
        for entry in proofs:
            request = self.record / "artefacts" / entry["proof"]
            judged = subprocess.run(["openssl", "req", "-inform", "DER", "-in", request, "-verify", "-noout", "-pubkey"],
                                    capture_output=True, text=True, check=False)
            self.assertEqual(judged.returncode, 0, judged.stderr)
            self.assertIn("verify OK", judged.stdout + judged.stderr)
            public = room.tool("openssl", "pkey", "-pubin", "-outform", "DER", input=judged.stdout.encode())
            self.assertEqual(public, spki)
        return copied

    def replay(self, expect):
        """The record, acted again on SoftHSM tokens; nothing is different that is not to be expected."""
        status, out, err = run("replay", self.record, "--json")
        report = json.loads(out or "{}")
        found = [(each["reason"], each["what"]) for each in report.get("differences", []) if not each["expected"]]
        self.assertEqual((status, found), (expect, []), err)
        return report

    def modules(self):
        return {pathlib.Path(module["path"]).name for module in self.entries("open")[0]["modules"]}


class BetweenModules(Clone):
    def reasons(self, report):
        return {each["reason"] for each in report["differences"]}

    def test_a_key_goes_from_softhsm_to_nss(self):
        # NSS softoken wraps by another mechanism number, and wants the point of an EC key that comes in as CKA_NSS_DB.
        token = self.place.bound["tokens"]["backup-hsm"]
        token.update(self.nss("backup-hsm"))
        del token["uninitialised"], token["environment"]
        script = self.script({"backup-hsm": {"method": "vendor", "procedure": "certutil -N"}}, clone={"extractable": True})
        status, shown = self.hold(script)
        copied = self.assert_cloned(shown, status)
        self.assertEqual(self.modules(), {"libsofthsm2.so", "libsoftokn3.so"})
        self.assertEqual(copied["transport"]["left"], "nothing")
        # Acted again on SoftHSM alone: what is peculiar to either module has a reason that says so.
        quirks = {f"REPLAY-QUIRK-0{number}" for number in range(1, 6)}
        self.assertLessEqual(quirks, self.reasons(self.replay(0)))
        self.assertEqual(self.planted(), [
            ("REPLAY-ATTR-01", "C_GenerateKeyPair on root-hsm: attributes.private.CKA_LOCAL"),
            ("REPLAY-ATTR-01", "C_UnwrapKey on backup-hsm: attributes.CKA_SENSITIVE"),
            ("REPLAY-CALL-01", "C_SetAttributeValue on backup-hsm"),
            ("REPLAY-ENTRY-03", "observe copy-proven: repaired."),
            ("REPLAY-ENTRY-03", "observe copy-proven: way"),
            ("REPLAY-KEY-01", "C_CreateObject on backup-hsm: inventory"),  # left by a call that is not explained
            ("REPLAY-TEMPLATE-01", "C_CreateObject on backup-hsm: template.CKA_WRAP"),
            ("REPLAY-TEMPLATE-01", "C_UnwrapKey on backup-hsm: template.CKA_NSS_DB")])

    def planted(self):
        """What the replay finds, when the record says otherwise what its own token's module explains as long as it is right."""
        every = entries(self.record)

        def of(kind, fn, token="backup-hsm"):
            return [e for e in every if (e["type"], e.get("fn"), e.get("token")) == (kind, fn, token)][-1]
        of("done", "C_GenerateKeyPair", "root-hsm")["attributes"]["private.CKA_LOCAL"] = "false"  # wrong with NSS alone
        of("done", "C_UnwrapKey")["attributes"]["CKA_SENSITIVE"] = "false"  # NSS keeps that one
        point = of("intent", "C_UnwrapKey")["template"]
        point["CKA_NSS_DB"] = point["CKA_NSS_DB"][:-2] + ("00" if point["CKA_NSS_DB"][-2:] != "00" else "01")
        of("intent", "C_SetAttributeValue")["template"]["CKA_DERIVE"] = "true"  # not what was asked for
        del of("intent", "C_CreateObject")["template"]["CKA_WRAP"]  # NSS takes it
        (proven,) = [e for e in every if e.get("what") == "copy-proven"]
        proven["repaired"].append("CKA_EXTRACTABLE")
        proven["way"] = proven["way"].replace("sha1", "sha256")
        (self.record / "log.jsonl").write_text("".join(json.dumps(e, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n" for e in every))
        status, out, err = run("replay", self.record, "--json")
        self.assertEqual(status, 1, err)
        return sorted((each["reason"], each["what"]) for each in json.loads(out)["differences"]
                      if not each["expected"] and each["reason"] != "REPLAY-RECORD-01")

    def test_a_key_that_nss_made_goes_to_softhsm(self):
        token = self.place.bound["tokens"]["root-hsm"]
        token.update(self.nss("root-hsm"))
        del token["uninitialised"], token["environment"]
        script = self.script({"root-hsm": {"method": "vendor", "procedure": "certutil -N"}}, clone={"extractable": True})
        status, shown = self.hold(script)
        self.assert_cloned(shown, status)
        self.assertEqual(self.modules(), {"libsofthsm2.so", "libsoftokn3.so"})
        self.assertLessEqual({"REPLAY-QUIRK-01", "REPLAY-QUIRK-02", "REPLAY-QUIRK-05"}, self.reasons(self.replay(0)))

    def test_a_copy_that_is_to_stay_does_not_go_to_a_module_that_lets_every_key_out(self):
        token = self.place.bound["tokens"]["backup-hsm"]
        token.update(self.nss("backup-hsm"))
        del token["uninitialised"], token["environment"]
        script = self.script({"backup-hsm": {"method": "vendor", "procedure": "certutil -N"}})
        status, shown = self.hold(script)
        self.assertEqual(status, 1, shown[-2000:])
        self.assertIn("KEY-WAY-05", shown)
        self.assertEqual(list(self.place.archive.glob("0*/log.jsonl")), [])  # before the record is opened

    def test_a_key_that_cannot_go_through_remoting_stays_where_it_is(self):
        # p11-kit's protocol carries no AES key wrap.
        self.place.bound["tokens"]["backup-hsm"].update(serve(self))
        status, shown = self.hold(self.script(), [(r"Mend the cause, then decide", "pause the ceremony")])
        self.assertEqual(status, 1, shown[-2000:])
        self.assertIn("they have no way in common", shown)
        self.assertEqual([(entry["rule"], entry["step"]) for entry in self.entries("refusal")], [("KEY-WAY-01", "clone")])
        # On the far side there is the token and nothing else.
        self.assertEqual([path.name for path in (self.folder / "remote").glob("*/*.object")], ["token.object"])

    def nss(self, label):
        store, pin = self.folder / "nss", self.folder / "nss.pin"
        store.mkdir()
        pin.write_text(room.PIN + label + "\n")
        room.tool("certutil", "-N", "-d", f"sql:{store}", "-f", pin)
        pin.unlink()
        softoken, = pathlib.Path("/usr/lib").glob("*/libsoftokn3.so")
        return {"module": str(softoken), "label": label, "serial": "0" * 16,
                "init_args": f"configdir='sql:{store}' certPrefix='' keyPrefix='' secmod='secmod.db' "
                             f"dbTokenDescription='{label}' flags="}


class ByVendor(Clone):
    """A vendor's domain: tokens that share the key of their storage, so that an object's file is a copy on the other."""

    def setUp(self):
        super().setUp()
        serial = self.place.make_token("root-hsm")
        self.live = self.storage("root-hsm")
        self.backup = self.live.with_name(str(uuid.uuid4()))
        shutil.copytree(self.live, self.backup)
        other = "fedcba9876543210"
        token = self.backup / "token.object"
        token.write_bytes(token.read_bytes().replace(b"root-hsm".ljust(32), b"backup-hsm".ljust(32))
                          .replace(serial.encode(), other.encode()))
        for name, number in zip(TOKENS, (serial, other)):
            del self.place.bound["tokens"][name]["uninitialised"]
            self.place.bound["tokens"][name]["serial"] = number
        self.made = {"method": "vendor", "procedure": "partition set-up 4.2"}

    def storage(self, label):
        found, = [path.parent for path in (self.folder / "tokens").glob("*/token.object") if label.encode() in path.read_bytes()]
        return found

    def synchronise(self, _):
        for path in self.live.iterdir():  # the module reads anew when the number in `generation` is another one
            if not path.name.startswith("token."):
                shutil.copy(path, self.backup)
        return "copied"

    def clone_by_vendor(self, *answers, key_leaves=False, copy_leaves=False):
        script = self.script({token: self.made for token in TOKENS}, {"extractable": key_leaves},
                             {"method": "vendor", "procedure": "cluster sync 4.2", "extractable": copy_leaves})
        return self.hold(script, [*answers, (r"user PIN of token \"?(?:root|backup)-hsm", room.PIN + "root-hsm"),
                                  (r"What did the vendor's tool print", "audit log 00417, result OK")])

    def test_a_vendors_copy_is_found_read_tried_and_proven(self):
        status, shown = self.clone_by_vendor((r"tool says that it is done", self.synchronise))
        copied = self.assert_cloned(shown, status)
        (said,) = self.seen("vendor-copy")
        self.assertEqual((said["procedure"], said["evidence"]), ("cluster sync 4.2", "audit log 00417, result OK"))
        self.assertEqual(copied["trials"], ["it signs as the key", "wrapping it is refused"])
        self.assertNotIn("C_UnwrapKey", (self.record / "log.jsonl").read_text())
        status, out, err = self.status()
        self.assertEqual(status, 0, err)
        (key,) = json.loads(out)["keys"]
        self.assertEqual([(copy["token"], copy["kind"]) for copy in key["copies"]],
                         [("root-hsm", "original"), ("backup-hsm", "clone")])
        # No SoftHSM has a vendor's tool: the replay says so, and how far it came.
        report = self.replay(6)
        self.assertEqual((report["verdict"], report["stopped"]["step"]), ("INCOMPLETE", "clone"))
        named = [each["recorded"] for each in report["differences"] if each["reason"] == "REPLAY-SOFTHSM-01"]
        self.assertIn("a copy by the vendor's own procedure", named)

    def test_a_vendors_copy_to_a_token_behind_remoting_is_proven_alike(self):
        self.place.bound["tokens"]["backup-hsm"].update(serve(self))
        self.backup = self.backup.rename(self.folder / "remote" / self.backup.name)
        # That a copy does not leave cannot be tried there, since p11-kit carries no wrapping: it must be one that may.
        status, shown = self.clone_by_vendor((r"tool says that it is done", self.synchronise), key_leaves=True, copy_leaves=True)
        self.assert_cloned(shown, status)
        self.assertEqual(self.modules(), {"libsofthsm2.so", "p11-kit-client.so"})

    def test_a_vendors_copy_that_could_be_copied_on_is_refused(self):
        status, shown = self.clone_by_vendor((r"tool says that it is done", self.synchronise),
                                             (r"Mend the cause, then decide", "pause the ceremony"), key_leaves=True)
        self.assertEqual(status, 1, shown[-2000:])
        self.assertIn("KEY-VENDOR-02", [entry["rule"] for entry in self.entries("refusal")])
        self.assertIn("CKA_EXTRACTABLE", shown)
        self.assertEqual(self.seen("copy-proven"), [])

    def test_who_says_copied_and_has_not_is_found_out_and_may_do_it(self):
        status, shown = self.clone_by_vendor((r"tool says that it is done", "copied"),
                                             (r"Mend the cause, then decide",
                                              lambda match: self.synchronise(match) and "try again"))
        self.assert_cloned(shown, status)
        self.assertEqual([entry["rule"] for entry in self.entries("refusal")], ["KEY-VENDOR-01"])

    def status(self):
        return run("status", self.place.archive, "--json")


if __name__ == "__main__":
    unittest.main()
