#!/usr/bin/env python3
"""The verdict on a record of docs/record-format.md with every rule on what its entries say: steps and script, quorums, calls, files.
Which calls a kind of step may make, and profiles, script and lint of certificates, keyceremony-verify alone holds (section 7).
Shares with verify.py and verify_bundle.py what bytes, signatures and openings are; like them, needs Python's standard library and openssl alone.
usage: verify_rules.py RECORD [ROSTER | --roster FILE] [--checkpoint FILE]     (verify_archive.py: of an archive)     exit: 0 COMPLETE 1 INVALID 4 cannot check 6 INCOMPLETE 7 UNPINNED 8 FORK"""
import base64, bisect, collections, datetime, json, os, re, sys

from verify import BESIDE, grow, root as top, tree
from verify_bundle import entry as canonical, ledger, log, openings
from verify_bytes import PATH, b64 as strict64, canon, files_of, key, need, policy, roster, sha
from verify_certificates import Certificates, Files, is_proof, is_shown
from verify_machine import EXITS, judged, leave, signed

TYPES = "open attend depart step request cosign intent done observe artefact note deviation refusal checkpoint recover close".split()
SHA, NAME = re.compile("[0-9a-f]{64}"), r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
Step = collections.namedtuple("Step", "id do quorum skippable section section_quorum given")
# by: keys that approved; ended: a list, not empty when refused; tbs, roster: digests of what is to be signed, and of the next roster
Request = collections.namedtuple("Request", "step steps quorum m keys met by ended tbs roster subject")
KINDS = re.compile(r"key\.(generate|transport|clone|import|destroy)|token\.commission")  # kinds of steps whose effects need a call on their token
SIGNS = re.compile(r"(cert|crl|csr)\.|payload\.sign")  # kinds of steps that sign what their quorum was asked for
PROVES = re.compile(r"key\.(clone|import|prove)|firmware\.record")  # that sign what is made after their approval

def load(path):
    with open(path, "rb") as file: return file.read()

def common(i, e, mode):  # what every entry has
    need(all(type(e[n]) is int for n in ("v", "seq", "mono")) and (e["v"], e["seq"]) == (1, i) and e["mono"] >= 0, "v, seq, mono")
    need(e["mode"] == mode and mode in ("rehearsal", "production") and re.fullmatch("[0-9a-f]{32}", e["salt"]), "mode, salt")
    need(e["type"] in TYPES and (e["type"] == "open") == (i == 0), "type")
    if mode == "production" and e["type"] in ("open", "attend", "cosign"):
        need(e.get("simulated") is not True and e.get("environment") != "rehearsal", "rehearsal in production")
    need(e["type"] not in ("open", "attend", "cosign") or isinstance(e.get("simulated", False), bool), "simulated")
    need(e["time"].isascii() and e["time"].isupper() and len(e["time"]) == 27 and datetime.datetime.strptime(e["time"], "%Y-%m-%dT%H:%M:%S.%fZ"), "time")

def sigline(line):
    dash, name, blob = line.split(" ")
    need(dash == "\u2014" and len(strict64(blob)) > 4, "signature line")
    return name, strict64(blob)[:4], strict64(blob)[4:]

def note(data):
    need(data.endswith(b"\n") and b"\n\n" in data, "note")
    text, lines = data.decode()[:-1].rsplit("\n\n", 1)
    sigs = [sigline(line) for line in lines.split("\n")]
    need(len({s[:2] for s in sigs}) == len(sigs) <= 100, "signature twice")
    return text + "\n", sigs

def signers(text, sigs, keys):  # every line must be by one of the keys, and verify
    by = {(k.name, k.id): k for k in keys}
    need(all(s[:2] in by and signed(by[s[:2]].spki, text.encode(), s[2]) for s in sigs), "signature")
    return {by[s[:2]] for s in sigs}

