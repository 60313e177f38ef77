#include <fmt/format.h>

#include <algorithm>

#include "ceremony/report/json_text.h"
#include "ceremony/report/page.h"
#include "ceremony/report/sections.h"
#include "hsm/base/counted.h"

namespace ceremony::report {

std::string InitialsOf(const std::string& name) {
  std::string initials;
  bool at_start = true;
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (name[at] == ' ') {
      at_start = true;
    } else if (at_start) {
      // A whole character, of whatever length in UTF-8.
      std::size_t end = at + 1;
      while (end < name.size() && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) ++end;
      initials += name.substr(at, end - at);
      at_start = false;
    }
    if (initials.size() > 16) break;
  }
  return initials;
}

void People(const ReportData& data, Html& html) {
  html.Raw("<section id=\"people\"><h2>Who was there, and when</h2>\n");
  std::uint64_t hidden = 0;
  for (const LedgerRow& row : data.ledger.rows) {
    if (row.type == "attend" || row.type == "depart") hidden += row.last - row.first + 1;
  }
  if (hidden > 0) {
    html.Element("<p>", base::Counted(hidden, "entry", "entries"),
                 " of who came and went are withheld. Here is who approved something.</p>\n");
  }
  html.Raw("<table>").Head({"name", "role", "of", "presence", "from", "to", {"approvals", Column::kNumbers}});
  for (const PersonSeen& person : data.people) {
    html.Element("<tr><th scope=\"row\">", person.name.empty() ? person.id : person.name, "");
    if (!person.name.empty()) {
      html.Raw(" ");
      Chip(Tone::kQuiet, person.id, html);
    }
    if (person.simulated) {
      html.Raw(" ");
      Chip(Tone::kWarning, "simulated", html);
    }
    html.Raw("</th><td>").Text(Spoken(Joined(person.roles), '-'));
    if (!person.deputy_for.empty()) html.Raw(", deputy of ").Text(data.NameOf(person.deputy_for));
    html.Element("</td><td>", person.employer, "</td>");
    if (person.stays.empty()) {
      html.Raw("<td colspan=\"3\" class=\"none\">");
      html.Text(!person.apology.empty() ? "apologised: " + person.apology
                : hidden > 0            ? "withheld"
                                        : "not taken down in the room")
          .Raw("</td>");
    } else {
      html.Raw("<td>");
      for (std::size_t i = 0; i < person.stays.size(); ++i) {
        if (i > 0) html.Raw("<br>");
        html.Text(Spoken(person.stays[i].presence, '-'));
        if (!person.stays[i].hours.empty()) html.Raw(", ").Whole(person.stays[i].hours);
      }
      html.Raw("</td><td class=\"t\">");
      for (std::size_t i = 0; i < person.stays.size(); ++i) {
        if (i > 0) html.Raw("<br>");
        html.Text(ClockOf(person.stays[i].from.time)).Raw(" ");
        Entry(person.stays[i].from.entry, html);
      }
      html.Raw("</td><td class=\"t\">");
      for (std::size_t i = 0; i < person.stays.size(); ++i) {
        if (i > 0) html.Raw("<br>");
        if (person.stays[i].until.known()) {
          html.Text(ClockOf(person.stays[i].until.time)).Raw(" ");
          Entry(person.stays[i].until.entry, html);
        } else {
          html.Raw("the end");
        }
      }
      html.Raw("</td>");
    }
    html.Raw("<td class=\"n\">").Number(static_cast<std::int64_t>(person.approvals)).Raw("</td></tr>\n");
  }
  html.Raw("</tbody></table>\n");
  if (hidden == 0 && !data.absent.empty())
    html.Element("<p>Of the roster, and not there: ", Joined(data.absent), ".</p>\n");
  html.Raw("</section>\n");
}

namespace {

std::string TitleOf(const Approval& approval, const ReportData& data) {
  if (approval.step == "opening") return "The opening of the record";
  constexpr std::string_view kSection = "section:";
  if (approval.step.starts_with(kSection)) return "Section " + approval.step.substr(kSection.size());
  for (const StepStory& step : data.steps) {
    if (step.id == approval.step && step.number > 0) return fmt::format("Step {}, {}", step.number, step.id);
  }
  return "Step " + approval.step;
}

void Slots(const Approval& approval, const ReportData& data, Html& html) {
  html.Raw("<ol class=\"slots\">");
  std::size_t count = 0;
  for (const Signature& signature : approval.signatures) {
    ++count;
    html.Element("<li class=\"slot signed\"><b>", data.NameOf(signature.person), "</b>");
    html.Text("after " + Took(signature.at.micros - approval.at.micros)).Raw(" ");
    Entry(signature.at.entry, html);
    html.Raw("</li>");
  }
  for (auto missing = static_cast<std::int64_t>(count); missing < std::min<std::int64_t>(approval.m, 100); ++missing)
    html.Raw("<li class=\"slot needed\"><b>missing</b>needed</li>");
  html.Raw("</ol>\n");
}

}  // namespace

