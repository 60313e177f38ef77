"""How the bytes of a record are spelled (record-format.md, section 2) and signed (3, 4; C2SP signed-note), and by whom.
For verify.py and what builds on it, with Python's standard library and the openssl command."""
import base64, collections, functools, hashlib, json, os, pathlib, re, subprocess, tempfile

P256, ED = map(bytes.fromhex, ("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "302a300506032b6570032100"))
HALF = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8  # of the order of P-256
Key = collections.namedtuple("Key", "name id spki")

def sha(data): return hashlib.sha256(data).digest()
def need(condition, what):
    if not condition: raise ValueError(what)
def b64(text):
    need(base64.b64encode(base64.b64decode(text)).decode() == text, "base64")
    return base64.b64decode(text)

def load(*path):
    need(not os.path.islink(os.path.join(*path)), "link")
    return pathlib.Path(*path).read_bytes()

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

@functools.lru_cache(None)
def signed(spki, text, sig):
    if len(spki) == 91:  # ECDSA: a signature has one spelling, strict DER with the low S
        r, s = (int.from_bytes(part, "big") for part in (sig[4:4 + sig[3]], sig[6 + sig[3]:]))
        der = b"".join(bytes([2, n.bit_length() // 8 + 1]) + n.to_bytes(n.bit_length() // 8 + 1, "big") for n in (r, s))
        if sig != bytes([0x30, len(der)]) + der or not 0 < r or not 0 < s <= HALF: return False
    with tempfile.TemporaryDirectory() as folder:
        for name, data in ("key", spki), ("text", text), ("sig", sig): pathlib.Path(folder, name).write_bytes(data)
        command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text -sigfile sig"
        return subprocess.run(command.split(), cwd=folder, capture_output=True).returncode == 0

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
    words = [line.split() for line in data.decode().split("\n")]
    vkeys = [(w[2].split("+")[0], b64(w[2].split("+", 2)[2])) for w in words if w[:1] == ["witness"]]
    m = [int(w[2]) for w in words if w[:1] == ["group"]][0]
    return {key(name, raw[1:] if raw[0] == 2 else ED + raw[1:]) for name, raw in vkeys}, m
