#include "ceremony/report/booklet_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/report/json_text.h"
#include "ceremony/report/page.h"
#include "ceremony/script/roster.h"
#include "ceremony/steps/catalogue.h"
#include "hsm/base/counted.h"

namespace ceremony::report {
namespace {

using script::Inputs;
using steps::Plan;

constexpr int kWordsOfADigest = 32;
constexpr std::int64_t kMostBlanks = 30;

// Card begins a card with a box to tick, and EndCard leaves room for time and initials.
void Card(Markup open, Html& html) {
  html.Raw(open).Raw("<div class=\"box\" role=\"img\" aria-label=\"box to tick\"></div><div>\n<h3>");
}
void EndCard(Html& html) {
  html.Raw("</div><div class=\"marks\"><span>time</span><span>initials</span></div></article>\n");
}
// RoomCard begins the card of something that is no step of the script.
void RoomCard(std::string_view title, std::string_view says, Html& html) {
  Card("<article class=\"step asked\">", html);
  html.Text(title).Element("</h3>\n<p>", says, "</p>\n");
}

// WordsBlank is for a digest that people hear as words, under the label that the screen has above it.
void WordsBlank(std::string_view label, Html& html) {
  html.Element("<p class=\"words-label\">", label,
               ", as its words are read aloud</p>\n<ol class=\"digest-words blank\">");
  for (int word = 0; word < kWordsOfADigest; ++word) html.Raw("<li></li>");
  html.Raw("</ol>\n");
}

// ApprovedBy has a blank for each person whom a quorum needs.
void ApprovedBy(const Inputs& inputs, const std::string& name, std::string_view when, Html& html) {
  const script::Quorum* const quorum = inputs.roster ? inputs.roster->FindQuorum(name) : nullptr;
  html.Element("<p class=\"approve\"><span>Approved by <b>", name, "</b>");
  if (quorum != nullptr) html.Text(fmt::format(", {} of {}", quorum->m, inputs.roster->MembersOf(*quorum).size()));
  html.Text(when).Raw("</span>");
  const std::int64_t blanks = quorum == nullptr ? 0 : std::min<std::int64_t>(quorum->m, kMostBlanks);
  for (std::int64_t i = 0; i < blanks; ++i) html.Raw("<i></i>");
  html.Raw("</p>\n");
}

bool IsSharedToken(const Inputs& inputs, const std::string& token) {
  const script::TokenBinding* const bound = inputs.binding ? inputs.binding->Find(token) : nullptr;
  return bound != nullptr && bound->login == script::Login::kShares;
}

// Shares says who gives a share for which tokens, and who gets a new one.
void Shares(const Inputs& inputs, const steps::StepPlan& plan, const script::Step& step, Html& html) {
  std::vector<std::string> shared;
  std::ranges::copy_if(plan.tokens, std::back_inserter(shared),
                       [&](const std::string& token) { return IsSharedToken(inputs, token); });
  if (shared.empty()) return;
  // A token that is taken into service has no shares yet.
  if (step.kind != "token.commission")
    html.Element("<p class=\"approve\"><span><b>", Joined(shared), "</b> opened with shares of</span><i></i></p>\n");
  if (!TextOf(step.fields.values(), "shares").empty())
    html.Raw("<p class=\"approve\"><span>new shares opened and confirmed by</span><i></i></p>\n");
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

// DigestRead is the label of the digest that a step shows for people to compare; empty for most kinds.
std::string DigestRead(const script::Step& step) {
  if (step.kind == "key.generate") return "public key of " + TextOf(step.fields.values(), "key");
  if (step.kind == "key.transport") return "transport key " + TextOf(step.fields.values(), "key");
  const bool signs = step.kind == "cert.self-sign" || step.kind == "cert.issue" || step.kind == "cert.cross-sign" ||
                     step.kind == "csr.create" || step.kind == "crl.issue";
  return signs ? "to be signed" : "";
}

void Typed(const script::Step& step, Html& html) {
  const std::string statement = TextOf(step.fields.values(), "statement");
  if (statement.empty()) return;
  html.Element("<p class=\"aloud\"><b>", Spoken(TextOf(step.fields.values(), "by"), '-'), " types</b> <code>")
      .Text(TextOf(step.fields.values(), "word"))
      .Raw("</code>");
  // Without a title of its own a step is called by its statement.
  if (!step.title.empty()) html.Element(" to “", statement, "”");
  html.Raw("</p>\n");
}

void Needs(const steps::StepPlan& plan, const script::Step& step, Html& html) {
  html.Raw("<p class=\"id\">").Whole(plan.id).Raw(" · ").Whole(plan.kind).Text(", about " + Minutes(plan.seconds));
  if (!plan.people.empty()) html.Raw(" · there: ").Text(steps::InWords(plan.people));
  if (!plan.tokens.empty())
    html.Text(plan.tokens.size() == 1 ? " · token " : " · tokens ")
        .Whole(Joined({plan.tokens.begin(), plan.tokens.end()}));
  for (const std::string& path : plan.writes) html.Raw(" · writes ").Text(path);
  if (step.skippable) html.Raw(" · may be left out");
  html.Raw("</p>\n");
}

void StepCard(const Inputs& inputs, const steps::StepPlan& plan, const script::Step& step, Html& html) {
  const steps::StepKind* const kind = steps::Catalogue().Find(step.kind);
  Card("<article class=\"step\">", html);
  html.Raw("<span class=\"no\">")
      .Number(static_cast<std::int64_t>(plan.number))
      .Raw("</span> ")
      .Whole(plan.title)
      .Raw("</h3>\n");
  if (kind != nullptr) html.Element("<p>", kind->description().summary, "</p>\n");
  if (!step.say.empty()) html.Raw("<p class=\"aloud\"><b>Say</b> “").Prose(step.say).Raw("”</p>\n");
  Typed(step, html);
  Needs(plan, step, html);
  if (const std::string label = DigestRead(step); !label.empty()) WordsBlank(label, html);
  // What the section approves at once has its blanks there.
  if (!plan.quorum.empty() && plan.approved_with_section)
    html.Element("<p class=\"approve\"><span>Approved by <b>", plan.quorum, "</b>, once for the section</span></p>\n");
  if (!plan.quorum.empty() && !plan.approved_with_section) ApprovedBy(inputs, plan.quorum, "", html);
  Shares(inputs, plan, step, html);
  Blanks(step, html);
  EndCard(html);
}

void BeforeTheSteps(Html& html) {
  html.Raw("<section><h2>Before the first step</h2>\n");
  RoomCard(
      "Compare the words of this script",
      "The screen shows the digest of the script. The administrator reads its words aloud, everybody compares them "
      "with the first page of this booklet, and the administrator types CONFIRM.",
      html);
  EndCard(html);
  html.Raw("</section>\n");
}

// After the first step, which takes down who is there.
void Opening(const Inputs& inputs, Html& html) {
  RoomCard(
      "Open the record",
      "Custodians sign the beginning of the record: the script, the tokens and who is there. Waivers, if there are "
      "any, are said again by those who gave them.",
      html);
  ApprovedBy(inputs, std::string(script::kRecordQuorum), "", html);
  EndCard(html);
}

void Closing(const Inputs& inputs, Html& html) {
  const std::string quorum(script::kRecordQuorum);
  html.Raw("<section><h2>Closing the record</h2>\n");
  RoomCard("Say what differed",
           "The administrator is asked what happened that the script does not say. What stands on the sheets of "
           "deviations is typed in now.",
           html);
  EndCard(html);
  RoomCard("Close the record", "Nothing can be added to it afterwards. No passphrase is needed for this approval.",
           html);
  ApprovedBy(inputs, quorum, "", html);
  EndCard(html);
  RoomCard("Sign the final checkpoint",
           "It covers the whole record. Whoever keeps these words can tell ever after whether a record is this one.",
           html);
  WordsBlank("root of the record", html);
  ApprovedBy(inputs, quorum, "", html);
  EndCard(html);
  RoomCard(
      "Sign the addendum",
      "The key that signed the record has been destroyed. The addendum says so, and lists every file of the record.",
      html);
  WordsBlank("the text of the addendum (SHA-256)", html);
  ApprovedBy(inputs, quorum, "", html);
  EndCard(html);
  html.Raw("</section>\n");
}

}  // namespace

std::string Minutes(unsigned seconds) {
  return seconds < 90 ? fmt::format("{} s", seconds) : fmt::format("{} min", (seconds + 30) / 60);
}

void StepsAtAGlance(const Plan& plan, Html& html) {
  html.Raw("<section><h2>The ceremony at a glance</h2>\n<table class=\"glance\">")
      .Head({{"no.", Column::kNumbers}, "step", "approved by", "tokens", {"about", Column::kNumbers}});
  std::string section;
  for (const steps::StepPlan& step : plan.steps) {
    if (step.section != section) {
      section = step.section;
      html.Element("<tr class=\"section\"><th scope=\"colgroup\" colspan=\"5\">", section, "</th></tr>\n");
    }
    html.Raw("<tr><td class=\"n\">").Number(static_cast<std::int64_t>(step.number)).Raw("</td><td>").Whole(step.title);
    html.Raw("</td><td class=\"approve-cell\">").Whole(step.quorum).Raw("</td><td>");
    html.Whole(Joined({step.tokens.begin(), step.tokens.end()}));
    html.Element("</td><td class=\"n\">", Minutes(step.seconds), "</td></tr>\n");
  }
  html.Raw("</tbody></table>\n</section>\n");
}

void StepCards(const Inputs& inputs, const Plan& plan, Html& html) {
  BeforeTheSteps(html);
  std::size_t at = 0;
  for (const script::Section& section : inputs.script.sections) {
    html.Element("<section><h2>", section.title, "</h2>\n");
    if (!section.say.empty()) html.Raw("<p class=\"aloud\"><b>Say</b> “").Prose(section.say).Raw("”</p>\n");
    if (!section.quorum.empty())
      ApprovedBy(inputs, section.quorum, ", once for all steps of the section that it covers", html);
    for (const script::Step& step : section.steps) {
      if (at == plan.steps.size()) break;
      StepCard(inputs, plan.steps[at++], step, html);
      if (at == 1) Opening(inputs, html);
    }
    html.Raw("</section>\n");
  }
  Closing(inputs, html);
}

}  // namespace ceremony::report
