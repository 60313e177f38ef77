// Values of extensions: made from the rules of a profile, and spelled for people
// from a rule and from decoded bytes. Different code makes the two spellings on
// purpose: their comparison compares rule and certificate.
#ifndef CEREMONY_X509_EXTENSION_VALUE_H_
#define CEREMONY_X509_EXTENSION_VALUE_H_

#include <optional>
#include <string>

#include "ceremony/x509/open_values.h"
#include "ceremony/x509/profile.h"
#include "ceremony/x509/tbs.h"
#include "ceremony/x509/view.h"
#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

// ExtensionSources is where values come from that a profile cannot hold.
struct ExtensionSources {
  base::ByteView key_bits;                     // of the subject's key
  const Authority* authority = nullptr;        // nullptr: self-signed, or not known
  const OpenExtensions* extensions = nullptr;  // nullptr: only the certificate is there
  const AlternativeNames* names = nullptr;     // as above
};
// SourcesOf takes them from the input, if there is one.
ExtensionSources SourcesOf(base::ByteView key_bits, const TbsInput* input);

// EncodeExtensionValue makes what extnValue holds; nullopt where the value is
// optional and not given, or (without input) cannot be known. TBS-EXT-01 and
// TBS-AUTHORITY-01 as BuildTbs says.
base::Result<std::optional<base::Bytes>> EncodeExtensionValue(const Profile& profile, const ExtensionRule& rule,
                                                              const ExtensionSources& sources);

// RuleText spells what the rule asks for, in the words of ExtensionText
// (certificate.h); nullopt where EncodeExtensionValue has no value.
std::optional<std::string> RuleText(const Profile& profile, const ExtensionRule& rule, const ExtensionSources& sources);

// KeyBitsOf returns the bits of a DER SubjectPublicKeyInfo; empty if it is malformed.
base::ByteView KeyBitsOf(base::ByteView spki);

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_EXTENSION_VALUE_H_
