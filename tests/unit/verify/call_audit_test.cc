// The table of kinds in the verdict stands below steps/, and cannot ask it: here both are held against each other.
#include "ceremony/verify/call_audit.h"

#include <doctest/doctest.h>

#include "ceremony/steps/catalogue.h"

namespace {

using namespace ceremony;  // NOLINT(google-build-using-namespace)

TEST_CASE("the verdict knows every kind of step that a script can have") {
  for (const std::string& kind : steps::Catalogue().Kinds()) {
    CAPTURE(kind);
    CHECK(verify::FindKind(kind) != nullptr);
  }
  CHECK(verify::FindKind("key.borrow") == nullptr);
  REQUIRE(verify::FindKind("room.confirm") != nullptr);
  CHECK(verify::FindKind("room.confirm")->calls.empty());
  CHECK(verify::FindKind("room.confirm")->effects.empty());
}

}  // namespace
