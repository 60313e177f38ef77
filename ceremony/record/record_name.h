// Names of files that join the steps of a record and the records of an archive. A record's folder is NNNN-<ceremony
// id>, four digits or, from 10000 on, as many as the number needs: that tells records from what else is in an archive
// (`rehearsal`, records that were set aside), and their order.
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

// Among the inputs of a record the roster of its ceremony; among the artefacts, where people came or went, that of the
// next.
inline constexpr std::string_view kRosterFile = "roster.json";

// PublicKeyFile is the artefact that holds a key's SubjectPublicKeyInfo in the record that made the key or took it in;
// its SHA-256 is the key's own.
std::string PublicKeyFile(const std::string& key);

// RecordNumber is the number in a record's name; nullopt: the name is no record's.
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
