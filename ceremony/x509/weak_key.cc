#include "ceremony/x509/weak_key.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/err.h>

#include <array>
#include <memory>

#include "ceremony/x509/issue_parts.h"
#include "ceremony/x509/rule_id.h"
#include "hsm/base/rsa_numbers.h"

namespace ceremony::x509 {
namespace {

constexpr unsigned kSmallPrimesBelow = 752;  // SP 800-89 section 5.3.3
constexpr unsigned kFermatRounds = 100;      // CA/B BR 6.1.1.3
// The primes of the fingerprint: Nemec et al., "The Return of Coppersmith's
// Attack", 2017; in keys of 512 bits and more all of these divide its M.
constexpr unsigned kRocaPrimesTo = 167;

constexpr bool IsPrime(unsigned number) {
  if (number < 2) return false;
  for (unsigned divisor = 2; divisor * divisor <= number; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return true;
}

constexpr std::size_t CountPrimes() {
  std::size_t count = 0;
  for (unsigned number = 3; number < kSmallPrimesBelow; ++number) count += IsPrime(number) ? 1U : 0U;
  return count;
}

constexpr auto kPrimes = [] {
  std::array<std::uint32_t, CountPrimes()> primes{};
  std::size_t count = 0;
  for (unsigned number = 3; number < kSmallPrimesBelow; ++number) {
    if (IsPrime(number)) primes[count++] = number;
  }
  return primes;
}();

// Whether a residue is a power of 65537 modulo the prime.
bool IsPowerOfGenerator(std::uint32_t residue, std::uint32_t prime) {
  const std::uint32_t generator = 65537 % prime;
  std::uint32_t power = 1;
  do {
    if (power == residue) return true;
    power = power * generator % prime;
  } while (power != 1 && power != 0);
  return false;
}

std::uint32_t Remainder(base::ByteView number, std::uint32_t divisor) {
  std::uint64_t rest = 0;
  std::size_t at = 0;
  for (; at % 4 != number.size() % 4; ++at) rest = (rest << 8 | number[at]) % divisor;
  for (; at < number.size(); at += 4) {
    const std::uint32_t word = static_cast<std::uint32_t>(number[at]) << 24 |
                               static_cast<std::uint32_t>(number[at + 1]) << 16 |
                               static_cast<std::uint32_t>(number[at + 2]) << 8 | number[at + 3];
    rest = (rest << 32 | word) % divisor;
  }
  return static_cast<std::uint32_t>(rest);
}

struct SmallPrimes {
  std::uint32_t factor = 0;  // the smallest that divides the modulus
  bool roca = true;
};

SmallPrimes JudgeBySmallPrimes(base::ByteView modulus) {
  SmallPrimes judged;
  // One long division gives the remainders of as many primes as fit 32 bits together.
  for (std::size_t first = 0; first < kPrimes.size();) {
    std::uint64_t product = 1;
    std::size_t last = first;
    while (last < kPrimes.size() && product * kPrimes[last] <= 0xffffffffU) product *= kPrimes[last++];
    const std::uint32_t rest = Remainder(modulus, static_cast<std::uint32_t>(product));
    for (; first < last; ++first) {
      const std::uint32_t prime = kPrimes[first];
      const std::uint32_t residue = rest % prime;
      if (residue == 0 && judged.factor == 0) judged.factor = prime;
      if (prime <= kRocaPrimesTo && judged.roca) judged.roca = IsPowerOfGenerator(residue, prime);
    }
  }
  return judged;
}

struct BigFree {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};
using Big = std::unique_ptr<BIGNUM, BigFree>;

// Newton's method for the root, rounded down; false when libcrypto is out of memory.
bool SquareRoot(const BIGNUM* number, BIGNUM* root, BIGNUM* next, BN_CTX* context) {
  if (BN_zero(root), BN_set_bit(root, (BN_num_bits(number) + 1) / 2) != 1) return false;
  while (true) {
    if (BN_div(next, nullptr, number, root, context) != 1 || BN_add(next, next, root) != 1 ||
        BN_rshift1(next, next) != 1)
      return false;
    if (BN_cmp(next, root) >= 0) return true;
    BN_swap(next, root);
  }
}

// Squares end in few ways; what passes is looked at in full.
bool MayBeSquare(const BIGNUM* number) {
  const BN_ULONG low = BN_mod_word(number, 64);
  constexpr std::uint64_t kSquaresOf64 = [] {
    std::uint64_t set = 0;
    for (std::uint64_t i = 0; i < 64; ++i) set |= std::uint64_t{1} << (i * i % 64);
    return set;
  }();
  return (kSquaresOf64 >> low & 1U) != 0;
}

// How many rounds Fermat's method needs to split the modulus, 0 when more than kFermatRounds.
unsigned FermatRounds(base::ByteView modulus) {
  const std::unique_ptr<BN_CTX, BigFree> context(BN_CTX_new());
  const Big n(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
  const Big a(BN_new());
  const Big rest(BN_new());
  const Big root(BN_new());
  const Big spare(BN_new());
  if (!context || !n || !a || !rest || !root || !spare) return 0;
  if (!SquareRoot(n.get(), a.get(), spare.get(), context.get())) return 0;
  if (BN_sqr(rest.get(), a.get(), context.get()) != 1) return 0;
  if (BN_cmp(rest.get(), n.get()) == 0) return 1;  // a square
  bool good = BN_add_word(a.get(), 1) == 1 && BN_sqr(rest.get(), a.get(), context.get()) == 1 &&
              BN_sub(rest.get(), rest.get(), n.get()) == 1;
  for (unsigned round = 1; good && round <= kFermatRounds; ++round) {
    // n = a^2 - b^2 = (a - b)(a + b) when `rest` is the square of b.
    if (MayBeSquare(rest.get())) {
      good = SquareRoot(rest.get(), root.get(), spare.get(), context.get()) &&
             BN_sqr(spare.get(), root.get(), context.get()) == 1;
      if (good && BN_cmp(spare.get(), rest.get()) == 0) return round;
    }
    // (a + 1)^2 - n is this one and 2a + 1.
    good = good && BN_add(rest.get(), rest.get(), a.get()) == 1 && BN_add(rest.get(), rest.get(), a.get()) == 1 &&
           BN_add_word(rest.get(), 1) == 1 && BN_add_word(a.get(), 1) == 1;
  }
  return 0;
}

std::vector<Finding> WeakKeyFindings(const base::PublicKey& key) {
  Findings findings({});
  if (const auto curve = base::FactsOf(key.algorithm()).curve) {
    CheckEcPoint(Curves(), *curve, key.EcPoint(), {}, findings);
  } else if (const base::RsaNumbers numbers = base::RsaNumbersOf(key); !numbers.modulus.empty()) {
    CheckRsaModulus(numbers.modulus, {}, findings);
  }
  return std::move(findings).Take();
}

}  // namespace

void CheckRsaModulus(base::ByteView modulus, base::ByteView where, Findings& findings) {
  while (!modulus.empty() && modulus.front() == 0) modulus = modulus.subspan(1);
  // Shorter ones are refused for their size, an even one for being even.
  if (modulus.size() < 64 || modulus.size() > 4096 || (modulus.back() & 1U) == 0) return;
  const SmallPrimes judged = JudgeBySmallPrimes(modulus);
  if (judged.roca)
    findings.Add(RuleId::kWeakKey01, where,
                 "the RSA modulus has the fingerprint of keys whose primes can be computed (ROCA)");
  if (judged.factor != 0)
    findings.Add(RuleId::kWeakKey02, where, fmt::format("the RSA modulus is divisible by {}", judged.factor));
  if (const unsigned rounds = FermatRounds(modulus); rounds != 0)
    findings.Add(
        RuleId::kWeakKey03, where,
        fmt::format("the primes of the RSA modulus are so close that Fermat's method finds them in round {}", rounds));
}

void CheckEcPoint(const Curves& curves, base::Curve curve, base::ByteView point, base::ByteView where,
                  Findings& findings) {
  if (const unsigned number = curves.SmallMultiple(curve, point); number != 0)
    findings.Add(RuleId::kWeakKey04, where,
                 fmt::format("the private key of this point is {0} or -{0}, which everybody knows", number));
}

base::Result<void> RefuseWeakKey(const base::PublicKey& key) {
  const std::vector<Finding> findings = WeakKeyFindings(key);
  if (!findings.empty()) return parts::RefusedBy("the key with SPKI SHA-256 " + key.SpkiSha256Hex(), findings);
  return {};
}

}  // namespace ceremony::x509
