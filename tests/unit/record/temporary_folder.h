// A folder of a test's own that goes when the test ends.
#ifndef TESTS_UNIT_RECORD_TEMPORARY_FOLDER_H_
#define TESTS_UNIT_RECORD_TEMPORARY_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace ceremony::record {

class TemporaryFolder final {
 public:
  TemporaryFolder() {
    path_ = (std::filesystem::temp_directory_path() / "keyceremony-record-XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp");
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;  // one owner removes it
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace ceremony::record

#endif  // TESTS_UNIT_RECORD_TEMPORARY_FOLDER_H_
