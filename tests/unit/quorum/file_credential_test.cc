// Credentials in files, with openssl as the other program.
#include <doctest/doctest.h>

#include "tests/unit/quorum/people.h"

using namespace credential;
using ceremony::quorum::DecryptKey;
using ceremony::quorum::EncryptKey;
using ceremony::quorum::IsEncrypted;
using ceremony::quorum::ReadKeyFile;
using ceremony::script::Environment;

TEST_CASE("openssl opens what we encrypt, and finds AES-256-CBC under PBKDF2 with 600000 rounds of SHA-256") {
  const TemporaryFolder folder;
  const base::SecretBytes key = TestPkcs8(0);
  Good(base::WriteFile(folder / "sign.pem", Good(EncryptKey(key, Secret(kPassphrase)))));
  REQUIRE(Shell("cd '" + folder.path() + "' && openssl pkcs8 -in sign.pem -passin 'pass:" + kPassphrase +
                "' -outform DER -out plain.der -nocrypt 2>/dev/null || openssl pkcs8 -in sign.pem -passin 'pass:" +
                kPassphrase + "' -topk8 -nocrypt -outform DER -out plain.der") == 0);
  CHECK(Good(ReadKeyFile(folder / "plain.der")).Equals(key));
  CHECK(Shell("cd '" + folder.path() + "' && openssl pkcs8 -in sign.pem -passin pass:wrong -nocrypt >/dev/null 2>&1") !=
        0);
  REQUIRE(Shell("cd '" + folder.path() + "' && openssl asn1parse -in sign.pem > parsed") == 0);
  for (const char* part : {":PBES2", ":PBKDF2", ":0927C0", ":hmacWithSHA256", ":aes-256-cbc"})
    CHECK_MESSAGE(Shell("grep -q -- '" + std::string(part) + "' '" + (folder / "parsed") + "'") == 0, part);
}

TEST_CASE("what openssl encrypts opens, with PBKDF2 and with scrypt") {
  const TemporaryFolder folder;
  const base::SecretBytes key = TestPkcs8(0);
  Good(base::WriteFile(folder / "plain.der", base::AsText(key.view())));
  for (const char* how : {"-v2 aes-256-cbc", "-v2 aes-256-cbc -v2prf hmacWithSHA512 -iter 10000", "-scrypt"}) {
    REQUIRE(Shell("cd '" + folder.path() + "' && openssl pkcs8 -topk8 -inform DER -in plain.der " + how +
                  " -passout 'pass:" + kPassphrase + "' -out sign.pem") == 0);
    const base::SecretBytes pem = Good(ReadKeyFile(folder / "sign.pem"));
    CHECK(IsEncrypted(pem));
    CHECK(Good(DecryptKey(pem, Secret(kPassphrase))).Equals(key));
    CHECK(Bad(DecryptKey(pem, Secret("correct horse batterz"))).message == "wrong passphrase, or the file is damaged");
    CHECK_FALSE(DecryptKey(pem, {}).ok());
  }
}

