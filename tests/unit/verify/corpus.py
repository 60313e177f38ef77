"""Every attack that the verifier must see through (docs/record-format.md section 7), at every index of a small record.

cases() yields Case objects; a case is the files of a whole record folder, what the reader brings, and the verdict.
"""
import base64
import json

import record_builder as builder
from record_builder import Record, canonical, sha

COMPLETE, UNPINNED, INCOMPLETE, FORK, INVALID = "COMPLETE", "UNPINNED", "INCOMPLETE", "FORK", "INVALID"
ALIKE = "ALIKE"  # whatever it is, of all verifiers: what a publisher says of a withheld entry is their word
ALL_FILES = "log.jsonl", "checkpoint", "addendum.note", "policy.txt"


class Case:
    def __init__(self, name, files, verdict, roster=None, kept=None, link=None):
        self.name, self.files, self.verdict, self.roster, self.kept, self.link = name, files, verdict, roster, kept, link


class Base:
    """The record that is attacked from outside, without any key."""

    def __init__(self, scratch):
        self.record, self.files = builder.complete(scratch)
        self.roster = self.record.roster()
        self.lines = self.record.lines

    def with_lines(self, lines, tail=b"", **files):
        return {**self.files, "log.jsonl": b"".join(line + b"\n" for line in lines) + tail, **files}

    def without(self, files, *names):
        return {path: content for path, content in files.items() if path not in names}


def renumbered(lines):
    return [canonical({**json.loads(line), "seq": seq}) for seq, line in enumerate(lines)]


