// A folder of a test's own that goes away with it, and the record of docs/vectors in it.
#ifndef TESTS_UNIT_RECORD_SCRATCH_H_
#define TESTS_UNIT_RECORD_SCRATCH_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

class Scratch final {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "verify-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  Scratch(const Scratch&) = delete;  // one owner removes the folder
  Scratch& operator=(const Scratch&) = delete;

  std::string path(const std::string& name = "") const {
    return name.empty() ? path_.string() : (path_ / name).string();
  }

  void Write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << content;
  }
  std::string Read(const std::string& name) const { return ReadFile(path(name)); }
  static std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  // CopyVectors lays a record of docs/vectors/archive down under `name`.
  void CopyVectors(const std::string& record, const std::string& name) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::filesystem::copy(std::filesystem::path(KEYCEREMONY_VECTORS) / "archive" / record, path_ / name,
                          std::filesystem::copy_options::recursive);
  }

 private:
  std::filesystem::path path_;
};

inline constexpr const char* kRootRecord = "0001-root-2026";
inline constexpr const char* kIssuingRecord = "0002-issuing-2026";
inline const std::string kRosterFile = KEYCEREMONY_VECTORS "/roster.json";

#endif  // TESTS_UNIT_RECORD_SCRATCH_H_
