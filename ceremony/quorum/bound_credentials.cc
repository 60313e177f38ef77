#include "ceremony/quorum/bound_credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "ceremony/quorum/key_file.h"
#include "ceremony/quorum/offline.h"
#include "ceremony/quorum/offline_share.h"
#include "ceremony/quorum/software_agreement_key.h"
#include "ceremony/record/checkpoint.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::quorum {
namespace {

using base::ErrorCode;
using script::CredentialKind;

constexpr int kPassphraseTries = 3;
// What a person is told that a passphrase or PIN is for.
constexpr const char* kToSign = "to sign";
constexpr const char* kToOpen = "to open your share";
constexpr const char* kTryAgain = "try again";
constexpr const char* kGiveUp = "give up";

base::Result<base::PublicKey> KeyOf(const script::Person& person, const std::string& base64, const char* purpose) {
  if (base64.empty()) {
    return base::MakeError(ErrorCode::kNotFound,
                           fmt::format("the roster names no key with which {} {}", person.name, purpose));
  }
  KC_ASSIGN_OR_RETURN(const base::Bytes spki, base::Base64Decode(base64));
  return base::PublicKey::FromSpki(spki);
}

// What no second attempt can mend, or what must not be attempted again.
bool IsFinal(const base::Error& error) {
  switch (error.code) {
    case ErrorCode::kAborted:
    case ErrorCode::kInternal:
    case ErrorCode::kUnsupported:
      return true;
    default:
      break;
  }
  // A share that does not open is another file's matter: whoever reads files asks for one.
  if (error.rule.starts_with("SHARE-SEAL-")) return true;
  constexpr std::string_view kRules[] = {"CRED-03", "CRED-04", "TOKEN-LOGIN-01", "TOKEN-LOGIN-02"};
  return std::ranges::find(kRules, error.rule) != std::end(kRules);
}

CardUse CardOf(const script::Person& person, const script::CredentialBinding& bound, const char* purpose) {
  return {person.name, purpose, "card.pin/" + person.id, bound};
}

}  // namespace

BoundCredentials::BoundCredentials(const script::Binding& binding, room::Terminal& terminal, LoadCardModule load)
    : estate_(binding.estate),
      environment_(binding.environment),
      bound_(binding.credentials),
      terminal_(terminal),
      load_(std::move(load)) {}

base::Result<const script::CredentialBinding*> BoundCredentials::BindingOf(const script::Person& person) const {
  const auto found = bound_.find(person.id);
  if (found == bound_.end()) {
    return base::MakeError(ErrorCode::kNotFound, fmt::format("{} has no credential in the binding", person.name))
        .WithHint(
            fmt::format("somebody else of the quorum can approve; a ceremony goes on with the binding that it was "
                        "opened with, so add \"{}\" to its \"credentials\" before the next one",
                        person.id));
  }
  return &found->second;
}

bool BoundCredentials::IsSimulated(const script::Person& person) const {
  if (nobody_is_simulated_ || environment_ != script::Environment::kRehearsal) return false;
  const auto known = simulated_.find(person.id);
  if (known != simulated_.end()) return known->second;
  const auto bound = bound_.find(person.id);
  bool simulated = bound == bound_.end();
  if (!simulated && bound->second.kind == CredentialKind::kFiles) {
    // A stick that is not there yet is somebody's own.
    const auto pem = ReadKeyFile(bound->second.sign);
    if (!pem.ok()) return false;
    simulated = !IsEncrypted(*pem);
  }
  return simulated_[person.id] = simulated;
}

base::Result<void> BoundCredentials::Attempt(const script::Person& person,
                                             const std::function<base::Result<void>()>& once,
                                             const std::function<base::Result<void>(const base::Error&)>& refused) {
  for (;;) {
    auto done = once();
    if (done.ok()) return done;
    if (refused && done.error().code != ErrorCode::kAborted) KC_RETURN_IF_ERROR(refused(done.error()));
    if (IsSimulated(person) || !terminal_.HasPeople() || IsFinal(done.error())) return done;
    KC_ASSIGN_OR_RETURN(const bool again, AskToTryAgain(person, done.error()));
    if (!again) return done;
  }
}

