#include "ceremony/room/qr.h"

#include <fmt/format.h>
#include <qrencode.h>

#include <memory>

#include "hsm/base/owned.h"

namespace ceremony::room {
namespace {

constexpr int kQuietZone = 4;
constexpr std::size_t kMostBytes = 2331;  // version 40, level M, byte mode

// Light outside the code: the quiet zone.
bool IsDark(const QRcode& code, int row, int column) {
  if (row < 0 || column < 0 || row >= code.width || column >= code.width) return false;
  return (code.data[row * code.width + column] & 1U) != 0;
}

std::string InHalfBlocks(const QRcode& code) {
  std::string text;
  for (int row = -kQuietZone; row < code.width + kQuietZone; row += 2) {
    for (int column = -kQuietZone; column < code.width + kQuietZone; ++column) {
      const bool upper = !IsDark(code, row, column);
      const bool lower = !IsDark(code, row + 1, column);
      text += upper ? (lower ? "█" : "▀") : (lower ? "▄" : " ");
    }
    text += '\n';
  }
  return text;
}

std::string InAscii(const QRcode& code) {
  std::string text;
  for (int row = -kQuietZone; row < code.width + kQuietZone; ++row) {
    for (int column = -kQuietZone; column < code.width + kQuietZone; ++column)
      text += IsDark(code, row, column) ? "  " : "##";
    text += '\n';
  }
  return text;
}

}  // namespace

base::Result<std::string> QrCode(std::string_view text, Charset charset) {
  if (text.empty() || text.size() > kMostBytes) {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("a QR code holds 1 to {} bytes, this text has {}", kMostBytes, text.size()));
  }
  const base::Owned<QRcode, QRcode_free> code(QRcode_encodeData(
      static_cast<int>(text.size()), reinterpret_cast<const unsigned char*>(text.data()), 0, QR_ECLEVEL_M));
  if (!code) return base::MakeError(base::ErrorCode::kInternal, "the QR code could not be made");
  return charset == Charset::kUtf8 ? InHalfBlocks(*code) : InAscii(*code);
}

}  // namespace ceremony::room
