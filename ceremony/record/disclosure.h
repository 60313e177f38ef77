// Confidential values (section 6): an entry holds the salted digest, the value
// goes to disclosures.jsonl, which is never part of a public bundle.
//
//   d      = b64url(JSON([b64url(16 random bytes), name, value]))   (RFC 9901 section 4.2.1)
//   digest = b64url(SHA256(ascii d))                                (RFC 9901 section 4.2.3)
//   in the entry, instead of the value: {"_sd":"<digest>"}
//   a line of disclosures.jsonl:        {"d":"<d>"}
//
// Use it for confidential values, never for secrets: PINs, shares and keys go into no
// file of a record.
#ifndef CEREMONY_RECORD_DISCLOSURE_H_
#define CEREMONY_RECORD_DISCLOSURE_H_

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::record {

inline constexpr std::string_view kSaltedDigestKey = "_sd";
inline constexpr std::string_view kDisclosureKey = "d";

// MarkConfidential wraps the value of a member of an entry's fields, at any depth:
// the writer keeps it in disclosures.jsonl and puts its salted digest in the place.
inline constexpr std::string_view kConfidentialMark = "_confidential";
nlohmann::json MarkConfidential(nlohmann::json value);

struct Disclosure {
  std::string d;
  std::string digest;
};

// Withhold makes the disclosure of a named value with fresh random salt.
// kInvalidInput when name or value are outside the profile of entries, the value
// holds a salted digest, or the line of disclosures.jsonl would be too long.
base::Result<Disclosure> Withhold(std::string_view name, const nlohmann::json& value);
// WithholdWith is the same with the 16 bytes of salt given.
base::Result<Disclosure> WithholdWith(base::ByteView salt, std::string_view name, const nlohmann::json& value);
// WithholdMarked replaces all marked values by salted digests, and appends their
// disclosures. kInvalidInput as Withhold, and for a mark that is not the value of a
// member: an element of an array, or one inside another mark.
base::Result<void> WithholdMarked(nlohmann::json& fields, std::vector<Disclosure>& made);
// OpenedDisclosure is what a disclosure says. `value` is its JSON text.
struct OpenedDisclosure {
  std::string name;
  std::string value;
};
// OpenDisclosure takes exactly what WithholdWith makes: unpadded base64url of the
// JCS form of [salt, name, value] with a salt of 16 bytes, a name that can be a
// key, and no salted digest within the value; kCorrupt otherwise.
base::Result<OpenedDisclosure> OpenDisclosure(std::string_view d);
// DigestOfDisclosure is what the entry must hold for `d`.
std::string DigestOfDisclosure(std::string_view d);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_DISCLOSURE_H_
