// The attributes of names, by RFC 5280 appendix A and X.520: one table for building
// names and for linting them.
#ifndef CEREMONY_X509_ATTRIBUTE_TYPES_H_
#define CEREMONY_X509_ATTRIBUTE_TYPES_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "ceremony/x509/oid.h"
#include "ceremony/x509/profile.h"

namespace ceremony::x509 {

// AttributeSyntax says which string types an attribute may have.
enum class AttributeSyntax : std::uint8_t { kDirectoryString, kPrintableString, kIa5String, kBitString };

struct AttributeFacts {
  Oid type;
  AttributeSyntax syntax;
  std::size_t most;   // characters; 0 where no bound is set
  std::size_t least;  // characters
};

// FindAttribute returns nullptr for an attribute that is not in the table.
const AttributeFacts* FindAttribute(std::optional<Oid> type);

// Identifier returns the tag of an encoding.
std::uint8_t IdentifierOf(StringEncoding encoding);

// Allows says whether an attribute may have a value with this tag. Every type
// of DirectoryString counts, also those that are no longer used.
bool Allows(AttributeSyntax syntax, std::uint8_t identifier);
std::string_view SyntaxName(AttributeSyntax syntax);
// StringTypeName is "PrintableString" and so on; empty for a tag that is no string.
std::string_view StringTypeName(std::uint8_t identifier);

// CharacterCount counts the characters of a value; UTF-8 by its lead octets.
std::size_t CharacterCount(std::uint8_t identifier, base::ByteView value);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_ATTRIBUTE_TYPES_H_
