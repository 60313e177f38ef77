// SHA256_* are deprecated in OpenSSL 3 for EVP, whose context costs as much as
// the two blocks of a node; a million entries are two million digests.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "ceremony/record/tree.h"

#include <openssl/sha.h>

#include <bit>
#include <cstring>

#include "ceremony/record/sha256_lanes.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;

constexpr std::uint8_t kLeafPrefix = 0x00;
constexpr std::uint8_t kNodePrefix = 0x01;

// The largest power of two below n (n >= 2): where RFC 6962 splits a tree.
std::uint64_t SplitOf(std::uint64_t n) { return std::uint64_t{1} << (std::bit_width(n - 1) - 1); }

// The root of no leaves.
Hash EmptyRoot() { return base::Sha256Of(std::string_view{}); }

Result<Hash> RangeRoot(std::uint64_t begin, std::uint64_t end, const LeafSource& leaves) {
  CompactRange range;
  for (std::uint64_t i = begin; i < end; ++i) {
    KC_ASSIGN_OR_RETURN(const Hash leaf, leaves(i));
    range.Append(leaf);
  }
  return range.Root();
}

base::Error BadProof(const char* which) {
  return MakeError(ErrorCode::kCorrupt, std::string("the ") + which + " proof does not lead to the root");
}

}  // namespace

Hash Leaf(base::ByteView line) {
  Hash hash;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, &kLeafPrefix, 1);
  SHA256_Update(&context, line.data(), line.size());
  SHA256_Final(hash.data(), &context);
  return hash;
}

Hash Node(const Hash& left, const Hash& right) {
  std::array<std::uint8_t, 65> input;
  input[0] = kNodePrefix;
  std::memcpy(input.data() + 1, left.data(), left.size());
  std::memcpy(input.data() + 33, right.data(), right.size());
  Hash hash;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, input.data(), input.size());
  SHA256_Final(hash.data(), &context);
  return hash;
}

void TwoLeaves(std::string_view first, std::string_view second, Hash& first_leaf, Hash& second_leaf) {
  if (HasSha256Lanes()) {
    Sha256Lanes(kLeafPrefix, base::AsBytes(first), base::AsBytes(second), first_leaf, second_leaf);
  } else {
    first_leaf = Leaf(first);
    second_leaf = Leaf(second);
  }
}

void CompactRange::Append(const Hash& leaf) { AppendSubtree(0, leaf); }

void CompactRange::AppendSubtree(int level, const Hash& root) {
  Hash carry = root;
  int at = level;
  for (; (size_ >> at & 1) != 0; ++at) carry = Node(peaks_[static_cast<std::size_t>(at)], carry);
  peaks_[static_cast<std::size_t>(at)] = carry;
  size_ += std::uint64_t{1} << level;
}

// AppendLevel hashes a level's pairs two at a time, then the level above.
void CompactRange::AppendLevel(int level, std::span<const Hash> roots) {
  if (!roots.empty() && (size_ >> level & 1) != 0) {
    AppendSubtree(level, roots.front());
    roots = roots.subspan(1);
  }
  std::vector<Hash> parents(roots.size() / 2);
  const auto children = [&](std::size_t parent) {
    return base::ByteView(roots[2 * parent].data(), 2 * roots[2 * parent].size());
  };
  std::size_t i = 0;
  if (HasSha256Lanes()) {
    for (; i + 1 < parents.size(); i += 2) {
      Sha256Lanes(kNodePrefix, children(i), children(i + 1), parents[i], parents[i + 1]);
    }
  }
  for (; i < parents.size(); ++i) parents[i] = Node(roots[2 * i], roots[2 * i + 1]);
  if (!parents.empty()) AppendLevel(level + 1, parents);
  if (roots.size() % 2 != 0) AppendSubtree(level, roots.back());
}

Hash CompactRange::Root() const {
  if (size_ == 0) return EmptyRoot();
  int level = std::countr_zero(size_);
  Hash root = peaks_[static_cast<std::size_t>(level)];
  for (++level; level < 64; ++level) {
    if ((size_ >> level & 1) != 0) root = Node(peaks_[static_cast<std::size_t>(level)], root);
  }
  return root;
}

