#include <fmt/format.h>

#include <algorithm>

#include "ceremony/record/checkpoint.h"
#include "ceremony/run/ceremony.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::run {
namespace {

using nlohmann::json;

base::Error NoQuorum(const script::Quorum& quorum, const std::string& what, std::size_t have) {
  base::Error error = base::MakeError(base::ErrorCode::kNoQuorum,
                                      fmt::format("{} needs {} of the quorum {}, and has {}", what, quorum.m, quorum.name, have));
  error.rule = "QUORUM-SHORT-01";
  error.hint = "bring the missing custodians and use `keyceremony resume`";
  return error;
}

}  // namespace

base::Result<std::vector<record::Writer::Cosignature>> GatherSignatures(Ceremony& ceremony, const script::Quorum& quorum,
                                                                        const std::string& what, const std::string& text,
                                                                        const std::set<std::string>& skip) {
  std::vector<record::Writer::Cosignature> signatures;
  const auto wanted = static_cast<std::size_t>(quorum.m);
  std::size_t have = skip.size();
  for (const script::Person* person : ceremony.roster().MembersOf(quorum)) {
    if (have >= wanted) break;
    if (skip.contains(person->id) || ceremony.history().attendance().Find(person->id) == nullptr) continue;
    room::Question question;
    question.kind = room::Question::Kind::kChoice;
    question.id = "approve/" + person->id;
    question.person = fmt::format("{} ({})", person->name, script::TitleOf(quorum.role));
    question.text = fmt::format("Do you approve {}?", what);
    question.choices = {"approve", "decline"};
    question.simulated = "approve";
    KC_ASSIGN_OR_RETURN(const std::string answer, ceremony.terminal().Ask(question));
    if (answer != "approve") {
      base::Error error = base::MakeError(base::ErrorCode::kNoQuorum, fmt::format("{} declined {}", person->name, what));
      error.rule = "QUORUM-DENIED-01";
      error.hint = "settle the matter in the room; `keyceremony resume` asks again";
      return error;
    }
    KC_ASSIGN_OR_RETURN(const auto signer, ceremony.world().credentials.SignerOf(*person));
    KC_ASSIGN_OR_RETURN(record::SignatureLine line, record::SignText(text, *signer));
    signatures.push_back({std::move(line), signer->key()});
    ++have;
    ceremony.terminal().Say(room::Tone::kGood, fmt::format("{} has signed ({} of {}).", person->name, have, wanted));
  }
  if (have < wanted) return NoQuorum(quorum, what, have);
  return signatures;
}

base::Result<void> Approve(Ceremony& ceremony, const script::Quorum& quorum, const std::string& step, const std::string& statement,
                           const json& subject) {
  const auto members = ceremony.roster().MembersOf(quorum);
  const auto present = static_cast<std::size_t>(
      std::count_if(members.begin(), members.end(), [&](const script::Person* p) { return ceremony.history().attendance().Find(p->id) != nullptr; }));
  if (present < static_cast<std::size_t>(quorum.m)) return NoQuorum(quorum, "\"" + statement + "\"", present);

  KC_ASSIGN_OR_RETURN(const std::string canonical, record::CanonicaliseValue(subject));
  const base::Sha256Digest subject_digest = base::Sha256Of(canonical);
  KC_ASSIGN_OR_RETURN(const std::uint64_t request,
                      ceremony.Append(record::EntryType::kRequest,
                                      {{"step", step},
                                       {"quorum", {{"name", quorum.name}, {"m", quorum.m}, {"n", members.size()}}},
                                       {"statement", statement},
                                       {"subject", subject},
                                       {"subject_sha256", base::HexEncode(subject_digest)}}));
  KC_ASSIGN_OR_RETURN(const record::Checkpoint checkpoint, ceremony.Checkpoint());
  ceremony.terminal().Say(room::Tone::kPlain, "Approval is asked for: " + statement);
  ceremony.terminal().ShowDigest("what is approved", subject_digest);
  ceremony.terminal().ShowDigest("the record up to here", checkpoint.root);
  KC_ASSIGN_OR_RETURN(const auto signatures, GatherSignatures(ceremony, quorum, "\"" + statement + "\"", checkpoint.Text(), {}));
  for (const record::Writer::Cosignature& signature : signatures) {
    const std::string person(signature.key.person());
    KC_RETURN_IF_ERROR(ceremony.writer().AppendCosign(person, request, signature));
    KC_RETURN_IF_ERROR(ceremony.history().See(json{{"type", "cosign"}, {"person", person}, {"request", request}}));
  }
  return {};
}

}  // namespace ceremony::run
