// Objects: which attributes exist, who may set them, who sees them.
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "tests/support/fake_mechanisms.h"

namespace support {
namespace {

enum class Kind : std::uint8_t { kBool, kNumber, kBytes };

// Object classes as bits, for the table.
constexpr unsigned kData = 1, kCertificate = 2, kPublic = 4, kPrivate = 8, kSecret = 16;
constexpr unsigned kKeys = kPublic | kPrivate | kSecret;
constexpr unsigned kAll = kKeys | kData | kCertificate;
// Where a template may state it: FakeCryptoki::Origin as bits.
constexpr unsigned kGenerate = 1, kCreate = 2, kUnwrap = 4, kChange = 8, kDerive = 16;
constexpr unsigned kMake = kGenerate | kCreate | kUnwrap | kDerive;
constexpr unsigned kAlways = kMake | kChange;

struct Row {
  CK_ATTRIBUTE_TYPE type;
  Kind kind;
  unsigned classes;
  unsigned stated;
};

// PKCS#11 2.40 sections 4.4 to 4.9; what stands in no row does not exist here.
constexpr std::array<Row, 45> kRows = {{
    {CKA_CLASS, Kind::kNumber, kAll, kMake},
    {CKA_TOKEN, Kind::kBool, kAll, kMake},
    {CKA_PRIVATE, Kind::kBool, kAll, kMake},
    {CKA_MODIFIABLE, Kind::kBool, kAll, kMake},
    {CKA_COPYABLE, Kind::kBool, kAll, kMake},
    {CKA_DESTROYABLE, Kind::kBool, kAll, kMake},
    {CKA_LABEL, Kind::kBytes, kAll, kAlways},
    {CKA_APPLICATION, Kind::kBytes, kData, kCreate | kChange},
    {CKA_OBJECT_ID, Kind::kBytes, kData, kCreate | kChange},
    {CKA_VALUE, Kind::kBytes, kData | kCertificate | kPrivate | kSecret, kCreate},
    {CKA_CERTIFICATE_TYPE, Kind::kNumber, kCertificate, kCreate},
    {CKA_CERTIFICATE_CATEGORY, Kind::kNumber, kCertificate, kCreate},
    {CKA_ISSUER, Kind::kBytes, kCertificate, kCreate | kChange},
    {CKA_SERIAL_NUMBER, Kind::kBytes, kCertificate, kCreate | kChange},
    {CKA_SUBJECT, Kind::kBytes, kCertificate | kPublic | kPrivate, kAlways},
    {CKA_ID, Kind::kBytes, kCertificate | kKeys, kAlways},
    {CKA_START_DATE, Kind::kBytes, kCertificate | kKeys, kAlways},
    {CKA_END_DATE, Kind::kBytes, kCertificate | kKeys, kAlways},
    {CKA_KEY_TYPE, Kind::kNumber, kKeys, kMake},
    {CKA_DERIVE, Kind::kBool, kKeys, kAlways},
    {CKA_LOCAL, Kind::kBool, kKeys, 0},
    {CKA_KEY_GEN_MECHANISM, Kind::kNumber, kKeys, 0},
    {CKA_ALLOWED_MECHANISMS, Kind::kBytes, kKeys, kMake},
    {CKA_ENCRYPT, Kind::kBool, kPublic | kSecret, kAlways},
    {CKA_VERIFY, Kind::kBool, kPublic | kSecret, kAlways},
    {CKA_WRAP, Kind::kBool, kPublic | kSecret, kAlways},
    {CKA_VERIFY_RECOVER, Kind::kBool, kPublic, kAlways},
    {CKA_DECRYPT, Kind::kBool, kPrivate | kSecret, kAlways},
    {CKA_SIGN, Kind::kBool, kPrivate | kSecret, kAlways},
    {CKA_UNWRAP, Kind::kBool, kPrivate | kSecret, kAlways},
    {CKA_SIGN_RECOVER, Kind::kBool, kPrivate, kAlways},
    {CKA_TRUSTED, Kind::kBool, kPublic | kSecret | kCertificate, kAlways},
    {CKA_WRAP_WITH_TRUSTED, Kind::kBool, kPrivate | kSecret, kAlways},
    {CKA_SENSITIVE, Kind::kBool, kPrivate | kSecret, kAlways},
    {CKA_EXTRACTABLE, Kind::kBool, kPrivate | kSecret, kAlways},
    {CKA_ALWAYS_SENSITIVE, Kind::kBool, kPrivate | kSecret, 0},
    {CKA_NEVER_EXTRACTABLE, Kind::kBool, kPrivate | kSecret, 0},
    {CKA_ALWAYS_AUTHENTICATE, Kind::kBool, kPrivate, kMake},
    {CKA_EC_PARAMS, Kind::kBytes, kPublic | kPrivate, kGenerate | kCreate},
    {CKA_EC_POINT, Kind::kBytes, kPublic, kCreate},
    {CKA_MODULUS, Kind::kBytes, kPublic, kCreate},
    {CKA_MODULUS_BITS, Kind::kNumber, kPublic, kGenerate},
    {CKA_PUBLIC_EXPONENT, Kind::kBytes, kPublic, kGenerate | kCreate},
    {CKA_VALUE_LEN, Kind::kNumber, kSecret, kGenerate | kDerive},
    {CKA_NSS_DB, Kind::kBytes, kPrivate, kUnwrap},
}};

const Row* FindRow(CK_ATTRIBUTE_TYPE type) {
  const auto row = std::ranges::find(kRows, type, &Row::type);
  return row == kRows.end() ? nullptr : &*row;
}

unsigned BitOf(CK_OBJECT_CLASS object_class) {
  switch (object_class) {
    case CKO_DATA:
      return kData;
    case CKO_CERTIFICATE:
      return kCertificate;
    case CKO_PUBLIC_KEY:
      return kPublic;
    case CKO_PRIVATE_KEY:
      return kPrivate;
    case CKO_SECRET_KEY:
      return kSecret;
    default:
      return 0;
  }
}

// What may never become weaker again (2.40 sections 4.4.1, 4.9, 4.10).
bool Weakens(const Attributes& before, CK_ATTRIBUTE_TYPE type, const Bytes& value) {
  const bool on = value == Bytes{1};
  switch (type) {
    case CKA_SENSITIVE:
    case CKA_WRAP_WITH_TRUSTED:
      return IsTrue(before, type) && !on;
    case CKA_EXTRACTABLE:
      return !IsTrue(before, type) && on;
    default:
      return false;
  }
}

Bytes WrapPoint(const Bytes& point) {
  Bytes out{0x04};
  if (point.size() >= 0x80) out.push_back(0x81);
  out.push_back(static_cast<std::uint8_t>(point.size()));
  out.insert(out.end(), point.begin(), point.end());
  return out;
}

}  // namespace

CK_RV FakeCryptoki::ReadTemplate(const Place& place, Origin origin, CK_OBJECT_CLASS object_class,
                                 const CK_ATTRIBUTE* attributes, CK_ULONG count, Attributes* out) const {
  if (attributes == nullptr && count != 0) return CKR_ARGUMENTS_BAD;
  for (CK_ULONG i = 0; i < count; ++i) {
    const CK_ATTRIBUTE& given = attributes[i];
    const Row* row = FindRow(given.type);
    if (row == nullptr || (row->classes & BitOf(object_class)) == 0) return CKR_ATTRIBUTE_TYPE_INVALID;
    if (given.type == CKA_NSS_DB && !place.slot->habits.unwrap_needs_nss_db) return CKR_ATTRIBUTE_TYPE_INVALID;
    if ((row->stated & static_cast<unsigned>(origin)) == 0) return CKR_ATTRIBUTE_READ_ONLY;
    if (given.pValue == nullptr && given.ulValueLen != 0) return CKR_ATTRIBUTE_VALUE_INVALID;
    const auto* bytes = static_cast<const std::uint8_t*>(given.pValue);
    Bytes value(bytes, bytes + given.ulValueLen);
    if (row->kind == Kind::kBool && (value.size() != 1 || value[0] > 1)) return CKR_ATTRIBUTE_VALUE_INVALID;
    if (row->kind == Kind::kNumber && value.size() != sizeof(CK_ULONG)) return CKR_ATTRIBUTE_VALUE_INVALID;
    if (given.type == CKA_TRUSTED && value == Bytes{1} && logins_.contains(place.session->slot) &&
        logins_.at(place.session->slot) != LoginState::kSecurityOfficer) {
      return CKR_ATTRIBUTE_READ_ONLY;
    }
    if (given.type == CKA_EXTRACTABLE && value == Bytes{1} && place.slot->habits.never_extractable) {
      return CKR_ATTRIBUTE_VALUE_INVALID;
    }
    if (!out->emplace(given.type, std::move(value)).second) return CKR_TEMPLATE_INCONSISTENT;
  }
  if (out->contains(CKA_CLASS) && NumberOf(*out, CKA_CLASS) != object_class) return CKR_TEMPLATE_INCONSISTENT;
  return CKR_OK;
}

void FakeCryptoki::AddDefaults(CK_OBJECT_CLASS object_class, Attributes* attributes) const {
  const unsigned bit = BitOf(object_class);
  attributes->emplace(CKA_CLASS, Number(object_class));
  attributes->emplace(CKA_PRIVATE, Bytes{static_cast<std::uint8_t>((bit & (kPrivate | kSecret)) != 0)});
  // As open as any token's defaults: what is not stated is a hole.
  for (const Row& row : kRows) {
    if ((row.classes & bit) == 0) continue;
    switch (row.type) {
      case CKA_TOKEN:
      case CKA_SENSITIVE:
      case CKA_TRUSTED:
      case CKA_WRAP_WITH_TRUSTED:
      case CKA_ALWAYS_AUTHENTICATE:
        attributes->emplace(row.type, Bytes{0});
        break;
      case CKA_LABEL:
      case CKA_ID:
      case CKA_SUBJECT:
      case CKA_START_DATE:
      case CKA_END_DATE:
      case CKA_APPLICATION:
      case CKA_OBJECT_ID:
        attributes->emplace(row.type, Bytes{});
        break;
      default:
        if (row.kind == Kind::kBool && row.stated != 0) attributes->emplace(row.type, Bytes{1});
    }
  }
}

void FakeCryptoki::MarkGenerated(const FakeSlot& slot, CK_MECHANISM_TYPE mechanism, Attributes* attributes) const {
  const bool secret = attributes->contains(CKA_SENSITIVE);
  if (secret && slot.habits.generate_ignores_protection) {
    (*attributes)[CKA_SENSITIVE] = {0};
    (*attributes)[CKA_EXTRACTABLE] = {1};
  }
  if (slot.habits.loses_id) (*attributes)[CKA_ID] = {};
  (*attributes)[CKA_LOCAL] = {1};
  (*attributes)[CKA_KEY_GEN_MECHANISM] = Number(mechanism);
  if (!secret) return;
  (*attributes)[CKA_ALWAYS_SENSITIVE] = attributes->at(CKA_SENSITIVE);
  (*attributes)[CKA_NEVER_EXTRACTABLE] = {static_cast<std::uint8_t>(!IsTrue(*attributes, CKA_EXTRACTABLE))};
}

void FakeCryptoki::MarkImported(const FakeSlot& slot, Attributes* attributes) const {
  if (slot.habits.loses_id && attributes->contains(CKA_ID)) (*attributes)[CKA_ID] = {};
  if (!attributes->contains(CKA_KEY_TYPE)) return;
  (*attributes)[CKA_LOCAL] = {0};
  (*attributes)[CKA_KEY_GEN_MECHANISM] = Number(CK_UNAVAILABLE_INFORMATION);
  if (!attributes->contains(CKA_SENSITIVE)) return;
  (*attributes)[CKA_ALWAYS_SENSITIVE] = {0};
  (*attributes)[CKA_NEVER_EXTRACTABLE] = {0};
}

CK_RV FakeCryptoki::CheckMayMake(const Place& place, const Attributes& attributes) const {
  if (IsTrue(attributes, CKA_TOKEN) && !place.session->read_write) return CKR_SESSION_READ_ONLY;
  const auto state = logins_.find(place.session->slot);
  const bool user = state != logins_.end() && state->second == LoginState::kUser;
  if (IsTrue(attributes, CKA_PRIVATE) && !user) return CKR_USER_NOT_LOGGED_IN;
  return CKR_OK;
}

CK_RV FakeCryptoki::HasRoom(const FakeSlot& slot, std::size_t count) const {
  return slot.objects.size() + count > slot.habits.object_capacity ? CKR_DEVICE_MEMORY : CKR_OK;
}

CK_OBJECT_HANDLE FakeCryptoki::Add(const Place& place, CK_SESSION_HANDLE session, FakeObject object) {
  const CK_ULONG number = device_->next_number++;
  if (IsTrue(object.attributes, CKA_TOKEN)) {
    place.slot->objects.emplace(number, std::move(object));
  } else {
    object.owner_session = session;
    session_objects_.emplace(number, std::pair(place.session->slot, std::move(object)));
  }
  return HandleOf(number);
}

FakeObject* FakeCryptoki::FindObject(const Place& place, CK_OBJECT_HANDLE handle) {
  const CK_ULONG base = HandleOf(0);
  if (handle <= base || handle >= base + 1'000'000UL) return nullptr;
  FakeObject* object = nullptr;
  if (const auto found = place.slot->objects.find(handle - base); found != place.slot->objects.end()) {
    object = &found->second;
  } else if (const auto session_object = session_objects_.find(handle - base);
             session_object != session_objects_.end() && session_object->second.first == place.session->slot) {
    object = &session_object->second.second;
  }
  if (object == nullptr) return nullptr;
  if (IsTrue(object->attributes, CKA_PRIVATE) && login(place.session->slot) != LoginState::kUser) return nullptr;
  return object;
}

bool FakeCryptoki::IsSensitive(const FakeObject& object, CK_ATTRIBUTE_TYPE type) const {
  if (type != CKA_VALUE && type != CKA_PRIVATE_EXPONENT) return false;
  const Attributes& attributes = object.attributes;
  if (!attributes.contains(CKA_SENSITIVE)) return false;
  return IsTrue(attributes, CKA_SENSITIVE) || !IsTrue(attributes, CKA_EXTRACTABLE);
}

std::optional<Bytes> FakeCryptoki::ValueOf(const FakeSlot& slot, const FakeObject& object,
                                           CK_ATTRIBUTE_TYPE type) const {
  if (const auto lie = slot.habits.lies.find(type); lie != slot.habits.lies.end()) return lie->second;
  const bool is_private = NumberOf(object.attributes, CKA_CLASS) == CKO_PRIVATE_KEY;
  if (const auto lie = slot.habits.lies_of_private_keys.find(type);
      is_private && lie != slot.habits.lies_of_private_keys.end()) {
    return lie->second;
  }
  if (type == CKA_PUBLIC_KEY_INFO && object.key) {
    switch (slot.habits.public_key_info) {
      case FakeHabits::PublicInfo::kAbsent:
        return std::nullopt;
      case FakeHabits::PublicInfo::kEmpty:
        return Bytes{};
      case FakeHabits::PublicInfo::kPresent:
        return crypto::Spki(object.key);
    }
  }
  const bool is_rsa = object.key && NumberOf(object.attributes, CKA_KEY_TYPE) == CKK_RSA;
  if (type == CKA_VALUE && is_private && !is_rsa && object.key) return crypto::Scalar(object.key);
  if (type == CKA_PRIVATE_EXPONENT && is_private && is_rsa) return crypto::RsaPrivateExponent(object.key);
  const auto found = object.attributes.find(type);
  if (found == object.attributes.end()) return std::nullopt;
  if (type == CKA_EC_POINT && !slot.habits.raw_ec_point) return WrapPoint(found->second);
  if (type == CKA_MODULUS && slot.habits.modulus_with_leading_zero) {
    Bytes longer = {0};
    longer.insert(longer.end(), found->second.begin(), found->second.end());
    return longer;
  }
  return found->second;
}

CK_RV FakeCryptoki::CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count,
                                 CK_OBJECT_HANDLE* object) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (object == nullptr || (attributes == nullptr && count != 0)) return CKR_ARGUMENTS_BAD;
  CK_OBJECT_CLASS object_class = CK_UNAVAILABLE_INFORMATION;
  for (CK_ULONG i = 0; i < count; ++i) {
    if (attributes[i].type == CKA_CLASS && attributes[i].ulValueLen == sizeof object_class) {
      std::memcpy(&object_class, attributes[i].pValue, sizeof object_class);
    }
  }
  if (object_class == CK_UNAVAILABLE_INFORMATION) return CKR_TEMPLATE_INCOMPLETE;
  if (BitOf(object_class) == 0) return CKR_ATTRIBUTE_VALUE_INVALID;
  FakeObject made;
  if (const CK_RV rv = ReadTemplate(place, Origin::kCreate, object_class, attributes, count, &made.attributes);
      rv != CKR_OK) {
    return rv;
  }
  const auto has = [&](CK_ATTRIBUTE_TYPE type) { return made.attributes.contains(type); };
  const CK_KEY_TYPE key_type = NumberOf(made.attributes, CKA_KEY_TYPE);
  if ((BitOf(object_class) & kKeys) != 0 && !has(CKA_KEY_TYPE)) return CKR_TEMPLATE_INCOMPLETE;
  if (object_class == CKO_CERTIFICATE && (!has(CKA_CERTIFICATE_TYPE) || !has(CKA_SUBJECT) || !has(CKA_VALUE))) {
    return CKR_TEMPLATE_INCOMPLETE;
  }
  if (object_class == CKO_SECRET_KEY) {
    if (!has(CKA_VALUE)) return CKR_TEMPLATE_INCOMPLETE;
    const std::size_t size = made.attributes.at(CKA_VALUE).size();
    if (key_type != CKK_AES || (size != 16 && size != 24 && size != 32)) return CKR_ATTRIBUTE_VALUE_INVALID;
    made.attributes[CKA_VALUE_LEN] = Number(size);
  }
  if (object_class == CKO_PRIVATE_KEY) return CKR_TEMPLATE_INCONSISTENT;  // private keys come in wrapped or not at all
  if (object_class == CKO_PUBLIC_KEY && has(CKA_EC_POINT)) {
    // Either form is taken; the point itself is kept.
    Bytes& point = made.attributes.at(CKA_EC_POINT);
    const std::size_t header = point.size() > 2 && point[1] == 0x81 ? 3 : 2;
    if (point.size() > header && point[0] == 0x04 && point[header - 1] == point.size() - header) {
      point.erase(point.begin(), point.begin() + static_cast<std::ptrdiff_t>(header));
    }
  }
  if (object_class == CKO_PUBLIC_KEY && key_type == CKK_RSA) {
    if (!has(CKA_MODULUS) || !has(CKA_PUBLIC_EXPONENT)) return CKR_TEMPLATE_INCOMPLETE;
    made.key = crypto::RsaPublic(made.attributes.at(CKA_MODULUS), made.attributes.at(CKA_PUBLIC_EXPONENT));
    if (!made.key) return CKR_ATTRIBUTE_VALUE_INVALID;
    made.attributes[CKA_MODULUS_BITS] = Number(made.attributes.at(CKA_MODULUS).size() * 8);
  }
  AddDefaults(object_class, &made.attributes);
  MarkImported(*place.slot, &made.attributes);
  if (const CK_RV rv = CheckMayMake(place, made.attributes); rv != CKR_OK) return rv;
  if (const CK_RV rv = HasRoom(*place.slot, 1); rv != CKR_OK) return rv;
  *object = Add(place, session, std::move(made));
  return CKR_OK;
}

