#include "ceremony/record/record_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace ceremony::record {

std::string PublicKeyFile(const std::string& key) { return "keys/" + key + ".spki.der"; }

std::optional<std::uint64_t> RecordNumber(std::string_view name) {
  const std::size_t hyphen = name.find('-');
  if (hyphen == std::string_view::npos || hyphen < 4 || hyphen > 9 || hyphen + 1 == name.size()) return std::nullopt;
  if (hyphen > 4 && name[0] == '0') return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : name.substr(0, hyphen)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

std::string RecordName(std::uint64_t number, std::string_view ceremony) {
  return fmt::format("{:04}-{}", number, ceremony);
}

RecordPath SplitRecordPath(const std::string& path) {
  std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  if (normal.filename().empty()) normal = normal.parent_path();
  const std::string archive = normal.parent_path().string();
  return {archive.empty() ? "." : archive, normal.filename().string()};
}

base::Result<std::vector<std::string>> RecordNames(const RecordFolder& archive) {
  KC_ASSIGN_OR_RETURN(std::vector<std::string> names, archive.Folders());
  std::erase_if(names, [](const std::string& name) { return !RecordNumber(name); });
  std::ranges::stable_sort(names, {}, [](const std::string& name) { return *RecordNumber(name); });
  return names;
}

}  // namespace ceremony::record
