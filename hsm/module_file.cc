#include "hsm/module_file.h"

#include <elf.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

namespace hsm {
namespace {

using base::ErrorCode;

base::Error Unloadable(const std::string& path, const std::string& why) {
  return base::MakeError(ErrorCode::kUnsupported, fmt::format("module {} cannot be loaded: {}", path, why));
}

template <typename T>
bool ReadAt(std::ifstream& file, std::uint64_t offset, T* out, std::size_t count = 1) {
  file.seekg(static_cast<std::streamoff>(offset));
  return static_cast<bool>(file.read(reinterpret_cast<char*>(out), static_cast<std::streamsize>(sizeof(T) * count)));
}

// How far into the file the loader will reach; 0 where the headers are not all there.
std::uint64_t EndOfSegments(std::ifstream& file, const Elf64_Ehdr& header) {
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  if (segments.empty() || !ReadAt(file, header.e_phoff, segments.data(), segments.size())) return 0;
  std::uint64_t end = 0;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD) end = std::max(end, segment.p_offset + segment.p_filesz);
  }
  return end;
}

}  // namespace

std::optional<FileStamp> StampOf(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return std::nullopt;
  constexpr std::int64_t kNanosecondsInSecond = 1'000'000'000;
  return FileStamp{info.st_dev, info.st_ino, static_cast<std::uint64_t>(info.st_size),
                   info.st_mtim.tv_sec * kNanosecondsInSecond + info.st_mtim.tv_nsec};
}

base::Result<void> CheckModuleFile(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return base::MakeError(ErrorCode::kNotFound, "there is no module at " + path);
    return base::SystemError("stat", path, errno);
  }
  if (S_ISDIR(info.st_mode)) return Unloadable(path, "it is a directory").WithHint("name the shared object in it");
  if (!S_ISREG(info.st_mode)) return Unloadable(path, "it is no file, but a pipe, a socket or a device");
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::SystemError("open", path, errno);
  Elf64_Ehdr header{};
  if (!ReadAt(file, 0, &header.e_ident) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return Unloadable(path, "it is not a shared object");
  // What is for another processor the loader refuses in words of its own.
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return {};
  const std::uint64_t size = static_cast<std::uint64_t>(info.st_size);
  const std::uint64_t needed = ReadAt(file, 0, &header) ? EndOfSegments(file, header) : 0;
  if (needed != 0 && needed <= size) return {};
  return Unloadable(path, fmt::format("the file is cut short, at {} bytes", size))
      .WithHint("copy the module again, and compare its SHA-256 with its maker's");
}

}  // namespace hsm
