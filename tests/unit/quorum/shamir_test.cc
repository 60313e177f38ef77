#include "ceremony/quorum/shamir.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/results.h"

// What an independent implementation makes of our shares: shamir_test.py.
namespace {

using base::SecretBytes;
using namespace ceremony::quorum;
using support::Bad;
using support::Good;

SecretBytes Secret(std::string_view text) { return SecretBytes::CopyOf(base::AsBytes(text)); }

std::vector<const ShamirShare*> Pick(const std::vector<ShamirShare>& shares, const std::vector<std::size_t>& which) {
  std::vector<const ShamirShare*> picked;
  for (const std::size_t i : which) picked.push_back(&shares[i]);
  return picked;
}

}  // namespace

TEST_CASE("shares made by hand combine to the byte that stands on their line") {
  // y = 0x2a + 0x53 x over GF(2^8): x=1 gives 0x79; x=2: 0x53*2 = 0xa6, and 0x8c; x=0xca: 0x53*0xca = 1 (FIPS 197,
  // where 0xca is the inverse of 0x53), and 0x2b.
  std::vector<ShamirShare> shares;
  shares.push_back({1, SecretBytes::CopyOf(base::Bytes{0x79})});
  shares.push_back({2, SecretBytes::CopyOf(base::Bytes{0x8c})});
  shares.push_back({0xca, SecretBytes::CopyOf(base::Bytes{0x2b})});
  for (const auto& which : std::vector<std::vector<std::size_t>>{{0, 1}, {0, 2}, {1, 2}, {2, 0}, {0, 1, 2}}) {
    const SecretBytes secret = Good(CombineShares(Pick(shares, which)));
    CHECK(base::ToBytes(secret.view()) == base::Bytes{0x2a});
  }
}

TEST_CASE("every set of m shares gives the secret back, in any order, and more than m do too") {
  const SecretBytes secret = Secret("3PK9-XW7Q-2M");
  const auto shares = Good(SplitSecret(secret, 3, 5));
  REQUIRE(shares.size() == 5);
  for (std::size_t a = 0; a < 5; ++a) {
    for (std::size_t b = 0; b < 5; ++b) {
      for (std::size_t c = 0; c < 5; ++c) {
        if (a == b || b == c || a == c) continue;
        CHECK(Good(CombineShares(Pick(shares, {a, b, c}))).Equals(secret));
      }
    }
  }
  CHECK(Good(CombineShares(Pick(shares, {4, 2, 0, 1}))).Equals(secret));
  CHECK_FALSE(Good(CombineShares(Pick(shares, {0, 4}))).Equals(secret));
}

TEST_CASE("m shares of 1 are the secret itself, m of n all need everybody") {
  const SecretBytes secret = Secret("a");
  const auto copies = Good(SplitSecret(secret, 1, 3));
  for (const ShamirShare& copy : copies) CHECK(copy.y.Equals(secret));
  const auto all = Good(SplitSecret(secret, 3, 3));
  CHECK(Good(CombineShares(Pick(all, {0, 1, 2}))).Equals(secret));
}

TEST_CASE("255 shares can be made, 256 cannot") {
  const SecretBytes secret = Secret("0123456789");
  const auto shares = Good(SplitSecret(secret, 130, 255));
  CHECK(shares.back().x == 255);
  CHECK(Good(ProveSplit(secret, 130, shares)).how == HowProven::kOnePolynomial);
  const base::Error error = Bad(SplitSecret(secret, 130, 256));
  CHECK(error.rule == "SHARE-SPLIT-01");
  CHECK(error.message == "130 of 256 shares cannot be made: m from 1 to n, n from 1 to 255");
}

TEST_CASE("the proof combines as many subsets as there are, and says so") {
  const SecretBytes secret = Secret("0123456789abcdef");
  const auto prove = [&](int m, int n) { return Good(ProveSplit(secret, m, Good(SplitSecret(secret, m, n)))); };
  CHECK(prove(3, 5).subsets == 10);
  CHECK(prove(5, 9).subsets == 126);
  CHECK(prove(5, 5).subsets == 1);
  CHECK(prove(1, 7).subsets == 7);
  CHECK(prove(6, 15).subsets == 5005);
  CHECK(prove(8, 16).how == HowProven::kOnePolynomial);  // 12,870
  CHECK(CountSubsets(255, 128) == kMostSubsets + 1);
  CHECK(CountSubsets(16, 6) == 8008);
  CHECK(CountSubsets(10'000 / 50, 1) == 200);
}

TEST_CASE("both proofs see one wrong bit in any share") {
  const SecretBytes secret = Secret("0123456789");
  for (const auto& [m, n] : std::vector<std::pair<int, int>>{{3, 5}, {9, 18}}) {
    auto shares = Good(SplitSecret(secret, m, n));
    for (ShamirShare& share : shares) {
      share.y.writable()[3] ^= 0x10;
      CHECK(Bad(ProveSplit(secret, m, shares)).code == base::ErrorCode::kInternal);
      share.y.writable()[3] ^= 0x10;
    }
    CHECK(ProveSplit(secret, m, shares).ok());
    CHECK_FALSE(ProveSplit(Secret("0123456780"), m, shares).ok());
    // A polynomial of a higher degree than was promised: m shares do not do.
    CHECK_FALSE(ProveSplit(secret, m - 1, shares).ok());
  }
}

TEST_CASE("an empty secret and one over 1024 bytes are refused") {
  CHECK(Bad(SplitSecret(SecretBytes(), 2, 3)).rule == "SHARE-SPLIT-02");
  CHECK(Bad(SplitSecret(SecretBytes(1025), 2, 3)).rule == "SHARE-SPLIT-02");
  CHECK(SplitSecret(SecretBytes(1024), 2, 3).ok());
}

TEST_CASE("shares of 2 of 3 spread over the whole field") {
  // Over 4,096 splits of one byte, each of the 256 values of share 1 is expected 16 times.
  std::vector<int> seen(256);
  const SecretBytes secret = Secret("A");
  for (int i = 0; i < 4096; ++i) ++seen[Good(SplitSecret(secret, 2, 3))[0].y.view()[0]];
  double chi_square = 0;
  for (const int count : seen) chi_square += (count - 16.0) * (count - 16.0) / 16.0;
  CHECK(chi_square < 420);  // 255 degrees of freedom: beyond it once in 10^9 runs
  CHECK(chi_square > 130);
}
