#include "ceremony/record/bounded_parse.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

using ceremony::record::ParseBounded;
using nlohmann::json;

namespace {

std::string Nested(std::size_t levels, const std::string& core) {
  return std::string(levels, '[') + core + std::string(levels, ']');
}

}  // namespace

TEST_CASE("JSON that nests as deep as an entry may is read, and no deeper") {
  CHECK(ParseBounded(Nested(16, "1")).is_array());
  CHECK(ParseBounded(Nested(17, "1")).is_discarded());
  CHECK(ParseBounded(Nested(1'000'000, "")).is_discarded());
  CHECK(ParseBounded(R"({"a":{"b":[{},{},[]]}})") == json::parse(R"({"a":{"b":[{},{},[]]}})"));
}

TEST_CASE("brackets within a text are no nesting, wherever the text ends") {
  const std::string brackets(100, '{');
  CHECK(ParseBounded("[\"" + brackets + "\"]")[0] == brackets);
  CHECK(ParseBounded("[\"\\\"" + brackets + "\"]")[0] == "\"" + brackets);
  CHECK(ParseBounded("[\"\\\\\"," + Nested(15, "") + "]")[0] == "\\");
  CHECK(ParseBounded("[\"\\\\\"," + Nested(16, "") + "]").is_discarded());
}

TEST_CASE("what is not JSON is discarded") {
  for (const char* text : {"", "{", "]]]", "\"", "\"\\", "{\"a\":1}x", "[1,]"})
    CHECK(ParseBounded(text).is_discarded());
}
