#!/usr/bin/env python3
"""The lint against libcrypto and GnuTLS over thousands of changed certificates: what one of them cannot read, the lint
must have found something in. (The other way round it is stricter than both: that is what it is for.)"""
import ctypes
import json
import pathlib
import sys
import unittest

from archive import SOURCE, run, scratch
from der import encode, lists, tree

CORPUS = SOURCE / "tests" / "fuzz" / "corpus" / "x509"

# Extensions of RFC 5280; of others the lint says only whether they may be critical.
KNOWN = {f"2.5.29.{arc}" for arc in (14, 15, 17, 18, 19, 30, 31, 32, 33, 35, 36, 37, 46, 54)} | {"1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.11"}
FOREIGN = ("get_private_key_usage_period",)  # how GnuTLS names those that it knows and the lint does not


class Openssl:
    """Decodes with d2i_X509, reads the key, and parses every extension of RFC 5280."""

    def __init__(self):
        self.lib = ctypes.CDLL("libcrypto.so.3")
        for name, result, arguments in (("d2i_X509", ctypes.c_void_p, [ctypes.c_void_p, ctypes.POINTER(ctypes.c_char_p), ctypes.c_long]),
                                        ("X509_free", None, [ctypes.c_void_p]), ("X509_get0_pubkey", ctypes.c_void_p, [ctypes.c_void_p]),
                                        ("X509_get_ext_count", ctypes.c_int, [ctypes.c_void_p]),
                                        ("X509_get_ext", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
                                        ("X509V3_EXT_d2i", ctypes.c_void_p, [ctypes.c_void_p]),
                                        ("X509_EXTENSION_get_object", ctypes.c_void_p, [ctypes.c_void_p]),
                                        ("OBJ_obj2txt", ctypes.c_int, [ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_int])):
            function = getattr(self.lib, name)
            function.restype, function.argtypes = result, arguments

    def reads(self, der):
        buffer = ctypes.create_string_buffer(der, len(der))
        at = ctypes.c_char_p(ctypes.addressof(buffer))
        certificate = self.lib.d2i_X509(None, ctypes.byref(at), len(der))
        if not certificate:
            return "d2i_X509"
        try:
            if ctypes.cast(at, ctypes.c_void_p).value != ctypes.addressof(buffer) + len(der):
                return "octets over"
            if not self.lib.X509_get0_pubkey(certificate):
                return "public key"
            for index in range(self.lib.X509_get_ext_count(certificate)):
                extension = self.lib.X509_get_ext(certificate, index)
                name = ctypes.create_string_buffer(80)
                self.lib.OBJ_obj2txt(name, 80, self.lib.X509_EXTENSION_get_object(extension), 1)
                if name.value.decode() in KNOWN and not self.lib.X509V3_EXT_d2i(extension):
                    return f"extension {name.value.decode()}"
            return None
        finally:
            self.lib.X509_free(certificate)


class GnuTls:
    """Decodes with gnutls_x509_crt_import and prints all that is in it."""

    class Datum(ctypes.Structure):
        _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_uint)]

    def __init__(self):
        self.lib = ctypes.CDLL("libgnutls.so.30")
        self.lib.gnutls_free_datum = None
        self.free = ctypes.c_void_p.in_dll(self.lib, "gnutls_free")
        self.free = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.free.value)

    def reads(self, der):
        lib = self.lib
        certificate = ctypes.c_void_p()
        lib.gnutls_x509_crt_init(ctypes.byref(certificate))
        try:
            buffer = ctypes.create_string_buffer(der, len(der))
            status = lib.gnutls_x509_crt_import(certificate, ctypes.byref(self.Datum(ctypes.addressof(buffer), len(der))), 0)
            if status < 0:
                return "import"
            out = self.Datum()
            status = lib.gnutls_x509_crt_print(certificate, 0, ctypes.byref(out))
            if status < 0:
                return "print"
            text = ctypes.string_at(out.data, out.size).decode(errors="replace")
            self.free(out.data)
            wrong = [line.strip() for line in text.splitlines() if line.strip().startswith("error:") and not any(name in line for name in FOREIGN)]
            return wrong[0] if wrong else None
        finally:
            lib.gnutls_x509_crt_deinit(certificate)


