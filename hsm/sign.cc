#include "hsm/sign.h"

#include <fmt/format.h>

#include <algorithm>

#include "hsm/base/digest.h"
#include "hsm/consequential.h"
#include "hsm/describe.h"

namespace hsm {
namespace {

using base::DigestAlgorithm;
using base::KeyAlgorithm;
using base::SignatureScheme;

// Larger than any signature we know (RSA 4096: 512 bytes).
constexpr std::size_t kMaxSignature = 4096;

// RFC 8017 section 9.2 note 1: the DigestInfo of SHA-256 before the digest.
constexpr std::uint8_t kSha256DigestInfo[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                              0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

struct CurveDigest {
  KeyAlgorithm algorithm;
  base::Curve curve;
  DigestAlgorithm digest;
};
constexpr CurveDigest kCurveDigests[] = {
    {KeyAlgorithm::kEcP256, base::Curve::kP256, DigestAlgorithm::kSha256},
    {KeyAlgorithm::kEcP384, base::Curve::kP384, DigestAlgorithm::kSha384},
    {KeyAlgorithm::kEcP521, base::Curve::kP521, DigestAlgorithm::kSha512},
};

struct PssHash {
  SignatureScheme scheme;
  DigestAlgorithm digest;
  CK_MECHANISM_TYPE hash;
  CK_ULONG mask;
  CK_ULONG salt;
  CK_MECHANISM_TYPE hashing_mechanism;
};
constexpr PssHash kPssHashes[] = {
    {SignatureScheme::kRsaPssSha256, DigestAlgorithm::kSha256, CKM_SHA256, CKG_MGF1_SHA256, 32,
     CKM_SHA256_RSA_PKCS_PSS},
    {SignatureScheme::kRsaPssSha384, DigestAlgorithm::kSha384, CKM_SHA384, CKG_MGF1_SHA384, 48,
     CKM_SHA384_RSA_PKCS_PSS},
};

// Plan is what the token will be asked to do.
struct Plan {
  CK_MECHANISM_TYPE mechanism = 0;
  CK_RSA_PKCS_PSS_PARAMS pss{};
  bool has_pss = false;
  Bytes data;
  std::string text;  // the mechanism for the record
};

Error DoesNotFit(const KeyPair& key) {
  return base::MakeError(ErrorCode::kInvalidInput,
                         fmt::format("the signature scheme does not fit {}, which is {}", key.private_object.Name(),
                                     base::FactsOf(key.public_key.algorithm()).title));
}

// Takes the first mechanism that works on a digest, else the one that hashes itself.
Result<void> Choose(Token& token, CK_MECHANISM_TYPE plain, CK_MECHANISM_TYPE hashing, Bytes digested, ByteView message,
                    Plan& plan) {
  KC_ASSIGN_OR_RETURN(const bool has_plain, token.HasMechanism(plain));
  KC_ASSIGN_OR_RETURN(const bool has_hashing, token.HasMechanism(hashing));
  if (!has_plain && !has_hashing) {
    return base::MakeError(ErrorCode::kUnsupported, fmt::format("{} has neither {} nor {}", token.Name(),
                                                                MechanismName(plain), MechanismName(hashing)));
  }
  plan.mechanism = has_plain ? plain : hashing;
  plan.data = has_plain ? std::move(digested) : base::ToBytes(message);
  plan.text = MechanismName(plan.mechanism);
  return {};
}

Result<Plan> MakePlan(Token& token, const KeyPair& key, SignatureScheme scheme, ByteView message) {
  const KeyAlgorithm algorithm = key.public_key.algorithm();
  const bool is_rsa = base::FactsOf(algorithm).field_bytes == 0 && algorithm != KeyAlgorithm::kEd25519;
  Plan plan;
  switch (scheme) {
    case SignatureScheme::kEcdsa: {
      const auto row = std::ranges::find(kCurveDigests, algorithm, &CurveDigest::algorithm);
      if (row == std::end(kCurveDigests)) return DoesNotFit(key);
      // Half of all modules have no CKM_ECDSA_SHA256: the host hashes for all of them.
      plan.mechanism = CKM_ECDSA;
      plan.data = base::DigestOf(row->digest, message);
      plan.text = MechanismName(plan.mechanism);
      return plan;
    }
    case SignatureScheme::kEd25519:
      if (algorithm != KeyAlgorithm::kEd25519) return DoesNotFit(key);
      plan.mechanism = CKM_EDDSA;
      plan.data = base::ToBytes(message);
      plan.text = MechanismName(plan.mechanism);
      return plan;
    case SignatureScheme::kRsaPkcs1Sha256: {
      if (!is_rsa) return DoesNotFit(key);
      Bytes digest_info = base::ToBytes(kSha256DigestInfo);
      const Bytes digest = base::DigestOf(DigestAlgorithm::kSha256, message);
      digest_info.insert(digest_info.end(), digest.begin(), digest.end());
      KC_RETURN_IF_ERROR(Choose(token, CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS, std::move(digest_info), message, plan));
      return plan;
    }
    case SignatureScheme::kRsaPssSha256:
    case SignatureScheme::kRsaPssSha384: {
      if (!is_rsa) return DoesNotFit(key);
      const PssHash& row = *std::ranges::find(kPssHashes, scheme, &PssHash::scheme);
      KC_RETURN_IF_ERROR(
          Choose(token, CKM_RSA_PKCS_PSS, row.hashing_mechanism, base::DigestOf(row.digest, message), message, plan));
      plan.pss.hashAlg = row.hash;
      plan.pss.mgf = row.mask;
      plan.pss.sLen = row.salt;
      plan.has_pss = true;
      plan.text += fmt::format(" ({}, MGF1, salt of {} bytes)", MechanismName(row.hash), row.salt);
      return plan;
    }
  }
  return DoesNotFit(key);
}

// The token's bytes in the form of a certificate, and only if they verify.
Result<Bytes> Accept(const KeyPair& key, SignatureScheme scheme, ByteView message, Bytes raw) {
  const auto refuse = [&key](Error error) {
    return std::move(error)
        .Prefixed(fmt::format("the signature of {} does not hold", key.private_object.Name()))
        .WithRule("KEY-SIGN-01");
  };
  if (scheme == SignatureScheme::kEcdsa) {
    const auto row = std::ranges::find(kCurveDigests, key.public_key.algorithm(), &CurveDigest::algorithm);
    Result<Bytes> der = base::RawToLowSDer(row->curve, raw);
    if (!der.ok()) return refuse(std::move(der).error());
    raw = std::move(der).value();
  }
  Result<void> verified = key.public_key.Verify(scheme, message, raw);
  if (!verified.ok()) return refuse(std::move(verified).error());
  return raw;
}

Result<Bytes> CallToken(Session& session, const KeyPair& key, Plan& plan, CallOutcome& outcome) {
  const std::string doing = fmt::format("signing with {} on {}", key.private_object.Name(), session.token().Name());
  CK_MECHANISM mechanism{plan.mechanism, plan.has_pss ? &plan.pss : nullptr, plan.has_pss ? sizeof plan.pss : 0};
  TimedCall(outcome, [&] { return session.api().SignInit(session.handle(), &mechanism, key.private_object.handle()); });
  if (outcome.rv != CKR_OK) return CallError(Function::kSignInit, outcome.rv, doing);
  Bytes signature(kMaxSignature);
  CK_ULONG size = signature.size();
  TimedCall(outcome, [&] {
    return session.api().Sign(session.handle(), plan.data.data(), plan.data.size(), signature.data(), &size);
  });
  if (outcome.rv != CKR_OK) return CallError(Function::kSign, outcome.rv, doing);
  if (size == 0 || size > signature.size())
    return NonsenseError(Function::kSign, fmt::format("a signature of {} bytes", size));
  signature.resize(size);
  return signature;
}

}  // namespace

SignatureScheme DefaultScheme(KeyAlgorithm algorithm) {
  if (algorithm == KeyAlgorithm::kEd25519) return SignatureScheme::kEd25519;
  return base::FactsOf(algorithm).field_bytes != 0 ? SignatureScheme::kEcdsa : SignatureScheme::kRsaPkcs1Sha256;
}

Result<Bytes> Sign(Session& session, const KeyPair& key, SignatureScheme scheme, ByteView message,
                   Consequence consequence) {
  KC_ASSIGN_OR_RETURN(Plan plan, MakePlan(session.token(), key, scheme, message));
  const auto sign = [&](CallOutcome& outcome) -> Result<Bytes> {
    KC_ASSIGN_OR_RETURN(Bytes raw, CallToken(session, key, plan, outcome));
    return Accept(key, scheme, message, std::move(raw));
  };
  if (consequence == Consequence::kLogKey) {
    CallOutcome unheard;
    return sign(unheard);
  }
  ConsequentialCall call = PlanCall(session, Function::kSign);
  call.mechanism = plan.text;
  call.object = key.private_object.Name();
  call.input_sha256 = base::Sha256Hex(message);
  return Perform<Bytes>(session.token().module().observer(), call, sign);
}

}  // namespace hsm
