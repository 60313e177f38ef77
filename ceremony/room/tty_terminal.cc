#include "ceremony/room/tty_terminal.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <system_error>
#include <thread>
#include <utility>

#include "ceremony/room/answer.h"
#include "ceremony/room/signals.h"
#include "hsm/base/counted.h"

namespace ceremony::room {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;
using base::SecretBytes;

constexpr int kTriesBeforeAdvice = 3;
constexpr std::string_view kAdvice = "To stop here instead, press Ctrl-C. Nothing is lost.";

constexpr std::uint8_t kEndOfInput = 0x04;  // Ctrl-D
constexpr std::uint8_t kBackspace = 0x08;
constexpr std::uint8_t kKillLine = 0x15;  // Ctrl-U
constexpr std::uint8_t kDelete = 0x7f;

// TakeBackCharacter removes one character: a UTF-8 one may be several bytes.
void TakeBackCharacter(SecretBytes& secret) {
  while (!secret.empty()) {
    const bool continuation = (secret.view().back() & 0xc0) == 0x80;
    secret.PopBack();
    if (!continuation) return;
  }
}

std::string Sentence(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
  return text + '.';
}

}  // namespace

// Answering holds the keyboard for one question: back in quiet mode however it ends.
class TtyTerminal::Answering final {
 public:
  Answering(TtyTerminal& terminal, TtyDevice::Mode mode) : terminal_(terminal) {
    SetAsking(true);
    terminal_.device_.Enter(mode);
  }
  ~Answering() {
    terminal_.device_.Enter(TtyDevice::Mode::kQuiet);
    SetAsking(false);
  }
  Answering(const Answering&) = delete;  // scoped
  Answering& operator=(const Answering&) = delete;

 private:
  void SetAsking(bool asking) {
    const std::lock_guard lock(terminal_.drawing_);
    terminal_.asking_ = asking;
  }

  TtyTerminal& terminal_;
};

// BusyLine animates one line from a thread of its own, because the thread that
// runs the ceremony is inside the token's module.
class TtyTerminal::BusyLine final : public Busy {
 public:
  BusyLine(TtyTerminal& terminal, std::string what) : terminal_(terminal), what_(std::move(what)) {
    {
      const std::lock_guard lock(terminal_.drawing_);
      terminal_.busy_.push_back(this);
    }
    // Signals belong to the main thread: block them while the new one inherits the mask.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      drawer_ = std::thread([this] { Run(); });
    } catch (const std::system_error&) {
      // The machine gives no more threads: the call goes on, its line does not move.
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~BusyLine() override {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    wake_.notify_one();
    if (drawer_.joinable()) drawer_.join();
    {
      const std::lock_guard lock(terminal_.drawing_);
      std::erase(terminal_.busy_, this);
    }
    terminal_.Print(terminal_.typesetter_.SetTaken(what_, Micros()));
  }
  BusyLine(const BusyLine&) = delete;  // one call, one line
  BusyLine& operator=(const BusyLine&) = delete;

  // Set is the line as it looks now.
  std::string Set(const Typesetter& typesetter) const {
    static constexpr std::array<std::string_view, 4> kSpinner = {"|", "/", "-", "\\"};
    const std::int64_t micros = Micros();
    std::string status = fmt::format("{:>3} s", micros / 1'000'000);
    if (StopRequested()) status += "  [stopping when this call is over; Ctrl-\\ ends at once]";
    const std::int64_t frame = micros / 1000 / kFrame.count();
    return typesetter.SetBusy(what_, kSpinner[static_cast<std::size_t>(frame) % kSpinner.size()], status);
  }
  const std::string& what() const { return what_; }

 private:
  static constexpr std::chrono::milliseconds kPatience{300};
  static constexpr std::chrono::milliseconds kFrame{200};

  std::int64_t Micros() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start_).count();
  }

  void Run() {
    std::unique_lock lock(mutex_);
    for (auto pause = kPatience; !wake_.wait_for(lock, pause, [this] { return over_; }); pause = kFrame) {
      terminal_.DrawBusy(*this);
    }
  }

  TtyTerminal& terminal_;
  std::string what_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false;
  std::thread drawer_;  // last: it uses all the others
};

