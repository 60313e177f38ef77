#include "ceremony/record/sha256_lanes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace ceremony::record {

#if defined(__x86_64__)

namespace {

#define KEYCEREMONY_SHA __attribute__((target("sha,sse4.1")))

constexpr std::size_t kBlock = 64;

// FIPS 180-4 section 4.2.2.
alignas(16) constexpr std::array<std::uint32_t, 64> kRound = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// The state as the instructions want it: words a b e f and c d g h, from the
// highest down.
struct State {
  __m128i abef;
  __m128i cdgh;
};

// Compress takes `blocks` blocks of each lane's message into its state.
template <std::size_t kLanes>
KEYCEREMONY_SHA void Compress(std::array<State, kLanes>& state, std::array<const std::uint8_t*, kLanes>& data,
                              std::size_t blocks) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  for (; blocks > 0; --blocks) {
    const std::array<State, kLanes> before = state;
    // The last sixteen words of the message schedule. The loops are unrolled, so
    // that all of this stays in registers.
    __m128i w[kLanes][4];
#pragma GCC unroll 2
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
#pragma GCC unroll 4
      for (std::size_t i = 0; i < 4; ++i) {
        const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data[lane] + 16 * i));
        w[lane][i] = _mm_shuffle_epi8(raw, big_endian);
      }
      data[lane] += kBlock;
    }
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; ++i) {
      const __m128i constants = _mm_load_si128(reinterpret_cast<const __m128i*>(kRound.data() + 4 * i));
#pragma GCC unroll 2
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        __m128i& words = w[lane][i % 4];
        if (i >= 4) {
          const __m128i newest = w[lane][(i + 3) % 4];
          const __m128i seven_back = _mm_alignr_epi8(newest, w[lane][(i + 2) % 4], 4);
          const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(words, w[lane][(i + 1) % 4]), seven_back);
          words = _mm_sha256msg2_epu32(sum, newest);
        }
        const __m128i input = _mm_add_epi32(words, constants);
        State& s = state[lane];
        s.cdgh = _mm_sha256rnds2_epu32(s.cdgh, s.abef, input);
        s.abef = _mm_sha256rnds2_epu32(s.abef, s.cdgh, _mm_shuffle_epi32(input, 0x0e));
      }
    }
#pragma GCC unroll 2
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      state[lane].abef = _mm_add_epi32(state[lane].abef, before[lane].abef);
      state[lane].cdgh = _mm_add_epi32(state[lane].cdgh, before[lane].cdgh);
    }
  }
}

// Message is one lane: its first block (it holds the prefix) and its last ones
// (they hold the padding) are copies, what is between is read where it stands.
struct Message {
  std::array<std::uint8_t, kBlock> head;
  std::array<std::uint8_t, 2 * kBlock> tail{};
  const std::uint8_t* middle = nullptr;
  std::size_t middle_blocks = 0;
  std::size_t tail_blocks = 0;
  bool has_head = false;

  Message(std::uint8_t prefix, base::ByteView bytes) {
    const std::uint64_t bits = (bytes.size() + 1) * 8;
    std::size_t filled = 0;
    if (bytes.size() + 1 >= kBlock) {
      has_head = true;
      head[0] = prefix;
      std::memcpy(head.data() + 1, bytes.data(), kBlock - 1);
      bytes = bytes.subspan(kBlock - 1);
      middle = bytes.data();
      middle_blocks = bytes.size() / kBlock;
      bytes = bytes.subspan(middle_blocks * kBlock);
    } else {
      tail[filled++] = prefix;
    }
    std::copy(bytes.begin(), bytes.end(), tail.begin() + static_cast<std::ptrdiff_t>(filled));
    filled += bytes.size();
    tail[filled++] = 0x80;
    tail_blocks = filled + 8 <= kBlock ? 1 : 2;
    for (std::size_t i = 0; i < 8; ++i) tail[tail_blocks * kBlock - 1 - i] = static_cast<std::uint8_t>(bits >> (8 * i));
  }
};

KEYCEREMONY_SHA State InitialState() {
  // FIPS 180-4 section 5.3.3.
  return {_mm_set_epi32(0x6a09e667, static_cast<int>(0xbb67ae85), 0x510e527f, static_cast<int>(0x9b05688c)),
          _mm_set_epi32(0x3c6ef372, static_cast<int>(0xa54ff53a), 0x1f83d9ab, 0x5be0cd19)};
}

KEYCEREMONY_SHA void Write(const State& state, base::Sha256Digest& digest) {
  alignas(16) std::array<std::uint32_t, 8> words;  // f e b a h g d c
  _mm_store_si128(reinterpret_cast<__m128i*>(words.data()), state.abef);
  _mm_store_si128(reinterpret_cast<__m128i*>(words.data() + 4), state.cdgh);
  constexpr std::array<std::size_t, 8> kPlace = {3, 2, 7, 6, 1, 0, 5, 4};
  for (std::size_t i = 0; i < 8; ++i) {
    const std::uint32_t word = __builtin_bswap32(words[kPlace[i]]);
    std::memcpy(digest.data() + 4 * i, &word, 4);
  }
}

// Both takes the blocks of two lanes together as far as both have some, then
// the rest of the longer one alone.
KEYCEREMONY_SHA void Both(std::array<State, 2>& state, const std::uint8_t* first, std::size_t first_blocks,
                          const std::uint8_t* second, std::size_t second_blocks) {
  std::array<const std::uint8_t*, 2> data = {first, second};
  const std::size_t together = std::min(first_blocks, second_blocks);
  Compress<2>(state, data, together);
  const std::size_t longer = first_blocks > second_blocks ? 0 : 1;
  std::array<State, 1> alone = {state[longer]};
  std::array<const std::uint8_t*, 1> rest = {data[longer]};
  Compress<1>(alone, rest, std::max(first_blocks, second_blocks) - together);
  state[longer] = alone[0];
}

}  // namespace

bool HasSha256Lanes() {
  static const bool has = [] {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0) return false;
    constexpr unsigned kSsse3 = 1u << 9, kSse41 = 1u << 19;
    if ((c & kSsse3) == 0 || (c & kSse41) == 0) return false;
    constexpr unsigned kSha = 1u << 29;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & kSha) != 0;
  }();
  return has;
}

KEYCEREMONY_SHA void Sha256Lanes(std::uint8_t prefix, base::ByteView first, base::ByteView second,
                                 base::Sha256Digest& first_digest, base::Sha256Digest& second_digest) {
  const Message one(prefix, first);
  const Message two(prefix, second);
  std::array<State, 2> state = {InitialState(), InitialState()};
  Both(state, one.head.data(), one.has_head ? 1 : 0, two.head.data(), two.has_head ? 1 : 0);
  Both(state, one.middle, one.middle_blocks, two.middle, two.middle_blocks);
  Both(state, one.tail.data(), one.tail_blocks, two.tail.data(), two.tail_blocks);
  Write(state[0], first_digest);
  Write(state[1], second_digest);
}

#undef KEYCEREMONY_SHA

#else

bool HasSha256Lanes() { return false; }

void Sha256Lanes(std::uint8_t, base::ByteView, base::ByteView, base::Sha256Digest&, base::Sha256Digest&) {
  std::fputs("keyceremony: bug: this processor has no SHA instructions\n", stderr);
  std::abort();
}

#endif

}  // namespace ceremony::record
