#include "hsm/keygen.h"

#include <fmt/format.h>

#include <algorithm>

#include "hsm/base/big_endian.h"
#include "hsm/base/encoding.h"
#include "hsm/consequential.h"
#include "hsm/describe.h"
#include "hsm/keygen_plan.h"

namespace hsm {
namespace {

constexpr std::size_t kMaxLabel = 255;
constexpr std::size_t kMaxId = 64;

Result<void> CheckName(const std::string& label, const Bytes& id) {
  if (label.empty() || label.size() > kMaxLabel) {
    return base::Refusal("KEY-GEN-01",
                         fmt::format("key label \"{}\" has {} bytes, 1 to {} fit", label, label.size(), kMaxLabel));
  }
  if (id.empty() || id.size() > kMaxId) {
    return base::Refusal("KEY-GEN-01",
                         fmt::format("the id of key \"{}\" has {} bytes, 1 to {} fit", label, id.size(), kMaxId));
  }
  return {};
}

Result<void> CheckUsage(const KeyPairSpec& spec) {
  const KeyUsage& asked = spec.usage;
  const KeyUsage& possible = KeyPairMechanismOf(spec.algorithm).possible;
  const std::string_view title = base::FactsOf(spec.algorithm).title;
  if (!asked.sign && !asked.unwrap && !asked.derive) {
    return base::Refusal("KEY-GEN-02", fmt::format("key \"{}\" is for nothing: no usage was asked", spec.label));
  }
  std::string wrong;
  if (asked.sign && !possible.sign) wrong = "sign";
  if (asked.unwrap && !possible.unwrap) wrong = "unwrap";
  if (asked.derive && !possible.derive) wrong = "derive";
  if (wrong.empty()) return {};
  return base::Refusal("KEY-GEN-02", fmt::format("key \"{}\" cannot {}: it is {}", spec.label, wrong, title));
}

Result<void> CheckToken(Session& session, CK_MECHANISM_TYPE mechanism, const std::string& label, const Bytes& id) {
  KC_ASSIGN_OR_RETURN(const bool able, session.token().HasMechanism(mechanism));
  if (!able) {
    return base::MakeError(ErrorCode::kUnsupported,
                           fmt::format("{} cannot make key \"{}\": it has no {}", session.token().Name(), label,
                                       MechanismName(mechanism)))
        .WithHint("`keyceremony token probe` lists what this token can do");
  }
  // Tokens accept a second key pair with the same label and id; we must not.
  Template same_id;
  same_id.Raw(CKA_ID, id);
  KC_ASSIGN_OR_RETURN(const std::vector<CK_OBJECT_HANDLE> taken, session.FindHandles(same_id));
  if (taken.empty()) return {};
  KC_ASSIGN_OR_RETURN(const Object object, session.ReadObject(taken.front()));
  return base::Refusal("KEY-GEN-03", fmt::format("id {} of the new key \"{}\" is taken on {} by {}",
                                                 base::HexEncode(id), label, session.token().Name(), object.Name()));
}

// The types to read back: what was stated, and what the token adds by itself.
std::vector<CK_ATTRIBUTE_TYPE> ToRead(const Template& stated, const Template& added,
                                      std::initializer_list<CK_ATTRIBUTE_TYPE> more) {
  std::vector<CK_ATTRIBUTE_TYPE> types = stated.Types();
  for (const CK_ATTRIBUTE_TYPE type : added.Types()) types.push_back(type);
  types.insert(types.end(), more);
  std::ranges::sort(types);
  types.erase(std::unique(types.begin(), types.end()), types.end());
  return types;
}

Error NamingLeftBehind(Error error, const Session& session, const std::vector<Object>& left_behind) {
  if (left_behind.empty()) return error;
  error.message += fmt::format("; left on {}: {}", session.token().Name(), NamesOf(left_behind));
  return error;
}

Error DifferenceError(const std::string& label, const std::vector<AttributeDifference>& differences) {
  return base::MakeError(ErrorCode::kCorrupt,
                         fmt::format("key \"{}\" is not what was asked: {}", label, InWords(differences)))
      .WithRule(differences.front().rule)
      .WithHint("do not use this key: destroy it, and look at what the module does with templates");
}

// The public key that was asked for, with nothing between the lines.
void ComparePublicKey(const KeyPairSpec& spec, const AttributeSet& public_attributes,
                      const AttributeSet& private_attributes, std::optional<base::PublicKey>& public_key,
                      std::vector<AttributeDifference>& differences) {
  Result<base::PublicKey> shown = ReadPublicKey(public_attributes);
  if (!shown.ok()) {
    differences.push_back({"KEY-ATTR-11", "the public object has no usable public key: " + shown.error().message});
    return;
  }
  if (shown->algorithm() != spec.algorithm) {
    differences.push_back(
        {"KEY-ATTR-11", fmt::format("the public key is {}, {} was asked", base::FactsOf(shown->algorithm()).title,
                                    base::FactsOf(spec.algorithm).title)});
  }
  const Template stated = FullPublicTemplate(spec, AllQuirks().back());
  if (stated.Has(CKA_PUBLIC_EXPONENT)) {
    const ByteView exponent = public_attributes.Value(CKA_PUBLIC_EXPONENT);
    if (!std::ranges::equal(base::StripZeros(exponent), stated.Value(CKA_PUBLIC_EXPONENT))) {
      differences.push_back(
          {"KEY-ATTR-11", fmt::format("the public exponent is {}, 010001 was asked", base::HexEncode(exponent))});
    }
  }
  const Result<base::PublicKey> twin = ReadPublicKey(private_attributes);
  if (twin.ok() && !(*twin == *shown)) {
    differences.push_back({"KEY-ATTR-12", fmt::format("the private object has public key {}, the public object {}",
                                                      twin->SpkiSha256Hex(), shown->SpkiSha256Hex())});
  } else if (!twin.ok() && twin.error().code != ErrorCode::kNotFound) {
    differences.push_back({"KEY-ATTR-12", "the public key in the private object is unusable: " + twin.error().message});
  }
  public_key = std::move(shown).value();
}

Description Joined(Description first, const Description& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// PairPlan is what a pair is to be: what the call states, and what the token adds by itself.
struct PairPlan {
  const KeyPairMechanism& how;
  Template public_stated, private_stated;
  Template public_added, private_added;
};

PairPlan PlanPair(const KeyPairSpec& spec, const Quirks& quirks) {
  const KeyPairMechanism& how = KeyPairMechanismOf(spec.algorithm);
  Template public_added;
  public_added.Bool(CKA_LOCAL, true).Number(CKA_KEY_GEN_MECHANISM, how.generates);
  return {how, PublicTemplate(spec, quirks), PrivateTemplate(spec, quirks), std::move(public_added),
          AddedByToken(spec.extractable, how.generates)};
}

struct PairHandles {
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE private_key = CK_INVALID_HANDLE;
};

CK_RV CallGenerateKeyPair(Session& session, const PairPlan& plan, PairHandles& made) {
  CK_MECHANISM mechanism{plan.how.generates, nullptr, 0};
  const std::span<CK_ATTRIBUTE> public_native = plan.public_stated.Native();
  const std::span<CK_ATTRIBUTE> private_native = plan.private_stated.Native();
  return session.api().GenerateKeyPair(session.handle(), &mechanism, public_native.data(), public_native.size(),
                                       private_native.data(), private_native.size(), &made.public_key,
                                       &made.private_key);
}

// Reads both objects back and compares them with the plan. They are in `left_behind` once both were read.
Result<GeneratedKey> ReadPairBack(Session& session, const KeyPairSpec& spec, const PairPlan& plan,
                                  const PairHandles& made, CallOutcome& outcome, std::vector<Object>& left_behind) {
  const bool rsa = plan.how.key_type == CKK_RSA;
  const CK_ATTRIBUTE_TYPE material = rsa ? CKA_MODULUS : CKA_EC_POINT;
  const CK_ATTRIBUTE_TYPE parameters = rsa ? CKA_PUBLIC_EXPONENT : CKA_EC_PARAMS;
  const auto read = [&](CK_OBJECT_HANDLE handle, const Template& full, const Template& added) {
    return session.ReadAttributes(handle, ToRead(full, added, {material, parameters, CKA_PUBLIC_KEY_INFO}));
  };
  KC_ASSIGN_OR_RETURN(const AttributeSet public_attributes,
                      read(made.public_key, FullPublicTemplate(spec, session.quirks()), plan.public_added));
  KC_ASSIGN_OR_RETURN(const AttributeSet private_attributes,
                      read(made.private_key, FullPrivateTemplate(spec), plan.private_added));
  Object public_object(made.public_key, public_attributes);
  Object private_object(made.private_key, private_attributes);
  left_behind = {private_object, public_object};
  outcome.attributes = Joined(public_attributes.Describe("public."), private_attributes.Describe("private."));

  std::vector<AttributeDifference> differences =
      CompareAttributes("private", private_attributes, plan.private_stated, plan.private_added, session.quirks());
  std::ranges::move(
      CompareAttributes("public", public_attributes, plan.public_stated, plan.public_added, session.quirks()),
      std::back_inserter(differences));
  std::optional<base::PublicKey> public_key;
  ComparePublicKey(spec, public_attributes, private_attributes, public_key, differences);
  if (public_key) outcome.spki = base::Base64Encode(public_key->spki());
  if (!differences.empty()) return DifferenceError(spec.label, differences);
  return GeneratedKey{KeyPair{std::move(private_object), std::move(public_object), *std::move(public_key)},
                      outcome.attributes};
}

Result<GeneratedKey> MakeKeyPair(Session& session, const KeyPairSpec& spec, std::vector<Object>& left_behind) {
  const PairPlan plan = PlanPair(spec, session.quirks());
  ConsequentialCall call = PlanCall(session, Function::kGenerateKeyPair);
  call.mechanism = MechanismName(plan.how.generates);
  call.attributes = Joined(plan.public_stated.Describe("public."), plan.private_stated.Describe("private."));
  call.planned_id = base::HexEncode(spec.id);
  call.planned_label = spec.label;
  return Perform<GeneratedKey>(
      session.token().module().observer(), call, [&](CallOutcome& outcome) -> Result<GeneratedKey> {
        PairHandles made;
        const CK_RV rv = TimedCall(outcome, [&] { return CallGenerateKeyPair(session, plan, made); });
        Result<GeneratedKey> key =
            rv == CKR_OK ? ReadPairBack(session, spec, plan, made, outcome, left_behind)
                         : CallError(Function::kGenerateKeyPair, rv,
                                     fmt::format("making key \"{}\" on {}", spec.label, session.token().Name()));
        if (!key.ok() && left_behind.empty()) left_behind = FindLeftBehind(session, spec.id);
        return key;
      });
}

Result<GeneratedSecretKey> MakeWrapKey(Session& session, const WrapKeySpec& spec, std::vector<Object>& left_behind) {
  const Template full = FullWrapKeyTemplate(spec);
  const Template stated = ForModule(FullWrapKeyTemplate(spec), session.quirks());
  const Template added = AddedByToken(spec.extractable, CKM_AES_KEY_GEN);
  ConsequentialCall call = PlanCall(session, Function::kGenerateKey);
  call.mechanism = MechanismName(CKM_AES_KEY_GEN);
  call.attributes = stated.Describe();
  call.planned_id = base::HexEncode(spec.id);
  call.planned_label = spec.label;

  return Perform<GeneratedSecretKey>(
      session.token().module().observer(), call, [&](CallOutcome& outcome) -> Result<GeneratedSecretKey> {
        CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
        const std::span<CK_ATTRIBUTE> native = stated.Native();
        CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
        const CK_RV rv = TimedCall(outcome, [&] {
          return session.api().GenerateKey(session.handle(), &mechanism, native.data(), native.size(), &handle);
        });
        if (rv != CKR_OK) {
          left_behind = FindLeftBehind(session, spec.id);
          return CallError(Function::kGenerateKey, rv,
                           fmt::format("making key \"{}\" on {}", spec.label, session.token().Name()));
        }
        Result<AttributeSet> attributes = session.ReadAttributes(handle, ToRead(full, added, {}));
        if (!attributes.ok()) {
          left_behind = FindLeftBehind(session, spec.id);
          return std::move(attributes).error();
        }
        Object object(handle, *attributes);
        left_behind = {object};
        outcome.attributes = attributes->Describe();
        const auto differences = CompareAttributes("secret", *attributes, stated, added, session.quirks());
        if (!differences.empty()) return DifferenceError(spec.label, differences);
        return GeneratedSecretKey{std::move(object), outcome.attributes};
      });
}

Result<void> CheckPair(Session& session, const KeyPairSpec& spec) {
  KC_RETURN_IF_ERROR(CheckKeyPairSpec(spec));
  return CheckToken(session, KeyPairMechanismOf(spec.algorithm).generates, spec.label, spec.id);
}

Result<void> CheckWrapKey(Session& session, const WrapKeySpec& spec) {
  KC_RETURN_IF_ERROR(CheckName(spec.label, spec.id));
  return CheckToken(session, CKM_AES_KEY_GEN, spec.label, spec.id);
}

}  // namespace

Result<void> CheckKeyPairSpec(const KeyPairSpec& spec) {
  KC_RETURN_IF_ERROR(CheckName(spec.label, spec.id));
  return CheckUsage(spec);
}

std::string NamesOf(const std::vector<Object>& objects) {
  std::string names;
  for (const Object& object : objects) names += (names.empty() ? "" : " and ") + object.Name();
  return names;
}

// After a call that failed the token may hold parts of a key all the same. What
// can be found by its id is; only the whole inventory finds the rest.
std::vector<Object> FindLeftBehind(Session& session, const Bytes& id) {
  Template same_id;
  same_id.Raw(CKA_ID, id);
  Result<std::vector<Object>> found = session.FindAll(same_id);
  return found.ok() ? std::move(found).value() : std::vector<Object>();
}

KeyGeneration GenerateKeyPair(Session& session, const KeyPairSpec& spec) {
  if (Result<void> checked = CheckPair(session, spec); !checked.ok()) return {std::move(checked).error(), {}};
  std::vector<Object> left_behind;
  Result<GeneratedKey> key = MakeKeyPair(session, spec, left_behind);
  if (key.ok()) return {std::move(key), {}};
  return {NamingLeftBehind(std::move(key).error(), session, left_behind), std::move(left_behind)};
}

SecretKeyGeneration GenerateWrapKey(Session& session, const WrapKeySpec& spec) {
  if (Result<void> checked = CheckWrapKey(session, spec); !checked.ok()) return {std::move(checked).error(), {}};
  std::vector<Object> left_behind;
  Result<GeneratedSecretKey> key = MakeWrapKey(session, spec, left_behind);
  if (key.ok()) return {std::move(key), {}};
  return {NamingLeftBehind(std::move(key).error(), session, left_behind), std::move(left_behind)};
}

}  // namespace hsm
