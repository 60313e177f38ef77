#!/usr/bin/env python3
"""The whole room cheats, and what betrays it is that PKCS#11 calls, approvals, effects and files do not tell one story."""
import base64
import copy
import hashlib
import json
import shutil
import unittest

from archive import SOURCE, run
from cheating_room import Room
from record_builder import canonical, ledger

POINT = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + bytes(range(64))


class Calls(Room):
    """A root, an issuing CA and an ARL."""

    @classmethod
    def setUpClass(cls):
        cls.hold(lambda text: text)

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
        pair = self.entries(fn="C_GenerateKeyPair")[:2]
        attributes = self.entries(type="done", fn="C_GenerateKeyPair")[0]["attributes"]
        for entry in pair:
            entry["template"]["private.CKA_DERIVE"] = "true"
        truth, attributes["private.CKA_DERIVE"] = attributes["private.CKA_DERIVE"], "true"
        self.assert_found("QUO-SUBJECT", "private.CKA_DERIVE")
        attributes["private.CKA_DERIVE"] = truth
        for entry in pair:
            entry["template"].update({"private.CKA_DERIVE": truth, "private.CKA_TRUSTED": "true"})
        self.assert_found("QUO-SUBJECT", "private.CKA_TRUSTED", "was not told")
        for entry in pair:
            del entry["template"]["private.CKA_TRUSTED"], entry["template"]["private.CKA_DERIVE"]
        self.assert_found("QUO-SUBJECT", "no private.CKA_DERIVE")

    def test_a_key_that_was_made_otherwise_than_its_intent_says(self):
        done = self.entries(type="done", fn="C_GenerateKeyPair")[0]
        self.assertEqual(done["attributes"]["private.CKA_MODIFIABLE"], done["template"]["private.CKA_MODIFIABLE"])
        done["template"]["private.CKA_MODIFIABLE"] = done["attributes"]["private.CKA_MODIFIABLE"] = "other"
        found = self.assert_found("REC-CALL", "template")
        self.assertIn("private.CKA_MODIFIABLE", found["CALL-READ"])
        self.assertEqual(self.second, "INVALID")

    def test_a_call_with_another_mechanism_than_its_intent_says(self):
        self.entries(type="done", fn="C_GenerateKeyPair")[0]["mechanism"] = "CKM_OTHER"
        self.assert_found("REC-CALL", "CKM_OTHER")
        self.assertEqual(self.second, "INVALID")

    def test_a_key_of_which_nobody_read_whether_it_is_sensitive(self):
        del self.entries(type="done", fn="C_GenerateKeyPair")[0]["attributes"]["private.CKA_SENSITIVE"]
        self.assert_found("CALL-READ", "was not read back")

    def test_a_key_that_may_leave_its_token_and_is_told_as_one_that_may_not(self):
        effect = self.told.effect("key-created", key="root")
        effect["extractable"] = not effect["extractable"]
        self.assert_found("CALL-READ", "private.CKA_EXTRACTABLE")

    def test_a_token_that_shows_another_public_key_than_came_out(self):
        attributes = self.entries(type="done", fn="C_GenerateKeyPair")[0]["attributes"]
        truth = attributes["public.CKA_EC_POINT"]
        bare = truth[4:]
        self.assertEqual(len(bare), 130)
        for lie in (self.entries(type="done", fn="C_GenerateKeyPair")[1]["attributes"]["public.CKA_EC_POINT"], bare[2:], "0442" + bare, truth + "00"):
            with self.subTest(lie):
                attributes["public.CKA_EC_POINT"] = lie
                self.assert_found("CALL-READ", "the token shows another public key")
                self.assertEqual(self.second, "INVALID")
        for known in (bare, ""):
            with self.subTest(known):
                attributes["public.CKA_EC_POINT"] = known
                self.assertEqual((self.verdict()[0], self.second), ("COMPLETE", "COMPLETE"), self.why)

    def test_a_token_that_does_not_say_that_it_has_made_the_pair_is_told_of(self):
        self.entries(type="done", fn="C_GenerateKeyPair")[0]["attributes"]["private.CKA_LOCAL"] = "false"
        verdict, found = self.verdict()
        self.assertEqual(verdict, "COMPLETE")
        self.assertIn("came from elsewhere", found["CALL-LOCAL"])

    def test_a_step_that_nothing_signed_before_the_next_one(self):
        for step in ("generate-root", "issue-arl"):  # the last one is followed by the close
            with self.subTest(step):
                self.setUp()
                end = self.entries(type="step", id=step, phase="end")[0]["seq"]
                self.assertEqual(self.told.entries[end + 1]["type"], "checkpoint")
                self.told.remove(lambda entry: entry["seq"] == end + 1)
                verdict, found = self.verdict()
                self.assertEqual(verdict, "COMPLETE")
                self.assertIn(step, found["SIG-STEP"])

    def test_a_second_pair_of_which_the_record_does_not_say_which_it_is(self):
        first = next(n for n, entry in enumerate(self.told.entries) if entry.get("fn") == "C_GenerateKeyPair")
        pair = copy.deepcopy(self.told.entries[first:first + 2])
        self.assertEqual([entry["type"] for entry in pair], ["intent", "done"])
        del pair[1]["spki"]
        for entry in self.told.entries[first + 2:]:
            if entry["type"] in ("intent", "done"):
                entry["call"] += 1
        for entry in pair:
            entry["call"] += 1
        self.told.insert(first + 2, pair)
        self.assert_found("CALL-KEY", f"call {pair[0]['call']} and does not say so")

    def test_a_token_that_was_not_initialised(self):
        self.entries(type="done", fn="C_InitToken")[0]["rv"] = "CKR_DEVICE_ERROR"
        self.assert_found("CALL-COPY", "C_InitToken failed")
        self.assertEqual(self.second, "INVALID")

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

    def test_a_signature_over_bytes_that_nobody_names(self):
        intent = self.entries(type="intent", fn="C_Sign")[0]
        for lie in (None, 7, {"_sd": "A" * 43}):
            with self.subTest(lie):
                intent.pop("input_sha256") if lie is None else intent.update(input_sha256=lie)
                _, found = self.verdict()
                self.assertIn("bytes that nobody names", found["CALL-SIGN"])
                self.assertEqual(self.second, "INVALID")

    def test_a_call_in_a_step_that_has_no_use_for_it(self):
        for kind in ("token.commission", "key.generate"):
            with self.subTest(kind):
                self.setUp()
                self.call_in(kind, "C_Sign")
                first, _ = self.step(kind)
                request = next(n for n in range(first, len(self.told.entries)) if self.told.entries[n]["type"] == "intent" and self.told.entries[n]["fn"] != "C_Sign")
                calls = self.told.entries[first + 1:first + 3]  # behind the approval
                self.told.entries[first + 1:first + 3] = []
                self.told.entries[request - 2:request - 2] = calls
                self.told._put([(entry["seq"], entry) for entry in self.told.entries])
                self.assert_found("CALL-KIND", "C_Sign")
        self.setUp()
        for entry in self.entries(fn="C_Sign")[:2]:
            entry["fn"] = "C_SignFinal"
        self.assert_found("CALL-KIND", "C_SignFinal")

    def attempts(self, signed):
        """`certify-root` is done at its second attempt; the first had the same request, and its call, which then `signed`, failed or not.
        Returns the request of the second, and its call."""
        first = next(n for n, entry in enumerate(self.told.entries) if entry.get("id") == "certify-root")
        call = next(n for n in range(first, len(self.told.entries)) if self.told.entries[n].get("fn") == "C_Sign")
        begin, done = self.told.entries[first], self.told.entries[call + 1]
        self.assertEqual((begin["phase"], done["type"]), ("begin", "done"))
        before = [copy.deepcopy(entry) for entry in self.told.entries[first:call + 2] if entry["type"] != "artefact"]
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
        self.assertIn("bytes that nobody names", found["CALL-SIGN"])
        self.assertEqual(self.second, "INVALID")

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

    def test_calls_in_a_step_of_a_kind_that_nobody_knows_are_told_of(self):
        path = "inputs/small-hierarchy.ceremony.json"
        self.told.files[path] = self.told.files[path].replace(b'"do": "crl.issue"', b'"do": "crl.invent"')
        self.told.request("opening")["subject"]["script_sha256"] = hashlib.sha256(self.told.files[path]).hexdigest()
        for entry in self.entries(type="step", id="issue-arl"):
            entry["do"] = "crl.invent"
        _, found = self.verdict()
        self.assertIn("crl.invent", found["CALL-UNKNOWN"])

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
        for field, lie in {"serial": "deadbeefdeadbeef", "object_id": "0f0f"}.items():
            with self.subTest(field):
                subject = self.told.request(generate)["subject"]
                truth, subject[field] = subject[field], lie
                self.assert_found("QUO-SUBJECT", lie)
                subject[field] = truth
        commission = self.told.request("commission")["subject"]
        truth, commission["token"] = commission["token"], "spare-hsm"
        self.assert_found("QUO-SUBJECT", "spare-hsm")
        commission["token"] = truth
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
        for field, lie in {"origin": "smki.example/other/" + "0" * 32, "ceremony": "other", "mode": "production", "log_key": "MAA="}.items():
            with self.subTest(field):
                truth, subject[field] = subject[field], lie
                self.assert_found("QUO-SUBJECT", field)
                self.assertEqual(self.second, "INVALID")
                subject[field] = truth

    def test_a_rehearsal_told_as_production(self):
        for entry in self.told.entries:
            entry["mode"] = "production"
        self.told.request("opening")["subject"]["mode"] = "production"
        self.assert_found("REC-MODE", "rehearsal")
        self.assertEqual(self.second, "INVALID")
        for entry in self.told.entries:
            entry.pop("simulated", None)
        self.told.entries[0]["environment"] = "production"
        self.assert_found("REC-MODE", "inputs/binding.json is the binding of a rehearsal")
        self.assertEqual(self.second, "INVALID")

    def test_simulated_by_another_word(self):
        next(entry for entry in self.told.entries if "simulated" in entry)["simulated"] = "yes"
        self.assert_found("REC-ENTRY", "simulated")
        self.assertEqual(self.second, "INVALID")

    def test_a_file_that_is_entered_a_second_time(self):
        first = self.entries(type="artefact")[0]
        self.told.insert(first["seq"] + 1, [dict(first)])
        self.assert_found("ART-TWICE", first["name"])
        self.assertEqual(self.second, "INVALID")

    def test_one_cosignature_for_two_requests(self):
        request = self.told.request("certify-root")
        cosigned = [entry for entry in self.told.entries if entry.get("request") == request["seq"] and entry["type"] == "cosign"]
        again = [dict(entry) for entry in cosigned]
        self.told.insert(request["seq"], [copy.deepcopy(request)])
        self.told.insert(cosigned[-1]["seq"] + 1, again)
        for entry in again:
            entry.update(request=request["seq"] - 1, size=cosigned[-1]["size"])
        self.assert_found("QUO-REQUEST", "alone")
        self.assertEqual(self.second, "INVALID")

    def test_a_refusal_of_what_is_no_request(self):
        step = self.entries(type="step", do="key.generate")[0]
        refusal = {name: step[name] for name in ("v", "seq", "time", "mono", "salt", "mode")}
        refusal.update(type="refusal", rule="QUORUM-DENIED-01")
        self.told.insert(step["seq"], [refusal])
        refusal["request"] = str(self.told.request("opening")["seq"])
        self.assert_found("REC-ENTRY", "request")
        self.assertEqual(self.second, "INVALID")

    def test_somebody_comes_or_goes_and_nobody_knows_who(self):
        attend = self.entries(type="attend")[0]
        truth = attend["person"]
        for kind in ("attend", "depart"):
            for lie in (None, {"_sd": "A" * 43}):
                with self.subTest(kind, lie=lie):
                    attend["type"] = kind
                    attend.pop("person", None) if lie is None else attend.update(person=lie)
                    verdict, found = self.verdict()
                    self.assertEqual((verdict, self.second), ("INVALID", "INVALID"))
                    self.assertIn("person", found["REC-ENTRY"])
        attend.update(type="attend", person=truth)

    def test_an_opening_after_the_fact(self):
        request = self.told.request("opening")["seq"]
        opening = [entry for entry in self.told.entries if entry["type"] == "cosign" and entry["request"] == request]
        numbers = {id(entry) for entry in opening}
        rest = [(entry["seq"], entry) for entry in self.told.entries if id(entry) not in numbers]
        self.told._put(rest[:-1] + [(entry["seq"], entry) for entry in opening] + rest[-1:])
        self.assert_found("QUO-INTENT", "after the first call")
        self.assertEqual(self.second, "INVALID")

    def test_evidence_that_the_log_key_is_gone_which_says_nothing_of_the_kind(self):
        title, evidence, rest = self.told.files["addendum.note"].split(b"\n", 2)
        truth = json.loads(evidence)
        gone = dict(truth["objects"][0])
        for lie in ({"absent": False}, {"absent": "true"}, {"spki_sha256": "ab" * 32}, {"objects": [dict(gone, rv="CKR_DEVICE_ERROR")]}, {"objects": 1}):
            with self.subTest(lie):
                self.told.files["addendum.note"] = b"\n".join([title, canonical({**truth, **lie}), rest])
                self.assert_found("ART-ADDENDUM", "says that the log key is not gone")
                self.assertEqual(self.second, "INVALID")

    def test_a_key_destroyed_in_the_name_of_a_crash(self):
        made = self.entries(type="intent", fn="C_GenerateKeyPair")[0]
        begin = self.entries(type="step", do="crl.issue", phase="begin")[0]["seq"]
        common = {name: self.told.entries[begin][name] for name in ("time", "mono", "salt", "mode", "v")}
        for entry in self.told.entries[begin:]:
            if entry["type"] in ("intent", "done"):
                entry["call"] += 1
        call = max(entry["call"] for entry in self.told.entries[:begin] if entry["type"] == "intent") + 1
        other = {"call": call, "fn": "C_DestroyObject", "token": made["token"], "mechanism": "", "template": {}, "inventory": "ab" * 32}
        intent = {**common, **other, "type": "intent", "object": 'private key "root" (id 0f0f)'}
        self.told.insert(begin, [{**common, "type": "recover"}, intent, {**common, **other, "type": "done", "rv": "CKR_OK", "attributes": {}}])
        self.assertEqual((self.verdict()[0], self.second), ("COMPLETE", "COMPLETE"), self.why)  # what is no copy of a key
        intent["object"] = f'private key "root" (id {made["object_id"]})'
        self.assert_found("SCR-CALL", "C_DestroyObject")
        self.assertEqual(self.second, "INVALID")
        intent["object"] = 'private key "root" (id 0f0f)'
        recover = self.told.entries.index(intent) - 1
        recover = self.told.entries[recover]
        self.told.remove(lambda entry: entry is recover)
        earlier = self.entries(type="step", do="cert.issue", phase="begin")[0]["seq"]
        self.told.insert(earlier, [recover])
        self.assert_found("SCR-CALL", "C_DestroyObject")
        self.assertEqual(self.second, "INVALID")

    def test_a_policy_for_another_log(self):
        own = self.told._policy
        self.told._policy = lambda: own().replace(b"log " + self.told.origin.encode(), b"log smki.example/other/" + b"0" * 32)
        self.assert_found("QUO-POLICY", "not the log key")
        self.assertEqual(self.second, "INVALID")

    def test_a_quorum_of_no_number(self):
        self.told.request("certify-root")["quorum"]["n"] = False
        self.assert_found("REC-ENTRY", "is not a number")
        self.assertEqual(self.second, "INVALID")

    def test_a_record_that_follows_itself(self):
        self.told.entries[0]["previous"] = {"origin": self.told.origin, "size": 9, "root": "ab" * 32}
        self.assert_found("REC-ORIGIN", "of this record itself")
        self.assertEqual(self.second, "INVALID")

    def test_torn_bytes_under_the_digest_of_others(self):
        self.told.files["torn-" + "ab" * 32] = b"other"
        self.assert_found("ART-DIGEST", "the digest in its name")
        self.assertEqual(self.second, "INVALID")

    def test_something_withheld_under_a_label_that_is_shown(self):
        roster = self.told.write(self.folder / "record")
        path = next(path for path in self.told.files if path.endswith(".spki.der"))
        (self.folder / "record" / path).unlink()
        for label, expected in (("red", "COMPLETE"), ("amber", "INVALID"), ("green", "INVALID")):
            with self.subTest(label):
                (self.folder / "record" / "withheld.jsonl").write_bytes(ledger(self.told.origin, files=[(path, label, "SEC")], label="amber"))
                self.assertEqual((self.judged(roster)[0], self.second), (expected, expected), self.why)

    def test_a_record_without_a_number_is_told_of(self):
        roster = self.told.write(self.folder / "archive" / "0001-small-hierarchy")
        shutil.copytree(self.folder / "archive" / "0001-small-hierarchy", self.folder / "archive" / "spare")
        _, out, err = run("verify", self.folder / "archive", "--roster", roster, "--json")
        told = json.loads(out)
        self.assertEqual((told["verdict"], [finding["rule"] for finding in told["findings"]]), ("COMPLETE", ["ARC-STRAY"]), err)

    def test_what_is_invisible_is_told_of_visibly(self):
        self.told.request("opening")["subject"]["ceremony"] = "small\ufeff\u202ehierarchy"
        self.assert_found("QUO-SUBJECT", "small\\ufeff\\u202ehierarchy")