LeafSource LeavesOf(std::span<const Hash> leaves) {
  return [leaves](std::uint64_t index) -> Result<Hash> {
    if (index >= leaves.size()) {
      return MakeError(ErrorCode::kInvalidInput,
                       "leaf " + std::to_string(index) + " of " + std::to_string(leaves.size()) + " was asked for");
    }
    return leaves[index];
  };
}

// Both proofs are built from the root down; the standard lists them from the
// leaf up, so each is turned round at the end.

Result<Proof> InclusionProof(std::uint64_t index, std::uint64_t size, const LeafSource& leaves) {
  if (index >= size) {
    return MakeError(ErrorCode::kInvalidInput,
                     "leaf " + std::to_string(index) + " is not in a tree of " + std::to_string(size));
  }
  Proof proof;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (end - begin > 1) {
    const std::uint64_t middle = begin + SplitOf(end - begin);
    const bool left = index < middle;
    KC_ASSIGN_OR_RETURN(const Hash sibling, left ? RangeRoot(middle, end, leaves) : RangeRoot(begin, middle, leaves));
    proof.push_back(sibling);
    (left ? end : begin) = middle;
  }
  return Proof(proof.rbegin(), proof.rend());
}

Result<Proof> ConsistencyProof(std::uint64_t old_size, std::uint64_t size, const LeafSource& leaves) {
  if (old_size > size) {
    return MakeError(ErrorCode::kInvalidInput,
                     "a tree of " + std::to_string(size) + " cannot extend one of " + std::to_string(old_size));
  }
  Proof proof;
  if (old_size == 0 || old_size == size) return proof;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  bool old_is_whole = true;  // SUBPROOF's flag b: the verifier knows this subtree's root already
  while (end != old_size) {
    const std::uint64_t middle = begin + SplitOf(end - begin);
    const bool left = old_size <= middle;
    KC_ASSIGN_OR_RETURN(const Hash sibling, left ? RangeRoot(middle, end, leaves) : RangeRoot(begin, middle, leaves));
    proof.push_back(sibling);
    if (left) {
      end = middle;
    } else {
      begin = middle;
      old_is_whole = false;
    }
  }
  if (!old_is_whole) {
    KC_ASSIGN_OR_RETURN(const Hash rest, RangeRoot(begin, end, leaves));
    proof.push_back(rest);
  }
  return Proof(proof.rbegin(), proof.rend());
}

Result<void> VerifyInclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size, std::span<const Hash> proof,
                             const Hash& root) {
  if (index >= size) return BadProof("inclusion");
  std::uint64_t node = index;
  std::uint64_t last = size - 1;
  Hash hash = leaf;
  for (const Hash& sibling : proof) {
    if (last == 0) return BadProof("inclusion");
    if ((node & 1) != 0 || node == last) {
      hash = Node(sibling, hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = Node(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0 || hash != root) return BadProof("inclusion");
  return {};
}

Result<void> VerifyConsistency(std::uint64_t old_size, const Hash& old_root, std::uint64_t size, const Hash& root,
                               std::span<const Hash> proof) {
  if (old_size > size) return BadProof("consistency");
  if (old_size == 0) {
    if (!proof.empty() || old_root != EmptyRoot()) return BadProof("consistency");
    return {};
  }
  if (old_size == size) {
    if (!proof.empty() || old_root != root) return BadProof("consistency");
    return {};
  }
  std::uint64_t node = old_size - 1;
  std::uint64_t last = size - 1;
  const int shift = std::countr_one(node);
  node >>= shift;
  last >>= shift;
  // When the old tree is a perfect subtree, its root is the first hash.
  std::size_t next = 0;
  Hash from_old = old_root;
  if (node != 0) {
    if (proof.empty()) return BadProof("consistency");
    from_old = proof[next++];
  }
  Hash from_new = from_old;
  for (; next < proof.size(); ++next) {
    const Hash& sibling = proof[next];
    if (last == 0) return BadProof("consistency");
    if ((node & 1) != 0 || node == last) {
      from_old = Node(sibling, from_old);
      from_new = Node(sibling, from_new);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      from_new = Node(from_new, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0 || from_old != old_root || from_new != root) return BadProof("consistency");
  return {};
}

}  // namespace ceremony::record
