#include "ceremony/record/storage.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "ceremony/record/faulty_storage.h"
#include "ceremony/record/lock_holder.h"
#include "ceremony/record/posix_storage.h"
#include "hsm/base/digest.h"
#include "tests/support/crash_model_storage.h"
#include "tests/unit/record/temporary_folder.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using test_support::CrashModelStorage;

// The same cases on the real storage and on the model: what the model promises, the disk does.
template <typename Check>
void OnBoth(const Check& check) {
  SUBCASE("on a real file system") {
    const TemporaryFolder folder;
    check(*PosixStorage::Open(folder.path()).value());
  }
  SUBCASE("on the crash model") {
    CrashModelStorage storage;
    check(storage);
  }
}

TEST_CASE("files are made once, appended to, read at any offset and cut") {
  OnBoth([](Storage& storage) {
    REQUIRE(storage.MakeFolder("f").ok());
    REQUIRE(WriteNewFile(storage, "f/a", base::AsBytes("hello")).ok());
    CHECK(storage.CreateNew("f/a", Storage::Lock::kNone).error().rule == "RECORD-OUT-01");
    const auto file = storage.OpenAppend("f/a", Storage::Lock::kNone).value();
    REQUIRE(file->Append(base::AsBytes(" world")).ok());
    REQUIRE(file->Sync().ok());
    const auto read = storage.OpenRead("f/a").value();
    std::uint8_t bytes[5] = {};
    CHECK(*read->ReadAt(6, bytes) == 5);
    CHECK(base::AsText(bytes) == "world");
    CHECK(*read->ReadAt(9, bytes) == 2);
    CHECK(*read->ReadAt(11, bytes) == 0);
    REQUIRE(file->Truncate(4).ok());
    REQUIRE(file->Append(base::AsBytes("!")).ok());
    CHECK(base::AsText(*ReadWholeFile(storage, "f/a", 100)) == "hell!");
    CHECK(ReadWholeFile(storage, "f/a", 4).error().code == ErrorCode::kIo);
    CHECK(*DigestFile(storage, "f/a") == base::Sha256Hex("hell!"));
  });
}

TEST_CASE("what is not there is not found") {
  OnBoth([](Storage& storage) {
    CHECK(storage.OpenRead("x").error().code == ErrorCode::kNotFound);
    CHECK(storage.OpenAppend("x", Storage::Lock::kNone).error().code == ErrorCode::kNotFound);
    CHECK(storage.CreateNew("x/y", Storage::Lock::kNone).error().code == ErrorCode::kNotFound);
    CHECK(storage.List("x").error().code == ErrorCode::kNotFound);
    CHECK_FALSE(storage.Find("x")->has_value());
    CHECK_FALSE(storage.Find("x/y/z")->has_value());
    CHECK(storage.MakeFolder("x/y").error().code == ErrorCode::kNotFound);
    CHECK(storage.Remove("x").error().code == ErrorCode::kNotFound);
    CHECK_FALSE(storage.OpenRead("").ok());
  });
}

TEST_CASE("a rename never overwrites, a replacement does, and a listing is sorted") {
  OnBoth([](Storage& storage) {
    REQUIRE(WriteNewFile(storage, "b", base::AsBytes("b")).ok());
    REQUIRE(WriteNewFile(storage, "a", base::AsBytes("aa")).ok());
    REQUIRE(storage.MakeFolder("c").ok());
    CHECK_FALSE(storage.MakeFolder("c").ok());
    CHECK(storage.Rename("a", "b").error().rule == "RECORD-OUT-01");
    REQUIRE(storage.Rename("a", "c/d").ok());
    REQUIRE(storage.Replace("c/d", "b").ok());
    REQUIRE(storage.SyncFolder("").ok());
    REQUIRE(storage.SyncFolder("c").ok());
    const std::vector<FileInfo> files = *storage.List("");
    REQUIRE(files.size() == 2);
    CHECK(files[0].name == "b");
    CHECK(files[0].size == 2);
    CHECK(files[1].kind == FileKind::kFolder);
    REQUIRE(storage.Remove("b").ok());
    CHECK(storage.List("")->size() == 1);
  });
}

