// The Merkle tree over a record's lines (RFC 6962 section 2.1, RFC 9162
// section 2.1): leaf = SHA256(0x00 || line), node = SHA256(0x01 || l || r).
// Nothing here keeps the leaves: memory is O(log n) for any number of them.
#ifndef CEREMONY_RECORD_TREE_H_
#define CEREMONY_RECORD_TREE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "hsm/base/bytes.h"
#include "hsm/base/digest.h"
#include "hsm/base/result.h"

namespace ceremony::record {

using Hash = base::Sha256Digest;

// Leaf digests the stored bytes of one entry, without the LF.
Hash Leaf(base::ByteView line);
inline Hash Leaf(std::string_view line) { return Leaf(base::AsBytes(line)); }
// TwoLeaves digests two lines at once, where the processor can.
void TwoLeaves(std::string_view first, std::string_view second, Hash& first_leaf, Hash& second_leaf);
Hash Node(const Hash& left, const Hash& right);

// CompactRange is the tree of the leaves appended so far, as the roots of its
// perfect subtrees (one for each 1 bit of the size). A copy is a snapshot.
class CompactRange final {
 public:
  void Append(const Hash& leaf);
  // AppendAll appends leaves in order: the same tree, in less time.
  void AppendAll(std::span<const Hash> leaves) { AppendLevel(0, leaves); }
  std::uint64_t size() const { return size_; }
  Hash Root() const;

 private:
  // AppendSubtree appends a perfect subtree of 2^level leaves by its root. The size
  // so far is a multiple of 2^level.
  void AppendSubtree(int level, const Hash& root);
  void AppendLevel(int level, std::span<const Hash> roots);

  std::uint64_t size_ = 0;
  std::array<Hash, 64> peaks_{};  // peaks_[level] is in use when bit `level` of size_ is set
};

// LeafSource gives the leaf at an index below the tree size asked for. Proofs
// ask for each leaf at most once, in ascending order within a subtree.
using LeafSource = std::function<base::Result<Hash>(std::uint64_t index)>;
// LeavesOf reads from leaves in memory, which must outlive the source.
LeafSource LeavesOf(std::span<const Hash> leaves);

using Proof = std::vector<Hash>;

// InclusionProof is PATH(index, D[size]); kInvalidInput unless index < size.
base::Result<Proof> InclusionProof(std::uint64_t index, std::uint64_t size, const LeafSource& leaves);
// ConsistencyProof is PROOF(old_size, D[size]), empty for equal sizes and for
// old_size 0; kInvalidInput unless old_size <= size.
base::Result<Proof> ConsistencyProof(std::uint64_t old_size, std::uint64_t size, const LeafSource& leaves);

// VerifyInclusion (RFC 9162 section 2.1.3.2): kCorrupt when the proof does not
// lead from the leaf to the root, or has one hash too many or too few.
base::Result<void> VerifyInclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                                   std::span<const Hash> proof, const Hash& root);
// VerifyConsistency (RFC 9162 section 2.1.4.2): kCorrupt when the tree of
// `size` is not shown to extend the tree of `old_size`.
base::Result<void> VerifyConsistency(std::uint64_t old_size, const Hash& old_root, std::uint64_t size, const Hash& root,
                                     std::span<const Hash> proof);

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_TREE_H_
