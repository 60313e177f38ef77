"""Writes ceremony records from docs/record-format.md alone, with nothing of the product: what the verifier is tested with.

Keys come from labels and ECDSA nonces from RFC 6979, so the same calls write the same bytes: docs/vectors/ is one of
these records. The private keys are public; they sign nothing but tests.
"""
import base64
import functools
import hashlib
import hmac
import json
import os

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
SPKI_PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")


def sha(data):
    return hashlib.sha256(data).digest()


def canonical(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def tree(leaves):
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha(b"\x01" + tree(leaves[:split]) + tree(leaves[split:]))


def add_points(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


@functools.lru_cache(None)
def doubles_of_g():
    doubles = [G]
    while len(doubles) < 256:
        doubles.append(add_points(doubles[-1], doubles[-1]))
    return doubles


def multiply_g(scalar):
    total = None
    for bit, point in enumerate(doubles_of_g()):
        if scalar >> bit & 1:
            total = add_points(total, point)
    return total


def der_integer(value):
    body = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return b"\x02" + bytes([len(body)]) + body


def der_signature(r, s):
    body = der_integer(r) + der_integer(s)
    return b"\x30" + bytes([len(body)]) + body


def nonce(secret, digest):
    """RFC 6979 section 3.2 for P-256 and SHA-256."""
    v, k = b"\x01" * 32, b"\x00" * 32
    seed = secret.to_bytes(32, "big") + (int.from_bytes(digest, "big") % N).to_bytes(32, "big")
    for separator in (b"\x00", b"\x01"):
        k = hmac.digest(k, v + separator + seed, "sha256")
        v = hmac.digest(k, v, "sha256")
    while True:
        v = hmac.digest(k, v, "sha256")
        candidate = int.from_bytes(v, "big")
        if 1 <= candidate < N:
            return candidate
        k = hmac.digest(k, v + b"\x00", "sha256")
        v = hmac.digest(k, v, "sha256")


@functools.lru_cache(None)
def public_key(label):
    x, y = multiply_g(secret_of(label))
    return SPKI_PREFIX + x.to_bytes(32, "big") + y.to_bytes(32, "big")


def secret_of(label):
    return int.from_bytes(sha(b"keyceremony test key " + label.encode()), "big") % (N - 1) + 1


@functools.lru_cache(None)
def sign_rs(label, text):
    secret, digest = secret_of(label), sha(text)
    k = nonce(secret, digest)
    r = multiply_g(k)[0] % N
    s = pow(k, -1, N) * (int.from_bytes(digest, "big") + r * secret) % N
    return r, min(s, N - s)


def key_id(label):
    return sha(public_key(label))[:4]


def signature_line(name, label, text, form="strict"):
    """A note's signature line. `form`: "strict" low-S DER, "high-s", or "ber" with a length in its long form."""
    r, s = sign_rs(label, text.encode())
    signature = der_signature(r, N - s if form == "high-s" else s)
    if form == "ber":
        signature = b"\x30\x81" + signature[1:]
    return f"\u2014 {name} {base64.b64encode(key_id(label) + signature).decode()}"


class Record:
    """One record in the making. Labels name keys: the log key is "log", a person's key is the person's id."""

    def __init__(self, estate="smki.example", ceremony="root-2026", people=("alice", "bob", "carol", "dave", "erin"), m=3,
                 log="log", previous=None, mode="rehearsal", number=1, more=(), more_quorum=None):
        self.estate, self.ceremony, self.people, self.m, self.log, self.mode = estate, ceremony, people, m, log, mode
        self.origin = f"{estate}/{ceremony}/{sha(f'{ceremony} {number}'.encode()).hex()[:32]}"
        self.previous = previous
        self.lines, self.files, self.calls, self.steps = [], {}, 0, 0
        # The script: attend, root-key and `more` steps in a section of their own, which may have a quorum.
        self.sections = [{"id": "room", "title": "The room", "steps": [{"id": "attend", "do": "room.attend"}]},
                         {"id": "root", "title": "The root key", "steps": [{"id": "root-key", "do": "key.generate", "quorum": "custodians"}]}]
        if more:
            self.sections.append({"id": "more", "title": "More", "steps": list(more), **({"quorum": more_quorum} if more_quorum else {})})
        self.script = {}  # members of the script in place of the usual ones
        self.quorums = {"custodians": {"m": m, "role": "custodian"}}
        self.opening_subject = None   # what is approved at the opening, where it is not only the name
        self.attended = lambda: None  # after the first step
        self.is_opened = False  # its first checkpoint is there
        self.disclosures = []    # lines of disclosures.jsonl
        self.label = {}  # person -> label of the key that signs for them, where it is not the person's id

    # Entries.
    def add(self, entry_type, **fields):
        seq = len(self.lines)
        entry = {"v": 1, "seq": seq, "type": entry_type, "time": f"2026-11-21T09:{seq // 60:02}:{seq % 60:02}.000000Z",
                 "mono": 1000000 * (seq + 1), "salt": sha(f"{self.origin} {seq}".encode()).hex()[:32], "mode": self.mode}
        entry.update(fields)
        self.lines.append(canonical(entry))
        return seq

    def open(self, inputs=None, **fields):
        inputs = {"script.json": self.script_file(), "roster.json": self.roster()} if inputs is None else inputs
        self.files.update({"inputs/" + name: content for name, content in inputs.items()})
        return self.add("open", **{
            "origin": self.origin, "ceremony": self.ceremony, "log_key": base64.b64encode(public_key(self.log)).decode(),
            "inputs": {name: sha(content).hex() for name, content in inputs.items()}, "previous": self.previous,
            "program": {"name": "record_builder.py", "version": "1", "sha256": "00" * 32},
            "tokens": [{"name": "root", "label": "root", "serial": "0001", "manufacturer": "none", "model": "none", "firmware": "0"}],
            "modules": [], **fields})

    def script_file(self):
        return json.dumps({"format": "keyceremony-script/1", "id": self.ceremony, "title": self.ceremony, "estate": self.estate,
                           "sections": self.sections, **self.script}, indent=1).encode() + b"\n"

    def step(self, name, do, phase, signed=True, **fields):
        """As the script says it; `fields` may say otherwise, and None leaves one out. What it did is signed, once the record is open."""
        planned = [step for section in self.sections for step in section["steps"] if step["id"] == name]
        extra = {"begin": {"parameters": {}}, "end": {"calls": {"count": 0, "microseconds": 0}}}.get(phase, {})
        if phase == "begin" and planned and "quorum" in planned[0]:
            extra["quorum"] = planned[0]["quorum"]
        self.steps += phase == "end"
        fields = {key: value for key, value in {**extra, **fields}.items() if value is not None}
        seq = self.add("step", id=name, do=do, phase=phase, **fields)
        if signed and self.is_opened and phase in ("end", "skipped"):
            self.checkpoint()
        return seq

    def request(self, step, m=None, quorum="custodians", **fields):
        subject = self.opening_subject if step == "opening" and self.opening_subject else {"step": step}
        self.last_request = len(self.lines)
        return self.add("request", **{
            "step": step, "quorum": {"name": quorum, "m": self.m if m is None else m, "n": len(self.people)},
            "statement": f"Approve {step}?", "subject": subject, "subject_sha256": sha(canonical(subject)).hex(), **fields})

    def call(self, fn="C_GenerateKeyPair", token="root", done=True, number=None, **fields):
        self.calls += 1
        number = self.calls if number is None else number
        self.add("intent", call=number, fn=fn, token=token, mechanism="CKM_EC_KEY_PAIR_GEN", template={}, inventory="11" * 32, **fields)
        if done:
            self.add("done", call=number, fn=fn, token=token, mechanism="CKM_EC_KEY_PAIR_GEN", template={}, rv="CKR_OK",
                     attributes={}, inventory="22" * 32)

    def artefact(self, name, content, **fields):
        self.files["artefacts/" + name] = content
        return self.add("artefact", **{"name": name, "sha256": sha(content).hex(), "size": len(content), "kind": "certificate", **fields})

    def checkpoint_text(self, size=None):
        lines = self.lines[:size]
        return f"{self.origin}\n{len(lines)}\n{base64.b64encode(tree([sha(bytes(1) + line) for line in lines])).decode()}\n"

    def note(self, text, people=(), log=True, form="strict"):
        lines = [signature_line(self.origin, self.log, text, form)] if log else []
        return text + "\n" + "".join(line + "\n" for line in lines + [self.line_of(person, text) for person in people])

    def line_of(self, person, text, form="strict"):
        return signature_line(f"{self.estate}/{person}", self.label.get(person, person), text, form)

    def checkpoint(self, text=None, **note):
        self.is_opened = True
        return self.add("checkpoint", note=self.note(self.checkpoint_text() if text is None else text, **note))

    def cosign(self, person, request, size, form="strict", **fields):
        return self.add("cosign", **{"person": person, "request": request, "size": size,
                                     "line": self.line_of(person, self.checkpoint_text(size), form), **fields})

    def approve(self, step, people, **fields):
        request = self.request(step, **fields)
        size = self.checkpoint()
        for person in people:
            self.cosign(person, request, size)
        return request

    # What is not for everybody (docs/record-format.md section 6).
    def confidential(self, name, value, salt=None):
        """The salted digest that stands in an entry in the place of a value; its opening goes to disclosures.jsonl."""
        salt = base64.urlsafe_b64encode(sha(f"{self.origin} {name} {len(self.disclosures)}".encode())[:16]).decode().rstrip("=") if salt is None else salt
        opening = base64.urlsafe_b64encode(canonical([salt, name, value])).decode().rstrip("=")
        self.disclosures.append(canonical({"d": opening}))
        return {"_sd": base64.urlsafe_b64encode(sha(opening.encode())).decode().rstrip("=")}

    # Files.
    def roster(self, m=None, state=None):
        people = [{"id": person, "name": person.title(), "roles": ["custodian"],
                   "sign_key": base64.b64encode(public_key(person)).decode(), **({"state": state[person]} if state and person in state else {})}
                  for person in self.people]
        return json.dumps({"format": "keyceremony-roster/1", "estate": self.estate,
                           "quorums": {**self.quorums, **({} if m is None else {"custodians": {"m": m, "role": "custodian"}})}, "people": people},
                          indent=1).encode() + b"\n"

    def policy(self, witnesses=None, m=None):
        witnesses = [(person, person, person) for person in self.people] if witnesses is None else witnesses
        text = "".join(f"witness {name} {self.estate}/{person}+{key_id(label).hex()}+"
                       f"{base64.b64encode(bytes([2]) + public_key(label)).decode()}\n" for name, person, label in witnesses)
        members = " ".join(name for name, _, _ in witnesses)
        return f"{text}group custodians {self.m if m is None else m} {members}\nquorum custodians\n".encode()

    def write(self, folder, checkpoint=None, addendum_people=None, policy=None, sums=None, evidence=None, title=None):
        """Writes the folder; an addendum only when somebody signs it. `sums` edits the list of (path, digest) pairs."""
        files = {"log.jsonl": b"".join(line + b"\n" for line in self.lines), "policy.txt": policy or self.policy(), **self.files}
        if checkpoint is not None:
            files["checkpoint"] = checkpoint.encode()
        if addendum_people is not None:
            evidence = {"object": "log key", "rv": "CKR_OK", "before": "33" * 32, "after": "44" * 32,
                        "time": "2026-11-21T10:00:00.000000Z"} if evidence is None else evidence
            pairs = sorted((path, sha(content).hex()) for path, content in files.items())
            pairs = sums(pairs) if sums else pairs
            text = (title or f"{self.origin}/addendum") + "\n" + canonical(evidence).decode() + "\n"
            text += "".join(f"{digest}  {path}\n" for path, digest in pairs)
            files["addendum.note"] = self.note(text, addendum_people, log=False).encode()
        if self.disclosures:
            files["disclosures.jsonl"] = b"".join(line + b"\n" for line in self.disclosures)
        for path, content in files.items():
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "wb") as file:
                file.write(content)
        return files

    # A whole small ceremony, with a seam at each place where an attack differs.
    def ceremony_entries(self, opening=("alice", "bob", "carol"), approving=("alice", "bob", "dave"), extra=None):
        extra = extra or {}
        seam = lambda place: extra.get(place, lambda record: None)(self)
        self.open()
        self.step("attend", "room.attend", "begin")
        self.add("attend", person="alice", role="custodian", presence="in person")
        self.step("attend", "room.attend", "end")
        self.attended()
        self.approve("opening", opening)
        seam("opened")
        self.step("root-key", "key.generate", "begin")
        self.approve("root-key", approving)
        seam("approved")
        self.call()
        self.artefact("root.pem", b"-----BEGIN CERTIFICATE-----\n\xc3\xa9\n-----END CERTIFICATE-----\n")
        self.step("root-key", "key.generate", "end")
        self.add("note", text="a word with \"quotes\", a back\\slash, a tab\t, \u00e9, \u20ac and \U0001f511")
        seam("closing")
        return self

    def close(self, **fields):
        return self.add("close", **{"entries": len(self.lines) + 1, "steps": self.steps, "open_items": [], **fields})


def complete(folder, record=None, closing=("alice", "carol", "erin"), addendum=("bob", "carol", "dave"), **write):
    """A record that is COMPLETE under its own roster; returns it with its files."""
    record = record or Record().ceremony_entries()
    record.close()
    files = record.write(folder, record.note(record.checkpoint_text(), closing), addendum, **write)
    return record, files


REASONS = {"PD": "personal data", "SEC": "how the tokens are guarded"}


def ledger(origin, entries=(), files=(), **head):
    """withheld.jsonl: entries are (number, type, label, reason), files (path, label, reason)."""
    rows = [{"annex": None, "format": "keyceremony-withheld/1", "label": "green", "origin": origin, "reasons": REASONS, **head}]
    rows += [{"file": path, "label": label, "reason": reason} for path, label, reason in files]
    rows += [{"entry": entry, "label": label, "reason": reason, "type": kind} for entry, kind, label, reason in entries]
    return b"".join(canonical(row) + b"\n" for row in rows)


def bundle(record, files, entries=(), withheld=(), disclosures=()):
    """The files of a bundle: `entries` (numbers) are withheld, `withheld` (paths) left out; `disclosures` stay."""
    lines = [sha(b"\x00" + line).hex().encode() if i in entries else line for i, line in enumerate(record.lines)]
    out = {path: content for path, content in files.items() if path not in withheld and path != "disclosures.jsonl"}
    out["log.jsonl"] = b"".join(line + b"\n" for line in lines)
    out["withheld.jsonl"] = ledger(record.origin, [(i, json.loads(record.lines[i])["type"], "amber", "PD") for i in sorted(entries)],
                                   [(path, "red", "SEC") for path in sorted(withheld)])
    if disclosures:
        out["disclosures.jsonl"] = b"".join(line + b"\n" for line in disclosures)
    return out
