// Which characters people can see. Titles, names and words to read aloud end up
// on a projector, in a terminal and in documents: what stands in the file must
// be what everybody sees there.
#ifndef CEREMONY_SCRIPT_VISIBLE_TEXT_H_
#define CEREMONY_SCRIPT_VISIBLE_TEXT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ceremony::script {

// DecodeUtf8 returns the code point at `offset` of valid UTF-8 and moves past it.
char32_t DecodeUtf8(std::string_view text, std::size_t& offset);

// CountCharacters counts the code points of valid UTF-8.
std::size_t CountCharacters(std::string_view text);

// IsInvisible says whether a code point is a control character other than the
// line feed, shows nothing, turns the direction of text around it, looks like a
// space and is none, or shows in a font of somebody's own alone.
bool IsInvisible(char32_t point);

// FirstInvisible returns the first invisible code point; none when all can be seen.
std::optional<char32_t> FirstInvisible(std::string_view text);

// Quoted puts text in quotation marks for a message, line feeds and quotation
// marks escaped, cut after 40 characters.
std::string Quoted(std::string_view text);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_VISIBLE_TEXT_H_
