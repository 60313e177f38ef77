#include "hsm/probe.h"

#include <fmt/format.h>

#include "hsm/base/random.h"
#include "hsm/describe.h"
#include "hsm/keygen.h"
#include "hsm/keygen_plan.h"
#include "hsm/lookup.h"
#include "hsm/sign.h"
#include "hsm/transport.h"
#include "hsm/wrap.h"

namespace hsm {
namespace {

constexpr std::size_t kIdBytes = 16;

KeyPairSpec SessionKey(base::KeyAlgorithm algorithm, Extractable extractable) {
  KeyPairSpec spec;
  spec.algorithm = algorithm;
  spec.label = "keyceremony probe";
  spec.id.resize(kIdBytes);
  base::FillRandom(spec.id);
  spec.extractable = extractable;
  spec.lifetime = Lifetime::kSession;
  return spec;
}

// With keeps a session key for as long as `use` runs.
template <typename Use>
Result<void> With(Session& session, base::KeyAlgorithm algorithm, Extractable extractable, Use use) {
  KeyGeneration made = GenerateKeyPair(session, SessionKey(algorithm, extractable));
  if (!made.key.ok()) {
    for (const Object& object : made.left_behind) static_cast<void>(session.Destroy(object));
    return std::move(made.key).error();
  }
  const Result<void> used = use(made.key->pair);
  const Result<void> destroyed = DestroyKeyPair(session, made.key->pair);
  return used.ok() ? destroyed : used;
}

class Prober final {
 public:
  Prober(Session& session, const std::function<bool()>& stop) : session_(session), stop_(stop) {}

  Result<void> Keys() {
    for (const base::KeyAlgorithmFacts& facts : base::KeyAlgorithms()) {
      const std::string what = fmt::format("make {} keys and sign with them", facts.title);
      const CK_MECHANISM_TYPE mechanism = KeyPairMechanismOf(facts.algorithm).generates;
      KC_ASSIGN_OR_RETURN(const bool claimed, session_.token().HasMechanism(mechanism));
      if (claimed && session_.quirks().limits.no_session_keys) {
        AddUntried(what, mechanism);
        continue;
      }
      const Result<void> tried =
          With(session_, facts.algorithm, Extractable::kNo, [&](const KeyPair& pair) -> Result<void> {
            KC_RETURN_IF_ERROR(Sign(session_, pair, DefaultScheme(facts.algorithm),
                                    base::AsBytes("keyceremony probe, no statement of anybody"),
                                    Consequence::kCeremonyKey));
            return {};
          });
      KC_RETURN_IF_ERROR(Add(what, mechanism, tried));
    }
    return {};
  }

  Result<void> Ways() {
    KC_ASSIGN_OR_RETURN(const std::vector<CopyWay> ways, CopyWays(session_.token(), session_.token()));
    for (const CopyWay& way : ways) {
      const Result<void> tried =
          With(session_, base::KeyAlgorithm::kEcP256, Extractable::kYes, [&](const KeyPair& pair) -> Result<void> {
            KC_ASSIGN_OR_RETURN(const TransportKey transport, MakeTransportKey(session_, session_, way));
            const auto wrapped = WrapPrivateKey(session_, transport.source_key, way.source_wrap, pair.private_object);
            Result<void> destroyed = DestroyTransportKey(session_, session_, transport);
            if (!wrapped.ok()) return wrapped.error();
            return destroyed;
          });
      KC_RETURN_IF_ERROR(Add("move a key by " + way.Name(), way.source_wrap, tried));
    }
    if (ways.empty()) probe_.findings.emplace_back("no key can be moved from or to it by PKCS#11: no way is claimed");
    return {};
  }

  Result<void> Seal() {
    if (session_.quirks().limits.no_session_keys) {
      AddUntried("keep a key that may not leave", CKM_AES_KEY_GEN);
      return {};
    }
    const Result<void> tried = With(session_, base::KeyAlgorithm::kEcP256, Extractable::kNo,
                                    [&](const KeyPair& pair) { return ProveSealed(session_, pair); });
    if (!tried.ok() && tried.error().rule == "KEY-SEAL-01")
      probe_.findings.push_back("a key that may not leave it leaves all the same: " + tried.error().message);
    return Add("keep a key that may not leave", CKM_AES_KEY_GEN, tried);
  }

  Probe Take() { return std::move(probe_); }

 private:
  void AddUntried(std::string what, CK_MECHANISM_TYPE mechanism) {
    probe_.trials.push_back({std::move(what), mechanism, true, Trial::Outcome::kUntried,
                             "this module makes no session key, and a probe leaves nothing behind: rehearse on a "
                             "spare token"});
  }

  Result<void> Add(std::string what, CK_MECHANISM_TYPE mechanism, const Result<void>& tried) {
    if (!tried.ok() && tried.error().rv && IsGone(*tried.error().rv)) return tried.error();
    Trial trial;
    trial.what = std::move(what);
    trial.mechanism = mechanism;
    KC_ASSIGN_OR_RETURN(trial.claimed, session_.token().HasMechanism(mechanism));
    trial.outcome = tried.ok() ? Trial::Outcome::kWorks : Trial::Outcome::kRefused;
    if (!tried.ok()) trial.said = tried.error().message;
    if (trial.claimed && !tried.ok())
      probe_.findings.push_back(fmt::format("it claims {}, and does not {}", MechanismName(mechanism), trial.what));
    if (!trial.claimed && tried.ok())
      probe_.findings.push_back(fmt::format("it does not claim {}, and does {}", MechanismName(mechanism), trial.what));
    probe_.trials.push_back(std::move(trial));
    if (stop_()) return base::MakeError(ErrorCode::kAborted, "stopped between two trials");
    return {};
  }

  Session& session_;
  const std::function<bool()>& stop_;
  Probe probe_;
};

}  // namespace

Result<Probe> ProbeToken(Session& session, const std::function<bool()>& stop) {
  Prober prober(session, stop);
  KC_RETURN_IF_ERROR(prober.Keys());
  KC_RETURN_IF_ERROR(prober.Ways());
  KC_RETURN_IF_ERROR(prober.Seal());
  return prober.Take();
}

}  // namespace hsm
