#include "hsm/imported_key.h"

#include <fmt/format.h>

#include <algorithm>

#include "hsm/base/encoding.h"
#include "hsm/describe.h"
#include "hsm/keygen_plan.h"

namespace hsm {
namespace {

// PKCS#8 of RSA 4096 is 2,375 bytes; nothing that we wrap comes near this.
constexpr std::size_t kMaxWrapped = 16384;

constexpr CK_ATTRIBUTE_TYPE kMadeHere[] = {CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE};

std::vector<AttributeDifference> CompareImported(Function function, const AttributeSet& actual, const Template& stated,
                                                 const Quirks& quirks) {
  // Modules that do not keep these for imported keys leave them out; only a claim is a lie.
  Template expected;
  for (const CK_ATTRIBUTE_TYPE type : kMadeHere) {
    // What is derived of a key that was always sensitive was so too (Current Mechanisms 2.40, ECDH, section 2.3.9).
    if (function == Function::kDeriveKey && type != CKA_LOCAL) continue;
    if (actual.state(type) != AttributeState::kAbsent) expected.Bool(type, false);
  }
  return CompareAttributes("imported", actual, stated, expected, quirks);
}

// What is weaker than stated, and can be made stronger: protection, and permissions that nobody gave.
Template ToRepair(const AttributeSet& actual, const Template& stated) {
  static constexpr CK_ATTRIBUTE_TYPE kPermissions[] = {CKA_EXTRACTABLE, CKA_ENCRYPT, CKA_DECRYPT,
                                                       CKA_SIGN,        CKA_VERIFY,  CKA_WRAP,
                                                       CKA_UNWRAP,      CKA_DERIVE,  CKA_SIGN_RECOVER};
  Template repair;
  const auto is = [](ByteView value, std::uint8_t wanted) { return value.size() == 1 && value[0] == wanted; };
  if (is(stated.Value(CKA_SENSITIVE), 1) && is(actual.Value(CKA_SENSITIVE), 0)) repair.Bool(CKA_SENSITIVE, true);
  for (const CK_ATTRIBUTE_TYPE type : kPermissions) {
    if (is(stated.Value(type), 0) && is(actual.Value(type), 1)) repair.Bool(type, false);
  }
  return repair;
}

}  // namespace

Error DifferencesError(const std::string& what, const std::vector<AttributeDifference>& differences) {
  return base::MakeError(ErrorCode::kCorrupt, fmt::format("{} is not what was asked: {}", what, InWords(differences)))
      .WithRule(differences.front().rule)
      .WithHint("this module does not keep what it is told of imported keys; a key of a ceremony must not stay on it");
}

Result<ImportedKey> ImportKey(Session& session, ConsequentialCall call, const Template& stated,
                              std::span<const CK_ATTRIBUTE_TYPE> also_read,
                              const std::function<CK_RV(std::span<CK_ATTRIBUTE>, CK_OBJECT_HANDLE*)>& invoke,
                              std::vector<Object>& left_behind) {
  std::vector<CK_ATTRIBUTE_TYPE> types = stated.Types();
  types.insert(types.end(), std::begin(kMadeHere), std::end(kMadeHere));
  types.insert(types.end(), also_read.begin(), also_read.end());
  std::ranges::sort(types);
  types.erase(std::unique(types.begin(), types.end()), types.end());

  const Function function = call.function;
  const Bytes id = base::ToBytes(stated.Value(CKA_ID));
  Result<ImportedKey> imported =
      Perform<ImportedKey>(session.token().module().observer(), call, [&](CallOutcome& outcome) -> Result<ImportedKey> {
        CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
        const CK_RV rv = TimedCall(outcome, [&] { return invoke(stated.Native(), &handle); });
        if (rv != CKR_OK) {
          left_behind = FindLeftBehind(session, id);
          return CallError(function, rv,
                           fmt::format("bringing key \"{}\" to {}", call.planned_label, session.token().Name()));
        }
        left_behind = {Object(handle, AttributeSet())};
        KC_ASSIGN_OR_RETURN(AttributeSet actual, session.ReadAttributes(handle, types));
        ImportedKey key{Object(handle, actual), std::move(actual), {}, {}};
        left_behind = {key.object};
        outcome.attributes = key.attributes.Describe();
        key.differences = CompareImported(function, key.attributes, stated, session.quirks());
        if (!key.differences.empty()) outcome.problem = InWords(key.differences);
        return key;
      });
  if (!imported.ok() || imported->differences.empty()) return imported;

  const Template repair = ToRepair(imported->attributes, stated);
  if (repair.empty()) return imported;
  KC_RETURN_IF_ERROR(session.SetAttributes(imported->object, repair));
  for (const CK_ATTRIBUTE_TYPE type : repair.Types()) imported->repaired.push_back(AttributeName(type));
  KC_ASSIGN_OR_RETURN(imported->attributes, session.ReadAttributes(imported->object.handle(), types));
  imported->differences = CompareImported(function, imported->attributes, stated, session.quirks());
  return imported;
}

Result<WrapOutcome> WrapOut(Session& session, CK_MECHANISM mechanism, const std::string& mechanism_text,
                            const Object& wrapping_key, const Object& key, const std::string& problem) {
  ConsequentialCall call = PlanCall(session, Function::kWrapKey);
  call.mechanism = mechanism_text;
  call.object = key.Name();
  call.attributes = {{"wrapping_key", wrapping_key.Name()}};
  return Perform<WrapOutcome>(
      session.token().module().observer(), call, [&](CallOutcome& outcome) -> Result<WrapOutcome> {
        WrapOutcome out;
        out.wrapped.resize(kMaxWrapped);
        CK_ULONG size = out.wrapped.size();
        out.rv = TimedCall(outcome, [&] {
          return session.api().WrapKey(session.handle(), &mechanism, wrapping_key.handle(), key.handle(),
                                       out.wrapped.data(), &size);
        });
        if (out.rv != CKR_OK) size = 0;
        if (size > out.wrapped.size()) {
          return NonsenseError(Function::kWrapKey, fmt::format("{} bytes into a buffer of {}", size, kMaxWrapped));
        }
        out.wrapped.resize(size);
        if (out.rv == CKR_OK) outcome.problem = problem;
        return out;
      });
}

void DestroyAll(Session& session, std::vector<Object>& objects) {
  std::erase_if(objects, [&session](const Object& object) {
    Result<void> destroyed = session.Destroy(object);
    if (destroyed.ok()) return true;
    session.token().module().observer().Trouble(destroyed.error());
    return false;
  });
}

}  // namespace hsm
