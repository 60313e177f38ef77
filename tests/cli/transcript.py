"""transcript.py FILE... runs transcripts: commands at a terminal, the answers a person types, and what must come out.

A transcript is a text file. Each line begins with a mark and a space:

  # text       says something to the reader; an empty line says nothing
  copy PATH    puts that file or folder of the source tree into the scratch folder, at the same path (before any `$`)
  $ command    runs by bash in the scratch folder, with the built programs on PATH. What follows is about this command:
  @ WORD...    how it is connected (default: `pipes`)
                 pipes      no terminal; stdin is empty, stdout and stderr are pipes
                 terminal   a person's terminal: stdin and the controlling terminal; stdout and stderr are pipes
                 screen     as terminal, and stdout and stderr go to it too
                 COLSxROWS  the size of the terminal (default 100x40)
  ? text       waits until the terminal shows this text, after what was waited for before
  < text       types the text and Enter. `<` alone is Enter
  <^ C         types a control character: C is SIGINT at a terminal, D is end of input, Z, \\ ...
  <! TERM      sends a signal to the command: TERM, INT, HUP, KILL ...
  <x           hangs up: the terminal is closed from the other side
  1 text       a line that it writes to stdout, exactly and in this order; none means that it writes nothing there
  2 text       the same for stderr
  t text       a line that the terminal shows; the terminal is compared only when there is such a line
  = 3          the exit status (default 0), or the signal that ended it: `= KILL`
  + path       after it, this file or folder is there (a shell pattern must match exactly one)
  - path       after it, nothing of this name or pattern is there
  / path       after it, the folder holds exactly the names of the following `. name` lines
  . name       such a name, a folder's with `/` at the end

A line `1 ...` (also `2`, `t`) stands for any number of lines, `[..]` for any characters of a line; times, digests and
the like are normalised on both sides (tests/support/normalise.py), the scratch folder is [DIR].

All commands of a transcript share one scratch folder, which is also HOME. It is removed after a success and named after
a failure. With KEYCEREMONY_UPDATE_TRANSCRIPTS=1 in the environment, the lines `1`, `2`, `t` and `=` are rewritten from
what happened: read the difference before you commit it. KEYCEREMONY_PATIENCE multiplies every time limit.
"""
import errno
import fcntl
import glob
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import normalise  # noqa: E402

PATIENCE = float(os.environ.get("KEYCEREMONY_PATIENCE", "1"))
WAIT_SECONDS = 30 * PATIENCE      # for one `?`
COMMAND_SECONDS = 240 * PATIENCE  # for one command
SOURCE = os.path.realpath(os.environ.get("KEYCEREMONY_SOURCE_DIR") or
                          os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))


class Fault(Exception):
    """What differs, in words."""


class Command:
    """One `$` line and what belongs to it."""

    def __init__(self, line, text):
        self.line = line            # number in the transcript
        self.text = text            # for bash
        self.connection = "pipes"
        self.size = (100, 40)
        self.acts = []              # (line, kind, argument): what the person waits for and does, in order
        self.expected = {"1": [], "2": [], "t": []}
        self.status = "0"
        self.files = []             # (line, mark, path, names)
        self.end = line             # last line that belongs to it, for rewriting


def parse(text):
    """The (copies, commands) of a transcript; Fault names the line that cannot be read."""
    copies, commands = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        mark, _, rest = line.partition(" ")
        if mark == "copy" and not commands:
            copies.append(rest.strip())
            continue
        if mark == "$":
            commands.append(Command(number, rest))
            continue
        if not commands:
            raise Fault(f"line {number}: '{mark}' stands before the first command")
        command = commands[-1]
        command.end = number
        if mark == "@":
            for word in rest.split():
                size = re.fullmatch(r"(\d+)x(\d+)", word)
                if size:
                    command.size = (int(size.group(1)), int(size.group(2)))
                elif word in ("pipes", "terminal", "screen"):
                    command.connection = word
                else:
                    raise Fault(f"line {number}: '{word}' is no way to connect a command")
        elif mark in ("?", "<", "<^", "<!", "<x"):
            command.acts.append((number, mark, rest))
        elif mark in command.expected:
            command.expected[mark].append(rest)
        elif mark == "=":
            command.status = rest.strip()
        elif mark in ("+", "-", "/"):
            command.files.append((number, mark, rest.strip(), []))
        elif mark == "." and command.files and command.files[-1][1] == "/":
            command.files[-1][3].append(rest.strip())
        else:
            raise Fault(f"line {number}: '{mark}' is no mark of a transcript")
        if mark in ("?", "<", "<^", "<x", "t") and command.connection == "pipes":
            raise Fault(f"line {number}: the command has no terminal; write `@ terminal` above")
    if not commands:
        raise Fault("no command in the transcript")
    return copies, commands


