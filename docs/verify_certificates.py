"""What certificates, CRLs, requests and certificates of destruction prove, for verify_rules.py: each is the file that its step names,
is of the key that it says, was signed by its issuer, is byte for byte what the quorum approved, and says what the steps did. With a
small reader of DER, and openssl. What profile, script and lint ask of them, keyceremony-verify holds alone (record-format.md, 7)."""
import base64, collections, json, re, ssl

from verify_bytes import b64, need, sha
from verify_machine import openssl as run_openssl

BASIC_CONSTRAINTS, CRL_NUMBER = bytes.fromhex("0603551d13"), bytes.fromhex("0603551d14")

def inside(content):
    """The values that stand in a row there: tag, content and the whole of each."""
    found, at = [], 0
    while at < len(content):
        length, begin = content[at + 1], at + 2
        if length >= 128:
            count, begin = length - 128, begin + length - 128
            length = int.from_bytes(content[begin - count:begin], "big")
            need(1 <= count <= 4 and length >= max(128, 1 << 8 * (count - 1)), "length of a DER value")
        need(begin + length <= len(content), "DER value cut short")
        found.append((content[at], content[begin:begin + length], content[at:begin + length]))
        at = begin + length
    return found
def members(der): return inside(need(len(inside(der)) == 1, "one DER value") or inside(der)[0][1])
def extension(fields, tag, oid):
    """The value of the extension of that OID, b"" without it."""
    every = [members(each) for field in fields if field[0] == tag for _, _, each in members(field[1])]
    return next((parts[-1][1] for parts in every if parts[0][2] == oid), b"")
def moment(field):  # UTCTime or GeneralizedTime, as a record writes it
    text = ("" if field[0] == 0x18 else "20" if field[1] < b"50" else "19") + field[1].decode()
    return re.sub("(....)(..)(..)(..)(..)(..)Z", r"\1-\2-\3T\4:\5:\6Z", text)
def is_time(field): return field[0] in (0x17, 0x18)

class Certificate:
    def __init__(self, der):
        self.der, self.tbs = der, members(der)[0][2]
        fields = [field for field in members(self.tbs) if field[0] != 0xa0]  # but the version
        self.serial, self.issuer, self.subject, self.spki = fields[0][1], fields[2][2], fields[4][2], fields[5][2]
        self.begin, self.end = map(moment, members(fields[3][2]))
        self.ca = extension(fields, 0xa3, BASIC_CONSTRAINTS)[2:5] == b"\x01\x01\xff"

class Crl:
    def __init__(self, der):
        self.der, self.tbs = der, members(der)[0][2]
        fields = [field for field in members(self.tbs) if field[0] != 0x02]  # but the version
        self.issuer, self.times = fields[1][2], [moment(field) for field in fields if is_time(field)]
        lists = [field for field in fields[2:] if field[0] == 0x30]
        self.revoked = {members(each)[0][1] for each in (row[2] for row in (members(lists[0][2]) if lists else []))}
        self.number = int.from_bytes(extension(fields, 0xa0, CRL_NUMBER)[2:], "big")

class Request:
    def __init__(self, der):
        self.der, self.tbs = der, members(der)[0][2]
        self.subject, self.spki = (field[2] for field in members(self.tbs)[1:3])

def openssl(command, **files):
    """Whether openssl says OK of DER files."""
    pem = {name: ssl.DER_cert_to_PEM_cert(files[name]).encode() for name in ("issuer", "certificate") if name in files}
    ran = run_openssl(command, **{**files, **pem})
    return ran.returncode == 0 and b"OK" in ran.stdout + ran.stderr

class Files:
    """The files of a record by the digests that its entries give; `partly`: some were withheld."""
    def __init__(self, digests, read, partly): self.digests, self.read, self.partly = digests, read, partly
    def made(self, effect, kind, digest="sha256"):
        """What an effect says is in its file; None when nobody can say."""
        path = "artefacts/" + effect["artefact"]
        if path not in self.digests: return need(self.partly, f"{path}, which no entry names") and None
        need(self.digests[path] == effect[digest], f"{path} is another file than its step says")
        der, pem = self.read(path), self.read(path.rsplit(".", 1)[0] + ".pem") if kind is Certificate else None
        if der is None or sha(der).hex() != self.digests[path]: return None  # others look for that
        need(kind is Crl or len(der) <= 65536, f"size of {path}")
        need(pem is None or ssl.PEM_cert_to_DER_cert(pem.decode()) == der, f"{path} and its PEM form")
        return kind(der)

