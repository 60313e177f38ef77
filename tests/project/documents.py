"""Runs the commands that a document shows, and compares what it says they print.

A fenced block is run when its tag is `sh` or `console`; these two are the only tags for shell commands.

  sh       a script: the whole block goes to `bash -eu`; it must succeed. What it prints is not compared.
  console  a conversation: a line `$ command` is run by bash; the lines below it, up to the next `$` line, are what it
           prints (stdout and stderr together). A command that ends in `# exit 3` must exit with 3, any other with 0.

In what is printed, a line `...` stands for any lines, `[..]` for any characters within a line, and times, digests and
other values that differ from run to run are equal to each other (see tests/support/normalise.py).

All blocks of one document run in order in one scratch copy of the source tree, with the built programs on PATH, HOME in
the scratch folder and nobody at the keyboard. A block that cannot run there (it would build the tree, or install
packages, or ask people) stands below `<!-- run by FILE -->`: then FILE, in this tree, must hold every command of the block,
or name the document, and play its blocks itself.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import normalise  # noqa: E402
import tree  # noqa: E402

RUN = {"sh", "console"}
LIKE_SHELL = {"bash", "shell", "zsh", "shell-session", "sh-session", "terminal", "cmd", "session"}
TIMEOUT_SECONDS = 300


class Block:
    def __init__(self, tag, line, text, run_by):
        self.tag, self.line, self.text, self.run_by = tag, line, text, run_by


class Fault(Exception):
    pass


def blocks_of(text):
    """Every fenced block of a document, with the `run by` comment above it."""
    blocks, fence, tag, start, body, run_by = [], None, "", 0, [], None
    for number, line in enumerate(text.split("\n"), 1):
        opening = re.match(r"^\s*(```+|~~~+)\s*([\w+-]*)", line)
        if fence is None and opening:
            fence, tag, start, body = opening.group(1), opening.group(2), number, []
        elif fence is not None and line.strip() == fence:
            indent = min((len(row) - len(row.lstrip()) for row in body if row.strip()), default=0)
            blocks.append(Block(tag, start, "\n".join(row[indent:] for row in body), run_by))
            fence, run_by = None, None
        elif fence is not None:
            body.append(line)
        else:
            comment = re.match(r"^\s*<!-- run by (\S+) -->$", line)
            if comment:
                run_by = comment.group(1)
            elif line.strip():
                run_by = None
    if fence is not None:
        raise Fault(f"line {start}: the fence is never closed")
    return blocks


def check_tag(block):
    if block.tag in LIKE_SHELL:
        raise Fault(f"line {block.line}: shell commands are tagged sh or console, not {block.tag}")
    if block.tag not in RUN and re.search(r"^\$ ", block.text, re.MULTILINE):
        raise Fault(f"line {block.line}: a block that shows commands is tagged console, not '{block.tag}'")
    if block.tag not in RUN and block.run_by:
        raise Fault(f"line {block.line}: only sh and console blocks are run")


def exchanges_of(block):
    """(command, exit status, expected lines) of every `$` line of a console block."""
    exchanges = []
    for line in block.text.split("\n"):
        if line.startswith("$ "):
            command, status = line[2:], 0
            stated = re.search(r"\s+# exit (\d+)$", command)
            if stated:
                command, status = command[: stated.start()], int(stated.group(1))
            exchanges.append([command, status, []])
        elif exchanges and exchanges[-1][0].endswith("\\") and not exchanges[-1][2]:
            exchanges[-1][0] += "\n" + line
        elif exchanges:
            exchanges[-1][2].append(line)
        elif line.strip():
            raise Fault(f"line {block.line}: a console block begins with a `$ ` line")
    return exchanges


def commands_of(block):
    if block.tag == "console":
        return [command for command, _, _ in exchanges_of(block)]
    return [line.strip() for line in block.text.split("\n") if line.strip() and not line.strip().startswith("#")]


def copy_of_the_tree(folder):
    for path in tree.files():
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(os.path.join(tree.SOURCE, path), target)


def run(script, folder, home, options=()):
    environment = {name: value for name, value in os.environ.items()
                   if name in ("PATH", "KEYCEREMONY_SOURCE_DIR", "KEYCEREMONY_BINARY_DIR") or name.endswith("SAN_OPTIONS")}
    environment.update(HOME=home, LC_ALL="C.UTF-8", TZ="UTC", TERM="dumb", TMPDIR=home)
    process = subprocess.Popen(["bash", *options, "-c", script], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        printed, _ = process.communicate(timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        printed, _ = process.communicate()
        raise Fault(f"'{script}' still ran after {TIMEOUT_SECONDS} s; so far:\n{printed.decode(errors='replace')}")
    return process.returncode, printed.decode(errors="replace")


def run_block(block, folder, home):
    """Runs one block; a Fault says what differs. Returns how many commands ran."""
    if block.tag == "sh":
        status, printed = run(block.text, folder, home, ["-eu", "-o", "pipefail"])
        if status != 0:
            raise Fault(f"line {block.line}: exit {status}:\n{block.text}\n{printed}")
        return len(commands_of(block))
    exchanges = exchanges_of(block)
    for command, expected_status, expected in exchanges:
        status, printed = run(command, folder, home)
        where = f"line {block.line}: `{command}`"
        if status != expected_status:
            raise Fault(f"{where}: exit {status}, the document says {expected_status}; it printed:\n{printed}")
        while expected and not expected[-1].strip():
            expected.pop()
        difference = normalise.difference(expected, printed, {folder: "[DIR]", home: "[HOME]"})
        if difference:
            raise Fault(f"{where}: what it prints is not what the document shows:\n{difference}")
    return len(exchanges)


def check_document(path, text):
    """Runs all of a document; returns (commands that ran, commands that another file runs)."""
    blocks, ran, elsewhere = blocks_of(text), 0, 0
    for block in blocks:
        check_tag(block)
    with tempfile.TemporaryDirectory(prefix="keyceremony-documents-") as scratch:
        scratch = os.path.realpath(scratch)
        folder, home = os.path.join(scratch, "keyceremony"), os.path.join(scratch, "home")
        os.makedirs(home)
        copied = False
        for block in blocks:
            if block.tag not in RUN:
                continue
            if block.run_by:
                runner = tree.read(block.run_by) if block.run_by in tree.files() else None
                for command in commands_of(block):
                    if runner is None or command not in runner and path not in runner:
                        raise Fault(f"{path}:{block.line}: '{block.run_by}' does not run `{command}`")
                    elsewhere += 1
                continue
            if not copied:
                copy_of_the_tree(folder)
                copied = True
            ran += run_block(block, folder, home)
    return ran, elsewhere
