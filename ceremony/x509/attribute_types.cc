#include "ceremony/x509/attribute_types.h"

#include <algorithm>
#include <array>

#include "ceremony/x509/der_reader.h"

namespace ceremony::x509 {
namespace {

constexpr auto kDirectory = AttributeSyntax::kDirectoryString;

// Upper bounds of RFC 5280 appendix A.1; streetAddress and
// organizationIdentifier have none there.
constexpr std::array<AttributeFacts, 20> kAttributes = {{
    {Oid::kCommonName, kDirectory, 64, 1},
    {Oid::kSurname, kDirectory, 32768, 1},
    {Oid::kSerialNumber, AttributeSyntax::kPrintableString, 64, 1},
    {Oid::kCountry, AttributeSyntax::kPrintableString, 2, 2},
    {Oid::kLocality, kDirectory, 128, 1},
    {Oid::kState, kDirectory, 128, 1},
    {Oid::kStreet, kDirectory, 0, 1},
    {Oid::kOrganization, kDirectory, 64, 1},
    {Oid::kOrganizationalUnit, kDirectory, 64, 1},
    {Oid::kTitle, kDirectory, 64, 1},
    {Oid::kGivenName, kDirectory, 32768, 1},
    {Oid::kInitials, kDirectory, 32768, 1},
    {Oid::kGenerationQualifier, kDirectory, 32768, 1},
    {Oid::kUniqueIdentifier, AttributeSyntax::kBitString, 0, 1},
    {Oid::kDnQualifier, AttributeSyntax::kPrintableString, 0, 1},
    {Oid::kPseudonym, kDirectory, 128, 1},
    {Oid::kOrganizationIdentifier, kDirectory, 0, 1},
    {Oid::kUserId, kDirectory, 256, 1},
    {Oid::kDomainComponent, AttributeSyntax::kIa5String, 63, 1},
    {Oid::kEmailAddress, AttributeSyntax::kIa5String, 255, 1},
}};

struct StringType {
  std::uint8_t identifier;
  std::string_view name;
  bool directory;  // a choice of DirectoryString
};
constexpr std::array<StringType, 9> kStringTypes = {{
    {tag::kPrintableString, "PrintableString", true},
    {tag::kUtf8String, "UTF8String", true},
    {tag::kTeletexString, "TeletexString", true},
    {tag::kBmpString, "BMPString", true},
    {tag::kUniversalString, "UniversalString", true},
    {tag::kIa5String, "IA5String", false},
    {tag::kBitString, "BIT STRING", false},
    {tag::kNumericString, "NumericString", false},
    {tag::kVisibleString, "VisibleString", false},
}};

const StringType* FindStringType(std::uint8_t identifier) {
  const auto found = std::find_if(kStringTypes.begin(), kStringTypes.end(),
                                  [&](const StringType& type) { return type.identifier == identifier; });
  return found == kStringTypes.end() ? nullptr : &*found;
}

}  // namespace

const AttributeFacts* FindAttribute(std::optional<Oid> type) {
  if (!type) return nullptr;
  const auto found = std::find_if(kAttributes.begin(), kAttributes.end(),
                                  [&](const AttributeFacts& facts) { return facts.type == *type; });
  return found == kAttributes.end() ? nullptr : &*found;
}

std::uint8_t IdentifierOf(StringEncoding encoding) {
  switch (encoding) {
    case StringEncoding::kPrintableString:
      return tag::kPrintableString;
    case StringEncoding::kUtf8String:
      return tag::kUtf8String;
    case StringEncoding::kIa5String:
      return tag::kIa5String;
    case StringEncoding::kBitString:
      return tag::kBitString;
  }
  return 0;
}

bool Allows(AttributeSyntax syntax, std::uint8_t identifier) {
  switch (syntax) {
    case AttributeSyntax::kDirectoryString: {
      const StringType* type = FindStringType(identifier);
      return type != nullptr && type->directory;
    }
    case AttributeSyntax::kPrintableString:
      return identifier == tag::kPrintableString;
    case AttributeSyntax::kIa5String:
      return identifier == tag::kIa5String;
    case AttributeSyntax::kBitString:
      return identifier == tag::kBitString;
  }
  return false;
}

std::string_view SyntaxName(AttributeSyntax syntax) {
  switch (syntax) {
    case AttributeSyntax::kDirectoryString:
      return "DirectoryString";
    case AttributeSyntax::kPrintableString:
      return "PrintableString";
    case AttributeSyntax::kIa5String:
      return "IA5String";
    case AttributeSyntax::kBitString:
      return "BIT STRING";
  }
  return "";
}

std::string_view StringTypeName(std::uint8_t identifier) {
  const StringType* type = FindStringType(identifier);
  return type == nullptr ? std::string_view() : type->name;
}

std::size_t CharacterCount(std::uint8_t identifier, base::ByteView value) {
  switch (identifier) {
    case tag::kUtf8String:
      return static_cast<std::size_t>(
          std::count_if(value.begin(), value.end(), [](std::uint8_t octet) { return (octet & 0xc0U) != 0x80; }));
    case tag::kBmpString:
      return value.size() / 2;
    case tag::kUniversalString:
      return value.size() / 4;
    case tag::kBitString:
      return value.empty() ? 0 : (value.size() - 1) * 8 - std::min<std::size_t>(value[0], (value.size() - 1) * 8);
    default:
      return value.size();
  }
}

}  // namespace ceremony::x509
