#include <nlohmann/json.hpp>

#include "ceremony/steps/consent.h"
#include "ceremony/steps/kinds.h"
#include "hsm/base/encoding.h"

namespace ceremony::steps {
namespace {

using script::Field;

class RoomConfirmKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "room.confirm", "Has somebody confirm a statement by typing an exact word.",
        "an `observe` entry with statement, word and person", "WebTrust 4.1 (script followed)"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "room.confirm",
        "Has somebody confirm a statement by typing an exact word.",
        {Field::Choice("by", script::RoleChoices(), "the role that confirms"),
         Field::Prose("statement", "what is confirmed, as a whole sentence"),
         Field::Text("word", "the word that is typed").Default("CONFIRM").Length(2, 40),
         Field::Boolean(
             "shows_script",
             "whether the digest of the script is shown before, as words, to be compared with printed copies")
             .Default(false)},
        {}};
    return table;
  }

  Approved approved() const override { return Approved::kParameters; }

  std::string Title(const script::Step& step) const override { return "Confirm: " + step.fields.Text("statement"); }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.NeedsPeople(step.fields.Text("by"), 1);
    plan.Takes(30);
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    if (step.fields.Flag("shows_script")) {
      KC_ASSIGN_OR_RETURN(const base::Bytes digest, base::HexDecode(context.inputs().script.file.sha256));
      context.terminal().ShowDigest("script", digest);
    }
    KC_RETURN_IF_ERROR(context.Approve(step.fields.Text("statement"), {{"statement", step.fields.Text("statement")}}));
    return AskConsent(
        context, step.fields.Text("by"),
        {.id = "room.confirm/" + step.id, .text = step.fields.Text("statement"), .expected = step.fields.Text("word")});
  }
};

}  // namespace

const StepKind& RoomConfirm() {
  static const RoomConfirmKind kind;
  return kind;
}

}  // namespace ceremony::steps
