#include "ceremony/record/call_book.h"

#include <doctest/doctest.h>

#include <vector>

namespace ceremony::record {
namespace {

std::vector<std::uint64_t> OpenIn(CallBook& book) {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, call] : book.Open()) numbers.push_back(number);
  return numbers;
}

TEST_CASE("a call is open from its intent to its done, whatever comes between") {
  CallBook book;
  CHECK_FALSE(book.last().has_value());
  book.Begin(1, {"\"C_Sign\"", "\"root-hsm\"", 10});
  book.Begin(2, {"\"C_SetPIN\"", "\"root-hsm\"", 11});
  CHECK(OpenIn(book) == std::vector<std::uint64_t>{1, 2});
  const auto first = book.End(1);
  REQUIRE(first.has_value());
  CHECK(first->function == "\"C_Sign\"");
  CHECK(first->entry == 10);
  CHECK_FALSE(book.End(1).has_value());
  book.Begin(3, {"\"C_Sign\"", "\"root-hsm\"", 14});
  CHECK(book.End(3).has_value());
  CHECK(OpenIn(book) == std::vector<std::uint64_t>{2});
  CHECK(book.last() == 3);
  // A record that gives a number twice has one call of it open.
  book.Begin(2, {"\"C_Sign\"", "\"root-hsm\"", 16});
  book.Begin(4, {"\"C_Sign\"", "\"root-hsm\"", 17});
  book.Begin(2, {"\"C_Sign\"", "\"root-hsm\"", 18});
  CHECK(book.End(2)->entry == 18);
  CHECK(OpenIn(book) == std::vector<std::uint64_t>{4});
}

TEST_CASE("a recovery settles the calls that are open, and no later one") {
  CallBook book;
  book.Begin(1, {"\"C_Sign\"", "\"root-hsm\"", 10});
  book.SettleOpen();
  book.Begin(2, {"\"C_Sign\"", "\"root-hsm\"", 12});
  CHECK(book.Open().at(1).settled);
  CHECK_FALSE(book.Open().at(2).settled);
}

}  // namespace
}  // namespace ceremony::record
