// The person file: a custodian's name and two public keys, for the appointment.
// `keyceremony custodian new` makes it. It has no secret and proves nothing by
// itself: at the appointment the custodian compares the fingerprints of the keys,
// word by word, with those of the credential.
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

// ParsePersonFile checks more than the table: both keys parse, have a type that
// approvals and shares can use, and differ.
base::Result<PersonFile> ParsePersonFile(LoadedFile file, Problems* problems = nullptr);

// WritePersonFile spells one as a file, indented, that ParsePersonFile reads back
// to the same; kInvalidInput when it would not (the error says why).
base::Result<std::string> WritePersonFile(const PersonFile& person);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_PERSON_FILE_H_
