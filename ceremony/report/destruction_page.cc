#include "ceremony/report/destruction_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/record/entry.h"
#include "ceremony/record/reader.h"
#include "ceremony/report/assets.h"
#include "ceremony/report/json_text.h"
#include "ceremony/report/page.h"
#include "hsm/base/clock_text.h"
#include "hsm/base/counted.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::report {
namespace {

// "2026-11-21 09:14 UTC"; empty for an empty time.
std::string UtcMinuteOf(const std::string& time) { return time.empty() ? time : MinuteOf(time) + " UTC"; }

using nlohmann::json;

constexpr const char* kKind = "certificate-of-destruction";
constexpr std::size_t kLargestCertificate = 1 << 20;

const json& ListOf(const json& object, const char* name) {
  static const json none = json::array();
  const json& list = MemberOf(object, name);
  return list.is_array() ? list : none;
}

std::string OrNone(const std::string& text, const char* none) { return text.empty() ? none : text; }

void Authority(const ReportData& data, const json& certificate, const json& key, Html& html) {
  const json& authority = MemberOf(certificate, "authority");
  html.Raw("<h3>Authority</h3>\n");
  Facts({{"ceremony", data.title.empty() ? data.ceremony : data.title},
         {"environment", TextOf(certificate, "mode")},
         {"policy", TextOf(authority, "policy") + " " + TextOf(authority, "policy_version")},
         {"hold ended on", OrNone(TextOf(key, "hold_until"), "the key was not held")},
         {"destroyed on", UtcMinuteOf(TextOf(certificate, "on"))}},
        html);
  html.Raw("<p>SHA-256 of the script ");
  Digest(TextOf(authority, "script_sha256"), html);
  html.Raw("</p>\n");
}

void TheKey(const json& key, Html& html) {
  html.Raw("<h3>The key</h3>\n");
  const json& use = MemberOf(key, "use");
  const std::string capped = TextOf(key, "cap_reached_on");
  Facts({{"name", TextOf(key, "name")},
         {"algorithm", TextOf(key, "algorithm")},
         {"PKI domain", TextOf(key, "domain")},
         {"made", fmt::format("{}, {}", base::DayOf(TextOf(key, "made_on")), TextOf(key, "made_in"))},
         {"out of use since", UtcMinuteOf(TextOf(key, "deactivated_on"))},
         {"because", Spoken(TextOf(key, "deactivated_because"), '-')},
         {"cap", capped.empty() ? "not reached"
                                : fmt::format("reached {}; {} to the deactivation", UtcMinuteOf(capped),
                                              base::Counted(IntegerOf(key, "minutes_from_cap_to_deactivation"),
                                                            "minute", "minutes"))},
         // A root's signature over its own certificate is not among them.
         {"signatures for others, as stated",
          use.is_object() ? std::to_string(IntegerOf(use, "count")) : std::string("nobody has said")},
         {"first use", UtcMinuteOf(TextOf(use, "first_use"))},
         {"last use", UtcMinuteOf(TextOf(use, "last_use"))},
         {"use stated by", TextOf(use, "stated_by")}},
        html);
  html.Raw("<p>SHA-256 of the public key (SPKI) ");
  Digest(TextOf(key, "spki_sha256"), html);
  html.Raw("</p>\n");
  const json& certificates = ListOf(key, "certificates");
  if (certificates.empty()) return;
  html.Raw("<table>").Head({"certificate", "subject", "serial", "not after"});
  for (const json& each : certificates) {
    html.Raw("<tr><th scope=\"row\">")
        .Whole(TextOf(each, "name"))
        .Element("</th><td>", TextOf(each, "subject"), "</td>")
        .Element("<td><code>", TextOf(each, "serial"), "</code></td>")
        .Element("<td class=\"t\">", base::DayOf(TextOf(each, "not_after")), "</td></tr>\n");
  }
  html.Raw("</tbody></table>\n");
}

// Who cosigned what the step asked of this token. A request that was ended, or that too few signed, has approved
// nothing; one that was met before a try failed has, and so has the one of the next try.
std::string ApprovedBy(const ReportData& data, const std::string& step, const std::string& token) {
  std::vector<std::string> names;
  for (const Approval& approval : data.approvals) {
    if (approval.step != step || !approval.ended_by.empty() || !approval.Met()) continue;
    if (std::ranges::find(approval.subject, NameValue{"token", token}) == approval.subject.end()) continue;
    for (const Signature& signature : approval.signatures) {
      std::string name = data.NameOf(signature.person);
      if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    }
  }
  return Joined(names);
}

void Copies(const ReportData& data, const DestructionFile& file, const json& certificate, Html& html) {
  html.Raw("<h3>Every copy</h3>\n");
  for (const json& copy : ListOf(certificate, "copies")) {
    // A copy that was gone before this step names the record that says so, and there stands who approved it.
    const std::string record = TextOf(copy, "record");
    const std::string token = TextOf(copy, "token");
    html.Raw("<div class=\"keep\">\n<h4>").Text(TextOf(copy, "kind")).Element(": ", token, "</h4>\n");
    Facts({{"serial of the HSM", TextOf(copy, "serial")},
           {"object id", TextOf(copy, "object_id")},
           {"method", TextOf(copy, "method")},
           {"time", UtcMinuteOf(TextOf(copy, "on"))},
           {"ceremony", record},
           {"approved by", record.empty() ? ApprovedBy(data, file.step, token) : ""},
           {"accounted for by", TextOf(copy, "reason")}},
          html);
    for (const char* digest : {"evidence_sha256", "file_sha256"}) {
      if (TextOf(copy, digest).empty()) continue;
      html.Raw("<p>SHA-256 of the document or file ");
      Digest(TextOf(copy, digest), html);
      html.Raw("</p>\n");
    }
    const std::vector<std::string> tests = TextsOf(copy, "tests");
    if (!tests.empty()) {
      html.Raw("<p>Shown afterwards:</p>\n<ul>");
      for (const std::string& test : tests) html.Raw("<li>").Whole(test).Raw("</li>");
      html.Raw("</ul>\n");
    }
    html.Raw("</div>\n");
  }
}

void People(const json& certificate, Html& html) {
  html.Raw("<h3>Who was there</h3>\n<table><tbody>\n");
  const json& people = MemberOf(certificate, "people");
  for (const auto& [member, words] :
       {std::pair("administrators", "administrators"), std::pair("custodians", "custodians"),
        std::pair("security_officers", "security officers"), std::pair("witnesses", "witnesses"),
        std::pair("auditors", "auditors")}) {
    std::vector<std::string> names;
    for (const json& person : ListOf(people, member)) names.push_back(TextOf(person, "name"));
    html.Raw("<tr><th scope=\"row\">")
        .Text(words)
        .Element("</th><td>", names.empty() ? "nobody" : Joined(names), "</td></tr>\n");
  }
  html.Raw("</tbody></table>\n");
}

void Signatures(const ReportData& data, const DestructionFile& file, const json& certificate, Html& html) {
  const auto names = [&](const std::vector<std::string>& people) {
    std::vector<std::string> out;
    out.reserve(people.size());
    for (const std::string& person : people) out.push_back(data.NameOf(person));
    return out.empty() ? std::string("nobody") : Joined(out);
  };
  html.Raw("<div class=\"keep\">\n<h3>Signatures</h3>\n<table><tbody>\n<tr><th scope=\"row\">record</th><td>")
      .Text(data.origin)
      .Raw("</td></tr>\n<tr><th scope=\"row\">verdict</th><td>");
  Chip(data.verdict.verdict == record::Verdict::kComplete ? Tone::kGood : Tone::kWarning,
       record::VerdictName(data.verdict.verdict), html);
  html.Raw("</td></tr>\n<tr><th scope=\"row\">root of the log</th><td>");
  if (data.verdict.log_root) Digest(base::HexEncode(*data.verdict.log_root), html);
  html.Raw("</td></tr>\n<tr><th scope=\"row\">this certificate</th><td>").Text(file.name).Raw("<br>");
  Digest(file.sha256, html);
  html.Raw("</td></tr>\n<tr><th scope=\"row\">final checkpoint, cosigned by</th><td>")
      .Text(names(data.final_cosigners))
      .Raw("</td></tr>\n<tr><th scope=\"row\">addendum, signed by</th><td>")
      .Text(names(data.addendum_signers))
      .Raw("</td></tr></tbody></table>\n</div>\n");
  html.Raw("<p>On paper: the copies that are listed here were destroyed in my presence, as this page says.</p>\n")
      .Raw("<div class=\"sign\">");
  const json& people = MemberOf(certificate, "people");
  for (const char* role : {"security_officers", "witnesses", "auditors"}) {
    for (const json& person : ListOf(people, role)) html.Element("<div>", TextOf(person, "name"), ", date</div>");
  }
  html.Raw("<div>independent person, name and date</div></div>\n");
}

void Sheet(const ReportData& data, const DestructionFile& file, Html& html) {
  const json certificate = json::parse(file.bytes, nullptr, false);
  html.Raw("<section class=\"certificate\">\n");
  if (!certificate.is_object()) {
    html.Element("<h2>", file.name, "</h2>\n<p class=\"bad\">This file is no certificate.</p></section>\n");
    return;
  }
  const json& key = MemberOf(certificate, "key");
  html.Element("<h2>Key ", TextOf(key, "name"), "</h2>\n");
  Authority(data, certificate, key, html);
  TheKey(key, html);
  Copies(data, file, certificate, html);
  html.Element("<p><b>", TextOf(certificate, "statement"), "</b></p>\n");
  html.Element("<h3>What this cannot say</h3>\n<p>", TextOf(certificate, "limits"), "</p>\n");
  const std::vector<std::string> deviations = TextsOf(certificate, "deviations");
  html.Raw("<h3>Deviations</h3>\n");
  if (deviations.empty()) html.Raw("<p class=\"none\">There were none.</p>\n");
  if (!deviations.empty()) html.Raw("<ul>");
  for (const std::string& deviation : deviations) html.Element("<li>", deviation, "</li>");
  if (!deviations.empty()) html.Raw("</ul>\n");
  People(certificate, html);
  Signatures(data, file, certificate, html);
  html.Raw("</section>\n");
}

}  // namespace

