"""Holds the arrows of docs/design.md: who may include whom. Also: headers name themselves rightly.

Run with --explain to print the table.
"""
import os
import re
import sys
import unittest

import tree

# The chain, lowest first: a folder may include itself and what stands to its left.
CHAIN = ["hsm/base", "hsm", "ceremony/record", "ceremony/x509", "ceremony/script", "ceremony/estate", "ceremony/room",
         "ceremony/quorum", "ceremony/steps", "ceremony/run", "ceremony/replay", "ceremony/report", "ceremony/cli"]
ALLOWED = {folder: set(CHAIN[: place + 1]) for place, folder in enumerate(CHAIN)}
# Who keeps off the tokens: these never see PKCS#11, so `hsm` is not theirs, only its base.
for off_tokens in ("ceremony/record", "ceremony/x509"):
    ALLOWED[off_tokens].discard("hsm")
# The small verifier stands beside the chain: it reads records and what is in their files, and reaches no token.
ALLOWED["ceremony/verify"] = {"ceremony/verify", "ceremony/script", "ceremony/x509", "ceremony/record", "hsm/base"}
for judge in ("ceremony/replay", "ceremony/report", "ceremony/cli"):
    ALLOWED[judge].add("ceremony/verify")

PKCS11_HEADER = re.compile(r"(^|/)(pkcs11[a-z0-9_-]*|cryptoki)\.h$", re.IGNORECASE)
PKCS11_HEADER_OWNER = "hsm/cryptoki.h"
INCLUDE = re.compile(r'^[ \t]*#[ \t]*(?:include|include_next|import)[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
SOURCES = (".h", ".cc")


def folder_of(path):
    """The folder of CHAIN that a path lies in: the longest that fits, None outside hsm/ and ceremony/."""
    fitting = [folder for folder in ALLOWED if path.startswith(folder + "/")]
    return max(fitting, key=len, default=None)


def includes(text):
    """(line number, quoted or angled, name) of every include; comments are not code."""
    code = re.sub(r"/\*.*?\*/", lambda match: "\n" * match.group(0).count("\n"), text, flags=re.DOTALL)
    code = re.sub(r"//[^\n]*", "", code)
    return [(code.count("\n", 0, match.start(2)) + 1, match.group(1), match.group(2)) for match in INCLUDE.finditer(code)]


def faults_of(path, text, existing):
    """Every include of a file that breaks a rule, in words."""
    faults = []
    home = folder_of(path)
    if path.startswith(("hsm/", "ceremony/")) and (home is None or path.count("/") != home.count("/") + 1):
        faults.append(f"{path}: this folder is not in the table of arrows (tests/project/arrows_test.py, docs/design.md)")
        return faults
    for line, quote, name in includes(text):
        where = f"{path}:{line}"
        if PKCS11_HEADER.search(name) and not name.startswith("hsm/") and path != PKCS11_HEADER_OWNER:
            faults.append(f"{where}: only {PKCS11_HEADER_OWNER} includes a PKCS#11 header, not '{name}'")
        target = folder_of(name)
        if quote == '"' and name not in existing:
            faults.append(f"{where}: '{name}' is not a path from the top of the tree")
        if quote == "<" and target is not None:
            faults.append(f"{where}: '{name}' is ours and is included with quotes")
        if home is not None and target is not None and target not in ALLOWED[home]:
            faults.append(f"{where}: {home} may not include {target} ('{name}')")
        if home is not None and name.startswith("tests/"):
            faults.append(f"{where}: {home} may not include tests ('{name}')")
        if name == "dlfcn.h" and home is not None and home != "hsm":
            faults.append(f"{where}: only hsm loads modules, {home} may not include <dlfcn.h>")
    return faults


class Arrows(unittest.TestCase):
    maxDiff = None

    def test_every_include_follows_the_arrows(self):
        existing = set(tree.files())
        faults = []
        for path in sorted(existing):
            if path.endswith(SOURCES):
                faults += faults_of(path, tree.read(path), existing)
        self.assertEqual(faults, [])

    def test_a_broken_arrow_is_found(self):
        existing = {"hsm/cryptoki.h", "hsm/base/result.h", "ceremony/record/tree.h", "ceremony/cli/exit_code.h",
                    "tests/support/fake.h"}
        broken = [
            ("hsm/base/a.h", '#include "hsm/cryptoki.h"'),
            ("hsm/token.cc", '#include "ceremony/record/tree.h"'),
            ("hsm/token.cc", "#include <p11-kit/pkcs11.h>"),
            ("ceremony/record/tree.cc", '#include "hsm/cryptoki.h"'),
            ("ceremony/record/tree.cc", "  #  include  <dlfcn.h>"),
            ("ceremony/x509/der.cc", '#include "hsm/cryptoki.h"'),
            ("ceremony/verify/main.cc", '#include "hsm/cryptoki.h"'),
            ("ceremony/steps/attend.cc", '#include "ceremony/cli/exit_code.h"'),
            ("ceremony/run/plan.cc", '#include "tests/support/fake.h"'),
            ("ceremony/record/tree.cc", '#include "tree.h"'),
            ("ceremony/record/tree.cc", '#include "../record/tree.h"'),
            ("ceremony/record/tree.cc", "#include <hsm/base/result.h>"),
            ("ceremony/unheard/of.cc", ""),
            ("hsm/stray/of.cc", ""),
            ("tests/unit/hsm/a.cc", "#include <pkcs11.h>"),
        ]
        for path, text in broken:
            with self.subTest(path=path, text=text):
                self.assertEqual(len(faults_of(path, text, existing)), 1)
        kept = [
            ("hsm/token.cc", '#include "hsm/cryptoki.h"\n#include "hsm/base/result.h"\n#include <dlfcn.h>'),
            ("hsm/cryptoki.h", "#include <p11-kit/pkcs11.h>"),
            ("ceremony/record/tree.cc", '// #include "hsm/cryptoki.h"\n/*\n#include "hsm/cryptoki.h"\n*/'),
            ("ceremony/steps/attend.cc", '#include "hsm/cryptoki.h"\n#include "ceremony/record/tree.h"'),
            ("ceremony/verify/main.cc", '#include "ceremony/record/tree.h"'),
        ]
        for path, text in kept:
            with self.subTest(path=path, text=text):
                self.assertEqual(faults_of(path, text, existing), [])

    def test_every_header_is_guarded_by_its_own_path(self):
        wrong = []
        for path in tree.files():
            if path.endswith(".h"):
                guard = re.sub(r"[^A-Z0-9]", "_", path.upper()) + "_"
                text = tree.read(path)
                if f"#ifndef {guard}\n#define {guard}\n" not in text or not text.endswith(f"#endif  // {guard}\n"):
                    wrong.append(f"{path}: guard is not {guard}")
        self.assertEqual(wrong, [])

    def test_the_document_shows_the_same_chain(self):
        document = tree.read("docs/design.md")
        drawn = " <- ".join(os.path.basename(folder) for folder in CHAIN if folder != "hsm")
        self.assertIn(drawn, document)


if __name__ == "__main__":
    if "--explain" in sys.argv:
        for folder, allowed in ALLOWED.items():
            print(f"{folder}: {' '.join(sorted(allowed - {folder})) or '-'}")
    else:
        unittest.main()
