#include "ceremony/report/ceremony_report.h"

#include <fmt/format.h>

#include "ceremony/record/entry.h"
#include "ceremony/record/reader.h"
#include "ceremony/record/withheld.h"
#include "ceremony/report/assets.h"
#include "ceremony/report/page.h"
#include "ceremony/report/sections.h"
#include "hsm/base/clock_text.h"
#include "hsm/base/words.h"

namespace ceremony::report {
namespace {

constexpr std::size_t kMostCarriedBytes = kMostReportBytes / 4 * 3;  // base64 makes four of three

struct Part {
  Markup link;
  void (*write)(const ReportData&, Html&);
};

constexpr std::array<Part, 16> kParts{{
    {"<li><a href=\"#verdict\">Verdict</a></li>", VerdictSection},
    {"<li><a href=\"#circumstances\">Circumstances</a></li>", Circumstances},
    {"<li><a href=\"#people\">Who was there, and when</a></li>", People},
    {"<li><a href=\"#timeline\">Timeline</a></li>", Timeline},
    {"<li><a href=\"#steps\">The script, beside what happened</a></li>", ScriptBeside},
    {"<li><a href=\"#approvals\">Approvals</a></li>", Approvals},
    {"<li><a href=\"#keys\">Keys and their copies</a></li>", Keys},
    {"<li><a href=\"#certificates\">Certificates, requests and CRLs</a></li>", Certificates},
    {"<li><a href=\"#tokens\">Tokens and seals</a></li>", Tokens},
    {"<li><a href=\"#shares\">Shares handed over</a></li>", HandOvers},
    {"<li><a href=\"#remarks\">Deviations and refusals</a></li>", Remarks},
    {"<li><a href=\"#log\">Step log</a></li>", StepLog},
    {"<li><a href=\"#evidence\">Evidence, clause by clause</a></li>", EvidenceMatrix},
    {"<li><a href=\"#materials\">Bill of materials</a></li>", Materials},
    {"<li><a href=\"#files\">Files</a></li>", Files},
    {"<li><a href=\"#withheld\">What is withheld</a></li>", Withheld},
}};

void VerifyPart(bool carries_log, Html& html) {
  html.Raw(
      "<section id=\"verify\" class=\"screen\"><h2>Verify the record here</h2>\n<p>This page has a verifier of its own "
      "and asks nobody. It reads the log byte by byte, builds the tree, checks every signature and holds the steps to "
      "the script. It trusts the custodians' keys only when you say that you do. What is in a certificate it does not "
      "read: <code>keyceremony-verify</code> does.</p>\n<form class=\"check\" id=\"check\">\n");
  if (carries_log) {
    html.Raw(
        "<p>The log, its signatures and the script are in this page. To compare the files of the record as well, "
        "choose its folder.</p>\n");
  } else {
    html.Raw("<p><b>The log is too large for this page.</b> Choose the folder of the record.</p>\n");
  }
  html.Raw(
      "<label for=\"folder\">folder of the record</label><input type=\"file\" id=\"folder\" webkitdirectory multiple>\n"
      "<label for=\"roster\">roster that you trust, from elsewhere</label><input type=\"file\" id=\"roster\" "
      "accept=\".json\">\n"
      "<p>Without a roster file: type the fingerprint of each custodian's key as you know it, in hexadecimal or in "
      "words.</p>\n"
      "<div id=\"pins\"></div>\n<label for=\"threshold\">and so many of them must sign</label><input type=\"number\" "
      "id=\"threshold\" min=\"1\" max=\"256\">\n"
      "<div><button type=\"submit\">Verify</button></div>\n<output id=\"outcome\" "
      "aria-live=\"polite\"></output>\n</form>\n"
      "<noscript><p>Scripts are off: use keyceremony-verify on the record instead.</p></noscript>\n</section>\n");
}

void Carry(const CarriedFiles& files, Html& data) {
  for (const auto& [path, bytes] : files) {
    data.Raw("<script type=\"application/octet-stream\" data-path=\"").Text(path).Raw("\">");
    data.AppendBase64(bytes);
    data.Raw("</script>\n");
  }
}

}  // namespace

base::Result<CarriedFiles> ReadCarriedFiles(const std::string& path, const ReportData& data) {
  CarriedFiles files;
  KC_ASSIGN_OR_RETURN(const record::RecordFolder folder, record::RecordFolder::Open(path));
  std::vector<std::string> names = {std::string(record::kCheckpointFile), std::string(record::kAddendumFile),
                                    std::string(record::kPolicyFile), std::string(record::kLogFile)};
  // Of a bundle the openings are for everybody; those of a record stay where they are.
  if (!data.verdict.label.empty()) {
    names.insert(names.begin(), {std::string(record::kWithheldFile), std::string(record::kDisclosuresFile)});
  }
  if (record::IsSafeName(data.script_name)) names.insert(names.begin(), "inputs/" + data.script_name);
  std::size_t left = kMostCarriedBytes;
  for (const std::string& name : names) {
    auto bytes = folder.ReadSmall(name, left);
    if (bytes.ok()) {
      left -= bytes->size();
      files.emplace(name, std::move(bytes).value());
    } else if (bytes.error().code == base::ErrorCode::kIo) {
      return std::move(bytes).error();
    }
  }
  return files;
}

std::string CeremonyReport(const ReportData& data, const CarriedFiles& files) {
  Html body;
  Masthead(data, body);
  body.Raw("<nav class=\"contents\" aria-label=\"Contents\"><ol>");
  for (const Part& part : kParts) body.Raw(part.link);
  body.Raw(
      "<li><a href=\"#signatures\">Signatures</a></li><li class=\"screen\"><a href=\"#verify\">Verify the record "
      "here</a></li></ol></nav>\n<main id=\"main\">\n");
  for (const Part& part : kParts) part.write(data, body);
  Signatures(data, body);
  std::size_t carried = 0;
  for (const auto& [path, bytes] : files) carried += (bytes.size() + 2) / 3 * 4 + 100;
  const bool fits =
      files.contains(std::string(record::kLogFile)) && body.size() + carried + 100'000 <= kMostReportBytes;
  VerifyPart(fits, body);
  body.Raw("</main>\n");
  Html blocks;
  if (fits) Carry(files, blocks);
  // The words in which fingerprints are read aloud: for each byte the even one, then the odd one.
  base::Bytes pairs;
  for (unsigned byte = 0; byte < 256; ++byte) pairs.insert(pairs.end(), 2, static_cast<std::uint8_t>(byte));
  blocks.Raw("<script type=\"text/plain\" id=\"words\">")
      .Text(Joined(base::PgpWords(pairs), " "), 1U << 16U)
      .Raw("</script>\n");

  PageOptions options;
  options.title =
      fmt::format("{}: {}", record::VerdictName(data.verdict.verdict), data.title.empty() ? data.ceremony : data.title);
  options.style = assets::kReportCss;
  const std::string script = std::string(assets::kVerifyJs) + std::string(assets::kVerifyPageJs);
  options.script = script;
  if (data.verdict.verdict != record::Verdict::kComplete && data.verdict.verdict != record::Verdict::kUnpinned)
    options.warnings.emplace_back(record::VerdictName(data.verdict.verdict));
  if (data.called_off) options.warnings.emplace_back("CALLED OFF");
  if (data.mode == "rehearsal") options.warnings.emplace_back("REHEARSAL: these keys are worth nothing");
  options.footer =
      fmt::format("{}, {}, {}", data.ceremony, base::DayOf(data.began.time), record::VerdictName(data.verdict.verdict));
  return BuildPage(options, body, blocks);
}

}  // namespace ceremony::report
