// The share file: what one custodian holds of a token's PINs, sealed to that
// custodian's open_key. It is an artefact of the record that made it. It may be
// copied anywhere: without the custodian's key it is of no use.
//
// Format keyceremony-share/1; how it is sealed is in ceremony/quorum/share.h.
#ifndef CEREMONY_SCRIPT_SHARE_FILE_H_
#define CEREMONY_SCRIPT_SHARE_FILE_H_

#include <cstdint>
#include <string>

#include "ceremony/script/fields.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::script {

// SealedHalf is the share of one PIN.
struct SealedHalf {
  std::string commitment;  // SHA-256, hex, as in the record
  base::Bytes enc;         // 65 bytes, uncompressed point
  base::Bytes ciphertext;
};

struct ShareFile {
  std::string estate;
  std::string token;            // logical name
  std::string set;              // 32 hex digits, random: the shares made together
  std::int64_t generation = 0;  // 1 for the first set of a token, then one more each time
  std::string quorum;           // of the roster, whose members hold the set
  int m = 0;
  int n = 0;
  std::string holder;      // person id
  std::string holder_key;  // SHA-256 of the open_key's DER SubjectPublicKeyInfo, hex
  int x = 0;               // 1..255
  SealedHalf user;
  SealedHalf security_officer;
};

const FieldTable& ShareTable();

// ParseShare checks beyond the table: m and x are at most n, base64
// decodes to a point's 65 bytes and more than a tag's 16.
base::Result<ShareFile> ParseShare(LoadedFile file, Problems* problems = nullptr);

// WriteShare spells a share file, indented, that ParseShare reads back to the same.
base::Result<std::string> WriteShare(const ShareFile& share);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_SHARE_FILE_H_