def checkpoint(data, origin, log_key, keys):
    text, sigs = note(data)
    lines = text.split("\n")
    need(len(lines) == 4 and lines[0] == origin and re.fullmatch("0|[1-9][0-9]*", lines[1]) and len(strict64(lines[2])) == 32, "checkpoint")
    known = sigs if keys else [s for s in sigs if s[:2] == log_key[:2]]
    by = signers(text, known, keys + [log_key])
    need(log_key in by, "no signature by the log key")
    return int(lines[1]), strict64(lines[2]), by - {log_key}

def trusted(told): return roster(told if isinstance(told, bytes) else load(told))  # a path, or the text itself

def strict(text, levels):  # JSON that no two readers take for different things
    def once(pairs):
        need(len(dict(pairs)) == len(pairs), "key twice")
        return dict(pairs)
    def walk(value, level):
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        need(level <= levels or not isinstance(value, (dict, list)), "nesting")
        for _, v in inside: walk(v, level + 1)
    value = json.loads(text, object_pairs_hook=once, parse_constant=lambda word: need(0, word))
    walk(value, 1)
    return canon(value) and value  # which half a surrogate pair does not survive

def script(raw):  # the steps by id, in order; None for a file that is no script
    try: s = strict(raw.decode(), 64) if raw is not None and b"keyceremony-script/1" in raw else None
    except (ValueError, RecursionError): s = None
    if not isinstance(s, dict) or s.get("format") != "keyceremony-script/1": return None
    text = lambda owner, name, *default: owner.get(name, *default) if isinstance(owner.get(name, *default), str) else need(0, name)
    some = lambda owner, name: owner[name] if isinstance(owner[name], list) and owner[name] else need(0, name)
    own = {"id", "do", "title", "say", "note", "quorum", "skippable"}
    steps = [Step(text(x, "id"), text(x, "do"), text(x, "quorum", ""), x.get("skippable", False), "section:" + text(section, "id"),
                  text(section, "quorum", ""), {name: x[name] for name in x.keys() - own}) for section in some(s, "sections") for x in some(section, "steps")]
    need(all(isinstance(x.skippable, bool) for x in steps) and len({x.id for x in steps}) == len(steps), "steps")
    need(len({section["id"] for section in s["sections"]}) == len(s["sections"]), "section twice")
    return text(s, "id"), text(s, "estate"), sha(raw).hex(), {x.id: x for x in steps}

def environment_of(raw):  # that of a file which is a binding; None for another file
    try: binding = strict(raw.decode(), 64) if raw is not None and b"keyceremony-binding/1" in raw else None
    except (ValueError, RecursionError): return None
    own = binding.get("environment") if isinstance(binding, dict) and binding.get("format") == "keyceremony-binding/1" else None
    return own if isinstance(own, str) else None

def object_id(e):  # CKA_ID of what a call makes or destroys; "" where the entry does not say
    named = re.search(r"\(id ([^)]*)\)\Z", str(e.get("object", "")))
    return e["object_id"] if isinstance(e.get("object_id"), str) and e["object_id"] else named[1] if named else ""

def holds(given, now):  # what a script gives a step, in the parameters that it became; defaults may have been added
    if type(given) is not type(now): return False
    if isinstance(given, dict): return all(name in now and holds(value, now[name]) for name, value in given.items())
    return len(given) == len(now) and all(map(holds, given, now)) if isinstance(given, list) else given == now

