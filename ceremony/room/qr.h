// QR codes in the scrollback: how a line leaves a machine that has no network.
#ifndef CEREMONY_ROOM_QR_H_
#define CEREMONY_ROOM_QR_H_

#include <string>
#include <string_view>

#include "ceremony/room/text.h"
#include "hsm/base/result.h"

namespace ceremony::room {

// QrCode draws a text as a QR code (ISO/IEC 18004, error correction M, with the
// quiet zone of 4 modules): lines of half blocks, two modules a character, or
// with kAscii of "##" and spaces, two characters a module. Dark modules are drawn
// as blanks and light ones as blocks, for a terminal that is light on dark.
// kInvalidInput when the text is empty or longer than a code holds (2,331 bytes).
base::Result<std::string> QrCode(std::string_view text, Charset charset);

}  // namespace ceremony::room

#endif  // CEREMONY_ROOM_QR_H_