def tampered(base):
    """Attacks by somebody who holds no key: one case for every index."""
    lines, count = base.lines, len(base.lines)
    case = lambda name, files, verdict=INVALID, **more: Case(name, files, verdict, base.roster, **more)
    notes = {i: json.loads(line)["note"].encode() for i, line in enumerate(lines) if json.loads(line)["type"] == "checkpoint"}
    for i in range(count):
        cut = base.with_lines(lines[:i])
        yield case(f"truncated to {i}", cut, INCOMPLETE if i else INVALID)
        yield case(f"truncated to {i}, checkpoint and addendum gone", base.without(cut, "checkpoint", "addendum.note"), INCOMPLETE)
        yield case(f"torn in line {i}", base.with_lines(lines[:i], lines[i][: len(lines[i]) // 2]), INCOMPLETE if i else INVALID)
        yield case(f"line {i} without its LF at the end", base.with_lines(lines[:i], lines[i]), INCOMPLETE if i else INVALID)
        yield case(f"deleted {i}", base.with_lines(lines[:i] + lines[i + 1:]), INCOMPLETE if i == count - 1 else INVALID)
        yield case(f"deleted {i}, renumbered", base.with_lines(renumbered(lines[:i] + lines[i + 1:])), INCOMPLETE if i == count - 1 else INVALID)
        yield case(f"inserted at {i}", base.with_lines(lines[:i] + [lines[2]] + lines[i:]))
        yield case(f"inserted at {i}, renumbered", base.with_lines(renumbered(lines[:i] + [lines[2]] + lines[i:])))
        yield case(f"duplicate of {i}", base.with_lines(lines[: i + 1] + lines[i:]))
        yield case(f"CRLF at {i}", base.with_lines(lines[:i] + [lines[i] + b"\r"] + lines[i + 1:]))
        yield case(f"BOM at {i}", base.with_lines(lines[:i] + [b"\xef\xbb\xbf" + lines[i]] + lines[i + 1:]))
        yield case(f"space after {i}", base.with_lines(lines[:i] + [lines[i] + b" "] + lines[i + 1:]))
        yield case(f"space in {i}", base.with_lines(lines[:i] + [lines[i].replace(b",", b", ", 1)] + lines[i + 1:]))
        yield case(f"empty line before {i}", base.with_lines(lines[:i] + [b""] + lines[i:]))
        yield case(f"other salt in {i}", base.with_lines(lines[:i] + [canonical({**json.loads(lines[i]), "salt": "0" * 32})] + lines[i + 1:]))
        for j in range(i + 1, count):
            if j == i + 1 or (i + j) % 7 == 0:
                swapped = lines[:i] + [lines[j]] + lines[i + 1: j] + [lines[i]] + lines[j + 1:]
                yield case(f"swapped {i} and {j}", base.with_lines(swapped))
                yield case(f"swapped {i} and {j}, renumbered", base.with_lines(renumbered(swapped)))
    for i, note in notes.items():
        yield case(f"cut back to checkpoint {i}, which becomes the final one",
                   base.without(base.with_lines(lines[:i], checkpoint=note), "addendum.note"), INCOMPLETE)
        yield case(f"the note of checkpoint {i} as the final one", base.with_lines(lines, checkpoint=note))
        yield case(f"a checkpoint {i} kept from elsewhere", base.files, COMPLETE, kept=note)
    extra = canonical({**json.loads(lines[-2]), "seq": count})
    yield case("unsigned tail", base.with_lines(lines + [extra]), INCOMPLETE)
    yield case("unsigned tail without addendum", base.without(base.with_lines(lines + [extra]), "addendum.note"), INCOMPLETE)
    yield case("torn tail", base.with_lines(lines, b'{"a'), INCOMPLETE)
    yield case("NUL tail", base.with_lines(lines, b"\x00" * 4096), INCOMPLETE)
    yield case("no log", base.without(base.files, "log.jsonl"))
    yield case("empty log", base.with_lines([]), None)
    yield case("a line of 70000 bytes without end", base.with_lines(lines, b"x" * 70000))
    for path in base.files:
        if path != "log.jsonl":
            yield case(f"{path} missing", base.without(base.files, path), None)
            yield case(f"{path} empty", {**base.files, path: b""}, None)
            yield case(f"{path} swapped", {**base.files, path: base.files[path] + b"\n"}, INVALID)
    yield case("artefacts exchanged", {**base.files, "artefacts/root.pem": base.files["inputs/script.json"]})
    yield case("a file nobody named", {**base.files, "artefacts/more.pem": b"more"})
    yield case("disclosures beside it", {**base.files, "disclosures.jsonl": b'{"d":"x"}\n'}, INVALID)
    yield case("an artefact behind a symbolic link", base.without(base.files, "artefacts/root.pem"), INVALID,
               link=("artefacts/root.pem", "../inputs/script.json"))
    yield case("a symbolic link besides", base.files, INVALID, link=("artefacts/x", "/etc/passwd"))
    yield case("a symbolic link to a folder", base.files, INVALID, link=("artefacts/x", "../inputs"))
    yield case("a symbolic link to nothing", base.files, INVALID, link=("artefacts/x", "nothing"))
    for name in ("checkpoint", "addendum.note"):
        text, signatures = base.files[name].decode().rsplit("\n\n", 1)
        signed = signatures.splitlines()
        for k in range(len(signed)):
            rest = signed[:k] + signed[k + 1:]
            yield case(f"signature {k} gone from {name}", {**base.files, name: (text + "\n\n" + "".join(line + "\n" for line in rest)).encode()}, None)
            yield case(f"signature {k} twice in {name}",
                       {**base.files, name: (text + "\n\n" + "".join(line + "\n" for line in signed + [signed[k]])).encode()})
        yield case(f"a line more in the text of {name}", {**base.files, name: (text + "\nmore\n\n" + signatures).encode()})
    yield case("base", base.files, COMPLETE)
    yield Case("base unpinned", base.files, UNPINNED)


def flips(base, stride):
    """Every stride-th byte of every file that is signed or says who signs, flipped in one bit."""
    for name in ALL_FILES:
        content = base.files[name]
        for at in range(0, len(content), stride):
            flipped = bytearray(content)
            flipped[at] ^= 1 << (at % 8)
            yield Case(f"bit of byte {at} of {name} flipped", {**base.files, name: bytes(flipped)}, None, base.roster)


KEY = builder.public_key("k")


def der(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x81, size]) if size < 256 else b"\x82" + size.to_bytes(2, "big")) + content


def statement(key=KEY, serial="0001", nonce="5a" * 16):
    return f"keyceremony proof of copy\nkey {sha(key).hex()}\ntoken {serial}\nnonce {nonce}\n".encode()


def copy_request(key=KEY, text=None, name=b"keyceremony proof of copy", serial=b"0001", version=0, spki=KEY):
    """CertificationRequestInfo, RFC 2986 section 4.1."""
    rdn = lambda arc, value: der(0x31, der(0x30, bytes.fromhex("06035504") + bytes([arc]), der(0x0c, value)))
    attribute = der(0x30, bytes.fromhex("06092a864886f70d010902"), der(0x31, der(0x0c, statement(key) if text is None else text)))
    return der(0x30, der(2, bytes([version])), der(0x30, rdn(3, name), rdn(5, serial)), spki, der(0xa0, attribute))


def proofs():
    """Each with its verdict: the kind of step, what it signs, fields of the call, and what was approved."""
    digest, other = sha(KEY).hex(), builder.public_key("other")
    asked = {"key": "k", "spki_sha256": digest, "proof": "statement"}
    request = {**asked, "proof": "certification-request"}
    survival = b"keyceremony survival of a key\nsmki.example\nroot-2026\nk\n2026-11-21T09:00:00Z\n"
    yield "a statement", COMPLETE, "key.prove", statement(), {"serial": "0001"}, asked
    yield "a request", COMPLETE, "key.clone", copy_request(), {"serial": "0001"}, request
    yield "an imported key's", COMPLETE, "key.import", copy_request(), {}, {"key": "k"}
    yield "of a key that survived", COMPLETE, "firmware.record", survival, {}, {"token": "root"}
    yield "no word of what", INVALID, "key.prove", statement(), {"input": None, "input_sha256": None}, asked
    yield "only a digest", INVALID, "key.prove", statement(), {"input": None}, asked
    yield "only the bytes", INVALID, "key.prove", statement(), {"input_sha256": None}, asked
    yield "other bytes than its digest", INVALID, "key.prove", statement(), {"input_sha256": "aa" * 32}, asked
    yield "bytes that are no base64", INVALID, "key.prove", statement(), {"input": "!"}, asked
    yield "arbitrary bytes", INVALID, "key.prove", b"I owe you a million.", {}, asked
    yield "bytes of a certificate", INVALID, "key.prove", der(0x30, der(0xa0, der(2, b"\x02")), der(2, b"\x01"), der(0x0c, statement())), {}, request
    yield "a statement with more behind it", INVALID, "key.prove", statement() + b"x", {}, asked
    yield "a statement with more before it", INVALID, "key.prove", b"x" + statement(), {}, asked
    yield "a statement with a short nonce", INVALID, "key.prove", statement(nonce="5a"), {}, asked
    yield "another key's statement", INVALID, "key.prove", statement(other), {}, asked
    yield "a statement for another token", INVALID, "key.prove", statement(), {"serial": "0002"}, asked
    yield "a statement where a request was approved", INVALID, "key.prove", statement(), {}, request
    yield "a request where a statement was approved", INVALID, "key.prove", copy_request(), {}, asked
    yield "another key's request", INVALID, "key.prove", copy_request(other, spki=other), {}, request
    yield "a request of another key than its text", INVALID, "key.prove", copy_request(other), {}, {"key": "k"}
    yield "a request under another name", INVALID, "key.prove", copy_request(name=b"smki.example"), {}, request
    yield "a request under another serial number", INVALID, "key.prove", copy_request(serial=b"0002"), {}, request
    yield "a request of another version", INVALID, "key.prove", copy_request(version=1), {}, request
    yield "a request with another text", INVALID, "key.prove", copy_request(text=b"my domain"), {}, request
    yield "a request with more behind it", INVALID, "key.prove", copy_request() + b"\0", {}, request
    yield "a survival in a proof's place", INVALID, "key.prove", survival, {}, asked
    yield "a proof in a survival's place", INVALID, "firmware.record", statement(), {}, {"token": "root"}
    yield "a survival of six lines", INVALID, "firmware.record", survival + b"\n", {}, {"token": "root"}


def made(scratch):
    """Records that were written with keys in hand: every one is signed as it should be, but says something wrong."""
    honest = Record().roster()

    def case(name, verdict, extra=None, record=None, roster=honest, kept=None, closing=("alice", "carol", "erin"),
             addendum=("bob", "carol", "dave"), entries=None, close=True, checkpoint=None, **write):
        record = record or Record()
        record.ceremony_entries(extra=extra, **(entries or {}))
        if close:
            record.close(**(close if isinstance(close, dict) else {}))
        note = record.note(record.checkpoint_text(), closing) if checkpoint is None else checkpoint(record)
        return Case(name, record.write(scratch, note, addendum, **write), verdict, roster, kept(record) if kept else None)

    # People.
    yield case("opening one short", INCOMPLETE, entries={"opening": ("alice", "bob")})
    yield case("opening by one person three times", INCOMPLETE, entries={"opening": ("alice", "alice", "alice")})
    yield case("step one short", INVALID, entries={"approving": ("alice", "bob")})
    yield case("step by one person three times", INVALID, entries={"approving": ("bob", "bob", "bob")})
    yield case("final one short", INCOMPLETE, closing=("alice", "bob"))
    yield case("final by nobody", INCOMPLETE, closing=())
    yield case("addendum one short", INCOMPLETE, addendum=("alice", "bob"))
    yield case("no addendum", INCOMPLETE, addendum=None)
    yield case("everybody", COMPLETE, closing=Record().people, addendum=Record().people)
    yield case("everybody unpinned", UNPINNED, closing=Record().people, addendum=Record().people, roster=None)
    for place in ("opening", "approving"):
        yield case(f"foreign person at {place}", INVALID, entries={place: ("alice", "bob", "mallory")})
        yield case(f"foreign person more at {place}", INVALID, entries={place: ("alice", "bob", "carol", "mallory")})
    yield case("foreign person at the end", INVALID, closing=("alice", "bob", "mallory"))
    yield case("foreign person more at the end", INVALID, closing=("alice", "bob", "carol", "mallory"))
    yield case("foreign person in the addendum", INVALID, addendum=("alice", "bob", "carol", "mallory"))

    def relabelled(**labels):
        record = Record()
        record.label = labels
        return record

    yield case("somebody else's key under a custodian's name", INVALID, record=relabelled(alice="mallory"))
    resigned = Record(log="other log")
    resigned.label = {person: "new " + person for person in resigned.people}
    new_policy = resigned.policy([(person, person, "new " + person) for person in resigned.people])
    yield case("everything signed anew with new keys", INVALID, record=resigned, policy=new_policy)
    again = Record(log="other log")
    again.label = dict(resigned.label)
    yield case("everything signed anew, no roster", UNPINNED, record=again, policy=new_policy, roster=None)
    old = Record(log="other log")
    old.label = dict(resigned.label)
    yield case("everything signed anew, policy of the old keys", INVALID, record=old)
    two_keys = [("alice", "alice", "alice"), ("alice.2", "alice", "alice 2"), ("bob", "bob", "bob"), ("carol", "carol", "carol"), ("dave", "dave", "dave")]

    def double():
        record = Record()
        by = lambda text: [record.line_of("alice", text), builder.signature_line("smki.example/alice", "alice 2", text), record.line_of("bob", text)]
        record.ceremony_entries()
        record.close()
        text = record.checkpoint_text()
        note = record.note(text) + "".join(line + "\n" for line in by(text))
        return record, note

    for roster, verdict in ((None, INCOMPLETE), (honest, INVALID)):
        record, note = double()
        yield Case(f"one person's two keys, {'pinned' if roster else 'unpinned'}",
                   record.write(scratch, note, ("alice", "bob", "carol"), policy=record.policy(two_keys)), verdict, roster)
    one_key = [("alice", "alice", "alice"), ("albert", "albert", "alice"), ("bob", "bob", "bob"), ("carol", "carol", "carol")]
    yield case("one key under two names", INVALID, policy=Record().policy(one_key), roster=None)
    yield case("policy asks for fewer", INVALID, policy=Record().policy(m=2))
    yield case("policy asks for fewer, unpinned", UNPINNED, policy=Record().policy(m=2), roster=None)
    yield case("policy without a person", INVALID, policy=Record().policy([(p, p, p) for p in ("alice", "bob", "carol", "dave")]))
    yield case("policy without a quorum", INVALID, policy=Record().policy().replace(b"quorum custodians", b"quorum none"), roster=None)
    written = Record().policy()
    for what, text in (
            ("two quorum lines", written + b"quorum custodians\n"), ("a group twice", written.replace(b"quorum", written.split(b"\n")[5] + b"\nquorum")),
            ("no LF at its end", written[:-1]), ("another script's digit", written.replace(b" 3 ", " \u0663 ".encode())),
            ("a threshold with a zero before it", written.replace(b" 3 ", b" 03 ")), ("a threshold of nobody", written.replace(b" 3 ", b" 0 ")),
            ("a space that is none", written.replace(b"custodians 3", "custodians\u00a03".encode())), ("a carriage return", written.replace(b"\n", b"\r\n")),
            ("a form feed", written.replace(b"group ", b"group\x0c")), ("a person in a group twice", written.replace(b"alice bob", b"alice alice bob")),
            ("a group of nobody known", written.replace(b"alice bob", b"alice bob zoe")), ("a name twice", written.replace(b"witness bob", b"witness alice")),
            ("a group named like a person", written.replace(b"group custodians", b"group alice")), ("a threshold above all", written.replace(b" 3 ", b" 6 ")),
            ("a quorum before it is defined", b"quorum custodians\n" + written.replace(b"quorum custodians\n", b"")), ("a line of something else", written + b"people 5\n"),
            ("a quorum of two words", written.replace(b"quorum custodians", b"quorum custodians 3")), ("a log that is no key", written + b"log x\n"),
            ("a group without people", written.replace(b"quorum custodians", b"group nobody 1\nquorum custodians")),
            ("an escape", written + b"# \x1b[2J\n"),
            ("one member in two groups", written.replace(b"quorum", b"group a 1 alice\nquorum"))):
        yield case("policy: " + what, INVALID, policy=text, roster=None)
    spaced = b"# who\n\n" + written.replace(b"group custodians", b"  group\t custodians ")
    yield case("policy: comments, tabs and further spaces", UNPINNED, policy=spaced, roster=None)
    yield case("policy: comments, tabs and further spaces, pinned", COMPLETE, policy=spaced)
    of_two = Record().policy(two_keys[:3] + [("carol", "carol", "carol"), ("dave", "dave", "dave")], m=3)
    for name, groups, verdict in (("in a group of their own", b"group alices 1 alice alice.2\ngroup custodians 3 alices bob carol dave\n", UNPINNED),
                                  ("in a group of their own and beside it", b"group alices 1 alice.2\ngroup custodians 3 alice alices bob carol dave\n", INVALID),
                                  ("in two groups", b"group a 1 alice\ngroup b 1 alice.2\ngroup custodians 3 a b bob carol\n", INVALID)):
        text = b"".join(line + b"\n" for line in of_two.split(b"\n") if line.startswith(b"witness")) + groups + b"quorum custodians\n"
        yield case("policy: a person's two keys " + name, verdict, policy=text, roster=None, entries={"opening": ("alice", "bob", "carol")},
                   closing=("alice", "bob", "carol"), addendum=("alice", "bob", "carol"))
    yield case("a retired custodian", INVALID, roster=Record().roster(state={"alice": "retired"}))
    yield case("another estate's roster", INVALID, roster=Record(estate="other.example").roster())
    yield case("request for fewer", INVALID, {"opened": lambda r: r.request("later", m=2)})
    yield case("request for more", COMPLETE, {"opened": lambda r: r.request("later", m=4)})
    yield case("request of an unknown quorum", INVALID, {"opened": lambda r: r.request("later", quorum="nobody")})
    yield case("request with another subject", INVALID, {"opened": lambda r: r.request("later", subject={"step": "other"})})
    yield case("approval of no request", INVALID, {"approved": lambda r: r.cosign("erin", 2, 5)})
    yield case("approval of an older checkpoint", INVALID, {"approved": lambda r: r.cosign("erin", 10, 5)})
    yield case("approval of no checkpoint", INVALID, {"approved": lambda r: r.cosign("erin", 10, 12)})
    yield case("approval once more", COMPLETE, {"approved": lambda r: [r.cosign("erin", 10, 11), r.cosign("erin", 10, 11)]})
    yield case("approval under another's name", INVALID, {"approved": lambda r: r.cosign("erin", 10, 11, line=r.line_of("bob", r.checkpoint_text(11)))})

    # Signatures in their second spellings.
    for form in ("high-s", "ber"):
        yield case(f"{form} approval", INVALID, {"approved": lambda r: r.cosign("erin", 10, 11, form=form)})
        yield case(f"{form} checkpoint entry", INVALID, {"closing": lambda r: r.checkpoint(form=form)})
        yield case(f"{form} final checkpoint", INVALID, checkpoint=lambda r: r.note(r.checkpoint_text(), ("alice", "bob", "carol"), form=form))
        yield case(f"{form} cosignature at the end", INVALID,
                   checkpoint=lambda r: r.note(r.checkpoint_text(), ("alice", "bob")) + r.line_of("carol", r.checkpoint_text(), form) + "\n")

    # Checkpoints.
    edited = lambda text, line, value: "\n".join(value if n == line else old for n, old in enumerate(text.split("\n")))
    root = base64.b64encode(bytes(32)).decode()
    for line, value in ((0, "smki.example/root-2026/" + "0" * 32), (1, "7"), (1, "018"), (2, root), (2, "AAAA")):
        edit = lambda r: edited(r.checkpoint_text(), line, value)
        yield case(f"checkpoint entry with line {line} {value}", FORK if value == root else INVALID, {"closing": lambda r: r.checkpoint(text=edit(r))})
        yield case(f"final checkpoint with line {line} {value}", None,
                   checkpoint=lambda r: r.note(edit(r), ("alice", "bob", "carol")))
    yield case("checkpoint entry with an extension line", INVALID, {"closing": lambda r: r.checkpoint(text=r.checkpoint_text() + "more\n")})
    yield case("checkpoint entry by another key", INVALID,
               {"closing": lambda r: r.add("checkpoint", note=r.checkpoint_text() + "\n" + builder.signature_line(r.origin, "mallory", r.checkpoint_text()) + "\n")})
    yield case("final checkpoint without the log key", INVALID, checkpoint=lambda r: r.note(r.checkpoint_text(), ("alice", "bob", "carol"), log=False))
    yield case("no final checkpoint", INCOMPLETE, checkpoint=lambda r: None)
    yield case("custodians' lines inside a checkpoint entry", COMPLETE, {"closing": lambda r: r.checkpoint(people=("alice", "bob"))})
    fork_text = lambda r, size: edited(edited(r.checkpoint_text(), 1, str(size)), 2, root)
    for size, verdict in ((1, FORK), (12, FORK), (22, FORK), (23, INCOMPLETE)):
        yield case(f"another history of {size} entries kept from elsewhere", verdict, kept=lambda r: r.note(fork_text(r, size)).encode())
    yield case("a checkpoint of another record kept from elsewhere", INVALID,
               kept=lambda r: (lambda other: other.note(other.checkpoint_text()).encode())(Record(number=2).ceremony_entries()))
    yield case("a checkpoint kept from elsewhere, by another key", INVALID,
               kept=lambda r: (r.checkpoint_text() + "\n" + builder.signature_line(r.origin, "mallory", r.checkpoint_text()) + "\n").encode())

    # Entries against each other.
    def at_end(name, verdict, act, *more, **record):
        return case(name, verdict, {"closing": act}, record=Record(more=[{"do": "a", **step} for step in more], **record))

    x, y = {"id": "x"}, {"id": "y"}
    recover = lambda r: r.add("recover", entries=len(r.lines), torn=None)
    begin, end, skipped, failed = ((lambda r, name="x", do="a", phase=phase, **fields: r.step(name, do, phase, **fields))
                                   for phase in ("begin", "end", "skipped", "failed"))
    whole_step = lambda r, name="x", act=lambda r: None, **fields: [begin(r, name, **fields), act(r), end(r, name)]
    destroy = lambda r, **fields: r.call(fn="C_DestroyObject", **fields)
    yield at_end("step ends that never began", INVALID, lambda r: end(r), x)
    yield at_end("step begins and never ends", INVALID, lambda r: begin(r), x)
    yield at_end("step in a step", INVALID, lambda r: [begin(r), begin(r, "y"), end(r, "y")], x, y)
    yield at_end("step ends under another name", INVALID, lambda r: [begin(r), end(r, "y")], x, y)
    yield at_end("step of an unknown phase", INVALID, lambda r: r.step("x", "a", "paused"), x)
    yield at_end("step fails", COMPLETE, lambda r: [begin(r), failed(r)], x)
    yield at_end("step is skipped", COMPLETE, lambda r: skipped(r), {**x, "skippable": True})
    yield at_end("step begins anew after recovery", COMPLETE, lambda r: [begin(r), recover(r), begin(r), end(r)], x)
    yield at_end("step ends after recovery", COMPLETE, lambda r: [begin(r), recover(r), end(r)], x)
    yield at_end("intent without done", INVALID, lambda r: whole_step(r, act=lambda r: r.call(done=False)), x)
    yield at_end("intent without done, recovered", COMPLETE,
                 lambda r: [begin(r), r.call(done=False), recover(r), failed(r), whole_step(r)], x)
    yield at_end("done without intent", INVALID,
                 lambda r: whole_step(r, act=lambda r: r.add("done", call=9, fn="C_Sign", token="root", rv="CKR_OK", inventory="11" * 32)), x)
    for what, fields in (("of another function", {"fn": "C_Sign"}), ("on another token", {"token": "x"})):
        done = {"call": 2, "fn": "C_GenerateKeyPair", "token": "root", "rv": "CKR_OK", "inventory": "11" * 32, **fields}
        yield at_end(f"done {what}", INVALID, lambda r: whole_step(r, act=lambda r: [r.call(done=False), r.add("done", **done)]), x)
    for what in ("fn", "token"):
        named = {"call": 9, "fn": "C_Sign", "token": "root", "inventory": "11" * 32, what: 7}
        yield at_end(f"a call whose {what} is a number", INVALID,
                     lambda r: whole_step(r, act=lambda r: [r.add("intent", **named), r.add("done", rv="CKR_OK", **named)]), x)
    yield at_end("call number twice", INVALID, lambda r: whole_step(r, act=lambda r: r.call(number=1)), x)
    yield at_end("call number of its own", COMPLETE, lambda r: whole_step(r, act=lambda r: r.call(number=9)), x)
    yield at_end("call without a number", INVALID,
                 lambda r: whole_step(r, act=lambda r: r.add("intent", fn="C_Sign", token="root", inventory="11" * 32)), x)
    yield at_end("a call outside the steps", INVALID, lambda r: r.call())
    yield at_end("an object destroyed outside the steps", INVALID, destroy)
    yield at_end("an object destroyed outside the steps after recovery", COMPLETE, lambda r: [recover(r), destroy(r)])
    yield at_end("a call outside the steps after recovery", INVALID, lambda r: [recover(r), r.call()])

    # Steps against the script.
    yield at_end("step that the script does not have", INVALID, lambda r: whole_step(r))
    yield at_end("step of the script left out", INVALID, lambda r: None, x)
    yield case("step of the script left out, not closed", INCOMPLETE, record=Record(more=[{"id": "x", "do": "a"}]), close=False)
    # Who calls a ceremony off names every step that was not done, and nobody is excused otherwise.
    left = lambda *names: [{"what": "the step was not done", "step": name} for name in names]
    def ended(name, verdict, act=lambda r: None, **close):
        return case(name, verdict, {"closing": act}, record=Record(more=[{"do": "a", **x}, {"do": "a", **y}]), close=close)

    why = {"called_off": {"reason": "the seal was broken"}}
    yield ended("called off before two steps", COMPLETE, **why, open_items=left("x", "y"))
    yield ended("called off within a step", COMPLETE, lambda r: [begin(r), failed(r)], **why, open_items=left("x", "y"))
    yield ended("called off after a step", COMPLETE, whole_step, **why, open_items=left("y"))
    yield ended("called off, a step passed over", INVALID, **why, open_items=left("y"))
    yield ended("called off, a step that failed passed over", INVALID, lambda r: [begin(r), failed(r)], **why, open_items=left("y"))
    yield ended("steps named as not done, and not called off", INVALID, open_items=left("x", "y"))
    yield ended("called off by a word", INVALID, called_off="broken", open_items=left("x", "y"))
    yield ended("called off, a step under way", INVALID, begin, **why, open_items=left("x", "y"))
    yield at_end("steps in their order", COMPLETE, lambda r: [whole_step(r), whole_step(r, "y")], x, y)
    yield at_end("steps exchanged", INVALID, lambda r: [whole_step(r, "y"), whole_step(r)], x, y)
    yield at_end("a step before the one that failed", INVALID, lambda r: [begin(r), failed(r), whole_step(r, "y"), whole_step(r)], x, y)
    yield at_end("a step after one that failed", COMPLETE, lambda r: [begin(r), failed(r), whole_step(r, "y")], x, y)
    yield at_end("a step after one that was interrupted", INVALID, lambda r: [begin(r), recover(r), whole_step(r, "y")], x, y)
    yield at_end("a step twice", INVALID, lambda r: [whole_step(r), whole_step(r)], x)
    yield at_end("a step skipped and then done", INVALID, lambda r: [skipped(r), whole_step(r)], {**x, "skippable": True})
    yield at_end("a step that fails and is done", COMPLETE, lambda r: [begin(r), failed(r), whole_step(r)], x)
    yield at_end("a step that fails and is skipped", COMPLETE, lambda r: [begin(r), failed(r), skipped(r)], {**x, "skippable": True})
    yield at_end("a step skipped that may not be", INVALID, lambda r: skipped(r), x)
    for phase in (begin, end, failed):
        kinds = [(each, "b" if each is phase else "a") for each in ((begin, failed) if phase is failed else (begin, end))]
        yield at_end("step does something else", INVALID, lambda r: [each(r, do=do) for each, do in kinds], x)
    given = {"key": "root", "uses": 1, "deep": {"a": [1, {"b": True}]}}
    for what, verdict, parameters in (
            ("as they are", COMPLETE, given), ("with defaults", COMPLETE, {**given, "more": 1, "deep": {"a": [1, {"b": True, "c": 2}], "d": []}}),
            ("with another text", INVALID, {**given, "key": "other"}), ("with another number", INVALID, {**given, "uses": 2}),
            ("with a truth for a number", INVALID, {**given, "uses": True}), ("with one left out", INVALID, {"key": "root", "uses": 1}),
            ("with another deep down", INVALID, {**given, "deep": {"a": [1, {"b": False}]}}), ("with none", INVALID, {}),
            ("with a longer list", INVALID, {**given, "deep": {"a": [1, {"b": True}, 2]}}), ("with null", INVALID, {**given, "deep": None}),
            ("with a list for an object", INVALID, {**given, "deep": []}), ("with an object for a list", INVALID, {**given, "deep": {"a": {}}})):
        yield at_end(f"parameters of the script {what}", verdict, lambda r: whole_step(r, parameters=parameters), {**x, **given})
    people_words = {"title": "T", "say": "S", "note": "N", "skippable": False}
    yield at_end("words for people are no parameters", COMPLETE, lambda r: whole_step(r), {**x, **people_words})

    # Approvals against the script.
    needs = lambda step, quorum="custodians": {**step, "quorum": quorum}
    people, act = ("alice", "bob", "carol"), lambda r: r.call()
    asked = lambda people=people, step="x", then=act, **fields: lambda r: [r.approve(step, people, **fields), then(r)]
    yield at_end("a quorum of the script", COMPLETE, lambda r: whole_step(r, act=asked()), needs(x))
    yield at_end("a quorum of the script, left out", INVALID, lambda r: whole_step(r, act=act, quorum=None), needs(x))
    yield at_end("a quorum of the script, left out but asked", INVALID, lambda r: whole_step(r, act=asked(), quorum=None), needs(x))
    yield at_end("a quorum of the script, never asked", INVALID, lambda r: whole_step(r, act=act), needs(x))
    yield at_end("a quorum of the script, never asked, without a call", INVALID, lambda r: whole_step(r), needs(x))
    yield at_end("a quorum of the script, asked too late", INVALID, lambda r: whole_step(r, act=lambda r: [act(r), r.approve("x", people)]), needs(x))
    yield at_end("a quorum of the script, asked before the step", INVALID, lambda r: [r.approve("x", people), whole_step(r, act=act)], needs(x))
    yield at_end("a quorum that the script does not ask for", INVALID, lambda r: whole_step(r, quorum="custodians", act=asked()), x)
    yield at_end("asked though the script does not want it", COMPLETE, lambda r: whole_step(r, act=asked()), x)
    yield at_end("asked though the script does not want it, one short", INVALID, lambda r: whole_step(r, act=asked(people[:2])), x)

    def officers():
        record = Record(more=[{"id": "x", "do": "a", "quorum": "custodians"}, {"id": "y", "do": "a", "quorum": "officers"}])
        record.quorums["officers"] = {"m": 2, "role": "custodian"}
        return record

    theirs = lambda r: whole_step(r, "y", asked(people[:2], "y", quorum="officers", m=2))
    yield case("another quorum where the script has it", COMPLETE, {"closing": lambda r: [whole_step(r, act=asked()), theirs(r)]},
               record=officers(), roster=officers().roster())
    yield case("a smaller quorum than the script's", INVALID,
               {"closing": lambda r: [whole_step(r, act=asked(people[:2], quorum="officers", m=2)), theirs(r)]},
               record=officers(), roster=officers().roster())
    again = lambda first, second: lambda r: [begin(r), first(r), failed(r), begin(r), second(r), end(r)]
    yield at_end("an approval used for two attempts", INVALID, again(asked(), act), needs(x))
    yield at_end("an approval of the first attempt that did nothing", INVALID, again(asked(then=lambda r: None), lambda r: None), needs(x))
    yield at_end("an attempt that takes over what the first had done", COMPLETE, again(asked(), lambda r: None), needs(x))
    yield at_end("an attempt that takes over what the first had done, and asks in vain", INVALID, again(asked(), asked(people[:2], then=lambda r: None)), needs(x))
    yield at_end("an attempt that takes over what the first had done, and is refused", INVALID, again(asked(), lambda r: r.add("refusal", rule="QUORUM-DENIED-01", request=r.approve("x", people))), needs(x))
    yield at_end("each attempt approved", COMPLETE, again(asked(), asked()), needs(x))
    # What is signed is what this attempt was asked for.
    digests = "aa" * 32, "bb" * 32
    signs = {**needs(x), "do": "cert.issue"}

    def signing(*attempts):
        """Attempts that all fail: each is the digest that is approved, if any, and the one that is signed, None for a call that does not say."""
        def run(r):
            for approved, signed in attempts:
                begin(r, do="cert.issue")
                if approved:
                    subject = {"tbs_sha256": approved}
                    r.approve("x", people, subject=subject, subject_sha256=sha(canonical(subject)).hex())
                r.call(fn="C_Sign", **({"input_sha256": signed} if signed else {}))
                failed(r, do="cert.issue")
        return run

    a, b = digests
    for name, verdict, attempts in (
            ("as approved", COMPLETE, [(a, a)]), ("otherwise than approved", INVALID, [(a, b)]), ("without a word of what", INVALID, [(a, None)]),
            ("as approved at each attempt", COMPLETE, [(a, a), (b, b)]), ("as approved at the attempt before", INVALID, [(a, a), (b, a)]),
            ("as will be approved at the next attempt", INVALID, [(a, b), (b, b)])):
        yield at_end("signed " + name, verdict, signing(*attempts), signs)

    def signs_once(name, verdict, do, subject, request=None, **call):
        """A step of that kind which is asked for `subject` and signs; with `request`, its section is asked."""
        def run(r):
            about = {"subject": subject, "subject_sha256": sha(canonical(subject)).hex()}
            section = {"approval": r.approve("section:more", people, **{"steps": ["x"], **about})} if request else {}
            begin(r, do=do, **section)
            if not request:
                r.approve("x", people, **about)
            r.call(fn="C_Sign", **call)
            failed(r, do=do)
        return at_end("signed " + name, verdict, run, {**needs(x), "do": do}, **({"more_quorum": "custodians"} if request else {}))

    yield signs_once("with an approval of nothing to be signed", INVALID, "cert.issue", {"certificate": "c"}, input_sha256=a)
    yield signs_once("with an approval of its section", INVALID, "cert.issue", {"section": "more"}, request=True, input_sha256=a)
    # Only a rehearsal may let a step that signs have no quorum.
    for mode, verdict in (("rehearsal", COMPLETE), ("production", INVALID)):
        for do in ("csr.create", "payload.sign"):
            yield at_end(f"signed without anybody's approval: {do} in a {mode}", verdict, lambda r, do=do: [
                begin(r, do=do), r.call(fn="C_Sign", input_sha256=a), failed(r, do=do)], {**x, "do": do}, mode=mode)
    yield signs_once("a file as approved", COMPLETE, "payload.sign", {"sha256": a}, input_sha256=a)
    yield signs_once("another file than approved", INVALID, "payload.sign", {"sha256": a}, input_sha256=b)
    # What is made after its approval stands in the call, and says itself what it is.
    for name, verdict, do, message, more, subject in proofs():
        digest = more.pop("input_sha256", sha(message).hex())
        call = {"input": base64.b64encode(message).decode(), "input_sha256": digest, **more}
        yield signs_once("proof: " + name, verdict, do, subject, **{field: value for field, value in call.items() if value is not None})
    yield signs_once("proof: in a step whose section was asked", COMPLETE, "key.prove", {"section": "more"}, request=True,
                     input=base64.b64encode(statement()).decode(), input_sha256=sha(statement()).hex())
    yield at_end("a step that nothing signed before the next one", COMPLETE, lambda r: [begin(r), end(r, signed=False), whole_step(r, "y")], x, y)
    yield at_end("a step that nothing signed before one is skipped", COMPLETE, lambda r: [begin(r), end(r, signed=False), skipped(r, "y")], x, {**y, "skippable": True})
    yield at_end("a step that was skipped, which nothing signed", COMPLETE, lambda r: [skipped(r, signed=False), whole_step(r, "y")], {**x, "skippable": True}, y)
    yield at_end("a step that nothing signed before the close", COMPLETE, lambda r: [begin(r), end(r, signed=False)], x)
    yield at_end("a step that a recovery left unsigned", COMPLETE, lambda r: [begin(r), end(r, signed=False), recover(r), whole_step(r, "y")], x, y)
    yield at_end("a step that was signed after a recovery", COMPLETE, lambda r: [begin(r), end(r, signed=False), recover(r), r.checkpoint(), whole_step(r, "y")], x, y)
    depart = lambda r, person="carol": r.add("depart", person=person)
    attend = lambda r, person="carol": r.add("attend", person=person, role="custodian", presence="in person")
    yield at_end("one who had departed", INVALID, lambda r: [depart(r), whole_step(r, act=asked())], needs(x))
    yield at_end("one who had departed and come back", COMPLETE, lambda r: [depart(r), attend(r), whole_step(r, act=asked())], needs(x))
    yield at_end("one who had departed, and enough without", COMPLETE,
                 lambda r: [depart(r), whole_step(r, act=asked(("alice", "bob", "carol", "dave")))], needs(x))
    yield at_end("one who departs after the approval", COMPLETE, lambda r: whole_step(r, act=asked(then=lambda r: [depart(r), act(r)])), needs(x))
    gone = Record()
    gone.attended = lambda: depart(gone)
    yield case("one who had departed at the opening", INCOMPLETE, record=gone)
    refuse = lambda r, request: r.add("refusal", rule="QUORUM-DENIED-01", request=request)

    def refused(before, after, then=act):
        def run(r):
            request, size = r.request("x"), r.checkpoint()
            for person in before:
                r.cosign(person, request, size)
            refuse(r, request)
            for person in after:
                r.cosign(person, request, size)
            then(r)
        return run

    yield at_end("approved after a refusal", INVALID, lambda r: whole_step(r, act=refused((), people)), needs(x))
    yield at_end("completed after a refusal", INVALID, lambda r: whole_step(r, act=refused(people[:2], people[2:])), needs(x))
    yield at_end("refused after the approval", INVALID, lambda r: whole_step(r, act=refused(people, ())), needs(x))
    yield at_end("refused, then asked anew", COMPLETE, lambda r: whole_step(r, act=refused(people[:2], people[2:], asked())), needs(x))
    yield at_end("a refusal of something else", COMPLETE, lambda r: whole_step(r, act=asked(then=lambda r: [refuse(r, 0), act(r)])), needs(x))

    # Keys and their copies.
    effect = lambda what, key="k", **fields: {"effect": what, "key": key, "token": "a", "spki_sha256": key * 2, **fields}
    made, gone, over = effect("key-created"), effect("copy-destroyed"), effect("key-destroyed")
    carrier, export = effect("transport-key-created", key="t", token="c"), effect("key-exported", source="a", transport_key="t")
    wrapper_gone, wrapper_over = effect("copy-destroyed", key="t", token="c"), effect("key-destroyed", key="t")
    clone = lambda token, source="a": effect("key-cloned", token=token, source=source)
    for name, verdict, effects in (
            ("a key from its making to its end", COMPLETE, [made, clone("b"), gone, effect("copy-destroyed", token="b"), over]),
            ("a key that is not known", COMPLETE, [clone("b"), gone, over]),
            ("a key made twice", INVALID, [made, made]),
            ("one key under two names", INVALID, [made, effect("key-created", key="j", spki_sha256="kk")]),
            ("a copy that is left", INVALID, [made, clone("b"), gone, over]),
            ("no copy is destroyed", INVALID, [made, over]),
            ("a copy destroyed twice", INVALID, [made, gone, gone]),
            ("a copy destroyed that was never there", INVALID, [made, effect("copy-destroyed", token="b")]),
            ("cloned from nothing", INVALID, [made, clone("b", "c")]),
            ("cloned from what was cloned", COMPLETE, [made, clone("b"), clone("c", "b")]),
            ("cloned after its end", INVALID, [made, gone, over, clone("b")]),
            ("signs after its end", INVALID, [made, gone, over, effect("certificate-issued", key="l", issuer_key="k")]),
            ("signs a list after its end", INVALID, [made, gone, over, effect("crl-issued", key="", issuer_key="k")]),
            ("spoken of after its end", COMPLETE, [made, gone, over, effect("key-usage-stated")]),
            ("its token is retired", COMPLETE, [made, effect("token-retired", key=""), over]),
            ("carried as a file", COMPLETE, [made, carrier, export, clone("c", "file for t"), gone, effect("copy-destroyed", token="c"), wrapper_gone, wrapper_over, over]),
            ("carried as a file that is left", INVALID, [made, carrier, export, gone, over]),
            ("carried as a file from nothing", INVALID, [made, carrier, {**export, "source": "b"}]),
            ("taken from a file that nobody wrote", INVALID, [made, carrier, clone("c", "file for t")]),
            ("taken from a file that nobody can open", INVALID, [made, carrier, export, wrapper_gone, wrapper_over, clone("c", "file for t")]),
            ("carried after its end", INVALID, [made, gone, over, export]),
            ("what is no effect", COMPLETE, [1, "x", None, [], {"effect": 1, "key": {}}, {}])):
        yield at_end("copies: " + name, verdict, lambda r, effects=effects: [begin(r), end(r, effects=effects)], x)
    yield at_end("copies: over two steps", INVALID, lambda r: [begin(r), end(r, effects=[made]), begin(r, "y"), end(r, "y", effects=[over])], x, y)
    yield at_end("copies: effects that are no list", COMPLETE, lambda r: [begin(r), end(r, effects={"a": 1})], x)
    yield at_end("copies: of a step that failed", COMPLETE, lambda r: [begin(r), failed(r, effects=[made, over]), whole_step(r)], x)

    # People who show that a key is theirs.
    def possession(r, text=None, by="frank", name=None, **fields):
        text = f"{r.origin}/possession\nfrank\nAAAA\n" if text is None else text(r)
        r.add("observe", **{"what": "key-possession", "step": "x", "person": "frank", "shown": True, "text": text,
                            "signature": builder.signature_line(name or f"{r.estate}/frank", by, text), "sign_key": base64.b64encode(builder.public_key("frank")).decode(), **fields})
    for name, verdict, fields in (
            ("shown", COMPLETE, {}), ("by another key", INVALID, {"by": "mallory"}), ("under another name", INVALID, {"name": "smki.example/alice"}),
            ("of another record", INVALID, {"text": lambda r: "x/possession\nfrank\nAAAA\n"}), ("of another person", INVALID, {"text": lambda r: f"{r.origin}/possession\nalice\nAAAA\n"}),
            ("without a challenge", INVALID, {"text": lambda r: f"{r.origin}/possession\nfrank\n\n"}), ("of two lines more", INVALID, {"text": lambda r: f"{r.origin}/possession\nfrank\nA\nB\n"}),
            ("not shown in a rehearsal", COMPLETE, {"shown": False}), ("neither shown nor not", INVALID, {"shown": "yes"}), ("with another key beside it", INVALID,
             {"sign_key": base64.b64encode(builder.public_key("mallory")).decode()}), ("without a key", INVALID, {"sign_key": "AAAA"})):
        yield at_end("possession: " + name, verdict, lambda r, fields=fields: possession(r, **fields))
    yield at_end("possession: not shown in production", INVALID, lambda r: possession(r, shown=False), mode="production")

    # Shares that come from elsewhere.
    share = lambda r, what, **fields: r.add("observe", **{"what": what, "token": "root", "set": "aa", "person": "alice", "request": "bb", **fields})
    asks, hands = "share-asked-elsewhere", "share-handed-over"
    yield at_end("shares: asked and handed over", COMPLETE, lambda r: [share(r, asks), share(r, hands)])
    yield at_end("shares: asked and never handed over", COMPLETE, lambda r: share(r, asks))
    yield at_end("shares: handed over before", INVALID, lambda r: [share(r, hands), share(r, asks)])
    for field in ("token", "set", "person", "request"):
        yield at_end(f"shares: another {field}", INVALID, lambda r, field=field: [share(r, asks), share(r, hands, **{field: "cc"})])

    # Nobody decides on their own retirement.
    leaves = {**needs(x), "do": "custodian.retire"}
    about = lambda person: {"subject": {"person": person}, "subject_sha256": sha(canonical({"person": person})).hex()}
    for name, verdict, who, fields in (
            ("by the others", COMPLETE, people, {**about("erin"), "without": "erin"}),
            ("with their own approval", INVALID, ("alice", "bob", "erin"), {**about("erin"), "without": "erin"}),
            ("asked with them", INVALID, people, about("erin")),
            ("asked without somebody else", INVALID, people, {**about("erin"), "without": "dave"}),
            ("without a word of whom", COMPLETE, people, {})):
        yield at_end("a retirement " + name, verdict, lambda r, who=who, fields=fields: [
            begin(r, do="custodian.retire"), asked(who, then=destroy, **fields)(r), end(r, do="custodian.retire")], leaves)
    yield at_end("a request without somebody, who approves it", INVALID, lambda r: whole_step(r, act=asked(without="bob")), needs(x))

    def section(name, verdict, run, quorum="custodians", steps=(needs(x), needs(y)), **more):
        return at_end("section: " + name, verdict, run, *steps, more_quorum=quorum, **more)

    def both(people=people, covers=("x", "y"), name="section:more", first=act, between=lambda r: None, asks=None):
        def run(r):
            request = r.approve(name, people, steps=list(covers), **(asks or {}))
            whole_step(r, "x", first, approval=request)
            between(r)
            whole_step(r, "y", act, approval=request)
        return run

    yield section("asked once for two steps", COMPLETE, both())
    yield section("asked once for two steps, one short", INVALID, both(people[:2]))
    yield section("asked for one step alone", INVALID, both(covers=("x",)))
    yield section("asked for nothing", INVALID, both(covers=()))
    yield section("another section's name", INVALID, both(name="section:root"))
    yield section("a step's name", INVALID, both(name="x"))
    yield section("no quorum of its own in the script", INVALID, both(), quorum=None)
    yield section("a step without a quorum in it", INVALID, both(), steps=(needs(x), y))
    yield section("approval named that is no request", INVALID, lambda r: [whole_step(r, "x", act, approval=3), whole_step(r, "y", asked(step="y"))])
    yield section("approval that is no number", INVALID, lambda r: [whole_step(r, "x", asked(), approval="3"), whole_step(r, "y", asked(step="y"))])
    yield section("approval not named", INVALID,
                  lambda r: [r.approve("section:more", people, steps=["x", "y"]), whole_step(r, "x", act), whole_step(r, "y", act)])
    yield section("each step asks for itself", COMPLETE, lambda r: [whole_step(r, "x", asked()), whole_step(r, "y", asked(step="y"))])
    yield section("a step asks for itself besides", COMPLETE, both(first=asked()))
    yield section("a step asks for itself besides, one short", INVALID, both(first=asked(people[:2])))
    yield section("asked again in between, one short", INVALID, both(between=lambda r: r.approve("section:more", people[:2], steps=["y"])))
    yield section("refused in between", INVALID, both(between=lambda r: refuse(r, r.last_request)))
    yield section("without a call, one short", INVALID, lambda r: (lambda request: [whole_step(r, "x", approval=request), whole_step(r, "y", approval=request)])(
        r.approve("section:more", people[:2], steps=["x", "y"])))
    yield section("used at the second attempt", INVALID, lambda r: (lambda request: [
        begin(r, "x", approval=request), failed(r), whole_step(r, "x", act, approval=request), whole_step(r, "y", act, approval=request)])(
            r.approve("section:more", people, steps=["x", "y"])))
    yield section("asked for itself at the second attempt", COMPLETE, lambda r: (lambda request: [
        begin(r, "x", approval=request), failed(r), whole_step(r, "x", asked()), whole_step(r, "y", act, approval=request)])(
            r.approve("section:more", people, steps=["x", "y"])))

    # The script itself.
    def scripted(name, verdict, edit, **more):
        record = Record()
        opening, inputs = record.open, {"script.json": record.script_file(), "roster.json": record.roster()}
        record.open = lambda: opening(inputs=edit(dict(inputs)))
        return case("script: " + name, verdict, record=record, **more)

    text = lambda old, new: lambda inputs: {**inputs, "script.json": inputs["script.json"].replace(old, new)}
    yield scripted("under another name", COMPLETE, lambda inputs: {"root.json": inputs["script.json"], "roster.json": inputs["roster.json"]})
    yield scripted("not there", INCOMPLETE, lambda inputs: {"roster.json": inputs["roster.json"]})
    yield scripted("no inputs at all", INCOMPLETE, lambda inputs: {})
    yield scripted("two of them", INCOMPLETE, lambda inputs: {**inputs, "other.json": inputs["script.json"]})
    yield scripted("two of them, one of another ceremony", INCOMPLETE, lambda inputs: {**inputs, "other.json": inputs["script.json"].replace(b"root-2026", b"x")})
    yield scripted("of another ceremony", INVALID, text(b'"root-2026"', b'"root-2027"'))
    yield scripted("of another estate", INVALID, text(b"smki.example", b"smki.other"))
    yield scripted("of another format", INCOMPLETE, text(b"keyceremony-script/1", b"keyceremony-script/2"))
    yield scripted("not JSON", INCOMPLETE, text(b'"id"', b"id"))
    yield scripted("not UTF-8", INCOMPLETE, text(b'"The room"', b'"\xff"'))
    yield scripted("half a surrogate pair", INCOMPLETE, text(b'"The room"', b'"\\ud800"'))
    yield scripted("no number", INCOMPLETE, text(b'"The room"', b"NaN"))
    yield scripted("with a byte order mark", INCOMPLETE, lambda inputs: {**inputs, "script.json": b"\xef\xbb\xbf" + inputs["script.json"]})
    yield scripted("a key twice", INCOMPLETE, text(b'"quorum": "custodians"', b'"quorum": "custodians", "quorum": "x"'))
    yield scripted("the format as a word elsewhere", COMPLETE, lambda inputs: {**inputs, "more.txt": b"keyceremony-script/1", "list.json": b'["keyceremony-script/1"]'})
    yield scripted("65 levels", INCOMPLETE, text(b'"The room"', b"[" * 62 + b"]" * 62))
    yield scripted("64 levels", COMPLETE, text(b'"The room"', b"[" * 61 + b"]" * 61))
    for old, new in ((b'"id": "attend"', b'"id": 5'), (b'"do": "room.attend"', b'"do": null'), (b'"do": "room.attend"', b'"more": "x"'), (b'"id": "attend"', b'"id": "root-key"'),
                     (b'"quorum": "custodians"', b'"quorum": ["custodians"]'), (b'"quorum": "custodians"', b'"quorum": "custodians", "skippable": "no"'),
                     (b'"sections": [', b'"sections": [5,'), (b'"sections": [', b'"sections": {}, "x": ['), (b'"sections": [', b'"sections": [], "x": ['),
                     (b'"steps": [', b'"steps": 1, "x": ['), (b'"steps": [', b'"steps": [], "x": ['), (b'"steps": [', b'"steps": [[],'), (b'"id": "room"', b'"id": "root"'), (b'"id": "room"', b'"name": "room"'),
                     (b'"title": "The room"', b'"quorum": 1'), (b'"estate": "smki.example"', b'"estate": 1'), (b'"estate"', b'"state"'), (b'"id": "root-2026"', b'"id": 1')):
        yield scripted(f"{old.decode()} is {new.decode()}", INVALID, text(old, new))
    for digest, verdict in ((lambda r: sha(r.script_file()).hex(), COMPLETE), (lambda r: "00" * 32, INVALID), (lambda r: 5, INVALID)):
        record = Record()
        record.opening_subject = {"script_sha256": digest(record)}
        yield case(f"opening approved for a script {verdict}", verdict, record=record)

    yield at_end("a second open", INVALID, lambda r: r.open())
    yield at_end("mode changes", INVALID, lambda r: setattr(r, "mode", "production"))
    yield at_end("clock goes back", COMPLETE, lambda r: r.add("note", text="x", time="2026-11-21T08:00:00.000000Z"))
    yield at_end("boot clock goes back", COMPLETE, lambda r: r.add("note", text="x", mono=1))
    yield case("close counts too few entries", INVALID, close={"entries": 3})
    yield case("close counts wrong steps", INVALID, close={"steps": 7})
    yield case("not closed", INCOMPLETE, close=False)

    def after_close(act, **more):
        record = Record().ceremony_entries()
        record.close(**more)
        act(record)
        return record

    def whole(record, size=None, **write):
        return record.write(scratch, record.note(record.checkpoint_text(size), ("alice", "bob", "carol")), ("alice", "bob", "carol"), **write)

    record = after_close(lambda r: r.checkpoint())
    yield Case("a last checkpoint entry after close", whole(record, len(record.lines) - 1), COMPLETE, honest)
    record = after_close(lambda r: r.checkpoint(), entries=24)
    yield Case("a last checkpoint entry after close, counted", whole(record, len(record.lines) - 1), INVALID, honest)
    record = after_close(lambda r: r.checkpoint(), entries=23)
    yield Case("a last checkpoint entry after close, counted rightly", whole(record, len(record.lines) - 1), COMPLETE, honest)
    record = after_close(lambda r: r.checkpoint())
    yield Case("a last checkpoint entry after close, covered itself", whole(record), None, honest)
    record = after_close(lambda r: r.add("note", text="one more thing"))
    yield Case("an entry after close, signed", whole(record), INVALID, honest)
    record = after_close(lambda r: r.add("note", text="one more thing"))
    yield Case("an entry after close, unsigned", whole(record, 22), INCOMPLETE, honest)
    record = after_close(lambda r: r.close())
    yield Case("closed twice", whole(record), INVALID, honest)

    # Openings.
    def opened(name, verdict, **fields):
        record = Record()
        opening = record.open
        record.open = lambda: opening(**fields)
        return case(name, verdict, record=record)

    yield opened("log key that is none", INVALID, log_key="AAAA")
    yield opened("another log key", INVALID, log_key=base64.b64encode(builder.public_key("mallory")).decode())
    yield opened("ceremony of another name", INVALID, ceremony="other")
    yield opened("origin without randomness", INVALID, origin="smki.example/root-2026/1")
    yield opened("previous without root", INVALID, previous={"origin": "a/b/" + "0" * 32, "size": 1})
    yield opened("previous record", COMPLETE, previous={"origin": "a/b/" + "0" * 32, "size": 1, "root": "00" * 32})

    # A record of one sort told as another.
    honest_opening = {"origin": Record().origin, "ceremony": "root-2026", "mode": "rehearsal", "log_key": base64.b64encode(builder.public_key("log")).decode()}
    for name, lie in (("nothing", None), ("origin", "smki.example/root-2026/" + "0" * 32), ("ceremony", "other"), ("mode", "production"), ("environment", "uit"), ("log_key", "AAAA")):
        record = Record()
        record.opening_subject = {**honest_opening, **({name: lie} if lie else {})}
        yield case(f"opening approved for another record: {name}", INVALID if lie else COMPLETE, record=record)
    for mode, simulated, verdict in (("rehearsal", True, COMPLETE), ("rehearsal", False, COMPLETE), ("rehearsal", "yes", INVALID), ("production", False, COMPLETE), ("production", True, INVALID)):
        yield case(f"simulated {simulated} in {mode}", verdict, {"opened": lambda r, simulated=simulated: r.add("attend", person="bob", simulated=simulated)}, record=Record(mode=mode))
    for mode, environment, verdict in (("production", "production", COMPLETE), ("production", "rehearsal", INVALID), ("rehearsal", "rehearsal", COMPLETE)):
        record = Record(mode=mode)
        record.open = lambda record=record, environment=environment: Record.open(record, environment=environment)
        yield case(f"environment {environment} in {mode}", verdict, record=record)
        record = Record(mode=mode)
        inputs = {"script.json": record.script_file(), "roster.json": record.roster(),
                  "binding.json": json.dumps({"format": "keyceremony-binding/1", "environment": environment}).encode()}
        record.open = lambda record=record, inputs=inputs: Record.open(record, inputs=inputs)
        yield case(f"the binding of {environment} in {mode}", verdict, record=record)
    for said, verdict in (("uit", COMPLETE), ("production", INVALID)):
        record = Record(mode="production")
        inputs = {"script.json": record.script_file(), "roster.json": record.roster(),
                  "binding.json": json.dumps({"format": "keyceremony-binding/1", "environment": "uit"}).encode()}
        record.open = lambda record=record, inputs=inputs, said=said: Record.open(record, inputs=inputs, environment=said)
        yield case(f"the binding of uit in a record that says {said}", verdict, record=record)
    yield opened("a record that follows itself", INVALID, previous={"origin": Record().origin, "size": 1, "root": "00" * 32})
    for kind in ("attend", "depart"):
        for fields in ({}, {"person": 7}, {"person": {"_sd": "A" * 43}}):
            yield case(f"{kind} of nobody, {fields}", INVALID, {"opened": lambda r, kind=kind, fields=fields: r.add(kind, **fields)})
    yield case("a refusal of a request by its name", INVALID, {"opened": lambda r: r.add("refusal", rule="QUORUM-DENIED-01", request="4")})
    yield case("an opening approved after the first call", INVALID, {"closing": lambda r: r.cosign("carol", 4, 5)}, entries={"opening": ("alice", "bob")})
    yield at_end("one cosignature for two requests", INVALID, lambda r: whole_step(r, act=lambda r: [
        r.request("x"), r.approve("x", people), r.cosign("erin", r.last_request - 1, r.last_request + 1)]), needs(x))
    for field, value in (("mechanism", "CKM_OTHER"), ("template", {"CKA_SIGN": "true"})):
        done = {"call": 2, "fn": "C_GenerateKeyPair", "token": "root", "rv": "CKR_OK", "inventory": "11" * 32, field: value}
        yield at_end(f"done of another {field}", INVALID, lambda r, done=done: [
            begin(r, do="key.generate"), r.call(done=False), r.add("done", **done), end(r, do="key.generate")], {**x, "do": "key.generate"})

    # Files.
    for evidence, verdict in (({"absent": True, "rv": "CKR_OK", "objects": []}, COMPLETE), ({"absent": False}, INVALID), ({"absent": "true"}, INVALID), ({"rv": "CKR_DEVICE_ERROR"}, INVALID),
                              ({"objects": [{"rv": "CKR_OK"}]}, COMPLETE), ({"objects": [{"rv": "CKR_OK"}, {"rv": "CKR_DEVICE_ERROR"}]}, INVALID), ({"objects": 1}, INVALID),
                              ({"spki_sha256": sha(builder.public_key("log")).hex()}, COMPLETE), ({"spki_sha256": "ab" * 32}, INVALID)):
        yield case(f"addendum with the evidence {evidence}", verdict, evidence=evidence)
    yield case("artefact of another size", INVALID, {"closing": lambda r: r.artefact("x", b"abc", size=4)})
    for size in (True, "3", None, -1):
        yield case(f"artefact of size {size}", INVALID, {"closing": lambda r, size=size: r.artefact("x", b"a", size=size)})
    yield case("artefact that climbs out", INVALID, {"closing": lambda r: r.add("artefact", name="../policy.txt", sha256="00" * 32, size=1, kind="x")})
    yield case("artefact that was never written", INVALID, {"closing": lambda r: r.add("artefact", name="never", sha256="00" * 32, size=1, kind="x")})
    yield case("artefact that was never written, not closed", INCOMPLETE,
               {"closing": lambda r: r.add("artefact", name="never", sha256="00" * 32, size=1, kind="x")}, close=False, addendum=None)
    yield case("artefact in a folder", COMPLETE, {"closing": lambda r: r.artefact("a/b/c.pem", b"abc")})
    yield case("artefact written again", INVALID, {"closing": lambda r: r.artefact("root.pem", b"abc")})
    yield case("input of another digest", INVALID, {"closing": lambda r: r.files.update({"inputs/script.json": b"{}\n"})})
    yield case("input that nobody hashed", COMPLETE, {"closing": lambda r: r.files.update({"inputs/more.json": b"{}\n"})})
    yield case("addendum without a file", INVALID, sums=lambda pairs: pairs[1:])
    for name in ("artefacts/a b;c", "artefacts/\u00e9", "artefacts/\x1b[2J", "artefacts/-rf", "artefacts/.hidden", "artefacts/" + "a" * 129, "a/b/c/d/e/f/g/h/i"):
        strange = Record()
        strange.files[name] = b"abc"
        yield case(f"a file of the addendum named {name!r}", INVALID, record=strange)
    yield case("addendum out of order", INVALID, sums=lambda pairs: pairs[::-1])
    yield case("addendum with a file twice", INVALID, sums=lambda pairs: pairs[:1] + pairs)
    yield case("addendum with a wrong digest", INVALID, sums=lambda pairs: [(path, "00" * 32 if path == "policy.txt" else d) for path, d in pairs])
    yield case("addendum with a wrong digest of the log", INVALID, sums=lambda pairs: [(path, "00" * 32 if path == "log.jsonl" else d) for path, d in pairs])
    yield case("addendum that climbs out", INVALID, sums=lambda pairs: [("../x", "00" * 32)] + pairs)
    yield case("addendum of another record", INVALID, title="smki.example/root-2026/" + "0" * 32 + "/addendum")
    yield case("addendum with an empty evidence", COMPLETE, evidence={})
    yield case("addendum with evidence outside the profile", INVALID, evidence={"time": 1.5})


def profile(scratch):
    """Lines inside and outside the profile, at the end of an open record: COMPLETE here says that the line is accepted."""
    base = Record().ceremony_entries()
    honest = base.roster()

    def line(name, edit, verdict=INVALID):
        record = Record().ceremony_entries()
        record.add("note", text="TEXT")
        record.lines[-1] = edit(record.lines[-1])
        return Case("line: " + name, record.write(scratch), INCOMPLETE if verdict == COMPLETE else verdict, honest)

    def text(name, raw, verdict=INVALID):
        return line(name, lambda old: old.replace(b'"TEXT"', raw), verdict)

    def field(name, key, raw, verdict=INVALID):
        def edit(old):
            entry = json.loads(old)
            entry[key] = "VALUE"
            return canonical(entry).replace(b'"VALUE"', raw)
        return line(name, edit, verdict)

    fill = lambda size: lambda old: old.replace(b"TEXT", b"a" * (size - len(old) + 4))
    yield line("65535 bytes", fill(65535), COMPLETE)
    yield line("65536 bytes", fill(65536))
    yield line("empty object", lambda old: b"{}")
    yield line("array", lambda old: b"[" + old + b"]")
    yield line("two objects", lambda old: old + old)
    yield line("a tab before", lambda old: b"\t" + old)
    yield line("a comma too many", lambda old: old[:-1] + b",}")
    yield line("not JSON", lambda old: b"hello")
    yield line("cut short", lambda old: old[:-1])
    yield line("keys out of order", lambda old: b'{"zz":1,' + old[1:])
    yield line("a key twice", lambda old: old.replace(b'"v":1', b'"v":1,"v":1'))
    yield line("a key twice, escaped", lambda old: old.replace(b'"v":1', b'"v":1,"\\u0076":1'))
    yield line("an empty key", lambda old: b'{"":1,' + old[1:])
    yield line("a key with a space", lambda old: b'{"a b":1,' + old[1:])
    yield line("a key beyond ASCII", lambda old: old[:-1] + ',"\u00e9":1}'.encode())
    yield line("a key with every character", lambda old: b'{"-.09AZ":1,"_az":1,' + old[1:], COMPLETE)
    for value in (b"0", b"-1", b"9007199254740991", b"-9007199254740991", b"true", b"false", b"null", b"[]", b"{}", b'[1,"a",[null]]', b'{"a":1,"b":2}'):
        yield text(f"value {value.decode()}", value, COMPLETE)
    for value in (b"-0", b"00", b"01", b"1.0", b"1e3", b"1E3", b"0.5", b"-", b"+1", b"9007199254740992", b"-9007199254740992", b"9" * 40, b"NaN",
                  b"Infinity", b"-Infinity", b"True", b"nul", b"[1,]", b"[,]", b"[1 ]", b"{1:2}", b'{"a":1,"a":1}', b'{"b":1,"a":1}', b'{"a"}', b"'a'", b""):
        yield text(f"value {value.decode()}", value)
    for value in (b'"\\b\\t\\n\\f\\r\\"\\\\"', b'"\\u0000\\u0001\\u001f"', '"\u00e9\u20ac\U0001f511\ufeff\u2028\uffff"'.encode(), b'"/"'):
        yield text(f"string {value!r}", value, COMPLETE)
    for value in (b'"\\/"', b'"\\u0041"', b'"\\u0008"', b'"\\u000a"', b'"\\u001F"', b'"\\u007f"', b'"\x7f"', b'"\\u00e9"', b'"\\ud800"', b'"\\ud83d\\udd11"',
                  b'"\x1f"', b'"\x00"', b'"\t"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xe2\x82"', b'"\xff"', b'"\x80"', b'"\\x"', b'"\\u12"', b'"a', b'"\\"'):
        yield text(f"string {value!r}", value)
    nested = lambda levels: b"[" * levels + b"]" * levels
    yield text("16 levels", nested(15), COMPLETE)
    yield text("17 levels", nested(16))
    yield text("20000 levels", nested(20000))
    yield text("16 levels of objects", b'{"a":' * 14 + b"{}" + b"}" * 14, COMPLETE)
    yield text("17 levels of objects", b'{"a":' * 15 + b"{}" + b"}" * 15)
    for key in ("v", "seq", "type", "time", "mono", "salt", "mode"):
        yield line(f"without {key}", lambda old: canonical({k: v for k, v in json.loads(old).items() if k != key}))
        for raw in (b"null", b"true", b'""', b"[]", b"-1"):
            yield field(f"{key} is {raw.decode()}", key, raw)
    yield field("v is 2", "v", b"2")
    yield field("type of no table", "type", b'"gossip"')
    yield field("mode of no table", "mode", b'"test"')
    yield field("salt in capitals", "salt", b'"' + b"A" * 32 + b'"')
    yield field("salt too short", "salt", b'"' + b"a" * 31 + b'"')
    for time in ("2026-11-21T09:00:00Z", "2026-11-21T09:00:00.000000+00:00", "2026-11-21 09:00:00.000000Z", "2026-11-21t09:00:00.000000z", "2026-02-29T09:00:00.000000Z",
                 "2026-11-31T09:00:00.000000Z", "2026-13-01T09:00:00.000000Z", "2026-00-01T09:00:00.000000Z", "2026-11-00T09:00:00.000000Z", "2026-11-21T24:00:00.000000Z",
                 "2026-11-21T09:60:00.000000Z", "2026-11-21T09:00:60.000000Z", "2026-11-21T09:00:00.00000Z", "\u0662026-11-21T09:00:00.000000Z", "2100-02-29T00:00:00.000000Z"):
        yield field(f"time {time}", "time", f'"{time}"'.encode())
    for time in ("2028-02-29T23:59:59.999999Z", "2400-02-29T00:00:00.000000Z", "9999-12-31T00:00:00.000000Z"):
        yield field(f"time {time}", "time", f'"{time}"'.encode(), COMPLETE)


def bundles(scratch):
    """What redaction leaves of a record, as it should be and as somebody would like it to be."""
    record = Record()
    record.attended = lambda: record.add("observe", what="seals", bag=record.confidential("bag", "SB004211"), seen=[{"seal": record.confidential("seal", {"n": 7})}])
    record, files = builder.complete(scratch, record.ceremony_entries(extra={"closing": lambda r: r.add("depart", person="erin", employer=r.confidential("employer", "\u00fc"))}))
    roster, lines = record.roster(), record.lines
    types = [json.loads(line)["type"] for line in lines]
    where = lambda *kinds: {i for i, kind in enumerate(types) if kind in kinds}
    free = where("attend", "depart", "intent", "done", "observe", "artefact", "note")
    case = lambda name, content, verdict=INVALID, **more: Case("bundle: " + name, content, verdict, roster, **more)
    make = lambda entries=(), withheld=(), disclosures=(): builder.bundle(record, files, entries, withheld, disclosures)
    rows = lambda entries, **change: [(i, change.get("type", types[i]), change.get("label", "amber"), change.get("reason", "PD")) for i in sorted(entries)]
    ledger = lambda entries=(), paths=(), **head: builder.ledger(head.pop("origin", record.origin), entries, paths, **head)
    art = "artefacts/root.pem"

    yield case("the record itself", files, COMPLETE)
    yield case("nothing is withheld", make(), COMPLETE)
    yield case("all that may be", make(free, [art, "inputs/roster.json"]), COMPLETE)
    yield Case("bundle: unpinned", make(free), UNPINNED)
    for i in sorted(free - where("intent", "done")):
        yield case(f"entry {i}", make({i}), COMPLETE)
    yield case("a call with both its ends", make(where("intent", "done")), COMPLETE)
    yield case("a call without its beginning", make(where("intent")))
    yield case("a call without its end", make(where("done")))
    yield case("with a checkpoint kept from elsewhere", make(free), COMPLETE, kept=record.note(record.checkpoint_text()).encode())
    for i in sorted(set(range(len(lines))) - free):
        yield case(f"entry {i}, a {types[i]}", make({i}))
        yield case(f"entry {i}, a {types[i]} called a note", {**make({i}), "withheld.jsonl": ledger(rows({i}, type="note"))}, ALIKE)
    yield case("an artefact", make((), [art]), COMPLETE)
    yield case("an artefact and its entry", make(where("artefact"), [art]), COMPLETE)
    yield case("an artefact that is gone without a word", {path: c for path, c in make(free).items() if path != art})
    yield case("an artefact that is there all the same", {**make((), [art]), art: files[art]})
    yield case("an artefact of the entry withheld, changed", {**make(where("artefact")), art: b"other"})
    for path in ("log.jsonl", "policy.txt", "checkpoint", "addendum.note", "../x", "artefacts/../log.jsonl", "artefacts//x", "/artefacts/x", "artefacts", "x"):
        yield case(f"{path} is in the ledger", {**make(), "withheld.jsonl": ledger((), [(path, "red", "SEC")])})
    yield case("a file that nobody knows is in the ledger", {**make(), "withheld.jsonl": ledger((), [("artefacts/none", "red", "SEC")])})
    yield case("a file that nobody knows is in the ledger beside one that is withheld", {**make((), [art]), "withheld.jsonl": ledger((), [(path, "red", "SEC") for path in sorted((art, "artefacts/none"))])})
    yield case("another name is in the ledger than that of the file that is withheld", {**make((), [art]), "withheld.jsonl": ledger((), [("artefacts/none", "red", "SEC")])})
    yield case("the script", make((), ["inputs/script.json"]), ALIKE)
    # The leaf hashes.
    some = sorted(free)
    for i in (some[0], some[-1]):
        flipped = make(free)
        log = flipped["log.jsonl"].split(b"\n")
        log[i] = bytes([log[i][0] ^ 1]) + log[i][1:]
        yield case(f"another leaf at {i}", {**flipped, "log.jsonl": b"\n".join(log)})
        for name, line in (("upper case", log[i].upper()), ("short", log[i][:-1]), ("long", log[i] + b"0"), ("in quotes", b'"' + log[i] + b'"'), ("nothing", b"")):
            yield case(f"the leaf at {i} in {name}", {**flipped, "log.jsonl": b"\n".join(log[:i] + [line] + log[i + 1:])})
    swapped = make(free)["log.jsonl"].split(b"\n")
    pair = [i for i in some if i + 1 in free][0]
    swapped[pair], swapped[pair + 1] = swapped[pair + 1], swapped[pair]
    yield case("two leaves exchanged", {**make(free), "log.jsonl": b"\n".join(swapped)})
    yield case("everything but the end", {**make(free), "log.jsonl": b"\n".join(make(free)["log.jsonl"].split(b"\n")[:-4]) + b"\n"})
    # The ledger.
    good = make(free, [art])
    with_ledger = lambda text: {**good, "withheld.jsonl": text}
    yield case("no ledger", {path: c for path, c in good.items() if path != "withheld.jsonl"})
    entire = good["withheld.jsonl"].split(b"\n")[:-1]
    for k in range(len(entire)):
        yield case(f"line {k} of the ledger gone", with_ledger(b"".join(line + b"\n" for n, line in enumerate(entire) if n != k)))
        yield case(f"line {k} of the ledger twice", with_ledger(b"".join(line + b"\n" for n in range(len(entire)) for line in [entire[n]] * (1 + (n == k)))))
        yield case(f"line {k} of the ledger with a space", with_ledger(b"".join((line if n != k else line + b" ") + b"\n" for n, line in enumerate(entire))))
        yield case(f"ledger cut within line {k}", with_ledger(b"".join(line + b"\n" for line in entire[:k]) + entire[k][:-2]))
    yield case("an empty ledger", with_ledger(b""))
    yield case("ledger without its last LF", with_ledger(good["withheld.jsonl"][:-1]))
    yield case("an entry in it that is shown", with_ledger(ledger(rows(free | {0}, type="note"), [(art, "red", "SEC")])))
    for name, head in (("another record", {"origin": record.origin + "x"}), ("another format", {"format": "keyceremony-withheld/2"}), ("a label of its own", {"label": "blue"}),
                       ("no reasons", {"reasons": {}}), ("a reason without words", {"reasons": {"PD": "", "SEC": "x"}}), ("a reason that is a number", {"reasons": {"PD": 1, "SEC": "x"}}),
                       ("an annex without a size", {"annex": {"sha256": "00" * 32}}), ("an annex of no digest", {"annex": {"sha256": "00", "size": 1}}),
                       ("an annex of negative size", {"annex": {"sha256": "00" * 32, "size": -1}}), ("more members", {"more": 1}), ("reasons in a list", {"reasons": ["PD", "SEC"]}),
                       ("101 reasons", {"reasons": {**builder.REASONS, **{f"R{n}": "x" for n in range(99)}}})):
        yield case("ledger of " + name, with_ledger(ledger(rows(free), [(art, "red", "SEC")], **head)))
    yield case("ledger with an annex", with_ledger(ledger(rows(free), [(art, "red", "SEC")], annex={"sha256": "ab" * 32, "size": 7})), COMPLETE)
    for change in ({"label": "blue"}, {"label": 1}, {"reason": "X"}, {"reason": 1}, {"type": "open"}, {"type": "more"}, {"type": 1}):
        yield case(f"ledger rows with {change}", with_ledger(ledger(rows(free, **change), [(art, "red", "SEC")])))
    yield case("entries before files", with_ledger(b"".join(line + b"\n" for line in [entire[0]] + entire[2:] + [entire[1]])))
    yield case("entries out of order", with_ledger(b"".join(line + b"\n" for line in entire[:2] + entire[:1:-1])))
    # People who went, and came back as an entry tells that is withheld.
    away = Record(more=[{"id": "x", "do": "a", "quorum": "custodians"}])

    def leave_and_return(r):
        r.add("note", text="before")
        r.add("depart", person="carol")
        r.add("attend", person="carol", role="custodian", presence="in person")
        r.add("note", text="after")
        r.step("x", "a", "begin")
        r.approve("x", ("alice", "bob", "carol"))
        r.call()
        r.step("x", "a", "end")

    away, away_files = builder.complete(scratch, away.ceremony_entries(extra={"closing": leave_and_return}))
    depart, = (i for i, line in enumerate(away.lines) if json.loads(line)["type"] == "depart")
    for name, hide in (("nothing", ()), ("the return", (depart + 1,)), ("the departure", (depart,)), ("both", (depart, depart + 1))):
        yield Case(f"bundle: people: {name} is withheld", builder.bundle(away, away_files, set(hide)), COMPLETE, away.roster())
    gone = Record(more=[{"id": "x", "do": "a", "quorum": "custodians"}])
    gone, gone_files = builder.complete(scratch, gone.ceremony_entries(extra={"closing": lambda r: (
        r.add("note", text="before"), r.add("depart", person="carol"), r.step("x", "a", "begin"), r.approve("x", ("alice", "bob", "carol")), r.call(),
        r.step("x", "a", "end"))}))
    depart, = (i for i, line in enumerate(gone.lines) if json.loads(line)["type"] == "depart")
    yield Case("bundle: people: a departure, with a note withheld before it", builder.bundle(gone, gone_files, {depart - 1}), INVALID, gone.roster())
    # The openings.
    told = record.disclosures
    for k, line in enumerate(told):
        yield case(f"opening {k} stays", make((), (), [line]), COMPLETE)
        yield case(f"opening {k} twice", make((), (), [line, line]))
    yield case("all openings stay", make((), (), told), COMPLETE)
    yield case("the opening of a withheld entry", make(where("observe"), (), told[:1]))
    yield case("the opening of another entry than the withheld one", make(where("observe"), (), told[2:]), COMPLETE)
    other = Record(number=9)

    def opening(name="bag", value="SB004211", salt=None, text=None):
        other.disclosures.clear()
        other.confidential(name, value, salt)
        return canonical({"d": base64.urlsafe_b64encode(text).decode().rstrip("=")}) if text is not None else other.disclosures[0]

    truth = json.loads(base64.urlsafe_b64decode(json.loads(told[0])["d"] + "=="))
    for name, line in (("another value", opening(value="SB004212", salt=truth[0])), ("another salt", opening()), ("another name", opening(name="box", salt=truth[0])),
                       ("another order", opening(text=canonical([truth[1], truth[0], truth[2]]))), ("two elements", opening(text=canonical(truth[:2]))),
                       ("spaces", opening(text=json.dumps(truth).encode())), ("padding", canonical({"d": json.loads(told[0])["d"] + "="})), ("nothing", b"{}"), ("no text", b'{"d":1}'),
                       ("more than d", canonical({"d": json.loads(told[0])["d"], "e": 1})), ("an empty line", b""), ("a digest within", opening(value={"x": {"_sd": "A" * 43}})),
                       ("deep nesting", opening(text=b"[" * 40 + b"]" * 40)), ("a float", opening(value=1.5)), ("no array", opening(text=b"{}"))):
        yield case("an opening with " + name, make((), (), [line]))
    yield case("openings without their last LF", {**make(), "disclosures.jsonl": told[0]})
    yield case("openings cut short", {**make(), "disclosures.jsonl": told[0] + b"\n" + told[1][:20]})
    yield case("an opening of 70000 bytes", {**make(), "disclosures.jsonl": b"x" * 70000})
    misplaced = {"the digest twice": {"bag": "same", "box": "same"}, "the digest under another name": {"box": "same"}, "the digest in an array": {"bag": ["same"]}}
    for name, fields in [*misplaced.items(), ("the digest deep within", {"in": {"bag": "same"}})]:
        planted = Record()
        digest = planted.confidential("bag", 1)
        place = lambda value: digest if value == "same" else [digest] if isinstance(value, list) else {k: place(v) for k, v in value.items()}
        planted, all_files = builder.complete(scratch, planted.ceremony_entries(extra={"closing": lambda r: r.add("observe", what="x", **{k: place(v) for k, v in fields.items()})}))
        yield Case("opening: " + name, all_files, COMPLETE if name == "the digest deep within" else INVALID, planted.roster())
    for salt in ("A" * 22, "A" * 21 + "B", "A" * 21 + "!", "A" * 20 + "\u00e9", "A" * 20 + "==", "A" * 24):
        salted = Record()
        digest = salted.confidential("bag", 1, salt)
        salted, all_files = builder.complete(scratch, salted.ceremony_entries(extra={"closing": lambda r: r.add("note", text="x", bag=digest)}))
        yield Case(f"opening with the salt {salt}", all_files, COMPLETE if salt == "A" * 22 else INVALID, salted.roster())
    # A record that was not closed: the opening is on the disk before its entry.
    for name, rest, verdict in (("before its entry", [], INCOMPLETE), ("torn", [], INCOMPLETE)):
        early = Record()
        early.ceremony_entries()
        early.confidential("bag", 1)
        unfinished = early.write(scratch, None, None)
        if name == "torn":
            unfinished["disclosures.jsonl"] = unfinished["disclosures.jsonl"][:-9]
        yield Case("opening in a record under way: " + name, unfinished, verdict, early.roster())
