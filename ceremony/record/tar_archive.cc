#include "ceremony/record/tar_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "ceremony/record/entry.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameBytes = 100;
constexpr std::size_t kPrefixBytes = 155;
using Header = std::array<std::uint8_t, kBlock>;

void Put(Header& header, std::size_t at, std::string_view text) {
  std::memcpy(header.data() + at, text.data(), text.size());
}

std::size_t Padded(std::size_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

// The cut between prefix and name: 0 when the name alone has room, npos when nothing fits.
std::size_t CutOf(std::string_view path) {
  if (path.size() <= kNameBytes) return 0;
  const std::size_t cut = path.find('/', path.size() - kNameBytes - 1);
  return cut == std::string_view::npos || cut > kPrefixBytes ? std::string_view::npos : cut;
}

Header MakeHeader(std::string_view path, std::size_t size) {
  Header header{};
  const std::size_t cut = CutOf(path);
  Put(header, 0, cut == 0 ? path : path.substr(cut + 1));
  if (cut != 0) Put(header, 345, path.substr(0, cut));
  Put(header, 100, "0000600");
  Put(header, 108, "0000000");
  Put(header, 116, "0000000");
  Put(header, 124, fmt::format("{:011o}", size));
  Put(header, 136, "00000000000");
  Put(header, 148, "        ");  // the checksum counts itself as blanks
  Put(header, 156, "0");
  Put(header, 257, "ustar");
  Put(header, 263, "00");
  unsigned sum = 0;
  for (const std::uint8_t byte : header) sum += byte;
  Put(header, 148, fmt::format("{:06o}", sum));
  header[154] = 0;
  return header;
}

}  // namespace

Result<void> TarWriter::Add(std::string_view path, base::ByteView content) {
  if (CutOf(path) == std::string_view::npos) {
    return MakeError(ErrorCode::kUnsupported, fmt::format("the path {} is too long for an archive", path));
  }
  if (content.size() > kMaxArchiveBytes || bytes_.size() + Padded(content.size()) + 4 * kBlock > kMaxArchiveBytes) {
    return MakeError(ErrorCode::kUnsupported,
                     fmt::format("what is withheld has more than {} bytes, too many for one annex", kMaxArchiveBytes));
  }
  const Header header = MakeHeader(path, content.size());
  bytes_.insert(bytes_.end(), header.begin(), header.end());
  bytes_.insert(bytes_.end(), content.begin(), content.end());
  bytes_.resize(Padded(bytes_.size()));
  return {};
}

base::Bytes TarWriter::Finish() && {
  bytes_.resize(bytes_.size() + 2 * kBlock);
  return std::move(bytes_);
}

Result<std::map<std::string, base::ByteView>> ReadTar(base::ByteView archive) {
  const auto corrupt = [](const std::string& why) { return MakeError(ErrorCode::kCorrupt, "the archive " + why); };
  std::map<std::string, base::ByteView> files;
  for (std::size_t at = 0;;) {
    if (archive.size() - at < 2 * kBlock) return corrupt("has no end");
    const base::ByteView header = archive.subspan(at, kBlock);
    if (std::all_of(header.begin(), header.end(), [](std::uint8_t byte) { return byte == 0; })) {
      const base::ByteView rest = archive.subspan(at);
      if (rest.size() != 2 * kBlock ||
          std::any_of(rest.begin(), rest.end(), [](std::uint8_t byte) { return byte != 0; })) {
        return corrupt("goes on behind its end");
      }
      return files;
    }
    const auto text = [&](std::size_t from, std::size_t size) {
      const std::string_view field = base::AsText(header.subspan(from, size));
      return field.substr(0, field.find('\0'));
    };
    std::string path(text(345, kPrefixBytes));
    if (!path.empty()) path.push_back('/');
    path.append(text(0, kNameBytes));
    std::size_t size = 0;
    for (const char digit : text(124, 12)) {
      if (digit < '0' || digit > '7') return corrupt("has a size that is no number");
      size = size * 8 + static_cast<std::size_t>(digit - '0');
    }
    at += kBlock;
    if (!IsSafePath(path) || size > archive.size() - at || Padded(size) > archive.size() - at) {
      return corrupt("has a file that is cut short, or an unsafe name");
    }
    const Header expected = MakeHeader(path, size);
    if (!std::equal(expected.begin(), expected.end(), header.begin())) {
      return corrupt("has a header that is not spelled as it is written");
    }
    const base::ByteView padding = archive.subspan(at + size, Padded(size) - size);
    if (std::any_of(padding.begin(), padding.end(), [](std::uint8_t byte) { return byte != 0; })) {
      return corrupt("has bytes between two files");
    }
    if (!files.emplace(path, archive.subspan(at, size)).second) return corrupt("has " + path + " twice");
    at += Padded(size);
  }
}

}  // namespace ceremony::record
