// UnattendedTerminal is the room of a rehearsal without people: it writes the
// transcript that a TtyTerminal would leave, and answers each question with
// what its simulated person says (Question::simulated).
#ifndef CEREMONY_ROOM_UNATTENDED_TERMINAL_H_
#define CEREMONY_ROOM_UNATTENDED_TERMINAL_H_

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/room/terminal.h"
#include "ceremony/room/typesetter.h"

namespace ceremony::room {

class UnattendedTerminal final : public Terminal {
 public:
  // Writes to `stream`, which must outlive this, with the given look. nullptr
  // writes nothing. Write errors stay with the stream: its owner must flush it
  // and ask ferror.
  UnattendedTerminal(std::FILE* stream, Look look);

  void ShowBanner(const Banner& banner) override;
  bool HasPeople() const override { return false; }
  void ShowStep(const StepHeading& heading) override;
  void Say(Tone tone, const std::string& text) override;
  void ShowFacts(const std::vector<Fact>& facts) override;
  void ShowComparison(const Comparison& comparison) override;
  void ShowDigest(const std::string& label, base::ByteView digest) override;
  std::unique_ptr<Busy> ShowBusy(const std::string& what) override;

  // Ask judges the simulated answer as it would a typed one: kInternal if it is
  // no answer to this question, kAborted if there is none, or on a signal.
  base::Result<std::string> Ask(const Question& question) override;
  // AskSecret is kUnsupported: a simulated person has no keyboard.
  base::Result<base::SecretBytes> AskSecret(const SecretQuestion& question) override;

 private:
  class Timed;
  void Write(std::string_view text);

  std::FILE* stream_;
  Typesetter typesetter_;
};

}  // namespace ceremony::room

#endif  // CEREMONY_ROOM_UNATTENDED_TERMINAL_H_
