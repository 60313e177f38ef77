#include "ceremony/quorum/annex.h"

#include <doctest/doctest.h>

#include "tests/unit/quorum/company.h"

using namespace ceremony;
using support::Bad;
using support::Good;

TEST_CASE("what was sealed for one reader opens for that reader, and for nobody else") {
  const Company company(2);
  const std::string text = "what is withheld";
  const std::string annex =
      Good(quorum::SealAnnex("smki.example/root/01", base::AsBytes(text), company.keys[0]->public_key()));
  CHECK(annex.find(text) == std::string::npos);
  CHECK(base::AsText(Good(quorum::OpenAnnex(annex, "smki.example/root/01", *company.keys[0]))) == text);
  CHECK(Bad(quorum::OpenAnnex(annex, "smki.example/root/01", *company.keys[1])).rule == "RED-ANNEX-02");
  CHECK(Bad(quorum::OpenAnnex(annex, "smki.example/root/02", *company.keys[0])).rule == "RED-ANNEX-02");
}

TEST_CASE("RED-ANNEX-03: an annex that nobody could open again, for its size, is not made") {
  const Company company(1);
  constexpr std::size_t kTooMany = record::kMaxArchiveBytes + 1;
  // So many bytes are never read.
  const std::uint8_t first = 0;
  const base::Error refused =
      Bad(quorum::SealAnnex("smki.example/root/01", base::ByteView(&first, kTooMany), company.keys[0]->public_key()));
  CHECK(refused.rule == "RED-ANNEX-03");
  CHECK(refused.message == "what is withheld has 1073741825 bytes, an annex holds 1073741824 at most");
}
