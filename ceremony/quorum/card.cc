#include "ceremony/quorum/card.h"

#include <fmt/format.h>

#include <utility>

#include "hsm/agree.h"
#include "hsm/describe.h"
#include "hsm/login.h"
#include "hsm/lookup.h"
#include "hsm/sign.h"
#include "hsm/token.h"

namespace ceremony::quorum {
namespace {

std::string CardName(const CardUse& card) {
  std::string name = "the card of " + card.owner;
  if (!card.bound.label.empty()) name += fmt::format(", \"{}\"", card.bound.label);
  if (!card.bound.serial.empty()) name += fmt::format(" (serial {})", card.bound.serial);
  return name;
}

base::Error InCardWords(const CardUse& card, base::Error error) {
  if (error.code != base::ErrorCode::kToken) return error;
  if (error.rv && hsm::IsGone(*error.rv)) {
    return std::move(error)
        .Prefixed(CardName(card) + " was taken out while it was used")
        .WithRule("CRED-10")
        .WithHint("put it back and try again: no signature was taken");
  }
  if (error.rv == CKR_PIN_INCORRECT) {
    return std::move(error)
        .Prefixed("wrong PIN for " + CardName(card))
        .WithRule("CRED-09")
        .WithHint("a card locks after a few wrong PINs: be sure before you type it again");
  }
  return error;
}

base::Result<std::shared_ptr<hsm::Token>> FindCard(const CardUse& card, const std::shared_ptr<hsm::Module>& module) {
  auto found = hsm::Token::Locate(module, card.bound.label, card.bound.serial);
  if (found.ok() || found.error().code != base::ErrorCode::kNotFound) return found;
  base::Error error = std::move(found).error();
  error.code = base::ErrorCode::kToken;
  return std::move(error).Prefixed(CardName(card) + " is in no reader").WithRule("CRED-10").WithHint("put it in");
}

base::Result<base::SecretBytes> AskPin(const CardUse& card, const hsm::TokenInfo& info, room::Terminal& terminal) {
  KC_RETURN_IF_ERROR(hsm::CheckPinTries(info, hsm::User::kUser));
  if (info.protected_path()) {
    terminal.Say(room::Tone::kPlain,
                 fmt::format("{}: type the PIN of your card {} on the card reader.", card.owner, card.purpose));
    return base::SecretBytes();
  }
  if ((info.flags & CKF_USER_PIN_COUNT_LOW) != 0) {
    terminal.Say(room::Tone::kWarning,
                 fmt::format("{}: the last PIN that was typed for this card was wrong.", card.owner));
  }
  const room::SecretQuestion question{
      .id = card.id, .person = card.owner, .text = fmt::format("PIN of your card {}, {}", info.Name(), card.purpose)};
  return terminal.AskSecret(question);
}

base::Result<void> UseCard(const CardUse& card, const LoadCardModule& load, room::Terminal& terminal,
                           const UseOfCard& use) {
  auto loaded = load({card.bound.module, card.bound.environment, card.bound.init_args});
  if (!loaded.ok()) {
    base::Error error = std::move(loaded).error();
    if (error.code == base::ErrorCode::kNotFound) error.code = base::ErrorCode::kToken;
    return std::move(error).Prefixed(CardName(card));
  }
  KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> token, FindCard(card, *loaded));
  KC_ASSIGN_OR_RETURN(const base::SecretBytes pin, AskPin(card, token->info(), terminal));
  KC_ASSIGN_OR_RETURN(hsm::LoginScope login, hsm::LoginScope::Open(token, hsm::User::kUser, pin));
  // What a failed logout would say goes to the observer: the signature is made.
  return use(login.session(), pin);
}

class CardKey final : public AgreementKey {
 public:
  CardKey(hsm::Session& session, hsm::KeyPair pair, const base::PublicKey& key)
      : session_(session), pair_(std::move(pair)), key_(key) {}

  const base::PublicKey& public_key() const override { return key_; }
  base::Result<base::SecretBytes> Agree(const base::PublicKey& peer) override {
    return hsm::AgreeRaw(session_, pair_.private_object, peer);
  }

 private:
  hsm::Session& session_;
  hsm::KeyPair pair_;
  const base::PublicKey& key_;
};

}  // namespace

base::Result<std::shared_ptr<hsm::Module>> LoadCardAlone(const hsm::ModuleOptions& options) {
  return hsm::Module::Load(options, nullptr);
}

base::Result<void> WithCard(const CardUse& card, const LoadCardModule& load, room::Terminal& terminal,
                            const UseOfCard& use) {
  auto used = UseCard(card, load, terminal, use);
  if (used.ok()) return used;
  base::Error error = std::move(used).error();
  if (error.rule == "KEY-FIND-02") return std::move(error).Prefixed(CardName(card)).WithRule("CRED-11");
  if (error.rule.starts_with("KEY-FIND-")) {
    return std::move(error)
        .Prefixed(CardName(card) + " does not hold the key that the roster names")
        .WithRule("CRED-11")
        .WithHint("another card, or a credential that was renewed: take the one that belongs to the roster");
  }
  return InCardWords(card, std::move(error));
}

base::Result<record::SignatureLine> SignOnCard(const CardUse& card, const LoadCardModule& load,
                                               room::Terminal& terminal, const record::VerifierKey& key,
                                               const std::string& text) {
  record::SignatureLine line;
  line.name = key.name();
  line.key_id = key.key_id();
  const UseOfCard sign = [&](hsm::Session& session, const base::SecretBytes& pin) -> base::Result<void> {
    KC_ASSIGN_OR_RETURN(const hsm::KeyPair pair, hsm::FindKeyBySpki(session, key.public_key()));
    KC_ASSIGN_OR_RETURN(line.signature, hsm::Sign(session, pair, hsm::DefaultScheme(key.public_key().algorithm()),
                                                  base::AsBytes(text), hsm::Consequence::kLogKey, &pin));
    return {};
  };
  KC_RETURN_IF_ERROR(WithCard(card, load, terminal, sign));
  KC_RETURN_IF_ERROR(key.Verify(text, line.signature));
  return line;
}

base::Result<void> WithCardKey(const CardUse& card, const LoadCardModule& load, room::Terminal& terminal,
                               const base::PublicKey& open_key,
                               const std::function<base::Result<void>(AgreementKey&)>& use) {
  return WithCard(card, load, terminal, [&](hsm::Session& session, const base::SecretBytes&) -> base::Result<void> {
    KC_ASSIGN_OR_RETURN(hsm::KeyPair pair, hsm::FindKeyBySpki(session, open_key));
    CardKey key(session, std::move(pair), open_key);
    return use(key);
  });
}

}  // namespace ceremony::quorum
