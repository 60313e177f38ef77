"""A room for tests: tokens, people with credentials of their own, and a player who types what they would type.

Production is played as it is held: `keyceremony run` on a pseudo-terminal, PINs and passphrases typed, nothing simulated.
Keys, tokens and files are made by other programs (openssl, softhsm2-util).
"""
import base64
import errno
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import subprocess
import termios
import time
import unittest

from archive import SCRIPTS, SOFTHSM, copy_scripts, entries, rewrite, scratch, verified

SCRIPT = SCRIPTS / "smki-root-oca.ceremony.json"
PATIENCE = 60 * float(os.environ.get("KEYCEREMONY_PATIENCE", "1"))
PROMPT = "└─> "
PIN = "the-user-PIN-of-"
SO_PIN = "the-SO-PIN-of-"
PEOPLE = (
    ("ada", "Ada Lindqvist", "Northgate Trust", "administrator"),
    ("oscar", "Oscar Mbeki", "Northgate Trust", "security-officer"),
    ("alice", "Alice Archer", "Northgate Trust", "custodian"),
    ("bob", "Bob Okafor", "Severn Metering", "custodian"),
    ("carol", "Carol Nguyen", "Pennine Energy", "custodian"),
    ("wendy", "Wendy Hughes", "Harrow Assurance", "witness"),
)


def tool(*arguments, **options):
    return subprocess.run(list(map(str, arguments)), check=True, capture_output=True, **options).stdout


class Place:
    """Tokens, people, roster and binding of one user-integration-test environment below `folder`."""

    def __init__(self, folder, quorum_m=2, environment="uit"):
        self.folder = pathlib.Path(folder)
        self.archive = self.folder / "archive"
        self.conf = self.folder / "softhsm2.conf"
        (self.folder / "tokens").mkdir()
        self.conf.write_text(f"directories.tokendir = {self.folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
        self.environment = dict(os.environ, SOFTHSM2_CONF=str(self.conf))
        self.secrets = {}
        roster = {"format": "keyceremony-roster/1", "estate": "smki.example",
                  "quorums": {"custodians": {"m": quorum_m, "role": "custodian"}}, "people": []}
        credentials = {}
        for person, name, employer, role in PEOPLE:
            entry = {"id": person, "name": name, "employer": employer, "roles": [role], "state": "active"}
            if role == "custodian":
                entry["sign_key"], entry["open_key"] = self.credential(person)
                credentials[person] = {use: str(self.folder / "people" / person / f"{use}.pem") for use in ("sign", "open")}
            roster["people"].append(entry)
        self.roster = self.folder / "roster.json"
        self.roster.write_text(json.dumps(roster, indent=1))
        serial = self.make_token("record")
        self.binding = self.folder / "binding.json"
        self.bound = {
            "format": "keyceremony-binding/1", "estate": "smki.example", "environment": environment,
            "record_token": "record", "credentials": credentials,
            "tokens": {
                "record": {"module": SOFTHSM, "label": "record", "serial": serial, "login": "pin-prompt",
                           "environment": {"SOFTHSM2_CONF": str(self.conf)}},
                "root-hsm": {"module": SOFTHSM, "label": "root-hsm", "uninitialised": {}, "login": "pin-prompt",
                             "environment": {"SOFTHSM2_CONF": str(self.conf)}}}}
        self.write_binding()

    def write_binding(self):
        self.binding.write_text(json.dumps(self.bound, indent=1))

    def credential(self, person):
        """Two encrypted PKCS#8 files made by openssl; returns the public keys in base64."""
        folder = self.folder / "people" / person
        folder.mkdir(parents=True)
        self.secrets[person] = f"passphrase of {person}, long enough"
        public = []
        for use in ("sign", "open"):
            key = tool("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
            tool("openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:" + self.secrets[person],
                 "-out", folder / f"{use}.pem", input=key)
            public.append(base64.b64encode(tool("openssl", "pkey", "-pubout", "-outform", "DER", input=key)).decode())
        return public

    def make_token(self, label):
        out = tool("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN + label,
                   "--so-pin", SO_PIN + label, env=self.environment).decode()
        slot = re.search(r"reassigned to slot (\d+)", out).group(1)
        shown = tool("softhsm2-util", "--show-slots", env=self.environment).decode()
        block = next(part for part in shown.split("\nSlot ") if part.startswith(slot + "\n"))
        return re.search(r"Serial number:\s+(\S+)", block).group(1)


class Player:
    """Runs a command on a pseudo-terminal of its own and types an answer at each prompt.

    `answers` is a list of (pattern, answer): the first pattern found in what was shown since the last prompt decides.
    An answer is a text, a list (one after the other, the last for ever), or a function of player and match that
    returns the text; None stops playing at that prompt.
    """

    def __init__(self, answers, size=(40, 100)):
        self.answers = [(re.compile(pattern, re.DOTALL), answer) for pattern, answer in answers]
        self.used = {}
        self.shown = ""
        self.size = size
        self.pid = None
        self.fd = None
        self.pending = b""

    def start(self, *command, **environment):
        self.pending = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], list(map(str, command)),
                       dict(os.environ, LC_ALL="C.UTF-8", TERM="xterm", **environment))
        termios.tcsetwinsize(self.fd, self.size)
        return self

    def pump(self, wait):
        """Takes what the terminal shows; False when the program is over."""
        ready, _, _ = select.select([self.fd], [], [], wait)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return False
        self.pending += data
        try:
            text = self.pending.decode()
        except UnicodeDecodeError:
            return True
        self.pending = b""
        self.shown += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", text)
        return bool(data)

    def play(self):
        """Plays until the program ends (returns its exit status) or an answer is None (returns None)."""
        seen = len(self.shown)
        deadline = time.monotonic() + PATIENCE
        while True:
            alive = self.pump(0.05)
            if self.shown.endswith(PROMPT) and len(self.shown) > seen:
                question = self.shown[seen:]
                seen = len(self.shown)
                answer = self.answer_to(question)
                if answer is None:
                    return None
                os.write(self.fd, answer.encode() + b"\r")
                deadline = time.monotonic() + PATIENCE
            if not alive:
                return self.reap()
            if time.monotonic() > deadline:
                self.stop()
                raise AssertionError("nothing happened for too long after:\n" + self.shown[-3000:])

    def answer_to(self, question):
        for pattern, answer in self.answers:
            match = pattern.search(question)
            if match is None:
                continue
            if isinstance(answer, list):
                used = self.used[pattern] = self.used.get(pattern, -1) + 1
                answer = answer[min(used, len(answer) - 1)]
            if callable(answer):
                answer = answer(match)
            elif answer is not None:
                answer = match.expand(answer)
            # A choice is made by its number; tests name it by its words.
            for number, words in re.findall(r"│\s+(\d+)  ([^\n]+)", question):
                if words.strip() == answer:
                    return number
            return answer
        self.stop()
        raise AssertionError("nobody knows what to answer to:\n" + question)

    def echoes(self):
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def send_signal(self, number):
        os.kill(self.pid, number)

    def pump_until_over(self):
        deadline = time.monotonic() + PATIENCE
        while os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            self.pump(0.05)
            if time.monotonic() > deadline:
                raise AssertionError("it does not end after:\n" + self.shown[-2000:])
        while self.pump(0.05) and time.monotonic() < deadline:  # its last words
            pass

    def reap(self):
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        self.pid = None
        return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)

    def stop(self, number=signal.SIGKILL):
        if self.pid is not None:
            os.kill(self.pid, number)
            return self.reap()
        return None


