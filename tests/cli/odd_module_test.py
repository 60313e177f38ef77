#!/usr/bin/env python3
"""Modules with oddities: one that prints, one that ends the program, and those that cannot do what a script asks."""
import json
import os
import pathlib
import subprocess
import unittest

import room

MODULE = pathlib.Path(os.environ["KEYCEREMONY_BINARY_DIR"]) / "bin" / "odd_module.so"
ENDED = "keyceremony: error: a PKCS#11 module has ended this program while it was loaded or called\n"
CKM_EC_KEY_PAIR_GEN = "4160"


class Odd(room.Room):
    """The room whose tokens are behind the odd module."""

    def setUp(self):
        super().setUp()
        self.exits = self.folder / "exits"
        self.exits.mkdir()
        self.oddities = {"ODD_REAL": room.SOFTHSM, "ODD_EXIT_AT": str(self.exits)}
        self.bind()

    def bind(self, **oddities):
        self.oddities.update(oddities)
        for token in self.place.bound["tokens"].values():
            token["module"] = str(MODULE)
            token["environment"].update(self.oddities)
        self.place.write_binding()

    def exit_at(self, function):
        (self.exits / function).touch()

    def list_tokens(self, **options):
        return subprocess.run(["keyceremony", "token", "list", "--module", MODULE, "--json"], text=True, check=False,
                              env=dict(self.place.environment, **self.oddities),
                              **dict({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}, **options))

    def assert_refused_at_the_door(self, rule, *words):
        """Nobody is asked for a PIN or an approval, and no record is begun."""
        status, shown = self.run_script([(r"PIN|[Aa]pprove", None)])
        self.assertEqual(status, 1, shown[-2000:])
        for word in (f"[{rule}]", *words):
            self.assertIn(word, " ".join(shown.split()))
        self.assertEqual(list(self.place.archive.glob("0*")), [])


class Noise(Odd):
    def test_what_a_module_prints_is_not_in_our_output(self):
        done = self.list_tokens()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("record", json.dumps(json.loads(done.stdout)))
        for way in ("stdio", "a stream"):
            for function in ("C_GetFunctionList", "C_Initialize", "C_GetSlotList"):
                self.assertIn(f"noise of {way} in {function}\n", done.stderr)
        self.assertIn("noise of a descriptor\n", done.stderr)

    def test_it_is_kept_apart_without_standard_error_too(self):
        done = self.list_tokens(stderr=None, preexec_fn=lambda: os.close(2))
        self.assertEqual(done.returncode, 0)
        self.assertIn("record", json.dumps(json.loads(done.stdout)))


class Exits(Odd):
    def test_a_module_that_calls_exit_is_an_error_of_its_token(self):
        for function in ("C_GetFunctionList", "C_Initialize", "C_GetSlotList"):
            self.exit_at(function)
            done = self.list_tokens()
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertEqual(done.stdout, "")
            self.assertIn(ENDED, done.stderr)
            self.assertIn("keyceremony resume", done.stderr)

    def test_a_ceremony_that_a_module_has_ended_is_not_done_and_goes_on(self):
        def approve(_):
            self.exit_at("C_GenerateKeyPair")
            return "approve"

        status, shown = self.run_script([(r"Do you approve", approve)])
        self.assertEqual(status, 3, shown[-2000:])
        self.assertIn(ENDED, shown)
        self.assertFalse(self.entries("close"))
        status, shown = self.resume([(r"What shall become of it", "remove")])
        self.assertEqual(status, 0, shown[-3000:])
        self.assert_complete()


class Limits(Odd):
    def test_a_token_that_its_makers_tool_initialises_is_not_commissioned(self):
        self.bind(ODD_MANUFACTURER="IBM", ODD_DESCRIPTION="Meta PKCS11 LIBRARY")
        self.assert_refused_at_the_door("TOKEN-COMMISSION-03", 'say "method": "vendor"')

    def test_a_token_whose_pins_are_shorter_than_the_policys_is_not_commissioned(self):
        self.bind(ODD_LONGEST="15")
        self.assert_refused_at_the_door("TOKEN-PIN-01", "PINs of 16 characters", "takes 4 to 15")

    def test_a_record_token_that_cannot_sign_the_record_is_named_before_there_is_one(self):
        self.bind(ODD_WITHOUT=CKM_EC_KEY_PAIR_GEN)
        self.assert_refused_at_the_door("TOKEN-MECH-02", "CKM_EC_KEY_PAIR_GEN", "to make key of the record (EC P-256)",
                                        "let another token be the record_token of the binding")


if __name__ == "__main__":
    unittest.main()
