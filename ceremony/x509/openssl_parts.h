// How we hold and spell what OpenSSL decodes, in the words of our own decoder.
#ifndef CEREMONY_X509_OPENSSL_PARTS_H_
#define CEREMONY_X509_OPENSSL_PARTS_H_

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "hsm/base/bytes.h"
#include "hsm/base/owned.h"

namespace ceremony::x509::openssl {

// LastError takes the newest error of this thread's queue and empties it.
std::string LastError();

// The bytes that an i2d function writes.
template <typename Function, typename Object>
base::Bytes Encode(Function function, const Object* object) {
  unsigned char* out = nullptr;
  const int size = function(object, &out);
  if (size < 0) return {};
  base::Bytes bytes(out, out + size);
  OPENSSL_free(out);
  return bytes;
}

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
enum class Place : std::uint8_t { kName, kSubtree };
std::string GeneralNameOf(const GENERAL_NAME* name, Place place);
// These spell the values of the extensions of their names; empty where bytes must do.
std::string AlternativeNamesOf(const X509_EXTENSION* extension);
std::string DistributionPointsOf(const X509_EXTENSION* extension);
std::string AccessOf(const X509_EXTENSION* extension);
std::string NameConstraintsOf(const X509_EXTENSION* extension);
// AuthorityKeyOf spells the value of an authorityKeyIdentifier.
std::string AuthorityKeyOf(const X509_EXTENSION* extension);

}  // namespace ceremony::x509::openssl

#endif  // CEREMONY_X509_OPENSSL_PARTS_H_
