// Redact makes the public bundle of a record (docs/record-format.md section 6),
// without the entries and files above a label, and the annex with what it left out.
// RestoreRecord puts the two together again.
//
// Both verify their output before it gets its name: it must have the same verdict
// and root as the input.
#ifndef CEREMONY_RECORD_REDACT_H_
#define CEREMONY_RECORD_REDACT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/trust.h"
#include "ceremony/record/verify.h"
#include "ceremony/record/withheld.h"
#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::record {

// The words by which rules name what may be withheld: the types of entries, but
// `call` for an intent with its done, and `presence` for attend and depart. attend
// and depart are withheld together: one without the other would be misleading.
std::vector<std::string> WithholdableWords();

// LabelRank orders green, amber and red; nothing for any other word.
std::optional<int> LabelRank(std::string_view label);

// RedactionRules say how confidential the parts of a record are, and why.
struct RedactionRules {
  struct EntryRule {
    std::string type;  // of WithholdableWords
    std::string what;  // of its field `what`; empty: any
    std::string label, reason;
  };
  struct FieldRule {
    std::string name, label;
  };
  struct FileRule {
    std::string path;  // a file, or a folder with everything in it
    std::string label, reason;
  };
  std::string publish;                         // the highest label that is shown
  std::map<std::string, std::string> reasons;  // code -> sentence
  std::vector<EntryRule> entries;
  std::vector<FieldRule> fields;
  std::vector<FileRule> files;
};

// A Judge gives the verdict on a folder. It must read every file: the result decides
// what is published. Programs pass verify::VerifyRecord.
using Judge = std::function<base::Result<RecordReport>(const std::string& folder, const VerifyOptions& options)>;

struct RedactionRequest {
  std::string record;  // folder
  std::string out;     // folder to be made
  const RedactionRules& rules;
  const Trust* trust = nullptr;  // not owned; nullptr: the verdict is UNPINNED at best
  Judge judge;
  // keep_annex gets the withheld parts as a tar archive, seals them in a file, and
  // returns its digest and size. Empty: no annex.
  std::function<base::Result<WithheldHead::Annex>(const std::string& origin, base::Bytes archive)> keep_annex;
};

// Redact returns the report on the bundle. Refusals:
//   RED-RECORD-01  the record is INVALID or a FORK, or is a bundle already
//   RED-FIELD-01   a field above the label stands in an entry that is shown, in the clear
//   RED-FILE-01    the script would be withheld, but a verifier needs it
//   RECORD-OUT-01  the bundle exists already
base::Result<RecordReport> Redact(const RedactionRequest& request);

// RestoreRecord makes the record again from a bundle and the archive in its
// annex, byte for byte. Refusals: RED-ANNEX-01 the archive is not what this
// bundle withholds, RECORD-OUT-01.
base::Result<RecordReport> RestoreRecord(const std::string& bundle, base::ByteView archive, const std::string& out,
                                         const Trust* trust, const Judge& judge);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_REDACT_H_
