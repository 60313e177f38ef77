// One call instead of a walk: it opens what the walk opens, and nothing else.
#include "ceremony/record/open_below.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "ceremony/record/reader.h"
#include "tests/unit/record/temporary_folder.h"

namespace ceremony::record {
namespace {

using base::FileDescriptor;

TEST_CASE("one call opens a path below a folder, follows no symbolic link and does not leave") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "root/a/b");
  std::ofstream(folder / "root/a/b/file") << "x";
  std::ofstream(folder / "outside") << "x";
  std::filesystem::create_symlink("a", folder / "root/link");
  std::filesystem::create_symlink("file", folder / "root/a/b/link");
  const base::FileDescriptor root(open((folder / "root").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC;
  const base::FileDescriptor file = OpenBelow(root.get(), "a/b/file", flags);
  if (!file.valid()) {
    CHECK((errno == ENOSYS || errno == EPERM));  // an old kernel, or a sandbox
    return;
  }
  CHECK(OpenBelow(root.get(), "a/b", flags | O_DIRECTORY).valid());
  for (const char* path :
       {"link/b/file", "link", "a/b/link", "../outside", "a/../../outside", "/etc/passwd", "a/c", ""}) {
    CAPTURE(path);
    CHECK_FALSE(OpenBelow(root.get(), path, flags).valid());
  }
  const base::FileDescriptor made = OpenBelow(root.get(), "a/new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
  struct stat status {};
  REQUIRE(fstat(made.get(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK_FALSE(OpenBelow(root.get(), "a/new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC).valid());
  CHECK(errno == EEXIST);
}

}  // namespace
}  // namespace ceremony::record
