"""Every rule and every test that docs/assurance.md and docs/threat-model.md name exists."""
import json
import os
import re
import subprocess
import unittest

SOURCE = os.environ.get("KEYCEREMONY_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
RULE = re.compile(r"[A-Z][A-Z0-9]+(?:-[A-Z0-9]+)+")
TIERS = "unit|softhsm|fault|cli|project|fuzz"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def sources(*folders, endings=(".cc", ".h")):
    for top in folders:
        for folder, _, names in os.walk(os.path.join(SOURCE, top)):
            for name in names:
                if name.endswith(endings):
                    yield read(os.path.join(folder, name))


class AssuranceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        listed = subprocess.run(["ctest", "--test-dir", os.environ["KEYCEREMONY_BINARY_DIR"], "--show-only=json-v1"],
                                capture_output=True, check=True)
        cls.programs = {test["name"] for test in json.loads(listed.stdout)["tests"]}
        cls.rules = set()
        for text in sources("hsm", "ceremony"):
            cls.rules.update(re.findall(r'"(%s)"' % RULE.pattern, text))
        cls.cases = set()
        for text in sources("tests"):
            cls.cases.update(re.findall(r'TEST_CASE(?:_FIXTURE)?\((?:\w+, )?"([^"]+)"', text))
        cls.methods = set()
        for text in sources("tests", endings=(".py",)):
            cls.methods.update(re.findall(r"def (test_\w+)", text))

    def hold(self, name):
        """Checks each name of the document; returns how many there were."""
        text, held = read(os.path.join(SOURCE, "docs", name)), 0
        for word in re.findall(r"`([^`\n]+)`", text):
            known = None
            if RULE.fullmatch(word):
                known = self.rules
            elif word.startswith("test_"):
                known = self.methods
            elif re.fullmatch(rf"(?:{TIERS})_[\w-]+", word):
                known = self.programs
            if known is not None:
                held += 1
                with self.subTest(word):
                    self.assertIn(word, known, f"docs/{name} names it, and it does not exist")
        return held

    def test_what_the_threat_model_names_exists(self):
        self.assertGreater(self.hold("threat-model.md"), 10)

    def test_what_the_assurance_names_exists(self):
        self.assertGreater(self.hold("assurance.md"), 80)
        evidence = re.findall(r"^- Tests: .*(?:\n  .*)*", read(os.path.join(SOURCE, "docs/assurance.md")), re.MULTILINE)
        quoted = [re.sub(r"\s+", " ", sentence) for block in evidence for sentence in re.findall(r'"([^"]+)"', block)]
        self.assertGreater(len(quoted), 10)
        for sentence in quoted:
            with self.subTest(sentence):
                self.assertIn(sentence, self.cases, "docs/assurance.md names it, and no test case is called so")

    def test_every_rule_of_the_lint_has_a_case(self):
        """A rule that nothing breaks in a test may find nothing in the field."""
        rules = re.findall(r'\{RuleId::k\w+, "([A-Z0-9-]+)"', read(os.path.join(SOURCE, "ceremony/x509/rules.cc")))
        self.assertGreater(len(rules), 130)
        tests = "".join(sources("tests/unit", "tests/cli", endings=(".cc", ".py")))
        # Two decoders that differ would be a bug of one of them, which no test can order.
        self.assertEqual([rule for rule in rules if rule not in tests], ["COMPARE-02"])

    def test_every_claim_has_its_tests(self):
        claims = re.split(r"^## ", read(os.path.join(SOURCE, "docs/assurance.md")), flags=re.MULTILINE)[1:]
        self.assertGreater(len(claims), 9)
        for claim in claims:
            with self.subTest(claim.split("\n")[0]):
                self.assertIn("\n- Tests: ", claim)


if __name__ == "__main__":
    unittest.main()
