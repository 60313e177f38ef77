// The timeline: a row a step on one scale of time, approvals as marks on it, and the pauses between steps.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ceremony/report/page.h"
#include "ceremony/report/sections.h"
#include "ceremony/room/text.h"

namespace ceremony::report {
namespace {

constexpr double kWidth = 1000, kLabels = 300, kRow = 20, kAxis = 26;
constexpr std::size_t kRowsAFigure = 45;  // what fits an A4 page
constexpr std::size_t kMostRows = 2000;   // beyond, a picture says nothing; the step log has them all
constexpr std::int64_t kSecond = 1'000'000;

struct Scale {
  std::int64_t from = 0, until = 1;

  double At(std::int64_t micros) const {
    const double share = static_cast<double>(micros - from) / static_cast<double>(until - from);
    return kLabels + std::clamp(share, 0.0, 1.0) * (kWidth - kLabels);
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

void Axis(const Scale& scale, double height, Html& html) {
  const std::int64_t every = EveryOf(scale.until - scale.from);
  for (std::int64_t after = 0; scale.from + after <= scale.until; after += every) {
    const double x = scale.At(scale.from + after);
    html.Raw("<path class=\"line\" d=\"")
        .VLine(x, 18, height)
        .Raw("\"/><text class=\"soft small\" text-anchor=\"middle\" x=\"");
    html.Real(x).Raw("\" y=\"12\">").Text(After(after, every)).Raw("</text>");
  }
}

Markup BarOf(const std::string& outcome) {
  if (outcome == "ended") return "<rect rx=\"2\" class=\"fill\" height=\"11\" y=\"";
  if (outcome == "skipped") return "<rect rx=\"2\" class=\"fill-warning\" height=\"11\" y=\"";
  return "<rect rx=\"2\" class=\"fill-bad\" height=\"11\" y=\"";
}

void DrawRow(const Row& row, double y, const Scale& scale, const ReportData& data, Html& html) {
  const StepStory& step = *row.step;
  html.Raw("<text x=\"0\" y=\"").Real(y + 10).Raw("\">");
  html.Text(room::FitText(fmt::format("{}  {}", step.number, step.id), 38)).Raw("</text>");
  if (row.pause > 0) {
    const double until = scale.At(step.attempts.front().begin.micros);
    const double from = scale.At(step.attempts.front().begin.micros - row.pause);
    html.Raw("<path class=\"line\" stroke-dasharray=\"3 3\" d=\"").HLine(y + 6, from, until).Raw("\"/>");
    if (until - from > 60) {
      html.Raw("<text class=\"soft small\" text-anchor=\"middle\" x=\"")
          .Real((from + until) / 2)
          .Raw("\" y=\"")
          .Real(y + 3);
      html.Element("\">", Took(row.pause), "</text>");
    }
  }
  for (const Attempt& attempt : step.attempts) {
    const std::int64_t end = attempt.end.known() ? attempt.end.micros : scale.until;
    const double x = scale.At(attempt.begin.micros);
    const double width = std::max(2.0, scale.At(end) - x);
    html.Raw(BarOf(attempt.outcome)).Real(y + 1).Raw("\" x=\"").Real(x).Raw("\" width=\"").Real(width).Raw("\"/>");
  }
  const Attempt& last = step.attempts.back();
  const std::int64_t end = last.end.known() ? last.end.micros : scale.until;
  const std::string took = last.end.known() ? Took(end - last.begin.micros) : "not ended";
  const double x = scale.At(end);
  const bool left = x > kWidth - 90;
  html.Raw("<text class=\"soft small\" y=\"")
      .Real(y + 10)
      .Raw("\" x=\"")
      .Real(left ? scale.At(last.begin.micros) - 6 : x + 6);
  html.Raw(left ? Markup("\" text-anchor=\"end\">") : Markup("\">")).Text(took).Raw("</text>");
  for (const Approval& approval : data.approvals) {
    if (approval.step != step.id) continue;
    if (const auto met = approval.Met()) {
      const double at = scale.At(met->micros);
      html.Raw("<path class=\"paper\" d=\"M").Real(at).Raw(" ").Real(y + 1).Raw("l5 5.5l-5 5.5l-5 -5.5z\"/>");
    }
  }
}

void Figure(const std::string& title, std::span<const Row> rows, const Scale& scale, const ReportData& data,
            Html& html) {
  const double height = kAxis + kRow * static_cast<double>(rows.size());
  html.Element("<figure><figcaption>", title, "</figcaption>");
  html.Raw("<svg role=\"img\" aria-label=\"").Text("Timeline of " + title);
  html.Raw("\" viewBox=\"0 0 ").Real(kWidth).Raw(" ").Real(height).Raw("\">");
  Axis(scale, height, html);
  double y = kAxis;
  for (const Row& row : rows) {
    DrawRow(row, y, scale, data, html);
    y += kRow;
  }
  html.Raw("</svg></figure>\n");
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
  const Scale scale{data.began.micros, std::max(data.ended.micros, data.began.micros + 1)};
  std::vector<std::pair<std::string, std::string>> sections;  // id, title
  for (const SectionStory& section : data.sections) sections.emplace_back(section.id, section.title);
  for (const StepStory& step : data.steps) {
    const bool known =
        std::any_of(sections.begin(), sections.end(), [&](const auto& each) { return each.first == step.section; });
    if (!known) sections.emplace_back(step.section, step.section.empty() ? "other steps" : step.section);
  }
  std::int64_t last_end = 0;
  std::size_t drawn = 0;
  for (const auto& [id, title] : sections) {
    const std::vector<Row> rows = RowsOf(data, id, last_end);
    for (std::size_t at = 0; at < rows.size() && drawn < kMostRows; at += kRowsAFigure) {
      const std::size_t count = std::min(kRowsAFigure, rows.size() - at);
      Figure(title, std::span(rows).subspan(at, count), scale, data, html);
      drawn += count;
    }
  }
  if (drawn == 0) html.Raw("<p class=\"none\">No step has begun.</p>\n");
  html.Raw("</section>\n");
}

}  // namespace ceremony::report