base::Result<std::vector<DestructionFile>> ReadDestructions(const std::string& record, const ReportData& data,
                                                            const std::string& key) {
  KC_ASSIGN_OR_RETURN(const record::RecordFolder folder, record::RecordFolder::Open(record));
  std::vector<DestructionFile> files;
  const std::string wanted = "destruction/" + key + ".destruction.json";
  for (const FileNamed& artefact : data.artefacts) {
    if (artefact.kind != kKind || !record::IsSafePath(artefact.name)) continue;
    if (!key.empty() && artefact.name != wanted) continue;
    KC_ASSIGN_OR_RETURN(std::string bytes, folder.ReadSmall("artefacts/" + artefact.name, kLargestCertificate));
    if (base::Sha256Hex(bytes) != artefact.sha256) {
      return base::MakeError(base::ErrorCode::kCorrupt,
                             fmt::format("{} has the SHA-256 {}, the log says {}", artefact.name,
                                         base::Sha256Hex(bytes), artefact.sha256))
          .WithRule("ART-DIGEST")
          .WithHint("somebody changed the file; stop, and find out who");
    }
    files.push_back({artefact.name, artefact.sha256, std::move(bytes), artefact.step});
  }
  if (files.empty()) {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           key.empty() ? fmt::format("{} destroyed no key", record)
                                       : fmt::format("{} has no certificate of destruction of key {}", record, key))
        .WithHint("`keyceremony status ARCHIVE` says in which ceremony a key was destroyed");
  }
  return files;
}

