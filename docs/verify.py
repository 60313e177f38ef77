#!/usr/bin/env python3
"""What the bytes and signatures of a record prove (docs/record-format.md), by Python's standard library and the openssl command.
verify_rules.py adds what its entries must say.   usage: verify.py RECORD [ROSTER]   exit: as on the last line."""
import base64, datetime, functools, hashlib, json, os, re, subprocess, sys, tempfile

HALF = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8  # of the order of P-256
P256, ED = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"), bytes.fromhex("302a300506032b6570032100")
HIDEABLE, SALTED = "attend depart intent done observe artefact note".split(), rb'(?:([A-Za-z0-9_.-]+)":)?\{"_sd":"([A-Za-z0-9_-]{43})"\}'
TYPES = "open attend depart step request cosign intent done observe artefact note deviation refusal checkpoint recover close".split()
RANK = ["COMPLETE", "UNPINNED", "INCOMPLETE", "FORK", "INVALID"]
sha = lambda data: hashlib.sha256(data).digest()
canon = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()

def need(condition, what):
    if not condition: raise ValueError(what)
def b64(text): return need(base64.b64encode(base64.b64decode(text)).decode() == text, "base64") or base64.b64decode(text)
def load(folder, name):
    need(not os.path.islink(path := os.path.join(folder, name)), "link")
    if not os.path.exists(path): return None
    with open(path, "rb") as file: return file.read()

def strict(raw):  # section 2: the value, when it is spelled in the one way
    def walk(value, level):
        need(level <= 16 or not isinstance(value, (dict, list)), "nesting")
        need(not isinstance(value, float) and (not isinstance(value, int) or abs(value) < 2 ** 53), "number")
        for k, v in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
            need(isinstance(k, int) or re.fullmatch("[A-Za-z0-9_.-]+", k), "key"), walk(v, level + 1)
    value = json.loads(raw)  # a key that stands twice is not canonical either
    need(b"\x7f" not in raw and canon(value) == raw, "not canonical")
    return walk(value, 1) or value
def entry(raw): return need(2 <= len(raw) <= 65535 and raw[:1] == b"{", "no object") or strict(raw)
def common(i, e, mode):  # what every entry has
    need(all(type(e[n]) is int for n in ("v", "seq", "mono")) and (e["v"], e["seq"], e["mode"]) == (1, i, mode) and e["mono"] >= 0, "v, seq, mono, mode")
    need(mode in ("rehearsal", "production") and re.fullmatch("[0-9a-f]{32}", e["salt"]) and e["type"] in TYPES and (e["type"] == "open") == (i == 0), "mode, salt, type")
    need(e["time"].isascii() and e["time"].isupper() and len(e["time"]) == 27 and datetime.datetime.strptime(e["time"], "%Y-%m-%dT%H:%M:%S.%fZ"), "time")

def key(name, spki):  # section 3: name, key id, SubjectPublicKeyInfo
    need(spki[:27] == P256 and len(spki) == 91 or spki[:12] == ED and len(spki) == 44, "kind of key")
    return name, sha(spki)[:4] if len(spki) == 91 else sha(name.encode() + b"\n\x01" + spki[12:])[:4], spki
