// What key generation states, and how what came out is compared with it.
#include <fmt/format.h>

#include <algorithm>

#include "hsm/describe.h"
#include "hsm/keygen_plan.h"

namespace hsm {
namespace {

constexpr std::uint8_t kExponent65537[] = {0x01, 0x00, 0x01};
constexpr CK_ATTRIBUTE_TYPE kKeyMaterial[] = {CKA_EC_PARAMS, CKA_EC_POINT, CKA_MODULUS, CKA_PUBLIC_EXPONENT};
constexpr CK_ULONG kWrapKeySize = 32;

// The rule that an attribute's difference breaks; keygen.h lists them.
struct AttributeRule {
  CK_ATTRIBUTE_TYPE type;
  std::string_view rule;
};
constexpr AttributeRule kRules[] = {
    {CKA_SENSITIVE, "KEY-ATTR-01"},
    {CKA_EXTRACTABLE, "KEY-ATTR-02"},
    {CKA_LOCAL, "KEY-ATTR-03"},
    {CKA_ALWAYS_SENSITIVE, "KEY-ATTR-04"},
    {CKA_NEVER_EXTRACTABLE, "KEY-ATTR-05"},
    {CKA_MODIFIABLE, "KEY-ATTR-06"},
    {CKA_ENCRYPT, "KEY-ATTR-07"},
    {CKA_DECRYPT, "KEY-ATTR-07"},
    {CKA_WRAP, "KEY-ATTR-07"},
    {CKA_UNWRAP, "KEY-ATTR-07"},
    {CKA_SIGN, "KEY-ATTR-07"},
    {CKA_SIGN_RECOVER, "KEY-ATTR-07"},
    {CKA_VERIFY, "KEY-ATTR-07"},
    {CKA_VERIFY_RECOVER, "KEY-ATTR-07"},
    {CKA_DERIVE, "KEY-ATTR-07"},
    {CKA_KEY_GEN_MECHANISM, "KEY-ATTR-08"},
    {CKA_CLASS, "KEY-ATTR-09"},
    {CKA_KEY_TYPE, "KEY-ATTR-09"},
    {CKA_TOKEN, "KEY-ATTR-09"},
    {CKA_PRIVATE, "KEY-ATTR-09"},
    {CKA_LABEL, "KEY-ATTR-10"},
    {CKA_ID, "KEY-ATTR-10"},
};
constexpr std::string_view kOtherRule = "KEY-ATTR-13";

std::string_view RuleOf(CK_ATTRIBUTE_TYPE type) {
  const auto found = std::ranges::find(kRules, type, &AttributeRule::type);
  return found == std::end(kRules) ? kOtherRule : found->rule;
}

// May the object do without it? Modules older than 2.40 know neither
// CKA_COPYABLE nor CKA_DESTROYABLE; a permission that is not there is not given.
bool MayBeAbsent(CK_ATTRIBUTE_TYPE type, ByteView stated) {
  if (type == CKA_COPYABLE || type == CKA_DESTROYABLE) return true;
  const bool stated_false = stated.size() == 1 && stated[0] == CK_FALSE;
  const bool permission =
      RuleOf(type) == "KEY-ATTR-07" || type == CKA_WRAP_WITH_TRUSTED || type == CKA_ALWAYS_AUTHENTICATE;
  return stated_false && permission;
}

void Compare(std::string_view which, const AttributeSet& actual, const Template& wanted, const Quirks& quirks,
             std::vector<AttributeDifference>& differences) {
  for (const CK_ATTRIBUTE_TYPE type : wanted.Types()) {
    if (std::ranges::find(quirks.unreliable_attributes, type) != quirks.unreliable_attributes.end()) continue;
    // The public key is compared as a key, since modules spell it in several ways.
    if (std::ranges::find(kKeyMaterial, type) != std::end(kKeyMaterial)) continue;
    const ByteView value = wanted.Value(type);
    if (actual.Has(type) && std::ranges::equal(actual.Value(type), value)) continue;
    if (actual.state(type) == AttributeState::kAbsent && MayBeAbsent(type, value)) continue;
    differences.push_back(
        {std::string(RuleOf(type)), fmt::format("{} {} is {}, {} was asked", which, AttributeName(type),
                                                actual.DescribeOne(type), DescribeValue(type, value))});
  }
}

}  // namespace

std::string InWords(const std::vector<AttributeDifference>& differences) {
  std::string list;
  for (const AttributeDifference& difference : differences) list += (list.empty() ? "" : "; ") + difference.message;
  return list;
}

std::vector<AttributeDifference> CompareAttributes(std::string_view which, const AttributeSet& actual,
                                                   const Template& stated, const Template& expected,
                                                   const Quirks& quirks) {
  std::vector<AttributeDifference> differences;
  Compare(which, actual, stated, quirks, differences);
  Compare(which, actual, expected, quirks, differences);
  return differences;
}

Template FullPublicTemplate(const KeyPairSpec& spec, const Quirks& quirks) {
  const base::KeyAlgorithmFacts& facts = base::FactsOf(spec.algorithm);
  Template attributes;
  attributes.Number(CKA_CLASS, CKO_PUBLIC_KEY)
      .Number(CKA_KEY_TYPE, KeyPairMechanismOf(spec.algorithm).key_type)
      .Bool(CKA_TOKEN, spec.lifetime == Lifetime::kToken)
      .Bool(CKA_PRIVATE, false)
      .Bool(CKA_MODIFIABLE, spec.modifiable == Modifiable::kYes)
      .Bool(CKA_COPYABLE, false)
      .Bool(CKA_DESTROYABLE, true)
      .Text(CKA_LABEL, spec.label)
      .Raw(CKA_ID, spec.id)
      .Bool(CKA_VERIFY, spec.usage.sign)
      .Bool(CKA_VERIFY_RECOVER, false)
      .Bool(CKA_ENCRYPT, false)
      .Bool(CKA_WRAP, spec.usage.unwrap)
      .Bool(CKA_DERIVE, false);
  if (facts.family == base::KeyFamily::kEdwards) {
    attributes.Raw(CKA_EC_PARAMS,
                   quirks.edwards_params == EdwardsParams::kOid ? ByteView(kEd25519Oid) : ByteView(kEd25519Name));
  } else if (facts.family == base::KeyFamily::kEc) {
    attributes.Raw(CKA_EC_PARAMS, base::AsBytes(facts.curve_oid_der));
  } else {
    attributes.Number(CKA_MODULUS_BITS, facts.bits).Raw(CKA_PUBLIC_EXPONENT, kExponent65537);
  }
  return attributes;
}

Template FullPrivateTemplate(const KeyPairSpec& spec) {
  Template attributes;
  attributes.Number(CKA_CLASS, CKO_PRIVATE_KEY)
      .Number(CKA_KEY_TYPE, KeyPairMechanismOf(spec.algorithm).key_type)
      .Bool(CKA_TOKEN, spec.lifetime == Lifetime::kToken)
      .Bool(CKA_PRIVATE, true)
      .Bool(CKA_MODIFIABLE, spec.modifiable == Modifiable::kYes)
      .Bool(CKA_COPYABLE, false)
      .Bool(CKA_DESTROYABLE, true)
      .Text(CKA_LABEL, spec.label)
      .Raw(CKA_ID, spec.id)
      .Bool(CKA_SENSITIVE, true)
      .Bool(CKA_EXTRACTABLE, spec.extractable == Extractable::kYes)
      .Bool(CKA_WRAP_WITH_TRUSTED, false)
      .Bool(CKA_ALWAYS_AUTHENTICATE, false)
      .Bool(CKA_SIGN, spec.usage.sign)
      .Bool(CKA_SIGN_RECOVER, false)
      .Bool(CKA_DECRYPT, false)
      .Bool(CKA_UNWRAP, spec.usage.unwrap)
      .Bool(CKA_DERIVE, spec.usage.derive);
  return attributes;
}

Template FullWrapKeyTemplate(const WrapKeySpec& spec) {
  Template attributes;
  attributes.Number(CKA_CLASS, CKO_SECRET_KEY)
      .Number(CKA_KEY_TYPE, CKK_AES)
      .Bool(CKA_TOKEN, spec.lifetime == Lifetime::kToken)
      .Bool(CKA_PRIVATE, true)
      .Bool(CKA_MODIFIABLE, spec.modifiable == Modifiable::kYes)
      .Bool(CKA_COPYABLE, false)
      .Bool(CKA_DESTROYABLE, true)
      .Text(CKA_LABEL, spec.label)
      .Raw(CKA_ID, spec.id)
      .Number(CKA_VALUE_LEN, kWrapKeySize)
      .Bool(CKA_SENSITIVE, true)
      .Bool(CKA_EXTRACTABLE, spec.extractable == Extractable::kYes)
      .Bool(CKA_WRAP_WITH_TRUSTED, false)
      .Bool(CKA_WRAP, true)
      .Bool(CKA_UNWRAP, true)
      .Bool(CKA_ENCRYPT, false)
      .Bool(CKA_DECRYPT, false)
      .Bool(CKA_SIGN, false)
      .Bool(CKA_VERIFY, false)
      .Bool(CKA_DERIVE, false);
  return attributes;
}

Template ForModule(Template attributes, const Quirks& quirks) {
  for (const CK_ATTRIBUTE_TYPE type : quirks.unwanted_attributes) attributes.Remove(type);
  return attributes;
}

Template PublicTemplate(const KeyPairSpec& spec, const Quirks& quirks) {
  return ForModule(FullPublicTemplate(spec, quirks), quirks);
}

Template PrivateTemplate(const KeyPairSpec& spec, const Quirks& quirks) {
  return ForModule(FullPrivateTemplate(spec), quirks);
}

Template AddedByToken(Extractable extractable, CK_MECHANISM_TYPE mechanism) {
  Template added;
  added.Bool(CKA_LOCAL, true)
      .Bool(CKA_ALWAYS_SENSITIVE, true)
      .Bool(CKA_NEVER_EXTRACTABLE, extractable == Extractable::kNo)
      .Number(CKA_KEY_GEN_MECHANISM, mechanism);
  return added;
}

}  // namespace hsm
