#include "ceremony/estate/effect.h"

#include <nlohmann/json.hpp>

namespace ceremony::estate {
namespace {

using nlohmann::json;

// A field that records of earlier releases do not have: it keeps its default then.
struct Later {};
constexpr Later kLater;

// One list of fields for each effect; writing and reading both walk it.
template <typename Visitor>
void VisitFields(TokenCommissioned& e, Visitor&& v) {
  v("token", e.token), v("label", e.label), v("serial", e.serial), v("manufacturer", e.manufacturer);
  v("model", e.model), v("firmware", e.firmware), v("role", e.role), v("domain", e.domain);
}
template <typename Visitor>
void VisitFields(KeyCreated& e, Visitor&& v) {
  v("key", e.key), v("algorithm", e.algorithm), v("usage", e.usage), v("spki_sha256", e.spki_sha256);
  v("token", e.token), v("serial", e.serial), v("object_id", e.object_id), v("extractable", e.extractable);
}
template <typename Visitor>
void VisitFields(CertificateIssued& e, Visitor&& v) {
  v("certificate", e.certificate), v("profile", e.profile), v("key", e.key), v("issuer_key", e.issuer_key);
  v("subject", e.subject), v("serial", e.serial), v("not_before", e.not_before), v("not_after", e.not_after);
  v("sha256", e.sha256), v("artefact", e.artefact), v("issuer_certificate", e.issuer_certificate, kLater);
  v("subject_der", e.subject_der, kLater), v("alternative_name", e.alternative_name, kLater),
      v("spki_sha256", e.spki_sha256, kLater);
  v("subject_key_id", e.subject_key_id, kLater), v("key_usage", e.key_usage, kLater), v("ca", e.ca, kLater);
  v("path_length", e.path_length, kLater);
}
template <typename Visitor>
void VisitFields(KeyImported& e, Visitor&& v) {
  v("key", e.key), v("algorithm", e.algorithm), v("spki_sha256", e.spki_sha256), v("subject", e.subject);
  v("subject_der", e.subject_der), v("alternative_name", e.alternative_name), v("request_sha256", e.request_sha256),
      v("artefact", e.artefact), v("alternative_name_der", e.alternative_name_der, kLater);
}
template <typename Visitor>
void VisitFields(RequestCreated& e, Visitor&& v) {
  v("request", e.request), v("profile", e.profile), v("key", e.key), v("subject", e.subject);
  v("subject_der", e.subject_der);
  v("alternative_name", e.alternative_name), v("sha256", e.sha256), v("artefact", e.artefact);
}
template <typename Visitor>
void VisitFields(CertificateRevoked& e, Visitor&& v) {
  v("certificate", e.certificate), v("reason", e.reason), v("on", e.on), v("crl", e.crl);
}
template <typename Visitor>
void VisitFields(CrlIssued& e, Visitor&& v) {
  v("crl", e.crl), v("profile", e.profile), v("issuer_key", e.issuer_key), v("issuer", e.issuer),
      v("issuer_der", e.issuer_der);
  v("issuer_certificate", e.issuer_certificate), v("number", e.number), v("this_update", e.this_update);
  v("next_update", e.next_update), v("revoked", e.revoked), v("sha256", e.sha256), v("artefact", e.artefact);
}
template <typename Visitor>
void VisitFields(DocumentLodged& e, Visitor&& v) {
  v("name", e.name), v("kind", e.kind), v("sha256", e.sha256);
}

template <typename Visitor>
void VisitFields(PersonAppointed& e, Visitor&& v) {
  v("person", e.person), v("name", e.name), v("employer", e.employer), v("domain", e.domain), v("site", e.site);
  v("role", e.role), v("sign_key", e.sign_key), v("open_key", e.open_key), v("on", e.on);
}
template <typename Visitor>
void VisitFields(PersonRetired& e, Visitor&& v) {
  v("person", e.person), v("name", e.name), v("state", e.state), v("reason", e.reason), v("on", e.on);
}
template <typename Visitor>
void VisitFields(SharesIssued& e, Visitor&& v) {
  v("token", e.token), v("set", e.set), v("generation", e.generation), v("quorum", e.quorum), v("m", e.m);
  v("holders", e.holders);
}
template <typename Visitor>
void VisitFields(TokenRegistered& e, Visitor&& v) {
  v("token", e.token), v("manufacturer", e.manufacturer), v("model", e.model), v("serial", e.serial);
  v("fips", e.fips), v("role", e.role), v("domain", e.domain), v("site", e.site), v("order", e.order);
}
template <typename Visitor>
void VisitFields(TokenVerified& e, Visitor&& v) {
  v("token", e.token), v("serial", e.serial), v("firmware", e.firmware), v("module", e.module);
  v("module_version", e.module_version), v("module_sha256", e.module_sha256), v("inventory", e.inventory);
  v("objects", e.objects);
}
template <typename Visitor>
void VisitFields(SealsChanged& e, Visitor&& v) {
  v("token", e.token), v("applied", e.applied), v("removed", e.removed), v("reason", e.reason);
}
template <typename Visitor>
void VisitFields(TokenMoved& e, Visitor&& v) {
  v("token", e.token), v("serial", e.serial), v("phase", e.phase), v("place", e.place), v("to", e.to);
  v("carrier", e.carrier), v("escort", e.escort), v("reference", e.reference), v("seals", e.seals), v("at", e.at);
}
template <typename Visitor>
void VisitFields(TokenRetired& e, Visitor&& v) {
  v("token", e.token), v("serial", e.serial), v("method", e.method), v("evidence", e.evidence);
  v("reason", e.reason), v("on", e.on);
}
template <typename Visitor>
void VisitFields(FirmwareChanged& e, Visitor&& v) {
  v("token", e.token), v("serial", e.serial), v("before", e.before), v("after", e.after), v("fips", e.fips);
  v("module", e.module), v("module_version", e.module_version), v("module_sha256", e.module_sha256);
  v("inventory_before", e.inventory_before), v("inventory_after", e.inventory_after), v("survived", e.survived);
}

template <typename Visitor>
void VisitFields(KeyCloned& e, Visitor&& v) {
  v("key", e.key), v("spki_sha256", e.spki_sha256), v("source", e.source), v("token", e.token), v("serial", e.serial);
  v("object_id", e.object_id), v("way", e.way), v("proof", e.proof), v("extractable", e.extractable);
}
template <typename Visitor>
void VisitFields(TransportKeyCreated& e, Visitor&& v) {
  v("key", e.key), v("algorithm", e.algorithm), v("spki_sha256", e.spki_sha256), v("token", e.token);
  v("serial", e.serial), v("object_id", e.object_id), v("carries", e.carries), v("transports", e.transports);
}
template <typename Visitor>
void VisitFields(KeyExported& e, Visitor&& v) {
  v("key", e.key), v("spki_sha256", e.spki_sha256), v("source", e.source), v("serial", e.serial);
  v("transport_key", e.transport_key), v("transport", e.transport), v("artefact", e.artefact), v("sha256", e.sha256);
}
template <typename Visitor>
void VisitFields(KeySealed& e, Visitor&& v) {
  v("key", e.key), v("token", e.token), v("serial", e.serial);
}
template <typename Visitor>
void VisitFields(KeyUsageStated& e, Visitor&& v) {
  v("key", e.key), v("count", e.count), v("first_use", e.first_use), v("last_use", e.last_use);
  v("stated_by", e.stated_by), v("statement", e.statement);
}
template <typename Visitor>
void VisitFields(KeyDeactivated& e, Visitor&& v) {
  v("key", e.key), v("reason", e.reason), v("on", e.on), v("cap_reached_on", e.cap_reached_on);
  v("minutes_since_cap", e.minutes_since_cap), v("hold_until", e.hold_until);
}
template <typename Visitor>
void VisitFields(KeyCompromised& e, Visitor&& v) {
  v("key", e.key), v("on", e.on), v("reason", e.reason);
}
template <typename Visitor>
void VisitFields(CopyDestroyed& e, Visitor&& v) {
  v("key", e.key), v("token", e.token), v("serial", e.serial), v("object_id", e.object_id), v("method", e.method);
  v("evidence", e.evidence), v("on", e.on);
}
template <typename Visitor>
void VisitFields(KeyDestroyed& e, Visitor&& v) {
  v("key", e.key), v("spki_sha256", e.spki_sha256), v("on", e.on), v("reason", e.reason), v("artefact", e.artefact);
  v("sha256", e.sha256);
}

base::Error Corrupt(const std::string& what) { return base::MakeError(base::ErrorCode::kCorrupt, what); }

// Read puts a value into a field of its kind; what kind that is, if it is another.
const char* Read(const json& value, std::string& field) {
  if (!value.is_string()) return "a string";
  field = value.get<std::string>();
  return nullptr;
}
const char* Read(const json& value, bool& field) {
  if (!value.is_boolean()) return "a boolean";
  field = value.get<bool>();
  return nullptr;
}
const char* Read(const json& value, std::int64_t& field) {
  if (!value.is_number_integer()) return "an integer";
  field = value.get<std::int64_t>();
  return nullptr;
}
const char* Read(const json& value, std::vector<std::string>& field) {
  constexpr const char* kExpected = "a list of strings";
  if (!value.is_array()) return kExpected;
  for (const json& item : value) {
    if (!item.is_string()) return kExpected;
    field.push_back(item.get<std::string>());
  }
  return nullptr;
}
const char* Read(const json& value, std::vector<ShareHolder>& field) {
  constexpr const char* kExpected = "a list of {person, user, officer}";
  if (!value.is_array()) return kExpected;
  for (const json& item : value) {
    ShareHolder holder;
    if (!item.is_object() || item.size() != 3) return kExpected;
    for (const auto& [name, part] : {std::pair("person", &holder.person), std::pair("user", &holder.user_commitment),
                                     std::pair("officer", &holder.officer_commitment)}) {
      const auto found = item.find(name);
      if (found == item.end() || Read(*found, *part) != nullptr) return kExpected;
    }
    field.push_back(std::move(holder));
  }
  return nullptr;
}

template <typename T>
json Write(const T& field) {
  return field;
}
json Write(const std::vector<ShareHolder>& field) {
  json list = json::array();
  for (const ShareHolder& holder : field) {
    list.push_back(
        {{"person", holder.person}, {"user", holder.user_commitment}, {"officer", holder.officer_commitment}});
  }
  return list;
}

template <typename T>
base::Result<Effect> ReadAs(const json& object) {
  T effect;
  std::string problem;
  std::size_t known = 1;  // "effect" itself
  VisitFields(effect, [&](const char* name, auto& field, auto... later) {
    const auto found = object.find(name);
    if (found == object.end() && sizeof...(later) != 0) return;
    ++known;
    if (found == object.end()) {
      problem = std::string("effect lacks the field ") + name;
    } else if (const char* expected = Read(*found, field)) {
      problem = std::string("effect field ") + name + " is not " + expected;
    }
  });
  if (!problem.empty()) return Corrupt(problem);
  if (object.size() != known) return Corrupt("effect " + std::string(T::kName) + " has fields that are not its own");
  return Effect(std::move(effect));
}

template <typename... T>
base::Result<Effect> ReadAny(const json& object, const std::string& name, std::variant<T...>*) {
  base::Result<Effect> result = Corrupt("unknown effect " + name);
  // The first type whose name fits reads the object; the others are passed over.
  (void)((T::kName == name && (result = ReadAs<T>(object), true)) || ...);
  return result;
}

}  // namespace

json ToJson(const Effect& effect) {
  return std::visit(
      [](auto copy) {
        json object = {{"effect", copy.kName}};
        VisitFields(copy, [&](const char* name, const auto& field, auto...) { object[name] = Write(field); });
        return object;
      },
      effect);
}

base::Result<Effect> EffectFromJson(const json& object) {
  if (!object.is_object()) return Corrupt("an effect is not an object");
  const auto name = object.find("effect");
  if (name == object.end() || !name->is_string()) return Corrupt("an effect has no name");
  return ReadAny(object, name->get<std::string>(), static_cast<Effect*>(nullptr));
}

}  // namespace ceremony::estate
