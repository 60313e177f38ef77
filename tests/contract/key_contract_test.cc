// Keys at work: what every make must do, the fake too.
#include <doctest/doctest.h>

#include "hsm/base/digest.h"
#include "hsm/object.h"
#include "hsm/quirks.h"
#include "tests/contract/raw_token.h"
#include "tests/contract/world_under_test.h"

namespace contract {
namespace {

base::PublicKey EcKey(RawToken& token, CK_OBJECT_HANDLE object) {
  return base::PublicKey::FromEcPoint(base::Curve::kP256, RawPoint(token.Get(object, CKA_EC_POINT))).value();
}

hsm::Quirks QuirksOf(RawToken& token, const support::TokenWorld& world) {
  CK_INFO info;
  REQUIRE(token.api().GetInfo(&info) == CKR_OK);
  const auto text = [](const CK_UTF8CHAR* field) { return std::string(reinterpret_cast<const char*>(field), 32); };
  return hsm::QuirksOf(text(info.manufacturerID), text(info.libraryDescription), world.options().path);
}

Template AesPart(bool extractable) {
  Template part;
  part.Bool(CKA_TOKEN, false).Bool(CKA_PRIVATE, true).Bool(CKA_SENSITIVE, true).Bool(CKA_EXTRACTABLE, extractable);
  part.Bool(CKA_WRAP, true).Bool(CKA_UNWRAP, true).Bool(CKA_ENCRYPT, false).Bool(CKA_DECRYPT, false);
  return part;
}

CK_OBJECT_HANDLE MakeAes(RawToken& token, bool extractable) {
  Template part = AesPart(extractable);
  part.Number(CKA_VALUE_LEN, 32);
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE key = 0;
  const auto native = part.Native();
  REQUIRE(token.api().GenerateKey(token.session(), &mechanism, native.data(), native.size(), &key) == CKR_OK);
  return key;
}

Bytes Wrap(RawToken& token, CK_MECHANISM& mechanism, CK_OBJECT_HANDLE with, CK_OBJECT_HANDLE what, CK_RV* rv) {
  Bytes out(4096);
  CK_ULONG size = out.size();
  *rv = token.api().WrapKey(token.session(), &mechanism, with, what, out.data(), &size);
  out.resize(*rv == CKR_OK ? size : 0);
  return out;
}

CK_RV Unwrap(RawToken& token, CK_MECHANISM& mechanism, CK_OBJECT_HANDLE with, Bytes wrapped, const Template& part,
             CK_OBJECT_HANDLE* key) {
  const auto native = part.Native();
  return token.api().UnwrapKey(token.session(), &mechanism, with, wrapped.data(), wrapped.size(), native.data(),
                               native.size(), key);
}

// Whether two AES keys in the token are one: they wrap a third key to the same bytes.
bool SameAes(RawToken& token, CK_MECHANISM& mechanism, CK_OBJECT_HANDLE one, CK_OBJECT_HANDLE two) {
  const CK_OBJECT_HANDLE probe = MakeAes(token, true);
  CK_RV first = CKR_OK, second = CKR_OK;
  const Bytes a = Wrap(token, mechanism, one, probe, &first);
  const Bytes b = Wrap(token, mechanism, two, probe, &second);
  REQUIRE(first == CKR_OK);
  REQUIRE(second == CKR_OK);
  return a == b;
}

}  // namespace

TEST_CASE("ECDSA signatures are r and s of full width and verify in software") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  const RawToken::Pair pair = token.GenerateP256(false, 1);
  const base::PublicKey key = EcKey(token, pair.public_key);
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  const Bytes digest = base::DigestOf(base::DigestAlgorithm::kSha256, base::AsBytes("message"));
  for (int i = 0; i < 8; ++i) {
    CK_RV rv = CKR_OK;
    const Bytes raw = token.Sign(mechanism, pair.private_key, digest, &rv);
    REQUIRE(rv == CKR_OK);
    CHECK(raw.size() == 64);
    const Bytes der = base::RawToLowSDer(base::Curve::kP256, raw).value();
    CHECK(key.Verify(base::SignatureScheme::kEcdsa, base::AsBytes("message"), der).ok());
  }
}

