// room_probe shows one of everything that a ceremony shows on a terminal and
// asks each kind of question, for the transcript tests of the prompts. Its
// standard output names the answers as `name=answer` lines, and an error as
// `error=code message`; a secret is named by its length alone.
//
//   room_probe SCENE...   with the scenes: page consent text moment choice
//                         decision secret new-secret busy slow-call crash
#include <time.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ceremony/room/signals.h"
#include "ceremony/room/tty_terminal.h"

namespace {

using ceremony::room::Question;
using ceremony::room::SecretQuestion;
using ceremony::room::Terminal;
using ceremony::room::Tone;

int Report(std::string_view name, const base::Error& error) {
  std::printf("error=%s %s: %s\n", base::ErrorCodeName(error.code), std::string(name).c_str(), error.message.c_str());
  return 1;
}

int Answer(std::string_view name, const base::Result<std::string>& answer) {
  if (!answer.ok()) return Report(name, answer.error());
  std::printf("%s=%s\n", std::string(name).c_str(), answer->c_str());
  return 0;
}

int AnswerSecret(std::string_view name, const base::Result<base::SecretBytes>& answer) {
  if (!answer.ok()) return Report(name, answer.error());
  std::printf("%s=%zu bytes\n", std::string(name).c_str(), answer->size());
  return 0;
}

// The sleep of a call that is not to be interrupted.
void SleepMillis(long millis) {
  timespec left{millis / 1000, millis % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0) {
  }
}

void ShowPage(Terminal& terminal) {
  terminal.ShowBanner(
      {.title = "Root OCA of the smart metering PKI",
       .ceremony = "2026-smki-root-oca",
       .environment = "rehearsal",
       .facts = {{"script", "smki-root-oca.ceremony.json"}, {"binding", "rehearsal, made for this run"}}});
  terminal.ShowStep({.section = "The root key",
                     .id = "root-key",
                     .title = "Make the key pair of the root CA on token root-hsm",
                     .say = "I now ask the token to make the root key. Nobody leaves the room until it is done.",
                     .number = 3,
                     .total = 14,
                     .elapsed_micros = 161'000'000});
  terminal.Say(Tone::kPlain, "The token is asked for an EC P-256 key that never leaves it.");
  terminal.Say(Tone::kGood, "The public key that was read back is the one that was made.");
  terminal.Say(Tone::kWarning, "The clock of this machine is 41 seconds ahead of the clock that was read aloud.");
  terminal.Say(Tone::kBad, "Token root-hsm refused the template: CKR_TEMPLATE_INCONSISTENT.");
  terminal.ShowFacts(
      {{"token label", "root-hsm"}, {"serial", "4f2a99b1c07d1e33"}, {"hostile label", "x\x1b[2J\nAll is well"}});
  std::array<std::uint8_t, 32> digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] = static_cast<std::uint8_t>(i * 37 + 5);
  terminal.ShowDigest("SHA-256 of the script", digest);
}

int Play(Terminal& terminal, std::string_view scene) {
  if (scene == "page") {
    ShowPage(terminal);
    return 0;
  }
  if (scene == "consent") {
    return Answer(scene, terminal.Ask({.kind = Question::Kind::kConsent,
                                       .id = "probe/consent",
                                       .person = "Alice Archer (custodian)",
                                       .text = "The root key will be made on token root-hsm, serial 4f2a99b1c07d1e33.",
                                       .expected = "MAKE THE KEY"}));
  }
  if (scene == "text") {
    return Answer(scene, terminal.Ask({.kind = Question::Kind::kText,
                                       .id = "probe/text",
                                       .person = "Bob Baker (administrator)",
                                       .text = "What is the number of the seal on the left side of root-hsm?",
                                       .pattern = "SEAL-[0-9]{6}",
                                       .example = "SEAL-004711"}));
  }
  if (scene == "moment") {
    return Answer(scene, terminal.Ask({.kind = Question::Kind::kText,
                                       .id = "probe/moment",
                                       .person = "Wendy Hughes (witness)",
                                       .text = "Type a time that the clock is about to show.",
                                       .pattern = "[0-9]{2}:[0-9]{2}:[0-9]{2}",
                                       .example = "14:05:30",
                                       .at_enter = true}));
  }
  if (scene == "choice" || scene == "decision") {
    return Answer(scene, terminal.Ask({.kind = scene == "choice" ? Question::Kind::kChoice : Question::Kind::kDecision,
                                       .id = "probe/choice",
                                       .person = "Olga Orr (security officer)",
                                       .text = "An object was found that no record names. What is to be done with it?",
                                       .choices = {"leave it and go on", "remove it", "stop the ceremony"}}));
  }
  if (scene == "secret" || scene == "new-secret") {
    return AnswerSecret(scene, terminal.AskSecret({.id = "probe/secret",
                                                   .person = "Alice Archer (custodian)",
                                                   .text = "user PIN of token root-hsm (serial 4f2a99b1c07d1e33)",
                                                   .min_length = 4,
                                                   .max_length = 16,
                                                   .twice = scene == "new-secret"}));
  }
  if (scene == "busy" || scene == "slow-call") {
    const auto busy = terminal.ShowBusy("Making an RSA 4096 key pair on root-hsm");
    SleepMillis(scene == "busy" ? 20 : 1500);
    std::printf("%s=done\n", std::string(scene).c_str());
    return 0;
  }
  if (scene == "crash") std::abort();
  std::fprintf(stderr, "room_probe: no scene %s\n", std::string(scene).c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const ceremony::room::SignalScope signals;
  auto terminal = ceremony::room::TtyTerminal::Open();
  if (!terminal.ok()) {
    Report("open", terminal.error());
    return 2;
  }
  int status = 0;
  for (int i = 1; i < argc && status == 0; ++i) status = Play(**terminal, argv[i]);
  std::printf("stop=%d\n", ceremony::room::StopRequested() ? 1 : 0);
  return status;
}
