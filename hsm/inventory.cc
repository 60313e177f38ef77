#include "hsm/inventory.h"

#include <fmt/format.h>

#include <algorithm>

#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/describe.h"
#include "hsm/quirks.h"

namespace hsm {
namespace {

// Read of every object in one call: names, and everything of a fixed size.
constexpr CK_ATTRIBUTE_TYPE kOfAll[] = {
    CKA_CLASS,
    CKA_TOKEN,
    CKA_PRIVATE,
    CKA_LABEL,
    CKA_TRUSTED,
    CKA_CERTIFICATE_TYPE,
    CKA_KEY_TYPE,
    CKA_ID,
    CKA_SENSITIVE,
    CKA_ENCRYPT,
    CKA_DECRYPT,
    CKA_WRAP,
    CKA_UNWRAP,
    CKA_SIGN,
    CKA_SIGN_RECOVER,
    CKA_VERIFY,
    CKA_VERIFY_RECOVER,
    CKA_DERIVE,
    CKA_MODULUS_BITS,
    CKA_VALUE_LEN,
    CKA_EXTRACTABLE,
    CKA_LOCAL,
    CKA_NEVER_EXTRACTABLE,
    CKA_ALWAYS_SENSITIVE,
    CKA_KEY_GEN_MECHANISM,
    CKA_MODIFIABLE,
    CKA_COPYABLE,
    CKA_DESTROYABLE,
    CKA_ALWAYS_AUTHENTICATE,
    CKA_WRAP_WITH_TRUSTED,
};
constexpr CK_ATTRIBUTE_TYPE kOfPublicRsa[] = {CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_PUBLIC_KEY_INFO};
constexpr CK_ATTRIBUTE_TYPE kOfPublicEc[] = {CKA_EC_PARAMS, CKA_EC_POINT, CKA_PUBLIC_KEY_INFO};
constexpr CK_ATTRIBUTE_TYPE kOfPrivateRsa[] = {CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_PUBLIC_KEY_INFO};
constexpr CK_ATTRIBUTE_TYPE kOfPrivateEc[] = {CKA_EC_PARAMS, CKA_PUBLIC_KEY_INFO};
constexpr CK_ATTRIBUTE_TYPE kOfCertificates[] = {CKA_SUBJECT, CKA_ISSUER, CKA_SERIAL_NUMBER};
constexpr CK_ATTRIBUTE_TYPE kOfData[] = {CKA_APPLICATION, CKA_OBJECT_ID};

constexpr std::size_t kLongestValue = 64;

std::span<const CK_ATTRIBUTE_TYPE> MoreOf(std::optional<CK_OBJECT_CLASS> object_class,
                                          std::optional<CK_KEY_TYPE> key_type) {
  if (!object_class) return {};
  const bool rsa = key_type == CK_KEY_TYPE{CKK_RSA};
  const bool ec =
      key_type == CK_KEY_TYPE{CKK_EC} || key_type == CK_KEY_TYPE{CKK_EC_EDWARDS} || key_type == CKK_EC_MONTGOMERY;
  switch (*object_class) {
    case CKO_PUBLIC_KEY:
      return rsa  ? std::span<const CK_ATTRIBUTE_TYPE>(kOfPublicRsa)
             : ec ? kOfPublicEc
                  : std::span<const CK_ATTRIBUTE_TYPE>();
    case CKO_PRIVATE_KEY:
      return rsa  ? std::span<const CK_ATTRIBUTE_TYPE>(kOfPrivateRsa)
             : ec ? kOfPrivateEc
                  : std::span<const CK_ATTRIBUTE_TYPE>();
    case CKO_CERTIFICATE:
      return kOfCertificates;
    case CKO_DATA:
      return kOfData;
    default:
      return {};
  }
}

std::string Quoted(ByteView text) {
  std::string quoted = "\"";
  for (const std::uint8_t byte : text) {
    if (byte == '"' || byte == '\\') {
      quoted += '\\';
      quoted += static_cast<char>(byte);
    } else if (byte >= 0x20 && byte <= 0x7e) {
      quoted += static_cast<char>(byte);
    } else {
      quoted += fmt::format("\\x{:02x}", byte);
    }
  }
  return quoted + "\"";
}

std::string LineValue(const AttributeSet& attributes, const AttributeFacts& facts) {
  const ByteView value = attributes.Value(facts.type);
  if (attributes.state(facts.type) != AttributeState::kPresent) return attributes.DescribeOne(facts.type);
  if (value.size() > kLongestValue) return "sha256:" + base::Sha256Hex(value);
  return facts.kind == AttributeKind::kText ? Quoted(value) : DescribeValue(facts.type, value);
}

// The attributes of a line, in ascending order of type.
Description LineFields(const InventoryItem& item, std::span<const CK_ATTRIBUTE_TYPE> more) {
  std::vector<CK_ATTRIBUTE_TYPE> types(std::begin(kOfAll), std::end(kOfAll));
  types.insert(types.end(), more.begin(), more.end());
  std::ranges::sort(types);
  Description fields;
  for (const CK_ATTRIBUTE_TYPE type : types) {
    if (item.attributes.state(type) == AttributeState::kAbsent) continue;
    const AttributeFacts& facts = *FindAttribute(type);
    fields.push_back({std::string(facts.name), LineValue(item.attributes, facts)});
  }
  return fields;
}

void SetLine(InventoryItem& item, const Description& fields) {
  for (const NamedValue& field : fields) {
    if (!item.line.empty()) item.line += ' ';
    item.line += field.name + "=" + field.value;
  }
  const auto add = [&item](const char* name, const std::string& value) {
    if (value.empty()) return;
    if (!item.line.empty()) item.line += ' ';
    item.line += std::string(name) + "=" + value;
  };
  add("value", item.value_sha256);
  add("spki", item.spki_sha256);
  add("problem", item.problem);
}

// Whether a value that did not come is missing for a reason of its own: the token and its other objects can be read.
bool IsAboutTheValue(const Quirks& quirks, CK_RV rv) {
  return rv == CKR_BUFFER_TOO_SMALL || SpeaksOfOneObject(quirks, rv);
}

Result<AttributeSet> ReadMore(Session& session, CK_OBJECT_HANDLE handle, InventoryItem& item, AttributeSet attributes) {
  const std::optional<CK_OBJECT_CLASS> object_class = attributes.Number(CKA_CLASS);
  const auto more = MoreOf(object_class, attributes.Number(CKA_KEY_TYPE));
  if (more.empty()) return attributes;
  KC_ASSIGN_OR_RETURN(const AttributeSet second, session.ReadAttributes(handle, more));
  attributes.Merge(second);
  if (Result<base::PublicKey> key = ReadPublicKey(attributes); key.ok()) item.spki_sha256 = key->SpkiSha256Hex();
  if (object_class == CK_OBJECT_CLASS{CKO_CERTIFICATE}) {
    // Not secret in a certificate; the general read refuses CKA_VALUE.
    const Result<base::SecretBytes> value = session.ReadSecret(handle, CKA_VALUE);
    if (value.ok()) {
      item.value_sha256 = base::Sha256Hex(value->view());
    } else if (value.error().rv && !IsAboutTheValue(session.quirks(), *value.error().rv)) {
      return value.error();
    }
  }
  return attributes;
}

Result<InventoryItem> ReadItem(Session& session, CK_OBJECT_HANDLE handle) {
  InventoryItem item;
  Result<AttributeSet> attributes = session.ReadAttributes(handle, kOfAll);
  if (attributes.ok()) attributes = ReadMore(session, handle, item, std::move(attributes).value());
  if (attributes.ok()) {
    item.attributes = std::move(attributes).value();
  } else if (attributes.error().rv && SpeaksOfOneObject(session.quirks(), *attributes.error().rv)) {
    item.problem = RvName(*attributes.error().rv);
  } else {
    return std::move(attributes).error();
  }
  item.object = Object(handle, item.attributes);
  SetLine(item, LineFields(item, MoreOf(item.object.object_class(), item.object.key_type())));
  return item;
}

}  // namespace

std::string ItemName(const InventoryItem& item) {
  return item.problem.empty() ? item.object.Name() : fmt::format("object that cannot be read ({})", item.problem);
}

std::string Inventory::Text() const {
  std::string text = "keyceremony-inventory 1\ntoken label=" + Quoted(base::AsBytes(token_label)) +
                     " serial=" + Quoted(base::AsBytes(token_serial)) + "\n";
  for (const InventoryItem& item : items) text += item.line + "\n";
  return text;
}

Result<Inventory> TakeInventory(Session& session) {
  KC_ASSIGN_OR_RETURN(const std::vector<CK_OBJECT_HANDLE> handles, session.FindHandles(Template()));
  Inventory inventory;
  inventory.token_label = session.token().info().label;
  inventory.token_serial = session.token().info().serial;
  inventory.items.reserve(handles.size());
  for (const CK_OBJECT_HANDLE handle : handles) {
    KC_ASSIGN_OR_RETURN(InventoryItem item, ReadItem(session, handle));
    inventory.items.push_back(std::move(item));
  }
  std::ranges::stable_sort(inventory.items, {}, &InventoryItem::line);
  inventory.sha256 = base::Sha256Hex(inventory.Text());
  return inventory;
}

}  // namespace hsm
