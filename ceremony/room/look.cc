#include "ceremony/room/look.h"

#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace ceremony::room {
namespace {

constexpr std::size_t kNarrowest = 20;
constexpr std::size_t kWidest = 100;

std::string_view Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

// The environment is read rather than setlocale(): a locale that is named but not
// installed still tells what the terminal shows, and start-up stays fast.
Charset CharsetOfEnvironment() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = Variable(name);
    if (value.empty()) continue;
    const std::size_t dot = value.find('.');
    if (dot == std::string_view::npos) return Charset::kAscii;
    const std::string_view codeset = value.substr(dot + 1, value.find('@') - dot - 1);
    const auto is = [codeset](std::string_view wanted) {
      return codeset.size() == wanted.size() && strncasecmp(codeset.data(), wanted.data(), wanted.size()) == 0;
    };
    return is("UTF-8") || is("UTF8") ? Charset::kUtf8 : Charset::kAscii;
  }
  return Charset::kAscii;
}

std::size_t WidthOf(int fd) {
  winsize window{};
  std::size_t width = 0;
  if (ioctl(fd, TIOCGWINSZ, &window) == 0) width = window.ws_col;
  if (width == 0) {
    const std::string_view columns = Variable("COLUMNS");
    if (std::from_chars(columns.data(), columns.data() + columns.size(), width).ec != std::errc{}) width = 0;
  }
  return width == 0 ? 80 : std::clamp(width, kNarrowest, kWidest);
}

}  // namespace

Look LookOf(int fd) {
  Look look;
  look.charset = CharsetOfEnvironment();
  if (isatty(fd) == 0) return look;
  look.width = WidthOf(fd);
  const std::string_view terminal = Variable("TERM");
  look.rewrites_line = !terminal.empty() && terminal != "dumb";
  look.colour = look.rewrites_line && Variable("NO_COLOR").empty();
  return look;
}

}  // namespace ceremony::room
