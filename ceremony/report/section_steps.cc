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
      .Whole(step.title.empty() ? step.id : step.title)
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

// Seen tells what was observed in one attempt, a paragraph an entry. `shown` counts the facts of the step.
void Seen(const StepStory& step, std::size_t attempt, const ReportData& data, std::size_t& shown, Html& html) {
  constexpr std::size_t kFactsShown = 40;
  std::size_t more = 0;
  for (const Observed& seen : step.observed) {
    if (!step.Belongs(seen.entry, attempt)) continue;
    if (shown >= kFactsShown) {
      more += seen.facts.size();
      continue;
    }
    html.Raw("<p class=\"said\">");
    const std::string whose = seen.person.empty() ? seen.what : data.NameOf(seen.person);
    if (!whose.empty()) html.Element("<em>", whose, "</em> ");
    for (const auto& [name, value] : seen.facts)
      html.Element("<span>", Spoken(name, '_'), " ").Element("<b>", Brief(value), "</b></span> ");
    html.Raw("</p>");
    shown += seen.facts.size();
  }
  if (more > 0) html.Element("<p class=\"said\">", base::Counted(more, "more fact", "more facts"), " in the log</p>");
}

void Happened(const StepStory& step, const ReportData& data, Html& html) {
  if (step.attempts.empty()) Chip(ToneOf(step.Outcome()), WordOf(step.Outcome()), html);
  std::size_t shown = 0;
  for (std::size_t i = 0; i < step.attempts.size(); ++i) {
    const Attempt& attempt = step.attempts[i];
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
    Seen(step, i, data, shown, html);
  }
  if (step.attempts.empty()) Seen(step, 0, data, shown, html);
  if (step.effects.empty() && step.artefacts.empty()) return;
  constexpr std::size_t kArtefactsShown = 3;
  html.Raw("<ul>");
  for (const std::string& effect : step.effects) html.Raw("<li>").Whole(effect).Raw("</li>");
  for (std::size_t i = 0; i < step.artefacts.size() && i < kArtefactsShown; ++i)
    html.Raw("<li>wrote <code>").Breakable(step.artefacts[i].first).Raw("</code></li>");
  if (step.artefacts.size() > kArtefactsShown)
    html.Element("<li>wrote ", base::Counted(step.artefacts.size() - kArtefactsShown, "file", "files"),
                 " more, see Files</li>");
  html.Raw("</ul>");
}

// A long row may go on on the next page of paper.
constexpr std::size_t kLong = 5;  // entries, effects and attempts

Markup RowOf(const StepStory& step) {
  const bool is_long = step.observed.size() + step.effects.size() + step.attempts.size() > kLong;
  const std::string outcome = step.Outcome();
  if (outcome == "failed") return is_long ? Markup("<tr class=\"failed long\">") : Markup("<tr class=\"failed\">");
  if (outcome == "open") return is_long ? Markup("<tr class=\"open long\">") : Markup("<tr class=\"open\">");
  return is_long ? Markup("<tr class=\"long\">") : Markup("<tr>");
}

void Row(const StepStory& step, const ReportData& data, Html& html) {
  html.Raw(RowOf(step)).Raw("<td class=\"n\">");
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
  for (const Observed& seen : step.observed) {
    if (!seen.person.empty()) add(seen.person);
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
  html.Raw("<section id=\"log\"><h2>Step log</h2>\n<div class=\"wide\"><table class=\"log\">")
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
      html.Raw("</td><td>").Whole(step.id).Element("</td><td class=\"t\">", ClockOf(attempt.begin.time), " ");
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
      html.Raw("</td><td>");
      Chip(ToneOf(attempt.outcome), WordOf(attempt.outcome), html);
      html.Element("</td><td>", Joined(WhoSigned(step, data)), "</td></tr>\n");
      if (attempt.failed_calls.empty()) continue;
      std::vector<std::string> failed;
      for (const auto& [rv, count] : attempt.failed_calls) failed.push_back(fmt::format("{} × {}", count, rv));
      html.Raw("<tr class=\"more\"><td></td><td colspan=\"7\">of the calls ")
          .Breakable(Joined(failed))
          .Raw("</td></tr>\n");
    }
  }
  html.Raw("</tbody></table></div>\n</section>\n");
}

}  // namespace ceremony::report
