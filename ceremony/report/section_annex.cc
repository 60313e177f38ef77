#include <fmt/format.h>

#include "ceremony/report/page.h"
#include "ceremony/report/sections.h"

namespace ceremony::report {
namespace {

void FileTable(const std::vector<FileNamed>& files, Html& html) {
  constexpr std::size_t kMostFiles = 5000;
  html.Raw("<div class=\"wide\"><table>").Head({"file", "kind", {"bytes", Column::kNumbers}, "entry", "SHA-256"});
  for (std::size_t i = 0; i < files.size() && i < kMostFiles; ++i) {
    const FileNamed& file = files[i];
    html.Raw("<tr><td><code>").Breakable(file.name).Element("</code></td><td>", file.kind, "</td><td class=\"n\">");
    if (file.size >= 0) html.Number(file.size);
    html.Raw("</td><td class=\"e\">");
    Entry(file.entry, html);
    html.Raw("</td><td>");
    Digest(file.sha256, html);
    html.Raw("</td></tr>\n");
  }
  html.Raw("</tbody></table></div>\n");
  if (files.size() > kMostFiles)
    html.Raw("<p>and ").Number(static_cast<std::int64_t>(files.size() - kMostFiles)).Raw(" more</p>\n");
}

}  // namespace

void Materials(const ReportData& data, Html& html) {
  html.Raw("<section id=\"materials\"><h2>Bill of materials</h2>\n<div class=\"wide\"><table class=\"stack\">")
      .Head({"what", "version", "SHA-256"});
  html.Element("<tr><th scope=\"row\">", data.program, "</th>").Element("<td>", data.program_version, "</td><td>");
  Digest(data.program_sha256, html);
  html.Raw("</td></tr>\n");
  for (const auto& [name, version] : data.libraries)
    html.Element("<tr><th scope=\"row\">", name, "</th>").Element("<td>", version, "</td><td></td></tr>\n");
  for (const Module& module : data.modules) {
    html.Element("<tr><th scope=\"row\">", module.description, "<br><code>").Element("", module.path, "</code></th>");
    html.Element("<td>", module.version, "</td><td>");
    Digest(module.sha256, html);
    html.Raw("</td></tr>\n");
  }
  html.Raw("</tbody></table></div>\n<p>SHA-256 of the log key, which lived for this ceremony alone: ");
  Digest(data.log_key_sha256, html);
  html.Raw("</p>\n</section>\n");
}

void Files(const ReportData& data, Html& html) {
  html.Raw("<section id=\"files\"><h2>Files</h2>\n<h3>What the ceremony was run on</h3>\n");
  FileTable(data.inputs, html);
  html.Raw("<h3>What it wrote</h3>\n");
  if (data.artefacts.empty()) {
    html.Raw("<p class=\"none\">Nothing.</p>\n");
  } else {
    FileTable(data.artefacts, html);
  }
  html.Raw("</section>\n");
}

}  // namespace ceremony::report