class Destruction:
    def __init__(self, told):
        told = json.loads(told)
        self.key, copies = told["key"], [copy for copy in told["copies"] if not copy["method"].startswith("earlier: ")]
        self.copies = sorted(gone(copy, told["key"]["name"]) for copy in copies)
def gone(copy, key): return key, *(copy[name] for name in ("token", "serial", "object_id", "method"))

PROOF = re.compile(rb"keyceremony proof of copy\nkey ([0-9a-f]{64})\ntoken ([^\n]*)\nnonce [0-9a-f]{32}\n")
SURVIVAL = re.compile(rb"keyceremony survival of a key\n([^\n]*\n){4}")

def value(tag, *parts):
    content = b"".join(parts)
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag]) + (size or b"\0" if len(content) < 128 else bytes([128 + len(size)]) + size) + content

def is_proof(call, digest, kind, subject):
    """What is made after its approval stands in the call that signs it, and says itself what it is, of which key and token."""
    made = b64(call["input"])
    need(sha(made).hex() == digest, "signed, and not the input of the call")
    if kind == "firmware.record": return need(SURVIVAL.fullmatch(made), "signed, and no statement on the survival of a key")
    said, form = PROOF.fullmatch(made), "statement"
    if not said:  # a request around that text: everything of it but the key is known, and of the key the digest
        said, form = need(inside(made)[0][0] == 0x30, "request") or PROOF.fullmatch(made, max(made.rfind(b"keyceremony proof of copy"), 0)), "certification-request"
        need(said, "signed, and no proof of copy")
        name = lambda oid, text: value(0x31, value(0x30, bytes.fromhex(oid), value(0x0c, text)))
        spki = members(made)[2][2]
        need(sha(spki).hex().encode() == said[1], "proof of another key")
        need(made == value(0x30, bytes([2, 1, 0]), value(0x30, name("0603550403", b"keyceremony proof of copy"), name("0603550405", said[2])), spki,
                           value(0xa0, value(0x30, bytes.fromhex("06092a864886f70d010902"), value(0x31, value(0x0c, said[0]))))), "signed, and no proof of copy")
    for told, name, own in ((call, "serial", said[2].decode()), (subject, "spki_sha256", said[1].decode()), (subject, "proof", form)):
        need(not isinstance(told.get(name), str) or told[name] == own, f"proof of another {name}")

def is_shown(spki, attributes):
    """Whether the numbers that a token shows of a public key are those of that key; a point stands in an OCTET STRING, or bare."""
    bits, shown = members(spki)[1][1][1:], attributes if isinstance(attributes, dict) else {}
    number = lambda name: bytes.fromhex(shown[name]) if re.fullmatch("([0-9a-f]{2})+", str(shown.get(name))) else b""
    point, *numbers = number("public.CKA_EC_POINT"), *(number("public." + name).lstrip(b"\0") for name in ("CKA_MODULUS", "CKA_PUBLIC_EXPONENT"))
    own = [content.lstrip(b"\0") for _, content, *_ in members(bits)] if any(numbers) else numbers
    return point in (b"", bits, value(4, bits)) and all(each in (b"", mine) for each, mine in zip(numbers, own))

def text(der): return base64.b64encode(der).decode()
def says(effect, **facts):
    for name, fact in facts.items(): need(effect.get(name, fact) == fact, f"{name} of {effect['artefact']}")
def is_approved(made, approved):
    need(approved is None or sha(made.tbs).hex() in approved, "signed, and not what the quorum approved")

