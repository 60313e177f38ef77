"""Certificates that are wrong in one thing, made of one that is right: (name, DER), their signatures left as they are."""
import copy

from der import encode, tree

BOOLEAN, INTEGER, BITS, OCTETS, OID, UTF8, PRINTABLE, TELETEX, IA5, UTC, GENERALIZED, BMP, SEQUENCE, SET = (
    0x01, 0x02, 0x03, 0x04, 0x06, 0x0C, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1E, 0x30, 0x31)
TEXTS = {UTF8: "UTF8String", PRINTABLE: "PrintableString", TELETEX: "TeletexString", IA5: "IA5String", BMP: "BMPString"}
SERIAL, ALGORITHM, ISSUER, VALIDITY, SUBJECT, KEY, EXTENSIONS = range(1, 8)  # where they stand in the TBS
BASIC, USAGE, POLICIES, SUBJECT_KEY, AUTHORITY_KEY, ALTERNATIVE = (bytes.fromhex(f"551d{arc:02x}") for arc in (19, 15, 32, 14, 35, 17))
# Extensions that no shipped profile has: (name, object identifier, value).
FOREIGN = (("extKeyUsage", "551d25", "300a06082b06010505070301"), ("authorityInfoAccess", "2b06010505070101", "3012301006082b060105050730018604613a6262"),
           ("cRLDistributionPoints", "551d1f", "300c300aa008a0068604613a6262"), ("issuerAltName", "551d12", "300482026161"),
           ("nameConstraints", "551d1e", "3009a00730058203616263"), ("policyConstraints", "551d24", "3003800100"),
           ("inhibitAnyPolicy", "551d36", "020100"), ("an unknown one", "2a0304", "0500"))
ALGORITHMS = {"ecdsa-with-SHA1": "06072a8648ce3d0401", "ecdsa-with-SHA256": "06082a8648ce3d040302", "ecdsa-with-SHA384": "06082a8648ce3d040303",
              "sha1WithRSAEncryption": "06092a864886f70d0101050500", "sha256WithRSAEncryption": "06092a864886f70d01010b0500"}


def within(node):
    """The bytes of a node's content."""
    return encode(node[1]) if isinstance(node[1], list) else node[1]


class Certificate:
    """A copy to change: `tbs` and `extensions` are lists of [tag, content]."""

    def __init__(self, der):
        self.root = tree(der)
        self.tbs = self.root[0][1][0][1]
        self.extensions = self.tbs[EXTENSIONS][1][0][1]

    def extension(self, oid):
        return next((node for node in self.extensions if node[1][0][1] == oid), None)


def mutations(der):
    """Everything that is changed below, each change for itself."""
    for name, change in changes(Certificate(der)):
        certificate = Certificate(der)
        change(certificate)
        changed = encode(certificate.root)
        assert changed != der, name
        yield name, changed


def changes(model):
    for part in (serials, times, algorithms, keys, extension_lists, extension_values):
        yield from part(model)
    for place, field in ((ISSUER, "issuer"), (SUBJECT, "subject")):
        yield from names(model, place, field)


def setting(place, content):
    def change(certificate):
        certificate.tbs[place][1] = content
    return change


def serials(model):
    value = model.tbs[SERIAL][1]
    for name, octets in (("zero", b"\0"), ("negative", bytes([value[0] | 0x80]) + value[1:]), ("of 21 octets", b"\1" * 21),
                         ("with a redundant zero", b"\0" + value), ("of 17 octets", b"\1" + value), ("of 2 octets", value[:2])):
        yield f"a serial number {name}", setting(SERIAL, octets)
    for version in (0, 1):
        yield f"version {version + 1}", lambda c, v=version: c.tbs.__setitem__(0, [0xA0, [[INTEGER, bytes([v])]]])
    yield "no version", lambda c: c.tbs.pop(0)
    for tag in (0x81, 0x82):
        yield f"a unique identifier [{tag & 3}]", lambda c, t=tag: c.tbs.insert(EXTENSIONS, [t, b"\0\1"])


def times(model):
    before, after = (node[1] for node in model.tbs[VALIDITY][1])

    def year(text, by):
        digits = 4 if len(text) == 15 else 2
        return f"{(int(text[:digits]) + by) % 10 ** digits:0{digits}}".encode() + text[digits:]

    def end(change):
        return lambda c: c.tbs[VALIDITY][1].__setitem__(1, change(c.tbs[VALIDITY][1][1]))

    yield "the ends of the validity exchanged", lambda c: c.tbs[VALIDITY][1].reverse()
    yield "a year less", end(lambda node: [node[0], year(node[1], -1)])
    if not after.startswith(b"9999"):
        yield "a year more", end(lambda node: [node[0], year(node[1], 1)])
        yield "without an end", end(lambda node: [GENERALIZED, b"99991231235959Z"])
    yield "a day of another month", end(lambda node: [node[0], node[1][:-11] + (b"02" if node[1][-11:-9] != b"02" else b"03") + node[1][-9:]])
    yield "a second less", end(lambda node: [node[0], node[1][:-3] + (b"30" if node[1][-3:-1] != b"30" else b"31") + b"Z"])
    yield "an end with an offset", end(lambda node: [node[0], node[1][:-1] + b"+0000"])
    yield "an end without seconds", end(lambda node: [node[0], node[1][:-3] + b"Z"])
    yield "a beginning as GeneralizedTime", lambda c: c.tbs[VALIDITY][1].__setitem__(0, [GENERALIZED, b"20" + before])


