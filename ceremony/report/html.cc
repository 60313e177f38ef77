#include "ceremony/report/html.h"

#include <fmt/format.h>

#include "ceremony/room/text.h"
#include "hsm/base/encoding.h"

namespace ceremony::report {
namespace {

// CutAt returns where a text of at most `longest` bytes ends, between two characters.
std::size_t CutAt(std::string_view text, std::size_t longest) {
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return end;
}

bool IsPlain(std::string_view text) {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e || c == '&' || c == '<' || c == '>' || c == '"' || c == '\'') return false;
  }
  return true;
}

}  // namespace

Html& Html::Raw(Markup markup) {
  out_ += markup.text();
  return *this;
}

void Html::Escape(std::string_view visible) {
  for (const char c : visible) {
    switch (c) {
      case '&':
        out_ += "&amp;";
        break;
      case '<':
        out_ += "&lt;";
        break;
      case '>':
        out_ += "&gt;";
        break;
      case '"':
        out_ += "&quot;";
        break;
      case '\'':
        out_ += "&#39;";
        break;
      default:
        out_ += c;
    }
  }
}

Html& Html::Text(std::string_view hostile, std::size_t longest) {
  const std::size_t size = hostile.size();
  if (size > longest) hostile = hostile.substr(0, CutAt(hostile, longest));
  // Nearly everything in a record is plain, and a long one has much of it.
  if (IsPlain(hostile)) {
    out_ += hostile;
  } else {
    Escape(room::Visible(hostile, room::Charset::kUtf8));
  }
  if (size > longest) out_ += fmt::format("\u2026 ({} bytes in all)", size);
  return *this;
}

Html& Html::Prose(std::string_view hostile, std::size_t longest) {
  for (bool first = true; !hostile.empty() || first; first = false) {
    const std::size_t end = hostile.find('\n');
    if (!first) out_ += "<br>";
    Text(hostile.substr(0, end), longest);
    if (end == std::string_view::npos) break;
    hostile.remove_prefix(end + 1);
  }
  return *this;
}

Html& Html::Whole(std::string_view hostile) {
  constexpr std::size_t kShort = 26;
  if (hostile.size() > kLongestText) return Text(hostile);
  while (!hostile.empty()) {
    const std::string_view word = hostile.substr(0, hostile.find(' '));
    const bool whole = word.size() <= kShort && word.find('-') != std::string_view::npos;
    whole ? Element("<span class=\"whole\">", word, "</span>") : Text(word);
    hostile.remove_prefix(word.size());
    for (; hostile.starts_with(' '); hostile.remove_prefix(1)) out_ += ' ';
  }
  return *this;
}

Html& Html::Breakable(std::string_view hostile) {
  if (hostile.size() > kLongestText) return Text(hostile);
  while (!hostile.empty()) {
    const std::size_t joint = hostile.find_first_of("_/.");
    const std::string_view part = hostile.substr(0, joint == std::string_view::npos ? joint : joint + 1);
    Text(part);
    hostile.remove_prefix(part.size());
    if (!hostile.empty()) Raw("<wbr>");
  }
  return *this;
}

Html& Html::Number(std::int64_t number) {
  out_ += std::to_string(number);
  return *this;
}

Html& Html::Real(double number) {
  std::string text = fmt::format("{:.2f}", number);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  out_ += text;
  return *this;
}

Html& Html::VLine(double x, double from, double until) {
  return Raw("M").Real(x).Raw(" ").Real(from).Raw("V").Real(until);
}

Html& Html::HLine(double y, double from, double until) {
  return Raw("M").Real(from).Raw(" ").Real(y).Raw("H").Real(until);
}

Html& Html::Head(std::initializer_list<Column> columns) {
  Raw("<thead><tr>");
  for (const Column& column : columns) {
    Raw(column.holds == Column::kNumbers ? Markup("<th scope=\"col\" class=\"n\">") : Markup("<th scope=\"col\">"));
    Raw(column.name).Raw("</th>");
  }
  return Raw("</tr></thead><tbody>\n");
}

Html& Html::Append(const Html& other) {
  out_ += other.out_;
  return *this;
}

Html& Html::AppendBase64(std::string_view bytes) {
  out_ += base::Base64Encode(base::AsBytes(bytes));
  return *this;
}

}  // namespace ceremony::report