TEST_CASE("a signature is sized first, and a short buffer does not end the operation") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  const RawToken::Pair pair = token.GenerateP256(false, 1);
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  Bytes digest(32, 0x5a), signature(64);
  CK_ULONG size = 0;
  CHECK(token.api().Sign(token.session(), digest.data(), digest.size(), signature.data(), &size) ==
        CKR_OPERATION_NOT_INITIALIZED);
  REQUIRE(token.api().SignInit(token.session(), &mechanism, pair.private_key) == CKR_OK);
  CHECK(token.api().SignInit(token.session(), &mechanism, pair.private_key) == CKR_OPERATION_ACTIVE);
  CHECK(token.api().Sign(token.session(), digest.data(), digest.size(), nullptr, &size) == CKR_OK);
  CHECK(size >= 64);
  if (world->ways().keeps_operation_after_short_buffer) {
    size = 10;
    CHECK(token.api().Sign(token.session(), digest.data(), digest.size(), signature.data(), &size) ==
          CKR_BUFFER_TOO_SMALL);
  }
  size = signature.size();
  CHECK(token.api().Sign(token.session(), digest.data(), digest.size(), signature.data(), &size) == CKR_OK);
  CHECK(size == 64);
  CHECK(token.api().Sign(token.session(), digest.data(), digest.size(), signature.data(), &size) ==
        CKR_OPERATION_NOT_INITIALIZED);
}

TEST_CASE("a key does only what its flags allow, and only with its own mechanisms") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  Template public_part = PublicPart(false, 1, CKA_VERIFY);
  public_part.Raw(CKA_EC_PARAMS, P256Params());
  const RawToken::Pair pair =
      token.Generate(CKM_EC_KEY_PAIR_GEN, public_part, PrivatePart(false, 1, CKA_DERIVE, false));
  REQUIRE(pair.rv == CKR_OK);
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  CHECK(token.api().SignInit(token.session(), &mechanism, pair.private_key) == world->ways().wrong_usage);
  const RawToken::Pair signer = token.GenerateP256(false, 2);
  CK_MECHANISM unknown{0x7ffffff1, nullptr, 0};
  CHECK(token.api().SignInit(token.session(), &unknown, signer.private_key) == CKR_MECHANISM_INVALID);
  CHECK(token.api().SignInit(token.session(), &mechanism, 0x7fffff) == world->ways().unknown_key);
  CK_RV rv = CKR_OK;
  CHECK(token.Sign(mechanism, signer.private_key, Bytes(32, 1), &rv).size() == 64);
  CK_MECHANISM rsa{CKM_RSA_PKCS, nullptr, 0};
  CHECK(token.api().SignInit(token.session(), &rsa, signer.private_key) == world->ways().wrong_key_type);
}

TEST_CASE("no key pair comes of a template without a curve, or of an unknown curve") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  const Template private_part = PrivatePart(true, 1, CKA_SIGN, false);
  CHECK(token.Generate(CKM_EC_KEY_PAIR_GEN, PublicPart(true, 1, CKA_VERIFY), private_part).rv != CKR_OK);
  Template unknown = PublicPart(true, 1, CKA_VERIFY);
  unknown.Raw(CKA_EC_PARAMS, Bytes{0x06, 0x03, 0x2a, 0x03, 0x04});
  CHECK(token.Generate(CKM_EC_KEY_PAIR_GEN, unknown, private_part).rv != CKR_OK);
  CHECK(token.Generate(0x7ffffff1, unknown, private_part).rv == CKR_MECHANISM_INVALID);
  CHECK(token.Find(token.session(), Template()).empty());
}

TEST_CASE("RSA signs with PKCS#1 and with PSS") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  Template public_part = PublicPart(false, 1, CKA_VERIFY);
  public_part.Number(CKA_MODULUS_BITS, 2048).Raw(CKA_PUBLIC_EXPONENT, Bytes{1, 0, 1});
  const RawToken::Pair pair =
      token.Generate(CKM_RSA_PKCS_KEY_PAIR_GEN, public_part, PrivatePart(false, 1, CKA_SIGN, false));
  REQUIRE(pair.rv == CKR_OK);
  const base::PublicKey key =
      base::PublicKey::FromRsa(token.Get(pair.public_key, CKA_MODULUS), token.Get(pair.public_key, CKA_PUBLIC_EXPONENT))
          .value();
  CK_RV rv = CKR_OK;
  CK_MECHANISM pkcs1{CKM_SHA256_RSA_PKCS, nullptr, 0};
  const Bytes signature = token.Sign(pkcs1, pair.private_key, base::AsBytes("message"), &rv);
  REQUIRE(rv == CKR_OK);
  CHECK(key.Verify(base::SignatureScheme::kRsaPkcs1Sha256, base::AsBytes("message"), signature).ok());
  CK_RSA_PKCS_PSS_PARAMS params{CKM_SHA256, CKG_MGF1_SHA256, 32};
  CK_MECHANISM pss{CKM_RSA_PKCS_PSS, &params, sizeof params};
  const Bytes digest = base::DigestOf(base::DigestAlgorithm::kSha256, base::AsBytes("message"));
  const Bytes second = token.Sign(pss, pair.private_key, digest, &rv);
  REQUIRE(rv == CKR_OK);
  CHECK(key.Verify(base::SignatureScheme::kRsaPssSha256, base::AsBytes("message"), second).ok());
}

