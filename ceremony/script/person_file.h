// The person file: what a custodian hands over to be appointed, made by
// `keyceremony custodian new`: who they are, and their two public keys. It has
// no secret, and it proves nothing by itself: in the appointment the custodian
// compares the keys' fingerprints, word by word, with those of their credential.
//
// Format keyceremony-person/1.
#ifndef CEREMONY_SCRIPT_PERSON_FILE_H_
#define CEREMONY_SCRIPT_PERSON_FILE_H_

#include <string>

#include "ceremony/script/fields.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/result.h"

namespace ceremony::script {

struct PersonFile {
  std::string estate;
  std::string id;
  std::string name;
  std::string sign_key;  // base64 of the DER SPKI: P-256 or Ed25519
  std::string open_key;  // base64 of the DER SPKI: P-256; another key than sign_key
  LoadedFile file;       // empty for one that was not read from a file
};

const FieldTable& PersonFileTable();

// ParsePersonFile checks beyond the table that both keys parse, are of a type
// that approvals and shares can use, and are two.
base::Result<PersonFile> ParsePersonFile(LoadedFile file, Problems* problems = nullptr);

// WritePersonFile spells one as a file, indented, that ParsePersonFile reads back
// to the same; kInvalidInput when it would not (the error says why).
base::Result<std::string> WritePersonFile(const PersonFile& person);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_PERSON_FILE_H_