class Certificates:
    """The keys, certificates and lists of an archive so far."""
    def __init__(self):
        self.keys, self.ca_names, self.certificates, self.serials = {}, {}, {}, set()
        self.numbers, self.dead, self.announced, self.gone = {}, set(), [], set()

    def take(self, effects, files, approved):
        """`files`: Files; `approved`: digests that the step's quorum approved, None where none is needed."""
        acts = {"key-created": self.key, "key-imported": self.key, "request-created": self.request, "crl-issued": self.crl,
                "certificate-issued": self.certificate, "certificate-revoked": self.revocation, "key-destroyed": self.destroyed,
                "copy-destroyed": lambda effect, *_: self.gone.add(gone(effect, effect["key"]))}
        for effect in effects if isinstance(effects, list) else []:
            act = acts.get(effect.get("effect")) if isinstance(effect, dict) else None
            if act: act(collections.defaultdict(str, effect), files, approved)  # what is missing is empty

    def key(self, effect, files, _):
        name, spki = effect["key"], effect["spki_sha256"]
        self.keys[name] = spki
        need(files.digests.get(f"artefacts/keys/{name}.spki.der", spki) == spki, f"the file of key {name}")
        if effect["effect"] == "key-imported" and (made := files.made(effect, Request, "request_sha256")):
            need(openssl("req -verify -noout -inform DER -in request", request=made.der), f"signature of the request for {name}")
            says(effect, subject_der=text(made.subject), spki_sha256=sha(made.spki).hex())

    def is_of(self, name, spki):
        own = sha(spki).hex()
        need(self.keys[name] == own if name in self.keys else own not in self.keys.values(), f"not of key {name}")

    def request(self, effect, files, approved):
        if not (made := files.made(effect, Request)): return
        self.is_of(effect["key"], made.spki)
        says(effect, subject_der=text(made.subject))
        need(openssl("req -verify -noout -inform DER -in request", request=made.der), f"signature of {effect['request']}")
        is_approved(made, approved)

    def certificate(self, effect, files, approved):
        if not (made := files.made(effect, Certificate)): return
        name, key, above = effect["certificate"], effect["key"], effect.get("issuer_certificate", "")
        is_approved(made, approved)
        self.is_of(key, made.spki)
        need(not made.ca or self.ca_names.setdefault(key, made.subject) == made.subject, f"key {key} is a CA of two names")
        says(effect, subject_der=text(made.subject), spki_sha256=sha(made.spki).hex(), serial=made.serial.hex(), not_before=made.begin,
             not_after=made.end, ca=made.ca)
        issuer, signer = (made, key) if above in ("", name) else self.certificates.get(above, (None, None))
        self.certificates[name] = made, key
        if issuer is None: return  # of an earlier record
        need(effect["issuer_key"] == signer and above not in self.dead, f"issuer of {name}")
        need(openssl("verify -no_check_time -ignore_critical -partial_chain -check_ss_sig -trusted issuer certificate", issuer=issuer.der,
                     certificate=made.der), f"signature of {name}")
        need(issuer.begin <= made.begin and made.end <= issuer.end, f"validity of {name} beside that of its issuer")
        need((issuer.subject, made.serial) not in self.serials, f"serial number of {name}, used before")
        self.serials.add((issuer.subject, made.serial))

    def revocation(self, effect, files, approved):
        self.dead.add(effect["certificate"])
        self.announced.append((effect["crl"], effect["certificate"]))

    def crl(self, effect, files, approved):
        made, now = files.made(effect, Crl), [each for crl, each in self.announced if crl == effect["crl"]]
        self.announced = [each for each in self.announced if each[0] != effect["crl"]]
        if not made: return
        name, (issuer, signer) = effect["crl"], self.certificates.get(effect["issuer_certificate"], (None, None))
        is_approved(made, approved)
        says(effect, issuer_der=text(made.issuer), number=made.number, revoked=len(made.revoked), this_update=made.times[0],
             next_update=made.times[-1])
        if issuer is None: return  # of an earlier record
        need(effect["issuer_key"] == signer and made.issuer == issuer.subject, f"issuer of {name}")
        need(openssl("crl -noout -inform DER -in crl -CAfile issuer", issuer=issuer.der, crl=made.der), f"signature of {name}")
        need(made.number > self.numbers.get(made.issuer, -1), f"number of {name}")
        self.numbers[made.issuer] = made.number
        known = [self.certificates[each][0] for each in now if each in self.certificates]
        need(all(each.issuer == made.issuer for each in known), f"{name} revokes what another CA has issued")
        need({each.serial for each in known} <= made.revoked, f"{name} is without what it revokes")

    def destroyed(self, effect, files, _):
        if "artefact" not in effect or not (made := files.made(effect, Destruction)): return
        name, spki = effect["key"], effect["spki_sha256"]
        need((made.key["name"], made.key["spki_sha256"], self.keys.get(name, spki)) == (name, spki, spki), f"key {name} destroyed is another")
        need(made.copies == sorted(copy for copy in self.gone if copy[0] == name), f"copies of {name} that were destroyed")

    def close(self):
        need(not self.announced, "revoked by a CRL that is not there")
        self.gone = set()
