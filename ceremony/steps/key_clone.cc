#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/estate/by_vendor.h"
#include "ceremony/steps/copy_arrival.h"
#include "ceremony/steps/copy_ways.h"
#include "ceremony/steps/key_copies.h"
#include "ceremony/steps/key_proof.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/mechanism_needs.h"
#include "ceremony/steps/vendor_copy.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/wrap.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

// One copy that is to be made.
struct Target {
  Arrival arrival;
  std::string label;                // for people: `token "backup" (serial 12ab)`
  std::optional<hsm::CopyWay> way;  // none: the vendor's
};

// What one cloning is about.
struct Cloning {
  const script::Step& step;
  StepContext& context;
  estate::Key key;  // as the estate knows it before
  std::string source;
  hsm::Session* session = nullptr;  // with the source
  std::optional<hsm::KeyPair> pair;

  bool extractable() const { return step.fields.Flag("extractable"); }
  bool by_vendor() const { return step.fields.Text("method") == estate::kByVendor; }
  const estate::Copy& original() const { return *key.FindCopy(source); }
};

class KeyCloneKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "key.clone", "Copies a key to other tokens, wrapped under a one-time key, and proves each copy.",
        "`intent` and `done` around every call that makes or destroys an object, an `observe` entry for the way, for "
        "each comparison of a transport key and for each copy with its attributes and trials, the proof of each copy "
        "as an artefact",
        "BR 6.2, 6.2.4; EN 319 411-1 6.5.2; NIST SP 800-57 Part 1 6.2.2"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "key.clone",
        "Copies a key to other tokens.",
        {Field::Id("key", "the key").Refers(script::Reference::kKey),
         Field::Id("source", "the token that it is copied from").Refers(script::Reference::kToken),
         Field::List("targets", Field::Id("", "a token").Refers(script::Reference::kToken), 1, 100,
                     "the tokens that it is copied to")
             .Unique()
             .Example("[\"backup-hsm\"]"),
         Field::Boolean("extractable", "whether the copies may be cloned on").Default(false),
         Field::Choice(
             "method",
             {{"wrap", "by PKCS#11: wrapped under a one-time AES key (RFC 5649)"},
              {estate::kByVendor, "by the vendor's own tool, which people operate; the copy is then proven alike"}},
             "how the copy is made")
             .Default("wrap"),
         TransportField(), Field::Text("procedure", "the vendor's procedure, by its name and version").Optional()},
        {}};
    return table;
  }

  std::vector<MechanismNeed> Mechanisms(const script::Step& step, const script::Inputs& inputs,
                                        const estate::Estate& estate) const override {
    std::vector<MechanismNeed> needs;
    const std::string& key = step.fields.Text("key");
    const auto add = [&](std::vector<MechanismNeed> more) { needs.insert(needs.end(), more.begin(), more.end()); };
    const bool wraps = step.fields.Text("method") != estate::kByVendor;
    if (wraps) add(NeedsToSend(step.fields.Text("source"), step.fields.Text("transport"), key));
    for (const std::string& target : TextsOf(step, "targets")) {
      if (wraps) add(NeedsToReceive(target, step.fields.Text("transport"), key));
      add(NeedsToSign(target, key, inputs, estate));  // the proof
    }
    return needs;
  }

  Approved approved() const override { return Approved::kParameters; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Clone key {} from token {} to {}", step.fields.Text("key"), step.fields.Text("source"),
                       fmt::join(TextsOf(step, "targets"), ", "));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    const std::string& source = step.fields.Text("source");
    const bool vendor = step.fields.Text("method") == estate::kByVendor;
    plan.NeedsCommissionedToken(source);
    if (vendor && !step.fields.Has("procedure")) {
      plan.Breach("PLAN-CLONE-01", "procedure", "a copy by the vendor's own way names no procedure",
                  "say which procedure people follow, by its name and version");
    }
    const estate::Key* key = CheckKey(step.fields.Text("key"), plan);
    for (const std::string& target : TextsOf(step, "targets")) {
      plan.NeedsCommissionedToken(target);
      plan.Takes(vendor ? 900 : 60);
      if (key == nullptr) continue;
      estate::KeyCloned effect;
      effect.key = key->name;
      effect.source = source;
      effect.token = target;
      effect.way = vendor ? fmt::format("{}: {}", estate::kByVendor, step.fields.TextOr("procedure", "")) : "";
      effect.extractable = step.fields.Flag("extractable");
      plan.Plans(effect);
    }
  }

  base::Result<void> Preflight(const script::Step& step, PreflightContext& context) const override {
    if (step.fields.Text("method") == estate::kByVendor) return {};
    KC_ASSIGN_OR_RETURN(const auto source, context.FindToken(step.fields.Text("source")));
    const estate::Key* key = context.estate().FindKey(step.fields.Text("key"));
    if (source != nullptr && key != nullptr) KC_RETURN_IF_ERROR(CheckLeaves(*source, key->algorithm));
    for (const std::string& name : TextsOf(step, "targets")) {
      KC_ASSIGN_OR_RETURN(const auto target, context.FindToken(name));
      if (target != nullptr) KC_RETURN_IF_ERROR(CheckStays(*target, step.fields.Flag("extractable")));
      if (source == nullptr || target == nullptr) continue;  // made in this ceremony: looked at when it is
      KC_ASSIGN_OR_RETURN(const ChosenWay chosen,
                          ChooseWay(context.inputs().policy, *source, *target, step.fields.Text("transport")));
      context.terminal().Say(room::Tone::kPlain,
                             fmt::format("Step {}: to token {} by {}.", step.id, name, chosen.way.Name()));
    }
    return {};
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const estate::Key* key = context.estate().FindKey(step.fields.Text("key"));
    if (key == nullptr)
      return base::MakeError(base::ErrorCode::kNotFound, "the estate has no key " + step.fields.Text("key"));
    Cloning cloning{step, context, *key, step.fields.Text("source"), nullptr, {}};
    if (key->FindCopy(cloning.source) == nullptr) {
      return base::MakeError(base::ErrorCode::kNotFound,
                             fmt::format("key {} has no copy on token {}", key->name, cloning.source));
    }
    KC_ASSIGN_OR_RETURN(const std::vector<Target> targets, ChooseWays(cloning));
    KC_RETURN_IF_ERROR(context.Approve(Title(step), SubjectOf(cloning, targets)));
    KC_ASSIGN_OR_RETURN(cloning.session, context.Session(cloning.source));
    KC_ASSIGN_OR_RETURN(cloning.pair, FindCopy(*cloning.session, cloning.key, cloning.source));
    for (const Target& target : targets) KC_RETURN_IF_ERROR(Clone(cloning, target));
    return {};
  }

 private:
  static base::Result<std::vector<Target>> ChooseWays(const Cloning& cloning) {
    StepContext& context = cloning.context;
    KC_ASSIGN_OR_RETURN(const auto source, context.LocateToken(cloning.source));
    if (!cloning.by_vendor()) KC_RETURN_IF_ERROR(CheckLeaves(*source, cloning.key.algorithm));
    std::vector<Target> targets;
    std::vector<room::Fact> facts;
    for (const std::string& name : TextsOf(cloning.step, "targets")) {
      KC_ASSIGN_OR_RETURN(const auto token, context.LocateToken(name));
      Target target{{cloning.key, cloning.original().object_id, cloning.source, name, token->info().serial,
                     fmt::format("vendor: {}", cloning.step.fields.TextOr("procedure", "")), cloning.extractable()},
                    token->Name(),
                    {}};
      json fields = {{"what", "copy-way"}, {"key", cloning.key.name}, {"token", name}, {"source", cloning.source}};
      if (cloning.by_vendor()) {
        fields["way"] = estate::kByVendor;
        fields["procedure"] = cloning.step.fields.Text("procedure");
      } else {
        KC_RETURN_IF_ERROR(CheckStays(*token, cloning.extractable()));
        KC_ASSIGN_OR_RETURN(const ChosenWay chosen,
                            ChooseWay(context.inputs().policy, *source, *token, cloning.step.fields.Text("transport")));
        target.way = chosen.way;
        target.arrival.way = chosen.way.Name();
        fields["way"] = chosen.way.Name();
        fields["findings"] = json::array();
        for (const Finding& finding : chosen.findings) {
          context.terminal().Say(room::Tone::kWarning, fmt::format("[{}] {}", finding.rule, finding.message));
          fields["findings"].push_back(
              {{"rule", finding.rule}, {"severity", SeverityName(finding.severity)}, {"message", finding.message}});
        }
      }
      facts.push_back({"to " + name, fields.at("way").get<std::string>()});
      KC_RETURN_IF_ERROR(context.Record("observe", std::move(fields)));
      targets.push_back(std::move(target));
    }
    context.terminal().ShowFacts(facts);
    return targets;
  }

  static json SubjectOf(const Cloning& cloning, const std::vector<Target>& targets) {
    json copies = json::array();
    for (const Target& target : targets) {
      copies.push_back({{"token", target.arrival.token},
                        {"serial", target.arrival.serial},
                        {"way", target.way ? target.way->Name() : std::string(estate::kByVendor)}});
    }
    return {{"key", cloning.key.name},
            {"spki_sha256", cloning.key.spki_sha256},
            {"source", cloning.source},
            {"object_id", cloning.original().object_id},
            {"extractable", cloning.extractable()},
            {"proof", ProofName(KindOfProof(cloning.context.inputs().policy))},
            {"copies", std::move(copies)}};
  }

  static base::Result<void> Clone(const Cloning& cloning, const Target& target) {
    StepContext& context = cloning.context;
    const base::PublicKey& key = cloning.pair->public_key;
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(target.arrival.token));
    if (context.progress().HasObserved(kCopyProven, target.arrival.token, cloning.key.name)) {
      KC_RETURN_IF_ERROR(TakeOver(context, *session, key));
    } else if (cloning.by_vendor()) {
      KC_RETURN_IF_ERROR(TakeInVendorCopy(
          context,
          {target.arrival, cloning.step.fields.Text("procedure"), cloning.session->token().Name(), target.label},
          *session, key));
    } else {
      KC_RETURN_IF_ERROR(RemoveRemnants(context, target.arrival, *session));
      KC_RETURN_IF_ERROR(CloneByWrapping(cloning, target, *session));
    }
    return AchieveCopy(context, target.arrival, *session, key);
  }

  static base::Result<void> CloneByWrapping(const Cloning& cloning, const Target& target, hsm::Session& session) {
    StepContext& context = cloning.context;
    KC_ASSIGN_OR_RETURN(const hsm::Inventory source_before, hsm::TakeInventory(*cloning.session));
    KC_ASSIGN_OR_RETURN(const hsm::Inventory before, hsm::TakeInventory(session));
    KC_ASSIGN_OR_RETURN(const ProofToSign proof,
                        MakeProof(KindOfProof(context.inputs().policy), cloning.pair->public_key, cloning.key.name,
                                  target.arrival.token, target.arrival.serial));
    KC_ASSIGN_OR_RETURN(const hsm::KeyPairSpec spec, SpecOf(target.arrival));
    hsm::TransportSpec transport;
    transport.compare = [&](const base::PublicKey& on_target, const base::PublicKey& on_source) {
      return CompareTransportKeys(cloning, target, on_target, on_source);
    };
    hsm::KeyCopying copying =
        hsm::CopyKey(*cloning.session, *cloning.pair, session, *target.way, spec, transport, proof.message);
    if (!copying.copy.ok()) return std::move(copying.copy).error();
    const hsm::KeyCopy& copy = *copying.copy;
    KC_ASSIGN_OR_RETURN(const json absent, ShowTransportGone(cloning, session, source_before, before));
    KC_ASSIGN_OR_RETURN(const std::string artefact,
                        WriteProof(context, proof, cloning.pair->public_key, copy.signature));
    return RecordCopy(context, target.arrival, session, cloning.pair->public_key, artefact,
                      {{"attributes", ToObject(copy.attributes)},
                       {"trials", copy.trials},
                       {"repaired", copy.repaired},
                       {"transport", absent}});
  }

  static base::Result<void> CompareTransportKeys(const Cloning& cloning, const Target& target,
                                                 const base::PublicKey& on_target, const base::PublicKey& on_source) {
    StepContext& context = cloning.context;
    context.terminal().ShowDigest(fmt::format("transport key, as token {} shows it", target.arrival.token),
                                  base::Sha256Of(on_target.spki()));
    context.terminal().ShowDigest(fmt::format("transport key, as token {} has it", cloning.source),
                                  base::Sha256Of(on_source.spki()));
    KC_ASSIGN_OR_RETURN(
        const std::string answer,
        AskWhetherTheSame(context, "key.clone/transport/" + target.arrival.token,
                          fmt::format("One person reads the words of {}, another those of {}. Are they the same?",
                                      target.arrival.token, cloning.source)));
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "transport-key-compared"},
                                                  {"key", cloning.key.name},
                                                  {"token", target.arrival.token},
                                                  {"on_target_sha256", on_target.SpkiSha256Hex()},
                                                  {"on_source_sha256", on_source.SpkiSha256Hex()},
                                                  {"answer", answer}}));
    if (answer == kTheSame) return {};
    return base::Refusal("KEY-TRANSPORT-02",
                         fmt::format("people say that the transport key of token {} is not what token {} has",
                                     target.arrival.token, cloning.source),
                         "no key has left its token: find out who put another transport key in between");
  }

  // On the source nothing may have changed, and on the target there is the copy and nothing else.
  static base::Result<json> ShowTransportGone(const Cloning& cloning, hsm::Session& session,
                                              const hsm::Inventory& source_before, const hsm::Inventory& before) {
    KC_ASSIGN_OR_RETURN(const hsm::Inventory source_after, hsm::TakeInventory(*cloning.session));
    KC_ASSIGN_OR_RETURN(const hsm::Inventory after, hsm::TakeInventory(session));
    const hsm::InventoryDifference on_source = hsm::Diff(source_before, source_after);
    const hsm::InventoryDifference on_target = hsm::Diff(before, after);
    const auto is_copy = [&](const hsm::InventoryItem& item) {
      return base::HexEncode(item.object.id()) == cloning.original().object_id;
    };
    const bool only_copy = std::all_of(on_target.appeared.begin(), on_target.appeared.end(), is_copy) &&
                           on_target.vanished.empty() && on_target.changed.empty();
    if (!on_source.empty() || !only_copy) {
      return base::MakeError(base::ErrorCode::kCorrupt,
                             fmt::format("after the copy {} or {} holds something else than before and the copy",
                                         cloning.session->token().Name(), session.token().Name()))
          .WithRule("KEY-TRANSPORT-03")
          .WithHint("verify both tokens before anything else");
    }
    cloning.context.terminal().Say(room::Tone::kGood,
                                   "The transport keys are destroyed and gone from both tokens; the wrapped key was "
                                   "never on a disk.");
    return json{{"source_inventory", source_after.sha256}, {"target_inventory", after.sha256}, {"left", "nothing"}};
  }
};

}  // namespace

const StepKind& KeyClone() {
  static const KeyCloneKind kind;
  return kind;
}

}  // namespace ceremony::steps
