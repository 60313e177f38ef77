#include "ceremony/room/signals.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

namespace ceremony::room {
namespace {

// A signal handler has no argument to carry these: the one place of the
// project with state of the process.
std::atomic<int> stop_signal{0};
std::atomic<int> wake_read{-1};
std::atomic<int> wake_write{-1};
std::atomic<int> terminal_fd{-1};
termios terminal_modes{};

constexpr std::array kStopping = {SIGINT, SIGTERM, SIGHUP};
constexpr std::array kDeadly = {SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

static_assert(std::atomic<int>::is_always_lock_free, "signal handlers need lock-free atomics");

struct sigaction DispositionBefore(int number);

extern "C" void OnStop(int number) {
  const int saved_errno = errno;
  RequestStop(number);
  errno = saved_errno;
}

// ComesAgain: a fault does by itself, when its instruction is repeated; a signal
// that was sent does not. A terminal's Ctrl-\ has a positive si_code as faults
// have (SI_KERNEL), but is none.
bool ComesAgain(int number, const siginfo_t& info) {
  return number != SIGQUIT && number != SIGABRT && info.si_code > 0;
}

extern "C" void OnDeath(int number, siginfo_t* info, void*) {
  if (const int fd = terminal_fd.exchange(-1); fd >= 0) tcsetattr(fd, TCSANOW, &terminal_modes);
  // Whoever was there before (a sanitizer, or the default) has the last word.
  const struct sigaction before = DispositionBefore(number);
  sigaction(number, &before, nullptr);
  if (!ComesAgain(number, *info)) raise(number);
}

std::array<struct sigaction, NSIG> dispositions_before{};

struct sigaction DispositionBefore(int number) {
  return dispositions_before[static_cast<std::size_t>(number)];
}

}  // namespace

SignalScope::SignalScope() {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    std::fputs("keyceremony: error: no pipe for signals: too many open files\n", stderr);
    std::abort();
  }
  wake_read = ends[0];
  wake_write = ends[1];
  stop_signal = 0;

  std::size_t next = 0;
  const auto install = [&](int number, const struct sigaction& action) {
    Caught& caught = caught_.at(next++);
    caught.number = number;
    sigaction(number, &action, &caught.before);
    dispositions_before[static_cast<std::size_t>(number)] = caught.before;
  };
  struct sigaction action {};
  sigfillset(&action.sa_mask);
  // SA_RESTART: a token's own reads and writes are not to fail because somebody pressed Ctrl-C.
  action.sa_flags = SA_RESTART;
  action.sa_handler = OnStop;
  for (const int number : kStopping) {
    install(number, action);
    if (number == SIGHUP && caught_[next - 1].before.sa_handler == SIG_IGN) {
      sigaction(number, &caught_[next - 1].before, nullptr);
    }
  }
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  install(SIGPIPE, ignore);
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = OnDeath;
  for (const int number : kDeadly) install(number, action);
}

SignalScope::~SignalScope() {
  for (const Caught& caught : caught_) sigaction(caught.number, &caught.before, nullptr);
  close(wake_write.exchange(-1));
  close(wake_read.exchange(-1));
}

bool StopRequested() { return stop_signal.load(std::memory_order_relaxed) != 0; }

void RequestStop(int signal_number) {
  int none = 0;
  stop_signal.compare_exchange_strong(none, signal_number);  // the first one is the reason
  const char byte = 0;
  if (const int fd = wake_write.load(); fd >= 0) {
    [[maybe_unused]] const ssize_t written = write(fd, &byte, 1);  // a full pipe is readable as well
  }
}

void ForgetStop() {
  stop_signal = 0;
  char drained[64];
  const int fd = wake_read.load();
  while (fd >= 0 && read(fd, drained, sizeof drained) > 0) {
  }
}

int StopWakeFd() { return wake_read.load(); }

base::Error StopError(const std::string& where) {
  std::string what;
  switch (const int number = stop_signal.load()) {
    case SIGINT:
      what = "stopped by Ctrl-C (SIGINT)";
      break;
    case SIGTERM:
      what = "stopped by a request to end (SIGTERM)";
      break;
    case SIGHUP:
      what = "stopped because the terminal was closed (SIGHUP)";
      break;
    default:
      what = fmt::format("stopped by signal {}", number);
      break;
  }
  return base::MakeError(base::ErrorCode::kAborted, what + ' ' + where);
}

void RestoreTerminalOnDeath(int fd, const termios& modes) {
  terminal_modes = modes;
  terminal_fd = fd;
}

void ForgetTerminal() { terminal_fd = -1; }

}  // namespace ceremony::room
