#include "ceremony/record/reader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "ceremony/record/entry.h"
#include "ceremony/record/line_walk.h"
#include "ceremony/record/log_reader.h"
#include "hsm/base/encoding.h"
#include "tests/unit/record/scratch.h"

namespace {

using namespace ceremony::record;
using base::FileDescriptor;

// How many names readdir still gives before it fails; negative: it does not.
int g_names_left = -1;

struct Cut {
  std::vector<std::string> lines;
  std::uint64_t torn = 0;
  bool oversize = false;
};

Cut CutIntoLines(const Scratch& scratch, const std::string& content) {
  scratch.Write("log", content);
  base::Result<RecordFolder> folder = RecordFolder::Open(scratch.path());
  LogReader reader(folder->OpenFile("log").value());
  Cut cut;
  LogReader::Block block;
  std::uint64_t offset = 0;
  for (std::uint64_t number = 0;; ++number) {
    base::Result<bool> more = reader.Next(block);
    REQUIRE(more.ok());
    if (!*more) break;
    CHECK(block.number == number);
    CHECK(block.offset == offset);
    offset += block.size;
    std::string_view rest(block.buffer.data(), block.size);
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      REQUIRE(end != std::string_view::npos);
      cut.lines.emplace_back(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
  }
  cut.torn = reader.torn_bytes();
  cut.oversize = reader.oversize();
  return cut;
}

}  // namespace

// A disk that fails while a folder is listed.
extern "C" struct dirent* readdir(DIR* folder) {
  static const auto real = reinterpret_cast<struct dirent* (*)(DIR*)>(dlsym(RTLD_NEXT, "readdir"));
  if (g_names_left == 0) {
    errno = EIO;
    return nullptr;
  }
  if (g_names_left > 0) --g_names_left;
  return real(folder);
}

TEST_CASE("a folder that cannot be listed to its end is an error, and no folder with fewer files") {
  const Scratch scratch;
  scratch.Write("a/1", "");
  scratch.Write("a/2", "");
  const RecordFolder folder = RecordFolder::Open(scratch.path()).value();
  for (int names = 0; names < 6; ++names) {
    CAPTURE(names);
    g_names_left = names;
    const auto listing = folder.List();
    g_names_left = names < 3 ? names : 0;
    const auto folders = folder.Folders();
    g_names_left = -1;
    REQUIRE_FALSE(listing.ok());
    CHECK(listing.error().code == base::ErrorCode::kIo);
    REQUIRE_FALSE(folders.ok());
    CHECK(folders.error().code == base::ErrorCode::kIo);
  }
  CHECK(folder.List()->files == std::vector<std::string>{"a/1", "a/2"});
  CHECK(*folder.Folders() == std::vector<std::string>{"a"});
  CHECK(folder.List(1).error().code == base::ErrorCode::kInvalidInput);
  CHECK(folder.List(2).ok());
}

TEST_CASE("a line that is too long ends the walk wherever it stands in a block") {
  const Scratch scratch;
  const RecordFolder folder = RecordFolder::Open(scratch.path()).value();
  const std::string most(kMaxLineBytes, 'x');
  for (const std::string& before :
       {std::string(), std::string("a\n"), most + "\n", most + "\n" + most + "\n" + most + "\n"}) {
    std::size_t taken = 0;
    const auto walk = [&](const std::string& content) {
      scratch.Write("log", content);
      taken = 0;
      return ForEachLine(folder, "log", [&](std::string_view) -> base::Result<bool> {
        ++taken;
        return true;
      });
    };
    const auto lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    CHECK(walk(before + most + "\nz\n").ok());
    CHECK(taken == lines + 2);
    CHECK(walk(before + most + "x\nz\n").error().code == base::ErrorCode::kCorrupt);
    CHECK(taken == lines);
  }
}

TEST_CASE("a log is cut into its lines whatever their sizes") {
  const Scratch scratch;
  for (const std::size_t size : {std::size_t{1}, std::size_t{600}, std::size_t{4095}, std::size_t{65535}}) {
    std::vector<std::string> lines;
    std::string content;
    for (std::size_t i = 0; content.size() < 3 * LogReader::kBlockBytes; ++i) {
      lines.push_back(std::string(size + (size < 60000 ? i % 7 : 0), static_cast<char>('a' + i % 26)));
      content += lines.back() + "\n";
    }
    const Cut whole = CutIntoLines(scratch, content);
    CHECK(whole.lines == lines);
    CHECK(whole.torn == 0);
    const Cut torn = CutIntoLines(scratch, content + "torn");
    CHECK(torn.lines == lines);
    CHECK(torn.torn == 4);
    CHECK_FALSE(torn.oversize);
  }
  CHECK(CutIntoLines(scratch, "").lines.empty());
  CHECK(CutIntoLines(scratch, "\n\n").lines == std::vector<std::string>{"", ""});
  CHECK(CutIntoLines(scratch, "x").torn == 1);
}

TEST_CASE("a line of any length costs no more than one block") {
  const Scratch scratch;
  const Cut fits = CutIntoLines(scratch, "a\n" + std::string(65535, 'x'));
  CHECK(fits.torn == 65535);
  CHECK_FALSE(fits.oversize);
  const Cut beyond = CutIntoLines(scratch, "a\n" + std::string(65536, 'x'));
  CHECK(beyond.oversize);
  CHECK(beyond.lines == std::vector<std::string>{"a"});
  // Two gigabytes in one line, as a hole in the file.
  scratch.Write("hole", "a\n");
  std::filesystem::resize_file(scratch.path("hole"), std::uintmax_t{2} << 30);
  base::Result<RecordFolder> folder = RecordFolder::Open(scratch.path());
  LogReader reader(folder->OpenFile("hole").value());
  LogReader::Block block;
  CHECK(reader.Next(block).value());
  CHECK(block.size == 2);
  CHECK_FALSE(reader.Next(block).value());
  CHECK(reader.oversize());
  CHECK(block.buffer.size() < 2 * LogReader::kBlockBytes);
}

TEST_CASE("a file that shrinks while it is read is a torn file and no crash") {
  const Scratch scratch;
  std::string content;
  while (content.size() < 4 * LogReader::kBlockBytes) content += std::string(100, 'x') + "\n";
  scratch.Write("log", content);
  base::Result<RecordFolder> folder = RecordFolder::Open(scratch.path());
  LogReader reader(folder->OpenFile("log").value());
  LogReader::Block block;
  REQUIRE(reader.Next(block).value());
  std::filesystem::resize_file(scratch.path("log"), LogReader::kBlockBytes + 150);
  REQUIRE(reader.Next(block).value());
  CHECK_FALSE(reader.Next(block).value());
  CHECK(reader.torn_bytes() > 0);
}

TEST_CASE("no path leaves the folder and no link is followed") {
  const Scratch scratch;
  scratch.Write("folder/file", "content");
  scratch.Write("outside", "secret");
  std::filesystem::create_symlink("../outside", scratch.path("folder/link"));
  std::filesystem::create_directory_symlink("..", scratch.path("folder/up"));
  REQUIRE(mkfifo(scratch.path("folder/pipe").c_str(), 0600) == 0);
  base::Result<RecordFolder> folder = RecordFolder::Open(scratch.path("folder"));
  REQUIRE(folder.ok());
  CHECK(folder->ReadSmall("file", 100).value() == "content");
  for (const char* path :
       {"", "/etc/passwd", "../outside", "./file", "a/../file", "file/", "//", ".", "a//b", "a/.."}) {
    CHECK_MESSAGE(folder->OpenFile(path).error().code == base::ErrorCode::kInvalidInput, path);
  }
  for (const char* path : {"link", "up/outside", "pipe", "file/x"}) {
    const base::Result<base::FileDescriptor> file = folder->OpenFile(path);
    REQUIRE_FALSE_MESSAGE(file.ok(), path);
    CHECK_MESSAGE(file.error().rule == "ART-PATH", path);
  }
  CHECK(folder->OpenFile("missing").error().code == base::ErrorCode::kNotFound);
  CHECK(folder->ReadSmall("file", 6).error().code == base::ErrorCode::kInvalidInput);
  const base::Result<RecordFolder::Listing> listing = folder->List();
  REQUIRE(listing.ok());
  CHECK(listing->files == std::vector<std::string>{"file"});
  CHECK(listing->strange == std::vector<std::string>{"link", "pipe", "up"});
  CHECK(RecordFolder::Open(scratch.path("none")).error().code == base::ErrorCode::kNotFound);
}

TEST_CASE("a digest is that of the whole file") {
  const Scratch scratch;
  scratch.Write("abc", "abc");
  scratch.Write("zeros", std::string(1'000'000, '\0'));
  base::Result<RecordFolder> folder = RecordFolder::Open(scratch.path());
  // FIPS 180-4, and `head -c 1000000 /dev/zero | sha256sum`.
  CHECK(base::HexEncode(folder->Digest("abc")->sha256) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(folder->Digest("abc")->size == 3);
  CHECK(base::HexEncode(folder->Digest("zeros")->sha256) ==
        "d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025");
}
