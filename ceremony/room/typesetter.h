// Typesetter turns what a Terminal shows into lines of text, the same for a
// real terminal and for the transcript of an unattended rehearsal. It has no
// device, no clock and no state but the mode that the banner named, which
// every step heading repeats: a projector shows one screen at a time.
#ifndef CEREMONY_ROOM_TYPESETTER_H_
#define CEREMONY_ROOM_TYPESETTER_H_

#include <string>
#include <string_view>
#include <vector>

#include "ceremony/room/look.h"
#include "ceremony/room/terminal.h"

namespace ceremony::room {

class Typesetter final {
 public:
  explicit Typesetter(Look look) : look_(look) {}

  const Look& look() const { return look_; }
  // A window may change its size between two texts.
  void set_look(Look look) { look_ = look; }

  // Join returns what to write of `text` after what was joined before: where two
  // blank lines meet, one is left out. Everything that is written goes through it.
  std::string_view Join(std::string_view text);

  // Each returns whole lines, with a line end after the last, and everything in them made Visible.
  std::string SetBanner(const Banner& banner);
  std::string SetStep(const StepHeading& heading) const;
  std::string SetSaying(Tone tone, std::string_view text) const;
  std::string SetFacts(const std::vector<Fact>& facts) const;
  std::string SetComparison(const Comparison& comparison) const;
  // Four bytes a line: their offset, hexadecimal, and their four PGP words.
  std::string SetDigest(std::string_view label, base::ByteView digest) const;
  // A QR code of a text below its label; words in its place when the text is too long or the window too narrow.
  std::string SetQr(std::string_view label, std::string_view text) const;
  // The question with what exactly to type; SetPrompt comes after it.
  std::string SetQuestion(const Question& question) const;
  std::string SetSecretQuestion(const SecretQuestion& question) const;
  // A remark inside an open question, before the prompt is set again.
  std::string SetRemark(std::string_view text) const;
  // "what ........ 7 ms": what a busy line leaves behind.
  std::string SetTaken(std::string_view what, std::int64_t micros) const;

  // SetPrompt is where the answer goes: no line end, so that it stands beside it.
  std::string SetPrompt() const;
  // SetBusy is one line without an end, at most as wide as the window.
  std::string SetBusy(std::string_view what, std::string_view spinner, std::string_view status) const;

 private:
  enum class Ink { kPlain, kBold, kQuiet, kGood, kWarning, kBad, kMode };
  struct Drawing;

  std::string Paint(Ink ink, std::string_view text) const;
  std::string Shown(std::string_view text, LineFeeds line_feeds = LineFeeds::kSpell) const;
  const Drawing& drawing() const;
  std::string EnvironmentName() const;
  void AppendWrapped(std::string& out, std::string_view first_prefix, std::string_view next_prefix,
                     std::string_view text, Ink ink, LineFeeds line_feeds) const;

  Look look_;
  std::string environment_;
  bool after_blank_line_ = false;
};

}  // namespace ceremony::room

#endif  // CEREMONY_ROOM_TYPESETTER_H_
