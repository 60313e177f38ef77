#include <fmt/format.h>

#include <algorithm>

#include "ceremony/record/characters.h"
#include "ceremony/report/json_text.h"
#include "ceremony/report/page.h"
#include "ceremony/report/sections.h"
#include "hsm/base/counted.h"

namespace ceremony::report {
namespace {

Tone ToneOf(const std::string& outcome) {
  if (outcome == "ended") return Tone::kGood;
  return outcome == "skipped" ? Tone::kWarning : Tone::kBad;
}

std::string_view WordOf(const std::string& outcome) {
  if (outcome == "ended") return "done";
  if (outcome == "open") return "not ended";
  return outcome;
}

void Planned(const StepStory& step, Html& html) {
  html.Raw("<b>")
      .Text(step.title.empty() ? step.id : step.title)
      .Raw("</b><div class=\"id\">")
      .Text(step.id)
      .Raw(" · ");
  html.Text(step.kind);
  if (!step.quorum.empty()) html.Raw(" · approved by ").Text(step.quorum);
  html.Raw("</div>");
  if (!step.planned) html.Raw("<div class=\"gap\">the script has no such step</div>");
  if (!step.say.empty()) html.Raw("<p class=\"say\">“").Prose(step.say).Raw("”</p>");
}

// A digest stands in full where it is compared; here its beginning says which one it is.
std::string Brief(const std::string& value) {
  constexpr std::size_t kDigest = 64, kShown = 16;
  if (!record::IsLowerHex(value, kDigest)) return value;
  return fmt::format("{}…", std::string_view(value).substr(0, kShown));
}

void Happened(const StepStory& step, const ReportData& data, Html& html) {
  if (step.attempts.empty()) Chip(ToneOf(step.Outcome()), WordOf(step.Outcome()), html);
  for (const Attempt& attempt : step.attempts) {
    html.Raw("<div>");
    Chip(ToneOf(attempt.outcome), WordOf(attempt.outcome), html);
    html.Raw(" ").Text(ClockOf(attempt.begin.time)).Raw(" ");
    Entry(attempt.begin.entry, html);
    if (attempt.end.known()) {
      html.Text(" – " + ClockOf(attempt.end.time)).Raw(" ");
      Entry(attempt.end.entry, html);
      html.Text(", " + Took(attempt.end.micros - attempt.begin.micros));
    }
    html.Raw("</div>");
    if (!attempt.error.empty() || attempt.outcome == "failed") {
      html.Raw("<div class=\"bad\">")
          .Text(attempt.rule.empty() ? "" : attempt.rule + ": ")
          .Text(attempt.error)
          .Raw("</div>");
    }
  }
  if (step.facts.empty() && step.effects.empty() && step.artefacts.empty()) return;
  constexpr std::size_t kFactsShown = 40, kArtefactsShown = 3;
  html.Raw("<p class=\"said\">");
  for (std::size_t i = 0; i < step.facts.size() && i < kFactsShown; ++i) {
    const std::string name = Spoken(step.facts[i].first, '_');
    const std::string& value = step.facts[i].second;
    if (name.empty()) {  // what the facts after it are of
      html.Raw("</p><p class=\"said\"><em>").Text(value).Raw("</em> ");
      continue;
    }
    html.Element("<span>", name, " ")
        .Element("<b>", name == "person" ? data.NameOf(value) : Brief(value), "</b></span> ");
  }
  if (step.facts.size() > kFactsShown)
    html.Element("<span>", base::Counted(step.facts.size() - kFactsShown, "more fact", "more facts"),
                 " in the log</span>");
  html.Raw("</p><ul>");
  for (const std::string& effect : step.effects) html.Element("<li>", effect, "</li>");
  for (std::size_t i = 0; i < step.artefacts.size() && i < kArtefactsShown; ++i)
    html.Element("<li>wrote <code>", step.artefacts[i], "</code></li>");
  if (step.artefacts.size() > kArtefactsShown)
    html.Element("<li>wrote ", base::Counted(step.artefacts.size() - kArtefactsShown, "file", "files"),
                 " more, see Files</li>");
  html.Raw("</ul>");
}

Markup RowOf(const std::string& outcome) {
  if (outcome == "failed") return "<tr class=\"failed\"><td class=\"n\">";
  if (outcome == "open") return "<tr class=\"open\"><td class=\"n\">";
  return "<tr><td class=\"n\">";
}

void Row(const StepStory& step, const ReportData& data, Html& html) {
  html.Raw(RowOf(step.Outcome()));
  if (step.number > 0) html.Number(static_cast<std::int64_t>(step.number));
  html.Raw("</td><td>");
  Planned(step, html);
  html.Raw("</td><td>");
  Happened(step, data, html);
  html.Raw("</td></tr>\n");
}

std::vector<std::string> WhoSigned(const StepStory& step, const ReportData& data) {
  std::vector<std::string> initials;
  const auto add = [&](const std::string& person) {
    std::string letters = InitialsOf(data.NameOf(person));
    if (std::find(initials.begin(), initials.end(), letters) == initials.end()) initials.push_back(std::move(letters));
  };
  for (const Approval& approval : data.approvals) {
    if (approval.step != step.id) continue;
    for (const Signature& signature : approval.signatures) add(signature.person);
  }
  for (const auto& [name, value] : step.facts) {
    if (name == "person") add(value);
  }
  return initials;
}

}  // namespace

void ScriptBeside(const ReportData& data, Html& html) {
  html.Raw(
          "<section id=\"steps\"><h2>The script, beside what happened</h2>\n<div class=\"wide\"><table "
          "class=\"beside\">")
      .Head({{"no.", Column::kNumbers}, "what the script says", "what happened"});
  for (const SectionStory& section : data.sections) {
    html.Element("<tr class=\"section\"><th scope=\"colgroup\" colspan=\"3\">", section.title, "</th></tr>\n");
    if (!section.say.empty())
      html.Raw("<tr><td></td><td colspan=\"2\"><p class=\"say\">“").Prose(section.say).Raw("”</p></td></tr>\n");
    for (const StepStory& step : data.steps) {
      if (step.planned && step.section == section.id) Row(step, data, html);
    }
  }
  for (const StepStory& step : data.steps) {
    if (!step.planned) Row(step, data, html);
  }
  html.Raw("</tbody></table></div>\n</section>\n");
}

void StepLog(const ReportData& data, Html& html) {
  html.Raw("<section id=\"log\"><h2>Step log</h2>\n<div class=\"wide\"><table>")
      .Head({{"no.", Column::kNumbers},
             "step",
             "began",
             "ended",
             {"took", Column::kNumbers},
             {"token calls", Column::kNumbers},
             "outcome",
             "initials"});
  for (const StepStory& step : data.steps) {
    for (const Attempt& attempt : step.attempts) {
      html.Raw("<tr><td class=\"n\">").Number(static_cast<std::int64_t>(step.number));
      html.Element("</td><td>", step.id, "</td>").Element("<td class=\"t\">", ClockOf(attempt.begin.time), " ");
      Entry(attempt.begin.entry, html);
      html.Raw("</td><td class=\"t\">");
      if (attempt.end.known()) {
        html.Text(ClockOf(attempt.end.time)).Raw(" ");
        Entry(attempt.end.entry, html);
        html.Element("</td><td class=\"n\">", Took(attempt.end.micros - attempt.begin.micros), "</td>");
      } else {
        html.Raw("</td><td class=\"n\"></td>");
      }
      html.Raw("<td class=\"n\">").Number(attempt.calls);
      if (!attempt.failed_calls.empty()) {
        std::vector<std::string> failed;
        for (const auto& [rv, count] : attempt.failed_calls) failed.push_back(fmt::format("{} × {}", count, rv));
        html.Element("<div class=\"id\">", Joined(failed), "</div>");
      }
      html.Raw("</td><td>");
      Chip(ToneOf(attempt.outcome), WordOf(attempt.outcome), html);
      html.Element("</td><td>", Joined(WhoSigned(step, data)), "</td></tr>\n");
    }
  }
  html.Raw("</tbody></table></div>\n</section>\n");
}

}  // namespace ceremony::report
