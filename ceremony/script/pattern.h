// Pattern is a regular expression that cannot run away: a subset of ECMA-262,
// so that a JSON Schema may carry it, matched in one pass without backtracking.
//
// Known: characters, `.` (any character but a line end), classes `[a-z0-9_]` and
// `[^...]`, `\d` and `\` before a punctuation character, groups `( )`, `|`, and
// the counts `?`, `*`, `+`, `{n}`, `{n,}`, `{n,m}` with m <= 256. Everything is
// anchored: the whole text must match. `^` and `$` are refused, not ignored, and
// so is what a person could read differently: `\w`, `\s`, lazy counts,
// back references, look-around.
#ifndef CEREMONY_SCRIPT_PATTERN_H_
#define CEREMONY_SCRIPT_PATTERN_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "hsm/base/result.h"

namespace ceremony::script {

class Pattern final {
 public:
  static constexpr std::size_t kMaxLength = 256;

  // Parse fails with kInvalidInput, naming the character and its offset; also
  // when the counts make the expression larger than 4096 states.
  static base::Result<Pattern> Parse(std::string_view text);

  // Matches says whether all of `text` (UTF-8) matches. Time is linear in text.
  bool Matches(std::string_view text) const;

  const std::string& text() const { return text_; }
  // Anchored is the expression as JSON Schema and other programs need it.
  std::string Anchored() const { return "^(?:" + text_ + ")$"; }

 private:
  struct Program;
  friend class PatternCompiler;
  Pattern(std::string text, std::shared_ptr<const Program> program);
  std::string text_;
  std::shared_ptr<const Program> program_;
};

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_PATTERN_H_
