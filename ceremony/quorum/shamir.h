// Shamir's secret sharing over GF(2^8), the field of AES (polynomial 0x11b):
// any m of n shares give the secret back, m-1 of them say nothing about it.
//
// Each byte of the secret is the value at 0 of a random polynomial of degree
// below m; a share is the values of all of them at its x. Arithmetic on secret
// bytes takes the same time whatever they are: no tables, no branches.
#ifndef CEREMONY_QUORUM_SHAMIR_H_
#define CEREMONY_QUORUM_SHAMIR_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hsm/base/result.h"
#include "hsm/base/secret_bytes.h"

namespace ceremony::quorum {

// The field has 255 elements besides 0, at which the secret stands.
inline constexpr int kMostShares = 255;

struct ShamirShare {
  std::uint8_t x = 0;   // 1..255, no secret
  base::SecretBytes y;  // as many bytes as the secret
};

// SplitSecret makes `n` shares with x from 1 to n. kRefused:
//   SHARE-SPLIT-01  not 1 <= m <= n <= 255
//   SHARE-SPLIT-02  the secret is empty or longer than 1024 bytes
base::Result<std::vector<ShamirShare>> SplitSecret(const base::SecretBytes& secret, int m, int n);

// CombineShares interpolates at 0 through all shares given. They must be m good
// shares: a wrong share gives a wrong secret, undetected. kRefused:
//   SHARE-COMBINE-01  none, an x of 0, or two with one x
//   SHARE-COMBINE-02  shares of different sizes
base::Result<base::SecretBytes> CombineShares(std::span<const ShamirShare* const> shares);

// HowProven says how ProveSplit proved the split.
enum class HowProven : std::uint8_t {
  kEverySubset,  // each of the `subsets` sets of m shares was combined
  // The first m shares fix one polynomial of degree below m; every other share
  // and the secret lie on it. So any m shares interpolate to the same
  // polynomial, which is what combining each subset would show.
  kOnePolynomial,
};
struct SplitProof {
  HowProven how = HowProven::kEverySubset;
  std::uint64_t subsets = 0;  // combined; 0 for kOnePolynomial
};

// Subsets are combined one by one up to this many.
inline constexpr std::uint64_t kMostSubsets = 10'000;

// ProveSplit shows that every set of m of these shares gives `secret` back;
// kInternal when one does not: nothing may be locked with that secret.
base::Result<SplitProof> ProveSplit(const base::SecretBytes& secret, int m, std::span<const ShamirShare> shares);

// CountSubsets is n over m, or kMostSubsets + 1 when it is more than kMostSubsets.
std::uint64_t CountSubsets(int n, int m);

}  // namespace ceremony::quorum

#endif  // CEREMONY_QUORUM_SHAMIR_H_
