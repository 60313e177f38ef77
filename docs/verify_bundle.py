#!/usr/bin/env python3
"""verify.py for what was published of a record, and for a record with openings beside it (record-format.md, section 6):
all that is withheld stands in the ledger, withheld.jsonl, and every opening in disclosures.jsonl opens something. Of what may be withheld
it knows the types that the ledger gives; that no step, request or lone intent is missed, and that the script is there, verify_rules.py holds.
usage: verify_bundle.py BUNDLE [ROSTER]     exit: as verify.py"""
import base64, os, re

import verify as record
from verify_bytes import PATH, load, need, sha, strict
from verify_machine import judged, main

HIDEABLE = "attend depart intent done observe artefact note".split()
SALTED = rb'(?:(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]+)":)?\{"_sd":"([A-Za-z0-9_-]{43})"\}'  # a name, and a digest in the place of its value
FILE = "(?=(inputs|artefacts)/|torn-)" + PATH

def entry(raw): return need(raw[:1] == b"{", "no object") or strict(raw)
def optional(folder, name): return load(folder, name) if os.path.lexists(os.path.join(folder, name)) else None
def log(folder):
    """Lines, leaves, torn bytes, and the numbers of withheld entries: there the leaf stands for the line."""
    *lines, torn = load(folder, "log.jsonl").split(b"\n")
    hidden = {i for i, line in enumerate(lines) if re.fullmatch(b"[0-9a-f]{64}", line)}
    leaves = [bytes.fromhex(line.decode()) if i in hidden else sha(b"\x00" + line) for i, line in enumerate(lines)]
    return lines, leaves, torn, hidden

def ledger(folder, origin, hidden):
    """The files that are withheld; every withheld entry stands in the ledger, and no other."""
    text = optional(folder, "withheld.jsonl")
    if text is None: return need(not hidden, "no ledger") or set()
    need(text.endswith(b"\n"), "line of the ledger")
    head, *rows = map(entry, text[:-1].split(b"\n"))
    need(sorted(head) == ["annex", "format", "label", "origin", "reasons"], "head")
    need((head["format"], head["origin"]) == ("keyceremony-withheld/1", origin), "format, origin")
    reasons = head["reasons"]
    need(len(reasons) <= 100 and all(why and isinstance(why, str) for why in reasons.values()), "reasons")
    if (annex := head["annex"]) is not None:
        need(sorted(annex) == ["sha256", "size"] and re.fullmatch("[0-9a-f]{64}", annex["sha256"]), "annex")
        need(type(annex["size"]) is int and annex["size"] >= 0, "size of the annex")
    files = [row["file"] for row in rows if "file" in row]  # they come first
    withheld = rows[len(files):]
    members = [["file", "label", "reason"]] * len(files) + [["entry", "label", "reason", "type"]] * len(withheld)
    need([sorted(row) for row in rows] == members and files == sorted(set(files)), "rows")
    need(all(re.fullmatch(FILE, name) for name in files), "file")
    need(all(row["label"] in ("green", "amber", "red") for row in [head, *rows]), "label")
    rank = ("green", "amber", "red").index
    need(all(rank(row["label"]) > rank(head["label"]) for row in rows), "withheld under a label that is shown")
    need(all(isinstance(row["reason"], str) and row["reason"] in reasons for row in rows), "reason")
    need(all(row["type"] in HIDEABLE for row in withheld), "type")
    need([row["entry"] for row in withheld] == sorted(hidden), "entries")
    need(not any(os.path.lexists(os.path.join(folder, name)) for name in files), "withheld, and there")
    return set(files)

def openings(folder, lines, closed):
    """Whether each opens one digest of the log. Before the close its entry may not be there yet."""
    text = optional(folder, "disclosures.jsonl") or b""
    *rows, torn = text.split(b"\n")
    need(len(text) - len(torn) <= 1 << 25 and len(torn) < 65536 and not (torn and closed), "size of the openings")
    held, seen, found = {}, set(), not torn  # held: the names under which a digest stands
    for name, digest in (match for line in lines for match in re.findall(SALTED, line)): held.setdefault(digest, []).append(name)
    for row in map(entry, rows):
        need([*row] == ["d"], "opening")
        raw = base64.urlsafe_b64decode(row["d"] + "=" * (-len(row["d"]) % 4))
        need(base64.urlsafe_b64encode(raw).decode().rstrip("=") == row["d"] and raw[:1] == b"[", "opening")
        salt, name, _ = strict(raw)
        need(re.fullmatch("[A-Za-z0-9_-]{21}[AQgw]", salt) and re.fullmatch("[A-Za-z0-9_.-]+", name), "salt, name")
        need(not re.search(SALTED, raw), "salted digest in a value")
        digest = base64.urlsafe_b64encode(sha(row["d"].encode()))[:43]
        names = held.get(digest, [])
        need(digest not in seen and names in ([name.encode()], []) and (names or not closed), "opening of nothing")
        seen.add(digest)
        found = found and bool(names)
    return found

def verify(folder, roster=None):
    lines, leaves, torn, hidden = log(folder)
    entries = [{"type": "withheld"} if i in hidden else entry(line) for i, line in enumerate(lines)]
    for i in hidden: entries[i].update(seq=i, mode=entries[0]["mode"])
    unseen = ledger(folder, entries[0]["origin"], hidden) | ({"log.jsonl"} if hidden else set()) if entries else set()
    found = openings(folder, lines, any(e["type"] == "close" for e in entries))
    verdict = record.verify(folder, roster, lambda _: (leaves, entries, torn, unseen))
    return verdict if found or verdict == "FORK" else "INCOMPLETE"
def verdict(folder, roster=None): return judged(verify, folder, roster)
if __name__ == "__main__": main(verdict)