CK_RV FakeCryptoki::DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  const FakeObject* object = FindObject(place, handle);
  if (object == nullptr) return CKR_OBJECT_HANDLE_INVALID;
  if (IsTrue(object->attributes, CKA_TOKEN) && !place.session->read_write) return CKR_SESSION_READ_ONLY;
  if (!IsTrue(object->attributes, CKA_DESTROYABLE)) return CKR_ACTION_PROHIBITED;
  if (object->destroy_rv != CKR_OK) return object->destroy_rv;
  if (place.slot->habits.destroy_is_a_lie) return CKR_OK;
  place.slot->objects.erase(handle - HandleOf(0));
  session_objects_.erase(handle - HandleOf(0));
  return CKR_OK;
}

CK_RV FakeCryptoki::GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE* attributes,
                                      CK_ULONG count) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (attributes == nullptr || count == 0) return CKR_ARGUMENTS_BAD;
  const FakeObject* object = FindObject(place, handle);
  if (object == nullptr) return CKR_OBJECT_HANDLE_INVALID;
  if (object->read_rv != CKR_OK) return object->read_rv;
  // Every attribute is processed, whatever became of those before it (2.40 section 5.7).
  CK_RV result = CKR_OK;
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_ATTRIBUTE& asked = attributes[i];
    const std::optional<Bytes> value = ValueOf(*place.slot, *object, asked.type);
    if (!value) {
      asked.ulValueLen = CK_UNAVAILABLE_INFORMATION;
      result = CKR_ATTRIBUTE_TYPE_INVALID;
    } else if (IsSensitive(*object, asked.type)) {
      asked.ulValueLen = CK_UNAVAILABLE_INFORMATION;
      result = CKR_ATTRIBUTE_SENSITIVE;
    } else if (asked.pValue == nullptr) {
      asked.ulValueLen = place.slot->habits.absurd_attribute_lengths ? CK_ULONG{1} << 40 : value->size();
    } else if (asked.ulValueLen < value->size() || (place.slot->habits.growing_attributes && !value->empty())) {
      if (asked.ulValueLen < value->size()) ++place.slot->short_reads;
      asked.ulValueLen = CK_UNAVAILABLE_INFORMATION;
      result = CKR_BUFFER_TOO_SMALL;
    } else {
      if (!value->empty()) std::memcpy(asked.pValue, value->data(), value->size());
      asked.ulValueLen = value->size();
    }
  }
  return result;
}

