#include "hsm/base/words.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace {

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string WordsOf(const char* hex) { return Joined(base::PgpWords(*base::HexDecode(hex))); }

}  // namespace

TEST_CASE("digests become the words that other programs say") {
  // The example of Wikipedia's article, and one from a PHP library's tests.
  CHECK(WordsOf("e58294f2e9a227486e8b061b31cc528fd7fa3f19") ==
        "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa afflict bravado chatter "
        "revolver Dupont midsummer stopwatch whimsical cowbell bottomless");
  CHECK(WordsOf("12b4b0057400076fa5c0f5cbf726ac65") ==
        "atlas politeness ruffled almighty indoors adroitness ahead hemisphere reindeer recipe vapor revival virus "
        "caretaker ribcage glossary");
  CHECK(base::PgpWords({}).empty());
}

TEST_CASE("the list is the one of IANA's root-key tools, word for word") {
  // sha256sum of 256 lines `two-syllable TAB three-syllable`, made from dnssec-keytools' common/sha2wordlist.h;
  // four other published copies give the same digest.
  std::string list;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const auto words = base::PgpWords(base::Bytes{static_cast<std::uint8_t>(byte), static_cast<std::uint8_t>(byte)});
    list += words[0] + '\t' + words[1] + '\n';
  }
  CHECK(base::Sha256Hex(list) == "5a384e866ef16e99b9b5e0881c623a5ceeeb7e3e887d6a2d712d428654fe9497");
}

TEST_CASE("no word is in the list twice, in whatever case") {
  std::set<std::string> seen;
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (auto word : base::PgpWords(base::Bytes{static_cast<std::uint8_t>(byte), static_cast<std::uint8_t>(byte)})) {
      std::ranges::transform(word, word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      CHECK(seen.insert(word).second);
    }
  }
  CHECK(seen.size() == 512);
}

TEST_CASE("hexadecimal is shown in groups of four bytes") {
  CHECK(base::GroupedHex({}) == "");
  CHECK(base::GroupedHex(base::Bytes{0x01}) == "01");
  CHECK(base::GroupedHex(base::Bytes{0x01, 0x23, 0xab, 0xcd}) == "0123abcd");
  CHECK(base::GroupedHex(base::Bytes{0x01, 0x23, 0xab, 0xcd, 0xef}) == "0123abcd ef");
}
