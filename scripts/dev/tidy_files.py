"""Runs clang-tidy over our sources: what the last commits changed first, then the folders where a fault costs most; what
has not changed since it was clean never again.

tidy_files.py BUILD [--minutes N] [--jobs N] [--deep] [REGEX...]

BUILD holds compile_commands.json. A file counts as unchanged when it, every header of ours that it includes, its compile
command, .clang-tidy and clang-tidy itself are the same. With --minutes, no file is begun after that time, and what was
not reached is said. With --deep, the path-sensitive analyser goes as far as it can, for double the time.
Exit status: 0 no finding, 1 findings.
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

# Where a fault costs most comes first: what talks to tokens, what must not believe a record, what people approve.
ORDER = ["hsm/", "ceremony/record/", "ceremony/verify/", "ceremony/quorum/", "ceremony/x509/", "ceremony/steps/",
         "ceremony/run/", "ceremony/script/", "ceremony/estate/", "ceremony/room/", "ceremony/cli/"]
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
# A change is rarely one commit; more than this many back has been in front of the queue before.
RECENT_COMMITS = 10
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


def recently_changed(root):
    """What differs from the tree of some commits ago; nothing where there is no history (an archive, a shallow clone)."""
    try:
        done = subprocess.run(["git", "-C", root, "-c", "safe.directory=*", "diff", "--name-only", f"HEAD~{RECENT_COMMITS}"],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except OSError:  # no git on this machine
        return set()
    return set(done.stdout.splitlines()) if done.returncode == 0 else set()


def rank(path, recent):
    if path in recent:
        return -1
    return next((place for place, folder in enumerate(ORDER) if path.startswith(folder)), len(ORDER))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--deep", action="store_true")
    parser.add_argument("patterns", nargs="*")
    arguments = parser.parse_intermixed_args()
    root = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    clean_folder = os.path.join(arguments.build, "clean")
    os.makedirs(clean_folder, exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True, check=True).stdout
    depth = [] if arguments.deep else SHALLOW
    digests, recent = Digests(root), recently_changed(root)

    work, unchanged = [], 0
    for entry in json.loads(read(os.path.join(arguments.build, "compile_commands.json"))):
        path = os.path.relpath(os.path.realpath(os.path.join(entry["directory"], entry["file"])), root)
        if not path.startswith(("hsm/", "ceremony/")):
            continue
        if arguments.patterns and not any(re.search(pattern, path) for pattern in arguments.patterns):
            continue
        # Without the folder the tree lies in: what is clean in one checkout is clean in another.
        digest = digests.of(path, entry["command"].replace(root, ""), read(os.path.join(root, ".clang-tidy")), version,
                            depth)
        if os.path.exists(os.path.join(clean_folder, digest)):
            unchanged += 1
        else:
            work.append((rank(path, recent), path, digest))
    work.sort()

    started = time.monotonic()

    def analyse(item):
        _, path, digest = item
        if arguments.minutes and time.monotonic() - started > arguments.minutes * 60:
            return path, None, ""
        done = subprocess.run(["clang-tidy", "--quiet", *depth, "-p", arguments.build, os.path.join(root, path)],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            with open(os.path.join(clean_folder, digest), "w", encoding="utf-8"):
                pass
            return path, True, ""
        return path, False, COLOUR.sub("", done.stdout) or done.stderr

    clean, faulty, not_reached, shown = 0, 0, [], set()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for path, verdict, text in pool.map(analyse, work):
            if verdict is None:
                not_reached.append(path)
            elif verdict:
                clean += 1
            else:
                faulty += 1
                # A finding in a header comes with every file that includes it; once is enough.
                text = text.replace(root + "/", "")
                if text not in shown:
                    shown.add(text)
                    print(text.rstrip(), flush=True)
    print(f"{clean} files analysed without a finding, {faulty} with, {unchanged} unchanged since they were clean, "
          f"{len(not_reached)} not reached in {arguments.minutes:g} minutes")
    if not_reached:
        print("not reached: " + " ".join(not_reached))
    return 1 if faulty else 0


if __name__ == "__main__":
    sys.exit(main())