TEST_CASE("Ed25519 signs the message itself") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  if (!token.Has(CKM_EDDSA) || !token.Has(CKM_EC_EDWARDS_KEY_PAIR_GEN)) return;
  const bool oid = QuirksOf(token, *world).edwards_params == hsm::EdwardsParams::kOid;
  Template public_part = PublicPart(false, 1, CKA_VERIFY);
  const std::string_view name(
      "\x13\x0c"
      "edwards25519",
      14);
  public_part.Raw(CKA_EC_PARAMS, oid ? Bytes{0x06, 0x03, 0x2b, 0x65, 0x70} : base::ToBytes(base::AsBytes(name)));
  const RawToken::Pair pair =
      token.Generate(CKM_EC_EDWARDS_KEY_PAIR_GEN, public_part, PrivatePart(false, 1, CKA_SIGN, false));
  REQUIRE(pair.rv == CKR_OK);
  const Bytes point = hsm::DecodeEcPoint(token.Get(pair.public_key, CKA_EC_POINT), 32).value();
  CK_RV rv = CKR_OK;
  CK_MECHANISM mechanism{CKM_EDDSA, nullptr, 0};
  const Bytes signature = token.Sign(mechanism, pair.private_key, base::AsBytes("message"), &rv);
  REQUIRE(rv == CKR_OK);
  CHECK(base::PublicKey::FromEd25519(point)
            ->Verify(base::SignatureScheme::kEd25519, base::AsBytes("message"), signature)
            .ok());
}

TEST_CASE("an extractable key goes out under AES-KWP and comes back as the same key; a sealed one does not") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  const hsm::Quirks quirks = QuirksOf(token, *world);
  if (!token.Has(quirks.kwp_mechanism)) return;
  Template public_part = PublicPart(false, 1, CKA_VERIFY);
  public_part.Raw(CKA_EC_PARAMS, P256Params());
  const RawToken::Pair pair = token.Generate(CKM_EC_KEY_PAIR_GEN, public_part, PrivatePart(false, 1, CKA_SIGN, true));
  REQUIRE(pair.rv == CKR_OK);
  const CK_OBJECT_HANDLE aes = MakeAes(token, false);
  CK_MECHANISM kwp{quirks.kwp_mechanism, nullptr, 0};
  CK_RV rv = CKR_OK;
  const Bytes wrapped = Wrap(token, kwp, aes, pair.private_key, &rv);
  REQUIRE(rv == CKR_OK);
  CHECK(wrapped.size() % 8 == 0);
  Template part = PrivatePart(false, 9, CKA_SIGN, false);
  part.Number(CKA_CLASS, CKO_PRIVATE_KEY).Number(CKA_KEY_TYPE, CKK_EC);
  if (quirks.unwrap_needs_nss_db) part.Raw(CKA_NSS_DB, RawPoint(token.Get(pair.public_key, CKA_EC_POINT)));
  CK_OBJECT_HANDLE clone = 0;
  REQUIRE(Unwrap(token, kwp, aes, wrapped, part, &clone) == CKR_OK);
  CHECK_FALSE(token.GetBool(clone, CKA_LOCAL));
  CHECK_FALSE(token.GetBool(clone, CKA_ALWAYS_SENSITIVE));
  CHECK_FALSE(token.GetBool(clone, CKA_NEVER_EXTRACTABLE));
  CHECK(token.GetBool(clone, CKA_SENSITIVE));
  CHECK_FALSE(token.GetBool(clone, CKA_EXTRACTABLE));

  CK_MECHANISM ecdsa{CKM_ECDSA, nullptr, 0};
  const Bytes digest = base::DigestOf(base::DigestAlgorithm::kSha256, base::AsBytes("message"));
  const Bytes raw = token.Sign(ecdsa, clone, digest, &rv);
  REQUIRE(rv == CKR_OK);
  CHECK(EcKey(token, pair.public_key)
            .Verify(base::SignatureScheme::kEcdsa, base::AsBytes("message"),
                    base::RawToLowSDer(base::Curve::kP256, raw).value())
            .ok());
  Wrap(token, kwp, aes, clone, &rv);
  CHECK(rv == (quirks.seal_is_not_kept ? rv : CKR_KEY_UNEXTRACTABLE));

  Bytes spoiled = wrapped;
  spoiled[5] ^= 1;
  CHECK(Unwrap(token, kwp, aes, spoiled, part, &clone) != CKR_OK);
  spoiled = wrapped;
  spoiled.pop_back();
  CHECK(Unwrap(token, kwp, aes, spoiled, part, &clone) != CKR_OK);
}

