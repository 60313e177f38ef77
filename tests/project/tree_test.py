"""Holds what the source tree as a whole promises: its folders, its words, its scripts."""
import getpass
import os
import re
import socket
import stat
import subprocess
import unittest

import tree

# docs/design.md, "The house". A new name here is a decision about the house; write it there as well.
TOP = {".ci", ".clang-format", ".clang-tidy", ".editorconfig", ".gitattributes", ".gitignore", "CHANGELOG.md",
       "CMakeLists.txt", "CMakePresets.json", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md", "ceremony",
       "docs", "hsm", "scripts", "tests", "third_party"}

STANDARD_FOLDERS = {"bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "media", "mnt", "opt",
                    "proc", "run", "sbin", "srv", "sys", "tmp", "usr", "var"}
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/<$}~)-])/([A-Za-z0-9_.+-]+(?:/[A-Za-z0-9_.+-]+)*)")
HOME_FOLDER = re.compile(r"(?<![\w.])/(?:root|home/[a-z][\w-]*|Users/\w+)/")
LATER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")


def machine_names():
    """Names that only this machine has: of itself, of the trees, of who builds."""
    names = {tree.SOURCE, os.path.realpath(os.environ.get("KEYCEREMONY_BINARY_DIR", tree.SOURCE))}
    host = socket.gethostname()
    if len(host) > 3 and host not in ("localhost", "debian"):
        names.add(host)
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "root"
    if len(user) > 4:  # short ones ("root", "ci", "user") are words as well
        names.add(f"/{user}/")
    return {name for name in names if name != "/"}


def private_paths(text):
    """Absolute paths in a text that lead to a place which exists here but is no part of every Debian."""
    found = set()
    for match in ABSOLUTE_PATH.finditer(text):
        parts = match.group(1).split("/")
        if parts[0] in (".", ".."):
            continue
        if parts[0] in STANDARD_FOLDERS:
            if parts[0] == "tmp" and len(parts) > 1 and os.path.isdir(os.path.join("/tmp", parts[1])):
                found.add(match.group(0))
        elif os.path.isdir("/" + parts[0]) and parts[0] != "root":
            found.add(match.group(0))
    return found


class Tree(unittest.TestCase):
    maxDiff = None

    def test_the_top_holds_the_folders_of_the_house_and_nothing_else(self):
        self.assertEqual({path.split("/")[0] for path in tree.files()} - TOP, set())

    def test_no_file_names_a_place_on_the_machine_it_was_written_on(self):
        names, faults = machine_names(), []
        for path in tree.files():
            text = tree.read(path)
            if text is None:
                continue
            faults += [f"{path}: '{name}'" for name in names if name in text]
            faults += [f"{path}: '{match.group(0)}'" for match in HOME_FOLDER.finditer(text)]
            faults += [f"{path}: '{place}'" for place in private_paths(text)]
        self.assertEqual(faults, [])

    def test_every_link_of_a_document_leads_somewhere(self):
        faults = []
        for path in tree.files():
            if path.endswith(".md"):
                for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", tree.read(path)):
                    place = os.path.normpath(os.path.join(os.path.dirname(path), target))
                    if not re.match(r"[a-z]+:", target) and not os.path.exists(os.path.join(tree.SOURCE, place)):
                        faults.append(f"{path}: {target}")
        self.assertEqual(faults, [])

    def test_nothing_is_left_for_later_in_a_comment(self):
        here = os.path.relpath(os.path.realpath(__file__), tree.SOURCE)
        faults = []
        for path in tree.files():
            text = tree.read(path)
            if text is not None and path != here:
                faults += [f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match.group(0)}"
                           for match in LATER.finditer(text)]
        self.assertEqual(faults, [])

    def test_text_files_end_with_one_line_feed_and_have_no_carriage_return(self):
        faults = []
        for path in tree.files():
            text = tree.read(path)
            if text is None or path.startswith("tests/") and "/corpus/" in path:
                continue
            if text and not text.endswith("\n"):
                faults.append(f"{path}: no line feed at the end")
            if "\r" in text:
                faults.append(f"{path}: carriage return")
        self.assertEqual(faults, [])

    def test_scripts_can_be_executed_and_parse(self):
        for path in tree.files():
            if not (path.startswith("scripts/dev/") or path == ".ci/run") or path.endswith(".py"):
                continue
            with self.subTest(path=path):
                first = tree.read(path).split("\n", 1)[0]
                executable = bool(os.stat(os.path.join(tree.SOURCE, path)).st_mode & stat.S_IXUSR)
                self.assertEqual(executable, first.startswith("#!"), "a script has both a #! line and the x bit")
                checked = subprocess.run(["bash", "-n", os.path.join(tree.SOURCE, path)], capture_output=True, text=True)
                self.assertEqual((checked.returncode, checked.stderr), (0, ""))

    def test_the_licence_is_the_whole_apache_2_0(self):
        text = tree.read("LICENSE")
        self.assertIn("Apache License\n                           Version 2.0, January 2004", text)
        self.assertIn("END OF TERMS AND CONDITIONS", text)

    def test_every_dependency_that_cmake_finds_is_explained(self):
        cmake, readme = tree.read("third_party/dependencies.cmake"), tree.read("third_party/README.md")
        names = re.findall(r"^\s*find_package\((\w+)", cmake, re.MULTILINE)
        names += re.findall(r"^\s*pkg_check_modules\(\w+ .*?([\w.-]+)\)", cmake, re.MULTILINE)
        self.assertGreater(len(names), 5)
        self.assertEqual([name for name in names if f"`{name}`" not in readme], [])

    def test_every_debian_package_of_a_dependency_is_installed_by_our_script(self):
        installed = subprocess.run([os.path.join(tree.SOURCE, "scripts/dev/install-packages"), "--list"],
                                   capture_output=True, text=True, check=True).stdout.split()
        readme = tree.read("third_party/README.md")
        named = re.findall(r"^\| `[\w.-]+` \| `([a-z0-9.+-]+)` \|", readme, re.MULTILINE)
        self.assertGreater(len(named), 5)
        self.assertEqual([name for name in named if name not in installed], [])


if __name__ == "__main__":
    unittest.main()