Result<std::unique_ptr<TtyTerminal>> TtyTerminal::Open() {
  KC_ASSIGN_OR_RETURN(TtyDevice device, TtyDevice::Open());
  const Look look = LookOf(device.fd());
  auto terminal = std::make_unique<TtyTerminal>(std::move(device), look);
  terminal->fixed_look_ = false;
  return terminal;
}

TtyTerminal::TtyTerminal(TtyDevice device, Look look) : device_(std::move(device)), typesetter_(look) {}

TtyTerminal::~TtyTerminal() = default;

void TtyTerminal::Print(std::string_view text) {
  const std::lock_guard lock(drawing_);
  if (std::exchange(busy_drawn_, false) && typesetter_.look().rewrites_line) device_.Write("\r\x1b[K");
  device_.Write(typesetter_.Join(text));
}

void TtyTerminal::DrawBusy(const BusyLine& line) {
  const std::lock_guard lock(drawing_);
  if (asking_ || busy_.empty() || busy_.back() != &line) return;
  if (typesetter_.look().rewrites_line) {
    device_.Write(fmt::format("\r{}\x1b[K", line.Set(typesetter_)));
  } else if (!busy_drawn_) {
    device_.Write(typesetter_.SetSaying(Tone::kPlain, line.what() + " ... please wait"));
  }
  busy_drawn_ = true;
}

// The window may have been resized since the last text.
void TtyTerminal::Refit() {
  if (fixed_look_) return;
  const std::lock_guard lock(drawing_);
  typesetter_.set_look(LookOf(device_.fd()));
}

void TtyTerminal::ShowBanner(const Banner& banner) {
  Refit();
  Print(typesetter_.SetBanner(banner));
}

void TtyTerminal::ShowStep(const StepHeading& heading) {
  Refit();
  Print(typesetter_.SetStep(heading));
}

void TtyTerminal::Say(Tone tone, const std::string& text) { Print(typesetter_.SetSaying(tone, text)); }

void TtyTerminal::ShowFacts(const std::vector<Fact>& facts) { Print(typesetter_.SetFacts(facts)); }

void TtyTerminal::ShowComparison(const Comparison& comparison) { Print(typesetter_.SetComparison(comparison)); }

void TtyTerminal::ShowDigest(const std::string& label, base::ByteView digest) {
  Print(typesetter_.SetDigest(label, digest));
}

void TtyTerminal::ShowQr(const std::string& label, const std::string& text) { Print(typesetter_.SetQr(label, text)); }

std::unique_ptr<Busy> TtyTerminal::ShowBusy(const std::string& what) { return std::make_unique<BusyLine>(*this, what); }

Result<std::string> TtyTerminal::Ask(const Question& question) {
  if (StopRequested()) return StopError("before a question");
  Refit();
  const Answering line(*this, TtyDevice::Mode::kLine);
  Print(typesetter_.SetQuestion(question));
  Result<std::string> answer = AskUntilAnswered(question);
  if (!answer.ok()) Print("\n");
  return answer;
}

Result<std::string> TtyTerminal::AskUntilAnswered(const Question& question) {
  for (int wrong = 0;;) {
    Print(typesetter_.SetPrompt());
    KC_ASSIGN_OR_RETURN(const std::string typed, device_.ReadLine());
    Result<std::string> answer = JudgeAnswer(question, typed);
    if (!answer.ok()) {
      if (answer.error().code != ErrorCode::kInvalidInput) return answer;
      Print(typesetter_.SetRemark(Sentence(answer.error().message) + " Please type it again."));
      if (question.may_go_back) Print(typesetter_.SetRemark(fmt::format("To go back, type {}.", kBack)));
      if (++wrong >= kTriesBeforeAdvice) Print(typesetter_.SetRemark(kAdvice));
      continue;
    }
    std::string remark;
    switch (question.kind) {
      case Question::Kind::kConsent:
      case Question::Kind::kChoice:
        return answer;
      case Question::Kind::kText:
        if (question.at_enter || (question.may_go_back && *answer == kBack)) return answer;
        remark = fmt::format("You typed {}. Is that right?", Quoted(*answer));
        break;
      case Question::Kind::kDecision:
        remark = fmt::format("You decided {}. Is that right?", Quoted(*answer));
        break;
    }
    KC_ASSIGN_OR_RETURN(const bool right, Confirm(remark));
    if (right) return answer;
    Print(typesetter_.SetRemark("Then please type it again."));
    if (question.may_go_back) Print(typesetter_.SetRemark(fmt::format("To go back, type {}.", kBack)));
  }
}

