#include "ceremony/quorum/shamir.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <numeric>

#include "hsm/base/random.h"

namespace ceremony::quorum {
namespace {

using base::SecretBytes;

constexpr std::size_t kMostSecretBytes = 1024;

// Keeps a compiler from seeing that a mask is 0 or 0xff and making a branch of it.
inline unsigned Opaque(unsigned value) {
  __asm__("" : "+r"(value));
  return value;
}

inline std::uint8_t Multiply(unsigned a, unsigned b) {
  unsigned product = 0;
  for (int bit = 0; bit < 8; ++bit) {
    product ^= a & Opaque(0U - (b & 1));
    a = (a << 1) ^ (0x11bU & Opaque(0U - (a >> 7)));
    b >>= 1;
  }
  return static_cast<std::uint8_t>(product);
}

// a^254 is 1/a, and 0 for 0.
std::uint8_t Invert(std::uint8_t a) {
  std::uint8_t square = a;
  std::uint8_t result = 1;
  for (int i = 1; i < 8; ++i) {
    square = Multiply(square, square);
    result = Multiply(result, square);
  }
  return result;
}

// The weight of share `i` in the value at `at` of the polynomial through `xs` (Lagrange). All of it public.
std::uint8_t Weight(std::span<const std::uint8_t> xs, std::size_t i, std::uint8_t at) {
  std::uint8_t above = 1;
  std::uint8_t below = 1;
  for (std::size_t j = 0; j < xs.size(); ++j) {
    if (j == i) continue;
    above = Multiply(above, static_cast<unsigned>(at ^ xs[j]));
    below = Multiply(below, static_cast<unsigned>(xs[i] ^ xs[j]));
  }
  return Multiply(above, Invert(below));
}

// Writes the value at `at` of the polynomial through the shares.
void Interpolate(std::span<const ShamirShare* const> shares, std::uint8_t at, std::span<std::uint8_t> out) {
  std::array<std::uint8_t, kMostShares> xs{};
  for (std::size_t i = 0; i < shares.size(); ++i) xs[i] = shares[i]->x;
  std::ranges::fill(out, std::uint8_t{0});
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const unsigned weight = Weight(std::span(xs).first(shares.size()), i, at);
    const base::ByteView y = shares[i]->y.view();
    for (std::size_t b = 0; b < out.size(); ++b) out[b] ^= Multiply(weight, y[b]);
  }
}

base::Result<void> CheckShares(std::span<const ShamirShare* const> shares) {
  if (shares.empty()) return base::Refusal("SHARE-COMBINE-01", "no share was given to combine");
  std::bitset<256> seen;
  for (const ShamirShare* share : shares) {
    if (share->x == 0 || seen[share->x]) {
      return base::Refusal("SHARE-COMBINE-01",
                           share->x == 0 ? std::string("a share has the coordinate 0")
                                         : fmt::format("two shares have the coordinate {}", share->x),
                           "each custodian gives the one share that was sealed to them");
    }
    seen.set(share->x);
    if (share->y.size() != shares.front()->y.size() || share->y.empty()) {
      return base::Refusal("SHARE-COMBINE-02",
                           fmt::format("share {} has {} bytes, share {} has {}", shares.front()->x,
                                       shares.front()->y.size(), share->x, share->y.size()),
                           "they are not of one set");
    }
  }
  return {};
}

base::Error NotProven(const std::string& what) {
  return base::MakeError(base::ErrorCode::kInternal,
                         "the shares that were just made do not give their secret: " + what);
}

// Goes through the sets of `m` out of `n`, in lexical order; false after the last.
bool NextSubset(std::vector<std::size_t>& chosen, std::size_t n) {
  const std::size_t m = chosen.size();
  for (std::size_t i = m; i-- > 0;) {
    if (chosen[i] == n - m + i) continue;
    std::iota(chosen.begin() + static_cast<std::ptrdiff_t>(i), chosen.end(), chosen[i] + 1);
    return true;
  }
  return false;
}

}  // namespace

