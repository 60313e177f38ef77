"""Writes a share request, format keyceremony-share-request/1, into the current folder, for the credential in `alice`: a
second implementation of what docs/quorum.md says of share files and requests."""
import base64
import hashlib
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import shares  # noqa: E402

ORIGIN = "smki.example/smki-root-oca/00112233445566778899aabbccddeeff"


def proof_of(request, share):
    """A record of two entries, the second of which is the request, and what RFC 6962 shows of it."""
    entry = {"v": 1, "time": "2026-11-29T10:00:00.000000Z", "mono": 1, "salt": "5a" * 16, "mode": request["mode"]}
    asked = {**entry, "seq": 1, "type": "observe", "what": "share-asked-elsewhere", "token": share["token"],
             "set": share["set"], "person": share["holder"], "request": shares.digest_of_request(request)}
    lines = [json.dumps(each, sort_keys=True, separators=(",", ":"))
             for each in ({**entry, "seq": 0, "type": "note", "text": "an entry before it"}, asked)]
    leaves = [hashlib.sha256(b"\x00" + line.encode()).digest() for line in lines]
    root = base64.b64encode(hashlib.sha256(b"\x01" + b"".join(leaves)).digest()).decode()
    return {"text": f"{request['origin']}\n2\n{root}",
            "entry": {"index": 1, "line": lines[1], "inclusion": [base64.b64encode(leaves[0]).decode()]}}


def main():
    open_key = base64.b64decode(json.loads(pathlib.Path("alice/person.json").read_text())["open_key"])
    share = {"format": "keyceremony-share/1", "estate": "smki.example", "token": "root-hsm", "set": "d3" * 16,
             "generation": 1, "quorum": "custodians", "m": 3, "n": 5, "holder": "alice",
             "holder_key": hashlib.sha256(open_key).hexdigest(), "x": 1}
    for pin, half in shares.HALVES.items():
        context = json.dumps({**{name: share[name] for name in shares.CONTEXT}, "pin": pin}, sort_keys=True,
                             separators=(",", ":")).encode()
        salted = os.urandom(16 + 14)
        commitment = hashlib.sha256(b"keyceremony-share-commitment/1\n" + context + b"\n" + salted).hexdigest()
        enc, sealed = shares.hpke_seal(open_key, b"keyceremony-share/1\n" + context, commitment.encode(), salted, ".")
        share[half] = {"commitment": commitment, "enc": base64.b64encode(enc).decode(),
                       "ciphertext": base64.b64encode(sealed).decode()}
    key = shares.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    public = shares.openssl("pkey", "-pubout", "-outform", "DER", data=key)
    request = {"format": "keyceremony-share-request/1", "origin": ORIGIN, "mode": "production", "step": "generate-root",
               "purpose": "open-token", "pins": ["user"], "key": base64.b64encode(public).decode(),
               "share": base64.b64encode(json.dumps(share).encode()).decode()}
    request["record"] = proof_of(request, share)
    pathlib.Path("smki-root-oca-root-hsm-alice.share-request.json").write_text(json.dumps(request, indent=1))


if __name__ == "__main__":
    main()
