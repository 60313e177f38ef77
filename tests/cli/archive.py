"""An archive in which shipped scripts are rehearsed, changed and unchanged; and what tests of the programs share."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("KEYCEREMONY_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
SCRIPTS = SOURCE / "scripts"
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
# Whoever imports this may import the helpers of all tests, and the verifiers in Python.
sys.path[1:1] = [str(SOURCE / "tests" / "support"), str(SOURCE / "docs")]


def run(*arguments, program="keyceremony", **environment):
    """Runs a program of ours without a terminal; returns exit status, stdout, stderr."""
    done = subprocess.run([program, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=dict(os.environ, LC_ALL="C.UTF-8", **environment), check=False)
    return done.returncode, done.stdout, done.stderr


def openssl(*arguments, data=None):
    """Runs openssl; returns exit status and everything it said."""
    done = subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=False)
    return done.returncode, (done.stdout + done.stderr).decode()


def scratch(case):
    """A folder that goes with a test case, or with a class of them."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="keyceremony-"))
    (case.addClassCleanup if isinstance(case, type) else case.addCleanup)(shutil.rmtree, folder)
    return folder


def copy_scripts(folder):
    """A copy of the shipped scripts and of what they name, in a folder of its own."""
    return shutil.copytree(SCRIPTS, folder / "scripts", ignore=shutil.ignore_patterns("dev"))


def rewrite(path, change):
    """Changes the object in a JSON file."""
    path = pathlib.Path(path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def entries(record, **fields):
    """The entries of a record, or those with these fields."""
    every = [json.loads(line) for line in (record / "log.jsonl").read_text().splitlines()]
    return [entry for entry in every if all(entry.get(name) == value for name, value in fields.items())]


def verified(path, roster, *options):
    """The verdict on a record: exit status and what `verify --json` says."""
    status, out, err = run("verify", path, "--roster", roster, "--json", *options)
    assert out, err
    return status, json.loads(out)


def need(*tools):
    """Ends a test program as skipped where SoftHSM or one of these tools is missing."""
    missing = [tool for tool in tools if shutil.which(tool) is None] + ([] if os.path.exists(SOFTHSM) else ["SoftHSM"])
    if missing:
        print("missing:", *missing, file=sys.stderr)
        sys.exit(77)


def profile(name):
    """The object of a shipped profile."""
    return json.loads((SCRIPTS / "profiles" / f"{name}.profile.json").read_text())


class Archive:
    """An archive in which ceremonies are rehearsed, one after another. It goes with the test case, or with the class."""

    def __init__(self, case):
        self.folder = scratch(case)
        self.path = self.folder / "archive"
        self.roster = self.path / "rehearsal" / "roster.json"
        self.binding = self.path / "rehearsal" / "binding.json"
        self.scripts = copy_scripts(self.folder)

    def script(self, name):
        return self.scripts / f"{name}.ceremony.json"

    def rehearse(self, script, *options):
        """Rehearses a script of this folder, by its name, or another one from a file."""
        path = script if isinstance(script, pathlib.Path) else self.script(script)
        return run("rehearse", path, "--unattended", "--archive", self.path, *options)

    def write(self, name, plan):
        self.script(name).write_text(json.dumps(plan))
        return self.script(name)

    def plan(self, name):
        return json.loads((SCRIPTS / f"{name}.ceremony.json").read_text())

    def faults(self, *faults):
        """A file of bad days that a rehearsal plays."""
        path = self.folder / "faults.json"
        path.write_text(json.dumps({"format": "keyceremony-faults/1", "title": "t", "faults": faults}))
        return path

    def artefact(self, name):
        found = list(self.path.glob(f"0*/artefacts/{name}"))
        assert len(found) == 1, (name, found)
        return found[0]

    def status(self, *options):
        status, out, err = run("status", self.path, "--json", *options)
        assert status == 0, err
        return json.loads(out)

    def verdicts(self):
        status, answer = verified(self.path, self.roster)
        return status, [record["verdict"] for record in answer["records"]]

    def record(self, which):
        """A record by its number or the name of its folder."""
        if isinstance(which, str):
            return self.path / which
        record, = self.path.glob(f"{which:04}-*")
        return record

    def entries(self, which, **fields):
        return entries(self.record(which), **fields)


class Rehearsed(unittest.TestCase):
    """Each case has an archive of its own, and says how each rehearsal is to end."""

    def setUp(self):
        self.home = Archive(self)
        self.folder, self.archive, self.scripts = self.home.folder, self.home.path, self.home.scripts
        self.roster, self.binding = self.home.roster, self.home.binding
        self.first = self.archive / "0001-smki-root-oca"

    def rehearse(self, script="smki-root-oca", *options, expect=0):
        """Rehearses a shipped script, by its name, or another one from a file."""
        path = script if isinstance(script, pathlib.Path) else SCRIPTS / f"{script}.ceremony.json"
        status, out, err = self.home.rehearse(path, *options)
        self.assertEqual(status, expect, out[-2000:] + err)
        return out, err

    def changed(self, name, change):
        """A shipped script with a change to its object."""
        plan = self.home.plan(name)
        change(plan)
        return self.home.write(name, plan)

    def status(self, *options):
        return self.home.status(*options)

    def record(self, which):
        return self.home.record(which)

    def entries(self, which, **fields):
        return self.home.entries(which, **fields)

    def seen(self, which, what):
        return self.entries(which, type="observe", what=what)

    def token(self, name="root-hsm"):
        return next(token for token in self.status()["tokens"] if token["name"] == name)

    def key(self, name="root-oca"):
        key, = [key for key in self.status()["keys"] if key["name"] == name]
        return key

    def assert_says(self, text, *parts):
        for part in parts:
            self.assertIn(part, text)

    def assert_complete(self, which=1, roster=None):
        status, answer = verified(self.record(which), roster or self.roster)
        self.assertEqual((status, answer["verdict"]), (0, "COMPLETE"), answer["findings"])

    def assert_signed_by(self, spki, request):
        """openssl reads the request, accepts its signature, and finds this very key in it."""
        judged = subprocess.run(["openssl", "req", "-inform", "DER", "-in", request, "-verify", "-noout", "-pubkey"],
                                capture_output=True, text=True, check=False)
        self.assertEqual(judged.returncode, 0, judged.stderr)
        self.assertIn("verify OK", judged.stdout + judged.stderr)
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=judged.stdout.encode(),
                             capture_output=True, check=True).stdout
        self.assertEqual(der, spki)


def steps_of(plan):
    return [step for section in plan["sections"] for step in section["steps"]]


def without(plan, *kinds):
    """The script without the steps of these kinds."""
    for section in plan["sections"]:
        section["steps"] = [step for step in section["steps"] if step["do"] not in kinds]
    return plan


def only(plan, new_id, keep):
    """The script with another id and only the steps that `keep` wants, beside the first section and the last."""
    plan["id"] = new_id
    for section in plan["sections"]:
        section["steps"] = [step for step in section["steps"] if step["do"].startswith(("room.", "comms.")) or keep(step)]
    plan["sections"] = [section for section in plan["sections"] if section["steps"]]
    used = {step.get("profile") for step in steps_of(plan)}
    plan["profiles"] = {name: path for name, path in plan["profiles"].items() if name in used}
    tokens = {token for step in steps_of(plan) for token in [step.get("token"), *step.get("tokens", [])]}
    plan["tokens"] = {name: token for name, token in plan["tokens"].items() if name in tokens}
    return plan
