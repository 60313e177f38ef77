#include "ceremony/cli/own_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <ext/stdio_sync_filebuf.h>
#include <string_view>

#include "ceremony/cli/exit_code.h"

namespace ceremony::cli {
namespace {

std::FILE* own = nullptr;
pid_t running = 0;  // the process whose end has not come yet

}  // namespace

std::FILE* StandardOutput() { return own == nullptr ? stdout : own; }

namespace {

void AtExit() {
  if (running != getpid()) return;                   // our own end, or a child that a module has forked
  static_cast<void>(std::fflush(StandardOutput()));  // nothing more can be said of it
  constexpr std::string_view kMessage =
      "keyceremony: error: a PKCS#11 module has ended this program while it was loaded or called\n"
      "keyceremony: hint: do not use this module; a ceremony that was under way goes on with keyceremony resume\n";
  static_cast<void>(!write(STDERR_FILENO, kMessage.data(), kMessage.size()));
  _exit(kExitToken);
}

// Where the words of modules go: standard error, or nowhere if that is closed.
bool GiveAwayDescriptor() {
  if (dup2(STDERR_FILENO, STDOUT_FILENO) >= 0) return true;
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return false;
  const bool given = dup2(nowhere, STDOUT_FILENO) >= 0;
  close(nowhere);
  return given;
}

std::FILE* PutAside() {
  const int aside = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (aside < 0) return nullptr;
  std::FILE* const file = fdopen(aside, "w");
  if (file != nullptr && GiveAwayDescriptor()) return file;
  close(aside);
  return nullptr;
}

}  // namespace

room::Look LookOfOutput() { return room::LookOf(fileno(StandardOutput())); }

OwnOutput::OwnOutput() {
  running = getpid();
  static_cast<void>(std::atexit(AtExit));
  own = PutAside();
  buffer_ = std::make_unique<__gnu_cxx::stdio_sync_filebuf<char>>(StandardOutput());
  stream_.rdbuf(buffer_.get());
}

OwnOutput::~OwnOutput() {
  stream_.flush();
  running = 0;
}

}  // namespace ceremony::cli