def usual_answers(place):
    """What the people of a Place answer when all goes well; put a test's own answers before these."""
    new_pin = {}

    def choose(match):
        new_pin["typed"] = (SO_PIN if match.group(1) == "security officer" else PIN) + "root-hsm"
        return new_pin["typed"]

    return [
        (r"Do you open your new share", "open"),
        (r"Do you give your share", "give"),
        (r"new (security officer|user) PIN for (?:token )?[a-z-]+\.", choose),
        (r"the same once more", lambda _: new_pin["typed"]),
        (r"user PIN of token \"?([a-z-]+)", lambda match: PIN + match.group(1)),
        (r"passphrase of your credential \S*people/(\w+)/", lambda match: place.secrets[match.group(1)]),
        (r"You chose \"[a-z ]+\"\. Why\?", "it is not as I was told"),
        (r"Is that right\?", "yes"),
        (r"where are they\?", "in the room"),
        (r"Who comes or goes", "nobody"),
        (r"Is this what happened\?", "this is what happened"),
        (r"that the script does not say", "nothing to add"),
        (r"Do you approve", "approve"),
        (r"Type exactly:\s+(\S+)", r"\1"),
        (r"umber of the bag", "SB004211"),
        (r"umber of the seal", "HS000017"),
    ]


def serve(case):
    """SoftHSM in a process of its own, its tokens in a folder of their own, reached over p11-kit."""
    conf, address = case.folder / "remote.conf", case.folder / "p11.sock"
    (case.folder / "remote").mkdir()
    conf.write_text(f"directories.tokendir = {case.folder}/remote\nobjectstore.backend = file\nlog.level = ERROR\n")
    server = subprocess.Popen(["p11-kit", "server", "-f", "-n", address, "--provider", SOFTHSM, "pkcs11:"],
                              env=dict(case.place.environment, SOFTHSM2_CONF=str(conf)), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    case.addCleanup(server.wait)
    case.addCleanup(server.terminate)
    for _ in range(1000):
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(address)) == 0:
                break
        time.sleep(0.01)
    client, = pathlib.Path("/usr/lib").glob("*/pkcs11/p11-kit-client.so")
    return {"module": str(client), "environment": {"P11_KIT_SERVER_ADDRESS": f"unix:path={address}"}}


class Room(unittest.TestCase):
    """Each case has a Place of its own, and a terminal at which everybody answers as usual."""

    def setUp(self):
        self.folder = scratch(self)
        self.place = Place(self.folder)
        self.record = self.place.archive / "0001-smki-root-oca"
        self.answers = usual_answers(self.place) + [
            (r"stay or leave", "stays"),
            (r"Read a radio clock", lambda _: time.strftime("%H:%M:%S", time.gmtime())),
        ]

    def play(self, *command, first=(), **environment):
        """Plays a command; `first` are answers that go before the usual ones. Returns exit status and what was shown."""
        player = Player(list(first) + self.answers)
        self.addCleanup(player.stop)
        status = player.start("keyceremony", *command, **environment).play()
        self.player = player
        return status, player.shown

    def run_script(self, first=(), script=SCRIPT):
        return self.play("run", script, "--binding", self.place.binding, "--archive", self.place.archive, first=first)

    def resume(self, first=()):
        return self.play("resume", self.record, first=first)

    def changed(self, change):
        """A copy of the script with a change to its object."""
        script = copy_scripts(self.folder) / SCRIPT.name
        rewrite(script, change)
        return script

    def open_with_shares(self):
        """From now on custodians combine the PIN of root-hsm."""
        self.place.bound["tokens"]["root-hsm"]["login"] = "shares"
        self.place.write_binding()

    def entries(self, kind, **fields):
        return entries(self.record, type=kind, **fields)

    def assert_complete(self):
        status, answer = verified(self.record, self.place.roster)
        self.assertEqual((status, answer["verdict"]), (0, "COMPLETE"), answer["findings"])
