#include "hsm/public_object.h"

#include <fmt/format.h>

#include <algorithm>

#include "hsm/base/encoding.h"
#include "hsm/base/rsa_numbers.h"
#include "hsm/consequential.h"
#include "hsm/imported_key.h"

namespace hsm {
namespace {

void AddKey(const base::PublicKey& public_key, Template& stated) {
  switch (base::FactsOf(public_key.algorithm()).family) {
    case base::KeyFamily::kRsa: {
      const base::RsaNumbers numbers = base::RsaNumbersOf(public_key);
      stated.Raw(CKA_MODULUS, numbers.modulus).Raw(CKA_PUBLIC_EXPONENT, numbers.exponent);
      return;
    }
    case base::KeyFamily::kEdwards:
      // The point is the end of the SubjectPublicKeyInfo (RFC 8410).
      stated.Raw(CKA_EC_POINT, EncodeEcPoint(public_key.spki().last(32)));
      return;
    case base::KeyFamily::kEc:
      break;
  }
  stated.Raw(CKA_EC_POINT, EncodeEcPoint(public_key.EcPoint()));
}

std::vector<AttributeDifference> Compare(const AttributeSet& actual, const Template& stated,
                                         const base::PublicKey& public_key, std::string_view key_rule,
                                         const Quirks& quirks) {
  std::vector<AttributeDifference> differences;
  const Result<base::PublicKey> shown = ReadPublicKey(actual);
  if (!shown.ok() || !(*shown == public_key)) {
    differences.push_back(
        {std::string(key_rule),
         fmt::format("it was made of key {}, and shows {}", public_key.SpkiSha256Hex(),
                     shown.ok() ? "key " + shown->SpkiSha256Hex() : "none: " + shown.error().message)});
  }
  std::ranges::move(CompareAttributes("public", actual, stated, Template(), quirks), std::back_inserter(differences));
  return differences;
}

}  // namespace

Result<PublicObject> MakePublicObject(Session& session, const base::PublicKey& public_key, Template stated,
                                      const std::string& what, std::string_view key_rule, std::vector<Object>& made) {
  AddKey(public_key, stated);
  ConsequentialCall call = PlanCall(session, Function::kCreateObject);
  call.attributes = stated.Describe();
  call.planned_id = base::HexEncode(stated.Value(CKA_ID));
  call.planned_label = std::string(base::AsText(stated.Value(CKA_LABEL)));
  return Perform<PublicObject>(
      session.token().module().observer(), call, [&](CallOutcome& outcome) -> Result<PublicObject> {
        CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
        const CK_RV rv = TimedCall(outcome, [&] {
          const std::span<CK_ATTRIBUTE> native = stated.Native();
          return session.api().CreateObject(session.handle(), native.data(), native.size(), &handle);
        });
        if (rv != CKR_OK) return CallError(Function::kCreateObject, rv, "making " + what);
        made.emplace_back(handle, AttributeSet());
        std::vector<CK_ATTRIBUTE_TYPE> types = stated.Types();
        std::ranges::copy_if(kPublicKeyAttributes, std::back_inserter(types),
                             [&stated](CK_ATTRIBUTE_TYPE type) { return !stated.Has(type); });
        KC_ASSIGN_OR_RETURN(AttributeSet actual, session.ReadAttributes(handle, types));
        const Object object(handle, actual);
        made.back() = object;
        outcome.attributes = actual.Describe();
        const std::vector<AttributeDifference> differences =
            Compare(actual, stated, public_key, key_rule, session.quirks());
        if (!differences.empty()) return DifferencesError(what, differences);
        outcome.spki = base::Base64Encode(public_key.spki());
        return PublicObject{object, std::move(actual)};
      });
}

}  // namespace hsm
