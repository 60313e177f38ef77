// Look is what the output can show: columns, colours, characters.
#ifndef CEREMONY_ROOM_LOOK_H_
#define CEREMONY_ROOM_LOOK_H_

#include <cstddef>

#include "ceremony/room/text.h"

namespace ceremony::room {

// A Look of its own (`Look{}`) is a plain file: 80 columns of ASCII.
struct Look {
  std::size_t width = 80;             // columns used, 20..100: longer lines are hard to read on a projector
  Charset charset = Charset::kAscii;  // kUtf8 also means box drawing
  bool colour = false;                // never the only carrier of a meaning
  bool rewrites_line = false;         // understands CR and "erase to end of line"
};

// LookOf asks the device and the environment: the window's width (else COLUMNS,
// else 80), UTF-8 by LC_ALL, LC_CTYPE, LANG; colour on a terminal unless
// NO_COLOR is set and not empty (no-color.org) or TERM is unset or "dumb".
Look LookOf(int fd);

}  // namespace ceremony::room

#endif  // CEREMONY_ROOM_LOOK_H_
