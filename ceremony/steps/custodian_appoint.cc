#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/estate/roster_after.h"
#include "ceremony/record/disclosure.h"
#include "ceremony/script/fingerprint.h"
#include "ceremony/script/person_file.h"
#include "ceremony/steps/kinds.h"
#include "ceremony/steps/roster_change.h"

namespace ceremony::steps {
namespace {

using script::Field;

const script::LoadedFile& FileOf(const script::Step& step, const script::Inputs& inputs) {
  return inputs.documents.at(step.fields.Text("file"));
}

// ToldEmployer is the employer as entries may say it: nothing where the policy keeps it to the roster.
std::string ToldEmployer(const script::Person& person, const script::Policy& policy) {
  return policy.KeepsConfidential("employer") ? std::string() : person.employer;
}

estate::PersonAppointed EffectOf(const script::Person& person, const script::PersonFile& file,
                                 const script::Policy& policy, const std::string& on) {
  return {person.id,     person.name,   ToldEmployer(person, policy),
          person.domain, person.site,   std::string(script::NameOf(script::Role::kCustodian)),
          file.sign_key, file.open_key, on};
}

// CheckFile holds what the person hands over against what the roster says of them.
void CheckFile(const script::Person& person, const script::PersonFile& file, const script::Roster& roster,
               PlanContext& plan) {
  const auto compare = [&](const char* what, const std::string& has, const std::string& wants) {
    if (has == wants) return;
    plan.Breach("PERSON-FILE-01", "file",
                fmt::format("{} has the {} \"{}\", the roster says \"{}\"", file.file.name, what, has, wants),
                "correct the one that is wrong; the custodian makes the file again with keyceremony custodian new");
  };
  compare("estate", file.estate, roster.estate);
  compare("id", file.id, person.id);
  compare("name", file.name, person.name);
  if (!person.sign_key.empty()) compare("sign_key", file.sign_key, person.sign_key);
  if (!person.open_key.empty()) compare("open_key", file.open_key, person.open_key);
  for (const script::Person& other : roster.people) {
    if (other.id == person.id) continue;
    for (const std::string* key : {&file.sign_key, &file.open_key}) {
      if (*key != other.sign_key && *key != other.open_key) continue;
      plan.Breach("PERSON-FILE-02", "file", fmt::format("{} has a key of {}: {}", file.file.name, other.id, *key),
                  "each person makes keys of their own: keyceremony custodian new");
    }
  }
}

class CustodianAppointKind final : public StepKind {
 public:
  const StepDescription& description() const override {
    static const StepDescription description{
        "custodian.appoint", "Appoints a custodian with the public keys that they brought.",
        "an `observe` entry with the signature by which the person showed that the keys are theirs; the effect "
        "`person-appointed`; the roster of the next ceremony as artefacts/roster.json",
        "EN 319 411-1 6.4.4; WebTrust 3.3 (trusted roles)"};
    return description;
  }

  const script::FieldTable& fields() const override {
    static const script::FieldTable table{
        "custodian.appoint",
        "Appoints a custodian with the public keys that they brought.",
        {Field::Id("person", "who is appointed; stands in the roster as `trained`, with the role custodian")
             .Example("\"frank\""),
         Field::Path("file", "the person file that the custodian hands over, beside the script")
             .Refers(script::Reference::kFile)
             .Example("\"people/frank.person.json\"")},
        {}};
    return table;
  }

  Approved approved() const override { return Approved::kResult; }

  std::string Title(const script::Step& step) const override {
    return fmt::format("Appoint {} as custodian", step.fields.Text("person"));
  }

  void Check(const script::Step& step, PlanContext& plan) const override {
    plan.NeedsPeople("security-officer", 1);
    plan.Takes(300);
    if (step.quorum.empty()) {
      plan.Breach("PERSON-QUORUM-01", "", "a custodian is appointed by a quorum, and the step names none",
                  "add \"quorum\": \"custodians\"");
    }
    script::Problems problems;
    const auto file = script::ParsePersonFile(FileOf(step, plan.inputs()), &problems);
    for (const script::Problem& problem : problems.list())
      plan.Breach(problem.rule, "file", problem.Line(), "have the custodian make it again: keyceremony custodian new");
    if (!file.ok() || !plan.inputs().roster) return;
    const script::Roster before = estate::RosterAfter(*plan.inputs().roster, plan.estate());
    const std::string& id = step.fields.Text("person");
    const script::Person* person = before.FindPerson(id);
    if (person == nullptr) {
      plan.Breach("PERSON-ROSTER-01", "person", fmt::format("the roster has nobody with the id {}", id),
                  "add them to the roster with their states up to trained, or correct the id");
      return;
    }
    if (!script::MayBecome(person->state, script::PersonState::kActive)) {
      plan.Breach("PERSON-STATE-02", "person",
                  fmt::format("{} is {}, and only who is trained becomes active", id, script::NameOf(person->state)),
                  "finish screening, approval and training first, and write their dates into the roster");
      return;
    }
    if (!person->HasRole(script::Role::kCustodian)) {
      plan.Breach("PERSON-ROLE-01", "person", fmt::format("{} has no role custodian in the roster", id),
                  "add the role, or correct the id");
    }
    CheckFile(*person, *file, before, plan);
    if (const auto& binding = plan.inputs().binding;
        binding && binding->environment != script::Environment::kRehearsal && !binding->credentials.contains(id)) {
      plan.Breach(
          "PERSON-PROOF-02", "person",
          fmt::format("{} must show that both keys are theirs, and the binding does not say where the keys are", id),
          fmt::format("add \"{}\" to \"credentials\" of the binding", id));
    }
    plan.Plans(EffectOf(*person, *file, plan.inputs().policy, ""));
    PlansRoster(step, before, plan);
  }

