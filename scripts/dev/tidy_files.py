"""Runs clang-tidy over our sources, all of them or those whose path matches; what has not changed since it was clean never
again. Says which files that were.

tidy_files.py BUILD [--jobs N] [--deep] [--alone] [REGEX...]

BUILD holds compile_commands.json. A file counts as unchanged when it, every header of ours that it includes, its compile
command, .clang-tidy and clang-tidy itself are the same.

Most of the time goes into the headers, the JSON library's before all, so files with the same compile command are analysed
many at a time, as one source that includes them. A file whose names clash with those of another one waits for a later
batch, and is analysed alone at last. --alone analyses every file by itself; it finds unused namespace aliases, too, which
clang-tidy does not look for in what is included.

With --deep, the path-sensitive analyser follows a function as far as it can.
Exit status: 0 no finding, 1 findings, 2 an expression that matches no file.
"""
import argparse
import concurrent.futures
import hashlib
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
# Of ceremony/cli/status.cc's 28 seconds of CPU the analyser took 19; like this it takes 4.
SHALLOW = ["--extra-arg=-Xclang", "--extra-arg=-analyzer-config", "--extra-arg=-Xclang", "--extra-arg=mode=shallow"]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
FINDING = re.compile(r"^(\S+):\d+:\d+: (?:fatal )?(?:error|warning): ", re.MULTILINE)
FINDING_STARTS = re.compile(r"^(?=\S+:\d+:\d+: (?:fatal )?(?:error|warning): )", re.MULTILINE)
COMPILER = re.compile(r"^(\S+):\d+:\d+: .*\[clang-diagnostic-", re.MULTILINE)
# What a source declares at the left edge: a constant, a type, a function that is nobody's member.
OWN_NAME = re.compile(r"^(?!using|return|namespace|#|//)(?:[^\s].*?[\s&*])?"
                      r"(k[A-Z]\w*(?=[\[{ ])|(?<=struct )\w+|(?<=class )\w+|[A-Z]\w*(?=\())", re.MULTILINE)
USED_NAME = re.compile(r"^using (?:\w+ = )?(?:\w*::)+(\w+);", re.MULTILINE)
LARGEST_BATCH = 40


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


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


