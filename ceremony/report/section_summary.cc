#include <fmt/format.h>

#include <algorithm>

#include "ceremony/record/rules.h"
#include "ceremony/report/json_text.h"
#include "ceremony/report/page.h"
#include "ceremony/report/sections.h"
#include "hsm/base/clock_text.h"
#include "hsm/base/counted.h"
#include "hsm/base/encoding.h"
#include "hsm/base/words.h"

namespace ceremony::report {
namespace {

using record::Verdict;

struct VerdictWords {
  Tone tone;
  std::string_view says;
};

VerdictWords WordsOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kComplete:
      return {Tone::kGood,
              "The record is closed, every digest and signature holds, and a quorum of the custodians whose keys were "
              "given vouches for it."};
    case Verdict::kUnpinned:
      return {
          Tone::kWarning,
          "The record agrees with itself from its first byte to its last. Nobody vouches for the custodians' keys in "
          "it: this report was made without a roster."};
    case Verdict::kIncomplete:
      return {Tone::kBad, "What is here is good, but it is not the whole of a finished ceremony."};
    case Verdict::kFork:
      return {Tone::kBad, "The log key has signed two histories that cannot both be true."};
    case Verdict::kInvalid:
      break;
  }
  return {Tone::kBad, "Something does not verify. Do not rely on this record, nor on this report."};
}

Markup BandOf(Tone tone) {
  switch (tone) {
    case Tone::kGood:
      return "<div class=\"band good\" role=\"status\">";
    case Tone::kWarning:
      return "<div class=\"band warning\" role=\"status\">";
    default:
      return "<div class=\"band bad\" role=\"status\">";
  }
}

std::size_t CountRemarks(const ReportData& data, std::string_view type) {
  return static_cast<std::size_t>(std::count_if(data.remarks.begin(), data.remarks.end(),
                                                [&](const Remark& remark) { return remark.type == type; }));
}

void Count(std::uint64_t number, std::string_view one, std::string_view many, Html& html) {
  html.Raw("<li><b>").Number(static_cast<std::int64_t>(number));
  html.Raw("</b><span>").Text(number == 1 ? one : many).Raw("</span></li>");
}

}  // namespace

void Masthead(const ReportData& data, Html& html) {
  html.Raw("<header class=\"top\">\n<p class=\"kicker\">Ceremony report");
  if (!data.classification.empty()) html.Raw(" · ").Text(data.classification);
  if (data.mode == "rehearsal") html.Raw(" · rehearsal");
  html.Raw("</p>\n<h1>").Text(data.title.empty() ? data.ceremony : data.title).Raw("</h1>\n");
  html.Raw("<p class=\"lead\">").Text(data.purpose).Raw("</p>\n");
  VerdictBand(data, html);
  const auto done = static_cast<std::uint64_t>(std::count_if(
      data.steps.begin(), data.steps.end(), [](const StepStory& step) { return step.Outcome() == "ended"; }));
  html.Raw("<ul class=\"counts\">");
  const std::string of_all = fmt::format("of {} done", base::Counted(data.steps.size(), "step", "steps"));
  Count(done, of_all, of_all, html);
  Count(data.approvals.size(), "approval asked for", "approvals asked for", html);
  Count(data.keys.size(), "key", "keys", html);
  Count(data.issued.size(), "certificate or CRL", "certificates and CRLs", html);
  Count(CountRemarks(data, "deviation"), "deviation", "deviations", html);
  Count(CountRemarks(data, "refusal"), "refusal", "refusals", html);
  html.Element("<li><b>", Took(data.ended.micros - data.began.micros),
               "</b><span>from first to last entry</span></li>");
  html.Raw("</ul>\n</header>\n");
}

void VerdictBand(const ReportData& data, Html& html) {
  const VerdictWords words = WordsOf(data.verdict.verdict);
  html.Raw(BandOf(words.tone)).Element("<strong>", record::VerdictName(data.verdict.verdict), "</strong>");
  html.Element("<p>", words.says, "</p></div>\n");
  if (!data.called_off) return;
  html.Raw(BandOf(Tone::kBad)).Raw("<strong>CALLED OFF</strong>");
  html.Raw("<p>The people ended this ceremony before its script was done, because: ").Text(*data.called_off);
  html.Raw("<br>What was not done stands among the open items.</p></div>\n");
}

void VerdictSection(const ReportData& data, Html& html) {
  html.Raw("<section id=\"verdict\"><h2>Verdict</h2>\n");
  Facts({{"record", data.ceremony},
         {"origin", data.origin},
         {"entries", fmt::format("{}, {}", data.verdict.entries, data.verdict.closed ? "closed" : "not closed")},
         {"signed",
          data.verdict.last ? "the first " + base::Counted(data.verdict.last->size, "entry", "entries") : "nothing"},
         {"custodians' keys", data.pinned ? "compared with the roster that was given" : "not compared with a roster"},
         {"report made", TimeInWords(data.made_at)}},
        html);
  if (data.verdict.last) {
    const bool is_whole = data.verdict.last->size == data.verdict.entries;
    html.Element("<h3>The digest of ",
                 is_whole ? std::string("the whole log")
                          : fmt::format("the first {} of {}", data.verdict.last->size,
                                        base::Counted(data.verdict.entries, "entry", "entries")),
                 "</h3>\n");
    html.Raw("<p>Whoever was in the room can compare it with what they signed.</p>\n<p>");
    Digest(base::HexEncode(data.verdict.last->root), html);
    html.Raw("</p>\n<p class=\"words\">").Text(Joined(base::PgpWords(data.verdict.last->root), " ")).Raw("</p>\n");
  }
  html.Raw("<h3>What the verifier found</h3>\n");
  if (data.verdict.findings.empty()) {
    html.Raw("<p class=\"none\">Nothing.</p>\n");
  } else {
    html.Raw("<table>").Head({"rule", "entry", "what was found", "the rule says"});
    for (const record::Finding& finding : data.verdict.findings) {
      const record::Rule* const rule = record::FindRule(finding.rule);
      html.Raw("<tr><td class=\"t\">");
      Chip(rule != nullptr && rule->severity == record::Severity::kNotice ? Tone::kQuiet : Tone::kBad, finding.rule,
           html);
      html.Raw("</td><td class=\"e\">");
      if (finding.entry) Entry(*finding.entry, html);
      html.Raw("</td><td>").Text(finding.message).Raw("</td><td>");
      if (rule != nullptr) html.Text(rule->sentence);
      html.Raw("</td></tr>\n");
    }
    html.Raw("</tbody></table>\n");
    if (data.verdict.more > 0)
      html.Raw("<p>and ").Number(static_cast<std::int64_t>(data.verdict.more)).Raw(" more</p>\n");
  }
  if (data.unreadable > 0) {
    html.Raw("<p class=\"bad\">")
        .Text(base::Counted(data.unreadable, "line of the log could", "lines of the log could"))
        .Raw(" not be read and are left out below.</p>\n");
  }
  if (data.cut_short) {
    html.Raw(
        "<p class=\"bad\">The log goes on with a line that is longer than an entry may be. "
        "It and everything after it are left out below.</p>\n");
  }
  html.Raw("</section>\n");
}

