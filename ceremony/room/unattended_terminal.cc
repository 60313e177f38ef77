#include "ceremony/room/unattended_terminal.h"

#include <fmt/format.h>

#include <chrono>

#include "ceremony/room/answer.h"
#include "ceremony/room/signals.h"

namespace ceremony::room {

using base::ErrorCode;
using base::MakeError;
using base::Result;

// Timed leaves the one line of a call that is over; nobody watches while it runs.
class UnattendedTerminal::Timed final : public Busy {
 public:
  Timed(UnattendedTerminal& terminal, std::string what) : terminal_(terminal), what_(std::move(what)) {}
  ~Timed() override {
    const auto taken = std::chrono::steady_clock::now() - start_;
    terminal_.Write(
        terminal_.typesetter_.SetTaken(what_, std::chrono::duration_cast<std::chrono::microseconds>(taken).count()));
  }
  Timed(const Timed&) = delete;  // one call, one line
  Timed& operator=(const Timed&) = delete;

 private:
  UnattendedTerminal& terminal_;
  std::string what_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

namespace {
class Silent final : public Busy {};
}  // namespace

UnattendedTerminal::UnattendedTerminal(std::FILE* stream, Look look) : stream_(stream), typesetter_(look) {}

void UnattendedTerminal::Write(std::string_view text) {
  text = typesetter_.Join(text);
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stream_));  // an error is the stream's
}

void UnattendedTerminal::ShowBanner(const Banner& banner) {
  if (stream_ != nullptr) Write(typesetter_.SetBanner(banner));
}

void UnattendedTerminal::ShowStep(const StepHeading& heading) {
  if (stream_ != nullptr) Write(typesetter_.SetStep(heading));
}

void UnattendedTerminal::Say(Tone tone, const std::string& text) {
  if (stream_ != nullptr) Write(typesetter_.SetSaying(tone, text));
}

void UnattendedTerminal::ShowFacts(const std::vector<Fact>& facts) {
  if (stream_ != nullptr) Write(typesetter_.SetFacts(facts));
}

void UnattendedTerminal::ShowComparison(const Comparison& comparison) {
  if (stream_ != nullptr) Write(typesetter_.SetComparison(comparison));
}

void UnattendedTerminal::ShowDigest(const std::string& label, base::ByteView digest) {
  if (stream_ != nullptr) Write(typesetter_.SetDigest(label, digest));
}

std::unique_ptr<Busy> UnattendedTerminal::ShowBusy(const std::string& what) {
  if (stream_ == nullptr) return std::make_unique<Silent>();
  return std::make_unique<Timed>(*this, what);
}

Result<std::string> UnattendedTerminal::Ask(const Question& question) {
  if (stream_ != nullptr) Write(typesetter_.SetQuestion(question));
  const auto end_prompt = [this](std::string_view text) {
    if (stream_ == nullptr) return;
    Write(typesetter_.SetPrompt());
    Write(text);
    Write("\n");
  };
  if (StopRequested()) {
    end_prompt("(stopped)");
    return StopError("at question " + question.id);
  }
  if (question.simulated.empty()) {
    end_prompt("(waits for a person)");
    return MakeError(ErrorCode::kAborted,
                     fmt::format("question {} to {} is for a person: no simulated answer is allowed", question.id,
                                 Quoted(question.person)))
        .WithHint("`keyceremony resume RECORD` on a terminal asks it again");
  }
  Result<std::string> answer = JudgeAnswer(question, question.simulated);
  if (!answer.ok()) {
    end_prompt("(no answer)");
    return MakeError(ErrorCode::kInternal, fmt::format("the simulated answer to question {} is none: {}", question.id,
                                                       answer.error().message));
  }
  end_prompt(Visible(question.simulated, typesetter_.look().charset) + "   (simulated)");
  return answer;
}

Result<base::SecretBytes> UnattendedTerminal::AskSecret(const SecretQuestion& question) {
  return MakeError(ErrorCode::kUnsupported,
                   fmt::format("question {} asks a person to type a secret, and nobody is there", question.id))
      .WithHint("run it on a terminal, without --unattended");
}

}  // namespace ceremony::room