def shapes(der):
    """Elements left out, doubled, swapped, emptied, given another tag or an odd length, with lengths mended around them."""
    root = tree(der)
    for siblings in list(lists(root)):
        for index, node in enumerate(list(siblings)):
            tag, content = node
            body = encode(content) if isinstance(content, list) else content
            variants = [[], [node, node], [[tag, b""]], [node, [5, b""]], [bytes([tag, 0x80]) + body + b"\0\0"],
                        [bytes([tag, 0x84]) + len(body).to_bytes(4, "big") + body], [[tag, body + b"\0"]], [[tag, b"\0" + body]]]
            if siblings is root:
                variants.remove([node, node])  # two certificates are a bundle
            variants += [[[other, body]] for other in (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0C, 0x13, 0x16, 0x17, 0x18, 0x30, 0x31, 0x80, 0x81, 0x82, 0x83, 0xA0, 0xA1, 0xA3)
                         if other != tag]
            for variant in variants:
                siblings[index:index + 1] = variant
                yield encode(root)
                siblings[index:index + len(variant)] = [node]
            if index:
                siblings[index - 1], siblings[index] = siblings[index], siblings[index - 1]
                yield encode(root)
                siblings[index - 1], siblings[index] = siblings[index], siblings[index - 1]


def octets(der):
    """Each octet changed in four ways, and the whole cut short."""
    for at, octet in enumerate(der):
        for changed in {octet ^ 1, octet ^ 0x80, octet ^ 0x20, 0xFF} - {octet}:
            yield der[:at] + bytes([changed]) + der[at + 1:]
    for size in range(len(der)):
        yield der[:size]


class Differential(unittest.TestCase):
    # The lint has no opinion on a signature that only its issuer's key could judge, nor on keys of other kinds than ours.
    def test_what_another_decoder_cannot_read_the_lint_finds_fault_with(self):
        openssl, gnutls = Openssl(), GnuTls()
        seeds = sorted(path for path in CORPUS.glob("*.der") if path.name != "deep.der")
        self.assertGreaterEqual(len(seeds), 6)
        folder = scratch(self)
        counts, missed = {}, []
        for seed in seeds:
            der = seed.read_bytes()
            self.assertEqual((openssl.reads(der), gnutls.reads(der)), (None, None), seed)
            changed = sorted(set(shapes(der)) | set(octets(der)))
            place = folder / seed.stem
            place.mkdir()
            for index, one in enumerate(changed):
                (place / f"{index:06}.der").write_bytes(one)
            status, out, err = run("lint", "--alone", "--json", place)
            self.assertIn(status, (0, 1), err)
            refused = {pathlib.Path(finding["file"]).name for finding in json.loads(out)["findings"]}
            only_lint = 0
            for index, one in enumerate(changed):
                by_openssl, by_gnutls = openssl.reads(one), gnutls.reads(one)
                found = f"{index:06}.der" in refused
                only_lint += found and by_openssl is None and by_gnutls is None
                if not found and (by_openssl or by_gnutls):
                    missed.append((seed.name, f"openssl: {by_openssl}", f"gnutls: {by_gnutls}", one.hex()))
            counts[seed.stem] = (len(changed), len(refused), only_lint)
        self.assertEqual(missed[:20], [])
        for name, (changed, refused, only_lint) in counts.items():
            print(f"{name}: {changed} changed, {refused} refused by the lint, {only_lint} of them by nobody else")
            self.assertGreater(only_lint, 100)


if __name__ == "__main__":
    try:
        ctypes.CDLL("libgnutls.so.30"), ctypes.CDLL("libcrypto.so.3")
    except OSError as error:
        print(error)
        sys.exit(77)
    unittest.main()
