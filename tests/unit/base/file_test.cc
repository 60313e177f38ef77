#include "hsm/base/file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <utility>

namespace {

namespace fs = std::filesystem;

class FileTest {
 protected:
  FileTest() {
    std::string name = (fs::temp_directory_path() / "keyceremony-file-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~FileTest() {
    chmod(folder_.c_str(), 0700);
    fs::remove_all(folder_);
  }
  FileTest(const FileTest&) = delete;
  FileTest& operator=(const FileTest&) = delete;

  std::string At(const char* name) const { return folder_ / name; }
  std::string Read(const char* name) const { return base::ReadFile(At(name), 100).value(); }
  // The names that are there, each with a space behind it.
  std::string Names() const {
    std::set<std::string> sorted;
    for (const auto& entry : fs::directory_iterator(folder_)) sorted.insert(entry.path().filename());
    std::string names;
    for (const std::string& name : sorted) names += name + " ";
    return names;
  }

  fs::path folder_;
};

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) != -1; }

}  // namespace

TEST_CASE_FIXTURE(FileTest, "a descriptor has one owner, which closes it") {
  int number = -1;
  {
    base::FileDescriptor first(open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(first.valid());
    number = first.get();
    base::FileDescriptor second = std::move(first);
    CHECK(second.get() == number);
    base::FileDescriptor third;
    third = std::move(second);
    CHECK(IsOpen(number));
  }
  CHECK_FALSE(IsOpen(number));
  base::FileDescriptor given(open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const int released = given.Release();
  CHECK_FALSE(given.valid());
  CHECK(IsOpen(released));
  close(released);
}

TEST_CASE_FIXTURE(FileTest,
                  "a file is written whole, under its name alone, and for its owner unless it says otherwise") {
  REQUIRE(base::WriteFile(At("mine"), "content").ok());
  REQUIRE(base::WriteFile(At("page"), std::string(70'000, 'x'), base::kForEveryone).ok());
  CHECK(Read("mine") == "content");
  CHECK(fs::file_size(At("page")) == 70'000);
  struct stat status {};
  REQUIRE(stat(At("mine").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(Names() == "mine page ");
}

TEST_CASE_FIXTURE(FileTest, "what is there stays, whatever it is, unless it may be replaced") {
  REQUIRE(base::WriteFile(At("mine"), "first").ok());
  fs::create_symlink("nowhere", At("link"));
  for (const char* name : {"mine", "link"}) {
    const auto refused = base::WriteFile(At(name), "second");
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().rule == "OUT-FILE-01");
    CHECK(refused.error().message == At(name) + " exists already");
  }
  CHECK(Read("mine") == "first");
  CHECK(Names() == "link mine ");
  REQUIRE(base::WriteFile(At("mine"), "second", {.replace = true}).ok());
  CHECK(Read("mine") == "second");
}

TEST_CASE_FIXTURE(FileTest, "a folder, a device or a link is never replaced by a file") {
  fs::create_directory(At("folder"));
  REQUIRE(mkfifo(At("pipe").c_str(), 0600) == 0);
  fs::create_symlink("/dev/null", At("link"));
  for (const char* name : {"folder", "pipe", "link"}) {
    const auto refused = base::WriteFile(At(name), "content", {.replace = true});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().rule == "OUT-FILE-01");
    CHECK(refused.error().message == At(name) + " is no regular file");
  }
  CHECK(Names() == "folder link pipe ");
}

TEST_CASE_FIXTURE(FileTest, "what a run that was cut off has left is no obstacle and is gone afterwards") {
  REQUIRE(base::WriteFile(At("page.keyceremony-new"), "half of").ok());
  REQUIRE(base::WriteFile(At("page"), "whole").ok());
  CHECK(Read("page") == "whole");
  CHECK(Names() == "page ");
}

TEST_CASE_FIXTURE(FileTest, "a write that fails leaves nothing, and says what and why") {
  const auto lost = base::WriteFile(At("no/such/folder"), "content");
  REQUIRE_FALSE(lost.ok());
  CHECK(lost.error().code == base::ErrorCode::kIo);
  CHECK(lost.error().call == "open");
  CHECK(Names().empty());
  const base::FileDescriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  CHECK(full.WriteAll(base::AsBytes("x"), "the stick").error().message == "the stick: No space left on device");
}

TEST_CASE_FIXTURE(FileTest,
                  "reading refuses what is too large or a folder, and waits for no pipe that nobody writes to") {
  REQUIRE(base::WriteFile(At("ten"), "0123456789").ok());
  CHECK(base::ReadFile(At("ten"), 10).value() == "0123456789");
  CHECK(base::ReadFile(At("ten"), 9).error().message == At("ten") + " is larger than 9 bytes");
  REQUIRE(mkfifo(At("pipe").c_str(), 0600) == 0);
  CHECK(base::ReadFile(At("pipe"), 9).value().empty());
  CHECK(base::ReadFile(At("."), 9).error().code == base::ErrorCode::kIo);
  CHECK(base::ReadFile(At("none"), 9).error().code == base::ErrorCode::kNotFound);
}
