#include "hsm/object.h"

#include <cstring>

#include "hsm/base/encoding.h"
#include "hsm/describe.h"

namespace hsm {

void AttributeSet::Set(CK_ATTRIBUTE_TYPE type, Bytes value) {
  items_[type] = Item{AttributeState::kPresent, std::move(value)};
}

void AttributeSet::SetState(CK_ATTRIBUTE_TYPE type, AttributeState state) { items_[type] = Item{state, {}}; }

void AttributeSet::Merge(const AttributeSet& other) {
  for (const auto& [type, item] : other.items_) items_[type] = item;
}

AttributeState AttributeSet::state(CK_ATTRIBUTE_TYPE type) const {
  const auto found = items_.find(type);
  return found == items_.end() ? AttributeState::kAbsent : found->second.state;
}

ByteView AttributeSet::Value(CK_ATTRIBUTE_TYPE type) const {
  const auto found = items_.find(type);
  return found == items_.end() ? ByteView{} : ByteView(found->second.value);
}

std::optional<bool> AttributeSet::Bool(CK_ATTRIBUTE_TYPE type) const {
  const ByteView value = Value(type);
  if (value.size() != 1 || value[0] > 1) return std::nullopt;
  return value[0] == CK_TRUE;
}

std::optional<CK_ULONG> AttributeSet::Number(CK_ATTRIBUTE_TYPE type) const {
  const ByteView value = Value(type);
  CK_ULONG number = 0;
  if (value.size() != sizeof number) return std::nullopt;
  std::memcpy(&number, value.data(), sizeof number);
  return number;
}

std::optional<std::string> AttributeSet::Text(CK_ATTRIBUTE_TYPE type) const {
  if (!Has(type)) return std::nullopt;
  return std::string(base::AsText(Value(type)));
}

std::string AttributeSet::DescribeOne(CK_ATTRIBUTE_TYPE type) const {
  switch (state(type)) {
    case AttributeState::kPresent:
      return DescribeValue(type, Value(type));
    case AttributeState::kSensitive:
      return "(sensitive)";
    case AttributeState::kUnreadable:
      return "(unreadable)";
    case AttributeState::kAbsent:
      break;
  }
  return "(absent)";
}

Description AttributeSet::Describe(std::string_view prefix) const {
  Description description;
  for (const auto& [type, item] : items_) {
    if (item.state == AttributeState::kAbsent) continue;
    description.push_back({std::string(prefix) + AttributeName(type), DescribeOne(type)});
  }
  return description;
}

Object::Object(CK_OBJECT_HANDLE handle, const AttributeSet& attributes)
    : handle_(handle),
      object_class_(attributes.Number(CKA_CLASS)),
      key_type_(attributes.Number(CKA_KEY_TYPE)),
      label_(attributes.Has(CKA_LABEL) ? DescribeValue(CKA_LABEL, attributes.Value(CKA_LABEL)) : std::string()),
      id_(base::ToBytes(attributes.Value(CKA_ID))) {}

std::string Object::Name() const {
  std::string name = "object without class";
  if (object_class_) {
    switch (*object_class_) {
      case CKO_DATA:
        name = "data object";
        break;
      case CKO_CERTIFICATE:
        name = "certificate";
        break;
      case CKO_PUBLIC_KEY:
        name = "public key";
        break;
      case CKO_PRIVATE_KEY:
        name = "private key";
        break;
      case CKO_SECRET_KEY:
        name = "secret key";
        break;
      default:
        name = "object of class " + ClassName(*object_class_);
        break;
    }
  }
  name += label_.empty() ? " without label" : " \"" + label_ + "\"";
  name += id_.empty() ? " (no id)" : " (id " + base::HexEncode(id_) + ")";
  return name;
}

}  // namespace hsm