Result<bool> TtyTerminal::Confirm(const std::string& remark) {
  Print(typesetter_.SetRemark(remark + " Type yes or no."));
  for (int wrong = 0;;) {
    Print(typesetter_.SetPrompt());
    KC_ASSIGN_OR_RETURN(const std::string typed, device_.ReadLine());
    if (typed == "yes") return true;
    if (typed == "no") return false;
    Print(typesetter_.SetRemark("That is neither. Type yes or no."));
    if (++wrong >= kTriesBeforeAdvice) Print(typesetter_.SetRemark(kAdvice));
  }
}

Result<SecretBytes> TtyTerminal::AskSecret(const SecretQuestion& question) {
  if (StopRequested()) return StopError("before a question");
  Refit();
  const Answering secretly(*this, TtyDevice::Mode::kSecret);
  Print(typesetter_.SetSecretQuestion(question));
  for (int wrong = 0;;) {
    Result<SecretBytes> first = ReadSecret(question);
    if (!first.ok()) {
      if (first.error().code != ErrorCode::kInvalidInput) return first;
      Print(typesetter_.SetRemark(Sentence(first.error().message) + " Please type it again."));
    } else if (!question.twice) {
      return first;
    } else {
      Print(typesetter_.SetRemark("Now the same once more, then press Enter."));
      Result<SecretBytes> second = ReadSecret(question);
      if (!second.ok() && second.error().code != ErrorCode::kInvalidInput) return second;
      if (second.ok() && first->Equals(*second)) return first;
      Print(typesetter_.SetRemark("The two were not the same. Please type it again, both times."));
    }
    if (++wrong >= kTriesBeforeAdvice) Print(typesetter_.SetRemark(kAdvice));
  }
}

// The byte travels in a register and in locked memory only; no string ever holds it.
Result<SecretBytes> TtyTerminal::ReadSecret(const SecretQuestion& question) {
  Print(typesetter_.SetPrompt());
  SecretBytes secret;
  bool spoiled = false;
  bool too_long = false;
  for (;;) {
    Result<std::uint8_t> byte = device_.ReadByte();
    if (!byte.ok()) {
      Print("\n");
      return std::move(byte).error();
    }
    if (*byte == '\r' || *byte == '\n') break;
    if (*byte == kBackspace || *byte == kDelete) {
      TakeBackCharacter(secret);
    } else if (*byte == kKillLine) {
      secret.Wipe();
      spoiled = too_long = false;
    } else if (*byte == kEndOfInput && secret.empty()) {
      Print("\n");
      return EndOfInput();
    } else if (*byte < 0x20) {
      spoiled = true;
    } else if (secret.size() >= question.max_length || !secret.PushBack(*byte).ok()) {
      too_long = true;
    }
  }
  Print("(typed)\n");
  if (spoiled) return MakeError(ErrorCode::kInvalidInput, "a special key was pressed (an arrow, tab or escape)");
  if (too_long) {
    return MakeError(ErrorCode::kInvalidInput,
                     "that was longer than " + base::Counted(question.max_length, "character", "characters"));
  }
  if (secret.empty() && question.min_length > 0) return MakeError(ErrorCode::kInvalidInput, "nothing was typed");
  if (secret.size() < question.min_length) {
    return MakeError(ErrorCode::kInvalidInput,
                     "that was shorter than " + base::Counted(question.min_length, "character", "characters"));
  }
  return secret;
}

}  // namespace ceremony::room
