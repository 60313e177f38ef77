#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ceremony/estate/roster_after.h"
#include "ceremony/steps/consent.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/roster_change.h"

namespace ceremony::steps {
namespace {

using script::Field;

constexpr const char* kLeaving = "leaving";
constexpr const char* kLeft = "left";

script::PersonState StateOf(const script::Step& step) {
  return step.fields.Text("state") == kLeft ? script::PersonState::kLeft : script::PersonState::kLeaving;
}

class CustodianRetireKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "custodian.retire", "Retires a custodian: they count for no quorum any more.",
        "the effect `person-retired`; the roster of the next ceremony as artefacts/roster.json",
        "EN 319 411-1 6.4.4; WebTrust 3.3 (trusted roles)"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "custodian.retire",
        "Retires a custodian: they count for no quorum any more.",
        {Field::Id("person", "who is retired; need not be in the room").Example("\"erin\""),
         Field::Choice("state",
                       {{kLeaving, "counts no longer, may still hold shares: a reshare is due"},
                        {kLeft, "holds nothing any more; was leaving before"}},
                       "the state that they come to")
             .Default(kLeaving),
         Field::Text("reason", "why").Example("\"takes another post\"")},
        {}};
    return table;
  }

  Approved approved() const override { return Approved::kResult; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Retire the custodian {} ({})", step.fields.Text("person"), step.fields.Text("state"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.NeedsPeople("security-officer", 1);
    plan.Takes(180);
    if (step.quorum.empty()) {
      plan.Breach("PERSON-QUORUM-01", "", "a custodian is retired by a quorum, and the step names none",
                  "add \"quorum\": \"custodians\"");
    }
    if (!plan.inputs().roster) return;
    const script::Roster before = estate::RosterAfter(*plan.inputs().roster, plan.estate());
    const std::string& id = step.fields.Text("person");
    const script::Person* person = before.FindPerson(id);
    if (person == nullptr) {
      plan.Breach("PERSON-ROSTER-01", "person", fmt::format("the roster has nobody with the id {}", id),
                  "correct the id");
      return;
    }
    if (!person->HasRole(script::Role::kCustodian)) {
      plan.Breach("PERSON-ROLE-01", "person", fmt::format("{} has no role custodian in the roster", id),
                  "correct the id; people without shares and keys leave by an edit of the roster");
    }
    const script::PersonState wanted = StateOf(step);
    const bool in_order = wanted == script::PersonState::kLeaving ? person->state == script::PersonState::kActive
                                                                  : person->state == script::PersonState::kLeaving;
    if (!in_order) {
      plan.Breach(
          "PERSON-STATE-03", "state",
          fmt::format("{} is {}, and cannot become {}", id, script::NameOf(person->state), script::NameOf(wanted)),
          "active, then leaving, then left: one step at a time");
      return;
    }
    const std::vector<std::string> held = plan.estate().TokensOpenedBy(id);
    if (wanted == script::PersonState::kLeft && !held.empty()) {
      plan.Breach("PERSON-SHARES-01", "state",
                  fmt::format("{} still holds a share that opens {}, and would hold nothing any more", id,
                              fmt::join(held, " and ")),
                  "put a quorum.reshare of each before it: the old shares are useless then");
      return;
    }
    plan.Plans(estate::PersonRetired{id, person->name, step.fields.Text("state"), step.fields.Text("reason"), ""});
    PlansRoster(step, before, plan);
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    const script::Roster roster = estate::RosterAfter(*context.inputs().roster, context.estate());
    const script::Person* person = roster.FindPerson(step.fields.Text("person"));
    if (person == nullptr) {
      return base::Refusal("PERSON-ROSTER-01",
                           fmt::format("the roster has nobody with the id {}", step.fields.Text("person")),
                           "give the roster with which the script was checked");
    }
    ShowPerson(*person, context.terminal());
    KC_RETURN_IF_ERROR(
        AskConsent(context, "security-officer",
                   {.id = "custodian.retire/" + step.id,
                    .text = fmt::format("{} will be {} and count for no quorum: {}. Is this the right person?",
                                        person->name, step.fields.Text("state"), step.fields.Text("reason")),
                    .expected = "retire " + person->id}));
    KC_ASSIGN_OR_RETURN(const RosterChange change,
                        PrepareRosterChange(step, context, person->id, [&](const std::string& on) {
                          return estate::PersonRetired{person->id, person->name, step.fields.Text("state"),
                                                       step.fields.Text("reason"), on};
                        }));
    nlohmann::json subject = {{"person", person->id},
                              {"name", person->name},
                              {"state", step.fields.Text("state")},
                              {"reason", step.fields.Text("reason")}};
    if (!change.sha256.empty()) subject["roster_sha256"] = change.sha256;
    // Nobody decides on their own retirement.
    KC_RETURN_IF_ERROR(context.ApproveWithout(person->id,
                                              fmt::format("Retire {} ({}): {}, {}", person->name, person->id,
                                                          step.fields.Text("state"), step.fields.Text("reason")),
                                              subject));
    KC_RETURN_IF_ERROR(MakeRosterChange(change, context));
    if (const std::vector<std::string> held = context.estate().TokensOpenedBy(person->id); !held.empty()) {
      context.terminal().Say(room::Tone::kWarning, fmt::format("{} still holds a share of {}: a quorum.reshare is due.",
                                                               person->name, fmt::join(held, " and ")));
    }
    return {};
  }
};

}  // namespace

const StepKind& CustodianRetire() {
  static const CustodianRetireKind kind;
  return kind;
}

}  // namespace ceremony::steps