void Circumstances(const ReportData& data, Html& html) {
  html.Raw("<section id=\"circumstances\"><h2>Circumstances</h2>\n");
  std::vector<NameValue> facts = {
      {"reference", data.ceremony},
      {"estate", data.estate},
      {"type", data.mode},
      {"environment", data.environment},
      {"classification", data.classification},
      {"date", base::DayOf(data.began.time)},
      {"site", data.site},
      {"from", ClockOf(data.began.time) + " UTC"},
      {"to", ClockOf(data.ended.time) + " UTC"},
      {"record before", data.previous.empty() ? "none: the first of its archive" : data.previous}};
  if (!data.left_behind.empty()) facts.emplace_back("left behind", data.left_behind);
  if (data.recoveries > 0)
    facts.emplace_back("interruptions", base::Counted(data.recoveries, "time", "times") +
                                            " gone on with after a failure, a pause or a crash");
  Facts(facts, html);
  html.Raw("<h3>Time source</h3>\n");
  if (data.clock.empty()) {
    html.Raw("<p class=\"none\">The machine's clock was not compared with another one.</p>\n");
  } else {
    Facts(data.clock, html);
  }
  html.Raw("<h3>Script and policy</h3>\n<table class=\"stack\"><tbody>\n");
  const auto file = [&](Markup what, const std::string& name, const std::string& digest) {
    if (name.empty()) return;
    html.Raw(what).Text(name).Raw("</td><td>");
    Digest(digest, html);
    if (const auto bytes = base::HexDecode(digest); bytes.ok() && bytes->size() == 32)
      html.Raw("<div class=\"words\">").Text(Joined(base::PgpWords(*bytes), " ")).Raw("</div>");
    html.Raw("</td></tr>\n");
  };
  file("<tr><th scope=\"row\">script</th><td>", data.script_name, data.script_sha256);
  file("<tr><th scope=\"row\">policy</th><td>", data.policy_name, data.policy_sha256);
  html.Raw("</tbody></table>\n</section>\n");
}

void Remarks(const ReportData& data, Html& html) {
  html.Raw("<section id=\"remarks\"><h2>Deviations and refusals</h2>\n");
  if (!data.findings.empty()) {
    html.Raw("<h3>Good practice that the plan departed from</h3>\n<table><tbody>\n");
    for (const auto& [rule, message] : data.findings) {
      html.Raw("<tr><th scope=\"row\">");
      Chip(Tone::kWarning, rule, html);
      html.Raw("</th><td>").Text(message).Raw("</td></tr>\n");
    }
    html.Raw("</tbody></table>\n");
  }
  if (data.remarks.empty()) {
    html.Raw(
        "<p class=\"none\">Nothing differed from the script, nothing was refused, and nobody had anything "
        "noted.</p>\n");
  } else {
    html.Raw("<table>").Head({"time", "entry", "what", "rule", "step", "words"});
    for (const Remark& remark : data.remarks) {
      html.Element("<tr><td class=\"t\">", ClockOf(remark.at.time), "</td><td class=\"e\">");
      if (!remark.in_addendum) Entry(remark.at.entry, html);
      html.Raw("</td><td>");
      Chip(remark.type == "note"      ? Tone::kQuiet
           : remark.type == "refusal" ? Tone::kBad
                                      : Tone::kWarning,
           remark.Name(), html);
      html.Element("</td><td class=\"t\">", remark.rule, "</td><td>").Text(remark.step).Raw("</td><td>");
      // Most sentences begin with who said it.
      const std::string who = data.NameOf(remark.person);
      if (!who.empty() && !remark.text.starts_with(who)) html.Element("<b>", who, "</b> ");
      html.Text(remark.text).Raw("</td></tr>\n");
    }
    html.Raw("</tbody></table>\n");
  }
  html.Raw("<h3>Open items</h3>\n");
  if (!data.closed) {
    html.Raw("<p class=\"bad\">The ceremony was not closed: nobody has said what is open.</p>\n");
  } else if (data.open_items.empty()) {
    html.Raw("<p class=\"none\">None at the close.</p>\n");
  } else {
    html.Raw("<ul>");
    for (const std::string& item : data.open_items) html.Element("<li>", item, "</li>");
    html.Raw("</ul>\n");
  }
  html.Raw("</section>\n");
}

}  // namespace ceremony::report
