#include "ceremony/report/inventory.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/report/assets.h"
#include "ceremony/report/page.h"
#include "hsm/base/clock_text.h"

namespace ceremony::report {
namespace {

// Where each key is, at a glance: a row a key, a column a token.
void Matrix(const estate::Estate& estate, Html& html) {
  constexpr std::size_t kMostColumns = 12;
  if (estate.tokens().size() > kMostColumns || estate.keys().empty()) return;
  html.Raw("<section><h2>Keys and tokens</h2>\n<div class=\"wide\"><table><thead><tr><th scope=\"col\">key</th>");
  for (const estate::Token& token : estate.tokens()) html.Element("<th scope=\"col\">", token.name, "</th>");
  html.Raw("</tr></thead><tbody>\n");
  for (const estate::Key& key : estate.keys()) {
    html.Element("<tr><th scope=\"row\">", key.name, "</th>");
    for (const estate::Token& token : estate.tokens()) {
      html.Raw("<td>");
      if (const estate::Copy* copy = key.FindCopy(token.name); copy != nullptr) {
        Chip(Tone::kGood, copy->kind, html);
      } else {
        // The last one that was there, and what became of it.
        const auto past = std::find_if(key.copies.rbegin(), key.copies.rend(),
                                       [&](const estate::Copy& each) { return each.token == token.name; });
        html.Text(past == key.copies.rend() ? "–" : past->state);
      }
      html.Raw("</td>");
    }
    html.Raw("</tr>\n");
  }
  html.Raw("</tbody></table></div></section>\n");
}

void KeyCard(const estate::Key& key, const estate::Estate& estate, Html& html) {
  html.Element("<div class=\"keep\"><h3>", key.name, " ");
  Chip(key.state == "active" ? Tone::kGood : Tone::kWarning, key.state, html);
  html.Raw("</h3>\n");
  Facts({{"algorithm", key.algorithm},
         {"usage", key.usage},
         {"may be cloned", key.extractable ? "yes, wrapped" : "no"},
         {"made", key.since.ceremony + ", " + base::DayOf(key.since.time)}},
        html);
  html.Raw("<p>SHA-256 of the public key (SPKI) ");
  Digest(key.spki_sha256, html);
  html.Raw("</p>\n<table>").Head({"copy", "token", "serial", "object id", "since", "state"});
  for (const estate::Copy& copy : key.copies) {
    html.Element("<tr><th scope=\"row\">", copy.kind, "</th><td>").Whole(copy.token).Raw("</td>");
    html.Element("<td><code>", copy.serial, "</code></td>").Element("<td><code>", copy.object_id, "</code></td>");
    html.Element("<td class=\"t\">", base::DayOf(copy.since.time), "</td><td>").Text(copy.state);
    if (!copy.in_place()) html.Raw(", ").Whole(base::DayOf(copy.ended.time));
    html.Raw("</td></tr>\n");
  }
  html.Raw("</tbody></table>\n");
  for (const estate::Certificate& certificate : estate.certificates()) {
    if (certificate.key != key.name) continue;
    html.Raw("<p>certificate <b>").Whole(certificate.name).Raw("</b>, ").Text(certificate.subject);
    html.Whole(fmt::format(", {} to {}", base::DayOf(certificate.not_before), base::DayOf(certificate.not_after)))
        .Raw("</p>\n");
  }
  html.Raw("</div>\n");
}

}  // namespace

std::string Inventory(const estate::Folded& folded, const std::string& made_at) {
  const estate::Estate& estate = folded.estate;
  Html body;
  body.Raw("<header class=\"top\">\n<p class=\"kicker\">Key inventory</p>\n<h1>");
  const std::string origin = folded.records.empty() ? std::string() : folded.records.back().origin;
  body.Text(origin.empty() ? "An estate without records" : origin.substr(0, origin.find('/'))).Raw("</h1>\n");
  Facts({{"keys", std::to_string(estate.keys().size())},
         {"tokens", std::to_string(estate.tokens().size())},
         {"records", std::to_string(folded.records.size())},
         {"newest record", folded.records.empty() ? "" : folded.records.back().folder},
         {"made", MinuteOf(made_at) + " UTC"}},
        body);
  body.Raw(
      "<p>It is what the records of the archive add up to. Whether they deserve to be believed is for "
      "<code>keyceremony verify</code> to say.</p>\n</header>\n<main id=\"main\">\n");
  Matrix(estate, body);
  body.Raw("<section><h2>Key by key</h2>\n");
  if (estate.keys().empty()) body.Raw("<p class=\"none\">There is no key.</p>\n");
  for (const estate::Key& key : estate.keys()) KeyCard(key, estate, body);
  body.Raw("</section>\n<section><h2>Tokens</h2>\n<table>")
      .Head({"token", "role, domain", "maker, model", "serial", "firmware", "state"});
  for (const estate::Token& token : estate.tokens()) {
    body.Raw("<tr><th scope=\"row\">")
        .Whole(token.name)
        .Element("</th><td>", token.role + ", " + token.domain, "</td>");
    body.Element("<td>", token.manufacturer + " " + token.model, "</td>")
        .Element("<td><code>", token.serial, "</code></td>");
    body.Element("<td>", token.firmware, "</td>").Element("<td>", token.state, "</td></tr>\n");
  }
  body.Raw("</tbody></table>\n</section>\n");
  bool rehearsal = false, unfinished = false;
  for (const estate::RecordSummary& record : folded.records) {
    rehearsal = rehearsal || record.mode == "rehearsal";
    unfinished = unfinished || !record.complete;
  }
  body.Raw("</main>\n");
  PageOptions options;
  options.title = "Key inventory";
  options.style = assets::kReportCss;
  if (unfinished) options.warnings.emplace_back("INCOMPLETE: a record is not complete");
  if (rehearsal) options.warnings.emplace_back("REHEARSAL: these keys are worth nothing");
  options.footer = "Key inventory, " + MinuteOf(made_at) + " UTC";
  return BuildPage(options, body);
}

}  // namespace ceremony::report
