#!/usr/bin/env python3
"""What bytes and signatures prove of a whole record (record-format.md). verify_bytes.py knows spelling, verify_machine.py has openssl judge signatures;
verify_bundle.py reads what was published of a record; verify_rules.py adds what its entries must say.
usage: verify.py RECORD [ROSTER]     exit: 0 COMPLETE 1 INVALID 4 cannot check 6 INCOMPLETE 7 UNPINNED 8 FORK"""
import base64, functools, os, re

from verify_bytes import PATH, b64, custodians, files_of, key, load, need, note, sha, strict
from verify_machine import EXITS, judged, main

BESIDE = {"addendum.note", "disclosures.jsonl", "withheld.jsonl"}  # files that the addendum does not name

def grow(peaks, size, leaf):
    """One leaf more in a tree of that size; peaks are the roots of the full trees that it consists of, from the left."""
    while size & 1: leaf, size = sha(b"\x01" + peaks.pop() + leaf), size >> 1
    peaks.append(leaf)
def root(peaks): return functools.reduce(lambda right, left: sha(b"\x01" + left + right), peaks[::-1]) if peaks else sha(b"")
def tree(leaves):
    peaks = []
    for size, leaf in enumerate(leaves): grow(peaks, size, leaf)
    return root(peaks)
def whole(folder):  # leaves (hash first, check after), entries, torn bytes, and files whose digest cannot be compared
    need(not os.path.lexists(os.path.join(folder, "withheld.jsonl")), "a bundle, which verify_bundle.py reads")
    *lines, torn = load(folder, "log.jsonl").split(b"\n")
    return [sha(b"\x00" + line) for line in lines], [*map(strict, lines)], torn, set()

def verify(folder, roster=None, read=whole):
    there, verdicts, closed = files_of(folder), {"COMPLETE" if roster else "UNPINNED"}, None
    said, signers, peaks = {}, {}, []
    less = lambda condition, verdict="INCOMPLETE": condition or verdicts.add(verdict)  # true where it holds
    keys, m, enough = custodians(load(os.path.realpath(roster)) if roster else load(folder, "policy.txt"))
    need("policy.txt" not in there or custodians(load(folder, "policy.txt"))[:2] == (keys, m), "policy is not the roster's")
    met = lambda by: enough(by & keys)
    leaves, entries, torn, unseen = read(folder)
    need(len(torn) < 65536, "length of the torn line")
    if not entries and "checkpoint" not in there: return "INCOMPLETE"
    origin, log = entries[0]["origin"], key(entries[0]["origin"], b64(entries[0]["log_key"]))
    checkpoint = lambda size, top: f"{origin}\n{size}\n{base64.b64encode(top).decode()}"
    for i, e in enumerate(entries):
        need(e["seq"] == i and (e["type"] == "open") == (i == 0) and e["mode"] == entries[0]["mode"], "seq, type, mode")
        if e["type"] == "checkpoint":
            said[i], signers[i] = note(e["note"].encode(), keys | {log})
            need(log in signers[i] and said[i].startswith(f"{origin}\n{i}\n"), "checkpoint")
            need(said[i].count("\n") == 2 and len(b64(said[i].split("\n")[2])) == 32, "form of a checkpoint")
            less(said[i] == checkpoint(i, root(peaks)), "FORK")
        if e["type"] == "cosign": signers[e["size"]] |= note(f"{said[e['size']]}\n\n{e['line']}\n".encode(), keys)[1]
        if e["type"] == "close": closed = need(e["entries"] in (i + 1, i + 2) and i + 2 >= len(entries), "close") or i
        grow(peaks, i, leaves[i])
    less(not torn and closed is not None and signers and met(signers[min(signers)]))
    if less("checkpoint" in there):
        final, by = note(load(folder, "checkpoint"), keys | {log})
        size = int(final.split("\n")[1])
        need(log in by and (size > len(leaves) or final == checkpoint(size, tree(leaves[:size]))), "final checkpoint")
        less(met(by) and size - 1 == closed)
    digest = lambda name: sha(load(folder, name)).hex()
    files = {"artefacts/" + e["name"]: e["sha256"] for e in entries if e["type"] == "artefact"}
    files |= {"inputs/" + name: sha256 for name, sha256 in entries[0]["inputs"].items()}
    need(closed is None or files.keys() <= there | unseen, "missing file")
    need(all(digest(name) == sha256 for name, sha256 in files.items() if name in there), "digest")
    if less("addendum.note" in there):
        text, by = note(load(folder, "addendum.note"), keys)
        title, evidence, *sums = text.split("\n")
        need(all(re.fullmatch(PATH, line[66:]) for line in sums), "path")
        need(title == origin + "/addendum" and isinstance(strict(evidence.encode()), dict), "addendum")
        less(met(by))
        skip = unseen | ({"log.jsonl"} if "INCOMPLETE" in verdicts else set())
        listed = [f"{digest(name)}  {name}" for name in sorted(there - BESIDE - skip)]
        need([line for line in sums if line[66:] not in skip] == listed, "files")
        need(unseen <= {line[66:] for line in sums}, "withheld, and never there")
        need(sums == sorted(sums, key=lambda line: line[66:]), "order of files")
    return max(verdicts, key=[*EXITS].index)

def verdict(folder, roster=None): return judged(verify, folder, roster)
if __name__ == "__main__": main(verdict)
