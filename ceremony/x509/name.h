// Distinguished names: made from a profile, shown to people, compared.
#ifndef CEREMONY_X509_NAME_H_
#define CEREMONY_X509_NAME_H_

#include <map>
#include <string>
#include <string_view>

#include "ceremony/x509/profile.h"
#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

// Values that a ceremony script gives for attributes without a fixed value, by
// the attribute's type as the profile spells it.
using SubjectValues = std::map<std::string, std::string>;

// BuildName makes the DER Name of a profile's subject. Refusals: NAME-VALUE-01
// no value for an attribute that needs one; NAME-VALUE-02 a value for an
// attribute that is fixed or not in the profile; NAME-VALUE-03 a value that its
// encoding or its length does not allow.
base::Result<base::Bytes> BuildName(const Profile& profile, const SubjectValues& values);

// NameText spells a DER Name for people, in its order, with what a byte
// comparison would see: "OU=00 (PrintableString), CN=ZA (PrintableString)".
// The empty Name is "(empty)". Control characters come out as \xx, and a value that
// could be read as more than one attribute stands in quotes: CN="A, OU=07" (UTF8String).
std::string NameText(base::ByteView name);

// SpellsName tells whether `text` is the NameText of this Name,
// or its older spelling without quotes.
bool SpellsName(std::string_view text, base::ByteView name);

// SafeText spells octets for a terminal: ASCII and UTF-8 as they are, but backslashes, control
// characters, what people cannot see (base::IsInvisible) and what is not UTF-8 as \xx for each octet.
std::string SafeText(base::ByteView text);

// AttributeValueText spells the value alone: SafeText, or '#' and hex if the
// value is not text.
struct AttributeView;
std::string AttributeValueText(const AttributeView& attribute);

// TextInName is SafeText of a value within a NameText, in quotes where needed.
std::string TextInName(base::ByteView value);

// FoldedName is equal for names that RFC 5280 section 7.1 calls equal. It ignores
// string type, case and runs of spaces in ASCII text. All other values are compared
// byte by byte. It is a key for looking up, not for people.
std::string FoldedName(base::ByteView name);
bool SameName(base::ByteView a, base::ByteView b);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_NAME_H_