base::Result<Approval> BoundCredentials::Approve(const script::Person& person, const ApprovalRequest& request) {
  auto found = BindingOf(person);
  if (!found.ok()) {
    if (request.refused) KC_RETURN_IF_ERROR(request.refused(found.error()));
    return std::move(found).error();
  }
  if (!IsSimulated(person) && !terminal_.HasPeople() && (*found)->kind != CredentialKind::kFiles) {
    return NobodyThere(fmt::format("{} approves with a credential of their own", person.name));
  }
  std::optional<Approval> approval;
  bool handed_out = false;
  const auto once = [&]() -> base::Result<void> {
    KC_ASSIGN_OR_RETURN(approval, ApproveOnce(person, **found, request, handed_out));
    return {};
  };
  KC_RETURN_IF_ERROR(Attempt(person, once, request.refused));
  return *std::move(approval);
}

base::Result<std::vector<ShamirShare>> BoundCredentials::OpenShares(const script::Person& person, const ShareUse& use) {
  std::vector<ShamirShare> shares;
  const auto bound = bound_.find(person.id);
  if (bound != bound_.end() && bound->second.kind == CredentialKind::kOffline) {
    KC_RETURN_IF_ERROR(KeyOf(person, person.open_key, "opens shares"));
    const auto once = [&]() -> base::Result<void> {
      KC_ASSIGN_OR_RETURN(shares, OpenElsewhere(person, use, terminal_));
      return {};
    };
    KC_RETURN_IF_ERROR(Attempt(person, once, use.refused));
    return shares;
  }
  const auto open = [&](AgreementKey& opener) -> base::Result<void> {
    shares.clear();
    for (const Pin pin : use.request.pins) {
      KC_ASSIGN_OR_RETURN(ShamirShare share, OpenShare(use.request.share, pin, opener));
      shares.push_back(std::move(share));
    }
    return {};
  };
  KC_RETURN_IF_ERROR(UseOpener(person, open, use.refused));
  return shares;
}

base::Result<void> BoundCredentials::UseOpener(const script::Person& person,
                                               const std::function<base::Result<void>(AgreementKey&)>& use,
                                               const std::function<base::Result<void>(const base::Error&)>& refused) {
  const auto once = [&]() -> base::Result<void> {
    KC_ASSIGN_OR_RETURN(const script::CredentialBinding* bound, BindingOf(person));
    KC_ASSIGN_OR_RETURN(const base::PublicKey key, KeyOf(person, person.open_key, "opens shares"));
    if (bound->kind == CredentialKind::kCard)
      return WithCardKey(CardOf(person, *bound, kToOpen), load_, terminal_, key, use);
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<AgreementKey> opener, OpenerInFile(person, *bound, key));
    return use(*opener);
  };
  return Attempt(person, once, refused);
}

base::Result<bool> BoundCredentials::AskToTryAgain(const script::Person& person, const base::Error& why) {
  terminal_.Say(room::Tone::kBad, why.message + (why.rule.empty() ? "" : " [" + why.rule + "]"));
  if (!why.hint.empty()) terminal_.Say(room::Tone::kPlain, why.hint);
  const room::Question question{.kind = room::Question::Kind::kChoice,
                                .id = "credential.retry/" + person.id,
                                .person = person.name,
                                .text = "What now?",
                                .choices = {kTryAgain, kGiveUp}};
  KC_ASSIGN_OR_RETURN(const std::string answer, terminal_.Ask(question));
  return answer == kTryAgain;
}

base::Result<Approval> BoundCredentials::ApproveOnce(const script::Person& person,
                                                     const script::CredentialBinding& bound,
                                                     const ApprovalRequest& request, bool& handed_out) {
  KC_ASSIGN_OR_RETURN(base::PublicKey public_key, KeyOf(person, person.sign_key, "approves"));
  KC_ASSIGN_OR_RETURN(record::VerifierKey key,
                      record::VerifierKey::Make(record::PersonKeyName(estate_, person.id), std::move(public_key)));
  record::SignatureLine line;
  switch (bound.kind) {
    case CredentialKind::kFiles: {
      KC_ASSIGN_OR_RETURN(const auto signer, SignerInFile(person, bound.sign));
      KC_ASSIGN_OR_RETURN(line, record::SignText(request.text, *signer));
      key = signer->key();  // the same one, and it remembers what it has verified
      break;
    }
    case CredentialKind::kCard: {
      KC_ASSIGN_OR_RETURN(line, SignOnCard(CardOf(person, bound, kToSign), load_, terminal_, key, request.text));
      break;
    }
    case CredentialKind::kOffline: {
      KC_ASSIGN_OR_RETURN(line, SignOffline(person, key, request, handed_out, terminal_));
      break;
    }
  }
  return Approval{std::move(line), std::move(key)};
}

