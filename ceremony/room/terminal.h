// Terminal is how a ceremony speaks with the people in the room. It is an
// interface: the projector and keyboard (TtyTerminal), simulated people who
// answer by themselves (UnattendedTerminal), and the tests' own.
//
// What is shown is written for nervous people who do this once a year: what is
// happening, who is asked, what exactly to type. The scrollback of the real
// terminal is a readable transcript: nothing is overwritten but a busy line.
#ifndef CEREMONY_ROOM_TERMINAL_H_
#define CEREMONY_ROOM_TERMINAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hsm/base/bytes.h"
#include "hsm/base/result.h"
#include "hsm/base/secret_bytes.h"

namespace ceremony::room {

enum class Tone : std::uint8_t { kPlain, kGood, kWarning, kBad };

// Fact is one line of a two-column table: "serial" | "4f2a...".
struct Fact {
  std::string label;
  std::string value;
};

// Comparison compares what was made with what was wanted, field by field: how
// people check a certificate before it is signed.
struct Comparison {
  struct Row {
    std::string field{};
    std::string wanted{};  // in words; may be spelled otherwise than `found` and still be the same
    std::string found{};
    bool equal = false;
  };
  std::string title{};        // "Compared with profile smki-root-oca, read by two decoders"
  std::string wanted_says{};  // "profile says"
  std::string found_says{};   // "certificate has"
  std::vector<Row> rows{};
};

struct Banner {
  std::string title{};        // of the script
  std::string ceremony{};     // its id
  std::string environment{};  // "rehearsal", "uit", "sit" or "production": shown on every banner
  std::vector<Fact> facts{};
};

struct StepHeading {
  std::string section{};      // title of the section
  std::string section_say{};  // words to read aloud at its first step; empty if none
  std::string id{};           // step id of the script
  std::string title{};        // what happens, in words
  std::string say{};          // words to read aloud; empty if none
  std::size_t number = 0;     // n of m, over the whole script, from 1
  std::size_t total = 0;
  std::int64_t elapsed_micros = 0;  // since the ceremony began
};

// kBack is the answer that goes back from a question (may_go_back).
inline constexpr const char* kBack = "back";

// Question asks one person for one line.
struct Question {
  enum class Kind : std::uint8_t {
    kConsent,   // exactly `expected`, case-sensitive; anything else asks again
    kText,      // must match `pattern` (a script::Pattern; empty: any text), read back and confirmed
    kChoice,    // one of `choices`, by its number or its exact text; returns the text
    kDecision,  // like kChoice, but never answered by simulated people: see `simulated`
  };
  Kind kind = Kind::kConsent;
  std::string id{};          // stable name of the question: "key.generate/consent"
  std::string person{};      // who is asked, by name: "Alice Archer (custodian)"
  std::string text{};        // the question
  std::string expected{};    // kConsent
  std::string pattern{};     // kText
  std::string example{};     // kText: what such an answer looks like
  bool may_go_back = false;  // kText: kBack is an answer too, and is not read back
  bool at_enter = false;     // kText: typed in advance; Enter marks the moment. Not read back.
  std::vector<std::string> choices{};
  // What a simulated person answers in an unattended rehearsal. An empty one
  // means that no simulated person may answer it: the ceremony pauses (kAborted).
  std::string simulated{};
};

struct SecretQuestion {
  std::string id{};      // "token.login/pin"
  std::string person{};  // who types it
  std::string text{};    // "user PIN of token root-hsm (serial 4f2a)"
  std::size_t min_length = 1;
  std::size_t max_length = 255;
  bool twice = false;  // a new secret is typed twice
};

// Busy is shown while a long call runs, so that people see that the machine is
// alive; it ends with its destruction and leaves one line with the time taken.
class Busy {
 public:
  virtual ~Busy() = default;
};

class Terminal {
 public:
  virtual ~Terminal() = default;

  // HasPeople tells whether real people can answer, not only simulated ones.
  virtual bool HasPeople() const = 0;

  virtual void ShowBanner(const Banner& banner) = 0;
  virtual void ShowStep(const StepHeading& heading) = 0;
  virtual void Say(Tone tone, const std::string& text) = 0;
  virtual void ShowFacts(const std::vector<Fact>& facts) = 0;
  // ShowComparison ends with a line that says whether all rows are equal.
  virtual void ShowComparison(const Comparison& comparison) = 0;
  // ShowDigest shows a digest as grouped hexadecimal and as PGP words.
  virtual void ShowDigest(const std::string& label, base::ByteView digest) = 0;
  // ShowQr shows a text as a QR code, or says that the text is too long for one.
  // Does nothing where nobody is at the terminal.
  virtual void ShowQr(const std::string& label, const std::string& text) {
    static_cast<void>(label), static_cast<void>(text);
  }
  virtual std::unique_ptr<Busy> ShowBusy(const std::string& what) = 0;

  // Ask returns the answer. kAborted when people or a signal end the program
  // at the prompt (SIGINT, SIGTERM, SIGHUP, end of input), when a simulated
  // person may not answer, or when the terminal is gone.
  virtual base::Result<std::string> Ask(const Question& question) = 0;

  // AskSecret never echoes; it returns locked memory. kAborted as Ask;
  // kUnsupported where no person is (the unattended rehearsal knows the
  // secrets of its simulated people in another way).
  virtual base::Result<base::SecretBytes> AskSecret(const SecretQuestion& question) = 0;
};

}  // namespace ceremony::room

#endif  // CEREMONY_ROOM_TERMINAL_H_