def algorithms(model):
    inner = within(model.tbs[ALGORITHM])
    for name, oid in ALGORITHMS.items():
        other = bytes.fromhex(oid)
        if other == inner:
            continue
        yield f"{name} inside", lambda c, o=other: c.tbs.__setitem__(ALGORITHM, [SEQUENCE, o])
        yield f"{name} outside", lambda c, o=other: c.root[0][1].__setitem__(1, [SEQUENCE, o])

        def both(certificate, content=other):
            certificate.tbs[ALGORITHM] = [SEQUENCE, content]
            certificate.root[0][1][1] = [SEQUENCE, content]
        yield f"{name} inside and outside", both

    def parameters(certificate):
        """NULL where there is none, none where there is NULL."""
        content = inner[:-2] if inner.endswith(b"\5\0") else inner + b"\5\0"
        certificate.tbs[ALGORITHM] = [SEQUENCE, content]
        certificate.root[0][1][1] = [SEQUENCE, content]
    yield "the other parameters of the algorithm", parameters


def keys(model):
    def bits(change):
        return lambda c: c.tbs[KEY][1].__setitem__(1, [BITS, change(c.tbs[KEY][1][1][1])])

    yield "a key of one octet less", bits(lambda content: content[:-1])
    yield "a key of one octet more", bits(lambda content: content + b"\0")
    yield "a key with another last octet", bits(lambda content: content[:-1] + bytes([content[-1] ^ 1]))
    yield "a key with unused bits", bits(lambda content: b"\1" + content[1:])
    if within(model.tbs[KEY][1][0]).startswith(bytes.fromhex("06072a8648ce3d0201")):
        yield "a compressed key", bits(lambda content: b"\0" + bytes([2 + (content[-1] & 1)]) + content[2:2 + (len(content) - 2) // 2])
        yield "a key on secp256k1", lambda c: c.tbs[KEY][1].__setitem__(0, [SEQUENCE, bytes.fromhex("06072a8648ce3d020106052b8104000a")])
    else:
        yield "an RSA key without NULL", lambda c: c.tbs[KEY][1].__setitem__(0, [SEQUENCE, bytes.fromhex("06092a864886f70d010101")])


def extension_lists(model):
    for index, node in enumerate(model.extensions):
        name = f"extension {index}"
        yield f"{name} left out", lambda c, i=index: c.extensions.pop(i)
        yield f"{name} twice", lambda c, i=index: c.extensions.insert(i, copy.deepcopy(c.extensions[i]))
        if len(node[1]) == 3:
            yield f"{name} not critical", lambda c, i=index: c.extensions[i][1].pop(1)
            yield f"{name} critical FALSE", lambda c, i=index: c.extensions[i][1].__setitem__(1, [BOOLEAN, b"\0"])
            yield f"{name} critical TRUE as 01", lambda c, i=index: c.extensions[i][1].__setitem__(1, [BOOLEAN, b"\1"])
        else:
            yield f"{name} critical", lambda c, i=index: c.extensions[i][1].insert(1, [BOOLEAN, b"\xff"])
        yield f"{name} empty", lambda c, i=index: c.extensions[i][1].__setitem__(-1, [OCTETS, b""])
        yield f"{name} with an octet more", lambda c, i=index: c.extensions[i][1].__setitem__(-1, [OCTETS, c.extensions[i][1][-1][1] + b"\0"])
    for name, oid, value in FOREIGN:
        for critical in (False, True):
            flag = [[BOOLEAN, b"\xff"]] if critical else []
            yield f"{name} added{', critical' * critical}", lambda c, o=oid, v=value, f=flag: c.extensions.append(
                [SEQUENCE, [[OID, bytes.fromhex(o)], *f, [OCTETS, bytes.fromhex(v)]]])
    yield "no extensions", lambda c: c.tbs.pop(EXTENSIONS)
    yield "an empty list of extensions", lambda c: c.extensions.clear()


def extension_values(model):
    def value(oid, content):
        return lambda c: c.extension(oid)[1].__setitem__(-1, [OCTETS, content])

    def content_of(oid):
        node = model.extension(oid)
        return node and node[1][-1][1]

    for name, content in (("cA FALSE encoded", "3003010100"), ("cA left out", "3000"), ("cA TRUE as 01", "3003010101"), ("path length 7", "30060101ff020107"),
                          ("a path length and no cA", "3003020100"), ("a negative path length", "30060101ff0201ff"), ("a redundant path length", "30070101ff02020000"),
                          ("cA alone", "30030101ff"), ("path length 0", "30060101ff020100")):
        if content_of(BASIC) not in (None, bytes.fromhex(content)):
            yield f"basicConstraints: {name}", value(BASIC, bytes.fromhex(content))
    for bit in range(9):
        usage = content_of(USAGE)
        bits = int.from_bytes(usage[3:].ljust(2, b"\0"), "big") ^ (0x8000 >> bit)
        body = bits.to_bytes(2, "big").rstrip(b"\0")
        unused = (body[-1] & -body[-1]).bit_length() - 1 if body else 0
        yield f"keyUsage: bit {bit} the other way", value(USAGE, bytes([BITS, 1 + len(body), unused]) + body)
    yield "keyUsage: a trailing zero octet", value(USAGE, bytes([BITS, len(content_of(USAGE)) - 1, 0]) + content_of(USAGE)[3:] + b"\0")
    yield "keyUsage: a tenth bit", value(USAGE, bytes([BITS, 3, 6]) + content_of(USAGE)[3:4] + b"\x40")
    if policies := content_of(POLICIES):
        yield "certificatePolicies: another policy", value(POLICIES, policies[:-1] + bytes([policies[-1] ^ 1]))
        yield "certificatePolicies: one more", value(POLICIES, bytes([SEQUENCE, policies[1] + 6]) + policies[2:] + bytes.fromhex("300406022a03"))
        yield "certificatePolicies: the same twice", value(POLICIES, bytes([SEQUENCE, 2 * policies[1]]) + 2 * policies[2:])
        yield "certificatePolicies: anyPolicy", value(POLICIES, bytes.fromhex("300630040602551d"))
    identifier = content_of(SUBJECT_KEY)
    yield "subjectKeyIdentifier: of another key", value(SUBJECT_KEY, identifier[:-1] + bytes([identifier[-1] ^ 1]))
    yield "subjectKeyIdentifier: of 19 octets", value(SUBJECT_KEY, bytes([OCTETS, 19]) + b"\1" * 19)
    if content_of(AUTHORITY_KEY):
        authority = content_of(AUTHORITY_KEY)
        yield "authorityKeyIdentifier: of another key", value(AUTHORITY_KEY, authority[:-1] + bytes([authority[-1] ^ 1]))
        yield "authorityKeyIdentifier: without a key identifier", value(AUTHORITY_KEY, bytes.fromhex("3000"))
        yield "authorityKeyIdentifier: with a serial number alone", value(AUTHORITY_KEY, bytes.fromhex("3003820101"))
    if names_of := content_of(ALTERNATIVE):
        yield "subjectAltName: one more", value(ALTERNATIVE, bytes([SEQUENCE, names_of[1] + 4]) + names_of[2:] + bytes.fromhex("82026161"))
        yield "subjectAltName: another", value(ALTERNATIVE, bytes.fromhex("300482026161"))
        yield "subjectAltName: empty", value(ALTERNATIVE, bytes.fromhex("3000"))


def names(model, place, field):
    for index, rdn in enumerate(model.tbs[place][1]):
        attribute = rdn[1][0][1]
        tag, text = attribute[1]

        def put(content, tag=tag, index=index):
            return lambda c: c.tbs[place][1][index][1][0][1].__setitem__(1, [tag, content])

        name = f"{field} {index}"
        for other, encoding in TEXTS.items():
            if other != tag:
                yield f"{name} as {encoding}", put(text.decode("latin-1").encode("utf-16-be") if other == BMP else text, other)
        if tag in TEXTS:
            yield f"{name} with a blank at its end", put(text + b" ")
            yield f"{name} with a blank before it", put(b" " + text)
            yield f"{name} with a line feed", put(text + b"\n")
        yield f"{name} empty", put(b"")
        yield f"{name} of 65 characters", put(b"A" * 65)
        yield f"{name} left out", lambda c, i=index: c.tbs[place][1].pop(i)
        yield f"{name} twice", lambda c, i=index: c.tbs[place][1].insert(i, copy.deepcopy(c.tbs[place][1][i]))
        if index:
            yield f"{name} before the one before it", lambda c, i=index: c.tbs[place][1].insert(i - 1, c.tbs[place][1].pop(i))
            yield f"{name} in one set with the one before it", lambda c, i=index: c.tbs[place][1][i - 1][1].append(c.tbs[place][1].pop(i)[1][0])
    more = [SET, [[SEQUENCE, [[OID, bytes.fromhex("55040a")], [PRINTABLE, b"More"]]]]]
    yield f"an organisation more in the {field}", lambda c: c.tbs[place][1].append(more)
