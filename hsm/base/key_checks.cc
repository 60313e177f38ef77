#include "hsm/base/key_checks.h"

#include <openssl/obj_mac.h>

#include <algorithm>
#include <utility>

#include "hsm/base/libcrypto.h"

namespace base {
namespace {

// A group never changes and is dear to make, so each is made at its first use and kept.
template <int kNid>
const EC_GROUP* OneGroup() {
  static const EC_GROUP* const group = EC_GROUP_new_by_curve_name(kNid);
  return group;
}
const EC_GROUP* GroupOf(KeyAlgorithm algorithm) {
  switch (algorithm) {
    case KeyAlgorithm::kEcP256:
      return OneGroup<NID_X9_62_prime256v1>();
    case KeyAlgorithm::kEcP384:
      return OneGroup<NID_secp384r1>();
    default:
      return OneGroup<NID_secp521r1>();
  }
}

}  // namespace

Error InvalidKey(std::string message) {
  return MakeError(ErrorCode::kInvalidInput, "public key: " + std::move(message));
}
Error LibraryFailed(const char* call) {
  Error error = MakeError(ErrorCode::kInternal, "libcrypto could not do its part for a public key");
  error.call = call;
  return error;
}

Result<void> CheckEcPoint(KeyAlgorithm algorithm, ByteView point) {
  const KeyAlgorithmFacts& facts = FactsOf(algorithm);
  const std::size_t expected = 1 + 2 * std::size_t{facts.field_bytes};
  if (point.size() != expected || point[0] != 0x04) {
    return InvalidKey(std::string(facts.title) + " point is not " + std::to_string(expected) +
                      " bytes in uncompressed form (04 || x || y)");
  }
  const ErrorMark mark;
  const EC_GROUP* group = GroupOf(algorithm);
  if (group == nullptr) return LibraryFailed("EC_GROUP_new_by_curve_name");
  const Point parsed(EC_POINT_new(group));
  if (!parsed) return LibraryFailed("EC_POINT_new");
  // EC_POINT_oct2point refuses coordinates above p and points off the curve.
  if (EC_POINT_oct2point(group, parsed.get(), point.data(), point.size(), nullptr) != 1) {
    return InvalidKey("the point is not on " + std::string(facts.title));
  }
  return {};
}

Result<void> CheckEd25519(ByteView raw) {
  if (raw.size() != 32) return InvalidKey("Ed25519 key has " + std::to_string(raw.size()) + " bytes, expected 32");
  Bytes little = ToBytes(raw);
  little.back() &= 0x7f;
  const BigContext context(BN_CTX_new());
  const auto number = [] { return BigNumber(BN_new()); };
  const BigNumber p = number(), y = number(), y2 = number(), u = number(), v = number(), d = number(), t = number();
  if (!context || !p || !y || !y2 || !u || !v || !d || !t) return LibraryFailed("BN_new");
  const auto mod_mul = [&](BIGNUM* out, const BIGNUM* a, const BIGNUM* b) {
    return BN_mod_mul(out, a, b, p.get(), context.get()) == 1;
  };
  bool ok = BN_lebin2bn(little.data(), static_cast<int>(little.size()), y.get()) != nullptr;
  ok = ok && BN_set_bit(p.get(), 255) == 1 && BN_sub_word(p.get(), 19) == 1;
  if (!ok) return LibraryFailed("BN_sub_word");
  if (BN_cmp(y.get(), p.get()) >= 0) return InvalidKey("Ed25519 y coordinate is not below 2^255-19");
  // x^2 = (y^2 - 1) / (d y^2 + 1) with d = -121665/121666, so
  // x^2 = 121666 (y^2 - 1) / (121666 - 121665 y^2) = u / v.
  ok = mod_mul(y2.get(), y.get(), y.get()) && BN_copy(u.get(), y2.get()) != nullptr && BN_sub_word(u.get(), 1) == 1 &&
       BN_mul_word(u.get(), 121666) == 1;
  ok = ok && BN_copy(t.get(), y2.get()) != nullptr && BN_mul_word(t.get(), 121665) == 1 &&
       BN_set_word(v.get(), 121666) == 1 && BN_mod_sub(v.get(), v.get(), t.get(), p.get(), context.get()) == 1;
  // u/v is a square exactly when u*v is; Kronecker symbol -1 says it is not.
  ok = ok && BN_nnmod(u.get(), u.get(), p.get(), context.get()) == 1 && mod_mul(t.get(), u.get(), v.get());
  if (!ok) return LibraryFailed("BN_mod_mul");
  const int square = BN_kronecker(t.get(), p.get(), context.get());
  if (square == -2) return LibraryFailed("BN_kronecker");
  if (square == -1) return InvalidKey("the point is not on Ed25519");
  // Small order: x = 0 (orders 1 and 2, symbol 0), y = 0 (order 4), or y^2 = -x^2
  // (order 8), which is d y^4 + 2 y^2 - 1 = 0, times 121666.
  ok = mod_mul(t.get(), y2.get(), y2.get()) && BN_mul_word(t.get(), 121665) == 1 &&
       BN_copy(d.get(), y2.get()) != nullptr && BN_mul_word(d.get(), 2UL * 121666) == 1 &&
       BN_sub(t.get(), d.get(), t.get()) == 1 && BN_sub(t.get(), t.get(), BN_value_one()) == 1 &&
       BN_sub_word(t.get(), 121665) == 1 && BN_nnmod(t.get(), t.get(), p.get(), context.get()) == 1;
  if (!ok) return LibraryFailed("BN_nnmod");
  if (square == 0 || BN_is_zero(y.get()) || BN_is_zero(t.get())) return InvalidKey("Ed25519 point of small order");
  return {};
}

Result<KeyAlgorithm> CheckRsa(ByteView modulus, ByteView exponent) {
  if (modulus.empty() || exponent.empty()) return InvalidKey("RSA modulus or exponent is zero");
  std::size_t bits = (modulus.size() - 1) * 8;
  for (unsigned top = modulus.front(); top != 0; top >>= 1) ++bits;
  const auto facts = std::ranges::find_if(
      KeyAlgorithms(), [&](const KeyAlgorithmFacts& row) { return row.family == KeyFamily::kRsa && row.bits == bits; });
  if (facts == KeyAlgorithms().end()) {
    return InvalidKey("RSA modulus has " + std::to_string(bits) + " bits, expected 2048, 3072 or 4096");
  }
  if ((modulus.back() & 1) == 0) return InvalidKey("RSA modulus is even");
  if ((exponent.back() & 1) == 0) return InvalidKey("RSA public exponent is even");
  if (exponent.size() < 3) return InvalidKey("RSA public exponent is below 65537");
  if (exponent.size() > 32) return InvalidKey("RSA public exponent is above 2^256");
  return facts->algorithm;
}

}  // namespace base
