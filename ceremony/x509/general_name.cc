#include "ceremony/x509/general_name.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "ceremony/x509/der_writer.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/oid.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

base::Error Bad(GeneralNameKind kind, const std::string& value, const char* why) {
  return base::MakeError(base::ErrorCode::kInvalidInput,
                         fmt::format("the {} \"{}\" {}", GeneralNameKindName(kind), value, why));
}

// The octets of an address, and in a subtree those of its mask.
base::Result<base::Bytes> AddressOf(const std::string& value, NamePlace place) {
  const std::size_t slash = value.find('/');
  const std::string address = value.substr(0, slash);
  base::Bytes octets(16);
  if (inet_pton(AF_INET, address.c_str(), octets.data()) == 1) {
    octets.resize(4);
  } else if (inet_pton(AF_INET6, address.c_str(), octets.data()) != 1) {
    return Bad(GeneralNameKind::kIp, value, "is no IPv4 or IPv6 address");
  }
  if (place == NamePlace::kName) {
    if (slash != std::string::npos) return Bad(GeneralNameKind::kIp, value, "has a mask where an address must be");
    return octets;
  }
  unsigned prefix = 0;
  const char* begin = value.c_str() + std::min(slash, value.size() - 1) + 1;
  const char* end = value.c_str() + value.size();
  const auto parsed = std::from_chars(begin, end, prefix);
  if (slash == std::string::npos || parsed.ec != std::errc() || parsed.ptr != end || prefix > octets.size() * 8)
    return Bad(GeneralNameKind::kIp, value, "has no prefix length such as /24");
  const std::size_t size = octets.size();
  for (std::size_t bit = 0; bit < size * 8; bit += 8) {
    const unsigned ones = prefix > bit ? std::min<unsigned>(8, prefix - static_cast<unsigned>(bit)) : 0;
    const auto mask = static_cast<std::uint8_t>(0xff00U >> ones);
    if ((octets[bit / 8] & ~mask & 0xffU) != 0) return Bad(GeneralNameKind::kIp, value, "has bits behind its prefix");
    octets.push_back(mask);
  }
  return octets;
}

std::string AddressText(base::ByteView octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(octets.size() == 4 ? AF_INET : AF_INET6, octets.data(), text.data(), text.size());
  return text.data();
}

std::optional<std::string> IpText(base::ByteView octets, NamePlace place) {
  if (place == NamePlace::kName)
    return octets.size() == 4 || octets.size() == 16 ? std::optional("IP " + AddressText(octets)) : std::nullopt;
  if (octets.size() != 8 && octets.size() != 32) return std::nullopt;
  const base::ByteView mask = octets.subspan(octets.size() / 2);
  unsigned prefix = 0;
  while (prefix < mask.size() * 8 && (mask[prefix / 8] & (0x80U >> (prefix % 8))) != 0) ++prefix;
  for (unsigned bit = prefix; bit < mask.size() * 8; ++bit) {
    if ((mask[bit / 8] & (0x80U >> (bit % 8))) != 0) return std::nullopt;  // a mask with holes
  }
  return fmt::format("IP {}/{}", AddressText(octets.first(octets.size() / 2)), prefix);
}

struct HardwareModule {
  base::ByteView type;
  base::ByteView serial;
};
std::optional<HardwareModule> ReadHardwareModule(const Element& name) {
  Findings findings(name.whole);
  DerReader fields(name.content, "otherName", findings);
  const auto type = fields.Take(tag::kOid, "type-id");
  const auto value = fields.Take(tag::ContextConstructed(0), "value");
  if (!type || !value || !fields.Finish() || FindOid(type->content) != Oid::kHardwareModuleName) return std::nullopt;
  DerReader outer(value->content, "hardwareModuleName", findings);
  const auto module = outer.Take(tag::kSequence, "HardwareModuleName");
  if (!module || !outer.Finish()) return std::nullopt;
  DerReader inner(module->content, "hardwareModuleName", findings);
  const auto hardware = inner.Take(tag::kOid, "hwType");
  const auto serial = inner.Take(tag::kOctetString, "hwSerialNum");
  if (!hardware || !serial || !inner.Finish()) return std::nullopt;
  return HardwareModule{hardware->content, serial->content};
}

}  // namespace

