// TtyTerminal is the room's projector and keyboard.
//
// The scrollback is the transcript: only the busy line is ever rewritten, and it
// ends as one line with the time taken. Typed answers stand where they were
// typed. A secret goes from the kernel into locked memory byte by byte and
// shows nothing, not even its length.
#ifndef CEREMONY_ROOM_TTY_TERMINAL_H_
#define CEREMONY_ROOM_TTY_TERMINAL_H_

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/room/terminal.h"
#include "ceremony/room/tty_device.h"
#include "ceremony/room/typesetter.h"

namespace ceremony::room {

class TtyTerminal final : public Terminal {
 public:
  // Open takes the terminal on standard input; kInvalidInput when there is none
  // (exit 2). Make a SignalScope first: without one, signals end the program.
  static base::Result<std::unique_ptr<TtyTerminal>> Open();

  // For tests, with their own device and a fixed look.
  TtyTerminal(TtyDevice device, Look look);
  ~TtyTerminal() override;

  void ShowBanner(const Banner& banner) override;
  bool HasPeople() const override { return true; }
  void ShowStep(const StepHeading& heading) override;
  void Say(Tone tone, const std::string& text) override;
  void ShowFacts(const std::vector<Fact>& facts) override;
  void ShowComparison(const Comparison& comparison) override;
  void ShowDigest(const std::string& label, base::ByteView digest) override;
  void ShowQr(const std::string& label, const std::string& text) override;
  // ShowBusy starts a thread that draws after 300 ms; calls that are shorter leave only their line.
  std::unique_ptr<Busy> ShowBusy(const std::string& what) override;

  // A wrong answer says what was typed and what was expected and asks again,
  // without end; after the third it says how to stop. kText is read back (but one at_enter),
  // and kDecision too: both must be confirmed with "yes".
  base::Result<std::string> Ask(const Question& question) override;
  // Backspace takes the last character back, Ctrl-U all; any other special key
  // spoils the entry, which is then asked for again.
  base::Result<base::SecretBytes> AskSecret(const SecretQuestion& question) override;

 private:
  class BusyLine;
  class Answering;

  // Print erases the busy line, if one is drawn, before it writes.
  void Print(std::string_view text);
  // DrawBusy is called by the thread of a BusyLine. Only the innermost call is
  // drawn, and none while a question is open.
  void DrawBusy(const BusyLine& line);
  void Refit();

  base::Result<std::string> AskUntilAnswered(const Question& question);
  base::Result<bool> Confirm(const std::string& remark);
  base::Result<base::SecretBytes> ReadSecret(const SecretQuestion& question);

  TtyDevice device_;
  Typesetter typesetter_;
  bool fixed_look_ = true;
  std::mutex drawing_;  // guards all below, the look, and the order of writes
  std::vector<const BusyLine*> busy_;
  bool busy_drawn_ = false;
  bool asking_ = false;
};

}  // namespace ceremony::room

#endif  // CEREMONY_ROOM_TTY_TERMINAL_H_
