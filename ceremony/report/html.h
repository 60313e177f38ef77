// Html builds markup from our own literals and escaped text. Every string of a record
// is hostile: it may hold tags, quotes, control characters, bidirectional overrides or
// sixty thousand letters. Text is the only way for such a string into a page, and it
// escapes.
#ifndef CEREMONY_REPORT_HTML_H_
#define CEREMONY_REPORT_HTML_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace ceremony::report {

// Markup is our own text: only a string literal converts to it.
class Markup final {
 public:
  template <std::size_t kSize>
  consteval Markup(const char (&literal)[kSize]) : text_(literal, kSize - 1) {}  // implicit: takes nothing but literals
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// Column is a heading of a table. A column of numbers is aligned to the right.
struct Column {
  enum Holds : std::uint8_t { kText, kNumbers };
  template <std::size_t kSize>
  consteval Column(const char (&literal)[kSize], Holds what = kText) : name(literal), holds(what) {}  // implicit
  Markup name;
  Holds holds;
};

class Html final {
 public:
  // A text longer than this many bytes is cut, and says how long it was.
  static constexpr std::size_t kLongestText = 2000;

  Html& Raw(Markup markup);

  // Text puts characters into an element or a quoted attribute: escaped, and
  // spelled out if they are invisible or change the direction of text ("\u{202e}").
  Html& Text(std::string_view hostile, std::size_t longest = kLongestText);
  // Prose is Text in which a line feed breaks the line.
  Html& Prose(std::string_view hostile, std::size_t longest = kLongestText);
  // Whole is Text in which short names and days ("issuing-oca-z1", "2026-11-21") are not broken at their hyphens. Only
  // for an element: it writes markup.
  Html& Whole(std::string_view hostile);
  // Breakable is Text that may break after an underscore, slash or full stop; like Whole only for an element.
  Html& Breakable(std::string_view hostile);
  Html& Number(std::int64_t number);
  // Real writes a number with at most two decimals, for coordinates.
  Html& Real(double number);
  // VLine and HLine write a vertical or horizontal line for the data of an SVG path.
  Html& VLine(double x, double from, double until);
  Html& HLine(double y, double from, double until);

  // Element is `open`, the text, `close`.
  Html& Element(Markup open, std::string_view hostile, Markup close) { return Raw(open).Text(hostile).Raw(close); }

  // Head writes the head of a table after `<table>`, and begins its body.
  Html& Head(std::initializer_list<Column> columns);

  // Append adds markup that another Html built.
  Html& Append(const Html& other);
  // AppendBase64 adds any bytes as base64, which cannot be markup.
  Html& AppendBase64(std::string_view bytes);

  const std::string& str() const& { return out_; }
  std::string str() && { return std::move(out_); }
  std::size_t size() const { return out_.size(); }
  bool empty() const { return out_.empty(); }

 private:
  void Escape(std::string_view visible);
  std::string out_;
};

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_HTML_H_
