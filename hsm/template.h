// Template is the list of attributes for making, finding or changing an object.
// It owns its values, so that they live until the call.
#ifndef HSM_TEMPLATE_H_
#define HSM_TEMPLATE_H_

#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "hsm/base/secret_bytes.h"
#include "hsm/cryptoki.h"
#include "hsm/observer.h"

namespace hsm {

class Template final {
 public:
  Template() = default;
  Template(Template&&) noexcept = default;
  Template& operator=(Template&&) noexcept = default;
  Template(const Template&) = delete;  // it may own a secret
  Template& operator=(const Template&) = delete;

  // Each sets the attribute, in place of an earlier value, and returns *this.
  Template& Bool(CK_ATTRIBUTE_TYPE type, bool value);
  Template& Number(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
  Template& Text(CK_ATTRIBUTE_TYPE type, std::string_view value);
  Template& Raw(CK_ATTRIBUTE_TYPE type, ByteView value);
  // Secret takes key material; it is wiped with the template and never described.
  Template& Secret(CK_ATTRIBUTE_TYPE type, base::SecretBytes value);

  // Remove takes an attribute out if it is there.
  Template& Remove(CK_ATTRIBUTE_TYPE type);

  bool Has(CK_ATTRIBUTE_TYPE type) const { return Find(type) != nullptr; }
  // Value views the bytes as the module will see them; empty if not there.
  ByteView Value(CK_ATTRIBUTE_TYPE type) const;
  // Types lists the attributes in the order they were first set.
  std::vector<CK_ATTRIBUTE_TYPE> Types() const;
  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }

  // Native is the array for a call. It is valid until the template changes or is destroyed; the module must not write
  // through it.
  std::span<CK_ATTRIBUTE> Native() const;

  // Describe spells every attribute, in order, for records; never a secret.
  // `prefix` goes before each name ("private.").
  Description Describe(std::string_view prefix = {}) const;

 private:
  struct Item {
    CK_ATTRIBUTE_TYPE type;
    std::variant<Bytes, base::SecretBytes> value;
    ByteView view() const;
  };
  const Item* Find(CK_ATTRIBUTE_TYPE type) const;
  Template& Put(CK_ATTRIBUTE_TYPE type, std::variant<Bytes, base::SecretBytes> value);

  std::vector<Item> items_;
  mutable std::vector<CK_ATTRIBUTE> native_;
};

}  // namespace hsm

#endif  // HSM_TEMPLATE_H_
