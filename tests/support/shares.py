"""Opens share files and combines them without our programs: HPKE of RFC 9180 and Shamir over GF(2^8) from the standard
library, with openssl for one ECDH and for AES in counter mode. What this reads off an archive is what the format says."""
import base64
import hashlib
import hmac
import json
import pathlib
import subprocess

KEM_SUITE = b"KEM\x00\x10"
SUITE = b"HPKE\x00\x10\x00\x01\x00\x02"
CONTEXT = ["estate", "token", "set", "generation", "quorum", "m", "n", "holder", "holder_key", "x"]
HALVES = {"user": "user", "security-officer": "security_officer"}
# DER of a P-256 SubjectPublicKeyInfo up to the point.
SPKI_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


def extract(suite, salt, label, ikm):
    return hmac.digest(salt or b"\x00" * 32, b"HPKE-v1" + suite + label + ikm, "sha256")


def expand(suite, key, label, info, size):
    return hmac.digest(key, size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\x01", "sha256")[:size]


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=True).stdout


def aes_ctr(key, counter, data):
    return openssl("enc", "-aes-256-ctr", "-K", key.hex(), "-iv", counter.hex(), data=data)


def ghash(subkey, *parts):
    """GHASH of SP 800-38D over the padded parts and their lengths."""
    blocks = b"".join(part + b"\x00" * (-len(part) % 16) for part in parts)
    blocks += b"".join((8 * len(part)).to_bytes(8, "big") for part in parts)
    h, y = int.from_bytes(subkey, "big"), 0
    for at in range(0, len(blocks), 16):
        x, z, v = y ^ int.from_bytes(blocks[at:at + 16], "big"), 0, h
        for bit in range(127, -1, -1):
            if x >> bit & 1:
                z ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
        y = z
    return y.to_bytes(16, "big")


def gcm_open(key, nonce, aad, sealed):
    text, tag = sealed[:-16], sealed[-16:]
    first = nonce + b"\x00\x00\x00\x01"
    subkey = openssl("enc", "-aes-256-ecb", "-nopad", "-K", key.hex(), data=bytes(16))
    mask = aes_ctr(key, first, bytes(16))
    if bytes(a ^ b for a, b in zip(ghash(subkey, aad, text), mask)) != tag:
        raise ValueError("the tag does not fit")
    return aes_ctr(key, nonce + b"\x00\x00\x00\x02", text)


def gcm_seal(key, nonce, aad, text):
    sealed = aes_ctr(key, nonce + b"\x00\x00\x00\x02", text)
    subkey = openssl("enc", "-aes-256-ecb", "-nopad", "-K", key.hex(), data=bytes(16))
    mask = aes_ctr(key, nonce + b"\x00\x00\x00\x01", bytes(16))
    return sealed + bytes(a ^ b for a, b in zip(ghash(subkey, aad, sealed), mask))


def schedule(agreed, enc, recipient, info):
    """Key and nonce of RFC 9180's base mode from an agreement."""
    shared = expand(KEM_SUITE, extract(KEM_SUITE, b"", b"eae_prk", agreed), b"shared_secret", enc + recipient, 32)
    context = b"\x00" + extract(SUITE, b"", b"psk_id_hash", b"") + extract(SUITE, b"", b"info_hash", info)
    secret = extract(SUITE, shared, b"secret", b"")
    return expand(SUITE, secret, b"key", context, 32), expand(SUITE, secret, b"base_nonce", context, 12)


def hpke_seal(recipient_spki, info, aad, text, scratch):
    own, peer = pathlib.Path(scratch) / "sender.pem", pathlib.Path(scratch) / "recipient.der"
    own.write_bytes(openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))
    peer.write_bytes(recipient_spki)
    agreed = openssl("pkeyutl", "-derive", "-inkey", own, "-peerkey", peer, "-peerform", "DER")
    enc = openssl("pkey", "-in", own, "-pubout", "-outform", "DER")[-65:]
    return enc, gcm_seal(*schedule(agreed, enc, recipient_spki[-65:], info), aad, text)


def hpke_open(private_pem, enc, info, aad, sealed, scratch):
    peer = pathlib.Path(scratch) / "peer.pem"
    peer.write_bytes(b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(SPKI_HEAD + enc) + b"-----END PUBLIC KEY-----\n")
    agreed = openssl("pkeyutl", "-derive", "-inkey", private_pem, "-peerkey", peer)
    own = openssl("pkey", "-in", private_pem, "-pubout", "-outform", "DER")[-65:]
    return gcm_open(*schedule(agreed, enc, own, info), aad, sealed)


def open_salted(share, pin, private_pem, scratch):
    """Salt and share of one PIN ("user" or "security-officer") from what a share file says."""
    context = json.dumps({**{name: share[name] for name in CONTEXT}, "pin": pin}, sort_keys=True, separators=(",", ":"),
                         ensure_ascii=False).encode()
    half = share[HALVES[pin]]
    salted = hpke_open(private_pem, base64.b64decode(half["enc"]), b"keyceremony-share/1\n" + context,
                       half["commitment"].encode(), base64.b64decode(half["ciphertext"]), scratch)
    if hashlib.sha256(b"keyceremony-share-commitment/1\n" + context + b"\n" + salted).hexdigest() != half["commitment"]:
        raise ValueError("the commitment does not fit")
    return salted


def open_share(file, pin, private_pem, scratch):
    """The share of one PIN from a share file: (x, bytes)."""
    share = json.loads(pathlib.Path(file).read_text())
    return share["x"], open_salted(share, pin, private_pem, scratch)[16:]


def digest_of_request(request):
    """What both machines show of a share request: of all but the proof, whose entry holds this digest."""
    content = {name: value for name, value in request.items() if name != "record"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(b"keyceremony-share-request/1\n" + canonical.encode()).hexdigest()


def answer_request(file, private_pem, scratch):
    """Answers a share request as `custodian open-share` does."""
    request = json.loads(pathlib.Path(file).read_text())
    share = json.loads(base64.b64decode(request["share"]))
    digest = digest_of_request(request)
    answer = {"format": "keyceremony-share-answer/1", "request": digest, "holder": share["holder"]}
    for pin in request["pins"]:
        enc, sealed = hpke_seal(base64.b64decode(request["key"]),
                                f"keyceremony-share-answer/1\n{digest}\n{pin}".encode(),
                                share[HALVES[pin]]["commitment"].encode(),
                                open_salted(share, pin, private_pem, scratch), scratch)
        answer[HALVES[pin]] = {"enc": base64.b64encode(enc).decode(), "ciphertext": base64.b64encode(sealed).decode()}
    return json.dumps(answer)


def times(a, b):
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def inverse(a):
    return next(b for b in range(256) if times(a, b) == 1)


def combine(shares):
    secret = bytearray(len(shares[0][1]))
    for x, share in shares:
        weight = 1
        for other, _ in shares:
            if other != x:
                weight = times(weight, times(other, inverse(other ^ x)))
        for at, byte in enumerate(share):
            secret[at] ^= times(weight, byte)
    return bytes(secret)


def raw_pin_of(record, token, which, people, scratch, share_set=None):
    """What these people's shares give, from the files of a record of a rehearsal archive."""
    sets = sorted((pathlib.Path(record) / "artefacts" / "shares" / token).iterdir())
    folder = next(path for path in sets if share_set in (None, path.name))
    keys = pathlib.Path(record).parent / "rehearsal" / "people"
    return combine([open_share(folder / f"{person}.share.json", which, keys / person / "open.pem", scratch)
                    for person in people])


def pin_of(*arguments, **named):
    return raw_pin_of(*arguments, **named).decode()
