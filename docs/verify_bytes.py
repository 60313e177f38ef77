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

FIELD, ODD = 2 ** 255 - 19, 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826
def key(name, spki):
    y = int.from_bytes(spki[12:], "little") % 2 ** 255 if len(spki) == 44 else 2
    need(y < FIELD and y not in (0, 1, FIELD - 1, ODD, FIELD - ODD), "a point of Ed25519 that anybody could sign for")
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

def vkey(word):
    name, keyid, blob = word.split("+", 2)
    raw = b64(blob)
    k = key(name, raw[1:] if raw[0] == 2 else ED + raw[1:])
    need(re.fullmatch(r"[^\s+\x00-\x1f\x7f]+", name) and name.encode() and keyid == k.id.hex() and raw[0] == (2 if len(k.spki) == 91 else 1), "key")
    return k

def policy(data):
    """C2SP tlog-policy, and below one group each person answers for one member: keys, whether those who signed are enough, m, and how it is made."""
    need(data.endswith(b"\n") and not re.search(rb"[^\t\n\x20-\x7e\x80-\xff]", data), "policy text")
    keys, sets, people, inside, logs, quorum = {}, {}, {}, set(), set(), None
    for word, *words in (re.findall("[^ \t]+", line) or "#" for line in data.decode(errors="surrogateescape").split("\n")):
        if word.startswith("#"): continue
        need(word in ("witness", "group", "quorum", "log") and len(words) in {"witness": (2, 3), "quorum": (1,), "log": (1, 2)}.get(word, [len(words)]), "policy line")
        name = words[0]
        if word in ("witness", "group"): need(name != "none" and name not in keys and name not in sets, "name twice")
        if word == "witness": keys[name] = vkey(words[1])
        elif word == "group":
            members = words[2:]
            need(members and all(x in keys or x in sets for x in members) and len({*members}) == len(members) and not inside & {*members}, "members")
            inside |= {*members}
            m = {"any": 1, "all": len(members)}.get(words[1]) or int(need(re.fullmatch("[1-9][0-9]*", words[1]), "threshold") or words[1])
            need(m <= len(members), "threshold")
            direct, through = {keys[x].name for x in members if x in keys}, [each for x in members if x in sets for each in people[x]]
            need(len(direct | {*through}) == len(direct) + len(through), "person who counts twice")
            sets[name], people[name] = (m, members), direct | {*through}
        elif word == "quorum": quorum = need(quorum is None and (name in keys or name in sets), "quorum") or name
        else: logs.add(need(vkey(name).spki not in logs, "log twice") or vkey(name).spki)
    need(quorum, "no quorum")
    need(len({k.spki for k in keys.values()}) == len(keys), "one key for two people")
    need(len(keys) <= 256 and len(sets) <= 256 and len(logs) <= 64, "size of the policy")
    def met(by, name=quorum):  # a person counts once, whatever the number of keys
        if name in keys: return keys[name] in by
        m, members = sets[name]
        yes = [x for x in members if met(by, x)]
        return len({keys[x].name for x in yes if x in keys}) + len([x for x in yes if x in sets]) >= m
    return list(keys.values()), met, sets.get(quorum, (1, [quorum]))[0], (sets.get(quorum, (1, [quorum]))[1], list(keys))

def roster(data):
    """Its estate, and of each quorum the keys, whether those who signed are enough, and m."""
    r = json.loads(data)
    def quorum(name):
        m, role, domain = r["quorums"][name]["m"], r["quorums"][name]["role"], r["quorums"][name].get("domain", "")
        keys = [key(r["estate"] + "/" + p["id"], b64(p["sign_key"])) for p in r["people"]
                if role in p["roles"] and p.get("state", "active") == "active" and "sign_key" in p
                and ("" in (domain, p.get("domain", "")) or p["domain"] == domain)]
        return keys, lambda by: len({k.name for k in by}) >= m, m
    return r["estate"], quorum

def custodians(data):
    """The custodians' keys, m, and whether those who signed are enough; of a roster or of a policy.txt."""
    keys, met, m = roster(data)[1]("custodians") if data.startswith(b"{") else policy(data)[:3]
    return {*keys}, m, met
