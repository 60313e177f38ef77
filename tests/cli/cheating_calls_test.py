#!/usr/bin/env python3
"""The whole room cheats, and what betrays it is that PKCS#11 calls, approvals, effects and files do not tell one story."""
import base64
import copy
import hashlib
import unittest

from archive import SOURCE, run
from cheating_room import Room

POINT = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + bytes(range(64))


class Calls(Room):
    """A root, an issuing CA and an ARL."""

    @classmethod
    def setUpClass(cls):
        cls.hold(lambda text: text)

    def entries(self, **fields):
        return [entry for entry in self.told.entries if all(entry.get(name) == value for name, value in fields.items())]

    def step(self, kind):
        """Numbers of the first and last entry of the first step of that kind."""
        begin = self.entries(type="step", do=kind, phase="begin")[0]
        end = self.entries(type="step", id=begin["id"], phase="end")[0]
        return self.told.entries.index(begin), self.told.entries.index(end)

    def drop(self, function):
        self.told.remove(lambda entry: entry.get("fn") == function)

    def call_in(self, kind, like):
        """A call of that function, once more, in a step of another kind."""
        pair = [dict(entry) for entry in self.told.entries if entry.get("fn") == like][:2]
        first, _ = self.step(kind)
        calls = [entry["call"] for entry in self.told.entries[:first] if entry["type"] == "intent"]
        for entry in pair:
            entry["call"] = max(calls, default=0) + 1
        for entry in self.told.entries[first:]:
            if "call" in entry and entry["type"] in ("intent", "done"):
                entry["call"] += 1
        self.told.insert(first + 1, pair)

    def test_told_anew_without_a_lie_it_is_complete(self):
        verdict, found = self.verdict()
        self.assertEqual((verdict, [rule for rule in found if rule.startswith(("CALL", "QUO-SUBJECT"))]), ("COMPLETE", []), found)

    def test_a_step_with_other_parameters_than_its_script(self):
        step = self.entries(type="step", do="key.generate", phase="begin")[0]
        step["parameters"]["extractable"] = not step["parameters"]["extractable"]  # a default of the script: not held against it
        verdict, _ = self.verdict()
        self.assertEqual((verdict, self.second), ("COMPLETE", "COMPLETE"))
        step["parameters"]["algorithm"] = "ec-p521"
        self.assert_found("SCR-PARAMETERS", "algorithm", step["id"])
        self.assertEqual(self.second, "INVALID")

    def test_a_key_that_its_token_has_not_made(self):
        self.entries(type="done", fn="C_GenerateKeyPair")[0]["spki"] = base64.b64encode(POINT).decode()
        self.assert_found("CALL-KEY", "root")

    def test_a_key_of_another_token(self):
        for entry in self.entries(fn="C_GenerateKeyPair"):
            entry["token"] = "other-hsm"
        self.assert_found("CALL-KEY", "key pair")

    def test_a_key_that_was_made_and_not_told_of(self):
        effects = self.told.end_with(self.told.effect("key-created", key="issuing"))["effects"]
        effects.clear()
        found = self.assert_found("CALL-KEY", "does not say so")
        self.assertIn("CRT-UNKNOWN", found)  # it is certified later

    def test_an_object_that_was_destroyed_excuses_no_key_but_its_own(self):
        made, done = self.entries(fn="C_GenerateKeyPair")[:2]
        self.told.end_with(self.told.effect("key-created", key="root"))["effects"].clear()
        own = f'private key "root" (id {made["object_id"]})'
        place = self.told.entries.index(done) + 1
        for entry in self.told.entries[place:]:
            if entry["type"] in ("intent", "done"):
                entry["call"] += 1
        gone = [{**copy.deepcopy(entry), "fn": "C_DestroyObject", "call": made["call"] + 1, "template": {}} for entry in (made, done)]
        for entry in gone:
            for field in ("spki", "attributes", "object_id", "object_label"):
                entry.pop(field, None)
        self.told.insert(place, gone)
        for name, token, is_excused in (('private key "other" (id 0f0f)', made["token"], False), (own, "other-hsm", False),
                                        (own.replace("private", "public"), made["token"], False), (own, made["token"], True)):
            with self.subTest(name, token=token):
                for entry in gone:
                    entry.update(token=token)
                gone[0]["object"] = name
                _, found = self.verdict()
                self.assertEqual("does not say so" in found.get("CALL-KEY", ""), not is_excused, found)

    def test_a_key_without_any_call(self):
        self.drop("C_GenerateKeyPair")
        self.assert_found("CALL-KEY", "no call of the step")

    def test_a_generation_that_failed_and_is_told_as_done(self):
        self.entries(type="done", fn="C_GenerateKeyPair")[0]["rv"] = "CKR_DEVICE_ERROR"
        self.assert_found("CALL-KEY", "root")

    def test_a_key_that_was_read_back_otherwise(self):
        attributes = self.entries(type="done", fn="C_GenerateKeyPair")[0]["attributes"]
        for name, value in {"private.CKA_SENSITIVE": "false", "private.CKA_EXTRACTABLE": "other", "private.CKA_SIGN": "false"}.items():
            with self.subTest(name):
                truth, attributes[name] = attributes[name], value
                self.assert_found("CALL-READ", name)
                attributes[name] = truth

    def test_a_template_that_nobody_approved(self):
        for entry in self.entries(fn="C_GenerateKeyPair")[:2]:
            entry["template"]["private.CKA_DERIVE"] = "true"
        self.entries(type="done", fn="C_GenerateKeyPair")[0]["attributes"]["private.CKA_DERIVE"] = "true"
        self.assert_found("QUO-SUBJECT", "private.CKA_DERIVE")

    def test_a_certificate_without_a_signing_call(self):
        self.drop("C_Sign")
        self.assert_found("CALL-SIGN", "no call of the step")

    def test_a_signing_call_that_failed(self):
        self.entries(type="done", fn="C_Sign")[0]["rv"] = "CKR_PIN_INCORRECT"
        self.assert_found("CALL-SIGN", "root")

    def test_a_signature_over_other_bytes(self):
        self.entries(type="intent", fn="C_Sign")[0]["input_sha256"] = "ab" * 32
        self.assert_found("CALL-SIGN", "ab" * 32)

    def test_one_signature_more_than_was_approved(self):
        self.call_in("cert.issue", "C_Sign")
        self.assert_found("CALL-SIGN", "its quorum approved others")

    def attempts(self, signed):
        """`certify-root` is done at its second attempt; the first had the same request, and its call, which then `signed`, failed or not.
        Returns the request of the second, and its call."""
        first = next(n for n, entry in enumerate(self.told.entries) if entry.get("id") == "certify-root")
        call = next(n for n in range(first, len(self.told.entries)) if self.told.entries[n].get("fn") == "C_Sign")
        begin, done = self.told.entries[first], self.told.entries[call + 1]
        self.assertEqual((begin["phase"], done["type"]), ("begin", "done"))
        before = copy.deepcopy(self.told.entries[first:call + 2])
        for entry in self.told.entries[first:]:
            if entry["type"] in ("intent", "done"):
                entry["call"] += 1
        failed = {**copy.deepcopy(begin), "phase": "failed", "error": {"code": "device", "message": "the token was gone"}}
        for field in ("parameters", "quorum", "attempt"):
            failed.pop(field, None)
        before[-1]["rv"] = "CKR_OK" if signed else "CKR_DEVICE_ERROR"
        self.told.insert(first, [*before, failed])
        begin["attempt"] = 2
        request = next(entry for entry in before if entry["type"] == "request")
        checkpoint = next(entry for entry in before if entry["type"] == "checkpoint" and entry["seq"] > request["seq"])
        for entry in before:
            if entry["type"] == "cosign":
                entry.update(request=request["seq"], size=checkpoint["seq"])
        return self.told.request("certify-root"), [entry for entry in self.told.entries if entry.get("call") == done["call"] and "fn" in entry]

    def test_what_was_approved_at_an_attempt_that_failed_is_approved_no_more(self):
        request, calls = self.attempts(signed=False)
        self.assertEqual((self.verdict()[0], self.second), ("COMPLETE", "COMPLETE"), self.why)
        other = b"other bytes"
        request["subject"].update(tbs=base64.b64encode(other).decode(), tbs_sha256=hashlib.sha256(other).hexdigest())
        found = self.assert_found("CALL-SIGN", "at this attempt")
        self.assertIn("did not sign them", found["CRT-APPROVED"])
        self.assertEqual(self.second, "INVALID")
        for call in calls:
            call.pop("input_sha256", None)
        found = self.assert_found("CRT-APPROVED", "did not sign them")
        self.assertNotIn("CALL-SIGN", found)

    def test_an_attempt_may_take_over_what_one_before_has_signed_with_approval(self):
        request, calls = self.attempts(signed=True)
        begin = next(entry["seq"] for entry in self.told.entries if entry.get("id") == "certify-root" and entry.get("attempt") == 2)
        numbers = {call["call"] for call in calls}
        again = lambda entry: entry["seq"] > begin and (entry.get("request") == request["seq"] or entry["seq"] == request["seq"]
                                                        or entry.get("call") in numbers and entry["type"] in ("intent", "done"))
        self.told.remove(again)
        for entry in self.told.entries:  # numbers follow one another, though they need not
            if entry["type"] in ("intent", "done") and entry["call"] > min(numbers):
                entry["call"] -= 1
        self.assertEqual((self.verdict(), self.second)[1], "COMPLETE", self.why)
        self.assertEqual(self.verdict()[0], "COMPLETE")

    def test_what_does_not_verify_to_the_last_file_is_not_published(self):
        self.entries(type="done", fn="C_Sign")[0]["rv"] = "CKR_PIN_INCORRECT"
        roster = self.told.write(self.folder / "record")
        status, _, err = run("redact", self.folder / "record", "--rules", SOURCE / "scripts" / "smki.redaction.json", "--roster", roster,
                             "--out", self.folder / "bundle")
        self.assertEqual(status, 1)
        self.assertIn("[RED-RECORD-01]", err)
        self.assertFalse((self.folder / "bundle").exists())

    def test_a_signature_in_a_step_that_uses_no_token(self):
        self.call_in("room.attend", "C_Sign")
        self.assert_found("CALL-KIND", "C_Sign")

    def test_an_effect_that_steps_of_this_kind_do_not_have(self):
        effect = self.told.effect("key-created", key="root")
        _, end = self.step("room.attend")
        self.told.entries[end].setdefault("effects", []).append(dict(effect, key="another", spki_sha256="ab" * 32))
        self.assert_found("CALL-KIND", "key-created")

    def test_a_certificate_that_was_approved_and_hidden(self):
        self.told.end_with(self.told.effect("crl-issued", crl="arl-1"))["effects"].clear()
        self.assert_found("CALL-EFFECT", "without a word")

    def test_an_approval_of_something_else(self):
        generate = self.entries(type="step", do="key.generate", phase="begin")[0]["id"]
        for field, lie in {"key": "harmless-test-key", "algorithm": "rsa-2048", "token": "laptop"}.items():
            with self.subTest(field):
                subject = self.told.request(generate)["subject"]
                truth, subject[field] = subject[field], lie
                self.assert_found("QUO-SUBJECT", lie)
                subject[field] = truth
        self.told.request("certify-root")["subject"]["certificate"] = "roof"
        self.assert_found("QUO-SUBJECT", "roof")

    def test_people_were_shown_other_bytes_than_they_approved(self):
        self.told.request("certify-root")["subject"]["tbs"] = "MAA="
        self.assert_found("QUO-SUBJECT", "another digest")

    def test_a_ceremony_of_another_day_than_its_certificates(self):
        for entry in self.told.entries:
            entry["time"] = f"{int(entry['time'][:4]) - 4:04}" + entry["time"][4:]  # leap years come every four
        found = self.assert_found("CRT-DATE", "its step was done from")
        self.assertIn("arl-1", found["CRT-DATE"])

    def test_an_opening_of_another_record(self):
        subject = self.told.request("opening")["subject"]
        for field, lie in {"origin": "smki.example/other/" + "0" * 32, "ceremony": "other", "mode": "production"}.items():
            with self.subTest(field):
                truth, subject[field] = subject[field], lie
                self.assert_found("QUO-SUBJECT", field)
                subject[field] = truth

    def test_a_rehearsal_told_as_production(self):
        for entry in self.told.entries:
            entry["mode"] = "production"
        self.told.request("opening")["subject"]["mode"] = "production"
        self.assert_found("REC-MODE", "rehearsal")
        self.assertEqual(self.second, "INVALID")

    def test_what_is_invisible_is_told_of_visibly(self):
        self.told.request("opening")["subject"]["ceremony"] = "small\ufeff\u202ehierarchy"
        self.assert_found("QUO-SUBJECT", "small\\ufeff\\u202ehierarchy")


if __name__ == "__main__":
    unittest.main()