class Copies(Room):
    """A key that is made, cloned and destroyed."""

    @classmethod
    def setUpClass(cls):
        cls.hold_life(["root-hsm", "backup-hsm"], [{"id": "clone", "do": "key.clone", "quorum": "custodians", "key": "root",
                                                    "source": "root-hsm", "targets": ["backup-hsm"]}])

    def destructions(self):
        """Of the key's own copies: the intents."""
        copies = {(effect["token"], effect["object_id"]) for end in self.told.ends() for effect in end["effects"] if effect["effect"] == "copy-destroyed"}
        self.assertEqual(len(copies), 2)
        found = [entry for entry in self.entries(type="intent", fn="C_DestroyObject") if entry["object"].startswith("private")
                 and any(entry["token"] == token and f"(id {own})" in entry["object"] for token, own in copies)]
        self.assertEqual(len(found), 2)
        return found

    def done(self, intent):
        return self.entries(type="done", call=intent["call"])[0]

    def assert_both(self, rule, *words):
        found = self.assert_found(rule, *words)
        self.assertEqual(self.second, "INVALID")
        return found

    def test_told_anew_without_a_lie_it_is_complete(self):
        verdict, found = self.verdict()
        self.assertEqual((verdict, [rule for rule in found if rule.startswith(("CALL", "CPY", "QUO-S"))]), ("COMPLETE", []), found)
        self.assertEqual((self.second, self.why), ("COMPLETE", ""))

    def test_a_copy_that_nobody_destroyed(self):
        call = self.destructions()[0]["call"]
        self.told.remove(lambda entry: entry.get("call") == call and entry["type"] in ("intent", "done"))
        self.assert_both("CALL-COPY", "no step has destroyed it")

    def test_a_copy_that_would_not_go(self):
        self.done(self.destructions()[1])["rv"] = "CKR_DEVICE_ERROR"
        self.assert_both("CALL-COPY", "has failed")

    def test_another_object_is_destroyed_in_the_place_of_a_copy(self):
        self.destructions()[1]["object"] = 'private key "other" (id 0f0f)'
        self.assert_both("CALL-COPY", "no step has destroyed it")

    def test_another_copy_is_destroyed_than_was_approved(self):
        requests = [entry for entry in self.entries(type="request", step="destroy")]
        self.assertEqual(len(requests), 2)
        for field, lie in {"key": "other", "object_id": "0f0f"}.items():
            with self.subTest(field):
                asked = requests[0]["subject"]["copies"][0]
                truth, asked[field] = asked[field], lie
                self.assert_both("QUO-SUBJECT", "another one")
                asked[field] = truth

    def test_a_copy_that_was_never_brought(self):
        unwraps = self.entries(type="intent", fn="C_UnwrapKey", token="backup-hsm")
        self.assertTrue(unwraps)
        for unwrap in unwraps:
            self.done(unwrap)["rv"] = "CKR_DEVICE_ERROR"
        self.assert_both("CALL-COPY", "no C_UnwrapKey")

    def test_a_copy_of_which_nobody_is_told(self):
        end = self.told.end_with(self.told.effect("key-cloned", key="root"))
        end["effects"].clear()
        self.assert_found("CALL-COPY", "does not say so")

    def test_a_key_signs_what_is_no_proof(self):
        calls = self.entries(type="intent", fn="C_Sign")
        self.assertEqual([call["token"] for call in calls], ["backup-hsm"])
        truth = dict(calls[0])
        proof = base64.b64decode(truth["input"])
        self.assertEqual(truth["input_sha256"], hashlib.sha256(proof).hexdigest())
        for lie, words in ((b"I owe you a million.", "no proof of copy"), (proof + b"\0", "no proof of copy"), (proof.replace(b"proof of copy", b"proof of love"), "no proof of copy"),
                           (None, "neither an approval nor the call itself has")):
            with self.subTest(lie):
                calls[0].update(truth)
                if lie is None:
                    del calls[0]["input"]
                else:
                    calls[0].update(input=base64.b64encode(lie).decode(), input_sha256=hashlib.sha256(lie).hexdigest())
                self.assert_both("CALL-SIGN", words)
        calls[0].update(truth, serial="deadbeefdeadbeef")
        self.assert_both("CALL-SIGN", "a proof for the token")
        calls[0].update(truth)
        subject = self.told.request("clone")["subject"]
        subject["proof"] = "statement" if subject["proof"] != "statement" else "certification-request"
        self.assert_both("CALL-SIGN", subject["proof"])

    def test_another_copy_is_made_than_was_approved(self):
        subject = self.told.request("clone")["subject"]
        subject["copies"][0]["token"] = "other-hsm"
        self.assert_both("QUO-SUBJECT", "another one")
        subject["copies"][0]["token"] = "backup-hsm"
        subject["source"] = "nowhere"
        self.assert_found("QUO-SUBJECT", "nowhere")


