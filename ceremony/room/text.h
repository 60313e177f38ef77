// Text as it is shown to people: harmless, measured in columns, wrapped.
//
// Scripts, tokens and certificates come from other people: a token label may
// contain an escape sequence that clears the projector, or a bidi override that
// turns a serial number around. So everything that reaches the terminal goes
// through Visible.
#ifndef CEREMONY_ROOM_TEXT_H_
#define CEREMONY_ROOM_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ceremony::room {

enum class Charset : std::uint8_t { kAscii, kUtf8 };

// How Visible treats a line feed. In the words of a script it breaks the line. In
// a label or a value, where it could forge a line, it is spelled out (`\n`).
enum class LineFeeds : std::uint8_t { kBreak, kSpell };

// Visible spells out whatever a terminal would obey or hide: control characters
// and bytes that are no UTF-8 as `\x1b`, C1 controls, bidirectional and
// invisible characters, and spaces other than U+0020 as `\u{202e}`. A tab becomes
// one space. With kAscii every other character beyond ASCII is spelled out as well.
std::string Visible(std::string_view text, Charset charset, LineFeeds line_feeds = LineFeeds::kSpell);

// Quoted is Visible between double quotes, for messages that name what was typed or read.
std::string Quoted(std::string_view text, Charset charset = Charset::kUtf8);

// IsPlainLine says whether `text` is UTF-8 without a character that Visible
// would spell out: what a typed answer must be.
bool IsPlainLine(std::string_view text);

// DisplayWidth counts columns: 2 for East Asian wide characters, 0 for
// combining marks, 1 for all others. `text` is the output of Visible.
std::size_t DisplayWidth(std::string_view text);

// WrapText breaks at spaces into lines of at most `width` columns (at least 8);
// a word that is longer is cut. Line feeds break; an empty text is one empty line.
std::vector<std::string> WrapText(std::string_view text, std::size_t width);

// FitText cuts to `width` columns, and ends with "..." if it cut anything.
std::string FitText(std::string_view text, std::size_t width);

// FormatElapsed spells time since the ceremony began: "00:04:31" (hours may exceed 99).
std::string FormatElapsed(std::int64_t micros);

// FormatTaken spells how long a call took: "7 ms", "1.2 s", "1 min 04 s".
std::string FormatTaken(std::int64_t micros);

}  // namespace ceremony::room

#endif  // CEREMONY_ROOM_TEXT_H_
