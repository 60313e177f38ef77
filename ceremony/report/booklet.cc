#include "ceremony/report/booklet.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ceremony/report/assets.h"
#include "ceremony/report/flow.h"
#include "ceremony/report/json_text.h"
#include "ceremony/report/page.h"
#include "ceremony/steps/catalogue.h"
#include "ceremony/steps/presence.h"
#include "hsm/base/counted.h"
#include "hsm/base/encoding.h"
#include "hsm/base/words.h"

namespace ceremony::report {
namespace {

using script::Inputs;
using steps::Plan;

constexpr int kDeviationSheets = 2, kDeviationsASheet = 6, kSpareRows = 6;

std::string Minutes(unsigned seconds) {
  return seconds < 90 ? fmt::format("{} s", seconds) : fmt::format("{} min", (seconds + 30) / 60);
}

std::string DigestWords(const Inputs& inputs) {
  const auto digest = base::HexDecode(inputs.script.file.sha256);
  return digest.ok() ? Joined(base::PgpWords(*digest), " ") : std::string();
}

void Cover(const Inputs& inputs, const Plan& plan, Html& html) {
  html.Raw("<header class=\"top cover\">\n<p class=\"kicker\">Script for the room · ")
      .Text(script::NameOf(inputs.script.classification))
      .Text(inputs.script.emergency ? " · emergency" : "")
      .Raw("</p>\n<h1>")
      .Text(inputs.script.title)
      .Raw("</h1>\n<p class=\"lead\">")
      .Prose(inputs.script.purpose)
      .Raw("</p>\n");
  if (plan.IsBlocked())
    html.Raw(
        "<div class=\"band bad\"><strong>CANNOT BE RUN</strong><p>The checks at the desk found what must be put right "
        "or waived; "
        "<code>keyceremony check</code> lists them.</p></div>\n");
  Facts({{"ceremony", inputs.script.id},
         {"estate", inputs.script.estate},
         {"policy", inputs.policy.id + " " + inputs.policy.version},
         {"steps", std::to_string(plan.steps.size())},
         {"estimated time", Minutes(plan.TotalSeconds())},
         {"must attend", steps::InWords(plan.People())}},
        html);
  html.Raw(
      "<h2>The digest of this script</h2>\n<p>It is read aloud. Each of you compares it with your own copy, word by "
      "word.</p>\n<p>");
  Digest(inputs.script.file.sha256, html);
  html.Raw("</p>\n<ol class=\"digest-words\">");
  if (const auto digest = base::HexDecode(inputs.script.file.sha256); digest.ok()) {
    for (const std::string& word : base::PgpWords(*digest)) html.Element("<li>", word, "</li>");
  }
  html.Raw(
      "</ol>\n<div class=\"sign\"><div>this copy belongs to</div><div>date</div><div>room</div></div>\n</header>\n");
}

void Attendance(const Inputs& inputs, const Plan& plan, Html& html) {
  html.Raw("<section><h2>Who must attend</h2>\n");
  const steps::PresencePlan presence = steps::PlanPresence(inputs, plan);
  for (const steps::QuorumPresence& quorum : presence.quorums) {
    html.Element("<p><b>", quorum.name, "</b>: ");
    html.Text(fmt::format("{} of {}", quorum.m, base::Counted(quorum.members.size(), "person", "people")));
    html.Text(quorum.steps.empty() ? "" : ", for steps " + steps::NumbersText(quorum.steps));
    if (quorum.witnesses) html.Raw(", and to open and close the record");
    html.Raw("</p>\n");
  }
  if (presence.people.empty()) {
    html.Raw(
        "<p>Who approves and who holds shares of PINs stands in the roster, and this booklet was made without "
        "one.</p>\n");
  }
  html.Raw("<table>").Head({"name", "role", "needed for steps", "identity document", "in", "out", "initials"});
  for (const steps::PersonPresence& person : presence.people) {
    html.Element("<tr class=\"fill-in\"><th scope=\"row\">", person.name, "</th>")
        .Element("<td>", Spoken(Joined(person.roles), '-'), "</td>");
    html.Element("<td>", steps::NumbersText(person.steps), "</td><td></td><td></td><td></td><td></td></tr>\n");
  }
  if (presence.people.empty()) {
    for (const auto& [role, count] : plan.People()) {
      for (std::size_t i = 0; i < count && i < 50; ++i)
        html.Element("<tr class=\"fill-in\"><th scope=\"row\"></th><td>", Spoken(role, '-'),
                     "</td><td></td><td></td><td></td><td></td><td></td></tr>\n");
    }
  }
  for (int i = 0; i < kSpareRows; ++i)
    html.Raw(
        "<tr class=\"fill-in\"><th scope=\"row\"></th><td></td><td></td><td></td><td></td><td></td><td></td></tr>\n");
  html.Raw("</tbody></table>\n</section>\n<section><h2>What must be in the room</h2>\n<ul class=\"tick\">");
  for (const std::string& thing : inputs.script.equipment) html.Element("<li>", thing, "</li>");
  for (const script::ScriptToken& token : inputs.script.tokens) {
    html.Element("<li>token <b>", token.name, "</b> (")
        .Text(script::NameOf(token.role))
        .Raw("): ")
        .Text(token.description);
    const script::TokenBinding* bound = inputs.binding ? inputs.binding->Find(token.name) : nullptr;
    if (bound != nullptr && !bound->serial.empty()) html.Raw(", serial ").Text(bound->serial);
    html.Raw("</li>");
  }
  html.Raw("</ul>\n</section>\n");
}

// Blanks are for what somebody reads in the room and types.
void Blanks(const script::Step& step, Html& html) {
  const nlohmann::json& facts = MemberOf(step.fields.values(), "facts");
  if (!facts.is_array()) return;
  html.Raw("<div class=\"blanks\">");
  for (const nlohmann::json& fact : facts) {
    html.Element("<div><span>", TextOf(fact, "label"), "</span><i>such as ")
        .Text(TextOf(fact, "example"))
        .Raw("</i></div>");
  }
  html.Raw("</div>");
}

void StepCard(const steps::StepPlan& plan, const script::Step& step, Html& html) {
  const steps::StepKind* const kind = steps::Catalogue().Find(step.kind);
  html.Raw("<article class=\"step\"><div class=\"box\" role=\"img\" aria-label=\"box to tick\"></div><div>\n<h3><span>")
      .Number(static_cast<std::int64_t>(plan.number))
      .Raw("</span> ")
      .Text(plan.title)
      .Raw("</h3>\n");
  if (kind != nullptr) html.Element("<p>", kind->description().summary, "</p>\n");
  if (!step.say.empty()) html.Raw("<p class=\"aloud\"><b>Say</b> “").Prose(step.say).Raw("”</p>\n");
  if (const std::string statement = TextOf(step.fields.values(), "statement"); !statement.empty())
    html.Element("<p class=\"aloud\"><b>", TextOf(step.fields.values(), "by"), " types</b> <code>")
        .Text(TextOf(step.fields.values(), "word"))
        .Raw("</code> to “")
        .Text(statement)
        .Raw("”</p>\n");
  html.Raw("<p class=\"id\">").Text(plan.id).Raw(" · ").Text(plan.kind).Text(", about " + Minutes(plan.seconds));
  if (!plan.people.empty()) html.Raw(" · there: ").Text(steps::InWords(plan.people));
  if (!plan.tokens.empty()) html.Raw(" · token ").Text(Joined({plan.tokens.begin(), plan.tokens.end()}));
  for (const std::string& path : plan.writes) html.Raw(" · writes ").Text(path);
  if (step.skippable) html.Raw(" · may be left out");
  html.Raw("</p>\n");
  if (!plan.quorum.empty()) {
    html.Raw("<p class=\"approve\">Approved by <b>").Text(plan.quorum).Raw("</b>");
    html.Text(plan.approved_with_section ? ", once for the section" : "").Raw("</p>\n");
  }
  Blanks(step, html);
  html.Raw("</div><div class=\"marks\"><span>time</span><span>initials</span></div></article>\n");
}

void Steps(const Inputs& inputs, const Plan& plan, Html& html) {
  std::size_t at = 0;
  for (const script::Section& section : inputs.script.sections) {
    html.Element("<section><h2>", section.title, "</h2>\n");
    if (!section.say.empty()) html.Raw("<p class=\"aloud\"><b>Say</b> “").Prose(section.say).Raw("”</p>\n");
    if (!section.quorum.empty())
      html.Element("<p class=\"approve\">Approved once by <b>", section.quorum, "</b></p>\n");
    for (const script::Step& step : section.steps) {
      if (at < plan.steps.size()) StepCard(plan.steps[at++], step, html);
    }
    html.Raw("</section>\n");
  }
}

void Sheets(Html& html) {
  for (int sheet = 1; sheet <= kDeviationSheets; ++sheet) {
    html.Raw("<section class=\"sheet\"><h2>Deviations, sheet ")
        .Number(sheet)
        .Raw(
            "</h2>\n<p>Whatever differs from this script is written down here. Before the record is closed you are "
            "asked for it, and it is typed in.</p>\n");
    for (int i = 0; i < kDeviationsASheet; ++i)
      html.Raw(
          "<div class=\"deviation\"><span>step</span><span>time</span><span>initials</span><span "
          "class=\"wide-blank\">what differed, and why</span>"
          "<span class=\"wide-blank\">who decided</span></div>\n");
    html.Raw("</section>\n");
  }
  html.Raw(
      "<section class=\"sheet\"><h2>Signatures</h2>\n<p>The ceremony was held as this script says, but for the "
      "deviations above.</p>\n<div class=\"sign\">");
  for (int i = 0; i < 12; ++i) html.Raw("<div>name, role, date</div>");
  html.Raw("</div></section>\n");
}

}  // namespace

std::string Booklet(const Inputs& inputs, const Plan& plan) {
  Html body;
  Cover(inputs, plan, body);
  body.Raw("<main id=\"main\">\n");
  Attendance(inputs, plan, body);
  body.Raw(
      "<section><h2>The ceremony at a glance</h2>\n<p>A diamond is an approval; to the right stands the token that is "
      "used.</p>\n");
  FlowDiagram(plan, body);
  body.Raw("</section>\n");
  Steps(inputs, plan, body);
  Sheets(body);
  body.Raw("</main>\n");
  PageOptions options;
  options.title = inputs.script.title + ": script for the room";
  options.style = assets::kBookletCss;
  if (plan.IsBlocked()) options.warnings.emplace_back("CANNOT BE RUN");
  options.footer = DigestWords(inputs);
  return BuildPage(options, body);
}

}  // namespace ceremony::report
