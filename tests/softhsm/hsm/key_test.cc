#include <doctest/doctest.h>

#include <algorithm>

#include "hsm/base/encoding.h"
#include "hsm/base/rsa_scheme.h"
#include "hsm/inventory.h"
#include "hsm/keygen.h"
#include "hsm/lookup.h"
#include "hsm/sign.h"
#include "tests/support/listening_observer.h"
#include "tests/support/objects.h"
#include "tests/support/results.h"
#include "tests/support/softhsm.h"

namespace {

using base::ErrorCode;
using base::KeyAlgorithm;
using base::SignatureScheme;
using hsm::Consequence;
using hsm::KeyPairSpec;
using support::Bad;
using support::Good;
using support::SoftHsm;

std::string ValueOf(const hsm::Description& description, const std::string& name) {
  const auto found = std::ranges::find(description, name, &hsm::NamedValue::name);
  return found == description.end() ? "(not there)" : found->value;
}

TEST_CASE("key pairs of every algorithm come out as asked, sign, and are found by their public key") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  auto login = SoftHsm::Login(token);
  std::uint8_t number = 0;
  for (const base::KeyAlgorithmFacts& facts : base::KeyAlgorithms()) {
    if (facts.algorithm == KeyAlgorithm::kRsa3072 || facts.algorithm == KeyAlgorithm::kRsa4096)
      continue;  // seconds each
    CAPTURE(facts.name);
    KeyPairSpec spec{.algorithm = facts.algorithm, .label = "key of the test", .id = {0xab, number++}};
    const auto made = Good(hsm::GenerateKeyPair(login.session(), spec).key);
    CHECK(made.pair.public_key.algorithm() == facts.algorithm);
    CHECK(made.pair.private_object.label() == "key of the test");
    const auto signature = Good(hsm::Sign(login.session(), made.pair, hsm::DefaultScheme(facts.algorithm),
                                          base::AsBytes("message"), Consequence::kCeremonyKey));
    Good(made.pair.public_key.Verify(hsm::DefaultScheme(facts.algorithm), base::AsBytes("message"), signature));
    const auto found = Good(hsm::FindKeyBySpki(login.session(), made.pair.public_key));
    CHECK(found.private_object.handle() == made.pair.private_object.handle());
    CHECK(found.public_object->handle() == made.pair.public_object->handle());
  }
}

TEST_CASE("every attribute of a key pair is stated, and read back") {
  const SoftHsm soft;
  auto observer = std::make_shared<support::ListeningObserver>();
  const auto module = soft.Load(observer);
  const auto token = SoftHsm::MakeToken(module, "root");
  auto login = SoftHsm::Login(token);
  observer->before.clear();
  observer->after.clear();
  const auto made = Good(hsm::GenerateKeyPair(login.session(), {.label = "root", .id = {0x01, 0xab}}).key);

  const hsm::Description expected_private = {
      {"private.CKA_CLASS", "CKO_PRIVATE_KEY"},
      {"private.CKA_TOKEN", "true"},
      {"private.CKA_PRIVATE", "true"},
      {"private.CKA_LABEL", "root"},
      {"private.CKA_KEY_TYPE", "CKK_EC"},
      {"private.CKA_ID", "01ab"},
      {"private.CKA_SENSITIVE", "true"},
      {"private.CKA_DECRYPT", "false"},
      {"private.CKA_UNWRAP", "false"},
      {"private.CKA_SIGN", "true"},
      {"private.CKA_SIGN_RECOVER", "false"},
      {"private.CKA_DERIVE", "false"},
      {"private.CKA_PUBLIC_KEY_INFO", ""},
      {"private.CKA_EXTRACTABLE", "false"},
      {"private.CKA_LOCAL", "true"},
      {"private.CKA_NEVER_EXTRACTABLE", "true"},
      {"private.CKA_ALWAYS_SENSITIVE", "true"},
      {"private.CKA_KEY_GEN_MECHANISM", "CKM_EC_KEY_PAIR_GEN"},
      {"private.CKA_MODIFIABLE", "false"},
      {"private.CKA_COPYABLE", "false"},
      {"private.CKA_DESTROYABLE", "true"},
      {"private.CKA_EC_PARAMS", "06082a8648ce3d030107"},
      {"private.CKA_ALWAYS_AUTHENTICATE", "false"},
      {"private.CKA_WRAP_WITH_TRUSTED", "false"},
  };
  hsm::Description actual_private;
  std::ranges::copy_if(made.attributes, std::back_inserter(actual_private),
                       [](const hsm::NamedValue& item) { return item.name.starts_with("private."); });
  CHECK(actual_private == expected_private);

  REQUIRE(observer->before.size() == 1);
  const hsm::ConsequentialCall& call = observer->before[0];
  CHECK(call.function == hsm::Function::kGenerateKeyPair);
  CHECK(call.mechanism == "CKM_EC_KEY_PAIR_GEN");
  CHECK(call.planned_id == "01ab");
  CHECK(call.planned_label == "root");
  CHECK(call.token_serial == token->info().serial);
  CHECK(ValueOf(call.attributes, "public.CKA_EC_PARAMS") == "06082a8648ce3d030107");
  CHECK(ValueOf(call.attributes, "public.CKA_DERIVE") == "false");
  REQUIRE(observer->after.size() == 1);
  CHECK(observer->after[0].rv == CKR_OK);
  CHECK(observer->after[0].problem.empty());
  CHECK(observer->after[0].spki == base::Base64Encode(made.pair.public_key.spki()));
  CHECK(observer->after[0].attributes == made.attributes);
}

