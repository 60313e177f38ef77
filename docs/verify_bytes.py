"""How the bytes of a record are spelled (record-format.md, section 2) and signed (3, 4; C2SP signed-note), and by whom.
For verify.py and what builds on it, with Python's standard library; verify_machine.py asks openssl about a signature."""
import base64, collections, hashlib, json, os, pathlib, re, stat

from verify_machine import ED, P256, signed

Key = collections.namedtuple("Key", "name id spki")
PATH = "N(/N){0,7}".replace("N", "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")  # of a file in a record

def sha(data): return hashlib.sha256(data).digest()
def need(condition, what):
    if not condition: raise ValueError(what)
def b64(text):
    need(base64.b64encode(base64.b64decode(text)).decode() == text, "base64")
    return base64.b64decode(text)

def load(*path):
    need(stat.S_ISREG(os.lstat(os.path.join(*path)).st_mode), "no regular file")
    return pathlib.Path(*path).read_bytes()
def files_of(folder):
    """The paths of its files. What is neither file nor folder has no place there."""
    def fail(error): raise error
    there = set()
    for path, folders, names in os.walk(folder, onerror=fail):
        need(not any(os.path.islink(os.path.join(path, name)) for name in folders), "link")
        need(all(stat.S_ISREG(os.lstat(os.path.join(path, name)).st_mode) for name in names), "no regular file")
        there |= {os.path.relpath(os.path.join(path, name), folder) for name in names}
    return there

def canon(value): return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
def depth(value):
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(depth, inside), default=0)
def strict(raw):
    """The value, when it is spelled in the one way."""
    named = lambda pairs: need(all(re.fullmatch("[A-Za-z0-9_.-]+", name) for name, _ in pairs), "name") or dict(pairs)
    whole = lambda digits: need(abs(int(digits)) < 2**53, "number") or int(digits)
    value = json.loads(raw, object_pairs_hook=named, parse_int=whole, parse_float=whole, parse_constant=whole)
    need(2 <= len(raw) <= 65535 and canon(value) == raw and b"\x7f" not in raw and depth(value) <= 16, "spelling")
    return value

def key(name, spki):
    need(len(spki) == 91 and spki.startswith(P256) or len(spki) == 44 and spki.startswith(ED), "kind of key")
    return Key(name, sha(spki if len(spki) == 91 else name.encode() + b"\n\x01" + spki[12:])[:4], spki)

def note(data, keys):
    """The text without its last LF, and the keys that signed it; every line must be by one, no two by the same."""
    need(data.endswith(b"\n"), "note")
    (text, lines), by = data.decode()[:-1].rsplit("\n\n", 1), set()
    for dash, name, blob in (line.split(" ") for line in lines.split("\n")):
        signer = next((k for k in keys if k[:2] == (name, b64(blob)[:4]) and k not in by), None)
        need(dash == "\u2014" and signer and signed(signer.spki, (text + "\n").encode(), b64(blob)[4:]), "signature")
        by.add(signer)
    return text, by

def custodians(data):
    """The custodians' keys and m, of a roster or of a policy.txt."""
    if data.startswith(b"{"):
        roster = json.loads(data)
        active = [p for p in roster["people"] if "custodian" in p["roles"] and p.get("state", "active") == "active"]
        keys = {key(roster["estate"] + "/" + p["id"], b64(p["sign_key"])) for p in active if "sign_key" in p}
        return keys, roster["quorums"]["custodians"]["m"]
    words = [re.findall("[^ \t]+", line) for line in data.decode().split("\n")]
    vkeys = [(w[2].split("+")[0], b64(w[2].split("+", 2)[2])) for w in words if w[:1] == ["witness"]]
    groups, (quorum,) = {w[1]: w[2] for w in words if w[:1] == ["group"]}, [w[1] for w in words if w[:1] == ["quorum"]]
    m = int(need(re.fullmatch("[1-9][0-9]*", groups[quorum]), "quorum") or groups[quorum])
    return {key(name, raw[1:] if raw[0] == 2 else ED + raw[1:]) for name, raw in vkeys}, m
