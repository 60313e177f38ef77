"""Holds that one version stands everywhere: CMake, programs, CHANGELOG, man pages."""
import os
import re
import subprocess
import unittest

import tree

PROGRAMS = ("keyceremony", "keyceremony-verify")
PAGES = PROGRAMS + ("keyceremony-custodian",)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def page_of(name):
    return tree.read(f"docs/man/{name}.1").replace("\\-", "-")


def help_of(*command):
    return subprocess.run([*command, "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout


def commands_of(program):
    """What `--help` tells: the help of each command by its full name; of a program without commands its own."""
    found, left = {}, [(program,)]
    while left:
        command = left.pop()
        said = help_of(*command)
        parts = re.findall(r"^  ([a-z][a-z-]+)  ", said.partition("Options:")[2], re.MULTILINE)
        left += [(*command, part) for part in parts]
        if not parts:
            found[" ".join(command)] = said
    return found


def synopses(page, commands):
    """The options that the SYNOPSIS of a man page gives each command; under "" what is of none of these commands."""
    found = {}
    text = re.search(r"^\.SH SYNOPSIS\n(.*?)^\.SH ", page, re.MULTILINE | re.DOTALL).group(1)
    for entry in text.split("\n.br\n"):
        words = re.sub(r"^\.\w+ ", "", entry, flags=re.MULTILINE).replace("\n", " ")
        of = max((name for name in commands if words.startswith(name + " ")), key=len, default="")
        found.setdefault(of, set()).update(OPTION.findall(words))
    return found


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
        for program in PAGES:
            with self.subTest(program=program):
                title = re.search(r"^\.TH .+$", tree.read(f"docs/man/{program}.1"), re.MULTILINE).group(0)
                self.assertIn(f'"keyceremony {self.version}"', title)

    def test_the_man_pages_are_clean(self):
        for program in PAGES:
            with self.subTest(program=program):
                checked = subprocess.run(
                    ["mandoc", "-T", "lint", "-W", "warning", os.path.join(tree.SOURCE, f"docs/man/{program}.1")],
                    capture_output=True, text=True)
                self.assertEqual((checked.stdout, checked.stderr), ("", ""))

    def test_the_synopses_of_the_man_pages_have_the_commands_and_options_of_help_and_no_others(self):
        for program in PROGRAMS:
            helped = commands_of(program)
            pages = [name for name in PAGES if name == program or (program == "keyceremony" and name.endswith("custodian"))]
            told = {}
            for name in pages:
                for command, options in synopses(page_of(name), helped).items():
                    told.setdefault(command, set()).update(options)
            self.assertLessEqual(told.pop("", set()), {"--help", "--version"})
            takes = {name: set(OPTION.findall(said)) - {"--help", "--version"} for name, said in helped.items()}
            for name in takes:
                with self.subTest(command=name):
                    self.assertEqual(told.get(name, set()) - {"--help", "--version"}, takes[name])

    def test_every_command_and_option_of_help_is_explained_in_a_man_page(self):
        explained = {name: page_of(name).partition(".SH DESCRIPTION")[2] for name in PAGES}
        everywhere = "".join(explained.values())
        for program in PROGRAMS:
            for name, said in commands_of(program).items():
                with self.subTest(command=name):
                    self.assertEqual([option for option in OPTION.findall(said) if option not in everywhere], [])
                    title = name.partition(" ")[2].removeprefix("custodian ")
                    if title:
                        self.assertRegex(everywhere, rf"(?m)^\.B {title}$")
        kinds = re.search(r"what kind of file: ([a-z, \n-]+)", help_of("keyceremony", "schema")).group(1)
        for kind in re.findall(r"[a-z-]+", kinds):
            self.assertRegex(explained["keyceremony"], rf"kind of input file:[^.]*\b{kind}\b")


if __name__ == "__main__":
    unittest.main()