TEST_CASE("a key may be made extractable and modifiable, and sealed later") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  auto login = SoftHsm::Login(token);
  const auto made = Good(
      hsm::GenerateKeyPair(
          login.session(),
          {.label = "clone me", .id = {1}, .extractable = hsm::Extractable::kYes, .modifiable = hsm::Modifiable::kYes})
          .key);
  CHECK(ValueOf(made.attributes, "private.CKA_EXTRACTABLE") == "true");
  CHECK(ValueOf(made.attributes, "private.CKA_NEVER_EXTRACTABLE") == "false");
  hsm::Template seal;
  seal.Bool(CKA_EXTRACTABLE, false);
  Good(login.session().SetAttributes(made.pair.private_object, seal));
  // The token refuses to open it again.
  hsm::Template open;
  open.Bool(CKA_EXTRACTABLE, true);
  const auto error = Bad(login.session().SetAttributes(made.pair.private_object, open));
  CHECK(error.code == ErrorCode::kToken);
}

TEST_CASE("a second key with a taken id is refused, though the token would make it") {
  const SoftHsm soft;
  auto observer = std::make_shared<support::ListeningObserver>();
  const auto module = soft.Load(observer);
  const auto token = SoftHsm::MakeToken(module, "root");
  auto login = SoftHsm::Login(token);
  Good(hsm::GenerateKeyPair(login.session(), {.label = "first", .id = {1}}).key);
  observer->before.clear();
  const auto error = Bad(hsm::GenerateKeyPair(login.session(), {.label = "second", .id = {1}}).key);
  CHECK(error.rule == "KEY-GEN-03");
  CHECK(error.message.find("\"first\"") != std::string::npos);
  CHECK(observer->before.empty());
}

TEST_CASE("names and usages that cannot be are refused before the call") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  auto login = SoftHsm::Login(token);
  hsm::Session& session = login.session();
  CHECK(Bad(hsm::GenerateKeyPair(session, {.label = "", .id = {1}}).key).rule == "KEY-GEN-01");
  CHECK(Bad(hsm::GenerateKeyPair(session, {.label = "x", .id = {}}).key).rule == "KEY-GEN-01");
  CHECK(Bad(hsm::GenerateKeyPair(session, {.label = "x", .id = base::Bytes(65)}).key).rule == "KEY-GEN-01");
  CHECK(Bad(hsm::GenerateKeyPair(session, {.label = "x", .id = {1}, .usage = {}}).key).rule == "KEY-GEN-02");
  CHECK(Bad(hsm::GenerateKeyPair(session, {.label = "x", .id = {1}, .usage = hsm::kUnwrappingUsage}).key).message ==
        "key \"x\" cannot unwrap: it is EC P-256");
  CHECK(Bad(hsm::GenerateKeyPair(
                session, {.algorithm = KeyAlgorithm::kRsa2048, .label = "x", .id = {1}, .usage = hsm::kDerivingUsage})
                .key)
            .rule == "KEY-GEN-02");
}

TEST_CASE("transport keys are session objects that go with their session") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  auto login = SoftHsm::Login(token);
  const std::string before = Good(hsm::TakeInventory(login.session())).sha256;
  {
    auto session = Good(hsm::Session::Open(token, hsm::Session::Access::kReadWrite));
    Good(hsm::GenerateKeyPair(session, {.algorithm = KeyAlgorithm::kRsa2048,
                                        .label = "transport",
                                        .id = {1},
                                        .usage = hsm::kUnwrappingUsage,
                                        .lifetime = hsm::Lifetime::kSession})
             .key);
    const auto wrap_key =
        Good(hsm::GenerateWrapKey(session, {.label = "wrap", .id = {2}, .extractable = hsm::Extractable::kYes}).key);
    CHECK(ValueOf(wrap_key.attributes, "CKA_VALUE_LEN") == "32");
    CHECK(ValueOf(wrap_key.attributes, "CKA_TOKEN") == "false");
    CHECK(Good(hsm::TakeInventory(session)).items.size() == 3);
  }
  CHECK(Good(hsm::TakeInventory(login.session())).sha256 == before);
}

