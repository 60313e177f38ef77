#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "ceremony/script/script.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/digest.h"
#include "hsm/base/file.h"

namespace ceremony::script {
namespace {

namespace fs = std::filesystem;

base::Error FileError(std::string_view rule, const std::string& path, const std::string& words, std::string hint = {}) {
  return base::MakeError(base::ErrorCode::kInvalidInput, path + ": " + words)
      .WithRule(std::string(rule))
      .WithHint(std::move(hint));
}

base::Error SystemWords(const char* call, const std::string& path, int number) {
  char text[128] = {};
  base::Error error = FileError(kRuleFile, path, strerror_r(number, text, sizeof text));
  error.call = call;
  return error;
}

}  // namespace

base::Result<LoadedFile> LoadFile(const std::string& path) {
  // O_NONBLOCK: a named pipe must be refused, not waited for.
  const base::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return SystemWords("open", path, errno);
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) return SystemWords("fstat", path, errno);
  if (!S_ISREG(status.st_mode)) return FileError(kRuleFile, path, "expected a regular file, found something else");

  LoadedFile loaded;
  loaded.path = path;
  loaded.name = fs::path(path).filename().string();
  std::array<std::uint8_t, std::size_t{64} * 1024> block;
  while (true) {
    const ssize_t count = file.ReadSome(block);
    if (count < 0) return SystemWords("read", path, errno);
    if (count == 0) break;
    loaded.bytes += base::AsText(base::ByteView(block).first(static_cast<std::size_t>(count)));
    // Counted while reading: the size of a growing file is not what fstat said.
    if (loaded.bytes.size() > kMaxFileBytes) {
      return FileError(kRuleSize, path, fmt::format("expected at most {} bytes, found more", kMaxFileBytes));
    }
  }
  loaded.sha256 = base::Sha256Hex(loaded.bytes);
  return loaded;
}

base::Result<std::string> ResolveReferenced(const LoadedFile& from, const std::string& reference) {
  const std::string named = fmt::format("{}: the file \"{}\"", from.name, reference);
  if (!PathShape().Matches(reference)) {
    return FileError(kRulePath, named, "expected " + std::string(PathShape().what));
  }
  std::error_code code;
  fs::path folder = fs::path(from.path).parent_path();
  if (folder.empty()) folder = ".";
  folder = fs::canonical(folder, code);
  if (code) return FileError(kRuleFile, named, "its folder cannot be found: " + code.message());
  const fs::path wanted = folder / reference;
  const fs::path real = fs::canonical(wanted, code);
  if (code) return FileError(kRuleFile, named, "cannot be opened as " + wanted.string() + ": " + code.message());
  // canonical has followed every link, so a link out of the folder shows here.
  if (real != wanted.lexically_normal()) {
    return FileError(kRulePath, named, "is or goes through a symbolic link to " + real.string(),
                     "put the file itself in the folder of " + from.name + " or below it");
  }
  return real.string();
}

base::Result<LoadedFile> LoadReferenced(const LoadedFile& from, const std::string& reference) {
  KC_ASSIGN_OR_RETURN(const std::string path, ResolveReferenced(from, reference));
  KC_ASSIGN_OR_RETURN(LoadedFile file, LoadFile(path));
  file.name = reference;
  return file;
}

}  // namespace ceremony::script
