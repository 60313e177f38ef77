#include "ceremony/report/booklet.h"

#include <fmt/format.h>

#include "ceremony/report/assets.h"
#include "ceremony/report/booklet_steps.h"
#include "ceremony/report/json_text.h"
#include "ceremony/report/page.h"
#include "ceremony/steps/presence.h"
#include "hsm/base/counted.h"
#include "hsm/base/encoding.h"
#include "hsm/base/words.h"

namespace ceremony::report {
namespace {

using script::Inputs;
using steps::Plan;

constexpr int kDeviationSheets = 2, kDeviationsASheet = 6, kSpareRows = 4;

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
        "or waived; <code>keyceremony check</code> lists them.</p></div>\n");
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
  if (!inputs.binding) {
    html.Raw(
        "<p>Which tokens are opened with shares of their PINs stands in the binding, and this booklet was made without "
        "one: whoever holds a share of a token is there when the token is opened.</p>\n");
  }
  html.Raw("<table class=\"attendance\">")
      .Head({"name", "role", "needed for steps", "identity document", "in", "out", "initials"});
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
  StepsAtAGlance(plan, body);
  StepCards(inputs, plan, body);
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
