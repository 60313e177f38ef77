#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "ceremony/report/json_text.h"
#include "ceremony/report/page.h"
#include "ceremony/report/sections.h"
#include "ceremony/room/text.h"
#include "hsm/base/counted.h"

namespace ceremony::report {
namespace {

constexpr double kWidth = 1000, kLabels = 220, kLane = 54, kTop = 16;
constexpr std::size_t kMostLanes = 40, kMostEvents = 60;

struct Lane {
  std::string token;
  double y;
};

// Bears tells whether an effect brings a key, or puts a copy on its token; Ends whether it takes one away.
bool Bears(const KeyEvent& event) { return event.IsBeginning() || event.what == "key-cloned"; }
bool Ends(const KeyEvent& event) { return event.what == "copy-destroyed"; }

double XOf(std::size_t event, std::size_t events) {
  return kLabels + 90 +
         (kWidth - kLabels - 170) * static_cast<double>(event) /
             static_cast<double>(std::max<std::size_t>(events - 1, 1));
}

void DrawLane(const KeyStory& key, const Lane& lane, std::size_t events, Html& html) {
  html.Raw("<text x=\"0\" y=\"").Real(lane.y + 4).Raw("\">").Text(room::FitText(lane.token, 25)).Raw("</text>");
  // From birth, or from before the record, to destruction, or on.
  double from = kLabels, until = kWidth - 8;
  bool born = false, ended = false;
  for (std::size_t i = 0; i < events; ++i) {
    const KeyEvent& event = key.events[i];
    if (event.token != lane.token) continue;
    if (Bears(event) && !born) {
      from = XOf(i, events);
      born = true;
    }
    if (Ends(event)) {
      until = XOf(i, events);
      ended = true;
    }
  }
  html.Raw("<path class=\"ink\" stroke-width=\"2\" d=\"").HLine(lane.y, from, until).Raw("\"/>");
  if (!ended)
    html.Raw("<path class=\"ink\" stroke-width=\"2\" d=\"M")
        .Real(until - 8)
        .Raw(" ")
        .Real(lane.y - 5)
        .Raw("l8 5l-8 5\"/>");
  if (!born)
    html.Raw("<text class=\"soft small\" x=\"").Real(from).Raw("\" y=\"").Real(lane.y - 8).Raw("\">from before</text>");
}

void DrawEvent(const KeyStory& key, std::size_t at, std::size_t events, const std::vector<Lane>& lanes, Html& html) {
  const KeyEvent& event = key.events[at];
  const double x = XOf(at, events);
  const auto lane_of = [&](const std::string& token) {
    return std::find_if(lanes.begin(), lanes.end(), [&](const Lane& lane) { return lane.token == token; });
  };
  const auto lane = lane_of(event.token);
  const double top = lanes.empty() ? kTop : lanes.front().y;
  const double y = lane == lanes.end() ? top : lane->y;
  if (lane == lanes.end() && lanes.size() > 1)
    html.Raw("<path class=\"line\" stroke-dasharray=\"4 3\" d=\"").VLine(x, top, lanes.back().y).Raw("\"/>");
  if (const auto source = lane_of(event.source); source != lanes.end() && lane != lanes.end())
    html.Raw("<path class=\"ink\" stroke-dasharray=\"2 3\" d=\"").VLine(x, source->y, y).Raw("\"/>");
  html.Raw(Bears(event)  ? Markup("<circle class=\"fill-good\" r=\"11\" cx=\"")
           : Ends(event) ? Markup("<circle class=\"fill-bad\" r=\"11\" cx=\"")
                         : Markup("<circle class=\"fill\" r=\"11\" cx=\""));
  html.Real(x)
      .Raw("\" cy=\"")
      .Real(y)
      .Raw("\"/><text class=\"on small\" text-anchor=\"middle\" x=\"")
      .Real(x)
      .Raw("\" y=\"")
      .Real(y + 4)
      .Raw("\">");
  html.Number(static_cast<std::int64_t>(at + 1)).Raw("</text>");
}

void Picture(const KeyStory& key, Html& html) {
  std::vector<Lane> lanes;
  double y = kTop;
  for (const std::string& token : key.Tokens()) {
    if (lanes.size() == kMostLanes) break;
    lanes.push_back({token, y});
    y += kLane;
  }
  const std::size_t events = std::min(key.events.size(), kMostEvents);
  // What happens to a key as a whole, when this record has none of its copies, needs no picture.
  if (!lanes.empty()) {
    html.Raw("<figure><svg role=\"img\" aria-label=\"")
        .Text("The copies of key " + key.name + "; the list below says the same in words");
    html.Raw("\" viewBox=\"0 0 ").Real(kWidth).Raw(" ").Real(std::max(y - kLane + 24, 40.0)).Raw("\">");
    for (const Lane& lane : lanes) DrawLane(key, lane, events, html);
    for (std::size_t i = 0; i < events; ++i) DrawEvent(key, i, events, lanes, html);
    html.Raw("</svg></figure>\n");
  }
  html.Raw("<ol class=\"events\">");
  for (const KeyEvent& event : key.events) {
    html.Element("<li><b>", Spoken(event.what, '-'), "</b>");
    if (!event.source.empty()) html.Raw(" from ").Text(event.source).Raw(" to ").Text(event.token);
    if (event.source.empty() && !event.token.empty()) html.Raw(" on ").Text(event.token);
    if (!event.detail.empty()) html.Raw(": ").Text(event.detail);
    html.Raw(", ").Text(ClockOf(event.at.time)).Raw(" ");
    Entry(event.at.entry, html);
    html.Raw("</li>");
  }
  html.Raw("</ol>\n");
}

void Comparison(const IssuedThing& thing, Html& html) {
  if (thing.rows.empty()) {
    html.Raw("<p class=\"none\">The record has no comparison with a profile.</p>\n");
    return;
  }
  const auto differing =
      std::count_if(thing.rows.begin(), thing.rows.end(), [](const ComparedField& row) { return !row.equal; });
  html.Raw("<div class=\"wide\"><table class=\"compare\"><caption>Compared with profile ").Text(thing.profile);
  if (!thing.clause.empty()) html.Raw(" (").Text(thing.clause).Raw(")");
  html.Raw(", field by field, before it was signed: ");
  html.Text(differing == 0 ? "all equal" : base::Counted(differing, "field differs", "fields differ"));
  html.Raw("</caption><thead><tr><th scope=\"col\">field</th><th scope=\"col\">profile says</th><th scope=\"col\">");
  html.Text(thing.what).Raw(" has</th><th scope=\"col\">equal</th></tr></thead><tbody>\n");
  for (const ComparedField& row : thing.rows) {
    html.Element("<tr><th scope=\"row\">", row.field, "</th>")
        .Element("<td>", row.wanted, "</td>")
        .Element("<td>", row.found, "</td><td>");
    Chip(row.equal ? Tone::kGood : Tone::kBad, row.equal ? "equal" : "differs", html);
    html.Raw("</td></tr>\n");
  }
  html.Raw("</tbody></table></div>\n");
}

}  // namespace

void Keys(const ReportData& data, Html& html) {
  html.Raw("<section id=\"keys\"><h2>Keys and their copies</h2>\n");
  if (data.keys.empty()) html.Raw("<p class=\"none\">No key was made, copied, used up or destroyed.</p>\n");
  for (const KeyStory& key : data.keys) {
    // Of a key from elsewhere only the public half was taken in: it is on no token.
    const bool is_made_elsewhere = key.here_before || key.Tokens().empty();
    html.Element("<div class=\"keep\"><h3>Key ", key.name, "</h3>\n");
    Facts({{"algorithm", key.algorithm},
           {"usage", key.usage},
           {"may leave its token", is_made_elsewhere ? ""
                                   : key.extractable ? "only wrapped, for a clone"
                                                     : "never"}},
          html);
    if (!key.spki_sha256.empty()) {
      html.Raw("<p>SHA-256 of the public key (SPKI) ");
      Digest(key.spki_sha256, html);
      html.Raw("</p>\n");
    }
    Picture(key, html);
    html.Raw("</div>\n");
    if (key.attributes.empty()) continue;
    html.Raw("<details><summary>Attributes of the private key, read back from the token</summary><table><tbody>\n");
    for (const auto& [name, value] : key.attributes)
      html.Element("<tr><th scope=\"row\"><code>", name, "</code></th>").Element("<td>", value, "</td></tr>\n");
    html.Raw("</tbody></table></details>\n");
  }
  html.Raw("</section>\n");
}

void Certificates(const ReportData& data, Html& html) {
  html.Raw("<section id=\"certificates\"><h2>Certificates, requests and CRLs</h2>\n");
  if (data.issued.empty()) html.Raw("<p class=\"none\">None was signed.</p>\n");
  for (const IssuedThing& thing : data.issued) {
    html.Raw("<h3>").Text(thing.what).Raw(" ").Text(thing.name).Raw(" ");
    Entry(thing.at.entry, html);
    html.Raw("</h3>\n");
    Facts({{thing.what == "CRL" ? "issuer" : "subject", thing.subject},
           {thing.what == "CRL" ? "number" : "serial number", thing.serial},
           {thing.what == "CRL" ? "this update" : "valid from", thing.not_before},
           {thing.what == "CRL" ? "next update" : "valid to", thing.not_after},
           {"key", thing.key},
           {"signed by", thing.issuer_key},
           {"file", thing.artefact}},
          html);
    html.Raw("<p>SHA-256 ");
    Digest(thing.sha256, html);
    html.Raw("</p>\n");
    Comparison(thing, html);
  }
  html.Raw("</section>\n");
}

void Tokens(const ReportData& data, Html& html) {
  html.Raw("<section id=\"tokens\"><h2>Tokens and seals</h2>\n<div class=\"wide\"><table>")
      .Head({"token", "maker, model", "serial", "firmware", "what happened to it"});
  for (const TokenSeen& token : data.tokens) {
    html.Raw("<tr><th scope=\"row\">")
        .Whole(token.name)
        .Raw("</th><td>")
        .Text(token.manufacturer)
        .Raw(" ")
        .Text(token.model);
    html.Element("</td><td><code>", token.serial, "</code></td>").Element("<td>", token.firmware, "</td><td>");
    for (const auto& [time, words] : token.facts) html.Element("<div>", ClockOf(time), " ").Text(words).Raw("</div>");
    html.Raw("</td></tr>\n");
  }
  html.Raw("</tbody></table></div>\n");
  // What people read from a bag or a device and typed stands with its step.
  bool any = false;
  for (const StepStory& step : data.steps) {
    if (step.kind != "room.record" || step.observed.empty()) continue;
    if (!any) html.Raw("<h3>Read and typed</h3>\n<table><tbody>\n");
    any = true;
    html.Element("<tr><th scope=\"row\">", step.title, "</th><td>");
    for (const Observed& seen : step.observed) {
      for (const auto& [name, value] : seen.facts)
        html.Element("<div>", name, ": ").Element("<b>", value, "</b></div>");
    }
    html.Raw("</td></tr>\n");
  }
  if (any) html.Raw("</tbody></table>\n");
  html.Raw("</section>\n");
}

}  // namespace ceremony::report
