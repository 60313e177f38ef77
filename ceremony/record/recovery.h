// Recovery after a crash, a power cut or a pause (section 5): what the record
// says for certain, made tidy, and a Writer to go on with. It settles nothing
// about tokens: that is for those who can look at them.
#ifndef CEREMONY_RECORD_RECOVERY_H_
#define CEREMONY_RECORD_RECOVERY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ceremony/record/writer.h"

namespace ceremony::record {

// A file as recovery moved it: now `torn-<sha256>` in the record's folder.
struct SetAside {
  std::string name;    // what it was: "log.jsonl" for the torn end of the log, else a path in the record
  std::string sha256;  // 64 hex digits
  std::uint64_t size = 0;
};

struct Recovered {
  std::unique_ptr<Writer> writer;
  std::uint64_t entries = 0;                 // valid entries found, before the `recover` entry
  std::optional<std::uint64_t> recover_seq;  // the `recover` entry; none on a closed record
  std::optional<SetAside> torn;              // the torn end of the log
  std::vector<SetAside> set_aside;    // half-written files that no entry names, and strangers under an artefact's name
  std::vector<std::string> finished;  // artefacts whose rename was completed
  std::vector<std::string> missing;   // artefacts with an entry but no such file, or another content
  std::vector<nlohmann::json> dangling;    // `intent` entries without their `done`, ascending
  std::vector<nlohmann::json> open_steps;  // `step` entries with phase `begin` and no end, ascending
};

// Recover takes the lock, keeps the longest valid prefix of the log, moves
// torn bytes to `torn-<sha256>` durably before it cuts them off, completes
// artefacts whose entry is durable (what else stands under such a name is set
// aside: the content that the entry promises is never given up), and appends `recover` with `entries`,
// `torn` ({`sha256`, `size`} or null), `finished`, `set_aside` ([{`name`,
// `sha256`, `size`}]), `missing` (at most 50 names) and `missing_count`. Every
// `torn-*` file of a record is named by its digest in one `recover` entry, in
// `torn` or in `set_aside` (there when the recovery that made it was itself
// cut short; `name` is then the file's own). On a closed record it appends nothing. It may itself be killed anywhere
// and run again.
//
// Refusals: RECORD-LOCK-01 (another process holds the log), RECORD-RECOVER-01
// (what follows the valid prefix is more than one torn line, or follows
// `close`: no crash leaves that, somebody changed the file), RECORD-RECOVER-02 (not even an `open`
// entry: nothing was done, start again elsewhere), RECORD-RECOVER-03 (mode
// other than options.mode), RECORD-RECOVER-04 (the addendum is written: the
// record is complete), RECORD-RECOVER-05 (a checkpoint is not over the entries
// before it or not signed by the log key of `open`). kNotFound when there is
// no log.
//
// `visit`, when given, sees every valid entry in order.
base::Result<Recovered> Recover(Writer::Options options,
                                const std::function<void(const nlohmann::json& entry)>& visit = {});

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_RECOVERY_H_
