// GeneralNames as OpenSSL decodes them, in the words of our own decoder.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>

#include <array>

#include "ceremony/x509/name.h"
#include "ceremony/x509/openssl_parts.h"
#include "hsm/base/encoding.h"
#include "hsm/base/owned.h"

namespace ceremony::x509::openssl {
namespace {

template <auto kFree, typename T>
base::Owned<T, kFree> Decoded(const X509_EXTENSION* extension) {
  // Takes no const, changes nothing.
  return base::Owned<T, kFree>(static_cast<T*>(X509V3_EXT_d2i(const_cast<X509_EXTENSION*>(extension))));
}

std::string AddressOf(base::ByteView octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(octets.size() == 4 ? AF_INET : AF_INET6, octets.data(), text.data(), text.size());
  return text.data();
}

std::string IpOf(base::ByteView octets, NamePlace place) {
  if (place == NamePlace::kName)
    return octets.size() == 4 || octets.size() == 16 ? "IP " + AddressOf(octets) : std::string();
  if (octets.size() != 8 && octets.size() != 32) return {};
  const base::ByteView mask = octets.subspan(octets.size() / 2);
  unsigned prefix = 0;
  bool ended = false;
  for (const std::uint8_t octet : mask) {
    for (unsigned bit = 0x80; bit != 0; bit >>= 1U) {
      if ((octet & bit) == 0) {
        ended = true;
      } else if (ended) {
        return {};
      } else {
        ++prefix;
      }
    }
  }
  return fmt::format("IP {}/{}", AddressOf(octets.first(mask.size())), prefix);
}

// OpenSSL has no decoder of its own for hardwareModuleName, but one for any SEQUENCE.
std::string OtherOf(const OTHERNAME* other) {
  if (Dotted(other->type_id) != "1.3.6.1.5.5.7.8.4" || ASN1_TYPE_get(other->value) != V_ASN1_SEQUENCE) return {};
  const base::ByteView der = OctetsOf(other->value->value.sequence);
  const unsigned char* at = der.data();
  ASN1_SEQUENCE_ANY* sequence = d2i_ASN1_SEQUENCE_ANY(nullptr, &at, static_cast<long>(der.size()));
  if (sequence == nullptr) {
    ERR_clear_error();
    return {};
  }
  std::string text;
  if (sk_ASN1_TYPE_num(sequence) == 2) {
    const ASN1_TYPE* type = sk_ASN1_TYPE_value(sequence, 0);
    const ASN1_TYPE* serial = sk_ASN1_TYPE_value(sequence, 1);
    if (ASN1_TYPE_get(type) == V_ASN1_OBJECT && ASN1_TYPE_get(serial) == V_ASN1_OCTET_STRING)
      text = fmt::format("hardware module {} serial {}", Dotted(type->value.object), HexOf(serial->value.octet_string));
  }
  sk_ASN1_TYPE_pop_free(sequence, ASN1_TYPE_free);
  return text;
}

// Joins what `spell` says of each; empty when one of them has no words.
template <typename Count, typename Spell>
std::string Join(Count count, Spell&& spell) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    const std::string one = spell(i);
    if (one.empty()) return {};
    text += (text.empty() ? "" : ", ") + one;
  }
  return text;
}

}  // namespace

std::string GeneralNameOf(const GENERAL_NAME* name, NamePlace place) {
  switch (name->type) {
    case GEN_OTHERNAME:
      return OtherOf(name->d.otherName);
    case GEN_EMAIL:
      return "email " + SafeText(OctetsOf(name->d.rfc822Name));
    case GEN_DNS:
      return "DNS " + SafeText(OctetsOf(name->d.dNSName));
    case GEN_DIRNAME:
      return "directory name " + NameOf(name->d.directoryName);
    case GEN_URI:
      return "URI " + SafeText(OctetsOf(name->d.uniformResourceIdentifier));
    case GEN_IPADD:
      return IpOf(OctetsOf(name->d.iPAddress), place);
    default:
      return {};
  }
}

std::string AlternativeNamesOf(const X509_EXTENSION* extension) {
  const auto names = Decoded<GENERAL_NAMES_free, GENERAL_NAMES>(extension);
  if (!names) return "undecodable";
  return Join(sk_GENERAL_NAME_num(names.get()),
              [&](int i) { return GeneralNameOf(sk_GENERAL_NAME_value(names.get(), i), NamePlace::kName); });
}

std::string DistributionPointsOf(const X509_EXTENSION* extension) {
  const auto points = Decoded<CRL_DIST_POINTS_free, CRL_DIST_POINTS>(extension);
  if (!points) return "undecodable";
  return Join(sk_DIST_POINT_num(points.get()), [&](int i) -> std::string {
    const DIST_POINT* point = sk_DIST_POINT_value(points.get(), i);
    if (point->reasons != nullptr || point->CRLissuer != nullptr || point->distpoint == nullptr ||
        point->distpoint->type != 0 || sk_GENERAL_NAME_num(point->distpoint->name.fullname) != 1)
      return {};
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(point->distpoint->name.fullname, 0);
    return name->type == GEN_URI ? GeneralNameOf(name, NamePlace::kName) : std::string();
  });
}

std::string AccessOf(const X509_EXTENSION* extension) {
  const auto access = Decoded<AUTHORITY_INFO_ACCESS_free, AUTHORITY_INFO_ACCESS>(extension);
  if (!access) return "undecodable";
  return Join(sk_ACCESS_DESCRIPTION_num(access.get()), [&](int i) -> std::string {
    const ACCESS_DESCRIPTION* description = sk_ACCESS_DESCRIPTION_value(access.get(), i);
    const std::string name = GeneralNameOf(description->location, NamePlace::kName);
    return name.empty() ? name : Named(description->method) + " " + name;
  });
}

std::string NameConstraintsOf(const X509_EXTENSION* extension) {
  const auto constraints = Decoded<NAME_CONSTRAINTS_free, NAME_CONSTRAINTS>(extension);
  if (!constraints) return "undecodable";
  const auto spell = [](const STACK_OF(GENERAL_SUBTREE) * list, const std::string& word) {
    return Join(sk_GENERAL_SUBTREE_num(list), [&](int i) -> std::string {
      const GENERAL_SUBTREE* subtree = sk_GENERAL_SUBTREE_value(list, i);
      const std::string name = GeneralNameOf(subtree->base, NamePlace::kSubtree);
      return name.empty() || subtree->minimum != nullptr || subtree->maximum != nullptr ? "" : word + " " + name;
    });
  };
  const std::string permitted = spell(constraints->permittedSubtrees, "permitted");
  const std::string excluded = spell(constraints->excludedSubtrees, "excluded");
  if ((permitted.empty() && sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees) > 0) ||
      (excluded.empty() && sk_GENERAL_SUBTREE_num(constraints->excludedSubtrees) > 0))
    return {};
  return permitted + (permitted.empty() || excluded.empty() ? "" : ", ") + excluded;
}

}  // namespace ceremony::x509::openssl