@functools.lru_cache(None)
def signed(spki, text, sig):  # strict DER and low S, then openssl
    if len(spki) == 91:
        r, s = (int.from_bytes(part, "big") for part in (sig[4:4 + sig[3]], sig[6 + sig[3]:]))
        der = b"".join(b"\x02" + bytes([n.bit_length() // 8 + 1]) + n.to_bytes(n.bit_length() // 8 + 1, "big") for n in (r, s))
        if sig != b"0" + bytes([len(der)]) + der or not (0 < r and 0 < s <= HALF): return False
    with tempfile.TemporaryDirectory() as d:
        for name, data in ("key", spki), ("text", text), ("sig", sig):
            with open(os.path.join(d, name), "wb") as file: file.write(data)
        return not subprocess.run("openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text -sigfile sig".split(), cwd=d, stdout=-3, stderr=-3).returncode
def note(data, keys):  # its text, and whose signatures it has: every line must be by one of the keys
    text, lines = data.decode()[:-1].rsplit("\n\n", 1)
    sigs = [need(dash == "\u2014", "signature line") or (name, b64(blob)[:4], b64(blob)[4:]) for dash, name, blob in (line.split(" ") for line in lines.split("\n"))]
    by = [k for s in sigs for k in keys if k[:2] == s[:2] and signed(k[2], (text + "\n").encode(), s[2])]
    return need(data.endswith(b"\n") and len(set(by)) == len(sigs), "signature") or (text, set(by))
def tree(leaves):
    half = 1 << (len(leaves) - 1).bit_length() - 1 if len(leaves) > 1 else 0
    return sha(b"\x01" + tree(leaves[:half]) + tree(leaves[half:])) if half else (leaves + [sha(b"")])[0]

def custodians(data):  # section 4: keys and m, of a roster or of a policy.txt
    if data.startswith(b"{"):
        r = json.loads(data)
        active = [p for p in r["people"] if "custodian" in p["roles"] and p.get("state", "active") == "active" and "sign_key" in p]
        return sorted(key(r["estate"] + "/" + p["id"], b64(p["sign_key"])) for p in active), r["quorums"]["custodians"]["m"]
    words = [line.split() for line in data.decode().split("\n")]
    vkeys = [(w[2].split("+")[0], b64(w[2].split("+", 2)[2])) for w in words if w[:1] == ["witness"]]
    return sorted(key(name, raw[1:] if raw[0] == 2 else ED + raw[1:]) for name, raw in vkeys), int(next(w[2] for w in words if w[:1] == ["group"]))

def ledger(folder, origin, hidden):  # section 6: the files that are withheld; entries that are, and no others, stand in it
    if (text := load(folder, "withheld.jsonl")) is None: return need(not hidden, "no ledger") or set()
    head, *rows = map(entry, need(text.endswith(b"\n"), "line") or text[:-1].split(b"\n"))
    files = [row["file"] for row in rows if "file" in row]
    need([sorted(row) for row in rows] == [["file", "label", "reason"]] * len(files) + [["entry", "label", "reason", "type"]] * (len(rows) - len(files)), "rows")
    need(sorted(head) == ["annex", "format", "label", "origin", "reasons"] and (head["format"], head["origin"]) == ("keyceremony-withheld/1", origin), "head")
    need(all(row["label"] in ("green", "amber", "red") and isinstance(row.get("reason", ""), str) for row in [head] + rows), "label")
    need(len(head["reasons"]) <= 100 and all(isinstance(why, str) and why for why in head["reasons"].values()), "reasons")
    need(head["annex"] is None or sorted(head["annex"]) == ["sha256", "size"] and re.fullmatch("[0-9a-f]{64}", head["annex"]["sha256"])
         and type(head["annex"]["size"]) is int and head["annex"]["size"] >= 0, "annex")
    need(all(row["reason"] in head["reasons"] and row.get("type", "note") in HIDEABLE for row in rows) and files == sorted(set(files)), "rows")
    part = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
    need(all(re.fullmatch(f"((inputs|artefacts)/|(?=torn-)){part}(/{part})*", f) and f.count("/") < 8 for f in files), "file")
    return need([row["entry"] for row in rows[len(files):]] == hidden, "entries") or set(files)
def openings(folder, lines, closed):  # section 6: whether each disclosure opens one digest of the log; before the close its entry may not be there
    *rows, torn = (load(folder, "disclosures.jsonl") or b"").split(b"\n")
    held, found, seen = [m for line in lines for m in re.findall(SALTED, line)], not torn, set()
    for d in (need([*row] == ["d"], "disclosure") or row["d"] for row in map(entry, rows)):
        raw = base64.urlsafe_b64decode(d + "=" * (-len(d) % 4))
        need(base64.urlsafe_b64encode(raw).decode().rstrip("=") == d and raw[:1] == b"[" and len(strict(raw)) == 3 and not re.search(SALTED, raw), "disclosure")
        digest, (salt, name, _) = base64.urlsafe_b64encode(sha(d.encode()))[:43], strict(raw)
        need(len(salt.encode()) == 22 and name and digest not in seen, "disclosure"), seen.add(digest)
        names = [n for n, other in held if other == digest]
        need(names == [name.encode()] or not names and not closed, "disclosure of nothing")
        found = found and bool(names)
    return need(sum(map(len, rows)) + len(rows) <= 1 << 25 and len(torn) < 65536 and not (torn and closed), "disclosures") or found

def verify(folder, roster=None):
    policy, verdicts = load(folder, "policy.txt"), ["COMPLETE" if roster else "UNPINNED"]
    less = lambda condition, verdict="INCOMPLETE": condition or verdicts.append(verdict)
    keys, m = custodians(load("", roster) if roster else policy)
    need(not roster or policy is None or custodians(policy) == (keys, m), "policy is not the roster's")
    met = lambda by: len({k[0] for k in by & set(keys)}) >= m  # people, not keys
    *lines, torn = load(folder, "log.jsonl").split(b"\n")
    hidden = [i for i, line in enumerate(lines) if re.fullmatch(b"[0-9a-f]{64}", line)]  # section 6: the leaf itself, in the entry's place
    shown = set(range(len(lines))) - set(hidden)
    leaves = [sha(b"\x00" + line) if i in shown else bytes.fromhex(line.decode()) for i, line in enumerate(lines)]  # hash first, check after
    entries = [entry(line) if i in shown else {"type": "withheld"} for i, line in enumerate(lines)]
    need(len(torn) < 65536, "line")
    if not entries: return need(not load(folder, "checkpoint") and not load(folder, "addendum.note") , "no entry") or "INCOMPLETE"
    for i, e in enumerate(entries): i in shown and common(i, e, entries[0]["mode"])
    origin, log, files, notes = entries[0]["origin"], key(entries[0]["origin"], b64(entries[0]["log_key"])), entries[0]["inputs"], []
    for i, e in enumerate(entries):  # signed texts: (text, signers, the size that it must have)
        if e["type"] == "checkpoint": notes.append(note(e["note"].encode(), keys + [log]) + (i,))
        if e["type"] == "close": need(e["entries"] in (i + 1, i + 2) and i + 2 >= len(entries), "close")
        if e["type"] == "cosign": notes.append(note(f"{next(n[0] for n in notes if n[2] == e['size'])}\n\n{e['line']}\n".encode(), keys) + (e["size"],))
    first = [by for _, by, size in notes if size == notes[0][2]]
    final = note(load(folder, "checkpoint"), keys + [log]) if load(folder, "checkpoint") else None
    for text, by, size in notes + ([final + (None,)] if final else []):
        name, n, root = text.split("\n")
        need(name == origin and str(int(n)) == n and size in (None, int(n)) and (size or log in by), "checkpoint")
        less(int(n) <= len(lines)), less(int(n) > len(lines) or tree(leaves[:int(n)]) == b64(root), "FORK" if size else "INVALID")
    closed = next((i for i, e in enumerate(entries) if e["type"] == "close"), None)
    less(closed is not None and not torn and first and met(set().union(*first)) and final and met(final[1]) and final[0].split("\n")[1] == str(closed + 1))
    files = {f"inputs/{f}": digest for f, digest in files.items()} | {f"artefacts/{e['name']}": e["sha256"] for e in entries if e["type"] == "artefact"}
    there = {os.path.relpath(os.path.join(path, n), folder) for path, _, names in os.walk(folder) for n in names}
    withheld = ledger(folder, origin, hidden)
    need(not withheld & there, "withheld"), less(openings(folder, lines, closed is not None))
    need(all(sha(load(folder, f)).hex() == digest for f, digest in files.items() if f in there or closed is not None and f not in withheld), "digest")
    if less("addendum.note" in there):
        text, by = note(load(folder, "addendum.note"), keys)
        sums = [(line[66:], line[:64]) for line in text.split("\n")[2:]]
        need(text.split("\n")[0] == origin + "/addendum" and entry(text.split("\n")[1].encode()) is not None, "addendum")
        need(sums == sorted(sums) and {f for f, _ in sums} - withheld == there - {"addendum.note", "disclosures.jsonl", "withheld.jsonl"} and (less(met(by)) or True), "files")
        need(all(sha(load(folder, f)).hex() == digest for f, digest in sums if f not in withheld and (f != "log.jsonl" or not hidden and "INCOMPLETE" not in verdicts)), "digest")
    return max(verdicts, key=RANK.index)

def verdict(folder, roster=None):
    try: return verify(folder, roster), ""
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, StopIteration) as e: return "INVALID", repr(e)
if __name__ == "__main__":
    answer, why = verdict(*sys.argv[1:3])
    sys.exit(print(answer, why) or {"COMPLETE": 0, "INVALID": 1, "INCOMPLETE": 6, "UNPINNED": 7, "FORK": 8}[answer])