TEST_CASE("whether a key is encrypted is said by the label of its block, not by words around it") {
  const base::SecretBytes plain = ceremony::quorum::Pkcs8Pem(TestPkcs8(0));
  const std::string clear(base::AsText(plain.view()));
  const std::string sealed = Good(EncryptKey(TestPkcs8(0), Secret(kPassphrase)));
  CHECK_FALSE(IsEncrypted(Secret(clear)));
  CHECK_FALSE(IsEncrypted(Secret("ENCRYPTED under a passphrase, of course\n" + clear)));
  CHECK_FALSE(IsEncrypted(Secret("-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + clear)));
  CHECK_FALSE(IsEncrypted(Secret(clear + "-----BEGIN ENCRYPTED PRIVATE KEY-----\n")));
  CHECK_FALSE(IsEncrypted(Secret(sealed + clear)));
  CHECK_FALSE(IsEncrypted(Secret("hello")));
  CHECK(IsEncrypted(Secret(sealed)));
  CHECK(IsEncrypted(Secret("the key of Alice\n" + sealed)));
  // Cut off it is damaged, and still no key in clear.
  CHECK(IsEncrypted(Secret(sealed.substr(0, sealed.size() / 2))));
  const TemporaryFolder folder;
  REQUIRE(Shell("cd '" + folder.path() + "' && openssl ecparam -name prime256v1 -genkey -out plain.pem && openssl ec " +
                "-in plain.pem -aes256 -passout 'pass:" + kPassphrase + "' -out old.pem 2>/dev/null") == 0);
  CHECK_FALSE(IsEncrypted(Good(ReadKeyFile(folder / "plain.pem"))));
  CHECK(IsEncrypted(Good(ReadKeyFile(folder / "old.pem"))));
}

TEST_CASE("a key file that is none is told as such") {
  const TemporaryFolder folder;
  CHECK(Bad(ReadKeyFile(folder / "none.pem")).call == "open");
  Good(base::WriteFile(folder / "empty.pem", ""));
  CHECK(Bad(ReadKeyFile(folder / "empty.pem")).message ==
        "credential " + (folder / "empty.pem") + " has no bytes, expected 1 to 16384 bytes");
  Good(base::WriteFile(folder / "big.pem", std::string(16385, 'x')));
  CHECK(Bad(ReadKeyFile(folder / "big.pem")).code == base::ErrorCode::kInvalidInput);
  Good(base::WriteFile(folder / "text.pem", "hello"));
  CHECK(Bad(DecryptKey(Good(ReadKeyFile(folder / "text.pem")), {})).message == "the file holds no private key in PEM");
  CHECK(Bad(base::WriteFile(folder / "text.pem", "again")).rule == "OUT-FILE-01");
}

TEST_CASE("an encrypted credential asks for its passphrase each time, and signs as the roster's key") {
  const TemporaryFolder folder;
  Good(base::WriteFile(folder / "sign.pem", Good(EncryptKey(TestPkcs8(0), Secret(kPassphrase)))));
  ScriptedTerminal terminal({{"credential.passphrase/alice", kPassphrase},
                             {"credential.passphrase/alice", "wrong passphrase"},
                             {"credential.passphrase/alice", kPassphrase}});
  terminal.SetHasPeople(true);
  BoundCredentials credentials(BindingOf(CredentialBinding::Files(folder / "sign.pem", "")), terminal);
  Refusals refusals;
  const std::string text = CheckpointText(3, 1);
  for (int i = 0; i < 2; ++i) {
    const auto approval = Good(credentials.Approve(Alice(), refusals.Request(text)));
    CHECK(approval.line.name == "smki.example/alice");
    CHECK(approval.key.Verify(text, approval.line.signature).ok());
  }
  CHECK(terminal.AllAsked());
  CHECK(refusals.rules.empty());
  CHECK_FALSE(credentials.IsSimulated(Alice()));
  CHECK(terminal.transcript().find("wrong passphrase, or the file is damaged (1 of 3 attempts)") != std::string::npos);
  CHECK(terminal.transcript().find(kPassphrase) == std::string::npos);
}

TEST_CASE("three wrong passphrases are refused and not asked for again") {
  const TemporaryFolder folder;
  Good(base::WriteFile(folder / "sign.pem", Good(EncryptKey(TestPkcs8(0), Secret(kPassphrase)))));
  ScriptedTerminal terminal({{"credential.passphrase/alice", "wrong one"},
                             {"credential.passphrase/alice", "wrong two"},
                             {"credential.passphrase/alice", "wrong three"}});
  terminal.SetHasPeople(true);
  BoundCredentials credentials(BindingOf(CredentialBinding::Files(folder / "sign.pem", "")), terminal);
  Refusals refusals;
  const base::Error error = Bad(credentials.Approve(Alice(), refusals.Request(CheckpointText(3, 1))));
  CHECK(error.code == base::ErrorCode::kRefused);
  CHECK(error.message == "3 wrong passphrases for the credential of Alice Archer in " + (folder / "sign.pem"));
  CHECK(refusals.rules == std::vector<std::string>{"CRED-03"});
  CHECK(terminal.AllAsked());
}

TEST_CASE("the wrong stick is refused, and the right one may be tried") {
  const TemporaryFolder folder;
  Good(base::WriteFile(folder / "sign.pem", Good(EncryptKey(TestPkcs8(2), Secret(kPassphrase)))));
  ScriptedTerminal terminal({{"credential.passphrase/alice", kPassphrase},
                             {"credential.retry/alice", "try again"},
                             {"credential.passphrase/alice", kPassphrase},
                             {"credential.retry/alice", "give up"}});
  terminal.SetHasPeople(true);
  BoundCredentials credentials(BindingOf(CredentialBinding::Files(folder / "sign.pem", "")), terminal);
  Refusals refusals;
  const base::Error error = Bad(credentials.Approve(Alice(), refusals.Request(CheckpointText(3, 1))));
  CHECK(error.rule == "CRED-01");
  CHECK(refusals.rules == std::vector<std::string>{"CRED-01", "CRED-01"});
  CHECK(terminal.AllAsked());
}

TEST_CASE("an unencrypted file is for simulated people alone") {
  const TemporaryFolder folder;
  const base::SecretBytes pem = ceremony::quorum::Pkcs8Pem(TestPkcs8(0));
  Good(base::WriteFile(folder / "sign.pem", base::AsText(pem.view())));
  ScriptedTerminal terminal;
  Refusals refusals;
  BoundCredentials real(BindingOf(CredentialBinding::Files(folder / "sign.pem", "")), terminal);
  CHECK_FALSE(real.IsSimulated(Alice()));
  CHECK(Bad(real.Approve(Alice(), refusals.Request(CheckpointText(3, 1)))).rule == "CRED-04");
  CHECK(refusals.rules == std::vector<std::string>{"CRED-04"});
  BoundCredentials rehearsed(BindingOf(CredentialBinding::Files(folder / "sign.pem", ""), Environment::kRehearsal),
                             terminal);
  CHECK(rehearsed.IsSimulated(Alice()));
  CHECK(rehearsed.Approve(Alice(), refusals.Request(CheckpointText(3, 1))).ok());
  CHECK(terminal.prompts() == 0);
  ceremony::script::Person wendy;
  wendy.id = "wendy";
  CHECK(rehearsed.IsSimulated(wendy));
  CHECK_FALSE(real.IsSimulated(wendy));
  CHECK(Bad(rehearsed.Approve(wendy, refusals.Request("x\n"))).code == base::ErrorCode::kNotFound);
}

TEST_CASE("a real person does not sign where nobody is at the terminal") {
  const TemporaryFolder folder;
  Good(base::WriteFile(folder / "sign.pem", Good(EncryptKey(TestPkcs8(0), Secret(kPassphrase)))));
  ScriptedTerminal terminal;
  Refusals refusals;
  for (const CredentialBinding& bound : {CredentialBinding::Files(folder / "sign.pem", ""), CredentialBinding()}) {
    BoundCredentials credentials(BindingOf(bound, Environment::kRehearsal), terminal);
    CHECK_FALSE(credentials.IsSimulated(Alice()));
    CHECK(Bad(credentials.Approve(Alice(), refusals.Request(CheckpointText(3, 1)))).code == base::ErrorCode::kAborted);
  }
  CHECK(refusals.rules.empty());
  CHECK(terminal.prompts() == 0);
}

TEST_CASE("the key that opens shares is the roster's, from its own file") {
  const TemporaryFolder folder;
  Good(base::WriteFile(folder / "open.pem", Good(EncryptKey(TestPkcs8(1), Secret(kPassphrase)))));
  Good(base::WriteFile(folder / "other.pem", Good(EncryptKey(TestPkcs8(2), Secret(kPassphrase)))));
  ScriptedTerminal terminal({{"credential.passphrase/alice", kPassphrase},
                             {"credential.passphrase/alice", kPassphrase},
                             {"credential.retry/alice", "give up"},
                             {"credential.retry/alice", "give up"}});
  terminal.SetHasPeople(true);
  BoundCredentials credentials(BindingOf(CredentialBinding::Files("/none", folder / "open.pem")), terminal);
  const auto peer = Good(ceremony::quorum::SoftwareAgreementKey::Generate());
  const auto agree = [&](ceremony::quorum::AgreementKey& opener) -> base::Result<void> {
    CHECK(Good(opener.Agree(peer->public_key())).Equals(Good(peer->Agree(opener.public_key()))));
    return {};
  };
  CHECK(credentials.UseOpener(Alice(), agree, {}).ok());
  BoundCredentials wrong(BindingOf(CredentialBinding::Files("/none", folder / "other.pem")), terminal);
  CHECK(Bad(wrong.UseOpener(Alice(), agree, {})).rule == "CRED-02");
  BoundCredentials none(BindingOf(CredentialBinding::Files("/none", "")), terminal);
  CHECK(Bad(none.UseOpener(Alice(), agree, {})).code == base::ErrorCode::kNotFound);
  CHECK(terminal.AllAsked());
}