TEST_CASE("RSA signs with PKCS#1 and PSS, each with SHA-256, SHA-384 and SHA-512") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  auto login = SoftHsm::Login(token);
  const auto made =
      Good(hsm::GenerateKeyPair(login.session(), {.algorithm = KeyAlgorithm::kRsa2048, .label = "rsa", .id = {1}}).key);
  const SignatureScheme schemes[] = {SignatureScheme::kRsaPkcs1Sha256, SignatureScheme::kRsaPkcs1Sha384,
                                     SignatureScheme::kRsaPkcs1Sha512, SignatureScheme::kRsaPssSha256,
                                     SignatureScheme::kRsaPssSha384,   SignatureScheme::kRsaPssSha512};
  for (const SignatureScheme scheme : schemes) {
    const auto signature =
        Good(hsm::Sign(login.session(), made.pair, scheme, base::AsBytes("m"), Consequence::kLogKey));
    CHECK(signature.size() == 256);
    Good(made.pair.public_key.Verify(scheme, base::AsBytes("m"), signature));
    for (const SignatureScheme other : schemes)
      CHECK(made.pair.public_key.Verify(other, base::AsBytes("m"), signature).ok() == (other == scheme));
  }
  CHECK(Bad(hsm::Sign(login.session(), made.pair, SignatureScheme::kEcdsa, base::AsBytes("m"), Consequence::kLogKey))
            .code == ErrorCode::kInvalidInput);
}

TEST_CASE("signing is announced for a ceremony's key, a proof with all of it, and silent for the log's") {
  const SoftHsm soft;
  auto observer = std::make_shared<support::ListeningObserver>();
  const auto module = soft.Load(observer);
  const auto token = SoftHsm::MakeToken(module, "root");
  auto login = SoftHsm::Login(token);
  const auto made = Good(hsm::GenerateKeyPair(login.session(), {.label = "root", .id = {1}}).key);
  observer->before.clear();
  Good(hsm::Sign(login.session(), made.pair, SignatureScheme::kEcdsa, base::AsBytes("m"), Consequence::kLogKey));
  CHECK(observer->before.empty());
  Good(hsm::Sign(login.session(), made.pair, SignatureScheme::kEcdsa, base::AsBytes("m"), Consequence::kCeremonyKey));
  REQUIRE(observer->before.size() == 1);
  CHECK(observer->before[0].object == "private key \"root\" (id 01)");
  // printf m | sha256sum
  CHECK(observer->before[0].input_sha256 == "62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a");
  CHECK(observer->before[0].input.empty());
  Good(hsm::Sign(login.session(), made.pair, SignatureScheme::kEcdsa, base::AsBytes("m"), Consequence::kProof));
  CHECK(observer->before.back().input == "bQ==");
}

TEST_CASE("a signature that belongs to another key is never returned") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  auto login = SoftHsm::Login(token);
  const auto first = Good(hsm::GenerateKeyPair(login.session(), {.label = "a", .id = {1}}).key);
  const auto second = Good(hsm::GenerateKeyPair(login.session(), {.label = "b", .id = {2}}).key);
  const hsm::KeyPair mixed{first.pair.private_object, first.pair.public_object, second.pair.public_key};
  const auto error =
      Bad(hsm::Sign(login.session(), mixed, SignatureScheme::kEcdsa, base::AsBytes("m"), Consequence::kCeremonyKey));
  CHECK(error.code == ErrorCode::kCorrupt);
  CHECK(error.rule == "KEY-SIGN-01");
}

