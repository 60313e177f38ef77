"""Runs clang-tidy over our sources, all of them or those whose path matches; what has not changed since it was clean never
again. Says which files that were.

tidy_files.py BUILD [--jobs N] [--deep] [REGEX...]

BUILD holds compile_commands.json. A file counts as unchanged when it, every header of ours that it includes, its compile
command, .clang-tidy and clang-tidy itself are the same. With --deep, the path-sensitive analyser goes as far as it can,
for double the time.
Exit status: 0 no finding, 1 findings, 2 an expression that matches no file.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import time

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
# Of ceremony/cli/status.cc's 28 seconds of CPU the analyser took 19; like this it takes 4.
SHALLOW = ["--extra-arg=-Xclang", "--extra-arg=-analyzer-config", "--extra-arg=-Xclang", "--extra-arg=mode=shallow"]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Digests:
    """Digest of a file and of all of ours that it includes, each file read once."""

    def __init__(self, root):
        self.root, self.closures = root, {}

    def closure(self, path, seen):
        if path in seen or not os.path.exists(os.path.join(self.root, path)):
            return
        seen[path] = read(os.path.join(self.root, path))
        for name in INCLUDE.findall(seen[path]):
            self.closure(name, seen)

    def of(self, path, *more):
        seen = {}
        self.closure(path, seen)
        return hashlib.sha256(json.dumps([sorted(seen.items()), more]).encode()).hexdigest()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--deep", action="store_true")
    parser.add_argument("patterns", nargs="*")
    arguments = parser.parse_intermixed_args()
    root = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    clean_folder = os.path.join(arguments.build, "clean")
    os.makedirs(clean_folder, exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True, check=True).stdout
    depth = [] if arguments.deep else SHALLOW
    digests = Digests(root)

    work, unchanged, matched = [], [], set()
    for entry in json.loads(read(os.path.join(arguments.build, "compile_commands.json"))):
        path = os.path.relpath(os.path.realpath(os.path.join(entry["directory"], entry["file"])), root)
        if not path.startswith(("hsm/", "ceremony/")):
            continue
        fitting = {pattern for pattern in arguments.patterns if re.search(pattern, path)}
        matched |= fitting
        if arguments.patterns and not fitting:
            continue
        # Without the folder the tree lies in: what is clean in one checkout is clean in another.
        digest = digests.of(path, entry["command"].replace(root, ""), read(os.path.join(root, ".clang-tidy")), version,
                            depth)
        if os.path.exists(os.path.join(clean_folder, digest)):
            unchanged.append(path)
        else:
            work.append((path, digest))
    for pattern in set(arguments.patterns) - matched:
        print(f"{pattern} matches no file", file=sys.stderr)
        return 2
    work.sort()

    started = time.monotonic()

    def analyse(item):
        path, digest = item
        done = subprocess.run(["clang-tidy", "--quiet", *depth, "-p", arguments.build, os.path.join(root, path)],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            with open(os.path.join(clean_folder, digest), "w", encoding="utf-8"):
                pass
            return path, True, ""
        return path, False, COLOUR.sub("", done.stdout) or done.stderr

    clean, faulty, shown = [], [], set()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for path, passed, text in pool.map(analyse, work):
            (clean if passed else faulty).append(path)
            # A finding in a header comes with every file that includes it; once is enough.
            text = text.replace(root + "/", "")
            if text and text not in shown:
                shown.add(text)
                print(text.rstrip(), flush=True)
    for title, paths in (("without a finding", clean), ("unchanged since they were clean", unchanged), ("with findings", faulty)):
        if paths:
            print(f"{len(paths)} files {title}: {' '.join(sorted(paths))}")
    print(f"{len(work)} files analysed in {time.monotonic() - started:.0f} s, by {arguments.jobs} at a time")
    return 1 if faulty else 0


if __name__ == "__main__":
    sys.exit(main())
