#include "ceremony/run/key_proof.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/quorum/share.h"
#include "hsm/base/encoding.h"
#include "hsm/base/random.h"

namespace ceremony::run {
namespace {

using nlohmann::json;
using quorum::Pin;

constexpr std::size_t kChallenge = 32;
constexpr std::string_view kProof = "key-possession";  // stands for token and quorum in what is sealed

base::SecretBytes RandomSecret() {
  base::SecretBytes secret(kChallenge);
  base::FillRandom(secret.writable());
  return secret;
}

// A share of nothing, so that it opens wherever the person's shares will: from a
// file, on a card, or on a machine of their own.
base::Result<script::ShareFile> SealTo(const script::Person& person, const std::string& estate,
                                       const base::SecretBytes& secret) {
  KC_ASSIGN_OR_RETURN(const base::Bytes spki, base::Base64Decode(person.open_key));
  KC_ASSIGN_OR_RETURN(const base::PublicKey key, base::PublicKey::FromSpki(spki));
  script::ShareFile file;
  file.estate = estate;
  file.token = kProof;
  file.set = base::RandomHex(16);
  file.generation = 1;
  file.quorum = kProof;
  file.m = file.n = file.x = 1;
  file.holder = person.id;
  file.holder_key = key.SpkiSha256Hex();
  KC_ASSIGN_OR_RETURN(file.user, quorum::SealShare(file, Pin::kUser, {1, secret.Clone()}, key));
  KC_ASSIGN_OR_RETURN(file.security_officer, quorum::SealShare(file, Pin::kSecurityOfficer, {1, RandomSecret()}, key));
  return file;
}

struct Signed {
  std::string text;
  quorum::Approval approval;
};

base::Result<Signed> SignOnce(Ceremony& ceremony, const script::Person& person, const std::string& step) {
  base::Bytes nonce(kChallenge);
  base::FillRandom(nonce);
  const std::string text =
      fmt::format("{}/possession\n{}\n{}\n", ceremony.writer().origin(), person.id, base::Base64Encode(nonce));
  const auto refused = [&](const base::Error& why) { return ceremony.AppendRefusal(why, step, person.id); };
  KC_ASSIGN_OR_RETURN(quorum::Approval approval,
                      ceremony.world().credentials.Approve(person, {text, "that this key is yours", {}, refused}));
  return Signed{text, std::move(approval)};
}

// Returns the commitment of the share that was opened.
base::Result<std::string> OpenOnce(Ceremony& ceremony, const script::Person& person, const std::string& step) {
  const base::SecretBytes secret = RandomSecret();
  quorum::ShareRequest request;
  KC_ASSIGN_OR_RETURN(request.share, SealTo(person, ceremony.roster().estate, secret));
  KC_ASSIGN_OR_RETURN(request.share_bytes, script::WriteShare(request.share));
  request.step = step;
  request.purpose = quorum::SharePurpose::kConfirm;
  request.pins = {Pin::kUser};
  const std::string commitment = request.share.user.commitment;
  KC_ASSIGN_OR_RETURN(
      const std::vector<quorum::ShamirShare> opened,
      ceremony.world().credentials.OpenShares(person, ShareUseOf(ceremony, person, std::move(request))));
  if (opened.size() == 1 && opened.front().y.Equals(secret)) return commitment;
  return base::Refusal("PERSON-PROOF-01", fmt::format("what {} opened is not what was sealed", person.name),
                       "make the keys again with keyceremony custodian new");
}

base::Result<void> Record(Ceremony& ceremony, json fields) {
  KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kObserve, std::move(fields)));
  return {};
}

}  // namespace

base::Result<void> ProveKeys(Ceremony& ceremony, const script::Person& person, const std::string& step) {
  json fields = {{"what", kProof}, {"step", step}, {"person", person.id}};
  if (ceremony.mode() == record::Mode::kRehearsal && !ceremony.inputs().binding->credentials.contains(person.id)) {
    ceremony.terminal().Say(
        room::Tone::kWarning,
        fmt::format("Nobody here has the keys of {}: that they are theirs is shown in production.", person.name));
    fields["shown"] = false;
    return Record(ceremony, std::move(fields));
  }
  ceremony.terminal().Say(
      room::Tone::kPlain,
      fmt::format("{} now shows that both keys are theirs: signs once, and opens once.", person.name));
  KC_ASSIGN_OR_RETURN(const Signed signature, SignOnce(ceremony, person, step));
  KC_ASSIGN_OR_RETURN(const std::string sealed, OpenOnce(ceremony, person, step));
  ceremony.terminal().Say(room::Tone::kGood, fmt::format("Both keys are {}'s.", person.name));
  fields["shown"] = true;
  fields["text"] = signature.text;
  fields["signature"] = signature.approval.line.Text();
  fields["sign_key"] = person.sign_key;
  fields["open_key"] = person.open_key;
  fields["sealed"] = sealed;
  return Record(ceremony, std::move(fields));
}

}  // namespace ceremony::run
