#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/steps/copy_arrival.h"
#include "ceremony/steps/copy_ways.h"
#include "ceremony/steps/key_copies.h"
#include "ceremony/steps/key_proof.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/mechanism_needs.h"
#include "ceremony/steps/signing_key.h"
#include "ceremony/steps/wrapped_key_file.h"
#include "hsm/base/encoding.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

hsm::Transport TransportNamed(const std::string& name) {
  return name == hsm::TransportName(hsm::Transport::kOaepSha256) ? hsm::Transport::kOaepSha256
                                                                 : hsm::Transport::kOaepSha1;
}

class KeyImportKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "key.import",
        "Takes in a key that another ceremony wrote to a file for this token's transport key, and proves the copy.",
        "`intent` and `done` around every call that makes or destroys an object, an `observe` entry for the copy with "
        "its attributes and trials, the proof of the copy as an artefact",
        "BR 6.2, 6.2.4; EN 319 411-1 6.5.2; NIST SP 800-57 Part 1 6.2.2"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "key.import",
        "Takes in a key from a file. Destroy the transport key with key.destroy afterwards: then the file opens for "
        "nobody.",
        {Field::Id("key", "the key").Refers(script::Reference::kKey),
         Field::Id("token", "the token that has the transport key").Refers(script::Reference::kToken),
         Field::Id("transport_key", "the transport key").Refers(script::Reference::kKey),
         Field::Boolean("extractable", "whether the copy may be cloned on").Default(false)},
        {}};
    return table;
  }

  std::vector<MechanismNeed> Mechanisms(const script::Step& step, const script::Inputs& inputs,
                                        const estate::Estate& estate) const override {
    std::vector<MechanismNeed> needs = NeedsToReceive(step.fields.Text("token"), kAnyOaep, step.fields.Text("key"));
    for (MechanismNeed& need : NeedsToSign(step.fields.Text("token"), step.fields.Text("key"), inputs, estate))
      needs.push_back(std::move(need));
    return needs;
  }

  Approved approved() const override { return Approved::kParameters; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Take key {} in on token {}, from the file for {}", step.fields.Text("key"),
                       step.fields.Text("token"), step.fields.Text("transport_key"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    const std::string& token = step.fields.Text("token");
    const std::string& transport_key = step.fields.Text("transport_key");
    plan.NeedsCommissionedToken(token);
    plan.Takes(120);
    const estate::Key* key = CheckKey(step.fields.Text("key"), plan);
    if (key == nullptr) return;
    const std::string file = estate::WrappedFor(transport_key);
    if (key->FindCopy(file) == nullptr) {
      plan.Breach("PLAN-IMPORT-01", "transport_key",
                  fmt::format("no ceremony has written key {} to a file for {}", key->name, transport_key),
                  "hold the ceremony with key.export first, and give the archive that has its record");
      return;
    }
    const estate::Key* transport = plan.estate().FindKey(transport_key);
    if (transport == nullptr || transport->FindCopy(token) == nullptr) {
      plan.Breach("PLAN-KEY-03", "token", fmt::format("transport key {} is not on token {}", transport_key, token),
                  "name the token on which it was made");
      return;
    }
    estate::KeyCloned effect;
    effect.key = key->name;
    effect.source = file;
    effect.token = token;
    effect.way = WayOf(transport_key, key->FindCopy(file)->way);
    effect.extractable = step.fields.Flag("extractable");
    plan.Plans(effect);
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const std::string& token = step.fields.Text("token");
    const std::string& transport_key = step.fields.Text("transport_key");
    const estate::Key* known = context.estate().FindKey(step.fields.Text("key"));
    const estate::Key* transport_known = context.estate().FindKey(transport_key);
    const std::string source = estate::WrappedFor(transport_key);
    const estate::Copy* file_copy = known == nullptr ? nullptr : known->FindCopy(source);
    if (file_copy == nullptr || transport_known == nullptr)
      return base::MakeError(base::ErrorCode::kNotFound, "the estate has no such key, file or transport key");
    const estate::Key key = *known;
    const estate::Key transport = *transport_known;
    KC_ASSIGN_OR_RETURN(const base::Bytes bytes,
                        context.ReadArchived(file_copy->since, file_copy->artefact, file_copy->sha256));
    KC_ASSIGN_OR_RETURN(const WrappedKeyFile file,
                        ParseWrappedKey({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
    KC_RETURN_IF_ERROR(CompareFile(file, key, transport));
    KC_ASSIGN_OR_RETURN(const base::PublicKey public_key, KnownPublicKey(key.name, context));
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> located, context.LocateToken(token));
    KC_RETURN_IF_ERROR(CheckStays(*located, step.fields.Flag("extractable")));
    const Arrival arrival{key,
                          ObjectIdOf(key),
                          source,
                          token,
                          located->info().serial,
                          WayOf(transport_key, file.transport),
                          step.fields.Flag("extractable")};
    KC_RETURN_IF_ERROR(context.Approve(Title(step), {{"key", key.name},
                                                     {"spki_sha256", key.spki_sha256},
                                                     {"token", token},
                                                     {"serial", arrival.serial},
                                                     {"transport_key", transport_key},
                                                     {"file_sha256", file_copy->sha256},
                                                     {"object_id", arrival.object_id},
                                                     {"extractable", arrival.extractable},
                                                     {"proof", ProofName(KindOfProof(context.inputs().policy))}}));
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(token));
    if (context.progress().HasObserved(kCopyProven, token, key.name)) {
      KC_RETURN_IF_ERROR(TakeOver(context, *session, public_key));
    } else {
      KC_RETURN_IF_ERROR(RemoveRemnants(context, arrival, *session));
      KC_RETURN_IF_ERROR(TakeIn(context, arrival, *session, public_key, transport, file));
    }
    return AchieveCopy(context, arrival, *session, public_key);
  }

 private:
  static std::string WayOf(const std::string& transport_key, const std::string& transport) {
    return fmt::format("file for {}, {}", transport_key, transport);
  }

  // One CKA_ID on every token.
  static std::string ObjectIdOf(const estate::Key& key) {
    const auto copy = std::ranges::find_if(key.copies, [](const estate::Copy& c) { return !c.object_id.empty(); });
    return copy == key.copies.end() ? std::string() : copy->object_id;
  }

  static base::Result<void> CompareFile(const WrappedKeyFile& file, const estate::Key& key,
                                        const estate::Key& transport) {
    for (const auto& [what, said, is] :
         {std::tuple("key", &file.spki_sha256, &key.spki_sha256),
          std::tuple("transport key", &file.transport_spki_sha256, &transport.spki_sha256)}) {
      if (*said == *is) continue;
      return base::Refusal("KEY-FILE-02", fmt::format("the file is of the {} {}, the estate has {}", what, *said, *is),
                           "this is the file of another transfer: stop, and find out whose");
    }
    if (std::ranges::find(transport.transports, file.transport) == transport.transports.end()) {
      return base::Refusal(
          "KEY-FILE-02",
          fmt::format("the file was wrapped by {}, which token and transport key do not take in", file.transport));
    }
    return {};
  }

  static base::Result<void> TakeIn(StepContext& context, const Arrival& arrival, hsm::Session& session,
                                   const base::PublicKey& public_key, const estate::Key& transport,
                                   const WrappedKeyFile& file) {
    KC_ASSIGN_OR_RETURN(const hsm::KeyPair transport_pair, FindCopy(session, transport, arrival.token));
    KC_ASSIGN_OR_RETURN(const hsm::Inventory before, hsm::TakeInventory(session));
    KC_ASSIGN_OR_RETURN(const ProofToSign proof, MakeProof(KindOfProof(context.inputs().policy), public_key,
                                                           arrival.key.name, arrival.token, arrival.serial));
    KC_ASSIGN_OR_RETURN(const hsm::KeyPairSpec spec, SpecOf(arrival));
    hsm::KeyCopying copying = hsm::OpenSealedKey(session, transport_pair.private_object, TransportNamed(file.transport),
                                                 file.sealed, {public_key, spec, proof.message});
    if (!copying.copy.ok()) return std::move(copying.copy).error();
    const hsm::KeyCopy& copy = *copying.copy;
    KC_ASSIGN_OR_RETURN(const hsm::Inventory after, hsm::TakeInventory(session));
    const hsm::InventoryDifference difference = hsm::Diff(before, after);
    const bool only_copy = std::ranges::all_of(difference.appeared, [&](const hsm::InventoryItem& item) {
      return base::HexEncode(item.object.id()) == arrival.object_id;
    });
    if (!only_copy || !difference.vanished.empty() || !difference.changed.empty()) {
      return base::MakeError(base::ErrorCode::kCorrupt,
                             fmt::format("after the import {} holds something else than before and the copy",
                                         session.token().Name()))
          .WithRule("KEY-TRANSPORT-03")
          .WithHint("verify the token before anything else");
    }
    KC_ASSIGN_OR_RETURN(const std::string artefact, WriteProof(context, proof, public_key, copy.signature));
    return RecordCopy(context, arrival, session, public_key, artefact,
                      {{"attributes", ToObject(copy.attributes)},
                       {"trials", copy.trials},
                       {"repaired", copy.repaired},
                       {"transport_key", transport.name},
                       {"target_inventory", after.sha256}});
  }
};

}  // namespace

const StepKind& KeyImport() {
  static const KeyImportKind kind;
  return kind;
}

}  // namespace ceremony::steps
