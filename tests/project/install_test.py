"""Holds what `cmake --install` promises: programs, man pages, scripts, and a CMake package that another project can use."""
import os
import subprocess
import tempfile
import unittest

import tree

BINARY = os.environ.get("KEYCEREMONY_BINARY_DIR", os.path.join(tree.SOURCE, "build/dev"))
CONSUMER = """cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES CXX)
find_package(keyceremony {version} REQUIRED)
add_executable(consumer main.cc)
target_compile_features(consumer PRIVATE cxx_std_20)
target_link_libraries(consumer PRIVATE keyceremony::base keyceremony::hsm keyceremony::ceremony_record)
"""
PROGRAM = """#include <cstdio>
#include "hsm/base/words.h"
int main() { std::puts(base::PgpWords(base::Bytes{0xe5, 0x82})[1].c_str()); }
"""


def run(*command, **more):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command} exits with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def cached(name):
    with open(os.path.join(BINARY, "CMakeCache.txt"), encoding="utf-8") as cache:
        for line in cache:
            if line.startswith(name + ":"):
                return line.split("=", 1)[1].strip()
    return ""


class Install(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="keyceremony-install-")
        cls.prefix = os.path.join(cls.folder.name, "prefix")
        run("cmake", "--install", BINARY, "--prefix", cls.prefix)
        cls.files = sorted(os.path.relpath(os.path.join(place, name), cls.prefix)
                           for place, _, names in os.walk(cls.prefix) for name in names)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_the_programs_run_from_where_they_are_installed(self):
        self.assertEqual([path for path in self.files if path.startswith("bin/")],
                         ["bin/keyceremony", "bin/keyceremony-verify"])
        for program in ("keyceremony", "keyceremony-verify"):
            said = run(os.path.join(self.prefix, "bin", program), "--version", env={"LC_ALL": "C"})
            self.assertRegex(said, rf"^{program} \d+\.\d+\.\d+\n$")

    def test_every_man_page_script_and_document_is_there(self):
        expected = {"share/man/man1/keyceremony.1", "share/man/man1/keyceremony-verify.1",
                    "share/man/man1/keyceremony-custodian.1"}
        for path in tree.files():
            if path.startswith("scripts/") and path.endswith(".json"):
                expected.add("share/keyceremony/" + path)
            if path.startswith("docs/") and not path.startswith("docs/man/"):
                expected.add("share/doc/keyceremony/" + path[len("docs/"):])
            if path.startswith(("hsm/", "ceremony/")) and path.endswith(".h"):
                expected.add("include/keyceremony/" + path)
        self.assertEqual(sorted(expected - set(self.files)), [])

    def test_nothing_installed_names_the_trees_it_was_built_from(self):
        faults = []
        for path in self.files:
            if path.startswith("lib/") and path.endswith(".cmake"):
                with open(os.path.join(self.prefix, path), encoding="utf-8") as file:
                    text = file.read()
                faults += [path for place in (tree.SOURCE, os.path.realpath(BINARY)) if place in text]
        self.assertEqual(faults, [])

    def test_another_project_finds_the_package_and_links(self):
        if cached("KEYCEREMONY_SANITIZE"):
            self.skipTest("a library with a sanitizer inside asks its users to link it too")
        consumer = os.path.join(self.folder.name, "consumer")
        os.mkdir(consumer)
        version = os.environ.get("KEYCEREMONY_VERSION", "")
        for name, text in (("CMakeLists.txt", CONSUMER.format(version=version)), ("main.cc", PROGRAM)):
            with open(os.path.join(consumer, name), "w", encoding="utf-8") as file:
                file.write(text)
        build = os.path.join(consumer, "build")
        run("cmake", "-S", consumer, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_CXX_COMPILER={cached('CMAKE_CXX_COMPILER')}")
        run("cmake", "--build", build)
        self.assertEqual(run(os.path.join(build, "consumer")), "Istanbul\n")


if __name__ == "__main__":
    unittest.main()
