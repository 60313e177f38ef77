// What a published bundle leaves out of a record (docs/record-format.md section 6),
// and the ledger that accounts for it.
//
// In the log, the leaf hash of a withheld entry stands in the place of its line:
// 64 lowercase hex digits. No entry looks like that, and the tree takes the
// digits for the leaf, so roots and signatures are those of the whole record.
//
// withheld.jsonl is the ledger: lines of JCS JSON, each with its LF.
//   {"annex":null,"format":"keyceremony-withheld/1","label":"green","origin":"...","reasons":{"PD":"personal data"}}
//   {"file":"artefacts/share.json","label":"red","reason":"SEC"}              ascending by path
//   {"entry":7,"label":"amber","reason":"PD","type":"attend"}                  ascending by number
// The type of a withheld entry is only the publisher's claim. That nothing else is
// missing, entry or file, is checked.
#ifndef CEREMONY_RECORD_WITHHELD_H_
#define CEREMONY_RECORD_WITHHELD_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ceremony/record/findings.h"
#include "ceremony/record/log_reader.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/scanner.h"
#include "ceremony/record/tree.h"

namespace ceremony::record {

inline constexpr std::string_view kWithheldFile = "withheld.jsonl";
inline constexpr std::string_view kWithheldFormat = "keyceremony-withheld/1";
inline constexpr std::size_t kMaxReasons = 100;
inline constexpr std::size_t kMaxWithheldFiles = 100'000;

// WithheldLeaf returns the leaf hash that a line of a bundle's log stands for;
// nothing for a line that is an entry, or should be one.
std::optional<Hash> WithheldLeaf(std::string_view line);
std::string WithheldLine(const Hash& leaf);  // without LF

// MayBeWithheldFile accepts inputs, artefacts and torn bytes. The files that prove
// the record must stay.
bool MayBeWithheldFile(std::string_view path);

// WithheldHead is the first line of the ledger.
struct WithheldHead {
  struct Annex {
    std::string sha256;      // 64 hex digits, of the sealed file
    std::uint64_t size = 0;  // bytes
  };
  std::string origin;
  std::string label;                           // the highest that the bundle shows: "green", "amber" or "red"
  std::map<std::string, std::string> reasons;  // code -> sentence
  std::optional<Annex> annex;

  std::string Line() const;  // without LF, as the lines below
  static std::optional<WithheldHead> Parse(std::string_view line);
};
std::string WithheldFileLine(const std::string& path, const std::string& label, const std::string& reason);
std::string WithheldEntryLine(std::uint64_t entry, const std::string& type, const std::string& label,
                              const std::string& reason);

// WithheldAudit checks the ledger of a bundle against its log and its folder. It
// reads the ledger in step with the log, so that both may have any size.
class WithheldAudit final {
 public:
  WithheldAudit(const RecordFolder& folder, Findings& findings) : folder_(folder), findings_(findings) {}

  // Begin reads the ledger's head and files, if there is a ledger.
  base::Result<void> Begin();
  bool has_ledger() const { return ledger_.has_value(); }
  const std::optional<WithheldHead>& head() const { return head_; }
  const std::set<std::string, std::less<>>& files() const { return files_; }

  // TakeEntry is called for each withheld line of the log, in order.
  void TakeEntry(std::uint64_t entry);
  std::uint64_t entries() const { return entries_; }

  // Finish reports rows that are left over; kIo when the ledger could not be read.
  base::Result<void> Finish(const std::string& origin);
  std::vector<WithheldCount> Counts() const;

 private:
  struct Row {
    std::uint64_t entry = 0;
    std::string type, reason;
  };

  bool NextLine(std::string_view& line);
  void NextRow();
  void Wrong(const std::string& message);
  bool TakeFile();
  std::optional<Row> ParseRow();

  const RecordFolder& folder_;
  Findings& findings_;
  Scanner scanner_;
  std::optional<LogReader> ledger_;
  LogReader::Block block_;
  std::size_t at_ = 0;      // in block_
  std::uint64_t line_ = 0;  // counts from 1
  bool is_sound_ = true;    // false after a line that does not have its form: reading stops
  std::optional<base::Error> failure_;
  std::optional<WithheldHead> head_;
  std::set<std::string, std::less<>> files_;
  std::map<std::string, std::uint64_t> file_counts_;  // by reason
  std::optional<Row> next_;
  std::optional<std::uint64_t> last_;
  std::uint64_t entries_ = 0;
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts_;  // by type and reason
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_WITHHELD_H_