std::uint64_t CountSubsets(int n, int m) {
  std::uint64_t count = 1;
  // Each partial product is itself a binomial coefficient, so that it divides.
  for (int i = 1; i <= std::min(m, n - m); ++i) {
    count = count * static_cast<std::uint64_t>(n - i + 1) / static_cast<std::uint64_t>(i);
    if (count > kMostSubsets) return kMostSubsets + 1;
  }
  return count;
}

base::Result<std::vector<ShamirShare>> SplitSecret(const SecretBytes& secret, int m, int n) {
  if (m < 1 || m > n || n > kMostShares) {
    return base::Refusal(
        "SHARE-SPLIT-01",
        fmt::format("{} of {} shares cannot be made: m from 1 to n, n from 1 to {}", m, n, kMostShares),
        "correct the quorum in the roster");
  }
  if (secret.empty() || secret.size() > kMostSecretBytes) {
    return base::Refusal("SHARE-SPLIT-02", fmt::format("a secret of {} bytes cannot be shared: 1 to {} can",
                                                       secret.size(), kMostSecretBytes));
  }
  const std::size_t size = secret.size();
  // Coefficient k of byte b stands at (k-1) * size + b; each is uniform, the highest one may be 0.
  SecretBytes coefficients(size * static_cast<std::size_t>(m - 1));
  base::FillRandom(coefficients.writable());
  std::vector<ShamirShare> shares;
  shares.reserve(static_cast<std::size_t>(n));
  for (int x = 1; x <= n; ++x) {
    ShamirShare share{static_cast<std::uint8_t>(x), SecretBytes(size)};
    const auto y = share.y.writable();
    for (std::size_t b = 0; b < size; ++b) {
      std::uint8_t value = 0;
      for (std::size_t k = static_cast<std::size_t>(m - 1); k-- > 0;)
        value = Multiply(static_cast<unsigned>(x), value ^ coefficients.view()[k * size + b]);
      y[b] = value ^ secret.view()[b];
    }
    shares.push_back(std::move(share));
  }
  return shares;
}

base::Result<SecretBytes> CombineShares(std::span<const ShamirShare* const> shares) {
  KC_RETURN_IF_ERROR(CheckShares(shares));
  SecretBytes secret(shares.front()->y.size());
  Interpolate(shares, 0, secret.writable());
  return secret;
}

base::Result<SplitProof> ProveSplit(const SecretBytes& secret, int m, std::span<const ShamirShare> shares) {
  std::vector<const ShamirShare*> all;
  for (const ShamirShare& share : shares) all.push_back(&share);
  KC_RETURN_IF_ERROR(CheckShares(all));
  const auto n = static_cast<int>(all.size());
  if (m < 1 || m > n) return NotProven(fmt::format("{} shares for a quorum of {}", n, m));
  const auto wanted = static_cast<std::size_t>(m);
  SecretBytes found(secret.size());
  if (all.front()->y.size() != secret.size()) return NotProven("they have another size");

  if (CountSubsets(n, m) <= kMostSubsets) {
    SplitProof proof;
    std::vector<std::size_t> chosen(wanted);
    std::iota(chosen.begin(), chosen.end(), std::size_t{0});
    std::vector<const ShamirShare*> subset(wanted);
    do {
      std::ranges::transform(chosen, subset.begin(), [&](std::size_t i) { return all[i]; });
      Interpolate(subset, 0, found.writable());
      if (!found.Equals(secret)) return NotProven(fmt::format("subset {}", proof.subsets + 1));
      ++proof.subsets;
    } while (NextSubset(chosen, all.size()));
    return proof;
  }

  const std::span<const ShamirShare* const> first(all.data(), wanted);
  Interpolate(first, 0, found.writable());
  if (!found.Equals(secret)) return NotProven("the first of them give another");
  for (std::size_t i = wanted; i < all.size(); ++i) {
    Interpolate(first, all[i]->x, found.writable());
    if (!found.Equals(all[i]->y)) return NotProven(fmt::format("share {} is not on the polynomial", all[i]->x));
  }
  return SplitProof{HowProven::kOnePolynomial, 0};
}

}  // namespace ceremony::quorum
