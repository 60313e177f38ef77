#include "ceremony/room/unattended_terminal.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <cstdlib>

#include "ceremony/room/signals.h"
#include "tests/support/scripted_terminal.h"

using base::ErrorCode;
using namespace ceremony::room;

namespace {

// What an UnattendedTerminal writes, as one string.
class Transcript {
 public:
  Transcript() : stream_(open_memstream(&text_, &size_)) {}
  ~Transcript() {
    std::fclose(stream_);
    std::free(text_);
  }
  std::FILE* stream() { return stream_; }
  std::string text() {
    std::fflush(stream_);
    return {text_, size_};
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* stream_;
};

const Question kConsent = {.id = "key/consent", .person = "Alice", .text = "Go?", .expected = "GO", .simulated = "GO"};

}  // namespace

TEST_CASE("simulated people leave the transcript that real ones would") {
  Transcript transcript;
  UnattendedTerminal terminal(transcript.stream(), Look{});
  CHECK(terminal.Ask(kConsent).value() == "GO");
  { const auto busy = terminal.ShowBusy("Signing"); }
  CHECK(
      transcript.text().starts_with("\n  +- Asked: Alice\n  | Go?\n  | Type exactly:  GO\n"
                                    "  | Then press Enter. If it is not so, press Ctrl-C: nothing is lost.\n"
                                    "  +-> GO   (simulated)\n"
                                    "  Signing ......"));
}

TEST_CASE("a simulated answer that is no answer is a bug, and a missing one pauses") {
  UnattendedTerminal terminal(nullptr, Look{});
  Question question = kConsent;
  question.simulated = "go";
  CHECK(terminal.Ask(question).error().code == ErrorCode::kInternal);
  CHECK(terminal.Ask(question).error().message ==
        "the simulated answer to question key/consent is none: you typed \"go\", expected exactly \"GO\", capital and "
        "small letters as shown");
  question.simulated.clear();
  CHECK(terminal.Ask(question).error().code == ErrorCode::kAborted);
  CHECK(terminal.Ask(question).error().message ==
        "question key/consent to \"Alice\" is for a person: no simulated answer is allowed");
  CHECK(terminal.AskSecret({.id = "pin"}).error().code == ErrorCode::kUnsupported);
}

TEST_CASE("a simulated choice is given by its text") {
  UnattendedTerminal terminal(nullptr, Look{});
  Question question = {.kind = Question::Kind::kChoice, .id = "q", .choices = {"a", "b"}, .simulated = "b"};
  CHECK(terminal.Ask(question).value() == "b");
  question.simulated = "c";
  CHECK(terminal.Ask(question).error().code == ErrorCode::kInternal);
}

TEST_CASE("a signal stops simulated people too, and is remembered until then") {
  const SignalScope signals;
  UnattendedTerminal terminal(nullptr, Look{});
  CHECK_FALSE(StopRequested());
  raise(SIGTERM);
  raise(SIGINT);  // the first one is the reason
  CHECK(StopRequested());
  const auto answer = terminal.Ask(kConsent);
  CHECK(answer.error().code == ErrorCode::kAborted);
  CHECK(answer.error().message == "stopped by a request to end (SIGTERM) at question key/consent");
  ForgetStop();
  CHECK(terminal.Ask(kConsent).ok());
}

TEST_CASE("a broken pipe is an error of a write, not the end of the program") {
  const SignalScope signals;
  CHECK(raise(SIGPIPE) == 0);
}

TEST_CASE("a scripted terminal wants its questions in order and fails where it is told to") {
  support::ScriptedTerminal strict({{"a", "GO"}, {"b", "x"}});
  Question question = kConsent;
  question.id = "a";
  CHECK(strict.Ask(question).value() == "GO");
  CHECK(strict.Ask(question).error().message == "question a came, scripted was b");
  question.id = "b";
  CHECK(strict.Ask(question).error().code == ErrorCode::kInvalidInput);
  CHECK(strict.AllAsked());

  support::ScriptedTerminal willing;
  willing.FailAt(1, base::MakeError(ErrorCode::kAborted, "stopped"));
  willing.SetSecret("pin", "1234");
  CHECK(willing.Ask(kConsent).ok());
  CHECK(willing.Ask(kConsent).error().message == "stopped");
  CHECK(willing.AskSecret({.id = "pin"}).value().size() == 4);
  CHECK(willing.asked() == std::vector<std::string>{"key/consent", "key/consent", "pin"});
  CHECK(willing.transcript().find("1234") == std::string::npos);
}
