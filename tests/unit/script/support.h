// Small helpers that the tests of this room share.
#ifndef TESTS_UNIT_SCRIPT_SUPPORT_H_
#define TESTS_UNIT_SCRIPT_SUPPORT_H_

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "ceremony/script/problems.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/digest.h"

// FileOf is a loaded file that never was one.
inline ceremony::script::LoadedFile FileOf(std::string name, std::string bytes) {
  std::string digest = base::Sha256Hex(bytes);
  return {name, name, std::move(bytes), std::move(digest)};
}

// LinesOf is every problem with rule and hint, one a line.
inline std::string LinesOf(const ceremony::script::Problems& problems) {
  std::string lines;
  for (const auto& problem : problems.list()) {
    lines += problem.rule + " " + problem.Line() + (problem.hint.empty() ? "" : " [" + problem.hint + "]") + "\n";
  }
  return lines;
}

// Replaced changes the only occurrence of `from`.
inline std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, "not there: " << from);
  REQUIRE_MESSAGE(text.find(from, at + 1) == std::string::npos, "there twice: " << from);
  return text.replace(at, from.size(), to);
}

// Folder is a folder of the test's own that goes with it.
class Folder final {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "unit_script.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = std::filesystem::canonical(name);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string Write(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

#endif  // TESTS_UNIT_SCRIPT_SUPPORT_H_
