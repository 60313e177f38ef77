// Names of files and folders in an archive. A record's folder is NNNN-<ceremony id>, with four digits, or more from
// 10000 on. The number gives the order of records, and tells them from other folders of an archive (`rehearsal`,
// records that were set aside).
#ifndef CEREMONY_RECORD_RECORD_NAME_H_
#define CEREMONY_RECORD_RECORD_NAME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/reader.h"
#include "hsm/base/result.h"

namespace ceremony::record {

// Among the inputs: the roster of this ceremony. Among the artefacts: the roster of the next one, if somebody was
// appointed or retired.
inline constexpr std::string_view kRosterFile = "roster.json";

// PublicKeyFile is the artefact with a key's SubjectPublicKeyInfo, in the record that made or imported the key. The
// SHA-256 of the file identifies the key.
std::string PublicKeyFile(const std::string& key);

// RecordNumber is the number in a record's name; nullopt when it is not the name of a record.
std::optional<std::uint64_t> RecordNumber(std::string_view name);

std::string RecordName(std::uint64_t number, std::string_view ceremony);

// RecordPath is where a record stands: "A/0001-x", also with a slash behind, is the folder "0001-x" of the archive "A".
// The archive is "." when the path names none.
struct RecordPath {
  std::string archive;
  std::string folder;
};
RecordPath SplitRecordPath(const std::string& path);

// RecordNames are the names of an archive's records by number; two of one number in the order of their names.
base::Result<std::vector<std::string>> RecordNames(const RecordFolder& archive);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_RECORD_NAME_H_
