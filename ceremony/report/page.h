// Page is the shell of every document: one file, no network, the words on every
// printed page, and a content security policy that allows only our own style sheet and
// script, by their digests.
#ifndef CEREMONY_REPORT_PAGE_H_
#define CEREMONY_REPORT_PAGE_H_

#include <string>
#include <string_view>
#include <vector>

#include "ceremony/report/html.h"

namespace ceremony::report {

// The tone of a chip is its colour. Its word must be enough for people who do not see colours.
enum class Tone : std::uint8_t { kGood, kWarning, kBad, kQuiet };

struct PageOptions {
  std::string title;
  std::string_view style;   // our style sheet after the common one, see assets.h
  std::string_view script;  // ours; empty: the page has none
  // Shown at the top of every printed page, and of the screen.
  std::vector<std::string> warnings;
  std::string footer;  // at the bottom of every printed page; only printable ASCII, the rest is left out
};

// BuildPage wraps a body. `data` are blocks for the script to read; they come after the body.
std::string BuildPage(const PageOptions& options, const Html& body, const Html& data = {});

// Times for people. A text that is not a time stays as it is.
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
