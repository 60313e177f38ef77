#!/usr/bin/env python3
"""Certificate requests of other programs (openssl, certtool, certutil of NSS, keytool of Java): what csr.import takes of
them, and in which words it refuses the rest."""
import json
import subprocess
import unittest

from archive import Archive, need, run

TOOLS = ("openssl", "certtool", "certutil", "keytool")
KEYS = ["ec-p256", "ec-p384", "rsa-2048", "rsa-4096", "ed25519"]
CA = [{"type": "basicConstraints", "critical": True, "ca": True, "path_length": 0},
      {"type": "keyUsage", "critical": True, "usage": ["keyCertSign", "cRLSign"]},
      {"type": "subjectKeyIdentifier", "critical": False, "method": 1},
      {"type": "authorityKeyIdentifier", "critical": False, "form": "keyIdentifier"}]


class Case(unittest.TestCase):
    def setUp(self):
        self.archive = Archive(self)
        self.folder = self.archive.folder

    def profile(self, encoding="UTF8String", extensions=tuple(CA)):
        """A CA of this many keys; the names of its subject in this encoding."""
        subject = [{"type": kind, "encoding": encoding, "max_length": 16} for kind in ("OU", "CN")]
        content = {"format": "keyceremony-profile/1", "id": "asked", "version": "1.0", "title": "Asked for", "clause": "none",
                   "certificate": "issuing", "self_signed": False, "subject": subject, "validity": {"lasts": "relative", "years": 1},
                   "serial_octets": 16, "keys": KEYS, "signature": "ecdsa-with-SHA256", "extensions": list(extensions)}
        (self.archive.scripts / "profiles" / "asked.profile.json").write_text(json.dumps(content))

    def check(self, requests):
        """`check` of a script that takes all of these in, {key: bytes}."""
        plan = self.archive.plan("smki-organisation")
        steps = []
        for key, request in requests.items():
            (self.archive.scripts / "documents" / f"{key}.csr").write_bytes(request)
            steps.append({"id": f"take-{key}", "do": "csr.import", "quorum": "custodians", "file": f"documents/{key}.csr", "key": key,
                          "profile": "asked"})
        plan.update(id="taken", profiles={"asked": "profiles/asked.profile.json"}, tokens={})
        plan["sections"] = [plan["sections"][0], {"id": "requests", "title": "Requests", "steps": steps}, plan["sections"][-1]]
        plan["sections"][-1]["steps"] = [step for step in plan["sections"][-1]["steps"] if "token" not in step]
        self.archive.write("taken", plan)
        status, out, err = run("check", self.archive.script("taken"), "--archive", self.archive.path)
        return status, " ".join((out + err).split())

    def taken(self, **requests):
        status, text = self.check(requests)
        self.assertEqual(status, 0, text)

    def refused(self, request, *parts):
        status, text = self.check({"z9": request})
        self.assertEqual(status, 1, text)
        for part in parts:
            self.assertIn(part, text)

    def run_in_folder(self, *command):
        done = subprocess.run([str(word) for word in command], cwd=self.folder, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr).decode(errors="replace"))
        return done.stdout

    # Keys as `openssl genpkey` makes them of these words.
    EC = ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    RSA = ("RSA", "-pkeyopt", "rsa_keygen_bits:2048")

    def key(self, *words):
        self.run_in_folder("openssl", "genpkey", "-algorithm", *words, "-out", "key.pem")
        return self.folder / "key.pem"

    def by_openssl(self, key, config="", *more, names="OU=07\nCN=Z9\n", mask="utf8only", top=""):
        (self.folder / "c.cnf").write_text(f"{top}[req]\nprompt=no\nstring_mask={mask}\ndistinguished_name=dn\n{config}\n[dn]\n{names}")
        return self.run_in_folder("openssl", "req", "-new", "-config", "c.cnf", "-key", key, *more)

    def by_certtool(self, kind, template, *more):
        self.run_in_folder("certtool", "--generate-privkey", "--key-type", *kind, "--outfile", "gnutls.pem")
        (self.folder / "template").write_text(template)
        return self.run_in_folder("certtool", "--generate-request", "--load-privkey", "gnutls.pem", "--template", "template", *more)

    def by_certutil(self, *words):
        base = self.folder / "nss"
        if not base.exists():
            base.mkdir()
            self.run_in_folder("certutil", "-N", "-d", f"sql:{base}", "--empty-password")
        (self.folder / "noise").write_bytes(bytes(range(64)))
        self.run_in_folder("certutil", "-R", "-d", f"sql:{base}", "-s", "CN=Z9,OU=07", "-z", "noise", "-o", "nss.csr", *words)
        return (self.folder / "nss.csr").read_bytes()

    def by_keytool(self, *algorithm, extensions=()):
        store = ("-keystore", "store", "-storepass", "changeit", "-alias", "".join(algorithm).lower())
        self.run_in_folder("keytool", "-genkeypair", *store, "-keyalg", *algorithm, "-dname", "CN=Z9,OU=07")
        return self.run_in_folder("keytool", "-certreq", *store, *[word for each in extensions for word in ("-ext", each)])


