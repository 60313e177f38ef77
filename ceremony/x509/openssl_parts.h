// Holds what OpenSSL decodes, and spells it in the words of our own decoder.
#ifndef CEREMONY_X509_OPENSSL_PARTS_H_
#define CEREMONY_X509_OPENSSL_PARTS_H_

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "ceremony/x509/general_name.h"
#include "hsm/base/bytes.h"
#include "hsm/base/owned.h"
#include "hsm/base/result.h"

namespace ceremony::x509::openssl {

// LastError takes the newest error of this thread's queue and empties it.
std::string LastError();

// Decoded is what a d2i function makes of `der`; kCorrupt when it cannot, or leaves octets over.
template <typename Pointer, typename Decode>
base::Result<Pointer> Decoded(Decode decode, base::ByteView der) {
  ERR_clear_error();
  const unsigned char* at = der.data();
  Pointer decoded(decode(nullptr, &at, static_cast<long>(der.size())));
  if (!decoded) return base::MakeError(base::ErrorCode::kCorrupt, "OpenSSL cannot decode it: " + LastError());
  if (const auto over = der.data() + der.size() - at; over != 0) {
    return base::MakeError(base::ErrorCode::kCorrupt,
                           fmt::format("OpenSSL leaves {} of {} octets over", over, der.size()));
  }
  return decoded;
}

// The bytes that an i2d function writes.
template <typename Function, typename Object>
base::Bytes Encode(Function function, Object* object) {
  unsigned char* out = nullptr;
  const int size = function(object, &out);
  if (size < 0) return {};
  base::Bytes bytes(out, out + size);
  OPENSSL_free(out);
  return bytes;
}

// CheckSameTbs is kCorrupt unless OpenSSL encodes the to-be-signed part as the same bytes. `encode` is its
// i2d_re_..._tbs, which encodes what OpenSSL understood and not what it keeps in a cache.
template <typename Encoder, typename Object>
base::Result<void> CheckSameTbs(Encoder encode, Object* object, base::ByteView tbs) {
  if (std::ranges::equal(Encode(encode, object), tbs)) return {};
  return base::MakeError(base::ErrorCode::kCorrupt, "OpenSSL encodes what it read as other bytes than it was given");
}

// Unsigned puts a to-be-signed part into what OpenSSL decodes, with an empty signature.
base::Bytes Unsigned(base::ByteView tbs, base::ByteView algorithm);

base::ByteView OctetsOf(const ASN1_STRING* string);
std::string HexOf(const ASN1_STRING* string);
std::string Dotted(const ASN1_OBJECT* object);
// Named is our name of an OID that OpenSSL found, or its dotted form.
std::string Named(const ASN1_OBJECT* object);
std::string TimeOf(const ASN1_TIME* time);
std::string NameOf(const X509_NAME* name);  // as NameText
std::string KeyOf(const EVP_PKEY* key);     // "EC P-256"
// The content octets of an INTEGER or ENUMERATED, in hex.
std::string IntegerOf(const ASN1_INTEGER* number);
std::string AlgorithmOf(const X509_ALGOR* algorithm);
// GeneralNameOf spells one name in the words of GeneralNameText; empty for one
// that has none. A subtree's iPAddress has a mask.
std::string GeneralNameOf(const GENERAL_NAME* name, NamePlace place);
// These spell the value of the extension in their name; empty if only its bytes can be shown.
std::string AlternativeNamesOf(const X509_EXTENSION* extension);
std::string DistributionPointsOf(const X509_EXTENSION* extension);
std::string AccessOf(const X509_EXTENSION* extension);
std::string NameConstraintsOf(const X509_EXTENSION* extension);
// AuthorityKeyOf spells the value of an authorityKeyIdentifier.
std::string AuthorityKeyOf(const X509_EXTENSION* extension);

}  // namespace ceremony::x509::openssl

#endif  // CEREMONY_X509_OPENSSL_PARTS_H_
