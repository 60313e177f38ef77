#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/steps/kinds.h"

namespace ceremony::steps {
namespace {

using script::Field;

std::string ArtefactName(const script::Step& step) { return "documents/" + step.fields.Text("name"); }

class DocumentLodgeKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "document.lodge", "Takes an outside document into the record, by its hash and as a copy.",
        "an `artefact` entry and the copy below artefacts/documents/", "EN 319 411-1 6.5.1 (approval to conduct)"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "document.lodge",
        "Takes an outside document into the record.",
        {Field::Path("file", "the document, beside the script").Refers(script::Reference::kFile),
         Field::Id("name", "the document's name in the record, with its ending").Example("\"approval.txt\""),
         Field::Text("kind", "what it is").Example("\"approval to conduct\""),
         Field::Digest("sha256", "what its SHA-256 must be, if that is known beforehand").Optional()},
        {}};
    return table;
  }

  Approved approved() const override { return Approved::kParameters; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Lodge {} ({})", step.fields.Text("name"), step.fields.Text("kind"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.Takes(30);
    plan.Writes("artefacts/" + ArtefactName(step));
    const script::LoadedFile& file = plan.inputs().documents.at(step.fields.Text("file"));
    const std::string expected = step.fields.TextOr("sha256", "");
    if (!expected.empty() && expected != file.sha256) {
      plan.Breach(
          "PLAN-DOC-01", "sha256",
          fmt::format("{} has the SHA-256 {}, the script says {}", step.fields.Text("file"), file.sha256, expected),
          "lodge the document that was reviewed");
    }
    plan.Plans(estate::DocumentLodged{step.fields.Text("name"), step.fields.Text("kind"), file.sha256});
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    // Read with the script, so these are the bytes that were checked.
    const script::LoadedFile& file = context.inputs().documents.at(step.fields.Text("file"));
    KC_RETURN_IF_ERROR(context.Approve(Title(step), {{"document", step.fields.Text("name")}, {"sha256", file.sha256}}));
    KC_RETURN_IF_ERROR(context.WriteArtefact(ArtefactName(step), step.fields.Text("kind"), base::AsBytes(file.bytes)));
    context.terminal().ShowFacts({{"document", step.fields.Text("name")}, {"SHA-256", file.sha256}});
    return context.Achieve(estate::DocumentLodged{step.fields.Text("name"), step.fields.Text("kind"), file.sha256});
  }
};

}  // namespace

const StepKind& DocumentLodge() {
  static const DocumentLodgeKind kind;
  return kind;
}

}  // namespace ceremony::steps