  base::Result<void> Run(const script::Step& step, StepContext& context) const override {
    KC_ASSIGN_OR_RETURN(const script::PersonFile file, script::ParsePersonFile(FileOf(step, context.inputs())));
    const script::Roster roster = estate::RosterAfter(*context.inputs().roster, context.estate());
    const script::Person* found = roster.FindPerson(step.fields.Text("person"));
    if (found == nullptr) {
      return base::Refusal("PERSON-ROSTER-01",
                           fmt::format("the roster has nobody with the id {}", step.fields.Text("person")),
                           "give the roster with which the script was checked");
    }
    script::Person person = *found;
    person.sign_key = file.sign_key;
    person.open_key = file.open_key;
    KC_RETURN_IF_ERROR(Enter(person, context));
    ShowPerson(person, context.terminal());
    KC_ASSIGN_OR_RETURN(const std::string evidence, AskIdentity(step, person, context));
    KC_RETURN_IF_ERROR(AskKeys(step, person, context));
    KC_RETURN_IF_ERROR(context.ProveKeys(person));
    KC_ASSIGN_OR_RETURN(const script::Fingerprint sign, script::FingerprintOf(file.sign_key));
    KC_ASSIGN_OR_RETURN(const script::Fingerprint open, script::FingerprintOf(file.open_key));
    const script::Policy& policy = context.inputs().policy;
    KC_ASSIGN_OR_RETURN(const RosterChange change,
                        PrepareRosterChange(step, context, person.id,
                                            [&](const std::string& on) { return EffectOf(person, file, policy, on); }));
    const std::string employer = ToldEmployer(person, policy);
    nlohmann::json subject = {{"person", person.id},          {"name", person.name},  {"domain", person.domain},
                              {"site", person.site},          {"identity", evidence}, {"sign_key_sha256", sign.Hex()},
                              {"open_key_sha256", open.Hex()}};
    if (!employer.empty()) subject["employer"] = employer;
    if (!change.sha256.empty()) subject["roster_sha256"] = change.sha256;
    KC_RETURN_IF_ERROR(
        context.Approve(fmt::format("Appoint {} ({}){}{} as custodian, with the signing key \"{}\"", person.name,
                                    person.id, employer.empty() ? "" : " of ", employer, sign.ShortWords()),
                        subject));
    return MakeRosterChange(change, context);
  }

 private:
  // Who is appointed is in the room, and does not count for anything yet.
  static base::Result<void> Enter(const script::Person& person, StepContext& context) {
    if (context.attendance().Find(person.id) != nullptr) return {};
    quorum::Attendee attendee;
    attendee.person = person.id;
    attendee.name = person.name;
    nlohmann::json arrival = context.attendance().SpellArrival(attendee, person.employer);
    if (context.inputs().policy.KeepsConfidential("employer"))
      arrival["employer"] = record::MarkConfidential(std::move(arrival["employer"]));
    KC_RETURN_IF_ERROR(context.Record("attend", std::move(arrival)));
    return {};
  }

  static base::Result<std::string> AskIdentity(const script::Step& step, const script::Person& person,
                                               StepContext& context) {
    room::Question question;
    question.kind = room::Question::Kind::kChoice;
    question.id = "custodian.appoint/identity/" + step.id;
    question.text = fmt::format("By what did you see that this is {}?", person.name);
    question.choices = {"passport", "identity card", "driving licence", "they are known to me in person"};
    question.simulated = question.choices.front();
    KC_ASSIGN_OR_RETURN(std::string evidence, context.Ask("security-officer", question));
    KC_RETURN_IF_ERROR(context.Record(
        "observe", {{"what", "identity"}, {"person", person.id}, {"name", person.name}, {"evidence", evidence}}));
    return evidence;
  }

  static base::Result<void> AskKeys(const script::Step& step, const script::Person& person, StepContext& context) {
    room::Question question;
    question.kind = room::Question::Kind::kConsent;
    question.id = "custodian.appoint/keys/" + step.id;
    question.person = person.name;
    question.text =
        "Compare the words of both keys, one by one, with those that your own credential shows. If every word is the "
        "same, the keys are yours.";
    question.expected = "mine";
    question.simulated = question.expected;
    KC_ASSIGN_OR_RETURN(const std::string typed, context.Ask("", question));
    KC_RETURN_IF_ERROR(context.Record(
        "observe", {{"what", "confirmation"}, {"statement", question.text}, {"typed", typed}, {"person", person.id}}));
    return {};
  }
};

}  // namespace

const StepKind& CustodianAppoint() {
  static const CustodianAppointKind kind;
  return kind;
}

}  // namespace ceremony::steps
