#include "ceremony/cli/approval_facts.h"

#include <algorithm>
#include <iterator>

#include "ceremony/quorum/subject_facts.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::cli {
namespace {

base::Bytes BytesOf(base::ByteView view) { return {view.begin(), view.end()}; }

}  // namespace

std::vector<room::Fact> FactsOf(const quorum::ApprovalWords& words) {
  std::vector<room::Fact> facts{{"what", "a request to approve"}, {"record", words.origin}};
  if (!words.mode.empty()) facts.push_back({"mode", words.mode});
  if (!words.step.empty()) facts.push_back({"step", words.step});
  facts.push_back({"approves", words.statement});
  if (!words.quorum.empty()) facts.push_back({"quorum", words.quorum});
  if (words.checkpoint) facts.push_back({"entries", std::to_string(words.checkpoint->size)});
  std::ranges::move(quorum::AllFacts(words.subject), std::back_inserter(facts));
  return facts;
}

base::Result<std::vector<ShownDigest>> DigestsOf(const quorum::RecordProof& file, const quorum::ApprovalWords& words) {
  std::vector<ShownDigest> digests;
  if (!words.subject_sha256.empty()) {
    KC_ASSIGN_OR_RETURN(base::Bytes digest, base::HexDecode(words.subject_sha256));
    digests.push_back({"what is approved", std::move(digest)});
  }
  if (words.checkpoint) {
    digests.push_back({"what is signed: the record up to this request", BytesOf(words.checkpoint->root)});
  } else {
    digests.push_back({"the text of the addendum (SHA-256)", BytesOf(base::Sha256Of(file.text))});
  }
  return digests;
}

}  // namespace ceremony::cli
