#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/steps/copy_ways.h"
#include "ceremony/steps/key_copies.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/mechanism_needs.h"
#include "ceremony/steps/signing_key.h"
#include "ceremony/steps/wrapped_key_file.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::steps {
namespace {

using nlohmann::json;
using script::Field;

constexpr const char* kExported = "key-exported";

// Export is one run of the step.
struct Export {
  const script::Step& step;
  StepContext& context;
  estate::Key key;        // as the estate knows them before
  estate::Key transport;  // the transport key
  base::PublicKey transport_key;
  std::string serial;  // of the source
  hsm::Transport way;

  const std::string& source() const { return step.fields.Text("source"); }
  std::string artefact() const { return WrappedKeyArtefact(key.name, transport.name); }
};

class KeyExportKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "key.export",
        "Writes a key to a file, wrapped for the transport key of a token at another site; the file is a copy until "
        "that transport key is destroyed.",
        "an `observe` entry for the comparison of the transport key, `intent` and `done` around every call, the file "
        "as an artefact, an `observe` entry with its digest",
        "BR 6.2, 6.2.4; EN 319 411-1 6.5.2; NIST SP 800-57 Part 1 6.2.2"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "key.export",
        "Writes a key to a file, wrapped for the transport key of a token at another site.",
        {Field::Id("key", "the key").Refers(script::Reference::kKey),
         Field::Id("source", "the token that it leaves").Refers(script::Reference::kToken),
         Field::Id("transport_key", "the transport key, as the other site named it").Refers(script::Reference::kKey),
         SealedTransportField()},
        {}};
    return table;
  }

  std::vector<MechanismNeed> Mechanisms(const script::Step& step, const script::Inputs&,
                                        const estate::Estate&) const override {
    return NeedsToSend(step.fields.Text("source"), kAnyOaep, step.fields.Text("key"));
  }

  Approved approved() const override { return Approved::kParameters; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Write key {} from token {} to a file for {}", step.fields.Text("key"),
                       step.fields.Text("source"), step.fields.Text("transport_key"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.NeedsCommissionedToken(step.fields.Text("source"));
    plan.Takes(120);
    const estate::Key* key = CheckKey(step.fields.Text("key"), plan);
    if (key == nullptr) return;
    const std::string name = key->name;
    const std::string artefact = WrappedKeyArtefact(name, step.fields.Text("transport_key"));
    plan.Writes("artefacts/" + artefact);
    const std::string& transport = step.fields.Text("transport");
    plan.Plans(estate::KeyExported{name, "", step.fields.Text("source"), "", step.fields.Text("transport_key"),
                                   transport == kBestTransport ? "" : transport, artefact, ""});
  }

  base::Result<void> Preflight(const script::Step& step, PreflightContext& context) const override {
    KC_ASSIGN_OR_RETURN(const auto source, context.FindToken(step.fields.Text("source")));
    const estate::Key* key = context.estate().FindKey(step.fields.Text("key"));
    const estate::Key* transport = context.estate().FindKey(step.fields.Text("transport_key"));
    if (source != nullptr && key != nullptr) KC_RETURN_IF_ERROR(CheckLeaves(*source, key->algorithm));
    if (source == nullptr || transport == nullptr) return {};  // made in this ceremony: looked at when it is
    KC_RETURN_IF_ERROR(
        ChooseSealedTransport(context.inputs().policy, *source, transport->transports, step.fields.Text("transport")));
    return {};
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const estate::Key* key = context.estate().FindKey(step.fields.Text("key"));
    const estate::Key* transport = context.estate().FindKey(step.fields.Text("transport_key"));
    if (key == nullptr || transport == nullptr)
      return base::MakeError(base::ErrorCode::kNotFound, "the estate has no such key or transport key");
    KC_ASSIGN_OR_RETURN(const std::shared_ptr<hsm::Token> source, context.LocateToken(step.fields.Text("source")));
    KC_RETURN_IF_ERROR(CheckLeaves(*source, key->algorithm));
    KC_ASSIGN_OR_RETURN(
        const ChosenTransport chosen,
        ChooseSealedTransport(context.inputs().policy, *source, transport->transports, step.fields.Text("transport")));
    // By its digest in the record of the other ceremony: a file that was changed on its way is refused here.
    KC_ASSIGN_OR_RETURN(base::PublicKey transport_key, KnownPublicKey(transport->name, context));
    const Export work{
        step, context, *key, *transport, std::move(transport_key), source->info().serial, chosen.transport};
    for (const Finding& finding : chosen.findings)
      context.terminal().Say(room::Tone::kWarning, fmt::format("[{}] {}", finding.rule, finding.message));
    std::string digest;
    if (const Progress::Artefact* written = context.progress().FindArtefact(work.artefact())) {
      digest = written->sha256;  // before an interruption; it is the copy that the record names
      KC_RETURN_IF_ERROR(RecordUnlessRecorded(work, digest));
    } else {
      KC_RETURN_IF_ERROR(CompareTransportKey(work));
      KC_RETURN_IF_ERROR(context.Approve(Title(step), SubjectOf(work)));
      KC_ASSIGN_OR_RETURN(digest, WriteFile(work));
    }
    context.terminal().ShowFacts(
        {{"key", work.key.name},
         {"file", work.artefact()},
         {"its SHA-256", digest},
         {"way", std::string(hsm::TransportName(work.way))},
         {"opens with", fmt::format("transport key {}, on token {}", work.transport.name, TokenOf(work.transport))}});
    context.terminal().Say(
        room::Tone::kWarning,
        "The file is a copy of the key until its transport key is destroyed. Carry the archive, with "
        "this record closed, to the other site; leave no other copy of the file.");
    return context.Achieve(estate::KeyExported{work.key.name, work.key.spki_sha256, work.source(), work.serial,
                                               work.transport.name, std::string(hsm::TransportName(work.way)),
                                               work.artefact(), digest});
  }

 private:
  static std::string TokenOf(const estate::Key& transport) {
    const auto copies = transport.CopiesInPlace();
    return copies.empty() ? std::string("(none)") : copies.front()->token;
  }

  static json SubjectOf(const Export& work) {
    return {{"key", work.key.name},
            {"spki_sha256", work.key.spki_sha256},
            {"source", work.source()},
            {"serial", work.serial},
            {"transport_key", work.transport.name},
            {"transport_spki_sha256", work.transport.spki_sha256},
            {"to", TokenOf(work.transport)},
            {"transport", hsm::TransportName(work.way)}};
  }

  static base::Result<void> CompareTransportKey(const Export& work) {
    StepContext& context = work.context;
    context.terminal().ShowDigest(fmt::format("transport key {}, as the archive has it", work.transport.name),
                                  base::Sha256Of(work.transport_key.spki()));
    KC_ASSIGN_OR_RETURN(const std::string answer,
                        AskWhetherTheSame(context, "key.export/transport/" + work.transport.name,
                                          fmt::format("One person reads these words, another those that were written "
                                                      "down when {} was made. Are they the same?",
                                                      work.transport.name)));
    KC_RETURN_IF_ERROR(context.Record("observe", {{"what", "transport-key-compared"},
                                                  {"key", work.key.name},
                                                  {"token", work.source()},
                                                  {"transport_key", work.transport.name},
                                                  {"spki_sha256", work.transport_key.SpkiSha256Hex()},
                                                  {"answer", answer}}));
    if (answer == kTheSame) return {};
    return base::Refusal(
        "KEY-TRANSPORT-02",
        fmt::format("people say that transport key {} is not the one whose words were noted", work.transport.name),
        "no key has left its token: find out who put another transport key in between");
  }

  static base::Result<std::string> WriteFile(const Export& work) {
    StepContext& context = work.context;
    KC_ASSIGN_OR_RETURN(hsm::Session * session, context.Session(work.source()));
    KC_ASSIGN_OR_RETURN(const hsm::KeyPair pair, FindCopy(*session, work.key, work.source()));
    KC_ASSIGN_OR_RETURN(const hsm::Inventory before, hsm::TakeInventory(*session));
    KC_ASSIGN_OR_RETURN(hsm::SealedKey sealed,
                        hsm::SealKey(*session, pair.private_object, work.transport_key, work.way));
    KC_ASSIGN_OR_RETURN(const hsm::Inventory after, hsm::TakeInventory(*session));
    if (!hsm::Diff(before, after).empty()) {
      return base::MakeError(
                 base::ErrorCode::kCorrupt,
                 fmt::format("after the export {} holds something else than before", session->token().Name()))
          .WithRule("KEY-TRANSPORT-03")
          .WithHint("verify the token before anything else");
    }
    const std::string text =
        WriteWrappedKey({work.key.name, work.key.spki_sha256, work.transport.name, work.transport.spki_sha256,
                         std::string(hsm::TransportName(work.way)), std::move(sealed)});
    const std::string digest = base::Sha256Hex(text);
    KC_RETURN_IF_ERROR(context.WriteArtefact(work.artefact(), "wrapped-key", base::AsBytes(text)));
    KC_RETURN_IF_ERROR(Record(work, digest, after));
    return digest;
  }

  static base::Result<void> Record(const Export& work, const std::string& digest, const hsm::Inventory& inventory) {
    KC_RETURN_IF_ERROR(work.context.Record("observe", {{"what", kExported},
                                                       {"key", work.key.name},
                                                       {"token", work.source()},
                                                       {"serial", work.serial},
                                                       {"spki_sha256", work.key.spki_sha256},
                                                       {"transport_key", work.transport.name},
                                                       {"transport", hsm::TransportName(work.way)},
                                                       {"artefact", work.artefact()},
                                                       {"sha256", digest},
                                                       {"inventory", inventory.sha256}}));
    return {};
  }

  // An interruption may have come between the file and its entry.
  static base::Result<void> RecordUnlessRecorded(const Export& work, const std::string& digest) {
    if (work.context.progress().HasObserved(kExported, work.source(), work.key.name)) return {};
    KC_ASSIGN_OR_RETURN(hsm::Session * session, work.context.Session(work.source()));
    KC_ASSIGN_OR_RETURN(const hsm::Inventory inventory, hsm::TakeInventory(*session));
    return Record(work, digest, inventory);
  }
};

}  // namespace

const StepKind& KeyExport() {
  static const KeyExportKind kind;
  return kind;
}

}  // namespace ceremony::steps