class Terminal:
    """The far side of a pseudo-terminal: what the person sees and types."""

    def __init__(self, size):
        self.far, self.near = pty.openpty()
        fcntl.ioctl(self.near, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.shown = b""
        self.waited = 0  # characters of the plain text that were waited for already

    def plain(self):
        """What was shown, without colours, cursor movements and overwritten busy lines."""
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>78]|\x07", "", self.shown.decode("utf-8", "replace"))
        return re.sub(r"[^\n]*\r(?!\n)", "", text.replace("\r\n", "\n").replace("\r\r", "\r"))

    def find(self, wanted):
        at = self.plain().find(wanted, self.waited)
        if at < 0:
            return False
        self.waited = at + len(wanted)
        return True

    def close(self):
        for end in (self.far, self.near):
            if end is not None:
                os.close(end)
        self.far = self.near = None


class Run:
    """One run of a command: its process, its pipes, its terminal."""

    def __init__(self, command, folder):
        self.command = command
        self.terminal = Terminal(command.size) if command.connection != "pipes" else None
        self.streams = {}  # file descriptor -> "1" or "2"
        self.output = {"1": b"", "2": b""}
        near = self.terminal.near if self.terminal else None
        screen = command.connection == "screen"
        self.process = subprocess.Popen(
            ["bash", "-c", command.text], cwd=folder, env=environment(folder), start_new_session=True,
            stdin=near if self.terminal else subprocess.DEVNULL,
            stdout=near if screen else subprocess.PIPE, stderr=near if screen else subprocess.PIPE,
            preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if self.terminal else None)
        if self.terminal:
            os.close(self.terminal.near)
            self.terminal.near = None
        if not screen:
            self.streams = {self.process.stdout.fileno(): "1", self.process.stderr.fileno(): "2"}
        self.deadline = time.monotonic() + COMMAND_SECONDS

    def pump(self, seconds):
        """Takes in whatever was written, for at most so long."""
        wanted = list(self.streams)
        if self.terminal and self.terminal.far is not None:
            wanted.append(self.terminal.far)
        if not wanted:
            time.sleep(min(seconds, 0.01))
            return
        for ready in select.select(wanted, [], [], seconds)[0]:
            try:
                data = os.read(ready, 65536)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                data = b""  # nobody has the terminal open just now; the command may open it again
                time.sleep(0.005)
            if ready not in self.streams:
                self.terminal.shown += data
            elif data:
                self.output[self.streams[ready]] += data
            else:
                del self.streams[ready]

    def over(self):
        return self.process.poll() is not None

    def wait_for(self, line, wanted):
        limit = min(self.deadline, time.monotonic() + WAIT_SECONDS)
        while not self.terminal.find(wanted):
            ended = self.over()
            self.pump(0.05)
            if self.terminal.find(wanted):
                return
            if ended or self.terminal.far is None:
                raise Fault(f"line {line}: the command ended and never showed '{wanted}'{self.story()}")
            if time.monotonic() > limit:
                raise Fault(f"line {line}: waited in vain for '{wanted}'{self.story()}")

    def type(self, line, data):
        if self.terminal.far is None:
            raise Fault(f"line {line}: the command no longer listens to its terminal{self.story()}")
        try:
            os.write(self.terminal.far, data)
        except OSError as error:
            raise Fault(f"line {line}: cannot type: {error.strerror}{self.story()}") from error

    def act(self, line, mark, argument):
        if mark == "?":
            self.wait_for(line, argument)
        elif mark == "<":
            self.type(line, argument.encode() + b"\r")
        elif mark == "<^":
            self.type(line, bytes([ord(argument.strip().upper()) & 0x1F]))
        elif mark == "<x":
            os.close(self.terminal.far)
            self.terminal.far = None
        else:
            self.pump(0.05)
            os.killpg(self.process.pid, signal.Signals["SIG" + argument.strip()])

    def finish(self):
        while not self.over():
            self.pump(0.05)
            if time.monotonic() > self.deadline:
                raise Fault(f"line {self.command.line}: still runs after {COMMAND_SECONDS:.0f} s{self.story()}")
        # What it left in the pipes; a child that it left behind may hold them open, and is not waited for.
        limit, quiet = time.monotonic() + 2, 0
        while quiet < (20 if self.streams else 2) and time.monotonic() < limit:
            before = len(self.output["1"]) + len(self.output["2"]) + (len(self.terminal.shown) if self.terminal else 0)
            self.pump(0.01)
            after = len(self.output["1"]) + len(self.output["2"]) + (len(self.terminal.shown) if self.terminal else 0)
            quiet = quiet + 1 if before == after else 0
        code = self.process.returncode
        # bash says 128 + n for a command that a signal ended, unless it was replaced by it: one spelling for both.
        number = -code if code < 0 else code - 128 if 128 < code < 160 else 0
        return signal.Signals(number).name[3:] if number else str(code)

    def story(self):
        parts = []
        if self.terminal:
            parts.append("the terminal showed:\n" + self.terminal.plain())
        for mark, name in (("1", "stdout"), ("2", "stderr")):
            if self.output[mark]:
                parts.append(f"{name}:\n" + self.output[mark].decode("utf-8", "replace"))
        return "\n" + "\n".join(parts) if parts else ""

    def stop(self):
        if not self.over():
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        if self.terminal:
            self.terminal.close()


