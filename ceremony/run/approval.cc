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
  base::Error error =
      base::MakeError(base::ErrorCode::kNoQuorum,
                      fmt::format("{} needs {} of the quorum {}, and has {}", what, quorum.m, quorum.name, have));
  error.rule = "QUORUM-SHORT-01";
  error.hint = "bring the missing custodians and use `keyceremony resume`";
  return error;
}

// Collect shows what is approved and the checkpoint over it, and records each
// cosignature as it comes.
base::Result<void> Collect(Ceremony& ceremony, const script::Quorum& quorum, std::uint64_t request,
                           const std::string& statement, const base::Sha256Digest& subject_digest,
                           const record::Checkpoint& checkpoint, const std::set<std::string>& signed_by) {
  ceremony.terminal().Say(room::Tone::kPlain, "Approval is asked for: " + statement);
  ceremony.terminal().ShowDigest("what is approved", subject_digest);
  ceremony.terminal().ShowDigest("the record up to here", checkpoint.root);
  return GatherSignatures(
      ceremony, quorum, "\"" + statement + "\"", checkpoint.Text(), signed_by,
      [&](const record::Writer::Cosignature& signature) -> base::Result<void> {
        const std::string person(signature.key.person());
        KC_RETURN_IF_ERROR(ceremony.writer().AppendCosign(person, request, signature));
        return ceremony.history().See(json{{"type", "cosign"}, {"person", person}, {"request", request}});
      });
}

base::Result<void> CheckPresent(Ceremony& ceremony, const script::Quorum& quorum, const std::string& statement) {
  const auto members = ceremony.roster().MembersOf(quorum);
  const auto present =
      static_cast<std::size_t>(std::count_if(members.begin(), members.end(), [&](const script::Person* p) {
        return ceremony.history().attendance().Find(p->id) != nullptr;
      }));
  if (present < static_cast<std::size_t>(quorum.m)) return NoQuorum(quorum, "\"" + statement + "\"", present);
  return {};
}

base::Result<base::Sha256Digest> DigestOfSubject(const json& subject) {
  KC_ASSIGN_OR_RETURN(const std::string canonical, record::CanonicaliseValue(subject));
  return base::Sha256Of(canonical);
}

base::Result<std::uint64_t> AppendRequest(Ceremony& ceremony, const script::Quorum& quorum, const std::string& step,
                                          const std::string& statement, const json& subject,
                                          const base::Sha256Digest& digest) {
  return ceremony.Append(
      record::EntryType::kRequest,
      {{"step", step},
       {"quorum", {{"name", quorum.name}, {"m", quorum.m}, {"n", ceremony.roster().MembersOf(quorum).size()}}},
       {"statement", statement},
       {"subject", subject},
       {"subject_sha256", base::HexEncode(digest)}});
}

}  // namespace

base::Result<void> GatherSignatures(Ceremony& ceremony, const script::Quorum& quorum, const std::string& what,
                                    const std::string& text, const std::set<std::string>& skip,
                                    const TakeSignature& take) {
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
      base::Error error =
          base::MakeError(base::ErrorCode::kNoQuorum, fmt::format("{} declined {}", person->name, what));
      error.rule = "QUORUM-DENIED-01";
      error.hint = "settle the matter in the room; `keyceremony resume` asks again";
      return error;
    }
    KC_ASSIGN_OR_RETURN(const auto signer, ceremony.world().credentials.SignerOf(*person));
    KC_ASSIGN_OR_RETURN(record::SignatureLine line, record::SignText(text, *signer));
    KC_RETURN_IF_ERROR(take({std::move(line), signer->key()}));
    ++have;
    ceremony.terminal().Say(room::Tone::kGood, fmt::format("{} has signed ({} of {}).", person->name, have, wanted));
  }
  if (have < wanted) return NoQuorum(quorum, what, have);
  return {};
}

base::Result<void> Approve(Ceremony& ceremony, const script::Quorum& quorum, const std::string& step,
                           const std::string& statement, const json& subject) {
  KC_RETURN_IF_ERROR(CheckPresent(ceremony, quorum, statement));
  KC_ASSIGN_OR_RETURN(const base::Sha256Digest digest, DigestOfSubject(subject));
  KC_ASSIGN_OR_RETURN(const std::uint64_t request, AppendRequest(ceremony, quorum, step, statement, subject, digest));
  KC_ASSIGN_OR_RETURN(const record::Checkpoint checkpoint, ceremony.Checkpoint());
  return Collect(ceremony, quorum, request, statement, digest, checkpoint, {});
}

base::Result<void> ApproveOpening(Ceremony& ceremony) {
  const script::Quorum& quorum = *ceremony.roster().FindQuorum(kRecordQuorum);
  const std::string mode(record::ModeName(ceremony.mode()));
  const script::LoadedFile& script = ceremony.inputs().script.file;
  const std::string statement = fmt::format("Open the ceremony {} ({}), run by the script whose SHA-256 is {}",
                                            ceremony.inputs().script.id, mode, script.sha256);
  const json& open = ceremony.history().open();
  const json subject = {{"ceremony", open.at("ceremony")},
                        {"origin", open.at("origin")},
                        {"log_key", open.at("log_key")},
                        {"script_sha256", script.sha256},
                        {"mode", mode}};
  if (ceremony.history().opening() && ceremony.history().opening()->met()) return {};
  KC_RETURN_IF_ERROR(CheckPresent(ceremony, quorum, statement));
  KC_ASSIGN_OR_RETURN(const base::Sha256Digest digest, DigestOfSubject(subject));
  if (!ceremony.history().opening())
    KC_RETURN_IF_ERROR(AppendRequest(ceremony, quorum, std::string(kOpeningStep), statement, subject, digest));
  // The first checkpoint of the log is the one that must be cosigned: after an
  // interruption people go on signing that one, never a later one.
  if (!ceremony.writer().last_checkpoint()) KC_RETURN_IF_ERROR(ceremony.Checkpoint());
  const RequestHistory& opening = *ceremony.history().opening();
  return Collect(ceremony, quorum, opening.seq, statement, digest, *ceremony.writer().last_checkpoint(),
                 opening.approved_by);
}

}  // namespace ceremony::run
