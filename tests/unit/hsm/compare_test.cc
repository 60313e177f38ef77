// What an object may lack of what was stated.
#include <doctest/doctest.h>

#include <string>

#include "hsm/keygen.h"

namespace {

// The rule that breaks when an object lacks an attribute that was stated so; empty: none does.
std::string Lacking(CK_ATTRIBUTE_TYPE type, bool stated) {
  hsm::Template wanted;
  wanted.Bool(type, stated);
  const auto differences =
      hsm::CompareAttributes("private", hsm::AttributeSet(), wanted, hsm::Template(), hsm::AllQuirks().back());
  return differences.empty() ? std::string() : differences.front().rule;
}

}  // namespace

TEST_CASE("what came with PKCS#11 2.40 may be absent, and a permission that was not to be given") {
  for (const bool stated : {false, true}) {
    CAPTURE(stated);
    CHECK(Lacking(CKA_COPYABLE, stated).empty());
    CHECK(Lacking(CKA_DESTROYABLE, stated).empty());
    for (const CK_ATTRIBUTE_TYPE permission : {CKA_SIGN, CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE})
      CHECK(Lacking(permission, stated) == (stated ? "KEY-ATTR-07" : ""));
    for (const CK_ATTRIBUTE_TYPE other : {CKA_WRAP_WITH_TRUSTED, CKA_ALWAYS_AUTHENTICATE})
      CHECK(Lacking(other, stated) == (stated ? "KEY-ATTR-13" : ""));
    CHECK(Lacking(CKA_SENSITIVE, stated) == "KEY-ATTR-01");
    CHECK(Lacking(CKA_EXTRACTABLE, stated) == "KEY-ATTR-02");
  }
}
