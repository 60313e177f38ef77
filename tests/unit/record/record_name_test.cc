#include "ceremony/record/record_name.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "tests/unit/record/temporary_folder.h"

using ceremony::record::RecordFolder;
using ceremony::record::RecordName;
using ceremony::record::RecordNames;
using ceremony::record::RecordNumber;
using ceremony::record::TemporaryFolder;

TEST_CASE("the name of a record's folder is four digits or more, a hyphen and the ceremony") {
  CHECK(RecordNumber("0001-root-2026") == 1);
  CHECK(RecordNumber("9999-x") == 9999);
  CHECK(RecordNumber("10000-x") == 10000);
  CHECK(RecordNumber("123456789-x") == 123456789);
  for (const char* const other : {"", "0001", "0001-", "001-x", "00001-x", "1234567890-x", "000a-x", "-x", "rehearsal",
                                  "+001-x", "0001.set-aside"}) {
    CHECK_MESSAGE(!RecordNumber(other), other);
  }
  CHECK(RecordName(1, "root-2026") == "0001-root-2026");
  CHECK(RecordNumber(RecordName(12345, "x")) == 12345);
}

TEST_CASE("records of an archive come in the order of their numbers, and nothing else does") {
  const TemporaryFolder archive;
  for (const char* const name : {"10000-later", "9999-earlier", "0002-b", "0002-a", "rehearsal", "00003-x"}) {
    std::filesystem::create_directory(archive / name);
  }
  const auto folder = RecordFolder::Open(archive.path());
  REQUIRE(folder.ok());
  CHECK(RecordNames(*folder).value() == std::vector<std::string>{"0002-a", "0002-b", "9999-earlier", "10000-later"});
}
