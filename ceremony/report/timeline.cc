// The timeline: a row a step on one scale of time, approvals as marks on it, and the pauses between steps.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ceremony/report/page.h"
#include "ceremony/report/sections.h"

namespace ceremony::report {
namespace {

constexpr double kLeastPercent = 0.5;    // of a bar, so that one sees it
constexpr std::size_t kMostRows = 2000;  // beyond, a picture says nothing; the step log has them all
constexpr std::int64_t kSecond = 1'000'000;

struct Scale {
  std::int64_t from = 0, until = 1;

  // PercentAt is where a time is on the scale.
  double PercentAt(std::int64_t micros) const {
    const double share = static_cast<double>(micros - from) / static_cast<double>(until - from);
    return std::clamp(share, 0.0, 1.0) * 100;
  }
};

// EveryOf returns the smallest round interval that makes at most eight parts.
std::int64_t EveryOf(std::int64_t whole) {
  constexpr std::array<std::int64_t, 22> kRound{
      kSecond / 100,   kSecond / 20,    kSecond / 10,    kSecond / 5,     kSecond / 2,    kSecond,
      2 * kSecond,     5 * kSecond,     10 * kSecond,    30 * kSecond,    60 * kSecond,   120 * kSecond,
      300 * kSecond,   600 * kSecond,   900 * kSecond,   1800 * kSecond,  3600 * kSecond, 7200 * kSecond,
      14400 * kSecond, 43200 * kSecond, 86400 * kSecond, 604800 * kSecond};
  for (const std::int64_t every : kRound) {
    if (whole / every < 8) return every;
  }
  return whole / 4 + 1;
}

// After spells a time since the beginning: "+1.2 s", "+1:05 h".
std::string After(std::int64_t micros, std::int64_t every) {
  if (micros == 0) return "0";
  if (every < kSecond) return fmt::format("+{:.2f} s", static_cast<double>(micros) / kSecond);
  if (every < 60 * kSecond) return fmt::format("+{} s", micros / kSecond);
  if (every < 3600 * kSecond && micros < 5400 * kSecond) return fmt::format("+{} min", micros / (60 * kSecond));
  return fmt::format("+{}:{:02} h", micros / (3600 * kSecond), micros / (60 * kSecond) % 60);
}

struct Row {
  const StepStory* step;
  std::int64_t pause;  // before its first attempt
};

void Axis(const Scale& scale, Html& html) {
  const std::int64_t every = EveryOf(scale.until - scale.from);
  html.Raw("<svg class=\"bar\" aria-hidden=\"true\">");
  for (std::int64_t after = 0; scale.from + after <= scale.until; after += every) {
    html.Raw(after == 0 ? Markup("<text class=\"soft\" y=\"14\" x=\"")
                        : Markup("<text class=\"soft\" text-anchor=\"middle\" y=\"14\" x=\""));
    html.Real(scale.PercentAt(scale.from + after)).Element("%\">", After(after, every), "</text>");
  }
  html.Raw("</svg>");
}

Markup BarOf(const std::string& outcome) {
  if (outcome == "ended") return "<rect rx=\"2\" class=\"fill\" height=\"11\" y=\"4\" x=\"";
  if (outcome == "skipped") return "<rect rx=\"2\" class=\"fill-warning\" height=\"11\" y=\"4\" x=\"";
  return "<rect rx=\"2\" class=\"fill-bad\" height=\"11\" y=\"4\" x=\"";
}

void DrawBar(const Row& row, const Scale& scale, const ReportData& data, Html& html) {
  const StepStory& step = *row.step;
  html.Raw("<svg class=\"bar\" aria-hidden=\"true\">");
  if (row.pause > 0) {
    const double until = scale.PercentAt(step.attempts.front().begin.micros);
    const double from = scale.PercentAt(step.attempts.front().begin.micros - row.pause);
    html.Raw("<line class=\"ink\" stroke-dasharray=\"3 3\" y1=\"9.5\" y2=\"9.5\" x1=\"").Real(from);
    html.Raw("%\" x2=\"").Real(until).Raw("%\"/>");
  }
  for (const Attempt& attempt : step.attempts) {
    const std::int64_t end = attempt.end.known() ? attempt.end.micros : scale.until;
    const double x = std::min(scale.PercentAt(attempt.begin.micros), 100 - kLeastPercent);
    const double width = std::max(kLeastPercent, scale.PercentAt(end) - x);
    html.Raw(BarOf(attempt.outcome)).Real(x).Raw("%\" width=\"").Real(width).Raw("%\"/>");
  }
  for (const Approval& approval : data.approvals) {
    if (approval.step != step.id) continue;
    if (const auto met = approval.Met()) {
      html.Raw("<svg x=\"").Real(scale.PercentAt(met->micros));
      html.Raw("%\"><path class=\"paper\" d=\"M0 4l5 5.5l-5 5.5l-5 -5.5z\"/></svg>");
    }
  }
  html.Raw("</svg>");
}

void WriteRow(const Row& row, const Scale& scale, const ReportData& data, Html& html) {
  const StepStory& step = *row.step;
  html.Raw("<tr><td class=\"n\">");
  if (step.number > 0) html.Number(static_cast<std::int64_t>(step.number));
  html.Raw("</td><td>").Whole(step.id).Raw("</td><td>");
  DrawBar(row, scale, data, html);
  const Attempt& last = step.attempts.back();
  html.Element("</td><td class=\"n\">",
               last.end.known() ? Took(last.end.micros - last.begin.micros) : std::string("not ended"), "</td></tr>\n");
}

std::vector<Row> RowsOf(const ReportData& data, const std::string& section, std::int64_t& last_end) {
  std::vector<Row> rows;
  for (const StepStory& step : data.steps) {
    if (step.section != section || step.attempts.empty()) continue;
    const std::int64_t pause = last_end == 0 ? 0 : step.attempts.front().begin.micros - last_end;
    rows.push_back({&step, std::max<std::int64_t>(pause, 0)});
    last_end = step.attempts.back().end.known() ? step.attempts.back().end.micros : data.ended.micros;
  }
  return rows;
}

}  // namespace

void Timeline(const ReportData& data, Html& html) {
  html.Raw(
      "<section id=\"timeline\"><h2>Timeline</h2>\n<p>Steps on one scale of time, from the first entry. A diamond is "
      "the moment when a quorum was met; a dashed line is a pause between two steps.</p>\n");
  if (std::ranges::all_of(data.steps, [](const StepStory& step) { return step.attempts.empty(); })) {
    html.Raw("<p class=\"none\">No step has begun.</p>\n</section>\n");
    return;
  }
  const Scale scale{data.began.micros, std::max(data.ended.micros, data.began.micros + 1)};
  std::vector<std::pair<std::string, std::string>> sections;  // id, title
  for (const SectionStory& section : data.sections) sections.emplace_back(section.id, section.title);
  for (const StepStory& step : data.steps) {
    const bool known =
        std::any_of(sections.begin(), sections.end(), [&](const auto& each) { return each.first == step.section; });
    if (!known) sections.emplace_back(step.section, step.section.empty() ? "other steps" : step.section);
  }
  html.Raw(
      "<table class=\"timeline\"><thead><tr><th scope=\"col\" class=\"n\">no.</th><th scope=\"col\">step</th><th>");
  Axis(scale, html);
  html.Raw("</th><th scope=\"col\" class=\"n\">took</th></tr></thead><tbody>\n");
  std::int64_t last_end = 0;
  std::size_t drawn = 0;
  for (const auto& [id, title] : sections) {
    const std::vector<Row> rows = RowsOf(data, id, last_end);
    if (!rows.empty() && drawn < kMostRows)
      html.Element("<tr class=\"section\"><th scope=\"colgroup\" colspan=\"4\">", title, "</th></tr>\n");
    for (const Row& row : rows) {
      if (drawn++ < kMostRows) WriteRow(row, scale, data, html);
    }
  }
  html.Raw("</tbody></table>\n</section>\n");
}

}  // namespace ceremony::report