TEST_CASE("publishing leaves the whole file and takes away what a crash left") {
  OnBoth([](Storage& storage) {
    REQUIRE(WriteNewFile(storage, "x.partial", base::AsBytes("old rubbish")).ok());
    REQUIRE(PublishNewFile(storage, "x", base::AsBytes("new")).ok());
    CHECK(PublishNewFile(storage, "x", base::AsBytes("newer")).error().rule == "RECORD-OUT-01");
    REQUIRE(ReplaceFile(storage, "x", base::AsBytes("newest")).ok());
    CHECK(base::AsText(*ReadWholeFile(storage, "x", 100)) == "newest");
    CHECK(storage.List("")->size() == 1);
  });
}

TEST_CASE("a locked file has one owner until that one closes it") {
  OnBoth([](Storage& storage) {
    auto file = storage.CreateNew("log", Storage::Lock::kExclusive).value();
    CHECK(storage.OpenAppend("log", Storage::Lock::kExclusive).error().rule == "RECORD-LOCK-01");
    file.reset();
    CHECK(storage.OpenAppend("log", Storage::Lock::kExclusive).ok());
  });
}

TEST_CASE("no symbolic link is followed, no fifo is waited for, no path leaves the root") {
  const TemporaryFolder folder;
  const auto storage = PosixStorage::Open(folder.path()).value();
  REQUIRE(storage->MakeFolder("real").ok());
  REQUIRE(WriteNewFile(*storage, "real/file", base::AsBytes("x")).ok());
  std::filesystem::create_symlink("real", folder / "folder-link");
  std::filesystem::create_symlink("real/file", folder / "file-link");
  std::filesystem::create_symlink("nowhere", folder / "dangling");
  REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
  for (const char* path : {"folder-link/file", "file-link", "dangling", "fifo"}) {
    CAPTURE(path);
    CHECK_FALSE(storage->OpenRead(path).ok());
    CHECK_FALSE(storage->OpenAppend(path, Storage::Lock::kNone).ok());
  }
  CHECK_FALSE(storage->CreateNew("dangling", Storage::Lock::kNone).ok());
  CHECK_FALSE(storage->List("folder-link").ok());
  CHECK((*storage->Find("file-link"))->kind == FileKind::kOther);
  CHECK((*storage->Find("fifo"))->kind == FileKind::kOther);
  for (const std::string& path : std::vector<std::string>{"..", "../x", "real/../real/file", "./real", "/etc/passwd",
                                                          "real//file", "real/", std::string("real/file\0x", 11)}) {
    CAPTURE(path);
    CHECK_FALSE(storage->OpenRead(path).ok());
  }
  CHECK(PosixStorage::Open(folder / "none").error().code == ErrorCode::kNotFound);
  CHECK_FALSE(PosixStorage::Open(folder / "real/file").ok());
}

TEST_CASE("after one failed write the real storage refuses every change with that error") {
  const TemporaryFolder folder;
  const auto storage = PosixStorage::Open(folder.path()).value();
  const auto log = storage->CreateNew("log", Storage::Lock::kNone).value();
  const auto other = storage->CreateNew("other", Storage::Lock::kNone).value();
  REQUIRE(log->Append(base::AsBytes("12345678")).ok());
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  signal(SIGXFSZ, SIG_IGN);
  const rlimit small{10, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto failed = log->Append(base::AsBytes("90abcdef"));  // 2 bytes fit
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  signal(SIGXFSZ, SIG_DFL);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == ErrorCode::kIo);
  CHECK(failed.error().call == "write");
  for (const base::Error& error :
       {log->Append(base::AsBytes("x")).error(), log->Sync().error(), log->Truncate(0).error(),
        other->Append(base::AsBytes("x")).error(), other->Sync().error(), storage->SyncFolder("").error(),
        storage->Rename("log", "gol").error(), storage->Replace("log", "gol").error(), storage->MakeFolder("f").error(),
        storage->Remove("log").error(), storage->CreateNew("n", Storage::Lock::kNone).error(),
        storage->OpenAppend("log", Storage::Lock::kNone).error()}) {
    CHECK(error.message == failed.error().message);
  }
  CHECK(storage->List("")->size() == 2);
  CHECK(base::AsText(*ReadWholeFile(*storage, "log", 100)) == "1234567890");
}

