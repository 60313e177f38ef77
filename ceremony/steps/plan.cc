#include "ceremony/steps/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "ceremony/steps/catalogue.h"
#include "ceremony/steps/emergency.h"
#include "ceremony/steps/people_rules.h"
#include "ceremony/steps/policy_rules.h"
#include "ceremony/steps/section_keys.h"
#include "ceremony/steps/waivers.h"

namespace ceremony::steps {
namespace {

constexpr std::string_view kFirstKind = "room.attend";

// The log key signs from the first entry on, before anybody is in the room.
void CheckRecordToken(const script::Inputs& inputs, Plan& plan) {
  if (!inputs.binding) return;
  const script::TokenBinding* bound = inputs.binding->Find(inputs.binding->record_token);
  if (bound == nullptr || bound->login != script::Login::kShares) return;
  plan.findings.push_back({Severity::kBreach, "PLAN-SHARES-06", "", inputs.binding->file.name,
                           fmt::format("the record token {} is bound with login shares, and it is logged in to before "
                                       "anybody can give a share",
                                       bound->name),
                           "bind it with \"pin-prompt\" or \"protected-path\""});
}

// Quorums that the ceremony asks, each with whether its members are asked to open shares, too.
std::map<std::string, bool> QuorumsAsked(const script::Inputs& inputs) {
  std::map<std::string, bool> asked = {{std::string(script::kRecordQuorum), false}};
  for (const script::Section& section : inputs.script.sections) {
    for (const script::Step& step : section.steps) {
      if (!step.quorum.empty()) asked.try_emplace(step.quorum, false);
      if (!step.fields.Has("shares")) continue;
      const script::TokenBinding* bound = inputs.binding->Find(step.fields.Text("token"));
      if (bound != nullptr && bound->login == script::Login::kShares) asked[step.fields.Text("shares")] = true;
    }
  }
  return asked;
}

// The record keeps the binding that it was opened with: who is missing there cannot be added in the room.
void CheckCredentials(const script::Inputs& inputs, Plan& plan) {
  if (!inputs.binding || !inputs.roster) return;
  std::set<std::string> told;
  const auto tell = [&](const script::Person& person, const std::string& quorum, const char* what, const char* member) {
    if (!told.insert(person.id).second) return;
    plan.findings.push_back(
        {Severity::kBreach, "PLAN-CRED-01", "", inputs.binding->file.name,
         fmt::format("{} is an active member of quorum {}, and has no {} in the binding", person.id, quorum, what),
         fmt::format("add {} of \"{}\" under \"credentials\"; once a record is open, its binding stays as it is",
                     member, person.id)});
  };
  for (const auto& [name, opens_shares] : QuorumsAsked(inputs)) {
    const script::Quorum* quorum = inputs.roster->FindQuorum(name);
    if (quorum == nullptr) continue;
    for (const script::Person* person : inputs.roster->MembersOf(*quorum)) {
      const auto found = inputs.binding->credentials.find(person->id);
      if (found == inputs.binding->credentials.end()) {
        tell(*person, name, "credential", "the credential");
      } else if (opens_shares && found->second.kind == script::CredentialKind::kFiles && found->second.open.empty()) {
        tell(*person, name, "key that opens shares", "\"open\" to the credential");
      }
    }
  }
}

// What makes, moves, uses or destroys a key, or changes a token or who its custodians are, is never one person's
// matter. What is left is looking, telling and filing, which a script may have approved.
bool NeedsQuorum(const StepKind& kind) {
  constexpr std::array<std::string_view, 5> kMayGoWithout = {"csr.import", "document.lodge", "firmware.record",
                                                             "room.confirm", "token.role"};
  return kind.approved() != Approved::kNothing &&
         std::ranges::find(kMayGoWithout, kind.description().kind) == kMayGoWithout.end();
}

// A rehearsal of a script that is being written goes on, but for what leaves a token, or nothing behind.
void ReportUnapproved(const script::Inputs& inputs, const script::Step& step, PlanContext& context) {
  constexpr std::array<std::string_view, 3> kNever = {"key.destroy", "key.export", "payload.sign"};
  const bool rehearses = inputs.binding && inputs.binding->environment == script::Environment::kRehearsal;
  const auto report = rehearses && std::ranges::find(kNever, step.kind) == kNever.end() ? &PlanContext::GoodPractice
                                                                                        : &PlanContext::Breach;
  (context.*report)("PLAN-QUORUM-04", "", fmt::format("a step {} is to be done, and no quorum approves it", step.kind),
                    "name the quorum of the key's custodians");
}

// Who opens a token with shares has to be there for it, also where nobody approves the step, which only reads it.
void CountShareHolders(const script::Inputs& inputs, const StepKind& kind, const StepPlan& current,
                       const estate::Estate& estate, PlanContext& context) {
  if (!inputs.binding || !inputs.roster) return;
  if (current.kind != "token.verify" && !NeedsQuorum(kind)) return;
  for (const std::string& token : current.tokens) {
    const script::TokenBinding* bound = inputs.binding->Find(token);
    const estate::ShareSet* shares = estate.FindShares(token);
    if (bound == nullptr || bound->login != script::Login::kShares || shares == nullptr) continue;
    if (const script::Quorum* quorum = inputs.roster->FindQuorum(shares->quorum))
      context.NeedsPeople(std::string(script::NameOf(quorum->role)), static_cast<std::size_t>(shares->m));
  }
}

void CheckFirstStep(const script::Inputs& inputs, Plan& plan) {
  if (inputs.script.sections.empty() || inputs.script.sections.front().steps.empty() ||
      inputs.script.sections.front().steps.front().kind != kFirstKind) {
    plan.findings.push_back({Severity::kBreach, "PLAN-ORDER-01", "", inputs.script.file.name,
                             fmt::format("the first step of a script is {}", kFirstKind),
                             "begin with who is in the room: they open the record"});
  }
}

}  // namespace

bool Plan::IsBlocked() const { return std::ranges::any_of(findings, &Finding::Blocks); }

unsigned Plan::TotalSeconds() const {
  unsigned total = 0;
  for (const StepPlan& step : steps) total += step.seconds;
  return total;
}

std::set<std::string> Plan::Tokens() const {
  std::set<std::string> tokens;
  for (const StepPlan& step : steps) tokens.insert(step.tokens.begin(), step.tokens.end());
  return tokens;
}

std::map<std::string, std::size_t> Plan::People() const {
  std::map<std::string, std::size_t> people;
  for (const StepPlan& step : steps) {
    for (const auto& [role, count] : step.people) people[role] = std::max(people[role], count);
  }
  return people;
}

std::string InWords(const std::map<std::string, std::size_t>& people) {
  std::string words;
  for (const auto& [name, count] : people) {
    const auto role = script::FindRole(name);
    words += fmt::format("{}{} {}{}", words.empty() ? "" : ", ", count, role ? script::TitleOf(*role) : name,
                         count == 1 ? "" : "s");
  }
  return words;
}

void PlanContext::Report(Severity severity, std::string rule, std::string_view field, std::string message,
                         std::string hint) {
  plan_.findings.push_back(
      {severity, std::move(rule), step_.id, inputs_.script.Where(step_, field), std::move(message), std::move(hint)});
}

void PlanContext::Breach(std::string rule, std::string_view field, std::string message, std::string hint) {
  Report(Severity::kBreach, std::move(rule), field, std::move(message), std::move(hint));
}

void PlanContext::GoodPractice(std::string rule, std::string_view field, std::string message, std::string hint) {
  Report(Severity::kGoodPractice, std::move(rule), field, std::move(message), std::move(hint));
}

void PlanContext::NeedsToken(const std::string& token) {
  current_.tokens.insert(token);
  if (inputs_.script.FindToken(token) == nullptr) {
    Breach("PLAN-TOKEN-01", "token", fmt::format("the script declares no token {}", token),
           "add it under \"tokens\", or correct the name");
  }
}

void PlanContext::NeedsCommissionedToken(const std::string& token) {
  NeedsToken(token);
  const estate::Token* known = plan_.estate.FindToken(token);
  if (known == nullptr || known->state == estate::kOrdered) {
    Breach("PLAN-TOKEN-02", "token", fmt::format("by this step nobody has taken token {} into service", token),
           "put a token.commission step before it, or give the archive in which it was commissioned with --archive");
  } else if (!known->usable()) {
    Breach(
        "PLAN-TOKEN-05", "token",
        fmt::format("by this step token {} is {} since {}", token, known->state, estate::Where(known->since)),
        known->retired() ? "name a token that is in service" : "put the token.custody step of its arrival before it");
  }
}

void PlanContext::NeedsPeople(const std::string& role, std::size_t count) {
  std::size_t& needed = current_.people[role];
  needed = std::max(needed, count);
  if (!inputs_.roster) return;
  const auto found = script::FindRole(role);
  if (!found) return;
  const auto active = static_cast<std::size_t>(std::count_if(
      inputs_.roster->people.begin(), inputs_.roster->people.end(),
      [&](const script::Person& p) { return p.state == script::PersonState::kActive && p.HasRole(*found); }));
  if (active < count) {
    Breach("PLAN-PEOPLE-01", "",
           fmt::format("the step needs {} of role {}, the roster has {} active", count, role, active),
           "appoint more people, or ask for fewer in the script");
  }
}

void PlanContext::Writes(const std::string& path) {
  for (const StepPlan& step : plan_.steps) {
    if (std::find(step.writes.begin(), step.writes.end(), path) != step.writes.end()) {
      Breach("PLAN-OUT-01", "", fmt::format("{} is already written by step {}", path, step.id),
             "give one of them another name");
    }
  }
  current_.writes.push_back(path);
}

void PlanContext::Plans(const estate::Effect& effect) {
  auto applied = plan_.estate.Apply(effect, {"planned", 0, ""});
  if (applied.ok()) return;
  const base::Error& error = applied.error();
  Breach(error.rule, "", error.message, error.hint);
}

bool IsCoveredBySection(const script::Section& section, const script::Step& step, const StepKind& kind) {
  return !section.quorum.empty() && step.quorum == section.quorum && kind.approved() == Approved::kParameters;
}

Plan MakePlan(const script::Inputs& inputs, const estate::Estate& estate) {
  Plan plan;
  plan.estate = estate;
  CheckFirstStep(inputs, plan);
  CheckProfiles(inputs, plan);
  CheckPeople(inputs, estate, plan);
  CheckRecordToken(inputs, plan);
  CheckCredentials(inputs, plan);
  CheckEmergency(inputs, plan);
  std::size_t number = 0;
  for (const script::Section& section : inputs.script.sections) {
    for (const script::Step& step : section.steps) {
      const StepKind* kind = Catalogue().Find(step.kind);
      if (kind == nullptr) continue;  // the reader has refused it
      StepPlan current;
      current.number = ++number;
      current.id = step.id;
      current.kind = step.kind;
      current.title = TitleOf(step);
      current.section = section.title;
      current.quorum = step.quorum;
      PlanContext context(inputs, step, plan, current);
      if (!step.quorum.empty() && kind->approved() == Approved::kNothing) {
        context.Breach("PLAN-QUORUM-03", "quorum",
                       fmt::format("a step {} does nothing that a quorum could approve, and names the quorum {}",
                                   step.kind, step.quorum),
                       "leave the quorum out");
      }
      if (step.quorum.empty() && NeedsQuorum(*kind)) ReportUnapproved(inputs, step, context);
      current.approved_with_section = IsCoveredBySection(section, step, *kind);
      if (!step.quorum.empty() && inputs.roster) {
        if (const script::Quorum* quorum = inputs.roster->FindQuorum(step.quorum)) {
          context.NeedsPeople(std::string(script::NameOf(quorum->role)), static_cast<std::size_t>(quorum->m));
        }
      }
      if (&step == &section.steps.front()) {
        for (const std::string& token : section.tokens) context.NeedsToken(token);
      }
      kind->Check(step, context);
      CountShareHolders(inputs, *kind, current, plan.estate, context);
      CheckStepPeople(inputs, step, current, plan);
      plan.steps.push_back(std::move(current));
    }
    CheckSectionKeys(inputs, section, plan);
  }
  CheckDepartures(inputs, plan);
  CheckWindows(inputs, plan);
  ApplyWaivers(inputs, plan);
  return plan;
}

}  // namespace ceremony::steps
