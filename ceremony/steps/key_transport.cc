#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/record/record_name.h"
#include "ceremony/steps/key_copies.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/mechanism_needs.h"
#include "ceremony/steps/unfit_pair.h"
#include "hsm/base/encoding.h"
#include "hsm/base/random.h"
#include "hsm/keygen.h"
#include "hsm/sealed_transport.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

constexpr std::size_t kIdBytes = 16;

// 3072 bits are as strong as P-256 (NIST SP 800-57 Part 1 table 2).
std::vector<script::ChoiceName> AlgorithmChoices() {
  std::vector<script::ChoiceName> choices;
  for (const base::KeyAlgorithm algorithm : {base::KeyAlgorithm::kRsa3072, base::KeyAlgorithm::kRsa4096}) {
    const base::KeyAlgorithmFacts& facts = base::FactsOf(algorithm);
    choices.push_back({std::string(facts.name), std::string(facts.title)});
  }
  return choices;
}

base::KeyAlgorithm AlgorithmOf(const script::Step& step) {
  return base::FindKeyAlgorithm(step.fields.Text("algorithm"))->algorithm;
}

base::Result<std::vector<std::string>> WaysInto(hsm::Token& token) {
  KC_ASSIGN_OR_RETURN(const std::vector<hsm::Transport> ways, hsm::ReceivingWays(token));
  std::vector<std::string> names;
  names.reserve(ways.size());
  for (const hsm::Transport way : ways) names.emplace_back(hsm::TransportName(way));
  if (names.empty()) {
    return base::Refusal("KEY-WAY-01", fmt::format("no key can come to {} as a file", token.Name()),
                         "it must unwrap by RSA-OAEP and by AES key wrap with padding; or use the vendor's own way");
  }
  return names;
}

class KeyTransportKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "key.transport",
        "Makes a transport key on a token, for one key that will come to it from a machine that never meets this one.",
        "an `observe` entry with what the token can take in, `intent` and `done` around C_GenerateKeyPair, the public "
        "key as an artefact, an `observe` entry that its words were noted",
        "BR 6.2.4; EN 319 411-1 6.5.2; NIST SP 800-57 Part 1 6.2.1"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "key.transport",
        "Makes a transport key. It unwraps and does nothing else, cannot leave its token, and is destroyed with "
        "key.destroy once the key has come.",
        {Field::Id("token", "the token to which a key will come").Refers(script::Reference::kToken),
         Field::Id("key", "the transport key's name, once in the whole archive")
             .Refers(script::Reference::kKey)
             .Example("\"transport-2027\""),
         Field::Id("carries", "the key that will come under it; no other can").Refers(script::Reference::kKey),
         Field::Choice("algorithm", AlgorithmChoices(), "what kind of key").Default("rsa-3072")},
        {}};
    return table;
  }

  std::vector<MechanismNeed> Mechanisms(const script::Step& step, const script::Inputs&,
                                        const estate::Estate&) const override {
    std::vector<MechanismNeed> needs = NeedsToReceive(step.fields.Text("token"), kAnyOaep, step.fields.Text("carries"));
    needs.push_back(NeedOfKeyPair(step.fields.Text("token"), AlgorithmOf(step), step.fields.Text("key")));
    return needs;
  }

  Approved approved() const override { return Approved::kParameters; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Make transport key {} on token {}, for key {}", step.fields.Text("key"),
                       step.fields.Text("token"), step.fields.Text("carries"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.NeedsCommissionedToken(step.fields.Text("token"));
    plan.Takes(180);
    plan.Writes("artefacts/" + record::PublicKeyFile(step.fields.Text("key")));
    if (CheckKey(step.fields.Text("carries"), plan) == nullptr) return;
    plan.Plans(EffectOf(step));
  }

  base::Result<void> Preflight(const script::Step& step, PreflightContext& context) const override {
    KC_ASSIGN_OR_RETURN(const auto token, context.FindToken(step.fields.Text("token")));
    if (token == nullptr) return {};
    KC_RETURN_IF_ERROR(WaysInto(*token));
    return {};
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const std::string& token = step.fields.Text("token");
    estate::TransportKeyCreated effect = EffectOf(step);
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> located, context.LocateToken(token));
    KC_ASSIGN_OR_RETURN(effect.transports, WaysInto(*located));
    KC_ASSIGN_OR_RETURN(const hsm::KeyPair pair, MakeOrTakeOver(step, context, effect));
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
    effect.spki_sha256 = pair.public_key.SpkiSha256Hex();
    effect.serial = session->token().info().serial;
    effect.object_id = base::HexEncode(pair.private_object.id());
    KC_RETURN_IF_ERROR(
        context.WriteArtefact(record::PublicKeyFile(effect.key), "transport-key", pair.public_key.spki()));
    context.terminal().ShowFacts({{"transport key", effect.key},
                                  {"for key", effect.carries},
                                  {"on", session->token().Name()},
                                  {"takes in", fmt::format("{}", fmt::join(effect.transports, ", "))},
                                  {"leaves the token", "never"}});
    KC_RETURN_IF_ERROR(HaveWordsNoted(context, effect, pair.public_key));
    return context.Achieve(effect);
  }

 private:
  static estate::TransportKeyCreated EffectOf(const script::Step& step) {
    estate::TransportKeyCreated effect;
    effect.key = step.fields.Text("key");
    effect.algorithm = step.fields.Text("algorithm");
    effect.token = step.fields.Text("token");
    effect.carries = step.fields.Text("carries");
    // What the token can do is known when it is there; until then all of them.
    for (const hsm::Transport way : {hsm::Transport::kOaepSha256, hsm::Transport::kOaepSha1})
      effect.transports.emplace_back(hsm::TransportName(way));
    return effect;
  }

  static base::Result<hsm::KeyPair> MakeOrTakeOver(const script::Step& step, StepContext& context,
                                                   const estate::TransportKeyCreated& planned) {
    const std::string& token = planned.token;
    KC_ASSIGN_OR_RETURN(std::optional<hsm::KeyPair> made, KeyMadeBefore(context, planned.key, token));
    if (made) return std::move(*made);
    hsm::KeyPairSpec spec;
    spec.algorithm = AlgorithmOf(step);
    spec.label = planned.key;
    spec.id.resize(kIdBytes);
    base::FillRandom(spec.id);
    spec.usage = hsm::kUnwrappingUsage;
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> located, context.LocateToken(token));
    KC_RETURN_IF_ERROR(context.Record(
        "observe",
        {{"what", "transport-ways"}, {"key", planned.key}, {"token", token}, {"transports", planned.transports}}));
    KC_RETURN_IF_ERROR(
        context.Approve(Statement(planned, located->Name()),
                        {{"key", planned.key},
                         {"carries", planned.carries},
                         {"algorithm", planned.algorithm},
                         {"token", token},
                         {"serial", located->info().serial},
                         {"object_id", base::HexEncode(spec.id)},
                         {"transports", planned.transports},
                         {"private", ToObject(hsm::PrivateTemplate(spec, located->quirks()).Describe())}}));
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
    const auto busy = context.terminal().ShowBusy(fmt::format("Token {} is making the key {}", token, spec.label));
    hsm::KeyGeneration generation = hsm::GenerateKeyPair(*session, spec);
    if (!generation.key.ok()) return std::move(generation.key).error();
    KC_RETURN_IF_ERROR(RefuseUnfitPair(generation.key->pair.public_key, planned.key, token, context.estate()));
    return std::move(generation.key).value().pair;
  }

  static std::string Statement(const estate::TransportKeyCreated& planned, const std::string& token) {
    return fmt::format("Make transport key {} on {}: key {} can come to it from another machine", planned.key, token,
                       planned.carries);
  }

  // The words are compared at the other site, before the key leaves its token there: they travel on paper and by
  // voice, not with the file.
  static base::Result<void> HaveWordsNoted(StepContext& context, const estate::TransportKeyCreated& effect,
                                           const base::PublicKey& public_key) {
    KC_ASSIGN_OR_RETURN(const base::Bytes digest, base::HexDecode(public_key.SpkiSha256Hex()));
    context.terminal().ShowDigest("transport key " + effect.key, digest);
    room::Question question;
    question.kind = room::Question::Kind::kConsent;
    question.id = "key.transport/noted/" + effect.key;
    question.text =
        "Write these words down on the custodians' own copies of the script. They are compared at the other site. "
        "At least two people must have them.";
    question.expected = "noted";
    question.simulated = question.expected;
    KC_RETURN_IF_ERROR(context.Ask("", question));
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "transport-key-noted"},
                                                  {"key", effect.key},
                                                  {"token", effect.token},
                                                  {"spki_sha256", effect.spki_sha256}}));
    return {};
  }
};

}  // namespace

const StepKind& KeyTransport() {
  static const KeyTransportKind kind;
  return kind;
}

}  // namespace ceremony::steps