void Approvals(const ReportData& data, Html& html) {
  html.Raw(
      "<section id=\"approvals\"><h2>Approvals</h2>\n<p>Each is a cosignature on the record as it stood: it covers "
      "all that happened before, the step and its parameters, and counts by person.</p>\n");
  if (data.approvals.empty()) html.Raw("<p class=\"none\">None was asked for.</p>\n");
  for (const Approval& approval : data.approvals) {
    const auto met = approval.Met();
    html.Element("<div class=\"approval\"><h3>", TitleOf(approval, data), " ");
    if (!approval.ended_by.empty()) {
      const std::string who = approval.ended_person.empty() ? "" : " by " + data.NameOf(approval.ended_person);
      Chip(Tone::kBad, fmt::format("ended{}: {}", who, approval.ended_by), html);
    } else if (met) {
      Chip(Tone::kGood,
           fmt::format("{} of {}, met after {}", approval.m, approval.n, Took(met->micros - approval.at.micros)), html);
    } else {
      Chip(Tone::kBad, fmt::format("{} of {} needed, {} came", approval.m, approval.n, approval.People()), html);
    }
    html.Raw("</h3>\n<p>").Text(approval.statement).Raw("</p>\n<p class=\"id\">asked of ");
    html.Text(approval.quorum).Raw(" at ").Text(ClockOf(approval.at.time)).Raw(" ");
    Entry(approval.at.entry, html);
    html.Raw(" · SHA-256 of what was approved ");
    Digest(approval.subject_sha256.substr(0, 16), html);
    html.Raw("…</p>\n");
    Slots(approval, data, html);
    html.Raw("</div>\n");
  }
  html.Raw("</section>\n");
}

void HandOvers(const ReportData& data, Html& html) {
  html.Raw("<section id=\"shares\"><h2>Shares handed over</h2>\n");
  if (data.hand_overs.empty()) html.Raw("<p class=\"none\">No PIN was shared out in this ceremony.</p>\n");
  for (const HandOver& set : data.hand_overs) {
    html.Raw("<h3>Token ").Text(set.token).Raw(" ");
    Chip(set.in_force ? Tone::kGood : Tone::kWarning, set.in_force ? "in force" : "never in force", html);
    html.Raw("</h3>\n");
    Facts({{"set", set.set},
           {"generation", std::to_string(set.generation)},
           {"opened by", fmt::format("{} of {}", set.m, set.holders.size())},
           {"quorum", set.quorum}},
          html);
    html.Raw("<table><caption>A commitment says which share a holder has without saying the share.</caption>")
        .Head({"holder", "opened and confirmed", "commitment, user PIN", "commitment, security officer PIN"});
    for (const ShareHolder& holder : set.holders) {
      html.Element("<tr><th scope=\"row\">", data.NameOf(holder.person), "</th><td class=\"t\">");
      if (holder.confirmed.known()) {
        html.Text(ClockOf(holder.confirmed.time)).Raw(" ");
        Entry(holder.confirmed.entry, html);
      } else {
        html.Raw("<span class=\"gap\">not confirmed</span>");
      }
      html.Raw("</td><td>");
      Digest(holder.user.substr(0, 32), html);
      html.Raw("…</td><td>");
      Digest(holder.officer.substr(0, 32), html);
      html.Raw("…</td></tr>\n");
    }
    html.Raw("</tbody></table>\n");
  }
  if (!data.logins.empty()) {
    html.Raw("<h3>Tokens opened with shares</h3>\n<table>").Head({"time", "entry", "token", "PIN", "shares of"});
    for (const Login& login : data.logins) {
      html.Element("<tr><td class=\"t\">", ClockOf(login.at.time), "</td><td class=\"e\">");
      Entry(login.at.entry, html);
      std::vector<std::string> names;
      for (const std::string& person : login.people) names.push_back(data.NameOf(person));
      html.Element("</td><td>", login.token, "</td>").Element("<td>", Spoken(login.pin, '-'), "</td>");
      html.Element("<td>", Joined(names), "</td></tr>\n");
    }
    html.Raw("</tbody></table>\n");
  }
  html.Raw("</section>\n");
}

void Signatures(const ReportData& data, Html& html) {
  html.Raw("<section id=\"signatures\"><h2>Signatures</h2>\n<h3>In the record</h3>\n");
  const auto names = [&](const std::vector<std::string>& people) {
    std::vector<std::string> out;
    out.reserve(people.size());
    for (const std::string& person : people) out.push_back(data.NameOf(person));
    return out.empty() ? std::string("nobody") : Joined(out);
  };
  html.Raw("<table><tbody><tr><th scope=\"row\">final checkpoint, cosigned by</th><td>")
      .Text(names(data.final_cosigners))
      .Raw("</td></tr>\n<tr><th scope=\"row\">addendum, signed by</th><td>")
      .Text(names(data.addendum_signers))
      .Raw("</td></tr>\n<tr><th scope=\"row\">end of the log key</th><td>")
      .Text(data.addendum.empty() ? "not in the record" : data.addendum)
      .Raw("</td></tr></tbody></table>\n");
  html.Raw(
      "<div class=\"keep\">\n<h3>On this report</h3>\n<p>I have read this report. It says what I saw, and "
      "every deviation is in it.</p>\n<div class=\"sign\">");
  for (const PersonSeen& person : data.people) {
    if (person.stays.empty()) continue;
    html.Element("<div>", person.name.empty() ? person.id : person.name, ", ");
    html.Text(Spoken(Joined(person.roles), '-')).Raw("</div>");
  }
  html.Raw("<div>independent person, name and date</div></div>\n</div>\n</section>\n");
}

}  // namespace ceremony::report
