// GeneralNames (RFC 5280 section 4.2.1.6): made from a profile, spelled for
// people from the rule and, by other code, from decoded bytes.
#ifndef CEREMONY_X509_GENERAL_NAME_H_
#define CEREMONY_X509_GENERAL_NAME_H_

#include <optional>
#include <string>
#include <string_view>

#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/profile.h"
#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

// Where a name stands: in nameConstraints an iPAddress has a mask ("192.0.2.0/24")
// and a name may begin with a dot.
enum class NamePlace : std::uint8_t { kName, kSubtree };

// EncodeGeneralName makes the DER of one name. kInvalidInput for a value that
// its kind does not allow: names are visible ASCII, an address is IPv4 or IPv6,
// the serial number of a hardware module is 16 lowercase hexadecimal digits, an EUI-64.
base::Result<base::Bytes> EncodeGeneralName(GeneralNameKind kind, const std::string& value,
                                            const std::string& hardware_type, NamePlace place);

// GeneralNameRuleText spells what EncodeGeneralName was given: "DNS example.org",
// "hardware module 1.2.3 serial 0011223344556677".
std::string GeneralNameRuleText(GeneralNameKind kind, const std::string& value, const std::string& hardware_type);

// GeneralNameText spells a decoded name in the same words; nullopt for a name
// that has none (x400Address and the like).
std::optional<std::string> GeneralNameText(const Element& name, NamePlace place);

// GeneralNameValue is what EncodeGeneralName makes such a name of; nullopt for a
// name of another kind. Of a hardware module it is the serial number alone.
std::optional<std::string> GeneralNameValue(GeneralNameKind kind, const Element& name);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_GENERAL_NAME_H_
