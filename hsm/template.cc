#include "hsm/template.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "hsm/describe.h"

namespace hsm {

ByteView Template::Item::view() const {
  if (const auto* const secret = std::get_if<base::SecretBytes>(&value)) return secret->view();
  return std::get<Bytes>(value);
}

const Template::Item* Template::Find(CK_ATTRIBUTE_TYPE type) const {
  const auto found = std::ranges::find(items_, type, &Item::type);
  return found == items_.end() ? nullptr : &*found;
}

Template& Template::Put(CK_ATTRIBUTE_TYPE type, std::variant<Bytes, base::SecretBytes> value) {
  const auto found = std::ranges::find(items_, type, &Item::type);
  if (found == items_.end()) {
    items_.push_back({type, std::move(value)});
  } else {
    found->value = std::move(value);
  }
  return *this;
}

Template& Template::Bool(CK_ATTRIBUTE_TYPE type, bool value) {
  return Put(type, Bytes{static_cast<std::uint8_t>(value ? CK_TRUE : CK_FALSE)});
}

Template& Template::Number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return Put(type, std::move(bytes));
}

Template& Template::Text(CK_ATTRIBUTE_TYPE type, std::string_view value) { return Raw(type, base::AsBytes(value)); }

Template& Template::Raw(CK_ATTRIBUTE_TYPE type, ByteView value) { return Put(type, base::ToBytes(value)); }

Template& Template::Secret(CK_ATTRIBUTE_TYPE type, base::SecretBytes value) { return Put(type, std::move(value)); }

Template& Template::Remove(CK_ATTRIBUTE_TYPE type) {
  std::erase_if(items_, [type](const Item& item) { return item.type == type; });
  return *this;
}

ByteView Template::Value(CK_ATTRIBUTE_TYPE type) const {
  const Item* const item = Find(type);
  return item == nullptr ? ByteView{} : item->view();
}

std::vector<CK_ATTRIBUTE_TYPE> Template::Types() const {
  std::vector<CK_ATTRIBUTE_TYPE> types;
  types.reserve(items_.size());
  for (const Item& item : items_) types.push_back(item.type);
  return types;
}

std::span<CK_ATTRIBUTE> Template::Native() const {
  native_.clear();
  native_.reserve(items_.size());
  for (const Item& item : items_) {
    const ByteView view = item.view();
    // Cryptoki takes templates through pointers to non-const, and does not write to them.
    native_.push_back({item.type, const_cast<std::uint8_t*>(view.data()), view.size()});
  }
  return native_;
}

Description Template::Describe(std::string_view prefix) const {
  Description description;
  description.reserve(items_.size());
  for (const Item& item : items_) {
    const ByteView view = item.view();
    std::string value = std::holds_alternative<base::SecretBytes>(item.value)
                            ? "(" + std::to_string(view.size()) + " bytes withheld)"
                            : DescribeValue(item.type, view);
    description.push_back({std::string(prefix) + AttributeName(item.type), std::move(value)});
  }
  return description;
}

}  // namespace hsm