class Taken(Case):
    def test_of_openssl(self):
        self.profile()
        wanted = "req_extensions=x\n[x]\nbasicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n"
        self.taken(ec=self.by_openssl(self.key(*self.EC)), rsa=self.by_openssl(self.key(*self.RSA)), ed=self.by_openssl(self.key("ED25519")),
                   asked=self.by_openssl(self.key(*self.EC), wanted), der=self.by_openssl(self.key(*self.EC), "", "-outform", "DER"),
                   text=self.by_openssl(self.key(*self.EC), "", "-text"), new=self.by_openssl(self.key(*self.EC), "", "-newhdr"),
                   pss=self.by_openssl(self.key(*self.RSA), "", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"),
                   windows=self.by_openssl(self.key(*self.EC)).replace(b"\n", b"\r\n"))

    def test_of_certtool(self):
        # It asks for digitalSignature of a CA, too.
        self.profile("PrintableString", [dict(each, usage=["digitalSignature", *each["usage"]]) if "usage" in each else each for each in CA])
        template = "cn = Z9\nou = 07\nca\npath_len = 0\ncert_signing_key\ncrl_signing_key\n"
        requests = {kind[0]: self.by_certtool(kind, template) for kind in (("ecdsa", "--curve", "secp256r1"), ("rsa", "--bits", "2048"), ("ed25519",))}
        for request in requests.values():
            self.assertTrue(request.startswith(b"PKCS #10 Certificate Request Information:"), request[:80])
        self.taken(**requests, der=self.by_certtool(("ecdsa", "--curve", "secp384r1"), template, "--outder"))

    def test_of_certutil(self):
        self.profile("PrintableString")
        text = self.by_certutil("-k", "rsa", "-g", "2048", "-a")
        self.assertIn(b"Certificate request generated by Netscape certutil", text)
        self.assertIn(b"-----BEGIN NEW CERTIFICATE REQUEST-----", text)
        self.taken(ec=self.by_certutil("-k", "ec", "-q", "nistp256"), rsa=text)

    def test_of_keytool(self):
        self.profile("PrintableString")
        self.taken(ec=self.by_keytool("EC", "-groupname", "secp256r1"), rsa=self.by_keytool("RSA", "-keysize", "2048"),
                   ed=self.by_keytool("Ed25519"),
                   asked=self.by_keytool("EC", "-groupname", "secp384r1", extensions=("KU:c=keyCertSign,cRLSign", "BC:c=ca:true,pathlen:0")))


class Refused(Case):
    def test_attributes_that_nobody_may_ask_for(self):
        self.profile()
        key = self.key(*self.EC)

        def with_attribute(oid, value):
            if oid.endswith(".2.1.14"):  # openssl has a name of its own for it
                return self.by_openssl(key, f"attributes=a\n[a]\nmsExtReq={value}\n")
            return self.by_openssl(key, f"attributes=a\n[o]\nforeign={oid}\n[a]\nforeign={value}\n", top="oid_section=o\n")

        self.refused(self.by_openssl(key, "attributes=a\n[a]\nchallengePassword=secret-word\n"), "CSR-ATTR-01",
                     "the attribute challengePassword is not extensionRequest")
        self.refused(self.by_certtool(("ecdsa", "--curve", "secp256r1"), "cn = Z9\nou = 07\nchallenge_password = secret\n"), "CSR-ATTR-01",
                     "challengePassword")
        for oid, words in (("1.3.6.1.4.1.311.13.2.3", "Microsoft's version of the system"),
                           ("1.3.6.1.4.1.311.13.2.2", "Microsoft's enrolment provider"),
                           ("1.3.6.1.4.1.311.21.20", "Microsoft's description of the client"),
                           ("1.3.6.1.4.1.311.2.1.14", "Microsoft's own extensionRequest")):
            self.refused(with_attribute(oid, "10.0.20348.2"), "CSR-ATTR-01", f"the attribute {oid} ({words}) is not extensionRequest")

    def test_extensions_of_another_profile(self):
        self.profile("PrintableString")
        self.refused(self.by_certtool(("ecdsa", "--curve", "secp256r1"), "cn = Z9\nou = 07\n"), "CSR-EXT-02", "basicConstraints")
        self.profile("PrintableString", [dict(each, method=2) if "method" in each else each for each in CA])
        self.refused(self.by_keytool("EC", "-groupname", "secp256r1"), "CSR-EXT-02", "subjectKeyIdentifier")
        self.refused(self.by_keytool("EC", "-groupname", "secp384r1", extensions=("SAN=dns:example.org",)), "CSR-EXT-")

    def test_keys_that_the_registry_of_keys_could_not_tell_apart(self):
        """One key has one SubjectPublicKeyInfo: no second form of it is taken."""
        self.profile()
        self.refused(self.by_openssl(self.key(*self.RSA, "-pkeyopt", "rsa_keygen_pubexp:65539")), "CSR-KEY-02",
                     "the RSA key has the exponent 010003 where 65537 is taken")
        self.refused(self.by_openssl(self.key("RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"), "", "-sigopt", "rsa_pss_saltlen:32"), "CSR-KEY-01")
        key = self.key(*self.EC)
        self.run_in_folder("openssl", "ec", "-in", key, "-conv_form", "compressed", "-out", "compressed.pem")
        self.refused(self.by_openssl("compressed.pem"), "X509-KEY-03", "a compressed point of 33 octets")
        self.run_in_folder("openssl", "ec", "-in", key, "-conv_form", "hybrid", "-out", "hybrid.pem")
        self.refused(self.by_openssl("hybrid.pem"), "X509-KEY-03")
        self.run_in_folder("openssl", "ec", "-in", key, "-param_enc", "explicit", "-out", "explicit.pem")
        self.refused(self.by_openssl("explicit.pem"), "X509-KEY-02", "named curve")

    def test_keys_that_are_weak_or_of_other_kinds(self):
        self.profile()
        self.refused(self.by_openssl(self.key("RSA", "-pkeyopt", "rsa_keygen_bits:1024")), "X509-KEY-05")
        self.refused(self.by_openssl(self.key(*self.RSA, "-pkeyopt", "rsa_keygen_pubexp:3")), "X509-KEY-06")
        self.refused(self.by_openssl(self.key("EC", "-pkeyopt", "ec_paramgen_curve:secp256k1")), "X509-KEY-01", "the curve")
        self.refused(self.by_openssl(self.key("ED448")), "CSR-KEY-01")
        self.refused(self.by_openssl(self.key("EC", "-pkeyopt", "ec_paramgen_curve:P-521")), "TBS-KEY-01")

    def test_signatures_that_prove_nothing(self):
        self.profile()
        self.refused(self.by_openssl(self.key(*self.RSA), "", "-sha1"), "X509-ALGORITHM-03")
        self.refused(self.by_openssl(self.key(*self.EC), "", "-sha1"), "X509-ALGORITHM-03")
        request = self.by_openssl(self.key(*self.EC), "", "-outform", "DER")
        self.refused(request[:-1] + bytes([request[-1] ^ 1]), "CSR-POSSESSION-01")

    def test_names_in_another_encoding_than_the_profiles(self):
        self.profile("PrintableString")
        self.refused(self.by_openssl(self.key(*self.EC)), "CSR-SUBJECT-01", "CN=Z9 (UTF8String)", "CN=Z9 (PrintableString)")
        self.profile()
        self.refused(self.by_openssl(self.key(*self.EC), names="OU=07\nCN=Z9\nO=More\n"), "CSR-SUBJECT-01", "O=More")
        self.refused(self.by_openssl(self.key(*self.EC), names="OU=07\nCN=\"Z9 \"\n"), "CSR-SUBJECT-01", "ends with a blank")

    def test_files_that_hold_something_else(self):
        self.profile()
        key = self.key(*self.EC)
        request = self.by_openssl(key)
        self.refused(request + key.read_bytes(), "CSR-FORM-01", "there is more than one PEM block")
        self.refused(key.read_bytes() + request, "CSR-FORM-01", "there is a PEM block PRIVATE KEY where CERTIFICATE REQUEST is asked for")
        self.refused(request + request, "CSR-FORM-01", "there is more than one PEM block")
        self.refused(self.by_openssl(key, "", "-x509"), "CSR-FORM-01", "there is a PEM block CERTIFICATE where")
        self.refused(b"nothing of the kind\n", "CSR-FORM-01", "there is neither DER nor a PEM block")
        self.refused(request[:-20], "CSR-FORM-01", "does not end with -----END CERTIFICATE REQUEST-----")


if __name__ == "__main__":
    need(*TOOLS)
    unittest.main()
