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

}  // namespace

base::Result<void> ProveKeys(Ceremony& ceremony, const script::Person& person, const std::string& step) {
  quorum::Credentials& credentials = ceremony.world().credentials;
  json fields = {{"what", kProof}, {"step", step}, {"person", person.id}};
  const auto record = [&]() -> base::Result<void> {
    KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kObserve, std::move(fields)));
    return {};
  };
  if (ceremony.mode() == record::Mode::kRehearsal && !ceremony.inputs().binding->credentials.contains(person.id)) {
    ceremony.terminal().Say(
        room::Tone::kWarning,
        fmt::format("Nobody here has the keys of {}: that they are theirs is shown in production.", person.name));
    fields["shown"] = false;
    return record();
  }
  const auto refused = [&](const base::Error& why) -> base::Result<void> {
    json refusal = ErrorFields(why);
    refusal["step"] = step;
    refusal["person"] = person.id;
    refusal["rule"] = why.rule;  // required, also where there is none
    KC_RETURN_IF_ERROR(ceremony.Append(record::EntryType::kRefusal, std::move(refusal)));
    ceremony.SetRecorded(why);
    return {};
  };
  ceremony.terminal().Say(
      room::Tone::kPlain,
      fmt::format("{} now shows that both keys are theirs: signs once, and opens once.", person.name));
  base::Bytes nonce(kChallenge);
  base::FillRandom(nonce);
  const std::string text =
      fmt::format("{}/possession\n{}\n{}\n", ceremony.writer().origin(), person.id, base::Base64Encode(nonce));
  KC_ASSIGN_OR_RETURN(const quorum::Approval signature,
                      credentials.Approve(person, {text, "that this key is yours", {}, refused}));

  const base::SecretBytes secret = RandomSecret();
  quorum::ShareUse use;
  KC_ASSIGN_OR_RETURN(use.request.share, SealTo(person, ceremony.roster().estate, secret));
  KC_ASSIGN_OR_RETURN(use.request.share_bytes, script::WriteShare(use.request.share));
  use.request.origin = ceremony.writer().origin();
  use.request.mode = record::ModeName(ceremony.mode());
  use.request.step = step;
  use.request.purpose = quorum::SharePurpose::kConfirm;
  use.request.pins = {Pin::kUser};
  use.refused = refused;
  KC_ASSIGN_OR_RETURN(const std::vector<quorum::ShamirShare> opened, credentials.OpenShares(person, use));
  if (opened.size() != 1 || !opened.front().y.Equals(secret)) {
    return base::Refusal("PERSON-PROOF-01", fmt::format("what {} opened is not what was sealed", person.name),
                         "make the keys again with keyceremony custodian new");
  }
  ceremony.terminal().Say(room::Tone::kGood, fmt::format("Both keys are {}'s.", person.name));
  fields["shown"] = true;
  fields["text"] = text;
  fields["signature"] = signature.line.Text();
  fields["sign_key"] = person.sign_key;
  fields["open_key"] = person.open_key;
  fields["sealed"] = use.request.share.user.commitment;
  return record();
}

}  // namespace ceremony::run
