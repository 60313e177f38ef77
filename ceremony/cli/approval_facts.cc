#include "ceremony/cli/approval_facts.h"

#include <nlohmann/json.hpp>

#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::cli {
namespace {

using nlohmann::json;

// One fact for each value, named by its path: "steps.0.token".
void AddValues(const std::string& path, const json& value, std::vector<room::Fact>& facts) {
  if (value.is_object() && !value.empty()) {
    for (const auto& [name, member] : value.items()) AddValues(path.empty() ? name : path + "." + name, member, facts);
  } else if (value.is_array() && !value.empty()) {
    for (std::size_t i = 0; i < value.size(); ++i) AddValues(path + "." + std::to_string(i + 1), value[i], facts);
  } else {
    facts.push_back({path, value.is_string() ? value.get<std::string>() : value.dump()});
  }
}

base::Bytes BytesOf(base::ByteView view) { return {view.begin(), view.end()}; }

}  // namespace

std::vector<room::Fact> FactsOf(const quorum::ApprovalWords& words) {
  std::vector<room::Fact> facts{{"what", "a request to approve"}, {"record", words.origin}};
  if (!words.mode.empty()) facts.push_back({"mode", words.mode});
  if (!words.step.empty()) facts.push_back({"step", words.step});
  facts.push_back({"approves", words.statement});
  if (!words.quorum.empty()) facts.push_back({"quorum", words.quorum});
  if (words.checkpoint) facts.push_back({"entries", std::to_string(words.checkpoint->size)});
  if (!words.subject.is_null()) AddValues("", words.subject, facts);
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