base::Result<std::shared_ptr<AgreementKey>> BoundCredentials::OpenerInFile(const script::Person& person,
                                                                           const script::CredentialBinding& bound,
                                                                           const base::PublicKey& expected) {
  if (const auto known = openers_.find(person.id); known != openers_.end()) return known->second;
  if (bound.open.empty()) {
    return base::MakeError(ErrorCode::kNotFound, fmt::format("{} has no key for shares in the binding", person.name))
        .WithHint(bound.kind == CredentialKind::kOffline
                      ? "`keyceremony custodian open-share` opens it on the machine where the key is"
                      : fmt::format("add \"open\" to the credential \"{}\" of the binding", person.id));
  }
  bool encrypted = false;
  KC_ASSIGN_OR_RETURN(const base::SecretBytes der, OpenFile(person, bound.open, kToOpen, encrypted));
  KC_ASSIGN_OR_RETURN(std::unique_ptr<SoftwareAgreementKey> opened, SoftwareAgreementKey::FromPkcs8(der));
  if (!(opened->public_key() == expected)) {
    return base::Refusal(
        "CRED-02",
        fmt::format("the credential in {} has the public key {}, the roster gives {} the key {}", bound.open,
                    opened->public_key().SpkiSha256Hex(), person.name, expected.SpkiSha256Hex()),
        "somebody else's file, or a credential that was renewed: take the one of the roster");
  }
  std::shared_ptr<AgreementKey> opener = std::move(opened);
  if (!encrypted) openers_[person.id] = opener;
  return opener;
}

base::Result<base::SecretBytes> BoundCredentials::OpenFile(const script::Person& person, const std::string& path,
                                                           const char* purpose, bool& encrypted) {
  KC_ASSIGN_OR_RETURN(const base::SecretBytes pem, ReadKeyFile(path));
  encrypted = IsEncrypted(pem);
  if (!encrypted) {
    if (environment_ != script::Environment::kRehearsal) {
      return base::Refusal(
          "CRED-04",
          fmt::format("the credential of {} in {} is not encrypted, and this is no rehearsal", person.name, path),
          "make a new one with `keyceremony custodian new`: whoever saw that file can sign with it");
    }
    auto opened = DecryptKey(pem, {});
    if (!opened.ok()) return std::move(opened).error().Prefixed("credential " + path);
    return opened;
  }
  if (!terminal_.HasPeople()) {
    return NobodyThere(fmt::format("{} must type the passphrase of {}", person.name, path));
  }
  for (int tried = 1; tried <= kPassphraseTries; ++tried) {
    const room::SecretQuestion question{.id = "credential.passphrase/" + person.id,
                                        .person = person.name,
                                        .text = fmt::format("passphrase of your credential {}, {}", path, purpose)};
    KC_ASSIGN_OR_RETURN(const base::SecretBytes passphrase, terminal_.AskSecret(question));
    auto opened = DecryptKey(pem, passphrase);
    if (opened.ok()) return opened;
    terminal_.Say(room::Tone::kBad,
                  fmt::format("{} ({} of {} attempts)", opened.error().message, tried, kPassphraseTries));
  }
  return base::Refusal(
      "CRED-03",
      fmt::format("{} wrong passphrases for the credential of {} in {}", kPassphraseTries, person.name, path),
      "somebody else of the quorum can approve; a damaged file is replaced from its copy");
}

base::Result<std::shared_ptr<record::NoteSigner>> BoundCredentials::SignerInFile(const script::Person& person,
                                                                                 const std::string& path) {
  if (const auto known = signers_.find(person.id); known != signers_.end()) return known->second;
  bool encrypted = false;
  KC_ASSIGN_OR_RETURN(const base::SecretBytes der, OpenFile(person, path, kToSign, encrypted));
  KC_ASSIGN_OR_RETURN(auto made, record::SoftwareSigner::FromPkcs8(record::PersonKeyName(estate_, person.id), der));
  KC_ASSIGN_OR_RETURN(const base::Bytes expected, base::Base64Decode(person.sign_key));
  const base::PublicKey& found = made->key().public_key();
  if (!std::ranges::equal(expected, found.spki())) {
    return base::Refusal(
        "CRED-01",
        fmt::format("the credential in {} has the public key {}, the roster gives {} the key {}", path,
                    found.SpkiSha256Hex(), person.name, base::Sha256Hex(expected)),
        "somebody else's file, or a credential that was renewed: take the one that belongs to the roster");
  }
  std::shared_ptr<record::NoteSigner> signer = std::move(made);
  if (!encrypted) signers_[person.id] = signer;
  return signer;
}

}  // namespace ceremony::quorum