class People(Room):
    """Somebody is appointed, and somebody retires."""

    @classmethod
    def setUpClass(cls):
        def change(text):
            script = json.loads(text)
            del script["sections"][0]["steps"][1:], script["profiles"], script["tokens"]
            script["sections"][0]["steps"] += [
                {"id": "appoint-frank", "do": "custodian.appoint", "quorum": "custodians", "person": "frank", "file": "people/frank.person.json"},
                {"id": "retire-erin", "do": "custodian.retire", "quorum": "custodians", "person": "erin", "state": "leaving", "reason": "takes another post"}]
            return json.dumps(script)
        cls.hold(change)

    def test_told_anew_without_a_lie_it_is_complete(self):
        self.assertEqual((self.verdict()[0], self.second, self.why), ("COMPLETE", "COMPLETE", ""))

    def test_somebody_is_appointed_with_a_key_that_was_not_approved_or_not_shown(self):
        subject = self.told.request("appoint-frank")["subject"]
        truth, subject["sign_key_sha256"] = subject["sign_key_sha256"], "ab" * 32
        self.assert_found("QUO-POSSESSION", "ab" * 32)
        self.assertEqual(self.second, "INVALID")
        subject["sign_key_sha256"] = truth
        effect = self.told.effect("person-appointed")
        effect["sign_key"] = effect["open_key"]
        subject["sign_key_sha256"] = hashlib.sha256(base64.b64decode(effect["sign_key"])).hexdigest()
        self.assert_found("QUO-POSSESSION", "proven to be theirs")
        self.assertEqual(self.second, "INVALID")

    def test_somebody_else_is_appointed_or_retired_than_was_approved(self):
        self.told.effect("person-appointed")["person"] = "mallory"
        self.assert_found("QUO-SUBJECT", "mallory")
        self.setUp()
        self.told.effect("person-retired")["person"] = "bob"
        found = self.assert_found("QUO-SUBJECT", "bob")
        self.assertIn("the script says", found["CRT-ORDER"])


if __name__ == "__main__":
    unittest.main()