TEST_CASE("a read-only folder is said to be one, with a way out") {
  if (geteuid() == 0) return;  // root writes everywhere
  const TemporaryFolder folder;
  const auto storage = PosixStorage::Open(folder.path()).value();
  REQUIRE(chmod(folder.path().c_str(), 0500) == 0);
  const auto made = storage->CreateNew("x", Storage::Lock::kNone);
  chmod(folder.path().c_str(), 0700);
  CHECK(made.error().code == ErrorCode::kIo);
  CHECK_FALSE(made.error().hint.empty());
}

TEST_CASE("the holder of a lock is read from the kernel's table") {
  const std::string locks =
      "1: POSIX  ADVISORY  WRITE 11 08:01:42 0 EOF\n"
      "2: FLOCK  ADVISORY  WRITE 22 08:01:421 0 EOF\n"
      "3: FLOCK  ADVISORY  WRITE 33 00:1f:42 0 EOF\n"
      "4: FLOCK  ADVISORY  WRITE 44 08:01:42 0 EOF\n"
      "4: -> FLOCK  ADVISORY  WRITE 55 08:01:42 0 EOF\n";
  CHECK(FindLockHolderIn(locks, makedev(8, 1), 42) == 44);
  CHECK(FindLockHolderIn(locks, makedev(9, 9), 421) == 22);
  CHECK_FALSE(FindLockHolderIn(locks, makedev(8, 1), 7).has_value());
  CHECK_FALSE(FindLockHolderIn("", makedev(8, 1), 42).has_value());
}

TEST_CASE("the fault hook sees every call by name and can tear a write") {
  CrashModelStorage model;
  std::vector<std::string> names;
  FaultyStorage storage(model, [&](const StorageCall& call) {
    CHECK(call.index == names.size());
    names.push_back(std::string(call.name) + " " + std::string(call.path));
    if (call.index == 3) return StorageFault{EIO, 2};
    return StorageFault{};
  });
  const auto file = storage.CreateNew("a", Storage::Lock::kNone).value();
  REQUIRE(file->Append(base::AsBytes("1234")).ok());
  REQUIRE(file->Sync().ok());
  const auto torn = file->Append(base::AsBytes("5678"));
  CHECK(torn.error().code == ErrorCode::kIo);
  CHECK(base::AsText(*ReadWholeFile(model, "a", 100)) == "123456");
  CHECK(names == std::vector<std::string>{"create-new a", "append a", "sync a", "append a"});
  CHECK(storage.calls() == 4);
}

TEST_CASE("the model keeps what was synced and enumerates what was not") {
  CrashModelStorage storage;
  const auto file = storage.CreateNew("a", Storage::Lock::kNone).value();
  REQUIRE(file->Append(base::AsBytes("12")).ok());
  // The name may be lost; with it the content may be nothing, torn, zeros, half zeros or whole.
  CHECK(storage.CrashStates().size() == 1 + 5);
  REQUIRE(file->Sync().ok());
  CHECK(storage.CrashStates().size() == 2);
  REQUIRE(storage.SyncFolder("").ok());
  CHECK(storage.CrashStates() == std::vector<CrashModelStorage::Image>{storage.Now()});
  REQUIRE(storage.Rename("a", "b").ok());
  CHECK(storage.CrashStates().size() == 2);
  REQUIRE(WriteNewFile(storage, "c", base::AsBytes("")).ok());
  CHECK(storage.CrashStates().size() == 4);
}

}  // namespace
}  // namespace ceremony::record
