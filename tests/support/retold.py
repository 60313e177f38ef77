"""A record of a real ceremony, told anew by a room that cheats together.

The log key and the keys of all custodians are the test's, so whatever is changed is signed again: digests, checkpoints,
cosignatures and addendum are good, and only what the record *says* is wrong.
"""
import base64
import json
import pathlib

from record_builder import canonical, public_key, sha, signature_line, tree, key_id

LOG = "log"


class Retold:
    """`entries` (JSON objects, by number) and `files` (bytes, by path) are to be changed before it is written."""

    def __init__(self, record, roster):
        record = pathlib.Path(record)
        self.entries = [json.loads(line) for line in (record / "log.jsonl").read_text().splitlines()]
        self.files = {str(path.relative_to(record)): path.read_bytes() for path in sorted(record.rglob("*")) if path.is_file()}
        self.roster = json.loads(pathlib.Path(roster).read_text())
        for person in self.roster["people"]:
            person["sign_key"] = base64.b64encode(public_key(person["id"])).decode()
        self.estate = self.roster["estate"]
        self.origin = self.entries[0]["origin"]
        self._take_over()

    def _take_over(self):
        """The log key is the test's, also where the record tells of it."""
        for entry in self.entries:
            if entry["type"] == "request" and "log_key" in entry["subject"]:
                entry["subject"]["log_key"] = base64.b64encode(public_key(LOG)).decode()
        title, evidence, rest = self.files["addendum.note"].split(b"\n", 2)
        told = json.loads(evidence)
        told["spki_sha256"] = sha(public_key(LOG)).hex()
        self.files["addendum.note"] = b"\n".join([title, canonical(told), rest])

    def ends(self):
        """The entries that say what a step did."""
        return [entry for entry in self.entries if entry["type"] == "step" and entry["phase"] == "end" and entry.get("effects")]

    def effect(self, kind, **fields):
        """The one effect of that kind with these fields."""
        found = [effect for entry in self.ends() for effect in entry["effects"]
                 if effect["effect"] == kind and all(effect.get(key) == value for key, value in fields.items())]
        assert len(found) == 1, (kind, fields, len(found))
        return found[0]

    def end_with(self, effect):
        return next(entry for entry in self.ends() if any(own is effect for own in entry["effects"]))

    def request(self, step):
        """The newest request of a step."""
        return [entry for entry in self.entries if entry["type"] == "request" and entry["step"] == step][-1]

    def remove(self, is_out):
        """Leaves out the entries for which it says so."""
        self._put([(number, entry) for number, entry in enumerate(self.entries) if not is_out(entry)])

    def insert(self, place, entries):
        """Puts entries before that of the number `place`."""
        old = list(enumerate(self.entries))
        self._put(old[:place] + [(None, entry) for entry in entries] + old[place:])

    def _put(self, numbered):
        """The entries with their old numbers, None for a new one. Whatever names another by its number follows."""
        now = {old: new for new, (old, _) in enumerate(numbered) if old is not None}
        self.entries = [entry for _, entry in numbered]
        for number, entry in enumerate(self.entries):
            entry["seq"] = number
            named = {"cosign": ("request", "size"), "refusal": ("request",), "step": ("approval",)}.get(entry["type"], ())
            for field in named:
                if field in entry:
                    entry[field] = now[entry[field]]
            if entry["type"] == "close":
                entry["entries"] = now[entry["entries"] - 1] + 1

    def artefact(self, path, content):
        """Another content, which the entry of the file then has, too; returns its digest."""
        assert "artefacts/" + path in self.files, path
        self.files["artefacts/" + path] = content
        return sha(content).hex()

    def _signers(self, note):
        names = [line.split(" ")[1] for line in note.split("\n\n", 1)[1].splitlines() if line]
        return [name.removeprefix(self.estate + "/") for name in names if name != self.origin]

    def _note(self, text, people, log=True):
        lines = [signature_line(self.origin, LOG, text)] if log else []
        return text + "\n" + "".join(line + "\n" for line in lines + [self._line(person, text) for person in people])

    def _line(self, person, text):
        return signature_line(f"{self.estate}/{person}", person, text)

    def write(self, folder):
        """Signs everything and writes the record; returns the path of a roster by which it is verified."""
        folder = pathlib.Path(folder)
        lines = []

        def text(size):
            root = tree([sha(bytes(1) + line) for line in lines[:size]])
            return f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n"

        for number, entry in enumerate(self.entries):
            if entry["type"] == "open":
                entry["log_key"] = base64.b64encode(public_key(LOG)).decode()
                entry["inputs"] = {path.removeprefix("inputs/"): sha(content).hex()
                                   for path, content in self.files.items() if path.startswith("inputs/")}
            elif entry["type"] == "request":
                entry["subject_sha256"] = sha(canonical(entry["subject"])).hex()
            elif entry["type"] == "checkpoint":
                entry["note"] = self._note(text(number), self._signers(entry["note"]))
            elif entry["type"] == "cosign":
                entry["line"] = self._line(entry["person"], text(entry["size"]))
            elif entry["type"] == "artefact":
                content = self.files["artefacts/" + entry["name"]]
                entry["sha256"], entry["size"] = sha(content).hex(), len(content)
            lines.append(canonical(entry))
        self.files["log.jsonl"] = b"".join(line + b"\n" for line in lines)
        closing = self._signers(self.files["checkpoint"].decode())
        size = next(number for number, entry in enumerate(self.entries) if entry["type"] == "close") + 1
        self.files["checkpoint"] = self._note(text(size), closing).encode()
        self.files["policy.txt"] = self._policy()
        self._write_addendum()
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        pinned = folder.with_suffix(".roster.json")
        pinned.write_text(json.dumps(self.roster))
        return pinned

    def _policy(self):
        lines = []
        for line in self.files["policy.txt"].decode().splitlines():
            words = line.split(" ")
            if words[0] == "witness":
                person = words[2].split("+")[0].removeprefix(self.estate + "/")
                key = base64.b64encode(bytes([2]) + public_key(person)).decode()
                line = f"witness {words[1]} {self.estate}/{person}+{key_id(person).hex()}+{key}"
            elif words[0] == "log":
                key = base64.b64encode(bytes([2]) + public_key(LOG)).decode()
                line = " ".join(["log", f"{self.origin}+{key_id(LOG).hex()}+{key}", *words[2:]])
            lines.append(line)
        return ("\n".join(lines) + "\n").encode()

    def _write_addendum(self):
        note = self.files["addendum.note"].decode()
        title, evidence = note.splitlines()[:2]
        sums = sorted((path, sha(content).hex()) for path, content in self.files.items() if path != "addendum.note")
        sums = [(path, digest) for path, digest in sums if f"  {path}\n" in note]
        text = f"{title}\n{evidence}\n" + "".join(f"{digest}  {path}\n" for path, digest in sums)
        self.files["addendum.note"] = self._note(text, self._signers(note), log=False).encode()
