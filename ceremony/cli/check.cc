#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "ceremony/cli/check_capabilities.h"
#include "ceremony/cli/command.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/kept_checkpoint.h"
#include "ceremony/cli/own_output.h"
#include "ceremony/estate/fold.h"
#include "ceremony/estate/intact.h"
#include "ceremony/record/record_name.h"
#include "ceremony/room/typesetter.h"
#include "ceremony/run/archive_rules.h"
#include "ceremony/script/visible_text.h"
#include "ceremony/steps/catalogue.h"
#include "ceremony/steps/plan.h"
#include "ceremony/steps/presence.h"
#include "ceremony/steps/token_presence.h"
#include "hsm/base/clock_text.h"
#include "hsm/base/encoding.h"

namespace ceremony::cli {
namespace {

using nlohmann::ordered_json;

struct Arguments {
  std::string script;
  std::string binding;
  std::string archive;
  std::string checkpoint;
  std::string roster;
  std::vector<std::string> capabilities;
  bool json = false;
};

std::string Minutes(unsigned seconds) {
  return seconds < 90 ? fmt::format("{} s", seconds) : fmt::format("{} min", (seconds + 30) / 60);
}

std::string Join(const auto& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

ordered_json ToJson(const script::Inputs& inputs, const steps::Plan& plan) {
  ordered_json object{
      {"script", inputs.script.id}, {"sha256", inputs.script.file.sha256}, {"seconds", plan.TotalSeconds()}};
  object["people"] = plan.People();
  object["tokens"] = plan.Tokens();
  object["steps"] = ordered_json::array();
  for (const steps::StepPlan& step : plan.steps) {
    object["steps"].push_back({{"number", step.number},
                               {"id", step.id},
                               {"do", step.kind},
                               {"title", step.title},
                               {"section", step.section},
                               {"quorum", step.quorum},
                               {"tokens", step.tokens},
                               {"people", step.people},
                               {"writes", step.writes},
                               {"seconds", step.seconds}});
  }
  const steps::PresencePlan presence = steps::PlanPresence(inputs, plan);
  object["quorums"] = ordered_json::array();
  for (const steps::QuorumPresence& quorum : presence.quorums) {
    object["quorums"].push_back({{"name", quorum.name},
                                 {"role", quorum.role},
                                 {"m", quorum.m},
                                 {"members", quorum.members},
                                 {"possible", quorum.possible()},
                                 {"lost_if_missing", quorum.lost_if_missing()},
                                 {"steps", quorum.steps},
                                 {"witnesses", quorum.witnesses}});
  }
  object["attendance"] = ordered_json::array();
  for (const steps::PersonPresence& person : presence.people) {
    object["attendance"].push_back({{"id", person.id},
                                    {"name", person.name},
                                    {"roles", person.roles},
                                    {"site", person.site},
                                    {"steps", person.steps},
                                    {"lost_without", person.lost_without}});
  }
  object["presence"] = ordered_json::array();
  for (const steps::SectionTokens& row : steps::PresenceMatrix(inputs.script, plan))
    object["presence"].push_back({{"section", row.section}, {"tokens", row.tokens}});
  object["findings"] = ordered_json::array();
  for (const steps::Finding& finding : plan.findings) {
    object["findings"].push_back({{"rule", finding.rule},
                                  {"severity", x509::SeverityName(finding.severity)},
                                  {"step", finding.step},
                                  {"where", finding.where},
                                  {"message", finding.message},
                                  {"hint", finding.hint},
                                  {"waived_by", finding.waived_by}});
  }
  return object;
}

std::string Titles(const std::vector<std::string>& roles) {
  std::vector<std::string> titles;
  for (const std::string& role : roles) titles.emplace_back(script::TitleOf(*script::FindRole(role)));
  return Join(titles);
}

void PrintPresence(const steps::PresencePlan& presence, std::ostream& out) {
  if (presence.people.empty()) return;
  out << "\nQuorums\n";
  for (const steps::QuorumPresence& quorum : presence.quorums) {
    out << fmt::format("  {}: {} of {} ({})\n", quorum.name, quorum.m, quorum.members.size(),
                       quorum.members.empty() ? "nobody" : Join(quorum.members));
    out << fmt::format("      approves {}{}\n", steps::StepsText(quorum.steps),
                       quorum.witnesses ? "; opens and closes the record" : "");
    if (!quorum.possible()) {
      out << "      cannot be met by these people\n";
    } else if (quorum.lost_if_missing() == 1) {
      out << "      lost if any one of them is missing\n";
    } else {
      out << fmt::format("      lost if {} of them are missing\n", quorum.lost_if_missing());
    }
  }
  out << "\nPeople\n";
  for (const steps::PersonPresence& person : presence.people) {
    std::string line =
        fmt::format("  {:<20} {:<18} {}", person.name, Titles(person.roles), steps::StepsText(person.steps));
    if (!person.lost_without.empty())
      line += fmt::format("; without them {} cannot be done", steps::StepsText(person.lost_without));
    out << line << "\n";
  }
}

// One line a step: who must be there, who approves.
void PrintTable(const steps::Plan& plan, const steps::PresencePlan& presence, std::ostream& out) {
  out << "\nStep by step\n";
  out << fmt::format("  {:>3}  {:<20} {:<24} {}\n", "no.", "step", "approved by", "there");
  for (const steps::StepPlan& step : plan.steps) {
    std::string approved = step.quorum.empty() ? "-" : step.quorum;
    if (const steps::QuorumPresence* quorum = presence.Find(step.quorum))
      approved = fmt::format("{} of {} {}", quorum->m, quorum->members.size(), quorum->name);
    out << fmt::format("  {:>3}  {:<20} {:<24} {}\n", step.number, step.id, approved,
                       step.people.empty() ? "-" : steps::InWords(step.people));
  }
}

// Which tokens must be there in which section (R16).
void PrintTokens(const script::Script& script, const steps::Plan& plan, std::ostream& out) {
  const std::set<std::string> tokens = plan.Tokens();
  if (tokens.empty()) return;
  std::size_t widest = 0;
  const std::vector<steps::SectionTokens> matrix = steps::PresenceMatrix(script, plan);
  for (const steps::SectionTokens& row : matrix) widest = std::max(widest, row.section.size());
  out << fmt::format("\nTokens, section by section\n  {:<{}}", "", widest);
  for (const std::string& token : tokens) out << "  " << token;
  out << "\n";
  for (const steps::SectionTokens& row : matrix) {
    std::string line = fmt::format("  {:<{}}", row.section, widest);
    for (const std::string& token : tokens)
      line += fmt::format("  {:<{}}", row.tokens.contains(token) ? "needed" : "-", token.size());
    while (line.ends_with(' ')) line.pop_back();
    out << line << "\n";
  }
}

void WarnOfBinding(const script::Inputs& inputs, std::vector<std::string>& warnings) {
  std::set<std::string> files;
  const auto needs = [&](const std::string& file, const std::string& whose) {
    std::error_code error;
    if (!file.empty() && files.insert(file).second && !std::filesystem::exists(file, error))
      warnings.push_back(
          fmt::format("there is no file {} on this machine, which the binding names for {}", file, whose));
  };
  for (const script::TokenBinding& token : inputs.binding->tokens) needs(token.module, "token " + token.name);
  for (const auto& [person, credential] : inputs.binding->credentials) {
    needs(credential.module, person);
    needs(credential.sign, person);
    needs(credential.open, person);
    // Somebody who is to be appointed may have one before they stand in the roster.
    if (inputs.roster && inputs.roster->FindPerson(person) == nullptr)
      warnings.push_back(fmt::format("the binding has a credential of {}, who is not in the roster", person));
  }
}

std::string MissingOptions(const script::Inputs& inputs) {
  std::string options = inputs.roster ? "" : "--roster";
  if (!inputs.binding) options += options.empty() ? "--binding" : " and --binding";
  return options;
}

// What `run` would refuse, and this machine, which may be another one, can only guess.
std::vector<std::string> WarningsOf(const script::Inputs& inputs, const estate::Estate& estate) {
  std::vector<std::string> warnings;
  if (inputs.binding && !inputs.roster) {
    warnings.push_back(
        fmt::format("no roster was given, and no {} stands beside {}: `keyceremony run` refuses without one",
                    record::kRosterFile, inputs.binding->file.name));
  }
  if (inputs.binding) WarnOfBinding(inputs, warnings);
  base::SystemClock clock;
  const std::string today = base::DayOf(base::FormatTime(clock.UtcMicros()));
  for (const script::Section& section : inputs.script.sections) {
    for (const script::Step& step : section.steps) {
      if (!step.fields.Has("batch") || !estate.KeysToDestroy(today).empty()) continue;
      warnings.push_back(fmt::format(
          "step {} takes every held key that is due, and on this day, {}, none of the archive is", step.id, today));
    }
  }
  return warnings;
}

void PrintPlan(const script::Inputs& inputs, const steps::Plan& plan, const std::vector<std::string>& warnings,
               std::ostream& out) {
  const room::Typesetter typesetter(LookOfOutput());
  std::vector<room::Fact> facts = {{"script", inputs.script.title},
                                   {"id", inputs.script.id},
                                   {"purpose", inputs.script.purpose},
                                   {"policy", fmt::format("{} {}", inputs.policy.id, inputs.policy.version)},
                                   {"who must attend", steps::InWords(plan.People())},
                                   {"tokens", Join(plan.Tokens())},
                                   {"equipment", Join(inputs.script.equipment)},
                                   {"estimated time", Minutes(plan.TotalSeconds())}};
  // Without them the plan knows the people of single steps only.
  if (!inputs.roster || !inputs.binding)
    facts.insert(facts.begin() + 5, {"not counted", fmt::format("who approves and who holds shares of PINs: give {}",
                                                                MissingOptions(inputs))});
  if (inputs.script.emergency) facts.insert(facts.begin() + 2, {"emergency", "yes: held because of an incident"});
  out << typesetter.SetFacts(facts);
  const auto digest = base::HexDecode(inputs.script.file.sha256);
  if (digest.ok()) out << typesetter.SetDigest("script", *digest);
  std::string section;
  for (const steps::StepPlan& step : plan.steps) {
    if (step.section != section) {
      section = step.section;
      out << "\n" << section << "\n";
    }
    out << fmt::format("  {:>2}. {}\n", step.number, step.title);
    std::string needs = fmt::format("{} ({}), about {}", step.id, step.kind, Minutes(step.seconds));
    if (!step.quorum.empty()) needs += "; approved by " + step.quorum;
    if (!step.people.empty()) needs += "; needs " + steps::InWords(step.people);
    if (!step.tokens.empty()) needs += "; token " + Join(step.tokens);
    out << "      " << needs << "\n";
    for (const std::string& path : step.writes) out << "      writes " << path << "\n";
  }
  const steps::PresencePlan presence = steps::PlanPresence(inputs, plan);
  PrintTable(plan, presence, out);
  PrintTokens(inputs.script, plan, out);
  PrintPresence(presence, out);
  out << "\n";
  for (const steps::Finding& finding : plan.findings) {
    std::string waived = finding.wants_waiver ? ", which nobody waives" : "";
    if (!finding.waived_by.empty())
      waived = fmt::format(", waived by {}: {}", fmt::join(finding.waived_by, " and "), finding.waived_because);
    out << typesetter.SetSaying(finding.Blocks() ? room::Tone::kBad : room::Tone::kWarning,
                                fmt::format("{}: [{}] {} ({}{})", finding.where, finding.rule, finding.message,
                                            x509::SeverityName(finding.severity), waived));
    if (!finding.hint.empty()) out << "      hint: " << finding.hint << "\n";
  }
  for (const std::string& warning : warnings) out << typesetter.SetSaying(room::Tone::kWarning, warning);
  out << typesetter.SetSaying(plan.IsBlocked() ? room::Tone::kBad : room::Tone::kGood,
                              plan.IsBlocked() ? "This script cannot be run." : "This script can be run.");
}

base::Result<int> Check(const Arguments& arguments, const Streams& streams) {
  std::string roster = arguments.roster;
  if (roster.empty() && !arguments.binding.empty()) {
    const auto beside = std::filesystem::path(arguments.binding).parent_path() / record::kRosterFile;
    std::error_code unreadable;  // reading it says why
    if (std::filesystem::exists(beside, unreadable) || unreadable) roster = beside.string();
  }
  estate::Folded folded;
  if (!arguments.archive.empty()) {
    std::error_code unreadable;  // reading it says why
    if (!std::filesystem::exists(arguments.archive, unreadable) && !unreadable)
      streams.err << "keyceremony: note: there is no folder " << script::Quoted(arguments.archive)
                  << " yet: this is taken for the first ceremony of the estate\n";
    KC_ASSIGN_OR_RETURN(folded, estate::FoldArchive(arguments.archive));
    KC_RETURN_IF_ERROR(estate::CheckIntact(arguments.archive, folded));
    // One that was not even opened is set aside when the next begins.
    if (!folded.records.empty() && folded.records.back().opened)
      KC_RETURN_IF_ERROR(run::CheckNothingOpen(arguments.archive, folded.records));
    KC_RETURN_IF_ERROR(CheckNewest(arguments.archive, arguments.checkpoint));
    if (roster.empty()) roster = folded.newest_roster;
  }
  KC_ASSIGN_OR_RETURN(const script::Inputs inputs,
                      script::ReadInputs(arguments.script, roster, arguments.binding, steps::Catalogue()));
  steps::Plan plan = steps::MakePlan(inputs, folded.estate);
  KC_RETURN_IF_ERROR(CheckCapabilities(arguments.capabilities, inputs, folded.estate, plan));
  const std::vector<std::string> warnings = WarningsOf(inputs, folded.estate);
  if (arguments.json) {
    ordered_json object = ToJson(inputs, plan);
    object["warnings"] = warnings;
    streams.out << object.dump() << '\n';
  } else {
    PrintPlan(inputs, plan, warnings, streams.out);
  }
  return plan.IsBlocked() ? kExitFinding : kExitDone;
}

}  // namespace

void AddCheck(CLI::App& program, Action& chosen) {
  CLI::App* command = program.add_subcommand("check", "check a script and print the plan: steps, people, tokens, time");
  command->group(kPrepare);
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("script", arguments->script, "the ceremony script")->required()->type_name("FILE");
  command->add_option("--binding", arguments->binding, "check that every token of the script is bound")
      ->type_name("FILE");
  CLI::Option* const archive =
      command->add_option("--archive", arguments->archive, "check against the estate that these records make")
          ->type_name("FOLDER");
  DescribeCheckpoint(*command, arguments->checkpoint)->needs(archive);
  command
      ->add_option(
          "--roster", arguments->roster,
          "check that the people are enough; when left out, roster.json beside the binding, or that of the archive")
      ->type_name("FILE");
  command
      ->add_option("--capabilities", arguments->capabilities,
                   "hold the script to what a token can do, by its sheet from `token probe --json`; may be given again")
      ->type_name("[TOKEN=]FILE");
  command->add_flag("--json", arguments->json, "print one JSON object");
  WhenChosen(*command, chosen, arguments, Check);
}

}  // namespace ceremony::cli
