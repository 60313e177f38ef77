"""Writes an approval request, format keyceremony-approval/1, into the current folder: smki-root-oca-4.approval.json and
.txt. A second implementation of what docs/record-format.md says of it, with RFC 6962 in fifteen lines."""
import base64
import hashlib
import json

ORIGIN = "smki.example/smki-root-oca/00112233445566778899aabbccddeeff"


def jcs(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size):
    return 1 << (size - 1).bit_length() - 1


def root(leaves):
    return leaves[0] if len(leaves) == 1 else node(root(leaves[:split(len(leaves))]), root(leaves[split(len(leaves)):]))


def path(index, leaves):
    if len(leaves) == 1:
        return []
    at = split(len(leaves))
    if index < at:
        return path(index, leaves[:at]) + [root(leaves[at:])]
    return path(index - at, leaves[at:]) + [root(leaves[:at])]


def text(hashes):
    return [base64.b64encode(each).decode() for each in hashes]


def main():
    subject = {"key": "root-oca", "algorithm": "ec-p256", "token": "root-hsm", "serial": "4f2a99b1c07d1e33"}
    bodies = [{"type": "note", "text": "one"}, {"type": "note", "text": "two"}, {"type": "note", "text": "three"},
              {"type": "request", "step": "generate-root", "quorum": {"name": "custodians", "m": 3, "n": 5},
               "statement": "Generate key root-oca (EC P-256) on token root-hsm", "subject": subject,
               "subject_sha256": hashlib.sha256(jcs(subject).encode()).hexdigest()}]
    lines = [jcs({**body, "v": 1, "seq": seq, "time": "2026-11-21T10:00:00.000000Z", "mono": seq,
                  "salt": "00112233445566778899aabbccddeeff", "mode": "production"}) for seq, body in enumerate(bodies)]
    leaves = [hashlib.sha256(b"\x00" + line.encode()).digest() for line in lines]
    checkpoint = f"{ORIGIN}\n{len(leaves)}\n{text([root(leaves)])[0]}\n"
    request = {"format": "keyceremony-approval/1", "text": checkpoint.rstrip("\n"),
               "entry": {"index": 3, "line": lines[3], "inclusion": text(path(3, leaves))}}
    with open("smki-root-oca-4.approval.json", "w", encoding="utf-8") as file:
        json.dump(request, file, indent=1)
    with open("smki-root-oca-4.approval.txt", "w", encoding="utf-8") as file:
        file.write(checkpoint)


if __name__ == "__main__":
    main()