class Steps:
    """The steps of a log against its script: which, in which order, and whose approval came before each did anything."""
    def __init__(self):
        self.plan, self.requests, self.newest, self.absent = None, {}, {}, {}  # absent: by person, the entry of their departure
        self.now = self.approval = None                       # the step under way; the request of its section that counts for it
        self.interrupted = self.recovered = False             # the program went on after a crash
        self.begun, self.over, self.failed = [], set(), set()  # ids
        self.approved, self.own, self.roster = {}, {}, None    # by id: what was approved at which attempt, and the last request of its own
        self.first, self.attempts, self.signing, self.signed = {}, collections.Counter(), {}, set()  # by id: entry of the first begin; by call
        self.asked = {}  # by id: its own requests
        self.pairs = {}  # by id: key pairs that came out of its calls, each [token, SHA-256 of the public key or "", whether it was read back]
        self.calls, self.open = {}, {}  # by id: calls of the step, each [function, token, CKA_ID, attempt, whether it may have succeeded]; by call
        self.ended, self.quorum, self.rehearsal = 0, "", False

    def enough(self, request):
        return not request.ended and len({k.name for k in request.by}) >= request.m and request.met(request.by)

    def step(self, e, countable):
        name, phase, x = e["id"], e["phase"], self.plan and self.plan.get(e["id"])
        need(phase in ("begin", "end", "skipped", "failed"), "phase")
        need(self.plan is None or x and x.do == e["do"], "step of the script")
        need(self.now == name if phase in ("end", "failed") else self.now is None or self.interrupted, "step")
        if x and phase in ("begin", "skipped"):
            order, last = list(self.plan), self.begun[-1] if self.begun else None
            after = order.index(last) + 1 if last else 0
            need(name not in self.over and (name == last or order.index(name) == after and (not last or last in self.over | self.failed)), "order")
            need(phase == "begin" or x.skippable, "skipped")
        if phase == "begin":
            self.recovered = False
            self.quorum = e["quorum"] if isinstance(e.get("quorum"), str) else ""
            self.kind = str(x.do if x else e.get("do"))
            need(not x or self.quorum == x.quorum, "quorum of the step")
            need(not x or holds(x.given, e["parameters"]), "parameters of the step")
            self.newest.pop(name, None)  # an approval serves one attempt
            self.first.setdefault(name, e["seq"])
            self.attempts[name] += 1
            self.approval = self.section_approval(e, x) if "approval" in e and countable else None
        if phase == "end" and self.quorum and countable:
            request = self.governing(name)
            met = request and request.quorum == self.quorum and self.enough(request)
            if met: self.approve(request)
            need(met or name in self.approved and name not in self.newest, "approval of the step")  # one that asks needs the answer
        if phase == "end" and x and x.do in ("custodian.appoint", "custodian.retire") and name in self.own: self.roster = self.own[name].roster or self.roster
        if phase in ("begin", "skipped"): self.begun.append(name)
        (self.failed.discard if phase == "begin" else self.failed.add if phase == "failed" else self.over.add)(name)
        self.now, self.interrupted, self.ended = name if phase == "begin" else None, False, self.ended + (phase == "end")

    def section_approval(self, e, x):
        need(type(e["approval"]) is int, "approval")
        request = self.requests[e["approval"]]
        need(e["id"] in request.steps and e["id"] not in self.begun and self.newest[request.step] == e["approval"], "approval")
        need(not x or x.quorum == x.section_quorum != "" and request.step == x.section, "approval of the section")
        return request

    def governing(self, name): return self.requests[self.newest[name]] if name in self.newest else self.approval

    def intent(self, e, countable, book):
        if self.now is None:
            need(self.recovered and e["fn"] == "C_DestroyObject" and not book.holds(e["token"], object_id(e)), "call outside the steps")
            return
        call = [e["fn"], e["token"], object_id(e), self.attempts[self.now], True]
        self.open[e["call"]] = call, e
        if not str(e.get("object", "")).startswith("public key"):
            self.calls.setdefault(self.now, []).append(call)
            if self.kind == "key.destroy" and e["fn"] == "C_DestroyObject": book.going.add((e["token"], object_id(e)))
        request = self.governing(self.now)
        need(request or not self.quorum or not countable, "quorum never asked")
        need(not request or self.quorum in ("", request.quorum) and self.enough(request), "quorum of the step")
        if request: self.approve(request)
        if e["fn"] == "C_Sign":
            made = e.get("input_sha256") if isinstance(e.get("input_sha256"), str) else ""
            asked = "sha256" if self.kind == "payload.sign" else "tbs_sha256"
            need(request or self.rehearsal or not countable or not SIGNS.match(self.kind), "signed, and nobody was asked")
            need(not request or not SIGNS.match(self.kind) or made == request.subject.get(asked), "signed, and not what this attempt was asked for")
            if PROVES.match(self.kind): is_proof(e, made, self.kind, request.subject if request else {})
            self.signing[e["call"]] = self.now, self.attempts[self.now], made

    def made(self, name, function, token, own=""):
        """Whether the step made such a call, which succeeded, was cut off, or was of an earlier attempt; None when it made none."""
        mine = [call for call in self.calls.get(name, ()) if call[:2] == [function, token] and (not own or call[2] in ("", own))]
        return any(call[4] or call[3] < self.attempts[name] for call in mine) if mine else None

    def is_approved(self, name, effect, *fields):
        """Whether an effect is of one of the copies that were approved, where a request of the step lists any."""
        asked = [r.subject for r in self.asked.get(name, ()) if self.enough(r) and isinstance(r.subject.get("copies"), list)]
        copies = [{**subject, **copy} for subject in asked for copy in subject["copies"] if isinstance(copy, dict)]
        return not copies or any(all(copy.get(f, effect.get(f)) == effect.get(f) for f in fields) for copy in copies)

    def done(self, e):
        call, intent = self.open.pop(e["call"], ([0] * 5, {}))
        call[4] = e.get("rv") == "CKR_OK"
        need(all(e[n] == intent[n] for n in ("mechanism", "template") if n in e and n in intent), "done of another call")
        if call[0] == "C_GenerateKeyPair" and call[4]:
            spki = strict64(e["spki"]) if isinstance(e.get("spki"), str) else b""
            self.pairs.setdefault(self.now, []).append([call[1], spki and sha(spki).hex(), not spki or is_shown(spki, e.get("attributes"))])
        signed = self.signing.pop(e["call"], None)
        if signed and e.get("rv") == "CKR_OK": self.signed.add(signed)

    def approve(self, request):
        self.approved.setdefault(self.now, set()).add((request.tbs, self.attempts[self.now]))
        if request.step == self.now: self.own[self.now] = request

    def signable(self, name, partly):
        """Digests of what the step may have signed: approved at its last attempt, or at one that has signed it."""
        last = self.attempts[name]
        return {tbs for tbs, attempt in self.approved.get(name, ())
                if partly or attempt == last or {(name, attempt, tbs), (name, attempt, "")} & self.signed}

    def close(self, e):
        need(self.now is None or self.interrupted, "step without end")
        excused = self.failed
        if isinstance(e.get("called_off"), dict):  # who calls a ceremony off names what was not done
            excused = {x["step"] for x in e["open_items"] if isinstance(x, dict) and isinstance(x.get("step"), str)}
        need(not self.plan or set(self.plan) <= self.over | excused, "step of the script left out")