base::Result<base::Bytes> EncodeGeneralName(GeneralNameKind kind, const std::string& value,
                                            const std::string& hardware_type, NamePlace place) {
  DerWriter writer;
  switch (kind) {
    case GeneralNameKind::kEmail:
    case GeneralNameKind::kDns:
    case GeneralNameKind::kUri: {
      if (value.empty() || !std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c <= '~'; }))
        return Bad(kind, value, "is not visible ASCII");
      if (place == NamePlace::kName && kind == GeneralNameKind::kEmail && value.find('@') == std::string::npos)
        return Bad(kind, value, "has no @");
      if (place == NamePlace::kName && kind == GeneralNameKind::kUri && value.find(':') == std::string::npos)
        return Bad(kind, value, "has no scheme");
      const unsigned number = kind == GeneralNameKind::kEmail ? 1 : kind == GeneralNameKind::kDns ? 2 : 6;
      writer.Text(tag::Context(number), value);
      break;
    }
    case GeneralNameKind::kIp: {
      KC_ASSIGN_OR_RETURN(const base::Bytes octets, AddressOf(value, place));
      writer.Value(tag::Context(7), octets);
      break;
    }
    case GeneralNameKind::kHardwareModule: {
      const auto serial = base::HexDecode(value);
      if (!serial || serial->size() != 8) return Bad(kind, value, "is no EUI-64: 16 lowercase hexadecimal digits");
      KC_ASSIGN_OR_RETURN(const base::Bytes type, EncodeOid(hardware_type));
      writer.Nested(tag::ContextConstructed(0), [&] {
        writer.ObjectIdentifier(Oid::kHardwareModuleName);
        writer.Nested(tag::ContextConstructed(0), [&] {
          writer.Nested(tag::kSequence, [&] {
            writer.Value(tag::kOid, type);
            writer.Value(tag::kOctetString, *serial);
          });
        });
      });
      break;
    }
  }
  return std::move(writer).Take();
}

std::string GeneralNameRuleText(GeneralNameKind kind, const std::string& value, const std::string& hardware_type) {
  switch (kind) {
    case GeneralNameKind::kEmail:
      return "email " + value;
    case GeneralNameKind::kDns:
      return "DNS " + value;
    case GeneralNameKind::kUri:
      return "URI " + value;
    case GeneralNameKind::kIp:
      return "IP " + value;
    case GeneralNameKind::kHardwareModule:
      return fmt::format("hardware module {} serial {}", hardware_type, value);
  }
  return value;
}

std::optional<std::string> GeneralNameValue(GeneralNameKind kind, const Element& name) {
  const auto text = [&](unsigned number) {
    return name.identifier == tag::Context(number) ? std::optional(std::string(base::AsText(name.content)))
                                                   : std::nullopt;
  };
  switch (kind) {
    case GeneralNameKind::kEmail:
      return text(1);
    case GeneralNameKind::kDns:
      return text(2);
    case GeneralNameKind::kUri:
      return text(6);
    case GeneralNameKind::kIp:
      if (name.identifier != tag::Context(7) || (name.content.size() != 4 && name.content.size() != 16))
        return std::nullopt;
      return AddressText(name.content);
    case GeneralNameKind::kHardwareModule:
      if (name.identifier != tag::ContextConstructed(0)) return std::nullopt;
      if (const auto module = ReadHardwareModule(name)) return base::HexEncode(module->serial);
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> GeneralNameText(const Element& name, NamePlace place) {
  switch (name.identifier) {
    case tag::ContextConstructed(0):
      if (const auto module = ReadHardwareModule(name))
        return fmt::format("hardware module {} serial {}", DottedOid(module->type), base::HexEncode(module->serial));
      return std::nullopt;
    case tag::Context(1):
      return "email " + SafeText(name.content);
    case tag::Context(2):
      return "DNS " + SafeText(name.content);
    case tag::ContextConstructed(4):
      return "directory name " + NameText(name.content);
    case tag::Context(6):
      return "URI " + SafeText(name.content);
    case tag::Context(7):
      return IpText(name.content, place);
    default:
      return std::nullopt;
  }
}

}  // namespace ceremony::x509
