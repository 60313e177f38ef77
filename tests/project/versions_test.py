"""Holds that one version stands everywhere: CMake, programs, CHANGELOG, man pages."""
import os
import re
import subprocess
import unittest

import tree

PROGRAMS = ("keyceremony", "keyceremony-verify")


class Versions(unittest.TestCase):
    def setUp(self):
        cmake = re.search(r"^project\(keyceremony VERSION (\d+\.\d+\.\d+)", tree.read("CMakeLists.txt"), re.MULTILINE)
        self.version = cmake.group(1)

    def test_cmake_and_the_build_agree(self):
        self.assertEqual(self.version, os.environ.get("KEYCEREMONY_VERSION", self.version))

    def test_the_changelog_begins_with_this_version(self):
        headings = re.findall(r"^## (.+)$", tree.read("CHANGELOG.md"), re.MULTILINE)
        self.assertRegex(headings[0], rf"^{re.escape(self.version)} \((unreleased|\d{{4}}-\d{{2}}-\d{{2}})\)$")

    def test_the_programs_say_this_version(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                said = subprocess.run([program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
                self.assertEqual((said.stdout, said.stderr, said.returncode), (f"{program} {self.version}\n", "", 0))

    def test_the_man_pages_say_this_version(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                title = re.search(r"^\.TH .+$", tree.read(f"docs/man/{program}.1"), re.MULTILINE).group(0)
                self.assertIn(f'"keyceremony {self.version}"', title)

    def test_the_man_pages_are_clean(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                checked = subprocess.run(
                    ["mandoc", "-T", "lint", "-W", "warning", os.path.join(tree.SOURCE, f"docs/man/{program}.1")],
                    capture_output=True, text=True)
                self.assertEqual((checked.stdout, checked.stderr), ("", ""))

    def test_every_option_and_command_of_help_is_in_the_man_page(self):
        for program in PROGRAMS:
            helped = subprocess.run([program, "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
            self.assertEqual(helped.returncode, 0)
            page = tree.read(f"docs/man/{program}.1").replace("\\-", "-")
            commands = re.findall(r"^  ([a-z][a-z-]+)  ", helped.stdout, re.MULTILINE) if program == "keyceremony" else []
            options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", helped.stdout))
            for command in commands:
                said = subprocess.run([program, command, "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
                self.assertEqual(said.returncode, 0, command)
                self.assertIn(f"Usage: {program} {command} ", said.stdout)
                options |= set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", said.stdout))
            with self.subTest(program=program):
                self.assertEqual([name for name in commands if name not in page], [])
                self.assertEqual(sorted(name for name in options if name not in page), [])


if __name__ == "__main__":
    unittest.main()
