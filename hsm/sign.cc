#include "hsm/sign.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/rsa_scheme.h"
#include "hsm/consequential.h"
#include "hsm/describe.h"
#include "hsm/key_pair_mechanism.h"
#include "hsm/pin_rules.h"

namespace hsm {
namespace {

using base::DigestAlgorithm;
using base::KeyAlgorithm;
using base::KeyFamily;
using base::SignatureScheme;
using std::string_view_literals::operator""sv;

// Larger than any signature we know (RSA 4096: 512 bytes).
constexpr std::size_t kMaxSignature = 4096;
constexpr CK_ULONG kMostThrownAway = 1u << 20;

// HashRow is what PKCS#11 and RFC 8017 section 9.2 note 1 call a digest: the octets of its DigestInfo before it.
struct HashRow {
  DigestAlgorithm digest;
  CK_MECHANISM_TYPE hash;
  CK_RSA_PKCS_MGF_TYPE mask;
  CK_ULONG size;
  CK_MECHANISM_TYPE pkcs1_hashing;
  CK_MECHANISM_TYPE pss_hashing;
  std::string_view info;
};
constexpr HashRow kHashes[] = {
    {DigestAlgorithm::kSha256, CKM_SHA256, CKG_MGF1_SHA256, 32, CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS,
     "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"sv},
    {DigestAlgorithm::kSha384, CKM_SHA384, CKG_MGF1_SHA384, 48, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS,
     "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"sv},
    {DigestAlgorithm::kSha512, CKM_SHA512, CKG_MGF1_SHA512, 64, CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS,
     "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"sv},
};
const HashRow& RowOf(DigestAlgorithm digest) { return *std::ranges::find(kHashes, digest, &HashRow::digest); }

struct RsaMechanisms {
  CK_MECHANISM_TYPE plain;
  CK_MECHANISM_TYPE hashing;
};
RsaMechanisms MechanismsOf(const base::RsaSchemeFacts& scheme) {
  const HashRow& row = RowOf(scheme.digest);
  if (scheme.padding == base::RsaPadding::kPss) return {CKM_RSA_PKCS_PSS, row.pss_hashing};
  return {CKM_RSA_PKCS, row.pkcs1_hashing};
}

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

// Takes the mechanism that works on a digest where the token signs by it, else the one that hashes itself.
Result<void> Choose(Token& token, const RsaMechanisms& choice, Bytes digested, ByteView message, Plan& plan) {
  KC_ASSIGN_OR_RETURN(const bool signs_digests, token.Can(choice.plain, CKF_SIGN));
  if (!signs_digests) {
    KC_ASSIGN_OR_RETURN(const bool hashes, token.Can(choice.hashing, CKF_SIGN));
    if (!hashes) {
      return base::MakeError(ErrorCode::kUnsupported,
                             fmt::format("{} signs neither by {} nor by {}", token.Name(), MechanismName(choice.plain),
                                         MechanismName(choice.hashing)));
    }
  }
  plan.mechanism = signs_digests ? choice.plain : choice.hashing;
  plan.data = signs_digests ? std::move(digested) : base::ToBytes(message);
  plan.text = MechanismName(plan.mechanism);
  return {};
}

Result<void> PlanRsa(Token& token, const base::RsaSchemeFacts& scheme, ByteView message, Plan& plan) {
  const HashRow& row = RowOf(scheme.digest);
  Bytes digested = base::DigestOf(scheme.digest, message);
  plan.has_pss = scheme.padding == base::RsaPadding::kPss;
  if (!plan.has_pss) digested.insert(digested.begin(), row.info.begin(), row.info.end());
  KC_RETURN_IF_ERROR(Choose(token, MechanismsOf(scheme), std::move(digested), message, plan));
  if (!plan.has_pss) return {};
  plan.pss.hashAlg = row.hash;
  plan.pss.mgf = row.mask;
  plan.pss.sLen = row.size;
  plan.text += fmt::format(" ({}, MGF1, salt of {} bytes)", MechanismName(row.hash), row.size);
  return {};
}

Result<Plan> MakePlan(Token& token, const KeyPair& key, SignatureScheme scheme, ByteView message) {
  const base::KeyAlgorithmFacts& facts = base::FactsOf(key.public_key.algorithm());
  Plan plan;
  if (const base::RsaSchemeFacts* rsa = base::FindRsaScheme(scheme)) {
    if (facts.family != KeyFamily::kRsa) return DoesNotFit(key);
    KC_RETURN_IF_ERROR(PlanRsa(token, *rsa, message, plan));
    return plan;
  }
  if (scheme == SignatureScheme::kEd25519) {
    if (facts.family != KeyFamily::kEdwards) return DoesNotFit(key);
    plan.data = base::ToBytes(message);
  } else {
    if (facts.family != KeyFamily::kEc) return DoesNotFit(key);
    // Half of all modules have no CKM_ECDSA_SHA256: the host hashes for all of them.
    plan.data = base::DigestOf(facts.ecdsa_digest, message);
  }
  plan.mechanism = KeyPairMechanismOf(facts.algorithm).signs;
  plan.text = MechanismName(plan.mechanism);
  return plan;
}

// The token's bytes in the form of a certificate, and only if they verify.
Result<Bytes> Accept(const KeyPair& key, SignatureScheme scheme, ByteView message, Bytes raw) {
  const auto refuse = [&key](Error error) {
    return std::move(error)
        .Prefixed(fmt::format("the signature of {} does not hold", key.private_object.Name()))
        .WithRule("KEY-SIGN-01");
  };
  if (scheme == SignatureScheme::kEcdsa) {
    Result<Bytes> der = base::RawToLowSDer(*base::FactsOf(key.public_key.algorithm()).curve, raw);
    if (!der.ok()) return refuse(std::move(der).error());
    raw = std::move(der).value();
  }
  Result<void> verified = key.public_key.Verify(scheme, message, raw);
  if (!verified.ok()) return refuse(std::move(verified).error());
  return raw;
}

Result<bool> AsksEachTime(Session& session, const Object& private_key) {
  const CK_ATTRIBUTE_TYPE types[] = {CKA_ALWAYS_AUTHENTICATE};
  KC_ASSIGN_OR_RETURN(const AttributeSet attributes, session.ReadAttributes(private_key.handle(), types));
  return attributes.Bool(CKA_ALWAYS_AUTHENTICATE) == true;
}

// The login that a key wants for the operation that was begun (2.40 section 5.6, C_Login).
Result<void> Authenticate(Session& session, const base::SecretBytes& pin, const std::string& doing) {
  const CK_RV rv = session.api().Login(session.handle(), CKU_CONTEXT_SPECIFIC, PinPointer(pin), pin.size());
  if (rv != CKR_OK) return CallError(Function::kLogin, rv, doing + ", for which the key wants its PIN again");
  return {};
}

// A signature that did not fit leaves the operation open, and the session signs nothing else: it is fetched and thrown
// away.
void EndOperation(Session& session, Plan& plan, CK_ULONG size) {
  if (size > kMostThrownAway) return;
  Bytes too_long(size);
  static_cast<void>(session.api().Sign(session.handle(), plan.data.data(), plan.data.size(), too_long.data(), &size));
}

// `pin` is given where the key wants it between the two calls.
Result<Bytes> CallToken(Session& session, const KeyPair& key, Plan& plan, const base::SecretBytes* pin,
                        CallOutcome& outcome) {
  const std::string doing = fmt::format("signing with {} on {}", key.private_object.Name(), session.token().Name());
  CK_MECHANISM mechanism{plan.mechanism, plan.has_pss ? &plan.pss : nullptr, plan.has_pss ? sizeof plan.pss : 0};
  TimedCall(outcome, [&] { return session.api().SignInit(session.handle(), &mechanism, key.private_object.handle()); });
  if (outcome.rv != CKR_OK) {
    outcome.problem = "C_SignInit returned it, and C_Sign was not called";
    return CallError(Function::kSignInit, outcome.rv, doing);
  }
  if (pin != nullptr) {
    if (auto let_in = Authenticate(session, *pin, doing); !let_in.ok()) {
      outcome.rv = let_in.error().rv.value_or(CKR_GENERAL_ERROR);
      outcome.problem = "the login for this signature ended with it, and C_Sign was not called";
      return std::move(let_in).error();
    }
  }
  Bytes signature(kMaxSignature);
  CK_ULONG size = signature.size();
  TimedCall(outcome, [&] {
    return session.api().Sign(session.handle(), plan.data.data(), plan.data.size(), signature.data(), &size);
  });
  if (outcome.rv == CKR_BUFFER_TOO_SMALL) EndOperation(session, plan, size);
  if (outcome.rv == CKR_USER_NOT_LOGGED_IN && pin == nullptr) {
    return CallError(Function::kSign, outcome.rv, doing)
        .WithRule("KEY-SIGN-02")
        .WithHint(
            "a key that asks for its PIN before each signature (CKA_ALWAYS_AUTHENTICATE) is for a custodian's own "
            "card");
  }
  if (outcome.rv != CKR_OK) return CallError(Function::kSign, outcome.rv, doing);
  if (size == 0 || size > signature.size())
    return NonsenseError(Function::kSign, fmt::format("a signature of {} bytes", size));
  signature.resize(size);
  return signature;
}

}  // namespace

std::vector<CK_MECHANISM_TYPE> SigningMechanisms(SignatureScheme scheme) {
  if (const base::RsaSchemeFacts* rsa = base::FindRsaScheme(scheme)) {
    const RsaMechanisms choice = MechanismsOf(*rsa);
    return {choice.plain, choice.hashing};
  }
  return {scheme == SignatureScheme::kEd25519 ? CKM_EDDSA : CKM_ECDSA};
}

SignatureScheme DefaultScheme(KeyAlgorithm algorithm) {
  switch (base::FactsOf(algorithm).family) {
    case KeyFamily::kEc:
      return SignatureScheme::kEcdsa;
    case KeyFamily::kEdwards:
      return SignatureScheme::kEd25519;
    case KeyFamily::kRsa:
      break;
  }
  return SignatureScheme::kRsaPkcs1Sha256;
}

Result<Bytes> Sign(Session& session, const KeyPair& key, SignatureScheme scheme, ByteView message,
                   Consequence consequence, const base::SecretBytes* pin) {
  KC_ASSIGN_OR_RETURN(Plan plan, MakePlan(session.token(), key, scheme, message));
  if (pin != nullptr) {
    KC_ASSIGN_OR_RETURN(const bool asks, AsksEachTime(session, key.private_object));
    if (!asks) pin = nullptr;
  }
  const auto sign = [&](CallOutcome& outcome) -> Result<Bytes> {
    KC_ASSIGN_OR_RETURN(Bytes raw, CallToken(session, key, plan, pin, outcome));
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
  if (consequence == Consequence::kProof) call.input = base::Base64Encode(message);
  return Perform<Bytes>(session.token().module().observer(), call, sign);
}

}  // namespace hsm