class Keys:
    """Keys and their copies, by what the ends of steps say of them."""
    def __init__(self):
        self.copies, self.names, self.gone, self.certificates = {}, {}, set(), Certificates()
        self.objects, self.going, self.whole = {}, set(), False  # objects: key by token and CKA_ID; going: what a key.destroy was to destroy

    def holds(self, token, own):
        return bool(own) and token in self.copies.get(self.objects.get((token, own)), ())

    def called(self, x, steps, name):
        """A copy came or went by a call of the step, or went by one of an earlier step."""
        token, own, vendor = str(x.get("token", "")), str(x.get("object_id", "")), str(x.get("way", "")).startswith("vendor")
        if x.get("effect") in ("key-created", "transport-key-created") and token:
            made = [pair for pair in steps.pairs.get(name, ()) if pair[0] == token and pair[1] in (b"", x.get("spki_sha256"))]
            need(made, "key that no call has made")
            need(made[-1][2], "key that its token shows otherwise")
        if x.get("effect") == "key-cloned":
            need(steps.is_approved(name, x, "token", "serial"), "another copy than its quorum approved")
            need(vendor or steps.made(name, "C_UnwrapKey", token), "copy that no call has made")
        if x.get("effect") == "copy-destroyed" and x.get("method") == "C_DestroyObject":
            made, was = steps.made(name, "C_DestroyObject", token, own), (token, own) in self.going
            need(made is None or steps.is_approved(name, x, "key", "token", "serial", "object_id"), "another copy than its quorum approved")
            need(made or made is None and (was or not self.whole and x.get("key") not in self.copies), "copy that no call has destroyed")
            self.going.discard((token, own))
        if x.get("effect") == "token-commissioned": need(steps.made(name, "C_InitToken", token) is not False, "C_InitToken has failed")

    def take(self, e):
        for x in e["effects"] if isinstance(e.get("effects"), list) else []:
            if not isinstance(x, dict): continue
            what, name, token, issuer, source, spki, wraps = (x.get(n) if isinstance(x.get(n), str) else "" for n in ("effect", "key", "token", "issuer_key", "source", "spki_sha256", "transport_key"))
            need(name not in self.gone or what not in ("key-cloned", "key-exported", "key-sealed", "key-deactivated", "request-created"), "key is gone")
            need(issuer not in self.gone or what not in ("certificate-issued", "crl-issued"), "key is gone")
            if what in ("key-created", "transport-key-created"):
                need(name not in self.copies and spki not in self.names, "key made twice")
                self.copies[name], self.names[spki] = {token}, name
                self.objects[token, str(x.get("object_id", ""))] = name
            elif what == "token-retired":
                for copies in self.copies.values(): copies.discard(token)
            if what == "key-destroyed":  # what was wrapped for it opens for nobody any more
                for copies in self.copies.values(): copies.discard("file for " + name)
            if name not in self.copies: continue
            elif what in ("key-cloned", "key-exported"):
                need(source in self.copies[name], "copy of nothing"), self.objects.update({(token, str(x.get("object_id", ""))): name}), self.copies[name].add(token if what == "key-cloned" else "file for " + wraps)
            elif what == "copy-destroyed": need(token in self.copies[name], "copy that is not there"), self.copies[name].discard(token)
            elif what == "key-destroyed": need(not self.copies[name], "copy that is left"), self.gone.add(name)

