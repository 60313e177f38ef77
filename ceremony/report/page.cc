#include "ceremony/report/page.h"

#include <fmt/format.h>

#include "ceremony/report/assets.h"
#include "ceremony/room/text.h"
#include "hsm/base/clock_text.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::report {
namespace {

// HashSource is how a content security policy names an inline block: by the digest of its bytes.
std::string HashSource(std::string_view block) {
  const base::Sha256Digest digest = base::Sha256Of(block);
  return "'sha256-" + base::Base64Encode(digest) + "'";
}

// MarginText keeps of a text what may stand between quotation marks in a style sheet.
std::string MarginText(std::string_view text) {
  std::string kept;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || std::string_view(" .,:-_").find(c) != std::string_view::npos) kept += c;
  }
  return kept.substr(0, 600);
}

// What stands in the margins of every printed page. A browser without margin boxes still prints the watermark.
std::string MarginStyle(const PageOptions& options) {
  std::string warnings;
  for (const std::string& warning : options.warnings)
    warnings += (warnings.empty() ? "" : "    ") + MarginText(warning);
  std::string style = "@page { @bottom-left { content: \"" + MarginText(options.footer) + "\"; }";
  if (!warnings.empty()) style += " @top-center { content: \"" + warnings + "\"; }";
  return style + " }\n";
}

}  // namespace

std::string BuildPage(const PageOptions& options, const Html& body, const Html& data) {
  const std::string style = std::string(assets::kPaperCss) + std::string(options.style) + MarginStyle(options);
  Html head;
  head.Raw(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"");
  // Digests are base64: nothing in this text can leave the attribute.
  std::string policy = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src " + HashSource(style);
  if (!options.script.empty()) policy += "; script-src " + HashSource(options.script);
  std::string page = std::move(head).str() + policy;
  Html rest;
  rest.Raw(
          "\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
          "<title>")
      .Text(options.title)
      .Raw("</title>\n<style>");
  page += std::move(rest).str();
  page += style;
  Html top;
  top.Raw("</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n");
  if (!options.warnings.empty()) {
    top.Raw("<div class=\"every-page\" role=\"note\">");
    for (const std::string& warning : options.warnings) top.Element("<span>", warning, "</span>");
    top.Raw("</div>\n");
    const std::string& first = options.warnings.front();
    top.Element("<div class=\"watermark\" aria-hidden=\"true\">", first.substr(0, first.find(':')), "</div>\n");
  }
  page += std::move(top).str();
  page += body.str();
  page += data.str();
  if (!options.script.empty()) {
    page += "<script>";
    page += options.script;
    page += "</script>\n";
  }
  return page + "</body>\n</html>\n";
}

std::string ClockOf(const std::string& time) { return time.size() > 19 ? time.substr(11, 8) : time; }

std::string MinuteOf(const std::string& time) {
  return time.size() > 16 ? base::DayOf(time) + " " + time.substr(11, 5) : time;
}

std::string Took(std::int64_t micros) {
  constexpr std::int64_t kMinute = 60'000'000;
  if (micros < 60 * kMinute) return room::FormatTaken(micros);
  return fmt::format("{} h {:02} min", micros / (60 * kMinute), micros / kMinute % 60);
}

std::string Joined(const std::vector<std::string>& words, std::string_view between) {
  return fmt::format("{}", fmt::join(words, between));
}

void Entry(std::uint64_t entry, Html& html) {
  html.Raw("<span class=\"entry\" title=\"entry of the log\">").Number(static_cast<std::int64_t>(entry)).Raw("</span>");
}

void Chip(Tone tone, std::string_view word, Html& html) {
  switch (tone) {
    case Tone::kGood:
      html.Raw("<span class=\"chip good\">");
      break;
    case Tone::kWarning:
      html.Raw("<span class=\"chip warning\">");
      break;
    case Tone::kBad:
      html.Raw("<span class=\"chip bad\">");
      break;
    case Tone::kQuiet:
      html.Raw("<span class=\"chip\">");
      break;
  }
  html.Text(word).Raw("</span>");
}

void Digest(std::string_view hex, Html& html) {
  constexpr std::size_t kGroup = 8;
  html.Raw("<code class=\"digest\">");
  for (std::size_t at = 0; at < hex.size() && at < 128; at += kGroup) {
    if (at != 0) html.Raw(" ");
    html.Text(hex.substr(at, kGroup));
  }
  html.Raw("</code>");
}

void Facts(const std::vector<std::pair<std::string, std::string>>& facts, Html& html) {
  html.Raw("<dl class=\"facts\">");
  for (const auto& [name, value] : facts) {
    if (value.empty()) continue;
    html.Element("<div><dt>", name, "</dt><dd>").Whole(value).Raw("</dd></div>");
  }
  html.Raw("</dl>\n");
}

}  // namespace ceremony::report