TEST_CASE("an AES key travels under RSA-OAEP") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  const hsm::Quirks quirks = QuirksOf(token, *world);
  if (!token.Has(CKM_RSA_PKCS_OAEP) || !token.Has(quirks.kwp_mechanism)) return;
  Template public_part = PublicPart(false, 1, CKA_WRAP);
  public_part.Number(CKA_MODULUS_BITS, 2048).Raw(CKA_PUBLIC_EXPONENT, Bytes{1, 0, 1});
  const RawToken::Pair pair =
      token.Generate(CKM_RSA_PKCS_KEY_PAIR_GEN, public_part, PrivatePart(false, 1, CKA_UNWRAP, false));
  REQUIRE(pair.rv == CKR_OK);
  const CK_OBJECT_HANDLE aes = MakeAes(token, true);
  CK_MECHANISM kwp{quirks.kwp_mechanism, nullptr, 0};
  for (const CK_MECHANISM_TYPE hash : quirks.oaep_hashes) {
    CK_RSA_PKCS_OAEP_PARAMS params{hash, hash == CKM_SHA_1 ? CKG_MGF1_SHA1 : CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED,
                                   nullptr, 0};
    CK_MECHANISM oaep{CKM_RSA_PKCS_OAEP, &params, sizeof params};
    CK_RV rv = CKR_OK;
    const Bytes wrapped = Wrap(token, oaep, pair.public_key, aes, &rv);
    REQUIRE(rv == CKR_OK);
    CHECK(wrapped.size() == 256);
    Template part = AesPart(false);
    part.Number(CKA_CLASS, CKO_SECRET_KEY).Number(CKA_KEY_TYPE, CKK_AES);
    CK_OBJECT_HANDLE arrived = 0;
    REQUIRE(Unwrap(token, oaep, pair.private_key, wrapped, part, &arrived) == CKR_OK);
    CHECK(SameAes(token, kwp, aes, arrived));
  }
}

TEST_CASE("two sides derive one AES key by ECDH") {
  const auto world = NewWorld();
  RawToken token(*world, LogIn::kYes);
  const hsm::Quirks quirks = QuirksOf(token, *world);
  if (!token.Has(CKM_ECDH1_DERIVE) || !token.Has(quirks.kwp_mechanism)) return;
  const auto make = [&](std::uint8_t id) {
    Template public_part = PublicPart(false, id, CKA_DERIVE);
    public_part.Raw(CKA_EC_PARAMS, P256Params());
    return token.Generate(CKM_EC_KEY_PAIR_GEN, public_part, PrivatePart(false, id, CKA_DERIVE, false));
  };
  const RawToken::Pair one = make(1), two = make(2);
  REQUIRE(one.rv == CKR_OK);
  REQUIRE(two.rv == CKR_OK);
  const auto derive = [&](const RawToken::Pair& mine, const RawToken::Pair& theirs) {
    Bytes point = RawPoint(token.Get(theirs.public_key, CKA_EC_POINT));
    CK_ECDH1_DERIVE_PARAMS params{CKD_NULL, 0, nullptr, point.size(), point.data()};
    CK_MECHANISM mechanism{CKM_ECDH1_DERIVE, &params, sizeof params};
    Template part = AesPart(false);
    part.Number(CKA_CLASS, CKO_SECRET_KEY).Number(CKA_KEY_TYPE, CKK_AES).Number(CKA_VALUE_LEN, 32);
    const auto native = part.Native();
    CK_OBJECT_HANDLE key = 0;
    REQUIRE(token.api().DeriveKey(token.session(), &mechanism, mine.private_key, native.data(), native.size(), &key) ==
            CKR_OK);
    return key;
  };
  CK_MECHANISM kwp{quirks.kwp_mechanism, nullptr, 0};
  CHECK(SameAes(token, kwp, derive(one, two), derive(two, one)));
}

}  // namespace contract
