// Text as people see it. Titles, names and words to read aloud are shown on a
// projector, in a terminal and in documents: everybody must see what stands in
// the file.
#ifndef CEREMONY_SCRIPT_VISIBLE_TEXT_H_
#define CEREMONY_SCRIPT_VISIBLE_TEXT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ceremony::script {

// CountCharacters counts the code points of valid UTF-8.
std::size_t CountCharacters(std::string_view text);

// FirstInvisible returns the first invisible code point (base::IsInvisible); nullopt if there is none.
std::optional<char32_t> FirstInvisible(std::string_view text);

// Quoted puts text in quotation marks for a message, line feeds and quotation
// marks escaped, cut after 40 characters.
std::string Quoted(std::string_view text);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_VISIBLE_TEXT_H_
