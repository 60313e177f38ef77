// DisclosureAudit checks disclosures.jsonl against the log (docs/record-format.md
// section 6): each opening must belong to one salted digest, under the name of that
// field in the entry. It keeps one digest per opening. The file has at most
// kMaxDisclosureFile bytes.
#ifndef CEREMONY_RECORD_DISCLOSURE_AUDIT_H_
#define CEREMONY_RECORD_DISCLOSURE_AUDIT_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/findings.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/withheld.h"

namespace ceremony::record {

inline constexpr std::uint64_t kMaxDisclosureFile = 32u << 20;

// SaltedDigest is one digest in the place of a value: its 43 characters and the
// name of the field, which is empty for an element of an array.
struct SaltedDigest {
  std::string_view name;
  std::string_view digest;
};

// FindSalted returns the first salted digest of canonical JSON text and cuts the
// text behind it; false when there is none. A string cannot hold the pattern,
// because its quotes would be escaped.
bool FindSalted(std::string_view& text, SaltedDigest& found);

class DisclosureAudit final {
 public:
  DisclosureAudit(const RecordFolder& folder, Findings& findings) : folder_(folder), findings_(findings) {}

  // Begin reads the openings. Without the file there is nothing to do, unless `count`
  // asks for the number of fields that stay closed.
  base::Result<void> Begin(bool count);
  bool is_wanted() const { return is_wanted_; }

  // Take looks at a block of lines of the log.
  void Take(std::string_view lines);
  // Finish reports openings that belong to no field. In a record that is not closed,
  // the entry may not have been written yet.
  void Finish(bool closed);
  std::vector<WithheldCount> Counts() const;  // fields that stay closed, by name

 private:
  struct Opening {
    std::string name;
    std::uint64_t line = 0;
    bool found = false;
  };

  void TakeLine(std::string_view line);
  void Wrong(std::uint64_t line, const std::string& message);

  const RecordFolder& folder_;
  Findings& findings_;
  bool is_wanted_ = false;
  bool is_torn_ = false;
  std::uint64_t lines_ = 0;
  std::map<std::string, Opening, std::less<>> openings_;  // by digest
  std::map<std::string, std::uint64_t, std::less<>> closed_;
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_DISCLOSURE_AUDIT_H_