TEST_CASE("a key that stands twice on a token is ambiguous, by label and by public key") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  auto login = SoftHsm::Login(token);
  const auto first = Good(hsm::GenerateKeyPair(login.session(), {.label = "same", .id = {1}}).key);
  Good(hsm::GenerateKeyPair(login.session(), {.label = "same", .id = {2}}).key);
  CHECK(Bad(hsm::FindPrivateKey(login.session(), "same", {})).rule == "KEY-FIND-02");
  const std::uint8_t id[] = {1};
  CHECK(Good(hsm::FindPrivateKey(login.session(), "same", id)).public_key == first.pair.public_key);
  CHECK(Bad(hsm::FindPrivateKey(login.session(), "other", {})).rule == "KEY-FIND-01");

  // Somebody puts the same public key on the token a second time.
  const base::Bytes point = first.pair.public_key.EcPoint();
  base::Bytes wrapped = {0x04, static_cast<std::uint8_t>(point.size())};
  wrapped.insert(wrapped.end(), point.begin(), point.end());
  hsm::Template copy;
  copy.Number(CKA_CLASS, CKO_PUBLIC_KEY)
      .Number(CKA_KEY_TYPE, CKK_EC)
      .Bool(CKA_TOKEN, true)
      .Text(CKA_LABEL, "stranger")
      .Raw(CKA_EC_PARAMS, base::AsBytes(base::FactsOf(KeyAlgorithm::kEcP256).curve_oid_der))
      .Raw(CKA_EC_POINT, wrapped);
  const hsm::Object stranger = support::MakeObject(login.session(), copy);
  const auto error = Bad(hsm::FindKeyBySpki(login.session(), first.pair.public_key));
  CHECK(error.code == ErrorCode::kAmbiguous);
  CHECK(error.rule == "KEY-FIND-02");
  Good(login.session().Destroy(stranger));
  Good(hsm::FindKeyBySpki(login.session(), first.pair.public_key));
}

TEST_CASE("a destroyed key is gone, also after the module was started again") {
  const SoftHsm soft;
  auto observer = std::make_shared<support::ListeningObserver>();
  const auto module = soft.Load(observer);
  const auto token = SoftHsm::MakeToken(module, "root");
  std::optional<base::PublicKey> public_key;
  {
    auto login = SoftHsm::Login(token);
    const auto made = Good(hsm::GenerateKeyPair(login.session(), {.label = "root", .id = {1}}).key);
    public_key = made.pair.public_key;
    observer->before.clear();
    Good(hsm::DestroyKeyPair(login.session(), made.pair));
    REQUIRE(observer->before.size() == 2);
    CHECK(observer->before[0].object == "private key \"root\" (id 01)");
    CHECK(observer->before[1].object == "public key \"root\" (id 01)");
  }
  Good(module->Reinitialise());
  const auto again = Good(hsm::Token::Locate(module, "root", token->info().serial));
  auto login = SoftHsm::Login(again);
  CHECK(Bad(hsm::FindKeyBySpki(login.session(), *public_key)).code == ErrorCode::kNotFound);
  CHECK(Good(hsm::TakeInventory(login.session())).items.empty());
}

TEST_CASE("a vetoed call is not made") {
  const SoftHsm soft;
  auto observer = std::make_shared<support::ListeningObserver>();
  const auto module = soft.Load(observer);
  const auto token = SoftHsm::MakeToken(module, "root");
  auto login = SoftHsm::Login(token);
  const std::string before = Good(hsm::TakeInventory(login.session())).sha256;
  observer->veto = base::MakeError(ErrorCode::kIo, "the record is full");
  observer->calls.clear();
  const auto made = hsm::GenerateKeyPair(login.session(), {.label = "root", .id = {1}});
  CHECK(made.key.error().message == "the record is full");
  CHECK(made.left_behind.empty());
  CHECK(std::ranges::count(observer->calls, "C_GenerateKeyPair") == 0);
  CHECK(Good(hsm::TakeInventory(login.session())).sha256 == before);
}

TEST_CASE("when the outcome cannot be recorded the key is reported as left behind") {
  const SoftHsm soft;
  auto observer = std::make_shared<support::ListeningObserver>();
  const auto module = soft.Load(observer);
  const auto token = SoftHsm::MakeToken(module, "root");
  auto login = SoftHsm::Login(token);
  observer->refuse_after = base::MakeError(ErrorCode::kIo, "the record is full");
  const auto made = hsm::GenerateKeyPair(login.session(), {.label = "root", .id = {1}});
  REQUIRE_FALSE(made.key.ok());
  CHECK(made.key.error().code == ErrorCode::kIo);
  CHECK(made.key.error().message == "the record is full; left on " + token->Name() +
                                        ": private key \"root\" (id 01) and public key \"root\" (id 01)");
  CHECK(made.left_behind.size() == 2);
}

TEST_CASE("random bytes come from the token") {
  const SoftHsm soft;
  const auto module = soft.Load();
  const auto token = SoftHsm::MakeToken(module, "root");
  auto session = Good(hsm::Session::Open(token, hsm::Session::Access::kReadOnly));
  const auto first = Good(session.GenerateRandom(20));
  CHECK(first.size() == 20);
  CHECK(first != Good(session.GenerateRandom(20)));
  CHECK(Bad(session.GenerateRandom(0)).code == ErrorCode::kInternal);
}

}  // namespace