std::string DestructionPage(const ReportData& data, const std::vector<DestructionFile>& certificates) {
  Html body;
  body.Raw("<header class=\"top\">\n<p class=\"kicker\">Certificate of key destruction</p>\n<h1>");
  body.Text(data.estate.empty() ? data.ceremony : data.estate).Raw("</h1>\n");
  Facts({{"keys", std::to_string(certificates.size())},
         {"ceremony", data.ceremony},
         {"held", UtcMinuteOf(data.began.time)},
         {"classification", data.classification},
         {"made", UtcMinuteOf(data.made_at)}},
        body);
  body.Raw(
      "<p>It says what the record says. Whether the record deserves to be believed is for <code>keyceremony "
      "verify</code> to say; its verdict stands with the signatures.</p>\n</header>\n<main id=\"main\">\n");
  for (const DestructionFile& file : certificates) Sheet(data, file, body);
  body.Raw("</main>\n");
  PageOptions options;
  options.title = "Certificate of key destruction";
  options.style = assets::kReportCss;
  if (data.verdict.verdict != record::Verdict::kComplete && data.verdict.verdict != record::Verdict::kUnpinned)
    options.warnings.emplace_back(record::VerdictName(data.verdict.verdict));
  if (data.mode == "rehearsal") options.warnings.emplace_back("REHEARSAL: these keys are worth nothing");
  options.footer = fmt::format("Certificate of key destruction, {}, {}", data.ceremony, base::DayOf(data.began.time));
  return BuildPage(options, body);
}

}  // namespace ceremony::report
