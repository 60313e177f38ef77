// Page is the shell of every document: one file, no network, a content security
// policy that lets nothing in but our own style sheet and script by their
// digests, and the words that stand on every printed page.
#ifndef CEREMONY_REPORT_PAGE_H_
#define CEREMONY_REPORT_PAGE_H_

#include <string>
#include <string_view>
#include <vector>

#include "ceremony/report/html.h"

namespace ceremony::report {

// How loud something is: a colour, and a word beside it, since colour alone says nothing to many.
enum class Tone : std::uint8_t { kGood, kWarning, kBad, kQuiet };

struct PageOptions {
  std::string title;
  std::string_view style;   // style sheet after the common one; of ours, see assets.h
  std::string_view script;  // of ours; empty: the page has none
  // Stand on every page when it is printed, and at the top of the screen.
  std::vector<std::string> warnings;
  std::string footer;  // on every printed page, below; letters, digits and marks of ASCII, others are left out
};

// BuildPage wraps a body. `data` comes between body and script: blocks that the script reads.
std::string BuildPage(const PageOptions& options, const Html& body, const Html& data = {});

// Words of time. A time that is none stays as it is.
std::string DayOf(const std::string& time);     // "2026-11-21"
std::string ClockOf(const std::string& time);   // "09:14:03"
std::string MinuteOf(const std::string& time);  // "2026-11-21 09:14"
std::string Took(std::int64_t micros);          // "7 ms", "1.2 s", "1 min 04 s", "2 h 05 min"
std::string Joined(const std::vector<std::string>& words, std::string_view between = ", ");

// Entry writes a reference to an entry of the log.
void Entry(std::uint64_t entry, Html& html);
// Chip writes a short word in a frame.
void Chip(Tone tone, std::string_view word, Html& html);
// Digest writes a digest in groups, so that people can compare it.
void Digest(std::string_view hex, Html& html);
// Facts writes a description list; pairs without a value are left out.
void Facts(const std::vector<std::pair<std::string, std::string>>& facts, Html& html);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_PAGE_H_