def possession(e, origin, estate):  # who is appointed signs with the key that will be theirs
    if e.get("shown") is False: return need(e["mode"] == "rehearsal", "possession not shown") or {}
    need(e["shown"] is True and re.fullmatch(re.escape(f"{origin}/possession\n{e['person']}\n") + "[^\n]+\n", e["text"]), "possession")
    line, k = sigline(e["signature"]), key(estate + "/" + e["person"], strict64(e["sign_key"]))
    need(line[:2] == k[:2] and signed(k.spki, e["text"].encode(), line[2]), "possession")
    return {e["person"]: e["sign_key"]}

def appointed(x, shown, asked):  # the key that was approved, the one that was shown and the one that will count are one
    if not isinstance(x, dict) or x.get("effect") != "person-appointed" or not isinstance(x.get("sign_key"), str): return
    need(shown.get(x.get("person"), x["sign_key"]) == x["sign_key"], "appointed with a key that was not shown")
    need(asked in (None, sha(strict64(x["sign_key"])).hex()), "appointed with a key that was not approved")

def is_evidence(e, log_key):  # the log key is gone, and the evidence is of no other key or call
    need(e.get("absent", True) is True and e.get("rv", "CKR_OK") == "CKR_OK", "evidence")
    need(all(x["rv"] == "CKR_OK" for x in e.get("objects", [])), "evidence")
    need(log_key is None or e.get("spki_sha256", "") in ("", sha(log_key.spki).hex()), "evidence of another key")

def named_by(value):
    """The checkpoint that an object of an entry names, its root in hex; None when it names none."""
    origin, size, root = (value.get(n) if isinstance(value, dict) else None for n in ("origin", "size", "root"))
    if not isinstance(origin, str) or type(size) is not int or size < 0 or not isinstance(root, str): return None
    try: root = root if SHA.fullmatch(root) else strict64(root).hex()
    except ValueError: return None
    return {"origin": origin, "size": size, "root": root} if len(root) == 64 else None

