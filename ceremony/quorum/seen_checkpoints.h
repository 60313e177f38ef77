// What a custodian's machine remembers of the records for which it signed or opened a share,
// format keyceremony-seen/1.
#ifndef CEREMONY_QUORUM_SEEN_CHECKPOINTS_H_
#define CEREMONY_QUORUM_SEEN_CHECKPOINTS_H_

#include <cstdint>
#include <map>
#include <string>

#include "ceremony/quorum/record_proof.h"
#include "ceremony/record/checkpoint.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/result.h"

namespace ceremony::quorum {

// SeenCheckpoints is what a custodian's machine remembers: the last size and
// root of each origin for which it signed or opened a share (C2SP tlog-witness).
class SeenCheckpoints final {
 public:
  // Parse reads what Text wrote.
  static base::Result<SeenCheckpoints> Parse(script::LoadedFile file);
  std::string Text() const;

  // Read and Write do the same with the file of a custodian's machine. A missing file is a fresh
  // start. A file that cannot be read is an error: a fresh start would forget what was signed.
  static base::Result<SeenCheckpoints> Read(const std::string& path);
  base::Result<void> Write(const std::string& path) const;

  // Check refuses a checkpoint for which nobody may sign or open a share:
  //   CRED-15  a smaller size than was seen before
  //   CRED-16  another root at the same size: two histories of one record
  //   CRED-17  a larger size without proof that it extends what was seen before
  base::Result<void> Check(const record::Checkpoint& checkpoint, const std::vector<Extension>& extensions) const;
  // Remember keeps a checkpoint that Check accepted.
  void Remember(const record::Checkpoint& checkpoint);
  const record::Checkpoint* Find(const std::string& origin) const;
  // Sentence tells a custodian what is remembered of an origin. Check must have accepted its newest checkpoint.
  std::string Sentence(const std::string& origin) const;

 private:
  std::map<std::string, record::Checkpoint> seen_;
};

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_SEEN_CHECKPOINTS_H_
