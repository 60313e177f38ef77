#include "ceremony/steps/presence.h"

#include "tests/unit/steps/plan_fixture.h"

namespace {

using ceremony::steps::MakePlan;
using ceremony::steps::NumbersText;
using ceremony::steps::PersonPresence;
using ceremony::steps::PlanPresence;
using ceremony::steps::PresencePlan;
using ceremony::steps::StepsText;
using plan_fixture::Files;

using Ids = std::vector<std::string>;
using Numbers = std::vector<std::size_t>;

PresencePlan PresenceOf(const Files& files) {
  const auto inputs = plan_fixture::InputsOf(files);
  return PlanPresence(inputs, MakePlan(inputs, {}));
}

const PersonPresence& PersonOf(const PresencePlan& presence, const std::string& id) {
  for (const PersonPresence& person : presence.people) {
    if (person.id == id) return person;
  }
  FAIL("nobody is " << id);
  return presence.people.front();
}

}  // namespace

TEST_CASE("who must attend, for which steps, and without whom something cannot be done") {
  const PresencePlan presence = PresenceOf(Files());
  REQUIRE(presence.quorums.size() == 1);
  CHECK(presence.quorums[0].members == Ids{"alice", "bob", "carol"});
  CHECK(presence.quorums[0].m == 2);
  CHECK(presence.quorums[0].steps == Numbers{2});
  CHECK(presence.quorums[0].witnesses);
  CHECK(presence.quorums[0].possible());
  CHECK(presence.quorums[0].lost_if_missing() == 2);
  CHECK(presence.AllPossible());
  CHECK(PersonOf(presence, "alice").steps == Numbers{1, 2});
  CHECK(PersonOf(presence, "alice").lost_without == Numbers{});
  // The only witness.
  CHECK(PersonOf(presence, "wendy").steps == Numbers{1});
  CHECK(PersonOf(presence, "wendy").lost_without == Numbers{1});
}

TEST_CASE("when every member is needed, each of them alone can stop the ceremony") {
  Files files;
  files.person(2)["state"] = "leaving";
  const PresencePlan presence = PresenceOf(files);
  CHECK(presence.quorums[0].members == Ids{"alice", "bob"});
  CHECK(presence.quorums[0].lost_if_missing() == 1);
  CHECK(PersonOf(presence, "bob").lost_without == Numbers{1, 2});
  CHECK(presence.people.size() == 3);
}

TEST_CASE("members who may not attend where the token stands are not counted on") {
  Files files;
  for (const std::size_t person : {std::size_t{1}, std::size_t{2}}) files.person(person)["site"] = "Bristol";
  const PresencePlan presence = PresenceOf(files);
  CHECK(presence.quorums[0].members == Ids{"alice"});
  CHECK_FALSE(presence.quorums[0].possible());
  CHECK(presence.quorums[0].lost_if_missing() == 0);
  CHECK_FALSE(presence.AllPossible());
}

TEST_CASE("without a roster there is nobody to speak of") {
  Files files;
  files.with_roster = false;
  CHECK(PresenceOf(files).quorums.empty());
  CHECK(PresenceOf(files).people.empty());
}

TEST_CASE("step numbers are spelled as people write them") {
  CHECK(NumbersText({}) == "none");
  CHECK(NumbersText({4}) == "4");
  CHECK(NumbersText({1, 2}) == "1, 2");
  CHECK(NumbersText({1, 3, 4, 5, 9}) == "1, 3-5, 9");
  CHECK(StepsText({}) == "no step");
  CHECK(StepsText({4}) == "step 4");
  CHECK(StepsText({1, 2}) == "steps 1, 2");
}