def environment(folder):
    kept = {name: value for name, value in os.environ.items()
            if name in ("PATH", "KEYCEREMONY_SOURCE_DIR", "KEYCEREMONY_BINARY_DIR") or name.endswith("SAN_OPTIONS")}
    return {**kept, "HOME": folder, "LC_ALL": "C.UTF-8", "TZ": "UTC", "TERM": "xterm-256color"}


def check_files(command, folder):
    faults = []
    for line, mark, path, names in command.files:
        found = sorted(glob.glob(os.path.join(folder, path), include_hidden=True) if sys.version_info >= (3, 11)
                       else glob.glob(os.path.join(folder, path)))
        if mark == "+" and len(found) != 1:
            faults.append(f"line {line}: '{path}' matches {len(found)} files, 1 was expected")
        if mark == "-" and found:
            faults.append(f"line {line}: '{os.path.relpath(found[0], folder)}' must not be there")
        if mark == "/":
            if len(found) != 1 or not os.path.isdir(found[0]):
                faults.append(f"line {line}: '{path}' is not one folder")
                continue
            there = sorted(name + ("/" if os.path.isdir(os.path.join(found[0], name)) else "")
                           for name in os.listdir(found[0]))
            difference = normalise.difference(sorted(names), "\n".join(there))
            if difference:
                faults.append(f"line {line}: '{path}' holds other names:\n{difference}")
    return faults


def run_command(command, folder):
    """Runs one command; returns (faults, what happened for each mark that can be rewritten)."""
    places = {folder: "[DIR]"}
    run = Run(command, folder)
    try:
        for line, mark, argument in command.acts:
            run.act(line, mark, argument)
        status = run.finish()
        happened = {mark: run.output[mark].decode("utf-8", "replace") for mark in ("1", "2")}
        happened["t"] = run.terminal.plain() if run.terminal else ""
        happened["="] = status
    finally:
        run.stop()
    faults = []
    for mark, name in (("1", "stdout"), ("2", "stderr"), ("t", "the terminal")):
        if mark == "t" and not command.expected["t"]:
            continue
        difference = normalise.difference(command.expected[mark], happened[mark], places)
        if difference:
            faults.append(f"line {command.line}: {name} differs:\n{difference}")
    if status != command.status:
        faults.append(f"line {command.line}: exit status {status}, expected {command.status}{run.story()}")
    return faults + check_files(command, folder), happened


def rewritten(text, commands, happened, places):
    """The transcript with its `1`, `2`, `t` and `=` lines as they happened. Lines with `...` or `[..]` that still fit stay."""
    lines, result, at = text.split("\n"), [], 0
    for command, what in zip(commands, happened):
        result += lines[at: command.line]
        kept = [line for line in lines[command.line: command.end] if line.split(" ")[0] not in ("1", "2", "t", "=")]
        for mark in ("1", "2", "t"):
            if mark == "t" and not command.expected["t"]:
                continue
            if not normalise.difference(command.expected[mark], what[mark], places):
                kept += [f"{mark} {line}" for line in command.expected[mark]]
                continue
            shown = normalise.text(what[mark], places).rstrip("\n")
            kept += [f"{mark} {line}".rstrip() for line in shown.split("\n")] if shown else []
        if what["="] != "0":
            kept.append("= " + what["="])
        result += kept
        at = command.end
    return "\n".join(result + lines[at:])


def run_transcript(path, update=False):
    """Runs a transcript; returns the faults, none when all is as it says."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    copies, commands = parse(text)
    folder = os.path.realpath(tempfile.mkdtemp(prefix="keyceremony-cli-"))
    faults, happened = [], []
    try:
        for source in copies:
            target = os.path.join(folder, source)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            origin = os.path.join(SOURCE, source)
            if os.path.isdir(origin):
                shutil.copytree(origin, target)
            else:
                shutil.copy2(origin, target)
        for command in commands:
            found, what = run_command(command, folder)
            faults += found
            happened.append(what)
    except Fault as fault:
        faults.append(str(fault))
    if update and len(happened) == len(commands):
        with open(path, "w", encoding="utf-8") as file:
            file.write(rewritten(text, commands, happened, {folder: "[DIR]"}))
    if faults:
        faults.append(f"the scratch folder is left at {folder}")
    else:
        make_removable(folder)
        shutil.rmtree(folder)
    return faults


def make_removable(folder):
    """Gives back the write permission that a transcript may have taken from folders."""
    for place, _, _ in os.walk(folder):
        if not os.path.islink(place):
            os.chmod(place, 0o700)


def main(arguments):
    status = 0
    for path in arguments:
        try:
            faults = run_transcript(path, os.environ.get("KEYCEREMONY_UPDATE_TRANSCRIPTS") == "1")
        except Fault as fault:
            faults = [str(fault)]
        for fault in faults:
            print(f"{os.path.basename(path)}: {fault}", file=sys.stderr)
        if faults:
            status = 1
        else:
            print(f"{os.path.basename(path)}: as written")
    return status


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        sys.exit(0 if len(sys.argv) > 1 else 2)
    sys.exit(main(sys.argv[1:]))
