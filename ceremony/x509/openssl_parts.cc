#include "ceremony/x509/openssl_parts.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>

#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/der_writer.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/oid.h"
#include "ceremony/x509/signature_algorithm.h"
#include "hsm/base/encoding.h"
#include "hsm/base/owned.h"

namespace ceremony::x509::openssl {

std::string LastError() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return code == 0 ? "no reason given" : text.data();
}

base::Bytes Unsigned(base::ByteView tbs, base::ByteView algorithm) {
  DerWriter writer;
  writer.Nested(tag::kSequence, [&] {
    writer.Raw(tbs);
    writer.Raw(algorithm);
    writer.BitString({});
  });
  return std::move(writer).Take();
}

base::ByteView OctetsOf(const ASN1_STRING* string) {
  return {ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string HexOf(const ASN1_STRING* string) { return base::HexEncode(OctetsOf(string)); }

std::string Dotted(const ASN1_OBJECT* object) {
  std::array<char, 256> text{};
  OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 1);
  return text.data();
}

// Names in our spelling for an OID that OpenSSL found.
std::string Named(const ASN1_OBJECT* object) {
  const std::string dotted = Dotted(object);
  const auto known = FindOidByName(dotted);
  return known ? std::string(FactsOf(*known).name) : dotted;
}

std::string TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "malformed";
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string NameOf(const X509_NAME* name) {
  std::string text;
  int set = -1;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    const ASN1_STRING* value = X509_NAME_ENTRY_get_data(entry);
    const std::string dotted = Dotted(X509_NAME_ENTRY_get_object(entry));
    const auto known = FindOidByName(dotted);
    const OidFacts* facts = known ? &FactsOf(*known) : nullptr;
    const base::ByteView octets = OctetsOf(value);
    const int type = ASN1_STRING_type(value);
    std::string spelled;
    switch (type) {
      case V_ASN1_PRINTABLESTRING:
      case V_ASN1_UTF8STRING:
      case V_ASN1_IA5STRING:
      case V_ASN1_T61STRING:
      case V_ASN1_NUMERICSTRING:
      case V_ASN1_VISIBLESTRING:
        spelled = TextInName(octets);
        break;
      case V_ASN1_BIT_STRING:
        // OpenSSL keeps the count of unused bits apart.
        spelled = "#" + fmt::format("{:02x}", (value->flags & ASN1_STRING_FLAG_BITS_LEFT) != 0 ? value->flags & 7 : 0) +
                  base::HexEncode(octets);
        break;
      default:
        spelled = "#" + base::HexEncode(octets);
    }
    const char* type_name = type == V_ASN1_PRINTABLESTRING   ? "PrintableString"
                            : type == V_ASN1_UTF8STRING      ? "UTF8String"
                            : type == V_ASN1_IA5STRING       ? "IA5String"
                            : type == V_ASN1_T61STRING       ? "TeletexString"
                            : type == V_ASN1_BMPSTRING       ? "BMPString"
                            : type == V_ASN1_UNIVERSALSTRING ? "UniversalString"
                            : type == V_ASN1_BIT_STRING      ? "BIT STRING"
                            : type == V_ASN1_NUMERICSTRING   ? "NumericString"
                            : type == V_ASN1_VISIBLESTRING   ? "VisibleString"
                                                             : nullptr;
    if (!text.empty()) text += X509_NAME_ENTRY_set(entry) != set ? ", " : " + ";
    set = X509_NAME_ENTRY_set(entry);
    text += fmt::format(
        "{}={} ({})",
        facts == nullptr ? dotted : std::string(facts->short_name.empty() ? facts->name : facts->short_name), spelled,
        type_name == nullptr ? fmt::format("tag {:02x}", type) : std::string(type_name));
  }
  return text.empty() ? "(empty)" : text;
}

std::string KeyOf(const EVP_PKEY* key) {
  if (key == nullptr) return "undecodable";
  if (EVP_PKEY_is_a(key, "RSA") == 1) return fmt::format("RSA {}", EVP_PKEY_get_bits(key));
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return "Ed25519";
  std::array<char, 64> group{};
  if (EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1) {
    const std::string_view name = group.data();
    return name == "prime256v1"  ? "EC P-256"
           : name == "secp384r1" ? "EC P-384"
           : name == "secp521r1" ? "EC P-521"
                                 : std::string(name);
  }
  return "unknown";
}

std::string IntegerOf(const ASN1_INTEGER* number) {
  const base::Bytes der = Encode(i2d_ASN1_INTEGER, number);
  return base::HexEncode(base::ByteView(der).subspan(std::min<std::size_t>(2, der.size())));
}

std::string AlgorithmOf(const X509_ALGOR* algorithm) {
  const base::Bytes der = Encode(i2d_X509_ALGOR, algorithm);
  const SignatureAlgorithmFacts* known = FindByIdentifier(der);
  return known != nullptr ? std::string(known->name) : base::HexEncode(der);
}

std::string AuthorityKeyOf(const X509_EXTENSION* extension) {
  const base::Owned<AUTHORITY_KEYID, AUTHORITY_KEYID_free> key_id(static_cast<AUTHORITY_KEYID*>(
      X509V3_EXT_d2i(const_cast<X509_EXTENSION*>(extension))));  // takes no const, changes nothing
  if (!key_id) return "undecodable";
  std::string text = key_id->keyid != nullptr ? "key identifier " + HexOf(key_id->keyid) : "";
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  for (int i = 0; i < sk_GENERAL_NAME_num(key_id->issuer); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(key_id->issuer, i);
    if (name->type == GEN_DIRNAME) add("issuer " + NameOf(name->d.directoryName));
  }
  if (key_id->serial != nullptr) add("serial " + IntegerOf(key_id->serial));
  return text;
}

}  // namespace ceremony::x509::openssl