CK_RV FakeCryptoki::SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE* attributes,
                                      CK_ULONG count) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (attributes == nullptr || count == 0) return CKR_ARGUMENTS_BAD;
  FakeObject* object = FindObject(place, handle);
  if (object == nullptr) return CKR_OBJECT_HANDLE_INVALID;
  if (IsTrue(object->attributes, CKA_TOKEN) && !place.session->read_write) return CKR_SESSION_READ_ONLY;
  if (!IsTrue(object->attributes, CKA_MODIFIABLE)) return CKR_ACTION_PROHIBITED;
  if (place.slot->habits.refuses_repair) return CKR_ATTRIBUTE_READ_ONLY;
  Attributes changes;
  if (const CK_RV rv =
          ReadTemplate(place, Origin::kChange, NumberOf(object->attributes, CKA_CLASS), attributes, count, &changes);
      rv != CKR_OK) {
    return rv;
  }
  for (const auto& [type, value] : changes) {
    if (Weakens(object->attributes, type, value)) return CKR_ATTRIBUTE_READ_ONLY;
  }
  for (auto& [type, value] : changes) object->attributes[type] = std::move(value);
  return CKR_OK;
}

CK_RV FakeCryptoki::FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (attributes == nullptr && count != 0) return CKR_ARGUMENTS_BAD;
  if (place.session->search) return CKR_OPERATION_ACTIVE;
  std::vector<CK_OBJECT_HANDLE> found;
  const auto look_at = [&](CK_ULONG number) {
    const FakeObject* object = FindObject(place, HandleOf(number));
    if (object == nullptr) return;
    for (CK_ULONG i = 0; i < count; ++i) {
      const std::optional<Bytes> value = ValueOf(*place.slot, *object, attributes[i].type);
      const auto* bytes = static_cast<const std::uint8_t*>(attributes[i].pValue);
      if (!value || IsSensitive(*object, attributes[i].type) ||
          !std::ranges::equal(*value, ByteView(bytes, attributes[i].ulValueLen))) {
        return;
      }
    }
    found.push_back(HandleOf(number));
    if (place.slot->habits.lists_twice) found.push_back(HandleOf(number));
  };
  for (const auto& entry : place.slot->objects) look_at(entry.first);
  for (const auto& entry : session_objects_) look_at(entry.first);
  std::ranges::reverse(found);  // handed out from the back
  place.session->search = std::move(found);
  return CKR_OK;
}

CK_RV FakeCryptoki::FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG capacity,
                                CK_ULONG* count) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (objects == nullptr || count == nullptr) return CKR_ARGUMENTS_BAD;
  if (!place.session->search) return CKR_OPERATION_NOT_INITIALIZED;
  std::vector<CK_OBJECT_HANDLE>& left = *place.session->search;
  *count = 0;
  if (place.slot->habits.lists_forever) {
    *count = std::min<CK_ULONG>(capacity, left.size());
    std::copy_n(left.begin(), *count, objects);
    return CKR_OK;
  }
  while (*count < capacity && !left.empty()) {
    objects[(*count)++] = left.back();
    left.pop_back();
  }
  if (place.slot->habits.absurd_find_count) *count = capacity + 1;
  return CKR_OK;
}

CK_RV FakeCryptoki::FindObjectsFinal(CK_SESSION_HANDLE session) {
  Place place{};
  if (const CK_RV rv = FindSession(session, &place); rv != CKR_OK) return rv;
  if (!place.session->search) return CKR_OPERATION_NOT_INITIALIZED;
  if (std::exchange(place.slot->habits.forgets_final, false)) return CKR_FUNCTION_FAILED;
  place.session->search.reset();
  return CKR_OK;
}

}  // namespace support
