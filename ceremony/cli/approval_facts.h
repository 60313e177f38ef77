// An approval request in plain words.
#ifndef CEREMONY_CLI_APPROVAL_FACTS_H_
#define CEREMONY_CLI_APPROVAL_FACTS_H_

#include <string>
#include <vector>

#include "ceremony/quorum/approval_file.h"
#include "ceremony/room/terminal.h"
#include "hsm/base/bytes.h"
#include "hsm/base/result.h"

namespace ceremony::cli {

// FactsOf lists what a custodian must know before signing, one parameter after another.
std::vector<room::Fact> FactsOf(const quorum::ApprovalWords& words);

struct ShownDigest {
  std::string label;
  base::Bytes digest;
};
// DigestsOf lists what is compared with the words that are read aloud in the room.
base::Result<std::vector<ShownDigest>> DigestsOf(const quorum::RecordProof& file, const quorum::ApprovalWords& words);

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_APPROVAL_FACTS_H_
