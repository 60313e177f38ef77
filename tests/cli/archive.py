"""An archive in which shipped scripts are rehearsed, changed and unchanged."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

SOURCE = pathlib.Path(os.environ["KEYCEREMONY_SOURCE_DIR"])
SCRIPTS = SOURCE / "scripts"


def run(*arguments):
    """Runs `keyceremony` without a terminal; returns exit status, stdout, stderr."""
    done = subprocess.run(["keyceremony", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=dict(os.environ, LC_ALL="C.UTF-8"), check=False)
    return done.returncode, done.stdout, done.stderr


def openssl(*arguments, data=None):
    """Runs openssl; returns exit status and everything it said."""
    done = subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=False)
    return done.returncode, (done.stdout + done.stderr).decode()


class Archive:
    """An archive in which ceremonies are rehearsed, one after another."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="keyceremony-hierarchy-"))
        self.path = self.folder / "archive"
        self.scripts = self.folder / "scripts"
        shutil.copytree(SCRIPTS, self.scripts, ignore=shutil.ignore_patterns("dev"))

    def remove(self):
        shutil.rmtree(self.folder)

    def rehearse(self, name):
        return run("rehearse", self.scripts / f"{name}.ceremony.json", "--unattended", "--quiet", "--archive", self.path)

    def write(self, name, plan):
        (self.scripts / f"{name}.ceremony.json").write_text(json.dumps(plan))

    def plan(self, name):
        return json.loads((SCRIPTS / f"{name}.ceremony.json").read_text())

    def artefact(self, name):
        found = list(self.path.glob(f"0*/artefacts/{name}"))
        assert len(found) == 1, (name, found)
        return found[0]

    def status(self):
        status, out, err = run("status", self.path, "--json")
        assert status == 0, err
        return json.loads(out)

    def verdicts(self):
        status, out, err = run("verify", self.path, "--roster", self.path / "rehearsal" / "roster.json", "--json")
        assert out, err
        return status, [record["verdict"] for record in json.loads(out)["records"]]

    def entries(self, record):
        return [json.loads(line) for line in (self.path / record / "log.jsonl").read_text().splitlines()]


def steps_of(plan):
    return [step for section in plan["sections"] for step in section["steps"]]


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
