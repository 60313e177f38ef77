"""What verify.py and what builds on it ask of the machine: whether a signature is good (record-format.md, section 3), by the openssl
command; and a verdict on nothing but the record: where the machine fails, there is none."""
import functools, os, pathlib, subprocess, sys, tempfile

EXITS = {"COMPLETE": 0, "UNPINNED": 7, "INCOMPLETE": 6, "FORK": 8, "INVALID": 1}  # the worst comes last
FAULTS = ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, FileNotFoundError, NotADirectoryError, IsADirectoryError
P256, ED = map(bytes.fromhex, ("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "302a300506032b6570032100"))
HALF = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8  # of the order of P-256

class CannotCheck(Exception):
    """Whatever the record is, this machine cannot tell."""

def openssl(command, **files):
    """What it answers; only its answer about the files says something of a record."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name, data in files.items(): pathlib.Path(folder, name).write_bytes(data)
            return subprocess.run(["openssl", *command.split()], cwd=folder, capture_output=True)
    except OSError as error: raise CannotCheck(f"openssl: {error}")

@functools.lru_cache(None)
def need_openssl():
    """It has to tell a good signature from a bad one: those of RFC 6979, A.2.5, and of RFC 8032, 7.1, test 2."""
    point = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
    rs = "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367", "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"
    ed = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    for spki, text, sig in ((P256 + bytes.fromhex(point), b"test", bytes.fromhex("3045022100" + rs[0] + "0220" + rs[1])),
                            (ED + bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"), b"r", bytes.fromhex(ed))):
        if not signed(spki, text, sig) or signed(spki, text + b"x", sig): raise CannotCheck("this openssl does not verify what it should")

@functools.lru_cache(None)
def signed(spki, text, sig):
    if len(spki) == 91:  # ECDSA: a signature has one spelling, strict DER with the low S
        r, s = (int.from_bytes(part, "big") for part in (sig[4:4 + sig[3]], sig[6 + sig[3]:]))
        der = b"".join(bytes([2, n.bit_length() // 8 + 1]) + n.to_bytes(n.bit_length() // 8 + 1, "big") for n in (r, s))
        if sig != bytes([0x30, len(der)]) + der or not 0 < r or not 0 < s <= HALF: return False
    command = "pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text -sigfile sig"
    return openssl(command, key=spki, text=text, sig=sig).returncode == 0

def judged(judge, *brought):
    """The judge's verdict; INVALID and why for a record that it stumbles over. A machine that fails is no fault of the record."""
    need_openssl()
    try: return judge(*brought), ""
    except FAULTS as error: return "INVALID", repr(error)
    except OSError as error: raise CannotCheck(error)
def leave(answers, *brought):
    try:
        for path in filter(None, brought): os.listdir(path) if os.path.isdir(path) else open(path, "rb").close()
        answer, why = answers(*brought)
    except (CannotCheck, OSError) as error: sys.exit(print("cannot check:", error, file=sys.stderr) or 4)
    print(answer, why)
    sys.exit(EXITS[answer])
def main(answers): leave(answers, *sys.argv[1:]) if 2 <= len(sys.argv) <= 3 else sys.exit(print(sys.modules["__main__"].__doc__) or 2)