class Analysis:
    """One run: what clang-tidy is told, and where batches are written."""

    def __init__(self, root, build, depth):
        self.root, self.build, self.depth = root, build, depth

    def tidy(self, database, source, *more):
        done = subprocess.run(["clang-tidy", "--quiet", *self.depth, *more, "-p", database, source],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        text = (done.stdout or done.stderr) if done.returncode else ""
        return done.returncode, COLOUR.sub("", text).replace(self.root + "/", "")

    def alone(self, path):
        """(paths with findings, text of the findings)"""
        status, text = self.tidy(self.build, os.path.join(self.root, path))
        return ([path] if status else []), text

    def batch(self, paths, command, folder):
        """(paths analysed, those with findings, text): many paths as one source. Those that do not compile together
        with the ones before them are left out."""
        # By this word in its name the analyser knows that what is included is not a header, and follows its paths.
        source = os.path.join(folder, "UnifiedSource.cc")
        write(os.path.join(folder, "compile_commands.json"), json.dumps(
            [{"directory": self.build, "file": source, "arguments": [*command, "-c", source]}]))
        while len(paths) > 1:
            write(source, "".join(f'#include "{path}"\n' for path in paths))
            # The header filter of .clang-tidy, and our sources, which are included here, too.
            status, text = self.tidy(folder, source, "--config-file=" + os.path.join(self.root, ".clang-tidy"),
                                     "--checks=-bugprone-suspicious-include",
                                     "--header-filter=/(hsm|ceremony)/.*\\.(h|cc)$")
            clashing = set(COMPILER.findall(text))
            if not clashing:
                named = set(FINDING.findall(text))
                # A finding in a header, or none that could be read, is everybody's.
                everybody = status and (not named or named - set(paths))
                return paths, paths if everybody else [path for path in paths if path in named], text
            # Never the first one; when the compiler names none of the others, half of them.
            clashing = (clashing & set(paths[1:])) or set(paths[(len(paths) + 1) // 2:])
            paths = [path for path in paths if path not in clashing]
        return paths, *self.alone(paths[0])


def clash(one, other):
    """Whether two sources define the same name for themselves, or one defines what the other takes from elsewhere."""
    return bool(one["own"] & (other["own"] | other["used"]) or one["used"] & other["own"])


def batches(work, root, jobs, largest):
    """Lists of paths with the same compile command and without names that clash, as far as a regular expression sees; in a
    way that gives each job something to do."""
    size = max(1, min(largest, -(-len(work) // jobs)))
    open_batches, full = {}, []
    for path, command in work:
        text = read(os.path.join(root, path))
        names = {"own": set(OWN_NAME.findall(text)), "used": set(USED_NAME.findall(text))}
        group = open_batches.setdefault(tuple(command), [])
        for batch in group:
            if not clash(names, batch):
                break
        else:
            batch = {"command": command, "paths": [], "own": set(), "used": set()}
            group.append(batch)
        batch["paths"].append(path)
        for kind, found in names.items():
            batch[kind] |= found
        if len(batch["paths"]) == size:
            group.remove(batch)
            full.append(batch)
    return full + [batch for group in open_batches.values() for batch in group]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--deep", action="store_true")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("patterns", nargs="*")
    arguments = parser.parse_intermixed_args()
    root = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    build = os.path.realpath(arguments.build)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True, check=True).stdout
    depth = [] if arguments.deep else SHALLOW
    digests = Digests(root)

    work, mark, unchanged, matched = [], {}, [], set()
    for entry in json.loads(read(os.path.join(build, "compile_commands.json"))):
        path = os.path.relpath(os.path.realpath(os.path.join(entry["directory"], entry["file"])), root)
        if not path.startswith(("hsm/", "ceremony/")):
            continue
        fitting = {pattern for pattern in arguments.patterns if re.search(pattern, path)}
        matched |= fitting
        if arguments.patterns and not fitting:
            continue
        # Without the folder the tree lies in: what is clean in one checkout is clean in another.
        digest = digests.of(path, entry["command"].replace(root, ""), read(os.path.join(root, ".clang-tidy")), version,
                            depth, arguments.alone)
        mark[path] = os.path.join(build, "clean", digest)
        if os.path.exists(mark[path]):
            unchanged.append(path)
        else:
            command = shlex.split(entry["command"])
            work.append((path, command[:command.index("-o")]))
    for pattern in set(arguments.patterns) - matched:
        print(f"{pattern} matches no file", file=sys.stderr)
        return 2
    work.sort()

    started, analysed = time.monotonic(), len(work)
    analysis = Analysis(root, build, depth)
    clean, faulty, shown = [], [], set()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool, \
            tempfile.TemporaryDirectory(dir=build, prefix="batches-") as folder:
        counter = itertools.count()
        while work:
            planned = batches(work, root, arguments.jobs, 1 if arguments.alone else LARGEST_BATCH)
            running = [pool.submit(analysis.batch, batch["paths"], batch["command"],
                                   os.path.join(folder, str(next(counter)))) for batch in planned]
            done = set()
            for future in running:
                paths, found, text = future.result()
                done.update(paths)
                faulty += found
                for path in set(paths) - set(found):
                    clean.append(path)
                    write(mark[path], "")
                for finding in FINDING_STARTS.split(text):
                    # A finding in a header comes with every batch that includes it; once is enough.
                    if finding.strip() and finding not in shown:
                        shown.add(finding)
                        print(finding.rstrip(), flush=True)
            work = [item for item in work if item[0] not in done]
    for title, paths in (("without a finding", clean), ("unchanged since they were clean", unchanged),
                         ("with findings", faulty)):
        if paths:
            print(f"{len(paths)} files {title}: {' '.join(sorted(paths))}")
    print(f"{analysed} files analysed in {time.monotonic() - started:.0f} s, by {arguments.jobs} at a time")
    return 1 if faulty else 0


if __name__ == "__main__":
    sys.exit(main())
