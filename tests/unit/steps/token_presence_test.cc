// Which section needs which token.
#include "ceremony/steps/token_presence.h"

#include "tests/unit/steps/plan_fixture.h"

using plan_fixture::Files;

TEST_CASE("the matrix has a row for each section, with the tokens that its steps use") {
  Files files;
  files.script["sections"].push_back(
      {{"id", "second"},
       {"title", "Second"},
       {"steps", {{{"id", "word"}, {"do", "room.confirm"}, {"by", "witness"}, {"statement", "s"}, {"word", "yes"}}}}});
  const auto inputs = plan_fixture::InputsOf(files);
  const auto matrix =
      ceremony::steps::PresenceMatrix(inputs.script, ceremony::steps::MakePlan(inputs, ceremony::estate::Estate()));
  REQUIRE(matrix.size() == 2);
  CHECK(matrix[0].tokens == std::set<std::string>{"hsm"});
  CHECK(matrix[1].tokens.empty());
}
