#include "ceremony/room/tty_device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "ceremony/room/signals.h"

namespace ceremony::room {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;

constexpr cc_t kNoCharacter = _POSIX_VDISABLE;

base::Error TerminalGone() {
  RequestStop(SIGHUP);
  return StopError("at a question");
}

}  // namespace

base::Error EndOfInput() { return MakeError(ErrorCode::kAborted, "stopped by end of input (Ctrl-D) at a question"); }

Result<void> TtyDevice::CheckThatPeopleCanType() {
  if (isatty(STDIN_FILENO) != 0) return {};
  return MakeError(ErrorCode::kInvalidInput, "standard input is not a terminal, and people must type their answers")
      .WithHint("run it on a terminal; a rehearsal can run by itself with --unattended");
}

Result<TtyDevice> TtyDevice::Open() {
  KC_RETURN_IF_ERROR(CheckThatPeopleCanType());
  // The descriptor that a shell hands down is open both ways; /dev/tty serves `< /dev/pts/3`.
  base::FileDescriptor terminal((fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE) == O_RDWR
                                    ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                    : open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.valid()) return base::SystemError("open", "/dev/tty", errno);
  return Adopt(std::move(terminal));
}

Result<TtyDevice> TtyDevice::Adopt(base::FileDescriptor terminal) {
  // Ctrl-C throws away what was typed: a key that poll has told of may be gone when it is read, and that read must not
  // wait. Others share the descriptor that we were given, so it is this opening of ours alone that does not block.
  const std::string again = fmt::format("/proc/self/fd/{}", terminal.get());
  base::FileDescriptor own(open(again.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (own.valid()) terminal = std::move(own);
  termios found{};
  if (tcgetattr(terminal.get(), &found) != 0) return base::SystemError("tcgetattr", "the terminal", errno);
  return TtyDevice(std::move(terminal), found);
}

TtyDevice::TtyDevice(base::FileDescriptor terminal, const termios& found)
    : terminal_(std::move(terminal)), found_(found) {
  RestoreTerminalOnDeath(fd(), found_);
  Enter(Mode::kQuiet);
}

TtyDevice::~TtyDevice() {
  if (!terminal_.valid()) return;  // moved on
  ForgetTerminal();
  tcsetattr(fd(), TCSANOW, &found_);
}

void TtyDevice::Enter(Mode mode) {
  termios modes = found_;
  modes.c_iflag |= ICRNL;
  modes.c_oflag |= OPOST | ONLCR;
  modes.c_lflag |= ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL;
  modes.c_lflag &= static_cast<tcflag_t>(~(ECHONL | NOFLSH | TOSTOP));
  if (mode != Mode::kLine) modes.c_lflag &= static_cast<tcflag_t>(~ECHO);
  if (mode == Mode::kSecret) {
    // A program stopped here (Ctrl-Z) would leave half a PIN waiting for the shell.
    modes.c_cc[VSUSP] = kNoCharacter;
    modes.c_lflag &= static_cast<tcflag_t>(~(ICANON | IEXTEN));
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
  }
  // TCSANOW and a flush of the input alone: TCSAFLUSH would also wait for a
  // display that somebody has halted with Ctrl-S.
  tcsetattr(fd(), TCSANOW, &modes);
  tcflush(fd(), TCIFLUSH);
  pending_.clear();
}

Result<void> TtyDevice::WaitForInput() const {
  std::array<pollfd, 2> watched = {pollfd{fd(), POLLIN, 0}, pollfd{StopWakeFd(), POLLIN, 0}};
  for (;;) {
    if (StopRequested()) return StopError("at a question");
    if (poll(watched.data(), watched.size(), -1) > 0 && watched[0].revents != 0) return {};
  }
}

Result<std::uint8_t> TtyDevice::ReadByte() {
  for (;;) {
    KC_RETURN_IF_ERROR(WaitForInput());
    std::uint8_t byte = 0;
    const ssize_t got = read(fd(), &byte, 1);
    if (got == 1) return byte;
    if (got == 0) return TerminalGone();
    if (errno != EINTR && errno != EAGAIN) return TerminalGone();
  }
}

Result<std::string> TtyDevice::ReadLine() {
  std::string line = std::exchange(pending_, {});
  for (;;) {
    if (const std::size_t end = line.find('\n'); end != std::string::npos) {
      pending_ = line.substr(end + 1);
      line.resize(end);
      return line;
    }
    KC_RETURN_IF_ERROR(WaitForInput());
    std::array<char, 4096> bytes;
    const ssize_t got = read(fd(), bytes.data(), bytes.size());
    if (got > 0) {
      line.append(bytes.data(), static_cast<std::size_t>(got));
    } else if (got == 0) {
      // A hung-up terminal reads as end of input too, and says so to poll.
      pollfd state{fd(), POLLIN, 0};
      if (poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLERR)) != 0) return TerminalGone();
      return EndOfInput();
    } else if (errno != EINTR && errno != EAGAIN) {
      return TerminalGone();
    }
  }
}

void TtyDevice::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd(), bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd room{fd(), POLLOUT, 0};
      poll(&room, 1, 1000);
    } else if (errno != EINTR) {
      RequestStop(SIGHUP);
      return;
    }
  }
}

}  // namespace ceremony::room