def verify(folder, trust=None, kept=None, book=None, facts=None):  # book: Keys of the records before; facts: filled for an archive
    verdicts, facts, book = {"COMPLETE"}, {} if facts is None else facts, book or Keys()
    less = lambda condition, verdict="INCOMPLETE": condition or verdicts.add(verdict)
    def read(name):
        path = os.path.join(folder, name)
        for part in [os.path.join(folder, *name.split("/")[:i + 1]) for i in range(name.count("/") + 1)]: need(not os.path.islink(part), "link")
        return load(path) if os.path.lexists(path) else None
    # Whose signatures count.
    keys, met, m, estate, quorum, text = [], None, 0, None, None, read("policy.txt")
    if text is not None: keys, met, m, shape = policy(text)
    less(text is not None)
    if trust:
        estate, quorum = trusted(trust)
        pinned, same, k = quorum("custodians")
        need(text is None or set(pinned) == set(keys) and m == k and set(shape[0]) == set(shape[1]), "policy is not the roster's")
        keys, met, m = pinned, same, k
    less(trust, "UNPINNED")
    # The log: hash first, check after.
    lines, leaves, torn, hidden = log(folder)
    unseen = sorted(hidden)
    def withheld_between(first, last): return bisect.bisect(unseen, first) < bisect.bisect(unseen, last)
    need(len(torn) <= 65535, "line")
    entries = [{"type": "withheld"} if i in hidden else canonical(line) for i, line in enumerate(lines)]
    less(not torn and entries)
    roots, calls, files, cosigned, steps, elsewhere, peaks, asked_for, shown = {}, {}, {}, set(), Steps(), set(), [], {}, {}
    last_request = None
    origin = log_key = closed = first = last_call = after = None
    good, wrong = 0, []
    for i, e in enumerate(entries):
        kind = e["type"]
        if kind != "withheld": common(i, e, entries[0]["mode"])
        if kind == "open":
            origin, log_key, own = e["origin"], key(e["origin"], strict64(e["log_key"])), e["origin"].rsplit("/", 2)
            need(own[1] == e["ceremony"] and re.fullmatch("[0-9a-f]{32}", own[2]) and estate in (None, own[0]) and len(log_key.spki) == 91, "origin")
            need(all(re.fullmatch(NAME, f) and SHA.fullmatch(d) for f, d in e["inputs"].items()), "inputs")
            files.update({"inputs/" + f: (d, None) for f, d in e["inputs"].items()})
            before = e["previous"] and named_by(e["previous"])
            need(e["previous"] is None or before and before["origin"] != origin, "previous")
            logs = re.findall(rb"(?m)^[ \t]*log[ \t]+([^ \t\n]+)", text or b"")
            own_log = f"{origin}+{log_key.id.hex()}+{base64.b64encode(bytes([2]) + log_key.spki).decode()}"
            need(not logs or own_log.encode() in logs, "log of the policy")
            facts.update(origin=origin, ceremony=own[1], previous=before, left_behind=named_by(e.get("left_behind")), last=None)
            book.whole = book.whole or before is None
            steps.rehearsal = e["mode"] == "rehearsal"
            bound = {environment_of(read("inputs/" + f)) for f in e["inputs"]} - {None, ""}
            need(steps.rehearsal or "rehearsal" not in bound, "binding of a rehearsal")
            need(e.get("environment", "") == "" or bound <= {e["environment"]}, "binding of another environment")
            scripts = [x for x in (script(read("inputs/" + f)) for f in e["inputs"]) if x]
            if len(scripts) == 1: steps.plan = scripts[0][3]
            less(len(scripts) == 1)
            need(not steps.plan or scripts[0][:2] == (own[1], own[0]), "script of another ceremony")
        elif kind == "step":
            steps.step(e, keys)
            if e["phase"] == "end":
                partly = withheld_between(steps.first.get(e["id"], 0), i)
                asked = steps.own.get(e["id"])
                for x in e["effects"] if isinstance(e.get("effects"), list) else []:
                    if not partly and isinstance(x, dict) and KINDS.match(steps.kind): book.called(x, steps, e["id"])
                    appointed(x, shown, asked and asked.subject.get("sign_key_sha256"))
                book.take(e)
                its = Files({n: digest for n, (digest, _) in files.items()}, read, partly)
                book.certificates.take(e.get("effects"), its, steps.signable(e["id"], partly) if steps.quorum and keys else None)
        elif kind == "observe" and e.get("what") == "key-possession": shown.update(possession(e, origin, own[0]))
        elif kind == "observe" and e.get("what") in ("share-asked-elsewhere", "share-handed-over"):
            asking = tuple(e.get(n) if isinstance(e.get(n), str) else "" for n in ("token", "set", "person", "request"))
            need(e["what"] == "share-asked-elsewhere" or asking in elsewhere or hidden and min(hidden) < i, "a share that nobody asked for")
            elsewhere.add(asking)
        elif kind == "recover":
            steps.interrupted, steps.recovered, calls = steps.now is not None, True, {call: v[:2] + (True,) for call, v in calls.items()}
        elif kind == "intent":
            need(isinstance(e["fn"], str) and isinstance(e["token"], str), "fn, token")
            need(type(e["call"]) is int and e["call"] >= 0 and (last_call is None or e["call"] > last_call), "call")
            last_call, calls[e["call"]] = e["call"], (e["fn"], e["token"], False)
            steps.intent(e, keys, book)
        elif kind == "done":
            need(calls.pop(e["call"])[:2] == (e["fn"], e["token"]), "call")
            steps.done(e)
        elif kind == "request":
            need(sha(canon(e["subject"])).hex() == e["subject_sha256"], "subject")
            k, named, ask = e["quorum"]["m"], e["quorum"]["name"], (keys, met, m)
            if trust: ask = quorum(named)
            elif named != "custodians": ask = (keys, lambda by: True, k)
            need(type(k) is int and type(e["quorum"].get("n", k)) is int, "quorum")
            need(k >= 1 and (k >= ask[2] or not keys), "request")
            approved = e["subject"].get("script_sha256") if e["step"] == "opening" and steps.plan else None
            need(e["step"] != "opening" or all(e["subject"].get(n, entries[0].get(n)) == entries[0].get(n) for n in ("origin", "ceremony", "mode", "environment", "log_key")), "opening of another record")
            need(approved is None or approved == scripts[0][2], "opening for another script")
            done = steps.plan and steps.plan.get(e["step"])
            need(not done or done.do != "custodian.retire" or e.get("without", "") == e["subject"].get("person", ""), "own retirement")
            last_request = i
            if keys: steps.requests[i], steps.newest[e["step"]] = Request(e["step"], e.get("steps", []), named, k, *ask[:2], set(), [], e["subject"].get("tbs_sha256"), e["subject"].get("roster_sha256"), e["subject"]), i
            if keys and e["step"] == steps.now: steps.asked.setdefault(steps.now, []).append(steps.requests[i])
        elif kind in ("attend", "depart"):
            need(isinstance(e["person"], str), "person")
            if kind == "depart": steps.absent[e["person"]] = i
            else: steps.absent.pop(e["person"], None)
        elif kind == "refusal":
            need(type(e.get("request", 0)) is int and e.get("request", 0) >= 0, "request")
            if e.get("request") in steps.requests: steps.requests[e["request"]].ended.append(i)
        elif kind == "cosign" and keys:
            asked, name = steps.requests[e["request"]], own[0] + "/" + e["person"]
            need(asked_for.get(e["size"]) == e["request"], "cosign")
            line = sigline(e["line"])
            need(line[0] == name and entries[e["request"]].get("without") != e["person"], "person")
            by = signers(f"{origin}\n{e['size']}\n{base64.b64encode(roots[e['size']]).decode()}\n", [line], asked.keys)
            gone = steps.absent.get(e["person"])
            if asked.ended or gone is not None and not withheld_between(gone, i): by = set()  # neither counts
            asked.by.update(by)
            if e["size"] == first:
                need(last_call is None or met(cosigned), "opened after the first call")
                cosigned |= by & set(keys)
        elif kind == "artefact":
            need(re.fullmatch(PATH, e["name"]) and SHA.fullmatch(e["sha256"]) and type(e["size"]) is int and e["size"] >= 0, "artefact")
            need("artefacts/" + e["name"] not in files, "artefact twice")
            files["artefacts/" + e["name"]] = (e["sha256"], e["size"])
        elif kind == "checkpoint":
            size, root, by = checkpoint(e["note"].encode(), origin, log_key, keys)
            need(size == i, "size of a checkpoint")
            roots[i], asked_for[i], last_request = root, last_request, None
            if first is None: first, cosigned = i, by
            if root == top(peaks): good = i
            else: wrong.append(i)
        elif kind == "close":
            steps.close(e)
            need(closed is None and e["steps"] == steps.ended and all(v[2] for v in calls.values()), "close")
            closed = i
        if closed is not None and i > closed and after is None and not (i == closed + 1 == good): after = i
        grow(peaks, i, leaves[i])
    book.certificates.close()
    if closed is not None: need(entries[closed]["entries"] in [closed + 1] + [closed + 2] * (good == closed + 1), "count of entries")
    less(first is None or not keys or met(cosigned))
    # The checkpoints that came as files, and how far signatures carry.
    text, held, final = read("checkpoint"), [], None
    if text is not None and log_key: held.append(checkpoint(text, origin, log_key, keys))
    if kept and log_key: held.append(checkpoint(load(kept), origin, log_key, keys)[:2] + (None,))
    reach = good
    for size, root, by in held:
        if size > len(entries): less(False)
        elif root == tree(leaves[:size]): reach = max(reach, size)
        else: wrong.append(size)
    facts["head"] = {"origin": origin, "size": len(entries), "root": top(peaks).hex()}
    if reach: facts["last"] = {"origin": origin, "size": reach, "root": tree(leaves[:reach]).hex()}
    if len({h[:2] for h in held}) > len({h[0] for h in held}): less(False, "FORK")
    for size in wrong: need(size <= reach and reach, "root"), less(False, "FORK")
    less(reach == len(entries) or reach == good == len(entries) - 1)
    need(after is None or after >= reach, "entry after close")
    if text is not None and log_key: final = held[0]; less(not keys or met(final[2]))
    whole = closed is not None and final and final[0] == closed + 1 and final[1] == tree(leaves[:closed + 1]) and after is None and not torn
    less(closed is not None and final and final[0] == closed + 1)
    # Every file.
    there, withheld = files_of(folder), ledger(folder, origin, hidden)
    for name in there:
        if name.startswith("torn-"): need(name == "torn-" + sha(read(name)).hex(), "torn bytes")
    handed = read("artefacts/roster.json")
    if handed is not None and sha(handed).hex() == steps.roster: facts["roster"] = handed
    less(openings(folder, lines, closed is not None))
    for name, (digest, size) in files.items():
        if name in withheld: continue
        if name in there: need(sha(read(name)).hex() == digest and size in (None, len(read(name))), "digest")
        else: need(closed is None, "missing file"), less(False)
    less("addendum.note" in there)
    if "addendum.note" in there:
        text, sigs = note(read("addendum.note"))
        if keys: less(met(signers(text, sigs, keys)))
        title, evidence, *sums = text[:-1].split("\n")
        need(title == f"{origin}/addendum", "addendum")
        is_evidence(canonical(evidence.encode()), log_key)
        sums = [(line[66:], line[:64]) for line in sums if need(SHA.fullmatch(line[:64]) and line[64:66] == "  " and re.fullmatch(PATH, line[66:]), "line of sha256sum") is None]
        need([n for n, _ in sums] == sorted({n for n, _ in sums}), "order")
        need({n for n, _ in sums} == there - BESIDE | withheld, "files")
        need(all(sha(read(n)).hex() == d for n, d in sums if n not in withheld and (n != "log.jsonl" or whole and not hidden)), "digest")
    return max(verdicts, key=[*EXITS].index)

def verdict(folder, trust=None, kept=None, book=None, facts=None): return judged(verify, folder, trust, kept, book, facts)

if __name__ == "__main__":
    if len(sys.argv) not in (2, 3, 4, 6): sys.exit(print(__doc__) or 2)
    options = {"--roster": sys.argv[2]} if len(sys.argv) == 3 else dict(zip(sys.argv[2::2], sys.argv[3::2]))
    if not options.keys() <= {"--roster", "--checkpoint"}: sys.exit(print(__doc__) or 2)
    leave(verdict, sys.argv[1], options.get("--roster"), options.get("--checkpoint"))
