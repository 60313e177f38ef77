#include "ceremony/report/flow.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/report/page.h"
#include "ceremony/room/text.h"

namespace ceremony::report {
namespace {

constexpr double kWidth = 1000, kBoxLeft = 190, kBoxWidth = 520, kRow = 40, kBox = 28, kBand = 34;
constexpr std::size_t kRowsAFigure = 30;

void Arrow(double x, double from, double until, Html& html) {
  html.Raw("<path class=\"ink\" d=\"").VLine(x, from, until).Raw("m-3.5 -5l3.5 5l3.5 -5\"/>");
}

void DrawStep(const steps::StepPlan& step, double y, Html& html) {
  const double middle = y + kBox / 2;
  html.Raw("<rect class=\"paper\" rx=\"4\" x=\"")
      .Real(kBoxLeft)
      .Raw("\" y=\"")
      .Real(y)
      .Raw("\" width=\"")
      .Real(kBoxWidth);
  html.Raw("\" height=\"")
      .Real(kBox)
      .Raw("\"/><text x=\"")
      .Real(kBoxLeft + 12)
      .Raw("\" y=\"")
      .Real(middle + 4)
      .Raw("\">");
  html.Text(room::FitText(fmt::format("{}  {}", step.number, step.title), 72)).Raw("</text>");
  if (!step.quorum.empty()) {
    const double x = kBoxLeft - 42;
    html.Raw("<path class=\"fill\" d=\"M").Real(x).Raw(" ").Real(middle - 11).Raw("l13 11l-13 11l-13 -11z\"/>");
    html.Raw("<path class=\"ink\" d=\"").HLine(middle, x + 13, kBoxLeft).Raw("\"/>");
    html.Raw("<text class=\"soft small\" text-anchor=\"end\" x=\"")
        .Real(x - 18)
        .Raw("\" y=\"")
        .Real(middle + 4)
        .Raw("\">");
    html.Text(room::FitText(step.quorum, 18)).Raw("</text>");
  }
  if (!step.tokens.empty()) {
    const double x = kBoxLeft + kBoxWidth;
    html.Raw("<path class=\"line\" d=\"M")
        .Real(x)
        .Raw(" ")
        .Real(middle)
        .Raw("h22\"/><text class=\"small\" x=\"")
        .Real(x + 28);
    html.Raw("\" y=\"").Real(middle + 4).Raw("\">");
    html.Text(room::FitText(Joined({step.tokens.begin(), step.tokens.end()}), 40)).Raw("</text>");
  }
}

// Figure draws the first steps of those that are left.
void Figure(std::span<const steps::StepPlan> left, const std::string& before, Html& html) {
  const auto rows = left.first(std::min(kRowsAFigure, left.size()));
  const bool more = rows.size() < left.size();
  double height = 4;
  std::string section = before;
  for (const steps::StepPlan& step : rows) {
    if (step.section != section) height += kBand;
    section = step.section;
    height += kRow;
  }
  html.Raw(
      "<figure><svg role=\"img\" aria-label=\"Diagram of the steps; the pages that follow say the same in words\" "
      "viewBox=\"0 0 ");
  html.Real(kWidth).Raw(" ").Real(height + (more ? 8 : 0)).Raw("\">");
  double y = 4;
  section = before;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].section != section) {
      section = rows[i].section;
      html.Raw("<text class=\"head\" x=\"").Real(kBoxLeft).Raw("\" y=\"").Real(y + 20).Raw("\">");
      html.Text(room::FitText(section, 80)).Raw("</text>");
      y += kBand;
    }
    DrawStep(rows[i], y, html);
    if (i + 1 < rows.size() ? rows[i + 1].section == section : more) Arrow(kBoxLeft + 30, y + kBox, y + kRow, html);
    y += kRow;
  }
  html.Raw("</svg></figure>\n");
}

}  // namespace

void FlowDiagram(const steps::Plan& plan, Html& html) {
  std::string before;
  for (std::size_t at = 0; at < plan.steps.size(); at += kRowsAFigure) {
    Figure(std::span(plan.steps).subspan(at), before, html);
    before = plan.steps[std::min(at + kRowsAFigure, plan.steps.size()) - 1].section;
  }
}

}  // namespace ceremony::report
